//! Tasks that make tasks: one whose answer asked for others waits for them in `in_progress`.
//!
//! Its attempt is over and paid, its answer is in the journal, and no hand is kept. When
//! the last of its subtasks has ended, its result is filed with what came of them.

use super::*;
use crate::task::result::Reason;
use crate::task::subtasks;

/// The subtasks that a task waits for.
#[derive(Debug)]
pub(super) struct Family {
    /// Who gave the answer that asked for them.
    pub lane: WorkerType,
    /// That answer.
    answer: Box<Answer>,
    /// All of them; none until they are in `pending`.
    children: Vec<TaskId>,
    missing: BTreeSet<TaskId>,
    failed: BTreeSet<TaskId>,
}

impl Family {
    /// Those that have not ended.
    pub(super) fn missing(&self) -> &BTreeSet<TaskId> {
        &self.missing
    }

    /// Whether they are still to be dropped.
    pub(super) fn is_being_dropped(&self) -> bool {
        self.children.is_empty()
    }
}

/// What people are told that such a task waits for.
pub(super) const ITS_SUBTASKS: &str = "its subtasks";

impl Foreman {
    /// Has the tasks dropped that an answer asks for.
    pub(super) fn spawn(
        &mut self,
        id: &TaskId,
        lane: &WorkerType,
        mut answer: Box<Answer>,
        line: Line,
        orders: &mut Vec<Order>,
    ) {
        let Some(entry) = self.tasks.get_mut(id) else { return };
        if let Some(most) = entry.summary.max_cost {
            subtasks::share(&mut answer.subtasks, most.less(entry.spent()));
        }
        orders.push(Order::Spawn(Box::new(Brood {
            parent: id.clone(),
            worker_type: lane.clone(),
            answer: answer.clone(),
            lines: vec![line],
        })));
        answer.subtasks = Vec::new();
        entry.state = State::Parent(Box::new(Family {
            lane: lane.clone(),
            answer,
            children: Vec::new(),
            missing: BTreeSet::new(),
            failed: BTreeSet::new(),
        }));
    }

    /// The subtasks of a task are in `pending`, and the journal knows them.
    pub(super) fn spawned(
        &mut self,
        id: &TaskId,
        children: Vec<TaskId>,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        // Whoever was told what lies in `pending` was not told of these.
        self.forget_list();
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let owed = entry.owed.take();
        let batch = entry.batch.take();
        let is_cancelled = entry.cancelled;
        if let State::Parent(family) = &mut entry.state {
            family.missing = children.iter().cloned().collect();
            family.children.clone_from(&children);
        }
        self.settle(owed);
        if let Some(batch) = batch {
            self.leave_batch(&batch, id, now, orders);
        }
        let count = Count(children.len() as u64, "subtask");
        orders.push(info(id, &format!("its answer asks for {count}, and it waits for them")));
        orders.extend(self.row_in_progress(id, now.wall).map(|row| Order::Record(Box::new(row))));
        for child in &children {
            self.parents.insert(child.clone(), id.clone());
        }
        for child in children {
            self.refuse_in_circle(&child, now, orders);
            if is_cancelled {
                self.cancel(&child, now, orders);
            }
            if !self.tasks.contains_key(&child) {
                self.looks += 1;
                orders.push(Order::Look(child));
            }
        }
    }

    /// A subtask that came before its parent's list may wait for its parent.
    fn refuse_in_circle(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        let Some(State::Blocked(missing)) = self.tasks.get(id).map(|entry| &entry.state) else {
            return;
        };
        if let Some(circle) = self.cycle(id, &missing.clone()) {
            self.refuse(id, in_a_circle(&circle), now, orders);
        }
    }

    /// A task is tried once more whose parent still waits: it is waited for again.
    pub(super) fn is_a_child_again(&mut self, id: &TaskId) {
        let Some(parent) = self.tasks.get(id).and_then(|entry| entry.summary.parent.clone()) else {
            return;
        };
        let entry = self.tasks.get_mut(&parent);
        if let Some(State::Parent(family)) = entry.map(|entry| &mut entry.state)
            && family.children.contains(id)
        {
            family.failed.remove(id);
            family.missing.insert(id.clone());
            self.parents.insert(id.clone(), parent);
        }
    }

