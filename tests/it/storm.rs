//! Many people drop tasks in all the ways that people do, and the daemon dies again and again:
//! nothing is lost, nothing is done twice over.
//!
//! `KOUBOU_TORTURE=full` makes the storm ten times as long.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Sandbox, is_full_torture, sandbox, workers};

/// Who drops tasks at the same time.
const WRITERS: usize = 8;

/// How many tasks are dropped while the daemon is killed how many times.
fn size() -> (usize, usize) {
    if is_full_torture() { (500, 50) } else { (60, 6) }
}

/// An echo whose tasks may be under way in any number of daemons that die.
fn patient_echo() -> Value {
    workers::with(workers::echo(), "max_attempts", 1_000)
}

/// One who drops tasks: where to, and where they are made before.
struct Writer {
    pending: PathBuf,
    stage: PathBuf,
    /// A folder in another file system, where there is one.
    elsewhere: Option<PathBuf>,
    shop: Vec<(String, String)>,
}

/// A way to drop a task.
type Way = fn(&Writer, &str, &str);

const WAYS: [Way; 11] = [
    Writer::in_pieces,
    Writer::by_a_slow_pipeline,
    Writer::line_by_line,
    Writer::by_cp,
    Writer::by_mv,
    Writer::by_mv_from_elsewhere,
    Writer::by_ln,
    Writer::by_an_editor,
    Writer::by_tee,
    Writer::by_submit,
    Writer::under_another_name,
];

impl Writer {
    fn of(shop: &Sandbox, elsewhere: Option<&TempDir>) -> Self {
        let stage = shop.beside("stage");
        fs::create_dir_all(&stage).unwrap();
        let home = shop.home().to_str().unwrap().to_owned();
        Self {
            pending: shop.task_file("pending"),
            stage,
            elsewhere: elsewhere.map(|dir| dir.path().to_owned()),
            shop: vec![("KOUBOU_HOME".into(), home)],
        }
    }

    fn drop_by(&self, way: Way, id: &str) {
        way(self, id, &json!({ "description": text_of(id), "worker": "echo" }).to_string());
    }

    fn target(&self, id: &str) -> PathBuf {
        self.pending.join(format!("{id}.json"))
    }

    /// The whole task, beside the spool.
    fn staged(&self, id: &str, task: &str) -> PathBuf {
        let path = self.stage.join(format!("{id}.json"));
        fs::write(&path, task).unwrap();
        path
    }

