//! The cluster of a test process, or of all processes of one run of nextest, which makes a process
//! for every test.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

/// What becomes of what a cluster has committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// It need not outlive the server. It is kept in memory, where there is room: every database
    /// is some hundred files, and making and removing them is what takes longest on a disk.
    ThrownAway,
    /// It outlives the server's death; everything that makes it so is on by default.
    Durable,
}

impl Durability {
    /// What a server need not do.
    const fn options(self) -> &'static str {
        match self {
            Self::ThrownAway => "-c fsync=off -c synchronous_commit=off -c full_page_writes=off",
            Self::Durable => "",
        }
    }

    /// The place of the data, as `cluster.sh` knows it.
    const fn place(self) -> &'static str {
        match self {
            Self::ThrownAway => "memory",
            Self::Durable => "disk",
        }
    }
}

/// The process that stops a cluster and removes it: when the first is closed, at the end of this
/// process at the latest. The second ends when that is done.
type Watcher = (ChildStdin, BufReader<ChildStdout>);

/// A running cluster.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) folder: PathBuf,
    _watcher: Option<Watcher>,
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
            Err(_) => own(&programs, Durability::ThrownAway),
        });
        cluster.unwrap_or_else(|why| panic!("no test cluster can be started: {why}"))
    })
}

/// A cluster for this process alone.
pub(super) fn own(programs: &Path, durability: Durability) -> Result<Cluster, Box<dyn Error>> {
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
        start(programs, &folder, Durability::ThrownAway, Some(owner))?;
        File::create(started)?;
    }
    Ok(Cluster {
        folder,
        _watcher: None,
    })
}

/// Starts a cluster in the folder, with the watcher that removes both when `owner` is gone, or
/// when the returned input is closed.
fn start(
    programs: &Path,
    folder: &Path,
    durability: Durability,
    owner: Option<u32>,
) -> Result<Option<Watcher>, Box<dyn Error>> {
    let mut watcher = Command::new("sh");
    watcher
        .args(["-c", include_str!("cluster.sh"), "sh"])
        .arg(programs)
        .arg(folder)
        .arg(options(folder, durability))
        .arg(durability.place())
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
    let mut stdout = watcher.stdout.take().map(BufReader::new);
    if let Some(stdout) = &mut stdout {
        stdout.read_line(&mut answer)?;
    }
    if answer.trim() == "ready" {
        return Ok(watcher.stdin.take().zip(stdout));
    }
    let said = |file| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
    let (start, log) = (said("start"), said("log"));
    Err(format!("it does not start:\n{start}{log}").into())
}

/// The server's options: reached by a socket in its folder only.
pub(super) fn options(folder: &Path, durability: Durability) -> String {
    let folder = folder.display();
    let durability = durability.options();
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

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn nothing_of_a_cluster_is_left_behind() {
        let cluster = own(&programs().unwrap(), Durability::ThrownAway).unwrap();
        let Cluster {
            folder,
            _watcher: watcher,
        } = cluster;
        let data = std::fs::canonicalize(folder.join("data")).unwrap();
        assert!(data.join("postmaster.pid").exists());
        let (input, mut output) = watcher.unwrap();
        drop(input);
        output.read_to_string(&mut String::new()).unwrap();
        assert!(!data.exists() && !folder.exists());
    }

    #[test]
    fn a_cluster_that_is_to_last_is_on_a_disk() {
        let cluster = own(&programs().unwrap(), Durability::Durable).unwrap();
        let data = cluster.folder.join("data").symlink_metadata().unwrap();
        assert!(data.is_dir(), "it is no link to elsewhere");
    }
}
