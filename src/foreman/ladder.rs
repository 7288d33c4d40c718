//! A task climbs: where no answer of a worker is accepted, the next of its ladder is asked.

use super::*;
use crate::task::Attempt;
use crate::task::result::Reason;

impl Entry {
    /// Who is to work on it: who stands in, whom it was passed on to, or whom the router chose.
    pub(super) fn choice(&self) -> Result<&WorkerType, String> {
        let may = |name: &&WorkerType| self.decision.fallback.contains(name);
        if let Some(stand_in) = self.stand_in.as_ref().filter(may) {
            return Ok(stand_in);
        }
        // A rung that the task may not stand on any more is none.
        match self.rung.as_ref().filter(|rung| self.decision.ladder.contains(rung)) {
            Some(rung) => Ok(rung),
            None => self.decision.worker_type.as_ref().map_err(String::clone),
        }
    }

    /// The rungs above a worker, the nearest first.
    fn above(&self, name: &WorkerType) -> &[WorkerType] {
        let ladder = &self.decision.ladder;
        ladder.iter().position(|rung| rung == name).map_or(ladder, |at| &ladder[at + 1..])
    }

    /// The attempts that count for a worker: where others may be asked only its own, else all.
    pub(super) fn attempts_of<'a>(
        &'a self,
        name: &'a WorkerType,
    ) -> impl Iterator<Item = &'a Attempt> {
        let climbs = !self.decision.ladder.is_empty() || !self.decision.fallback.is_empty();
        self.attempts.iter().filter(move |attempt| !climbs || is_by(&attempt.worker_id, name))
    }

    /// What must be known of it when its file is read again.
    pub(super) fn into_past(self) -> Past {
        Past { attempts: self.attempts, next_try: None, rung: self.rung }
    }
}

/// Whether a hand, `gpt5_medium-1`, is one of a worker's.
pub(super) fn is_by(worker_id: &str, name: &WorkerType) -> bool {
    worker_id.rsplit_once('-').is_some_and(|(worker, _)| worker == name.as_str())
}

/// Whether a better worker could do what this one could not.
fn may_climb(failure: &Failure) -> bool {
    match failure.kind {
        ErrorKind::NotAccepted
        | ErrorKind::RefusedByWorker
        | ErrorKind::AttemptsExhausted
        | ErrorKind::Timeout => true,
        // A check that cannot be run says nothing of the answer.
        ErrorKind::CommandFailed => failure.outcome != CHECK_FAILED,
        _ => false,
    }
}

impl Foreman {
    /// Passes a task on to the next of its ladder; `false` where nobody is left.
    pub(super) fn climb(
        &mut self,
        id: &TaskId,
        from: &WorkerType,
        failure: &Failure,
        line: &Line,
        now: Now,
        orders: &mut Vec<Order>,
    ) -> bool {
        let Some(entry) = self.tasks.get(id) else { return false };
        if entry.cancelled || !may_climb(failure) {
            return false;
        }
        let is_open = |name: &&WorkerType| {
            let lane = self.lanes.get(*name).filter(|lane| lane.bench.disabled.is_none());
            lane.is_some_and(|lane| self.may_ever_pay(entry, &lane.bench))
        };
        let above = entry.above(from);
        let Some(next) = above.iter().find(is_open).cloned() else {
            if let Some(nearest) = above.first() {
                let why = format!(
                    "`{nearest}` is not asked: it takes no work, or `max_cost_usd` or a limit of the budget is too low for it"
                );
                orders.push(info(id, &why));
                self.explain(id, Reason::new("escalate", "escalation", "", why));
            }
            return false;
        };
        let why = format!("`{from}` did not do it ({}): `{next}` is asked next", failure.outcome);
        orders.push(info(id, &why));
        self.explain(id, Reason::new("escalate", "escalation", "", why));
        if let Some(entry) = self.tasks.get_mut(id) {
            entry.rung = Some(next.clone());
        }
        self.release(id, State::Queued(next.clone()), line.clone(), now, orders);
        let passed_on = Line {
            worker_type: Some(next),
            until: Some(now.wall),
            ..Line::new(LineKind::Retry, now.wall).of(id)
        };
        if let Some(Order::Release(_, lines)) = orders.last_mut() {
            lines.push(passed_on);
        }
        true
    }

    pub(super) fn explain(&mut self, id: &TaskId, reason: Reason) {
        if let Some(entry) = self.tasks.get_mut(id) {
            entry.decision.reasons.push(reason);
        }
    }

    /// Whether a worker's attempt fits what the task may cost and what may be spent, now or later:
    /// to pass it on to one that does not would lose the answer that there is.
    pub(super) fn may_ever_pay(&self, entry: &Entry, bench: &Bench) -> bool {
        let worst = entry.worst_cost_at(bench);
        let fits_task = entry.summary.max_cost.is_none_or(|most| entry.spent() + worst <= most);
        let purpose = Purpose::new(&bench.worker_type, &entry.summary.wish.task_type);
        let fits_limits = || match self.ledger.why_not(worst, &purpose) {
            None => true,
            Some(Refusal::Never { .. }) => false,
            Some(Refusal::NotBefore(shortage)) => self.waits_out(&shortage),
        };
        fits_task && (worst == Usd::ZERO || fits_limits())
    }
}
