//! What makes a survey usable: its words, its questions, and when each is asked.

mod condition;

use std::collections::{BTreeMap, HashSet};

use super::text;
use crate::service::error::FieldError;
use crate::survey::{ChoiceOption, Question, QuestionKind, ScaleLabel, Survey, SurveyTranslation};

/// Beyond it nobody can place an answer on a scale.
const SCALE_BOUND: i64 = 1_000;
const MOST_QUESTIONS: usize = 50;
const MOST_RETRIES_OF_A_QUESTION: u8 = 5;

/// Checks a survey.
pub(super) fn survey(survey: &Survey, errors: &mut Vec<FieldError>) {
    text("intro_script".to_owned(), &survey.intro_script, errors);
    text(
        "completion_message".to_owned(),
        &survey.completion_message,
        errors,
    );
    consent_question(
        "consent_question",
        survey.consent_question.as_deref(),
        errors,
    );
    if survey.questions.is_empty() {
        errors.push(FieldError::new(
            "questions",
            "a survey needs at least one question",
        ));
    }
    if survey.questions.len() > MOST_QUESTIONS {
        errors.push(FieldError::new(
            "questions",
            format!("use at most {MOST_QUESTIONS}"),
        ));
    }
    let mut keys = HashSet::new();
    for (index, question) in survey.questions.iter().enumerate() {
        let field = format!("questions[{index}]");
        check_question(&field, question, errors);
        if !keys.insert(question.key.as_str()) {
            let message = format!("the key '{}' is used twice", question.key);
            errors.push(FieldError::new(format!("{field}.key"), message));
        }
        if let Some(condition) = &question.show_if {
            let field = format!("{field}.show_if");
            let (before, others) = survey.questions.split_at(index);
            condition::check(&field, condition, before, others, errors);
        }
    }
    for (language, words) in &survey.translations {
        let field = format!("translations.{language}");
        translation(&field, words, &survey.questions, errors);
    }
}

/// Checks a consent question. It may be left out or blank: then the usual one is asked.
fn consent_question(field: &str, question: Option<&str>, errors: &mut Vec<FieldError>) {
    if let Some(question) = question.filter(|question| !question.trim().is_empty()) {
        text(field.to_owned(), question, errors);
    }
}

fn check_question(field: &str, question: &Question, errors: &mut Vec<FieldError>) {
    let is_key = |key: &str| {
        !key.is_empty()
            && key.len() <= 64
            && key
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter))
    };
    if !is_key(&question.key) {
        let message = "use 1 to 64 letters, digits, - and _";
        errors.push(FieldError::new(format!("{field}.key"), message));
    }
    text(format!("{field}.text"), &question.text, errors);
    if question.retries > MOST_RETRIES_OF_A_QUESTION {
        let message = format!("use at most {MOST_RETRIES_OF_A_QUESTION}");
        errors.push(FieldError::new(format!("{field}.retries"), message));
    }
    match &question.kind {
        QuestionKind::Scale { min, max, .. } if *min < -SCALE_BOUND || *max > SCALE_BOUND => {
            let message = format!("use ends from -{SCALE_BOUND} to {SCALE_BOUND}");
            errors.push(FieldError::new(format!("{field}.max"), message));
        }
        QuestionKind::Scale { min, max, .. } if min >= max => {
            errors.push(FieldError::new(
                format!("{field}.max"),
                "must be greater than min",
            ));
        }
        QuestionKind::Scale { min, max, labels } => {
            check_labels(field, (*min, *max), labels, errors);
        }
        QuestionKind::Numeric {
            min: Some(min),
            max: Some(max),
            ..
        } if min > max => {
            errors.push(FieldError::new(
                format!("{field}.max"),
                "must not be less than min",
            ));
        }
        QuestionKind::Choice { options } => check_options(field, options, errors),
        _ => {}
    }
}

fn check_options(field: &str, options: &[ChoiceOption], errors: &mut Vec<FieldError>) {
    if options.len() < 2 {
        errors.push(FieldError::new(
            format!("{field}.options"),
            "give at least two",
        ));
    }
    let mut keys = HashSet::new();
    let mut said = HashSet::new();
    for (index, option) in options.iter().enumerate() {
        let field = format!("{field}.options[{index}]");
        if option.key.trim().is_empty() || !keys.insert(&option.key) {
            let message = "must not be empty and not be used twice";
            errors.push(FieldError::new(format!("{field}.key"), message));
        } else {
            text(format!("{field}.key"), &option.key, errors);
        }
        let field = format!("{field}.say");
        check_words(field.clone(), &option.say, errors);
        check_distinct(field, &option.say, "another option", &mut said, errors);
    }
}

