//! The demo as a newcomer runs it: the real program, its text and its files.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead as _, BufReader, Lines};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use chrono::NaiveTime;
use voicesurvey_core::time::Timestamp;
use voicesurvey_core::time_zone::TimeZone;

/// People of the call list that can be called.
const PEOPLE: u64 = 196;

/// A row of a result file, by column.
type Row = HashMap<String, String>;

fn demo(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_voicesurvey"));
    command
        .args([
            "demo",
            "--listen",
            "127.0.0.1:0",
            "--speed",
            "600",
            "--directory",
        ])
        .arg(directory)
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn run_to_the_end(directory: &Path) -> String {
    let output = demo(directory, &["--exit"]).output().unwrap();
    succeeded(&output)
}

fn succeeded(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A demo that runs, and what it writes.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(directory: &Path, arguments: &[&str]) -> Self {
        let mut child = demo(directory, arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        Self {
            child,
            lines: BufReader::new(output).lines(),
        }
    }

    /// Reads on to the first line of which `wanted` makes something.
    fn read_to<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> T {
        let found = self.lines.by_ref().find_map(|line| wanted(&line.unwrap()));
        found.expect("the demo ended before it wrote the line")
    }

    /// Reads on until more than `people` are done with, and tells how many.
    fn read_to_more_than(&mut self, people: u64) -> u64 {
        self.read_to(|line| people_done(line).filter(|done| *done > people))
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap();
        assert!(sent.success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // OK because one that has ended needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads `Tue 6 Oct 2026, 10:33   32 of 196 people done: …`.
fn people_done(line: &str) -> Option<u64> {
    let (before, _) = line.split_once(" of 196 people done")?;
    before.split_whitespace().last()?.parse().ok()
}

fn rows(directory: &Path, file: &str) -> Vec<Row> {
    let content = std::fs::read_to_string(directory.join(file)).unwrap();
    let content = content
        .strip_prefix('\u{feff}')
        .expect("Excel needs the mark");
    csv::Reader::from_reader(content.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .unwrap()
}

fn counted(rows: &[Row], column: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row[column].replace('_', " ")).or_default() += 1;
    }
    counts
}

/// The counts of a table on the screen, without its row for all.
fn printed(screen: &str, heading: &str) -> BTreeMap<String, u64> {
    let rows = screen.lines().skip_while(|line| *line != heading).skip(2);
    rows.take_while(|line| !line.is_empty())
        .map(|line| {
            let mut cells = line.trim().split("  ").filter(|cell| !cell.is_empty());
            let label = cells.next().unwrap().to_owned();
            (label, cells.next().unwrap().trim().parse().unwrap())
        })
        .filter(|(label, _)| label != "all")
        .collect()
}

fn instant(row: &Row, column: &str) -> Timestamp {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

/// What must hold of every run, however often it was interrupted.
fn check_files(directory: &Path) {
    let preflight = crate::preflight::preflight(directory, &["--database-url", "sqlite://demo.db"]);
    assert!(preflight.status.success(), "{preflight:?}");
    let people = rows(directory, "demo-results.csv");
    assert_eq!(people.len() as u64, PEOPLE);
    for person in &people {
        let open = ["pending", "in_progress", "retry"];
        assert!(!open.contains(&person["status"].as_str()), "{person:?}");
    }
    let mut by_number: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for attempt in rows(directory, "demo-attempts.csv") {
        assert_eq!(attempt["state"], "ended", "{attempt:?}");
        assert_within_calling_hours(&attempt);
        by_number
            .entry(attempt["phone_number"].clone())
            .or_default()
            .push(attempt);
    }
    for attempts in by_number.values_mut() {
        attempts.sort_by_key(|attempt| attempt["attempt_number"].parse::<u32>().unwrap());
        for (index, attempt) in attempts.iter().enumerate() {
            assert_eq!(
                attempt["attempt_number"],
                (index + 1).to_string(),
                "{attempts:?}"
            );
        }
        for pair in attempts.windows(2) {
            assert!(
                instant(&pair[0], "ended_at") <= instant(&pair[1], "started_at"),
                "{pair:?}"
            );
        }
    }
    for person in &people {
        let attempts = by_number.get(&person["phone_number"]).map_or(0, Vec::len);
        assert_eq!(person["attempts"], attempts.to_string(), "{person:?}");
    }
}

/// The list has Italian mobiles and numbers in the United Kingdom.
fn assert_within_calling_hours(attempt: &Row) {
    let zone: TimeZone = match &attempt["phone_number"][..3] {
        "+39" => "Europe/Rome".parse().unwrap(),
        "+44" => "Europe/London".parse().unwrap(),
        _ => panic!("nobody has such a number: {attempt:?}"),
    };
    let local = zone.local(instant(attempt, "started_at")).time();
    let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    assert!((hour(9)..hour(21)).contains(&local), "{local}: {attempt:?}");
}

#[test]
fn a_whole_campaign_is_played_and_the_files_hold_what_the_screen_shows() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path().join("demo");
    let screen = run_to_the_end(&directory);

    assert!(screen.contains("200 rows: 196 people, 2 duplicates, 2 rows that cannot be used"));
    assert!(screen.contains("Row 77: Empty phone number"), "{screen}");
    check_files(&directory);
    let people = rows(&directory, "demo-results.csv");
    let attempts = rows(&directory, "demo-attempts.csv");
    let answers = rows(&directory, "demo-answers.csv");
    assert_eq!(
        printed(&screen, "How the calls ended"),
        counted(&attempts, "outcome")
    );
    assert_eq!(
        printed(&screen, "What became of the people"),
        counted(&people, "status")
    );
    let outcomes = counted(&attempts, "outcome");
    for outcome in ["completed", "refused", "busy", "no answer", "voicemail"] {
        assert!(
            outcomes.contains_key(outcome),
            "{outcome} never happened: {outcomes:?}"
        );
    }
    let retried = attempts
        .iter()
        .filter(|attempt| attempt["attempt_number"] == "2")
        .count();
    assert!(retried > 50, "{retried}");
    for (number, key) in ["satisfaction", "books", "suggestion"]
        .into_iter()
        .enumerate()
    {
        let answered = answers
            .iter()
            .filter(|answer| answer["question_key"] == key && answer["result"] == "answered")
            .count();
        assert!(answered > 20, "{key}: {answered}");
        let heading = format!("Question {}: {key} ", number + 1);
        let shown = screen.split_once(&heading).unwrap().1;
        assert!(
            shown.contains(&format!("  answered {answered}, ")),
            "{key}: {answered}: {screen}"
        );
    }

    // A second time nothing is played, and the same is shown.
    let again = run_to_the_end(&directory);
    for heading in ["How the calls ended", "What became of the people"] {
        assert_eq!(printed(&again, heading), printed(&screen, heading));
    }
    assert_eq!(rows(&directory, "demo-attempts.csv"), attempts);
    let other_seed = demo(&directory, &["--exit", "--seed", "2"])
        .output()
        .unwrap();
    assert_eq!(other_seed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&other_seed.stderr).contains("--restart"));
}

/// Also that it stops when it is told to, and says so with its exit code.
#[tokio::test]
async fn a_demo_that_has_ended_serves_the_api_with_the_key_it_shows() {
    let temporary = tempfile::tempdir().unwrap();
    let mut serving = Running::start(temporary.path(), &[]);
    let word_after = |start: &'static str| {
        move |line: &str| {
            let word = line.trim().strip_prefix(start)?.trim();
            Some(word.to_owned())
        }
    };
    let url = serving.read_to(word_after("API documentation"));
    let key = serving.read_to(word_after("API key"));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let documentation = client.get(&url).send().await.unwrap();
    assert!(
        documentation.status().is_success(),
        "{}",
        documentation.status()
    );
    let campaigns = client
        .get(url.replace("/api/docs", "/api/campaigns"))
        .bearer_auth(key)
        .send()
        .await
        .unwrap();
    assert!(campaigns.status().is_success(), "{}", campaigns.status());
    let campaigns = campaigns.text().await.unwrap();
    assert!(
        campaigns.contains("Customer satisfaction, autumn"),
        "{campaigns}"
    );
    serving.signal("INT");
    assert!(serving.child.wait().unwrap().success());
}

#[test]
fn a_demo_that_is_killed_goes_on_where_it_stopped() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();

    let mut killed = Running::start(directory, &["--exit"]);
    let done = killed.read_to_more_than(0);
    killed.signal("KILL");
    assert!(!killed.child.wait().unwrap().success());
    let key = api_key(directory);

    let mut stopped = Running::start(directory, &["--exit"]);
    let first_line = stopped.read_to(people_done);
    assert!(
        first_line >= done,
        "{first_line} people are done, and {done} were"
    );
    let done = stopped.read_to_more_than(first_line + 20);
    stopped.signal("TERM");
    assert_eq!(stopped.child.wait().unwrap().code(), Some(1));

    let mut last = Running::start(directory, &["--exit"]);
    assert!(last.read_to(people_done) >= done);
    last.read_to(|line| line.contains("What became of the people").then_some(()));
    last.lines.by_ref().for_each(drop);
    assert!(last.child.wait().unwrap().success());
    check_files(directory);
    assert_eq!(api_key(directory), key);
}

fn api_key(directory: &Path) -> String {
    let notes = std::fs::read(directory.join("demo.json")).unwrap();
    let notes: serde_json::Value = serde_json::from_slice(&notes).unwrap();
    notes["api_key"].as_str().unwrap().to_owned()
}

#[test]
fn a_port_in_use_is_named_before_anything_is_done() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path().join("demo");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_voicesurvey"))
        .args(["demo", "--listen", &address, "--directory"])
        .arg(&directory)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains(&address) && errors.contains("--listen"),
        "{errors}"
    );
    assert!(!directory.exists());
}
