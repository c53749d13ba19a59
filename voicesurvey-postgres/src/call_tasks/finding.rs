//! Finding tasks by their number or name.

use std::collections::HashSet;

use sea_query::{Expr, ExprTrait as _, LikeExpr};
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::StorageError;

use crate::row::Reader;
use crate::schema::company_of;
use crate::unit_of_work::PostgresUnitOfWork;

/// Whether name or number contain `text`, in any case.
pub(super) fn name_or_number_contains(text: &str) -> Expr {
    use sea_query::extension::postgres::PgExpr as _;
    let escaped = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    let pattern = LikeExpr::new(format!("%{escaped}%"));
    let number = Expr::col("phone_number").like(pattern.clone());
    Expr::col("name").ilike(pattern).or(number)
}

impl PostgresUnitOfWork {
    /// Those of the numbers that the campaign has.
    pub(super) async fn numbers_in(
        &mut self,
        campaign_id: CampaignId,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let id = campaign_id.as_uuid();
        let Some(company_id) = self.company_of(company_of!("campaigns"), id).await? else {
            return Ok(HashSet::new());
        };
        let numbers: Vec<String> = phone_numbers.iter().map(PhoneNumber::to_string).collect();
        // Planned with its numbers: a plan for any would expect few of them.
        let select = sqlx::query(
            "SELECT phone_number FROM call_tasks
             WHERE company_id = $1 AND campaign_id = $2 AND phone_number = ANY($3)",
        )
        .bind(company_id)
        .bind(id)
        .bind(numbers);
        let rows = self.rows(select.persistent(false)).await?;
        rows.iter()
            .map(|row| Reader::new("call_tasks", row).parsed("phone_number"))
            .collect()
    }
}
