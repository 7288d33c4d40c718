//! Has the owner's program run when a limit is nearly reached; work never waits for it.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::Receiver;

use super::{Engine, LINGER};
use crate::foreman::Alert;
use crate::worker::{Leash, alarm};

/// A program that was started for an alert.
pub(super) struct Ringing {
    leash: Leash,
    /// Closed when it has ended.
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Engine {
    pub(super) fn ring(&mut self, alert: &Alert) {
        let Some(argv) = self.config.on_alert.clone() else { return };
        let (leash, inherited) = (Leash::default(), Arc::clone(&self.inherited));
        let (own, variables) = (leash.clone(), variables(alert));
        let (end, ended) = crossbeam_channel::bounded(0);
        let work = move || {
            let _end = end;
            if let Err(why) = alarm::run(&argv, &variables, &inherited, &own) {
                log::warn!("{why}");
            }
        };
        self.alarms.retain(|ringing| !ringing.thread.is_finished());
        match std::thread::Builder::new().name("alarm".into()).spawn(work) {
            Ok(thread) => self.alarms.push(Ringing { leash, ended, thread }),
            Err(error) => log::warn!("the program of `on_alert` was not run: {error}"),
        }
    }

    /// Lets the programs end. Who asked koubou to stop does not wait for them long.
    pub(super) fn let_alarms_end(&mut self) {
        let soon = Instant::now() + LINGER;
        for ringing in std::mem::take(&mut self.alarms) {
            if self.stops > 0 {
                let _ = ringing.ended.recv_deadline(soon);
                ringing.leash.pull();
            }
            let _ = ringing.thread.join();
        }
    }
}

/// What the program is told.
fn variables(alert: &Alert) -> [(&'static str, String); 4] {
    let standing = alert.standing;
    [
        ("KOUBOU_ALERT_LIMIT", alert.limit.to_string()),
        ("KOUBOU_ALERT_SPENT_USD", standing.used().exact()),
        ("KOUBOU_ALERT_LIMIT_USD", standing.limit.exact()),
        ("KOUBOU_ALERT_PERCENT", standing.percent().to_string()),
    ]
}
