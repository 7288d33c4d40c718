//! The settings, complete and checked: after this room nobody asks whether a value makes sense.
//!
//! `file` is `agent.yaml` as people write it, with the place of every value;
//! [`Config`] is what it means. The one way from the one to the other is
//! [`load`], and it names every mistake with line and column.
//!
//! Nothing here watches a file, opens a connection, or reads the process's
//! environment: whoever loads the settings hands it over.

mod batch;
mod checks;
mod codex;
mod complaint;
mod env;
mod fields;
mod file;
mod limits;
mod mcp;
mod prices;
mod rules;
mod section;
mod security;
mod tree;
mod workers;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::base::secret::{Mask, Secret};
use crate::route::Router;
pub use crate::route::budget::{Limits, OnExhausted};
use crate::route::price::Price;
use crate::task::{Accept, Usd, WorkerType};
pub use complaint::{ConfigError, ConfigErrors};
pub use env::Environment;
pub use fields::{LineFields, Part, Tokens};
pub use file::load;

/// Everything that can be set.
#[derive(Debug)]
pub struct Config {
    /// The program that `koubou master` starts.
    pub master_agent: String,
    /// What an agent may do that works through koubou's MCP tools.
    pub mcp: McpBounds,
    /// The craftsmen, in the order of the file.
    pub workers: Vec<WorkerSpec>,
    /// Programs that may look at an answer.
    pub checks: Vec<CheckSpec>,
    /// Decides who may have which task.
    pub router: Arc<Router>,
    /// What may be spent.
    pub limits: Limits,
    /// What becomes of a task whose worker cannot be paid.
    pub on_exhausted: OnExhausted,
    /// The program that is run when a limit is nearly reached, and its arguments.
    pub on_alert: Option<Vec<String>>,
    /// The program that is run when a task has ended, and its arguments.
    pub on_done: Option<Vec<String>>,
    /// The one that is run when nothing is left to do.
    pub on_empty: Option<Vec<String>>,
    /// Whose midnight ends a day and a month.
    pub timezone: TimeZone,
    /// How long results are kept, in days.
    pub retention_days: u32,
    /// What becomes of them then.
    pub retire: Retire,
    /// At which time of day the daemon maintains its home, in `timezone`; `None` is never.
    pub maintain_at: Option<Time>,
    /// A log is turned over when it has so many bytes.
    pub max_log_bytes: u64,
    /// How many logs that were turned over are kept of each.
    pub keep_logs: u32,
    /// How the log is written.
    pub log_format: LogFormat,
    /// The largest drop that is read, in bytes.
    pub max_task_bytes: u64,
    /// The largest answer that is kept, in bytes; the rest is cut with a warning.
    pub max_result_bytes: u64,
    /// Folders below which a task's `files` may lie.
    pub file_roots: Vec<PathBuf>,
    /// Folders below which a task's `workspace` may lie.
    pub workspace_roots: Vec<PathBuf>,
    /// The mode of a result that is not confidential.
    pub result_mode: u32,
    /// The group that may drop tasks, where set.
    pub spool_group: Option<String>,
    /// The daemon claims nothing while less than this is free, in bytes.
    pub min_free_bytes: u64,
    /// Who has waited for longer gets every eighth turn, whatever its priority.
    pub ageing: Duration,
    /// The home that these are the settings of.
    pub home: PathBuf,
    /// Where the mirror is, if not in the home.
    pub database: Option<PathBuf>,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub log_level: String,
    /// Hides the secrets of `.env` in text.
    pub mask: Mask,
    /// What is odd and does not stop the work: a missing key, a name that nobody reads.
    pub warnings: Vec<String>,
    /// The names in `.env` that nobody reads.
    pub unused_env: Vec<String>,
    /// The workers whose price is a row that came with koubou.
    pub shipped_prices: Vec<WorkerType>,
}

