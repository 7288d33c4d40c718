//! What follows from a file in `pending`: it is admitted, placed, withdrawn, rejected, or could not be claimed.

use super::*;

impl Foreman {
    pub(super) fn arrived(&mut self, arrival: Arrival, now: Now, orders: &mut Vec<Order>) {
        self.listed = None;
        let known = self.tasks.get_mut(&arrival.id);
        match known.map(|entry| (&entry.state, &mut entry.successor)) {
            Some((
                State::Running { .. } | State::Batched { .. } | State::Parent(_) | State::Ending(_),
                successor,
            )) => {
                *successor = Some(Box::new(arrival));
                return;
            }
            Some((State::Releasing(_), _)) => self.released(&arrival.id.clone(), now, orders),
            _ => {}
        }
        let known = self.tasks.get(&arrival.id);
        if known.is_some_and(|entry| {
            entry.fingerprint == arrival.fingerprint
                && entry.file == arrival.file
                && !matches!(entry.state, State::Stuck(_))
                && !entry.is_judged_anew()
        }) {
            return;
        }
        let id = arrival.id.clone();
        let (mut told, mut was_judged_anew) = (None, false);
        let past = match self.forget(&arrival.id) {
            Some(mut entry) => {
                told = entry.told.take();
                was_judged_anew = entry.is_judged_anew();
                entry.into_past()
            }
            None => self.past.get(&arrival.id).cloned().unwrap_or_default(),
        };
        match arrival.task {
            Err(error) => {
                self.reject(arrival.file, arrival.id, error, arrival.dropped_at, now, orders);
                if let Some(Order::Reject { again, .. }) = orders.last_mut() {
                    *again = told.is_some();
                }
            }
            Ok(ref summary) => {
                let summary = (**summary).clone();
                self.admit(arrival, summary, past, now, orders);
            }
        }
        if let Some(entry) = self.tasks.get_mut(&id) {
            (entry.told, entry.was_judged_anew) = (told, was_judged_anew);
        }
    }

    /// What is remembered of a task from now on, with what came before for it.
    pub(super) fn entry(
        &mut self,
        arrival: Arrival,
        summary: Summary,
        past: Past,
        now: Now,
    ) -> Entry {
        self.seq += 1;
        let critical = self.ledger.is_critical(now.wall);
        let decision = self.router.decide(&summary.wish, &summary.seen, critical);
        let mut entry = Entry::new(arrival, summary, decision, self.seq);
        (entry.attempts, entry.rung) = (past.attempts, past.rung);
        entry
    }

    pub(super) fn admit(
        &mut self,
        arrival: Arrival,
        summary: Summary,
        past: Past,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let id = arrival.id.clone();
        self.files.insert(arrival.file.clone(), id.clone());
        let entry = self.entry(arrival, summary, past, now);
        if let Some(at) = entry.summary.expires_at {
            self.expiries.insert((at, id.clone()));
        }
        self.tasks.insert(id.clone(), entry);
        self.is_a_child_again(&id);
        self.place_anew(&id, now, orders);
    }

    /// Finds out what a task in `pending` waits for, or that it must not run at all.
    pub(super) fn place_anew(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get(id) else { return };
        if let Some(error) = self.why_never(id, entry, now) {
            return self.refuse(id, error, now, orders);
        }
        let depends_on: BTreeSet<TaskId> = entry.summary.depends_on.iter().cloned().collect();
        if let Some(cycle) = self.cycle(id, &depends_on) {
            return self.refuse(id, in_a_circle(&cycle), now, orders);
        }
        if let Some(lost) = self.lost_sibling(id, &depends_on) {
            let text = format!(
                "`{lost}`, which this task depends on, failed or was withdrawn; mend that one, then `koubou retry {id}`"
            );
            return self.refuse(id, error(ErrorKind::DependencyFailed, text), now, orders);
        }
        if !depends_on.is_empty() {
            for dependency in &depends_on {
                self.dependents.entry(dependency.clone()).or_default().insert(id.clone());
                self.looks += 1;
                orders.push(Order::Look(dependency.clone()));
            }
            return self.set_state(id, State::Blocked(depends_on), orders);
        }
        self.await_time(id, now, orders);
    }

