//! Every kind of step in two languages, written out and held against Twilio's rules.

mod rules;

use rust_decimal::Decimal;
use uuid::Uuid;
use voicesurvey_core::conversation::ListenKeys;
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::interpretation::Expected;
use voicesurvey_core::survey::ChoiceOption;

use super::*;
use crate::settings::Voice;
use crate::settings::tests::sample;

fn writer_of(settings: &TwilioSettings) -> TwimlWriter {
    TwimlWriter::new(settings, WebhookUrls::new(&settings.public_url))
}

fn call() -> CallReference {
    CallReference {
        company_id: CompanyId::from_uuid(Uuid::from_u128(1)),
        attempt_id: CallAttemptId::from_uuid(Uuid::from_u128(2)),
        provider_call_id: None,
    }
}

/// What a document says, checked.
fn text(written: &WebhookReply) -> String {
    assert_eq!(written.status, 200);
    assert_eq!(written.content_type, Some("text/xml; charset=utf-8"));
    let text = String::from_utf8(written.body.clone()).unwrap();
    rules::check(&text);
    text
}

fn written(reply: &VoiceReply) -> String {
    text(&writer_of(&sample()).reply(&call(), reply))
}

/// The same with a line per element.
fn lines(document: &str) -> String {
    document
        .replace("><", ">\n<")
        .replace("?company=00000000-0000-0000-0000-000000000001&amp;attempt=00000000-0000-0000-0000-000000000002", "?…")
}

fn reply(language: Language, say: &[&str], firm: u16, then: Then) -> VoiceReply {
    VoiceReply {
        language,
        voice: None,
        say: say.iter().map(|&it| it.to_owned()).collect(),
        firm,
        then,
    }
}

fn listen(step: u32, expected: Expected, language: Language) -> Then {
    Then::Listen(Listen::for_answer(step, expected, language))
}

fn options(say: &[(&str, &str)]) -> Vec<ChoiceOption> {
    let option = |&(key, say): &(&str, &str)| ChoiceOption {
        key: key.to_owned(),
        say: vec![say.to_owned()],
    };
    say.iter().map(option).collect()
}

