//! Requests of Twilio to the host: news of a call, and the question what is to be said.

use chrono::TimeDelta;
use voicesurvey_core::conversation::Heard;
use voicesurvey_core::interpretation::Confidence;
use voicesurvey_core::time::Timestamp;

use super::account::{Account, Happening};
use super::order::{query, reference, value};
use super::people::Reaction;
use super::twiml::{self, Gather, Verb};
use crate::support::twilio::Form;

/// All tries of one request take no longer together.
const ALL_TRIES: TimeDelta = TimeDelta::seconds(15);

/// How fast voices speak.
const WORDS_PER_MINUTE: i64 = 150;

/// One request that is to be sent.
#[derive(Clone, Debug)]
pub(super) struct Callback {
    pub(super) call: usize,
    pub(super) kind: Kind,
    /// As it was given, with its fragment.
    pub(super) url: String,
    pub(super) form: Form,
    /// The same for every try.
    pub(super) token: String,
    pub(super) tries: u8,
    pub(super) began_at: Timestamp,
}

/// What is done with the answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Nothing.
    News,
    /// It is carried out. With what was heard, if it tells that.
    Document { heard: Option<(u32, Heard)> },
    /// The same in place of one that could not be had.
    Fallback,
}

/// What came of a request.
#[derive(Debug)]
pub(super) enum Answer {
    /// The host's status, content type and body.
    Given(u16, String, Vec<u8>),
    /// Nobody listens.
    Unreachable,
    /// Nothing came, or too late.
    Nothing,
}

/// The overrides in the fragment of a URL.
struct Retries {
    count: u8,
    policies: Vec<String>,
}

impl Retries {
    fn of(url: &str) -> Self {
        let fragment = url.split_once('#').map_or("", |(_, fragment)| fragment);
        let pairs: Form = form_urlencoded::parse(fragment.as_bytes())
            .into_owned()
            .collect();
        let policies = value(&pairs, "rp").unwrap_or("ct").split(',');
        Self {
            count: value(&pairs, "rc").map_or(1, |count| count.parse().unwrap()),
            policies: policies.map(str::to_owned).collect(),
        }
    }

    fn covers(&self, policy: &str) -> bool {
        self.policies.iter().any(|it| it == policy || it == "all")
    }
}

impl Callback {
    /// The URL that is called and signed.
    pub(super) fn signed_url(&self) -> &str {
        self.url.split('#').next().unwrap_or_default()
    }

    fn is_tried_again(&self, answer: &Answer, now: Timestamp) -> bool {
        let policy = match answer {
            Answer::Given(status, ..) if *status >= 500 => "5xx",
            Answer::Given(status, ..) if *status >= 400 => "4xx",
            Answer::Given(..) => return false,
            Answer::Unreachable => "ct",
            Answer::Nothing => "rt",
        };
        let retries = Retries::of(&self.url);
        self.tries < retries.count && now - self.began_at < ALL_TRIES && retries.covers(policy)
    }
}

impl Account {
    /// Takes in what the host answered.
    pub(super) fn answered_by_host(&mut self, mut callback: Callback, answer: Answer) {
        let now = self.now();
        if callback.is_tried_again(&answer, now) {
            callback.tries += 1;
            self.send(now + TimeDelta::seconds(1), callback);
            return;
        }
        if let Answer::Given(status @ 400..=499, _, body) = &answer {
            let body = String::from_utf8_lossy(body);
            self.complain(format!("{} answers {status}: {body}", callback.url));
        }
        let kind = callback.kind.clone();
        match (kind, answer) {
            (Kind::News, Answer::Given(200..=299, ..)) => {}
            (Kind::News, _) => self.undelivered += 1,
            (kind, Answer::Given(200..=299, content_type, body)) => {
                if let Kind::Document {
                    heard: Some((step, heard)),
                } = kind
                {
                    self.note(callback.call, step, heard);
                }
                self.perform(&callback, &content_type, &body);
            }
            (Kind::Document { .. }, answer) => self.fall_back(&callback, &answer),
            // The person hears that something went wrong, and the line is free.
            (Kind::Fallback, _) => self.plan(now, callback.call, Happening::Over),
        }
    }

    fn fall_back(&mut self, failed: &Callback, answer: &Answer) {
        let now = self.now();
        let code = match answer {
            Answer::Given(..) => "11217",
            Answer::Unreachable | Answer::Nothing => "11205",
        };
        let call = &self.calls[failed.call];
        let url = call.order.fallback_url.clone();
        let mut form = call.parameters();
        form.push(("ErrorCode".to_owned(), code.to_owned()));
        form.push(("ErrorUrl".to_owned(), failed.signed_url().to_owned()));
        let fallback = self.callback(failed.call, Kind::Fallback, &url, form);
        self.send(now, fallback);
    }

