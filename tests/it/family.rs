//! Tasks that make tasks, and tasks that need each other's answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::crash::assert_mirror_is_what_a_rebuild_makes;
use crate::support::daemon::Daemon;
use crate::support::workers::{self, CLOUD_KEY, cloud, fresh_secret, local, script, with};
use crate::support::{ModelServer, Reply, Sandbox, is_full_torture};

/// An answer that asks for these.
fn asks_for(subtasks: &Value) -> Reply {
    let text = json!({ "content": "the plan", "subtasks": subtasks }).to_string();
    Reply::answer(&text, 5, 5)
}

fn plan(may_spawn: u64) -> Value {
    json!({ "description": "split it", "may_spawn": may_spawn, "worker": "local" })
}

fn two_steps() -> Value {
    json!([
        { "name": "a", "description": "one", "worker": "echo" },
        { "name": "b", "description": "got {result:a}", "depends_on": ["a"], "worker": "echo" },
    ])
}

fn workshop() -> (Sandbox, ModelServer) {
    let server = ModelServer::start();
    let shop = Sandbox::new();
    shop.hire(&[local(&server), workers::echo()], &json!({}));
    (shop, server)
}

/// A daemon under which a task waits for two subtasks that nobody does yet.
fn until_it_waits(shop: &Sandbox, server: &ModelServer, id: &str) -> Daemon {
    server.will(asks_for(&two_steps()));
    shop.koubou(["pause", "echo"]).ends(0);
    let daemon = shop.daemon();
    shop.drop_task(id, &plan(2));
    daemon.until_said(&format!("{id}: its answer asks for 2 subtasks"));
    daemon
}

