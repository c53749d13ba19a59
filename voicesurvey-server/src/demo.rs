//! `voicesurvey demo`: a whole phone survey in a minute, with simulated people, for somebody who
//! sees the product for the first time.
//!
//! The invariant: it is the server that `serve` runs, with the same services, stores and workers;
//! only the clock and the people are the demo's own. Killed at any moment and started again, it
//! goes on where it stopped: the clock goes on after the latest instant stored, and calls that
//! were in progress are settled by recovery like those of any server that died.

mod clock;
mod content;
mod directory;
mod error;
mod progress;
mod report;
mod results;
mod screen;
mod time_keeper;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use clap::Args;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_list::Upload;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::id::{CampaignId, IdGenerator};
use voicesurvey_core::ports::repositories::CampaignCounters;
use voicesurvey_core::ports::{Scope, Storage, StorageError};
use voicesurvey_core::service::EngineSettings;
use voicesurvey_core::time::{Clock as _, Timestamp};
use voicesurvey_simulator::{SimulatedProvider, SimulationSettings};

pub use self::error::DemoError;

use self::clock::SkippingClock;
use self::content::Content;
use self::directory::{Directory, Notes};
use self::progress::Progress;
use self::results::Results;
use self::screen::{Screen, wall_clock};
use self::time_keeper::{TimeKeeper, Watched};
use crate::app::{App, HttpSettings};
use crate::config::{DatabaseConfig, DatabaseUrl, LogConfig, LogFormat, LogLevel};
use crate::providers::Telephony;
use crate::server::{self, Server, ServerParts, StopSignals};
use crate::stores::{Purpose, Stores};
use crate::telemetry;

/// When a demo begins: a Tuesday, at 08:55 in Rome. Always the same, so that the calling hours do
/// not depend on when somebody tries it.
const BEGINS_AT: &str = "2026-10-06T06:55:00Z";
/// How often the screen is brought up to date.
const REFRESH: Duration = Duration::from_millis(125);
/// How long the machine may hesitate, in real time, before a dial counts as too late.
const PATIENCE_SECONDS: i64 = 10;

/// How a demo is to be run.
#[derive(Args, Clone, Debug)]
pub struct DemoOptions {
    /// Where its database and its results are kept; created if need be.
    #[arg(long, value_name = "DIRECTORY", default_value = "voicesurvey-demo")]
    directory: PathBuf,
    /// Where to listen, as HOST:PORT; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8880")]
    listen: String,
    /// How many times as fast as real time it runs while people are on the telephone, from 1 to
    /// 3600. While nobody is, time passes faster still.
    #[arg(long, default_value = "60", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    speed: u32,
    /// The same seed gives the same people [default: 1].
    #[arg(long)]
    seed: Option<u64>,
    /// Ends when the campaign has ended, instead of going on to serve the API.
    #[arg(long)]
    exit: bool,
    /// Forgets an earlier run in that directory and begins anew.
    #[arg(long)]
    restart: bool,
}

/// How it came to the end of the run.
enum Ended {
    /// All is done.
    Completed,
    /// A signal said so.
    Stopped,
}

/// A demo that is set up and runs.
struct Demo {
    screen: Screen,
    directory: Directory,
    clock: Arc<SkippingClock>,
    server: Server,
    actor: Actor,
    api_key: String,
    campaign: Campaign,
    upload: Upload,
}

/// Runs a demo until it has ended, or until a signal asks the process to end.
pub async fn run(options: DemoOptions) -> Result<(), DemoError> {
    telemetry::start(LogConfig {
        format: LogFormat::Text,
        level: LogLevel::Warn,
    });
    let screen = Screen::stdout();
    let mut signals = StopSignals::listen().map_err(DemoError::System)?;
    // First of all, so that nothing has been done when the port is taken.
    let listener = server::listen(&options.listen).await?;
    let directory = Directory::create(&options.directory)?;
    if options.restart {
        directory.clear()?;
    }
    let database = DatabaseConfig {
        url: database_url(&directory)?,
        max_connections: NonZeroU32::MIN,
    };
    let stores = Stores::open(&database, Purpose::Serve).await?;
    let (demo, keeper) = set_up(&options, screen, directory, listener, stores).await?;
    let ended = demo.play(&options, &mut signals).await;
    // The keeper needs the store, which the server closes.
    let kept = keeper.stop().await;
    demo.server.stop().await;
    kept?;
    match ended? {
        Ended::Stopped if options.exit => Err(DemoError::Stopped),
        Ended::Stopped => Ok(screen.line("\nStopped. The same command goes on from here.")?),
        Ended::Completed => Ok(()),
    }
}

