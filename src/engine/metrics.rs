//! Figures for Prometheus: gathered from the folders and the mirror, and written down by the daemon
//! whenever something has changed.
//!
//! `metrics/koubou.prom` is for node_exporter's textfile collector, and is replaced whole. It is
//! written a second after a change, five seconds after it was last written at the earliest, and once
//! more at the end; while nothing changes nobody wakes. What is counted is counted from the journal's
//! rows in the mirror, and so goes on where it was when koubou is started anew; all else goes up and
//! down.

use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::{Engine, database, maintain};
use crate::base::clock::{self, Now};
use crate::base::exposition::{Exposition, Sort};
use crate::base::files::{self, FileError};
use crate::config::Config;
use crate::mirror::query::{Reader, WorkerRecord};
use crate::mirror::sums::{Sums, Waiting};
use crate::route::budget::Standing;
use crate::spool::{Home, Spool};
use crate::task::Folder;

/// How long a change waits for what comes with it.
const SOON: Duration = Duration::from_secs(1);
/// How often it is written at most.
const AT_MOST_EVERY: Duration = Duration::from_secs(5);
/// Droppers choose the types of tasks: no more than so many are told apart.
const MOST_TYPES: usize = 20;
/// All states that a worker can be in.
const STATES: [&str; 10] = [
    "idle",
    "busy",
    "offline",
    "paused",
    "rate_limited",
    "unreachable",
    "failing",
    "over_budget",
    "disabled",
    "other",
];

/// What only whoever works the home, or reads its journal, can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whether a daemon works the home.
    pub is_running: bool,
    /// The day's money.
    pub day: Standing,
    /// The month's.
    pub month: Standing,
}

/// All figures of a home, as they are now.
pub fn gather(home: &Home, config: &Config, known: Known, sums: &mut Sums) -> String {
    let spool = Spool::new(home.clone());
    let mut all = Exposition::default();
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    all.family("koubou_build_info", Sort::Gauge, "Which koubou this is.").put(&version, 1.0);
    let up = if known.is_running { 1.0 } else { 0.0 };
    all.family("koubou_up", Sort::Gauge, "Whether a daemon works this home.").put(&[], up);
    tasks(&mut all, &spool);
    money(&mut all, known);
    if let Ok(reader) = Reader::open(&database(config, home)) {
        waiting(&mut all, &reader.waiting().unwrap_or_default());
        workers(&mut all, config, &reader.workers().unwrap_or_default(), known.is_running);
        // What cannot be read now is added the next time.
        let _ = sums.follow(&reader);
        spent(&mut all, sums);
    }
    disk(&mut all, home, config, &spool);
    all.into_text()
}

fn tasks(all: &mut Exposition, spool: &Spool) {
    let mut family = all.family(
        "koubou_tasks",
        Sort::Gauge,
        "Tasks by the folder that they are in, and results in the archive.",
    );
    for folder in Folder::ALL {
        // A folder that cannot be listed is not taken for an empty one.
        if let Ok(count) = spool.count(folder) {
            family.put(&[("state", folder.as_str())], count as f64);
        }
    }
    family.put(&[("state", "archived")], spool.archive().size().0 as f64);
}

fn money(all: &mut Exposition, known: Known) {
    let windows = [("day", known.day), ("month", known.month)];
    let mut put = |name, help, amount: fn(&Standing) -> f64| {
        let mut family = all.family(name, Sort::Gauge, help);
        for (window, standing) in &windows {
            family.put(&[("window", window)], amount(standing));
        }
    };
    put("koubou_budget_limit_dollars", "What may be spent in this window.", |standing| {
        standing.limit.as_f64()
    });
    put("koubou_budget_spent_dollars", "What was spent in this window so far.", |standing| {
        standing.spent.as_f64()
    });
    put(
        "koubou_budget_reserved_dollars",
        "What is promised to attempts that are under way.",
        |standing| standing.reserved.as_f64(),
    );
}

