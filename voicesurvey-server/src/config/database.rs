//! Where everything is kept.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::Deserialize;
use voicesurvey_core::number_keys::{NumberKeys, ShortNumberKey};

/// The section `database`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Which store, and where.
    pub url: DatabaseUrl,
    /// The most connections to PostgreSQL.
    pub max_connections: NonZeroU32,
    /// Keys for what remains of erased numbers.
    pub number_keys: NumberKeysSetting,
}

/// The keys for what remains of erased numbers, the one that makes new hashes first, with white space
/// between them. Shows only which ones.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct NumberKeysSetting(pub NumberKeys);

impl TryFrom<String> for NumberKeysSetting {
    type Error = ShortNumberKey;

    fn try_from(keys: String) -> Result<Self, Self::Error> {
        NumberKeys::new(keys.split_whitespace()).map(Self)
    }
}

/// The URL of a store. Shows itself without password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl {
    location: DatabaseLocation,
}

/// What a database URL names.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseLocation {
    /// A file of the embedded store.
    Sqlite(PathBuf),
    /// A PostgreSQL database; the URL with everything in it, the password too.
    Postgres(String),
}

impl DatabaseUrl {
    /// What the URL names.
    pub const fn location(&self) -> &DatabaseLocation {
        &self.location
    }
}

/// The text is no URL of a store. The error does not repeat it, because it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what}; use sqlite://FILE for the embedded store, or \
     postgres://USER:PASSWORD@HOST:PORT/DATABASE for PostgreSQL"
)]
pub struct UnknownDatabaseUrl {
    what: String,
}

impl TryFrom<String> for DatabaseUrl {
    type Error = UnknownDatabaseUrl;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        let refuse = |what: &str| {
            Err(UnknownDatabaseUrl {
                what: what.to_owned(),
            })
        };
        let Some((scheme, rest)) = url.split_once(':') else {
            return refuse("this is not a database URL");
        };
        let location = match scheme {
            "sqlite" => {
                let file = rest.strip_prefix("//").unwrap_or(rest);
                if file.is_empty() || file.starts_with(':') {
                    return refuse("the embedded store needs a file");
                }
                if file.contains('?') {
                    return refuse("the embedded store takes no options after its file");
                }
                DatabaseLocation::Sqlite(PathBuf::from(file))
            }
            "postgres" | "postgresql" if rest.len() > 2 && rest.starts_with("//") => {
                DatabaseLocation::Postgres(url)
            }
            "postgres" | "postgresql" => return refuse("the URL names no PostgreSQL server"),
            // A scheme is letters; anything else before a colon may be part of a secret.
            scheme if scheme.chars().all(|letter| letter.is_ascii_alphanumeric()) => {
                return refuse(&format!("there is no store for {scheme}://"));
            }
            _ => return refuse("this is not a database URL"),
        };
        Ok(Self { location })
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            DatabaseLocation::Sqlite(file) => write!(f, "sqlite://{}", file.display()),
            DatabaseLocation::Postgres(url) => f.write_str(&without_secrets(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl fmt::Debug for DatabaseLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => f.debug_tuple("Sqlite").field(file).finish(),
            Self::Postgres(url) => f
                .debug_tuple("Postgres")
                .field(&without_secrets(url))
                .finish(),
        }
    }
}

/// The URL without password and without options, which may hold one too.
fn without_secrets(url: &str) -> String {
    // A password may hold any of these characters by mistake, so everything up to the last @ is
    // taken for it.
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", ""));
    let (credentials, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    let place = place.split_once('?').map_or(place, |(place, _)| place);
    match credentials.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:***@{place}"),
        None if credentials.is_empty() => format!("{scheme}://{place}"),
        None => format!("{scheme}://{credentials}@{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<DatabaseUrl, UnknownDatabaseUrl> {
        DatabaseUrl::try_from(url.to_owned())
    }

    #[test]
    fn the_usual_forms_are_read() {
        for (url, file) in [
            ("sqlite://voicesurvey.db", "voicesurvey.db"),
            ("sqlite:voicesurvey.db", "voicesurvey.db"),
            (
                "sqlite:///var/lib/voicesurvey.db",
                "/var/lib/voicesurvey.db",
            ),
        ] {
            let location = DatabaseLocation::Sqlite(PathBuf::from(file));
            assert_eq!(read(url).unwrap().location(), &location, "{url}");
        }
        let url = "postgresql://localhost/voicesurvey";
        let location = DatabaseLocation::Postgres(url.to_owned());
        assert_eq!(read(url).unwrap().location(), &location);
    }

    #[test]
    fn keys_are_read_from_one_text_and_never_shown() {
        let read = |keys: &str| NumberKeysSetting::try_from(keys.to_owned());
        let (new, old) = ("n".repeat(32), "o".repeat(40));
        let both = read(&format!(" {new}\n{old} ")).unwrap();
        let first = NumberKeys::new([&new]).unwrap();
        assert_eq!(both.0.current(), first.current());
        let shown = format!("{both:?}");
        assert!(!shown.contains("nn") && !shown.contains("oo"), "{shown}");
        assert_eq!(read("").unwrap().0.current(), None);
        assert!(read(&format!("{new} short")).is_err());
    }

    #[test]
    fn a_password_is_never_shown() {
        for url in [
            "postgres://anna:secret@db:5432/survey",
            "postgres://anna:sec@ret/secret@db:5432/survey",
            "postgres://anna@db:5432/survey?password=secret",
        ] {
            let url = read(url).unwrap();
            let shown = format!("{url} {url:?} {:?}", url.location());
            assert!(!shown.contains("ret"), "{shown}");
            assert!(
                shown.contains("anna") && shown.contains("db:5432/survey"),
                "{shown}"
            );
        }
        for url in ["mysql://anna:secret@db/survey", "anna:secret@db", "secret"] {
            let error = read(url).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_opened_is_refused_with_what_can() {
        for url in [
            "mysql://db/survey",
            "",
            "voicesurvey.db",
            "sqlite://",
            "sqlite::memory:",
            "sqlite://a.db?mode=ro",
            "postgres:",
            "postgres://",
        ] {
            let error = read(url).unwrap_err().to_string();
            assert!(
                error.contains("sqlite://FILE") && error.contains("postgres://"),
                "{error}"
            );
        }
    }
}
