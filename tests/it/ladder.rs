//! An answer that is not accepted goes to the next worker up: never out of the house, never over a limit.

use serde_json::{Value, json};

use crate::support::workers::{self, CLOUD_KEY, cloud, fresh_secret, local, script, with};
use crate::support::{ModelServer, Reply, Sandbox};

const LADDER: [&str; 2] = ["local", "cloud"];

/// A house model and a dearer one, each with its own server.
fn two_rungs(more: &Value) -> (Sandbox, ModelServer, ModelServer) {
    let (house, sky) = (ModelServer::start(), ModelServer::start());
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    shop.hire(&[local(&house), cloud(&sky)], more);
    (shop, house, sky)
}

fn outcomes(result: &Value) -> Vec<&str> {
    let attempts = result["attempts"].as_array().unwrap();
    attempts.iter().map(|attempt| attempt["outcome"].as_str().unwrap()).collect()
}

#[test]
fn the_next_worker_is_asked_until_an_answer_is_accepted() {
    let (shop, house, sky) = two_rungs(&json!({}));
    house.will(Reply::answer("it depends", 5, 5));
    sky.will(Reply::answer("```json\n{\"answer\": 42}\n```", 10, 10));
    let schema = json!({ "type": "object", "required": ["answer"] });
    let task =
        json!({ "description": "a", "escalate": LADDER, "accept": { "json_schema": schema } });
    shop.drop_task("x", &task);
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    assert_eq!(result["content"], "{\"answer\": 42}");
    assert_eq!(outcomes(&result), ["not_accepted", "completed"]);
    assert_eq!(result["worker_type"], "cloud");
    assert!(result["attempts"][0]["message"].as_str().unwrap().contains("not JSON"), "{result:#}");
    assert_eq!(result["cost_usd"], result["attempts"][1]["cost_usd"]);
    assert!(result["routing"]["reasons"].to_string().contains("`cloud` is asked next"));
    assert_eq!((house.chats(), sky.chats()), (1, 1));
    assert_eq!(shop.count("SELECT count(*) FROM cost_tracking WHERE cost_usd > 0"), 1);
}

#[test]
fn the_shape_that_a_task_asks_for_is_demanded_on_every_rung() {
    let (shop, house, sky) = two_rungs(&json!({}));
    house.will(Reply::answer("{\"town\": \"Lima\"}", 5, 5));
    sky.will(Reply::answer("{\"city\": \"Lima\"}", 10, 10));
    let schema = json!({ "type": "object", "required": ["city"] });
    let task = json!({ "description": "a", "escalate": LADDER, "response_schema": schema });
    shop.drop_task("x", &task);
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    assert_eq!(result["content"], "{\"city\": \"Lima\"}");
    assert_eq!(outcomes(&result), ["not_accepted", "completed"]);
    for server in [&house, &sky] {
        let asked = &server.requests()[0].body["response_format"]["json_schema"];
        assert_eq!(asked["schema"], schema);
    }
}

#[test]
fn an_answer_that_nobody_gives_well_enough_fails_with_all_that_it_cost() {
    let (shop, house, sky) = two_rungs(&json!({}));
    for server in [&house, &sky] {
        server.will(Reply::answer("no idea", 10, 10));
    }
    let task = json!({ "description": "a", "escalate": LADDER, "accept": { "regex": "^\\d+$" } });
    shop.drop_task("x", &task);
    shop.drain().ends(0);
    let result = shop.result("failed/x");
    assert_eq!(result["error"]["kind"], "not_accepted", "{result:#}");
    assert_eq!(outcomes(&result), ["not_accepted"; 2]);
    assert_eq!(result["content"], "no idea", "the last answer is kept");
    assert!(result["cost_usd"].as_f64().unwrap() > 0.0);
}

#[test]
fn what_is_confidential_climbs_inside_the_house_alone() {
    let (shop, house, sky) = two_rungs(&json!({}));
    let better = with(local(&house), "type", "better");
    shop.hire(&[local(&house), better, cloud(&sky)], &json!({}));
    house.will(Reply::answer("no idea", 1, 1)).will(Reply::answer("still none", 1, 1));
    let secret = fresh_secret();
    let task = json!({
        "description": format!("the password is {secret}"),
        "escalate": ["local", "cloud", "better"], "accept": { "regex": "^\\d+$" },
    });
    shop.drop_task("x", &task);
    shop.drain().ends(0);
    let result = shop.result("failed/x");
    assert_eq!(outcomes(&result), ["not_accepted"; 2], "{result:#}");
    assert_eq!(result["worker_type"], "better");
    assert!(result["routing"]["reasons"].to_string().contains("not passed on to `cloud`"));
    assert_eq!((house.chats(), sky.chats(), sky.connections()), (2, 0, 0));
}

