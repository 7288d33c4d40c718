//! A claim: proof that we won the rename, and the only way to move a task on.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::Spool;
use crate::base::files::{self, FileError, ReadError, Regular};
use crate::task::{Folder, TaskId};

/// A task that is ours.
///
/// A claim ends by being filed or released. One that is merely dropped leaves
/// its task in `in_progress`, where the next start finds it.
#[must_use = "an unfinished claim leaves its task in progress"]
#[derive(Debug)]
pub struct Claim {
    spool: Arc<Spool>,
    id: TaskId,
    /// Its name in `pending`, where we took it from there.
    came_from: Option<OsString>,
    /// The file that was read, and of which bytes.
    content: Option<((u64, u64), u64)>,
}

impl Spool {
    /// Takes a file from `pending` and makes that durable; `None` if it is not there any more.
    ///
    /// # Errors
    /// What the file system says; the file is in `pending` still, unless the sync failed.
    pub fn claim(self: &Arc<Self>, file: &OsStr, id: &TaskId) -> Result<Option<Claim>, FileError> {
        let claimed = self.file(Folder::InProgress, id);
        match files::rename_new(&self.pending(file), &claimed) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        }
        let claim = Claim {
            spool: Arc::clone(self),
            id: id.clone(),
            came_from: Some(file.to_owned()),
            content: None,
        };
        let folder = self.home.folder(Folder::InProgress);
        match self.claims.sync(|| files::sync_dir(&folder).map_err(|error| error.source)) {
            Ok(()) => Ok(Some(claim)),
            Err(error) => {
                // A claim that may not survive a power cut is none: it goes back.
                claim.release()?;
                Err(FileError::new("sync", folder, error))
            }
        }
    }

    /// Takes up a claim that an earlier daemon left.
    pub fn reclaim(self: &Arc<Self>, id: TaskId) -> Claim {
        Claim { spool: Arc::clone(self), id, came_from: None, content: None }
    }
}

impl Claim {
    /// The task's name.
    pub fn id(&self) -> &TaskId {
        &self.id
    }

    /// Its file in `in_progress`.
    pub fn path(&self) -> PathBuf {
        self.spool.file(Folder::InProgress, &self.id)
    }

