//! Settings that are taken anew by a daemon that runs.

use std::fs;

use serde_json::json;

use crate::support::workers::{self, local};
use crate::support::{ModelServer, Reply, Sandbox};

#[test]
fn new_settings_hold_once_what_runs_has_ended_and_wrong_ones_never() {
    let server = ModelServer::start();
    let shop = Sandbox::new();
    shop.hire(&[local(&server), workers::echo()], &json!({}));
    let daemon = shop.daemon();

    shop.config("worker_types: 3\n");
    daemon.hang_up();
    daemon.until_said("the new settings are wrong, and the old ones stay");
    shop.drop_task("a", &json!({ "description": "one", "worker": "echo" }));
    daemon.until_said("a: completed");

    // One task runs while better settings come; the next is for a worker whom only these know.
    server.will(Reply::answer("done", 5, 5).held());
    shop.drop_task("b", &json!({ "description": "two", "worker": "local" }));
    shop.eventually("it is asked", || server.chats() == 1);
    shop.hire(
        &[local(&server), workers::echo(), workers::with(workers::echo(), "type", "echo2")],
        &json!({}),
    );
    daemon.hang_up();
    daemon.until_said("hold once the task under way has ended");
    server.release();
    daemon.until_said("b: completed");
    shop.drop_task("c", &json!({ "description": "three", "worker": "echo2" }));
    daemon.until_said("c: completed");
    assert_eq!(shop.result("completed/c")["worker_type"], "echo2");
    assert_eq!(server.chats(), 1, "nothing was done twice");
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn the_level_and_the_form_of_the_log_are_taken_anew_too() {
    let shop = Sandbox::with_echo();
    let log = || fs::read_to_string(shop.home().join("logs/system/koubou.log")).unwrap();
    let level = |level: &str| {
        let file = shop.home().join("config/.env");
        fs::write(file, format!("KOUBOU_LOG_LEVEL={level}\n")).unwrap();
    };
    let daemon = shop.daemon();
    let work = |id: &str| {
        shop.koubou(["submit", "--id", id, "--worker", "echo", "-d", "x", "--wait"]).ends(0);
    };
    work("a");
    shop.eventually("it is told", || log().contains("INFO  a: completed"));
    level("error");
    daemon.hang_up();
    daemon.until_said("hold from now on");
    // The new shift begins before it does anything.
    work("b");
    level("info");
    shop.hire(&[workers::echo()], &json!({ "log_format": "json" }));
    daemon.hang_up();
    daemon.until_said("\"message\":\"working ");
    work("c");
    shop.eventually("it is told as JSON", || log().contains("\"task_id\":\"c\""));
    assert!(!log().contains("b: ") && !log().contains("\"b\""), "{}", log());
    assert_eq!(daemon.stop(), Some(0));
}
