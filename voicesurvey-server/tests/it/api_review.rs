//! Answers that may be wrong: listed, accepted and corrected.

use insta::assert_snapshot;
use serde_json::{Value, json};
use voicesurvey_core::conversation::{Answer, Doubt, Turn};
use voicesurvey_core::id::{CallAttemptId, CampaignId};
use voicesurvey_core::interpretation::{
    Confidence, Intent, Interpretation, InterpretedBy, OtherReading,
};
use voicesurvey_core::ports::Scope;
use voicesurvey_core::survey::AnswerValue;

use crate::support::line::{Said, interview, server};
use crate::support::{Answer as Reply, Caller, TestApp, TestCompany, redacted, shown};

const ONE_PERSON: &str = "phone_number,name\n+393471234567,Maria Rossi\n";

/// Two numbers that the recogniser is not sure of, and that are not confirmed when they are read
/// back.
const DOUBTFUL: &[Said<'_>] = &[
    ("sì", 95),
    ("abbastanza bene", 95),
    ("quattro", 40),
    ("", 0),
    ("tre", 40),
    ("", 0),
];

/// A company with a person's answers in doubt.
struct Desk<'a> {
    company: TestCompany<'a>,
    manager: Caller,
    campaign: String,
    call: String,
}

impl<'a> Desk<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let company = app.company("Acme").await;
        let manager = company.manager().await;
        let campaign = manager.create_campaign_with(ONE_PERSON).await;
        let call = interview(app, (company.id, &manager), &campaign, DOUBTFUL).await;
        Self {
            company,
            manager,
            campaign,
            call,
        }
    }

    fn campaign_id(&self) -> &str {
        self.campaign.rsplit('/').next().unwrap()
    }

    /// The keys of the questions whose answers wait for review.
    async fn listed(&self) -> Vec<String> {
        let path = format!("/api/review?campaign={}", self.campaign_id());
        keys(&self.manager.get(&path).await)
    }

    /// The path of the answer to a question.
    async fn answer(&self, key: &str) -> String {
        let call = self.manager.get(&format!("/api/calls/{}", self.call)).await;
        let answers = call.at("/answers");
        let mut answers = answers.as_array().unwrap().iter();
        let answer = answers.find(|answer| answer["question_key"] == key);
        format!("/api/answers/{}", answer.unwrap()["id"].as_str().unwrap())
    }

    /// What results say of a question.
    async fn result(&self, index: usize) -> Value {
        let results = self
            .manager
            .get(&format!("{}/results", self.campaign))
            .await;
        results.at(&format!("/questions/{index}"))
    }
}

fn keys(page: &Reply) -> Vec<String> {
    let items = page.at("/items");
    let items = items.as_array().unwrap().iter();
    let key = |item: &Value| item["question_key"].as_str().unwrap().to_owned();
    items.map(key).collect()
}

