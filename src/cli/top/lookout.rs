//! A thread that looks at the home whenever something happened there, and does what is asked.
//!
//! It alone touches the disk, so that a slow one never holds up a key. Between two looks it rests
//! for longer than a look took: a storm of changes costs a bounded share of a processor, and a
//! home where nothing happens one look a minute.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::Event;
use super::census::Census;
use super::deeds;
use super::memory::Memory;
use super::model::Deed;
use super::seen::{Daemon, EventRow, Seen, Want, WorkerRow};
use super::tasks::Sources;
use crate::base::clock;
use crate::base::files::Stat;
use crate::base::process;
use crate::cli::site::Site;
use crate::cli::trouble::Trouble;
use crate::cli::watch::{Happening, Watcher};
use crate::cli::workers;
use crate::config::Config;
use crate::mirror::query::{Reader, WorkerRecord};
use crate::mirror::{self, MirrorError};
use crate::spool::journal::Follower;
use crate::spool::notes::Note;
use crate::spool::watch::{Glimpse, Watch};
use crate::spool::{Spool, lock};
use crate::task::{Folder, TaskId, WorkerType};

/// What comes within so short a time is looked at together; by then a write to the mirror is seen.
const TOGETHER: Duration = Duration::from_millis(60);
/// A look is followed by a rest so many times as long.
const REST: u32 = 4;
/// But no longer than this.
const LONGEST_REST: Duration = Duration::from_secs(2);
/// So often one looks though nothing happened.
const AT_LEAST: Duration = Duration::from_secs(60);
/// So often one tries to watch a home again that could not be watched.
const BLIND: Duration = Duration::from_secs(1);
/// No longer is a mirror waited for that somebody has locked.
const PATIENCE: Duration = Duration::from_millis(100);
/// So many happenings from before are shown at first.
const EARLIER: usize = 200;

/// What the lookout hears.
#[derive(Debug)]
pub(super) enum Asked {
    /// Something may have changed in the folders.
    Glimpse(Glimpse),
    /// The mirror was written.
    Mirror,
    /// The daemon ended.
    DaemonEnded,
    /// Other tasks are wanted.
    See(Want),
    /// A task's story is wanted.
    Open(TaskId),
    /// Something is to be done.
    Do(Deed),
    /// All that was asked before is to be done, and then nothing more.
    End,
}

pub(super) struct Lookout {
    site: Site,
    spool: Arc<Spool>,
    asked: Receiver<Asked>,
    ask: Sender<Asked>,
    settings: Settings,
    watcher: Watcher,
    memory: Memory,
    census: Census,
    want: Want,
    news: Vec<EventRow>,
    /// Nothing where the folders cannot be watched for now.
    watch: Option<Watch>,
    mirror: Option<(PathBuf, mirror::watch::Watch)>,
    /// Whether a write to the mirror was told of and not looked at yet.
    is_mirror_new: Arc<AtomicBool>,
    /// What else is to be seen at the next look.
    is_journal_new: bool,
    are_notes_new: bool,
    is_all_new: bool,
    /// So many happenings that are in the journal by now are shown.
    earlier: usize,
    /// The daemon whose end is waited for.
    guarded: Option<u32>,
}

/// The settings as they were read last; they are read again when the files change.
#[derive(Default)]
struct Settings {
    config: Option<Config>,
    trouble: Option<String>,
    stamps: Option<[Option<(std::time::SystemTime, u64)>; 2]>,
}

impl Settings {
    fn read_if_changed(&mut self, site: &Site) {
        let stamp = |path: PathBuf| {
            let meta = std::fs::metadata(path).ok()?;
            Some((meta.modified().ok()?, meta.len()))
        };
        let stamps = Some([stamp(site.home.config_file()), stamp(site.home.env_file())]);
        if stamps == self.stamps {
            return;
        }
        self.stamps = stamps;
        // The daemon keeps the good ones, too, when they are changed into wrong ones.
        match site.config() {
            Ok(config) => (self.config, self.trouble) = (Some(config), None),
            Err(trouble) => self.trouble = Some(trouble.in_a_line()),
        }
    }
}

impl Lookout {
    /// Watches a home; nothing is read of it yet.
    pub(super) fn new(
        site: &Site,
        (ask, asked): (Sender<Asked>, Receiver<Asked>),
    ) -> Result<Self, Trouble> {
        let spool = site.spool()?;
        let watch = watch(site, &ask)?;
        let watcher = Watcher::new(&spool, Follower::of_recent(site.home.journal())?)?;
        Ok(Self {
            site: site.clone(),
            spool,
            asked,
            ask,
            settings: Settings::default(),
            watcher,
            memory: Memory::default(),
            census: Census::default(),
            want: Want::default(),
            news: Vec::new(),
            watch: Some(watch),
            mirror: None,
            is_mirror_new: Arc::default(),
            is_journal_new: true,
            are_notes_new: false,
            is_all_new: true,
            earlier: EARLIER,
            guarded: None,
        })
    }

