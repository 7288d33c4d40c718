//! The desk: files results, puts tasks back, and sets aside what is no task.
//!
//! One thread takes everything that waits at once, so that many results share
//! their syncs and one alone does not wait. Our own trouble (a full disk, a sick
//! one) never becomes a task's failure: what could not be filed stays claimed and
//! is tried again, and that is said once.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use serde_json::Value;

use super::Message;
use super::claiming::why_not_claimed;
use super::lanes::{Held, sentence};
use super::reconcile;
use crate::base::clock::{self, Timestamp};
use crate::base::files::{self, FileError};
use crate::config::Config;
use crate::foreman::{Brood, Event, NotClaimed, Refuse, Verdict};
use crate::spool::filer::{self, Filing};
use crate::spool::journal::Journal;
use crate::spool::lock::{Lock, Place};
use crate::spool::watch::Glimpse;
use crate::spool::{Claim, Spool};
use crate::task::journal::{Line, LineKind};
use crate::task::outcome::Outcome;
use crate::task::result::{ChildResult, TaskError, TaskResult};
use crate::task::{Folder, Sensitivity, TaskId, Usd, subtasks, wire};

/// Something to be filed or put back.
#[derive(Debug)]
pub(super) enum Errand {
    /// A task that was worked on has ended.
    File(Held, Box<Verdict>),
    /// A task that was worked on goes back to `pending`.
    Release(Claim, Vec<Line>),
    /// An answer asks for tasks.
    Spawn(Box<Brood>),
    /// A task in `pending` is failed without work.
    Refuse(Box<Refuse>),
    /// A drop is no task.
    Reject {
        file: OsString,
        id: TaskId,
        error: TaskError,
        dropped_at: Timestamp,
        judged_at: Timestamp,
    },
}

/// The most errands that share a sync.
const BATCH: usize = 256;
/// The first pause after our own trouble; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

pub(super) struct Desk {
    pub spool: Arc<Spool>,
    pub config: Arc<Config>,
    pub journal: Arc<Journal>,
    pub lock: Arc<Lock>,
    pub to_engine: Sender<Message>,
    /// What could not be done for now.
    again: Vec<Step>,
    pause: Duration,
}

/// An errand, ready to be done and to be done again.
#[derive(Debug)]
enum Step {
    File {
        filing: Box<Filing>,
        lines: Vec<Line>,
        known_as: TaskId,
    },
    Release {
        claim: Claim,
        lines: Vec<Line>,
    },
    /// The tasks that an answer asks for, their names, and how many of them are dropped.
    Spawn {
        brood: Box<Brood>,
        children: Vec<TaskId>,
        dropped: usize,
    },
}

impl Desk {
    pub(super) fn new(
        spool: Arc<Spool>,
        config: Arc<Config>,
        journal: Arc<Journal>,
        lock: Arc<Lock>,
        to_engine: Sender<Message>,
    ) -> Self {
        Self { spool, config, journal, lock, to_engine, again: Vec::new(), pause: Duration::ZERO }
    }

    /// Works until nobody brings errands any more and all are done, or nothing more can be.
    pub(super) fn run(mut self, errands: &Receiver<Errand>) {
        loop {
            let first = match self.again.is_empty() {
                true => errands.recv().map_err(|_| RecvTimeoutError::Disconnected),
                false => errands.recv_timeout(self.pause),
            };
            let mut batch = std::mem::take(&mut self.again);
            match first {
                Ok(errand) => batch.extend(self.prepare(errand)),
                Err(RecvTimeoutError::Timeout) => {}
                // What could not be filed by now stays claimed, and the next start finds it.
                Err(RecvTimeoutError::Disconnected) => {
                    self.work_off(batch);
                    return;
                }
            }
            while batch.len() < BATCH
                && let Ok(errand) = errands.try_recv()
            {
                batch.extend(self.prepare(errand));
            }
            self.work_off(batch);
        }
    }

    fn prepare(&self, errand: Errand) -> Option<Step> {
        match errand {
            Errand::File(held, verdict) => Some(self.filing(held, *verdict)),
            Errand::Release(claim, lines) => Some(Step::Release { claim, lines }),
            Errand::Spawn(brood) => Some(self.spawning(brood, Vec::new())),
            Errand::Refuse(refuse) => self.refuse(*refuse),
            Errand::Reject { file, id, error, dropped_at, judged_at } => {
                self.reject(&file, &id, error, dropped_at, judged_at)
            }
        }
    }

