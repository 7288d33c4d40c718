//! Whether an answer is good enough: judged by the hand that got it, before anybody sees it.
//!
//! An answer that is not accepted is a failure that keeps what it cost; who is
//! asked next is the foreman's to say. A check that cannot be run says nothing of
//! the answer, and so sends nobody up a ladder of dearer workers.

use std::time::Duration;

use super::Message;
use super::lanes::Shop;
use crate::base::words;
use crate::config::CheckSpec;
use crate::task::accept::unfenced;
use crate::task::outcome::{Answer, CHECK_FAILED, ErrorKind, Failure, Next, Outcome};
use crate::task::prompt::Prompt;
use crate::task::{Accept, Sensitivity, Task, subtasks};
use crate::worker::command::CommandWorker;
use crate::worker::{Job, Leash, Tell, Worker};

/// The most of what a check prints that is kept, in bytes.
const MOST_OUTPUT: u64 = 64 << 10;

/// How long a schema may take to look at an answer.
const LONGEST_LOOK: Duration = Duration::from_secs(10);

/// How long our own trouble is waited out before a check is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// What is demanded of an answer, and what it takes to find out.
pub(super) struct Demand {
    pub accept: Accept,
    pub sensitivity: Sensitivity,
    /// The task, where its answer may ask for others.
    pub parent: Option<Box<Task>>,
}

/// Why an answer is not good enough, or cannot be known to be.
enum Verdict {
    NotAccepted(String),
    NotChecked(String),
    /// Somebody ended the attempt: that is what is told.
    Ended(Box<Failure>),
}

impl Demand {
    /// The outcome as it was, or the failure that it is if its answer is not good enough.
    pub(super) fn judge(&self, outcome: Outcome, shop: &Shop, job: &Job, leash: &Leash) -> Outcome {
        let Outcome::Done(mut answer) = outcome else { return outcome };
        if self.accept.wants_json()
            && let Some(bare) = unfenced(&answer.content)
        {
            // Whoever asks for JSON pipes it on: the fence is no part of it.
            answer.content = bare.to_owned();
        }
        let verdict = self.look(&answer.content, leash);
        match verdict.and_then(|()| self.check(&answer, shop, job, leash)) {
            Ok(()) => self.with_subtasks(answer),
            Err(verdict) => verdict.of(*answer).into(),
        }
    }

    /// The answer with the tasks that it asks for, or the failure that it is if they are not good.
    fn with_subtasks(&self, mut answer: Box<Answer>) -> Outcome {
        let Some(parent) = &self.parent else { return Outcome::Done(answer) };
        match subtasks::read(&answer.content, parent, self.sensitivity) {
            Ok(documents) => {
                // People read what it tells; what it asks for stands in the subtasks themselves.
                if let Some(told) = subtasks::told(&answer.content) {
                    answer.content = told;
                }
                answer.subtasks = documents;
                Outcome::Done(answer)
            }
            Err(why) => Verdict::NotAccepted(why).of(*answer).into(),
        }
    }

    /// Looks at the answer by the schema and the expression, on a thread of its own: what takes
    /// too long is left behind, so that neither this hand nor a stop has to wait for it.
    fn look(&self, answer: &str, leash: &Leash) -> Result<(), Verdict> {
        if !self.accept.wants_json() {
            return self.accept.judge(answer).map_err(Verdict::NotAccepted);
        }
        let (tell, told) = crossbeam_channel::bounded(2);
        let pulled = tell.clone();
        leash.on_pull(move || {
            let _ = pulled.try_send(None);
        });
        let (accept, answer) = (self.accept.clone(), answer.to_owned());
        let look = move || {
            let _ = tell.try_send(Some(accept.judge(&answer)));
        };
        if std::thread::Builder::new().name("accept".into()).spawn(look).is_err() {
            return Err(Verdict::NotChecked(
                "no thread could be begun to look at the answer".into(),
            ));
        }
        match told.recv_timeout(LONGEST_LOOK) {
            Ok(Some(verdict)) => verdict.map_err(Verdict::NotAccepted),
            Ok(None) => Err(Verdict::Ended(Box::new(Failure::new(
                "cancelled",
                ErrorKind::Cancelled,
                "the attempt was ended before its answer was looked at",
            )))),
            Err(_) => Err(Verdict::NotChecked(format!(
                "the schema took longer than {} to look at the answer: make it simpler",
                words::span(LONGEST_LOOK)
            ))),
        }
    }

