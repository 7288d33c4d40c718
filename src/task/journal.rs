//! The lines of the daemon's memory of attempts and money, and what they add up to.
//!
//! A line is written for each attempt before it begins and when it ended, for
//! each retry time, each limit that was set or nearly reached and each task that left. [`Replay`]
//! folds them into what a daemon must know when it starts. Reading them twice, or
//! reading a file whose last line was torn, changes nothing but what the torn
//! line said.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::limit::{Limit, Purpose, Scope, Window};
use super::outcome::{Answer, Usage};
use super::{Attempt, Folder, TaskId, Usd, WorkerType};
use crate::base::clock::{Timestamp, as_rfc3339};

/// What a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// An attempt is about to begin; from here on its money may be spent.
    Attempt,
    /// An attempt ended, and this is what it cost.
    End,
    /// A task will be tried again, not before `until`; by `worker_type`, where it was passed on.
    Retry,
    /// A task's result is on disk.
    Filed,
    /// A task was taken out of `pending` by hand.
    Withdrawn,
    /// Somebody set the budget's limits.
    Limits,
    /// People were told that a limit is nearly reached, once for its day or month.
    Alert,
    /// A server asked for a pause until `until`.
    Pause,
    /// A batch is about to be submitted, with every attempt that names it.
    Gathered,
    /// A server has taken a batch in, and calls it `batch_id`.
    Submitted,
    /// Every attempt of a batch has ended.
    BatchOver,
    /// A task's answer asked for subtasks: they are `children`, and it waits for them with its `answer`.
    Spawned,
    /// All of them are in `pending`: from here on one that is not there was taken away.
    AllDropped,
}

/// One line of `journal/YYYY-MM.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When it was written.
    #[serde(with = "as_rfc3339")]
    pub at: Timestamp,
    /// What it tells.
    pub event: LineKind,
    /// The task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The attempt's mark, the same in its two lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    /// The hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// The hand's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_type: Option<WorkerType>,
    /// The task's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// The model or program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The most that the attempt may cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved_usd: Option<Usd>,
    /// What it cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Usd>,
    /// What was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// How the attempt ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// In a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the attempt began, which decides the day that pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// The batch that it is about or part of, as koubou calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// The same batch, as the provider calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<String>,
    /// Not before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Where the result is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<Folder>,
    /// The tasks that a task waits for whose answer asked for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<TaskId>,
    /// The answer that asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Box<Answer>>,
    /// Which limit is nearly reached: the worker's or the task type's that is named, or the total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Window>,
    /// The daily limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_usd: Option<Usd>,
    /// The monthly limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_usd: Option<Usd>,
}

impl Line {
    /// A line that so far says only what and when.
    pub fn new(event: LineKind, at: Timestamp) -> Self {
        Self {
            at,
            event,
            task: None,
            attempt: None,
            worker_id: None,
            worker_type: None,
            task_type: None,
            model: None,
            reserved_usd: None,
            cost_usd: None,
            usage: None,
            outcome: None,
            message: None,
            started_at: None,
            batch: None,
            batch_id: None,
            until: None,
            folder: None,
            children: Vec::new(),
            answer: None,
            limit: None,
            daily_usd: None,
            monthly_usd: None,
        }
    }

    /// A line that people were told of a limit.
    pub fn alert(limit: &Limit, at: Timestamp) -> Self {
        let line = Self { limit: Some(limit.window), ..Self::new(LineKind::Alert, at) };
        line.of_scope(&limit.scope)
    }

    /// The lines that these limits were set, one for each whose they are.
    pub fn of_limits(limits: &BTreeMap<Limit, Usd>, at: Timestamp) -> Vec<Self> {
        let mut lines: BTreeMap<&Scope, Self> = BTreeMap::new();
        for (limit, amount) in limits {
            let fresh = || Self::new(LineKind::Limits, at).of_scope(&limit.scope);
            let line = lines.entry(&limit.scope).or_insert_with(fresh);
            match limit.window {
                Window::Day => line.daily_usd = Some(*amount),
                Window::Month => line.monthly_usd = Some(*amount),
            }
        }
        lines.into_values().collect()
    }

