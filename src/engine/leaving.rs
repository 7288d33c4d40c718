//! How the daemon goes home: when somebody asks it to, for new settings, or when a drain is done.
//!
//! What runs is finished where there is time for that, and what is not is put back. Nobody waits for
//! ever, and nothing that was paid for goes unwritten.

use std::sync::Arc;
use std::time::Duration;

use super::{Ending, Engine, Message, Shift, metrics};
use crate::base::clock::{self, Now};
use crate::base::words::Count;
use crate::foreman::Event;
use crate::spool::lock::Place;
use crate::spool::notes::Note;
use crate::task::Folder;

/// How long a second request to stop waits for attempts to end.
const AT_ONCE: Duration = Duration::from_secs(8);
/// How long a first one waits for results that cannot be filed.
pub(super) const LINGER: Duration = Duration::from_secs(3);
/// How long a drain does, while none can.
const DRAIN_LINGER: Duration = Duration::from_secs(10);

impl Engine<'_> {
    /// Once: nothing more is claimed, and what runs is finished. Twice: at once.
    pub(super) fn stop(&mut self) {
        self.watchdog.stops();
        self.stops += 1;
        self.next = None;
        match self.stops {
            1 => {
                let running = self.under_way.len() as u64;
                log::info!(
                    "stopping: {} under way; a second signal puts them back at once",
                    Count(running, "task")
                );
                self.hear(Event::Stop);
            }
            _ => {
                self.give_up_at = Some(clock::mono() + AT_ONCE);
                for under_way in self.under_way.values() {
                    under_way.leash.pull();
                }
                self.call_off_clerks();
                if self.under_way.is_empty() {
                    self.give_up_at = Some(clock::mono());
                }
            }
        }
    }

    /// Whether nothing more is begun.
    pub(super) fn is_leaving(&self) -> bool {
        self.stops > 0 || self.next.is_some()
    }

    /// Settings that are wrong change nothing. With good ones the work begins anew once what is under
    /// way has ended, so that each task is done by the settings that it was routed by.
    pub(super) fn reload(&mut self) {
        if self.stops > 0 {
            return;
        }
        match (self.post.settings)() {
            Err(why) => {
                let text = format!("the new settings are wrong, and the old ones stay: {why}");
                log::error!("{text}");
                self.tell_log(log::Level::Error, None, None, &text);
            }
            Ok(config) => {
                let running = self.under_way.len() as u64;
                match running {
                    0 => log::info!("the settings are read anew, and hold from now on"),
                    1 => log::info!(
                        "the settings are read anew, and hold once the task under way has ended; nothing is begun until then"
                    ),
                    _ => log::info!(
                        "the settings are read anew, and hold once the {running} tasks under way have ended; nothing is begun until then"
                    ),
                }
                self.next = Some(Arc::new(config));
                self.hear(Event::Stop);
            }
        }
    }

    /// Nobody waits for ever for results that cannot be filed: neither who asked koubou to stop, nor
    /// who started a drain. Their tasks are safe in `in_progress`, and the next start takes them up.
    pub(super) fn do_not_linger(&mut self, now: Now) {
        let Some((since, _)) = &self.stuck else { return };
        if !self.under_way.is_empty() || self.give_up_at.is_some() {
            return;
        }
        if self.is_leaving() {
            self.give_up_at = Some(now.mono + LINGER);
        } else if self.drain {
            self.give_up_at = Some(*since + DRAIN_LINGER);
        }
    }

    /// A result was filed, or a task put back: our trouble is over.
    pub(super) fn went_on(&mut self) {
        if self.stuck.take().is_some() && self.stops == 0 {
            self.give_up_at = None;
        }
    }

    /// What a drain that gives up leaves behind: results that cannot be filed, and all in `pending`.
    pub(super) fn left_behind(&self) -> Vec<(String, u64)> {
        let Some((_, trouble)) = &self.stuck else { return Vec::new() };
        let claims = self.spool.ids(Folder::InProgress).map_or(0, |ids| ids.len() as u64);
        // Where they cannot be listed, how many there are cannot be told; that there may be some must be.
        let waiting = self.spool.waiting().map_or(1, |names| names.len() as u64);
        let waits = [
            (format!("its result cannot be filed: {trouble}"), claims),
            (format!("the end of this trouble: {trouble}"), waiting),
        ];
        waits.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    pub(super) fn is_giving_up(&self) -> bool {
        self.give_up_at.is_some()
    }

    /// Ends what the clerks are at: what their batches hold stays with the servers.
    pub(super) fn call_off_clerks(&self) {
        self.lanes.values().filter_map(|hands| hands.clerk.as_ref()).for_each(|d| d.leash.pull());
    }

    /// What still counts of what is said while everybody goes.
    pub(super) fn hear_at_the_end(&mut self, message: Message) {
        match message {
            Message::Paid(line) => self.paid(&line),
            Message::Rebuilt(result) => self.rebuilt(result),
            Message::MirrorWell => {
                self.wants_rebuild = true;
                let _ = Note::Rebuild.leave(&self.home);
            }
            _ => {}
        }
    }

    /// Lets everybody finish and go.
    pub(super) fn go_home(mut self) -> Ending {
        if self.next.is_none() {
            self.watchdog.stops();
        }
        self.asks = None;
        self.errands = None;
        self.end_daily();
        self.call_off_clerks();
        let left = if self.drain && self.is_giving_up() { self.left_behind() } else { Vec::new() };
        if self.is_giving_up() {
            // Threads that do not come back end with the process; their claims are put back here.
            self.put_everything_back();
        } else {
            let lanes = std::mem::take(&mut self.lanes);
            for thread in lanes.into_values().flat_map(|hands| {
                drop((hands.work, hands.clerk));
                hands.threads
            }) {
                let _ = thread.join();
            }
            for thread in std::mem::take(&mut self.threads) {
                // The intake goes when the watcher, which feeds it, does.
                if thread.thread().name() != Some("intake") {
                    let _ = thread.join();
                }
            }
        }
        self.let_hooks_end();
        while let Ok(message) = self.messages.try_recv() {
            self.hear_at_the_end(message);
        }
        let _ = self.journal.sync();
        self.let_rebuild_end();
        self.tell_offline();
        self.mirror.close();
        if self.next.is_none() && Note::Rebuild.stands(&self.home) {
            log::warn!("the mirror lacks what was before: the next `koubou start` makes it anew");
        }
        // What has the home's name now may be another's.
        if self.lock.place() == Place::Here {
            self.meter.close(metrics::known(&self.foreman, false));
        }
        Ending {
            waits: self.farewell.take().map_or(left, |farewell| farewell.waits),
            stopped: self.stops > 0,
            next: self.next.map(|config| Shift { config, lock: Some(self.lock) }),
        }
    }
}
