//! Runs a program for a task.
//!
//! The program is given as words and never passes through a shell: what is
//! filled in for a placeholder stays inside its own word. The description comes
//! on standard input as a complete file, so that a daemon that dies leaves the
//! program with all of its task or none. It runs in a process group and a fresh
//! folder of its own, and sees a bare few variables beside those that the config
//! names.
//!
//! All that it prints is the answer, and is told line by line once it has run for a second,
//! unless the config says which parts of its JSON lines are: then each line is read as it
//! comes. A grandchild that outlives it is left alone, unless the attempt ran out of time or
//! was cancelled: then the whole group is ended.
//!
//! It never follows a link out of the folder that it made.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::lines::Heard;
use super::program::{
    self, NotStarted, Program, Ran, USUAL_PATH, WorkDir, bare, complete_file, find,
};
use super::workspace::Room;
use super::{Job, Leash, Terms, Worker, cancelled, diff};
use crate::base::files::At;
use crate::base::words;
use crate::config::CommandSpec;
use crate::task::outcome::{Answer, Outcome};

/// Runs a program.
#[derive(Debug)]
pub struct CommandWorker {
    spec: CommandSpec,
    inherited: Vec<(String, String)>,
    terms: Terms,
}

impl CommandWorker {
    /// A worker for this program. Of `environment`, the daemon's own, the program
    /// sees a bare few variables.
    pub fn new(spec: CommandSpec, environment: &[(String, String)]) -> Self {
        Self { spec, inherited: bare(environment), terms: Terms::FREE }
    }

    /// The same, where a run is paid for.
    pub(super) fn on(self, terms: Terms) -> Self {
        Self { terms, ..self }
    }

    fn program(&self) -> String {
        let name = self.spec.argv.first().map_or("", String::as_str);
        words::excerpt(&words::tame(name), 100)
    }

    fn attempt(&self, job: &Job, leash: &Leash) -> Result<Outcome, NotStarted> {
        let own = WorkDir::make(&job.scratch)?;
        // What is opened here stays open until the program has ended.
        let room = job.workspace.is_some().then(|| Room::of(job)).transpose()?;
        let (entrance, work_dir) = match &room {
            Some(room) => (room.entrance(), room.path()),
            None => (own.path().to_owned(), own.path().to_owned()),
        };
        let mut command = self.command(job, &work_dir)?;
        command.current_dir(&entrance);
        let name = self.program();
        let Some(fields) = &self.spec.lines else {
            let live = job.tell.is_public().then_some(&job.tell);
            let keep = job.max_output;
            let program = Program { name, command, keep, ear: None, live, mark: None };
            let ran = program.run(job.timeout, &job.scratch, leash)?;
            return Ok(judge(job, &ran));
        };
        let mut heard = Heard::new(fields, job);
        let mut ear = |line: &[u8]| heard.hear(line);
        let mark = Some(job.attempt.as_str());
        let program = Program { name, command, keep: 0, ear: Some(&mut ear), live: None, mark };
        let ran = program.run(job.timeout, &job.scratch, leash)?;
        let outcome = heard.judge(&ran, &self.terms);
        Ok(diff::beside(outcome, room.as_ref(), job, &self.inherited))
    }

