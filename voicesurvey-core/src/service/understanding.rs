//! What a person meant, asked of the interpreter while nothing is open.

use crate::conversation::{Conversation, Heard, Script, Understood, keypad};
use crate::interpretation::rules::RulesInterpreter;
use crate::interpretation::{
    AnswerInterpreter, Intent, Interpretation, Utterance, spoken_language,
};
use crate::language::Language;

/// What was heard, as the interpreter understands it. Keys need none, and silence means nothing.
pub(crate) async fn understand(
    interpreter: &dyn AnswerInterpreter,
    conversation: &Conversation,
    script: &Script<'_>,
    heard: &Heard,
) -> Understood {
    let Some(expected) = conversation.expected(script) else {
        return Understood::default();
    };
    match heard {
        Heard::Silence => Understood::default(),
        Heard::Keys { keys } => Understood {
            here: Some(keypad::interpret(keys, &expected)),
            elsewhere: None,
        },
        Heard::Speech { words, .. } => {
            let utterance = Utterance {
                language: conversation.language,
                expected,
                words: words.clone(),
                question: conversation.asked(script).to_owned(),
            };
            let spoken = spoken_language::detect(words)
                .filter(|spoken| *spoken != conversation.language && script.offers(*spoken));
            match spoken {
                Some(spoken) => {
                    foreign(interpreter, conversation, script, &utterance, spoken).await
                }
                None => native(interpreter, script, &utterance).await,
            }
        }
    }
}

/// What was said in the language of the conversation, as far as can be told.
async fn native(
    interpreter: &dyn AnswerInterpreter,
    script: &Script<'_>,
    utterance: &Utterance,
) -> Understood {
    let here = interpreter.interpret(utterance).await;
    Understood {
        elsewhere: opt_out_elsewhere(&here, utterance, script),
        here: Some(here),
    }
}

/// What was said in another language that is offered. Such an utterance changes the language and
/// seldom more: in the language of the conversation the rules will do, so that a model is asked once
/// at most.
async fn foreign(
    interpreter: &dyn AnswerInterpreter,
    conversation: &Conversation,
    script: &Script<'_>,
    utterance: &Utterance,
    spoken: Language,
) -> Understood {
    let here = RulesInterpreter::new().interpret(utterance);
    let translated = Conversation {
        language: spoken,
        ..conversation.clone()
    };
    let there = Utterance {
        language: spoken,
        expected: translated
            .expected(script)
            .unwrap_or_else(|| utterance.expected.clone()),
        question: translated.asked(script).to_owned(),
        ..utterance.clone()
    };
    let meant = interpreter.interpret(&there).await;
    let elsewhere = match meant.intent {
        Intent::OptOut => None,
        _ => opt_out_elsewhere(&here, utterance, script),
    };
    Understood {
        here: Some(here),
        elsewhere: elsewhere.or(Some((spoken, meant))),
    }
}

