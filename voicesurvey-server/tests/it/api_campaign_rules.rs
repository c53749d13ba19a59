//! Campaigns: retry rules and the days of single countries, as they are given and shown.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Answer, Caller, TestApp};

async fn manager(app: &TestApp) -> Caller {
    app.company("Acme").await.manager().await
}

/// Creates the smallest campaign with these settings.
async fn create(manager: &Caller, settings: &Value) -> Answer {
    let mut body = json!({
        "name": "Satisfaction",
        "intro_script": "Buongiorno, posso farle una domanda?",
        "questions": [{ "text": "È soddisfatto?", "type": "yes_no" }],
        "completion_message": "Grazie.",
    });
    for (name, value) in settings.as_object().unwrap() {
        body[name] = value.clone();
    }
    manager.post("/api/campaigns", &body).await
}

/// The rules in force, one line each: the delays, and whether the part of the day changes.
fn in_force(answer: &Answer) -> String {
    let rules = answer.at("/retry");
    let line = |(outcome, rule): (&String, &Value)| {
        let moved = if rule["other_daypart"] == true {
            " other daypart"
        } else {
            ""
        };
        format!("{outcome} {}{moved}", rule["delays_minutes"])
    };
    let lines: Vec<_> = rules.as_object().unwrap().iter().map(line).collect();
    lines.join("\n")
}

/// B12.
#[tokio::test]
async fn a_campaign_shows_what_it_does_after_each_outcome() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let answer = create(&manager, &json!({})).await;
    assert_eq!(answer.at("/retry_rules"), json!({}));
    assert_eq!(answer.at("/retry_other_daypart"), true);
    assert_snapshot!(in_force(&answer), @r#"
broke_off []
busy [30]
call_back_requested [120]
call_screening [30]
cancelled []
completed []
declined [1440]
disconnected [30]
fax []
hung_up_before_consent [1440]
interrupted [2]
invalid_number []
language_barrier []
line_dropped [2]
lost [30]
no_answer [30] other daypart
opted_out []
partial []
provider_failure [5,10,20,40]
provider_rejected []
quota_full []
refused []
voicemail [30] other daypart
wrong_person []
"#);
}

/// B12.
#[tokio::test]
async fn rules_for_single_outcomes_hold_besides_the_delays_for_all() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let settings = json!({
        "max_retries": 4,
        "retry_delays": ["1h", "4h", "1d"],
        "retry_rules": {
            "no_answer": { "delays_minutes": [180, 1440] },
            "voicemail": { "delays_minutes": [] },
            "refused": { "delays_minutes": [] },
        },
    });
    let answer = create(&manager, &settings).await;
    assert_eq!(answer.status, 201, "{answer}");
    assert_eq!(answer.at("/retry_delays_minutes"), json!([60, 240, 1440]));
    assert_eq!(answer.at("/retry_rules"), settings["retry_rules"]);
    let rule =
        |answer: &Answer, outcome: &str| answer.at(&format!("/retry/{outcome}/delays_minutes"));
    assert_eq!(rule(&answer, "no_answer"), json!([180, 1440]));
    assert_eq!(rule(&answer, "voicemail"), json!([]));
    assert_eq!(rule(&answer, "busy"), json!([60, 240, 1440]));
    assert_eq!(answer.at("/retry/no_answer/other_daypart"), false);

    let location = format!("/api/campaigns/{}", answer.text_at("/id"));
    assert_eq!(manager.get(&location).await.json(), answer.json());
    let only_busy = json!({ "retry_rules": { "busy": { "delays_minutes": [5] } } });
    let changed = manager.patch(&location, &only_busy).await;
    assert_eq!(changed.status, 200, "{changed}");
    assert_eq!(changed.at("/max_attempts"), 4);
    assert_eq!(rule(&changed, "busy"), json!([5]));
    assert_eq!(rule(&changed, "no_answer"), json!([60, 240, 1440]));
}

/// A1: whoever gives a delay gets that delay, unless another part of the day is wanted too.
#[tokio::test]
async fn a_delay_that_is_given_is_exact() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    for (settings, expected) in [
        (json!({ "retry_interval_minutes": 30 }), false),
        (json!({ "retry_delays": ["30m"] }), false),
        (json!({ "max_attempts": 2 }), true),
        (
            json!({ "retry_interval_minutes": 30, "retry_other_daypart": true }),
            true,
        ),
        (json!({ "retry_other_daypart": false }), false),
    ] {
        let answer = create(&manager, &settings).await;
        assert_eq!(answer.at("/retry_other_daypart"), expected, "{settings}");
        let shown = answer.at("/retry/no_answer/other_daypart");
        assert_eq!(shown, expected, "{settings}");
    }
}

