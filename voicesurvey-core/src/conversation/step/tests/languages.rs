//! Who speaks another language of the survey is answered in it.

use super::*;
use crate::interpretation::{Intent, Interpretation, InterpretedBy};
use crate::survey::AnswerValue;

fn elsewhere(language: Language, intent: Intent) -> Understood {
    let meant = |intent, hundredths| {
        let confidence = Confidence::from_hundredths(hundredths);
        Interpretation::new(intent, confidence, InterpretedBy::Rules)
    };
    Understood {
        here: Some(meant(Intent::Unclear, 0)),
        elsewhere: Some((language, meant(intent, 95))),
    }
}

fn english(words: &str) -> Heard {
    Heard::Speech {
        words: words.to_owned(),
        confidence: None,
    }
}

fn yes() -> Intent {
    Intent::Answer {
        value: AnswerValue::YesNo(true),
    }
}

#[test]
fn before_consent_everything_is_said_again_in_the_new_language() {
    let heard = english("yes of course, go on please");
    let line = Line::new(niccolo()).hear_as(&heard, &elsewhere(Language::En, yes()));
    let reply = &line.last().last_reply;
    assert_eq!(reply.say[0], "All right, let us go on in English.");
    assert_eq!(reply.say[1], "Hello, we are calling on behalf of Rossi.");
    assert_eq!((reply.language, reply.firm), (Language::En, 4));
    assert_eq!(
        line.consent(),
        None,
        "the words that changed the language agree to nothing"
    );
    let switch = line.last().memory.switches[0];
    assert_eq!(
        (switch.turn, switch.from, switch.to),
        (2, Language::It, Language::En)
    );

    let line = line.says("yes please");
    let consent = line.consent().unwrap();
    assert_eq!(consent.language, Language::En);
    assert!(
        consent
            .text
            .ends_with("Hello Niccolò, may I ask you something?")
    );
    assert_eq!(line.said(), "How are you?");
}

#[test]
fn in_an_interview_only_the_question_is_said_again() {
    let heard = english("I would say it was four");
    let intent = Intent::Answer {
        value: AnswerValue::Number(4.into()),
    };
    let line = Line::new(niccolo())
        .says("sì")
        .says("bene")
        .hear_as(&heard, &elsewhere(Language::En, intent));
    assert_eq!(
        line.said(),
        "All right, let us go on in English. From 1 to 5?"
    );
    assert_eq!(line.values(), ["bene"]);
    let line = line.says("four");
    assert_eq!(line.values(), ["bene", "4"]);
    assert_eq!(line.said(), "How many coffees?");
}

/// Understood so in both languages, in neither to the last word.
fn in_both(intent: Intent) -> Understood {
    let meant = |intent| {
        let confidence = Confidence::from_hundredths(85);
        Interpretation::new(intent, confidence, InterpretedBy::Rules)
    };
    Understood {
        here: Some(meant(intent.clone())),
        elsewhere: Some((Language::En, meant(intent))),
    }
}

#[test]
fn what_means_the_same_in_both_languages_answers_and_changes_the_language() {
    let words = "it was very good";
    let text = Intent::Answer {
        value: AnswerValue::Text(words.to_owned()),
    };
    let line = Line::new(niccolo())
        .says("sì")
        .hear_as(&english(words), &in_both(text));
    assert_eq!(line.values(), [words]);
    assert_eq!(
        line.said(),
        "All right, let us go on in English. From 1 to 5?"
    );
    assert_eq!(line.last().memory.switches.len(), 1);

    let number = Intent::Answer {
        value: AnswerValue::Number(4.into()),
    };
    let line = Line::new(niccolo()).says("sì").says("bene");
    let line = line.hear_as(&english("I would say 4 out of five"), &in_both(number));
    assert_eq!(line.values(), ["bene", "4"]);
    assert!(line.said().ends_with("English. How many coffees?"));
}

#[test]
fn a_yes_in_both_languages_agrees_to_nothing_and_a_no_refuses() {
    let heard = english("ok yes sure go ahead");
    let line = Line::new(niccolo()).hear_as(&heard, &in_both(yes()));
    assert_eq!(line.consent(), None);
    assert!(line.said().ends_with("may I ask you something?"));
    assert_eq!(line.last().last_reply.firm, 4);

    let no = Intent::Answer {
        value: AnswerValue::YesNo(false),
    };
    let line = Line::new(niccolo()).hear_as(&english("no I do not want to"), &in_both(no));
    assert_eq!(line.outcome(), Some(Outcome::Refused));
    assert_eq!(line.consent().unwrap().language, Language::It);
    assert_eq!(line.last().last_reply.language, Language::En);
}

