#![doc = include_str!("../docs/embedding.md")]

pub use voicesurvey_core::*;

#[cfg(feature = "files")]
pub use voicesurvey_files as files;
#[cfg(feature = "llm")]
pub use voicesurvey_llm as llm;
#[cfg(feature = "postgres")]
pub use voicesurvey_postgres as postgres;
#[cfg(feature = "simulator")]
pub use voicesurvey_simulator as simulator;
#[cfg(feature = "sqlite")]
pub use voicesurvey_sqlite as sqlite;
#[cfg(feature = "twilio")]
pub use voicesurvey_twilio as twilio;