    fn sh(&self, script: &str, arguments: &[&Path]) {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).args(arguments).stdin(Stdio::null());
        assert!(command.status().unwrap().success(), "{script}");
    }

    /// Written in pieces by a program that keeps the file open.
    fn in_pieces(&self, id: &str, task: &str) {
        let mut file = File::create(self.target(id)).unwrap();
        for piece in task.as_bytes().chunks(task.len().div_ceil(4)) {
            file.write_all(piece).unwrap();
            a_person_thinks(60);
        }
    }

    fn by_a_slow_pipeline(&self, id: &str, task: &str) {
        let script = "{ sleep 0.15; cat \"$1\"; sleep 0.1; } | cat > \"$2\"";
        self.sh(script, &[&self.staged(id, task), &self.target(id)]);
    }

    /// With `>>`, so that the file is closed after each line and whole only at the end.
    fn line_by_line(&self, id: &str, task: &str) {
        let whole: Value = serde_json::from_str(task).unwrap();
        for line in serde_json::to_string_pretty(&whole).unwrap().lines() {
            let mut options = OpenOptions::new();
            let mut file = options.create(true).append(true).open(self.target(id)).unwrap();
            writeln!(file, "{line}").unwrap();
            drop(file);
            a_person_thinks(80);
        }
    }

    fn by_cp(&self, id: &str, task: &str) {
        self.sh("cp \"$1\" \"$2\"", &[&self.staged(id, task), &self.pending]);
    }

    fn by_mv(&self, id: &str, task: &str) {
        self.sh("mv \"$1\" \"$2\"", &[&self.staged(id, task), &self.pending]);
    }

    fn by_mv_from_elsewhere(&self, id: &str, task: &str) {
        let Some(elsewhere) = &self.elsewhere else { return self.by_mv(id, task) };
        let path = elsewhere.join(format!("{id}.json"));
        fs::write(&path, task).unwrap();
        self.sh("mv \"$1\" \"$2\"", &[&path, &self.pending]);
    }

    fn by_ln(&self, id: &str, task: &str) {
        let staged = self.staged(&format!("{id}-kept"), task);
        self.sh("ln \"$1\" \"$2\"", &[&staged, &self.target(id)]);
    }

    /// A swap file, a new file beside the old name, a rename; the back-up stays.
    fn by_an_editor(&self, id: &str, task: &str) {
        let swap = self.pending.join(format!(".{id}.json.swp"));
        fs::write(&swap, "editing").unwrap();
        let half = self.pending.join(format!("{id}.json.part"));
        fs::write(&half, &task[..task.len() / 2]).unwrap();
        a_person_thinks(50);
        fs::write(&half, task).unwrap();
        fs::copy(&half, self.pending.join(format!("{id}.json~"))).unwrap();
        self.sh("mv \"$1\" \"$2\"", &[&half, &self.target(id)]);
        fs::remove_file(swap).unwrap();
    }

    fn by_tee(&self, id: &str, task: &str) {
        let script = "cat \"$1\" | tee \"$2\" > /dev/null";
        self.sh(script, &[&self.staged(id, task), &self.target(id)]);
    }

    fn by_submit(&self, id: &str, task: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_koubou"));
        command.envs(self.shop.iter().cloned()).args(["submit", "--id", id]);
        let said = command.arg(self.staged(id, task)).stdin(Stdio::null()).output().unwrap();
        assert!(said.status.success(), "submit {id}: {}", String::from_utf8_lossy(&said.stderr));
    }

    /// The file is called otherwise than the task.
    fn under_another_name(&self, id: &str, task: &str) {
        let mut task: Value = serde_json::from_str(task).unwrap();
        task["task_id"] = id.into();
        fs::write(self.pending.join(format!("a drop of {id}.json")), task.to_string()).unwrap();
    }
}

fn text_of(id: &str) -> String {
    format!("the text of {id}")
}

/// The writers are people: they take their time.
fn a_person_thinks(ms: u64) {
    thread::sleep(Duration::from_millis(ms));
}

/// A folder in memory, if that is another file system than the sandbox's.
fn another_file_system(shop: &Sandbox) -> Option<TempDir> {
    let device = |path: &Path| fs::metadata(path).map(|meta| meta.dev()).ok();
    let dir = tempfile::tempdir_in("/dev/shm").ok()?;
    (device(dir.path()) != device(&shop.home())).then_some(dir)
}

#[test]
fn nothing_is_lost_and_nothing_done_twice_while_people_drop_and_the_daemon_dies() {
    let (tasks, kills) = size();
    let shop = Sandbox::with_workers(&[patient_echo()]);
    let elsewhere = another_file_system(&shop);
    if elsewhere.is_none() {
        println!("skipped: a move from another file system, for /dev/shm is none");
    }
    let (tell, told) = mpsc::channel::<()>();
    let writers: Vec<_> = (0..WRITERS)
        .map(|first| {
            let (writer, tell) = (Writer::of(&shop, elsewhere.as_ref()), tell.clone());
            thread::spawn(move || {
                for n in (first..tasks).step_by(WRITERS) {
                    writer.drop_by(WAYS[n % WAYS.len()], &format!("t{n}"));
                }
                drop(tell);
            })
        })
        .collect();
    drop(tell);
    let mut left = kills;
    // The kills go on for as long as somebody writes.
    while left > 0 || told.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
        let daemon = shop.start(["start"]);
        // The moment is a time, and no event: whatever happens then.
        let moment = Duration::from_millis(150 + 70 * (left as u64 % 5));
        if told.recv_timeout(moment) == Err(RecvTimeoutError::Disconnected) {
            daemon.until_lines(1 + left % 2);
        }
        daemon.kill();
        left = left.saturating_sub(1);
    }
    for writer in writers {
        writer.join().unwrap();
    }
    shop.drain().ends(0);

    let expected: BTreeSet<String> = (0..tasks).map(|n| format!("t{n}.json")).collect();
    let completed: BTreeSet<String> = shop.names("completed").into_iter().collect();
    let lost: Vec<_> = expected.difference(&completed).collect();
    let doubled: Vec<_> = completed.difference(&expected).collect();
    assert!(lost.is_empty() && doubled.is_empty(), "lost: {lost:?}\ndoubled: {doubled:?}");
    assert_eq!(shop.names("failed"), [""; 0]);
    for n in 0..tasks {
        let id = format!("t{n}");
        let result = shop.result(&format!("completed/{id}"));
        assert_eq!(result["content"], text_of(&id), "{id}");
    }
    assert!(
        shop.names("in_progress").is_empty() && sandbox::names(&shop.home().join("tmp")).is_empty()
    );
    let way = |n: usize| WAYS[n % WAYS.len()] as usize;
    let by = |way_of: Way| (0..tasks).filter(move |n| way(*n) == way_of as usize);
    let backups: BTreeSet<String> =
        by(Writer::by_an_editor).map(|n| format!("t{n}.json~")).collect();
    let left_alone: BTreeSet<String> = shop.names("pending").into_iter().collect();
    assert_eq!(left_alone, backups, "other names are left alone");
    for n in by(Writer::by_ln) {
        let kept =
            fs::read_to_string(shop.beside("stage").join(format!("t{n}-kept.json"))).unwrap();
        assert!(kept.contains(&text_of(&format!("t{n}"))), "the other name of t{n}: {kept}");
    }
    let rows = |status: &str| {
        shop.count(&format!("SELECT count(*) FROM task_master WHERE status = '{status}'"))
    };
    assert_eq!(rows("completed"), tasks as i64);
    assert_eq!(shop.count("SELECT count(*) FROM task_master"), tasks as i64);
}

