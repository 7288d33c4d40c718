//! What differs between the two protocols when a model is asked.
//!
//! Chat completions take messages, responses take items; the one has its settings
//! side by side, the other groups some of them. A task and a config speak the
//! words of chat completions, and those of the other API are taken too: what is
//! said in one of them reaches either server, and what is said of one setting
//! never loses another.

use serde_json::{Map, Value, json};

use super::shape;
use crate::config::Api;
use crate::task::prompt::Prompt;

/// What params may not say: who answers, what is asked, how often, how much, and what is kept of it.
const NOT_IN_PARAMS: [&str; 17] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "n",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "best_of",
    "input",
    "instructions",
    "prompt",
    "previous_response_id",
    "conversation",
    "context_management",
    "background",
    "store",
];
/// What only the config's own params may say, since its price must fit them.
const NOT_IN_A_TASKS_PARAMS: [&str; 14] = [
    "service_tier",
    "web_search_options",
    // What a gateway reads as another model, another provider, or work beside the answer.
    "models",
    "provider",
    "route",
    "plugins",
    "transforms",
    "extra_body",
    "modalities",
    "audio",
    "prediction",
    "num_return_sequences",
    "candidate_count",
    "fallbacks",
];
/// The same of responses: their server uses some tools by itself, and has them paid for.
const NOT_IN_A_TASKS_RESPONSE: [&str; 3] = ["tools", "tool_choice", "max_tool_calls"];
/// What a task's `response_schema` says itself.
const SHAPE: [&str; 2] = ["response_format", "text.format"];

/// A request's body being put together.
pub(super) struct Body {
    api: Api,
    map: Map<String, Value>,
    /// What responses have together under `reasoning`.
    reasoning: Map<String, Value>,
    /// What responses have together under `text`.
    text: Map<String, Value>,
    /// Whether the shape of the answer is asked for, so that no param may change it.
    has_shape: bool,
    /// The names of what params may not say.
    pub(super) ignored: Vec<String>,
}

/// The path behind the base address.
pub(super) fn path(api: Api) -> &'static str {
    match api {
        Api::ChatCompletions => "/chat/completions",
        Api::Responses => "/responses",
    }
}

impl Body {
    /// What is asked, of which model, with which effort.
    pub(super) fn new(api: Api, model: &str, prompt: &Prompt, effort: Option<&str>) -> Self {
        let mut body = Self {
            api,
            map: Map::from_iter([("model".to_owned(), Value::from(model))]),
            reasoning: Map::new(),
            text: Map::new(),
            has_shape: prompt.response_schema.is_some(),
            ignored: Vec::new(),
        };
        match api {
            Api::ChatCompletions => body.set("messages", prompt.chat()),
            Api::Responses => {
                let items: Vec<Value> = prompt.chat().iter().flat_map(items_of).collect();
                body.set("input", items);
            }
        }
        if let Some(effort) = effort {
            body.put("reasoning_effort", &effort.into());
        }
        if let Some(schema) = &prompt.response_schema {
            body.ask_for_shape(schema);
        }
        body
    }

    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.map.insert(name.into(), value.into());
    }

    fn ask_for_shape(&mut self, schema: &Value) {
        let mut shape = shape::of(schema);
        match self.api {
            Api::ChatCompletions => {
                self.set("response_format", json!({ "type": "json_schema", "json_schema": shape }));
            }
            Api::Responses => {
                shape.insert("type".into(), "json_schema".into());
                self.text.insert("format".into(), shape.into());
            }
        }
    }

    /// Adds what the config says for every call.
    pub(super) fn configs_param(&mut self, name: &str, value: &Value) {
        match NOT_IN_PARAMS.contains(&name) {
            true => self.ignore(name),
            false => self.put(name, value),
        }
    }

    /// Adds what a task says, unless that is the owner's to say.
    pub(super) fn tasks_param(&mut self, name: &str, value: &Value) {
        let is_owners = NOT_IN_A_TASKS_PARAMS.contains(&name)
            || (self.api == Api::Responses && NOT_IN_A_TASKS_RESPONSE.contains(&name));
        match is_owners {
            true => self.ignore(name),
            false => self.configs_param(name, value),
        }
    }

    fn ignore(&mut self, name: &str) {
        if !self.ignored.iter().any(|known| known == name) {
            self.ignored.push(name.to_owned());
        }
    }

    fn put(&mut self, name: &str, value: &Value) {
        match (self.api, name) {
            (_, "response_format") if self.has_shape => self.ignore(name),
            (Api::ChatCompletions, _) => self.set(name, value.clone()),
            (_, "reasoning_effort") => self.merge("reasoning", "effort", value),
            (_, "verbosity") => self.merge("text", "verbosity", value),
            (_, "response_format") => self.merge("text", "format", &flat(value)),
            (_, "reasoning" | "text") => match value {
                Value::Object(parts) => {
                    parts.iter().for_each(|(key, part)| self.merge(name, key, part));
                }
                Value::Null => {}
                _ => self.ignore(name),
            },
            _ => self.set(name, value.clone()),
        }
    }

    /// Sets one setting of a group; `null` says nothing, and so changes nothing.
    fn merge(&mut self, group: &str, key: &str, value: &Value) {
        if self.has_shape && (group, key) == ("text", "format") {
            self.ignore(SHAPE[1]);
        } else if !value.is_null() {
            let group = if group == "text" { &mut self.text } else { &mut self.reasoning };
            group.insert(key.to_owned(), value.clone());
        }
    }

    /// Asks for the ordinary tier where nobody said one: what a provider takes otherwise is set
    /// in its console, and may be dearer than what was reserved.
    pub(super) fn settle_tier(&mut self) {
        if self.map.get("service_tier").is_none_or(Value::is_null) {
            self.set("service_tier", "default");
        }
    }

    /// The whole, with its bound, in one piece, and kept by nobody.
    pub(super) fn close(mut self, bound: &str, max_tokens: u32) -> Value {
        self.set(bound, max_tokens);
        self.set("stream", false);
        if self.api == Api::Responses {
            self.set("store", false);
        }
        let groups = [("reasoning", self.reasoning), ("text", self.text)];
        let said = groups.into_iter().filter(|(_, group)| !group.is_empty());
        self.map.extend(said.map(|(name, group)| (name.to_owned(), group.into())));
        self.map.into()
    }
}

