//! The foreman: the only one who decides.
//!
//! He hears what happened and answers with what follows from it: which task is
//! claimed next and by whom, what is tried again and when, what is filed and as
//! what, what must wait and for what. He is told the time and never waits, does
//! no I/O, and starts no thread, so that every decision can be checked in a test
//! of four lines.
//!
//! He promises that each task he has heard of ends in one order to file it, that
//! no worker type ever has more tasks than hands, and that no paid attempt begins
//! without money reserved for it.

mod backlog;
mod event;
mod lane;
mod retry;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use backlog::{Entry, State, Until};
pub use event::{
    Arrival, Bench, Ended, Event, Farewell, LaneNews, NotClaimed, Order, Refuse, Remark, Setup,
    Start, Summary, Verdict,
};
use lane::{Block, Lane};

use crate::base::clock::{self, Now, Timestamp};
use crate::base::words::{self, Count};
use crate::route::Router;
use crate::route::budget::{Ledger, Refusal, Standing};
use crate::task::fact::TaskRow;
use crate::task::journal::{Line, LineKind, Past, Replay, counts_as_attempt};
use crate::task::outcome::{ErrorKind, Failure, Next, Outcome, Spent, Trouble};
use crate::task::result::TaskError;
use crate::task::{Difficulty, Folder, Sensitivity, TaskId, Usd, WorkerType};

/// A pause where a server names none.
const DEFAULT_PAUSE: Duration = Duration::from_secs(5);
/// Tokens that a chat's frame adds to its texts, generously.
const FRAME_TOKENS: u64 = 64;

/// Decides what happens next.
#[derive(Debug)]
pub struct Foreman {
    router: Arc<Router>,
    ledger: Ledger,
    lanes: BTreeMap<WorkerType, Lane>,
    tasks: HashMap<TaskId, Entry>,
    /// Names in `pending`, to know whose file left.
    files: HashMap<OsString, TaskId>,
    /// Who waits for whom.
    dependents: HashMap<TaskId, BTreeSet<TaskId>>,
    by_wall: BTreeSet<(Timestamp, TaskId)>,
    by_mono: BTreeSet<(Duration, TaskId)>,
    expiries: BTreeSet<(Timestamp, TaskId)>,
    /// What the journal knows of tasks that have not come yet.
    past: HashMap<TaskId, Past>,
    /// Tasks that somebody cancelled before they were seen.
    cancels: BTreeSet<TaskId>,
    seq: u64,
    marks: u64,
    run: String,
    drain: bool,
    stopping: bool,
    gone_home: bool,
    paused: bool,
    no_room: bool,
    /// In a drain: `pending` was listed to its end, and what in it is not settled.
    listed: Option<Vec<String>>,
    asked_to_list: bool,
    /// Looks for dependencies whose answer has not come.
    looks: usize,
    was_critical: bool,
}

impl Foreman {
    /// A foreman who knows what the journal remembers.
    pub fn new(setup: Setup, router: Arc<Router>, replay: &mut Replay, now: Now) -> Self {
        let mut limits = setup.limits;
        limits.daily = replay.limits.0.unwrap_or(limits.daily);
        limits.monthly = replay.limits.1.unwrap_or(limits.monthly);
        let mut ledger = Ledger::new(limits, setup.timezone, now.wall);
        for (at, amount) in &replay.spent {
            ledger.record(*amount, *at, now.wall);
        }
        let lanes = setup.benches.into_iter().map(|bench| {
            let mut lane = Lane::new(bench);
            if let Some(begun) = replay.last_begun.get(&lane.bench.worker_type) {
                lane.pacer.remember(now.mono, clock::between(*begun, now.wall));
            }
            if let Some(until) =
                replay.pauses.get(&lane.bench.worker_type).filter(|at| **at > now.wall)
            {
                lane.limit(clock::between(now.wall, *until), now);
            }
            (lane.bench.worker_type.clone(), lane)
        });
        Self {
            router,
            lanes: lanes.collect(),
            tasks: HashMap::new(),
            files: HashMap::new(),
            dependents: HashMap::new(),
            by_wall: BTreeSet::new(),
            by_mono: BTreeSet::new(),
            expiries: BTreeSet::new(),
            past: std::mem::take(&mut replay.past),
            cancels: BTreeSet::new(),
            seq: 0,
            marks: 0,
            run: setup.run,
            drain: setup.drain,
            stopping: false,
            gone_home: false,
            paused: false,
            no_room: false,
            listed: None,
            asked_to_list: false,
            looks: 0,
            was_critical: ledger.is_critical(now.wall),
            ledger,
        }
    }

