//! One call to one worker outside of the loop: whether it answers is found out by asking.
//!
//! It holds the home's lock meanwhile, so that no daemon promises the same money
//! beside it; where a daemon works the home, that one is asked by a task like any
//! other. The call is journaled as every call is: what it may cost before it is sent,
//! what it did cost afterwards. Cut short in between, it counts as spent from the next
//! start on.
//!
//! It takes no task from any folder and tells no mirror: the next start follows the
//! journal.

use std::time::Duration;

use super::EngineError;
use crate::base::clock::{self, Timestamp};
use crate::config::{Config, WorkerSpec};
use crate::route::budget::{Ledger, Refusal, Reservation};
use crate::spool::Home;
use crate::spool::journal::Journal;
use crate::spool::lock::Lock;
use crate::task::journal::{COMPLETED, Line, LineKind};
use crate::task::outcome::Outcome;
use crate::task::prompt::Prompt;
use crate::task::{Purpose, Sensitivity, TaskId, Usd};
use crate::worker::{self, Job, Leash, Tell};

/// The tokens that a server adds around what is asked.
const FRAME_TOKENS: u64 = 1_000;

/// The right to make calls for a home that nobody works.
#[derive(Debug)]
pub struct Trials<'a> {
    home: &'a Home,
    config: &'a Config,
    journal: Journal,
    inherited: Vec<(String, String)>,
    _lock: Lock,
}

/// What is asked of a worker.
#[derive(Clone, Debug)]
pub struct Question {
    /// The name that the call has in the journal.
    pub id: TaskId,
    /// What sort of work it counts as.
    pub task_type: String,
    /// What is asked.
    pub text: String,
    /// The most tokens of the answer.
    pub max_tokens: u32,
    /// How long it may take.
    pub timeout: Duration,
}

/// What came of it.
#[derive(Debug)]
pub enum Heard {
    /// The call was made, and cost this.
    Outcome(Box<Outcome>, Usd),
    /// There is no money for it.
    NoMoney(Refusal),
    /// It may not leave the house.
    Confidential,
}

impl<'a> Trials<'a> {
    /// Takes the home.
    ///
    /// # Errors
    /// Where somebody works it, or the file system refuses.
    pub fn open(
        home: &'a Home,
        config: &'a Config,
        inherited: Vec<(String, String)>,
    ) -> Result<Self, EngineError> {
        let lock = Lock::take_for_a_command(home)?;
        let journal = Journal::open(home.journal())?;
        Ok(Self { home, config, journal, inherited, _lock: lock })
    }

    /// Asks a worker once; `ledger` is what the journal says by now.
    ///
    /// # Errors
    /// Where the journal cannot be written: then nothing was sent, or it counts in full.
    pub fn ask(
        &self,
        spec: &WorkerSpec,
        question: &Question,
        ledger: &mut Ledger,
    ) -> Result<Heard, EngineError> {
        let Some(job) = self.job(spec, question) else { return Ok(Heard::Confidential) };
        let worst = worst(spec, &job);
        let purpose = Purpose {
            worker_type: Some(spec.worker_type.clone()),
            task_type: Some(question.task_type.clone()),
        };
        let promise = match ledger.reserve(worst, purpose, clock::wall()) {
            Ok(promise) => promise,
            Err(refusal) => return Ok(Heard::NoMoney(refusal)),
        };
        let began = self.begin(spec, question, &job, &promise)?;
        let outcome = worker::make(spec, &self.inherited).run(&job, &Leash::default());
        let cost = outcome.spent().of_reserved(promise.amount());
        ledger.settle(promise, cost);
        self.end(spec, question, &job, began, &outcome, cost)?;
        Ok(Heard::Outcome(Box::new(outcome), cost))
    }

    fn job(&self, spec: &WorkerSpec, question: &Question) -> Option<Job> {
        let text = question.text.clone();
        let prompt = Prompt { text, system: spec.system.clone(), ..Prompt::default() };
        let router = &self.config.router;
        let scratch = self.home.tmp();
        Some(Job {
            task_id: question.id.clone(),
            attempt: format!("{}-{}", super::run_mark(clock::Now::read()), question.id),
            prompt: router.clear(prompt, Sensitivity::Public, spec.local).ok()?,
            timeout: question.timeout,
            max_tokens: question.max_tokens,
            params: spec.params.clone(),
            task_file: scratch.join(question.id.file_name()),
            scratch,
            max_output: self.config.max_result_bytes,
            cache: false,
            home: self.home.path().to_owned(),
            workspace: None,
            tell: Tell::default(),
        })
    }

    fn begin(
        &self,
        spec: &WorkerSpec,
        question: &Question,
        job: &Job,
        promise: &Reservation,
    ) -> Result<Timestamp, EngineError> {
        let began = clock::wall();
        let amount = promise.amount();
        let line = Line {
            reserved_usd: (amount > Usd::ZERO).then_some(amount),
            ..line(LineKind::Attempt, began, spec, question, job)
        };
        self.journal.append([&line])?;
        self.journal.sync()?;
        Ok(began)
    }

    /// No task of this name will ever end: that it has gone is written down with what it cost.
    fn end(
        &self,
        spec: &WorkerSpec,
        question: &Question,
        job: &Job,
        began: Timestamp,
        outcome: &Outcome,
        cost: Usd,
    ) -> Result<(), EngineError> {
        let (name, usage) = match outcome {
            Outcome::Done(answer) => (COMPLETED, answer.usage),
            Outcome::Failed(failure) => (failure.outcome, failure.usage),
        };
        let at = clock::wall().max(began);
        let end = Line {
            cost_usd: Some(cost),
            usage,
            outcome: Some(name.to_owned()),
            started_at: Some(began),
            ..line(LineKind::End, at, spec, question, job)
        };
        let gone = Line::new(LineKind::Withdrawn, at).of(&question.id);
        self.journal.append([&end, &gone])?;
        Ok(self.journal.sync()?)
    }
}

fn line(event: LineKind, at: Timestamp, spec: &WorkerSpec, question: &Question, job: &Job) -> Line {
    Line {
        attempt: Some(job.attempt.clone()),
        worker_id: Some(format!("{}-1", spec.worker_type)),
        worker_type: Some(spec.worker_type.clone()),
        task_type: Some(question.task_type.clone()),
        model: Some(spec.model_name().to_owned()),
        ..Line::new(event, at).of(&question.id)
    }
}

/// The most that the call can cost.
fn worst(spec: &WorkerSpec, job: &Job) -> Usd {
    if let Some(most) = spec.max_cost {
        return most;
    }
    let params = serde_json::to_vec(&job.params).map_or(0, |bytes| bytes.len() as u64);
    let sent = job.prompt.get().size() + params + FRAME_TOKENS;
    spec.price.worst(sent, job.max_tokens.into(), spec.service_tier())
}
