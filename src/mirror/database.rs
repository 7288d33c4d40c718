//! Opens the database for writing: makes it, brings it up to date, or sets it aside.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{MirrorError, SCHEMA, SCHEMA_VERSION};
use crate::base::files::{self, At, Stat};

/// Columns beyond those of the original design, for a database that has its tables already.
const ADDED: [(&str, &str, &str); 18] = [
    ("task_master", "waits_for", "TEXT"),
    ("task_master", "error_kind", "TEXT"),
    ("task_master", "task_group", "TEXT"),
    ("task_master", "archived", "TEXT"),
    ("task_master", "attempts", "INTEGER"),
    ("task_master", "waiting_ms", "INTEGER"),
    ("task_master", "running_ms", "INTEGER"),
    ("task_master", "worker_type", "TEXT GENERATED ALWAYS AS (assigned_worker_type) VIRTUAL"),
    ("cost_tracking", "attempt", "TEXT"),
    ("cost_tracking", "cached_tokens", "INTEGER"),
    ("cost_tracking", "reasoning_tokens", "INTEGER"),
    ("workers", "reason", "TEXT"),
    ("workers", "until", "TIMESTAMP"),
    ("workers", "task_id", "TEXT"),
    ("workers", "since", "TIMESTAMP"),
    ("workers", "batch_reason", "TEXT"),
    ("workers", "batch_since", "TIMESTAMP"),
    ("workers", "batch_until", "TIMESTAMP"),
];

/// An open database that is in this version's form.
pub(super) struct Database {
    pub(super) connection: Connection,
    path: PathBuf,
    identity: (u64, u64),
    /// Whether it writes to a log beside the database.
    has_log: bool,
    /// Whether it holds nothing of ours yet.
    pub(super) fresh: bool,
}

impl Database {
    /// Opens it, and makes it where it is not there. A damaged one is set aside first.
    pub(super) fn open(path: &Path, patience: Duration) -> Result<Self, MirrorError> {
        if !may_be_opened(path) {
            let aside = set_aside(path)?;
            log::warn!(
                "what stood in the mirror's place was no file and now lies at `{}`; the mirror is made anew",
                crate::base::words::tame(&aside.to_string_lossy())
            );
        }
        match Self::open_as_it_is(path, patience) {
            Err(MirrorError::Sql { source, .. }) if is_damage(&source) => {
                let aside = set_aside(path)?;
                log::warn!(
                    "the mirror was damaged ({source}) and now lies at `{}`; it is made anew",
                    crate::base::words::tame(&aside.to_string_lossy())
                );
                Self::open_as_it_is(path, patience)
            }
            opened => opened,
        }
    }

