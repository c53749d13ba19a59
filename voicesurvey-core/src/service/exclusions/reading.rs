//! Reading what people write about exclusions: numbers and notes.

use super::Keeper;
use crate::blank::trimmed;
use crate::call_list::{reason, same_anywhere};
use crate::phone_number::{PhoneNumber, Region};
use crate::ports::UnitOfWork;
use crate::service::error::{FieldError, ServiceError};

/// The longest note or reason, in characters.
const LONGEST_NOTE: usize = 1_000;

/// A text for people, without what a store may refuse; one that is blank is none.
pub(super) fn note(
    field: &str,
    text: Option<String>,
    errors: &mut Vec<FieldError>,
) -> Option<String> {
    let text = crate::call_list::clean(trimmed(&text?));
    if text.chars().count() > LONGEST_NOTE {
        let message = format!("use at most {LONGEST_NOTE} characters");
        errors.push(FieldError::new(field, message));
    }
    (!text.is_empty()).then_some(text)
}

/// Reads numbers as the keeper's people write them.
pub(super) struct NumberReader(Option<Region>);

impl NumberReader {
    /// In that region, or in that of the keeper's company.
    pub(super) async fn of(
        work: &mut dyn UnitOfWork,
        keeper: &Keeper,
        region: Option<Region>,
    ) -> Result<Self, ServiceError> {
        let Some(company_id) = keeper.company_id().filter(|_| region.is_none()) else {
            return Ok(Self(region));
        };
        let company = work.companies().get(company_id).await?;
        let company = company.ok_or(ServiceError::NotFound { what: "company" })?;
        Ok(Self(Some(company.region)))
    }

    /// The number, or what is wrong with the text.
    pub(super) fn read(&self, text: &str) -> Result<PhoneNumber, String> {
        let read = match self.0 {
            Some(region) => PhoneNumber::parse(text, region),
            None => same_anywhere(|region| PhoneNumber::parse(text, region)),
        };
        read.map_err(|error| reason(error, self.0))
    }

    /// Where numbers without a country code belong.
    pub(super) const fn region(&self) -> Option<Region> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_a_country_code_is_read_in_a_region_only() {
        let (rome, nowhere) = (NumberReader(Some(Region::IT)), NumberReader(None));
        let number: PhoneNumber = "+393471234567".parse().unwrap();
        assert_eq!(rome.read("347 123 4567"), Ok(number));
        for text in ["+39 347 123 4567", "0039 347 1234567"] {
            assert_eq!(nowhere.read(text), Ok(number), "{text}");
        }
        for text in ["347 123 4567", "020 7946 0018"] {
            let refused = nowhere.read(text).unwrap_err();
            assert!(refused.contains("country code"), "{text}: {refused}");
        }
        assert_eq!(nowhere.read(""), Err("Empty phone number".to_owned()));
    }

    #[test]
    fn a_note_is_kept_as_one_line_and_not_endlessly() {
        let mut errors = Vec::new();
        let kept = note("reason", Some(" said\nso ".to_owned()), &mut errors);
        assert_eq!(kept.as_deref(), Some("said so"));
        assert_eq!(note("reason", Some("  ".to_owned()), &mut errors), None);
        assert_eq!(errors, []);
        note("reason", Some("x".repeat(LONGEST_NOTE + 1)), &mut errors);
        assert_eq!(errors[0].field, "reason");
    }
}
