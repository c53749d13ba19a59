//! The conformance suite of telephony: what every provider promises, one case per promise.
//!
//! An adapter says in [`TelephonyUnderTest`] how orders and calls are made to go one way or another
//! at its provider, and runs the whole suite with one line, in which every case is a test of its own:
//!
//! ```ignore
//! voicesurvey_core::telephony_conformance!(SimulatorUnderTest);
//! ```
//!
//! Cases know no provider: they see the port, and the webhooks as a [`Host`] takes them. Time is a
//! clock that the cases move.
//!
//! To add a case, write it in the file of its area and add its name to
//! [`telephony_conformance!`](crate::telephony_conformance), the only list there is.

pub mod conversations;
pub mod endings;
mod host;
pub mod orders;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use self::host::{Host, Log};
use super::samples;
use crate::call_attempt::CallEvent;
use crate::language::Language;
use crate::ports::{
    CallOptions, CallOrder, CallReference, FoundCall, TelephonyProvider, UnconfirmedCall,
};
use crate::time::{Clock as _, ManualClock, Timestamp};

/// A provider of its own for each test, and the world behind it.
#[async_trait]
pub trait TelephonyUnderTest: Send + Sync + Sized {
    /// A provider at which every order and every call goes that way. Its clock begins at `now`, an
    /// hour at which everybody is awake.
    async fn create(orders: Orders, calls: Calls, now: Timestamp) -> Self;

    /// The provider.
    fn provider(&self) -> Arc<dyn TelephonyProvider>;

    /// The clock of the provider and of its world.
    fn clock(&self) -> &ManualClock;

    /// Lets everything happen that is due by now, and has `host` take the webhooks of it. What a
    /// reply brings about and is due by now happens too.
    async fn deliver_due(&self, host: &Arc<Host>);

    /// When something is going to happen next.
    fn next_event_at(&self) -> Option<Timestamp>;

    /// How many calls the provider has taken, whatever it said.
    fn taken(&self) -> usize;
}

/// What becomes of orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orders {
    /// They are taken and answered.
    Taken,
    /// They are taken, and the answer gets lost.
    AnswerLost,
    /// They get lost themselves.
    Lost,
    /// They are to be given again later.
    ForLater,
    /// They will never be taken.
    Refused,
}

/// What becomes of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// A person picks up after some seconds and answers whatever is asked.
    Answered,
    /// The line is busy.
    Busy,
    /// It rings for as long as it may.
    NotAnswered,
    /// The provider does not dial them in the second in which they were ordered.
    Waiting,
}

/// A provider that calls one person, and the host whose call it is.
struct Scene<T> {
    under_test: T,
    host: Arc<Host>,
    order: CallOrder,
}

impl<T: TelephonyUnderTest> Scene<T> {
    async fn of(orders: Orders, calls: Calls) -> Self {
        let under_test = T::create(orders, calls, samples::now()).await;
        let host = Arc::new(Host::of(under_test.provider()));
        let order = order(1);
        Self {
            under_test,
            host,
            order,
        }
    }

    /// The same after the order has been taken.
    async fn called(calls: Calls) -> (Self, CallReference) {
        let scene = Self::of(Orders::Taken, calls).await;
        let call = scene.place().await;
        (scene, call)
    }

    async fn place(&self) -> CallReference {
        let placed = self.provider().place_call(&self.order).await.unwrap();
        CallReference {
            provider_call_id: Some(placed.provider_call_id),
            ..self.unnamed()
        }
    }

    fn provider(&self) -> Arc<dyn TelephonyProvider> {
        self.under_test.provider()
    }

    fn now(&self) -> Timestamp {
        self.under_test.clock().now()
    }

    /// The call by our name alone.
    fn unnamed(&self) -> CallReference {
        CallReference {
            company_id: self.order.company_id,
            attempt_id: self.order.attempt_id,
            provider_call_id: None,
        }
    }

    /// What a host asks that has no answer to its order.
    fn unconfirmed(&self) -> UnconfirmedCall {
        UnconfirmedCall {
            call: self.unnamed(),
            phone_number: self.order.phone_number,
            committed_at: samples::now(),
            dial_before: samples::now() + chrono::TimeDelta::seconds(30),
            other_calls: Vec::new(),
        }
    }

    async fn found(&self, call: &CallReference) -> Vec<CallEvent> {
        match self.provider().find_call(call).await.unwrap() {
            FoundCall::Found { events } => events,
            other => panic!("{other:?}"),
        }
    }

    /// Lets time pass, event by event, until the host has noted something.
    async fn until(&self, noted: impl Fn(&Log) -> bool) {
        for _ in 0..1_000 {
            self.under_test.deliver_due(&self.host).await;
            if noted(&self.host.log()) {
                return;
            }
            let Some(next) = self.under_test.next_event_at() else {
                break;
            };
            self.under_test.clock().set(next.max(self.now()));
        }
        panic!("it never happened: {:?}", self.host.log().names());
    }

    /// Lets time pass until the host has heard that the call is over.
    async fn until_the_end(&self) {
        self.until(|log| log.names().contains(&"ended")).await;
    }
}

/// An order to call somebody; each index is another person.
fn order(index: u32) -> CallOrder {
    CallOrder {
        company_id: samples::id(),
        attempt_id: samples::id(),
        phone_number: samples::phone_number(1_000_000 + index),
        language: Language::It,
        ring_for: Duration::from_secs(30),
        longest_call: Duration::from_mins(10),
        options: CallOptions::default(),
    }
}

/// Makes a test of every case of the [conformance suite](crate::testing::telephony_conformance).
///
/// Takes the name of a type that is in scope and implements
/// [`TelephonyUnderTest`](crate::testing::telephony_conformance::TelephonyUnderTest). The calling
/// crate needs `tokio` with `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! telephony_conformance {
    ($under_test:ident) => {
        $crate::telephony_conformance! { @tests $under_test
            orders {
                an_order_that_is_taken_names_the_call,
                an_order_that_is_refused_calls_nobody,
                an_order_that_comes_too_soon_calls_nobody,
                a_call_whose_order_was_not_answered_is_never_denied,
                an_order_that_got_lost_is_said_to_be_missing_in_the_end,
            }
            endings {
                how_a_call_ended_is_found_and_always_by_the_same_news,
                a_call_that_ends_by_itself_says_why,
                hanging_up_ends_a_call_once,
                a_call_that_waits_is_cancelled_before_anybody_is_dialed,
                a_call_that_rings_is_cancelled,
                a_call_that_was_answered_is_not_cancelled,
                a_price_is_told_where_it_is_asked_for,
            }
            conversations {
                webhooks_tell_the_whole_call_in_words_of_ours,
                a_webhook_that_comes_twice_says_the_same,
                a_webhook_that_nobody_signed_is_not_believed,
                what_was_heard_comes_back_with_its_step,
                every_reply_is_written_and_always_alike,
            }
        }
    };
    (@tests $under_test:ident $($area:ident { $($case:ident,)+ })+) => {$(
        mod $area {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::testing::telephony_conformance::$area::$case::<super::$under_test>().await;
            }
        )+}
    )+};
}
