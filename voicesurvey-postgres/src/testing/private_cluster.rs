//! A cluster of one test's own, which may be killed and started again.
//!
//! Unlike the cluster that tests share it keeps what it has committed: `fsync` and its companions
//! are as PostgreSQL has them by default.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::cluster::{self, Cluster, Durability};
use super::server_url::ServerUrl;
use super::{ROLE, make_role};
use crate::migrations;

const DATABASE: &str = "survey";

/// How often a start is tried: the processes of a server that was killed are gone a moment after
/// it, and until then no other one starts.
const STARTS: usize = 100;

/// A durable cluster of its own, reached by a socket only. It is removed with this value, and when
/// the process ends.
#[derive(Debug)]
pub struct PrivateCluster {
    cluster: Cluster,
    programs: PathBuf,
    user: Option<(u32, u32)>,
}

/// All functions but [`create_database`](Self::create_database) block until they are done.
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test cannot go on without its cluster"
)]
impl PrivateCluster {
    /// Makes a cluster and starts it. Needs PostgreSQL's programs on this machine.
    pub fn start() -> Self {
        let programs = cluster::programs().expect("PostgreSQL is installed");
        Self {
            cluster: cluster::own(&programs, Durability::Durable)
                .expect("a cluster can be started"),
            user: cluster::unprivileged().expect("there is a user to run as"),
            programs,
        }
    }

    /// Makes the one database of the cluster, migrated and empty, and returns its URL. It belongs
    /// to a role that is no superuser.
    pub async fn create_database(&self) -> String {
        let url = self.cluster.url();
        let server: PgConnectOptions = url.parse().expect("the cluster's URL is one");
        let mut server: PgConnection = server.connect().await.expect("the cluster answers");
        make_role(&mut server).await.expect("a role can be made");
        let create = format!("CREATE DATABASE {DATABASE} OWNER {ROLE}");
        server
            .execute(AssertSqlSafe(create))
            .await
            .expect("a database can be made");
        server.close().await.expect("the cluster says goodbye");
        let server = ServerUrl::parse(&url).expect("the cluster's URL is one");
        let url = server.of_database(DATABASE);
        let owner: PgConnectOptions = url.parse().expect("the database's URL is one");
        let mut owner = owner.connect().await.expect("the role can log in");
        migrations::migrate(&mut owner)
            .await
            .expect("the migrations can be applied");
        owner.close().await.expect("the database says goodbye");
        url
    }

    /// Kills the server as `kill -9` does. What it has not committed is gone.
    pub fn kill(&self) {
        let file = self.cluster.folder.join("data/postmaster.pid");
        let file = std::fs::read_to_string(file).expect("the server is running");
        let process = file.lines().next().expect("the file names the process");
        let killed = Command::new("kill").args(["-KILL", process]).status();
        assert!(killed.is_ok_and(|status| status.success()), "it is killed");
    }

    /// Stops the server without a word to anybody and without a checkpoint.
    pub fn stop_immediately(&self) {
        let stop = ["stop", "--wait", "--mode=immediate"];
        assert!(self.pg_ctl(&stop), "the server stops");
    }

    /// Starts the server after it was killed or stopped. It has recovered when this returns.
    pub fn start_again(&self) {
        let log = self.cluster.folder.join("log");
        let start = [
            "start".to_owned(),
            "--wait".to_owned(),
            format!("--log={}", log.display()),
            format!(
                "--options={}",
                cluster::options(&self.cluster.folder, Durability::Durable)
            ),
        ];
        let start: Vec<&str> = start.iter().map(String::as_str).collect();
        let started = (0..STARTS).any(|_| self.pg_ctl(&start));
        let log = std::fs::read_to_string(log).unwrap_or_default();
        assert!(started, "the server does not start:\n{log}");
    }

    fn pg_ctl(&self, arguments: &[&str]) -> bool {
        let mut pg_ctl = Command::new(self.programs.join("pg_ctl"));
        pg_ctl
            .args(arguments)
            .arg("--pgdata")
            .arg(self.cluster.folder.join("data"))
            // The server would keep our pipes open.
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/");
        if let Some((user, group)) = self.user {
            pg_ctl.uid(user).gid(group);
        }
        pg_ctl.status().is_ok_and(|status| status.success())
    }
}
