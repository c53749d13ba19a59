//! Files of everybody in a campaign, beside a raw `COPY` of the same rows out of the database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::TryStreamExt as _;
use sqlx::postgres::PgConnection;
use voicesurvey::api_key::{Actor, Role};
use voicesurvey::contact_record::ContactFilter;
use voicesurvey::export::{Delimiter, ExportFormat, ExportKind, ExportOrder};
use voicesurvey::id::{CampaignId, IdGenerator};
use voicesurvey::rates::Thresholds;
use voicesurvey::service::Exports;
use voicesurvey::testing::samples;
use voicesurvey::time::SystemClock;
use voicesurvey_server::exports::ExportWriter;

use crate::fill::{self, CampaignOfBench};
use crate::measure::resident_megabytes;

/// What is needed of everybody for a file of results, as one query.
const ROWS: &str = "
    COPY (
        SELECT task.*, attempt.*, conversation.language, answer.*, response.*
        FROM call_tasks AS task
        LEFT JOIN call_attempts AS attempt
            ON attempt.company_id = task.company_id AND attempt.task_id = task.id
        LEFT JOIN conversations AS conversation
            ON conversation.company_id = task.company_id AND conversation.attempt_id = attempt.id
        LEFT JOIN answers AS answer
            ON answer.company_id = task.company_id AND answer.task_id = task.id
        LEFT JOIN survey_responses AS response
            ON response.company_id = task.company_id AND response.task_id = task.id
        ORDER BY task.created_at, task.id
    ) TO STDOUT";

pub(crate) async fn run(url: &str, people: u32) -> anyhow::Result<()> {
    let CampaignOfBench {
        store,
        mut database,
        company_id,
        campaign_id,
    } = fill::one_campaign(url, people, include_str!("export.sql")).await?;
    let actor = Actor {
        company_id,
        api_key_id: samples::id(),
        role: Role::Manager,
    };
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(IdGenerator::from_entropy(clock.clone()));
    let exports = Exports::new(Arc::new(store), clock, ids, TimeDelta::hours(1));
    let raw = copy(&mut database).await?;
    println!("raw COPY of {people} people: {:.1} s", raw.as_secs_f64());
    for (kind, format) in [
        (ExportKind::Results, ExportFormat::Csv),
        (ExportKind::Results, ExportFormat::Xlsx),
        (ExportKind::Results, ExportFormat::Parquet),
        (ExportKind::Answers, ExportFormat::Csv),
        (ExportKind::Transcripts, ExportFormat::Csv),
    ] {
        let written = write(&exports, &actor, campaign_id, kind, format).await?;
        println!(
            "{} as {}: {:.1} s, {:.2} times as long; {} MB; memory {} MB before, {} MB at most",
            kind.name(),
            format.name(),
            written.took.as_secs_f64(),
            written.took.as_secs_f64() / raw.as_secs_f64(),
            written.bytes / 1_000_000,
            written.before,
            written.most,
        );
    }
    Ok(())
}

/// What a file cost.
struct Written {
    took: Duration,
    bytes: usize,
    before: u64,
    most: u64,
}

async fn write(
    exports: &Exports,
    actor: &Actor,
    campaign_id: CampaignId,
    kind: ExportKind,
    format: ExportFormat,
) -> anyhow::Result<Written> {
    let order = ExportOrder {
        kind,
        format,
        delimiter: Delimiter::Comma,
        filter: ContactFilter::default(),
        thresholds: Thresholds::default(),
    };
    let before = resident_megabytes().unwrap_or(0);
    let (mut bytes, mut most) = (0, before);
    let start = Instant::now();
    let (_, plan) = exports.stream(actor, campaign_id, order).await?;
    let mut writer = ExportWriter::new(exports.clone(), plan)?;
    while let Some(part) = writer.next().await? {
        bytes += part.len();
        most = most.max(resident_megabytes().unwrap_or(0));
    }
    Ok(Written {
        took: start.elapsed(),
        bytes,
        before,
        most,
    })
}

async fn copy(database: &mut PgConnection) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let mut parts = database.copy_out_raw(ROWS).await?;
    while let Some(part) = parts.try_next().await? {
        std::hint::black_box(part);
    }
    Ok(start.elapsed())
}
