//! The quotas of a body: how many interviews are wanted of which people.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use voicesurvey_core::quota::{CellConditions, QuotaCell, QuotaPolicy, Quotas, Wanted};

use crate::api::fields::{Checks, Field, FromJson, UnknownFields};

/// How many interviews are wanted of which people.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewQuotasBody {
    /// When a place in a cell is taken: `count_at_completion`, which is the default, or
    /// `reserve_at_dial`, which never exceeds a target and lets people wait for the last places.
    #[schema(value_type = Option<String>)]
    policy: Field<QuotaPolicy>,
    /// The cells. They may overlap, and need not hold everybody.
    #[schema(value_type = Vec<NewQuotaCellBody>)]
    cells: Field<Vec<Value>>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

/// People of whom a number of interviews is wanted.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewQuotaCellBody {
    /// What people call it.
    #[schema(value_type = String, example = "north, 18-34")]
    name: Field<String>,
    /// How many interviews are enough.
    #[schema(value_type = u32)]
    target: Field<u32>,
    /// Who is in it: all of it must hold.
    #[schema(value_type = NewCellConditionsBody)]
    r#where: Field<Value>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

/// Who is in a cell. A condition is one value, a list of values, or `{"from": 18, "to": 34}`.
#[derive(Debug, Deserialize, ToSchema)]
struct NewCellConditionsBody {
    /// What stands in columns of the call list, by their headers: `{"region": "north"}`.
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    columns: Field<BTreeMap<String, Value>>,
    /// What was answered, by the keys of the questions: `{"age": {"from": 18, "to": 34}}`.
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    answers: Field<BTreeMap<String, Value>>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

impl NewQuotasBody {
    pub(super) fn read(self, checks: &mut Checks) -> Option<Quotas> {
        let policy = checks.optional("quotas.policy", self.policy);
        unknown("quotas", self.unknown, checks);
        let cells = checks.required("quotas.cells", self.cells)?;
        let cells: Vec<Option<QuotaCell>> = cells
            .into_iter()
            .enumerate()
            .map(|(index, cell)| read_cell(&format!("quotas.cells[{index}]"), cell, checks))
            .collect();
        Some(Quotas {
            policy: policy.unwrap_or_default(),
            cells: cells.into_iter().collect::<Option<_>>()?,
        })
    }
}

fn read_cell(field: &str, cell: Value, checks: &mut Checks) -> Option<QuotaCell> {
    let cell: NewQuotaCellBody = object(field, cell, checks)?;
    unknown(field, cell.unknown, checks);
    let name = checks.required(&format!("{field}.name"), cell.name);
    let target = checks.required(&format!("{field}.target"), cell.target);
    let field = format!("{field}.where");
    let conditions = checks.required(&field, cell.r#where)?;
    let conditions: NewCellConditionsBody = object(&field, conditions, checks)?;
    unknown(&field, conditions.unknown, checks);
    let columns = read_wanted(&format!("{field}.columns"), conditions.columns, checks);
    let answers = read_wanted(&format!("{field}.answers"), conditions.answers, checks);
    Some(QuotaCell {
        name: name?.trim().to_owned(),
        target: target?,
        conditions: CellConditions {
            columns: columns?,
            answers: answers?,
        },
    })
}

fn read_wanted(
    field: &str,
    given: Field<BTreeMap<String, Value>>,
    checks: &mut Checks,
) -> Option<BTreeMap<String, Wanted>> {
    let is_wrong = matches!(given, Field::Wrong(_));
    let given = checks.optional(field, given).unwrap_or_default();
    let read = given
        .into_iter()
        .map(|(name, value)| match Wanted::try_from(value) {
            Ok(wanted) => Some((name, wanted)),
            Err(error) => {
                checks.wrong(format!("{field}.{name}"), error.to_string());
                None
            }
        });
    let read: Vec<Option<_>> = read.collect();
    let read: Option<BTreeMap<_, _>> = read.into_iter().collect();
    read.filter(|_| !is_wrong)
}

fn object<T: for<'de> Deserialize<'de>>(
    field: &str,
    value: Value,
    checks: &mut Checks,
) -> Option<T> {
    if !value.is_object() {
        checks.wrong(field, "must be an object");
        return None;
    }
    serde_json::from_value(value)
        .map_err(|error| checks.wrong(field, error.to_string()))
        .ok()
}

fn unknown(field: &str, unknown: UnknownFields, checks: &mut Checks) {
    for (name, _) in unknown {
        checks.wrong(format!("{field}.{name}"), "unknown field");
    }
}

impl FromJson for NewQuotasBody {
    fn from_json(value: Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err("must be an object".to_owned());
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }
}

impl FromJson for QuotaPolicy {
    fn from_json(value: Value) -> Result<Self, String> {
        let known = Self::ALL
            .into_iter()
            .find(|policy| value.as_str() == Some(policy.name()));
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            format!("use {}", names.join(" or "))
        })
    }
}
