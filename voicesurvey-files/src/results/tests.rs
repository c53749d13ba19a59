use std::collections::BTreeMap;

use voicesurvey_core::call_attempt::{AnsweredBy, AttemptState, CallAttempt};
use voicesurvey_core::call_list::Contact;
use voicesurvey_core::call_task::{CallTask, TaskState};
use voicesurvey_core::conversation::{Answer, AnswerResult, Consent, Doubt, SurveyResponse};
use voicesurvey_core::interpretation::{Confidence, InterpretedBy};
use voicesurvey_core::language::Language;
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::survey::{AnswerValue, Question, QuestionKind, Survey};

use super::*;
use crate::Encoding;

/// An identifier of which only the last digits differ.
fn id<I: std::str::FromStr<Err: std::fmt::Debug>>(number: u32) -> I {
    format!("018f0000-0000-7000-8000-{number:012}")
        .parse()
        .unwrap()
}

fn at(minute: u8) -> Timestamp {
    format!("2026-03-02T10:{minute:02}:05.25Z").parse().unwrap()
}

fn task() -> CallTask {
    let extra = [
        ("city", "Forlì"),
        ("status", "gold"),
        ("note", "=1+1"),
        ("hidden", "x"),
    ];
    CallTask {
        id: id(1),
        company_id: id(2),
        campaign_id: id(3),
        upload_id: None,
        contact: Contact {
            phone_number: "+393545550100".parse().unwrap(),
            name: "Niccolò D'Amico".to_owned(),
            language: Some(Language::It),
            time_zones: Vec::new(),
            priority: 0,
            extra: BTreeMap::from(extra.map(|(key, value)| (key.to_owned(), value.to_owned()))),
        },
        state: TaskState::Completed,
        attempts_count: 2,
        attempts_spent: 2,
        last_attempt_at: Some(at(1)),
        outcome: Some(Outcome::Completed),
        reason: None,
        created_at: at(0),
        updated_at: at(9),
        version: 7,
    }
}

fn answer(question_key: &str, result: AnswerResult, words: &str) -> Answer {
    Answer {
        id: id(20),
        company_id: id(2),
        campaign_id: id(3),
        task_id: id(1),
        attempt_id: id(4),
        question_key: question_key.to_owned(),
        result,
        words: words.to_owned(),
        confidence: Confidence::from_hundredths(93),
        interpreted_by: InterpretedBy::Rules,
        repeats: 1,
        turn_id: id(30),
        at: at(3),
        doubt: None,
        revision: 0,
        reviewed_at: None,
        reviewed_by: None,
    }
}

fn answers() -> [Answer; 3] {
    let answered = |value| AnswerResult::Answered { value };
    [
        answer(
            "score",
            answered(AnswerValue::Number("-4.50".parse().unwrap())),
            "meno quattro e mezzo",
        ),
        answer(
            "words",
            answered(AnswerValue::Text("=SUM(A1)".to_owned())),
            "=SUM(A1)",
        ),
        answer("age", AnswerResult::DontKnow, "non so, \"boh\""),
    ]
}

fn survey() -> Survey {
    let question = |key: &str| Question {
        key: key.to_owned(),
        text: String::new(),
        kind: QuestionKind::FreeText,
        required: false,
        retries: 2,
        show_if: None,
    };
    Survey {
        intro_script: String::new(),
        consent_question: None,
        questions: ["words", "score", "age", "outcome"].map(question).into(),
        completion_message: String::new(),
        translations: BTreeMap::new(),
    }
}

fn consent() -> Consent {
    Consent {
        attempt_id: id(4),
        company_id: id(2),
        task_id: id(1),
        given: true,
        text: "Accetta?".to_owned(),
        language: Language::It,
        turn_id: id(31),
        at: at(2),
        text_version: String::new(),
        interpreted_by: InterpretedBy::Rules,
    }
}

fn response(complete: bool) -> SurveyResponse {
    SurveyResponse {
        id: id(40),
        company_id: id(2),
        campaign_id: id(3),
        task_id: id(1),
        attempt_id: id(4),
        complete,
        started_at: at(2),
        ended_at: at(4),
    }
}

fn text(file: Vec<u8>) -> String {
    String::from_utf8(file).unwrap()
}