    fn check(&self, answer: &Answer, shop: &Shop, job: &Job, leash: &Leash) -> Result<(), Verdict> {
        let Some(name) = &self.accept.check else { return Ok(()) };
        let check = shop.config.check(name).ok_or_else(|| {
            Verdict::NotChecked(format!("there is no check `{name}` among `checks`"))
        })?;
        if self.sensitivity == Sensitivity::Confidential && !check.local {
            return Err(Verdict::NotChecked(format!(
                "the task is confidential and the check `{name}` is not local: state `local: true` in `checks`, if it keeps what it reads to itself"
            )));
        }
        run(check, answer, shop, job, leash)
    }
}

/// Gives the answer to the program on standard input.
fn run(
    check: &CheckSpec,
    answer: &Answer,
    shop: &Shop,
    job: &Job,
    leash: &Leash,
) -> Result<(), Verdict> {
    let prompt = Prompt { text: answer.content.clone(), ..Prompt::default() };
    // It was found fit for this check; what it prints goes nowhere.
    let cleared = shop.config.router.clear(prompt, Sensitivity::Public, true);
    let prompt =
        cleared.map_err(|_| Verdict::NotChecked("the answer may not be checked".into()))?;
    let job = Job {
        task_id: job.task_id.clone(),
        attempt: job.attempt.clone(),
        prompt,
        timeout: check.timeout,
        max_tokens: job.max_tokens,
        params: Default::default(),
        scratch: job.scratch.clone(),
        task_file: job.task_file.clone(),
        max_output: MOST_OUTPUT,
        cache: false,
        home: job.home.clone(),
        workspace: None,
        tell: Tell::default(),
    };
    let mut program = CommandWorker::new(check.command.clone(), &shop.inherited);
    loop {
        let failure = match program.run(&job, leash) {
            Outcome::Done(_) => return Ok(()),
            Outcome::Failed(failure) => *failure,
        };
        if failure.next != Next::NotAnAttempt || leash.is_pulled() {
            return Err(read(&check.name, failure));
        }
        // Our own trouble, a full disk say, judges no answer: what was bought is kept until it ends.
        let _ = shop.to_engine.send(Message::OwnTrouble(failure.message));
        wait(leash);
    }
}

/// Waits a while, or until the leash is pulled.
fn wait(leash: &Leash) {
    let (tell, told) = crossbeam_channel::bounded(1);
    leash.on_pull(move || {
        let _ = tell.try_send(());
    });
    let _ = told.recv_timeout(PAUSE);
}

/// What the program's failure says of the answer.
fn read(name: &str, failure: Failure) -> Verdict {
    match failure.outcome {
        _ if failure.kind == ErrorKind::Cancelled => Verdict::Ended(Box::new(failure)),
        "not_started" => {
            Verdict::NotChecked(format!("the check `{name}` could not be run: {}", failure.message))
        }
        _ => Verdict::NotAccepted(format!("the check `{name}` says no: {}", failure.message)),
    }
}

impl Verdict {
    /// The failure of an attempt that got this answer. Its cost stays what it is.
    fn of(self, answer: Answer) -> Failure {
        let failure = match self {
            Self::NotAccepted(why) => Failure::new("not_accepted", ErrorKind::NotAccepted, why),
            Self::NotChecked(why) => Failure::new(CHECK_FAILED, ErrorKind::CommandFailed, why),
            Self::Ended(failure) => *failure,
        };
        Failure {
            // What was bought is bought: nobody makes the same attempt for nothing.
            next: Next::Never,
            spent: answer.spent,
            usage: answer.usage,
            exit_code: answer.exit_code,
            stderr: answer.stderr,
            content: Some(answer.content),
            ..failure
        }
    }
}
