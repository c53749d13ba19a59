//! What makes a campaign's settings usable, checked in one place for every way of creating one.

mod quotas;
mod survey;

use rust_decimal::Decimal;

use super::error::{FieldError, ServiceError};
use crate::campaign::{
    Budget, CallSettings, CampaignSettings, MachineDetection, Pacing, RetryPolicy, Schedule,
};
use crate::survey::QuestionKind;
use crate::time_zone::TimeZone;

/// PostgreSQL cannot store it, and nobody can say it.
const NO_ZERO_CHARACTER: &str = "must not contain the character U+0000";
const LONGEST_NAME: usize = 200;
const LONGEST_TEXT: usize = 2_000;
const MOST_ATTEMPTS: u16 = 20;
const LONGEST_DELAY_MINUTES: u32 = 30 * 24 * 60;
const MOST_CONCURRENT: u32 = 10_000;
const MOST_PER_MINUTE: u32 = 100_000;
const LARGEST_BUDGET: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// Checks a name.
pub fn name(field: &str, name: &str, errors: &mut Vec<FieldError>) {
    if name.trim().is_empty() {
        errors.push(FieldError::new(field, "must not be empty"));
    } else if name.chars().any(is_invisible) {
        errors.push(FieldError::new(
            field,
            "must not contain control characters",
        ));
    } else if name.chars().count() > LONGEST_NAME {
        errors.push(FieldError::new(
            field,
            format!("use at most {LONGEST_NAME} characters"),
        ));
    }
}

