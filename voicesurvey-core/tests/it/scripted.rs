//! A world in one process: the engine over memory, a clock that stands still until the test moves
//! it, and a provider that does what the test tells it to do.

mod faulty;
mod provider;

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::TimeDelta;
use voicesurvey_core::api_key::{Actor, Role};
use voicesurvey_core::call_attempt::{AnsweredBy, CallAttempt, CallEvent, CallEventKind, Leases};
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::company::Company;
use voicesurvey_core::conversation::{Answer, Consent, Heard, SurveyResponse, VoiceReply};
use voicesurvey_core::id::{CallAttemptId, IdGenerator};
use voicesurvey_core::interpretation::AnswerInterpreter;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::repositories::{CallAttemptFilter, CampaignCounters};
use voicesurvey_core::ports::{
    CallReference, NoWakeUp, PageRequest, Scope, Storage, TelephonyProvider as _, UnitOfWork,
    WakeUp, Webhook, WebhookRequest,
};
use voicesurvey_core::service::companies::CompanyChanges;
use voicesurvey_core::service::reports::{Standing, WhyNotNow};
use voicesurvey_core::service::{
    CallEvents, CampaignService, Companies, Engine, EngineParts, EngineSettings, Interviews,
    Reports, UnresolvedCalls,
};
use voicesurvey_core::survey::Question;
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::{Clock, ManualClock, Timestamp};

pub(crate) use self::faulty::FailsToCommit;
pub(crate) use self::provider::{Answers, Knows, ScriptedProvider};

/// More steps than any test needs: whoever takes them goes in circles.
const MOST_STEPS: usize = 5_000;

/// One company, its engine and its provider.
pub(crate) struct World {
    pub(crate) store: MemoryStorage,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) provider: Arc<ScriptedProvider>,
    pub(crate) engine: Engine,
    pub(crate) company: Company,
    pub(crate) actor: Actor,
    ids: Arc<IdGenerator>,
    interviews: Interviews,
    pub(crate) call_events: CallEvents,
    events_told: AtomicU64,
    bell: Arc<CountingBell>,
}

/// Counts how often news of calls rings it.
#[derive(Debug, Default)]
struct CountingBell(AtomicU64);

