//! Everything that can make the foreman act, and everything that it can ask for.
//!
//! Both are closed: to learn what koubou reacts to, read [`Event`]; to learn what
//! it can do, read [`Order`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::clock::Timestamp;
use crate::config::BatchSpec;
use crate::route::Assessment;
use crate::route::budget::{Limits, OnExhausted, Standing};
use crate::route::decision::Wish;
use crate::route::price::Price;
use crate::task::fact::{BatchTrouble, TaskRow};
use crate::task::journal::{Line, OpenFamily};
use crate::task::outcome::{Answer, Outcome};
use crate::task::result::{Reason, Routing, TaskError};
use crate::task::{Attempt, Folder, GroupName, Limit, Sensitivity, TaskId, Usd, WorkerType};

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A file in `pending` was read.
    Arrived(Box<Arrival>),
    /// A file is gone from `pending`, and it was not a claim of ours.
    Withdrawn(OsString),
    /// A file could not be taken from `pending`.
    NotClaimed(TaskId, NotClaimed),
    /// An attempt ended.
    Ended(TaskId, Box<Ended>),
    /// Something was heard of a batch.
    Batch(String, BatchNews),
    /// A result is durable in its folder.
    Filed {
        /// What the task was called so far.
        known_as: TaskId,
        /// What its result is called: with a number, where somebody's stood in its place.
        id: TaskId,
        /// Where it is.
        folder: Folder,
    },
    /// A task is back in `pending`.
    Released(TaskId),
    /// The tasks that a task's answer asked for are in `pending`, called so.
    Spawned(TaskId, Vec<TaskId>),
    /// A task that others depend on was looked for.
    Looked(TaskId, Option<Folder>),
    /// A worker that was not there was looked for again.
    Probed(WorkerType, Result<(), String>),
    /// Somebody wants a task ended.
    Cancel(TaskId),
    /// Somebody wants a worker type, or all of them, to claim nothing more.
    Pause(Option<WorkerType>),
    /// Somebody wants a worker type, or all of them, to go on.
    Resume(Option<WorkerType>),
    /// Somebody wants the tasks of a group to wait.
    PauseGroup(GroupName),
    /// Somebody wants them to go on.
    ResumeGroup(GroupName),
    /// Somebody set limits of the budget.
    SetLimits(BTreeMap<Limit, Usd>),
    /// `pending` was listed to its end; these files in it are not settled yet.
    ///
    /// The number is that of the order; what was listed for an earlier one says nothing any more.
    Listed(u64, Vec<String>),
    /// The disk has less room than is wanted, or has room again.
    Room(bool),
    /// Finish what runs and go home.
    Stop,
}

/// A file in `pending`, read and judged.
#[derive(Debug)]
pub struct Arrival {
    /// Its name there.
    pub file: OsString,
    /// What it is called from now on.
    pub id: TaskId,
    /// Its bytes' fingerprint.
    pub fingerprint: u64,
    /// When its content last changed.
    pub dropped_at: Timestamp,
    /// What it asks, or why it is no task.
    pub task: Result<Box<Summary>, TaskError>,
}

/// What is remembered of a task while it waits: everything but its content.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// What the router needs.
    pub wish: Wish,
    /// What reading it has shown.
    pub seen: Assessment,
    /// Tasks that must be completed first.
    pub depends_on: Vec<TaskId>,
    /// Whether it is still to be filled with answers of tasks that it depends on, and then judged anew.
    pub lacks_answers: bool,
    /// The tasks that it belongs with.
    pub group: Option<GroupName>,
    /// The task that it belongs to.
    pub parent: Option<TaskId>,
    /// Not before this time.
    pub not_before: Option<Timestamp>,
    /// Not after this time.
    pub expires_at: Option<Timestamp>,
    /// Whether it can wait for a batch.
    pub by_batch: bool,
    /// How many attempts it may have, where it says so.
    pub max_attempts: Option<u32>,
    /// The most tokens of an answer, where it says so.
    pub max_tokens: Option<u32>,
    /// The most that it may cost.
    pub max_cost: Option<Usd>,
    /// Its attempts of an earlier result.
    pub earlier: Vec<Attempt>,
    /// What its subtasks of earlier runs cost.
    pub earlier_subtasks_cost: Usd,
    /// When it was first dropped.
    pub created_at: Timestamp,
    /// What its writer should know.
    pub warnings: Vec<String>,
}

/// How an attempt ended.
#[derive(Debug)]
pub struct Ended {
    /// Which hand made it.
    pub worker_id: String,
    /// The attempt's mark.
    pub attempt: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
}

/// A task in a batch that an earlier daemon sent.
#[derive(Debug)]
pub struct TakenUp {
    /// Its file in `in_progress`.
    pub arrival: Arrival,
    /// The journal's line of its attempt's beginning.
    pub begun: Line,
}

