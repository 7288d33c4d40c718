//! `koubou status`: what waits, what runs, and for what.

use std::fmt;

use serde::Serialize;

use super::budget::Money;
use super::table::Table;
use super::workers::WorkerState;
use super::{Done, Exit, Site, Ui};
use crate::base::files::FileError;
use crate::base::threads::both;
use crate::base::words::Count;
use crate::engine::metrics::{self, Known};
use crate::mirror::sums::Sums;
use crate::spool::Spool;
use crate::spool::notes::Note;
use crate::task::Folder;

/// Show what waits, what runs, and what keeps it
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Print the figures that Prometheus reads, as they are in `metrics/koubou.prom`
    #[arg(long, conflicts_with = "json")]
    prometheus: bool,
}

#[derive(Serialize)]
struct Status {
    home: String,
    running: bool,
    pid: Option<u32>,
    paused: bool,
    counts: Counts,
    archived: u64,
    waits: Vec<Wait>,
    workers: Vec<WorkerState>,
    budget: Option<Money>,
}

#[derive(Serialize, Default)]
struct Counts {
    pending: usize,
    in_progress: usize,
    completed: usize,
    failed: usize,
}

impl Counts {
    fn of(spool: &Spool) -> Result<Self, FileError> {
        Ok(Self {
            pending: spool.count(Folder::Pending)?,
            in_progress: spool.count(Folder::InProgress)?,
            completed: spool.count(Folder::Completed)?,
            failed: spool.count(Folder::Failed)?,
        })
    }
}

#[derive(Serialize)]
struct Wait {
    tasks: i64,
    worker_type: Option<String>,
    waits_for: String,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    let spool = site.spool()?;
    if args.prometheus {
        return prometheus(ui, site);
    }
    let config = site.config();
    if let Err(trouble) = &config {
        ui.trouble(trouble);
    }
    let pid = site.daemon();
    let workers = super::workers::states(site);
    let paused = Note::Pause(None).stands(&site.home);
    let (budget, counts) = both(|| super::budget::money(site), || Counts::of(&spool));
    // Without settings there is no money to tell of, and why was said.
    if let Err(trouble) = budget.as_ref()
        && config.is_ok()
    {
        ui.trouble(trouble);
    }
    let status = Status {
        home: site.home.path().display().to_string(),
        running: pid.is_some(),
        pid,
        paused,
        counts: counts?,
        archived: spool.archive().size().0,
        waits: if pid.is_some() { waits(site, &workers, paused) } else { Vec::new() },
        workers,
        budget: budget.ok(),
    };
    ui.answer(&status)?;
    if pid.is_none() && status.counts.pending > 0 {
        site.hint_if_idle(ui);
    }
    Ok(if config.is_ok() { Exit::Done } else { Exit::Failed })
}

/// The same figures that a daemon writes down.
fn prometheus(ui: &mut Ui, site: &Site) -> Done {
    let config = site.config()?;
    let ledger = super::budget::Books::read(site, &config)?.ledger;
    let (day, month) = (ledger.day(), ledger.month());
    let known = Known { is_running: site.daemon().is_some(), day, month };
    let text = metrics::gather(&site.home, &config, known, &mut Sums::default());
    ui.raw(text.as_bytes())?;
    Ok(Exit::Done)
}

/// What a task in `pending` waits for: its own reason, or what keeps its worker.
pub(super) fn waits_for(
    own: Option<String>,
    worker_type: Option<&str>,
    workers: &[WorkerState],
    paused: bool,
) -> String {
    if let Some(own) = own {
        return own;
    }
    if paused {
        return "`koubou resume`: the workshop is paused".to_owned();
    }
    let name = worker_type.unwrap_or("any");
    let worker = workers.iter().find(|worker| worker.worker_type == name);
    match worker.map(|worker| (&worker.reason, worker.state.as_str())) {
        Some((Some(reason), _)) => reason.clone(),
        Some((None, "offline")) => "a daemon: `koubou start`".to_owned(),
        _ => format!("a free hand of worker `{name}`"),
    }
}

/// What all the tasks in `pending` wait for.
fn waits(site: &Site, workers: &[WorkerState], paused: bool) -> Vec<Wait> {
    let Ok(rows) = site.query().and_then(|query| Ok(query.waits()?)) else { return Vec::new() };
    rows.into_iter()
        .map(|row| {
            let worker_type = row.assigned_worker_type.as_deref();
            let waits_for = waits_for(row.waits_for, worker_type, workers, paused);
            Wait { tasks: row.tasks, worker_type: row.assigned_worker_type, waits_for }
        })
        .collect()
}

/// How many tasks wait, for what, and whether that is more than their turn.
pub(super) fn waits_now(site: &Site) -> Vec<(u64, String, bool)> {
    let workers = super::workers::states(site);
    let paused = Note::Pause(None).stands(&site.home);
    let is_held = |wait: &Wait| {
        let name = wait.worker_type.as_deref();
        let worker = workers.iter().find(|worker| Some(worker.worker_type.as_str()) == name);
        paused || worker.is_some_and(|worker| worker.reason.is_some())
    };
    waits(site, &workers, paused)
        .into_iter()
        .map(|wait| (wait.tasks.unsigned_abs(), wait.waits_for.clone(), is_held(&wait)))
        .collect()
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => writeln!(
                f,
                "working {} as process {pid}{}",
                self.home,
                if self.paused { ", paused" } else { "" }
            )?,
            None => writeln!(
                f,
                "nobody is working {}{}",
                self.home,
                if self.paused { "; it is paused" } else { "" }
            )?,
        }
        let Counts { pending, in_progress, completed, failed } = &self.counts;
        let archived = match self.archived {
            0 => String::new(),
            n => format!(", {n} archived"),
        };
        writeln!(
            f,
            "{pending} pending, {in_progress} in progress, {completed} completed, {failed} failed{archived}"
        )?;
        for wait in &self.waits {
            let verb = if wait.tasks == 1 { "waits" } else { "wait" };
            writeln!(f, "{} {verb}: {}", Count(wait.tasks.unsigned_abs(), "task"), wait.waits_for)?;
        }
        if !self.workers.is_empty() {
            let mut table = Table::new(&["WORKER", "STATE", "LIMITS", "MODEL", "WHY"]);
            for worker in &self.workers {
                table.row([
                    worker.worker_type.clone(),
                    worker.state_in_words(),
                    worker.limits_in_words(),
                    worker.model.clone(),
                    worker.why(),
                ]);
            }
            write!(f, "{table}")?;
        }
        if let Some(budget) = &self.budget {
            write!(f, "{budget}")?;
        }
        Ok(())
    }
}
