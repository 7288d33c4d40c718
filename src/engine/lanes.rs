//! The hands: threads that claim a task, have it worked on, and give it back.
//!
//! Each worker type has its own threads and its own channel. A hand never decides
//! what becomes of a task: it says how the attempt ended and hands the claim over.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender};
use serde_json::{Map, Value};

use super::acceptance::Demand;
use super::cache::Cache;
use super::{Message, attachments};
use crate::base::clock::{self, Timestamp};
use crate::base::files::{self, FileError, ReadError};
use crate::config::{Config, Kind, WorkerSpec};
use crate::foreman::{Ended, Event, NotClaimed, Start};
use crate::spool::journal::Journal;
use crate::spool::{Claim, Spool};
use crate::task::journal::{Line, LineKind};
use crate::task::outcome::{ErrorKind, Failure, Outcome, Spent};
use crate::task::prompt::Prompt;
use crate::task::{Accept, Folder, Task, Usd, wire};
use crate::worker::{self, Job, Leash, Worker};

/// Work for a hand.
pub(super) enum Work {
    /// A task, with the means to end the attempt.
    Task(Box<Start>, Leash),
    /// A look whether the worker is there.
    Probe,
}

/// A claimed task on its way from a hand to the filer.
#[derive(Debug)]
pub(super) struct Held {
    pub claim: Claim,
    /// The task as it was dropped.
    pub document: Map<String, Value>,
    /// Whether an older result of the same task may stand.
    pub replaces: bool,
}

impl Held {
    pub(super) fn new(claim: Claim, task: Task) -> Self {
        // A forged history under another's name never gets that name, and so replaces nothing.
        let replaces = task.history.is_some() && task.id == *claim.id();
        Self { claim, replaces, document: task.document }
    }
}

/// One worker type's threads.
pub(super) struct Hands {
    pub work: Sender<Work>,
    pub threads: Vec<JoinHandle<()>>,
}

/// What every hand needs.
#[derive(Clone)]
pub(super) struct Shop {
    pub spool: Arc<Spool>,
    pub config: Arc<Config>,
    pub journal: Arc<Journal>,
    pub to_engine: Sender<Message>,
    /// The variables of our own environment that programs inherit.
    pub inherited: Arc<Vec<(String, String)>>,
}

impl Shop {
    /// Starts a worker type's threads.
    pub(super) fn open_lane(&self, spec: &WorkerSpec) -> std::io::Result<Hands> {
        let (work, waiting) = crossbeam_channel::unbounded();
        let threads = (1..=spec.concurrency)
            .map(|n| {
                let mut hand = Hand {
                    id: format!("{}-{n}", spec.worker_type),
                    spec: spec.clone(),
                    shop: self.clone(),
                    worker: None,
                };
                let waiting: Receiver<Work> = waiting.clone();
                // The kernel cuts a thread's name at 15 bytes.
                std::thread::Builder::new().name(hand.id.clone()).spawn(move || {
                    for work in waiting {
                        hand.take(work);
                    }
                })
            })
            .collect::<std::io::Result<_>>()?;
        Ok(Hands { work, threads })
    }
}

struct Hand {
    id: String,
    spec: WorkerSpec,
    shop: Shop,
    /// Made with the first task, so that an idle shop holds no connection.
    worker: Option<Box<dyn Worker>>,
}

impl Hand {
    fn take(&mut self, work: Work) {
        let message = match work {
            Work::Probe => {
                let result = self.worker().probe();
                Message::Event(Event::Probed(self.spec.worker_type.clone(), result))
            }
            Work::Task(start, leash) => self.work_on(&start, &leash),
        };
        let _ = self.shop.to_engine.send(message);
    }

    fn work_on(&mut self, start: &Start, leash: &Leash) -> Message {
        let id = start.id.clone();
        match self.prepare(start) {
            Ok((held, job, demand)) => {
                let _ = self.shop.to_engine.send(Message::Begun(id.clone(), self.id.clone()));
                let ended = self.attempt(start, leash, &job, demand.as_ref());
                Message::HandBack(id, Box::new(ended), Box::new(held))
            }
            Err(why) => Message::Event(Event::NotClaimed(id, why)),
        }
    }

    fn worker(&mut self) -> &mut dyn Worker {
        let Self { worker, spec, shop, .. } = self;
        worker.get_or_insert_with(|| worker::make(spec, &shop.inherited)).as_mut()
    }

    /// Claims the task, makes sure that it is what was routed, and writes the attempt down.
    fn prepare(&self, start: &Start) -> Result<(Held, Job, Option<Demand>), NotClaimed> {
        let spool = &self.shop.spool;
        let mut claim = match spool.claim(&start.file, &start.id) {
            Ok(Some(claim)) => claim,
            Ok(None) => return Err(NotClaimed::Gone),
            Err(error) => return Err(why_not_claimed(spool, &error)),
        };
        match self.ready(start, &mut claim) {
            Ok((task, job)) => {
                let demand = self.demand(start, &task);
                match self.write_down(start, demand.as_ref()) {
                    Ok(()) => Ok((Held::new(claim, task), job, demand)),
                    Err(error) => Err(give_back(claim, NotClaimed::Trouble(sentence(&error)))),
                }
            }
            Err(why) => Err(give_back(claim, why)),
        }
    }

