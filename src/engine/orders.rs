//! Carries out what the foreman orders, and tells the mirror what has become true.

use std::ffi::OsStr;

use super::clerk::Paper;
use super::lanes::{Held, Work};
use super::recover::Recovered;
use super::scribe::Scribe;
use super::{Engine, Errand, Message, UnderWay, reconcile};
use crate::base::clock;
use crate::base::words::{Count, tame};
use crate::config::WorkerSpec;
use crate::foreman::{Ended, Event, LaneNews, Order, Remark, Start};
use crate::spool;
use crate::spool::notes::Note;
use crate::task::fact::{Fact, LogRow, TaskRow, WorkerRow};
use crate::task::journal::{BATCH_NOT_SENT, BATCH_REFUSED, Line, LineKind, STOPPED};
use crate::task::outcome::{Failure, Outcome};
use crate::task::{Folder, TaskId, WorkerType};
use crate::worker::Leash;

impl Engine<'_> {
    pub(super) fn carry_out(&mut self, order: Order) {
        match order {
            Order::Start(start) if start.batch.is_some() => {
                self.give_clerk(&start.worker_type.clone(), Paper::Gather(start));
            }
            Order::Start(start) => self.start(start),
            Order::Send(call) => self.give_clerk(&call.worker_type.clone(), Paper::Send(call)),
            Order::Ask(call) => self.give_clerk(&call.worker_type.clone(), Paper::Ask(call)),
            Order::Leave(call) => self.give_clerk(&call.worker_type.clone(), Paper::Leave(call)),
            Order::CallOff(call) => {
                self.give_clerk(&call.worker_type.clone(), Paper::CallOff(call));
            }
            Order::Tidy(call) => self.give_clerk(&call.worker_type.clone(), Paper::Tidy(call)),
            Order::Refuse(refuse) => self.bring(Errand::Refuse(refuse)),
            Order::Reject { file, id, error, dropped_at, judged_at, again } => {
                if !again {
                    // What it quotes nobody has judged yet.
                    let text =
                        format!("rejected ({}): failed/{id}.json says why", error.kind.as_str());
                    let task = Some(id.clone());
                    self.say(Remark { level: log::Level::Warn, task, worker_id: None, text });
                }
                self.bring(Errand::Reject { file, id, error, dropped_at, judged_at });
            }
            Order::File(id, verdict) => {
                let held = self.held.remove(&id).or_else(|| self.parents.remove(&id));
                if let Some(held) = held {
                    self.bring(Errand::File(held, verdict));
                }
            }
            Order::Spawn(brood) => {
                if let Some(held) = self.held.remove(&brood.parent) {
                    self.parents.insert(brood.parent.clone(), held);
                }
                self.bring(Errand::Spawn(brood));
            }
            Order::Release(id, lines) => {
                if let Some(held) = self.held.remove(&id) {
                    self.bring(Errand::Release(held.claim, lines));
                }
            }
            Order::Pull(id) => {
                if let Some(under_way) = self.under_way.get(&id) {
                    under_way.leash.pull();
                }
            }
            Order::Look(id) => {
                let folder = self.spool.find(&id);
                let _ = self.to_me.send(Message::Event(Event::Looked(id, folder)));
            }
            Order::Probe(name) => {
                if let Some(hands) = self.lanes.get(&name) {
                    let _ = hands.work.send(Work::Probe);
                }
            }
            Order::Write(line) => self.write(&line),
            Order::Record(row) => self.mirror.tell(Fact::Task(row)),
            Order::Forget(id) => self.forget(&id),
            Order::Say(remark) => self.say(remark),
            Order::Lane(name, news) => self.lane_changed(&name, news),
            Order::Money => self.tell_of_money(),
            Order::Alert(alert) => self.ring(&alert),
            Order::List(number) => self.ask(super::Ask::ListAndTell(number)),
            Order::Afresh(file) => self.ask(super::Ask::Afresh(file)),
            Order::GoHome(farewell) => self.farewell = Some(farewell),
        }
    }

    fn start(&mut self, start: Box<Start>) {
        let leash = Leash::default();
        let worker_type = start.worker_type.clone();
        let under_way = UnderWay {
            leash: leash.clone(),
            worker_type: worker_type.clone(),
            task_type: start.task_type.clone(),
            worker_id: None,
            reserved: start.reserved,
        };
        self.under_way.insert(start.id.clone(), under_way);
        if let Some(hands) = self.lanes.get(&worker_type) {
            let _ = hands.work.send(Work::Task(start, leash));
        }
    }

    fn give_clerk(&self, name: &WorkerType, paper: Paper) {
        if let Some(desk) = self.lanes.get(name).and_then(|hands| hands.clerk.as_ref()) {
            let _ = desk.papers.send(paper);
        }
    }

    /// What an event means for our own books, before the foreman hears it.
    pub(super) fn note_event(&mut self, event: &Event) {
        if let Event::NotClaimed(id, _) = event {
            self.under_way.remove(id);
        }
    }

    /// A result stands. Somebody may have taken it away again before we heard of it,
    /// and then its row goes, too.
    pub(super) fn filed(&mut self, known_as: &TaskId, id: TaskId, folder: Folder) {
        log::info!(task:% = id; "{folder}");
        self.went_on();
        self.tell_of_end(&id, folder);
        let stands = crate::base::files::exists(&self.spool.file(folder, &id));
        match stands {
            true => self.expect_filing(&id, 1),
            false => drop(self.own_filings.remove(&id)),
        }
        self.drop_cancel(known_as);
        let told = Event::Filed { known_as: known_as.clone(), id: id.clone(), folder };
        self.hear(told);
        // While it waited it was known by a name whose result stands: that one's row is what it says.
        if *known_as != id
            && let Some(older) = self.result_of(known_as)
        {
            self.mirror.tell(older);
        }
        if !stands {
            self.forget(&id);
        }
    }

    pub(super) fn begun(&mut self, id: &TaskId, worker_id: String) {
        let now = clock::wall();
        log::info!(task:% = id; "begun by {worker_id}");
        self.tell_log(log::Level::Info, Some(id), Some(&worker_id), "begun");
        if let Some(row) = self.foreman.row_in_progress(id, now) {
            self.mirror.tell(Fact::Task(Box::new(row)));
        }
        let Some(under_way) = self.under_way.get_mut(id) else { return };
        under_way.worker_id = Some(worker_id.clone());
        let name = under_way.worker_type.clone();
        self.tell_of_hand(&name, worker_id, Some(id));
    }

    pub(super) fn hand_back(&mut self, id: TaskId, ended: Ended, held: Held) {
        let under_way = self.under_way.remove(&id);
        if let Some(under_way) = &under_way {
            self.tell_of_hand(&under_way.worker_type, ended.worker_id.clone(), None);
        }
        let (level, text) = match &ended.outcome {
            Outcome::Done(_) => (log::Level::Info, "done".to_owned()),
            // Why there is no batch is said once, and not for each task that was to be in it.
            Outcome::Failed(failure) if is_of_its_batch(failure) => {
                (log::Level::Info, failure.outcome.to_owned())
            }
            Outcome::Failed(failure) => {
                (log::Level::Warn, format!("{}: {}", failure.outcome, tame(&failure.message)))
            }
        };
        let took = crate::base::words::span(clock::between(ended.started_at, ended.finished_at));
        // A failure's message may quote what a program said; the mirror holds no task text, and the
        // log none of a confidential task.
        let bare = match &ended.outcome {
            Outcome::Done(_) => format!("{text} (after {took})"),
            Outcome::Failed(failure) => format!("{} (after {took})", failure.outcome),
        };
        let shown = match self.foreman.is_confidential(&id) {
            true => bare.clone(),
            false => format!("{text} (after {took})"),
        };
        log::log!(level, task:% = id, worker:% = ended.worker_id; "{shown}");
        self.tell_log(level, Some(&id), Some(&ended.worker_id), &bare);
        if self.is_giving_up() {
            // What was done in a batch stays claimed, and the next start asks after it again.
            let Some(under_way) = under_way else { return };
            self.close_attempt(&id, &ended, under_way);
            return self.put_back(held);
        }
        self.held.insert(id.clone(), held);
        self.hear(Event::Ended(id, Box::new(ended)));
    }

    /// An attempt that a second request to stop has ended; what it may have cost counts as spent.
    fn close_attempt(&mut self, id: &TaskId, ended: &Ended, under_way: UnderWay) {
        let cost = ended.outcome.spent().of_reserved(under_way.reserved);
        let line = Line {
            attempt: Some(ended.attempt.clone()),
            worker_id: Some(ended.worker_id.clone()),
            model: self
                .config
                .worker(&under_way.worker_type)
                .map(|spec| spec.model_name().to_owned()),
            worker_type: Some(under_way.worker_type),
            task_type: Some(under_way.task_type),
            cost_usd: Some(cost),
            outcome: Some(STOPPED.to_owned()),
            started_at: Some(ended.started_at),
            ..Line::new(LineKind::End, ended.finished_at).of(id)
        };
        self.write(&line);
        self.paid(&line);
    }

    /// After a second request to stop: the claim goes back at once.
    fn put_back(&mut self, held: Held) {
        let id = held.claim.id().clone();
        if self.lost.is_some() {
            // The claim went with its home, and waits there for the next start.
            return self.give_up_if_nobody_works();
        }
        match held.claim.release() {
            Ok(()) => {
                log::warn!(task:% = id; "put back into pending");
                self.tell_of_return(&id);
            }
            Err(error) => {
                log::error!(
                    task:% = id;
                    "{}; the next start puts it back",
                    super::lanes::sentence(&error)
                );
            }
        }
        self.give_up_if_nobody_works();
    }

    fn give_up_if_nobody_works(&mut self) {
        if self.under_way.is_empty() {
            self.give_up_at = Some(clock::mono());
        }
    }

    pub(super) fn put_everything_back(&mut self) {
        if self.lost.is_some() {
            return;
        }
        for (_, held) in std::mem::take(&mut self.held) {
            self.put_back(held);
        }
        for (id, _) in std::mem::take(&mut self.under_way) {
            // Its hand did not come back in time; the claim is ours all the same.
            if self.spool.find(&id) == Some(Folder::InProgress)
                && self.spool.reclaim(id.clone()).release().is_ok()
            {
                self.tell_of_return(&id);
            }
        }
    }

    /// The mirror's row follows a task that was put back.
    fn tell_of_return(&self, id: &TaskId) {
        if let Some(row) = self.foreman.row_in_progress(id, clock::wall()) {
            self.mirror.tell(Fact::Task(Box::new(TaskRow { status: Folder::Pending, ..row })));
        }
    }

    fn write(&mut self, line: &Line) {
        let mut written = self.journal.append([line]);
        if matches!(line.event, LineKind::Limits | LineKind::Alert) {
            written = written.and_then(|()| self.journal.sync());
        }
        if let Err(error) = written {
            self.own_trouble(&super::lanes::sentence(&error));
        }
    }

    /// An attempt's end is in the journal: how it ended and what it cost is history now.
    pub(super) fn paid(&mut self, line: &Line) {
        reconcile::attempt_facts(line).for_each(|fact| self.mirror.tell(fact));
    }

    /// Whoever asked for a task's end has it.
    fn drop_cancel(&mut self, id: &TaskId) {
        let note = Note::Cancel(id.clone());
        if note.stands(&self.home) {
            self.drop_note(&note);
        }
    }

    /// A task left `pending`; an older result of it, if there is one, is what remains.
    fn forget(&mut self, id: &TaskId) {
        self.drop_cancel(id);
        self.mirror.tell(self.result_of(id).unwrap_or_else(|| Fact::Gone(id.clone())));
    }

    /// What the mirror is to hold of a task's result, where there is one.
    fn result_of(&self, id: &TaskId) -> Option<Fact> {
        [Folder::Completed, Folder::Failed]
            .into_iter()
            .find_map(|folder| reconcile::result_fact(&self.spool, folder, id))
            .or_else(|| reconcile::archived_fact(&self.spool, id))
    }

    // ---- what people did by hand in the folders of results ----

    /// A name appeared in or left a folder of results: by our own doing, or by somebody's hand.
    pub(super) fn result_changed(&mut self, folder: Folder, name: &OsStr) {
        let Some(id) = spool::id_of(name) else { return };
        if crate::base::files::exists(&self.spool.file(folder, &id)) {
            if self.foreman.knows(&id) || self.own_filings.contains_key(&id) {
                return self.expect_filing(&id, -1);
            }
            if let Some(fact) = reconcile::result_fact(&self.spool, folder, &id) {
                self.mirror.tell(fact);
            }
        } else if !self.foreman.knows(&id) {
            // Whatever we had filed under this name is gone; its event will not come any more.
            self.own_filings.remove(&id);
            match self.spool.find_archived(&id) {
                Some(place) => self.mirror.tell(Fact::Archived(id, place.file)),
                None => self.forget(&id),
            }
        }
    }

    fn expect_filing(&mut self, id: &TaskId, by: i32) {
        let count = self.own_filings.entry(id.clone()).or_default();
        *count += by;
        if *count == 0 {
            self.own_filings.remove(id);
        }
    }

    // ---- what the mirror is told ----

    pub(super) fn say(&mut self, remark: Remark) {
        let text = tame(&remark.text);
        match &remark.task {
            Some(id) => log::log!(remark.level, task:% = id; "{text}"),
            None => log::log!(remark.level, "{text}"),
        }
        self.tell_log(
            remark.level,
            remark.task.as_ref(),
            remark.worker_id.as_deref(),
            &remark.text,
        );
    }

    pub(super) fn tell_log(
        &self,
        level: log::Level,
        task: Option<&TaskId>,
        worker_id: Option<&str>,
        text: &str,
    ) {
        let message = self.config.mask.hide(text).unwrap_or_else(|| text.to_owned());
        self.mirror.tell(Fact::Log(Box::new(LogRow {
            task_id: task.cloned(),
            worker_id: worker_id.map(str::to_owned),
            level: level.as_str(),
            component: if worker_id.is_some() { "worker" } else { "foreman" },
            message,
            at: clock::wall(),
        })));
    }

    fn lane_changed(&mut self, name: &WorkerType, news: LaneNews) {
        let before = self.lane_news.insert(name.clone(), news.clone());
        let was_ready = before.as_ref().is_none_or(|news| news.state == "ready");
        // That its batches have trouble was told with them.
        let was_told = before.as_ref().is_some_and(|before| before.reason == news.reason);
        match &news.reason {
            Some(_) if was_told => {}
            // What the settings disable was said when they were read.
            Some(_) if before.is_none() && news.state == "disabled" => {}
            Some(reason) => log::warn!("{}", tame(reason)),
            None if !was_ready => log::info!("worker `{name}` is ready"),
            None => {}
        }
        if let Some(reason) = news.reason.filter(|_| before.is_none_or(|b| b.state != news.state)) {
            self.tell_log(log::Level::Warn, None, None, &reason);
        }
        self.tell_of_lane(name);
    }

    /// Every hand of every worker type, as it is now.
    pub(super) fn tell_of_workers(&mut self) {
        let names: Vec<WorkerType> =
            self.config.workers.iter().map(|w| w.worker_type.clone()).collect();
        for name in names {
            self.tell_of_lane(&name);
        }
    }

    fn tell_of_lane(&self, name: &WorkerType) {
        let Some(spec) = self.config.worker(name) else { return };
        for n in 1..=spec.concurrency {
            let worker_id = format!("{name}-{n}");
            let task = self
                .under_way
                .iter()
                .find(|(_, under_way)| under_way.worker_id.as_deref() == Some(worker_id.as_str()))
                .map(|(id, _)| id);
            self.tell_of_hand(name, worker_id, task);
        }
    }

    fn tell_of_hand(&self, name: &WorkerType, worker_id: String, task: Option<&TaskId>) {
        let Some(spec) = self.config.worker(name) else { return };
        let news = self.lane_news.get(name);
        let mut row = worker_row(spec, worker_id);
        row.status = match (task, news.map(|news| news.state)) {
            (Some(_), _) => "busy",
            (None, None | Some("ready")) => "idle",
            (None, Some(state)) => state,
        };
        row.reason = news.and_then(|news| news.reason.clone());
        row.until = news.and_then(|news| news.until);
        row.since = news.and_then(|news| news.since);
        row.batches = news.and_then(|news| news.batches.clone());
        row.task_id = task.cloned();
        self.mirror.tell(Fact::Worker(Box::new(row)));
    }

    pub(super) fn tell_offline(&self) {
        for spec in &self.config.workers {
            for n in 1..=spec.concurrency {
                let mut row = worker_row(spec, format!("{}-{n}", spec.worker_type));
                row.status = "offline";
                self.mirror.tell(Fact::Worker(Box::new(row)));
            }
        }
    }

    pub(super) fn tell_of_money(&self) {
        self.mirror.tell(reconcile::budget_fact(&self.foreman));
    }
}