#[test]
fn contacts_stand_in_one_row_with_their_answers() {
    let columns = ["city", "status", "note", "missing"].map(ToOwned::to_owned);
    let mut file = ContactsFile::new(Vec::new(), Encoding::Utf8, &survey(), &columns).unwrap();
    let (task, answers, consent) = (task(), answers(), consent());
    let waiting = CallTask {
        state: TaskState::Pending { due_at: at(0) },
        outcome: None,
        attempts_count: 0,
        contact: Contact {
            extra: BTreeMap::new(),
            language: None,
            ..task.contact.clone()
        },
        ..task.clone()
    };
    let complete = response(true);
    let partial = response(false);
    let finished = ContactResult {
        task: &task,
        consent: Some(&consent),
        answers: &answers,
        response: Some(&complete),
    };
    file.write(&finished).unwrap();
    file.write(&ContactResult {
        response: Some(&partial),
        answers: &answers[..1],
        ..finished
    })
    .unwrap();
    file.write(&ContactResult {
        task: &waiting,
        consent: None,
        answers: &[],
        response: None,
    })
    .unwrap();
    insta::assert_snapshot!(text(file.finish().unwrap()), @r#"
    task_id,phone_number,name,language,city,status_2,note,missing,status,outcome,attempts,consent,interview,words,score,age,outcome_2,completed_at
    018f0000-0000-7000-8000-000000000001,+393545550100,Niccolò D'Amico,it,Forlì,gold,'=1+1,,completed,completed,2,given,complete,'=SUM(A1),-4.5,,,2026-03-02T10:04:05Z
    018f0000-0000-7000-8000-000000000001,+393545550100,Niccolò D'Amico,it,Forlì,gold,'=1+1,,completed,completed,2,given,partial,,-4.5,,,
    018f0000-0000-7000-8000-000000000001,+393545550100,Niccolò D'Amico,,,,,,pending,,0,,,,,,,
    "#);
}

#[test]
fn calls_stand_in_one_row_each() {
    let attempt = CallAttempt {
        id: id(4),
        company_id: id(2),
        campaign_id: id(3),
        task_id: id(1),
        number: 2,
        phone_number: "+393545550100".parse().unwrap(),
        provider: "simulated".to_owned(),
        provider_call_id: Some("SIM-1".to_owned()),
        state: AttemptState::Ended,
        dial_before: at(1),
        lease_until: at(9),
        created_at: at(0),
        accepted_at: Some(at(0)),
        ringing_at: Some(at(1)),
        answered_at: Some(at(2)),
        ended_at: Some(at(4)),
        answered_by: Some(AnsweredBy::Person),
        outcome: Some(Outcome::Completed),
        raw_status: Some("completed".to_owned()),
        error_code: None,
        cost: Some(Cost {
            amount: "0.0130".parse().unwrap(),
            currency: "EUR".to_owned(),
        }),
        version: 5,
        price_due_at: None,
        recording: None,
        latencies: Vec::new(),
    };
    let live = CallAttempt {
        state: AttemptState::Unknown,
        provider_call_id: None,
        accepted_at: None,
        ringing_at: None,
        answered_at: None,
        ended_at: None,
        answered_by: None,
        outcome: None,
        raw_status: None,
        error_code: Some("@31000".to_owned()),
        cost: None,
        ..attempt.clone()
    };
    let mut file = AttemptsFile::new(Vec::new(), Encoding::Utf8).unwrap();
    file.write(&attempt).unwrap();
    file.write(&live).unwrap();
    insta::assert_snapshot!(text(file.finish().unwrap()), @r#"
    task_id,attempt_id,attempt_number,phone_number,provider,provider_call_id,state,outcome,answered_by,started_at,accepted_at,ringing_at,answered_at,ended_at,talk_seconds,provider_raw_status,error_code,cost,currency
    018f0000-0000-7000-8000-000000000001,018f0000-0000-7000-8000-000000000004,2,+393545550100,simulated,SIM-1,ended,completed,person,2026-03-02T10:00:05Z,2026-03-02T10:00:05Z,2026-03-02T10:01:05Z,2026-03-02T10:02:05Z,2026-03-02T10:04:05Z,120,completed,,0.0130,EUR
    018f0000-0000-7000-8000-000000000001,018f0000-0000-7000-8000-000000000004,2,+393545550100,simulated,,unknown,,,2026-03-02T10:00:05Z,,,,,,,'@31000,,
    "#);
}

#[test]
fn answers_stand_beside_their_evidence() {
    let mut file = AnswersFile::new(Vec::new(), Encoding::Utf8).unwrap();
    for answer in answers() {
        file.write(&answer).unwrap();
    }
    let certain = Answer {
        confidence: Confidence::CERTAIN,
        doubt: Some(Doubt::Unconfirmed),
        reviewed_at: Some(at(8)),
        reviewed_by: Some(id(50)),
        ..answers()[0].clone()
    };
    file.write(&certain).unwrap();
    insta::assert_snapshot!(text(file.finish().unwrap()), @r#"
    task_id,attempt_id,answer_id,question_key,result,value,words,confidence,interpreted_by,repeats,turn_id,answered_at,doubt,reviewed_at
    018f0000-0000-7000-8000-000000000001,018f0000-0000-7000-8000-000000000004,018f0000-0000-7000-8000-000000000020,score,answered,-4.5,meno quattro e mezzo,0.93,rules,1,018f0000-0000-7000-8000-000000000030,2026-03-02T10:03:05Z,,
    018f0000-0000-7000-8000-000000000001,018f0000-0000-7000-8000-000000000004,018f0000-0000-7000-8000-000000000020,words,answered,'=SUM(A1),'=SUM(A1),0.93,rules,1,018f0000-0000-7000-8000-000000000030,2026-03-02T10:03:05Z,,
    018f0000-0000-7000-8000-000000000001,018f0000-0000-7000-8000-000000000004,018f0000-0000-7000-8000-000000000020,age,dont_know,,"non so, ""boh""",0.93,rules,1,018f0000-0000-7000-8000-000000000030,2026-03-02T10:03:05Z,,
    018f0000-0000-7000-8000-000000000001,018f0000-0000-7000-8000-000000000004,018f0000-0000-7000-8000-000000000020,score,answered,-4.5,meno quattro e mezzo,1.00,rules,1,018f0000-0000-7000-8000-000000000030,2026-03-02T10:03:05Z,unconfirmed,2026-03-02T10:08:05Z
    "#);
}
