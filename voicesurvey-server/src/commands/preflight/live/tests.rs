//! Trial calls through a Twilio that answers as it is told.

use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use super::*;
use crate::commands::preflight::gate::GateResult;
use crate::config::Flags;

const SID: &str = "CA0123456789abcdef0123456789abcdef";

/// What Twilio answers to an order, and what it says of the call.
struct Script {
    order: (StatusCode, String),
    status: &'static str,
    /// What went wrong in the call, as Twilio's notifications tell it.
    wrong: Mutex<Vec<&'static str>>,
    orders: Mutex<Vec<String>>,
}

impl Script {
    fn new(order: (u16, String), status: &'static str) -> Arc<Self> {
        Arc::new(Self {
            order: (StatusCode::from_u16(order.0).unwrap(), order.1),
            status,
            wrong: Mutex::default(),
            orders: Mutex::default(),
        })
    }

    /// One that takes the call, which ends so.
    fn ending(status: &'static str) -> Arc<Self> {
        Self::new((201, format!("{{\"sid\":\"{SID}\"}}")), status)
    }

    fn orders(&self) -> Vec<String> {
        self.orders.lock().unwrap().clone()
    }
}

async fn order(State(script): State<Arc<Script>>, body: String) -> (StatusCode, String) {
    script.orders.lock().unwrap().push(body);
    script.order.clone()
}

async fn tell(State(script): State<Arc<Script>>) -> String {
    let duration = if script.status == "completed" {
        "7"
    } else {
        "0"
    };
    serde_json::json!({ "sid": SID, "status": script.status, "duration": duration }).to_string()
}

async fn notify(State(script): State<Arc<Script>>) -> String {
    let wrong = script.wrong.lock().unwrap().clone();
    let told = wrong.into_iter().map(
        |code| serde_json::json!({ "error_code": code, "log": "0", "message_text": "no document" }),
    );
    serde_json::json!({ "notifications": told.collect::<Vec<_>>() }).to_string()
}

/// The gate of a wish, with that typed on the terminal.
async fn called(script: &Arc<Script>, wish: &Wish, typed: &str) -> Gate {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/2010-04-01/Accounts/{account}/Calls.json", post(order))
        .route("/2010-04-01/Accounts/{account}/Calls/{call}", get(tell))
        .route(
            "/2010-04-01/Accounts/{account}/Calls/{call}/Notifications.json",
            get(notify),
        )
        .with_state(script.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("voicesurvey.toml");
    let text = format!(
        "public_url = \"https://survey.example.org\"\n\
         [telephony]\nprovider = \"twilio\"\n\
         [telephony.twilio]\n\
         account_sid = \"AC0123456789abcdef0123456789abcdef\"\n\
         auth_token = \"top-secret\"\n\
         caller_id = \"+390612345678\"\n\
         base_url = \"{url}\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let flags = Flags {
        config_file: Some(file),
        ..Flags::default()
    };
    let config = Config::load(&flags).unwrap().config;
    call(&config, wish, &mut typed.as_bytes()).await.unwrap()
}

fn wish() -> Wish {
    Wish {
        number: "+393471234567".parse().unwrap(),
        language: Language::It,
        is_confirmed: false,
        is_excluded: false,
        may_call: true,
    }
}

#[tokio::test]
async fn nobody_is_called_before_somebody_has_typed_the_number_again() {
    let script = Script::ending("completed");
    for typed in ["", "\n", "yes\n", "+393471234568\n"] {
        let gate = called(&script, &wish(), typed).await;
        assert!(gate.has_failed(), "{typed:?}: {gate}");
    }
    assert!(script.orders().is_empty());
    let gate = called(&script, &wish(), "+393471234567\n").await;
    assert!(matches!(gate.result, GateResult::Pass { .. }), "{gate}");
    let orders = script.orders();
    assert_eq!(orders.len(), 1);
    assert!(orders[0].contains("To=%2B393471234567"), "{orders:?}");
}

#[tokio::test]
async fn nobody_is_called_who_is_excluded_or_while_something_is_wrong() {
    let script = Script::ending("completed");
    let excluded = Wish {
        is_confirmed: true,
        is_excluded: true,
        ..wish()
    };
    assert!(called(&script, &excluded, "").await.has_failed());
    let too_early = Wish {
        is_confirmed: true,
        may_call: false,
        ..wish()
    };
    let gate = called(&script, &too_early, "").await;
    assert!(matches!(gate.result, GateResult::Skip { .. }), "{gate}");
    assert!(script.orders().is_empty());
}

#[tokio::test]
async fn a_call_in_which_the_sentence_was_not_heard_is_no_success() {
    let confirmed = Wish {
        is_confirmed: true,
        ..wish()
    };
    let script = Script::ending("completed");
    script.wrong.lock().unwrap().push("11200");
    let gate = called(&script, &confirmed, "").await;
    assert!(
        gate.has_failed() && gate.to_string().contains("11200"),
        "{gate}"
    );
}

#[tokio::test]
async fn it_tells_how_the_call_ended_or_why_there_was_none() {
    let confirmed = Wish {
        is_confirmed: true,
        ..wish()
    };
    for status in ["busy", "no-answer", "failed"] {
        let gate = called(&Script::ending(status), &confirmed, "").await;
        let told = gate.to_string();
        assert!(gate.has_failed() && told.contains(status), "{told}");
        assert!(told.contains(SID) && !told.contains("top-secret"), "{told}");
    }
    let error = |status: u16, code: u32| {
        let body = format!("{{\"code\":{code},\"message\":\"no\",\"status\":{status}}}");
        Script::new((status, body), "")
    };
    for (script, told) in [
        (error(400, 21_219), "(21219)"),
        (error(400, 21_211), "(21211"),
        (error(429, 20_429), "takes no calls now"),
        (error(503, 20_503), "it is not known whether"),
    ] {
        let gate = called(&script, &confirmed, "").await;
        assert!(
            gate.has_failed() && gate.to_string().contains(told),
            "{gate}"
        );
        assert_eq!(script.orders().len(), 1, "nothing is ordered twice");
    }
}
