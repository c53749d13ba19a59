//! One person's whole way through the engine, from the upload to the end of the campaign, with one
//! stage of it on the connection that is cut.

use std::collections::HashMap;
use std::num::NonZeroU16;
use std::sync::Mutex;

use async_trait::async_trait;
use voicesurvey_core::api_key::{Actor, Role};
use voicesurvey_core::call_list::{CallList, CallListRow};
use voicesurvey_core::call_task::TaskState;
use voicesurvey_core::campaign::{Campaign, CampaignStatus};
use voicesurvey_core::company::Company;
use voicesurvey_core::ports::{
    Scope, Storage as _, TaskQueue as _, UnitOfWork, WebhookReply, WebhookRequest,
};
use voicesurvey_core::service::{CampaignService as _, Engine};
use voicesurvey_core::survey::Question;
use voicesurvey_core::testing::samples::{self, SampleCampaign as _};
use voicesurvey_core::time::Clock as _;
use voicesurvey_simulator::WebhookSink;

use super::world::{Answer, World};
use crate::proxy::Cut;

/// More steps than any trial needs: one that takes them is stuck.
const MOST_STEPS: usize = 200;
const MANY: NonZeroU16 = NonZeroU16::new(20).unwrap();

/// A write transaction of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Upload,
    Start,
    Claim,
    /// What the provider said to the order is recorded.
    Dial,
    /// The server died after the claim; the attempt's lease has run out.
    Recover,
    /// The webhook of that endpoint with that number, from 1.
    Webhook(&'static str, usize),
    Finish,
}

/// What there is of the company around the stage and at the end, one line per row.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) before: Vec<String>,
    /// After the last try.
    pub(super) after: Vec<String>,
    /// Whether the last try said that it failed.
    pub(super) failed: bool,
    /// Where the last try was cut; `None` if it came to its end first.
    pub(super) cut: Option<Cut>,
    /// Tries before the last, all of which failed and left nothing behind.
    pub(super) undone: u32,
    pub(super) result: Vec<String>,
}

/// Every row, without identifiers and instants, which differ from trial to trial.
const ROWS: &str = "
    SELECT format('campaign %s', status) FROM campaigns WHERE company_id = $1
    UNION ALL SELECT format('upload of %s, %s in campaign', created, duplicates_in_campaign)
        FROM uploads WHERE company_id = $1
    UNION ALL SELECT format('task %s %s %s, %s attempts, %s spent',
            status, reason, outcome, attempts_count, attempts_spent)
        FROM call_tasks WHERE company_id = $1
    UNION ALL SELECT format('attempt %s %s %s', attempt_number, state, outcome)
        FROM call_attempts WHERE company_id = $1
    UNION ALL SELECT format('conversation at %s, %s turns, %s', step, turns, outcome)
        FROM conversations WHERE company_id = $1
    UNION ALL SELECT format('turn %s %s: %s', sequence, speaker, words)
        FROM turns WHERE company_id = $1
    UNION ALL SELECT format('consent %s', given) FROM consents WHERE company_id = $1
    UNION ALL SELECT format('answer %s %s', question_key, result)
        FROM answers WHERE company_id = $1
    UNION ALL SELECT format('response %s', complete) FROM survey_responses WHERE company_id = $1
    UNION ALL SELECT format('excluded %s', phone_number) FROM exclusions WHERE company_id = $1
    UNION ALL SELECT format('event %s', event -> 'kind') FROM call_events WHERE company_id = $1
    UNION ALL SELECT format('told %s', kind) FROM outbox_events WHERE company_id = $1
    UNION ALL SELECT format('counted %s %s %s', kind, name, count)
        FROM campaign_counters WHERE company_id = $1 AND count <> 0
    UNION ALL SELECT format('in flight %s', in_flight)
        FROM campaign_queue WHERE company_id = $1
    UNION ALL SELECT format('in flight in company %s', in_flight)
        FROM company_queue WHERE company_id = $1";

