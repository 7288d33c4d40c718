//! Tasks that belong together, and what people do with many: wait, watch, drop once, be told.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Sandbox, workers};

fn echo_of(group: &str) -> Value {
    json!({ "description": group, "worker": "echo", "group": group })
}

/// The tasks in the order in which their attempts began.
fn order(shop: &Sandbox) -> Vec<String> {
    let mut lines = Vec::new();
    for name in crate::support::sandbox::names(&shop.home().join("journal")) {
        let text = fs::read_to_string(shop.home().join("journal").join(name)).unwrap();
        lines.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    let begun = lines.iter().filter(|line| line["event"] == "attempt");
    begun.map(|line| line["task"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn groups_take_turns() {
    let shop = Sandbox::new();
    shop.hire(&[workers::with(workers::echo(), "concurrency", 1)], &json!({}));
    shop.koubou(["pause"]).ends(0);
    for n in 0..6 {
        shop.drop_task(&format!("big{n}"), &echo_of("big"));
    }
    let daemon = shop.daemon();
    let waiting = "SELECT count(*) FROM task_master WHERE task_group = 'big'";
    shop.eventually("all six are seen", || shop.count(waiting) == 6);
    for n in 0..2 {
        shop.drop_task(&format!("small{n}"), &echo_of("small"));
    }
    let waiting = "SELECT count(*) FROM task_master WHERE task_group = 'small'";
    shop.eventually("both are seen", || shop.count(waiting) == 2);
    shop.koubou(["resume"]).ends(0);
    shop.koubou(["wait", "--group", "big"]).ends(0);
    shop.koubou(["wait", "--group", "small"]).ends(0);
    assert_eq!(daemon.stop(), Some(0));
    let order = order(&shop);
    let place = |id: &str| order.iter().position(|other| other == id).unwrap();
    assert!(place("small0") <= 1 && place("small1") <= 3, "{order:?}");
}

#[test]
fn a_group_is_paused_and_goes_on_alone() {
    let shop = Sandbox::with_echo();
    shop.koubou(["pause", "--group", "night"]).ends(0);
    shop.drop_task("n", &echo_of("night"));
    shop.drop_task("d", &echo_of("day"));
    let said = shop.drain().ends(75);
    assert!(said.err.contains("group `night` is paused"), "{}", said.err);
    assert_eq!(shop.names("completed"), ["d.json"]);
    let listed = shop.koubou(["list", "--json"]).ends(0).json();
    assert!(listed.to_string().contains("group `night` is paused"), "{listed:#}");
    shop.koubou(["resume", "--group", "night"]).ends(0);
    shop.drain().ends(0);
    assert_eq!(shop.names("completed"), ["d.json", "n.json"]);
}

#[test]
fn waiting_for_any_ends_with_the_first() {
    let shop = Sandbox::with_echo();
    shop.koubou(["pause", "--group", "b"]).ends(0);
    shop.drop_task("one", &echo_of("a"));
    shop.drop_task("two", &echo_of("b"));
    let daemon = shop.daemon();
    let said = shop.koubou(["wait", "--any", "one", "two"]).ends(0);
    assert_eq!(said.out, "one\n");
    shop.koubou(["wait", "--all", "one", "two", "--timeout", "0s"]).ends(124);
    shop.koubou(["wait", "--group", "b", "--timeout", "0s"]).ends(124);
    shop.koubou(["wait", "--group", "nobody"]).ends(1);
    shop.koubou(["resume", "--group", "b"]).ends(0);
    shop.koubou(["wait", "--all", "one", "two"]).ends(0);
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn what_is_there_already_is_not_dropped_again() {
    let shop = Sandbox::with_echo();
    let task = "{\"description\": \"a\", \"worker\": \"echo\"}";
    let same = "{\"worker\": \"echo\", \"description\": \"a\"}";
    let submit = |text: &str| shop.run(shop.command(["submit", "--unique", "-"]), text).ends(0).out;
    let id = submit(task);
    assert_eq!(submit(same), id, "the order of the fields is nothing");
    assert_eq!(shop.names("pending").len(), 1);
    shop.drain().ends(0);
    assert_eq!(submit(task), id);
    assert_ne!(submit("{\"description\": \"b\"}"), id);
    assert_eq!(shop.names("pending").len(), 1);
    shop.koubou(["submit", "--unique", "--id", "nightly", "-d", "x"]).ends(0);
    shop.koubou(["submit", "--unique", "--id", "nightly", "-d", "y"]).ends(0);
    assert_eq!(shop.names("pending").len(), 2);
}

#[test]
fn the_same_from_many_at_once_is_dropped_once_while_the_daemon_does_it() {
    let shop = Sandbox::with_echo();
    let daemon = shop.daemon();
    for round in 0..4 {
        let text = format!("round {round}");
        let submit = || {
            let mut command = shop.command(["submit", "--unique", "--worker", "echo", "-d", &text]);
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
        };
        let all: Vec<_> = (0..8).map(|_| submit()).collect();
        let ids: std::collections::BTreeSet<Vec<u8>> =
            all.into_iter().map(|child| child.wait_with_output().unwrap().stdout).collect();
        assert_eq!(ids.len(), 1, "all are told the same id");
        let id = String::from_utf8(ids.first().unwrap().clone()).unwrap();
        daemon.until_said(&format!("{}: completed", id.trim()));
    }
    shop.eventually("all is done", || shop.names("pending").is_empty());
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(shop.names("completed").len(), 4);
}

#[test]
fn the_owner_is_told_when_a_task_has_ended_and_when_nothing_is_left() {
    let shop = Sandbox::new();
    let told = shop.beside("told");
    let tell = |text: &str| json!(["sh", "-c", format!("echo {text} >> '{}'", told.display())]);
    let done = tell("$KOUBOU_STATUS $KOUBOU_TASK_ID $(test -f \"$KOUBOU_RESULT\" && echo there)");
    shop.hire(&[workers::echo()], &json!({ "on_done": done, "on_empty": tell("empty") }));
    shop.drop_task("a", &echo_of("g"));
    shop.drain().ends(0);
    let text = fs::read_to_string(&told).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["completed a there", "empty"]);
}

#[test]
fn whoever_watches_sees_each_thing_as_it_happens() {
    let shop = Sandbox::with_echo();
    let mut command = shop.command(["watch", "--json"]);
    let mut watcher = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut hints = BufReader::new(watcher.stderr.take().unwrap());
    let mut hint = String::new();
    // It says that no daemon runs once it is watching.
    hints.read_line(&mut hint).unwrap();
    assert!(hint.contains("no daemon"), "{hint}");
    let (tell, told) = std::sync::mpsc::channel();
    let out = BufReader::new(watcher.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        for line in out.lines() {
            let happening: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if tell.send(happening).is_err() {
                break;
            }
        }
    });
    shop.drop_task("a", &echo_of("g"));
    // What had gone before anybody could look at it is told, too.
    shop.drain().ends(0);
    let mut events = Vec::new();
    while events.last().map(String::as_str) != Some("completed") {
        let happening = told.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(happening["task_id"], "a", "{happening}");
        events.push(happening["event"].as_str().unwrap().to_owned());
    }
    assert_eq!(events, ["dropped", "begun", "ended", "completed"]);
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    reader.join().unwrap();
}
