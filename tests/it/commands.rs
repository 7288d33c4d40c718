//! Each command, as people and scripts use it.

use std::fs;

use rustix::fs::{Mode, mkfifoat};
use serde_json::{Value, json};

use crate::support::workers::{CLOUD_KEY, cloud, echo, fresh_secret, local, script, with};
use crate::support::{ModelServer, Reply, Sandbox};

/// A home with a good task, a failed one, and one that waits.
fn shop() -> Sandbox {
    let shop = Sandbox::with_workers(&[echo(), script("fails", "echo oops >&2; exit 3", &[])]);
    shop.drop_task("good", &json!({ "description": "hello", "worker": "echo" }));
    shop.drop_task("bad", &json!({ "description": "x", "worker": "fails" }));
    shop.drain().ends(0);
    shop.drop_task(
        "later",
        &json!({ "description": "x", "worker": "echo", "not_before": "2999-01-01T00:00:00Z" }),
    );
    shop
}

#[test]
fn submit_takes_a_file_an_array_lines_and_words() {
    let shop = Sandbox::with_echo();
    let one = shop.beside("one.json");
    fs::write(&one, r#"{"description": "1", "worker": "echo"}"#).unwrap();
    assert_eq!(shop.koubou(["submit", one.to_str().unwrap()]).ends(0).out, "one\n");
    let array = r#"[{"task_id": "a1", "description": "2", "worker": "echo"}, {"task_id": "a2", "description": "3", "worker": "echo"}]"#;
    assert_eq!(shop.koubou_with(["submit", "-"], array).ends(0).out, "a1\na2\n");
    let lines = "{\"task_id\": \"l1\", \"description\": \"4\"}\n\n{\"task_id\": \"l1\", \"description\": \"5\"}\n";
    assert_eq!(
        shop.koubou_with(["submit", "--worker", "echo", "-"], lines).ends(0).out,
        "l1\nl1.2\n"
    );
    let words = ["submit", "-d", "6", "--worker", "echo", "--type", "t", "--priority", "9"];
    let id = shop.koubou(words).ends(0).out.trim_end().to_owned();
    shop.drain().ends(0);
    for (id, content) in
        [("one", "1"), ("a1", "2"), ("a2", "3"), ("l1", "4"), ("l1.2", "5"), (&id, "6")]
    {
        assert_eq!(shop.koubou(["result", id]).ends(0).out, content);
    }
    let task = &shop.result(&format!("completed/{id}"))["task"];
    assert_eq!((&task["task_type"], &task["priority"]), (&json!("t"), &json!(9)));
}

#[test]
fn submit_refuses_what_is_wrong_and_drops_nothing() {
    let shop = shop();
    let said = shop.koubou(["submit", "-d", "x", "--id", "good"]).ends(1);
    assert!(said.err.contains("`good` is in use"), "{}", said.err);
    shop.koubou(["submit", "-d", "x", "--id", "later"]).ends(1);
    let half_wrong = r#"[{"description": "fine"}, {"description": 7}]"#;
    let said = shop.koubou_with(["submit", "-"], half_wrong).ends(1);
    assert!(said.err.contains("task 2 of standard input") && said.out.is_empty(), "{}", said.err);
    for input in ["", "[]", "words", "[1]", r#"{"description": "a"} x"#] {
        let said = shop.koubou_with(["submit", "-"], input).ends(1);
        assert!(said.out.is_empty() && said.err.starts_with("error: "), "{input}: {}", said.err);
    }
    shop.koubou(["submit", "no-such-file.json"]).ends(1);
    assert_eq!(shop.names("pending"), ["later.json"]);
}

#[test]
fn submit_waits_for_the_end_when_it_is_asked_to() {
    let shop = shop();
    let _daemon = shop.daemon();
    shop.koubou(["submit", "--wait", "--worker", "echo", "-d", "x"]).ends(0);
    let said =
        shop.koubou(["submit", "--wait", "--worker", "fails", "-d", "x", "--id", "f"]).ends(1);
    assert!(said.err.contains("`f` failed"), "{}", said.err);
}

#[test]
fn wait_says_by_its_exit_code_how_tasks_ended() {
    let shop = shop();
    shop.koubou(["wait", "good"]).ends(0);
    shop.koubou(["wait", "good", "bad"]).ends(1);
    shop.koubou(["wait", "good", "later", "--timeout", "20ms"]).ends(124);
    let said = shop.koubou(["wait", "goood"]).ends(1);
    assert!(said.err.contains("did you mean `good`?"), "{}", said.err);
    let ended: Value = shop.koubou(["wait", "--json", "good", "bad"]).ends(1).json();
    assert_eq!(ended.as_array().unwrap().len(), 2);
}

#[test]
fn result_prints_the_content_and_nothing_else() {
    let shop = shop();
    let said = shop.koubou(["result", "good"]).ends(0);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("hello", ""));
    let said = shop.koubou(["result", "bad"]).ends(1);
    assert!(said.out.is_empty() && said.err.contains("oops"), "{said:?}");
    let said = shop.koubou(["result", "later"]).ends(75);
    assert!(said.out.is_empty() && said.err.contains("koubou wait later"), "{said:?}");
    shop.koubou(["result", "nobody"]).ends(1);
}

