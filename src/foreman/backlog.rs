//! What the foreman remembers of each task that has not ended.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

use super::event::{Arrival, Ended, Summary, Verdict};
use super::family::Family;
use super::ladder::is_by;
use super::waiting::Ticket;
use super::{Bench, FRAME_TOKENS, retry};
use crate::base::clock::Timestamp;
use crate::config::OnExpiry;
use crate::route::Decision;
use crate::route::budget::Reservation;
use crate::task::fact::{Pace, TaskRow};
use crate::task::journal::{BATCH_EXPIRED, COMPLETED};
use crate::task::outcome::{Answer, Failure, Outcome, Usage};
use crate::task::result::{Routing, TaskError};
use crate::task::{Attempt, Folder, GroupName, TaskId, Usd, WorkerType};

/// A task that has not ended.
#[derive(Debug)]
pub(super) struct Entry {
    pub file: OsString,
    pub fingerprint: u64,
    pub summary: Summary,
    pub decision: Decision,
    /// When it came, among all.
    pub seq: u64,
    pub state: State,
    /// Attempts since it was dropped or dropped again.
    pub attempts: Vec<Attempt>,
    /// Whom it was passed on to, where an earlier worker's answer was not accepted.
    pub rung: Option<WorkerType>,
    /// Who stands in for its worker, where that one could not be used.
    pub stand_in: Option<WorkerType>,
    /// When this run's first attempt began.
    pub started_at: Option<Timestamp>,
    /// Somebody wants it ended.
    pub cancelled: bool,
    /// Why it cannot be taken from `pending`, as people were told.
    pub told: Option<String>,
    /// What was found in its place while a hand reached for it: counts if it was not the task that was meant.
    pub successor: Option<Box<Arrival>>,
    /// Whether it was judged once more after all that it depends on was completed.
    pub was_judged_anew: bool,
    /// How often our own trouble kept it from being claimed.
    pub troubles: u32,
    /// What its last attempt cost, of what was promised, until the journal has it.
    pub owed: Option<(Reservation, Usd)>,
    /// The batch that its last attempt was part of, until the journal has its end.
    pub batch: Option<String>,
    /// The most that its next attempt may cost.
    pub estimate: Usd,
    /// The tokens that its prompt may have.
    pub prompt_tokens: u64,
}

/// Where a task stands.
#[derive(Debug)]
pub(super) enum State {
    /// Waits for tasks that it depends on.
    Blocked(BTreeSet<TaskId>),
    /// Waits for a time.
    Delayed { until: Until, why: String },
    /// Waits in its lane for its turn.
    Queued(WorkerType),
    /// A hand has it, with money promised and tokens set apart for it.
    Running { lane: WorkerType, promise: Option<Reservation>, tokens: u64 },
    /// It is part of a batch, with money promised for it.
    Batched { lane: WorkerType, promise: Option<Reservation>, batch: String },
    /// It has been answered, and waits for the tasks that its answer asked for.
    Parent(Box<Family>),
    /// On its way back to `pending`, and then this.
    Releasing(Box<State>),
    /// Its result is being filed; the mirror's row for then.
    Ending(Box<TaskRow>),
    /// It cannot be taken from `pending`, and only a person can help.
    Stuck(String),
}

/// A time on either clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// People stated it.
    Wall(Timestamp),
    /// We measured it.
    Mono(Duration),
}

impl State {
    /// Whether its file lies in `pending`, with nobody reaching for it.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self, Self::Blocked(_) | Self::Delayed { .. } | Self::Queued(_) | Self::Stuck(_))
    }
}

impl Entry {
    /// The tokens of its prompt at a worker, at most.
    pub(super) fn tokens_for(&self, bench: &Bench) -> u64 {
        self.summary.seen.prompt_bytes + bench.system_bytes + FRAME_TOKENS
    }

