//! The retry policy of a body: how often, after which delays, and what holds after one outcome.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use voicesurvey_core::campaign::{RetryPolicy, RetryRule};
use voicesurvey_core::outcome::Outcome;

use crate::api::fields::{Checks, Field, FromJson, UnknownFields};

/// The fields of a body that say it, under all their names.
pub(super) struct RetryFields {
    pub(super) max_attempts: Field<u16>,
    pub(super) max_retries: Field<u16>,
    pub(super) retry_interval_minutes: Field<u32>,
    pub(super) retry_delays_minutes: Field<Vec<u32>>,
    pub(super) retry_delays: Field<Vec<Delay>>,
    pub(super) retry_rules: Field<BTreeMap<String, Value>>,
    pub(super) retry_other_daypart: Field<bool>,
}

/// What was given of it.
#[derive(Debug, Default)]
pub(super) struct GivenRetry {
    max_attempts: Option<u16>,
    delays_minutes: Option<Vec<u32>>,
    rules: Option<BTreeMap<Outcome, RetryRule>>,
    other_daypart: Option<bool>,
}

/// What the caller calls the settings that have several names.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetryNames {
    max_attempts: &'static str,
    delays: &'static str,
}

/// A delay with its unit: `30m`, `4h`, `1d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Delay {
    minutes: u32,
}

/// What a campaign does after one outcome.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewRetryRuleBody {
    /// Minutes to wait after each attempt, the last repeated; empty: nobody is called again.
    #[schema(value_type = Vec<u32>)]
    delays_minutes: Field<Vec<u32>>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

/// What is in force after one outcome.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RetryRuleBody {
    /// Minutes to wait after each attempt, the last repeated; empty: nobody is called again.
    delays_minutes: Vec<u32>,
    /// Whether the next attempt is moved to another part of the day, at most 24 hours.
    other_daypart: bool,
}

impl RetryFields {
    /// Takes them out.
    pub(super) fn read(self, checks: &mut Checks) -> (GivenRetry, RetryNames) {
        let interval = checks.optional("retry_interval_minutes", self.retry_interval_minutes);
        let minutes = checks.optional("retry_delays_minutes", self.retry_delays_minutes);
        let delays = checks.optional("retry_delays", self.retry_delays);
        let attempts = checks.optional("max_attempts", self.max_attempts);
        let retries = checks.optional("max_retries", self.max_retries);
        let names = RetryNames {
            max_attempts: one_of(
                [
                    ("max_attempts", attempts.is_some()),
                    ("max_retries", retries.is_some()),
                ],
                checks,
            ),
            delays: one_of(
                [
                    ("retry_interval_minutes", interval.is_some()),
                    ("retry_delays_minutes", minutes.is_some()),
                    ("retry_delays", delays.is_some()),
                ],
                checks,
            ),
        };
        let in_minutes = |delays: Vec<Delay>| delays.iter().map(|delay| delay.minutes).collect();
        let given = GivenRetry {
            max_attempts: attempts.or(retries),
            delays_minutes: interval
                .map(|minutes| vec![minutes])
                .or(minutes)
                .or_else(|| delays.map(in_minutes)),
            rules: read_rules(self.retry_rules, checks),
            other_daypart: checks.optional("retry_other_daypart", self.retry_other_daypart),
        };
        (given, names)
    }
}

