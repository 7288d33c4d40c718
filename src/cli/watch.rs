//! `koubou watch`: a line for each thing that happens, as it happens.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::sync::mpsc;

use serde::Serialize;

use super::language;
use super::table::padded;
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::clock::{self, Timestamp, as_rfc3339};
use crate::base::words::{self, tame};
use crate::spool::journal::Follower;
use crate::spool::notes::Note;
use crate::spool::watch::{Glimpse, Watch};
use crate::spool::{self, Home, Spool};
use crate::task::journal::{Line, LineKind};
use crate::task::{Folder, TaskId, Usd, WorkerType};

/// Print a line for each thing that happens, as it happens
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

/// Something that happened.
#[derive(Debug, Serialize)]
pub(super) struct Happening {
    #[serde(with = "as_rfc3339")]
    pub(super) at: Timestamp,
    /// `dropped`, `begun`, `ended`, `retry`, `completed`, `failed`, `withdrawn`, `spawned`,
    /// `paused`, `resumed`, `limits`, `alert`, `rest`, `batch_sent`, `batch_taken`, `batch_over`.
    pub(super) event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) task_id: Option<TaskId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker_type: Option<WorkerType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<Usd>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<TaskId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

pub(super) fn run(ui: &mut Ui, site: &Site, _args: &Args) -> Done {
    let spool = site.spool()?;
    let (tell, told) = mpsc::channel();
    let _watch = Watch::everything(&site.home, move |glimpse| {
        let _ = tell.send(glimpse);
    })
    .map_err(|error| Trouble::new(error.to_string()))?;
    let mut watcher = Watcher::new(&spool, Follower::at_end(site.home.journal())?)?;
    site.hint_if_idle(ui);
    for glimpse in told {
        for happening in watcher.see(&spool, glimpse)? {
            match ui.is_json() {
                true => ui.json_line(&happening)?,
                false => ui.verbatim(&happening.in_words())?,
            }
        }
    }
    Ok(Exit::Done)
}

/// Makes happenings of what is seen in the home.
pub(super) struct Watcher {
    home: Home,
    journal: Follower,
    /// Tasks that have not ended: what lies in `pending` once more was not dropped anew.
    open: HashSet<TaskId>,
    notes: Vec<Note>,
}

fn open_tasks(spool: &Spool) -> Result<HashSet<TaskId>, Trouble> {
    let waiting = spool.waiting()?;
    let mut open: HashSet<TaskId> =
        waiting.iter().map(|name| TaskId::from_file_name(name)).collect();
    open.extend(spool.ids(Folder::InProgress)?);
    Ok(open)
}

impl Watcher {
    pub(super) fn new(spool: &Spool, journal: Follower) -> Result<Self, Trouble> {
        let notes = spool::notes::all(spool.home())?;
        Ok(Self { home: spool.home().clone(), journal, open: open_tasks(spool)?, notes })
    }

    /// The lines of the journal that came since; [`Self::written`] makes happenings of them.
    pub(super) fn next_lines(&mut self) -> Result<Vec<Line>, Trouble> {
        Ok(self.journal.next_lines()?)
    }

    pub(super) fn see(
        &mut self,
        spool: &Spool,
        glimpse: Glimpse,
    ) -> Result<Vec<Happening>, Trouble> {
        match glimpse {
            Glimpse::Pending(name) => Ok(self.dropped(spool, &name).into_iter().collect()),
            Glimpse::Note(_) => self.notes_changed(),
            Glimpse::Journal => {
                let lines = self.next_lines()?;
                let mut all = Vec::new();
                for line in lines {
                    // One that was claimed or failed before anybody looked was dropped, too.
                    all.extend(self.dropped_unseen(&line));
                    all.extend(self.written(line));
                }
                Ok(all)
            }
            Glimpse::Everything => {
                let mut all = self.all_dropped(spool)?;
                all.extend(self.see(spool, Glimpse::Journal)?);
                Ok(all)
            }
            Glimpse::Ended(..) | Glimpse::Claim(_) | Glimpse::Told | Glimpse::Replaced => {
                Ok(Vec::new())
            }
        }
    }

    /// What lies in `pending` and was not known.
    pub(super) fn all_dropped(&mut self, spool: &Spool) -> Result<Vec<Happening>, Trouble> {
        let names = spool.waiting()?;
        Ok(names.iter().filter_map(|name| self.dropped(spool, name)).collect())
    }

    fn dropped(&mut self, spool: &Spool, name: &OsStr) -> Option<Happening> {
        let id = TaskId::from_file_name(name);
        let is_new = spool.is_pending(name) && self.open.insert(id.clone());
        is_new.then(|| Happening::new("dropped", clock::wall()).of(Some(id)))
    }

