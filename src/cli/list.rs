//! `koubou list`: which tasks there are, and where they stand.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use super::status;
use super::table::Table;
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::words::Count;
use crate::mirror::query::{Filter, TaskRecord};
use crate::spool::Spool;
use crate::spool::notes::Note;
use crate::task::{Folder, Sensitivity};

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
    let filter = Filter { status, archived: Some(true), ..Filter::default() };
    let rows = site.query()?.tasks(&filter)?.into_iter();
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
    let known: HashMap<String, TaskRecord> = site
        .query()
        .and_then(|query| Ok(query.tasks(&Filter { archived: Some(false), ..Filter::default() })?))
        .map(|rows| rows.into_iter().map(|row| (row.task_id.clone(), row)).collect())
        .unwrap_or_default();
    let workers = super::workers::states(site);
    let paused = Note::Pause(None).stands(&site.home);
    let waits_for = |row: &TaskRecord| {
        let worker_type = row.assigned_worker_type.as_deref();
        status::waits_for(row.waits_for.clone(), worker_type, &workers, paused)
    };
    let mut listing = Vec::new();
    for folder in Folder::ALL {
        if status.is_some_and(|status| status != folder.as_str()) {
            continue;
        }
        let mut ids = site.ids(spool, folder)?;
        ids.sort();
        listing.extend(ids.into_iter().map(String::from).map(|id| {
            let row = known.get(&id).filter(|row| row.status == folder.as_str());
            Listed {
                status: folder.as_str(),
                worker_type: row.and_then(|row| row.assigned_worker_type.clone()),
                difficulty_level: row.map(|row| row.difficulty_level.clone()),
                sensitivity_level: row.map(|row| row.sensitivity_level.clone()),
                priority: row.and_then(|row| row.priority),
                created_at: row.and_then(|row| row.created_at.clone()),
                waits_for: match folder {
                    Folder::Pending => row.map(waits_for),
                    // What is in a batch waits for that, and what a hand has for nothing.
                    Folder::InProgress => row.and_then(|row| row.waits_for.clone()),
                    _ => None,
                },
                archived: None,
                task_id: id,
            }
        }));
    }
    Ok(listing)
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut table =
            Table::new(&["ID", "STATUS", "WORKER", "DIFFICULTY", "SENSITIVITY", "WAITS FOR"]);
        let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
        for task in &self.0 {
            table.row([
                task.task_id.clone(),
                task.status.into(),
                word(&task.worker_type),
                word(&task.difficulty_level),
                word(&task.sensitivity_level),
                task.waits_for.clone().unwrap_or_default(),
            ]);
        }
        write!(f, "{table}")
    }
}
