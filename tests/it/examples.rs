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

use crate::support::daemon::Daemon;

/// What is covered, by folder and ending; all else is named alone.
const COVERED: [(&str, &str); 6] = [
    ("tasks", "json"),
    ("workers", "yaml"),
    ("pipelines", "sh"),
    ("systemd", "service"),
    ("systemd", "path"),
    ("systemd", "timer"),
];
const COVERED_ALONE: [&str; 12] = [
    "README.md",
    "cron/koubou.cron",
    "demo.sh",
    "languages/ask.py",
    "languages/drop_task.py",
    "languages/drop_task.sh",
    "logrotate/koubou",
    "make/Makefile",
    "model_server.rs",
    "runner/agent.yaml",
    "runner/run_workflow.py",
    "runner/workflow.json",
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
        // What Python would leave beside the examples.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// A daemon that works the home until it is dropped.
    fn daemon(&self) -> Daemon {
        let mut command = self.command(env!("CARGO_BIN_EXE_koubou"));
        command.arg("start").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let daemon = Daemon::of(command.spawn().unwrap());
        daemon.until_said("working ");
        daemon
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
                if !path.ends_with("__pycache__") {
                    folders.push(path);
                }
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
    let mut set_ups = files_in("workers");
    set_ups.push((examples().join("runner/agent.yaml"), "runner/agent.yaml".to_owned()));
    for (path, name) in set_ups {
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
                let _daemon = shop.daemon();
                let said = output(shop.example("sh", &path).arg("What is a spool?"), "");
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
fn python_waits_for_the_answer() {
    if !has("python3") {
        return;
    }
    let shop = Shop::new();
    let ask = || shop.example("python3", &examples().join("languages/ask.py"));
    let _daemon = shop.daemon();
    assert_eq!(shop.run(ask().arg("Say \"hello\" \\"), ""), "Say \"hello\" \\\n");
    let said = output(ask().env("KOUBOU_HOME", shop.dir.path().join("nowhere")).arg("a"), "");
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    // A task that fails is told with the reason.
    let failing =
        "available_workers: [{type: other, kind: echo}]\nrouting_rules: [{else: other}]\n";
    drop(_daemon);
    fs::write(shop.home().join("config/agent.yaml"), failing).unwrap();
    let _daemon = shop.daemon();
    let said = output(ask().arg("a"), "");
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    assert!(
        String::from_utf8_lossy(&said.stderr).contains("there is no worker `echo`"),
        "{said:?}"
    );
}

#[test]
fn make_keeps_answers_up_to_date() {
    if !has("make") || !has("jq") {
        return;
    }
    let shop = Shop::new();
    let questions = shop.dir.path().join("questions");
    fs::create_dir(&questions).unwrap();
    fs::write(questions.join("a.txt"), "What is \"a\" $spool?\n").unwrap();
    fs::write(questions.join("b.txt"), "two\n").unwrap();
    let _daemon = shop.daemon();
    let make = || {
        let mut make = shop.command("make");
        make.args(["-j2", "-f"]).arg(examples().join("make/Makefile"));
        make
    };
    shop.run(&mut make(), "");
    let answer =
        |name: &str| fs::read_to_string(shop.dir.path().join("answers").join(name)).unwrap();
    assert_eq!(answer("a.txt"), "What is \"a\" $spool?\n");
    assert!(shop.run(&mut make(), "").contains("Nothing to be done"));
    assert_eq!(shop.answers().len(), 2, "nothing is asked twice");
    // A failure leaves no answer behind.
    fs::write(questions.join("c.txt"), "three\n").unwrap();
    let said = output(make().arg("WORKER=nobody"), "");
    assert!(!said.status.success(), "{said:?}");
    assert!(!shop.dir.path().join("answers/c.txt").exists());
    shop.run(&mut make(), "");
    assert_eq!(answer("c.txt"), "three\n");
}

#[test]
fn a_workflow_runs_its_jobs_in_their_order() {
    if !has("python3") || !has("jq") {
        return;
    }
    let shop = Shop::new();
    let runner = examples().join("runner");
    fs::copy(runner.join("agent.yaml"), shop.home().join("config/agent.yaml")).unwrap();
    let _daemon = shop.daemon();
    let run = || shop.example("python3", &runner.join("run_workflow.py"));
    let said = shop.run(run().arg(runner.join("workflow.json")), "");
    for part in [
        "-build: completed\n--- compile\n--- show\nhello\n",
        "tested with sh\n",
        "tested with bash\n",
        "published\n",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    let fails = shop.dir.path().join("fails.json");
    let jobs = r#"{"name": "my ci", "jobs": {
        "a": {"steps": [{"run": "echo out; echo oops >&2; exit 3"}, {"run": "echo not this"}]},
        "b": {"needs": "a", "steps": [{"run": "echo nor this"}]},
        "c": {"steps": [{"run": "echo but this"}]}}}"#;
    fs::write(&fails, jobs).unwrap();
    let said = output(run().arg(&fails), "");
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    let told = String::from_utf8_lossy(&said.stdout);
    for part in [
        "-a: failed\n--- step 1\nout\noops\n",
        "-b: skipped\n",
        "-c: completed\n--- step 1\nbut this\n",
    ] {
        assert!(told.contains(part), "{part} in\n{told}");
    }
    assert!(!told.contains("not this") && !told.contains("nor this"), "{told}");
    for (wrong, says) in [
        (r#"{"jobs": {"a": {"steps": [{"uses": "actions/checkout@v4"}]}}}"#, "has no `run`"),
        (r#"{"jobs": {"a": {"needs": "z", "steps": []}}}"#, "needs `z`"),
    ] {
        fs::write(&fails, wrong).unwrap();
        let said = output(run().arg(&fails), "");
        assert!(String::from_utf8_lossy(&said.stderr).contains(says), "{said:?}");
    }
}

/// The units as `make install` makes them for a program that is where the test has it.
fn units(into: &Path) -> Vec<PathBuf> {
    let program = env!("CARGO_BIN_EXE_koubou");
    let units = files_in("systemd").into_iter().map(|(path, name)| {
        let unit = fs::read_to_string(path).unwrap().replace("/usr/local/bin/koubou", program);
        fs::write(into.join(&name), unit).unwrap();
        into.join(name)
    });
    units.collect()
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    if !has("systemd-analyze") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let units = units(dir.path());
    let analyze = |verb: &str| {
        let mut analyze = Command::new("systemd-analyze");
        analyze.arg(verb).env("SYSTEMD_UNIT_PATH", format!("{}:", dir.path().display()));
        analyze
    };
    let said = output(analyze("verify").arg("--man=no").args(&units), "");
    let complaints = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && complaints.is_empty(), "{complaints}");

    // It would see what is wrong: a key that is not known is a mere warning to systemd.
    let odd = dir.path().join("odd.service");
    let text = fs::read_to_string(dir.path().join("koubou.service")).unwrap();
    fs::write(&odd, text.replace("WatchdogSec=", "WatchDogSec=")).unwrap();
    let said = output(analyze("verify").arg("--man=no").arg(&odd), "");
    assert!(String::from_utf8_lossy(&said.stderr).contains("WatchDogSec"), "{said:?}");

    for service in units.iter().filter(|unit| unit.extension().is_some_and(|its| its == "service"))
    {
        // 2.0 of 10: what a service that runs programs and talks to servers can do without.
        let mut security = analyze("security");
        security.args(["--offline=true", "--no-pager", "--threshold=20"]).arg(service);
        let said = output(&mut security, "");
        let table = String::from_utf8_lossy(&said.stdout);
        if table.is_empty() && !said.status.success() {
            eprintln!("skipped: this systemd-analyze looks at no units offline");
            return;
        }
        assert!(said.status.success(), "{}: {table}", service.display());
    }
}

#[test]
fn the_report_of_last_month_is_where_its_unit_says() {
    let shop = Shop::new();
    shop.drain();
    let dir = tempfile::tempdir().unwrap();
    units(dir.path());
    let unit = fs::read_to_string(dir.path().join("koubou-report.service")).unwrap();
    let line =
        unit.lines().find_map(|line| line.strip_prefix("ExecStart=/bin/sh -eu -c ")).unwrap();
    let script = line.trim_matches('\'').replace("%%", "%").replace("$$", "$");
    let reports = dir.path().join("reports");
    fs::create_dir(&reports).unwrap();
    shop.run(shop.command("sh").args(["-eu", "-c", &script]).env("STATE_DIRECTORY", &reports), "");
    let month = shop
        .run(shop.command("sh").args(["-c", "date -d \"$(date +%Y-%m-01) -1 day\" +%Y-%m"]), "");
    let page = fs::read_to_string(reports.join(format!("{}.html", month.trim()))).unwrap();
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"), "{page}");
}

#[test]
fn logrotate_rotates_the_log_of_a_daemon_that_runs() {
    if !has("logrotate") {
        return;
    }
    let shop = Shop::new();
    let daemon = shop.daemon();
    let log = shop.home().join("logs/system/koubou.log");
    let rules = fs::read_to_string(examples().join("logrotate/koubou")).unwrap();
    let mine = rules
        .replace("/var/koubou", shop.home().to_str().unwrap())
        .replace("    su koubou koubou\n", "")
        .replace("size 50M", "size 1");
    let path = shop.dir.path().join("logrotate.conf");
    fs::write(&path, mine).unwrap();
    let begun = fs::read_to_string(&log).unwrap();
    let state = shop.dir.path().join("state");
    shop.run(shop.command("logrotate").arg("--state").arg(&state).arg(&path), "");
    assert_eq!(fs::read_to_string(log.with_extension("log.1")).unwrap(), begun);
    drop(daemon);
    let rest = fs::read(&log).unwrap();
    assert!(rest.first().is_some_and(u8::is_ascii_digit), "it goes on at the beginning: {rest:?}");
}

#[test]
fn every_line_of_the_crontab_runs() {
    let shop = Shop::new();
    let text = fs::read_to_string(examples().join("cron/koubou.cron")).unwrap();
    let lines =
        text.lines().filter(|line| line.starts_with(|c: char| c == '*' || c.is_ascii_digit()));
    let commands: Vec<String> = lines
        .map(|line| {
            let words = line.split_whitespace().skip(5).collect::<Vec<_>>();
            // In a crontab a `%` ends the command, unless it is written so.
            words.join(" ").replace("\\%", "%")
        })
        .collect();
    assert_eq!(commands.len(), 4, "{commands:?}");
    for command in &commands {
        assert!(!command.contains('\\'), "{command}");
        shop.run(shop.command("sh").args(["-c", command]), "");
    }
    let dropped = fs::read_dir(shop.home().join("tasks/pending")).unwrap();
    let names: Vec<_> = dropped.map(|entry| entry.unwrap().file_name()).collect();
    assert!(names[0].to_string_lossy().starts_with("morning-20"), "{names:?}");
    // The second time on one day it is refused, as the comment says.
    let again = output(shop.command("sh").args(["-c", &commands[2]]), "");
    assert_eq!(again.status.code(), Some(1), "{again:?}");
}

#[test]
fn the_units_call_commands_that_exist() {
    let shop = Shop::new();
    let services = files_in("systemd").into_iter().filter(|(_, name)| name.ends_with(".service"));
    for (path, name) in services {
        let text = fs::read_to_string(&path).unwrap();
        let call = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        let (_, call) = call.split_once("/usr/local/bin/koubou ").unwrap();
        let command = call.split(' ').find(|word| !word.starts_with("--")).unwrap();
        let said = output(shop.command(env!("CARGO_BIN_EXE_koubou")).args([command, "--help"]), "");
        assert!(said.status.success(), "{name}: {said:?}");
    }
}

#[test]
fn each_script_of_the_original_has_a_command_in_its_place() {
    let shop = Shop::new();
    let page = fs::read_to_string(examples().join("README.md")).unwrap();
    let makefile = fs::read_to_string(examples().join("../Makefile")).unwrap();
    for script in ["daily_maintenance.sh", "monthly_report.sh", "test_system.sh"] {
        let row = page.lines().find(|line| line.contains(script)).unwrap();
        let command = row.split('|').nth(2).unwrap().split('`').nth(1).unwrap();
        match command.split_once(' ').unwrap() {
            ("koubou", command) => {
                shop.run(shop.command(env!("CARGO_BIN_EXE_koubou")).args([command, "--help"]), "");
            }
            ("make", target) => assert!(makefile.contains(&format!("\n{target}: ##")), "{target}"),
            other => panic!("{script}: {other:?}"),
        }
    }
}
