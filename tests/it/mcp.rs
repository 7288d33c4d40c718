//! An agent at the counter: the tools of `koubou mcp`, and what an agent may not do.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::data;
use crate::support::gate::Gate;
use crate::support::workers::{CLOUD_KEY, cloud, echo, fresh_secret, local, script};
use crate::support::{Client, ModelServer, Reply, Sandbox};

const TOOLS: [&str; 10] = [
    "submit_task",
    "submit_tasks",
    "wait",
    "get_result",
    "list_tasks",
    "cancel_task",
    "retry_task",
    "route_preview",
    "budget_status",
    "worker_status",
];

/// A home with the echo, another that fails, and these bounds for agents.
fn bounded(bounds: &Value) -> Sandbox {
    let shop = Sandbox::new();
    let other = script("other", "cat >/dev/null; exit 3", &[]);
    shop.hire(&[echo(), other], &json!({ "mcp": bounds }));
    shop
}

fn hello(id: &str) -> Value {
    json!({ "task_id": id, "description": "hello", "worker": "echo" })
}

#[test]
fn a_client_learns_what_there_is() {
    let shop = Sandbox::with_echo();
    let mut agent = Client::bare(&shop);
    let hello = agent.ask("initialize", &Client::greeting());
    assert_eq!(hello["result"]["serverInfo"]["name"], "koubou");
    assert_eq!(hello["result"]["protocolVersion"], "2025-06-18");
    assert!(hello["result"]["instructions"].as_str().unwrap().contains("submit_task"));
    assert!(hello["result"]["capabilities"]["resources"].is_object(), "{hello:#}");
    agent.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
    let tools = agent.ask("tools/list", &json!({}));
    let tools = tools["result"]["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, TOOLS);
    for tool in tools {
        let schema = &tool["inputSchema"];
        assert_eq!(schema["type"], "object", "{tool:#}");
        jsonschema::validator_for(schema).unwrap();
        assert!(tool["description"].as_str().unwrap().len() > 80, "{tool:#}");
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{hint}: {tool:#}");
        }
    }
    let hint = |name: &str, hint: &str| {
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
        tool["annotations"][hint].as_bool().unwrap()
    };
    assert!(hint("get_result", "readOnlyHint") && !hint("submit_task", "readOnlyHint"));
    assert!(hint("cancel_task", "destructiveHint") && hint("submit_task", "openWorldHint"));
    assert_eq!(agent.ask("ping", &json!({}))["result"], json!({}));
    let (code, _) = agent.end();
    assert_eq!(code, Some(0));
}

#[test]
fn work_is_handed_out_waited_for_and_read() {
    let shop = Sandbox::new();
    let fails = script("fails", "cat >/dev/null; exit 3", &[]);
    shop.hire(&[echo(), fails], &json!({}));
    let daemon = shop.daemon();
    let mut agent = Client::start(&shop);

    let told = agent.call("submit_task", &hello("a"));
    assert_eq!(told["task_id"], "a");
    assert_eq!(told["worker_type"], "echo");
    let ended = agent.call("wait", &json!({ "ids": ["a"] }));
    assert_eq!((&ended["status"], &ended["completed"]), (&json!("ended"), &json!(1)));
    assert_eq!(agent.call("get_result", &json!({ "task_id": "a" }))["content"], "hello");
    let part = agent.call("get_result", &json!({ "task_id": "a", "offset": 1, "max_chars": 3 }));
    assert_eq!((&part["content"], &part["next_offset"]), (&json!("ell"), &json!(4)));

    let chain = json!({ "tasks": [
        { "task_id": "b", "description": "one", "worker": "echo", "group": "g" },
        { "task_id": "c", "description": "<{result:b}>", "worker": "echo", "group": "g",
          "depends_on": ["b"] },
    ]});
    let told = agent.call("submit_tasks", &chain);
    assert_eq!(told["tasks"][1]["task_id"], "c");
    assert_eq!(agent.call("wait", &json!({ "group": "g" }))["completed"], 2);
    assert_eq!(agent.call("get_result", &json!({ "task_id": "c" }))["content"], "<one>");
    let listed = agent.call("list_tasks", &json!({ "group": "g", "status": "completed" }));
    assert_eq!(listed["total"], 2, "{listed:#}");

    let why = agent.refused("submit_tasks", &chain);
    assert!(why.contains("`b` is in use"), "{why}");
    let again = json!({ "tasks": chain["tasks"], "unique": true });
    let told = agent.call("submit_tasks", &again);
    assert!(told["tasks"][0]["note"].as_str().unwrap().contains("there already"), "{told:#}");

    agent.call("submit_task", &json!({ "task_id": "f", "description": "x", "worker": "fails" }));
    let ended = agent.call("wait", &json!({ "ids": ["a", "f"], "mode": "all" }));
    assert_eq!((&ended["failed"], &ended["completed"]), (&json!(1), &json!(1)), "{ended:#}");
    let failed = agent.call("get_result", &json!({ "task_id": "f" }));
    assert_eq!(failed["error"]["kind"], "command_failed");
    assert_eq!(agent.call("retry_task", &json!({ "ids": ["f"] }))["tasks"][0]["status"], "pending");
    agent.call("wait", &json!({ "ids": ["f"] }));
    let failed = agent.call("get_result", &json!({ "task_id": "f" }));
    assert_eq!(failed["attempts"].as_array().unwrap().len(), 2, "{failed:#}");
    let why = agent.refused("retry_task", &json!({ "ids": ["a"] }));
    assert!(why.contains("only failed tasks are retried"), "{why}");

    let later = json!({ "task_id": "l", "description": "x", "worker": "echo",
        "not_before": "2199-01-01T00:00:00Z" });
    agent.call("submit_task", &later);
    let told = agent.call("cancel_task", &json!({ "ids": ["l", "a"] }));
    assert_eq!(told["tasks"][0]["status"], "cancelling");
    assert!(told["tasks"][1]["note"].is_string(), "{told:#}");
    agent.call("wait", &json!({ "ids": ["l"] }));
    let gone = agent.call("get_result", &json!({ "task_id": "l" }));
    assert_eq!(gone["error"]["kind"], "cancelled");

    let preview = agent.call("route_preview", &json!({ "description": "x", "worker": "fails" }));
    assert_eq!(preview["worker_type"], "fails");
    assert!(agent.call("budget_status", &json!({}))["daily"]["limit_usd"].is_number());
    let seen = agent.call("worker_status", &json!({}));
    assert_eq!(seen["daemon_running"], true);
    assert_eq!(seen["workers"].as_array().unwrap().len(), 2);
    assert!(agent.aside().is_empty(), "{:?}", agent.aside());
    assert_eq!(agent.end().0, Some(0));
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn who_waits_hears_how_far_it_is_and_may_stop_waiting() {
    let shop = Sandbox::new();
    let gate = Gate::at(shop.beside("gate"));
    shop.hire(&[echo(), gate.worker()], &json!({}));
    let daemon = shop.daemon();
    let mut agent = Client::start(&shop);
    let held = json!({ "task_id": "held", "description": "x", "worker": "gate" });
    agent.call("submit_tasks", &json!({ "tasks": [hello("quick"), held] }));

    let both = json!({ "ids": ["quick", "held"] });
    let waiting = agent.send_call("wait", &both, Some("p1"));
    let progress = agent.hear("progress", |said| said["method"] == "notifications/progress");
    assert_eq!(progress["params"]["progressToken"], "p1");
    assert_eq!(progress["params"]["progress"].as_f64(), Some(1.0));
    assert_eq!(progress["params"]["total"].as_f64(), Some(2.0));
    assert_eq!(progress["params"]["message"], "1 of 2 tasks ended");

    let short = agent.call("wait", &json!({ "ids": ["held"], "timeout_s": 0.1 }));
    assert_eq!(short["status"], "still_running");
    assert_eq!(short["open_tasks"][0]["task_id"], "held", "{short:#}");
    let any = agent.call("wait", &json!({ "ids": ["quick", "held"], "mode": "any" }));
    assert_eq!((&any["completed"], &any["open"]), (&json!(1), &json!(1)));

    let given_up = agent.send_call("wait", &both, None);
    let params = json!({ "requestId": given_up, "reason": "no more" });
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params });
    agent.say(cancel.to_string());
    assert_eq!(agent.ask("ping", &json!({}))["result"], json!({}));

    gate.open("done");
    let answer = agent.answer(waiting);
    assert_eq!(data(&answer)["completed"], 2, "{answer:#}");
    assert!(agent.aside().iter().all(|said| said["id"] != given_up), "{:?}", agent.aside());

    // One that waits keeps nobody who has gone.
    let later = json!({ "task_id": "later", "description": "x", "worker": "gate" });
    agent.call("submit_task", &later);
    agent.send_call("wait", &json!({ "ids": ["later"], "timeout_s": 600 }), None);
    assert_eq!(agent.ask("ping", &json!({}))["result"], json!({}));
    let (code, took) = agent.end();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(4), "{took:?}");
    gate.open("done");
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn results_are_resources() {
    let shop = Sandbox::with_echo();
    let mut agent = Client::start(&shop);
    agent.call("submit_tasks", &json!({ "tasks": [hello("a"), hello("案")] }));
    let none = agent.ask("resources/list", &json!({}));
    assert_eq!(none["result"]["resources"], json!([]));
    let early = agent.ask("resources/read", &json!({ "uri": "koubou://result/a" }));
    assert!(early["error"]["message"].as_str().unwrap().contains("is pending"), "{early:#}");
    shop.drain().ends(0);
    let templates = agent.ask("resources/templates/list", &json!({}));
    let template = &templates["result"]["resourceTemplates"][0];
    assert_eq!(template["uriTemplate"], "koubou://result/{task_id}");
    let listed = agent.ask("resources/list", &json!({}));
    let listed = listed["result"]["resources"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 2, "{listed:#?}");
    for resource in &listed {
        let read = agent.ask("resources/read", &json!({ "uri": resource["uri"] }));
        let content = &read["result"]["contents"][0];
        assert_eq!(content["mimeType"], "application/json");
        let result: Value = serde_json::from_str(content["text"].as_str().unwrap()).unwrap();
        assert_eq!(result["task_id"], resource["name"]);
        assert_eq!(result["content"], "hello");
    }
    for uri in ["koubou://result/none", "koubou://result/..%2Fx", "file:///etc/passwd"] {
        let read = agent.ask("resources/read", &json!({ "uri": uri }));
        assert_eq!(read["error"]["code"], -32002, "{uri}: {read:#}");
    }
}

