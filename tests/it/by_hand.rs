//! What a person does by hand in the folders, at any time: each is a command, and the mirror follows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::crash::{Dice, assert_mirror_is_what_a_rebuild_makes};
use crate::support::daemon::Daemon;
use crate::support::gate::Gate;
use crate::support::sandbox::names;
use crate::support::workers::{self, script};
use crate::support::{Sandbox, is_full_torture};

fn echo(text: &str) -> Value {
    json!({ "description": text, "worker": "echo" })
}

/// Runs a program as a person would; that the file is gone by now is an ordinary day.
fn sh(program: &str, arguments: &[&Path]) {
    let mut command = Command::new(program);
    command.args(arguments).stderr(std::process::Stdio::null());
    command.status().unwrap();
}

/// A task `x` that is worked on until the gate is opened.
fn task_at_the_gate() -> (Sandbox, Gate, Daemon) {
    let shop = Sandbox::new();
    let gate = Gate::at(shop.beside("gate"));
    shop.hire(&[gate.worker()], &json!({}));
    let daemon = shop.daemon();
    shop.drop_task("x", &json!({ "description": "a" }));
    daemon.until_said("x: begun");
    (shop, gate, daemon)
}

#[test]
fn a_task_that_is_edited_while_it_waits_runs_as_it_is_then() {
    let shop = Sandbox::with_echo();
    shop.koubou(["pause"]).ends(0);
    let _daemon = shop.daemon();
    for name in ["in-place", "by-rename"] {
        shop.drop_task(name, &echo("first thoughts"));
        shop.eventually("it is seen", || {
            shop.count(&format!("SELECT count(*) FROM task_master WHERE task_id = '{name}'")) == 1
        });
    }
    let better = json!({ "description": "second thoughts", "worker": "echo", "priority": 9 });
    shop.drop_task("in-place", &better);
    let aside = shop.task_file("pending/.by-rename.json.swp");
    fs::write(&aside, better.to_string()).unwrap();
    sh("mv", &[&aside, &shop.task_file("pending/by-rename.json")]);
    shop.eventually("the mirror follows", || {
        shop.count("SELECT count(*) FROM task_master WHERE priority = 9") == 2
    });
    shop.koubou(["resume"]).ends(0);
    for name in ["in-place", "by-rename"] {
        shop.koubou(["wait", name, "--timeout", "20s"]).ends(0);
        assert_eq!(shop.result(&format!("completed/{name}"))["content"], "second thoughts");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a person's `mv` replaces what is there")]
fn what_takes_a_tasks_place_while_it_is_claimed_runs_too() {
    let shop = Sandbox::with_echo();
    let daemon = shop.daemon();
    let aside = shop.task_file("pending/.aside");
    for n in 0..150 {
        for text in ["first thoughts", "second thoughts"] {
            fs::write(&aside, echo(text).to_string()).unwrap();
            fs::rename(&aside, shop.task_file(format!("pending/x{n}.json"))).unwrap();
        }
    }
    shop.eventually("all of it is done", || {
        shop.names("pending").is_empty() && shop.names("in_progress").is_empty()
    });
    assert_eq!(daemon.stop(), Some(0));
    for n in 0..150 {
        // The first may have been claimed before the second came, which then is a task of its own.
        let texts = [format!("completed/x{n}"), format!("completed/x{n}.2")]
            .map(|result| shop.task_file(format!("{result}.json")))
            .map(|file| fs::read_to_string(file).unwrap_or_default());
        assert!(texts.iter().any(|text| text.contains("second thoughts")), "x{n}: {texts:?}");
    }
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn a_failed_task_can_be_mended_where_it_lies_and_put_back() {
    let shop = Sandbox::with_workers(&[script("picky", "grep -q please", &[])]);
    shop.drop_task("x", &json!({ "description": "do it" }));
    shop.drain().ends(0);
    let failed = shop.task_file("failed/x.json");
    let mut result = shop.result("failed/x");
    result["task"]["description"] = "do it, please".into();
    fs::write(&failed, result.to_string()).unwrap();
    sh("mv", &[&failed, &shop.task_file("pending")]);
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/x")["attempts"].as_array().unwrap().len(), 2);
    assert!(shop.names("failed").is_empty());
}

#[test]
fn a_task_that_is_put_back_while_it_is_worked_on_ends_once() {
    let (shop, gate, mut daemon) = task_at_the_gate();
    sh("mv", &[&shop.task_file("in_progress/x.json"), &shop.task_file("pending")]);
    sh("touch", &[&shop.task_file("pending/x.json")]);
    gate.open("done");
    shop.eventually("it has ended", || shop.names("completed") == ["x.json"]);
    daemon.until_said("moved it while it was worked on");
    daemon.term();
    assert_eq!(daemon.ended(), Some(0), "{}", daemon.said());
    assert_eq!(shop.result("completed/x")["content"], "done");
    assert!(shop.names("pending").is_empty() && shop.names("failed").is_empty());
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn a_task_that_is_moved_among_the_results_while_it_is_worked_on_ends_once() {
    for folder in ["completed", "failed"] {
        let (shop, gate, daemon) = task_at_the_gate();
        sh("mv", &[&shop.task_file("in_progress/x.json"), &shop.task_file(folder)]);
        shop.koubou(["wait", "x", "--timeout", "0s"]).ends(124);
        gate.open("done");
        shop.koubou(["wait", "x", "--timeout", "20s"]).ends(0);
        assert_eq!(daemon.stop(), Some(0));
        assert_eq!(shop.result("completed/x")["content"], "done");
        assert_eq!(shop.names("completed"), ["x.json"]);
        assert!(shop.names("failed").is_empty());
        assert_mirror_is_what_a_rebuild_makes(&shop);
    }
}

#[test]
fn a_folder_in_the_place_of_a_claim_stops_nobody() {
    let (shop, gate, daemon) = task_at_the_gate();
    let claim = shop.task_file("in_progress/x.json");
    fs::remove_file(&claim).unwrap();
    fs::create_dir(&claim).unwrap();
    gate.open("done");
    shop.koubou(["wait", "x", "--timeout", "20s"]).ends(0);
    assert_eq!(daemon.stop(), Some(0));
    fs::create_dir(&claim).unwrap();
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/x")["content"], "done");
    assert_eq!(shop.names("failed"), ["x.2.rejected", "x.rejected"]);
}

#[test]
fn a_drop_that_is_rejected_again_leaves_what_lies_there() {
    let shop = Sandbox::with_echo();
    shop.drop_bytes("x.json", "no task");
    shop.drain().ends(0);
    shop.koubou(["retry", "x"]).ends(0);
    let daemon = shop.daemon();
    fs::write(shop.task_file("failed/x.rejected"), "an editor's save").unwrap();
    shop.eventually("it is rejected again", || shop.names("pending").is_empty());
    assert_eq!(daemon.stop(), Some(0));
    let kept = fs::read_to_string(shop.task_file("failed/x.rejected")).unwrap();
    assert_eq!(kept, "an editor's save");
    shop.drain().ends(0);
    assert!(shop.names("in_progress").is_empty());
}

#[test]
fn a_home_is_worked_where_its_link_led_to_when_work_began() {
    let shop = Sandbox::new();
    let gate = Gate::at(shop.beside("gate"));
    shop.hire(&[gate.worker()], &json!({}));
    let (link, empty) = (shop.beside("link"), shop.beside("empty"));
    fs::create_dir(&empty).unwrap();
    std::os::unix::fs::symlink(shop.home(), &link).unwrap();
    let daemon = shop.start(["--home", link.to_str().unwrap(), "start"]);
    shop.drop_task("x", &json!({ "description": "a" }));
    daemon.until_said("x: begun");
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&empty, &link).unwrap();
    gate.open("done");
    daemon.until_said("x: completed");
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(shop.names("completed"), ["x.json"]);
    assert!(names(&empty).is_empty());
}

#[test]
fn what_is_changed_after_it_was_put_back_is_a_task_of_its_own() {
    let shop = Sandbox::new();
    let gate = Gate::at(shop.beside("gate"));
    shop.hire(&[gate.worker(), workers::echo()], &json!({}));
    let daemon = shop.daemon();
    shop.drop_task("x", &json!({ "description": "a", "worker": "gate" }));
    daemon.until_said("x: begun");
    sh("mv", &[&shop.task_file("in_progress/x.json"), &shop.task_file("pending")]);
    fs::write(shop.task_file("pending/x.json"), echo("second thoughts").to_string()).unwrap();
    gate.open("first thoughts");
    shop.eventually("both have ended", || shop.names("completed").len() == 2);
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(shop.result("completed/x")["content"], "first thoughts");
    assert_eq!(shop.result("completed/x.2")["content"], "second thoughts");
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn a_home_that_is_moved_while_it_is_worked_stops_its_daemon_and_loses_nothing() {
    let shop = Sandbox::with_workers(&[workers::command("sleeper", &["sleep", "600"])]);
    let mut daemon = shop.daemon();
    shop.drop_task("x", &json!({ "description": "a" }));
    daemon.until_said("x: begun");
    let elsewhere = shop.beside("elsewhere");
    sh("mv", &[&shop.home(), &elsewhere]);
    assert_eq!(daemon.ended(), Some(1), "{}", daemon.said());
    daemon.until_said("was moved to");
    assert!(!shop.home().exists(), "it is not made twice");
    assert_eq!(names(&elsewhere.join("tasks/in_progress")), ["x.json"]);
    sh("mv", &[&elsewhere, &shop.home()]);
    shop.hire(&[workers::echo()], &json!({}));
    shop.drain().ends(0);
    assert_eq!(shop.names("completed"), ["x.json"]);
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn folders_that_are_taken_away_are_made_anew_at_once() {
    let shop = Sandbox::with_echo();
    let daemon = shop.daemon();
    for folder in ["control", "tmp"] {
        fs::remove_dir_all(shop.home().join(folder)).unwrap();
        shop.eventually("it is made anew", || shop.home().join(folder).is_dir());
        shop.koubou(["submit", "-d", "hello", "--worker", "echo", "--wait"]).ends(0);
    }
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn what_has_a_results_name_and_is_none_ends_no_wait() {
    let shop = Sandbox::with_echo();
    shop.drop_task("x", &echo("a"));
    fs::create_dir(shop.task_file("completed/x.json")).unwrap();
    shop.koubou(["wait", "x", "--timeout", "0s"]).ends(124);
}

#[test]
fn a_task_is_named_by_its_id_and_by_its_file() {
    let shop = Sandbox::with_echo();
    let named = json!({ "task_id": "real", "description": "a", "worker": "echo" });
    shop.drop_task("file", &named);
    let listed = shop.koubou(["list", "--json"]).ends(0).json();
    assert_eq!(listed[0]["task_id"], "real");
    let shown = shop.koubou(["show", "file", "--json"]).ends(0).json();
    assert_eq!(shown["task_id"], "real");
    shop.koubou(["cancel", "file"]).ends(0);
    shop.drain().ends(0);
    assert_eq!(shop.result("failed/real")["error"]["kind"], "cancelled");
}

/// A person with too much time: every move is one that the contract calls a command.
struct Meddler<'a> {
    shop: &'a Sandbox,
    dice: Dice,
    drops: usize,
}

impl Meddler<'_> {
    fn any_of(&mut self, folder: &str) -> Option<PathBuf> {
        let names = self.shop.names(folder);
        let tasks: Vec<&String> = names.iter().filter(|name| name.ends_with(".json")).collect();
        let name = tasks.get(self.dice.up_to(tasks.len().max(1)) % tasks.len().max(1))?;
        Some(self.shop.task_file(folder).join(name))
    }

    fn meddle(&mut self) {
        let pending = self.shop.task_file("pending");
        let moved = |from: Option<PathBuf>, program: &str| {
            if let Some(from) = from {
                sh(program, &[&from, &pending]);
            }
        };
        match self.dice.up_to(9) {
            0..=3 => self.drop_one(),
            4 => moved(self.any_of("failed"), "mv"),
            5 => moved(self.any_of("completed"), "cp"),
            6 => moved(self.any_of("completed"), "mv"),
            7 => drop(self.any_of("pending").map(fs::remove_file)),
            8 => drop(self.any_of("completed").map(fs::remove_file)),
            _ => self.link_one(),
        }
    }

    fn name(&mut self) -> String {
        self.drops += 1;
        format!("t{}", self.drops)
    }

    fn drop_one(&mut self) {
        let name = self.name();
        // Some of them fail.
        let worker = if self.drops.is_multiple_of(5) { "sour" } else { "echo" };
        self.shop.drop_task(&name, &json!({ "description": name, "worker": worker }));
    }

    fn link_one(&mut self) {
        let name = self.name();
        let aside = self.shop.beside(&name);
        fs::write(&aside, echo(&name).to_string()).unwrap();
        sh("ln", &[&aside, &self.shop.task_file(format!("pending/{name}.json"))]);
    }
}

#[test]
fn whatever_people_do_by_hand_the_mirror_says_what_the_folders_say() {
    let rounds = if is_full_torture() { 20 } else { 4 };
    let sour = workers::with(script("sour", "exit 3", &[]), "max_attempts", 1);
    let patient = workers::with(workers::echo(), "max_attempts", 1_000);
    let shop = Sandbox::with_workers(&[patient, sour]);
    let mut meddler = Meddler { shop: &shop, dice: Dice(0x0b5e_55ed), drops: 0 };
    for round in 0..rounds {
        let daemon = shop.daemon();
        for _ in 0..40 {
            meddler.meddle();
        }
        // Every other daemon dies in the middle of it.
        if round % 2 == 0 {
            daemon.kill();
        } else {
            assert_eq!(daemon.stop(), Some(0));
        }
    }
    shop.drain().ends(0);
    for folder in ["pending", "in_progress"] {
        assert!(shop.names(folder).is_empty(), "{folder}: {:?}", shop.names(folder));
    }
    let (completed, failed) = (shop.names("completed"), shop.names("failed"));
    assert!(completed.len() + failed.len() > 20 * rounds / 2, "hardly anything happened");
    let both: Vec<&String> = failed.iter().filter(|name| completed.contains(name)).collect();
    assert!(both.is_empty(), "in two folders: {both:?}");
    let rows = |status: &str| {
        shop.count(&format!("SELECT count(*) FROM task_master WHERE status = '{status}'"))
    };
    assert_eq!(
        (rows("completed"), rows("failed"), shop.count("SELECT count(*) FROM task_master")),
        (completed.len() as i64, failed.len() as i64, (completed.len() + failed.len()) as i64),
    );
    assert_mirror_is_what_a_rebuild_makes(&shop);
}
