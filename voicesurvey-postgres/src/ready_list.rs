//! The ready list: one narrow row for each company and each campaign (`core::queue` says what they
//! mean), moved by what a unit of work changes.
//!
//! The row of a company is always locked before those of its campaigns, and these before lanes, as
//! the claim does it. The row of a provider account comes last, after counters, although the claim
//! locks it first; [`unit_of_work`](crate::unit_of_work) says why the two get along.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use voicesurvey_core::campaign::{Campaign, Pacing};
use voicesurvey_core::company::{Company, CompanyLimits, CompanyStatus};
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::pace::Pace;
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::queue::QueueLevel;
use voicesurvey_core::time::Timestamp;

use crate::counters::CampaignPlace;
use crate::row::Reader;
use crate::unit_of_work::PostgresUnitOfWork;

/// What a unit of work has still to change in the ready list.
#[derive(Debug, Default)]
pub(crate) struct ReadyListChanges {
    companies: BTreeMap<CompanyId, CompanyChange>,
    providers: BTreeMap<String, GivenBack>,
}

#[derive(Debug, Default)]
struct CompanyChange {
    terms: Option<CompanyTerms>,
    wake_at: Option<Timestamp>,
    campaigns: BTreeMap<CampaignId, CampaignChange>,
}

/// What a company may use, and whether it may call at all.
#[derive(Clone, Copy, Debug)]
struct CompanyTerms {
    limits: CompanyLimits,
    calling: bool,
}

#[derive(Debug, Default)]
struct CampaignChange {
    mode: Option<Mode>,
    given_back: GivenBack,
    /// Only followed when the campaign runs.
    wake_at: Option<Timestamp>,
    next_visit: NextVisit,
}

/// When a campaign is to be visited next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NextVisit {
    /// As the ready list says.
    #[default]
    AsPlanned,
    /// Then, whatever was planned.
    At(Timestamp),
    /// Not before something happens.
    WhenWoken,
}

impl NextVisit {
    const fn instant(self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::AsPlanned | Self::WhenWoken => None,
        }
    }
}

/// What a level has back.
#[derive(Clone, Copy, Debug, Default)]
struct GivenBack {
    /// Lines that are free again.
    lines: i64,
    /// Starts that did not take place, and do not count for the pace.
    starts: i64,
}

impl GivenBack {
    fn add(&mut self, more: Self) {
        self.lines += more.lines;
        self.starts += more.starts;
    }
}

/// Whether a campaign calls, since when, and how fast.
#[derive(Clone, Copy, Debug)]
struct Mode {
    calling: bool,
    since: Timestamp,
    pacing: Pacing,
}

/// Calls of one campaign that were claimed and will not be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnmadeCalls<'a> {
    pub(crate) campaign: CampaignPlace,
    pub(crate) provider: &'a str,
    pub(crate) calls: u32,
    pub(crate) now: Timestamp,
    pub(crate) next_visit: NextVisit,
}

impl ReadyListChanges {
    /// The company has other limits, which may leave more room, or may or may not call.
    pub(crate) fn terms_changed(&mut self, company: &Company) {
        let change = self.companies.entry(company.id).or_default();
        change.terms = Some(CompanyTerms {
            limits: company.limits,
            calling: company.status == CompanyStatus::Active,
        });
        // A company knows no other instant, and any in the past means "at once".
        change.wake(company.created_at);
    }

    /// The campaign was written: it is ready when it calls, and not visited when it does not.
    pub(crate) fn campaign_written(&mut self, campaign: &Campaign) {
        let calling = campaign.is_calling();
        let change = self.companies.entry(campaign.company_id).or_default();
        if calling {
            change.wake(campaign.updated_at);
        }
        change.campaigns.entry(campaign.id).or_default().mode = Some(Mode {
            calling,
            since: campaign.updated_at,
            pacing: campaign.effective_settings().pacing,
        });
    }

    /// Tasks of the campaign can be claimed from `at` on.
    pub(crate) fn tasks_are_due(&mut self, campaign: CampaignPlace, at: Timestamp) {
        earliest(&mut self.campaign(campaign).wake_at, at);
    }

    /// An attempt of the campaign has ended: its line is free again on every level.
    pub(crate) fn line_is_free(&mut self, campaign: CampaignPlace, provider: &str, at: Timestamp) {
        self.companies.entry(campaign.0).or_default().wake(at);
        let change = self.campaign(campaign);
        change.given_back.lines += 1;
        earliest(&mut change.wake_at, at);
        self.provider(provider).lines += 1;
    }

