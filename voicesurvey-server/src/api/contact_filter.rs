//! Which people's records are wanted: the parameters that results, rates and files share.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Required};
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::contact_record::ContactFilter;
use voicesurvey_core::service::ServiceError;
use voicesurvey_core::time::Timestamp;
use voicesurvey_core::time_zone::TimeZone;

use super::error::ApiError;
use super::fields::{Checks, FromJson as _};
use crate::app::App;

/// What comes before the name of a column.
const COLUMN: &str = "column.";

/// A cell of quotas.
const CELL: &str = "cell";

/// Which people are wanted. `column.<name>=…` asks for the value of a column of the list, letter for
/// letter, and `cell=…` for who is in a cell of quotas; several conditions must all hold.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ContactFilterQuery {
    /// Whose interview began then or later, and without one whose last call was made: an instant, or
    /// a day in the company's time zone.
    #[param(example = "2026-11-21")]
    from: Option<String>,
    /// Whose interview began before that instant, or on that day or earlier.
    #[param(example = "2026-11-30")]
    to: Option<String>,
    /// Whose interview was held in that language, or would be.
    #[param(example = "it")]
    language: Option<String>,
    /// Whose strongest outcome is this one.
    #[param(example = "completed")]
    outcome: Option<String>,
    /// Whose contact stands there.
    #[param(example = "not_reached")]
    status: Option<String>,
    /// Cells, columns, and the parameters of the operation itself.
    #[serde(flatten)]
    #[param(ignore)]
    others: Others,
}

/// Parameters of other names.
#[derive(Clone, Debug, Default)]
struct Others {
    cells: Vec<String>,
    /// Columns, and the parameters of the operation itself.
    named: BTreeMap<String, String>,
}

/// The parameter of [`ContactFilterQuery`] whose name is not known beforehand.
#[derive(Debug)]
pub(super) enum ColumnQuery {}

impl IntoParams for ColumnQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "Whose list had that value in the column of that name, letter for letter, as in \
                           `column.City=Forlì`. May be given for several columns.";
        vec![
            ParameterBuilder::new()
                .name(format!("{COLUMN}<name>"))
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some(description))
                .schema(Some(RefOr::T(
                    ObjectBuilder::new().schema_type(Type::String).into(),
                )))
                .build(),
        ]
    }
}

/// The parameter of [`ContactFilterQuery`] that may be given several times.
#[derive(Debug)]
pub(super) enum CellQuery {}

impl IntoParams for CellQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "Who is known to be in that cell of the campaign's quotas: its name, whatever \
                           the case. May be given for several cells, for those who are in all of them.";
        let names = ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String));
        vec![
            ParameterBuilder::new()
                .name(CELL)
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some(description))
                .schema(Some(RefOr::T(names.into())))
                .build(),
        ]
    }
}

/// Reads parameters of any name. None of them but the cell may be given twice: one of the values would
/// be lost.
impl<'de> Deserialize<'de> for Others {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ReadOthers)
    }
}

struct ReadOthers;

impl<'de> Visitor<'de> for ReadOthers {
    type Value = Others;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Others, A::Error> {
        let mut others = Others::default();
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            if name == CELL {
                others.cells.push(value);
                continue;
            }
            if others.named.contains_key(&name) {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            others.named.insert(name, value);
        }
        Ok(others)
    }
}

/// A moment as the query names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Instant(Timestamp),
    Day(NaiveDate),
}

impl Moment {
    fn read(text: &str) -> Option<Self> {
        if let Ok(day) = text.parse() {
            return Some(Self::Day(day));
        }
        // An unescaped plus sign is a space in a query.
        Timestamp::from_json(text.replace(' ', "+").into())
            .ok()
            .map(Self::Instant)
    }

    /// The instant, or the beginning of the day; `None` for a day far outside of all calendars.
    fn beginning(self, zone: TimeZone) -> Option<Timestamp> {
        match self {
            Self::Instant(at) => Some(at),
            Self::Day(day) => zone.start_of_day(day),
        }
    }

    /// The instant, or the end of the day.
    fn end(self, zone: TimeZone) -> Option<Timestamp> {
        match self {
            Self::Instant(at) => Some(at),
            // Some days were left out where the date line moved.
            Self::Day(day) => (1..4).find_map(|days| {
                let next = day.checked_add_signed(TimeDelta::days(days))?;
                zone.start_of_day(next)
            }),
        }
    }
}

/// What is wrong with a parameter, and found only when the campaign is known, is told as such.
pub(super) fn of_query(error: ServiceError) -> ApiError {
    match error {
        ServiceError::Invalid(errors) => ApiError::invalid_query(errors),
        error => error.into(),
    }
}

