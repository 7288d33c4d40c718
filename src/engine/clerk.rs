//! The clerk: one thread of a worker type that deals with its batches.
//!
//! It claims tasks for a batch, sends it, asks after it, and takes home what it
//! holds. It does these in the order in which they are ordered, and decides neither
//! when nor whether.
//!
//! What may cost money is in the journal before it is done, and what was learned
//! right after. So at any moment a start knows which batches there may be: one that
//! nobody confirmed is looked for, and never sent twice. A thread that is ended in
//! the middle loses nothing; what a batch holds stays with its server.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::{Receiver, Sender, unbounded};
use serde_json::Map;

use super::Message;
use super::cache::Cache;
use super::claiming::Claimer;
use super::lanes::{Held, Shop, after, sentence};
use crate::base::clock::{self, Timestamp};
use crate::base::files::FileError;
use crate::base::words::tame;
use crate::config::{BatchSpec, ChatSpec, Kind, WorkerSpec};
use crate::foreman::{BatchCall, BatchNews, Ended, Event, Part, Start};
use crate::task::TaskId;
use crate::task::journal::{Line, LineKind, STOPPED};
use crate::task::outcome::{ErrorKind, Failure, Next, Outcome, Spent, Trouble};
use crate::worker::chat::batch::{self, Found, NotSubmitted, Over, Standing};
use crate::worker::chat::{ChatWorker, ENVELOPE};
use crate::worker::{Leash, Worker as _};

/// The largest file of answers that is read, in bytes: no server fills our memory.
const LARGEST_FILE: u64 = 256 << 20;

/// Something for the clerk to do.
pub(super) enum Paper {
    /// Claim a task for a batch.
    Gather(Box<Start>),
    /// Take tasks out of a batch that was not sent yet.
    Leave(Box<BatchCall>),
    /// Send a batch.
    Send(Box<BatchCall>),
    /// Ask after a batch.
    Ask(Box<BatchCall>),
    /// Have a batch ended at its server.
    CallOff(Box<BatchCall>),
    /// Take away what a batch left at its server.
    Tidy(Box<BatchCall>),
}

impl Paper {
    /// The batch that it is about.
    fn mark(&self) -> &str {
        match self {
            Self::Gather(start) => start.batch.as_deref().unwrap_or_default(),
            Self::Leave(call)
            | Self::Send(call)
            | Self::Ask(call)
            | Self::CallOff(call)
            | Self::Tidy(call) => &call.mark,
        }
    }
}

/// The engine's side of a clerk's desk.
pub(super) struct Desk {
    pub papers: Sender<Paper>,
    /// Ends what it is at.
    pub leash: Leash,
}

pub(super) struct Clerk {
    id: String,
    spec: WorkerSpec,
    chat: ChatSpec,
    terms: BatchSpec,
    shop: Shop,
    papers: Receiver<Paper>,
    leash: Leash,
    /// Made with the first batch, so that an idle shop holds no connection.
    worker: Option<ChatWorker>,
    /// The tasks of batches that are not sent yet, each with the line that asks for it.
    gathered: HashMap<String, Vec<(TaskId, String)>>,
    /// What was asked whose answer is to be kept, by the attempt's mark. It is not known any more
    /// of a batch that an earlier daemon sent, for the settings may have changed since.
    asked: HashMap<String, String>,
    /// The files at the server of batches that were taken home.
    left: HashMap<String, Vec<String>>,
    /// Whether people were told that a file there cannot be taken away.
    has_told_of_files: bool,
}

impl Clerk {
    /// A clerk for a worker type that has batches, and how to reach him.
    pub(super) fn of(shop: &Shop, spec: &WorkerSpec) -> Option<(Self, Desk)> {
        let (Kind::Chat(chat), Some(terms)) = (&spec.kind, &spec.batch) else { return None };
        let ((tell, papers), leash) = (unbounded(), Leash::default());
        let clerk = Self {
            id: format!("{}-batch", spec.worker_type),
            spec: spec.clone(),
            chat: chat.clone(),
            terms: terms.clone(),
            shop: shop.clone(),
            papers,
            leash: leash.clone(),
            worker: None,
            gathered: HashMap::new(),
            asked: HashMap::new(),
            left: HashMap::new(),
            has_told_of_files: false,
        };
        Some((clerk, Desk { papers: tell, leash }))
    }

