//! What a column of a call list can hold that the product understands.

use std::fmt;
use std::str::FromStr;

/// What a column holds. Every other column is kept as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The number to be dialed.
    PhoneNumber,
    /// The name, or the part of it that is not in another column.
    Name,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The language to be spoken.
    Language,
    /// The person's time zone.
    TimeZone,
    /// Who is called first.
    Priority,
    /// The person's identifier in somebody's own files.
    ExternalId,
    /// The e-mail address.
    Email,
    /// Who must not be called.
    DoNotCall,
    /// Who has agreed to be called.
    HasPriorConsent,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 11] = [
        Self::PhoneNumber,
        Self::Name,
        Self::FirstName,
        Self::LastName,
        Self::Language,
        Self::TimeZone,
        Self::Priority,
        Self::ExternalId,
        Self::Email,
        Self::DoNotCall,
        Self::HasPriorConsent,
    ];

    /// The name in a mapping, and of the column in the product's own files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PhoneNumber => "phone_number",
            Self::Name => "name",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Language => "language",
            Self::TimeZone => "time_zone",
            Self::Priority => "priority",
            Self::ExternalId => "external_id",
            Self::Email => "email",
            Self::DoNotCall => "do_not_call",
            Self::HasPriorConsent => "has_prior_consent",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names nothing that a column can be mapped to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no column can be mapped to '{0}': use phone_number, name, first_name, last_name, language, \
     time_zone, priority, external_id, email, do_not_call or has_prior_consent"
)]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text.trim())
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_named_in_one_way() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        let error = "telefono".parse::<Role>().unwrap_err().to_string();
        for role in Role::ALL {
            assert!(error.contains(role.name()), "{role} in {error}");
        }
    }
}
