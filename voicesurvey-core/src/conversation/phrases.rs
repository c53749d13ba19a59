//! The fixed lines: what a survey does not say itself.

use crate::language::Language;

/// The fixed lines in one language.
#[derive(Debug)]
pub struct Phrases {
    /// That a machine speaks, and how to be left alone.
    pub disclosure: &'static str,
    /// Asked when the intro asks nothing.
    pub consent_question: &'static str,
    /// Before something is asked again because nothing was heard.
    pub not_heard: &'static str,
    /// Before something is asked again because it was not understood.
    pub not_understood: &'static str,
    /// Before consent is asked again: what can be said, and which keys do the same.
    pub say_yes_or_no: &'static str,
    /// Before a number is asked again; `{min}` and `{max}` are filled in.
    pub say_a_number: &'static str,
    /// The same when there are no bounds.
    pub say_any_number: &'static str,
    /// Answers "who is this?".
    pub identity: &'static str,
    /// Answers "are you a robot?".
    pub machine: &'static str,
    /// Before the next question when this one is given up.
    pub moving_on: &'static str,
    /// Says that a question cannot be left out.
    pub required: &'static str,
    /// After a refusal.
    pub goodbye_refused: &'static str,
    /// After "never call me again": confirms it.
    pub goodbye_opted_out: &'static str,
    /// After "call me later".
    pub goodbye_later: &'static str,
    /// After "you have the wrong person".
    pub goodbye_wrong_person: &'static str,
    /// When the call ends early for any other reason.
    pub goodbye: &'static str,
}

impl Phrases {
    /// The lines in a language.
    pub const fn of(language: Language) -> &'static Self {
        match language {
            Language::It => &ITALIAN,
            Language::En => &ENGLISH,
            Language::Ru => &RUSSIAN,
            Language::Es => &SPANISH,
            Language::Fr => &FRENCH,
            Language::De => &GERMAN,
        }
    }

    /// How a number is asked for again.
    pub fn number_between(&self, min: Option<&str>, max: Option<&str>) -> String {
        match (min, max) {
            (Some(min), Some(max)) => self
                .say_a_number
                .replace("{min}", min)
                .replace("{max}", max),
            _ => self.say_any_number.to_owned(),
        }
    }
}

static ITALIAN: Phrases = Phrases {
    disclosure: "Buongiorno, le parla una voce automatica. Se non vuole più essere chiamato, dica: non chiamatemi più.",
    consent_question: "Vuole partecipare?",
    not_heard: "Non ho sentito nulla.",
    not_understood: "Mi scusi, non ho capito.",
    say_yes_or_no: "Dica sì, oppure no; o prema uno per sì, due per no.",
    say_a_number: "Dica un numero da {min} a {max}, o lo digiti sulla tastiera.",
    say_any_number: "Dica un numero, o lo digiti sulla tastiera.",
    identity: "È un breve sondaggio telefonico.",
    machine: "Sì, sono una voce automatica.",
    moving_on: "Va bene, andiamo avanti.",
    required: "Per noi questa risposta è importante.",
    goodbye_refused: "Va bene, grazie lo stesso. Arrivederci.",
    goodbye_opted_out: "Va bene, non la chiameremo più. Arrivederci.",
    goodbye_later: "Va bene, la richiameremo in un altro momento. Arrivederci.",
    goodbye_wrong_person: "Mi scusi per il disturbo. Arrivederci.",
    goodbye: "Grazie. Arrivederci.",
};

static ENGLISH: Phrases = Phrases {
    disclosure: "Hello, this is an automated voice. If you do not want to be called again, say: stop calling me.",
    consent_question: "Would you like to take part?",
    not_heard: "I did not hear anything.",
    not_understood: "Sorry, I did not understand.",
    say_yes_or_no: "Please say yes or no; or press one for yes, two for no.",
    say_a_number: "Please say a number from {min} to {max}, or type it on the keypad.",
    say_any_number: "Please say a number, or type it on the keypad.",
    identity: "This is a short telephone survey.",
    machine: "Yes, I am an automated voice.",
    moving_on: "All right, let us move on.",
    required: "This answer is important to us.",
    goodbye_refused: "All right, thank you anyway. Goodbye.",
    goodbye_opted_out: "All right, we will not call you again. Goodbye.",
    goodbye_later: "All right, we will call you at another time. Goodbye.",
    goodbye_wrong_person: "Sorry to have disturbed you. Goodbye.",
    goodbye: "Thank you. Goodbye.",
};

