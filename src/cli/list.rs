//! `koubou list`: which tasks there are, and where they stand.

use std::cmp::Reverse;
use std::fmt;

use serde::Serialize;

use super::status;
use super::table::Table;
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::words::Count;
use crate::mirror::query::{BriefRecord, Filter, Order};
use crate::spool::Spool;
use crate::spool::notes::Note;
use crate::task::{Folder, Sensitivity, TaskId};

/// List tasks: where each stands, and who has it
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Only those in this folder
    #[arg(long, value_name = "FOLDER", value_parser = ["pending", "in_progress", "completed", "failed"])]
    status: Option<String>,
    /// Those whose results were retired into the archive instead
    #[arg(long)]
    archived: bool,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Listing(Vec<Listed>);

/// A task, as the folders and the mirror know it.
#[derive(Serialize)]
pub(super) struct Listed {
    pub(super) task_id: String,
    pub(super) status: &'static str,
    worker_type: Option<String>,
    difficulty_level: Option<String>,
    sensitivity_level: Option<String>,
    priority: Option<i64>,
    pub(super) created_at: Option<String>,
    pub(super) waits_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived: Option<String>,
}

impl Listed {
    /// A task of a folder, as far as the mirror knows it.
    fn of(
        task_id: String,
        folder: Folder,
        row: Option<BriefRecord>,
        waits_for: Option<String>,
    ) -> Self {
        let unknown = Self {
            task_id,
            status: folder.as_str(),
            worker_type: None,
            difficulty_level: None,
            sensitivity_level: None,
            priority: None,
            created_at: None,
            waits_for,
            archived: None,
        };
        match row {
            None => unknown,
            Some(row) => Self {
                worker_type: row.assigned_worker_type,
                difficulty_level: Some(row.difficulty_level),
                sensitivity_level: Some(row.sensitivity_level),
                priority: row.priority,
                created_at: row.created_at,
                ..unknown
            },
        }
    }

    /// Whether it is known to be no confidential one.
    pub(super) fn is_public(&self) -> bool {
        self.sensitivity_level.as_deref() == Some(Sensitivity::Public.as_str())
    }
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    let spool = site.spool()?;
    if args.archived {
        ui.answer(&Listing(archived(site, args.status.as_deref())?))?;
        return Ok(Exit::Done);
    }
    ui.answer(&Listing(tasks(site, &spool, args.status.as_deref())?))?;
    let (archived, _) = spool.archive().size();
    if archived > 0 {
        let count = Count(archived, "result");
        ui.hint(&format!("{} lists the {count} in the archive", site.call("list --archived")));
    }
    Ok(Exit::Done)
}

/// The tasks whose results were retired, as the mirror knows them.
fn archived(site: &Site, status: Option<&str>) -> Result<Vec<Listed>, Trouble> {
    let status = status.and_then(Folder::from_name);
    let filter = Filter { status, archived: Some(true), order: Order::Any, ..Filter::default() };
    let mut rows = site.query()?.briefs(&filter)?;
    // As they would run; SQLite would sort so many in a file.
    rows.sort_by(|a, b| {
        let key = |row: &BriefRecord| Reverse(row.priority);
        let by_age = || (&a.created_at, &a.task_id).cmp(&(&b.created_at, &b.task_id));
        key(a).cmp(&key(b)).then_with(by_age)
    });
    let rows = rows.into_iter();
    let listed = rows.map(|row| Listed {
        status: Folder::from_name(&row.status).unwrap_or(Folder::Completed).as_str(),
        task_id: row.task_id,
        worker_type: row.assigned_worker_type,
        difficulty_level: Some(row.difficulty_level),
        sensitivity_level: Some(row.sensitivity_level),
        priority: row.priority,
        created_at: row.created_at,
        waits_for: None,
        archived: row.archived,
    });
    Ok(listed.collect())
}

/// The tasks of a folder, or of all.
pub(super) fn tasks(
    site: &Site,
    spool: &Spool,
    status: Option<&str>,
) -> Result<Vec<Listed>, Trouble> {
    // The folders say which tasks there are; the mirror, where it is, says more of each.
    let wanted = |folder: Folder| status.is_none_or(|status| status == folder.as_str());
    let folders = || Folder::ALL.into_iter().filter(|folder| wanted(*folder));
    let (ids, mut known) = std::thread::scope(|both| {
        let known = both.spawn(|| known(site, status.and_then(Folder::from_name)));
        let ids = folders().map(|folder| sorted_ids(site, spool, folder));
        let ids: Result<Vec<_>, Trouble> = ids.collect();
        (ids, known.join().unwrap_or_default())
    });
    let workers = super::workers::states(site);
    let paused = Note::Pause(None).stands(&site.home);
    let waits_for = |row: &BriefRecord| {
        let worker_type = row.assigned_worker_type.as_deref();
        status::waits_for(row.waits_for.clone(), worker_type, &workers, paused)
    };
    let mut listing = Vec::new();
    for (folder, ids) in folders().zip(ids?) {
        let mut rows = std::mem::take(&mut known[folder as usize]).into_iter().peekable();
        let mut ids = ids.into_iter().map(String::from).peekable();
        while let Some(id) = ids.next() {
            while rows.next_if(|row| row.task_id < id).is_some() {}
            let row = match ids.peek() {
                // Two files in `pending` may state the same id.
                Some(next) if *next == id => rows.peek().filter(|row| row.task_id == id).cloned(),
                _ => rows.next_if(|row| row.task_id == id),
            };
            let waits_for = match folder {
                Folder::Pending => row.as_ref().map(waits_for),
                // What is in a batch waits for that, and what a hand has for nothing.
                Folder::InProgress => row.as_ref().and_then(|row| row.waits_for.clone()),
                _ => None,
            };
            listing.push(Listed::of(id, folder, row, waits_for));
        }
    }
    Ok(listing)
}

