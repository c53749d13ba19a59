//! What a kill test is judged by: the ledger of the stand-in first, our database then.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::conversation::{Answer, Heard, Speaker, Turn};
use voicesurvey_core::id::{CallAttemptId, CallTaskId, CampaignId};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::repositories::{CallAttemptFilter, CallTaskFilter};
use voicesurvey_core::ports::{Audit as _, Page, PageRequest, UnitOfWork};
use voicesurvey_core::time::{Clock as _, SystemClock};
use voicesurvey_server::stand_in::LedgerBody;
use voicesurvey_simulator::{Ledger, Spoken};

use super::crowd::{Company, Crowd, Limits};
use super::machines::Machines;

/// The limits are per 60 seconds, wherever these begin.
const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// Ledger and database, side by side.
pub(super) struct Judge<'a> {
    machines: &'a Machines,
    crowd: &'a Crowd,
    ledger: LedgerBody,
    attempts: HashMap<CallAttemptId, CallAttempt>,
    tasks: HashMap<CallTaskId, CallTask>,
}

impl<'a> Judge<'a> {
    pub(super) async fn new(machines: &'a Machines, crowd: &'a Crowd, ledger: LedgerBody) -> Self {
        let (mut attempts, mut tasks) = (HashMap::new(), HashMap::new());
        for company in &crowd.companies {
            let mut work = company.begin(machines).await;
            for attempt in all_attempts(&mut *work).await {
                attempts.insert(attempt.id, attempt);
            }
            for task in all_tasks(&mut *work).await {
                tasks.insert(task.id, task);
            }
        }
        Self {
            machines,
            crowd,
            ledger,
            attempts,
            tasks,
        }
    }

    pub(super) async fn check(&self) {
        self.print();
        self.nobody_rang_twice();
        self.every_ring_was_committed_before();
        self.every_ring_was_counted();
        self.limits_held();
        self.everybody_was_dealt_with();
        let findings = self.machines.storage().audit(SystemClock.now()).await;
        assert_eq!(findings.unwrap(), []);
        for company in &self.crowd.companies {
            let mut work = company.begin(self.machines).await;
            self.nothing_said_is_lost(&mut *work, company).await;
        }
    }

    fn print(&self) {
        let mut outcomes = BTreeMap::<_, usize>::new();
        for attempt in self.attempts.values() {
            *outcomes.entry(attempt.outcome).or_default() += 1;
        }
        let (rings, heard) = (self.ledger.rings.rings().len(), self.ledger.heard.len());
        println!(
            "{} tasks, {} attempts, {rings} rings, {heard} turns heard",
            self.tasks.len(),
            self.attempts.len(),
        );
        println!("outcomes of attempts: {outcomes:?}");
    }

    /// I3.
    fn nobody_rang_twice(&self) {
        let rings = &self.ledger.rings;
        assert_eq!(rings.dialed_twice(), [], "attempts that were dialed twice");
        let at_once = rings.rung_at_once();
        assert!(at_once.is_empty(), "rang twice at once: {at_once:#?}");
        let unended = rings.of(|ring| ring.ended_at.is_none());
        assert_eq!(unended.rings(), [], "calls without an end");
    }

    /// I2: what rang is what was committed, and it was committed first.
    fn every_ring_was_committed_before(&self) {
        for ring in self.ledger.rings.rings() {
            let attempt = &self.attempts[&ring.attempt_id];
            assert_eq!(attempt.company_id, ring.company_id);
            assert_eq!(attempt.phone_number, ring.phone_number);
            assert!(attempt.created_at <= ring.placed_at, "{attempt:?}");
            // Outcomes that are free are those of calls that surely did not ring.
            let spent = attempt
                .outcome
                .is_some_and(|outcome| outcome.rule().spends_attempt);
            assert!(spent, "it rang, and we think it did not: {attempt:?}");
        }
    }

    /// I3: whoever is rung again because it was not known that they had been is rung too often.
    fn every_ring_was_counted(&self) {
        let mut rings: HashMap<CallTaskId, usize> = HashMap::new();
        for ring in self.ledger.rings.rings() {
            let attempt = &self.attempts[&ring.attempt_id];
            *rings.entry(attempt.task_id).or_default() += 1;
        }
        let campaigns = self.crowd.companies.iter().flat_map(|of| &of.campaigns);
        let allowed: HashMap<CampaignId, u16> = campaigns
            .map(|campaign| (campaign.id, campaign.max_attempts))
            .collect();
        for (id, rings) in rings {
            let task = &self.tasks[&id];
            let (allowed, spent) = (allowed[&task.campaign_id], task.attempts_spent);
            assert!(
                rings <= usize::from(allowed) && rings <= usize::from(spent),
                "rang {rings} times: {task:?}"
            );
        }
    }

    /// I5 and I6, by the ledger.
    fn limits_held(&self) {
        let rings = &self.ledger.rings;
        for company in &self.crowd.companies {
            let of_company = rings.of(|ring| ring.company_id == company.id);
            limit_held("company", company.limits, &of_company);
            for campaign in &company.campaigns {
                let of_campaign = of_company
                    .of(|ring| self.attempts[&ring.attempt_id].campaign_id == campaign.id);
                limit_held("campaign", campaign.limits, &of_campaign);
            }
        }
    }

    /// I7.
    fn everybody_was_dealt_with(&self) {
        let now = SystemClock.now();
        for attempt in self.attempts.values() {
            assert!(!attempt.state.is_live(), "{attempt:?}");
            assert!(attempt.outcome.is_some(), "{attempt:?}");
        }
        for task in self.tasks.values() {
            // Somebody may be called again, but much later.
            let waits = matches!(task.state, TaskState::Retry { due_at } if due_at > now);
            assert!(task.state.status().is_final() || waits, "{task:?}");
        }
        for campaign in self.crowd.companies.iter().flat_map(|of| &of.campaigns) {
            let tasks = self.tasks.values();
            let own = tasks.filter(|task| task.campaign_id == campaign.id).count();
            assert_eq!(own, campaign.contacts, "nobody is lost");
        }
    }

