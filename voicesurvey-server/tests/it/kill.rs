//! Servers are killed, again and again, while they call people; nobody is called twice and nothing
//! that was said is lost.
//!
//! Real processes: two servers on one PostgreSQL, and a telephony provider in a process of its own
//! that loses, doubles and delays what it tells. Its ledger is the judge, not our database: it
//! knows which telephones rang, whatever the servers believe.

#![expect(clippy::print_stdout, reason = "the figures of a run are its result")]

mod crowd;
pub(crate) mod judge;
mod machines;

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::{AttemptState, CallAttempt};
use voicesurvey_core::call_task::{CallTask, TaskState};
use voicesurvey_core::ports::PageRequest;
use voicesurvey_core::ports::repositories::CallAttemptFilter;
use voicesurvey_core::time::{Clock as _, SystemClock, Timestamp};
use voicesurvey_server::stand_in::Counts;

use self::crowd::Crowd;
use self::judge::Judge;
use self::machines::{Machines, until};

/// What a run depends on, besides chance in the machine.
#[derive(Clone, Copy, Debug)]
struct Size {
    contacts: usize,
    kills: u64,
    seed: u64,
}

/// No task may be stuck for longer, once everything is healed.
const HEALED_WITHIN: TimeDelta = TimeDelta::seconds(60);

/// The stand-in is asked and told about eight things per contact; kills are spread over five of them,
/// so that work is left when the last one comes.
const STEPS_PER_CONTACT: u64 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_people_are_called_once_while_servers_are_killed_twenty_times() {
    run(Size {
        contacts: from_environment("CONTACTS", 1_000),
        kills: from_environment("KILLS", 20),
        seed: from_environment("SEED", 1),
    })
    .await;
}

/// The same ten times larger; it takes ten to twenty minutes, so it is run by hand and at night:
///
/// ```text
/// cargo test -p voicesurvey-server --test it -- --ignored --nocapture killed_two_hundred_times
/// ```
///
/// `VOICESURVEY_KILL_CONTACTS`, `VOICESURVEY_KILL_KILLS` and `VOICESURVEY_KILL_SEED` make it
/// smaller, larger and different.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten to twenty minutes"]
async fn ten_thousand_people_are_called_once_while_servers_are_killed_two_hundred_times() {
    run(Size {
        contacts: from_environment("CONTACTS", 10_000),
        kills: from_environment("KILLS", 200),
        seed: from_environment("SEED", 1),
    })
    .await;
}

fn from_environment<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(format!("VOICESURVEY_KILL_{name}"))
        .ok()
        .map_or(default, |text| text.parse().ok().expect("a number"))
}

async fn run(size: Size) {
    let begun = SystemClock.now();
    let mut machines = Machines::start(size.seed).await;
    let crowd = Crowd::call(&machines, size.contacts).await;
    let called_from = SystemClock.now();
    let killed = kill_servers(&mut machines, &crowd, size).await;
    assert_eq!(killed, size.kills, "the calls were over before the kills");
    machines.wait_until_ready().await;
    let longest = settle(&machines, &crowd, SystemClock.now()).await;
    let ledger = machines.ledger().await;
    let seconds = (SystemClock.now() - called_from).num_seconds();
    println!("{size:?}: {seconds} s of calls, the longest attempt took {longest} ms");
    println!("{:?}", ledger.counts);
    Judge::new(&machines, &crowd, ledger).await.check().await;
    let logs = machines.stop().await;
    for log in &logs {
        assert!(
            !log.contains("a bug:") && !log.contains("panicked"),
            "{log}"
        );
    }
    println!("all in all {} s", (SystemClock.now() - begun).num_seconds());
}

/// Kills one server after the other at random moments of the traffic with the provider. Returns how
/// many were killed while there was work to be done.
async fn kill_servers(machines: &mut Machines, crowd: &Crowd, size: Size) -> u64 {
    let mut chance = Chance(size.seed);
    let steps_per_kill = size.contacts as u64 * STEPS_PER_CONTACT / size.kills.max(1);
    let mut target = 0;
    for killed in 0..size.kills {
        target += 1 + chance.below(1 + 2 * steps_per_kill);
        let came = until("traffic with the provider", async || {
            let counts = machines.counts().await;
            let campaigns = crowd.counters(machines).await;
            let all_called = campaigns.iter().all(|counters| counters.open_tasks() == 0);
            (steps(counts) >= target || all_called).then_some(!all_called)
        });
        if !came.await {
            return killed;
        }
        let index = usize::from(chance.below(2) == 1);
        machines.kill_and_restart(index).await;
    }
    size.kills
}

fn steps(counts: Counts) -> u64 {
    counts.orders + counts.look_ups + counts.webhooks + counts.webhooks_repeated
}

/// Waits until everybody was called, and watches that nothing stays behind meanwhile (I7). Returns
/// the age in milliseconds of the oldest live attempt that was seen.
async fn settle(machines: &Machines, crowd: &Crowd, healed_at: Timestamp) -> i64 {
    let mut longest = TimeDelta::zero();
    let mut last_news = (healed_at, Vec::new());
    loop {
        let now = SystemClock.now();
        for attempt in live_attempts(machines, crowd).await {
            let age = now - attempt.created_at;
            longest = longest.max(age);
            let healthy_for = age.min(now - healed_at);
            assert!(healthy_for < HEALED_WITHIN, "stuck: {attempt:?}");
        }
        let counters = crowd.counters(machines).await;
        if counters == last_news.1 {
            let open = crowd.open_tasks(machines).await;
            if open.iter().all(|task| waits_long(task, now)) && crowd.is_finished(machines).await {
                return longest.num_milliseconds();
            }
            let mut due_soon = open.iter().filter(|task| !waits_long(task, now));
            if due_soon.any(|task| task.state.due_at().is_some_and(|due_at| due_at > now)) {
                last_news.0 = now;
            }
            let quiet_for = now - last_news.0;
            assert!(quiet_for < HEALED_WITHIN, "nothing happens to {open:?}");
        } else {
            last_news = (now, counters);
        }
        machines::pause().await;
    }
}

/// Whether the person is called again, but so late that nobody waits for it.
fn waits_long(task: &CallTask, now: Timestamp) -> bool {
    matches!(task.state, TaskState::Retry { due_at } if due_at > now + HEALED_WITHIN)
}

async fn live_attempts(machines: &Machines, crowd: &Crowd) -> Vec<CallAttempt> {
    let mut live = Vec::new();
    for company in &crowd.companies {
        let mut work = company.begin(machines).await;
        let states = AttemptState::ALL.into_iter();
        for state in states.filter(|state| state.is_live()) {
            let filter = CallAttemptFilter {
                state: Some(state),
                ..CallAttemptFilter::default()
            };
            let page = PageRequest::first(PageRequest::LARGEST);
            let page = work.call_attempts().list(&filter, &page).await;
            live.extend(page.unwrap().rows);
        }
    }
    live
}

/// Chance that a seed repeats: `SplitMix64`.
struct Chance(u64);

impl Chance {
    /// A number from 0 up to, and without, `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
