//! The one writer: a thread that takes every fact it is told, and writes many at a time.
//!
//! It always takes what it is told, also while SQLite is unwell. While somebody
//! else holds the database, facts are kept for a while; when they become too
//! many, or the database is lost, they are dropped, and the engine hears
//! [`MirrorNews::Behind`]. It hears [`MirrorNews::Well`] once writing works again,
//! and then has the mirror rebuilt.
//!
//! Idle, it sleeps until it is told something. It never reads a task's folder and
//! never asks anybody to wait for it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, at, bounded, never, select_biased, unbounded};
use rusqlite::{InterruptHandle, TransactionBehavior};

use super::database::{self, Database};
use super::{MirrorError, compact, rebuild, record};
use crate::base::clock::Timestamp;
use crate::base::words;
use crate::task::fact::{Fact, JournalMark};

/// The most facts in one transaction.
const BATCH: usize = 4_096;

/// How the mirror is, for whoever can have it rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorNews {
    /// Facts were lost: the mirror no longer shows what is.
    Behind,
    /// It can be written again, and what was lost can be made good.
    Well,
}

/// The facts of a rebuild, read while it is made.
pub type Facts = Box<dyn Iterator<Item = Fact> + Send>;

/// The writer. It ends when this is dropped, with all that it was told until then.
#[derive(Debug)]
pub struct Mirror {
    control: Sender<Control>,
    thread: Option<JoinHandle<()>>,
    fresh: bool,
    mark: Option<JournalMark>,
    compacting: Compacting,
}

/// The database that is being compacted just now, so that nobody who ends has to wait for it.
#[derive(Clone, Default)]
struct Compacting(Arc<Mutex<Option<InterruptHandle>>>);

impl Compacting {
    fn hold(&self, handle: Option<InterruptHandle>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = handle;
    }

    fn interrupt(&self) {
        if let Some(handle) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            handle.interrupt();
        }
    }
}

impl std::fmt::Debug for Compacting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compacting")
    }
}

enum Control {
    Flush(Sender<bool>),
    Rebuild(Facts, Sender<Result<rebuild::Rebuilt, MirrorError>>),
    Compact(Timestamp, Sender<Result<compact::Compacted, MirrorError>>),
}

/// How patient the writer is.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// How long one write waits for somebody else's.
    busy: Duration,
    /// The first pause after a failure; each later one is twice as long.
    first_pause: Duration,
    /// The longest pause.
    longest_pause: Duration,
    /// How many facts are kept while nothing can be written.
    kept: usize,
}

const PATIENCE: Patience = Patience {
    busy: Duration::from_secs(5),
    first_pause: Duration::from_millis(500),
    longest_pause: Duration::from_secs(60),
    kept: 20_000,
};

impl Mirror {
    /// Opens the mirror at `path`, makes it where it is not there, and starts its writer.
    ///
    /// `news` is called by the writer's thread.
    ///
    /// # Errors
    /// [`MirrorError::TooNew`]. Whatever else is wrong, the writer starts and tries again.
    pub fn start(
        path: &Path,
        news: impl FnMut(MirrorNews) + Send + 'static,
    ) -> Result<(Sender<Fact>, Self), MirrorError> {
        Self::start_with(path, PATIENCE, Box::new(news))
    }

    fn start_with(
        path: &Path,
        patience: Patience,
        news: News,
    ) -> Result<(Sender<Fact>, Self), MirrorError> {
        let (tell, facts) = unbounded();
        let (control, orders) = unbounded();
        let compacting = Compacting::default();
        let mut writer = Writer {
            compacting: compacting.clone(),
            path: path.to_owned(),
            patience,
            facts,
            control: orders,
            news,
            database: None,
            pending: Vec::new(),
            behind: false,
            warned: false,
            pause: patience.first_pause,
            retry_at: None,
        };
        let (mut fresh, mut mark) = (true, None);
        match Database::open(path, patience.busy) {
            Ok(database) => {
                fresh = database.fresh;
                mark = record::journal_mark(&database.connection).ok().flatten();
                writer.database = Some(database);
            }
            Err(error @ MirrorError::TooNew { .. }) => return Err(error),
            Err(error) => writer.failed(error),
        }
        let thread = std::thread::Builder::new().name("mirror".into()).spawn(move || writer.run());
        let thread = thread.map_err(|error| {
            crate::base::files::FileError::new("start a thread for", path, error)
        })?;
        Ok((tell, Self { control, thread: Some(thread), fresh, mark, compacting }))
    }

    /// Whether it knew nothing of this home when it was opened, or could not be opened:
    /// then it wants a rebuild.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// How far it had followed the journal when it was opened.
    pub fn journal_mark(&self) -> Option<&JournalMark> {
        self.mark.as_ref()
    }

