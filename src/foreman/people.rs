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
        daily: Option<Usd>,
        monthly: Option<Usd>,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        self.ledger.set_total(daily, monthly);
        self.money_is_back();
        orders.push(Order::Write(Box::new(Line {
            daily_usd: daily,
            monthly_usd: monthly,
            ..Line::new(LineKind::Limits, now.wall)
        })));
        let (day, month) = (self.ledger.day().limit, self.ledger.month().limit);
        let text = format!("budget set: {day} a day, {month} a month");
        orders.push(remark(log::Level::Info, &text));
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
