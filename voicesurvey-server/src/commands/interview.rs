//! `voicesurvey interview`: the interview of a campaign, held in the terminal.
//!
//! The store is closed before the first word: a conversation that lasts keeps nobody waiting, and
//! leaves nothing behind.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;

use clap::Args;
use tokio::io::{AsyncBufRead, BufReader};
use voicesurvey_core::call_task::CallBack;
use voicesurvey_core::conversation::{Answer, Conversation, Heard, Speaker, Step, Turn};
use voicesurvey_core::id::{CampaignId, IdGenerator};
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::interpretation::{AnswerInterpreter, Confidence, Intent, InterpretedBy};
use voicesurvey_core::language::Language;
use voicesurvey_core::service::test_conversations::{TestCampaign, TestContact};
use voicesurvey_core::service::{ServiceError, TestConversations};
use voicesurvey_core::time::{Clock, SystemClock};

use super::lines::{Line, next_line};
use super::{CommandError, ConfigOptions, assisted_interpreter, print};
use crate::stores::{Purpose, Stores};

const HELP: &str = "\
Each line that you type is what the person says. '#5' presses the key 5, '##' the key #, an empty line \
is silence, and the end of the input (Ctrl-D) hangs up. What is said to the person begins with '>', and \
what was understood is indented. The last line is the outcome of the call.";

/// Holds the interview of a campaign. Nothing is stored, and nobody is called.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct InterviewOptions {
    /// The campaign, by its id.
    #[arg(long, value_name = "ID")]
    campaign: CampaignId,
    /// What to call the person.
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
    /// The person's language [default: the campaign's].
    #[arg(long, value_name = "CODE")]
    language: Option<Language>,
    /// A column of the call list; may be given several times.
    #[arg(long = "column", value_name = "NAME=VALUE", value_parser = column)]
    columns: Vec<(String, String)>,
    /// Asks the configured language model as well, where the rules are unsure.
    #[arg(long)]
    llm: bool,
    #[command(flatten)]
    config: ConfigOptions,
}

