//! What a run is judged by: the ledger of the stand-in first, our database then.

use std::collections::{BTreeMap, HashMap};

use chrono::{TimeDelta, Timelike as _};
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::call_task::{CallTask, TaskStatus};
use voicesurvey_core::conversation::{Heard, Speaker, Turn};
use voicesurvey_core::id::{CallAttemptId, CallTaskId, CompanyId};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{Audit as _, Scope, Storage as _, UnitOfWork};
use voicesurvey_core::time::Clock as _;
use voicesurvey_core::time_zone::TimeZone;
use voicesurvey_simulator::{Ledger, Ring, Spoken};

use super::site::{HOURS, RETRY_INTERVAL, Site};
use crate::kill::judge::{all_attempts, all_tasks, said_as_heard};
use crate::twilio_stand_in::{Conduct, QUESTIONS};

/// Attempts that may be spent on a person, as the campaigns are set up.
const MAX_ATTEMPTS: usize = 3;

/// How long before the end of a call it is known how it will end, at most.
const KNOWN_BEFORE: TimeDelta = TimeDelta::minutes(1);

/// Ledger and database, side by side.
pub(super) struct Judge<'a> {
    site: &'a Site,
    company_id: CompanyId,
    ledger: Ledger,
    attempts: HashMap<CallAttemptId, CallAttempt>,
    tasks: HashMap<CallTaskId, CallTask>,
}

impl<'a> Judge<'a> {
    pub(super) async fn new(site: &'a Site) -> Self {
        let rings = site.twilio.rings();
        let company_id = rings.first().expect("somebody was called").company_id;
        let scope = Scope::Company(company_id);
        let mut work = site.database.storage().begin(scope).await.unwrap();
        let attempts = all_attempts(&mut *work).await.into_iter();
        let tasks = all_tasks(&mut *work).await.into_iter();
        Self {
            site,
            company_id,
            ledger: Ledger::new(rings),
            attempts: attempts.map(|attempt| (attempt.id, attempt)).collect(),
            tasks: tasks.map(|task| (task.id, task)).collect(),
        }
    }

    pub(super) async fn check(&self) {
        self.print();
        let complaints = self.site.twilio.complaints();
        assert!(complaints.is_empty(), "Twilio complains: {complaints:#?}");
        self.nobody_rang_twice();
        self.every_ring_was_committed_before_and_counted();
        self.nobody_rang_again_too_soon();
        self.nobody_rang_outside_the_hours();
        self.no_is_final();
        self.everybody_was_dealt_with();
        self.prices_are_known();
        let storage = self.site.database.storage();
        let mut work = storage
            .begin(Scope::Company(self.company_id))
            .await
            .unwrap();
        self.nothing_said_is_lost(&mut *work).await;
        drop(work);
        for campaign in &self.site.campaigns {
            let shown = self.site.admin().get(campaign).await;
            assert_eq!(shown.at("/status"), "completed", "{shown}");
        }
        let findings = storage.audit(self.site.clock.now()).await;
        assert_eq!(findings.unwrap(), []);
    }

    fn print(&self) {
        let mut outcomes = BTreeMap::<_, usize>::new();
        for attempt in self.attempts.values() {
            let outcome = attempt.outcome.map_or("none", Outcome::name);
            *outcomes.entry(outcome).or_default() += 1;
        }
        let (orders, undelivered) = self.site.twilio.counts();
        let is_unanswered = |ring: &&Ring| !self.site.twilio.is_confirmed(&ring.provider_call_id);
        let unanswered = self.ledger.rings().iter().filter(is_unanswered).count();
        println!(
            "seed {}: {} tasks, {} attempts, {orders} orders, {} calls, {unanswered} of them \
             of orders without an answer, {undelivered} callbacks undelivered, until {}; {outcomes:?}",
            self.site.seed,
            self.tasks.len(),
            self.attempts.len(),
            self.ledger.rings().len(),
            self.site.clock.now(),
        );
    }

    /// I3.
    fn nobody_rang_twice(&self) {
        let (rings, at_once) = (&self.ledger, self.ledger.rung_at_once());
        assert_eq!(rings.dialed_twice(), [], "attempts that were dialed twice");
        assert!(at_once.is_empty(), "called twice at once: {at_once:#?}");
        let unended = rings.of(|ring| ring.ended_at.is_none());
        assert_eq!(unended.rings(), [], "calls without an end");
    }

    /// I2, and the retry policy by what really rang.
    fn every_ring_was_committed_before_and_counted(&self) {
        let mut rang: HashMap<CallTaskId, usize> = HashMap::new();
        for ring in self.ledger.rings() {
            let attempt = &self.attempts[&ring.attempt_id];
            assert_eq!(attempt.company_id, ring.company_id);
            assert_eq!(attempt.phone_number, ring.phone_number);
            assert!(attempt.created_at <= ring.placed_at, "{attempt:?}");
            assert!(ring.placed_at <= attempt.dial_before, "{attempt:?}");
            if ring.ringing_at.is_some() {
                let spent = attempt
                    .outcome
                    .is_some_and(|outcome| outcome.rule().spends_attempt);
                assert!(spent, "it rang, and we think it did not: {attempt:?}");
                *rang.entry(attempt.task_id).or_default() += 1;
            }
        }
        for (id, rang) in rang {
            let task = &self.tasks[&id];
            assert!(
                rang <= MAX_ATTEMPTS && rang <= usize::from(task.attempts_spent),
                "rang {rang} times: {task:?}"
            );
        }
    }

