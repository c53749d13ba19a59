//! Callbacks of Twilio over HTTP, signed: from the request that arrives to the answer, which comes
//! after the commit. Of each call: its progress, the question what to say first, and what was heard.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use voicesurvey::call_attempt::CallAttempt;
use voicesurvey::time::SystemClock;
use voicesurvey_twilio::{Credentials, Secret, TwilioProvider, TwilioSettings};

use crate::claim::Claimer;
use crate::events::{Request, offer};
use crate::fill::{self, Filling};
use crate::running::serve;

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const PUBLIC_URL: &str = "https://survey.example.org";

/// What is told of every call, in that order: the webhook and what is special about it.
const CALLBACKS: [(&str, &[(&str, &str)]); 6] = [
    ("status", &[("CallStatus", "initiated")]),
    ("status", &[("CallStatus", "ringing")]),
    ("status", &[("CallStatus", "in-progress")]),
    ("answer", &[("CallStatus", "in-progress")]),
    (
        "turn",
        &[
            ("CallStatus", "in-progress"),
            ("SpeechResult", "sì, va bene"),
            ("Confidence", "0.9134"),
        ],
    ),
    (
        "status",
        &[("CallStatus", "completed"), ("CallDuration", "31")],
    ),
];

pub(crate) async fn run(url: &str, per_second: u32, seconds: u32) -> anyhow::Result<()> {
    let calls = usize::try_from(per_second * seconds)?.div_ceil(CALLBACKS.len());
    fill::fill(url, &Filling::of(100_000, 100)).await?;
    let claimer = Claimer {
        provider: voicesurvey_twilio::NAME,
        ..Claimer::open(url, 2).await?
    };
    let mut attempts = Vec::new();
    while attempts.len() < calls {
        let claimed = claimer.claim(200).await?;
        ensure!(!claimed.is_empty(), "there are tasks enough");
        attempts.extend(claimed.into_iter().map(|call| call.attempt));
    }
    attempts.truncate(calls);
    let token = Secret::new(TOKEN);
    let settings = TwilioSettings {
        // Nothing is asked of Twilio here.
        base_url: "http://127.0.0.1:9".to_owned(),
        ..TwilioSettings::new(
            ACCOUNT,
            Credentials::AuthToken(token.clone()),
            token,
            PUBLIC_URL,
            "+390612345678".parse().context("a caller id")?,
        )
    };
    let provider = TwilioProvider::new(settings, Arc::new(SystemClock))?;
    let server = serve(url, 0, Arc::new(provider)).await?;
    let base = format!("http://{}", server.address());
    let requests = requests(&attempts, &base)?;
    let callbacks = requests.len();
    let (durations, taken) = offer(requests, per_second).await?;
    println!(
        "{per_second} signed callbacks/s offered, {callbacks} of {calls} calls, in {:.0} s: \
         {durations}",
        taken.as_secs_f64()
    );
    server.stop().await;
    Ok(())
}

/// In the order in which they are sent: the first callback of every call, then the second.
fn requests(attempts: &[CallAttempt], base: &str) -> anyhow::Result<Vec<Request>> {
    let mut requests = Vec::new();
    for (sequence, (webhook, what)) in CALLBACKS.iter().enumerate() {
        for attempt in attempts {
            requests.push(request(attempt, base, sequence, webhook, what)?);
        }
    }
    Ok(requests)
}

fn request(
    attempt: &CallAttempt,
    base: &str,
    sequence: usize,
    webhook: &str,
    what: &[(&str, &str)],
) -> anyhow::Result<Request> {
    let (company, id) = (attempt.company_id, attempt.id);
    let step = if webhook == "turn" { "&step=1" } else { "" };
    let path = format!("/webhooks/twilio/{webhook}?company={company}&attempt={id}{step}");
    let (sid, number) = (format!("CA{}", id.as_uuid().simple()), sequence.to_string());
    let mut form = vec![
        ("AccountSid", ACCOUNT),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", sid.as_str()),
        ("Direction", "outbound-api"),
        ("From", "+390612345678"),
        ("SequenceNumber", number.as_str()),
        ("To", attempt.phone_number.as_str()),
        ("ToCity", ""),
    ];
    form.extend(what);
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&form)
        .finish();
    form.sort_unstable();
    let mut mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes())?;
    mac.update(format!("{PUBLIC_URL}{path}").as_bytes());
    for (name, value) in form {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let kind = "application/x-www-form-urlencoded; charset=UTF-8";
    Ok(Request {
        url: format!("{base}{path}"),
        headers: vec![
            ("content-type", kind.to_owned()),
            ("x-twilio-signature", signature),
            ("i-twilio-idempotency-token", format!("{id}-{sequence}")),
        ],
        body: body.into_bytes(),
    })
}
