//! The hands: threads that claim a task, have it worked on, and give it back.
//!
//! Each worker type has its own threads and its own channel. A hand never decides
//! what becomes of a task: it says how the attempt ended and hands the claim over.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender};
use serde_json::{Map, Value};

use super::Message;
use super::acceptance::Demand;
use super::cache::Cache;
use super::claiming::Claimer;
use super::clerk::{Clerk, Desk};
use crate::base::clock::{self, Timestamp};
use crate::base::files::FileError;
use crate::config::{Config, WorkerSpec};
use crate::foreman::{Ended, Event, Start};
use crate::spool::journal::Journal;
use crate::spool::{Claim, Spool};
use crate::task::Task;
use crate::task::outcome::{ErrorKind, Failure, Outcome, Spent};
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
    /// Who deals with its batches, where it has any.
    pub clerk: Option<Desk>,
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
        let mut threads = (1..=spec.concurrency)
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
            .collect::<std::io::Result<Vec<_>>>()?;
        let clerk = match Clerk::of(self, spec) {
            Some((clerk, desk)) => {
                let name = format!("{}-b", spec.worker_type);
                threads.push(std::thread::Builder::new().name(name).spawn(move || clerk.run())?);
                Some(desk)
            }
            None => None,
        };
        Ok(Hands { work, clerk, threads })
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
        let claimer = Claimer { id: &self.id, spec: &self.spec, shop: &self.shop };
        match claimer.prepare(start) {
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

    fn attempt(
        &mut self,
        start: &Start,
        leash: &Leash,
        job: &Job,
        demand: Option<&Demand>,
    ) -> Ended {
        let started_at = clock::wall();
        let request = if job.cache { self.worker().request(job) } else { None };
        let cache = Cache::of(self.shop.spool.home());
        let kept = request.as_ref().and_then(|request| cache.find(request));
        let outcome = match kept {
            Some(answer) => answer.into(),
            None => {
                let outcome = self.run(leash, job, demand);
                if let (Some(request), Outcome::Done(answer)) = (&request, &outcome) {
                    cache.keep_if_possible(request, answer);
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
pub(super) fn after(start: Timestamp) -> Timestamp {
    clock::wall().max(start)
}

fn panicked(spec: &WorkerSpec) -> Outcome {
    let message = "koubou itself stumbled over this task, which is a bug: please report it with the daemon's log";
    let spent = if spec.is_paid() { Spent::Unknown } else { Spent::Nothing };
    Failure::new("internal_error", ErrorKind::AttemptsExhausted, message).spent(spent).into()
}

/// An error with its cause, in one sentence.
pub(super) fn sentence(error: &FileError) -> String {
    format!("{error}: {}", error.source)
}
