//! The folders that were made for attempts, `work/ID/ATTEMPT`: which of them nobody comes back to.
//!
//! A worker leaves what a failed attempt made there, for whoever wants to see how far it came. It
//! goes as the result does, when that is old. What lies there is never looked into.

use std::path::PathBuf;

use super::Spool;
use crate::base::clock::Timestamp;
use crate::base::files::FileError;
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
    let has_failed =
        |id: &TaskId| spool.find_archived(id).is_some_and(|place| place.folder == Folder::Failed);
    let id_of = |name: &str| name.parse().ok();
    let outlived =
        spool.outlived(&spool.home().work(), before, std::fs::Metadata::is_dir, id_of)?;
    let over = outlived.into_iter().filter(|(id, _)| !keep_done || has_failed(id));
    Ok(over.map(|(_, path)| path).collect())
}
