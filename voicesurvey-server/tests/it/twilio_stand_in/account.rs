//! What Twilio knows of the calls of an account, and what is going to happen to them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::Value;
use voicesurvey_core::conversation::Heard;
use voicesurvey_core::time::{Clock, Timestamp};

use super::call::Call;
use super::callback::{Callback, Kind};
use super::chance::Chance;
use super::fates::{Fate, Faults, Line};
use super::order::{Detection, Order};
use super::people::Conduct;

/// An account, with everything that was ever ordered.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) seed: u64,
    pub(super) faults: Faults,
    pub(super) calls: Vec<Call>,
    /// What becomes of the next orders and calls; then chance decides.
    pub(super) fates: VecDeque<Fate>,
    pub(super) lines: VecDeque<Line>,
    pub(super) orders: usize,
    /// Whatever Twilio would complain about.
    pub(super) complaints: Vec<String>,
    /// What was promised and could not be kept: callbacks that never got through.
    pub(super) undelivered: usize,
    pub(super) chance: Chance,
    due: BTreeMap<(Timestamp, u64), Due>,
    planned: u64,
}

#[derive(Debug)]
enum Due {
    /// An order that was long on its way.
    Taken(Box<Order>),
    Happens(usize, Happening),
    Sends(Box<Callback>),
}

/// What happens to a call.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Initiated(Line),
    Ringing(Line),
    Answered(Conduct),
    /// It is over unanswered, with Twilio's status and what the network says.
    Unanswered(&'static str, Option<u16>),
    /// Twilio knows who answered.
    Verdict(String),
    /// The line is free: somebody hung up, or the longest time is over.
    Over,
}

/// What somebody asked to be done with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Update {
    Cancel,
    HangUp,
}

