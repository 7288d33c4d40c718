//! Reads the mirror, for commands and reports: read-only, and patient for two seconds.
//!
//! Every row has the names of its columns, also in JSON, and the values as they
//! stand: an older program or a person may have written them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Params, Row};
use serde::Serialize;

use super::{MirrorError, SCHEMA, SCHEMA_VERSION, database, record};
use crate::base::clock::Timestamp;
use crate::task::fact::JournalMark;
use crate::task::{Folder, GroupName, TaskId, WorkerType};

/// How long a read waits for a writer.
const PATIENCE: Duration = Duration::from_secs(2);

/// A mirror that is open for reading.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
    path: PathBuf,
}

/// Which tasks are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those in this folder.
    pub status: Option<Folder>,
    /// Only those of this worker type.
    pub worker: Option<WorkerType>,
    /// Only those whose result was retired, or only the others.
    pub archived: Option<bool>,
    /// No more than so many.
    pub limit: Option<u32>,
    /// In which order.
    pub order: Order,
}

impl Filter {
    /// The end of a statement that asks for them; its one value is the worker, where one is named.
    ///
    /// Each condition stands as it is: one that may or may not hold would keep SQLite from an index.
    fn clause(&self) -> String {
        let status = self.status.map(|folder| format!("status = '{}'", folder.as_str()));
        let worker = self.worker.as_ref().map(|_| "assigned_worker_type = ?1".to_owned());
        let archived = self.archived.map(|is| match is {
            true => "archived IS NOT NULL".to_owned(),
            false => "archived IS NULL".to_owned(),
        });
        let conditions: Vec<String> = [status, worker, archived].into_iter().flatten().collect();
        let mut clause = match conditions.is_empty() {
            true => String::new(),
            false => format!("WHERE {}", conditions.join(" AND ")),
        };
        clause.push_str(match self.order {
            Order::Queue => " ORDER BY priority DESC, created_at, task_id",
            Order::Latest => " ORDER BY updated_at DESC, task_id",
            Order::Any => "",
        });
        if let Some(limit) = self.limit {
            clause.push_str(&format!(" LIMIT {limit}"));
        }
        clause
    }
}

/// In which order tasks are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As they would run: by priority, then the oldest first.
    #[default]
    Queue,
    /// The one that changed last first.
    Latest,
    /// As it comes, which is the quickest.
    Any,
}

/// What a statement can ask for.
trait Record {
    /// Its columns, as a statement names them.
    const COLUMNS: &'static [&'static str];

    /// A statement that reads them.
    fn select(rest: &str) -> String {
        format!("SELECT {} FROM {rest}", Self::COLUMNS.join(", "))
    }
}

/// Makes a row struct, and how it is read: one field for each column, in the same order.
macro_rules! row {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl $name {
            fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
                // By number: to look for a name costs more than to read what it has.
                let mut column = 0..;
                let mut next = || column.next().unwrap_or_default();
                Ok(Self { $($field: row.get::<usize, _>(next())?,)* })
            }
        }

        impl Record for $name {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];
        }
    };
}

row! {
    /// A row of `task_master`.
    TaskRecord {
        /// The task's name.
        task_id: String,
        /// What sort of work.
        task_type: String,
        /// `low`, `medium`, `high`.
        difficulty_level: String,
        /// `public`, `confidential`.
        sensitivity_level: String,
        /// Who has it or would get it.
        assigned_worker_type: Option<String>,
        /// The folder that it is in.
        status: String,
        /// 0 to 10.
        priority: Option<i64>,
        /// Tokens as estimated.
        estimated_tokens: Option<i64>,
        /// Tokens as used.
        actual_tokens: Option<i64>,
        /// What it was expected to cost at most, in dollars.
        estimated_cost: Option<f64>,
        /// What it cost, in dollars.
        actual_cost: Option<f64>,
        /// The task that it belongs to.
        parent_task_id: Option<String>,
        /// When it was dropped.
        created_at: Option<String>,
        /// When it last changed.
        updated_at: Option<String>,
        /// Why it does not run yet.
        waits_for: Option<String>,
        /// Why it failed.
        error_kind: Option<String>,
        /// The tasks that it belongs with.
        task_group: Option<String>,
        /// The file of the archive that its result was retired into.
        archived: Option<String>,
        /// The same as `assigned_worker_type`.
        worker_type: Option<String>,
    }
}

