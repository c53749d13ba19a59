//! `POST /api/campaigns/{id}/test-conversation`: the interview as it is, and nothing left of it.

mod refusals;

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::{Value, json};
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{ExclusionFilter, PageRequest, Scope};

use crate::support::{Answer, Caller, TestApp, TestCompany, shown};

const TWO_PEOPLE: &str = "phone_number,name\n+393471234567,Maria\n+393471234568,Luca\n";

/// A conversation from the side of whoever tries the campaign.
struct Talk<'a> {
    caller: &'a Caller,
    path: String,
    last: Answer,
    /// What was said by both, and what was understood.
    transcript: String,
}

impl<'a> Talk<'a> {
    async fn begin(caller: &'a Caller, campaign: &str, contact: Value) -> Self {
        let path = format!("{campaign}/test-conversation");
        let last = caller.post(&path, &json!({ "contact": contact })).await;
        let transcript = String::new();
        Self {
            caller,
            path,
            last,
            transcript,
        }
        .noted()
    }

    /// Says words, presses `#` and keys, or stays silent.
    async fn hears(mut self, heard: &str) -> Self {
        let heard = match heard.strip_prefix('#') {
            Some(keys) => json!({ "keys": keys }),
            None if heard.is_empty() => json!({ "silence": true }),
            None => json!({ "speech": heard }),
        };
        let body = json!({ "state": self.last.at("/state"), "heard": heard });
        self.last = self.caller.post(&self.path, &body).await;
        self.noted()
    }

    fn noted(mut self) -> Self {
        assert_eq!(self.last.status, 200, "{}", self.last);
        let step = self.last.json();
        for turn in step["turns"].as_array().unwrap() {
            let speaker = if turn["speaker"] == "agent" { ">" } else { "<" };
            let words = turn["words"].as_str().unwrap();
            let line = format!("{speaker} {words}");
            writeln!(self.transcript, "{}", line.trim_end()).unwrap();
        }
        for answer in step["answers"].as_array().unwrap() {
            let (question, value) = (&answer["question_key"], &answer["value"]);
            writeln!(self.transcript, "  {question} = {value}").unwrap();
        }
        for (name, value) in [
            ("consent", &step["consent"]["given"]),
            ("appointment", &step["appointment"]),
            ("outcome", &step["outcome"]),
        ] {
            if !value.is_null() {
                writeln!(self.transcript, "  {name} {value}").unwrap();
            }
        }
        self
    }
}

/// A campaign that is held in Italian, and offered in English and Russian.
async fn campaign_in_three_languages(manager: &Caller) -> String {
    let words = |intro: &str, consent: &str, questions: [&str; 3], end: &str| {
        json!({
            "intro_script": intro, "consent_question": consent, "completion_message": end,
            "questions": { "mark": questions[0], "way": questions[1], "why": questions[2] },
        })
    };
    let body = json!({
        "name": "Trasporti", "language": "it",
        "intro_script": "Chiamiamo per un sondaggio sui trasporti a {{city}}.",
        "consent_question": "{{name}}, vuole rispondere?",
        "questions": [
            { "key": "mark", "text": "Da 1 a 5, che voto dà ai trasporti?", "type": "scale" },
            { "key": "way", "text": "Come va al lavoro?", "type": "choice", "options": [
                { "key": "bus", "say": ["autobus", "bus", "автобус"] },
                { "key": "car", "say": ["macchina", "car", "машина"] },
            ] },
            { "key": "why", "text": "Perché?", "type": "free_text" },
        ],
        "completion_message": "Grazie, {{name}}.",
        "translations": {
            "en": words(
                "We are asking about transport in {{city}}.", "{{name}}, may we ask?",
                ["From 1 to 5, how good is transport?", "How do you go to work?", "Why?"],
                "Thank you, {{name}}.",
            ),
            "ru": words(
                "Мы проводим опрос о транспорте.", "{{name}}, ответите на вопросы?",
                ["Оцените транспорт от 1 до 5.", "Как вы ездите на работу?", "Почему?"],
                "Спасибо, {{name}}.",
            ),
        },
        "allowed_call_start_local": "09:00", "allowed_call_end_local": "20:00",
    });
    let answer = manager.post("/api/campaigns", &body).await;
    assert_eq!(answer.status, 201, "{answer}");
    answer.header("location").unwrap().to_owned()
}

