//! Tasks that are worked on together: gathered, sent as one batch, and asked after until it has ended.
//!
//! ```text
//! gathering ──▶ sending ──▶ submitted ──▶ (each task ends by itself) ──▶ tidying
//!                  └──▶ missing ──┘ └──▶ (given up: each task ends by itself)
//! ```
//!
//! A task of a batch has money promised like any other, at the batch's price, and no hand:
//! it may take a day. A batch whose submission nobody confirmed is looked for before
//! anything of it is sent again, so that nothing is bought twice.

use super::*;

/// A batch of so many bytes takes in nothing more: its file must not be larger than servers take.
const MOST_BYTES: u64 = 64 << 20;
/// So often a server may say that it does not know a batch, before it is believed.
const LOOKS: u32 = 3;
/// So often a file of a batch that has ended may not be there yet: a quarter of an hour, about.
const READS: u32 = 20;

/// A batch that has not ended.
#[derive(Debug)]
pub(super) struct Batch {
    lane: WorkerType,
    /// Those that have not ended: each with its attempt's mark and beginning.
    parts: BTreeMap<TaskId, (String, Timestamp)>,
    /// What their prompts come to, about.
    bytes: u64,
    stage: Stage,
    /// When it came to this stage.
    since: Timestamp,
    /// When to ask after it; `None` while an answer is on its way.
    look_at: Option<Duration>,
    /// Whether a drain waits for what is heard of it next.
    is_awaited: bool,
    /// How often in a row its server did not know it.
    absences: u32,
    /// How often in a row its server could not be asked.
    misses: u32,
    /// Since when nothing is known of it, and why.
    trouble: Option<(Timestamp, String)>,
    /// Whether its server was told that nobody wants it any more.
    is_called_off: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Stage {
    /// Tasks join it until then.
    Gathering { until: Duration },
    /// It is on its way.
    Sending,
    /// It may have been submitted.
    Missing,
    /// Its server calls it so.
    Submitted(String),
    /// All its results are filed, and what it left at its server is being taken away.
    Tidying(String),
}

impl Batch {
    fn new(lane: &WorkerType, stage: Stage, since: Timestamp) -> Self {
        Self {
            lane: lane.clone(),
            parts: BTreeMap::new(),
            bytes: 0,
            stage,
            since,
            look_at: None,
            is_awaited: true,
            absences: 0,
            misses: 0,
            trouble: None,
            is_called_off: false,
        }
    }

    /// What its server calls it.
    pub(super) fn id(&self) -> Option<String> {
        match &self.stage {
            Stage::Submitted(id) | Stage::Tidying(id) => Some(id.clone()),
            _ => None,
        }
    }

    pub(super) fn is_being_tidied(&self) -> bool {
        matches!(self.stage, Stage::Tidying(_))
    }

    fn is_gathering(&self) -> bool {
        matches!(self.stage, Stage::Gathering { .. })
    }

    fn is_full(&self, most: usize) -> bool {
        self.parts.len() >= most || self.bytes >= MOST_BYTES
    }

    pub(super) fn is_being_sent(&self) -> bool {
        self.stage == Stage::Sending
    }

    /// Whether something comes of it so soon that a drain waits.
    pub(super) fn is_heard_of_soon(&self) -> bool {
        !self.is_gathering() && (self.look_at.is_none() || self.is_awaited)
    }
}

/// The batches that an earlier daemon may have submitted.
pub(super) fn taken_up(open: &HashMap<String, OpenBatch>, now: Now) -> BTreeMap<String, Batch> {
    let again = |(mark, open): (&String, &OpenBatch)| {
        let stage = open.batch_id.clone().map_or(Stage::Missing, Stage::Submitted);
        let batch = Batch::new(&open.worker_type, stage, open.since);
        (mark.clone(), Batch { look_at: Some(now.mono), ..batch })
    };
    open.iter().map(again).collect()
}

/// Takes a task out of a batch that is still being gathered: nothing of it was sent.
pub(super) fn leave_gathering(batches: &mut BTreeMap<String, Batch>, mark: &str, id: &TaskId) {
    let Some(batch) = batches.get_mut(mark).filter(|batch| batch.is_gathering()) else { return };
    batch.parts.remove(id);
    if batch.parts.is_empty() {
        batches.remove(mark);
    }
}

impl Entry {
    /// The queue of a lane that it waits in.
    pub(super) fn queue_in<'a>(&self, lane: &'a Lane) -> &'a Waiting {
        lane.queue(self.goes_by_batch(&lane.bench))
    }
}

