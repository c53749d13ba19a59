//! `voicesurvey interview`: a script on standard input, the conversation on standard output.

use std::path::Path;
use std::process::{Output, Stdio};

use insta::assert_snapshot;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::language::Language;
use voicesurvey_core::ports::repositories::{CallAttemptFilter, CallTaskFilter};
use voicesurvey_core::ports::{ExclusionFilter, PageRequest, Scope, Storage};
use voicesurvey_core::survey::{ChoiceOption, Question, QuestionKind, SurveyTranslation};
use voicesurvey_core::testing::samples;
use voicesurvey_postgres::testing::TestDatabase;
use voicesurvey_sqlite::{OpenMode, SqliteStorage};

use crate::language_model::ModelServer;

/// A scale, a choice and an open question, in Italian and in English.
async fn insert_campaign(storage: &dyn Storage) -> Campaign {
    let company = samples::company();
    let mut campaign = samples::campaign(&company);
    let survey = &mut campaign.settings.survey;
    "Chiamiamo {{name}} di {{city}}.".clone_into(&mut survey.intro_script);
    let first = survey.questions[0].clone();
    let option = |key: &str, say: &[&str]| ChoiceOption {
        key: key.to_owned(),
        say: say.iter().map(|&word| word.to_owned()).collect(),
    };
    let kinds = [
        (
            "Da 0 a 10, quanto è soddisfatto?",
            QuestionKind::Scale {
                min: 0,
                max: 10,
                labels: Vec::new(),
            },
        ),
        (
            "Come è venuto?",
            QuestionKind::Choice {
                options: vec![
                    option("train", &["treno", "train"]),
                    option("bus", &["autobus", "bus"]),
                ],
            },
        ),
        ("Che cosa possiamo migliorare?", QuestionKind::FreeText),
    ];
    let kinds = (1..).zip(kinds);
    survey.questions = kinds
        .map(|(number, (text, kind))| Question {
            key: format!("q{number}"),
            text: text.to_owned(),
            kind,
            required: false,
            ..first.clone()
        })
        .collect();
    let english = SurveyTranslation {
        intro_script: "We are calling {{name}} of {{city}}.".to_owned(),
        completion_message: "Thank you.".to_owned(),
        ..SurveyTranslation::default()
    };
    survey.translations = [(Language::En, english)].into();
    let mut work = storage.begin(Scope::Platform).await.unwrap();
    work.companies().insert(&company).await.unwrap();
    let skillbase = samples::skillbase(&company);
    work.skillbases().insert(&skillbase).await.unwrap();
    work.campaigns().insert(&campaign).await.unwrap();
    let task = samples::task(&campaign, "+393471234567");
    work.call_tasks().insert_many(&[task]).await.unwrap();
    work.commit().await.unwrap();
    campaign
}

/// A campaign in a file that a server holds.
async fn served(directory: &Path) -> (SqliteStorage, Campaign) {
    let file = directory.join("voicesurvey.db");
    let server = SqliteStorage::open(file.to_str().unwrap(), OpenMode::Serve)
        .await
        .unwrap();
    let campaign = insert_campaign(&server).await;
    (server, campaign)
}

async fn run(directory: &Path, arguments: &[&str], script: &str) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_voicesurvey"))
        .arg("interview")
        .args(arguments)
        .env_clear()
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let script = script.to_owned();
    // A program that ends reads no further.
    let writing = tokio::spawn(async move { stdin.write_all(script.as_bytes()).await });
    let output = process.wait_with_output().await.unwrap();
    let _ = writing.await.unwrap();
    output
}

