//! The campaign: what is asked, of whom, when, how fast and how often.

pub mod call_settings;
pub mod retry;
pub mod settings;
pub mod status;

use serde::{Deserialize, Serialize};

pub use call_settings::{CallSettings, MachineDetection, VoicemailPolicy};
pub use retry::{RetryPolicy, RetryRule};
pub use settings::{Budget, CampaignSettings, Pacing, Schedule, SettingsSnapshot};
pub use status::{CampaignEvent, CampaignStatus, InvalidCampaignTransition, PauseReason};

use crate::call_list::Contact;
use crate::gate::Reason;
use crate::id::{CampaignId, CompanyId};
use crate::ports::repositories::CampaignCounters;
use crate::quota::{Cells, Places, QuotaCell};
use crate::skillbase::Skillbase;
use crate::time::Timestamp;

/// A campaign as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// Its identifier.
    pub id: CampaignId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Where it stands.
    pub status: CampaignStatus,
    /// Why no further call is started although it has not ended yet: its target is reached, or its
    /// end date has come. It completes when the calls in progress have ended.
    pub winding_up: Option<Reason>,
    /// Everything that can be edited while it is a draft.
    pub settings: CampaignSettings,
    /// What was frozen when it first started; calls use this and nothing else (row B9).
    pub snapshot: Option<SettingsSnapshot>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it first started.
    pub started_at: Option<Timestamp>,
    /// When it was completed or cancelled.
    pub ended_at: Option<Timestamp>,
    /// Rises by one on every change.
    pub version: u32,
}

impl Campaign {
    /// The settings that calls follow: the frozen ones once there are any.
    pub fn effective_settings(&self) -> &CampaignSettings {
        self.snapshot
            .as_ref()
            .map_or(&self.settings, |snapshot| &snapshot.settings)
    }

    /// Carries out `event`, or says why it cannot happen.
    ///
    /// `version` and `updated_at` move with every transition, so that a store refuses the second
    /// of two people who decided at the same time.
    pub fn on(
        self,
        event: CampaignEvent,
        now: Timestamp,
    ) -> Result<Self, InvalidCampaignTransition> {
        let status = self.status.on(event)?;
        let ended = matches!(
            status,
            CampaignStatus::Completed | CampaignStatus::Cancelled
        );
        let started = matches!(status, CampaignStatus::Running);
        Ok(Self {
            status,
            started_at: self.started_at.or(started.then_some(now)),
            ended_at: ended.then_some(now),
            updated_at: now,
            ..self
        })
    }

    /// Starts no further call, for that reason, and completes when those in progress have ended. The
    /// first reason stays.
    #[must_use]
    pub fn wound_up(self, reason: Reason, now: Timestamp) -> Self {
        Self {
            winding_up: self.winding_up.or(Some(reason)),
            updated_at: now,
            ..self
        }
    }

    /// In which cells of its quotas a person is known to be before anything was asked.
    pub fn cells_of(&self, contact: &Contact) -> Cells {
        let quotas = self.effective_settings().quotas.as_ref();
        quotas.map_or_else(Cells::default, |quotas| quotas.cells_of_contact(contact))
    }

    /// The cells of its quotas; none without quotas.
    pub fn quota_cells(&self) -> &[QuotaCell] {
        let quotas = self.effective_settings().quotas.as_ref();
        quotas.map_or(&[], |quotas| &quotas.cells)
    }

    /// The place of the cell of that name, letter for letter.
    pub fn place_of_cell(&self, name: &str) -> Option<u16> {
        let cells = (0u16..).zip(self.quota_cells());
        let mut named = cells.filter(|(_, cell)| cell.name == name);
        named.next().map(|(place, _)| place)
    }

    /// How many places are left in the cells of its quotas; `None` without quotas.
    pub fn places(&self, counters: &CampaignCounters) -> Option<Places> {
        let quotas = self.effective_settings().quotas.as_ref()?;
        Some(Places::of(quotas, counters))
    }

    /// Whether how many interviews are held of some people is limited.
    pub fn has_quotas(&self) -> bool {
        self.effective_settings().quotas.is_some()
    }

    /// Whether what its calls cost is limited.
    pub fn has_budget(&self) -> bool {
        self.effective_settings().budget.is_some()
    }

    /// Whether calls may be started, as far as the campaign itself is concerned.
    pub fn is_calling(&self) -> bool {
        self.status == CampaignStatus::Running && self.winding_up.is_none()
    }

    /// Freezes the settings, with the skillbase as it is now. Freezing twice changes nothing.
    #[must_use]
    pub fn frozen(self, skillbase: &Skillbase, now: Timestamp) -> Self {
        let snapshot = self.snapshot.unwrap_or_else(|| SettingsSnapshot {
            frozen_at: now,
            skillbase: skillbase.clone(),
            settings: self.settings.clone(),
        });
        Self {
            snapshot: Some(snapshot),
            ..self
        }
    }
}
