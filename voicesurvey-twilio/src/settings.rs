//! What a [`TwilioProvider`](crate::TwilioProvider) is told, and what is wrong with it.
//!
//! Whatever can be seen to be wrong is found before the first call, all of it at once and by name.

mod machine_detection;
mod voices;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;
use voicesurvey_core::id::CompanyId;
use voicesurvey_core::phone_number::PhoneNumber;

pub use self::machine_detection::{Detection, ListenUntil, MachineDetection};
pub use self::voices::{Voice, Voices};
use crate::secret::Secret;

/// The host of the United States, where accounts are unless somebody chose another region.
const US1: &str = "https://api.twilio.com";

/// How Twilio is reached and what calls sound like.
#[derive(Clone, Debug)]
pub struct TwilioSettings {
    /// The account, `AC…`.
    pub account_sid: String,
    /// Who we are to the REST interface.
    pub credentials: Credentials,
    /// The account's auth tokens, with which Twilio signs webhooks: the primary one, and while
    /// tokens are rotated also the other. An API key does not sign.
    pub webhook_tokens: Vec<Secret>,
    /// The REST interface; another region has its own host, such as
    /// `https://api.dublin.ie1.twilio.com`, its own tokens and its own keys.
    pub base_url: String,
    /// Where Twilio reaches our server. Signatures are verified over this, whatever a proxy made of
    /// the request.
    pub public_url: String,
    /// The number that is shown, unless a campaign has its own. Twilio must know it as ours.
    pub caller_id: PhoneNumber,
    /// The other numbers that the campaigns of a company may show. The account knows numbers of all
    /// companies as ours, and none is to call in the name of another.
    pub caller_ids: BTreeMap<CompanyId, BTreeSet<PhoneNumber>>,
    /// Whether machines are told from people, unless a campaign says otherwise.
    pub machine_detection: MachineDetection,
    /// How machines are detected where only a campaign wants that.
    pub detection: Detection,
    /// Whether both sides of a recorded call are kept apart.
    pub recording_channels: RecordingChannels,
    /// The voice of each language.
    pub voices: Voices,
    /// Twilio's name of the recogniser; `None` leaves the choice to Twilio. Names of vendors make
    /// them sub-processors.
    pub speech_model: Option<String>,
    /// How much of the time connecting may take.
    pub connect_timeout: Duration,
    /// How long a request may take from the first byte sent to the last one read. When it ends
    /// nobody knows whether the call was placed, so it is generous.
    pub request_timeout: Duration,
}

/// Who we are to the REST interface.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// An API key, which can be revoked by itself.
    ApiKey {
        /// Its name, `SK…`.
        sid: String,
        /// Its secret.
        secret: Secret,
    },
    /// The account's auth token.
    AuthToken(Secret),
}

/// How a recording keeps the two sides of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordingChannels {
    /// Both in one channel.
    #[default]
    Mono,
    /// Each in its own.
    Dual,
}

impl RecordingChannels {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mono => "mono",
            Self::Dual => "dual",
        }
    }
}

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongSetting {
    /// Its name in [`TwilioSettings`].
    pub setting: &'static str,
    /// What it must be.
    pub what: String,
}

impl fmt::Display for WrongSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.what)
    }
}

/// Why no provider can be made of the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Settings that are wrong, all of them.
    #[error("wrong settings for Twilio: {}", listed(.0))]
    Wrong(Vec<WrongSetting>),
    /// The client for HTTP.
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
}

