use super::super::super::{Config, ConfigError, DEFAULT_FILE, Flags};
use super::*;

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const KEY: &str = "SK0123456789abcdef0123456789abcdef";

/// Variables of an installation that is ready, and then some more.
fn variables(more: &[(&str, &str)]) -> Vec<(String, String)> {
    let ready = [
        ("PUBLIC_URL", "https://survey.example.org"),
        ("TELEPHONY_PROVIDER", "twilio"),
        ("TELEPHONY_TWILIO_ACCOUNT_SID", ACCOUNT),
        ("TELEPHONY_TWILIO_AUTH_TOKEN", "0123456789"),
        ("TELEPHONY_TWILIO_CALLER_ID", "+390612345678"),
    ];
    let all = ready.iter().chain(more);
    all.map(|(name, value)| (format!("VOICESURVEY_{name}"), (*value).to_owned()))
        .collect()
}

fn load(more: &[(&str, &str)], file: &str) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(DEFAULT_FILE), file).unwrap();
    let loaded = Config::from_sources(&Flags::default(), variables(more), directory.path());
    loaded.map(|loaded| loaded.config)
}

fn settings(more: &[(&str, &str)], file: &str) -> TwilioSettings {
    let config = load(more, file).unwrap();
    config
        .telephony
        .twilio
        .settings(&config.public_url)
        .unwrap()
}

