//! One run: the loop that lets everything happen, one step at a time, until nobody is left to be
//! called.

mod operators;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use voicesurvey::audit::Check;
use voicesurvey::id::IdGenerator;
use voicesurvey::memory::MemoryStorage;
use voicesurvey::ports::{Audit, Scope, Storage, TaskQueue, TelephonyProvider as _};
use voicesurvey::simulator::{Probability, SimulatedProvider};
use voicesurvey::time::{Clock, ManualClock, Timestamp};

use super::actors::{Actors, Drive};
use super::chance::Chance;
use super::faults::{Fault, Faults};
use super::fleet::{Fleet, Network};
use super::judge::{Judge, Sight, Touched};
use super::ports::rung;
use super::results::Results;
use super::shared::{Order, Server, Shared};
use super::world::{self, CampaignIdea, Errand, Operation, Plan, Tenant};

/// More steps than any run needs; a run that takes more will never end.
const MOST_STEPS: u64 = 400_000;
/// No campaign takes longer, whatever happens.
const LONGEST: TimeDelta = TimeDelta::days(60);
/// Activities that may begin at one instant before the clock moves on regardless.
const MOST_AT_ONCE: u32 = 200;

/// A promise that was broken.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) what: String,
    pub(super) faults: Faults,
    pub(super) latest: String,
}

/// A run in which every promise was kept.
#[derive(Debug, PartialEq)]
pub(super) struct Kept {
    /// Equal for two runs only if the same happened in both.
    pub(super) fingerprint: (u64, u64),
    pub(super) results: Results,
    /// Calls that were placed.
    pub(super) calls: usize,
    /// How often each fault of ours happened.
    pub(super) happened: [u32; Fault::ALL.len()],
    pub(super) sights: BTreeSet<Sight>,
}

/// When the queue says that a step of a server is due.
#[derive(Clone, Copy)]
enum NextStep {
    NotAsked,
    At(Option<Timestamp>),
}

pub(super) struct Run {
    plan: Plan,
    drive: Drive,
    shared: Arc<Shared>,
    storage: Arc<dyn Storage>,
    queue: Arc<dyn TaskQueue>,
    audit: Arc<dyn Audit>,
    providers: Vec<Arc<SimulatedProvider>>,
    fleet: Arc<Fleet>,
    actors: Actors,
    chance: Chance,
    tenants: Vec<Tenant>,
    /// What operators are going to do, the next one last.
    errands: Vec<Errand>,
    /// For what is done without faults.
    ids: Arc<IdGenerator>,
    healed: bool,
    begun_now: u32,
    /// What the queue said when it was asked last, unless something has happened since.
    next_step: NextStep,
}

/// Runs a seed over the store in memory, with everything interleaved.
pub(super) fn interleaved(seed: u64) -> Result<Kept, Broken> {
    let storage = Arc::new(MemoryStorage::default());
    let plan = Plan::of(seed);
    Run::new(
        seed,
        plan,
        Order::Interleaved,
        Drive::AtOnce,
        storage.clone(),
        storage.clone(),
        storage,
    )
    .play()
}

/// Runs a seed over the store in memory, one activity after the other, with no other fault than
/// webhooks that come twice so often.
pub(super) fn with_webhooks(seed: u64, twice: Probability) -> Result<Kept, Broken> {
    let storage = Arc::new(MemoryStorage::default());
    let mut plan = Plan {
        faults: Faults::default(),
        ..Plan::in_any_order(seed)
    };
    plan.simulation.faults = Faults::default().of_provider();
    plan.simulation.faults.delivered_twice = twice;
    let drive = Drive::AtOnce;
    let (queue, audit) = (storage.clone(), storage.clone());
    Run::new(seed, plan, Order::OneByOne, drive, storage, queue, audit).play()
}

