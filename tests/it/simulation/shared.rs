//! What all servers of one run share: the clock, chance, what goes wrong, and the judge.
//!
//! One thread runs everything, so the lock is never waited for; it is there because the ports must
//! be `Sync`.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use chrono::TimeDelta;
use voicesurvey::ports::{CallOrder, ClaimedTask, Scope, StorageError, WebhookRequest};
use voicesurvey::time::{Clock, ManualClock, Timestamp};

use super::actors::{Activity, ActivityId, yield_once};
use super::chance::Chance;
use super::faults::{Fault, Faults};
use super::judge::{Judge, Touched};
use super::trace::Trace;

/// How the servers' steps are put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// At every call of a port anybody may come next.
    Interleaved,
    /// Each activity runs to its end before the next one begins, so that a store that does I/O goes
    /// through the same run.
    OneByOne,
}

pub(super) struct Shared {
    pub(super) clock: Arc<ManualClock>,
    pub(super) order: Order,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) chance: Chance,
    pub(super) faults: Faults,
    pub(super) trace: Trace,
    pub(super) judge: Judge,
    pub(super) violation: Option<String>,
    pub(super) servers: Vec<Server>,
    /// What was begun while something else was polled.
    pub(super) begun: Vec<(&'static str, Activity)>,
    pub(super) sleepers: Vec<(Timestamp, Waker)>,
    /// Orders that their senders have given up, on their way to a provider.
    pub(super) late_orders: Vec<(Timestamp, usize, CallOrder)>,
    /// News that the harness makes up, on its way to any server.
    pub(super) late_news: Vec<(Timestamp, WebhookRequest)>,
    /// Claims that operators have not seen yet.
    pub(super) claims: u32,
    /// Which server does the duties of one; `None` while nobody does, or everybody.
    pub(super) leader: Option<Leader>,
    /// How many leaders there were.
    elections: u64,
    /// How often each fault has happened.
    pub(super) happened: [u32; Fault::ALL.len()],
    /// Somebody died, so whoever waits for them must look.
    pub(super) somebody_died: bool,
    current: ActivityId,
    open_work: HashMap<ActivityId, u32>,
}

/// One server's life.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Server {
    /// Rises with every death.
    pub(super) life: u32,
    /// When it starts again; `None` while it is up.
    pub(super) up_at: Option<Timestamp>,
}

/// Who leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leader {
    pub(super) server: usize,
    life: u32,
    /// Tells this leadership from every other, also of the same server.
    pub(super) epoch: u64,
}

