//! A dry run of a made-up campaign: `cargo run --release --example dry_run -- 100000`.
//!
//! Prints how long it took and the report, to measure and to look at.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::time::Instant;

use voicesurvey_core::calling_hours::CallingHours;
use voicesurvey_core::pace::Pace;
use voicesurvey_core::ports::repositories::CampaignCounters;
use voicesurvey_core::testing::samples::{self, SampleCampaign as _};
use voicesurvey_simulator::dry_run::{DryRun, DryRunPlan, DryRunSettings};

/// Contacts that are added at once.
const BATCH: u32 = 1_000;

#[tokio::main(flavor = "current_thread")]
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "an example shows and measures"
)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let contacts = std::env::args()
        .nth(1)
        .map_or(Ok(10_000), |count| count.parse())?;
    let company = samples::company();
    let mut campaign = samples::campaign(&company)
        .with_lines(500)
        .with_pace(Pace::per_minute(1_000));
    campaign.settings.schedule.hours = CallingHours::nine_to_nine();
    campaign.settings.target = NonZeroU32::new(contacts);
    let plan = DryRunPlan {
        company: &company,
        campaign: &campaign,
        skillbase: &samples::skillbase(&company),
        counters: &CampaignCounters::default(),
        provider_limits: None,
        now: samples::now(),
    };
    let begun = Instant::now();
    let mut dry_run = DryRun::new(plan, DryRunSettings::default()).await?;
    for first in (0..contacts).step_by(BATCH as usize) {
        let tasks = samples::tasks(&campaign, first, BATCH.min(contacts - first));
        dry_run.add(&tasks, &HashSet::new()).await?;
    }
    eprintln!("{contacts} contacts are listed after {:?}", begun.elapsed());
    let report = dry_run.run(|| true).await?;
    eprintln!(
        "{} calls are made after {:?}",
        report.calls,
        begun.elapsed()
    );
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}
