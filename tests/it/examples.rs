//! What stands in `examples/` is true: each task is read, each set-up loads, each script runs.
//!
//! A file that no story here covers fails [`every_example_is_covered`].

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use koubou::config::{self, Environment};
use koubou::task::wire;
use serde_json::Value;
use tempfile::TempDir;

/// What is covered, by folder and ending; all else is named alone.
const COVERED: [(&str, &str); 3] = [("tasks", "json"), ("workers", "yaml"), ("pipelines", "sh")];
const COVERED_ALONE: [&str; 6] = [
    "cron/koubou.cron",
    "demo.sh",
    "languages/drop_task.py",
    "languages/drop_task.sh",
    "model_server.rs",
    "systemd/koubou.service",
];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// The files of a folder of examples, each with its path and name.
fn files_in(folder: &str) -> Vec<(PathBuf, String)> {
    let mut files: Vec<_> = fs::read_dir(examples().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), path.file_name().unwrap().to_str().unwrap().to_owned()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "examples/{folder} is empty");
    files
}

/// A home of our own, with the koubou under test on the PATH.
struct Shop {
    dir: TempDir,
}

impl Shop {
    fn new() -> Self {
        let shop = Self { dir: tempfile::tempdir().unwrap() };
        shop.run(shop.command(env!("CARGO_BIN_EXE_koubou")).arg("init"), "");
        shop
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let bin = Path::new(env!("CARGO_BIN_EXE_koubou")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).env_clear();
        command.env("PATH", format!("{}:{path}", bin.display()));
        command.env("HOME", self.dir.path()).env("KOUBOU_HOME", self.home());
        command
    }

    fn example(&self, interpreter: &str, path: &Path) -> Command {
        let mut command = self.command(interpreter);
        command.arg(path);
        command
    }

    /// Runs a command that must go well, and says what it printed.
    fn run(&self, command: &mut Command, input: &str) -> String {
        let output = output(command, input);
        assert!(
            output.status.success(),
            "{command:?}: {}\n--- stdout\n{}\n--- stderr\n{}\n--- tree\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            String::from_utf8_lossy(&output_of_find(self.dir.path())),
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Works until nothing is left to do.
    fn drain(&self) {
        self.run(self.command(env!("CARGO_BIN_EXE_koubou")).args(["start", "--drain"]), "");
    }

    /// The answers of all completed tasks, sorted.
    fn answers(&self) -> Vec<String> {
        let mut answers: Vec<_> = fs::read_dir(self.home().join("tasks/completed"))
            .unwrap()
            .map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap())
            .map(|result| result["content"].as_str().unwrap().to_owned())
            .collect();
        answers.sort();
        answers
    }
}

fn output(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // A program that reads nothing is no failure.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn output_of_find(dir: &Path) -> Vec<u8> {
    Command::new("find")
        .arg(dir)
        .args(["-type", "f"])
        .output()
        .map_or_else(|error| error.to_string().into_bytes(), |found| found.stdout)
}

/// Whether a program is there; a story that needs one that is not there is skipped, and says so.
fn has(program: &str) -> bool {
    let there = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !there {
        eprintln!("skipped: there is no `{program}` here");
    }
    there
}

#[test]
fn every_example_is_covered() {
    let root = examples();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).unwrap();
            let by_kind = COVERED.iter().any(|(folder, ending)| {
                name.parent() == Some(Path::new(folder))
                    && name.extension().is_some_and(|its| its == *ending)
            });
            let alone = COVERED_ALONE.iter().any(|known| name == Path::new(known));
            assert!(by_kind || alone, "no test covers examples/{}", name.display());
        }
    }
}

#[test]
fn every_task_is_a_task_without_a_warning() {
    for (path, name) in files_in("tasks") {
        let stem = name.strip_suffix(".json").unwrap();
        let task = wire::read(stem, &fs::read(&path).unwrap())
            .unwrap_or_else(|flaws| panic!("{name}: {}", flaws.message()));
        assert!(task.warnings.is_empty(), "{name}: {:?}", task.warnings);
    }
}

#[test]
fn every_set_up_loads() {
    for (path, name) in files_in("workers") {
        let environment = Environment::new(
            [("LANG".to_owned(), "C".to_owned())],
            "OPENAI_API_KEY=k-0123456789",
            koubou::base::clock::wall(),
        );
        let yaml = fs::read_to_string(&path).unwrap();
        let config = config::load(&yaml, &path, Path::new("/nowhere"), &environment)
            .unwrap_or_else(|errors| panic!("{name}:\n{errors}"));
        assert!(config.warnings.is_empty(), "{name}: {:?}", config.warnings);
        assert!(
            config.workers.iter().all(|worker| worker.disabled.is_none()),
            "{name}: a worker rests"
        );
    }
}

