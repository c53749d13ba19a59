//! Questions, flat (`question_1_text`) or as a list, and their translations.

use std::collections::{BTreeMap, HashSet};

use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use voicesurvey_core::language::Language;
use voicesurvey_core::survey::{
    ChoiceOption, Question, QuestionKind, ScaleLabel, SurveyTranslation,
};

use super::conditions::NewConditionBody;
use crate::api::fields::{Checks, Field, FromJson, UnknownFields};

/// How often a question is asked again when nothing else is said.
const DEFAULT_RETRIES: u8 = 2;

/// The scale when nothing else is said.
const DEFAULT_SCALE: (i64, i64) = (1, 5);

/// How the caller names questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum QuestionForm {
    /// `question_2_text`; these are the numbers, in order.
    Flat(Vec<u16>),
    /// `questions[1].text`.
    List,
}

impl QuestionForm {
    /// The caller's name of a field that is called `questions[1].text`.
    pub(super) fn as_called(&self, field: &str) -> String {
        let flat = || {
            let Self::Flat(numbers) = self else {
                return None;
            };
            let (index, name) = field.strip_prefix("questions[")?.split_once("].")?;
            let number = numbers.get(index.parse::<usize>().ok()?)?;
            Some(format!("question_{number}_{name}"))
        };
        flat().unwrap_or_else(|| field.to_owned())
    }
}

/// One question.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct NewQuestionBody {
    /// Names the question in results and files; `q1`, `q2` … if it is left out.
    #[schema(value_type = Option<String>)]
    key: Field<String>,
    /// What is spoken. `{{name}}` and `{{column}}` stand for data of the contact.
    #[schema(value_type = String)]
    text: Field<String>,
    /// `free_text`, `numeric`, `scale`, `yes_no` or `choice`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: Field<String>,
    /// The smallest number accepted; of a scale the low end, 1 if it is left out.
    #[schema(value_type = Option<f64>)]
    min: Field<Decimal>,
    /// The largest number accepted; of a scale the high end, 5 if it is left out.
    #[schema(value_type = Option<f64>)]
    max: Field<Decimal>,
    /// Whether a number with decimals is an answer.
    #[schema(value_type = Option<bool>)]
    decimals: Field<bool>,
    /// What some marks of a scale are called.
    #[schema(value_type = Option<Vec<LabelBody>>)]
    labels: Field<Vec<LabelBody>>,
    /// What can be chosen.
    #[schema(value_type = Option<Vec<OptionBody>>)]
    options: Field<Vec<OptionBody>>,
    /// A required question cannot be skipped by saying so.
    #[schema(value_type = Option<bool>)]
    required: Field<bool>,
    /// How often it is asked again when it was not understood; 2 if it is left out.
    #[schema(value_type = Option<u8>)]
    retries: Field<u8>,
    /// What must have been answered before for it to be asked; always if it is left out.
    #[schema(value_type = Option<NewConditionBody>)]
    show_if: Field<NewConditionBody>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

/// One option of a choice question.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OptionBody {
    /// What is stored when it is chosen.
    pub(super) key: String,
    /// The words people say for it; the first is read out.
    pub(super) say: Vec<String>,
}

/// What a mark of a scale is called.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelBody {
    /// The mark.
    pub(super) value: i64,
    /// The words people say for it; the first is read out.
    pub(super) say: Vec<String>,
}

/// The words of a survey in another language.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TranslationBody {
    /// The intro.
    pub(super) intro_script: String,
    /// The consent question, if the survey has one of its own.
    pub(super) consent_question: Option<String>,
    /// The texts of the questions, by key.
    pub(super) questions: BTreeMap<String, String>,
    /// The goodbye.
    pub(super) completion_message: String,
    /// The words of the options of a choice, by their keys, and of the marks of a scale, by the
    /// marks, of each question by its key. The first are read out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) options: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// Reads the questions in either form, and takes the flat ones out of `rest`.