    /// Waits until all that was told before is written; `false` where it could not be.
    pub fn flush(&self) -> bool {
        let (reply, answer) = bounded(1);
        self.control.send(Control::Flush(reply)).is_ok() && answer.recv().unwrap_or(false)
    }

    /// Has the mirror made anew from `facts`. What is told meanwhile is written
    /// behind it. The answer comes through the channel, once.
    pub fn rebuild(&self, facts: Facts) -> Receiver<Result<rebuild::Rebuilt, MirrorError>> {
        let (reply, answer) = bounded(1);
        if self.control.send(Control::Rebuild(facts, reply.clone())).is_err() {
            let _ = reply.send(Err(MirrorError::Ended));
        }
        answer
    }

    /// Has log lines from before a moment removed and free room given back. The answer comes
    /// through the channel, once.
    pub fn compact(&self, before: Timestamp) -> Receiver<Result<compact::Compacted, MirrorError>> {
        let (reply, answer) = bounded(1);
        if self.control.send(Control::Compact(before, reply.clone())).is_err() {
            let _ = reply.send(Err(MirrorError::Ended));
        }
        answer
    }

    /// Writes all that was told, and closes the database cleanly.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        // The writer ends when nobody can order anything any more.
        self.control = unbounded().0;
        self.compacting.interrupt();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the mirror's writer panicked; `koubou rebuild` makes the mirror anew");
        }
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Flush(_) => "Flush",
            Self::Rebuild(..) => "Rebuild",
            Self::Compact(..) => "Compact",
        })
    }
}

type News = Box<dyn FnMut(MirrorNews) + Send>;

struct Writer {
    path: PathBuf,
    patience: Patience,
    facts: Receiver<Fact>,
    control: Receiver<Control>,
    news: News,
    database: Option<Database>,
    compacting: Compacting,
    /// Taken, and not yet written.
    pending: Vec<Fact>,
    /// Facts were lost, and nobody has been told that all is well again.
    behind: bool,
    /// This trouble has been spoken of.
    warned: bool,
    pause: Duration,
    /// Unwell, and trying again then.
    retry_at: Option<Instant>,
}

impl Writer {
    fn run(mut self) {
        loop {
            let alarm = self.retry_at.map_or_else(never, at);
            select_biased! {
                recv(self.control) -> order => match order {
                    Ok(Control::Flush(reply)) => {
                        let written = self.write_all();
                        let _ = reply.send(written);
                    }
                    Ok(Control::Rebuild(facts, reply)) => {
                        let rebuilt = self.rebuild(facts);
                        self.write();
                        let _ = reply.send(rebuilt);
                    }
                    Ok(Control::Compact(before, reply)) => {
                        let _ = reply.send(self.compact(before));
                    }
                    Err(_) => break,
                },
                recv(alarm) -> _ => {
                    self.retry_at = None;
                    self.write();
                }
                recv(self.facts) -> fact => match fact {
                    Ok(fact) => {
                        self.take(fact);
                        self.take_waiting();
                        self.write();
                    }
                    // Nobody tells any more; what is left are orders.
                    Err(_) => self.facts = never(),
                },
            }
        }
        if !self.write_all() {
            log::warn!("the mirror is behind; the next `koubou start` makes it good");
        }
        if let Some(database) = self.database.take() {
            database.close();
        }
    }

    fn take(&mut self, fact: Fact) {
        if self.retry_at.is_some() && self.pending.len() >= self.patience.kept {
            self.lose();
        }
        // Once some are lost, later ones are of no use before the rebuild.
        if !self.behind || self.retry_at.is_none() {
            self.pending.push(fact);
        }
    }

    /// Takes what waits in the channel, up to a batch.
    fn take_waiting(&mut self) {
        // What is told after an order to rebuild must be written behind it: the order's own facts
        // are older, and would cover it up.
        while (self.pending.len() < BATCH || self.retry_at.is_some()) && self.control.is_empty() {
            match self.facts.try_recv() {
                Ok(fact) => self.take(fact),
                Err(_) => break,
            }
        }
    }

    /// Writes all that was told until now, well or unwell; says whether that worked.
    fn write_all(&mut self) -> bool {
        self.retry_at = None;
        loop {
            self.take_waiting();
            self.write();
            if self.retry_at.is_some() {
                return false;
            }
            if self.facts.is_empty() {
                return !self.behind;
            }
        }
    }

