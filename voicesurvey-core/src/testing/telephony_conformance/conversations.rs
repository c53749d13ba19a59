//! What webhooks tell and what they are answered.

use rust_decimal::Decimal;

use super::{Calls, Scene, TelephonyUnderTest};
use crate::call_attempt::CallEventKind;
use crate::conversation::{Heard, Listen, Then, VoiceReply};
use crate::interpretation::Expected;
use crate::language::Language;
use crate::ports::{Webhook, WebhookError};
use crate::survey::ChoiceOption;

/// Each thing once and of this call. That it was answered is said at the latest by the question what
/// is to be said.
pub async fn webhooks_tell_the_whole_call_in_words_of_ours<T: TelephonyUnderTest>() {
    let (scene, call) = Scene::<T>::called(Calls::Answered).await;
    scene.until_the_end().await;
    let log = scene.host.log();
    let mut names = log.names();
    names.retain(|name| *name != "answered");
    assert_eq!(names, ["initiated", "ringing", "ended"]);
    let ended = &log.events.last().unwrap().kind;
    assert_eq!(*ended, CallEventKind::Ended { outcome: None });
    let mut ids: Vec<&str> = log.events.iter().map(|it| &*it.event_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), log.events.len(), "{:?}", log.events);
    let begun_at = super::samples::now();
    for event in &log.events {
        assert_eq!(event.attempt_id, call.attempt_id);
        assert_eq!(event.company_id, call.company_id);
        assert_eq!(event.provider_call_id, call.provider_call_id);
        assert!(event.raw_status.is_some(), "{event:?}");
        // Providers cut instants to seconds.
        let elapsed = event.at - begun_at;
        assert!(elapsed.num_seconds() >= 0 && event.at <= scene.now());
    }
    assert_eq!(log.answered, [call]);
}

/// So that it is known to be the same.
pub async fn a_webhook_that_comes_twice_says_the_same<T: TelephonyUnderTest>() {
    let (scene, _) = Scene::<T>::called(Calls::Answered).await;
    scene.until_the_end().await;
    let log = scene.host.log();
    let (provider, now) = (scene.provider(), scene.now());
    let mut events = 0;
    for request in &log.requests {
        let read = || provider.read_webhook(request, now).unwrap();
        let (first, second) = (read(), read());
        assert_eq!(first, second);
        if let Webhook::Event(event) = first {
            events += 1;
            let known = |it: &&crate::call_attempt::CallEvent| it.event_id == event.event_id;
            assert_eq!(log.events.iter().filter(known).count(), 1);
        }
    }
    assert!(events >= 3, "{events}");
}

/// It is refused, whatever it says.
pub async fn a_webhook_that_nobody_signed_is_not_believed<T: TelephonyUnderTest>() {
    let (scene, _) = Scene::<T>::called(Calls::Answered).await;
    scene.until_the_end().await;
    let requests = scene.host.log().requests;
    assert!(requests.len() >= 6, "{} requests", requests.len());
    let (provider, now) = (scene.provider(), scene.now());
    for request in requests {
        let mut bare = request.clone();
        bare.headers.clear();
        let refused = provider.read_webhook(&bare, now);
        assert!(
            matches!(refused, Err(WebhookError::BadSignature)),
            "{refused:?}"
        );
        // Whatever proves where it comes from is in a header, and no letter of it can be missing.
        let forged = (0..request.headers.len()).filter(|index| {
            let mut forged = request.clone();
            forged.headers[*index].1.pop();
            let read = provider.read_webhook(&forged, now);
            matches!(read, Err(WebhookError::BadSignature))
        });
        assert!(forged.count() >= 1, "{:?}", request.headers);
    }
}

/// Words come back as they were heard, and name the reply that they answer.
pub async fn what_was_heard_comes_back_with_its_step<T: TelephonyUnderTest>() {
    let (scene, call) = Scene::<T>::called(Calls::Answered).await;
    scene.until_the_end().await;
    let turns = scene.host.log().turns;
    let steps: Vec<u32> = turns.iter().map(|(_, step, _)| *step).collect();
    assert_eq!(steps, [1, 2]);
    for (of, _, heard) in turns {
        assert_eq!(of, call);
        let is_something = match &heard {
            Heard::Speech { words, .. } => !words.trim().is_empty(),
            Heard::Keys { keys } => !keys.is_empty(),
            Heard::Silence => false,
        };
        assert!(is_something, "{heard:?}");
    }
}

/// For every kind of question in every language; a repeated request is answered alike, because the
/// person must not hear two replies to one thing.
pub async fn every_reply_is_written_and_always_alike<T: TelephonyUnderTest>() {
    let (scene, call) = Scene::<T>::called(Calls::Waiting).await;
    let provider = scene.provider();
    let option = |key: &str| ChoiceOption {
        key: key.to_owned(),
        say: vec![format!("{key} & <co> 😀")],
    };
    let questions = [
        Expected::Consent,
        Expected::YesNo,
        Expected::Number {
            min: None,
            max: Some(Decimal::from(120)),
            decimals: false,
        },
        Expected::Scale {
            min: 0,
            max: 10,
            labels: Vec::new(),
        },
        Expected::Choice {
            options: vec![option("a"), option("b")],
        },
        Expected::FreeText,
        Expected::Confirm {
            of: Box::new(Expected::YesNo),
        },
        Expected::CallBackTime,
    ];
    let mut written = Vec::new();
    for language in Language::ALL {
        let listen = |(step, expected): (u32, &Expected)| {
            Then::Listen(Listen::for_answer(step, expected.clone(), language))
        };
        let listens = (1..).zip(&questions).map(listen);
        for then in listens.chain([Then::HangUp]) {
            let reply = VoiceReply {
                language,
                voice: None,
                say: vec!["\"Rossi\" & <Figli> 😀".to_owned(), "?".to_owned()],
                firm: 1,
                then,
            };
            let first = provider.write_reply(&call, &reply);
            assert_eq!(first.status, 200);
            assert!(first.content_type.is_some() && !first.body.is_empty());
            assert_eq!(provider.write_reply(&call, &reply), first);
            assert!(!written.contains(&first.body), "{reply:?}");
            written.push(first.body);
        }
    }
}