    fn command(&self, job: &Job, work_dir: &Path) -> Result<Command, NotStarted> {
        let [name, arguments @ ..] = self.spec.argv.as_slice() else {
            return Err(self.not_started("the config names no program: set `command`"));
        };
        let path = self.variable("PATH").unwrap_or(USUAL_PATH);
        let program = find(name, path).map_err(|why| self.not_started(why))?;
        let task_file = std::path::absolute(&job.task_file).at("find", &job.task_file)?;
        let fill = |argument: &String| {
            fill(
                argument,
                &[
                    ("{task_id}", job.task_id.as_str().as_ref()),
                    ("{task_file}", task_file.as_os_str()),
                    ("{work_dir}", work_dir.as_os_str()),
                ],
            )
        };
        let mut command = Command::new(program);
        command
            .arg0(name)
            .args(arguments.iter().map(fill))
            .env_clear()
            .envs(self.inherited.iter().map(|(name, value)| (name, value)))
            .envs(self.spec.env.iter().map(|(name, value)| (name, value.reveal())))
            // Behind the config's own: recovery finds leftovers by the second.
            .env("KOUBOU_TASK_ID", job.task_id.as_str())
            .env(program::MARK, &job.attempt)
            .stdin(complete_file(&job.scratch, &job.prompt.get().standard_input())?);
        Ok(command)
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let of_spec = self.spec.env.iter().map(|(name, value)| (name, value.reveal()));
        let inherited = self.inherited.iter().map(|(name, value)| (name, value.as_str()));
        of_spec.chain(inherited).find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    fn not_started(&self, why: impl Into<String>) -> NotStarted {
        program::not_started(&self.program(), why)
    }
}

/// What a program that ended comes to, whose answer is all that it printed.
fn judge(job: &Job, ran: &Ran) -> Outcome {
    let (content, mut warnings) = ran.content(job.max_output);
    let (stderr, more) = ran.stderr();
    warnings.extend(more);
    let exit_code = ran.exit_code();
    if ran.went_well() {
        let answer =
            Answer { content, exit_code, stderr: Some(stderr), warnings, ..Answer::default() };
        return answer.into();
    }
    let mut failure = ran.failure(&stderr);
    failure.exit_code = exit_code;
    failure.stderr = Some(stderr);
    failure.content = Some(content);
    failure.into()
}

impl Worker for CommandWorker {
    fn run(&mut self, job: &Job, leash: &Leash) -> Outcome {
        if leash.is_pulled() {
            return cancelled(&format!("the program `{}` was started", self.program())).into();
        }
        self.attempt(job, leash).unwrap_or_else(Outcome::from)
    }
}

/// Puts values in place of placeholders, in one pass: a value is never looked into again.
fn fill(argument: &str, values: &[(&str, &OsStr)]) -> OsString {
    let mut filled = OsString::with_capacity(argument.len());
    let mut rest = argument;
    while let Some(at) = rest.find('{') {
        let (before, behind) = rest.split_at(at);
        filled.push(before);
        match values.iter().find(|(placeholder, _)| behind.starts_with(placeholder)) {
            Some((placeholder, value)) => {
                filled.push(value);
                rest = &behind[placeholder.len()..];
            }
            None => {
                filled.push("{");
                rest = &behind[1..];
            }
        }
    }
    filled.push(rest);
    filled
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, Instant};

    use rustix::process::Pid;

    use super::*;
    use crate::base::secret::Secret;
    use crate::task::outcome::{ErrorKind, Failure, Next};
    use crate::worker::program::GRACE;
    use crate::worker::tests::job;

    fn worker(argv: &[&str]) -> CommandWorker {
        let environment = [
            ("PATH".to_owned(), USUAL_PATH.to_owned()),
            ("SHOP_API_TOKEN".to_owned(), "not for children".to_owned()),
        ];
        let argv = argv.iter().map(ToString::to_string).collect();
        CommandWorker::new(CommandSpec { argv, env: Vec::new(), lines: None }, &environment)
    }

    fn sh(script: &str) -> CommandWorker {
        worker(&["sh", "-c", script])
    }

    fn done(outcome: Outcome) -> Answer {
        match outcome {
            Outcome::Done(answer) => *answer,
            Outcome::Failed(failure) => panic!("it failed: {failure:?}"),
        }
    }

    fn failed(outcome: Outcome) -> Failure {
        match outcome {
            Outcome::Failed(failure) => *failure,
            Outcome::Done(answer) => panic!("it went well: {answer:?}"),
        }
    }

    fn run(mut worker: CommandWorker, job: &Job) -> Outcome {
        worker.run(job, &Leash::default())
    }

