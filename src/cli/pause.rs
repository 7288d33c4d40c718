//! `koubou pause` and `koubou resume`: stop claiming, and go on.

use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::words;
use crate::spool::Home;
use crate::spool::notes::Note;
use crate::task::{GroupName, WorkerType};

/// Claim nothing more; what runs is finished
#[derive(clap::Args, Debug)]
pub(super) struct PauseArgs {
    /// Only this worker type
    #[arg(value_name = "WORKER")]
    worker: Option<String>,
    /// Only tasks of this group, whoever does them
    #[arg(long, value_name = "GROUP", conflicts_with = "worker")]
    group: Option<GroupName>,
}

/// Go on after a pause, or after mending what had stopped a worker
#[derive(clap::Args, Debug)]
pub(super) struct ResumeArgs {
    /// Only this worker type
    #[arg(value_name = "WORKER")]
    worker: Option<String>,
    /// Only tasks of this group, whoever does them
    #[arg(long, value_name = "GROUP", conflicts_with = "worker")]
    group: Option<GroupName>,
}

pub(super) fn pause(ui: &mut Ui, site: &Site, args: &PauseArgs) -> Done {
    site.spool()?;
    let (note, whom) = note(site, args.worker.as_deref(), args.group.as_ref())?;
    note.leave(&site.home)?;
    let resume = match (&args.group, &args.worker) {
        (Some(name), _) => site.call(&format!("resume --group {name}")),
        (None, Some(name)) => site.call(&format!("resume {name}")),
        (None, None) => site.call("resume"),
    };
    ui.say(&format!("{whom} is paused, also over a restart; {resume} lets it go on"));
    Ok(Exit::Done)
}

pub(super) fn resume(ui: &mut Ui, site: &Site, args: &ResumeArgs) -> Done {
    site.spool()?;
    let (note, whom) = note(site, args.worker.as_deref(), args.group.as_ref())?;
    lift(&note, &site.home)?;
    ui.say(&format!("{whom} goes on"));
    site.hint_if_idle(ui);
    Ok(Exit::Done)
}

/// Takes the note of a pause away.
pub(super) fn lift(note: &Note, home: &Home) -> Result<(), Trouble> {
    if !note.stands(home) {
        // The daemon hears of a note that comes and goes, and so lifts what stopped the worker itself.
        note.leave(home)?;
    }
    note.take(home)?;
    Ok(())
}

/// The note that pauses what was named, and what that is called.
fn note(
    site: &Site,
    worker: Option<&str>,
    group: Option<&GroupName>,
) -> Result<(Note, String), Trouble> {
    if let Some(name) = group {
        return Ok((Note::PauseGroup(name.clone()), format!("group `{name}`")));
    }
    let worker = known(site, worker)?;
    let whom = worker.as_ref().map_or("the workshop".to_owned(), |name| format!("worker `{name}`"));
    Ok((Note::Pause(worker), whom))
}

/// The worker type of this name, if the settings have it.
pub(super) fn known(site: &Site, name: Option<&str>) -> Result<Option<WorkerType>, Trouble> {
    let Some(name) = name else { return Ok(None) };
    let config = site.config()?;
    let worker = WorkerType::new(name);
    if config.worker(&worker).is_some() {
        return Ok(Some(worker));
    }
    let all = || config.workers.iter().map(|spec| spec.worker_type.as_str());
    let trouble = Trouble::usage(format!("there is no worker `{}`", words::tame(name)));
    Err(match words::nearest(name, all()) {
        Some(near) => trouble.hint(format!("did you mean `{near}`?")),
        None => trouble.hint(format!("there are {}", words::names(all(), "and"))),
    })
}