pub(super) fn read(
    list: Field<Vec<Value>>,
    rest: &mut BTreeMap<String, Value>,
    checks: &mut Checks,
) -> (Option<Vec<Question>>, QuestionForm) {
    let mut flat: BTreeMap<u16, NewQuestionBody> = BTreeMap::new();
    rest.retain(|name, value| match flat_name(name) {
        Some((number, part)) => {
            let question = flat.entry(number).or_default();
            let text = Field::from_value(value.take());
            match part {
                Part::Text => question.text = text,
                Part::Kind => question.kind = text,
            }
            false
        }
        None => true,
    });
    if flat.is_empty() {
        let questions = checks.optional("questions", list);
        let read = |(index, value)| read_listed(index, value, checks);
        let questions = questions.map(|list| list.into_iter().enumerate().map(read).collect());
        let questions = questions.map(|questions| without_consequences(questions, checks));
        return (questions, QuestionForm::List);
    }
    if list.is_named() {
        let message = "give questions or question_1_text and so on, not both";
        checks.wrong("questions", message);
    }
    let numbers: Vec<u16> = flat.keys().copied().collect();
    // One gap is told, not each: before `question_60000_text` they would be many.
    let gap = (1..)
        .zip(&numbers)
        .find(|(expected, number)| expected != *number);
    if let Some((gap, _)) = gap {
        let message = "is missing: number the questions 1, 2, 3 … without gaps";
        checks.wrong(format!("question_{gap}_text"), message);
    }
    let questions = flat
        .into_iter()
        .map(|(number, question)| {
            let field = |part: &str| format!("question_{number}_{part}");
            if matches!(&question.kind, Field::Given(kind) if kind == "choice") {
                let message = "a choice has options: give the questions as the list 'questions'";
                checks.wrong(field("options"), message);
            }
            question.read(number.into(), &field, checks)
        })
        .collect();
    (Some(questions), QuestionForm::Flat(numbers))
}

enum Part {
    Text,
    Kind,
}

/// The number and the part in a name such as `question_1_text`.
fn flat_name(name: &str) -> Option<(u16, Part)> {
    let (digits, part) = name.strip_prefix("question_")?.split_once('_')?;
    let number: u16 = digits.parse().ok()?;
    if number == 0 || number.to_string() != digits {
        return None;
    }
    match part {
        "text" => Some((number, Part::Text)),
        "type" => Some((number, Part::Kind)),
        _ => None,
    }
}

fn read_listed(index: usize, value: Value, checks: &mut Checks) -> Question {
    let question = if value.is_object() {
        serde_json::from_value::<NewQuestionBody>(value).map_err(|error| error.to_string())
    } else {
        Err("must be an object".to_owned())
    };
    match question {
        Ok(question) => {
            let field = |part: &str| format!("questions[{index}].{part}");
            question.read(index + 1, &field, checks)
        }
        Err(error) => {
            checks.wrong(format!("questions[{index}]"), error);
            unreadable(index + 1)
        }
    }
}

/// Takes away the conditions on questions that cannot be read: what seems wrong with them may not be.
fn without_consequences(mut questions: Vec<Question>, checks: &Checks) -> Vec<Question> {
    let unreadable: HashSet<String> = questions
        .iter()
        .enumerate()
        .filter(|(index, _)| {
            let field = format!("questions[{index}]");
            checks.is_wrong(&field) || checks.is_wrong(&format!("{field}.type"))
        })
        .map(|(_, question)| question.key.clone())
        .collect();
    for question in &mut questions {
        let condition = &mut question.show_if;
        condition.take_if(|condition| unreadable.contains(&condition.question));
    }
    questions
}

/// Stands for a question that cannot be read, so that nothing more is told about it.
fn unreadable(number: usize) -> Question {
    Question {
        key: format!("q{number}"),
        text: "?".to_owned(),
        kind: QuestionKind::FreeText,
        required: false,
        retries: DEFAULT_RETRIES,
        show_if: None,
    }
}

impl NewQuestionBody {
    /// Reads the question with that number, whose fields the caller names as `field` does.
    fn read(
        mut self,
        number: usize,
        field: &dyn Fn(&str) -> String,
        checks: &mut Checks,
    ) -> Question {
        for (unknown, _) in std::mem::take(&mut self.unknown) {
            checks.wrong(field(&unknown), "unknown field");
        }
        let key = checks.optional(&field("key"), std::mem::take(&mut self.key));
        let text = checks.required(&field("text"), std::mem::take(&mut self.text));
        let required = checks.optional(&field("required"), std::mem::take(&mut self.required));
        let retries = checks.optional(&field("retries"), std::mem::take(&mut self.retries));
        let show_if = checks.optional(&field("show_if"), std::mem::take(&mut self.show_if));
        Question {
            key: key.unwrap_or_else(|| format!("q{number}")),
            text: text.unwrap_or_default(),
            kind: self.kind(field, checks).unwrap_or(QuestionKind::FreeText),
            required: required.unwrap_or_default(),
            retries: retries.unwrap_or(DEFAULT_RETRIES),
            show_if: show_if.and_then(|condition| condition.read(&field("show_if"), checks)),
        }
    }

