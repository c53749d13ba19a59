//! Starting a demo: the server with the demo's clock and people, and whatever an earlier run has
//! not made yet.
//!
//! The invariant: what is made is noted at once, so that a run that is killed here goes on too. At
//! worst a company without campaign stays behind.

use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::TimeDelta;
use tokio::net::TcpListener;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::id::{CampaignId, IdGenerator};
use voicesurvey_core::ports::{Scope, Storage, StorageError};
use voicesurvey_core::service::EngineSettings;
use voicesurvey_core::time::{Clock as _, Timestamp};
use voicesurvey_simulator::{SimulatedProvider, SimulationSettings};

use super::clock::SkippingClock;
use super::content::{self, Content};
use super::directory::{Directory, Notes};
use super::error::DemoError;
use super::screen::Screen;
use super::time_keeper::TimeKeeper;
use super::{Demo, DemoOptions, results};
use crate::app::{App, HttpSettings};
use crate::config::{DatabaseConfig, DatabaseUrl};
use crate::providers::Telephony;
use crate::server::{Server, ServerParts};
use crate::stores::{Purpose, Stores};

/// When a demo begins: a Tuesday, at 08:55 in Rome. Always the same, so that the calling hours do
/// not depend on when somebody tries it.
const BEGINS_AT: &str = "2026-10-06T06:55:00Z";
/// The seed of the people when none is given.
const DEFAULT_SEED: u64 = 1;
/// How long the machine may hesitate, in real time, before a dial counts as too late.
const PATIENCE_SECONDS: i64 = 10;
const LARGEST_UPLOAD_BYTES: usize = 100 << 20;

/// Starts the server, and the campaign unless it has started.
pub(super) async fn set_up(
    options: &DemoOptions,
    screen: Screen,
    directory: Directory,
    listener: TcpListener,
) -> Result<(Demo, TimeKeeper), DemoError> {
    let stores = open_stores(&directory).await?;
    let earlier = directory.read_notes()?;
    let seed = choose_seed(options, earlier.as_ref())?;
    let goes_on = earlier.is_some();
    let begin = begin(stores.storage.as_ref(), earlier.as_ref()).await?;
    // OK because the command line takes no zero.
    let factor = NonZeroU32::new(options.speed).unwrap_or(NonZeroU32::MIN);
    let clock = Arc::new(SkippingClock::new(begin, factor));
    let ids = Arc::new(IdGenerator::from_entropy(clock.clone()));
    let people = people(seed, &clock, &ids);
    let address = listener.local_addr().map_err(DemoError::System)?;
    let server = Server::start(ServerParts {
        listener,
        stores,
        telephony: Telephony::simulated(people.clone()),
        pacer: clock.clone(),
        ids,
        engine: engine_settings(options.speed),
        http: HttpSettings {
            operator_token: None,
            largest_upload_bytes: LARGEST_UPLOAD_BYTES,
            public_url: format!("http://{address}"),
        },
    })
    .map_err(DemoError::System)?;
    let made = company_and_campaign(server.app(), &directory, earlier, seed, &clock).await?;
    let Made {
        notes,
        actor,
        campaign_id,
    } = made;
    let (campaign, upload) = content::fill_and_start(server.app(), &actor, campaign_id).await?;
    let api_key = notes.api_key.clone();
    let keeper = TimeKeeper {
        app: server.app().clone(),
        actor: actor.clone(),
        campaign_id,
        people,
        clock: clock.clone(),
        bell: server.bell(),
        speed: options.speed,
        directory: directory.clone(),
        notes,
    };
    let demo = Demo {
        screen,
        directory,
        clock,
        server,
        actor,
        api_key,
        campaign,
        upload,
        goes_on,
    };
    Ok((demo, keeper))
}

async fn open_stores(directory: &Directory) -> Result<Stores, DemoError> {
    let path = directory.database();
    let url = format!("sqlite://{}", path.display());
    let url = DatabaseUrl::try_from(url).map_err(|source| DemoError::BadPath { path, source })?;
    let config = DatabaseConfig {
        url,
        max_connections: NonZeroU32::MIN,
    };
    let opened = Stores::open(&config, Purpose::Serve).await;
    opened.map_err(|error| DemoError::Store(Box::new(error)))
}

/// A run that goes on keeps its people.
fn choose_seed(options: &DemoOptions, earlier: Option<&Notes>) -> Result<u64, DemoError> {
    match (earlier, options.seed) {
        (Some(notes), Some(seed)) if notes.seed != seed => Err(DemoError::OtherSeed {
            directory: options.directory.clone(),
            stored: notes.seed,
        }),
        (Some(notes), _) => Ok(notes.seed),
        (None, seed) => Ok(seed.unwrap_or(DEFAULT_SEED)),
    }
}

