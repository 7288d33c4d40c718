//! Counts the tasks in the folders, and keeps count as names come and go.
//!
//! A folder of a million results is listed once, and not again each time that one is added.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};

use crate::base::files::{self, FileError};
use crate::spool::{self, Home};
use crate::task::Folder;

/// The names of tasks in each folder, by their hashes.
#[derive(Default)]
pub(super) struct Census {
    hasher: RandomState,
    names: [HashSet<u64>; 4],
}

impl Census {
    /// Lists all folders anew; one that cannot be listed counts as empty.
    pub(super) fn take(&mut self, home: &Home) -> Result<(), FileError> {
        let mut failed = Ok(());
        for folder in Folder::ALL {
            let mut hashes = HashSet::new();
            let listed = spool::each_name(&home.folder(folder), |name| {
                if is_task(folder, name) {
                    hashes.insert(self.hasher.hash_one(name));
                }
            });
            if let Err(error) = listed {
                failed = Err(error);
                hashes.clear();
            }
            self.names[folder as usize] = hashes;
        }
        failed
    }

    /// Looks whether a name is in its folder by now.
    pub(super) fn look(&mut self, home: &Home, folder: Folder, name: &OsStr) {
        if !is_task(folder, name) {
            return;
        }
        let hash = self.hasher.hash_one(name);
        match files::exists(&home.folder(folder).join(name)) {
            true => self.names[folder as usize].insert(hash),
            false => self.names[folder as usize].remove(&hash),
        };
    }

    /// How many tasks each folder holds.
    pub(super) fn counts(&self) -> [usize; 4] {
        Folder::ALL.map(|folder| self.names[folder as usize].len())
    }
}

fn is_task(folder: Folder, name: &OsStr) -> bool {
    match folder {
        Folder::Pending => spool::is_task_name(name),
        _ => spool::is_id_name(name),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_count_follows_what_comes_and_goes() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        home.init().unwrap();
        let pending = home.folder(Folder::Pending);
        fs::write(pending.join("a.json"), "{}").unwrap();
        fs::write(pending.join(".b.json.swp"), "{}").unwrap();
        let mut census = Census::default();
        census.take(&home).unwrap();
        assert_eq!(census.counts(), [1, 0, 0, 0]);
        fs::write(home.folder(Folder::Failed).join("a.json"), "{}").unwrap();
        fs::write(home.folder(Folder::Failed).join("a.rejected"), "{}").unwrap();
        fs::remove_file(pending.join("a.json")).unwrap();
        for _ in 0..2 {
            census.look(&home, Folder::Pending, OsStr::new("a.json"));
            census.look(&home, Folder::Failed, OsStr::new("a.json"));
            census.look(&home, Folder::Failed, OsStr::new("a.rejected"));
        }
        assert_eq!(census.counts(), [0, 0, 0, 1]);
        fs::remove_dir_all(home.folder(Folder::Completed)).unwrap();
        assert!(census.take(&home).is_err());
        assert_eq!(census.counts(), [0, 0, 0, 1], "the others are counted all the same");
    }
}