    /// Hears what happened and answers with what follows from it.
    pub fn hear(&mut self, event: Event, now: Now) -> Vec<Order> {
        let mut orders = Vec::new();
        self.take_in(event, now, &mut orders);
        self.wake(now, &mut orders);
        self.dispatch(now, &mut orders);
        self.tell(now, &mut orders);
        self.maybe_go_home(now, &mut orders);
        orders
    }

    /// When to send a [`Event::Tick`] at the latest, on the monotonic clock; `None` if nothing waits for time.
    pub fn wakes_at(&self, now: Now) -> Option<Duration> {
        let on_wall = |at: &Timestamp| now.mono + clock::between(now.wall, *at);
        let walls =
            [self.by_wall.first().map(|(at, _)| at), self.expiries.first().map(|(at, _)| at)];
        // Where nothing is claimed, a task whose turn has come is no reason to wake.
        let holds = self.stopping || self.paused || self.no_room;
        let awake = |lane: &&Lane| !holds || lane.block.is_some();
        let lanes = self.lanes.values().filter(awake).filter_map(|lane| lane.wakes_at(now));
        let monos = self.by_mono.first().map(|(at, _)| *at);
        lanes.chain(walls.into_iter().flatten().map(on_wall)).chain(monos).min()
    }

    /// How today and this month stand, and which month it is.
    pub fn money(&self) -> (Standing, Standing, String) {
        (self.ledger.day(), self.ledger.month(), self.ledger.year_month())
    }

    /// From how many per cent on to be careful.
    pub fn alert_percent(&self) -> u8 {
        self.ledger.limits().alert_percent
    }

    /// The mirror's row for a task that a hand has begun.
    pub fn row_in_progress(&self, id: &TaskId, at: Timestamp) -> Option<TaskRow> {
        self.tasks.get(id).map(|entry| entry.row(id, Folder::InProgress, at))
    }

