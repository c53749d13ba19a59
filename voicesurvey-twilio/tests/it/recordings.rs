//! Recordings over HTTP.

use serde_json::json;

use crate::server::{ACCOUNT, Reply, SID, Server, call, error, json_of};

const RECORDING: &str = "RE0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn a_recording_is_begun_stopped_and_erased() {
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
    provider.stop_recording(&call).await.unwrap();
    provider.delete_recording(RECORDING).await.unwrap();
    let requests = server.requests();
    let account = format!("/2010-04-01/Accounts/{ACCOUNT}");
    let asked: Vec<&str> = requests.iter().map(|request| &request.line[..]).collect();
    assert_eq!(
        asked,
        [
            format!("POST {account}/Calls/{SID}/Recordings.json"),
            format!("POST {account}/Calls/{SID}/Recordings/Twilio.CURRENT.json"),
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
    assert_eq!(requests[1].all("Status"), ["stopped"]);
}

#[tokio::test]
async fn what_is_already_so_is_no_error() {
    for (status, code, stopped, deleted) in [
        (404, 20404, true, true),
        (400, 21220, true, false),
        (500, 20500, false, false),
        (401, 20003, false, false),
    ] {
        let server = Server::start(move |_| error(status, code)).await;
        let provider = server.provider();
        let call = call(Some(SID));
        assert!(provider.start_recording(&call).await.is_err());
        assert_eq!(
            provider.stop_recording(&call).await.is_ok(),
            stopped,
            "{code}"
        );
        assert_eq!(
            provider.delete_recording(RECORDING).await.is_ok(),
            deleted,
            "{code}"
        );
    }
}
