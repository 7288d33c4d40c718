//! Power loss: the order of writes and syncs of a real run, replayed into what a disk may hold.
//!
//! A journalling file system keeps the order of names: any first part of the changes to
//! folders may have reached the disk, but for those up to the last of a file or a folder
//! that was synced since. The content of a
//! file is only certain up to its own last sync: what was written since may be
//! lost, may be zeroes of the right length, or may be there. Each such state is
//! laid out as a home, and koubou is started on it.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use crate::tracer::{Change, Fault, Plan};
use crate::trial::{self, Home};

/// What became of content that was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unsynced {
    Lost,
    Zeroed,
    Kept,
}

/// A home as it may lie on a disk.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    /// What each name leads to: a file, or, without one, a folder.
    names: BTreeMap<PathBuf, Option<u64>>,
    content: HashMap<u64, Vec<u8>>,
    durable: HashMap<u64, Vec<u8>>,
}

impl Disk {
    /// A home as it lies there now, all of it durable.
    pub(crate) fn of(home: &Path) -> Self {
        use std::os::unix::fs::MetadataExt;
        let mut disk = Self::default();
        for entry in walkdir::WalkDir::new(home) {
            let entry = entry.unwrap();
            let meta = entry.metadata().unwrap();
            let inode = meta.is_file().then(|| meta.ino());
            if let Some(inode) = inode {
                let bytes = fs::read(entry.path()).unwrap();
                disk.content.insert(inode, bytes.clone());
                disk.durable.insert(inode, bytes);
            }
            disk.names.insert(entry.path().to_owned(), inode);
        }
        disk
    }

    fn rename(&mut self, from: &Path, to: &Path) {
        if let Some(target) = self.names.remove(from) {
            self.names.insert(to.to_owned(), target);
        }
    }

    /// Takes in a change of names.
    fn follow_name(&mut self, change: &Change) {
        match change {
            Change::Named { path, inode } => drop(self.names.insert(path.clone(), Some(*inode))),
            Change::Folder { path } => drop(self.names.insert(path.clone(), None)),
            Change::Unnamed { path } => drop(self.names.remove(path)),
            Change::Moved { from, to } => self.rename(from, to),
            Change::Content { .. } | Change::Synced { .. } | Change::SyncedFolder { .. } => {}
        }
    }

    /// Takes in a change of content.
    fn follow_content(&mut self, change: &Change) {
        match change {
            Change::Content { inode, bytes } => drop(self.content.insert(*inode, bytes.clone())),
            Change::Synced { inode } => {
                if let Some(bytes) = self.content.get(inode) {
                    self.durable.insert(*inode, bytes.clone());
                }
            }
            _ => {}
        }
    }

    /// Lays it out below `to`, where the run had it below `from`.
    fn lay_out(&self, from: &Path, to: &Path, unsynced: Unsynced) {
        for (path, target) in &self.names {
            let Ok(below) = path.strip_prefix(from) else { continue };
            let place = to.join(below);
            match target {
                None => fs::create_dir_all(&place).unwrap(),
                Some(inode) => {
                    let now = self.content.get(inode).cloned().unwrap_or_default();
                    let durable = self.durable.get(inode).cloned().unwrap_or_default();
                    let bytes = match unsynced {
                        Unsynced::Kept => now,
                        Unsynced::Lost => durable,
                        Unsynced::Zeroed if now == durable => now,
                        Unsynced::Zeroed => {
                            let mut bytes = durable;
                            bytes.resize(now.len(), 0);
                            bytes
                        }
                    };
                    fs::create_dir_all(place.parent().unwrap()).unwrap();
                    fs::write(&place, bytes).unwrap();
                }
            }
        }
    }
}

/// Tries every state; how many there were, and how many ended badly.
pub(crate) fn try_all(full: bool) -> (usize, usize) {
    let home = Home::new();
    let before = Disk::of(&home.path());
    let run = home.undisturbed(Plan { record: true, ..Plan::undisturbed(Fault::None) });
    try_states("power loss", full, &home.path(), &before, &run.changes, work_off)
}

