//! A master over the workshop: an agent that is a script here, with koubou's tools in its hand.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::daemon::{PATIENCE, wait};
use crate::support::workers::echo;
use crate::support::{ModelServer, Reply, Sandbox, gate::Gate};

/// Speaks to koubou as its settings say, and writes down what it hears.
const AGENT: &str = r#"#!/bin/sh
for argument; do printf '%s\n' "$argument"; done >"$HOME/arguments"
program=$(sed -n 's/.*"command": "\(.*\)".*/\1/p' "$KOUBOU_MCP_CONFIG")
cp "$KOUBOU_INSTRUCTIONS" "$HOME/read"
(
    say() { printf '%s\n' "$1"; }
    say '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"script","version":"1"}}}'
    say '{"jsonrpc":"2.0","method":"notifications/initialized"}'
    say '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"submit_task","arguments":{"task_id":"made","description":"hello","worker":"echo"}}}'
    while [ ! -e "$KOUBOU_HOME/tasks/completed/made.json" ]; do sleep 0.05; done
    say '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"get_result","arguments":{"task_id":"made"}}}'
    sleep 0.2
) | "$program" --home "$KOUBOU_HOME" mcp >"$HOME/heard"
exit 7
"#;

/// A home whose master agent is this script.
fn shop_of(agent: &str) -> Sandbox {
    let shop = Sandbox::new();
    let path = shop.beside("agent");
    fs::write(&path, agent).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    shop.hire(&[echo()], &json!({ "master_agent": path }));
    shop
}