    /// The limits that it sets.
    pub fn limits(&self) -> impl Iterator<Item = (Limit, Usd)> {
        let scope = self.scope();
        let amounts = Window::ALL.into_iter().zip([self.daily_usd, self.monthly_usd]);
        amounts.filter_map(move |(window, amount)| {
            Some((Limit { scope: scope.clone(), window }, amount?))
        })
    }

    /// Whose limit it is about.
    fn scope(&self) -> Scope {
        match (&self.worker_type, &self.task_type) {
            (Some(name), _) => Scope::Worker(name.clone()),
            (None, Some(name)) => Scope::TaskType(name.clone()),
            (None, None) => Scope::Total,
        }
    }

    fn of_scope(mut self, scope: &Scope) -> Self {
        match scope {
            Scope::Total => {}
            Scope::Worker(name) => self.worker_type = Some(name.clone()),
            Scope::TaskType(name) => self.task_type = Some(name.clone()),
        }
        self
    }

    /// What an attempt's money is spent on, as far as the line says.
    pub fn purpose(&self) -> Purpose {
        Purpose { worker_type: self.worker_type.clone(), task_type: self.task_type.clone() }
    }

    /// A line about a batch of a worker type.
    pub fn of_batch(event: LineKind, mark: &str, worker: &WorkerType, at: Timestamp) -> Self {
        let (batch, worker_type) = (Some(mark.to_owned()), Some(worker.clone()));
        Self { batch, worker_type, ..Self::new(event, at) }
    }

    /// The same, about a task.
    #[must_use]
    pub fn of(mut self, task: &TaskId) -> Self {
        self.task = Some(task.clone());
        self
    }

    /// Its bytes, with the line feed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// What the lines add up to.
#[derive(Debug, Default)]
pub struct Replay {
    /// Tasks that have not ended, with their attempts so far.
    pub past: HashMap<TaskId, Past>,
    /// Attempts that began and of whose end nothing is known, by their mark.
    pub open: HashMap<String, Line>,
    /// Batches that may have been submitted and whose attempts have not all ended, by their mark.
    pub batches: HashMap<String, OpenBatch>,
    /// Tasks that wait for their subtasks.
    pub families: HashMap<TaskId, OpenFamily>,
    /// Every amount that was spent.
    pub spent: Vec<Spending>,
    /// Every limit that people were told of, with when.
    pub alerts: Vec<(Limit, Timestamp)>,
    /// The limits that were set, each as it was last.
    pub limits: BTreeMap<Limit, Usd>,
    /// When each worker type last began an attempt.
    pub last_begun: HashMap<WorkerType, Timestamp>,
    /// Until when each worker type was asked to pause.
    pub pauses: HashMap<WorkerType, Timestamp>,
}

/// A batch that may have been submitted.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenBatch {
    /// Whose it is.
    pub worker_type: WorkerType,
    /// When it was about to be submitted, or was.
    pub since: Timestamp,
    /// What the provider calls it, where that is known.
    pub batch_id: Option<String>,
}

/// A task that waits for those that its answer asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenFamily {
    /// Who gave the answer.
    pub worker_type: WorkerType,
    /// The answer, with the subtasks as they were dropped.
    pub answer: Box<Answer>,
    /// What they are called.
    pub children: Vec<TaskId>,
    /// Whether all of them were in `pending`; who died before may have dropped only some.
    pub are_dropped: bool,
    /// Those of them that were taken out of `pending` by hand.
    pub withdrawn: Vec<TaskId>,
    /// Those of them that have ended, and where their results were put.
    pub ended: BTreeMap<TaskId, Folder>,
}

/// An amount that an attempt cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Spending {
    /// When the attempt began.
    pub at: Timestamp,
    /// How much.
    pub amount: Usd,
    /// On what.
    pub purpose: Purpose,
}

