//! What statements about different tables have in common: the scope, and finding a row's company.
//!
//! Static statements name `company_id` themselves. Lists, which vary with their filters, begin
//! with [`select`], so that none is built without the scope.

use sea_query::{Expr, ExprTrait as _, Query, SelectStatement};
use voicesurvey_core::ports::Scope;

/// A list of `columns` of `table`, cut to the rows of the scope.
pub(crate) fn select(columns: &'static str, table: &'static str, scope: Scope) -> SelectStatement {
    let mut list = Query::select();
    list.expr(Expr::cust(columns)).from(table);
    if let Scope::Company(company_id) = scope {
        list.and_where(Expr::col("company_id").eq(company_id.as_uuid()));
    }
    list
}

/// The statement that finds the company of a row of `$table` by its identifier, for the platform.
///
/// Goes through the companies, because every index begins with one: a probe for each of them
/// instead of a walk over a large table. Campaigns, which the claim looks up, have an index for it.
macro_rules! company_of {
    ("campaigns") => {
        "SELECT company_id FROM campaigns WHERE id = $1"
    };
    ($table:literal) => {
        $crate::schema::company_of!($table, "id")
    };
    ($table:literal, $key:literal) => {
        concat!(
            "SELECT found.company_id FROM companies CROSS JOIN LATERAL (SELECT company_id FROM ",
            $table,
            " WHERE company_id = companies.company_id AND ",
            $key,
            " = $1 LIMIT 1) AS found LIMIT 1"
        )
    };
}
pub(crate) use company_of;
