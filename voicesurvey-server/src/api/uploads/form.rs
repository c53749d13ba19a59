//! The multipart body that brings a call list. The file goes to the disk as it arrives.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request};
use axum::http::{StatusCode, header};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use voicesurvey_core::phone_number::Region;
use voicesurvey_files::call_list::Role;

use crate::api::error::ApiError;
use crate::api::extract::LARGEST_JSON_BYTES;
use crate::api::fields::Checks;
use crate::app::App;
use crate::uploads::UploadedFile;

/// What a request may have besides the file: its other fields, boundaries and headers of the parts.
const OVERHEAD: usize = LARGEST_JSON_BYTES + (64 << 10);

/// The longest file name that is kept.
const LONGEST_FILE_NAME: usize = 200;

/// A multipart body that was read to its end.
pub(in crate::api) struct UploadForm {
    pub(in crate::api) file: UploadedFile,
    /// Its length in bytes.
    pub(in crate::api) length: usize,
    /// The field `settings`, where it is wanted.
    pub(in crate::api) settings: Vec<u8>,
}

/// The fields, as far as they have arrived.
#[derive(Default)]
struct Arrived {
    checks: Checks,
    file: Option<(String, File, usize)>,
    settings: Option<Vec<u8>>,
    region: Option<Region>,
    mapping: BTreeMap<Role, String>,
}

impl UploadForm {
    /// Reads the body of a request; `with_settings` if it must have a field `settings` too.
    pub(in crate::api) async fn read(
        mut request: Request,
        app: &App,
        with_settings: bool,
    ) -> Result<Self, ApiError> {
        let limit = app.http.largest_upload_bytes;
        let largest_body = limit.saturating_add(OVERHEAD);
        let announced = request.headers().get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        // Refused before a byte of it is read.
        if announced.is_some_and(|bytes| bytes > largest_body) {
            return Err(ApiError::too_large("the file", limit));
        }
        DefaultBodyLimit::max(largest_body).apply(&mut request);
        let multipart = Multipart::from_request(request, app).await;
        let mut multipart = multipart.map_err(|rejection| {
            let detail = "send the call list as multipart/form-data, in the field 'file'";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            ApiError::new(status, "unsupported_media_type", detail).caused_by(rejection)
        })?;
        let unread = |error| unread(error, limit);
        let mut arrived = Arrived::default();
        while let Some(field) = multipart.next_field().await.map_err(unread)? {
            arrived.take(field, app, with_settings).await?;
        }
        arrived.finish(with_settings)
    }
}

impl Arrived {
    async fn take(
        &mut self,
        field: Field<'_>,
        app: &App,
        with_settings: bool,
    ) -> Result<(), ApiError> {
        let limit = app.http.largest_upload_bytes;
        match field.name() {
            Some("file") if self.file.is_none() => {
                let name = file_name(field.file_name().unwrap_or_default());
                let (content, length) = spool(field, app, limit).await?;
                self.file = Some((name, content, length));
            }
            Some("file") => self.checks.wrong("file", "send one file"),
            Some("settings") if with_settings => {
                self.settings = Some(text("settings", field, limit).await?);
            }
            Some("region") => {
                let region = text("region", field, limit).await?;
                let region = String::from_utf8_lossy(&region);
                self.region = self.checks.parse("region", Some(region.trim()));
            }
            Some("mapping") => {
                let mapping = text("mapping", field, limit).await?;
                self.mapping = read_mapping(&mapping, &mut self.checks);
            }
            name => {
                let name = name.unwrap_or_default().to_owned();
                self.checks.wrong(name, "unknown field");
            }
        }
        Ok(())
    }

