//! A whole campaign in one process: no database, no account, no waiting.
//!
//! The store lives in memory, the people are simulated, and the clock jumps from one event to the
//! next, so that two days of calling take a moment. Run it with
//!
//! ```text
//! cargo run --example campaign_in_memory
//! ```
#![expect(clippy::print_stdout, reason = "an example prints what it found")]

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use voicesurvey::api_key::{Actor, Role};
use voicesurvey::call_list::{CallList, CallListRow};
use voicesurvey::call_task::TaskStatus;
use voicesurvey::campaign::{CallSettings, Campaign, CampaignStatus, Pacing, RetryPolicy};
use voicesurvey::company::CompanyLimits;
use voicesurvey::contact_record::ContactFilter;
use voicesurvey::id::{CampaignId, IdGenerator};
use voicesurvey::interpretation::rules::RulesInterpreter;
use voicesurvey::language::Language;
use voicesurvey::memory::MemoryStorage;
use voicesurvey::pace::Pace;
use voicesurvey::ports::NoWakeUp;
use voicesurvey::results::QuestionResult;
use voicesurvey::service::{
    CampaignService, Companies, Engine, EngineParts, EngineSettings, NewApiKey, NewCampaign,
    NewCompany, NewSchedule, Reports,
};
use voicesurvey::simulator::{Ledger, SimulatedProvider, SimulationSettings};
use voicesurvey::survey::{Question, QuestionKind, Survey};
use voicesurvey::time::{Clock, ManualClock, Timestamp};

/// What the example leaves behind, for tests.
#[derive(Debug)]
pub struct Summary {
    /// The campaign, completed.
    pub campaign: Campaign,
    /// Tasks by status.
    pub tasks: BTreeMap<TaskStatus, u64>,
    /// What was answered.
    pub results: Vec<QuestionResult>,
    /// Every telephone that rang.
    pub ledger: Ledger,
    /// When it was over.
    pub ended_at: Timestamp,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let summary = run(200, 7).await?;
    println!("{} at {}", summary.campaign.status, summary.ended_at);
    for (status, tasks) in &summary.tasks {
        println!("{tasks:>5} {status}");
    }
    for result in &summary.results {
        println!(
            "{}: {} answered {:?}",
            result.text, result.answered, result.values
        );
    }
    Ok(())
}

/// Calls `people` simulated people to the end.
pub async fn run(people: u32, seed: u64) -> Result<Summary> {
    let clock = Arc::new(ManualClock::new("2026-11-17T07:55:00Z".parse()?));
    let storage = Arc::new(MemoryStorage::default());
    let settings = SimulationSettings {
        seed,
        ..SimulationSettings::default()
    };
    let provider = Arc::new(SimulatedProvider::new(clock.clone(), settings));
    let ids = Arc::new(IdGenerator::from_seed(clock.clone(), seed));
    let engine = Engine::new(EngineParts {
        storage: storage.clone(),
        queue: storage.clone(),
        provider: provider.clone(),
        interpreter: Arc::new(RulesInterpreter::new()),
        clock: clock.clone(),
        ids: ids.clone(),
        wake_up: Arc::new(NoWakeUp),
        settings: EngineSettings::default(),
    });

    let companies = Companies::new(storage.clone(), clock.clone(), ids, Arc::new(NoWakeUp));
    let actor = company_with_key(&companies).await?;
    let campaign = engine.campaigns().create(&actor, campaign()).await?;
    engine
        .campaigns()
        .upload(&actor, campaign.id, call_list(people).into())
        .await?;
    engine.campaigns().start(&actor, campaign.id).await?;

    let reports = Reports::new(storage);
    run_to_the_end(&engine, &provider, &clock, &reports, &actor, campaign.id).await?;
    let (campaign, counters) = reports.campaign(&actor, campaign.id).await?;
    let everybody = ContactFilter::default();
    let results = reports
        .results(&actor, campaign.id, everybody, None)
        .await?;
    Ok(Summary {
        tasks: counters.tasks,
        results: results.all.questions,
        ledger: provider.ledger(),
        ended_at: clock.now(),
        campaign,
    })
}

/// Does what is due, then lets the clock jump to whatever comes next: a telephone or the engine.
async fn run_to_the_end(
    engine: &Engine,
    provider: &SimulatedProvider,
    clock: &ManualClock,
    reports: &Reports,
    actor: &Actor,
    campaign_id: CampaignId,
) -> Result<()> {
    loop {
        while engine.step().await? > 0 {}
        provider.deliver_due(engine.webhooks()).await;
        let (campaign, _) = reports.campaign(actor, campaign_id).await?;
        if campaign.status == CampaignStatus::Completed {
            return Ok(());
        }
        let next = [engine.next_step_at().await?, provider.next_event_at()]
            .into_iter()
            .flatten();
        clock.set(
            next.min()
                .context("nothing is left to wait for")?
                .max(clock.now()),
        );
    }
}

async fn company_with_key(companies: &Companies) -> Result<Actor> {
    let company = companies
        .create(NewCompany {
            name: "Rossi S.p.A.".to_owned(),
            time_zone: "Europe/Rome".parse()?,
            region: "IT".parse()?,
            language: Language::It,
            limits: CompanyLimits::default(),
        })
        .await?;
    let new = NewApiKey {
        name: "example".to_owned(),
        role: Role::Admin,
        expires_at: None,
    };
    let (_, secret) = companies.create_first_key(company.id, new).await?;
    companies
        .authenticate(secret.reveal())
        .await?
        .context("the key was just made")
}

fn campaign() -> NewCampaign {
    let question = |key: &str, text: &str, kind| Question {
        key: key.to_owned(),
        text: text.to_owned(),
        kind,
        required: false,
        retries: 2,
        show_if: None,
    };
    NewCampaign {
        name: "Soddisfazione".to_owned(),
        description: String::new(),
        skillbase_id: None,
        language: None,
        survey: Survey {
            intro_script: "Ciao {{name}}, possiamo farle tre domande?".to_owned(),
            consent_question: None,
            questions: vec![
                question("mood", "Come sta oggi?", QuestionKind::FreeText),
                question(
                    "score",
                    "Da 1 a 5, quanto è soddisfatto?",
                    QuestionKind::Scale {
                        min: 1,
                        max: 5,
                        labels: Vec::new(),
                    },
                ),
                question(
                    "coffees",
                    "Quanti caffè beve al giorno?",
                    QuestionKind::Numeric {
                        min: Some(0.into()),
                        max: Some(20.into()),
                        decimals: false,
                    },
                ),
            ],
            completion_message: "Grazie, abbiamo finito.".to_owned(),
            translations: BTreeMap::new(),
        },
        schedule: NewSchedule::default(),
        pacing: Pacing {
            max_concurrent_calls: 10,
            pace: Pace::per_minute(60),
        },
        retry: RetryPolicy::default(),
        target: None,
        quotas: None,
        budget: None,
        recording: false,
        calls: CallSettings::default(),
    }
}

fn call_list(people: u32) -> CallList {
    let rows = (0..people).map(|index| CallListRow {
        row: u64::from(index) + 2,
        phone_number: format!("+39 347 {:07}", 1_000_000 + index),
        name: format!("Persona {index}"),
        ..CallListRow::default()
    });
    CallList {
        file_name: "people.csv".to_owned(),
        columns: vec!["phone_number".to_owned(), "name".to_owned()],
        rows: rows.collect(),
    }
}
