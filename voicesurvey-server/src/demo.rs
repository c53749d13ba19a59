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
mod set_up;
mod time_keeper;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::time::MissedTickBehavior;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_list::{RowError, Upload};
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::contact_record::ContactFilter;
use voicesurvey_core::ports::repositories::CampaignCounters;
use voicesurvey_core::time::Clock as _;

pub use self::error::DemoError;

use self::clock::SkippingClock;
use self::directory::Directory;
use self::progress::Progress;
use self::results::Results;
use self::screen::{Screen, wall_clock};
use self::time_keeper::TimeKeeper;
use crate::config::{LogConfig, LogFormat, LogLevel};
use crate::server::{self, Server, StopSignals};
use crate::telemetry;

/// How often the screen is brought up to date.
const REFRESH: Duration = Duration::from_millis(125);

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
    #[arg(long, default_value = "120", value_parser = clap::value_parser!(u32).range(1..=3_600))]
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
    /// Its rows that were not taken, the first of them.
    upload_errors: Vec<RowError>,
    /// Whether an earlier run began it.
    goes_on: bool,
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
    let (demo, mut keeper) = set_up::set_up(&options, screen, directory, listener).await?;
    let outcome = demo.play(&options, &mut keeper, &mut signals).await;
    let noted = keeper.note();
    demo.server.stop().await;
    outcome.and(noted)
}

impl Demo {
    /// Plays the campaign to its end, and goes on to serve.
    async fn play(
        &self,
        options: &DemoOptions,
        keeper: &mut TimeKeeper,
        signals: &mut StopSignals,
    ) -> Result<(), DemoError> {
        self.introduce(options)?;
        tokio::select! {
            played = self.play_campaign() => played?,
            failed = keeper.run() => return failed,
            () = signals.received() => return self.interrupted(options),
        }
        if options.exit {
            return Ok(());
        }
        self.invite()?;
        tokio::select! {
            failed = keeper.run() => failed,
            () = signals.received() => Ok(()),
        }
    }

    async fn play_campaign(&self) -> Result<(), DemoError> {
        let (campaign, counters) = self.follow().await?;
        self.report(&campaign, &counters).await
    }

    fn interrupted(&self, options: &DemoOptions) -> Result<(), DemoError> {
        if options.exit {
            // Whoever waits for the end must not take this for it.
            return Err(DemoError::Stopped);
        }
        let words = "Stopped. The same command goes on from here.";
        Ok(self.screen.line(format_args!("\n{words}"))?)
    }

    /// Says what is going to be seen.
    fn introduce(&self, options: &DemoOptions) -> Result<(), DemoError> {
        let Self {
            screen, campaign, ..
        } = self;
        let now = wall_clock(content::time_zone(), self.clock.now());
        screen.line(screen.bold("A phone survey with simulated people. Nobody is called."))?;
        if campaign.status.is_final() {
            screen.line("The campaign has ended in an earlier run; --restart begins a new one.")?;
        } else if self.goes_on {
            screen.line(format_args!(
                "It goes on where it was stopped, on {now} in Rome; --restart begins a new one."
            ))?;
        }
        screen.heading("Call list")?;
        screen.line(format_args!("  {}", content::CALL_LIST))?;
        report::upload(screen, &self.upload, &self.upload_errors)?;
        screen.heading("Campaign")?;
        report::campaign(screen, campaign)?;
        screen.heading("Server")?;
        screen.line(format_args!("  {}", self.server.documentation_url()))?;
        screen.line(format_args!(
            "  Its clock runs {} times as fast as yours, and faster while nobody is talking.",
            options.speed
        ))?;
        Ok(screen.line("")?)
    }

    /// Shows how the campaign goes on, until it has ended.
    async fn follow(&self) -> Result<(Campaign, CampaignCounters), DemoError> {
        let mut progress = Progress::new(&self.screen);
        let mut ticks = tokio::time::interval(REFRESH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let app = self.server.app();
            let (campaign, counters) = content::find(app, &self.actor, self.campaign.id).await?;
            progress.show(&campaign, &counters, self.clock.now())?;
            if campaign.status.is_final() && counters.live_attempts() == 0 {
                progress.finish()?;
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
        let Self {
            screen,
            server,
            actor,
            ..
        } = self;
        let app = server.app();
        let results = Results::read(app, actor, campaign.id).await?;
        let everybody = ContactFilter::default();
        let answered = app.reports.results(actor, campaign.id, everybody, None);
        let questions = answered.await?.all.questions;
        report::outcomes(screen, counters)?;
        report::people(screen, counters)?;
        report::questions(screen, campaign, &questions, &results)?;
        screen.heading("Files")?;
        let files = results
            .write(&self.directory, campaign, &self.upload)
            .await?;
        let written: Vec<_> = files
            .iter()
            .map(|(path, description)| (path.display().to_string(), *description))
            .collect();
        let widest = written
            .iter()
            .map(|(path, _)| path.chars().count())
            .max()
            .unwrap_or(0);
        for (path, description) in written {
            screen.line(format_args!(
                "  {path:widest$}  {}",
                screen.dim(description)
            ))?;
        }
        Ok(())
    }

    /// Says what can be tried now.
    fn invite(&self) -> Result<(), DemoError> {
        let Self { screen, .. } = self;
        screen.heading("The server goes on running")?;
        screen.line(format_args!(
            "  API documentation  {}",
            self.server.documentation_url()
        ))?;
        screen.line(format_args!("  API key            {}", self.api_key))?;
        Ok(screen.line("  End it with Ctrl-C.")?)
    }
}
