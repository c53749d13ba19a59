//! The use cases. Each is small: read, let a pure function decide, write, commit, tell.
//!
//! No unit of work is open while a provider or an interpreter is asked (I2), and nothing about a
//! call is kept in memory between two steps: any server can take the next one.

pub(crate) mod breaker;
mod budget;
pub mod call_events;
pub mod campaign_service;
pub mod campaigns;
pub(crate) mod circumstances;
pub mod companies;
mod contact_filters;
pub mod dispatcher;
pub mod engine;
pub mod erasures;
pub mod error;
pub mod event_inbox;
pub mod exclusions;
pub mod exports;
pub mod interviews;
mod prices;
pub(crate) mod quotas;
mod recordings;
pub mod recovery;
pub mod reports;
pub mod retention;
pub mod reviews;
pub mod scheduler;
pub mod settlement;
pub mod skillbases;
pub mod test_conversations;
pub(crate) mod understanding;
pub mod unresolved_calls;
pub mod uploads;
pub mod validation;
pub mod webhooks;

pub use call_events::CallEvents;
pub use campaign_service::{
    CallSettingsChanges, CampaignChanges, CampaignService, Change, NewCampaign, NewSchedule,
    ScheduleChanges,
};
pub use campaigns::Campaigns;
pub use companies::{Companies, NewApiKey, NewCompany};
pub use dispatcher::Dispatcher;
pub use engine::{DutyPorts, Engine, EngineParts, EngineSettings};
pub use erasures::Erasures;
pub use error::{FieldError, ServiceError};
pub use event_inbox::EventInbox;
pub use exclusions::{Exclusions, Keeper, NewExclusions};
pub use exports::{ExportPlan, Exports};
pub use interviews::Interviews;
pub use recovery::Recovery;
pub use reports::Reports;
pub use retention::Forgetting;
pub use reviews::Reviews;
pub use scheduler::Scheduler;
pub use skillbases::{SkillbaseContent, Skillbases};
pub use test_conversations::TestConversations;
pub use unresolved_calls::{Resolution, UnresolvedCalls};
pub use uploads::Uploads;
pub use webhooks::Webhooks;
