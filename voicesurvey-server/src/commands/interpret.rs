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
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use voicesurvey_core::interpretation::AnswerInterpreter;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::time::SystemClock;
use voicesurvey_llm::{AssistedInterpreter, Standing};

use self::sentence::{Sentence, Understood};
use super::{CommandError, ConfigOptions};
use crate::interpreters::language_model;

/// More than any sentence with its options takes. A longer line is refused without being kept.
const LONGEST_LINE: usize = 64 * 1024;

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
        let printed = match line.read() {
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

/// The rules, or the rules with the model beside them. Who asks for a model wants to hear if there
/// is none.
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
    let config = config.load(None)?.config;
    let model = language_model(&config.llm, Arc::new(SystemClock))?;
    let model = model.ok_or(CommandError::NoModel)?;
    if let Standing::Off(failure) = model.probe().await {
        return Err(CommandError::ModelOff(failure));
    }
    Ok(Arc::new(AssistedInterpreter::new(model)))
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

/// One line as it came in.
#[derive(Debug, PartialEq)]
enum Line {
    Whole(Vec<u8>),
    TooLong,
}

impl Line {
    /// The sentence of the line, none if it is blank, or what is wrong with it.
    fn read(&self) -> Result<Option<Sentence>, String> {
        let Self::Whole(bytes) = self else {
            return Err(format!("the line has more than {LONGEST_LINE} bytes"));
        };
        let text = std::str::from_utf8(bytes).map_err(|_| "the line is not UTF-8".to_owned())?;
        // Editors on Windows begin a file with a mark.
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Ok(None);
        }
        Sentence::read(text).map(Some)
    }
}

/// The next line without its line break, or `None` at the end.
async fn next_line(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LONGEST_LINE).map_or(u64::MAX, |most| most + 1);
    if (&mut *input)
        .take(most)
        .read_until(b'\n', &mut bytes)
        .await?
        == 0
    {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if bytes.len() > LONGEST_LINE {
        skip_line(input).await?;
        return Ok(Some(Line::TooLong));
    }
    Ok(Some(Line::Whole(bytes)))
}

async fn skip_line(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<()> {
    loop {
        let read = input.fill_buf().await?;
        let end = read.iter().position(|&byte| byte == b'\n');
        let (passed, is_over) = match end {
            Some(end) => (end + 1, true),
            None => (read.len(), read.is_empty()),
        };
        input.consume(passed);
        if is_over {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(input: &[u8]) -> Vec<Line> {
        // A small buffer, so that lines lie across its end.
        let mut input = BufReader::with_capacity(7, input);
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut input).await.unwrap() {
            lines.push(line);
        }
        lines
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_takes_no_other_with_it() {
        let whole = |length: usize| vec![b'x'; length];
        for (length, expected) in [
            (LONGEST_LINE, Line::Whole(whole(LONGEST_LINE))),
            (LONGEST_LINE + 1, Line::TooLong),
            (LONGEST_LINE * 2 + 3, Line::TooLong),
        ] {
            let input = [&whole(length)[..], b"\nb"].concat();
            assert_eq!(
                lines(&input).await,
                [expected, Line::Whole(b"b".to_vec())],
                "{length}"
            );
        }
        assert_eq!(lines(&whole(LONGEST_LINE + 1)).await, [Line::TooLong]);
    }

    #[tokio::test]
    async fn the_last_line_needs_no_line_break() {
        let a = || Line::Whole(b"a".to_vec());
        assert_eq!(lines(b"").await, []);
        assert_eq!(lines(b"a").await, [a()]);
        assert_eq!(lines(b"a\n").await, [a()]);
        assert_eq!(lines(b"\na").await, [Line::Whole(Vec::new()), a()]);
    }
}
