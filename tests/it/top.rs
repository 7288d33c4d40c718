//! `koubou top` in a real terminal.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::workers::{echo, local};
use crate::support::{ModelServer, Reply, Sandbox, Tmux};

/// The process that the shell of a terminal has in the foreground.
fn foreground(tmux: &Tmux<'_>) -> Pid {
    let shell = tmux.knows("pane_pid");
    let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    Pid::from_raw(children.split_whitespace().next().unwrap().parse().unwrap()).unwrap()
}

/// Waits until the shell has the terminal again, and looks whether it is as it was.
#[track_caller]
fn is_restored(tmux: &Tmux<'_>) {
    tmux.run(
        "clear; stty -a | tr ' ;' '\\n\\n' | grep -x -e echo -e icanon -e isig | paste -s -d +",
    );
    tmux.until(&["isig+icanon+echo"]);
    assert_eq!(
        (tmux.knows("alternate_on").as_str(), tmux.knows("cursor_flag").as_str()),
        ("0", "1")
    );
}

#[test]
fn the_workshop_is_seen_and_steered_from_a_terminal() {
    let server = ModelServer::start();
    let shop = Sandbox::with_workers(&[local(&server), echo()]);
    let Some(tmux) = Tmux::start(&shop, 80, 24) else { return };
    let daemon = shop.daemon();
    shop.drop_task("日誌", &json!({ "description": "Hello, spool", "worker": "echo" }));
    daemon.until_said("日誌: completed");
    server.will(Reply::answer("late", 5, 5).held());
    shop.drop_task("slow", &json!({ "description": "think", "worker": "local" }));
    server.wait_for_held(1);

    tmux.run("koubou top; echo \"left with $?\"");
    let screen = tmux.until(&["working for", "1 in progress", "1 completed", "1/1", "local-1"]);
    assert!(screen.contains("begun       slow") && screen.contains("completed   日誌"), "{screen}");
    let clock = |screen: &str| {
        let line = screen.lines().find(|line| line.contains("local-1 ")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|seconds| seconds.parse::<u32>().ok())
    };
    let began = clock(&screen);
    tmux.until_it("the clock goes on", |screen| clock(screen) > began);

    // What is dropped is seen at once, and waits for the hand that is busy.
    shop.drop_task("next", &json!({ "description": "too", "worker": "local" }));
    tmux.until(&["[1 pending]", "a free hand of worker `local`", "dropped     next"]);
    tmux.press("p");
    tmux.until(&["PAUSED", "the workshop is paused", "paused"]);
    assert!(shop.home().join("control/pause").exists());
    tmux.press("p");
    tmux.until(&["the workshop goes on"]);
    assert!(!shop.home().join("control/pause").exists());

    // The task that runs is ended, and the next one begins.
    server.will(Reply::answer("soon", 5, 5).held());
    tmux.press("Right");
    tmux.until(&["[1 in progress]", "> slow", "local-1 for"]);
    tmux.press("x");
    tmux.until(&["cancel `slow`?"]);
    tmux.press("n");
    tmux.until(&["`slow` goes on"]);
    tmux.press("x y");
    tmux.until(&["failed      slow", "begun       next", "1 failed"]);
    assert_eq!(shop.result("failed/slow")["error"]["kind"], "cancelled");

    // A result is read, and the page of a task that has not ended follows it.
    tmux.press("Right");
    tmux.until(&["[1 completed]", "> 日誌"]);
    tmux.press("Enter");
    tmux.until(&["status       completed", "--- answer ---", "Hello, spool", "q back"]);
    tmux.press("q");
    tmux.press("Left");
    tmux.until(&["> next"]);
    tmux.press("Enter");
    tmux.until(&["status       in_progress"]);
    // The reply that nobody waits for any more is held, too.
    server.release();
    server.release();
    tmux.until(&["status       completed", "--- answer ---", "soon"]);
    tmux.press("q");

    // What failed is run again, found by a part of its id.
    server.will(Reply::answer("better", 5, 5));
    tmux.press("/ l o w Enter");
    tmux.until(&["like \"low\"", "> slow", "failed"]);
    tmux.press("r");
    tmux.until(&["completed   slow", "> slow      completed"]);
    tmux.press("Escape");

    tmux.resize(120, 40);
    tmux.until_it("it fills the window", |screen| {
        screen.lines().nth(39).is_some_and(|line| line.starts_with("Tab pane"))
    });
    tmux.resize(30, 8);
    tmux.until(&["the window is too small"]);
    tmux.resize(80, 24);
    tmux.until(&["WORKERS", "EVENTS", "Tab pane"]);
    tmux.press("q");
    tmux.until(&["left with 0"]);
    is_restored(&tmux);
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn the_terminal_is_restored_however_it_ends() {
    let shop = Sandbox::with_echo();
    let Some(tmux) = Tmux::start(&shop, 80, 24) else { return };
    for (signal, left) in [(Signal::TERM, "left with 143"), (Signal::HUP, "left with 129")] {
        tmux.run("clear; koubou top; echo \"left with $?\"");
        tmux.until(&["NO DAEMON", "q quit"]);
        kill_process(foreground(&tmux), signal).unwrap();
        tmux.until(&[left]);
        is_restored(&tmux);
    }
    tmux.run("clear; koubou top; echo \"left with $?\"");
    tmux.until(&["NO DAEMON", "q quit"]);
    tmux.press("C-l");
    tmux.press("C-z");
    tmux.until(&["Stopped"]);
    is_restored(&tmux);
    tmux.run("fg");
    tmux.until(&["NO DAEMON", "q quit"]);
    // It was stopped, and no event was lost.
    shop.drop_task("a", &json!({ "description": "x", "worker": "echo" }));
    tmux.until(&["[1 pending]", "a daemon: `koubou start`"]);
    tmux.press("C-c");
    tmux.until_it("the shell is back", |screen| !screen.contains("q quit"));
    is_restored(&tmux);
}

#[test]
fn a_daemon_that_comes_and_goes_is_noticed_and_a_bad_mirror_only_dims() {
    let shop = Sandbox::with_echo();
    let Some(tmux) = Tmux::start(&shop, 80, 24) else { return };
    fs::write(shop.home().join("db/koubou.db"), "this is no database, whatever its name says")
        .unwrap();
    shop.drop_task("a", &json!({ "description": "x", "worker": "echo" }));
    tmux.run("koubou top");
    tmux.until(&["NO DAEMON", "[1 pending]", "! states and reasons may be old", "> a"]);
    let daemon = shop.daemon();
    let working = format!("process {}", daemon.pid());
    tmux.until_it("it works with a good mirror", |screen| {
        screen.contains(&working)
            && screen.contains("1 completed")
            && !screen.contains("may be old")
    });
    // No file tells of this end.
    daemon.kill();
    tmux.until(&["NO DAEMON", "offline"]);
    let daemon = shop.daemon();
    tmux.until(&[&format!("process {}", daemon.pid())]);
    assert_eq!(daemon.stop(), Some(0));
    tmux.until(&["NO DAEMON"]);
    tmux.press("q");
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let shop = Sandbox::with_echo();
    let said = shop.koubou(["top"]).ends(2);
    assert!(said.out.is_empty(), "{}", said.out);
    for part in ["draws on a terminal", "`koubou status`", "`koubou watch`"] {
        assert!(said.err.contains(part), "{}", said.err);
    }
    let said = shop.koubou(["top", "--json"]).ends(2);
    assert!(said.err.contains("it has no JSON"), "{}", said.err);
}