    /// The retry policy by what really rang: whoever is called again because it was not known that
    /// their telephone rang is called again too soon.
    fn nobody_rang_again_too_soon(&self) {
        let mut last: HashMap<CallTaskId, &Ring> = HashMap::new();
        for ring in self.ledger.rings() {
            let attempt = &self.attempts[&ring.attempt_id];
            if let Some(before) = last.get(&attempt.task_id) {
                let outcome = self.attempts[&before.attempt_id].outcome;
                // A line that dropped is called again at once, and who named a time at that time.
                let may_be_soon = before.answered_at.is_some()
                    && outcome.is_some_and(|outcome| {
                        outcome.is_interruption()
                            || outcome.is_fault()
                            || outcome == Outcome::CallBackRequested
                    });
                let pause = ring.placed_at - before.ended_at.unwrap();
                assert!(
                    may_be_soon || pause > RETRY_INTERVAL - KNOWN_BEFORE,
                    "again after {pause}: {before:?} {ring:?} {attempt:?}"
                );
            }
            if ring.ringing_at.is_some() {
                last.insert(attempt.task_id, ring);
            }
        }
    }

    /// I4. Of a call whose order was never answered we know no name to cancel it by, so it may begin
    /// to ring while its order was under way.
    fn nobody_rang_outside_the_hours(&self) {
        let rome: TimeZone = "Europe/Rome".parse().unwrap();
        for ring in self.ledger.rings() {
            let Some(ringing_at) = ring.ringing_at else {
                continue;
            };
            let at = if self.site.twilio.is_confirmed(&ring.provider_call_id) {
                ringing_at
            } else {
                self.attempts[&ring.attempt_id].created_at
            };
            let hour = rome.local(at).hour();
            assert!(HOURS.contains(&hour), "rang at {at}: {ring:?}");
        }
    }

    /// I8.
    fn no_is_final(&self) {
        let rings = self.ledger.rings();
        let after = |ring: &Ring| {
            let ended_at = ring.ended_at.unwrap();
            rings.iter().filter(move |later| later.placed_at > ended_at)
        };
        for ring in rings {
            let attempt = &self.attempts[&ring.attempt_id];
            if attempt.outcome == Some(Outcome::OptedOut) {
                let mut again = after(ring).filter(|it| it.phone_number == ring.phone_number);
                assert_eq!(again.next(), None, "called after an opt-out");
            }
            if attempt.outcome.is_some_and(Outcome::is_decided_by_person) {
                let of_task = |it: &&Ring| self.attempts[&it.attempt_id].task_id == attempt.task_id;
                let mut again = after(ring).filter(of_task);
                assert_eq!(again.next(), None, "called after a decision");
            }
        }
        for spoken in self.site.twilio.heard() {
            let attempt = &self.attempts[&spoken.attempt_id];
            let opts_out = match self.site.twilio.conduct_of(&attempt.phone_number) {
                Conduct::OptsOut | Conduct::OptsOutByKey => spoken.heard != Heard::Silence,
                _ => false,
            };
            let is_noted = attempt.outcome == Some(Outcome::OptedOut);
            assert!(is_noted || !opts_out, "{spoken:?} {attempt:?}");
        }
    }

    /// I7.
    fn everybody_was_dealt_with(&self) {
        for attempt in self.attempts.values() {
            assert!(!attempt.state.is_live(), "{attempt:?}");
            assert!(attempt.outcome.is_some(), "{attempt:?}");
        }
        for task in self.tasks.values() {
            assert!(task.state.status().is_final(), "{task:?}");
        }
    }

    /// What Twilio has told of the price of a call is known; what it has not is not made up.
    fn prices_are_known(&self) {
        for ring in self.ledger.rings() {
            let attempt = &self.attempts[&ring.attempt_id];
            let known = attempt.cost.as_ref();
            let known = known.map(|cost| format!("-{}", cost.amount));
            let told = self.site.twilio.price_told(&ring.provider_call_id);
            assert_eq!(known, told, "{ring:?} {attempt:?}");
        }
    }

    /// I9: whatever was said and replied to is stored, once, and answers are what was said.
    async fn nothing_said_is_lost(&self, work: &mut dyn UnitOfWork) {
        let all = self.site.twilio.heard();
        let mut heard: HashMap<CallAttemptId, Vec<&Spoken>> = HashMap::new();
        for spoken in &all {
            heard.entry(spoken.attempt_id).or_default().push(spoken);
        }
        for attempt in self.attempts.values() {
            let turns = work.interviews().turns(attempt.id).await.unwrap();
            let by_person = |turn: &&Turn| turn.speaker == Speaker::Person;
            let said: Vec<&Turn> = turns.iter().filter(by_person).collect();
            let heard = heard.remove(&attempt.id).unwrap_or_default();
            said_as_heard(attempt, &said, heard);
        }
        assert!(heard.is_empty(), "in calls that nobody knows: {heard:?}");
        let mut completed = 0;
        for task in self.tasks.values() {
            let answers = work.interviews().answers(task.id).await.unwrap();
            let response = work.interviews().response(task.id).await.unwrap();
            for answer in &answers {
                let asked = QUESTIONS.iter().find(|it| it.key == answer.question_key);
                let asked = asked.expect("a question of the campaign");
                let said = [Some(asked.words), asked.keys];
                assert!(said.contains(&Some(&*answer.words)), "{answer:?}");
            }
            if task.outcome == Some(Outcome::Completed) {
                completed += 1;
                assert_eq!(answers.len(), QUESTIONS.len(), "{task:?}");
                assert!(response.as_ref().unwrap().complete, "{task:?}");
            }
            if task.state.status() == TaskStatus::Completed {
                assert!(response.is_some(), "{task:?}");
            }
        }
        // Else the faults were so many that the test shows nothing.
        let tasks = self.tasks.len();
        assert!(completed > tasks / 8, "{completed} of {tasks} completed");
    }
}
