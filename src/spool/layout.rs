//! The home: which folder is where, who may read it, and how it is made.
//!
//! One table says what a home consists of; `init` makes from it what is missing
//! and never touches what is there.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::base::files::{self, At, FileError};
use crate::task::Folder;

/// The folder that holds everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

/// The folders of a home and their modes.
pub const FOLDERS: &[(&str, u32)] = &[
    ("config", 0o700),
    ("tasks", 0o755),
    ("tasks/pending", 0o755),
    ("tasks/in_progress", 0o755),
    ("tasks/completed", 0o755),
    ("tasks/failed", 0o755),
    ("tasks/archive", 0o755),
    ("logs", 0o755),
    ("logs/master", 0o755),
    ("logs/workers", 0o755),
    ("logs/system", 0o755),
    ("journal", 0o700),
    ("db", 0o700),
    ("cache", 0o700),
    ("control", 0o755),
    ("metrics", 0o755),
    ("tmp", 0o755),
    ("work", 0o700),
];

/// The files of a fresh home, their modes and contents.
const FILES: &[(&str, u32, &str)] = &[
    ("README.md", 0o644, include_str!("../../spool-layout/README.md")),
    ("config/agent.yaml", 0o644, include_str!("../../spool-layout/config/agent.yaml")),
    ("config/.env", 0o600, include_str!("../../spool-layout/config/env")),
];

impl Home {
    /// The home at a path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A task folder.
    pub fn folder(&self, folder: Folder) -> PathBuf {
        self.0.join("tasks").join(folder.as_str())
    }

    /// Where retired results lie.
    pub fn archive(&self) -> PathBuf {
        self.0.join("tasks/archive")
    }

    /// What Prometheus reads.
    pub fn metrics_file(&self) -> PathBuf {
        self.0.join("metrics/koubou.prom")
    }

    /// `config/agent.yaml`.
    pub fn config_file(&self) -> PathBuf {
        self.0.join("config/agent.yaml")
    }

    /// `config/.env`.
    pub fn env_file(&self) -> PathBuf {
        self.0.join("config/.env")
    }

    /// Where half-made files lie.
    pub fn tmp(&self) -> PathBuf {
        self.0.join("tmp")
    }