fn database_url(directory: &Directory) -> Result<DatabaseUrl, DemoError> {
    let path = directory.database();
    let url = format!("sqlite://{}", path.display());
    DatabaseUrl::try_from(url).map_err(|source| DemoError::BadPath { path, source })
}

/// Starts the server, and makes what an earlier run has not made yet.
async fn set_up(
    options: &DemoOptions,
    screen: Screen,
    directory: Directory,
    listener: TcpListener,
    stores: Stores,
) -> Result<(Demo, TimeKeeper), DemoError> {
    let earlier = directory.read_notes()?;
    let seed = seed(options, earlier.as_ref())?;
    let begin = begin(stores.storage.as_ref(), earlier.as_ref()).await?;
    // OK because the command line takes no zero.
    let speed = NonZeroU32::new(options.speed).unwrap_or(NonZeroU32::MIN);
    let clock = Arc::new(SkippingClock::new(begin, speed));
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
            largest_upload_bytes: 100 << 20,
            public_url: format!("http://{address}"),
        },
    })
    .map_err(DemoError::System)?;
    let (notes, actor, campaign_id) =
        company_and_campaign(server.app(), &directory, earlier, seed, &clock).await?;
    let (campaign, upload) = content::fill_and_start(server.app(), &actor, campaign_id).await?;
    let watched = Watched {
        app: server.app().clone(),
        actor: actor.clone(),
        campaign_id,
        people,
        clock: clock.clone(),
        bell: server.bell(),
        speed: options.speed,
    };
    let api_key = notes.api_key.clone();
    let keeper = TimeKeeper::start(watched, directory.clone(), notes);
    let demo = Demo { screen, directory, clock, server, actor, api_key, campaign, upload };
    Ok((demo, keeper))
}

/// A run that goes on keeps its people.
fn seed(options: &DemoOptions, earlier: Option<&Notes>) -> Result<u64, DemoError> {
    match (earlier, options.seed) {
        (Some(notes), Some(seed)) if notes.seed != seed => Err(DemoError::OtherSeed {
            directory: options.directory.clone(),
            stored: notes.seed,
        }),
        (Some(notes), _) => Ok(notes.seed),
        (None, seed) => Ok(seed.unwrap_or(1)),
    }
}

