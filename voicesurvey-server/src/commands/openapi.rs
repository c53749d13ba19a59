//! `voicesurvey openapi`.

use super::{CommandError, print};
use crate::api;

/// Prints the document that a server serves at `/api/openapi.json`.
pub(super) fn run() -> Result<(), CommandError> {
    print(&api::openapi_json())
}
