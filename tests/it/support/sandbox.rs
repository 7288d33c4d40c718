//! A home of its own for each story, with the real program to work it.
//!
//! The environment is cleared. Where a story fails, the tree of its home and what
//! every command said is printed, so that nobody runs it again to find out.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use notify::{RecursiveMode, Watcher};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::daemon::{self, Daemon, PATIENCE};
use super::workers;

/// How long a change stays unseen that no event tells of.
const UNTOLD: Duration = Duration::from_millis(200);

/// A home in a temporary folder.
pub(crate) struct Sandbox {
    dir: TempDir,
    env: RefCell<Vec<(String, String)>>,
    log: RefCell<Vec<String>>,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    /// Its exit code.
    pub(crate) code: i32,
    /// Its standard output.
    pub(crate) out: String,
    /// Its standard error.
    pub(crate) err: String,
}

impl Said {
    /// Its standard output as one JSON document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("one JSON document")
    }

    /// The same, if it ended with this exit code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}

impl Sandbox {
    /// A fresh home with the shipped settings.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let shop = Self { dir, env: RefCell::default(), log: RefCell::default() };
        shop.koubou(["init"]).ends(0);
        shop
    }

    /// A fresh home whose only worker is the echo.
    pub(crate) fn with_echo() -> Self {
        Self::with_workers(&[workers::echo()])
    }

    /// A fresh home with these workers; confidential work goes to a local one, the rest to the first.
    pub(crate) fn with_workers(all: &[Value]) -> Self {
        let shop = Self::new();
        shop.hire(all, &json!({}));
        shop
    }

    /// Writes the settings: these workers, and whatever else stands at the top level.
    pub(crate) fn hire(&self, all: &[Value], more: &Value) {
        let first = all[0]["type"].clone();
        let mut document = json!({
            "available_workers": all,
            "routing_rules": [{ "else": first }],
        });
        for (key, value) in more.as_object().unwrap() {
            document[key] = value.clone();
        }
        self.config(&serde_json::to_string_pretty(&document).unwrap());
    }

    /// Writes `agent.yaml`.
    pub(crate) fn config(&self, yaml: &str) {
        fs::write(self.home().join("config/agent.yaml"), yaml).unwrap();
    }

    /// Writes `.env`.
    pub(crate) fn dotenv(&self, text: &str) {
        fs::write(self.home().join("config/.env"), text).unwrap();
    }

    /// Sets a variable for every command from now on.
    pub(crate) fn set(&self, name: &str, value: &str) {
        self.env.borrow_mut().push((name.to_owned(), value.to_owned()));
    }

    /// The home.
    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// A place beside the home.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A file in a folder of tasks: `completed/x.json`.
    pub(crate) fn task_file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.home().join("tasks").join(name)
    }

    /// The names in a folder of tasks, in order.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        names(&self.task_file(folder))
    }

    /// Drops a task as anybody would: by writing a file.
    pub(crate) fn drop_task(&self, name: &str, task: &Value) {
        self.drop_bytes(format!("{name}.json"), task.to_string());
    }

    /// Drops any bytes under any name.
    pub(crate) fn drop_bytes(&self, name: impl AsRef<OsStr>, bytes: impl AsRef<[u8]>) {
        fs::write(self.task_file("pending").join(name.as_ref()), bytes).unwrap();
    }

    /// A result.
    #[track_caller]
    pub(crate) fn result(&self, name: &str) -> Value {
        let path = self.task_file(format!("{name}.json"));
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_json::from_slice(&bytes).unwrap()
    }

    /// The mirror.
    pub(crate) fn mirror(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.home().join("db/koubou.db")).unwrap()
    }

    /// One number that SQL finds in the mirror.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.mirror().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Runs koubou.
    pub(crate) fn koubou<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Said {
        self.koubou_with(args, "")
    }

    /// Runs koubou with something on standard input.
    pub(crate) fn koubou_with<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        input: &str,
    ) -> Said {
        self.run(self.command(args), input)
    }

    /// Works off all that is there.
    pub(crate) fn drain(&self) -> Said {
        self.koubou(["start", "--drain"])
    }

    /// Starts the daemon, and waits until it is at work.
    pub(crate) fn daemon(&self) -> Daemon {
        let daemon = self.start(["start"]);
        daemon.until_said("working ");
        daemon
    }

    /// Starts koubou in the background.
    pub(crate) fn start<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Daemon {
        let mut command = self.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Daemon::of(command.spawn().unwrap())
    }

    /// The program with these arguments, in the sandbox's environment.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_koubou"));
        command.args(args).env_clear().current_dir(self.dir.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.dir.path()).env("KOUBOU_HOME", self.home());
        command.envs(self.env.borrow().iter().cloned());
        command
    }

    /// The same, run by somebody who may not do everything; the home is his then. `None`, with a
    /// line that says so, where we are root and nobody else may run the program.
    pub(crate) fn command_of_nobody<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
    ) -> Option<Command> {
        const NOBODY: u32 = 65_534;
        let mut command = self.command(args);
        if !rustix::process::geteuid().is_root() {
            return Some(command);
        }
        for entry in walkdir::WalkDir::new(self.dir.path()) {
            std::os::unix::fs::chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut probe = Command::new(env!("CARGO_BIN_EXE_koubou"));
        if probe.arg("--version").uid(NOBODY).gid(NOBODY).output().is_err() {
            println!("skipped: another user may not run the program where it lies");
            return None;
        }
        command.uid(NOBODY).gid(NOBODY);
        Some(command)
    }

    /// Runs a command to its end. Its output goes to files, which no grandchild can hold open.
    pub(crate) fn run(&self, mut command: Command, input: &str) -> Said {
        let [stdin, stdout, stderr] = ["stdin", "stdout", "stderr"].map(|name| self.beside(name));
        fs::write(&stdin, input).unwrap();
        command.stdin(File::open(&stdin).unwrap());
        command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
        let began = Instant::now();
        let status = daemon::wait(&mut command.spawn().unwrap(), 2 * PATIENCE);
        let text = |path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let code = status.code().unwrap_or(-1);
        let said = Said { code, out: text(stdout), err: text(stderr) };
        let arguments: Vec<_> = command.get_args().collect();
        self.log.borrow_mut().push(format!(
            "$ koubou {arguments:?} -> {code} after {:?}\n{}{}",
            began.elapsed(),
            said.out,
            said.err
        ));
        said
    }

    /// Waits until something holds, and looks whenever something happens in the home.
    #[track_caller]
    pub(crate) fn eventually(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let (tell, told) = mpsc::channel();
        let mut watcher = notify::recommended_watcher(move |_| {
            let _ = tell.send(());
        })
        .unwrap();
        watcher.watch(&self.home(), RecursiveMode::Recursive).unwrap();
        let deadline = Instant::now() + PATIENCE;
        while !holds() {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what}: it did not come");
            // The database makes a commit seen in shared memory, of which no event tells.
            let _ = told.recv_timeout(left.min(UNTOLD));
            while told.try_recv().is_ok() {}
        }
    }

    /// Every file of the home but its settings, with its bytes: where a secret might have got to.
    pub(crate) fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let config = self.home().join("config");
        walkdir::WalkDir::new(self.home())
            .into_iter()
            .filter_entry(|entry| entry.path() != config)
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| (entry.path().to_owned(), fs::read(entry.path()).unwrap()))
            .collect()
    }

    /// Whether these bytes stand in no file of the home but its settings.
    #[track_caller]
    pub(crate) fn assert_nowhere(&self, secret: &str) {
        for (path, bytes) in self.everything() {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds what it must not", path.display());
        }
    }

    fn evidence(&self) {
        for line in self.log.borrow().iter().rev().take(8).rev() {
            let short: String = line.chars().take(4_000).collect();
            eprintln!("{short}");
        }
        eprintln!("---- the home ----");
        for entry in walkdir::WalkDir::new(self.home()).sort_by_file_name().into_iter().take(200) {
            let Ok(entry) = entry else { continue };
            let size = entry.metadata().map(|meta| meta.len()).unwrap_or_default();
            let path = entry.path().strip_prefix(self.dir.path()).unwrap_or(entry.path());
            eprintln!("{:>10} {path:?}", if entry.file_type().is_dir() { 0 } else { size });
            let is_end =
                path.starts_with("home/tasks/failed") || path.starts_with("home/tasks/completed");
            if is_end && entry.file_type().is_file() && size < 3_000 {
                eprintln!("{}", fs::read_to_string(entry.path()).unwrap_or_default());
            }
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.evidence();
        }
    }
}

/// The names in a folder, in order.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
