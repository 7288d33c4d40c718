//! What the log looks like: text or JSON, for people and for journald, and which task it is about.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::support::workers::echo;
use crate::support::{Client, Sandbox};

fn log(shop: &Sandbox) -> String {
    fs::read_to_string(shop.home().join("logs/system/koubou.log")).unwrap()
}

#[test]
fn every_line_about_a_task_has_its_id() {
    let shop = Sandbox::with_echo();
    shop.hire(&[echo()], &json!({ "log_format": "json" }));
    shop.drop_task("hello", &json!({ "description": "x" }));
    shop.drop_bytes("broken.json", "{\"description\": 5}");
    shop.drain().ends(0);
    let lines: Vec<Value> =
        log(&shop).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |id: &str| -> Vec<&str> {
        let lines = lines.iter().filter(|line| line["task_id"] == id);
        lines.map(|line| line["message"].as_str().unwrap()).collect()
    };
    let hello = of("hello");
    assert_eq!(hello[0], "begun by echo-1");
    assert!(hello[1].starts_with("done (after "), "{hello:?}");
    assert_eq!(hello[2], "completed");
    assert!(of("broken")[0].starts_with("rejected ("), "{:?}", of("broken"));
    assert_eq!(of("broken").last(), Some(&"failed"));
    for line in &lines {
        assert!(line["time"].as_str().unwrap().ends_with('Z') && line["level"].is_string());
        let message = line["message"].as_str().unwrap();
        let names_one = message.contains("hello") || message.contains("broken");
        assert!(!names_one || line["task_id"].is_string(), "{line}");
    }
    assert_eq!(
        lines.iter().find(|line| line["worker_id"].is_string()).unwrap()["task_id"],
        "hello"
    );
}

#[test]
fn journald_gets_priorities_and_no_second_time() {
    let shop = Sandbox::with_echo();
    shop.drop_task("hello", &json!({ "description": "x" }));
    shop.drop_bytes("broken.json", "{\"description\": 5}");
    let said = shop.beside("journal");
    let stream = File::create(&said).unwrap();
    let meta = stream.metadata().unwrap();
    let drain = |journal: String| {
        let mut command = shop.command(["start", "--drain"]);
        command.env("JOURNAL_STREAM", journal).stderr(stream.try_clone().unwrap());
        assert!(command.status().unwrap().success());
        fs::read_to_string(&said).unwrap()
    };
    let text = drain(format!("{}:{}", meta.dev(), meta.ino()));
    assert!(text.contains("\n<6>hello: completed\n"), "{text}");
    assert!(text.contains("\n<4>broken: rejected ("), "{text}");
    assert!(text.lines().all(|line| line.starts_with('<')), "{text}");
    // The file has the time and no priority; and so has what is another stream by now.
    assert!(log(&shop).contains("Z INFO  hello: completed\n"), "{}", log(&shop));
    shop.drop_task("again", &json!({ "description": "x" }));
    let text = drain("1:2".to_owned());
    assert!(text.contains("Z INFO  again: completed\n"), "{text}");
}

#[test]
fn what_a_command_prints_is_followed_while_it_runs() {
    let shop = Sandbox::new();
    let fifo = shop.beside("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let script = format!("echo half way; echo odd >&2; read line <{}; echo end", fifo.display());
    let slow = json!({ "type": "slow", "kind": "command", "local": true,
                       "command": ["sh", "-c", script] });
    shop.hire(&[slow], &json!({}));
    let daemon = shop.daemon();
    shop.drop_task("x", &json!({ "description": "x" }));
    shop.eventually("its first lines are told", || {
        let told = shop.koubou(["log", "x"]).out;
        told.contains("slow-1: prints half way") && told.contains("slow-1: complains: odd")
    });
    assert!(!shop.task_file("completed/x.json").exists(), "it runs still");
    fs::write(&fifo, "go on\n").unwrap();
    shop.koubou(["wait", "x"]).ends(0);
    assert_eq!(shop.result("completed/x")["content"], "half way\nend\n");
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn what_agents_ask_for_is_written_down() {
    let shop = Sandbox::with_echo();
    let mut agent = Client::start(&shop);
    let answer = agent.call("submit_task", &json!({ "description": "x", "task_id": "given" }));
    assert_eq!(answer["task_id"], "given");
    drop(agent);
    let said = fs::read_to_string(shop.home().join("logs/master/mcp.log")).unwrap();
    assert!(said.contains("INFO  given: the agent's submit_task\n"), "{said}");
}