fn people(seed: u64, clock: &Arc<SkippingClock>, ids: &IdGenerator) -> Arc<SimulatedProvider> {
    let settings = SimulationSettings {
        seed,
        ..SimulationSettings::default()
    };
    // The webhooks are open to whoever reaches the port, and the seed is no secret.
    let mut secret = [0; 32];
    ids.fill(&mut secret);
    Arc::new(SimulatedProvider::new(clock.clone(), settings).with_secret(secret))
}

/// Deadlines are in the clock's time, and the machine hesitates in real time.
fn engine_settings(speed: u32) -> EngineSettings {
    let usual = EngineSettings::default();
    let patience = TimeDelta::seconds(PATIENCE_SECONDS * i64::from(speed));
    EngineSettings {
        dial_within: usual.dial_within.max(patience),
        grace_after_deadline: usual.grace_after_deadline.max(patience),
        ..usual
    }
}

/// What the clock shows first: after everything that an earlier run has stored, and so late that
/// the leases of its calls have run out. Those calls died with it, and are recovered at once.
async fn begin(storage: &dyn Storage, earlier: Option<&Notes>) -> Result<Timestamp, DemoError> {
    let Some(notes) = earlier else {
        // OK because a test reads it.
        return Ok(BEGINS_AT.parse().unwrap_or_default());
    };
    let stored = match notes.campaign_id {
        Some(campaign_id) => latest_instant(storage, notes, campaign_id).await?,
        None => None,
    };
    Ok(stored.map_or(notes.now, |stored| stored.max(notes.now)))
}

async fn latest_instant(
    storage: &dyn Storage,
    notes: &Notes,
    campaign_id: CampaignId,
) -> Result<Option<Timestamp>, StorageError> {
    let mut work = storage.begin(Scope::Company(notes.company_id)).await?;
    let attempts = results::all_attempts(&mut *work, campaign_id).await?;
    let tasks = results::all_tasks(&mut *work, campaign_id).await?;
    let of_attempts = attempts.into_iter().flat_map(|attempt| {
        [
            Some(attempt.created_at),
            attempt.accepted_at,
            attempt.ringing_at,
            attempt.answered_at,
            attempt.ended_at,
            attempt.state.is_live().then_some(attempt.lease_until),
        ]
    });
    let of_tasks = tasks.into_iter().map(|task| Some(task.updated_at));
    Ok(of_attempts.chain(of_tasks).flatten().max())
}

/// What there must be before anybody is called.
struct Made {
    notes: Notes,
    actor: Actor,
    campaign_id: CampaignId,
}

/// Finds the company, the key and the campaign of an earlier run, or makes them.
async fn company_and_campaign(
    app: &App,
    directory: &Directory,
    earlier: Option<Notes>,
    seed: u64,
    clock: &SkippingClock,
) -> Result<Made, DemoError> {
    let content = Content::load()?;
    let mut notes = if let Some(notes) = earlier {
        notes
    } else {
        let company = content.create_company(app).await?;
        Notes {
            company_id: company.id,
            api_key: content::create_key(app, company.id).await?,
            campaign_id: None,
            seed,
            now: clock.now(),
        }
    };
    let actor = if let Some(actor) = app.companies.authenticate(&notes.api_key).await? {
        actor
    } else {
        // Somebody has revoked the key, and the demo needs one.
        notes.api_key = content::create_key(app, notes.company_id).await?;
        let actor = app.companies.authenticate(&notes.api_key).await?;
        actor.ok_or(DemoError::Gone { what: "API key" })?
    };
    directory.write_notes(&notes)?;
    let campaign_id = match notes.campaign_id {
        Some(id) => id,
        None => content.campaign(app, &actor).await?,
    };
    notes.campaign_id = Some(campaign_id);
    directory.write_notes(&notes)?;
    Ok(Made {
        notes,
        actor,
        campaign_id,
    })
}

#[cfg(test)]
mod tests {
    use super::super::screen::wall_clock;
    use super::*;

    #[test]
    fn the_demo_begins_on_a_tuesday_five_minutes_before_calling_hours() {
        let begin: Timestamp = BEGINS_AT.parse().unwrap();
        let shown = wall_clock(content::time_zone(), begin);
        assert_eq!(shown, "Tue 6 Oct 2026, 08:55");
    }

    #[test]
    fn deadlines_grow_with_the_speed() {
        assert_eq!(engine_settings(1), EngineSettings::default());
        assert_eq!(engine_settings(600).dial_within, TimeDelta::seconds(6_000));
    }
}
