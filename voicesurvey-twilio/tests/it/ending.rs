//! Ending calls: hanging up on people, and cancelling before anybody answered.

use serde_json::json;
use voicesurvey_core::ports::{Cancellation, TelephonyProvider as _};

use crate::server::{ACCOUNT, Reply, SID, Server, call, error, json_of, record};

#[tokio::test]
async fn hanging_up_and_cancelling_say_it_in_one_request() {
    let server = Server::start(|_| json_of(200, &record(&json!({"status": "completed"})))).await;
    let provider = server.provider();
    provider.hang_up(&call(Some(SID))).await.unwrap();
    let cancelled = provider.cancel(&call(Some(SID))).await.unwrap();
    assert_eq!(cancelled, Cancellation::Over);
    let requests = server.requests();
    let line = format!("POST /2010-04-01/Accounts/{ACCOUNT}/Calls/{SID}.json");
    assert!(
        requests.iter().all(|request| request.line == line),
        "{requests:?}"
    );
    let said: Vec<_> = requests
        .iter()
        .map(|request| request.all("Status"))
        .collect();
    assert_eq!(said, [["completed"], ["canceled"]]);
}

#[tokio::test]
async fn a_call_that_somebody_has_answered_is_not_cancelled() {
    for (status, expected) in [
        ("canceled", Cancellation::Over),
        ("no-answer", Cancellation::Over),
        ("in-progress", Cancellation::GoesOn),
        ("ringing", Cancellation::GoesOn),
        ("a new word", Cancellation::GoesOn),
    ] {
        let server =
            Server::start(move |_| json_of(200, &record(&json!({"status": status})))).await;
        let cancelled = server.provider().cancel(&call(Some(SID))).await.unwrap();
        assert_eq!(cancelled, expected, "{status}");
    }
    let ended = Server::start(|_| error(400, 21220)).await;
    let cancelled = ended.provider().cancel(&call(Some(SID))).await.unwrap();
    assert_eq!(cancelled, Cancellation::Over);
}

#[tokio::test]
async fn a_call_that_has_ended_is_no_error_and_everything_else_is() {
    for (status, code, is_done) in [
        (400, 21220, true),
        (404, 20404, false),
        (409, 20409, false),
        (401, 20003, false),
        (429, 20429, false),
        (500, 20500, false),
    ] {
        let server = Server::start(move |_| error(status, code)).await;
        let provider = server.provider();
        let hung_up = provider.hang_up(&call(Some(SID))).await;
        assert_eq!(hung_up.is_ok(), is_done, "{code}: {hung_up:?}");
        let cancelled = provider.cancel(&call(Some(SID))).await;
        assert_eq!(cancelled.is_ok(), is_done, "{code}: {cancelled:?}");
    }
    let silent = Server::start(|_| Reply::Silence).await;
    let provider = silent.impatient_provider();
    assert!(provider.hang_up(&call(Some(SID))).await.is_err());
}

#[tokio::test]
async fn a_call_without_a_name_cannot_be_ended() {
    let server = Server::start(|_| Reply::Close).await;
    let error = server.provider().hang_up(&call(None)).await.unwrap_err();
    assert!(error.to_string().contains("not known yet"), "{error}");
    assert!(server.requests().is_empty());
}