impl Foreman {
    // ---- gathering and sending ----

    pub(super) fn next_to_gather(&self, name: &WorkerType, now: Now) -> Option<TaskId> {
        let lane = self.lanes.get(name).filter(|lane| lane.may_gather())?;
        lane.to_gather.first(now.wall).cloned()
    }

    /// The batch that a task joins, if its attempt is to be made in one.
    pub(super) fn batch_for(
        &mut self,
        name: &WorkerType,
        id: &TaskId,
        attempt: &str,
        now: Now,
    ) -> Option<String> {
        let (entry, lane) = (self.tasks.get(id)?, self.lanes.get(name)?);
        let terms = lane.bench.batch.as_ref().filter(|_| entry.goes_by_batch(&lane.bench))?;
        let bytes = entry.summary.seen.prompt_bytes;
        let has_room = |batch: &Batch| {
            batch.is_gathering() && batch.lane == *name && !batch.is_full(terms.most)
        };
        let open = self.batches.iter().find(|(_, batch)| has_room(batch));
        let mark = open.map_or_else(|| format!("{attempt}-batch"), |(mark, _)| mark.clone());
        let stage = Stage::Gathering { until: now.mono + terms.gather };
        let fresh = || Batch::new(name, stage, now.wall);
        let batch = self.batches.entry(mark.clone()).or_insert_with(fresh);
        batch.parts.insert(id.clone(), (attempt.to_owned(), now.wall));
        batch.bytes = batch.bytes.saturating_add(bytes);
        Some(mark)
    }

    /// Sends what is full or was gathered long enough, or `all`; says whether anything was sent.
    pub(super) fn send_batches(&mut self, now: Now, all: bool, orders: &mut Vec<Order>) -> bool {
        let is_due = |batch: &Batch| {
            let is_full = self.most_in(batch).is_some_and(|most| batch.is_full(most));
            let until = self.sent_at(batch);
            until.is_some_and(|until| all || is_full || until <= now.mono)
        };
        let due = self.batches.iter().filter(|(_, batch)| is_due(batch));
        let due: Vec<String> = due.map(|(mark, _)| mark.clone()).collect();
        for mark in &due {
            if let Some(batch) = self.batches.get_mut(mark) {
                batch.stage = Stage::Sending;
            }
            orders.extend(self.call(mark).map(|call| Order::Send(Box::new(call))));
        }
        !due.is_empty()
    }

    fn most_in(&self, batch: &Batch) -> Option<usize> {
        Some(self.lanes.get(&batch.lane)?.bench.batch.as_ref()?.most)
    }

    /// When a batch that is being gathered goes, if nothing holds it.
    fn sent_at(&self, batch: &Batch) -> Option<Duration> {
        let Stage::Gathering { until } = batch.stage else { return None };
        let lane = self.lanes.get(&batch.lane)?;
        // Its money is promised already: what others lack holds it no more.
        let may_go = lane.may_gather() || matches!(lane.block, Some(Block::OverBudget(_)));
        (may_go && !lane.paused && !self.paused && !self.stopping).then_some(until)
    }

    pub(super) fn batch_wakes_at(&self, batch: &Batch) -> Option<Duration> {
        self.sent_at(batch).or(batch.look_at.filter(|_| !self.stopping))
    }