fn check_labels(
    field: &str,
    (min, max): (i64, i64),
    labels: &[ScaleLabel],
    errors: &mut Vec<FieldError>,
) {
    let mut marks = HashSet::new();
    let mut said = HashSet::new();
    for (index, label) in labels.iter().enumerate() {
        let field = format!("{field}.labels[{index}]");
        if !(min..=max).contains(&label.value) {
            let message = format!("use a mark of the scale, from {min} to {max}");
            errors.push(FieldError::new(format!("{field}.value"), message));
        } else if !marks.insert(label.value) {
            let message = format!("the mark {} has a label already", label.value);
            errors.push(FieldError::new(format!("{field}.value"), message));
        }
        let field = format!("{field}.say");
        check_words(field.clone(), &label.say, errors);
        check_distinct(field, &label.say, "another mark", &mut said, errors);
    }
}

/// Checks that words stand for one thing only: whoever says them could not be understood. `said`
/// are the words of what came before; within one list it is only said twice.
fn check_distinct(
    field: String,
    say: &[String],
    other: &str,
    said: &mut HashSet<String>,
    errors: &mut Vec<FieldError>,
) {
    let words: HashSet<_> = say.iter().map(|words| spoken(words)).collect();
    if let Some(words) = words.iter().find(|words| said.contains(*words)) {
        let message = format!("'{words}' stands for {other}");
        errors.push(FieldError::new(field, message));
    }
    said.extend(words.into_iter().filter(|words| !words.is_empty()));
}

/// Words as they sound: nobody hears capitals.
fn spoken(words: &str) -> String {
    words.trim().to_lowercase()
}

/// Checks that there is something to be said, and nothing that cannot be. Of several words that
/// cannot the first is named.
fn check_words(field: String, say: &[String], errors: &mut Vec<FieldError>) {
    if say.is_empty() || say.iter().any(|words| words.trim().is_empty()) {
        errors.push(FieldError::new(field, "give the words for it"));
        return;
    }
    let mut wrong = Vec::new();
    for words in say {
        text(field.clone(), words, &mut wrong);
    }
    errors.extend(wrong.into_iter().take(1));
}

fn translation(
    field: &str,
    words: &SurveyTranslation,
    questions: &[Question],
    errors: &mut Vec<FieldError>,
) {
    text(format!("{field}.intro_script"), &words.intro_script, errors);
    text(
        format!("{field}.completion_message"),
        &words.completion_message,
        errors,
    );
    let asked = words.consent_question.as_deref();
    consent_question(&format!("{field}.consent_question"), asked, errors);
    let known: HashSet<&str> = questions.iter().map(|known| known.key.as_str()).collect();
    let translated = words.questions.keys();
    for key in translated.filter(|key| !known.contains(key.as_str())) {
        let message = format!("there is no question '{key}'");
        errors.push(FieldError::new(format!("{field}.questions"), message));
    }
    for question in questions {
        let key = &question.key;
        if !words.questions.contains_key(key) {
            let message = format!("the question '{key}' is not translated");
            errors.push(FieldError::new(format!("{field}.questions"), message));
        }
    }
    for (key, translated) in &words.options {
        let field = format!("{field}.options.{key}");
        if let Some(question) = questions.iter().find(|question| question.key == *key) {
            check_translated(&field, question, translated, errors);
        } else {
            let message = format!("there is no question '{key}'");
            errors.push(FieldError::new(field, message));
        }
    }
}

/// Checks the words of the options of a choice, or of the marks of a scale.
fn check_translated(
    field: &str,
    question: &Question,
    translated: &BTreeMap<String, Vec<String>>,
    errors: &mut Vec<FieldError>,
) {
    for (name, say) in translated {
        let field = format!("{field}.{name}");
        let unknown = match &question.kind {
            QuestionKind::Choice { options } => {
                let is_one = options.iter().any(|option| option.key == *name);
                (!is_one).then(|| format!("there is no option '{name}'"))
            }
            QuestionKind::Scale { min, max, .. } => {
                let mark = name.parse::<i64>().ok();
                let mark = mark.filter(|mark| mark.to_string() == *name);
                let is_one = mark.is_some_and(|mark| (*min..=*max).contains(&mark));
                (!is_one).then(|| format!("use a mark of the scale, from {min} to {max}"))
            }
            kind => Some(format!("a {} question has none", kind.name())),
        };
        match unknown {
            Some(message) => errors.push(FieldError::new(field, message)),
            None => check_words(field, say, errors),
        }
    }
}

#[cfg(test)]
mod tests;
