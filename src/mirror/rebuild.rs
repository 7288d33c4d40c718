//! Makes the mirror anew from the facts of spool and journal.
//!
//! All of it is first written to a database beside the old one. An old one that
//! is healthy then takes the new rows over in one transaction: others may have it
//! open, and to put another file under its name would tie their log to the wrong
//! database. One that is damaged is set aside, and the new one takes its name. A
//! crash leaves the old or the new.
//!
//! What only the mirror knows, the log lines and the hands, is carried over as
//! far as it can be read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::database::{self, Database};
use super::{MirrorError, query, record};
use crate::base::files::{self, At};
use crate::task::fact::Fact;

/// How long the rebuild waits for others to finish with the old mirror.
const PATIENCE: Duration = Duration::from_secs(30);

/// What has been made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// How many tasks it has.
    pub tasks: u64,
    /// How many paid attempts.
    pub costs: u64,
    /// Where the old one went, if it was damaged.
    pub set_aside: Option<PathBuf>,
}

/// Makes the mirror at `path` anew from `facts`.
///
/// # Errors
/// What SQLite or the file system says; the old mirror then stands as it was.
/// [`MirrorError::TooNew`] where a newer program made the old one.
pub fn rebuild(path: &Path, facts: impl Iterator<Item = Fact>) -> Result<Rebuilt, MirrorError> {
    let folder = files::parent(path);
    remove_leftovers(folder);
    let beside = folder.join(files::half_made(path));
    let made = fill(&beside, facts).and_then(|mut rebuilt| {
        rebuilt.set_aside = put_in_place(path, &beside)?;
        Ok(rebuilt)
    });
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let _ = files::remove(&database::companion(&beside, suffix));
    }
    made
}

/// Removes what rebuilds have left behind whose process was killed.
pub(super) fn remove_leftovers(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_ours = |name: &&str| name.starts_with(files::HALF_MADE);
        if name.to_str().filter(is_ours).is_some_and(files::is_left_over) {
            let _ = files::remove(&entry.path());
        }
    }
}

/// Writes the facts into a new database, in one transaction.
fn fill(beside: &Path, facts: impl Iterator<Item = Fact>) -> Result<Rebuilt, MirrorError> {
    let sql = |source| MirrorError::Sql { doing: "write", path: beside.to_owned(), source };
    let mut database = Database::open(beside, PATIENCE)?.connection;
    // It is nobody's yet: one file, synced once, when it is whole.
    database.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).map_err(sql)?;
    database.pragma_update(None, "synchronous", "OFF").map_err(sql)?;
    let all = database.transaction().map_err(sql)?;
    for fact in facts {
        record::record(&all, &fact).map_err(sql)?;
    }
    all.commit().map_err(sql)?;
    let count = |table| {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        database.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    };
    let tasks = count("task_master").map_err(sql)?;
    let costs = count("cost_tracking").map_err(sql)?;
    database.close().map_err(|(_, source)| sql(source))?;
    Ok(Rebuilt { tasks, costs, set_aside: None })
}

/// Puts the new database in the old one's place; answers where a damaged one went.
fn put_in_place(path: &Path, beside: &Path) -> Result<Option<PathBuf>, MirrorError> {
    if !files::exists(path) {
        take_the_name(path, beside)?;
        return Ok(None);
    }
    match into_the_old(path, beside) {
        Err(MirrorError::Sql { source, .. }) if database::is_damage(&source) => {
            carry_over(path, beside);
            let aside = database::set_aside(path)?;
            take_the_name(path, beside)?;
            Ok(Some(aside))
        }
        Err(error) => Err(error),
        Ok(()) => Ok(None),
    }
}

fn take_the_name(path: &Path, beside: &Path) -> Result<(), MirrorError> {
    // A log that was left without its database would be taken for a part of the new one.
    for suffix in ["-wal", "-shm", "-journal"] {
        files::remove(&database::companion(path, suffix))?;
    }
    std::fs::File::open(beside).and_then(|file| file.sync_all()).at("sync", beside)?;
    files::rename_over(beside, path)?;
    Ok(files::sync_dir(files::parent(path))?)
}