impl WakeUp for CountingBell {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::over(ScriptedProvider::named("scripted")).await
    }

    /// A world whose provider is to be asked for prices.
    pub(crate) async fn with_prices() -> Self {
        Self::over(ScriptedProvider::with_prices("scripted")).await
    }

    async fn over(provider: Arc<ScriptedProvider>) -> Self {
        let store = MemoryStorage::default().with_number_keys(samples::number_keys());
        let clock = Arc::new(ManualClock::new(samples::now()));
        let ids = Arc::new(IdGenerator::from_seed(clock.clone(), 1));
        let company = add_company(&store).await;
        let storage: Arc<dyn Storage> = Arc::new(store.clone());
        let bell = Arc::new(CountingBell::default());
        Self {
            engine: engine(&store, storage.clone(), &provider, &clock, &ids),
            interviews: Interviews::new(
                storage.clone(),
                Arc::new(RulesInterpreter::new()),
                clock.clone(),
                ids.clone(),
                Leases::default(),
            ),
            call_events: CallEvents::new(
                storage,
                clock.clone(),
                ids.clone(),
                bell.clone(),
                Leases::default(),
            )
            .asking_for_prices(provider.prices_are_asked_for()),
            actor: Actor {
                company_id: company.id,
                api_key_id: samples::id(),
                role: Role::Manager,
            },
            events_told: AtomicU64::new(0),
            bell,
            store,
            clock,
            provider,
            company,
            ids,
        }
    }

    /// Another engine over the same rows, such as a server that was started with another provider.
    pub(crate) fn engine_with(
        &self,
        storage: Arc<dyn Storage>,
        provider: &Arc<ScriptedProvider>,
    ) -> Engine {
        engine(&self.store, storage, provider, &self.clock, &self.ids)
    }

    /// Interviews in which somebody else understands.
    pub(crate) fn interviews_with(&self, interpreter: Arc<dyn AnswerInterpreter>) -> Interviews {
        Interviews::new(
            Arc::new(self.store.clone()),
            interpreter,
            self.clock.clone(),
            self.ids.clone(),
            Leases::default(),
        )
    }

    /// How often news of calls has rung the bell.
    pub(crate) fn rung(&self) -> u64 {
        self.bell.0.load(Ordering::Relaxed)
    }

    /// Resolves calls of which nobody knows what became of them.
    pub(crate) fn unresolved_calls(&self) -> UnresolvedCalls {
        UnresolvedCalls::new(
            Arc::new(self.store.clone()),
            self.clock.clone(),
            self.ids.clone(),
            Arc::new(NoWakeUp),
        )
    }

    /// Changes the company as its operator does.
    pub(crate) async fn change_company(&self, changes: CompanyChanges) {
        let store = Arc::new(self.store.clone());
        let (clock, ids) = (self.clock.clone(), self.ids.clone());
        let companies = Companies::new(store, clock, ids, Arc::new(NoWakeUp));
        companies.change(self.company.id, changes).await.unwrap();
    }

    /// Why the person of a task is not being called now.
    pub(crate) async fn why_not_now(&self, task: &CallTask) -> Option<WhyNotNow> {
        let reports = Reports::new(Arc::new(self.store.clone()));
        let now = self.clock.now();
        let why = reports.why_not_now(&self.actor, task.id, now).await;
        why.unwrap()
    }

    /// Where a campaign stands now.
    pub(crate) async fn standing(&self, campaign: &Campaign) -> Standing {
        let reports = Reports::new(Arc::new(self.store.clone()));
        let now = self.clock.now();
        let standing = reports.standing(&self.actor, campaign.id, now).await;
        standing.unwrap()
    }

    /// A unit of work that sees everything.
    pub(crate) async fn work(&self) -> Box<dyn UnitOfWork> {
        self.store.begin(Scope::Platform).await.unwrap()
    }

    /// Stores a campaign and its tasks as they are.
    pub(crate) async fn insert(&self, campaign: &Campaign, tasks: &[CallTask]) {
        let mut work = self.work().await;
        work.campaigns().insert(campaign).await.unwrap();
        work.call_tasks().insert_many(tasks).await.unwrap();
        work.commit().await.unwrap();
    }

    /// Stores a campaign and its tasks, and starts it.
    pub(crate) async fn start(&self, campaign: &Campaign, tasks: &[CallTask]) {
        self.insert(campaign, tasks).await;
        let campaigns = self.engine.campaigns();
        campaigns.start(&self.actor, campaign.id).await.unwrap();
    }

    /// Steps until nothing is due.
    pub(crate) async fn step(&self) {
        for _ in 0..MOST_STEPS {
            if self.engine.step().await.unwrap() == 0 {
                return;
            }
        }
        panic!("there is no end of things to do");
    }

    /// Lives as a program that embeds the engine does, until that instant: steps until nothing is
    /// due, and sleeps until the instant that the engine names.
    pub(crate) async fn follow_until(&self, end: Timestamp) {
        for _ in 0..MOST_STEPS {
            self.step().await;
            match self.engine.next_step_at().await.unwrap() {
                Some(next) if next <= end => {
                    assert!(next > self.clock.now(), "nothing is due, and yet {next} is");
                    self.clock.set(next);
                }
                _ => {
                    self.clock.set(end);
                    return;
                }
            }
        }
        panic!("it is woken again and again");
    }

    /// Lives like that for a while.
    pub(crate) async fn follow_for(&self, time: TimeDelta) {
        self.follow_until(self.clock.now() + time).await;
    }

    /// Lets recovery look, and nobody dial.
    pub(crate) async fn recover(&self) {
        let at_most = NonZeroU16::new(10).unwrap();
        self.engine.recovery().tick(at_most).await.unwrap();
    }

    pub(crate) async fn task(&self, task: &CallTask) -> CallTask {
        self.work()
            .await
            .call_tasks()
            .get(task.id)
            .await
            .unwrap()
            .unwrap()
    }

    pub(crate) async fn attempt(&self, id: CallAttemptId) -> CallAttempt {
        self.work()
            .await
            .call_attempts()
            .get(id)
            .await
            .unwrap()
            .unwrap()
    }

    /// The latest attempt of a task.
    pub(crate) async fn latest_attempt(&self, task: &CallTask) -> CallAttempt {
        let filter = CallAttemptFilter {
            task_id: Some(task.id),
            ..CallAttemptFilter::default()
        };
        let mut work = self.work().await;
        let page = PageRequest::default();
        let found = work.call_attempts().list(&filter, &page).await.unwrap();
        found.rows.into_iter().next().unwrap()
    }

    pub(crate) async fn campaign(&self, campaign: &Campaign) -> (Campaign, CampaignCounters) {
        let mut work = self.work().await;
        let found = work.campaigns().get(campaign.id).await.unwrap().unwrap();
        let counters = work.campaigns().counters(campaign.id).await.unwrap();
        (found, counters)
    }

    /// Puts a number on the company's exclusion list behind the engine's back.
    pub(crate) async fn exclude(&self, phone_number: PhoneNumber) {
        let mut work = self.work_of_company().await;
        let exclusion = samples::exclusion(&self.company, phone_number);
        work.exclusions().insert(&exclusion).await.unwrap();
        work.commit().await.unwrap();
    }

    pub(crate) async fn is_excluded(&self, phone_number: PhoneNumber) -> bool {
        let mut work = self.work_of_company().await;
        work.exclusions()
            .get(&phone_number)
            .await
            .unwrap()
            .is_some()
    }

    async fn work_of_company(&self) -> Box<dyn UnitOfWork> {
        let scope = Scope::Company(self.company.id);
        self.store.begin(scope).await.unwrap()
    }

    /// A campaign that calls one person, who has picked up and heard the consent question.
    pub(crate) async fn in_conversation(&self, campaign: &Campaign) -> (CallTask, CallAttempt) {
        let task = samples::task(campaign, samples::phone_number(1).as_str());
        self.start(campaign, std::slice::from_ref(&task)).await;
        self.step().await;
        let attempt = self.latest_attempt(&task).await;
        self.pick_up(&attempt).await;
        (task, attempt)
    }

    /// A person picks up.
    pub(crate) async fn pick_up(&self, attempt: &CallAttempt) -> VoiceReply {
        self.answer(attempt, AnsweredBy::Person).await
    }

    /// Somebody or something picks up.
    pub(crate) async fn answer(&self, attempt: &CallAttempt, by: AnsweredBy) -> VoiceReply {
        let now = self.clock.now();
        let call = reference(attempt);
        self.interviews.answered(&call, by, now).await.unwrap()
    }

    /// The person says something.
    pub(crate) async fn say(&self, attempt: &CallAttempt, words: &str) -> VoiceReply {
        let heard = Heard::Speech {
            words: words.to_owned(),
            confidence: None,
        };
        self.hear(attempt, heard).await
    }

    /// The person says something, presses keys or says nothing, in answer to what was said last.
    pub(crate) async fn hear(&self, attempt: &CallAttempt, heard: Heard) -> VoiceReply {
        let held = self
            .work()
            .await
            .interviews()
            .conversation(attempt.id)
            .await;
        let step = held.unwrap().unwrap().step;
        let call = reference(attempt);
        let turn = self.interviews.turn(&call, step, heard);
        Box::pin(turn).await.unwrap()
    }

    /// The provider tells something.
    pub(crate) async fn tell(&self, attempt: &CallAttempt, kind: CallEventKind) {
        self.tell_at(attempt, kind, self.clock.now()).await;
    }

    /// The provider tells something, and by its own clock when.
    pub(crate) async fn tell_at(&self, attempt: &CallAttempt, kind: CallEventKind, at: Timestamp) {
        let number = self.events_told.fetch_add(1, Ordering::Relaxed);
        let event = CallEvent {
            company_id: attempt.company_id,
            attempt_id: attempt.id,
            event_id: format!("event-{number}"),
            provider_call_id: None,
            kind,
            at,
            raw_status: None,
            error_code: None,
        };
        self.call_events.receive(&event).await.unwrap();
    }

    /// A webhook arrives.
    pub(crate) async fn webhook(&self, webhook: Webhook) {
        self.provider.tells(webhook);
        let request = WebhookRequest::default();
        self.engine.webhooks().handle(&request).await.unwrap();
    }

    /// The verdict of a detector arrives.
    pub(crate) async fn verdict(&self, attempt: &CallAttempt, by: AnsweredBy) {
        let number = self.events_told.fetch_add(1, Ordering::Relaxed);
        let event = CallEvent {
            company_id: attempt.company_id,
            attempt_id: attempt.id,
            event_id: format!("verdict-{number}"),
            provider_call_id: None,
            kind: CallEventKind::Answered { by },
            at: self.clock.now(),
            raw_status: None,
            error_code: None,
        };
        self.webhook(Webhook::Event(event)).await;
    }

    /// The provider tells that the call is over.
    pub(crate) async fn end(&self, attempt: &CallAttempt, outcome: Option<Outcome>) {
        self.tell(attempt, CallEventKind::Ended { outcome }).await;
    }

    pub(crate) async fn answers(&self, task: &CallTask) -> Vec<Answer> {
        self.work()
            .await
            .interviews()
            .answers(task.id)
            .await
            .unwrap()
    }

    pub(crate) async fn response(&self, task: &CallTask) -> Option<SurveyResponse> {
        self.work()
            .await
            .interviews()
            .response(task.id)
            .await
            .unwrap()
    }

    pub(crate) async fn consent(&self, attempt: &CallAttempt) -> Option<Consent> {
        self.work()
            .await
            .interviews()
            .consent(attempt.id)
            .await
            .unwrap()
    }
}

