//! Writes one fact into an open database.

use rusqlite::{Connection, OptionalExtension, Result, named_params, params};
use serde_json::Value;

use crate::base::clock::Timestamp;
use crate::task::fact::{
    BudgetRow, CostRow, Fact, FailedAttempt, JournalMark, LogRow, TaskRow, WorkerRow,
};
use crate::task::{GroupName, TaskId, Usd, WorkerType};

/// A time as the original design's SQL compares it.
pub(super) fn sql_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// What such a time says, if it is one.
pub(super) fn time_of(text: &str) -> Option<Timestamp> {
    let at: jiff::civil::DateTime = text.parse().ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// Writes it down. Told twice, it is written once.
pub(super) fn record(database: &Connection, fact: &Fact) -> Result<()> {
    match fact {
        Fact::Task(row) => task(database, row),
        Fact::Gone(id) => {
            let sql = "DELETE FROM task_master WHERE task_id = ?1";
            database.prepare_cached(sql)?.execute([id.as_str()]).map(drop)
        }
        Fact::Archived(id, file) => {
            // One that is tried again has left the archive behind.
            let sql = "UPDATE task_master SET archived = ?2
                       WHERE task_id = ?1 AND status IN ('completed', 'failed')";
            database.prepare_cached(sql)?.execute([id.as_str(), file]).map(drop)
        }
        Fact::ArchiveGone(file) => {
            let sql = "DELETE FROM task_master WHERE archived = ?1";
            database.prepare_cached(sql)?.execute([file]).map(drop)
        }
        Fact::Cost(row) => cost(database, row),
        Fact::FailedAttempt(row) => failed_attempt(database, row),
        Fact::Budget(row) => budget(database, row),
        Fact::Worker(row) => worker(database, row),
        Fact::Heartbeat(at) => {
            // Hands of a daemon that died are not ours to answer for.
            let sql = "UPDATE workers SET last_heartbeat = ?1
                       WHERE status <> 'offline' AND process_id = ?2";
            let mut statement = database.prepare_cached(sql)?;
            statement.execute(params![sql_time(*at), std::process::id()]).map(drop)
        }
        Fact::Log(row) => log(database, row),
        Fact::Journal(mark) => {
            set(database, "journal_file", &mark.file)?;
            set(database, "journal_offset", &mark.offset.to_string())
        }
    }
}

fn task(database: &Connection, row: &TaskRow) -> Result<()> {
    let sql = "INSERT INTO task_master (task_id, task_type, difficulty_level, sensitivity_level,
            assigned_worker_type, status, priority, estimated_tokens, actual_tokens,
            estimated_cost, actual_cost, parent_task_id, created_at, updated_at, waits_for, error_kind,
            task_group, archived, attempts, waiting_ms, running_ms)
        VALUES (:task_id, :task_type, :difficulty, :sensitivity, :worker_type, :status, :priority,
            :estimated_tokens, :actual_tokens, :estimated_cost, :actual_cost, :parent, :created_at,
            :updated_at, :waits_for, :error_kind, :task_group, :archived, :attempts, :waiting_ms, :running_ms)
        ON CONFLICT (task_id) DO UPDATE SET
            task_type = excluded.task_type, difficulty_level = excluded.difficulty_level,
            sensitivity_level = excluded.sensitivity_level,
            assigned_worker_type = excluded.assigned_worker_type, status = excluded.status,
            priority = excluded.priority, estimated_tokens = excluded.estimated_tokens,
            actual_tokens = excluded.actual_tokens, estimated_cost = excluded.estimated_cost,
            actual_cost = excluded.actual_cost, parent_task_id = excluded.parent_task_id,
            created_at = excluded.created_at, updated_at = excluded.updated_at,
            waits_for = excluded.waits_for, error_kind = excluded.error_kind,
            task_group = excluded.task_group, archived = excluded.archived,
             attempts = excluded.attempts,
            waiting_ms = excluded.waiting_ms, running_ms = excluded.running_ms";
    database
        .prepare_cached(sql)?
        .execute(named_params! {
            ":task_id": row.task_id.as_str(),
            ":task_type": row.task_type,
            ":difficulty": row.difficulty.as_str(),
            ":sensitivity": row.sensitivity.as_str(),
            ":worker_type": row.worker_type.as_ref().map(WorkerType::as_str),
            ":status": row.status.as_str(),
            ":priority": row.priority,
            ":estimated_tokens": row.estimated_tokens.map(count),
            ":actual_tokens": row.actual_tokens.map(count),
            ":estimated_cost": row.estimated_cost.map(Usd::as_f64),
            ":actual_cost": row.actual_cost.map(Usd::as_f64),
            ":parent": row.parent.as_ref().map(TaskId::as_str),
            ":created_at": sql_time(row.created_at),
            ":updated_at": sql_time(row.updated_at),
            ":waits_for": row.waits_for,
            ":error_kind": row.error_kind,
            ":task_group": row.group.as_ref().map(GroupName::as_str),
            ":archived": row.archived,
            ":attempts": row.pace.attempts.map(count),
            ":waiting_ms": row.pace.waiting_ms.map(count),
            ":running_ms": row.pace.running_ms.map(count),
        })
        .map(drop)
}

