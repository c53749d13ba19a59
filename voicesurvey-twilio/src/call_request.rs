//! The form with which a call is ordered.

use std::time::Duration;

use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::CallOrder;

use crate::client::Form;
use crate::settings::MachineDetection;
use crate::urls::WebhookUrls;

/// How long a telephone may ring, in seconds. Twilio takes up to ten minutes; below five nobody gets
/// to the telephone.
const RING: std::ops::RangeInclusive<u64> = 5..=600;

/// The longest call in seconds of an account that has not asked for more.
const LONGEST_CALL: u64 = 14_400;

/// The conversation ends politely by itself when it has lasted as long as it may. It is given this
/// time to notice, and to say goodbye; machine detection and ringing tones are in it.
const GOODBYE: Duration = Duration::from_mins(2);

/// The form of `order`. It is never recorded from here: recording begins with consent.
pub(crate) fn form(
    order: &CallOrder,
    caller_id: &PhoneNumber,
    detection: &MachineDetection,
    urls: &WebhookUrls,
) -> Form {
    let (company, attempt) = (order.company_id, order.attempt_id);
    let post = || "POST".to_owned();
    let mut form = vec![
        ("To", order.phone_number.to_string()),
        ("From", caller_id.to_string()),
        ("Url", urls.answer(company, attempt)),
        ("Method", post()),
        (
            "FallbackUrl",
            urls.fallback(company, attempt, order.language),
        ),
        ("FallbackMethod", post()),
        ("StatusCallback", urls.status(company, attempt)),
        ("StatusCallbackMethod", post()),
    ];
    // One key for each. Written as one list, Twilio takes it and tells nothing.
    for event in ["initiated", "ringing", "answered", "completed"] {
        form.push(("StatusCallbackEvent", event.to_owned()));
    }
    let ring = whole_seconds(order.ring_for).clamp(*RING.start(), *RING.end());
    let longest = whole_seconds(order.longest_call + GOODBYE).clamp(1, LONGEST_CALL);
    form.push(("Timeout", ring.to_string()));
    form.push(("TimeLimit", longest.to_string()));
    form.extend(detection.parameters());
    if detection.is_async() {
        form.push(("AsyncAmdStatusCallback", urls.amd(company, attempt)));
        form.push(("AsyncAmdStatusCallbackMethod", post()));
    }
    form
}

/// Rounded up: what was promised is not cut short.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use voicesurvey_core::id::{CallAttemptId, CompanyId};
    use voicesurvey_core::language::Language;
    use voicesurvey_core::ports::CallOptions;
    use voicesurvey_core::testing::samples;

    use super::*;
    use crate::settings::Detection;

    fn order() -> CallOrder {
        CallOrder {
            company_id: CompanyId::from_uuid(Uuid::from_u128(1)),
            attempt_id: CallAttemptId::from_uuid(Uuid::from_u128(2)),
            phone_number: samples::phone_number(7),
            language: Language::It,
            ring_for: Duration::from_secs(30),
            longest_call: Duration::from_mins(10),
            options: CallOptions::default(),
        }
    }

    fn ordered(order: &CallOrder, detection: &MachineDetection) -> String {
        let urls = WebhookUrls::new("https://s.example.org");
        let form = form(order, &samples::phone_number(1), detection, &urls);
        let lines = form.iter().map(|(name, value)| format!("{name}={value}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_call_is_ordered_with_everything_that_must_be_said() {
        let call = "?company=00000000-0000-0000-0000-000000000001\
                    &attempt=00000000-0000-0000-0000-000000000002";
        let hooks = "https://s.example.org/webhooks/twilio";
        let expected = format!(
            "To=+393470000007\n\
             From=+393470000001\n\
             Url={hooks}/answer{call}\n\
             Method=POST\n\
             FallbackUrl={hooks}/fallback{call}&language=it\n\
             FallbackMethod=POST\n\
             StatusCallback={hooks}/status{call}#rc=5&rp=ct,rt,5xx\n\
             StatusCallbackMethod=POST\n\
             StatusCallbackEvent=initiated\n\
             StatusCallbackEvent=ringing\n\
             StatusCallbackEvent=answered\n\
             StatusCallbackEvent=completed\n\
             Timeout=30\n\
             TimeLimit=720"
        );
        assert_eq!(ordered(&order(), &MachineDetection::Off), expected);
        let sync = MachineDetection::Sync(Detection::default());
        assert_eq!(
            ordered(&order(), &sync),
            format!("{expected}\nMachineDetection=Enable")
        );
        let behind = MachineDetection::Async(Detection::default());
        assert_eq!(
            ordered(&order(), &behind),
            format!(
                "{expected}\nMachineDetection=Enable\nAsyncAmd=true\n\
                 AsyncAmdStatusCallback={hooks}/amd{call}#rc=5&rp=ct,rt,5xx\n\
                 AsyncAmdStatusCallbackMethod=POST"
            )
        );
    }

    #[test]
    fn times_are_whole_seconds_that_twilio_takes() {
        for (ring, longest, expected) in [
            (0, 0, "Timeout=5\nTimeLimit=120"),
            (30_500, 600_001, "Timeout=31\nTimeLimit=721"),
            (3_600_000, 36_000_000, "Timeout=600\nTimeLimit=14400"),
        ] {
            let order = CallOrder {
                ring_for: Duration::from_millis(ring),
                longest_call: Duration::from_millis(longest),
                ..order()
            };
            let ordered = ordered(&order, &MachineDetection::Off);
            assert!(ordered.ends_with(expected), "{ordered}");
        }
    }
}