/// Everything that a conversation could have left behind.
async fn everything(app: &TestApp, company: &TestCompany<'_>, campaign: &str) -> Vec<Value> {
    let manager = company.manager().await;
    let id = campaign.rsplit('/').next().unwrap();
    let mut found = Vec::new();
    for path in [
        campaign.to_owned(),
        format!("{campaign}/stats"),
        format!("{campaign}/results"),
        format!("{campaign}/contacts"),
        format!("/api/calls?campaign={id}"),
        format!("/api/attempts?campaign={id}"),
    ] {
        let answer = manager.get(&path).await;
        assert_eq!(answer.status, 200, "{answer}");
        found.push(answer.json());
    }
    let scope = Scope::Company(company.id);
    let mut work = app.app.storage.begin(scope).await.unwrap();
    let counters = work.campaigns().counters(id.parse().unwrap()).await;
    found.push(format!("{:?}", counters.unwrap()).into());
    let (all, page) = (ExclusionFilter::default(), PageRequest::first(10));
    let excluded = work.exclusions().list(&all, &page).await;
    let nobodys = work.exclusions().get(&PhoneNumber::NOBODYS).await;
    assert_eq!(
        (excluded.unwrap().rows, nobodys.unwrap()),
        (Vec::new(), None)
    );
    found
}

/// Holds an interview with somebody who speaks that language, to its end.
async fn interview(language: &str, heard: &[&str]) -> String {
    let app = TestApp::start().await;
    let manager = app.company("Rossi S.p.A.").await.manager().await;
    let campaign = campaign_in_three_languages(&manager).await;
    let contact = json!({ "name": "Ada", "language": language, "columns": {"city": "Bari"} });
    let mut talk = Talk::begin(&manager, &campaign, contact).await;
    for heard in heard {
        talk = talk.hears(heard).await;
    }
    assert_eq!(talk.last.text_at("/outcome"), "completed");
    assert_eq!(talk.last.at("/reply/listen"), Value::Null);
    talk.transcript
}

