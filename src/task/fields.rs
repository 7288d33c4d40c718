//! The fields of a task, in one table: what each is called, what may stand in it, what it means.
//!
//! [`super::wire`] reads a task by it, [`super::schema`] makes the schema for editors of it,
//! and a test holds the two to the same verdict. A field that is not here is carried along and
//! not read.

/// A field of a task.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// What it is called.
    pub name: &'static str,
    /// What may stand in it.
    pub shape: Shape,
    /// What it means, and its default.
    pub about: &'static str,
}

/// What may stand in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Any text.
    Text,
    /// 1 to [`LONGEST_WORD`] printable characters.
    Word,
    /// The name of a task.
    Id,
    /// The name of a group.
    Group,
    /// A whole path.
    Path,
    /// Texts.
    Texts,
    /// Names of tasks.
    Ids,
    /// A whole number, from and up to.
    Integer(u64, u64),
    /// Seconds, above 0 and up to [`LONGEST_S`].
    Seconds,
    /// US dollars.
    Money,
    /// `true` or `false`.
    Flag,
    /// A moment with its zone.
    Time,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Messages of a chat.
    Messages,
    /// What an answer must be.
    Accept,
    /// An object.
    Object,
    /// Any JSON.
    Any,
}

/// The longest [`Shape::Word`] in characters.
pub const LONGEST_WORD: usize = 100;
/// The most seconds of a [`Shape::Seconds`]: a year.
pub const LONGEST_S: u32 = 31_536_000;
/// The most tasks that one task's answer may make.
const MOST_SPAWNED: u64 = 10_000;

/// What an editor reads in a document to know its schema: no field, and nothing odd.
pub const SCHEMA_KEY: &str = "$schema";

const fn field(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, shape, about }
}

/// Every field that a task may have.
pub const FIELDS: &[Field] = &[
    field(
        "task_id",
        Shape::Id,
        "Its name, also its result's: 1 to 200 bytes of letters, digits, `.`, `_` and `-`. By default the file's name without `.json`.",
    ),
    field("task_type", Shape::Word, "What sort of work it is. By default `general`."),
    field(
        "description",
        Shape::Text,
        "What is asked: the message to a model, standard input of a program.",
    ),
    field("messages", Shape::Messages, "A chat, instead of `description`."),
    field("system", Shape::Text, "The system prompt. By default the worker's."),
    field("input", Shape::Any, "Any JSON, added to the message."),
    field(
        "files",
        Shape::Texts,
        "Paths whose content is added; only below `file_roots` of the settings.",
    ),
    field(
        "workspace",
        Shape::Path,
        "The folder in which an agent works; only below `workspace_roots` of the settings.",
    ),
    field("priority", Shape::Integer(0, 10), "Higher goes first. By default 5."),
    field(
        "difficulty_level",
        Shape::Choice(&["low", "medium", "high"]),
        "How hard it is. By default judged by the words.",
    ),
    field(
        "sensitivity_level",
        Shape::Choice(&["public", "confidential"]),
        "Whether it may leave the house. By default judged by the words; what is found can only raise it.",
    ),
    field("worker", Shape::Word, "The worker type. By default chosen by the rules."),
    field("parent_task_id", Shape::Id, "The task that it belongs to."),
    field(
        "depends_on",
        Shape::Ids,
        "Tasks that must be completed first; `{result:ID}` then stands for the answer of one.",
    ),
    field("not_before", Shape::Time, "When it may begin: `2026-12-24T18:00:00Z`."),
    field("expires_at", Shape::Time, "When it is too late to begin: `2026-12-24T18:00:00Z`."),
    field("timeout_s", Shape::Seconds, "How long an attempt may take. By default the worker's."),
    field(
        "max_attempts",
        Shape::Integer(1, 1_000),
        "How many attempts are made. By default the worker's.",
    ),
    field(
        "max_tokens",
        Shape::Integer(1, 10_000_000),
        "The most tokens of an answer. By default the worker's.",
    ),
    field("params", Shape::Object, "Settings for the model's API, beside the worker's."),
    field("metadata", Shape::Object, "Carried into the result untouched."),
    field("max_cost_usd", Shape::Money, "What the task may cost, in US dollars."),
    field("escalate", Shape::Texts, "Workers that are asked in turn, until an answer is accepted."),
    field(
        "fallback",
        Shape::Texts,
        "Workers of which the first that can does it, where its own cannot be used. By default the worker's.",
    ),
    field(
        "cache",
        Shape::Flag,
        "Whether the answer that the same request had before will do. By default the worker's, `false`.",
    ),
    field("accept", Shape::Accept, "What the answer must be: all of what is given here must hold."),
    field(
        "response_schema",
        Shape::Object,
        "A JSON schema: a model is told it, and the answer of any worker must fit it.",
    ),
    field("urgency", Shape::Choice(&["batch"]), "`batch`: it can wait a day, and costs half."),
    field(
        "group",
        Shape::Group,
        "The tasks that it belongs with: groups take turns, and are waited for and paused as one.",
    ),
    field(
        "may_spawn",
        Shape::Integer(0, MOST_SPAWNED),
        "How many tasks its answer may ask for, theirs included. By default 0.",
    ),
];

/// The names of all fields.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    FIELDS.iter().map(|field| field.name)
}

/// Whether koubou knows what this key of a task is for.
pub fn is_known(key: &str) -> bool {
    key == SCHEMA_KEY || names().any(|name| name == key)
}

/// The least and the most of a field that is a whole number; anything for one that is none.
pub(super) fn range(name: &str) -> (u64, u64) {
    match FIELDS.iter().find(|field| field.name == name).map(|field| field.shape) {
        Some(Shape::Integer(least, most)) => (least, most),
        _ => (0, u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_stands_once_and_is_told_of_in_the_readme() {
        let readme = include_str!("../../README.md");
        let (_, tasks) = readme.split_once("\n## A task\n").unwrap();
        let (tasks, _) = tasks.split_once("\n## ").unwrap();
        for name in names() {
            assert_eq!(names().filter(|other| *other == name).count(), 1, "{name}");
            assert!(tasks.contains(&format!("`{name}`")), "the README lacks `{name}`");
        }
    }
}