    fn ready(&self, start: &Start, claim: &mut Claim) -> Result<(Task, Job), NotClaimed> {
        let config = &self.shop.config;
        let bytes = match claim.read(config.largest_result_file()) {
            Ok(bytes) => bytes,
            Err(ReadError::File(error)) => return Err(NotClaimed::Trouble(sentence(&error))),
            Err(_) => return Err(NotClaimed::Changed),
        };
        if files::fingerprint(&bytes) != start.fingerprint {
            return Err(NotClaimed::Changed);
        }
        let task = wire::read(&super::intake::stem(&start.file), &bytes)
            .map_err(|_| NotClaimed::Changed)?;
        let attached = attachments::read(&task, config).map_err(|_| NotClaimed::Changed)?;
        let prompt = Prompt::assemble(&task, &attached, self.spec.system.as_deref());
        let prompt = config
            .router
            .clear(prompt, start.sensitivity, self.spec.local)
            .map_err(|found| NotClaimed::Confidential(found.reasons))?;
        let mut params = self.spec.params.clone();
        params.extend(prompt.get().params.clone());
        let job = Job {
            task_id: start.id.clone(),
            attempt: start.attempt.clone(),
            prompt,
            timeout: task.timeout.unwrap_or(self.spec.timeout),
            max_tokens: start.max_tokens,
            params,
            scratch: self.shop.spool.home().tmp(),
            task_file: claim.path(),
            max_output: config.max_result_bytes,
            cache: task.cache.unwrap_or(self.spec.cache),
        };
        Ok((task, job))
    }

    /// What is demanded of the answer: by the task, or else by its worker; and the shape that
    /// the task asks for in any case.
    fn demand(&self, start: &Start, task: &Task) -> Option<Demand> {
        let accept = task.accept.as_ref().or(self.spec.accept.as_ref());
        if accept.is_none() && task.response_schema.is_none() {
            return None;
        }
        let accept = Accept {
            response_schema: task.response_schema.clone(),
            ..accept.cloned().unwrap_or_default()
        };
        Some(Demand { accept, sensitivity: start.sensitivity })
    }

    /// Nothing that costs money or runs a program begins before the journal is durable.
    fn write_down(&self, start: &Start, demand: Option<&Demand>) -> Result<(), FileError> {
        let line = Line {
            attempt: Some(start.attempt.clone()),
            worker_id: Some(self.id.clone()),
            worker_type: Some(start.worker_type.clone()),
            task_type: Some(start.task_type.clone()),
            model: Some(self.spec.model_name().to_owned()),
            reserved_usd: (start.reserved > Usd::ZERO).then_some(start.reserved),
            ..Line::new(LineKind::Attempt, clock::wall()).of(&start.id)
        };
        self.shop.journal.append([&line])?;
        let must_last = self.spec.is_paid()
            || matches!(self.spec.kind, Kind::Command(_) | Kind::Codex)
            || demand.is_some_and(|demand| demand.accept.check.is_some());
        if must_last { self.shop.journal.sync() } else { Ok(()) }
    }

    fn attempt(
        &mut self,
        start: &Start,
        leash: &Leash,
        job: &Job,
        demand: Option<&Demand>,
    ) -> Ended {
        let started_at = clock::wall();
        let request = if job.cache { self.worker().request(job) } else { None };
        let home = self.shop.spool.home();
        let cache = Cache::at(home.cache(), &job.scratch);
        let kept = request.as_ref().and_then(|request| cache.find(request));
        let outcome = match kept {
            Some(answer) => answer.into(),
            None => {
                let outcome = self.run(leash, job, demand);
                if let (Some(request), Outcome::Done(answer)) = (&request, &outcome)
                    && let Err(error) = cache.keep(request, answer)
                {
                    log::warn!("the answer was not kept for the next time: {}", sentence(&error));
                }
                outcome
            }
        };
        Ended {
            worker_id: self.id.clone(),
            attempt: start.attempt.clone(),
            started_at,
            finished_at: after(started_at),
            outcome,
        }
    }

    /// Has the work done and looked at.
    fn run(&mut self, leash: &Leash, job: &Job, demand: Option<&Demand>) -> Outcome {
        let worker = self.worker();
        // A worker that panics has failed its task, and a new one takes its place.
        let outcome =
            catch_unwind(AssertUnwindSafe(|| worker.run(job, leash))).unwrap_or_else(|_| {
                self.worker = None;
                panicked(&self.spec)
            });
        match demand {
            Some(demand) => demand.judge(outcome, &self.shop, job, leash),
            None => outcome,
        }
    }
}

/// Now, and never before `start`, whatever the wall clock did meanwhile.
fn after(start: Timestamp) -> Timestamp {
    clock::wall().max(start)
}

fn panicked(spec: &WorkerSpec) -> Outcome {
    let message = "koubou itself stumbled over this task, which is a bug: please report it with the daemon's log";
    let spent = if spec.is_paid() { Spent::Unknown } else { Spent::Nothing };
    Failure::new("internal_error", ErrorKind::AttemptsExhausted, message).spent(spent).into()
}

fn give_back(claim: Claim, why: NotClaimed) -> NotClaimed {
    match claim.release() {
        Ok(()) => why,
        Err(error) => NotClaimed::Trouble(sentence(&error)),
    }
}

/// Why a file could not be claimed: it is somebody else's, or a folder of ours is not writable
/// for now, which is our own trouble and passes.
pub(super) fn why_not_claimed(spool: &Spool, error: &FileError) -> NotClaimed {
    let writable = |folder| {
        let folder = spool.home().folder(folder);
        rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK).is_ok()
    };
    let is_theirs = error.kind() == std::io::ErrorKind::PermissionDenied
        && writable(Folder::Pending)
        && writable(Folder::InProgress);
    match is_theirs {
        true => NotClaimed::NotOurs(format!(
            "{}: only its owner can move it away, or let koubou do so",
            sentence(error)
        )),
        false => NotClaimed::Trouble(sentence(error)),
    }
}

/// An error with its cause, in one sentence.
pub(super) fn sentence(error: &FileError) -> String {
    format!("{error}: {}", error.source)
}