    /// Live calls over that provider account are forgotten.
    pub(crate) fn provider_lines_are_free(&mut self, provider: &str, lines: i64) {
        self.provider(provider).lines += lines;
    }

    /// Calls that a claim has just counted are not made.
    pub(crate) fn calls_are_not_made(&mut self, unmade: UnmadeCalls<'_>) {
        let given_back = GivenBack {
            lines: unmade.calls.into(),
            starts: unmade.calls.into(),
        };
        let company = self.companies.entry(unmade.campaign.0).or_default();
        company.wake(unmade.now);
        let campaign = self.campaign(unmade.campaign);
        campaign.next_visit = unmade.next_visit;
        campaign.given_back.add(given_back);
        self.provider(unmade.provider).add(given_back);
    }

    /// The rows of these companies are locked when the changes are carried out, although nothing in
    /// them changes.
    fn lock(&mut self, companies: BTreeSet<CompanyId>) {
        for company_id in companies {
            self.companies.entry(company_id).or_default();
        }
    }

    fn campaign(&mut self, (company_id, campaign_id): CampaignPlace) -> &mut CampaignChange {
        let company = self.companies.entry(company_id).or_default();
        company.campaigns.entry(campaign_id).or_default()
    }

    fn provider(&mut self, provider: &str) -> &mut GivenBack {
        self.providers.entry(provider.to_owned()).or_default()
    }
}

impl CompanyChange {
    fn wake(&mut self, at: Timestamp) {
        earliest(&mut self.wake_at, at);
    }
}

fn earliest(known: &mut Option<Timestamp>, at: Timestamp) {
    *known = Some(known.map_or(at, |known| known.min(at)));
}

/// What SQL calculates a pace with.
pub(crate) fn interval_and_burst(pace: Pace) -> (Option<i64>, i64) {
    (pace.interval(), i64::from(pace.burst()))
}

/// A row of the ready list.
pub(crate) fn level(row: &Reader<'_>) -> Result<QueueLevel, StorageError> {
    Ok(QueueLevel {
        ready_at: row.instant("ready_at")?,
        in_flight: row.number("in_flight")?,
        max_concurrent_calls: row.number("max_concurrent_calls")?,
        pace: Pace {
            calls_per_minute: row.number("calls_per_minute")?,
            seconds_between_calls: row.number("seconds_between_calls")?,
        },
        arrival: row.get("arrival")?,
    })
}

impl PostgresUnitOfWork {
    /// Carries the changes out, but for those of providers.
    pub(crate) async fn write_ready_list(&mut self) -> Result<(), StorageError> {
        let lanes = self.lanes.companies().collect();
        self.ready_list.lock(lanes);
        for (company_id, change) in std::mem::take(&mut self.ready_list.companies) {
            self.change_company(company_id, &change).await?;
            for (campaign_id, change) in change.campaigns {
                self.change_campaign((company_id, campaign_id), &change)
                    .await?;
            }
        }
        Ok(())
    }

    async fn change_company(
        &mut self,
        company_id: CompanyId,
        change: &CompanyChange,
    ) -> Result<(), StorageError> {
        let campaigns = &change.campaigns;
        let lines: i64 = campaigns.values().map(|one| one.given_back.lines).sum();
        let starts: i64 = campaigns.values().map(|one| one.given_back.starts).sum();
        let woken: Vec<Uuid> = campaigns
            .iter()
            .filter(|(_, campaign)| campaign.wake_at.is_some())
            .map(|(id, _)| id.as_uuid())
            .collect();
        let wake_if_running = campaigns
            .values()
            .filter_map(|campaign| campaign.wake_at)
            .min();
        // Written also when nothing changes: whoever changes lanes holds the row. LEAST passes over
        // nulls.
        let update = sqlx::query(
            "UPDATE company_queue
             SET in_flight = in_flight - $2,
                 arrival = arrival
                     - COALESCE($3 * interval_microseconds, 0) * INTERVAL '1 microsecond',
                 ready_at = CASE WHEN calling THEN
                     LEAST(ready_at, $4, CASE WHEN EXISTS (
                         SELECT FROM campaign_queue
                         WHERE company_id = $1 AND campaign_id = ANY($6) AND running
                     ) THEN $5 END)
                 END
             WHERE company_id = $1",
        )
        .bind(company_id.as_uuid())
        .bind(lines)
        .bind(starts)
        .bind(change.wake_at)
        .bind(wake_if_running)
        .bind(woken);
        self.execute(update).await?;
        match change.terms {
            Some(terms) => self.change_terms(company_id, terms, change.wake_at).await,
            None => Ok(()),
        }
    }

