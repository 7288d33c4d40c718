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
