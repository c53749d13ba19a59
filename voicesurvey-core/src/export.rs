//! Exports: files made of a campaign's records, and who has asked for which.
//!
//! Every export leaves a row, also one that was sent while it was written: it says who took which
//! people's data away, and when. The contents of those that are fetched later stand beside it in
//! pieces, until they expire.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::api_key::ApiKeyHash;
use crate::contact_record::{ContactFilter, RecordParts};
use crate::id::{ApiKeyId, CampaignId, CompanyId, ExportId};
use crate::rates::Thresholds;
use crate::time::Timestamp;

/// Declares an enum whose variants have names in the API, in files and in stores.
macro_rules! named {
    ($(#[doc = $doc:literal])+ $type:ident, $unknown:ident, $what:literal, $choices:literal {
        $($(#[doc = $variant_doc:literal])+ $variant:ident = $name:literal,)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $type {
            $($(#[doc = $variant_doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name used in the API, in files and in stores.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        #[doc = concat!("The text names no ", $what, ".")]
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[error("unknown {} '{}': use {}", $what, .0, $choices)]
        pub struct $unknown(pub String);

        impl FromStr for $type {
            type Err = $unknown;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut all = Self::ALL.iter().copied();
                all.find(|one| one.name() == text)
                    .ok_or_else(|| $unknown(text.to_owned()))
            }
        }
    };
}

named! {
    /// What the rows of a file are.
    ExportKind, UnknownExportKind, "kind",
    "results, answers, attempts, dispositions, transcripts or codebook" {
        /// One person each, the answers side by side.
        Results = "results",
        /// One answer each, with its evidence.
        Answers = "answers",
        /// One call each.
        Attempts = "attempts",
        /// One person each, with what the case came to.
        Dispositions = "dispositions",
        /// One turn of a conversation each.
        Transcripts = "transcripts",
        /// One column of the other files each, and one for each answer it can hold.
        Codebook = "codebook",
    }
}

named! {
    /// How a file is written.
    ExportFormat, UnknownExportFormat, "format", "csv, xlsx or parquet" {
        /// Text, for everything.
        Csv = "csv",
        /// A workbook, for Excel.
        Xlsx = "xlsx",
        /// Typed columns, for programs.
        Parquet = "parquet",
    }
}

named! {
    /// What stands between the cells of a row of CSV.
    Delimiter, UnknownDelimiter, "delimiter", "',', ';' or tab" {
        /// A comma: for programs, and for spreadsheets where decimals have a point.
        Comma = ",",
        /// A semicolon: for spreadsheets where decimals have a comma.
        Semicolon = ";",
        /// A tab.
        Tab = "tab",
    }
}

named! {
    /// How far an export has come.
    ExportState, UnknownExportState, "state of an export",
    "streamed, waiting, running, done, failed or expired" {
        /// It was sent while it was written; nothing of it is kept.
        Streamed = "streamed",
        /// Nobody writes it yet.
        Waiting = "waiting",
        /// It is being written.
        Running = "running",
        /// It can be fetched.
        Done = "done",
        /// It could not be written.
        Failed = "failed",
        /// Its contents were removed.
        Expired = "expired",
    }
}

impl ExportKind {
    /// What of the records it is made of, without thresholds.
    const fn parts(self) -> RecordParts {
        match self {
            Self::Dispositions | Self::Codebook => RecordParts::ATTEMPTS,
            Self::Results | Self::Attempts => RecordParts {
                interviews: true,
                consents: true,
                ..RecordParts::ATTEMPTS
            },
            Self::Answers => RecordParts {
                interviews: true,
                revisions: true,
                ..RecordParts::ATTEMPTS
            },
            Self::Transcripts => RecordParts {
                interviews: true,
                turns: true,
                ..RecordParts::ATTEMPTS
            },
        }
    }

    /// Whether it holds data of people, and not of the survey only.
    pub const fn has_people(self) -> bool {
        !matches!(self, Self::Codebook)
    }

    /// Whether the columns of the call lists stand in it.
    pub const fn has_list_columns(self) -> bool {
        matches!(self, Self::Results | Self::Codebook)
    }
}

impl ExportFormat {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportOrder {
    /// What the rows are.
    pub kind: ExportKind,
    /// How they are written.
    pub format: ExportFormat,
    /// What stands between the cells of CSV; other formats have no use for it.
    pub delimiter: Delimiter,
    /// Whose they are.
    pub filter: ContactFilter,
    /// Where partial and complete interviews begin; only dispositions look at them.
    pub thresholds: Thresholds,
}

/// The part of an order that stores keep as one document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportConditions {
    /// Whose rows they are.
    #[serde(flatten)]
    pub filter: ContactFilter,
    /// Where partial and complete interviews begin.
    #[serde(default)]
    pub thresholds: Thresholds,
}

impl ExportOrder {
    /// What stores keep as one document.
    pub fn conditions(&self) -> ExportConditions {
        ExportConditions {
            filter: self.filter.clone(),
            thresholds: self.thresholds,
        }
    }

    /// What of the records the file is made of.
    pub const fn parts(&self) -> RecordParts {
        let parts = self.kind.parts();
        RecordParts {
            interviews: parts.interviews
                || matches!(self.kind, ExportKind::Dispositions) && self.thresholds.are_given(),
            ..parts
        }
    }

    /// The order with the names of the columns that it filters by, and not the values.
    #[must_use]
    fn without_values(mut self) -> Self {
        for value in self.filter.columns.values_mut() {
            value.clear();
        }
        self
    }
}

/// How much of a file has been written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// People whose records have been read.
    pub people: u64,
    /// Rows, without the header.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A file that somebody has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its identifier.
    pub id: ExportId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// The campaign it is made of.
    pub campaign_id: CampaignId,
    /// What it holds.
    pub order: ExportOrder,
    /// Who asked for it.
    pub requested_by: ApiKeyId,
    /// The hash of the secret in its link; absent of one that was streamed.
    pub link: Option<ApiKeyHash>,
    /// How far it has come.
    pub state: ExportState,
    /// How often it was begun. Whoever writes an earlier run than this one writes no more.
    pub run: u16,
    /// How many of these do not count, because the file was [withdrawn](Export::withdrawn) and had to
    /// be begun anew.
    pub excused: u16,
    /// While it is written: when it is begun anew if nothing is heard of it.
    pub lease_until: Option<Timestamp>,
    /// How much of it is there.
    pub written: Written,
    /// In how many pieces its contents are kept, numbered from 0.
    pub pieces: u32,
    /// Why it could not be written, for people.
    pub failure: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was finished or given up.
    pub ended_at: Option<Timestamp>,
    /// When its contents are removed.
    pub expires_at: Option<Timestamp>,
    /// How often its contents were asked for by its link.
    pub fetches: u32,
    /// When they were last.
    pub last_fetched_at: Option<Timestamp>,
}

impl Export {
    /// How often a file is begun before it is given up.
    pub const RUNS: u16 = 3;

    /// Whether it was begun as often as it may be, and once more.
    pub const fn was_begun_too_often(&self) -> bool {
        self.run.saturating_sub(self.excused) > Self::RUNS
    }

    /// Whether the contents are gone, or as good as gone.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.state == ExportState::Expired || self.expires_at.is_some_and(|at| at <= now)
    }

    /// The export as whoever has claimed it begins to write it: nothing of it is there.
    #[must_use]
    pub fn begun(self, lease_until: Timestamp) -> Self {
        Self {
            state: ExportState::Running,
            run: self.run + 1,
            lease_until: Some(lease_until),
            written: Written::default(),
            pieces: 0,
            ..self
        }
    }

    /// The export when somebody of its campaign is forgotten. What is being written is to be begun
    /// anew, and whoever writes it writes no more; what is finished expires at once; what waits has
    /// read nobody's records. Of what has ended remain the names of the columns that it was filtered
    /// by, and not the values: these may be somebody's.
    #[must_use]
    pub fn withdrawn(self) -> Self {
        match self.state {
            ExportState::Waiting => self,
            ExportState::Running | ExportState::Done if !self.order.kind.has_people() => self,
            ExportState::Running => Self {
                state: ExportState::Waiting,
                run: self.run + 1,
                // This run, and the one that only makes the writer's the earlier one.
                excused: self.excused + 2,
                lease_until: None,
                written: Written::default(),
                pieces: 0,
                ..self
            },
            ExportState::Done => self.expired(),
            ExportState::Streamed | ExportState::Failed | ExportState::Expired => Self {
                order: self.order.without_values(),
                ..self
            },
        }
    }

    /// The export when its contents are gone, and with them the values that it was filtered by.
    #[must_use]
    pub fn expired(self) -> Self {
        Self {
            state: ExportState::Expired,
            order: self.order.without_values(),
            ..self
        }
    }

    /// The export when all of it is there. One that is kept expires then.
    #[must_use]
    pub fn finished(self, now: Timestamp, expires_at: Option<Timestamp>) -> Self {
        let is_streamed = self.state == ExportState::Streamed;
        Self {
            state: if is_streamed {
                ExportState::Streamed
            } else {
                ExportState::Done
            },
            lease_until: None,
            ended_at: Some(now),
            expires_at,
            ..self
        }
    }

    /// The export when it is given up.
    #[must_use]
    pub fn failed(self, why: &str, now: Timestamp) -> Self {
        Self {
            state: ExportState::Failed,
            lease_until: None,
            failure: Some(why.to_owned()),
            ended_at: Some(now),
            pieces: 0,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Orders that were stored when there were no thresholds and no cells have none.
    #[test]
    fn conditions_read_back_and_older_ones_too() {
        let older = r#"{"columns":{"city":"Roma"},"from":null,"language":"it"}"#;
        let older: ExportConditions = serde_json::from_str(older).unwrap();
        assert_eq!(older.thresholds, Thresholds::default());
        assert_eq!(older.filter.columns["city"], "Roma");
        let share = |text: &str| text.parse().ok();
        let conditions = ExportConditions {
            thresholds: Thresholds::new(share("0.500"), share("0.8")).unwrap(),
            ..older
        };
        let stored = serde_json::to_string(&conditions).unwrap();
        assert_eq!(serde_json::from_str(&stored).ok(), Some(conditions));
    }

    #[test]
    fn names_read_back_and_others_are_told_the_choices() {
        for &kind in ExportKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        for &format in ExportFormat::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        for &delimiter in Delimiter::ALL {
            assert_eq!(delimiter.name().parse(), Ok(delimiter));
        }
        for &state in ExportState::ALL {
            assert_eq!(state.name().parse(), Ok(state));
        }
        let unknown = "everything".parse::<ExportKind>().unwrap_err().to_string();
        assert_eq!(
            unknown,
            "unknown kind 'everything': use results, answers, attempts, dispositions, transcripts \
             or codebook"
        );
    }
}
