//! Whatever lies in `pending`: it is kept, it is explained, and it stops nobody.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use rustix::fs::{Mode, mkfifoat};
use serde_json::{Value, json};

use crate::support::{Sandbox, workers};

/// Drops that are no tasks: a name, its bytes, the error's kind, and what the message must say.
fn no_tasks() -> Vec<(&'static str, Vec<u8>, &'static str, &'static str)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(r#"{"description": "a"}"#.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let deep = format!(
        r#"{{"description": "a", "input": {}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    vec![
        ("half", text(r#"{"description": "a"#), "invalid_json", "whole"),
        ("empty", Vec::new(), "invalid_json", "empty"),
        ("array", text(r#"[{"description": "a"}]"#), "invalid_task", "submit"),
        ("wrong_type", text(r#"{"description": 7}"#), "invalid_task", "`description`"),
        ("several", text(r#"{"description": 7, "priority": 11}"#), "invalid_task", "`priority`"),
        ("traversal", text(r#"{"task_id": "../../x"}"#), "invalid_task", "task id"),
        ("words", text("please do it"), "invalid_json", "JSON"),
        ("utf16", utf16, "invalid_json", "UTF-8"),
        ("nested", deep.into_bytes(), "invalid_json", "deep"),
        (
            "large",
            format!(r#"{{"description": "{}"}}"#, "a".repeat(20 << 20)).into_bytes(),
            "too_large",
            "max_task_bytes",
        ),
    ]
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

/// A rejected drop's result, checked for what every one of them has.
#[track_caller]
fn rejection(shop: &Sandbox, id: &str, kind: &str) -> Value {
    let result = shop.result(&format!("failed/{id}"));
    assert_eq!(result["error"]["kind"], kind, "{id}: {result:#}");
    assert_eq!(result["status"], "failed", "{id}");
    assert_eq!(result["task_id"], id);
    assert_eq!(mode(&shop.task_file(format!("failed/{id}.json"))), 0o600, "{id}");
    let message = result["error"]["message"].as_str().unwrap();
    assert!(!message.is_empty() && !message.contains('\n'), "{id}: {message:?}");
    result
}

#[test]
fn what_is_no_task_is_kept_as_it_was_and_explained_while_others_run() {
    let shop = Sandbox::with_echo();
    for (name, bytes, ..) in no_tasks() {
        shop.drop_bytes(format!("{name}.json"), bytes);
    }
    let pending = shop.task_file("pending");
    let precious = shop.beside("precious");
    fs::write(&precious, "precious").unwrap();
    symlink(&precious, pending.join("link.json")).unwrap();
    mkfifoat(rustix::fs::CWD, pending.join("pipe.json"), Mode::from_raw_mode(0o644)).unwrap();
    fs::create_dir(pending.join("folder.json")).unwrap();
    fs::write(pending.join("folder.json/inside"), "inside").unwrap();
    // Names that are odd, and tasks all the same.
    let good = json!({ "description": "hello", "worker": "echo" });
    shop.drop_task("good", &good);
    shop.drop_task("a\nb", &good);
    shop.drop_bytes(OsStr::from_bytes(b"caf\xe9.json"), good.to_string());
    shop.drop_task("typo", &json!({ "description": "hello", "worker": "echo", "priorty": 9 }));
    // Names that writers use meanwhile.
    for name in [".x.json", ".x.json.swp", "x.json~", "x.tmp", "x.json.part"] {
        shop.drop_bytes(name, "not yet");
    }

    shop.drain().ends(0);

    for (name, bytes, kind, says) in no_tasks() {
        let result = rejection(&shop, name, kind);
        let message = result["error"]["message"].as_str().unwrap();
        assert!(message.contains(says), "{name}: {message}");
        let kept = shop.task_file(format!("failed/{name}.rejected"));
        assert!(fs::read(&kept).unwrap() == bytes, "{name} is kept byte for byte");
        assert_eq!(mode(&kept), 0o600, "{name}");
    }
    for (name, says) in [("link", "link"), ("pipe", "pipe"), ("folder", "folder")] {
        let result = rejection(&shop, name, "not_a_regular_file");
        assert!(result["error"]["message"].as_str().unwrap().contains(says), "{result:#}");
    }
    assert_eq!(fs::read_link(shop.task_file("failed/link.rejected")).unwrap(), precious);
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    assert_eq!(mode(&precious), mode(&shop.home().join("README.md")));
    assert_eq!(fs::read(shop.task_file("failed/folder.rejected/inside")).unwrap(), b"inside");

    assert_eq!(shop.names("completed"), ["a_b.json", "caf_.json", "good.json", "typo.json"]);
    assert_eq!(shop.result("completed/a_b")["content"], "hello");
    let warnings = shop.result("completed/typo")["warnings"].to_string();
    assert!(warnings.contains("priorty") && warnings.contains("`priority`"), "{warnings}");
    assert_eq!(
        shop.names("pending"),
        [".x.json", ".x.json.swp", "x.json.part", "x.json~", "x.tmp"]
    );
    assert!(shop.names("in_progress").is_empty());
    assert_eq!(shop.count("SELECT count(*) FROM task_master WHERE status = 'failed'"), 13);
    assert_eq!(shop.count("SELECT count(*) FROM task_master WHERE status = 'completed'"), 4);
}

#[test]
fn a_reused_id_never_touches_the_older_result() {
    let shop = Sandbox::with_echo();
    shop.drop_task("x", &json!({ "description": "first", "worker": "echo" }));
    shop.drain().ends(0);
    let before = fs::read(shop.task_file("completed/x.json")).unwrap();
    shop.drop_task("x", &json!({ "description": "second", "worker": "echo" }));
    shop.drop_task("y", &json!({ "task_id": "x", "description": "third", "worker": "echo" }));
    shop.drop_bytes("x-bad.json", "[]");
    shop.drain().ends(0);
    shop.drop_bytes("x-bad.json", "[1]");
    shop.drain().ends(0);
    assert_eq!(fs::read(shop.task_file("completed/x.json")).unwrap(), before);
    assert_eq!(shop.names("completed"), ["x.2.json", "x.3.json", "x.json"]);
    assert_eq!(fs::read(shop.task_file("failed/x-bad.rejected")).unwrap(), b"[]");
    assert_eq!(fs::read(shop.task_file("failed/x-bad.2.rejected")).unwrap(), b"[1]");
}

#[test]
fn a_file_is_taken_once_its_writer_has_closed_it() {
    let shop = Sandbox::with_echo();
    let daemon = shop.daemon();
    let mut slow = fs::File::create(shop.task_file("pending/slow.json")).unwrap();
    slow.write_all(br#"{"description": "he"#).unwrap();
    slow.flush().unwrap();
    shop.drop_task("after", &json!({ "description": "b", "worker": "echo" }));
    daemon.until_said("after: completed");
    assert_eq!(shop.names("pending"), ["slow.json"]);
    slow.write_all(br#"llo", "worker": "echo"}"#).unwrap();
    drop(slow);
    shop.koubou(["wait", "slow", "--timeout", "20s"]).ends(0);
    assert_eq!(shop.result("completed/slow")["content"], "hello");
}

#[test]
fn a_file_that_may_not_be_read_is_explained() {
    let shop = Sandbox::with_echo();
    shop.drop_bytes("closed.json", r#"{"description": "a"}"#);
    shop.drop_task("good", &json!({ "description": "b", "worker": "echo" }));
    let closed = shop.task_file("pending/closed.json");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let Some(command) = shop.command_of_nobody(["start", "--drain"]) else { return };
    shop.run(command, "").ends(0);
    let result = rejection(&shop, "closed", "unreadable");
    assert!(result["error"]["message"].as_str().unwrap().contains("chmod"), "{result:#}");
    assert_eq!(shop.names("completed"), ["good.json"]);
    let kept = shop.task_file("failed/closed.rejected");
    assert_eq!(mode(&kept), 0o600);
    assert_eq!(fs::read(kept).unwrap(), br#"{"description": "a"}"#);
}

#[test]
fn what_cannot_be_moved_away_is_told_once_and_ends_the_drain_with_75() {
    let shop = Sandbox::with_echo();
    let Some(command) = shop.command_of_nobody(["start", "--drain"]) else { return };
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can make what another cannot move");
        return;
    }
    // A folder moves only for who may write in it.
    fs::create_dir(shop.task_file("pending/theirs.json")).unwrap();
    shop.drop_task("good", &json!({ "description": "b", "worker": "echo" }));
    let said = shop.run(command, "").ends(75);
    assert_eq!(shop.names("completed"), ["good.json"]);
    assert_eq!(shop.names("pending"), ["theirs.json"]);
    let complaints = said.err.lines().filter(|line| line.contains("theirs")).count();
    assert!((1..=3).contains(&complaints), "said {complaints} times:\n{}", said.err);
    assert!(said.err.contains("only its owner can move it away"), "{}", said.err);
}

#[test]
fn what_becomes_a_link_while_it_waits_is_not_followed() {
    let shop = Sandbox::with_echo();
    shop.koubou(["pause"]).ends(0);
    let _daemon = shop.daemon();
    let outside = shop.beside("outside.json");
    fs::write(&outside, r#"{"description": "not for them", "worker": "echo"}"#).unwrap();
    shop.drop_task("x", &json!({ "description": "harmless", "worker": "echo" }));
    shop.eventually("it is seen", || {
        shop.count("SELECT count(*) FROM task_master WHERE task_id = 'x'") == 1
    });
    let aside = shop.task_file("pending/.aside");
    symlink(&outside, &aside).unwrap();
    rustix::fs::rename(&aside, shop.task_file("pending/x.json")).unwrap();
    shop.koubou(["resume"]).ends(0);
    shop.koubou(["wait", "x", "--timeout", "20s"]).ends(1);
    rejection(&shop, "x", "not_a_regular_file");
    let kept = fs::read_link(shop.task_file("failed/x.rejected")).unwrap();
    assert_eq!(kept, outside, "the link itself is kept");
    assert!(outside.exists());
}

#[test]
fn nothing_that_a_task_names_can_leave_its_place() {
    let shop = Sandbox::with_workers(&[workers::echo()]);
    shop.drop_task(
        "files",
        &json!({ "description": "a", "worker": "echo", "files": ["/etc/hostname"] }),
    );
    shop.drop_task("nobody", &json!({ "description": "a", "worker": "ehco" }));
    shop.drain().ends(0);
    let result = rejection(&shop, "files", "invalid_task");
    assert!(result["error"]["message"].as_str().unwrap().contains("file_roots"), "{result:#}");
    let result = shop.result("failed/nobody");
    assert_eq!(result["error"]["kind"], "no_worker");
    assert!(result["error"]["message"].as_str().unwrap().contains("`echo`"), "{result:#}");
}
