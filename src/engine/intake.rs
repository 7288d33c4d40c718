//! Reads what lies in `pending` and tells the foreman what it is.
//!
//! One thread looks at one file after another, so that the engine never waits for
//! a disk or for sixteen megabytes to be looked through. A file that is still
//! being written, or whose text merely ends too soon, is looked at again before it
//! is judged.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::Message;
use super::{answers, attachments};
use crate::base::clock::{self, Timestamp};
use crate::base::files;
use crate::base::words;
use crate::config::Config;
use crate::foreman::{Arrival, Event, Summary};
use crate::route::decision::Wish;
use crate::spool::Spool;
use crate::spool::look::Look;
use crate::spool::watch::Glimpse;
use crate::task::outcome::ErrorKind;
use crate::task::result::TaskError;
use crate::task::wire::{self, Flaws};
use crate::task::{Folder, Task, TaskId};

/// How long a file that looks unfinished is given, after it last changed, before it is judged.
const GRACE: Duration = Duration::from_secs(2);
/// How long after our own trouble a file is looked at again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a file may still count as open after its close was told.
const CLOSING: Duration = Duration::from_millis(20);

/// What the intake is asked to do.
#[derive(Debug)]
pub(super) enum Ask {
    /// Look at what was glimpsed.
    Glimpse(Glimpse),
    /// Look at everything, and say with this number when no file is unsettled any more.
    ListAndTell(u64),
    /// Take this file for one that was never seen: the task that had its id has ended.
    Afresh(OsString),
}

pub(super) struct Intake {
    spool: Arc<Spool>,
    config: Arc<Config>,
    to_engine: Sender<Message>,
    known: HashMap<OsString, Known>,
    ids: HashMap<TaskId, OsString>,
    unsettled: HashMap<OsString, Unsettled>,
    must_tell: Option<u64>,
    /// Whether `pending` could not be listed when it was last tried.
    unlisted: bool,
}

/// A file in `pending` that the foreman was told of.
struct Known {
    id: TaskId,
    seen: Seen,
}

/// What was seen of a file: what stands under its name, and, where it was read, of which bytes.
#[derive(Clone, Copy)]
struct Seen {
    stat: files::Stat,
    /// `None` for what cannot be read as a task: a link, a pipe, what is too large.
    fingerprint: Option<u64>,
}

impl Seen {
    /// Whether this is the same thing, with the same bytes.
    fn is(&self, other: &Self) -> bool {
        self.stat.identity == other.stat.identity && self.fingerprint == other.fingerprint
    }
}

/// A task with what was found in it.
struct Judged {
    task: Task,
    seen: crate::route::Assessment,
    /// Whether it is still to be filled with answers of tasks that it depends on.
    lacks_answers: bool,
}

/// A file that was looked at and not judged.
struct Unsettled {
    /// Since when it has looked as it does.
    since: Duration,
    /// How it looked; `None` where it could not be read.
    stat: Option<files::Stat>,
    /// When to look again without being told; `None` where its writer's close will tell.
    again: Option<Duration>,
    why: &'static str,
}

impl Intake {
    pub(super) fn new(spool: Arc<Spool>, config: Arc<Config>, to_engine: Sender<Message>) -> Self {
        Self {
            spool,
            config,
            to_engine,
            known: HashMap::new(),
            ids: HashMap::new(),
            unsettled: HashMap::new(),
            must_tell: None,
            unlisted: false,
        }
    }

    /// Works until nobody asks any more.
    pub(super) fn run(mut self, asks: &Receiver<Ask>) {
        loop {
            let ask = match self.next_look() {
                None => asks.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => asks.recv_timeout(at.saturating_sub(clock::mono())),
            };
            match ask {
                Ok(ask) => self.answer(ask),
                Err(RecvTimeoutError::Timeout) => self.look_again(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.tell_if_settled();
        }
    }

    fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Glimpse(Glimpse::Pending(name)) => self.see(&name),
            Ask::Glimpse(Glimpse::Everything) => self.list(),
            Ask::Glimpse(_) => {}
            Ask::ListAndTell(number) => {
                self.list();
                self.must_tell = self.must_tell.max(Some(number));
            }
            Ask::Afresh(name) => {
                self.forget(&name);
                self.see(&name);
            }
        }
    }

