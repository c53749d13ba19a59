use std::collections::{BTreeMap, BTreeSet};

use voicesurvey_core::testing::samples;

use super::*;

fn subject() -> ExportSubject {
    let question = |key: &str, kind| Question {
        key: key.to_owned(),
        text: format!("{key}?"),
        kind,
        required: false,
        retries: 2,
        show_if: None,
    };
    let options = vec![voicesurvey_core::survey::ChoiceOption {
        key: "metro".to_owned(),
        say: vec!["la metropolitana".to_owned()],
    }];
    Survey {
        questions: vec![
            question("words", QuestionKind::FreeText),
            question("way", QuestionKind::Choice { options }),
            question("outcome", QuestionKind::YesNo),
        ],
        ..samples::survey()
    }
    .into()
}

impl From<Survey> for ExportSubject {
    fn from(survey: Survey) -> Self {
        Self {
            survey,
            language: Language::It,
            contact_columns: ["city", "status", "way_label"]
                .map(ToOwned::to_owned)
                .to_vec(),
            quota_cells: ["north", "18-34", "isole"].map(cell).to_vec(),
            thresholds: Thresholds::default(),
        }
    }
}

fn cell(name: &str) -> QuotaCell {
    QuotaCell {
        name: name.to_owned(),
        target: 1,
        conditions: voicesurvey_core::quota::CellConditions::default(),
    }
}

fn record() -> ContactRecord {
    let campaign = samples::campaign(&samples::company());
    let mut task = samples::task(&campaign, "+393471234567");
    task.contact.extra = BTreeMap::from([("status".to_owned(), "gold".to_owned())]);
    ContactRecord {
        task,
        calls: Vec::new(),
        answers: Vec::new(),
        revisions: Vec::new(),
        response: None,
    }
}

fn csv(kind: ExportKind, subject: &ExportSubject, records: &[ContactRecord]) -> Vec<Vec<String>> {
    let mut file = ResultsFile::new(Vec::new(), kind, ExportFormat::Csv, subject).unwrap();
    for record in records {
        file.write(record).unwrap();
    }
    let rows = file.rows();
    let text = String::from_utf8(file.finish().unwrap()).unwrap();
    let text = text.strip_prefix('\u{feff}').unwrap();
    assert!(text.ends_with("\r\n"));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let read: Vec<Vec<String>> = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    assert_eq!(read.len() as u64, rows + 1);
    read
}

#[test]
fn no_two_columns_of_a_file_have_one_name() {
    for &kind in ExportKind::ALL {
        let header = csv(kind, &subject(), &[]).remove(0);
        let different: BTreeSet<&String> = header.iter().collect();
        assert_eq!(different.len(), header.len(), "{kind:?}: {header:?}");
    }
}

#[test]
fn our_columns_keep_their_names_and_questions_come_before_the_columns_of_the_list() {
    let header = csv(ExportKind::Results, &subject(), &[]).remove(0);
    assert_eq!(
        header.join(","),
        "task_id,phone_number,name,city,status_2,way_label_2,status,outcome,aapor_code,attempts,\
         attempts_spent,first_attempt_at,last_attempt_at,language,consent,interview,\
         interview_started_at,interview_ended_at,talk_seconds,answers_to_review,cells,words,way,\
         way_label,outcome_2"
    );
}

#[test]
fn a_person_who_was_never_called_has_a_row_of_empty_cells() {
    let rows = csv(ExportKind::Results, &subject(), &[record()]);
    assert_eq!(
        rows[1][2..].join(","),
        "Maria Rossi,,gold,,pending,,3.11,0,0,,,it,,,,,,0,,,,,"
    );
    for kind in [ExportKind::Answers, ExportKind::Attempts] {
        assert_eq!(csv(kind, &subject(), &[record()]).len(), 1, "{kind:?}");
    }
    let rows = csv(ExportKind::Dispositions, &subject(), &[record()]);
    assert_eq!(
        rows[1][2..].join(","),
        "pending,true,3.11,UH,not called,,,0,0,,,,"
    );
}

#[test]
fn the_cells_of_a_person_are_named_in_the_order_of_the_campaign() {
    let mut somebody = record();
    // No cell is a fourth one: quotas were changed while the campaign was a draft.
    somebody.task.cells = [2, 0, 3].into_iter().collect();
    for kind in [ExportKind::Results, ExportKind::Dispositions] {
        let rows = csv(kind, &subject(), std::slice::from_ref(&somebody));
        let column = rows[0].iter().position(|name| name == "cells").unwrap();
        assert_eq!(rows[1][column], "north; isole", "{kind:?}");
    }
}

#[test]
fn an_erased_person_has_no_number() {
    let mut erased = record();
    erased.task.contact.phone_number = erased.task.nobodys_number();
    for kind in [ExportKind::Results, ExportKind::Dispositions] {
        let rows = csv(kind, &subject(), std::slice::from_ref(&erased));
        assert_eq!(
            rows[1][..2],
            [erased.task.id.to_string(), String::new()],
            "{kind:?}"
        );
    }
}

#[test]
fn a_column_that_came_with_a_later_list_breaks_the_file_instead_of_being_lost() {
    let mut late = record();
    let extra = &mut late.task.contact.extra;
    extra.insert("late".to_owned(), "x".to_owned());
    for &format in ExportFormat::ALL {
        let subject = subject();
        let file = ResultsFile::new(Vec::new(), ExportKind::Results, format, &subject);
        let mut file = file.unwrap();
        let error = file.write(&late).unwrap_err();
        assert!(error.to_string().contains("'late'"), "{error}");
    }
}

#[test]
fn the_codebook_tells_every_column_of_every_file_and_every_code() {
    let subject = subject();
    let book = csv(ExportKind::Codebook, &subject, &[record()]);
    for &kind in ExportKind::ALL {
        let header = csv(kind, &subject, &[]).remove(0);
        let listed = book.iter().filter(|row| row[0] == kind.name());
        let listed = listed.filter(|row| row[12].is_empty());
        let listed: Vec<&String> = listed.map(|row| &row[2]).collect();
        assert_eq!(listed, header.iter().collect::<Vec<_>>());
    }
    let codes = book.iter().filter(|row| row[0] == "results");
    let codes = codes.filter(|row| !row[12].is_empty());
    let codes: Vec<String> = codes
        .map(|row| [&row[2], &*row[12], &row[13]].join("="))
        .collect();
    assert_eq!(
        codes,
        [
            "way=metro=la metropolitana",
            "outcome_2=yes=",
            "outcome_2=no="
        ]
    );
    assert!(book.iter().all(|row| !row[4].is_empty()));
}

/// What the documentation says of the columns is what the program writes.
#[test]
fn the_documentation_lists_every_column_with_its_meaning() {
    let documentation = include_str!("../../../docs/exports.md");
    let bare = ExportSubject {
        contact_columns: Vec::new(),
        survey: Survey {
            questions: Vec::new(),
            ..samples::survey()
        },
        ..subject()
    };
    for &kind in ExportKind::ALL {
        assert!(documentation.contains(&format!("## {}\n", kind.name())));
        for column in described(kind, &bare) {
            let Column { name, kind: holds } = &column.column;
            let line = format!("| `{name}` | {} | {} |", holds.name(), column.meaning);
            assert!(documentation.contains(&line), "{}: {line}", kind.name());
        }
    }
}
