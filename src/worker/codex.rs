//! Runs the Codex CLI on a task.
//!
//! Codex gets its settings from a folder of koubou's own making, fresh for each attempt:
//! nothing of the user's own Codex is read or written, and no task sees what another left.
//! The request comes on standard input as a complete file; Codex waits for the end of a pipe.
//! What it does is read from its events as they come.
//!
//! An attempt went well only if Codex exits with 0 **and** says that its turn is completed.
//! What it used is said with that and at no other time: whoever is ended before has spent
//! nobody knows what. Only where its server refused the last request, and so charged nothing for
//! it, is what it wrote down of the others all that was used. Nothing that it started outlives it; its commands run in groups of
//! their own.
//!
//! It may read every file but those of koubou's home, and writes where the sandbox lets it.

mod events;
mod install;
mod record;
mod settings;

use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ureq::http::Uri;

use super::program::{self, End, NotStarted, Program, Ran, USUAL_PATH, WorkDir, bare};
use super::workspace::{self, Room};
use super::{Job, Leash, Terms, Worker, cancelled, diff, within};
use crate::base::files;
use crate::base::words;
use crate::config::{CodexSpec, WorkerSpec};
use crate::task::WorkerType;
use crate::task::outcome::{Answer, ErrorKind, Failure, Next, Outcome, Spent, Trouble};
use events::{Events, Meaning};
pub use install::version;
use record::Recorded;

/// The variable in which Codex finds its key; its commands do not see it.
const KEY: &str = "KOUBOU_CODEX_KEY";
/// The file, in a folder of Codex's own, that it writes its last message to.
const LAST: &str = "last-message";
/// The most characters of a request that Codex takes.
const MOST_CHARACTERS: usize = 1 << 20;
/// How long a server in the house may take to be reached.
const KNOCK: Duration = Duration::from_secs(5);

/// Runs the Codex CLI.
#[derive(Debug)]
pub struct CodexWorker {
    worker_type: WorkerType,
    codex: CodexSpec,
    local: bool,
    terms: Terms,
    inherited: Vec<(String, String)>,
}

impl CodexWorker {
    /// A worker with these settings. Of `environment`, the daemon's own, Codex sees a bare few variables.
    pub fn new(spec: &WorkerSpec, codex: CodexSpec, environment: &[(String, String)]) -> Self {
        Self {
            worker_type: spec.worker_type.clone(),
            codex,
            local: spec.local,
            terms: Terms::of(spec),
            inherited: bare(environment),
        }
    }

    fn attempt(&self, job: &Job, leash: &Leash) -> Result<Outcome, NotStarted> {
        let own = WorkDir::make(&job.scratch)?;
        let room = Room::of(job)?;
        let last = own.path().join(LAST);
        // Codex leaves the file of an earlier run as it is when it fails.
        files::remove(&last)?;
        let (settings, price) = settings::settings(self, job, &room);
        let file = own.path().join("config.toml");
        files::write_new(&file, settings.as_bytes(), 0o600)?;
        let mut events = Events::new(job);
        let mut ear = |line: &[u8]| events.hear(line);
        let program = Program {
            name: self.program(),
            command: self.command(job, own.path(), &room, &last)?,
            keep: 0,
            ear: Some(&mut ear),
            live: None,
            mark: Some(&job.attempt),
        };
        let ran = program.run(job.timeout, &job.scratch, leash)?;
        let terms = Terms { price, ..self.terms };
        let outcome = self.judge(job, &ran, events, own.path(), terms);
        let outcome = diff::beside(outcome, Some(&room), job, &self.inherited);
        Ok(self.leave(room, outcome))
    }

    fn program(&self) -> String {
        words::excerpt(&words::tame(&self.codex.program), 100)
    }