#[test]
fn show_list_and_log_tell_the_story() {
    let shop = shop();
    shop.drain().ends(75);
    let said = shop.koubou(["show", "bad"]).ends(0).out;
    assert!(said.contains("command_failed") && said.contains("fails-"), "{said}");
    let said = shop.koubou(["show", "later"]).ends(0).out;
    assert!(said.contains("2999-01-01"), "{said}");
    let said = shop.koubou(["list"]).ends(0).out;
    for (name, word) in [("good", "completed"), ("bad", "failed"), ("later", "pending")] {
        let line = said.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.contains(word), "{line}");
    }
    let failed: Value = shop.koubou(["list", "--status", "failed", "--json"]).ends(0).json();
    assert_eq!(failed[0]["task_id"], "bad");
    assert_eq!(failed.as_array().unwrap().len(), 1);
    let said = shop.koubou(["log", "good"]).ends(0).out;
    assert!(said.contains(": begun") && said.contains(": done"), "{said}");
    let said = shop.koubou(["log", "-f", "good"]).ends(0).out;
    assert!(said.contains("done"), "{said}");
}

#[test]
fn status_has_what_scripts_ask_for() {
    let shop = shop();
    let status = || shop.koubou(["status", "--json"]).ends(0).json();
    let idle = status();
    assert_eq!(idle["running"], false);
    assert_eq!(idle["pid"], Value::Null);
    assert_eq!(
        idle["counts"],
        json!({ "pending": 1, "in_progress": 0, "completed": 1, "failed": 1 })
    );
    let daemon = shop.daemon();
    shop.eventually("the daemon tells of its workers", || {
        shop.count("SELECT count(*) FROM workers WHERE status = 'idle'") > 0
    });
    let working = status();
    assert_eq!(working["running"], true);
    assert_eq!(working["pid"], daemon.pid());
    assert_eq!(working["workers"][0]["worker_type"], "echo");
    assert_eq!(working["workers"][0]["state"], "idle");
    for period in ["daily", "monthly"] {
        for key in ["limit_usd", "spent_usd", "reserved_usd", "left_usd"] {
            assert!(working["budget"][period][key].is_number(), "{period} {key}");
        }
    }
    let said = shop.koubou(["status"]).ends(0).out;
    assert!(said.contains(&format!("process {}", daemon.pid())), "{said}");
    assert!(said.contains("1 pending, 0 in progress, 1 completed, 1 failed"), "{said}");
}