/// Which of the names of one setting was used, the first if none was; more than one is wrong.
fn one_of<const N: usize>(names: [(&'static str, bool); N], checks: &mut Checks) -> &'static str {
    let mut given = names.iter().filter(|(_, is_named)| *is_named);
    let used = given.next().unwrap_or(&names[0]).0;
    for (name, _) in given {
        checks.wrong(*name, format!("give {used} or {name}, not both"));
    }
    used
}

fn read_rules(
    field: Field<BTreeMap<String, Value>>,
    checks: &mut Checks,
) -> Option<BTreeMap<Outcome, RetryRule>> {
    let rules = checks.optional("retry_rules", field)?;
    let mut read = |(name, value): (String, Value)| {
        let field = format!("retry_rules.{name}");
        let outcome = checks.optional(&field, Field::<Outcome>::from_value(name.into()));
        let rule = checks.optional(&field, Field::<NewRetryRuleBody>::from_value(value));
        let NewRetryRuleBody {
            delays_minutes,
            unknown,
        } = rule?;
        for (unknown, _) in unknown {
            checks.wrong(format!("{field}.{unknown}"), "unknown field");
        }
        let delays = checks.required(&format!("{field}.delays_minutes"), delays_minutes);
        let rule = RetryRule {
            delays_minutes: delays?,
        };
        Some((outcome?, rule))
    };
    Some(rules.into_iter().filter_map(&mut read).collect())
}

impl GivenRetry {
    /// Whether anything was.
    pub(super) fn is_any(&self) -> bool {
        self.max_attempts.is_some()
            || self.delays_minutes.is_some()
            || self.rules.is_some()
            || self.other_daypart.is_some()
    }

    /// The policy with what was given.
    ///
    /// Who names a delay means it: it stays exact unless the same body wants another part of the
    /// day as well.
    pub(super) fn applied_to(&self, old: RetryPolicy) -> RetryPolicy {
        let rules = self.rules.iter().flatten();
        let names_delays = self.delays_minutes.is_some()
            || rules
                .into_iter()
                .any(|(outcome, _)| outcome.prefers_other_daypart());
        let by_default = old.other_daypart && !names_delays;
        RetryPolicy {
            max_attempts: self.max_attempts.unwrap_or(old.max_attempts),
            delays_minutes: self.delays_minutes.clone().unwrap_or(old.delays_minutes),
            rules: self.rules.clone().unwrap_or(old.rules),
            other_daypart: self.other_daypart.unwrap_or(by_default),
        }
    }
}

impl RetryNames {
    /// The caller's name of a field that the core names.
    pub(super) fn as_called(self, field: &str) -> Option<&'static str> {
        match field {
            "max_attempts" => Some(self.max_attempts),
            "retry_interval_minutes" => Some(self.delays),
            _ => None,
        }
    }
}

/// What a policy and the outcome table together do after each outcome.
pub(super) fn in_force(policy: &RetryPolicy) -> BTreeMap<&'static str, RetryRuleBody> {
    let rule = |outcome: &Outcome| RetryRuleBody {
        delays_minutes: policy.rule(*outcome).delays_minutes,
        other_daypart: policy.changes_daypart(*outcome),
    };
    Outcome::ALL
        .iter()
        .map(|outcome| (outcome.name(), rule(outcome)))
        .collect()
}

impl FromJson for Outcome {
    fn from_json(value: Value) -> Result<Self, String> {
        String::from_json(value)?
            .parse()
            .map_err(|error: voicesurvey_core::outcome::UnknownOutcome| error.to_string())
    }
}

impl FromJson for NewRetryRuleBody {
    fn from_json(value: Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err("must be an object".to_owned());
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }
}

impl FromJson for Delay {
    fn from_json(value: Value) -> Result<Self, String> {
        let read = |text: &str| {
            let unit = text.chars().last()?;
            let minutes_each = match unit {
                'm' => 1,
                'h' => 60,
                'd' => 24 * 60,
                _ => return None,
            };
            let number = text.strip_suffix(unit)?;
            // A sign would be read as part of the number.
            let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
            let number: u32 = number.parse().ok().filter(|_| is_number)?;
            number.checked_mul(minutes_each)
        };
        value
            .as_str()
            .and_then(read)
            .map(|minutes| Self { minutes })
            .ok_or_else(|| format!("{value} is no delay: use a number with m, h or d, such as 4h"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn delays_have_a_number_and_a_unit() {
        let minutes = |text: &str| Delay::from_json(json!(text)).map(|delay| delay.minutes);
        assert_eq!(minutes("30m"), Ok(30));
        assert_eq!(minutes("4h"), Ok(240));
        assert_eq!(minutes("2d"), Ok(2880));
        for wrong in [
            "",
            "h",
            "4",
            "4 h",
            "+4h",
            "-4h",
            "1.5h",
            "4H",
            "4ч",
            "99999999999h",
            "4000000000d",
        ] {
            assert!(
                minutes(wrong).unwrap_err().contains("is no delay"),
                "{wrong}"
            );
        }
        assert!(Delay::from_json(json!(4)).is_err());
    }

    #[test]
    fn who_names_a_delay_means_it() {
        let daypart = |given: GivenRetry| given.applied_to(RetryPolicy::default()).other_daypart;
        let rules = |outcome| Some([(outcome, RetryRule::default())].into());
        assert!(daypart(GivenRetry::default()));
        assert!(daypart(GivenRetry {
            rules: rules(Outcome::Busy),
            ..GivenRetry::default()
        }));
        assert!(!daypart(GivenRetry {
            rules: rules(Outcome::Voicemail),
            ..GivenRetry::default()
        }));
        assert!(!daypart(GivenRetry {
            delays_minutes: Some(vec![30]),
            ..GivenRetry::default()
        }));
        assert!(daypart(GivenRetry {
            delays_minutes: Some(vec![30]),
            other_daypart: Some(true),
            ..GivenRetry::default()
        }));
    }
}
