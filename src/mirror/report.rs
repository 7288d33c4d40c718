//! Reads for a report what tasks and attempts of a span of time came to, row by row.
//!
//! Nothing is gathered here: who reports is given each row as it is read, and has no
//! more in memory than it keeps. All of it is read in one transaction, so that tasks
//! and money belong together while a daemon goes on writing. A value that somebody
//! wrote by hand and that is none (a text where a number should be) counts as nothing.
//!
//! Money lies in the mirror as a floating number, for other people's SQL. It is made
//! whole picodollars before anything is added up: exact for every attempt of less than
//! 2,000 dollars, as a float of that size has more digits than a picodollar needs.

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Row, params};

use super::MirrorError;
use super::query::Reader;
use super::record::sql_time;
use crate::base::clock::Timestamp;
use crate::task::Usd;
use crate::task::outcome::Usage;

/// From a moment on, and until before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment behind it.
    pub until: Timestamp,
}

/// What a task is, for whatever is grouped by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits<'a> {
    /// What sort of work.
    pub task_type: &'a str,
    /// `low`, `medium`, `high`.
    pub difficulty_level: &'a str,
    /// Whether it may not leave the house.
    pub is_confidential: bool,
}

/// A task that was dropped in the span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskLine<'a> {
    /// Its name.
    pub task_id: &'a str,
    /// What it is.
    pub traits: Traits<'a>,
    /// Who has it, would get it or did it.
    pub worker_type: Option<&'a str>,
    /// The folder that it is in.
    pub status: &'a str,
    /// Why it failed.
    pub error_kind: Option<&'a str>,
    /// The tokens of the attempt that ended it.
    pub actual_tokens: u64,
    /// What all its attempts cost.
    pub actual_cost: Usd,
    /// When it was dropped.
    pub created_at: Timestamp,
    /// How many attempts it took.
    pub attempts: Option<u64>,
    /// How long it waited for the first.
    pub waiting_ms: Option<u64>,
    /// How long it took from there.
    pub running_ms: Option<u64>,
}

/// An attempt that used or cost something, begun in the span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostLine<'a> {
    /// The task.
    pub task_id: &'a str,
    /// Who was paid.
    pub worker_type: &'a str,
    /// What was used.
    pub usage: Usage,
    /// What it cost.
    pub cost: Usd,
    /// When it began, which decides the day that pays.
    pub at: Timestamp,
    /// Whether it ended well.
    pub is_completed: bool,
}

/// So many attempts of a worker type that were begun in the span and ended in the same bad way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAttempts {
    /// Who made them.
    pub worker_type: String,
    /// How they ended.
    pub outcome: String,
    /// How many.
    pub attempts: u64,
}

/// One look at a mirror, as it was when the look began.
#[derive(Debug)]
pub struct Look<'a> {
    reader: &'a Reader,
    _one_moment: rusqlite::Transaction<'a>,
}

impl Reader {
    /// Begins to look: whatever is read of it is of one moment.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn look(&self) -> Result<Look<'_>, MirrorError> {
        let moment = self.connection.unchecked_transaction().map_err(self.at())?;
        Ok(Look { reader: self, _one_moment: moment })
    }
}

const TASKS: &str = "SELECT task_id, task_type, difficulty_level,
        sensitivity_level = 'confidential', assigned_worker_type, status, error_kind,
        actual_tokens, CAST(ROUND(actual_cost * 1e12) AS INTEGER), unixepoch(created_at),
        attempts, waiting_ms, running_ms
    FROM task_master WHERE created_at >= ?1 AND created_at < ?2";

const COSTS: &str = "SELECT c.task_id, c.worker_type, c.prompt_tokens, c.completion_tokens,
        c.total_tokens, c.cached_tokens, c.reasoning_tokens,
        CAST(ROUND(c.cost_usd * 1e12) AS INTEGER), unixepoch(c.timestamp), f.attempt IS NULL
    FROM cost_tracking c LEFT JOIN failed_attempts f ON f.attempt = c.attempt
    WHERE c.timestamp >= ?1 AND c.timestamp < ?2";

const FAILED: &str = "SELECT worker_type, outcome, COUNT(*) FROM failed_attempts
    WHERE started_at >= ?1 AND started_at < ?2 GROUP BY 1, 2 ORDER BY 3 DESC, 2, 1";

const TRAITS: &str = "SELECT task_type, difficulty_level, sensitivity_level = 'confidential'
    FROM task_master WHERE task_id = ?1";

