//! The texts of a task that ask for something, and those that only come along.

use serde_json::Value;

use crate::base::words;
use crate::task::Task;

/// How much of one text is judged, in bytes: what is asked stands near its beginning.
const LONGEST_TEXT: usize = 256 << 10;
/// What a text that only comes along counts.
const ATTACHED: f64 = 0.05;
/// What a user said before the last time counts.
const EARLIER: f64 = 0.8;

/// Hands each text to `seen`, with its JSON pointer and what its words count.
///
/// What the user says last counts in full. The data in `input` is judged only
/// where nothing else asks.
pub(super) fn each(task: &Task, seen: &mut impl FnMut(&str, &str, f64)) {
    let mut bounded = |at: &str, text: &str, counts: f64| {
        seen(at, &text[..words::boundary(text, LONGEST_TEXT)], counts);
    };
    let mut asks = false;
    if let Some(text) = &task.description {
        bounded("/description", text, 1.0);
        asks |= !text.trim().is_empty();
    }
    let said = || task.messages.iter().flatten().enumerate().filter(|(_, m)| is_users(m));
    let last = said().map(|(n, _)| n).last();
    for (n, message) in said() {
        let counts = if Some(n) == last { 1.0 } else { EARLIER };
        let content = message.get("content").unwrap_or(&Value::Null);
        each_said(content, &format!("/messages/{n}/content"), counts, &mut bounded);
        asks = true;
    }
    if let Some(input) = &task.input {
        let counts = if asks { ATTACHED } else { 1.0 };
        each_string(input, "/input", counts, &mut bounded);
    }
}

fn is_users(message: &Value) -> bool {
    message.get("role").and_then(Value::as_str) == Some("user")
}

/// The content of a message: a text, or parts of which some are text.
fn each_said(content: &Value, at: &str, counts: f64, seen: &mut impl FnMut(&str, &str, f64)) {
    match content {
        Value::String(text) => seen(at, text, counts),
        Value::Array(parts) => {
            for (n, part) in parts.iter().enumerate() {
                if let Some(text) = part.get("text").and_then(Value::as_str) {
                    seen(&format!("{at}/{n}/text"), text, counts);
                }
            }
        }
        _ => {}
    }
}

fn each_string(value: &Value, at: &str, counts: f64, seen: &mut impl FnMut(&str, &str, f64)) {
    match value {
        Value::String(text) => seen(at, text, counts),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                each_string(item, &format!("{at}/{n}"), counts, seen);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                each_string(item, &format!("{at}/{key}"), counts, seen);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
