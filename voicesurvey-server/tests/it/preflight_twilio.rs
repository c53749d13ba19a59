//! `voicesurvey preflight` of an installation that calls through Twilio.

use std::process::Output;

use serde_json::{Value, json};

use crate::servers::{Installation, ServerProcess, open_day_and_night};
use crate::support::twilio::{CALLER_ID, FakeTwilio, Proxy};

/// An installation with a server, at a public URL that only this machine knows.
struct Ready {
    twilio: FakeTwilio,
    proxy: Proxy,
    installation: Installation,
    server: ServerProcess,
}

impl Ready {
    async fn start() -> Self {
        let twilio = FakeTwilio::start().await;
        let proxy = Proxy::start().await;
        let installation = Installation::create().await;
        let mut settings = twilio.settings();
        settings.push(("VOICESURVEY_PUBLIC_URL", &proxy.url));
        let server = installation.serve(&settings).await;
        proxy.leads_to(server.url());
        Self {
            twilio,
            proxy,
            installation,
            server,
        }
    }

    async fn preflight(&self, more: &[(&str, &str)], arguments: &[&str]) -> Output {
        let mut settings = self.twilio.settings();
        settings.push(("VOICESURVEY_PUBLIC_URL", &self.proxy.url));
        settings.extend(more);
        self.installation.preflight(&settings, arguments).await
    }

    /// The gates that did not pass, with how: `FAIL callback the public URL …`.
    async fn not_passed(&self, more: &[(&str, &str)]) -> Vec<String> {
        let output = self.preflight(more, &["--json"]).await;
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let gates = report["gates"].as_array().unwrap().iter();
        let named = gates.filter(|gate| gate["result"] != "pass");
        let word = |gate: &Value, key: &str| gate[key].as_str().unwrap().to_owned();
        named
            .map(|gate| format!("{} {}", word(gate, "result"), word(gate, "text")))
            .collect()
    }
}

const NO_TOKEN: &str = "fail webhooks are signed with the token that is configured";
const NOT_PUBLIC: &str = "fail the public URL is HTTPS and public";

#[tokio::test]
async fn a_server_that_twilio_could_call_passes_everything_but_its_address() {
    let ready = Ready::start().await;
    let key = ready.installation.company_key().await;
    ready
        .server
        .create_campaign(&key, &open_day_and_night())
        .await;
    assert_eq!(ready.not_passed(&[]).await, [NOT_PUBLIC]);
    let output = ready.preflight(&[], &[]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let screen = String::from_utf8(output.stdout).unwrap();
    for line in [
        "PASS leader a lock keeps a second server from leading: tried with two processes\n",
        "PASS voice campaigns can be held from greeting to goodbye: 1 campaign\n",
        "PASS provider the account at Twilio may call\n",
        "PASS provider the caller id is a number of the account\n",
        "PASS recovery Twilio can be asked for calls that got lost\n",
        "PASS callback the server answers at the public URL\n",
        "PASS callback signed webhooks are believed, and no others",
        "What to do: set public_url",
    ] {
        assert!(screen.contains(line), "{line}: {screen}");
    }
    assert!(ready.twilio.orders().is_empty());
}

#[tokio::test]
async fn what_keeps_twilio_from_calling_is_told() {
    let ready = Ready::start().await;
    let voice = "skip campaigns can be held from greeting to goodbye";
    let failed = async |gate: &str| {
        let mut told = ready.not_passed(&[]).await;
        // Whom Twilio does not know it does not know by the token either.
        told.retain(|told| told != NO_TOKEN);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told.iter().any(|told| told == gate), "{gate}: {told:?}");
        assert!(
            told.iter().any(|told| told == voice) && told.iter().any(|told| told == NOT_PUBLIC)
        );
    };
    ready
        .twilio
        .account_is(json!({ "status": "suspended", "type": "Full" }));
    failed("fail the account at Twilio may call").await;
    ready.twilio.account_is(Value::Null);
    failed("fail the account at Twilio may call").await;
    ready
        .twilio
        .account_is(json!({ "status": "active", "type": "Trial" }));
    failed("warn the account at Twilio may call").await;
    ready
        .twilio
        .account_is(json!({ "status": "active", "type": "Full" }));

    let number =
        |voice: bool| json!({ "phone_number": CALLER_ID, "capabilities": { "voice": voice } });
    for numbers in [vec![], vec![number(false)]] {
        ready.twilio.numbers_are(numbers);
        failed("fail the caller id is a number of the account").await;
    }
    ready.twilio.numbers_are(vec![number(true)]);

    ready.proxy.loses(Some("x-twilio-signature"));
    failed("fail signed webhooks are believed, and no others").await;
    ready.proxy.loses(None);
    let other_token = ("VOICESURVEY_TELEPHONY_TWILIO_AUTH_TOKEN", "another-token");
    let told = ready.not_passed(&[other_token]).await;
    for gate in ["fail signed", NO_TOKEN] {
        assert!(told.iter().any(|told| told.starts_with(gate)), "{told:?}");
    }
    let no_pace = ("VOICESURVEY_TELEPHONY_CALLS_PER_SECOND", "0");
    let told = ready.not_passed(&[no_pace]).await;
    assert!(
        told.iter()
            .any(|told| told.starts_with("warn no more calls")),
        "{told:?}"
    );

    ready.proxy.leads_to("http://127.0.0.1:1");
    let told = ready.not_passed(&[]).await;
    for gate in [
        "fail the server answers at the public URL",
        "fail signed webhooks",
    ] {
        assert!(
            told.iter().any(|told| told.starts_with(gate)),
            "{gate}: {told:?}"
        );
    }
}

#[tokio::test]
async fn nobody_is_called_while_a_gate_fails_or_where_nobody_can_be_called() {
    let ready = Ready::start().await;
    let live = ["--live", "+393471234567", "--yes", "--json"];
    let output = ready.preflight(&[], &live).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let last = report["gates"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["about"], &last["result"]),
        (&json!("live"), &json!("skip"))
    );
    let simulated = ("VOICESURVEY_TELEPHONY_PROVIDER", "simulated");
    let output = ready.preflight(&[simulated], &live[..3]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let screen = String::from_utf8(output.stdout).unwrap();
    assert!(
        screen.contains("SKIP live a call is answered: the provider calls nobody"),
        "{screen}"
    );
    assert!(
        screen.contains("SKIP provider the account at Twilio may call: the provider is simulated")
    );
    let wrong = ready.preflight(&[], &["--live", "12"]).await;
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    assert!(ready.twilio.orders().is_empty());
}
