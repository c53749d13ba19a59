//! Starting a demo: the server with the demo's clock and people, and whatever an earlier run has
//! not made yet.
//!
//! The invariant: what is made is noted at once, so that a run that is killed here goes on too. At
//! worst a company without campaign stays behind.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::TimeDelta;
use tokio::net::TcpListener;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::call_attempt::Leases;
use voicesurvey_core::id::{CampaignId, IdGenerator};
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::phone_number::PhoneNumber;
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
use crate::config::{DatabaseConfig, DatabaseUrl, NumberKeysSetting};
use crate::providers::Telephony;
use crate::server::{Server, ServerParts};
use crate::stores::{Purpose, Stores};
use crate::workers::WorkerSettings;

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
    let has_database = directory.database().exists();
    let stores = open_stores(&directory).await?;
    // Notes without what they are about are nothing to go on from.
    let earlier = directory.read_notes()?.filter(|_| has_database);
    let seed = choose_seed(options, earlier.as_ref())?;
    let goes_on = earlier.is_some();
    let left = match &earlier {
        Some(notes) => Left::read(stores.storage.as_ref(), notes).await?,
        None => Left::default(),
    };
    // OK because a test reads it.
    let first = BEGINS_AT.parse().unwrap_or_default();
    let noted = earlier.as_ref().map(|notes| notes.now);
    let begin = left.latest.max(noted).unwrap_or(first);
    // OK because the command line takes no zero.
    let factor = NonZeroU32::new(options.speed).unwrap_or(NonZeroU32::MIN);
    let clock = Arc::new(SkippingClock::new(begin, factor));
    let ids = Arc::new(IdGenerator::from_entropy(clock.clone()));
    let people = people(seed, &clock, &ids);
    if let Some(notes) = &earlier {
        for (number, calls) in left.calls {
            people.remember_calls(notes.company_id, number, calls);
        }
    }
    let address = listener.local_addr().map_err(DemoError::System)?;
    let server = Server::start(ServerParts {
        listener,
        stores,
        telephony: Telephony::simulated(people.clone()),
        interpreter: Arc::new(RulesInterpreter::new()),
        pacer: clock.clone(),
        ids,
        engine: engine_settings(options.speed),
        workers: WorkerSettings::default(),
        cluster: None,
        http: http_settings(address),
    })
    .map_err(DemoError::System)?;
    let made = company_and_campaign(server.app(), &directory, earlier, seed, &clock).await?;
    let Made {
        notes,
        actor,
        campaign_id,
    } = made;
    let (campaign, upload, upload_errors) =
        content::fill_and_start(server.app(), &actor, campaign_id).await?;
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
        upload_errors,
        goes_on,
    };
    Ok((demo, keeper))
}

fn http_settings(address: SocketAddr) -> HttpSettings {
    HttpSettings {
        operator_token: None,
        largest_upload_bytes: LARGEST_UPLOAD_BYTES,
        upload_folder: std::env::temp_dir(),
        public_url: format!("http://{address}"),
        keep_exports_for: TimeDelta::hours(24),
    }
}

async fn open_stores(directory: &Directory) -> Result<Stores, DemoError> {
    let path = directory.database();
    let url = format!("sqlite://{}", path.display());
    let url = DatabaseUrl::try_from(url).map_err(|source| DemoError::BadPath { path, source })?;
    let config = DatabaseConfig {
        url,
        max_connections: NonZeroU32::MIN,
        number_keys: NumberKeysSetting::default(),
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
        leases: Leases {
            unanswered: usual.leases.unanswered.max(patience),
            answered: usual.leases.answered.max(patience),
        },
        ..usual
    }
}

/// What an earlier run has left in the store.
#[derive(Debug, Default)]
struct Left {
    /// After everything that it has stored, and so late that the leases of its calls have run out:
    /// those calls died with it, and are recovered at once.
    latest: Option<Timestamp>,
    /// How many calls were placed to each number.
    calls: HashMap<PhoneNumber, u32>,
}

impl Left {
    async fn read(storage: &dyn Storage, notes: &Notes) -> Result<Self, StorageError> {
        let Some(campaign_id) = notes.campaign_id else {
            return Ok(Self::default());
        };
        let mut work = storage.begin(Scope::Company(notes.company_id)).await?;
        let attempts = results::all_attempts(&mut *work, campaign_id).await?;
        let tasks = results::all_tasks(&mut *work, campaign_id).await?;
        let mut calls = HashMap::new();
        for attempt in attempts
            .iter()
            .filter(|attempt| attempt.provider_call_id.is_some())
        {
            *calls.entry(attempt.phone_number).or_default() += 1;
        }
        let of_tasks = tasks.iter().map(|task| task.updated_at);
        Ok(Self {
            latest: attempts.iter().map(latest_of).chain(of_tasks).max(),
            calls,
        })
    }
}

fn latest_of(attempt: &CallAttempt) -> Timestamp {
    let lease = attempt.state.is_live().then_some(attempt.lease_until);
    [
        attempt.accepted_at,
        attempt.ringing_at,
        attempt.answered_at,
        attempt.ended_at,
        lease,
    ]
    .into_iter()
    .flatten()
    .fold(attempt.created_at, Timestamp::max)
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
