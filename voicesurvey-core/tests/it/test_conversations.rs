//! Test conversations: they write nothing, and the states of them that come back are in foreign
//! hands.

use std::sync::Arc;

use serde_json::{Value, json};
use voicesurvey_core::campaign::{Campaign, CampaignStatus};
use voicesurvey_core::conversation::Heard;
use voicesurvey_core::id::{IdGenerator, TurnId};
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::ports::{Scope, Storage as _};
use voicesurvey_core::service::test_conversations::{
    TestCampaign, TestContact, TestConversation, TestStep,
};
use voicesurvey_core::service::{ServiceError, TestConversations};
use voicesurvey_core::survey::{ChoiceOption, Question, QuestionKind};
use voicesurvey_core::testing::samples::{self, SampleCampaign as _};
use voicesurvey_core::time::ManualClock;

use super::scripted::FailsToCommit;

/// Test conversations about one campaign, over a store in which nothing can be committed.
struct Rehearsal {
    held: TestConversations,
    campaign: TestCampaign,
}

impl Rehearsal {
    async fn of(campaign: Campaign) -> Self {
        let store = MemoryStorage::default();
        let company = samples::company();
        let mut campaign = campaign;
        campaign.company_id = company.id;
        let skillbase = samples::skillbase(&company);
        campaign.settings.skillbase_id = skillbase.id;
        let mut work = store.begin(Scope::Platform).await.unwrap();
        work.companies().insert(&company).await.unwrap();
        work.skillbases().insert(&skillbase).await.unwrap();
        work.campaigns().insert(&campaign).await.unwrap();
        work.commit().await.unwrap();
        let clock = Arc::new(ManualClock::new(samples::now()));
        let held = TestConversations::new(
            Arc::new(FailsToCommit::new(store)),
            Arc::new(RulesInterpreter::new()),
            clock.clone(),
            Arc::new(IdGenerator::from_seed(clock, 1)),
        );
        let campaign = held.any_campaign(campaign.id).await.unwrap();
        Self { held, campaign }
    }

    fn begin(&self) -> TestStep {
        let contact = TestContact::default();
        self.held.begin(&self.campaign, contact).unwrap()
    }

    /// Goes on from a state as it comes back from a caller.
    async fn hear(&self, state: &Value, heard: Heard) -> Result<TestStep, ServiceError> {
        let state = TestConversation::read(state);
        let state = state.map_err(|error| ServiceError::Invalid(vec![error]))?;
        self.held.hear(&self.campaign, state, heard).await
    }

    /// The state after a conversation has gone on as far as those words lead.
    async fn state_after(&self, words: &[&str]) -> Value {
        let mut step = self.begin();
        for words in words {
            if step.step.conclusion.is_some() {
                break;
            }
            let state = json!(step.state);
            step = self.hear(&state, speech(words)).await.unwrap();
        }
        json!(step.state)
    }
}

fn speech(words: &str) -> Heard {
    Heard::Speech {
        words: words.to_owned(),
        confidence: None,
    }
}

/// A campaign that asks questions of every kind.
fn campaign() -> Campaign {
    let mut campaign = samples::campaign(&samples::company());
    let questions = &mut campaign.settings.survey.questions;
    let first = questions[0].clone();
    let option = |key: &str| ChoiceOption {
        key: key.to_owned(),
        say: vec![key.to_owned()],
    };
    let kinds = [
        QuestionKind::Scale {
            min: 0,
            max: 10,
            labels: Vec::new(),
        },
        QuestionKind::Numeric {
            min: None,
            max: None,
            decimals: true,
        },
        QuestionKind::Choice {
            options: vec![option("treno"), option("autobus")],
        },
        QuestionKind::FreeText,
    ];
    questions.extend((2..).zip(kinds).map(|(number, kind)| Question {
        key: format!("q{number}"),
        kind,
        ..first.clone()
    }));
    campaign
}