/// Why a param was ignored, and what to do instead.
pub(super) fn instead_of(name: &str) -> &'static str {
    match name {
        "max_tokens" | "max_completion_tokens" | "max_output_tokens" => {
            ": use the task's `max_tokens`"
        }
        "model" => ": use the task's `worker`",
        "messages" | "input" => ": use the task's `messages`",
        "instructions" => ": use the task's `system`",
        _ if SHAPE.contains(&name) => ": the task's `response_schema` says it",
        "reasoning" | "text" => ": it must be an object",
        _ if NOT_IN_A_TASKS_PARAMS.contains(&name) || NOT_IN_A_TASKS_RESPONSE.contains(&name) => {
            ": only the config's own params may set it"
        }
        _ => "",
    }
}

/// A `response_format` as responses have it: without the level in between.
fn flat(format: &Value) -> Value {
    let mut flat = format.clone();
    if let Value::Object(flat) = &mut flat
        && let Some(Value::Object(inside)) = flat.remove("json_schema")
    {
        flat.extend(inside);
    }
    flat
}

/// A chat message as items: its words, and the calls of tools that are part of it.
fn items_of(message: &Value) -> Vec<Value> {
    let (role, content) = (message["role"].as_str().unwrap_or("user"), &message["content"]);
    if role == "tool" {
        let call = &message["tool_call_id"];
        return vec![json!({ "type": "function_call_output", "call_id": call, "output": content })];
    }
    let calls = message["tool_calls"].as_array();
    let calls = calls.into_iter().flatten().map(|call| {
        let function = &call["function"];
        json!({
            "type": "function_call", "call_id": call["id"],
            "name": function["name"], "arguments": function["arguments"],
        })
    });
    let words = (!content.is_null()).then(|| {
        let content = match content {
            Value::Array(parts) => parts.iter().map(|part| part_of(role, part)).collect(),
            whole => whole.clone(),
        };
        json!({ "role": role, "content": content })
    });
    words.into_iter().chain(calls).collect()
}

