//! `voicesurvey openapi`.

use super::{CommandError, print};
use crate::api;

/// Prints the document that a server serves at `/api/openapi.json`.
pub(super) fn run() -> Result<(), CommandError> {
    let document = api::openapi().to_pretty_json();
    print(&document.map_err(|error| CommandError::Output(error.into()))?)
}
