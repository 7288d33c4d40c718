//! The craftsmen: one attempt at one task, by a model, a program, an agent, or the echo.
//!
//! A worker is given a request that was cleared for it and gives back an
//! [`Outcome`], whatever happens. It never moves a task, never retries, knows
//! nothing of budgets, and writes nowhere but below the job's `scratch` folder, the
//! home's `work`, and the workspace that a task names.
//!
//! [`hook`] alone is no attempt: it runs the owner's program when something has happened.

pub mod chat;
pub mod codex;
pub mod command;
mod diff;
pub mod echo;
pub mod hook;
mod lines;
pub mod program;
mod tell;
mod workspace;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::base::words;
use crate::config::{Kind, WorkerSpec};
use crate::route::Cleared;
use crate::route::price::Price;
use crate::task::outcome::{ErrorKind, Failure, Outcome, Spent, Usage};
use crate::task::prompt::Prompt;
use crate::task::{TaskId, Usd};
pub use tell::Tell;
pub use workspace::Workspace;

/// What a task with a `workspace` is told whose worker works in none.
const NO_WORKSPACE: &str = "this worker works in no folder: `workspace` was not used";

/// One attempt to be made.
#[derive(Debug)]
pub struct Job {
    /// The task's name.
    pub task_id: TaskId,
    /// Marks this attempt, and this one only.
    pub attempt: String,
    /// What is sent: nothing else of the task is.
    pub prompt: Cleared<Prompt>,
    /// How long it may take.
    pub timeout: Duration,
    /// The most tokens of an answer.
    pub max_tokens: u32,
    /// Passed to the model's API.
    pub params: Map<String, Value>,
    /// Where half-made files may lie; koubou's own `tmp`.
    pub scratch: PathBuf,
    /// The claimed task file, for a program that wants the whole of it.
    pub task_file: PathBuf,
    /// The most of an answer that is kept, in bytes.
    pub max_output: u64,
    /// Whether an answer that the same request had before will do.
    pub cache: bool,
    /// koubou's own folder: agents may not look into it.
    pub home: PathBuf,
    /// The folder to work in, where the task names one.
    pub workspace: Option<Workspace>,
    /// Tells of the work while it goes on.
    pub tell: Tell,
}

/// Somebody who can make an attempt. Each thread has its own.
pub trait Worker: Send {
    /// Makes one attempt. Returns soon after `leash` is pulled.
    fn run(&mut self, job: &Job, leash: &Leash) -> Outcome;

    /// The whole request that a job comes to, with whom it is for, where the same request may be
    /// answered by what was answered before.
    fn request(&self, job: &Job) -> Option<String> {
        let _ = job;
        None
    }