    /// Gives the tasks that an answer asks for names that nobody has, but for those that are
    /// dropped already, and writes down which.
    fn spawning(&self, mut brood: Box<Brood>, mut children: Vec<TaskId>) -> Step {
        let (documents, dropped) = (&mut brood.answer.subtasks, children.len());
        let mut names = BTreeMap::new();
        for id in documents.iter().skip(dropped).filter_map(subtasks::id_of) {
            let is_taken = |id: &TaskId| {
                children.contains(id) || files::exists(&self.spool.file(Folder::Pending, id))
            };
            // A secret of `.env` stands in no name.
            let hidden = self.config.mask.hide(id.as_str());
            let named = hidden.map_or_else(|| id.clone(), |hidden| TaskId::from_stem(&hidden));
            let free = self.spool.free_id(&named, is_taken);
            children.push(free.clone());
            names.insert(id, free);
        }
        subtasks::rename(documents, &names);
        brood.lines.push(Line {
            worker_type: Some(brood.worker_type.clone()),
            children: children.clone(),
            answer: Some(brood.answer.clone()),
            ..Line::new(LineKind::Spawned, clock::wall()).of(&brood.parent)
        });
        Step::Spawn { brood, children, dropped }
    }

    /// What came of subtasks.
    fn children(&self, ids: &[TaskId]) -> Vec<ChildResult> {
        ids.iter().map(|id| reconcile::child_result(&self.spool, id)).collect()
    }

    fn filing(&self, held: Held, mut verdict: Verdict) -> Step {
        let known_as = held.claim.id().clone();
        let children = self.children(&verdict.children);
        for child in children.iter().filter(|child| child.status == Folder::Pending) {
            let id = &child.task_id;
            verdict
                .warnings
                .push(format!("nothing is there of subtask `{id}`: it left, or its result did"));
        }
        let mode = match verdict.routing.sensitivity_level {
            Sensitivity::Confidential => 0o600,
            Sensitivity::Public => self.config.result_mode,
        };
        let (folder, lines) = (verdict.folder, verdict.lines.clone());
        let result = TaskResult { children, ..document(verdict, &held, &self.config) };
        let bytes = self.bytes(result);
        let filing = Filing {
            claim: held.claim,
            folder,
            bytes,
            mode,
            replaces: held.replaces,
            rejected: false,
        };
        Step::File { filing: Box::new(filing), lines, known_as }
    }

    /// A result's bytes without the secrets of `.env`.
    fn bytes(&self, result: TaskResult) -> Vec<u8> {
        // A result may be large: it is not copied where nothing is to be hidden in it.
        if self.config.mask.is_empty() {
            return TaskResult::to_bytes(&result);
        }
        let mut value = serde_json::to_value(result).unwrap_or(Value::Null);
        if self.config.mask.hide_in(&mut value)
            && let Some(warnings) = value.get_mut("warnings").and_then(Value::as_array_mut)
        {
            warnings.push("a secret of config/.env stood here and was masked as `***`".into());
        }
        TaskResult::to_bytes(&value)
    }

    fn refuse(&self, refuse: Refuse) -> Option<Step> {
        let mut claim = self.claim(&refuse.file, &refuse.id)?;
        let bytes = claim.read(self.config.largest_result_file()).ok();
        let same = bytes.filter(|bytes| files::fingerprint(bytes) == refuse.fingerprint);
        let stem = super::intake::stem(&refuse.file);
        match same.and_then(|bytes| wire::read(&stem, &bytes).ok()) {
            Some(task) => Some(self.filing(Held::new(claim, task), refuse.verdict)),
            None => {
                let why = match claim.release() {
                    Ok(()) => NotClaimed::Changed,
                    Err(error) => NotClaimed::Trouble(sentence(&error)),
                };
                self.tell(Event::NotClaimed(refuse.id, why));
                None
            }
        }
    }