/// As much of a row of `task_master` as a list tells, as long as it is being read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BriefRecord<'a> {
    /// The task's name.
    pub task_id: &'a str,
    /// The folder that it is in.
    pub status: &'a str,
    /// Who has it or would get it.
    pub assigned_worker_type: Option<&'a str>,
    /// `low`, `medium`, `high`.
    pub difficulty_level: &'a str,
    /// `public`, `confidential`.
    pub sensitivity_level: &'a str,
    /// 0 to 10.
    pub priority: Option<i64>,
    /// When it was dropped.
    pub created_at: Option<&'a str>,
    /// Why it does not run yet.
    pub waits_for: Option<&'a str>,
    /// The file of the archive that its result was retired into.
    pub archived: Option<&'a str>,
}

impl Record for BriefRecord<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "task_id",
        "status",
        "assigned_worker_type",
        "difficulty_level",
        "sensitivity_level",
        "priority",
        "created_at",
        "waits_for",
        "archived",
    ];
}

impl<'a> BriefRecord<'a> {
    fn read(row: &'a Row<'_>) -> rusqlite::Result<Self> {
        let text = |column: usize| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_str()?);
        let text_if_any =
            |column: usize| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_str_or_null()?);
        Ok(Self {
            task_id: text(0)?,
            status: text(1)?,
            assigned_worker_type: text_if_any(2)?,
            difficulty_level: text(3)?,
            sensitivity_level: text(4)?,
            priority: row.get(5)?,
            created_at: text_if_any(6)?,
            waits_for: text_if_any(7)?,
            archived: text_if_any(8)?,
        })
    }
}

row! {
    /// A row of `workers`.
    WorkerRecord {
        /// `gpt5_medium-1`.
        worker_id: String,
        /// Its type.
        worker_type: String,
        /// The model, or the program.
        model_name: String,
        /// The address, or `-` for a program.
        api_endpoint: String,
        /// The daemon that it belongs to.
        process_id: Option<i64>,
        /// `idle`, `busy`, `offline`…
        status: String,
        /// The types of work that it is for, as a JSON array.
        capabilities: Option<String>,
        /// Not used.
        rate_limit_remaining: Option<i64>,
        /// Until when its server wants to be left alone.
        rate_limit_reset_at: Option<String>,
        /// When it last was seen alive.
        last_heartbeat: Option<String>,
        /// When it was first seen.
        created_at: Option<String>,
        /// Why it is in this state.
        reason: Option<String>,
        /// Until when.
        until: Option<String>,
        /// What it works on.
        task_id: Option<String>,
        /// Since when, where that is known.
        since: Option<String>,
        /// What keeps its type's batches.
        batch_reason: Option<String>,
        /// Since when.
        batch_since: Option<String>,
        /// Until when, where that is known.
        batch_until: Option<String>,
    }
}

row! {
    /// A row of `budget_management`.
    BudgetRecord {
        /// `2026-11`.
        year_month: String,
        /// The month's limit in dollars.
        budget_limit_usd: f64,
        /// Spent of it, in dollars.
        spent_usd: Option<f64>,
        /// From how many per cent on to be careful.
        alert_threshold_percent: Option<i64>,
    }
}

row! {
    /// A row of `system_logs`.
    LogRecord {
        /// Counts up.
        log_id: i64,
        /// The task that it is about.
        task_id: Option<String>,
        /// The hand that it is about.
        worker_id: Option<String>,
        /// `INFO`, `WARN`, `ERROR`.
        log_level: Option<String>,
        /// Which room said so.
        component: String,
        /// One sentence.
        message: String,
        /// When.
        created_at: Option<String>,
    }
}

row! {
    /// How many pending tasks wait for the same thing.
    WaitRecord {
        /// Who would get them.
        assigned_worker_type: Option<String>,
        /// What they wait for.
        waits_for: Option<String>,
        /// How many they are.
        tasks: i64,
    }
}

row! {
    /// How many tasks a folder holds.
    CountRecord {
        /// The folder.
        status: String,
        /// How many they are.
        tasks: i64,
    }
}

impl Reader {
    /// Opens the mirror at `path` for reading.
    ///
    /// # Errors
    /// [`MirrorError::Missing`], [`MirrorError::TooNew`], [`MirrorError::NotOurs`], or what SQLite says.
    pub fn open(path: &Path) -> Result<Self, MirrorError> {
        Self::open_within(path, PATIENCE)
    }

