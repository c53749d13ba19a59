use std::fs;

use super::*;

fn load(flags: &Flags, variables: &[(&str, &str)], file: &str) -> Result<Loaded, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    if !file.is_empty() {
        fs::write(directory.path().join(DEFAULT_FILE), file).unwrap();
    }
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::from_sources(flags, variables, directory.path())
}

fn refusal(variables: &[(&str, &str)], file: &str) -> String {
    load(&Flags::default(), variables, file)
        .unwrap_err()
        .to_string()
}

#[test]
fn the_defaults_are_a_whole_configuration() {
    let config = load(&Flags::default(), &[], "").unwrap().config;
    assert_eq!(config.listen, "127.0.0.1:8880");
    assert_eq!(config.database.url.to_string(), "sqlite://voicesurvey.db");
    assert_eq!(config.http.operator_token.reveal(), None);
    assert_eq!(config.http.largest_upload_bytes(), 500 * 1024 * 1024);
    assert_eq!(config.telephony.provider, ProviderName::Simulated);
    assert_eq!(config.log.level, LogLevel::Info);
    assert_eq!(
        config.engine.settings(),
        voicesurvey_core::service::EngineSettings::default()
    );
}

#[test]
fn flags_win_over_variables_and_these_over_the_file() {
    let file =
        "listen = \"file:1\"\n[database]\nurl = \"sqlite://file.db\"\n[log]\nlevel = \"warn\"";
    let variables = [
        ("VOICESURVEY_LISTEN", "variable:2"),
        ("VOICESURVEY_DATABASE_URL", "sqlite://variable.db"),
    ];
    let flags = Flags {
        listen: Some("flag:3".to_owned()),
        ..Flags::default()
    };
    let config = load(&flags, &variables, file).unwrap().config;
    assert_eq!(config.listen, "flag:3");
    assert_eq!(config.database.url.to_string(), "sqlite://variable.db");
    assert_eq!(config.log.level, LogLevel::Warn);
    assert_eq!(config.log.format, LogFormat::Text);
}

#[test]
fn a_token_of_digits_in_a_variable_stays_a_text() {
    let variables = [("VOICESURVEY_HTTP_OPERATOR_TOKEN", "0123456789012345678")];
    let loaded = load(&Flags::default(), &variables, "").unwrap();
    assert_eq!(
        loaded.config.http.operator_token.reveal(),
        Some("0123456789012345678")
    );
    assert!(!format!("{loaded:?}").contains("0123456789"));
}

#[test]
fn a_variable_that_is_no_setting_is_reported() {
    let variables = [
        ("VOICESURVEY_PORT", "tcp://10.0.0.1:80"),
        ("VOICESURVEY_CONFIG", "x"),
        ("A", "b"),
    ];
    let loaded = load(&Flags::default(), &variables, "").unwrap();
    assert_eq!(loaded.unknown_variables, ["VOICESURVEY_PORT"]);
}

fn assert_names(refusal: &str, parts: &[&str]) {
    for part in parts {
        assert!(refusal.contains(part), "{part} is missing in: {refusal}");
    }
}

#[test]
fn a_wrong_setting_in_a_file_is_named_with_the_file_and_what_is_expected() {
    for (file, setting, expected) in [
        (
            "[database]\nurll = \"x\"",
            "database.urll",
            "url, max_connections",
        ),
        ("port = 1", "port", "listen, public_url"),
        (
            "[database]\nmax_connections = \"ten\"",
            "database.max_connections",
            "\"ten\"",
        ),
        (
            "[database]\nmax_connections = \"ten\"",
            "database.max_connections",
            "a whole number",
        ),
        (
            "[database]\nmax_connections = 0",
            "database.max_connections",
            "greater than 0",
        ),
        (
            "[telephony]\nprovider = \"pigeon\"",
            "telephony.provider",
            "use simulated",
        ),
        (
            "[telephony.simulated]\nsed = 1",
            "telephony.simulated.sed",
            "seed",
        ),
        (
            "[engine]\nring_for_seconds = 0",
            "engine.ring_for_seconds",
            "from 5 to 120",
        ),
        (
            "public_url = \"survey.example.org\"",
            "public_url",
            "https://",
        ),
        ("database = 1", "database", "a section"),
    ] {
        assert_names(
            &refusal(&[], file),
            &[setting, "voicesurvey.toml: ", expected],
        );
    }
}

#[test]
fn a_wrong_variable_is_named_with_what_is_expected() {
    for (variable, value, setting, expected) in [
        ("VOICESURVEY_LISTEN", "8880", "listen", "HOST:PORT"),
        (
            "VOICESURVEY_DATABASE_MAX_CONNECTIONS",
            "ten",
            "database.max_connections",
            "\"ten\"",
        ),
        (
            "VOICESURVEY_DATABASE_URL",
            "mysql://a",
            "database.url",
            "sqlite://FILE",
        ),
        (
            "VOICESURVEY_EXPORTS_KEEP_HOURS",
            "0",
            "exports.keep_hours",
            "a number from 1 to 720",
        ),
        (
            "VOICESURVEY_LOG_LEVEL",
            "loud",
            "log.level",
            "error, warn, info, debug, trace",
        ),
    ] {
        assert_names(
            &refusal(&[(variable, value)], ""),
            &[variable, setting, expected],
        );
    }
}

#[test]
fn a_file_that_is_no_toml_is_named_with_the_line() {
    let refusal = refusal(&[], "listen = \"a:1\"\nlog\n");
    assert!(
        refusal.contains("voicesurvey.toml") && refusal.contains("line 2"),
        "{refusal}"
    );
}

#[test]
fn no_error_repeats_a_secret() {
    for (variables, file) in [
        (&[][..], "[http]\noperator_token = \"secret"),
        (&[], "[http]\noperator_token = \"secret\""),
        (&[], "[database]\nurl = \"mysql://me:secret@db\""),
        (&[("VOICESURVEY_DATABASE_URL", "me:secret@db")], ""),
        (&[], "[database]\nurl = [\"postgres://me:secret@db\"]"),
    ] {
        let refusal = refusal(variables, file);
        assert!(!refusal.contains("secret"), "{refusal}");
    }
}

#[test]
fn a_file_that_is_named_must_exist() {
    let flags = Flags {
        config_file: Some("no-such-directory/voicesurvey.toml".into()),
        ..Flags::default()
    };
    let refusal = load(&flags, &[], "").unwrap_err().to_string();
    assert!(
        refusal.contains("no-such-directory/voicesurvey.toml"),
        "{refusal}"
    );
}