impl ContactFilterQuery {
    /// Takes a parameter of the operation itself out.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.others.named.remove(name)
    }

    /// The filter. Whatever parameter is left that is no column is unknown; `checks` have found what
    /// is wrong with the operation's own.
    pub(super) async fn read(
        self,
        app: &App,
        actor: &Actor,
        checks: Checks,
    ) -> Result<ContactFilter, ApiError> {
        let company = app.companies.get(actor, actor.company_id).await?;
        self.filter(company.time_zone, checks)
    }

    fn filter(self, zone: TimeZone, mut checks: Checks) -> Result<ContactFilter, ApiError> {
        let mut moment =
            |name: &str, text: Option<String>, of: fn(Moment, TimeZone) -> Option<Timestamp>| {
                let text = text?;
                let at = Moment::read(&text).and_then(|moment| of(moment, zone));
                if at.is_none() {
                    checks.wrong(
                        name,
                        "use a day (2026-11-21) or an instant (2026-11-21T08:00:00Z)",
                    );
                }
                at
            };
        let from = moment("from", self.from, Moment::beginning);
        let to = moment("to", self.to, Moment::end);
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            checks.wrong("to", "must be later than from");
        }
        let mut columns = BTreeMap::new();
        for (name, value) in self.others.named {
            match name.strip_prefix(COLUMN) {
                Some(column) => {
                    columns.insert(column.to_owned(), value);
                }
                None => checks.wrong(
                    name,
                    "unknown parameter; columns are asked for as column.<name>",
                ),
            }
        }
        let mut cells = BTreeSet::new();
        for name in self.others.cells {
            if !cells.insert(name) {
                checks.wrong(CELL, "each cell may be given once");
            }
        }
        let filter = ContactFilter {
            cells,
            columns,
            from,
            to,
            language: checks.parse("language", self.language.as_deref()),
            outcome: checks.parse("outcome", self.outcome.as_deref()),
            status: checks.parse("status", self.status.as_deref()),
            answered: None,
        };
        checks.finish_query()?;
        Ok(filter)
    }
}

#[cfg(test)]
mod tests {
    use voicesurvey_core::call_task::TaskStatus;
    use voicesurvey_core::language::Language;
    use voicesurvey_core::outcome::Outcome;

    use super::*;

    fn read(query: &str) -> Result<ContactFilter, String> {
        let uri = format!("/?{query}").parse().unwrap();
        let query = axum::extract::Query::<ContactFilterQuery>::try_from_uri(&uri).unwrap();
        let rome = "Europe/Rome".parse().unwrap();
        let filter = query.0.filter(rome, Checks::default());
        filter.map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn a_day_is_one_of_the_companys_zone_and_counts_to_its_end() {
        let filter = read("from=2026-10-25&to=2026-10-25").unwrap();
        let instant = |text: &str| text.parse::<Timestamp>().ok();
        assert_eq!(filter.from, instant("2026-10-24T22:00:00Z"));
        // The clocks were put back that day.
        assert_eq!(filter.to, instant("2026-10-25T23:00:00Z"));
        let filter = read("from=2026-10-25T10:00:00%2B02:00&to=2026-10-25T09:00:00Z").unwrap();
        assert_eq!(filter.from, instant("2026-10-25T08:00:00Z"));
        assert_eq!(filter.to, instant("2026-10-25T09:00:00Z"));
    }

    #[test]
    fn every_condition_is_read() {
        let query =
            "column.Citt%C3%A0=L%27Aquila&column.=x&language=en&outcome=partial&status=completed";
        let expected = ContactFilter {
            columns: [("Città", "L'Aquila"), ("", "x")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            language: Some(Language::En),
            outcome: Some(Outcome::Partial),
            status: Some(TaskStatus::Completed),
            ..ContactFilter::default()
        };
        assert_eq!(read(query), Ok(expected));
        assert_eq!(read(""), Ok(ContactFilter::default()));
    }

    #[test]
    fn several_cells_may_be_named() {
        let filter = read("cell=North%2C+18-34&status=completed&cell=Forl%C3%AC").unwrap();
        let cells = ["Forlì", "North, 18-34"].map(ToOwned::to_owned);
        assert_eq!(filter.cells, cells.into());
        assert_eq!(filter.status, Some(TaskStatus::Completed));
    }

    #[test]
    fn a_parameter_is_given_once() {
        for query in [
            "column.City=Roma&column.City=Bari",
            "from=2026-11-21&from=2026-11-22",
            "kind=results&kind=answers",
        ] {
            let uri = format!("/?{query}").parse().unwrap();
            let query = axum::extract::Query::<ContactFilterQuery>::try_from_uri(&uri);
            let name = uri.query().unwrap().split_once('=').unwrap().0;
            let error = query.unwrap_err().body_text();
            assert!(
                error.contains(&format!("duplicate field `{name}`")),
                "{error}"
            );
        }
    }

    #[test]
    fn whatever_is_wrong_is_named() {
        for (query, name) in [
            ("from=yesterday", "from"),
            ("to=2026-13-01", "to"),
            ("from=2026-11-22&to=2026-11-21", "to"),
            ("language=xx", "language"),
            ("outcome=happy", "outcome"),
            ("status=done", "status"),
            ("region=north", "region"),
            ("cell=north&cell=north", "cell"),
        ] {
            let error = read(query).unwrap_err();
            assert!(
                error.contains(&format!("field: \"{name}\"")),
                "{query}: {error}"
            );
        }
    }
}