fn column(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.trim().is_empty())
        .ok_or("use NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

pub(super) async fn run(options: InterviewOptions) -> Result<(), CommandError> {
    let config = options.config.load(None)?.config;
    let interpreter: Arc<dyn AnswerInterpreter> = if options.llm {
        assisted_interpreter(&config.llm).await?
    } else {
        Arc::new(RulesInterpreter::new())
    };
    let stores = Stores::open(&config.database, Purpose::Command).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids = Arc::new(IdGenerator::from_entropy(clock.clone()));
    let held = TestConversations::new(stores.storage.clone(), interpreter, clock, ids);
    let campaign = held.any_campaign(options.campaign).await;
    stores.close().await.map_err(ServiceError::from)?;
    let contact = TestContact {
        name: options.name,
        language: options.language,
        columns: options.columns.into_iter().collect(),
    };
    let mut input = BufReader::new(tokio::io::stdin());
    if io::stdin().is_terminal() {
        // Whether it can be shown does not matter.
        let _ = writeln!(io::stderr(), "{HELP}\n");
    }
    match hold(&held, &campaign?, contact, &mut input).await {
        // Who reads has seen enough.
        Err(CommandError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        held => held,
    }
}

/// Holds the conversation to its end and prints it.
async fn hold(
    held: &TestConversations,
    campaign: &TestCampaign,
    contact: TestContact,
    input: &mut (impl AsyncBufRead + Unpin),
) -> Result<(), CommandError> {
    let mut last = held.begin(campaign, contact)?;
    loop {
        for note in notes(&last.step) {
            print(&format!("  {note}"))?;
        }
        let conversation = &last.step.conversation;
        for sentence in &conversation.last_reply.say {
            print(&format!("> {sentence}"))?;
        }
        if let Some(outcome) = conversation.outcome {
            return print(outcome.name());
        }
        let Some(heard) = next_heard(input).await? else {
            return print(conversation.broken_off().name());
        };
        last = held.hear(campaign, last.state, heard).await?;
    }
}

/// What the next line stands for; nothing at the end of the input. Lines that stand for nothing are
/// told and passed over.
async fn next_heard(
    input: &mut (impl AsyncBufRead + Unpin),
) -> Result<Option<Heard>, CommandError> {
    while let Some(line) = next_line(input).await.map_err(CommandError::Input)? {
        match heard(&line) {
            Ok(heard) => return Ok(Some(heard)),
            Err(why) => print(&format!("  {why}"))?,
        }
    }
    Ok(None)
}

fn heard(line: &Line) -> Result<Heard, String> {
    let text = line.text()?;
    match text.strip_prefix('#') {
        Some(keys) => {
            let is_key = |key: char| key.is_ascii_digit() || matches!(key, '*' | '#');
            if keys.is_empty() || !keys.chars().all(is_key) {
                return Err("after # come the keys pressed: digits, * and #".to_owned());
            }
            let keys = keys.to_owned();
            Ok(Heard::Keys { keys })
        }
        None if text.is_empty() => Ok(Heard::Silence),
        None => Ok(Heard::Speech {
            words: text.to_owned(),
            confidence: None,
        }),
    }
}

/// What was made of what was heard.
fn notes(step: &Step) -> Vec<String> {
    let mut turns = step.turns.iter();
    let Some(heard) = turns.find(|turn| turn.speaker == Speaker::Person) else {
        return Vec::new();
    };
    let consent = step.consent.as_ref().map(|consent| consent.given);
    let mut notes = Vec::new();
    if step.answer.is_none() {
        notes.push(meant(heard));
    }
    notes.extend(consent.map(|given| {
        if given {
            "consent given"
        } else {
            "consent refused"
        }
        .to_owned()
    }));
    notes.extend(step.answer.as_ref().map(answered));
    notes.extend(switched(&step.conversation, heard));
    if let (Some(_), CallBack::At(at)) = (step.conversation.outcome, step.conversation.call_back())
    {
        notes.push(format!("called again at {}", at.format("%F %R UTC")));
    }
    notes
}

/// The language, if it changed with this turn.
fn switched(conversation: &Conversation, heard: &Turn) -> Option<String> {
    let switch = conversation.memory.switches.last()?;
    (switch.turn == heard.sequence).then(|| format!("language {} → {}", switch.from, switch.to))
}

fn answered(answer: &Answer) -> String {
    let what = match answer.result.value() {
        Some(value) => format!("{} = {}", answer.question_key, value.to_text()),
        None => format!("{}: {}", answer.question_key, answer.result.name()),
    };
    let doubt = answer.doubt.map(|doubt| format!(", {}", doubt.name()));
    let evidence = evidence(answer.interpreted_by, answer.confidence);
    format!("{what} ({evidence}{})", doubt.unwrap_or_default())
}

fn meant(heard: &Turn) -> String {
    let Some(meant) = &heard.interpretation else {
        return "silence".to_owned();
    };
    let what = match &meant.intent {
        Intent::Answer { value } => value.to_text(),
        Intent::OutOfRange { value } => format!("out_of_range {}", value.normalize()),
        Intent::Ambiguous { candidates } => format!("ambiguous {}", candidates.join(", ")),
        intent => intent.name().to_owned(),
    };
    format!("{what} ({})", evidence(meant.by, meant.confidence))
}

fn evidence(by: InterpretedBy, confidence: Confidence) -> String {
    let hundredths = confidence.hundredths();
    format!(
        "{}, {}.{:02}",
        by.name(),
        hundredths / 100,
        hundredths % 100
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard_in(line: &str) -> Result<Heard, String> {
        heard(&Line::Whole(line.as_bytes().to_vec()))
    }

    #[test]
    fn a_line_is_speech_keys_or_silence() {
        let speech = |words: &str| {
            Ok(Heard::Speech {
                words: words.to_owned(),
                confidence: None,
            })
        };
        let keys = |keys: &str| {
            Ok(Heard::Keys {
                keys: keys.to_owned(),
            })
        };
        assert_eq!(heard_in(" quattro\r"), speech("quattro"));
        assert_eq!(heard_in("4 # 5"), speech("4 # 5"));
        assert_eq!(heard_in("#10"), keys("10"));
        assert_eq!(heard_in("##"), keys("#"));
        assert_eq!(heard_in("#*9"), keys("*9"));
        assert_eq!(heard_in("  "), Ok(Heard::Silence));
        for line in ["#", "#cinque", "# 5"] {
            assert!(heard_in(line).unwrap_err().contains("digits"), "{line}");
        }
    }

    #[test]
    fn a_column_has_a_name_and_a_value() {
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(column("city=Bari"), pair("city", "Bari"));
        assert_eq!(column("note=a=b"), pair("note", "a=b"));
        assert_eq!(column("note="), pair("note", ""));
        for text in ["city", "=Bari", ""] {
            assert!(column(text).is_err(), "{text}");
        }
    }
}
