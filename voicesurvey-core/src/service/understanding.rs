//! What a person meant, asked of the interpreter while nothing is open.

use crate::conversation::{Conversation, Heard, Script, Understood, keypad};
use crate::interpretation::rules::RulesInterpreter;
use crate::interpretation::{AnswerInterpreter, Expected, Intent, Interpretation, Utterance};
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
            let here = interpreter.interpret(&utterance).await;
            let elsewhere = opt_out_elsewhere(&here, &utterance, script);
            Understood {
                here: Some(here),
                elsewhere,
            }
        }
    }
}

/// An opt-out in another language in which the survey can be held. Whoever is called in the wrong
/// language may say it in their own, and says it in few words. Where anything is an answer it is
/// looked for in whatever was said; elsewhere in what was not understood.
fn opt_out_elsewhere(
    here: &Interpretation,
    utterance: &Utterance,
    script: &Script<'_>,
) -> Option<(Language, Interpretation)> {
    let may_be_foreign = match here.intent {
        Intent::Unclear => true,
        Intent::Answer { .. } => utterance.expected == Expected::FreeText,
        _ => false,
    };
    if !may_be_foreign {
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
        understand(&RulesInterpreter::new(), &conversation, &script, &heard).await
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

    /// A false one ends an interview, and nobody calls again.
    #[tokio::test]
    async fn nothing_that_is_said_in_one_language_is_an_opt_out_in_another() {
        let json = include_str!("../../../tests/data/utterances.json");
        let rows: Vec<serde_json::Value> = serde_json::from_str(json).unwrap();
        let mut looked_at = 0;
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
                assert_eq!(found.elsewhere, None, "{language} «{words}»");
            }
            looked_at += 1;
        }
        assert!(looked_at > 250, "{looked_at}");
    }
}
