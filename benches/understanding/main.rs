//! How long the rules take for one utterance, and the interview for one turn.
//!
//! ```sh
//! cargo bench -p voicesurvey-core --bench understanding
//! ```
//!
//! Of each, the median and the 99th percentile of many runs after the first, which loads the words
//! of the language.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench tells times"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::conversation::{Conversation, Given, Heard, Script, Understood};
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::interpretation::{Expected, Utterance};
use voicesurvey_core::language::Language;
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::ManualClock;

const RUNS: usize = 2_000;
/// A long answer says this so often.
const REPETITIONS: usize = 20;

fn main() {
    for language in Language::ALL {
        let (short, clause) = sentences(language);
        let long = [clause; REPETITIONS].join(" ");
        tell(&format!("{language} short answer on a scale"), || {
            interpret(language, scale(), short);
        });
        tell(
            &format!("{language} short answer to the consent question"),
            || {
                interpret(language, Expected::Consent, short);
            },
        );
        tell(
            &format!("{language} long answer to an open question"),
            || {
                interpret(language, Expected::FreeText, &long);
            },
        );
    }
    tell_turn();
}

fn scale() -> Expected {
    Expected::Scale {
        min: 1,
        max: 5,
        labels: Vec::new(),
    }
}

/// A short answer, and a clause of a long one.
fn sentences(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::It => (
            "quattro, anzi no, cinque",
            "il servizio mi è piaciuto molto",
        ),
        Language::En => ("four, no, five", "I liked the service very much"),
        Language::Ru => ("четыре, нет, пять", "мне очень понравилось обслуживание"),
        Language::Es => ("cuatro, no, cinco", "me gustó mucho el servicio"),
        Language::Fr => ("quatre, non, cinq", "le service m'a beaucoup plu"),
        Language::De => ("vier, nein, fünf", "der Service hat mir sehr gefallen"),
    }
}

fn interpret(language: Language, expected: Expected, words: &str) {
    let utterance = Utterance {
        language,
        expected,
        words: words.to_owned(),
        question: String::new(),
    };
    black_box(RulesInterpreter::new().interpret(black_box(&utterance)));
}

/// One turn of the conversation, with what was heard understood by the rules.
fn tell_turn() {
    let company = samples::company();
    let skillbase = samples::skillbase(&company);
    let campaign = samples::campaign(&company);
    let contact = samples::contact(samples::phone_number(1));
    let script = Script::new(&campaign, &skillbase, "Rossi", &contact);
    let now = samples::now();
    let ids = IdGenerator::from_seed(Arc::new(ManualClock::new(now)), 1);
    let task = samples::task(&campaign, samples::phone_number(1).as_str());
    let attempt = CallAttempt::created(ids.next(), &task, "simulated", now, now, now);
    let given = Given::default();
    let first = Conversation::begin((&attempt).into(), &script, &given, &ids, now);
    let heard = Heard::Speech {
        words: "sì, certo".to_owned(),
        confidence: None,
    };
    tell("one turn of the interview", || {
        let conversation = first.conversation.clone();
        let here = conversation.expected(&script).map(|expected| {
            RulesInterpreter::new().interpret(&Utterance {
                language: conversation.language,
                expected,
                words: "sì, certo".to_owned(),
                question: conversation.asked(&script).to_owned(),
            })
        });
        let understood = Understood {
            here,
            elsewhere: None,
        };
        black_box(conversation.hear(&heard, &understood, &script, &given, &ids, now));
    });
}

fn tell(what: &str, mut run: impl FnMut()) {
    run();
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let micros = |place: usize| times[place].as_secs_f64() * 1e6;
    let (median, late) = (micros(RUNS / 2), micros(RUNS * 99 / 100));
    println!("{what:45} p50 {median:8.1} µs   p99 {late:8.1} µs");
}