    fn command(
        &self,
        job: &Job,
        own: &Path,
        room: &Room,
        last: &Path,
    ) -> Result<Command, NotStarted> {
        let path = self.variable("PATH").unwrap_or(USUAL_PATH);
        let found = program::find(&self.codex.program, path)
            .map_err(|why| program::not_started(&self.program(), why))?;
        let request = job.prompt.get().standard_input();
        let stdin = program::complete_file(&job.scratch, &request)?;
        let mut command = Command::new(install::native(&found).unwrap_or(found));
        command
            .arg0(&self.codex.program)
            .args(["exec", "--json", "--skip-git-repo-check", "--color", "never"])
            .arg("-o")
            .arg(last)
            .arg("-")
            .current_dir(room.entrance())
            .env_clear()
            .envs(self.inherited.iter().map(|(name, value)| (name, value)))
            // Skills and settings of agents lie below HOME, too: the user's are not ours.
            .env("HOME", own)
            .envs(self.codex.env.iter().map(|(name, value)| (name, value.reveal())))
            .env("CODEX_HOME", own)
            .env("KOUBOU_TASK_ID", job.task_id.as_str())
            .env(program::MARK, &job.attempt)
            .stdin(stdin);
        if let Some(key) = &self.codex.key {
            command.env(KEY, key.reveal());
        }
        Ok(command)
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let of_spec = self.codex.env.iter().map(|(name, value)| (name, value.reveal()));
        let inherited = self.inherited.iter().map(|(name, value)| (name, value.as_str()));
        of_spec.chain(inherited).find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    fn judge(
        &self,
        job: &Job,
        ran: &Ran,
        mut events: Events<'_>,
        own: &Path,
        terms: Terms,
    ) -> Outcome {
        let (stderr, _) = ran.stderr();
        let said = events.last_words(&own.join(LAST), job.max_output);
        let mut warnings = Vec::new();
        if !ran.went_well() || !events.is_completed() {
            let recorded = record::of(own);
            events.has_worked |= recorded.is_some_and(|recorded| recorded.used.is_some());
            let mut failure = self.failure(ran, &events, &stderr);
            failure.usage = events.usage.or(recorded.and_then(|recorded| recorded.used));
            failure.spent = spent_on_failure(ran, &events, recorded, terms);
            failure.exit_code = ran.exit_code();
            failure.stderr = Some(stderr);
            failure.content = said.map(|text| within(text, job.max_output, &mut warnings));
            return failure.into();
        }
        let usage = events.usage;
        let spent = terms.spent(None, usage.as_ref());
        warnings.extend(terms.warning(spent));
        let content = match said {
            Some(text) => within(text, job.max_output, &mut warnings),
            None => {
                warnings.push("Codex ended without a last message".into());
                String::new()
            }
        };
        let (model, exit_code) = (Some(self.codex.model.clone()), ran.exit_code());
        let answer = Answer { content, model, usage, spent, exit_code, ..Answer::default() };
        Answer { stderr: Some(stderr), warnings, ..answer }.into()
    }

    fn failure(&self, ran: &Ran, events: &Events<'_>, stderr: &str) -> Failure {
        if ran.end == End::HeardEnough {
            return self.unreachable("it waits for the network");
        }
        let said = events.failure.as_deref().filter(|_| ran.end == End::Exited);
        let Some(said) = said else {
            return if ran.went_well() { self.not_completed() } else { ran.failure(stderr) };
        };
        self.meant(said, events).unwrap_or_else(|| self.turn_failed(said))
    }

    fn not_completed(&self) -> Failure {
        let message = format!(
            "`{}` exited with 0 and never said that its turn was completed: retry the task",
            self.worker_type
        );
        Failure::new("turn_failed", ErrorKind::CommandFailed, message).retried(None)
    }

    fn turn_failed(&self, said: &str) -> Failure {
        let message = format!("the turn of `{}` failed: {}", self.worker_type, excerpt(said));
        Failure::new("turn_failed", ErrorKind::CommandFailed, message).retried(None)
    }

    /// What its words come to, where they are known.
    fn meant(&self, said: &str, events: &Events<'_>) -> Option<Failure> {
        let worker = &self.worker_type;
        let said = excerpt(said);
        let failed =
            |outcome, message| Failure::new(outcome, ErrorKind::AttemptsExhausted, message);
        let waits = |outcome, message, trouble| {
            let failure = failed(outcome, message).of_worker(trouble);
            // What it has done by then must not be done twice without a person's word.
            match events.has_worked {
                true => failure,
                false => Failure { next: Next::NotAnAttempt, ..failure },
            }
        };
        Some(match events::meaning(&said)? {
            Meaning::BadKey => waits(
                "bad_key",
                format!(
                    "`{worker}` does not accept its key; set the one that its `api_key_env` names in config/.env, then `koubou resume {worker}`"
                ),
                Trouble::BadKey,
            ),
            Meaning::Billing => waits(
                "billing",
                format!(
                    "the account of `{worker}` is out of credit or over a limit of its own ({said}); mend that with the provider, then `koubou resume {worker}`"
                ),
                Trouble::Billing,
            ),
            Meaning::RateLimited => {
                // A pause is no attempt of a task, but what has done a part of its work has tried.
                let outcome = if events.has_worked { "turn_failed" } else { "rate_limited" };
                failed(outcome, format!("`{worker}` asks for a pause: {said}"))
                    .retried(None)
                    .of_worker(Trouble::RateLimited(None))
            }
            Meaning::Overloaded => {
                failed("server_error", format!("the server of `{worker}` failed: {said}"))
                    .retried(None)
                    .of_worker(Trouble::Overloaded)
            }
            Meaning::ConnectionLost => {
                failed("connection_lost", format!("the connection of `{worker}` broke: {said}"))
                    .retried(None)
                    .of_worker(Trouble::Failing)
            }
            Meaning::TooLong => {
                let message = format!(
                    "the work did not fit into what the model of `{worker}` can keep in mind ({said}): give it less, or set `context_window` in its `params`"
                );
                Failure::new("too_long", ErrorKind::RefusedByWorker, message)
            }
            Meaning::NoModel => {
                let model = words::tame(&self.codex.model);
                let message = format!(
                    "the server of `{worker}` has no model `{model}` ({said}): mend `model` in config/agent.yaml"
                );
                Failure::new("refused", ErrorKind::RefusedByWorker, message)
            }
        })
    }

    fn unreachable(&self, why: &str) -> Failure {
        let message = format!(
            "nobody answers at {} ({why}): start the server, or mend `endpoint` of worker `{}` in config/agent.yaml",
            words::tame(&self.codex.endpoint),
            self.worker_type
        );
        let failure = Failure::new("unreachable", ErrorKind::AttemptsExhausted, message);
        Failure { next: Next::NotAnAttempt, ..failure.of_worker(Trouble::Unreachable) }
    }

    /// Leaves the room; of a fresh one that stays its place is told.
    fn leave(&self, room: Room, mut outcome: Outcome) -> Outcome {
        let stays = self.codex.keep_workspace || matches!(outcome, Outcome::Failed(_));
        let Some(place) = room.leave(stays) else { return outcome };
        let told = format!("what it made lies in `{}`", workspace::shown(&place));
        match &mut outcome {
            Outcome::Done(answer) => answer.warnings.push(told),
            Outcome::Failed(failure) => failure.message.push_str(&format!("; {told}")),
        }
        outcome
    }

    /// Whether its server answers. Codex itself would wait for it for as long as it may run.
    fn knock(&self) -> Result<(), String> {
        let uri: Uri = self.codex.endpoint.parse().map_err(|_| "it is no address".to_owned())?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(usual);
        let addresses = (host, port).to_socket_addrs().map_err(|error| error.to_string())?;
        let mut why = "it has no address".to_owned();
        for address in addresses {
            match TcpStream::connect_timeout(&address, KNOCK) {
                Ok(_) => return Ok(()),
                Err(error) => why = error.to_string(),
            }
        }
        Err(why)
    }
}

impl Worker for CodexWorker {
    fn run(&mut self, job: &Job, leash: &Leash) -> Outcome {
        if leash.is_pulled() {
            return cancelled(&format!("`{}` was started", self.worker_type)).into();
        }
        let characters = job.prompt.get().standard_input().chars().count();
        if characters > MOST_CHARACTERS {
            let message = format!(
                "the request has {characters} characters and Codex takes {MOST_CHARACTERS}: put a part of it into files of a `workspace`"
            );
            return Failure::new("too_long", ErrorKind::RefusedByWorker, message).into();
        }
        if self.local
            && let Err(why) = self.knock()
        {
            return self.unreachable(&why).into();
        }
        self.attempt(job, leash).unwrap_or_else(Outcome::from)
    }

