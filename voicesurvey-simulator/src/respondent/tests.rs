use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::interpretation::{Intent, Utterance, spoken_language};
use voicesurvey_core::survey::AnswerValue;

use super::*;
use crate::chance::Topic;

const PEOPLE: u32 = 60;

fn asked(language: Language, expected: Expected) -> VoiceReply {
    VoiceReply {
        language,
        voice: None,
        say: vec!["Una domanda.".to_owned()],
        firm: 0,
        then: Then::Listen(Listen::for_answer(1, expected, language)),
    }
}

/// What each of sixty people does who are asked that; nothing of those who hang up.
fn heard(population: &Population, language: Language, expected: &Expected) -> Vec<Heard> {
    let reply = asked(language, expected.clone());
    let acts = (0..PEOPLE).map(|index| {
        let number = format!("+39347{:07}", 1_000_000 + index).parse().unwrap();
        let person = Person::behind(&number, 7, population);
        let chance = Chance::of(7, Topic::Call, &number, 0);
        let mut respondent = Respondent::new(person, chance, population);
        let by = AnsweredBy::Person;
        respondent.react(&reply, by, population).act
    });
    let heard = acts.filter_map(|act| match act {
        Act::Answers { heard, .. } => Some(heard),
        Act::Ends => None,
    });
    heard.collect()
}

/// The words of what is said, and how sure the recogniser is of them; keys are left out.
fn said(heard: Vec<Heard>) -> impl Iterator<Item = (String, Confidence)> {
    heard.into_iter().filter_map(|heard| match heard {
        Heard::Speech { words, confidence } => Some((words, confidence?)),
        Heard::Keys { .. } | Heard::Silence => None,
    })
}

/// What they mean by what they say; keys are left out.
fn intents(population: &Population, language: Language, expected: &Expected) -> Vec<Intent> {
    let understood = |words| {
        let utterance = Utterance {
            language,
            expected: expected.clone(),
            words,
            question: String::new(),
        };
        RulesInterpreter.interpret(&utterance).intent
    };
    said(heard(population, language, expected))
        .map(|(words, _)| understood(words))
        .collect()
}

fn everybody<T: Clone>(does: T) -> Vec<T> {
    vec![does; PEOPLE as usize]
}

fn scale() -> Expected {
    Expected::Scale {
        min: 0,
        max: 10,
        labels: Vec::new(),
    }
}

fn read_back() -> Expected {
    Expected::Confirm {
        of: Box::new(scale()),
    }
}

fn yes_or_no(yes: bool) -> Intent {
    Intent::Answer {
        value: AnswerValue::YesNo(yes),
    }
}

fn pressed(keys: &str) -> Heard {
    Heard::Keys {
        keys: keys.to_owned(),
    }
}

#[test]
fn an_opt_out_in_the_middle_is_said_or_pressed() {
    let mut population = Population::willing();
    population.questions.opts_out = Probability::ALWAYS;
    for (expected, keys) in [
        (scale(), "*9"),
        (read_back(), "*9"),
        (Expected::YesNo, "9"),
        (Expected::FreeText, "9"),
    ] {
        let heard = heard(&population, Language::Ru, &expected);
        assert_eq!(heard.len(), PEOPLE as usize, "nobody hangs up");
        let by_key = heard.iter().filter(|heard| **heard == pressed(keys));
        let by_key = by_key.count();
        assert!((5..30).contains(&by_key), "{by_key} at {expected:?}");
        let said = intents(&population, Language::Ru, &expected);
        assert_eq!(said, vec![Intent::OptOut; PEOPLE as usize - by_key]);
    }
}

#[test]
fn who_wants_to_be_called_later_says_when_or_is_asked() {
    let mut population = Population::willing();
    population.questions.calls_back = Probability::ALWAYS;
    let wishes = intents(&population, Language::De, &scale());
    assert_eq!(wishes, everybody(Intent::CallBack));
    population.consent.names_time = Probability::ALWAYS;
    let named = heard(&population, Language::De, &Expected::CallBackTime);
    let times = Vocabulary::of(Language::De).times;
    let named = said(named).filter(|(words, _)| times.contains(&&**words));
    assert_eq!(named.count(), PEOPLE as usize);
    // Who does not know when says so, or hangs up.
    population.consent.names_time = Probability::NEVER;
    let vague = heard(&population, Language::De, &Expected::CallBackTime).len();
    assert!((25..PEOPLE as usize).contains(&vague), "{vague}");
}

