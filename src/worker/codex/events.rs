//! Codex's events, one JSON object a line, and what its words about a failure mean.
//!
//! An `error` event and an item of type `error` are no ends: Codex tells of trouble that it
//! goes on from. Only `turn.completed` and `turn.failed` are. What was used is told with the
//! former, for the whole thread.

use std::path::Path;

use serde_json::Value;

use crate::base::files;
use crate::task::outcome::Usage;
use crate::worker::Job;

/// How often Codex may say that it waits for the network before it has done anything.
const MOST_WAITS: u32 = 3;

/// What was heard so far.
pub(super) struct Events<'a> {
    job: &'a Job,
    /// Whether its turn has begun: from then on something may have been sent.
    pub has_begun: bool,
    /// Whether it has done or said something.
    pub has_worked: bool,
    /// What it used, where it said so.
    pub usage: Option<Usage>,
    /// Why its turn failed, or its last complaint.
    pub failure: Option<String>,
    completed: bool,
    message: Option<String>,
    waits: u32,
}

/// What Codex's words about a failure come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    BadKey,
    Billing,
    RateLimited,
    Overloaded,
    ConnectionLost,
    TooLong,
    NoModel,
}

impl Meaning {
    /// Whether the server did not take the request, and so charged nothing for it.
    pub(super) fn is_refusal(self) -> bool {
        match self {
            Self::BadKey | Self::Billing | Self::RateLimited | Self::TooLong | Self::NoModel => {
                true
            }
            Self::Overloaded | Self::ConnectionLost => false,
        }
    }
}

impl<'a> Events<'a> {
    pub(super) fn new(job: &'a Job) -> Self {
        Self {
            job,
            has_begun: false,
            has_worked: false,
            usage: None,
            failure: None,
            completed: false,
            message: None,
            waits: 0,
        }
    }

    /// Takes a line; says whether Codex may go on.
    pub(super) fn hear(&mut self, line: &[u8]) -> bool {
        let Ok(event) = serde_json::from_slice::<Value>(line) else { return true };
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or("");
        match text("/type") {
            "turn.started" => (self.has_begun, self.completed) = (true, false),
            "item.started" => self.item(&event["item"], false),
            "item.completed" => self.item(&event["item"], true),
            "turn.completed" => {
                self.completed = true;
                self.usage = usage(&event["usage"]);
            }
            "turn.failed" => {
                self.completed = false;
                self.fail(text("/error/message"));
            }
            "error" => return self.trouble(text("/message")),
            _ => {}
        }
        true
    }

    fn fail(&mut self, why: &str) {
        self.job.tell.say("fails:", why);
        self.failure = Some(why.to_owned());
    }

    /// Trouble that Codex may go on from; one thing it would wait for without end.
    fn trouble(&mut self, what: &str) -> bool {
        self.fail(what);
        self.waits += u32::from(what.contains("waiting for network"));
        self.has_worked || self.waits < MOST_WAITS
    }

    fn item(&mut self, item: &Value, is_done: bool) {
        let text = |key: &str| item[key].as_str().unwrap_or("");
        let tell = &self.job.tell;
        match (text("type"), is_done) {
            ("agent_message", true) => {
                tell.say("says", text("text"));
                self.message = Some(text("text").to_owned());
            }
            ("command_execution", false) => tell.say("runs", text("command")),
            ("command_execution", true) => {
                let code = item["exit_code"].as_i64();
                let how = code.map_or("was refused".into(), |code| format!("exited with {code}"));
                tell.say(&format!("its command {how}:"), text("command"));
            }
            ("file_change", true) => tell.say("changed", &changes(&item["changes"])),
            ("mcp_tool_call", true) => {
                tell.say("called", &format!("{} of {}", text("tool"), text("server")));
            }
            ("reasoning", true) => tell.say("thinks", text("text")),
            ("error", true) => return tell.say("notes", text("message")),
            _ => {}
        }
        self.has_worked = true;
    }

    /// Whether it said that its turn is completed, and nothing else after that.
    pub(super) fn is_completed(&self) -> bool {
        self.completed
    }

    /// The last thing that the model said, from its events or the file that Codex writes at its end.
    pub(super) fn last_words(&mut self, file: &Path, most: u64) -> Option<String> {
        let written = || files::read(file, most.saturating_add(1 << 20)).ok();
        let written = || written().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        self.message.take().or_else(written).filter(|text| !text.is_empty())
    }
}

fn changes(changes: &Value) -> String {
    let change = |change: &Value| {
        let text = |key: &str| change[key].as_str().unwrap_or("?");
        format!("{} ({})", text("path"), text("kind"))
    };
    changes.as_array().into_iter().flatten().map(change).collect::<Vec<_>>().join(", ")
}

/// What was used, where it is said: the tokens sent and answered, at least.
pub(super) fn usage(said: &Value) -> Option<Usage> {
    let count = |key: &str| said[key].as_u64();
    let (sent, answered) = (count("input_tokens")?, count("output_tokens")?);
    Some(Usage {
        prompt_tokens: sent,
        completion_tokens: answered,
        total_tokens: sent.saturating_add(answered),
        cached_tokens: count("cached_input_tokens").unwrap_or(0),
        cache_write_tokens: count("cache_write_input_tokens").unwrap_or(0),
        reasoning_tokens: count("reasoning_output_tokens").unwrap_or(0),
        ..Usage::default()
    })
}

