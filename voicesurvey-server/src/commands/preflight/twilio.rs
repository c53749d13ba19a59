//! Gates of Twilio: the account, the number that is shown, and the way from Twilio to our server.
//!
//! Nothing is ordered and nothing is changed: what is asked of Twilio are lists, and what is sent to
//! the public URL is answered without a store.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode, Url};
use voicesurvey_core::id::{CallAttemptId, CompanyId, IdGenerator};
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{
    CallReference, TelephonyProvider as _, UnconfirmedCall, WebhookRequest,
};
use voicesurvey_core::time::{Clock, SystemClock};
use voicesurvey_twilio::{AccountStanding, CallerIdStanding, TwilioProvider, TwilioSettings};

use super::gate::Gate;
use crate::commands::CommandError;
use crate::config::{Config, ProviderName};
use crate::providers;

const ACCOUNT: &str = "the account at Twilio may call";
const TOKEN: &str = "webhooks are signed with the token that is configured";
const CALLER_ID: &str = "the caller id is a number of the account";
const LISTS: &str = "Twilio can be asked for calls that got lost";
const PUBLIC: &str = "the public URL is HTTPS and public";
const ANSWERS: &str = "the server answers at the public URL";
const SIGNATURE: &str = "signed webhooks are believed, and no others";
const PACE: &str = "no more calls are ordered than Twilio starts";

/// As long as Twilio waits for a webhook.
const PATIENCE: Duration = Duration::from_secs(15);

/// A name that no call has.
const NO_CALL: &str = "CA00000000000000000000000000000000";

/// Every gate, or why none was looked at.
pub(super) async fn gates(config: &Config) -> Result<Vec<Gate>, CommandError> {
    let telephony = &config.telephony;
    if telephony.provider != ProviderName::Twilio {
        let why = format!("the provider is {}, and calls nobody", telephony.provider);
        let of_provider = [ACCOUNT, CALLER_ID, PACE].map(|text| ("provider", text));
        let of_callback = [TOKEN, PUBLIC, ANSWERS, SIGNATURE].map(|text| ("callback", text));
        let all = of_provider.into_iter().chain(of_callback);
        let all = all.chain([("recovery", LISTS)]);
        return Ok(all
            .map(|(about, text)| Gate::skipped(about, text, &why))
            .collect());
    }
    let clock = Arc::new(SystemClock);
    let provider = providers::twilio(&telephony.twilio, &config.public_url, clock);
    let provider = provider.map_err(CommandError::System)?;
    let client = client(&config.public_url)
        .map_err(|error| CommandError::System(std::io::Error::other(error)))?;
    Ok(vec![
        account(&provider).await,
        tokens(&provider).await,
        caller_ids(&provider).await,
        pace(telephony.calls_per_second),
        lists(&provider, provider.settings()).await,
        public(&config.public_url).await,
        answers(&client, &provider).await,
        signature(&client, &provider).await,
    ])
}

fn client(public_url: &str) -> Result<Client, reqwest::Error> {
    let is_here = Url::parse(public_url).is_ok_and(|url| is_this_machine(&url));
    let client = Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none());
    if is_here { client.no_proxy() } else { client }.build()
}

async fn account(provider: &TwilioProvider) -> Gate {
    match provider.account().await {
        Err(error) => {
            let what_to_do = "compare account_sid, auth_token and the key under telephony.twilio with \
                              the console; each region has its own, and test credentials call nobody";
            Gate::failed("provider", ACCOUNT, error.what, what_to_do)
        }
        Ok(AccountStanding {
            is_active: false, ..
        }) => {
            let what_to_do = "look in the console why: a payment, or a question of Twilio's";
            Gate::failed("provider", ACCOUNT, "it is suspended or closed", what_to_do)
        }
        Ok(AccountStanding { is_trial: true, .. }) => {
            let what_to_do = "upgrade it before a campaign starts: it calls numbers only that you have \
                              verified, and plays an announcement first";
            Gate::warned("provider", ACCOUNT, "it is a trial account", what_to_do)
        }
        Ok(AccountStanding { .. }) => Gate::passed("provider", ACCOUNT, ""),
    }
}

/// The first number that cannot be shown, if there is one.
async fn caller_ids(provider: &TwilioProvider) -> Gate {
    let settings = provider.settings();
    let further = settings.caller_ids.values().flatten();
    let numbers: BTreeSet<PhoneNumber> = further.copied().collect();
    let mut gate = caller_id(provider, settings.caller_id).await;
    for number in numbers {
        if gate.has_failed() {
            break;
        }
        gate = caller_id(provider, number).await;
    }
    gate
}

