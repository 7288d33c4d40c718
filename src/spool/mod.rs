//! The spool: a directory tree that is the queue.
//!
//! A task is one JSON file, and the folder it lies in is its state.
//!
//! ```text
//! pending ──claim──▶ in_progress ──file──▶ completed
//!    ▲                   │  └─────file───▶ failed
//!    └─────release───────┘
//! ```
//!
//! Each arrow is one method here and one rename on disk, so of two processes
//! reaching for the same task one wins and the other learns that it lost. Nothing
//! else in koubou moves a task. Beside the folders lie the journal, the lock of
//! the one daemon, and the notes that other commands leave for it. Results that are old move from
//! their folders into an archive ([`retire`]); they count as being where they were.
//!
//! The spool knows nothing of workers, money or SQLite, and starts no threads but
//! the watcher's.

pub mod archive;
pub mod claim;
pub mod filer;
pub mod format;
pub mod journal;
pub mod layout;
pub mod lock;
pub mod logs;
pub mod look;
pub mod notes;
pub mod retire;
pub mod told;
pub mod watch;
pub mod work;

pub use claim::Claim;
pub use layout::Home;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, RawDir};
use serde_json::{Map, Value};

use crate::base::clock::Timestamp;
use crate::base::files::{self, At, FileError, ReadError, Stat};
use crate::base::group::GroupSync;
use crate::task::{Folder, TaskId};
use archive::{Archive, Place};

/// So many bytes of a folder's names are asked for at once.
const MOST_NAMES_AT_ONCE: usize = 256 << 10;

/// The task folders of one home.
#[derive(Debug)]
pub struct Spool {
    home: Home,
    /// Claims of all hands share the syncs of `in_progress`.
    claims: GroupSync,
    /// Releases share those of `pending`.
    releases: GroupSync,
    archive: Archive,
}

impl Spool {
    /// The spool of a home.
    pub fn new(home: Home) -> Self {
        let archive = Archive::at(home.archive());
        Self { home, claims: GroupSync::default(), releases: GroupSync::default(), archive }
    }

    /// The results that were retired.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The home that it is in.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// A file in `pending`.
    pub fn pending(&self, file: &OsStr) -> PathBuf {
        self.home.folder(Folder::Pending).join(file)
    }

    /// A task's file in a folder.
    pub fn file(&self, folder: Folder, id: &TaskId) -> PathBuf {
        self.home.folder(folder).join(id.file_name())
    }

    /// Which folder a task is in, or was in when its result was retired; the end counts before the
    /// beginning.
    pub fn find(&self, id: &TaskId) -> Option<Folder> {
        self.find_in_folders(id).or_else(|| Some(self.archive.find(id)?.folder))
    }

    /// Where the result of a task is in the archive, if it is in no folder any more.
    pub fn find_archived(&self, id: &TaskId) -> Option<Place> {
        self.archive.find(id).filter(|_| self.find_in_folders(id).is_none())
    }

    /// Which folder a task is in. What has a result's name and is a folder or a pipe is none.
    pub fn find_in_folders(&self, id: &TaskId) -> Option<Folder> {
        const ENDS: [Folder; 3] = [Folder::InProgress, Folder::Completed, Folder::Failed];
        let is_in = |folder: &Folder| {
            let meta = std::fs::symlink_metadata(self.file(*folder, id));
            meta.is_ok_and(|meta| !folder.is_end() || meta.is_file())
        };
        // What is claimed while we look has left `pending` before we come there: once more, then.
        ENDS.into_iter().chain([Folder::Pending]).chain(ENDS).find(is_in)
    }

    /// What was kept beside a task and is for nobody any more: whose task, by its name, is in no folder,
    /// last changed before a moment.
    fn outlived(
        &self,
        dir: &Path,
        before: Timestamp,
        is_such: impl Fn(&std::fs::Metadata) -> bool,
        id_of: impl Fn(&str) -> Option<TaskId>,
    ) -> Result<Vec<(TaskId, PathBuf)>, FileError> {
        let outlived = |name: OsString| {
            let path = dir.join(&name);
            let meta = std::fs::symlink_metadata(&path).ok()?;
            let is_old = is_such(&meta) && Stat::from(&meta).modified < before;
            let id = name.to_str().filter(|_| is_old).and_then(&id_of)?;
            self.find_in_folders(&id).is_none().then_some((id, path))
        };
        Ok(list(dir)?.into_iter().filter_map(outlived).collect())
    }

    /// Waits for a turn to look whether a task is there and drop it if not, which lasts as long as
    /// what comes back: one who asks for it has it at a time, and nobody else waits for it.
    ///
    /// # Errors
    /// The folder for files that are being written cannot be locked.
    pub fn turn_to_drop(&self) -> Result<std::fs::File, FileError> {
        use fs2::FileExt;
        let tmp = self.home.tmp();
        let turn = std::fs::File::open(&tmp).at("open", &tmp)?;
        turn.lock_exclusive().at("lock", &tmp)?;
        Ok(turn)
    }

