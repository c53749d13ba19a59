//! What a campaign has brought, as text: outcomes, people by state, and the answers.

use std::collections::BTreeMap;
use std::io;

use voicesurvey_core::call_list::{RowError, Upload};
use voicesurvey_core::call_task::TaskStatus;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::repositories::CampaignCounters;
use voicesurvey_core::results::QuestionResult;
use voicesurvey_core::survey::{AnswerValue, QuestionKind};

use super::results::Results;
use super::screen::{Screen, bar, share};

/// How many free-text answers are shown as examples.
const EXAMPLES: usize = 5;
const LABEL_WIDTH: usize = 22;
const BAR_WIDTH: u64 = 24;
/// A distribution has at most so many bars.
const MOST_BUCKETS: u64 = 8;
/// Texts are wrapped to this width, with their indentation.
const TEXT_WIDTH: usize = 88;

/// The rows of an upload that brought nobody.
pub(super) fn upload(screen: &Screen, upload: &Upload, errors: &[RowError]) -> io::Result<()> {
    let duplicates = upload.duplicates_in_list + upload.duplicates_in_campaign;
    screen.line(format_args!(
        "  {} rows: {} people, {duplicates} duplicates, {} rows that cannot be used",
        upload.total_rows, upload.created, upload.errors_count
    ))?;
    for error in errors {
        screen.line(format_args!("    {}", error.message()))?;
    }
    Ok(())
}

/// What the campaign is set to.
pub(super) fn campaign(screen: &Screen, campaign: &Campaign) -> io::Result<()> {
    let settings = campaign.effective_settings();
    screen.line(format_args!(
        "  {}: {} questions",
        campaign.name,
        settings.survey.questions.len()
    ))?;
    screen.line("  Calls from 09:00 to 21:00, by the clock of the person who is called")?;
    screen.line(format_args!(
        "  {} calls at a time, up to {} per minute; up to {} attempts per person",
        settings.pacing.max_concurrent_calls,
        settings.pacing.pace.calls_per_minute,
        settings.retry.max_attempts
    ))
}

