//! TwiML: what is said and how it is listened, in Twilio's words.
//!
//! Every document stays within Twilio's limits, whatever the survey says, and whatever is said is
//! text: only the XML writer writes marks.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use voicesurvey_core::conversation::lines::Lines;
use voicesurvey_core::conversation::{Listen, Then, VoiceReply};
use voicesurvey_core::language::Language;
use voicesurvey_core::ports::{CallReference, WebhookReply};

use crate::settings::{TwilioSettings, Voices, is_name};
use crate::speech::{self, Room};
use crate::urls::WebhookUrls;

/// How hints are bounded: Twilio's count, Twilio's length in characters, and bytes of a document.
const MOST_HINTS: usize = 500;
const LONGEST_HINT: usize = 100;
const ALL_HINTS: usize = 16 * 1024;

/// Twilio listens to no speech for longer.
const LONGEST_SPEECH: u16 = 60;

type Xml = Writer<Vec<u8>>;

/// Writes documents.
#[derive(Debug)]
pub(crate) struct TwimlWriter {
    urls: WebhookUrls,
    voices: Voices,
    speech_model: Option<String>,
}

/// Who speaks.
#[derive(Clone, Copy)]
struct Speaker<'a> {
    language_tag: &'a str,
    voice: &'a str,
}

impl TwimlWriter {
    pub(crate) fn new(settings: &TwilioSettings, urls: WebhookUrls) -> Self {
        Self {
            urls,
            voices: settings.voices.clone(),
            speech_model: settings.speech_model.clone(),
        }
    }

    /// What is said now, and what happens then.
    pub(crate) fn reply(&self, call: &CallReference, reply: &VoiceReply) -> WebhookReply {
        let speaker = self.speaker(reply.language, reply.voice.as_deref());
        let mut room = Room::WHOLE_DOCUMENT;
        let (firm, rest) = reply.say.split_at(reply.say.len().min(reply.firm.into()));
        let firm = speech::pieces(firm, &mut room);
        let rest = speech::pieces(rest, &mut room);
        document(|xml| match &reply.then {
            Then::HangUp => {
                speaker.say(xml, &firm)?;
                speaker.say(xml, &rest)?;
                hang_up(xml)
            }
            Then::Listen(listen) => {
                let dialogue = Dialogue {
                    writer: self,
                    speaker,
                    listen,
                    action: self.urls.turn(call, listen.step),
                };
                if !firm.is_empty() {
                    dialogue.gather_keys(xml, &firm)?;
                }
                dialogue.gather(xml, &rest)?;
                redirect(xml, &self.urls.silence(call, listen.step))
            }
        })
    }

    /// A goodbye that needs to know nothing.
    pub(crate) fn fallback(&self, language: Language) -> WebhookReply {
        self.sentence(language, &Lines::of(language).goodbye)
    }

    /// One sentence, and the end of the call.
    pub(crate) fn sentence(&self, language: Language, words: &str) -> WebhookReply {
        let speaker = self.speaker(language, None);
        let words = [words.to_owned()];
        document(|xml| {
            speaker.say(xml, &words)?;
            hang_up(xml)
        })
    }

    fn speaker<'a>(&'a self, language: Language, voice: Option<&'a str>) -> Speaker<'a> {
        let ours = self.voices.of(language);
        Speaker {
            language_tag: &ours.language_tag,
            // A skillbase may have been made for another provider.
            voice: voice.filter(|name| is_name(name)).unwrap_or(&ours.name),
        }
    }
}

impl Speaker<'_> {
    fn say(self, xml: &mut Xml, pieces: &[String]) -> io::Result<()> {
        for piece in pieces {
            xml.create_element("Say")
                .with_attribute(("language", self.language_tag))
                .with_attribute(("voice", self.voice))
                .write_text_content(BytesText::new(piece))?;
        }
        Ok(())
    }
}

/// One question and its answer.
struct Dialogue<'a> {
    writer: &'a TwimlWriter,
    speaker: Speaker<'a>,
    listen: &'a Listen,
    action: String,
}