    /// Writes what is pending, unless it is not yet time to try again.
    fn write(&mut self) {
        if self.retry_at.is_some() {
            return;
        }
        if let Err(error) = self.try_write() {
            self.failed(error);
            return;
        }
        self.pending.clear();
        self.pause = self.patience.first_pause;
        if self.warned {
            self.warned = false;
            log::info!("the mirror can be written again");
        }
        if self.behind {
            self.behind = false;
            (self.news)(MirrorNews::Well);
        }
    }

    fn try_write(&mut self) -> Result<(), MirrorError> {
        if self.database.as_ref().is_some_and(|database| !database.is_in_place()) {
            log::warn!(
                "the mirror `{}` was removed, emptied or replaced while it was open",
                words::tame(&self.path.to_string_lossy())
            );
            self.database = None;
            self.fall_behind();
        }
        let database = match &mut self.database {
            Some(database) => database,
            none => {
                let opened = Database::open(&self.path, self.patience.busy)?;
                let fresh = opened.fresh;
                *none = Some(opened);
                if fresh {
                    self.fall_behind();
                }
                return self.try_write();
            }
        };
        if self.pending.is_empty() && self.retry_at.is_none() && !self.warned && !self.behind {
            return Ok(());
        }
        let sql = |source| MirrorError::Sql { doing: "write", path: self.path.clone(), source };
        let all = database
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sql)?;
        for fact in &self.pending {
            record::record(&all, fact).map_err(sql)?;
        }
        all.commit().map_err(sql)
    }

    /// Notes a failure: whether it loses anything, and when to try again.
    fn failed(&mut self, error: MirrorError) {
        if !self.warned {
            self.warned = true;
            let cause = std::error::Error::source(&error).map(|c| format!(": {c}"));
            log::warn!("{error}{}; work goes on without it", cause.unwrap_or_default());
        }
        match &error {
            MirrorError::Sql { source, .. } if database::is_busy(source) => {}
            MirrorError::Sql { source, .. } if database::is_damage(source) => {
                self.database = None;
                self.fall_behind();
                match database::set_aside(&self.path) {
                    // Made anew at once, unless the last one did not even live until a write.
                    Ok(aside) => {
                        log::warn!("it now lies at `{}`", words::tame(&aside.to_string_lossy()));
                        if self.pause == self.patience.first_pause {
                            self.pause *= 2;
                            self.retry_at = Some(Instant::now());
                            return;
                        }
                    }
                    Err(error) => log::warn!("and it cannot be set aside: {error}"),
                }
            }
            _ => self.database = None,
        }
        self.retry_at = Some(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(self.patience.longest_pause);
    }

    /// Drops what is pending.
    fn lose(&mut self) {
        self.pending.clear();
        self.fall_behind();
    }

    /// Says, once, that the mirror no longer shows what is.
    fn fall_behind(&mut self) {
        if !self.behind {
            self.behind = true;
            (self.news)(MirrorNews::Behind);
        }
    }

    /// Makes the mirror smaller, once all that was told is in it.
    fn compact(&mut self, before: Timestamp) -> Result<compact::Compacted, MirrorError> {
        if !self.write_all() {
            return Err(MirrorError::Unwell);
        }
        let Some(database) = &self.database else { return Err(MirrorError::Unwell) };
        self.compacting.hold(Some(database.connection.get_interrupt_handle()));
        let compacted = compact::compact(&database.connection, &self.path, before);
        self.compacting.hold(None);
        compacted.map_err(|source| match compact::was_interrupted(&source) {
            true => MirrorError::Ended,
            false => MirrorError::Sql { doing: "compact", path: self.path.clone(), source },
        })
    }

    /// Makes the mirror anew; what was told before and is not written yet follows behind.
    fn rebuild(&mut self, facts: Facts) -> Result<rebuild::Rebuilt, MirrorError> {
        if let Some(database) = self.database.take() {
            database.close();
        }
        let rebuilt = rebuild::rebuild(&self.path, facts)?;
        self.behind = false;
        self.retry_at = None;
        Ok(rebuilt)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rebuild::dump;
    use super::super::rebuild::tests::{cost, damage, task};
    use super::*;
    use crate::base::clock;
    use crate::mirror::query::Reader;
    use crate::task::Folder;
    use crate::task::fact::{LogRow, WorkerRow};
    use crate::task::{TaskId, WorkerType};
    use rusqlite::Connection;

    const HASTY: Patience = Patience {
        busy: Duration::from_millis(20),
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(100),
        kept: 50,
    };

    struct Shop {
        _dir: tempfile::TempDir,
        path: PathBuf,
        tell: Sender<Fact>,
        mirror: Mirror,
        news: Receiver<MirrorNews>,
    }

    fn shop() -> Shop {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        shop_at(dir, path)
    }

    fn shop_at(dir: tempfile::TempDir, path: PathBuf) -> Shop {
        let (say, news) = unbounded();
        let hear = Box::new(move |what| say.send(what).unwrap());
        let (tell, mirror) = Mirror::start_with(&path, HASTY, hear).unwrap();
        Shop { _dir: dir, path, tell, mirror, news }
    }

    impl Shop {
        fn tell(&self, fact: Fact) {
            self.tell.send(fact).unwrap();
        }

        fn heard(&self) -> MirrorNews {
            self.news.recv_timeout(Duration::from_secs(10)).expect("news")
        }

        fn tasks(&self) -> Vec<String> {
            let rows = Reader::open(&self.path).unwrap().tasks(&Default::default()).unwrap();
            let mut ids: Vec<String> = rows.into_iter().map(|row| row.task_id).collect();
            ids.sort();
            ids
        }
    }

    #[test]
    fn what_it_is_told_can_be_read() {
        let shop = shop();
        assert!(shop.mirror.is_fresh());
        shop.tell(task("a", Folder::Pending));
        shop.tell(task("b", Folder::Pending));
        shop.tell(task("a", Folder::Completed));
        shop.tell(Fact::Gone("b".parse().unwrap()));
        assert!(shop.mirror.flush());
        let row = Reader::open(&shop.path).unwrap().task(&"a".parse().unwrap()).unwrap().unwrap();
        assert_eq!((row.status.as_str(), row.worker_type.as_deref()), ("completed", Some("local")));
        assert_eq!(shop.tasks(), ["a"]);
    }

    #[test]
    fn ten_thousand_facts_are_all_written() {
        let shop = shop();
        for n in 0..10_000 {
            shop.tell(task(&format!("t{n}"), Folder::Pending));
        }
        assert!(shop.mirror.flush());
        assert_eq!(shop.tasks().len(), 10_000);
        assert!(shop.news.is_empty());
    }

    #[test]
    fn a_cost_told_twice_is_one_row() {
        let shop = shop();
        for attempt in ["a1", "a1", "a2"] {
            shop.tell(cost("t", attempt));
        }
        assert!(shop.mirror.flush());
        let rows = dump(&shop.path).unwrap();
        assert_eq!(rows.len(), 2, "{rows:?}");
    }

    #[test]
    fn a_clean_close_leaves_one_file_and_the_mark() {
        let Shop { _dir, path, tell, mirror, .. } = shop();
        let mark = JournalMark { file: "2026-11.jsonl".into(), offset: 4_321 };
        tell.send(Fact::Journal(mark.clone())).unwrap();
        tell.send(task("a", Folder::Pending)).unwrap();
        mirror.close();
        assert!(!database::companion(&path, "-wal").exists());
        assert!(tell.send(task("b", Folder::Pending)).is_err(), "nobody listens");
        let (_tell, mirror) = Mirror::start(&path, |_| {}).unwrap();
        assert_eq!((mirror.is_fresh(), mirror.journal_mark()), (false, Some(&mark)));
    }

    #[test]
    fn a_short_lock_loses_nothing() {
        let shop = shop();
        let other = Connection::open(&shop.path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        shop.tell(task("a", Folder::Pending));
        assert!(!shop.mirror.flush());
        shop.tell(task("b", Folder::Pending));
        other.execute_batch("COMMIT").unwrap();
        assert!(shop.mirror.flush());
        assert_eq!(shop.tasks(), ["a", "b"]);
        assert!(shop.news.is_empty());
    }

    #[test]
    fn a_long_lock_leaves_it_behind_and_then_it_is_well() {
        let shop = shop();
        let other = Connection::open(&shop.path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        shop.tell(task("a", Folder::Pending));
        assert!(!shop.mirror.flush());
        for n in 0..200 {
            shop.tell(task(&format!("t{n}"), Folder::Pending));
        }
        assert_eq!(shop.heard(), MirrorNews::Behind);
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(shop.heard(), MirrorNews::Well);
        shop.tell(task("later", Folder::Pending));
        assert!(shop.mirror.flush());
        assert!(shop.tasks().contains(&"later".to_owned()));
    }

    #[test]
    fn a_deleted_or_replaced_database_is_noticed() {
        let shop = shop();
        shop.tell(task("a", Folder::Pending));
        assert!(shop.mirror.flush());
        for n in 0..2 {
            if n == 0 {
                std::fs::remove_file(&shop.path).unwrap();
            } else {
                let other = shop.path.with_extension("other");
                std::fs::write(&other, "").unwrap();
                crate::base::files::rename_over(&other, &shop.path).unwrap();
            }
            shop.tell(task("a", Folder::Completed));
            assert_eq!([shop.heard(), shop.heard()], [MirrorNews::Behind, MirrorNews::Well]);
            shop.tell(task("b", Folder::Pending));
            assert!(shop.mirror.flush());
            assert_eq!(shop.tasks(), ["a", "b"]);
        }
    }

    #[test]
    fn a_damaged_database_is_set_aside_while_work_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        let many = (0..2_000).map(|n| task(&format!("t{n}"), Folder::Pending));
        rebuild::rebuild(&path, many).unwrap();
        damage(&path);
        let shop = shop_at(dir, path);
        for n in 0..500 {
            shop.tell(task(&format!("t{n}"), Folder::Completed));
        }
        assert_eq!([shop.heard(), shop.heard()], [MirrorNews::Behind, MirrorNews::Well]);
        assert!(database::companion(&shop.path, ".corrupt-1").exists());
        let answer = shop.mirror.rebuild(Box::new([task("a", Folder::Failed)].into_iter()));
        assert_eq!(answer.recv().unwrap().unwrap().tasks, 1);
        assert!(shop.tasks().contains(&"a".to_owned()));
    }

    #[test]
    fn a_rebuild_is_followed_by_what_was_told_meanwhile() {
        let shop = shop();
        shop.tell(task("old", Folder::Pending));
        assert!(shop.mirror.flush());
        let (go, wait) = bounded::<()>(0);
        let facts = [task("a", Folder::Pending)].into_iter().inspect(move |_| wait.recv().unwrap());
        let answer = shop.mirror.rebuild(Box::new(facts));
        go.send(()).unwrap();
        shop.tell(task("b", Folder::Pending));
        answer.recv().unwrap().unwrap();
        shop.tell(task("a", Folder::Completed));
        assert!(shop.mirror.flush());
        assert_eq!(shop.tasks(), ["a", "b"]);
        assert!(shop.news.is_empty(), "its own rebuild is no replacement");
    }

    #[test]
    fn hands_beat_and_logs_are_kept() {
        let shop = shop();
        let at = |text: &str| text.parse().unwrap();
        let hand = |id: &str, status| {
            Fact::Worker(Box::new(WorkerRow {
                worker_id: id.into(),
                worker_type: WorkerType::new("local"),
                model: "m".into(),
                endpoint: "-".into(),
                status,
                reason: None,
                until: Some(at("2026-11-23T02:00:00Z")),
                since: None,
                batches: None,
                capabilities: vec!["code".into()],
                task_id: Some("a".parse::<TaskId>().unwrap()),
                at: at("2026-11-23T01:00:00Z"),
            }))
        };
        shop.tell(hand("local-1", "rate_limited"));
        shop.tell(hand("local-2", "offline"));
        shop.tell(Fact::Heartbeat(at("2026-11-23T01:30:00Z")));
        for n in 0..3 {
            shop.tell(Fact::Log(Box::new(LogRow {
                task_id: (n > 0).then(|| "a".parse().unwrap()),
                worker_id: None,
                level: "INFO",
                component: "spool",
                message: format!("line {n}"),
                at: clock::wall(),
            })));
        }
        assert!(shop.mirror.flush());
        let reader = Reader::open(&shop.path).unwrap();
        let hands = reader.workers().unwrap();
        assert_eq!(hands[0].last_heartbeat.as_deref(), Some("2026-11-23 01:30:00"));
        assert_eq!(hands[0].rate_limit_reset_at.as_deref(), Some("2026-11-23 02:00:00"));
        assert_eq!(hands[0].capabilities.as_deref(), Some("[\"code\"]"));
        assert_eq!(hands[1].last_heartbeat.as_deref(), Some("2026-11-23 01:00:00"));
        assert_eq!(hands[1].rate_limit_reset_at, None);
        let id = "a".parse().unwrap();
        let lines = reader.logs(Some(&id), 0).unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(reader.logs(Some(&id), lines[0].log_id).unwrap()[0].message, "line 2");
        assert_eq!(reader.logs(None, 0).unwrap().len(), 3);
    }

    #[test]
    fn a_newer_mirror_stops_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(Mirror::start(&path, |_| {}), Err(MirrorError::TooNew { found: 99, .. })));
    }

    #[test]
    fn a_folder_that_is_not_there_stops_nobody() {
        let path = Path::new("/no/such/folder/koubou.db");
        let (tell, mirror) = Mirror::start_with(path, HASTY, Box::new(|_| {})).unwrap();
        tell.send(task("a", Folder::Pending)).unwrap();
        assert!(!mirror.flush());
    }
}
