//! What is said of an upload.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use voicesurvey_core::call_list::{Preview, RowError, Upload, UploadStatus};
use voicesurvey_core::phone_number::Region;
use voicesurvey_files::call_list::{Found, FoundBy, FoundColumn, OtherSheet, Role};

use crate::api::contacts::ContactDataBody;

/// What became of an upload.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct UploadBody {
    /// Its identifier; absent in a preview.
    upload_id: Option<Uuid>,
    /// The name of the file; empty if it is not kept any longer.
    file_name: String,
    /// Rows in the file, without the header.
    total_rows: u64,
    /// People who were added.
    created: u64,
    /// Rows whose number stood further up in the file.
    duplicates_in_list: u64,
    /// Rows whose number was already in the campaign.
    duplicates_in_campaign: u64,
    /// Of those who were added, how many are on the exclusion list and will not be called.
    excluded: u64,
    /// Rows of people whom the company has erased. Nothing of them is kept.
    erased: u64,
    /// Rows that were not taken.
    errors_count: u64,
    /// The first 100 of them.
    errors: Vec<RowErrorBody>,
    /// Where all of them can be downloaded, to be mended and uploaded again.
    error_file_url: Option<String>,
    /// People in the campaign now; in a preview, who would be.
    total_tasks: u64,
}

/// A row that was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct RowErrorBody {
    /// Its number in the file; the header is row 1.
    row: u64,
    /// The column at fault.
    column: String,
    /// What stands there.
    value: String,
    /// What is wrong with it.
    reason: String,
    /// All of that in a sentence.
    message: String,
}

impl From<RowError> for RowErrorBody {
    fn from(error: RowError) -> Self {
        Self {
            message: error.message(),
            row: error.row,
            column: error.column,
            value: error.value,
            reason: error.reason,
        }
    }
}

impl UploadBody {
    /// An upload with the first of its errors.
    pub(in crate::api) fn new(upload: Upload, errors: Vec<RowError>, total_tasks: u64) -> Self {
        let url = format!(
            "/api/campaigns/{}/uploads/{}/errors",
            upload.campaign_id, upload.id
        );
        Self {
            upload_id: Some(upload.id.as_uuid()),
            total_rows: upload.total_rows,
            created: upload.created,
            duplicates_in_list: upload.duplicates_in_list,
            duplicates_in_campaign: upload.duplicates_in_campaign,
            excluded: upload.excluded,
            erased: upload.erased,
            errors_count: upload.errors_count,
            error_file_url: (upload.errors_count > 0).then_some(url),
            errors: errors.into_iter().map(RowErrorBody::from).collect(),
            total_tasks,
            file_name: upload.file_name,
        }
    }
}

/// An upload that can be watched. Until it is done nobody was added, and the counts are 0.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UploadStateBody {
    /// `running`, `done`, `failed` or `cancelled`; nobody was added by one that failed or was
    /// cancelled.
    status: &'static str,
    /// Why it failed.
    failure: Option<String>,
    /// How much of the work is done, from 0 to 100.
    percent: u8,
    /// Rows that were looked at, after the file was read once to its end.
    rows_read: u64,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    result: UploadBody,
}

impl UploadStateBody {
    /// An upload with the first of its errors.
    pub(super) fn new(upload: Upload, errors: Vec<RowError>, total_tasks: u64) -> Self {
        let is_over = upload.status != UploadStatus::Running;
        Self {
            status: upload.status.name(),
            failure: upload.failure.clone(),
            percent: upload.percent,
            rows_read: upload.rows_read,
            started_at: upload.created_at,
            ended_at: is_over.then_some(upload.updated_at),
            result: UploadBody::new(upload, errors, total_tasks),
        }
    }
}

/// What an upload would do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewBody {
    #[serde(flatten)]
    result: UploadBody,
    /// The first contacts as they would be stored.
    contacts: Vec<ContactDataBody>,
    /// Of those who would be added, how many have a number of which country.
    #[schema(value_type = BTreeMap<String, u64>)]
    countries: BTreeMap<Region, u64>,
    /// How many have a number that belongs to no country.
    without_country: u64,
    /// How many are surely in which time zone.
    time_zones: BTreeMap<&'static str, u64>,
    /// How many may be in several time zones; they are called when it is open in all of them.
    in_several_time_zones: u64,
    /// How many are in a zone that nobody knows; they are called in the campaign's.
    without_time_zone: u64,
    /// What the file is, and what its columns are taken for.
    found: Option<FoundBody>,
}

