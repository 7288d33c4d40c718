//! The routing rules of the config: the first whose condition holds decides.

use crate::task::{Difficulty, Sensitivity, WorkerType};

/// One line of `routing_rules`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// When it applies.
    pub condition: Condition,
    /// Who gets the task then.
    pub worker_type: WorkerType,
}

/// When a rule applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `contains_sensitive_data`: the task is confidential.
    ContainsSensitiveData,
    /// `high_difficulty`, `medium_difficulty`, `low_difficulty`.
    Difficulty(Difficulty),
    /// `budget_critical`: the alert threshold is reached.
    BudgetCritical,
    /// `task_type: x`.
    TaskType(String),
    /// `priority_at_least: n`.
    PriorityAtLeast(u8),
    /// `else`.
    Always,
}

/// What the conditions look at.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// How hard the task is.
    pub difficulty: Difficulty,
    /// Whether it may leave the house.
    pub sensitivity: Sensitivity,
    /// What sort of work it is.
    pub task_type: &'a str,
    /// 0 to 10.
    pub priority: u8,
    /// Whether the alert threshold of a budget is reached.
    pub budget_critical: bool,
}

impl Condition {
    /// Whether it holds.
    pub fn holds(&self, now: &Situation<'_>) -> bool {
        match self {
            Self::ContainsSensitiveData => now.sensitivity == Sensitivity::Confidential,
            Self::Difficulty(level) => now.difficulty == *level,
            Self::BudgetCritical => now.budget_critical,
            Self::TaskType(name) => now.task_type == name,
            Self::PriorityAtLeast(least) => now.priority >= *least,
            Self::Always => true,
        }
    }

    /// As the config writes it.
    pub fn as_written(&self) -> String {
        match self {
            Self::ContainsSensitiveData => "contains_sensitive_data".into(),
            Self::Difficulty(level) => format!("{}_difficulty", level.as_str()),
            Self::BudgetCritical => "budget_critical".into(),
            Self::TaskType(name) => format!("task_type: {name}"),
            Self::PriorityAtLeast(least) => format!("priority_at_least: {least}"),
            Self::Always => "else".into(),
        }
    }
}
