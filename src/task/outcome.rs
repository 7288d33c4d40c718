//! What a worker gives back, and why a task fails.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Usd;
use super::subtasks::Document;

/// Why a task failed, as `error.kind` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The drop is not JSON.
    InvalidJson,
    /// The drop is JSON, but no task.
    InvalidTask,
    /// The drop is a link, a pipe, a folder…
    NotARegularFile,
    /// The drop is larger than `max_task_bytes`.
    TooLarge,
    /// The drop cannot be read.
    Unreadable,
    /// No worker may or can ever do it.
    NoWorker,
    /// The worker answered that it will not do it.
    RefusedByWorker,
    /// Every attempt failed.
    AttemptsExhausted,
    /// No answer was what the task or the worker accepts.
    NotAccepted,
    /// The time ran out.
    Timeout,
    /// The program exited with an error, or could not be started.
    CommandFailed,
    /// It costs more than may be spent.
    OverBudget,
    /// A task that it depends on failed or was withdrawn.
    DependencyFailed,
    /// `expires_at` passed.
    Expired,
    /// Somebody cancelled it.
    Cancelled,
    /// The daemon died during each of its attempts.
    DaemonDied,
}

impl ErrorKind {
    /// The word for it in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::InvalidTask => "invalid_task",
            Self::NotARegularFile => "not_a_regular_file",
            Self::TooLarge => "too_large",
            Self::Unreadable => "unreadable",
            Self::NoWorker => "no_worker",
            Self::RefusedByWorker => "refused_by_worker",
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::NotAccepted => "not_accepted",
            Self::Timeout => "timeout",
            Self::CommandFailed => "command_failed",
            Self::OverBudget => "over_budget",
            Self::DependencyFailed => "dependency_failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::DaemonDied => "daemon_died",
        }
    }
}

/// The outcome of an attempt whose tokens were all used up by thought, before a word was said.
pub const NO_TOKENS_LEFT: &str = "no_tokens_left";

/// The outcome of an attempt whose answer nobody judged, for the check could not be run.
pub const CHECK_FAILED: &str = "check_failed";

/// How many tokens a call took. Cached ones are part of the prompt, reasoning ones of the completion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Usage {
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens answered, those of hidden reasoning included.
    pub completion_tokens: u64,
    /// Both together.
    pub total_tokens: u64,
    /// Of the prompt: read from the provider's cache.
    pub cached_tokens: u64,
    /// Of the prompt: written to the provider's cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_tokens: u64,
    /// Of the completion: hidden reasoning.
    pub reasoning_tokens: u64,
    /// The service tier that the answer states.
    #[serde(skip_serializing_if = "is_standard")]
    pub service_tier: ServiceTier,
    /// Whether these numbers do not fit one another, or are more than any model reads.
    #[serde(skip)]
    pub is_doubtful: bool,
}

/// How urgently a provider did the work: what its answer states, and what is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", from = "String")]
pub enum ServiceTier {
    /// `default`, `auto`, `scale`, one that is not known, or none that is stated.
    #[default]
    Standard,
    /// Later and cheaper.
    Flex,
    /// Within a day, and cheaper.
    Batch,
    /// Sooner and dearer.
    Priority,
}

impl ServiceTier {
    /// The tier that a provider calls so.
    pub fn named(name: &str) -> Self {
        match name {
            "flex" => Self::Flex,
            "batch" => Self::Batch,
            "priority" | "fast" => Self::Priority,
            _ => Self::Standard,
        }
    }
}

impl From<String> for ServiceTier {
    fn from(name: String) -> Self {
        Self::named(&name)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_standard(tier: &ServiceTier) -> bool {
    *tier == ServiceTier::Standard
}

/// What an attempt cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Spent {
    /// Nothing was sent, or it is free.
    #[default]
    Nothing,
    /// The provider said how much was used.
    Known(Usd),
    /// The provider said how much was used, in numbers that are doubtful: the reservation counts,
    /// or this, where it is more.
    AtLeast(Usd),
    /// It was sent and nobody said what became of it: the whole reservation counts.
    Unknown,
}

/// What a worker gives back for one attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The work is done.
    Done(Box<Answer>),
    /// It is not.
    Failed(Box<Failure>),
}

