//! The HTTP side.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use super::error::WrongSetting;

const MEBIBYTE: usize = 1024 * 1024;
const SHORTEST_TOKEN: usize = 16;

/// The section `http`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// The largest call list that is taken.
    pub largest_upload_mebibytes: u16,
    /// The folder for files that are being uploaded; empty is the system's for temporary files.
    pub upload_folder: PathBuf,
    /// The operator's token; empty for none.
    pub operator_token: OperatorToken,
}

impl HttpConfig {
    pub(super) fn check(&self) -> Result<(), WrongSetting> {
        if !(1..=4096).contains(&self.largest_upload_mebibytes) {
            let expected = "a number from 1 to 4096";
            return Err(WrongSetting::new("http.largest_upload_mebibytes", expected));
        }
        if !self.upload_folder().is_dir() {
            let expected = "an existing folder, or nothing for the system's temporary one";
            return Err(WrongSetting::new("http.upload_folder", expected));
        }
        if self
            .operator_token
            .reveal()
            .is_some_and(|token| token.len() < SHORTEST_TOKEN)
        {
            let expected = format!("nothing, or at least {SHORTEST_TOKEN} characters");
            return Err(WrongSetting::new("http.operator_token", expected));
        }
        Ok(())
    }

    /// The folder for files that are being uploaded.
    pub fn upload_folder(&self) -> PathBuf {
        if self.upload_folder.as_os_str().is_empty() {
            std::env::temp_dir()
        } else {
            self.upload_folder.clone()
        }
    }

    /// The largest call list that is taken, in bytes.
    pub fn largest_upload_bytes(&self) -> usize {
        usize::from(self.largest_upload_mebibytes) * MEBIBYTE
    }
}

/// A bearer token, or none. Does not show itself.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct OperatorToken(String);

impl OperatorToken {
    /// The token, if there is one.
    pub fn reveal(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|token| !token.is_empty())
    }
}

impl fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() {
            "OperatorToken(none)"
        } else {
            "OperatorToken(…)"
        })
    }
}
