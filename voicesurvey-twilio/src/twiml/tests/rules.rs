//! Twilio's rules for a document, as Twilio states them, in code that shares nothing with the writer.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// An element with what is in it.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.get(name).map(|value| value.parse().unwrap())
    }
}

/// Panics if Twilio would complain.
pub(super) fn check(document: &str) {
    assert!(document.len() <= 64_000, "{} bytes", document.len());
    assert!(document.starts_with(r#"<?xml version="1.0" encoding="UTF-8"?>"#));
    let allowed = |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(
        document.chars().all(allowed),
        "a letter that XML 1.0 has not"
    );
    let response = parse(document);
    assert_eq!(response.name, "Response");
    assert!(response.attributes.is_empty());
    assert!(
        !response.children.is_empty(),
        "an empty document hangs up by accident"
    );
    for (index, verb) in response.children.iter().enumerate() {
        let is_last = index + 1 == response.children.len();
        match verb.name.as_str() {
            "Say" => check_say(verb),
            "Gather" => check_gather(verb),
            "Redirect" => {
                only(verb, &["method"]);
                check_url(&verb.text);
                assert!(is_last, "what follows a redirect is never reached");
            }
            "Hangup" => {
                only(verb, &[]);
                assert!(verb.children.is_empty() && verb.text.is_empty());
                assert!(is_last);
            }
            other => panic!("<{other}> in <Response>"),
        }
    }
}

/// Every text that is spoken, in order.
pub(super) fn spoken(document: &str) -> Vec<String> {
    fn collect(element: &Element, texts: &mut Vec<String>) {
        if element.name == "Say" {
            texts.push(element.text.clone());
        }
        element
            .children
            .iter()
            .for_each(|child| collect(child, texts));
    }
    let mut texts = Vec::new();
    collect(&parse(document), &mut texts);
    texts
}

/// The inputs of every gather, with what is said in it.
pub(super) fn gathers(document: &str) -> Vec<(String, Vec<String>)> {
    let gathers = parse(document).children.into_iter();
    let gathers = gathers.filter(|verb| verb.name == "Gather").map(|gather| {
        let say = gather.children.iter().map(|say| say.text.clone()).collect();
        (gather.get("input").unwrap().to_owned(), say)
    });
    gathers.collect()
}

fn check_say(say: &Element) {
    only(say, &["language", "voice", "loop"]);
    assert!(say.children.is_empty());
    assert!(!say.text.trim().is_empty(), "nothing to say");
    assert!(
        say.text.encode_utf16().count() <= 3_000,
        "too long for Amazon's voices"
    );
    let escaped: String = form_urlencoded::byte_serialize(say.text.as_bytes()).collect();
    assert!(escaped.len() <= 4_500, "too long once it is escaped");
    check_tag(say.get("language").unwrap());
}

fn check_gather(gather: &Element) {
    const KNOWN: &[&str] = &[
        "action",
        "actionOnEmptyResult",
        "bargeIn",
        "debug",
        "enhanced",
        "finishOnKey",
        "hints",
        "input",
        "language",
        "maxSpeechTime",
        "method",
        "numDigits",
        "partialResultCallback",
        "partialResultCallbackMethod",
        "profanityFilter",
        "speechModel",
        "speechTimeout",
        "timeout",
    ];
    only(gather, KNOWN);
    assert!(gather.text.trim().is_empty());
    for child in &gather.children {
        assert!(
            ["Say", "Play", "Pause"].contains(&child.name.as_str()),
            "{child:?}"
        );
        check_say(child);
    }
    check_url(gather.get("action").unwrap());
    assert_eq!(gather.get("method"), Some("POST"));
    assert_eq!(gather.get("finishOnKey"), Some(""));
    assert!(gather.number("timeout") >= Some(1));
    assert!(gather.number("numDigits") >= Some(1));
    let hears_speech = gather.get("input") == Some("dtmf speech");
    if !hears_speech {
        assert_eq!(gather.get("input"), Some("dtmf"));
        for about_speech in [
            "language",
            "speechTimeout",
            "maxSpeechTime",
            "hints",
            "speechModel",
        ] {
            assert_eq!(
                gather.get(about_speech),
                None,
                "{about_speech} without speech"
            );
        }
        return;
    }
    assert_eq!(gather.get("actionOnEmptyResult"), Some("true"));
    assert_eq!(gather.get("profanityFilter"), Some("false"));
    // A positive whole number: auto does not go with a chosen model.
    assert!(gather.number("speechTimeout") >= Some(1));
    assert!(matches!(gather.number("maxSpeechTime"), Some(1..=60)));
    check_tag(gather.get("language").unwrap());
    if let Some(hints) = gather.get("hints") {
        let hints: Vec<&str> = hints.split(',').collect();
        assert!(hints.len() <= 500);
        for hint in hints {
            assert!(matches!(hint.chars().count(), 1..=100), "{hint}");
        }
    }
}

fn check_url(url: &str) {
    assert!(url.starts_with("https://"), "{url} is not absolute");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-/:?&=#,".contains(&byte);
    assert!(url.bytes().all(plain), "{url} needs escapes");
}

fn check_tag(tag: &str) {
    let (language, region) = tag.split_once('-').unwrap();
    assert!(
        language.bytes().all(|byte| byte.is_ascii_lowercase()),
        "{tag}"
    );
    assert!(
        region.bytes().all(|byte| byte.is_ascii_uppercase()),
        "{tag}"
    );
}

fn only(element: &Element, known: &[&str]) {
    let mut names: Vec<&str> = element
        .attributes
        .iter()
        .map(|(name, _)| &name[..])
        .collect();
    for name in &names {
        assert!(
            known.contains(name),
            "{name} is no attribute of <{}>",
            element.name
        );
    }
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "an attribute twice");
}

fn parse(document: &str) -> Element {
    let mut reader = Reader::from_str(document);
    let mut open = vec![Element {
        name: String::new(),
        attributes: Vec::new(),
        children: Vec::new(),
        text: String::new(),
    }];
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => open.push(element(&start)),
            Event::Empty(start) => {
                let element = element(&start);
                open.last_mut().unwrap().children.push(element);
            }
            Event::End(_) => {
                let closed = open.pop().unwrap();
                open.last_mut().unwrap().children.push(closed);
            }
            Event::Text(text) => open.last_mut().unwrap().text += &text,
            Event::GeneralRef(reference) => {
                let letter = match &reference[..] {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    other => panic!("&{other};"),
                };
                open.last_mut().unwrap().text.push(letter);
            }
            Event::Decl(_) => {}
            Event::Eof => break,
            other => panic!("{other:?}"),
        }
    }
    let mut document = open.pop().unwrap();
    assert!(open.is_empty() && document.children.len() == 1);
    document.children.remove(0)
}

fn element(start: &BytesStart<'_>) -> Element {
    let attribute = |attribute: quick_xml::events::attributes::Attribute<'_>| {
        let value = quick_xml::escape::unescape(&attribute.value).unwrap();
        (attribute.key.as_ref().to_owned(), value.into_owned())
    };
    Element {
        name: start.name().as_ref().to_owned(),
        attributes: start
            .attributes()
            .map(|it| attribute(it.unwrap()))
            .collect(),
        children: Vec::new(),
        text: String::new(),
    }
}
