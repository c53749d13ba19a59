//! Who wants off a list, asks for a human or must leave, and who only speaks of such things.
//!
//! As with the other sets, a miss is answered with a rule or a stem, never with the sentence.

use super::Asked::{self, Consent, Free, OneToFive, Travel, YesNo};
use super::*;

pub(super) const OPT_OUTS: [(Language, &[&str]); 6] = [
    (
        Language::It,
        &[
            "mi tolga dall'elenco, per favore",
            "mi tolga, per favore, dall'elenco",
            "mi cancelli dalla vostra lista",
            "mi cancelli per cortesia",
            "per favore mi elimini dal vostro database",
            "mi può cancellare dalla lista?",
            "potrebbe togliermi dall'elenco per piacere?",
            "vorrei essere cancellato dalla vostra lista",
            "mi tolgano dai loro elenchi",
            "ci tolga dalla lista",
            "toglimi dalla lista",
            "cancellami dalla rubrica per favore",
            "dal vostro elenco mi dovete levare",
            "non voglio più stare nella vostra lista",
            "la prego di rimuovere il mio nominativo",
            "voglio che il mio numero venga tolto dall'elenco",
            "mi lasci in pace per favore",
            "mi lasci stare",
            "dimentichi il mio numero",
            "non mi chiami più",
            "la smetta di telefonarmi",
            "non mi contatti più, grazie",
            "vorrei che il mio nominativo fosse rimosso dai vostri elenchi",
        ],
    ),
    (
        Language::En,
        &[
            "could you please take me off your list",
            "please take us off that list, please",
            "I want to be taken off the list",
            "I'd like to be removed from your database please",
            "get my name off your list",
            "I want off your list",
            "please drop me from the list",
            "delete us from your records, please",
            "I don't want to be on your list",
            "can my number be removed, please?",
            "I want my number deleted",
            "kindly remove our name from your system",
        ],
    ),
    (
        Language::Ru,
        &[
            "удалите меня из списка, пожалуйста",
            "пожалуйста, уберите меня из вашей базы",
            "убери меня из списка",
            "вычеркните нас из списка",
            "хочу, чтобы меня удалили из базы",
            "можно меня исключить из рассылки?",
            "не хочу быть в вашем списке",
            "наш номер удалите, пожалуйста",
        ],
    ),
    (
        Language::Es,
        &[
            "quíteme de la lista, por favor",
            "quítame de tu lista",
            "quítenos de su lista por favor",
            "por favor, sáqueme de la base de datos",
            "¿me puede borrar de la lista?",
            "¿podrían eliminarme de su lista?",
            "quiero que me den de baja",
            "deme de baja, por favor",
            "bórrame de la lista",
            "me quite de la lista por favor",
            "quiero que me saquen de la lista",
            "no quiero estar en su lista",
            "quiero ser eliminado de la lista",
        ],
    ),
    (
        Language::Fr,
        &[
            "enlevez-moi de la liste, s'il vous plaît",
            "enlève-moi de ta liste",
            "pouvez-vous m'enlever de votre liste ?",
            "retirez-nous de la liste",
            "rayez mon nom de vos listes",
            "je veux être retiré de la liste",
            "merci de me retirer de vos fichiers",
            "veuillez supprimer mes coordonnées",
            "je ne veux plus être sur votre liste",
            "il faut me désinscrire",
        ],
    ),
    (
        Language::De,
        &[
            "streichen Sie mich bitte von der Liste",
            "streich mich von der Liste, bitte",
            "könnten Sie mich bitte von der Liste nehmen?",
            "nehmen Sie uns aus Ihrer Liste",
            "nimm mich von der Liste",
            "bitte meine Nummer löschen",
            "tragen Sie mich bitte aus",
            "ich möchte von der Liste gestrichen werden",
            "können Sie meine Daten bitte löschen",
            "ich will nicht auf Ihrer Liste stehen",
            "tragt mich aus eurem Verteiler aus",
            "entfernen Sie uns bitte aus der Datenbank",
        ],
    ),
];