#[test]
fn every_reading_command_answers_with_one_document() {
    let shop = shop();
    shop.drain().ends(75);
    for args in [
        &["status"][..],
        &["workers"],
        &["list"],
        &["budget"],
        &["show", "good"],
        &["show", "later"],
        &["result", "good"],
        &["route", "fix a typo"],
        &["log", "good"],
    ] {
        let said = shop.koubou(args.iter().chain(&["--json"])).ends(0);
        assert!(serde_json::from_str::<Value>(&said.out).is_ok(), "{args:?}: {}", said.out);
    }
}

#[test]
fn route_says_where_a_task_would_go_and_runs_nothing() {
    let (sky, house) = (ModelServer::start(), ModelServer::start());
    let shop = Sandbox::new();
    shop.hire(&[cloud(&sky), local(&house)], &json!({}));
    shop.set(CLOUD_KEY, &fresh_secret());
    let said = shop.koubou(["route", "write a poem"]).ends(0).out;
    assert!(said.starts_with("worker       cloud\n") && said.contains("because"), "{said}");
    let file = shop.beside("task.json");
    let secret =
        json!({ "description": format!("password: {}", fresh_secret()), "worker": "cloud" });
    fs::write(&file, secret.to_string()).unwrap();
    let answer: Value = shop.koubou(["route", "--json", file.to_str().unwrap()]).ends(0).json();
    assert_eq!(answer["worker_type"], "local");
    assert_eq!(answer["sensitivity_level"], "confidential");
    assert_eq!(answer["reasons"][0]["field"], "/description");
    let lines = "{\"description\": \"a\"}\n\nplain words\n{\"description\": 7}\n";
    let said = shop.koubou_with(["route", "-"], lines).ends(1);
    let answers: Vec<Value> =
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[1]["worker_type"], "cloud");
    assert!(answers[2]["error"].as_str().unwrap().contains("`description`"), "{}", answers[2]);
    assert_eq!(sky.connections() + house.connections(), 0);
    assert!(shop.names("pending").is_empty());
}

#[test]
fn the_budget_of_one_worker_or_type_is_set_at_once_and_over_a_restart() {
    let sky = ModelServer::start();
    let shop = Sandbox::with_workers(&[with(cloud(&sky), "max_tokens", 100)]);
    shop.set(CLOUD_KEY, &fresh_secret());
    let daemon = shop.daemon();
    let said = shop.koubou(["budget", "set", "--worker", "clod", "--daily", "1"]).ends(2);
    assert!(said.err.contains("did you mean `cloud`?"), "{}", said.err);
    shop.koubou(["budget", "set", "--worker", "cloud"]).ends(2);
    sky.will(Reply::answer("x", 10, 100));
    shop.drop_task("first", &json!({ "description": "a", "task_type": "report" }));
    shop.eventually("it is done", || shop.names("completed").len() == 1);
    shop.koubou(["budget", "set", "--task-type", "report", "--daily", "0.0015"]).ends(0);
    daemon.until_said("the daily limit of task type report is $0.0015");
    shop.koubou(["budget", "set", "--worker", "cloud", "--daily", "2", "--monthly", "20"]).ends(0);
    daemon.until_said("the monthly limit of worker cloud is $20.00");
    shop.drop_task("second", &json!({ "description": "b", "task_type": "report" }));
    shop.drop_task("letter", &json!({ "description": "c", "task_type": "letter" }));
    daemon.until_said("worker `cloud` leaves tasks of type `report`: the daily limit of task type report is used up");
    shop.eventually("who has no such limit goes on", || shop.names("completed").len() == 2);
    daemon.stop();
    let said = shop.drain().ends(75);
    assert!(
        said.err.contains("`koubou budget set --task-type report --daily N` raises it"),
        "{}",
        said.err
    );
    let budget = shop.koubou(["budget", "--json"]).ends(0).json();
    let report = &budget["by_task_type"]["report"]["daily"];
    assert_eq!((&report["limit_usd"], &report["set_by"]), (&json!(0.0015), &json!("budget set")));
    assert!(report["spent_usd"].as_f64().unwrap() > 0.0, "what was spent before counts");
    let worker = &budget["by_worker"]["cloud"];
    assert_eq!(
        (&worker["daily"]["limit_usd"], &worker["monthly"]["limit_usd"]),
        (&json!(2), &json!(20))
    );
    assert_eq!(worker["daily"]["spent_usd"], budget["daily"]["spent_usd"]);
    shop.koubou(["budget", "set", "--task-type", "report", "--daily", "1"]).ends(0);
    shop.drain().ends(0);
    assert_eq!(shop.names("completed").len(), 3);
}