impl PreviewBody {
    /// A preview of a campaign that has so many people now.
    pub(super) fn new(
        file_name: String,
        preview: Preview,
        found: Option<&Found>,
        total_tasks: u64,
    ) -> Self {
        let mut regions = preview.regions;
        let without_country = regions.remove(&None).unwrap_or(0);
        Self {
            result: UploadBody {
                upload_id: None,
                file_name,
                total_rows: preview.total_rows,
                created: preview.created,
                duplicates_in_list: preview.duplicates_in_list,
                duplicates_in_campaign: preview.duplicates_in_campaign,
                excluded: preview.excluded,
                erased: preview.erased,
                errors_count: preview.errors_count,
                errors: preview.errors.into_iter().map(RowErrorBody::from).collect(),
                error_file_url: None,
                total_tasks: total_tasks + preview.created,
            },
            contacts: preview
                .contacts
                .into_iter()
                .map(ContactDataBody::from)
                .collect(),
            countries: regions
                .into_iter()
                .filter_map(|(region, count)| Some((region?, count)))
                .collect(),
            without_country,
            time_zones: preview.time_zones,
            in_several_time_zones: preview.in_several_time_zones,
            without_time_zone: preview.without_time_zone,
            found: found.map(FoundBody::from),
        }
    }
}

/// What a file is, and what its columns are taken for.
#[derive(Debug, Serialize, ToSchema)]
struct FoundBody {
    /// `csv`, `lines`, `xlsx` or `xls`.
    format: &'static str,
    /// How its text is encoded; absent for a workbook.
    encoding: Option<String>,
    /// What stands between the cells; absent for a workbook and for lines.
    delimiter: Option<String>,
    /// The sheet that is read; absent for text.
    sheet: Option<String>,
    /// The other sheets, which are not read.
    other_sheets: Vec<OtherSheetBody>,
    /// What stands above the header, and is not read.
    rows_above_header: Vec<String>,
    /// The row of the header; absent when there is none.
    header_row: Option<u64>,
    /// Each column, in its order.
    columns: Vec<FoundColumnBody>,
}

/// A sheet that is not read.
#[derive(Debug, Serialize, ToSchema)]
struct OtherSheetBody {
    /// Its name.
    name: String,
    /// `hidden`, `empty`, or `further` for one after the sheet that is read.
    reason: &'static str,
}

/// What a column is taken for.
#[derive(Debug, Serialize, ToSchema)]
struct FoundColumnBody {
    /// Its letter in a spreadsheet.
    letter: String,
    /// Its heading, or the name that was made for it.
    name: String,
    /// What it is taken for; absent when it is kept as contact data.
    role: Option<&'static str>,
    /// `mapping`, `heading` or `cells`: what says so.
    found_by: Option<&'static str>,
}

impl From<&Found> for FoundBody {
    fn from(found: &Found) -> Self {
        Self {
            format: found.format.name(),
            encoding: found.encoding.clone(),
            delimiter: found.delimiter.map(String::from),
            sheet: found.sheet.clone(),
            other_sheets: found
                .other_sheets
                .iter()
                .map(OtherSheetBody::from)
                .collect(),
            rows_above_header: found.rows_above_header.clone(),
            header_row: found.header_row,
            columns: found.columns.iter().map(FoundColumnBody::from).collect(),
        }
    }
}

impl From<&OtherSheet> for OtherSheetBody {
    fn from(sheet: &OtherSheet) -> Self {
        Self {
            name: sheet.name.clone(),
            reason: sheet.reason,
        }
    }
}

impl From<&FoundColumn> for FoundColumnBody {
    fn from(column: &FoundColumn) -> Self {
        Self {
            letter: column.letter.clone(),
            name: column.name.clone(),
            role: column.role.map(Role::name),
            found_by: column.found_by.map(FoundBy::name),
        }
    }
}
