//! A whole interview in each language, as a person hears it: with a recording, marks that have
//! names, options, a question that is missed twice, a doubtful number, and two asides.

use super::*;
use crate::interpretation::{Intent, Interpretation, InterpretedBy};
use crate::survey::{AnswerValue, ChoiceOption};

/// What the survey says in a language, and what the person answers.
struct Words {
    language: Language,
    intro: &'static str,
    /// A scale from 0 to 10, a choice, a yes or no, an open question.
    questions: [&'static str; 4],
    ends: [&'static str; 2],
    options: [&'static str; 2],
    completion: &'static str,
    who: &'static str,
    yes: &'static str,
    no: &'static str,
    mumble: &'static str,
    open: &'static str,
}

const WORDS: [Words; 6] = [
    Words {
        language: Language::It,
        intro: "È un sondaggio sul suo ultimo viaggio.",
        questions: [
            "Da zero a dieci, quanto è stato contento?",
            "Con che cosa è venuto?",
            "Tornerebbe?",
            "Che cosa possiamo migliorare?",
        ],
        ends: ["per niente", "moltissimo"],
        options: ["autobus", "treno"],
        completion: "Grazie, abbiamo finito.",
        who: "chi parla?",
        yes: "sì",
        no: "no",
        mumble: "la pioggia sul tetto",
        open: "i sedili erano un po' duri",
    },
    Words {
        language: Language::En,
        intro: "This is a survey about your last journey.",
        questions: [
            "From zero to ten, how happy were you?",
            "How did you come?",
            "Would you come again?",
            "What can we do better?",
        ],
        ends: ["not at all", "very much"],
        options: ["bus", "train"],
        completion: "Thank you, that is all.",
        who: "who is calling?",
        yes: "yes",
        no: "no",
        mumble: "the rain on the roof",
        open: "the seats were a bit hard",
    },
    Words {
        language: Language::Ru,
        intro: "Это опрос о вашей последней поездке.",
        questions: [
            "От нуля до десяти, насколько вы довольны?",
            "На чём вы приехали?",
            "Вы приедете ещё раз?",
            "Что нам улучшить?",
        ],
        ends: ["совсем нет", "очень"],
        options: ["автобус", "поезд"],
        completion: "Спасибо, это всё.",
        who: "кто это звонит?",
        yes: "да",
        no: "нет",
        mumble: "дождь на крыше",
        open: "сиденья были жёсткие",
    },
    Words {
        language: Language::Es,
        intro: "Es una encuesta sobre su último viaje.",
        questions: [
            "De cero a diez, ¿cómo de contento quedó?",
            "¿En qué vino?",
            "¿Volvería?",
            "¿Qué podemos mejorar?",
        ],
        ends: ["nada", "muchísimo"],
        options: ["autobús", "tren"],
        completion: "Gracias, hemos terminado.",
        who: "¿quién llama?",
        yes: "sí",
        no: "no",
        mumble: "la lluvia en el tejado",
        open: "los asientos eran un poco duros",
    },
    Words {
        language: Language::Fr,
        intro: "C'est un sondage sur votre dernier voyage.",
        questions: [
            "De zéro à dix, à quel point êtes-vous content ?",
            "Comment êtes-vous venu ?",
            "Reviendriez-vous ?",
            "Que pouvons-nous améliorer ?",
        ],
        ends: ["pas du tout", "énormément"],
        options: ["autobus", "train"],
        completion: "Merci, c'est terminé.",
        who: "qui est à l'appareil ?",
        yes: "oui",
        no: "non",
        mumble: "la pluie sur le toit",
        open: "les sièges étaient un peu durs",
    },
    Words {
        language: Language::De,
        intro: "Das ist eine Umfrage zu Ihrer letzten Reise.",
        questions: [
            "Von null bis zehn, wie zufrieden waren Sie?",
            "Womit sind Sie gekommen?",
            "Würden Sie wiederkommen?",
            "Was können wir besser machen?",
        ],
        ends: ["gar nicht", "sehr"],
        options: ["Bus", "Zug"],
        completion: "Vielen Dank, das war alles.",
        who: "wer ist da?",
        yes: "ja",
        no: "nein",
        mumble: "der Regen auf dem Dach",
        open: "die Sitze waren etwas hart",
    },
];

const KEYS: [&str; 4] = ["contentment", "means", "again", "better"];

/// The words of a language as a translation of the Italian ones.
fn translation(words: &Words) -> SurveyTranslation {
    let named = |keys: [&str; 2], said: [&str; 2]| -> BTreeMap<String, Vec<String>> {
        let named = keys.into_iter().zip(said);
        named
            .map(|(key, said)| (key.to_owned(), vec![said.to_owned()]))
            .collect()
    };
    SurveyTranslation {
        intro_script: words.intro.to_owned(),
        consent_question: None,
        questions: KEYS
            .into_iter()
            .zip(words.questions)
            .map(|(key, text)| (key.to_owned(), text.to_owned()))
            .collect(),
        completion_message: words.completion.to_owned(),
        options: [
            ("contentment".to_owned(), named(["0", "10"], words.ends)),
            ("means".to_owned(), named(["bus", "train"], words.options)),
        ]
        .into(),
    }
}

fn line(words: &Words) -> Line {
    let mut line = Line::ringing(Contact {
        language: Some(words.language),
        ..niccolo()
    });
    line.campaign.settings.recording = true;
    let survey = &mut line.campaign.settings.survey;
    let italian = &WORDS[0];
    survey.intro_script = italian.intro.to_owned();
    survey.completion_message = italian.completion.to_owned();
    survey.translations = WORDS
        .iter()
        .map(|words| (words.language, translation(words)))
        .collect();
    let option = |key: &str, say: &str| ChoiceOption {
        key: key.to_owned(),
        say: vec![say.to_owned()],
    };
    let [low, high] = italian.ends;
    let label = |value, say: &str| crate::survey::ScaleLabel {
        value,
        say: vec![say.to_owned()],
    };
    let kinds = [
        QuestionKind::Scale {
            min: 0,
            max: 10,
            labels: vec![label(0, low), label(10, high)],
        },
        QuestionKind::Choice {
            options: vec![
                option("bus", italian.options[0]),
                option("train", italian.options[1]),
            ],
        },
        QuestionKind::YesNo,
        QuestionKind::FreeText,
    ];
    survey.questions = KEYS
        .into_iter()
        .zip(italian.questions)
        .zip(kinds)
        .map(|((key, text), kind)| question(key, text, kind))
        .collect();
    line.picked_up()
}

fn interview(words: &Words) -> String {
    let four = AnswerValue::Number(4.into());
    let doubtful = Interpretation::new(
        Intent::Answer { value: four },
        Confidence::from_hundredths(60),
        InterpretedBy::Rules,
    );
    let understood = Understood {
        here: Some(doubtful),
        elsewhere: None,
    };
    let heard = Heard::Speech {
        words: "…".to_owned(),
        confidence: None,
    };
    let line = line(words)
        .says(words.mumble)
        .says(words.who)
        .says(words.yes)
        .says(words.mumble)
        .says_nothing()
        .hear_as(&heard, &understood)
        .says(words.yes)
        .says(words.mumble)
        .says_nothing()
        .says(words.options[1])
        .says(words.mumble)
        .says(words.no)
        .says(words.open);
    assert_eq!(line.values(), ["4", "4", "train", "no", words.open]);
    assert_eq!(line.outcome(), Some(Outcome::Completed));
    for reply in line.steps.iter().map(|step| &step.conversation.last_reply) {
        // More than a provider speaks at once (Twilio: 4,096 characters in one Say).
        assert!(reply.say.join(" ").chars().count() <= 3_000);
        assert!(!reply.say.join(" ").contains(['{', '}']), "{:?}", reply.say);
        assert_eq!(reply.language, words.language);
    }
    line.transcript()
}

#[test]
fn in_italian() {
    insta::assert_snapshot!(interview(&WORDS[0]));
}

#[test]
fn in_english() {
    insta::assert_snapshot!(interview(&WORDS[1]));
}

#[test]
fn in_russian() {
    insta::assert_snapshot!(interview(&WORDS[2]));
}

#[test]
fn in_spanish() {
    insta::assert_snapshot!(interview(&WORDS[3]));
}

#[test]
fn in_french() {
    insta::assert_snapshot!(interview(&WORDS[4]));
}

#[test]
fn in_german() {
    insta::assert_snapshot!(interview(&WORDS[5]));
}