    /// What whoever deals with a batch must know; only tasks that are in it still are meant.
    fn call(&self, mark: &str) -> Option<BatchCall> {
        let batch = self.batches.get(mark)?;
        let is_in = |id: &TaskId| {
            let state = self.tasks.get(id).map(|entry| &entry.state);
            matches!(state, Some(State::Batched { batch, .. }) if batch == mark)
        };
        let bench = &self.lanes.get(&batch.lane)?.bench;
        let part = |(id, (attempt, begun_at)): (&TaskId, &(String, Timestamp))| {
            let max_tokens = self.tasks.get(id)?.answer_tokens(bench);
            let (attempt, begun_at) = (attempt.clone(), *begun_at);
            Some((id.clone(), Part { attempt, begun_at, max_tokens }))
        };
        let parts = batch.parts.iter().filter(|(id, _)| is_in(id));
        Some(BatchCall {
            mark: mark.to_owned(),
            worker_type: batch.lane.clone(),
            batch_id: batch.id(),
            is_last_look: batch.absences + 1 >= LOOKS,
            is_last_read: batch.misses + 1 >= READS,
            parts: parts.filter_map(part).collect(),
        })
    }

    // ---- what is heard of it ----

    /// Asks after each batch whose time has come.
    pub(super) fn ask_after_batches(&mut self, now: Now, orders: &mut Vec<Order>) {
        if self.stopping {
            return;
        }
        let is_due = |batch: &Batch| batch.look_at.is_some_and(|at| at <= now.mono);
        let due = self.batches.iter().filter(|(_, batch)| is_due(batch));
        let due: Vec<String> = due.map(|(mark, _)| mark.clone()).collect();
        for mark in due {
            // Nothing is left to come of one that an earlier daemon took home and did not tidy up.
            if self.batches.get(&mark).is_some_and(|batch| batch.parts.is_empty()) {
                self.tidy(&mark, now, orders);
                continue;
            }
            self.call_off_unwanted(&mark, orders);
            orders.extend(self.call(&mark).map(|call| Order::Ask(Box::new(call))));
            if let Some(batch) = self.batches.get_mut(&mark) {
                batch.look_at = None;
            }
        }
    }

    pub(super) fn heard_of_batch(
        &mut self,
        mark: &str,
        news: BatchNews,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let Some(batch) = self.batches.get_mut(mark) else { return };
        if batch.is_being_tidied() {
            return self.batch_is_over(mark, now, orders);
        }
        if let BatchNews::NotCalledOff(why) = news {
            batch.is_called_off = false;
            let text = format!("{} could not be ended: {why}", self.batch_in_words(mark));
            return orders.push(remark(log::Level::Warn, &format!("{text}; it is tried again")));
        }
        let terms = self.lanes.get(&batch.lane).and_then(Lane::batch_terms);
        let poll = terms.map_or(DEFAULT_PAUSE, |terms| terms.poll);
        let (absences, misses) = (batch.absences, batch.misses);
        (batch.absences, batch.misses) = (0, 0);
        batch.look_at = Some(now.mono + poll);
        let name = batch.lane.clone();
        let before = batch.trouble.take();
        let had_trouble = before.is_some();
        let since = before.map_or(now.wall, |(since, _)| since);
        match news {
            BatchNews::Taken(id) => {
                // One that was found again may have ended long ago: it is asked at once.
                batch.is_awaited = batch.stage == Stage::Missing;
                if batch.is_awaited {
                    batch.look_at = Some(now.mono);
                }
                let count = Count(batch.parts.len() as u64, "task");
                let text = format!("batch `{id}` of worker `{name}` is submitted with {count}");
                (batch.stage, batch.since) = (Stage::Submitted(id), now.wall);
                orders.push(remark(log::Level::Info, &text));
                self.record_batch(mark, now, orders);
                self.call_off_unwanted(mark, orders);
            }
            BatchNews::Unsure(why) => {
                batch.stage = Stage::Missing;
                let text = format!(
                    "whether a batch of worker `{name}` was submitted is not known, and it is looked for: {why}"
                );
                if let Some(lane) = self.lanes.get_mut(&name) {
                    lane.fail(&why, now);
                }
                orders.push(remark(log::Level::Warn, &text));
                self.batch_in_trouble(mark, since, text, !had_trouble, now, orders);
            }
            BatchNews::Open => {
                batch.is_awaited = false;
                if had_trouble {
                    let text = format!("{} can be asked after again", self.batch_in_words(mark));
                    orders.push(remark(log::Level::Info, &text));
                    self.record_batch(mark, now, orders);
                }
            }
            BatchNews::Absent => {
                (batch.absences, batch.is_awaited) = (absences + 1, true);
                let text = format!("the server does not know {}", self.batch_in_words(mark));
                self.batch_in_trouble(mark, since, text, !had_trouble, now, orders);
            }
            BatchNews::Trouble(why) => {
                batch.is_awaited = false;
                (batch.absences, batch.misses) = (absences, misses + 1);
                let pause = retry::pause(misses + 1, Some(poll), 0);
                batch.look_at = Some(now.mono + pause);
                let text = format!("{} cannot be asked after: {why}", self.batch_in_words(mark));
                if misses == 0 {
                    orders.push(remark(log::Level::Warn, &format!("{text}; it is tried again")));
                }
                self.batch_in_trouble(mark, since, text, !had_trouble, now, orders);
            }
            BatchNews::NotCalledOff(_) | BatchNews::Tidied => {}
        }
    }