    /// Works until nobody brings anything more, or the leash is pulled.
    pub(super) fn run(mut self) {
        while let Ok(paper) = self.papers.recv() {
            if self.leash.is_pulled() {
                return;
            }
            let mark = paper.mark().to_owned();
            if catch_unwind(AssertUnwindSafe(|| self.take(paper))).is_err() {
                // The batch is asked after again, by another connection.
                self.worker = None;
                let why = "koubou itself stumbled over it, which is a bug: please report it with the daemon's log";
                let news = BatchNews::Trouble(why.to_owned());
                self.tell(Message::Event(Event::Batch(mark, news)));
            }
        }
    }

    fn take(&mut self, paper: Paper) {
        match paper {
            Paper::Gather(start) => self.gather(&start),
            Paper::Leave(call) => self.leave(&call),
            Paper::Send(call) => self.send(&call),
            Paper::Ask(call) => self.ask(&call),
            Paper::CallOff(call) => self.call_off(&call),
            Paper::Tidy(call) => self.tidy(&call),
        }
    }

    fn worker(&mut self) -> &mut ChatWorker {
        let Self { worker, spec, chat, .. } = self;
        worker.get_or_insert_with(|| ChatWorker::new(spec, chat.clone()))
    }

    // ---- gathering and sending ----

    fn gather(&mut self, start: &Start) {
        let (id, Some(mark)) = (start.id.clone(), start.batch.clone()) else { return };
        let (held, job, _) = match self.claimer().prepare(start) {
            Ok(prepared) => prepared,
            Err(why) => return self.tell(Message::Event(Event::NotClaimed(id, why))),
        };
        self.tell(Message::Begun(id.clone(), self.id.clone()));
        let request = if job.cache { self.worker().request(&job) } else { None };
        let kept = request.as_ref().and_then(|request| self.cache().find(request));
        if let Some(answer) = kept {
            let started_at = clock::wall();
            return self.hand_back(id, &start.attempt, started_at, answer.into(), held);
        }
        self.asked.extend(request.map(|request| (start.attempt.clone(), request)));
        let line = self.worker().batch_line(&job);
        self.gathered.entry(mark).or_default().push((id, line));
    }

    fn cache(&self) -> Cache {
        Cache::of(self.shop.spool.home())
    }

    fn leave(&mut self, call: &BatchCall) {
        if let Some(gathered) = self.gathered.get_mut(&call.mark) {
            gathered.retain(|(id, _)| !call.parts.contains_key(id));
        }
        self.end_all(call, &taken_back());
    }

    fn send(&mut self, call: &BatchCall) {
        let mut call = call.clone();
        let mut gathered = self.gathered.remove(&call.mark).unwrap_or_default();
        gathered.retain(|(id, _)| call.parts.contains_key(id));
        call.parts.retain(|id, _| gathered.iter().any(|(gathered, _)| gathered == id));
        if gathered.is_empty() {
            return;
        }
        let lines: String = gathered.into_iter().map(|(_, line)| line).collect();
        let leash = self.leash.clone();
        match self.worker().upload(&lines, &call.mark, &leash) {
            Ok(file) => self.submit(&call, &file),
            Err(failure) => self.end_all(&call, &failure.spent(Spent::Nothing)),
        }
    }

    /// From the moment that the journal has the batch, it may have been bought.
    fn submit(&mut self, call: &BatchCall, file: &str) {
        if let Err(error) = self.write(&self.line(LineKind::Gathered, call)) {
            self.tell(Message::OwnTrouble(sentence(&error)));
            self.end_all(call, &not_sent());
            return self.take_away(&[file.to_owned()]);
        }
        log::info!("{}: the batch `{}` is written down", self.id, call.mark);
        let (leash, window) = (self.leash.clone(), self.terms.window.clone());
        match self.worker().submit(file, &call.mark, &window, &leash) {
            Ok(id) => self.taken(call, id),
            Err(NotSubmitted::Surely(failure)) => {
                self.end_all(call, &failure.spent(Spent::Nothing));
                self.take_away(&[file.to_owned()]);
            }
            Err(NotSubmitted::Perhaps(failure)) => {
                self.news(call, BatchNews::Unsure(failure.message));
            }
        }
    }