/// Replaces what the facts speak of, in a database that is sound.
fn into_the_old(path: &Path, beside: &Path) -> Result<(), MirrorError> {
    let sql = |source| MirrorError::Sql { doing: "write", path: path.to_owned(), source };
    let mut old = Database::open_as_it_is(path, PATIENCE)?;
    check(&old.connection).map_err(sql)?;
    // A name that SQLite cannot be given must not become another file's.
    let name = beside.to_str().ok_or(std::io::Error::from(std::io::ErrorKind::InvalidInput));
    let name = name.at("name to SQLite", beside)?;
    old.connection.execute("ATTACH DATABASE ?1 AS made", [name]).map_err(sql)?;
    let behaviour = TransactionBehavior::Immediate;
    let all = old.connection.transaction_with_behavior(behaviour).map_err(sql)?;
    for (table, columns) in TABLES {
        let replace = format!(
            "DELETE FROM main.{table};
             INSERT INTO main.{table} ({columns}) SELECT {columns} FROM made.{table};"
        );
        all.execute_batch(&replace).map_err(sql)?;
    }
    all.execute_batch(HANDS).map_err(sql)?;
    all.execute_batch(LOGS).map_err(sql)?;
    all.commit().map_err(sql)?;
    old.close();
    Ok(())
}

/// What is replaced, and which columns are taken over.
const TABLES: [(&str, &str); 5] = [
    (
        "task_master",
        "task_id, task_type, difficulty_level, sensitivity_level, assigned_worker_type, status, \
         priority, estimated_tokens, actual_tokens, estimated_cost, actual_cost, parent_task_id, \
         created_at, updated_at, waits_for, error_kind, task_group, archived, \
          attempts, waiting_ms, running_ms",
    ),
    (
        "cost_tracking",
        "task_id, worker_type, model_name, prompt_tokens, completion_tokens, total_tokens, \
         cost_usd, timestamp, attempt, cached_tokens, reasoning_tokens",
    ),
    ("failed_attempts", "attempt, task_id, worker_type, outcome, started_at"),
    (
        "budget_management",
        "year_month, budget_limit_usd, spent_usd, alert_threshold_percent, created_at",
    ),
    ("meta", "key, value"),
];

/// Hands and log lines that the facts bring along go to the old ones.
const HANDS: &str = "INSERT OR REPLACE INTO main.workers SELECT * FROM made.workers;";
const LOGS: &str = "INSERT INTO main.system_logs
        (task_id, worker_id, log_level, component, message, metadata, created_at)
    SELECT task_id, worker_id, log_level, component, message, metadata, created_at
    FROM made.system_logs ORDER BY log_id;";

/// Looks whether a database is sound, and answers with the error of a damaged one where it is not.
fn check(connection: &Connection) -> rusqlite::Result<()> {
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if said == "ok" {
        return Ok(());
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(code, Some(said)))
}

/// Copies hands and log lines out of a damaged database, row by row, as far as they can be read.
fn carry_over(path: &Path, beside: &Path) {
    let Ok(old) = query::connect(path) else { return };
    let Ok(mut new) = Connection::open(beside) else { return };
    let _ = new.pragma_update(None, "synchronous", "OFF");
    let Ok(all) = new.transaction() else { return };
    for (table, columns, n) in [
        (
            "workers",
            "worker_id, worker_type, model_name, api_endpoint, process_id, status, capabilities, \
             rate_limit_remaining, rate_limit_reset_at, last_heartbeat, created_at",
            11,
        ),
        (
            "system_logs",
            "task_id, worker_id, log_level, component, message, metadata, created_at",
            7,
        ),
    ] {
        let places = vec!["?"; n].join(", ");
        let insert = format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES ({places})");
        let Ok(mut read) = old.prepare(&format!("SELECT {columns} FROM {table}")) else { continue };
        let Ok(mut rows) = read.query([]) else { continue };
        while let Ok(Some(row)) = rows.next() {
            let values = (0..n).map(|n| row.get::<_, rusqlite::types::Value>(n));
            let Ok(values) = values.collect::<rusqlite::Result<Vec<_>>>() else { break };
            let values = rusqlite::params_from_iter(values);
            let _ = all.prepare_cached(&insert).and_then(|mut insert| insert.execute(values));
        }
    }
    let _ = all.commit();
}