    /// I9: whatever was said and replied to is stored, once.
    async fn nothing_said_is_lost(&self, work: &mut dyn UnitOfWork, company: &Company) {
        let mut heard: HashMap<CallAttemptId, Vec<&Spoken>> = HashMap::new();
        for spoken in &self.ledger.heard {
            if spoken.company_id == company.id {
                heard.entry(spoken.attempt_id).or_default().push(spoken);
            }
        }
        let (mut stored, mut answers) = (0, 0);
        for attempt in self.attempts.values() {
            if attempt.company_id != company.id {
                continue;
            }
            let turns = work.interviews().turns(attempt.id).await.unwrap();
            let said: Vec<&Turn> = turns
                .iter()
                .filter(|turn| turn.speaker == Speaker::Person)
                .collect();
            let heard = heard.remove(&attempt.id).unwrap_or_default();
            said_as_heard(attempt, &said, heard);
            stored += said.len();
            let of_task = work.interviews().answers(attempt.task_id).await.unwrap();
            proven(&said, &of_task);
            let of_call = of_task
                .iter()
                .filter(|answer| answer.attempt_id == attempt.id);
            answers += of_call.count();
        }
        assert!(
            heard.is_empty(),
            "heard in calls that nobody knows: {heard:?}"
        );
        self.responses_are_complete(work, company).await;
        println!("{stored} turns of people stored, {answers} answers");
    }

    async fn responses_are_complete(&self, work: &mut dyn UnitOfWork, company: &Company) {
        let of_company = self
            .tasks
            .values()
            .filter(|task| task.company_id == company.id);
        let (mut tasks, mut completed) = (0, 0);
        for task in of_company {
            tasks += 1;
            let response = work.interviews().response(task.id).await.unwrap();
            if task.state.status() == TaskStatus::Completed {
                completed += 1;
                assert!(response.is_some(), "{task:?}");
            }
            if task.outcome == Some(Outcome::Completed) {
                assert!(response.unwrap().complete, "{task:?}");
                let answers = work.interviews().answers(task.id).await.unwrap();
                assert_eq!(answers.len(), 3, "{task:?}");
            }
        }
        // Else the faults were so many that the test shows nothing.
        assert!(completed > tasks / 10, "{completed} of {tasks} completed");
        println!("{completed} of {tasks} people completed the interview");
    }
}

fn limit_held(whose: &str, limits: Limits, rings: &Ledger) {
    let at_once = rings.most_at_once();
    let per_minute = rings.most_placed_within(WINDOW);
    println!(
        "{whose}: {at_once} of {} calls at once, {per_minute} of {} per minute",
        limits.at_once, limits.per_minute
    );
    assert!(at_once <= limits.at_once, "{whose}: {at_once} at once");
    assert!(
        per_minute <= limits.per_minute,
        "{whose}: {per_minute} per minute"
    );
}

/// Everything heard in a call is stored, and nothing is stored twice: at most one turn more, whose
/// reply did not arrive.
pub(crate) fn said_as_heard(attempt: &CallAttempt, said: &[&Turn], mut heard: Vec<&Spoken>) {
    heard.sort_by_key(|spoken| spoken.step);
    let words: Vec<String> = heard.iter().map(|spoken| words(&spoken.heard)).collect();
    let stored: Vec<&str> = said.iter().map(|turn| &*turn.words).collect();
    let missing_reply = stored.len().saturating_sub(words.len());
    assert!(
        stored.starts_with(&words.iter().map(String::as_str).collect::<Vec<_>>())
            && missing_reply <= 1,
        "{attempt:?}: heard {words:?}, stored {stored:?}"
    );
}

fn words(heard: &Heard) -> String {
    match heard {
        Heard::Speech { words, .. } => words.clone(),
        Heard::Keys { keys } => keys.clone(),
        Heard::Silence => String::new(),
    }
}

/// What was understood as an answer is one.
fn proven(said: &[&Turn], answers: &[Answer]) {
    let answered: HashSet<&str> = answers.iter().map(|answer| &*answer.question_key).collect();
    for turn in said {
        let understood = turn.interpretation.as_ref().map(|turn| turn.intent.name());
        if let (Some("answer"), Some(question)) = (understood, &turn.question_key) {
            assert!(answered.contains(&**question), "{turn:?}");
        }
    }
}

pub(crate) async fn all_attempts(work: &mut dyn UnitOfWork) -> Vec<CallAttempt> {
    let filter = CallAttemptFilter::default();
    let mut all = Vec::new();
    let mut next = Some(PageRequest::first(PageRequest::LARGEST));
    while let Some(page) = next {
        let page = work.call_attempts().list(&filter, &page).await.unwrap();
        next = take(page, &mut all);
    }
    all
}

pub(crate) async fn all_tasks(work: &mut dyn UnitOfWork) -> Vec<CallTask> {
    let filter = CallTaskFilter::default();
    let mut all = Vec::new();
    let mut next = Some(PageRequest::first(PageRequest::LARGEST));
    while let Some(page) = next {
        let page = work.call_tasks().list(&filter, &page).await.unwrap();
        next = take(page, &mut all);
    }
    all
}

/// Takes the rows of a page, and says which one is next.
fn take<T>(page: Page<T>, all: &mut Vec<T>) -> Option<PageRequest> {
    all.extend(page.rows);
    let cursor = page.next?;
    Some(PageRequest::after(cursor, PageRequest::LARGEST))
}
