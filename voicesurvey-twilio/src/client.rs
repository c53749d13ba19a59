//! The REST interface of Twilio: one request, one answer, within a time.
//!
//! Nothing is sent twice here. Whether a request may be sent again depends on what it asks for, and
//! for placing a call it depends on whether anything was sent at all: see [`SendError`].

use std::fmt;
use std::time::Duration;

use chrono::TimeDelta;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Url};
use tokio::time::Instant;

use crate::secret::Secret;
use crate::settings::{self, Credentials, SettingsError, TwilioSettings, WrongSetting};

/// The version of the interface, in its paths.
const VERSION: &str = "2010-04-01";

/// Many times what a page of calls takes.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

/// A connection that was idle for longer may be closed at the other end just as we send, and then
/// nobody knows whether the call was placed.
const IDLE_CONNECTION: Duration = Duration::from_secs(15);

/// Asks Twilio for things of one account.
pub(crate) struct Client {
    http: reqwest::Client,
    account: Url,
    user: String,
    password: Secret,
    request_timeout: Duration,
}

/// What Twilio answered.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// When to try again, if it says so in seconds.
    pub(crate) retry_after: Option<TimeDelta>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// No connection, so nothing was sent.
    #[error("Twilio cannot be reached")]
    NotSent(#[source] reqwest::Error),
    /// The time was up. Twilio may or may not have got it.
    #[error("Twilio did not answer in time")]
    TimedOut,
    /// The connection broke. Twilio may or may not have got it.
    #[error("the connection to Twilio broke")]
    Broken(#[source] reqwest::Error),
    /// More came than any answer takes.
    #[error("the answer of Twilio is too long")]
    TooLong,
}

/// What is sent with a request.
pub(crate) type Form = Vec<(&'static str, String)>;

impl Client {
    pub(crate) fn new(settings: &TwilioSettings) -> Result<Self, SettingsError> {
        let account = account_url(&settings.base_url, &settings.account_sid)?;
        let mut http = reqwest::Client::builder()
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(IDLE_CONNECTION)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("voicesurvey/", env!("CARGO_PKG_VERSION")));
        if settings::is_loopback(&account) {
            http = http.no_proxy();
        }
        let (user, password) = match &settings.credentials {
            Credentials::ApiKey { sid, secret } => (sid, secret),
            Credentials::AuthToken(token) => (&settings.account_sid, token),
        };
        Ok(Self {
            http: http.build().map_err(SettingsError::Client)?,
            account,
            user: user.clone(),
            password: password.clone(),
            request_timeout: settings.request_timeout,
        })
    }

    /// The URL of a thing of the account, such as `["Calls", "CA….json"]`.
    pub(crate) fn url(&self, path: &[&str]) -> Url {
        let mut url = self.account.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        url
    }

    /// The URL of the account itself.
    pub(crate) fn account_url(&self) -> Url {
        let mut url = self.account.clone();
        url.set_path(&format!("{}.json", self.account.path()));
        url
    }

    /// The next page as an answer names it. `None` for whatever is not a path of the same host: our
    /// password goes nowhere else.
    pub(crate) fn next_page(&self, path: &str) -> Option<Url> {
        let url = self.account.join(path).ok()?;
        let is_path = path.starts_with('/') && !path.starts_with("//");
        (is_path && url.origin() == self.account.origin()).then_some(url)
    }

    pub(crate) async fn get(&self, url: Url) -> Result<Response, SendError> {
        self.send(self.http.request(Method::GET, url)).await
    }

    pub(crate) async fn delete(&self, url: Url) -> Result<Response, SendError> {
        self.send(self.http.request(Method::DELETE, url)).await
    }

    pub(crate) async fn post(&self, url: Url, form: &Form) -> Result<Response, SendError> {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = self
            .http
            .request(Method::POST, url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        self.send(request).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, SendError> {
        let began = Instant::now();
        let request = request
            .header(ACCEPT, "application/json")
            .basic_auth(&self.user, Some(self.password.reveal()));
        let answer = tokio::time::timeout(self.request_timeout, exchange(request)).await;
        let answer = answer.unwrap_or(Err(SendError::TimedOut));
        let milliseconds = began.elapsed().as_millis();
        match &answer {
            Ok((response, id)) => {
                let status = response.status;
                tracing::debug!(status, milliseconds, request = id, "Twilio answered");
            }
            Err(error) => tracing::debug!(milliseconds, %error, "Twilio did not answer"),
        }
        answer.map(|(response, _)| response)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("account", &self.account.as_str())
            .finish_non_exhaustive()
    }
}

/// Sends, and reads to the end. With the answer comes Twilio's name of the request, for its support.
async fn exchange(request: RequestBuilder) -> Result<(Response, Option<String>), SendError> {
    let mut response = request.send().await.map_err(not_answered)?;
    let header = |name: &str| text_of(response.headers(), name);
    let id = header("twilio-request-id");
    let retry_after = header(RETRY_AFTER.as_str());
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(SendError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    let response = Response {
        status,
        retry_after: retry_after.and_then(|text| seconds(&text)),
        body,
    };
    Ok((response, id))
}

/// Whether anything was sent: only who never got a connection knows that nothing was.
fn not_answered(error: reqwest::Error) -> SendError {
    if error.is_connect() {
        SendError::NotSent(error.without_url())
    } else {
        broken(error)
    }
}

/// Without the URL, in which numbers of people may be.
fn broken(error: reqwest::Error) -> SendError {
    SendError::Broken(error.without_url())
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// Twilio says it in seconds; a date is not worth a second clock, and the caller has its own pause.
fn seconds(text: &str) -> Option<TimeDelta> {
    let seconds = text.trim().parse::<u32>().ok()?;
    TimeDelta::try_seconds(seconds.into())
}

fn account_url(base_url: &str, account_sid: &str) -> Result<Url, SettingsError> {
    let url = base_url.parse::<Url>().ok().and_then(|mut url| {
        let mut segments = url.path_segments_mut().ok()?;
        segments
            .pop_if_empty()
            .extend([VERSION, "Accounts", account_sid]);
        drop(segments);
        Some(url)
    });
    url.ok_or_else(|| {
        SettingsError::Wrong(vec![WrongSetting {
            setting: "base_url",
            what: "a URL that begins with https://".to_owned(),
        }])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::sample;

    fn client() -> Client {
        Client::new(&sample()).unwrap()
    }

    #[test]
    fn paths_lie_under_the_account_and_cannot_leave_it() {
        let account =
            "https://api.twilio.com/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef";
        let client = client();
        let url = client.url(&["Calls", "CA1.json"]);
        assert_eq!(url.as_str(), format!("{account}/Calls/CA1.json"));
        assert_eq!(client.account_url().as_str(), format!("{account}.json"));
        for (segment, written) in [
            ("../../AC1.json", "..%2F..%2FAC1.json"),
            ("a?b", "a%3Fb"),
            ("a#b", "a%23b"),
        ] {
            let url = client.url(&["Calls", segment]);
            assert_eq!(url.as_str(), format!("{account}/Calls/{written}"));
        }
    }

    #[test]
    fn a_next_page_is_asked_of_the_same_host_only() {
        let client = client();
        let path = "/2010-04-01/Accounts/AC1/Calls.json?PageToken=PT1&Page=1";
        let next = client.next_page(path).unwrap();
        assert_eq!(next.as_str(), format!("https://api.twilio.com{path}"));
        for elsewhere in [
            "https://example.org/2010-04-01/x",
            "//example.org/x",
            "/\\example.org/x",
            "http://api.twilio.com/x",
            "x",
            "",
        ] {
            assert!(client.next_page(elsewhere).is_none(), "{elsewhere}");
        }
    }

    #[test]
    fn the_client_does_not_show_its_password() {
        let shown = format!("{:?}", client());
        assert!(!shown.contains("top-secret"), "{shown}");
    }
}
