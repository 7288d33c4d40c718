//! The daemon is killed at any moment, and no task is lost, done twice over, or half filed.

use std::path::Path;

use koubou::mirror::rebuild::dump;
use serde_json::{Value, json};

use crate::support::workers::{self, CLOUD_KEY, cloud, echo, fresh_secret, script};
use crate::support::{ModelServer, Reply, Sandbox, sandbox};

/// The moments are the same in every run: so many lines of the daemon's log.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn up_to(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 as usize % most + 1
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.up_to(n) - 1
    }
}

const ROUNDS: usize = 25;
const ECHOES: usize = 24;
const PROGRAMS: usize = 4;

#[test]
fn a_kill_at_any_moment_leaves_every_task_in_one_place() {
    let shop = Sandbox::with_workers(&[workers::command("cat", &["cat"]), echo()]);
    let mut dice = Dice(0x5eed_00c0_ffee);
    for round in 0..ROUNDS {
        for n in 0..ECHOES {
            shop.drop_task(
                &format!("e{round}-{n}"),
                &json!({ "description": "a", "worker": "echo" }),
            );
        }
        for n in 0..PROGRAMS {
            shop.drop_task(
                &format!("c{round}-{n}"),
                &json!({ "description": "b", "worker": "cat" }),
            );
        }
        let daemon = shop.start(["start", "--drain"]);
        daemon.until_lines(dice.up_to(3 * (ECHOES + PROGRAMS)));
        daemon.kill();
        shop.drain().ends(0);
        assert_in_order(&shop, (round + 1) * (ECHOES + PROGRAMS));
    }
    assert_journal_is_readable(&shop);
    // A program that was running is run once more; only the echo gives up at once.
    for name in shop.names("failed") {
        assert!(name.starts_with('e'), "{name}");
        let result = shop.result(&format!("failed/{}", name.trim_end_matches(".json")));
        assert_eq!(result["error"]["kind"], "daemon_died");
    }
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn money_that_may_have_been_spent_is_not_free_after_a_kill() {
    let server = ModelServer::start();
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    shop.hire(&[cloud(&server)], &json!({}));
    shop.drop_task("x", &json!({ "description": "a" }));
    server.will(Reply::answer("lost", 10, 10).held());
    let daemon = shop.start(["start", "--drain"]);
    server.wait_for_held(1);
    let reserved: Value = shop.koubou(["budget", "--json"]).ends(0).json();
    let promised = reserved["daily"]["reserved_usd"].as_f64().unwrap();
    assert!(promised > 0.0, "{reserved:#}");
    daemon.kill();
    server.release();
    server.will(Reply::answer("well", 10, 10));
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    assert_eq!(result["attempts"].as_array().unwrap().len(), 2);
    let budget: Value = shop.koubou(["budget", "--json"]).ends(0).json();
    assert!(budget["daily"]["spent_usd"].as_f64().unwrap() > promised, "{budget:#}");
    assert_eq!(budget["daily"]["reserved_usd"], 0);
    assert_eq!(shop.count("SELECT count(*) FROM cost_tracking WHERE task_id = 'x'"), 2);
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn a_program_that_a_dead_daemon_left_is_ended_before_its_task_runs_again() {
    let shop = Sandbox::new();
    let pids = shop.beside("pids");
    // The first time it hangs; afterwards it goes well.
    let text = "test -e \"$1\" && exec echo well; echo $$ > \"$1.new\"; mv \"$1.new\" \"$1\"; exec sleep 600";
    shop.hire(&[script("hangs", text, &[pids.to_str().unwrap()])], &json!({}));
    shop.drop_task("x", &json!({ "description": "a" }));
    let daemon = shop.start(["start"]);
    daemon.until_said("x: begun");
    wait_for(&pids);
    daemon.kill();
    let pid = std::fs::read_to_string(&pids).unwrap();
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/x")["content"], "well\n");
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    assert!(stat.is_err() || stat.is_ok_and(|stat| stat.contains(") Z")), "it runs still");
}

#[test]
fn a_task_that_ends_the_daemon_each_time_is_failed_after_its_last_attempt() {
    let shop = Sandbox::new();
    let text = "cat > /dev/null; kill -9 $PPID; exec sleep 600";
    let poison = workers::with(script("poison", text, &[]), "max_attempts", 3);
    shop.hire(&[poison, echo()], &json!({}));
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drop_task("good", &json!({ "description": "b", "worker": "echo" }));
    for death in 1..=3 {
        let said = shop.drain();
        assert_eq!(said.code, -1, "death {death}: {}", said.err);
    }
    shop.drain().ends(0);
    let result = shop.result("failed/x");
    assert_eq!(result["error"]["kind"], "daemon_died", "{result:#}");
    let outcomes: Vec<&Value> =
        result["attempts"].as_array().unwrap().iter().map(|attempt| &attempt["outcome"]).collect();
    assert_eq!(outcomes, ["daemon_died"; 3]);
    assert!(
        shop.task_file("completed/good.json").exists()
            || shop.task_file("failed/good.json").exists()
    );
    assert!(shop.names("in_progress").is_empty() && shop.names("pending").is_empty());
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn a_cancel_outlives_the_daemon_that_was_asked() {
    let stubborn = script("stubborn", "trap '' TERM; sleep 600", &[]);
    let shop = Sandbox::with_workers(&[stubborn]);
    let daemon = shop.daemon();
    shop.drop_task("x", &json!({ "description": "a" }));
    daemon.until_said("x: begun");
    shop.koubou(["cancel", "x"]).ends(0);
    daemon.kill();
    shop.drain().ends(0);
    assert_eq!(shop.result("failed/x")["error"]["kind"], "cancelled");
    assert!(sandbox::names(&shop.home().join("control")).is_empty());
}

/// Waits until a file is there, by inotify.
pub(crate) fn wait_for(path: &Path) {
    use notify::Watcher;
    let (tell, told) = std::sync::mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |_| {
        let _ = tell.send(());
    })
    .unwrap();
    watcher.watch(path.parent().unwrap(), notify::RecursiveMode::NonRecursive).unwrap();
    while !path.exists() {
        told.recv_timeout(crate::support::daemon::PATIENCE).expect("the file never came");
    }
}

/// Each task has ended in one folder, and nothing half-made is left.
#[track_caller]
fn assert_in_order(shop: &Sandbox, tasks: usize) {
    let (completed, failed) = (shop.names("completed"), shop.names("failed"));
    assert_eq!(
        completed.len() + failed.len(),
        tasks,
        "completed: {completed:?}\nfailed: {failed:?}"
    );
    assert!(failed.iter().all(|name| !completed.contains(name)), "a task is in two folders");
    for folder in ["pending", "in_progress"] {
        assert!(shop.names(folder).is_empty(), "{folder}");
    }
    assert!(sandbox::names(&shop.home().join("tmp")).is_empty());
}

fn assert_journal_is_readable(shop: &Sandbox) {
    let journal = shop.home().join("journal");
    for name in sandbox::names(&journal) {
        let text = std::fs::read_to_string(journal.join(&name)).unwrap();
        for line in text.lines() {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "{name}: {line}");
        }
    }
}

#[track_caller]
pub(crate) fn assert_mirror_is_what_a_rebuild_makes(shop: &Sandbox) {
    let mirror = shop.home().join("db/koubou.db");
    let before = dump(&mirror).unwrap();
    shop.koubou(["rebuild"]).ends(0);
    let after = dump(&mirror).unwrap();
    let gone: Vec<&String> = before.iter().filter(|line| !after.contains(line)).collect();
    let new: Vec<&String> = after.iter().filter(|line| !before.contains(line)).collect();
    assert!(before == after, "only before: {gone:#?}\nonly after: {new:#?}");
}
