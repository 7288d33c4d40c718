//! What a model has answered, read from the many shapes that servers give it.
//!
//! Nothing is guessed about money: what a server does not say is `None`, and of
//! two readings of a usage the dearer one counts.

use serde_json::Value;

use crate::task::outcome::{ServiceTier, Usage};

/// A chat completion, as far as it matters here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Completion {
    /// The model, as the server names it.
    pub(super) model: Option<String>,
    /// The first choice's words.
    pub(super) content: String,
    /// `stop`, `length`, `content_filter`…
    pub(super) finish_reason: String,
    /// Why the model will not answer.
    pub(super) refusal: Option<String>,
    /// Whether it asked for a tool instead of answering.
    pub(super) wants_tool: bool,
    /// What it took.
    pub(super) usage: Option<Usage>,
}

impl Completion {
    /// Reads a document; `None` where it has no choice in it. The usage stands for itself: [`usage`].
    pub(super) fn of(document: &Value) -> Option<Self> {
        let choice = document["choices"].as_array()?.first()?;
        let message = &choice["message"];
        if !message.is_object() {
            return None;
        }
        let text =
            |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        Some(Self {
            model: text(&document["model"]),
            content: words_of(&message["content"]),
            finish_reason: text(&choice["finish_reason"]).unwrap_or_default(),
            refusal: text(&message["refusal"]),
            wants_tool: message["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty()),
            usage: usage(document),
        })
    }
}

/// A message's words: a string, or the texts of its parts.
fn words_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part.as_str().or_else(|| part["text"].as_str()))
            .collect(),
        _ => String::new(),
    }
}

/// The most tokens that a call can have, and several times what the largest model reads.
const MOST_TOKENS: u64 = 20_000_000;

/// What a document says was used; `None` where it does not say both halves.
pub(super) fn usage(document: &Value) -> Option<Usage> {
    let usage = &document["usage"];
    let count = |value: &Value| {
        let number = || value.as_f64().filter(|n| n.is_finite() && *n >= 0.0);
        let tokens = value.as_u64().or_else(|| Some(number()?.ceil() as u64))?;
        // Who counts more than any model can read is not believed: the reservation stands.
        (tokens <= MOST_TOKENS).then_some(tokens)
    };
    let total = count(&usage["total_tokens"]);
    let prompt_tokens = count(&usage["prompt_tokens"])?;
    let stated = count(&usage["completion_tokens"]);
    // Some servers count hidden reasoning in the total alone.
    let implied = total.map(|total| total.saturating_sub(prompt_tokens));
    let completion_tokens = stated.max(implied)?;
    let detail = |group: &str, name: &str| count(&usage[group][name]).unwrap_or(0);
    Some(Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: prompt_tokens.saturating_add(completion_tokens),
        cached_tokens: detail("prompt_tokens_details", "cached_tokens").min(prompt_tokens),
        cache_write_tokens: detail("prompt_tokens_details", "cache_write_tokens")
            .min(prompt_tokens),
        reasoning_tokens: detail("completion_tokens_details", "reasoning_tokens")
            .min(completion_tokens),
        service_tier: document["service_tier"].as_str().map(ServiceTier::named).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn details_may_be_absent_or_null() {
        for details in [json!(null), json!({}), json!({ "cached_tokens": null })] {
            let document = json!({ "usage": {
                "prompt_tokens": 12, "completion_tokens": 34, "total_tokens": 46,
                "prompt_tokens_details": details, "completion_tokens_details": details,
            } });
            let usage = usage(&document).unwrap();
            assert_eq!((usage.prompt_tokens, usage.completion_tokens), (12, 34));
            assert_eq!((usage.cached_tokens, usage.reasoning_tokens), (0, 0));
        }
    }

    #[test]
    fn half_a_usage_is_none() {
        for half in [
            json!(null),
            json!({}),
            json!({ "prompt_tokens": 1 }),
            json!({ "completion_tokens": 1 }),
            json!({ "prompt_tokens": -1, "completion_tokens": 1 }),
            json!({ "prompt_tokens": "many", "completion_tokens": 1 }),
        ] {
            assert_eq!(usage(&json!({ "usage": half })), None, "{half}");
        }
    }

    #[test]
    fn reasoning_outside_of_the_completion_is_paid_for() {
        let document = json!({ "usage": {
            "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115,
            "completion_tokens_details": { "reasoning_tokens": 100 },
        } });
        let usage = usage(&document).unwrap();
        assert_eq!((usage.completion_tokens, usage.total_tokens), (105, 115));
    }

    #[test]
    fn parts_are_put_together() {
        let content = json!([{ "type": "text", "text": "forty" }, "-", { "text": "two" }, {}]);
        let document = json!({ "choices": [{ "message": { "content": content } }] });
        assert_eq!(Completion::of(&document).unwrap().content, "forty-two");
        for none in [json!({}), json!({ "choices": [] }), json!({ "choices": [{}] }), json!([])] {
            assert_eq!(Completion::of(&none), None, "{none}");
        }
    }
}