impl Look<'_> {
    /// Every task that was dropped in the span.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn each_task(
        &self,
        span: Span,
        mut tell: impl FnMut(TaskLine<'_>),
    ) -> Result<(), MirrorError> {
        self.each(TASKS, span, |row| {
            // What nobody can date belongs to no day.
            if let Some(created_at) = moment(row, 9)? {
                tell(TaskLine {
                    task_id: text(row, 0)?.unwrap_or_default(),
                    traits: traits(row, 1)?,
                    worker_type: text(row, 4)?,
                    status: text(row, 5)?.unwrap_or_default(),
                    error_kind: text(row, 6)?,
                    actual_tokens: count(row, 7)?.unwrap_or_default(),
                    actual_cost: Usd::from_pico(count(row, 8)?.unwrap_or_default()),
                    created_at,
                    attempts: count(row, 10)?,
                    waiting_ms: count(row, 11)?,
                    running_ms: count(row, 12)?,
                });
            }
            Ok(())
        })
    }

    /// Every attempt that used or cost something and was begun in the span.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn each_cost(
        &self,
        span: Span,
        mut tell: impl FnMut(CostLine<'_>),
    ) -> Result<(), MirrorError> {
        self.each(COSTS, span, |row| {
            let tokens = |n| Ok::<_, rusqlite::Error>(count(row, n)?.unwrap_or_default());
            if let Some(at) = moment(row, 8)? {
                tell(CostLine {
                    task_id: text(row, 0)?.unwrap_or_default(),
                    worker_type: text(row, 1)?.unwrap_or_default(),
                    usage: Usage {
                        prompt_tokens: tokens(2)?,
                        completion_tokens: tokens(3)?,
                        total_tokens: tokens(4)?,
                        cached_tokens: tokens(5)?,
                        reasoning_tokens: tokens(6)?,
                        ..Usage::default()
                    },
                    cost: Usd::from_pico(tokens(7)?),
                    at,
                    is_completed: row.get(9)?,
                });
            }
            Ok(())
        })
    }

    /// The attempts that did not end well, the most frequent first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn failed_attempts(&self, span: Span) -> Result<Vec<FailedAttempts>, MirrorError> {
        let mut all = Vec::new();
        self.each(FAILED, span, |row| {
            let attempts = count(row, 2)?.unwrap_or_default();
            all.push(FailedAttempts { worker_type: row.get(0)?, outcome: row.get(1)?, attempts });
            Ok(())
        })?;
        Ok(all)
    }

    /// What a task is that was dropped at some other time; nothing where the mirror has it no more.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn with_traits<T>(
        &self,
        task_id: &str,
        tell: impl FnOnce(Option<Traits<'_>>) -> T,
    ) -> Result<T, MirrorError> {
        let at = || self.reader.at();
        let mut statement = self.statement(TRAITS)?;
        let mut rows = statement.query([task_id]).map_err(at())?;
        match rows.next().map_err(at())? {
            Some(row) => Ok(tell(Some(traits(row, 0).map_err(at())?))),
            None => Ok(tell(None)),
        }
    }

    /// Whether any attempt at a task used or cost something, at any time.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn has_costs(&self, task_id: &str) -> Result<bool, MirrorError> {
        let sql = "SELECT 1 FROM cost_tracking WHERE task_id = ?1";
        self.statement(sql)?.exists([task_id]).map_err(self.reader.at())
    }

    fn statement(&self, sql: &str) -> Result<CachedStatement<'_>, MirrorError> {
        self.reader.connection.prepare_cached(sql).map_err(self.reader.at())
    }

    fn each(
        &self,
        sql: &str,
        span: Span,
        mut tell: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), MirrorError> {
        let mut statement = self.statement(sql)?;
        let span = params![sql_time(span.from), sql_time(span.until)];
        let read = |mut rows: rusqlite::Rows<'_>| {
            while let Some(row) = rows.next()? {
                tell(row)?;
            }
            Ok(())
        };
        statement.query(span).and_then(read).map_err(self.reader.at())
    }
}

fn traits<'a>(row: &'a Row<'_>, first: usize) -> rusqlite::Result<Traits<'a>> {
    Ok(Traits {
        task_type: text(row, first)?.unwrap_or_default(),
        difficulty_level: text(row, first + 1)?.unwrap_or_default(),
        is_confidential: count(row, first + 2)? == Some(1),
    })
}

fn text<'a>(row: &'a Row<'_>, n: usize) -> rusqlite::Result<Option<&'a str>> {
    Ok(match row.get_ref(n)? {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    })
}

fn count(row: &Row<'_>, n: usize) -> rusqlite::Result<Option<u64>> {
    Ok(match row.get_ref(n)? {
        ValueRef::Integer(n) => u64::try_from(n).ok(),
        _ => None,
    })
}

