//! Options that are named by their place, and places that name none: "all three", "not the first".

use super::*;

fn interpretation(language: Language, expected: Expected, words: &str) -> Interpretation {
    RulesInterpreter::new().interpret(&Utterance {
        language,
        expected,
        words: words.to_owned(),
        question: String::new(),
    })
}

fn travel(language: Language, words: &str) -> Interpretation {
    let options = travel_options(language);
    interpretation(language, Expected::Choice { options }, words)
}

fn chosen(key: &str) -> Intent {
    Intent::Answer {
        value: AnswerValue::Choice(key.to_owned()),
    }
}

#[test]
fn an_option_is_named_by_its_place() {
    for (language, words, key) in [
        (Language::It, "la due", "train"),
        (Language::It, "il secondo", "train"),
        (Language::It, "l'ultima", "bus"),
        (Language::It, "direi la prima", "car"),
        (Language::En, "the second one", "train"),
        (Language::En, "number three", "bus"),
        (Language::En, "the last one", "bus"),
        (Language::Ru, "второй", "train"),
        (Language::Ru, "номер два", "train"),
        (Language::Es, "la segunda", "train"),
        (Language::Es, "uno, no, dos", "train"),
        (Language::Fr, "la deuxième", "train"),
        (Language::Fr, "le numéro trois", "bus"),
        (Language::De, "die zweite", "train"),
        (Language::De, "Nummer drei", "bus"),
    ] {
        assert_eq!(travel(language, words).intent, chosen(key), "{words}");
    }
}

#[test]
fn whoever_counts_options_or_leaves_some_out_has_named_none() {
    for (language, words) in [
        (Language::It, "né l'uno né l'altro"),
        (Language::It, "né macchina né treno"),
        (Language::It, "nessuno dei due"),
        (Language::It, "nessuna delle tre"),
        (Language::It, "tutte e tre"),
        (Language::It, "tutti e due"),
        (Language::It, "uno dei due"),
        (Language::It, "tutto tranne la macchina"),
        (Language::En, "neither one"),
        (Language::En, "none of the three"),
        (Language::En, "all three"),
        (Language::En, "one or the other"),
        (Language::En, "not the first one"),
        (Language::En, "the first two"),
        (Language::En, "either one"),
        (Language::En, "neither the car nor the train"),
        (Language::En, "anything but the car"),
        (Language::Ru, "ни один"),
        (Language::Ru, "все три"),
        (Language::Ru, "оба"),
        (Language::Ru, "не первый"),
        (Language::Ru, "один из трёх"),
        (Language::Es, "ninguno de los dos"),
        (Language::Es, "los tres"),
        (Language::Es, "ni uno ni otro"),
        (Language::Fr, "aucun des deux"),
        (Language::Fr, "les trois"),
        (Language::Fr, "pas le premier"),
        (Language::Fr, "ni l'un ni l'autre"),
        (Language::De, "keines der drei"),
        (Language::De, "alle drei"),
        (Language::De, "das erste nicht"),
        (Language::De, "weder das eine noch das andere"),
    ] {
        let intent = travel(language, words).intent;
        assert_eq!(intent, Intent::Unclear, "{language} {words}");
    }
}

#[test]
fn several_options_are_asked_about_also_after_all_or_both() {
    for (language, words) in [
        (Language::It, "tutti e due macchina e treno"),
        (Language::En, "both the car and the train"),
        (Language::En, "either car or train"),
    ] {
        let candidates = vec!["car".to_owned(), "train".to_owned()];
        let intent = travel(language, words).intent;
        assert_eq!(intent, Intent::Ambiguous { candidates }, "{words}");
    }
}

/// It may be the question before that is corrected; so it is read back.
#[test]
fn a_place_after_a_no_is_doubtful() {
    for (language, words) in [
        (Language::It, "no due"),
        (Language::It, "no, la seconda"),
        (Language::En, "no, two"),
        (Language::De, "nein, zwei"),
    ] {
        let understood = travel(language, words);
        assert_eq!(understood.intent, chosen("train"), "{words}");
        let doubtful = Confidence::from_hundredths(confidence::HOMOPHONE);
        assert_eq!(understood.confidence, doubtful, "{words}");
    }
}

#[test]
fn a_mark_that_is_left_out_is_no_answer() {
    for (language, words) in [
        (Language::It, "nessuno dei due"),
        (Language::It, "né tre né quattro"),
        (Language::It, "mica quattro"),
        (Language::It, "almeno quattro"),
        (Language::En, "neither three nor four"),
        (Language::En, "none of the two"),
        (Language::De, "weder drei noch vier"),
        (Language::Fr, "ni trois ni quatre"),
        (Language::Es, "ni tres ni cuatro"),
        (Language::Ru, "ни три ни четыре"),
    ] {
        let intent = interpretation(language, scale(1, 5), words).intent;
        assert_eq!(intent, Intent::Unclear, "{language} {words}");
    }
}