    /// The claimed bytes, read once; only these are sent.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub fn read(&mut self, max: u64) -> Result<Vec<u8>, ReadError> {
        let mut file = Regular::open(&self.path())?;
        let bytes = file.read(max)?;
        self.content = Some((file.stat.identity, files::fingerprint(&bytes)));
        Ok(bytes)
    }

    /// Takes the task out of another folder once more, if somebody put it there by hand while it
    /// was worked on; says whether that was so. What was changed there is another task.
    ///
    /// # Errors
    /// What the file system says; the task is in that folder still.
    pub fn take_back(&self) -> Result<bool, FileError> {
        let Some(content) = self.content.filter(|_| !files::exists(&self.path())) else {
            return Ok(false);
        };
        let is_ours = |path: &PathBuf| {
            let Ok(mut file) = Regular::open(path) else { return false };
            let identity = file.stat.identity;
            identity == content.0
                && file
                    .read(files::ANY_SIZE)
                    .is_ok_and(|bytes| files::fingerprint(&bytes) == content.1)
        };
        let own_name = OsString::from(self.id.file_name());
        let names = [Some(&own_name), self.came_from.as_ref()];
        let ends = [Folder::Completed, Folder::Failed];
        let mut places = names
            .into_iter()
            .flatten()
            .map(|name| self.spool.pending(name))
            .chain(ends.map(|folder| self.spool.file(folder, &self.id)));
        match places.find(is_ours) {
            None => Ok(false),
            Some(place) => files::rename_new(&place, &self.path()).map(|()| true),
        }
    }

    /// Puts the task back into `pending`, under its id.
    ///
    /// # Errors
    /// What the file system says; the task is in `in_progress` still.
    pub fn release(self) -> Result<(), FileError> {
        self.take_back()?;
        self.put_back()?;
        let folder = self.spool.home.folder(Folder::Pending);
        // It is back, whatever becomes of the sync: to say otherwise would have it put back once
        // more, from under the hand that has claimed it meanwhile. After a power cut it may lie in
        // `in_progress` again, and then the next start puts it back.
        let _ = self.spool.releases.sync(|| files::sync_dir(&folder).map_err(|error| error.source));
        Ok(())
    }

    /// The rename of a release, without the sync.
    pub(super) fn put_back(&self) -> Result<(), FileError> {
        let place = self.spool.file(Folder::Pending, &self.id);
        let folder = self.spool.home.folder(Folder::InProgress);
        loop {
            match files::rename_new(&self.path(), &place) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.make_room()?,
                // An earlier try got this far and failed at the sync, or somebody took the task
                // away, which is to withdraw it.
                Err(error)
                    if error.kind() == io::ErrorKind::NotFound
                        && (files::exists(&place)
                            || (files::exists(&folder) && !files::exists(&self.path()))) =>
                {
                    return Ok(());
                }
                other => return other,
            }
        }
    }

    /// A fresh drop took our name meanwhile: it gets the number that its id would get.
    fn make_room(&self) -> Result<(), FileError> {
        let place = self.spool.file(Folder::Pending, &self.id);
        let taken = |id: &TaskId| files::exists(&self.spool.file(Folder::Pending, id));
        let other = self.spool.free_id(&self.id, taken);
        match files::rename_new(&place, &self.spool.file(Folder::Pending, &other)) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists
                ) =>
            {
                Ok(())
            }
            other => other,
        }
    }

    /// Gives the task the next free number: somebody put a file where its result should go.
    ///
    /// # Errors
    /// What the file system says; the task keeps its name.
    pub fn renumber(&mut self) -> Result<(), FileError> {
        let other = self.spool.free_id(&self.id, |id| *id == self.id);
        match files::rename_new(&self.path(), &self.spool.file(Folder::InProgress, &other)) {
            // Somebody took the claim away; the result is ours all the same.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
        self.id = other;
        Ok(())
    }

    pub(super) fn spool(&self) -> &Spool {
        &self.spool
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{id, spool};
    use super::*;
    use std::fs;

    #[test]
    fn of_two_who_reach_for_a_task_one_wins() {
        let (_dir, spool) = spool();
        let spool = Arc::new(spool);
        fs::write(spool.pending(OsStr::new("x.json")), "{}").unwrap();
        let mut claim = spool.claim(OsStr::new("x.json"), &id("x")).unwrap().unwrap();
        assert!(spool.claim(OsStr::new("x.json"), &id("x")).unwrap().is_none());
        assert_eq!(claim.read(99).unwrap(), b"{}");
        assert_eq!(spool.find(&id("x")), Some(Folder::InProgress));
        claim.release().unwrap();
        assert_eq!(spool.find(&id("x")), Some(Folder::Pending));
    }

    #[test]
    fn a_released_task_keeps_its_name_and_a_newcomer_gets_a_number() {
        let (_dir, spool) = spool();
        let spool = Arc::new(spool);
        fs::write(spool.pending(OsStr::new("x.json")), "old").unwrap();
        let claim = spool.claim(OsStr::new("x.json"), &id("x")).unwrap().unwrap();
        fs::write(spool.pending(OsStr::new("x.json")), "new").unwrap();
        claim.release().unwrap();
        assert_eq!(fs::read(spool.file(Folder::Pending, &id("x"))).unwrap(), b"old");
        assert_eq!(fs::read(spool.file(Folder::Pending, &id("x.2"))).unwrap(), b"new");
    }

    #[test]
    fn a_release_that_got_half_way_is_finished() {
        let (_dir, spool) = spool();
        let spool = Arc::new(spool);
        fs::write(spool.pending(OsStr::new("x.json")), "task").unwrap();
        let claim = spool.claim(OsStr::new("x.json"), &id("x")).unwrap().unwrap();
        claim.put_back().unwrap();
        claim.release().unwrap();
        assert_eq!(spool.find(&id("x")), Some(Folder::Pending));
    }

    #[test]
    fn what_somebody_puts_back_meanwhile_is_taken_again_and_what_he_changed_is_not() {
        let (_dir, spool) = spool();
        let spool = Arc::new(spool);
        let pending = spool.pending(OsStr::new("x.json"));
        fs::write(&pending, "task").unwrap();
        let mut claim = spool.claim(OsStr::new("x.json"), &id("x")).unwrap().unwrap();
        claim.read(99).unwrap();
        assert!(!claim.take_back().unwrap(), "it is where it should be");
        files::rename_new(&claim.path(), &pending).unwrap();
        assert!(claim.take_back().unwrap());
        assert_eq!(spool.find(&id("x")), Some(Folder::InProgress));
        files::rename_new(&claim.path(), &pending).unwrap();
        fs::write(&pending, "mend").unwrap();
        assert!(!claim.take_back().unwrap());
        claim.release().unwrap();
        assert_eq!(fs::read(&pending).unwrap(), b"mend");
    }

    #[test]
    fn a_claim_never_replaces_another() {
        let (_dir, spool) = spool();
        let spool = Arc::new(spool);
        fs::write(spool.file(Folder::InProgress, &id("x")), "first").unwrap();
        fs::write(spool.pending(OsStr::new("x.json")), "second").unwrap();
        assert!(spool.claim(OsStr::new("x.json"), &id("x")).is_err());
        assert_eq!(fs::read(spool.pending(OsStr::new("x.json"))).unwrap(), b"second");
    }
}