    /// The server has the batch. Were this not written, it would be found again by its mark.
    fn taken(&self, call: &BatchCall, id: String) {
        let line = Line { batch_id: Some(id.clone()), ..self.line(LineKind::Submitted, call) };
        if let Err(error) = self.write(&line) {
            self.tell(Message::OwnTrouble(sentence(&error)));
        }
        self.news(call, BatchNews::Taken(id));
    }

    // ---- asking ----

    fn ask(&mut self, call: &BatchCall) {
        match &call.batch_id {
            None => self.find(call),
            Some(id) => self.look_at(call, id),
        }
    }

    fn find(&mut self, call: &BatchCall) {
        let leash = self.leash.clone();
        match self.worker().find(&call.mark, &leash) {
            Ok(Found::Batch(id)) => self.taken(call, id),
            Ok(Found::Nothing) if !call.is_last_look => self.news(call, BatchNews::Absent),
            // It was asked for, and no list is proof that it will not come to be: it counts as bought.
            Ok(Found::Nothing | Found::CannotTell) => {
                let lost = self.worker().lost();
                self.end_all(call, &lost);
            }
            Err(failure) => self.news(call, BatchNews::Trouble(failure.message)),
        }
    }

    fn look_at(&mut self, call: &BatchCall, id: &str) {
        let leash = self.leash.clone();
        match self.worker().look_at(id, &leash) {
            Ok(Standing::Open(status)) => {
                log::debug!("batch `{id}` is {status}");
                self.news(call, BatchNews::Open);
            }
            Ok(Standing::Over(over)) => self.take_home(call, &over),
            Ok(Standing::Unknown) if call.is_last_look => {
                let lost = self.worker().lost();
                self.end_all(call, &lost);
            }
            Ok(Standing::Unknown) => self.news(call, BatchNews::Absent),
            Err(failure) => self.news(call, BatchNews::Trouble(failure.message)),
        }
    }

    fn call_off(&mut self, call: &BatchCall) {
        let (leash, id) = (self.leash.clone(), call.batch_id.as_deref().unwrap_or_default());
        if let Err(failure) = self.worker().call_off(id, &leash) {
            self.news(call, BatchNews::NotCalledOff(failure.message));
        }
    }

    /// Reads what a batch that has ended holds, and judges it request by request.
    fn take_home(&mut self, call: &BatchCall, over: &Over) {
        let one = self.shop.config.max_result_bytes.saturating_add(ENVELOPE);
        let most = one.saturating_mul(call.parts.len() as u64).min(LARGEST_FILE);
        let leash = self.leash.clone();
        let held = match self.worker().read(over, most, call.is_last_read, &leash) {
            Ok(held) => held,
            Err(failure) => return self.news(call, BatchNews::Trouble(failure.message)),
        };
        self.left.insert(call.mark.clone(), over.left());
        let mut told = None;
        for (id, part) in &call.parts {
            self.end(id, part, |clerk, task| {
                let outcome = clerk.judge(task, over, held.get(&part.attempt));
                told_once(outcome, &mut told)
            });
            if self.leash.is_pulled() {
                return;
            }
        }
    }

    fn judge(&mut self, task: &Claimed, over: &Over, held: Option<&batch::Held>) -> Outcome {
        let (on_expiry, leash) = (self.terms.on_expiry, self.leash.clone());
        let outcome = self.worker().judge_in_batch(&task.job, over, held, on_expiry);
        let outcome = match &task.demand {
            Some(demand) => demand.judge(outcome, &self.shop, &task.job, &leash),
            None => outcome,
        };
        let request = self.asked.remove(&task.job.attempt);
        if let (Some(request), Outcome::Done(answer)) = (request, &outcome) {
            self.cache().keep_if_possible(&request, answer);
        }
        outcome
    }

    // ---- tidying up ----

    /// Takes away what a batch left at its server: nobody reads it again, and it may hold what
    /// nobody else should.
    fn tidy(&mut self, call: &BatchCall) {
        let files = self.left.remove(&call.mark).unwrap_or_else(|| self.left_by(call));
        self.take_away(&files);
        if !self.leash.is_pulled() {
            self.news(call, BatchNews::Tidied);
        }
    }

    /// What a batch has left that an earlier daemon took home.
    fn left_by(&mut self, call: &BatchCall) -> Vec<String> {
        let (leash, id) = (self.leash.clone(), call.batch_id.as_deref().unwrap_or_default());
        match self.worker().look_at(id, &leash) {
            Ok(Standing::Over(over)) => over.left(),
            _ => Vec::new(),
        }
    }

