//! Files that are sent while they are written, how much of them is noted, and turns.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use voicesurvey_core::id::CompanyId;
use voicesurvey_server::company_turns::{CompanyTurn, CompanyTurns};
use voicesurvey_server::exports::make_next;

use super::{file, list, requested, rows};
use crate::support::TestApp;

#[tokio::test]
async fn what_went_out_is_noted_although_the_client_did_not_take_the_rest() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(&list(2_100)).await;
    let request = manager.request(Method::GET, &format!("{campaign}/export"));
    let mut response = request.send().await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    drop(response);
    let listed = manager.get(&format!("{campaign}/exports")).await;
    let people = listed.at("/items/0/people").as_u64().unwrap();
    assert!((1_000..=2_100).contains(&people), "{listed}");
    assert_eq!(listed.at("/items/0/rows"), people);
}

/// The rows of a Parquet file are held back up to 20,000, so here not a byte is there before the end.
#[tokio::test]
async fn a_file_that_advances_without_bytes_is_not_begun_again() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(&list(3_100)).await;
    let (location, _) = requested(&manager, &campaign, "format=parquet").await;
    let exports = &app.app.exports;
    let pages = AtomicU32::new(0);
    let a_slow_page = || {
        app.clock.advance(TimeDelta::seconds(90));
        pages.fetch_add(1, Ordering::SeqCst) == 2
    };
    // Four and a half minutes for three pages, and a lease of two: then the server stops.
    assert!(make_next(exports, a_slow_page).await.unwrap());
    assert_eq!(pages.load(Ordering::SeqCst), 3);
    let left = manager.get(&location).await;
    assert_eq!(
        (left.text_at("/state"), left.at("/people")),
        ("running".to_owned(), 3_000.into())
    );
    assert!(!make_next(exports, || false).await.unwrap());
    app.clock.advance(TimeDelta::seconds(30));
    assert!(make_next(exports, || false).await.unwrap());
    let done = manager.get(&location).await;
    assert_eq!(done.text_at("/state"), "done", "{done}");
    assert_eq!(done.at("/rows"), 3_100);
}

async fn all_turns(turns: &CompanyTurns, company_id: CompanyId) -> Vec<CompanyTurn> {
    let mut taken = Vec::new();
    while let Some(turn) = turns.take(company_id, Duration::ZERO).await {
        taken.push(turn);
    }
    taken
}

#[tokio::test]
async fn a_company_that_has_all_of_its_turns_waits_and_others_do_not() {
    let app = TestApp::start().await;
    let (acme, globex) = (app.company("Acme").await, app.company("Globex").await);
    let (manager, other) = (acme.manager().await, globex.manager().await);
    let campaign = manager.create_campaign().await;
    let theirs = other.create_campaign().await;
    let streams = all_turns(&app.app.export_streams, acme.id).await;
    let readings = all_turns(&app.app.readings, acme.id).await;
    let paths = ["export", "results", "rates", "results/q1/texts"];
    let (manager, campaign) = (&manager, &campaign);
    let busy = paths.map(|path| async move { manager.get(&format!("{campaign}/{path}")).await });
    for busy in join_all(busy).await {
        assert_eq!((busy.status, &*busy.text_at("/code")), (503, "busy"));
        assert_eq!(busy.header("retry-after"), Some("5"));
    }
    for path in paths {
        let free = other.get(&format!("{theirs}/{path}")).await;
        assert_eq!(free.status, 200, "{free}");
    }
    drop((streams, readings));
    for path in paths {
        let free = manager.get(&format!("{campaign}/{path}")).await;
        assert_eq!(free.status, 200, "{free}");
    }
}

#[tokio::test]
async fn csv_has_the_delimiter_that_is_asked_for() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let list = "phone,Note\n+393470000001,\"a;=1+1, b\"\n";
    let campaign = manager.create_campaign_with(list).await;
    for (delimiter, byte) in [("%3B", b';'), ("%2C", b','), ("tab", b'\t')] {
        let answer = file(&manager, &campaign, &format!("delimiter={delimiter}")).await;
        let text = answer.text().trim_start_matches('\u{feff}').to_owned();
        assert!(text.contains("\"a;=1+1, b\""), "{text}");
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(byte)
            .from_reader(text.as_bytes());
        let headers = reader.headers().unwrap().clone();
        let note = headers.iter().position(|name| name == "Note").unwrap();
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(&row[note], "a;=1+1, b");
    }
    let (location, link) = requested(&manager, &campaign, "delimiter=%3B").await;
    make_next(&app.app.exports, || false).await.unwrap();
    let fetched = app.anonymous().get(&link).await;
    assert!(
        fetched.text().contains("task_id;phone_number;"),
        "{fetched}"
    );
    assert_eq!(manager.get(&location).await.text_at("/delimiter"), ";");
    for (query, wrong) in [
        (
            "delimiter=x",
            "delimiter: unknown delimiter 'x': use ',', ';' or tab",
        ),
        ("delimiter=%3B&format=xlsx", "delimiter: only csv has one"),
    ] {
        let answer = file(&manager, &campaign, query).await;
        assert_eq!((answer.status, &*answer.wrong_fields()), (400, wrong));
    }
}

#[tokio::test]
async fn fetches_of_a_link_are_counted() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(&list(2)).await;
    let (location, link) = requested(&manager, &campaign, "").await;
    // Not done yet: nothing goes out.
    assert_eq!(app.anonymous().get(&link).await.status, 409);
    make_next(&app.app.exports, || false).await.unwrap();
    for fetches in 1..=2 {
        let before = manager.get(&location).await;
        assert_eq!(before.at("/fetches"), fetches - 1);
        assert_eq!(before.at("/last_fetched_at") == Value::Null, fetches == 1);
        assert_eq!(rows(&app.anonymous().get(&link).await).len(), 2);
    }
    let after = manager.get(&location).await;
    assert_eq!(after.at("/fetches"), 2);
    assert_eq!(after.text_at("/last_fetched_at"), "2026-11-20T09:30:00Z");
}
