//! The folders that were made for attempts, `work/ID/ATTEMPT`: which of them nobody comes back to.
//!
//! A worker leaves what a failed attempt made there, for whoever wants to see how far it came. It
//! goes as the result does, when that is old. What lies there is never looked into.

use std::path::PathBuf;

use super::Spool;
use crate::base::clock::Timestamp;
use crate::base::files::{FileError, Stat};
use crate::task::{Folder, TaskId};

/// The folders of tasks that are in no folder any more, last changed before a moment.
///
/// Where what is done is to be kept (`keep_done`), those of failed tasks alone.
///
/// # Errors
/// Where the folder cannot be listed.
pub fn left_over(
    spool: &Spool,
    before: Timestamp,
    keep_done: bool,
) -> Result<Vec<PathBuf>, FileError> {
    let dir = spool.home().work();
    let has_failed =
        |id: &TaskId| spool.find_archived(id).is_some_and(|place| place.folder == Folder::Failed);
    let is_over = |name: &std::ffi::OsString| {
        let id: Option<TaskId> = name.to_str().and_then(|name| name.parse().ok());
        let meta = std::fs::symlink_metadata(dir.join(name));
        let is_old = meta.is_ok_and(|meta| meta.is_dir() && Stat::from(&meta).modified < before);
        is_old
            && id.is_some_and(|id| {
                spool.find_in_folders(&id).is_none() && (!keep_done || has_failed(&id))
            })
    };
    Ok(super::list(&dir)?.into_iter().filter(is_over).map(|name| dir.join(name)).collect())
}
