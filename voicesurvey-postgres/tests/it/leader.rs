//! Leaders on a real database: who leads, who takes over and how soon, and what a past leader can
//! still write. And what else servers on one database share: the bell and the time.

mod pooler;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use sqlx::postgres::PgConnection;
use tokio::time::{Instant, timeout};
use uuid::Uuid;
use voicesurvey_core::ports::{Leadership as _, Scope, Storage as _, StorageError};
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::{Clock as _, SystemClock, Timestamp};
use voicesurvey_postgres::testing::TestDatabase;
use voicesurvey_postgres::{Candidate, PostgresClock, PostgresOptions, PostgresStorage};

use self::pooler::Pooler;
use crate::support::{PostgresUnderTest, platform, texts};

/// How soon somebody must have taken over, whatever happened to the leader.
const TAKE_OVER: Duration = Duration::from_secs(5);

/// The connection that holds the lock.
const LOCK_HOLDER: &str = "SELECT pg_terminate_backend(pid)::text FROM pg_locks
    WHERE locktype = 'advisory' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

fn candidate(database: &PostgresUnderTest, server: &str) -> Candidate {
    database.candidate(server, Arc::new(SystemClock))
}

/// Holds rounds until the candidate leads, and returns how long that took.
async fn wins(candidate: &mut Candidate) -> Duration {
    let begun = Instant::now();
    let rounds = async {
        let mut rounds = tokio::time::interval(candidate.next_round_in());
        while !candidate.round().await.unwrap() {
            rounds.tick().await;
        }
    };
    let won = timeout(TAKE_OVER, rounds).await;
    assert!(won.is_ok(), "nobody takes over");
    begun.elapsed()
}

async fn cut_lock_holder(connection: &mut PgConnection) {
    assert_eq!(texts(connection, LOCK_HOLDER).await, ["true"]);
}

/// A statement that a leader's duty might run: creating a company shows whether it was written.
async fn write(store: &PostgresStorage) -> Result<(), StorageError> {
    let company = samples::company();
    let mut work = store.begin(Scope::Platform).await?;
    work.companies().insert(&company).await?;
    work.commit().await
}

async fn companies(connection: &mut PgConnection) -> usize {
    let all = "SELECT name FROM set_config('voicesurvey.scope', 'platform', false), companies";
    texts(connection, all).await.len()
}

#[tokio::test]
async fn one_of_two_leads_and_the_epoch_says_who() {
    let database = PostgresUnderTest::create().await;
    let mut connection = platform(&database).await;
    let (mut one, mut other) = (candidate(&database, "one"), candidate(&database, "other"));
    assert!(!one.leadership().is_leader(), "nobody leads unelected");
    assert!(one.round().await.unwrap());
    for _ in 0..3 {
        assert!(!other.round().await.unwrap());
        assert!(one.round().await.unwrap());
    }
    assert!(one.leadership().is_leader() && !other.leadership().is_leader());
    assert_eq!(one.leadership().epoch(), Some(1));
    let row = "SELECT concat_ws(' ', epoch, server, elected_at IS NOT NULL) FROM leadership";
    assert_eq!(texts(&mut connection, row).await, ["1 one t"]);
}

#[tokio::test]
async fn a_standby_takes_over_at_once_from_a_leader_that_resigns() {
    let database = PostgresUnderTest::create().await;
    let (mut one, mut other) = (candidate(&database, "one"), candidate(&database, "other"));
    assert!(one.round().await.unwrap());
    assert!(!other.round().await.unwrap());
    let leadership = one.leadership();
    one.resign().await;
    assert!(!leadership.is_leader());
    let took = wins(&mut other).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(other.leadership().epoch(), Some(2));
}

#[tokio::test]
async fn a_leader_whose_connection_was_cut_steps_down_and_stands_again() {
    let database = PostgresUnderTest::create().await;
    let mut connection = database.connection().await;
    let (mut one, mut other) = (candidate(&database, "one"), candidate(&database, "other"));
    assert!(one.round().await.unwrap());
    cut_lock_holder(&mut connection).await;
    let took = wins(&mut other).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(one.round().await.is_err());
    assert!(!one.leadership().is_leader());
    assert!(
        !one.round().await.unwrap(),
        "it stands with a new connection"
    );
}

#[tokio::test]
async fn a_leader_that_is_frozen_stops_trusting_itself_before_a_standby_takes_over() {
    let database = PostgresUnderTest::create().await;
    let (mut frozen, mut other) = (
        candidate(&database, "frozen"),
        candidate(&database, "other"),
    );
    assert!(frozen.round().await.unwrap());
    // From here on it shows no sign of life, and its connection stays open.
    wins(&mut other).await;
    assert!(!frozen.leadership().is_leader());
    assert!(frozen.round().await.is_err(), "its session was ended");
    assert!(!frozen.round().await.unwrap());
    assert!(other.round().await.unwrap());
}

