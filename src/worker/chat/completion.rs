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
        let finish_reason = text(&choice["finish_reason"]).unwrap_or_default();
        let content = words_of(&message["content"]);
        Some(Self {
            model: text(&document["model"]),
            content: without_thoughts(&content, finish_reason == "length").to_owned(),
            finish_reason,
            refusal: text(&message["refusal"]),
            wants_tool: message["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty()),
            usage: usage(document, &NAMES),
        })
    }
}

/// A text with something in it.
pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The answer without what a local server let through of the model's thoughts: a `<think>` block
/// at its beginning, or the channels of gpt-oss, of which the last `final` one is the answer.
///
/// Of an answer that was cut, thoughts that have no end are all there is.
fn without_thoughts(content: &str, was_cut: bool) -> &str {
    let begun = content.trim_start();
    if let Some(thoughts) = begun.strip_prefix("<think>") {
        return match thoughts.split_once("</think>") {
            Some((_, answer)) => answer.trim_start(),
            None if was_cut => "",
            None => content,
        };
    }
    if begun.starts_with("<|channel|>") || begun.starts_with("<|start|>") {
        return final_channel(begun);
    }
    content
}

/// What was said on the last `final` channel; nothing, where there is none.
fn final_channel(leaked: &str) -> &str {
    let after = leaked.rsplit_once("<|channel|>final").and_then(|(_, rest)| {
        let (_, words) = rest.split_once("<|message|>")?;
        Some(words)
    });
    let words = after.unwrap_or_default();
    let end =
        ["<|return|>", "<|end|>", "<|start|>"].iter().filter_map(|sign| words.find(sign)).min();
    &words[..end.unwrap_or(words.len())]
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

/// More tokens than this are doubtful: it is several times what the largest model reads.
const MOST_TOKENS: u64 = 20_000_000;
/// More than this is no number of tokens at all.
const MOST_OF_ALL: u64 = 1_000_000_000_000;

/// How an API names the numbers of a usage.
pub(super) struct Names {
    pub(super) prompt: &'static str,
    pub(super) completion: &'static str,
    pub(super) prompt_details: &'static str,
    pub(super) completion_details: &'static str,
}

/// How a chat completion's usage names them.
pub(super) const NAMES: Names = Names {
    prompt: "prompt_tokens",
    completion: "completion_tokens",
    prompt_details: "prompt_tokens_details",
    completion_details: "completion_tokens_details",
};

/// What a document says was used; `None` where it does not say both halves.
pub(super) fn usage(document: &Value, names: &Names) -> Option<Usage> {
    let usage = &document["usage"];
    let count = |value: &Value| {
        let number = || value.as_f64().filter(|n| n.is_finite() && *n >= 0.0);
        let tokens = value.as_u64().or_else(|| Some(number()?.ceil() as u64))?;
        (tokens <= MOST_OF_ALL).then_some(tokens)
    };
    let total = count(&usage["total_tokens"]);
    let prompt_tokens = count(&usage[names.prompt])?;
    let stated = count(&usage[names.completion]);
    // Some servers count hidden reasoning in the total alone.
    let implied = total.map(|total| total.saturating_sub(prompt_tokens));
    let completion_tokens = stated.max(implied)?;
    let is_short = total.zip(stated).is_some_and(|(total, stated)| total < prompt_tokens + stated);
    let detail = |group: &str, name: &str| count(&usage[group][name]).unwrap_or(0);
    Some(Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: prompt_tokens.saturating_add(completion_tokens),
        cached_tokens: detail(names.prompt_details, "cached_tokens").min(prompt_tokens),
        cache_write_tokens: detail(names.prompt_details, "cache_write_tokens").min(prompt_tokens),
        reasoning_tokens: detail(names.completion_details, "reasoning_tokens")
            .min(completion_tokens),
        service_tier: document["service_tier"].as_str().map(ServiceTier::named).unwrap_or_default(),
        is_doubtful: is_short || prompt_tokens.max(completion_tokens) > MOST_TOKENS,
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
            let usage = usage(&document, &NAMES).unwrap();
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
            assert_eq!(usage(&json!({ "usage": half }), &NAMES), None, "{half}");
        }
    }

    #[test]
    fn reasoning_outside_of_the_completion_is_paid_for() {
        let document = json!({ "usage": {
            "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115,
            "completion_tokens_details": { "reasoning_tokens": 100 },
        } });
        let usage = usage(&document, &NAMES).unwrap();
        assert_eq!((usage.completion_tokens, usage.total_tokens), (105, 115));
    }

    #[test]
    fn numbers_that_do_not_fit_or_that_no_model_reads_are_doubtful() {
        for (prompt, completion, total, is_doubtful) in [
            (10, 5, json!(15), false),
            (10, 5, json!(115), false),
            (10, 5, json!(null), false),
            (10, 5, json!(14), true),
            (20_000_000, 5, json!(20_000_005), false),
            (20_000_001, 5, json!(20_000_006), true),
            (10, 30_000_000, json!(null), true),
        ] {
            let usage = usage(
                &json!({ "usage": {
                    "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total,
                } }),
                &NAMES,
            );
            assert_eq!(usage.unwrap().is_doubtful, is_doubtful, "{prompt} {completion} {total}");
        }
    }

    #[test]
    fn leaked_thoughts_are_no_part_of_the_answer() {
        let of = |content: &str, reason: &str| {
            let choice = json!({ "message": { "content": content }, "finish_reason": reason });
            Completion::of(&json!({ "choices": [choice] })).unwrap().content
        };
        for (content, answer) in [
            ("<think>\nhm\n</think>\n\nforty-two", "forty-two"),
            ("\n<think></think>forty-two", "forty-two"),
            (
                "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>forty-two<|return|>",
                "forty-two",
            ),
            ("<|start|>assistant<|channel|>final <|constrain|>json<|message|>{}", "{}"),
            ("<|channel|>analysis<|message|>hm", ""),
            ("write <think> and </think> around it", "write <think> and </think> around it"),
            ("say <|channel|>final<|message|>", "say <|channel|>final<|message|>"),
            (" forty-two\n", " forty-two\n"),
        ] {
            assert_eq!(of(content, "stop"), answer, "{content}");
        }
        assert_eq!(of("<think>hm", "length"), "", "cut in its thoughts");
        assert_eq!(of("<think>hm", "stop"), "<think>hm", "no block of thoughts");
    }

    #[test]
    fn the_tier_is_the_one_that_the_answer_states() {
        let usage = |tier: Value| {
            let document = json!({
                "service_tier": tier, "usage": { "prompt_tokens": 1, "completion_tokens": 1 },
            });
            usage(&document, &NAMES).unwrap().service_tier
        };
        assert_eq!(usage(json!("priority")), ServiceTier::Priority);
        assert_eq!(usage(json!("default")), ServiceTier::Standard);
        assert_eq!(usage(Value::Null), ServiceTier::Standard);
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