/// The ids of the tasks in a folder, in order.
fn sorted_ids(site: &Site, spool: &Spool, folder: Folder) -> Result<Vec<TaskId>, Trouble> {
    let mut ids = site.ids(spool, folder)?;
    ids.sort_unstable();
    Ok(ids)
}

/// What the mirror knows of the tasks of each folder, in the order of their ids; nothing where it
/// cannot be read.
fn known(site: &Site, status: Option<Folder>) -> [Vec<BriefRecord>; 4] {
    let filter = Filter { status, archived: Some(false), order: Order::Any, ..Filter::default() };
    let rows = site.query().and_then(|query| Ok(query.briefs(&filter)?)).unwrap_or_default();
    let mut known = <[Vec<BriefRecord>; 4]>::default();
    for row in rows {
        if let Some(folder) = Folder::from_name(&row.status) {
            known[folder as usize].push(row);
        }
    }
    for rows in &mut known {
        // They lie there as they came, which often is their order already.
        rows.sort_by(|a, b| a.task_id.cmp(&b.task_id));
    }
    known
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut table =
            Table::new(&["ID", "STATUS", "WORKER", "DIFFICULTY", "SENSITIVITY", "WAITS FOR"]);
        fn word(value: &Option<String>) -> &str {
            value.as_deref().unwrap_or("-")
        }
        for task in &self.0 {
            table.row([
                task.task_id.as_str(),
                task.status,
                word(&task.worker_type),
                word(&task.difficulty_level),
                word(&task.sensitivity_level),
                task.waits_for.as_deref().unwrap_or_default(),
            ]);
        }
        write!(f, "{table}")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cli::site::tests::site;

    /// Id, folder and worker of each task.
    fn listed(site: &Site, status: Option<&str>) -> Vec<String> {
        let tasks = tasks(site, &site.spool_here(), status).unwrap();
        let words = |task: &Listed| {
            let worker = task.worker_type.as_deref().unwrap_or("-");
            format!("{} {} {worker}", task.task_id, task.status)
        };
        tasks.iter().map(words).collect()
    }

    #[test]
    fn the_folders_say_which_tasks_there_are_and_the_mirror_says_more_of_each() {
        let (_dir, site) = site();
        let put = |folder, name: &str, text: &str| {
            fs::write(site.home.folder(folder).join(name), text).unwrap();
        };
        let same = r#"{"task_id": "same", "description": "x"}"#;
        put(Folder::Pending, "one.json", same);
        put(Folder::Pending, "two.json", same);
        put(Folder::Pending, "new.json", "{}");
        put(Folder::Failed, "b.json", "{}");
        put(Folder::Failed, "a.json", "{}");
        put(Folder::Completed, "moved.json", "{}");
        let bare = ["new pending -", "same pending -", "same pending -", "moved completed -"];
        let failed = ["a failed -", "b failed -"];
        assert_eq!(listed(&site, None), [&bare[..], &failed[..]].concat(), "without a mirror");
        let mirror = rusqlite::Connection::open(site.home.database()).unwrap();
        mirror.execute_batch(crate::mirror::SCHEMA).unwrap();
        for (id, status, archived) in [
            ("same", "pending", None),
            ("gone", "pending", None),
            ("moved", "failed", None),
            ("b", "failed", None),
            ("old", "failed", Some("2026-10.jsonl.zst")),
        ] {
            let sql = "INSERT INTO task_master (task_id, task_type, difficulty_level,
                sensitivity_level, assigned_worker_type, status, archived)
                VALUES (?1, 'general', 'low', 'public', 'local', ?2, ?3)";
            mirror.execute(sql, (id, status, archived)).unwrap();
        }
        let known = ["new pending -", "same pending local", "same pending local"];
        assert_eq!(listed(&site, Some("pending")), known);
        assert_eq!(listed(&site, Some("failed")), ["a failed -", "b failed local"]);
        let all = [&known[..], &["moved completed -", "a failed -", "b failed local"]].concat();
        assert_eq!(listed(&site, None), all, "it is where its folder says");
        let old = archived(&site, Some("failed")).unwrap();
        assert_eq!((old.len(), old[0].task_id.as_str()), (1, "old"));
    }
}
