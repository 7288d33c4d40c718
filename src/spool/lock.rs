//! One daemon for each home, held by an advisory lock that dies with its process.
//!
//! The lock is on the `tasks` folder itself, so that nobody can remove a lock
//! file and let a second daemon in. The pid beside it is for people.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fs2::FileExt;

use super::Home;
use crate::base::files::{self, At, FileError, Stat};

/// Why the home could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("process {} is already working `{}`", pid.map_or("unknown".to_owned(), |pid| pid.to_string()), home.display())]
    Held {
        /// The other process, if it said so.
        pid: Option<u32>,
        /// The home.
        home: PathBuf,
    },
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The right to be this home's daemon, for as long as it lives.
#[derive(Debug)]
pub struct Lock {
    folder: Mutex<File>,
    tasks: PathBuf,
    pid_file: PathBuf,
}

/// Where the folder is that was locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the home, where it was.
    Here,
    /// Elsewhere: somebody moved the home, or an ancestor of it, away.
    Moved(PathBuf),
    /// In no place any more.
    Removed,
}

/// A child holds its parent's locks for the instant between fork and exec; so many looks outlast it.
const LOOKS: u32 = 20;
/// On a busy machine that instant is long: where the daemon that was here is dead, so many.
const LOOKS_AFTER_A_DEATH: u32 = 1_000;
const BETWEEN_LOOKS: std::time::Duration = std::time::Duration::from_millis(10);

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`LockError::Held`] where another process has it.
    pub fn take(home: &Home) -> Result<Self, LockError> {
        let tasks = home.path().join("tasks");
        let folder = Mutex::new(lock(home, &tasks)?);
        let pid_file = pid_file(home);
        write_pid(home, &pid_file)?;
        Ok(Self { folder, tasks, pid_file })
    }

    /// Where the locked folder is by now.
    pub fn place(&self) -> Place {
        let folder = self.folder();
        let identity = |meta: &fs::Metadata| Stat::from(meta).identity;
        let Ok(locked) = folder.metadata() else { return Place::Here };
        match fs::metadata(&self.tasks) {
            Ok(there) if identity(&there) == identity(&locked) => return Place::Here,
            // What cannot be looked at for now is not taken for gone.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Place::Here,
            _ => {}
        }
        let path = fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        let home = path.ok().as_deref().and_then(Path::parent).map(Path::to_owned);
        match home {
            Some(home) if locked.nlink() > 0 && home.is_dir() => Place::Moved(home),
            _ => Place::Removed,
        }
    }

    /// Takes the lock of the folder that was made anew where the locked one was removed.
    ///
    /// # Errors
    /// [`LockError::Held`] where another process has it.
    pub fn take_anew(&self, home: &Home) -> Result<(), LockError> {
        let folder = lock(home, &self.tasks)?;
        *self.folder() = folder;
        Ok(write_pid(home, &self.pid_file)?)
    }

    fn folder(&self) -> MutexGuard<'_, File> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(home: &Home, tasks: &Path) -> Result<File, LockError> {
    let folder = File::open(tasks).at("open", tasks)?;
    let mut looks = 0;
    while let Err(error) = folder.try_lock_exclusive() {
        looks += 1;
        if error.kind() != io::ErrorKind::WouldBlock {
            return Err(FileError::new("lock", tasks, error).into());
        }
        let is_dead =
            || holder(home).is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists());
        if looks == LOOKS_AFTER_A_DEATH || (looks >= LOOKS && !is_dead()) {
            return Err(LockError::Held { pid: holder(home), home: home.path().to_owned() });
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    Ok(folder)
}

fn write_pid(home: &Home, pid_file: &Path) -> Result<(), FileError> {
    let pid = format!("{}\n", std::process::id());
    files::replace(&home.tmp(), pid_file, pid.as_bytes(), 0o644)
}

impl Drop for Lock {
    fn drop(&mut self) {
        // In a home that has come to lie in our place it is another's.
        if self.place() == Place::Here {
            let _ = fs::remove_file(&self.pid_file);
        }
    }
}

/// Where the daemon's pid stands, for people.
pub fn pid_file(home: &Home) -> PathBuf {
    home.control().join("daemon.pid")
}

/// The pid of the home's daemon, if one is alive.
pub fn daemon(home: &Home) -> Option<u32> {
    let folder = File::open(home.path().join("tasks")).ok()?;
    match folder.try_lock_shared() {
        Ok(()) => None,
        Err(_) => Some(holder(home).unwrap_or(0)),
    }
}

fn holder(home: &Home) -> Option<u32> {
    fs::read_to_string(pid_file(home)).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::spool;
    use super::*;

    #[test]
    fn a_second_daemon_learns_who_the_first_is() {
        let (_dir, spool) = spool();
        assert_eq!(daemon(spool.home()), None);
        let lock = Lock::take(spool.home()).unwrap();
        let me = std::process::id();
        assert!(
            matches!(Lock::take(spool.home()), Err(LockError::Held { pid: Some(pid), .. }) if pid == me)
        );
        assert_eq!(daemon(spool.home()), Some(me));
        drop(lock);
        assert_eq!(daemon(spool.home()), None);
        drop(Lock::take(spool.home()).unwrap());
    }

    #[test]
    fn a_home_that_is_moved_is_told_from_one_that_is_removed() {
        let (dir, spool) = spool();
        let lock = Lock::take(spool.home()).unwrap();
        assert_eq!(lock.place(), Place::Here);
        let elsewhere = dir.path().join("elsewhere");
        files::rename_new(spool.home().path(), &elsewhere).unwrap();
        assert_eq!(lock.place(), Place::Moved(elsewhere.clone()));
        spool.home().init().unwrap();
        assert_eq!(lock.place(), Place::Moved(elsewhere.clone()), "another has its name");
        fs::remove_dir_all(elsewhere).unwrap();
        assert_eq!(lock.place(), Place::Removed);
        lock.take_anew(spool.home()).unwrap();
        assert_eq!(lock.place(), Place::Here);
        assert!(Lock::take(spool.home()).is_err());
    }
}
