//! What handlers and workers share: the services, put together over one store and one provider.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::Semaphore;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::ports::{Storage, TelephonyProvider, WakeUp};
use voicesurvey_core::service::{
    CampaignService, Companies, DutyPorts, Engine, EngineParts, Erasures, Exclusions, Exports,
    Reports, Reviews, Skillbases, TestConversations, UnresolvedCalls, Uploads,
};
use voicesurvey_core::time::Clock;

use crate::company_turns::CompanyTurns;
use crate::readiness::Readiness;
use crate::uploads::UploadJobs;

/// The services of a running server. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Companies and API keys.
    pub companies: Companies,
    /// Skillbases.
    pub skillbases: Skillbases,
    /// Campaigns.
    pub campaigns: Arc<dyn CampaignService>,
    /// Who must not be called.
    pub exclusions: Exclusions,
    /// Forgetting people.
    pub erasures: Erasures,
    /// Reading for screens.
    pub reports: Reports,
    /// Files of results.
    pub exports: Exports,
    /// What people make of answers that may be wrong.
    pub reviews: Reviews,
    /// Conversations without a telephone.
    pub test_conversations: TestConversations,
    /// Calls of which nobody knows what became of them.
    pub unresolved_calls: UnresolvedCalls,
    /// Calls: dispatcher, scheduler, recovery, webhooks.
    pub engine: Engine,
    /// The store, for health checks.
    pub storage: Arc<dyn Storage>,
    /// The provider, for its name.
    pub provider: Arc<dyn TelephonyProvider>,
    /// The bell, for those who have left something to do.
    pub wake_up: Arc<dyn WakeUp>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where identifiers come from.
    pub ids: Arc<IdGenerator>,
    /// How the loops of the server are.
    pub readiness: Arc<Readiness>,
    /// What the HTTP side needs to know.
    pub http: Arc<HttpSettings>,
    /// Uploads that are watched.
    pub uploads: Uploads,
    /// Uploads that this server runs after it has answered.
    pub upload_jobs: UploadJobs,
    /// Taken while a call list is added after its request was answered.
    pub background_turn: Arc<Semaphore>,
    /// Taken while a call list is added or looked at before the request is answered: uploads that
    /// wait cost less than a server that has no connection to its store left for calls.
    pub upload_turns: Arc<Semaphore>,
    /// Taken while exclusions are imported.
    pub import_turns: Arc<Semaphore>,
    /// Taken while a file is written to whoever fetches it: each holds a page of people in memory.
    pub export_streams: CompanyTurns,
    /// Taken while every record of a campaign is read for an answer.
    pub readings: CompanyTurns,
    /// Taken while a campaign is tried out, which may take a gigabyte of memory.
    pub dry_runs: Arc<Semaphore>,
}

/// Call lists that are added at the same time before their requests are answered.
const UPLOADS_AT_ONCE: usize = 2;

/// Files of exclusions that are imported at the same time.
const IMPORTS_AT_ONCE: usize = 2;

/// Files that are sent while they are written at the same time, and those of one company.
const EXPORT_STREAMS: (usize, usize) = (8, 2);

/// Answers for which all records of a campaign are read at the same time, and those of one company.
const READINGS: (usize, usize) = (8, 3);

/// Settings of the HTTP side.
#[derive(Clone)]
pub struct HttpSettings {
    /// The operator's bearer token; without one the operator's routes refuse everybody.
    pub operator_token: Option<String>,
    /// The largest call list that is taken, in bytes.
    pub largest_upload_bytes: usize,
    /// The folder in which files that are uploaded are kept while they are read.
    pub upload_folder: PathBuf,
    /// The URL at which the provider reaches this server, without a slash at the end.
    pub public_url: String,
    /// How long a finished file of results can be fetched.
    pub keep_exports_for: TimeDelta,
}

impl App {
    /// Puts the services together, for the only server on its store.
    pub fn new(parts: EngineParts, http: HttpSettings) -> Self {
        let duties = DutyPorts {
            storage: parts.storage.clone(),
            queue: parts.queue.clone(),
        };
        Self::with_duties(parts, duties, http)
    }

    /// Puts the services together, for one server of several: a leader's duties go through `duties`.
    pub fn with_duties(parts: EngineParts, duties: DutyPorts, http: HttpSettings) -> Self {
        let EngineParts {
            storage,
            provider,
            interpreter,
            clock,
            ids,
            wake_up,
            ..
        } = parts.clone();
        let engine = Engine::with_duties(parts, duties);
        let background_turn = Arc::new(Semaphore::new(1));
        let uploads = Uploads::new(engine.campaigns().clone());
        Self {
            companies: Companies::new(storage.clone(), clock.clone(), ids.clone(), wake_up.clone()),
            skillbases: Skillbases::new(storage.clone(), clock.clone(), ids.clone()),
            campaigns: Arc::new(engine.campaigns().clone()),
            exclusions: Exclusions::new(
                storage.clone(),
                provider.clone(),
                clock.clone(),
                ids.clone(),
            ),
            erasures: Erasures::new(
                storage.clone(),
                provider.clone(),
                clock.clone(),
                ids.clone(),
            ),
            reports: Reports::new(storage.clone()),
            exports: Exports::new(
                storage.clone(),
                clock.clone(),
                ids.clone(),
                http.keep_exports_for,
            ),
            reviews: Reviews::new(storage.clone(), clock.clone()),
            test_conversations: TestConversations::new(
                storage.clone(),
                interpreter,
                clock.clone(),
                ids.clone(),
            ),
            unresolved_calls: UnresolvedCalls::new(
                storage.clone(),
                clock.clone(),
                ids.clone(),
                wake_up.clone(),
            ),
            wake_up,
            engine,
            storage,
            provider,
            clock,
            ids,
            readiness: Arc::default(),
            http: Arc::new(http),
            upload_jobs: UploadJobs::new(uploads.clone(), background_turn.clone()),
            background_turn,
            uploads,
            upload_turns: Arc::new(Semaphore::new(UPLOADS_AT_ONCE)),
            import_turns: Arc::new(Semaphore::new(IMPORTS_AT_ONCE)),
            export_streams: CompanyTurns::new(EXPORT_STREAMS.0, EXPORT_STREAMS.1),
            readings: CompanyTurns::new(READINGS.0, READINGS.1),
            dry_runs: Arc::new(Semaphore::new(1)),
        }
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("provider", &self.provider.name())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpSettings")
            .field("operator_token", &self.operator_token.as_ref().map(|_| "…"))
            .field("largest_upload_bytes", &self.largest_upload_bytes)
            .field("upload_folder", &self.upload_folder)
            .field("public_url", &self.public_url)
            .field("keep_exports_for", &self.keep_exports_for)
            .finish()
    }
}