    /// Nothing is known of a batch for now; its tasks say so, if that is new.
    fn batch_in_trouble(
        &mut self,
        mark: &str,
        since: Timestamp,
        why: String,
        is_new: bool,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        if let Some(batch) = self.batches.get_mut(mark) {
            batch.trouble = Some((since, why));
        }
        if is_new {
            self.record_batch(mark, now, orders);
        }
    }

    /// The oldest trouble with a batch of each worker that has any.
    pub(super) fn batch_troubles(&self) -> BTreeMap<WorkerType, BatchTrouble> {
        let mut oldest: BTreeMap<WorkerType, BatchTrouble> = BTreeMap::new();
        for batch in self.batches.values() {
            let Some((since, why)) = &batch.trouble else { continue };
            let is_older = |known: &BatchTrouble| known.since <= *since;
            if !oldest.get(&batch.lane).is_some_and(is_older) {
                let trouble = BatchTrouble { reason: why.clone(), since: *since, until: None };
                oldest.insert(batch.lane.clone(), trouble);
            }
        }
        oldest
    }

    /// Tells the mirror of each task of a batch.
    fn record_batch(&self, mark: &str, now: Now, orders: &mut Vec<Order>) {
        let ids = self.batches.get(mark).into_iter().flat_map(|batch| batch.parts.keys());
        let rows = ids.filter_map(|id| self.row_in_progress(id, now.wall));
        orders.extend(rows.map(|row| Order::Record(Box::new(row))));
    }

    /// An attempt of a batch has ended, and its end is in the journal. After the last one nothing
    /// is left to come of the batch.
    pub(super) fn leave_batch(
        &mut self,
        mark: &str,
        id: &TaskId,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let Some(batch) = self.batches.get_mut(mark) else { return };
        batch.parts.remove(id);
        if batch.parts.is_empty() {
            self.tidy(mark, now, orders);
        }
    }

    /// Has taken away what a batch left at its server, if it has come that far.
    fn tidy(&mut self, mark: &str, now: Now, orders: &mut Vec<Order>) {
        let Some(batch) = self.batches.get_mut(mark) else { return };
        let Stage::Submitted(id) = &batch.stage else {
            return self.batch_is_over(mark, now, orders);
        };
        (batch.stage, batch.look_at) = (Stage::Tidying(id.clone()), None);
        match self.call(mark) {
            Some(call) => orders.push(Order::Tidy(Box::new(call))),
            None => self.batch_is_over(mark, now, orders),
        }
    }

