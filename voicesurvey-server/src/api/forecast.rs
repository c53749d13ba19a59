//! How full the cells of a campaign's quotas are, and what is to be expected of it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use voicesurvey_core::quota::Room;
use voicesurvey_core::quota::forecast::{Forecast, Prospect};
use voicesurvey_core::service::reports::Standing;

/// One cell of the quotas, as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuotaProgressBody {
    /// What people call it.
    name: String,
    /// How many interviews are enough.
    target: u64,
    /// How many were held.
    completed: u64,
    /// Calls in progress with people who are known to be in it.
    in_progress: u64,
    /// People in it who wait for a call.
    waiting: u64,
    /// `open`; `held` while calls in progress hold the last places; or `full`.
    state: &'static str,
}

/// What is to be expected if calls go on as they went so far. What too little is known of is absent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ForecastBody {
    /// When the campaign ends: its target is reached, all cells are full, or everybody on the list has
    /// been dealt with, whatever is known to come first.
    finish_at: Option<DateTime<Utc>>,
    /// When everybody on the list has been dealt with.
    list_finished_at: Option<DateTime<Utc>>,
    /// Hours since the start in which people in the campaign's zone could be called.
    open_hours: Option<f64>,
    /// Calls that were started in each of them.
    calls_per_open_hour: Option<f64>,
    /// Interviews for each call that may have rung.
    completes_per_call: Option<f64>,
    /// Interviews for each person whose case was closed by calling.
    completes_per_contact: Option<f64>,
    /// The target, if there is one.
    target: Option<ProspectBody>,
    /// The cells of the quotas.
    cells: Vec<CellProspectBody>,
}

/// What is to be expected of a cell.
#[derive(Debug, Serialize, ToSchema)]
struct CellProspectBody {
    /// What people call it.
    name: String,
    #[serde(flatten)]
    prospect: ProspectBody,
}

/// What is to be expected of a target.
#[derive(Debug, Serialize, ToSchema)]
struct ProspectBody {
    /// Interviews that are still wanted.
    remaining: u64,
    /// Calls that they take.
    calls_needed: Option<u64>,
    /// People whom they take.
    contacts_needed: Option<u64>,
    /// People who wait or are being called.
    contacts_available: u64,
    /// People who have to be uploaded besides these.
    contacts_missing: Option<u64>,
    /// When the last of the interviews is held.
    finish_at: Option<DateTime<Utc>>,
}

impl From<Prospect> for ProspectBody {
    fn from(prospect: Prospect) -> Self {
        Self {
            remaining: prospect.remaining,
            calls_needed: prospect.calls_needed,
            contacts_needed: prospect.contacts_needed,
            contacts_available: prospect.contacts_available,
            contacts_missing: prospect.contacts_missing,
            finish_at: prospect.finish_at,
        }
    }
}

/// The cells of the campaign's quotas; none without quotas.
pub(super) fn quotas(standing: &Standing) -> Vec<QuotaProgressBody> {
    let settings = standing.campaign.effective_settings();
    let quotas = settings.quotas.as_ref();
    let Some((quotas, places)) = quotas.zip(standing.campaign.places(&standing.counters)) else {
        return Vec::new();
    };
    let cells = quotas.cells.iter().zip(places.cells());
    (0u16..)
        .zip(cells)
        .map(|(index, (cell, place))| QuotaProgressBody {
            name: cell.name.clone(),
            target: place.target,
            completed: place.completed,
            in_progress: place.in_progress,
            waiting: place.waiting,
            state: match places.room_in(index) {
                Room::Open => "open",
                Room::Held => "held",
                Room::Full => "full",
            },
        })
        .collect()
}

/// To so many digits a rate is told.
fn rounded(rate: f64) -> f64 {
    (rate * 10_000.0).round() / 10_000.0
}

/// What is to be expected of the campaign.
pub(super) fn forecast(standing: &Standing) -> ForecastBody {
    let Forecast {
        open_hours,
        calls_per_open_hour,
        completes_per_call,
        completes_per_contact,
        target,
        cells,
        list_finished_at,
        finish_at,
    } = standing.forecast.clone();
    let quotas = standing.campaign.effective_settings().quotas.as_ref();
    let names = quotas.into_iter().flat_map(|quotas| &quotas.cells);
    ForecastBody {
        finish_at,
        list_finished_at,
        open_hours: open_hours.map(rounded),
        calls_per_open_hour: calls_per_open_hour.map(rounded),
        completes_per_call: completes_per_call.map(rounded),
        completes_per_contact: completes_per_contact.map(rounded),
        target: target.map(ProspectBody::from),
        cells: names
            .zip(cells)
            .map(|(cell, prospect)| CellProspectBody {
                name: cell.name.clone(),
                prospect: prospect.into(),
            })
            .collect(),
    }
}
