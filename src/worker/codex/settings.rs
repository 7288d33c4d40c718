//! The `config.toml` that Codex reads: made for one attempt, and for nobody else.
//!
//! The model's commands see no key and no file of koubou's home, in which the keys, the
//! confidential tasks of others and their results lie; only the folder that was made for the
//! attempt is open to them, wherever the home is. The web is not searched, no other agents are
//! started, nothing is sent to anybody but the endpoint, and no history is kept.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::{CodexWorker, KEY};
use crate::config::Sandbox;
use crate::route::price::Price;
use crate::worker::Job;
use crate::worker::workspace::Room;

/// What holds in every attempt.
const ALWAYS: &str = r#"
[shell_environment_policy]
inherit = "all"
ignore_default_excludes = true
exclude = ["KOUBOU_CODEX_KEY"]

[skills.bundled]
enabled = false

[agents]
enabled = false

[history]
persistence = "none"

[analytics]
enabled = false

[feedback]
enabled = false
"#;

/// The settings, and the price that holds with them.
pub(super) fn settings(worker: &CodexWorker, job: &Job, room: &Room) -> (String, Price) {
    let codex = &worker.codex;
    let mut text = String::from("# Made by koubou for one attempt.\n");
    let mut set = |key: &str, value: &str| {
        let _ = writeln!(text, "{key} = {}", quoted(value));
    };
    set("model", &codex.model);
    set("model_provider", "koubou");
    set("approval_policy", codex.approval);
    set("web_search", "disabled");
    let param = |name: &str| job.params.get(name).and_then(Value::as_str);
    if let Some(effort) = param("reasoning_effort").or(codex.effort.as_deref()) {
        set("model_reasoning_effort", effort);
    }
    if let Some(verbosity) = param("verbosity") {
        set("model_verbosity", verbosity);
    }
    if let Some(system) = instructions(job) {
        set("developer_instructions", &system);
    }
    if codex.sandbox == Sandbox::Full {
        set("sandbox_mode", "danger-full-access");
    } else {
        set("default_permissions", "koubou");
    }
    text.push_str("allow_login_shell = false\ncheck_for_update_on_startup = false\n");
    // Instructions and skills are those of the working folder, not of the folders above it.
    text.push_str("project_root_markers = []\n");
    let (window, price) = window(worker.terms.price, &job.params);
    if let Some(window) = window {
        let _ = writeln!(text, "model_context_window = {window}");
    }
    text.push_str(&permissions(codex.sandbox, &job.home, room));
    text.push_str(ALWAYS);
    text.push_str(&provider(worker));
    (text, price)
}