    /// The bytes of a result, from its folder or, where it was retired from there, from the archive.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub fn read_result(&self, folder: Folder, id: &TaskId) -> Result<Vec<u8>, ReadError> {
        match files::read(&self.file(folder, id), files::ANY_SIZE) {
            Err(ReadError::File(error)) if error.kind() == io::ErrorKind::NotFound => {
                match self.archive.find(id).filter(|place| place.folder == folder) {
                    Some(place) => Ok(self.archive.read(&place, id)?),
                    None => Err(ReadError::File(error)),
                }
            }
            read => read,
        }
    }

    /// Where a rejected drop of this name is kept.
    pub fn rejected(&self, id: &TaskId) -> PathBuf {
        self.home.folder(Folder::Failed).join(format!("{id}.rejected"))
    }

    /// The first free form of `id`: itself, or with a number behind it.
    ///
    /// `taken` says which names are in use beyond those on disk.
    pub fn free_id(&self, id: &TaskId, mut taken: impl FnMut(&TaskId) -> bool) -> TaskId {
        let mut is_free = |id: &TaskId| {
            !taken(id)
                && !files::exists(&self.file(Folder::InProgress, id))
                && !files::exists(&self.file(Folder::Completed, id))
                && (!files::exists(&self.file(Folder::Failed, id)) || self.is_spent_report(id))
                && !files::exists(&self.rejected(id))
                && self.archive.find(id).is_none()
        };
        if is_free(id) {
            return id.clone();
        }
        let mut n = 2;
        loop {
            let candidate = id.numbered(n);
            if is_free(&candidate) {
                return candidate;
            }
            n += 1;
        }
    }

    /// Whether all that uses an id is the report of a rejected drop that is there no more.
    pub fn is_spent_report(&self, id: &TaskId) -> bool {
        const LONGEST: u64 = 64 << 10;
        let report = files::read(&self.file(Folder::Failed, id), LONGEST);
        !files::exists(&self.rejected(id))
            && report.is_ok_and(|bytes| crate::task::wire::rejected_id(&bytes).is_some())
    }

    /// Puts a task into `pending`, made whole beside it first; the folder is still to be synced.
    ///
    /// # Errors
    /// What the file system says; `AlreadyExists` where somebody has its name.
    pub fn put(&self, aside: &Path, id: &TaskId, bytes: &[u8], mode: u32) -> Result<(), FileError> {
        files::write_new(aside, bytes, mode)?;
        let placed = files::rename_new(aside, &self.file(Folder::Pending, id));
        if placed.is_err() {
            let _ = files::remove(aside);
        }
        placed
    }

    /// Drops tasks under these names, all of them durable at the end; `dropped` counts how many
    /// lie there, so that who tries again after an error passes those over.
    ///
    /// # Errors
    /// What the file system says; `AlreadyExists` where somebody has the next one's name.
    pub fn drop_all<'a>(
        &self,
        tasks: impl Iterator<Item = (&'a Map<String, Value>, &'a TaskId)>,
        dropped: &mut usize,
    ) -> Result<(), FileError> {
        for (document, id) in tasks.skip(*dropped) {
            let mut bytes = serde_json::to_vec_pretty(document).unwrap_or_default();
            bytes.push(b'\n');
            let name = files::half_made(&self.file(Folder::Pending, id));
            self.put(&self.home.tmp().join(name), id, &bytes, 0o600)?;
            *dropped += 1;
        }
        files::sync_dir(&self.home.folder(Folder::Pending))
    }

    /// The names in `pending` that are those of tasks.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn waiting(&self) -> Result<Vec<OsString>, FileError> {
        let mut names = list(&self.home.folder(Folder::Pending))?;
        names.retain(|name| is_task_name(name));
        Ok(names)
    }

    /// How many names in a folder are those of tasks.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn count(&self, folder: Folder) -> Result<usize, FileError> {
        let mut count = 0;
        each_name(&self.home.folder(folder), |name| {
            let is_one = match folder {
                Folder::Pending => is_task_name(name),
                _ => is_id_name(name),
            };
            count += usize::from(is_one);
        })?;
        Ok(count)
    }

    /// The ids whose files lie in a folder.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn ids(&self, folder: Folder) -> Result<Vec<TaskId>, FileError> {
        let mut ids = Vec::new();
        each_name(&self.home.folder(folder), |name| ids.extend(id_of(name)))?;
        Ok(ids)
    }
}

/// The id in the name of a file that koubou made: `ID.json`.
pub fn id_of(name: &OsStr) -> Option<TaskId> {
    stem_of(name)?.parse().ok()
}