impl Shared {
    pub(super) fn new(
        clock: Arc<ManualClock>,
        order: Order,
        seed: u64,
        faults: Faults,
        servers: usize,
        judge: Judge,
    ) -> Self {
        Self {
            clock,
            order,
            state: Mutex::new(State {
                chance: Chance::new(seed),
                faults,
                trace: Trace::default(),
                judge,
                violation: None,
                servers: vec![Server::default(); servers],
                begun: Vec::new(),
                sleepers: Vec::new(),
                late_orders: Vec::new(),
                late_news: Vec::new(),
                claims: 0,
                leader: None,
                elections: 0,
                happened: [0; Fault::ALL.len()],
                somebody_died: false,
                current: 0,
                open_work: HashMap::new(),
            }),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // OK because whoever panics with the lock ends the run.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, event: fmt::Arguments<'_>) {
        let now = self.clock.now();
        self.state().trace.note(now, event);
    }

    /// Whether the fault is among those of this run, and happens now.
    pub(super) fn happens(&self, fault: Fault, per_mille: u32) -> bool {
        let mut state = self.state();
        let happens = state.faults.has(fault) && state.chance.per_mille(per_mille);
        state.happened[fault as usize] += u32::from(happens);
        happens
    }

    /// Lets the judge look, and remembers the first promise that is broken.
    pub(super) fn judged(&self, look: impl FnOnce(&mut Judge, Timestamp) -> Result<(), String>) {
        let now = self.clock.now();
        let mut state = self.state();
        if let Err(broken) = look(&mut state.judge, now)
            && state.violation.is_none()
        {
            state.violation = Some(broken);
        }
    }

    /// From now on this activity is polled.
    pub(super) fn begin(&self, current: ActivityId) {
        self.state().current = current;
    }

    async fn sleep(&self, duration: TimeDelta) {
        let until = self.clock.now() + duration;
        std::future::poll_fn(|context| {
            if self.clock.now() >= until {
                return Poll::Ready(());
            }
            self.state().sleepers.push((until, context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// One life of one server, as the ports that it uses know it.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) shared: Arc<Shared>,
    pub(super) server: usize,
    pub(super) life: u32,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server {}.{}", self.server, self.life)
    }
}

impl Line {
    pub(super) fn is_alive(&self) -> bool {
        let server = self.shared.state().servers[self.server];
        server.life == self.life && server.up_at.is_none()
    }

    /// The epoch in which this server leads, if it does. It is elected if nobody leads any more.
    pub(super) fn leads(&self) -> Option<u64> {
        let mut state = self.shared.state();
        let server = state.leader.map(|leader| state.servers[leader.server]);
        let is_gone = state
            .leader
            .zip(server)
            .is_none_or(|(leader, server)| leader.life != server.life || server.up_at.is_some());
        if is_gone {
            state.elections += 1;
            state.leader = Some(Leader {
                server: self.server,
                life: self.life,
                epoch: state.elections,
            });
            let now = self.shared.clock.now();
            state.trace.note(now, format_args!("{self:?} leads"));
        }
        let leader = state.leader.filter(|leader| leader.server == self.server);
        leader.map(|leader| leader.epoch)
    }

    /// What the store says to a server that writes as the leader of that epoch. Before it does, it
    /// may have become a past one.
    pub(super) fn still_leads(&self, epoch: u64) -> Result<(), StorageError> {
        if self.shared.happens(Fault::LeadershipLost, 20) {
            self.shared.note(format_args!("nobody leads any more"));
            self.shared.state().leader = None;
        }
        let leader = self.shared.state().leader;
        if leader.is_some_and(|leader| leader.epoch == epoch) {
            Ok(())
        } else {
            self.shared
                .note(format_args!("{self:?} writes as a past leader"));
            Err(StorageError::NotLeader)
        }
    }

    /// Runs on this server as long as it lives; `None` if it dies first.
    pub(super) async fn run<T>(&self, activity: impl Future<Output = T>) -> Option<T> {
        let mut activity = Box::pin(activity);
        std::future::poll_fn(|context| {
            if !self.is_alive() {
                return Poll::Ready(None);
            }
            match activity.as_mut().poll(context) {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                Poll::Pending if self.is_alive() => Poll::Pending,
                Poll::Pending => Poll::Ready(None),
            }
        })
        .await
    }

    /// A step before an effect: others may come first, and the server may die.
    pub(super) async fn before(&self, what: &'static str) {
        if self.shared.order == Order::Interleaved {
            yield_once().await;
        }
        if self.shared.happens(Fault::CrashBefore, 6) {
            self.die("before", what).await;
        }
    }

    /// A step after an effect: the server may die, or learn of it late.
    pub(super) async fn after(&self, what: &'static str) {
        if self.shared.happens(Fault::CrashAfter, 12) {
            self.die("after", what).await;
        }
        self.dawdle().await;
    }

    /// The server may stand still for a while. Not while it holds rows that others wait for.
    pub(super) async fn dawdle(&self) {
        if self.shared.order == Order::Interleaved && self.shared.happens(Fault::Slow, 10) {
            let seconds = {
                let mut state = self.shared.state();
                let longest = state.chance.pick(&[5, 60, 600, 20_000]);
                state.chance.between(1, longest)
            };
            self.shared
                .note(format_args!("{self:?} stands still for {seconds} s"));
            self.shared.sleep(TimeDelta::seconds(seconds.into())).await;
        }
    }

    async fn die(&self, when: &str, what: &str) {
        let now = self.shared.clock.now();
        {
            let mut state = self.shared.state();
            let seconds = state.chance.between(1, 400);
            state.servers[self.server].life += 1;
            state.servers[self.server].up_at = Some(now + TimeDelta::seconds(seconds.into()));
            state.somebody_died = true;
            state
                .trace
                .note(now, format_args!("{self:?} dies {when} {what}"));
        }
        std::future::pending::<()>().await;
    }

    /// Whether the store fails before the effect.
    pub(super) fn store_is_down(&self) -> Result<(), StorageError> {
        if self.shared.happens(Fault::StoreDown, 8) {
            self.shared
                .note(format_args!("{self:?} cannot reach the store"));
            return Err(unavailable());
        }
        Ok(())
    }

    /// Whether the reply that tells of an effect is lost.
    pub(super) fn reply_is_lost(&self, what: &str) -> Result<(), StorageError> {
        if self.shared.happens(Fault::CommitReplyLost, 15) {
            self.shared
                .note(format_args!("{self:?} does not learn of its {what}"));
            return Err(unavailable());
        }
        Ok(())
    }

    /// Something was committed.
    pub(super) fn committed(&self, scope: Scope, touched: Touched) {
        self.shared
            .judged(|judge, now| judge.after_commit(scope, touched, now));
    }

    /// A claim was committed.
    pub(super) fn claimed(&self, claimed: &[ClaimedTask]) {
        for ClaimedTask { task, attempt } in claimed {
            self.shared.note(format_args!(
                "{self:?} claims {} for attempt {} of {}",
                task.contact.phone_number.as_str(),
                attempt.number,
                attempt.campaign_id
            ));
        }
        self.shared
            .judged(|judge, now| judge.after_claim(claimed, now));
    }

    pub(super) fn opened(&self) -> OpenWork {
        let mut state = self.shared.state();
        let activity = state.current;
        *state.open_work.entry(activity).or_default() += 1;
        OpenWork {
            shared: Arc::clone(&self.shared),
            activity,
        }
    }

    /// I2: nothing is open while the provider is asked.
    pub(super) fn nothing_is_open(&self, what: &str) {
        let mut state = self.shared.state();
        let current = state.current;
        if state.open_work.get(&current).is_some_and(|open| *open > 0) && state.violation.is_none()
        {
            state.violation = Some(format!("I2: a unit of work is open during {what}"));
        }
    }
}

/// Counts a unit of work as open for as long as it is.
pub(super) struct OpenWork {
    shared: Arc<Shared>,
    activity: ActivityId,
}

impl Drop for OpenWork {
    fn drop(&mut self) {
        if let Some(open) = self.shared.state().open_work.get_mut(&self.activity) {
            *open -= 1;
        }
    }
}

fn unavailable() -> StorageError {
    StorageError::Unavailable("the connection was lost".into())
}
