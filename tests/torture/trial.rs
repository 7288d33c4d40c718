//! Crash points and failing calls: whatever happens, no task is lost.
//!
//! A `start --drain` over a few tasks is killed before every call that changes the
//! home, in turn, and started again; then every such call is failed in turn, once
//! and for ever, and it is started again. After each: every task is in exactly one
//! of completed and failed, and all else is as the contract says.
//!
//! `make torture` tries every point; `KOUBOU_TORTURE=maintain` those of `koubou maintain` alone. As part of `cargo test` it tries a share of
//! them, spread over the whole run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::model_server::ModelServer;
use crate::power;
use crate::retire;
use crate::tracer::{self, Fault, Lack, Plan, Run};
use nix::errno::Errno;
use serde_json::{Value, json};

const KOUBOU: &str = env!("CARGO_BIN_EXE_koubou");
/// What the command's standard input must be, whole, each time it runs. It says what it reads, and
/// so asks for a task that needs the answer of another.
const INPUT: &str = r#"{"subtasks": [{"name": "child", "description": "after {result:echo}", "depends_on": ["echo"], "worker": "echo"}]}"#;
/// Tasks of a run, by their ids.
const TASKS: &[&str] = &["again", "broken", "echo", "paid", "program", "program-child"];

/// What goes wrong, where, and how often: a row of the table.
struct Kind {
    name: &'static str,
    fault: Fault,
    lack: Lack,
    for_ever: bool,
    /// The run before it was killed too, so that this one begins with a recovery.
    after_a_kill: bool,
}

/// A point of a run, and where the run before it was killed, in eighths of its length.
type Trial = (usize, Option<usize>);

/// Where the run before a recovery is killed: while tasks are claimed, while they run, while they are filed.
const EARLIER_KILLS: [usize; 3] = [3, 5, 7];

impl Kind {
    fn of(name: &'static str, fault: Fault, for_ever: bool) -> Self {
        Self { name, fault, lack: Lack::Nothing, for_ever, after_a_kill: false }
    }

    /// Killed at every point of a run that puts in order what a killed one left.
    fn in_recovery(name: &'static str) -> Self {
        Self { after_a_kill: true, ..Self::of(name, Fault::Kill, false) }
    }

    /// Killed at every point on a system that lacks something.
    fn without(name: &'static str, lack: Lack) -> Self {
        Self { lack, ..Self::of(name, Fault::Kill, false) }
    }

    fn all() -> Vec<Self> {
        let error = Fault::Error;
        vec![
            Self::of("kill -9", Fault::Kill, false),
            Self::in_recovery("kill -9 in recovery"),
            Self::of("ENOSPC once", error(Errno::ENOSPC), false),
            Self::of("EIO once", error(Errno::EIO), false),
            Self::of("EMFILE once", error(Errno::EMFILE), false),
            Self::of("EACCES once", error(Errno::EACCES), false),
            Self::of("EINTR once", error(Errno::EINTR), false),
            Self::of("short write once", Fault::ShortWrite, false),
            Self::of("ENOSPC for ever", error(Errno::ENOSPC), true),
            Self::of("EIO for ever", error(Errno::EIO), true),
            Self::of("EMFILE for ever", error(Errno::EMFILE), true),
            Self::of("EACCES for ever", error(Errno::EACCES), true),
            Self::of("EINTR for ever", error(Errno::EINTR), true),
            Self::of("short write for ever", Fault::ShortWrite, true),
            Self::without("kill -9, no renameat2", Lack::CarefulRename),
            Self::without("kill -9, no leases", Lack::Leases),
            Self::without("kill -9, no inotify", Lack::Inotify),
        ]
    }

    /// How many calls of a run the fault applies to.
    fn points(&self, earlier: Option<usize>) -> usize {
        let home = Home::new();
        if let Some(eighths) = earlier {
            home.be_killed(eighths);
        }
        let plan = Plan { lack: self.lack, ..Plan::undisturbed(self.fault) };
        let run = home.undisturbed(plan);
        let asked = self.lack == Lack::Nothing || run.lacked > 0;
        assert!(asked, "{}: nothing ever asked for it, so its lack shows nothing", self.name);
        run.points
    }