/// A part of a message's content; one that has no other name here stays as it is.
fn part_of(role: &str, part: &Value) -> Value {
    match part["type"].as_str() {
        Some("text") => {
            let kind = if role == "assistant" { "output_text" } else { "input_text" };
            json!({ "type": kind, "text": part["text"] })
        }
        Some("image_url") => {
            let image = &part["image_url"];
            let url = if image.is_string() { image } else { &image["url"] };
            let mut item = json!({ "type": "input_image", "image_url": url });
            if let Some(detail) = image.get("detail") {
                item["detail"] = detail.clone();
            }
            item
        }
        _ => part.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Api; 2] = [Api::ChatCompletions, Api::Responses];

    fn prompt(schema: Option<Value>) -> Prompt {
        Prompt { text: "hi".into(), response_schema: schema, ..Prompt::default() }
    }

    fn body(api: Api) -> Body {
        Body::new(api, "m", &prompt(None), Some("high"))
    }

    fn shaped(api: Api) -> Body {
        Body::new(api, "m", &prompt(Some(json!({ "type": "object" }))), None)
    }

    /// What would be sent, as it stands.
    fn sent(body: Body) -> Value {
        body.close("bound", 100)
    }

    fn items(message: &Value) -> Value {
        items_of(message).into()
    }

    #[test]
    fn parts_of_messages_become_parts_of_items() {
        let parts = json!([
            { "type": "text", "text": "what is it?" },
            { "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==", "detail": "low" } },
            { "type": "input_file", "file_id": "f" },
        ]);
        assert_eq!(
            items(&json!({ "role": "user", "content": parts, "name": "n" })),
            json!([{ "role": "user", "content": [
                { "type": "input_text", "text": "what is it?" },
                { "type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low" },
                { "type": "input_file", "file_id": "f" },
            ] }])
        );
        let said = json!({ "role": "assistant", "content": [{ "type": "text", "text": "a cat" }] });
        assert_eq!(items(&said)[0]["content"][0]["type"], "output_text");
        let plain = json!({ "role": "system", "content": "be brief" });
        assert_eq!(items(&plain), json!([plain]));
    }

    #[test]
    fn earlier_calls_of_tools_become_items_of_their_own() {
        let call = json!({ "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{}" } });
        assert_eq!(
            items(&json!({ "role": "assistant", "content": null, "tool_calls": [call] })),
            json!([{ "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}" }])
        );
        assert_eq!(
            items(&json!({ "role": "tool", "tool_call_id": "c1", "content": "42" })),
            json!([{ "type": "function_call_output", "call_id": "c1", "output": "42" }])
        );
    }

    #[test]
    fn a_setting_of_a_group_does_not_take_the_others_away() {
        let mut body = body(Api::Responses);
        for (name, value) in [
            ("reasoning", json!({ "summary": "auto", "effort": null })),
            ("verbosity", json!("low")),
            ("text", json!({ "format": { "type": "text" } })),
            ("text", Value::Null),
        ] {
            body.tasks_param(name, &value);
        }
        assert_eq!(body.reasoning["effort"], "high");
        body.tasks_param("reasoning_effort", &json!("low"));
        body.tasks_param("reasoning", &json!("high"));
        assert_eq!(body.ignored, ["reasoning"]);
        let sent = sent(body);
        assert_eq!(sent["reasoning"], json!({ "effort": "low", "summary": "auto" }));
        assert_eq!(sent["text"], json!({ "verbosity": "low", "format": { "type": "text" } }));
    }

    #[test]
    fn a_response_format_finds_its_place() {
        let schema = json!({ "name": "n", "schema": { "type": "object" }, "strict": false });
        let format = json!({ "type": "json_schema", "json_schema": schema });
        let mut body = body(Api::Responses);
        body.tasks_param("response_format", &format);
        assert_eq!(
            sent(body)["text"]["format"],
            json!({ "type": "json_schema", "name": "n", "schema": { "type": "object" }, "strict": false })
        );
    }

    #[test]
    fn a_shape_that_is_asked_for_stays() {
        for api in BOTH {
            let mut body = shaped(api);
            let before = sent(shaped(api));
            body.configs_param("response_format", &json!({ "type": "text" }));
            body.tasks_param("response_format", &json!({ "type": "text" }));
            assert_eq!(body.ignored, ["response_format"]);
            assert_eq!(sent(body), before);
        }
        let mut body = shaped(Api::Responses);
        body.tasks_param("text", &json!({ "verbosity": "low", "format": { "type": "text" } }));
        assert_eq!(body.ignored, ["text.format"]);
        let sent = sent(body);
        assert_eq!(sent["text"]["verbosity"], "low");
        assert_eq!(sent["text"]["format"]["type"], "json_schema");
    }

    #[test]
    fn nothing_that_params_may_not_say_is_sent() {
        for api in BOTH {
            let (mut configs, mut tasks) = (body(api), body(api));
            let before = sent(body(api));
            for name in NOT_IN_PARAMS {
                configs.configs_param(name, &json!(7));
                tasks.tasks_param(name, &json!(7));
            }
            for name in NOT_IN_A_TASKS_PARAMS {
                tasks.tasks_param(name, &json!("x"));
            }
            assert_eq!(tasks.ignored.len(), NOT_IN_PARAMS.len() + NOT_IN_A_TASKS_PARAMS.len());
            assert_eq!((sent(configs), sent(tasks)), (before.clone(), before));
        }
    }

    #[test]
    fn tools_that_the_server_uses_by_itself_are_the_owners() {
        let tools = json!([{ "type": "web_search" }]);
        let mut responses = body(Api::Responses);
        responses.tasks_param("tools", &tools);
        assert_eq!(responses.ignored, ["tools"]);
        responses.configs_param("tools", &tools);
        assert_eq!(responses.map["tools"], tools);
    }

    #[test]
    fn the_ordinary_tier_is_asked_for_where_none_is_named() {
        for api in BOTH {
            let mut silent = body(api);
            silent.settle_tier();
            assert_eq!(silent.map["service_tier"], "default");
            let mut stated = body(api);
            stated.configs_param("service_tier", &json!("flex"));
            stated.settle_tier();
            assert_eq!(stated.map["service_tier"], "flex");
        }
    }
}
