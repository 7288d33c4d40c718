//! The ground that the daemon works on: its folders, how it hears of them, and the room on their disk.
//!
//! Folders that somebody takes away are made anew; a home that was moved away is not made twice.

use std::time::Duration;

use crossbeam_channel::Sender;

use super::intake::Ask;
use super::{Engine, EngineError, Message, POLL, lanes};
use crate::base::clock::Now;
use crate::base::{files, words};
use crate::foreman::Event;
use crate::spool::lock::Place;
use crate::spool::watch::{Glimpse, Watch, WatchError};
use crate::spool::{self, Home};

/// How often the room on the disk is looked at while work comes.
const LOOK_FOR_ROOM: Duration = Duration::from_secs(1);

impl Engine<'_> {
    /// Looks at the folders where no event tells of them, and tries whether one would by now.
    pub(super) fn poll(&mut self) {
        if spool::watch::blind_spot(&self.home).is_none() {
            self.watch_anew();
        }
        self.ask(Ask::Glimpse(Glimpse::Everything));
        self.read_notes();
    }

    /// Makes folders anew that somebody took away; a home that was moved away is not made twice.
    pub(super) fn mend_home(&mut self) {
        let place = self.lock.place();
        if let Place::Moved(to) = place {
            return self.lose_home(EngineError::Moved { from: self.home.path().to_owned(), to });
        }
        match self.home.mend() {
            Ok(made) => {
                for path in made {
                    log::warn!("`{}` was taken away and is made anew", path.display());
                }
            }
            Err(error) => return log::error!("{}", lanes::sentence(&error)),
        }
        if place == Place::Removed
            && let Err(error) = self.lock.take_anew(&self.home)
        {
            self.lose_home(error.into());
        }
    }

    /// Ends what runs and files nothing more: what has the home's name now is not ours.
    pub(super) fn lose_home(&mut self, why: EngineError) {
        if self.lost.is_none() {
            self.lost = Some(why);
            self.stops = self.stops.max(1);
            self.stop();
        }
    }

    /// Watches the folders that now have the names of those that were watched.
    pub(super) fn watch_anew(&mut self) {
        let Some(asks) = &self.asks else { return };
        self.watch = watch(&self.home, asks.clone(), self.to_me.clone()).ok();
    }

    /// Nothing is claimed while the disk has less room than `min_free_bytes`.
    pub(super) fn look_for_room(&mut self) {
        let now = Now::read();
        if now.mono.saturating_sub(self.room.0) < LOOK_FOR_ROOM && self.room.0 > Duration::ZERO {
            return;
        }
        self.room.0 = now.mono;
        let wanted = self.config.min_free_bytes;
        // A disk that cannot say how full it is is not taken for full.
        let free = files::free_bytes(self.home.path()).unwrap_or(u64::MAX);
        let enough = free >= wanted;
        if enough == self.room.1 {
            return;
        }
        self.room.1 = enough;
        let text = match enough {
            true => "the disk has room again".to_owned(),
            false => format!(
                "the disk has {} left, and `min_free_bytes` is {}: nothing more is claimed until there is room",
                words::bytes(free),
                words::bytes(wanted)
            ),
        };
        log::log!(if enough { log::Level::Info } else { log::Level::Error }, "{text}");
        for order in self.foreman.learn(Event::Room(enough), now) {
            self.carry_out(order);
        }
    }
}

/// The watch of a start; without one, koubou says so once and lists the folders instead.
pub(super) fn first_watch(
    home: &Home,
    asks: &Sender<Ask>,
    to_engine: &Sender<Message>,
) -> Option<Watch> {
    if let Some(kind) = spool::watch::blind_spot(home) {
        log::warn!(
            "the home lies on {kind}, where drops from elsewhere cause no event: the folders are listed every {}; \
             let no second machine work it",
            words::span(POLL)
        );
        return None;
    }
    watch(home, asks.clone(), to_engine.clone())
        .inspect_err(|error| {
            log::warn!(
                "{error}: {}; the folders are listed every {} instead",
                error.source,
                words::span(POLL)
            );
        })
        .ok()
}

/// Watches the folders: tasks are the intake's, notes and results are the engine's.
fn watch(home: &Home, asks: Sender<Ask>, to_engine: Sender<Message>) -> Result<Watch, WatchError> {
    Watch::start(home, move |glimpse| {
        // A closed channel means that the daemon is going home.
        let _ = match &glimpse {
            Glimpse::Pending(_) => asks.send(Ask::Glimpse(glimpse)).is_ok(),
            Glimpse::Everything => {
                to_engine.send(Message::Glimpse(glimpse.clone())).is_ok()
                    && asks.send(Ask::Glimpse(glimpse)).is_ok()
            }
            Glimpse::Note(_)
            | Glimpse::Ended(..)
            | Glimpse::Claim(_)
            | Glimpse::Journal
            | Glimpse::Told
            | Glimpse::Replaced => to_engine.send(Message::Glimpse(glimpse)).is_ok(),
        };
    })
}