/// Words about lists, deletion and machines that ask for nothing of the kind.
const OTHERS: &[(Language, Asked, &str, &str)] = &[
    (Language::It, Free, "mi tolga una curiosità", "text"),
    (
        Language::It,
        Free,
        "mi hanno tolto dalla lista d'attesa senza avvisare",
        "text",
    ),
    (
        Language::It,
        OneToFive,
        "cancelli la mia risposta, quattro",
        "=4",
    ),
    (
        Language::En,
        Free,
        "take me through the list of prices",
        "text",
    ),
    (
        Language::De,
        Free,
        "Ihr Unternehmen steht auf der Liste der besten",
        "text",
    ),
    (
        Language::Es,
        Free,
        "me gustó la lista de precios, no quiten nada",
        "text",
    ),
    (
        Language::Fr,
        Free,
        "j'ai dû retirer mon colis moi-même",
        "text",
    ),
    (
        Language::Fr,
        Free,
        "l'application me supprime les numéros",
        "text",
    ),
    (Language::It, Free, "il telefono mi cancella i dati", "text"),
    (Language::Es, Free, "la compañía me quita los datos", "text"),
    (
        Language::De,
        Free,
        "ich finde, die Preisliste sollte entfernt werden",
        "text",
    ),
    (
        Language::Ru,
        Free,
        "меня удалили из списка без причины",
        "text",
    ),
    (Language::It, Travel, "treno e macchina", "?train,car"),
    (Language::It, Travel, "è la macchina", "car"),
    (Language::It, Travel, "devo andare in macchina", "car"),
    (Language::En, Travel, "I have to go by train", "train"),
    (Language::En, Travel, "train, but now I have to go", "stop"),
    (
        Language::En,
        Free,
        "they removed my name from the list by mistake",
        "text",
    ),
    (Language::De, YesNo, "na ja", "unclear"),
    (Language::De, YesNo, "das ist ja so", "unclear"),
    (
        Language::En,
        YesNo,
        "yes, but it was late by two days",
        "yes",
    ),
    (Language::En, Consent, "no, no, go ahead", "unclear"),
];

const ASKS_FOR_HUMAN: [(Language, &[&str]); 6] = [
    (
        Language::It,
        &[
            "sto parlando con una macchina?",
            "parlo con un robot?",
            "ma sto parlando con una persona vera?",
            "è umano lei?",
        ],
    ),
    (
        Language::En,
        &[
            "am I talking to a machine?",
            "am I speaking with some kind of robot?",
            "wait, are you human?",
            "am I talking to a real person?",
            "I'm talking to a computer, right?",
        ],
    ),
    (
        Language::Ru,
        &[
            "я с роботом разговариваю?",
            "я говорю с машиной?",
            "вы человек?",
        ],
    ),
    (
        Language::Es,
        &[
            "¿estoy hablando con un robot?",
            "¿hablo con una máquina?",
            "¿es usted humano?",
            "¿estoy hablando con una persona?",
            "¿hablo con una persona o con una máquina?",
        ],
    ),
    (
        Language::Fr,
        &[
            "est-ce que je parle à un robot ?",
            "je suis en train de parler avec une machine ?",
            "vous êtes humain ?",
        ],
    ),
    (
        Language::De,
        &[
            "spreche ich mit einem Roboter?",
            "rede ich hier mit einer Maschine?",
            "sind Sie ein Mensch?",
            "bin ich mit einem Roboter verbunden?",
            "spreche ich mit einem echten Menschen?",
        ],
    ),
];

const STOPS: [(Language, &[&str]); 6] = [
    (
        Language::It,
        &[
            "devo scappare",
            "scusi devo proprio uscire",
            "adesso la devo salutare",
        ],
    ),
    (
        Language::En,
        &[
            "I've got to run",
            "I have got to run now",
            "sorry, I must dash",
            "I should get going",
        ],
    ),
    (
        Language::Ru,
        &["мне надо бежать", "я должна идти", "мне пора уходить"],
    ),
    (
        Language::Es,
        &[
            "tengo que colgar",
            "me tengo que marchar ya",
            "debo irme",
            "me voy",
        ],
    ),
    (
        Language::Fr,
        &[
            "je dois filer",
            "il faut que j'y aille",
            "je dois vous laisser",
        ],
    ),
    (
        Language::De,
        &[
            "ich muss jetzt los",
            "ich muss leider weg",
            "jetzt muss ich aber wirklich gehen",
        ],
    ),
];

#[test]
fn who_wants_off_the_list_is_heard_at_every_question() {
    let asked = [Consent, YesNo, OneToFive, Travel, Free];
    assert_all(&asked, &OPT_OUTS, "opt_out");
}

#[test]
fn who_asks_for_a_human_is_heard_at_every_question() {
    assert_all(&[Consent, OneToFive, Travel], &ASKS_FOR_HUMAN, "ask_human");
}

#[test]
fn who_must_leave_is_heard() {
    assert_all(&[Consent, YesNo, OneToFive], &STOPS, "stop");
}

#[test]
fn words_about_lists_and_machines_may_ask_for_nothing() {
    let missed: Vec<String> = OTHERS
        .iter()
        .flat_map(|&(language, asked, words, wanted)| misses(language, &[(asked, words, wanted)]))
        .collect();
    assert!(missed.is_empty(), "{}", report(&missed, OTHERS.len()));
}
