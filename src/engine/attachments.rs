//! Reads the files that a task names: regular files below the config's `file_roots`, and no others.

use std::path::{Path, PathBuf};

use crate::base::files::{self, ReadError};
use crate::base::words;
use crate::config::Config;
use crate::task::Task;
use crate::task::prompt::Attachment;

/// Reads a task's `files`, or says in a sentence why one of them cannot be had.
///
/// # Errors
/// The sentence.
pub fn read(task: &Task, config: &Config) -> Result<Vec<Attachment>, String> {
    let mut left = config.max_task_bytes;
    task.files
        .iter()
        .map(|path| {
            let text = read_one(path, &config.file_roots, left)?;
            left = left.saturating_sub(text.len() as u64);
            Ok(Attachment { path: path.clone(), text })
        })
        .collect()
}

fn read_one(path: &Path, roots: &[PathBuf], max: u64) -> Result<String, String> {
    let shown = words::tame(&path.to_string_lossy());
    let Some((root, below)) =
        roots.iter().find_map(|root| Some((root, path.strip_prefix(root).ok()?)))
    else {
        return Err(match roots {
            [] => format!(
                "`files` names `{shown}`, and the config has no `file_roots`: list the folder there"
            ),
            _ => format!(
                "`files` names `{shown}`, which lies below none of the config's `file_roots`, {}",
                words::names(roots.iter().map(|root| root.display()), "and")
            ),
        });
    };
    let bytes = files::read_beneath(root, below, max).map_err(|error| match error {
        ReadError::File(error) if error.source.raw_os_error() == Some(libc::EXDEV) => {
            format!("`files` names `{shown}`, which leads out of `{}`", root.display())
        }
        ReadError::File(error) => {
            format!("`files` names `{shown}`, which cannot be read: {}", error.source)
        }
        other => format!("`files` names `{shown}`, which cannot be taken: {other}"),
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