/// What was heard of a batch. How its tasks ended is told of each by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchNews {
    /// Its server has it and calls it so.
    Taken(String),
    /// It was submitted, and nobody said whether it arrived.
    Unsure(String),
    /// It goes on.
    Open,
    /// Its server does not know it, for now at least.
    Absent,
    /// Its server could not be asked.
    Trouble(String),
    /// Its server could not be told that nobody wants it any more.
    NotCalledOff(String),
    /// Its files at the server are taken away, as far as that can be done.
    Tidied,
}

/// Why a file was not claimed.
#[derive(Clone, Debug, PartialEq)]
pub enum NotClaimed {
    /// It is not there any more.
    Gone,
    /// It is not what was routed any more; it is back in `pending` and will be read again.
    Changed,
    /// Looked at whole, it is confidential, and the worker is not local.
    Confidential(Vec<Reason>),
    /// It lies in a place or belongs to somebody that we cannot take it from.
    NotOurs(String),
    /// Our own trouble: no room, no file descriptors, a sick disk.
    Trouble(String),
}

/// Something for the engine to do.
#[derive(Debug, PartialEq)]
pub enum Order {
    /// Claim a task and have it worked on.
    Start(Box<Start>),
    /// Claim a task and file it as failed, unworked.
    Refuse(Box<Refuse>),
    /// Set a drop that is no task aside, and file why.
    Reject {
        /// Its name in `pending`.
        file: OsString,
        /// What it is called.
        id: TaskId,
        /// Why.
        error: TaskError,
        /// When it was dropped.
        dropped_at: Timestamp,
        /// When it was judged.
        judged_at: Timestamp,
        /// Whether it was tried before, and people were told.
        again: bool,
    },
    /// File the result of a task that was worked on.
    File(TaskId, Box<Verdict>),
    /// Send a batch that was gathered.
    Send(Box<BatchCall>),
    /// Ask after a batch, and take home what it holds once it has ended.
    Ask(Box<BatchCall>),
    /// Take a task out of a batch that was not sent yet.
    Leave(Box<BatchCall>),
    /// Have a batch's server end it: nobody wants any of its tasks any more.
    CallOff(Box<BatchCall>),
    /// Take away what a batch left at its server, all of whose results are filed.
    Tidy(Box<BatchCall>),
    /// Drop the tasks that an answer asks for.
    Spawn(Box<Brood>),
    /// Put a task that was worked on back into `pending`.
    Release(TaskId, Vec<Line>),
    /// End an attempt that is under way.
    Pull(TaskId),
    /// Look in which folder a task is.
    Look(TaskId),
    /// Look whether a worker is there again.
    Probe(WorkerType),
    /// Remember this.
    Write(Box<Line>),
    /// Tell the mirror where a task is.
    Record(Box<TaskRow>),
    /// Tell the mirror that a task is in no folder.
    Forget(TaskId),
    /// Tell people.
    Say(Remark),
    /// A worker type's state changed.
    Lane(WorkerType, LaneNews),
    /// The money's state changed.
    Money,
    /// Run the owner's program: a limit is nearly reached.
    Alert(Box<Alert>),
    /// List `pending` to its end and say so, with this number.
    List(u64),
    /// Take this file for one that was never seen.
    Afresh(OsString),
    /// There is nothing more to do.
    GoHome(Farewell),
}

/// A task to be worked on.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The task.
    pub id: TaskId,
    /// Its name in `pending`.
    pub file: OsString,
    /// What its bytes must still be.
    pub fingerprint: u64,
    /// The task's type.
    pub task_type: String,
    /// Who works on it.
    pub worker_type: WorkerType,
    /// Whether it may leave the house.
    pub sensitivity: Sensitivity,
    /// The attempt's mark.
    pub attempt: String,
    /// The most tokens of its answer.
    pub max_tokens: u32,
    /// The most that it may cost.
    pub reserved: Usd,
    /// The bytes of its prompt, for which that is enough.
    pub prompt_bytes: u64,
    /// The batch that it becomes part of, where it does.
    pub batch: Option<String>,
}

/// A batch, and what whoever deals with it must know.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchCall {
    /// What we call it.
    pub mark: String,
    /// Whose it is.
    pub worker_type: WorkerType,
    /// What its server calls it, where that is known.
    pub batch_id: Option<String>,
    /// Whether one that its server does not know now is given up.
    pub is_last_look: bool,
    /// Whether a file of it that is not there now is given up.
    pub is_last_read: bool,
    /// The tasks that are meant.
    pub parts: BTreeMap<TaskId, Part>,
}

/// A task's attempt that is part of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The attempt's mark.
    pub attempt: String,
    /// When it began.
    pub begun_at: Timestamp,
    /// The most tokens of its answer.
    pub max_tokens: u32,
}