impl Account {
    pub(super) fn new(clock: Arc<dyn Clock>, seed: u64, faults: Faults) -> Self {
        Self {
            chance: Chance::of(seed, "account", 0),
            clock,
            seed,
            faults,
            calls: Vec::new(),
            fates: VecDeque::new(),
            lines: VecDeque::new(),
            orders: 0,
            complaints: Vec::new(),
            undelivered: 0,
            due: BTreeMap::new(),
            planned: 0,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What becomes of the order that has just come.
    pub(super) fn fate(&mut self) -> Fate {
        self.orders += 1;
        let (seed, faults) = (self.seed, self.faults);
        let mut chance = Chance::of(seed, "order", self.orders);
        let fate = self.fates.pop_front();
        fate.unwrap_or_else(|| Fate::draw(&mut chance, faults))
    }

    /// Takes an order; tells its place among the calls.
    pub(super) fn take(&mut self, order: Order, is_confirmed: bool) -> usize {
        let now = self.now();
        let index = self.calls.len();
        let number = order.to.as_str().to_owned();
        let before = self.calls.iter().filter(|call| call.order.to == order.to);
        let mut chance = Chance::of(self.seed, &number, 1 + before.count());
        let conduct = Conduct::draw(&mut Chance::of(self.seed, &number, 0));
        let line = self.lines.pop_front();
        let line = line.unwrap_or_else(|| Line::draw(&mut chance, conduct));
        let waits = match line {
            // Nobody can cancel a call whose name was not told.
            Line::Queued if is_confirmed => TimeDelta::hours(24),
            // For longer than a fault of Twilio keeps anybody from being called again.
            _ if !is_confirmed && chance.happens(250) => chance.seconds(360, 1_200),
            _ => chance.seconds(0, 2),
        };
        let listed_from = now + chance.seconds(0, 30);
        self.calls.push(Call {
            sid: format!("CA{:016x}{index:016x}", self.seed),
            is_confirmed,
            status: "queued",
            placed_at: now,
            initiated_at: None,
            ringing_at: None,
            answered_at: None,
            ended_at: None,
            conduct,
            answered_by: None,
            sequence: 0,
            sip: None,
            listed_from,
            price: None,
            is_price_told: false,
            recordings: Vec::new(),
            heard: Vec::new(),
            chance,
            order,
        });
        self.plan(now + waits, index, Happening::Initiated(line));
        index
    }

    /// Lets an order be taken later.
    pub(super) fn take_late(&mut self, order: Order) {
        let at = self.now() + TimeDelta::seconds(20);
        self.put(at, Due::Taken(Box::new(order)));
    }

    /// Changes a call as somebody asked, unless it has ended.
    pub(super) fn update(&mut self, index: usize, update: Update) -> Result<Value, ()> {
        let now = self.now();
        let call = &mut self.calls[index];
        if call.has_ended() {
            return Err(());
        }
        match (update, call.answered_at) {
            (Update::Cancel, Some(_)) => {}
            (Update::HangUp, Some(_)) => self.end(index, "completed", now),
            _ if call.status == "queued" => {
                // Of a call that was not dialed yet nothing is told.
                call.status = "canceled";
                call.ended_at = Some(now);
            }
            _ => self.end(index, "canceled", now),
        }
        Ok(self.calls[index].resource(now))
    }

    /// When something is going to happen next.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// Lets happen what is due, until there is something to send: so many requests at most, which
    /// are sent side by side.
    pub(super) fn requests(&mut self, at_most: usize) -> Vec<Callback> {
        let now = self.now();
        let mut requests = Vec::new();
        while requests.len() < at_most {
            let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) else {
                break;
            };
            let at = entry.key().0;
            match entry.remove() {
                Due::Taken(order) => drop(self.take(*order, false)),
                Due::Happens(index, happening) => self.happen(index, happening, at),
                Due::Sends(callback) => requests.push(*callback),
            }
        }
        requests
    }

    pub(super) fn plan(&mut self, at: Timestamp, index: usize, happening: Happening) {
        self.put(at, Due::Happens(index, happening));
    }

    pub(super) fn send(&mut self, at: Timestamp, callback: Callback) {
        self.put(at, Due::Sends(Box::new(callback)));
    }

    fn put(&mut self, at: Timestamp, due: Due) {
        self.planned += 1;
        self.due.insert((at, self.planned), due);
    }

    fn happen(&mut self, index: usize, happening: Happening, at: Timestamp) {
        let call = &mut self.calls[index];
        if call.has_ended() {
            return;
        }
        match happening {
            Happening::Initiated(line) => {
                call.status = "initiated";
                call.initiated_at = Some(at);
                let rings_at = at + call.chance.seconds(1, 4);
                self.tell(index, "initiated", at);
                let next = match line {
                    // The network refuses before anything rings.
                    Line::Unanswered("failed", sip) => Happening::Unanswered("failed", sip),
                    line => Happening::Ringing(line),
                };
                self.plan(rings_at, index, next);
            }
            Happening::Ringing(line) => {
                call.status = "ringing";
                call.ringing_at = Some(at);
                let (ring_for, soon) = (call.order.ring_for, call.chance.seconds(2, 15));
                self.tell(index, "ringing", at);
                let (after, next) = match line {
                    Line::Answered(conduct) => (soon, Happening::Answered(conduct)),
                    Line::Unanswered(status, sip) => (soon, Happening::Unanswered(status, sip)),
                    _ => (ring_for, Happening::Unanswered("no-answer", Some(487))),
                };
                self.plan(at + after, index, next);
            }
            Happening::Answered(conduct) => self.answered(index, conduct, at),
            Happening::Verdict(url) => {
                let by = call.conduct.answered_by();
                call.answered_by = Some(by);
                let mut form = call.parameters();
                form.push(("AnsweredBy".to_owned(), by.to_owned()));
                form.push(("MachineDetectionDuration".to_owned(), "4180".to_owned()));
                let callback = self.callback(index, Kind::News, &url, form);
                self.scatter(at, callback);
            }
            Happening::Unanswered(status, sip) => {
                call.sip = sip;
                self.end(index, status, at);
            }
            Happening::Over => self.end(index, "completed", at),
        }
    }

    fn answered(&mut self, index: usize, conduct: Conduct, at: Timestamp) {
        let call = &mut self.calls[index];
        call.status = "in-progress";
        call.conduct = conduct;
        call.answered_at = Some(at);
        let (longest, detection) = (call.order.longest, call.order.detection.clone());
        let url = call.order.url.clone();
        self.tell(index, "answered", at);
        self.plan(at + longest, index, Happening::Over);
        let mut asks_at = at;
        let mut form = self.calls[index].parameters();
        match detection {
            Detection::Off => {}
            Detection::First => {
                let by = conduct.answered_by();
                self.calls[index].answered_by = Some(by);
                form.push(("AnsweredBy".to_owned(), by.to_owned()));
                form.push(("MachineDetectionDuration".to_owned(), "3900".to_owned()));
                asks_at = at + TimeDelta::milliseconds(3_900);
            }
            Detection::Meanwhile(url) => {
                let after = self.calls[index].chance.seconds(3, 12);
                self.plan(at + after, index, Happening::Verdict(url));
            }
        }
        let first = self.callback(index, Kind::Document { heard: None }, &url, form);
        self.send(asks_at, first);
    }

    /// The line is free; what the call has cost is known some time later, or never.
    fn end(&mut self, index: usize, status: &'static str, at: Timestamp) {
        let unpriced = self.faults.unpriced;
        let call = &mut self.calls[index];
        call.status = status;
        call.ended_at = Some(at);
        let after = call.chance.seconds(20, 7_200);
        let is_told = !call.chance.happens(unpriced);
        if call.answered_at.is_some() && is_told {
            let cents = 1 + call.chance.below(9);
            call.price = Some((at + after, format!("-0.0{cents}300")));
        }
        let is_recorded = !call.recordings.is_empty();
        self.tell(index, "completed", at);
        if is_recorded {
            self.tell_of_recordings(index, "completed", at);
        }
    }

    /// Tells how far a call has come, if somebody wants to know that.
    fn tell(&mut self, index: usize, event: &str, at: Timestamp) {
        let call = &mut self.calls[index];
        if !call.order.events.iter().any(|wanted| wanted == event) {
            return;
        }
        let form = call.progress(at);
        let url = call.order.status_callback.clone();
        let callback = self.callback(index, Kind::News, &url, form);
        self.scatter(at, callback);
    }

    /// Sends news, or loses, doubles or delays it.
    pub(super) fn scatter(&mut self, at: Timestamp, callback: Callback) {
        let Faults {
            lost, twice, late, ..
        } = self.faults;
        let chance = &mut self.calls[callback.call].chance;
        let (is_lost, is_doubled) = (chance.happens(lost), chance.happens(twice));
        let again = at + chance.seconds(0, 300);
        let is_late = chance.happens(late);
        let at = if is_late {
            at + chance.seconds(1, 120)
        } else {
            at
        };
        if is_lost {
            self.undelivered += 1;
            return;
        }
        if is_doubled {
            self.send(again, callback.clone());
        }
        self.send(at, callback);
    }

    pub(super) fn callback(
        &mut self,
        call: usize,
        kind: Kind,
        url: &str,
        form: crate::support::twilio::Form,
    ) -> Callback {
        self.planned += 1;
        Callback {
            call,
            kind,
            url: url.to_owned(),
            form,
            token: format!("{:016x}-{:08x}", self.seed, self.planned),
            tries: 0,
            began_at: self.now(),
        }
    }

    pub(super) fn complain(&mut self, what: impl Into<String>) {
        self.complaints.push(what.into());
    }

    /// Notes what was said and replied to.
    pub(super) fn note(&mut self, index: usize, step: u32, heard: Heard) {
        let call = &mut self.calls[index];
        if call.heard.iter().any(|spoken| spoken.step == step) {
            return;
        }
        call.heard.push(voicesurvey_simulator::Spoken {
            company_id: call.order.company_id,
            attempt_id: call.order.attempt_id,
            step,
            heard,
        });
    }
}
