//! What is asked under which condition, and how it is called: show-if, labels, translated options,
//! the recording line.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{TestApp, shown};

/// A survey that uses everything.
fn survey() -> Value {
    json!({
        "name": "Trasporti", "language": "it", "recording": true,
        "intro_script": "Buongiorno, posso farle alcune domande?", "completion_message": "Grazie.",
        "questions": [
            { "text": "Come viene?", "type": "choice", "options": [
                { "key": "car", "say": ["in auto", "macchina"] }, { "key": "foot", "say": ["a piedi"] },
            ]},
            { "text": "Da 1 a 5?", "type": "scale", "labels": [
                { "value": 1, "say": ["pessimo"] }, { "value": 5, "say": ["ottimo", "eccellente"] },
            ]},
            { "text": "Tornerebbe?", "type": "yes_no", "show_if": {
                "question": "q2", "at_least": 2, "at_most": 4.5, "is_not": [3],
            }},
            { "text": "Quanti chilometri?", "type": "numeric", "decimals": true, "min": 0.5,
              "show_if": { "question": "q1", "is": ["car"], "answered": true } },
            { "text": "Perché no?", "type": "free_text",
              "show_if": { "question": "q3", "is": [false] } },
            { "text": "Altro?", "type": "free_text",
              "show_if": { "question": "q4", "answered": false } },
        ],
        "translations": { "en": {
            "intro_script": "Hello, may I ask you some questions?", "completion_message": "Thanks.",
            "questions": {
                "q1": "How do you come?", "q2": "From 1 to 5?", "q3": "Would you return?",
                "q4": "How many kilometres?", "q5": "Why not?", "q6": "Anything else?",
            },
            "options": {
                "q1": { "car": ["by car"], "foot": ["on foot", "walking"] },
                "q2": { "1": ["terrible"], "3": ["so so"] },
            },
        }},
    })
}

#[tokio::test]
async fn conditions_labels_and_translated_options_are_shown_as_they_were_sent() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let created = manager.post("/api/campaigns", &survey()).await;
    assert_eq!(created.status, 201, "{created}");
    assert_eq!(created.at("/recording"), true);
    assert_snapshot!(shown(&created.at("/questions")), @r#"
[
  {
    "key": "q1",
    "options": [{"key":"car","say":["in auto","macchina"]},{"key":"foot","say":["a piedi"]}],
    "required": false,
    "retries": 2,
    "text": "Come viene?",
    "type": "choice"
  },
  {
    "key": "q2",
    "labels": [{"say":["pessimo"],"value":1},{"say":["ottimo","eccellente"],"value":5}],
    "max": 5,
    "min": 1,
    "required": false,
    "retries": 2,
    "text": "Da 1 a 5?",
    "type": "scale"
  },
  {
    "key": "q3",
    "required": false,
    "retries": 2,
    "show_if": {"at_least":2,"at_most":4.5,"is_not":["3"],"question":"q2"},
    "text": "Tornerebbe?",
    "type": "yes_no"
  },
  {
    "decimals": true,
    "key": "q4",
    "min": 0.5,
    "required": false,
    "retries": 2,
    "show_if": {"answered":true,"is":["car"],"question":"q1"},
    "text": "Quanti chilometri?",
    "type": "numeric"
  },
  {
    "key": "q5",
    "required": false,
    "retries": 2,
    "show_if": {"is":["no"],"question":"q3"},
    "text": "Perché no?",
    "type": "free_text"
  },
  {
    "key": "q6",
    "required": false,
    "retries": 2,
    "show_if": {"answered":false,"question":"q4"},
    "text": "Altro?",
    "type": "free_text"
  }
]
"#);
    assert_eq!(
        created.at("/translations/en/options"),
        survey()["translations"]["en"]["options"]
    );
    let campaign = created.header("location").unwrap();
    assert_eq!(manager.get(campaign).await.json(), created.json());
}