#[tokio::test]
async fn answers_in_doubt_are_listed_with_what_was_asked_and_heard() {
    let app = server().await;
    let desk = Desk::new(&app).await;
    let viewer = desk.company.viewer().await;
    let page = viewer.get("/api/review").await;
    assert_eq!(keys(&page), ["q2", "q3"]);
    assert_snapshot!(redacted(&shown(&page.at("/items/0"))), @r#"
{
  "at": "[time]",
  "call_id": "[id]",
  "campaign_id": "[id]",
  "confidence": 0.95,
  "contact_name": "Maria Rossi",
  "doubt": "unconfirmed",
  "id": "[id]",
  "interpreted_by": "rules",
  "other_reading": null,
  "question": {
    "key": "q2",
    "max": 5,
    "min": 1,
    "required": false,
    "retries": 2,
    "text": "Da 1 a 5 quanto sei soddisfatto?",
    "type": "scale"
  },
  "question_key": "q2",
  "repeats": 0,
  "result": "answered",
  "reviewed_at": null,
  "reviewed_by": null,
  "revision": 0,
  "task_id": "[id]",
  "turn_id": "[id]",
  "value": 4,
  "words": "quattro"
}
"#);
    assert_eq!(page.text_at("/items/0/call_id"), desk.call);
}

#[tokio::test]
async fn the_list_comes_in_parts_and_can_be_of_one_campaign() {
    let app = server().await;
    let desk = Desk::new(&app).await;
    let first = desk.manager.get("/api/review?limit=1").await;
    assert_eq!(keys(&first), ["q2"]);
    let next = first.text_at("/next_cursor");
    let second = desk
        .manager
        .get(&format!("/api/review?limit=1&cursor={next}"))
        .await;
    assert_eq!(keys(&second), ["q3"]);
    assert_eq!(second.at("/next_cursor"), Value::Null);

    let other = desk.manager.create_campaign().await;
    let other = other.rsplit('/').next().unwrap();
    let of_other = desk
        .manager
        .get(&format!("/api/review?campaign={other}"))
        .await;
    assert_eq!(keys(&of_other), [""; 0]);
    for wrong in ["campaign=x", "limit=0", "cursor=x", "status=new"] {
        let answer = desk.manager.get(&format!("/api/review?{wrong}")).await;
        assert_eq!(answer.status, 400, "{answer}");
    }
}

#[tokio::test]
async fn what_is_accepted_leaves_the_list_and_keeps_its_value() {
    let app = server().await;
    let desk = Desk::new(&app).await;
    let answer = desk.answer("q2").await;
    let before = desk.manager.get(&answer).await;
    assert_eq!(before.text_at("/doubt"), "unconfirmed");
    let accepted = desk
        .manager
        .patch(&answer, &json!({ "accept": true }))
        .await;
    assert_eq!(accepted.status, 200, "{accepted}");
    for same in [
        "value",
        "words",
        "confidence",
        "interpreted_by",
        "turn_id",
        "doubt",
    ] {
        let place = format!("/{same}");
        assert_eq!(accepted.at(&place), before.at(&place), "{same}");
    }
    assert_eq!(accepted.at("/revision"), 1);
    assert!(accepted.at("/reviewed_at").is_string());
    assert_eq!(accepted.at("/revisions"), json!([]));
    assert_eq!(desk.listed().await, ["q3"]);
    assert_eq!(desk.manager.get(&answer).await.json(), accepted.json());
}

#[tokio::test]
async fn a_correction_shows_wherever_the_answer_is_shown() {
    let app = server().await;
    let desk = Desk::new(&app).await;
    assert_eq!(desk.result(1).await["values"], json!({ "4": 1 }));
    let answer = desk.answer("q2").await;
    let five = json!({ "value": 5 });
    assert_eq!(desk.manager.patch(&answer, &five).await.status, 200);
    assert_eq!(desk.listed().await, ["q3"]);

    let result = desk.result(1).await;
    assert_eq!(result["values"], json!({ "5": 1 }));
    assert_eq!(result["mean"], 5);
    let call = desk.manager.get(&format!("/api/calls/{}", desk.call)).await;
    assert_eq!(call.at("/answers/1/value"), 5);
    let contacts = format!("{}/contacts", desk.campaign);
    let contact = desk.manager.get(&contacts).await.text_at("/items/0/id");
    let contact = desk.manager.get(&format!("{contacts}/{contact}")).await;
    assert_eq!(contact.at("/answers/1/value"), 5);

    let unknown = json!({ "result": "dont_know", "revision": 1 });
    assert_eq!(desk.manager.patch(&answer, &unknown).await.status, 200);
    let result = desk.result(1).await;
    let counts = ["answered", "dont_know"].map(|name| result[name].clone());
    assert_eq!(counts, [json!(0), json!(1)]);
}

#[tokio::test]
async fn corrections_keep_what_they_replace() {
    let app = server().await;
    let desk = Desk::new(&app).await;
    let answer = desk.answer("q2").await;
    let first = json!({ "value": 5, "note": "«quattro», then laughs: five" });
    assert_eq!(desk.manager.patch(&answer, &first).await.status, 200);
    let second = json!({ "result": "dont_know", "revision": 1 });
    let corrected = desk.manager.patch(&answer, &second).await;
    assert_eq!(corrected.status, 200, "{corrected}");
    assert_snapshot!(redacted(&shown(&corrected.json())), @r#"
{
  "at": "[time]",
  "call_id": "[id]",
  "campaign_id": "[id]",
  "confidence": 1.0,
  "doubt": "unconfirmed",
  "id": "[id]",
  "interpreted_by": "staff",
  "question_key": "q2",
  "repeats": 0,
  "result": "dont_know",
  "reviewed_at": "[time]",
  "reviewed_by": "[id]",
  "revision": 2,
  "revisions": [
    {
      "confidence": 0.95,
      "interpreted_by": "rules",
      "note": "«quattro», then laughs: five",
      "number": 0,
      "replaced_at": "[time]",
      "replaced_by": "[id]",
      "result": "answered",
      "value": 4
    },
    {
      "confidence": 1.0,
      "interpreted_by": "staff",
      "note": null,
      "number": 1,
      "replaced_at": "[time]",
      "replaced_by": "[id]",
      "result": "answered",
      "value": 5
    }
  ],
  "task_id": "[id]",
  "turn_id": "[id]",
  "value": null,
  "words": "quattro"
}
"#);
    assert_eq!(desk.manager.get(&answer).await.json(), corrected.json());
}

#[tokio::test]
async fn an_answer_that_is_not_in_doubt_can_be_corrected_too() {
    let app = server().await;
    let desk = Desk::new(&app).await;
    let answer = desk.answer("q1").await;
    let corrected = desk
        .manager
        .patch(&answer, &json!({ "value": "Abbastanza bene." }))
        .await;
    assert_eq!(corrected.status, 200, "{corrected}");
    assert_eq!(corrected.text_at("/value"), "Abbastanza bene.");
    assert_eq!(corrected.text_at("/words"), "abbastanza bene");
    assert_eq!(corrected.at("/doubt"), Value::Null);
}

#[tokio::test]
async fn a_verdict_that_cannot_be_used_is_refused_by_its_field() {
    let app = server().await;
    let desk = Desk::new(&app).await;
    let answer = desk.answer("q2").await;
    let before = desk.manager.get(&answer).await;
    let mut lines = Vec::new();
    for body in [
        json!({}),
        json!({ "accept": null }),
        json!({ "accept": false }),
        json!({ "accept": "yes" }),
        json!({ "accept": true, "value": 5 }),
        json!({ "value": 5, "result": "skipped" }),
        json!({ "accept": true, "note": "it is" }),
        json!({ "value": 6 }),
        json!({ "value": 4.5 }),
        json!({ "value": "four" }),
        json!({ "value": true }),
        json!({ "value": [4] }),
        json!({ "value": 5, "note": 5 }),
        json!({ "value": 5, "note": "\u{7}" }),
        json!({ "value": 5, "revision": -1 }),
        json!({ "result": "answered" }),
        json!({ "result": "lost" }),
        json!({ "value": 5, "reviewed_by": "me" }),
    ] {
        let refused = desk.manager.patch(&answer, &body).await;
        assert_eq!(refused.status, 422, "{body}: {refused}");
        lines.push(refused.wrong_fields());
    }
    assert_snapshot!(lines.join("\n"), @r#"
accept: give one of accept, value and result
accept: give one of accept, value and result
accept: must be true; to correct it give value or result
accept: must be true or false
value: give one of accept, value and result
result: give one of accept, value and result
note: leave it out: only corrections have one
value: use a whole number from 1 to 5
value: use a whole number from 1 to 5
value: use a whole number from 1 to 5
value: use a whole number from 1 to 5
value: use a text, a number, true or false
note: must be a text
note: must not contain control characters
revision: must not be negative
result: give the value instead
result: unknown result 'lost': use skipped, dont_know or not_understood
reviewed_by: unknown field
"#);
    assert_eq!(desk.manager.get(&answer).await.json(), before.json());
}

#[tokio::test]
async fn of_two_who_review_the_same_answer_the_second_is_told() {
    let app = server().await;
    let desk = Desk::new(&app).await;
    let other = desk.company.manager().await;
    let answer = desk.answer("q2").await;
    let (five, two) = (json!({ "value": 5 }), json!({ "value": 2 }));
    let (first, second) = tokio::join!(
        desk.manager.patch(&answer, &five),
        other.patch(&answer, &two)
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{first} {second}");
    let (done, refused) = if first.status == 200 {
        (first, second)
    } else {
        (second, first)
    };
    assert_eq!(refused.text_at("/code"), "answer_changed");
    assert_eq!(desk.manager.get(&answer).await.json(), done.json());

    let late = desk
        .manager
        .patch(&answer, &json!({ "accept": true }))
        .await;
    assert_eq!(late.status, 409, "{late}");
    let never_seen = json!({ "accept": true, "revision": 7 });
    assert_eq!(desk.manager.patch(&answer, &never_seen).await.status, 409);
    let seen = json!({ "accept": true, "revision": 1 });
    assert_eq!(desk.manager.patch(&answer, &seen).await.status, 200);
}

#[tokio::test]
async fn viewers_read_and_managers_decide_about_their_own_answers() {
    let app = server().await;
    let desk = Desk::new(&app).await;
    let answer = desk.answer("q2").await;
    let accept = json!({ "accept": true });
    let viewer = desk.company.viewer().await;
    assert_eq!(viewer.get(&answer).await.status, 200);
    assert_eq!(viewer.patch(&answer, &accept).await.status, 403);
    let stranger = app.company("Globex").await.admin().await;
    assert_eq!(stranger.get(&answer).await.status, 404);
    assert_eq!(stranger.patch(&answer, &accept).await.status, 404);
    assert_eq!(
        stranger.patch(&answer, &json!({ "value": 6 })).await.status,
        404
    );
    assert_eq!(keys(&stranger.get("/api/review").await), [""; 0]);
    let of_campaign = format!("/api/review?campaign={}", desk.campaign_id());
    assert_eq!(stranger.get(&of_campaign).await.status, 404);
    assert_eq!(desk.listed().await, ["q2", "q3"]);
    assert_eq!(desk.manager.get("/api/answers/1").await.status, 404);
}

/// What two interpreters understood is shown where somebody has to decide between them.
#[tokio::test]
async fn both_readings_of_an_utterance_are_shown() {
    let app = server().await;
    let desk = Desk::new(&app).await;
    let number = |number: u8| Intent::Answer {
        value: AnswerValue::Number(number.into()),
    };
    let call: CallAttemptId = desk.call.parse().unwrap();
    let storage = &app.app.storage;
    let mut work = storage
        .begin(Scope::Company(desk.company.id))
        .await
        .unwrap();
    let interviews = work.interviews();
    let turn = interviews.turns(call).await.unwrap().pop().unwrap();
    let campaign_id: CampaignId = desk.campaign_id().parse().unwrap();
    let attempt = work.call_attempts().get(call).await.unwrap().unwrap();
    let interviews = work.interviews();
    let answers = interviews.answers(attempt.task_id).await.unwrap();
    let answer = answers
        .into_iter()
        .find(|answer| answer.question_key == "q3");
    let turn = Turn {
        id: app.app.ids.next(),
        sequence: turn.sequence + 1,
        interpretation: Some(Interpretation {
            other: Some(OtherReading {
                intent: number(13),
                confidence: Confidence::from_hundredths(80),
                by: InterpretedBy::LanguageModel,
            }),
            ..Interpretation::new(
                number(3),
                Confidence::from_hundredths(85),
                InterpretedBy::Rules,
            )
        }),
        ..turn
    };
    let answer = Answer {
        turn_id: turn.id,
        doubt: Some(Doubt::Disagreement),
        ..answer.unwrap()
    };
    assert_eq!(answer.campaign_id, campaign_id);
    interviews.insert_turns(&[turn]).await.unwrap();
    interviews.put_answer(&answer).await.unwrap();
    work.commit().await.unwrap();

    let page = desk.manager.get("/api/review").await;
    assert_eq!(page.text_at("/items/1/doubt"), "disagreement");
    let other = json!({
        "intent": "answer", "value": 13, "candidates": [], "confidence": 0.8,
        "interpreted_by": "language_model",
    });
    assert_eq!(page.at("/items/1/other_reading"), other);
    assert_eq!(page.at("/items/0/other_reading"), Value::Null);
    let call = desk.manager.get(&format!("/api/calls/{call}")).await;
    let turns = call.at("/turns");
    let last = turns.as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["interpretation"]["value"], 3);
    assert_eq!(last["interpretation"]["other_reading"], other);
}
