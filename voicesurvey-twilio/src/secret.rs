//! What must not be shown.

use std::fmt;

/// A token or a password that does not show itself, in no log and in no message.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it can be sent and compared: there is something, and all of it is visible ASCII, as
    /// in everything that Twilio issues. A line end at the end of a file is what usually is not.
    pub(crate) fn is_plausible(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