static RUSSIAN: Phrases = Phrases {
    disclosure: "Здравствуйте, с вами говорит автоматический голос. Если вы не хотите, чтобы вам звонили, скажите: больше не звоните.",
    consent_question: "Вы согласны принять участие?",
    not_heard: "Я ничего не услышал.",
    not_understood: "Извините, я не понял.",
    say_yes_or_no: "Скажите да или нет; или нажмите один — да, два — нет.",
    say_a_number: "Назовите число от {min} до {max} или наберите его на клавиатуре.",
    say_any_number: "Назовите число или наберите его на клавиатуре.",
    identity: "Это короткий телефонный опрос.",
    machine: "Да, я автоматический голос.",
    moving_on: "Хорошо, пойдём дальше.",
    required: "Этот ответ для нас важен.",
    goodbye_refused: "Хорошо, всё равно спасибо. До свидания.",
    goodbye_opted_out: "Хорошо, мы больше не будем вам звонить. До свидания.",
    goodbye_later: "Хорошо, мы перезвоним в другое время. До свидания.",
    goodbye_wrong_person: "Извините за беспокойство. До свидания.",
    goodbye: "Спасибо. До свидания.",
};

static SPANISH: Phrases = Phrases {
    disclosure: "Buenos días, le habla una voz automática. Si no quiere que le llamemos más, diga: no me llamen más.",
    consent_question: "¿Quiere participar?",
    not_heard: "No he oído nada.",
    not_understood: "Disculpe, no le he entendido.",
    say_yes_or_no: "Diga sí o no; o pulse uno para sí, dos para no.",
    say_a_number: "Diga un número del {min} al {max}, o márquelo en el teclado.",
    say_any_number: "Diga un número, o márquelo en el teclado.",
    identity: "Es una breve encuesta telefónica.",
    machine: "Sí, soy una voz automática.",
    moving_on: "De acuerdo, sigamos.",
    required: "Esta respuesta es importante para nosotros.",
    goodbye_refused: "De acuerdo, gracias de todos modos. Adiós.",
    goodbye_opted_out: "De acuerdo, no le llamaremos más. Adiós.",
    goodbye_later: "De acuerdo, le llamaremos en otro momento. Adiós.",
    goodbye_wrong_person: "Disculpe la molestia. Adiós.",
    goodbye: "Gracias. Adiós.",
};

static FRENCH: Phrases = Phrases {
    disclosure: "Bonjour, c'est une voix automatique qui vous parle. Si vous ne voulez plus être appelé, dites : ne m'appelez plus.",
    consent_question: "Voulez-vous participer ?",
    not_heard: "Je n'ai rien entendu.",
    not_understood: "Excusez-moi, je n'ai pas compris.",
    say_yes_or_no: "Dites oui ou non ; ou appuyez sur un pour oui, deux pour non.",
    say_a_number: "Dites un nombre de {min} à {max}, ou tapez-le sur le clavier.",
    say_any_number: "Dites un nombre, ou tapez-le sur le clavier.",
    identity: "C'est un court sondage téléphonique.",
    machine: "Oui, je suis une voix automatique.",
    moving_on: "D'accord, continuons.",
    required: "Cette réponse est importante pour nous.",
    goodbye_refused: "D'accord, merci quand même. Au revoir.",
    goodbye_opted_out: "D'accord, nous ne vous appellerons plus. Au revoir.",
    goodbye_later: "D'accord, nous vous rappellerons à un autre moment. Au revoir.",
    goodbye_wrong_person: "Excusez-nous pour le dérangement. Au revoir.",
    goodbye: "Merci. Au revoir.",
};

static GERMAN: Phrases = Phrases {
    disclosure: "Guten Tag, hier spricht eine automatische Stimme. Wenn Sie nicht mehr angerufen werden möchten, sagen Sie: Rufen Sie mich nicht mehr an.",
    consent_question: "Möchten Sie teilnehmen?",
    not_heard: "Ich habe nichts gehört.",
    not_understood: "Entschuldigung, das habe ich nicht verstanden.",
    say_yes_or_no: "Sagen Sie bitte ja oder nein; oder drücken Sie die Eins für ja, die Zwei für nein.",
    say_a_number: "Sagen Sie bitte eine Zahl von {min} bis {max}, oder tippen Sie sie ein.",
    say_any_number: "Sagen Sie bitte eine Zahl, oder tippen Sie sie ein.",
    identity: "Das ist eine kurze Telefonumfrage.",
    machine: "Ja, ich bin eine automatische Stimme.",
    moving_on: "In Ordnung, machen wir weiter.",
    required: "Diese Antwort ist uns wichtig.",
    goodbye_refused: "In Ordnung, trotzdem vielen Dank. Auf Wiederhören.",
    goodbye_opted_out: "In Ordnung, wir rufen Sie nicht mehr an. Auf Wiederhören.",
    goodbye_later: "In Ordnung, wir rufen zu einer anderen Zeit an. Auf Wiederhören.",
    goodbye_wrong_person: "Entschuldigen Sie die Störung. Auf Wiederhören.",
    goodbye: "Vielen Dank. Auf Wiederhören.",
};
