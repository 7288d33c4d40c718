//! Programs that do not behave: each costs its own task at most, and never the daemon.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::workers::{self, script, with};
use crate::support::{Sandbox, is_full_torture};

/// A process that a story has to end, for nobody else does.
struct Leftover(Pid);

impl Leftover {
    fn noted_in(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        Self(Pid::from_raw(text.trim().parse().unwrap()).unwrap())
    }

    fn runs(&self) -> bool {
        fs::read_to_string(format!("/proc/{}/stat", self.0.as_raw_nonzero()))
            .is_ok_and(|stat| !stat.contains(") Z"))
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        if self.runs() {
            let _ = kill_process(self.0, Signal::KILL);
        }
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs one task with one worker and gives back its result.
fn work_on(worker: Value, description: &str, more: &Value) -> (Sandbox, Value) {
    let shop = Sandbox::new();
    shop.hire(&[worker], more);
    let result = drain_one(&shop, description);
    (shop, result)
}

fn drain_one(shop: &Sandbox, description: &str) -> Value {
    shop.drop_task("x", &json!({ "description": description }));
    shop.drain().ends(0);
    let folder = if shop.names("completed").is_empty() { "failed" } else { "completed" };
    for empty in ["pending", "in_progress"] {
        assert!(shop.names(empty).is_empty(), "{empty}");
    }
    shop.result(&format!("{folder}/x"))
}

#[track_caller]
fn assert_failed(result: &Value, kind: &str, says: &str) {
    assert_eq!(result["error"]["kind"], kind, "{result:#}");
    let message = result["error"]["message"].as_str().unwrap();
    assert!(message.contains(says), "{message}");
}

#[test]
fn nobody_waits_for_a_grandchild_that_holds_the_output() {
    let shop = Sandbox::new();
    let pid = shop.beside("pid");
    let text = "sleep 600 & echo $! > \"$1\"; echo done";
    shop.hire(&[script("leaves", text, &[path(&pid)])], &json!({}));
    let began = Instant::now();
    let result = drain_one(&shop, "a");
    let left = Leftover::noted_in(&pid);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(result["content"], "done\n");
    assert!(left.runs(), "what a program leaves on purpose is left alone");
}

#[test]
fn who_ignores_the_request_to_end_is_ended_with_all_of_his_group() {
    let shop = Sandbox::new();
    let pid = shop.beside("pid");
    let text = "trap '' TERM; sleep 600 & echo $! > \"$1\"; echo begun; while :; do wait; done";
    shop.hire(&[with(script("deaf", text, &[path(&pid)]), "timeout_s", 0.5)], &json!({}));
    let began = Instant::now();
    let result = drain_one(&shop, "a");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_failed(&result, "timeout", "`timeout_s`");
    assert_eq!(result["content"], "begun\n");
    assert!(!Leftover::noted_in(&pid).runs(), "his child runs still");
}

#[test]
fn a_flood_of_output_fills_neither_the_memory_nor_the_disk() {
    let flood = if is_full_torture() { "10G" } else { "300M" };
    for (source, most_content) in [("/dev/zero", 16 << 20), ("yes", 16 << 20)] {
        let shop = Sandbox::new();
        let text = match source {
            "yes" => format!("yes | head -c {flood}; head -c {flood} /dev/zero >&2; exit 0"),
            _ => format!("exec head -c {flood} {source}"),
        };
        let flood = with(script("flood", &text, &[]), "timeout_s", 600);
        shop.hire(&[flood, workers::echo()], &json!({}));
        let daemon = shop.daemon();
        // What the daemon takes for itself, rules of confidentiality and all, it has by now.
        shop.drop_task("calm", &json!({ "description": "a password is kept", "worker": "echo" }));
        shop.koubou(["wait", "calm", "--timeout", "50s"]).ends(0);
        let before = peak_memory(daemon.pid());
        assert!(before < 64 << 20, "at rest it takes {} MiB", before >> 20);
        shop.drop_task("x", &json!({ "description": "a" }));
        let patience = if is_full_torture() { "500s" } else { "50s" };
        shop.koubou(["wait", "x", "--timeout", patience]).ends(0);
        let peak = peak_memory(daemon.pid());
        let grown = peak - before;
        assert!(grown < 132 << 20, "{source}: the daemon took {} MiB more", grown >> 20);
        let result = shop.result("completed/x");
        let content = result["content"].as_str().unwrap().len();
        assert!(content <= most_content, "{content}");
        assert!(!result["warnings"].as_array().unwrap().is_empty(), "a warning says so");
        assert_eq!(daemon.stop(), Some(0));
    }
}

/// The most memory that a process has had, in bytes.
fn peak_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn a_program_may_read_all_or_half_or_nothing_of_its_task() {
    let long = "工房 ".repeat(300_000);
    for (text, says) in [
        ("exec <&-; echo closed", "closed\n"),
        ("head -c 7", "工房 "),
        ("true", ""),
        ("wc -c", "2100000\n"),
    ] {
        let (_shop, result) = work_on(script("reads", text, &[]), &long, &json!({}));
        assert_eq!(result["status"], "completed", "{text}: {}", result["error"]);
        assert_eq!(result["content"], says, "{text}");
    }
}

#[test]
fn a_program_that_cannot_be_started_fails_its_task_with_the_reason() {
    let shop = Sandbox::new();
    let plain = shop.beside("plain");
    fs::write(&plain, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
    let orphan = shop.beside("orphan");
    fs::write(&orphan, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&orphan, fs::Permissions::from_mode(0o755)).unwrap();
    let folder = shop.beside("folder");
    fs::create_dir(&folder).unwrap();
    let programs = [
        ("missing", PathBuf::from("/no/such/program"), "not there"),
        ("nowhere", PathBuf::from("koubou-no-such-program"), "PATH"),
        ("plain", plain, "chmod +x"),
        ("orphan", orphan, "interpreter"),
        ("folder", folder, "folder"),
    ];
    let all: Vec<Value> =
        programs.iter().map(|(name, file, _)| workers::command(name, &[path(file)])).collect();
    shop.hire(&all, &json!({}));
    for (name, ..) in &programs {
        shop.drop_task(name, &json!({ "description": "a", "worker": name }));
    }
    shop.drain().ends(0);
    for (name, _, says) in &programs {
        assert_failed(&shop.result(&format!("failed/{name}")), "command_failed", says);
    }
}

#[test]
fn all_that_a_dead_daemon_left_is_ended_before_the_task_runs_again() {
    let shop = Sandbox::new();
    let dir = shop.beside("pids");
    fs::create_dir(&dir).unwrap();
    // The first time it hangs with three children, one in a session of its own and one deaf;
    // the second time it tells which of them it finds alive.
    let text = r#"
        cd "$1"
        if test -e all; then
            for pid in $(cat all); do
                case $(cut -d ' ' -f 3 /proc/$pid/stat 2> /dev/null) in Z | "") ;; *) echo $pid ;; esac
            done
            exit 0
        fi
        sleep 600 & echo $! > new
        setsid sleep 600 & echo $! >> new
        (trap '' TERM HUP; exec sleep 600) & echo $! >> new
        echo $$ >> new
        mv new all
        wait
    "#;
    shop.hire(&[script("litters", text, &[path(&dir)])], &json!({}));
    shop.drop_task("x", &json!({ "description": "a" }));
    let daemon = shop.start(["start"]);
    daemon.until_said("x: begun");
    crate::crash::wait_for(&dir.join("all"));
    daemon.kill();
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    assert_eq!(result["content"], "", "these were alive still");
    assert_eq!(result["attempts"].as_array().unwrap().len(), 2);
}

#[test]
fn an_end_by_a_signal_is_told_by_its_name() {
    for (signal, name) in [("SEGV", "SIGSEGV"), ("KILL", "SIGKILL"), ("TERM", "SIGTERM")] {
        let text = format!("echo half; kill -{signal} $$");
        let (_shop, result) = work_on(script("dies", &text, &[]), "a", &json!({}));
        assert_failed(&result, "command_failed", name);
        assert_eq!(result["content"], "half\n");
    }
}

#[test]
fn binary_output_becomes_a_result_with_a_warning() {
    let text = r"printf '\000\001\377\376\033[31mred\302'";
    let (shop, result) = work_on(script("binary", text, &[]), "a", &json!({}));
    assert_eq!(result["status"], "completed");
    assert_eq!(result["content"], "\0\u{1}\u{fffd}\u{fffd}\u{1b}[31mred\u{fffd}");
    assert!(result["warnings"].to_string().contains("UTF-8"), "{}", result["warnings"]);
    shop.koubou(["show", "x"]).ends(0);
}

#[test]
fn a_thousand_quick_programs_leave_no_descriptor_open() {
    let shop = Sandbox::with_workers(&[workers::command("cat", &["cat"])]);
    let daemon = shop.daemon();
    let open = || fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count();
    let round = |name: &str, count: usize| {
        let already = shop.names("completed").len();
        for n in 0..count {
            shop.drop_task(&format!("{name}-{n}"), &json!({ "description": "a" }));
        }
        shop.eventually("all end", || shop.names("completed").len() == already + count);
    };
    round("first", 20);
    let before = open();
    round("quick", 1_000);
    // The four hands may be in the middle of letting go.
    assert!(open() <= before + 8, "{before} descriptors became {}", open());
    assert!(shop.names("failed").is_empty());
    assert_eq!(daemon.stop(), Some(0));
    let left = crate::support::sandbox::names(&shop.home().join("tmp"));
    assert!(left.is_empty(), "{left:?}");
}