fn waiting(all: &mut Exposition, waiting: &Waiting) {
    let mut family = all.family(
        "koubou_pending_tasks",
        Sort::Gauge,
        "Tasks that wait, by the worker that would get them.",
    );
    for (worker, count) in &waiting.by_worker {
        family.put(&[("worker", worker)], *count as f64);
    }
    let mut family = all.family(
        "koubou_pending_tasks_by_type",
        Sort::Gauge,
        "Tasks that wait, by their type; all but the twenty most frequent are `other`.",
    );
    let (shown, rest) = waiting.by_type.split_at(waiting.by_type.len().min(MOST_TYPES));
    let mut other: u64 = rest.iter().map(|(_, count)| count).sum();
    for (task_type, count) in shown {
        match task_type.as_str() {
            // Nobody's type may be taken for the rest.
            "other" => other += count,
            _ => drop(family.put(&[("task_type", task_type)], *count as f64)),
        }
    }
    if other > 0 {
        family.put(&[("task_type", "other")], other as f64);
    }
    if let Some(oldest) = waiting.oldest {
        all.family(
            "koubou_oldest_pending_task_timestamp_seconds",
            Sort::Gauge,
            "When the oldest task that waits was dropped.",
        )
        .put(&[], oldest as f64);
    }
}

fn workers(all: &mut Exposition, config: &Config, rows: &[WorkerRecord], is_running: bool) {
    let hands = |name: &str| -> Vec<&WorkerRecord> {
        rows.iter().filter(|row| is_running && row.worker_type == name).collect()
    };
    let busy = |name: &str| hands(name).iter().filter(|row| row.status == "busy").count();
    let types: Vec<(&str, usize)> =
        config.workers.iter().map(|spec| (spec.worker_type.as_str(), spec.concurrency)).collect();
    let help = "1 for the state that a worker is in, 0 for the others.";
    let mut family = all.family("koubou_worker_state", Sort::Gauge, help);
    for (name, _) in &types {
        let state = state(&hands(name), is_running);
        for each in STATES {
            let is_it = each == state || each == "other" && !STATES.contains(&state);
            let labels = [("worker", *name), ("state", each)];
            family.put(&labels, if is_it { 1.0 } else { 0.0 });
        }
    }
    let help = "How many tasks a worker may have at once.";
    let mut family = all.family("koubou_worker_hands", Sort::Gauge, help);
    for (name, concurrency) in &types {
        family.put(&[("worker", name)], *concurrency as f64);
    }
    let help = "How many tasks a worker has.";
    let mut family = all.family("koubou_worker_busy_hands", Sort::Gauge, help);
    for (name, _) in &types {
        family.put(&[("worker", name)], busy(name) as f64);
    }
}

fn state<'a>(hands: &[&'a WorkerRecord], is_running: bool) -> &'a str {
    if !is_running {
        return "offline";
    }
    if hands.iter().any(|hand| hand.status == "busy") {
        return "busy";
    }
    let kept = hands.iter().find(|hand| hand.status != "idle");
    kept.map_or("idle", |hand| hand.status.as_str())
}

fn spent(all: &mut Exposition, sums: &Sums) {
    let help = "Attempts that used tokens or cost anything.";
    let mut family = all.family("koubou_attempts_total", Sort::Counter, help);
    for (worker, spent) in sums.by_worker() {
        family.put(&[("worker", worker)], spent.attempts as f64);
    }
    let mut family = all.family("koubou_tokens_total", Sort::Counter, "Tokens used.");
    for (worker, spent) in sums.by_worker() {
        let both = [("prompt", spent.prompt_tokens), ("completion", spent.completion_tokens)];
        for (part, count) in both {
            family.put(&[("worker", worker), ("part", part)], count as f64);
        }
    }
    let help = "What attempts cost, in US dollars.";
    let mut family = all.family("koubou_cost_dollars_total", Sort::Counter, help);
    for (worker, spent) in sums.by_worker() {
        family.put(&[("worker", worker)], spent.cost);
    }
}