/// What has become of everything, whatever it took: an attempt that was not dialed, and a call
/// list that was uploaded again, are no difference.
const RESULT: &str = "
    SELECT format('campaign %s', status) FROM campaigns WHERE company_id = $1
    UNION ALL SELECT format('uploaded %s', sum(created)) FROM uploads WHERE company_id = $1
    UNION ALL SELECT format('task %s %s %s, %s spent', status, reason, outcome, attempts_spent)
        FROM call_tasks WHERE company_id = $1
    UNION ALL SELECT format('attempt %s %s', state, outcome)
        FROM call_attempts WHERE company_id = $1 AND NOT (
            provider_call_id IS NULL AND outcome IN ('cancelled', 'provider_failure'))
    UNION ALL SELECT format('conversation at %s, %s turns, %s', step, turns, outcome)
        FROM conversations WHERE company_id = $1
    UNION ALL SELECT format('turn %s %s: %s', sequence, speaker, words)
        FROM turns WHERE company_id = $1
    UNION ALL SELECT format('consent %s', given) FROM consents WHERE company_id = $1
    UNION ALL SELECT format('answer %s %s', question_key, result)
        FROM answers WHERE company_id = $1
    UNION ALL SELECT format('response %s', complete) FROM survey_responses WHERE company_id = $1
    UNION ALL SELECT format('excluded %s', phone_number) FROM exclusions WHERE company_id = $1
    UNION ALL SELECT format('event %s', event -> 'kind') FROM call_events WHERE company_id = $1
    UNION ALL SELECT format('told %s', kind) FROM outbox_events WHERE company_id = $1
    UNION ALL SELECT format('in flight %s', in_flight)
        FROM campaign_queue WHERE company_id = $1
    UNION ALL SELECT format('in flight in company %s', in_flight)
        FROM company_queue WHERE company_id = $1";

/// What is tried, again and again with another cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    stage: Stage,
    answer: Answer,
    questions: usize,
}

impl Trial {
    /// A call that the provider takes, with one question.
    pub(super) const fn of(stage: Stage) -> Self {
        Self {
            stage,
            answer: Answer::Taken,
            questions: 1,
        }
    }

    /// The provider answers that to the first order.
    pub(super) const fn answered(self, answer: Answer) -> Self {
        Self { answer, ..self }
    }

    /// With that many questions.
    pub(super) const fn with_questions(self, questions: usize) -> Self {
        Self { questions, ..self }
    }

    /// Leads one person of a new company through the engine. The stage is cut at that message, and
    /// tried again with a cut at the next one, until it is there.
    pub(super) async fn run(self, world: &World, cut: Option<Cut>) -> Seen {
        world.provider.answers(self.answer);
        let company = samples::company();
        let mut campaign = samples::campaign(&company);
        let question = campaign.settings.survey.questions.remove(0);
        campaign.settings.survey.questions = (1..=self.questions)
            .map(|number| Question {
                key: format!("question_{number}"),
                ..question.clone()
            })
            .collect();
        let run = Run {
            world,
            trial: self,
            watch: Mutex::new(Watch {
                cut,
                ..Watch::default()
            }),
            company,
            campaign,
            orders_before: world.provider.orders(),
            delivered: Mutex::default(),
        };
        match self.stage {
            Stage::Upload | Stage::Start => run.fill_and_start().await,
            _ => run.insert_started().await,
        }
        Box::pin(run.first_call()).await;
        run.to_the_end().await;
        run.seen().await
    }
}

/// The stage while it is watched, and afterwards.
#[derive(Debug, Default)]
struct Watch {
    /// Where the next try is cut.
    cut: Option<Cut>,
    before: Option<Vec<String>>,
    undone: u32,
    after: Option<Vec<String>>,
    failed: bool,
    was_cut: bool,
}

struct Run<'a> {
    world: &'a World,
    trial: Trial,
    company: Company,
    campaign: Campaign,
    /// Orders of the runs before.
    orders_before: usize,
    watch: Mutex<Watch>,
    delivered: Mutex<HashMap<String, usize>>,
}

