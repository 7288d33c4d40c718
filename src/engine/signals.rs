//! Hears the signals that ask the daemon to stop, or to take its settings anew.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crossbeam_channel::{Receiver, unbounded};
use signal_hook::consts::{SIGHUP, SIGINT, SIGIO, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// SIGTERM or Ctrl-C: to stop.
    Stop,
    /// SIGHUP: to work with the settings as they are now.
    Reload,
}

/// Hears every SIGTERM, SIGINT and SIGHUP from now on, for as long as the process lives: none is
/// lost while one engine follows another.
///
/// # Errors
/// The signals cannot be heard.
pub fn listen() -> io::Result<Receiver<Heard>> {
    // Asking whether a file is being written means holding a lease for an
    // instant; whoever opens the file then makes the kernel send SIGIO, which
    // would end us.
    signal_hook::flag::register(SIGIO, Arc::new(AtomicBool::new(false)))?;
    // A limit on the size of files is an error like a full disk, and no end.
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    let (tell, heard) = unbounded();
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            let what = if signal == SIGHUP { Heard::Reload } else { Heard::Stop };
            if tell.send(what).is_err() {
                return;
            }
        }
    })?;
    Ok(heard)
}