    /// The most tokens that a worker's answer may have: twice as many once it has used them all up
    /// and said nothing.
    pub(super) fn answer_tokens(&self, bench: &Bench) -> u32 {
        let stated = self.summary.max_tokens.unwrap_or(bench.max_tokens);
        match retry::ran_out(self.attempts_of(&bench.worker_type)) {
            0 => stated,
            _ => stated.saturating_mul(2),
        }
    }

    /// The tokens of an attempt of a worker, at most.
    pub(super) fn tokens_at_most(&self, bench: &Bench) -> u64 {
        self.tokens_for(bench).saturating_add(self.answer_tokens(bench).into())
    }

    /// What an attempt of a worker may cost, at most.
    pub(super) fn worst_cost_at(&self, bench: &Bench) -> Usd {
        let answer = self.answer_tokens(bench).into();
        let prompt = self.tokens_for(bench);
        if let Some(most) = bench.max_cost {
            return most;
        }
        match self.goes_by_batch(bench) {
            true => bench.price.worst_in_batch(prompt, answer),
            false => bench.price.worst(prompt, answer, bench.service_tier.as_deref()),
        }
    }

    /// Whether a worker's attempt is made in a batch.
    pub(super) fn goes_by_batch(&self, bench: &Bench) -> bool {
        let Some(batch) = &bench.batch else { return false };
        let is_late = || self.attempts.iter().any(|attempt| attempt.outcome == BATCH_EXPIRED);
        let own = self.attempts.iter().filter(|a| is_by(&a.worker_id, &bench.worker_type));
        (batch.all || self.summary.by_batch)
            && !(batch.on_expiry == OnExpiry::Now && is_late())
            && !retry::is_done_at_once(own)
    }

    pub(super) fn new(arrival: Arrival, summary: Summary, decision: Decision, seq: u64) -> Self {
        Self {
            file: arrival.file,
            fingerprint: arrival.fingerprint,
            attempts: Vec::new(),
            rung: None,
            stand_in: None,
            summary,
            decision,
            seq,
            state: State::Blocked(BTreeSet::new()),
            started_at: None,
            cancelled: false,
            told: None,
            successor: None,
            was_judged_anew: false,
            troubles: 0,
            owed: None,
            batch: None,
            estimate: Usd::ZERO,
            prompt_tokens: 0,
        }
    }

    /// Whether all that it depends on is completed and it is being filled with their answers.
    pub(super) fn is_judged_anew(&self) -> bool {
        self.summary.lacks_answers
            && matches!(&self.state, State::Blocked(missing) if missing.is_empty())
    }

