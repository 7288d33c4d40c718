//! `{result:ID}` in a task's texts: the answer of a task that it depends on stands there.
//!
//! Only tasks of `depends_on` are filled in, each text is gone through once, and what an
//! answer holds is never read for placeholders again.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Task, TaskId};

const OPEN: &str = "{result:";

/// A text with its placeholders replaced; `None` where there is nothing to replace.
pub fn replace(text: &str, with: &mut impl FnMut(&TaskId) -> Option<String>) -> Option<String> {
    let mut replaced: Option<String> = None;
    let (mut rest, mut done) = (text, 0);
    while let Some(at) = rest.find(OPEN) {
        let inside = &rest[at + OPEN.len()..];
        let end = inside.find('}').filter(|end| *end <= TaskId::LONGEST);
        let id = end.and_then(|end| inside[..end].parse().ok());
        let step = at + OPEN.len() + end.filter(|_| id.is_some()).map_or(0, |end| end + 1);
        if let Some(value) = id.and_then(|id| with(&id)) {
            let begun = replaced.get_or_insert_default();
            begun.push_str(&text[done..text.len() - rest.len() + at]);
            begun.push_str(&value);
            done = text.len() - rest.len() + step;
        }
        rest = &rest[step..];
    }
    if let Some(begun) = &mut replaced {
        begun.push_str(&text[done..]);
    }
    replaced
}

/// Replaces the placeholders in every text of a value.
pub fn replace_in(value: &mut Value, with: &mut impl FnMut(&TaskId) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(replaced) = replace(text, with) {
                *text = replaced;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace_in(item, with)),
        Value::Object(map) => map.values_mut().for_each(|item| replace_in(item, with)),
        _ => {}
    }
}

/// Puts answers in a task's texts.
pub fn fill(task: &mut Task, mut answer_of: impl FnMut(&TaskId) -> Option<String>) {
    let depends_on = task.depends_on.clone();
    let mut with = |id: &TaskId| depends_on.contains(id).then(|| answer_of(id)).flatten();
    for text in [&mut task.description, &mut task.system].into_iter().flatten() {
        if let Some(filled) = replace(text, &mut with) {
            *text = filled;
        }
    }
    for message in task.messages.iter_mut().flatten() {
        replace_in(message, &mut with);
    }
    if let Some(input) = &mut task.input {
        replace_in(input, &mut with);
    }
}

/// The tasks whose answers a task names.
pub fn named_in(task: &Task) -> BTreeSet<TaskId> {
    let mut named = BTreeSet::new();
    let mut note = |id: &TaskId| {
        named.insert(id.clone());
        None
    };
    for text in [&task.description, &task.system].into_iter().flatten() {
        replace(text, &mut note);
    }
    for value in task.messages.iter().flatten().chain(&task.input) {
        each_in(value, &mut note);
    }
    named
}

fn each_in(value: &Value, note: &mut impl FnMut(&TaskId) -> Option<String>) {
    match value {
        Value::String(text) => drop(replace(text, note)),
        Value::Array(items) => items.iter().for_each(|item| each_in(item, note)),
        Value::Object(map) => map.values().for_each(|item| each_in(item, note)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::task::wire;

    fn answers(id: &TaskId) -> Option<String> {
        match id.as_str() {
            "a" => Some("one {result:b}".into()),
            "b" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn what_is_known_is_put_in_once_and_the_rest_stays() {
        for (text, filled) in [
            ("{result:a}!", Some("one {result:b}!")),
            ("x{result:b}y{result:a}", Some("xyone {result:b}")),
            ("{result:{result:b}", Some("{result:")),
            ("{result:c} {result:a", None),
            ("{result:../a} {result:} 工房", None),
        ] {
            assert_eq!(replace(text, &mut answers).as_deref(), filled, "{text}");
        }
    }

    #[test]
    fn only_what_a_task_depends_on_is_filled_in_everywhere() {
        let mut task = wire::read(
            "x",
            json!({
                "description": "of {result:a}", "system": "{result:b}.", "depends_on": ["a"],
                "input": { "{result:a}": ["{result:a}", 7] }
            })
            .to_string()
            .as_bytes(),
        )
        .unwrap();
        let named: Vec<_> = named_in(&task).iter().map(|id| id.as_str().to_owned()).collect();
        assert_eq!(named, ["a", "b"]);
        fill(&mut task, |id| answers(id).map(|text| text.to_uppercase()));
        assert_eq!(task.description.unwrap(), "of ONE {RESULT:B}");
        assert_eq!(task.system.unwrap(), "{result:b}.");
        assert_eq!(task.input.unwrap(), json!({ "{result:a}": ["ONE {RESULT:B}", 7] }));
    }

    proptest! {
        #[test]
        fn any_text_is_gone_through(text in "(\\{result:|a|b|\\}|\\{|工|:){0,12}") {
            let filled = replace(&text, &mut |_| Some("*".to_owned()));
            let whole = text.matches("{result:a}").count() + text.matches("{result:b}").count();
            prop_assert!(filled.is_some() || whole == 0);
            prop_assert_eq!(replace(&text, &mut |_| None), None);
        }
    }
}