    fn reject(
        &self,
        file: &OsString,
        id: &TaskId,
        error: TaskError,
        dropped_at: Timestamp,
        judged_at: Timestamp,
    ) -> Option<Step> {
        let claim = self.claim(file, id)?;
        let result = TaskResult {
            task_id: id.clone(),
            status: Folder::Failed,
            worker_id: None,
            worker_type: None,
            model: None,
            content: None,
            cached: false,
            children: Vec::new(),
            error: Some(error),
            exit_code: None,
            stderr: None,
            diff: None,
            timestamp: judged_at,
            usage: None,
            cost_usd: Usd::ZERO,
            earlier_subtasks_cost_usd: Usd::ZERO,
            routing: None,
            attempts: Vec::new(),
            created_at: dropped_at,
            started_at: None,
            finished_at: judged_at,
            warnings: vec![format!("the drop is kept as it was in failed/{id}.rejected")],
            task: None,
        };
        let bytes = self.bytes(result);
        let filing = Filing {
            claim,
            folder: Folder::Failed,
            bytes,
            mode: 0o600,
            replaces: false,
            rejected: true,
        };
        Some(Step::File { filing: Box::new(filing), lines: Vec::new(), known_as: id.clone() })
    }

    fn claim(&self, file: &OsString, id: &TaskId) -> Option<Claim> {
        let why = match self.spool.claim(file, id) {
            Ok(Some(claim)) => return Some(claim),
            Ok(None) => NotClaimed::Gone,
            Err(error) => why_not_claimed(&self.spool, &error),
        };
        self.tell(Event::NotClaimed(id.clone(), why));
        None
    }

    /// Journal first, then the folders: a result never stands whose cost is not written down.
    fn work_off(&mut self, mut batch: Vec<Step>) {
        // A home that was moved away is not ours to make anew, nor is what has its name now.
        if batch.is_empty() {
            return;
        }
        if self.lock.place() != Place::Here {
            let _ = self.to_engine.send(Message::Glimpse(Glimpse::Replaced));
            return self.wait_with(batch);
        }
        if let Err(error) = self.write_lines(&mut batch) {
            return self.later(batch, &error);
        }
        let (mut filings, mut names) = (Vec::new(), Names::new());
        for step in batch {
            match step {
                Step::File { filing, known_as, lines } => match filing.claim.take_back() {
                    Ok(was_away) => {
                        if was_away {
                            log::warn!(
                                task:% = known_as;
                                "somebody moved it while it was worked on; it has ended, and its result is filed"
                            );
                        }
                        names.insert(filing.claim.id().clone(), known_as);
                        filings.push(*filing);
                    }
                    Err(error) => {
                        self.later(vec![Step::File { filing, known_as, lines }], &error);
                    }
                },
                Step::Release { claim, .. } => self.release(claim),
                Step::Spawn { brood, children, dropped } => self.spawn(brood, children, dropped),
            }
        }
        let (mut filed, mut not_filed) = (Vec::new(), Vec::new());
        for result in filer::file(filings) {
            match result {
                Ok((id, folder)) => filed.push((known_as(&id, &names), id, folder)),
                Err(failure) => not_filed.push(failure),
            }
        }
        self.filed(filed);
        for (filing, error) in not_filed {
            self.not_filed(filing, &error, &names);
        }
        if self.again.is_empty() {
            self.pause = Duration::ZERO;
        }
    }

    fn write_lines(&self, batch: &mut [Step]) -> Result<(), FileError> {
        let lines: Vec<&Line> = batch.iter().flat_map(Step::lines).collect();
        let must_last = lines.iter().any(|line| {
            line.cost_usd.is_some_and(|cost| cost > Usd::ZERO) || line.event == LineKind::Spawned
        });
        self.journal.append(lines)?;
        if must_last {
            self.journal.sync()?;
        }
        for step in batch {
            for line in step.take_lines() {
                if line.event == LineKind::End {
                    let _ = self.to_engine.send(Message::Paid(Box::new(line)));
                }
            }
        }
        Ok(())
    }

    /// Drops the tasks that an answer asks for.
    fn spawn(&mut self, brood: Box<Brood>, mut children: Vec<TaskId>, mut dropped: usize) {
        let tasks = brood.answer.subtasks.iter().zip(&children);
        match self.spool.drop_all(tasks, &mut dropped) {
            Ok(()) => {
                let line = Line::new(LineKind::AllDropped, clock::wall()).of(&brood.parent);
                if let Err(error) = self.journal.append([&line]) {
                    // Who starts next takes one that is gone by then for one that was not dropped.
                    let _ = self.to_engine.send(Message::OwnTrouble(sentence(&error)));
                }
                self.tell(Event::Spawned(brood.parent, children));
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                // Somebody took a name just now: those that are not dropped yet get others.
                children.truncate(dropped);
                let again = self.spawning(brood, children);
                self.later(vec![again], &error);
            }
            Err(error) => self.later(vec![Step::Spawn { brood, children, dropped }], &error),
        }
    }