#[test]
fn a_check_of_the_settings_judges_the_answer() {
    let looks = json!({ "name": "has-ok", "command": ["grep", "-q", "ok"], "local": true });
    let gone = json!({ "name": "gone", "command": ["/no/such/program"] });
    let (shop, house, sky) = two_rungs(&json!({ "checks": [looks, gone] }));
    let task = |check: &str| json!({ "description": "a", "escalate": LADDER, "accept": { "check": check } });
    house.will(Reply::answer("bad", 1, 1));
    sky.will(Reply::answer("all ok", 1, 1));
    shop.drop_task("checked", &task("has-ok"));
    shop.drain().ends(0);
    let result = shop.result("completed/checked");
    assert_eq!(outcomes(&result), ["not_accepted", "completed"]);
    let told = result["attempts"][0]["message"].as_str().unwrap();
    assert!(told.contains("the check `has-ok` says no"), "{told}");

    // A check that cannot be run sends nobody to a dearer worker.
    house.will(Reply::answer("ok", 1, 1));
    shop.drop_task("unchecked", &task("gone"));
    shop.drop_task("unknown", &task("has-OK"));
    shop.drain().ends(0);
    let result = shop.result("failed/unchecked");
    assert_eq!(result["error"]["kind"], "command_failed", "{result:#}");
    assert!(result["error"]["message"].as_str().unwrap().contains("could not be run"));
    let result = shop.result("failed/unknown");
    assert!(result["error"]["message"].as_str().unwrap().contains("did you mean `has-ok`?"));
    assert_eq!(sky.chats(), 1);
}

#[test]
fn a_confidential_answer_is_shown_to_no_check_that_is_not_local() {
    let marker = Sandbox::new();
    let seen = marker.beside("seen");
    let spy = json!({ "name": "spy", "command": ["tee", seen] });
    let (shop, house, _sky) = two_rungs(&json!({ "checks": [spy] }));
    house.will(Reply::answer("an answer", 1, 1));
    let task = json!({
        "description": "a", "sensitivity_level": "confidential", "accept": { "check": "spy" },
    });
    shop.drop_task("x", &task);
    shop.drain().ends(0);
    let result = shop.result("failed/x");
    assert!(result["error"]["message"].as_str().unwrap().contains("`local: true`"), "{result:#}");
    assert!(!seen.exists());
}

#[test]
fn a_climb_ends_where_the_money_does() {
    let (shop, house, sky) = two_rungs(&json!({}));
    house.will(Reply::answer("no idea", 1, 1));
    let task = json!({
        "description": "a", "escalate": LADDER, "accept": { "regex": "^\\d+$" },
        "max_cost_usd": 0.001,
    });
    shop.drop_task("x", &task);
    shop.drain().ends(0);
    let result = shop.result("failed/x");
    assert_eq!(result["error"]["kind"], "not_accepted", "{result:#}");
    assert_eq!(result["content"], "no idea", "the answer that there is is kept");
    assert!(result["routing"]["reasons"].to_string().contains("`cloud` is not asked"));
    assert_eq!(sky.chats(), 0);
}

#[test]
fn a_workers_own_ladder_and_demand_hold_for_tasks_that_say_nothing() {
    let picky = script("picky", "cat", &[]);
    let picky =
        with(with(picky, "accept", json!({ "regex": "please" })), "escalate", json!(["echo"]));
    let shop = Sandbox::with_workers(&[picky, workers::echo()]);
    shop.drop_task("rude", &json!({ "description": "do it", "worker": "picky" }));
    shop.drop_task("polite", &json!({ "description": "do it, please", "worker": "picky" }));
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/rude")["worker_type"], "echo");
    assert_eq!(shop.result("completed/polite")["worker_type"], "picky");
}

#[test]
fn a_restart_goes_on_where_the_task_stood() {
    let (shop, house, sky) = two_rungs(&json!({}));
    house.will(Reply::answer("no idea", 1, 1));
    sky.will(Reply::answer("1", 1, 1).held());
    let task = json!({ "description": "a", "escalate": LADDER, "accept": { "regex": "^\\d+$" } });
    shop.drop_task("x", &task);
    let daemon = shop.start(["start", "--drain"]);
    sky.wait_for_held(1);
    daemon.kill();
    sky.release();
    sky.will(Reply::answer("2", 1, 1));
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    assert_eq!(outcomes(&result), ["not_accepted", "daemon_died", "completed"]);
    assert_eq!((house.chats(), sky.chats()), (1, 2), "the house is not asked again");
}

#[test]
fn what_is_wrong_with_a_demand_is_said_at_once() {
    let shop = Sandbox::with_echo();
    let task = json!({ "description": "a", "worker": "echo", "accept": { "regex": "(" } });
    shop.drop_task("x", &task);
    shop.drain().ends(0);
    let message = shop.result("failed/x")["error"]["message"].to_string();
    assert!(message.contains("`accept`: `regex` is not a regular expression"), "{message}");
    shop.config(
        "available_workers:\n  - {type: echo, kind: echo, escalate: [ecko], accept: {check: none}}\n\
         checks:\n  - {name: x}\nrouting_rules:\n  - else: echo\n",
    );
    let said = shop.koubou(["start", "--drain"]).ends(1).err;
    for wanted in ["did you mean `echo`?", "no check `none`", "a check needs a `command`"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
}
