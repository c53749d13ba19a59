//! URLs of databases on one server.

/// A server's URL, up to the user and from the database on.
#[derive(Clone, Debug)]
pub(super) struct ServerUrl {
    /// Host and port.
    pub(super) place: String,
    /// What follows the database, with its question mark.
    pub(super) query: String,
}

impl ServerUrl {
    /// Takes a URL apart; `None` when it is none.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let (_, rest) = url.split_once("://")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{query}")
        };
        let authority = rest.split('/').next().unwrap_or_default();
        let place = authority.rsplit('@').next().unwrap_or_default().to_owned();
        Some(Self { place, query })
    }

    /// The URL of a database, for the role of the tests.
    pub(super) fn of_database(&self, database: &str) -> String {
        let role = super::ROLE;
        format!(
            "postgres://{role}:{role}@{}/{database}{}",
            self.place, self.query
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_reached_where_its_server_is() {
        for (server, database) in [
            (
                "postgres://postgres@localhost/postgres?host=/tmp/x",
                "postgres://voicesurvey_test:voicesurvey_test@localhost/d?host=/tmp/x",
            ),
            (
                "postgresql://admin:p%40ss@db.example:6543",
                "postgres://voicesurvey_test:voicesurvey_test@db.example:6543/d",
            ),
        ] {
            assert_eq!(ServerUrl::parse(server).unwrap().of_database("d"), database);
        }
        assert!(ServerUrl::parse("localhost").is_none());
    }
}
