//! The cluster of a test process, or of all processes of one run of nextest, which makes a process
//! for every test.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// A running cluster.
#[derive(Debug)]
pub(super) struct Cluster {
    folder: PathBuf,
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
        let cluster = match std::env::var("NEXTEST_RUN_ID") {
            Ok(run) => shared(&run),
            Err(_) => own(),
        };
        cluster.unwrap_or_else(|why| panic!("{why}"))
    })
}

/// A cluster for this process alone.
fn own() -> Result<Cluster, String> {
    let folder = tempfile::Builder::new()
        .prefix("voicesurvey-")
        .tempdir()
        .map_err(failed)?;
    // The watcher removes the folder.
    let folder = folder.keep();
    let watcher = start(&folder, None)?;
    Ok(Cluster {
        folder,
        _watcher: watcher,
    })
}

/// The cluster of a run of nextest, which owns it; the first test starts it, the others wait.
fn shared(run: &str) -> Result<Cluster, String> {
    let folder = std::env::temp_dir().join(format!("voicesurvey-{run}"));
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let lock = File::create(folder.join("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let started = folder.join("started");
    if !started.exists() {
        start(&folder, Some(std::os::unix::process::parent_id()))?;
        File::create(started).map_err(failed)?;
    }
    Ok(Cluster {
        folder,
        _watcher: None,
    })
}

fn failed(error: std::io::Error) -> String {
    format!("no test cluster can be started: {error}")
}

/// Starts a cluster in the folder, with the watcher that removes both when `owner` is gone, or
/// when what is returned is closed.
fn start(folder: &Path, owner: Option<u32>) -> Result<Option<ChildStdin>, String> {
    let programs = programs().ok_or(
        "tests need PostgreSQL: install it (Debian: apt-get install postgresql; \
         macOS: brew install postgresql), or name a server in VOICESURVEY_TEST_DATABASE_URL",
    )?;
    let mut watcher = Command::new("sh");
    watcher
        .args(["-c", include_str!("cluster.sh"), "sh"])
        .arg(&programs)
        .arg(folder)
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
        std::os::unix::fs::chown(folder, Some(user), Some(group)).map_err(failed)?;
        watcher.uid(user).gid(group);
    }
    let mut watcher = watcher.spawn().map_err(failed)?;
    let mut answer = String::new();
    if let Some(stdout) = watcher.stdout.take() {
        BufReader::new(stdout)
            .read_line(&mut answer)
            .map_err(failed)?;
    }
    if answer.trim() == "ready" {
        return Ok(watcher.stdin.take());
    }
    let said = |file| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
    let (start, log) = (said("start"), said("log"));
    Err(format!("the test cluster did not start:\n{start}{log}"))
}

/// The folder of `initdb` and `pg_ctl`: the newest that Debian installed, else the one on PATH.
fn programs() -> Option<PathBuf> {
    let has_programs = |folder: &Path| {
        ["initdb", "pg_ctl", "postgres"]
            .iter()
            .all(|name| folder.join(name).is_file())
    };
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .map(|(version, path)| (version, path.join("bin")))
        .filter(|(_, path)| has_programs(path))
        .collect();
    versions.sort();
    let on_path = std::env::var_os("PATH");
    let on_path = on_path
        .iter()
        .flat_map(std::env::split_paths)
        .find(|path| has_programs(path));
    versions.pop().map(|(_, path)| path).or(on_path)
}

/// User and group to run as instead of root; `None` when we are not root.
fn unprivileged() -> Result<Option<(u32, u32)>, String> {
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    let install = "as root, tests run PostgreSQL as the user 'postgres', and there is none: \
                   install PostgreSQL, or run as somebody else";
    let postgres = |what| id(&[what, "postgres"]).map_err(|_| install.to_owned());
    Ok(Some((postgres("-u")?, postgres("-g")?)))
}

/// Asks the program `id`, because the standard library does not know who we are.
fn id(arguments: &[&str]) -> Result<u32, String> {
    let output = Command::new("id")
        .args(arguments)
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .map_err(|_| format!("id {} says {text:?}", arguments.join(" ")))
}