    fn dropped_unseen(&mut self, line: &Line) -> Option<Happening> {
        let id = line.task.as_ref()?;
        let is_first =
            matches!(line.event, LineKind::Attempt | LineKind::Filed | LineKind::Withdrawn);
        let is_new = is_first && self.open.insert(id.clone());
        is_new.then(|| Happening::new("dropped", line.at).of(Some(id.clone())))
    }

    fn notes_changed(&mut self) -> Result<Vec<Happening>, Trouble> {
        let notes = spool::notes::all(&self.home)?;
        let mut happenings = Vec::new();
        for (event, these, those) in
            [("paused", &notes, &self.notes), ("resumed", &self.notes, &notes)]
        {
            for note in these.iter().filter(|note| !those.contains(note)) {
                let mut happening = Happening::new(event, clock::wall());
                match note {
                    Note::Pause(worker) => happening.worker_type.clone_from(worker),
                    Note::PauseGroup(group) => happening.message = Some(format!("group {group}")),
                    _ => continue,
                }
                happenings.push(happening);
            }
        }
        self.notes = notes;
        Ok(happenings)
    }

    pub(super) fn written(&mut self, line: Line) -> Option<Happening> {
        let event = match line.event {
            LineKind::Attempt => "begun",
            LineKind::End => "ended",
            LineKind::Retry => "retry",
            LineKind::Filed if line.folder == Some(Folder::Completed) => "completed",
            LineKind::Filed => "failed",
            LineKind::Withdrawn => "withdrawn",
            LineKind::Spawned => "spawned",
            // Each of them was told of when it was dropped.
            LineKind::AllDropped => return None,
            LineKind::Limits => "limits",
            LineKind::Alert => "alert",
            LineKind::Pause => "rest",
            LineKind::Gathered => "batch_sent",
            LineKind::Submitted => "batch_taken",
            LineKind::BatchOver => "batch_over",
        };
        match (&line.task, event) {
            (Some(id), "completed" | "failed" | "withdrawn") => drop(self.open.remove(id)),
            (Some(id), _) => drop(self.open.insert(id.clone())),
            _ => {}
        }
        let limits = [("a day", line.daily_usd), ("a month", line.monthly_usd)];
        let limits: Vec<String> = limits
            .into_iter()
            .filter_map(|(window, limit)| Some(format!("{} {window}", limit?)))
            .collect();
        let of_type = line.task_type.filter(|_| event == "limits");
        let limits = (!limits.is_empty()).then(|| match of_type {
            Some(task_type) => format!("{}, task type {task_type}", words::names(&limits, "and")),
            None => words::names(&limits, "and"),
        });
        Some(Happening {
            worker_type: line.worker_type,
            worker_id: line.worker_id,
            outcome: line.outcome,
            cost_usd: line.cost_usd,
            until: line.until.map(clock::rfc3339),
            children: line.children,
            message: line.message.or(line.batch_id).or(limits),
            ..Happening::new(event, line.at).of(line.task)
        })
    }
}

impl Happening {
    fn new(event: &'static str, at: Timestamp) -> Self {
        Self {
            at,
            event,
            task_id: None,
            worker_type: None,
            worker_id: None,
            outcome: None,
            cost_usd: None,
            until: None,
            children: Vec::new(),
            message: None,
        }
    }

    fn of(mut self, task: Option<TaskId>) -> Self {
        self.task_id = task;
        self
    }

    fn in_words(&self) -> String {
        format!("{} {}", clock::rfc3339(self.at), self.what_in_words())
    }

    /// The same without when.
    pub(super) fn what_in_words(&self) -> String {
        let who = self
            .worker_id
            .clone()
            .or_else(|| self.worker_type.as_ref().map(ToString::to_string))
            .map(|who| match self.event {
                // They happen to it.
                "paused" | "resumed" | "limits" | "alert" | "rest" => format!("worker {who}"),
                _ => format!("by {who}"),
            })
            .map(|who| language::told(&who).into_owned());
        let cost = self.cost_usd.filter(|cost| *cost > Usd::ZERO).map(|cost| cost.to_string());
        let children = (!self.children.is_empty()).then(|| words::names(&self.children, "and"));
        let parts = [
            self.task_id.as_ref().map(ToString::to_string),
            who,
            self.outcome.clone(),
            cost,
            self.until.as_ref().map(|until| language::told(&format!("until {until}")).into_owned()),
            children,
            self.message.as_deref().map(|message| language::told(message).into_owned()),
        ];
        let told: Vec<String> = parts.into_iter().flatten().collect();
        let event = padded(&language::told(self.event), 11);
        format!("{event} {}", tame(&told.join("  "))).trim_end().to_owned()
    }
}