fn disk(all: &mut Exposition, home: &Home, config: &Config, spool: &Spool) {
    let size = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    let mut put = |name, help, value: f64| {
        all.family(name, Sort::Gauge, help).put(&[], value);
    };
    if let Ok(free) = files::free_bytes(home.path()) {
        put("koubou_disk_free_bytes", "Room on the disk that holds the home.", free as f64);
    }
    let archive = spool.archive().size().1;
    put("koubou_archive_bytes", "Size of the archive of retired results.", archive as f64);
    let mirror = size(&database(config, home));
    put("koubou_database_bytes", "Size of the database.", mirror as f64);
    put("koubou_log_bytes", "Size of the daemon's log.", size(&home.log_file()) as f64);
    if let Some(at) = maintain::last_time(home) {
        let help = "When the home was last maintained.";
        put("koubou_last_maintenance_timestamp_seconds", help, at.as_millisecond() as f64 / 1e3);
    }
}

/// Puts figures in the place of those that were.
fn write(home: &Home, text: &str) -> Result<(), FileError> {
    let path = home.metrics_file();
    let _ = std::fs::create_dir(files::parent(&path));
    files::replace(&home.tmp(), &path, text.as_bytes(), 0o644)
}

/// The daemon's end of the thread that writes the figures.
#[derive(Debug, Default)]
pub(super) struct Meter {
    tell: Option<Sender<Known>>,
    thread: Option<JoinHandle<()>>,
    /// When the first change came that is not written yet.
    changed: Option<Duration>,
    written: Option<Duration>,
}

impl Meter {
    /// Something has changed.
    pub(super) fn note(&mut self, now: Duration) {
        self.changed.get_or_insert(now);
    }

    /// When to write it down.
    pub(super) fn wakes_at(&self) -> Option<Duration> {
        let not_before = self.written.map(|written| written + AT_MOST_EVERY);
        Some((self.changed? + SOON).max(not_before.unwrap_or_default()))
    }
}

impl Engine<'_> {
    /// Starts the thread that writes the figures.
    pub(super) fn open_meter(&mut self) {
        let (tell, told) = unbounded();
        let (home, config) = (self.home.clone(), std::sync::Arc::clone(&self.config));
        let work = move || keep_writing(&home, &config, &told);
        match std::thread::Builder::new().name("metrics".into()).spawn(work) {
            Ok(thread) => {
                self.meter.tell = Some(tell);
                self.meter.thread = Some(thread);
                self.meter.note(clock::mono());
            }
            Err(error) => log::warn!("a thread for metrics could not be begun: {error}"),
        }
    }

    /// Has the figures written, if it is time.
    pub(super) fn measure_if_due(&mut self, now: Now) {
        if self.meter.wakes_at().is_none_or(|at| at > now.mono) {
            return;
        }
        self.meter.changed = None;
        self.meter.written = Some(now.mono);
        if let Some(tell) = &self.meter.tell {
            let _ = tell.send(known(&self.foreman, true));
        }
    }
}

/// What is told of the money at a moment.
pub(super) fn known(foreman: &crate::foreman::Foreman, is_running: bool) -> Known {
    let (day, month, _) = foreman.money();
    Known { is_running, day, month }
}

impl Meter {
    /// Writes the last figures: nobody works the home any more.
    pub(super) fn close(self, last: Known) {
        if let Some(tell) = self.tell {
            let _ = tell.send(last);
        }
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
    }
}

fn keep_writing(home: &Home, config: &Config, told: &Receiver<Known>) {
    let mut sums = Sums::default();
    let mut was_told = false;
    for mut known in told {
        // Of several that came meanwhile the last counts.
        while let Ok(newer) = told.try_recv() {
            known = newer;
        }
        match write(home, &gather(home, config, known, &mut sums)) {
            Ok(()) => was_told = false,
            Err(error) if !std::mem::replace(&mut was_told, true) => log::warn!(
                "the metrics cannot be written: {}; koubou tries again with the next change",
                super::lanes::sentence(&error)
            ),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_written_soon_and_not_too_often() {
        let second = Duration::from_secs;
        let mut meter = Meter::default();
        assert_eq!(meter.wakes_at(), None, "nobody wakes while nothing changes");
        meter.note(second(10));
        meter.note(second(11));
        assert_eq!(meter.wakes_at(), Some(second(11)));
        (meter.changed, meter.written) = (None, Some(second(11)));
        assert_eq!(meter.wakes_at(), None);
        meter.note(second(12));
        assert_eq!(meter.wakes_at(), Some(second(16)));
        meter.changed = Some(second(60));
        assert_eq!(meter.wakes_at(), Some(second(61)));
    }
}
