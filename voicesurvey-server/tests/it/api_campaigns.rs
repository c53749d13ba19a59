//! Campaigns: created in both forms, and checked.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Caller, TestApp, redacted, shown};

const CAMPAIGN_1: &str = include_str!("../../../tests/data/seed-a-campaign-1.json");
const CAMPAIGN_2: &str = include_str!("../../../tests/data/seed-a-campaign-2.json");

async fn manager(app: &TestApp) -> Caller {
    app.company("Acme").await.manager().await
}

/// The smallest campaign in the structured form.
fn smallest() -> Value {
    json!({
        "name": "Satisfaction",
        "intro_script": "Buongiorno, posso farle una domanda?",
        "questions": [{ "text": "È soddisfatto?", "type": "yes_no" }],
        "completion_message": "Grazie.",
    })
}

/// The smallest campaign with these fields in place of its own.
fn with(changes: &Value) -> Value {
    let mut body = smallest();
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Takes out how calls are placed, which the configuration decides by default.
fn without_calls(mut settings: Value) -> Value {
    let named = settings.as_object_mut().unwrap();
    assert_eq!(named.remove("caller_id"), Some(Value::Null));
    assert_eq!(named.remove("machine_detection"), Some(Value::Null));
    let hang_up = json!({"policy": "hang_up", "messages": {}});
    assert_eq!(named.remove("voicemail"), Some(hang_up));
    settings
}

/// A1.
#[tokio::test]
async fn the_flat_payload_of_a_is_taken_byte_for_byte() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let answer = manager.post_json_text("/api/campaigns", CAMPAIGN_1).await;
    let location = format!("/api/campaigns/{}", answer.text_at("/id"));
    assert_eq!(answer.header("location"), Some(location.as_str()));
    let mut settings = answer.json();
    for same_as_by_default in ["calling_hours", "quotas", "recording", "retry", "tasks"] {
        settings.as_object_mut().unwrap().remove(same_as_by_default);
    }
    assert_snapshot!(redacted(&shown(&without_calls(settings))), @r#"
{
  "allowed_call_end_local": "20:00",
  "allowed_call_start_local": "09:00",
  "budget": null,
  "calls_in_progress": 0,
  "calls_per_minute": 10,
  "company_id": "[id]",
  "completion_message": "Grazie, abbiamo finito.",
  "consent_question": null,
  "country_days": {},
  "created_at": "[time]",
  "description": "Local test",
  "ended_at": null,
  "ends_at": null,
  "id": "[id]",
  "intro_script": "Ciao, sono l’assistente. Vuoi dare il consenso a partecipare a un breve sondaggio?",
  "language": "it",
  "max_attempts": 2,
  "max_concurrent_calls": 5,
  "name": "Smoke Campaign",
  "pause_reason": null,
  "questions": [
    {"key":"q1","required":false,"retries":2,"text":"Come stai oggi?","type":"free_text"},
    {
      "key": "q2",
      "max": 5,
      "min": 1,
      "required": false,
      "retries": 2,
      "text": "Da 1 a 5 quanto sei soddisfatto?",
      "type": "scale"
    },
    {
      "decimals": false,
      "key": "q3",
      "required": false,
      "retries": 2,
      "text": "Quanti caffè bevi al giorno?",
      "type": "numeric"
    }
  ],
  "retry_delays_minutes": [30],
  "retry_interval_minutes": 30,
  "retry_other_daypart": false,
  "retry_rules": {},
  "seconds_between_calls": 0,
  "skillbase_id": "[id]",
  "skillbase_version": null,
  "started_at": null,
  "starts_at": null,
  "status": "draft",
  "target": null,
  "time_zone": "Europe/Rome",
  "total_tasks": 0,
  "translations": {},
  "updated_at": "[time]",
  "winding_up": null
}
"#);
    assert_eq!(manager.get(&location).await.json(), answer.json());
}

/// A1.
#[tokio::test]
async fn the_second_payload_of_a_is_taken_byte_for_byte() {
    let app = TestApp::start().await;
    let answer = manager(&app)
        .await
        .post_json_text("/api/campaigns", CAMPAIGN_2)
        .await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.text_at("/status"), "draft");
    assert_eq!(answer.text_at("/questions/2/type"), "free_text");
    assert_eq!(answer.text_at("/allowed_call_end_local"), "21:00");
}