impl Dialogue<'_> {
    /// Says what speech does not interrupt. Keys do: they are an answer to what follows.
    fn gather_keys(&self, xml: &mut Xml, firm: &[String]) -> io::Result<()> {
        let keys = self.listen.keys;
        // Only as long as it takes to press the next key of a longer number.
        let pause = if keys.most > 1 {
            keys.between_seconds
        } else {
            1
        };
        let mut attributes = self.attributes("dtmf", u16::from(pause));
        // Without a key the document goes on to the next verb.
        attributes.push(("actionOnEmptyResult", "false".to_owned()));
        self.write_gather(xml, &attributes, firm)
    }

    fn gather(&self, xml: &mut Xml, say: &[String]) -> io::Result<()> {
        let listen = self.listen;
        let mut attributes = self.attributes("dtmf speech", listen.silence_seconds);
        let whole_seconds = listen.end_of_speech_milliseconds.div_ceil(1_000).max(1);
        let longest = listen.longest_speech_seconds.clamp(1, LONGEST_SPEECH);
        attributes.extend([
            // Silence is an answer too, and is told.
            ("actionOnEmptyResult", "true".to_owned()),
            ("language", self.speaker.language_tag.to_owned()),
            ("speechTimeout", whole_seconds.to_string()),
            ("maxSpeechTime", longest.to_string()),
            // What people say is stored as they said it.
            ("profanityFilter", "false".to_owned()),
        ]);
        if let Some(model) = &self.writer.speech_model {
            attributes.push(("speechModel", model.clone()));
        }
        let hints = hints(&listen.hints);
        if !hints.is_empty() {
            attributes.push(("hints", hints));
        }
        self.write_gather(xml, &attributes, say)
    }

    fn attributes(&self, input: &str, timeout: u16) -> Vec<(&'static str, String)> {
        vec![
            ("input", input.to_owned()),
            ("action", self.action.clone()),
            ("method", "POST".to_owned()),
            ("timeout", timeout.max(1).to_string()),
            ("numDigits", self.listen.keys.most.max(1).to_string()),
            // No key ends the input, because # and * are answers.
            ("finishOnKey", String::new()),
        ]
    }

    fn write_gather(
        &self,
        xml: &mut Xml,
        attributes: &[(&'static str, String)],
        say: &[String],
    ) -> io::Result<()> {
        let attributes = attributes
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        xml.create_element("Gather")
            .with_attributes(attributes)
            .write_inner_content(|xml| self.speaker.say(xml, say))?;
        Ok(())
    }
}

/// The hints as one list. A comma would make two of one.
fn hints(words: &[String]) -> String {
    let mut list = String::new();
    let mut written = 0;
    let words = words
        .iter()
        .map(|words| speech::spoken(&words.replace(',', " ")));
    let fitting = words.filter(|words| matches!(words.chars().count(), 1..=LONGEST_HINT));
    for words in fitting.take(MOST_HINTS) {
        written += speech::written_length(&words) + 1;
        if written > ALL_HINTS {
            break;
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(&words);
    }
    list
}

fn redirect(xml: &mut Xml, url: &str) -> io::Result<()> {
    xml.create_element("Redirect")
        .with_attribute(("method", "POST"))
        .write_text_content(BytesText::new(url))?;
    Ok(())
}

fn hang_up(xml: &mut Xml) -> io::Result<()> {
    xml.create_element("Hangup").write_empty()?;
    Ok(())
}

fn document(verbs: impl FnOnce(&mut Xml) -> io::Result<()>) -> WebhookReply {
    let mut xml = Writer::new(Vec::new());
    let written = xml
        .write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))
        .and_then(|()| {
            let response = xml.create_element("Response");
            response.write_inner_content(verbs).map(|_| ())
        });
    // OK because writing to memory cannot fail.
    debug_assert!(written.is_ok(), "{written:?}");
    WebhookReply {
        status: 200,
        content_type: Some("text/xml; charset=utf-8"),
        body: xml.into_inner(),
    }
}

#[cfg(test)]
mod tests;