#[test]
fn nothing_that_a_client_says_ends_the_session() {
    let shop = Sandbox::with_echo();
    let mut agent = Client::bare(&shop);
    // Before the greeting.
    agent.say("{garbage");
    agent.hear("a parse error", |said| said["error"]["code"] == -32700);
    agent.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
    agent.say(json!({ "jsonrpc": "2.0", "id": 900, "result": {} }).to_string());
    let early = agent.ask("tools/list", &json!({}));
    assert!(early["error"].is_object(), "{early:#}");
    let odd = agent.ask("initialize", &json!({ "protocolVersion": 7 }));
    assert!(odd["error"].is_object(), "{odd:#}");
    assert!(agent.ask("initialize", &Client::greeting())["result"].is_object());
    // And after it.
    for line in [&b"\xff\xfe\x00"[..], b"{\"jsonrpc\": \"2.0\", \"id\": 1", b"nul\0l"] {
        agent.say(line);
        agent.hear("a parse error", |said| said["error"]["code"] == -32700);
    }
    agent.say("\n   \n");
    for line in ["[]", "7", "\"x\"", "null", "{}", "{\"jsonrpc\": \"1.0\", \"method\": 5}"] {
        agent.say(line);
        agent.hear("an error", |said| said["error"]["code"] == -32600);
    }
    agent.say(json!({ "jsonrpc": "2.0", "id": 901, "result": {} }).to_string());
    agent.say(json!({ "jsonrpc": "2.0", "method": "notifications/odd", "params": 3 }).to_string());
    let deep = "[".repeat(100_000);
    agent.say(&deep);
    agent.hear("a parse error", |said| said["error"]["code"] == -32700);
    for (method, params, code) in [
        ("no/such", json!({}), -32601),
        ("tools/call", json!({ "name": 5 }), -32602),
        ("tools/call", json!({ "name": "no_such_tool", "arguments": {} }), -32602),
        ("tools/call", json!({ "name": "wait", "arguments": [] }), -32602),
        ("resources/read", json!({}), -32602),
        ("prompts/get", json!({ "name": "x" }), -32601),
    ] {
        let answer = agent.ask(method, &params);
        assert_eq!(answer["error"]["code"], code, "{method} {params}: {answer:#}");
    }
    for (tool, arguments, part) in [
        ("wait", json!({ "ids": "a" }), "the arguments are wrong"),
        ("wait", json!({}), "say what to wait for"),
        ("wait", json!({ "ids": ["a"], "group": "g" }), "not both"),
        ("wait", json!({ "ids": ["a"], "timeout_s": -1 }), "from 0 to 3600"),
        ("wait", json!({ "ids": ["none"] }), "there is no task `none`"),
        ("get_result", json!({ "id": "a" }), "unknown field `id`"),
        ("get_result", json!({ "task_id": "../../etc/passwd" }), "there is no task `passwd`"),
        ("cancel_task", json!({ "ids": [] }), "`ids` is empty"),
        ("submit_tasks", json!({ "tasks": [] }), "from 1 to 1000"),
        ("submit_tasks", json!({ "tasks": [hello("a"), { "priority": 3 }] }), "task 2 of them"),
        ("submit_task", json!({ "description": "x", "priority": "high" }), "priority"),
        ("submit_task", json!({ "description": "x", "unique": 1 }), "`unique`"),
        ("submit_task", json!({ "description": "x", "worker": "ehco" }), "`echo`"),
        ("budget_status", json!({ "x": 1 }), "unknown field"),
    ] {
        let why = agent.refused(tool, &arguments);
        assert!(why.contains(part), "{tool} {arguments}: {why}");
    }
    let huge = "x".repeat(20 << 20);
    let why = agent.refused("submit_task", &json!({ "description": huge, "worker": "echo" }));
    assert!(why.contains("a task has 16 MiB at most"), "{why}");
    agent.say("x".repeat((64 << 20) + 1));
    agent.hear("an error", |said| said["error"]["code"] == -32600);
    assert_eq!(agent.ask("ping", &json!({}))["result"], json!({}));
    assert!(shop.names("pending").is_empty());
    assert_eq!(agent.end().0, Some(0));
}

