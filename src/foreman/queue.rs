//! Who is next: starts what can be started, and finds money for it.

use super::*;

impl Foreman {
    /// Starts whatever can be started.
    pub(super) fn dispatch(&mut self, now: Now, orders: &mut Vec<Order>) {
        if self.stopping || self.paused || self.no_room {
            return;
        }
        self.fall_back(now, orders);
        let names: Vec<WorkerType> = self.lanes.keys().cloned().collect();
        for name in names {
            while let Some(id) = self.head(&name, now) {
                if !self.start(&name, &id, now, orders) {
                    break;
                }
            }
            while let Some(id) = self.next_to_gather(&name, now) {
                if !self.start(&name, &id, now, orders) {
                    break;
                }
            }
        }
    }

    pub(super) fn head(&self, name: &WorkerType, now: Now) -> Option<TaskId> {
        let lane = self.lanes.get(name)?;
        lane.may_start(now).then(|| lane.waiting.first(now.wall).cloned()).flatten()
    }

    /// Starts a lane's first task, or finds it another place; `false` where the lane must wait.
    pub(super) fn start(
        &mut self,
        name: &WorkerType,
        id: &TaskId,
        now: Now,
        orders: &mut Vec<Order>,
    ) -> bool {
        if self.moves_elsewhere(name, id, now, orders) {
            return true;
        }
        let promise = match self.promise(name, id, now, orders) {
            Promised::Yes(promise) => promise,
            Promised::Refused => return true,
            Promised::NotNow(shortage) => return self.wait_for_money(name, id, shortage),
        };
        self.take_turn(name, id);
        self.unindex(id);
        self.marks += 1;
        let attempt = format!("{}-{}", self.run, self.marks);
        let batch = self.batch_for(name, id, &attempt, now);
        let (Some(entry), Some(lane)) = (self.tasks.get_mut(id), self.lanes.get_mut(name)) else {
            return false;
        };
        entry.started_at.get_or_insert(now.wall);
        let start = Start {
            id: id.clone(),
            file: entry.file.clone(),
            fingerprint: entry.fingerprint,
            task_type: entry.summary.wish.task_type.clone(),
            worker_type: name.clone(),
            sensitivity: entry.summary.seen.sensitivity,
            attempt,
            max_tokens: entry.answer_tokens(&lane.bench),
            reserved: promise.as_ref().map_or(Usd::ZERO, Reservation::amount),
            prompt_bytes: entry.summary.seen.prompt_bytes,
            batch: batch.clone(),
        };
        let lane_name = name.clone();
        entry.state = match batch {
            Some(batch) => State::Batched { lane: lane_name, promise, batch },
            None => {
                let tokens = entry.tokens_at_most(&lane.bench);
                lane.begin(tokens, now);
                State::Running { lane: lane_name, promise, tokens }
            }
        };
        orders.push(Order::Start(Box::new(start)));
        true
    }

    /// A task has its group's turn.
    fn take_turn(&mut self, name: &WorkerType, id: &TaskId) {
        if let (Some(entry), Some(lane)) = (self.tasks.get(id), self.lanes.get_mut(name)) {
            let by_batch = entry.goes_by_batch(&lane.bench);
            lane.queue_mut(by_batch).serve(entry.ticket());
        }
    }

    /// Past the alert threshold a task may belong elsewhere than when it came.
    pub(super) fn moves_elsewhere(
        &mut self,
        name: &WorkerType,
        id: &TaskId,
        now: Now,
        orders: &mut Vec<Order>,
    ) -> bool {
        let paid = self.lanes.get(name).is_some_and(|lane| lane.bench.is_paid());
        if !paid || !self.ledger.is_critical(now.wall) {
            return false;
        }
        let Some(entry) = self.tasks.get_mut(id) else { return false };
        // Whose task was passed on has been shown to need it.
        if entry.summary.seen.difficulty == Difficulty::High || entry.rung.is_some() {
            return false;
        }
        let decision = self.router.decide(&entry.summary.wish, &entry.summary.seen, true);
        if decision.worker_type.as_ref() == Ok(name) {
            return false;
        }
        // Out of the old queue before the decision that knows which queue it was in.
        self.unindex(id);
        if let Some(entry) = self.tasks.get_mut(id) {
            entry.state = State::Blocked(BTreeSet::new());
            entry.decision = decision;
            entry.stand_in = None;
        }
        self.enqueue(id, now, orders);
        true
    }

