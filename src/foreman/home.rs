//! Time passes, people are told, and there may be nothing left to do.

use super::*;

impl Foreman {
    pub(super) fn wake(&mut self, now: Now, orders: &mut Vec<Order>) {
        let mut batches_again = Vec::new();
        for (name, lane) in &mut self.lanes {
            lane.wake(now);
            if lane.take_probe(now) {
                orders.push(Order::Probe(name.clone()));
            }
            if lane.make_batches_again(Some(now)) {
                batches_again.push(name.clone());
            }
        }
        for name in batches_again {
            self.queue_anew(&name, orders);
        }
        self.ask_after_batches(now, orders);
        while let Some((_, id)) = self.expiries.first().filter(|(at, _)| *at <= now.wall).cloned() {
            let first = self.expiries.pop_first();
            drop(first);
            if self.tasks.get(&id).is_some_and(|entry| entry.state.is_waiting()) {
                self.refuse(&id, expired(), now, orders);
            }
        }
        while let Some((_, id)) = self.by_mono.first().filter(|(at, _)| *at <= now.mono).cloned() {
            self.by_mono.pop_first();
            self.enqueue(&id, now, orders);
        }
        while let Some((_, id)) = self.by_wall.first().filter(|(at, _)| *at <= now.wall).cloned() {
            self.by_wall.pop_first();
            self.await_time(&id, now, orders);
        }
    }

    /// Tells what changed since people were last told.
    pub(super) fn tell(&mut self, now: Now, orders: &mut Vec<Order>) {
        let batches = self.batch_troubles();
        for (name, lane) in &mut self.lanes {
            if let Some(news) = lane.news(batches.get(name)) {
                orders.push(Order::Lane(name.clone(), news));
            }
        }
        self.tell_of_holds(orders);
        self.tell_of_alerts(now, orders);
        let critical = self.ledger.is_critical(now.wall);
        let turned = std::mem::replace(&mut self.was_critical, critical) != critical;
        if std::mem::take(&mut self.settled) || turned {
            orders.push(Order::Money);
            if turned && critical {
                let (day, month) = (self.ledger.day(), self.ledger.month());
                orders.push(remark(
                    log::Level::Warn,
                    &format!(
                        "most of the budget is spent, {} of {} today and {} of {} this month: work that is not hard goes to local workers",
                        day.spent, day.limit, month.spent, month.limit
                    ),
                ));
            }
        }
    }

    /// Says which types of task wait for a limit of their own, and no longer do.
    fn tell_of_holds(&mut self, orders: &mut Vec<Order>) {
        let mut changed = Vec::new();
        for (name, lane) in &mut self.lanes {
            let queues = lane.queues_mut();
            for news in queues.into_iter().flat_map(Waiting::news) {
                if let Some(why) = &news.why {
                    let task_type = &news.task_type;
                    let text = format!("worker `{name}` leaves tasks of type `{task_type}`: {why}");
                    orders.push(remark(log::Level::Warn, &text));
                }
                changed.extend(news.tasks);
            }
        }
        for id in changed {
            self.record_waiting(&id, orders);
        }
    }

    /// Says which limits are nearly reached, each once in its day or month. It is written down
    /// before anything is done about it, so that no restart does it again.
    fn tell_of_alerts(&mut self, now: Now, orders: &mut Vec<Order>) {
        for (limit, standing) in self.ledger.new_alerts(now.wall) {
            orders.push(Order::Write(Box::new(Line::alert(&limit, now.wall))));
            let text = format!(
                "budget alert: {} of {} of the {} is spent or promised ({} %)",
                standing.used(),
                standing.limit,
                limit.in_words(),
                standing.percent()
            );
            orders.push(remark(log::Level::Warn, &text));
            orders.push(Order::Alert(Box::new(Alert { limit, standing })));
        }
    }