fn moment(row: &Row<'_>, n: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(match row.get_ref(n)? {
        ValueRef::Integer(seconds) => Timestamp::from_second(seconds).ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::rebuild::rebuild;
    use super::super::rebuild::tests::{cost, task, task_row};
    use super::*;
    use crate::task::fact::{CostRow, Fact, FailedAttempt, Pace};
    use crate::task::{Folder, WorkerType};

    fn mirror(facts: Vec<Fact>) -> (tempfile::TempDir, PathBuf, Reader) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        rebuild(&path, facts.into_iter()).unwrap();
        let reader = Reader::open(&path).unwrap();
        (dir, path, reader)
    }

    fn november() -> Span {
        let at = |text: &str| text.parse().unwrap();
        Span { from: at("2026-11-01T00:00:00Z"), until: at("2026-12-01T00:00:00Z") }
    }

    fn failed(id: &str, attempt: &str) -> Fact {
        Fact::FailedAttempt(Box::new(FailedAttempt {
            attempt: attempt.into(),
            task_id: id.parse().unwrap(),
            worker_type: WorkerType::new("gpt5_medium"),
            outcome: "rate_limited".into(),
            at: "2026-11-23T01:02:03Z".parse().unwrap(),
        }))
    }

    #[test]
    fn a_task_is_told_with_what_its_row_says() {
        let mut row = task_row("a", Folder::Completed);
        row.pace = Pace { attempts: Some(2), waiting_ms: Some(7), running_ms: Some(1_500) };
        let mut late = task_row("b", Folder::Completed);
        late.created_at = "2026-12-01T00:00:00Z".parse().unwrap();
        let (_dir, _, reader) = mirror(vec![Fact::Task(Box::new(row)), Fact::Task(Box::new(late))]);
        let (look, mut told) = (reader.look().unwrap(), 0);
        let check = |line: TaskLine<'_>| {
            told += 1;
            assert_eq!((line.task_id, line.traits.task_type), ("a", "general"));
            assert_eq!(
                (line.attempts, line.waiting_ms, line.running_ms),
                (Some(2), Some(7), Some(1_500))
            );
            assert_eq!(line.actual_cost, "0.25".parse().unwrap());
        };
        look.each_task(november(), check).unwrap();
        assert_eq!(told, 1, "one was dropped in the next month");
    }

    #[test]
    fn money_comes_back_to_the_last_digit() {
        let amounts =
            ["0.000355", "0.000000000001", "0.1", "0.2", "1999.999999999999", "0.30000000004"];
        let row = |(n, amount): (usize, &&str)| {
            let Fact::Cost(row) = cost("a", &n.to_string()) else { panic!("no cost") };
            Fact::Cost(Box::new(CostRow { cost: amount.parse().unwrap(), ..*row }))
        };
        let (_dir, _, reader) = mirror(amounts.iter().enumerate().map(row).collect());
        let mut read = Vec::new();
        reader.look().unwrap().each_cost(november(), |line| read.push(line.cost.exact())).unwrap();
        assert_eq!(read, amounts);
    }

    #[test]
    fn an_attempt_that_was_paid_and_failed_is_known_as_such() {
        let facts = vec![cost("a", "1"), failed("a", "1"), failed("a", "1"), cost("a", "2")];
        let (_dir, _, reader) = mirror(facts);
        let (look, mut ends) = (reader.look().unwrap(), Vec::new());
        look.each_cost(november(), |line| ends.push(line.is_completed)).unwrap();
        assert_eq!(ends, [false, true]);
        let failed = look.failed_attempts(november()).unwrap();
        assert_eq!((failed.len(), failed[0].attempts), (1, 1), "told twice, it is one");
        assert!(look.has_costs("a").unwrap() && !look.has_costs("b").unwrap());
    }

    #[test]
    fn what_somebody_wrote_by_hand_stops_no_report() {
        let (_dir, path, reader) = mirror(vec![task("a", Folder::Completed), cost("a", "1")]);
        let hand = rusqlite::Connection::open(path).unwrap();
        let spoil = "UPDATE task_master SET actual_tokens = 'many', waiting_ms = -1, difficulty_level = x'ff',
            assigned_worker_type = 7; UPDATE cost_tracking SET cost_usd = -5, timestamp = '2026-11-23';";
        hand.execute_batch(spoil).unwrap();
        let (look, mut seen) = (reader.look().unwrap(), 0);
        let of_task = |line: TaskLine<'_>| {
            seen += 1;
            assert_eq!(
                (line.actual_tokens, line.waiting_ms, line.worker_type),
                (0, None, Some("7"))
            );
        };
        look.each_task(november(), of_task).unwrap();
        look.each_cost(november(), |line| assert_eq!(line.cost, Usd::ZERO)).unwrap();
        assert_eq!(seen, 1);
        let confidential =
            look.with_traits("a", |traits| traits.map(|traits| traits.is_confidential));
        assert_eq!(confidential.unwrap(), Some(false));
        assert!(look.with_traits("nobody", |traits| traits.is_none()).unwrap());
    }
}
