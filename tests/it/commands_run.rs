//! Programs as workers: what they are given, what they may see, and how they end.

use std::fs;

use serde_json::{Value, json};

use crate::support::Sandbox;
use crate::support::workers::{command, fresh_secret, script, with};

#[test]
fn a_program_gets_its_task_whole_on_standard_input() {
    let shop = Sandbox::with_workers(&[command("cat", &["cat"])]);
    let long = "A line of the task, and 日本語.\n".repeat(30_000);
    shop.drop_task("long", &json!({ "description": long }));
    shop.drop_task("data", &json!({ "description": "sum", "input": { "a": [1, 2] } }));
    shop.drain().ends(0);
    let result = shop.result("completed/long");
    assert!(result["content"] == long.as_str(), "every byte came back");
    assert_eq!(result["exit_code"], 0);
    let content = shop.result("completed/data")["content"].as_str().unwrap().to_owned();
    assert!(content.starts_with("sum") && content.contains("\"a\""), "{content}");
}

#[test]
fn a_programs_exit_code_and_complaint_are_in_the_result() {
    let shop = Sandbox::with_workers(&[script("fails", "echo half; echo oops >&2; exit 3", &[])]);
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    let result = shop.result("failed/x");
    assert_eq!(result["error"]["kind"], "command_failed");
    assert_eq!(result["exit_code"], 3);
    assert_eq!(result["stderr"], "oops\n");
    assert_eq!(result["content"], "half\n");
    assert!(result["error"]["message"].as_str().unwrap().contains("oops"), "{result:#}");
}

#[test]
fn no_shell_ever_reads_an_argument() {
    let odd = "; touch pwned $(touch pwned) `touch pwned` && *";
    let shop = Sandbox::with_workers(&[command("says", &["printf", "%s|%s", odd, "{task_id}"])]);
    shop.drop_task("x", &json!({ "description": "$(touch pwned)" }));
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/x")["content"], format!("{odd}|x"));
    for (path, _) in shop.everything() {
        assert_ne!(path.file_name().unwrap(), "pwned");
    }
}

#[test]
fn a_program_sees_only_the_variables_that_it_is_given() {
    let shop = Sandbox::new();
    let secret = fresh_secret();
    shop.set("OPENAI_API_KEY", &secret);
    shop.set("OTHER_TOKEN", &fresh_secret());
    shop.set("WANTED", "wanted");
    shop.dotenv(&format!("MINE_API_KEY={}\n", fresh_secret()));
    shop.hire(&[with(command("env", &["env"]), "env", json!(["WANTED"]))], &json!({}));
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    let content = shop.result("completed/x")["content"].as_str().unwrap().to_owned();
    assert!(content.contains("WANTED=wanted\n") && content.contains("PATH="), "{content}");
    for name in ["OPENAI_API_KEY", "OTHER_TOKEN", "MINE_API_KEY", "KOUBOU_HOME"] {
        assert!(!content.contains(name), "{name}: {content}");
    }
    shop.assert_nowhere(&secret);
}

/// Whether a process is there and more than a zombie.
fn lives(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
        .is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.trim_start().starts_with('Z'))
}

#[test]
fn a_program_that_takes_too_long_ends_with_all_its_children() {
    let shop = Sandbox::new();
    let pids = shop.beside("pids");
    let text = "sleep 600 & echo $! > \"$1\"; wait";
    shop.hire(&[script("slow", text, &[pids.to_str().unwrap()])], &json!({}));
    shop.drop_task("x", &json!({ "description": "a", "timeout_s": 0.4 }));
    shop.drain().ends(0);
    assert_eq!(shop.result("failed/x")["error"]["kind"], "timeout");
    assert!(!lives(&fs::read_to_string(pids).unwrap()));
}

#[test]
fn a_child_that_holds_the_output_open_keeps_nobody() {
    let shop = Sandbox::new();
    let pids = shop.beside("pids");
    let text = "echo done; sleep 600 & echo $! > \"$1\"";
    shop.hire(&[script("leaves", text, &[pids.to_str().unwrap()])], &json!({}));
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/x")["content"], "done\n");
    let pid = fs::read_to_string(pids).unwrap();
    if let Some(pid) = pid.trim().parse().ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

#[test]
fn a_program_that_is_not_there_fails_its_task_with_the_reason() {
    let shop = Sandbox::with_workers(&[command("ghost", &["no-such-program-anywhere"])]);
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    let result = shop.result("failed/x");
    assert_eq!(result["error"]["kind"], "command_failed");
    let message = result["error"]["message"].as_str().unwrap();
    assert!(message.contains("no-such-program-anywhere"), "{message}");
}

#[test]
fn a_result_larger_than_a_task_may_be_is_retried_all_the_same() {
    let shop = Sandbox::new();
    shop.hire(
        &[script("loud", "head -c 300000 /dev/zero | tr '\\0' x; exit 3", &[])],
        &json!({ "max_task_bytes": 100_000 }),
    );
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    shop.koubou(["retry", "x"]).ends(0);
    shop.drain().ends(0);
    assert_eq!(shop.result("failed/x")["attempts"].as_array().unwrap().len(), 2);
}

#[test]
fn a_secret_in_a_tasks_names_stands_in_no_row_and_no_journal() {
    let shop = Sandbox::with_echo();
    let secret = fresh_secret();
    shop.dotenv(&format!("SOME_TOKEN={secret}\n"));
    let task = |more: Value| {
        let mut task = json!({ "description": "a", "worker": "echo" });
        task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        task
    };
    shop.drop_task("named", &task(json!({ "task_id": format!("t-{secret}") })));
    shop.drop_task("typed", &task(json!({ "task_type": secret })));
    shop.drop_task("child", &task(json!({ "parent_task_id": secret })));
    shop.drop_task("waiting", &task(json!({ "depends_on": [secret] })));
    shop.drain().ends(0);
    assert_eq!(shop.names("completed"), ["t-___.json"]);
    for name in ["typed", "child", "waiting"] {
        assert_eq!(shop.result(&format!("failed/{name}"))["error"]["kind"], "invalid_task");
        fs::remove_file(shop.task_file(format!("failed/{name}.rejected"))).unwrap();
    }
    shop.koubou(["rebuild"]).ends(0);
    assert_eq!(shop.count("SELECT count(*) FROM task_master"), 4);
    shop.assert_nowhere(&secret);
}