#[test]
fn a_budget_that_was_set_holds_at_once_and_over_a_restart() {
    let shop = Sandbox::with_echo();
    shop.koubou(["budget", "set", "--daily", "2.5"]).ends(0);
    shop.koubou(["budget", "set", "--monthly", "25"]).ends(0);
    let limits = || {
        let budget: Value = shop.koubou(["budget", "--json"]).ends(0).json();
        (budget["daily"]["limit_usd"].to_string(), budget["monthly"]["limit_usd"].to_string())
    };
    assert_eq!(limits(), ("2.5".into(), "25".into()));
    shop.drain().ends(0);
    let said = shop.drain().ends(0);
    assert!(said.err.contains("the settings' $10.00 does not count"), "{}", said.err);
    assert!(shop.koubou(["budget"]).ends(0).out.contains("$2.50 (by `budget set`)"));
    assert_eq!(limits(), ("2.5".into(), "25".into()));
    assert_eq!(shop.count("SELECT count(*) FROM budget_management WHERE budget_limit_usd = 25"), 1);
}

#[test]
fn route_says_where_a_task_goes_when_most_of_the_money_is_spent() {
    let (house, sky) = (ModelServer::start(), ModelServer::start());
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    let of_medium_work =
        |worker| with(worker, "use_for", json!(["difficulty_low", "difficulty_medium"]));
    shop.hire(&[of_medium_work(cloud(&sky)), of_medium_work(local(&house))], &json!({}));
    let goes_to = || shop.koubou(["route", "Rename a variable", "--json"]).ends(0).json();
    let before = goes_to()["worker_type"].clone();
    sky.will(Reply::answer("done", 10, 10));
    shop.drop_task("x", &json!({ "description": "a", "worker": "cloud" }));
    shop.drain().ends(0);
    shop.koubou(["budget", "set", "--daily", "0.000001"]).ends(0);
    assert_eq!(
        (before.as_str(), goes_to()["worker_type"].as_str()),
        (Some("cloud"), Some("local"))
    );
}

#[test]
fn a_pipe_where_settings_or_a_log_should_be_holds_up_nobody() {
    for place in ["config/.env", "config/agent.yaml", "logs/system/koubou.log"] {
        let shop = Sandbox::with_echo();
        let path = shop.home().join(place);
        let _ = fs::remove_file(&path);
        mkfifoat(rustix::fs::CWD, &path, Mode::from_raw_mode(0o600)).unwrap();
        let said = shop.drain().ends(1);
        assert!(said.err.contains(place), "{}", said.err);
    }
}

#[test]
fn rebuild_makes_the_mirror_anew_with_and_without_a_daemon() {
    let shop = shop();
    let before = shop.koubou(["list", "--json"]).ends(0).json();
    fs::remove_file(shop.home().join("db/koubou.db")).unwrap();
    shop.koubou(["rebuild"]).ends(0);
    assert_eq!(shop.count("SELECT count(*) FROM task_master"), 3);
    fs::write(shop.home().join("db/koubou.db"), "no database at all").unwrap();
    shop.koubou(["rebuild"]).ends(0);
    assert_eq!(shop.count("SELECT count(*) FROM task_master"), 3);
    let _daemon = shop.daemon();
    shop.mirror().execute("DELETE FROM task_master WHERE task_id = 'good'", []).unwrap();
    shop.koubou(["rebuild"]).ends(0);
    assert_eq!(shop.count("SELECT count(*) FROM task_master"), 3);
    let after = shop.koubou(["list", "--json"]).ends(0).json();
    let ids = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|row| row["task_id"].to_string()).collect()
    };
    assert_eq!(ids(&before), ids(&after));
}

