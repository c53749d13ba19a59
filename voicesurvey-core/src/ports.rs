//! What the core needs from outside, as traits. Adapters implement them; services use nothing else.

pub mod audit;
pub mod call_lists;
pub mod call_rollups;
pub mod contact_records;
pub mod erasures;
pub mod exclusions;
pub mod exports;
pub mod leadership;
pub mod repositories;
pub mod storage;
pub mod task_queue;
pub mod telephony;
pub mod wake_up;

pub use audit::{Audit, OtherProcess};
pub use call_lists::CallListRepository;
pub use call_rollups::CallRollupRepository;
pub use contact_records::ContactRecordRepository;
pub use erasures::{ErasureRepository, RetentionRepository};
pub use exclusions::{ExclusionFilter, ExclusionRepository};
pub use exports::ExportRepository;
pub use leadership::{Leadership, OnlyServer};
pub use repositories::{
    ApiKeyRepository, CallAttemptRepository, CallTaskRepository, CampaignRepository,
    CompanyRepository, EventRepository, InterviewRepository, SkillbaseRepository,
};
pub use storage::{Page, PageRequest, Scope, Storage, StorageError, UnitOfWork};
pub use task_queue::{AttemptKey, CampaignKey, Claim, ClaimRequest, ClaimedTask, TaskQueue};
pub use telephony::{
    CallOptions, CallOrder, CallReference, Cancellation, FoundCall, PlaceCallError, Placed,
    ProviderError, TelephonyProvider, UnconfirmedCall, Webhook, WebhookError, WebhookReply,
    WebhookRequest,
};
pub use wake_up::{NoWakeUp, WakeUp};
