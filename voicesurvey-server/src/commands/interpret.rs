//! `voicesurvey interpret`: what the interpreter makes of sentences that somebody wants to try.
//!
//! Every line that is not blank gives exactly one line, in the same order, also the lines that
//! cannot be read: nothing is lost, and the first wrong line does not hide the others.

mod sentence;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use tokio::io::BufReader;
use voicesurvey_core::interpretation::AnswerInterpreter;
use voicesurvey_core::interpretation::rules::RulesInterpreter;

use self::sentence::{Sentence, Understood};
use super::lines::{Line, next_line};
use super::{CommandError, ConfigOptions, assisted_interpreter};

const HELP: &str = r#"Lines are such as
  {"lang": "it", "question_type": "scale", "utterance": "direi quattro", "params": {"min": 1, "max": 5}}
The question types are consent, yes_no, scale, number, choice and free_text. A choice has params like
  {"options": [{"key": "car", "say": ["macchina", "auto"]}, {"key": "bus", "say": ["autobus"]}]}
A line that cannot be read gives {"error", "line"} in its place. Blank lines are passed over."#;

/// Reads sentences from standard input, and prints for each what was understood.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct InterpretOptions {
    /// Asks the configured language model as well, where the rules are unsure. Its section in the
    /// configuration is `llm`; a line may then hold the "question" that is asked.
    #[arg(long)]
    llm: bool,
    /// The configuration file [default: voicesurvey.toml, if it exists]; only read with --llm.
    #[arg(long, value_name = "FILE", env = "VOICESURVEY_CONFIG")]
    config: Option<PathBuf>,
}

pub(super) async fn run(options: InterpretOptions) -> Result<(), CommandError> {
    let interpreter = interpreter(options).await?;
    let mut input = BufReader::new(tokio::io::stdin());
    let (mut lines, mut bad) = (0_u64, 0_u64);
    while let Some(line) = next_line(&mut input).await.map_err(CommandError::Input)? {
        lines += 1;
        let printed = match sentence_in(&line) {
            Ok(None) => continue,
            Ok(Some(sentence)) => {
                let understood = interpreter.interpret(sentence.utterance()).await;
                print_line(&Understood::from(&understood))
            }
            Err(error) => {
                bad += 1;
                print_line(&BadLine { error, line: lines })
            }
        };
        match printed {
            Ok(()) => {}
            // Who reads has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(CommandError::Output(error)),
        }
    }
    if bad > 0 {
        return Err(CommandError::BadLines { bad, lines });
    }
    Ok(())
}

/// The rules, or the rules with the model beside them.
async fn interpreter(
    options: InterpretOptions,
) -> Result<Arc<dyn AnswerInterpreter>, CommandError> {
    if !options.llm {
        return Ok(Arc::new(RulesInterpreter::new()));
    }
    let config = ConfigOptions {
        config: options.config,
        database_url: None,
    };
    assisted_interpreter(&config.load(None)?.config.llm).await
}

/// The sentence of a line, none if it is blank, or what is wrong with it.
fn sentence_in(line: &Line) -> Result<Option<Sentence>, String> {
    match line.text()? {
        "" => Ok(None),
        text => Sentence::read(text).map(Some),
    }
}

/// Prints at once, so that another program can give a line and wait for what becomes of it.
fn print_line(line: &impl Serialize) -> io::Result<()> {
    let line = serde_json::to_string(line)?;
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}

/// What stands in the place of a line that cannot be read.
#[derive(Serialize)]
struct BadLine {
    error: String,
    line: u64,
}
