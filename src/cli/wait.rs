//! `koubou wait`: until tasks have ended.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::site::parse_id;
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::words::{self, Count};
use crate::spool::Spool;
use crate::spool::watch::Watch;
use crate::task::result::TaskResult;
use crate::task::{Folder, TaskId};

/// Wait until tasks have ended: exit 0 if all are completed, 1 if one failed
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The tasks
    #[arg(value_name = "ID", required = true, value_parser = parse_id)]
    ids: Vec<TaskId>,
    /// Wait no longer than this, and then exit 124: `90`, `30s`, `5m`
    #[arg(long, value_name = "DUR", value_parser = words::parse_span)]
    timeout: Option<Duration>,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    let spool = site.spool()?;
    let located = args.ids.iter().map(|id| site.locate(&spool, id).map(|located| located.id));
    let ids = located.collect::<Result<Vec<_>, _>>()?;
    until_ended(ui, site, &spool, &ids, args.timeout)
}

/// Waits for tasks that are known to be there; says of each that failed.
pub(super) fn until_ended(
    ui: &mut Ui,
    site: &Site,
    spool: &Spool,
    ids: &[TaskId],
    timeout: Option<Duration>,
) -> Done {
    let (tell, told) = mpsc::channel();
    let _watch = Watch::with_claims(&site.home, move |_| {
        let _ = tell.send(());
    })
    .map_err(|error| Trouble::new(error.to_string()))?;
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let mut open: Vec<&TaskId> = ids.iter().collect();
    let mut ended: BTreeMap<&TaskId, Folder> = BTreeMap::new();
    let mut hinted = false;
    loop {
        let mut still = Vec::new();
        for id in open {
            match where_it_ended(site, spool, id)? {
                Some(folder) => drop(ended.insert(id, folder)),
                None => still.push(id),
            }
        }
        open = still;
        if open.is_empty() {
            return report(ui, spool, &ended);
        }
        if !std::mem::replace(&mut hinted, true) {
            site.hint_if_idle(ui);
        }
        match pause(&told, deadline) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) => {
                if ui.is_json() {
                    let open = open.iter().map(|id| (*id, spool.find(id)));
                    ui.json_line(&rows(open.chain(ended.iter().map(|(id, f)| (*id, Some(*f))))))?;
                }
                ui.insist(&format!(
                    "{} not ended: {}",
                    Count(open.len() as u64, "task"),
                    words::names(open, "and")
                ));
                return Ok(Exit::TimedOut);
            }
        }
    }
}

/// Until something happened in the home; what happened at the same time is taken together.
fn pause(told: &mpsc::Receiver<()>, deadline: Option<Instant>) -> Result<(), RecvTimeoutError> {
    match deadline {
        None => told.recv().map_err(|_| RecvTimeoutError::Disconnected)?,
        Some(deadline) => told.recv_timeout(deadline.saturating_duration_since(Instant::now()))?,
    }
    while told.try_recv().is_ok() {}
    Ok(())
}

fn where_it_ended(site: &Site, spool: &Spool, id: &TaskId) -> Result<Option<Folder>, Trouble> {
    match spool.find(id) {
        // A task that somebody moved there by hand has not ended by that.
        Some(folder) if folder.is_end() => {
            Ok(Some(folder).filter(|_| is_result(spool, folder, id)))
        }
        Some(_) => Ok(None),
        // Between two folders it may have been missed; only a second look says that it is gone.
        None => match site.locate(spool, id) {
            Ok(located) => Ok(Some(located.folder).filter(|folder| folder.is_end())),
            Err(_) => Err(Trouble::new(format!(
                "`{id}` was withdrawn: its file is in no folder any more"
            ))),
        },
    }
}

fn is_result(spool: &Spool, folder: Folder, id: &TaskId) -> bool {
    let result = super::result::read_result(&spool.file(folder, id)).unwrap_or_default();
    result.as_object().is_some_and(TaskResult::looks_like_one)
}

fn rows<'a>(tasks: impl Iterator<Item = (&'a TaskId, Option<Folder>)>) -> Vec<Value> {
    tasks.map(|(id, folder)| json!({ "task_id": id, "status": folder })).collect()
}

fn report(ui: &mut Ui, spool: &Spool, ended: &BTreeMap<&TaskId, Folder>) -> Done {
    let failed: Vec<&&TaskId> =
        ended.iter().filter(|(_, folder)| **folder == Folder::Failed).map(|(id, _)| id).collect();
    if ui.is_json() {
        ui.json_line(&rows(ended.iter().map(|(id, folder)| (*id, Some(*folder)))))?;
    }
    for id in &failed {
        let result =
            super::result::read_result(&spool.file(Folder::Failed, id)).unwrap_or_default();
        let why =
            result.pointer("/error/message").and_then(|why| why.as_str()).unwrap_or("it failed");
        ui.say(&format!("`{id}` failed: {}", words::tame(why)));
    }
    Ok(if failed.is_empty() { Exit::Done } else { Exit::Failed })
}