/// A1.
#[tokio::test]
async fn a_list_of_questions_of_every_type_is_taken() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let body = with(&json!({
        "language": "en",
        "consent_question": "May I ask you some questions?",
        "questions": [
            { "text": "How are you?", "type": "free_text", "required": true, "retries": 1 },
            { "key": "coffees", "text": "How many?", "type": "numeric", "min": 0, "max": 2.5, "decimals": true },
            { "text": "From 0 to 10?", "type": "scale", "min": 0, "max": 10 },
            { "text": "Satisfied?", "type": "yes_no" },
            {
                "text": "Where?", "type": "choice",
                "options": [{ "key": "home", "say": ["at home"] }, { "key": "work", "say": ["at work", "office"] }],
            },
        ],
        "translations": {
            "it": {
                "intro_script": "Buongiorno", "completion_message": "Grazie",
                "questions": { "q1": "Come sta?", "coffees": "Quanti?", "q3": "Da 0 a 10?", "q4": "Contento?", "q5": "Dove?" },
            },
        },
    }));
    let answer = manager.post("/api/campaigns", &body).await;
    assert_eq!(answer.status, 201, "{answer}");
    assert_snapshot!(shown(&answer.at("/questions")), @r#"
[
  {"key":"q1","required":true,"retries":1,"text":"How are you?","type":"free_text"},
  {
    "decimals": true,
    "key": "coffees",
    "max": 2.5,
    "min": 0,
    "required": false,
    "retries": 2,
    "text": "How many?",
    "type": "numeric"
  },
  {
    "key": "q3",
    "max": 10,
    "min": 0,
    "required": false,
    "retries": 2,
    "text": "From 0 to 10?",
    "type": "scale"
  },
  {"key":"q4","required":false,"retries":2,"text":"Satisfied?","type":"yes_no"},
  {
    "key": "q5",
    "options": [{"key":"home","say":["at home"]},{"key":"work","say":["at work","office"]}],
    "required": false,
    "retries": 2,
    "text": "Where?",
    "type": "choice"
  }
]
"#);
    assert_eq!(
        answer.text_at("/translations/it/questions/coffees"),
        "Quanti?"
    );
}

/// C1.
#[tokio::test]
async fn defaults_are_filled_in() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let created = manager.post("/api/campaigns", &smallest()).await;
    let mut settings = created.json();
    // A table that has a test of its own.
    settings.as_object_mut().unwrap().remove("retry");
    assert_snapshot!(redacted(&shown(&without_calls(settings))), @r#"
{
  "allowed_call_end_local": "21:00",
  "allowed_call_start_local": "09:00",
  "budget": null,
  "calling_hours": {
    "weekly": {
      "fri": [["09:00","21:00"]],
      "mon": [["09:00","21:00"]],
      "sat": [["09:00","21:00"]],
      "sun": [["09:00","21:00"]],
      "thu": [["09:00","21:00"]],
      "tue": [["09:00","21:00"]],
      "wed": [["09:00","21:00"]]
    }
  },
  "calls_in_progress": 0,
  "calls_per_minute": 10,
  "company_id": "[id]",
  "completion_message": "Grazie.",
  "consent_question": null,
  "country_days": {},
  "created_at": "[time]",
  "description": "",
  "ended_at": null,
  "ends_at": null,
  "id": "[id]",
  "intro_script": "Buongiorno, posso farle una domanda?",
  "language": "it",
  "max_attempts": 3,
  "max_concurrent_calls": 5,
  "name": "Satisfaction",
  "pause_reason": null,
  "questions": [{"key":"q1","required":false,"retries":2,"text":"È soddisfatto?","type":"yes_no"}],
  "quotas": null,
  "recording": false,
  "retry_delays_minutes": [30],
  "retry_interval_minutes": 30,
  "retry_other_daypart": true,
  "retry_rules": {},
  "seconds_between_calls": 0,
  "skillbase_id": "[id]",
  "skillbase_version": null,
  "started_at": null,
  "starts_at": null,
  "status": "draft",
  "target": null,
  "tasks": {
    "cancelled": 0,
    "completed": 0,
    "excluded": 0,
    "failed": 0,
    "in_progress": 0,
    "not_reached": 0,
    "pending": 0,
    "refused": 0,
    "retry": 0
  },
  "time_zone": "Europe/Rome",
  "total_tasks": 0,
  "translations": {},
  "updated_at": "[time]",
  "winding_up": null
}
"#);
}