/// How the calls ended.
pub(super) fn outcomes(screen: &Screen, counters: &CampaignCounters) -> io::Result<()> {
    screen.heading("How the calls ended")?;
    let rows = Outcome::ALL.iter().filter_map(|outcome| {
        let count = counters
            .outcomes
            .get(outcome)
            .copied()
            .filter(|count| *count > 0)?;
        Some((outcome.name().replace('_', " "), count))
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    table(screen, "outcome", "calls", &rows)
}

/// Where the people stand at the end.
pub(super) fn people(screen: &Screen, counters: &CampaignCounters) -> io::Result<()> {
    screen.heading("What became of the people")?;
    let rows = TaskStatus::ALL.into_iter().filter_map(|status| {
        let count = counters.tasks_in(status);
        (count > 0).then(|| (status.name().replace('_', " "), count))
    });
    table(screen, "status", "people", &rows.collect::<Vec<_>>())
}

/// A row for each label with its count, its share and a bar, and a row for all.
fn table(screen: &Screen, label: &str, counted: &str, rows: &[(String, u64)]) -> io::Result<()> {
    let total = rows.iter().map(|(_, count)| count).sum();
    let longest = rows.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let header = format!("  {label:<LABEL_WIDTH$} {counted:>6} {:>8}", "share");
    screen.line(screen.dim(&header))?;
    for (label, count) in rows {
        let bar = screen.coloured(&bar(*count, longest, BAR_WIDTH));
        let share = share(*count, total);
        screen.line(format_args!(
            "  {label:<LABEL_WIDTH$} {count:>6} {share:>8}  {bar}"
        ))?;
    }
    let share = share(total, total);
    screen.line(format_args!(
        "  {:<LABEL_WIDTH$} {total:>6} {share:>8}",
        "all"
    ))
}

/// What was answered, question by question.
pub(super) fn questions(
    screen: &Screen,
    campaign: &Campaign,
    results: &[QuestionResult],
    all: &Results,
) -> io::Result<()> {
    let survey = &campaign.effective_settings().survey;
    let english = survey.translations.get(&Language::En);
    for (number, (question, result)) in survey.questions.iter().zip(results).enumerate() {
        screen.heading(&format!(
            "Question {}: {} ({})",
            number + 1,
            result.key,
            result.kind
        ))?;
        wrapped(screen, &result.text)?;
        if let Some(text) = english.and_then(|words| words.questions.get(&result.key)) {
            wrapped(screen, &format!("[{text}]"))?;
        }
        screen.line(format_args!(
            "  answered {}, skipped {}, did not know {}, not understood {}{}",
            result.answered,
            result.skipped,
            result.dont_know,
            result.not_understood,
            result
                .mean
                .map_or_else(String::new, |mean| format!("; mean {mean}")),
        ))?;
        match &question.kind {
            QuestionKind::FreeText => examples(screen, &result.key, all)?,
            QuestionKind::Scale { min, max, .. } => {
                let numbers = counted_numbers(&result.values);
                let rows = (*min..=*max).map(|number| {
                    (
                        number.to_string(),
                        numbers.get(&number).copied().unwrap_or(0),
                    )
                });
                bars(screen, &rows.collect::<Vec<_>>())?;
            }
            QuestionKind::Numeric { .. } => {
                bars(screen, &buckets(&counted_numbers(&result.values)))?;
            }
            QuestionKind::YesNo | QuestionKind::Choice { .. } => {
                let rows = result
                    .values
                    .iter()
                    .map(|(value, count)| (value.clone(), *count));
                bars(screen, &rows.collect::<Vec<_>>())?;
            }
        }
    }
    Ok(())
}

/// The longest answers, because the short ones say little.
fn examples(screen: &Screen, question_key: &str, all: &Results) -> io::Result<()> {
    let answers = all
        .answers()
        .filter(|answer| answer.question_key == question_key);
    let mut words: Vec<&str> = answers
        .filter_map(|answer| match answer.result.value()? {
            AnswerValue::Text(words) => Some(words.as_str()),
            _ => None,
        })
        .collect();
    words.sort_by_key(|words| (std::cmp::Reverse(words.chars().count()), *words));
    words.dedup();
    let mut examples = words.into_iter().take(EXAMPLES);
    examples.try_for_each(|words| wrapped(screen, &format!("“{words}”")))
}

/// A line with a bar for each label.
fn bars(screen: &Screen, rows: &[(String, u64)]) -> io::Result<()> {
    let longest = rows.iter().map(|(_, count)| *count).max().unwrap_or(0);
    rows.iter().try_for_each(|(label, count)| {
        let bar = screen.coloured(&bar(*count, longest, BAR_WIDTH));
        screen.line(format_args!("  {label:>8} {count:>4}  {bar}"))
    })
}

/// The values that are whole numbers, with how often each was given.
fn counted_numbers(values: &BTreeMap<String, u64>) -> BTreeMap<i64, u64> {
    let numbers = values.iter();
    numbers
        .filter_map(|(value, count)| Some((value.parse().ok()?, *count)))
        .collect()
}

/// Neighbouring numbers together, so that a wide range fits: `0-9`, `10-19`.
fn buckets(numbers: &BTreeMap<i64, u64>) -> Vec<(String, u64)> {
    const WIDTHS: [u64; 7] = [1, 2, 5, 10, 20, 50, 100];
    let (Some((first, _)), Some((last, _))) = (numbers.first_key_value(), numbers.last_key_value())
    else {
        return Vec::new();
    };
    let range = first.abs_diff(*last) + 1;
    let width = WIDTHS
        .into_iter()
        .find(|width| range.div_ceil(*width) < MOST_BUCKETS);
    let width = i64::try_from(width.unwrap_or(range)).unwrap_or(i64::MAX);
    let bucket_of = |number: i64| number.div_euclid(width);
    (bucket_of(*first)..=bucket_of(*last))
        .map(|bucket| {
            let start = bucket.saturating_mul(width);
            let end = start.saturating_add(width - 1);
            let label = if width == 1 {
                start.to_string()
            } else {
                format!("{start}-{end}")
            };
            (
                label,
                numbers.range(start..=end).map(|(_, count)| count).sum(),
            )
        })
        .collect()
}

/// Writes a text between words, indented.
fn wrapped(screen: &Screen, text: &str) -> io::Result<()> {
    let mut line = String::from(" ");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > TEXT_WIDTH && !line.trim().is_empty() {
            screen.line(&line)?;
            line = String::from(" ");
        }
        line.push(' ');
        line.push_str(word);
    }
    screen.line(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_every_number_once() {
        for numbers in [
            BTreeMap::from([(0, 3), (4, 1), (6, 2)]),
            BTreeMap::from([(0, 3), (59, 1), (60, 2)]),
            BTreeMap::from([(-7, 1), (1_000_000, 2)]),
            BTreeMap::from([(5, 9)]),
        ] {
            let buckets = buckets(&numbers);
            let counted: u64 = buckets.iter().map(|(_, count)| count).sum();
            assert_eq!(counted, numbers.values().sum::<u64>(), "{buckets:?}");
            assert!(buckets.len() <= 9, "{buckets:?}");
        }
        assert_eq!(buckets(&BTreeMap::new()), []);
    }

    #[test]
    fn buckets_begin_at_round_numbers() {
        let labels: Vec<_> = buckets(&BTreeMap::from([(2, 1), (47, 1)]))
            .into_iter()
            .map(|(label, _)| label)
            .collect();
        assert_eq!(labels, ["0-9", "10-19", "20-29", "30-39", "40-49"]);
    }
}
