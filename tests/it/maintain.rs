//! `koubou maintain`: results retire, and nobody misses one; logs are turned over; it is all done by
//! the daemon, too.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use fs2::FileExt;
use koubou::mirror::rebuild::dump;
use serde_json::{Value, json};

use crate::support::Sandbox;
use crate::support::daemon::{self, PATIENCE};
use crate::support::workers::echo;

const LONG_AGO: &str = "2026-01-05T00:00:00.000Z";
const ARCHIVE: &str = "tasks/archive/2026-01.jsonl.zst";

/// Makes a result as old as one is that is to retire.
fn age(shop: &Sandbox, name: &str) {
    let mut result = shop.result(name);
    for key in ["created_at", "started_at", "finished_at", "timestamp"] {
        result[key] = LONG_AGO.into();
    }
    let path = shop.task_file(format!("{name}.json"));
    fs::write(path, serde_json::to_string_pretty(&result).unwrap()).unwrap();
}

/// A home in which these tasks are completed, `broken` has failed, and all of it was long ago.
fn worked(names: &[&str]) -> Sandbox {
    let shop = Sandbox::with_echo();
    for name in names {
        shop.drop_task(name, &json!({ "description": format!("say {name}"), "worker": "echo" }));
    }
    shop.drop_bytes("broken.json", "{\"description\": 5}");
    shop.drain().ends(0);
    for name in names {
        age(&shop, &format!("completed/{name}"));
    }
    age(&shop, "failed/broken");
    shop.koubou(["rebuild"]).ends(0);
    shop
}

fn mirrored(shop: &Sandbox) -> Vec<String> {
    dump(&shop.home().join("db/koubou.db")).unwrap()
}