#[test]
fn an_agent_is_held_to_its_bounds() {
    let shop = bounded(&json!({
        "max_priority": 6, "allow_workers": ["echo"], "max_tasks_per_session": 3,
    }));
    let mut agent = Client::start(&shop);
    let mut urgent = hello("urgent");
    urgent["priority"] = json!(9);
    let told = agent.call("submit_task", &urgent);
    assert!(told["warnings"][0].as_str().unwrap().contains("its priority is 6"), "{told:#}");
    assert_eq!(told["session"]["tasks_left"], 2);
    let dropped: Value =
        serde_json::from_slice(&fs::read(shop.task_file("pending/urgent.json")).unwrap()).unwrap();
    assert_eq!(dropped["priority"], 6);

    for (task, part) in [
        (json!({ "description": "x", "worker": "other" }), "asks for `other`"),
        (json!({ "description": "x", "escalate": ["echo", "other"] }), "asks for `other`"),
        (
            json!({ "description": "x", "worker": "echo", "fallback": ["other"] }),
            "asks for `other`",
        ),
        (json!({ "description": "x", "worker": "echo", "may_spawn": 2 }), "may_spawn"),
    ] {
        let why = agent.refused("submit_task", &task);
        assert!(why.contains(part) && why.contains("agents may use `echo`"), "{task}: {why}");
    }
    // A confidential answer would take it to whoever is local.
    let filled = json!({ "description": "{result:z}", "depends_on": ["z"], "worker": "echo" });
    let is_allowed_anywhere = agent.call("route_preview", &filled);
    assert!(is_allowed_anywhere["note"].as_str().unwrap().contains("judged anew"));
    // What names no worker is held to the one that it would go to.
    let told = agent.call("submit_task", &json!({ "task_id": "free", "description": "x" }));
    assert_eq!(told["worker_type"], "echo");
    let dropped: Value =
        serde_json::from_slice(&fs::read(shop.task_file("pending/free.json")).unwrap()).unwrap();
    assert_eq!(dropped["worker"], "echo");

    let two = json!({ "tasks": [hello("x"), hello("y")] });
    let why = agent.refused("submit_tasks", &two);
    assert!(why.contains("this session has made as many tasks as it may"), "{why}");
    assert!(why.contains("none of them was submitted"), "{why}");
    assert_eq!(agent.call("submit_task", &hello("x"))["session"]["tasks_left"], 0);
    // What somebody else had done elsewhere is not the agent's to run again.
    shop.drop_task("theirs", &json!({ "description": "x", "worker": "other" }));
    shop.drop_bytes("broken.json", "{");
    shop.drain().ends(0);
    for (id, part) in [("theirs", "asks for `other`"), ("broken", "was no task")] {
        let why = agent.refused("retry_task", &json!({ "ids": [id] }));
        assert!(why.contains(part), "{id}: {why}");
    }
    assert_eq!(shop.names("failed"), ["broken.json", "broken.rejected", "theirs.json"]);
}