/// What Codex's words about a failure come to, where they are known.
pub(super) fn meaning(said: &str) -> Option<Meaning> {
    let said = said.to_lowercase();
    let has = |signs: &[&str]| signs.iter().any(|sign| said.contains(sign));
    if has(&["401 unauthorized", "403 forbidden", "incorrect api key", "invalid_api_key"]) {
        Some(Meaning::BadKey)
    } else if has(&[
        "quota exceeded",
        "insufficient_quota",
        "billing",
        "402 payment",
        "spend limit",
    ]) {
        Some(Meaning::Billing)
    } else if has(&["429", "rate limit", "too many requests"]) {
        Some(Meaning::RateLimited)
    } else if has(&["context window", "context_length", "maximum length", "too large"]) {
        Some(Meaning::TooLong)
    } else if has(&["no such model", "model_not_found", "does not exist", "model not found"]) {
        Some(Meaning::NoModel)
    } else if has(&["high demand", "overloaded", "server error", "at capacity"])
        || has(&["status: 50", "status 50", "status: 52", "status 52"])
    {
        Some(Meaning::Overloaded)
    } else if has(&["stream disconnected", "error sending request", "connection", "timed out"]) {
        Some(Meaning::ConnectionLost)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::tell;
    use crate::worker::tests::job;

    #[test]
    fn the_words_of_the_real_program_are_understood() {
        for (said, meant) in [
            ("exceeded retry limit, last status: 429 Too Many Requests", Meaning::RateLimited),
            ("unexpected status 401 Unauthorized: Incorrect API key provided", Meaning::BadKey),
            ("Quota exceeded. Check your plan and billing details.", Meaning::Billing),
            (
                "We’re currently experiencing high demand, which may cause temporary errors.",
                Meaning::Overloaded,
            ),
            ("Codex ran out of room in the model's context window.", Meaning::TooLong),
            ("no such model", Meaning::NoModel),
            ("stream disconnected before completion: builder error", Meaning::ConnectionLost),
        ] {
            assert_eq!(meaning(said), Some(meant), "{said}");
        }
        assert_eq!(meaning("something else"), None);
    }

    #[test]
    fn trouble_on_the_way_is_no_end() {
        let job = job("x");
        let mut events = Events::new(&job);
        for line in [
            r#"{"type":"turn.started"}"#,
            r#"{"type":"item.completed","item":{"type":"error","message":"no metadata"}}"#,
            r#"{"type":"error","message":"Reconnecting... 1/2"}"#,
            "no JSON",
            r#"{"type":"item.completed","item":{"type":"agent_message","text":"first"}}"#,
            r#"{"type":"item.completed","item":{"type":"agent_message","text":"last"}}"#,
            r#"{"type":"turn.completed","usage":{"input_tokens":10,"cached_input_tokens":4,"output_tokens":2}}"#,
        ] {
            assert!(events.hear(line.as_bytes()), "{line}");
        }
        assert!(events.is_completed());
        assert_eq!(events.usage.unwrap().cached_tokens, 4);
        assert_eq!(events.last_words(Path::new("/nowhere"), 10).unwrap(), "last");
    }

    #[test]
    fn a_turn_without_usage_is_not_a_turn_for_nothing() {
        assert_eq!(usage(&Value::Null), None);
        assert_eq!(usage(&serde_json::json!({ "input_tokens": 0, "output_tokens": 0 })), {
            Some(Usage::default())
        });
    }

    #[test]
    fn whoever_only_waits_for_the_network_is_not_waited_for() {
        let job = job("x");
        let waits = br#"{"type":"error","message":"Reconnecting... waiting for network (x)"}"#;
        let mut events = Events::new(&job);
        assert!(events.hear(waits) && events.hear(waits) && !events.hear(waits));
        let mut events = Events::new(&job);
        events.hear(br#"{"type":"item.completed","item":{"type":"agent_message","text":"a"}}"#);
        assert!((0..9).all(|_| events.hear(waits)), "its work is not thrown away");
    }

    #[test]
    fn each_item_is_a_line_of_the_log() {
        let mut job = job("x");
        let (tell, heard) = tell::tests::listening(true);
        job.tell = tell;
        let mut events = Events::new(&job);
        for line in [
            r#"{"type":"item.started","item":{"type":"command_execution","command":"ls"}}"#,
            r#"{"type":"item.completed","item":{"type":"command_execution","command":"ls","exit_code":3}}"#,
            r#"{"type":"item.completed","item":{"type":"file_change","changes":[{"path":"/a","kind":"add"}]}}"#,
        ] {
            events.hear(line.as_bytes());
        }
        let heard = heard.lock().unwrap();
        assert_eq!(*heard, ["runs ls", "its command exited with 3: ls", "changed /a (add)"]);
    }
}