/// What is printed of a conversation that is held without an error.
async fn interview(directory: &Path, arguments: &[&str], script: &str) -> String {
    let output = run(directory, arguments, script).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn an_interview_is_held_beside_a_running_server_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (server, campaign) = served(directory.path()).await;
    let id = campaign.id.to_string();
    let rows = async || {
        let scope = Scope::Company(campaign.company_id);
        let mut work = server.begin(scope).await.unwrap();
        let page = PageRequest::first(10);
        let counters = work.campaigns().counters(campaign.id).await.unwrap();
        let found = work.campaigns().get(campaign.id).await.unwrap();
        let filter = CallTaskFilter::default();
        let tasks = work.call_tasks().list(&filter, &page).await.unwrap().rows;
        let filter = CallAttemptFilter::default();
        let calls = work
            .call_attempts()
            .list(&filter, &page)
            .await
            .unwrap()
            .rows;
        let all = ExclusionFilter::default();
        let excluded = work.exclusions().list(&all, &page).await.unwrap().rows;
        assert_eq!((tasks.len(), calls.len(), excluded.len()), (1, 0, 0));
        (counters, found, tasks)
    };
    let before = rows().await;
    let arguments = ["--campaign", &id, "--name", "Ada", "--column", "city=Bari"];
    let script =
        "chi parla?\n\nsì, va bene\ndodici\n#5\n#\nboh, il treno\nmeno attese\nnon ascoltata\n";
    let printed = interview(directory.path(), &arguments, script).await;
    assert_snapshot!(printed, @r#"
> Buongiorno, chiamiamo per conto di Acme S.p.A.
> Le parla una voce automatica, un'intelligenza artificiale.
> Se non vuole più ricevere chiamate, dica: non chiamatemi più, o prema nove.
> Chiamiamo Ada di Bari.
> Ci vorrà circa un minuto.
> Posso farle una domanda?
  ask_identity (rules, 0.95)
> Chiamiamo per conto di Acme S.p.A. È un breve sondaggio telefonico.
> Chiamiamo Ada di Bari.
> Ci vorrà circa un minuto.
> Posso farle una domanda?
  silence
> Non ho sentito nulla.
> Posso farle una domanda?
> Dica sì oppure no; per sì prema uno, per no prema due.
  yes (rules, 0.95)
  consent given
> Da 0 a 10, quanto è soddisfatto?
  out_of_range 12 (rules, 0.85)
> Serve un numero da 0 a 10.
> Da 0 a 10, quanto è soddisfatto?
> Dica un numero da 0 a 10, o lo digiti sulla tastiera.
> Per esempio: 5.
  q1 = 5 (keypad, 1.00)
> Come è venuto?
  after # come the keys pressed: digits, * and #
  q2 = train (rules, 0.85)
> Che cosa possiamo migliorare?
  q3 = meno attese (rules, 0.85)
> Grazie e arrivederci.
completed
"#);
    assert_eq!(rows().await, before);
    server.close().await.unwrap();
}

#[tokio::test]
async fn the_end_of_the_input_hangs_up() {
    let directory = tempfile::tempdir().unwrap();
    let (server, campaign) = served(directory.path()).await;
    let id = campaign.id.to_string();
    for (script, outcome) in [
        ("", "hung_up_before_consent"),
        ("sì\n", "broke_off"),
        ("sì\n#7", "partial"),
    ] {
        let printed = interview(directory.path(), &["--campaign", &id], script).await;
        assert_eq!(printed.lines().last(), Some(outcome), "{printed}");
    }
    server.close().await.unwrap();
}

#[tokio::test]
async fn who_opts_out_in_another_language_is_not_excluded_by_a_test() {
    let database = TestDatabase::create().await;
    let campaign = insert_campaign(database.storage()).await;
    let id = campaign.id.to_string();
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "--campaign",
        &id,
        "--language",
        "en",
        "--database-url",
        database.url(),
    ];
    let script = "yes\n##\nnon chiamatemi più\n";
    let printed = interview(directory.path(), &arguments, script).await;
    assert_snapshot!(printed, @r#"
> Hello, we are calling on behalf of Acme S.p.A.
> You are talking to an automated voice, an artificial intelligence.
> If you do not want to be called again, say: stop calling me, or press nine.
> We are calling  of .
> This will take about one minute.
> Would you like to take part?
  yes (rules, 0.95)
  consent given
> Da 0 a 10, quanto è soddisfatto?
  q1: skipped (keypad, 1.00)
> All right, let us move on.
> Come è venuto?
  opt_out (rules, 0.85)
  language en → it
> Va bene, non la chiameremo più. Arrivederci.
opted_out
"#);
    let mut work = database
        .storage()
        .begin(Scope::Company(campaign.company_id))
        .await
        .unwrap();
    let page = PageRequest::first(10);
    let all = ExclusionFilter::default();
    assert_eq!(work.exclusions().list(&all, &page).await.unwrap().rows, []);
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    assert_eq!(counters.open_tasks(), 1);
}

/// The model takes everything for a four; nobody has said so, and it is read back.
#[tokio::test]
async fn the_configured_model_is_asked_if_it_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let (server, campaign) = served(directory.path()).await;
    let model = ModelServer::start().await;
    let settings = format!("[llm]\nurl = \"{}\"\nmodel = \"small\"\n", model.url);
    std::fs::write(directory.path().join("voicesurvey.toml"), settings).unwrap();
    let id = campaign.id.to_string();
    let script = "sì\nmah, benino tutto sommato\nsì\n";
    let printed = run(directory.path(), &["--campaign", &id, "--llm"], script).await;
    let printed = String::from_utf8(printed.stdout).unwrap();
    for line in [
        "  q1 = 4 (language_model, 0.50, unconfirmed)",
        "> 4, giusto?",
        "  q1 = 4 (language_model, 0.95)",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{printed}");
    }
    assert_eq!(printed.lines().last(), Some("partial"));
    server.close().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_held_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let (server, campaign) = served(directory.path()).await;
    let id = campaign.id.to_string();
    let unknown = "01935000-0000-7000-8000-000000000000";
    for (arguments, code, said) in [
        (vec!["--campaign", unknown], 1, "no such campaign"),
        (vec![], 2, "--campaign"),
        (vec!["--campaign", &id, "--column", "city"], 2, "NAME=VALUE"),
        (
            vec!["--campaign", &id, "--language", "nl"],
            2,
            "unknown language",
        ),
        (vec!["--campaign", &id, "--llm"], 1, "set llm.url"),
    ] {
        let refused = run(directory.path(), &arguments, "sì\n").await;
        let text = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
        assert!(refused.stdout.is_empty());
    }
    server.close().await.unwrap();
}