/// What came before for a task that has not ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// Its attempts, the oldest first.
    pub attempts: Vec<Attempt>,
    /// When it may be tried again.
    pub next_try: Option<Timestamp>,
    /// The worker that it was passed on to, where an earlier one's answer was not accepted.
    pub rung: Option<WorkerType>,
}

impl Past {
    /// During how many attempts the daemon died.
    pub fn deaths(&self) -> u32 {
        self.attempts.iter().filter(|attempt| attempt.outcome == DAEMON_DIED).count() as u32
    }
}

/// The outcome of an attempt that ended well.
pub const COMPLETED: &str = "completed";

/// The outcome of an attempt that a person's second signal ended; the task was put back.
pub const STOPPED: &str = "stopped";

/// The outcome of an attempt whose batch was not done in time.
pub const BATCH_EXPIRED: &str = "batch_expired";

/// The outcome of an attempt whose batch its provider does not take, or failed as a whole.
pub const BATCH_REFUSED: &str = "batch_refused";

/// The outcome of an attempt whose batch could not be handed over.
pub const BATCH_NOT_SENT: &str = "batch_not_sent";

/// The outcome of an attempt whose provider has as much waiting as it lets wait.
pub const BATCH_FULL: &str = "batch_full";

/// The outcome of an attempt during which the daemon died.
pub const DAEMON_DIED: &str = "daemon_died";

/// Whether an outcome tells of an attempt at the work, and not of a worker that was not there.
pub fn counts_as_attempt(outcome: &str) -> bool {
    !matches!(outcome, "unreachable" | "billing" | "bad_key" | STOPPED)
}

impl Replay {
    /// Takes in the next line.
    pub fn follow(&mut self, line: Line) {
        match line.event {
            LineKind::Attempt => self.begin(line),
            LineKind::End => self.end(line),
            LineKind::Retry => {
                if let Some(task) = line.task {
                    let past = self.past.entry(task).or_default();
                    past.next_try = line.until;
                    past.rung = line.worker_type.or(past.rung.take());
                }
            }
            LineKind::Filed | LineKind::Withdrawn => self.left(line),
            LineKind::Spawned => self.spawned(line),
            LineKind::AllDropped => {
                let family = line.task.and_then(|task| self.families.get_mut(&task));
                if let Some(family) = family {
                    family.are_dropped = true;
                }
            }
            LineKind::Limits => self.limits.extend(line.limits()),
            LineKind::Gathered | LineKind::Submitted => self.sent(line),
            LineKind::BatchOver => {
                line.batch.map(|mark| self.batches.remove(&mark));
            }
            LineKind::Alert => self.alerts.extend(told_of(line)),
            LineKind::Pause => {
                if let (Some(worker), Some(until)) = (line.worker_type, line.until) {
                    self.pauses.insert(worker, until);
                }
            }
        }
    }

    fn left(&mut self, line: Line) {
        let Some(task) = line.task else { return };
        self.past.remove(&task);
        self.families.remove(&task);
        for family in self.families.values_mut().filter(|family| family.children.contains(&task)) {
            match line.folder {
                Some(folder) => drop(family.ended.insert(task.clone(), folder)),
                None => family.withdrawn.push(task.clone()),
            }
        }
    }

    fn spawned(&mut self, line: Line) {
        if let (Some(task), Some(worker_type), Some(answer)) =
            (line.task, line.worker_type, line.answer)
        {
            let family = OpenFamily {
                worker_type,
                answer,
                children: line.children,
                are_dropped: false,
                withdrawn: Vec::new(),
                ended: BTreeMap::new(),
            };
            self.families.insert(task, family);
        }
    }

    fn begin(&mut self, line: Line) {
        if let Some(worker) = line.worker_type.as_ref().filter(|_| line.batch.is_none()) {
            self.last_begun.insert(worker.clone(), line.at);
        }
        if let Some(mark) = line.attempt.clone() {
            self.open.insert(mark, line);
        }
    }

    fn sent(&mut self, line: Line) {
        if let (Some(mark), Some(worker_type)) = (line.batch, line.worker_type) {
            let batch = OpenBatch { worker_type, since: line.at, batch_id: line.batch_id };
            self.batches.insert(mark, batch);
        }
    }

