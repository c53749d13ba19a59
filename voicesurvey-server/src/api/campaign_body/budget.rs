//! The budget of a body: what the calls may cost.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use voicesurvey_core::campaign::Budget;
use voicesurvey_core::money::Cost;

use crate::api::fields::{Checks, Field, FromJson, UnknownFields};

/// What the calls of a campaign may cost.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewBudgetBody {
    /// The most that may be spent, as a number or, exact, as a text.
    #[schema(value_type = String, example = "250.00")]
    amount: Field<Decimal>,
    /// The ISO 4217 code; calls in other currencies are not counted.
    #[schema(value_type = String, example = "EUR")]
    currency: Field<String>,
    /// What one call is expected to cost; reserved for every call whose price is not known yet. 0 if
    /// it is left out, and then as many calls may run over the budget as run at that moment.
    #[schema(value_type = Option<String>, example = "0.12")]
    estimate_per_call: Field<Decimal>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

impl NewBudgetBody {
    pub(super) fn read(self, checks: &mut Checks) -> Option<Budget> {
        let amount = checks.required("budget.amount", self.amount);
        let currency = checks.required("budget.currency", self.currency);
        let estimate = checks.optional("budget.estimate_per_call", self.estimate_per_call);
        for (field, _) in self.unknown {
            checks.wrong(format!("budget.{field}"), "unknown field");
        }
        Some(Budget {
            limit: Cost {
                amount: amount?,
                currency: currency?.trim().to_ascii_uppercase(),
            },
            estimate_per_call: estimate.unwrap_or_default(),
        })
    }
}

impl FromJson for NewBudgetBody {
    fn from_json(value: Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err("must be an object".to_owned());
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }
}

/// What the calls of a campaign may cost. Amounts are exact, as texts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BudgetBody {
    /// The most that may be spent.
    amount: String,
    /// The ISO 4217 code.
    currency: String,
    /// What one call is expected to cost.
    estimate_per_call: String,
}

impl From<Budget> for BudgetBody {
    fn from(budget: Budget) -> Self {
        Self {
            amount: budget.limit.amount.to_string(),
            currency: budget.limit.currency,
            estimate_per_call: budget.estimate_per_call.to_string(),
        }
    }
}