    /// Looks whether it could work now, without costing anything; `Err` says why not.
    ///
    /// # Errors
    /// One sentence for people.
    fn probe(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// The worker that does what `spec` says. `environment` is the daemon's own; a
/// program sees a bare few of its variables.
pub fn make(spec: &WorkerSpec, environment: &[(String, String)]) -> Box<dyn Worker> {
    match &spec.kind {
        Kind::Chat(chat) => Box::new(chat::ChatWorker::new(spec, chat.clone())),
        Kind::Command(command) => {
            let worker = command::CommandWorker::new(command.clone(), environment);
            Box::new(worker.on(Terms::of(spec)))
        }
        Kind::Codex(codex) => Box::new(codex::CodexWorker::new(spec, codex.clone(), environment)),
        Kind::Echo => Box::new(echo::EchoWorker),
    }
}

/// What an agent's attempt costs.
#[derive(Clone, Copy, Debug)]
struct Terms {
    price: Price,
    max_cost: Option<Usd>,
}

impl Terms {
    /// Nothing.
    const FREE: Self = Self { price: Price::FREE, max_cost: None };

    fn of(spec: &WorkerSpec) -> Self {
        Self { price: spec.price, max_cost: spec.max_cost }
    }

    fn is_paid(&self) -> bool {
        !self.price.is_free() || self.max_cost.is_some()
    }

    /// What an attempt cost of which so much is known.
    fn spent(&self, stated: Option<Usd>, usage: Option<&Usage>) -> Spent {
        match (stated, usage) {
            _ if !self.is_paid() => Spent::Nothing,
            (Some(cost), _) => Spent::Known(cost),
            (None, Some(usage)) if !self.price.is_free() => Spent::Known(self.price.cost(usage)),
            (None, _) => Spent::Unknown,
        }
    }

    /// The warning for an attempt that cost more than was set apart for it, or nobody knows what.
    fn warning(&self, spent: Spent) -> Option<String> {
        match (spent, self.max_cost) {
            (Spent::Known(cost), Some(most)) if cost > most => Some(format!(
                "it cost {cost} and `max_cost_usd` of its worker is {most}: raise it, so that enough is set apart before a run"
            )),
            (Spent::Unknown, _) => Some(
                "it did not say how many tokens it used: the whole reservation counts as spent"
                    .into(),
            ),
            _ => None,
        }
    }
}

/// The failure of an attempt that was ended from outside before `done` came true.
fn cancelled(done: &str) -> Failure {
    Failure::new("cancelled", ErrorKind::Cancelled, format!("the attempt was ended before {done}"))
}

/// `text` in at most `max` bytes, with a warning where something was cut.
fn within(mut text: String, max: u64, warnings: &mut Vec<String>) -> String {
    let size = text.len() as u64;
    if size > max {
        let mut end = usize::try_from(max).unwrap_or(usize::MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        warnings.push(cut_at(max, size));
    }
    text
}

/// The warning for an answer that was longer than is kept.
fn cut_at(max: u64, size: u64) -> String {
    format!(
        "the answer was cut at {} of {}: raise `max_result_bytes` to keep more",
        words::bytes(max),
        words::bytes(size)
    )
}

/// A way to end an attempt from outside.
#[derive(Clone, Default)]
pub struct Leash(Arc<Mutex<Pull>>);

#[derive(Default)]
struct Pull {
    pulled: bool,
    on_pull: Option<Box<dyn FnMut() + Send>>,
}

impl Leash {
    /// Ends the attempt: what it registered is called, once.
    pub fn pull(&self) {
        let mut pull = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pull.pulled = true;
        if let Some(mut act) = pull.on_pull.take() {
            act();
        }
    }

    /// Whether it was pulled.
    pub fn is_pulled(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pulled
    }

    /// What to do when it is pulled; done at once where it was already.
    pub fn on_pull(&self, mut act: impl FnMut() + Send + 'static) {
        let mut pull = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pull.pulled {
            act();
        } else {
            pull.on_pull = Some(Box::new(act));
        }
    }
}

impl fmt::Debug for Leash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leash").field("pulled", &self.is_pulled()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::CommandSpec;
    use crate::route::Router;
    use crate::task::{Sensitivity, WorkerType};

    /// A job and the folder that it may write to, which goes when the test ends.
    pub(super) struct TestJob {
        job: Job,
        _scratch: tempfile::TempDir,
    }

    impl std::ops::Deref for TestJob {
        type Target = Job;
        fn deref(&self) -> &Job {
            &self.job
        }
    }

    impl std::ops::DerefMut for TestJob {
        fn deref_mut(&mut self) -> &mut Job {
            &mut self.job
        }
    }

    pub(super) fn job(description: &str) -> TestJob {
        job_of(Prompt { text: description.to_owned(), ..Prompt::default() })
    }

    pub(super) fn job_of(prompt: Prompt) -> TestJob {
        let scratch = tempfile::tempdir().unwrap();
        let job = Job {
            task_id: "t1".parse().unwrap(),
            attempt: "attempt-1".into(),
            prompt: cleared(prompt),
            timeout: Duration::from_secs(20),
            max_tokens: 100,
            params: Map::new(),
            task_file: scratch.path().join("t1.json"),
            scratch: scratch.path().to_owned(),
            max_output: 1 << 20,
            cache: false,
            home: scratch.path().to_owned(),
            workspace: None,
            tell: Tell::default(),
        };
        TestJob { job, _scratch: scratch }
    }

    fn cleared(prompt: Prompt) -> Cleared<Prompt> {
        let router = Router::default();
        router.clear(prompt, Sensitivity::Public, true).unwrap()
    }

    #[test]
    fn each_kind_has_its_worker() {
        let command = CommandSpec { argv: vec!["cat".into()], env: Vec::new(), lines: None };
        let codex = codex::tests::spec("/no/such/codex", "http://127.0.0.1:9/v1");
        for (kind, said) in [
            (Kind::Echo, Ok("hello")),
            (Kind::Command(command), Ok("hello")),
            (Kind::Codex(codex), Err(ErrorKind::AttemptsExhausted)),
        ] {
            let spec = WorkerSpec {
                worker_type: WorkerType::new("w"),
                kind,
                concurrency: 1,
                max_rpm: None,
                max_tpm: None,
                local: true,
                price: Price::FREE,
                max_cost: None,
                timeout: Duration::from_secs(20),
                max_attempts: 1,
                max_tokens: 100,
                params: Map::new(),
                system: None,
                use_for: Vec::new(),
                escalate: Vec::new(),
                fallback: Vec::new(),
                cache: false,
                batch: None,
                accept: None,
                disabled: None,
            };
            let outcome = make(&spec, &[]).run(&job("hello"), &Leash::default());
            let heard = match &outcome {
                Outcome::Done(answer) => Ok(answer.content.as_str()),
                Outcome::Failed(failure) => Err(failure.kind),
            };
            assert_eq!(heard, said);
        }
    }

    #[test]
    fn a_pulled_leash_calls_once_and_at_once() {
        let (leash, calls) = (Leash::default(), Arc::new(Mutex::new(0)));
        let count = || {
            let calls = Arc::clone(&calls);
            move || *calls.lock().unwrap() += 1
        };
        leash.on_pull(count());
        leash.pull();
        leash.pull();
        assert_eq!(*calls.lock().unwrap(), 1);
        leash.on_pull(count());
        assert_eq!(*calls.lock().unwrap(), 2, "it was pulled already");
    }
}
