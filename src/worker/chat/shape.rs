//! How a model is told the shape of its answer.
//!
//! Both APIs take a JSON schema by a name. `strict` makes a provider hold the model
//! to it, and refuse a schema that leaves anything open: it is said only of one
//! that leaves nothing open. Whether the answer fits is found out on arrival all
//! the same.

use serde_json::{Map, Value, json};

/// What the shape is called; nobody reads it.
const NAME: &str = "answer";

/// Words of JSON schema that a strict provider does not take.
const NOT_STRICT: [&str; 10] = [
    "allOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
];

/// The shape, its name and how strictly it is meant.
pub(super) fn of(schema: &Value) -> Map<String, Value> {
    let mut shape = Map::new();
    shape.insert("name".into(), NAME.into());
    shape.insert("schema".into(), schema.clone());
    shape.insert("strict".into(), is_strict(schema).into());
    shape
}

/// Whether the whole is an object, and every object in it is closed and has all that it may have.
fn is_strict(schema: &Value) -> bool {
    schema["type"] == "object" && leaves_nothing_open(schema)
}

fn leaves_nothing_open(part: &Value) -> bool {
    match part {
        Value::Array(parts) => parts.iter().all(leaves_nothing_open),
        Value::Object(map) => {
            is_closed(map)
                && map.iter().all(|(key, value)| {
                    match (key.as_str(), value) {
                        // Values and names: nothing in them is a schema.
                        ("const" | "enum" | "default" | "examples" | "required", _) => true,
                        // Schemas by names of the writer's own choice.
                        ("properties" | "$defs" | "definitions", Value::Object(named)) => {
                            named.values().all(leaves_nothing_open)
                        }
                        (key, _) if NOT_STRICT.contains(&key) => false,
                        (_, value) => leaves_nothing_open(value),
                    }
                })
        }
        _ => true,
    }
}

/// Of an object: it has nothing but its properties, and all of them. Anything else is closed anyway.
fn is_closed(map: &Map<String, Value>) -> bool {
    let types = match map.get("type") {
        Some(Value::Array(types)) => types.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    if !types.iter().any(|name| name == "object") && !map.contains_key("properties") {
        return true;
    }
    let required = |name: &String| {
        let names = map.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|known| known.as_str() == Some(name)))
    };
    let properties = map.get("properties").and_then(Value::as_object);
    map.get("additionalProperties") == Some(&json!(false))
        && properties.into_iter().flat_map(Map::keys).all(required)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(properties: &Value) -> Value {
        let names: Vec<&String> = properties.as_object().unwrap().keys().collect();
        json!({
            "type": "object", "properties": properties,
            "required": names, "additionalProperties": false,
        })
    }

    #[test]
    fn a_schema_that_leaves_nothing_open_is_strict() {
        let city = closed(&json!({ "name": { "type": "string", "enum": ["Lima", "Kyoto"] } }));
        for strict in [
            closed(&json!({})),
            city.clone(),
            closed(&json!({ "cities": { "type": "array", "items": city } })),
            closed(&json!({ "city": { "anyOf": [city, { "type": "null" }] } })),
            // What a property is called makes it no word of JSON schema.
            closed(&json!({ "type": { "type": "string" }, "not": { "type": "string" } })),
            closed(&json!({ "a": { "type": "string", "default": { "type": "object" } } })),
        ] {
            assert!(is_strict(&strict), "{strict:#}");
        }
    }

    #[test]
    fn a_schema_that_leaves_something_open_is_not() {
        let open = json!({ "type": "object", "properties": { "a": {} }, "required": ["a"] });
        let optional = json!({
            "type": "object", "properties": { "a": {} }, "additionalProperties": false,
        });
        for loose in [
            json!({}),
            json!({ "type": "string" }),
            json!({ "type": "array", "items": closed(&json!({})) }),
            open.clone(),
            optional.clone(),
            closed(&json!({ "inside": open })),
            closed(&json!({ "inside": { "anyOf": [{ "type": "null" }, optional] } })),
            closed(&json!({ "map": { "type": ["object", "null"] } })),
            closed(&json!({ "a": { "allOf": [{ "type": "string" }] } })),
        ] {
            assert!(!is_strict(&loose), "{loose:#}");
        }
        let mut hidden = closed(&json!({}));
        hidden["$defs"] = json!({ "open": { "type": "object" } });
        assert!(!is_strict(&hidden));
    }
}