    /// The circle that a task would close by waiting for these, in words.
    pub(super) fn cycle(&self, id: &TaskId, depends_on: &BTreeSet<TaskId>) -> Option<String> {
        // Nobody waits for it, so nothing that it waits for can.
        if !self.dependents.contains_key(id) && !self.parents.contains_key(id) {
            return None;
        }
        let mut from: HashMap<&TaskId, &TaskId> =
            depends_on.iter().map(|next| (next, id)).collect();
        let mut open: Vec<&TaskId> = depends_on.iter().collect();
        while let Some(at) = open.pop() {
            if at == id {
                let mut circle = vec![format!("`{id}`")];
                let mut step = from[at];
                while step != id {
                    circle.push(format!("`{step}`"));
                    step = from[step];
                }
                circle.push(format!("`{id}`"));
                circle.reverse();
                return Some(circle.join(" waits for "));
            }
            let missing = match self.tasks.get(at).map(|entry| &entry.state) {
                Some(State::Blocked(missing)) => missing,
                Some(State::Parent(family)) => family.missing(),
                _ => continue,
            };
            for next in missing {
                if !from.contains_key(next) {
                    from.insert(next, at);
                    open.push(next);
                }
            }
        }
        None
    }

    pub(super) fn why_never(&self, id: &TaskId, entry: &Entry, now: Now) -> Option<TaskError> {
        if self.cancels.contains(id) || entry.cancelled {
            return Some(cancelled());
        }
        if entry.summary.expires_at.is_some_and(|at| at <= now.wall) {
            return Some(expired());
        }
        let worker_type = match entry.choice() {
            Err(why) => return Some(error(ErrorKind::NoWorker, why)),
            Ok(worker_type) => worker_type,
        };
        let bench = &self.lanes.get(worker_type)?.bench;
        let past = Past { attempts: entry.attempts.clone(), ..Past::default() };
        let most = most_attempts(entry, bench);
        let survivable = if bench.survives_one_death { most.max(2) } else { most };
        (past.deaths() >= survivable).then(|| {
            let deaths = Count(u64::from(past.deaths()), "attempt");
            error(
                ErrorKind::DaemonDied,
                format!("the daemon died during {deaths} at this task; if the task is not to blame, `koubou retry {id}`"),
            )
        })
    }

    /// The last step before the queue: a stated time, or a retry's.
    pub(super) fn await_time(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get(id) else { return };
        if let Some(at) = entry.summary.not_before.filter(|at| *at > now.wall) {
            let why = format!("its `not_before`, {}", clock::rfc3339(at));
            return self.set_state(id, State::Delayed { until: Until::Wall(at), why }, orders);
        }
        let next_try = self.past.remove(id).and_then(|past| past.next_try);
        if let Some(at) = next_try.filter(|at| *at > now.wall) {
            let why = format!("its next attempt, at {}", clock::rfc3339(at));
            let until = Until::Mono(now.mono + clock::between(now.wall, at));
            return self.set_state(id, State::Delayed { until, why }, orders);
        }
        self.enqueue(id, now, orders);
    }

    pub(super) fn enqueue(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get(id) else { return };
        match entry.choice().cloned() {
            Err(why) => self.refuse(id, error(ErrorKind::NoWorker, why), now, orders),
            Ok(lane) => self.set_state(id, State::Queued(lane), orders),
        }
    }

    /// Puts a waiting task where it belongs in every index, and tells the mirror.
    pub(super) fn set_state(&mut self, id: &TaskId, state: State, orders: &mut Vec<Order>) {
        self.unindex(id);
        let Some(entry) = self.tasks.get_mut(id) else { return };
        match &state {
            State::Queued(name) => {
                if let Some(lane) = self.lanes.get_mut(name) {
                    entry.prompt_tokens = entry.tokens_for(&lane.bench);
                    entry.estimate = entry.worst_cost_at(&lane.bench);
                    let by_batch = entry.goes_by_batch(&lane.bench);
                    lane.queue_mut(by_batch).insert(entry.ticket(), id.clone());
                    if !entry.decision.fallback.is_empty() {
                        lane.movable.insert(id.clone());
                        self.newly_movable.push(id.clone());
                    }
                }
            }
            State::Delayed { until: Until::Wall(at), .. } => {
                self.by_wall.insert((*at, id.clone()));
            }
            State::Delayed { until: Until::Mono(at), .. } => {
                self.by_mono.insert((*at, id.clone()));
            }
            _ => {}
        }
        entry.state = state;
        self.record_waiting(id, orders);
    }