    fn release(&mut self, claim: Claim) {
        let id = claim.id().clone();
        let again = self.spool.reclaim(id.clone());
        match claim.release() {
            Ok(()) => self.tell(Event::Released(id)),
            Err(error) => {
                self.later(vec![Step::Release { claim: again, lines: Vec::new() }], &error);
            }
        }
    }

    /// Results stand: what each task was called, what it is called now, and where it is.
    fn filed(&self, all: Vec<(TaskId, TaskId, Folder)>) {
        let now = clock::wall();
        let line = |(known_as, _, folder): &(TaskId, TaskId, Folder)| Line {
            folder: Some(*folder),
            ..Line::new(LineKind::Filed, now).of(known_as)
        };
        let lines: Vec<Line> = all.iter().map(line).collect();
        if let Err(error) = self.journal.append(&lines) {
            // The results stand and say the same; only a retry's history would be longer.
            let _ = self.to_engine.send(Message::OwnTrouble(sentence(&error)));
        }
        for (known_as, id, folder) in all {
            self.tell(Event::Filed { known_as, id, folder });
        }
    }

    fn not_filed(&mut self, mut filing: Box<Filing>, error: &FileError, names: &Names) {
        let known_as = known_as(filing.claim.id(), names);
        if error.kind() == std::io::ErrorKind::AlreadyExists && !filing.replaces {
            // Somebody put a file by hand where this result goes: the result takes the next number.
            if let Err(error) = filing.claim.renumber() {
                let _ = self.to_engine.send(Message::OwnTrouble(sentence(&error)));
            }
        }
        self.later(vec![Step::File { filing, lines: Vec::new(), known_as }], error);
    }

    fn later(&mut self, steps: Vec<Step>, error: &FileError) {
        let _ = self.to_engine.send(Message::OwnTrouble(sentence(error)));
        self.wait_with(steps);
    }

    fn wait_with(&mut self, steps: Vec<Step>) {
        self.again.extend(steps);
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
    }

    fn tell(&self, event: Event) {
        let _ = self.to_engine.send(Message::Event(event));
    }
}

/// What tasks were called so far, by what they are called now.
type Names = HashMap<TaskId, TaskId>;

fn known_as(id: &TaskId, names: &Names) -> TaskId {
    names.get(id).unwrap_or(id).clone()
}

impl Step {
    fn lines(&self) -> &[Line] {
        match self {
            Self::File { lines, .. } | Self::Release { lines, .. } => lines,
            Self::Spawn { brood, .. } => &brood.lines,
        }
    }

    fn take_lines(&mut self) -> Vec<Line> {
        match self {
            Self::File { lines, .. } | Self::Release { lines, .. } => std::mem::take(lines),
            Self::Spawn { brood, .. } => std::mem::take(&mut brood.lines),
        }
    }
}

/// The result that people read.
fn document(verdict: Verdict, held: &Held, config: &Config) -> TaskResult {
    let spec = verdict.worker_type.as_ref().and_then(|name| config.worker(name));
    let mut result = TaskResult {
        task_id: held.claim.id().clone(),
        status: verdict.folder,
        worker_id: verdict.worker_id,
        model: spec.map(|spec| spec.model_name().to_owned()),
        worker_type: verdict.worker_type,
        content: None,
        cached: false,
        children: Vec::new(),
        error: verdict.error,
        exit_code: None,
        stderr: None,
        diff: None,
        timestamp: verdict.finished_at,
        usage: None,
        cost_usd: verdict.cost,
        earlier_subtasks_cost_usd: verdict.earlier_subtasks_cost,
        routing: Some(verdict.routing),
        attempts: verdict.attempts,
        created_at: verdict.created_at,
        started_at: verdict.started_at,
        finished_at: verdict.finished_at,
        warnings: verdict.warnings,
        task: Some(held.document.clone()),
    };
    match verdict.outcome {
        Some(Outcome::Done(answer)) => {
            result.model = answer.model.or(result.model);
            result.content = Some(answer.content);
            result.cached = answer.cached;
            result.usage = answer.usage;
            result.exit_code = answer.exit_code;
            result.stderr = answer.stderr;
            result.diff = answer.diff;
        }
        Some(Outcome::Failed(failure)) => {
            result.content = failure.content;
            result.usage = failure.usage;
            result.exit_code = failure.exit_code;
            result.stderr = failure.stderr;
            result.diff = failure.diff;
        }
        None => {}
    }
    result
}