/// A worker's answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// The answer itself, or a command's standard output.
    pub content: String,
    /// The model that answered, as the server names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What it took, where the server says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What it cost.
    #[serde(skip)]
    pub spent: Spent,
    /// How long the server wants to be left alone now, though it has answered.
    #[serde(skip)]
    pub pause: Option<Duration>,
    /// Whether it is the answer that the same request had before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// A command's exit code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// A command's standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr: Option<String>,
    /// What is different in its workspace, where that is a git tree.
    pub diff: Option<String>,
    /// What the reader should know: an answer that was cut, say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The tasks that it asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subtasks: Vec<Document>,
}

/// Why an attempt failed, and what that means for the next one.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The outcome's name in `attempts`: `rate_limited`, `timeout`, `server_error`…
    pub outcome: &'static str,
    /// The error's kind, should the task fail of it.
    pub kind: ErrorKind,
    /// One sentence that says what to do.
    pub message: String,
    /// Whether and when another attempt makes sense.
    pub next: Next,
    /// What it means for the worker, beyond this task.
    pub trouble: Option<Trouble>,
    /// What it cost all the same.
    pub spent: Spent,
    /// What was used, where the server says so.
    pub usage: Option<Usage>,
    /// A command's exit code.
    pub exit_code: Option<i32>,
    /// A command's standard error.
    pub stderr: Option<String>,
    /// What the worker had said by then.
    pub content: Option<String>,
    /// What is different in its workspace, where that is a git tree.
    pub diff: Option<String>,
}

/// Whether another attempt makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The same would happen again.
    Never,
    /// After a pause, if attempts are left; no sooner than stated.
    Retry {
        /// What the server asked for.
        at_least: Option<Duration>,
    },
    /// This was no attempt: the worker was not there. The task waits for it.
    NotAnAttempt,
}

/// What a failure says of the worker, beyond the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody answers at its address.
    Unreachable,
    /// It asks for a pause; no sooner than stated.
    RateLimited(Option<Duration>),
    /// It has more to do than it can, and says so.
    Overloaded,
    /// It failed, broke off or did not answer in time; many such in a row are its own trouble.
    Failing,
    /// Its account is out of credit or over its own limit; a person must act.
    Billing,
    /// It does not accept the key; a person must act.
    BadKey,
    /// It refused a batch, or failed one as a whole.
    BatchRefused,
    /// It has no batches at all.
    NoBatches,
}

impl Failure {
    /// A failure of this kind, after which nothing was spent and nothing is tried again.
    pub fn new(outcome: &'static str, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            outcome,
            kind,
            message: message.into(),
            next: Next::Never,
            trouble: None,
            spent: Spent::Nothing,
            usage: None,
            exit_code: None,
            stderr: None,
            content: None,
            diff: None,
        }
    }

    /// The same, worth another attempt.
    #[must_use]
    pub fn retried(mut self, at_least: Option<Duration>) -> Self {
        self.next = Next::Retry { at_least };
        self
    }

    /// The same, with what it cost.
    #[must_use]
    pub fn spent(mut self, spent: Spent) -> Self {
        self.spent = spent;
        self
    }

    /// The same, saying something of the worker.
    #[must_use]
    pub fn of_worker(mut self, trouble: Trouble) -> Self {
        self.trouble = Some(trouble);
        self
    }
}

impl Outcome {
    /// What its attempt cost.
    pub fn spent(&self) -> Spent {
        match self {
            Self::Done(answer) => answer.spent,
            Self::Failed(failure) => failure.spent,
        }
    }
}

impl Spent {
    /// It in dollars, where so much was set apart: all of that where nobody knows.
    pub fn of_reserved(self, reserved: Usd) -> Usd {
        match self {
            Self::Nothing => Usd::ZERO,
            Self::Known(cost) => cost,
            Self::AtLeast(cost) => cost.max(reserved),
            Self::Unknown => reserved,
        }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Self {
        Self::Done(Box::new(answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tier_is_told_where_it_is_not_the_ordinary_one() {
        let told = |service_tier| json!(Usage { service_tier, ..Usage::default() });
        assert_eq!(told(ServiceTier::Flex)["service_tier"], "flex");
        assert_eq!(told(ServiceTier::Standard).get("service_tier"), None);
        let read = |tier: &str| -> Usage {
            serde_json::from_value(json!({ "prompt_tokens": 1, "service_tier": tier })).unwrap()
        };
        assert_eq!(read("fast").service_tier, ServiceTier::Priority);
        assert_eq!(read("unheard-of").service_tier, ServiceTier::Standard);
    }
}
