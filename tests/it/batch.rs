//! Many tasks at once and later, for half the price: no batch is bought twice, and none forgotten.

use serde_json::{Value, json};

use crate::crash::{Dice, assert_mirror_is_what_a_rebuild_makes};
use crate::support::daemon::Daemon;
use crate::support::workers::{CLOUD_KEY, cloud, fresh_secret, local, with};
use crate::support::{BatchWill, ModelServer, Reply, Sandbox, Step};

/// A shop whose only worker sends batches of so many, and asks after them all the time.
fn shop_of(server: &ModelServer, most: usize) -> Sandbox {
    shop_with(server, &json!({ "gather_s": 600, "most": most, "poll_s": 0.05 }), &json!({}))
}

fn shop_with(server: &ModelServer, terms: &Value, more: &Value) -> Sandbox {
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    let worker = with(with(cloud(server), "batch", terms.clone()), "max_tokens", 100);
    shop.hire(&[worker], more);
    shop
}

fn drop_tasks(shop: &Sandbox, n: usize) {
    for n in 1..=n {
        shop.drop_task(&format!("t{n}"), &json!({ "description": format!("question {n}") }));
    }
}

fn budget(shop: &Sandbox) -> (f64, f64) {
    let budget = shop.koubou(["budget", "--json"]).ends(0).json();
    let of = |key: &str| budget["daily"][key].as_f64().unwrap();
    (of("spent_usd"), of("reserved_usd"))
}

/// What the server wants for all that it did in batches, at half the price.
fn bill(server: &ModelServer) -> f64 {
    let (sent, answered) = server.batched_tokens();
    (sent as f64 * 1.25 + answered as f64 * 10.0) / 1e6 / 2.0
}

#[track_caller]
fn assert_paid(shop: &Sandbox, server: &ModelServer) {
    let ((spent, reserved), bill) = (budget(shop), bill(server));
    assert!((spent - bill).abs() < 1e-9, "spent {spent}, and the server wants {bill}");
    assert!(reserved.abs() < 1e-12 && bill > 0.0, "{reserved} {bill}");
}

/// Every task has its own answer, and just one.
#[track_caller]
fn assert_answered(shop: &Sandbox, n: usize) {
    for n in 1..=n {
        let result = shop.result(&format!("completed/t{n}"));
        assert_eq!(result["content"], format!("(stand-in answer) question {n}"));
    }
    assert_eq!(shop.names("completed").len(), n);
    assert!(shop.names("pending").is_empty() && shop.names("in_progress").is_empty());
}

fn until_completed(shop: &Sandbox, n: usize) {
    shop.eventually("all are completed", || shop.names("completed").len() == n);
}

fn outcomes(result: &Value) -> Vec<&str> {
    let attempts = result["attempts"].as_array().unwrap();
    attempts.iter().map(|attempt| attempt["outcome"].as_str().unwrap()).collect()
}

