//! Limits of single workers and types of task: they hold, they hold up nobody else, and people hear of them.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::crash::{assert_mirror_is_what_a_rebuild_makes, wait_for};
use crate::support::workers::{CLOUD_KEY, cloud, echo, fresh_secret, with};
use crate::support::{ModelServer, Reply, Sandbox};

/// A worker each of whose answers costs a dollar, and a prompt next to nothing.
fn dear(server: &ModelServer, name: &str) -> Value {
    let price = json!({ "input": 0.001, "output": 1_000 });
    let worker = with(with(cloud(server), "type", name), "price_per_1m", price);
    with(with(worker, "max_tokens", 1_000), "concurrency", 32)
}

/// A home with that worker and these limits beside a wide total.
fn shop(workers: &[Value], limits: &Value) -> Sandbox {
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    let mut all = json!({ "daily_limit_usd": 100, "alert_threshold_percent": 100 });
    for (key, value) in limits.as_object().unwrap() {
        all[key] = value.clone();
    }
    shop.hire(workers, &json!({ "cost_limits": all }));
    shop
}

fn dollar() -> Reply {
    Reply::answer("a", 10, 1_000)
}

fn drop_many(shop: &Sandbox, task_type: &str, worker: &str, count: usize) {
    for n in 0..count {
        let task = json!({ "description": task_type, "task_type": task_type, "worker": worker });
        shop.drop_task(&format!("{task_type}-{worker}-{n}"), &task);
    }
}

/// How many requests a server had for tasks of this type, by its own count.
fn asked(server: &ModelServer, task_type: &str) -> usize {
    let is_of = |content: &Value| content.as_str().is_some_and(|text| text.contains(task_type));
    let requests = server.requests();
    requests.iter().filter(|seen| is_of(&seen.body["messages"][0]["content"])).count()
}