    /// The mirror's rows for every task that has not ended.
    pub fn rows(&self) -> impl Iterator<Item = TaskRow> + '_ {
        self.tasks.iter().map(|(id, entry)| match &entry.state {
            state if state.is_waiting() => entry.waiting_row(id),
            _ => entry.row(id, Folder::InProgress, entry.updated_at()),
        })
    }

    /// Whether this task has been heard of and has not ended.
    pub fn knows(&self, id: &TaskId) -> bool {
        self.tasks.contains_key(id)
    }

    /// How many tasks have not ended.
    pub fn backlog(&self) -> usize {
        self.tasks.len()
    }

    fn take_in(&mut self, event: Event, now: Now, orders: &mut Vec<Order>) {
        match event {
            Event::Arrived(arrival) => self.arrived(*arrival, now, orders),
            Event::Withdrawn(file) => self.withdrawn(&file, now, orders),
            Event::NotClaimed(id, why) => self.not_claimed(&id, why, now, orders),
            Event::Ended(id, ended) => self.ended(&id, *ended, now, orders),
            Event::Filed(id, folder) => self.filed(&id, folder, now, orders),
            Event::Released(id) => self.released(&id, now, orders),
            Event::Looked(id, folder) => {
                self.looks = self.looks.saturating_sub(1);
                self.looked(&id, folder, now, orders);
            }
            Event::Probed(name, result) => self.probed(&name, result, now, orders),
            Event::Cancel(id) => self.cancel(&id, now, orders),
            Event::Pause(name) => self.pause(name, true, orders),
            Event::Resume(name) => self.pause(name, false, orders),
            Event::SetLimits { daily, monthly } => self.set_limits(daily, monthly, now, orders),
            Event::Listed(unsettled) => {
                (self.listed, self.asked_to_list) = (Some(unsettled), false);
            }
            Event::Room(enough) => self.no_room = !enough,
            Event::Tick => {}
            Event::Stop => self.stopping = true,
        }
    }

    // ---- a file in `pending` ----

    fn arrived(&mut self, arrival: Arrival, now: Now, orders: &mut Vec<Order>) {
        self.listed = None;
        let known = self.tasks.get(&arrival.id);
        match known.map(|entry| &entry.state) {
            Some(State::Running { .. } | State::Ending(_)) => return,
            Some(State::Releasing(_)) => self.released(&arrival.id.clone(), now, orders),
            _ => {}
        }
        let known = self.tasks.get(&arrival.id);
        if known.is_some_and(|entry| {
            entry.fingerprint == arrival.fingerprint
                && entry.file == arrival.file
                && !matches!(entry.state, State::Stuck(_))
        }) {
            return;
        }
        let attempts = match self.forget(&arrival.id) {
            Some(entry) => entry.attempts,
            None => {
                self.past.get(&arrival.id).map(|past| past.attempts.clone()).unwrap_or_default()
            }
        };
        match arrival.task {
            Err(error) => {
                self.reject(arrival.file, arrival.id, error, arrival.dropped_at, now, orders);
            }
            Ok(ref summary) => {
                let summary = (**summary).clone();
                self.admit(arrival, summary, attempts, now, orders);
            }
        }
    }

    fn admit(
        &mut self,
        arrival: Arrival,
        summary: Summary,
        attempts: Vec<crate::task::Attempt>,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        self.seq += 1;
        let id = arrival.id.clone();
        let critical = self.ledger.is_critical(now.wall);
        let decision = self.router.decide(&summary.wish, &summary.seen, critical);
        self.files.insert(arrival.file.clone(), id.clone());
        let mut entry = Entry::new(arrival, summary, decision, self.seq);
        entry.attempts = attempts;
        if let Some(at) = entry.summary.expires_at {
            self.expiries.insert((at, id.clone()));
        }
        self.tasks.insert(id.clone(), entry);
        self.place_anew(&id, now, orders);
    }

    /// Finds out what a task in `pending` waits for, or that it must not run at all.
    fn place_anew(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get(id) else { return };
        if let Some(error) = self.why_never(id, entry, now) {
            return self.refuse(id, error, now, orders);
        }
        let depends_on: BTreeSet<TaskId> = entry.summary.depends_on.iter().cloned().collect();
        if let Some(cycle) = self.cycle(id, &depends_on) {
            let text =
                format!("it waits for itself: {cycle}; take one of these out of `depends_on`");
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
    fn cycle(&self, id: &TaskId, depends_on: &BTreeSet<TaskId>) -> Option<String> {
        // Nobody waits for it, so nothing that it waits for can.
        if !self.dependents.contains_key(id) {
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
            let Some(State::Blocked(missing)) = self.tasks.get(at).map(|entry| &entry.state) else {
                continue;
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

    fn why_never(&self, id: &TaskId, entry: &Entry, now: Now) -> Option<TaskError> {
        if self.cancels.contains(id) || entry.cancelled {
            return Some(cancelled());
        }
        if entry.summary.expires_at.is_some_and(|at| at <= now.wall) {
            return Some(expired());
        }
        let worker_type = match &entry.decision.worker_type {
            Err(why) => return Some(error(ErrorKind::NoWorker, why.clone())),
            Ok(worker_type) => worker_type,
        };
        let bench = &self.lanes.get(worker_type)?.bench;
        let past = Past { attempts: entry.attempts.clone(), next_try: None };
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
    fn await_time(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
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

    fn enqueue(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get(id) else { return };
        match entry.decision.worker_type.clone() {
            Err(why) => self.refuse(id, error(ErrorKind::NoWorker, why), now, orders),
            Ok(lane) => self.set_state(id, State::Queued(lane), orders),
        }
    }

    /// Puts a waiting task where it belongs in every index, and tells the mirror.
    fn set_state(&mut self, id: &TaskId, state: State, orders: &mut Vec<Order>) {
        self.unindex(id);
        let Some(entry) = self.tasks.get_mut(id) else { return };
        match &state {
            State::Queued(name) => {
                if let Some(lane) = self.lanes.get_mut(name) {
                    let system = lane.bench.system_bytes;
                    entry.prompt_tokens = entry.summary.seen.prompt_bytes + system + FRAME_TOKENS;
                    let answer = entry.summary.max_tokens.unwrap_or(lane.bench.max_tokens);
                    entry.estimate = lane.bench.price.worst(entry.prompt_tokens, answer.into());
                    lane.queue.insert(entry.place(), id.clone());
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
        orders.push(Order::Record(Box::new(entry.waiting_row(id))));
    }

    /// Takes a task out of every index that its state has it in.
    fn unindex(&mut self, id: &TaskId) {
        let Some(entry) = self.tasks.get(id) else { return };
        match &entry.state {
            State::Queued(lane) => {
                let place = entry.place();
                if let Some(lane) = self.lanes.get_mut(lane) {
                    lane.queue.remove(&place);
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
    fn forget(&mut self, id: &TaskId) -> Option<Entry> {
        self.unindex(id);
        let entry = self.tasks.remove(id)?;
        if self.files.get(&entry.file) == Some(id) {
            self.files.remove(&entry.file);
        }
        if let Some(at) = entry.summary.expires_at {
            self.expiries.remove(&(at, id.clone()));
        }
        Some(entry)
    }

    fn withdrawn(&mut self, file: &OsStr, now: Now, orders: &mut Vec<Order>) {
        let Some(id) = self.files.get(file).cloned() else { return };
        if self.tasks.get(&id).is_some_and(|entry| entry.state.is_waiting()) {
            self.leave(&id, now, orders);
        }
    }

    /// A task left by somebody's hand: its row goes, a log line stays, what depends on it fails.
    fn leave(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        if self.forget(id).is_none() {
            return;
        }
        self.past.remove(id);
        orders.push(Order::Write(Box::new(Line::new(LineKind::Withdrawn, now.wall).of(id))));
        orders.push(Order::Forget(id.clone()));
        orders.push(info(id, "withdrawn: its file was taken out of pending"));
        self.fail_dependents(id, "was withdrawn", now, orders);
    }

    fn reject(
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
        let decision = crate::route::Decision {
            worker_type: Err(String::new()),
            reasons: vec![],
            warnings: vec![],
        };
        let mut entry = Entry::new(arrival, summary, decision, self.seq);
        let mut row = entry.row(&id, Folder::Failed, now.wall);
        (row.estimated_cost, row.estimated_tokens) = (None, None);
        row.actual_cost = Some(Usd::ZERO);
        row.error_kind = Some(error.kind.as_str());
        entry.state = State::Ending(Box::new(row));
        self.files.insert(file.clone(), id.clone());
        self.tasks.insert(id.clone(), entry);
        orders.push(Order::Reject { file, id, error, dropped_at, judged_at: now.wall });
    }

    /// Claims a waiting task only to file it as failed.
    fn refuse(&mut self, id: &TaskId, error: TaskError, now: Now, orders: &mut Vec<Order>) {
        self.unindex(id);
        self.cancels.remove(id);
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let mut verdict = entry.verdict(Some(error), None, now.wall);
        verdict.worker_type = None;
        verdict.worker_id = None;
        let row = entry.ended_row(id, &verdict);
        entry.state = State::Ending(Box::new(row));
        orders.push(Order::Refuse(Box::new(Refuse {
            id: id.clone(),
            file: entry.file.clone(),
            fingerprint: entry.fingerprint,
            verdict,
        })));
    }

    fn not_claimed(&mut self, id: &TaskId, why: NotClaimed, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let before = std::mem::replace(&mut entry.state, State::Blocked(BTreeSet::new()));
        self.free_hand(before);
        match why {
            NotClaimed::Gone => self.leave(id, now, orders),
            NotClaimed::Changed => {
                if let Some(entry) = self.forget(id) {
                    self.past.insert(id.clone(), Past { attempts: entry.attempts, next_try: None });
                }
            }
            NotClaimed::Confidential(reasons) => self.raise(id, reasons, now, orders),
            NotClaimed::NotOurs(why) => {
                orders.push(say(log::Level::Warn, Some(id), &why));
                self.set_state(id, State::Stuck(why), orders);
            }
            NotClaimed::Trouble(why) => self.trouble(id, why, now, orders),
        }
    }

    /// Gives back a hand and a promise that were not used.
    fn free_hand(&mut self, state: State) {
        let State::Running { lane, promise } = state else { return };
        if let Some(promise) = promise {
            self.ledger.give_back(promise);
            self.money_is_back();
        }
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.busy -= 1;
        }
    }

    fn raise(
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
    fn trouble(&mut self, id: &TaskId, why: String, now: Now, orders: &mut Vec<Order>) {
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

    // ---- the queues ----

    /// Starts whatever can be started.
    fn dispatch(&mut self, now: Now, orders: &mut Vec<Order>) {
        if self.stopping || self.paused || self.no_room {
            return;
        }
        let names: Vec<WorkerType> = self.lanes.keys().cloned().collect();
        for name in names {
            while let Some(id) = self.head(&name, now) {
                if !self.start(&name, &id, now, orders) {
                    break;
                }
            }
        }
    }

    fn head(&self, name: &WorkerType, now: Now) -> Option<TaskId> {
        let lane = self.lanes.get(name)?;
        lane.may_start(now)
            .then(|| lane.queue.first_key_value().map(|(_, id)| id.clone()))
            .flatten()
    }

    /// Starts a lane's first task, or finds it another place; `false` where the lane must wait.
    fn start(&mut self, name: &WorkerType, id: &TaskId, now: Now, orders: &mut Vec<Order>) -> bool {
        if self.moves_elsewhere(name, id, now, orders) {
            return true;
        }
        let promise = match self.promise(id, now, orders) {
            Promised::Yes(promise) => promise,
            Promised::Refused => return true,
            Promised::NotNow(block) => {
                if let Some(lane) = self.lanes.get_mut(name) {
                    lane.block = Some(block);
                }
                return false;
            }
        };
        self.unindex(id);
        let (Some(entry), Some(lane)) = (self.tasks.get_mut(id), self.lanes.get_mut(name)) else {
            return false;
        };
        lane.busy += 1;
        lane.pacer.take(now.mono);
        self.marks += 1;
        entry.started_at.get_or_insert(now.wall);
        let start = Start {
            id: id.clone(),
            file: entry.file.clone(),
            fingerprint: entry.fingerprint,
            worker_type: name.clone(),
            sensitivity: entry.summary.seen.sensitivity,
            attempt: format!("{}-{}", self.run, self.marks),
            reserved: promise.as_ref().map_or(Usd::ZERO, super::route::budget::Reservation::amount),
        };
        entry.state = State::Running { lane: name.clone(), promise };
        orders.push(Order::Start(Box::new(start)));
        true
    }

    /// Past the alert threshold a task may belong elsewhere than when it came.
    fn moves_elsewhere(
        &mut self,
        name: &WorkerType,
        id: &TaskId,
        now: Now,
        orders: &mut Vec<Order>,
    ) -> bool {
        let paid = self.lanes.get(name).is_some_and(|lane| !lane.bench.price.is_free());
        if !paid || !self.ledger.is_critical(now.wall) {
            return false;
        }
        let Some(entry) = self.tasks.get_mut(id) else { return false };
        if entry.summary.seen.difficulty == Difficulty::High {
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
        }
        self.enqueue(id, now, orders);
        true
    }

    fn promise(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) -> Promised {
        let Some(entry) = self.tasks.get(id) else { return Promised::Refused };
        let estimate = entry.estimate;
        if let Some(most) = entry.summary.max_cost.filter(|most| entry.cost() + estimate > *most) {
            let text = format!(
                "this attempt may cost up to {estimate}{}, and `max_cost_usd` is {most}: lower `max_tokens`, or raise it",
                if entry.cost() > Usd::ZERO {
                    format!(" on top of {}", entry.cost())
                } else {
                    String::new()
                }
            );
            self.refuse(id, error(ErrorKind::OverBudget, text), now, orders);
            return Promised::Refused;
        }
        if estimate == Usd::ZERO {
            return Promised::Yes(None);
        }
        match self.ledger.reserve(estimate, now.wall) {
            Ok(promise) => Promised::Yes(Some(promise)),
            Err(Refusal::NotBefore { which, until, is_promised }) => {
                Promised::NotNow(Block::OverBudget { until, which, is_promised })
            }
            Err(Refusal::Never { which, limit }) => {
                let text = format!(
                    "this attempt may cost up to {estimate}, and the {which} limit is {limit}: lower `max_tokens`, \
                     or `koubou budget set --{which} N`"
                );
                self.refuse(id, error(ErrorKind::OverBudget, text), now, orders);
                Promised::Refused
            }
        }
    }

    // ---- an attempt's end ----

    fn ended(&mut self, id: &TaskId, ended: Ended, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let state = std::mem::replace(&mut entry.state, State::Blocked(BTreeSet::new()));
        let State::Running { lane: name, promise } = state else {
            entry.state = state;
            return;
        };
        let cost = self.settle(promise, &ended.outcome);
        let Some(lane) = self.lanes.get_mut(&name) else { return };
        lane.busy -= 1;
        let line = end_line(id, &lane.bench, &ended, cost, now);
        self.learn_of_worker(&name, &ended.outcome, now, orders);
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let attempt = backlog::attempt(&ended, cost);
        if counts_as_attempt(&attempt.outcome) {
            entry.attempts.push(attempt);
        }
        match ended.outcome {
            Outcome::Done(_) => self.file(id, &name, None, ended.outcome, line, now, orders),
            Outcome::Failed(failure) => self.failed(id, &name, *failure, line, now, orders),
        }
    }

    fn settle(
        &mut self,
        promise: Option<crate::route::budget::Reservation>,
        outcome: &Outcome,
    ) -> Usd {
        let Some(promise) = promise else { return Usd::ZERO };
        let spent = match outcome {
            Outcome::Done(answer) => answer.spent,
            Outcome::Failed(failure) => failure.spent,
        };
        let cost = match spent {
            Spent::Nothing => Usd::ZERO,
            Spent::Known(cost) => cost,
            Spent::Unknown => promise.amount(),
        };
        self.ledger.settle(promise, cost);
        self.money_is_back();
        cost
    }

    /// After money came back, lanes that waited for it may ask again.
    fn money_is_back(&mut self) {
        for lane in self.lanes.values_mut() {
            if matches!(lane.block, Some(Block::OverBudget { .. })) {
                lane.block = None;
            }
        }
    }

    fn learn_of_worker(
        &mut self,
        name: &WorkerType,
        outcome: &Outcome,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let Some(lane) = self.lanes.get_mut(name) else { return };
        let Some(failure) = backlog::failure(outcome) else { return lane.reached() };
        match &failure.trouble {
            None => {}
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
                let pause = pause.unwrap_or(DEFAULT_PAUSE);
                lane.limit(pause, now);
                orders.push(Order::Write(Box::new(Line {
                    worker_type: Some(name.clone()),
                    until: Some(clock::later(now.wall, pause)),
                    ..Line::new(LineKind::Pause, now.wall)
                })));
            }
        }
    }

    fn failed(
        &mut self,
        id: &TaskId,
        lane: &WorkerType,
        failure: Failure,
        line: Line,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let most = self.lanes.get(lane).map_or(1, |lane| most_attempts(entry, &lane.bench));
        let made = retry::counted(&entry.attempts);
        let next = match failure.next {
            _ if entry.cancelled => None,
            Next::Never => None,
            Next::NotAnAttempt => Some(State::Queued(lane.clone())),
            Next::Retry { .. } if made >= most || retry::waited_enough(&entry.attempts) => None,
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
            None => {
                let error = final_error(entry.cancelled, &failure, made);
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

    fn release(&mut self, id: &TaskId, then: State, line: Line, now: Now, orders: &mut Vec<Order>) {
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
    fn file(
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
        verdict.worker_type = Some(lane.clone());
        verdict.lines.push(line);
        let row = entry.ended_row(id, &verdict);
        entry.state = State::Ending(Box::new(row));
        orders.push(Order::File(id.clone(), Box::new(verdict)));
    }

    fn filed(&mut self, id: &TaskId, folder: Folder, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.forget(id) else { return };
        self.past.remove(id);
        let State::Ending(mut row) = entry.state else { return };
        row.status = folder;
        orders.push(Order::Record(row));
        match folder {
            Folder::Completed => self.satisfy_dependents(id, now, orders),
            _ => self.fail_dependents(id, "failed", now, orders),
        }
    }

    fn released(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        let Some(entry) = self.tasks.get_mut(id) else { return };
        let state = std::mem::replace(&mut entry.state, State::Blocked(BTreeSet::new()));
        match state {
            State::Releasing(then) if entry.cancelled => {
                drop(then);
                self.refuse(id, cancelled(), now, orders);
            }
            State::Releasing(then) => self.set_state(id, *then, orders),
            other => entry.state = other,
        }
    }

    // ---- dependencies ----

    fn looked(&mut self, id: &TaskId, folder: Option<Folder>, now: Now, orders: &mut Vec<Order>) {
        match folder {
            // A task that is being tried again has an older result; the new one counts.
            _ if self.tasks.contains_key(id) => {}
            Some(Folder::Completed) => self.satisfy_dependents(id, now, orders),
            Some(Folder::Failed) => self.fail_dependents(id, "failed", now, orders),
            _ => {}
        }
    }

    fn satisfy_dependents(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        for waiting in self.dependents.remove(id).unwrap_or_default() {
            let Some(State::Blocked(missing)) =
                self.tasks.get_mut(&waiting).map(|entry| &mut entry.state)
            else {
                continue;
            };
            missing.remove(id);
            if missing.is_empty() {
                self.await_time(&waiting, now, orders);
            }
        }
    }

    fn fail_dependents(&mut self, id: &TaskId, what: &str, now: Now, orders: &mut Vec<Order>) {
        for waiting in self.dependents.remove(id).unwrap_or_default() {
            let mend = if what == "failed" { "mend that one" } else { "drop it again" };
            let text = format!(
                "`{id}`, which this task depends on, {what}; {mend}, then `koubou retry {waiting}`"
            );
            self.refuse(&waiting, error(ErrorKind::DependencyFailed, text), now, orders);
        }
    }

    // ---- people ----

    fn cancel(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
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
            State::Releasing(_) => entry.cancelled = true,
            _ => self.refuse(id, cancelled(), now, orders),
        }
    }

    fn pause(&mut self, name: Option<WorkerType>, on: bool, orders: &mut Vec<Order>) {
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

    fn set_limits(
        &mut self,
        daily: Option<Usd>,
        monthly: Option<Usd>,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let mut limits = self.ledger.limits();
        limits.daily = daily.unwrap_or(limits.daily);
        limits.monthly = monthly.unwrap_or(limits.monthly);
        self.ledger.set_limits(limits);
        self.money_is_back();
        orders.push(Order::Write(Box::new(Line {
            daily_usd: daily,
            monthly_usd: monthly,
            ..Line::new(LineKind::Limits, now.wall)
        })));
        let text = format!("budget set: {} a day, {} a month", limits.daily, limits.monthly);
        orders.push(remark(log::Level::Info, &text));
    }

    fn probed(
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

    // ---- time ----

    fn wake(&mut self, now: Now, orders: &mut Vec<Order>) {
        for lane in self.lanes.values_mut() {
            lane.wake(now);
            if lane.take_probe(now) {
                orders.push(Order::Probe(lane.bench.worker_type.clone()));
            }
        }
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
    fn tell(&mut self, now: Now, orders: &mut Vec<Order>) {
        for (name, lane) in &mut self.lanes {
            if let Some(news) = lane.news() {
                orders.push(Order::Lane(name.clone(), news));
            }
        }
        let critical = self.ledger.is_critical(now.wall);
        if critical != self.was_critical {
            self.was_critical = critical;
            orders.push(Order::Money);
            if critical {
                let (day, month) = (self.ledger.day(), self.ledger.month());
                orders.push(remark(
                    log::Level::Warn,
                    &format!(
                        "budget alert: {} of {} spent today, {} of {} this month; work that is not hard goes to local workers",
                        day.spent, day.limit, month.spent, month.limit
                    ),
                ));
            }
        }
    }

    fn maybe_go_home(&mut self, now: Now, orders: &mut Vec<Order>) {
        let goes_on = |entry: &Entry| match self.stopping {
            true => !entry.state.is_waiting(),
            false => self.will_go_on(entry, now),
        };
        // While a hand is busy there is no need to look at every task.
        let busy = self.looks > 0 || self.lanes.values().any(|lane| lane.busy > 0);
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
        self.gone_home = true;
        orders.push(Order::GoHome(self.farewell()));
    }

    /// Whether a waiting task goes on by itself, so that a drain waits for it.
    fn will_go_on(&self, entry: &Entry, now: Now) -> bool {
        match &entry.state {
            State::Blocked(_) | State::Stuck(_) => false,
            State::Delayed { until: Until::Wall(_), .. } => false,
            State::Delayed { .. } => entry.troubles < 5,
            State::Queued(lane) => {
                !self.paused
                    && !self.no_room
                    && self.lanes.get(lane).is_some_and(|lane| !lane.is_stuck(now))
            }
            State::Running { .. } | State::Releasing(_) | State::Ending(_) => true,
        }
    }

    fn farewell(&self) -> Farewell {
        let mut waits: BTreeMap<String, u64> = BTreeMap::new();
        for entry in self.tasks.values() {
            *waits.entry(self.waits_for(entry)).or_default() += 1;
        }
        for file in self.listed.iter().flatten() {
            *waits.entry(file.clone()).or_default() += 1;
        }
        Farewell { waits: waits.into_iter().collect() }
    }

    fn waits_for(&self, entry: &Entry) -> String {
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
                .and_then(Lane::waits_for)
                .unwrap_or_else(|| format!("a free hand of worker `{name}`")),
            State::Running { .. } | State::Releasing(_) | State::Ending(_) => "its end".to_owned(),
        }
    }
}

/// What came of asking for money.
enum Promised {
    Yes(Option<crate::route::budget::Reservation>),
    /// The task was refused instead.
    Refused,
    NotNow(Block),
}

impl Summary {
    /// What is remembered of a drop that is no task; what cannot be read may be confidential.
    fn of_no_task(dropped_at: Timestamp) -> Self {
        Self {
            wish: crate::route::decision::Wish {
                worker: None,
                task_type: "general".into(),
                priority: 5,
            },
            seen: crate::route::Assessment {
                difficulty: Difficulty::Medium,
                difficulty_is_evident: false,
                sensitivity: Sensitivity::Confidential,
                reasons: Vec::new(),
                prompt_bytes: 0,
            },
            depends_on: Vec::new(),
            parent: None,
            not_before: None,
            expires_at: None,
            max_attempts: None,
            max_tokens: None,
            max_cost: None,
            earlier: Vec::new(),
            created_at: dropped_at,
            warnings: Vec::new(),
        }
    }
}

impl Entry {
    /// The mirror's row while its file lies in `pending`.
    fn waiting_row(&self, id: &TaskId) -> TaskRow {
        let waits_for = match &self.state {
            State::Blocked(missing) => {
                Some(format!("{} to complete", words::names(missing, "and")))
            }
            State::Delayed { why, .. } | State::Stuck(why) => Some(why.clone()),
            _ => None,
        };
        TaskRow { waits_for, ..self.row(id, Folder::Pending, self.updated_at()) }
    }

    /// When it last changed, as far as spool and journal know: a rebuilt mirror says the same.
    fn updated_at(&self) -> Timestamp {
        self.attempts.last().map_or(self.summary.created_at, |attempt| attempt.finished_at)
    }
}

fn most_attempts(entry: &Entry, bench: &Bench) -> u32 {
    entry.summary.max_attempts.unwrap_or(bench.max_attempts)
}

fn end_line(id: &TaskId, bench: &Bench, ended: &Ended, cost: Usd, now: Now) -> Line {
    let (outcome, message) = match backlog::failure(&ended.outcome) {
        None => ("completed", None),
        Some(failure) => (failure.outcome, Some(failure.message.clone())),
    };
    Line {
        attempt: Some(ended.attempt.clone()),
        worker_id: Some(ended.worker_id.clone()),
        worker_type: Some(bench.worker_type.clone()),
        model: Some(bench.model.clone()),
        cost_usd: Some(cost),
        usage: backlog::usage(Some(&ended.outcome)),
        outcome: Some(outcome.to_owned()),
        message,
        started_at: Some(ended.started_at),
        ..Line::new(LineKind::End, now.wall).of(id)
    }
}

fn final_error(cancelled_by_hand: bool, failure: &Failure, made: u32) -> TaskError {
    if cancelled_by_hand {
        return cancelled();
    }
    let message = match made {
        0 | 1 => failure.message.clone(),
        _ => format!("all {made} attempts failed; the last: {}", failure.message),
    };
    error(failure.kind, message)
}

fn error(kind: ErrorKind, message: String) -> TaskError {
    TaskError { kind, message }
}

fn cancelled() -> TaskError {
    error(ErrorKind::Cancelled, "somebody cancelled it; `koubou retry` runs it again".to_owned())
}

fn expired() -> TaskError {
    error(
        ErrorKind::Expired,
        "its `expires_at` passed before it could begin; give it more time and drop it again"
            .to_owned(),
    )
}

fn say(level: log::Level, task: Option<&TaskId>, text: &str) -> Order {
    Order::Say(Remark { level, task: task.cloned(), worker_id: None, text: text.to_owned() })
}

fn info(task: &TaskId, text: &str) -> Order {
    say(log::Level::Info, Some(task), text)
}

fn remark(level: log::Level, text: &str) -> Order {
    say(level, None, text)
}

/// A number that differs between tasks and attempts and is the same whenever asked.
fn salt(id: &TaskId, n: u32) -> u64 {
    let mut hasher = DefaultHasher::new();
    (id, n).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
