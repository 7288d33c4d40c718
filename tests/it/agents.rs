//! Any agent that prints JSON lines, as a program with a mapping of fields.

use std::fs;

use serde_json::{Value, json};

use crate::support::Sandbox;
use crate::support::workers::{script, with};

/// What the lines of Claude Code mean, as the example has it.
fn fields() -> Value {
    json!({
        "content": "result if type == \"result\" and is_error != true",
        "error": "result if type == \"result\" and is_error == true",
        "cost_usd": "total_cost_usd if type == \"result\"",
        "usage.prompt_tokens": "usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens if type == \"result\"",
        "usage.completion_tokens": "usage.output_tokens if type == \"result\"",
        "usage.cached_tokens": "usage.cache_read_input_tokens if type == \"result\"",
        "model": "model if type == \"system\"",
        "log": ["message.content.*.text if type == \"assistant\"", "message.content.*.name if type == \"assistant\""],
    })
}

fn agent(text: &str, arguments: &[&str]) -> Value {
    let worker = with(script("agent", text, arguments), "output", "jsonl");
    with(with(worker, "fields", fields()), "max_cost_usd", 0.5)
}

/// The lines that an agent prints which answers `result`.
fn lines(result: &Value) -> String {
    let system = json!({ "type": "system", "subtype": "init", "model": "agent-model" });
    let says = json!({ "type": "assistant", "message": { "content": [
        { "type": "text", "text": "I look" }, { "type": "tool_use", "name": "Bash", "input": {} },
    ] } });
    [&system, &says, result].map(|line| format!("echo '{line}'")).join("\n")
}

fn result(is_error: bool) -> Value {
    json!({
        "type": "result", "subtype": "success", "is_error": is_error, "result": "forty-two",
        "total_cost_usd": 0.0123,
        "usage": { "input_tokens": 10, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 5, "output_tokens": 7 },
    })
}

#[test]
fn an_agents_lines_become_a_result() {
    let shop = Sandbox::new();
    shop.hire(
        &[agent(&format!("cat >/dev/null; echo no JSON; {}", lines(&result(false))), &[])],
        &json!({}),
    );
    shop.drop_task("x", &json!({ "description": "six times seven" }));
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    assert_eq!(result["content"], "forty-two");
    assert_eq!(result["model"], "agent-model");
    assert_eq!(result["usage"]["prompt_tokens"], 35);
    assert_eq!(result["usage"]["cached_tokens"], 20);
    assert_eq!(result["usage"]["total_tokens"], 42);
    assert_eq!(result["cost_usd"].to_string(), "0.0123");
    assert!(result["warnings"].to_string().contains("1 line of what it printed"), "{result:#}");
    let budget = shop.koubou(["budget", "--json"]).ends(0).json();
    assert!(budget.to_string().contains("0.0123"), "{budget:#}");
    let log = shop.koubou(["log", "x"]).ends(0).out;
    assert!(log.contains("says I look") && log.contains("says Bash"), "{log}");
}

#[test]
fn an_agent_that_says_that_it_failed_has_failed_and_cost_what_it_says() {
    let shop = Sandbox::new();
    shop.hire(&[agent(&lines(&result(true)), &[])], &json!({}));
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    let result = shop.result("failed/x");
    assert_eq!(result["error"]["kind"], "command_failed");
    assert!(result["error"]["message"].as_str().unwrap().contains("forty-two"), "{result:#}");
    assert_eq!(result["cost_usd"].to_string(), "0.0123");
}

#[test]
fn an_agent_that_says_nothing_of_its_cost_costs_all_that_was_set_apart() {
    let shop = Sandbox::new();
    for (text, timeout) in [("echo '{}'", 20.0), ("sleep 60", 0.3)] {
        shop.hire(&[agent(text, &[])], &json!({}));
        shop.drop_task("x", &json!({ "description": "a", "timeout_s": timeout }));
        shop.drain().ends(0);
        let result = shop.result("failed/x");
        assert_eq!(result["cost_usd"].to_string(), "0.5", "{result:#}");
        fs::remove_file(shop.task_file("failed/x.json")).unwrap();
    }
}

#[test]
fn it_works_where_its_task_says() {
    let shop = Sandbox::new();
    let root = shop.beside("projects");
    fs::create_dir_all(root.join("one")).unwrap();
    let text = format!("pwd > here; echo \"$1\" > given; {}", lines(&result(false)));
    shop.hire(&[agent(&text, &["{work_dir}"])], &json!({ "workspace_roots": [root] }));
    shop.drop_task("x", &json!({ "description": "a", "workspace": root.join("one") }));
    shop.drain().ends(0);
    shop.result("completed/x");
    let place = fs::canonicalize(root.join("one")).unwrap();
    for name in ["here", "given"] {
        let said = fs::read_to_string(place.join(name)).unwrap();
        assert_eq!(said.trim(), place.to_str().unwrap(), "{name}");
    }
}

#[test]
fn what_is_wrong_with_a_mapping_is_told_with_its_place() {
    let shop = Sandbox::new();
    let worker = |key: &str, value: Value| {
        let mut worker = agent("true", &[]);
        worker[key] = value;
        worker
    };
    for (worker, said) in [
        (worker("output", json!("xml")), "`output` must be `text` or `jsonl`, and is `xml`"),
        (worker("output", json!("text")), "`fields` needs `output: jsonl`"),
        (worker("fields", json!({ "model": "m" })), "in it `content`"),
        (worker("fields", json!({ "content": "a if type = 1" })), "is no condition"),
        (
            worker("fields", json!({ "content": "a", "usage.prompt": "b" })),
            "did you mean `usage.prompt_tokens`?",
        ),
        (worker("max_cost_usd", Value::Null), "give it `max_cost_usd`"),
    ] {
        shop.hire(&[worker], &json!({}));
        let err = shop.koubou(["start", "--drain"]).ends(1).err;
        assert!(err.contains(said), "{said}: {err}");
    }
}