/// SQLite counts in signed numbers.
fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn cost(database: &Connection, row: &CostRow) -> Result<()> {
    let sql = "INSERT OR IGNORE INTO cost_tracking (task_id, worker_type, model_name,
            prompt_tokens, completion_tokens, total_tokens, cost_usd, timestamp, attempt,
            cached_tokens, reasoning_tokens)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let usage = &row.usage;
    database
        .prepare_cached(sql)?
        .execute(params![
            row.task_id.as_str(),
            row.worker_type.as_str(),
            row.model,
            count(usage.prompt_tokens),
            count(usage.completion_tokens),
            count(usage.total_tokens),
            row.cost.as_f64(),
            sql_time(row.at),
            row.attempt,
            count(usage.cached_tokens),
            count(usage.reasoning_tokens),
        ])
        .map(drop)
}

fn failed_attempt(database: &Connection, row: &FailedAttempt) -> Result<()> {
    let sql = "INSERT OR IGNORE INTO failed_attempts
            (attempt, task_id, worker_type, outcome, started_at)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    let (task, worker) = (row.task_id.as_str(), row.worker_type.as_str());
    let values = params![row.attempt, task, worker, row.outcome, sql_time(row.at)];
    database.prepare_cached(sql)?.execute(values).map(drop)
}

fn budget(database: &Connection, row: &BudgetRow) -> Result<()> {
    let sql = "INSERT INTO budget_management
            (year_month, budget_limit_usd, spent_usd, alert_threshold_percent)
        VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (year_month) DO UPDATE SET budget_limit_usd = excluded.budget_limit_usd,
            spent_usd = excluded.spent_usd,
            alert_threshold_percent = excluded.alert_threshold_percent";
    let (limit, spent) = (row.limit.as_f64(), row.spent.as_f64());
    let mut statement = database.prepare_cached(sql)?;
    statement.execute(params![row.year_month, limit, spent, row.alert_percent]).map(drop)
}

fn worker(database: &Connection, row: &WorkerRow) -> Result<()> {
    let sql = "INSERT INTO workers (worker_id, worker_type, model_name, api_endpoint, process_id,
            status, capabilities, rate_limit_reset_at, last_heartbeat, created_at, reason, until, task_id,
            since, batch_reason, batch_since, batch_until)
        VALUES (:worker_id, :worker_type, :model, :endpoint, :process_id, :status, :capabilities,
            :reset_at, :at, :at, :reason, :until, :task_id, :since,
            :batch_reason, :batch_since, :batch_until)
        ON CONFLICT (worker_id) DO UPDATE SET
            worker_type = excluded.worker_type, model_name = excluded.model_name,
            api_endpoint = excluded.api_endpoint, process_id = excluded.process_id,
            status = excluded.status, capabilities = excluded.capabilities,
            rate_limit_reset_at = excluded.rate_limit_reset_at,
            last_heartbeat = excluded.last_heartbeat, reason = excluded.reason,
            until = excluded.until, task_id = excluded.task_id, since = excluded.since,
            batch_reason = excluded.batch_reason, batch_since = excluded.batch_since,
            batch_until = excluded.batch_until";
    let until = row.until.map(sql_time);
    let batches = row.batches.as_ref();
    let reset_at = until.as_ref().filter(|_| row.status == "rate_limited");
    database
        .prepare_cached(sql)?
        .execute(named_params! {
            ":worker_id": row.worker_id,
            ":worker_type": row.worker_type.as_str(),
            ":model": row.model,
            ":endpoint": row.endpoint,
            ":process_id": std::process::id(),
            ":status": row.status,
            ":capabilities": Value::from(row.capabilities.clone()).to_string(),
            ":reset_at": reset_at,
            ":at": sql_time(row.at),
            ":reason": row.reason,
            ":until": until,
            ":task_id": row.task_id.as_ref().map(TaskId::as_str),
            ":since": row.since.map(sql_time),
            ":batch_reason": batches.map(|batches| batches.reason.as_str()),
            ":batch_since": batches.map(|batches| sql_time(batches.since)),
            ":batch_until": batches.and_then(|batches| batches.until).map(sql_time),
        })
        .map(drop)
}

fn log(database: &Connection, row: &LogRow) -> Result<()> {
    let sql = "INSERT INTO system_logs
            (task_id, worker_id, log_level, component, message, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    database
        .prepare_cached(sql)?
        .execute(params![
            row.task_id.as_ref().map(TaskId::as_str),
            row.worker_id,
            row.level,
            row.component,
            row.message,
            sql_time(row.at),
        ])
        .map(drop)
}

fn set(database: &Connection, key: &str, value: &str) -> Result<()> {
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    database.prepare_cached(sql)?.execute([key, value]).map(drop)
}

/// How far the journal has been followed, where that was ever written down.
pub(super) fn journal_mark(database: &Connection) -> Result<Option<JournalMark>> {
    let sql = "SELECT f.value, o.value FROM meta f, meta o
               WHERE f.key = 'journal_file' AND o.key = 'journal_offset'";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?));
    let found: Option<(String, String)> = database.query_row(sql, [], read).optional()?;
    // An offset that is no number was put there by hand: then all of it is followed again.
    Ok(found.and_then(|(file, offset)| Some(JournalMark { file, offset: offset.parse().ok()? })))
}
