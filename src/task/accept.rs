//! When an answer is good enough: what a task or a worker demands of it.
//!
//! A JSON schema, a regular expression, or a check that the settings name. The
//! first two are judged here; a check is a program, and so somebody else's to run.
//! A task's `response_schema` is demanded like a schema of `accept`, and beside it.
//! An expression takes time that grows with the answer alone. A schema whose
//! references multiply is refused where that shows; one that folds in on itself may
//! still take long, and whoever judges by it gives it a thread and a limit.

use std::collections::HashMap;

use jsonschema::{PatternOptions, Validator};
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use crate::base::words;

/// The largest compiled form of a pattern, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;
/// The largest schema, in bytes of its text: what a drop has compiled must stay small.
const LARGEST_SCHEMA: usize = 256 << 10;

/// The most steps that a schema may be once its references are written out.
const MOST_STEPS: u64 = 100_000;

/// What is demanded of an answer; all of it must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Accept {
    /// The answer is JSON of this shape.
    pub json_schema: Option<Value>,
    /// The answer is JSON of this shape too: the one that its worker was told.
    pub response_schema: Option<Value>,
    /// The answer has this in it.
    pub regex: Option<String>,
    /// The settings' check of this name ends well when it is given the answer.
    pub check: Option<String>,
}

/// What stands in a code fence that is all of an answer: models like to wrap JSON in one.
pub fn unfenced(answer: &str) -> Option<&str> {
    let inside = answer.trim().strip_prefix("```")?.strip_suffix("```")?;
    let (language, text) = inside.split_once('\n')?;
    let is_word = language.trim_end().chars().all(|letter| letter.is_ascii_alphanumeric());
    (is_word && !text.contains("```")).then(|| text.trim_end())
}

/// Looks whether a task's `response_schema` is one that can be looked through.
///
/// # Errors
/// Why it is not.
pub fn look_at_response_schema(written: &Value) -> Result<(), String> {
    schema("response_schema", written).map(drop)
}

impl Accept {
    /// Reads `{"json_schema": {…}, "regex": "…", "check": "…"}`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(map: &Map<String, Value>) -> Result<Self, Vec<String>> {
        let mut accept = Self::default();
        let mut flaws = Vec::new();
        for (key, value) in map {
            match (key.as_str(), value) {
                ("json_schema", Value::Object(_) | Value::Bool(_)) => {
                    flaws.extend(schema("json_schema", value).err());
                    accept.json_schema = Some(value.clone());
                }
                ("regex", Value::String(text)) => {
                    flaws.extend(pattern(text).err());
                    accept.regex = Some(text.clone());
                }
                ("check", Value::String(name)) => accept.check = Some(name.clone()),
                ("json_schema", _) => flaws.push("`json_schema` must be an object".into()),
                ("regex" | "check", _) => flaws.push(format!("`{key}` must be a string")),
                _ => flaws.push(format!(
                    "`{}` is nothing that an answer can be asked for: there are `json_schema`, `regex` and `check`",
                    words::excerpt(&words::tame(key), 40)
                )),
            }
        }
        if map.is_empty() {
            flaws.push("it needs a `json_schema`, a `regex` or a `check`".into());
        }
        if flaws.is_empty() { Ok(accept) } else { Err(flaws) }
    }

    /// Whether an answer is good enough, as far as that shows without running a check.
    ///
    /// # Errors
    /// Why it is not, in a sentence that quotes nothing of it.
    pub fn judge(&self, answer: &str) -> Result<(), String> {
        if self.wants_json() {
            let document: Value = serde_json::from_str(answer)
                .map_err(|error| format!("the answer is not JSON: {}", bare(&error)))?;
            for (field, written) in self.schemas() {
                fits(field, &schema(field, written)?, &document)?;
            }
        }
        if let Some(text) = &self.regex
            && !pattern(text)?.is_match(answer)
        {
            let shown = words::excerpt(&words::tame(text), 60);
            return Err(format!("the answer has nothing in it that fits `{shown}`"));
        }
        Ok(())
    }

    /// Whether the answer must be JSON.
    pub fn wants_json(&self) -> bool {
        self.schemas().next().is_some()
    }

    /// The schemas that it must fit, with the fields that state them.
    fn schemas(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let both = [("json_schema", &self.json_schema), ("response_schema", &self.response_schema)];
        both.into_iter().filter_map(|(field, written)| Some((field, written.as_ref()?)))
    }
}

/// Where and what sort of JSON error it is, without the text that it may quote.
fn bare(error: &serde_json::Error) -> String {
    format!("it goes wrong at line {} column {}", error.line(), error.column())
}

