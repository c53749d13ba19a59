//! What is said first, and which words a consent names.

use super::*;
use crate::conversation::lines::Lines;

#[test]
fn who_calls_is_said_first_then_the_machine_the_recording_and_the_way_out() {
    let mut line = Line::ringing(niccolo());
    line.campaign.settings.recording = true;
    let line = line.picked_up();
    let expected = [
        "Buongiorno, chiamiamo per conto di Rossi.",
        "Le parla una voce automatica, un'intelligenza artificiale.",
        "Se accetta, la chiamata sarà registrata.",
        "Se non vuole più ricevere chiamate, dica: non chiamatemi più, o prema nove.",
        "Ci vorrà circa un minuto.",
        "Ciao Niccolò, chiamo per Rossi. Vuole rispondere?",
    ];
    assert_eq!(line.last().last_reply.say, expected);
    assert_eq!(line.last().last_reply.firm, 4);
    let silent = Line::new(niccolo());
    assert!(!silent.said().contains("registrata"));
    assert_eq!(silent.last().last_reply.firm, 3);
}

#[test]
fn the_question_is_the_last_thing_heard() {
    let mut line = Line::ringing(niccolo());
    let survey = &mut line.campaign.settings.survey;
    survey.intro_script = "È un sondaggio sul servizio.".to_owned();
    let asked = |line: &Line| line.last().last_reply.say[3..].to_vec();
    let usual = line.picked_up();
    assert_eq!(
        asked(&usual),
        [
            "È un sondaggio sul servizio.",
            "Ci vorrà circa un minuto.",
            "Vuole partecipare?"
        ]
    );
    let mut line = Line::ringing(niccolo());
    let survey = &mut line.campaign.settings.survey;
    survey.consent_question = Some("Va bene, {{name}}?".to_owned());
    survey.questions = (0..10)
        .map(|number| question(&format!("q{number}"), "E?", QuestionKind::YesNo))
        .collect();
    let own = line.picked_up();
    assert_eq!(
        asked(&own)[1..],
        ["Ci vorranno circa 4 minuti.", "Va bene, Niccolò?"]
    );
}

#[test]
fn consent_names_the_words_that_were_spoken() {
    let version = |line: Line| line.presses("1").consent().unwrap().text_version.clone();
    let spoken = Line::new(niccolo()).says("sì");
    let consent = spoken.consent().unwrap();
    assert!(
        consent
            .text
            .starts_with("Buongiorno, chiamiamo per conto di Rossi.")
    );
    assert!(consent.text.ends_with("Vuole rispondere?"));
    assert!(consent.text_version.starts_with("lines-2/"));

    // Another person hears the same words; another intro, language or recording are other words.
    let other_person = Contact {
        name: "Ada".to_owned(),
        ..niccolo()
    };
    assert_eq!(version(Line::new(other_person)), consent.text_version);
    let english = Contact {
        language: Some(Language::En),
        ..niccolo()
    };
    assert_ne!(version(Line::new(english)), consent.text_version);
    let mut recorded = Line::ringing(niccolo());
    recorded.campaign.settings.recording = true;
    assert_ne!(version(recorded.picked_up()), consent.text_version);
    let mut other_words = Line::ringing(niccolo());
    other_words
        .campaign
        .settings
        .survey
        .intro_script
        .push_str(" Sì?");
    assert_ne!(version(other_words.picked_up()), consent.text_version);
}

#[test]
fn braces_of_a_company_or_a_person_are_not_filled_in() {
    let contact = Contact {
        name: "{company} {{name}}".to_owned(),
        ..niccolo()
    };
    assert!(
        Line::new(contact)
            .said()
            .contains("Ciao {company} {{name}},")
    );
}

/// A form that is left empty sends an empty text.
#[test]
fn a_blank_consent_question_is_the_usual_one() {
    for blank in ["", " "] {
        let mut line = Line::ringing(niccolo());
        let survey = &mut line.campaign.settings.survey;
        survey.intro_script = "Chiamo per Rossi.".to_owned();
        survey.consent_question = Some(blank.to_owned());
        let english = survey.translations.get_mut(&Language::En).unwrap();
        english.intro_script = "I am calling for Rossi.".to_owned();
        english.consent_question = Some(blank.to_owned());
        for language in [Language::It, Language::En] {
            line.contact.language = Some(language);
            line = line.picked_up();
            let usual = &Lines::of(language).consent_question;
            assert_eq!(line.last().last_reply.say.last(), Some(usual));
        }
    }
}
