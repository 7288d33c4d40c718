//! What follows from an attempt's end: it is settled, and the task is filed or tried again.

use super::*;

impl Foreman {
    pub(super) fn ended(&mut self, id: &TaskId, ended: Ended, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let state = std::mem::replace(&mut entry.state, State::Blocked(BTreeSet::new()));
        let (name, promise, tokens, batch) = match state {
            State::Running { lane, promise, tokens } => (lane, promise, Some(tokens), None),
            State::Batched { lane, promise, batch } => (lane, promise, None, Some(batch)),
            other => {
                entry.state = other;
                return;
            }
        };
        let mut ended = ended;
        if entry.cancelled && batch.is_some() {
            ended.outcome = dropped(ended.outcome);
        }
        let batch_id = batch.as_ref().and_then(|mark| self.batches.get(mark)?.id());
        entry.batch.clone_from(&batch);
        if let Some(mark) = &batch {
            batch::leave_gathering(&mut self.batches, mark, id);
        }
        let task_type = Some(entry.summary.wish.task_type.clone());
        let is_confidential = entry.summary.seen.sensitivity == Sensitivity::Confidential;
        let spent = ended.outcome.spent();
        let cost = promise.as_ref().map_or(Usd::ZERO, |money| spent.of_reserved(money.amount()));
        entry.owed = promise.map(|promise| (promise, cost));
        let Some(lane) = self.lanes.get_mut(&name) else { return };
        if let Some(tokens) = tokens {
            lane.busy -= 1;
            lane.tokens.give_back(tokens.saturating_sub(tokens_used(&ended.outcome, tokens)));
        }
        let mut line = Line {
            task_type,
            batch: batch.clone(),
            batch_id: batch_id.clone(),
            ..end_line(id, &lane.bench, &ended, cost, now)
        };
        // `watch` tells what the journal does; what was said of a confidential task stays in its result.
        line.message = line.message.filter(|_| !is_confidential);
        // That a batch was done says nothing of how its server answers now.
        match &batch {
            Some(_) if backlog::failure(&ended.outcome).is_none() => lane.did_a_batch(),
            _ => self.learn_of_worker(&name, &ended, now, orders),
        }
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let attempt = backlog::attempt(&ended, cost, batch_id);
        if counts_as_attempt(&attempt.outcome) {
            entry.attempts.push(attempt);
        }
        match ended.outcome {
            Outcome::Done(answer) if !answer.subtasks.is_empty() => {
                self.spawn(id, &name, answer, line, orders);
            }
            Outcome::Done(_) => self.file(id, &name, None, ended.outcome, line, now, orders),
            Outcome::Failed(failure) => self.failed(id, &name, *failure, line, now, orders),
        }
    }

    /// Settles what an attempt cost, once the journal says so: were it settled before, a kill
    /// between the two would give the same money out twice.
    pub(super) fn settle(&mut self, owed: Option<(Reservation, Usd)>) {
        if let Some((promise, cost)) = owed {
            self.ledger.settle(promise, cost);
            self.settled = true;
            self.money_is_back();
        }
    }

    /// After money came back, lanes that waited for it may ask again.
    pub(super) fn money_is_back(&mut self) {
        self.lanes.values_mut().for_each(Lane::money_is_back);
    }

