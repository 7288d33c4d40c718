//! The daemon's own daily maintenance: in a thread of its own, so that it holds up nobody.
//!
//! The wall clock says when it is due, and is asked anew each time that the engine wakes, so that a
//! jump of the clock delays it by a minute at most. A time that passed while no daemon ran is
//! made good at the next start. Who goes home does not wait for it: it can be cut short anywhere.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::civil::Time;

use super::{
    MaintainError, Manner, MirrorDeed, Report, last_time, maintain, newly_archived, oldest_kept,
    schedule,
};
use crate::base::clock::{self, Now, Timestamp};
use crate::base::words::{Count, bytes};
use crate::engine::lanes::sentence;
use crate::engine::{Engine, Message, database};
use crate::mirror::compact::Compacted;
use crate::spool::archive::KeepError;
use crate::spool::notes::Note;
use crate::task::fact::Fact;

/// What a thread found out that maintained the home.
#[derive(Debug)]
pub(in crate::engine) enum Maintained {
    /// The home is done, and the mirror is to follow with these facts.
    Home(Vec<Fact>),
    /// It could not be maintained: why.
    Failed(String),
    /// The mirror is done.
    Mirror(Result<Compacted, String>),
}

/// When it is due, and whether it runs.
#[derive(Debug, Default)]
pub(in crate::engine) struct Daily {
    at: Option<Time>,
    due: Option<Timestamp>,
    runs: bool,
    /// Tells the thread to end early.
    is_over: Arc<AtomicBool>,
}

impl Engine<'_> {
    /// Sets the clock for the daily maintenance. A drain goes home too soon for one.
    pub(in crate::engine) fn set_daily(&mut self) {
        let Some(at) = self.config.maintain_at.filter(|_| !self.drain) else { return };
        let now = clock::wall();
        let zone = &self.config.timezone;
        let was_missed =
            last_time(&self.home).is_some_and(|last| last < schedule::last(now, at, zone));
        self.daily.at = Some(at);
        self.daily.due = Some(if was_missed { now } else { schedule::next(now, at, zone) });
    }

    /// When to wake for it.
    pub(in crate::engine) fn daily_wakes_at(&self, now: Now) -> Option<Duration> {
        let due = self.daily.due.filter(|_| !self.daily.runs && self.stops == 0)?;
        Some(now.mono + clock::between(now.wall, due))
    }

    /// Begins it, if it is time.
    pub(in crate::engine) fn maintain_if_due(&mut self) {
        let now = clock::wall();
        let Some(at) = self.daily.at.filter(|_| !self.daily.runs && self.stops == 0) else {
            return;
        };
        let next = schedule::next(now, at, &self.config.timezone);
        if self.daily.due.is_none_or(|due| due > now) {
            // A clock that was set back must not put it off for days.
            self.daily.due = self.daily.due.map(|due| due.min(next));
            return;
        }
        self.daily.due = Some(next);
        let (home, config) = (self.home.clone(), Arc::clone(&self.config));
        let is_over = Arc::clone(&self.daily.is_over);
        self.in_a_thread(move || {
            let manner = Manner {
                is_dry: false,
                is_over: &|| is_over.load(Ordering::Relaxed),
                progress: &mut |_, _| {},
            };
            match maintain(&home, &config, now, manner) {
                Ok(report) => {
                    tell(&report);
                    let spool = crate::spool::Spool::new(home.clone());
                    Maintained::Home(newly_archived(&spool, &database(&config, &home)))
                }
                Err(MaintainError::Keep(KeepError::File(error)) | MaintainError::File(error)) => {
                    Maintained::Failed(sentence(&error))
                }
                Err(MaintainError::Keep(KeepError::Busy)) => Maintained::Home(Vec::new()),
            }
        });
    }

    /// Somebody else has maintained the home, and the mirror is to follow.
    pub(in crate::engine) fn compact_mirror(&mut self) {
        if self.daily.runs {
            // Its own end is near, and takes the note away, too.
            return;
        }
        let spool = Arc::clone(&self.spool);
        let database = database(&self.config, &self.home);
        self.in_a_thread(move || Maintained::Home(newly_archived(&spool, &database)));
    }

    fn in_a_thread(&mut self, work: impl FnOnce() -> Maintained + Send + 'static) {
        let to_me = self.to_me.clone();
        let work = move || {
            // Whoever waits for the end must hear of one.
            let done = catch_unwind(AssertUnwindSafe(work));
            let done = done.unwrap_or_else(|_| Maintained::Failed("it panicked".to_owned()));
            drop(to_me.send(Message::Maintained(done)));
        };
        match std::thread::Builder::new().name("maintain".into()).spawn(work) {
            // Nobody waits for it: it can be cut short anywhere.
            Ok(_) => self.daily.runs = true,
            Err(error) => {
                log::warn!("a thread to maintain the home could not be begun: {error}");
                self.drop_note(&Note::Compact);
            }
        }
    }

    /// Goes on where a thread has come to its end.
    pub(in crate::engine) fn maintained(&mut self, maintained: Maintained) {
        match maintained {
            Maintained::Home(facts) => {
                for fact in facts {
                    self.mirror.tell(fact);
                }
                let before = oldest_kept(&self.config, clock::wall());
                let to_me = self.to_me.clone();
                self.mirror.compact(before, move |result| {
                    drop(to_me.send(Message::Maintained(Maintained::Mirror(result))));
                });
            }
            Maintained::Failed(why) => {
                log::warn!("the home was not maintained: {why}; `koubou maintain` tries it again");
                self.daily.runs = false;
                self.drop_note(&Note::Compact);
            }
            Maintained::Mirror(result) => {
                match result {
                    Ok(compacted) => tell_of_mirror(&compacted.into()),
                    Err(why) => {
                        let _ = Note::Compact.refuse(&self.home, &why);
                        log::warn!(
                            "the mirror was not made smaller: {why}; `koubou maintain` tries it again"
                        );
                    }
                }
                self.daily.runs = false;
                self.drop_note(&Note::Compact);
            }
        }
    }

    /// Who goes home does not wait for it.
    pub(in crate::engine) fn end_daily(&self) {
        self.daily.is_over.store(true, Ordering::Relaxed);
    }
}

/// Says in the log what was done.
fn tell(report: &Report) {
    log::info!(
        "maintained the home: {} {}, {} of logs, {}",
        Count(report.retired, "old result"),
        if report.retire == "delete" { "deleted" } else { "archived" },
        Count(report.logs.len() as u64, "file"),
        Count(report.leftovers, "leftover"),
    );
    for month in &report.journal {
        log::info!("packed {}, of {}", month.file, bytes(month.bytes));
    }
    for kept in &report.kept_because {
        log::info!(task:% = kept.task_id; "its old result stays: {}", kept.why);
    }
    for damage in &report.damages {
        log::warn!("{damage}");
    }
    for why in &report.failed {
        log::warn!("not all was maintained: {why}; `koubou maintain` tries it again");
    }
}

fn tell_of_mirror(deed: &MirrorDeed) {
    let MirrorDeed { log_lines, bytes_before, bytes_after, kept_as_it_is } = deed;
    log::debug!(
        "the mirror: {} removed, from {} to {}",
        Count(*log_lines, "log line"),
        bytes(*bytes_before),
        bytes(*bytes_after)
    );
    if let Some(why) = kept_as_it_is {
        log::warn!("the mirror's free room is not given back: {why}");
    }
}
