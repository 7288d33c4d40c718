//! Sees what happens in the folders, by inotify.
//!
//! A [`Glimpse`] is a hint and never proof: whoever gets one looks for himself.
//! After the kernel's queue overflowed there is one [`Glimpse::Everything`], and
//! then the folders must be listed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::{Home, layout};
use crate::base::files;
use crate::task::Folder;

/// Something may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Glimpse {
    /// A name in `pending` is new, was closed after writing, or was moved in or out.
    Pending(OsString),
    /// A name in `failed` or `completed` is new or gone.
    Ended(Folder, OsString),
    /// A claim in `in_progress` is new or gone; only [`Watch::with_claims`] tells.
    Claim(OsString),
    /// A note in `control` is new or gone.
    Note(OsString),
    /// The journal has a new line; only [`Watch::everything`] tells.
    Journal,
    /// A worker tells of its work; only [`Watch::with_claims`] says so.
    Told,
    /// Anything may have: list the folders.
    Everything,
    /// A folder may have been put in the place of one that is watched: watch anew, and list.
    Replaced,
}

/// Why the folders cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch `{}`", path.display())]
pub struct WatchError {
    /// The folder.
    pub path: PathBuf,
    /// What the system says.
    pub source: notify::Error,
}

/// Watches for as long as it lives.
#[derive(Debug)]
pub struct Watch {
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches `pending`, the folders of results, `control`, and the home itself; `tell` is called on the watcher's thread.
    ///
    /// # Errors
    /// Where the system has no inotify, or no watches left.
    pub fn start(home: &Home, tell: impl Fn(Glimpse) + Send + 'static) -> Result<Self, WatchError> {
        let tasks = [Folder::Pending, Folder::Completed, Folder::Failed];
        let folders = tasks.map(|folder| home.folder(folder));
        // Of the home itself, and of what is in it, only a move or a removal matters.
        let around = [home.control(), home.path().join("tasks"), home.path().to_owned()];
        Self::on(home, &[&folders[..], &around[..]].concat(), tell)
    }

    /// Watches the folders of tasks, `in_progress` too: a task has ended once its claim is gone,
    /// which comes after its result. And what workers tell while they work.
    ///
    /// # Errors
    /// Where the system has no inotify, or no watches left.
    pub fn with_claims(
        home: &Home,
        tell: impl Fn(Glimpse) + Send + 'static,
    ) -> Result<Self, WatchError> {
        let folders = Folder::ALL.map(|folder| home.folder(folder));
        let told = Some(home.worker_logs()).filter(|folder| folder.is_dir());
        let all: Vec<PathBuf> = folders.into_iter().chain(told).collect();
        Self::on(home, &all, tell)
    }

    /// Tries whether folders can be watched, on as many in which few names were ever looked for: to
    /// begin with another takes the kernel long.
    ///
    /// # Errors
    /// Where the system has no inotify, or no watches left.
    pub fn try_out(home: &Home) -> Result<(), WatchError> {
        let tasks = home.path().join("tasks");
        let config = files::parent(&home.config_file()).to_owned();
        let folders = [home.path().to_owned(), tasks, config, home.journal()];
        Self::on(home, &folders, |_| ()).map(drop)
    }

    /// Watches all of these, `control` and the journal.
    ///
    /// # Errors
    /// Where the system has no inotify, or no watches left.
    pub fn everything(
        home: &Home,
        tell: impl Fn(Glimpse) + Send + 'static,
    ) -> Result<Self, WatchError> {
        let folders = Folder::ALL.map(|folder| home.folder(folder));
        Self::on(home, &[&folders[..], &[home.control(), home.journal()]].concat(), tell)
    }

    fn on(
        home: &Home,
        folders: &[PathBuf],
        tell: impl Fn(Glimpse) + Send + 'static,
    ) -> Result<Self, WatchError> {
        let sorter = Sorter { home: home.clone() };
        let hear = move |event: notify::Result<notify::Event>| {
            sorter.sort(event).into_iter().for_each(&tell);
        };
        let failed = |path: &Path, source| WatchError { path: path.to_owned(), source };
        // Without a thread of its own a watcher ends the whole program.
        let thread = std::thread::Builder::new().spawn(|| ());
        drop(thread.map_err(|error| failed(home.path(), notify::Error::io(error)))?.join());
        let mut watcher =
            notify::recommended_watcher(hear).map_err(|source| failed(home.path(), source))?;
        for path in folders {
            watcher
                .watch(path, RecursiveMode::NonRecursive)
                .map_err(|source| failed(path, source))?;
        }
        Ok(Self { _watcher: watcher })
    }
}

struct Sorter {
    home: Home,
}

impl Sorter {
    fn sort(&self, event: notify::Result<notify::Event>) -> Vec<Glimpse> {
        let Ok(event) = event else { return vec![Glimpse::Everything] };
        if event.need_rescan() {
            return vec![Glimpse::Everything];
        }
        // Whoever is told reads the file: to be told of that again would never end.
        let is_in = |folder: PathBuf| {
            !matches!(event.kind, EventKind::Access(_))
                && event.paths.iter().any(|path| path.parent() == Some(&folder))
        };
        if is_in(self.home.journal()) {
            return vec![Glimpse::Journal];
        }
        if is_in(self.home.worker_logs()) {
            return vec![Glimpse::Told];
        }
        if !matters(&event.kind) {
            return Vec::new();
        }
        event.paths.iter().filter_map(|path| self.glimpse(path)).collect()
    }