/// What Codex is told beside the request: the system prompt, and the shape of the answer.
fn instructions(job: &Job) -> Option<String> {
    let prompt = job.prompt.get();
    let shape = prompt.response_schema.as_ref().map(|schema| {
        format!("Your last message must be one JSON document and nothing else, and fit this JSON schema:\n{schema}")
    });
    let parts: Vec<String> = prompt.system.clone().into_iter().chain(shape).collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// How much the model may keep in mind. Where a long prompt changes the price, a run stays below
/// that: how long each of its prompts was is not said afterwards.
fn window(price: Price, params: &serde_json::Map<String, Value>) -> (Option<u64>, Price) {
    let stated = params.get("context_window").and_then(Value::as_u64);
    match price.long_context {
        None => (stated, price),
        Some(long) if stated.is_some_and(|stated| stated > long.above) => (stated, price),
        Some(long) => {
            let window = stated.map_or(long.above, |stated| stated.min(long.above));
            (Some(window), Price { long_context: None, ..price })
        }
    }
}

fn permissions(sandbox: Sandbox, home: &Path, room: &Room) -> String {
    let base = match sandbox {
        Sandbox::Full => return String::new(),
        Sandbox::ReadOnly => ":read-only",
        Sandbox::WorkspaceWrite => ":workspace",
    };
    let home = std::fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
    let mut text = format!("\n[permissions.koubou]\nextends = {}\n", quoted(base));
    text.push_str("\n[permissions.koubou.filesystem]\n");
    let mut allow = |path: &Path, what: &str| {
        let _ = writeln!(text, "{} = {}", quoted(&path.to_string_lossy()), quoted(what));
    };
    allow(&home, "deny");
    // A fresh folder is thrown away: to write in it harms nobody.
    if sandbox == Sandbox::WorkspaceWrite || !room.is_named() {
        allow(&room.path(), "write");
    }
    text
}

/// Where the model is. A short trouble of the server must not cost all that a long run has done,
/// so that Codex itself tries a request again before it gives up.
fn provider(worker: &CodexWorker) -> String {
    let codex = &worker.codex;
    let mut text = String::from("\n[model_providers.koubou]\nname = \"koubou\"\n");
    let _ = writeln!(text, "base_url = {}", quoted(&codex.endpoint));
    text.push_str("wire_api = \"responses\"\nrequest_max_retries = 2\nstream_max_retries = 2\n");
    if codex.key.is_some() {
        let _ = writeln!(text, "env_key = {}", quoted(KEY));
    }
    text
}

/// A text as TOML writes it: JSON's way, and DEL escaped too.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::price::{Factor, LongContext};
    use crate::task::prompt::Prompt;
    use crate::worker::codex::tests::worker;
    use crate::worker::tests::{job, job_of};
    use serde_json::json;

    #[test]
    fn it_names_the_endpoint_and_never_holds_the_key() {
        let mut worker = worker("codex", "http://127.0.0.1:9/v1");
        worker.codex.key = Some(crate::base::secret::Secret::new("open sesame"));
        let room = Room::Fresh("/home/work/x/1".into());
        let (text, _) = settings(&worker, &job("x"), &room);
        assert!(text.contains("base_url = \"http://127.0.0.1:9/v1\""), "{text}");
        assert!(text.contains("env_key = \"KOUBOU_CODEX_KEY\"") && !text.contains("sesame"));
        assert!(text.contains("exclude = [\"KOUBOU_CODEX_KEY\"]") && KEY == "KOUBOU_CODEX_KEY");
        assert!(text.contains("extends = \":read-only\"") && !text.contains("sandbox_mode"));
    }

    #[test]
    fn a_system_prompt_and_a_schema_are_told_in_one_string() {
        let system = "say \"\"\" and\nno\u{7f} more \\";
        let prompt = Prompt {
            system: Some(system.into()),
            response_schema: Some(json!({ "type": "object" })),
            ..Prompt::default()
        };
        let room = Room::Fresh("/x".into());
        let (text, _) = settings(&worker("codex", "http://a/v1"), &job_of(prompt), &room);
        let line = text.lines().find(|line| line.starts_with("developer_instructions")).unwrap();
        assert!(line.contains("\\\"\\\"\\\" and\\nno\\u007F more \\\\"), "{line}");
        assert!(line.contains("{\\\"type\\\":\\\"object\\\"}"), "{line}");
    }

    #[test]
    fn a_run_stays_below_the_length_at_which_prices_change() {
        let factor = Factor::read("2").unwrap();
        let long = LongContext { above: 272_000, input: factor, output: factor };
        let price = Price { long_context: Some(long), ..Price::FREE };
        let of = |params: Value| window(price, params.as_object().unwrap());
        assert_eq!(of(json!({})), (Some(272_000), Price::FREE));
        assert_eq!(of(json!({ "context_window": 32_000 })), (Some(32_000), Price::FREE));
        assert_eq!(of(json!({ "context_window": 900_000 })), (Some(900_000), price));
        assert_eq!(window(Price::FREE, &serde_json::Map::new()).0, None);
    }

    #[test]
    fn full_access_is_no_sandbox_and_nothing_else_is() {
        let mut worker = worker("codex", "http://a/v1");
        worker.codex.sandbox = Sandbox::Full;
        let room = Room::Fresh("/x".into());
        let (text, _) = settings(&worker, &job("x"), &room);
        assert!(text.contains("sandbox_mode = \"danger-full-access\""));
        assert!(!text.contains("permissions"), "{text}");
    }
}