/// What becomes of a result that is older than `retention_days`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retire {
    /// It is moved into an archive.
    #[default]
    Archive,
    /// It is deleted.
    Delete,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// What an agent may do that works through koubou's MCP tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpBounds {
    /// The highest priority that its tasks get.
    pub max_priority: u8,
    /// The workers that it may give work to; `None` is all.
    pub allow_workers: Option<Vec<WorkerType>>,
    /// What the tasks of a session may cost together; `None` is what the budget has.
    pub max_cost_per_session: Option<Usd>,
    /// How many tasks a session may make; `None` is any number.
    pub max_tasks_per_session: Option<u32>,
    /// Whether it may read the content of confidential results.
    pub allow_confidential: bool,
}

impl Default for McpBounds {
    fn default() -> Self {
        Self {
            max_priority: 10,
            allow_workers: None,
            max_cost_per_session: None,
            max_tasks_per_session: None,
            allow_confidential: false,
        }
    }
}

/// A program that looks at an answer and ends well where it is good enough.
#[derive(Clone, Debug)]
pub struct CheckSpec {
    /// The name that `accept` uses.
    pub name: String,
    /// The program.
    pub command: CommandSpec,
    /// Whether it may see confidential answers.
    pub local: bool,
    /// How long it may take.
    pub timeout: Duration,
}

/// One worker type.
#[derive(Clone, Debug)]
pub struct WorkerSpec {
    /// Its name.
    pub worker_type: WorkerType,
    /// What it does.
    pub kind: Kind,
    /// How many at once.
    pub concurrency: usize,
    /// Requests a minute; `None` is unlimited.
    pub max_rpm: Option<u32>,
    /// Tokens a minute; `None` is unlimited.
    pub max_tpm: Option<u32>,
    /// Whether confidential work may go there.
    pub local: bool,
    /// What its tokens cost.
    pub price: Price,
    /// The most that one attempt of an agent costs, which says how much only when it has ended.
    pub max_cost: Option<Usd>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How many attempts a task may have.
    pub max_attempts: u32,
    /// The most tokens of an answer, where a task does not say.
    pub max_tokens: u32,
    /// Passed to the model's API with every call; a task's own go over them.
    pub params: Map<String, Value>,
    /// The system prompt, where a task has none.
    pub system: Option<String>,
    /// The types of work that it is for.
    pub use_for: Vec<String>,
    /// Who is asked in turn where its answer is not accepted.
    pub escalate: Vec<WorkerType>,
    /// Whether an answer that the same request had before will do, where a task says nothing.
    pub cache: bool,
    /// How its batches are made, where a batch costs less: of a model that is paid.
    pub batch: Option<BatchSpec>,
    /// Who does its work where it cannot be used.
    pub fallback: Vec<WorkerType>,
    /// What is demanded of its answers, where a task says nothing.
    pub accept: Option<Accept>,
    /// Why it takes no work until a person acts: a missing key, say.
    pub disabled: Option<String>,
}

/// How tasks are gathered into batches, which cost less and take up to a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchSpec {
    /// Whether all of a worker's tasks go so, and not only those that ask for it.
    pub all: bool,
    /// How long the provider may take, in its own words.
    pub window: String,
    /// How long tasks are gathered before a batch is sent.
    pub gather: Duration,
    /// The most tasks of one batch.
    pub most: usize,
    /// How often its server is asked how far it is.
    pub poll: Duration,
    /// What becomes of a task that was not done in time.
    pub on_expiry: OnExpiry,
}

/// What becomes of a task whose batch was not done in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExpiry {
    /// It goes into another batch, while it has attempts left.
    #[default]
    Resubmit,
    /// It is asked at once, at the ordinary price.
    Now,
    /// It fails.
    Fail,
}

/// What a worker type does with a task.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Asks a model over HTTP.
    Chat(ChatSpec),
    /// Runs a program.
    Command(CommandSpec),
    /// Runs the Codex CLI.
    Codex(CodexSpec),
    /// Gives the description back.
    Echo,
}