#[tokio::test]
async fn a_wrong_rule_is_refused_with_its_outcome() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let settings = json!({
        "retry_delays_minutes": [30],
        "retry_delays": ["1h", "soon"],
        "retry_rules": {
            "refused": { "delays_minutes": [60] },
            "opted_out": { "delays_minutes": [60] },
            "completed": { "delays_minutes": [60] },
            "busy": { "delays_minutes": [0] },
            "no_answer": { "delays_minutes": [1, -1] },
            "voicemail": {},
            "declined": { "delays_minutes": [1], "delay": 1 },
            "lost": 30,
            "engaged": { "delays_minutes": [1] },
        },
        "retry_other_daypart": "yes",
    });
    let answer = create(&manager, &settings).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @r#"
retry_delays: [1]: "soon" is no delay: use a number with m, h or d, such as 4h
retry_rules.declined.delay: unknown field
retry_rules.engaged: unknown outcome 'engaged'
retry_rules.lost: must be an object
retry_rules.no_answer.delays_minutes: [1]: must not be negative
retry_rules.voicemail.delays_minutes: is required
retry_other_daypart: must be true or false
retry_rules.completed.delays_minutes: nobody is called again after completed: leave the list empty
retry_rules.refused.delays_minutes: nobody is called again after refused: leave the list empty
retry_rules.opted_out.delays_minutes: nobody is called again after opted_out: leave the list empty
retry_rules.busy.delays_minutes: use minutes from 1 to 43200
"#);

    let settings = json!({ "retry_interval_minutes": 30, "retry_delays": ["1h"] });
    let answer = create(&manager, &settings).await;
    assert_snapshot!(answer.wrong_fields(), @r#"
retry_delays: give retry_interval_minutes or retry_delays, not both
"#);
    let answer = create(&manager, &json!({ "retry_delays": ["60d"] })).await;
    assert_snapshot!(answer.wrong_fields(), @r#"
retry_delays: use minutes from 1 to 43200
"#);
}

#[tokio::test]
async fn each_country_can_have_its_own_days() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let days = json!({
        "it": { "holidays": ["2026-12-08", "2026-12-25"], "eves": ["2026-12-07"] },
        "DE": { "holidays": ["2026-10-03"] },
    });
    let answer = create(&manager, &json!({ "country_days": days })).await;
    assert_eq!(answer.status, 201, "{answer}");
    assert_eq!(
        answer.at("/country_days"),
        json!({
            "DE": { "eves": [], "holidays": ["2026-10-03"] },
            "IT": { "eves": ["2026-12-07"], "holidays": ["2026-12-08", "2026-12-25"] },
        })
    );
    // The dates of everybody are another matter.
    assert_eq!(answer.at("/allowed_call_start_local"), "09:00");

    let location = format!("/api/campaigns/{}", answer.text_at("/id"));
    let renamed = manager.patch(&location, &json!({ "name": "Other" })).await;
    assert_eq!(renamed.at("/country_days"), answer.at("/country_days"));
    let cleared = manager
        .patch(&location, &json!({ "country_days": {} }))
        .await;
    assert_eq!(cleared.at("/country_days"), json!({}));
}

#[tokio::test]
async fn wrong_days_of_a_country_are_refused_with_its_code() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let days = json!({
        "Italy": { "holidays": [] },
        "it": {},
        "IT": {},
        "FR": { "holidays": ["2026-12-08", "8.12.2026"], "eves": [20_261_207], "feasts": [] },
        "ES": ["2026-12-08"],
        "DE": { "holidays": "2026-10-03" },
    });
    let answer = create(&manager, &json!({ "country_days": days })).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @r#"
country_days.DE.holidays: must be a list
country_days.ES: must be an object
country_days.FR.feasts: unknown field
country_days.FR.holidays: [1]: Invalid date: '8.12.2026' (use YYYY-MM-DD)
country_days.FR.eves: [0]: Invalid date: '20261207' (use YYYY-MM-DD)
country_days.Italy: unknown phone region 'Italy': use a country code of two letters such as IT
country_days.it: IT is given twice
"#);
}
