//! `koubou log`: what happened with a task, line by line.

use std::sync::mpsc;
use std::time::Duration;

use super::site::{Located, parse_id};
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::words::tame;
use crate::mirror::query::LogRecord;
use crate::spool::Spool;
use crate::spool::watch::Watch;
use crate::task::{Folder, TaskId};

/// How often the mirror is looked at for what no event tells of.
const LOOK: Duration = Duration::from_millis(300);

/// Print what happened with a task
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Go on until the task has ended
    #[arg(short, long)]
    follow: bool,
    /// The task
    #[arg(value_name = "ID", value_parser = parse_id)]
    id: TaskId,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    let spool = site.spool()?;
    // One that is in no folder any more may have its story all the same.
    let found = site.locate(&spool, &args.id);
    let id = &found.as_ref().map_or_else(|_| args.id.clone(), |located| located.id.clone());
    if ui.is_json() && !args.follow {
        return whole(ui, site, id, found);
    }
    let (tell, told) = mpsc::channel();
    let watch = args.follow.then(|| {
        Watch::with_claims(&site.home, move |_| {
            let _ = tell.send(());
        })
    });
    let _watch = watch.transpose().map_err(|error| Trouble::new(error.to_string()))?;
    let mut last = print_after(ui, site, id, 0)?;
    if let Err(none) = found
        && last == 0
    {
        return Err(none);
    }
    while args.follow && !has_ended(&spool, id) {
        // Of a line in the mirror no event tells.
        if told.recv_timeout(LOOK) == Err(mpsc::RecvTimeoutError::Disconnected) {
            break;
        }
        last = print_after(ui, site, id, last)?;
    }
    if args.follow {
        print_after(ui, site, id, last)?;
    }
    Ok(Exit::Done)
}

/// All lines as one document; only who follows gets one a line.
fn whole(ui: &mut Ui, site: &Site, id: &TaskId, found: Result<Located, Trouble>) -> Done {
    let records = site.query()?.logs(Some(id), 0)?;
    if records.is_empty() {
        found?;
    }
    ui.json_line(&records)?;
    Ok(Exit::Done)
}

fn has_ended(spool: &Spool, id: &TaskId) -> bool {
    matches!(spool.find(id), None | Some(Folder::Completed | Folder::Failed))
}

/// Prints the lines after the one with this number, and says the last one's.
fn print_after(ui: &mut Ui, site: &Site, id: &TaskId, after: i64) -> Result<i64, Trouble> {
    let mut last = after;
    for record in site.query()?.logs(Some(id), after)? {
        last = record.log_id;
        match ui.is_json() {
            true => ui.json_line(&record)?,
            false => ui.line(&line(&record))?,
        }
    }
    Ok(last)
}

fn line(record: &LogRecord) -> String {
    let who = record.worker_id.as_deref().unwrap_or(&record.component);
    let level = record.log_level.as_deref().unwrap_or("INFO");
    format!(
        "{} {level:<5} {who}: {}",
        record.created_at.as_deref().unwrap_or("-"),
        tame(&record.message)
    )
}
