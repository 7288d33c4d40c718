//! A task's life: dropped, ordered, run, tried again, withdrawn, cancelled, paused.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::Sandbox;
use crate::support::gate::Gate;
use crate::support::workers::{self, script, with};

fn echo(text: &str) -> Value {
    json!({ "description": text, "worker": "echo" })
}

#[test]
fn a_thousand_drops_become_a_thousand_results() {
    let shop = Sandbox::with_echo();
    for n in 0..1_000 {
        shop.drop_task(&format!("t{n}"), &echo(&format!("task {n}")));
    }
    shop.drain().ends(0);
    for n in 0..1_000 {
        let result = shop.result(&format!("completed/t{n}"));
        assert_eq!(result["content"], format!("task {n}"));
        assert_eq!(result["task"]["description"], format!("task {n}"));
    }
    assert!(shop.names("pending").is_empty() && shop.names("in_progress").is_empty());
    assert!(shop.names("failed").is_empty());
    assert_eq!(shop.count("SELECT count(*) FROM task_master WHERE status = 'completed'"), 1_000);
    assert_eq!(shop.count("SELECT count(*) FROM task_master"), 1_000);
    assert!(crate::support::sandbox::names(&shop.home().join("tmp")).is_empty());
}

#[test]
fn higher_priorities_go_first_and_then_who_came_first() {
    let shop = Sandbox::new();
    let order = shop.beside("order");
    let note = script("note", "cat >> \"$1\"; echo >> \"$1\"", &[order.to_str().unwrap()]);
    shop.hire(&[with(note, "concurrency", 1)], &json!({}));
    shop.koubou(["pause"]).ends(0);
    let _daemon = shop.daemon();
    for (n, (name, priority)) in
        [("low", 1), ("normal", 5), ("high", 9), ("normal-too", 5), ("highest", 10)]
            .iter()
            .enumerate()
    {
        shop.drop_task(name, &json!({ "description": name, "priority": priority }));
        shop.eventually("the drop is seen", || {
            shop.count("SELECT count(*) FROM task_master") == n as i64 + 1
        });
    }
    shop.koubou(["resume"]).ends(0);
    shop.koubou(["wait", "low", "--timeout", "20s"]).ends(0);
    assert_eq!(fs::read_to_string(order).unwrap(), "highest\nhigh\nnormal\nnormal-too\nlow\n");
}

#[test]
fn a_task_runs_after_what_it_depends_on() {
    let shop = Sandbox::new();
    let fails = script("fails", "exit 3", &[]);
    shop.hire(&[workers::echo(), fails], &json!({}));
    shop.drop_task("c", &json!({ "description": "c", "worker": "echo", "depends_on": ["a", "b"] }));
    shop.drop_task("b", &json!({ "description": "b", "worker": "echo", "depends_on": ["a"] }));
    shop.drop_task("a", &echo("a"));
    shop.drop_task("bad", &json!({ "description": "x", "worker": "fails" }));
    shop.drop_task(
        "after-bad",
        &json!({ "description": "x", "worker": "echo", "depends_on": ["bad"] }),
    );
    shop.drop_task(
        "after-after",
        &json!({ "description": "x", "worker": "echo", "depends_on": ["after-bad"] }),
    );
    shop.drop_task(
        "lonely",
        &json!({ "description": "x", "worker": "echo", "depends_on": ["nobody"] }),
    );
    let said = shop.drain().ends(75);
    assert!(said.err.contains("`nobody`"), "{}", said.err);
    let time = |name: &str, key: &str| {
        shop.result(&format!("completed/{name}"))[key].as_str().unwrap().to_owned()
    };
    assert!(time("a", "finished_at") <= time("b", "started_at"));
    assert!(time("b", "finished_at") <= time("c", "started_at"));
    for name in ["after-bad", "after-after"] {
        assert_eq!(shop.result(&format!("failed/{name}"))["error"]["kind"], "dependency_failed");
    }
    assert_eq!(shop.names("pending"), ["lonely.json"]);
    shop.drop_task("nobody", &echo("here I am"));
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/lonely")["content"], "x");
}

#[test]
fn a_task_waits_for_its_time_and_not_beyond_it() {
    let shop = Sandbox::with_echo();
    shop.drop_task(
        "later",
        &json!({ "description": "a", "worker": "echo", "not_before": "2999-01-01T00:00:00Z" }),
    );
    shop.drop_task(
        "late",
        &json!({ "description": "a", "worker": "echo", "expires_at": "2001-01-01T00:00:00Z" }),
    );
    let said = shop.drain().ends(75);
    assert!(said.err.contains("2999-01-01"), "{}", said.err);
    assert_eq!(shop.names("pending"), ["later.json"]);
    assert_eq!(shop.result("failed/late")["error"]["kind"], "expired");
    assert_eq!(
        shop.count(
            "SELECT count(*) FROM task_master WHERE status = 'pending' AND waits_for IS NOT NULL"
        ),
        1
    );
}

