//! Two real servers on one PostgreSQL: who leads, who takes over and how soon, and how one wakes
//! up the other.

use std::time::Duration;

use crate::servers::{Installation, ServerProcess, TAKE_OVER, open_day_and_night};

const ACQUIRED: &str = "Scheduler leader lock acquired";
const BUSY: &str = "Scheduler leader lock busy; standby";
const LOST: &str = "Scheduler leader lock lost";

/// A leader and a standby.
async fn leader_and_standby(installation: &Installation) -> (ServerProcess, ServerProcess) {
    let leader = installation.serve(&[]).await;
    leader.says(ACQUIRED).await;
    let standby = installation.serve(&[]).await;
    standby.says(BUSY).await;
    (leader, standby)
}

#[tokio::test]
async fn a_standby_takes_over_when_the_leader_is_killed() {
    let installation = Installation::create().await;
    let (leader, standby) = leader_and_standby(&installation).await;
    let killed = leader.signal("KILL").await;
    let took = standby.says(ACQUIRED).await - killed;
    println!("took over {took:?} after kill -9");
    assert!(took < TAKE_OVER, "{took:?}");
    let log = standby.log();
    assert_eq!(log.matches(BUSY).count(), 1, "once per change: {log}");
}

#[tokio::test]
async fn a_standby_takes_over_when_the_leader_is_frozen_and_it_steps_down_when_it_thaws() {
    let installation = Installation::create().await;
    let (leader, standby) = leader_and_standby(&installation).await;
    let frozen = leader.signal("STOP").await;
    let took = standby.says(ACQUIRED).await - frozen;
    println!("took over {took:?} after SIGSTOP");
    assert!(took < TAKE_OVER, "{took:?}");
    let thawed = leader.signal("CONT").await;
    let noticed = leader.says(LOST).await - thawed;
    println!("the thawed leader noticed after {noticed:?}");
    leader.says(BUSY).await;
    let log = leader.log();
    assert_eq!(log.matches(ACQUIRED).count(), 1, "{log}");
}

#[tokio::test]
async fn a_standby_takes_over_at_once_when_the_leader_is_stopped() {
    let installation = Installation::create().await;
    let (leader, standby) = leader_and_standby(&installation).await;
    let asked = leader.signal("TERM").await;
    let took = standby.says(ACQUIRED).await - asked;
    println!("took over {took:?} after SIGTERM");
    assert!(took < Duration::from_secs(2), "{took:?}");
    leader.ends_well().await;
}

#[tokio::test]
async fn a_server_dials_at_once_what_was_uploaded_through_another() {
    let installation = Installation::create().await;
    // Nobody looks by himself during this test.
    let poll = ("VOICESURVEY_ENGINE_POLL_SECONDS", "600");
    let at_the_desk = installation
        .serve(&[poll, ("VOICESURVEY_ENGINE_DIALS_AT_ONCE", "0")])
        .await;
    at_the_desk.says(ACQUIRED).await;
    let on_the_phone = installation.serve(&[poll]).await;
    on_the_phone.says(BUSY).await;

    let key = installation.company_key().await;
    let campaign = at_the_desk
        .create_campaign(&key, &open_day_and_night())
        .await;
    let (some, one_more) = (
        "phone\n+393331234501\n+393331234502\n",
        "phone\n+393331234503\n",
    );
    at_the_desk.upload(&key, &campaign, some).await;
    let started = at_the_desk.post(&key, &format!("{campaign}/start")).await;
    let took = at_the_desk.waits_for_calls(&key, &campaign, 2, started);
    let took = took.await;
    println!("two calls began {took:?} after the start through the other server");
    assert!(took < TAKE_OVER, "{took:?}");
    let uploaded = at_the_desk.upload(&key, &campaign, one_more).await;
    let took = at_the_desk.waits_for_calls(&key, &campaign, 3, uploaded);
    let took = took.await;
    println!("a call began {took:?} after the upload through the other server");
    assert!(took < TAKE_OVER, "{took:?}");
}
