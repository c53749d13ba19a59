//! Running campaigns: limits, targets and budgets, why nobody is called, and calls that are unknown.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use insta::assert_snapshot;
use serde_json::{Value, json};
use voicesurvey_core::conversation::VoiceReply;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::ports::{
    CallOrder, CallReference, Cancellation, FoundCall, PlaceCallError, Placed, ProviderError,
    TelephonyProvider, Webhook, WebhookError, WebhookReply, WebhookRequest,
};
use voicesurvey_core::time::{Clock as _, Timestamp};

use crate::support::{Answer, Caller, TestApp, redacted, shown};

const SIX_PEOPLE: &str = "phone_number,name\n+393471234561,A\n+393471234562,B\n+393471234563,C\n\
                          +393471234564,D\n+393471234565,E\n+393471234566,F\n";

const ONE_PERSON: &str = "phone_number,name\n+393471234567,Maria\n";

/// Its requests get lost, and it cannot say whether it calls.
#[derive(Debug)]
struct Lossy;

#[async_trait]
impl TelephonyProvider for Lossy {
    fn name(&self) -> &'static str {
        "lossy"
    }

    async fn place_call(&self, _order: &CallOrder) -> Result<Placed, PlaceCallError> {
        let source = "no answer within ten seconds".into();
        Err(PlaceCallError::Unknown { source })
    }

    async fn find_call(&self, _call: &CallReference) -> Result<FoundCall, ProviderError> {
        Ok(FoundCall::Unknown)
    }

    async fn cancel(&self, _call: &CallReference) -> Result<Cancellation, ProviderError> {
        Ok(Cancellation::GoesOn)
    }

    async fn hang_up(&self, _call: &CallReference) -> Result<(), ProviderError> {
        Ok(())
    }

    fn read_webhook(
        &self,
        _request: &WebhookRequest,
        _now: Timestamp,
    ) -> Result<Webhook, WebhookError> {
        Ok(Webhook::Nothing)
    }

    fn write_reply(&self, _call: &CallReference, _reply: &VoiceReply) -> WebhookReply {
        WebhookReply::empty()
    }
}

async fn step(app: &TestApp) {
    while app.app.engine.step().await.unwrap() > 0 {}
}

/// A running campaign with these settings, which has been stepped.
async fn running(app: &TestApp, manager: &Caller, people: &str, settings: &Value) -> String {
    let campaign = manager.create_campaign_with(people).await;
    let answer = manager.patch(&campaign, settings).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(manager.set_status(&campaign, "running").await.status, 200);
    step(app).await;
    campaign
}

async fn calls_in_progress(manager: &Caller, campaign: &str) -> Value {
    let stats = manager.get(&format!("{campaign}/stats")).await;
    let shown = manager.get(campaign).await;
    assert_eq!(
        shown.at("/calls_in_progress"),
        stats.at("/calls_in_progress")
    );
    stats.at("/calls_in_progress")
}

#[tokio::test]
async fn limits_that_are_changed_while_a_campaign_runs_hold_from_the_next_call_on() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let lines = |lines: u32| json!({ "max_concurrent_calls": lines, "calls_per_minute": 6_000 });
    let campaign = running(&app, &manager, SIX_PEOPLE, &lines(1)).await;
    assert_eq!(calls_in_progress(&manager, &campaign).await, 1);
    let widened = manager.patch(&campaign, &lines(3)).await;
    assert_eq!(widened.at("/max_concurrent_calls"), 3);
    step(&app).await;
    assert_eq!(calls_in_progress(&manager, &campaign).await, 3);
    let narrowed = manager.patch(&campaign, &lines(1)).await;
    assert_eq!(narrowed.status, 200, "{narrowed}");
    step(&app).await;
    let running = calls_in_progress(&manager, &campaign).await;
    assert_eq!(running, 3, "calls end by themselves");

    // A pause drains: it is shown how many calls still run. None of these has begun to ring, so they
    // are given up.
    manager.set_status(&campaign, "paused").await;
    let stats = manager.get(&format!("{campaign}/stats")).await;
    assert_eq!(stats.at("/calls_in_progress"), 3);
    step(&app).await;
    let stats = manager.get(&format!("{campaign}/stats")).await;
    assert_eq!(stats.at("/calls_in_progress"), 0);
    assert_eq!(stats.text_at("/pause_reason"), "user");
    assert_eq!(stats.text_at("/pause_sentence"), "Somebody paused it.");
    manager.set_status(&campaign, "running").await;
    app.run_to_the_end().await;
    assert_eq!(manager.get(&campaign).await.text_at("/status"), "completed");
}