#[test]
fn a_failed_task_is_tried_again_with_its_history() {
    let shop = Sandbox::new();
    let flag = shop.beside("flag");
    let moody = script("moody", "cat \"$1\"", &[flag.to_str().unwrap()]);
    shop.hire(&[moody], &json!({}));
    shop.drop_task("x", &json!({ "description": "a", "metadata": { "mine": 1 } }));
    shop.drain().ends(0);
    assert_eq!(shop.result("failed/x")["error"]["kind"], "command_failed");
    // By hand, and it fails again.
    by_hand("mv", &shop.task_file("failed/x.json"), &shop.task_file("pending"));
    shop.drain().ends(0);
    assert_eq!(shop.result("failed/x")["attempts"].as_array().unwrap().len(), 2);
    // By command, and now it goes well.
    fs::write(&flag, "well").unwrap();
    shop.koubou(["retry", "x"]).ends(0);
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    assert_eq!(result["content"], "well");
    assert_eq!(result["attempts"].as_array().unwrap().len(), 3);
    assert_eq!(result["task"], json!({ "description": "a", "metadata": { "mine": 1 } }));
    assert!(shop.names("failed").is_empty(), "the newer result replaces the older one");
    assert_eq!(shop.count("SELECT count(*) FROM task_master"), 1);
}

/// What a person does with `mv` and `cp`.
fn by_hand(program: &str, from: &Path, to: &Path) {
    assert!(Command::new(program).arg(from).arg(to).status().unwrap().success());
}

#[test]
fn a_completed_task_runs_again_when_its_result_is_put_into_pending() {
    let shop = Sandbox::new();
    let flag = shop.beside("flag");
    fs::write(&flag, "one").unwrap();
    shop.hire(&[script("says", "cat \"$1\"", &[flag.to_str().unwrap()])], &json!({}));
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    for (text, program, attempts) in [("two", "cp", 2), ("three", "mv", 3)] {
        fs::write(&flag, text).unwrap();
        by_hand(program, &shop.task_file("completed/x.json"), &shop.task_file("pending"));
        shop.drain().ends(0);
        let result = shop.result("completed/x");
        assert_eq!(result["content"], text);
        assert_eq!(result["attempts"].as_array().unwrap().len(), attempts);
        assert_eq!(shop.names("completed"), ["x.json"]);
        assert!(shop.names("failed").is_empty() && shop.names("pending").is_empty());
    }
    assert_eq!(shop.count("SELECT count(*) FROM task_master"), 1);
}

#[test]
fn a_task_that_is_removed_from_pending_is_withdrawn() {
    let shop = Sandbox::with_echo();
    shop.koubou(["pause"]).ends(0);
    let _daemon = shop.daemon();
    shop.drop_task("x", &echo("a"));
    shop.drop_task(
        "needs-x",
        &json!({ "description": "b", "worker": "echo", "depends_on": ["x"] }),
    );
    let rows = |name: &str| {
        shop.count(&format!("SELECT count(*) FROM task_master WHERE task_id = '{name}'"))
    };
    shop.eventually("both rows", || rows("x") + rows("needs-x") == 2);
    fs::remove_file(shop.task_file("pending/x.json")).unwrap();
    shop.eventually("the row goes", || rows("x") == 0);
    shop.koubou(["wait", "needs-x", "--timeout", "20s"]).ends(1);
    assert_eq!(shop.result("failed/needs-x")["error"]["kind"], "dependency_failed");
    shop.eventually("a line stays", || {
        shop.count(
            "SELECT count(*) FROM system_logs WHERE task_id = 'x' AND message LIKE 'withdrawn%'",
        ) == 1
    });
}

#[test]
fn what_waits_and_what_runs_can_be_cancelled() {
    let shop = Sandbox::with_workers(&[with(
        workers::command("sleeper", &["sleep", "600"]),
        "concurrency",
        1,
    )]);
    let daemon = shop.daemon();
    shop.drop_task("runs", &json!({ "description": "a" }));
    daemon.until_said("runs: begun");
    shop.drop_task("waits", &json!({ "description": "a" }));
    shop.koubou(["cancel", "waits"]).ends(0);
    shop.koubou(["wait", "waits", "--timeout", "20s"]).ends(1);
    shop.koubou(["cancel", "runs"]).ends(0);
    shop.koubou(["wait", "runs", "--timeout", "20s"]).ends(1);
    for name in ["runs", "waits"] {
        assert_eq!(shop.result(&format!("failed/{name}"))["error"]["kind"], "cancelled");
    }
    assert_eq!(daemon.stop(), Some(0));
    let said = shop.koubou(["cancel", "runs"]).ends(1);
    assert!(said.err.contains("failed already"), "{}", said.err);
}

