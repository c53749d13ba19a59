//! Samples of what a conversation leaves behind.

use chrono::TimeDelta;

use super::{id, now};
use crate::call_attempt::CallAttempt;
use crate::conversation::{
    Answer, AnswerResult, Consent, Conversation, Listen, Memory, Position, Speaker, SurveyResponse,
    Then, Turn, VoiceReply,
};
use crate::interpretation::{Confidence, Expected, InterpretedBy};
use crate::language::Language;
use crate::survey::AnswerValue;

/// A conversation that waits for consent.
pub fn conversation(attempt: &CallAttempt) -> Conversation {
    Conversation {
        attempt_id: attempt.id,
        task_id: attempt.task_id,
        company_id: attempt.company_id,
        campaign_id: attempt.campaign_id,
        language: Language::It,
        position: Position::Consent { tries: 0 },
        step: 1,
        turns: 1,
        last_reply: VoiceReply {
            language: Language::It,
            voice: None,
            say: vec!["Posso farle una domanda?".to_owned()],
            firm: 0,
            then: Then::Listen(Listen::for_answer(1, Expected::Consent, Language::It)),
        },
        outcome: None,
        started_at: now(),
        version: 1,
        memory: Memory::default(),
    }
}

/// Something the person said, as the call's turn of that number.
pub fn turn(attempt: &CallAttempt, sequence: u32) -> Turn {
    Turn {
        id: id(),
        company_id: attempt.company_id,
        attempt_id: attempt.id,
        sequence,
        speaker: Speaker::Person,
        words: "sì".to_owned(),
        heard_with: None,
        interpretation: None,
        question_key: None,
        at: now() + TimeDelta::seconds(i64::from(sequence)),
    }
}

/// A yes to that question, proved by that turn.
pub fn answer(attempt: &CallAttempt, turn: &Turn, question_key: &str) -> Answer {
    Answer {
        id: id(),
        company_id: attempt.company_id,
        campaign_id: attempt.campaign_id,
        task_id: attempt.task_id,
        attempt_id: attempt.id,
        question_key: question_key.to_owned(),
        result: AnswerResult::Answered {
            value: AnswerValue::YesNo(true),
        },
        words: turn.words.clone(),
        confidence: Confidence::CERTAIN,
        interpreted_by: InterpretedBy::Rules,
        repeats: 0,
        turn_id: turn.id,
        at: turn.at,
        doubt: None,
        revision: 0,
        reviewed_at: None,
        reviewed_by: None,
    }
}

/// Consent, proved by that turn.
pub fn consent(attempt: &CallAttempt, turn: &Turn) -> Consent {
    Consent {
        attempt_id: attempt.id,
        company_id: attempt.company_id,
        task_id: attempt.task_id,
        given: true,
        text: "Posso farle una domanda?".to_owned(),
        language: Language::It,
        turn_id: turn.id,
        at: turn.at,
        text_version: "lines-1/0123456789ab".to_owned(),
        interpreted_by: InterpretedBy::Rules,
    }
}

/// A finished interview.
pub fn response(attempt: &CallAttempt) -> SurveyResponse {
    SurveyResponse {
        id: id(),
        company_id: attempt.company_id,
        campaign_id: attempt.campaign_id,
        task_id: attempt.task_id,
        attempt_id: attempt.id,
        complete: true,
        started_at: now(),
        ended_at: now() + TimeDelta::seconds(90),
    }
}