    /// Carries out a document, up to where the host is asked again.
    fn perform(&mut self, callback: &Callback, content_type: &str, document: &[u8]) {
        let index = callback.call;
        let mut at = self.now();
        if self.calls[index].has_ended() {
            return;
        }
        if !content_type.starts_with("text/xml") {
            self.complain(format!("12300: {content_type}"));
        }
        let verbs = match twiml::read(document) {
            Ok(verbs) => verbs,
            Err(what) => {
                let document = String::from_utf8_lossy(document);
                self.complain(format!("{what} in {document}"));
                Vec::new()
            }
        };
        let mut said = String::new();
        for verb in verbs {
            match verb {
                Verb::Say(words) => at += spoken_in(&words, &mut said),
                Verb::Gather(gather) => {
                    at += spoken_in(&gather.say, &mut said);
                    if self.gather(index, &gather, &said, &mut at) {
                        return;
                    }
                }
                Verb::Redirect(url) => {
                    let form = self.calls[index].parameters();
                    let silence = query(&url, "silence").map(|_| Heard::Silence);
                    self.ask(index, &url, form, silence, at);
                    return;
                }
                Verb::Hangup => break,
            }
        }
        self.plan(at, index, Happening::Over);
    }

    /// Listens. Returns whether the document is left here.
    fn gather(&mut self, index: usize, gather: &Gather, said: &str, at: &mut Timestamp) -> bool {
        let call = &mut self.calls[index];
        let pause = call.chance.seconds(1, 4);
        let confidence = 80 + call.chance.below(20);
        let mut form = call.parameters();
        let mut add = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
        let heard = match call.conduct.reacts(said, gather) {
            Reaction::HangsUp => {
                self.plan(*at + pause, index, Happening::Over);
                return true;
            }
            Reaction::Speaks(words) => {
                add("SpeechResult", words);
                add("Confidence", &format!("0.{confidence}34567"));
                add("Language", "it-IT");
                Heard::Speech {
                    words: words.to_owned(),
                    confidence: u8::try_from(confidence)
                        .ok()
                        .map(Confidence::from_hundredths),
                }
            }
            Reaction::Presses(keys) => {
                let keys = &keys[..keys.len().min(gather.most_keys)];
                add("Digits", keys);
                add("FinishedOnKey", "");
                let keys = keys.to_owned();
                Heard::Keys { keys }
            }
            Reaction::Silent => {
                *at += TimeDelta::seconds(gather.timeout.into());
                // Nobody relies on an attribute alone.
                if !gather.tells_silence || self.calls[index].chance.happens(100) {
                    return false;
                }
                self.ask(index, &gather.action, form, Some(Heard::Silence), *at);
                return true;
            }
        };
        self.ask(index, &gather.action, form, Some(heard), *at + pause);
        true
    }

    /// Asks what is said next.
    fn ask(&mut self, index: usize, url: &str, form: Form, heard: Option<Heard>, at: Timestamp) {
        let order = &self.calls[index].order;
        let ours = (order.company_id, order.attempt_id);
        let step = query(url, "step").and_then(|step| step.parse().ok());
        if reference(url) != Some(ours) || step.is_none() {
            self.complain(format!("{url} does not name the call and the step"));
        }
        let heard = step.zip(heard);
        let mut next = self.callback(index, Kind::Document { heard }, url, form);
        next.began_at = at;
        self.send(at, next);
    }

    /// Tells what became of the recordings of a call.
    pub(super) fn tell_of_recordings(&mut self, index: usize, status: &str, at: Timestamp) {
        for (sid, url) in self.calls[index].recordings.clone() {
            let mut form = self.calls[index].parameters();
            for (name, value) in [
                ("RecordingSid", &*sid),
                ("RecordingStatus", status),
                ("RecordingUrl", "https://api.twilio.com/recording"),
                ("RecordingDuration", "30"),
                ("RecordingChannels", "1"),
                ("RecordingSource", "StartCallRecordingAPI"),
            ] {
                form.push((name.to_owned(), value.to_owned()));
            }
            let callback = self.callback(index, Kind::News, &url, form);
            self.scatter(at, callback);
        }
    }
}

/// How long it takes to say that, after what was `said` already.
fn spoken_in(words: &str, said: &mut String) -> TimeDelta {
    said.push(' ');
    said.push_str(words);
    let count = i64::try_from(words.split_whitespace().count()).unwrap();
    TimeDelta::milliseconds(count * 60_000 / WORDS_PER_MINUTE)
}