    pub(super) fn maybe_go_home(&mut self, now: Now, orders: &mut Vec<Order>) {
        let goes_on = |entry: &Entry| match self.stopping {
            true => self.must_end(entry),
            false => self.will_go_on(entry, now),
        };
        // While a hand is busy there is no need to look at every task.
        let tidies = !self.stopping && self.batches.values().any(Batch::is_being_tidied);
        let busy = self.looks > 0 || tidies || self.lanes.values().any(|lane| lane.busy > 0);
        if self.gone_home
            || !(self.stopping || self.drain)
            || busy
            || self.tasks.values().any(goes_on)
        {
            return;
        }
        if !self.stopping && self.listed.is_none() {
            // Something may lie in `pending` that nobody has told us of.
            if !std::mem::replace(&mut self.asked_to_list, true) {
                orders.push(Order::List);
            }
            return;
        }
        // Nothing more comes to be gathered.
        if !self.stopping && self.send_batches(now, true, orders) {
            return;
        }
        self.gone_home = true;
        orders.push(Order::GoHome(self.farewell()));
    }

    /// Whether a waiting task goes on by itself, so that a drain waits for it.
    pub(super) fn will_go_on(&self, entry: &Entry, now: Now) -> bool {
        match &entry.state {
            State::Blocked(_) => entry.is_judged_anew(),
            State::Stuck(_) => false,
            State::Delayed { until: Until::Wall(_), .. } => false,
            State::Delayed { .. } => entry.troubles < 5,
            State::Queued(lane) => {
                !self.paused
                    && !self.no_room
                    && self.lanes.get(lane).is_some_and(|lane| {
                        let queue = entry.queue_in(lane);
                        !lane.is_stuck(now)
                            && !queue.is_paused(entry.group())
                            && queue.held(&entry.summary.wish.task_type).is_none()
                    })
            }
            State::Batched { batch, .. } => {
                self.batches.get(batch).is_none_or(Batch::is_heard_of_soon)
            }
            State::Parent(family) => family.is_being_dropped(),
            State::Running { .. } | State::Releasing(_) | State::Ending(_) => true,
        }
    }

    /// Whether a stop waits for it: a batch goes on by itself, once it is sent.
    fn must_end(&self, entry: &Entry) -> bool {
        match &entry.state {
            State::Batched { batch, .. } => {
                self.batches.get(batch).is_none_or(Batch::is_being_sent)
            }
            State::Parent(family) => family.is_being_dropped(),
            state => !state.is_waiting(),
        }
    }

    pub(super) fn farewell(&self) -> Farewell {
        let mut waits: BTreeMap<String, u64> = BTreeMap::new();
        for entry in self.tasks.values() {
            *waits.entry(self.waits_for(entry)).or_default() += 1;
        }
        for file in self.listed.iter().flatten() {
            *waits.entry(file.clone()).or_default() += 1;
        }
        Farewell { waits: waits.into_iter().collect() }
    }

    pub(super) fn waits_for(&self, entry: &Entry) -> String {
        match &entry.state {
            State::Blocked(missing) => {
                let unknown: Vec<&TaskId> =
                    missing.iter().filter(|id| !self.tasks.contains_key(*id)).collect();
                match unknown.is_empty() {
                    true => "tasks that wait themselves".to_owned(),
                    false => {
                        format!("{}, which nobody has dropped yet", words::names(unknown, "and"))
                    }
                }
            }
            State::Delayed { why, .. } | State::Stuck(why) => why.clone(),
            State::Queued(_) if self.paused => "`koubou resume`: the workshop is paused".to_owned(),
            State::Queued(_) if self.no_room => "room on the disk".to_owned(),
            State::Queued(name) => self
                .lanes
                .get(name)
                .and_then(|lane| {
                    let queue = entry.queue_in(lane);
                    let held = queue.held(&entry.summary.wish.task_type);
                    lane.waits_for()
                        .or_else(|| waits_for_group(entry.group(), queue))
                        .or_else(|| held.map(Shortage::in_words))
                })
                .unwrap_or_else(|| format!("a free hand of worker `{name}`")),
            State::Batched { batch, .. } => self.waits_for_batch(batch),
            State::Parent(_) => family::ITS_SUBTASKS.to_owned(),
            State::Running { .. } | State::Releasing(_) | State::Ending(_) => "its end".to_owned(),
        }
    }
}
