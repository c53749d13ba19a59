//! `voicesurvey interpret`: sentences in, what is understood of them out, one line each.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

struct Interpreted {
    code: Option<i32>,
    lines: Vec<Value>,
    said: String,
}

async fn interpret(input: &[u8], arguments: &[&str]) -> Interpreted {
    let directory = tempfile::tempdir().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_voicesurvey"))
        .arg("interpret")
        .args(arguments)
        .env_clear()
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let input = input.to_vec();
    let writing = tokio::spawn(async move { stdin.write_all(&input).await });
    let output = process.wait_with_output().await.unwrap();
    writing.await.unwrap().unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let text = String::from_utf8(output.stdout).unwrap();
    Interpreted {
        code: output.status.code(),
        lines: text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        said: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test]
async fn the_labelled_utterances_are_understood_line_by_line() {
    let labelled = include_str!("../../../tests/data/utterances.json");
    let labelled: Vec<Value> = serde_json::from_str(labelled).unwrap();
    let mut input = String::new();
    for row in &labelled {
        input.push_str(&row.to_string());
        input.push('\n');
    }
    let Interpreted { code, lines, said } = interpret(input.as_bytes(), &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(lines.len(), labelled.len());
    for (row, line) in labelled.iter().zip(&lines) {
        for (field, wanted) in row["expect"].as_object().unwrap() {
            assert_eq!(&line[field], wanted, "{row}: {line}");
        }
        let confidence = line["confidence"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&confidence), "{line}");
        assert_eq!(line["by"], "rules", "{line}");
    }
}

#[tokio::test]
async fn every_type_of_question_can_be_tried() {
    let input = [
        json!({"lang": "en", "question_type": "number", "utterance": "three point five", "params": {"decimals": true}}),
        json!({"lang": "en", "question_type": "numeric", "utterance": "forty two", "params": {"min": 0, "max": 99.5}}),
        json!({"lang": "en", "question_type": "free_text", "utterance": "the queue was long"}),
        json!({"lang": "en", "question_type": "consent", "utterance": ""}),
    ];
    let input: Vec<String> = input.iter().map(Value::to_string).collect();
    let Interpreted { code, lines, said } = interpret(input.join("\r\n").as_bytes(), &[]).await;
    assert_eq!(code, Some(0), "{said}");
    let understood: Vec<(&Value, &Value)> = lines
        .iter()
        .map(|line| (&line["intent"], &line["value"]))
        .collect();
    assert_eq!(
        understood,
        [
            (&json!("answer"), &json!(3.5)),
            (&json!("answer"), &json!(42)),
            (&json!("answer"), &json!("the queue was long")),
            (&json!("unclear"), &Value::Null),
        ]
    );
}

#[tokio::test]
async fn a_bad_line_is_named_by_its_number_and_hides_no_other() {
    let good = r#"{"lang": "it", "question_type": "yes_no", "utterance": "sì"}"#;
    let long = "x".repeat(70_000);
    let mut input = Vec::new();
    for line in [
        format!("\u{feff}{good}").as_bytes(),
        b"",
        b"{not json",
        b"\xff\xfe",
        br#"{"lang": "nl", "question_type": "yes_no", "utterance": "ja"}"#,
        long.as_bytes(),
        b"[]",
        good.as_bytes(),
    ] {
        input.extend_from_slice(line);
        input.push(b'\n');
    }
    let Interpreted { code, lines, said } = interpret(&input, &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("5 of 8 lines"), "{said}");
    assert_eq!(lines.len(), 7, "one for each but the blank one: {lines:?}");
    for (line, (number, error)) in lines[1..6].iter().zip([
        (3, "key must be a string"),
        (4, "not UTF-8"),
        (5, "unknown variant `nl`"),
        (6, "more than 65536 bytes"),
        (7, "invalid"),
    ]) {
        assert_eq!(line["line"], number, "{line}");
        let said = line["error"].as_str().unwrap();
        assert!(said.contains(error), "{line}");
    }
    for line in [&lines[0], &lines[6]] {
        assert_eq!(line["value"], "yes", "{line}");
    }
}

#[tokio::test]
async fn who_has_seen_enough_may_go() {
    let directory = tempfile::tempdir().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_voicesurvey"))
        .arg("interpret")
        .env_clear()
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    let mut stdin = process.stdin.take().unwrap();
    let line = br#"{"lang": "en", "question_type": "yes_no", "utterance": "yes"}"#;
    stdin.write_all(&[&line[..], b"\n"].concat()).await.unwrap();
    let output = process.wait_with_output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""));
    drop(stdin);
}
