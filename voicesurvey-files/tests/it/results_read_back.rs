//! Files out, read back by other software: Python's csv, openpyxl and Apache Arrow.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use chrono::TimeDelta;
use serde_json::{Value, json};
use voicesurvey_core::call_attempt::{AttemptState, CallAttempt};
use voicesurvey_core::call_task::TaskState;
use voicesurvey_core::contact_record::{CallRecord, ContactRecord};
use voicesurvey_core::conversation::{AnswerResult, AnswerRevision};
use voicesurvey_core::export::{ExportFormat, ExportKind};
use voicesurvey_core::interpretation::{Confidence, InterpretedBy};
use voicesurvey_core::language::Language;
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::quota::{CellConditions, QuotaCell};
use voicesurvey_core::rates::Thresholds;
use voicesurvey_core::survey::{
    AnswerValue, ChoiceOption, Question, QuestionKind, ScaleLabel, Survey,
};
use voicesurvey_core::testing::samples;
use voicesurvey_files::results::{ExportSubject, ResultsFile};

/// A Python that has openpyxl and pyarrow.
const PYTHON: &str = "VOICESURVEY_TEST_PYTHON";

/// What people say, and what tables do to it.
const WORDS: [&str; 5] = [
    "perché è così, «davvero» — 50 €; Привет, naïve 😀",
    "=HYPERLINK(\"http://x\";\"y\")",
    "two\nlines, \"quoted\" and \t a tab",
    "00123",
    " both ends ",
];

fn question(key: &str, kind: QuestionKind) -> Question {
    Question {
        key: key.to_owned(),
        text: "Città?".to_owned(),
        kind,
        required: true,
        retries: 2,
        show_if: None,
    }
}

fn subject() -> ExportSubject {
    let label = ScaleLabel {
        value: 5,
        say: vec!["ottimo".to_owned()],
    };
    let option = ChoiceOption {
        key: "metro".to_owned(),
        say: vec!["la metropolitana".to_owned(), "metrò".to_owned()],
    };
    let questions = vec![
        question("words", QuestionKind::FreeText),
        question(
            "mark",
            QuestionKind::Scale {
                min: 1,
                max: 5,
                labels: vec![label],
            },
        ),
        question(
            "hours",
            QuestionKind::Numeric {
                min: None,
                max: None,
                decimals: true,
            },
        ),
        question(
            "way",
            QuestionKind::Choice {
                options: vec![option],
            },
        ),
        question("satisfied", QuestionKind::YesNo),
    ];
    ExportSubject {
        survey: Survey {
            questions,
            ..samples::survey()
        },
        language: Language::It,
        contact_columns: vec!["Città".to_owned(), "code".to_owned()],
        thresholds: Thresholds::default(),
        quota_cells: vec![cell("=north, \"18-34\""), cell("Forlì")],
    }
}

fn cell(name: &str) -> QuotaCell {
    QuotaCell {
        name: name.to_owned(),
        target: 1,
        conditions: CellConditions::default(),
    }
}

/// A finished call to one of them.
fn call(record: &ContactRecord) -> CallRecord {
    let now = samples::now();
    let attempt = CallAttempt {
        state: AttemptState::Ended,
        answered_at: Some(now),
        ended_at: Some(now + TimeDelta::seconds(95)),
        outcome: Some(Outcome::Completed),
        error_code: Some("-31000".to_owned()),
        cost: Some(Cost {
            amount: "0.0135".parse().unwrap(),
            currency: "EUR".to_owned(),
        }),
        ..CallAttempt::created(samples::id(), &record.task, "simulated", now, now, now)
    };
    CallRecord {
        language: Some(Language::It),
        ..CallRecord::new(attempt)
    }
}

fn records() -> Vec<ContactRecord> {
    let campaign = samples::campaign(&samples::company());
    let tasks = samples::tasks(&campaign, 1, 5);
    let mut records: Vec<ContactRecord> = tasks
        .into_iter()
        .map(|task| ContactRecord {
            task,
            calls: Vec::new(),
            answers: Vec::new(),
            revisions: Vec::new(),
            response: None,
        })
        .collect();
    // The last was never called.
    for (record, words) in records.iter_mut().zip(WORDS).take(4) {
        record.task.contact.extra = BTreeMap::from([
            ("Città".to_owned(), "Forlì".to_owned()),
            ("code".to_owned(), "007".to_owned()),
        ]);
        record.task.state = TaskState::Completed;
        record.task.cells = [0, 1].into_iter().collect();
        record.task.attempts_count = 1;
        let mut call = call(record);
        let turn = voicesurvey_core::conversation::Turn {
            words: words.to_owned(),
            heard_with: Some(Confidence::from_hundredths(87)),
            ..samples::turn(&call.attempt, 1)
        };
        call.consent = Some(samples::consent(&call.attempt, &turn));
        let values = [
            ("words", AnswerValue::Text(words.to_owned())),
            ("mark", AnswerValue::Number(5.into())),
            ("hours", AnswerValue::Number("-4.50".parse().unwrap())),
            ("way", AnswerValue::Choice("metro".to_owned())),
        ];
        for (key, value) in values {
            let mut answer = samples::answer(&call.attempt, &turn, key);
            answer.result = AnswerResult::Answered { value };
            record.answers.push(answer);
        }
        record.revisions = vec![AnswerRevision {
            answer_id: record.answers[1].id,
            company_id: campaign.company_id,
            number: 1,
            result: AnswerResult::NotUnderstood,
            confidence: Confidence::from_hundredths(40),
            interpreted_by: InterpretedBy::Rules,
            note: Some("ascoltato".to_owned()),
            replaced_at: samples::now(),
            replaced_by: samples::id(),
        }];
        record.response = Some(samples::response(&call.attempt));
        call.turns = vec![turn];
        record.calls = vec![call];
    }
    records
}