/// A home with a worker that costs up to five cents an attempt, and a session's limit.
fn paid(server: &ModelServer, limit: &Value) -> Sandbox {
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    shop.hire(&[cloud(server), echo()], &json!({ "mcp": { "max_cost_usd_per_session": limit } }));
    shop
}

fn ask(id: &str) -> Value {
    json!({ "task_id": id, "description": "hello", "worker": "cloud" })
}

#[test]
fn a_session_never_spends_more_than_it_may() {
    let server = ModelServer::start();
    // A thousand tokens of answer: a cent each.
    for _ in 0..8 {
        server.will(Reply::answer("a", 0, 1_000));
    }
    let shop = paid(&server, &json!(0.1));
    let mut agent = Client::start(&shop);
    // One that states nothing has all that its attempts may cost, if that is left.
    let told = agent.call("submit_task", &ask("first"));
    assert_eq!(told["max_cost_usd"].to_string(), "0.1", "{told:#}");
    assert_eq!(told["session"]["cost_left_usd"], 0);
    assert_eq!(told["session"]["cost_limit_usd"].to_string(), "0.1");
    let why = agent.refused("submit_task", &ask("second"));
    assert!(why.contains("this session has $0.00 left"), "{why}");
    // What is free needs nothing of it.
    assert_eq!(agent.call("submit_task", &hello("free"))["max_cost_usd"], 0);
    shop.drain().ends(0);
    // What the first did not use is there again.
    let left = agent.call("budget_status", &json!({}))["session"]["cost_left_usd"].clone();
    assert_eq!(left.to_string(), "0.09", "{left}");
    let mut capped = ask("capped");
    capped["max_cost_usd"] = json!(0.2);
    let why = agent.refused("submit_task", &capped);
    assert!(why.contains("its `max_cost_usd` is $0.20"), "{why}");
    capped["max_cost_usd"] = json!(0.045);
    agent.call("submit_task", &capped);
    capped["task_id"] = json!("capped2");
    let told = agent.call("submit_task", &capped);
    assert_eq!(told["session"]["cost_left_usd"], 0, "{told:#}");
    let why = agent.refused("submit_task", &ask("third"));
    assert!(why.contains("left"), "{why}");
    shop.drain().ends(0);
    assert_eq!(server.chats(), 3);
    let budget = shop.koubou(["budget", "--json"]).ends(0).json();
    assert_eq!(budget["daily"]["spent_usd"].to_string(), "0.03", "{budget:#}");
}