    /// Opens it, and makes it where it is not there.
    pub(super) fn open_as_it_is(path: &Path, patience: Duration) -> Result<Self, MirrorError> {
        make_private(path)?;
        let sql = |source| MirrorError::Sql { doing: "open", path: path.to_owned(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(sql)?;
        let identity = Stat::from(&fs::metadata(path).at("look at", path)?).identity;
        connection.busy_timeout(patience).map_err(sql)?;
        connection.set_prepared_statement_cache_capacity(32);
        let version = version(&connection).map_err(sql)?;
        if version > SCHEMA_VERSION {
            return Err(MirrorError::TooNew { path: path.to_owned(), found: version });
        }
        // A file system without shared memory answers with another mode; that works as well.
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
            .map_err(sql)?;
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(sql)?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20).map_err(sql)?;
        bring_up_to_date(&mut connection).map_err(sql)?;
        let fresh = version < SCHEMA_VERSION;
        Ok(Self { connection, path: path.to_owned(), identity, has_log: mode == "wal", fresh })
    }

    /// Whether the file that is open still is the one at its path, with something in it
    /// and its log beside it.
    ///
    /// Beside an empty database the next reader removes the log as a leftover: we would
    /// go on writing to a file that nobody else can see.
    pub(super) fn is_in_place(&self) -> bool {
        let is_ours = |stat: Stat| stat.identity == self.identity && stat.size > 0;
        fs::metadata(&self.path).is_ok_and(|meta| is_ours(Stat::from(&meta)))
            && (!self.has_log || files::exists(&companion(&self.path, "-wal")))
    }

    /// Brings all of it into one file and closes that.
    pub(super) fn close(self) {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        // A reader may hold it up; what is in the log then stays there and is read from there.
        let _ = self.connection.busy_timeout(Duration::from_millis(200));
        let _ = self.connection.query_row(checkpoint, [], |_| Ok(()));
        if let Err((_, error)) = self.connection.close() {
            log::warn!("the mirror was not closed well: {error}");
        }
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Adds what is missing, in one transaction; nothing that is there is changed.
fn bring_up_to_date(connection: &mut Connection) -> rusqlite::Result<()> {
    let steps = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for (table, column, definition) in ADDED {
        let columns = columns(&steps, table)?;
        if !columns.is_empty() && !columns.iter().any(|known| known == column) {
            steps
                .execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column} {definition}"))?;
        }
    }
    steps.execute_batch(SCHEMA)?;
    steps.commit()
}

/// The columns of a table, generated ones included; none where there is no such table.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_xinfo(?1)")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

/// Whether a file is there, or nothing: whoever opens a pipe waits for ever.
pub(super) fn may_be_opened(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |meta| meta.is_file())
}

/// Makes an empty file of mode 0600 where there is none, and takes the rights of others away.
///
/// SQLite gives its companions, `-wal` and `-shm`, the mode of the file itself. One
/// that exists is not opened here: to close it would drop SQLite's locks on it.
fn make_private(path: &Path) -> Result<(), MirrorError> {
    // Somebody may have taken the whole folder away; where it cannot be made, what follows says so.
    let _ = fs::DirBuilder::new().mode(0o700).create(files::parent(path));
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(files::FileError::new("create", path, error).into()),
    }
    for path in files_of(path) {
        let Ok(meta) = fs::metadata(&path) else { continue };
        if meta.permissions().mode() & 0o077 != 0 {
            // Somebody else's file may be ours to write and not ours to change.
            let _ = fs::set_permissions(&path, fs::Permissions::from_mode(0o600));
        }
    }
    Ok(())
}

/// A database, and the files that SQLite keeps beside it while it is open.
pub fn files_of(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| companion(path, suffix))
}