#[test]
fn retry_all_takes_what_failed_and_leaves_what_was_no_task() {
    let shop = shop();
    shop.drop_bytes("no-task.json", "[]");
    shop.drain().ends(75);
    shop.koubou(["retry", "good"]).ends(1);
    shop.koubou(["retry", "--all"]).ends(0);
    assert_eq!(shop.names("pending"), ["bad.json", "later.json"]);
    assert_eq!(shop.names("failed"), ["no-task.json", "no-task.rejected"]);
    shop.koubou(["retry", "no-task"]).ends(0);
    assert_eq!(fs::read(shop.task_file("pending/no-task.json")).unwrap(), b"[]");
    assert!(shop.names("failed").is_empty());
}

#[test]
fn wrong_usage_ends_with_two() {
    let shop = shop();
    for args in [
        &["fly"][..],
        &[],
        &["submit", "-d", "x", "--priority", "11"],
        &["submit", "-d", "x", "--id", "../x"],
        &["list", "--status", "lost"],
        &["wait"],
        &["wait", "good", "--timeout", "soon"],
        &["retry"],
        &["cancel"],
        &["pause", "nobody"],
        &["budget", "set"],
        &["budget", "set", "--daily", "much"],
        &["status", "--loud"],
        &["-v", "-q", "status"],
    ] {
        let said = shop.koubou(args);
        assert_eq!(said.code, 2, "{args:?}: {}{}", said.out, said.err);
        assert!(said.out.is_empty(), "{args:?}");
    }
}

#[test]
fn a_task_is_looked_at_before_it_is_dropped() {
    let shop = Sandbox::with_echo();
    let good = shop.beside("good.json");
    fs::write(&good, "{\"description\": \"a\", \"priorty\": 3}").unwrap();
    let said = shop.koubou(["check", good.to_str().unwrap()]).ends(0);
    assert!(said.out.ends_with("good.json: good\n"), "{}", said.out);
    assert!(said.err.contains("did you mean `priority`?"), "{}", said.err);
    let both = "[{\"description\": \"a\", \"worker\": \"ecko\"}, {\"description\": 5}]";
    let said = shop.run(shop.command(["check", "-", "--json"]), both).ends(1);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].contains("did you mean `echo`?"), "{}", said.out);
    assert!(lines[1].contains("`description` must be a string"), "{}", said.out);
    assert_eq!(shop.names("pending"), Vec::<String>::new());
}

#[test]
fn packagers_get_pages_and_completions() {
    let shop = Sandbox::new();
    let page = shop.koubou(["man"]).ends(0).out;
    assert!(page.contains(".TH koubou 1"), "{page}");
    let pages = shop.beside("pages");
    fs::create_dir(&pages).unwrap();
    shop.koubou(["man", pages.to_str().unwrap()]).ends(0);
    assert!(pages.join("koubou-submit.1").is_file());
    for shell in ["bash", "zsh", "fish"] {
        let text = shop.koubou(["completions", shell]).ends(0).out;
        assert!(text.contains("submit"), "{shell}");
    }
    shop.koubou(["completions", "cmd.exe"]).ends(2);
}

