//! Pages by key: the next one begins after the last row's place, wherever that has moved.

use sea_query::{Expr, ExprTrait as _, IntoColumnRef, Order, SelectStatement};
use uuid::Uuid;
use voicesurvey_core::ports::{PageRequest, StorageError};
use voicesurvey_core::time::Timestamp;

/// The place of a row in a list that is ordered by creation; the identifier decides between rows
/// of the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    created_at: Timestamp,
    id: Uuid,
}

impl Place {
    pub(crate) const fn new(created_at: Timestamp, id: Uuid) -> Self {
        Self { created_at, id }
    }

    /// The place as a cursor: microseconds since 1970 and the identifier.
    pub(crate) fn cursor(self) -> String {
        format!("{}.{}", self.created_at.timestamp_micros(), self.id)
    }

    fn from_cursor(cursor: &str) -> Option<Self> {
        let (micros, id) = cursor.split_once('.')?;
        let created_at = Timestamp::from_timestamp_micros(micros.parse().ok()?)?;
        Some(Self {
            created_at,
            id: id.parse().ok()?,
        })
    }
}

/// Whether the oldest or the newest row comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    OldestFirst,
    NewestFirst,
}

/// Cuts `list` to the page that `request` asks for, and one row more, so that it is known whether
/// there is a next page.
pub(crate) fn by_creation(
    list: &mut SelectStatement,
    id: impl IntoColumnRef + Clone,
    direction: Direction,
    request: &PageRequest,
) -> Result<(), StorageError> {
    let key = || Expr::tuple([Expr::col("created_at"), Expr::col(id.clone())]);
    if let Some(cursor) = &request.after {
        let place = Place::from_cursor(cursor).ok_or_else(unknown_cursor)?;
        let place = Expr::tuple([Expr::val(place.created_at), Expr::val(place.id)]);
        list.and_where(match direction {
            Direction::OldestFirst => key().gt(place),
            Direction::NewestFirst => key().lt(place),
        });
    }
    let order = match direction {
        Direction::OldestFirst => Order::Asc,
        Direction::NewestFirst => Order::Desc,
    };
    list.order_by("created_at", order.clone())
        .order_by(id, order);
    list.limit(u64::from(request.limit()) + 1);
    Ok(())
}

/// Like [`by_creation`], for a list whose order is one column of identifiers.
pub(crate) fn by_id(list: &mut SelectStatement, request: &PageRequest) -> Result<(), StorageError> {
    if let Some(cursor) = &request.after {
        let after: Uuid = cursor.parse().map_err(|_| unknown_cursor())?;
        list.and_where(Expr::col("id").gt(after));
    }
    list.order_by("id", Order::Asc)
        .limit(u64::from(request.limit()) + 1);
    Ok(())
}

/// A cursor that no page of this list has given out.
pub(crate) fn unknown_cursor() -> StorageError {
    StorageError::Conflict {
        what: "the cursor does not belong to this list".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let created_at = Timestamp::from_timestamp_micros(1_800_000_000_123_456).unwrap();
        let place = Place::new(created_at, Uuid::from_u128(7));
        assert_eq!(Place::from_cursor(&place.cursor()), Some(place));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for cursor in ["", ".", "1", "1.2", "99999999999999999999.0", "x.y"] {
            assert_eq!(Place::from_cursor(cursor), None, "{cursor}");
        }
    }
}
