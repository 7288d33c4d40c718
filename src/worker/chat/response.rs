//! What a model has answered by way of the Responses API.
//!
//! An answer is a list of items, and only the words of its messages are the answer.
//! That it was sent with 200 says nothing: its `status` does.

use serde_json::Value;

use super::completion::{Completion, Names, text, usage};

/// How a response's usage names its numbers.
pub(super) const NAMES: Names = Names {
    prompt: "input_tokens",
    completion: "output_tokens",
    prompt_details: "input_tokens_details",
    completion_details: "output_tokens_details",
};

/// What a response came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Response {
    /// It holds an answer, or all that there will be of one.
    Ended(Completion),
    /// The server gave it up, and may not the next time.
    Failed,
    /// The server has sent it before it had ended, and calls its state so.
    Unfinished(&'static str),
    /// It is none: these words say so.
    None(String),
}

impl Response {
    /// Reads a document.
    pub(super) fn of(document: &Value) -> Self {
        let output = document["output"].as_array();
        match (document["status"].as_str(), output) {
            (Some("failed" | "cancelled"), _) => Self::Failed,
            (Some("queued"), _) => Self::Unfinished("queued"),
            (Some("in_progress"), _) => Self::Unfinished("in_progress"),
            (_, Some(output)) => Self::Ended(completion(document, output)),
            _ => Self::None("it holds no output".to_owned()),
        }
    }
}

fn completion(document: &Value, output: &[Value]) -> Completion {
    let is = |item: &&Value, kind: &str| item["type"] == kind;
    let parts = || {
        output
            .iter()
            .filter(|item| is(item, "message"))
            .filter_map(|message| message["content"].as_array())
            .flatten()
    };
    let words = |kind: &'static str, field: &'static str| -> String {
        parts().filter(|part| is(part, kind)).filter_map(|part| part[field].as_str()).collect()
    };
    Completion {
        model: text(&document["model"]),
        content: words("output_text", "text"),
        finish_reason: finish_reason(document),
        refusal: Some(words("refusal", "refusal")).filter(|words| !words.is_empty()),
        wants_tool: output
            .iter()
            .any(|item| is(&item, "function_call") || is(&item, "custom_tool_call")),
        usage: usage(document, &NAMES),
    }
}

/// Why it ended, in the words of chat completions.
fn finish_reason(document: &Value) -> String {
    if document["status"] != "incomplete" {
        return "stop".to_owned();
    }
    match document["incomplete_details"]["reason"].as_str() {
        Some("max_output_tokens") => "length".to_owned(),
        other => other.unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::outcome::ServiceTier;
    use proptest::prelude::*;
    use serde_json::json;

    fn ended(document: &Value) -> Completion {
        match Response::of(document) {
            Response::Ended(completion) => completion,
            other => panic!("{other:?}"),
        }
    }

    fn message(parts: &Value) -> Value {
        json!({ "type": "message", "role": "assistant", "content": parts })
    }

    proptest! {
        #[test]
        fn no_document_makes_it_panic(
            status in "(completed|incomplete|failed|queued|x)",
            output in "(null|\\[\\]|\\[[0-9]\\]|\\{\\}|\\[\\{\"type\":\"message\",\"content\":[0-9]\\}\\])",
            usage in "(null|[0-9]|\\{\"input_tokens\":-?[0-9]{1,20}\\})",
        ) {
            let output: Value = serde_json::from_str(&output).unwrap();
            let usage: Value = serde_json::from_str(&usage).unwrap_or_default();
            let document = json!({ "status": status, "output": output, "usage": usage });
            let _ = Response::of(&document);
            let _ = Response::of(&document["output"]);
        }
    }

    #[test]
    fn the_words_of_messages_are_the_answer() {
        let document = json!({
            "model": "gpt-5-2025", "status": "completed",
            "output": [
                { "type": "reasoning", "summary": [{ "type": "summary_text", "text": "hm" }] },
                message(&json!([
                    { "type": "output_text", "text": "forty-", "annotations": [] },
                    { "type": "output_text", "text": "two" },
                ])),
            ],
            "output_text": "sugar",
        });
        let done = ended(&document);
        assert_eq!((done.content.as_str(), done.finish_reason.as_str()), ("forty-two", "stop"));
        assert_eq!(done.model.as_deref(), Some("gpt-5-2025"));
        assert_eq!((done.refusal, done.wants_tool, done.usage), (None, false, None));
    }

    #[test]
    fn refusals_and_wishes_for_tools_are_seen() {
        let refused = json!({ "status": "completed", "output": [
            message(&json!([{ "type": "refusal", "refusal": "I will not." }])),
        ] });
        assert_eq!(ended(&refused).refusal.as_deref(), Some("I will not."));
        let wishes = json!({ "output": [{ "type": "function_call", "name": "f" }] });
        assert!(ended(&wishes).wants_tool);
    }

    #[test]
    fn every_status_means_something() {
        for (reason, word) in [
            (json!("max_output_tokens"), "length"),
            (json!("content_filter"), "content_filter"),
            (json!("other"), "other"),
            (Value::Null, ""),
        ] {
            let details = json!({ "reason": reason });
            let cut =
                json!({ "status": "incomplete", "incomplete_details": details, "output": [] });
            assert_eq!(ended(&cut).finish_reason, word);
        }
        for status in ["failed", "cancelled"] {
            let document = json!({ "status": status, "output": [] });
            assert_eq!(Response::of(&document), Response::Failed);
        }
        for status in ["queued", "in_progress"] {
            let document = json!({ "status": status, "output": [] });
            assert_eq!(Response::of(&document), Response::Unfinished(status));
        }
        for none in [json!({}), json!([]), json!({ "status": "completed" })] {
            assert!(matches!(Response::of(&none), Response::None(_)), "{none}");
        }
    }

    #[test]
    fn cached_and_reasoning_tokens_are_parts_of_a_responses_usage() {
        let document = json!({ "service_tier": "flex", "output": [], "usage": {
            "input_tokens": 100, "input_tokens_details": { "cached_tokens": 40, "cache_write_tokens": 8 },
            "output_tokens": 50, "output_tokens_details": { "reasoning_tokens": 30 },
            "total_tokens": 150,
        } });
        let used = ended(&document).usage.unwrap();
        assert_eq!((used.prompt_tokens, used.completion_tokens, used.total_tokens), (100, 50, 150));
        assert_eq!((used.cached_tokens, used.cache_write_tokens), (40, 8));
        assert_eq!((used.reasoning_tokens, used.service_tier), (30, ServiceTier::Flex));
    }

    #[test]
    fn details_may_be_absent_or_null_and_a_half_is_none() {
        for details in [Value::Null, json!({}), json!({ "cached_tokens": null })] {
            let document = json!({ "output": [], "usage": {
                "input_tokens": 12, "output_tokens": 34, "input_tokens_details": details,
            } });
            let used = ended(&document).usage.unwrap();
            assert_eq!((used.prompt_tokens, used.completion_tokens), (12, 34));
            assert_eq!((used.cached_tokens, used.reasoning_tokens), (0, 0));
        }
        for half in [Value::Null, json!({}), json!({ "input_tokens": 3 })] {
            assert_eq!(ended(&json!({ "output": [], "usage": half })).usage, None, "{half}");
        }
    }
}