#[tokio::test]
async fn a_campaign_that_has_reached_its_target_says_so_until_its_calls_have_ended() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let settings = json!({ "target": 1, "max_concurrent_calls": 2, "calls_per_minute": 6_000 });
    let campaign = running(&app, &manager, SIX_PEOPLE, &settings).await;
    assert_eq!(manager.get(&campaign).await.at("/target"), 1);
    let stats = async || manager.get(&format!("{campaign}/stats")).await;
    // Whoever answers first reaches the target.
    while stats().await.at("/target/completed") == 0 {
        let next = app.simulator.next_event_at().unwrap();
        app.clock.set(next.max(app.clock.now()));
        app.simulator.deliver_due(&app).await;
    }
    step(&app).await;
    let reached = stats().await;
    assert_eq!(reached.text_at("/status"), "running");
    assert_eq!(reached.text_at("/winding_up"), "target_reached");
    assert_eq!(
        reached.text_at("/winding_up_sentence"),
        "Enough people have answered. Calls in progress are finished, and nobody else is called."
    );
    assert_eq!(
        manager.get(&campaign).await.at("/winding_up"),
        "target_reached"
    );
    let list = "phone_number\n+393471234599\n";
    let path = format!("{campaign}/contacts/upload");
    let refused = manager.upload(&path, "more.csv", list).await;
    assert_eq!(
        (refused.status, refused.text_at("/code").as_str()),
        (409, "campaign_winding_up")
    );
    app.run_to_the_end().await;
    let ended = stats().await;
    assert_eq!(ended.text_at("/status"), "completed");
    assert_eq!(ended.at("/winding_up"), Value::Null);
    assert_eq!(ended.at("/target/target"), 1);
    assert_eq!(ended.at("/tasks/cancelled"), 4, "{ended}");
    assert_eq!(ended.text_at("/reasons/0/reason"), "target_reached");
}

#[tokio::test]
async fn a_budget_is_checked_shown_and_reserved() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let budget = json!({ "amount": 1, "currency": "eur", "estimate_per_call": "0.40" });
    let settings = json!({ "budget": budget, "calls_per_minute": 6_000 });
    let campaign = running(&app, &manager, SIX_PEOPLE, &settings).await;
    assert_eq!(
        manager.get(&campaign).await.at("/budget"),
        json!({ "amount": "1", "currency": "EUR", "estimate_per_call": "0.40" })
    );
    let stats = manager.get(&format!("{campaign}/stats")).await;
    assert_eq!(stats.at("/calls_in_progress"), 2);
    assert_eq!(
        stats.at("/budget"),
        json!({ "amount": "1", "calls_left": 0, "currency": "EUR", "left": "1", "spent": "0" })
    );
    assert_eq!(stats.at("/spent"), json!([]));
    assert_eq!(stats.text_at("/reasons/0/reason"), "budget_used_up");
    assert_eq!(stats.at("/reasons/0/count"), 4);

    let mut wrong = Vec::new();
    for budget in [
        json!({ "amount": 0, "currency": "EUR" }),
        json!({ "amount": "1e12", "currency": "euro", "estimate_per_call": -1 }),
        json!({ "amount": 1, "currency": "EUR", "estimate_per_call": 2, "cap": 1 }),
        json!({ "estimate_per_call": "cheap" }),
        json!(5),
    ] {
        let answer = manager.patch(&campaign, &json!({ "budget": budget })).await;
        assert_eq!(answer.status, 422, "{answer}");
        wrong.push(answer.wrong_fields());
    }
    for target in [json!(0), json!("many")] {
        let answer = manager.patch(&campaign, &json!({ "target": target })).await;
        wrong.push(answer.wrong_fields());
    }
    assert_snapshot!(wrong.join("\n"), @r#"
budget.amount: must be greater than zero
budget.amount: use at most 1000000000
budget.currency: unknown currency 'EURO': use three letters such as EUR
budget.estimate_per_call: use a number from 0 to the amount
budget.cap: unknown field
budget.estimate_per_call: use a number from 0 to the amount
budget.amount: is required
budget.currency: is required
budget.estimate_per_call: use a number
budget: must be an object
target: must be at least 1
target: use a whole number
"#);
}

