//! Values that are read back, marks that have names, and the question when to call again.

use super::*;
use crate::survey::ScaleLabel;

fn shown(language: Language, expected: &Expected, words: &str) -> String {
    shorthand(&interpret(language, expected.clone(), words))
}

fn check(expected: &Expected, cases: &[(Language, &str, &str)]) {
    let missed: Vec<String> = cases
        .iter()
        .filter_map(|(language, words, wanted)| {
            let got = shown(*language, expected, words);
            (got != *wanted).then(|| format!("{language} «{words}»: expected {wanted}, got {got}"))
        })
        .collect();
    assert!(missed.is_empty(), "{}", report(&missed, cases.len()));
}

#[test]
fn a_value_that_was_read_back_is_confirmed_denied_or_corrected() {
    let confirm = Expected::Confirm {
        of: Box::new(scale(1, 5)),
    };
    check(
        &confirm,
        &[
            (Language::It, "sì", "yes"),
            (Language::It, "sì, giusto", "yes"),
            (Language::It, "esatto", "yes"),
            (Language::It, "no", "no"),
            (Language::It, "no, cinque", "=5"),
            (Language::It, "sì, quattro", "=4"),
            (Language::It, "tre", "=3"),
            (Language::It, "no, nove", "!9"),
            (Language::It, "nove", "!9"),
            (Language::It, "non chiamatemi mai più", "opt_out"),
            (Language::It, "ha sbagliato numero", "wrong_person"),
            (Language::It, "può ripetere", "repeat"),
            (Language::En, "yes", "yes"),
            (Language::En, "that's right", "yes"),
            (Language::En, "no, five", "=5"),
            (Language::En, "five", "=5"),
            (Language::En, "no", "no"),
            (Language::En, "to", "=2"),
            (Language::Ru, "да", "yes"),
            (Language::Ru, "нет, пять", "=5"),
            (Language::Ru, "нет", "no"),
            (Language::Es, "sí", "yes"),
            (Language::Es, "no, cinco", "=5"),
            (Language::Es, "no", "no"),
            (Language::Fr, "oui", "yes"),
            (Language::Fr, "non, cinq", "=5"),
            (Language::Fr, "non", "no"),
            (Language::De, "ja", "yes"),
            (Language::De, "nein, fünf", "=5"),
            (Language::De, "nein", "no"),
        ],
    );
}

#[test]
fn a_mark_may_be_called_by_its_name() {
    let label = |value: i64, say: &str| ScaleLabel {
        value,
        say: vec![say.to_owned()],
    };
    let labelled = Expected::Scale {
        min: 1,
        max: 5,
        labels: vec![
            label(1, "per niente soddisfatto"),
            label(3, "abbastanza soddisfatto"),
            label(4, "soddisfatto"),
            label(5, "molto soddisfatto"),
        ],
    };
    check(
        &labelled,
        &[
            (Language::It, "molto soddisfatto", "=5"),
            (Language::It, "direi molto soddisfatta", "=5"),
            (Language::It, "per niente soddisfatto", "=1"),
            (Language::It, "soddisfatto, quattro", "=4"),
            (Language::It, "molto soddisfatto, cioè tre", "=3"),
            (
                Language::It,
                "abbastanza soddisfatto o molto soddisfatto",
                "?3,5",
            ),
            (
                Language::It,
                "abbastanza soddisfatto, anzi molto soddisfatto",
                "=5",
            ),
            (Language::It, "non soddisfatto", "unclear"),
            (Language::It, "non sono molto soddisfatto", "unclear"),
            (Language::It, "sei", "!6"),
            (Language::It, "non so", "dont_know"),
        ],
    );
}

#[test]
fn a_name_with_other_words_besides_it_is_less_sure() {
    let utterance = |words: &str| Utterance {
        language: Language::En,
        expected: Expected::Scale {
            min: 1,
            max: 3,
            labels: vec![ScaleLabel {
                value: 3,
                say: vec!["happy".to_owned()],
            }],
        },
        words: words.to_owned(),
        question: String::new(),
    };
    let sure = RulesInterpreter::new().interpret(&utterance("happy"));
    let doubtful = RulesInterpreter::new().interpret(&utterance("hardly happy"));
    assert_eq!(sure.confidence.hundredths(), confidence::WHOLE);
    assert_eq!(doubtful.confidence.hundredths(), confidence::LIKELY);
}

#[test]
fn who_is_asked_when_to_be_called_names_a_time_or_none() {
    check(
        &Expected::CallBackTime,
        &[
            (Language::It, "domani alle dieci", "callback"),
            (Language::It, "più tardi", "callback"),
            (Language::It, "no grazie", "stop"),
            (Language::It, "non chiamatemi più", "opt_out"),
            (Language::It, "non abita qui", "wrong_person"),
            (Language::It, "boh, che ne so io", "unclear"),
            (Language::It, "può ripetere?", "repeat"),
            (Language::En, "in an hour", "callback"),
            (Language::En, "ten", "callback"),
            (Language::En, "never, stop calling me", "opt_out"),
            (Language::En, "no", "stop"),
            (Language::Ru, "через час", "callback"),
            (Language::Ru, "нет", "stop"),
            (Language::Es, "mañana por la tarde", "callback"),
            (Language::Es, "no", "stop"),
            (Language::Fr, "lundi à 15 h", "callback"),
            (Language::Fr, "non merci", "stop"),
            (Language::De, "übermorgen um halb drei", "callback"),
            (Language::De, "nein danke", "stop"),
            (Language::De, "rufen Sie nie wieder an", "opt_out"),
        ],
    );
}

#[test]
fn words_about_calls_are_noticed_in_every_language() {
    let calls = [
        (Language::It, "mi avete telefonato tre volte"),
        (Language::En, "you people called me yesterday"),
        (Language::Ru, "мне звонили вчера"),
        (Language::Es, "me llamaron ayer"),
        (Language::Fr, "on m'a appelé hier"),
        (Language::De, "gestern hat jemand angerufen"),
    ];
    for (language, words) in calls {
        assert!(mentions_calling(language, words), "{words}");
    }
    assert!(!mentions_calling(Language::It, "il pane era buono"));
}

/// Whoever refuses a time has not refused the call; whoever refuses the call is not called again.
#[test]
fn a_refused_time_is_told_from_a_refused_call() {
    check(
        &Expected::CallBackTime,
        &[
            (Language::It, "no dopo", "unclear"),
            (Language::It, "no, domani no", "unclear"),
            (Language::En, "no, not tomorrow", "unclear"),
            (Language::De, "nein, nicht morgen", "unclear"),
            (Language::It, "lasciamo perdere", "stop"),
            (Language::It, "no grazie", "stop"),
            (Language::En, "forget it", "stop"),
            (Language::Ru, "забудьте", "stop"),
            (Language::Es, "déjelo", "stop"),
            (Language::Fr, "laissez tomber", "stop"),
            (Language::De, "vergessen Sie es", "stop"),
        ],
    );
}
