//! `koubou start`: the daemon, in the foreground.

use std::sync::Arc;

use sd_notify::NotifyState;

use super::{Done, Exit, Site, Ui, logger};
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
    let anew = site.clone();
    let post = Post {
        drain: args.drain,
        inherited: Site::inherited(),
        signals: signals::listen().map_err(EngineError::Thread)?,
        settings: Box::new(move || anew.config().map_err(|trouble| trouble.in_a_line())),
    };
    let mut shift = Shift { config, lock: None };
    let mut engine = Engine::open(&site.home, &shift, &post)?;
    loop {
        begin(site, &shift);
        let ending = engine.watched_by(watchdog()).run()?;
        let Some(next) = &ending.next else { return Ok(farewell(ui, &ending)) };
        (engine, shift) = follow(site, &shift, next, &post)?;
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
    logger::hide(&shift.config);
    for warning in &shift.config.warnings {
        log::warn!("{}", tame(warning));
    }
    log::info!("working {} as process {}", site.home.path().display(), std::process::id());
    tell_supervisor(&[NotifyState::Ready]);
}

/// systemd hears twice as often as it wants to that the loop goes round (`WatchdogSec=`).
fn watchdog() -> Watchdog {
    let every = sd_notify::watchdog_enabled().map(|patience| patience / 2);
    Watchdog::new(every, |sign| {
        tell_supervisor(&[match sign {
            Sign::Alive => NotifyState::Watchdog,
            Sign::Stopping => NotifyState::Stopping,
        }]);
    })
}

/// Tells whoever started us how we are, as systemd wants it (`Type=notify`).
///
/// Whoever waits for the word sees to it that it can come; the work goes on without.
fn tell_supervisor(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
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
