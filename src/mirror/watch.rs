//! Sees that the mirror was written, by inotify.
//!
//! A writer changes the database's log an instant before others can read what it wrote: who is
//! told waits that instant. Reading is never told of.

use std::path::{Path, PathBuf};

use notify::event::{ModifyKind, RenameMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::{MirrorError, database};
use crate::base::files::{self, FileError};

/// Watches for as long as it lives.
#[derive(Debug)]
pub struct Watch {
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches the mirror at `path`, whether or not it is there yet; `tell` is called on the
    /// watcher's thread.
    ///
    /// # Errors
    /// Where its folder is missing, or the system has no inotify or no watches left.
    pub fn start(path: &Path, tell: impl Fn() + Send + 'static) -> Result<Self, MirrorError> {
        let files = [path.to_owned(), database::companion(path, "-wal")];
        let hear = move |event: notify::Result<notify::Event>| {
            if event.map_or(true, |event| event.need_rescan() || is_write(&event, &files)) {
                tell();
            }
        };
        let failed = |error: notify::Error| {
            FileError::new("watch", files::parent(path), std::io::Error::other(error))
        };
        let mut watcher = notify::recommended_watcher(hear).map_err(failed)?;
        watcher.watch(files::parent(path), RecursiveMode::NonRecursive).map_err(failed)?;
        Ok(Self { _watcher: watcher })
    }
}

/// Whether the database or its log has other bytes than before, or another lies in its place.
///
/// Even a reader makes the log and removes it, so that neither says anything.
fn is_write(event: &notify::Event, files: &[PathBuf; 2]) -> bool {
    let [database, _] = files;
    match event.kind {
        EventKind::Modify(ModifyKind::Data(_)) => {
            event.paths.iter().any(|path| files.contains(path))
        }
        EventKind::Modify(ModifyKind::Name(RenameMode::From | RenameMode::To)) => {
            event.paths.contains(database)
        }
        EventKind::Remove(_) => event.paths.contains(database),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use notify::event::{AccessKind, CreateKind, DataChange, RemoveKind};

    use super::super::rebuild::rebuild;
    use super::*;

    #[test]
    fn a_write_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        rebuild(&path, std::iter::empty()).unwrap();
        let writer = rusqlite::Connection::open(&path).unwrap();
        writer.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
        let (tell, told) = crossbeam_channel::unbounded();
        let _watch = Watch::start(&path, move || {
            let _ = tell.send(());
        })
        .unwrap();
        writer.execute("INSERT INTO meta VALUES ('x', 'y')", []).unwrap();
        told.recv_timeout(Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn what_a_reader_does_is_no_write() {
        let files = ["/db/k.db", "/db/k.db-wal"].map(PathBuf::from);
        let is =
            |kind, path: &str| is_write(&notify::Event::new(kind).add_path(path.into()), &files);
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        assert!(is(written, "/db/k.db") && is(written, "/db/k.db-wal"));
        assert!(!is(written, "/db/k.db-shm"));
        assert!(!is(
            EventKind::Access(AccessKind::Open(notify::event::AccessMode::Any)),
            "/db/k.db"
        ));
        assert!(!is(EventKind::Create(CreateKind::File), "/db/k.db-wal"));
        assert!(!is(EventKind::Remove(RemoveKind::File), "/db/k.db-wal"));
        assert!(is(EventKind::Remove(RemoveKind::File), "/db/k.db"));
        assert!(is(EventKind::Modify(ModifyKind::Name(RenameMode::To)), "/db/k.db"));
    }
}