#[test]
fn a_task_is_done_when_those_are_that_its_answer_asked_for() {
    let (shop, server) = workshop();
    server.will(asks_for(&two_steps()));
    shop.drop_task("plan", &plan(2));
    shop.drain().ends(0);
    assert_eq!(shop.names("completed"), ["plan-a.json", "plan-b.json", "plan.json"]);
    let result = shop.result("completed/plan");
    assert_eq!(result["children"][0]["content"], "one");
    assert_eq!(result["children"][1]["content"], "got one");
    assert_eq!(result["content"], "the plan", "without the JSON that it came in");
    assert_eq!(shop.result("completed/plan-b")["task"]["parent_task_id"], "plan");
    let offer = server.requests()[0].body["messages"][0]["content"].to_string();
    assert!(offer.contains("at most 2 subtasks"), "a model is told that it may: {offer}");
    let tree = shop.koubou(["show", "plan", "--tree"]).ends(0).out;
    assert!(tree.contains("├── plan-a  completed  echo"), "{tree}");
    assert!(tree.contains("└── plan-b  completed  echo"), "{tree}");
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn an_answer_without_subtasks_ends_the_task() {
    let (shop, server) = workshop();
    server.will(Reply::answer("done at once", 5, 5));
    shop.drop_task("plan", &plan(2));
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/plan")["content"], "done at once");
}

#[test]
fn a_task_that_waits_for_its_subtasks_survives_a_stop_and_a_kill() {
    for is_killed in [false, true] {
        let (shop, server) = workshop();
        let daemon = until_it_waits(&shop, &server, "plan");
        let row = "SELECT count(*) FROM task_master WHERE waits_for = 'its subtasks'";
        shop.eventually("the mirror says so", || shop.count(row) == 1);
        match is_killed {
            true => daemon.kill(),
            false => assert_eq!(daemon.stop(), Some(0)),
        }
        assert_eq!(shop.names("in_progress"), ["plan.json"]);
        assert_eq!(shop.names("pending"), ["plan-a.json", "plan-b.json"]);
        let said = shop.drain().ends(75);
        assert!(said.err.contains("its subtasks"), "{}", said.err);
        shop.koubou(["resume", "echo"]).ends(0);
        shop.drain().ends(0);
        assert_eq!(shop.result("completed/plan")["children"][1]["content"], "got one");
        assert_eq!(server.chats(), 1, "it is not asked twice");
        assert_mirror_is_what_a_rebuild_makes(&shop);
    }
}

#[test]
fn what_a_dead_daemon_had_written_down_and_not_dropped_is_dropped() {
    let (shop, server) = workshop();
    let daemon = until_it_waits(&shop, &server, "plan");
    daemon.kill();
    // As if it had died between the journal and the second drop.
    forget_that_all_are_dropped(&shop);
    fs::remove_file(shop.task_file("pending/plan-b.json")).unwrap();
    shop.koubou(["resume", "echo"]).ends(0);
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/plan")["children"][1]["content"], "got one");
}

/// Takes the line out of the journal that says that every subtask is in `pending`.
fn forget_that_all_are_dropped(shop: &Sandbox) {
    let journal = fs::read_dir(shop.home().join("journal")).unwrap().next().unwrap().unwrap();
    let lines = fs::read_to_string(journal.path()).unwrap();
    let (gone, kept): (Vec<&str>, Vec<&str>) =
        lines.split_inclusive('\n').partition(|line| line.contains("all_dropped"));
    assert_eq!(gone.len(), 1, "{lines}");
    fs::write(journal.path(), kept.concat()).unwrap();
}

#[test]
fn what_is_taken_away_while_no_daemon_runs_is_not_dropped_or_done_again() {
    let (shop, server) = workshop();
    until_it_waits(&shop, &server, "plan").kill();
    fs::remove_file(shop.task_file("pending/plan-a.json")).unwrap();
    shop.koubou(["resume", "echo"]).ends(0);
    shop.drain().ends(0);
    let result = shop.result("failed/plan");
    assert_eq!(result["children"][0]["status"], "pending", "nothing came of it: {result:#}");
    assert!(shop.names("completed").is_empty(), "it was not done");

    // The first has ended and its result is moved away, the second waits for a hand.
    server.will(asks_for(&json!([
        { "name": "a", "description": "one", "worker": "echo" },
        { "name": "b", "description": "two", "worker": "local" },
    ])));
    server.will(Reply::answer("never told", 5, 5).held());
    shop.drop_task("other", &plan(2));
    let daemon = shop.daemon();
    daemon.until_said("other: its answer asks for 2 subtasks");
    daemon.until_said("other-a: completed");
    shop.eventually("the second is asked for", || server.chats() == 3);
    daemon.kill();
    fs::remove_file(shop.task_file("completed/other-a.json")).unwrap();
    server.will(Reply::answer("done", 5, 5));
    shop.drain().ends(0);
    let result = shop.result("completed/other");
    assert_eq!(result["routing"]["sensitivity_level"], "confidential", "nothing says otherwise");
    assert!(!shop.task_file("completed/other-a.json").exists(), "it was not done again");
}

#[test]
fn a_subtask_that_fails_or_is_withdrawn_fails_its_parent() {
    let (shop, server) = workshop();
    server.will(asks_for(&json!([
        { "name": "a", "description": "one", "worker": "echo" },
        { "name": "b", "description": "two", "worker": "nobody" },
    ])));
    shop.drop_task("plan", &plan(2));
    shop.drain().ends(0);
    let result = shop.result("failed/plan");
    assert_eq!(result["error"]["kind"], "dependency_failed");
    assert!(result["error"]["message"].as_str().unwrap().contains("`plan-b`"), "{result:#}");
    assert_eq!(result["children"][0]["content"], "one");
    assert_eq!(result["children"][1]["error"]["kind"], "no_worker");

    let daemon = until_it_waits(&shop, &server, "other");
    fs::remove_file(shop.task_file("pending/other-a.json")).unwrap();
    daemon.until_said("other: failed");
    let result = shop.result("failed/other");
    assert_eq!(result["children"][0]["status"], "pending", "nothing came of it");
    assert_eq!(result["children"][1]["error"]["kind"], "dependency_failed");
    assert_eq!(daemon.stop(), Some(0));
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn cancelling_a_task_cancels_what_came_of_it() {
    let (shop, server) = workshop();
    let daemon = until_it_waits(&shop, &server, "plan");
    shop.koubou(["cancel", "plan"]).ends(0);
    daemon.until_said("plan: failed");
    for id in ["plan", "plan-a", "plan-b"] {
        assert_eq!(shop.result(&format!("failed/{id}"))["error"]["kind"], "cancelled", "{id}");
    }
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn more_than_a_task_may_is_not_accepted_and_nothing_is_dropped() {
    let (shop, server) = workshop();
    server.will(asks_for(&two_steps()));
    shop.drop_task("plan", &plan(1));
    shop.drain().ends(0);
    let result = shop.result("failed/plan");
    assert_eq!(result["error"]["kind"], "not_accepted");
    let why = result["error"]["message"].as_str().unwrap();
    assert!(why.contains("asks for 2 subtasks"), "{why}");
    assert_eq!(shop.names("completed"), Vec::<String>::new());
}

#[test]
fn subtasks_are_as_confidential_as_their_parent_and_cost_what_is_left_for_it() {
    let (house, sky) = (ModelServer::start(), ModelServer::start());
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    shop.hire(&[local(&house), cloud(&sky)], &json!({}));
    house.will(asks_for(&json!([{ "name": "a", "description": "hello", "worker": "cloud" }])));
    house.will(Reply::answer("in the house", 5, 5));
    let mut task = plan(1);
    task["sensitivity_level"] = "confidential".into();
    shop.drop_task("plan", &task);
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/plan")["children"][0]["content"], "in the house");
    assert_eq!(sky.chats(), 0);

    house.will(asks_for(&json!([
        { "name": "a", "description": "hello", "worker": "cloud" },
        { "name": "b", "description": "hello", "worker": "cloud" },
    ])));
    let mut task = plan(2);
    task["max_cost_usd"] = json!(0.000_000_4);
    shop.drop_task("dear", &task);
    shop.drain().ends(0);
    let result = shop.result("failed/dear");
    for child in result["children"].as_array().unwrap() {
        assert_eq!(child["error"]["kind"], "over_budget", "{child:#}");
    }
    assert_eq!(shop.result("failed/dear-a")["task"]["max_cost_usd"].to_string(), "0.0000002");
    assert_eq!(sky.chats(), 0);
}

#[test]
fn an_answer_takes_its_confidentiality_along() {
    let sky = ModelServer::start();
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    shop.hire(&[workers::echo(), cloud(&sky)], &json!({}));
    let secret = json!({
        "description": "the merger is on", "worker": "echo", "sensitivity_level": "confidential"
    });
    shop.drop_task("a", &secret);
    shop.drop_task("b", &json!({ "description": "public words", "worker": "echo" }));
    let of = |id: &str| json!({ "description": format!("sum up {{result:{id}}}"), "depends_on": [id], "worker": "cloud" });
    shop.drop_task("of-a", &of("a"));
    shop.drop_task("of-b", &of("b"));
    sky.will(Reply::answer("summed up", 5, 5));
    shop.drain().ends(0);
    let result = shop.result("completed/of-a");
    assert_eq!(result["worker_type"], "echo");
    assert_eq!(result["content"], "sum up the merger is on");
    assert_eq!(result["routing"]["sensitivity_level"], "confidential");
    assert_eq!(shop.result("completed/of-b")["content"], "summed up");
    assert_eq!(sky.chats(), 1);
    let sent = sky.requests()[0].body["messages"][0]["content"].clone();
    assert_eq!(sent, "sum up public words");
}

#[test]
fn a_secret_that_comes_with_an_answer_is_found() {
    let sky = ModelServer::start();
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    let printer = script("printer", "echo \"$1\"", &["api_key = \"kQ9vLr2mXe84TzPw\""]);
    shop.hire(&[with(printer, "local", true), workers::echo(), cloud(&sky)], &json!({}));
    shop.drop_task("a", &json!({ "description": "print", "worker": "printer" }));
    let task = json!({
        "description": "explain {result:a}", "depends_on": ["a"], "worker": "cloud"
    });
    shop.drop_task("b", &task);
    shop.drain().ends(0);
    let result = shop.result("completed/b");
    assert_eq!(result["routing"]["sensitivity_level"], "confidential");
    assert_ne!(result["worker_type"], "cloud");
    assert_eq!(sky.chats(), 0);
}

#[test]
fn a_circle_is_refused_by_name() {
    let shop = Sandbox::with_echo();
    shop.drop_task("a", &json!({ "description": "a", "worker": "echo", "depends_on": ["b"] }));
    shop.drop_task("b", &json!({ "description": "b", "worker": "echo", "depends_on": ["c", "a"] }));
    shop.drop_task("c", &json!({ "description": "c", "worker": "echo" }));
    shop.drain().ends(0);
    let failed: Vec<Value> = shop
        .names("failed")
        .iter()
        .map(|name| {
            shop.result(&format!("failed/{}", name.trim_end_matches(".json")))["error"]["message"]
                .clone()
        })
        .collect();
    assert!(
        failed.iter().any(|why| why.as_str().unwrap().contains("`a` waits for `b`")
            || why.as_str().unwrap().contains("`b` waits for `a`")),
        "{failed:?}"
    );
    assert_eq!(shop.names("completed"), ["c.json"]);
}

#[test]
fn an_answer_that_cannot_be_read_is_waited_for_and_that_is_said() {
    let shop = Sandbox::with_echo();
    shop.drop_task("q", &json!({ "description": "a", "worker": "echo" }));
    shop.drain().ends(0);
    fs::write(shop.task_file("completed/q.json"), "{\"task_id\": \"q\", \"stat").unwrap();
    let task = json!({ "description": "{result:q}", "depends_on": ["q"], "worker": "echo" });
    shop.drop_task("d", &task);
    let said = shop.drain().ends(75);
    assert!(said.err.contains("is no result"), "{}", said.err);
}

#[test]
fn families_that_wait_for_one_another_are_refused_by_name() {
    let reader = with(workers::command("reader", &["cat"]), "local", true);
    let shop = Sandbox::with_workers(&[reader, workers::echo()]);
    for (id, needs) in [("plan", "other"), ("other", "plan")] {
        let subtask =
            json!({ "name": "a", "description": "x", "worker": "echo", "depends_on": [needs] });
        let answer = json!({ "subtasks": [subtask] }).to_string();
        shop.drop_task(id, &json!({ "description": answer, "may_spawn": 1, "worker": "reader" }));
    }
    shop.drain().ends(0);
    let failed = shop.names("failed");
    let kinds: Vec<Value> = failed
        .iter()
        .map(|name| shop.result(&format!("failed/{}", name.trim_end_matches(".json"))))
        .map(|result| result["error"]["message"].clone())
        .collect();
    assert_eq!(failed.len(), 4, "{kinds:?}");
    assert!(
        kinds.iter().any(|why| why.as_str().unwrap().contains("waits for itself")),
        "{kinds:?}"
    );
}

#[test]
fn a_secret_of_the_settings_in_a_subtasks_name_is_hidden_and_the_parent_ends() {
    let (shop, server) = workshop();
    let secret = fresh_secret();
    shop.dotenv(&format!("SOME_TOKEN={secret}\n"));
    server.will(asks_for(&json!([{ "name": secret, "description": "x", "worker": "echo" }])));
    shop.drop_task("plan", &plan(1));
    shop.drain().ends(0);
    assert_eq!(shop.names("completed").len(), 2);
    assert!(shop.names("completed").iter().all(|name| !name.contains(&secret)));
}

/// A small generator that is the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

#[test]
fn a_graph_of_tasks_ends_in_an_order_that_respects_it_whoever_dies() {
    let (tasks, kills) = if is_full_torture() { (1_000, 20) } else { (150, 4) };
    let shop = Sandbox::new();
    shop.hire(&[with(workers::echo(), "max_attempts", 1_000)], &json!({}));
    let mut dice = Dice(20_261_126);
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for n in 0..tasks {
        let on = (0..dice.below(4)).filter(|_| n > 0).map(|_| format!("t{}", dice.below(n.max(1))));
        needs.insert(format!("t{n}"), on.collect());
    }
    // The names are dropped in another order than they need each other.
    let mut order: Vec<&String> = needs.keys().collect();
    order.sort_by_key(|name| name.len() * 7919 % 13);
    let mut daemon = shop.daemon();
    for (n, id) in order.iter().enumerate() {
        let on: Vec<&String> = needs[*id].iter().collect();
        let said: Vec<String> = on.iter().map(|id| format!("{{result:{id}}}")).collect();
        let text = format!("{id}({})", said.join(" "));
        // The texts would grow without end: only the first need is told.
        let text = if on.len() > 1 { (*id).clone() } else { text };
        shop.drop_task(id, &json!({ "description": text, "depends_on": on, "worker": "echo" }));
        if n % (tasks / kills) == tasks / kills / 2 {
            let done = shop.names("completed").len();
            shop.eventually("something was done", || shop.names("completed").len() >= done);
            daemon.kill();
            daemon = shop.daemon();
        }
    }
    let ended = || shop.names("completed").len() + shop.names("failed").len();
    while ended() < tasks {
        let before = ended();
        shop.eventually("one more has ended", || ended() > before);
    }
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(shop.names("failed"), Vec::<String>::new());
    let ends: BTreeMap<&String, (String, String)> = needs
        .keys()
        .map(|id| {
            let result = shop.result(&format!("completed/{id}"));
            let at = |key: &str| result[key].as_str().unwrap().to_owned();
            (id, (at("started_at"), at("finished_at")))
        })
        .collect();
    for (id, on) in &needs {
        for need in on {
            assert!(ends[need].1 <= ends[id].0, "{id} began before {need} had ended");
        }
    }
    assert_mirror_is_what_a_rebuild_makes(&shop);
}
