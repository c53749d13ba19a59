//! SQL and the core calculate alike: room, pace and the next visit of a level.

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sqlx::postgres::PgConnection;
use voicesurvey_core::pace::Pace;
use voicesurvey_core::queue::QueueLevel;
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::Timestamp;

use crate::support::{PostgresUnderTest, platform};

/// A level at some instant, and a visit to it.
#[derive(Clone, Copy, Debug)]
struct Case {
    level: QueueLevel,
    calls: u32,
    next_due: Option<Timestamp>,
}

fn instant(microseconds: i64) -> Timestamp {
    samples::now() + TimeDelta::microseconds(microseconds)
}

fn cases() -> impl Strategy<Value = Case> {
    let near = -90_000_000_i64..90_000_000;
    let pace = (
        prop_oneof![0_u32..130, 0_u32..100_000],
        prop_oneof![3 => Just(0_u32), 1 => 0_u32..200],
    );
    (
        (0_u32..50, 0_u32..50, pace, near.clone()),
        (any::<prop::sample::Index>(), prop::option::of(near)),
    )
        .prop_map(
            |((in_flight, lines, (rate, spacing), arrival), (calls, next_due))| {
                let pace = Pace {
                    calls_per_minute: rate,
                    seconds_between_calls: spacing,
                };
                let level = QueueLevel {
                    in_flight,
                    arrival: instant(arrival),
                    ..QueueLevel::new(lines, pace, instant(0))
                };
                let room = usize::try_from(level.room(instant(0))).unwrap();
                Case {
                    level,
                    calls: u32::try_from(calls.index(room + 1)).unwrap(),
                    next_due: next_due.map(instant),
                }
            },
        )
}

/// Room, and arrival and next visit after the calls, as SQL calculates them.
async fn calculated(
    connection: &mut PgConnection,
    case: Case,
) -> (i64, Timestamp, Option<Timestamp>) {
    let Case {
        level,
        calls,
        next_due,
    } = case;
    let select = "SELECT queue_room($1, $2, $3, $4, $5, $6), after.arrival,
            queue_ready_at($1 + $7, $2, $3, $4, after.arrival, $8, $6)
        FROM (SELECT queue_arrival($3, $5, $6, $7) AS arrival) AS after";
    sqlx::query_as(select)
        .bind(i64::from(level.in_flight))
        .bind(i64::from(level.max_concurrent_calls))
        .bind(level.pace.interval())
        .bind(i64::from(level.pace.burst()))
        .bind(level.arrival)
        .bind(instant(0))
        .bind(i64::from(calls))
        .bind(next_due)
        .fetch_one(connection)
        .await
        .unwrap()
}

#[test]
fn the_database_calculates_a_visit_as_the_core_does() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let database = runtime.block_on(PostgresUnderTest::create());
    let mut connection = runtime.block_on(platform(&database));
    let mut runner = TestRunner::default();
    for _ in 0..2_000 {
        let case = cases().new_tree(&mut runner).unwrap().current();
        let now = instant(0);
        let after = case.level.after_visit(now, case.calls, case.next_due);
        assert_eq!(
            runtime.block_on(calculated(&mut connection, case)),
            (
                i64::from(case.level.room(now)),
                after.arrival,
                after.ready_at
            ),
            "{case:?}"
        );
    }
}