    /// Takes a task out of every index that its state has it in.
    pub(super) fn unindex(&mut self, id: &TaskId) {
        let Some(entry) = self.tasks.get(id) else { return };
        match &entry.state {
            State::Queued(lane) => {
                if let Some(lane) = self.lanes.get_mut(lane) {
                    for queue in lane.queues_mut() {
                        queue.remove(entry.ticket());
                    }
                    lane.movable.remove(id);
                }
            }
            State::Delayed { until: Until::Wall(at), .. } => {
                self.by_wall.remove(&(*at, id.clone()));
            }
            State::Delayed { until: Until::Mono(at), .. } => {
                self.by_mono.remove(&(*at, id.clone()));
            }
            State::Blocked(missing) => {
                for dependency in missing {
                    if let Some(waiting) = self.dependents.get_mut(dependency) {
                        waiting.remove(id);
                        if waiting.is_empty() {
                            self.dependents.remove(dependency);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// Forgets a task whole.
    pub(super) fn forget(&mut self, id: &TaskId) -> Option<Entry> {
        self.unindex(id);
        let mut entry = self.tasks.remove(id)?;
        self.settle(entry.owed.take());
        if self.files.get(&entry.file) == Some(id) {
            self.files.remove(&entry.file);
        }
        if let Some(at) = entry.summary.expires_at {
            self.expiries.remove(&(at, id.clone()));
        }
        Some(entry)
    }

    pub(super) fn withdrawn(&mut self, file: &OsStr, now: Now, orders: &mut Vec<Order>) {
        let Some(id) = self.files.get(file).cloned() else {
            return self.unseen_child_left(&TaskId::from_file_name(file), now, orders);
        };
        if self.tasks.get(&id).is_some_and(|entry| entry.state.is_waiting()) {
            self.leave(&id, now, orders);
        }
    }

    /// A task left by somebody's hand: its row goes, a log line stays, what depends on it fails.
    pub(super) fn leave(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.forget(id) else { return };
        self.past.remove(id);
        orders.push(Order::Write(Box::new(Line::new(LineKind::Withdrawn, now.wall).of(id))));
        orders.push(Order::Forget(id.clone()));
        orders.push(info(id, "withdrawn: its file was taken out of pending"));
        self.fail_dependents(id, "was withdrawn", now, orders);
        self.child_ended(id, id, false, entry.summary.seen.sensitivity, now, orders);
    }

    pub(super) fn reject(
        &mut self,
        file: OsString,
        id: TaskId,
        error: TaskError,
        dropped_at: Timestamp,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        self.seq += 1;
        let arrival = Arrival {
            file: file.clone(),
            id: id.clone(),
            fingerprint: 0,
            dropped_at,
            task: Err(error.clone()),
        };
        let summary = Summary::of_no_task(dropped_at);
        let decision = crate::route::Decision::none(String::new());
        let mut entry = Entry::new(arrival, summary, decision, self.seq);
        let mut row = entry.row(&id, Folder::Failed, now.wall);
        (row.estimated_cost, row.estimated_tokens) = (None, None);
        row.actual_cost = Some(Usd::ZERO);
        row.error_kind = Some(error.kind.as_str());
        row.pace = crate::task::fact::Pace::of(dropped_at, None, now.wall, &[]);
        entry.state = State::Ending(Box::new(row));
        self.files.insert(file.clone(), id.clone());
        self.tasks.insert(id.clone(), entry);
        orders.push(Order::Reject {
            file,
            id,
            error,
            dropped_at,
            judged_at: now.wall,
            again: false,
        });
    }

    /// Claims a waiting task only to file it as failed.
    pub(super) fn refuse(
        &mut self,
        id: &TaskId,
        error: TaskError,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        self.unindex(id);
        self.cancels.remove(id);
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let mut verdict = entry.verdict(Some(error), None, now.wall);
        verdict.worker_type = None;
        verdict.worker_id = None;
        let row = entry.ended_row(id, &verdict);
        entry.state = State::Ending(Box::new(row));
        if let Some(error) = &verdict.error {
            // It may quote a field; of a confidential task none is told.
            let text = match entry.summary.seen.sensitivity {
                Sensitivity::Public => format!("{}: {}", error.kind.as_str(), error.message),
                Sensitivity::Confidential => error.kind.as_str().to_owned(),
            };
            orders.push(say(log::Level::Warn, Some(id), &text));
        }
        orders.push(Order::Refuse(Box::new(Refuse {
            id: id.clone(),
            file: entry.file.clone(),
            fingerprint: entry.fingerprint,
            verdict,
        })));
    }

    pub(super) fn not_claimed(
        &mut self,
        id: &TaskId,
        why: NotClaimed,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let before = std::mem::replace(&mut entry.state, State::Blocked(BTreeSet::new()));
        let successor = entry.successor.take();
        if let State::Batched { batch, .. } = &before {
            self.leave_batch(&batch.clone(), id, now, orders);
        }
        self.free_hand(before);
        match why {
            NotClaimed::Gone if successor.is_none() => self.leave(id, now, orders),
            NotClaimed::Gone | NotClaimed::Changed => {
                self.forget_list();
                if let Some(entry) = self.forget(id) {
                    self.past.insert(id.clone(), entry.into_past());
                }
                // It was told while a hand reached for what stood there before, and is told no more.
                if let Some(successor) = successor {
                    self.arrived(*successor, now, orders);
                }
            }
            NotClaimed::Confidential(reasons) => self.raise(id, reasons, now, orders),
            NotClaimed::NotOurs(why) => {
                // It is looked at again with every listing, and told once.
                let told = self.tasks.get_mut(id).map(|entry| &mut entry.told);
                if told.is_some_and(|told| told.replace(why.clone()).as_ref() != Some(&why)) {
                    orders.push(say(log::Level::Warn, Some(id), &why));
                }
                self.set_state(id, State::Stuck(why), orders);
            }
            NotClaimed::Trouble(why) => self.trouble(id, why, now, orders),
        }
    }

    /// Gives back a hand and a promise that were not used.
    pub(super) fn free_hand(&mut self, state: State) {
        let (promise, hand) = match state {
            State::Running { lane, promise, tokens } => (promise, Some((lane, tokens))),
            State::Batched { promise, .. } => (promise, None),
            _ => return,
        };
        if let Some(promise) = promise {
            self.ledger.give_back(promise);
            self.money_is_back();
        }
        if let Some((lane, tokens)) = hand
            && let Some(lane) = self.lanes.get_mut(&lane)
        {
            lane.busy -= 1;
            lane.tokens.give_back(tokens);
        }
    }

    pub(super) fn raise(
        &mut self,
        id: &TaskId,
        reasons: Vec<crate::task::result::Reason>,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let critical = self.ledger.is_critical(now.wall);
        let Some(entry) = self.tasks.get_mut(id) else { return };
        entry.summary.seen.sensitivity = Sensitivity::Confidential;
        entry.summary.seen.reasons.extend(reasons);
        entry.decision = self.router.decide(&entry.summary.wish, &entry.summary.seen, critical);
        self.enqueue(id, now, orders);
    }

    /// Our own trouble is never a task's failure: it waits, and is tried again.
    pub(super) fn trouble(&mut self, id: &TaskId, why: String, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get_mut(id) else { return };
        entry.troubles += 1;
        if entry.troubles == 1 {
            orders.push(say(
                log::Level::Error,
                Some(id),
                &format!("{why}; koubou tries again by itself"),
            ));
        }
        let until =
            Until::Mono(now.mono + retry::pause(entry.troubles, None, salt(id, entry.troubles)));
        self.set_state(id, State::Delayed { until, why }, orders);
    }
}