#[tokio::test]
async fn an_interview_can_be_held_in_the_language_of_the_campaign() {
    let italian = interview(
        "it",
        &["sì, volentieri", "direi quattro", "", "#1", "costa poco"],
    )
    .await;
    assert_snapshot!(italian, @r#"
> Buongiorno, chiamiamo per conto di Rossi S.p.A. Le parla una voce automatica, un'intelligenza artificiale. Se non vuole più ricevere chiamate, dica: non chiamatemi più, o prema nove. Chiamiamo per un sondaggio sui trasporti a Bari. Ci vorrà circa un minuto. Ada, vuole rispondere?
< sì, volentieri
> Da 1 a 5, che voto dà ai trasporti?
  consent true
< direi quattro
> Come va al lavoro?
  "mark" = 4
<
> Non ho sentito nulla. Come va al lavoro? Può dire: autobus, o prema uno; macchina, o prema due.
< 1
> Perché?
  "way" = "bus"
< costa poco
> Grazie, Ada.
  "why" = "costa poco"
  outcome "completed"
"#);
}

#[tokio::test]
async fn an_interview_can_be_held_in_english() {
    let english = interview(
        "en",
        &["who is calling?", "yes", "seven", "#4", "by car", "why not"],
    )
    .await;
    assert_snapshot!(english, @r#"
> Hello, we are calling on behalf of Rossi S.p.A. You are talking to an automated voice, an artificial intelligence. If you do not want to be called again, say: stop calling me, or press nine. We are asking about transport in Bari. This will take about one minute. Ada, may we ask?
< who is calling?
> We are calling on behalf of Rossi S.p.A. This is a short telephone survey. We are asking about transport in Bari. This will take about one minute. Ada, may we ask?
< yes
> From 1 to 5, how good is transport?
  consent true
< seven
> I need a number from 1 to 5. From 1 to 5, how good is transport? Please say a number from 1 to 5, or type it on the keypad. For example: 3.
< 4
> How do you go to work?
  "mark" = 4
< by car
> Why?
  "way" = "car"
< why not
> Thank you, Ada.
  "why" = "why not"
  outcome "completed"
"#);
}

#[tokio::test]
async fn an_interview_can_be_held_in_russian() {
    let russian = interview("ru", &["да", "пять", "автобус", "не знаю"]).await;
    assert_snapshot!(russian, @r#"
> Здравствуйте, мы звоним по поручению компании Rossi S.p.A. С вами говорит автоматический голос, искусственный интеллект. Если вы не хотите, чтобы вам звонили, скажите: больше не звоните, или нажмите девять. Мы проводим опрос о транспорте. Это займёт около минуты. Ada, ответите на вопросы?
< да
> Оцените транспорт от 1 до 5.
  consent true
< пять
> Как вы ездите на работу?
  "mark" = 5
< автобус
> Почему?
  "way" = "bus"
< не знаю
> Спасибо, Ada.
  "why" = null
  outcome "completed"
"#);
}

/// Its scale has names, and its last question is asked of who is not satisfied.
#[tokio::test]
async fn the_campaign_of_the_document_is_held_as_the_document_says() {
    let document = include_str!("../../../docs/interview.md");
    let (_, body) = document.split_once("```json\n").unwrap();
    let (body, _) = body.split_once("```").unwrap();
    let app = TestApp::start().await;
    let manager = app.company("Rossi S.p.A.").await.manager().await;
    let created = manager.post_json_text("/api/campaigns", body).await;
    assert_eq!(created.status, 201, "{created}");
    let campaign = created.header("location").unwrap();
    for (mark, questions) in [("per niente", 3), ("moltissimo", 2)] {
        let mut talk = Talk::begin(&manager, campaign, json!({})).await;
        for heard in ["sì", mark, "in macchina", "è lento"] {
            if talk.last.at("/outcome").is_null() {
                talk = talk.hears(heard).await;
            }
        }
        assert_eq!(talk.last.text_at("/outcome"), "completed");
        let answers = talk.last.at("/state/answers");
        let answers = answers.as_object().unwrap();
        assert_eq!(answers.len(), questions, "{}", talk.transcript);
    }
}

#[tokio::test]
async fn the_first_step_says_everything_about_listening() {
    let app = TestApp::start().await;
    let manager = app.company("Rossi S.p.A.").await.manager().await;
    let campaign = manager.create_campaign().await;
    let path = format!("{campaign}/test-conversation");
    let mut first = manager.post_nothing(&path).await.json();
    let state = first.as_object_mut().unwrap().remove("state").unwrap();
    assert_eq!(state["conversation"]["position"]["at"], "consent");
    first["turns"] = json!(first["turns"].as_array().unwrap().len());
    assert_snapshot!(shown(&first), @r#"
{
  "answers": [],
  "appointment": null,
  "consent": null,
  "outcome": null,
  "reply": {
    "firm": 3,
    "language": "it",
    "listen": {
      "end_of_speech_milliseconds": 700,
      "hints": ["sì","no"],
      "longest_speech_seconds": 15,
      "most_keys": 1,
      "seconds_between_keys": 2,
      "silence_seconds": 5
    },
    "say": [
      "Buongiorno, chiamiamo per conto di Rossi S.p.A.",
      "Le parla una voce automatica, un'intelligenza artificiale.",
      "Se non vuole più ricevere chiamate, dica: non chiamatemi più, o prema nove.",
      "Ci vorrà circa un minuto.",
      "Ciao, sono l’assistente. Vuoi dare il consenso a partecipare a un breve sondaggio?"
    ],
    "voice": null
  },
  "turns": 1
}
"#);
}

#[tokio::test]
async fn nothing_is_left_of_an_opt_out_or_of_an_interview() {
    let app = TestApp::start().await;
    let company = app.company("Rossi S.p.A.").await;
    let manager = company.manager().await;
    let campaign = campaign_in_three_languages(&manager).await;
    let list = format!("{campaign}/contacts/upload");
    let uploaded = manager.upload(&list, "list.csv", TWO_PEOPLE).await;
    assert_eq!(uploaded.status, 201, "{uploaded}");
    assert_eq!(manager.set_status(&campaign, "running").await.status, 200);
    let before = everything(&app, &company, &campaign).await;
    for (language, yes, opt_out) in [
        ("it", "sì", "non chiamatemi più"),
        ("en", "yes", "stop calling me"),
        ("ru", "да", "больше мне не звоните"),
    ] {
        let contact = json!({ "language": language });
        for heard in [&[opt_out][..], &["#9"], &[yes, "#3", opt_out]] {
            let mut talk = Talk::begin(&manager, &campaign, contact.clone()).await;
            for heard in heard {
                talk = talk.hears(heard).await;
            }
            assert_eq!(
                talk.last.text_at("/outcome"),
                "opted_out",
                "{}",
                talk.transcript
            );
        }
    }
    let mut talk = Talk::begin(&manager, &campaign, json!({})).await;
    for heard in ["sì", "#3", "autobus", "è comodo"] {
        talk = talk.hears(heard).await;
    }
    assert_eq!(talk.last.text_at("/outcome"), "completed");
    assert_eq!(everything(&app, &company, &campaign).await, before);
    // It is the campaign that is being called for: both are interviewed.
    app.run_to_the_end().await;
    let stats = manager.get(&format!("{campaign}/stats")).await;
    assert!(stats.text().contains("completed"), "{stats}");
    assert_ne!(everything(&app, &company, &campaign).await, before);
}

#[tokio::test]
async fn who_asks_to_be_called_later_is_told_when() {
    let app = TestApp::start().await;
    let manager = app.company("Rossi S.p.A.").await.manager().await;
    let campaign = campaign_in_three_languages(&manager).await;
    let talk = Talk::begin(&manager, &campaign, json!({})).await;
    let talk = talk.hears("mi richiami più tardi").await;
    let talk = talk.hears("domani alle dieci e mezza").await;
    assert_snapshot!(talk.transcript, @r#"
> Buongiorno, chiamiamo per conto di Rossi S.p.A. Le parla una voce automatica, un'intelligenza artificiale. Se non vuole più ricevere chiamate, dica: non chiamatemi più, o prema nove. Chiamiamo per un sondaggio sui trasporti a . Ci vorrà circa un minuto. , vuole rispondere?
< mi richiami più tardi
> Quando possiamo richiamarla? Per esempio: domani alle dieci.
< domani alle dieci e mezza
> Va bene, la richiamiamo domani alle 10:30. Arrivederci.
  appointment "2026-11-21T09:30:00Z"
  outcome "call_back_requested"
"#);
}

#[tokio::test]
async fn a_campaign_can_be_tried_before_while_and_after_it_calls() {
    let app = TestApp::start().await;
    let manager = app.company("Rossi S.p.A.").await.manager().await;
    let campaign = manager.create_campaign_with(TWO_PEOPLE).await;
    for (status, next) in [
        ("draft", "running"),
        ("running", "cancelled"),
        ("cancelled", ""),
    ] {
        assert_eq!(manager.get(&campaign).await.text_at("/status"), status);
        let talk = Talk::begin(&manager, &campaign, json!({})).await;
        let talk = talk.hears("no, grazie").await;
        assert_eq!(talk.last.text_at("/outcome"), "refused", "{status}");
        if !next.is_empty() {
            assert_eq!(manager.set_status(&campaign, next).await.status, 200);
        }
    }
}