    pub(super) fn learn_of_worker(
        &mut self,
        name: &WorkerType,
        ended: &Ended,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let Some(lane) = self.lanes.get_mut(name) else { return };
        let failure = match &ended.outcome {
            Outcome::Done(answer) => {
                lane.did_well();
                if let Some(pause) = answer.pause {
                    self.rest(name, pause, now, orders);
                }
                return;
            }
            Outcome::Failed(failure) => failure,
        };
        match &failure.trouble {
            None => {}
            Some(Trouble::Failing) => lane.fail(&failure.message, now),
            Some(Trouble::Overloaded) => {
                lane.narrow(ended.started_at, now);
                lane.fail(&failure.message, now);
            }
            Some(Trouble::Unreachable) => lane.miss(failure.message.clone(), now),
            Some(Trouble::Billing | Trouble::BadKey) => {
                let then = format!("`koubou resume {name}`");
                let said = &failure.message;
                lane.stop(match said.contains(&then) {
                    true => said.clone(),
                    false => format!("{said}; then {then}"),
                });
            }
            Some(Trouble::RateLimited(pause)) => {
                lane.narrow(ended.started_at, now);
                self.rest(name, pause.unwrap_or(DEFAULT_PAUSE), now, orders);
            }
            Some(trouble @ (Trouble::BatchRefused | Trouble::NoBatches)) => {
                let is_sure = *trouble == Trouble::NoBatches;
                self.batch_refused(name, &failure.message, is_sure, now, orders);
            }
        }
    }

    /// A server wants to be left alone for a while; the journal remembers it over a restart.
    fn rest(&mut self, name: &WorkerType, pause: Duration, now: Now, orders: &mut Vec<Order>) {
        let Some(lane) = self.lanes.get_mut(name) else { return };
        lane.limit(pause, now);
        orders.push(Order::Write(Box::new(Line {
            worker_type: Some(name.clone()),
            until: Some(clock::later(now.wall, pause)),
            ..Line::new(LineKind::Pause, now.wall)
        })));
    }

    pub(super) fn failed(
        &mut self,
        id: &TaskId,
        lane: &WorkerType,
        failure: Failure,
        line: Line,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let is_long = |pause: Duration| pause > lane::PATIENCE;
        if matches!(failure.next, Next::Retry { at_least: Some(pause) } if is_long(pause))
            && self.pass_on(id, lane, &failure, &line, now, orders)
        {
            return;
        }
        let Some(entry) = self.tasks.get(id) else { return };
        let cancelled = entry.cancelled;
        let most = self.lanes.get(lane).map_or(1, |lane| most_attempts(entry, &lane.bench));
        let made = retry::counted(entry.attempts_of(lane));
        let next = match failure.next {
            _ if entry.cancelled => None,
            Next::Never => None,
            Next::NotAnAttempt => Some(State::Queued(lane.clone())),
            Next::Retry { .. } if made >= most || self.is_in_vain(entry, lane) => None,
            Next::Retry { at_least } => {
                let failures = entry.attempts.len() as u32;
                let pause = retry::pause(failures, at_least, salt(id, failures));
                let why = format!(
                    "its next attempt, {} after the last ({})",
                    words::span(pause),
                    failure.outcome
                );
                Some(State::Delayed { until: Until::Mono(now.mono + pause), why })
            }
        };
        match next {
            None if self.pass_on(id, lane, &failure, &line, now, orders) => {}
            None if self.climb(id, lane, &failure, &line, now, orders) => {}
            None => {
                let error = final_error(cancelled, &failure, made);
                self.file(
                    id,
                    lane,
                    Some(error),
                    Outcome::Failed(Box::new(failure)),
                    line,
                    now,
                    orders,
                );
            }
            Some(then) => self.release(id, then, line, now, orders),
        }
    }

    /// Whether one more attempt of a worker is of no use, though it has some left.
    fn is_in_vain(&self, entry: &Entry, name: &WorkerType) -> bool {
        let ran_out = retry::ran_out(entry.attempts_of(name));
        let too_dear =
            || self.lanes.get(name).is_some_and(|lane| !self.may_ever_pay(entry, &lane.bench));
        retry::waited_enough(entry.attempts_of(name)) || ran_out >= 2 || ran_out == 1 && too_dear()
    }

    pub(super) fn release(
        &mut self,
        id: &TaskId,
        then: State,
        line: Line,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let mut lines = vec![line];
        if let State::Delayed { until: Until::Mono(at), .. } = &then {
            let until = Some(clock::later(now.wall, at.saturating_sub(now.mono)));
            lines.push(Line { until, ..Line::new(LineKind::Retry, now.wall).of(id) });
        }
        if let Some(entry) = self.tasks.get_mut(id) {
            // Back in `pending` it is named by its id, whatever its first file was called.
            self.files.remove(&entry.file);
            entry.file = id.file_name().into();
            self.files.insert(entry.file.clone(), id.clone());
            entry.state = State::Releasing(Box::new(then));
        }
        orders.push(Order::Release(id.clone(), lines));
    }