    /// Every attempt of a batch has its end in the journal. Were this written sooner, a kill in
    /// between would forget what it cost.
    fn batch_is_over(&mut self, mark: &str, now: Now, orders: &mut Vec<Order>) {
        let Some(batch) = self.batches.remove(mark) else { return };
        if batch.is_gathering() {
            return;
        }
        let mut line = Line::of_batch(LineKind::BatchOver, mark, &batch.lane, now.wall);
        line.batch_id = batch.id();
        if let Some(id) = &line.batch_id {
            let text = format!("batch `{id}` of worker `{}` is over", batch.lane);
            orders.push(remark(log::Level::Info, &text));
        }
        orders.push(Order::Write(Box::new(line)));
    }

    // ---- where there is no batch to be had ----

    /// A provider refused a batch, or failed one as a whole. Its tasks are done at once; where that
    /// is no matter of what was in it, no other is made for a while.
    pub(super) fn batch_refused(
        &mut self,
        name: &WorkerType,
        why: &str,
        is_sure: bool,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        let Some(lane) = self.lanes.get_mut(name) else { return };
        let rests = lane.refuse_batch(why, is_sure, now);
        let until = lane.makes_no_batches().filter(|_| rests).and_then(|trouble| trouble.until);
        let then = until.map(|until| {
            let until = clock::rfc3339(until);
            format!(", and no batch is made until {until}: `koubou resume {name}` tries one sooner")
        });
        let text = format!("{why}; its tasks are done at once{}", then.unwrap_or_default());
        orders.push(remark(log::Level::Warn, &text));
        if rests {
            self.take_back_gathered(name, orders);
            self.queue_anew(name, orders);
        }
    }

    /// Takes the tasks back that were being gathered for a worker.
    fn take_back_gathered(&mut self, name: &WorkerType, orders: &mut Vec<Order>) {
        let is_meant = |batch: &&Batch| batch.is_gathering() && batch.lane == *name;
        let meant = self.batches.iter().filter(|(_, batch)| is_meant(batch));
        let meant: Vec<String> = meant.map(|(mark, _)| mark.clone()).collect();
        for mark in meant {
            orders.extend(self.call(&mark).map(|call| Order::Leave(Box::new(call))));
            self.batches.remove(&mark);
        }
    }

    /// Puts each task that waits for a worker into the queue and at the price that hold now.
    pub(super) fn queue_anew(&mut self, name: &WorkerType, orders: &mut Vec<Order>) {
        let waits = |entry: &Entry| matches!(&entry.state, State::Queued(lane) if lane == name);
        let ids = self.tasks.iter().filter(|(_, entry)| waits(entry));
        let ids: Vec<TaskId> = ids.map(|(id, _)| id.clone()).collect();
        for id in ids {
            self.set_state(&id, State::Queued(name.clone()), orders);
        }
    }

    // ---- what an earlier daemon left ----

    /// Takes up a task whose attempt goes on in a batch, though the daemon that began it has ended.
    pub fn take_up(&mut self, taken: TakenUp, now: Now) {
        let TakenUp { arrival, begun } = taken;
        let (Ok(summary), Some(mark), Some(lane), Some(attempt)) =
            (&arrival.task, begun.batch.clone(), begun.worker_type.clone(), begun.attempt.clone())
        else {
            return;
        };
        let (id, summary) = (arrival.id.clone(), (**summary).clone());
        let past = self.past.remove(&id).unwrap_or_default();
        let mut entry = self.entry(arrival, summary, past, now);
        entry.started_at = Some(begun.at);
        if let Some(lane) = self.lanes.get(&lane) {
            entry.prompt_tokens = entry.tokens_for(&lane.bench);
        }
        entry.estimate = begun.reserved_usd.unwrap_or_default();
        let (amount, purpose) = (entry.estimate, begun.purpose());
        let promise = (amount > Usd::ZERO)
            .then(|| self.ledger.promise_again(amount, purpose, begun.at, now.wall));
        entry.state = State::Batched { lane, promise, batch: mark.clone() };
        if let Some(at) = entry.summary.expires_at {
            self.expiries.insert((at, id.clone()));
        }
        self.files.insert(entry.file.clone(), id.clone());
        self.tasks.insert(id.clone(), entry);
        if let Some(batch) = self.batches.get_mut(&mark) {
            batch.parts.insert(id, (attempt, begun.at));
        }
    }