    fn next_look(&self) -> Option<Duration> {
        // Whoever waits for all to be settled does not wait for a writer who never closes.
        let given_up = |file: &Unsettled| self.must_tell.map(|_| file.since + GRACE);
        self.unsettled.values().filter_map(|file| file.again.or_else(|| given_up(file))).min()
    }

    fn look_again(&mut self) {
        let now = clock::mono();
        let due = |file: &Unsettled| file.again.is_some_and(|at| at <= now);
        let names: Vec<OsString> = self
            .unsettled
            .iter()
            .filter(|(_, file)| due(file))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            self.look_at(&name, false);
        }
    }

    fn tell_if_settled(&mut self) {
        let judged_soon = |file: &Unsettled| {
            file.again.is_some() || clock::mono().saturating_sub(file.since) < GRACE
        };
        let Some(number) = self.must_tell.filter(|_| !self.unsettled.values().any(judged_soon))
        else {
            return;
        };
        self.must_tell = None;
        let files = self.unsettled.iter();
        let shown = files.map(|(name, file)| {
            format!("`{}`, which {}", words::tame(&name.to_string_lossy()), file.why)
        });
        let unlisted = self.unlisted.then(|| "`tasks/pending`, which cannot be listed".to_owned());
        self.tell(Event::Listed(number, shown.chain(unlisted).collect()));
    }

    /// Looks at every name in `pending` that is new or has changed, oldest first.
    fn list(&mut self) {
        let dir = self.spool.home().folder(Folder::Pending);
        let names = match self.spool.waiting() {
            Ok(names) => names,
            Err(error) => {
                self.unlisted = true;
                return self.send(Message::OwnTrouble(error.to_string()));
            }
        };
        self.unlisted = false;
        let here: std::collections::HashSet<&OsString> = names.iter().collect();
        let gone: Vec<OsString> =
            self.known.keys().filter(|name| !here.contains(name)).cloned().collect();
        for name in gone {
            self.see(&name);
        }
        let mut fresh: Vec<(Timestamp, OsString)> = Vec::new();
        for name in names {
            let Ok(meta) = std::fs::symlink_metadata(dir.join(&name)) else { continue };
            let stat = files::Stat::from(&meta);
            // What could not be read may be by now, or may be moved out of the way.
            let is_known =
                |known: &Known| known.seen.stat == stat && known.seen.fingerprint.is_some();
            if !self.known.get(&name).is_some_and(is_known) {
                fresh.push((stat.modified, name));
            }
        }
        fresh.sort();
        for (_, name) in fresh {
            self.see(&name);
        }
    }

    fn see(&mut self, name: &OsStr) {
        self.look_at(name, true);
    }

    /// Looks at a name that an event or a listing told of, or, if not `told`, once more.
    fn look_at(&mut self, name: &OsStr, told: bool) {
        match self.spool.look(name, self.config.max_task_bytes) {
            Look::Gone => self.gone(name),
            Look::BeingWritten => {
                // The kernel tells of a close a moment before the file counts as closed, and of
                // this one it tells no more: one more look. After that, the next close is told.
                let again = told.then(|| clock::mono() + CLOSING);
                self.unsettle(name, None, again, "is still open for writing");
            }
            Look::Trouble(error) => {
                let pending = self.spool.home().folder(Folder::Pending);
                self.send(Message::OwnTrouble(format!(
                    "cannot read what lies in `{}`: {}",
                    pending.display(),
                    error.source
                )));
                self.unsettle(name, None, Some(clock::mono() + AGAIN), "cannot be read for now");
            }
            Look::NotRegular(kind) => {
                let message = format!(
                    "it is {kind}, and a task is a regular file: copy the file itself into pending"
                );
                self.judge_unread(name, error(ErrorKind::NotARegularFile, message));
            }
            Look::TooLarge(why) => {
                if let Look::Whole { bytes, stat } = self.look_for_large_result(name) {
                    return self.parse(name, &bytes, stat);
                }
                let message =
                    format!("{why}: shorten it, name a file in `files`, or raise `max_task_bytes`");
                self.judge_unread(name, error(ErrorKind::TooLarge, message));
            }
            Look::Unreadable(why) => {
                if let Some(at) = self.still_young(name, None) {
                    return self.unsettle(name, None, Some(at), "may not be read");
                }
                let message =
                    format!("it may not be read ({why}): `chmod a+r` it and drop it again");
                self.judge_unread(name, error(ErrorKind::Unreadable, message));
            }
            Look::Whole { bytes, stat } => self.parse(name, &bytes, stat),
        }
    }

    /// What is too large for a task may be a result that its owner puts into `pending` again.
    fn look_for_large_result(&self, name: &OsStr) -> Look {
        match self.spool.look(name, self.config.largest_result_file()) {
            Look::Whole { bytes, stat }
                if Self::may_bring_history(stat)
                    && wire::read(&stem(name), &bytes).is_ok_and(|task| task.history.is_some()) =>
            {
                Look::Whole { bytes, stat }
            }
            _ => Look::Gone,
        }
    }

    fn parse(&mut self, name: &OsStr, bytes: &[u8], stat: files::Stat) {
        let stem = stem(name);
        let parsed = wire::read(&stem, bytes);
        if let Err(Flaws::EndsTooSoon(_)) = &parsed
            && let Some(at) = self.still_young(name, Some(stat))
        {
            return self.unsettle(name, Some(stat), Some(at), "ends in the middle of its JSON");
        }
        if parsed.is_err() && Self::may_bring_history(stat) && self.bring_back_rejected(name, bytes)
        {
            // It moved in, and that is an event of its own.
            return;
        }
        let parsed = parsed.map(|mut task| {
            task.history = task.history.filter(|_| Self::may_bring_history(stat));
            task
        });
        let task = match parsed {
            Ok(task) if let Some(name) = self.name_with_secret(&task) => Err(error(
                ErrorKind::InvalidTask,
                format!(
                    "a secret of config/.env stands in `{name}`, which the database keeps: put it elsewhere"
                ),
            )),
            Ok(task) => self.look_through(task),
            Err(flaws) => Err(error(kind_of(&flaws), flaws.message())),
        };
        let fingerprint = files::fingerprint(bytes);
        self.judge(name, Seen { stat, fingerprint: Some(fingerprint) }, task);
    }

    /// Reads what a task names besides itself, and judges all of it.
    fn look_through(&self, mut task: Task) -> Result<Judged, TaskError> {
        let invalid = |why| error(ErrorKind::InvalidTask, why);
        attachments::workspace(&task, &self.config).map_err(invalid)?;
        let files = attachments::read(&task, &self.config).map_err(invalid)?;
        let most = self.config.max_task_bytes;
        let filled = answers::fill(&mut task, &self.spool, most).map_err(invalid)?;
        let seen = filled.raise(self.config.router.assess(&task, &files));
        Ok(Judged { task, seen, lacks_answers: filled.lacks })
    }

    fn judge_unread(&mut self, name: &OsStr, error: TaskError) {
        match std::fs::symlink_metadata(self.spool.pending(name)) {
            Ok(meta) => {
                let seen = Seen { stat: files::Stat::from(&meta), fingerprint: None };
                self.judge(name, seen, Err(error));
            }
            Err(_) => self.gone(name),
        }
    }

    /// When to look again at a file that looks unfinished, if it is young enough to be given time.
    fn still_young(&self, name: &OsStr, stat: Option<files::Stat>) -> Option<Duration> {
        let now = clock::mono();
        match self.unsettled.get(name) {
            Some(file) if file.stat == stat => Some(file.since + GRACE).filter(|end| *end > now),
            // Somebody is at it still.
            Some(_) => Some(now + GRACE),
            // A time in the future must not make it young for ever: first seen is when the grace begins.
            None => {
                let age = stat.map(|stat| clock::between(stat.modified, clock::wall()));
                (age.unwrap_or_default() < GRACE).then_some(now + GRACE)
            }
        }
    }

    fn unsettle(
        &mut self,
        name: &OsStr,
        stat: Option<files::Stat>,
        again: Option<Duration>,
        why: &'static str,
    ) {
        let same = self.unsettled.get(name).filter(|file| file.stat == stat);
        let since = same.map_or_else(clock::mono, |file| file.since);
        self.unsettled.insert(name.to_owned(), Unsettled { since, stat, again, why });
    }

    fn gone(&mut self, name: &OsStr) {
        self.unsettled.remove(name);
        self.forget(name);
        // Also of a name that was gone before it was looked at: somebody may wait for it.
        self.tell(Event::Withdrawn(name.to_owned()));
    }

    fn forget(&mut self, name: &OsStr) {
        let Some(known) = self.known.remove(name) else { return };
        if self.ids.get(&known.id).is_some_and(|owner| owner == name) {
            self.ids.remove(&known.id);
        }
    }

    fn judge(&mut self, name: &OsStr, seen: Seen, task: Result<Judged, TaskError>) {
        self.unsettled.remove(name);
        if self.is_gone(name, seen.stat) {
            return;
        }
        let told = self.known.get(name).filter(|known| known.seen.is(&seen));
        let id = match &task {
            // Told of already: that somebody is claiming it just now makes it no other task.
            _ if let Some(known) = told => known.id.clone(),
            Ok(Judged { task, .. }) if task.history.is_some() => {
                self.own_id(&self.masked(&task.id), name)
            }
            Ok(Judged { task, .. }) => self.fresh_id(&self.masked(&task.id), name),
            Err(_) => self.fresh_id(&self.masked(&TaskId::from_stem(&stem(name))), name),
        };
        if let Some(before) = self.known.get(name)
            && before.id != id
        {
            self.gone(name);
        }
        if self.spool.is_spent_report(&id) {
            // The drop that it told of was mended and is here again; its own result takes its place.
            let _ = files::remove(&self.spool.file(Folder::Failed, &id));
        }
        self.known.insert(name.to_owned(), Known { id: id.clone(), seen });
        self.ids.insert(id.clone(), name.to_owned());
        let dropped_at = seen.stat.modified.min(clock::wall());
        let task = task.map(|judged| Box::new(summary(judged, dropped_at)));
        self.tell(Event::Arrived(Box::new(Arrival {
            file: name.to_owned(),
            id,
            fingerprint: seen.fingerprint.unwrap_or(0),
            dropped_at,
            task,
        })));
    }

    /// An id without secrets of `config/.env`: it stands in names, in the log and in the database.
    fn masked(&self, id: &TaskId) -> TaskId {
        self.config
            .mask
            .hide(id.as_str())
            .map_or_else(|| id.clone(), |hidden| TaskId::from_stem(&hidden))
    }

    /// The field that holds a secret and that the database keeps.
    fn name_with_secret(&self, task: &Task) -> Option<&'static str> {
        let holds = |text: &str| self.config.mask.hide(text).is_some();
        if holds(&task.task_type) {
            return Some("task_type");
        }
        if task.group.as_ref().is_some_and(|group| holds(group.as_str())) {
            return Some("group");
        }
        if task.parent.as_ref().is_some_and(|parent| holds(parent.as_str())) {
            return Some("parent_task_id");
        }
        task.depends_on.iter().any(|id| holds(id.as_str())).then_some("depends_on")
    }

    /// Whether the file that was seen is not there any more: it was claimed meanwhile, as a task
    /// is that was put back, or taken away. It is no second task of its name.
    fn is_gone(&self, name: &OsStr, seen: files::Stat) -> bool {
        let now = std::fs::symlink_metadata(self.spool.pending(name)).ok();
        now.is_none_or(|meta| files::Stat::from(&meta).identity != seen.identity)
    }

    /// Only who owns the home may say what came before for a task; from anybody else a result
    /// is a fresh drop of the task in it.
    fn may_bring_history(stat: files::Stat) -> bool {
        stat.owner == 0 || stat.owner == rustix::process::geteuid().as_raw()
    }

    /// A report of a drop that was no task, put into `pending`: it is the drop that is meant.
    fn bring_back_rejected(&self, name: &OsStr, bytes: &[u8]) -> bool {
        let Some(id) = wire::rejected_id(bytes) else { return false };
        let rejected = self.spool.rejected(&id);
        files::exists(&rejected) && files::rename_over(&rejected, &self.spool.pending(name)).is_ok()
    }

    /// A fresh drop never takes a name that is in use.
    fn fresh_id(&self, id: &TaskId, name: &OsStr) -> TaskId {
        self.spool.free_id(id, |id| self.ids.get(id).is_some_and(|owner| owner != name))
    }

    /// A result that was put into `pending` again keeps its name, unless the task is under way.
    fn own_id(&self, id: &TaskId, name: &OsStr) -> TaskId {
        let elsewhere = self.ids.get(id).is_some_and(|owner| owner != name);
        match elsewhere || files::exists(&self.spool.file(Folder::InProgress, id)) {
            true => self.fresh_id(id, name),
            false => id.clone(),
        }
    }

    fn tell(&self, event: Event) {
        self.send(Message::Event(event));
    }

    fn send(&self, message: Message) {
        // The engine outlives the intake; when it does not, nobody is left to tell.
        let _ = self.to_engine.send(message);
    }
}

