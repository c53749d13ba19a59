//! The cluster of a test process.

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
    _watcher: ChildStdin,
}

impl Cluster {
    /// The URL of its maintenance database, as superuser.
    pub(super) fn url(&self) -> String {
        format!(
            "postgres://postgres@localhost/postgres?host={}",
            self.folder.display()
        )
    }
}

/// The cluster of this process, started when it is first asked for.
///
/// # Panics
///
/// Panics when PostgreSQL is not installed or does not start.
pub(super) fn running_cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| start().unwrap_or_else(|why| panic!("{why}")))
}

fn start() -> Result<Cluster, String> {
    let programs = programs().ok_or(
        "tests need PostgreSQL: install it (Debian: apt-get install postgresql; \
         macOS: brew install postgresql), or name a server in VOICESURVEY_TEST_DATABASE_URL",
    )?;
    let failed = |error: std::io::Error| format!("no test cluster can be started: {error}");
    let folder = tempfile::Builder::new()
        .prefix("voicesurvey-")
        .tempdir()
        .map_err(failed)?;
    let mut watcher = Command::new("sh");
    watcher
        .args(["-c", include_str!("cluster.sh"), "sh"])
        .arg(&programs)
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .current_dir("/")
        // Out of reach of a Ctrl-C that ends the tests.
        .process_group(0);
    if let Some((user, group)) = unprivileged()? {
        std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).map_err(failed)?;
        watcher.uid(user).gid(group);
    }
    let mut watcher = watcher.spawn().map_err(failed)?;
    // From here on the watcher removes the folder.
    let folder = folder.keep();
    let (Some(stdin), Some(stdout)) = (watcher.stdin.take(), watcher.stdout.take()) else {
        return Err("the watcher of the test cluster has no pipes".to_owned());
    };
    let mut answer = String::new();
    BufReader::new(stdout)
        .read_line(&mut answer)
        .map_err(failed)?;
    if answer.trim() == "ready" {
        return Ok(Cluster {
            folder,
            _watcher: stdin,
        });
    }
    let said = |file| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
    Err(format!(
        "the test cluster did not start:\n{}{}",
        said("start"),
        said("log")
    ))
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
