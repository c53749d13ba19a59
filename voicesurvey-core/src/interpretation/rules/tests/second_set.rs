//! A second set of unseen utterances, written when the first was understood.

use super::Asked::{self, Age, Amount, Consent, Free, OneToFive, Travel, YesNo, ZeroToTen};
use super::{misses, report};
use crate::language::Language;

pub(super) type Case = (Asked, &'static str, &'static str);

pub(super) const CASES: [(Language, &[Case]); 6] = [
    (Language::It, ITALIAN),
    (Language::En, ENGLISH),
    (Language::Ru, RUSSIAN),
    (Language::Es, SPANISH),
    (Language::Fr, FRENCH),
    (Language::De, GERMAN),
];

const ITALIAN: &[Case] = &[
    (
        Consent,
        "non desidero essere più contattata da voi",
        "opt_out",
    ),
    (
        Consent,
        "smettetela di rompere con queste telefonate",
        "opt_out",
    ),
    (
        Consent,
        "potete cortesemente togliere il mio numero dai vostri elenchi",
        "opt_out",
    ),
    (Consent, "non vi azzardate a richiamare", "opt_out"),
    (
        Free,
        "tutto bene però non mi dovete chiamare mai più",
        "opt_out",
    ),
    (
        Consent,
        "se mi telefonate un'altra volta vi denuncio",
        "unclear",
    ),
    (Consent, "guardi adesso proprio non posso", "callback"),
    (Consent, "potrebbe richiamare lunedì", "callback"),
    (Consent, "mi trova in un brutto momento", "callback"),
    (Consent, "certo, ho cinque minuti", "yes"),
    (Consent, "sì d'accordo però faccia in fretta", "yes"),
    (Consent, "ma sì dai", "yes"),
    (Consent, "no mi dispiace non ho tempo", "no"),
    (Consent, "non ne ho nessuna voglia", "no"),
    (YesNo, "sì, abbastanza", "yes"),
    (YesNo, "no, per niente", "no"),
    (YesNo, "mai", "no"),
    (YesNo, "non direi", "no"),
    (OneToFive, "cinque su cinque, ottimo servizio", "=5"),
    (OneToFive, "tre, anzi no, quattro", "=4"),
    (OneToFive, "il minimo", "=1"),
    (OneToFive, "due stelle", "=2"),
    (OneToFive, "sei", "!6"),
    (OneToFive, "uno su", "unclear"),
    (OneToFive, "boh", "dont_know"),
    (ZeroToTen, "un otto pieno", "=8"),
    (ZeroToTen, "dal sette all'otto", "?7,8"),
    (Age, "settantatré", "=73"),
    (Age, "ne ho compiuti sessantuno a maggio", "=61"),
    (Age, "centoventi", "=120"),
    (Age, "centoventuno", "!121"),
    (Amount, "zero virgola cinque", "=0.5"),
    (Amount, "mille e duecento euro al mese", "=1200"),
    (Travel, "in macchina quasi sempre", "car"),
    (Travel, "col pullman", "bus"),
    (Travel, "la prima che ha detto", "car"),
    (OneToFive, "come scusi? non ho sentito bene", "repeat"),
    (OneToFive, "preferirei non rispondere a questa", "skip"),
    (
        OneToFive,
        "guardi devo proprio scappare, arrivederci",
        "stop",
    ),
    (Consent, "ma chi siete scusi?", "ask_identity"),
    (Consent, "sto parlando con una macchina?", "ask_human"),
    (
        Consent,
        "qui non c'è nessun Mario, ha sbagliato",
        "wrong_person",
    ),
    (
        Free,
        "il tecnico non ha più richiamato dopo il guasto",
        "text",
    ),
    (Free, "prego", "text"),
    (Free, "i prezzi, basta con gli aumenti", "text"),
    (
        Free,
        "il corriere non telefona mai prima di arrivare",
        "text",
    ),
    (
        Free,
        "il call center non risponde mai alle chiamate",
        "text",
    ),
    (
        Free,
        "va tutto bene, ma basta con queste telefonate",
        "opt_out",
    ),
    (Consent, "si sbaglia", "unclear"),
    (Consent, "si va bene", "yes"),
    (Consent, "non mi disturba affatto", "yes"),
];

