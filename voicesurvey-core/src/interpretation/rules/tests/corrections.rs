//! Every digit corrected to every other, in every language and in every usual way.
//!
//! Words such as "one" and `uno` are articles and pronouns as well; a correction makes numbers of
//! them.

use super::*;

/// What is said for 0 to 9; for 1 every form that a speaker may use.
fn digits(language: Language) -> Vec<(u8, &'static str)> {
    let words = match language {
        Language::It => "zero uno due tre quattro cinque sei sette otto nove",
        Language::En => "zero one two three four five six seven eight nine",
        Language::Ru => "ноль один два три четыре пять шесть семь восемь девять",
        Language::Es => "cero uno dos tres cuatro cinco seis siete ocho nueve",
        Language::Fr => "zéro un deux trois quatre cinq six sept huit neuf",
        Language::De => "null eins zwei drei vier fünf sechs sieben acht neun",
    };
    let more: &[&str] = match language {
        Language::It | Language::Es => &["un", "una"],
        Language::En => &[],
        Language::Ru => &["одна", "одну", "единица"],
        Language::Fr => &["une"],
        Language::De => &["ein", "eine", "einen"],
    };
    let ones = more.iter().map(|&word| (1, word));
    (0..).zip(words.split(' ')).chain(ones).collect()
}

/// What stands between the two numbers, with its blanks and commas.
fn corrections(language: Language) -> impl Iterator<Item = &'static str> {
    let written = match language {
        Language::It => {
            ", no, |, anzi |, anzi no, | anzi |, cioè |, cioè no, |, scusi, |\
             , no scusi, |, scusa, |, volevo dire |, no aspetti, |, meglio "
        }
        Language::En => {
            ", no, | no |, no wait, | no wait |, wait, |, sorry, | sorry |\
             , no sorry, |, I mean |, actually |, or rather |, make that |\
             , scratch that, |, oops, "
        }
        Language::Ru => {
            ", нет, | нет |, ой, |, вернее, |, то есть |, извините, |\
             , нет, подождите, "
        }
        Language::Es => {
            ", no, |, perdón, |, no, perdón, |, digo, |, mejor dicho, |\
             , quiero decir |, no, espere, |, o sea, "
        }
        Language::Fr => {
            ", non, | non |, pardon, |, non pardon, |, enfin, |, plutôt |\
             , ou plutôt |, je veux dire |, non attendez, "
        }
        Language::De => {
            ", nein, | nein |, Entschuldigung, |, nein Moment, |, ich meine |\
             , Quatsch, |, besser |, nein warten Sie, "
        }
    };
    written.split('|')
}

#[test]
fn the_corrected_digit_counts_in_every_language() {
    let mut missed = Vec::new();
    let mut total = 0;
    for language in Language::ALL {
        for correction in corrections(language) {
            for (first, said) in digits(language) {
                for (second, instead) in digits(language) {
                    if first == second {
                        continue;
                    }
                    let words = format!("{said}{correction}{instead}");
                    let wanted = format!("={second}");
                    let case = [(Asked::ZeroToTen, &*words, &*wanted)];
                    total += 1;
                    missed.extend(
                        misses(language, &case)
                            .into_iter()
                            .map(|miss| format!("{language} {miss}")),
                    );
                }
            }
        }
    }
    assert!(missed.is_empty(), "{}", report(&missed, total));
}

#[test]
fn an_article_after_a_correction_is_no_number() {
    let cases = [
        (Language::It, "tre, anzi un quattro", "=4"),
        (Language::Fr, "trois, non, un quatre", "=4"),
        (Language::De, "drei, nein, eine vier", "=4"),
        (Language::Es, "tres, perdón, un cuatro", "=4"),
        (Language::En, "three, no, a two", "=2"),
        (Language::En, "three, no, this one was a two", "=2"),
        (Language::En, "no one told me", "unclear"),
        (Language::It, "sei gentile, no, uno alla volta", "unclear"),
    ];
    for (language, words, wanted) in cases {
        let missed = misses(language, &[(Asked::OneToFive, words, wanted)]);
        assert!(missed.is_empty(), "{language} {missed:?}");
    }
}
