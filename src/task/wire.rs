//! Turns the bytes of a drop into a [`Task`], or names everything that is wrong with them at once.
//!
//! Reading never panics, never recurses deeper than the JSON parser's own limit,
//! and never guesses: a value of the wrong type is a flaw, an unknown field is a
//! warning, and `null` is the same as absent.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::fields::{LONGEST_S, LONGEST_WORD};
use super::result::TaskResult;
use super::{
    Accept, Attempt, Difficulty, GroupName, History, Sensitivity, Task, TaskId, Usd, WorkerType,
    accept, fields, placeholder,
};
use crate::base::clock::Timestamp;
use crate::base::words;

/// Why bytes are no task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaws {
    /// The text ends before its JSON does: perhaps it is still being written.
    EndsTooSoon(String),
    /// It is not JSON.
    NotJson(String),
    /// It is JSON, and these things are wrong with it.
    NotATask(Vec<String>),
}

impl Flaws {
    /// All of it as one sentence that says what to do.
    pub fn message(&self) -> String {
        match self {
            Self::EndsTooSoon(why) | Self::NotJson(why) => why.clone(),
            Self::NotATask(flaws) => format!("{}; mend it and drop it again", flaws.join("; ")),
        }
    }
}

/// Reads the drop named `stem`.json.
///
/// # Errors
/// All flaws that were found.
pub fn read(stem: &str, bytes: &[u8]) -> Result<Task, Flaws> {
    let document = object(bytes)?;
    if TaskResult::looks_like_one(&document.map) {
        return read_again(stem, document);
    }
    read_fields(stem, document)
}

/// Reads a task from a document that was read before, such as a result's `task`.
///
/// # Errors
/// All flaws that were found.
pub fn read_document(stem: &str, map: Map<String, Value>) -> Result<Task, Flaws> {
    read_fields(stem, Document { map, twice: Vec::new() })
}

/// The objects of a text with one task, an array of tasks, or one task after another; nothing in the
/// place of what is no object.
///
/// # Errors
/// Where it is not JSON.
pub fn documents(bytes: &[u8]) -> Result<Vec<Option<Document>>, serde_json::Error> {
    let mut documents = Vec::new();
    for parsed in serde_json::Deserializer::from_slice(bytes).into_iter::<Parsed>() {
        match parsed? {
            Parsed::Many(all) => documents.extend(all.into_iter().map(|one| one.document().ok())),
            one => documents.push(one.document().ok()),
        }
    }
    Ok(documents)
}

/// A JSON object with the keys that it gave twice.
pub struct Document {
    map: Map<String, Value>,
    twice: Vec<String>,
}

impl Document {
    /// The object as one that gives each key once, and what is odd about it: of two levels of
    /// sensitivity the stricter is the one.
    pub fn settled(mut self) -> (Map<String, Value>, Vec<String>) {
        let warnings = self.twice_in_words();
        if self.states_two_levels() {
            let level = Sensitivity::Confidential.as_str();
            self.map.insert("sensitivity_level".to_owned(), Value::from(level));
        }
        (self.map, warnings)
    }

    fn states_two_levels(&self) -> bool {
        self.twice.iter().any(|key| key == "sensitivity_level")
    }

    fn twice_in_words(&self) -> Vec<String> {
        let each = self.twice.iter().map(|key| match key.as_str() {
            "sensitivity_level" => {
                format!("`{key}` is given twice; the task counts as confidential")
            }
            _ => format!("`{}` is given twice; the last one counts", words::tame(key)),
        });
        each.collect()
    }
}

fn object(bytes: &[u8]) -> Result<Document, Flaws> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Flaws::NotJson("it is UTF-16 text: save it as UTF-8 and drop it again".into()));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Flaws::EndsTooSoon(
            "it is empty: write a JSON object with a `description`".into(),
        ));
    }
    match serde_json::from_slice::<Parsed>(bytes) {
        Ok(parsed) => parsed.document().map_err(|kind| {
            Flaws::NotATask(vec![format!(
                "a task is one JSON object, and this is {kind}{}",
                if kind == "an array" { " (`koubou submit` takes an array of tasks)" } else { "" }
            )])
        }),
        Err(error) => Err(why_not_json(&error)),
    }
}