/// An opt-out in another language in which the survey can be held. Whoever is called in the wrong
/// language may say it in their own, and says it in few words: too few to tell the language. It is
/// looked for in whatever was said, because "no" and "stop" are understood in many languages, and
/// would end the call without excluding the number.
fn opt_out_elsewhere(
    here: &Interpretation,
    utterance: &Utterance,
    script: &Script<'_>,
) -> Option<(Language, Interpretation)> {
    if here.intent == Intent::OptOut {
        return None;
    }
    let rules = RulesInterpreter::new();
    let spoken = utterance.language;
    let mut languages = Language::ALL.into_iter();
    languages.find_map(|language| {
        if language == spoken || !script.offers(language) {
            return None;
        }
        let understood = rules.interpret(&Utterance {
            language,
            ..utterance.clone()
        });
        (understood.intent == Intent::OptOut).then_some((language, understood))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Campaign;
    use crate::conversation::Position;
    use crate::survey::{QuestionKind, SurveyTranslation};
    use crate::testing::samples;

    /// Held in Italian, and offered in these too, with a question that anything answers.
    fn campaign(offered: &[Language]) -> Campaign {
        let company = samples::company();
        let mut campaign = samples::campaign(&company);
        campaign.settings.language = Language::It;
        campaign.settings.survey.questions[0].kind = QuestionKind::FreeText;
        for language in offered {
            let translation = SurveyTranslation::default();
            let translations = &mut campaign.settings.survey.translations;
            translations.insert(*language, translation);
        }
        campaign
    }

    async fn understood(campaign: &Campaign, position: Position, heard: Heard) -> Understood {
        understood_by(&RulesInterpreter::new(), campaign, position, heard).await
    }

    async fn understood_by(
        interpreter: &dyn AnswerInterpreter,
        campaign: &Campaign,
        position: Position,
        heard: Heard,
    ) -> Understood {
        let company = samples::company();
        let skillbase = samples::skillbase(&company);
        let task = samples::task(campaign, "+393471234567");
        let at = samples::now();
        let attempt = crate::call_attempt::CallAttempt::created(
            samples::id(),
            &task,
            "simulated",
            at,
            at,
            at,
        );
        let conversation = Conversation {
            position,
            language: campaign.settings.language,
            ..samples::conversation(&attempt)
        };
        let script = Script::new(campaign, &skillbase, "Acme", &task.contact);
        understand(interpreter, &conversation, &script, &heard).await
    }

    fn speech(words: &str) -> Heard {
        Heard::Speech {
            words: words.to_owned(),
            confidence: None,
        }
    }

    const CONSENT: Position = Position::Consent { tries: 0 };
    const QUESTION: Position = Position::Question {
        index: 0,
        tries: 0,
        answered: 0,
    };

    #[tokio::test]
    async fn an_opt_out_is_understood_in_every_language_that_is_offered() {
        let offered = [Language::En, Language::Ru, Language::De];
        let campaign = campaign(&offered);
        for (language, words) in [
            (Language::En, "stop calling me"),
            (Language::Ru, "больше не звоните мне"),
            (Language::De, "rufen Sie mich nicht mehr an"),
            // In Italian that is a no.
            (Language::En, "no, stop calling"),
        ] {
            for position in [CONSENT, QUESTION] {
                let found = understood(&campaign, position, speech(words)).await;
                let (found, understood) = found.elsewhere.unwrap();
                assert_eq!((found, understood.intent), (language, Intent::OptOut));
            }
        }
        // Nobody offered to speak Spanish.
        let found = understood(&campaign, CONSENT, speech("no me llamen más")).await;
        assert_eq!(found.elsewhere, None);
    }

    #[tokio::test]
    async fn what_is_understood_here_is_not_looked_for_elsewhere() {
        let campaign = campaign(&[Language::En]);
        for heard in [
            speech("sì, certo"),
            speech("non chiamatemi più"),
            Heard::Keys {
                keys: "9".to_owned(),
            },
            Heard::Silence,
        ] {
            let found = understood(&campaign, CONSENT, heard.clone()).await;
            assert_eq!(found.elsewhere, None, "{heard:?}");
            assert_eq!(found.here.is_none(), heard == Heard::Silence);
        }
    }

    #[tokio::test]
    async fn what_is_said_in_another_language_that_is_offered_is_read_in_that_one() {
        let mut campaign = campaign(&[Language::En]);
        let survey = &mut campaign.settings.survey;
        survey.questions[0].kind = QuestionKind::YesNo;
        let yes = Intent::Answer {
            value: crate::survey::AnswerValue::YesNo(true),
        };
        let words = "yes of course I would";
        let found = understood(&campaign, QUESTION, speech(words)).await;
        assert_eq!(found.here.unwrap().intent, Intent::Unclear);
        let (language, meant) = found.elsewhere.unwrap();
        assert_eq!((language, meant.intent), (Language::En, yes));
        // Too few words to tell, a language that is not offered, and the one that is spoken.
        for words in [
            "yes of course",
            "ja sehr gerne, warum nicht",
            "la pioggia sul tetto",
        ] {
            let found = understood(&campaign, QUESTION, speech(words)).await;
            assert_eq!(found.elsewhere, None, "{words}");
        }
    }

    /// Counts what it is asked.
    #[derive(Debug, Default)]
    struct Counted(std::sync::Mutex<Vec<Utterance>>);

    #[async_trait::async_trait]
    impl AnswerInterpreter for Counted {
        async fn interpret(&self, utterance: &Utterance) -> Interpretation {
            self.0.lock().unwrap().push(utterance.clone());
            RulesInterpreter::new().interpret(utterance)
        }
    }

    #[tokio::test]
    async fn an_interpreter_is_asked_once_and_in_the_language_that_was_spoken() {
        let mut campaign = campaign(&[Language::En]);
        let survey = &mut campaign.settings.survey;
        let english = survey.translations.get_mut(&Language::En).unwrap();
        let key = survey.questions[0].key.clone();
        english.questions = [(key, "How are you?".to_owned())].into();
        for (words, language, question) in [
            ("I would rather not say", Language::En, "How are you?"),
            (
                "preferisco non dirlo",
                Language::It,
                campaign.settings.survey.questions[0].text.as_str(),
            ),
        ] {
            let interpreter = Counted::default();
            understood_by(&interpreter, &campaign, QUESTION, speech(words)).await;
            let asked = interpreter.0.into_inner().unwrap();
            assert_eq!(asked.len(), 1, "{words}");
            assert_eq!(
                (asked[0].language, asked[0].question.as_str()),
                (language, question)
            );
        }
    }

    /// A false opt-out ends an interview, and nobody calls again; a false language baffles.
    #[tokio::test]
    async fn nothing_that_is_said_in_one_language_is_an_opt_out_in_another() {
        let json = include_str!("../../../tests/data/utterances.json");
        let rows: Vec<serde_json::Value> = serde_json::from_str(json).unwrap();
        let (mut looked_at, mut mistaken) = (0, 0);
        for row in &rows {
            if row["expect"]["intent"] == "opt_out" {
                continue;
            }
            let words = row["utterance"].as_str().unwrap();
            let language: Language = serde_json::from_value(row["lang"].clone()).unwrap();
            let mut campaign = campaign(&Language::ALL);
            campaign.settings.language = language;
            for position in [CONSENT, QUESTION] {
                let found = understood(&campaign, position, speech(words)).await;
                let elsewhere = found.elsewhere;
                let opts_out = elsewhere
                    .as_ref()
                    .is_some_and(|(_, meant)| meant.intent == Intent::OptOut);
                assert!(!opts_out, "{language} «{words}»");
                mistaken += usize::from(elsewhere.is_some());
            }
            looked_at += 1;
        }
        assert!(looked_at > 250, "{looked_at}");
        assert_eq!(mistaken, 0, "of {looked_at} utterances");
    }
}
