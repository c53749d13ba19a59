//! `voicesurvey dry-run`.

use std::fmt::Write as _;

use clap::Args;
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::ports::Scope;
use voicesurvey_core::service::ServiceError;
use voicesurvey_core::time::{Clock as _, SystemClock};
use voicesurvey_simulator::Probability;
use voicesurvey_simulator::dry_run::{DryRunReport, DryRunSettings};

use super::{CommandError, ConfigOptions, print};
use crate::dry_run::try_out;
use crate::stores::{Purpose, Stores};

/// What is tried out, and what is supposed.
#[derive(Args, Debug)]
pub(super) struct DryRunOptions {
    /// The campaign, by its id.
    #[arg(long, value_name = "ID")]
    campaign: CampaignId,
    /// The same seed gives the same result.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How likely somebody picks up, from 0 to 1 [default: by the hour of the day].
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pick_up_rate: Option<Probability>,
    /// How many of those who pick up finish the interview, from 0 to 1.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    completion_rate: Option<Probability>,
    /// Prints the whole report as one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigOptions,
}

fn rate(text: &str) -> Result<Probability, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "use a number from 0 to 1".to_owned())?;
    Probability::try_from(number).map_err(|error| error.to_string())
}

pub(super) async fn run(options: DryRunOptions) -> Result<(), CommandError> {
    let config = options.config.load(None)?.config;
    let stores = Stores::open(&config.database, Purpose::Command).await?;
    let settings = DryRunSettings {
        seed: options.seed,
        pick_up_rate: options.pick_up_rate,
        completion_rate: options.completion_rate,
        ..DryRunSettings::default()
    };
    let storage = stores.storage.clone();
    let now = SystemClock.now();
    let report = try_out(
        storage,
        Scope::Platform,
        options.campaign,
        settings,
        now,
        (),
    )
    .await?;
    stores.close().await.map_err(ServiceError::from)?;
    if options.json {
        print(&serde_json::json!(report).to_string())
    } else {
        print(text(&report).trim_end())
    }
}

/// The report for people.
fn text(report: &DryRunReport) -> String {
    let mut text = String::new();
    // OK because writing to a text never fails.
    let _ = write_text(&mut text, report);
    text
}

fn write_text(text: &mut String, report: &DryRunReport) -> std::fmt::Result {
    writeln!(text, "{}", report.summary)?;
    writeln!(
        text,
        "Started     {}",
        report.started_at.format("%F %R UTC")
    )?;
    writeln!(
        text,
        "Finished    {}",
        report.finished_at.format("%F %R UTC")
    )?;
    writeln!(text, "Contacts    {}", report.contacts)?;
    writeln!(text, "Completes   {}", report.completes)?;
    let calls = (report.calls, report.most_calls_at_once);
    writeln!(
        text,
        "Calls       {} (at most {} at once)",
        calls.0, calls.1
    )?;
    let cost = &report.cost;
    writeln!(
        text,
        "Cost        {} to {} {} for {} minutes",
        cost.low, cost.high, cost.currency, cost.minutes
    )?;
    writeln!(text, "\nHow calls end")?;
    for (outcome, calls) in &report.attempts_by_outcome {
        writeln!(text, "  {calls:>9}  {outcome}")?;
    }
    writeln!(text, "\nCalls per day")?;
    for day in &report.calls_per_day {
        writeln!(
            text,
            "  {:>9}  {} ({} completes)",
            day.calls, day.date, day.completes
        )?;
    }
    if !report.unreached.is_empty() {
        writeln!(text, "\nNot reached: never called, called in vain")?;
    }
    for reason in &report.unreached {
        let examples = reason.examples.join(", ");
        let counts = (reason.never_called, reason.called_in_vain);
        writeln!(
            text,
            "  {:>9} {:>9}  {}: {} ({examples})",
            counts.0, counts.1, reason.reason, reason.explanation
        )?;
    }
    writeln!(text, "\nPromises: checked, broken")?;
    for score in &report.scorecard {
        let counts = (score.checked, score.violations);
        writeln!(
            text,
            "  {:>9} {:>9}  {} {}",
            counts.0, counts.1, score.promise, score.text
        )?;
    }
    writeln!(text, "\nTaken for granted")?;
    for assumption in &report.assumptions {
        writeln!(text, "  {assumption}")?;
    }
    Ok(())
}