/// What another program reads in an archive.
fn lines(shop: &Sandbox) -> Vec<Value> {
    let packed = fs::read(shop.home().join(ARCHIVE)).unwrap();
    let lines = zstd::stream::decode_all(&packed[..]).unwrap();
    lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn what_is_retired_answers_as_before() {
    let shop = worked(&["a", "b"]);
    let before = shop.koubou(["show", "a", "--json"]).json();
    let said = shop.koubou(["maintain"]).ends(0);
    assert!(said.out.contains("archived     3 results"), "{}", said.out);
    assert_eq!(shop.names("completed"), [""; 0]);
    assert_eq!(shop.names("failed"), [""; 0], "the rejected drop goes with its report");
    let ids: Vec<String> =
        lines(&shop).iter().map(|line| line["task_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 3);
    let mode = fs::metadata(shop.home().join(ARCHIVE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let mut after = shop.koubou(["show", "a", "--json"]).ends(0).json();
    assert_eq!(after.as_object_mut().unwrap().remove("archived").unwrap(), "2026-01.jsonl.zst");
    assert_eq!(after, before);
    assert_eq!(shop.koubou(["result", "a"]).ends(0).out, "say a");
    shop.koubou(["wait", "a", "b"]).ends(0);
    assert_eq!(shop.koubou(["wait", "broken", "a"]).ends(1).code, 1);
    let listed = shop.koubou(["list"]).ends(0);
    assert!(listed.out.is_empty() && listed.err.contains("3 results in the archive"));
    let archived = shop.koubou(["list", "--archived", "--json"]).ends(0).json();
    assert_eq!(archived.as_array().unwrap().len(), 3);
    assert_eq!(archived[0]["archived"], "2026-01.jsonl.zst");
    let status = shop.koubou(["status", "--json"]).ends(0).json();
    assert_eq!((&status["counts"]["completed"], &status["archived"]), (&0.into(), &3.into()));

    // Its id is in use, as if it were still there.
    let refused = shop.koubou(["submit", "--id", "a", "-d", "x"]).ends(1);
    assert!(refused.err.contains("`a` is in use"), "{}", refused.err);
    let there =
        shop.koubou_with(["submit", "--unique", "-"], r#"{"task_id": "a", "description": "x"}"#);
    assert!(there.err.contains("is there already: completed"), "{}", there.err);
    shop.drop_task("a", &json!({ "description": "other", "worker": "echo" }));
    shop.drop_task(
        "after",
        &json!({ "description": "<{result:b}>", "depends_on": ["b"], "worker": "echo" }),
    );
    shop.drain().ends(0);
    assert_eq!(shop.names("completed"), ["a.2.json", "after.json"]);
    assert_eq!(shop.result("completed/after")["content"], "<say b>");
    shop.koubou(["retry", "a"]).ends(1);
}

#[test]
fn the_mirror_keeps_what_is_retired_and_is_made_anew_from_the_archive() {
    let shop = worked(&["a", "b", "c"]);
    let before = mirrored(&shop);
    shop.koubou(["maintain"]).ends(0);
    let after = mirrored(&shop);
    let unarchived = |lines: &[String]| -> Vec<String> {
        let mut lines: Vec<String> = lines
            .iter()
            .map(|line| line.replace("archived=2026-01.jsonl.zst", "archived=-"))
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(unarchived(&after), before);
    assert_eq!(shop.count("SELECT COUNT(*) FROM task_master WHERE archived IS NOT NULL"), 4);
    // A start must not take what was retired for what somebody deleted.
    shop.drain().ends(0);
    assert_eq!(mirrored(&shop), after);
    shop.koubou(["rebuild"]).ends(0);
    assert_eq!(mirrored(&shop), after);
    fs::remove_dir_all(shop.home().join("db")).unwrap();
    let daemon = shop.daemon();
    shop.eventually("the mirror is made anew", || {
        shop.home().join("db/koubou.db").exists()
            && rusqlite::Connection::open(shop.home().join("db/koubou.db"))
                .and_then(|db| {
                    let sql = "SELECT COUNT(*) FROM task_master WHERE archived IS NOT NULL";
                    db.query_row(sql, [], |row| row.get::<_, i64>(0))
                })
                .is_ok_and(|count| count == 4)
    });
    assert_eq!(daemon.stop(), Some(0));
    // A month that somebody takes away takes its rows with it.
    fs::remove_file(shop.home().join(ARCHIVE)).unwrap();
    shop.drain().ends(0);
    assert_eq!(shop.count("SELECT COUNT(*) FROM task_master"), 0);
    shop.koubou(["show", "a"]).ends(1);
}

#[test]
fn beside_a_daemon_it_is_safe_and_the_mirror_follows() {
    let shop = worked(&["a", "b"]);
    let daemon = shop.daemon();
    let said = shop.koubou(["maintain", "--json"]).ends(0).json();
    assert_eq!((&said["retired"], &said["failed"]), (&3.into(), &json!([])));
    let archived = "SELECT COUNT(*) FROM task_master WHERE archived IS NOT NULL";
    assert_eq!(shop.count(archived), 3, "once it has ended, the mirror has followed");
    shop.drop_task("c", &json!({ "description": "x", "worker": "echo", "depends_on": ["a"] }));
    shop.koubou(["wait", "c"]).ends(0);
    // What was retired can be run again, and then its new result counts.
    shop.koubou(["show", "b", "--json"]).ends(0);
    let again = shop.koubou(["show", "b", "--json"]).out;
    shop.drop_bytes("b.json", again);
    shop.eventually("b is completed again", || shop.task_file("completed/b.json").exists());
    assert_eq!(shop.result("completed/b")["attempts"].as_array().unwrap().len(), 2);
    let row = "SELECT COUNT(*) FROM task_master WHERE task_id = 'b' AND archived IS NULL";
    shop.eventually("its row follows", || shop.count(row) == 1);
    fs::remove_file(shop.task_file("completed/b.json")).unwrap();
    shop.eventually("the archive has it still", || shop.count(archived) == 3);
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn a_failed_task_that_was_retired_can_be_retried() {
    let shop = Sandbox::new();
    shop.hire(
        &[
            json!({ "type": "never", "kind": "command", "local": true, "command": ["false"] }),
            echo(),
        ],
        &json!({}),
    );
    shop.drop_task("x", &json!({ "description": "x", "worker": "never" }));
    shop.drain().ends(0);
    age(&shop, "failed/x");
    shop.koubou(["maintain"]).ends(0);
    assert_eq!(shop.names("failed"), ["x.json"], "the mirror knows it to be young");
    shop.koubou(["rebuild"]).ends(0);
    shop.koubou(["maintain"]).ends(0);
    assert_eq!(shop.names("failed"), [""; 0]);
    shop.koubou(["retry", "x"]).ends(0);
    shop.drain().ends(0);
    assert_eq!(shop.result("failed/x")["attempts"].as_array().unwrap().len(), 2);
}

#[test]
fn what_somebody_waits_for_or_has_changed_stays() {
    let shop = worked(&["a", "needed", "part", "young"]);
    let mut young = shop.result("completed/young");
    young["finished_at"] = "2999-01-01T00:00:00.000Z".into();
    fs::write(shop.task_file("completed/young.json"), young.to_string()).unwrap();
    let mut part = shop.result("completed/part");
    part["task"]["parent_task_id"] = "later".into();
    fs::write(shop.task_file("completed/part.json"), part.to_string()).unwrap();
    fs::write(shop.task_file("completed/odd.json"), "{ mended by hand").unwrap();
    let day = std::time::Duration::from_secs(86_400);
    let file = fs::File::options().write(true).open(shop.task_file("completed/odd.json")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + day).unwrap();
    shop.drop_task(
        "later",
        &json!({ "description": "x", "worker": "echo", "depends_on": ["needed"],
                 "not_before": "2999-01-01T00:00:00Z" }),
    );
    let said = shop.koubou(["maintain", "--json"]).ends(0).json();
    assert_eq!((&said["retired"], &said["kept"]), (&2.into(), &3.into()), "{said:#}");
    let why: BTreeMap<&str, &str> = said["kept_because"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kept| (kept["task_id"].as_str().unwrap(), kept["why"].as_str().unwrap()))
        .collect();
    assert_eq!(why["needed"], "a task that waits depends on it");
    assert_eq!(why["part"], "it belongs to `later`, which has not ended");
    assert!(why["odd"].starts_with("it is no result ("), "{why:?}");
    let names = ["needed.json", "odd.json", "part.json", "young.json"];
    assert_eq!(shop.names("completed"), names);
}

#[test]
fn a_dry_run_says_the_same_and_does_nothing() {
    let shop = worked(&["a"]);
    let before = shop.everything();
    let dry = shop.koubou(["maintain", "--dry-run", "--json"]).ends(0).json();
    let state = |all: Vec<(std::path::PathBuf, Vec<u8>)>| -> Vec<_> {
        all.into_iter().filter(|(path, _)| !path.starts_with(shop.home().join("db"))).collect()
    };
    assert!(state(shop.everything()) == state(before), "something was changed");
    let real = shop.koubou(["maintain", "--json"]).ends(0).json();
    for key in ["retired", "retired_bytes", "kept", "leftovers", "before"] {
        if key != "before" {
            assert_eq!(dry[key], real[key], "{key}");
        }
    }
    assert_eq!(shop.koubou(["maintain", "--json"]).ends(0).json()["retired"], 0);
}

#[test]
fn one_at_a_time() {
    let shop = worked(&["a"]);
    let folder = fs::File::open(shop.home().join("tasks/archive")).unwrap();
    folder.lock_exclusive().unwrap();
    let said = shop.koubou(["maintain"]).ends(75);
    assert!(said.err.contains("is being maintained already"), "{}", said.err);
    drop(folder);
    shop.koubou(["maintain"]).ends(0);
}

#[test]
fn results_are_deleted_where_the_settings_say_so() {
    let shop = worked(&["a"]);
    shop.hire(&[echo()], &json!({ "retire": "delete" }));
    let said = shop.koubou(["maintain"]).ends(0);
    assert!(said.out.contains("deleted      2 results"), "{}", said.out);
    assert!(!shop.home().join(ARCHIVE).exists());
    assert_eq!(shop.count("SELECT COUNT(*) FROM task_master"), 0);
    assert_eq!(shop.names("failed"), [""; 0]);
}

#[test]
fn a_daemon_makes_good_what_was_missed() {
    let shop = worked(&["a"]);
    shop.koubou(["maintain"]).ends(0);
    let stamp = shop.home().join("control/maintained");
    fs::write(&stamp, "2026-01-01T00:00:00.000Z\n").unwrap();
    fs::write(shop.task_file("completed/b.json"), lines(&shop)[0].to_string()).unwrap();
    let daemon = shop.daemon();
    daemon.until_said("maintained the home: 1 old result archived");
    assert!(fs::read_to_string(&stamp).unwrap().as_str() > "2026-01-02");
    assert_eq!(daemon.stop(), Some(0));
    // Where it is never to be done, nothing is made good.
    fs::write(&stamp, "2026-01-01T00:00:00.000Z\n").unwrap();
    shop.hire(&[echo()], &json!({ "maintain_at": "never" }));
    let daemon = shop.daemon();
    shop.drop_task("c", &json!({ "description": "x" }));
    shop.koubou(["wait", "c"]).ends(0);
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(fs::read_to_string(&stamp).unwrap(), "2026-01-01T00:00:00.000Z\n");
}

#[test]
fn a_damaged_archive_is_told_and_the_rest_is_read() {
    let shop = worked(&["a", "b"]);
    shop.koubou(["maintain"]).ends(0);
    let path = shop.home().join(ARCHIVE);
    let mut bytes = fs::read(&path).unwrap();
    let first = bytes.len();
    bytes.extend(zstd::bulk::compress(b"{\"task_id\": \"odd\"}\n", 3).unwrap());
    let second = bytes.len();
    bytes.extend(&bytes[..first].to_vec());
    fs::write(&path, &bytes).unwrap();
    shop.koubou(["maintain"]).ends(0);
    // A byte in the middle of the last frame's content.
    let at = bytes.len() - 40;
    bytes[at] ^= 0x55;
    fs::write(&path, &bytes).unwrap();
    let said = shop.koubou(["rebuild"]).ends(0);
    let file = "tasks/archive/2026-01.jsonl.zst";
    let odd = format!("a line in the frame at byte {first} of {file} is no result");
    let damaged = format!("the frame at byte {second} of {file} cannot be read");
    assert!(said.err.contains(&odd) && said.err.contains(&damaged), "{}", said.err);
    assert_eq!(shop.count("SELECT COUNT(*) FROM task_master WHERE archived IS NOT NULL"), 3);
}

/// The names in a folder of logs.
fn logs(home: &Path, folder: &str) -> Vec<String> {
    crate::support::sandbox::names(&home.join("logs").join(folder))
}

#[test]
fn long_logs_are_turned_over_and_packed_while_they_are_written() {
    let shop = worked(&["a"]);
    let (home, log) = (shop.home(), shop.home().join("logs/system/koubou.log"));
    shop.hire(&[echo()], &json!({ "max_log_bytes": "4 KiB", "keep_logs": 2 }));
    let line = format!("{}\n", "x".repeat(99));
    fs::write(&log, line.repeat(100)).unwrap();
    fs::write(home.join("logs/workers/gone.jsonl"), "{}\n").unwrap();
    let told = fs::File::options().write(true).open(home.join("logs/workers/gone.jsonl")).unwrap();
    told.set_modified(std::time::UNIX_EPOCH).unwrap();
    let daemon = shop.daemon();
    let said = shop.koubou(["maintain", "--json"]).ends(0).json();
    let deeds: Vec<&str> =
        said["logs"].as_array().unwrap().iter().map(|log| log["deed"].as_str().unwrap()).collect();
    assert!(deeds.contains(&"rotated") && deeds.contains(&"removed"), "{said:#}");
    assert_eq!(logs(&home, "workers"), [""; 0]);
    // The daemon goes on in a new one.
    shop.drop_task("b", &json!({ "description": "x" }));
    shop.koubou(["wait", "b"]).ends(0);
    shop.eventually("the daemon writes the new log", || {
        fs::read_to_string(&log).is_ok_and(|text| text.contains("b: completed"))
    });
    shop.koubou(["maintain"]).ends(0);
    let names = logs(&home, "system");
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[1].ends_with(".zst"), "{names:?}");
    let packed = fs::read(home.join("logs/system").join(&names[1])).unwrap();
    let text = String::from_utf8(zstd::stream::decode_all(&packed[..]).unwrap()).unwrap();
    assert!(text.starts_with(&line.repeat(100)) && text.contains("working "), "no line is lost");
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn what_failed_attempts_made_goes_with_their_result() {
    let shop = worked(&["a", "b"]);
    let work = shop.home().join("work");
    for id in ["a", "stays"] {
        fs::create_dir_all(work.join(id).join("1/deep")).unwrap();
        fs::write(work.join(id).join("1/deep/notes.txt"), "how far it came").unwrap();
    }
    shop.drop_task("stays", &json!({ "description": "x", "not_before": "2999-01-01T00:00:00Z" }));
    let age = |id: &str| {
        let folder = fs::File::open(work.join(id)).unwrap();
        folder.set_modified(std::time::UNIX_EPOCH).unwrap();
    };
    age("a");
    age("stays");
    let said = shop.koubou(["maintain", "--dry-run", "--json"]).ends(0).json();
    assert_eq!(said["work"], json!([]), "its result is still there");
    let said = shop.koubou(["maintain", "--json"]).ends(0).json();
    assert_eq!(said["work"], json!(["work/a"]));
    assert_eq!(crate::support::sandbox::names(&work), ["stays"]);
}

#[test]
fn commands_that_want_the_home_for_themselves_wait_for_one_another() {
    let shop = worked(&["a"]);
    shop.koubou(["maintain"]).ends(0);
    for beside in [&["maintain"][..], &["rebuild"], &["start", "--drain"]] {
        for _ in 0..6 {
            let told = shop.beside("told");
            let mut one = shop.command(["maintain"]);
            one.stdout(std::process::Stdio::null());
            let mut one = one.stderr(fs::File::create(&told).unwrap()).spawn().unwrap();
            let other = shop.koubou(beside);
            let code = daemon::wait(&mut one, PATIENCE).code().unwrap();
            // Who comes while somebody retires results is told so; nobody waits for ever, and
            // nobody is taken for a daemon.
            for (code, err) in [(code, fs::read_to_string(told).unwrap()), (other.code, other.err)]
            {
                let busy = code == 75 && err.contains("being maintained");
                assert!(code == 0 || busy, "beside {beside:?}: {code}: {err}");
                assert!(!err.contains("the daemon"), "beside {beside:?}: {err}");
            }
        }
    }
    assert!(!shop.home().join("control/compact").exists());
}

/// A journal of three months that are long over, each with an attempt that cost something, beside
/// the one of this month.
fn spent_long_ago() -> Sandbox {
    let shop = worked(&["a"]);
    for month in ["2025-01", "2025-02", "2025-03"] {
        let at = format!("{month}-05T00:00:00.000Z");
        let line = json!({ "at": at, "event": "end", "task": "a", "attempt": month,
            "worker_type": "cloud", "cost_usd": 0.25, "outcome": "completed" });
        fs::write(shop.home().join(format!("journal/{month}.jsonl")), format!("{line}\n")).unwrap();
    }
    shop.koubou(["rebuild"]).ends(0);
    shop
}

fn journal(shop: &Sandbox) -> Vec<String> {
    let names = fs::read_dir(shop.home().join("journal")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("2025")).collect();
    names.sort();
    names
}

#[test]
fn old_months_of_the_journal_are_packed_and_nothing_paid_is_forgotten() {
    let shop = spent_long_ago();
    let before = mirrored(&shop);
    let plain = ["2025-01.jsonl", "2025-02.jsonl", "2025-03.jsonl"];
    let dry = shop.koubou(["maintain", "--dry-run", "--json"]).ends(0).json();
    assert_eq!(dry["journal"][0]["file"], "journal/2025-01.jsonl");
    assert_eq!(journal(&shop), plain);
    let format = || fs::read_to_string(shop.home().join("format")).unwrap();
    assert!(format().starts_with("1 "));

    let said = shop.koubou(["maintain"]).ends(0);
    assert!(said.out.contains("compressed   journal/2025-01.jsonl, "), "{}", said.out);
    // This month's and the one before it are read by each start.
    assert_eq!(journal(&shop), ["2025-01.jsonl.zst", "2025-02.jsonl.zst", "2025-03.jsonl"]);
    let packed = shop.home().join("journal/2025-01.jsonl.zst");
    assert_eq!(fs::metadata(&packed).unwrap().permissions().mode() & 0o777, 0o600);
    let text = zstd::stream::decode_all(&fs::read(&packed).unwrap()[..]).unwrap();
    assert!(text.ends_with(b"\n") && text.starts_with(b"{"));
    assert!(format().starts_with("2 "), "an older koubou would not read it");

    shop.koubou(["rebuild"]).ends(0);
    let archived = |line: &String| line.replace("archived=2026-01.jsonl.zst", "archived=-");
    let mut after: Vec<String> = mirrored(&shop).iter().map(archived).collect();
    after.sort();
    assert_eq!(after, before);
    let report = shop.koubou(["report", "--json", "--month", "2025-01"]).ends(0).json();
    assert_eq!(report["total"]["total_cost_usd"].to_string(), "0.25");
    shop.drop_task("next", &json!({ "description": "x", "worker": "echo" }));
    shop.drain().ends(0);
    assert_eq!(shop.count("SELECT COUNT(*) FROM cost_tracking WHERE cost_usd > 0"), 3);
    let again = shop.koubou(["maintain", "--json"]).ends(0).json();
    assert_eq!(again["journal"], json!([]));

    // Whoever unpacks one by hand has it packed again; until then it is the plain one that counts.
    fs::write(shop.home().join("journal/2025-02.jsonl"), &text).unwrap();
    shop.koubou(["rebuild"]).ends(0);
    assert_eq!(shop.count("SELECT COUNT(*) FROM cost_tracking WHERE cost_usd > 0"), 2);
}

#[test]
fn the_journal_is_packed_beside_a_daemon_too() {
    let shop = spent_long_ago();
    let daemon = shop.daemon();
    shop.koubou(["submit", "--wait", "--worker", "echo", "-d", "x", "--id", "one"]).ends(0);
    shop.koubou(["maintain"]).ends(0);
    assert_eq!(journal(&shop), ["2025-01.jsonl.zst", "2025-02.jsonl.zst", "2025-03.jsonl"]);
    shop.koubou(["submit", "--wait", "--worker", "echo", "-d", "x", "--id", "two"]).ends(0);
    assert_eq!(daemon.stop(), Some(0));
    let log = fs::read_to_string(shop.home().join("logs/system/koubou.log")).unwrap();
    assert!(!log.contains("taken away"), "{log}");
}

#[test]
fn an_archive_whose_end_was_torn_off_is_told_once() {
    let shop = worked(&["a", "b"]);
    shop.koubou(["maintain"]).ends(0);
    let path = shop.home().join(ARCHIVE);
    let size = fs::metadata(&path).unwrap().len();
    fs::File::options().write(true).open(&path).unwrap().set_len(size - 9).unwrap();
    let said = shop.koubou(["maintain"]).ends(0);
    let damage = "2026-01.jsonl.zst cannot be read from byte 0 on";
    assert!(said.err.contains(damage) && said.err.contains(".torn-1"), "{}", said.err);
    let aside = shop.home().join(format!("{ARCHIVE}.torn-1"));
    assert_eq!(fs::metadata(aside).unwrap().len(), size - 9);
    assert!(!shop.koubou(["maintain"]).ends(0).err.contains(damage));
}
