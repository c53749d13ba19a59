//! Known answers of Twilio's own libraries, and what must not be believed.

use super::*;

const PAGE: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
const BASIC: Pairs = &[
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
];
const JSON: &str = r#"{"property": "value", "boolean": true}"#;
const JSON_HASH: &str = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
const EMPTY_JSON_HASH: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

fn form(pairs: &[(&str, &str)]) -> Parameters {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    Parameters(pairs.iter().map(owned).collect())
}

fn ours() -> Signatures {
    Signatures::new(vec![Secret::new("12345")])
}

/// The signature of exactly these texts, as Twilio makes it.
pub(crate) fn sign(token: &str, url: &str, pairs: &[(&str, &str)]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    mac.update(signed_pairs(&form(pairs)).as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

type Pairs = &'static [(&'static str, &'static str)];

const OTHER_CALLER: Pairs = &[
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
];
const ITALIAN: Pairs = &[
    ("CallSid", "CA0123456789abcdef0123456789abcdef"),
    ("SpeechResult", "Sì, perché no"),
    ("Confidence", "0.9134"),
    ("Language", "it-IT"),
];
const DUPLICATES: Pairs = &[
    ("Sid", "CA123"),
    ("SidAccount", "AC123"),
    ("Digits", "5678"),
    ("Digits", "1234"),
    ("Digits", "1234"),
];
const TWO_VALUES: Pairs = &[
    ("MessagingBinding.Address", "+1325xxxxxxx"),
    ("MessagingBinding.Address", "+1415xxxxxxx"),
];
/// Sorted as a whole, name and value, it would come out wrong.
const SORT_TRAP: Pairs = &[
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Reason", "Participant"),
    ("ReasonConferenceEnded", "test"),
];

/// What is signed, exactly so.
const FORMS: &[(&str, Pairs, &str)] = &[
    (PAGE, BASIC, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    (
        "https://mycompany.com:443/myapp.php?foo=1&bar=2",
        BASIC,
        "kvajT1Ptam85bY51eRf/AJRuM3w=",
    ),
    (
        "http://mycompany.com:80/myapp.php?foo=1&bar=2",
        BASIC,
        "0ZXoZLH/DfblKGATFgpif+LLRf4=",
    ),
    (
        "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
        BASIC,
        "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
    ),
    (
        "https://user:pass@mycompany.com/myapp.php?foo=1&bar=2",
        BASIC,
        "CukzLTc1tT5dXEDIHm/tKBanW10=",
    ),
    (
        "https://user:pass@mycompany.com:443/myapp.php?foo=1&bar=2",
        BASIC,
        "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI=",
    ),
    (
        "https://mycompany.com/myapp.php?foo=1&bar=2&Body=It%27s+amazing",
        BASIC,
        "TfZzewPq8wqrGlMfyAud8+/IvJ0=",
    ),
    (
        "https://mycompany.com/myapp.php?foo=1&bar=2&Body=It's+amazing",
        BASIC,
        "dsq4Ehbj6cs+KdTkpF5sSSplOWw=",
    ),
    (PAGE, DUPLICATES, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
    (PAGE, TWO_VALUES, "83O6e2vORAoJHUNzJjDWN1jz+BA="),
    (PAGE, SORT_TRAP, "vOEb5UThFn24KEfnOFLQY2AE5FY="),
    (
        "https://example.com/myapp.php?foo=1&bar=2",
        OTHER_CALLER,
        "L/OH5YylLD5NRKLltdqwSvS0BnU=",
    ),
    (
        PAGE,
        &[("B", "x"), ("A", "")],
        "bWeevTHlSTOF+IbXptnJYtBAhiY=",
    ),
    (
        "https://survey.example.org/twilio/v1/gather?attempt=a1&step=3",
        ITALIAN,
        "QptLM2RUa8ZCkhIcrQAdQAsCois=",
    ),
    (
        "wss://survey.example.org/twilio/relay/a1",
        &[],
        "RfDoBz3UqC923UaV7cuUKDuKS+U=",
    ),
];

#[test]
fn the_known_answers_for_forms() {
    for (url, pairs, signature) in FORMS {
        assert_eq!(sign("12345", url, pairs), *signature, "{url}");
        let verify = |url: &str| ours().verify(signature, url, SignedBody::Form(&form(pairs)));
        assert!(verify(url), "{url}");
        assert!(!verify(&format!("{url}0")), "{url}");
    }
    let trap = form(SORT_TRAP);
    let wrongly_sorted = "95+Bu0JVPi0r/SsESZCVf0dWAjw=";
    assert!(!ours().verify(wrongly_sorted, PAGE, SignedBody::Form(&trap)));
    // What Twilio signed without the port, and in other escapes, is known by the URL as we have it.
    for (ours_is, signature) in [
        (
            "https://mycompany.com:1234/myapp.php?foo=1&bar=2",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        (
            "https://mycompany.com/myapp.php?foo=1&bar=2&Body=It's+amazing",
            "TfZzewPq8wqrGlMfyAud8+/IvJ0=",
        ),
    ] {
        let basic = form(BASIC);
        assert!(
            ours().verify(signature, ours_is, SignedBody::Form(&basic)),
            "{ours_is}"
        );
    }
}

#[test]
fn the_known_answers_for_hashed_bodies() {
    let page = "https://mycompany.com/myapp.php?";
    for (url, body, signature) in [
        (
            format!("{page}foo=1&bar=2&bodySHA256={JSON_HASH}"),
            JSON,
            "a9nBmqA0ju/hNViExpshrM61xv4=",
        ),
        (
            format!("{page}bodySHA256={JSON_HASH}"),
            JSON,
            "y77kIzt2vzLz71DgmJGsen2scGs=",
        ),
        (
            format!("{PAGE}&bodySHA256={EMPTY_JSON_HASH}"),
            "{}",
            "rw/jVviOgicj2+kHZULvebnA4ag=",
        ),
        (
            format!("https://mycompany.com:443/myapp.php?foo=1&bar=2&bodySHA256={EMPTY_JSON_HASH}"),
            "{}",
            "Ldidvp12m26NI7eqEvxnEpkd9Hc=",
        ),
    ] {
        let verify = |body: &str| {
            let body = SignedBody::Hashed(body.as_bytes());
            ours().verify(signature, &url, body)
        };
        assert!(verify(body), "{url}");
        assert!(!verify(&format!("{body} ")), "another body: {url}");
    }
    let signature = sign("12345", PAGE, &[]);
    let body = SignedBody::Hashed(JSON.as_bytes());
    assert!(
        !ours().verify(&signature, PAGE, body),
        "no hash in the query"
    );
}

#[test]
fn port_and_user_may_be_signed_or_left_out() {
    let rest = "mycompany.com/myapp.php?foo=1&bar=2";
    let port = "mycompany.com:1234/myapp.php?foo=1&bar=2";
    let standard = "mycompany.com:443/myapp.php?foo=1&bar=2";
    let body = form(BASIC);
    for (given, signed, is_right) in [
        (rest, standard, true),
        (standard, rest, true),
        (port, rest, true),
        (port, port, true),
        (rest, port, false),
        (standard, port, false),
    ] {
        for user in ["", "user:pass@"] {
            let signature = sign("12345", &format!("https://{signed}"), BASIC);
            let url = format!("https://{user}{given}");
            let verified = ours().verify(&signature, &url, SignedBody::Form(&body));
            assert_eq!(verified, is_right, "{url} {signed}");
        }
    }
    let over_http = sign("12345", "http://[::1]:80/a", BASIC);
    assert!(ours().verify(&over_http, "http://[::1]/a", SignedBody::Form(&body)));
}

#[test]
fn escapes_of_older_libraries_are_accepted() {
    let raw = "https://mycompany.com/a?Body=It's+amazing";
    let body = form(BASIC);
    for signed in [
        "https://mycompany.com/a?Body=It%27s+amazing",
        "https://mycompany.com:443/a?Body=It%27s+amazing",
        "https://mycompany.com/a?Body=It's%20amazing",
    ] {
        let signature = sign("12345", signed, BASIC);
        assert!(
            ours().verify(&signature, raw, SignedBody::Form(&body)),
            "{signed}"
        );
    }
    let other = sign("12345", "https://mycompany.com/a?Body=Its%20amazing", BASIC);
    assert!(!ours().verify(&other, raw, SignedBody::Form(&body)));
}

#[test]
fn both_tokens_are_accepted_during_a_rotation_and_no_other() {
    let rotating = Signatures::new(vec![Secret::new("new"), Secret::new("old")]);
    let body = form(BASIC);
    for (token, is_right) in [("new", true), ("old", true), ("12345", false), ("", false)] {
        let signature = sign(token, PAGE, BASIC);
        let verified = rotating.verify(&signature, PAGE, SignedBody::Form(&body));
        assert_eq!(verified, is_right, "{token}");
    }
}

#[test]
fn what_is_no_signature_is_wrong() {
    let body = form(BASIC);
    let right = sign("12345", PAGE, BASIC);
    for given in [
        "",
        "====",
        "RSOY",
        "not base64!",
        &right[..27],
        &format!("{right}A"),
    ] {
        assert!(
            !ours().verify(given, PAGE, SignedBody::Form(&body)),
            "{given}"
        );
    }
}

#[test]
fn every_pair_is_signed_also_unknown_and_empty_ones() {
    let signature = sign("12345", PAGE, BASIC);
    for more in [("Unknown", "x"), ("Digits", "9"), ("", "x")] {
        let body = form(&[BASIC, &[more]].concat());
        assert!(
            !ours().verify(&signature, PAGE, SignedBody::Form(&body)),
            "{more:?}"
        );
    }
    let missing = form(&BASIC[1..]);
    assert!(!ours().verify(&signature, PAGE, SignedBody::Form(&missing)));
    assert!(!ours().verify(&signature, PAGE, SignedBody::Empty));
}
