//! `koubou log`: what happened with a task, line by line.

use std::sync::mpsc;

use super::site::{Located, parse_id};
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::words::tame;
use crate::mirror::query::LogRecord;
use crate::spool::Spool;
use crate::spool::told::{self, Told};
use crate::spool::watch::Watch;
use crate::task::{Folder, TaskId};

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
    let mut place = Place::default();
    place.print_on(ui, site, id)?;
    if let Err(none) = found
        && place.is_at_the_beginning()
    {
        return Err(none);
    }
    while args.follow && !has_ended(&spool, id) {
        if told.recv().is_err() {
            break;
        }
        place.print_on(ui, site, id)?;
    }
    if args.follow {
        place.print_on(ui, site, id)?;
    }
    Ok(Exit::Done)
}

/// All lines as one document; only who follows gets one a line.
fn whole(ui: &mut Ui, site: &Site, id: &TaskId, found: Result<Located, Trouble>) -> Done {
    let lines = Place::default().lines(site, id)?;
    if lines.is_empty() {
        found?;
    }
    ui.json_line(&lines)?;
    Ok(Exit::Done)
}

/// How much has been read: of the mirror's rows, and of what workers told.
#[derive(Default)]
struct Place {
    row: i64,
    byte: u64,
}

impl Place {
    fn is_at_the_beginning(&self) -> bool {
        self.row == 0 && self.byte == 0
    }

    fn print_on(&mut self, ui: &mut Ui, site: &Site, id: &TaskId) -> Result<(), Trouble> {
        for record in self.lines(site, id)? {
            match ui.is_json() {
                true => ui.json_line(&record)?,
                false => ui.verbatim(&line(&record))?,
            }
        }
        Ok(())
    }

    /// What came since, in the order in which it happened.
    fn lines(&mut self, site: &Site, id: &TaskId) -> Result<Vec<LogRecord>, Trouble> {
        let mut records = site.query_or_nothing()?.logs(Some(id), self.row)?;
        self.row = records.last().map_or(self.row, |record| record.log_id);
        let (told, end) = told::read(&site.home, id, self.byte);
        self.byte = end;
        records.extend(told.into_iter().map(|told| of_worker(id, told)));
        records.sort_by(|one, other| one.created_at.cmp(&other.created_at));
        Ok(records)
    }
}

/// What a worker told, as a line like the mirror's.
fn of_worker(id: &TaskId, told: Told) -> LogRecord {
    LogRecord {
        log_id: 0,
        task_id: Some(id.to_string()),
        worker_id: Some(told.worker_id),
        log_level: Some("INFO".into()),
        component: "worker".into(),
        message: told.message,
        created_at: Some(told.at.strftime("%Y-%m-%d %H:%M:%S").to_string()),
    }
}

fn has_ended(spool: &Spool, id: &TaskId) -> bool {
    matches!(spool.find(id), None | Some(Folder::Completed | Folder::Failed))
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
