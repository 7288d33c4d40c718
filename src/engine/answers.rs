//! Puts the answers of tasks that a task depends on where its `{result:ID}` stand.
//!
//! They are read from `completed`, or from the archive, each time that the task is judged or begun, like its
//! `files`. What comes of confidential work is confidential, wherever it is put.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::route::Assessment;
use crate::spool::Spool;
use crate::task::result::{Reason, Routing};
use crate::task::{Folder, Sensitivity, Task, TaskId, placeholder};

/// What was put into a task.
#[derive(Debug, Default)]
pub(super) struct Filled {
    /// Whether an answer is wanted that is not there.
    pub lacks: bool,
    /// Why the task is confidential because of what was put in.
    pub reasons: Vec<Reason>,
}

/// What is read of a result.
#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    routing: Option<Routing>,
}

/// Puts in what is there, up to so many bytes.
///
/// # Errors
/// In a sentence, that it is more than a task may hold.
pub(super) fn fill(task: &mut Task, spool: &Spool, most: u64) -> Result<Filled, String> {
    let mut filled = Filled::default();
    let wanted = placeholder::named_in(task);
    let mut answers: BTreeMap<TaskId, String> = BTreeMap::new();
    let mut left = most;
    for id in task.depends_on.iter().filter(|id| wanted.contains(id)) {
        let Some(given) = read(spool, id) else {
            filled.lacks = true;
            continue;
        };
        let answer = given.content.unwrap_or_default();
        left = left.checked_sub(answer.len() as u64).ok_or_else(|| {
            format!("the answers that it is to be filled with, such as that of `{id}`, are more than `max_task_bytes`")
        })?;
        // What does not say that it is public may not leave the house.
        if given
            .routing
            .is_none_or(|routing| routing.sensitivity_level == Sensitivity::Confidential)
        {
            let why = format!("the answer of `{id}`, which stands in it, is confidential");
            filled.reasons.push(Reason::new("filled_in", "confidentiality", "", why));
        }
        answers.insert(id.clone(), answer);
    }
    if !answers.is_empty() {
        placeholder::fill(task, |id| answers.get(id).cloned());
    }
    Ok(filled)
}

fn read(spool: &Spool, id: &TaskId) -> Option<Given> {
    serde_json::from_slice(&spool.read_result(Folder::Completed, id).ok()?).ok()
}

impl Filled {
    /// Raises what was found in the task by what came in with the answers.
    pub(super) fn raise(&self, mut seen: Assessment) -> Assessment {
        if !self.reasons.is_empty() {
            seen.sensitivity = Sensitivity::Confidential;
            seen.reasons.extend(self.reasons.iter().cloned());
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::spool::tests::{id, spool};
    use crate::task::wire;

    fn result(spool: &Spool, name: &str, content: &str, level: &str) {
        let routing = json!({
            "difficulty_level": "low", "sensitivity_level": level, "reasons": []
        });
        let result = json!({ "content": content, "routing": routing });
        std::fs::write(spool.file(Folder::Completed, &id(name)), result.to_string()).unwrap();
    }

    fn task(value: &Value) -> Task {
        wire::read("x", value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn answers_come_with_their_level() {
        let (_dir, spool) = spool();
        result(&spool, "a", "one", "public");
        result(&spool, "b", "two", "confidential");
        let mut first =
            task(&json!({ "description": "{result:a}{result:c}", "depends_on": ["a"] }));
        let filled = fill(&mut first, &spool, 100).unwrap();
        assert_eq!(first.description.as_deref(), Some("one{result:c}"));
        assert!(!filled.lacks && filled.reasons.is_empty());
        let mut second =
            task(&json!({ "description": "{result:b}{result:c}", "depends_on": ["a", "b", "c"] }));
        let filled = fill(&mut second, &spool, 100).unwrap();
        assert_eq!(second.description.as_deref(), Some("two{result:c}"));
        assert!(filled.lacks, "`c` has no answer yet");
        assert_eq!(filled.reasons.len(), 1);
        let mut third = task(&json!({ "description": "{result:b}", "depends_on": ["b"] }));
        let why = fill(&mut third, &spool, 2).unwrap_err();
        assert!(why.contains("max_task_bytes"), "{why}");
    }
}