const ENGLISH: &[Case] = &[
    (Consent, "quit ringing my phone", "opt_out"),
    (
        Consent,
        "I'd appreciate it if you never contacted us again",
        "opt_out",
    ),
    (Consent, "scrub my name from your database", "opt_out"),
    (Consent, "please do not ever dial this number", "opt_out"),
    (
        Free,
        "good service, but take my number off your list please",
        "opt_out",
    ),
    (Consent, "this isn't a good moment", "callback"),
    (Consent, "I'm cooking, can we talk on Monday", "callback"),
    (Consent, "try again next week", "callback"),
    (Consent, "sure thing, fire away", "yes"),
    (Consent, "yes of course, go on", "yes"),
    (Consent, "I guess so, yeah", "yes"),
    (Consent, "no thank you, goodbye", "no"),
    (Consent, "absolutely not, no", "no"),
    (Consent, "right", "yes"),
    (YesNo, "yes I did", "yes"),
    (YesNo, "I didn't, no", "no"),
    (YesNo, "not at all", "no"),
    (YesNo, "not bad", "unclear"),
    (OneToFive, "it's a five from me", "=5"),
    (OneToFive, "three, sorry, two", "=2"),
    (OneToFive, "one star", "=1"),
    (OneToFive, "one or", "unclear"),
    (OneToFive, "definitely a one", "=1"),
    (
        OneToFive,
        "the service was bad, one of the worst",
        "unclear",
    ),
    (OneToFive, "the lowest possible", "=1"),
    (OneToFive, "zero out of five", "!0"),
    (ZeroToTen, "eight or nine", "?8,9"),
    (ZeroToTen, "a solid seven", "=7"),
    (ZeroToTen, "ten", "=10"),
    (Age, "I'm fifty two years old", "=52"),
    (Age, "around ninety", "=90"),
    (Age, "a hundred and twenty", "=120"),
    (Amount, "twenty-five thousand", "=25000"),
    (Amount, "nought point five", "=0.5"),
    (Amount, "half past", "unclear"),
    (Travel, "mainly by rail", "train"),
    (Travel, "the third option", "bus"),
    (Travel, "I don't use any of them", "unclear"),
    (OneToFive, "what was the question again?", "repeat"),
    (OneToFive, "I'd prefer not to answer that", "skip"),
    (OneToFive, "I couldn't tell you", "dont_know"),
    (OneToFive, "I need to run, bye bye", "stop"),
    (Consent, "where are you calling from?", "ask_identity"),
    (Consent, "can I talk to a real human please", "ask_human"),
    (
        Consent,
        "I think you've dialled the wrong house",
        "wrong_person",
    ),
    (Free, "they should call customers back sooner", "text"),
    (Free, "I can never get through when I call", "text"),
    (Free, "stop charging so much for phone support", "text"),
    (Consent, "I'm on the do not call registry", "opt_out"),
    (Consent, "okay but never call again after this", "opt_out"),
    (Consent, "yes? who is it", "ask_identity"),
    (Consent, "do you know what time it is", "unclear"),
    (Free, "I had to wait, nobody knew who was calling", "text"),
];

const RUSSIAN: &[Case] = &[
    (
        Consent,
        "прошу вас больше сюда никогда не звонить",
        "opt_out",
    ),
    (Consent, "хватит уже названивать", "opt_out"),
    (
        Consent,
        "не надо мне сейчас звонить, позвоните вечером",
        "callback",
    ),
    (Consent, "да, пожалуйста", "yes"),
    (Consent, "нет, я не буду", "no"),
    (OneToFive, "ну четыре наверное", "=4"),
    (OneToFive, "три или четыре", "?3,4"),
    (Age, "шестьдесят семь лет", "=67"),
    (Amount, "две тысячи пятьсот", "=2500"),
    (Free, "мне так и не перезвонили", "text"),
];

const SPANISH: &[Case] = &[
    (
        Consent,
        "por favor no vuelvan a molestarme nunca",
        "opt_out",
    ),
    (Consent, "no me llame más tarde de las nueve", "callback"),
    (Consent, "sí, dígame", "yes"),
    (Consent, "no, no está bien", "no"),
    (OneToFive, "cuatro no cinco", "?4,5"),
    (Age, "cincuenta y siete", "=57"),
];

const FRENCH: &[Case] = &[
    (
        Consent,
        "je ne souhaite plus jamais être dérangée",
        "opt_out",
    ),
    (Consent, "appelez-moi plus tard s'il vous plaît", "callback"),
    (Consent, "oui oui allez-y", "yes"),
    (Consent, "ça ne me dérange pas", "yes"),
    (OneToFive, "trois ou quatre", "?3,4"),
    (Age, "quatre-vingt-dix-sept ans", "=97"),
];

const GERMAN: &[Case] = &[
    (Consent, "bitte rufen Sie hier nie wieder an", "opt_out"),
    (
        Consent,
        "rufen Sie mich bitte heute nicht an, lieber morgen",
        "callback",
    ),
    (Consent, "ja gerne, fragen Sie", "yes"),
    (Consent, "nein, keine Zeit", "no"),
    (OneToFive, "eine vier", "=4"),
    (Age, "ich bin dreiundsiebzig", "=73"),
];

#[test]
fn the_second_set_is_understood() {
    let missed: Vec<String> = CASES
        .iter()
        .flat_map(|(language, cases)| {
            misses(*language, cases)
                .into_iter()
                .map(move |miss| format!("{language} {miss}"))
        })
        .collect();
    let total = CASES.iter().map(|(_, cases)| cases.len()).sum();
    assert!(missed.is_empty(), "{}", report(&missed, total));
}
