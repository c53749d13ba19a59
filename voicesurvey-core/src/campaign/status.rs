//! Where a campaign stands, and the one function that moves it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a campaign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignStatus {
    /// Being prepared; nobody is called.
    Draft,
    /// Starts by itself when its time comes.
    Scheduled,
    /// People are being called.
    Running,
    /// Nobody new is called; calls in progress end by themselves.
    Paused(PauseReason),
    /// Every task has ended.
    Completed,
    /// Given up; what was not called will not be.
    Cancelled,
}

/// Why a campaign is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// Somebody paused it.
    User,
    /// Too many calls in a row failed after the provider had taken them.
    ProviderFailure,
    /// The provider took none of the last calls, or could not be reached.
    ProviderDown,
    /// The provider refuses our credentials or our caller id.
    ProviderConfiguration,
    /// The budget is used up.
    Budget,
    /// Today is outside its dates.
    OutsideDates,
}

/// What can happen to a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CampaignEvent {
    /// It shall start by itself later.
    Schedule,
    /// It shall run now.
    Start,
    /// It shall stop calling for a while.
    Pause(PauseReason),
    /// It shall go on.
    Resume,
    /// It is given up.
    Cancel,
    /// Its last task has ended.
    Finish,
}

impl CampaignEvent {
    /// Every event, for tables and tests.
    pub const ALL: [Self; 6] = [
        Self::Schedule,
        Self::Start,
        Self::Pause(PauseReason::User),
        Self::Resume,
        Self::Cancel,
        Self::Finish,
    ];

    /// The event's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Start => "start",
            Self::Pause(_) => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Finish => "finish",
        }
    }
}

/// The event cannot happen to a campaign that stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCampaignTransition {
    /// Where the campaign stands.
    pub from: CampaignStatus,
    /// What was asked of it.
    pub event: CampaignEvent,
}

impl fmt::Display for InvalidCampaignTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.event.name();
        match (self.from, self.event) {
            (CampaignStatus::Running, CampaignEvent::Start | CampaignEvent::Resume) => {
                f.write_str("Campaign is already running")
            }
            (CampaignStatus::Scheduled, CampaignEvent::Schedule) => {
                f.write_str("Campaign is already scheduled")
            }
            (CampaignStatus::Paused(_), CampaignEvent::Pause(_)) => {
                f.write_str("Campaign is already paused")
            }
            (from, _) => write!(f, "a {from} campaign cannot {event}"),
        }
    }
}

impl std::error::Error for InvalidCampaignTransition {}

impl CampaignStatus {
    /// One of each, for tables and tests.
    pub const ALL: [Self; 6] = [
        Self::Draft,
        Self::Scheduled,
        Self::Running,
        Self::Paused(PauseReason::User),
        Self::Completed,
        Self::Cancelled,
    ];

    /// Where `event` leads.
    pub fn on(self, event: CampaignEvent) -> Result<Self, InvalidCampaignTransition> {
        use CampaignEvent as E;
        match (self, event) {
            (Self::Draft, E::Schedule) => Ok(Self::Scheduled),
            (Self::Draft | Self::Scheduled | Self::Paused(_), E::Start)
            | (Self::Paused(_), E::Resume) => Ok(Self::Running),
            (Self::Running, E::Pause(reason)) => Ok(Self::Paused(reason)),
            (Self::Draft | Self::Scheduled | Self::Running | Self::Paused(_), E::Cancel) => {
                Ok(Self::Cancelled)
            }
            (Self::Running | Self::Paused(_), E::Finish) => Ok(Self::Completed),
            _ => Err(InvalidCampaignTransition { from: self, event }),
        }
    }

    /// Whether it can be edited freely: nobody has been called yet.
    pub const fn is_editable(self) -> bool {
        matches!(self, Self::Draft | Self::Scheduled)
    }

    /// Whether it has ended for good.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }

    /// The name used in the API and in stores; the pause reason is kept beside it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Paused(_) => "paused",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Why it is paused, if it is.
    pub const fn pause_reason(self) -> Option<PauseReason> {
        match self {
            Self::Paused(reason) => Some(reason),
            _ => None,
        }
    }

    /// The status of that name and pause reason; `None` when they do not belong together.
    pub fn from_names(name: &str, pause_reason: Option<&str>) -> Option<Self> {
        let reason = pause_reason.map(PauseReason::from_name);
        Self::ALL
            .into_iter()
            .find(|status| status.name() == name)
            .and_then(|status| match (status, reason) {
                (Self::Paused(_), Some(Some(reason))) => Some(Self::Paused(reason)),
                (Self::Paused(_), _) | (_, Some(_)) => None,
                (status, None) => Some(status),
            })
    }
}

impl fmt::Display for CampaignStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no status of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown status '{0}': use draft, scheduled, running, paused, completed or cancelled")]
pub struct UnknownCampaignStatus(pub String);

impl FromStr for CampaignStatus {
    type Err = UnknownCampaignStatus;

    /// Reads a name; `paused` reads as paused by a user.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.name() == text)
            .ok_or_else(|| UnknownCampaignStatus(text.to_owned()))
    }
}

impl PauseReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::User,
        Self::ProviderFailure,
        Self::ProviderDown,
        Self::ProviderConfiguration,
        Self::Budget,
        Self::OutsideDates,
    ];

    /// The name used in the API and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ProviderFailure => "provider_failure",
            Self::ProviderDown => "provider_down",
            Self::ProviderConfiguration => "provider_configuration",
            Self::Budget => "budget",
            Self::OutsideDates => "outside_dates",
        }
    }

    /// A sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::User => "Somebody paused it.",
            Self::ProviderFailure => "Too many calls in a row failed at the telephony provider.",
            Self::ProviderDown => "The telephony provider took none of the last calls.",
            Self::ProviderConfiguration => {
                "The telephony provider refuses our credentials or our caller id."
            }
            Self::Budget => "The budget does not allow one more call.",
            Self::OutsideDates => "Today is outside the campaign's dates.",
        }
    }

    /// The reason of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn every_status_with_every_event() {
        let mut table = String::new();
        for status in CampaignStatus::ALL {
            for event in CampaignEvent::ALL {
                let to = status.on(event).map_or("-".to_owned(), |to| to.to_string());
                writeln!(table, "{:<10} + {:<9} -> {to}", status.name(), event.name()).unwrap();
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn names_read_back_with_their_reasons() {
        for status in CampaignStatus::ALL {
            let reason = status.pause_reason().map(PauseReason::name);
            assert_eq!(
                CampaignStatus::from_names(status.name(), reason),
                Some(status)
            );
        }
        assert_eq!(CampaignStatus::from_names("paused", None), None);
        assert_eq!(CampaignStatus::from_names("running", Some("user")), None);
    }
}