#[test]
fn what_failed_takes_its_money_with_it_when_it_runs_again() {
    let server = ModelServer::start();
    server.will(Reply::error(400, "invalid_request_error", "bad", "no"));
    server.will(Reply::error(400, "invalid_request_error", "bad", "no"));
    let shop = paid(&server, &json!(0.1));
    // Somebody else's, without a cap and with one.
    shop.drop_task("open", &ask("open"));
    shop.drain().ends(0);
    let mut capped = ask("capped");
    capped["max_cost_usd"] = json!(0.08);
    shop.drop_task("capped", &capped);
    shop.drain().ends(0);
    assert_eq!(shop.names("failed"), ["capped.json", "open.json"]);
    let mut agent = Client::start(&shop);
    let why = agent.refused("retry_task", &json!({ "ids": ["open"] }));
    assert!(why.contains("has no `max_cost_usd`"), "{why}");
    let told = agent.call("retry_task", &json!({ "ids": ["capped"] }));
    assert_eq!(told["session"]["cost_left_usd"].to_string(), "0.02", "{told:#}");
    let why = agent.refused("submit_task", &ask("more"));
    assert!(why.contains("an attempt of it may cost"), "{why}");
}

#[test]
fn confidential_content_is_kept_from_agents() {
    let server = ModelServer::start();
    let secret = fresh_secret();
    server.will(Reply::answer(&format!("it is {secret}"), 10, 10));
    let shop = Sandbox::new();
    let fails = script("fails", "cat >&2; exit 3", &[]);
    let fails = crate::support::workers::with(fails, "local", true);
    shop.hire(&[echo(), local(&server), fails], &json!({}));
    let asked = format!("password = {secret}; what is it?");
    shop.drop_task("private", &json!({ "description": asked }));
    shop.drop_task("failing", &json!({ "description": asked, "worker": "fails" }));
    shop.drop_task("waits", &json!({ "description": asked, "not_before": "2199-01-01T00:00:00Z" }));
    shop.drop_task("public", &json!({ "description": "hello", "worker": "echo" }));
    shop.drain().ends(75);
    assert!(shop.result("completed/private")["content"].to_string().contains(&secret));

    let mut agent = Client::start(&shop);
    let mut heard = Vec::new();
    for id in ["private", "failing", "waits"] {
        let result = agent.call("get_result", &json!({ "task_id": id }));
        assert!(
            result["withheld_because"].as_str().unwrap().contains("confidential"),
            "{result:#}"
        );
        heard.push(result);
    }
    assert_eq!(heard[0]["status"], "completed");
    assert_eq!(heard[0]["routing"]["sensitivity_level"], "confidential");
    assert_eq!(heard[1]["error"]["kind"], "command_failed");
    for id in ["private", "failing"] {
        let uri = format!("koubou://result/{id}");
        heard.push(agent.ask("resources/read", &json!({ "uri": uri })));
    }
    for (method, params) in [
        ("resources/list", json!({})),
        ("tools/call", json!({ "name": "list_tasks" })),
        ("tools/call", json!({ "name": "wait", "arguments": { "ids": ["private", "failing"] } })),
        ("tools/call", json!({ "name": "route_preview", "arguments": { "description": asked } })),
    ] {
        heard.push(agent.ask(method, &params));
    }
    for said in &heard {
        assert!(!said.to_string().contains(&secret), "{said:#}");
    }
    let public = agent.call("get_result", &json!({ "task_id": "public" }));
    assert_eq!(public["content"], "hello");
    drop(agent);

    let fails = script("fails", "cat >&2; exit 3", &[]);
    let may = json!({ "mcp": { "allow_confidential": true } });
    shop.hire(&[echo(), local(&server), fails], &may);
    let mut agent = Client::start(&shop);
    let result = agent.call("get_result", &json!({ "task_id": "private" }));
    assert!(result["content"].as_str().unwrap().contains(&secret), "{result:#}");
}

#[test]
fn bounds_that_are_wrong_are_named_with_their_place() {
    let shop = Sandbox::new();
    shop.config(
        "available_workers:\n  \
           - type: echo\n    \
             kind: echo\n\
         routing_rules:\n  \
           - else: echo\n\
         mcp:\n  \
           max_priority: 11\n  \
           allow_workers: [ehco]\n  \
           max_cost_usd_per_session: much\n  \
           max_task_per_session: 3\n",
    );
    let said = shop.koubou(["mcp"]).ends(1);
    for (place, part) in [
        (":7:17", "max_priority"),
        (":8:19", "`allow_workers`: there is no worker `ehco`"),
        (":9:29", "max_cost_usd_per_session"),
        (":10:3", "did you mean `max_tasks_per_session`"),
    ] {
        let line = said.err.lines().find(|line| line.contains(&format!("agent.yaml{place}")));
        let line = line.unwrap_or_else(|| panic!("no mistake at {place}:\n{}", said.err));
        assert!(line.contains(part), "{line}");
    }
}