#[test]
fn what_is_cancelled_while_nobody_works_never_runs() {
    let shop = Sandbox::with_echo();
    shop.drop_task("x", &echo("a"));
    let said = shop.koubou(["cancel", "x"]).ends(0);
    assert!(said.err.contains("koubou start"), "{}", said.err);
    shop.drain().ends(0);
    assert_eq!(shop.result("failed/x")["error"]["kind"], "cancelled");
}

#[test]
fn a_pause_survives_a_restart() {
    let shop = Sandbox::with_echo();
    shop.koubou(["pause"]).ends(0);
    shop.drop_task("x", &echo("a"));
    let said = shop.drain().ends(75);
    assert!(said.err.contains("koubou resume"), "{}", said.err);
    shop.drain().ends(75);
    assert_eq!(shop.names("pending"), ["x.json"]);
    shop.koubou(["resume"]).ends(0);
    shop.koubou(["pause", "echo"]).ends(0);
    let said = shop.drain().ends(75);
    assert!(said.err.contains("koubou resume echo"), "{}", said.err);
    shop.koubou(["resume", "echo"]).ends(0);
    shop.drain().ends(0);
    assert_eq!(shop.names("completed"), ["x.json"]);
}

#[test]
fn nothing_begins_on_a_disk_that_is_nearly_full() {
    let shop = Sandbox::new();
    shop.hire(&[workers::echo()], &json!({ "min_free_bytes": 1_u64 << 50 }));
    shop.drop_task("x", &echo("a"));
    let said = shop.drain().ends(75);
    assert!(said.err.contains("1 task waits: room on the disk"), "{}", said.err);
    assert_eq!(shop.names("pending"), ["x.json"]);
    shop.hire(&[workers::echo()], &json!({}));
    shop.drain().ends(0);
}

#[test]
fn a_first_signal_lets_finish_what_runs() {
    let shop = Sandbox::new();
    let gate = Gate::at(shop.beside("gate"));
    shop.hire(&[gate.worker()], &json!({}));
    let mut daemon = shop.daemon();
    shop.drop_task("runs", &json!({ "description": "a" }));
    daemon.until_said("runs: begun");
    shop.drop_task("waits", &json!({ "description": "a" }));
    daemon.term();
    daemon.until_said("stopping");
    gate.open("done");
    assert_eq!(daemon.ended(), Some(0));
    assert_eq!(shop.result("completed/runs")["content"], "done");
    assert_eq!(shop.names("pending"), ["waits.json"]);
    assert!(shop.names("in_progress").is_empty());
}

#[test]
fn a_second_signal_puts_back_what_runs() {
    let shop = Sandbox::with_workers(&[workers::command("sleeper", &["sleep", "600"])]);
    let mut daemon = shop.daemon();
    shop.drop_task("x", &json!({ "description": "a" }));
    daemon.until_said("x: begun");
    daemon.term();
    daemon.until_said("stopping");
    daemon.term();
    assert_eq!(daemon.ended(), Some(0));
    assert_eq!(shop.names("pending"), ["x.json"]);
    assert!(shop.names("in_progress").is_empty() && shop.names("failed").is_empty());
    assert_eq!(shop.count("SELECT count(*) FROM task_master WHERE status = 'pending'"), 1);
    let status: Value = shop.koubou(["status", "--json"]).ends(0).json();
    assert_eq!(status["running"], false);
}

#[test]
fn the_mirror_follows_what_people_do_by_hand() {
    let shop = Sandbox::with_echo();
    let _daemon = shop.daemon();
    let status = |id: &str| {
        let sql = format!("SELECT group_concat(status) FROM task_master WHERE task_id = '{id}'");
        shop.mirror().query_row(&sql, [], |row| row.get::<_, Option<String>>(0)).unwrap()
    };
    for name in ["a", "b", "c"] {
        shop.drop_task(name, &echo(name));
    }
    shop.koubou(["wait", "a", "b", "c", "--timeout", "20s"]).ends(0);
    fs::remove_file(shop.task_file("completed/a.json")).unwrap();
    shop.eventually("the row goes", || status("a").is_none());
    by_hand("mv", &shop.task_file("completed/b.json"), &shop.beside("b.json"));
    shop.eventually("the row goes", || status("b").is_none());
    by_hand("mv", &shop.beside("b.json"), &shop.task_file("completed"));
    shop.eventually("the row is back", || status("b").as_deref() == Some("completed"));
    // A hard link is a drop like any other.
    fs::write(shop.beside("d.json"), echo("d").to_string()).unwrap();
    by_hand("ln", &shop.beside("d.json"), &shop.task_file("pending"));
    shop.eventually("it ends", || shop.task_file("completed/d.json").exists());
    assert_eq!(shop.result("completed/d")["content"], "d");
}