/// C1.
#[tokio::test]
async fn settings_are_taken_under_the_names_of_c() {
    let app = TestApp::start().await;
    let body = with(&json!({
        "daily_start_time": "10:00", "daily_end_time": "18:30", "max_concurrent_calls": 2,
        "calls_per_minute": 4, "max_retries": 5, "retry_delays_minutes": [60, 240, 1440],
    }));
    let answer = manager(&app).await.post("/api/campaigns", &body).await;
    assert_eq!(answer.status, 201, "{answer}");
    assert_eq!(answer.text_at("/allowed_call_start_local"), "10:00");
    assert_eq!(answer.text_at("/allowed_call_end_local"), "18:30");
    assert_eq!(answer.at("/max_attempts"), 5);
    assert_eq!(answer.at("/retry_interval_minutes"), Value::Null);
    assert_eq!(answer.at("/retry_delays_minutes"), json!([60, 240, 1440]));
}

#[tokio::test]
async fn calling_hours_can_differ_by_weekday_and_have_holidays() {
    let app = TestApp::start().await;
    let hours = json!({
        "weekly": { "mon": [["09:00", "13:00"], ["14:00", "20:00"]], "sat": [["10:00", "12:00"]] },
        "holidays": ["2026-12-25"],
    });
    let body = with(&json!({
        "calling_hours": hours, "time_zone": "europe/rome",
        "starts_at": "2026-12-01T09:00:00+01:00", "ends_at": "2026-12-31T20:00:00Z",
    }));
    let answer = manager(&app).await.post("/api/campaigns", &body).await;
    assert_eq!(answer.status, 201, "{answer}");
    assert_eq!(answer.at("/calling_hours"), hours);
    assert_eq!(answer.at("/allowed_call_start_local"), Value::Null);
    assert_eq!(answer.text_at("/time_zone"), "Europe/Rome");
    assert_eq!(answer.text_at("/starts_at"), "2026-12-01T08:00:00Z");
}

/// A2.
#[tokio::test]
async fn a_question_type_that_does_not_exist_is_refused_by_its_field() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let flat = CAMPAIGN_1.replace("\"scale\"", "\"scale_1_5\"");
    let answer = manager.post_json_text("/api/campaigns", flat).await;
    assert_snapshot!(answer.redacted(), @r#"
422 application/problem+json
{
  "code": "invalid_fields",
  "detail": "question_2_type: unknown type 'scale_1_5': use free_text, numeric, scale, yes_no or choice",
  "errors": [
    {
      "field": "question_2_type",
      "message": "unknown type 'scale_1_5': use free_text, numeric, scale, yes_no or choice"
    }
  ],
  "request_id": "[id]",
  "status": 422,
  "title": "Unprocessable Entity",
  "type": "about:blank"
}
"#);
    let listed = with(&json!({ "questions": [
        { "text": "Come sta?", "type": "free_text" }, { "text": "Da 1 a 5?", "type": "scale_1_5" },
    ]}));
    let answer = manager.post("/api/campaigns", &listed).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @"questions[1].type: unknown type 'scale_1_5': use free_text, numeric, scale, yes_no or choice");
}

/// C1.
#[tokio::test]
async fn a_company_that_is_not_the_tokens_is_not_found() {
    let app = TestApp::start().await;
    let acme = app.company("Acme").await;
    let stranger = app.company("Globex").await.id;
    let manager = acme.manager().await;
    for id in [
        stranger.to_string(),
        "00000000-0000-7000-8000-000000000000".to_owned(),
    ] {
        let body = with(&json!({ "company_id": id }));
        let answer = manager.post("/api/campaigns", &body).await;
        assert_eq!(answer.status, 422);
        assert_eq!(
            answer.wrong_fields(),
            format!("company_id: Company {id} not found")
        );
    }
    let body = with(&json!({ "company_id": acme.id.to_string() }));
    assert_eq!(manager.post("/api/campaigns", &body).await.status, 201);
}

/// C1.
#[tokio::test]
async fn a_skillbase_must_exist_and_belong_to_the_company() {
    let app = TestApp::start().await;
    let (acme, globex) = (app.company("Acme").await, app.company("Globex").await);
    let (acme, globex) = (acme.manager().await, globex.manager().await);
    let of_globex = globex.get("/api/skillbases").await.text_at("/items/0/id");
    for id in [of_globex.as_str(), "00000000-0000-7000-8000-000000000000"] {
        let body = with(&json!({ "skillbase_id": id }));
        let answer = acme.post("/api/campaigns", &body).await;
        assert_eq!(answer.status, 422);
        let expected =
            format!("skillbase_id: Skillbase {id} not found or doesn't belong to company");
        assert_eq!(answer.wrong_fields(), expected);
    }
    let body = with(&json!({ "skillbase_id": of_globex }));
    assert_eq!(globex.post("/api/campaigns", &body).await.status, 201);
}

