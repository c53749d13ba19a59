//! The cluster of a test process, or of all processes of one run of nextest, which makes a process
//! for every test.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// What a cluster that is thrown away need not do.
const THROW_AWAY: &str = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off";

/// A running cluster.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) folder: PathBuf,
    /// The watcher stops the cluster when this is closed: at the end of the process.
    _watcher: Option<ChildStdin>,
}

impl Cluster {
    /// The URL of its maintenance database, as superuser.
    pub(super) fn url(&self) -> String {
        let folder = self.folder.display();
        format!("postgres://postgres@localhost/postgres?host={folder}")
    }
}

/// The cluster of this process, started when it is first asked for.
///
/// # Panics
///
/// Panics when PostgreSQL is not installed or does not start.
pub(super) fn running_cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let cluster = programs().and_then(|programs| match std::env::var("NEXTEST_RUN_ID") {
            Ok(run) => shared(&programs, &run),
            Err(_) => own(&programs, THROW_AWAY),
        });
        cluster.unwrap_or_else(|why| panic!("no test cluster can be started: {why}"))
    })
}

/// A cluster for this process alone.
pub(super) fn own(programs: &Path, durability: &str) -> Result<Cluster, Box<dyn Error>> {
    let folder = tempfile::Builder::new().prefix("voicesurvey-").tempdir()?;
    // The watcher removes the folder.
    let folder = folder.keep();
    let watcher = start(programs, &folder, durability, None)?;
    Ok(Cluster {
        folder,
        _watcher: watcher,
    })
}

/// The cluster of a run of nextest, which owns it; the first test starts it, the others wait.
fn shared(programs: &Path, run: &str) -> Result<Cluster, Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("voicesurvey-{run}"));
    std::fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    let started = folder.join("started");
    if !started.exists() {
        let owner = std::os::unix::process::parent_id();
        start(programs, &folder, THROW_AWAY, Some(owner))?;
        File::create(started)?;
    }
    Ok(Cluster {
        folder,
        _watcher: None,
    })
}

/// Starts a cluster in the folder, with the watcher that removes both when `owner` is gone, or
/// when what is returned is closed.
fn start(
    programs: &Path,
    folder: &Path,
    durability: &str,
    owner: Option<u32>,
) -> Result<Option<ChildStdin>, Box<dyn Error>> {
    let mut watcher = Command::new("sh");
    watcher
        .args(["-c", include_str!("cluster.sh"), "sh"])
        .arg(programs)
        .arg(folder)
        .arg(options(folder, durability))
        .args(owner.map(|owner| owner.to_string()))
        .stdin(if owner.is_some() {
            Stdio::null()
        } else {
            Stdio::piped()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .current_dir("/")
        // Out of reach of a Ctrl-C that ends the tests.
        .process_group(0);
    if let Some((user, group)) = unprivileged()? {
        std::os::unix::fs::chown(folder, Some(user), Some(group))?;
        watcher.uid(user).gid(group);
    }
    let mut watcher = watcher.spawn()?;
    let mut answer = String::new();
    if let Some(stdout) = watcher.stdout.take() {
        BufReader::new(stdout).read_line(&mut answer)?;
    }
    if answer.trim() == "ready" {
        return Ok(watcher.stdin.take());
    }
    let said = |file| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
    let (start, log) = (said("start"), said("log"));
    Err(format!("it does not start:\n{start}{log}").into())
}

/// The server's options: reached by a socket in its folder only.
pub(super) fn options(folder: &Path, durability: &str) -> String {
    let folder = folder.display();
    format!(
        "-c listen_addresses='' -c unix_socket_directories='{folder}' -c max_connections=300 \
         -c shared_buffers=64MB {durability}"
    )
}

/// The folder of `initdb` and `pg_ctl`: the newest that Debian installed, else the one on PATH.
pub(super) fn programs() -> Result<PathBuf, Box<dyn Error>> {
    let has_programs = |folder: &Path| {
        let mut programs = ["initdb", "pg_ctl", "postgres"].iter();
        programs.all(|name| folder.join(name).is_file())
    };
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let mut versions: Vec<(u32, PathBuf)> = versions
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .map(|(version, path)| (version, path.join("bin")))
        .filter(|(_, path)| has_programs(path))
        .collect();
    versions.sort();
    if let Some((_, newest)) = versions.pop() {
        return Ok(newest);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|folder| has_programs(folder));
    let install = "PostgreSQL is not installed. Install it (Debian: apt-get install postgresql; \
                   macOS: brew install postgresql), or name a server in \
                   VOICESURVEY_TEST_DATABASE_URL";
    on_path.ok_or_else(|| install.into())
}

/// User and group to run as instead of root; `None` when we are not root.
pub(super) fn unprivileged() -> Result<Option<(u32, u32)>, Box<dyn Error>> {
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    let postgres = |what| {
        id(&[what, "postgres"])
            .map_err(|_| "as root it runs as the user 'postgres', and there is none")
    };
    Ok(Some((postgres("-u")?, postgres("-g")?)))
}

/// Asks the program `id`, because the standard library does not know who we are.
fn id(arguments: &[&str]) -> Result<u32, Box<dyn Error>> {
    let output = Command::new("id").args(arguments).output()?;
    Ok(std::str::from_utf8(&output.stdout)?.trim().parse()?)
}
