//! A stand-in for Twilio: the REST interface for calls over HTTP, its signed callbacks, its documents
//! carried out word for word, and people who react to what they hear.
//!
//! It shares no code with the provider that calls through it, and keeps a ledger of its own: which
//! telephone was ordered to ring when, and for which attempt. Time is a clock that the test moves;
//! what is due waits for [`TwilioStandIn::deliver_due`].

mod account;
mod call;
mod callback;
mod chance;
mod cutting;
mod fates;
mod order;
mod people;
mod rest;
mod twiml;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::time::{Clock, Timestamp};
use voicesurvey_simulator::{Ring, Spoken};

use self::account::Account;
use self::callback::{Answer, Callback};
use self::cutting::{CuttingListener, Knife};
pub(crate) use self::fates::{Fate, Faults, Line};
pub(crate) use self::people::{Conduct, QUESTIONS};
use crate::support::twilio::{ACCOUNT, CALLER_ID, PUBLIC_URL, TOKEN, sign};
use voicesurvey_twilio::{Credentials, Secret, TwilioSettings};

/// Requests that are under way at once.
const AT_ONCE: usize = 6;

/// How long a healthy host may think, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long the host waits for Twilio, in real time: those that never answer make a test as slow.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Twilio, on a port of its own.
#[derive(Debug)]
pub(crate) struct TwilioStandIn {
    url: String,
    client: reqwest::Client,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Never held across an await.
    account: Mutex<Account>,
    /// Where the host's servers are.
    servers: Mutex<Vec<String>>,
    trap: Mutex<Trap>,
}

/// Stops the world at one of the moments at which something is between host and Twilio.
#[derive(Debug, Default)]
struct Trap {
    passed: u64,
    set: Option<Set>,
}

#[derive(Debug)]
struct Set {
    at: u64,
    caught: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

/// A trap that was set.
#[derive(Debug)]
pub(crate) struct Caught {
    caught: oneshot::Receiver<()>,
    release: oneshot::Sender<()>,
}

impl Caught {
    /// Waits until somebody is in it.
    pub(crate) async fn caught(&mut self) {
        (&mut self.caught).await.expect("the stand-in is there");
    }

    /// Lets the world go on.
    pub(crate) fn release(self) {
        // OK because whoever was caught may have been killed.
        let _ = self.release.send(());
    }
}

impl Shared {
    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap()
    }

    /// A moment at which a server may die.
    async fn checkpoint(&self) {
        let caught = {
            let mut trap = self.trap.lock().unwrap();
            trap.passed += 1;
            let passed = trap.passed;
            trap.set.take_if(|set| set.at <= passed)
        };
        if let Some(set) = caught {
            // OK because a test that has ended waits for nothing.
            let _ = set.caught.send(());
            let _ = set.released.await;
        }
    }
}