fn why_not_json(error: &serde_json::Error) -> Flaws {
    let place = format!("line {} column {}", error.line(), error.column());
    if error.is_eof() {
        return Flaws::EndsTooSoon(format!(
            "the JSON ends too soon, at {place}: write the file whole, or under another name first and rename it"
        ));
    }
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or(&said);
    match said {
        "recursion limit exceeded" => Flaws::NotJson(format!(
            "the JSON is nested deeper than 127 levels, at {place}: flatten it, or give it as a string"
        )),
        _ => Flaws::NotJson(format!("it is not JSON: {}, at {place}", words::tame(said))),
    }
}

enum Parsed {
    Object(Document),
    Many(Vec<Parsed>),
    Other(&'static str),
}

impl Parsed {
    /// The object, or what it is instead.
    fn document(self) -> Result<Document, &'static str> {
        match self {
            Self::Object(document) => Ok(document),
            Self::Many(_) => Err("an array"),
            Self::Other(kind) => Err(kind),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Parsed {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ParsedVisitor)
    }
}

/// Reads an object and notices keys given twice; of anything else it says only what it is.
struct ParsedVisitor;

impl<'de> serde::de::Visitor<'de> for ParsedVisitor {
    type Value = Parsed;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Parsed, A::Error> {
        let (mut map, mut twice) = (Map::new(), Vec::new());
        while let Some(key) = access.next_key::<String>()? {
            // With numbers kept as written, a bare number arrives as a map with this one key.
            if map.is_empty() && key == "$serde_json::private::Number" {
                access.next_value::<serde::de::IgnoredAny>()?;
                return Ok(Parsed::Other("a number"));
            }
            let value = access.next_value::<Value>()?;
            if map.insert(key.clone(), value).is_some() {
                twice.push(key);
            }
        }
        Ok(Parsed::Object(Document { map, twice }))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut access: A) -> Result<Parsed, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = access.next_element()? {
            all.push(one);
        }
        Ok(Parsed::Many(all))
    }

