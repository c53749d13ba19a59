//! Files of results: what they hold, who may have them, and that the half of one is not taken for
//! the whole.

mod broken_off;
mod cells;
mod sending;
mod thresholds;
mod totals;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::TimeDelta;
use voicesurvey_server::exports::make_next;

use crate::support::{Answer, Caller, TestApp};

const KINDS: [&str; 6] = [
    "results",
    "answers",
    "attempts",
    "dispositions",
    "transcripts",
    "codebook",
];

type Row = BTreeMap<String, String>;

fn rows(file: &Answer) -> Vec<Row> {
    assert_eq!(file.status, 200, "{file}");
    let text = file.text().strip_prefix('\u{feff}').unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

fn counted(rows: &[Row], column: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in rows.iter().filter(|row| !row[column].is_empty()) {
        *counts.entry(row[column].clone()).or_default() += 1;
    }
    counts
}

/// The counts that stand at a place of an answer, without zeros.
fn told(answer: &Answer, pointer: &str) -> BTreeMap<String, u64> {
    let counts = answer.at(pointer);
    let counts = counts.as_object().unwrap().iter();
    let counts = counts.map(|(name, count)| (name.clone(), count.as_u64().unwrap()));
    counts.filter(|(_, count)| *count > 0).collect()
}

/// A call list of so many people.
fn list(people: u32) -> String {
    let mut list = "phone,name,Città\n".to_owned();
    for person in 0..people {
        let city = if person % 2 == 0 {
            "Forlì"
        } else {
            "L'Aquila"
        };
        writeln!(list, "+39347{person:07},=Anna {person},{city}").unwrap();
    }
    list
}

/// A company whose campaign has called so many people, of whom all answered.
async fn called(app: &TestApp, people: u32) -> (Caller, String) {
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(&list(people)).await;
    assert_eq!(manager.set_status(&campaign, "running").await.status, 200);
    app.run_to_the_end().await;
    (manager, campaign)
}

async fn file(caller: &Caller, campaign: &str, query: &str) -> Answer {
    caller.get(&format!("{campaign}/export?{query}")).await
}

/// Asks for a file, and returns where it is told of and where it can be fetched.
async fn requested(caller: &Caller, campaign: &str, query: &str) -> (String, String) {
    let path = format!("{campaign}/exports?{query}");
    let answer = caller.post_nothing(&path).await;
    assert_eq!(answer.status, 202, "{answer}");
    let location = answer.header("location").unwrap().to_owned();
    (location, answer.text_at("/link"))
}

/// X11: the files hold what the screens count.
#[tokio::test]
async fn the_totals_of_the_files_are_those_of_the_screens() {
    let app = TestApp::start().await;
    let (manager, campaign) = called(&app, 12).await;
    let stats = manager.get(&format!("{campaign}/stats")).await;
    let people = rows(&file(&manager, &campaign, "kind=results").await);
    assert_eq!(people.len(), 12);
    assert_eq!(counted(&people, "status"), told(&stats, "/tasks"));
    let attempts = rows(&file(&manager, &campaign, "kind=attempts").await);
    assert_eq!(
        attempts.len() as u64,
        stats.at("/total_attempts").as_u64().unwrap()
    );
    assert_eq!(counted(&attempts, "outcome"), told(&stats, "/outcomes"));
    assert_eq!(counted(&attempts, "state"), told(&stats, "/attempts"));

    let dispositions = rows(&file(&manager, &campaign, "kind=dispositions").await);
    assert_eq!(counted(&dispositions, "status"), told(&stats, "/tasks"));
    assert_eq!(
        counted(&dispositions, "aapor_code"),
        counted(&people, "aapor_code")
    );
    assert_eq!(
        counted(&dispositions, "aapor_group"),
        BTreeMap::from([("I".to_owned(), 12)])
    );

    let answers = rows(&file(&manager, &campaign, "kind=answers").await);
    let turns = rows(&file(&manager, &campaign, "kind=transcripts").await);
    assert_eq!(answers.len(), 3 * 12);
    let results = manager.get(&format!("{campaign}/results")).await;
    for question in results.at("/questions").as_array().unwrap() {
        let key = question["key"].as_str().unwrap();
        let of_question = answers
            .iter()
            .filter(|answer| answer["question_key"] == key);
        let of_question: Vec<Row> = of_question.cloned().collect();
        let became = counted(&of_question, "result");
        for result in ["answered", "skipped", "dont_know", "not_understood"] {
            let count = became.get(result).copied().unwrap_or_default();
            assert_eq!(question[result], count, "{key} {result}");
        }
        if !matches!(question["type"].as_str(), Some("free_text" | "numeric")) {
            let values = counted(&of_question, "value");
            assert_eq!(
                question["values"],
                serde_json::to_value(values).unwrap(),
                "{key}"
            );
        }
    }
    for answer in &answers {
        let proof = turns
            .iter()
            .find(|turn| turn["turn_id"] == answer["turn_id"]);
        let proof = proof.unwrap();
        assert_eq!(proof["words"], answer["words"]);
        assert_eq!(proof["task_id"], answer["task_id"]);
        let person = people
            .iter()
            .find(|person| person["task_id"] == answer["task_id"]);
        assert_eq!(person.unwrap()[&answer["question_key"]], answer["value"]);
    }
    for person in &people {
        assert!(person["name"].starts_with("'=Anna "), "{person:?}");
        assert!(person["phone_number"].starts_with("+39347"), "{person:?}");
    }
}

#[tokio::test]
async fn the_rates_can_be_computed_from_the_dispositions() {
    let app = TestApp::start().await;
    let (manager, campaign) = called(&app, 3).await;
    let rates = manager.get(&format!("{campaign}/rates")).await;
    let dispositions = rows(&file(&manager, &campaign, "kind=dispositions").await);
    let listed = rates.at("/dispositions");
    let listed = listed.as_array().unwrap().iter();
    let by_code: BTreeMap<String, u64> = listed
        .map(|one| {
            let code = one["code"].as_str().unwrap().to_owned();
            (code, one["count"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(counted(&dispositions, "aapor_code"), by_code);
}

/// Every format, while nobody has been called and when there is nobody.
#[tokio::test]
async fn a_campaign_without_people_has_empty_files() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign().await;
    for kind in KINDS {
        let csv = file(&manager, &campaign, &format!("kind={kind}")).await;
        assert_eq!(rows(&csv).is_empty(), kind != "codebook", "{csv}");
        let name = csv.header("content-disposition").unwrap();
        assert!(
            name.starts_with(&format!("attachment; filename=\"{kind}-")),
            "{name}"
        );
        for (format, magic) in [("xlsx", &b"PK"[..]), ("parquet", b"PAR1")] {
            let query = format!("kind={kind}&format={format}");
            let answer = file(&manager, &campaign, &query).await;
            assert_eq!(answer.status, 200, "{query}");
            assert!(answer.body.starts_with(magic), "{query}");
        }
    }
}

#[tokio::test]
async fn a_running_campaign_has_a_row_for_everybody() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(&list(3)).await;
    assert_eq!(manager.set_status(&campaign, "running").await.status, 200);
    app.app.engine.step().await.unwrap();
    let attempts = rows(&file(&manager, &campaign, "kind=attempts").await);
    assert!(!attempts.is_empty());
    let people = rows(&file(&manager, &campaign, "kind=results").await);
    assert_eq!(people.len(), 3);
    assert!(
        people
            .iter()
            .any(|person| person["status"] == "in_progress")
    );
}

/// More people than one page of the store has.
#[tokio::test]
async fn everybody_is_in_the_file_once() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(&list(2_100)).await;
    let people = rows(&file(&manager, &campaign, "").await);
    let numbers = counted(&people, "phone_number");
    assert_eq!((people.len(), numbers.len()), (2_100, 2_100));
    let some = "column.Citt%C3%A0=L%27Aquila&status=pending";
    let some = rows(&file(&manager, &campaign, some).await);
    assert_eq!(some.len(), 1_050);
    assert!(some.iter().all(|person| person["Città"] == "L'Aquila"));
    assert!(rows(&file(&manager, &campaign, "outcome=completed").await).is_empty());
}

#[tokio::test]
async fn what_is_wrong_with_the_query_is_named() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign().await;
    for (query, wrong) in [
        (
            "kind=everything",
            "kind: unknown kind 'everything': use results, answers, attempts, dispositions, \
             transcripts or codebook",
        ),
        (
            "format=sav",
            "format: unknown format 'sav': use csv, xlsx or parquet",
        ),
        (
            "colour=red",
            "colour: unknown parameter; columns are asked for as column.<name>",
        ),
    ] {
        let answer = file(&manager, &campaign, query).await;
        assert_eq!((answer.status, &*answer.wrong_fields()), (400, wrong));
        let path = format!("{campaign}/exports?{query}");
        let answer = manager.post_nothing(&path).await;
        assert_eq!((answer.status, &*answer.wrong_fields()), (400, wrong));
    }
    let body = serde_json::json!({ "kind": "answers" });
    let answer = manager.post(&format!("{campaign}/exports"), &body).await;
    let wrong = "body: must be empty: the parameters of this request are in its URL";
    assert_eq!((answer.status, &*answer.wrong_fields()), (422, wrong));
}

#[tokio::test]
async fn personal_data_needs_the_role_manager_and_the_codebook_none() {
    let app = TestApp::start().await;
    let acme = app.company("Acme").await;
    let (manager, viewer) = (acme.manager().await, acme.viewer().await);
    let campaign = manager.create_campaign_with(&list(1)).await;
    for kind in KINDS {
        let status = if kind == "codebook" { 200 } else { 403 };
        let answer = file(&viewer, &campaign, &format!("kind={kind}")).await;
        assert_eq!(answer.status, status, "{answer}");
        let anonymous = file(&app.anonymous(), &campaign, &format!("kind={kind}")).await;
        assert_eq!(anonymous.status, 401, "{anonymous}");
    }
    let asked = format!("{campaign}/exports");
    assert_eq!(viewer.post_nothing(&asked).await.status, 403);
    assert_eq!(viewer.get(&asked).await.status, 403);
}

#[tokio::test]
async fn every_file_that_was_taken_is_listed_with_the_key_that_asked_for_it() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(&list(2)).await;
    file(
        &manager,
        &campaign,
        "kind=results&column.Citt%C3%A0=Forl%C3%AC",
    )
    .await;
    requested(&manager, &campaign, "kind=attempts&format=parquet").await;
    let listed = manager.get(&format!("{campaign}/exports")).await;
    let shown: Vec<String> = listed
        .at("/items")
        .as_array()
        .unwrap()
        .iter()
        .map(|export| {
            assert!(export["requested_by"].is_string() && export.get("link").is_none());
            let facts = ["kind", "format", "state", "people", "rows", "filter"];
            facts.map(|fact| export[fact].to_string()).join(" ")
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#""attempts" "parquet" "waiting" 0 0 {}"#,
            r#""results" "csv" "streamed" 1 1 {"columns":{"Città":"Forlì"}}"#,
        ]
    );
}

