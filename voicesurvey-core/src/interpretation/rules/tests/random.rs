//! Whatever is said: no panic, and no answer outside the question's bounds.

use proptest::prelude::*;

use super::*;

/// Words that have a meaning somewhere, so that random sentences reach every rule.
const WORDS: [&str; 62] = [
    "no",
    "non",
    "not",
    "nicht",
    "pas",
    "не",
    "sì",
    "yes",
    "да",
    "ja",
    "oui",
    "mai",
    "più",
    "tardi",
    "chiamatemi",
    "call",
    "me",
    "again",
    "звоните",
    "appelez",
    "uno",
    "un",
    "one",
    "a",
    "quattro",
    "venti",
    "cento",
    "mila",
    "mille",
    "milioni",
    "million",
    "hundred",
    "and",
    "e",
    "et",
    "und",
    "vier",
    "zwanzig",
    "einhalb",
    "quatre",
    "vingt",
    "dix",
    "soixante",
    "тысяч",
    "сорок",
    "два",
    "mezzo",
    "half",
    "virgola",
    "point",
    "meno",
    "minus",
    "su",
    "of",
    "o",
    "or",
    "tra",
    "between",
    "second",
    "treno",
    "4",
    "2.500",
];

fn any_language() -> impl Strategy<Value = Language> {
    prop::sample::select(Language::ALL.to_vec())
}

fn any_question() -> impl Strategy<Value = Asked> {
    prop::sample::select(Asked::ALL.to_vec())
}

fn any_words() -> impl Strategy<Value = String> {
    let separator = prop::sample::select(vec![" ", ", ", "", "-", ". "]);
    let word = (prop::sample::select(WORDS.to_vec()), separator);
    let sentence = prop::collection::vec(word, 0..14).prop_map(|words| {
        words
            .into_iter()
            .flat_map(|(word, after)| [word, after])
            .collect()
    });
    let digits = "[0-9.,/ -]{0,40}";
    prop_oneof![sentence, any::<String>(), digits]
}

fn is_allowed(expected: &Expected, intent: &Intent) -> bool {
    let within = |value: &Decimal, min: Option<Decimal>, max: Option<Decimal>| {
        min.is_none_or(|min| *value >= min) && max.is_none_or(|max| *value <= max)
    };
    match (expected, intent) {
        (Expected::Number { min, max, decimals }, Intent::Answer { value }) => matches!(
            value,
            AnswerValue::Number(number)
                if within(number, *min, *max) && (*decimals || number.fract().is_zero())
        ),
        (Expected::Scale { min, max, .. }, Intent::Answer { value }) => matches!(
            value,
            AnswerValue::Number(number)
                if number.fract().is_zero()
                    && within(number, Some(Decimal::from(*min)), Some(Decimal::from(*max)))
        ),
        (Expected::Number { min, max, .. }, Intent::OutOfRange { value }) => {
            !within(value, *min, *max)
        }
        (
            Expected::Choice { options },
            Intent::Answer {
                value: AnswerValue::Choice(key),
            },
        ) => options.iter().any(|option| option.key == *key),
        (Expected::Choice { options }, Intent::Ambiguous { candidates }) => candidates
            .iter()
            .all(|candidate| options.iter().any(|option| option.key == *candidate)),
        (Expected::Consent | Expected::YesNo, Intent::Answer { value }) => {
            matches!(value, AnswerValue::YesNo(_))
        }
        (Expected::Choice { .. }, Intent::Answer { .. })
        | (
            Expected::Consent | Expected::YesNo,
            Intent::Ambiguous { .. } | Intent::OutOfRange { .. },
        ) => false,
        (Expected::FreeText, Intent::Answer { value }) => matches!(value, AnswerValue::Text(_)),
        (_, Intent::Ambiguous { candidates }) => !candidates.is_empty(),
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn no_words_give_an_answer_outside_the_bounds(
        language in any_language(),
        asked in any_question(),
        words in any_words(),
    ) {
        let expected = asked.expected(language);
        let intent = interpret(language, expected.clone(), &words);
        prop_assert!(is_allowed(&expected, &intent), "{asked:?} «{words}»: {intent:?}");
    }

    #[test]
    fn turned_round_bounds_accept_nothing(words in any_words(), language in any_language()) {
        let intent = interpret(language, scale(5, 1), &words);
        prop_assert!(!matches!(intent, Intent::Answer { .. }), "«{words}»: {intent:?}");
    }
}
