//! `koubou retry`: failed tasks go back to `pending`, with their history.

use super::site::{no_such_task, parse_id};
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::files;
use crate::base::words::{self, Count};
use crate::spool::notes::Note;
use crate::spool::{Spool, retire};
use crate::task::result::TaskResult;
use crate::task::{Folder, TaskId};

/// Run failed tasks again, with their history
///
/// The same by hand: `mv tasks/failed/ID.json tasks/pending/`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The tasks
    #[arg(value_name = "ID", required_unless_present = "all", value_parser = parse_id)]
    ids: Vec<TaskId>,
    /// All that failed, but for drops that were no tasks
    #[arg(long, conflicts_with = "ids")]
    all: bool,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    let spool = site.spool()?;
    let ids = match args.all {
        true => spool
            .ids(Folder::Failed)?
            .into_iter()
            .filter(|id| !files::exists(&spool.rejected(id)))
            .collect(),
        false => args.ids.clone(),
    };
    let mut retried = 0;
    for id in &ids {
        retry(&spool, id)?;
        retried += 1;
    }
    ui.say(&format!("{} back in pending", Count(retried, "task")));
    if retried > 0 {
        site.hint_if_idle(ui);
    }
    Ok(Exit::Done)
}

/// Puts one back.
pub(super) fn retry(spool: &Spool, id: &TaskId) -> Result<(), Trouble> {
    match spool.find(id) {
        Some(Folder::Failed) if spool.find_archived(id).is_some() => return bring_back(spool, id),
        Some(Folder::Failed) => {}
        Some(Folder::Completed) => {
            let pending = words::shell_path(&spool.home().folder(Folder::Pending));
            let hint = match spool.find_archived(id) {
                // By way of another name: what is being written is taken up half.
                Some(_) => {
                    let half = spool.home().tmp().join(id.file_name());
                    let half = words::shell_path(&half);
                    let home = words::shell_path(spool.home().path());
                    format!(
                        "`koubou --home {home} show {id} --json >{half} && mv {half} {pending}` runs it again all the same"
                    )
                }
                None => format!(
                    "`mv {} {pending}` runs it again all the same",
                    words::shell_path(&spool.file(Folder::Completed, id))
                ),
            };
            return Err(Trouble::new(format!(
                "`{id}` is completed, and only failed tasks are retried"
            ))
            .hint(hint));
        }
        Some(folder) => {
            return Err(Trouble::new(format!("`{id}` is {folder}; there is nothing to retry")));
        }
        None => return Err(no_such_task(spool, id)),
    }
    // Who runs it again does not mean an earlier `cancel` any more.
    Note::Cancel(id.clone()).take(spool.home())?;
    let pending = spool.file(Folder::Pending, id);
    let rejected = spool.rejected(id);
    if files::exists(&rejected) {
        // The drop goes back as it is by now; the report of what was wrong with it has served.
        files::rename_new(&rejected, &pending)?;
        files::remove(&spool.file(Folder::Failed, id))?;
    } else {
        files::rename_new(&spool.file(Folder::Failed, id), &pending)?;
    }
    files::sync_dir(files::parent(&pending))?;
    Ok(())
}

/// Puts one back whose result was retired; what the archive holds of it stays there.
fn bring_back(spool: &Spool, id: &TaskId) -> Result<(), Trouble> {
    let result = super::result::read_result(spool, Folder::Failed, id)?;
    let drop = result.as_object().and_then(retire::rejected_in);
    let bytes = drop.unwrap_or_else(|| TaskResult::to_bytes(&result));
    Note::Cancel(id.clone()).take(spool.home())?;
    let pending = spool.home().folder(Folder::Pending);
    let half = spool.home().tmp().join(files::half_made(&spool.file(Folder::Pending, id)));
    spool.put(&half, id, &bytes, 0o600)?;
    files::sync_dir(&pending)?;
    Ok(())
}
