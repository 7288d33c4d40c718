//! `koubou rebuild`: makes the mirror anew from the folders, the archive and the journal.

use std::sync::Arc;
use std::sync::mpsc;

use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::words::Count;
use crate::engine;
use crate::spool::notes::Note;
use crate::spool::watch::Watch;

/// Make the database anew from the folders, the archive and the journal
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

pub(super) fn run(ui: &mut Ui, site: &Site, _args: &Args) -> Done {
    site.spool()?;
    if site.daemon().is_some() {
        ask_the_daemon(site, &Note::Rebuild)?;
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

/// Leaves a note, and waits until the daemon takes it away.
pub(super) fn ask_the_daemon(site: &Site, note: &Note) -> Result<(), Trouble> {
    let (tell, told) = mpsc::channel();
    let _watch = Watch::start(&site.home, move |_| {
        let _ = tell.send(());
    })
    .map_err(|error| Trouble::new(error.to_string()))?;
    note.leave(&site.home)?;
    while note.stands(&site.home) {
        if site.daemon().is_none() {
            note.take(&site.home)?;
            return Err(Trouble::new("the daemon went away meanwhile").hint("run it again"));
        }
        if told.recv().is_err() {
            break;
        }
    }
    Ok(())
}
