//! Where an agent works: the folder that its task names, or a fresh one below the home's `work`.
//!
//! A folder that a task names was opened below one of the config's `workspace_roots`, and
//! the open folder is what is worked in: whatever its path leads to by then does not count.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Job;
use crate::base::files::{At, FileError};
use crate::base::words;

/// The folders that the sandbox of Codex puts up, empty, where there are none, so that nobody
/// makes them.
const STAND_INS: [&str; 4] = [".agents", ".aws", ".codex", ".git"];

/// A folder that a task names, opened.
#[derive(Clone, Debug)]
pub struct Workspace {
    path: PathBuf,
    folder: Arc<File>,
}

impl Workspace {
    /// The folder that the task calls `path`.
    pub fn of(path: PathBuf, folder: File) -> Self {
        Self { path, folder: Arc::new(folder) }
    }
}

/// The folder of one attempt.
#[derive(Debug)]
pub(super) enum Room {
    /// The one that the task names, and which of [`STAND_INS`] it had before.
    Named(Workspace, Vec<&'static str>),
    /// One that was made for it.
    Fresh(PathBuf),
}

impl Room {
    /// The folder that the task names, or a fresh private one.
    pub(super) fn of(job: &Job) -> Result<Self, FileError> {
        if let Some(workspace) = &job.workspace {
            return Ok(Self::named(workspace.clone()));
        }
        let path = job.home.join("work").join(job.task_id.as_str()).join(&job.attempt);
        let path = std::path::absolute(&path).at("find", &path)?;
        // No more than that is made: a home that was moved away is not made twice.
        for folder in [path.parent().unwrap_or(&path), &path] {
            match DirBuilder::new().mode(0o700).create(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(FileError::new("create", folder, error));
                }
                _ => {}
            }
        }
        Ok(Self::Fresh(path))
    }

    /// A folder that a task names.
    pub(super) fn named(workspace: Workspace) -> Self {
        let room = Self::Named(workspace, Vec::new());
        let had = |name: &&str| fs::symlink_metadata(room.entrance().join(name)).is_ok();
        let had = STAND_INS.into_iter().filter(had).collect();
        match room {
            Self::Named(workspace, _) => Self::Named(workspace, had),
            fresh @ Self::Fresh(_) => fresh,
        }
    }

    /// A path by which a child of this process goes into it.
    pub(super) fn entrance(&self) -> PathBuf {
        match self {
            Self::Named(workspace, _) => {
                format!("/proc/self/fd/{}", workspace.folder.as_raw_fd()).into()
            }
            Self::Fresh(path) => path.clone(),
        }
    }

    /// Its whole path, without links.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::Named(workspace, _) => {
                fs::read_link(self.entrance()).unwrap_or_else(|_| workspace.path.clone())
            }
            Self::Fresh(path) => fs::canonicalize(path).unwrap_or_else(|_| path.clone()),
        }
    }

    /// Whether the task names it.
    pub(super) fn is_named(&self) -> bool {
        matches!(self, Self::Named(..))
    }

    /// Leaves it: one that was made for the attempt goes, unless it is to stay and holds
    /// something. Says where it stays.
    pub(super) fn leave(self, stays: bool) -> Option<PathBuf> {
        self.clear();
        let Self::Fresh(path) = self else { return None };
        let gone = match stays {
            true => fs::remove_dir(&path).is_ok(),
            false => {
                super::program::remove_folder(&path);
                true
            }
        };
        // The task's own folder goes with the last of its attempts.
        if let Some(parent) = path.parent().filter(|_| gone) {
            let _ = fs::remove_dir(parent);
        }
        (!gone).then_some(path)
    }
}

impl Room {
    /// Removes what a sandbox left that was ended before it could clear away: empty folders.
    fn clear(&self) {
        let had: &[&str] = match self {
            Self::Named(_, had) => had,
            Self::Fresh(_) => &[],
        };
        for name in STAND_INS.iter().filter(|name| !had.contains(name)) {
            let _ = fs::remove_dir(self.entrance().join(name));
        }
    }
}

/// A path as it is shown.
pub(super) fn shown(path: &Path) -> String {
    words::tame(&path.to_string_lossy())
}
