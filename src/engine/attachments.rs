//! Reads the files that a task names: regular files below the config's `file_roots`, and no others;
//! and opens the folder that it names, below the `workspace_roots`.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use crate::base::files::{self, ReadError};
use crate::base::words;
use crate::config::Config;
use crate::task::Task;
use crate::task::prompt::Attachment;
use crate::worker::Workspace;

/// Reads a task's `files`, or says in a sentence why one of them cannot be had.
///
/// # Errors
/// The sentence.
pub fn read(task: &Task, config: &Config) -> Result<Vec<Attachment>, String> {
    let mut left = config.max_task_bytes;
    task.files
        .iter()
        .map(|path| {
            let text = read_one(path, &config.file_roots, &config.home, left)?;
            left = left.saturating_sub(text.len() as u64);
            Ok(Attachment { path: path.clone(), text })
        })
        .collect()
}

/// Opens the folder that a task wants its agent to work in, or says in a sentence why it cannot be had.
///
/// # Errors
/// The sentence.
pub fn workspace(task: &Task, config: &Config) -> Result<Option<Workspace>, String> {
    let Some(path) = &task.workspace else { return Ok(None) };
    let (root, below) = below(path, "workspace", "workspace_roots", &config.workspace_roots)?;
    let shown = words::tame(&path.to_string_lossy());
    let folder = files::open_folder_beneath(root, below).map_err(|error| {
        match error.source.raw_os_error() {
            Some(libc::EXDEV) => {
                format!("`workspace` is `{shown}`, which leads out of `{}`", root.display())
            }
            _ => format!("`workspace` is `{shown}`, which cannot be opened: {}", error.source),
        }
    })?;
    outside(&path_of(&folder), &config.home)
        .map_err(|why| format!("`workspace` is `{shown}`, {why}"))?;
    Ok(Some(Workspace::of(path.clone(), folder)))
}

/// Where an open folder is.
fn path_of(folder: &File) -> PathBuf {
    std::fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd())).unwrap_or_default()
}

/// A task is given nothing of the home, which holds keys and other people's answers, whatever the
/// roots are.
fn outside(path: &Path, home: &Path) -> Result<(), String> {
    let home = std::fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
    match path.starts_with(&home) || home.starts_with(path) {
        true => Err("which is koubou's home or has it in it: no task may have that".into()),
        false => Ok(()),
    }
}

/// The root below which a path lies, and the path from there.
fn below<'a>(
    path: &'a Path,
    field: &str,
    key: &str,
    roots: &'a [PathBuf],
) -> Result<(&'a Path, &'a Path), String> {
    let shown = words::tame(&path.to_string_lossy());
    let found = roots.iter().find_map(|root| Some((root.as_path(), path.strip_prefix(root).ok()?)));
    found.ok_or_else(|| match roots {
        [] => format!(
            "`{field}` names `{shown}`, and the config has no `{key}`: list the folder there"
        ),
        _ => format!(
            "`{field}` names `{shown}`, which lies below none of the config's `{key}`, {}",
            words::names(roots.iter().map(|root| root.display()), "and")
        ),
    })
}

fn read_one(path: &Path, roots: &[PathBuf], home: &Path, max: u64) -> Result<String, String> {
    let shown = words::tame(&path.to_string_lossy());
    let (root, below) = below(path, "files", "file_roots", roots)?;
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    outside(&real, home).map_err(|why| format!("`files` names `{shown}`, {why}"))?;
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
