//! Which parts of a program's JSON lines mean what.
//!
//! A part is named by its path, `usage.input_tokens` or `/usage/input_tokens`, in which
//! `*` stands for every element of a list. What stands behind ` if ` says in which lines it
//! counts: `result if type == "result"`. Paths joined by ` + ` are added together.
//!
//! Everything here is plain data: no text and no line makes it panic.

use serde_json::Value;

/// What a program's lines are read for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineFields {
    /// The answer; the last one counts.
    pub content: Part,
    /// Why it failed, where a line says so.
    pub error: Option<Part>,
    /// The model that answered.
    pub model: Option<Part>,
    /// What it cost, in dollars.
    pub cost: Option<Part>,
    /// How many tokens it took, each kind by its name in a result's `usage`.
    pub usage: Vec<(Tokens, Part)>,
    /// What is told of the work while it goes on.
    pub log: Vec<Part>,
}

/// A kind of tokens, as a result's `usage` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// Sent.
    Prompt,
    /// Answered.
    Completion,
    /// Of those sent: read from a cache.
    Cached,
    /// Of those sent: written to a cache.
    CacheWrite,
    /// Of those answered: hidden reasoning.
    Reasoning,
}

/// A part of a line, and in which lines it counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    paths: Vec<Path>,
    conditions: Vec<Condition>,
}

type Path = Vec<String>;

#[derive(Clone, Debug, PartialEq)]
struct Condition {
    path: Path,
    equal: bool,
    value: Value,
}

impl Part {
    /// Reads a part as people write it.
    ///
    /// # Errors
    /// In a sentence, what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (paths, conditions) = match text.split_once(" if ") {
            Some((paths, conditions)) => (paths, conditions.split(" and ").collect()),
            None => (text, Vec::new()),
        };
        Ok(Self {
            paths: paths.split(" + ").map(path).collect::<Result<_, _>>()?,
            conditions: conditions.into_iter().map(condition).collect::<Result<_, _>>()?,
        })
    }

    /// Every value of it in a line.
    pub fn all<'a>(&self, line: &'a Value) -> Vec<&'a Value> {
        let mut found = Vec::new();
        if self.conditions.iter().all(|condition| condition.holds(line)) {
            for path in &self.paths {
                gather(line, path, &mut found);
            }
        }
        found.retain(|value| !value.is_null());
        found
    }

    /// Its text in a line: all texts that it has there, one after another.
    pub fn text(&self, line: &Value) -> Option<String> {
        let found = self.all(line);
        let text = |value: &&Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        (!found.is_empty()).then(|| found.iter().map(text).collect::<Vec<_>>().join("\n"))
    }

    /// Its number in a line: the sum of all that it has there.
    pub fn count(&self, line: &Value) -> Option<u64> {
        let found = self.all(line);
        let counts: Vec<u64> = found.iter().filter_map(|value| value.as_u64()).collect();
        (!counts.is_empty()).then(|| counts.iter().fold(0u64, |sum, n| sum.saturating_add(*n)))
    }
}

impl Condition {
    fn holds(&self, line: &Value) -> bool {
        let mut found = Vec::new();
        gather(line, &self.path, &mut found);
        found.contains(&&self.value) == self.equal
    }
}

fn gather<'a>(value: &'a Value, path: &[String], found: &mut Vec<&'a Value>) {
    let [name, rest @ ..] = path else {
        found.push(value);
        return;
    };
    match value {
        Value::Object(map) => {
            if let Some(value) = map.get(name) {
                gather(value, rest, found);
            }
        }
        Value::Array(items) if name == "*" => {
            items.iter().for_each(|item| gather(item, rest, found));
        }
        Value::Array(items) => {
            if let Some(item) = name.parse::<usize>().ok().and_then(|n| items.get(n)) {
                gather(item, rest, found);
            }
        }
        _ => {}
    }
}

fn path(text: &str) -> Result<Path, String> {
    let text = text.trim();
    let names: Path = match text.strip_prefix('/') {
        Some(pointer) => {
            pointer.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")).collect()
        }
        None => text.split('.').map(str::to_owned).collect(),
    };
    let is_odd = |name: &String| name.is_empty() || name.contains(char::is_whitespace);
    match names.iter().any(is_odd) {
        true => Err(format!(
            "`{text}` is no path into a line: write one such as `message.text` or `/message/text`"
        )),
        false => Ok(names),
    }
}

fn condition(text: &str) -> Result<Condition, String> {
    let sides = text.split_once("==").map(|sides| (true, sides));
    let sides = sides.or_else(|| text.split_once("!=").map(|sides| (false, sides)));
    let Some((equal, (name, value))) = sides else {
        return Err(format!("`{text}` is no condition: write one such as `type == \"result\"`"));
    };
    let value = serde_json::from_str(value.trim()).map_err(|_| {
        format!("`{}` is no JSON value: put a word into double quotes", value.trim())
    })?;
    Ok(Condition { path: path(name)?, equal, value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn part(text: &str) -> Part {
        Part::parse(text).unwrap()
    }

    #[test]
    fn a_part_is_found_by_either_sort_of_path() {
        let line = json!({ "a": { "b": [{ "c": "x" }, { "c": "y" }, { "d": 1 }] }, "e/f": 2 });
        assert_eq!(part("a.b.0.c").text(&line).unwrap(), "x");
        assert_eq!(part("/a/b/1/c").text(&line).unwrap(), "y");
        assert_eq!(part("a.b.*.c").text(&line).unwrap(), "x\ny");
        assert_eq!(part("/e~1f").count(&line), Some(2));
        assert_eq!(part("a.z").text(&line), None);
    }

    #[test]
    fn it_counts_only_in_the_lines_that_its_conditions_let_in() {
        let line = |kind: &str, bad: bool| json!({ "type": kind, "bad": bad, "text": "t" });
        let part = part("text if type == \"result\" and bad!=true");
        assert!(part.text(&line("result", false)).is_some());
        assert!(part.text(&line("result", true)).is_none());
        assert!(part.text(&line("other", false)).is_none());
    }

    #[test]
    fn numbers_are_added_and_nothing_is_not_nought() {
        let line = json!({ "usage": { "sent": 3, "cached": 4, "text": "5" } });
        assert_eq!(part("usage.sent + usage.cached + usage.none").count(&line), Some(7));
        assert_eq!(part("usage.none").count(&line), None);
        assert_eq!(part("usage.text").count(&line), None);
    }

    #[test]
    fn what_is_wrong_with_a_part_is_a_sentence() {
        for (text, why) in [
            ("", "no path"),
            ("a..b", "no path"),
            ("a b", "no path"),
            ("a if type", "no condition"),
            ("a if type == result", "double quotes"),
        ] {
            let said = Part::parse(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}", line in ".{0,60}") {
            if let Ok(part) = Part::parse(&text) {
                part.text(&Value::from(line));
            }
        }
    }
}