#[test]
fn who_may_change_the_language_no_more_is_answered_in_the_one_that_is_spoken() {
    let mut line = Line::new(niccolo()).says("sì");
    for language in [Language::En, Language::It] {
        let heard = english("words of some other language");
        line = line.hear_as(&heard, &elsewhere(language, Intent::Unclear));
    }
    let words = "it was very good";
    let text = Intent::Answer {
        value: AnswerValue::Text(words.to_owned()),
    };
    let line = line.hear_as(&english(words), &in_both(text));
    assert_eq!(line.values(), [words]);
    assert_eq!(line.said(), "Da 1 a 5?");
}

#[test]
fn a_language_that_the_survey_does_not_have_changes_nothing() {
    let heard = english("ich verstehe leider kein Wort");
    let line = Line::new(niccolo()).hear_as(&heard, &elsewhere(Language::De, Intent::Unclear));
    assert_eq!(line.last().language, Language::It);
    assert!(line.last().memory.switches.is_empty());
}

#[test]
fn what_was_surely_understood_was_not_said_in_another_language() {
    let mut understood = elsewhere(Language::En, yes());
    understood.here = Some(Interpretation::new(
        yes(),
        Confidence::from_hundredths(95),
        InterpretedBy::Rules,
    ));
    let line = Line::new(niccolo()).hear_as(&english("sì sì ok va bene"), &understood);
    assert_eq!(line.last().language, Language::It);
    assert!(line.consent().unwrap().given);
}

#[test]
fn wishes_about_the_call_count_in_the_other_language() {
    for (intent, outcome) in [
        (Intent::Stop, Outcome::Refused),
        (Intent::WrongPerson, Outcome::WrongPerson),
    ] {
        let understood = elsewhere(Language::En, intent.clone());
        let line = Line::new(niccolo()).hear_as(&english("I am sorry, not now"), &understood);
        assert_eq!(line.outcome(), Some(outcome), "{intent:?}");
        assert_eq!(line.last().last_reply.language, Language::En);
        // What they have refused are the words that they have heard.
        let refused = line.consent().map(|consent| consent.language);
        assert!(refused.is_none_or(|language| language == Language::It));
    }
}

#[test]
fn the_language_changes_twice_at_most() {
    let mut line = Line::new(niccolo());
    for language in [Language::En, Language::It, Language::En] {
        let heard = english("words of some other language");
        line = line.hear_as(&heard, &elsewhere(language, Intent::Unclear));
    }
    assert_eq!(line.last().language, Language::It);
    assert_eq!(line.last().memory.switches.len(), 2);
}

#[test]
fn options_and_marks_are_read_out_in_the_language_that_is_spoken() {
    let mut line = Line::ringing(niccolo());
    let option = |key: &str, say: &str| crate::survey::ChoiceOption {
        key: key.to_owned(),
        say: vec![say.to_owned()],
    };
    let options = vec![option("bus", "autobus"), option("car", "macchina")];
    let survey = &mut line.campaign.settings.survey;
    survey.questions[0].kind = QuestionKind::Choice { options };
    let words = |words: &[(&str, &str)]| {
        let words = words
            .iter()
            .map(|(key, say)| ((*key).to_owned(), vec![(*say).to_owned()]));
        words.collect::<BTreeMap<_, _>>()
    };
    let english = survey.translations.get_mut(&Language::En).unwrap();
    english.options = [
        (
            "q1".to_owned(),
            words(&[("bus", "by bus"), ("car", "by car")]),
        ),
        (
            "q2".to_owned(),
            words(&[("1", "awful"), ("5", "great"), ("9", "never")]),
        ),
    ]
    .into();
    line.contact.language = Some(Language::En);
    let line = line.picked_up().says("yes").says("the cat on the roof");
    let options = "You can say: by bus, or press one; by car, or press two.";
    assert!(line.said().ends_with(options), "{}", line.said());
    // Who answers in the campaign's words is understood as well.
    let line = line.says("autobus");
    assert_eq!(line.values(), ["bus"]);
    let line = line.says("the cat on the roof");
    assert!(
        line.said().contains("from 1, awful, to 5, great,"),
        "{}",
        line.said()
    );
}
