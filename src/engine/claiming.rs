//! What comes before work: a task is claimed, looked at once more, cleared, and written down.
//!
//! Only the bytes that were routed are worked on. Nothing that costs money or runs a
//! program begins before the journal holds the attempt.

use std::sync::Arc;

use super::acceptance::Demand;
use super::lanes::{Held, Shop, sentence};
use super::{answers, attachments};
use crate::base::clock;
use crate::base::files::{self, FileError, ReadError};
use crate::base::words::tame;
use crate::config::WorkerSpec;
use crate::foreman::{NotClaimed, Part, Start};
use crate::route::Cleared;
use crate::spool::told::{self, Told};
use crate::spool::{Claim, Spool};
use crate::task::journal::{Line, LineKind};
use crate::task::prompt::Prompt;
use crate::task::{Accept, Folder, Sensitivity, Task, TaskId, Usd, wire};
use crate::worker::{Job, Tell};

/// Somebody of a worker type who claims tasks.
pub(super) struct Claimer<'a> {
    pub id: &'a str,
    pub spec: &'a WorkerSpec,
    pub shop: &'a Shop,
}

impl Claimer<'_> {
    /// Claims the task, makes sure that it is what was routed, and writes the attempt down.
    pub(super) fn prepare(&self, start: &Start) -> Result<(Held, Job, Option<Demand>), NotClaimed> {
        let spool = &self.shop.spool;
        let mut claim = match spool.claim(&start.file, &start.id) {
            Ok(Some(claim)) => claim,
            Ok(None) => return Err(NotClaimed::Gone),
            Err(error) => return Err(why_not_claimed(spool, &error)),
        };
        match self.ready(start, &mut claim) {
            Ok((task, job)) => {
                let demand = self.demand(start.sensitivity, &task);
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
        let mut task = wire::read(&super::intake::stem(&start.file), &bytes)
            .map_err(|_| NotClaimed::Changed)?;
        let attached = attachments::read(&task, config).map_err(|_| NotClaimed::Changed)?;
        let spool = &self.shop.spool;
        let filled = answers::fill(&mut task, spool, config.max_task_bytes)
            .map_err(|_| NotClaimed::Changed)?;
        if !self.spec.local && !filled.reasons.is_empty() {
            return Err(NotClaimed::Confidential(filled.reasons));
        }
        // What it is filled with or attached to it may have grown since its money was reserved.
        let may_have_grown = !attached.is_empty() || !task.depends_on.is_empty();
        let has_grown = || Prompt::assemble(&task, &attached, None).size() > start.prompt_bytes;
        if filled.lacks || may_have_grown && has_grown() {
            return Err(NotClaimed::Changed);
        }
        let prompt = Prompt::assemble(&task, &attached, self.spec.system.as_deref());
        let prompt = config
            .router
            .clear(prompt, start.sensitivity, self.spec.local)
            .map_err(|found| NotClaimed::Confidential(found.reasons))?;
        let workspace = attachments::workspace(&task, config).map_err(|_| NotClaimed::Changed)?;
        let job = self.job(&task, prompt, &start.id, &start.attempt, claim);
        let is_public = start.sensitivity == Sensitivity::Public && filled.reasons.is_empty();
        let tell = self.tell(&start.id, is_public);
        Ok((task, Job { max_tokens: start.max_tokens, workspace, tell, ..job }))
    }

    /// Takes up once more a claim whose attempt goes on elsewhere, to judge its answer; `None`
    /// where its file is there no more. Nothing of it is sent.
    pub(super) fn take_up(&self, id: &TaskId, part: &Part) -> Option<(Held, Job, Option<Demand>)> {
        let config = &self.shop.config;
        let mut claim = self.shop.spool.reclaim(id.clone());
        let bytes = claim.read(config.largest_result_file()).ok()?;
        let mut task = wire::read(id.as_str(), &bytes).ok()?;
        // What it was asked with may have changed since; its answer is an answer all the same.
        let attached = attachments::read(&task, config).unwrap_or_default();
        let _ = answers::fill(&mut task, &self.shop.spool, config.max_task_bytes);
        let prompt = Prompt::assemble(&task, &attached, self.spec.system.as_deref());
        let prompt = config.router.clear(prompt, Sensitivity::Public, true).ok()?;
        let job = self.job(&task, prompt, id, &part.attempt, &claim);
        let job = Job { max_tokens: part.max_tokens, ..job };
        // What went into a batch left the house, so it was public.
        let demand = self.demand(Sensitivity::Public, &task);
        Some((Held::new(claim, task), job, demand))
    }

    fn job(
        &self,
        task: &Task,
        prompt: Cleared<Prompt>,
        id: &TaskId,
        attempt: &str,
        claim: &Claim,
    ) -> Job {
        let mut params = self.spec.params.clone();
        params.extend(prompt.get().params.clone());
        Job {
            task_id: id.clone(),
            attempt: attempt.to_owned(),
            prompt,
            timeout: task.timeout.unwrap_or(self.spec.timeout),
            max_tokens: task.max_tokens.unwrap_or(self.spec.max_tokens),
            params,
            scratch: self.shop.spool.home().tmp(),
            task_file: claim.path(),
            max_output: self.shop.config.max_result_bytes,
            cache: task.cache.unwrap_or(self.spec.cache),
            home: self.shop.spool.home().path().to_owned(),
            workspace: None,
            tell: Tell::default(),
        }
    }

    /// How a worker tells of its work; of confidential work no more than that it goes on.
    fn tell(&self, id: &TaskId, is_public: bool) -> Tell {
        let (id, worker_id) = (id.clone(), self.id.to_owned());
        let (spool, config) = (Arc::clone(&self.shop.spool), Arc::clone(&self.shop.config));
        Tell::new(is_public, move |text| {
            let message = config.mask.hide(&text).unwrap_or(text);
            log::debug!(task:% = id; "{}", tame(&message));
            let line = Told { at: clock::wall(), worker_id: worker_id.clone(), message };
            // A full disk is told of by whoever files results.
            let _ = told::write(spool.home(), &id, &line);
        })
    }

    /// What is demanded of the answer: by the task, or else by its worker; and the shape that
    /// the task asks for in any case.
    fn demand(&self, sensitivity: Sensitivity, task: &Task) -> Option<Demand> {
        let accept = task.accept.as_ref().or(self.spec.accept.as_ref());
        let parent = (task.may_spawn > 0).then(|| Box::new(task.clone()));
        if accept.is_none() && task.response_schema.is_none() && parent.is_none() {
            return None;
        }
        let accept = Accept {
            response_schema: task.response_schema.clone(),
            ..accept.cloned().unwrap_or_default()
        };
        Some(Demand { accept, sensitivity, parent })
    }

    /// Nothing that costs money or runs a program begins before the journal is durable.
    fn write_down(&self, start: &Start, demand: Option<&Demand>) -> Result<(), FileError> {
        let line = Line {
            attempt: Some(start.attempt.clone()),
            worker_id: Some(self.id.to_owned()),
            worker_type: Some(start.worker_type.clone()),
            task_type: Some(start.task_type.clone()),
            model: Some(self.spec.model_name().to_owned()),
            reserved_usd: (start.reserved > Usd::ZERO).then_some(start.reserved),
            batch: start.batch.clone(),
            ..Line::new(LineKind::Attempt, clock::wall()).of(&start.id)
        };
        self.shop.journal.append([&line])?;
        let must_last = self.spec.is_paid()
            || self.spec.is_program()
            || demand.is_some_and(|demand| demand.accept.check.is_some());
        if must_last { self.shop.journal.sync() } else { Ok(()) }
    }
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