impl Run {
    pub(super) fn new(
        seed: u64,
        plan: Plan,
        order: Order,
        drive: Drive,
        storage: Arc<dyn Storage>,
        queue: Arc<dyn TaskQueue>,
        audit: Arc<dyn Audit>,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(plan.start));
        let judge = Judge::new(storage.clone(), drive.clone(), world::zones());
        let (faults, servers) = (plan.faults, plan.servers);
        let shared = Shared::new(clock.clone(), order, seed, faults, servers, judge);
        let shared = Arc::new(shared);
        let provider = || SimulatedProvider::new(clock.clone(), plan.simulation.clone());
        let providers = vec![Arc::new(provider()), Arc::new(provider())];
        let fleet = Fleet {
            seed,
            shared: shared.clone(),
            storage: storage.clone(),
            queue: queue.clone(),
            providers: providers.clone(),
            claim_at_most: plan.claim_at_most,
            priced: plan.priced,
            has_leader: plan.has_leader,
            started: Mutex::default(),
        };
        let mut chance = Chance::new(!seed);
        let errands = world::errands(&plan, &mut chance);
        let mut run = Self {
            plan,
            drive,
            shared,
            storage,
            queue,
            audit,
            providers,
            fleet: Arc::new(fleet),
            actors: Actors::default(),
            chance,
            tenants: Vec::new(),
            errands,
            ids: Arc::new(IdGenerator::from_seed(clock.clone(), seed)),
            healed: false,
            begun_now: 0,
            next_step: NextStep::NotAsked,
        };
        run.populate(&clock);
        run
    }

    /// Two companies, with one or two campaigns each. Nothing goes wrong yet.
    fn populate(&mut self, clock: &Arc<ManualClock>) {
        let faults = std::mem::take(&mut self.shared.state().faults);
        let ids = self.ids.clone();
        for _ in 0..2 {
            let storage = &self.storage;
            let tenant = world::tenant(storage, clock, &ids, &mut self.chance);
            let mut tenant = self.drive.finish(tenant);
            for _ in 0..self.chance.between(1, self.plan.most_campaigns) {
                let now = clock.now();
                let idea = CampaignIdea::of(&mut self.chance, self.plan.most_people, now);
                let engine = self.fleet.engine_of_operator(&ids);
                let campaign = idea.realise(&engine, &tenant.actor, &self.shared);
                tenant.campaigns.extend(self.drive.finish(campaign));
            }
            self.tenants.push(tenant);
        }
        self.look_at_everything();
        self.shared.state().faults = faults;
    }

    fn look_at_everything(&self) {
        self.shared
            .judged(|judge, now| judge.after_commit(Scope::Platform, Touched::EVERYTHING, now));
    }

    pub(super) fn play(mut self) -> Result<Kept, Broken> {
        let mut steps = 0;
        let end = self.plan.start + LONGEST;
        loop {
            steps += 1;
            if steps > MOST_STEPS || self.now() > end {
                return Err(self.broken("I7: the campaigns never end"));
            }
            let shared = Arc::clone(&self.shared);
            let polled = self
                .actors
                .poll_one(&mut self.chance, |id, _| shared.begin(id));
            if polled {
                self.next_step = NextStep::NotAsked;
            }
            self.take_note();
            let violation = self.shared.state().violation.take();
            if let Some(what) = violation {
                return Err(self.broken(&what));
            }
            if polled || self.begin_due() || self.move_clock() {
                continue;
            }
            if !self.actors.is_empty() {
                return Err(self.broken("I7: everybody waits for somebody else"));
            }
            if !self.go_on() {
                return self.judge_the_end();
            }
        }
    }

    /// Takes over what was begun, and lets those look who waited for somebody who died.
    fn take_note(&mut self) {
        let (begun, somebody_died, claims) = {
            let mut state = self.shared.state();
            let died = std::mem::take(&mut state.somebody_died);
            let claims = std::mem::take(&mut state.claims);
            (std::mem::take(&mut state.begun), died, claims)
        };
        // Operators like to interfere while somebody is about to be dialed.
        if claims > 0 && !self.healed && self.chance.percent(20) {
            let operations = Operation::among(self.plan.faults);
            if !operations.is_empty() {
                let operation = self.chance.pick(&operations);
                let chance = self.chance.fork();
                self.operate(operation, chance);
            }
        }
        for (name, activity) in begun {
            self.actors.spawn(name, activity);
        }
        if somebody_died {
            self.actors.wake_all();
        }
    }

    /// Begins an activity; one by one, it is also brought to its end.
    fn begin(&mut self, name: &'static str, activity: impl Future<Output = ()> + Send + 'static) {
        self.begun_now += 1;
        self.next_step = NextStep::NotAsked;
        match self.shared.order {
            Order::Interleaved => self.actors.spawn(name, Box::pin(activity)),
            Order::OneByOne => self.drive.finish(activity),
        }
    }

    /// Begins what is due now; `false` if nothing is.
    fn begin_due(&mut self) -> bool {
        if self.begun_now > MOST_AT_ONCE {
            return false;
        }
        let now = self.now();
        let before = self.begun_now;
        // What an operator has begun before would be done after, and nobody would undo it.
        if !self.healed && now >= self.heals_at() && self.actors.count("operator") == 0 {
            self.heal();
        }
        self.start_servers(now);
        self.deliver_late(now);
        while let Some(errand) = self.errands.pop_if(|errand| errand.at <= now) {
            self.operate(errand.operation, errand.chance);
        }
        for provider in self.providers.clone() {
            let is_due = provider.next_event_at().is_some_and(|at| at <= now);
            if is_due && self.actors.count("network") < 4 {
                let network = Network(self.fleet.clone());
                self.begin("network", async move {
                    provider.deliver_due(&network).await;
                });
            }
        }
        if self.next_step_at().is_some_and(|at| at <= now) {
            let first = self.chance.index(self.plan.servers);
            let leader = self.shared.state().leader.map(|leader| leader.server);
            for server in 0..self.plan.servers {
                let as_well = self.shared.order == Order::Interleaved && self.chance.percent(40);
                if server == first || Some(server) == leader || as_well {
                    self.step(server);
                }
            }
        }
        self.begun_now > before
    }

    fn step(&mut self, server: usize) {
        const NAMES: [&str; 4] = ["steps 0", "steps 1", "steps 2", "steps 3"];
        let name = NAMES[server];
        let Some(serving) = self.fleet.server(server) else {
            return;
        };
        if self.actors.count(name) >= 2 {
            // A leader that stands still leads no more, and does not know it.
            let leader = &mut self.shared.state().leader;
            *leader = leader.filter(|leader| leader.server != server);
        } else {
            let by_tick = self.plan.by_tick;
            let duties_first = self.plan.duties_first;
            let duties_first = duties_first.unwrap_or_else(|| self.chance.percent(50));
            self.begin(
                name,
                serving.step(self.fleet.clone(), by_tick, duties_first),
            );
        }
    }

    fn start_servers(&mut self, now: Timestamp) {
        for server in &mut self.shared.state().servers {
            if server.up_at.is_some_and(|at| at <= now) {
                server.up_at = None;
                // It may use another account than those that were asked about.
                self.next_step = NextStep::NotAsked;
            }
        }
    }

    fn deliver_late(&mut self, now: Timestamp) {
        let (orders, news) = {
            let mut state = self.shared.state();
            let orders: Vec<_> = state
                .late_orders
                .extract_if(.., |(at, ..)| *at <= now)
                .collect();
            let news: Vec<_> = state
                .late_news
                .extract_if(.., |(at, _)| *at <= now)
                .collect();
            (orders, news)
        };
        for (_, provider, order) in orders {
            let answer = self
                .drive
                .finish(self.providers[provider].place_call(&order));
            let number = order.phone_number;
            let rung = rung(&self.providers);
            self.shared.judged(|judge, _| {
                judge.heard(rung);
                Ok(())
            });
            self.shared.note(format_args!(
                "a late order for {} arrives: {}",
                number.as_str(),
                answer.is_ok()
            ));
        }
        for (_, request) in news {
            let network = Network(self.fleet.clone());
            self.begin("news", async move {
                network.deliver_once(request).await;
            });
        }
    }

    /// The earliest instant to come at which something will be due. What is due already and was not
    /// begun waits for whoever is busy, but not for ever.
    fn next_instant(&mut self) -> Option<Timestamp> {
        let now = self.now();
        let soon = now + TimeDelta::minutes(1);
        let mut instants = vec![
            self.providers[0].next_event_at(),
            self.providers[1].next_event_at(),
            self.errands.last().map(|errand| errand.at),
            (!self.healed).then(|| self.heals_at()),
            self.next_step_at(),
        ];
        let state = self.shared.state();
        instants.extend(state.servers.iter().map(|server| server.up_at));
        instants.extend(state.sleepers.iter().map(|(at, _)| Some(*at)));
        instants.extend(state.late_orders.iter().map(|(at, ..)| Some(*at)));
        instants.extend(state.late_news.iter().map(|(at, _)| Some(*at)));
        let instants = instants.into_iter().flatten();
        instants.map(|at| if at > now { at } else { soon }).min()
    }

    /// When a step of a server is due; `None` if none is, or no server is up.
    fn next_step_at(&mut self) -> Option<Timestamp> {
        let is_down = |server: &Server| server.up_at.is_some();
        if self.shared.state().servers.iter().all(is_down) {
            return None;
        }
        if let NextStep::At(known) = self.next_step {
            return known;
        }
        // Of an account that no server uses nothing is due, however much of it is free.
        let accounts = self.fleet.accounts();
        let queue = &self.queue;
        let instants = self.drive.finish(async move {
            let mut instants = vec![
                queue.next_due_at().await.unwrap(),
                queue.next_expiry_at().await.unwrap(),
                queue.next_start_at().await.unwrap(),
                queue.next_end_at().await.unwrap(),
                queue.next_review_at().await.unwrap(),
            ];
            for account in accounts {
                instants.push(queue.next_ready_at(account).await.unwrap());
            }
            instants
        });
        let next = instants.into_iter().flatten().min();
        self.next_step = NextStep::At(next);
        next
    }

    /// Moves the clock to the next instant; `false` if nothing will ever be due.
    fn move_clock(&mut self) -> bool {
        let Some(mut next) = self.next_instant() else {
            return false;
        };
        if self.shared.happens(Fault::ClockJump, 5) {
            let seconds = self.chance.between(60, 30_000);
            let jump = next + TimeDelta::seconds(seconds.into());
            // An order is on its way for seconds, not for hours, whatever else stands still.
            let orders = &self.shared.state().late_orders;
            next = orders.iter().map(|(at, ..)| *at).fold(jump, Timestamp::min);
        }
        self.begun_now = 0;
        self.shared.clock.set(next);
        let due: Vec<_> = {
            let sleepers = &mut self.shared.state().sleepers;
            sleepers.extract_if(.., |(at, _)| *at <= next).collect()
        };
        for (_, waker) in due {
            waker.wake();
        }
        true
    }

    fn heals_at(&self) -> Timestamp {
        self.plan.start + self.plan.trouble_for
    }

    /// From now on only people and the provider are as they are, and all companies may call.
    fn heal(&mut self) {
        self.healed = true;
        self.errands.clear();
        self.activate_companies();
        let now = self.now();
        let mut state = self.shared.state();
        state.faults = Faults::default();
        state
            .trace
            .note(now, format_args!("nothing goes wrong any more"));
    }

    fn judge_the_end(self) -> Result<Kept, Broken> {
        self.shared.judged(Judge::audit);
        let rings = |provider: &Arc<SimulatedProvider>| provider.ledger().rings().to_vec();
        let of_accounts: Vec<_> = self.providers.iter().map(rings).collect();
        let rings = of_accounts.concat();
        let results = Results::read(&self.drive, &self.storage, &self.tenants, &rings);
        let broken = self.shared.state().violation.take();
        let broken = broken.or_else(|| results.broken());
        let findings = self.drive.finish(self.audit.audit(self.now())).unwrap();
        // The judge looks at exclusions itself, by their commits: here the clock jumps between the
        // moment somebody reads it and the commit, so instants of two rows cannot be compared.
        let mut findings = findings.iter();
        let found = findings.find(|found| found.check != Check::CallsAfterExclusion);
        let broken = broken.or_else(|| found.map(|found| format!("{found:?}")));
        let broken = broken.or_else(|| super::results::of_rings(&rings, &self.shared));
        let broken = broken.or_else(|| super::results::of_accounts(&of_accounts, &self.shared));
        if let Some(what) = broken {
            return Err(self.broken(&what));
        }
        let state = self.shared.state();
        Ok(Kept {
            fingerprint: state.trace.fingerprint(),
            results,
            calls: rings.len(),
            happened: state.happened,
            sights: state.judge.sights(),
        })
    }

    fn broken(&self, what: &str) -> Broken {
        Broken {
            what: what.to_owned(),
            faults: self.plan.faults,
            latest: self.shared.state().trace.latest(),
        }
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }
}
