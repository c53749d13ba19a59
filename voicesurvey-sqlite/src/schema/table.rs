//! The statements that any table answers to.

use sea_query::{DeleteStatement, Expr, ExprTrait, InsertStatement, Query, SelectStatement, Value};
use voicesurvey_core::ports::Scope;

use super::COMPANIES;

/// A table with its `N` columns.
pub(crate) struct Table<const N: usize> {
    pub(crate) name: &'static str,
    pub(crate) columns: [&'static str; N],
}

impl<const N: usize> Table<N> {
    /// The rows within `scope`, all columns.
    pub(crate) fn select(&self, scope: Scope) -> SelectStatement {
        Query::select()
            .columns(self.columns)
            .from(self.name)
            .and_where(within(scope))
            .take()
    }

    /// All rows of a table that belongs to no company, all columns.
    pub(crate) fn select_shared(&self) -> SelectStatement {
        Query::select().columns(self.columns).from(self.name).take()
    }

    /// Removes rows within `scope`. The caller adds which.
    pub(crate) fn delete(&self, scope: Scope) -> DeleteStatement {
        Query::delete()
            .from_table(self.name)
            .and_where(within(scope))
            .take()
    }

    /// Adds rows, their values in the order of the columns.
    pub(crate) fn insert(&self, rows: impl IntoIterator<Item = [Value; N]>) -> InsertStatement {
        let mut statement = Query::insert()
            .into_table(self.name)
            .columns(self.columns)
            .take();
        for row in rows {
            // OK because a row has as many values as the table has columns, by its type.
            statement.values_panic(row.map(Expr::value));
        }
        statement
    }
}

/// The condition that keeps a statement within `scope` (I11).
///
/// Every key begins with the company, so the platform's scope names all companies rather than none:
/// SQLite then looks each of them up in the same index.
fn within(scope: Scope) -> Expr {
    match scope {
        Scope::Company(company_id) => Expr::col("company_id").eq(company_id.as_uuid()),
        Scope::Platform => Expr::col("company_id").in_subquery(
            Query::select()
                .column("company_id")
                .from(COMPANIES.name)
                .take(),
        ),
    }
}