    async fn change_terms(
        &mut self,
        company_id: CompanyId,
        terms: CompanyTerms,
        wake_at: Option<Timestamp>,
    ) -> Result<(), StorageError> {
        let calls_per_minute = terms.limits.calls_per_minute;
        let (interval, burst) = interval_and_burst(Pace::per_minute(calls_per_minute));
        let update = sqlx::query(
            "UPDATE company_queue
             SET calling = $2,
                 ready_at = CASE WHEN $2 THEN LEAST(ready_at, $3) END,
                 max_concurrent_calls = $4,
                 calls_per_minute = $5,
                 interval_microseconds = $6,
                 burst = $7
             WHERE company_id = $1",
        )
        .bind(company_id.as_uuid())
        .bind(terms.calling)
        .bind(wake_at)
        .bind(i64::from(terms.limits.max_concurrent_calls))
        .bind(i64::from(calls_per_minute))
        .bind(interval)
        .bind(burst);
        self.execute(update).await?;
        Ok(())
    }

    async fn change_campaign(
        &mut self,
        campaign: CampaignPlace,
        change: &CampaignChange,
    ) -> Result<(), StorageError> {
        if let Some(mode) = change.mode {
            self.change_mode(campaign, mode).await?;
        }
        let GivenBack { lines, starts } = change.given_back;
        if lines == 0 && change.wake_at.is_none() && change.next_visit == NextVisit::AsPlanned {
            return Ok(());
        }
        let update = sqlx::query(
            "UPDATE campaign_queue
             SET in_flight = in_flight - $3,
                 arrival = arrival
                     - COALESCE($4 * interval_microseconds, 0) * INTERVAL '1 microsecond',
                 ready_at = CASE WHEN running THEN
                     LEAST(CASE WHEN $5 THEN $6 ELSE ready_at END, $7)
                 END
             WHERE company_id = $1 AND campaign_id = $2",
        )
        .bind(campaign.0.as_uuid())
        .bind(campaign.1.as_uuid())
        .bind(lines)
        .bind(starts)
        .bind(change.next_visit != NextVisit::AsPlanned)
        .bind(change.next_visit.instant())
        .bind(change.wake_at);
        self.execute(update).await?;
        Ok(())
    }

    async fn change_mode(
        &mut self,
        (company_id, campaign_id): CampaignPlace,
        mode: Mode,
    ) -> Result<(), StorageError> {
        let Pacing {
            max_concurrent_calls,
            pace,
        } = mode.pacing;
        let (interval, burst) = interval_and_burst(pace);
        let update = sqlx::query(
            "UPDATE campaign_queue
             SET running = $3,
                 ready_at = CASE WHEN $3 THEN $4 END,
                 max_concurrent_calls = $5,
                 calls_per_minute = $6,
                 seconds_between_calls = $7,
                 interval_microseconds = $8,
                 burst = $9
             WHERE company_id = $1 AND campaign_id = $2",
        )
        .bind(company_id.as_uuid())
        .bind(campaign_id.as_uuid())
        .bind(mode.calling)
        .bind(mode.since)
        .bind(i64::from(max_concurrent_calls))
        .bind(i64::from(pace.calls_per_minute))
        .bind(i64::from(pace.seconds_between_calls))
        .bind(interval)
        .bind(burst);
        self.execute(update).await?;
        let forget_windows = sqlx::query(
            "UPDATE campaign_lanes
             SET opens_at = NULL, closes_at = NULL, review_at = CASE WHEN $3 THEN $4 END
             WHERE company_id = $1 AND campaign_id = $2",
        )
        .bind(company_id.as_uuid())
        .bind(campaign_id.as_uuid())
        .bind(mode.calling)
        .bind(mode.since);
        self.execute(forget_windows).await?;
        Ok(())
    }

    /// Gives provider accounts back what is free again. An account without a row is not limited; the
    /// statement runs all the same, because the lock that it takes on the table is what somebody who
    /// limits the account waits for before counting.
    pub(crate) async fn write_providers(&mut self) -> Result<(), StorageError> {
        for (provider, given_back) in std::mem::take(&mut self.ready_list.providers) {
            let update = sqlx::query(
                "UPDATE provider_queue
                 SET in_flight = in_flight - $2,
                     arrival = arrival
                         - COALESCE($3 * interval_microseconds, 0) * INTERVAL '1 microsecond'
                 WHERE provider = $1",
            )
            .bind(provider)
            .bind(given_back.lines)
            .bind(given_back.starts);
            self.execute(update).await?;
        }
        Ok(())
    }
}
