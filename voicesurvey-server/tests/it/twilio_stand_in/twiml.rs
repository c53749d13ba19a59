//! Reads a document as strictly as Twilio's documentation is written. Whatever is not in it is said.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// What a document asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Say(String),
    Gather(Gather),
    Redirect(String),
    Hangup,
}

/// What is said, and how long somebody is listened to then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gather {
    pub(super) say: String,
    pub(super) action: String,
    pub(super) hears_speech: bool,
    pub(super) most_keys: usize,
    pub(super) timeout: u32,
    pub(super) tells_silence: bool,
}

/// The verbs of a document, or what Twilio would say against it.
pub(super) fn read(document: &[u8]) -> Result<Vec<Verb>, String> {
    if document.len() > 64_000 {
        return Err(format!("11750: {} bytes", document.len()));
    }
    let text = str::from_utf8(document).map_err(|error| format!("12100: {error}"))?;
    let response = parse(text)?;
    if response.name != "Response" || !response.attributes.is_empty() {
        return Err(format!("12102: {response:?}"));
    }
    response.children.iter().map(verb).collect()
}

fn verb(element: &Element) -> Result<Verb, String> {
    match &*element.name {
        "Say" => Ok(Verb::Say(say(element)?)),
        "Gather" => gather(element).map(Verb::Gather),
        "Redirect" => {
            element.has_only(&["method"])?;
            element.is_method("method")?;
            Ok(Verb::Redirect(url(element.text.trim())?))
        }
        "Hangup" => {
            element.has_only(&[])?;
            Ok(Verb::Hangup)
        }
        _ => Err(format!("12200: {element:?} is no verb that we write")),
    }
}

fn say(element: &Element) -> Result<String, String> {
    element.has_only(&["language", "voice", "loop"])?;
    let escaped: String = form_urlencoded::byte_serialize(element.text.as_bytes()).collect();
    let characters = element.text.chars().count();
    if element.text.trim().is_empty() || characters > 3_000 || escaped.len() > 4_500 {
        return Err(format!("13521: {characters} characters to be said"));
    }
    if !element.children.is_empty() || element.get("voice").is_none() {
        return Err(format!("13520: {element:?}"));
    }
    Ok(element.text.clone())
}

fn gather(element: &Element) -> Result<Gather, String> {
    element.has_only(&[
        "input",
        "action",
        "method",
        "timeout",
        "speechTimeout",
        "maxSpeechTime",
        "numDigits",
        "finishOnKey",
        "language",
        "hints",
        "speechModel",
        "profanityFilter",
        "actionOnEmptyResult",
    ])?;
    element.is_method("method")?;
    let wrong = |what: &str| Err(format!("13310: {what} of {element:?}"));
    let hears_speech = match element.get("input") {
        Some("dtmf") => false,
        Some("speech" | "dtmf speech") => true,
        _ => return wrong("input"),
    };
    let number = |name: &str| element.get(name).and_then(|text| text.parse::<u32>().ok());
    let Some((timeout, most_keys)) = number("timeout").zip(number("numDigits")) else {
        return wrong("timeout or numDigits");
    };
    if timeout == 0 || most_keys == 0 || element.get("finishOnKey") != Some("") {
        return wrong("timeout, numDigits or finishOnKey");
    }
    if hears_speech && number("speechTimeout").is_none_or(|seconds| seconds == 0) {
        return wrong("speechTimeout");
    }
    if hears_speech && element.get("profanityFilter") != Some("false") {
        return wrong("profanityFilter");
    }
    let hints: Vec<&str> = element.get("hints").unwrap_or("-").split(',').collect();
    if hints.len() > 500
        || hints
            .iter()
            .any(|hint| !matches!(hint.chars().count(), 1..=100))
    {
        return wrong("hints");
    }
    if element.children.iter().any(|child| child.name != "Say") {
        return wrong("what is said");
    }
    let said: Result<Vec<String>, String> = element.children.iter().map(say).collect();
    Ok(Gather {
        say: said?.join(" "),
        action: url(element.get("action").unwrap_or_default())?,
        hears_speech,
        most_keys: most_keys as usize,
        timeout,
        tells_silence: element.get("actionOnEmptyResult") == Some("true"),
    })
}

fn url(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-/:?&=#,".contains(&byte);
    if text.starts_with("https://") && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(format!("11100: {text}"))
    }
}

/// An element with what is in it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn begun(start: &BytesStart<'_>) -> Result<Self, String> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| format!("12100: {error}"))?;
            let value = quick_xml::escape::unescape(&attribute.value);
            let value = value.map_err(|error| format!("12100: {error}"))?;
            attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        Ok(Self {
            name: start.name().as_ref().to_owned(),
            attributes,
            ..Self::default()
        })
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.attributes.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    fn has_only(&self, known: &[&str]) -> Result<(), String> {
        let mut names = self.attributes.iter().map(|(name, _)| name.as_str());
        match names.find(|name| !known.contains(name)) {
            Some(name) => Err(format!("12200: {name} of {self:?}")),
            None => Ok(()),
        }
    }

    fn is_method(&self, name: &str) -> Result<(), String> {
        match self.get(name) {
            None | Some("POST") => Ok(()),
            Some(other) => Err(format!("12200: method {other}")),
        }
    }
}

fn parse(document: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(document);
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event();
        let event = event.map_err(|error| format!("12100: {error}"))?;
        let innermost = open.last_mut().ok_or("12100: an end too many")?;
        match event {
            Event::Start(start) => open.push(Element::begun(&start)?),
            Event::Empty(start) => innermost.children.push(Element::begun(&start)?),
            Event::End(_) => {
                let closed = open.pop().ok_or("12100: an end too many")?;
                let around = open.last_mut().ok_or("12100: an end too many")?;
                around.children.push(closed);
            }
            Event::Text(text) => innermost.text += &text,
            Event::GeneralRef(reference) => innermost.text.push(match &reference[..] {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                other => return Err(format!("12100: &{other};")),
            }),
            Event::Decl(_) => {}
            Event::Eof => break,
            other => return Err(format!("12100: {other:?}")),
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(mut document), true) if document.children.len() == 1 => {
            Ok(document.children.remove(0))
        }
        _ => Err("12101: not one root".to_owned()),
    }
}
