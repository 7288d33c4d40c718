//! One daemon for each home, held by an advisory lock that dies with its process.
//!
//! The lock is on the `tasks` folder itself, so that nobody can remove a lock
//! file and let a second daemon in. The pid beside it is for people.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use fs2::FileExt;

use super::Home;
use crate::base::files::{self, At, FileError};

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
    _folder: File,
    pid_file: PathBuf,
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
        let path = home.path().join("tasks");
        let folder = File::open(&path).at("open", &path)?;
        let mut looks = 0;
        while let Err(error) = folder.try_lock_exclusive() {
            looks += 1;
            if error.kind() != io::ErrorKind::WouldBlock {
                return Err(FileError::new("lock", path, error).into());
            }
            let is_dead = || {
                holder(home).is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists())
            };
            if looks == LOOKS_AFTER_A_DEATH || (looks >= LOOKS && !is_dead()) {
                return Err(LockError::Held { pid: holder(home), home: home.path().to_owned() });
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
        let pid_file = home.control().join("daemon.pid");
        let pid = format!("{}\n", std::process::id());
        files::replace(&home.tmp(), &pid_file, pid.as_bytes(), 0o644)?;
        Ok(Self { _folder: folder, pid_file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.pid_file);
    }
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
    fs::read_to_string(home.control().join("daemon.pid")).ok()?.trim().parse().ok()
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
}