/// Whether it is a control character, or one that turns the direction of what follows.
fn is_invisible(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Turns what was found into an answer.
pub fn finish(errors: Vec<FieldError>) -> Result<(), ServiceError> {
    if errors.is_empty() {
        Ok(())
    } else {
        Err(ServiceError::Invalid(errors))
    }
}

/// Checks the settings of a campaign.
pub fn settings(settings: &CampaignSettings, errors: &mut Vec<FieldError>) {
    survey::survey(&settings.survey, errors);
    schedule(&settings.schedule, errors);
    pacing(&settings.pacing, errors);
    retry(&settings.retry, errors);
    if let Some(given) = &settings.quotas {
        quotas::quotas(given, &settings.survey, errors);
    }
    if let Some(given) = &settings.budget {
        budget(given, errors);
    }
    calls(&settings.calls, errors);
}

fn calls(calls: &CallSettings, errors: &mut Vec<FieldError>) {
    let Some(messages) = calls.voicemail.messages() else {
        return;
    };
    if messages.is_empty() {
        let message = "give the words in at least one language";
        errors.push(FieldError::new("voicemail.messages", message));
    }
    for (language, words) in messages {
        text(format!("voicemail.messages.{language}"), words, errors);
    }
    // Where machines are not told from people nobody knows of a voicemail, and where the verdict
    // comes late it has heard us already.
    if calls.machine_detection != Some(MachineDetection::Synchronous) {
        let message = "a message needs machine_detection synchronous";
        errors.push(FieldError::new("voicemail.policy", message));
    }
}

/// Which values a question accepts, in words.
pub(super) fn accepted(kind: &QuestionKind) -> String {
    match kind {
        QuestionKind::FreeText => "write what the person answered".to_owned(),
        QuestionKind::YesNo => "use yes or no".to_owned(),
        QuestionKind::Scale { min, max, .. } => format!("use a whole number from {min} to {max}"),
        QuestionKind::Numeric { min, max, decimals } => {
            let number = if *decimals {
                "use a number"
            } else {
                "use a whole number"
            };
            let from = min.map_or_else(String::new, |min| format!(" from {}", min.normalize()));
            let to = max.map_or_else(String::new, |max| format!(" to {}", max.normalize()));
            format!("{number}{from}{to}")
        }
        QuestionKind::Choice { options } => {
            let keys: Vec<&str> = options.iter().map(|option| option.key.as_str()).collect();
            format!("use one of: {}", keys.join(", "))
        }
    }
}

fn text(field: String, text: &str, errors: &mut Vec<FieldError>) {
    if text.trim().is_empty() {
        errors.push(FieldError::new(field, "must not be empty"));
    } else if text.contains('\0') {
        errors.push(FieldError::new(field, NO_ZERO_CHARACTER));
    } else if text.chars().count() > LONGEST_TEXT {
        errors.push(FieldError::new(
            field,
            format!("use at most {LONGEST_TEXT} characters"),
        ));
    }
}

fn schedule(schedule: &Schedule, errors: &mut Vec<FieldError>) {
    let sometime = schedule.starts_at.unwrap_or_default();
    if schedule
        .hours
        .next_opening(&[TimeZone::UTC], sometime)
        .is_none()
    {
        errors.push(FieldError::new("calling_hours", "are never open"));
    }
    if let (Some(starts_at), Some(ends_at)) = (schedule.starts_at, schedule.ends_at)
        && ends_at <= starts_at
    {
        errors.push(FieldError::new("ends_at", "must be later than starts_at"));
    }
}

fn pacing(pacing: &Pacing, errors: &mut Vec<FieldError>) {
    if !(1..=MOST_CONCURRENT).contains(&pacing.max_concurrent_calls) {
        let message = format!("use a number from 1 to {MOST_CONCURRENT}");
        errors.push(FieldError::new("max_concurrent_calls", message));
    }
    if !(1..=MOST_PER_MINUTE).contains(&pacing.pace.calls_per_minute) {
        let message = format!("use a number from 1 to {MOST_PER_MINUTE}");
        errors.push(FieldError::new("calls_per_minute", message));
    }
    if pacing.pace.seconds_between_calls > 3_600 {
        errors.push(FieldError::new("seconds_between_calls", "use at most 3600"));
    }
}

fn budget(budget: &Budget, errors: &mut Vec<FieldError>) {
    let (amount, currency) = (budget.limit.amount, &budget.limit.currency);
    if amount <= Decimal::ZERO {
        errors.push(FieldError::new(
            "budget.amount",
            "must be greater than zero",
        ));
    } else if amount > LARGEST_BUDGET {
        let message = format!("use at most {LARGEST_BUDGET}");
        errors.push(FieldError::new("budget.amount", message));
    }
    if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
        let message = format!("unknown currency '{currency}': use three letters such as EUR");
        errors.push(FieldError::new("budget.currency", message));
    }
    let estimate = budget.estimate_per_call;
    if estimate < Decimal::ZERO || estimate > amount.max(Decimal::ZERO) {
        let message = "use a number from 0 to the amount";
        errors.push(FieldError::new("budget.estimate_per_call", message));
    }
}

fn retry(retry: &RetryPolicy, errors: &mut Vec<FieldError>) {
    if !(1..=MOST_ATTEMPTS).contains(&retry.max_attempts) {
        let message = format!("use a number from 1 to {MOST_ATTEMPTS}");
        errors.push(FieldError::new("max_attempts", message));
    }
    if !are_delays(&retry.delays_minutes) {
        let message = format!("use minutes from 1 to {LONGEST_DELAY_MINUTES}");
        errors.push(FieldError::new("retry_interval_minutes", message));
    }
    for (outcome, rule) in &retry.rules {
        if !outcome.can_be_retried() && !rule.delays_minutes.is_empty() {
            let message = format!("nobody is called again after {outcome}: leave the list empty");
            let field = format!("retry_rules.{outcome}.delays_minutes");
            errors.push(FieldError::new(field, message));
        } else if !are_delays(&rule.delays_minutes) {
            let message = format!("use minutes from 1 to {LONGEST_DELAY_MINUTES}");
            let field = format!("retry_rules.{outcome}.delays_minutes");
            errors.push(FieldError::new(field, message));
        }
    }
}

fn are_delays(minutes: &[u32]) -> bool {
    minutes
        .iter()
        .all(|minutes| (1..=LONGEST_DELAY_MINUTES).contains(minutes))
}