#[test]
fn a_task_is_read_wherever_it_has_got_to() {
    let shop = Sandbox::with_echo();
    let daemon = shop.daemon();
    for n in 0..40 {
        let id = format!("t{n}");
        shop.koubou(["submit", "--worker", "echo", "--id", &id, "-d", "x"]).ends(0);
        shop.koubou(["show", &id]).ends(0);
        let said = shop.koubou(["result", &id]);
        assert!(matches!(said.code, 0 | 75), "{said:?}");
    }
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn what_has_no_end_is_not_read_for_ever() {
    let said = Sandbox::new().koubou(["check", "/dev/zero"]).ends(1);
    assert!(said.out.contains("/dev/zero: `/dev/zero` holds more than 256 MiB"), "{}", said.out);
}

#[test]
fn each_file_is_checked_by_itself_and_what_is_given_twice_is_told() {
    let shop = Sandbox::with_echo();
    for (name, text) in [
        ("a.json", "{"),
        ("b.json", r#"{"description": "x", "priority": "high"}"#),
        (
            "c.json",
            r#"{"description": "x", "sensitivity_level": "confidential", "sensitivity_level": "public"}"#,
        ),
    ] {
        fs::write(shop.beside(name), text).unwrap();
    }
    let [a, b, c] = ["a.json", "b.json", "c.json"].map(|name| shop.beside(name));
    let said = shop.koubou(["check".as_ref(), a.as_os_str(), b.as_os_str(), c.as_os_str()]).ends(1);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].contains("a.json: is not JSON"), "{}", said.out);
    assert!(lines[1].contains("`priority`") && lines[2].ends_with("c.json: good"), "{}", said.out);
    assert!(said.err.contains("given twice; the task counts as confidential"), "{}", said.err);
    // The stricter level is what is dropped, too.
    let said = shop.koubou(["submit".as_ref(), c.as_os_str()]).ends(0);
    assert!(said.err.contains("given twice"), "{}", said.err);
    let dropped = fs::read_to_string(shop.task_file("pending/c.json")).unwrap();
    assert!(dropped.contains("confidential") && !dropped.contains("public"), "{dropped}");
}

#[test]
fn of_several_that_have_ended_wait_prints_the_one_that_did_so_first() {
    let shop = Sandbox::with_echo();
    for id in ["z", "a"] {
        shop.koubou(["submit", "--worker", "echo", "--id", id, "-d", "x"]).ends(0);
        shop.drain().ends(0);
    }
    assert_eq!(shop.koubou(["wait", "--any", "a", "z"]).ends(0).out, "z\n");
    // What nobody can read never becomes a result.
    fs::write(shop.task_file("completed/a.json"), "{").unwrap();
    let said = shop.koubou(["wait", "a"]).ends(1);
    assert!(said.err.contains("is not a result"), "{}", said.err);
}

#[test]
fn what_lets_a_pause_end_is_named() {
    let shop = Sandbox::with_echo();
    let said = shop.koubou(["pause", "echo"]).ends(0);
    assert!(said.err.contains("`koubou resume echo` lets it go on"), "{}", said.err);
    let said = shop.koubou(["pause"]).ends(0);
    assert!(said.err.contains("`koubou resume` lets it go on"), "{}", said.err);
}

#[test]
fn a_task_that_moves_while_it_is_listed_is_told_once() {
    let shop = Sandbox::with_echo();
    shop.koubou(["pause"]).ends(0);
    for n in 0..300 {
        shop.drop_task(&format!("t{n}"), &json!({ "description": "a", "worker": "echo" }));
    }
    let daemon = shop.daemon();
    shop.koubou(["resume"]).ends(0);
    loop {
        let listed = shop.koubou(["list", "--json"]).ends(0).json();
        let listed = listed.as_array().unwrap();
        let mut ids: Vec<&str> =
            listed.iter().map(|task| task["task_id"].as_str().unwrap()).collect();
        let all = ids.len();
        ids.sort_unstable();
        let twice: Vec<&str> =
            ids.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0]).collect();
        let twice = listed.iter().filter(|task| twice.contains(&task["task_id"].as_str().unwrap()));
        let twice: Vec<_> = twice.collect();
        assert_eq!((all, &twice), (300, &Vec::new()));
        if listed.iter().all(|task| task["status"] == "completed") {
            break;
        }
    }
    assert_eq!(daemon.stop(), Some(0));
}
