//! What a call cost.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An amount in one currency. A cost that is not known yet is absent, never zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The amount, exact.
    pub amount: Decimal,
    /// The ISO 4217 code, such as `EUR`.
    pub currency: String,
}
