//! What a worker is given: the task's words, its data and its files, put together once.
//!
//! The bytes that are put together here are the ones that are looked through for
//! secrets and the ones that are sent; nothing is added later.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{Task, subtasks};

/// Where the shape of the answer stands.
const SCHEMA: &str = "/response_schema";

/// A file of the task, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its path as the task states it.
    pub path: PathBuf,
    /// Its content; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// The assembled request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompt {
    /// The system prompt: the task's, or the worker's own.
    pub system: Option<String>,
    /// The chat, where the task brought one.
    pub messages: Option<Vec<Value>>,
    /// What the task passes to the model's API; it leaves the house like everything else.
    pub params: Map<String, Value>,
    /// The shape that the answer must have: a model is told it.
    pub response_schema: Option<Value>,
    /// The user's words with data and files behind them; a command's standard input.
    pub text: String,
}

impl Prompt {
    /// Puts a task and its files together.
    pub fn assemble(task: &Task, files: &[Attachment], workers_system: Option<&str>) -> Self {
        let mut system = task.system.as_deref().or(workers_system).map(str::to_owned);
        if task.may_spawn > 0 {
            append(system.get_or_insert_default(), &subtasks::offer(task.may_spawn));
        }
        let mut text = task.description.clone().unwrap_or_default();
        match &task.input {
            None => {}
            Some(Value::String(input)) => append(&mut text, input),
            Some(input) => append(&mut text, &format!("{input:#}")),
        }
        for file in files {
            append(&mut text, &format!("--- {} ---\n{}", file.path.display(), file.text));
        }
        Self {
            system,
            messages: task.messages.clone(),
            params: task.params.clone(),
            response_schema: task.response_schema.clone(),
            text,
        }
    }

    /// The chat messages that a model is sent, the system prompt first.
    pub fn chat(&self) -> Vec<Value> {
        let system = self.system.iter().map(|text| json!({ "role": "system", "content": text }));
        let chat = self.messages.iter().flatten().cloned();
        let user = (!self.text.is_empty() || self.messages.is_none())
            .then(|| json!({ "role": "user", "content": self.text }));
        system.chain(chat).chain(user).collect()
    }

    /// What a program reads on standard input: the text, or the chat as JSON where there is only a chat.
    pub fn standard_input(&self) -> String {
        match &self.messages {
            Some(messages) if self.text.is_empty() => {
                format!("{:#}\n", Value::from(messages.clone()))
            }
            _ => self.text.clone(),
        }
    }

    /// Its size in bytes: no tokenizer makes more tokens of it. A schema is sent with every sign in it.
    pub fn size(&self) -> u64 {
        let mut size = self.response_schema.as_ref().map_or(0, |schema| schema.to_string().len());
        self.each_text(&mut |field, text| {
            if !field.starts_with(SCHEMA) {
                size += text.len();
            }
        });
        size as u64
    }

    /// Every text in it that leaves the house when it is sent, with where it stands.
    pub fn each_text(&self, seen: &mut impl FnMut(&str, &str)) {
        if let Some(system) = &self.system {
            seen("/system", system);
        }
        for (n, message) in self.messages.iter().flatten().enumerate() {
            super::wire::each_text_of(message, &format!("/messages/{n}"), seen);
        }
        for (key, value) in &self.params {
            seen("/params", key);
            super::wire::each_text_of(value, "/params", seen);
        }
        if let Some(schema) = &self.response_schema {
            super::wire::each_text_of(schema, SCHEMA, seen);
        }
        seen("/text", &self.text);
    }
}

fn append(text: &mut String, part: &str) {
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(part);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::wire;

    fn task(json: &Value) -> Task {
        wire::read("x", json.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn data_and_files_stand_behind_the_words() {
        let task = task(&json!({ "description": "sum", "input": {"a": 1}, "system": "be brief" }));
        let file = Attachment { path: "/d/a.txt".into(), text: "one".into() };
        let prompt = Prompt::assemble(&task, &[file], Some("unused"));
        assert_eq!(prompt.text, "sum\n\n{\n  \"a\": 1\n}\n\n--- /d/a.txt ---\none");
        assert_eq!(prompt.chat()[0], json!({ "role": "system", "content": "be brief" }));
        assert_eq!(prompt.chat()[1]["content"], prompt.text);
    }

    #[test]
    fn messages_are_sent_as_they_are() {
        let messages = json!([{ "role": "user", "content": "hi", "name": "n" }]);
        let prompt = Prompt::assemble(&task(&json!({ "messages": messages })), &[], None);
        assert_eq!(Value::from(prompt.chat()), messages);
    }

    #[test]
    fn a_schema_is_a_text_that_leaves_the_house_and_counts_whole() {
        let schema = json!({ "properties": { "city": { "type": "string" } } });
        let task = task(&json!({ "description": "where", "response_schema": schema }));
        let prompt = Prompt::assemble(&task, &[], None);
        let mut seen = Vec::new();
        prompt.each_text(&mut |at, text| seen.push(format!("{at} {text}")));
        assert!(seen.contains(&"/response_schema/properties/city city".to_owned()), "{seen:?}");
        assert_eq!(prompt.size(), "where".len() as u64 + schema.to_string().len() as u64);
    }

    #[test]
    fn a_string_as_input_stays_as_it_is() {
        let prompt = Prompt::assemble(&task(&json!({ "input": "a\tb" })), &[], None);
        assert_eq!(prompt.standard_input(), "a\tb");
    }
}