/// Names the first place that does not fit, and what was wanted there; never the value.
fn fits(field: &str, schema: &Validator, document: &Value) -> Result<(), String> {
    let Some(error) = schema.iter_errors(document).next() else { return Ok(()) };
    let at = error.instance_path().to_string();
    let place =
        if at.is_empty() { "the whole".to_owned() } else { format!("`{}`", words::tame(&at)) };
    let rule = error.schema_path().to_string();
    let shown = words::excerpt(&words::tame(&rule), 80);
    Err(format!("the answer does not fit `{field}`: {place} against `{shown}`"))
}

/// The compiled schema of a field. Its patterns take linear time, and it fetches nothing.
fn schema(field: &str, written: &Value) -> Result<Validator, String> {
    let size = written.to_string().len();
    if size > LARGEST_SCHEMA {
        let (size, most) = (words::bytes(size as u64), words::bytes(LARGEST_SCHEMA as u64));
        return Err(format!("`{field}` has {size} of at most {most}"));
    }
    if Unfolding::of(written) > MOST_STEPS {
        return Err(format!(
            "`{field}` refers to itself so often that nobody could look through it: \
             let each `$ref` be reached by fewer ways"
        ));
    }
    let engine = PatternOptions::regex().size_limit(LARGEST_PATTERN);
    jsonschema::options().with_pattern_options(engine).build(written).map_err(|error| {
        if let Some(place) = place_outside(written) {
            let place = words::excerpt(&words::tame(place), 80);
            return format!(
                "`{field}` refers to `{place}`, which is not in it, and koubou fetches nothing: put what is meant below `$defs` and refer to `#/$defs/NAME`"
            );
        }
        let said = words::excerpt(&words::tame(&error.to_string()), 160);
        format!("`{field}` is not a JSON schema: {said}")
    })
}

/// The first `$ref` that leads nowhere in the schema.
fn place_outside(whole: &Value) -> Option<&str> {
    let leads_out = |place: &&str| {
        let pointer =
            place.strip_prefix('#').filter(|rest| rest.is_empty() || rest.starts_with('/'));
        // An anchor, `#name`, may be anywhere.
        !place.starts_with('#') || pointer.is_some_and(|pointer| whole.pointer(pointer).is_none())
    };
    let mut open = vec![whole];
    while let Some(part) = open.pop() {
        match part {
            Value::Array(items) => open.extend(items),
            Value::Object(map) => {
                if let Some(place) = map.get("$ref").and_then(Value::as_str).filter(leads_out) {
                    return Some(place);
                }
                open.extend(map.values());
            }
            _ => {}
        }
    }
    None
}

/// How long a schema is once its references are written out.
struct Unfolding<'a> {
    whole: &'a Value,
    /// The lengths of what is referred to; 1 while it is measured, as what comes round again
    /// goes on with another part of the answer.
    known: HashMap<&'a str, u64>,
}

impl<'a> Unfolding<'a> {
    fn of(whole: &'a Value) -> u64 {
        Unfolding { whole, known: HashMap::new() }.steps(whole)
    }

    fn steps(&mut self, part: &'a Value) -> u64 {
        let add = u64::saturating_add;
        match part {
            Value::Array(items) => items.iter().map(|item| self.steps(item)).fold(0, add),
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| match (key.as_str(), value) {
                    ("$defs" | "definitions", _) => 0,
                    ("$ref", Value::String(place)) => self.steps_at(place),
                    _ => self.steps(value),
                })
                .fold(1, add),
            _ => 0,
        }
    }

    fn steps_at(&mut self, place: &'a str) -> u64 {
        if let Some(steps) = self.known.get(place) {
            return *steps;
        }
        self.known.insert(place, 1);
        let part = place.strip_prefix('#').and_then(|pointer| self.whole.pointer(pointer));
        let steps = part.map_or(1, |part| self.steps(part));
        self.known.insert(place, steps);
        steps
    }
}

fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).size_limit(LARGEST_PATTERN).build().map_err(|error| {
        let said = error.to_string();
        let last = said.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
        format!("`regex` is not a regular expression: {}", words::tame(last))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn accept(value: &Value) -> Accept {
        Accept::read(value.as_object().unwrap()).unwrap()
    }

    #[test]
    fn an_answer_must_have_the_shape() {
        let wanted = accept(&json!({ "json_schema": {
            "type": "object", "required": ["city"],
            "properties": { "city": { "type": "string", "pattern": "^[A-Z]" } },
        } }));
        assert_eq!(wanted.judge("{\"city\": \"Kyoto\"}"), Ok(()));
        for (answer, says) in [
            ("Kyoto", "not JSON"),
            ("{}", "the whole"),
            ("{\"city\": \"kyoto\"}", "`/city`"),
            ("{\"city\": 7}", "`/city`"),
        ] {
            let why = wanted.judge(answer).unwrap_err();
            assert!(why.contains(says) && !why.contains("kyoto"), "{answer}: {why}");
        }
    }

    #[test]
    fn both_schemas_must_hold() {
        let mut wanted = accept(&json!({ "json_schema": { "required": ["a"] } }));
        wanted.response_schema = Some(json!({ "required": ["b"] }));
        assert_eq!(wanted.judge("{\"a\": 1, \"b\": 2}"), Ok(()));
        for (answer, field) in
            [("{\"b\": 2}", "`json_schema`"), ("{\"a\": 1}", "`response_schema`")]
        {
            let why = wanted.judge(answer).unwrap_err();
            assert!(why.contains(field), "{why}");
        }
        let alone = Accept { json_schema: None, ..wanted };
        assert!(alone.wants_json() && alone.judge("words").unwrap_err().contains("not JSON"));
        assert!(!Accept::default().wants_json());
    }

    #[test]
    fn a_fence_around_all_of_an_answer_is_taken_off() {
        assert_eq!(unfenced("```json\n{\"a\": 1}\n```\n"), Some("{\"a\": 1}"));
        assert_eq!(unfenced("```\n[]\n```"), Some("[]"));
        for other in
            ["{}", "see:\n```json\n{}\n```", "```json\n{}\n```\nand\n```\n{}\n```", "```", "``````"]
        {
            assert_eq!(unfenced(other), None, "{other}");
        }
    }

    #[test]
    fn an_answer_must_have_what_is_looked_for() {
        let wanted = accept(&json!({ "regex": "(?m)^answer: \\d+$" }));
        assert_eq!(wanted.judge("so\nanswer: 42\n"), Ok(()));
        assert!(wanted.judge("answer: forty-two").unwrap_err().contains("fits `(?m)"));
    }

    #[test]
    fn all_that_is_wrong_is_named() {
        for (value, says) in [
            (json!({}), "it needs"),
            (json!({ "regex": "(" }), "not a regular expression: unclosed group"),
            (json!({ "regex": "\\w{1000}{1000}" }), "size limit"),
            (json!({ "json_schema": { "type": "nothing" } }), "not a JSON schema"),
            (
                json!({ "json_schema": { "$ref": "http://127.0.0.1:9/x" } }),
                "refers to `http://127.0.0.1:9/x`, which is not in it, and koubou fetches nothing",
            ),
            (json!({ "json_schema": { "$ref": "#/$defs/x" } }), "refers to `#/$defs/x`"),
            (json!({ "json_schema": "x" }), "must be an object"),
            (json!({ "check": 5 }), "`check` must be a string"),
            (json!({ "schema": {} }), "`schema` is nothing"),
        ] {
            let flaws = Accept::read(value.as_object().unwrap()).unwrap_err().join("; ");
            assert!(flaws.contains(says), "{value}: {flaws}");
        }
    }

    #[test]
    fn a_schema_whose_references_multiply_is_refused_and_a_tree_is_not() {
        let two = |n: u32| json!({ "allOf": [{ "$ref": format!("#/$defs/x{n}") }, { "$ref": format!("#/$defs/x{n}") }] });
        let mut defs: Map<String, Value> = (0..60).map(|n| (format!("x{n}"), two(n + 1))).collect();
        defs.insert("x60".into(), json!({ "type": "object" }));
        let bomb = json!({ "json_schema": { "$ref": "#/$defs/x0", "$defs": defs } });
        let flaws = Accept::read(bomb.as_object().unwrap()).unwrap_err();
        assert!(flaws[0].contains("refers to itself so often"), "{flaws:?}");
        let side = json!({ "$ref": "#/$defs/tree" });
        let tree = accept(&json!({ "json_schema": { "$ref": "#/$defs/tree", "$defs": { "tree": {
            "type": "object", "properties": { "left": side, "right": side },
        } } } }));
        assert_eq!(tree.judge("{\"left\": {\"right\": {}}}"), Ok(()));
    }

    #[test]
    fn no_pattern_takes_more_than_linear_time() {
        let wanted = accept(&json!({ "json_schema": { "pattern": "^(a+)+$" } }));
        let begun = crate::base::clock::mono();
        let answer = Value::from(format!("{}!", "a".repeat(50_000))).to_string();
        assert!(wanted.judge(&answer).is_err());
        assert!(crate::base::clock::mono() - begun < std::time::Duration::from_secs(20));
    }
}
