//! What people ask for: an end, a pause, other limits.

use super::*;

impl Foreman {
    pub(super) fn cancel(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get_mut(id) else {
            self.cancels.insert(id.clone());
            return;
        };
        match &entry.state {
            State::Ending(_) => {}
            State::Running { .. } => {
                entry.cancelled = true;
                orders.push(Order::Pull(id.clone()));
            }
            State::Batched { batch, .. } if !entry.cancelled => {
                let batch = batch.clone();
                entry.cancelled = true;
                self.cancel_in_batch(&batch, id, orders);
            }
            State::Batched { .. } => {}
            State::Releasing(_) => entry.cancelled = true,
            State::Parent(_) => self.cancel_family(id, now, orders),
            _ => self.refuse(id, cancelled(), now, orders),
        }
    }

    pub(super) fn pause(&mut self, name: Option<WorkerType>, on: bool, orders: &mut Vec<Order>) {
        let word = if on { "paused" } else { "resumed" };
        match name {
            None => {
                self.paused = on;
                orders.push(remark(
                    log::Level::Info,
                    &format!(
                        "{word}: {}",
                        if on { "nothing more is claimed" } else { "work goes on" }
                    ),
                ));
            }
            Some(name) => match self.lanes.get_mut(&name) {
                None => orders
                    .push(remark(log::Level::Warn, &format!("no worker `{name}` to be {word}"))),
                Some(lane) => {
                    lane.paused = on;
                    if !on && lane.bench.disabled.is_none() {
                        lane.block = None;
                    }
                    orders.push(remark(log::Level::Info, &format!("worker `{name}` {word}")));
                    if !on && lane.make_batches_again(None) {
                        self.queue_anew(&name, orders);
                    }
                }
            },
        }
    }

    /// Lets the tasks of a group wait, wherever they do, or no longer.
    pub(super) fn pause_group(&mut self, name: &GroupName, on: bool, orders: &mut Vec<Order>) {
        let is_news = self.lanes.values().any(|lane| lane.waiting.is_paused(name.as_str()) != on);
        if !is_news {
            return;
        }
        for queue in self.lanes.values_mut().flat_map(Lane::queues_mut) {
            queue.pause(name.as_str(), on);
        }
        let word = if on { "paused" } else { "resumed" };
        orders.push(remark(log::Level::Info, &format!("group `{name}` {word}")));
        let waits = |(id, entry): (&TaskId, &Entry)| {
            (entry.group() == name.as_str() && entry.state.is_waiting()).then(|| id.clone())
        };
        let waiting: Vec<TaskId> = self.tasks.iter().filter_map(waits).collect();
        for id in waiting {
            self.record_waiting(&id, orders);
        }
    }

    pub(super) fn set_limits(
        &mut self,
        limits: &BTreeMap<Limit, Usd>,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        for (limit, amount) in limits {
            self.ledger.set(limit, *amount, now.wall);
            if let Scope::TaskType(name) = &limit.scope {
                self.queue_apart(name, orders);
            }
            let text = format!("budget set: the {} is {amount}", limit.in_words());
            orders.push(remark(log::Level::Info, &text));
        }
        self.money_is_back();
        let lines = Line::of_limits(limits, now.wall);
        orders.extend(lines.into_iter().map(|line| Order::Write(Box::new(line))));
    }

    /// A type of task has a limit of its own from now on: its tasks wait in a queue of their own.
    fn queue_apart(&mut self, task_type: &str, orders: &mut Vec<Order>) {
        let lane_of = |entry: &Entry| match &entry.state {
            State::Queued(lane) if entry.summary.wish.task_type == task_type => Some(lane.clone()),
            _ => None,
        };
        let waiting =
            self.tasks.iter().filter_map(|(id, entry)| Some((id.clone(), lane_of(entry)?)));
        let waiting: Vec<(TaskId, WorkerType)> = waiting.collect();
        waiting.iter().for_each(|(id, _)| self.unindex(id));
        for queue in self.lanes.values_mut().flat_map(Lane::queues_mut) {
            queue.set_apart(task_type);
        }
        for (id, lane) in waiting {
            self.set_state(&id, State::Queued(lane), orders);
        }
    }

    pub(super) fn probed(
        &mut self,
        name: &WorkerType,
        result: Result<(), String>,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let Some(lane) = self.lanes.get_mut(name) else { return };
        match result {
            Err(why) => lane.miss(why, now),
            Ok(()) => {
                lane.reached();
                orders.push(remark(log::Level::Info, &format!("worker `{name}` is there again")));
            }
        }
    }
}
