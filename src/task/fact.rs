//! What the mirror is told, after it is true on disk.

use super::outcome::Usage;
use super::{Attempt, Difficulty, Folder, GroupName, Sensitivity, TaskId, Usd, WorkerType};
use crate::base::clock::Timestamp;

/// Something that happened, for the mirror to write down.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A task is where this says, with these particulars; replaces what was known of it.
    Task(Box<TaskRow>),
    /// A task is in no folder any more.
    Gone(TaskId),
    /// A result that stood in a folder is in this file of the archive now.
    Archived(TaskId, String),
    /// A file of the archive is not there any more, nor is what it held.
    ArchiveGone(String),
    /// An attempt was paid for.
    Cost(Box<CostRow>),
    /// An attempt did not end well.
    FailedAttempt(Box<FailedAttempt>),
    /// The month's limit and what was spent of it.
    Budget(BudgetRow),
    /// A hand's state.
    Worker(Box<WorkerRow>),
    /// Every hand that is not offline beats now.
    Heartbeat(Timestamp),
    /// Something that a person may want to read later.
    Log(Box<LogRow>),
    /// The journal has been followed up to here.
    Journal(JournalMark),
}

/// How far the journal has been followed: a file and a byte in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct JournalMark {
    /// The file's name: `2026-11.jsonl`.
    pub file: String,
    /// The byte after the last line that was followed.
    pub offset: u64,
}

impl JournalMark {
    /// The byte of a month's file from which on it has not been followed; `None` for a month before.
    pub fn start_in(&self, file: &str) -> Option<u64> {
        match file.cmp(&self.file) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(self.offset),
            std::cmp::Ordering::Greater => Some(0),
        }
    }
}

/// A row of `task_master`. It never holds the task's text.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRow {
    /// The task's name.
    pub task_id: TaskId,
    /// What sort of work.
    pub task_type: String,
    /// How hard.
    pub difficulty: Difficulty,
    /// Whether it may leave the house.
    pub sensitivity: Sensitivity,
    /// The worker type that has it or would get it.
    pub worker_type: Option<WorkerType>,
    /// The folder that it is in.
    pub status: Folder,
    /// 0 to 10.
    pub priority: u8,
    /// Tokens as estimated before the call.
    pub estimated_tokens: Option<u64>,
    /// Tokens as used.
    pub actual_tokens: Option<u64>,
    /// What it was expected to cost at most.
    pub estimated_cost: Option<Usd>,
    /// What it cost, all attempts together.
    pub actual_cost: Option<Usd>,
    /// The tasks that it belongs with.
    pub group: Option<GroupName>,
    /// The task that it belongs to.
    pub parent: Option<TaskId>,
    /// When it was dropped.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What it waits for, in words that hold no task text; `None` once it runs or has ended.
    pub waits_for: Option<String>,
    /// `error.kind` of a failed one.
    pub error_kind: Option<&'static str>,
    /// The file of the archive that its result was retired into.
    pub archived: Option<String>,
    /// How long it took; nothing of it is known before it has ended.
    pub pace: Pace,
}

/// How many attempts a task took that has ended, and how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// How many attempts, those of an earlier result too.
    pub attempts: Option<u64>,
    /// Milliseconds from its drop to its first attempt, where there was one.
    pub waiting_ms: Option<u64>,
    /// Milliseconds from the first attempt of its last run to its end, with retries and the
    /// pauses between them.
    pub running_ms: Option<u64>,
}

impl Pace {
    /// The pace of a task that has ended, from what its result says.
    ///
    /// It is reckoned in whole milliseconds, as a result writes its times: so it is the same
    /// whether it is told at the end or read from the result years later.
    pub fn of(
        created_at: Timestamp,
        started_at: Option<Timestamp>,
        finished_at: Timestamp,
        attempts: &[Attempt],
    ) -> Self {
        let between = |start: Timestamp, end: Timestamp| {
            u64::try_from(end.as_millisecond() - start.as_millisecond()).unwrap_or(0)
        };
        let first = attempts.first().map(|attempt| attempt.started_at);
        let began = started_at.map(|started| first.map_or(started, |first| first.min(started)));
        Self {
            attempts: Some(attempts.len() as u64),
            waiting_ms: began.map(|began| between(created_at, began)),
            running_ms: started_at.map(|started| between(started, finished_at)),
        }
    }
}