fn wrong_fields(refused: Result<TestStep, ServiceError>) -> Vec<String> {
    match refused {
        Err(ServiceError::Invalid(errors)) => {
            let fields = errors.into_iter().map(|error| error.field);
            fields.collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_campaign_can_be_tried_before_and_after_it_runs() {
    for status in [
        CampaignStatus::Draft,
        CampaignStatus::Running,
        CampaignStatus::Completed,
    ] {
        let rehearsal = Rehearsal::of(campaign().in_status(status)).await;
        let words = ["sì", "sì", "sette", "due virgola cinque", "autobus", "bene"];
        let state = rehearsal.state_after(&words).await;
        assert_eq!(
            state["conversation"]["outcome"], "completed",
            "{status:?}: {state}"
        );
        assert_eq!(state["answers"]["q4"]["value"]["value"], "autobus");
    }
}

#[tokio::test]
async fn the_state_stays_small_however_much_is_said_and_hinted() {
    let mut campaign = campaign();
    let say = || (0..500).map(|word| format!("{word:0>100}")).collect();
    campaign.settings.survey.questions[0].kind = QuestionKind::Choice {
        options: vec![ChoiceOption {
            key: "long".to_owned(),
            say: say(),
        }],
    };
    let rehearsal = Rehearsal::of(campaign).await;
    let state = rehearsal.state_after(&["sì"]).await;
    assert_eq!(state["conversation"]["position"]["at"], "question");
    assert!(state.to_string().len() < 2_000, "{state}");
}

#[tokio::test]
async fn whatever_does_not_fit_the_campaign_is_named() {
    let rehearsal = Rehearsal::of(campaign()).await;
    let asked = rehearsal.state_after(&["sì", "sì"]).await;
    let refused = async |pointer: &str, value: Value| {
        let mut state = asked.clone();
        *state.pointer_mut(pointer).unwrap() = value;
        wrong_fields(rehearsal.hear(&state, speech("sette")).await)
    };
    let at = |index: u32, answered: u32| json!({"at": "question", "index": index, "tries": 0, "answered": answered});
    let confirm = json!({"at": "confirm", "index": 1, "tries": 0, "answered": 1});
    let no_number = json!({"result": "answered", "value": {"type": "yes_no", "value": true}});
    for (pointer, value, fields) in [
        ("/conversation", json!(null), vec!["state"]),
        ("/answers", json!([]), vec!["state"]),
        (
            "/conversation/position",
            at(5, 0),
            vec!["state.conversation.position.index"],
        ),
        (
            "/conversation/position",
            at(7, 9),
            vec![
                "state.conversation.position.answered",
                "state.conversation.position.index",
            ],
        ),
        (
            "/conversation/position",
            confirm,
            vec!["state.conversation.memory.pending"],
        ),
        (
            "/conversation/position",
            json!({"at": "ended"}),
            vec!["state.conversation.position"],
        ),
        (
            "/conversation/outcome",
            json!("refused"),
            vec!["state.conversation.position"],
        ),
        (
            "/conversation/language",
            json!("de"),
            vec!["state.conversation.language"],
        ),
        (
            "/conversation/step",
            json!(u32::MAX),
            vec!["state.conversation.step"],
        ),
        (
            "/conversation/turns",
            json!(u32::MAX),
            vec!["state.conversation.turns"],
        ),
        (
            "/conversation/company_id",
            asked["conversation"]["task_id"].clone(),
            vec!["state.conversation.campaign_id"],
        ),
        (
            "/answers",
            json!({"q9": {"result": "skipped"}, "q2": no_number}),
            vec!["state.answers.q2", "state.answers.q9"],
        ),
    ] {
        assert_eq!(refused(pointer, value).await, fields, "{pointer}");
    }
}

#[tokio::test]
async fn a_contact_with_which_no_state_would_come_back_is_refused() {
    let rehearsal = Rehearsal::of(campaign()).await;
    let long = "x".repeat(17_000);
    let contact = TestContact {
        name: long.clone(),
        columns: [("city".to_owned(), long)].into(),
        ..TestContact::default()
    };
    let refused = rehearsal.held.begin(&rehearsal.campaign, contact);
    assert_eq!(wrong_fields(refused), ["contact.name", "contact.columns"]);
}

/// The places of all values in a JSON value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                pointers(value, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// What somebody might put in the place of a value: much of it reads well, and little of it fits.
fn foreign_values() -> Vec<Value> {
    let pending = |kind: &str, value: Value| {
        json!({"value": {"type": kind, "value": value}, "words": "sette", "confidence": 250,
            "turn_id": samples::id::<TurnId>(), "interpreted_by": "rules"})
    };
    let position = |at: &str, index: u32, answered: u32| json!({"at": at, "index": index, "tries": 255, "answered": answered, "consented": true});
    vec![
        json!(null),
        json!(-1),
        json!(0),
        json!(255),
        json!(65_535),
        json!(u32::MAX),
        json!(u64::MAX),
        json!(true),
        json!("x"),
        json!("en"),
        json!("-262143-01-01T00:00:00Z"),
        json!("+262142-12-31T23:59:59Z"),
        json!([]),
        json!({}),
        json!({"at": "consent", "tries": 255}),
        position("question", 1, 0),
        position("question", 1, 65_535),
        position("question", 65_535, 0),
        position("confirm", 1, 65_535),
        position("confirm", 4, 0),
        position("appointment", 0, 65_535),
        pending("number", json!("79228162514264337593543950335")),
        pending("text", json!("x".repeat(9_000))),
        json!({"q2": {"result": "answered", "value": {"type": "number", "value": "4"}}}),
    ]
}

/// Goes on from the state, and says whether it was refused.
async fn is_refused(rehearsal: &Rehearsal, state: &Value, heard: Heard) -> bool {
    match rehearsal.hear(state, heard).await {
        Ok(step) => {
            assert!(!step.step.conversation.last_reply.say.is_empty(), "{state}");
            false
        }
        Err(ServiceError::Invalid(errors)) => {
            for error in errors {
                assert!(error.field.starts_with("state"), "{error:?}: {state}");
            }
            true
        }
        Err(error) => panic!("{error}: {state}"),
    }
}

/// Every value of every state is replaced by everything that does not belong there.
#[tokio::test]
async fn a_state_that_was_tampered_with_is_refused_or_goes_on() {
    let rehearsal = Rehearsal::of(campaign()).await;
    let (mut refused, mut tried) = (0, 0);
    for (at, said) in [
        ("consent", &[][..]),
        ("question", &["sì", "sì"]),
        ("confirm", &["sì", "sì", "quatro"]),
        ("appointment", &["sì", "mi richiami più tardi"]),
    ] {
        let state = rehearsal.state_after(said).await;
        assert_eq!(state["conversation"]["position"]["at"], at);
        let mut places = Vec::new();
        pointers(&state, "", &mut places);
        for place in &places {
            for value in foreign_values() {
                let mut state = state.clone();
                *state.pointer_mut(place).unwrap() = value;
                for heard in [speech("sette"), speech("mah"), Heard::Silence] {
                    refused += u32::from(is_refused(&rehearsal, &state, heard).await);
                    tried += 1;
                }
            }
        }
        assert!(!is_refused(&rehearsal, &state, speech("sette")).await);
    }
    assert!(refused > tried / 2 && refused < tried, "{refused}/{tried}");
}
