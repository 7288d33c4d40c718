//! Somebody else does it: where a worker cannot be used, the first of a task's `fallback` that can.
//!
//! The trouble of the one who stands in is his own: it says nothing of the worker whose
//! place he takes. Whoever may not see a task is not in its list, so no trouble of any
//! worker takes a confidential task out of the house.

use super::*;
use crate::task::result::Reason;

/// So often all who may be stood in for are looked at, though no worker went out or came back:
/// money may have come back that a stand-in wanted.
const LOOK_AT_ALL: Duration = Duration::from_secs(1);

impl Foreman {
    /// Finds another place for the tasks that wait for a worker that cannot be used: for all of
    /// them, where a worker went out or came back, and else for those that came since.
    pub(super) fn fall_back(&mut self, now: Now, orders: &mut Vec<Order>) {
        let out: Vec<bool> = self.lanes.values().map(|lane| lane.is_out(now)).collect();
        let fresh = std::mem::take(&mut self.newly_movable);
        if !out.contains(&true) {
            self.were_out.0 = out;
            return;
        }
        let (before, looked_at) = &self.were_out;
        let at_all = *before != out || now.mono >= *looked_at + LOOK_AT_ALL;
        if at_all {
            self.were_out = (out, now.mono);
        }
        let mut waiting: Vec<(WorkerType, TaskId)> = Vec::new();
        for (name, lane) in self.lanes.iter().filter(|(_, lane)| lane.is_out(now)) {
            let of_lane = |id: &TaskId| (name.clone(), id.clone());
            match at_all {
                true => waiting.extend(lane.movable.iter().map(of_lane)),
                false => {
                    let ids = fresh.iter().filter(|id| lane.movable.contains(*id));
                    waiting.extend(ids.map(of_lane));
                }
            }
        }
        for (from, id) in waiting {
            let Some(next) = self.stand_in_for(&id, &from, now) else { continue };
            let why = self.lanes.get(&from).and_then(Lane::waits_for).unwrap_or_default();
            self.move_to(&id, next, why, now, orders);
        }
    }

    /// Finds another place for a task for which its worker has no money; `false` where there is none.
    pub(super) fn sidestep(
        &mut self,
        id: &TaskId,
        from: &WorkerType,
        why: &str,
        now: Now,
        orders: &mut Vec<Order>,
    ) -> bool {
        let Some(next) = self.stand_in_for(id, from, now) else { return false };
        self.move_to(id, next, format!("worker `{from}` has no money for it: {why}"), now, orders);
        true
    }

    fn move_to(
        &mut self,
        id: &TaskId,
        next: WorkerType,
        why: String,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        self.explain_fallback(id, &next, why, orders);
        self.unindex(id);
        if let Some(entry) = self.tasks.get_mut(id) {
            entry.stand_in = Some(next);
            entry.state = State::Blocked(BTreeSet::new());
        }
        self.enqueue(id, now, orders);
    }

    /// Passes on a task whose attempts its worker's own trouble has used up; `false` where nobody
    /// stands in.
    pub(super) fn pass_on(
        &mut self,
        id: &TaskId,
        from: &WorkerType,
        failure: &Failure,
        line: &Line,
        now: Now,
        orders: &mut Vec<Order>,
    ) -> bool {
        let its_own = failure.trouble.is_some() || failure.kind == ErrorKind::Timeout;
        if !its_own || self.tasks.get(id).is_none_or(|entry| entry.cancelled) {
            return false;
        }
        let Some(next) = self.stand_in_for(id, from, now) else { return false };
        let why = format!("worker `{from}` did not do it ({})", failure.outcome);
        self.explain_fallback(id, &next, why, orders);
        if let Some(entry) = self.tasks.get_mut(id) {
            entry.stand_in = Some(next.clone());
        }
        self.release(id, State::Queued(next), line.clone(), now, orders);
        true
    }

    /// The first who may do a task in the place of `from`, can be used, and has not used up its attempts.
    fn stand_in_for(&self, id: &TaskId, from: &WorkerType, now: Now) -> Option<WorkerType> {
        let entry = self.tasks.get(id)?;
        let can = |name: &&WorkerType| {
            let Some(lane) = self.lanes.get(*name) else { return false };
            *name != from
                && !lane.is_out(now)
                && self.may_ever_pay(entry, &lane.bench)
                && retry::counted(entry.attempts_of(name)) < most_attempts(entry, &lane.bench)
        };
        entry.decision.fallback.iter().find(can).cloned()
    }

    fn explain_fallback(
        &mut self,
        id: &TaskId,
        next: &WorkerType,
        why: String,
        orders: &mut Vec<Order>,
    ) {
        let why = format!("{why}; `{next}` stands in");
        orders.push(info(id, &why));
        self.explain(id, Reason::new("fallback", "fallback", "", why));
    }
}
