//! The simulated world: telephones, the calls to them, and what is going to happen.
//!
//! The guarantee: it knows only the instants it is told, and things happen in the order of their
//! instants; at the same instant, by phone number. What follows a webhook is counted from an instant
//! that is named with the reply: in a simulation the one at which the webhook was due, so that a
//! slow host does not change the run.

mod call;
pub(crate) mod plan;

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{
    CallOrder, CallReference, Cancellation, FoundCall, PlaceCallError, Placed, WebhookReply,
};
use voicesurvey_core::time::Timestamp;

use crate::chance::{Chance, Topic};
use crate::ledger::{Ledger, Ring};
use crate::person::Person;
use crate::respondent::{Act, Respondent};
use crate::settings::{Probability, SimulationSettings};
use crate::webhook::{Message, read_reply};
use call::{Call, Ending, Live};
pub(crate) use call::{Happening, Outgoing};

/// How often a webhook is tried when the host answers with a fault of its own.
const TRIES: u8 = 3;

/// How long the line waits for a reply to a webhook that was lost.
const REPLY_TIMEOUT: TimeDelta = TimeDelta::seconds(15);

/// No call rings or lasts longer than this, whatever was ordered.
pub(crate) const LONGEST: TimeDelta = TimeDelta::hours(24);

/// Names a call: its place in the list of all calls.
type CallIndex = usize;

/// The instant, the phone number, and which was planned first.
type QueueKey = (Timestamp, PhoneNumber, u64);

/// The simulated world.
#[derive(Debug)]
pub(crate) struct World {
    settings: SimulationSettings,
    calls: Vec<Call>,
    by_attempt: HashMap<CallAttemptId, Vec<CallIndex>>,
    /// How often each number was ordered to be dialed, and how often it was.
    counts: HashMap<(CompanyId, PhoneNumber), Counts>,
    queue: BTreeMap<QueueKey, Due>,
    queued: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    ordered: u32,
    placed: u32,
}

/// What is going to happen, or to be told.
#[derive(Debug)]
enum Due {
    Happening(CallIndex, Happening),
    Webhook(Outgoing),
}

impl World {
    pub(crate) fn new(settings: SimulationSettings) -> Self {
        Self {
            settings,
            calls: Vec::new(),
            by_attempt: HashMap::new(),
            counts: HashMap::new(),
            queue: BTreeMap::new(),
            queued: 0,
        }
    }

    pub(crate) fn remember_calls(
        &mut self,
        company_id: CompanyId,
        number: PhoneNumber,
        calls: u32,
    ) {
        let counts = self.counts.entry((company_id, number)).or_default();
        counts.ordered += calls;
        counts.placed += calls;
    }

    pub(crate) fn place(
        &mut self,
        order: &CallOrder,
        now: Timestamp,
    ) -> Result<Placed, PlaceCallError> {
        let counts = self
            .counts
            .entry((order.company_id, order.phone_number))
            .or_default();
        let (seed, faults) = (self.settings.seed, self.settings.faults);
        let mut chance = Chance::of(seed, Topic::Order, &order.phone_number, counts.ordered);
        counts.ordered += 1;
        if chance.happens(faults.rejected) {
            return Err(PlaceCallError::Rejected {
                code: "not_allowed".to_owned(),
                outcome: Outcome::ProviderRejected,
            });
        }
        if chance.happens(faults.retry_later) {
            return Err(PlaceCallError::RetryLater {
                after: Some(TimeDelta::seconds(5)),
            });
        }
        if chance.happens(faults.unknown_and_not_placed) {
            return Err(unknown());
        }
        let placed_before = counts.placed;
        counts.placed += 1;
        let placed = self.dial(order, placed_before, now);
        if chance.happens(faults.unknown_but_placed) {
            Err(unknown())
        } else {
            Ok(placed)
        }
    }

    /// Dials without asking whether this attempt was dialed before: neither does a real provider.
    /// The ledger shows it.
    fn dial(&mut self, order: &CallOrder, placed_before: u32, now: Timestamp) -> Placed {
        let (seed, number) = (self.settings.seed, &order.phone_number);
        let population = &self.settings.population;
        let person = Person::behind(number, seed, population);
        let mut chance = Chance::of(seed, Topic::Call, number, placed_before);
        let ring_for = capped(order.ring_for);
        let plan = plan::of_call(&person, &mut chance, population, ring_for, now);
        let index = self.calls.len();
        let of_attempt = self.by_attempt.entry(order.attempt_id).or_default();
        let attempt = order.attempt_id.as_uuid().simple();
        let provider_call_id = match of_attempt.len() {
            0 => format!("SIM{attempt}"),
            dialed => format!("SIM{attempt}-{}", dialed + 1),
        };
        of_attempt.push(index);
        let drops_after = self.drops_after(number, placed_before);
        let live = Live {
            respondent: Respondent::new(person, chance, population),
            webhooks: Chance::of(seed, Topic::Webhooks, number, placed_before),
            longest_call: self.lasting(capped(order.longest_call)),
            drops_after,
            planned: Vec::new(),
        };
        self.calls.push(Call {
            ring: Ring {
                company_id: order.company_id,
                attempt_id: order.attempt_id,
                provider_call_id: provider_call_id.clone(),
                phone_number: order.phone_number,
                placed_at: now,
                initiated_at: None,
                ringing_at: None,
                answered_at: None,
                answered_by: None,
                ended_at: None,
                outcome: None,
                raw_status: "".into(),
                error_code: None,
            },
            live: Some(Box::new(live)),
        });
        for (at, happening) in plan {
            self.plan(index, now + self.lasting(at - now), happening);
        }
        Placed { provider_call_id }
    }