    /// A task has ended or left; where another waits for it, that one is nearer to its end.
    pub(super) fn child_ended(
        &mut self,
        id: &TaskId,
        called: &TaskId,
        is_done: bool,
        sensitivity: Sensitivity,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let Some(parent) = self.parents.remove(id) else { return };
        let Some(entry) = self.tasks.get_mut(&parent) else { return };
        let State::Parent(family) = &mut entry.state else { return };
        family.missing.remove(id);
        if !is_done {
            family.failed.insert(called.clone());
        }
        if let Some(child) = family.children.iter_mut().find(|child| *child == id) {
            child.clone_from(called);
        }
        let seen = &mut entry.summary.seen;
        if sensitivity > seen.sensitivity {
            seen.sensitivity = sensitivity;
            let why = format!("its subtask `{called}` is confidential");
            seen.reasons.push(Reason::new("subtask", "confidentiality", "", why));
        }
        if family.missing.is_empty() {
            self.gather(&parent, now, orders);
        }
    }

    /// The one of these that failed or left, of those whom the same parent waits for.
    pub(super) fn lost_sibling(&self, id: &TaskId, of: &BTreeSet<TaskId>) -> Option<TaskId> {
        let parent = self.parents.get(id).and_then(|parent| self.tasks.get(parent))?;
        let State::Parent(family) = &parent.state else { return None };
        of.iter().find(|id| family.failed.contains(*id)).cloned()
    }

    /// A name left `pending` before anybody had told us of it: perhaps a subtask that was dropped
    /// just now.
    pub(super) fn unseen_child_left(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        if !self.parents.contains_key(id) || self.tasks.contains_key(id) {
            return;
        }
        orders.push(Order::Write(Box::new(Line::new(LineKind::Withdrawn, now.wall).of(id))));
        orders.push(info(id, "withdrawn: its file was taken out of pending"));
        self.fail_dependents(id, "was withdrawn", now, orders);
        self.child_ended(id, id, false, Sensitivity::Public, now, orders);
    }

    /// All subtasks of a task have ended: so has it.
    fn gather(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let state = std::mem::replace(&mut entry.state, State::Blocked(BTreeSet::new()));
        let State::Parent(family) = state else {
            entry.state = state;
            return;
        };
        let Family { lane, answer, children, failed, .. } = *family;
        let error = match failed.is_empty() {
            _ if entry.cancelled => Some(cancelled()),
            true => None,
            false => Some(error(
                ErrorKind::DependencyFailed,
                format!(
                    "of its subtasks {} failed: `children` says why; `koubou retry {id}` begins anew",
                    words::names(&failed, "and")
                ),
            )),
        };
        let mut verdict = entry.verdict(error, Some(Outcome::Done(answer)), now.wall);
        verdict.worker_type = Some(lane);
        verdict.children = children;
        let row = entry.ended_row(id, &verdict);
        entry.state = State::Ending(Box::new(row));
        orders.push(Order::File(id.clone(), Box::new(verdict)));
    }

    /// Somebody wants a task ended that waits for its subtasks: they end first.
    pub(super) fn cancel_family(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get_mut(id) else { return };
        entry.cancelled = true;
        let State::Parent(family) = &entry.state else { return };
        for child in family.missing.clone() {
            self.cancel(&child, now, orders);
            // Nobody waits for one that may never come; if it does, it is refused.
            self.unseen_child_left(&child, now, orders);
        }
    }

    /// Takes up a task that an earlier daemon left waiting for its subtasks.
    pub fn take_up_family(&mut self, left: LeftFamily, now: Now, orders: &mut Vec<Order>) {
        let LeftFamily { arrival, family, ended } = left;
        let Ok(summary) = &arrival.task else { return };
        let (id, summary) = (arrival.id.clone(), (**summary).clone());
        let past = self.past.remove(&id).unwrap_or_default();
        let mut entry = self.entry(arrival, summary, past, now);
        entry.started_at = entry.attempts.first().map(|attempt| attempt.started_at);
        entry.state = State::Parent(Box::new(Family {
            lane: family.worker_type,
            answer: family.answer,
            missing: family.children.iter().cloned().collect(),
            children: family.children.clone(),
            failed: BTreeSet::new(),
        }));
        self.files.insert(entry.file.clone(), id.clone());
        self.tasks.insert(id.clone(), entry);
        for child in family.children {
            self.parents.insert(child, id.clone());
        }
        for (child, is_done, sensitivity) in ended {
            self.child_ended(&child, &child, is_done, sensitivity, now, orders);
        }
    }
}
