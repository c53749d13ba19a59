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

use async_trait::async_trait;
use tokio::sync::{Notify, Semaphore, SemaphorePermit, watch};
use tokio::time::MissedTickBehavior;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_list::{Upload, UploadProgress};
use voicesurvey_core::id::UploadId;
use voicesurvey_core::service::Uploads;
use voicesurvey_core::service::uploads::GivesWay;

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
    async fn turn<'a>(&self, turn: &'a Semaphore) -> Option<SemaphorePermit<'a>> {
        tokio::select! {
            () = self.stopped.notified() => None,
            turn = turn.acquire() => turn.ok(),
        }
    }
}

/// A turn that is given back while the upload could do nothing with it.
struct Place<'a> {
    job: &'a Job,
    turn: &'a Semaphore,
    held: tokio::sync::Mutex<Option<SemaphorePermit<'a>>>,
}

impl<'a> Place<'a> {
    async fn of(job: &'a Job, turn: &'a Semaphore) -> Self {
        let held = tokio::sync::Mutex::new(job.turn(turn).await);
        Self { job, turn, held }
    }
}

#[async_trait]
impl GivesWay for Place<'_> {
    async fn give_way(&self) {
        let mut held = self.held.lock().await;
        // Turns go by the order in which they were asked for: all who wait now come first.
        *held = None;
        *held = self.job.turn(self.turn).await;
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
        let place = Place::of(&job, &self.turn).await;
        let running = self
            .uploads
            .run(&actor, upload, &file, &job.progress, &place);
        let ended = running.await;
        drop(place);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_gives_way_comes_after_all_who_wait() {
        let turn = Semaphore::new(1);
        let (job, other) = (Job::default(), Job::default());
        let place = Place::of(&job, &turn).await;
        let order = Mutex::new(Vec::new());
        let gives_way = async {
            // The other one is in the queue by now.
            tokio::task::yield_now().await;
            place.give_way().await;
            order.lock().unwrap().push("gave way");
        };
        let waits = async {
            let waited = Place::of(&other, &turn).await;
            order.lock().unwrap().push("waited");
            drop(waited);
        };
        tokio::join!(gives_way, waits);
        assert_eq!(*order.lock().unwrap(), ["waited", "gave way"]);
        // One that is stopped waits for no turn.
        let waiting = Place::of(&other, &turn);
        other.stopped.notify_one();
        assert!(waiting.await.held.into_inner().is_none());
        assert!(place.held.into_inner().is_some());
    }
}