    #[test]
    fn standard_input_is_a_complete_file_without_a_name() {
        let job = job("six times seven");
        let script = "readlink /proc/self/fd/0 >&2; cat";
        let answer = done(run(sh(script), &job));
        assert_eq!(answer.content, "six times seven");
        assert_eq!(answer.exit_code, Some(0));
        let stdin = answer.stderr.unwrap();
        assert!(stdin.contains("stdin") && stdin.contains("(deleted)"), "{stdin}");
        assert_eq!(fs::read_dir(&job.scratch).unwrap().count(), 0, "nothing is left in scratch");
    }

    #[test]
    fn a_placeholder_stays_in_its_word() {
        let mut job = job("");
        job.task_file = "/a b/{task_id};$(id).json".into();
        let worker =
            worker(&["printf", "[%s]", "x{task_id}{task_file}", "{nothing}{", "--f={task_id}"]);
        let answer = done(run(worker, &job));
        assert_eq!(answer.content, "[xt1/a b/{task_id};$(id).json][{nothing}{][--f=t1]");
    }

    #[test]
    fn it_runs_in_a_fresh_private_folder_that_goes() {
        let job = job("");
        let outside = job.scratch.join("kept");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "kept").unwrap();
        let script = "pwd; stat -c %a .; ls -A; ln -s ../kept link; mkdir -p a/b; touch a/b/c; chmod 0 a/b a";
        let answer = done(run(sh(script), &job));
        let lines: Vec<&str> = answer.content.lines().collect();
        assert!(lines[0].contains("/.koubou-") && lines[0].ends_with("-work"), "{lines:?}");
        assert_eq!(lines[1..], ["700"]);
        assert!(!Path::new(lines[0]).exists());
        assert_eq!(fs::read(outside.join("file")).unwrap(), b"kept");
    }

    #[test]
    fn it_sees_no_variable_that_it_was_not_given() {
        let mut worker = worker(&["env"]);
        worker.spec.env.push(("GREETING".into(), Secret::new("hello")));
        let answer = done(run(worker, &job("")));
        let mut names: Vec<&str> = answer
            .content
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(n, _)| n)
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["GREETING", "KOUBOU_ATTEMPT", "KOUBOU_TASK_ID", "PATH"]);
        assert!(answer.content.contains("KOUBOU_ATTEMPT=attempt-1\n"));
    }

    #[test]
    fn signals_stand_as_a_program_expects_them() {
        let script = "grep -E '^Sig(Blk|Ign)' /proc/self/status";
        let answer = done(run(sh(script), &job("")));
        let bits = |name: &str| {
            let line = answer.content.lines().find(|line| line.starts_with(name)).unwrap();
            u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
        };
        assert_eq!(bits("SigBlk"), 0);
        assert_eq!(bits("SigIgn") & (1 << (libc::SIGPIPE - 1)), 0, "a broken pipe ends it");
    }

    #[test]
    fn an_exit_code_is_told_with_the_last_words() {
        let failure =
            failed(run(sh("echo part; echo a >&2; echo 'no \x1b[1mroom' >&2; exit 3"), &job("")));
        assert_eq!((failure.outcome, failure.kind), ("exit_code", ErrorKind::CommandFailed));
        assert_eq!((failure.exit_code, failure.content.as_deref()), (Some(3), Some("part\n")));
        assert!(failure.message.starts_with("the program `sh` exited with 3: no \\u{1b}[1mroom;"));
        assert_eq!(failure.next, Next::Retry { at_least: None });
    }

    #[test]
    fn a_signal_is_told_by_name() {
        let failure = failed(run(sh("kill -SEGV $$"), &job("")));
        assert_eq!(failure.outcome, "signal");
        assert!(failure.message.contains("was ended by SIGSEGV"), "{}", failure.message);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        for (program, why) in [
            ("koubou-no-such-program", "it is in no folder of PATH"),
            ("/no/such/program", "is not there"),
            ("/etc/passwd", "it is not executable"),
        ] {
            let failure = failed(run(worker(&[program]), &job("")));
            assert_eq!((failure.outcome, failure.next), ("not_started", Next::Never));
            assert_eq!(failure.kind, ErrorKind::CommandFailed);
            assert!(failure.message.contains(why), "{}", failure.message);
        }
    }

    #[test]
    fn our_own_trouble_is_not_the_tasks() {
        let mut job = job("");
        job.scratch = job.scratch.join("gone");
        let failure = failed(run(sh("true"), &job));
        assert_eq!(failure.next, Next::NotAnAttempt);
        assert!(failure.message.contains("cannot create"), "{}", failure.message);
    }

    #[test]
    fn a_flood_is_bounded_and_a_warning_says_so() {
        let mut job = job("");
        job.max_output = 1_000;
        let script = "head -c 3000000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' y >&2; echo end >&2";
        let answer = done(run(sh(script), &job));
        assert_eq!(answer.content.len(), 1_000);
        assert_eq!(answer.warnings.len(), 2, "{:?}", answer.warnings);
        let stderr = answer.stderr.unwrap();
        assert!(stderr.len() < 66_000 && stderr.ends_with("yend\n"), "{}", stderr.len());
    }

    #[test]
    fn a_cut_does_not_go_through_a_character() {
        let mut job = job("工房");
        job.max_output = 4;
        assert_eq!(done(run(sh("cat"), &job)).content, "工");
    }

    #[test]
    fn time_that_runs_out_ends_the_whole_group() {
        let mut job = job("");
        job.timeout = Duration::from_millis(300);
        let begun = Instant::now();
        let failure = failed(run(sh("echo $$; sleep 60 & wait"), &job));
        assert!(begun.elapsed() < Duration::from_secs(4));
        assert_eq!((failure.outcome, failure.kind), ("timeout", ErrorKind::Timeout));
        assert_eq!(failure.next, Next::Retry { at_least: None });
        let group: i32 = failure.content.unwrap().trim().parse().unwrap();
        // Somebody else reaps an orphan: it may be there for another moment, dead.
        let group = Pid::from_raw(group).unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        while rustix::process::test_kill_process_group(group).is_ok() {
            assert!(Instant::now() < deadline, "something of the group still lives");
            std::thread::yield_now();
        }
    }

    #[test]
    fn who_does_not_listen_is_ended_after_the_grace() {
        let mut job = job("");
        job.timeout = Duration::from_millis(100);
        let begun = Instant::now();
        let script = "trap '' TERM; while :; do sleep 0.1; done";
        assert_eq!(failed(run(sh(script), &job)).outcome, "timeout");
        let took = begun.elapsed();
        assert!(took > GRACE && took < GRACE + Duration::from_secs(4), "{took:?}");
    }

    #[test]
    fn a_pulled_leash_ends_it() {
        let (job, leash) = (job(""), Leash::default());
        let puller = std::thread::spawn({
            let leash = leash.clone();
            move || {
                std::thread::sleep(Duration::from_millis(100));
                leash.pull();
            }
        });
        let begun = Instant::now();
        let failure = failed(sh("sleep 60").run(&job, &leash));
        puller.join().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(4));
        assert_eq!((failure.outcome, failure.kind), ("cancelled", ErrorKind::Cancelled));
        assert_eq!(failure.next, Next::Never);
        assert_eq!(failed(sh("true").run(&job, &leash)).outcome, "cancelled");
    }

    #[test]
    fn nobody_waits_for_a_grandchild_that_holds_the_output() {
        let begun = Instant::now();
        let answer = done(run(sh("echo done; sleep 3 & echo $! >&2"), &job("")));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert_eq!(answer.content, "done\n");
        let left: i32 = answer.stderr.unwrap().trim().parse().unwrap();
        let left = Pid::from_raw(left).unwrap();
        assert!(rustix::process::test_kill_process(left).is_ok(), "it is left alone");
    }

    #[test]
    fn closing_its_output_does_not_end_it() {
        let answer = done(run(sh("exec >&- 2>&-; sleep 0.2; true"), &job("")));
        assert_eq!((answer.content.as_str(), answer.exit_code), ("", Some(0)));
    }

    #[test]
    fn a_program_that_reads_nothing_stops_nobody() {
        let answer = done(run(sh("true"), &job(&"x".repeat(1 << 20))));
        assert_eq!(answer.exit_code, Some(0));
    }
}