/// A row of `cost_tracking`: one paid attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct CostRow {
    /// Marks the attempt, and this one only: told twice, it is one row.
    pub attempt: String,
    /// The task.
    pub task_id: TaskId,
    /// The worker type that was paid.
    pub worker_type: WorkerType,
    /// The model that was paid.
    pub model: String,
    /// What was used; zeroes where nobody said.
    pub usage: Usage,
    /// What it cost.
    pub cost: Usd,
    /// When the attempt began, which decides the day that pays.
    pub at: Timestamp,
}

/// A row of `failed_attempts`: one that did not end well, whatever it cost.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedAttempt {
    /// Marks the attempt, and this one only: told twice, it is one row.
    pub attempt: String,
    /// The task.
    pub task_id: TaskId,
    /// The worker type that made it.
    pub worker_type: WorkerType,
    /// How it ended: `rate_limited`, `timeout`, `not_accepted`…
    pub outcome: String,
    /// When it began.
    pub at: Timestamp,
}

/// A row of `budget_management`.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetRow {
    /// `2026-11`, in the configured zone.
    pub year_month: String,
    /// The month's limit.
    pub limit: Usd,
    /// Spent so far, attempts of unknown outcome at their reservation.
    pub spent: Usd,
    /// From how many per cent on to be careful.
    pub alert_percent: u8,
}

/// A row of `workers`: one hand.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerRow {
    /// `gpt5_medium-1`.
    pub worker_id: String,
    /// Its type.
    pub worker_type: WorkerType,
    /// The model, or the program.
    pub model: String,
    /// The address, or `-` for a program.
    pub endpoint: String,
    /// `idle`, `busy`, `offline`, `paused`, `rate_limited`, `unreachable`, `disabled`.
    pub status: &'static str,
    /// Why it is so and what to do; for states that want a person.
    pub reason: Option<String>,
    /// Until when the state lasts, where that is known.
    pub until: Option<Timestamp>,
    /// Since when it lasts, where that is known.
    pub since: Option<Timestamp>,
    /// What keeps its type's batches, where something does.
    pub batches: Option<BatchTrouble>,
    /// The types of work that it is for.
    pub capabilities: Vec<String>,
    /// The task that it works on.
    pub task_id: Option<TaskId>,
    /// When this was true.
    pub at: Timestamp,
}

/// What keeps a worker type's batches: one cannot be asked after, or none is made for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchTrouble {
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
}

/// A row of `system_logs`.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    /// The task that it is about.
    pub task_id: Option<TaskId>,
    /// The hand that it is about.
    pub worker_id: Option<String>,
    /// `INFO`, `WARN`, `ERROR`.
    pub level: &'static str,
    /// Which room says so: `spool`, `foreman`, `worker`…
    pub component: &'static str,
    /// One sentence, without task text; of public work that an agent does, the beginning of what
    /// it says and runs.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn attempt(started: &str) -> Attempt {
        Attempt {
            worker_id: "w-1".into(),
            started_at: at(started),
            finished_at: at(started),
            outcome: "completed".into(),
            message: String::new(),
            cost_usd: Usd::ZERO,
            batch_id: None,
        }
    }

    #[test]
    fn waiting_ends_with_the_first_attempt_and_running_begins_with_that_of_the_last_run() {
        let (dropped, end) = (at("2026-11-23T01:00:00.0009Z"), at("2026-11-23T03:00:02.5Z"));
        let again = at("2026-11-23T03:00:00Z");
        let first = [attempt("2026-11-23T01:00:01Z"), attempt("2026-11-23T03:00:00Z")];
        let pace = Pace::of(dropped, Some(again), end, &first);
        let known = (pace.attempts, pace.waiting_ms, pace.running_ms);
        assert_eq!(known, (Some(2), Some(1_000), Some(2_500)));
        let never = Pace::of(dropped, None, end, &[]);
        assert_eq!((never.attempts, never.waiting_ms, never.running_ms), (Some(0), None, None));
    }

    #[test]
    fn a_clock_that_went_back_makes_no_time_negative() {
        let (late, early) = (at("2026-11-23T02:00:00Z"), at("2026-11-23T01:00:00Z"));
        assert_eq!(Pace::of(late, Some(early), early, &[]).waiting_ms, Some(0));
    }
}
