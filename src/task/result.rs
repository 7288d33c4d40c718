//! The file that people read when a task has ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::outcome::{ErrorKind, Usage};
use super::{Difficulty, Folder, Sensitivity, TaskId, Usd, WorkerType};
use crate::base::clock::{Timestamp, as_rfc3339};

/// One attempt at a task, as `attempts` lists them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Which hand made it: `gpt5_medium-1`.
    pub worker_id: String,
    /// When it began.
    #[serde(with = "as_rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(with = "as_rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub finished_at: Timestamp,
    /// `completed`, `rate_limited`, `timeout`, `daemon_died`…
    pub outcome: String,
    /// What happened, in a sentence; empty for one that went well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What it cost.
    #[serde(default)]
    pub cost_usd: Usd,
    /// The batch that it was part of, as the provider calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<String>,
}

/// One reason for a routing, as `koubou route` prints it. It never holds the value that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The rule's name.
    pub rule: String,
    /// What sort of rule: `stated`, `pattern`, `keyword`, `use_for`, `routing_rule`, `budget`…
    pub family: String,
    /// Where in the task, as a JSON pointer: `/description`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// One sentence.
    pub why: String,
    /// Which bytes of the field, start and end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<(usize, usize)>,
    /// How the field was read to find it: `plain`, `base64`…
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// What was found, in outline: `len 40, A-Za-z0-9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<String>,
    /// A difficulty feature's share in the score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

impl Reason {
    /// A reason with no more than its sentence.
    pub fn new(rule: impl Into<String>, family: &str, field: &str, why: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            family: family.to_owned(),
            field: field.to_owned(),
            why: why.into(),
            span: None,
            view: None,
            shape: None,
            share: None,
        }
    }
}

/// Where a task was sent and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Routing {
    /// How hard it is.
    pub difficulty_level: Difficulty,
    /// Whether it may leave the house.
    pub sensitivity_level: Sensitivity,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The most tokens that its prompt could have.
    #[serde(default)]
    pub estimated_tokens: u64,
    /// The most that an attempt could cost.
    #[serde(default)]
    pub estimated_cost_usd: Usd,
}

/// Why a task failed, as `error` says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskError {
    /// The kind, for programs.
    pub kind: ErrorKind,
    /// The sentence that says what to do, for people.
    pub message: String,
}

/// What came of a task, in the result of the one whose answer asked for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChildResult {
    /// Its name.
    pub task_id: TaskId,
    /// `completed` or `failed`; `pending` where it was taken away before it ended.
    pub status: Folder,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_type: Option<WorkerType>,
    /// Its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<TaskError>,
    /// What it cost, with all that came of it.
    #[serde(default)]
    pub cost_usd: Usd,
    /// What came of the tasks that its own answer asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<ChildResult>,
}

fn is_nothing(cost: &Usd) -> bool {
    *cost == Usd::ZERO
}

/// `completed/ID.json` or `failed/ID.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskResult {
    /// The task's name.
    pub task_id: TaskId,
    /// `completed` or `failed`: the folder that it is in.
    pub status: Folder,
    /// The hand that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// That hand's worker type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_type: Option<WorkerType>,
    /// The model that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The answer, or a command's standard output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Whether it is the answer that the same request had before, and cost nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<TaskError>,
    /// What came of the tasks that its answer asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<ChildResult>,
    /// A command's exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// A command's standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<String>,
    /// What is different in its workspace, where that is a git tree: committed files against the
    /// last commit, and new ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// When the result was made.
    #[serde(with = "as_rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub timestamp: Timestamp,
    /// The tokens of the attempt that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What all its attempts cost together.
    #[serde(default)]
    pub cost_usd: Usd,
    /// What the subtasks of its earlier runs cost, where it was run again.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub earlier_subtasks_cost_usd: Usd,
    /// Where it was sent and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<Routing>,
    /// Every attempt, the oldest first.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// When it was dropped.
    #[serde(with = "as_rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: Timestamp,
    /// When its first attempt of this run began.
    #[serde(default, with = "optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(with = "as_rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub finished_at: Timestamp,
    /// What the reader should know.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The task as it was dropped; absent where the drop was no task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Map<String, Value>>,
}

impl TaskResult {
    /// The bytes of its file: pretty-printed, with a line feed at the end.
    pub fn to_bytes(value: &impl Serialize) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Whether a document is a result that was put into `pending` again, and no fresh task.
    pub fn looks_like_one(document: &Map<String, Value>) -> bool {
        let status = document.get("status").and_then(Value::as_str).and_then(Folder::from_name);
        status.is_some_and(Folder::is_end)
            && document.contains_key("task_id")
            && document.contains_key("finished_at")
            && document.contains_key("attempts")
    }
}

mod optional {
    use super::Timestamp;
    use crate::base::clock;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the shape that serde asks for")]
    pub(super) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => to.serialize_str(&clock::rfc3339(*at)),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Option::<String>::deserialize(from)?
            .map(|text| text.parse().map_err(serde::de::Error::custom))
            .transpose()
    }
}