#[test]
fn twenty_tasks_are_one_batch_and_each_has_its_own_answer() {
    let server = ModelServer::start();
    let shop = shop_of(&server, 20);
    server.batch_will(BatchWill::default().at(3));
    let daemon = shop.daemon();
    drop_tasks(&shop, 20);
    until_completed(&shop, 20);
    daemon.until_said("batch `batch_1` of worker `cloud` is over");
    daemon.stop();
    assert_answered(&shop, 20);
    assert_eq!((server.batches(), server.chats()), (1, 0));
    assert_paid(&shop, &server);
    let result = shop.result("completed/t7");
    assert_eq!(result["attempts"][0]["batch_id"], "batch_1");
    assert_eq!(result["usage"]["service_tier"], "batch");
    assert_eq!(result["worker_id"], "cloud-batch");
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn a_drain_leaves_a_batch_to_its_server_and_a_later_one_takes_it_home() {
    let server = ModelServer::start();
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    let house = ModelServer::start();
    shop.hire(&[with(cloud(&server), "max_tokens", 100), local(&house)], &json!({}));
    server.batch_will(BatchWill::default().at(usize::MAX));
    let question = |n: u32| json!({ "description": format!("question {n}"), "urgency": "batch" });
    shop.drop_task("t1", &question(1));
    shop.drop_task("t2", &question(2));
    shop.drop_task("now", &json!({ "description": "at once" }));
    let said = shop.drain().ends(75);
    assert!(
        said.err.contains("2 tasks wait: batch `batch_1` of worker `cloud`, since"),
        "{}",
        said.err
    );
    assert_eq!(shop.names("in_progress"), ["t1.json", "t2.json"]);
    assert_ne!(shop.result("completed/now")["worker_id"], "cloud-batch");
    for command in [vec!["show", "t1"], vec!["list"], vec!["show", "--json", "t2"]] {
        let said = shop.koubou(command).ends(0);
        assert!(said.out.contains("batch `batch_1` of worker `cloud`"), "{}", said.out);
    }
    let text = std::fs::read_to_string(shop.task_file("in_progress/t1.json")).unwrap();
    assert_eq!(text, question(1).to_string(), "its file stays as it was dropped");
    shop.koubou(["rebuild"]).ends(0);
    let said = shop.koubou(["show", "t1"]).ends(0);
    assert!(said.out.contains("batch_1"), "{}", said.out);
    shop.drain().ends(75);
    server.end_batches();
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/t2")["content"], "(stand-in answer) question 2");
    assert_eq!((server.batches(), server.chats()), (1, 1));
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn a_request_that_failed_goes_into_the_next_batch() {
    let server = ModelServer::start();
    let shop = shop_with(&server, &json!({ "poll_s": 0.05 }), &json!({}));
    drop_tasks(&shop, 4);
    server.batch_will(BatchWill::default().failing(1));
    let mut drains = 0;
    while shop.drain().code == 75 {
        drains += 1;
        assert!(drains < 9, "it never ends");
    }
    assert_answered(&shop, 4);
    assert_eq!(server.batches(), 2);
    assert_paid(&shop, &server);
    let twice = (1..=4).filter(|n| {
        outcomes(&shop.result(&format!("completed/t{n}"))) == ["server_error", "completed"]
    });
    assert_eq!(twice.count(), 1);
}

#[test]
fn what_was_not_done_in_time_goes_on_as_the_settings_say() {
    for (on_expiry, batches, chats, failed) in
        [("resubmit", 2, 0, 0), ("now", 1, 1, 0), ("fail", 1, 0, 1)]
    {
        let server = ModelServer::start();
        let terms = json!({ "poll_s": 0.05, "on_expiry": on_expiry });
        let shop = shop_with(&server, &terms, &json!({}));
        drop_tasks(&shop, 3);
        server.batch_will(BatchWill::default().expires(1));
        while shop.drain().code == 75 {}
        assert_eq!((server.batches(), server.chats()), (batches, chats), "{on_expiry}");
        assert_eq!(shop.names("completed").len(), 3 - failed, "what was paid for is kept");
        assert_eq!(shop.names("failed").len(), failed);
        for name in shop.names("failed") {
            let result = shop.result(&format!("failed/{}", name.trim_end_matches(".json")));
            assert_eq!(outcomes(&result), ["batch_expired"]);
            assert_eq!(
                (&result["cost_usd"], &result["error"]["kind"]),
                (&json!(0), &json!("timeout"))
            );
        }
        if chats == 0 {
            assert_paid(&shop, &server);
        }
    }
}

/// What is killed when, and how it is known that it is time.
enum Moment {
    Gathering,
    Uploading,
    Submitting,
    Waiting,
}

#[test]
fn a_kill_at_any_step_buys_no_batch_twice_and_loses_no_task() {
    for moment in [Moment::Gathering, Moment::Uploading, Moment::Submitting, Moment::Waiting] {
        let server = ModelServer::start();
        let most = if matches!(moment, Moment::Gathering) { 99 } else { 5 };
        let shop = shop_of(&server, most);
        server.batch_will(BatchWill::default().at(usize::MAX));
        let daemon = shop.daemon();
        let wait = |daemon: &Daemon| match moment {
            Moment::Gathering => {
                for n in 1..=5 {
                    daemon.until_said(&format!("t{n}: begun by cloud-batch"));
                }
            }
            Moment::Uploading | Moment::Submitting => server.wait_for_held(1),
            Moment::Waiting => server.wait_for_looks(2),
        };
        match moment {
            Moment::Uploading => drop(server.step_will("/v1/files", Step::Held)),
            Moment::Submitting => drop(server.step_will("/v1/batches", Step::Held)),
            _ => {}
        }
        drop_tasks(&shop, 5);
        wait(&daemon);
        daemon.kill();
        server.release();
        server.end_batches();
        while shop.drain().code == 75 {
            server.end_batches();
        }
        assert_answered(&shop, 5);
        assert_eq!(server.batches(), 1);
        assert_paid(&shop, &server);
        assert_mirror_is_what_a_rebuild_makes(&shop);
    }
}

#[test]
fn a_kill_at_any_line_of_the_log_never_hides_what_the_server_wants() {
    const TASKS: usize = 4;
    let server = ModelServer::start();
    let shop = shop_of(&server, TASKS);
    let mut dice = Dice(0x00ba_7c4e_5eed);
    for round in 0..8 {
        for n in 0..TASKS {
            let question = json!({ "description": format!("question {round} {n}") });
            shop.drop_task(&format!("r{round}-{n}"), &question);
        }
        let daemon = shop.start(["start"]);
        daemon.until_lines(dice.up_to(6 + 3 * TASKS));
        daemon.kill();
        while shop.drain().code == 75 {}
        assert_eq!(shop.names("completed").len(), (round + 1) * TASKS);
        let ((spent, reserved), bill) = (budget(&shop), bill(&server));
        assert!(spent >= bill - 1e-9, "spent {spent}, and the server wants {bill}");
        assert!(reserved.abs() < 1e-12, "{reserved}");
        for n in 0..TASKS {
            let result = shop.result(&format!("completed/r{round}-{n}"));
            assert_eq!(result["content"], format!("(stand-in answer) question {round} {n}"));
        }
    }
    assert!(shop.names("pending").is_empty() && shop.names("in_progress").is_empty());
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn a_submission_that_nobody_confirmed_is_found_by_its_mark() {
    let server = ModelServer::start();
    let shop = shop_of(&server, 3);
    server.step_will("/v1/batches", Step::Cut);
    let daemon = shop.daemon();
    drop_tasks(&shop, 3);
    daemon.until_said("whether a batch of worker `cloud` was submitted is not known");
    until_completed(&shop, 3);
    daemon.stop();
    assert_eq!(server.batches(), 1);
    assert_paid(&shop, &server);
}

#[test]
fn a_submission_that_surely_failed_is_made_again() {
    let server = ModelServer::start();
    let shop = shop_of(&server, 2);
    server.step_will(
        "/v1/batches",
        Step::Refused(Reply::error(429, "x", "slow", "too fast").header("retry-after-ms", "50")),
    );
    let daemon = shop.daemon();
    drop_tasks(&shop, 2);
    until_completed(&shop, 2);
    daemon.stop();
    assert_eq!(server.batches(), 1);
    assert_paid(&shop, &server);
}

#[test]
fn a_limit_holds_for_batches_at_their_price() {
    let server = ModelServer::start();
    let limits = json!({ "cost_limits": { "daily_limit_usd": 0.0016, "monthly_limit_usd": 1 } });
    let shop = shop_with(&server, &json!({ "poll_s": 0.05 }), &limits);
    server.batch_will(BatchWill::default().at(usize::MAX));
    drop_tasks(&shop, 9);
    let said = shop.drain().ends(75);
    // A task's worst case is some 100 tokens of answer at 5 dollars a million: 0.0005, and a little.
    assert_eq!(
        (shop.names("in_progress").len(), shop.names("pending").len()),
        (2, 7),
        "{}",
        said.err
    );
    assert!(said.err.contains("money of the daily budget that is promised"), "{}", said.err);
    let (spent, reserved) = budget(&shop);
    assert!(spent + reserved <= 0.0016 && reserved > 0.001, "{spent} {reserved}");
}

#[test]
fn a_cancel_takes_a_task_out_of_a_batch_that_is_not_sent_and_counts_the_cost_of_one_that_is() {
    let server = ModelServer::start();
    let shop = shop_of(&server, 2);
    server.batch_will(BatchWill::default().at(usize::MAX));
    let daemon = shop.daemon();
    shop.drop_task("early", &json!({ "description": "x" }));
    daemon.until_said("early: begun by cloud-batch");
    shop.koubou(["cancel", "early"]).ends(0);
    shop.eventually("it is cancelled", || shop.task_file("failed/early.json").exists());
    assert_eq!(shop.result("failed/early")["cost_usd"], 0);
    drop_tasks(&shop, 2);
    server.wait_for_looks(1);
    daemon.until_said("batch `batch_1` of worker `cloud` is submitted with 2 tasks");
    shop.eventually("its batch is shown", || {
        shop.koubou(["show", "t1"]).out.contains("batch `batch_1`")
    });
    let said = shop.koubou(["cancel", "t1"]).ends(0);
    assert!(said.err.contains("is in batch `batch_1`"), "{}", said.err);
    daemon.until_said("its answer is dropped when it comes, and what it cost counts");
    server.end_batches();
    shop.eventually("it ends", || shop.task_file("failed/t1.json").exists());
    until_completed(&shop, 1);
    daemon.stop();
    let result = shop.result("failed/t1");
    assert_eq!(result["error"]["kind"], "cancelled");
    assert!(result["cost_usd"].as_f64().unwrap() > 0.0 && result.get("content").is_none());
    assert_eq!(server.requests().iter().filter(|seen| seen.path == "/v1/files").count(), 1);
    assert_paid(&shop, &server);
}

#[test]
fn a_batch_of_which_every_task_is_cancelled_is_ended_at_its_provider() {
    let server = ModelServer::start();
    let shop = shop_of(&server, 2);
    server.batch_will(BatchWill::default().at(usize::MAX).undoes(1));
    let daemon = shop.daemon();
    drop_tasks(&shop, 2);
    server.wait_for_looks(1);
    let broken = Reply::error(500, "server_error", Value::Null, "out of order");
    server.step_will("/v1/batches/batch_1/cancel", Step::Refused(broken));
    shop.koubou(["cancel", "t1"]).ends(0);
    daemon.until_said("t1: cancelled, but its batch is submitted");
    assert!(!daemon.said().contains("called off"), "the other one is wanted");
    shop.koubou(["cancel", "t2"]).ends(0);
    daemon.until_said("batch `batch_1` of worker `cloud` could not be ended");
    daemon.until_said("batch `batch_1` of worker `cloud` is over");
    daemon.stop();
    for id in ["t1", "t2"] {
        let result = shop.result(&format!("failed/{id}"));
        assert_eq!(
            (&result["error"]["kind"], outcomes(&result)),
            (&json!("cancelled"), vec!["cancelled"])
        );
    }
    assert_paid(&shop, &server);
}

#[test]
fn what_was_answered_before_is_not_bought_in_a_batch_and_what_a_batch_answers_is_kept() {
    let server = ModelServer::start();
    let shop = shop_with(&server, &json!({ "poll_s": 0.05, "all": false }), &json!({}));
    let ask = |id: &str, what: &str, batch: bool| {
        let mut task = json!({ "description": what, "cache": true });
        if batch {
            task["urgency"] = "batch".into();
        }
        shop.drop_task(id, &task);
    };
    ask("t1", "question 1", false);
    shop.drain().ends(0);
    ask("t2", "question 1", true);
    shop.drain().ends(0);
    let hit = shop.result("completed/t2");
    assert_eq!(
        (&hit["cached"], &hit["content"]),
        (&json!(true), &json!("(stand-in answer) question 1"))
    );
    assert_eq!((hit["cost_usd"].as_f64(), &hit["worker_id"]), (Some(0.0), &json!("cloud-batch")));
    assert_eq!((server.batches(), server.chats()), (0, 1), "nothing was sent for it");
    let daemon = shop.daemon();
    ask("t3", "question 1", true);
    ask("t4", "question 4", true);
    until_completed(&shop, 3);
    daemon.until_said("t4: begun by cloud-batch");
    shop.koubou(["cancel", "t4"]).ends(0);
    shop.eventually("it is cancelled", || shop.task_file("failed/t4.json").exists());
    daemon.stop();
    let terms = json!({ "poll_s": 0.05, "all": false, "gather_s": 0 });
    let worker = with(with(cloud(&server), "batch", terms), "max_tokens", 100);
    shop.hire(&[worker], &json!({}));
    let daemon = shop.daemon();
    ask("t5", "question 5", true);
    until_completed(&shop, 4);
    ask("t6", "question 5", false);
    until_completed(&shop, 5);
    daemon.stop();
    assert_eq!(shop.result("completed/t6")["cached"], true, "a direct call is the same request");
    assert_eq!((server.batches(), server.chats()), (1, 1));
    assert_paid_beside_calls(&shop, &server, 1);
}

#[test]
fn a_stop_leaves_the_batch_and_a_start_goes_on_with_it() {
    let server = ModelServer::start();
    let shop = shop_of(&server, 2);
    server.batch_will(BatchWill::default().at(usize::MAX));
    let daemon = shop.daemon();
    drop_tasks(&shop, 2);
    server.wait_for_looks(1);
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(shop.names("in_progress").len(), 2);
    server.end_batches();
    let daemon = shop.daemon();
    until_completed(&shop, 2);
    daemon.stop();
    assert_answered(&shop, 2);
    assert_eq!(server.batches(), 1);
    assert_paid(&shop, &server);
}

#[test]
fn a_batch_by_way_of_responses_is_judged_like_any_answer() {
    let server = ModelServer::start();
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    let worker = with(with(cloud(&server), "api", "responses"), "batch", json!({ "poll_s": 0.05 }));
    shop.hire(&[with(worker, "max_tokens", 100)], &json!({}));
    drop_tasks(&shop, 2);
    let demanding = json!({ "description": "a number", "accept": { "regex": "^[0-9]+$" } });
    shop.drop_task("strict", &demanding);
    shop.drain().ends(75);
    shop.drain().ends(0);
    for n in 1..=2 {
        let result = shop.result(&format!("completed/t{n}"));
        assert_eq!(result["content"], format!("(stand-in answer) question {n}"));
    }
    let strict = shop.result("failed/strict");
    assert_eq!(strict["error"]["kind"], "not_accepted", "{strict:#}");
    assert!(strict["cost_usd"].as_f64().unwrap() > 0.0, "what was bought is bought");
    assert_eq!(server.batches(), 1);
    assert_paid(&shop, &server);
}

/// What the server wants for the calls that it answered one by one.
fn bill_of_calls(shop: &Sandbox, n: usize) -> f64 {
    let of = |id: usize| {
        let usage = shop.result(&format!("completed/t{id}"))["usage"].clone();
        let count = |name: &str| usage[name].as_f64().unwrap();
        (count("prompt_tokens") * 1.25 + count("completion_tokens") * 10.0) / 1e6
    };
    (1..=n).map(of).sum()
}

#[test]
fn what_a_provider_does_not_take_as_a_batch_is_done_at_once() {
    let refusals =
        [("/v1/files", 404), ("/v1/files", 400), ("/v1/batches", 400), ("/v1/batches", 405)];
    for (path, status) in refusals {
        let server = ModelServer::start();
        let shop = shop_with(&server, &json!({ "poll_s": 0.05 }), &json!({}));
        let no = Reply::error(status, "invalid_request_error", "x", "not like this");
        server.step_will(path, Step::Refused(no));
        drop_tasks(&shop, 3);
        let said = shop.drain().ends(0);
        assert_answered(&shop, 3);
        assert_eq!((server.batches(), server.chats()), (0, 3), "{path} {status}");
        let why = "the server of `cloud` refused a batch";
        assert_eq!(said.err.matches(why).count(), 1, "said once: {}", said.err);
        for n in 1..=3 {
            let result = shop.result(&format!("completed/t{n}"));
            assert_eq!(outcomes(&result), ["batch_refused", "completed"]);
            assert!(result["attempts"][0]["message"].as_str().unwrap().contains(why));
        }
        assert!((budget(&shop).0 - bill_of_calls(&shop, 3)).abs() < 1e-9, "{:?}", budget(&shop));
    }
}

#[test]
fn a_server_that_has_no_batches_is_not_asked_twice() {
    let server = ModelServer::start();
    let shop = shop_with(&server, &json!({ "gather_s": 0, "poll_s": 0.05 }), &json!({}));
    let nothing = Reply::error(404, "invalid_request_error", "x", "unknown url");
    server.step_will("/v1/files", Step::Refused(nothing));
    let daemon = shop.daemon();
    drop_tasks(&shop, 1);
    until_completed(&shop, 1);
    daemon.until_said("no batch is made until");
    drop_tasks(&shop, 3);
    until_completed(&shop, 4);
    let uploads = || server.requests().iter().filter(|seen| seen.path == "/v1/files").count();
    assert_eq!((uploads(), server.chats()), (1, 4));
    shop.koubou(["resume", "cloud"]).ends(0);
    daemon.until_said("worker `cloud` resumed");
    shop.drop_task("later", &json!({ "description": "x" }));
    until_completed(&shop, 5);
    daemon.stop();
    assert_eq!((uploads(), server.batches()), (2, 1), "whoever resumes it has it tried again");
}

#[test]
fn the_tasks_of_a_batch_that_failed_as_a_whole_are_done_at_once() {
    for status in ["failed", "invalid"] {
        let server = ModelServer::start();
        let shop = shop_with(&server, &json!({ "poll_s": 0.05 }), &json!({}));
        server.batch_will(BatchWill::default().ends_as(status));
        drop_tasks(&shop, 2);
        while shop.drain().code == 75 {}
        assert_answered(&shop, 2);
        assert_eq!((server.batches(), server.chats()), (1, 2), "{status}");
        let result = shop.result("completed/t1");
        assert_eq!(outcomes(&result), ["batch_refused", "completed"]);
        let said = result["attempts"][0]["message"].as_str().unwrap();
        assert!(said.contains(&format!("{status} (invalid_json_line): a line cannot")), "{said}");
        assert!((budget(&shop).0 - bill_of_calls(&shop, 2)).abs() < 1e-9);
    }
}

#[test]
fn whoever_cannot_do_at_once_what_was_refused_as_a_batch_is_stood_in_for() {
    let (server, house) = (ModelServer::start(), ModelServer::start());
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    let worker = with(with(cloud(&server), "batch", true), "fallback", json!(["local"]));
    shop.hire(&[with(worker, "max_tokens", 100), local(&house)], &json!({}));
    let no = Reply::error(400, "invalid_request_error", "x", "not like this");
    server.step_will("/v1/files", Step::Refused(no));
    server.will(Reply::error(401, "invalid_request_error", "invalid_api_key", "who are you"));
    drop_tasks(&shop, 1);
    shop.drain().ends(0);
    let result = shop.result("completed/t1");
    assert_eq!(outcomes(&result), ["batch_refused", "completed"]);
    assert_eq!((&result["worker_type"], house.chats()), (&json!("local"), 1));
}

#[test]
fn a_batch_of_a_server_that_is_not_there_waits_for_it_and_costs_no_attempt() {
    let server = ModelServer::start();
    let (shop, port) = (shop_of(&server, 2), server.port());
    drop(server);
    let daemon = shop.daemon();
    drop_tasks(&shop, 2);
    daemon.until_said("worker `cloud` cannot be reached");
    let server = ModelServer::on(port, None).unwrap();
    until_completed(&shop, 2);
    daemon.stop();
    assert_answered(&shop, 2);
    assert_eq!((server.batches(), server.chats()), (1, 0));
    assert_eq!(outcomes(&shop.result("completed/t1")), ["completed"]);
    assert_paid(&shop, &server);
}

#[test]
fn a_batch_that_cannot_be_handed_over_for_now_is_made_again() {
    for path in ["/v1/files", "/v1/batches"] {
        let server = ModelServer::start();
        let shop = shop_of(&server, 2);
        for _ in 0..4 {
            let broken = Reply::error(500, "server_error", Value::Null, "out of order");
            server.step_will(path, Step::Refused(broken.header("retry-after-ms", "20")));
        }
        let daemon = shop.daemon();
        drop_tasks(&shop, 2);
        until_completed(&shop, 2);
        daemon.stop();
        assert_answered(&shop, 2);
        assert_eq!((server.batches(), server.chats()), (1, 0), "{path}");
        let result = shop.result("completed/t1");
        let mut expected = vec!["batch_not_sent"; 4];
        expected.push("completed");
        assert_eq!(outcomes(&result), expected, "more often than a task may be tried");
        assert_paid(&shop, &server);
    }
}

#[test]
fn a_batch_that_cannot_be_asked_after_is_told_with_since_when_and_why_until_it_can() {
    let server = ModelServer::start();
    let shop = shop_of(&server, 2);
    server.batch_will(BatchWill::default().at(usize::MAX));
    for _ in 0..2 {
        let broken = Reply::error(500, "server_error", Value::Null, "the archive burns");
        server.step_will("/v1/batches/batch_1", Step::Refused(broken));
    }
    let daemon = shop.daemon();
    drop_tasks(&shop, 2);
    let cloud = || shop.koubou(["workers", "--json"]).ends(0).json()[0].clone();
    shop.eventually("its trouble is told", || cloud()["batches"]["since"].is_string());
    let cloud = cloud();
    assert!(
        cloud["batches"]["reason"].as_str().unwrap().contains("the archive burns"),
        "{cloud:#}"
    );
    assert_eq!(cloud["reason"], Value::Null, "the worker itself is well");
    let status = shop.koubou(["status", "--json"]).ends(0).json();
    assert_eq!(status["workers"][0]["batches"], cloud["batches"]);
    for command in ["status", "workers", "list"] {
        let said = shop.koubou([command]).ends(0);
        let told = said.out.contains("the archive burns") && said.out.contains("since 20");
        assert!(told, "{command}: {}", said.out);
    }
    daemon.until_said("batch `batch_1` of worker `cloud` can be asked after again");
    shop.eventually("it has healed", || {
        let said = shop.koubou(["status"]).ends(0).out + &shop.koubou(["list"]).ends(0).out;
        !said.contains("archive")
    });
    server.end_batches();
    until_completed(&shop, 2);
    daemon.stop();
    assert_eq!(server.batches(), 1);
    assert_paid(&shop, &server);
}

#[test]
fn what_a_batch_left_at_its_provider_is_taken_away_once_its_results_are_filed() {
    let server = ModelServer::start();
    let shop = shop_with(&server, &json!({ "poll_s": 0.05 }), &json!({}));
    server.batch_will(BatchWill::default().at(2).failing(1));
    drop_tasks(&shop, 3);
    shop.drain().ends(75);
    assert_eq!(server.files(), ["file-1"]);
    while shop.drain().code == 75 {}
    assert_answered(&shop, 3);
    assert!(server.files().is_empty(), "{:?}", server.files());
    let refused = Reply::error(400, "invalid_request_error", "x", "not like this");
    server.step_will("/v1/batches", Step::Refused(refused));
    shop.drop_task("t4", &json!({ "description": "question 4" }));
    shop.drain().ends(0);
    assert!(server.files().is_empty(), "nor is one left of which nothing came");
    assert_paid_beside_calls(&shop, &server, 4);
}

/// The same as [`assert_paid`], where one task was done without a batch.
#[track_caller]
fn assert_paid_beside_calls(shop: &Sandbox, server: &ModelServer, alone: usize) {
    let usage = shop.result(&format!("completed/t{alone}"))["usage"].clone();
    let count = |name: &str| usage[name].as_f64().unwrap();
    let call = (count("prompt_tokens") * 1.25 + count("completion_tokens") * 10.0) / 1e6;
    let (spent, bill) = (budget(shop).0, bill(server) + call);
    assert!((spent - bill).abs() < 1e-9, "spent {spent}, and the server wants {bill}");
}

#[test]
fn files_that_cannot_be_taken_away_are_told_once_and_hold_nobody_up() {
    let server = ModelServer::start();
    let shop = shop_with(&server, &json!({ "gather_s": 0, "poll_s": 0.05 }), &json!({}));
    for file in ["file-1", "batch_1-output", "file-2", "batch_2-output"] {
        let path = format!("/v1/files/{file}").leak();
        let no = Reply::error(403, "invalid_request_error", Value::Null, "you may not");
        server.step_will(path, Step::Refused(no));
    }
    let daemon = shop.daemon();
    for n in 1..=2 {
        shop.drop_task(&format!("t{n}"), &json!({ "description": format!("question {n}") }));
        daemon.until_said(&format!("batch `batch_{n}` of worker `cloud` is over"));
    }
    assert_answered(&shop, 2);
    let told = daemon.said().matches("stays at its server").count();
    daemon.stop();
    assert_eq!((told, server.files().len()), (1, 4));
}

#[test]
fn a_kill_before_the_files_are_taken_away_leaves_them_to_the_next_start() {
    let server = ModelServer::start();
    let shop = shop_of(&server, 2);
    server.step_will("/v1/files/file-1", Step::Held);
    let daemon = shop.daemon();
    drop_tasks(&shop, 2);
    server.wait_for_held(1);
    daemon.kill();
    server.release();
    assert_answered(&shop, 2);
    assert_eq!(server.files(), ["batch_1-output"]);
    shop.drain().ends(0);
    assert!(server.files().is_empty(), "{:?}", server.files());
    assert_eq!(server.batches(), 1);
    assert_paid(&shop, &server);
}

#[test]
fn a_file_that_is_not_there_yet_is_asked_for_again() {
    let server = ModelServer::start();
    let shop = shop_of(&server, 2);
    server.batch_will(BatchWill::default().hides_its_files(1));
    let daemon = shop.daemon();
    drop_tasks(&shop, 2);
    daemon.until_said("its file is not there yet");
    until_completed(&shop, 2);
    daemon.stop();
    assert_answered(&shop, 2);
    assert_paid(&shop, &server);
}

#[test]
fn a_worker_in_the_house_has_no_batches_and_says_so() {
    let house = ModelServer::start();
    let shop = Sandbox::with_workers(&[local(&house)]);
    shop.drop_task("a", &json!({ "description": "x", "urgency": "batch" }));
    shop.drain().ends(0);
    let warnings = shop.result("completed/a")["warnings"].to_string();
    assert!(warnings.contains("`urgency` changed nothing"), "{warnings}");
    shop.hire(&[with(local(&house), "batch", true)], &json!({}));
    let said = shop.drain();
    assert!(said.err.contains("`batch` is for a `chat` worker that costs money"), "{}", said.err);
}
