//! The JSON schemas of a task and of a result, for editors and for other programs.
//!
//! A task's is made of the table of its fields, a result's of the types that write it, so
//! that neither can say what koubou does not do. `spool-layout` holds both as files, and a
//! test holds those to what is made here. They are of draft 7, which every editor knows.
//!
//! What a schema cannot say is left to `koubou check`: whether a worker of that name exists,
//! whether a file may be read, whether a task depends on itself. It never refuses what
//! koubou takes.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::fields::{FIELDS, Field, LONGEST_S, LONGEST_WORD, SCHEMA_KEY, Shape};
use super::result::TaskResult;
use super::{GroupName, TaskId, Usd};

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// Of an id: no control character, blank or sign but `.`, `_` and `-`, and the first is neither
/// `.` nor `-`. Spelled without classes that some dialects lack; what is beyond ASCII is looked
/// at by koubou alone.
const ID: &str = "^[^\\u0000-/:-@\\[-\\^`{-\\u007f][^\\u0000-,/:-@\\[-\\^`{-\\u007f]*$";
/// Text without control characters.
const PRINTABLE: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";
/// The most dollars that an amount can be.
const MOST_USD: u32 = 18_446_744;

/// What a task that is dropped may be.
pub fn task() -> Value {
    let mut properties = Map::new();
    properties
        .insert(SCHEMA_KEY.into(), json!({ "type": "string", "description": "This schema." }));
    properties.extend(FIELDS.iter().map(|field| (field.name.to_owned(), of_field(field))));
    json!({
        "$schema": DRAFT,
        "title": "A task for koubou",
        "description": "One JSON object in tasks/pending/NAME.json. `null` is the same as absent; a field that is not known is carried along.",
        "type": "object",
        "properties": properties,
        "anyOf": asks_something(),
        "not": {
            "description": "`description` or `messages`, not both",
            "required": ["description", "messages"],
            "properties": { "description": { "type": "string" }, "messages": { "type": "array" } },
        },
    })
}

/// What lies in `completed` and `failed`.
pub fn result() -> Value {
    let settings = SchemaSettings::draft07().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<TaskResult>().to_value();
    schema["title"] = json!("A result of koubou");
    // A task that has ended lies in one of two of the four folders.
    schema["properties"]["status"] = json!({
        "description": "`completed` or `failed`: the folder that it is in.",
        "enum": ["completed", "failed"],
    });
    schema
}

fn asks_something() -> Value {
    json!([
        { "required": ["description"], "properties": { "description": { "type": "string", "pattern": "\\S" } } },
        { "required": ["messages"], "properties": { "messages": { "type": "array" } } },
        { "required": ["input"], "properties": { "input": { "not": { "type": "null" } } } },
        { "required": ["files"], "properties": { "files": { "type": "array", "minItems": 1 } } },
        { "required": ["worker"], "properties": { "worker": { "type": "string" } } },
    ])
}

fn of_field(field: &Field) -> Value {
    let mut schema = of_shape(field.shape);
    schema["description"] = json!(field.about);
    schema
}

fn of_shape(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": ["string", "null"] }),
        Shape::Word => json!({
            "type": ["string", "null"], "minLength": 1, "maxLength": LONGEST_WORD, "pattern": PRINTABLE,
        }),
        Shape::Id => or_null(id(TaskId::LONGEST)),
        Shape::Group => or_null(id(GroupName::LONGEST)),
        Shape::Path => json!({ "type": ["string", "null"], "pattern": "^/" }),
        Shape::Texts => json!({ "type": ["array", "null"], "items": { "type": "string" } }),
        Shape::Ids => json!({ "type": ["array", "null"], "items": id(TaskId::LONGEST) }),
        Shape::Integer(least, most) => {
            json!({ "type": ["integer", "null"], "minimum": least, "maximum": most })
        }
        Shape::Seconds => {
            json!({ "type": ["number", "null"], "exclusiveMinimum": 0, "maximum": LONGEST_S })
        }
        Shape::Money => json!({ "type": ["number", "null"], "minimum": 0, "maximum": MOST_USD }),
        Shape::Flag => json!({ "type": ["boolean", "null"] }),
        Shape::Time => json!({ "type": ["string", "null"], "format": "date-time" }),
        Shape::Choice(words) => {
            let words = words.iter().map(|word| json!(word)).chain([Value::Null]);
            json!({ "enum": words.collect::<Vec<_>>() })
        }
        Shape::Messages => json!({
            "type": ["array", "null"], "minItems": 1,
            "items": {
                "type": "object", "required": ["role", "content"],
                "properties": { "role": { "type": "string" } },
            },
        }),
        Shape::Accept => json!({
            "type": ["object", "null"], "minProperties": 1, "additionalProperties": false,
            "properties": {
                "json_schema": { "type": ["object", "boolean"], "description": "It is JSON of this shape." },
                "regex": { "type": "string", "description": "It has this in it." },
                "check": { "type": "string", "description": "The program that the settings have under this name says so." },
            },
        }),
        Shape::Object => json!({ "type": ["object", "null"] }),
        Shape::Any => json!({}),
    }
}

fn id(longest: usize) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": longest, "pattern": ID })
}

