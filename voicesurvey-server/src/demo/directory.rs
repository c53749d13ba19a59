//! The demo's directory: its files, and the notes that let a later run go on.
//!
//! The invariant: nothing in the directory is touched but the files named here, and the notes are
//! replaced as a whole, so that a run that was killed leaves the old ones or the new ones.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::time::Timestamp;

use super::error::DemoError;

const DATABASE: &str = "demo.db";
const NOTES: &str = "demo.json";
/// What the notes are written to before they replace the old ones.
const NEW_NOTES: &str = "demo.json.new";
/// Held by whoever has the database open. It stays where it is: removing it would let two in.
const DATABASE_LOCK: &str = "demo.db.lock";

/// The result files, one per way of looking at a campaign.
pub(super) const RESULT_FILES: [&str; 3] =
    ["demo-results.csv", "demo-answers.csv", "demo-attempts.csv"];

/// A directory with a demo in it.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    path: PathBuf,
}

/// What a later run needs to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Notes {
    /// The demo's company.
    pub(super) company_id: CompanyId,
    /// A key of that company, to be shown again. Why the file is only for its owner to read.
    pub(super) api_key: String,
    /// The demo's campaign, once there is one.
    pub(super) campaign_id: Option<CampaignId>,
    /// The seed of the people.
    pub(super) seed: u64,
    /// What the demo's clock showed about a second ago, or when the run ended.
    pub(super) now: Timestamp,
}

impl Directory {
    /// Makes sure that there is a directory.
    pub(super) fn create(path: &Path) -> Result<Self, DemoError> {
        fs::create_dir_all(path).map_err(DemoError::file("create the directory", path.into()))?;
        Ok(Self { path: path.into() })
    }

    /// The database file.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// One of [`RESULT_FILES`].
    pub(super) fn result_file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What a result file is written to before it replaces an older one.
    pub(super) fn new_result_file(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.new"))
    }

    /// Removes the files of an earlier run, if no program has its database open. Without notes
    /// there was none, and whatever has the names of the demo's files is somebody else's.
    pub(super) fn clear(&self) -> Result<(), DemoError> {
        let notes = self.path.join(NOTES);
        if !notes.exists() {
            return Ok(());
        }
        let _lock = self.lock_database()?;
        // The log of the database goes first, because a new database would take it for its own,
        // and the notes last, so that what is left after a kill can be removed.
        let mut paths = Vec::from(
            ["demo.db-wal", "demo.db-shm", DATABASE, NEW_NOTES].map(|name| self.path.join(name)),
        );
        paths.extend(RESULT_FILES.map(|name| self.result_file(name)));
        paths.extend(RESULT_FILES.map(|name| self.new_result_file(name)));
        paths.push(notes);
        for path in paths {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(DemoError::file("remove", path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn lock_database(&self) -> Result<Option<File>, DemoError> {
        let path = self.path.join(DATABASE_LOCK);
        let file = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(DemoError::file("open", path)(error)),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Err(DemoError::InUse {
                path: self.database(),
            }),
            Err(TryLockError::Error(error)) => Err(DemoError::file("lock", path)(error)),
        }
    }

    /// The notes of an earlier run; `None` if there was none.
    pub(super) fn read_notes(&self) -> Result<Option<Notes>, DemoError> {
        let path = self.path.join(NOTES);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(DemoError::file("read", path)(error)),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|source| DemoError::UnreadableNotes { path, source })
    }

    /// Replaces the notes.
    pub(super) fn write_notes(&self, notes: &Notes) -> Result<(), DemoError> {
        let new = self.path.join(NEW_NOTES);
        let path = self.path.join(NOTES);
        let write = || {
            let mut file = create_private(&new)?;
            serde_json::to_writer_pretty(&mut file, notes)?;
            file.write_all(b"\n")?;
            fs::rename(&new, &path)
        };
        write().map_err(DemoError::file("write", path.clone()))
    }
}

/// Creates an empty file that only its owner can read.
fn create_private(path: &Path) -> io::Result<File> {
    // A file that is there keeps its permissions when it is opened, so it goes first.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes() -> Notes {
        Notes {
            company_id: CompanyId::from_uuid(uuid::Uuid::from_u128(7)),
            api_key: "vsk_secret".to_owned(),
            campaign_id: None,
            seed: 1,
            now: "2026-10-06T06:55:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn notes_read_back_and_are_private() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::create(&temporary.path().join("new/demo")).unwrap();
        assert_eq!(directory.read_notes().unwrap(), None);
        directory.write_notes(&notes()).unwrap();
        directory.write_notes(&notes()).unwrap();
        assert_eq!(directory.read_notes().unwrap(), Some(notes()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let metadata = fs::metadata(directory.path.join(NOTES)).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn half_a_file_of_notes_says_what_to_do() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::create(temporary.path()).unwrap();
        fs::write(temporary.path().join(NOTES), "{\"company_id\": ").unwrap();
        let error = directory.read_notes().unwrap_err().to_string();
        assert!(error.contains("--restart"), "{error}");
    }

    #[test]
    fn clearing_leaves_what_is_not_the_demos() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::create(temporary.path()).unwrap();
        for name in [
            "demo.db",
            "demo.json",
            "demo-results.csv",
            "results.csv",
            "thesis.txt",
        ] {
            fs::write(temporary.path().join(name), "x").unwrap();
        }
        directory.clear().unwrap();
        let mut left: Vec<_> = fs::read_dir(temporary.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["results.csv", "thesis.txt"]);
    }

    #[test]
    fn where_no_demo_has_run_nothing_is_cleared() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::create(temporary.path()).unwrap();
        fs::write(directory.database(), "somebody's").unwrap();
        directory.clear().unwrap();
        assert!(directory.database().exists());
    }

    #[test]
    fn a_database_that_is_open_is_not_removed() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::create(temporary.path()).unwrap();
        directory.write_notes(&notes()).unwrap();
        fs::write(directory.database(), "x").unwrap();
        let lock = File::create(temporary.path().join(DATABASE_LOCK)).unwrap();
        lock.try_lock().unwrap();
        let error = directory.clear().unwrap_err();
        assert!(matches!(error, DemoError::InUse { .. }), "{error}");
        assert!(directory.database().exists());
    }
}