/// C1.
#[tokio::test]
async fn times_that_are_not_hours_and_minutes_are_refused() {
    let app = TestApp::start().await;
    let body = with(&json!({
        "allowed_call_start_local": "9am", "allowed_call_end_local": "25:00", "starts_at": "tomorrow",
    }));
    let answer = manager(&app).await.post("/api/campaigns", &body).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @r#"
starts_at: Invalid time format: "tomorrow" (use RFC 3339 with an offset: 2026-11-20T09:00:00Z)
allowed_call_start_local: Invalid time format: '9am' (use HH:MM, 00:00 to 24:00)
allowed_call_end_local: Invalid time format: '25:00' (use HH:MM, 00:00 to 24:00)
"#);
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once_under_the_callers_names() {
    let app = TestApp::start().await;
    let body = json!({
        "name": "  ",
        "language": "xx",
        "question_1_text": "",
        "question_1_type": "free_text",
        "question_3_type": "choice",
        "question_4_text": 4,
        "question_0_text": "Nobody counts from here",
        "intro_script": null,
        "completion_message": "Grazie.",
        "time_zone": "Mars/Base",
        "daily_start_time": "20:00",
        "daily_end_time": "08:00",
        "calls_per_minute": -1,
        "max_retries": 99,
        "retry_delays_minutes": [0],
        "starts_at": "2026-12-02T00:00:00Z",
        "ends_at": "2026-12-01T00:00:00Z",
        "colour": "blue",
    });
    let answer = manager(&app).await.post("/api/campaigns", &body).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @r#"
intro_script: is required
question_2_text: is missing: number the questions 1, 2, 3 … without gaps
question_3_options: a choice has options: give the questions as the list 'questions'
question_3_text: is required
question_4_text: must be a text
question_4_type: is required
colour: unknown field
question_0_text: unknown field
daily_end_time: must be later than daily_start_time; calling_hours can go over midnight
time_zone: unknown time zone 'Mars/Base': use an IANA name such as Europe/Rome
language: unknown language 'xx': use it, en, ru, es, fr or de
calls_per_minute: must not be negative
name: must not be empty
question_1_text: must not be empty
ends_at: must be later than starts_at
max_retries: use a number from 1 to 20
retry_delays_minutes: use minutes from 1 to 43200
"#);
}

#[tokio::test]
async fn two_ways_of_saying_one_thing_are_refused() {
    let app = TestApp::start().await;
    let body = with(&json!({
        "question_1_text": "Come stai?", "question_1_type": "free_text",
        "max_attempts": 2, "max_retries": 3,
        "retry_interval_minutes": 30, "retry_delays_minutes": [30],
        "allowed_call_start_local": "09:00", "daily_start_time": "10:00",
        "calling_hours": { "weekly": {} },
    }));
    let answer = manager(&app).await.post("/api/campaigns", &body).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @r#"
questions: give questions or question_1_text and so on, not both
daily_start_time: give allowed_call_start_local or daily_start_time, not both
allowed_call_start_local: give calling_hours or allowed_call_start_local, not both
max_retries: give max_attempts or max_retries, not both
retry_delays_minutes: give retry_interval_minutes or retry_delays_minutes, not both
"#);
}

#[tokio::test]
async fn a_question_is_checked_against_its_type() {
    let app = TestApp::start().await;
    let body = with(&json!({ "questions": [
        { "text": "a", "type": "free_text", "min": 1 },
        { "text": "b", "type": "scale", "min": 5, "max": 1.5 },
        { "text": "c", "type": "choice", "options": [{ "key": "only", "say": [] }] },
        { "text": "d", "type": "numeric", "min": "ten", "key": "q1" },
        "What?",
        { "text": "f", "type": "yes_no", "retries": 9, "hint": "h" },
    ]}));
    let answer = manager(&app).await.post("/api/campaigns", &body).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @r#"
questions[0].min: a free_text question has none
questions[1].max: use a whole number
questions[3].min: use a number
questions[4]: must be an object
questions[5].hint: unknown field
questions[2].options: give at least two
questions[2].options[0].say: give the words for it
questions[3].key: the key 'q1' is used twice
questions[5].retries: use at most 5
"#);
}
