//! One call to one number: rings, says one sentence, and hangs up.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};
use voicesurvey_core::call_attempt::{CallEvent, CallEventKind};
use voicesurvey_core::id::{CallAttemptId, CompanyId, IdGenerator};
use voicesurvey_core::language::Language;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{CallReference, FoundCall, PlaceCallError, TelephonyProvider as _};
use voicesurvey_core::time::{Clock, SystemClock};
use voicesurvey_twilio::TwilioProvider;

use super::gate::Gate;
use crate::commands::CommandError;
use crate::config::{Config, ProviderName};
use crate::providers;

const LIVE: &str = "a call is answered";

/// How often Twilio is asked how far the call is, and how often at most: it rings for half a minute
/// and lasts for a minute.
const PAUSE: Duration = Duration::from_secs(2);
const MOST_LOOKS: u8 = 60;

/// What somebody wants to be called.
pub(super) struct Wish {
    pub(super) number: PhoneNumber,
    pub(super) language: Language,
    /// Whether there is no need to ask.
    pub(super) is_confirmed: bool,
    /// Whether somebody has asked not to be called there.
    pub(super) is_excluded: bool,
    /// Whether everything else is right.
    pub(super) may_call: bool,
}

/// Calls, if nothing speaks against it. `input` is where somebody types.
pub(super) async fn call(
    config: &Config,
    wish: &Wish,
    input: &mut (impl AsyncBufRead + Unpin),
) -> Result<Gate, CommandError> {
    if config.telephony.provider != ProviderName::Twilio {
        return Ok(Gate::skipped("live", LIVE, "the provider calls nobody"));
    }
    if !wish.may_call {
        return Ok(Gate::skipped("live", LIVE, "something else is wrong"));
    }
    if wish.is_excluded {
        let what_to_do = "call another number: nobody is called there, not even for a trial";
        return Ok(Gate::failed(
            "live",
            LIVE,
            "the number is excluded",
            what_to_do,
        ));
    }
    if !(wish.is_confirmed || confirm(&wish.number, input).await?) {
        let what_to_do = "type the number as it was given, or use --yes";
        return Ok(Gate::failed(
            "live",
            LIVE,
            "nobody confirmed it, so nobody was called",
            what_to_do,
        ));
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let public_url = &config.public_url;
    let twilio = providers::twilio(&config.telephony.twilio, public_url, clock.clone());
    let twilio = twilio.map_err(CommandError::System)?;
    let placed = twilio.place_trial_call(&wish.number, wish.language).await;
    let sid = match placed {
        Ok(placed) => placed.provider_call_id,
        Err(error) => return Ok(not_placed(&error)),
    };
    let ids = IdGenerator::from_entropy(clock);
    let call = CallReference {
        company_id: ids.next::<CompanyId>(),
        attempt_id: ids.next::<CallAttemptId>(),
        provider_call_id: Some(sid.clone()),
    };
    Ok(follow(&twilio, &call, &sid).await)
}

/// Whether somebody types the number again.
async fn confirm(
    number: &PhoneNumber,
    input: &mut (impl AsyncBufRead + Unpin),
) -> Result<bool, CommandError> {
    let question =
        format!("This calls {number} and costs money. Type the number again to call it: ");
    // OK because without a screen nobody can confirm, and nobody is called.
    let _ = io::stderr().write_all(question.as_bytes());
    let mut line = String::new();
    let read = input.read_line(&mut line).await;
    read.map_err(CommandError::Input)?;
    Ok(line.trim() == number.as_str())
}

fn not_placed(error: &PlaceCallError) -> Gate {
    let (what, what_to_do) = match error {
        PlaceCallError::Configuration { code, what } => (
            format!("Twilio refuses it ({code}): {what}"),
            "look the code up in docs/twilio.md",
        ),
        PlaceCallError::Rejected { code, outcome } => (
            format!("Twilio does not call that number ({code}, {outcome})"),
            "call another number, and look the code up in docs/twilio.md",
        ),
        PlaceCallError::RetryLater { .. } => (
            "Twilio takes no calls now, or cannot be reached".to_owned(),
            "try again in a minute",
        ),
        PlaceCallError::Unknown { source } => (
            format!("it is not known whether Twilio calls: {source}"),
            "look at the list of calls in Twilio's console before you try again",
        ),
    };
    Gate::failed("live", LIVE, what, what_to_do)
}

/// Asks how far the call is until it has ended.
async fn follow(twilio: &TwilioProvider, call: &CallReference, sid: &str) -> Gate {
    let mut rhythm = tokio::time::interval(PAUSE);
    for _ in 0..MOST_LOOKS {
        rhythm.tick().await;
        match twilio.find_call(call).await {
            Ok(FoundCall::Found { events }) => {
                if let Some(gate) = judge(&events, sid) {
                    return heard(twilio, call, gate).await;
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, sid, "Twilio does not tell how far the call is"),
        }
    }
    let what_to_do = "look at the call in Twilio's console";
    Gate::failed(
        "live",
        LIVE,
        format!("nothing is known of the end of {sid}"),
        what_to_do,
    )
}

/// A call is completed too if Twilio could not ask what is to be said; then it tells why.
async fn heard(twilio: &TwilioProvider, call: &CallReference, gate: Gate) -> Gate {
    if gate.has_failed() {
        return gate;
    }
    match twilio.errors_in(call).await {
        Ok(errors) if errors.is_empty() => gate,
        Ok(errors) => {
            let what_to_do =
                "look the code up in docs/twilio.md: the sentence was not heard as it should";
            Gate::failed("live", LIVE, errors.join("; "), what_to_do)
        }
        Err(error) => {
            let what_to_do =
                "look at the call in Twilio's console, and ask who answered what was said";
            Gate::warned("live", LIVE, error.what, what_to_do)
        }
    }
}

/// What can be said of a call that has ended.
fn judge(events: &[CallEvent], sid: &str) -> Option<Gate> {
    let ended = events.iter().find_map(|event| match event.kind {
        CallEventKind::Ended { outcome } => Some((outcome, event.raw_status.clone())),
        _ => None,
    });
    let (outcome, status) = ended?;
    let status = status.unwrap_or_default();
    if outcome.is_none() {
        let note = format!("{sid} ended as {status}; whoever answered has heard the sentence");
        return Some(Gate::passed("live", LIVE, note));
    }
    let what_to_do = "pick up next time; if it never rings, look at the call in Twilio's console: \
                      its error is in the table of docs/twilio.md";
    let what = format!("{sid} ended as {status}");
    Some(Gate::failed("live", LIVE, what, what_to_do))
}

#[cfg(test)]
mod tests;