/// A claim that an earlier daemon left, read and judged like an arrival; `None` where it cannot be.
pub(super) fn claimed(spool: &Spool, config: &Config, id: &TaskId) -> Option<Arrival> {
    let mut file = files::Regular::open(&spool.file(Folder::InProgress, id)).ok()?;
    let (stat, bytes) = (file.stat, file.read(config.largest_result_file()).ok()?);
    let mut task = wire::read(id.as_str(), &bytes).ok()?;
    task.history = task.history.filter(|_| Intake::may_bring_history(stat));
    let attached = attachments::read(&task, config).unwrap_or_default();
    let filled = answers::fill(&mut task, spool, config.max_task_bytes).unwrap_or_default();
    let seen = filled.raise(config.router.assess(&task, &attached));
    let dropped_at = stat.modified.min(clock::wall());
    let judged = Judged { task, seen, lacks_answers: false };
    Some(Arrival {
        file: id.file_name().into(),
        id: id.clone(),
        fingerprint: files::fingerprint(&bytes),
        dropped_at,
        task: Ok(Box::new(summary(judged, dropped_at))),
    })
}

/// The stem of a name in `pending`.
pub(super) fn stem(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    name.strip_suffix(".json").unwrap_or(&name).to_owned()
}

pub(super) fn kind_of(flaws: &Flaws) -> ErrorKind {
    match flaws {
        Flaws::EndsTooSoon(_) | Flaws::NotJson(_) => ErrorKind::InvalidJson,
        Flaws::NotATask(_) => ErrorKind::InvalidTask,
    }
}

pub(super) fn error(kind: ErrorKind, message: String) -> TaskError {
    TaskError { kind, message }
}

/// What the foreman remembers of a task.
fn summary(judged: Judged, dropped_at: Timestamp) -> Summary {
    let Judged { task, seen, lacks_answers } = judged;
    let created_at =
        task.history.as_ref().and_then(|history| history.created_at).unwrap_or(dropped_at);
    Summary {
        seen,
        earlier: task.earlier_attempts().to_vec(),
        earlier_subtasks_cost: task
            .history
            .as_ref()
            .map_or(crate::task::Usd::ZERO, |all| all.subtasks_cost),
        created_at,
        wish: Wish::of(&task),
        depends_on: task.depends_on,
        lacks_answers,
        group: task.group,
        parent: task.parent,
        not_before: task.not_before,
        expires_at: task.expires_at,
        by_batch: task.by_batch,
        max_attempts: task.max_attempts,
        max_tokens: task.max_tokens,
        max_cost: task.max_cost,
        warnings: task.warnings,
    }
}
