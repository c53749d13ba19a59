//! Orders, and what may be said of them.

use chrono::TimeDelta;

use super::{Calls, Orders, Scene, TelephonyUnderTest, order};
use crate::ports::{FoundCall, PlaceCallError};

/// For so long an order whose answer was lost is looked for.
const LOOKED_FOR: TimeDelta = TimeDelta::minutes(10);
const EVERY: TimeDelta = TimeDelta::seconds(15);

/// Two orders are two calls with names of their own, by which they are found.
pub async fn an_order_that_is_taken_names_the_call<T: TelephonyUnderTest>() {
    let (scene, call) = Scene::<T>::called(Calls::Answered).await;
    let other = scene.provider().place_call(&order(2)).await.unwrap();
    let name = call.provider_call_id.clone().unwrap();
    assert!(!name.is_empty());
    assert_ne!(name, other.provider_call_id);
    assert_eq!(scene.under_test.taken(), 2);
    scene.until_the_end().await;
    for event in scene.found(&call).await {
        assert_eq!(event.provider_call_id.as_ref(), Some(&name));
        assert_eq!(event.attempt_id, call.attempt_id);
        assert_eq!(event.company_id, call.company_id);
    }
}

/// Nobody is called, and nobody will be.
pub async fn an_order_that_is_refused_calls_nobody<T: TelephonyUnderTest>() {
    let scene = Scene::<T>::of(Orders::Refused, Calls::Answered).await;
    let refused = scene.provider().place_call(&scene.order).await;
    assert!(
        matches!(refused, Err(PlaceCallError::Rejected { .. })),
        "{refused:?}"
    );
    assert_eq!(scene.under_test.taken(), 0);
}

/// Nobody is called, and the same order may be given again.
pub async fn an_order_that_comes_too_soon_calls_nobody<T: TelephonyUnderTest>() {
    let scene = Scene::<T>::of(Orders::ForLater, Calls::Answered).await;
    let later = scene.provider().place_call(&scene.order).await;
    assert!(
        matches!(later, Err(PlaceCallError::RetryLater { .. })),
        "{later:?}"
    );
    assert_eq!(scene.under_test.taken(), 0);
}

/// While the telephone may ring nobody says that there is no such call, however early or often it is
/// asked for; and in the end it is found.
pub async fn a_call_whose_order_was_not_answered_is_never_denied<T: TelephonyUnderTest>() {
    let scene = Scene::<T>::of(Orders::AnswerLost, Calls::Answered).await;
    let unknown = scene.provider().place_call(&scene.order).await;
    assert!(
        matches!(unknown, Err(PlaceCallError::Unknown { .. })),
        "{unknown:?}"
    );
    let sought = scene.unconfirmed();
    let mut found = FoundCall::Unknown;
    let mut passed = TimeDelta::zero();
    while passed < LOOKED_FOR {
        found = scene
            .provider()
            .find_unconfirmed_call(&sought)
            .await
            .unwrap();
        assert_ne!(found, FoundCall::NotFound, "after {passed}");
        let by_name = scene.provider().find_call(&sought.call).await.unwrap();
        assert_ne!(by_name, FoundCall::NotFound, "after {passed}");
        scene.under_test.clock().advance(EVERY);
        passed += EVERY;
    }
    let FoundCall::Found { events } = found else {
        panic!("it was never found: {found:?}");
    };
    let of_call = |event: &crate::call_attempt::CallEvent| {
        event.attempt_id == sought.call.attempt_id && event.provider_call_id.is_some()
    };
    assert!(events.iter().all(of_call), "{events:?}");
    assert_eq!(scene.under_test.taken(), 1);
}

/// Whoever was not called may be called again, once that is certain.
pub async fn an_order_that_got_lost_is_said_to_be_missing_in_the_end<T: TelephonyUnderTest>() {
    let scene = Scene::<T>::of(Orders::Lost, Calls::Answered).await;
    let unknown = scene.provider().place_call(&scene.order).await;
    assert!(
        matches!(unknown, Err(PlaceCallError::Unknown { .. })),
        "{unknown:?}"
    );
    let sought = scene.unconfirmed();
    let mut passed = TimeDelta::zero();
    loop {
        let found = scene.provider().find_unconfirmed_call(&sought).await;
        match found.unwrap() {
            FoundCall::NotFound => break,
            FoundCall::Unknown if passed < LOOKED_FOR => {}
            other => panic!("after {passed}: {other:?}"),
        }
        scene.under_test.clock().advance(EVERY);
        passed += EVERY;
    }
    assert_eq!(scene.under_test.taken(), 0);
}