    // ---- what people ask and are told ----

    /// Somebody wants a task of a batch ended.
    pub(super) fn cancel_in_batch(&mut self, mark: &str, id: &TaskId, orders: &mut Vec<Order>) {
        let is_gathering = self.batches.get(mark).is_some_and(Batch::is_gathering);
        if !is_gathering {
            let text = "cancelled, but its batch is submitted: its answer is dropped when it comes, and what it cost counts";
            orders.push(info(id, text));
            return self.call_off_unwanted(mark, orders);
        }
        if let Some(mut call) = self.call(mark) {
            call.parts.retain(|part, _| part == id);
            orders.push(Order::Leave(Box::new(call)));
        }
        // Whoever is on the way out is sent with nobody.
        leave_gathering(&mut self.batches, mark, id);
    }

    /// Has a batch ended of which every task that is left is cancelled. What was done by then is
    /// paid for all the same, and so it is asked after until its server says that it has ended.
    fn call_off_unwanted(&mut self, mark: &str, orders: &mut Vec<Order>) {
        let Some(batch) = self.batches.get(mark) else { return };
        let is_wanted = |id: &TaskId| self.tasks.get(id).is_some_and(|entry| !entry.cancelled);
        let is_submitted = matches!(batch.stage, Stage::Submitted(_));
        if !is_submitted || batch.is_called_off || batch.parts.keys().any(is_wanted) {
            return;
        }
        if let Some(call) = self.call(mark) {
            let text =
                format!("nobody wants {} any more: it is called off", self.batch_in_words(mark));
            orders.push(remark(log::Level::Info, &text));
            orders.push(Order::CallOff(Box::new(call)));
        }
        if let Some(batch) = self.batches.get_mut(mark) {
            batch.is_called_off = true;
        }
    }

    /// A batch by its server's name, where it has one.
    fn batch_in_words(&self, mark: &str) -> String {
        let Some(batch) = self.batches.get(mark) else { return "a batch".to_owned() };
        match batch.id() {
            Some(id) => format!("batch `{id}` of worker `{}`", batch.lane),
            None => format!("a batch of worker `{}`", batch.lane),
        }
    }

    /// The batch that a task is in, in words.
    pub(super) fn waits_for_batch(&self, mark: &str) -> String {
        let Some(batch) = self.batches.get(mark) else { return "its end".to_owned() };
        let (lane, since) = (&batch.lane, clock::rfc3339(batch.since));
        let text = match &batch.stage {
            Stage::Gathering { .. } => {
                format!("the batch of worker `{lane}` that is being gathered")
            }
            Stage::Sending => format!("the batch of worker `{lane}` that is being sent"),
            Stage::Missing => {
                format!("a batch of worker `{lane}` of which its server is still to be asked")
            }
            Stage::Submitted(id) | Stage::Tidying(id) => {
                format!("batch `{id}` of worker `{lane}`, since {since}")
            }
        };
        match &batch.trouble {
            Some((since, why)) => format!("{text}; since {}, {why}", clock::rfc3339(*since)),
            None => text,
        }
    }

    /// The mirror's row of a task that is being worked on.
    pub(super) fn working_row(&self, id: &TaskId, entry: &Entry, at: Timestamp) -> TaskRow {
        let waits_for = match &entry.state {
            State::Batched { batch, .. } => Some(self.waits_for_batch(batch)),
            State::Parent(_) => Some(family::ITS_SUBTASKS.to_owned()),
            _ => None,
        };
        TaskRow { waits_for, ..entry.row(id, Folder::InProgress, at) }
    }
}
