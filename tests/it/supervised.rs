//! systemd hears that the work begins, that the loop goes round, and that it ends.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use serde_json::json;

use crate::support::Sandbox;
use crate::support::daemon::PATIENCE;
use crate::support::gate::Gate;
use crate::support::workers::echo;

/// The socket at which systemd would listen.
struct Supervisor(UnixDatagram);

impl Supervisor {
    /// One for all that the sandbox starts, with the patience of its `WatchdogSec`.
    fn of(shop: &Sandbox, patience: Duration) -> Self {
        let path = shop.beside("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        shop.set("NOTIFY_SOCKET", path.to_str().unwrap());
        shop.set("WATCHDOG_USEC", &patience.as_micros().to_string());
        Self(socket)
    }

    /// What it hears next.
    #[track_caller]
    fn hears(&self) -> String {
        let mut bytes = [0; 1024];
        loop {
            match self.0.recv(&mut bytes) {
                // A wait with an end is not begun again by itself after a signal.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                heard => {
                    let length = heard.expect("a word from the daemon");
                    return String::from_utf8_lossy(&bytes[..length]).trim().to_owned();
                }
            }
        }
    }

    /// What it has heard and not taken yet.
    fn heard(&self) -> Vec<String> {
        self.0.set_nonblocking(true).unwrap();
        let mut bytes = [0; 1024];
        std::iter::from_fn(|| self.0.recv(&mut bytes).ok().map(|length| bytes[..length].to_vec()))
            .map(|word| String::from_utf8_lossy(&word).trim().to_owned())
            .collect()
    }
}

#[test]
fn the_loop_is_heard_until_it_ends() {
    let shop = Sandbox::new();
    let gate = Gate::at(shop.beside("gate"));
    shop.hire(&[gate.worker(), echo()], &json!({}));
    let supervisor = Supervisor::of(&shop, Duration::from_millis(400));
    let mut daemon = shop.start(["start"]);
    assert_eq!(supervisor.hears(), "READY=1");
    // Idle: nothing wakes the loop but this.
    for _ in 0..5 {
        assert_eq!(supervisor.hears(), "WATCHDOG=1");
    }

    // A stop that waits for a task is no loop that is stuck.
    shop.drop_task("x", &json!({ "description": "a", "worker": "gate" }));
    shop.eventually("it is begun", || shop.task_file("in_progress/x.json").exists());
    daemon.term();
    while supervisor.hears() != "STOPPING=1" {}
    assert_eq!(supervisor.hears(), "WATCHDOG=1");
    gate.open("done");
    assert_eq!(daemon.ended(), Some(0));
    assert!(supervisor.heard().iter().all(|word| word == "WATCHDOG=1"), "it is told once");
    assert_eq!(shop.result("completed/x")["content"], "done");
}

#[test]
fn a_drain_says_that_it_begins_and_ends_and_no_more_to_whom_it_is_not_for() {
    let shop = Sandbox::with_echo();
    let supervisor = Supervisor::of(&shop, Duration::from_millis(1));
    // The watchdog is another process's, and was inherited.
    shop.set("WATCHDOG_PID", "1");
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    assert_eq!(supervisor.heard(), ["READY=1", "STOPPING=1"]);
}

#[test]
fn new_settings_are_no_end() {
    let shop = Sandbox::with_echo();
    let supervisor = Supervisor::of(&shop, Duration::from_secs(3600));
    let mut daemon = shop.start(["start"]);
    assert_eq!([supervisor.hears(), supervisor.hears()], ["READY=1", "WATCHDOG=1"]);
    daemon.hang_up();
    assert_eq!([supervisor.hears(), supervisor.hears()], ["READY=1", "WATCHDOG=1"]);
    daemon.term();
    assert_eq!(supervisor.hears(), "STOPPING=1");
    assert_eq!(daemon.ended(), Some(0));
}

#[test]
fn nobody_who_listens_does_no_harm() {
    let shop = Sandbox::with_echo();
    shop.set("NOTIFY_SOCKET", shop.beside("nobody").to_str().unwrap());
    shop.set("WATCHDOG_USEC", "1");
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    assert_eq!(shop.names("completed"), ["x.json"]);
}