#[test]
fn every_script_is_a_shell_script() {
    let mut scripts: Vec<_> = files_in("pipelines").into_iter().map(|(path, _)| path).collect();
    scripts.extend(["demo.sh", "languages/drop_task.sh"].map(|name| examples().join(name)));
    for script in scripts {
        let output = output(Command::new("sh").arg("-n").arg(&script), "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", script.display());
    }
}

#[test]
fn every_pipeline_does_what_it_says() {
    if !has("jq") {
        return;
    }
    for (path, name) in files_in("pipelines") {
        let shop = Shop::new();
        match name.as_str() {
            "jq-to-submit.sh" => {
                let ids = shop.run(&mut shop.example("sh", &path), "one \"quoted\"\n\ntwo\n");
                assert_eq!(ids.lines().count(), 2, "{ids}");
                shop.drain();
                assert_eq!(shop.answers(), ["one \"quoted\"", "two"]);
            }
            "shell-loop.sh" => {
                let notes = shop.dir.path().join("my notes.txt");
                fs::write(&notes, "line \"one\"\nline two\n").unwrap();
                shop.run(shop.example("sh", &path).arg(&notes), "");
                assert!(shop.home().join("tasks/pending/my_notes_txt.json").is_file());
                shop.drain();
                assert_eq!(shop.answers().len(), 1);
            }
            "xargs.sh" => {
                let ids = shop.run(&mut shop.example("sh", &path), "Kyoto\nNew York\n");
                assert_eq!(ids.lines().count(), 2, "{ids}");
                shop.drain();
                let named =
                    ["Kyoto", "New York"].map(|town| format!("Name one thing to see in {town}"));
                assert_eq!(shop.answers(), named);
            }
            "wait-and-result.sh" => {
                let mut daemon = shop
                    .command(env!("CARGO_BIN_EXE_koubou"))
                    .args(["--quiet", "start"])
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap();
                let said = output(shop.example("sh", &path).arg("What is a spool?"), "");
                let _ = daemon.kill();
                let _ = daemon.wait();
                assert_eq!(String::from_utf8_lossy(&said.stdout), "What is a spool?\n", "{said:?}");
                assert!(said.status.success(), "{said:?}");
            }
            "results-to-csv.sh" => {
                assert_eq!(shop.run(&mut shop.example("sh", &path), ""), "");
                fs::copy(
                    examples().join("tasks/echo.json"),
                    shop.home().join("tasks/pending/echo.json"),
                )
                .unwrap();
                shop.drain();
                let csv = shop.run(&mut shop.example("sh", &path), "");
                assert_eq!(csv, "\"echo\",\"completed\",\"echo\",0\n");
            }
            _ => panic!("no story here runs examples/pipelines/{name}"),
        }
    }
}

#[test]
fn other_languages_drop_tasks() {
    let shop = Shop::new();
    let text = "Say \"hello\" \\ and\tgo";
    shop.run(shop.example("sh", &examples().join("languages/drop_task.sh")).arg(text), "");
    let mut said = vec!["Say \"hello\" \\ and go".to_owned()];
    if has("python3") {
        shop.run(shop.example("python3", &examples().join("languages/drop_task.py")).arg(text), "");
        said.insert(0, text.to_owned());
    }
    shop.drain();
    assert_eq!(shop.answers(), said);
}

#[test]
fn a_command_worker_counts_words() {
    let shop = Shop::new();
    fs::copy(examples().join("workers/command.yaml"), shop.home().join("config/agent.yaml"))
        .unwrap();
    let pending = shop.home().join("tasks/pending");
    fs::copy(examples().join("tasks/command.json"), pending.join("command.json")).unwrap();
    shop.drain();
    assert_eq!(shop.answers().iter().map(|answer| answer.trim()).collect::<Vec<_>>(), ["5"]);
}

#[test]
fn the_samples_for_cron_and_systemd_call_commands_that_exist() {
    let shop = Shop::new();
    for name in ["cron/koubou.cron", "systemd/koubou.service"] {
        let text = fs::read_to_string(examples().join(name)).unwrap();
        let calls: Vec<_> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once("koubou ").map(|(_, call)| call))
            .collect();
        assert!(!calls.is_empty(), "{name}");
        for call in calls {
            let words = call.split(' ').take_while(|word| !word.starts_with('"'));
            let command = { words }.find(|word| !word.starts_with("--")).unwrap();
            shop.run(shop.command(env!("CARGO_BIN_EXE_koubou")).args([command, "--help"]), "");
        }
    }
}