    /// Where the journal lies.
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal")
    }

    /// Where the mirror lies, unless the settings say otherwise.
    pub fn database(&self) -> PathBuf {
        self.0.join("db/koubou.db")
    }

    /// Where answers are kept for when the same is asked again.
    pub fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }

    /// Where other commands leave notes for the daemon.
    pub fn control(&self) -> PathBuf {
        self.0.join("control")
    }

    /// Where folders are made for attempts.
    pub fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    /// Where lies what workers tell while they work.
    pub fn worker_logs(&self) -> PathBuf {
        self.0.join("logs/workers")
    }

    /// Where all logs lie, each in the folder of who writes it.
    pub fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    /// The daemon's log.
    pub fn log_file(&self) -> PathBuf {
        self.0.join("logs/system/koubou.log")
    }

    /// Whether somebody ever made a home here.
    pub fn exists(&self) -> bool {
        self.folder(Folder::Pending).is_dir()
    }

    /// Makes the folders that are missing, and says which.
    ///
    /// # Errors
    /// What the file system says of the first that could not be made; the others are made all the same.
    pub fn mend(&self) -> Result<Vec<PathBuf>, FileError> {
        let (made, mut failed) = self.mend_each();
        match failed.is_empty() {
            true => Ok(made),
            false => Err(failed.swap_remove(0)),
        }
    }

    /// The same; which folders were made, and what the file system says of the others.
    pub fn mend_each(&self) -> (Vec<PathBuf>, Vec<FileError>) {
        let (mut made, mut failed) = (Vec::new(), Vec::new());
        for (name, mode) in FOLDERS {
            let path = self.0.join(name);
            match fs::DirBuilder::new().mode(*mode).create(&path) {
                // The umask of whoever runs `init` must not decide who may drop and read.
                Ok(()) => match fs::set_permissions(&path, fs::Permissions::from_mode(*mode)) {
                    Ok(()) => made.push(path),
                    Err(error) => failed.push(FileError::new("set the mode of", path, error)),
                },
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
                Err(error) => failed.push(FileError::new("create", path, error)),
            }
        }
        (made, failed)
    }

    /// Makes what is missing, and says what it made. What is there stays as it is.
    ///
    /// # Errors
    /// What the file system says.
    pub fn init(&self) -> Result<Vec<PathBuf>, FileError> {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(&self.0).at("create", &self.0)?;
        let mut made = self.mend()?;
        for (name, mode, content) in FILES {
            let path = self.0.join(name);
            if files::exists(&path) {
                continue;
            }
            match files::write_new(&path, content.as_bytes(), *mode) {
                Ok(()) => made.push(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        self.state_format()?;
        files::sync_dir(&self.0)?;
        Ok(made)
    }

    /// Lets a group drop tasks: each member his own, and nobody takes away another's.
    ///
    /// # Errors
    /// Where there is no such group, or we may not give the folder to it.
    pub fn open_to_group(&self, group: &str) -> Result<(), FileError> {
        let pending = self.folder(Folder::Pending);
        let found = nix::unistd::Group::from_name(group).map_err(io::Error::from);
        let missing =
            || io::Error::new(io::ErrorKind::NotFound, format!("there is no group `{group}`"));
        let gid = found
            .and_then(|found| found.ok_or_else(missing))
            .at("open to its group", &pending)?
            .gid;
        let meta = fs::metadata(&pending).at("look at", &pending)?;
        if meta.gid() != gid.as_raw() {
            std::os::unix::fs::chown(&pending, None, Some(gid.as_raw()))
                .at("give to its group", &pending)?;
        }
        // Setgid, so that a drop belongs to the group; sticky, so that only its owner takes it away.
        fs::set_permissions(&pending, fs::Permissions::from_mode(0o3775))
            .at("set the mode of", &pending)
    }

    /// What dead processes left half-made in `tmp`: koubou's own names, and none of anybody else's.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn leftovers(&self) -> Result<Vec<PathBuf>, FileError> {
        super::half_made(&self.tmp())
    }

    /// Removes what dead processes left in `tmp`, and says what it removed.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn sweep(&self) -> Result<Vec<PathBuf>, FileError> {
        let mut swept = self.leftovers()?;
        swept.retain(|path| {
            let is_dir = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
            // What cannot be swept harms nobody; the next sweep tries again.
            let removed = if is_dir { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.is_ok()
        });
        Ok(swept)
    }

    /// Folders that a home must have and this one lacks.
    pub fn missing(&self) -> Vec<PathBuf> {
        FOLDERS.iter().map(|(name, _)| self.0.join(name)).filter(|path| !path.is_dir()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_made_once_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("a/b"));
        assert!(!home.exists());
        assert!(home.init().unwrap().len() > FOLDERS.len());
        fs::write(home.config_file(), "mine").unwrap();
        fs::remove_dir(home.tmp()).unwrap();
        assert_eq!(home.init().unwrap(), [home.tmp()]);
        assert_eq!(fs::read_to_string(home.config_file()).unwrap(), "mine");
    }

    #[test]
    fn secrets_are_kept_from_others() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        home.init().unwrap();
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(home.env_file()), 0o600);
        assert_eq!(mode(home.path().join("config")), 0o700);
        assert_eq!(mode(home.journal()), 0o700);
    }

    #[test]
    fn what_a_living_process_is_making_is_not_swept_away() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        home.init().unwrap();
        let mine = files::half_made(Path::new("x.json"));
        let (me, rest) = mine[files::HALF_MADE.len()..].split_once('-').unwrap();
        // Another process has had this one's number.
        let (pid, started) = me.split_once('.').unwrap();
        let number_given_again = format!("{}{pid}.1{started}-{rest}", files::HALF_MADE);
        for name in [&mine, &number_given_again, ".koubou-odd", "somebody's"] {
            fs::write(home.tmp().join(name), "half").unwrap();
        }
        assert_eq!(home.sweep().unwrap().len(), 2);
        let mut left = super::super::list(&home.tmp()).unwrap();
        left.sort();
        assert_eq!(left, [mine.as_str(), "somebody's"]);
    }
}
