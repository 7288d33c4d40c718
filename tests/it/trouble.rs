//! Our own trouble is never a task's failure: the work goes on, and the mirror is right afterwards.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::crash::assert_mirror_is_what_a_rebuild_makes;
use crate::support::daemon::Daemon;
use crate::support::workers::{self, with};
use crate::support::{Sandbox, sandbox};

fn drop_echoes(shop: &Sandbox, name: &str, count: usize) {
    for n in 0..count {
        shop.drop_task(&format!("{name}-{n}"), &json!({ "description": "a", "worker": "echo" }));
    }
}

#[track_caller]
fn until_completed(shop: &Sandbox, count: usize) {
    shop.eventually("all end", || shop.names("completed").len() == count);
    assert!(shop.names("failed").is_empty());
}

/// How many completed tasks the mirror shows; none while it cannot be read.
fn shown(shop: &Sandbox) -> i64 {
    let sql = "SELECT count(*) FROM task_master WHERE status = 'completed'";
    let path = shop.home().join("db/koubou.db");
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    rusqlite::Connection::open_with_flags(path, flags)
        .and_then(|mirror| mirror.query_row(sql, [], |row| row.get(0)))
        .unwrap_or(0)
}

#[test]
fn work_goes_on_while_somebody_holds_the_database() {
    let shop = Sandbox::with_echo();
    let daemon = shop.daemon();
    drop_echoes(&shop, "before", 20);
    until_completed(&shop, 20);
    let holder = shop.mirror();
    holder.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    drop_echoes(&shop, "during", 50);
    until_completed(&shop, 70);
    // Longer than a write waits for somebody else's.
    daemon.until_said("database is locked");
    drop_echoes(&shop, "later", 10);
    until_completed(&shop, 80);
    holder.execute_batch("ROLLBACK").unwrap();
    drop(holder);
    shop.eventually("the mirror shows them", || shown(&shop) == 80);
    assert_eq!(daemon.stop(), Some(0));
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

/// Something that somebody does to the database.
type Harm = fn(&Path);

#[test]
fn a_database_that_is_lost_or_spoilt_is_made_anew_while_work_goes_on() {
    let deleted: Harm = |path| fs::remove_file(path).unwrap();
    let deleted_with_all: Harm = |path| {
        for name in sandbox::names(path.parent().unwrap()) {
            fs::remove_file(path.with_file_name(name)).unwrap();
        }
    };
    let truncated: Harm =
        |path| OpenOptions::new().write(true).open(path).unwrap().set_len(0).unwrap();
    let cut: Harm = |path| {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    };
    let garbage: Harm = |path| {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        let size = usize::try_from(file.metadata().unwrap().len()).unwrap();
        file.write_all_at(&b"garbage ".repeat(size / 8), 0).unwrap();
    };
    let replaced: Harm = |path| {
        let other = path.with_file_name("other");
        fs::write(&other, "no database at all\n".repeat(1_000)).unwrap();
        rename(&other, path);
    };
    for (name, harm) in [
        ("deleted", deleted),
        ("deleted with all", deleted_with_all),
        ("truncated", truncated),
        ("cut", cut),
        ("garbage", garbage),
        ("replaced", replaced),
    ] {
        eprintln!("---- {name} ----");
        let shop = Sandbox::with_echo();
        let daemon = shop.daemon();
        drop_echoes(&shop, "before", 20);
        until_completed(&shop, 20);
        shop.eventually("the mirror shows them", || shown(&shop) == 20);
        harm(&shop.home().join("db/koubou.db"));
        drop_echoes(&shop, "after", 20);
        until_completed(&shop, 40);
        shop.eventually("the mirror shows all", || shown(&shop) == 40);
        assert_eq!(daemon.stop(), Some(0), "{name}");
        assert_mirror_is_what_a_rebuild_makes(&shop);
    }
}

fn rename(from: &Path, to: &Path) {
    rustix::fs::rename(from, to).unwrap();
}

/// A daemon that `shell` starts, after it has set a limit.
fn daemon_behind(shop: &Sandbox, mut shell: Command, limit: &str) -> Daemon {
    let koubou = shop.command(["start"]);
    shell.args(["-c", &format!("{limit}; exec \"$0\" \"$@\"")]);
    let mut command = shell;
    command.arg(koubou.get_program()).args(koubou.get_args()).env_clear();
    for (name, value) in koubou.get_envs() {
        command.env(name, value.unwrap_or(OsStr::new("")));
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let daemon = Daemon::of(command.spawn().unwrap());
    daemon.until_said("working ");
    daemon
}

#[test]
fn too_few_descriptors_fail_no_task() {
    let shop = Sandbox::new();
    // More hands than there are descriptors for.
    let cat = with(workers::command("cat", &["cat"]), "concurrency", 16);
    shop.hire(&[cat, workers::echo()], &json!({}));
    let daemon = daemon_behind(&shop, Command::new("sh"), "ulimit -n 40");
    drop_echoes(&shop, "echo", 100);
    for n in 0..100 {
        shop.drop_task(&format!("cat-{n}"), &json!({ "description": "meow", "worker": "cat" }));
    }
    until_completed(&shop, 200);
    assert_eq!(shop.result("completed/cat-7")["content"], "meow");
    assert_eq!(daemon.stop(), Some(0));
    for folder in ["pending", "in_progress", "failed"] {
        assert_eq!(shop.names(folder), [""; 0], "{folder}");
    }
    assert!(sandbox::names(&shop.home().join("tmp")).is_empty());
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn a_mirror_whose_folder_is_taken_away_is_made_anew() {
    let shop = Sandbox::with_echo();
    let daemon = shop.daemon();
    drop_echoes(&shop, "before", 3);
    until_completed(&shop, 3);
    fs::remove_dir_all(shop.home().join("db")).unwrap();
    drop_echoes(&shop, "after", 3);
    until_completed(&shop, 6);
    // It tells of everything again once it was made anew from the folders.
    shop.eventually("the mirror is there", || shop.home().join("db/koubou.db").is_file());
    shop.koubou(["rebuild"]).ends(0);
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(shop.count("SELECT count(*) FROM task_master WHERE status = 'completed'"), 6);
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn a_drain_with_too_few_descriptors_says_what_it_leaves() {
    // So few that nothing runs, and somewhat more: the drain says so, or does all of it.
    for most in [12, 16, 20, 24] {
        let shop = Sandbox::with_echo();
        drop_echoes(&shop, "echo", 40);
        let drain = format!("ulimit -n {most}; exec \"$0\" --home \"$1\" start --drain");
        let mut command = Command::new("sh");
        command.args(["-c", &drain, env!("CARGO_BIN_EXE_koubou")]).arg(shop.home());
        let output = command.output().unwrap();
        let left = shop.names("pending").len() + shop.names("in_progress").len();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => assert_eq!(left, 0, "{most}: {said}"),
            _ => assert!(
                left > 0 && said.contains("error:") || said.contains("wait"),
                "{most}: {said}"
            ),
        }
        shop.drain().ends(0);
        assert_eq!(shop.names("completed").len(), 40, "{most}");
    }
}

/// A small file system of its own.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where we may not mount.
    fn at(path: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir_all(&path).unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"]).arg(&path);
        let mounted = command.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        mounted.then_some(Self(path))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_disk_that_fills_up_lets_work_wait_and_go_on_when_there_is_room() {
    let shop = Sandbox::with_echo();
    let Some(disk) = SmallDisk::at(shop.home(), "24m") else {
        println!("skipped: we may not mount a small file system");
        return;
    };
    shop.koubou(["init"]).ends(0);
    shop.hire(&[workers::echo()], &json!({ "min_free_bytes": 4 << 20 }));
    drop_echoes(&shop, "full", 20);
    let ballast = disk.0.join("ballast");
    fs::write(&ballast, vec![0; 20 << 20]).unwrap();
    let daemon = shop.daemon();
    daemon.until_said("nothing more is claimed");
    assert_eq!(shop.names("pending").len(), 20);
    fs::remove_file(&ballast).unwrap();
    daemon.until_said("the disk has room again");
    until_completed(&shop, 20);
    assert_eq!(daemon.stop(), Some(0));
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn a_disk_without_any_room_fails_no_task() {
    let shop = Sandbox::with_echo();
    let Some(disk) = SmallDisk::at(shop.home(), "24m") else {
        println!("skipped: we may not mount a small file system");
        return;
    };
    shop.koubou(["init"]).ends(0);
    let cat = workers::command("cat", &["cat"]);
    shop.hire(&[cat, workers::echo()], &json!({ "min_free_bytes": 0 }));
    let daemon = shop.daemon();
    drop_echoes(&shop, "before", 10);
    until_completed(&shop, 10);
    // The drops are there, and then nothing has room any more.
    shop.koubou(["pause"]).ends(0);
    daemon.until_said("pause");
    drop_echoes(&shop, "full", 10);
    for n in 0..10 {
        shop.drop_task(&format!("cat-{n}"), &json!({ "description": "meow", "worker": "cat" }));
    }
    let ballast = disk.0.join("ballast");
    let mut file = fs::File::create(&ballast).unwrap();
    let full = std::io::copy(&mut std::io::repeat(0), &mut file).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    drop(file);
    fs::remove_file(disk.0.join("control/pause")).unwrap();
    daemon.until_said("No space left on device");
    assert!(shop.names("failed").is_empty());
    fs::remove_file(&ballast).unwrap();
    until_completed(&shop, 30);
    assert_eq!(shop.result("completed/cat-7")["content"], "meow");
    assert_eq!(daemon.stop(), Some(0));
    assert!(shop.names("in_progress").is_empty() && shop.names("pending").is_empty());
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn a_drain_on_a_disk_that_stays_full_goes_home_and_says_what_waits() {
    let shop = Sandbox::new();
    let cat = workers::command("cat", &["cat"]);
    let Some(disk) = SmallDisk::at(shop.home(), "24m") else {
        println!("skipped: we may not mount a small file system");
        return;
    };
    shop.koubou(["init"]).ends(0);
    let fill = "cat; cat /dev/zero > \"$1\"; true";
    let ballast = disk.0.join("ballast");
    let fills = workers::script("fills", fill, &[ballast.to_str().unwrap()]);
    shop.hire(&[fills, cat], &json!({ "min_free_bytes": 0 }));
    // The result is larger than all that the program's end makes room for.
    let text = "what fills the disk ".repeat(10_000);
    shop.drop_task("x", &json!({ "description": text }));
    let said = shop.drain().ends(75);
    assert!(said.err.contains("1 task waits: its result cannot be filed"), "{}", said.err);
    assert!(said.err.contains("No space left on device"), "{}", said.err);
    assert_eq!(shop.names("in_progress"), ["x.json"], "the claim is kept");
    fs::remove_file(&ballast).unwrap();
    let harmless = workers::script("fills", "cat", &[]);
    shop.hire(&[with(harmless, "max_attempts", 3)], &json!({ "min_free_bytes": 0 }));
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/x")["content"], text);
    assert!(shop.names("in_progress").is_empty() && shop.names("pending").is_empty());
}

/// A daemon in a namespace of its own, where there is no inotify to be had.
fn daemon_without_inotify(shop: &Sandbox) -> Option<Daemon> {
    let limit = "/proc/sys/user/max_inotify_instances";
    let may = Command::new("unshare")
        .args(["-Ur", "sh", "-c", &format!("echo 0 > {limit}")])
        .stderr(Stdio::null())
        .status();
    if !may.is_ok_and(|status| status.success()) {
        println!("skipped: we may not make a place without inotify (unshare)");
        return None;
    }
    let mut apart = Command::new("unshare");
    apart.args(["-Ur", "sh"]);
    Some(daemon_behind(shop, apart, &format!("echo 0 > {limit}")))
}

#[test]
fn without_inotify_the_folders_are_listed_and_that_is_said() {
    let shop = Sandbox::with_echo();
    let Some(daemon) = daemon_without_inotify(&shop) else { return };
    daemon.until_said("the folders are listed every");
    drop_echoes(&shop, "seen", 20);
    until_completed(&shop, 20);
    // By hand as well: what is taken away leaves the mirror, what is put back runs again.
    fs::remove_file(shop.task_file("completed/seen-1.json")).unwrap();
    rename(&shop.task_file("completed/seen-2.json"), &shop.task_file("pending/seen-2.json"));
    shop.eventually("the mirror follows", || {
        shown(&shop) == 19 && shop.task_file("completed/seen-2.json").exists()
    });
    shop.koubou(["pause"]).ends(0);
    daemon.until_said("pause");
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn what_a_mirror_lost_as_its_daemon_ended_is_back_after_the_next_drain() {
    let shop = Sandbox::with_echo();
    drop_echoes(&shop, "before", 3);
    shop.drain().ends(0);
    let path = shop.home().join("db/koubou.db");
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    // The first pages tell what a database is; what is behind them is seen when it is written to.
    let page = 4096;
    file.write_all_at(&[0x55; 6 * 4096], 3 * page).unwrap();
    let said = shop.drain().ends(0);
    assert!(said.err.contains("malformed"), "{}", said.err);
    shop.drain().ends(0);
    assert!(!shop.home().join("control/rebuild").exists());
    assert_eq!(shown(&shop), 3);
    assert_mirror_is_what_a_rebuild_makes(&shop);
}

#[test]
fn a_drain_with_nothing_to_do_waits_for_the_mirror_that_it_makes_anew_and_no_longer() {
    // So many hands take a while to go home, and often the mirror is ready meanwhile.
    let hands = json!({ "type": "echo", "kind": "echo", "concurrency": 500 });
    let shop = Sandbox::with_workers(&[hands]);
    drop_echoes(&shop, "before", 3);
    shop.drain().ends(0);
    for _ in 0..30 {
        fs::write(shop.home().join("control/rebuild"), "").unwrap();
        shop.drain().ends(0);
        assert!(!shop.home().join("control/rebuild").exists());
    }
    assert_eq!(shown(&shop), 3);
}

#[test]
fn a_pipe_in_the_place_of_the_mirror_holds_nobody_up() {
    let shop = Sandbox::with_echo();
    let mirror = shop.home().join("db/koubou.db");
    nix::unistd::mkfifo(&mirror, nix::sys::stat::Mode::S_IRUSR).unwrap();
    shop.koubou(["status"]).ends(0);
    let found = shop.koubou(["doctor"]);
    assert!(found.out.contains("not in koubou's form"), "{}", found.out);
    let planned = shop.koubou(["maintain", "--dry-run"]).ends(1);
    assert!(planned.err.contains("not in koubou's form"), "{}", planned.err);
    shop.drop_task("x", &json!({ "description": "a", "worker": "echo" }));
    let said = shop.drain().ends(0);
    assert!(said.err.contains("was no file"), "{}", said.err);
    assert_eq!(shop.count("SELECT COUNT(*) FROM task_master"), 1);
}