async fn caller_id(provider: &TwilioProvider, number: PhoneNumber) -> Gate {
    let failed = |what: &str, what_to_do: &str| {
        Gate::failed(
            "provider",
            CALLER_ID,
            format!("{number} {what}"),
            what_to_do,
        )
    };
    match provider.caller_id(number).await {
        Err(error) => {
            let what_to_do = "a restricted key must be allowed to read phone numbers";
            Gate::failed("provider", CALLER_ID, error.what, what_to_do)
        }
        Ok(CallerIdStanding::Owned) => Gate::passed("provider", CALLER_ID, ""),
        Ok(CallerIdStanding::Verified) => {
            Gate::passed("provider", CALLER_ID, "its owner has verified it")
        }
        Ok(CallerIdStanding::OwnedWithoutVoice) => {
            failed("cannot make calls", "take a number with voice")
        }
        Ok(CallerIdStanding::NotOurs) => failed(
            "belongs to somebody else",
            "buy it or verify it in the console, or change telephony.twilio.caller_id or caller_ids",
        ),
    }
}

/// A key says nothing of the token, and a wrong one makes every webhook look forged.
async fn tokens(provider: &TwilioProvider) -> Gate {
    let what_to_do = "copy the auth token of this account and region from the console; a key does not \
                      sign webhooks";
    match provider.refused_tokens().await {
        Err(error) => Gate::failed("callback", TOKEN, error.what, "try again"),
        Ok(refused) if refused.is_empty() => Gate::passed("callback", TOKEN, ""),
        // Before it is promoted, or after, the other one may be unknown.
        Ok(refused) if refused == [1] => {
            let what = "Twilio does not know other_auth_token (any more)";
            Gate::warned(
                "callback",
                TOKEN,
                what,
                "empty it when tokens are not being changed",
            )
        }
        Ok(_) => Gate::failed("callback", TOKEN, "Twilio does not know it", what_to_do),
    }
}

fn pace(calls_per_second: u16) -> Gate {
    if calls_per_second > 1 {
        let what = format!("{calls_per_second} in a second by this server");
        let what_to_do = "make sure that Twilio has raised the account's calls per second, which are 1 at \
                          first, to as many as all servers order: what is ordered faster waits at Twilio, \
                          and may ring too late";
        return Gate::warned("provider", PACE, what, what_to_do);
    }
    if calls_per_second > 0 {
        let note = format!("{calls_per_second} in a second by this server");
        return Gate::passed("provider", PACE, note);
    }
    let what_to_do = "set telephony.calls_per_second to this server's share of the account's calls \
                      per second, which is 1 unless Twilio has raised it: what is ordered faster waits \
                      at Twilio, and may ring too late";
    Gate::warned("provider", PACE, "there is no limit", what_to_do)
}

/// By name and by number, as recovery does; that there is none is an answer.
async fn lists(provider: &TwilioProvider, settings: &TwilioSettings) -> Gate {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let now = clock.now();
    let ids = IdGenerator::from_entropy(clock);
    let call = |provider_call_id| CallReference {
        company_id: ids.next::<CompanyId>(),
        attempt_id: ids.next::<CallAttemptId>(),
        provider_call_id,
    };
    let sought = UnconfirmedCall {
        call: call(None),
        phone_number: settings.caller_id,
        committed_at: now,
        dial_before: now + TimeDelta::seconds(1),
        other_calls: Vec::new(),
    };
    let by_name = call(Some(NO_CALL.to_owned()));
    let asked = match provider.find_call(&by_name).await {
        Ok(_) => provider.find_unconfirmed_call(&sought).await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(_) => Gate::passed("recovery", LISTS, ""),
        Err(error) => {
            let what_to_do = "a restricted key must be allowed to read calls";
            Gate::failed("recovery", LISTS, error.what, what_to_do)
        }
    }
}

async fn public(public_url: &str) -> Gate {
    let failed = |what: &str| {
        let what_to_do = "set public_url to a name of this server that the whole internet knows, with \
                          a certificate that browsers believe";
        Gate::failed(
            "callback",
            PUBLIC,
            format!("{public_url} {what}"),
            what_to_do,
        )
    };
    let Ok(url) = Url::parse(public_url) else {
        return failed("is no URL");
    };
    if is_this_machine(&url) {
        return failed("is this machine, where Twilio does not come");
    }
    if url.scheme() != "https" {
        return failed("is not HTTPS");
    }
    let host = host_of(&url);
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses = match tokio::net::lookup_host((host, port)).await {
        Ok(addresses) => addresses.map(|address| address.ip()).collect::<Vec<_>>(),
        Err(_) => Vec::new(),
    };
    if addresses.is_empty() {
        return failed("has a name without an address");
    }
    if host.parse::<IpAddr>().is_ok() && !addresses.iter().copied().all(is_public) {
        return failed("is an address of a private network");
    }
    if addresses.iter().copied().all(is_public) {
        return Gate::passed("callback", PUBLIC, "");
    }
    let what_to_do = "make sure that the name means a public address to others than this machine";
    let what = format!("{host} is an address of a private network, as this machine sees it");
    Gate::warned("callback", PUBLIC, what, what_to_do)
}

