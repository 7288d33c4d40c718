//! `koubou start`: the daemon, in the foreground.

use std::env;
use std::sync::Arc;

use super::doctor::place;
use super::{Done, Exit, Site, Ui, logger};
use crate::base::supervisor::{self, Supervisor};
use crate::base::words::{Count, tame};
use crate::engine::watchdog::{Sign, Watchdog};
use crate::engine::{Ending, Engine, EngineError, Post, Shift, signals};

/// Work the home: watch `tasks/pending`, run what comes, file the results
///
/// SIGTERM or Ctrl-C: claims nothing more, finishes what runs, exits. A second
/// one stops at once; what ran goes back to `pending`. SIGHUP: reads the settings
/// anew; wrong ones are told and not taken.
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
    warn_of_root(site);
    let anew = site.clone();
    let post = Post {
        drain: args.drain,
        inherited: Site::inherited(),
        signals: signals::listen().map_err(EngineError::Thread)?,
        settings: Box::new(move || anew.config().map_err(|trouble| trouble.in_a_line())),
    };
    let supervisor = Supervisor::of(|name| env::var_os(name));
    let mut shift = Shift { config, lock: None };
    let mut engine = Engine::open(&site.home, &shift, &post)?;
    loop {
        begin(site, &shift);
        tell(&supervisor, supervisor::READY);
        let ending = engine.watched_by(watchdog(&supervisor)).run()?;
        let Some(next) = &ending.next else { return Ok(farewell(ui, &ending)) };
        (engine, shift) = follow(site, &shift, next, &post)?;
    }
}

/// What root writes in another's home that one cannot work with afterwards.
fn warn_of_root(site: &Site) {
    use std::os::unix::fs::MetadataExt;
    let Ok(meta) = site.home.path().metadata() else { return };
    if rustix::process::geteuid().is_root() && meta.uid() != 0 {
        log::warn!(
            "root works a home that belongs to {}, who will not be able to write its journal and its logs then: start it as that user",
            place::user(meta.uid())
        );
    }
}

/// The next shift; where it cannot begin with the new settings the old ones stay.
fn follow<'a>(
    site: &Site,
    old: &Shift,
    next: &Shift,
    post: &'a Post,
) -> Result<(Engine<'a>, Shift), EngineError> {
    match Engine::open(&site.home, next, post) {
        Ok(engine) => Ok((engine, next.clone())),
        Err(error) => {
            log::error!("the new settings cannot be worked with, and the old ones stay: {error}");
            let old = Shift { config: Arc::clone(&old.config), lock: next.lock.clone() };
            Ok((Engine::open(&site.home, &old, post)?, old))
        }
    }
}

fn begin(site: &Site, shift: &Shift) {
    logger::follow(&shift.config);
    for warning in &shift.config.warnings {
        log::warn!("{}", tame(warning));
    }
    log::info!("working {} as process {}", site.home.path().display(), std::process::id());
}

/// systemd hears twice as often as it wants to that the loop goes round (`WatchdogSec=`).
fn watchdog(supervisor: &Supervisor) -> Watchdog {
    let every = supervisor.patience().map(|patience| patience / 2);
    let supervisor = supervisor.clone();
    Watchdog::new(every, move |sign| {
        let state = match sign {
            Sign::Alive => supervisor::ALIVE,
            Sign::Stopping => supervisor::STOPPING,
        };
        tell(&supervisor, state);
    })
}

/// Whoever waits for the word sees to it that it can come; the work goes on without.
fn tell(supervisor: &Supervisor, state: &str) {
    if let Err(error) = supervisor.tell(state) {
        log::debug!("nobody was told how the work goes: {error}");
    }
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