impl Run<'_> {
    /// The engine for a stage: the one whose connection is cut, if this is the stage.
    async fn engine(&self, stage: Stage) -> &Engine {
        let is_over = self.watch.lock().unwrap().after.is_some();
        if stage != self.trial.stage || is_over {
            return &self.world.direct;
        }
        let before = self.rows().await;
        self.world.connect().await;
        // Nothing may be awaited from here until the stage begins: the pool looks after its
        // connection now, and those messages are counted too.
        let mut watch = self.watch.lock().unwrap();
        watch.before.get_or_insert(before);
        self.world.proxy.arm(watch.cut);
        &self.world.proxied
    }

    /// Looks at what a stage has left, if it was the one; `true` when it is to be tried again.
    async fn goes_on(&self, failed: bool) -> bool {
        let before = {
            let watch = self.watch.lock().unwrap();
            watch.before.clone().filter(|_| watch.after.is_none())
        };
        let Some(before) = before else {
            return false;
        };
        let was_cut = self.world.proxy.disarm();
        if was_cut {
            self.world.proxy.cut_is_over().await;
        }
        let after = self.rows().await;
        let mut watch = self.watch.lock().unwrap();
        if was_cut && failed && after == before && !self.was_asked() {
            watch.undone += 1;
            watch.cut = watch.cut.map(Cut::next);
            return true;
        }
        watch.after = Some(after);
        (watch.failed, watch.was_cut) = (failed, was_cut);
        false
    }

    /// Whether the stage has asked the provider to dial: then it cannot simply be tried again.
    fn was_asked(&self) -> bool {
        self.trial.stage == Stage::Dial && self.world.provider.orders() > self.orders_before
    }

    async fn rows(&self) -> Vec<String> {
        self.world.lines(ROWS, self.company.id).await
    }

    async fn insert(&self, work: &mut dyn UnitOfWork, campaign: &Campaign) {
        work.companies().insert(&self.company).await.unwrap();
        let skillbase = samples::skillbase(&self.company);
        work.skillbases().insert(&skillbase).await.unwrap();
        work.campaigns().insert(campaign).await.unwrap();
    }

    /// Uploads and starts; what failed is done again, as whoever asked for it would.
    async fn fill_and_start(&self) {
        let mut work = self.world.storage.begin(Scope::Platform).await.unwrap();
        self.insert(&mut *work, &self.campaign).await;
        work.commit().await.unwrap();
        let actor = Actor {
            company_id: self.company.id,
            api_key_id: samples::id(),
            role: Role::Manager,
        };
        let call_list = CallList {
            file_name: "people.csv".to_owned(),
            columns: vec!["phone_number".to_owned()],
            rows: vec![CallListRow {
                row: 2,
                phone_number: samples::phone_number(1).to_string(),
                ..CallListRow::default()
            }],
        };
        let id = self.campaign.id;
        loop {
            let campaigns = self.engine(Stage::Upload).await.campaigns();
            let uploaded = campaigns.upload(&actor, id, call_list.clone().into()).await;
            if !self.goes_on(uploaded.is_err()).await && uploaded.is_ok() {
                break;
            }
        }
        while self.status().await == CampaignStatus::Draft {
            let campaigns = self.engine(Stage::Start).await.campaigns();
            let started = campaigns.start(&actor, id).await;
            self.goes_on(started.is_err()).await;
        }
    }

    /// A campaign that runs. Another one of the company has the same person on its list, and never
    /// starts.
    async fn insert_started(&self) {
        let now = self.world.clock.now();
        let started = self.campaign.clone().running();
        let other = samples::campaign(&self.company);
        let mut work = self.world.storage.begin(Scope::Platform).await.unwrap();
        self.insert(&mut *work, &started).await;
        work.campaigns().insert(&other).await.unwrap();
        for campaign in [&started, &other] {
            let mut tasks = samples::tasks(campaign, 1, 1);
            tasks[0].state = TaskState::Pending { due_at: now };
            // A task is claimable when it is written due.
            tasks[0].updated_at = now;
            work.call_tasks().insert_many(&tasks).await.unwrap();
        }
        work.commit().await.unwrap();
    }

    async fn first_call(&self) {
        // Or the first claim would find its lane closed, and the one after it would be another
        // number of messages long.
        let storage = &self.world.storage;
        let now = self.world.clock.now();
        storage.review_lanes(now, NonZeroU16::MAX).await.unwrap();
        let claimed = loop {
            let dispatcher = self.engine(Stage::Claim).await.dispatcher();
            let claimed = dispatcher.claim().await;
            if !self.goes_on(claimed.is_err()).await {
                break claimed.unwrap_or_default().tasks;
            }
        };
        if self.trial.stage == Stage::Recover {
            return;
        }
        for claimed in claimed {
            loop {
                let dispatcher = self.engine(Stage::Dial).await.dispatcher();
                let recorded = dispatcher.dial(claimed.clone()).await;
                // Recovery looks after a dial that was not recorded.
                if !self.goes_on(recorded.is_err()).await {
                    break;
                }
            }
        }
    }

    /// Goes from instant to instant until nothing is left to do.
    async fn to_the_end(&self) {
        let world = self.world;
        for _ in 0..MOST_STEPS {
            if let Some(at) = world.provider.simulated.next_event_at() {
                world.wait_until(at);
                world.provider.simulated.deliver_due(self).await;
                continue;
            }
            let moved = self.step().await;
            if self.status().await == CampaignStatus::Completed {
                return;
            }
            if moved == 0
                && let Some(at) = world.direct.next_step_at().await.unwrap()
            {
                world.wait_until(at);
            }
        }
        panic!("I7: it never ends: {:#?}", self.rows().await);
    }

    async fn step(&self) -> u64 {
        let direct = &self.world.direct;
        let now = self.world.clock.now();
        let mut moved = direct.scheduler().tick().await.unwrap();
        let expired = self.world.storage.expired_attempts(now, MANY).await;
        if !expired.unwrap().is_empty() {
            let recovery = self.engine(Stage::Recover).await.recovery();
            let recovered = recovery.tick(MANY).await;
            // An attempt that could not be looked after is logged, and is no progress.
            self.goes_on(!matches!(recovered, Ok(1..))).await;
            moved += 1;
        }
        moved += direct.dispatcher().tick().await.unwrap() as u64;
        let done = self.world.storage.campaigns_to_finish(MANY).await;
        if !done.unwrap().is_empty() {
            let scheduler = self.engine(Stage::Finish).await.scheduler();
            let finished = scheduler.finish_done().await;
            self.goes_on(!matches!(finished, Ok(1..))).await;
            moved += 1;
        }
        moved
    }

    async fn status(&self) -> CampaignStatus {
        let scope = Scope::Company(self.company.id);
        let mut work = self.world.storage.begin(scope).await.unwrap();
        let campaign = work.campaigns().get(self.campaign.id).await.unwrap();
        campaign.unwrap().status
    }

    async fn seen(self) -> Seen {
        let mut result = self.world.lines(RESULT, self.company.id).await;
        let ledger = self.world.provider.simulated.ledger();
        assert_eq!(ledger.dialed_twice(), [], "I3");
        assert!(ledger.rung_at_once().is_empty(), "I3");
        let rings = ledger.rings().iter();
        let rings = rings.filter(|ring| ring.company_id == self.company.id);
        result.push(format!("rang {} times", rings.count()));
        // OK because every stage occurs on the way.
        let watch = self.watch.into_inner().unwrap();
        Seen {
            before: watch.before.unwrap(),
            after: watch.after.unwrap(),
            failed: watch.failed,
            cut: watch.cut.filter(|_| watch.was_cut),
            undone: watch.undone,
            result,
        }
    }
}

#[async_trait]
impl WebhookSink for Run<'_> {
    async fn deliver(&self, request: WebhookRequest) -> WebhookReply {
        let count = {
            let mut delivered = self.delivered.lock().unwrap();
            let count = delivered.entry(request.endpoint.clone()).or_default();
            *count += 1;
            *count
        };
        let stage = match self.trial.stage {
            stage @ Stage::Webhook(endpoint, number)
                if (endpoint, number) == (request.endpoint.as_str(), count) =>
            {
                stage
            }
            // Any webhook that is not to be cut.
            _ => Stage::Webhook("", 0),
        };
        loop {
            let webhooks = self.engine(stage).await.webhooks();
            let reply = webhooks.deliver(request.clone()).await;
            // The provider reads off the reply whether to send it again.
            if !self.goes_on(reply.status >= 500).await {
                return reply;
            }
        }
    }
}
