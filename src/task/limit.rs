//! Which limit of money is meant: whose it is, and how long it holds.
//!
//! A [`Limit`] is a name and no amount. What is spent has a [`Purpose`], and a
//! limit either covers it or has nothing to do with it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::WorkerType;
use crate::base::words;

/// One limit among all that there are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Limit {
    /// Whose it is.
    pub scope: Scope,
    /// How long it holds until it begins anew.
    pub window: Window,
}

/// Whose limit it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everybody's.
    Total,
    /// That of one worker type.
    Worker(WorkerType),
    /// That of one type of task.
    TaskType(String),
}

/// How long a limit holds, in the configured zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Window {
    /// From midnight to midnight.
    #[serde(rename = "daily")]
    Day,
    /// From the first of a month to the first of the next.
    #[serde(rename = "monthly")]
    Month,
}

/// What money is spent on, which decides whose limits it counts against.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purpose {
    /// The worker type that is paid, where it is known.
    pub worker_type: Option<WorkerType>,
    /// The type of the task, where it is known.
    pub task_type: Option<String>,
}

impl Purpose {
    /// An attempt of this worker type at a task of this type.
    pub fn new(worker_type: &WorkerType, task_type: &str) -> Self {
        Self { worker_type: Some(worker_type.clone()), task_type: Some(task_type.to_owned()) }
    }
}

impl Scope {
    /// Whether what is spent on this counts against it.
    pub fn covers(&self, purpose: &Purpose) -> bool {
        match self {
            Self::Total => true,
            Self::Worker(name) => purpose.worker_type.as_ref() == Some(name),
            Self::TaskType(name) => purpose.task_type.as_ref() == Some(name),
        }
    }
}

impl Window {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Day, Self::Month];

    /// The word for it in settings, commands and the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "daily",
            Self::Month => "monthly",
        }
    }
}

impl Limit {
    /// The limit of everything.
    pub fn total(window: Window) -> Self {
        Self { scope: Scope::Total, window }
    }

    /// As a sentence calls it, behind a "the".
    pub fn in_words(&self) -> String {
        match self.scope {
            Scope::Total => format!("{self} budget"),
            _ => self.to_string(),
        }
    }

    /// What a person changes to raise it.
    pub fn raised_by(&self) -> String {
        let which = self.window.as_str();
        let whose = match &self.scope {
            Scope::Total => String::new(),
            Scope::Worker(name) => format!("--worker {} ", words::shell_word(name.as_str())),
            Scope::TaskType(name) => format!("--task-type {} ", words::shell_word(name)),
        };
        format!("`koubou budget set {whose}--{which} N`")
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = self.window.as_str();
        match &self.scope {
            Scope::Total => f.write_str(which),
            Scope::Worker(name) => write!(f, "{which} limit of worker {name}"),
            Scope::TaskType(name) => write!(f, "{which} limit of task type {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_covers_what_is_spent_on_its_own() {
        let purpose = Purpose::new(&WorkerType::new("cloud"), "report");
        let worker = |name| Scope::Worker(WorkerType::new(name));
        assert!(Scope::Total.covers(&purpose) && Scope::Total.covers(&Purpose::default()));
        assert!(worker("cloud").covers(&purpose) && !worker("other").covers(&purpose));
        assert!(Scope::TaskType("report".into()).covers(&purpose));
        assert!(!Scope::TaskType("report".into()).covers(&Purpose::default()));
    }

    #[test]
    fn a_limit_says_whose_it_is_and_how_to_raise_it() {
        let total = Limit::total(Window::Day);
        assert_eq!((total.to_string(), total.in_words()), ("daily".into(), "daily budget".into()));
        assert_eq!(total.raised_by(), "`koubou budget set --daily N`");
        let scope = Scope::Worker(WorkerType::new("gpt5_high"));
        let worker = Limit { scope, window: Window::Month };
        assert_eq!(worker.to_string(), "monthly limit of worker gpt5_high");
        assert_eq!(worker.raised_by(), "`koubou budget set --worker gpt5_high --monthly N`");
    }
}
