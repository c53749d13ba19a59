//! Lists in parts: opaque cursors.
//!
//! A cursor carries a check of itself and of the list it belongs to, so that one that was cut,
//! mistyped or taken from another list is refused instead of being given to the store. It is no
//! secret and opens nothing: a store looks at it within the company of the key only.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use voicesurvey_core::api_key::ApiKeyHash;
use voicesurvey_core::ports::{Page, PageRequest};

use super::error::ApiError;
use super::fields::Checks;

/// The most rows of one part.
const LARGEST_LIMIT: u16 = 200;

/// Bytes of the check.
const CHECKED: usize = 4;

/// Which part of a list is wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// `next_cursor` of the part before.
    pub(super) cursor: Option<String>,
    /// Rows at most, from 1 to 200; 50 if it is left out.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    pub(super) limit: Option<String>,
}

impl PageQuery {
    /// The part of `list` that is wanted.
    pub(super) fn read(self, list: &str) -> Result<PageRequest, ApiError> {
        let mut checks = Checks::default();
        let page = page(list, self.cursor, self.limit, &mut checks);
        checks.finish_query()?;
        Ok(page)
    }
}

/// The part of `list` that is wanted, as the parameters `cursor` and `limit` say.
pub(super) fn page(
    list: &str,
    cursor: Option<String>,
    limit: Option<String>,
    checks: &mut Checks,
) -> PageRequest {
    let after = cursor.and_then(|cursor| {
        let place = place(list, &cursor);
        if place.is_none() {
            checks.wrong("cursor", "unknown cursor: use next_cursor of the same list");
        }
        place
    });
    let at_most = limit.map_or(Some(PageRequest::default().at_most), |limit| {
        let limit = limit.parse().ok();
        limit.filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
    });
    if at_most.is_none() {
        let message = format!("use a whole number from 1 to {LARGEST_LIMIT}");
        checks.wrong("limit", message);
    }
    PageRequest {
        after,
        at_most: at_most.unwrap_or(1),
    }
}

/// One part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListBody<T> {
    /// The rows.
    pub(super) items: Vec<T>,
    /// Names the next part; absent at the end.
    pub(super) next_cursor: Option<String>,
}

impl<T> ListBody<T> {
    /// A part of `list`, each row turned into its body.
    pub(super) fn new<R>(list: &str, page: Page<R>, body: impl FnMut(R) -> T) -> Self {
        let page = page.map(body);
        Self {
            items: page.rows,
            next_cursor: page.next.map(|place| cursor(list, &place)),
        }
    }
}

fn check(list: &str, place: &str) -> [u8; CHECKED] {
    let hash = ApiKeyHash::of(&format!("{list} {place}"));
    let mut check = [0; CHECKED];
    check.copy_from_slice(&hash.as_bytes()[..CHECKED]);
    check
}

fn cursor(list: &str, place: &str) -> String {
    let bytes = check(list, place).into_iter().chain(place.bytes());
    bytes.fold(String::new(), |mut text, byte| {
        // OK because writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn place(list: &str, cursor: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = (0..cursor.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(cursor.get(at..at + 2)?, 16).ok())
        .collect();
    let bytes = bytes?;
    let (given, place) = bytes.split_at_checked(CHECKED)?;
    let place = String::from_utf8(place.to_vec()).ok()?;
    (given == check(list, &place)).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_in_its_own_list_only() {
        let text = cursor("calls", "42_à");
        assert_eq!(place("calls", &text), Some("42_à".to_owned()));
        assert_eq!(place("campaigns", &text), None);
        for wrong in [
            "",
            "00",
            "zz",
            "à",
            &text[2..],
            &text[..text.len() - 2],
            &text[1..],
        ] {
            assert_eq!(place("calls", wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_limit_out_of_bounds_and_a_bad_cursor_are_both_named() {
        let mut checks = Checks::default();
        page(
            "calls",
            Some("x".to_owned()),
            Some("201".to_owned()),
            &mut checks,
        );
        let error = format!("{:?}", checks.finish_query().unwrap_err());
        assert!(
            error.contains("cursor") && error.contains("from 1 to 200"),
            "{error}"
        );
    }
}