    /// Every point in turn.
    fn trials(&self) -> Vec<Trial> {
        let earlier: Vec<Option<usize>> = match self.after_a_kill {
            true => EARLIER_KILLS.map(Some).to_vec(),
            false => vec![None],
        };
        let each = |earlier| (0..self.points(earlier)).map(move |at| (at, earlier));
        earlier.into_iter().flat_map(each).collect()
    }

    /// How many of the points are passed over in a short torture, for each that is tried.
    fn share(&self, points: usize) -> usize {
        let wanted = if self.for_ever || self.lack != Lack::Nothing { 3 } else { 12 };
        points.div_ceil(wanted).max(1)
    }

    /// Every point in turn, or a share of them; the row of the table and how many ended badly.
    fn torture(&self, full: bool) -> (String, usize) {
        let mut trials = self.trials();
        let points = trials.len();
        if !full {
            trials = trials.into_iter().step_by(self.share(points)).collect();
        }
        let ms = if self.for_ever { 600 } else { 20_000 };
        let plan = Plan {
            lack: self.lack,
            for_ever: self.for_ever,
            limit: Duration::from_millis(ms),
            ..Plan::undisturbed(self.fault)
        };
        let found =
            spread(self.name, &trials, |(at, earlier)| try_one(Plan { at: *at, ..plan }, *earlier));
        let row = format!("{:>6} of {points:>4} points {found:>4} violations", trials.len());
        match points < 20 {
            true => (format!("{row}: too few, the test does nothing"), found + 1),
            false => (row, found),
        }
    }
}

pub(crate) fn run() -> ExitCode {
    let asked = std::env::var("KOUBOU_TORTURE").unwrap_or_default();
    let mutant = std::env::var("KOUBOU_MUTANT").ok();
    let is_retirings = mutant.as_deref() == Some("left-before-archived");
    if asked == "maintain" || is_retirings {
        let (rows, found) = retire::try_all(true);
        println!("{}", rows.join("\n"));
        return ending(mutant.as_deref(), found);
    }
    let full = asked == "full";
    // A mutant is looked for where such a bug would show.
    let most = if mutant.is_some() { 1 } else { usize::MAX };
    let mut violations = 0;
    let mut table = Vec::new();
    for kind in Kind::all().into_iter().take(most) {
        let began = Instant::now();
        let (row, found) = kind.torture(full || mutant.is_some());
        println!("{}: tried in {} s", kind.name, began.elapsed().as_secs());
        table.push(format!("{:<22} {row}", kind.name));
        violations += found;
    }
    if mutant.is_none() {
        let (rows, found) = retire::try_all(full);
        table.extend(rows);
        violations += found;
    }
    let (states, found) = power::try_all(full);
    table.push(format!("{:<22} {states:>6} states         {found:>4} violations", "power loss"));
    violations += found;
    if states < 100 {
        table.push(format!("power loss has only {states} states: the test does nothing"));
        violations += 1;
    }
    println!("{}", table.join("\n"));
    ending(mutant.as_deref(), violations)
}

fn ending(mutant: Option<&str>, violations: usize) -> ExitCode {
    let well = match mutant {
        Some(name) => {
            println!("mutant {name}: {}", if violations > 0 { "found" } else { "NOT FOUND" });
            violations > 0
        }
        None => violations == 0,
    };
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tries all on all processors, and prints what is wrong; how many ended badly.
pub(crate) fn spread<T: Sync + std::fmt::Debug>(
    name: &str,
    trials: &[T],
    try_one: impl Fn(&T) -> Vec<String> + Sync,
) -> usize {
    // A mutant is found with the first point where it shows.
    let one_is_enough = std::env::var_os("KOUBOU_MUTANT").is_some();
    let next = AtomicUsize::new(0);
    let found = AtomicUsize::new(0);
    // Most of a trial is waiting: for the other side of the tracer, and for a fault that stays.
    let workers = 4 * std::thread::available_parallelism().map_or(2, usize::from).min(4);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(trial) = trials.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if one_is_enough && found.load(Ordering::Relaxed) > 0 {
                        return;
                    }
                    let complaints = try_one(trial);
                    if !complaints.is_empty() {
                        found.fetch_add(1, Ordering::Relaxed);
                        println!("{name} at {trial:?}:\n  {}", complaints.join("\n  "));
                    }
                }
            });
        }
    });
    found.into_inner()
}

