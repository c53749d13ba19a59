//! The skillbase: who speaks in the name of a company, and how.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{CompanyId, SkillbaseId};
use crate::language::Language;
use crate::time::Timestamp;

/// A voice with its manners. A campaign that starts keeps a copy, so later edits do not reach it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Skillbase {
    /// Its identifier.
    pub id: SkillbaseId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// What people call it.
    pub name: String,
    /// The language it speaks.
    pub language: Language,
    /// The provider's name of the voice; absent means the provider's default for the language.
    pub voice: Option<String>,
    /// Role, style, rules and facts.
    pub persona: Persona,
    /// After this time the call is ended politely.
    #[serde(with = "seconds")]
    pub longest_call: Duration,
    /// Spoken when a call ends before the interview is complete.
    pub closing: Option<String>,
    /// The one a campaign in this language gets when it names none. At most one per language.
    pub is_default: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last edited.
    pub updated_at: Timestamp,
    /// Rises by one on every edit.
    pub version: u32,
}

impl Skillbase {
    /// How long a call may last when nothing else is said.
    pub const DEFAULT_LONGEST_CALL: Duration = Duration::from_mins(10);

    /// The skillbase that every company gets for `language`.
    pub fn default_for(
        id: SkillbaseId,
        company_id: CompanyId,
        language: Language,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            company_id,
            name: format!("Default ({})", language.name()),
            language,
            voice: None,
            persona: Persona::default(),
            longest_call: Self::DEFAULT_LONGEST_CALL,
            closing: None,
            is_default: true,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }
}

/// How the voice presents itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Persona {
    /// Who it is: "assistant of the customer service".
    pub role: String,
    /// How it speaks: "friendly, short sentences".
    pub style: String,
    /// What it must and must not do.
    pub rules: Vec<String>,
    /// What it may say when asked.
    pub facts: Vec<String>,
}

/// Durations as whole seconds.
pub(crate) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(value.as_secs())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_secs)
    }
}