    /// The same, and no read waits longer than this for a writer.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_within(path: &Path, patience: Duration) -> Result<Self, MirrorError> {
        // Where nobody may look it may be there.
        if path.try_exists().is_ok_and(|exists| !exists) {
            return Err(MirrorError::Missing { path: path.to_owned() });
        }
        if !database::may_be_opened(path) {
            return Err(MirrorError::NotOurs { path: path.to_owned() });
        }
        let opened = connect_within(path, patience).and_then(|connection| {
            let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok((connection, version))
        });
        let (connection, version): (_, i64) = opened.map_err(|source| MirrorError::Sql {
            doing: "open",
            path: path.to_owned(),
            source,
        })?;
        let path = path.to_owned();
        match version {
            SCHEMA_VERSION => Ok(Self { connection, path }),
            ..SCHEMA_VERSION => Err(MirrorError::NotOurs { path }),
            found => Err(MirrorError::TooNew { path, found }),
        }
    }

    /// A mirror that knows of nothing.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn of_nothing() -> Result<Self, MirrorError> {
        let path = PathBuf::from(":memory:");
        let made = Connection::open_in_memory().and_then(|connection| {
            connection.execute_batch(SCHEMA)?;
            Ok(connection)
        });
        match made {
            Ok(connection) => Ok(Self { connection, path }),
            Err(source) => Err(MirrorError::Sql { doing: "open", path, source }),
        }
    }

    /// One task's row.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn task(&self, id: &TaskId) -> Result<Option<TaskRecord>, MirrorError> {
        let sql = TaskRecord::select("task_master WHERE task_id = ?1");
        self.connection
            .query_row(&sql, [id.as_str()], TaskRecord::read)
            .optional()
            .map_err(self.at())
    }

    /// The rows of many tasks.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn tasks(&self, filter: &Filter) -> Result<Vec<TaskRecord>, MirrorError> {
        let sql = TaskRecord::select(&format!("task_master {}", filter.clause()));
        let worker = filter.worker.as_ref().map(WorkerType::as_str);
        self.rows(&sql, rusqlite::params_from_iter(worker), TaskRecord::read)
    }

    /// Tells as much of the rows of many tasks as a list tells, and keeps none.
    ///
    /// # Errors
    /// What SQLite says; some may have been told then.
    pub fn each_brief(
        &self,
        filter: &Filter,
        mut tell: impl FnMut(BriefRecord<'_>),
    ) -> Result<(), MirrorError> {
        let sql = BriefRecord::select(&format!("task_master {}", filter.clause()));
        let worker = filter.worker.as_ref().map(WorkerType::as_str);
        self.each_row(&sql, rusqlite::params_from_iter(worker), |row| {
            tell(BriefRecord::read(row)?);
            Ok(())
        })
    }

    /// Tells the id of each task in a folder and when it last changed, the latest first, and keeps none.
    ///
    /// All of that stands in one index, and so it is quickly read.
    ///
    /// # Errors
    /// What SQLite says; some may have been told then.
    pub fn each_change(
        &self,
        folder: Folder,
        mut tell: impl FnMut(&str, Timestamp),
    ) -> Result<(), MirrorError> {
        let sql = "SELECT task_id, updated_at FROM task_master WHERE status = ?1
                   ORDER BY updated_at DESC";
        // Many changed in the same second.
        let mut last = (String::new(), None);
        self.each_row(sql, [folder.as_str()], |row| {
            let (id, at) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str_or_null()?);
            let at = at.unwrap_or_default();
            if last.0 != at {
                last = (at.to_owned(), record::time_of(at));
            }
            // A time that is none says nothing.
            last.1.into_iter().for_each(|at| tell(id, at));
            Ok(())
        })
    }

    /// The files of the archive that rows name.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn archives(&self) -> Result<Vec<String>, MirrorError> {
        let sql = "SELECT DISTINCT archived FROM task_master WHERE archived IS NOT NULL";
        self.rows(sql, (), |row| row.get(0))
    }

    /// The rows of the tasks that belong to one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn children(&self, parent: &TaskId) -> Result<Vec<TaskRecord>, MirrorError> {
        let rest = "task_master WHERE parent_task_id = ?1 ORDER BY created_at, task_id";
        self.rows(&TaskRecord::select(rest), [parent.as_str()], TaskRecord::read)
    }

    /// The rows of the tasks of a group.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn group(&self, name: &GroupName) -> Result<Vec<TaskRecord>, MirrorError> {
        let rest = "task_master WHERE task_group = ?1 ORDER BY created_at, task_id";
        self.rows(&TaskRecord::select(rest), [name.as_str()], TaskRecord::read)
    }

    /// How many tasks each folder holds; none for an empty one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn counts(&self) -> Result<Vec<CountRecord>, MirrorError> {
        let sql = "SELECT status, COUNT(*) FROM task_master WHERE archived IS NULL
             GROUP BY status ORDER BY status";
        self.rows(sql, (), CountRecord::read)
    }

    /// The log lines behind `after_id`, of one task or of all.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn logs(
        &self,
        task: Option<&TaskId>,
        after_id: i64,
    ) -> Result<Vec<LogRecord>, MirrorError> {
        let rest = match task {
            Some(_) => "system_logs WHERE task_id = ?1 AND log_id > ?2 ORDER BY log_id",
            None => "system_logs WHERE ?1 IS NULL AND log_id > ?2 ORDER BY log_id",
        };
        let values = (task.map(TaskId::as_str), after_id);
        self.rows(&LogRecord::select(rest), values, LogRecord::read)
    }

    /// Every hand.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn workers(&self) -> Result<Vec<WorkerRecord>, MirrorError> {
        let rest = "workers ORDER BY worker_type, length(worker_id), worker_id";
        self.rows(&WorkerRecord::select(rest), (), WorkerRecord::read)
    }

    /// A month's budget.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn budget(&self, year_month: &str) -> Result<Option<BudgetRecord>, MirrorError> {
        let sql = BudgetRecord::select("budget_management WHERE year_month = ?1");
        let found = self.connection.query_row(&sql, [year_month], BudgetRecord::read);
        found.optional().map_err(self.at())
    }

    /// What pending tasks wait for, the most first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn waits(&self) -> Result<Vec<WaitRecord>, MirrorError> {
        let sql = "SELECT assigned_worker_type, waits_for, COUNT(*) AS tasks FROM task_master
                   WHERE status = 'pending' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2";
        self.rows(sql, (), WaitRecord::read)
    }

    /// What is wrong with the file, as SQLite finds by looking through it; nothing where it is sound.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn flaws(&self) -> Result<Vec<String>, MirrorError> {
        let said = self.rows("PRAGMA quick_check(5)", (), |row| row.get::<_, String>(0))?;
        Ok(said.into_iter().filter(|line| line != "ok").collect())
    }

    /// Reads the row of every task, to its last column.
    ///
    /// # Errors
    /// What SQLite says, where one cannot be read.
    pub fn read_through_tasks(&self) -> Result<(), MirrorError> {
        self.rows("SELECT COUNT(running_ms) FROM task_master", (), |row| row.get::<_, i64>(0))?;
        Ok(())
    }

    /// How far the journal has been followed.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn journal_mark(&self) -> Result<Option<JournalMark>, MirrorError> {
        record::journal_mark(&self.connection).map_err(self.at())
    }

    /// Tells one row after the other, and keeps none.
    fn each_row(
        &self,
        sql: &str,
        values: impl Params,
        mut tell: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), MirrorError> {
        let each = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query(values)?;
            while let Some(row) = rows.next()? {
                tell(row)?;
            }
            Ok(())
        };
        each().map_err(self.at())
    }

    pub(super) fn rows<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, MirrorError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(self.at())?;
        let rows = statement.query_map(values, read).map_err(self.at())?;
        rows.collect::<rusqlite::Result<_>>().map_err(self.at())
    }

    pub(super) fn at(&self) -> impl FnOnce(rusqlite::Error) -> MirrorError {
        let path = self.path.clone();
        move |source| MirrorError::Sql { doing: "read", path, source }
    }
}

