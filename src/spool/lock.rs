//! One daemon for each home, held by an advisory lock that dies with its process.
//!
//! The lock is on the `tasks` folder itself, so that nobody can remove a lock
//! file and let a second daemon in. The pid beside it is for people.
//!
//! A command that needs the home for itself for a moment takes the same lock and
//! says so in `control/command.pid`: nobody takes it for a daemon, asks it for
//! anything, or is turned away by it.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fs2::FileExt;

use super::Home;
use crate::base::files::{self, At, FileError, Stat};
use crate::base::process::Process;

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

/// The right to be this home's daemon, or to do without one, for as long as it lives.
#[derive(Debug)]
pub struct Lock {
    folder: Mutex<File>,
    tasks: PathBuf,
    pid_file: PathBuf,
    who: String,
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
    /// Takes the lock as the daemon. Where a command has it, that one's end is waited for.
    ///
    /// # Errors
    /// [`LockError::Held`] where a daemon has it.
    pub fn take(home: &Home) -> Result<Self, LockError> {
        Self::of(home, pid_file(home), &std::process::id().to_string())
    }

    /// Takes the lock for as long as a command needs it, which is no daemon. Where another command
    /// has it, that one's end is waited for.
    ///
    /// # Errors
    /// [`LockError::Held`] where a daemon has it.
    pub fn take_for_a_command(home: &Home) -> Result<Self, LockError> {
        Self::of(home, command_file(home), &Process::me().to_string())
    }

    fn of(home: &Home, pid_file: PathBuf, who: &str) -> Result<Self, LockError> {
        let tasks = home.path().join("tasks");
        let folder = Mutex::new(lock(home, &tasks)?);
        write_pid(home, &pid_file, who)?;
        Ok(Self { folder, tasks, pid_file, who: who.to_owned() })
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
        Ok(write_pid(home, &self.pid_file, &self.who)?)
    }

    fn folder(&self) -> MutexGuard<'_, File> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(home: &Home, tasks: &Path) -> Result<File, LockError> {
    let folder = File::open(tasks).at("open", tasks)?;
    let (mut looks, mut waits) = (0, false);
    while let Err(error) = folder.try_lock_exclusive() {
        // A command comes to its end by itself.
        let is_with_a_command = is_with_a_command(home);
        if is_with_a_command && !waits {
            log::info!("another koubou command has the home for a moment; its end is waited for");
        }
        waits = is_with_a_command;
        looks = if waits { 0 } else { looks + 1 };
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

fn write_pid(home: &Home, pid_file: &Path, who: &str) -> Result<(), FileError> {
    files::replace(&home.tmp(), pid_file, format!("{who}\n").as_bytes(), 0o644)
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

/// Where a command stands that has the home for itself.
fn command_file(home: &Home) -> PathBuf {
    home.control().join("command.pid")
}

/// The pid of the home's daemon, if one is alive; 0 where it did not say.
pub fn daemon(home: &Home) -> Option<u32> {
    let folder = File::open(home.path().join("tasks")).ok()?;
    match folder.try_lock_shared() {
        Ok(()) => None,
        Err(_) if is_with_a_command(home) => None,
        Err(_) => Some(holder(home).unwrap_or(0)),
    }
}

/// Whether whoever has the lock, if anybody has, is a command.
fn is_with_a_command(home: &Home) -> bool {
    let stated = fs::read_to_string(command_file(home)).ok();
    let command = stated.and_then(|text| text.trim().parse::<Process>().ok());
    command.is_some_and(Process::is_alive)
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
    fn a_command_that_has_the_home_is_no_daemon_and_is_waited_for() {
        let (_dir, spool) = spool();
        let command = Lock::take_for_a_command(spool.home()).unwrap();
        assert_eq!(daemon(spool.home()), None);
        let home = spool.home().clone();
        let next = std::thread::spawn(move || Lock::take(&home));
        drop(command);
        let lock = next.join().unwrap().unwrap();
        assert_eq!(daemon(spool.home()), Some(std::process::id()));
        assert!(Lock::take_for_a_command(spool.home()).is_err());
        drop(lock);
        // One that died has left its name there, and nobody is taken for it.
        fs::write(command_file(spool.home()), "1.1\n").unwrap();
        let _lock = Lock::take(spool.home()).unwrap();
        assert_eq!(daemon(spool.home()), Some(std::process::id()));
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