#[tokio::test]
async fn a_file_is_made_fetched_by_its_link_and_expires() {
    let app = TestApp::start().await;
    let (manager, campaign) = called(&app, 3).await;
    let (location, link) = requested(&manager, &campaign, "kind=answers").await;
    let nobody = app.anonymous();
    let early = nobody.get(&link).await;
    assert_eq!((early.status, &*early.text_at("/code")), (409, "not_done"));
    assert_eq!(manager.get(&location).await.text_at("/state"), "waiting");

    let exports = &app.app.exports;
    assert!(make_next(exports, || false).await.unwrap());
    assert!(!make_next(exports, || false).await.unwrap());
    let done = manager.get(&location).await;
    assert_eq!(done.text_at("/state"), "done");
    assert_eq!(
        (done.at("/people"), done.at("/people_total")),
        (3.into(), 3.into())
    );
    assert_eq!(done.at("/rows"), 9);
    let fetched = nobody.get(&link).await;
    assert_eq!(rows(&fetched).len(), 9);
    assert_eq!(done.at("/bytes"), fetched.body.len());
    assert_eq!(
        fetched.header("content-length").unwrap(),
        fetched.body.len().to_string()
    );
    let streamed = file(&manager, &campaign, "kind=answers").await;
    assert_eq!(fetched.body, streamed.body);

    app.clock.advance(TimeDelta::hours(24));
    for _ in 0..2 {
        let late = nobody.get(&link).await;
        assert_eq!((late.status, &*late.text_at("/code")), (410, "expired"));
        assert!(!make_next(exports, || false).await.unwrap());
    }
    assert_eq!(manager.get(&location).await.text_at("/state"), "expired");
}

