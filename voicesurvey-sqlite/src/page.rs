//! Pages of a list: a cursor names the last row's place, so rows that are inserted meanwhile
//! neither repeat nor hide others.

use std::fmt;
use std::str::FromStr;

use sea_query::{Expr, ExprTrait, Order, SelectStatement, Value};
use uuid::Uuid;
use voicesurvey_core::ports::{PageRequest, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::error::conflict;
use crate::row::micros;

/// A row's place in a list by creation. Identifiers decide among rows of the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Created {
    at: i64,
    id: Uuid,
}

impl Created {
    /// The cursor of a row.
    pub(crate) fn cursor(at: Timestamp, id: Uuid) -> String {
        Self { at: micros(at), id }.to_string()
    }
}

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.at, self.id)
    }
}

impl FromStr for Created {
    type Err = StorageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let place = text.split_once('_').and_then(|(at, id)| {
            Some(Self {
                at: at.parse().ok()?,
                id: id.parse().ok()?,
            })
        });
        place.ok_or_else(unknown_cursor)
    }
}

/// Sorts by creation, and leaves one row more than `page` wants, so that it is known whether there
/// is a next one. `id` names the column of the identifier.
pub(crate) fn by_creation(
    select: &mut SelectStatement,
    id: &'static str,
    order: Order,
    page: &PageRequest,
) -> Result<(), StorageError> {
    if let Some(cursor) = &page.after {
        let after: Created = cursor.parse()?;
        let place = Expr::tuple([Expr::col("created_at"), Expr::col(id)]);
        let after = Expr::tuple([Expr::value(after.at), Expr::value(after.id)]);
        select.and_where(match order {
            Order::Desc => place.lt(after),
            _ => place.gt(after),
        });
    }
    select
        .order_by("created_at", order.clone())
        .order_by(id, order)
        .limit(one_more(page));
    Ok(())
}

/// Sorts by a column that is unique within the scope; `read` reads the cursor.
pub(crate) fn by_key<V: Into<Value>>(
    select: &mut SelectStatement,
    key: &'static str,
    page: &PageRequest,
    read: impl Fn(&str) -> Option<V>,
) -> Result<(), StorageError> {
    if let Some(cursor) = &page.after {
        let after = read(cursor).ok_or_else(unknown_cursor)?;
        select.and_where(Expr::col(key).gt(Expr::value(after)));
    }
    select.order_by(key, Order::Asc).limit(one_more(page));
    Ok(())
}

fn one_more(page: &PageRequest) -> u64 {
    u64::from(page.limit()) + 1
}

/// A cursor that no page of this list has given out.
pub(crate) fn unknown_cursor() -> StorageError {
    conflict("the cursor does not belong to this list")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back() {
        let place = Created {
            at: -5,
            id: Uuid::from_u128(7),
        };
        assert_eq!(place.to_string().parse::<Created>().unwrap(), place);
    }

    #[test]
    fn a_cursor_that_was_made_up_is_refused() {
        for made_up in ["", "_", "5", "5_", "x_00000000-0000-0000-0000-000000000007"] {
            assert!(matches!(
                made_up.parse::<Created>(),
                Err(StorageError::Conflict { .. })
            ));
        }
    }
}
