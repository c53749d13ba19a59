//! `X-Twilio-Signature`: whether a webhook comes from Twilio.
//!
//! Nothing of a request is believed before this has been asked. What is signed is the URL that Twilio
//! was given and, of a form, every pair, also those that we do not know. A signature has no time in
//! it: a request that is sent again is right again, and must change nothing by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::parameters::Parameters;
use crate::secret::Secret;

/// Who may have signed.
#[derive(Clone, Debug)]
pub(crate) struct Signatures {
    tokens: Vec<Secret>,
}

/// What a request carries beside its URL.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SignedBody<'a> {
    /// Nothing: everything is in the query.
    Empty,
    /// Pairs, signed with the URL.
    Form(&'a Parameters),
    /// Something else, whose hash is in the query.
    Hashed(&'a [u8]),
}

impl Signatures {
    pub(crate) const fn new(tokens: Vec<Secret>) -> Self {
        Self { tokens }
    }

    /// The signature that Twilio would make of a form that is sent to `url`; `None` without a token.
    pub(crate) fn sign(&self, url: &str, form: &Parameters) -> Option<String> {
        let mac = mac(self.tokens.first()?, url, &signed_pairs(form))?;
        Some(STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// Whether `given` is the signature of that request, by one of the tokens.
    ///
    /// Takes as long for a wrong signature as for a right one, so that nobody finds one out byte by
    /// byte.
    pub(crate) fn verify(&self, given: &str, url: &str, body: SignedBody<'_>) -> bool {
        let Ok(given) = STANDARD.decode(given.trim()) else {
            return false;
        };
        let pairs = match body {
            SignedBody::Empty => String::new(),
            SignedBody::Form(form) => signed_pairs(form),
            // The hash is no secret: everybody can make it of the body.
            SignedBody::Hashed(bytes) if stated_hash(url) == Some(sha256(bytes)) => String::new(),
            SignedBody::Hashed(_) => return false,
        };
        let mut is_right = false;
        for url in spellings(url) {
            for token in &self.tokens {
                is_right |= signs(token, &url, &pairs, &given);
            }
        }
        is_right
    }
}

fn signs(token: &Secret, url: &str, pairs: &str, given: &[u8]) -> bool {
    mac(token, url, pairs).is_some_and(|mac| mac.verify_slice(given).is_ok())
}

fn mac(token: &Secret, url: &str, pairs: &str) -> Option<Hmac<Sha1>> {
    // OK because HMAC takes keys of every length.
    let mut mac = Hmac::new_from_slice(token.reveal().as_bytes()).ok()?;
    mac.update(url.as_bytes());
    mac.update(pairs.as_bytes());
    Some(mac)
}

/// Names and values without anything in between, sorted by name. Of a name that comes more than
/// once each different value counts once, as in Twilio's libraries for Python and Node.
fn signed_pairs(form: &Parameters) -> String {
    let mut sorted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in &form.0 {
        sorted.entry(name).or_default().insert(value);
    }
    let mut text = String::new();
    for (name, values) in sorted {
        for value in values {
            text.push_str(name);
            text.push_str(value);
        }
    }
    text
}

/// The hash of the body that the URL states.
fn stated_hash(url: &str) -> Option<String> {
    let query = Parameters::decode(crate::urls::query(url).as_bytes());
    query.get("bodySHA256").map(str::to_owned)
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // OK because writing to a text never fails.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The ways in which Twilio may have written a URL before it signed it: with and without the port,
/// with and without a user, and with the query escaped as browsers and older libraries do.
fn spellings(url: &str) -> Vec<String> {
    let mut written = vec![url.to_owned()];
    if let Ok(normal) = Url::parse(url) {
        written.push(normal.to_string());
        written.push(with_escaped_query(normal.as_str()));
    }
    let mut found: Vec<String> = Vec::new();
    for url in written {
        let Some(parts) = Parts::of(&url) else {
            found.push(url);
            continue;
        };
        for spelling in parts.spellings() {
            if !found.contains(&spelling) {
                found.push(spelling);
            }
        }
    }
    found
}

/// A URL in parts that are not normalised.
struct Parts<'a> {
    /// With `://`.
    scheme: &'a str,
    /// With `@`, if there is one.
    user: &'a str,
    host: &'a str,
    /// With `:`, if there is one.
    port: &'a str,
    rest: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, after) = url.split_at(url.find("://")? + 3);
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        let (user, place) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        // A colon within brackets is part of an address.
        let bracket = place.rfind(']').unwrap_or(0);
        let colon = place[bracket..].find(':').map(|colon| bracket + colon);
        let (host, port) = place.split_at(colon.unwrap_or(place.len()));
        Some(Self {
            scheme,
            user,
            host,
            port,
            rest,
        })
    }

    fn spellings(&self) -> [String; 4] {
        let Self {
            scheme,
            user,
            host,
            port,
            rest,
        } = self;
        let standard = match *scheme {
            "https://" | "wss://" => ":443",
            _ => ":80",
        };
        let port = if port.is_empty() { standard } else { port };
        [
            format!("{scheme}{host}{rest}"),
            format!("{scheme}{host}{port}{rest}"),
            format!("{scheme}{user}{host}{rest}"),
            format!("{scheme}{user}{host}{port}{rest}"),
        ]
    }
}

/// The same with every value of the query escaped as Node's `querystring` does.
fn with_escaped_query(url: &str) -> String {
    let Some((before, query)) = url.split_once('?') else {
        return url.to_owned();
    };
    let pairs = Parameters::decode(query.as_bytes()).0;
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    format!("{before}?{}", pairs.join("&"))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"!'()*-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // OK because writing to a text never fails.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
pub(crate) mod tests;