#[test]
fn a_second_daemon_learns_who_the_first_is() {
    let shop = Sandbox::with_echo();
    let daemon = shop.daemon();
    let said = shop.drain().ends(1);
    assert!(said.err.contains(&format!("process {} ", daemon.pid())), "{}", said.err);
    assert!(said.err.contains("hint: "), "{}", said.err);
    drop(daemon);
    shop.drain().ends(0);
}

#[test]
fn without_a_daemon_people_are_told_how_to_get_one() {
    let shop = Sandbox::with_echo();
    for args in
        [&["submit", "--worker", "echo", "-d", "a", "--id", "x"][..], &["workers"], &["status"]]
    {
        let said = shop.koubou(args).ends(0);
        assert!(said.err.contains("`koubou start`"), "{args:?}: {}", said.err);
    }
    let said = shop.koubou(["wait", "x", "--timeout", "10ms"]);
    assert!(said.code == 124 && said.err.contains("`koubou start`"), "{said:?}");
}

#[test]
fn nothing_works_where_there_is_no_home() {
    let shop = Sandbox::new();
    let elsewhere = shop.beside("elsewhere");
    for command in ["start", "status", "list", "workers", "budget", "rebuild"] {
        let said = shop.koubou(["--home", elsewhere.to_str().unwrap(), command]).ends(1);
        assert!(said.err.contains("koubou --home") && said.err.contains(" init"), "{}", said.err);
    }
    assert!(!elsewhere.exists());
}

#[test]
fn another_folder_in_the_place_of_pending_is_seen() {
    let shop = Sandbox::with_echo();
    let _daemon = shop.daemon();
    let pending = shop.task_file("pending");
    by_hand("mv", &pending, &shop.task_file("set-aside"));
    // The daemon may have made it anew already.
    fs::create_dir_all(&pending).unwrap();
    shop.drop_task("x", &echo("a"));
    shop.koubou(["wait", "x", "--timeout", "20s"]).ends(0);
}

#[test]
fn a_drain_knows_what_ended_before_it() {
    let shop = Sandbox::with_echo();
    shop.drop_task("first", &echo("a"));
    shop.drain().ends(0);
    shop.drop_task(
        "second",
        &json!({ "description": "b", "worker": "echo", "depends_on": ["first"] }),
    );
    shop.drop_task(
        "third",
        &json!({ "description": "c", "worker": "echo", "depends_on": ["second"] }),
    );
    shop.drain().ends(0);
    assert_eq!(shop.names("completed"), ["first.json", "second.json", "third.json"]);
}

#[test]
fn tasks_that_wait_for_each_other_are_told_so() {
    let shop = Sandbox::with_echo();
    for (id, on) in [("a", "b"), ("b", "c"), ("c", "a")] {
        shop.drop_task(id, &json!({ "description": "x", "worker": "echo", "depends_on": [on] }));
    }
    shop.drain().ends(0);
    let said: Vec<String> = ["a", "b", "c"]
        .map(|id| {
            shop.result(&format!("failed/{id}"))["error"]["message"].as_str().unwrap().to_owned()
        })
        .into();
    assert!(said.iter().any(|said| said.contains("it waits for itself: `")), "{said:?}");
}

#[test]
fn a_rejected_drop_comes_back_under_its_own_name() {
    let shop = Sandbox::with_echo();
    let mend = |to: &str| fs::write(shop.task_file(to), echo("mended").to_string()).unwrap();
    for name in ["by-command", "by-mv", "by-report"] {
        fs::write(shop.task_file(format!("pending/{name}.json")), "no task").unwrap();
    }
    shop.drain().ends(0);
    // Each of the ways that people try.
    mend("failed/by-command.rejected");
    shop.koubou(["retry", "by-command"]).ends(0);
    mend("failed/by-mv.rejected");
    by_hand("mv", &shop.task_file("failed/by-mv.rejected"), &shop.task_file("pending/by-mv.json"));
    mend("failed/by-report.rejected");
    by_hand("mv", &shop.task_file("failed/by-report.json"), &shop.task_file("pending"));
    shop.drain().ends(0);
    assert_eq!(shop.names("completed"), ["by-command.json", "by-mv.json", "by-report.json"]);
    assert!(shop.names("failed").is_empty(), "{:?}", shop.names("failed"));
}
