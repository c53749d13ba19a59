//! A list that is added while another campaign is called, beside a raw `COPY` of the same rows into the
//! same table with its indexes.

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use voicesurvey::api_key::{Actor, Role};
use voicesurvey::call_list::UploadProgress;
use voicesurvey::id::{CampaignId, CompanyId, IdGenerator};
use voicesurvey::ports::{NoWakeUp, PageRequest, Scope, Storage as _};
use voicesurvey::service::uploads::Alone;
use voicesurvey::service::{Campaigns, Uploads};
use voicesurvey::testing::samples;
use voicesurvey::time::SystemClock;
use voicesurvey_server::uploads::UploadedFile;

use crate::claim::Claimer;
use crate::fill::{self, Filling};
use crate::measure::{Durations, resident_megabytes};

/// Tasks of the campaign that is called meanwhile.
const CALLED: u32 = 200_000;

/// Calls that are claimed at once, and how far apart: 100 a second.
const CLAIMED_AT_ONCE: usize = 10;
const CLAIMED_EVERY: Duration = Duration::from_millis(100);

/// Claims before the list comes.
const QUIET_CLAIMS: usize = 100;

/// Measures with a list of its own, or with that file.
pub(crate) async fn run(url: &str, rows: u32, file: Option<&Path>) -> anyhow::Result<()> {
    fill::fill(url, &Filling::of(CALLED, 1)).await?;
    let claimer = Claimer::open(url, 4).await?;
    let mut work = claimer.store.begin(Scope::Platform).await?;
    let called = work.campaigns().list(None, &PageRequest::first(1)).await?;
    let called = called.rows.into_iter().next().context("nothing to call")?;
    let company = work.companies().get(called.company_id).await?;
    let company = company.context("no company")?;
    let mut campaign = samples::campaign(&company);
    campaign.settings.skillbase_id = called.settings.skillbase_id;
    work.campaigns().insert(&campaign).await?;
    work.commit().await?;

    let content = match file {
        Some(path) => std::fs::File::open(path)?,
        None => list(rows)?,
    };
    let bytes = content.metadata()?.len();
    let before = resident_megabytes().unwrap_or(0);
    let mut quiet = Durations::default();
    for _ in 0..QUIET_CLAIMS {
        claim(&claimer, &mut quiet).await?;
    }
    let file = UploadedFile::new("customers.csv".to_owned(), content);
    let (took, upload, busy, peak) = add(&claimer, called.company_id, campaign.id, file).await?;
    println!(
        "a list of {} rows, {} MB: {:.1} s, {} created, {} errors; memory {before} MB before, {peak} MB \
         at most",
        upload.total_rows,
        bytes / 1_000_000,
        took.as_secs_f64(),
        upload.created,
        upload.errors_count,
    );
    println!("  claims of {CLAIMED_AT_ONCE} before: {quiet}");
    println!("  claims of {CLAIMED_AT_ONCE} meanwhile: {busy}");
    let raw = copy(url, campaign.id).await?;
    println!(
        "  raw COPY of the same rows: {:.1} s; the list took {:.2} times as long",
        raw.as_secs_f64(),
        took.as_secs_f64() / raw.as_secs_f64()
    );
    Ok(())
}

/// A file without a name, of six columns.
fn list(rows: u32) -> anyhow::Result<std::fs::File> {
    let mut file = BufWriter::new(UploadedFile::create(&std::env::temp_dir())?);
    writeln!(file, "Telefono,Nome,Cognome,Città,Cliente,Note")?;
    for row in 0..rows {
        // Italian mobiles, in an order that is none.
        let number = u64::from(row) * 7_654_321 % 10_000_000;
        let (prefix, line) = (347 + row % 3, number);
        writeln!(
            file,
            "+39 {prefix} {line:07},Maria,Rossi {row},Forlì,C-{row:08},\"abbonamento annuale, pagato\""
        )?;
    }
    Ok(file.into_inner()?)
}

async fn claim(claimer: &Claimer, durations: &mut Durations) -> anyhow::Result<()> {
    let start = Instant::now();
    let claimed = claimer.claim(CLAIMED_AT_ONCE).await?;
    durations.add(start.elapsed());
    ensure!(
        claimed.len() == CLAIMED_AT_ONCE,
        "{} claimed",
        claimed.len()
    );
    tokio::time::sleep(CLAIMED_EVERY.saturating_sub(start.elapsed())).await;
    Ok(())
}

/// Adds the list as a job, while the other campaign is claimed for.
async fn add(
    claimer: &Claimer,
    company_id: CompanyId,
    campaign_id: CampaignId,
    file: UploadedFile,
) -> anyhow::Result<(Duration, voicesurvey::call_list::Upload, Durations, u64)> {
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(IdGenerator::from_entropy(clock.clone()));
    let store = Arc::new(claimer.store.clone());
    let uploads = Uploads::new(Campaigns::new(store, clock, ids, Arc::new(NoWakeUp)));
    let actor = Actor {
        company_id,
        api_key_id: samples::id(),
        role: Role::Manager,
    };
    let upload = uploads.begin(&actor, campaign_id, "customers.csv").await?;
    let is_over = Arc::new(AtomicBool::new(false));
    let peak = Arc::new(AtomicU64::new(0));
    let (watched, most) = (is_over.clone(), peak.clone());
    let watching = tokio::spawn(async move {
        while !watched.load(Ordering::Relaxed) {
            most.fetch_max(resident_megabytes().unwrap_or(0), Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let start = Instant::now();
    let adding = tokio::spawn(async move {
        let progress = UploadProgress::default();
        uploads.run(&actor, upload, &file, &progress, &Alone).await
    });
    let mut durations = Durations::default();
    while !adding.is_finished() {
        claim(claimer, &mut durations).await?;
    }
    let upload = adding.await??;
    let took = start.elapsed();
    is_over.store(true, Ordering::Relaxed);
    watching.await?;
    ensure!(upload.failure.is_none(), "{upload:?}");
    Ok((took, upload, durations, peak.load(Ordering::Relaxed)))
}

/// Takes the campaign's rows out and puts them back by `COPY`.
async fn copy(url: &str, campaign_id: CampaignId) -> anyhow::Result<Duration> {
    use futures_util::TryStreamExt as _;

    let mut database = PgConnection::connect(url).await?;
    let scope = "SELECT set_config('voicesurvey.scope', 'platform', false)";
    database.execute(scope).await?;
    let out = format!(
        "COPY (SELECT * FROM call_tasks WHERE campaign_id = '{campaign_id}' ORDER BY id) TO STDOUT"
    );
    let mut rows = Vec::new();
    let mut parts = database.copy_out_raw(&out).await?;
    while let Some(part) = parts.try_next().await? {
        rows.extend_from_slice(&part);
    }
    drop(parts);
    let remove = format!("DELETE FROM call_tasks WHERE campaign_id = '{campaign_id}'");
    database.execute(AssertSqlSafe(remove)).await?;
    database.execute("VACUUM call_tasks").await?;
    database.execute("CHECKPOINT").await.ok();
    // COPY refuses a table whose rows are hidden from whoever copies.
    database
        .execute("ALTER TABLE call_tasks NO FORCE ROW LEVEL SECURITY")
        .await?;
    let start = Instant::now();
    let mut copying = database.copy_in_raw("COPY call_tasks FROM STDIN").await?;
    for part in rows.chunks(1 << 20) {
        copying.send(part).await?;
    }
    copying.finish().await?;
    let took = start.elapsed();
    database
        .execute("ALTER TABLE call_tasks FORCE ROW LEVEL SECURITY")
        .await?;
    Ok(took)
}