#[test]
fn they_hold_however_many_ask_at_once_and_hold_up_nobody_else() {
    let (sky, moon) = (ModelServer::start(), ModelServer::start());
    let limits = json!({
        "by_task_type": { "report": { "daily": 3.5 } },
        "by_worker": { "moon": { "monthly": 2.5 } },
    });
    let shop = shop(&[dear(&sky, "sky"), dear(&moon, "moon"), echo()], &limits);
    for _ in 0..64 {
        sky.will(dollar());
        moon.will(dollar());
    }
    drop_many(&shop, "report", "sky", 32);
    drop_many(&shop, "letter", "sky", 8);
    drop_many(&shop, "note", "moon", 32);
    drop_many(&shop, "note", "echo", 4);
    let said = shop.drain().ends(75);
    for part in
        ["29 tasks wait", "30 tasks wait", "--task-type report --daily", "--worker moon --monthly"]
    {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    assert_eq!((asked(&sky, "report"), asked(&sky, "letter")), (3, 8));
    assert_eq!(moon.chats(), 2);
    assert_eq!(shop.names("completed").len(), 3 + 8 + 2 + 4);
    let budget = shop.koubou(["budget", "--json"]).ends(0).json();
    let report = &budget["by_task_type"]["report"]["daily"];
    assert_eq!(report["limit_usd"].to_string(), "3.5");
    assert_eq!(report["reserved_usd"], 0);
    assert!(report["spent_usd"].as_f64().unwrap() >= 3.0, "{budget:#}");
    assert!(report["begins_anew"].as_str().unwrap().ends_with("Z"), "{budget:#}");
    assert!(budget["by_worker"]["moon"]["monthly"]["left_usd"].is_number(), "{budget:#}");
    assert_eq!(shop.koubou(["status", "--json"]).ends(0).json()["budget"], budget);
    let told = shop.koubou(["budget"]).ends(0).out;
    assert!(told.contains("type report, today") && told.contains("worker moon, "), "{told}");
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn who_asks_for_the_status_hears_what_tasks_of_a_type_wait_for() {
    let sky = ModelServer::start();
    let limits = json!({ "by_task_type": { "report": { "daily": 1.5 } } });
    let shop = shop(&[dear(&sky, "sky")], &limits);
    sky.will(dollar());
    drop_many(&shop, "report", "sky", 3);
    let daemon = shop.daemon();
    daemon.until_said("leaves tasks of type `report`: the daily limit of task type report");
    let held = "SELECT count(*) FROM task_master WHERE waits_for LIKE '%task type report%'";
    shop.eventually("the mirror tells of it", || shop.count(held) == 2);
    let said = shop.koubou(["status"]).ends(0).out;
    assert!(said.contains("2 tasks wait: the daily limit of task type report"), "{said}");
}

#[test]
fn they_hold_over_a_kill_and_a_restart() {
    let sky = ModelServer::start();
    let limits = json!({
        "by_task_type": { "report": { "daily": 2.5 } },
        "by_worker": { "sky": { "daily": 3.5 } },
    });
    let shop = shop(&[dear(&sky, "sky")], &limits);
    sky.will(dollar().held()).will(dollar().held());
    drop_many(&shop, "report", "sky", 4);
    let daemon = shop.start(["start"]);
    sky.wait_for_held(2);
    let standing = |of: &str, name: &str, key: &str| {
        let budget = shop.koubou(["budget", "--json"]).ends(0).json();
        budget[of][name]["daily"][key].as_f64().unwrap()
    };
    assert!(standing("by_task_type", "report", "reserved_usd") >= 2.0);
    daemon.kill();
    sky.release();
    sky.release();
    sky.will(dollar()).will(dollar()).will(dollar());
    drop_many(&shop, "letter", "sky", 2);
    for _ in 0..2 {
        shop.drain().ends(75);
        assert_eq!((asked(&sky, "report"), asked(&sky, "letter")), (2, 1));
    }
    for (of, name, least) in [("by_task_type", "report", 2.0), ("by_worker", "sky", 3.0)] {
        assert!(standing(of, name, "spent_usd") >= least, "{name}");
        assert!(standing(of, name, "reserved_usd") == 0.0, "{name}");
    }
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn where_the_settings_say_so_tasks_that_cannot_be_paid_fail() {
    let sky = ModelServer::start();
    let limits = json!({
        "by_task_type": { "report": { "daily": 1.5 } },
        "on_exhausted": "fail",
    });
    let shop = shop(&[dear(&sky, "sky"), echo()], &limits);
    sky.will(dollar());
    drop_many(&shop, "report", "sky", 5);
    drop_many(&shop, "report", "echo", 1);
    shop.drain().ends(0);
    assert_eq!(sky.chats(), 1);
    assert_eq!((shop.names("completed").len(), shop.names("failed").len()), (2, 4));
    for name in shop.names("failed") {
        let result = shop.result(&format!("failed/{}", name.trim_end_matches(".json")));
        assert_eq!(result["error"]["kind"], "over_budget");
        let said = result["error"]["message"].as_str().unwrap();
        for part in ["daily limit of task type report", "until 2", "--task-type report --daily"] {
            assert!(said.contains(part), "{said}");
        }
    }
}

#[test]
fn the_owners_program_runs_once_for_a_limit_that_is_nearly_reached() {
    let sky = ModelServer::start();
    let shop = Sandbox::new();
    let bells = shop.beside("bells");
    let text = "env | grep ^KOUBOU_ | sort | tr '\\n' ' ' >> \"$1\"; echo >> \"$1\"; env | grep -c KEY >> \"$1\"";
    let limits = json!({
        "alert_threshold_percent": 80,
        "by_task_type": { "report": { "daily": 1.25 } },
        "on_alert": ["sh", "-c", text, "sh", bells],
    });
    shop.set(CLOUD_KEY, &fresh_secret());
    shop.hire(&[dear(&sky, "sky")], &json!({ "cost_limits": limits }));
    sky.will(dollar());
    drop_many(&shop, "report", "sky", 2);
    shop.drain().ends(75);
    let rung = fs::read_to_string(&bells).unwrap();
    for part in [
        "KOUBOU_ALERT_LIMIT=daily limit of task type report ",
        "KOUBOU_ALERT_LIMIT_USD=1.25 ",
        "KOUBOU_ALERT_PERCENT=80 ",
        "KOUBOU_ALERT_SPENT_USD=1.0",
    ] {
        assert_eq!(rung.matches(part).count(), 1, "{part}: {rung}");
    }
    assert!(rung.ends_with("\n0\n"), "it sees a key: {rung}");
    let daemon = shop.daemon();
    daemon.until_said("leaves tasks of type `report`");
    daemon.kill();
    shop.drain().ends(75);
    assert_eq!(fs::read_to_string(&bells).unwrap(), rung, "it ran again");
    let rows =
        "SELECT count(*) FROM system_logs WHERE message LIKE 'budget alert: %task type report%'";
    assert_eq!(shop.count(rows), 1);
}

#[test]
fn a_program_that_fails_is_one_warning_and_no_trouble() {
    let sky = ModelServer::start();
    let limits = json!({
        "alert_threshold_percent": 80,
        "by_worker": { "sky": { "daily": 1.2 } },
        "on_alert": ["sh", "-c", "exit 3"],
    });
    let shop = shop(&[dear(&sky, "sky")], &limits);
    sky.will(dollar());
    drop_many(&shop, "report", "sky", 1);
    let said = shop.drain().ends(0);
    assert_eq!(said.err.matches("`on_alert` exited with 3").count(), 1, "{}", said.err);
    assert_eq!(shop.names("completed").len(), 1);
}

#[test]
fn who_asks_koubou_to_stop_does_not_wait_for_a_slow_program() {
    let sky = ModelServer::start();
    let shop = Sandbox::new();
    let begun = shop.beside("begun");
    let limits = json!({
        "by_worker": { "sky": { "daily": 1.2 } },
        "on_alert": ["sh", "-c", "echo $$ > \"$1.new\"; mv \"$1.new\" \"$1\"; sleep 600", "sh", begun],
    });
    shop.set(CLOUD_KEY, &fresh_secret());
    shop.hire(&[dear(&sky, "sky")], &json!({ "cost_limits": limits }));
    sky.will(dollar());
    let daemon = shop.daemon();
    drop_many(&shop, "report", "sky", 1);
    wait_for(&begun);
    let began = Instant::now();
    assert_eq!(daemon.stop(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let pid = fs::read_to_string(&begun).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    assert!(stat.is_err() || stat.is_ok_and(|stat| stat.contains(") Z")), "it runs still");
}

#[test]
fn a_call_that_a_second_signal_ends_counts_against_every_limit() {
    let sky = ModelServer::start();
    let limits = json!({ "by_task_type": { "report": { "daily": 1.5 } } });
    let shop = shop(&[dear(&sky, "sky")], &limits);
    sky.will(dollar().held());
    drop_many(&shop, "report", "sky", 1);
    let mut daemon = shop.daemon();
    sky.wait_for_held(1);
    daemon.term();
    daemon.until_said("stopping: ");
    daemon.term();
    assert_eq!(daemon.ended(), Some(0));
    let spent = "SELECT count(*) FROM cost_tracking WHERE worker_type = 'sky' AND cost_usd >= 1";
    assert_eq!(shop.count(spent), 1);
    let budget = shop.koubou(["budget", "--json"]).ends(0).json();
    for account in [&budget["daily"], &budget["by_task_type"]["report"]["daily"]] {
        assert!(account["spent_usd"].as_f64().unwrap() >= 1.0, "{budget:#}");
    }
    shop.drain().ends(75);
    assert_eq!(sky.chats(), 1);
}