impl TwilioStandIn {
    /// An account whose people and faults follow from the seed.
    pub(crate) async fn start(clock: Arc<dyn Clock>, seed: u64, faults: Faults) -> Self {
        let shared = Arc::new(Shared {
            account: Mutex::new(Account::new(clock, seed, faults)),
            servers: Mutex::default(),
            trap: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = rest::router(shared.clone());
        let service = router.into_make_service_with_connect_info::<Knife>();
        let serve = axum::serve(CuttingListener(listener), service);
        tokio::spawn(async move { serve.await.unwrap() });
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
        Self {
            url,
            client: client.build().unwrap(),
            shared,
        }
    }

    /// How a host calls through it.
    pub(crate) fn settings(&self) -> TwilioSettings {
        let token = Secret::new(TOKEN);
        let caller_id = CALLER_ID.parse().unwrap();
        let credentials = Credentials::AuthToken(token.clone());
        TwilioSettings {
            base_url: self.url.clone(),
            connect_timeout: REQUEST_TIMEOUT / 2,
            request_timeout: REQUEST_TIMEOUT,
            ..TwilioSettings::new(ACCOUNT, credentials, token, PUBLIC_URL, caller_id)
        }
    }

    /// The servers behind the public URL from now on.
    pub(crate) fn servers_are(&self, servers: Vec<String>) {
        *self.shared.servers.lock().unwrap() = servers;
    }

    /// What becomes of the next order and, if it is taken, of its call.
    pub(crate) fn next(&self, fate: Fate, line: Line) {
        let mut account = self.shared.account();
        account.fates.push_back(fate);
        account.lines.push_back(line);
    }

    /// When something is going to happen next.
    pub(crate) fn next_event_at(&self) -> Option<Timestamp> {
        self.shared.account().next_at()
    }

    /// Lets happen what is due, and sends what follows, several requests at once. Returns how many.
    pub(crate) async fn deliver_due(&self) -> usize {
        let mut sent = 0;
        loop {
            let callbacks = self.shared.account().requests(AT_ONCE);
            if callbacks.is_empty() {
                return sent;
            }
            sent += callbacks.len();
            let answers = join_all(callbacks.iter().map(|callback| self.send(callback))).await;
            for (callback, answer) in callbacks.into_iter().zip(answers) {
                self.shared.account().answered_by_host(callback, answer);
            }
        }
    }

    /// Stops the world when `exchanges` more requests have begun or been taken.
    pub(crate) fn trap(&self, exchanges: u64) -> Caught {
        let (caught, is_caught) = oneshot::channel();
        let (release, released) = oneshot::channel();
        let mut trap = self.shared.trap.lock().unwrap();
        trap.set = Some(Set {
            at: trap.passed + exchanges,
            caught,
            released,
        });
        Caught {
            caught: is_caught,
            release,
        }
    }

    /// One try of a request.
    async fn send(&self, callback: &Callback) -> Answer {
        self.shared.checkpoint().await;
        let url = callback.signed_url();
        let form: Vec<(&str, &str)> = callback
            .form
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let (server, is_unheard) = {
            let mut account = self.shared.account();
            let unheard = account.faults.unheard;
            let is_unheard = account.calls[callback.call].chance.happens(unheard);
            let servers = self.shared.servers.lock().unwrap();
            if servers.is_empty() {
                return Answer::Unreachable;
            }
            (account.chance.pick(&servers), is_unheard)
        };
        let path = url.strip_prefix(PUBLIC_URL).expect("a URL of the host");
        let encoded = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&form)
            .finish();
        let request = self
            .client
            .post(format!("{server}{path}"))
            .header(
                "content-type",
                "application/x-www-form-urlencoded; charset=UTF-8",
            )
            .header("X-Twilio-Signature", sign(url, &form))
            .header("I-Twilio-Idempotency-Token", &callback.token)
            .body(encoded);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Answer::Unreachable,
            Err(_) => return Answer::Nothing,
        };
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type");
        let content_type = content_type.map(|it| it.to_str().unwrap().to_owned());
        match response.bytes().await {
            Ok(_) if is_unheard => Answer::Nothing,
            Ok(body) => Answer::Given(status, content_type.unwrap_or_default(), body.into()),
            Err(_) => Answer::Nothing,
        }
    }

    /// Every call that was taken, by the instant at which it was.
    pub(crate) fn rings(&self) -> Vec<Ring> {
        let account = self.shared.account();
        account.calls.iter().map(call::Call::ring).collect()
    }

    /// Whether whoever ordered a call was told that it was taken.
    pub(crate) fn is_confirmed(&self, sid: &str) -> bool {
        let account = self.shared.account();
        let call = account.calls.iter().find(|call| call.sid == sid);
        call.is_some_and(|call| call.is_confirmed)
    }

    /// Everything that was said and replied to.
    pub(crate) fn heard(&self) -> Vec<Spoken> {
        let account = self.shared.account();
        let heard = account.calls.iter().flat_map(|call| call.heard.clone());
        heard.collect()
    }

    /// What a call has cost, if whoever asked was told.
    pub(crate) fn price_told(&self, sid: &str) -> Option<String> {
        let account = self.shared.account();
        let mut told = account.calls.iter().filter(|call| call.is_price_told);
        let call = told.find(|call| call.sid == sid)?;
        call.price(account.now()).map(str::to_owned)
    }

    /// How many prices nobody has asked for in time.
    pub(crate) fn prices_untold(&self) -> usize {
        let account = self.shared.account();
        let untold = |call: &&call::Call| call.price.is_some() && !call.is_price_told;
        account.calls.iter().filter(untold).count()
    }

    /// How somebody behaves.
    pub(crate) fn conduct_of(&self, number: &PhoneNumber) -> Conduct {
        let seed = self.shared.account().seed;
        Conduct::draw(&mut chance::Chance::of(seed, number.as_str(), 0))
    }

    /// What was wrong with what the host asked and answered.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.shared.account().complaints.clone()
    }

    /// How many orders came, and how many callbacks never got through.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let account = self.shared.account();
        (account.orders, account.undelivered)
    }
}