fn or_null(mut schema: Value) -> Value {
    schema["type"] = json!(["string", "null"]);
    schema
}

impl JsonSchema for TaskId {
    fn schema_name() -> Cow<'static, str> {
        "TaskId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The name of a task.",
            "type": "string", "minLength": 1, "maxLength": Self::LONGEST, "pattern": ID,
        })
    }
}

impl JsonSchema for Usd {
    fn schema_name() -> Cow<'static, str> {
        "Usd".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "US dollars, to the last digit.", "type": "number", "minimum": 0 })
    }
}

#[cfg(test)]
mod tests {
    use jsonschema::Validator;

    use super::super::wire;
    use super::*;

    fn validator(schema: &Value) -> Validator {
        jsonschema::options().should_validate_formats(true).build(schema).unwrap()
    }

    /// Whether koubou and the schema take a task or refuse it: both the same.
    #[track_caller]
    fn agree(schema: &Validator, document: &Value) -> bool {
        let read = wire::read("name-of-the-file", document.to_string().as_bytes());
        let errors: Vec<String> =
            schema.iter_errors(document).map(|error| error.to_string()).collect();
        assert_eq!(read.is_ok(), errors.is_empty(), "{document}: {read:?}\n{errors:?}");
        read.is_ok()
    }

    #[test]
    fn the_files_are_what_is_made_here() {
        let files = [
            ("task", include_str!("../../spool-layout/task.schema.json"), task()),
            ("result", include_str!("../../spool-layout/result.schema.json"), result()),
        ];
        for (name, file, made) in files {
            let made = format!("{made:#}\n");
            assert!(
                file == made,
                "spool-layout/{name}.schema.json is out of date: `koubou check --schema={name} >spool-layout/{name}.schema.json`"
            );
        }
    }

    #[test]
    fn koubou_and_the_schema_agree_on_every_field() {
        let long = |n: usize| json!("x".repeat(n));
        let values = json!([
            null, true, 0, 1, 5, 5.0, 5.5, -1, 11, 10_000, 1e9, "", "a", " ", "a b", "../x", "-x",
            ".x", "x.json", "müller", "工房", "a\nb", "a\u{7f}", "low", "high", "public", "batch",
            "2026-11-23T09:00:00Z", "2026-11-23T09:00:00+09:00", "tomorrow", "/srv/x", "x,y", "x/y",
            [], ["a"], ["a b"], [""], [1], [null], {}, { "regex": "a" }, { "regex": 1 },
            { "check": "c", "more": 1 }, { "json_schema": { "type": "object" } },
            { "json_schema": "x" }, [{ "role": "user", "content": "x" }],
            [{ "role": "user", "content": null }], [{ "role": 1, "content": "x" }], [{ "role": "user" }],
        ]);
        let lengths = [LONGEST_WORD, LONGEST_WORD + 1, TaskId::LONGEST, TaskId::LONGEST + 1];
        let values: Vec<Value> =
            values.as_array().unwrap().iter().cloned().chain(lengths.map(long)).collect();
        let schema = validator(&task());
        for field in FIELDS {
            let mut taken = 0;
            for value in &values {
                let mut document = json!({ "worker": "echo" });
                document[field.name] = value.clone();
                taken += usize::from(agree(&schema, &document));
            }
            assert!(taken > 0, "nothing fits `{}`", field.name);
            assert!(taken < values.len() || field.shape == Shape::Any, "`{}`", field.name);
        }
    }

    #[test]
    fn koubou_and_the_schema_agree_on_what_asks_something() {
        let schema = validator(&task());
        let chat = json!([{ "role": "user", "content": "x" }]);
        for (good, document) in [
            (false, json!({})),
            (false, json!([])),
            (false, json!("a task")),
            (false, json!({ "description": "" })),
            (false, json!({ "description": " \n" })),
            (false, json!({ "description": null, "worker": null })),
            (false, json!({ "input": null })),
            (true, json!({ "input": 0 })),
            (false, json!({ "files": [] })),
            (true, json!({ "files": ["/srv/a"] })),
            (true, json!({ "description": "a", "messages": null })),
            (true, json!({ "description": null, "messages": chat })),
            (false, json!({ "description": "a", "messages": chat })),
            (true, json!({ "$schema": "task.schema.json", "description": "a", "colour": "red" })),
        ] {
            assert_eq!(agree(&schema, &document), good, "{document}");
        }
    }

    #[test]
    fn a_result_is_held_to_what_koubou_writes() {
        let schema = validator(&result());
        let at = "2026-11-23T01:02:03.456Z";
        let good = json!({
            "task_id": "x", "status": "completed", "timestamp": at, "cost_usd": 0.000355,
            "attempts": [], "created_at": at, "finished_at": at, "warnings": [],
        });
        assert!(schema.is_valid(&good), "{:?}", schema.iter_errors(&good).next());
        for (key, bad) in [
            ("task_id", json!("../x")),
            ("status", json!("pending")),
            ("cost_usd", json!("0.1")),
            ("timestamp", json!("yesterday")),
            ("attempts", json!([{}])),
            ("error", json!({ "kind": "odd", "message": "m" })),
        ] {
            let mut document = good.clone();
            document[key] = bad;
            assert!(!schema.is_valid(&document), "{document}");
        }
    }
}