    fn take_away(&mut self, files: &[String]) {
        let leash = self.leash.clone();
        for file in files {
            let Err(failure) = self.worker().delete(file, &leash) else { continue };
            let level = match std::mem::replace(&mut self.has_told_of_files, true) {
                true => log::Level::Debug,
                false => log::Level::Warn,
            };
            let file = tame(file);
            log::log!(level, "file `{file}` of a batch stays at its server: {}", failure.message);
        }
    }

    // ---- ending ----

    /// Ends every task of a batch in the same way; the worker's own trouble is told once.
    fn end_all(&mut self, call: &BatchCall, failure: &Failure) {
        let mut failure = failure.clone();
        for (id, part) in &call.parts {
            self.end(id, part, |_, _| failure.clone().into());
            failure.trouble = None;
        }
    }

    fn end(
        &mut self,
        id: &TaskId,
        part: &Part,
        outcome: impl FnOnce(&mut Self, &Claimed) -> Outcome,
    ) {
        let taken_up = self.claimer().take_up(id, part);
        let (held, outcome) = match taken_up {
            Some((held, job, demand)) => {
                let outcome = outcome(self, &Claimed { job, demand });
                (held, outcome)
            }
            None => (self.nothing_held(id), its_file_is_gone().into()),
        };
        // Whoever was ended in the middle of judging has not judged.
        if self.leash.is_pulled() {
            return;
        }
        self.asked.remove(&part.attempt);
        self.hand_back(id.clone(), &part.attempt, part.begun_at, outcome, held);
    }

    fn hand_back(
        &self,
        id: TaskId,
        attempt: &str,
        started_at: Timestamp,
        outcome: Outcome,
        held: Held,
    ) {
        let (worker_id, attempt) = (self.id.clone(), attempt.to_owned());
        let finished_at = after(started_at);
        let ended = Ended { worker_id, attempt, started_at, finished_at, outcome };
        self.tell(Message::HandBack(id, Box::new(ended), Box::new(held)));
    }

    fn nothing_held(&self, id: &TaskId) -> Held {
        let claim = self.shop.spool.reclaim(id.clone());
        Held { claim, document: Map::new(), replaces: false }
    }

    fn claimer(&self) -> Claimer<'_> {
        Claimer { id: &self.id, spec: &self.spec, shop: &self.shop }
    }

    fn line(&self, kind: LineKind, call: &BatchCall) -> Line {
        Line::of_batch(kind, &call.mark, &self.spec.worker_type, clock::wall())
    }

    fn write(&self, line: &Line) -> Result<(), FileError> {
        self.shop.journal.append([line])?;
        self.shop.journal.sync()
    }

    fn news(&self, call: &BatchCall, news: BatchNews) {
        self.tell(Message::Event(Event::Batch(call.mark.clone(), news)));
    }

    fn tell(&self, message: Message) {
        let _ = self.shop.to_engine.send(message);
    }
}

/// A task of a batch whose answer is there.
struct Claimed {
    job: crate::worker::Job,
    demand: Option<super::acceptance::Demand>,
}

/// The end of an attempt whose batch was never submitted.
fn not_sent() -> Failure {
    let message = "its batch was not submitted; it goes into another one";
    Failure::new(STOPPED, ErrorKind::AttemptsExhausted, message).retried(None)
}

/// The end of an attempt that left its batch before that was sent.
fn taken_back() -> Failure {
    let message = "it left its batch before that was sent";
    let failure = Failure::new(STOPPED, ErrorKind::AttemptsExhausted, message);
    Failure { next: Next::NotAnAttempt, ..failure }
}

/// The same outcome; a trouble of its worker that was told with an earlier one is told no more.
fn told_once(mut outcome: Outcome, told: &mut Option<Trouble>) -> Outcome {
    if let Outcome::Failed(failure) = &mut outcome {
        match failure.trouble == *told {
            true => failure.trouble = None,
            false if failure.trouble.is_some() => told.clone_from(&failure.trouble),
            false => {}
        }
    }
    outcome
}

fn its_file_is_gone() -> Failure {
    let message = "its file was taken out of in_progress while its batch was done; what it may have cost counts";
    Failure::new("cancelled", ErrorKind::Cancelled, message).spent(Spent::Unknown)
}