    fn probe(&mut self) -> Result<(), String> {
        self.knock().map_err(|why| {
            let endpoint = words::tame(&self.codex.endpoint);
            format!("nobody answers at {endpoint} ({why}): start the server")
        })
    }
}

/// What an attempt cost that did not end well.
fn spent_on_failure(
    ran: &Ran,
    events: &Events<'_>,
    recorded: Option<Recorded>,
    terms: Terms,
) -> Spent {
    if let Some(usage) = &events.usage {
        return terms.spent(None, Some(usage));
    }
    // Before its turn begins, and where nobody answers, nothing is sent.
    if !events.has_begun || ran.end == End::HeardEnough {
        return Spent::Nothing;
    }
    let said = events.failure.as_deref().filter(|_| ran.end == End::Exited);
    let meant = said.and_then(events::meaning);
    // A key that is not accepted is not accepted the first time.
    if meant == Some(Meaning::BadKey) && !events.has_worked {
        return Spent::Nothing;
    }
    let was_refused = meant.is_some_and(Meaning::is_refusal);
    let used = recorded.and_then(|recorded| recorded.used);
    match (terms.spent(None, used.as_ref()), used) {
        (known, Some(_)) if was_refused => known,
        (_, None) if was_refused && recorded.is_some() => Spent::Nothing,
        // What is known is less than what was spent; it may be more than was set apart.
        (Spent::Known(cost), _) if terms.max_cost.is_some_and(|most| cost > most) => {
            Spent::Known(cost)
        }
        _ => terms.spent(None, None),
    }
}

/// The file that would be run for `codex`, or why there is none.
///
/// # Errors
/// One sentence for people.
pub fn program_of(codex: &CodexSpec, environment: &[(String, String)]) -> Result<PathBuf, String> {
    let found = program::program(std::slice::from_ref(&codex.program), environment)?;
    Ok(install::native(&found).unwrap_or(found))
}

/// A text in one line, fit to be shown.
fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words::excerpt(&words::tame(&line), 300)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use crate::base::secret::Secret;
    use crate::config::Sandbox;
    use crate::route::price::Price;
    use crate::task::Usd;
    use crate::worker::tests::TestJob;
    use crate::worker::{Workspace, tell};