fn listed(wrong: &[WrongSetting]) -> String {
    let texts: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl TwilioSettings {
    /// Settings for an account in the United States, with nothing special.
    pub fn new(
        account_sid: impl Into<String>,
        credentials: Credentials,
        webhook_token: Secret,
        public_url: impl Into<String>,
        caller_id: PhoneNumber,
    ) -> Self {
        Self {
            account_sid: account_sid.into(),
            credentials,
            webhook_tokens: vec![webhook_token],
            base_url: US1.to_owned(),
            public_url: public_url.into(),
            caller_id,
            caller_ids: BTreeMap::new(),
            machine_detection: MachineDetection::Off,
            detection: Detection::default(),
            recording_channels: RecordingChannels::Mono,
            voices: Voices::default(),
            speech_model: None,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(20),
        }
    }

    /// Whether the campaigns of a company may show a number.
    pub(crate) fn allows(&self, company: CompanyId, caller_id: &PhoneNumber) -> bool {
        let own = self.caller_ids.get(&company);
        *caller_id == self.caller_id || own.is_some_and(|own| own.contains(caller_id))
    }

    /// Finds everything that is wrong.
    pub fn check(&self) -> Result<(), SettingsError> {
        let mut wrong = Vec::new();
        let mut require = |setting, holds: bool, what: &str| {
            if !holds {
                let what = what.to_owned();
                wrong.push(WrongSetting { setting, what });
            }
        };
        let account = is_sid("AC", &self.account_sid);
        require("account_sid", account, "AC and 32 hexadecimal digits");
        match &self.credentials {
            Credentials::ApiKey { sid, secret } => {
                let key = is_sid("SK", sid);
                require("api_key_sid", key, "SK and 32 hexadecimal digits");
                let secret = secret.is_plausible();
                require("api_key_secret", secret, "printable, and not empty");
            }
            Credentials::AuthToken(token) => {
                require(
                    "auth_token",
                    token.is_plausible(),
                    "printable, and not empty",
                );
            }
        }
        let tokens = &self.webhook_tokens;
        let one_or_two = matches!(tokens.len(), 1..=2) && tokens.iter().all(Secret::is_plausible);
        require(
            "webhook_tokens",
            one_or_two,
            "one token, or two while they are rotated",
        );
        if let Err(what) = check_base_url(&self.base_url) {
            require("base_url", false, what);
        }
        if let Err(what) = check_public_url(&self.public_url) {
            require("public_url", false, what);
        }
        let model = self.speech_model.as_ref().is_none_or(|name| is_name(name));
        require(
            "speech_model",
            model,
            "one of Twilio's names, such as phone_call",
        );
        let connect =
            self.connect_timeout > Duration::ZERO && self.connect_timeout < self.request_timeout;
        require(
            "connect_timeout",
            connect,
            "shorter than request_timeout, and not zero",
        );
        let request = self.request_timeout <= Duration::from_mins(1);
        require("request_timeout", request, "a minute at most");
        wrong.extend(self.voices.wrong());
        wrong.extend(self.machine_detection.wrong());
        for figure in MachineDetection::Sync(self.detection).wrong() {
            if !wrong.contains(&figure) {
                wrong.push(figure);
            }
        }
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(SettingsError::Wrong(wrong))
        }
    }
}

/// Whether it is a name as Twilio gives them to things of that kind.
pub(crate) fn is_sid(kind: &str, text: &str) -> bool {
    text.strip_prefix(kind).is_some_and(|digits| {
        digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Whether it may be the name of a voice or a recogniser; no other text gets into a document.
pub(crate) fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    matches!(text.len(), 1..=64) && text.bytes().all(is_letter)
}

fn check_base_url(text: &str) -> Result<(), &'static str> {
    let url = bare_url(text)?;
    if url.path() != "/" {
        return Err("a host without a path");
    }
    let host = url.host_str().unwrap_or_default();
    let labels: Vec<&str> = host.split('.').collect();
    if let [_, region, "twilio", "com"] = labels[..]
        && is_region(region)
    {
        // Such hosts stopped serving regions in April 2026.
        return Err("a region needs an edge: https://api.dublin.ie1.twilio.com");
    }
    Ok(())
}

fn is_region(label: &str) -> bool {
    matches!(label.as_bytes(), [first, second, digit]
        if first.is_ascii_alphabetic() && second.is_ascii_alphabetic() && digit.is_ascii_digit())
}

fn check_public_url(text: &str) -> Result<(), &'static str> {
    let url = bare_url(text)?;
    if url.host_str().is_some_and(|host| host.contains('_')) {
        return Err("Twilio calls no host with an underscore in its name");
    }
    Ok(())
}

/// A URL that others can be made of, which keeps secrets on the way. Only this machine is reached
/// without TLS.
fn bare_url(text: &str) -> Result<Url, &'static str> {
    let url: Url = text
        .parse()
        .map_err(|_| "a URL that begins with https://")?;
    if !(url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url)) {
        return Err("a URL that begins with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL that names no user");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("a URL without ? and #");
    }
    Ok(url)
}

/// A proxy of the environment has no business between us and this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
pub(crate) mod tests {
    use voicesurvey_core::testing::samples;

    use super::*;

