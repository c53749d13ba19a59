//! Whole campaigns through the real client and real webhooks, on PostgreSQL, against a stand-in for
//! Twilio that loses, doubles, delays and refuses. Its ledger is the judge.
//!
//! Only the time is not real: a clock that is set to the next instant at which something is due, so
//! that days pass in seconds. `VOICESURVEY_TWILIO_SEEDS=100-199` runs other seeds, and many of them.

#![expect(clippy::print_stdout, reason = "the figures of a run are its result")]

mod judge;
mod site;

use std::ops::RangeInclusive;

use self::judge::Judge;
use self::site::Site;
use crate::twilio_stand_in::Faults;

/// Who is called by each of the two campaigns; some are on both lists.
const CONTACTS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_rings_twice_whatever_goes_wrong_between_us_and_twilio() {
    for seed in seeds(1..=3) {
        run(seed, Faults::MANY, 0).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_rings_twice_while_one_of_two_servers_is_killed_again_and_again() {
    for seed in seeds(1..=2) {
        run(seed, Faults::MANY, 8).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_good_day_every_price_is_known_and_every_callback_arrives() {
    let site = run(7, Faults::default(), 0).await;
    let (orders, undelivered) = site.twilio.counts();
    assert_eq!((orders, undelivered), (site.twilio.rings().len(), 0));
    assert_eq!(site.twilio.prices_untold(), 0);
}

async fn run(seed: u64, faults: Faults, kills: u64) -> Site {
    let servers = if kills > 0 { 2 } else { 1 };
    let mut site = Site::start(seed, faults, servers).await;
    site.call(CONTACTS).await;
    site.run_to_the_end(kills).await;
    Judge::new(&site).await.check().await;
    site
}

/// The seeds of the environment, or these.
fn seeds(usual: RangeInclusive<u64>) -> RangeInclusive<u64> {
    let Ok(text) = std::env::var("VOICESURVEY_TWILIO_SEEDS") else {
        return usual;
    };
    let (from, to) = text.split_once('-').unwrap_or((&text, &text));
    let number = |text: &str| text.parse().expect("seeds as 100-199");
    number(from)..=number(to)
}