    const USED: &str = r#"{"type":"turn.completed","usage":{"input_tokens":1000,"cached_input_tokens":400,"cache_write_input_tokens":100,"output_tokens":50,"reasoning_output_tokens":20}}"#;
    const BEGUN: &str = r#"{"type":"thread.started","thread_id":"t"}
{"type":"turn.started"}"#;

    pub(in crate::worker) fn spec(program: &str, endpoint: &str) -> CodexSpec {
        CodexSpec {
            program: program.into(),
            endpoint: endpoint.into(),
            model: "stand-in".into(),
            effort: None,
            key: None,
            sandbox: Sandbox::default(),
            approval: "never",
            env: Vec::new(),
            keep_workspace: false,
        }
    }

    /// A job with a mark that no other has: who carries it is ended.
    fn job(description: &str) -> TestJob {
        let mut job = crate::worker::tests::job(description);
        fs::create_dir(job.home.join("work")).unwrap();
        job.attempt = files::half_made(Path::new("attempt")).trim_start_matches('.').to_owned();
        job
    }

    pub(super) fn worker(program: &str, endpoint: &str) -> CodexWorker {
        CodexWorker {
            worker_type: WorkerType::new("codex"),
            codex: spec(program, endpoint),
            local: false,
            terms: Terms::FREE,
            inherited: vec![("PATH".into(), USUAL_PATH.into())],
        }
    }