    fn kind(self, field: &dyn Fn(&str) -> String, checks: &mut Checks) -> Option<QuestionKind> {
        let has = [
            ("min", self.min.is_named()),
            ("max", self.max.is_named()),
            ("decimals", self.decimals.is_named()),
            ("labels", self.labels.is_named()),
            ("options", self.options.is_named()),
        ];
        let min = checks.optional(&field("min"), self.min);
        let max = checks.optional(&field("max"), self.max);
        let decimals = checks.optional(&field("decimals"), self.decimals);
        let labels = checks.optional(&field("labels"), self.labels);
        let options = checks.optional(&field("options"), self.options);
        let kind = checks.required(&field("type"), self.kind)?;
        let (kind, takes): (_, &[&str]) = match kind.as_str() {
            "free_text" => (QuestionKind::FreeText, &[]),
            "yes_no" => (QuestionKind::YesNo, &[]),
            "numeric" => {
                let decimals = decimals.unwrap_or_default();
                (
                    QuestionKind::Numeric { min, max, decimals },
                    &["min", "max", "decimals"],
                )
            }
            "scale" => {
                let mut end = |name, end: Option<Decimal>, default| {
                    let Some(end) = end else { return default };
                    whole(end).unwrap_or_else(|| {
                        checks.wrong(field(name), "use a whole number");
                        default
                    })
                };
                let min = end("min", min, DEFAULT_SCALE.0);
                let max = end("max", max, DEFAULT_SCALE.1.max(min.saturating_add(1)));
                let labels = labels.unwrap_or_default().into_iter();
                let labels = labels.map(|LabelBody { value, say }| ScaleLabel { value, say });
                let labels = labels.collect();
                (
                    QuestionKind::Scale { min, max, labels },
                    &["min", "max", "labels"],
                )
            }
            "choice" => {
                let options = options.unwrap_or_default().into_iter();
                let options = options.map(|OptionBody { key, say }| ChoiceOption { key, say });
                (
                    QuestionKind::Choice {
                        options: options.collect(),
                    },
                    &["options"],
                )
            }
            other => {
                let message = format!(
                    "unknown type '{other}': use free_text, numeric, scale, yes_no or choice"
                );
                checks.wrong(field("type"), message);
                return None;
            }
        };
        for (name, is_named) in has {
            if is_named && !takes.contains(&name) {
                let message = format!("a {} question has none", kind.name());
                checks.wrong(field(name), message);
            }
        }
        Some(kind)
    }
}

/// The number as a whole one, if it is.
fn whole(number: Decimal) -> Option<i64> {
    number.normalize().to_string().parse().ok()
}

/// Reads the translations, by language.
pub(super) fn translations(
    given: Field<BTreeMap<String, Value>>,
    checks: &mut Checks,
) -> Option<BTreeMap<Language, SurveyTranslation>> {
    let given = checks.optional("translations", given)?;
    let mut translations = BTreeMap::new();
    for (code, words) in given {
        let field = format!("translations.{code}");
        let language: Option<Language> = checks.parse(&field, Some(&code));
        let words = checks.optional(&field, Field::from_value(words));
        if let (Some(language), Some(words)) = (language, words)
            && translations.insert(language, words).is_some()
        {
            checks.wrong(field, "this language is given twice");
        }
    }
    Some(translations)
}

impl FromJson for SurveyTranslation {
    fn from_json(value: Value) -> Result<Self, String> {
        without_nul(value)
    }
}

impl FromJson for LabelBody {
    fn from_json(value: Value) -> Result<Self, String> {
        without_nul(value)
    }
}

impl FromJson for OptionBody {
    fn from_json(value: Value) -> Result<Self, String> {
        without_nul(value)
    }
}

/// Reads a value whose texts a database can keep.
fn without_nul<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    if has_nul(&value) {
        return Err("must not contain the character U+0000".to_owned());
    }
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

impl FromJson for Decimal {
    fn from_json(value: Value) -> Result<Self, String> {
        let number = match &value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => String::new(),
        };
        let exact = number.parse().or_else(|_| Self::from_scientific(&number));
        exact.map_err(|_| "use a number".to_owned())
    }
}