/// The names of the wrong settings, in order.
fn wrong(more: &[(&str, &str)]) -> Vec<String> {
    let refused = load(more, "").unwrap_err().to_string();
    let lines = refused
        .trim_start_matches("the configuration is wrong: ")
        .lines();
    lines
        .map(|line| line.split([' ', ':']).next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_defaults_are_those_of_the_provider() {
    let token = Secret::new("0123456789");
    let defaults = TwilioSettings::new(
        ACCOUNT,
        Credentials::AuthToken(token.clone()),
        token,
        "https://survey.example.org",
        "+390612345678".parse().unwrap(),
    );
    assert_eq!(format!("{:?}", settings(&[], "")), format!("{defaults:?}"));
}

#[test]
fn everything_can_be_set() {
    let file = r#"
        [telephony.twilio]
        api_key_sid = "SK0123456789abcdef0123456789abcdef"
        api_key_secret = "the secret of the key"
        other_auth_token = "another-token"
        base_url = "https://api.dublin.ie1.twilio.com"
        connect_timeout_milliseconds = 2000
        request_timeout_milliseconds = 30000
        speech_model = "deepgram_nova-3"
        recording_channels = "dual"
        [telephony.twilio.machine_detection]
        mode = "async"
        listen_until = "greeting_ends"
        timeout_seconds = 20
        speech_threshold_milliseconds = 1900
        speech_end_threshold_milliseconds = 1400
        silence_timeout_milliseconds = 4000
        [telephony.twilio.voices]
        ru = "ru-RU Google.ru-RU-Wavenet-C"
    "#;
    let secret = "the-secret-of-the-key";
    let settings = settings(&[("TELEPHONY_TWILIO_API_KEY_SECRET", secret)], file);
    assert!(
        matches!(&settings.credentials, Credentials::ApiKey { sid, .. } if sid == KEY),
        "{settings:?}"
    );
    assert_eq!(settings.webhook_tokens.len(), 2);
    assert_eq!(settings.base_url, "https://api.dublin.ie1.twilio.com");
    assert_eq!(settings.connect_timeout, Duration::from_secs(2));
    assert_eq!(settings.request_timeout, Duration::from_secs(30));
    assert_eq!(settings.speech_model.as_deref(), Some("deepgram_nova-3"));
    assert_eq!(settings.recording_channels, RecordingChannels::Dual);
    let detection = Detection {
        until: ListenUntil::GreetingEnds,
        timeout: Some(Duration::from_secs(20)),
        speech_threshold: Some(Duration::from_millis(1_900)),
        speech_end_threshold: Some(Duration::from_millis(1_400)),
        silence_timeout: Some(Duration::from_secs(4)),
    };
    assert_eq!(
        settings.machine_detection,
        MachineDetection::Async(detection)
    );
    let voice = Voice::new("ru-RU", "Google.ru-RU-Wavenet-C");
    assert_eq!(settings.voices, Voices::default().with(Language::Ru, voice));
}

#[test]
fn every_wrong_setting_is_named_as_it_stands_in_the_file() {
    const TWILIO: &str = "telephony.twilio.";
    for (variable, value, setting) in [
        ("PUBLIC_URL", "", "public_url"),
        ("PUBLIC_URL", "http://survey.example.org", "public_url"),
        ("TELEPHONY_TWILIO_ACCOUNT_SID", KEY, "account_sid"),
        ("TELEPHONY_TWILIO_AUTH_TOKEN", "", "auth_token"),
        (
            "TELEPHONY_TWILIO_OTHER_AUTH_TOKEN",
            "two words",
            "auth_token",
        ),
        ("TELEPHONY_TWILIO_API_KEY_SID", KEY, "api_key_secret"),
        ("TELEPHONY_TWILIO_API_KEY_SECRET", "x", "api_key_sid"),
        ("TELEPHONY_TWILIO_CALLER_ID", "06 1234 5678", "caller_id"),
        (
            "TELEPHONY_TWILIO_BASE_URL",
            "https://api.ie1.twilio.com",
            "base_url",
        ),
        (
            "TELEPHONY_TWILIO_CONNECT_TIMEOUT_MILLISECONDS",
            "20000",
            "connect_timeout_milliseconds",
        ),
        (
            "TELEPHONY_TWILIO_REQUEST_TIMEOUT_MILLISECONDS",
            "60001",
            "request_timeout_milliseconds",
        ),
        ("TELEPHONY_TWILIO_SPEECH_MODEL", "nova 3", "speech_model"),
        (
            "TELEPHONY_TWILIO_RECORDING_CHANNELS",
            "stereo",
            "recording_channels",
        ),
        (
            "TELEPHONY_TWILIO_MACHINE_DETECTION_MODE",
            "on",
            "machine_detection.mode",
        ),
        (
            "TELEPHONY_TWILIO_MACHINE_DETECTION_LISTEN_UNTIL",
            "ever",
            "machine_detection.listen_until",
        ),
        ("TELEPHONY_TWILIO_VOICES_IT", "Polly.Bianca", "voices.it"),
        ("TELEPHONY_TWILIO_VOICES_IT", "it Polly.Bianca", "voices"),
    ] {
        let setting = match setting {
            "public_url" => setting.to_owned(),
            _ => format!("{TWILIO}{setting}"),
        };
        assert_eq!(wrong(&[(variable, value)]), [setting], "{variable}={value}");
    }
}

#[test]
fn figures_and_times_that_cannot_be_are_named_too() {
    const TWILIO: &str = "telephony.twilio.";
    for (figure, value) in [
        ("timeout_seconds", "2"),
        ("speech_threshold_milliseconds", "999"),
        ("speech_end_threshold_milliseconds", "5001"),
        ("silence_timeout_milliseconds", "1999"),
    ] {
        let variable = format!(
            "TELEPHONY_TWILIO_MACHINE_DETECTION_{}",
            figure.to_uppercase()
        );
        let mode = ("TELEPHONY_TWILIO_MACHINE_DETECTION_MODE", "sync");
        let setting = format!("{TWILIO}machine_detection.{figure}");
        assert_eq!(wrong(&[mode, (&variable, value)]), [setting]);
    }
    let grace = ("ENGINE_GRACE_AFTER_DEADLINE_SECONDS", "20");
    assert_eq!(
        wrong(&[grace]),
        ["telephony.twilio.request_timeout_milliseconds"]
    );
}

#[test]
fn several_wrong_settings_are_told_at_once() {
    let empty = [
        ("PUBLIC_URL", ""),
        ("TELEPHONY_TWILIO_ACCOUNT_SID", ""),
        ("TELEPHONY_TWILIO_AUTH_TOKEN", ""),
    ];
    assert_eq!(
        wrong(&empty),
        [
            "telephony.twilio.account_sid",
            "telephony.twilio.auth_token",
            "public_url"
        ]
    );
}

#[test]
fn this_machine_is_reached_without_tls() {
    for url in [
        "http://127.0.0.1:8880",
        "http://localhost:8880",
        "https://s.example.org",
    ] {
        assert!(load(&[("PUBLIC_URL", url)], "").is_ok(), "{url}");
    }
}

#[test]
fn who_does_not_call_through_twilio_needs_none_of_it() {
    let other = ("TELEPHONY_PROVIDER", "simulated");
    for variable in ["PUBLIC_URL", "TELEPHONY_TWILIO_AUTH_TOKEN"] {
        assert!(load(&[other, (variable, "")], "").is_ok());
    }
}

#[test]
fn the_number_of_the_test_credentials_may_call() {
    let magic = ("TELEPHONY_TWILIO_CALLER_ID", "+15005550006");
    assert_eq!(settings(&[magic], "").caller_id.as_str(), "+15005550006");
}

#[test]
fn no_secret_is_shown() {
    let secrets = [
        ("TELEPHONY_TWILIO_OTHER_AUTH_TOKEN", "hidden-other"),
        ("TELEPHONY_TWILIO_API_KEY_SID", KEY),
        ("TELEPHONY_TWILIO_API_KEY_SECRET", "hidden-key"),
        ("TELEPHONY_TWILIO_AUTH_TOKEN", "hidden-token"),
    ];
    let config = load(&secrets, "").unwrap();
    assert!(!format!("{config:?}").contains("hidden"), "{config:?}");
    let wrong_secrets = [
        ("TELEPHONY_TWILIO_AUTH_TOKEN", "hidden token"),
        ("TELEPHONY_TWILIO_API_KEY_SECRET", "hidden key"),
    ];
    let refused = load(&wrong_secrets, "").unwrap_err().to_string();
    assert!(!refused.contains("hidden"), "{refused}");
    for setting in ["auth_token", "other_auth_token", "api_key_secret"] {
        let file = format!("[telephony.twilio]\n{setting} = [\"hidden\"]");
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(DEFAULT_FILE), file).unwrap();
        let none = Vec::<(String, String)>::new();
        let refused = Config::from_sources(&Flags::default(), none, directory.path());
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(setting), "{refused}");
        assert!(!refused.contains("hidden"), "{refused}");
    }
}
