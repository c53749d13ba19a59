//! Dry runs of campaigns as they stand in the store.
//!
//! Nothing in the store is changed: contacts are read page by page in short units of work, and what
//! happens to them happens to copies in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::company::Company;
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::repositories::{CallTaskFilter, CampaignCounters};
use voicesurvey_core::ports::{PageRequest, Scope, Storage, StorageError};
use voicesurvey_core::skillbase::Skillbase;
use voicesurvey_core::time::{Clock, SystemClock, Timestamp};
use voicesurvey_simulator::dry_run::{
    DryRun, DryRunError, DryRunPlan, DryRunReport, DryRunSettings, MOST_CONTACTS,
};

/// Longer than this no dry run takes, reading included.
const LONGEST: TimeDelta = TimeDelta::minutes(10);

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum DryRunFailure {
    /// There is no such campaign, or it is somebody else's.
    #[error("the campaign does not exist")]
    NoCampaign,
    /// The campaign cannot be tried out.
    #[error(transparent)]
    DryRun(#[from] DryRunError),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The thread ended without an answer, which is a bug.
    #[error("the dry run broke off")]
    BrokeOff(#[source] tokio::task::JoinError),
}

/// What the store knows of the campaign, apart from its contacts.
struct Stored {
    company: Company,
    campaign: Campaign,
    skillbase: Skillbase,
    counters: CampaignCounters,
}

/// Tells the dry run to stop when nobody waits for it any more.
struct StopWhenDropped(Arc<AtomicBool>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Tries a campaign out on a thread of its own, as if it were started or resumed at `now`. `held` is
/// kept until that thread has ended, also if nobody waits for it any more.
pub async fn try_out(
    storage: Arc<dyn Storage>,
    scope: Scope,
    campaign_id: CampaignId,
    settings: DryRunSettings,
    now: Timestamp,
    held: impl Send + 'static,
) -> Result<DryRunReport, DryRunFailure> {
    let deadline = SystemClock.now() + LONGEST;
    let stopped = Arc::new(AtomicBool::new(false));
    let _stop = StopWhenDropped(stopped.clone());
    let keep_going = move || !stopped.load(Ordering::Relaxed) && SystemClock.now() < deadline;
    let runtime = tokio::runtime::Handle::current();
    let thread = tokio::task::spawn_blocking(move || {
        let _held = held;
        runtime.block_on(async {
            let stored = find(&*storage, scope, campaign_id).await?;
            let dry_run = prepare(&*storage, &stored, settings, now, &keep_going).await?;
            Ok(dry_run.run(keep_going).await?)
        })
    });
    thread.await.map_err(DryRunFailure::BrokeOff)?
}

async fn find(
    storage: &dyn Storage,
    scope: Scope,
    campaign_id: CampaignId,
) -> Result<Stored, DryRunFailure> {
    let mut work = storage.begin(scope).await?;
    let campaign = work.campaigns().get(campaign_id).await?;
    let campaign = campaign.ok_or(DryRunFailure::NoCampaign)?;
    let company = work.companies().get(campaign.company_id).await?;
    let company = company.ok_or(DryRunFailure::NoCampaign)?;
    let skillbase_id = campaign.settings.skillbase_id;
    let skillbase = work.skillbases().get(skillbase_id).await?;
    let skillbase = skillbase.ok_or_else(|| StorageError::Corrupt {
        table: "campaigns",
        what: format!("campaign {campaign_id} names a skillbase that is gone"),
    })?;
    let counters = work.campaigns().counters(campaign_id).await?;
    Ok(Stored {
        company,
        campaign,
        skillbase,
        counters,
    })
}

/// The dry run with all contacts that are still to be called.
async fn prepare(
    storage: &dyn Storage,
    stored: &Stored,
    settings: DryRunSettings,
    now: Timestamp,
    keep_going: impl Fn() -> bool,
) -> Result<DryRun, DryRunFailure> {
    let Stored {
        company,
        campaign,
        skillbase,
        counters,
    } = stored;
    // Known before a million rows are read.
    if counters.open_tasks() > MOST_CONTACTS as u64 {
        return Err(DryRunError::TooManyContacts.into());
    }
    let plan = DryRunPlan {
        company,
        campaign,
        skillbase,
        counters,
        provider_limits: None,
        now,
    };
    let mut dry_run = DryRun::new(plan, settings).await?;
    let mut page = PageRequest::first(PageRequest::LARGEST);
    loop {
        if !keep_going() {
            return Err(DryRunError::Interrupted.into());
        }
        page.after = add_page(storage, company.id, campaign.id, &page, &mut dry_run).await?;
        if page.after.is_none() {
            return Ok(dry_run);
        }
    }
}

/// Adds one page of contacts, and says where the next begins.
async fn add_page(
    storage: &dyn Storage,
    company_id: CompanyId,
    campaign_id: CampaignId,
    page: &PageRequest,
    dry_run: &mut DryRun,
) -> Result<Option<String>, DryRunFailure> {
    let filter = CallTaskFilter {
        campaign_id: Some(campaign_id),
        ..CallTaskFilter::default()
    };
    let mut work = storage.begin(Scope::Company(company_id)).await?;
    let tasks = work.call_tasks().list(&filter, page).await?;
    let numbers = tasks.rows.iter().map(|task| task.contact.phone_number);
    let numbers: Vec<PhoneNumber> = numbers.collect();
    let excluded = work.exclusions().among(&numbers).await?;
    drop(work);
    dry_run.add(&tasks.rows, &excluded).await?;
    Ok(tasks.next)
}