fn people(
    seed: u64,
    clock: &Arc<SkippingClock>,
    ids: &IdGenerator,
) -> Arc<SimulatedProvider> {
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
async fn begin(
    storage: &dyn Storage,
    earlier: Option<&Notes>,
) -> Result<Timestamp, DemoError> {
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

/// Finds the company, the key and the campaign of an earlier run, or makes them. What was made is
/// noted at once.
async fn company_and_campaign(
    app: &App,
    directory: &Directory,
    earlier: Option<Notes>,
    seed: u64,
    clock: &SkippingClock,
) -> Result<(Notes, Actor, CampaignId), DemoError> {
    let content = Content::load()?;
    let mut notes = match earlier {
        Some(notes) => notes,
        None => {
            let company = content.create_company(app).await?;
            let api_key = content::create_key(app, company.id).await?;
            let now = clock.now();
            Notes { company_id: company.id, api_key, campaign_id: None, seed, now }
        }
    };
    let actor = match app.companies.authenticate(&notes.api_key).await? {
        Some(actor) => actor,
        None => {
            // Somebody has revoked the key; the demo needs one.
            notes.api_key = content::create_key(app, notes.company_id).await?;
            let actor = app.companies.authenticate(&notes.api_key).await?;
            actor.ok_or(DemoError::Gone { what: "API key" })?
        }
    };
    directory.write_notes(&notes)?;
    let campaign_id = match notes.campaign_id {
        Some(id) => id,
        None => content.campaign(app, &actor).await?,
    };
    notes.campaign_id = Some(campaign_id);
    directory.write_notes(&notes)?;
    Ok((notes, actor, campaign_id))
}

impl Demo {
    async fn play(
        &self,
        options: &DemoOptions,
        signals: &mut StopSignals,
    ) -> Result<Ended, DemoError> {
        self.introduce(options)?;
        let (campaign, counters) = tokio::select! {
            ended = self.follow() => ended?,
            () = signals.received() => return Ok(Ended::Stopped),
        };
        self.report(&campaign, &counters).await?;
        if options.exit {
            return Ok(Ended::Completed);
        }
        self.invite()?;
        signals.received().await;
        Ok(Ended::Completed)
    }

    /// Says what is going to be seen.
    fn introduce(&self, options: &DemoOptions) -> Result<(), DemoError> {
        let Self { screen, campaign, .. } = self;
        let settings = campaign.effective_settings();
        let now = wall_clock(content::time_zone(), self.clock.now());
        screen.line(screen.bold("A phone survey, played by simulated people: nobody is called."))?;
        screen.heading("Call list")?;
        screen.line(format_args!("  {}", content::CALL_LIST))?;
        report::upload(*screen, &self.upload)?;
        screen.heading("Campaign")?;
        screen.line(format_args!("  {}", campaign.name))?;
        screen.line(format_args!(
            "  {} questions, in Italian and English; 09:00-21:00 where the person lives;",
            settings.survey.questions.len()
        ))?;
        screen.line(format_args!(
            "  {} calls at a time; up to {} attempts per person",
            settings.pacing.max_concurrent_calls, settings.retry.max_attempts
        ))?;
        screen.line(format_args!(
            "  {now} in Rome; a minute passes in {} while people talk,",
            seconds_per_minute(options.speed)
        ))?;
        screen.line("  and faster while nobody does")?;
        screen.line(format_args!("  API: {}", self.server.documentation_url()))?;
        Ok(screen.line("")?)
    }

    /// Shows how the campaign goes on, until it has ended.
    async fn follow(&self) -> Result<(Campaign, CampaignCounters), DemoError> {
        let mut progress = Progress::new(self.screen);
        let mut ticks = tokio::time::interval(REFRESH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let app = self.server.app();
            let (campaign, counters) = content::find(app, &self.actor, self.campaign.id).await?;
            progress.show(&campaign, &counters, self.clock.now())?;
            if campaign.status.is_final() && counters.live_attempts() == 0 {
                progress.finish();
                return Ok((campaign, counters));
            }
        }
    }

    /// Shows the results, and writes them to files.
    async fn report(
        &self,
        campaign: &Campaign,
        counters: &CampaignCounters,
    ) -> Result<(), DemoError> {
        let Self { screen, server, actor, .. } = self;
        let app = server.app();
        let results = Results::read(app, actor, campaign.id).await?;
        let questions = app.reports.results(actor, campaign.id).await?;
        report::outcomes(*screen, counters)?;
        report::people(*screen, counters)?;
        report::questions(*screen, campaign, &questions, &results)?;
        screen.heading("Files")?;
        for (path, description) in results.write(&self.directory, campaign, &self.upload).await? {
            screen.line(format_args!("  {}  {}", path.display(), screen.dim(description)))?;
        }
        Ok(())
    }

    /// Says what can be tried now.
    fn invite(&self) -> Result<(), DemoError> {
        let Self { screen, .. } = self;
        screen.heading("The server goes on running")?;
        screen.line(format_args!("  API documentation  {}", self.server.documentation_url()))?;
        screen.line(format_args!("  API key            {}", self.api_key))?;
        Ok(screen.line("  End it with Ctrl-C.")?)
    }
}

fn seconds_per_minute(speed: u32) -> String {
    let tenths = 600 / speed.max(1);
    match (tenths / 10, tenths % 10) {
        (1, 0) => "a second".to_owned(),
        (seconds, 0) => format!("{seconds} seconds"),
        (seconds, tenths) => format!("{seconds}.{tenths} seconds"),
    }
}

#[cfg(test)]
mod tests {
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
