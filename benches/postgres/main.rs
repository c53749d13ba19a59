//! Benches on PostgreSQL with durable commits, each beside what the same statements do under
//! pgbench. Figures, and how they were taken, are in `docs/performance.md`.
//!
//! Needs an empty database that belongs to an ordinary role, and its URL in
//! `VOICESURVEY_BENCH_DATABASE_URL`; everything in it is replaced.
#![expect(
    clippy::print_stdout,
    reason = "a bench tells what it measured on standard output"
)]
#![expect(
    clippy::similar_names,
    reason = "what a claimer takes is claimed, in all code"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a bench measures real time, and waits in it"
)]

mod claim;
mod cycle;
mod events;
mod export;
mod fairness;
mod fill;
mod measure;
mod pgbench;
mod provider;
mod running;
mod slots;
mod stats;
mod upload;
mod webhooks;

use anyhow::{Context as _, bail};

/// The database that benches fill.
const DATABASE_URL: &str = "VOICESURVEY_BENCH_DATABASE_URL";

const USAGE: &str = "name what to measure:
  claim TASKS CAMPAIGNS      claims of 50, one after the other
  held TASKS CAMPAIGNS       the same while somebody holds an old snapshot
  cycle WORKERS BATCH        claim, dial recorded, call settled
  events PER_SECOND SECONDS COMPANIES
                             webhooks over HTTP, offered at that rate
  webhooks PER_SECOND SECONDS
                             signed callbacks of Twilio over HTTP, offered at that rate
  slots CALLS                from the end of a call to the next dial
  use CALLS SECONDS          how much of the lines is used while work is due
  pace PER_MINUTE SECONDS    how much of the pace is used while work is due
  fairness                   a company with 10 tasks beside one with a million
  stats TASKS                what the page of a campaign asks for
  export PEOPLE              files of their interviews, beside a raw COPY of the rows
  upload ROWS                a list that is added, beside a raw COPY of its rows
  upload-file FILE           the same with a file
  fill TASKS CAMPAIGNS       only fills the database";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Cargo adds an option of its own.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    if let [name, file] = arguments.as_slice()
        && name == "upload-file"
    {
        let url = std::env::var(DATABASE_URL).context("no database to fill")?;
        return upload::run(&url, 0, Some(file.as_ref())).await;
    }
    let numbers = arguments
        .iter()
        .skip(1)
        .map(|argument| argument.parse().context("numbers follow the name"))
        .collect::<anyhow::Result<Vec<u32>>>()?;
    let Some(name) = arguments.first() else {
        println!("{USAGE}");
        return Ok(());
    };
    let url = std::env::var(DATABASE_URL)
        .with_context(|| format!("{DATABASE_URL} names no database to fill"))?;
    match (name.as_str(), numbers.as_slice()) {
        ("claim", &[tasks, campaigns]) => claim::run(&url, tasks, campaigns).await,
        ("held", &[tasks, campaigns]) => claim::held(&url, tasks, campaigns).await,
        ("cycle", &[workers, batch]) => cycle::run(&url, workers, batch).await,
        ("events", &[per_second, seconds, companies]) => {
            events::run(&url, per_second, seconds, companies).await
        }
        ("webhooks", &[per_second, seconds]) => webhooks::run(&url, per_second, seconds).await,
        ("slots", &[calls]) => slots::run(&url, calls).await,
        ("use", &[calls, seconds]) => slots::lines_in_use(&url, calls, seconds).await,
        ("pace", &[per_minute, seconds]) => slots::pace_in_use(&url, per_minute, seconds).await,
        ("stats", &[tasks]) => stats::run(&url, tasks).await,
        ("export", &[people]) => export::run(&url, people).await,
        ("upload", &[rows]) => upload::run(&url, rows, None).await,
        ("fairness", &[]) => fairness::run(&url).await,
        ("fill", &[tasks, campaigns]) => {
            fill::fill(&url, &fill::Filling::of(tasks, campaigns)).await
        }
        _ => bail!("{USAGE}"),
    }
}
