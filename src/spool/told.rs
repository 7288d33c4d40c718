//! What workers tell of a task while they work on it: `logs/workers/ID.jsonl`, a line each.
//!
//! It may quote what a model or a program says, and so it is for the daemon's user alone; the
//! mirror holds none of it. A line that cannot be written is missed, and no task fails for it.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Home, Spool};
use crate::base::clock::{Timestamp, as_rfc3339};
use crate::base::files::{At, FileError, Regular};
use crate::task::TaskId;

/// One thing that a worker tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When.
    #[serde(with = "as_rfc3339")]
    pub at: Timestamp,
    /// Which hand.
    pub worker_id: String,
    /// What it does.
    pub message: String,
}

/// The file for a task.
pub fn file(home: &Home, id: &TaskId) -> PathBuf {
    home.worker_logs().join(format!("{id}.jsonl"))
}

/// Writes a line down.
///
/// # Errors
/// What the file system says.
pub fn write(home: &Home, id: &TaskId, told: &Told) -> Result<(), FileError> {
    let path = file(home, id);
    let mut line = serde_json::to_vec(told).unwrap_or_default();
    line.push(b'\n');
    let open = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
    open.and_then(|mut file| file.write_all(&line)).at("write", &path)
}

/// The lines from a byte on, and the byte behind the last whole one; none where there is no file.
pub fn read(home: &Home, id: &TaskId, from: u64) -> (Vec<Told>, u64) {
    let Ok(file) = Regular::open(&file(home, id)) else { return (Vec::new(), from) };
    let mut file = file.into_file();
    if file.seek(SeekFrom::Start(from)).is_err() {
        return (Vec::new(), from);
    }
    let (mut lines, mut end) = (Vec::new(), from);
    let mut reader = BufReader::new(file);
    let mut bytes = Vec::new();
    while let Ok(size) = reader.read_until(b'\n', &mut bytes)
        && bytes.ends_with(b"\n")
    {
        end += size as u64;
        lines.extend(serde_json::from_slice(&bytes).ok());
        bytes.clear();
    }
    (lines, end)
}

/// The files of tasks that are in no folder any more, last written before a moment.
///
/// # Errors
/// Where the folder cannot be listed.
pub fn left_over(spool: &Spool, before: Timestamp) -> Result<Vec<PathBuf>, FileError> {
    let id_of = |name: &str| name.strip_suffix(".jsonl")?.parse().ok();
    let outlived =
        spool.outlived(&spool.home().worker_logs(), before, std::fs::Metadata::is_file, id_of)?;
    Ok(outlived.into_iter().map(|(_, path)| path).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::tests::{id, spool};
    use super::*;

    #[test]
    fn what_is_told_is_read_again_from_where_one_was() {
        let (_dir, spool) = spool();
        let home = spool.home();
        let told = |message: &str| Told {
            at: "2026-11-26T01:02:03Z".parse().unwrap(),
            worker_id: "codex-1".into(),
            message: message.into(),
        };
        assert_eq!(read(home, &id("x"), 0), (Vec::new(), 0));
        write(home, &id("x"), &told("one")).unwrap();
        let (lines, end) = read(home, &id("x"), 0);
        assert_eq!(lines, [told("one")]);
        write(home, &id("x"), &told("two")).unwrap();
        assert_eq!(read(home, &id("x"), end).0, [told("two")]);
        let mode = std::fs::metadata(file(home, &id("x"))).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