    fn visit_str<E>(self, _: &str) -> Result<Parsed, E> {
        Ok(Parsed::Other("a string"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Parsed, E> {
        Ok(Parsed::Other("`true` or `false`"))
    }

    fn visit_unit<E>(self) -> Result<Parsed, E> {
        Ok(Parsed::Other("`null`"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Parsed, E> {
        Ok(Parsed::Other("a number"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Parsed, E> {
        Ok(Parsed::Other("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Parsed, E> {
        Ok(Parsed::Other("a number"))
    }
}

/// The id in a result that tells of a drop that was no task.
pub fn rejected_id(bytes: &[u8]) -> Option<TaskId> {
    let document = object(bytes).ok()?.map;
    if !TaskResult::looks_like_one(&document) || document.contains_key("task") {
        return None;
    }
    document.get("task_id")?.as_str()?.parse().ok()
}

/// A result that was put into `pending` again: the same task, with its history.
fn read_again(stem: &str, document: Document) -> Result<Task, Flaws> {
    let flaw = |why: String| Flaws::NotATask(vec![why]);
    let older: TaskResult =
        serde_json::from_value(Value::Object(document.map)).map_err(|error| {
            flaw(format!("it looks like a result, and is not a whole one: {error}"))
        })?;
    let Some(task) = older.task else {
        return Err(flaw(format!(
            "this result holds no task, for the drop was none, and `failed/{0}.rejected` is gone",
            older.task_id
        )));
    };
    let mut task = read_fields(stem, Document { map: task, twice: document.twice })?;
    task.id = older.task_id;
    task.history = Some(Box::new(History {
        attempts: older.attempts,
        subtasks_cost: older.earlier_subtasks_cost_usd
            + older.children.iter().map(|child| child.cost_usd).sum(),
        created_at: Some(older.created_at),
        finished_at: Some(older.finished_at),
    }));
    Ok(task)
}

fn read_fields(stem: &str, document: Document) -> Result<Task, Flaws> {
    let mut fields = Fields { map: &document.map, flaws: Vec::new() };
    let derived = TaskId::from_stem(stem);
    let id = match fields.text("task_id") {
        None => derived,
        Some(stated) => match stated.parse::<TaskId>() {
            // A file that was given a number because its id was in use keeps it.
            Ok(stated) if derived.is_numbered_from(&stated) => derived,
            Ok(stated) => stated,
            Err(error) => {
                fields.flaw(error.to_string());
                derived
            }
        },
    };
    let task = Task {
        id,
        task_type: fields.word("task_type").unwrap_or_else(|| "general".to_owned()),
        description: fields.text("description").map(str::to_owned),
        messages: fields.messages(),
        system: fields.text("system").map(str::to_owned),
        input: fields.get("input").cloned(),
        files: fields.texts("files").into_iter().map(PathBuf::from).collect(),
        workspace: fields.whole_path("workspace"),
        priority: fields.integer("priority").map_or(5, |n| n as u8),
        difficulty: fields.difficulty(),
        // Of two levels that one task states, the stricter holds.
        sensitivity: match document.states_two_levels() {
            true => Some(Sensitivity::Confidential),
            false => fields.sensitivity(),
        },
        worker: fields.word("worker").map(WorkerType::new),
        escalate: fields.texts("escalate").into_iter().map(WorkerType::new).collect(),
        cache: fields.flag("cache"),
        by_batch: fields.is_for_a_batch(),
        fallback: fields.texts("fallback").into_iter().map(WorkerType::new).collect(),
        accept: fields.accept(),
        response_schema: fields.response_schema(),
        group: fields.group(),
        parent: fields.id("parent_task_id"),
        may_spawn: fields.integer("may_spawn").map_or(0, |n| n as u32),
        depends_on: fields.ids("depends_on"),
        not_before: fields.time("not_before"),
        expires_at: fields.time("expires_at"),
        timeout: fields.seconds("timeout_s"),
        max_attempts: fields.integer("max_attempts").map(|n| n as u32),
        max_tokens: fields.integer("max_tokens").map(|n| n as u32),
        max_cost: fields.money("max_cost_usd"),
        params: fields.map("params"),
        document: Map::new(),
        warnings: Vec::new(),
        history: None,
    };
    fields.map("metadata");
    fields.must_ask_something(&task);
    let flaws = fields.flaws;
    if !flaws.is_empty() {
        return Err(Flaws::NotATask(flaws));
    }
    let mut warnings = warnings(&document);
    // A planner's words may hold what is meant for its subtasks.
    let named = if task.may_spawn > 0 { Default::default() } else { placeholder::named_in(&task) };
    let unknown = named.into_iter();
    warnings.extend(unknown.filter(|id| !task.depends_on.contains(id)).map(|id| {
        format!("`{{result:{id}}}` stays as it is, for `depends_on` does not name `{id}`")
    }));
    Ok(Task { document: document.map, warnings, ..task })
}

fn warnings(document: &Document) -> Vec<String> {
    let mut warnings = document.twice_in_words();
    for key in document.map.keys() {
        let shown = words::excerpt(&words::tame(key), 60);
        if !fields::is_known(key) {
            warnings.push(match words::nearest(key, fields::names()) {
                Some(near) => format!("unknown field `{shown}`: did you mean `{near}`?"),
                None => format!("unknown field `{shown}` is carried along and not read"),
            });
        }
    }
    warnings
}

/// Reads one field after another and gathers what is wrong with them.
struct Fields<'a> {
    map: &'a Map<String, Value>,
    flaws: Vec<String>,
}

impl<'a> Fields<'a> {
    fn flaw(&mut self, why: String) {
        self.flaws.push(why);
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&mut self, key: &str, wanted: &str, value: &Value) {
        self.flaw(format!("`{key}` must be {wanted}, and is {}", kind_of(value)));
    }

    fn text(&mut self, key: &str) -> Option<&'a str> {
        let value = self.get(key)?;
        let text = value.as_str();
        if text.is_none() {
            self.wrong(key, "a string", value);
        }
        text
    }

    fn word(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        if text.is_empty()
            || text.chars().count() > LONGEST_WORD
            || text.chars().any(char::is_control)
        {
            self.flaw(format!("`{key}` must be 1 to {LONGEST_WORD} printable characters"));
        }
        Some(text.to_owned())
    }

    fn texts(&mut self, key: &str) -> Vec<&'a str> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.as_array() else {
            self.wrong(key, "an array of strings", value);
            return Vec::new();
        };
        if let Some(item) = items.iter().find(|item| !item.is_string()) {
            let is = kind_of(item);
            self.flaw(format!("`{key}` must be an array of strings, and one of them is {is}"));
        }
        items.iter().filter_map(Value::as_str).collect()
    }

    fn whole_path(&mut self, key: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.text(key)?);
        if !path.is_absolute() {
            self.flaw(format!("`{key}` must be a whole path, one that begins with `/`"));
        }
        Some(path)
    }

    fn id(&mut self, key: &str) -> Option<TaskId> {
        let text = self.text(key)?;
        self.parse_id(key, text)
    }

    fn parse_id(&mut self, key: &str, text: &str) -> Option<TaskId> {
        text.parse().map_err(|error| self.flaw(format!("`{key}`: {error}"))).ok()
    }

    fn group(&mut self) -> Option<GroupName> {
        let text = self.text("group")?;
        text.parse().map_err(|error| self.flaw(format!("`group`: {error}"))).ok()
    }

    fn ids(&mut self, key: &str) -> Vec<TaskId> {
        self.texts(key).into_iter().filter_map(|text| self.parse_id(key, text)).collect()
    }

    /// A whole number in the field's range; `5.0` is one.
    fn integer(&mut self, key: &str) -> Option<u64> {
        let value = self.get(key)?;
        let (least, most) = fields::range(key);
        let whole = value.as_u64().or_else(|| {
            value
                .as_f64()
                .filter(|n| n.fract() == 0.0 && (0.0..=1e15).contains(n))
                .map(|n| n as u64)
        });
        match whole {
            Some(n) if (least..=most).contains(&n) => Some(n),
            _ if value.is_number() => {
                self.flaw(format!(
                    "`{key}` must be a whole number from {least} to {most}, and is {value}"
                ));
                None
            }
            _ => {
                self.wrong(key, &format!("a whole number from {least} to {most}"), value);
                None
            }
        }
    }

    fn accept(&mut self) -> Option<Accept> {
        let map = self.map("accept");
        if self.get("accept").is_none_or(|value| !value.is_object()) {
            return None;
        }
        match Accept::read(&map) {
            Ok(accept) => Some(accept),
            Err(flaws) => {
                self.flaws.extend(flaws.into_iter().map(|flaw| format!("`accept`: {flaw}")));
                None
            }
        }
    }

    fn response_schema(&mut self) -> Option<Value> {
        let value = self.get("response_schema")?;
        if !value.is_object() {
            self.wrong("response_schema", "an object, a JSON schema", value);
            return None;
        }
        self.flaws.extend(accept::look_at_response_schema(value).err());
        Some(value.clone())
    }

    fn seconds(&mut self, key: &str) -> Option<Duration> {
        let value = self.get(key)?;
        match value.as_f64().filter(|s| *s > 0.0 && *s <= f64::from(LONGEST_S)) {
            Some(seconds) => Some(Duration::from_secs_f64(seconds)),
            None => {
                self.flaw(format!(
                    "`{key}` must be a number of seconds above 0 and up to a year, and is {}",
                    words::excerpt(&value.to_string(), 40)
                ));
                None
            }
        }
    }

    fn money(&mut self, key: &str) -> Option<Usd> {
        let value = self.get(key)?;
        let amount = value.as_number().and_then(|n| n.as_str().parse().ok());
        if amount.is_none() {
            self.flaw(format!(
                "`{key}` must be an amount of dollars such as 0.25, and is {}",
                words::excerpt(&value.to_string(), 40)
            ));
        }
        amount
    }

    fn flag(&mut self, key: &str) -> Option<bool> {
        let value = self.get(key)?;
        if !value.is_boolean() {
            self.wrong(key, "true or false", value);
        }
        value.as_bool()
    }

    fn map(&mut self, key: &str) -> Map<String, Value> {
        let Some(value) = self.get(key) else { return Map::new() };
        value.as_object().cloned().unwrap_or_else(|| {
            self.wrong(key, "an object", value);
            Map::new()
        })
    }

    fn time(&mut self, key: &str) -> Option<Timestamp> {
        let text = self.text(key)?;
        // People write the last day of the calendar for "never"; it lies beyond our last moment.
        if text.starts_with("9999-12-3") {
            return Some(Timestamp::MAX);
        }
        let time = text.parse();
        if time.is_err() {
            self.flaw(format!(
                "`{key}` must be a time with its zone, such as `2026-11-23T09:00:00+09:00`, and is `{}`",
                words::excerpt(&words::tame(text), 40)
            ));
        }
        time.ok()
    }

    fn difficulty(&mut self) -> Option<Difficulty> {
        self.choice("difficulty_level", "`low`, `medium` or `high`", |text| match text {
            "low" => Some(Difficulty::Low),
            "medium" => Some(Difficulty::Medium),
            "high" => Some(Difficulty::High),
            _ => None,
        })
    }

    fn sensitivity(&mut self) -> Option<Sensitivity> {
        self.choice("sensitivity_level", "`public` or `confidential`", |text| match text {
            "public" => Some(Sensitivity::Public),
            "confidential" => Some(Sensitivity::Confidential),
            _ => None,
        })
    }

    fn is_for_a_batch(&mut self) -> bool {
        let read = |text: &str| (text == "batch").then_some(());
        self.choice("urgency", "`batch`, or be left out", read).is_some()
    }

    fn choice<T>(&mut self, key: &str, wanted: &str, read: fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(key)?;
        let choice = read(text);
        if choice.is_none() {
            let shown = words::excerpt(&words::tame(text), 40);
            self.flaw(format!("`{key}` must be {wanted}, and is `{shown}`"));
        }
        choice
    }

    fn messages(&mut self) -> Option<Vec<Value>> {
        let value = self.get("messages")?;
        let is_message = |item: &Value| {
            item.get("role").is_some_and(Value::is_string) && item.get("content").is_some()
        };
        match value.as_array() {
            Some(items) if !items.is_empty() && items.iter().all(is_message) => Some(items.clone()),
            Some(_) => {
                self.flaw(
                    "`messages` must hold at least one object with `role` and `content`".into(),
                );
                None
            }
            None => {
                self.wrong("messages", "an array of chat messages", value);
                None
            }
        }
    }

    fn must_ask_something(&mut self, task: &Task) {
        let asks = task.description.as_ref().is_some_and(|text| !text.trim().is_empty())
            || self.get("messages").is_some()
            || task.input.is_some()
            || !task.files.is_empty()
            || task.worker.is_some();
        if !asks && self.flaws.is_empty() {
            self.flaw(
                "nothing is asked: give a `description`, `messages`, `input` or `files`".into(),
            );
        }
        if task.description.is_some() && task.messages.is_some() {
            self.flaw("give `description` or `messages`, not both".into());
        }
        if task.depends_on.contains(&task.id) {
            self.flaw("`depends_on` names the task itself".into());
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

impl Task {
    /// Every text of the task that a reader or a model could see, with where it stands.
    ///
    /// Keys are texts too. The walk is bounded by the parser's nesting limit.
    pub fn each_text<'a>(&'a self, seen: &mut impl FnMut(&str, &'a str)) {
        for (key, value) in &self.document {
            each_text_of(value, &format!("/{}", pointer(key)), seen);
        }
    }

    /// The attempts that its history brings.
    pub fn earlier_attempts(&self) -> &[Attempt] {
        self.history.as_ref().map_or(&[], |history| &history.attempts)
    }
}

pub(super) fn each_text_of<'a>(value: &'a Value, at: &str, seen: &mut impl FnMut(&str, &'a str)) {
    match value {
        Value::String(text) => seen(at, text),
        Value::Number(number) => seen(at, number.as_str()),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                each_text_of(item, &format!("{at}/{n}"), seen);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let at = format!("{at}/{}", pointer(key));
                seen(&at, key);
                each_text_of(item, &at, seen);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// A key as a step of a JSON pointer (RFC 6901).
fn pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn good(value: &Value) -> Task {
        read("x", value.to_string().as_bytes()).unwrap()
    }

    fn flaws(value: &Value) -> String {
        read("x", value.to_string().as_bytes()).unwrap_err().message()
    }

    #[test]
    fn a_response_schema_is_an_object_that_can_be_looked_through() {
        let schema = json!({ "type": "object", "required": ["city"] });
        let task = good(&json!({ "description": "a", "response_schema": schema }));
        assert_eq!((task.response_schema, task.warnings), (Some(schema), Vec::new()));
        for (schema, says) in [
            (json!("city"), "`response_schema` must be an object, a JSON schema, and is a string"),
            (json!(true), "and is a boolean"),
            (json!({ "type": "nothing" }), "`response_schema` is not a JSON schema"),
            (json!({ "$ref": "http://127.0.0.1:9/x" }), "`response_schema` refers to `http://127"),
        ] {
            let flaws = flaws(&json!({ "description": "a", "response_schema": schema }));
            assert!(flaws.contains(says), "{flaws}");
        }
    }

    #[test]
    fn what_is_no_string_in_a_list_of_strings_is_told() {
        for (fallback, says) in [
            (json!([1]), "`fallback` must be an array of strings, and one of them is a number"),
            (json!("a"), "`fallback` must be an array of strings, and is a string"),
        ] {
            let flaws = flaws(&json!({ "description": "a", "fallback": fallback }));
            assert!(flaws.starts_with(says), "{flaws}");
        }
    }

    #[test]
    fn a_description_is_all_that_a_task_needs() {
        let task = good(&json!({ "description": "hello" }));
        assert_eq!((task.id.as_str(), task.task_type.as_str(), task.priority), ("x", "general", 5));
        assert!(task.warnings.is_empty());
    }

    #[test]
    fn every_flaw_is_named_at_once() {
        let said = flaws(&json!({
            "task_id": "../../x", "priority": 11, "difficulty_level": "hard", "depends_on": "y",
            "not_before": "tomorrow", "timeout_s": -1, "params": [],
        }));
        for part in [
            "`../../x` is not a task id",
            "`priority`",
            "`difficulty_level`",
            "`depends_on`",
            "`not_before`",
            "`timeout_s`",
            "`params`",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }

    #[test]
    fn half_a_json_is_told_from_a_wrong_one() {
        for half in ["", " \n", "{", "{\"description\": \"a", "[1,", "tr"] {
            assert!(matches!(read("x", half.as_bytes()), Err(Flaws::EndsTooSoon(_))), "{half}");
        }
        for wrong in ["{]", "{\"a\" 1}", "hello", "{} {}"] {
            assert!(matches!(read("x", wrong.as_bytes()), Err(Flaws::NotJson(_))), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_object_is_no_task() {
        for (json, kind) in
            [("[1]", "an array"), ("12", "a number"), ("\"a\"", "a string"), ("null", "null")]
        {
            assert!(read("x", json.as_bytes()).unwrap_err().message().contains(kind), "{json}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_without_falling_over() {
        let deep = format!("{{\"input\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let said = read("x", deep.as_bytes()).unwrap_err().message();
        assert!(said.contains("nested deeper than 127 levels"), "{said}");
    }

    #[test]
    fn a_typo_is_seen() {
        let task = good(&json!({ "description": "a", "priorty": 3, "colour": "red" }));
        assert_eq!(task.warnings[0], "unknown field `priorty`: did you mean `priority`?");
        assert!(task.warnings[1].contains("`colour` is carried along"));
    }

    #[test]
    fn what_an_editor_wants_to_know_is_nothing_odd() {
        let task = good(&json!({ "$schema": "task.schema.json", "description": "a" }));
        assert_eq!(task.warnings, Vec::<String>::new());
    }

    #[test]
    fn a_workspace_is_a_whole_path() {
        let task = |path: &str| json!({ "description": "a", "workspace": path });
        assert_eq!(good(&task("/srv/a")).workspace, Some(PathBuf::from("/srv/a")));
        assert!(read("x", task("srv/a").to_string().as_bytes()).is_err());
    }

    #[test]
    fn the_only_urgency_is_that_of_a_batch() {
        assert!(good(&json!({ "description": "a", "urgency": "batch" })).by_batch);
        assert!(!good(&json!({ "description": "a", "urgency": null })).by_batch);
        let said = flaws(&json!({ "description": "a", "urgency": "high" }));
        assert!(
            said.contains("`urgency` must be `batch`, or be left out, and is `high`"),
            "{said}"
        );
    }

    #[test]
    fn a_key_given_twice_is_seen() {
        let task = read("x", br#"{"description":"a","description":"b"}"#).unwrap();
        assert_eq!(task.description.as_deref(), Some("b"));
        assert!(task.warnings[0].contains("given twice"));
    }

    #[test]
    fn null_is_absent_and_a_byte_order_mark_is_skipped() {
        let task = read("x", b"\xef\xbb\xbf{\"description\":\"a\",\"worker\":null}").unwrap();
        assert_eq!(task.worker, None);
    }

    #[test]
    fn numbers_are_carried_as_they_were_written() {
        let text = r#"{"description":"a","metadata":{"n":12345678901234567890123,"x":1.10}}"#;
        let task = read("x", text.as_bytes()).unwrap();
        assert_eq!(Value::Object(task.document).to_string(), text.replace(": ", ":"));
    }

    #[test]
    fn nothing_asked_is_said() {
        assert!(flaws(&json!({})).contains("nothing is asked"));
        good(&json!({ "worker": "backup" }));
    }

    #[test]
    fn a_numbered_file_keeps_its_number() {
        let task = read("x.2", br#"{"task_id":"x","description":"a"}"#).unwrap();
        assert_eq!(task.id.as_str(), "x.2");
    }

    #[test]
    fn a_result_dropped_again_is_the_same_task_with_its_history() {
        let result = json!({
            "task_id": "first", "status": "failed", "error": {"kind": "timeout", "message": "m"},
            "timestamp": "2026-11-23T00:00:00Z", "created_at": "2026-11-23T00:00:00Z",
            "finished_at": "2026-11-23T00:01:00Z", "cost_usd": 0.5,
            "attempts": [{"worker_id": "a-1", "started_at": "2026-11-23T00:00:00Z",
                "finished_at": "2026-11-23T00:01:00Z", "outcome": "timeout", "message": "m", "cost_usd": 0.5}],
            "warnings": [], "task": {"description": "again", "priority": 9},
        });
        let task = good(&result);
        assert_eq!((task.id.as_str(), task.priority), ("first", 9));
        assert_eq!(task.earlier_attempts()[0].cost_usd, "0.5".parse().unwrap());
        assert!(task.document.get("attempts").is_none(), "the task is what was first dropped");
        let mut parent = result.clone();
        parent["children"] = json!([{ "task_id": "a", "status": "completed", "cost_usd": 0.25 }]);
        parent["earlier_subtasks_cost_usd"] = json!(1);
        let cost = good(&parent).history.unwrap().subtasks_cost;
        assert_eq!(cost, "1.25".parse().unwrap(), "what all its subtasks cost is not forgotten");
    }

    #[test]
    fn every_text_is_seen_with_its_place() {
        let task = good(&json!({ "description": "a", "metadata": {"k/~": ["v", 7]} }));
        let mut seen = Vec::new();
        task.each_text(&mut |at, text| seen.push(format!("{at}={text}")));
        assert_eq!(
            seen,
            ["/description=a", "/metadata/k~1~0=k/~", "/metadata/k~1~0/0=v", "/metadata/k~1~0/1=7"]
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read("x", &bytes);
        }
    }
}
