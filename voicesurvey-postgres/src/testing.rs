//! Throw-away databases for tests: real ones, so that nothing is tested against an imitation.
//!
//! The first database starts a cluster of its own for the test process: in a temporary folder,
//! reached by a socket only, without `fsync`, its data in memory (`/dev/shm`) where there is room. A
//! watcher that holds a pipe to the process removes it when the process ends, even when it is
//! killed. The processes of one run of nextest share one. As root it runs as the user `postgres`,
//! because PostgreSQL refuses root.
//!
//! With `VOICESURVEY_TEST_DATABASE_URL` databases are made on that server instead; its user must be
//! a superuser.
//!
//! Databases belong to a role that is no superuser, so that row-level security is in force.

mod cluster;
mod private_cluster;
mod server_url;

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tokio::sync::OnceCell;
use voicesurvey_core::number_keys::NumberKeys;

pub use self::private_cluster::PrivateCluster;
use self::server_url::ServerUrl;
use crate::migrations::{self, MIGRATOR};
use crate::storage::{PostgresOptions, PostgresStorage};

/// Owns the databases.
const ROLE: &str = "voicesurvey_test";

/// Held while roles and templates are made, because test processes may share a server.
const SETUP_LOCK: i64 = 7_236_918_102;

/// The template that this process has seen to.
static TEMPLATE: OnceCell<Template> = OnceCell::const_new();
static MADE: AtomicU32 = AtomicU32::new(0);

/// A migrated database from which others are copied.
#[derive(Debug)]
struct Template {
    server: PgConnectOptions,
    server_url: ServerUrl,
    name: String,
}

/// A database of its own, migrated and empty; it is dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    storage: PostgresStorage,
    name: String,
    server: PgConnectOptions,
}

impl TestDatabase {
    /// Makes a database.
    ///
    /// # Panics
    ///
    /// Panics when PostgreSQL is not installed or cannot be used, and says what to do.
    pub async fn create() -> Self {
        Self::copy_of(&template().await.name).await
    }

    /// Makes a database that nobody has migrated.
    ///
    /// # Panics
    ///
    /// Like [`create`](Self::create).
    pub async fn create_empty() -> Self {
        Self::copy_of("template0").await
    }

    #[expect(
        clippy::expect_used,
        reason = "a test cannot go on without its database"
    )]
    async fn copy_of(original: &str) -> Self {
        let template = template().await;
        let serial = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("voicesurvey_test_{}_{serial}", std::process::id());
        let mut server = template
            .server
            .connect()
            .await
            .expect("the test server answers");
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        server
            .execute(AssertSqlSafe(drop))
            .await
            .expect("an old database can be dropped");
        let create = format!("CREATE DATABASE {name} TEMPLATE {original} OWNER {ROLE}");
        server
            .execute(AssertSqlSafe(create))
            .await
            .expect("a database can be made");
        server.close().await.expect("the test server says goodbye");
        let url = template.server_url.of_database(&name);
        let storage = PostgresStorage::connect(&url, &PostgresOptions::default())
            .await
            .expect("the test database answers")
            .with_number_keys(
                NumberKeys::new(["a key that is known to every reader"])
                    .expect("it is long enough"),
            );
        Self {
            url,
            storage,
            name,
            server: template.server.clone(),
        }
    }

    /// The database's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Changes rows of any company behind the store's back.
    ///
    /// # Panics
    ///
    /// Panics when the statement is refused.
    #[expect(clippy::expect_used, reason = "a test cannot go on without the damage")]
    pub async fn damage(&self, statement: &'static str) {
        let mut connection = PgConnection::connect(&self.url)
            .await
            .expect("the test database answers");
        let see_all = "SET voicesurvey.scope = 'platform'";
        connection.execute(see_all).await.expect("a setting");
        connection.execute(statement).await.expect("a statement");
    }

    /// A store on the database.
    pub const fn storage(&self) -> &PostgresStorage {
        &self.storage
    }
}

impl Drop for TestDatabase {
    /// Drops the database, from a thread of its own because this may be within a runtime.
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let server = self.server.clone();
        let dropper = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let mut server = server.connect().await.map_err(std::io::Error::other)?;
                server
                    .execute(AssertSqlSafe(drop))
                    .await
                    .map_err(std::io::Error::other)
            })
        });
        // OK because a database that stays behind goes with its cluster; the test is not at fault.
        if !matches!(dropper.join(), Ok(Ok(_))) {
            tracing::warn!(database = self.name, "a test database could not be dropped");
        }
    }
}

async fn template() -> &'static Template {
    TEMPLATE.get_or_init(make_template).await
}

/// Makes sure of the role and of a template with exactly our migrations.
#[expect(
    clippy::expect_used,
    reason = "a test cannot go on without its database"
)]
async fn make_template() -> Template {
    let server_url = std::env::var("VOICESURVEY_TEST_DATABASE_URL")
        .unwrap_or_else(|_| cluster::running_cluster().url());
    let server: PgConnectOptions = server_url.parse().expect("the test server's URL is one");
    let server_url = ServerUrl::parse(&server_url).expect("the test server's URL is one");
    let name = template_name();
    let mut connection = server.connect().await.expect("the test server answers");
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(SETUP_LOCK)
        .execute(&mut connection)
        .await
        .expect("others finish setting up");
    make_role(&mut connection)
        .await
        .expect("a role can be made by the test server's user");
    let exists =
        sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1 AND datallowconn = false")
            .bind(name.clone())
            .fetch_optional(&mut connection)
            .await
            .expect("databases can be listed");
    if exists.is_none() {
        let begun = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        connection
            .execute(AssertSqlSafe(begun))
            .await
            .expect("half a template can be dropped");
        let create = format!("CREATE DATABASE {name} TEMPLATE template0 OWNER {ROLE}");
        connection
            .execute(AssertSqlSafe(create))
            .await
            .expect("a template can be made");
        let owner: PgConnectOptions = server_url.of_database(&name).parse().expect("a URL");
        let mut owner = owner.connect().await.expect("the role can log in");
        migrations::migrate(&mut owner)
            .await
            .expect("the migrations can be applied");
        owner.close().await.expect("the template says goodbye");
        let seal = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false");
        connection
            .execute(AssertSqlSafe(seal))
            .await
            .expect("the template can be sealed");
    }
    // Closing gives the lock back.
    connection
        .close()
        .await
        .expect("the test server says goodbye");
    Template {
        server,
        server_url,
        name,
    }
}

/// A name that changes with the migrations, so that an old template is not taken for a new one.
fn template_name() -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    for migration in MIGRATOR.iter() {
        (migration.version, &migration.checksum).hash(&mut hasher);
    }
    format!("voicesurvey_template_{:016x}", hasher.finish())
}

async fn make_role(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let exists = sqlx::query("SELECT 1 FROM pg_roles WHERE rolname = $1")
        .bind(ROLE)
        .fetch_optional(&mut *connection)
        .await?;
    if exists.is_none() {
        let create = format!(
            "CREATE ROLE {ROLE} LOGIN PASSWORD '{ROLE}' NOSUPERUSER NOBYPASSRLS NOCREATEROLE"
        );
        connection.execute(AssertSqlSafe(create)).await?;
    }
    Ok(())
}