/// The tasks that an answer asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Brood {
    /// Whose answer it is.
    pub parent: TaskId,
    /// Who gave it.
    pub worker_type: WorkerType,
    /// The answer, with the tasks in it.
    pub answer: Box<Answer>,
    /// What the journal must hold first.
    pub lines: Vec<Line>,
}

/// A task that waits for its subtasks, left by an earlier daemon.
#[derive(Debug)]
pub struct LeftFamily {
    /// Its file in `in_progress`.
    pub arrival: Arrival,
    /// What the journal knows of it.
    pub family: OpenFamily,
    /// Those of its subtasks that have ended or left: whether each is done, and how confidential
    /// what came of it is.
    pub ended: Vec<(TaskId, bool, Sensitivity)>,
}

/// A task to be failed without work.
#[derive(Clone, Debug, PartialEq)]
pub struct Refuse {
    /// The task.
    pub id: TaskId,
    /// Its name in `pending`.
    pub file: OsString,
    /// What its bytes must still be.
    pub fingerprint: u64,
    /// How it is filed.
    pub verdict: Verdict,
}

/// How a task is filed.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// `completed` or `failed`.
    pub folder: Folder,
    /// Why it failed.
    pub error: Option<TaskError>,
    /// What the last attempt gave.
    pub outcome: Option<Outcome>,
    /// The hand that ended it.
    pub worker_id: Option<String>,
    /// That hand's type.
    pub worker_type: Option<WorkerType>,
    /// Where it was sent and why.
    pub routing: Routing,
    /// Every attempt, the oldest first.
    pub attempts: Vec<Attempt>,
    /// What they cost together.
    pub cost: Usd,
    /// What its subtasks of earlier runs cost.
    pub earlier_subtasks_cost: Usd,
    /// When it was dropped.
    pub created_at: Timestamp,
    /// When this run's first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Timestamp,
    /// What the reader should know.
    pub warnings: Vec<String>,
    /// The subtasks whose results belong in it.
    pub children: Vec<TaskId>,
    /// What the journal must hold before the result does.
    pub lines: Vec<Line>,
}

/// Something to tell people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// How bad it is.
    pub level: log::Level,
    /// The task that it is about.
    pub task: Option<TaskId>,
    /// The hand that it is about.
    pub worker_id: Option<String>,
    /// One sentence without task text.
    pub text: String,
}

/// A worker type's state, as people are told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneNews {
    /// `ready`, `paused`, `rate_limited`, `unreachable`, `failing`, `disabled`, `over_budget`.
    pub state: &'static str,
    /// Why, and what to do.
    pub reason: Option<String>,
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// What keeps its batches, where something does.
    pub batches: Option<BatchTrouble>,
}

/// A limit that is nearly reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Which one.
    pub limit: Limit,
    /// How it stands.
    pub standing: Standing,
}

/// How the work ended when nothing more can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Farewell {
    /// What still waits, and for what; empty where nothing does.
    pub waits: Vec<(String, u64)>,
}

/// What the foreman knows of a worker type.
#[derive(Clone, Debug)]
pub struct Bench {
    /// Its name.
    pub worker_type: WorkerType,
    /// The model that it asks, or the program that it runs.
    pub model: String,
    /// How many at once.
    pub hands: usize,
    /// Requests a minute.
    pub max_rpm: Option<u32>,
    /// Tokens a minute.
    pub max_tpm: Option<u32>,
    /// What its tokens cost.
    pub price: Price,
    /// The most that one attempt of an agent costs, whatever its tokens are.
    pub max_cost: Option<Usd>,
    /// The service tier that it asks for, where it does.
    pub service_tier: Option<String>,
    /// How its batches are made, where it has any.
    pub batch: Option<BatchSpec>,
    /// How many attempts a task may have.
    pub max_attempts: u32,
    /// Whether a crash alone may not use up its attempts: a program runs at least once more.
    pub survives_one_death: bool,
    /// The most tokens of an answer, where a task does not say.
    pub max_tokens: u32,
    /// Whether confidential work may go there.
    pub local: bool,
    /// The bytes of system prompt and parameters that it adds.
    pub system_bytes: u64,
    /// Why it takes no work until a person acts.
    pub disabled: Option<String>,
}

impl Bench {
    /// Whether an attempt can cost money.
    pub fn is_paid(&self) -> bool {
        !self.price.is_free() || self.max_cost.is_some()
    }
}

/// How the foreman is set up.
#[derive(Debug)]
pub struct Setup {
    /// The worker types.
    pub benches: Vec<Bench>,
    /// What may be spent.
    pub limits: Limits,
    /// What becomes of a task whose worker cannot be paid.
    pub on_exhausted: OnExhausted,
    /// Whose midnight ends a day.
    pub timezone: TimeZone,
    /// Who has waited for longer gets a turn now and then, whatever its priority.
    pub ageing: Duration,
    /// Whether to go home when nothing is left to do.
    pub drain: bool,
    /// Begins the attempts' marks; unique to this daemon's run.
    pub run: String,
}