/// Lays out every state that a disk may be in while these changes come, or a share of them, and
/// has each looked at: how many there were, and how many ended badly.
pub(crate) fn try_states(
    name: &str,
    full: bool,
    from: &Path,
    before: &Disk,
    changes: &[Change],
    check: impl Fn(&Home) -> Vec<String> + Sync,
) -> (usize, usize) {
    let mut states = states(changes);
    if !full {
        let share = states.len().div_ceil(110).max(1);
        states = states.into_iter().step_by(share).collect();
    }
    let found = trial::spread(name, &states, |state| {
        let mut complaints = check(&laid_out(before, changes, *state, from));
        if !complaints.is_empty() {
            complaints.push(format!("after `{:?}`", short(&changes[state.0 - 1])));
        }
        complaints
    });
    (states.len(), found)
}

/// After how many changes the power went, how many of the names reached the disk, and what
/// became of unsynced content.
type State = (usize, usize, Unsynced);

fn states(changes: &[Change]) -> Vec<State> {
    let mut states = Vec::new();
    // Changes up to here are in the file system's journal: it keeps their order.
    let mut durable = 0;
    for (n, change) in changes.iter().enumerate() {
        let upto = n + 1;
        durable = durable.max(made_durable(change, &changes[..n]));
        let mut cuts = vec![durable, upto, durable + (upto - durable) / 2];
        cuts.sort_unstable();
        cuts.dedup();
        for cut in cuts {
            for unsynced in [Unsynced::Lost, Unsynced::Zeroed] {
                states.push((upto, cut, unsynced));
            }
        }
        states.push((upto, upto, Unsynced::Kept));
    }
    states
}

/// Up to which of the earlier changes a sync brings the journal to the disk: to the last that was
/// of its own file or folder, for that is all it promises.
fn made_durable(sync: &Change, earlier: &[Change]) -> usize {
    let last = match sync {
        Change::Synced { inode } => earlier.iter().rposition(|change| match change {
            Change::Named { inode: of, .. } => of == inode,
            _ => false,
        }),
        Change::SyncedFolder { path } => {
            earlier.iter().rposition(|change| changes_names_in(change, path))
        }
        _ => None,
    };
    last.map_or(0, |n| n + 1)
}

fn changes_names_in(change: &Change, folder: &Path) -> bool {
    let within = |path: &Path| path.parent() == Some(folder);
    match change {
        Change::Named { path, .. } | Change::Folder { path } | Change::Unnamed { path } => {
            within(path)
        }
        Change::Moved { from, to } => within(from) || within(to),
        _ => false,
    }
}

/// A home as it may lie there after the power went.
fn laid_out(before: &Disk, changes: &[Change], (upto, cut, unsynced): State, from: &Path) -> Home {
    let mut disk = before.clone();
    for (n, change) in changes[..upto].iter().enumerate() {
        disk.follow_content(change);
        if n < cut {
            disk.follow_name(change);
        }
    }
    let home = Home::bare();
    disk.lay_out(from, &home.path(), unsynced);
    home.write_config();
    home
}

/// Works off what there is, and looks at what came of it.
fn work_off(home: &Home) -> Vec<String> {
    let output = home.koubou(&["start", "--drain"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut complaints = Vec::new();
    if output.status.code() != Some(0) {
        complaints.push(format!("the drain ended with {:?}", output.status));
    }
    complaints.extend(home.check(&stderr).into_iter().filter(|complaint| {
        // What ran before the power went cannot be known from this home's own witness.
        complaint != "the program never ran"
    }));
    if !complaints.is_empty() {
        complaints.push(format!("it said: {stderr}"));
    }
    complaints
}

/// A change without its bytes.
fn short(change: &Change) -> String {
    match change {
        Change::Content { inode, bytes } => format!("content of {inode}: {} bytes", bytes.len()),
        other => format!("{other:?}"),
    }
}