/// The file that SQLite keeps beside the database.
pub(super) fn companion(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Moves a database out of the way, to the first free `.corrupt-N`, and answers where it went.
pub(super) fn set_aside(path: &Path) -> Result<PathBuf, MirrorError> {
    for n in 1.. {
        let aside = companion(path, &format!(".corrupt-{n}"));
        match files::rename_new(path, &aside) {
            Ok(()) => {
                // A log that stayed would be taken for a part of the new database.
                for suffix in ["-wal", "-shm", "-journal"] {
                    let from = companion(path, suffix);
                    if files::exists(&from) {
                        files::rename_over(&from, &companion(&aside, suffix))?;
                    }
                }
                return Ok(aside);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(MirrorError::Missing { path: path.to_owned() })
}

/// Whether an error says that the file is no database any more.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Whether an error says that somebody else is writing.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::mirror) const PATIENCE: Duration = Duration::from_secs(2);

    /// The original design's own script, word for word but for its comments.
    pub(in crate::mirror) const ORIGINAL: &str = "
        CREATE TABLE IF NOT EXISTS task_master (
            task_id TEXT PRIMARY KEY,
            task_type TEXT NOT NULL,
            difficulty_level TEXT NOT NULL,
            sensitivity_level TEXT NOT NULL,
            assigned_worker_type TEXT,
            status TEXT NOT NULL DEFAULT 'pending',
            priority INTEGER DEFAULT 5,
            estimated_tokens INTEGER,
            actual_tokens INTEGER,
            estimated_cost REAL,
            actual_cost REAL,
            parent_task_id TEXT,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        );
        CREATE TABLE IF NOT EXISTS cost_tracking (
            tracking_id INTEGER PRIMARY KEY AUTOINCREMENT,
            task_id TEXT,
            worker_type TEXT NOT NULL,
            model_name TEXT NOT NULL,
            prompt_tokens INTEGER NOT NULL,
            completion_tokens INTEGER NOT NULL,
            total_tokens INTEGER NOT NULL,
            cost_usd REAL NOT NULL,
            timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        );
        CREATE TABLE IF NOT EXISTS budget_management (
            budget_id INTEGER PRIMARY KEY AUTOINCREMENT,
            year_month TEXT NOT NULL UNIQUE,
            budget_limit_usd REAL NOT NULL,
            spent_usd REAL DEFAULT 0,
            alert_threshold_percent INTEGER DEFAULT 80,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        );
        CREATE TABLE IF NOT EXISTS workers (
            worker_id TEXT PRIMARY KEY,
            worker_type TEXT NOT NULL,
            model_name TEXT NOT NULL,
            api_endpoint TEXT NOT NULL,
            process_id INTEGER,
            status TEXT NOT NULL DEFAULT 'offline',
            capabilities JSON,
            rate_limit_remaining INTEGER,
            rate_limit_reset_at TIMESTAMP,
            last_heartbeat TIMESTAMP,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        );
        CREATE TABLE IF NOT EXISTS system_logs (
            log_id INTEGER PRIMARY KEY AUTOINCREMENT,
            task_id TEXT,
            worker_id TEXT,
            log_level TEXT,
            component TEXT NOT NULL,
            message TEXT NOT NULL,
            metadata JSON,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        );
        CREATE INDEX IF NOT EXISTS idx_task_status ON task_master(status);
        CREATE INDEX IF NOT EXISTS idx_task_priority ON task_master(priority DESC);
        CREATE INDEX IF NOT EXISTS idx_worker_status ON workers(status);
        CREATE INDEX IF NOT EXISTS idx_log_timestamp ON system_logs(created_at DESC);
        INSERT OR IGNORE INTO budget_management (year_month, budget_limit_usd)
        VALUES ('2024-12', 100.0);
        PRAGMA journal_mode=WAL;
        PRAGMA synchronous=NORMAL;
    ";

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// Every table with its columns and every index, as SQLite knows them.
    fn shape(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare(
                "SELECT m.name || ' ' || c.name || ' ' || c.type || ' ' || c.hidden
                 FROM sqlite_schema m, pragma_table_xinfo(m.name) c WHERE m.type = 'table'
                 UNION SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY 1",
            )
            .unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn it_is_private_with_its_companions() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        let database = Database::open(&path, PATIENCE).unwrap();
        assert!(database.fresh);
        database.connection.execute_batch("INSERT INTO meta VALUES ('a', 'b')").unwrap();
        for path in [path.clone(), companion(&path, "-wal"), companion(&path, "-shm")] {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
        database.close();
        assert!(!companion(&path, "-wal").exists());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(!Database::open(&path, PATIENCE).unwrap().fresh);
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn the_originals_database_is_brought_up_to_date_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        let original = Connection::open(&path).unwrap();
        original.execute_batch(ORIGINAL).unwrap();
        let add = "INSERT INTO task_master (task_id, task_type, difficulty_level,
            sensitivity_level, assigned_worker_type) VALUES ('old', 'x', 'N/A', 'public', 'local')";
        original.execute_batch(add).unwrap();
        drop(original);

        let upgraded = Database::open(&path, PATIENCE).unwrap();
        let made = Database::open(&dir.path().join("new.db"), PATIENCE).unwrap();
        assert_eq!(shape(&upgraded.connection), shape(&made.connection));
        let kept: String = upgraded
            .connection
            .query_row("SELECT worker_type FROM task_master", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, "local");
        assert!(upgraded.fresh, "it knows nothing of the spool yet");
        made.connection.execute_batch(ORIGINAL).unwrap();
    }

    #[test]
    fn a_newer_one_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
        let Err(error) = Database::open(&path, PATIENCE) else { panic!("it was opened") };
        assert!(error.to_string().contains("was made by a newer koubou"), "{error}");
    }

    #[test]
    fn what_is_no_database_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        for n in 1..=2 {
            fs::write(&path, "this was a database once ".repeat(100)).unwrap();
            fs::write(companion(&path, "-wal"), "log").unwrap();
            let database = Database::open(&path, PATIENCE).unwrap();
            assert!(database.fresh && database.is_in_place());
            database.close();
            let aside = companion(&path, &format!(".corrupt-{n}"));
            assert!(fs::read_to_string(&aside).unwrap().starts_with("this was"));
        }
    }
}
