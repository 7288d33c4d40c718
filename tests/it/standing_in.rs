//! Calls that are not made: the same asked again is answered from the cache, a worker that cannot
//! be used is stood in for, and a server that fails and fails is left alone.

use serde_json::json;

use crate::support::workers::{CLOUD_KEY, cloud, fresh_secret, local, script, with};
use crate::support::{ModelServer, Reply, Sandbox};

/// A house model and a dearer one for which it stands in, each with its own server.
fn house_and_sky() -> (Sandbox, ModelServer, ModelServer) {
    let (house, sky) = (ModelServer::start(), ModelServer::start());
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    let sky_worker = with(cloud(&sky), "fallback", json!(["local"]));
    let sky_worker = with(sky_worker, "concurrency", 1);
    shop.hire(&[local(&house), sky_worker], &json!({}));
    (shop, house, sky)
}

#[test]
fn the_same_asked_again_costs_nothing_and_says_so() {
    let (shop, _house, sky) = house_and_sky();
    let task = json!({ "description": "what is a queue?", "worker": "cloud", "cache": true });
    sky.will(Reply::answer("a folder", 10, 10));
    for id in ["first", "second"] {
        shop.drop_task(id, &task);
        shop.drain().ends(0);
    }
    let (first, second) = (shop.result("completed/first"), shop.result("completed/second"));
    assert_eq!((sky.chats(), &second["content"]), (1, &json!("a folder")));
    assert!(first["cost_usd"].as_f64().unwrap() > 0.0 && first.get("cached").is_none());
    assert_eq!((second["cost_usd"].as_f64(), &second["cached"]), (Some(0.0), &json!(true)));
    let other = json!({ "description": "what is a queue", "worker": "cloud", "cache": true });
    shop.drop_task("third", &other);
    shop.drop_task("fourth", &json!({ "description": "what is a queue?", "worker": "cloud" }));
    shop.drain().ends(0);
    assert_eq!(sky.chats(), 3, "another question, and one that did not ask for it");
}

#[test]
fn an_answer_that_was_not_accepted_is_not_kept() {
    let (shop, _house, sky) = house_and_sky();
    let task = json!({
        "description": "a number", "worker": "cloud", "cache": true, "fallback": ["cloud"],
        "accept": { "regex": "^\\d+$" }, "max_attempts": 1,
    });
    sky.will(Reply::answer("none", 1, 1)).will(Reply::answer("42", 1, 1));
    shop.drop_task("a", &task);
    shop.drain().ends(0);
    assert_eq!(shop.result("failed/a")["error"]["kind"], "not_accepted");
    shop.drop_task("b", &task);
    shop.drain().ends(0);
    assert_eq!((shop.result("completed/b")["content"].as_str(), sky.chats()), (Some("42"), 2));
}

#[test]
fn a_worker_without_credit_is_stood_in_for() {
    let (shop, house, sky) = house_and_sky();
    sky.will(Reply::error(429, "insufficient_quota", "insufficient_quota", "no credit"));
    for id in ["a", "b", "c"] {
        shop.drop_task(id, &json!({ "description": id, "worker": "cloud" }));
    }
    shop.drain().ends(0);
    for id in ["a", "b", "c"] {
        let result = shop.result(&format!("completed/{id}"));
        assert_eq!(result["worker_type"], "local");
        assert!(result["routing"]["reasons"].to_string().contains("`local` stands in"));
    }
    assert_eq!((house.chats(), sky.chats()), (3, 1));
}

#[test]
fn nobody_outside_stands_in_for_a_local_worker_that_is_down() {
    let sky = ModelServer::start();
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    let gone = ModelServer::start();
    let house = with(local(&gone), "fallback", json!(["cloud"]));
    drop(gone);
    shop.hire(&[house, cloud(&sky)], &json!({}));
    let secret = json!({ "description": "our merger", "sensitivity_level": "confidential" });
    shop.drop_task("secret", &secret);
    shop.drop_task("open", &json!({ "description": "a haiku", "worker": "local" }));
    shop.drain().ends(75);
    assert!(shop.task_file("pending/secret.json").exists());
    assert_eq!(shop.result("completed/open")["worker_type"], "cloud");
    assert_eq!(sky.chats(), 1);
    assert!(!sky.requests()[0].body.to_string().contains("merger"));
}

#[test]
fn a_server_that_fails_and_fails_is_left_alone() {
    let server = ModelServer::start();
    let shop = Sandbox::new();
    let house = with(with(local(&server), "concurrency", 1), "max_attempts", 9);
    let stands_in = script("program", "cat", &[]);
    shop.hire(&[house, stands_in], &json!({}));
    for _ in 0..5 {
        server.will(Reply::error(500, "server_error", "x", "out of order"));
    }
    for n in 0..5 {
        shop.drop_task(&format!("t{n}"), &json!({ "description": "x", "worker": "local" }));
    }
    let daemon = shop.daemon();
    daemon.until_said("failed 5 times in a row");
    assert_eq!(server.chats(), 5, "one attempt each, and then nobody asks");
    let status = shop.koubou(["workers", "--json"]).ends(0).json();
    assert!(status.to_string().contains("failing"), "{status:#}");
    daemon.stop();
}