#[test]
fn what_is_read_back_is_confirmed_denied_and_corrected_as_set() {
    let mut population = Population::willing();
    let answers = |population: &Population| intents(population, Language::Fr, &read_back());
    assert_eq!(answers(&population), everybody(yes_or_no(true)));
    population.confirmations.corrects = Probability::ALWAYS;
    let corrected = answers(&population);
    // "Non, un" may be heard as a no.
    let is_number = |intent: &&Intent| {
        matches!(
            intent,
            Intent::Answer {
                value: AnswerValue::Number(_)
            }
        )
    };
    assert!(corrected.iter().filter(is_number).count() > 45);
    population.confirmations.denies = Probability::ALWAYS;
    assert_eq!(answers(&population), everybody(yes_or_no(false)));
    population.questions.presses_keys = Probability::ALWAYS;
    let denied = heard(&population, Language::Fr, &read_back());
    assert_eq!(denied, everybody(pressed("2")));
}

#[test]
fn another_language_is_spoken_where_it_answers_nothing_and_no_longer_when_asked_in_it() {
    let mut population = Population::willing();
    population.languages.speaks_another = Probability::ALWAYS;
    population.languages.others = vec![Language::Es];
    for expected in [Expected::Consent, scale()] {
        let words = said(heard(&population, Language::It, &expected));
        let languages: Vec<_> = words
            .map(|(words, _)| spoken_language::detect(&words))
            .collect();
        assert_eq!(languages, everybody(Some(Language::Es)));
    }
    let consents = intents(&population, Language::Es, &Expected::Consent);
    assert_eq!(consents, everybody(yes_or_no(true)));
    let foreign = Vocabulary::of(Language::Es).prefers_this;
    let opinions = said(heard(&population, Language::It, &Expected::FreeText));
    assert_eq!(
        opinions
            .filter(|(words, _)| foreign.contains(&&**words))
            .count(),
        0
    );
}

#[test]
fn a_misheard_or_hardly_heard_answer_comes_with_little_confidence() {
    let mut misheard = Population::willing();
    misheard.questions.misheard = Probability::ALWAYS;
    let mut hardly_heard = Population::willing();
    hardly_heard.questions.hardly_heard = Probability::ALWAYS;
    let least_and_most = |population: &Population| {
        let sure = said(heard(population, Language::En, &scale())).map(|(_, sure)| sure);
        let sure: Vec<_> = sure.collect();
        assert_eq!(sure.len(), PEOPLE as usize);
        (*sure.iter().min().unwrap(), *sure.iter().max().unwrap())
    };
    let of = Confidence::from_hundredths;
    for population in [&misheard, &hardly_heard] {
        let (least, most) = least_and_most(population);
        assert!(least < of(45) && most <= of(60), "{least:?} {most:?}");
    }
    assert!(least_and_most(&Population::willing()).0 > of(70));
}

#[test]
fn questions_wrong_keys_and_wrong_persons_come_in_the_middle_too() {
    let mut population = Population::willing();
    population.questions.asks_who = Probability::ALWAYS;
    let asks = intents(&population, Language::It, &scale());
    assert_eq!(asks.len(), PEOPLE as usize);
    let about = |intent| asks.iter().filter(|asked| **asked == intent).count();
    let (who, human) = (about(Intent::AskIdentity), about(Intent::AskHuman));
    assert!(who > 10 && human > 10 && who + human == asks.len());
    let mut population = Population::willing();
    population.questions.wrong_person = Probability::ALWAYS;
    let told = intents(&population, Language::It, &scale());
    assert_eq!(told, everybody(Intent::WrongPerson));
    let mut population = Population::willing();
    population.questions.wrong_keys = Probability::ALWAYS;
    let keys = heard(&population, Language::It, &scale());
    assert_eq!(keys, everybody(pressed("*5")));
}