    fn finish(mut self, with_settings: bool) -> Result<UploadForm, ApiError> {
        if self.file.is_none() {
            let message = "is required: send the call list in the multipart field 'file'";
            self.checks.wrong("file", message);
        }
        if with_settings && self.settings.is_none() {
            let message =
                "is required: send the campaign as JSON in the multipart field 'settings'";
            self.checks.wrong("settings", message);
        }
        let Some((name, content, length)) = self.file else {
            return Err(self.checks.into());
        };
        self.checks.finish()?;
        Ok(UploadForm {
            file: UploadedFile::new(name, content).read_with(self.region, self.mapping),
            length,
            settings: self.settings.unwrap_or_default(),
        })
    }
}

/// The body did not arrive as a whole.
pub(in crate::api) fn unread(error: MultipartError, limit: usize) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::too_large("the file", limit);
    }
    let detail = "the multipart body cannot be read to its end";
    ApiError::new(StatusCode::BAD_REQUEST, "unreadable_body", detail).caused_by(error)
}

/// Writes the file to the disk as it arrives.
pub(in crate::api) async fn spool(
    mut field: Field<'_>,
    app: &App,
    limit: usize,
) -> Result<(File, usize), ApiError> {
    let file = UploadedFile::create(&app.http.upload_folder).map_err(not_kept)?;
    let mut file = tokio::fs::File::from_std(file);
    let mut length = 0;
    while let Some(part) = field.chunk().await.map_err(|error| unread(error, limit))? {
        length += part.len();
        if length > limit {
            return Err(ApiError::too_large("the file", limit));
        }
        file.write_all(&part).await.map_err(not_kept)?;
    }
    file.flush().await.map_err(not_kept)?;
    Ok((file.into_std().await, length))
}

/// The disk did not take the file.
pub(in crate::api) fn not_kept(error: io::Error) -> ApiError {
    let full = matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    );
    if full {
        let detail = "the server has no room for the file now; upload it later";
        let status = StatusCode::INSUFFICIENT_STORAGE;
        return ApiError::new(status, "no_room", detail).caused_by(error);
    }
    ApiError::internal(error)
}

/// A field that is short.
pub(in crate::api) async fn text(
    name: &str,
    mut field: Field<'_>,
    limit: usize,
) -> Result<Vec<u8>, ApiError> {
    let mut text = Vec::new();
    while let Some(part) = field.chunk().await.map_err(|error| unread(error, limit))? {
        if text.len() + part.len() > LARGEST_JSON_BYTES {
            let what = format!("the field '{name}'");
            return Err(ApiError::too_large(&what, LARGEST_JSON_BYTES));
        }
        text.extend_from_slice(&part);
    }
    Ok(text)
}

/// Reads which column holds what: an object of roles, each with a heading, a letter or a number.
pub(in crate::api) fn read_mapping(text: &[u8], checks: &mut Checks) -> BTreeMap<Role, String> {
    let mut mapping = BTreeMap::new();
    let Ok(Value::Object(given)) = serde_json::from_slice(text) else {
        let message = "use a JSON object such as {\"phone_number\": \"Mobile\", \"name\": \"B\"}";
        checks.wrong("mapping", message);
        return mapping;
    };
    for (name, column) in given {
        let field = format!("mapping.{name}");
        let role: Option<Role> = checks.parse(&field, Some(name.as_str()));
        let column = match column {
            Value::String(column) => Some(column),
            Value::Number(column) => Some(column.to_string()),
            _ => {
                let message = "name the column by its heading, its letter or its number";
                checks.wrong(field, message);
                None
            }
        };
        mapping.extend(role.zip(column));
    }
    mapping
}

/// A file's name without the folders that some browsers send, and without what cannot be shown.
pub(in crate::api) fn file_name(given: &str) -> String {
    let name = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown = name.chars().filter(|letter| !letter.is_control());
    let name: String = shown.take(LONGEST_FILE_NAME).collect();
    if name.is_empty() {
        "call list".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_has_no_folders_and_nothing_that_cannot_be_shown() {
        assert_eq!(file_name("C:\\Users\\me\\list.csv"), "list.csv");
        assert_eq!(file_name("../../etc/pass\nwd"), "passwd");
        assert_eq!(file_name(""), "call list");
    }
}