/// A company with the skillbase that sample campaigns name.
pub(crate) async fn add_company(store: &MemoryStorage) -> Company {
    let company = samples::company();
    let mut work = store.begin(Scope::Platform).await.unwrap();
    work.companies().insert(&company).await.unwrap();
    let skillbase = samples::skillbase(&company);
    work.skillbases().insert(&skillbase).await.unwrap();
    work.commit().await.unwrap();
    company
}

fn engine(
    store: &MemoryStorage,
    storage: Arc<dyn Storage>,
    provider: &Arc<ScriptedProvider>,
    clock: &Arc<ManualClock>,
    ids: &Arc<IdGenerator>,
) -> Engine {
    Engine::new(EngineParts {
        storage,
        queue: Arc::new(store.clone()),
        provider: provider.clone(),
        interpreter: Arc::new(RulesInterpreter::new()),
        clock: clock.clone(),
        ids: ids.clone(),
        wake_up: Arc::new(NoWakeUp),
        settings: EngineSettings::default(),
    })
}

/// Names the call of an attempt.
pub(crate) fn reference(attempt: &CallAttempt) -> CallReference {
    CallReference {
        company_id: attempt.company_id,
        attempt_id: attempt.id,
        provider_call_id: None,
    }
}

/// The campaign with that many yes-or-no questions, which nobody is pressed to answer.
pub(crate) fn with_questions(mut campaign: Campaign, count: usize) -> Campaign {
    let first = campaign.settings.survey.questions.remove(0);
    campaign.settings.survey.questions = (1..=count)
        .map(|number| Question {
            key: format!("question_{number}"),
            required: false,
            ..first.clone()
        })
        .collect();
    campaign
}