/// Opens a database that is not to be changed.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    connect_within(path, PATIENCE)
}

fn connect_within(path: &Path, patience: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(patience)?;
        connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    });
    match opened {
        // Even to read, SQLite wants a file of its own beside the database. Who may not
        // make one can still read a database that nobody writes.
        Err(error) if is_read_only(&error) && !has_log(path) => {
            let flags = flags | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(immutable(path), flags)
        }
        opened => opened,
    }
}

fn is_read_only(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

fn has_log(path: &Path) -> bool {
    std::fs::metadata(database::companion(path, "-wal")).is_ok_and(|meta| meta.len() > 0)
}

/// The address of a file that nobody changes, as SQLite reads it.
fn immutable(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte));
            }
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri + "?immutable=1"
}

#[cfg(test)]
mod tests {
    use super::super::rebuild::rebuild;
    use super::super::rebuild::tests::{budget, cost, task, task_row};
    use super::*;
    use crate::task::fact::Fact;

    fn mirror(facts: Vec<Fact>) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou #1?.db");
        rebuild(&path, facts.into_iter()).unwrap();
        (dir, path)
    }

    #[test]
    fn a_missing_mirror_is_named_and_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        let error = Reader::open(&path).unwrap_err();
        assert!(matches!(error, MirrorError::Missing { .. }), "{error}");
        assert!(!path.exists());
        std::fs::write(&path, "").unwrap();
        assert!(matches!(Reader::open(&path), Err(MirrorError::NotOurs { .. })));
    }

    #[test]
    fn tasks_come_filtered_and_in_order() {
        let mut urgent = task_row("urgent", Folder::Pending);
        urgent.priority = 9;
        urgent.waits_for = Some("a free hand".into());
        let facts = vec![
            task("a", Folder::Pending),
            Fact::Task(Box::new(urgent)),
            task("c", Folder::Failed),
            task("d", Folder::Pending),
        ];
        let (_dir, path) = mirror(facts);
        let reader = Reader::open(&path).unwrap();
        let ids = |filter: &Filter| -> Vec<String> {
            reader.tasks(filter).unwrap().into_iter().map(|row| row.task_id).collect()
        };
        let pending = Filter { status: Some(Folder::Pending), ..Filter::default() };
        assert_eq!(ids(&pending), ["urgent", "a", "d"]);
        assert_eq!(ids(&Filter { limit: Some(1), ..pending }), ["urgent"]);
        let other = Filter { worker: Some(WorkerType::new("other")), ..Filter::default() };
        assert_eq!(ids(&other), Vec::<String>::new());
        let waits = reader.waits().unwrap();
        assert_eq!((waits[0].tasks, waits[0].waits_for.as_deref()), (2, None));
        assert_eq!((waits[1].tasks, waits[1].waits_for.as_deref()), (1, Some("a free hand")));
        assert_eq!(reader.counts().unwrap()[0], CountRecord { status: "failed".into(), tasks: 1 });
    }

    /// How SQLite would answer a statement.
    fn plan(reader: &Reader, sql: &str) -> String {
        let read = |row: &Row<'_>| row.get::<_, String>(3);
        reader.rows(&format!("EXPLAIN QUERY PLAN {sql}"), (), read).unwrap().join("; ")
    }

    #[test]
    fn the_first_of_many_are_found_without_sorting_all_and_without_an_index_all_the_same() {
        let mut facts: Vec<Fact> = (0..9).map(|n| task(&format!("t{n}"), Folder::Failed)).collect();
        let mut urgent = task_row("urgent", Folder::Pending);
        urgent.priority = 9;
        facts.extend([task("a", Folder::Pending), Fact::Task(Box::new(urgent))]);
        let (_dir, path) = mirror(facts);
        let ask = |order, status| Filter {
            status: Some(status),
            order,
            limit: Some(2),
            ..Filter::default()
        };
        let queue = ask(Order::Queue, Folder::Pending);
        let latest = ask(Order::Latest, Folder::Failed);
        let any = Filter { limit: None, ..ask(Order::Any, Folder::Failed) };
        let reader = Reader::open(&path).unwrap();
        for filter in [&queue, &latest, &any] {
            let plan =
                plan(&reader, &BriefRecord::select(&format!("task_master {}", filter.clause())));
            assert!(plan.contains("USING INDEX") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
        let ids = |reader: &Reader, filter: &Filter| -> Vec<String> {
            let mut ids = Vec::new();
            reader.each_brief(filter, |row| ids.push(row.task_id.to_owned())).unwrap();
            ids
        };
        // A mirror that an older koubou made has fewer of them until the next start.
        let older = Connection::open(&path).unwrap();
        for index in ["idx_task_queue", "idx_task_latest", "idx_task_status"] {
            let (before, reader) = (Reader::open(&path).unwrap(), &reader);
            assert_eq!(ids(&before, &queue), ["urgent", "a"]);
            assert_eq!(ids(&before, &latest), ["t0", "t1"]);
            assert_eq!(ids(reader, &any).len(), 9);
            older.execute_batch(&format!("DROP INDEX {index}")).unwrap();
        }
        assert_eq!(ids(&reader, &queue), ["urgent", "a"]);
        drop((older, reader));
        let opened = database::Database::open(&path, PATIENCE).unwrap();
        assert!(!opened.fresh, "its rows are good");
        let sql = "SELECT COUNT(*) FROM sqlite_schema WHERE name IN
            ('idx_task_queue', 'idx_task_latest', 'idx_task_status')";
        let found: i64 = opened.connection.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(found, 3);
    }

    #[test]
    fn when_tasks_changed_is_read_from_an_index_alone() {
        let mut late = task_row("late", Folder::Failed);
        late.updated_at = "2026-11-24T00:00:00.7Z".parse().unwrap();
        let facts = ["a", "b"].map(|id| task(id, Folder::Failed)).into_iter();
        let (_dir, path) = mirror(facts.chain([Fact::Task(Box::new(late))]).collect());
        let odd = Connection::open(&path).unwrap();
        odd.execute("UPDATE task_master SET updated_at = 'odd' WHERE task_id = 'b'", []).unwrap();
        let reader = Reader::open(&path).unwrap();
        let mut told = Vec::new();
        reader.each_change(Folder::Failed, |id, at| told.push(format!("{id} {at}"))).unwrap();
        assert_eq!(told, ["late 2026-11-24T00:00:00Z", "a 2026-11-23T01:02:03Z"]);
        let plan = plan(
            &reader,
            "SELECT task_id, updated_at FROM task_master WHERE status = 'failed' ORDER BY updated_at DESC",
        );
        assert!(plan.contains("USING COVERING INDEX") && !plan.contains("TEMP B-TREE"), "{plan}");
    }

    #[test]
    fn a_part_of_a_row_is_what_the_whole_row_says() {
        let mut row = task_row("a", Folder::Pending);
        row.waits_for = Some("a free hand".into());
        let (_dir, path) = mirror(vec![Fact::Task(Box::new(row)), task("b", Folder::Failed)]);
        let reader = Reader::open(&path).unwrap();
        let wanted = Filter { worker: Some(WorkerType::new("local")), ..Filter::default() };
        let whole = serde_json::to_value(reader.tasks(&wanted).unwrap()).unwrap();
        let mut part = Vec::new();
        reader.each_brief(&wanted, |row| part.push(serde_json::to_value(row).unwrap())).unwrap();
        assert_eq!(part.len(), 2);
        for (whole, part) in whole.as_array().unwrap().iter().zip(&part) {
            for (name, value) in part.as_object().unwrap() {
                assert_eq!(&whole[name], value, "{name}");
            }
        }
        assert_eq!(part[0]["waits_for"], "a free hand");
    }

    #[test]
    fn json_has_the_names_of_the_columns() {
        let (_dir, path) =
            mirror(vec![task("a", Folder::Failed), budget("2026-11"), cost("a", "1")]);
        let reader = Reader::open(&path).unwrap();
        let row = reader.task(&"a".parse().unwrap()).unwrap().unwrap();
        let json = serde_json::to_value(row).unwrap();
        assert_eq!(json["assigned_worker_type"], "local");
        assert_eq!(json["created_at"], "2026-11-23 01:02:03");
        let month = reader.budget("2026-11").unwrap().unwrap();
        assert_eq!((month.budget_limit_usd, month.spent_usd), (100.0, Some(1.5)));
        assert_eq!(reader.budget("2025-01").unwrap(), None);
    }

    #[test]
    fn a_mirror_that_nobody_may_change_can_be_read() {
        use std::os::unix::fs::PermissionsExt;
        let (dir, path) = mirror(vec![task("a", Folder::Pending)]);
        let writable = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o500)).unwrap();
        let found = Reader::open(&path).and_then(|reader| reader.tasks(&Filter::default()));
        std::fs::set_permissions(dir.path(), writable).unwrap();
        assert_eq!(found.unwrap().len(), 1);
        let uri = immutable(&path);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(uri, flags).unwrap();
        connection.query_row("SELECT task_id FROM task_master", [], |_| Ok(())).unwrap();
    }
}