    /// A Codex that does what a shell script says, with `say` for the lines that it prints and
    /// `$last` for the file that it is to write.
    fn fake(job: &TestJob, script: &str) -> CodexWorker {
        let path = job.scratch.join("codex");
        let head = "#!/bin/sh\nlast=; while [ $# -gt 0 ]; do [ \"$1\" = -o ] && last=$2; shift; done\nsay() { printf '%s\\n' \"$1\"; }\n";
        fs::write(&path, format!("{head}{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        worker(path.to_str().unwrap(), "http://127.0.0.1:9/v1")
    }

    fn paid(mut worker: CodexWorker) -> CodexWorker {
        let price = Price {
            input: Usd::dollars(1),
            cached_input: Usd::dollars(0),
            cache_write: Usd::dollars(2),
            output: Usd::dollars(10),
            ..Price::FREE
        };
        worker.terms = Terms { price, max_cost: Some(Usd::dollars(1)) };
        worker
    }

    fn done(mut worker: CodexWorker, job: &Job) -> Answer {
        match worker.run(job, &Leash::default()) {
            Outcome::Done(answer) => *answer,
            Outcome::Failed(failure) => panic!("it failed: {failure:?}"),
        }
    }

    fn failed(mut worker: CodexWorker, job: &Job) -> Failure {
        match worker.run(job, &Leash::default()) {
            Outcome::Failed(failure) => *failure,
            Outcome::Done(answer) => panic!("it went well: {answer:?}"),
        }
    }

    fn says(text: &str) -> String {
        format!(r#"{{"type":"item.completed","item":{{"type":"agent_message","text":"{text}"}}}}"#)
    }

    #[test]
    fn an_answer_comes_with_what_it_used_and_cost() {
        let mut job = job("six times seven");
        let (tell, heard) = tell::tests::listening(true);
        job.tell = tell;
        let script = format!("say '{BEGUN}'\nsay '{}'\nsay '{USED}'", says("forty-two"));
        let answer = done(paid(fake(&job, &script)), &job);
        assert_eq!(answer.content, "forty-two");
        let usage = answer.usage.unwrap();
        assert_eq!((usage.prompt_tokens, usage.total_tokens), (1_000, 1_050));
        // 500 fresh, 400 from the cache, 100 written to it, 50 answered.
        assert_eq!(answer.spent, Spent::Known("0.0012".parse().unwrap()));
        assert!(answer.warnings.is_empty(), "{:?}", answer.warnings);
        assert_eq!(*heard.lock().unwrap(), ["says forty-two"]);
        assert!(!job.home.join("work/t1").exists(), "the folder of the attempt has gone");
    }

    #[test]
    fn it_is_given_its_request_whole_and_settings_of_its_own() {
        let job = job(&"A long line, and 日本語.\n".repeat(20_000));
        let script = format!(
            "cat > \"$CODEX_HOME/../request\"; cp \"$CODEX_HOME/config.toml\" \"$CODEX_HOME/../settings\"\nenv > \"$CODEX_HOME/../env\"; pwd > \"$CODEX_HOME/../pwd\"; say '{BEGUN}'; say '{USED}'; echo written > \"$last\""
        );
        let mut worker = fake(&job, &script);
        worker.codex.key = Some(Secret::new("open sesame"));
        worker.inherited.push(("HOME".into(), "/home/somebody".into()));
        let answer = done(worker, &job);
        assert_eq!(answer.content, "written\n", "the file stands in for a message that never came");
        let read = |name: &str| fs::read_to_string(job.scratch.join(name)).unwrap();
        assert_eq!(read("request"), job.prompt.get().standard_input());
        assert!(read("settings").contains("wire_api = \"responses\""));
        assert!(!read("settings").contains("sesame"));
        let env = read("env");
        assert!(env.contains("KOUBOU_CODEX_KEY=open sesame") && !env.contains("/home/somebody"));
        assert!(env.contains(&format!("KOUBOU_ATTEMPT={}\n", job.attempt)), "{env}");
        assert!(read("pwd").trim().ends_with(&format!("work/t1/{}", job.attempt)));
    }

    #[test]
    fn a_file_of_an_earlier_run_is_no_answer() {
        let job = job("x");
        let script = format!("[ -e \"$last\" ] && exit 9\nsay '{BEGUN}'; say '{USED}'");
        let answer = done(fake(&job, &script), &job);
        assert_eq!(answer.content, "");
        assert!(answer.warnings[0].contains("without a last message"));
    }

    #[test]
    fn an_exit_code_of_0_alone_is_no_success() {
        let job = job("x");
        let ends = r#"{"type":"turn.failed","error":{"message":"it went wrong"}}"#;
        for (script, outcome, said) in [
            (format!("say '{BEGUN}'; say '{ends}'"), "turn_failed", "it went wrong"),
            (format!("say '{BEGUN}'; say '{}'", says("half")), "turn_failed", "never said"),
            (format!("say '{BEGUN}'; say '{USED}'; exit 3"), "exit_code", "exited with 3"),
            (format!("say '{BEGUN}'; say '{USED}'; say '{ends}'"), "turn_failed", "went wrong"),
        ] {
            let failure = failed(fake(&job, &script), &job);
            assert_eq!(failure.outcome, outcome, "{script}");
            assert!(failure.message.contains(said), "{}", failure.message);
        }
    }

    #[test]
    fn what_a_lost_run_cost_nobody_knows() {
        let mut job = job("x");
        let spent = |script: &str, job: &TestJob| failed(paid(fake(job, script)), job).spent;
        assert_eq!(
            spent("echo bad settings >&2; exit 1", &job),
            Spent::Nothing,
            "nothing was sent"
        );
        assert_eq!(spent(&format!("say '{BEGUN}'; exit 1"), &job), Spent::Unknown);
        let known = spent(&format!("say '{BEGUN}'; say '{USED}'; exit 1"), &job);
        assert!(matches!(known, Spent::Known(_)), "{known:?}");
        job.timeout = Duration::from_millis(300);
        assert_eq!(spent(&format!("say '{BEGUN}'; sleep 60"), &job), Spent::Unknown);
    }

    #[test]
    fn a_key_that_is_not_accepted_stops_the_worker_and_costs_nothing() {
        let job = job("x");
        let said = r#"{"type":"turn.failed","error":{"message":"unexpected status 401 Unauthorized: Incorrect API key provided: abc"}}"#;
        let failure =
            failed(paid(fake(&job, &format!("say '{BEGUN}'; say '{said}'; exit 1"))), &job);
        assert_eq!((failure.outcome, failure.trouble), ("bad_key", Some(Trouble::BadKey)));
        assert_eq!((failure.spent, failure.next), (Spent::Nothing, Next::NotAnAttempt));
        assert!(!failure.message.contains("abc"), "{}", failure.message);
    }

    #[test]
    fn nothing_that_it_started_outlives_it() {
        let job = job("x");
        let script = format!(
            "setsid sleep 600 & echo $! > \"$CODEX_HOME/../pid\"; say '{BEGUN}'; say '{USED}'"
        );
        done(fake(&job, &script), &job);
        let pid = fs::read_to_string(job.scratch.join("pid")).unwrap();
        assert!(crate::base::process::is_over(pid.trim().parse().unwrap()));
    }

    #[test]
    fn a_folder_stays_where_it_holds_something_and_the_work_failed_or_it_is_kept() {
        let job = job("x");
        let place = job.home.join("work/t1").join(&job.attempt);
        let failure = failed(fake(&job, "touch made; exit 3"), &job);
        assert!(place.join("made").exists() && failure.message.contains(&job.attempt));
        fs::remove_dir_all(&place).unwrap();
        failed(fake(&job, "exit 3"), &job);
        assert!(!place.exists());
        let mut worker = fake(&job, &format!("touch made; say '{BEGUN}'; say '{USED}'"));
        worker.codex.keep_workspace = true;
        let answer = done(worker, &job);
        assert!(place.join("made").exists());
        assert!(answer.warnings.iter().any(|w| w.contains(&job.attempt)), "{:?}", answer.warnings);
    }

    #[test]
    fn it_works_in_the_folder_that_was_opened_whatever_its_name_means_by_then() {
        let mut job = job("x");
        let (named, moved) = (job.scratch.join("named"), job.scratch.join("moved"));
        fs::create_dir(&named).unwrap();
        job.workspace = Some(Workspace::of(named.clone(), fs::File::open(&named).unwrap()));
        files::rename_new(&named, &moved).unwrap();
        std::os::unix::fs::symlink("/", &named).unwrap();
        done(fake(&job, &format!("touch made; say '{BEGUN}'; say '{USED}'")), &job);
        assert!(moved.join("made").exists());
    }

    #[test]
    fn a_server_in_the_house_that_is_not_there_is_waited_for() {
        let job = job("x");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/v1", listener.local_addr().unwrap());
        let mut worker = fake(&job, "exit 9");
        (worker.codex.endpoint, worker.local) = (endpoint, true);
        assert_eq!(worker.probe(), Ok(()));
        drop(listener);
        assert!(worker.probe().unwrap_err().contains("refused"));
        let failure = failed(worker, &job);
        assert_eq!((failure.outcome, failure.next), ("unreachable", Next::NotAnAttempt));
    }

    #[test]
    fn a_request_that_codex_does_not_take_is_not_sent() {
        let job = job(&"x".repeat(MOST_CHARACTERS + 1));
        let failure = failed(fake(&job, "exit 9"), &job);
        assert_eq!((failure.outcome, failure.kind), ("too_long", ErrorKind::RefusedByWorker));
    }
}