#[test]
fn a_writer_who_closes_often_has_time_as_long_as_he_goes_on() {
    let shop = Sandbox::with_echo();
    let _daemon = shop.daemon();
    let path = shop.task_file("pending/slow.json");
    let append = |text: &str| {
        let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    append("{\n");
    for n in 0..5 {
        a_person_thinks(700);
        append(&format!("\"note_{n}\": {n},\n"));
    }
    a_person_thinks(700);
    append("\"description\": \"slowly\", \"worker\": \"echo\" }\n");
    shop.eventually("it ends", || shop.task_file("completed/slow.json").exists());
    assert_eq!(shop.result("completed/slow")["content"], "slowly");
}

#[test]
fn a_drain_does_not_wait_for_a_writer_who_never_ends() {
    let shop = Sandbox::with_echo();
    let mut writer = File::create(shop.task_file("pending/open.json")).unwrap();
    writer.write_all(b"{ \"description\"").unwrap();
    shop.drop_task("x", &json!({ "description": "a", "worker": "echo" }));
    let began = std::time::Instant::now();
    let said = shop.drain().ends(75);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(said.err.contains("open.json"), "{}", said.err);
    assert_eq!(shop.names("completed"), ["x.json"]);
    assert_eq!(shop.names("pending"), ["open.json"]);
}

#[test]
fn an_overflow_of_the_kernels_queue_loses_no_task() {
    const DROPS: usize = 100;
    let most: usize = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(usize::MAX);
    if most > 200_000 {
        println!("skipped: the kernel's queue holds {most} events, too many to fill");
        return;
    }
    let shop = Sandbox::with_echo();
    let daemon = shop.daemon();
    let pid = Pid::from_raw(i32::try_from(daemon.pid()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let stopped = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap();
    assert!(stopped.is_some_and(|(_, status)| status.stopped()), "{stopped:?}");
    // Names that nobody cares about fill the queue; each rename is two events.
    let [here, there] = [".here", ".there"].map(|name| shop.task_file("pending").join(name));
    fs::write(&here, "").unwrap();
    for _ in 0..=most / 4 {
        rename(&here, &there);
        rename(&there, &here);
    }
    for n in 0..DROPS {
        shop.drop_task(&format!("t{n}"), &json!({ "description": "a", "worker": "echo" }));
    }
    kill_process(pid, Signal::CONT).unwrap();
    shop.eventually("all of them end", || shop.names("completed").len() == DROPS);
    assert!(shop.names("failed").is_empty());
    // And it still sees what comes afterwards.
    shop.drop_task("after", &json!({ "description": "a", "worker": "echo" }));
    shop.koubou(["wait", "after", "--timeout", "20s"]).ends(0);
}

fn rename(from: &Path, to: &Path) {
    rustix::fs::rename(from, to).unwrap();
}