#[tokio::test]
async fn a_link_opens_its_own_file_and_no_other() {
    let app = TestApp::start().await;
    let (acme, globex) = (app.company("Acme").await, app.company("Globex").await);
    let (manager, stranger) = (acme.manager().await, globex.manager().await);
    let campaign = manager.create_campaign_with(&list(1)).await;
    let theirs = stranger.create_campaign_with(&list(2)).await;
    let (location, link) = requested(&manager, &campaign, "").await;
    let (_, other) = requested(&stranger, &theirs, "").await;
    while make_next(&app.app.exports, || false).await.unwrap() {}
    let (id, secret) = link.split_once('_').unwrap();
    let (other_id, other_secret) = other.split_once('_').unwrap();
    for wrong in [
        format!("{id}_{other_secret}"),
        format!("{other_id}_{secret}"),
        format!("{id}_"),
        id.to_owned(),
        "/api/exports/nonsense".to_owned(),
    ] {
        let answer = app.anonymous().get(&wrong).await;
        assert_eq!(answer.status, 404, "{wrong}: {answer}");
    }
    // To a stranger's key the export itself does not exist, neither under its own campaign.
    let export = location.rsplit('/').next().unwrap();
    for path in [location.clone(), format!("{theirs}/exports/{export}")] {
        assert_eq!(stranger.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(manager.get(&location).await.status, 200);
}

#[tokio::test]
async fn no_more_files_than_a_few_wait_at_a_time() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign().await;
    for _ in 0..10 {
        requested(&manager, &campaign, "").await;
    }
    let path = format!("{campaign}/exports");
    let refused = manager.post_nothing(&path).await;
    assert_eq!(
        (refused.status, &*refused.text_at("/code")),
        (409, "too_many_exports")
    );
    make_next(&app.app.exports, || false).await.unwrap();
    assert_eq!(manager.post_nothing(&path).await.status, 202);
}

/// A server that stops leaves a file as it is; another begins it again when its lease is over.
#[tokio::test]
async fn a_file_that_a_server_has_left_is_begun_again() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(&list(1_500)).await;
    let (location, link) = requested(&manager, &campaign, "").await;
    let exports = &app.app.exports;
    assert!(make_next(exports, || true).await.unwrap());
    assert!(!make_next(exports, || true).await.unwrap());
    assert_eq!(manager.get(&location).await.text_at("/state"), "running");
    app.clock.advance(TimeDelta::minutes(2));
    assert!(make_next(exports, || false).await.unwrap());
    assert_eq!(manager.get(&location).await.at("/rows"), 1_500);
    assert_eq!(rows(&app.anonymous().get(&link).await).len(), 1_500);
}

#[tokio::test]
async fn a_file_that_nobody_finishes_is_given_up() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(&list(1_500)).await;
    let (location, link) = requested(&manager, &campaign, "").await;
    let exports = &app.app.exports;
    for _ in 0..3 {
        assert!(make_next(exports, || true).await.unwrap());
        app.clock.advance(TimeDelta::minutes(2));
    }
    assert!(!make_next(exports, || true).await.unwrap());
    let failed = manager.get(&location).await;
    assert_eq!(failed.text_at("/state"), "failed");
    assert!(
        failed.text_at("/failure").contains("three times"),
        "{failed}"
    );
    let refused = app.anonymous().get(&link).await;
    assert_eq!(
        (refused.status, &*refused.text_at("/code")),
        (409, "export_failed")
    );
}