/// What a survey asks, with everything in it that XML has marks for.
struct Words {
    firm: [&'static str; 2],
    consent: &'static str,
    choice: &'static str,
    options: [(&'static str, &'static str); 3],
    scale: &'static str,
    number: &'static str,
    open: &'static str,
    goodbye: &'static str,
}

const ITALIAN: Words = Words {
    firm: [
        "Buongiorno, chiamiamo per conto di \"Rossi & Figli\" <S.p.A.> 🎉.",
        "Le parla una voce automatica.",
    ],
    consent: "L'intervista dura 2 minuti: vuole partecipare?",
    choice: "Qual è l'offerta più adatta: A & B, \"C\" o <D>?",
    options: [("a", "A & B, insieme"), ("c", "\"C\""), ("d", "<D> 👍")],
    scale: "Da 0 a 10, quanto ci consiglierebbe?",
    number: "Quanti anni ha?",
    open: "Che cosa c'è da migliorare?",
    goodbye: "Grazie, signora D'Amico & C. Arrivederci 👋",
};

const RUSSIAN: Words = Words {
    firm: [
        "Здравствуйте, звоним от имени «Иванов & сыновья» <ООО> 🎉.",
        "С вами говорит автомат.",
    ],
    consent: "Опрос займёт 2 минуты. Вы согласны?",
    choice: "Что вам подходит: A & B, \"C\" или <D>?",
    options: [("a", "А & Б, вместе"), ("c", "\"С\""), ("d", "<Д> 👍")],
    scale: "От 0 до 10, порекомендуете ли вы нас?",
    number: "Сколько вам лет?",
    open: "Что нам улучшить?",
    goodbye: "Спасибо, г-жа О'Нил & Ко. До свидания 👋",
};

fn every_step(language: Language, words: &Words) -> String {
    let choice = Expected::Choice {
        options: options(&words.options),
    };
    let scale = Expected::Scale {
        min: 0,
        max: 10,
        labels: Vec::new(),
    };
    let number = Expected::Number {
        min: Some(Decimal::ONE),
        max: Some(Decimal::from(120)),
        decimals: false,
    };
    let [who, automatic] = words.firm;
    let ask =
        |step, say: &str, expected| reply(language, &[say], 0, listen(step, expected, language));
    let steps = [
        (
            "consent",
            reply(
                language,
                &[who, automatic, words.consent],
                2,
                listen(1, Expected::Consent, language),
            ),
        ),
        ("yes or no", ask(2, words.consent, Expected::YesNo)),
        ("choice", ask(3, words.choice, choice.clone())),
        ("scale", ask(4, words.scale, scale)),
        ("number", ask(5, words.number, number)),
        ("open", ask(6, words.open, Expected::FreeText)),
        ("call back", ask(7, words.open, Expected::CallBackTime)),
        (
            "confirm",
            ask(
                8,
                words.choice,
                Expected::Confirm {
                    of: Box::new(choice),
                },
            ),
        ),
        (
            "goodbye",
            reply(language, &[words.goodbye], 0, Then::HangUp),
        ),
        ("silent goodbye", reply(language, &[], 0, Then::HangUp)),
    ];
    let mut all = String::new();
    for (name, reply) in steps {
        all.extend(["== ", name, "\n", &lines(&written(&reply)), "\n"]);
    }
    let fallback = text(&writer_of(&sample()).fallback(language));
    all.extend(["== fallback\n", &lines(&fallback), "\n"]);
    all
}

#[test]
fn every_kind_of_step_in_italian() {
    insta::assert_snapshot!(every_step(Language::It, &ITALIAN));
}

#[test]
fn every_kind_of_step_in_russian() {
    insta::assert_snapshot!(every_step(Language::Ru, &RUSSIAN));
}

#[test]
fn whatever_is_said_comes_out_as_it_went_in() {
    for words in [&ITALIAN, &RUSSIAN] {
        let say = [
            words.firm[0],
            words.choice,
            "<Say>]]></Say>&amp;&#38;",
            words.goodbye,
        ];
        let document = written(&reply(
            Language::It,
            &say,
            1,
            listen(1, Expected::YesNo, Language::It),
        ));
        assert_eq!(rules::spoken(&document), say);
    }
}

#[test]
fn only_keys_interrupt_what_is_firm() {
    let firm = |firm, say: &[&str]| {
        let then = listen(1, Expected::Consent, Language::It);
        rules::gathers(&written(&reply(Language::It, say, firm, then)))
    };
    let gather = |input: &str, say: &[&str]| {
        (
            input.to_owned(),
            say.iter().map(|&it| it.to_owned()).collect::<Vec<_>>(),
        )
    };
    assert_eq!(firm(0, &["a", "b"]), [gather("dtmf speech", &["a", "b"])]);
    assert_eq!(
        firm(1, &["a", "b"]),
        [gather("dtmf", &["a"]), gather("dtmf speech", &["b"])]
    );
    for whole in [2, u16::MAX] {
        assert_eq!(
            firm(whole, &["a", "b"]),
            [gather("dtmf", &["a", "b"]), gather("dtmf speech", &[])]
        );
    }
    assert_eq!(firm(1, &[]), [gather("dtmf speech", &[])]);
}

#[test]
fn a_skillbase_chooses_the_voice_and_settings_the_rest() {
    let mut settings = sample();
    settings.voices = settings
        .voices
        .with(Language::It, Voice::new("it-CH", "Google.it-IT-Wavenet-A"));
    settings.speech_model = Some("deepgram_nova-3".to_owned());
    let writer = writer_of(&settings);
    let mut asked = reply(
        Language::It,
        &["Sì?"],
        0,
        listen(1, Expected::YesNo, Language::It),
    );
    let say = |asked: &VoiceReply| text(&writer.reply(&call(), asked));
    let written = say(&asked);
    assert!(written.contains(r#"<Say language="it-CH" voice="Google.it-IT-Wavenet-A">"#));
    assert!(written.contains(r#"speechModel="deepgram_nova-3""#));
    asked.voice = Some("Polly.Giorgio".to_owned());
    assert!(say(&asked).contains(r#"voice="Polly.Giorgio""#));
    // Of another provider, or no name at all.
    for voice in ["", "Il mio voce", "x\" loop=\"0", &"x".repeat(65)] {
        asked.voice = Some(voice.to_owned());
        assert!(
            say(&asked).contains(r#"voice="Google.it-IT-Wavenet-A""#),
            "{voice}"
        );
    }
}

#[test]
fn figures_that_twilio_would_refuse_are_moved_into_its_range() {
    let extreme =
        |silence_seconds, end_of_speech_milliseconds, longest_speech_seconds, most| Listen {
            silence_seconds,
            end_of_speech_milliseconds,
            longest_speech_seconds,
            keys: ListenKeys {
                most,
                between_seconds: 0,
            },
            ..Listen::for_answer(1, Expected::YesNo, Language::It)
        };
    for (listen, expected) in [
        (
            extreme(0, 0, 0, 0),
            [
                r#" timeout="1""#,
                r#"speechTimeout="1""#,
                r#"maxSpeechTime="1""#,
                r#"numDigits="1""#,
            ],
        ),
        (
            extreme(9, 1_001, 900, 255),
            [
                r#" timeout="9""#,
                r#"speechTimeout="2""#,
                r#"maxSpeechTime="60""#,
                r#"numDigits="255""#,
            ],
        ),
    ] {
        let written = written(&reply(Language::It, &["a", "b"], 1, Then::Listen(listen)));
        for attribute in expected {
            assert!(written.contains(attribute), "{attribute}: {written}");
        }
    }
}

#[test]
fn hints_are_one_list_within_its_limits() {
    let list = |words: &[&str]| hints(&words.iter().map(|&it| it.to_owned()).collect::<Vec<_>>());
    assert_eq!(
        list(&["sì", "Roma, Lazio", "", " , ", "a\u{1}\nb"]),
        "sì,Roma  Lazio,a b"
    );
    let long = "x".repeat(LONGEST_HINT + 1);
    assert_eq!(list(&[&long, "no"]), "no");
    let many: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    assert_eq!(hints(&many).split(',').count(), MOST_HINTS);
    let heavy = vec!["ж".repeat(LONGEST_HINT); MOST_HINTS];
    assert!(hints(&heavy).len() <= ALL_HINTS);
}

#[test]
fn no_reply_is_larger_than_what_twilio_reads() {
    let mut listen = Listen::for_answer(u32::MAX, Expected::YesNo, Language::Ru);
    listen.hints = vec!["&".repeat(LONGEST_HINT); MOST_HINTS];
    for sentence in [
        "ж".repeat(10_000),
        "&".repeat(10_000),
        "a b. ".repeat(3_000),
        "🎉 ".repeat(9),
    ] {
        let say = vec![sentence; 1_000];
        let asked = VoiceReply {
            language: Language::Ru,
            voice: Some("x".repeat(64)),
            say,
            firm: 3,
            then: Then::Listen(listen.clone()),
        };
        let written = written(&asked);
        assert!(written.len() > 20_000 && written.ends_with("</Redirect></Response>"));
    }
}