/// A folder in memory, where there is such a place: which call comes when is the same there, and
/// nobody waits for a disk. What a disk does is asked of the recorded calls, in `power`.
fn quick_dir() -> tempfile::TempDir {
    let memory = tempfile::tempdir_in("/dev/shm");
    memory.or_else(|_| tempfile::tempdir()).unwrap()
}

/// One faulty run and one good one; what is wrong after them.
fn try_one(plan: Plan, earlier: Option<usize>) -> Vec<String> {
    let home = Home::new();
    if let Some(eighths) = earlier {
        home.be_killed(eighths);
    }
    let run = home.drain(plan);
    let mut complaints = home.check_words(&run);
    let output = home.koubou(&["start", "--drain"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() != Some(0) {
        complaints.push(format!("the next drain ended with {:?}: {stderr}", output.status));
    }
    complaints.extend(home.check(&stderr));
    if !complaints.is_empty() {
        complaints.insert(0, format!("struck `{}` ({} times)", run.call, run.struck));
        complaints.push(format!("first run said: {}", home.stderr()));
        complaints.push(format!("second run said: {stderr}"));
    }
    complaints
}

/// A fresh home with a few tasks, removed at the end.
pub(crate) struct Home {
    dir: tempfile::TempDir,
    /// Where the paid worker buys.
    server: ModelServer,
}

impl Home {
    /// A place for a home.
    pub(crate) fn bare() -> Self {
        Self { dir: quick_dir(), server: ModelServer::start() }
    }

    /// The settings; their program leaves its input in this home's own witness.
    pub(crate) fn write_config(&self) {
        let witness = self.dir.path().join("witness");
        let config = format!(
            "available_workers:\n\
             \x20 - {{type: echo, kind: echo, concurrency: 1}}\n\
             \x20 - {{type: program, kind: command, local: true, max_attempts: 3, concurrency: 1,\n\
             \x20     command: [sh, -c, 'cat | tee -a {}; echo >> {}']}}\n\
             \x20 - {{type: cloud, kind: chat, model: stand-in, concurrency: 1, max_attempts: 9,\n\
             \x20     endpoint: '{}', price_per_1m: {{input: 1, output: 10}}}}\n\
             routing_rules:\n  - else: echo\nmin_free_bytes: 0\n",
            witness.display(),
            witness.display(),
            self.server.endpoint()
        );
        fs::write(self.path().join("config/agent.yaml"), config).unwrap();
    }

    pub(crate) fn new() -> Self {
        let home = Self::bare();
        let init = home.koubou(&["init"]).output().unwrap();
        assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
        home.write_config();
        home.drop_task(
            "echo",
            &json!({ "description": "two", "worker": "echo", "sensitivity_level": "confidential" }),
        );
        let parent = json!({ "description": INPUT, "worker": "program", "may_spawn": 1 });
        home.drop_task("program", &parent);
        home.drop_task("paid", &json!({ "description": "three", "worker": "cloud" }));
        fs::write(home.path().join("tasks/pending/broken.json"), "{\"description\": 5}").unwrap();
        let older = json!({
            "task_id": "again", "status": "failed", "timestamp": "2026-11-01T00:00:00.000Z",
            "created_at": "2026-11-01T00:00:00.000Z", "finished_at": "2026-11-01T00:00:01.000Z",
            "cost_usd": 0, "attempts": [], "warnings": [],
            "error": { "kind": "timeout", "message": "too slow" },
            "task": { "description": "again", "worker": "echo" },
        });
        home.drop_task("again", &older);
        fs::write(home.path().join("tasks/failed/again.json"), older.to_string()).unwrap();
        home
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// How hard it is is stated: to find that out takes longer than all else here, and fails nowhere.
    fn drop_task(&self, name: &str, task: &Value) {
        let mut task = task.clone();
        let document = if task["task"].is_object() { &mut task["task"] } else { &mut task };
        document["difficulty_level"] = "low".into();
        fs::write(self.path().join(format!("tasks/pending/{name}.json")), task.to_string())
            .unwrap();
    }

    pub(crate) fn koubou(&self, args: &[&str]) -> Command {
        let mut command = Command::new(KOUBOU);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        if let Ok(mutant) = std::env::var("KOUBOU_MUTANT") {
            command.env("KOUBOU_MUTANT", mutant);
        }
        command.arg("--home").arg(self.path()).args(args).stdin(Stdio::null());
        command
    }

    /// A drain under the tracer; what it said is kept.
    pub(crate) fn drain(&self, plan: Plan) -> Run {
        let mut command = self.koubou(&["start", "--drain"]);
        let said = fs::File::create(self.dir.path().join("stderr")).unwrap();
        command.stderr(said).stdout(Stdio::null());
        tracer::run(command, &self.path(), plan)
    }

    /// A drain under the tracer that nothing disturbs.
    pub(crate) fn undisturbed(&self, plan: Plan) -> Run {
        let run = self.drain(plan);
        assert_eq!(run.code, Some(0), "an undisturbed run goes well: {}", self.stderr());
        run
    }

    /// A drain that is killed when it has come so far.
    fn be_killed(&self, eighths: usize) {
        static LENGTH: OnceLock<usize> = OnceLock::new();
        let whole = Plan::undisturbed(Fault::Kill);
        let length = *LENGTH.get_or_init(|| Self::new().undisturbed(whole).points);
        self.drain(Plan { at: length * eighths / 8, ..whole });
    }

    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.dir.path().join("stderr")).unwrap_or_default()
    }

    /// What the faulty run said must be true, and said in words.
    fn check_words(&self, run: &Run) -> Vec<String> {
        let mut complaints = Vec::new();
        let said = self.stderr();
        if said.contains("panicked") {
            complaints.push("it panicked".to_owned());
        }
        for line in said.lines() {
            // `… INFO  x: completed` is only said of a result that is on disk.
            for folder in ["completed", "failed"] {
                let stated = line
                    .strip_suffix(&format!(": {folder}"))
                    .and_then(|line| line.rsplit_once("  "));
                if let Some((_, id)) = stated
                    && !self.path().join(format!("tasks/{folder}/{id}.json")).exists()
                {
                    complaints
                        .push(format!("it said that {id} is {folder}, and it is not on disk"));
                }
            }
        }
        if run.code.is_some_and(|code| code != 0 && code != 75) && !said.contains("error: ") {
            complaints.push(format!("it ended with {:?} and did not say why", run.code));
        }
        complaints
    }

    /// What must hold after a good run.
    pub(crate) fn check(&self, said: &str) -> Vec<String> {
        let mut complaints = Vec::new();
        if said.contains("panicked") {
            complaints.push("the next run panicked".to_owned());
        }
        let folders = self.folders(&mut complaints);
        for (id, found) in &folders {
            if found.len() != 1 {
                complaints.push(format!("`{id}` is in {found:?}"));
            }
            if !TASKS.contains(&id.as_str()) {
                complaints.push(format!("`{id}` was never dropped"));
            }
        }
        let has_failed = |id: &str| folders.get(id).is_some_and(|found| found == &["failed"]);
        for id in TASKS {
            let wanted = if *id == "broken" { "failed" } else { "completed" };
            match folders.get(*id) {
                // Whose parent used up its attempts was never asked for.
                None if *id == "program-child" && has_failed("program") => {}
                None => complaints.push(format!("`{id}` is lost")),
                // A program may have used up its attempts; that is an end, too.
                Some(found) if found[0] != wanted && *id != "program" => {
                    complaints.push(format!("`{id}` is {found:?}, not {wanted}"));
                }
                Some(_) => {}
            }
        }
        self.check_leftovers(&mut complaints);
        self.check_mirror(&folders, &mut complaints);
        self.check_witness(&mut complaints);
        self.check_money(&mut complaints);
        complaints
    }

    fn folders(&self, complaints: &mut Vec<String>) -> BTreeMap<String, Vec<&'static str>> {
        let mut folders: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        for folder in ["completed", "failed"] {
            for path in entries(&self.path().join("tasks").join(folder)) {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                let Some(id) = name.strip_suffix(".json") else { continue };
                folders.entry(id.to_owned()).or_default().push(folder);
                let document: Result<Value, _> = serde_json::from_slice(&fs::read(&path).unwrap());
                match document {
                    Ok(result) if result["task_id"] == id && result["status"] == folder => {}
                    Ok(result) => complaints.push(format!(
                        "{folder}/{name} says {} is {}",
                        result["task_id"], result["status"]
                    )),
                    Err(error) => complaints.push(format!("{folder}/{name} is not JSON: {error}")),
                }
            }
        }
        folders
    }

    fn check_leftovers(&self, complaints: &mut Vec<String>) {
        for folder in ["tasks/pending", "tasks/in_progress", "tmp"] {
            for path in entries(&self.path().join(folder)) {
                complaints.push(format!("left over: {}", path.display()));
            }
        }
        let rejected = self.path().join("tasks/failed/broken.rejected");
        if fs::read(&rejected).ok().as_deref() != Some(b"{\"description\": 5}") {
            complaints.push("the rejected drop was not kept byte for byte".to_owned());
        }
    }

    fn check_mirror(
        &self,
        folders: &BTreeMap<String, Vec<&'static str>>,
        complaints: &mut Vec<String>,
    ) {
        let open = rusqlite::Connection::open(self.path().join("db/koubou.db"));
        let read = open.and_then(|db| {
            let health: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
            let mut rows = db.prepare("SELECT task_id, status FROM task_master")?;
            let rows: Result<BTreeMap<String, String>, _> =
                rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect();
            Ok((health, rows?))
        });
        match read {
            Err(error) => complaints.push(format!("the mirror cannot be read: {error}")),
            Ok((health, rows)) => {
                if health != "ok" {
                    complaints.push(format!("integrity_check: {health}"));
                }
                let truth: BTreeMap<String, String> =
                    folders.iter().map(|(id, found)| (id.clone(), found[0].to_owned())).collect();
                if rows != truth {
                    complaints.push(format!("the mirror says {rows:?}, the folders {truth:?}"));
                }
            }
        }
    }

    /// What was bought is written down, whatever died meanwhile.
    fn check_money(&self, complaints: &mut Vec<String>) {
        let paid = fs::read(self.path().join("tasks/completed/paid.json")).unwrap_or_default();
        let paid: Value = serde_json::from_slice(&paid).unwrap_or_default();
        let price = paid["attempts"]
            .as_array()
            .and_then(|attempts| attempts.last())
            .map(|a| a["cost_usd"].as_f64());
        let (Some(Some(price)), bought) = (price, self.server.chats()) else { return };
        let said = self.koubou(&["budget", "--json"]).output().unwrap().stdout;
        let said: Value = serde_json::from_slice(&said).unwrap_or_default();
        let spent = said["monthly"]["spent_usd"].as_f64().unwrap_or(0.0);
        if spent + 1e-12 < price * bought as f64 {
            complaints.push(format!(
                "{bought} answers at {price} were bought, and {spent} is written down"
            ));
        }
    }

    /// Each time that the program ran, it had all of its input, or was ended in the middle of copying it.
    fn check_witness(&self, complaints: &mut Vec<String>) {
        let seen = fs::read_to_string(self.dir.path().join("witness")).unwrap_or_default();
        if seen.is_empty() {
            complaints.push("the program never ran".to_owned());
        }
        for line in seen.lines().filter(|line| !line.is_empty()) {
            if !line.replace(INPUT, "").is_empty() {
                complaints.push(format!("the program ran on `{line}`"));
            }
        }
    }
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}