    #[expect(clippy::too_many_arguments, reason = "a verdict's parts come from as many places")]
    pub(super) fn file(
        &mut self,
        id: &TaskId,
        lane: &WorkerType,
        error: Option<TaskError>,
        outcome: Outcome,
        line: Line,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let mut verdict = entry.verdict(error, Some(outcome), now.wall);
        let has_batches = self.lanes.get(lane).is_some_and(|lane| lane.batch_terms().is_some());
        if entry.summary.by_batch && !has_batches {
            verdict.warnings.push(format!(
                "`urgency` changed nothing: worker `{lane}` costs nothing and has no batches"
            ));
        }
        verdict.worker_type = Some(lane.clone());
        verdict.lines.push(line);
        let row = entry.ended_row(id, &verdict);
        entry.state = State::Ending(Box::new(row));
        orders.push(Order::File(id.clone(), Box::new(verdict)));
    }

    /// A task's result is in its folder, called so.
    pub(super) fn filed(
        &mut self,
        id: &TaskId,
        called: &TaskId,
        folder: Folder,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let Some(mut entry) = self.forget(id) else { return };
        self.past.remove(id);
        if let Some(batch) = entry.batch.take() {
            self.leave_batch(&batch, id, now, orders);
        }
        let State::Ending(mut row) = entry.state else { return };
        (row.status, row.task_id) = (folder, called.clone());
        orders.push(Order::Record(row));
        match folder {
            Folder::Completed => self.satisfy_dependents(id, now, orders),
            _ => self.fail_dependents(id, "failed", now, orders),
        }
        let (is_done, level) = (folder == Folder::Completed, entry.summary.seen.sensitivity);
        self.child_ended(id, called, is_done, level, now, orders);
        // What came under its id while it was worked on cannot have that id now.
        if let Some(successor) = entry.successor {
            orders.push(Order::Afresh(successor.file));
        }
    }

    pub(super) fn released(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let state = std::mem::replace(&mut entry.state, State::Blocked(BTreeSet::new()));
        let owed = entry.owed.take();
        let batch = entry.batch.take();
        self.settle(owed);
        if let Some(batch) = batch {
            self.leave_batch(&batch, id, now, orders);
        }
        let Some(entry) = self.tasks.get_mut(id) else { return };
        match state {
            State::Releasing(then) if entry.cancelled => {
                drop(then);
                self.refuse(id, cancelled(), now, orders);
            }
            State::Releasing(then) => self.set_state(id, *then, orders),
            other => entry.state = other,
        }
    }
}

/// What is left of an attempt in a batch that nobody wants any more: its cost.
fn dropped(outcome: Outcome) -> Outcome {
    let spent = outcome.spent();
    let message = match spent {
        Spent::Nothing => "it was cancelled before its batch had done it",
        _ => "it was cancelled while its batch was done; what it cost counts all the same",
    };
    let failure = Failure::new("cancelled", ErrorKind::Cancelled, message).spent(spent);
    let usage = backlog::usage(Some(&outcome));
    let trouble = backlog::failure(&outcome).and_then(|failure| failure.trouble.clone());
    Failure { usage, trouble, ..failure }.into()
}

/// How many of the tokens that were set apart for an attempt its server counts; all of them where
/// nobody knows what became of it.
fn tokens_used(outcome: &Outcome, set_apart: u64) -> u64 {
    if backlog::answer(Some(outcome)).is_some_and(|answer| answer.cached) {
        return 0;
    }
    match (backlog::usage(Some(outcome)), outcome.spent()) {
        (Some(usage), _) => usage.total_tokens,
        (None, Spent::Nothing) if backlog::failure(outcome).is_some() => 0,
        (None, _) => set_apart,
    }
}
