//! Which results somebody waits for: they stay where they are, however old.
//!
//! What begins to wait later finds them in the archive all the same; this keeps what people see in
//! the folders whole for as long as it is worked on.

use std::collections::HashSet;
use std::path::Path;

use crate::base::files::{self, FileError};
use crate::config::Config;
use crate::spool::Spool;
use crate::spool::retire::Old;
use crate::task::{Folder, Task, TaskId, wire};

/// What the tasks that have not ended need.
#[derive(Debug, Default)]
pub(super) struct Needed {
    /// Tasks that have not ended.
    open: HashSet<TaskId>,
    /// Tasks that they depend on.
    depended_on: HashSet<TaskId>,
}

impl Needed {
    /// Reads it from the folders of tasks that have not ended.
    pub(super) fn read(spool: &Spool, config: &Config) -> Result<Self, FileError> {
        let mut needed = Self::default();
        // In the order in which tasks move: one that is claimed meanwhile is seen twice, and not missed.
        let waiting = spool.waiting()?.into_iter().map(|name| spool.pending(&name));
        let claimed = spool.ids(Folder::InProgress)?;
        let claimed = claimed.iter().map(|id| spool.file(Folder::InProgress, id));
        for path in waiting.chain(claimed) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            needed.open.insert(TaskId::from_stem(&stem));
            // What cannot be read waits for nobody, or is read by the next run.
            if let Some(task) = task(&path, &stem, config) {
                needed.open.insert(task.id);
                needed.depended_on.extend(task.depends_on);
            }
        }
        Ok(needed)
    }

    /// Why an old result stays, if somebody waits for it.
    pub(super) fn why(&self, old: &Old) -> Option<String> {
        if self.open.contains(&old.id) {
            return Some("it is to be run again".to_owned());
        }
        if self.depended_on.contains(&old.id) {
            return Some("a task that waits depends on it".to_owned());
        }
        let parent = old.parent.as_ref().filter(|parent| self.open.contains(*parent))?;
        Some(format!("it belongs to `{parent}`, which has not ended"))
    }
}

fn task(path: &Path, stem: &str, config: &Config) -> Option<Task> {
    wire::read(stem, &files::read(path, config.largest_result_file()).ok()?).ok()
}
