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

mod arrival;
mod attempt;
mod backlog;
mod batch;
mod dependency;
mod event;
mod fallback;
mod family;
mod home;
mod ladder;
mod lane;
mod people;
mod queue;
mod retry;
mod waiting;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use backlog::{Entry, State, Until};
use batch::Batch;
pub use event::{
    Alert, Arrival, BatchCall, BatchNews, Bench, Brood, Ended, Event, Farewell, LaneNews,
    LeftFamily, NotClaimed, Order, Part, Refuse, Remark, Setup, Start, Summary, TakenUp, Verdict,
};
use lane::{Block, Lane};
use waiting::Waiting;

use crate::base::clock::{self, Now, Timestamp};
use crate::base::words::{self, Count};
use crate::route::Router;
use crate::route::budget::{Ledger, OnExhausted, Refusal, Reservation, Shortage, Standing};
use crate::task::fact::{BatchTrouble, TaskRow};
use crate::task::journal::{COMPLETED, Line, LineKind, OpenBatch, Past, Replay, counts_as_attempt};
use crate::task::limit::{Purpose, Scope};
use crate::task::outcome::{
    Answer, CHECK_FAILED, ErrorKind, Failure, Next, Outcome, Spent, Trouble,
};
use crate::task::result::TaskError;
use crate::task::{Difficulty, Folder, GroupName, Limit, Sensitivity, TaskId, Usd, WorkerType};

/// A pause where a server names none.
const DEFAULT_PAUSE: Duration = Duration::from_secs(5);
/// Tokens that a chat's frame adds to its texts, generously.
const FRAME_TOKENS: u64 = 64;

/// Decides what happens next.
#[derive(Debug)]
pub struct Foreman {
    router: Arc<Router>,
    ledger: Ledger,
    on_exhausted: OnExhausted,
    lanes: BTreeMap<WorkerType, Lane>,
    tasks: HashMap<TaskId, Entry>,
    /// Batches that have not ended, by our marks.
    batches: BTreeMap<String, Batch>,
    /// Names in `pending`, to know whose file left.
    files: HashMap<OsString, TaskId>,
    /// Who waits for whom.
    dependents: HashMap<TaskId, BTreeSet<TaskId>>,
    by_wall: BTreeSet<(Timestamp, TaskId)>,
    by_mono: BTreeSet<(Duration, TaskId)>,
    expiries: BTreeSet<(Timestamp, TaskId)>,
    /// Who waits for a subtask.
    parents: HashMap<TaskId, TaskId>,
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
    /// How often that was asked for.
    lists: u64,
    /// Looks for dependencies whose answer has not come.
    looks: usize,
    was_critical: bool,
    /// Something was settled that people have not been told.
    settled: bool,
    /// Which lanes were out when all who may be stood in for were last looked at, and when that was.
    were_out: (Vec<bool>, Duration),
    /// Those who wait since then and for whom somebody may stand in.
    newly_movable: Vec<TaskId>,
}