    /// Looks and does until it is told to end, or nobody hears it any more.
    pub(super) fn run(mut self, tell: &Sender<Event>) {
        let mut due = Some(Instant::now());
        let mut rested = Instant::now();
        loop {
            if due.is_some_and(|due| due <= Instant::now()) {
                let began = Instant::now();
                let seen = self.look();
                if tell.send(Event::Seen(Box::new(seen))).is_err() {
                    return;
                }
                rested = Instant::now() + (began.elapsed() * REST).clamp(TOGETHER, LONGEST_REST);
                due = self.watch.is_none().then(|| Instant::now() + BLIND);
            }
            let until = due.unwrap_or_else(|| Instant::now() + AT_LEAST);
            match self.asked.recv_deadline(until) {
                Ok(Asked::Glimpse(glimpse)) => {
                    self.glimpsed(glimpse);
                    due.get_or_insert_with(|| rested.max(Instant::now() + TOGETHER));
                }
                Ok(Asked::Mirror | Asked::DaemonEnded) => {
                    due.get_or_insert_with(|| rested.max(Instant::now() + TOGETHER));
                }
                Ok(Asked::See(want)) => {
                    self.want = want;
                    due = Some(Instant::now());
                }
                Ok(Asked::Open(id)) => {
                    let told = match deeds::story(&self.site, &self.spool, &id) {
                        Ok(story) => Event::Story(Box::new(story)),
                        Err(trouble) => Event::Said { text: deeds::said(&trouble), of_deed: false },
                    };
                    let _ = tell.send(told);
                }
                Ok(Asked::Do(deed)) => {
                    let text = deeds::act(&self.site, &self.spool, &deed);
                    let _ = tell.send(Event::Said { text, of_deed: true });
                    due = Some(Instant::now());
                }
                Err(RecvTimeoutError::Timeout) => due = Some(Instant::now()),
                Ok(Asked::End) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Remembers what is to be seen; counting is done at once, as it is cheap.
    fn glimpsed(&mut self, glimpse: Glimpse) {
        let home = &self.site.home;
        match glimpse {
            Glimpse::Pending(name) => {
                self.census.look(home, Folder::Pending, &name);
                let seen = self.watcher.see(&self.spool, Glimpse::Pending(name));
                self.happened(seen.unwrap_or_default());
            }
            Glimpse::Ended(folder, name) => self.census.look(home, folder, &name),
            Glimpse::Claim(name) => self.census.look(home, Folder::InProgress, &name),
            Glimpse::Note(_) => self.are_notes_new = true,
            Glimpse::Journal => self.is_journal_new = true,
            Glimpse::Told => {}
            Glimpse::Everything => self.is_all_new = true,
            Glimpse::Replaced => self.watch = None,
        }
    }

    fn happened(&mut self, happenings: Vec<Happening>) {
        self.news.extend(happenings.iter().map(|happening| EventRow {
            at: happening.at,
            task: happening.task_id.clone(),
            words: happening.what_in_words(),
            is_bad: matches!(happening.event, "failed" | "alert" | "rest"),
        }));
    }

    fn look(&mut self) -> Seen {
        let mut troubles = Vec::new();
        self.is_mirror_new.store(false, Ordering::Release);
        self.settings.read_if_changed(&self.site);
        troubles.extend(self.settings.trouble.clone());
        troubles.extend(self.watch_again().err());
        troubles.extend(self.catch_up().err().map(|trouble| trouble.in_a_line()));
        let daemon = self.daemon();
        let home = self.site.home.clone();
        let paused = Note::Pause(None).stands(&home);
        let opened = self.open_mirror();
        let rows = opened.and_then(|reader| Ok((reader.workers()?, reader)));
        let (hands, reader) = match rows {
            Ok((hands, reader)) => (hands, Some(reader)),
            // Before the first start there is none, and nothing is missing.
            Err(MirrorError::Missing { .. }) if daemon.is_none() => (Vec::new(), None),
            Err(error) => {
                let trouble = Trouble::from(error).in_a_line();
                troubles.push(format!("states and reasons may be old: {trouble}"));
                (Vec::new(), None)
            }
        };
        let workers = self.workers(daemon.is_some(), &hands);
        let states: Vec<_> = workers.iter().map(|worker| worker.state.clone()).collect();
        let sources = Sources {
            site: &self.site,
            spool: &self.spool,
            memory: &self.memory,
            reader: reader.as_ref(),
            workers: &states,
            is_worked: daemon.is_some(),
            paused,
        };
        Seen {
            home: home.path().display().to_string(),
            daemon,
            paused,
            money: self.settings.config.as_ref().map(|config| self.memory.money(&home, config)),
            counts: self.census.counts(),
            want: self.want.clone(),
            tasks: sources.tasks(&self.want),
            workers,
            news: std::mem::take(&mut self.news),
            troubles,
            has_mirror: reader.is_some() || daemon.is_none(),
        }
    }

    /// Watches what is not watched, which may be made by now.
    fn watch_again(&mut self) -> Result<(), String> {
        if !self.site.home.exists() {
            // Moved away, it is still what is watched.
            self.watch = None;
        }
        if self.watch.is_none() {
            self.begin_anew().map_err(|trouble| trouble.in_a_line())?;
        }
        let path = self.site.database_of(self.settings.config.as_ref());
        if self.mirror.as_ref().is_none_or(|(watched, _)| *watched != path) {
            let (ask, is_new) = (self.ask.clone(), Arc::clone(&self.is_mirror_new));
            let tell = move || {
                // Of a thousand writes before the next look, one is told.
                if !is_new.swap(true, Ordering::AcqRel) {
                    let _ = ask.send(Asked::Mirror);
                }
            };
            self.mirror = mirror::watch::Watch::start(&path, tell).ok().map(|watch| (path, watch));
        }
        Ok(())
    }

    /// Watches folders that were put in the place of others; what was known of those says nothing.
    fn begin_anew(&mut self) -> Result<(), Trouble> {
        self.site.spool()?;
        let watch = watch(&self.site, &self.ask)?;
        self.watcher = Watcher::new(&self.spool, Follower::of_recent(self.site.home.journal())?)?;
        self.memory = Memory::default();
        (self.is_all_new, self.earlier) = (true, 0);
        self.watch = Some(watch);
        Ok(())
    }

    /// Reads what was seen to be new.
    fn catch_up(&mut self) -> Result<(), Trouble> {
        if std::mem::take(&mut self.is_all_new) {
            self.is_journal_new = true;
            let dropped = self.watcher.all_dropped(&self.spool);
            self.happened(dropped.unwrap_or_default());
            self.census.take(&self.site.home)?;
        }
        if std::mem::take(&mut self.are_notes_new) {
            let changed = self.watcher.see(&self.spool, Glimpse::Note("control".into()))?;
            self.happened(changed);
        }
        if std::mem::take(&mut self.is_journal_new) {
            let lines = self.watcher.next_lines()?;
            let shown = std::mem::replace(&mut self.earlier, usize::MAX);
            let earlier = lines.len().saturating_sub(shown);
            for (number, line) in lines.into_iter().enumerate() {
                let happening = match number >= earlier {
                    true => self.watcher.written(line.clone()),
                    false => None,
                };
                self.happened(happening.into_iter().collect());
                self.memory.follow(line);
            }
        }
        Ok(())
    }

    /// The daemon, whose end will be told from now on, however it comes.
    fn daemon(&mut self) -> Option<Daemon> {
        let pid = self.site.daemon();
        if pid != self.guarded {
            self.guarded = pid.filter(|pid| {
                let ask = self.ask.clone();
                process::when_over(*pid, move || drop(ask.send(Asked::DaemonEnded)))
            });
        }
        let written = || {
            let meta = std::fs::metadata(lock::pid_file(&self.site.home)).ok()?;
            Some(Stat::from(&meta).modified)
        };
        pid.map(|pid| Daemon { pid, since: written() })
    }

    fn open_mirror(&self) -> Result<Reader, MirrorError> {
        let path = self.site.database_of(self.settings.config.as_ref());
        Reader::open_within(&path, PATIENCE)
    }

    fn workers(&self, is_worked: bool, hands: &[WorkerRecord]) -> Vec<WorkerRow> {
        let Some(config) = &self.settings.config else { return Vec::new() };
        let now = clock::wall();
        let midnight = now.to_zoned(config.timezone.clone()).start_of_day();
        let midnight = midnight.map_or(now, |midnight| midnight.timestamp());
        let costs = self.memory.costs_since(midnight);
        let mut doing: BTreeMap<WorkerType, Vec<_>> =
            if is_worked { self.memory.doing() } else { BTreeMap::new() };
        let states = workers::states_of(config, &self.site.home, is_worked, hands);
        let of = |mut state: workers::WorkerState| {
            let name = WorkerType::new(state.worker_type.clone());
            let doing = doing.remove(&name).unwrap_or_default();
            // The journal knows before the mirror does.
            match (state.state.as_str(), doing.is_empty()) {
                ("idle", false) => state.state = "busy".into(),
                ("busy", true) => state.state = "idle".into(),
                _ => {}
            }
            let cost_today = costs.get(&name).copied().unwrap_or_default();
            WorkerRow { rate: self.memory.rate(&name), cost_today, doing, state, name }
        };
        states.into_iter().map(of).collect()
    }
}

fn watch(site: &Site, ask: &Sender<Asked>) -> Result<Watch, Trouble> {
    let ask = ask.clone();
    let tell = move |glimpse| drop(ask.send(Asked::Glimpse(glimpse)));
    Watch::everything(&site.home, tell).map_err(|error| {
        Trouble::new(error.to_string())
            .because(error.source.to_string())
            .hint("raise fs.inotify.max_user_watches and max_user_instances (`sysctl`)")
    })
}
