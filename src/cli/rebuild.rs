//! `koubou rebuild`: makes the mirror anew from the folders, the archive and the journal.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::process;
use crate::base::words::{Count, tame};
use crate::engine;
use crate::spool::notes::Note;
use crate::spool::watch::Watch;

/// How long after it has the home a daemon has not said who it is, at most.
const SOON: Duration = Duration::from_millis(50);

/// Make the database anew from the folders, the archive and the journal
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

pub(super) fn run(ui: &mut Ui, site: &Site, _args: &Args) -> Done {
    site.spool()?;
    if ask_the_daemon(site, &Note::Rebuild)? {
        ui.say("the daemon has made the mirror anew");
        return Ok(Exit::Done);
    }
    let config = Arc::new(site.config()?);
    let mut progress = ui.progress_of("tasks");
    let anew = engine::rebuild(&site.home, &config, &mut |done, left| progress.show(done, left))?;
    drop(progress);
    for damage in &anew.damages {
        ui.warn(damage);
    }
    ui.say(&format!("made the mirror anew: {}", Count(anew.tasks, "task")));
    Ok(Exit::Done)
}

/// Leaves a note, and waits until the daemon takes it away; `false` where there is no daemon, or
/// where it has ended before it came to it.
pub(super) fn ask_the_daemon(site: &Site, note: &Note) -> Result<bool, Trouble> {
    let Some(daemon) = site.daemon() else { return Ok(false) };
    let (tell, told) = mpsc::channel();
    let ended = tell.clone();
    let _watch = Watch::start(&site.home, move |_| {
        let _ = tell.send(());
    })
    .map_err(|error| Trouble::new(error.to_string()))?;
    note.refused(&site.home);
    note.leave(&site.home)?;
    // No event tells of the end of one that was killed.
    let is_guarded = process::when_over(daemon, move || {
        let _ = ended.send(());
    });
    while note.stands(&site.home) {
        if site.daemon() != Some(daemon) {
            note.take(&site.home)?;
            return Ok(false);
        }
        // Who has not yet said who it is says so in a moment.
        let news = if is_guarded { told.recv().is_ok() } else { told.recv_timeout(SOON).is_ok() };
        if is_guarded && !news {
            break;
        }
    }
    match note.refused(&site.home) {
        Some(why) => Err(Trouble::new(format!("the daemon could not do it: {}", tame(&why)))),
        None => Ok(true),
    }
}
