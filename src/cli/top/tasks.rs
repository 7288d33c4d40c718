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
        let by_name = |id: &TaskId| self.spool.find(id) == Some(Folder::Pending);
        let named = known.iter().filter_map(|record| record.task_id.parse::<TaskId>().ok());
        let (named, unsure): (HashSet<TaskId>, HashSet<TaskId>) = named.partition(by_name);
        if unsure.is_empty() && named.len() == MOST {
            return self.rows(known, Folder::Pending, |_| true);
        }
        // A file may have another name than its task; and what a person took away is in none.
        let others = self.waiting_but(&named);
        let mut rows =
            self.rows(known, Folder::Pending, |id| named.contains(id) || others.contains(id));
        let fresh = others.into_iter().filter(|id| !unsure.contains(id));
        rows.extend(fresh.map(|id| self.row(id, Folder::Pending, None)));
        rows.truncate(MOST);
        rows
    }

    /// The first of the tasks in `pending` whose files do not have these names.
    fn waiting_but(&self, named: &HashSet<TaskId>) -> Vec<TaskId> {
        let dir = self.site.home.folder(Folder::Pending);
        let mut names: Vec<OsString> = self.spool.waiting().unwrap_or_default();
        names.retain(|name| !named.contains(&TaskId::from_file_name(name)));
        names.sort();
        names.truncate(MOST);
        let ids = names.iter().map(|name| id_in(&dir, name));
        ids.filter(|id| !named.contains(id)).collect()
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

    /// The latest first; those that the mirror does not know yet come last.
    fn ended(&self, folder: Folder) -> Vec<TaskRow> {
        let known = self.records(folder, Order::Latest);
        let mut rows = self.rows(known, folder, |id| self.spool.find(id) == Some(folder));
        if rows.len() < MOST {
            let shown: HashSet<TaskId> = rows.iter().map(|row| row.id.clone()).collect();
            let mut ids = self.spool.ids(folder).unwrap_or_default();
            ids.retain(|id| !shown.contains(id));
            ids.sort();
            ids.truncate(MOST - rows.len());
            rows.extend(ids.into_iter().map(|id| self.row(id, folder, None)));
        }
        rows
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cli::site::tests::site;

    fn ids(site: &Site, want: &Want) -> Vec<String> {
        let (memory, spool) = (Memory::default(), site.spool_here());
        let reader = site.query().ok();
        let sources = Sources {
            site,
            spool: &spool,
            memory: &memory,
            reader: reader.as_ref(),
            workers: &[],
            is_worked: false,
            paused: false,
        };
        sources.tasks(want).into_iter().map(|row| row.id.to_string()).collect()
    }

    #[test]
    fn the_folders_say_which_tasks_there_are_and_the_mirror_their_order() {
        let (_dir, site) = site();
        let pending = site.home.folder(Folder::Pending);
        for (name, task) in
            [("b", "{}"), ("new", "{}"), ("file", r#"{"task_id": "other", "description": "x"}"#)]
        {
            fs::write(pending.join(format!("{name}.json")), task).unwrap();
        }
        assert_eq!(ids(&site, &Want::default()), ["b", "other", "new"], "without a mirror by name");
        let mirror = rusqlite::Connection::open(site.home.database()).unwrap();
        mirror.execute_batch(crate::mirror::SCHEMA).unwrap();
        for (id, priority) in [("gone", 9), ("other", 5), ("b", 1)] {
            let sql = "INSERT INTO task_master (task_id, task_type, difficulty_level,
                sensitivity_level, priority) VALUES (?1, 'general', 'low', 'public', ?2)";
            mirror.execute(sql, (id, priority)).unwrap();
        }
        assert_eq!(ids(&site, &Want::default()), ["other", "b", "new"]);
        fs::write(site.home.folder(Folder::Failed).join("Bad.json"), "{}").unwrap();
        let want = Want { filter: Some("b".into()), ..Want::default() };
        assert_eq!(ids(&site, &want), ["b", "Bad"]);
        let failed = Want { folder: Folder::Failed, filter: None };
        assert_eq!(ids(&site, &failed), ["Bad"]);
    }
}