/// A model behind an OpenAI-compatible endpoint.
#[derive(Clone, Debug)]
pub struct ChatSpec {
    /// Its base address: `http://localhost:1234/v1`, without a slash at the end.
    pub endpoint: String,
    /// The model's name as the server knows it.
    pub model: String,
    /// How the server is spoken to.
    pub api: Api,
    /// The effort that the configured name ends in (`gpt-5-high`), where it does.
    pub effort: Option<String>,
    /// The key, where it needs one.
    pub key: Option<Secret>,
}

/// The protocol that a model's server is asked in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Api {
    /// `POST /chat/completions`, which every server knows.
    #[default]
    ChatCompletions,
    /// `POST /responses`, each call by itself: nothing is kept on the server.
    Responses,
}

/// A program.
#[derive(Clone, Debug)]
pub struct CommandSpec {
    /// The program and its arguments, placeholders unfilled.
    pub argv: Vec<String>,
    /// The variables that it sees, beside a bare few that every program needs.
    pub env: Vec<(String, Secret)>,
    /// What its lines are read for, where it prints JSON lines; else all that it prints is the answer.
    pub lines: Option<LineFields>,
}

/// The Codex CLI, and what it is told.
#[derive(Clone, Debug)]
pub struct CodexSpec {
    /// The program: a name that is looked for in PATH, or a path.
    pub program: String,
    /// The base address of a server that speaks the Responses API.
    pub endpoint: String,
    /// The model's name as the server knows it.
    pub model: String,
    /// The effort that the configured name ends in (`gpt-5-high`), where it does.
    pub effort: Option<String>,
    /// The key, where the server needs one.
    pub key: Option<Secret>,
    /// What the commands of the model may do.
    pub sandbox: Sandbox,
    /// When Codex would ask before it does something.
    pub approval: &'static str,
    /// The variables that it sees, beside a bare few that every program needs.
    pub env: Vec<(String, Secret)>,
    /// Whether the folder that was made for a task stays when the task is done.
    pub keep_workspace: bool,
}

/// What the commands of an agent's model may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sandbox {
    /// Read files.
    #[default]
    ReadOnly,
    /// Write in the working folder, too.
    WorkspaceWrite,
    /// Whatever koubou itself may do.
    Full,
}

impl WorkerSpec {
    /// The model that it asks, or the program that it runs.
    pub fn model_name(&self) -> &str {
        match &self.kind {
            Kind::Chat(chat) => &chat.model,
            Kind::Command(command) => command.argv.first().map_or("-", String::as_str),
            Kind::Codex(codex) => &codex.model,
            Kind::Echo => "echo",
        }
    }

    /// Where it is reached; `-` for what is no server.
    pub fn endpoint(&self) -> &str {
        match &self.kind {
            Kind::Chat(chat) => &chat.endpoint,
            Kind::Codex(codex) => &codex.endpoint,
            Kind::Command(_) | Kind::Echo => "-",
        }
    }

    /// The service tier that it asks for, where it does; what is no word leaves the choice to the provider.
    pub fn service_tier(&self) -> Option<&str> {
        let asked = self.params.get("service_tier")?;
        Some(asked.as_str().unwrap_or("auto"))
    }

    /// Whether an attempt can cost money.
    pub fn is_paid(&self) -> bool {
        !self.price.is_free() || self.max_cost.is_some()
    }

    /// Whether it runs a program.
    pub fn is_program(&self) -> bool {
        matches!(self.kind, Kind::Command(_) | Kind::Codex(_))
    }
}

/// The day on which the prices were gathered that came with koubou.
pub fn prices_gathered() -> Date {
    prices::GATHERED
}

impl Config {
    /// The most bytes that a file in `pending` may have: a result that comes back holds an answer
    /// beside its task, and JSON can make six bytes of one.
    pub fn largest_result_file(&self) -> u64 {
        self.max_task_bytes.saturating_add(self.max_result_bytes.saturating_mul(8))
    }

    /// The check of this name.
    pub fn check(&self, name: &str) -> Option<&CheckSpec> {
        self.checks.iter().find(|check| check.name == name)
    }

    /// The worker type of this name.
    pub fn worker(&self, name: &WorkerType) -> Option<&WorkerSpec> {
        self.workers.iter().find(|worker| worker.worker_type == *name)
    }
}