/// What two mirrors of the same home must have in common, one line for each row, in a fixed order.
///
/// # Errors
/// What SQLite says.
pub fn dump(path: &Path) -> Result<Vec<String>, MirrorError> {
    let sql = |source| MirrorError::Sql { doing: "read", path: path.to_owned(), source };
    let database = query::connect(path).map_err(sql)?;
    let mut lines = Vec::new();
    for (table, columns) in &TABLES[..4] {
        let columns = columns.trim_end_matches(match *table {
            "budget_management" => ", created_at",
            _ => "",
        });
        let mut rows = database.prepare(&format!("SELECT {columns} FROM {table}")).map_err(sql)?;
        let names: Vec<String> = rows.column_names().map(str::to_owned).collect();
        let line = |row: &rusqlite::Row<'_>| {
            let mut line = (*table).to_owned();
            for (n, name) in names.iter().enumerate() {
                let value = match row.get::<_, rusqlite::types::Value>(n)? {
                    rusqlite::types::Value::Null => "-".to_owned(),
                    rusqlite::types::Value::Integer(n) => n.to_string(),
                    rusqlite::types::Value::Real(n) => n.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    rusqlite::types::Value::Blob(_) => "blob".to_owned(),
                };
                line.push_str(&format!(" {name}={value}"));
            }
            Ok(line)
        };
        let found: rusqlite::Result<Vec<String>> = rows.query_map([], line).map_err(sql)?.collect();
        lines.extend(found.map_err(sql)?);
    }
    lines.sort();
    Ok(lines)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::database::tests::ORIGINAL;
    use super::super::query::{Filter, Reader};
    use super::*;
    use crate::task::fact::{BudgetRow, CostRow, JournalMark, LogRow, Pace, TaskRow};
    use crate::task::outcome::Usage;
    use crate::task::{Difficulty, Folder, Sensitivity, Usd, WorkerType};

    pub(in crate::mirror) fn task_row(id: &str, status: Folder) -> TaskRow {
        let at = "2026-11-23T01:02:03.456Z".parse().unwrap();
        TaskRow {
            task_id: id.parse().unwrap(),
            task_type: "general".into(),
            difficulty: Difficulty::Low,
            sensitivity: Sensitivity::Public,
            worker_type: Some(WorkerType::new("local")),
            status,
            priority: 5,
            estimated_tokens: Some(100),
            actual_tokens: Some(46),
            estimated_cost: Some(Usd::ZERO),
            actual_cost: Some("0.25".parse().unwrap()),
            group: None,
            parent: None,
            created_at: at,
            updated_at: at,
            waits_for: None,
            error_kind: None,
            archived: None,
            pace: Pace::default(),
        }
    }

    pub(in crate::mirror) fn task(id: &str, status: Folder) -> Fact {
        Fact::Task(Box::new(task_row(id, status)))
    }

    pub(in crate::mirror) fn cost(id: &str, attempt: &str) -> Fact {
        Fact::Cost(Box::new(CostRow {
            attempt: attempt.into(),
            task_id: id.parse().unwrap(),
            worker_type: WorkerType::new("gpt5_medium"),
            model: "gpt-5".into(),
            usage: Usage { prompt_tokens: 12, completion_tokens: 34, ..Usage::default() },
            cost: "0.000355".parse().unwrap(),
            at: "2026-11-23T01:02:03Z".parse().unwrap(),
        }))
    }

    pub(in crate::mirror) fn budget(year_month: &str) -> Fact {
        Fact::Budget(BudgetRow {
            year_month: year_month.into(),
            limit: Usd::dollars(100),
            spent: "1.5".parse().unwrap(),
            alert_percent: 80,
        })
    }

    fn line(message: &str) -> Fact {
        Fact::Log(Box::new(LogRow {
            task_id: None,
            worker_id: None,
            level: "INFO",
            component: "spool",
            message: message.into(),
            at: "2026-11-23T01:02:03Z".parse().unwrap(),
        }))
    }

    /// Overwrites the root page of an index of the tasks; the rest can be read.
    pub(in crate::mirror) fn damage(path: &Path) {
        let database = Connection::open(path).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'idx_task_status'";
        let page: u32 = database.query_row(sql, [], |row| row.get(0)).unwrap();
        database.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).unwrap();
        drop(database);
        let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        let at = u64::from(page - 1) * 4096;
        std::os::unix::fs::FileExt::write_all_at(&file, &[0xa5; 4096], at).unwrap();
    }

    fn some_facts() -> Vec<Fact> {
        let mark = JournalMark { file: "2026-11.jsonl".into(), offset: 7 };
        vec![
            task("a", Folder::Completed),
            cost("a", "1"),
            cost("a", "1"),
            budget("2026-11"),
            Fact::Journal(mark),
        ]
    }

    #[test]
    fn the_same_facts_make_the_same_mirror() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".koubou-4194305-0-koubou"), "left by the dead").unwrap();
        let (one, two) = (dir.path().join("1.db"), dir.path().join("2.db"));
        let rebuilt = rebuild(&one, some_facts().into_iter()).unwrap();
        assert_eq!(rebuilt, Rebuilt { tasks: 1, costs: 1, set_aside: None });
        rebuild(&two, [task("gone", Folder::Pending), line("kept")].into_iter()).unwrap();
        rebuild(&two, some_facts().into_iter()).unwrap();
        assert_eq!(dump(&one).unwrap(), dump(&two).unwrap());
        assert_eq!(dump(&one).unwrap().len(), 3);
        let reader = Reader::open(&two).unwrap();
        assert_eq!(reader.logs(None, 0).unwrap()[0].message, "kept");
        assert_eq!(reader.journal_mark().unwrap().unwrap().offset, 7);
        let left = std::fs::read_dir(dir.path()).unwrap().flatten();
        assert_eq!(left.filter(|e| e.file_name().to_string_lossy().starts_with('.')).count(), 0);
    }

    #[test]
    fn a_reader_that_has_the_old_one_open_sees_the_new_rows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        rebuild(&path, [task("old", Folder::Pending)].into_iter()).unwrap();
        let reader = Reader::open(&path).unwrap();
        assert_eq!(reader.tasks(&Filter::default()).unwrap()[0].task_id, "old");
        rebuild(&path, some_facts().into_iter()).unwrap();
        assert_eq!(reader.tasks(&Filter::default()).unwrap()[0].task_id, "a");
    }

    #[test]
    fn a_damaged_one_is_set_aside_and_its_log_saved() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        let many = (0..2_000).map(|n| task(&format!("t{n}"), Folder::Pending));
        rebuild(&path, many.chain([line("kept")])).unwrap();
        damage(&path);

        let rebuilt = rebuild(&path, some_facts().into_iter()).unwrap();
        assert_eq!(rebuilt.set_aside, Some(database::companion(&path, ".corrupt-1")));
        assert_eq!(dump(&path).unwrap().len(), 3);
        assert_eq!(Reader::open(&path).unwrap().logs(None, 0).unwrap()[0].message, "kept");

        std::fs::write(&path, "no database at all, but long enough to look at ".repeat(9)).unwrap();
        assert!(rebuild(&path, some_facts().into_iter()).unwrap().set_aside.is_some());
        assert_eq!(dump(&path).unwrap().len(), 3);
    }

    #[test]
    fn a_newer_one_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
        let error = rebuild(&path, some_facts().into_iter()).unwrap_err();
        assert!(matches!(error, MirrorError::TooNew { found: 2, .. }), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn the_originals_sql_runs_unchanged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        let facts = ["a", "b"].map(|id| task(id, Folder::Completed));
        rebuild(&path, facts.into_iter().chain([cost("a", "1"), budget("2026-11")])).unwrap();
        let database = Connection::open(&path).unwrap();
        database.execute_batch(ORIGINAL).unwrap();
        // Its workers, its test script and its router, which write as well.
        database
            .execute_batch(
                "INSERT INTO workers (worker_id, worker_type, model_name, api_endpoint, process_id, status)
                 VALUES ('w', 'local', 'm', 'http://localhost:1234/v1', 7, 'idle');
                 UPDATE workers SET last_heartbeat = CURRENT_TIMESTAMP WHERE worker_id = 'w';
                 UPDATE workers SET status = 'offline';
                 INSERT INTO task_master (task_id, task_type, difficulty_level, sensitivity_level, priority)
                 VALUES ('test_001', 'code_generation', 'low', 'public', 5);
                 UPDATE task_master SET assigned_worker_type = 'local', difficulty_level = 'low',
                    sensitivity_level = 'public', status = 'routing', updated_at = CURRENT_TIMESTAMP
                 WHERE task_id = 'test_001';
                 INSERT INTO cost_tracking (task_id, worker_type, model_name,
                    prompt_tokens, completion_tokens, total_tokens, cost_usd)
                 VALUES ('test_001', 'gpt5_high', 'gpt-5', 1, 2, 3, 0.5);
                 UPDATE budget_management SET spent_usd = spent_usd + 0.5
                 WHERE year_month = strftime('%Y-%m', 'now');",
            )
            .unwrap();
        let count = |sql: &str| {
            let mut statement = database.prepare(sql).unwrap();
            let rows = statement.query_map([], |_| Ok(())).unwrap();
            rows.map(Result::unwrap).count()
        };
        let status =
            "SELECT task_id, status, assigned_worker_type, difficulty_level, sensitivity_level
            FROM task_master WHERE task_id LIKE 'test_%' ORDER BY created_at;";
        assert_eq!(count(status), 1);
        let workers = "SELECT worker_id, worker_type, status,
                datetime(last_heartbeat, 'localtime') as last_heartbeat
            FROM workers ORDER BY worker_type;";
        assert_eq!(count(workers), 1);
        let next = "SELECT task_id, task_type, priority, sensitivity_level FROM task_master
            WHERE status = 'pending' AND (sensitivity_level = 'confidential' OR difficulty_level = 'low')
            ORDER BY priority DESC, created_at ASC LIMIT 1;";
        assert_eq!(count(next), 0);
        let costs = "SELECT year_month, budget_limit_usd, ROUND(spent_usd, 2) as spent_usd,
                ROUND(budget_limit_usd - spent_usd, 2) as remaining_usd,
                ROUND((spent_usd / budget_limit_usd) * 100, 1) as usage_percent
            FROM budget_management WHERE year_month = strftime('%Y-%m', 'now');";
        count(costs);
        let report =
            "SELECT worker_type, COUNT(*) as task_count, SUM(actual_tokens) as total_tokens,
                ROUND(SUM(actual_cost), 2) as total_cost_usd
            FROM task_master
            WHERE strftime('%Y-%m', created_at) = strftime('%Y-%m', '2026-11-24')
                AND task_id NOT LIKE 'test_%'
            GROUP BY worker_type;";
        let row: (String, i64, i64, f64) = database
            .query_row(report, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .unwrap();
        assert_eq!(row, ("local".into(), 2, 92, 0.5));
        let clean_up = "DELETE FROM task_master WHERE status = 'completed'
            AND created_at < datetime('2026-12-30 00:00:00', '-7 days');";
        assert_eq!(database.execute(clean_up, []).unwrap(), 2);
        database.execute_batch("VACUUM;").unwrap();
    }
}
