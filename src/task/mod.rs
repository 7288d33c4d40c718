//! What a task is: the ideas that every other room speaks in.
//!
//! A task is a JSON object that somebody dropped. [`wire`] turns bytes into a
//! [`Task`] or names everything that is wrong with them at once; [`outcome`] is
//! what a worker gives back; [`result`] is the file that people read; [`fact`]
//! is what the mirror is told; [`limit`] is what a limit of money is called. [`fields`]
//! is the one table of what a task may say, and [`schema`] tells it to editors.
//!
//! Nothing here touches a disk, a clock or a thread.

pub mod accept;
pub mod fact;
pub mod fields;
pub mod id;
pub mod journal;
pub mod limit;
pub mod outcome;
pub mod outline;
pub mod placeholder;
pub mod prompt;
pub mod result;
pub mod schema;
pub mod state;
pub mod subtasks;
pub mod till;
pub mod usd;
pub mod wire;

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::clock::Timestamp;
pub use accept::Accept;
pub use id::{GroupName, TaskId, WorkerType};
pub use limit::{Limit, Purpose};
pub use result::Attempt;
pub use state::Folder;
pub use usd::Usd;

/// How hard the work is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Difficulty {
    /// Mechanical, in one place, no judgement.
    Low,
    /// Ordinary work whose approach is known; also where nothing speaks for another level.
    Medium,
    /// Design, several components, doubt, unknown causes.
    High,
}

/// Whether the work may leave the house.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Sensitivity {
    /// Any worker may see it.
    Public,
    /// Only workers that are local may see it.
    Confidential,
}

impl Difficulty {
    /// The word for it in JSON and SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Sensitivity {
    /// The word for it in JSON and SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Confidential => "confidential",
        }
    }
}

/// A task that was read and found good.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its name, unique in the home.
    pub id: TaskId,
    /// What sort of work it is; `general` where it does not say.
    pub task_type: String,
    /// What is asked, in words.
    pub description: Option<String>,
    /// A chat, sent as it is, instead of `description`.
    pub messages: Option<Vec<Value>>,
    /// The system prompt; the worker's own where absent.
    pub system: Option<String>,
    /// Data for the work, appended to the user message.
    pub input: Option<Value>,
    /// Files whose content is added to the prompt.
    pub files: Vec<PathBuf>,
    /// The folder that an agent works in, instead of a fresh one.
    pub workspace: Option<PathBuf>,
    /// 0 to 10; higher goes first.
    pub priority: u8,
    /// The difficulty that the task states.
    pub difficulty: Option<Difficulty>,
    /// The sensitivity that the task states; what is found can only raise it.
    pub sensitivity: Option<Sensitivity>,
    /// The worker type that the task names.
    pub worker: Option<WorkerType>,
    /// Who is asked in turn, until an answer is accepted.
    pub escalate: Vec<WorkerType>,
    /// Whether an answer that the same request had before will do, where it says so.
    pub cache: Option<bool>,
    /// Whether it can wait for a batch, which costs less.
    pub by_batch: bool,
    /// Who does it where its worker cannot be used.
    pub fallback: Vec<WorkerType>,
    /// What is demanded of the answer, where the task says so.
    pub accept: Option<Accept>,
    /// The JSON schema that the answer must fit, and that a model is told.
    pub response_schema: Option<Value>,
    /// The tasks that it belongs with: they take turns with other groups, and are paused as one.
    pub group: Option<GroupName>,
    /// The task that this one belongs to.
    pub parent: Option<TaskId>,
    /// How many tasks its answer may make, and theirs in turn; none where it does not say.
    pub may_spawn: u32,
    /// Tasks that must be completed first.
    pub depends_on: Vec<TaskId>,
    /// Not to be begun before this time.
    pub not_before: Option<Timestamp>,
    /// Failed as `expired` if not begun by this time.
    pub expires_at: Option<Timestamp>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How many attempts it may have.
    pub max_attempts: Option<u32>,
    /// The most tokens that a model may answer with.
    pub max_tokens: Option<u32>,
    /// The most that all its attempts may cost.
    pub max_cost: Option<Usd>,
    /// Passed to the model's API as they are.
    pub params: Map<String, Value>,
    /// Everything as it was dropped; what `metadata` and unknown fields are carried in.
    pub document: Map<String, Value>,
    /// What the writer should know: a field that nobody reads, a value given twice.
    pub warnings: Vec<String>,
    /// What came before, where a result was put into `pending` again.
    pub history: Option<Box<History>>,
}

/// What a result that was put into `pending` again brings with it.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The attempts that it had.
    pub attempts: Vec<Attempt>,
    /// What the subtasks of earlier runs cost.
    pub subtasks_cost: Usd,
    /// When the task was first dropped.
    pub created_at: Option<Timestamp>,
    /// When the older result was made: the mark by which it is known as older.
    pub finished_at: Option<Timestamp>,
}