    fn glimpse(&self, path: &Path) -> Option<Glimpse> {
        let name = path.file_name()?.to_owned();
        let dir = path.parent()?;
        if path == self.home.path() {
            return Some(Glimpse::Replaced);
        }
        if dir == self.home.path() {
            let is_folder = layout::FOLDERS.iter().any(|(folder, _)| name == *folder);
            return is_folder.then_some(Glimpse::Replaced);
        }
        if dir == self.home.folder(Folder::Pending) {
            return super::is_task_name(&name).then_some(Glimpse::Pending(name));
        }
        if dir == self.home.control() {
            return Some(Glimpse::Note(name));
        }
        if dir == self.home.path().join("tasks") {
            let is_folder = Folder::ALL.iter().any(|folder| name == folder.as_str());
            return is_folder.then_some(Glimpse::Replaced);
        }
        if dir == self.home.folder(Folder::InProgress) {
            return Some(Glimpse::Claim(name));
        }
        [Folder::Completed, Folder::Failed]
            .into_iter()
            .find(|folder| dir == self.home.folder(*folder))
            .map(|folder| Glimpse::Ended(folder, name))
    }
}

/// Opening, reading and writing a file change nothing that the spool cares about;
/// its creation does, for a hard link or a pipe is never closed after writing.
fn matters(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Create(
            CreateKind::Any | CreateKind::File | CreateKind::Folder | CreateKind::Other,
        ) => true,
        // A rename within the folder is told twice, as one from and one to; the pair adds nothing.
        EventKind::Modify(ModifyKind::Name(RenameMode::From | RenameMode::To)) => true,
        EventKind::Modify(ModifyKind::Metadata(_)) => true,
        EventKind::Remove(_) => true,
        _ => false,
    }
}

/// Why the events of a home would tell only part of what happens there: it lies on a file
/// system where others write without this machine's kernel knowing.
pub fn blind_spot(home: &Home) -> Option<&'static str> {
    // The magic numbers of statfs(2).
    const REMOTE: &[(u32, &str)] = &[
        (0x0000_6969, "NFS"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB"),
        (0x0102_1997, "9p"),
        (0x6573_5546, "FUSE"),
        (0x00c3_6400, "Ceph"),
    ];
    let kind = rustix::fs::statfs(home.path()).ok()?.f_type as u32;
    REMOTE.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::super::tests::spool;
    use super::*;
    use std::fs;
    use std::time::Duration;

    fn next(glimpses: &crossbeam_channel::Receiver<Glimpse>) -> Glimpse {
        glimpses.recv_timeout(Duration::from_secs(10)).unwrap()
    }

    #[test]
    fn what_people_do_in_pending_is_seen() {
        let (dir, spool) = spool();
        let (sender, glimpses) = crossbeam_channel::unbounded();
        let _watch = Watch::start(spool.home(), move |glimpse| drop(sender.send(glimpse))).unwrap();
        let pending = spool.home().folder(Folder::Pending);
        let outside = dir.path().join("outside.json");
        fs::write(&outside, "{}").unwrap();
        fs::hard_link(&outside, pending.join("linked.json")).unwrap();
        assert_eq!(next(&glimpses), Glimpse::Pending("linked.json".into()));
        files::rename_new(&outside, &pending.join("moved.json")).unwrap();
        assert_eq!(next(&glimpses), Glimpse::Pending("moved.json".into()));
        fs::write(pending.join(".x.json"), "{}").unwrap();
        fs::remove_file(pending.join("moved.json")).unwrap();
        assert_eq!(next(&glimpses), Glimpse::Pending("moved.json".into()));
        fs::write(spool.home().control().join("pause"), "").unwrap();
        assert_eq!(next(&glimpses), Glimpse::Note("pause".into()));
    }

    #[test]
    fn who_reads_the_journal_is_not_told_of_it() {
        let (_dir, spool) = spool();
        let month = spool.home().journal().join("2026-11.jsonl");
        fs::write(&month, "").unwrap();
        let (sender, glimpses) = crossbeam_channel::unbounded();
        let tell = move |glimpse| drop(sender.send(glimpse));
        let _watch = Watch::everything(spool.home(), tell).unwrap();
        fs::read(&month).unwrap();
        fs::write(spool.home().control().join("pause"), "").unwrap();
        assert_eq!(next(&glimpses), Glimpse::Note("pause".into()));
        fs::OpenOptions::new().append(true).open(&month).unwrap().set_len(3).unwrap();
        while next(&glimpses) != Glimpse::Journal {}
    }

    #[test]
    fn who_waits_for_an_end_sees_the_claim_go() {
        let (_dir, spool) = spool();
        let claim = spool.home().folder(Folder::InProgress).join("x.json");
        fs::write(&claim, "{}").unwrap();
        let (sender, glimpses) = crossbeam_channel::unbounded();
        let tell = move |glimpse| drop(sender.send(glimpse));
        let _watch = Watch::with_claims(spool.home(), tell).unwrap();
        fs::remove_file(claim).unwrap();
        assert_eq!(next(&glimpses), Glimpse::Claim("x.json".into()));
    }
}
