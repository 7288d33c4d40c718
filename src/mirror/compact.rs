//! Makes the mirror smaller: log lines that have had their time go, and free room is given back.
//!
//! Rows of tasks stay, those of retired ones too, and so does every paid attempt. Lines about a
//! task whose result still lies in a folder are kept with it.

use std::path::Path;

use rusqlite::Connection;

use super::{MirrorError, database, query, record};
use crate::base::clock::Timestamp;
use crate::base::files;

/// Less than this share of free room is not worth writing all of the database anew, nor is so little.
const WORTH_IT: u64 = 8;
const WORTH_IT_BYTES: u64 = 256 << 10;

const OLD_LINES: &str = "FROM system_logs WHERE created_at < ?1 AND NOT EXISTS (
        SELECT 1 FROM task_master t WHERE t.task_id = system_logs.task_id AND t.archived IS NULL)";

/// What was done, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// How many log lines went.
    pub log_lines: u64,
    /// How large the database was, and is.
    pub bytes: (u64, u64),
    /// Why its free room was not given back, where there was some.
    pub kept_as_it_is: Option<String>,
}

/// What a compaction would do.
///
/// # Errors
/// What SQLite says.
pub fn plan(path: &Path, before: Timestamp) -> Result<Compacted, MirrorError> {
    let sql = |source| MirrorError::Sql { doing: "read", path: path.to_owned(), source };
    if !path.exists() {
        return Ok(Compacted::default());
    }
    if !database::may_be_opened(path) {
        return Err(MirrorError::NotOurs { path: path.to_owned() });
    }
    let connection = query::connect(path).map_err(sql)?;
    let count = format!("SELECT COUNT(*) {OLD_LINES}");
    let count = connection.query_row(&count, [record::sql_time(before)], |row| row.get(0));
    let log_lines = count.map(i64::unsigned_abs).map_err(sql)?;
    let (all, free) = sizes(&connection).map_err(sql)?;
    let after = if is_worth_it(all, free) { all - free } else { all };
    Ok(Compacted { log_lines, bytes: (all, after), kept_as_it_is: None })
}

pub(super) fn compact(
    connection: &Connection,
    path: &Path,
    before: Timestamp,
) -> rusqlite::Result<Compacted> {
    // Who died while he made one anew left it half-made, and it may be as large.
    super::rebuild::remove_leftovers(files::parent(path));
    let delete = format!("DELETE {OLD_LINES}");
    let log_lines = connection.execute(&delete, [record::sql_time(before)])? as u64;
    let (all, free) = sizes(connection)?;
    let mut compacted = Compacted { log_lines, bytes: (all, all), kept_as_it_is: None };
    if is_worth_it(all, free) {
        // It is written to a file beside the database, and then to its log.
        let room = files::free_bytes(files::parent(path)).unwrap_or(u64::MAX);
        if room < 2 * all {
            let why = format!(
                "the disk has {} left, and {} are needed for as long as it takes",
                crate::base::words::bytes(room),
                crate::base::words::bytes(2 * all)
            );
            compacted.kept_as_it_is = Some(why);
            return Ok(compacted);
        }
        connection.execute_batch("VACUUM")?;
    }
    connection.execute_batch("PRAGMA optimize")?;
    // A reader may hold it up; what is in the log then stays there and is read from there.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    compacted.bytes.1 = sizes(connection)?.0;
    Ok(compacted)
}

fn is_worth_it(all: u64, free: u64) -> bool {
    free >= WORTH_IT_BYTES && free * WORTH_IT >= all
}

/// All bytes of a database, and those of them that hold nothing.
fn sizes(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    let pragma = |name| {
        let value = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        value.map(i64::unsigned_abs)
    };
    let page = pragma("page_size")?;
    Ok((pragma("page_count")? * page, pragma("freelist_count")? * page))
}

/// Whether a compaction was broken off because the program ends.
pub(super) fn was_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted)
}

/// Opens a mirror that nobody else writes, and makes it smaller.
#[cfg(test)]
fn compact_alone(path: &Path, before: Timestamp) -> Compacted {
    let database = database::Database::open(path, std::time::Duration::from_secs(1)).unwrap();
    compact(&database.connection, path, before).unwrap()
}

#[cfg(test)]
mod tests {
    use super::super::query::Reader;
    use super::super::rebuild::rebuild;
    use super::super::rebuild::tests::{cost, task};
    use super::*;
    use crate::task::Folder;
    use crate::task::fact::{Fact, LogRow};

    fn line(task: Option<&str>, at: &str, text: &str) -> Fact {
        Fact::Log(Box::new(LogRow {
            task_id: task.map(|id| id.parse().unwrap()),
            worker_id: None,
            level: "INFO",
            component: "foreman",
            message: text.into(),
            at: at.parse().unwrap(),
        }))
    }

    #[test]
    fn old_lines_go_but_not_those_of_tasks_that_are_here() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        let (old, young) = ("2026-11-01T00:00:00Z", "2026-11-25T00:00:00Z");
        let archived = Fact::Archived("away".parse().unwrap(), "2026-11.jsonl.zst".into());
        let mut facts = vec![
            task("here", Folder::Failed),
            task("away", Folder::Completed),
            archived,
            cost("away", "1"),
            line(Some("here"), old, "kept with its task"),
            line(Some("away"), young, "young"),
            line(None, young, "young"),
        ];
        let text = "x".repeat(1_000);
        facts.extend((0..2_000).map(|_| line(Some("away"), old, &text)));
        rebuild(&path, facts.into_iter()).unwrap();
        let before = "2026-11-19T00:00:00Z".parse().unwrap();
        let planned = plan(&path, before).unwrap();
        assert_eq!(planned.log_lines, 2_000);
        let half_made = dir.path().join(format!("{}nobody-koubou.db", files::HALF_MADE));
        std::fs::write(&half_made, "half").unwrap();
        let compacted = compact_alone(&path, before);
        assert!(!half_made.exists());
        assert_eq!(compacted.log_lines, 2_000);
        assert!(compacted.bytes.1 < compacted.bytes.0 / 2, "{compacted:?}");
        let reader = Reader::open(&path).unwrap();
        let kept: Vec<String> =
            reader.logs(None, 0).unwrap().into_iter().map(|line| line.message).collect();
        assert_eq!(kept, ["kept with its task", "young", "young"]);
        let row = reader.task(&"away".parse().unwrap()).unwrap().unwrap();
        assert_eq!(row.archived.as_deref(), Some("2026-11.jsonl.zst"));
        assert_eq!(compact_alone(&path, before).log_lines, 0);
    }
}
