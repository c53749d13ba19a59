//! A real server on PostgreSQL that calls through Twilio: what it orders, what it believes, and what
//! it says.

use reqwest::Method;
use serde_json::Value;

use crate::servers::{Installation, ServerProcess, open_day_and_night};
use crate::support::Answer;
use crate::support::twilio::{CALL, CALLER_ID, FakeTwilio, Form, PUBLIC_URL, Teller, sign, value};

const XML: Option<&str> = Some("text/xml; charset=utf-8");

/// A server that is calling somebody.
struct Calling {
    order: Form,
    teller: Teller,
    server: ServerProcess,
    key: String,
    _installation: Installation,
    _twilio: FakeTwilio,
}

impl Calling {
    async fn somebody() -> Self {
        let twilio = FakeTwilio::start().await;
        let installation = Installation::create().await;
        let server = installation.serve(&twilio.settings()).await;
        let key = installation.company_key().await;
        let campaign = server.create_campaign(&key, &open_day_and_night()).await;
        server
            .upload(&key, &campaign, "phone\n+393331234501\n")
            .await;
        server.post(&key, &format!("{campaign}/start")).await;
        let order = twilio.first_order().await;
        let calling = Self {
            order,
            teller: Teller::new(server.url()),
            server,
            key,
            _installation: installation,
            _twilio: twilio,
        };
        // Twilio has taken the order; that is stored a moment later.
        while calling.call().await["accepted_at"].is_null() {
            tokio::task::yield_now().await;
        }
        calling
    }

    /// The URL of that name that Twilio was given.
    fn url(&self, name: &str) -> &str {
        value(&self.order, name)
    }

    /// Everything that is known of the call.
    async fn call(&self) -> Value {
        let calls = self.server.get(&self.key, "/api/calls").await;
        let id = calls["items"][0]["id"].as_str().unwrap().to_owned();
        self.server
            .get(&self.key, &format!("/api/calls/{id}"))
            .await
    }
}

/// Where Twilio is told to tell what it has heard.
fn action(document: &Answer) -> String {
    assert_eq!(
        (document.status, document.header("content-type")),
        (200, XML),
        "{document}"
    );
    let (_, rest) = document
        .text()
        .rsplit_once("action=\"")
        .expect("it listens");
    rest.split('"').next().unwrap().replace("&amp;", "&")
}

#[tokio::test]
async fn an_interview_is_held_by_signed_webhooks_and_each_step_is_answered_the_same_again() {
    let calling = Calling::somebody().await;
    assert_eq!(calling.url("To"), "+393331234501");
    assert_eq!(calling.url("From"), CALLER_ID);
    let status = calling.url("StatusCallback");
    let ringing = [("CallStatus", "ringing"), ("SequenceNumber", "1")];
    assert_eq!(calling.teller.tells(status, &ringing).await.status, 204);

    let answer = calling.url("Url");
    let picked_up = [("CallStatus", "in-progress")];
    let first = calling.teller.tells(answer, &picked_up).await;
    assert!(
        first.text().contains("Possiamo farle una domanda?"),
        "{first}"
    );
    let asked_again = calling.teller.tells(answer, &picked_up).await;
    assert_eq!(asked_again.text(), first.text());

    let consent = action(&first);
    let yes = [("SpeechResult", "Sì, certo"), ("Confidence", "0.93")];
    let question = calling.teller.tells(&consent, &yes).await;
    assert!(question.text().contains("Come sta oggi?"), "{question}");
    let asked_again = calling.teller.tells(&consent, &yes).await;
    assert_eq!(asked_again.text(), question.text());

    let well = [
        ("SpeechResult", "Molto bene & \"contento\" 😀"),
        ("Confidence", "0.9"),
    ];
    let goodbye = calling.teller.tells(&action(&question), &well).await;
    assert!(goodbye.text().contains("<Hangup/>"), "{goodbye}");
    let completed = [
        ("CallStatus", "completed"),
        ("CallDuration", "31"),
        ("SequenceNumber", "3"),
    ];
    assert_eq!(calling.teller.tells(status, &completed).await.status, 204);
    let call = calling.call().await;
    assert_eq!(call["outcome"], "completed", "{call:#}");
    assert_eq!(call["provider_call_id"], CALL);
    assert!(call.to_string().contains("contento"), "{call:#}");
}

#[tokio::test]
async fn what_is_not_signed_by_twilio_changes_nothing() {
    let calling = Calling::somebody().await;
    let teller = &calling.teller;
    let [answer, status] = ["Url", "StatusCallback"].map(|name| calling.url(name));
    let status = status.split('#').next().unwrap();
    let ended = [("CallStatus", "completed"), ("CallSid", CALL)];
    let before = calling.call().await;
    let right = sign(status, &ended);
    let changed = format!("{status}&more=1");
    let other_form = [("CallStatus", "busy"), ("CallSid", CALL)];
    for (url, form, signature) in [
        (status, &ended[..], None),
        (status, &ended, Some("")),
        (status, &ended, Some("no base64 at all")),
        (status, &ended, Some(&*sign(answer, &ended))),
        (status, &other_form, Some(&right)),
        (&changed, &ended, Some(&right)),
        (status, &[], None),
        (answer, &ended, Some(&right)),
    ] {
        for method in [Method::POST, Method::GET] {
            let refused = teller.sends(method, url, form, signature).await;
            assert_eq!(
                refused.status, 403,
                "{url} {form:?} {signature:?}: {refused}"
            );
            assert!(!refused.text().contains("Response"), "{refused}");
        }
    }
    assert_eq!(calling.call().await, before);
    let believed = teller
        .sends(Method::POST, status, &ended, Some(&right))
        .await;
    assert_eq!(believed.status, 204, "the same with its signature");
    assert_ne!(calling.call().await, before);
}

#[tokio::test]
async fn webhooks_come_by_get_too_and_the_goodbye_is_for_everybody() {
    let calling = Calling::somebody().await;
    let teller = &calling.teller;
    let (status, goodbye) = (calling.url("StatusCallback"), calling.url("FallbackUrl"));
    let ringing = [
        ("CallStatus", "ringing"),
        ("CallSid", CALL),
        ("SequenceNumber", "1"),
    ];
    assert_eq!(teller.tells_by_get(status, &ringing).await.status, 204);
    assert_eq!(calling.call().await["state"], "ringing");

    let failure = [
        ("ErrorCode", "11200"),
        ("ErrorUrl", "https://survey.example.org/"),
    ];
    for said in [
        teller.tells(goodbye, &failure).await,
        teller.sends(Method::POST, goodbye, &failure, None).await,
        teller.sends(Method::POST, goodbye, &[], None).await,
        teller.sends(Method::GET, goodbye, &[], None).await,
    ] {
        assert_eq!(
            (said.status, said.header("content-type")),
            (200, XML),
            "{said}"
        );
        assert!(
            said.text().contains("Arrivederci.") && said.text().contains("<Hangup/>"),
            "{said}"
        );
    }
    calling.server.says("Twilio could not ask").await;
    let log = calling.server.log();
    assert_eq!(
        log.matches("Twilio could not ask").count(),
        1,
        "only what is signed: {log}"
    );

    let nothing = format!("{PUBLIC_URL}/webhooks/twilio/status");
    let nothing = teller.sends(Method::POST, &nothing, &[], None).await;
    assert_eq!((nothing.status, nothing.body.len()), (204, 0));
    let unknown = format!("{PUBLIC_URL}/webhooks/twilio/elsewhere?a=b");
    assert_eq!(teller.tells(&unknown, &[("a", "b")]).await.status, 400);
}