    /// What a queue must know of it.
    pub(super) fn ticket(&self) -> Ticket<'_> {
        Ticket {
            task_type: &self.summary.wish.task_type,
            group: self.group(),
            priority: self.summary.wish.priority,
            seq: self.seq,
            since: self.summary.created_at,
        }
    }

    /// Its group's name; empty where it belongs to none.
    pub(super) fn group(&self) -> &str {
        self.summary.group.as_ref().map_or("", GroupName::as_str)
    }

    /// What all its attempts cost together, those of an earlier result too.
    pub(super) fn cost(&self) -> Usd {
        self.summary.earlier.iter().chain(&self.attempts).map(|attempt| attempt.cost_usd).sum()
    }

    /// The same, with what the subtasks of earlier runs cost: what of its `max_cost_usd` is used.
    pub(super) fn spent(&self) -> Usd {
        self.cost() + self.summary.earlier_subtasks_cost
    }

    pub(super) fn routing(&self) -> Routing {
        let seen = &self.summary.seen;
        Routing {
            difficulty_level: seen.difficulty,
            sensitivity_level: seen.sensitivity,
            reasons: seen.reasons.iter().chain(&self.decision.reasons).cloned().collect(),
            estimated_tokens: self.prompt_tokens,
            estimated_cost_usd: self.estimate,
        }
    }

    pub(super) fn worker_type(&self) -> Option<&WorkerType> {
        match &self.state {
            State::Queued(lane) | State::Running { lane, .. } | State::Batched { lane, .. } => {
                Some(lane)
            }
            State::Parent(family) => Some(&family.lane),
            _ => self.choice().ok(),
        }
    }

    /// How it is filed, given what came of it.
    pub(super) fn verdict(
        &self,
        error: Option<TaskError>,
        outcome: Option<Outcome>,
        now: Timestamp,
    ) -> Verdict {
        let folder = if error.is_none() { Folder::Completed } else { Folder::Failed };
        let attempts: Vec<Attempt> =
            self.summary.earlier.iter().chain(&self.attempts).cloned().collect();
        let worker_id = self.attempts.last().map(|attempt| attempt.worker_id.clone());
        let mut warnings = self.summary.warnings.clone();
        warnings.extend(self.decision.warnings.iter().cloned());
        warnings
            .extend(answer(outcome.as_ref()).into_iter().flat_map(|a| a.warnings.iter().cloned()));
        Verdict {
            folder,
            error,
            outcome,
            worker_type: worker_id.as_ref().and(self.worker_type().cloned()),
            worker_id,
            routing: self.routing(),
            attempts,
            cost: self.cost(),
            earlier_subtasks_cost: self.summary.earlier_subtasks_cost,
            created_at: self.summary.created_at,
            started_at: self.started_at,
            // A clock that was set back turns no time round.
            finished_at: self.started_at.map_or(now, |started| started.max(now)),
            warnings,
            children: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// The mirror's row for it.
    pub(super) fn row(&self, id: &TaskId, status: Folder, at: Timestamp) -> TaskRow {
        let seen = &self.summary.seen;
        TaskRow {
            task_id: id.clone(),
            task_type: self.summary.wish.task_type.clone(),
            difficulty: seen.difficulty,
            sensitivity: seen.sensitivity,
            worker_type: self.worker_type().cloned(),
            status,
            priority: self.summary.wish.priority,
            estimated_tokens: Some(self.prompt_tokens),
            actual_tokens: None,
            estimated_cost: Some(self.estimate),
            actual_cost: None,
            group: self.summary.group.clone(),
            parent: self.summary.parent.clone(),
            created_at: self.summary.created_at,
            updated_at: at,
            waits_for: None,
            error_kind: None,
            archived: None,
            pace: Pace::default(),
        }
    }

    /// The mirror's row for when its result is filed.
    pub(super) fn ended_row(&self, id: &TaskId, verdict: &Verdict) -> TaskRow {
        TaskRow {
            actual_tokens: usage(verdict.outcome.as_ref()).map(|usage| usage.total_tokens),
            actual_cost: Some(verdict.cost),
            error_kind: verdict.error.as_ref().map(|error| error.kind.as_str()),
            worker_type: verdict.worker_type.clone(),
            pace: Pace::of(
                verdict.created_at,
                verdict.started_at,
                verdict.finished_at,
                &verdict.attempts,
            ),
            ..self.row(id, verdict.folder, verdict.finished_at)
        }
    }
}

pub(super) fn answer(outcome: Option<&Outcome>) -> Option<&Answer> {
    match outcome {
        Some(Outcome::Done(answer)) => Some(answer),
        _ => None,
    }
}

pub(super) fn failure(outcome: &Outcome) -> Option<&Failure> {
    match outcome {
        Outcome::Failed(failure) => Some(failure),
        Outcome::Done(_) => None,
    }
}

pub(super) fn usage(outcome: Option<&Outcome>) -> Option<Usage> {
    match outcome? {
        Outcome::Done(answer) => answer.usage,
        Outcome::Failed(failure) => failure.usage,
    }
}

/// An attempt as `attempts` lists it.
pub(super) fn attempt(ended: &Ended, cost: Usd, batch_id: Option<String>) -> Attempt {
    let (outcome, message) = match failure(&ended.outcome) {
        None => (COMPLETED, String::new()),
        Some(failure) => (failure.outcome, failure.message.clone()),
    };
    Attempt {
        worker_id: ended.worker_id.clone(),
        started_at: ended.started_at,
        finished_at: ended.finished_at,
        outcome: outcome.to_owned(),
        message,
        cost_usd: cost,
        batch_id,
    }
}
