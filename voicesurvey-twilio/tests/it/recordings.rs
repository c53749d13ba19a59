//! Recordings over HTTP.

use serde_json::json;
use voicesurvey_core::ports::TelephonyProvider as _;

use crate::server::{ACCOUNT, Reply, SID, Server, call, error, json_of};

const RECORDING: &str = "RE0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn a_recording_is_begun_and_erased() {
    let server = Server::start(|request| {
        if request.line.starts_with("DELETE") {
            Reply::Raw("HTTP/1.1 204 No Content\r\n\r\n")
        } else {
            json_of(201, &json!({"sid": RECORDING, "status": "in-progress"}))
        }
    })
    .await;
    let provider = server.provider();
    let call = call(Some(SID));
    assert_eq!(provider.start_recording(&call).await.unwrap(), RECORDING);
    provider.erase_recording(RECORDING).await.unwrap();
    let requests = server.requests();
    let account = format!("/2010-04-01/Accounts/{ACCOUNT}");
    let asked: Vec<&str> = requests.iter().map(|request| &request.line[..]).collect();
    assert_eq!(
        asked,
        [
            format!("POST {account}/Calls/{SID}/Recordings.json"),
            format!("DELETE {account}/Recordings/{RECORDING}.json"),
        ]
    );
    assert_eq!(requests[0].all("RecordingChannels"), ["mono"]);
    let events = ["in-progress", "completed", "absent"];
    assert_eq!(requests[0].all("RecordingStatusCallbackEvent"), events);
    let callback = requests[0].all("RecordingStatusCallback")[0];
    assert!(
        callback.contains("/webhooks/twilio/recording?company="),
        "{callback}"
    );
}

#[tokio::test]
async fn what_is_already_so_is_no_error() {
    for (status, code, is_erased) in [
        (404, 20404, true),
        (400, 21220, false),
        (500, 20500, false),
        (401, 20003, false),
    ] {
        let server = Server::start(move |_| error(status, code)).await;
        let provider = server.provider();
        let call = call(Some(SID));
        assert!(provider.start_recording(&call).await.is_err());
        let erased = provider.erase_recording(RECORDING).await;
        assert_eq!(erased.is_ok(), is_erased, "{code}: {erased:?}");
    }
}
