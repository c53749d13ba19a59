//! Uploads that go on after the request that brought them was answered.
//!
//! The server that took the file runs the upload, and writes every few seconds where it stands, so
//! that any server can tell. Few run at a time: a list keeps a core and a connection to the store busy,
//! and calls go first. A server that stops gives its uploads up and says so; one that is killed
//! cannot, and is found out by its silence ([`Uploads`]).

mod file;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::MissedTickBehavior;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_list::{Upload, UploadProgress};
use voicesurvey_core::id::UploadId;
use voicesurvey_core::service::Uploads;

pub use self::file::UploadedFile;

/// How often it is written where an upload stands.
const REPORTED_EVERY: Duration = Duration::from_secs(2);

/// The uploads that this server runs. Clones share them.
#[derive(Clone)]
pub struct UploadJobs {
    uploads: Uploads,
    turn: Arc<Semaphore>,
    jobs: Arc<Mutex<HashMap<UploadId, Arc<Job>>>>,
    /// How many there are.
    count: watch::Sender<usize>,
}

/// An upload that waits or runs.
#[derive(Debug, Default)]
struct Job {
    progress: UploadProgress,
    stopped: Notify,
}

impl Job {
    /// Waits for its turn; `None` if it is stopped before it has it.
    async fn turn<'a>(&self, turn: &'a Semaphore) -> Option<tokio::sync::SemaphorePermit<'a>> {
        tokio::select! {
            () = self.stopped.notified() => None,
            turn = turn.acquire() => turn.ok(),
        }
    }
}

impl UploadJobs {
    /// None yet; each takes a permit of `turn` while it is read and added.
    pub fn new(uploads: Uploads, turn: Arc<Semaphore>) -> Self {
        Self {
            uploads,
            turn,
            jobs: Arc::default(),
            count: watch::Sender::new(0),
        }
    }

    /// Runs an upload that was begun.
    pub fn start(&self, actor: Actor, upload: Upload, file: UploadedFile) {
        let job = Arc::new(Job::default());
        self.change(|jobs| jobs.insert(upload.id, Arc::clone(&job)));
        tokio::spawn(self.clone().run(actor, upload, file, job));
    }

    async fn run(self, actor: Actor, upload: Upload, file: UploadedFile, job: Arc<Job>) {
        let id = upload.id;
        // In a task of its own: a store with one writer lets it wait until the list is added.
        let reporting = self
            .clone()
            .report(actor.clone(), upload.clone(), Arc::clone(&job));
        let reporting = tokio::spawn(reporting);
        // Whether or not it has its turn: one that was stopped ends as soon as it begins.
        let turn = job.turn(&self.turn).await;
        let ended = self.uploads.run(&actor, upload, &file, &job.progress).await;
        drop(turn);
        reporting.abort();
        match ended {
            Ok(upload) => {
                let (status, rows) = (upload.status, upload.total_rows);
                tracing::info!(upload = %id, %status, rows, "an upload has ended");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(upload = %id, error, "it cannot be stored how an upload has ended");
            }
        }
        self.change(|jobs| jobs.remove(&id));
    }

    /// Writes again and again where the upload stands; an error is the store's, and tried again.
    async fn report(self, actor: Actor, upload: Upload, job: Arc<Job>) {
        let mut times = tokio::time::interval(REPORTED_EVERY);
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            times.tick().await;
            let reported = self.uploads.report(&actor, &upload, &job.progress).await;
            if let Err(error) = reported {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(upload = %upload.id, error, "it was not stored where it stands");
            }
            if job.progress.is_stopped() {
                job.stopped.notify_one();
            }
        }
    }

    /// Stops an upload at once if this server runs it; another one finds out by itself.
    pub fn stop_one(&self, id: UploadId) {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(job) = jobs.get(&id) {
            job.progress.stop();
            job.stopped.notify_one();
        }
    }

    /// Gives all uploads up, and waits until that is stored.
    pub async fn stop(&self) {
        let all: Vec<_> = {
            let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            jobs.values().cloned().collect()
        };
        for job in all {
            job.progress.interrupt();
            job.stopped.notify_one();
        }
        // OK because the sender lives as long as we do.
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }

    // OK to go on with a poisoned lock, here and above: every change is a single step.
    fn change<T>(&self, change: impl FnOnce(&mut HashMap<UploadId, Arc<Job>>) -> T) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut jobs);
        self.count.send_replace(jobs.len());
    }
}

impl fmt::Debug for UploadJobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadJobs")
            .field("count", &*self.count.borrow())
            .finish_non_exhaustive()
    }
}