    /// After how long the line of a call drops. From a stream of its own, so that what people say
    /// does not depend on it.
    fn drops_after(&self, number: &PhoneNumber, placed_before: u32) -> Option<TimeDelta> {
        let faults = &self.settings.faults;
        if faults.dropped == Probability::NEVER {
            return None;
        }
        let mut chance = Chance::of(self.settings.seed, Topic::Line, number, placed_before);
        let drops = chance.happens(faults.dropped);
        let after = chance.seconds(faults.dropped_after_seconds);
        drops.then(|| self.lasting(after))
    }

    pub(crate) fn find(&self, call: &CallReference) -> FoundCall {
        let rings = self.rings_of(call);
        if rings.is_empty() {
            return FoundCall::NotFound;
        }
        let events = rings
            .into_iter()
            .flat_map(|index| self.calls[index].ring.events())
            .collect();
        FoundCall::Found { events }
    }

    /// Ends what nobody has answered. Of a call that was not dialed yet nothing is told.
    pub(crate) fn cancel(&mut self, call: &CallReference, now: Timestamp) -> Cancellation {
        let mut came_to = Cancellation::Over;
        for index in self.rings_of(call) {
            self.catch_up(index, now);
            let ring = &self.calls[index].ring;
            if ring.ended_at.is_some() {
                continue;
            }
            if ring.answered_at.is_some() {
                came_to = Cancellation::GoesOn;
                continue;
            }
            let outcome = if ring.ringing_at.is_some() {
                Outcome::NoAnswer
            } else {
                Outcome::Cancelled
            };
            let ending = Ending::unanswered(outcome, "canceled");
            self.happen(index, Happening::Ended(ending), now);
        }
        came_to
    }

    /// Lets happen to a call what is due by `now`.
    fn catch_up(&mut self, index: CallIndex, now: Timestamp) {
        let live = self.calls[index].live.as_ref();
        let mut due: Vec<QueueKey> = live.map_or_else(Vec::new, |live| live.planned.clone());
        due.retain(|(at, ..)| *at <= now);
        due.sort_unstable();
        for key in due {
            if let Some(Due::Happening(_, happening)) = self.queue.remove(&key) {
                self.happen(index, happening, key.0);
            }
        }
    }

    pub(crate) fn hang_up(&mut self, call: &CallReference, now: Timestamp) {
        for index in self.rings_of(call) {
            let ending = if self.calls[index].ring.answered_at.is_some() {
                Ending::COMPLETED
            } else {
                Ending::unanswered(Outcome::NoAnswer, "canceled")
            };
            let at = now + self.lasting(TimeDelta::milliseconds(200));
            self.plan(index, at, Happening::Ended(ending));
        }
    }

    fn rings_of(&self, call: &CallReference) -> Vec<CallIndex> {
        let of_attempt = self
            .by_attempt
            .get(&call.attempt_id)
            .into_iter()
            .flatten()
            .copied();
        of_attempt
            .filter(|index| self.calls[*index].ring.company_id == call.company_id)
            .collect()
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(self.calls.iter().map(|call| call.ring.clone()).collect())
    }

    pub(crate) fn next_event_at(&self) -> Option<Timestamp> {
        self.queue.first_key_value().map(|((at, ..), _)| *at)
    }

    /// The next webhook that is due by `now`; until then, whatever happens before it happens.
    pub(crate) fn next_webhook(&mut self, now: Timestamp) -> Option<Outgoing> {
        while let Some(entry) = self.queue.first_entry() {
            let at = entry.key().0;
            if at > now {
                return None;
            }
            match entry.remove() {
                Due::Webhook(webhook) => return Some(webhook),
                Due::Happening(call, happening) => self.happen(call, happening, at),
            }
        }
        None
    }