async fn answers(client: &Client, provider: &TwilioProvider) -> Gate {
    let url = provider.goodbye_url();
    let what_to_do = "start the server with this configuration, and have the proxy in front of it hand \
                      on everything under /webhooks/";
    let failed = |what: String| Gate::failed("callback", ANSWERS, what, what_to_do);
    match client.post(&url).send().await {
        Ok(response) if is_document(&response) => Gate::passed("callback", ANSWERS, ""),
        Ok(response) => failed(format!(
            "{url} answers {} and no document",
            response.status()
        )),
        Err(error) => failed(told(&error)),
    }
}

async fn signature(client: &Client, provider: &TwilioProvider) -> Gate {
    let signed = provider.check_request();
    let mut unsigned = signed.clone();
    unsigned
        .headers
        .retain(|(name, _)| name == CONTENT_TYPE.as_str());
    let failed =
        |what: String, what_to_do: &str| Gate::failed("callback", SIGNATURE, what, what_to_do);
    match send(client, &signed).await {
        Ok(response) if is_document(&response) => {}
        Ok(response) => {
            let what = format!("a signed webhook is answered with {}", response.status());
            let what_to_do = "run this with the server's own configuration (public_url, auth_token), \
                              and have the proxy change neither path nor query, body or \
                              X-Twilio-Signature";
            return failed(what, what_to_do);
        }
        Err(error) => return failed(told(&error), "mend the gate before this one"),
    }
    match send(client, &unsigned).await {
        Ok(response) if response.status() == StatusCode::FORBIDDEN => {
            Gate::passed("callback", SIGNATURE, "")
        }
        Ok(response) => failed(
            format!(
                "a webhook without signature is answered with {}",
                response.status()
            ),
            "find out who answers at the public URL: a server of voicesurvey refuses it",
        ),
        Err(error) => failed(told(&error), "try again"),
    }
}

async fn send(client: &Client, request: &WebhookRequest) -> Result<Response, reqwest::Error> {
    let headers = request.headers.iter();
    let post = client.post(&request.url).body(request.body.clone());
    let post = headers.fold(post, |post, (name, value)| post.header(name, value));
    post.send().await
}

fn is_document(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    let is_xml = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/xml"));
    response.status() == StatusCode::OK && is_xml
}

/// What went wrong, down to its cause.
fn told(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

fn is_this_machine(url: &Url) -> bool {
    let host = host_of(url);
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The name or the address, without the brackets of the latter.
fn host_of(url: &Url) -> &str {
    let host = url.host_str().unwrap_or_default();
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Whether Twilio can come to that address.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            // What providers give to many customers at once.
            let is_shared = address.octets()[0] == 100 && address.octets()[1] & 0b1100_0000 == 64;
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address == Ipv4Addr::UNSPECIFIED
                || is_shared)
        }
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => is_public(IpAddr::V4(address)),
            None => {
                !(address.is_loopback()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
                    || address == Ipv6Addr::UNSPECIFIED)
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::preflight::gate::GateResult;

    #[test]
    fn addresses_where_nobody_comes_are_not_public() {
        for (address, expected) in [
            ("8.8.8.8", true),
            ("100.63.255.255", true),
            ("100.64.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("169.254.1.1", false),
            ("127.0.0.1", false),
            ("0.0.0.0", false),
            ("2001:4860:4860::8888", true),
            ("::1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[tokio::test]
    async fn a_public_url_that_twilio_cannot_call_fails() {
        for (url, reason) in [
            ("http://127.0.0.1:8880", "this machine"),
            ("https://localhost", "this machine"),
            ("https://[::1]:8880", "this machine"),
            ("http://8.8.8.8", "not HTTPS"),
            ("https://192.168.0.7", "private network"),
            ("survey", "no URL"),
        ] {
            let gate = public(url).await;
            let GateResult::Fail(problem) = gate.result else {
                panic!("{url}: {gate}");
            };
            assert!(
                problem.summary.contains(reason),
                "{url}: {}",
                problem.summary
            );
        }
        assert!(matches!(
            public("https://8.8.8.8").await.result,
            GateResult::Pass { .. }
        ));
    }

    #[test]
    fn no_pace_is_no_reason_not_to_call() {
        assert!(matches!(pace(0).result, GateResult::Warn(_)));
        assert!(matches!(pace(1).result, GateResult::Pass { .. }));
    }
}