fn heard(shop: &Sandbox) -> Vec<Value> {
    let text = fs::read_to_string(shop.beside("heard")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_agent_has_a_workshop_for_as_long_as_it_works() {
    let shop = shop_of(AGENT);
    let said = shop.koubou(["master", "--", "--config={mcp_config}", "two words"]).ends(7);
    let heard = heard(&shop);
    assert_eq!(heard[1]["result"]["structuredContent"]["task_id"], "made", "{heard:#?}");
    assert_eq!(heard[2]["result"]["structuredContent"]["content"], "hello", "{heard:#?}");
    let config = shop.home().canonicalize().unwrap().join("master/mcp.json");
    let arguments = fs::read_to_string(shop.beside("arguments")).unwrap();
    assert_eq!(arguments, format!("--config={}\ntwo words\n", config.display()));
    let taught = fs::read_to_string(shop.beside("read")).unwrap();
    assert!(taught.contains("{result:a}") && taught.contains("may_spawn"), "{taught}");
    assert!(said.err.contains("started the daemon"), "{}", said.err);
    let status = shop.koubou(["status", "--json"]).ends(0).json();
    assert_eq!(status["running"], false, "{status:#}");
}

#[test]
fn a_daemon_that_runs_already_is_left_alone() {
    let shop = shop_of(AGENT);
    let daemon = shop.daemon();
    let said = shop.koubou(["master"]).ends(7);
    assert!(said.err.contains(&format!("process {} works this home", daemon.pid())));
    let status = shop.koubou(["status", "--json"]).ends(0).json();
    assert_eq!(status["pid"], daemon.pid());
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn what_is_left_to_do_is_told() {
    let shop = shop_of("#!/bin/sh\nexit 0\n");
    let later =
        json!({ "description": "x", "worker": "echo", "not_before": "2199-01-01T00:00:00Z" });
    shop.drop_task("later", &later);
    let said = shop.koubou(["master"]).ends(0);
    assert!(said.err.contains("left to do: 1 task pending"), "{}", said.err);
}

#[test]
fn ctrl_c_is_for_the_agent_and_what_ends_the_master_ends_the_agent() {
    let shop = shop_of(
        "#!/bin/sh\ntrap 'exit 9' TERM\necho >\"$HOME/up\"\nwhile :; do sleep 0.05; done\n",
    );
    let mut command = shop.command(["master"]);
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    let deadline = std::time::Instant::now() + PATIENCE;
    while !shop.beside("up").exists() {
        assert!(std::time::Instant::now() < deadline, "the agent never began");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    kill_process(pid, Signal::INT).unwrap();
    kill_process(pid, Signal::QUIT).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "a Ctrl-C ended the master");
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(wait(&mut child, PATIENCE).code(), Some(9));
    let status = shop.koubou(["status", "--json"]).ends(0).json();
    assert_eq!(status["running"], false, "{status:#}");
}

#[test]
fn what_runs_when_the_agent_ends_is_finished() {
    let shop = Sandbox::new();
    let gate = Gate::at(shop.beside("gate"));
    let agent = shop.beside("agent");
    let begun = "while ! ls \"$KOUBOU_HOME\"/tasks/in_progress | grep -q held; do sleep 0.05; done";
    fs::write(&agent, format!("#!/bin/sh\n{begun}\nexit 0\n")).unwrap();
    fs::set_permissions(&agent, fs::Permissions::from_mode(0o755)).unwrap();
    shop.hire(&[gate.worker()], &json!({ "master_agent": agent }));
    shop.drop_task("held", &json!({ "description": "x" }));
    let mut master = shop.start(["master"]);
    master.until_said("1 task in progress: the daemon finishes what it runs");
    gate.open("done");
    assert_eq!(master.ended(), Some(0));
    assert_eq!(shop.result("completed/held")["content"], "done");
}

#[test]
fn a_set_up_that_cannot_work_is_told_before_the_agent_is_started() {
    let shop = shop_of("#!/bin/sh\necho >\"$HOME/up\"\n");
    shop.hire(&[echo()], &json!({ "master_agent": "no-such-agent" }));
    let said = shop.koubou(["master"]).ends(1);
    assert!(said.err.contains("there is no program `no-such-agent`"), "{}", said.err);
    let agent = shop.beside("agent");
    shop.hire(&[echo()], &json!({ "master_agent": agent }));
    // A daemon that cannot begin says why.
    let db = shop.home().join("db");
    fs::remove_dir_all(&db).unwrap();
    fs::write(&db, "no folder").unwrap();
    let said = shop.koubou(["master"]).ends(1);
    assert!(said.err.contains("the daemon did not start"), "{}", said.err);
    assert!(said.err.contains("because: "), "{}", said.err);
    assert!(!shop.beside("up").exists());
}

#[test]
fn the_page_stays_as_somebody_changed_it() {
    let shop = shop_of(AGENT);
    fs::create_dir(shop.home().join("master")).unwrap();
    fs::write(shop.home().join("master/AGENTS.md"), "mine\n").unwrap();
    shop.koubou(["master"]).ends(7);
    assert_eq!(fs::read_to_string(shop.beside("read")).unwrap(), "mine\n");
}

#[test]
fn settings_for_other_clients_are_printed_ready_to_use() {
    let shop = Sandbox::with_echo();
    let said = shop.koubou(["master", "--print-config"]).ends(0);
    for part in ["[mcp_servers.koubou]", "claude mcp add", "\"mcpServers\"", "# You are the master"]
    {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    let all = shop.koubou(["master", "--print-config", "--json"]).ends(0).json();
    let json = all.as_object().unwrap().iter().find(|(whose, _)| whose.contains(".mcp.json"));
    let json: Value = serde_json::from_str(json.unwrap().1.as_str().unwrap()).unwrap();
    let server = &json["mcpServers"]["koubou"];
    assert_eq!(server["command"], env!("CARGO_BIN_EXE_koubou"));
    assert_eq!(server["args"][2], "mcp");
    assert!(!shop.home().join("master").exists(), "printing writes nothing");
}

/// An answer of a model that streams: this item alone.
fn streamed(item: &Value) -> Reply {
    let usage = json!({ "input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
        "input_tokens_details": { "cached_tokens": 0 },
        "output_tokens_details": { "reasoning_tokens": 0 } });
    let response = |status: &str| json!({ "id": "r", "object": "response", "status": status });
    let mut whole = response("completed");
    whole["output"] = json!([item]);
    whole["usage"] = usage;
    let events = [
        json!({ "type": "response.created", "response": response("in_progress") }),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": item }),
        json!({ "type": "response.completed", "response": whole }),
    ];
    let told =
        |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    let body: String = events.iter().map(told).collect();
    Reply::status(200).header("content-type", "text/event-stream").with_body(body)
}

fn calls(n: usize, tool: &str, arguments: &Value) -> Reply {
    streamed(&json!({ "type": "function_call", "id": format!("f{n}"), "call_id": format!("c{n}"),
        "namespace": "mcp__koubou", "name": tool, "arguments": arguments.to_string(),
        "status": "completed" }))
}

#[test]
fn codex_hands_out_work_and_reads_what_came_of_it() {
    let Some(codex) = crate::codex::codex() else { return };
    let server = ModelServer::start();
    let task = json!({ "task_id": "part", "description": "said by codex", "worker": "echo" });
    server.will(calls(1, "submit_task", &task));
    server.will(calls(2, "wait", &json!({ "ids": ["part"] })));
    server.will(calls(3, "get_result", &json!({ "task_id": "part" })));
    let content = json!([{ "type": "output_text", "text": "all done", "annotations": [] }]);
    server.will(streamed(&json!({ "type": "message", "id": "m", "role": "assistant",
        "status": "completed", "content": content })));
    let shop = Sandbox::new();
    shop.hire(&[echo()], &json!({ "master_agent": codex }));
    let own = shop.beside("codex-home");
    fs::create_dir(&own).unwrap();
    let settings = format!(
        "model = \"stand-in\"\nmodel_provider = \"stand_in\"\ncheck_for_update_on_startup = false\n\
         [model_providers.stand_in]\nname = \"stand-in\"\nbase_url = \"{}\"\nwire_api = \"responses\"\n\
         env_key = \"STAND_IN_KEY\"\nrequest_max_retries = 0\nstream_max_retries = 0\n",
        server.endpoint()
    );
    fs::write(own.join("config.toml"), &settings).unwrap();
    shop.set("CODEX_HOME", own.to_str().unwrap());
    shop.set("STAND_IN_KEY", "nothing secret");
    let said = shop.koubou([
        "master",
        "--",
        "exec",
        "--skip-git-repo-check",
        "--json",
        "Hand out the parts of the job",
    ]);
    let said = said.ends(0);
    assert!(said.out.contains("all done"), "{}", said.out);
    assert_eq!(shop.result("completed/part")["content"], "said by codex");
    let asked: Vec<_> =
        server.requests().into_iter().filter(|seen| seen.method == "POST").collect();
    let first = asked[0].body.to_string();
    assert!(first.contains("mcp__koubou") && first.contains("master of a workshop"));
    let last = asked.last().unwrap().body.to_string();
    assert!(last.contains("said by codex"));
    // Nothing of koubou is left in the settings that are the user's.
    assert_eq!(fs::read_to_string(own.join("config.toml")).unwrap(), settings);
}
