//! The schemas hold for what koubou really writes, and `koubou check` prints them.

use std::fs;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::workers::{echo, local, script, with};
use crate::support::{ModelServer, Reply, Sandbox};

fn schema(shop: &Sandbox, which: &str) -> Validator {
    let schema = shop.koubou(["check", which]).ends(0).json();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

#[test]
fn every_sort_of_result_fits_its_schema() {
    let server = ModelServer::start();
    let shop = Sandbox::new();
    let planner = script(
        "planner",
        r#"printf '{"content": "split", "subtasks": [{"name": "a", "description": "b", "worker": "echo"}]}'"#,
        &[],
    );
    let fails = script("fails", "echo half; echo oops >&2; exit 3", &[]);
    shop.hire(&[echo(), local(&server), fails, with(planner, "local", json!(true))], &json!({}));
    server.will(Reply::answer("forty-two", 12, 34));
    for (name, task) in [
        ("echo", json!({ "description": "a", "$schema": "task.schema.json" })),
        ("odd", json!({ "description": "a", "priorty": 3, "worker": "echo" })),
        ("model", json!({ "description": "six times seven", "worker": "local" })),
        ("fails", json!({ "description": "a", "worker": "fails" })),
        ("plan", json!({ "description": "a", "worker": "planner", "may_spawn": 3 })),
        ("depends", json!({ "description": "a", "worker": "echo", "depends_on": ["fails"] })),
        ("late", json!({ "description": "a", "expires_at": "2020-01-01T00:00:00Z" })),
        ("nobody", json!({ "description": "a", "worker": "nobody" })),
        ("wrong", json!({ "priority": 99 })),
    ] {
        shop.drop_task(name, &task);
    }
    shop.drop_bytes("broken.json", "{]");
    shop.drain().ends(0);

    let results = schema(&shop, "--schema=result");
    let tasks = schema(&shop, "--schema");
    let mut seen = 0;
    for folder in ["completed", "failed"] {
        for name in shop.names(folder).iter().filter(|name| name.ends_with(".json")) {
            let bytes = fs::read(shop.task_file(folder).join(name)).unwrap();
            let result: Value = serde_json::from_slice(&bytes).unwrap();
            let wrong: Vec<String> =
                results.iter_errors(&result).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{folder}/{name}: {wrong:?}\n{result:#}");
            if let Some(task) = result.get("task") {
                assert!(tasks.is_valid(task), "{folder}/{name}: {task:#}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 11, "ten drops and a subtask");
    assert_eq!(shop.result("completed/echo")["warnings"], json!([]));
}

#[test]
fn the_schema_is_printed_with_no_home_and_nothing_else_is_asked() {
    let shop = Sandbox::new();
    let nowhere = shop.beside("nowhere");
    let home = nowhere.to_str().unwrap();
    let said = shop.koubou(["--home", home, "check", "--schema=task"]).ends(0);
    assert_eq!(said.json()["title"], "A task for koubou");
    assert_eq!(said.err, "");
    assert!(!nowhere.exists());
    shop.koubou(["check", "--schema=worker"]).ends(2);
    shop.koubou(["check", "--schema", "x.json"]).ends(2);
    shop.koubou(["check"]).ends(2);
}