/// Whether an attempt failed with its whole batch, and people are told why elsewhere.
fn is_of_its_batch(failure: &Failure) -> bool {
    let is_told = failure.trouble.is_none() || failure.outcome == BATCH_REFUSED;
    is_told && [BATCH_REFUSED, BATCH_NOT_SENT, STOPPED].contains(&failure.outcome)
}

fn worker_row(spec: &WorkerSpec, worker_id: String) -> WorkerRow {
    WorkerRow {
        worker_id,
        worker_type: spec.worker_type.clone(),
        model: spec.model_name().to_owned(),
        endpoint: spec.endpoint().to_owned(),
        status: "idle",
        reason: None,
        until: None,
        since: None,
        batches: None,
        capabilities: spec.use_for.clone(),
        task_id: None,
        at: clock::wall(),
    }
}

/// Tells what a start found that a dead daemon had left.
pub(super) fn tell_of_recovery(found: &Recovered, mirror: &Scribe) {
    if found.unreadable > 0 {
        log::warn!(
            "{} of the journal could not be read: what was in them counts for nothing; `koubou doctor` says where",
            Count(found.unreadable, "line")
        );
    }
    for line in &found.deaths {
        reconcile::attempt_facts(line).for_each(|fact| mirror.tell(fact));
    }
    for pid in &found.ended {
        log::warn!("ended process {pid}, which an earlier daemon had left running");
    }
    for id in &found.released {
        log::warn!(
            task:% = id;
            "was in progress when an earlier daemon ended; it is back in pending"
        );
    }
    for id in &found.dropped {
        log::info!(task:% = id; "its result stood already; the leftover claim is dropped");
    }
}