impl Foreman {
    /// A foreman who knows what the journal remembers.
    pub fn new(setup: Setup, router: Arc<Router>, replay: &mut Replay, now: Now) -> Self {
        let mut limits = setup.limits;
        replay.limits.iter().for_each(|(limit, amount)| limits.set(limit, *amount));
        let mut ledger = Ledger::new(limits, setup.timezone, now.wall);
        for spent in &replay.spent {
            ledger.record(spent.amount, &spent.purpose, spent.at, now.wall);
        }
        for (limit, at) in &replay.alerts {
            ledger.record_alert(limit, *at, now.wall);
        }
        let lanes = setup.benches.into_iter().map(|bench| {
            let waiting = || Waiting::new(ledger.limited_types(), setup.ageing);
            let mut lane = Lane::new(bench, waiting(), waiting());
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
        let lanes = lanes.collect();
        Self {
            router,
            on_exhausted: setup.on_exhausted,
            lanes,
            tasks: HashMap::new(),
            batches: batch::taken_up(&replay.batches, now),
            files: HashMap::new(),
            dependents: HashMap::new(),
            by_wall: BTreeSet::new(),
            by_mono: BTreeSet::new(),
            expiries: BTreeSet::new(),
            parents: HashMap::new(),
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
            lists: 0,
            looks: 0,
            was_critical: ledger.is_critical(now.wall),
            settled: false,
            were_out: (Vec::new(), now.mono),
            newly_movable: Vec::new(),
            ledger,
        }
    }

    /// Hears what happened and answers with what follows from it.
    pub fn hear(&mut self, event: Event, now: Now) -> Vec<Order> {
        let mut orders = self.learn(event, now);
        orders.extend(self.go_on(now));
        orders
    }

    /// Hears what happened; who begins next is said when he is asked to [`go on`](Self::go_on), so
    /// that of many things that happened at once each need not be looked at from all sides.
    pub fn learn(&mut self, event: Event, now: Now) -> Vec<Order> {
        let mut orders = Vec::new();
        self.take_in(event, now, &mut orders);
        orders
    }

    /// What follows from all that he has learned, and from the time.
    pub fn go_on(&mut self, now: Now) -> Vec<Order> {
        let mut orders = Vec::new();
        self.wake(now, &mut orders);
        self.dispatch(now, &mut orders);
        self.send_batches(now, false, &mut orders);
        self.tell(now, &mut orders);
        self.maybe_go_home(now, &mut orders);
        orders
    }

    /// When to have him [`go on`](Self::go_on) at the latest, on the monotonic clock; `None` if nothing waits for time.
    pub fn wakes_at(&self, now: Now) -> Option<Duration> {
        let on_wall = |at: &Timestamp| now.mono + clock::between(now.wall, *at);
        let walls =
            [self.by_wall.first().map(|(at, _)| at), self.expiries.first().map(|(at, _)| at)];
        // Where nothing is claimed, a task whose turn has come is no reason to wake.
        let holds = self.stopping || self.paused || self.no_room;
        let awake = |lane: &&Lane| !holds || lane.block.is_some();
        let lanes = self.lanes.values().filter(awake).filter_map(|lane| lane.wakes_at(now));
        let monos = self.by_mono.first().map(|(at, _)| *at);
        let batches = self.batches.values().filter_map(|batch| self.batch_wakes_at(batch));
        lanes.chain(walls.into_iter().flatten().map(on_wall)).chain(monos).chain(batches).min()
    }

    /// How today and this month stand, and which month it is.
    pub fn money(&self) -> (Standing, Standing, String) {
        (self.ledger.day(), self.ledger.month(), self.ledger.year_month())
    }

    /// From how many per cent on to be careful.
    pub fn alert_percent(&self) -> u8 {
        self.ledger.alert_percent()
    }

    /// The mirror's row for a task that a hand has begun.
    pub fn row_in_progress(&self, id: &TaskId, at: Timestamp) -> Option<TaskRow> {
        self.tasks.get(id).map(|entry| self.working_row(id, entry, at))
    }

    /// The mirror's rows for every task that has not ended.
    pub fn rows(&self) -> impl Iterator<Item = TaskRow> + '_ {
        self.tasks.iter().map(|(id, entry)| match &entry.state {
            state if state.is_waiting() => self.waiting_row(id, entry),
            _ => self.working_row(id, entry, entry.updated_at()),
        })
    }

    /// Whether this task has been heard of and has not ended.
    pub fn knows(&self, id: &TaskId) -> bool {
        self.tasks.contains_key(id)
    }

    /// Whether nothing of a task may be told to others; so it is with one that nobody knows.
    pub fn is_confidential(&self, id: &TaskId) -> bool {
        let entry = self.tasks.get(id);
        entry.is_none_or(|entry| entry.summary.seen.sensitivity == Sensitivity::Confidential)
    }

    /// How many tasks have not ended.
    pub fn backlog(&self) -> usize {
        self.tasks.len()
    }

    /// Tells the mirror of a task that waits.
    fn record_waiting(&self, id: &TaskId, orders: &mut Vec<Order>) {
        let row = self.tasks.get(id).map(|entry| self.waiting_row(id, entry));
        orders.extend(row.map(|row| Order::Record(Box::new(row))));
    }

    /// The mirror's row of a task while its file lies in `pending`.
    fn waiting_row(&self, id: &TaskId, entry: &Entry) -> TaskRow {
        let waits_for = match &entry.state {
            State::Blocked(missing) => {
                Some(format!("{} to complete", words::names(missing, "and")))
            }
            State::Delayed { why, .. } | State::Stuck(why) => Some(why.clone()),
            // What keeps a whole lane is the worker's to tell.
            State::Queued(lane) => self.lanes.get(lane).and_then(|lane| {
                let queue = entry.queue_in(lane);
                waits_for_group(entry.group(), queue)
                    .or_else(|| queue.why_held(&entry.summary.wish.task_type))
            }),
            _ => None,
        };
        TaskRow { waits_for, ..entry.row(id, Folder::Pending, entry.updated_at()) }
    }

    fn take_in(&mut self, event: Event, now: Now, orders: &mut Vec<Order>) {
        match event {
            Event::Arrived(arrival) => self.arrived(*arrival, now, orders),
            Event::Withdrawn(file) => self.withdrawn(&file, now, orders),
            Event::NotClaimed(id, why) => self.not_claimed(&id, why, now, orders),
            Event::Ended(id, ended) => self.ended(&id, *ended, now, orders),
            Event::Batch(mark, news) => self.heard_of_batch(&mark, news, now, orders),
            Event::Filed { known_as, id, folder } => {
                self.filed(&known_as, &id, folder, now, orders);
            }
            Event::Spawned(id, children) => self.spawned(&id, children, now, orders),
            Event::Released(id) => self.released(&id, now, orders),
            Event::Looked(id, folder) => {
                self.looks = self.looks.saturating_sub(1);
                self.looked(&id, folder, now, orders);
            }
            Event::Probed(name, result) => self.probed(&name, result, now, orders),
            Event::Cancel(id) => self.cancel(&id, now, orders),
            Event::Pause(name) => self.pause(name, true, orders),
            Event::Resume(name) => self.pause(name, false, orders),
            Event::PauseGroup(name) => self.pause_group(&name, true, orders),
            Event::ResumeGroup(name) => self.pause_group(&name, false, orders),
            Event::SetLimits(limits) => self.set_limits(&limits, now, orders),
            Event::Listed(number, unsettled) if number == self.lists => {
                (self.listed, self.asked_to_list) = (Some(unsettled), false);
            }
            Event::Listed(..) => {}
            Event::Room(enough) => self.no_room = !enough,
            Event::Stop => self.stopping = true,
        }
    }
}

/// What came of asking for money.
enum Promised {
    Yes(Option<Reservation>),
    /// The task was refused instead, or has found another place.
    Refused,
    NotNow(Shortage),
}

impl Summary {
    /// What is remembered of a drop that is no task; what cannot be read may be confidential.
    fn of_no_task(dropped_at: Timestamp) -> Self {
        Self {
            wish: crate::route::decision::Wish::default(),
            seen: crate::route::Assessment {
                difficulty: Difficulty::Medium,
                difficulty_is_evident: false,
                sensitivity: Sensitivity::Confidential,
                reasons: Vec::new(),
                prompt_bytes: 0,
            },
            depends_on: Vec::new(),
            lacks_answers: false,
            group: None,
            parent: None,
            not_before: None,
            expires_at: None,
            by_batch: false,
            max_attempts: None,
            max_tokens: None,
            max_cost: None,
            earlier: Vec::new(),
            earlier_subtasks_cost: Usd::ZERO,
            created_at: dropped_at,
            warnings: Vec::new(),
        }
    }
}

impl Entry {
    /// When it last changed, as far as spool and journal know: a rebuilt mirror says the same.
    fn updated_at(&self) -> Timestamp {
        self.attempts.last().map_or(self.summary.created_at, |attempt| attempt.finished_at)
    }
}

/// What the tasks of a group wait for that somebody paused.
fn waits_for_group(group: &str, queue: &Waiting) -> Option<String> {
    queue.is_paused(group).then(|| {
        format!("group `{group}` is paused: `koubou resume --group {group}` lets it go on")
    })
}

fn most_attempts(entry: &Entry, bench: &Bench) -> u32 {
    entry.summary.max_attempts.unwrap_or(bench.max_attempts)
}

fn end_line(id: &TaskId, bench: &Bench, ended: &Ended, cost: Usd, now: Now) -> Line {
    let (outcome, message) = match backlog::failure(&ended.outcome) {
        None => (COMPLETED, None),
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

fn in_a_circle(circle: &str) -> TaskError {
    let text = format!("it waits for itself: {circle}; take one of these out of `depends_on`");
    error(ErrorKind::DependencyFailed, text)
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
