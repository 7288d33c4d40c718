//! The craftsmen: one attempt at one task, by a model, a program, or the echo.
//!
//! A worker is given a request that was cleared for it and gives back an
//! [`Outcome`], whatever happens. It never moves a task, never retries, knows
//! nothing of budgets, and writes nowhere but below the job's `scratch` folder.

pub mod chat;
pub mod command;
pub mod echo;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::route::Cleared;
use crate::task::TaskId;
use crate::task::outcome::Outcome;
use crate::task::prompt::Prompt;

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
}

/// Somebody who can make an attempt. Each thread has its own.
pub trait Worker: Send {
    /// Makes one attempt. Returns soon after `leash` is pulled.
    fn run(&mut self, job: &Job, leash: &Leash) -> Outcome;

    /// Looks whether it could work now, without costing anything; `Err` says why not.
    ///
    /// # Errors
    /// One sentence for people.
    fn probe(&mut self) -> Result<(), String> {
        Ok(())
    }
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