#[tokio::test]
async fn a_past_leader_that_believes_in_itself_cannot_write() {
    let database = PostgresUnderTest::create().await;
    let mut connection = database.connection().await;
    let (mut past, mut next) = (candidate(&database, "past"), candidate(&database, "next"));
    let store_of_past = database.fenced(past.leadership());
    let unelected = write(&store_of_past).await;
    assert!(matches!(unelected, Err(StorageError::NotLeader)));
    assert!(past.round().await.unwrap());
    write(&store_of_past).await.unwrap();

    cut_lock_holder(&mut connection).await;
    wins(&mut next).await;
    assert!(past.leadership().is_leader(), "nobody has told it yet");
    let refused = write(&store_of_past).await;
    assert!(
        matches!(refused, Err(StorageError::NotLeader)),
        "{refused:?}"
    );
    assert!(!past.leadership().is_leader(), "now it knows");
    assert_eq!(companies(&mut connection).await, 1);
    write(&database.fenced(next.leadership())).await.unwrap();
    write(&database).await.unwrap();
    assert_eq!(companies(&mut connection).await, 3, "others write as ever");
}

#[tokio::test]
async fn an_open_duty_of_a_frozen_leader_is_undone_and_holds_nobody_up() {
    let database = PostgresUnderTest::create().await;
    let mut connection = database.connection().await;
    let (mut frozen, mut next) = (candidate(&database, "frozen"), candidate(&database, "next"));
    assert!(frozen.round().await.unwrap());
    let store = database.fenced(frozen.leadership());
    let mut work = store.begin(Scope::Platform).await.unwrap();
    work.companies().insert(&samples::company()).await.unwrap();
    cut_lock_holder(&mut connection).await;
    wins(&mut next).await;
    assert!(work.commit().await.is_err());
    assert_eq!(companies(&mut connection).await, 0);
}

#[tokio::test]
async fn an_election_waits_for_a_duty_that_is_being_written() {
    let database = PostgresUnderTest::create().await;
    let mut connection = database.connection().await;
    let (mut past, mut next) = (candidate(&database, "past"), candidate(&database, "next"));
    assert!(past.round().await.unwrap());
    let store = database.fenced(past.leadership());
    let mut work = store.begin(Scope::Platform).await.unwrap();
    work.companies().insert(&samples::company()).await.unwrap();
    cut_lock_holder(&mut connection).await;
    let elected = tokio::spawn(async move { next.round().await });
    let waits = "SELECT 'it waits' FROM pg_stat_activity
         WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE leadership%'";
    let waiting = async {
        while texts(&mut connection, waits).await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(TAKE_OVER, waiting)
        .await
        .expect("the election waits");
    work.commit().await.unwrap();
    assert!(elected.await.unwrap().unwrap());
    assert_eq!(companies(&mut connection).await, 1);
}

#[tokio::test]
async fn nobody_stands_behind_a_pooler_that_shares_connections() {
    let database = TestDatabase::create().await;
    let pooler = Pooler::start(database.url()).await;
    let options = PostgresOptions::default();
    let store = PostgresStorage::connect(pooler.url(), &options)
        .await
        .unwrap();
    let mut candidate = store.candidate("pooled", Arc::new(SystemClock));
    for refused in [candidate.check().await, candidate.round().await.map(|_| ())] {
        let Err(StorageError::Failed(why)) = refused else {
            panic!("{refused:?}");
        };
        assert!(why.to_string().contains("pooler"), "{why}");
    }
    assert!(!candidate.leadership().is_leader());
}

#[tokio::test]
async fn a_ring_is_heard_by_others_and_not_by_oneself() {
    let database = PostgresUnderTest::create().await;
    let mut connection = database.connection().await;
    let (own, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let mut at_home = database.listen(own).await.unwrap();
    let mut elsewhere = database.listen(other).await.unwrap();
    let bell = database.notifier(own);
    bell.notify().await.unwrap();
    elsewhere.heard().await.unwrap();
    // What comes next at home is the end of its connection, because its own ring was ignored.
    let cut = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
         WHERE query LIKE 'LISTEN %' AND datname = current_database()";
    assert_eq!(texts(&mut connection, cut).await, ["true", "true"]);
    let lost = at_home.heard().await;
    assert!(
        matches!(lost, Err(StorageError::Unavailable(_))),
        "{lost:?}"
    );
    let mut again = database.listen(other).await.unwrap();
    bell.notify().await.unwrap();
    again.heard().await.unwrap();
}

#[tokio::test]
async fn the_clock_shows_the_time_of_the_database_and_never_runs_backwards() {
    let database = PostgresUnderTest::create().await;
    let mut connection = database.connection().await;
    let clock = PostgresClock::start(&database).await.unwrap();
    let margin = TimeDelta::milliseconds(200);
    let mut last = clock.now();
    for _ in 0..50 {
        let before = database_time(&mut connection).await;
        let shown = clock.now();
        let after = database_time(&mut connection).await;
        assert!(before - margin <= shown && shown <= after + margin);
        assert!(shown >= last, "{shown} after {last}");
        last = shown;
        clock.synchronise().await.unwrap();
    }
}

async fn database_time(connection: &mut PgConnection) -> Timestamp {
    let time = sqlx::query_scalar("SELECT clock_timestamp()");
    time.fetch_one(connection).await.unwrap()
}