    /// Settings that are right.
    pub(crate) fn sample() -> TwilioSettings {
        let token = Secret::new("top-secret");
        TwilioSettings::new(
            "AC0123456789abcdef0123456789abcdef",
            Credentials::AuthToken(token.clone()),
            token,
            "https://survey.example.org",
            samples::phone_number(1),
        )
    }

    fn wrong(change: impl FnOnce(&mut TwilioSettings)) -> Vec<&'static str> {
        let mut settings = sample();
        change(&mut settings);
        match settings.check() {
            Ok(()) => Vec::new(),
            Err(SettingsError::Wrong(wrong)) => wrong.iter().map(|it| it.setting).collect(),
            Err(SettingsError::Client(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn each_wrong_setting_is_named() {
        assert!(wrong(|_| ()).is_empty());
        let sid = "AC0123456789abcdef0123456789abcdeg";
        assert_eq!(
            wrong(|it| sid.clone_into(&mut it.account_sid)),
            ["account_sid"]
        );
        let key = |sid: &str, secret: &str| Credentials::ApiKey {
            sid: sid.to_owned(),
            secret: Secret::new(secret),
        };
        assert_eq!(
            wrong(|it| it.credentials = key("AC1", "")),
            ["api_key_sid", "api_key_secret"]
        );
        let good_key = key("SK0123456789abcdef0123456789abcdef", "secret");
        assert!(wrong(|it| it.credentials = good_key).is_empty());
        let line = Secret::new("token\n");
        assert_eq!(
            wrong(|it| it.credentials = Credentials::AuthToken(line)),
            ["auth_token"]
        );
        assert_eq!(wrong(|it| it.webhook_tokens.clear()), ["webhook_tokens"]);
        let three = vec![Secret::new("a"); 3];
        assert_eq!(wrong(|it| it.webhook_tokens = three), ["webhook_tokens"]);
        assert!(wrong(|it| it.webhook_tokens.push(Secret::new("b"))).is_empty());
        let model = Some("deepgram nova".to_owned());
        assert_eq!(wrong(|it| it.speech_model = model), ["speech_model"]);
        assert_eq!(
            wrong(|it| it.connect_timeout = it.request_timeout),
            ["connect_timeout"]
        );
        assert_eq!(
            wrong(|it| it.request_timeout = Duration::from_secs(61)),
            ["request_timeout"]
        );
    }

    #[test]
    fn several_wrong_settings_are_told_at_once() {
        let mut settings = sample();
        settings.account_sid.clear();
        settings.base_url.clear();
        let told = settings.check().unwrap_err().to_string();
        assert_eq!(
            told,
            "wrong settings for Twilio: account_sid: AC and 32 hexadecimal digits; \
             base_url: a URL that begins with https://"
        );
    }

    #[test]
    fn secrets_travel_by_tls_and_regions_have_an_edge() {
        for (url, is_right) in [
            ("https://api.twilio.com", true),
            ("https://api.twilio.com/", true),
            ("https://api.dublin.ie1.twilio.com", true),
            ("http://127.0.0.1:4010", true),
            ("http://[::1]:4010", true),
            ("https://api.ie1.twilio.com", false),
            ("https://api.au1.twilio.com", false),
            ("http://api.twilio.com", false),
            ("https://user:pass@api.twilio.com", false),
            ("https://api.twilio.com/2010-04-01", false),
            ("api.twilio.com", false),
            ("", false),
        ] {
            let found = wrong(|it| url.clone_into(&mut it.base_url));
            assert_eq!(found.is_empty(), is_right, "{url}: {found:?}");
        }
    }

    #[test]
    fn the_public_url_is_one_that_twilio_calls() {
        for (url, is_right) in [
            ("https://survey.example.org", true),
            ("https://survey.example.org:8443/voice/", true),
            ("http://localhost:8080", true),
            ("http://survey.example.org", false),
            ("https://my_survey.example.org", false),
            ("https://survey.example.org?key=1", false),
            ("https://survey.example.org#here", false),
            ("https://me@survey.example.org", false),
        ] {
            let found = wrong(|it| url.clone_into(&mut it.public_url));
            assert_eq!(found.is_empty(), is_right, "{url}: {found:?}");
        }
    }

    #[test]
    fn secrets_and_numbers_do_not_show_themselves() {
        let shown = format!("{:?}", sample());
        assert!(!shown.contains("top-secret"), "{shown}");
        assert!(!shown.contains("+39"), "{shown}");
    }
}
