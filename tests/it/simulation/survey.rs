//! The surveys of the campaigns: one question of every kind, in three languages.

use std::collections::BTreeMap;

use voicesurvey::language::Language;
use voicesurvey::survey::{
    ChoiceOption, Condition, Question, QuestionKind, ScaleLabel, Survey, SurveyTranslation,
};
use voicesurvey::testing::samples;

use super::chance::Chance;

/// The languages that are offered, and one that people are called in who speak none of them.
pub(super) const LANGUAGES: [&str; 5] = ["", "", "en", "de", "ru"];

/// A long survey, or a short one.
pub(super) fn survey(chance: &mut Chance) -> Survey {
    if chance.percent(40) {
        return samples::survey();
    }
    let retries = u8::try_from(chance.below(3)).unwrap();
    let questions = vec![
        question("satisfied", "È soddisfatto?", retries, QuestionKind::YesNo),
        question("visits", "Quante volte è venuto?", retries, visits()),
        question("mark", "Che voto ci dà, da uno a cinque?", retries, mark()),
        question("way", "È venuto con la macchina o con il treno?", 1, way()),
        question("remark", "Vuole dirci altro?", 0, QuestionKind::FreeText),
    ];
    let mut survey = Survey {
        questions,
        ..samples::survey()
    };
    survey.questions[2].show_if = Some(Condition {
        question: "visits".to_owned(),
        at_least: "1".parse().ok(),
        ..Condition::default()
    });
    survey.questions[4].required = false;
    let words: [(Language, Words); 2] = [(Language::En, ENGLISH), (Language::De, GERMAN)];
    survey.translations = words
        .map(|(language, words)| (language, words.translation()))
        .into();
    survey
}

fn question(key: &str, text: &str, retries: u8, kind: QuestionKind) -> Question {
    Question {
        key: key.to_owned(),
        text: text.to_owned(),
        kind,
        required: true,
        retries,
        show_if: None,
    }
}

fn visits() -> QuestionKind {
    QuestionKind::Numeric {
        min: "0".parse().ok(),
        max: "30".parse().ok(),
        decimals: false,
    }
}

fn mark() -> QuestionKind {
    let label = |(value, name): (i64, &str)| ScaleLabel {
        value,
        say: vec![name.to_owned()],
    };
    let names = ["pessimo", "scarso", "discreto", "buono", "ottimo"];
    QuestionKind::Scale {
        min: 1,
        max: 5,
        labels: (1..).zip(names).map(label).collect(),
    }
}

fn way() -> QuestionKind {
    let option = |(key, say): (&str, &str)| ChoiceOption {
        key: key.to_owned(),
        say: vec![say.to_owned()],
    };
    let options = [("car", "la macchina"), ("train", "il treno")];
    QuestionKind::Choice {
        options: options.map(option).to_vec(),
    }
}

/// The words of the long survey in another language.
struct Words {
    intro: &'static str,
    consent: &'static str,
    questions: [&'static str; 5],
    marks: [&'static str; 5],
    ways: [&'static str; 2],
    goodbye: &'static str,
}

const ENGLISH: Words = Words {
    intro: "Good morning, I am calling for Acme.",
    consent: "May I ask you some questions?",
    questions: [
        "Are you satisfied?",
        "How often did you come?",
        "What mark do you give us, from one to five?",
        "Did you come by car or by train?",
        "Anything else?",
    ],
    marks: ["terrible", "poor", "fair", "good", "excellent"],
    ways: ["the car", "the train"],
    goodbye: "Thank you, goodbye.",
};

const GERMAN: Words = Words {
    intro: "Guten Tag, ich rufe für Acme an.",
    consent: "Darf ich Sie etwas fragen?",
    questions: [
        "Sind Sie zufrieden?",
        "Wie oft sind Sie gekommen?",
        "Welche Note geben Sie uns, von eins bis fünf?",
        "Sind Sie mit dem Auto oder mit dem Zug gekommen?",
        "Möchten Sie noch etwas sagen?",
    ],
    marks: [
        "miserabel",
        "schlecht",
        "mittelmäßig",
        "gut",
        "ausgezeichnet",
    ],
    ways: ["das Auto", "der Zug"],
    goodbye: "Danke, auf Wiederhören.",
};

impl Words {
    fn translation(&self) -> SurveyTranslation {
        let keys = ["satisfied", "visits", "mark", "way", "remark"];
        let texts = keys.iter().zip(self.questions);
        let marks = (1..)
            .zip(self.marks)
            .map(|(mark, name)| (mark.to_string(), name));
        let ways = ["car", "train"].into_iter().zip(self.ways);
        let ways = ways.map(|(key, name)| (key.to_owned(), name));
        SurveyTranslation {
            intro_script: self.intro.to_owned(),
            consent_question: Some(self.consent.to_owned()),
            questions: texts
                .map(|(key, text)| ((*key).to_owned(), text.to_owned()))
                .collect(),
            completion_message: self.goodbye.to_owned(),
            options: BTreeMap::from([
                ("mark".to_owned(), said(marks)),
                ("way".to_owned(), said(ways)),
            ]),
        }
    }
}

fn said(names: impl Iterator<Item = (String, &'static str)>) -> BTreeMap<String, Vec<String>> {
    let said = names.map(|(key, name)| (key, vec![name.to_owned()]));
    said.collect()
}