/// Also into another campaign.
#[tokio::test]
async fn what_is_shown_of_a_survey_can_be_sent_back_unchanged() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let created = manager.post("/api/campaigns", &survey()).await;
    let campaign = created.header("location").unwrap();
    let fields = ["recording", "questions", "translations", "intro_script"];
    let shown = |place: &str| created.at(&format!("/{place}"));
    let same = |fields: &[&str]| -> Value {
        let pairs = fields.iter().map(|name| ((*name).to_owned(), shown(name)));
        Value::Object(pairs.collect())
    };
    let changed = manager.patch(campaign, &same(&fields)).await;
    assert_eq!(changed.status, 200, "{changed}");
    let all = [&fields[..], &["name", "completion_message", "language"]].concat();
    let copy = manager.post("/api/campaigns", &same(&all)).await;
    assert_eq!(copy.status, 201, "{copy}");
    for name in fields {
        let place = format!("/{name}");
        assert_eq!(changed.at(&place), created.at(&place));
        assert_eq!(copy.at(&place), created.at(&place));
    }
}

#[tokio::test]
async fn people_are_told_of_a_recording_only_where_that_is_said() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign().await;
    assert_eq!(manager.get(&campaign).await.at("/recording"), false);
    let recording = |on: bool| json!({ "recording": on });
    let changed = manager.patch(&campaign, &recording(true)).await;
    assert_eq!(changed.at("/recording"), true);
    let renamed = manager.patch(&campaign, &json!({ "name": "Other" })).await;
    assert_eq!(renamed.at("/recording"), true);
    let changed = manager.patch(&campaign, &recording(false)).await;
    assert_eq!(changed.at("/recording"), false);
    let refused = manager
        .patch(&campaign, &json!({ "recording": "yes" }))
        .await;
    assert_eq!(refused.wrong_fields(), "recording: must be true or false");
}

/// Which people have agreed to is not changed under them.
#[tokio::test]
async fn the_recording_line_is_frozen_when_the_campaign_starts() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let list = "phone_number\n+393471234567\n";
    let campaign = manager.create_campaign_with(list).await;
    assert_eq!(manager.set_status(&campaign, "running").await.status, 200);
    let refused = manager
        .patch(&campaign, &json!({ "recording": true }))
        .await;
    assert_eq!(
        (refused.status, refused.text_at("/code").as_str()),
        (409, "campaign_started")
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_condition_a_label_or_an_option_is_told_by_its_field() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let mut body = survey();
    body["questions"][0]["labels"] = json!([{ "value": 1, "say": ["uno"] }]);
    body["questions"][0]["show_if"] = json!({ "question": "q6", "answered": true });
    body["questions"][1]["labels"] = json!([
        { "value": 6, "say": ["oltre"] }, { "value": 2, "say": [] }, { "value": 2, "say": ["due"] },
    ]);
    body["questions"][2]["show_if"] = json!({ "question": "nobody", "at_most": 3 });
    body["questions"][3]["show_if"] = json!({ "question": "q1", "is": ["bus"], "at_most": 1 });
    body["questions"][4]["show_if"] = json!({ "question": "q3" });
    body["questions"][5]["show_if"] = json!({ "answered": "no", "is": [null], "equals": 3 });
    body["translations"]["en"]["options"] = json!({ "q1": { "bus": ["by bus"] }, "q9": {} });
    let answer = manager.post("/api/campaigns", &body).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @r#"
questions[0].labels: a choice question has none
questions[5].show_if.equals: unknown field
questions[5].show_if.is: [0]: use a number, a text, true or false
questions[5].show_if.answered: must be true or false
questions[5].show_if.question: is required
questions[0].show_if.question: 'q6' is not asked before this question
questions[1].labels[0].value: use a mark of the scale, from 1 to 5
questions[1].labels[1].say: give the words for it
questions[1].labels[2].value: the mark 2 has a label already
questions[2].show_if.question: there is no question 'nobody'
questions[3].show_if.is: 'bus' is no answer to 'q1': use one of: car, foot
questions[3].show_if.at_most: 'q1' is choice: its answers are no numbers
questions[4].show_if: give at least one of is, is_not, at_least, at_most and answered
translations.en.options.q1.bus: there is no option 'bus'
translations.en.options.q9: there is no question 'q9'
"#);
}

/// Of a question that cannot be read nobody knows what it can be answered with.
#[tokio::test]
async fn a_question_that_cannot_be_read_makes_no_condition_wrong() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let mut body = survey();
    body["questions"][1]["type"] = json!("scale_1_5");
    body["translations"] = json!({});
    let answer = manager.post("/api/campaigns", &body).await;
    let expected = "questions[1].type: unknown type 'scale_1_5': \
                    use free_text, numeric, scale, yes_no or choice";
    assert_eq!(answer.wrong_fields(), expected);
}
