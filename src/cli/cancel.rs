//! `koubou cancel`: ends tasks that wait or run.

use super::site::{Located, parse_id};
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::spool::notes::Note;
use crate::task::{Folder, TaskId};

/// End tasks, also those that are running; their results say `cancelled`
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The tasks
    #[arg(value_name = "ID", required = true, value_parser = parse_id)]
    ids: Vec<TaskId>,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    let spool = site.spool()?;
    let mut exit = Exit::Done;
    let mut is_left = false;
    // All of them or none: a name that is wrong must not leave the rest half done.
    let located = args.ids.iter().map(|id| site.locate(&spool, id));
    let several = args.ids.len() > 1;
    let located = located.collect::<Result<Vec<_>, _>>().map_err(|trouble| match several {
        true => trouble.because("none of them was cancelled"),
        false => trouble,
    })?;
    for Located { id, folder, .. } in located {
        match cancel(site, &id, folder)? {
            Cancelling::Ended => {
                ui.say(&format!("`{id}` is {folder} already"));
                exit = Exit::Failed;
            }
            Cancelling::Begun(more) => {
                is_left = true;
                more.iter().for_each(|more| ui.say(more));
            }
        }
    }
    if is_left && site.daemon().is_none() {
        ui.hint("no daemon is working this home; the next `koubou start` cancels it before anything runs");
    }
    Ok(exit)
}

/// What became of the wish to end a task.
pub(super) enum Cancelling {
    /// It had ended already.
    Ended,
    /// The daemon is told, and this is to be known of it.
    Begun(Option<String>),
}

/// Asks the daemon to end one.
pub(super) fn cancel(site: &Site, id: &TaskId, folder: Folder) -> Result<Cancelling, Trouble> {
    if folder.is_end() {
        return Ok(Cancelling::Ended);
    }
    let batch = batch_of(site, id).filter(|_| folder == Folder::InProgress);
    Note::Cancel(id.clone()).leave(&site.home)?;
    Ok(Cancelling::Begun(batch.map(|batch| {
        format!(
            "`{id}` is in {batch}: its answer is dropped when it comes, and what it cost counts"
        )
    })))
}

/// The batch that a server has a task in, in words.
fn batch_of(site: &Site, id: &TaskId) -> Option<String> {
    let row = site.query().ok()?.task(id).ok()??;
    row.waits_for.filter(|waits_for| waits_for.starts_with("batch `"))
}