    /// Takes in what the host answered to a webhook. What follows is counted from `at`.
    pub(crate) fn replied(&mut self, mut webhook: Outgoing, reply: &WebhookReply, at: Timestamp) {
        let call = webhook.call;
        let failed = !(200..300).contains(&reply.status);
        webhook.tries += 1;
        if reply.status >= 500 && webhook.tries < TRIES {
            webhook.at = at + self.lasting(TimeDelta::seconds(1 << webhook.tries));
            self.send(webhook);
            return;
        }
        if webhook.is_copy || !webhook.message.waits_for_reply() {
            return;
        }
        let reply = if failed { None } else { read_reply(reply) };
        let Call { ring, live } = &mut self.calls[call];
        let Some((live, answered_by)) = live.as_mut().zip(ring.answered_by) else {
            return; // It ended while the host was thinking.
        };
        let (after, happening) = if let Some(reply) = reply {
            let population = &self.settings.population;
            let reaction = live.respondent.react(&reply, answered_by, population);
            (reaction.after, happening_of(reaction.act))
        } else {
            let code = if failed {
                "no_reply"
            } else {
                "unreadable_reply"
            };
            (
                TimeDelta::zero(),
                Happening::Ended(Ending::speechless(code)),
            )
        };
        self.plan(call, at + self.lasting(after), happening);
    }

    fn happen(&mut self, index: CallIndex, happening: Happening, at: Timestamp) {
        let call = &mut self.calls[index];
        let Some(live) = &call.live else {
            return; // Nothing happens to a call that has ended.
        };
        let is_answered = matches!(happening, Happening::Answered(_));
        let limit = is_answered.then(|| at + live.longest_call);
        let drop = live.drops_after.filter(|_| is_answered);
        let is_dialed = call.ring.initiated_at.is_some() || happening == Happening::Initiated;
        let message = call.record(happening, at).filter(|_| is_dialed);
        if let Some(message) = message {
            self.tell(index, message, at);
        }
        if let Some(limit) = limit {
            self.plan(index, limit, Happening::Ended(Ending::COMPLETED));
        }
        if let Some(drop) = drop {
            self.plan(index, at + drop, Happening::Ended(Ending::DROPPED));
        }
        let call = &mut self.calls[index];
        if call.ring.ended_at.is_some() {
            for key in call.live.take().into_iter().flat_map(|live| live.planned) {
                self.queue.remove(&key);
            }
        }
    }

    /// Sends a webhook, or loses, doubles or delays it.
    fn tell(&mut self, index: CallIndex, message: Message, at: Timestamp) {
        let (faults, no_reply_at) = (self.settings.faults, at + self.lasting(REPLY_TIMEOUT));
        let Some(live) = self.calls[index].live.as_mut() else {
            return;
        };
        let chance = &mut live.webhooks;
        let lost = chance.happens(faults.lost);
        let twice = chance.happens(faults.delivered_twice);
        let delayed = chance.happens(faults.delayed) && !message.waits_for_reply();
        let delay = chance.seconds(faults.delayed_by_seconds);
        let second_delay = chance.seconds(faults.delayed_by_seconds);
        if lost {
            if message.waits_for_reply() {
                let ending = Happening::Ended(Ending::speechless("no_reply"));
                self.plan(index, no_reply_at, ending);
            }
            return;
        }
        let at = if delayed {
            at + self.lasting(delay)
        } else {
            at
        };
        let webhook = Outgoing {
            call: index,
            message,
            at,
            tries: 0,
            is_copy: false,
        };
        if twice {
            let at = at + self.lasting(second_delay);
            self.send(Outgoing {
                at,
                is_copy: true,
                ..webhook.clone()
            });
        }
        self.send(webhook);
    }

    /// How long something takes at the speed of this world that takes so long in life.
    fn lasting(&self, in_life: TimeDelta) -> TimeDelta {
        in_life / i32::from(self.settings.speed.get())
    }

    /// Lets something happen later, unless the call ends before.
    fn plan(&mut self, index: CallIndex, at: Timestamp, happening: Happening) {
        let key = self.next_key(index, at);
        if let Some(live) = &mut self.calls[index].live {
            live.planned.push(key);
            self.queue.insert(key, Due::Happening(index, happening));
        }
    }

    fn send(&mut self, webhook: Outgoing) {
        let key = self.next_key(webhook.call, webhook.at);
        self.queue.insert(key, Due::Webhook(webhook));
    }

    fn next_key(&mut self, index: CallIndex, at: Timestamp) -> QueueKey {
        self.queued += 1;
        (at, self.calls[index].ring.phone_number, self.queued)
    }
}

fn happening_of(act: Act) -> Happening {
    match act {
        Act::Answers { step, heard } => Happening::Turn { step, heard },
        Act::Ends => Happening::Ended(Ending::COMPLETED),
    }
}

fn capped(duration: std::time::Duration) -> TimeDelta {
    TimeDelta::from_std(duration).map_or(LONGEST, |duration| duration.min(LONGEST))
}

fn unknown() -> PlaceCallError {
    PlaceCallError::Unknown {
        source: "the connection was closed before the answer came".into(),
    }
}
