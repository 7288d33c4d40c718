//! Hears the signals that ask the daemon to stop.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crossbeam_channel::Sender;
use signal_hook::consts::{SIGINT, SIGIO, SIGTERM, SIGXFSZ};
use signal_hook::iterator::{Handle, Signals};

use super::Message;

/// Hears signals for as long as it lives.
pub(super) struct Ears {
    handle: Handle,
}

impl Ears {
    /// Tells the engine of every SIGTERM and SIGINT.
    pub(super) fn open(to_engine: Sender<Message>) -> io::Result<Self> {
        // Asking whether a file is being written means holding a lease for an
        // instant; whoever opens the file then makes the kernel send SIGIO, which
        // would end us.
        signal_hook::flag::register(SIGIO, Arc::new(AtomicBool::new(false)))?;
        // A limit on the size of files is an error like a full disk, and no end.
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        let mut signals = Signals::new([SIGTERM, SIGINT])?;
        let handle = signals.handle();
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            for _ in signals.forever() {
                if to_engine.send(Message::Stop).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { handle })
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.handle.close();
    }
}
