//! The URLs that Twilio is given to call us by, and what it signs of them.
//!
//! Every one names its company and its attempt, because Twilio keeps no word of ours beside a call:
//! so even a callback that overtakes the answer to our request finds its attempt.

use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::language::Language;
use voicesurvey_core::ports::CallReference;

/// Twilio tries callbacks up to five times more while they cannot be delivered: at connecting, at
/// reading, and when we cannot store. All tries together take 15 seconds at most.
const RETRIES: &str = "#rc=5&rp=ct,rt,5xx";

/// The webhooks that Twilio calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// The call was answered: what is said first?
    Answer,
    /// Something was heard: what is said next?
    Turn,
    /// The call has come further.
    Status,
    /// Who answered is known.
    Amd,
    /// A recording began, was finished or is not there.
    Recording,
    /// One of the first two could not be asked.
    Fallback,
    /// Nothing: somebody tries whether webhooks arrive as they were sent.
    Check,
}

impl Endpoint {
    const ALL: [Self; 7] = [
        Self::Answer,
        Self::Turn,
        Self::Status,
        Self::Amd,
        Self::Recording,
        Self::Fallback,
        Self::Check,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Turn => "turn",
            Self::Status => "status",
            Self::Amd => "amd",
            Self::Recording => "recording",
            Self::Fallback => "fallback",
            Self::Check => "check",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|endpoint| endpoint.name() == name)
    }
}

/// Makes URLs under the public one.
#[derive(Clone, Debug)]
pub(crate) struct WebhookUrls {
    base: String,
}

impl WebhookUrls {
    pub(crate) fn new(public_url: &str) -> Self {
        let base = format!(
            "{}/webhooks/{}",
            public_url.trim_end_matches('/'),
            crate::NAME
        );
        Self { base }
    }

    /// A call's URL of that webhook. Nothing in it needs escapes, as nobody escapes alike.
    fn of(&self, endpoint: Endpoint, company: CompanyId, attempt: CallAttemptId) -> String {
        let (base, name) = (&self.base, endpoint.name());
        format!("{base}/{name}?company={company}&attempt={attempt}")
    }

    pub(crate) fn answer(&self, company: CompanyId, attempt: CallAttemptId) -> String {
        self.of(Endpoint::Answer, company, attempt)
    }

    /// Where to tell what was heard after the reply of that step.
    pub(crate) fn turn(&self, call: &CallReference, step: u32) -> String {
        let url = self.of(Endpoint::Turn, call.company_id, call.attempt_id);
        format!("{url}&step={step}")
    }

    /// Where to go when nothing was heard, and nothing told.
    pub(crate) fn silence(&self, call: &CallReference, step: u32) -> String {
        format!("{}&silence=1", self.turn(call, step))
    }

    pub(crate) fn status(&self, company: CompanyId, attempt: CallAttemptId) -> String {
        self.of(Endpoint::Status, company, attempt) + RETRIES
    }

    pub(crate) fn amd(&self, company: CompanyId, attempt: CallAttemptId) -> String {
        self.of(Endpoint::Amd, company, attempt) + RETRIES
    }

    pub(crate) fn recording(&self, call: &CallReference) -> String {
        self.of(Endpoint::Recording, call.company_id, call.attempt_id) + RETRIES
    }

    pub(crate) fn fallback(
        &self,
        company: CompanyId,
        attempt: CallAttemptId,
        language: Language,
    ) -> String {
        let url = self.of(Endpoint::Fallback, company, attempt);
        format!("{url}&language={language}")
    }

    /// Where a trial call asks what is said, and where anybody tries whether webhooks arrive.
    pub(crate) fn check(&self, language: Language) -> String {
        self.of_no_call(Endpoint::Check, language)
    }

    /// Where a trial call goes when that fails.
    pub(crate) fn trial_fallback(&self, language: Language) -> String {
        self.of_no_call(Endpoint::Fallback, language)
    }

    fn of_no_call(&self, endpoint: Endpoint, language: Language) -> String {
        format!("{}/{}?language={language}", self.base, endpoint.name())
    }

    /// The URL as Twilio called it, of which only the webhook's name and the query are taken from
    /// the request: proxies change the rest.
    pub(crate) fn called(&self, endpoint: &str, url: &str) -> String {
        let query = query(url);
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}/{endpoint}{mark}{query}", self.base)
    }
}

/// What follows the question mark, untouched.
pub(crate) fn query(url: &str) -> &str {
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    url.split_once('?').map_or("", |(_, query)| query)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn call() -> CallReference {
        CallReference {
            company_id: CompanyId::from_uuid(Uuid::from_u128(1)),
            attempt_id: CallAttemptId::from_uuid(Uuid::from_u128(2)),
            provider_call_id: None,
        }
    }

    #[test]
    fn urls_name_the_call_and_need_no_escapes() {
        let urls = WebhookUrls::new("https://survey.example.org/voice/");
        let CallReference {
            company_id,
            attempt_id,
            ..
        } = call();
        let at = |rest: &str| {
            let (webhook, more) = rest.split_once('+').unwrap_or((rest, ""));
            format!(
                "https://survey.example.org/voice/webhooks/twilio/{webhook}\
                 ?company=00000000-0000-0000-0000-000000000001\
                 &attempt=00000000-0000-0000-0000-000000000002{more}"
            )
        };
        assert_eq!(urls.answer(company_id, attempt_id), at("answer"));
        assert_eq!(urls.turn(&call(), 3), at("turn+&step=3"));
        assert_eq!(urls.silence(&call(), 3), at("turn+&step=3&silence=1"));
        assert_eq!(
            urls.status(company_id, attempt_id),
            at("status+#rc=5&rp=ct,rt,5xx")
        );
        assert_eq!(
            urls.amd(company_id, attempt_id),
            at("amd+#rc=5&rp=ct,rt,5xx")
        );
        assert_eq!(urls.recording(&call()), at("recording+#rc=5&rp=ct,rt,5xx"));
        assert_eq!(
            urls.fallback(company_id, attempt_id, Language::Ru),
            at("fallback+&language=ru")
        );
    }

    #[test]
    fn of_a_request_only_the_webhook_and_the_query_are_believed() {
        let urls = WebhookUrls::new("https://survey.example.org");
        for url in [
            "http://10.0.0.7:8080/inner/webhooks/twilio/turn?attempt=a%201&step=3",
            "/webhooks/twilio/turn?attempt=a%201&step=3#fragment",
        ] {
            assert_eq!(
                urls.called("turn", url),
                "https://survey.example.org/webhooks/twilio/turn?attempt=a%201&step=3"
            );
        }
        assert_eq!(
            urls.called("turn", "/webhooks/twilio/turn"),
            "https://survey.example.org/webhooks/twilio/turn"
        );
    }

    #[test]
    fn names_of_webhooks_read_back() {
        for endpoint in Endpoint::ALL {
            assert_eq!(Endpoint::from_name(endpoint.name()), Some(endpoint));
        }
        assert_eq!(Endpoint::from_name("events"), None);
    }
}
