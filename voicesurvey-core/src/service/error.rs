//! What a use case can answer instead of doing what was asked.

use crate::api_key::{Actor, Role};
use crate::ports::StorageError;

/// Why a use case was not carried out. Nothing was changed, unless the storage error says that
/// this is not known.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is no such thing, or it belongs to another company: the two look the same (I11).
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// The key's role does not allow it.
    #[error("this needs a key with the role {needed}")]
    Forbidden {
        /// The least role that does.
        needed: Role,
    },
    /// Fields are wrong. All of them are named, not only the first.
    #[error("{}", sentences(.0))]
    Invalid(Vec<FieldError>),
    /// It cannot be done in the present state.
    #[error("{message}")]
    NotAllowed {
        /// A stable name of the reason.
        code: &'static str,
        /// The reason, for people.
        message: String,
    },
    /// The store did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field, as the request names it: `questions[1].text`.
    pub field: String,
    /// What is wrong with it, and what would be right.
    pub message: String,
}

impl FieldError {
    /// Says what is wrong with a field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

fn sentences(errors: &[FieldError]) -> String {
    let sentences: Vec<String> = errors
        .iter()
        .map(|error| format!("{}: {}", error.field, error.message))
        .collect();
    sentences.join("; ")
}

impl ServiceError {
    /// One wrong field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }
}

/// Refuses an actor whose role is not enough.
pub(crate) fn require(actor: &Actor, needed: Role) -> Result<(), ServiceError> {
    if actor.role >= needed {
        Ok(())
    } else {
        Err(ServiceError::Forbidden { needed })
    }
}
