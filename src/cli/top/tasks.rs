//! The tasks of a folder, or those that somebody looks for: which there are say the folders, and
//! what each waits for or came to say the mirror and the journal.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;

use super::memory::Memory;
use super::seen::{TaskRow, Want};
use crate::cli::site::{Site, id_in};
use crate::cli::status;
use crate::cli::workers::WorkerState;
use crate::mirror::query::{Filter, Order, Reader, TaskRecord};
use crate::spool::Spool;
use crate::task::{Folder, TaskId, Usd};

/// More rows are not shown: who looks for one task says a part of its id.
const MOST: usize = 200;

/// Where rows of tasks come from.
pub(super) struct Sources<'a> {
    pub(super) site: &'a Site,
    pub(super) spool: &'a Spool,
    pub(super) memory: &'a Memory,
    pub(super) reader: Option<&'a Reader>,
    pub(super) workers: &'a [WorkerState],
    pub(super) is_worked: bool,
    pub(super) paused: bool,
}

impl Sources<'_> {
    /// The first of the tasks that are wanted.
    pub(super) fn tasks(&self, want: &Want) -> Vec<TaskRow> {
        match (&want.filter, want.folder) {
            (Some(_), _) => self.found(want),
            (None, Folder::Pending) => self.waiting(),
            (None, Folder::InProgress) => self.begun(),
            (None, folder) => self.ended(folder),
        }
    }

    /// As they would run; those that no daemon has looked at yet come last.
    fn waiting(&self) -> Vec<TaskRow> {
        let known = self.records(Folder::Pending, Order::Queue);
        let is_there = |id: &TaskId| self.spool.find(id).is_none_or(|at| at == Folder::Pending);
        let mut rows: Vec<TaskRow> = self.rows(known, Folder::Pending, is_there);
        if rows.len() < MOST {
            let ids: HashSet<TaskId> = rows.iter().map(|row| row.id.clone()).collect();
            let names = self.spool.waiting().unwrap_or_default();
            let is_known = |name: &OsString| ids.contains(&TaskId::from_file_name(name));
            let mut names: Vec<OsString> =
                names.into_iter().filter(|name| !is_known(name)).take(MOST - rows.len()).collect();
            names.sort();
            let dir = self.site.home.folder(Folder::Pending);
            let fresh = names.iter().map(|name| id_in(&dir, name)).filter(|id| !ids.contains(id));
            rows.extend(fresh.map(|id| self.row(id, Folder::Pending, None)));
        }
        rows
    }

    /// Those in a hand first, the longest first.
    fn begun(&self) -> Vec<TaskRow> {
        let known = self.records(Folder::InProgress, Order::Latest);
        let mut known: HashMap<String, TaskRecord> =
            known.into_iter().map(|row| (row.task_id.clone(), row)).collect();
        let ids = self.spool.ids(Folder::InProgress).unwrap_or_default();
        let rows = ids.into_iter().map(|id| {
            let record = known.remove(id.as_str());
            self.row(id, Folder::InProgress, record)
        });
        let mut rows: Vec<TaskRow> = rows.collect();
        rows.sort_by_key(|row| (row.since.is_none(), row.since, row.id.clone()));
        rows.truncate(MOST);
        rows
    }

    /// The latest first.
    fn ended(&self, folder: Folder) -> Vec<TaskRow> {
        if self.reader.is_some() {
            let known = self.records(folder, Order::Latest);
            return self.rows(known, folder, |id| self.spool.find(id) == Some(folder));
        }
        let mut ids = self.spool.ids(folder).unwrap_or_default();
        ids.sort();
        ids.into_iter().take(MOST).map(|id| self.row(id, folder, None)).collect()
    }

    /// Those of all folders whose id has a text in it.
    fn found(&self, want: &Want) -> Vec<TaskRow> {
        let mut rows = Vec::new();
        for folder in Folder::ALL {
            let mut ids = self.site.ids(self.spool, folder).unwrap_or_default();
            ids.retain(|id| want.covers(id.as_str()));
            ids.sort();
            for id in ids.into_iter().take(MOST - rows.len()) {
                let record = self.reader.and_then(|reader| reader.task(&id).ok().flatten());
                let record = record.filter(|record| record.status == folder.as_str());
                rows.push(self.row(id, folder, record));
            }
        }
        rows
    }

    fn records(&self, folder: Folder, order: Order) -> Vec<TaskRecord> {
        let limit = u32::try_from(MOST).ok();
        let filter = Filter { status: Some(folder), limit, order, ..Filter::default() };
        self.reader.and_then(|reader| reader.tasks(&filter).ok()).unwrap_or_default()
    }

    /// The rows of those that are still where the mirror says.
    fn rows(
        &self,
        records: Vec<TaskRecord>,
        folder: Folder,
        is_there: impl Fn(&TaskId) -> bool,
    ) -> Vec<TaskRow> {
        let rows = records.into_iter().filter_map(|record| {
            let id: TaskId = record.task_id.parse().ok()?;
            is_there(&id).then(|| self.row(id, folder, Some(record)))
        });
        rows.collect()
    }

    fn row(&self, id: TaskId, folder: Folder, record: Option<TaskRecord>) -> TaskRow {
        let is_begun = folder == Folder::InProgress && self.is_worked;
        let doing = is_begun.then(|| self.memory.doing_of(&id)).flatten();
        let worker = record.as_ref().and_then(|record| record.assigned_worker_type.clone());
        let says = match (folder, &doing) {
            (_, Some(doing)) => doing.hand.clone(),
            (Folder::Pending, _) => self.waits_for(record),
            (Folder::InProgress, _) => self.waits_elsewhere(&id, record),
            _ => record.map(|record| ended_in_words(&record)).unwrap_or_default(),
        };
        TaskRow { since: doing.map(|doing| doing.since), id, folder, worker, says }
    }

    fn waits_for(&self, record: Option<TaskRecord>) -> String {
        match record {
            _ if !self.is_worked => "a daemon: `koubou start`".to_owned(),
            Some(record) => {
                let worker = record.assigned_worker_type.as_deref();
                status::waits_for(record.waits_for, worker, self.workers, self.paused)
            }
            None => "to be looked at".to_owned(),
        }
    }

    fn waits_elsewhere(&self, id: &TaskId, record: Option<TaskRecord>) -> String {
        let told = record.and_then(|record| record.waits_for);
        let known = || self.memory.waits_elsewhere(id).map(str::to_owned);
        match told.or_else(known) {
            Some(waits_for) => waits_for,
            None if self.is_worked => "begun".to_owned(),
            None => "a daemon, which puts it back: `koubou start`".to_owned(),
        }
    }
}

/// When it ended, and why it failed or what it cost.
fn ended_in_words(record: &TaskRecord) -> String {
    let at = record.updated_at.as_deref().unwrap_or_default();
    let cost = record.actual_cost.filter(|cost| *cost > 0.0);
    let cost = cost.and_then(|cost| cost.to_string().parse::<Usd>().ok());
    let parts = [Some(at.to_owned()), record.error_kind.clone(), cost.map(|cost| cost.to_string())];
    let parts = parts.into_iter().flatten().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("  ")
}