    fn end(&mut self, line: Line) {
        let begun = line.attempt.as_ref().and_then(|mark| self.open.remove(mark));
        let began = line.started_at.unwrap_or(line.at);
        let cost = line.cost_usd.unwrap_or_default();
        if cost > Usd::ZERO {
            let purpose = purpose_of(&line, begun.as_ref());
            self.spent.push(Spending { at: began, amount: cost, purpose });
        }
        let outcome = line.outcome.unwrap_or_default();
        if let Some(task) = line.task.filter(|_| counts_as_attempt(&outcome)) {
            self.past.entry(task).or_default().attempts.push(Attempt {
                worker_id: line.worker_id.unwrap_or_default(),
                started_at: began,
                finished_at: line.at,
                outcome,
                message: line.message.unwrap_or_default(),
                cost_usd: cost,
                batch_id: line.batch_id,
            });
        }
    }

    /// Takes out the attempts that go on without a daemon: their batch may have been submitted,
    /// and `can` says that they can be taken up again.
    pub fn take_batched(&mut self, mut can: impl FnMut(&Line) -> bool) -> Vec<Line> {
        let Self { open, batches, .. } = self;
        let is_sent =
            |line: &Line| line.batch.as_ref().is_some_and(|mark| batches.contains_key(mark));
        let taken = open.extract_if(|_, line| is_sent(line) && can(line));
        let mut taken: Vec<Line> = taken.map(|(_, line)| line).collect();
        taken.sort_by(|a, b| (a.at, &a.attempt).cmp(&(b.at, &b.attempt)));
        taken
    }

    /// The lines that end what a dead daemon left open: what may have been spent counts as spent.
    pub fn close_open(&mut self, now: Timestamp) -> Vec<Line> {
        let mut open: Vec<Line> = self.open.values().cloned().collect();
        open.sort_by_key(|line| line.at);
        let ends = open.iter().map(|begin| match &begin.batch {
            Some(mark) if !self.batches.contains_key(mark) => ended_unsent(begin, now),
            _ => ended_by_death(begin, now),
        });
        let ends: Vec<Line> = ends.collect();
        for end in &ends {
            self.follow(end.clone());
        }
        ends
    }
}

/// What an attempt was for: what its end does not say, its beginning may.
fn purpose_of(end: &Line, begun: Option<&Line>) -> Purpose {
    let (end, begun) = (end.purpose(), begun.map(Line::purpose).unwrap_or_default());
    Purpose {
        worker_type: end.worker_type.or(begun.worker_type),
        task_type: end.task_type.or(begun.task_type),
    }
}

fn told_of(line: Line) -> Option<(Limit, Timestamp)> {
    Some((Limit { scope: line.scope(), window: line.limit? }, line.at))
}

/// The end of an attempt whose batch nobody had begun to send: it has cost nothing.
fn ended_unsent(begin: &Line, now: Timestamp) -> Line {
    Line {
        at: now,
        event: LineKind::End,
        started_at: Some(begin.at),
        outcome: Some(STOPPED.to_owned()),
        message: Some("the daemon ended before the batch was sent".to_owned()),
        reserved_usd: None,
        ..begin.clone()
    }
}

