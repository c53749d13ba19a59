//! Hedged, reserved and unmistakable consent, in every language.
//!
//! As with the other sets, a miss is answered with a rule or a stem, never with the sentence.

use super::Asked::Consent;
use super::*;

/// Neither of these is a consent; whether it is a no or a wish matters less.
pub(super) const NO_CONSENT: [(Language, &[&str]); 6] = [
    (
        Language::It,
        &[
            "sì, insomma, dipende",
            "sì, insomma",
            "sì, beh, non saprei dire",
            "sì, ma prima mi dica quanto mi pagate",
            "sì però solo se resta anonimo",
            "sì, cioè...",
            "sì e no",
            "un certo signor Rossi ha chiamato ieri",
            "mah, insomma",
            "sì?",
            "va bene per chi?",
            "non mi pare una buona idea, va bene?",
            "certo che avete una bella faccia tosta voi",
        ],
    ),
    (
        Language::En,
        &[
            "yeah, no",
            "yeah no",
            "well yes but I am not happy about that at all",
            "yes, but only if you pay me",
            "yes, well...",
            "yeah, I guess, kind of",
            "yes, sort of",
            "yes?",
            "are you sure?",
            "is that okay?",
            "I'm sure you have better things to do",
            "no, that's all right",
            "sure, how do I put this",
            "yes, probably",
            "okay, hold on",
            "yeah right",
        ],
    ),
    (
        Language::Ru,
        &[
            "да ну",
            "да как вам сказать",
            "да, но только если заплатите",
            "да, но",
            "ну, как сказать, да ну его",
            "да?",
            "да ладно",
            "и да и нет",
        ],
    ),
    (
        Language::Es,
        &[
            "sí, bueno, a ver cómo lo digo",
            "sí, pero solo si me pagan",
            "sí, bueno...",
            "¿sí?",
            "sí, más o menos",
            "¿está bien de qué?",
            "no lo tengo claro",
            "sí y no",
        ],
    ),
    (
        Language::Fr,
        &[
            "oui, enfin, comment dire",
            "oui mais seulement si je suis payé",
            "oui, bof",
            "oui ?",
            "oui et non",
            "mouais, faut voir",
            "oui, enfin...",
            "d'accord avec quoi ?",
        ],
    ),
    (
        Language::De,
        &[
            "na ja, wie soll ich sagen",
            "na ja",
            "naja",
            "tja",
            "nun ja",
            "ja also...",
            "ja, also",
            "ja, na ja",
            "ja aber nur wenn ich Geld bekomme",
            "ja, aber",
            "ja nein",
            "jein",
            "das ist ja interessant",
            "Sie rufen ja ständig hier an",
            "ich würde gerne wissen, was das kostet",
            "ja?",
            "ja, wie man es nimmt",
            "klar ist das nicht",
        ],
    ),
];

/// An unmistakable yes, however it is wrapped.
pub(super) const CONSENT: [(Language, &[&str]); 6] = [
    (
        Language::It,
        &[
            "beh sì, certo",
            "mah sì, va bene",
            "ma certo",
            "eh certo",
            "sì ma faccia presto",
            "sì però ho solo cinque minuti",
            "insomma sì, va bene",
            "sì, ma certo",
            "certo, se vuole",
            "perché no?",
            "sì, come no?",
        ],
    ),
    (
        Language::En,
        &[
            "well, yes",
            "yes, but make it quick",
            "yeah okay but I only have two minutes",
            "oh sure",
            "sure you can",
            "um, well, okay then",
            "I mean, sure",
            "yes if you like",
            "why not?",
            "yeah I guess so",
        ],
    ),
    (
        Language::Ru,
        &[
            "ну да, давайте",
            "да, но только быстро",
            "да ладно, давайте",
            "почему бы и нет?",
        ],
    ),
    (
        Language::Es,
        &[
            "bueno, sí",
            "pues claro",
            "sí, pero rápido",
            "sí, claro que sí",
            "¿por qué no?",
            "bueno, vale",
        ],
    ),
    (
        Language::Fr,
        &[
            "ben oui",
            "bon, d'accord",
            "oui mais vite",
            "enfin oui, allez-y",
            "pourquoi pas ?",
            "oui si vous voulez",
        ],
    ),
    (
        Language::De,
        &[
            "na ja, okay, fragen Sie",
            "ach ja, gerne",
            "also ja",
            "oh ja",
            "ja, aber schnell",
            "ja ich habe Zeit",
            "ja aber sicher",
            "ja, aber nur fünf Minuten",
            "warum nicht?",
            "das mache ich gern",
        ],
    ),
];

#[test]
fn what_is_hedged_is_no_consent() {
    let is_yes =
        |language, words: &&str| shorthand(&interpret(language, Expected::Consent, words)) == "yes";
    let mut taken_for_consent = Vec::new();
    for (language, utterances) in NO_CONSENT {
        let mistaken = utterances.iter().filter(|words| is_yes(language, words));
        taken_for_consent.extend(mistaken.map(|words| format!("{language} «{words}»")));
    }
    assert!(taken_for_consent.is_empty(), "{taken_for_consent:#?}");
}

#[test]
fn an_unmistakable_yes_is_consent_however_it_is_wrapped() {
    assert_all(&[Consent], &CONSENT, "yes");
}