/// Whether a name is that of a file that koubou made.
pub fn is_id_name(name: &OsStr) -> bool {
    stem_of(name).is_some_and(TaskId::is_one)
}

fn stem_of(name: &OsStr) -> Option<&str> {
    name.to_str()?.strip_suffix(".json")
}

/// Whether a name in `pending` is a task's: it ends in `.json` and is not hidden.
pub fn is_task_name(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.ends_with(b".json") && !bytes.starts_with(b".")
}

/// The names in a folder.
///
/// # Errors
/// Where it cannot be listed.
pub fn list(dir: &Path) -> Result<Vec<OsString>, FileError> {
    let mut names = Vec::new();
    each_name(dir, |name| names.push(name.to_owned()))?;
    Ok(names)
}

/// Tells each name in a folder, and keeps none: a folder may have a million.
///
/// # Errors
/// Where it cannot be listed.
pub fn each_name(dir: &Path, mut tell: impl FnMut(&OsStr)) -> Result<(), FileError> {
    each_entry(dir, |name, _| tell(name))
}

/// The same, with whether it is a regular file, which some file systems do not say in passing.
///
/// # Errors
/// Where it cannot be listed.
pub fn each_entry(dir: &Path, mut tell: impl FnMut(&OsStr, Option<bool>)) -> Result<(), FileError> {
    let failed = |error: rustix::io::Errno| FileError::new("list", dir, io::Error::from(error));
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(dir, flags, Mode::empty()) {
        // What is no folder has no names in it.
        Err(rustix::io::Errno::NOTDIR) => return Ok(()),
        opened => opened.map_err(failed)?,
    };
    let mut block = Vec::with_capacity(MOST_NAMES_AT_ONCE);
    let mut entries = RawDir::new(folder, block.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(failed)?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name != "." && name != ".." {
            let is_file = match entry.file_type() {
                FileType::Unknown => None,
                kind => Some(kind == FileType::RegularFile),
            };
            tell(name, is_file);
        }
    }
    Ok(())
}

/// What dead processes left half-made in a folder: koubou's own names, and none of anybody else's.
fn half_made(dir: &Path) -> Result<Vec<PathBuf>, FileError> {
    let is_ours = |name: &OsString| {
        name.as_encoded_bytes().starts_with(files::HALF_MADE.as_bytes())
            // A `koubou submit` may be in the middle of its drop.
            && files::is_left_over(&name.to_string_lossy())
    };
    Ok(list(dir)?.into_iter().filter(is_ours).map(|name| dir.join(name)).collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A home in a temporary folder.
    pub(crate) fn spool() -> (tempfile::TempDir, Spool) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        home.init().unwrap();
        (dir, Spool::new(home))
    }

    pub(crate) fn id(text: &str) -> TaskId {
        text.parse().unwrap()
    }

    #[test]
    fn names_that_writers_use_meanwhile_are_no_tasks() {
        for name in [".x.json", "x.json~", "x.tmp", "x.json.part", ".x.json.swp", "x"] {
            assert!(!is_task_name(OsStr::new(name)), "{name}");
        }
        assert!(is_task_name(OsStr::new("x.json")));
    }

    #[test]
    fn a_folder_is_counted_as_it_is_listed() {
        let (dir, spool) = spool();
        let failed = spool.home().folder(Folder::Failed);
        // More than are asked for at once.
        for n in 0..8_000 {
            std::fs::write(failed.join(format!("a-name-that-takes-some-room-{n}.json")), "")
                .unwrap();
        }
        for name in [".x.json", "x.rejected", "x y.json", "e\u{301}.json", "\u{e9}.json"] {
            std::fs::write(failed.join(name), "").unwrap();
        }
        std::fs::write(spool.pending(OsStr::new("x y.json")), "").unwrap();
        assert_eq!(spool.count(Folder::Failed).unwrap(), 8_001);
        assert_eq!(spool.ids(Folder::Failed).unwrap().len(), 8_001);
        assert_eq!(list(&failed).unwrap().len(), 8_005);
        assert_eq!(spool.count(Folder::Pending).unwrap(), 1);
        let gone = list(&dir.path().join("gone")).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
        assert!(list(&failed.join("x.rejected")).unwrap().is_empty(), "it is no folder");
    }

    #[test]
    fn an_id_in_use_gets_a_number() {
        let (_dir, spool) = spool();
        assert_eq!(spool.free_id(&id("x"), |_| false), id("x"));
        std::fs::write(spool.file(Folder::Completed, &id("x")), "{}").unwrap();
        std::fs::write(spool.rejected(&id("x.2")), "{}").unwrap();
        assert_eq!(spool.free_id(&id("x"), |_| false), id("x.3"));
        assert_eq!(spool.free_id(&id("x"), |taken| *taken == id("x.3")), id("x.4"));
    }
}
