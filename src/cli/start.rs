//! `koubou start`: the daemon, in the foreground.

use std::sync::Arc;

use super::{Done, Exit, Site, Ui, logger};
use crate::base::words::{Count, tame};
use crate::engine::{Ending, Engine};

/// Work the home: watch `tasks/pending`, run what comes, file the results
///
/// SIGTERM or Ctrl-C: claims nothing more, finishes what runs, exits. A second
/// one stops at once; what ran goes back to `pending`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// End when nothing is left to do; exit 75 where something must wait
    #[arg(long)]
    drain: bool,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    site.spool()?;
    let site = &site.resolved();
    let config = Arc::new(site.config()?);
    logger::start(&site.home, &config, ui.verbose, ui.is_quiet())?;
    let engine = Engine::open(&site.home, Arc::clone(&config), args.drain, Site::inherited())?;
    for warning in &config.warnings {
        log::warn!("{}", tame(warning));
    }
    log::info!("working {} as process {}", site.home.path().display(), std::process::id());
    let ending = engine.run()?;
    Ok(farewell(ui, &ending))
}

fn farewell(ui: &mut Ui, ending: &Ending) -> Exit {
    if ending.stopped || ending.waits.is_empty() {
        log::info!("{}", if ending.stopped { "stopped" } else { "nothing is left to do" });
        return Exit::Done;
    }
    // This is the answer to a drain, so it is told however quiet koubou is asked to be.
    for (what, count) in &ending.waits {
        ui.insist(&format!(
            "{} wait{}: {}",
            Count(*count, "task"),
            if *count == 1 { "s" } else { "" },
            tame(what)
        ));
    }
    Exit::TryLater
}