    /// Lets those wait whom the limit covers, a type of task or the whole lane; `false` for the lane.
    fn wait_for_money(&mut self, name: &WorkerType, id: &TaskId, shortage: Shortage) -> bool {
        let (Some(entry), Some(lane)) = (self.tasks.get(id), self.lanes.get_mut(name)) else {
            return false;
        };
        let by_batch = entry.goes_by_batch(&lane.bench);
        // A batch may keep its money for a day: who wants no batch does not wait for it.
        let holds_queue = by_batch || matches!(shortage.limit.scope, Scope::TaskType(_));
        match holds_queue {
            true => {
                lane.queue_mut(by_batch).hold(&entry.summary.wish.task_type, shortage);
            }
            false => lane.block = Some(Block::OverBudget(shortage)),
        }
        holds_queue
    }

    pub(super) fn promise(
        &mut self,
        name: &WorkerType,
        id: &TaskId,
        now: Now,
        orders: &mut Vec<Order>,
    ) -> Promised {
        let Some(entry) = self.tasks.get(id) else { return Promised::Refused };
        let estimate = entry.estimate;
        if let Some(most) = entry.summary.max_cost.filter(|most| entry.spent() + estimate > *most) {
            let text = format!(
                "this attempt may cost up to {estimate}{}, and `max_cost_usd` is {most}: lower `max_tokens`, or raise it",
                if entry.spent() > Usd::ZERO {
                    format!(" on top of {}", entry.spent())
                } else {
                    String::new()
                }
            );
            if !self.sidestep(id, name, &text, now, orders) {
                self.refuse(id, error(ErrorKind::OverBudget, text), now, orders);
            }
            return Promised::Refused;
        }
        if estimate == Usd::ZERO {
            return Promised::Yes(None);
        }
        let purpose = Purpose::new(name, &entry.summary.wish.task_type);
        match self.ledger.reserve(estimate, purpose, now.wall) {
            Ok(promise) => Promised::Yes(Some(promise)),
            Err(Refusal::NotBefore(shortage)) if self.waits_out(&shortage) => {
                let is_out = !shortage.is_promised;
                match is_out && self.sidestep(id, name, &shortage.in_words(), now, orders) {
                    true => Promised::Refused,
                    false => Promised::NotNow(shortage),
                }
            }
            Err(refusal) => {
                let text = format!(
                    "this attempt may cost up to {estimate}, and {}",
                    why_not_paid(id, &refusal)
                );
                if !self.sidestep(id, name, &text, now, orders) {
                    self.refuse(id, error(ErrorKind::OverBudget, text), now, orders);
                }
                Promised::Refused
            }
        }
    }

    /// Whether a task waits until there is money again; what is only promised may come back at any time.
    pub(super) fn waits_out(&self, shortage: &Shortage) -> bool {
        self.on_exhausted == OnExhausted::Wait || shortage.is_promised
    }
}

fn why_not_paid(id: &TaskId, refusal: &Refusal) -> String {
    match refusal {
        Refusal::Never { limit, amount } => format!(
            "the {} is {amount}: lower `max_tokens`; {} raises the limit",
            limit.in_words(),
            limit.raised_by()
        ),
        Refusal::NotBefore(shortage) => {
            format!("{}; `koubou retry {id}` then runs it again", shortage.in_words())
        }
    }
}
