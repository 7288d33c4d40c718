//! Judges how hard work is.

use crate::task::result::Reason;
use crate::task::{Difficulty, Task};

/// Judges how hard work is.
#[derive(Debug, Default)]
pub struct DifficultyJudge;

impl DifficultyJudge {
    /// The difficulty, whether anything spoke for it, and why.
    pub fn judge(&self, _task: &Task, _reasons: &mut Vec<Reason>) -> (Difficulty, bool) {
        (Difficulty::Medium, false)
    }
}