#[tokio::test]
async fn dates_targets_and_budgets_are_taken_away_by_null() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign().await;
    let settings = json!({
        "starts_at": "2026-11-21T09:00:00Z", "ends_at": "2026-11-30T09:00:00Z", "target": 100,
        "budget": { "amount": "250.00", "currency": "EUR", "estimate_per_call": "0.12" },
    });
    let given = manager.patch(&campaign, &settings).await;
    assert_eq!(given.status, 200, "{given}");
    let named = |answer: &Answer| {
        let names = settings.as_object().unwrap().keys();
        let fields = names.map(|name| (name.clone(), answer.at(&format!("/{name}"))));
        Value::Object(fields.collect())
    };
    assert_eq!(named(&given), settings);
    let renamed = manager.patch(&campaign, &json!({ "name": "Other" })).await;
    assert_eq!(named(&renamed), settings, "what is left out stays");
    let mut cleared = settings.clone();
    for name in ["starts_at", "ends_at", "target", "budget"] {
        cleared[name] = Value::Null;
        let answer = manager.patch(&campaign, &json!({ name: null })).await;
        assert_eq!(named(&answer), cleared, "{name}");
    }
}

#[tokio::test]
async fn it_is_said_why_nobody_is_called_and_until_when() {
    let app = TestApp::start().await;
    let acme = app.company("Acme").await;
    let manager = acme.manager().await;
    let settings = json!({ "max_concurrent_calls": 1 });
    let campaign = running(&app, &manager, ONE_PERSON, &settings).await;
    let contacts = manager.get(&format!("{campaign}/contacts")).await;
    let contact = format!("{campaign}/contacts/{}", contacts.text_at("/items/0/id"));
    let why = async || manager.get(&contact).await.at("/why_not_now");
    assert_eq!(why().await, Value::Null, "a call is in progress");
    app.run_to_the_end().await;
    assert_eq!(why().await["reason"], "task_ended");

    // At night, in a campaign of its own.
    app.clock.set("2026-11-20T22:00:00Z".parse().unwrap());
    let campaign = running(&app, &manager, "phone\n+393471234568\n", &settings).await;
    let contacts = manager.get(&format!("{campaign}/contacts")).await;
    let contact = format!("{campaign}/contacts/{}", contacts.text_at("/items/0/id"));
    let why = async || shown(&manager.get(&contact).await.at("/why_not_now"));
    let mut said = vec![why().await];
    let stats = manager.get(&format!("{campaign}/stats")).await;
    assert_eq!(stats.text_at("/next_opening"), "2026-11-21T08:00:00Z");
    assert_eq!(stats.text_at("/reasons/0/reason"), "outside_calling_hours");
    manager.set_status(&campaign, "paused").await;
    said.push(why().await);
    manager.set_status(&campaign, "running").await;
    let suspended = json!({ "status": "suspended" });
    let company = format!("/api/companies/{}", acme.id);
    app.operator().patch(&company, &suspended).await;
    said.push(why().await);
    assert_snapshot!(said.join("\n"), @r#"
{
  "reason": "outside_calling_hours",
  "sentence": "It is outside the calling hours where the person is.",
  "until": "2026-11-21T08:00:00Z"
}
{"reason":"campaign_not_running","sentence":"The campaign is not running.","until":null}
{"reason":"company_suspended","sentence":"The company is suspended.","until":null}
"#);
}

#[tokio::test]
async fn an_unknown_call_is_listed_until_somebody_resolves_it() {
    let memory = MemoryStorage::default();
    let app = TestApp::start_over(Some(Arc::new(Lossy)), Arc::new(memory.clone()), memory).await;
    let acme = app.company("Acme").await;
    let (manager, viewer) = (acme.manager().await, acme.viewer().await);
    let settings = json!({ "max_concurrent_calls": 2, "calls_per_minute": 6_000 });
    let campaign = running(&app, &manager, SIX_PEOPLE, &settings).await;
    let id = campaign.rsplit('/').next().unwrap();
    let unknown = format!("/api/attempts?state=unknown&campaign={id}");
    let listed = viewer.get(&unknown).await;
    assert_eq!(listed.at("/items").as_array().unwrap().len(), 2, "{listed}");
    assert_eq!(
        viewer.get("/api/attempts?state=ended").await.at("/items"),
        json!([])
    );
    let first_part = viewer.get(&format!("{unknown}&limit=1")).await;
    let cursor = first_part.text_at("/next_cursor");
    let second_part = viewer
        .get(&format!("{unknown}&limit=1&cursor={cursor}"))
        .await;
    assert_eq!(second_part.at("/items/0"), listed.at("/items/1"));
    let wrong = viewer.get("/api/attempts?state=lost&limit=0").await;
    assert_eq!(
        (wrong.status, wrong.wrong_fields().lines().count()),
        (400, 2)
    );

    let path = |index: usize| {
        let attempt = listed.text_at(&format!("/items/{index}/id"));
        format!("/api/attempts/{attempt}/resolve")
    };
    let not_dialed = json!({ "resolution": "not_dialed" });
    let no_answer = json!({ "resolution": "ended", "outcome": "no_answer" });
    assert_eq!(viewer.post(&path(0), &not_dialed).await.status, 403);
    let resolved = manager.post(&path(0), &not_dialed).await;
    assert_eq!(resolved.status, 200, "{resolved}");
    assert_eq!(resolved.text_at("/outcome"), "cancelled");
    let resolved = manager.post(&path(1), &no_answer).await;
    assert_eq!(resolved.text_at("/outcome"), "no_answer");
    assert_eq!(viewer.get(&unknown).await.at("/items"), json!([]));
    let again = manager.post(&path(1), &no_answer).await;
    assert_snapshot!(redacted(&again.to_string()), @r#"
409 application/problem+json
{
  "code": "attempt_not_unknown",
  "detail": "only an attempt whose state is unknown can be resolved; this one is ended",
  "errors": [],
  "request_id": "[id]",
  "status": 409,
  "title": "Conflict",
  "type": "about:blank"
}
"#);

    // Who was not dialed waits for the next line, and who did not answer for another time.
    let tasks = manager.get(&format!("{campaign}/stats")).await.at("/tasks");
    assert_eq!((&tasks["pending"], &tasks["retry"]), (&json!(5), &json!(1)));
    app.clock.advance(TimeDelta::seconds(60));
    step(&app).await;
    assert_eq!(calls_in_progress(&manager, &campaign).await, 2);
}

#[tokio::test]
async fn a_resolution_that_makes_no_sense_is_refused_field_by_field() {
    let memory = MemoryStorage::default();
    let app = TestApp::start_over(Some(Arc::new(Lossy)), Arc::new(memory.clone()), memory).await;
    let manager = app.company("Acme").await.manager().await;
    running(&app, &manager, ONE_PERSON, &json!({})).await;
    let listed = manager.get("/api/attempts?state=unknown").await;
    let path = format!("/api/attempts/{}/resolve", listed.text_at("/items/0/id"));
    let mut wrong = Vec::new();
    for body in [
        json!({}),
        json!({ "resolution": "redial", "because": "I want to" }),
        json!({ "resolution": "ended" }),
        json!({ "resolution": "ended", "outcome": "vanished" }),
        json!({ "resolution": "ended", "outcome": 1 }),
        json!({ "resolution": "ended", "outcome": "cancelled" }),
        json!({ "resolution": "not_dialed", "outcome": "busy" }),
    ] {
        let answer = manager.post(&path, &body).await;
        assert_eq!(answer.status, 422, "{answer}");
        wrong.push(answer.wrong_fields());
    }
    assert_snapshot!(wrong.join("\n"), @r#"
resolution: is required
because: unknown field
resolution: unknown resolution 'redial': use not_dialed or ended
outcome: is required: say how the call ended
outcome: unknown outcome 'vanished'
outcome: must be a text
outcome: a call that was not made is resolved as not_dialed
outcome: leave it out: a call that was not made has none
"#);
    let still = manager.get("/api/attempts?state=unknown").await;
    assert_eq!(still.json(), listed.json());
}

#[tokio::test]
async fn the_operator_suspends_a_company_and_caps_its_calls() {
    let app = TestApp::start().await;
    let acme = app.company("Acme").await;
    let path = format!("/api/companies/{}", acme.id);
    let operator = app.operator();
    let change = async |body: Value| {
        let answer = operator.patch(&path, &body).await;
        assert_eq!(answer.status, 200, "{answer}");
        let own = acme.viewer().await.get(&path).await;
        assert_eq!(own.json(), answer.json());
        (
            answer.text_at("/status"),
            answer.at("/attempt_caps").to_string(),
        )
    };
    let mut shown = Vec::new();
    for body in [
        json!({ "status": "suspended" }),
        json!({ "attempt_caps": { "per_day": 2, "per_month": 10, "minimum_gap_minutes": 60 } }),
        json!({ "status": "active", "attempt_caps": { "per_day": null, "per_week": 4 } }),
        json!({ "name": "Acme 2" }),
        json!({ "attempt_caps": null }),
    ] {
        let (status, caps) = change(body).await;
        shown.push(format!("{status} {caps}"));
    }
    assert_snapshot!(shown.join("\n"), @r#"
suspended {"minimum_gap_minutes":null,"per_day":null,"per_month":null,"per_week":null}
suspended {"minimum_gap_minutes":60,"per_day":2,"per_month":10,"per_week":null}
active {"minimum_gap_minutes":60,"per_day":null,"per_month":10,"per_week":4}
active {"minimum_gap_minutes":60,"per_day":null,"per_month":10,"per_week":4}
active {"minimum_gap_minutes":null,"per_day":null,"per_month":null,"per_week":null}
"#);
    let wrong = json!({
        "status": "closed",
        "attempt_caps": { "per_day": 0, "per_week": -1, "minimum_gap_minutes": "1h", "per_year": 1 },
    });
    let wrong = operator.patch(&path, &wrong).await;
    assert_eq!(wrong.status, 422);
    assert_snapshot!(wrong.wrong_fields(), @r#"
attempt_caps.per_year: unknown field
attempt_caps.per_day: must be at least 1
attempt_caps.per_week: must not be negative
attempt_caps.minimum_gap_minutes: use a whole number
status: unknown status 'closed': use active or suspended
"#);
    let too_long = json!({ "attempt_caps": { "minimum_gap_minutes": 43_201 } });
    let too_long = operator.patch(&path, &too_long).await;
    assert_eq!(
        (too_long.status, too_long.wrong_fields().as_str()),
        (
            422,
            "attempt_caps.minimum_gap_minutes: use at most 43200 minutes"
        )
    );
    for body in [
        json!({ "status": "active" }),
        json!({ "attempt_caps": { "per_day": 1 } }),
    ] {
        let refused = acme.admin().await.patch(&path, &body).await;
        assert_eq!(refused.status, 403, "only the operator");
    }
}