fn ended_by_death(begin: &Line, now: Timestamp) -> Line {
    Line {
        at: now,
        event: LineKind::End,
        started_at: Some(begin.at),
        cost_usd: begin.reserved_usd,
        outcome: Some(DAEMON_DIED.to_owned()),
        message: Some(match begin.reserved_usd {
            Some(amount) if amount > Usd::ZERO => {
                format!(
                    "the daemon died during this attempt; {amount} may have been spent and counts as spent"
                )
            }
            _ => "the daemon died during this attempt".to_owned(),
        }),
        reserved_usd: None,
        ..begin.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn begin(mark: &str, reserved: &str) -> Line {
        Line {
            attempt: Some(mark.into()),
            worker_type: Some(WorkerType::new("w")),
            reserved_usd: Some(reserved.parse().unwrap()),
            ..Line::new(LineKind::Attempt, noon()).of(&"x".parse().unwrap())
        }
    }

    fn end(mark: &str, cost: &str) -> Line {
        let kind = LineKind::End;
        Line {
            attempt: Some(mark.into()),
            cost_usd: Some(cost.parse().unwrap()),
            ..Line::new(kind, noon()).of(&"x".parse().unwrap())
        }
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let line = begin("m", "0.05");
        let bytes = line.to_bytes();
        assert_eq!(serde_json::from_slice::<Line>(&bytes).unwrap(), line);
        assert_eq!(bytes.iter().filter(|b| **b == b'\n').count(), 1);
    }

    #[test]
    fn an_attempt_without_an_end_is_money_spent() {
        let mut replay = Replay::default();
        replay.follow(begin("a", "0.05"));
        replay.follow(begin("b", "0.07"));
        replay.follow(end("a", "0.01"));
        let ends = replay.close_open(noon());
        assert_eq!(ends.len(), 1);
        let spent: Usd = replay.spent.iter().map(|spending| spending.amount).sum();
        assert_eq!(spent, "0.08".parse().unwrap());
        assert_eq!(replay.past[&"x".parse().unwrap()].deaths(), 1);
        assert!(replay.close_open(noon()).is_empty(), "twice changes nothing");
    }

    #[test]
    fn a_batch_goes_on_without_a_daemon_from_the_moment_that_it_may_be_sent() {
        let of =
            |mark: &str, batch: &str| Line { batch: Some(batch.into()), ..begin(mark, "0.05") };
        let gathered = Line::of_batch(LineKind::Gathered, "sent", &WorkerType::new("w"), noon());
        let mut replay = Replay::default();
        for line in
            [of("a", "sent"), of("b", "sent"), of("c", "unsent"), gathered, end("b", "0.01")]
        {
            replay.follow(line);
        }
        let taken = replay.take_batched(|_| true);
        assert_eq!((taken.len(), taken[0].attempt.as_deref()), (1, Some("a")));
        let ends = replay.close_open(noon());
        assert_eq!((ends.len(), ends[0].cost_usd), (1, None), "nothing was sent of the other");
        assert_eq!(ends[0].outcome.as_deref(), Some(STOPPED));
        assert!(replay.batches.contains_key("sent"));
    }

    #[test]
    fn an_end_that_does_not_say_what_it_was_for_is_known_by_its_beginning() {
        let mut replay = Replay::default();
        replay.follow(Line { task_type: Some("report".into()), ..begin("a", "0.05") });
        replay.follow(end("a", "0.01"));
        replay.follow(end("of an older koubou", "0.01"));
        let purposes: Vec<&Purpose> = replay.spent.iter().map(|s| &s.purpose).collect();
        assert_eq!(purposes, [&Purpose::new(&WorkerType::new("w"), "report"), &Purpose::default()]);
        replay.follow(Line { task_type: Some("report".into()), ..begin("b", "0.05") });
        assert_eq!(replay.close_open(noon())[0].task_type.as_deref(), Some("report"));
    }

    #[test]
    fn an_alert_is_remembered_with_its_limit() {
        let mut replay = Replay::default();
        let scopes =
            [Scope::Total, Scope::Worker(WorkerType::new("w")), Scope::TaskType("report".into())];
        let limits = scopes.map(|scope| Limit { scope, window: Window::Month });
        for limit in &limits {
            let bytes = Line::alert(limit, noon()).to_bytes();
            replay.follow(serde_json::from_slice(&bytes).unwrap());
        }
        assert_eq!(replay.alerts, limits.map(|limit| (limit, noon())));
    }

    #[test]
    fn an_ended_task_is_forgotten() {
        let mut replay = Replay::default();
        replay.follow(begin("a", "0"));
        replay.follow(end("a", "0"));
        replay.follow(Line::new(LineKind::Filed, noon()).of(&"x".parse().unwrap()));
        assert!(replay.past.is_empty() && replay.open.is_empty());
    }
}