fn write_all(folder: &Path, records: &[ContactRecord]) {
    for &kind in ExportKind::ALL {
        for &format in ExportFormat::ALL {
            let name = format!("{}.{}", kind.name(), format.name());
            let output = std::fs::File::create(folder.join(name)).unwrap();
            let mut file = ResultsFile::new(output, kind, format, &subject()).unwrap();
            for record in records {
                file.write(record).unwrap();
            }
            file.finish().unwrap();
        }
    }
}

/// What other software reads; `None` where there is none, which continuous integration must not do.
fn read_back(folder: &Path) -> Option<Value> {
    let named = std::env::var(PYTHON).ok();
    let python = named.as_deref().unwrap_or("python3");
    let has_libraries = Command::new(python)
        .args(["-c", "import openpyxl, pyarrow.parquet"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_libraries {
        let missing =
            format!("{python} lacks openpyxl or pyarrow; name one that has them in {PYTHON}");
        assert!(
            std::env::var_os("CI").is_none() && named.is_none(),
            "{missing}"
        );
        eprintln!("not run: {missing}");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/read_back.py");
    let output = Command::new(python)
        .arg(script)
        .arg(folder)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// A cell of CSV as it was meant, when the other formats say that it is that: texts that look like
/// formulas lose their mark, numbers and truths are read.
fn meant(csv: &Value, typed: &Value) -> Value {
    let Some(text) = csv.as_str() else {
        return csv.clone();
    };
    if typed.is_number() {
        return json!(text.parse::<f64>().unwrap());
    }
    if typed.is_boolean() {
        return json!(text == "true");
    }
    let marked = text.strip_prefix('\'').filter(|rest| rest.starts_with('='));
    json!(marked.unwrap_or(text))
}

/// One kind of file holds the same in every format.
fn assert_equal_formats(kind: &str, file: &Value) {
    assert_eq!(file["xlsx"], file["parquet"], "{kind}");
    let (csv, typed) = (
        file["csv"].as_array().unwrap(),
        file["parquet"].as_array().unwrap(),
    );
    assert_eq!(csv.len(), typed.len());
    for (csv, typed) in csv.iter().zip(typed) {
        let (csv, typed) = (csv.as_array().unwrap(), typed.as_array().unwrap());
        let csv: Vec<Value> = csv
            .iter()
            .zip(typed)
            .map(|(csv, typed)| meant(csv, typed))
            .collect();
        assert_eq!(csv, *typed, "{kind}");
    }
}

#[test]
fn all_formats_hold_the_same_values_for_other_software() {
    let folder = tempfile::tempdir().unwrap();
    let records = records();
    write_all(folder.path(), &records);
    let Some(found) = read_back(folder.path()) else {
        return;
    };
    let rows = [
        ("results", 5),
        ("answers", 16),
        ("attempts", 4),
        ("dispositions", 5),
        ("transcripts", 4),
    ];
    for (kind, count) in rows {
        assert_eq!(
            found[kind]["csv"].as_array().unwrap().len(),
            count + 1,
            "{kind}"
        );
    }
    for &kind in ExportKind::ALL {
        assert_equal_formats(kind.name(), &found[kind.name()]);
    }
    assert_values(&found, &records);
}

/// What the rows hold is what the records do.
fn assert_values(found: &Value, records: &[ContactRecord]) {
    let results = &found["results"]["parquet"];
    let cell = |row: usize, column: &str| {
        let header = results[0].as_array().unwrap();
        let place = header.iter().position(|name| name == column).unwrap();
        results[row][place].clone()
    };
    for (row, words) in (1..).zip(WORDS).take(4) {
        assert_eq!(cell(row, "words"), words);
        assert_eq!(
            cell(row, "phone_number"),
            records[row - 1].task.contact.phone_number.to_string()
        );
    }
    let first = [
        ("Città", json!("Forlì")),
        ("code", json!("007")),
        ("mark", json!(5.0)),
        ("mark_label", json!("ottimo")),
        ("hours", json!(-4.5)),
        ("way", json!("metro")),
        ("way_label", json!("la metropolitana")),
        ("satisfied", Value::Null),
        ("talk_seconds", json!(95.0)),
        ("consent", json!("given")),
        ("interview", json!("complete")),
        ("cells", json!("=north, \"18-34\"; Forlì")),
        (
            "first_attempt_at",
            json!(samples::now().format("%Y-%m-%dT%H:%M:%SZ").to_string()),
        ),
    ];
    for (column, value) in first {
        assert_eq!(cell(1, column), value, "{column}");
    }
    assert_eq!(cell(5, "words"), Value::Null);
    let attempts = &found["attempts"]["parquet"];
    let header = attempts[0].as_array().unwrap();
    let cost = header.iter().position(|name| name == "cost").unwrap();
    assert_eq!(attempts[1][cost], 0.0135);
}

#[test]
fn an_empty_campaign_has_files_with_a_header_only() {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path(), &[]);
    let Some(found) = read_back(folder.path()) else {
        return;
    };
    for &kind in ExportKind::ALL {
        for &format in ExportFormat::ALL {
            let rows = found[kind.name()][format.name()].as_array().unwrap();
            assert_eq!(
                rows.len() == 1,
                kind != ExportKind::Codebook,
                "{kind:?} {format:?}"
            );
        }
    }
}
