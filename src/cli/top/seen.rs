//! What `top` shows: plain data, as it was at one moment.

use std::collections::VecDeque;

use crate::base::clock::Timestamp;
use crate::cli::workers::WorkerState;
use crate::route::budget::Standing;
use crate::task::{Folder, TaskId, Usd, WorkerType};

/// What was seen at one look.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) home: String,
    pub(super) daemon: Option<Daemon>,
    pub(super) paused: bool,
    /// Nothing where the settings cannot be read.
    pub(super) money: Option<Money>,
    /// How many tasks each folder holds, in the order of [`Folder::ALL`].
    pub(super) counts: [usize; 4],
    /// Which tasks these are.
    pub(super) want: Want,
    pub(super) tasks: Vec<TaskRow>,
    pub(super) workers: Vec<WorkerRow>,
    /// What happened since the look before.
    pub(super) news: Vec<EventRow>,
    /// What could not be looked at, a sentence each.
    pub(super) troubles: Vec<String>,
    /// Whether the mirror could be read; else what it knows is missing or old.
    pub(super) has_mirror: bool,
}

/// The daemon that works the home.
#[derive(Clone, Copy, Debug)]
pub(super) struct Daemon {
    pub(super) pid: u32,
    pub(super) since: Option<Timestamp>,
}

/// How the money stands in all.
#[derive(Clone, Debug)]
pub(super) struct Money {
    pub(super) day: Standing,
    pub(super) month: Standing,
    pub(super) year_month: String,
    pub(super) alert_percent: u8,
}

/// Which tasks are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) folder: Folder,
    /// Those of all folders whose id has this in it.
    pub(super) filter: Option<String>,
}

impl Default for Want {
    fn default() -> Self {
        Self { folder: Folder::Pending, filter: None }
    }
}

impl Want {
    /// Whether an id has in it what is looked for; all have where nothing is.
    pub(super) fn covers(&self, id: &str) -> bool {
        self.filter.as_ref().is_none_or(|text| id.to_lowercase().contains(&text.to_lowercase()))
    }
}

/// A task in one of the folders.
#[derive(Clone, Debug)]
pub(super) struct TaskRow {
    pub(super) id: TaskId,
    pub(super) folder: Folder,
    pub(super) worker: Option<String>,
    /// Since when it runs, where it does.
    pub(super) since: Option<Timestamp>,
    /// What it waits for, or what became of it.
    pub(super) says: String,
}

/// A worker type, and what its hands do.
#[derive(Clone, Debug)]
pub(super) struct WorkerRow {
    pub(super) name: WorkerType,
    pub(super) state: WorkerState,
    pub(super) rate: Rate,
    pub(super) cost_today: Usd,
    pub(super) doing: Vec<Doing>,
}

/// A task in a hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doing {
    pub(super) hand: String,
    pub(super) task: TaskId,
    pub(super) since: Timestamp,
}

/// Something that happened, as `watch` words it.
#[derive(Clone, Debug)]
pub(super) struct EventRow {
    pub(super) at: Timestamp,
    pub(super) task: Option<TaskId>,
    pub(super) words: String,
    pub(super) is_bad: bool,
}

/// How much was asked of a worker in the last minute, counted by the second.
#[derive(Clone, Debug, Default)]
pub(super) struct Rate {
    /// Seconds since 1970, and the requests and tokens in them; the oldest first.
    seconds: VecDeque<(i64, u64, u64)>,
}

impl Rate {
    const MINUTE: i64 = 60;

    /// Counts requests and tokens of a moment.
    pub(super) fn count(&mut self, at: Timestamp, requests: u64, tokens: u64) {
        let second = at.as_second();
        let after = self.seconds.partition_point(|(known, ..)| *known < second);
        match self.seconds.get_mut(after).filter(|(known, ..)| *known == second) {
            Some((_, known_requests, known_tokens)) => {
                *known_requests += requests;
                *known_tokens += tokens;
            }
            None => self.seconds.insert(after, (second, requests, tokens)),
        }
        let newest = self.seconds.back().map_or(second, |(newest, ..)| *newest);
        while self.seconds.front().is_some_and(|(oldest, ..)| *oldest <= newest - Self::MINUTE) {
            self.seconds.pop_front();
        }
    }

    /// The requests and tokens of the minute before `now`.
    pub(super) fn last_minute(&self, now: Timestamp) -> (u64, u64) {
        let counted = self.seconds.iter().filter(|(second, ..)| Self::is_recent(*second, now));
        counted.fold((0, 0), |(requests, tokens), (_, more, used)| (requests + more, tokens + used))
    }

    /// In how many seconds it will be less without anything happening.
    pub(super) fn falls_in(&self, now: Timestamp) -> Option<u64> {
        let oldest = self.seconds.iter().find(|(second, ..)| Self::is_recent(*second, now));
        oldest.map(|(second, ..)| (second + Self::MINUTE - now.as_second()).max(1).unsigned_abs())
    }

    fn is_recent(second: i64, now: Timestamp) -> bool {
        second > now.as_second() - Self::MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_minute_slides() {
        let mut rate = Rate::default();
        assert_eq!(rate.falls_in(at(0)), None);
        rate.count(at(0), 1, 0);
        rate.count(at(0), 1, 100);
        rate.count(at(30), 1, 50);
        rate.count(at(10), 0, 7);
        assert_eq!(rate.last_minute(at(30)), (3, 157));
        assert_eq!(rate.falls_in(at(30)), Some(30));
        assert_eq!(rate.last_minute(at(59)), (3, 157));
        assert_eq!(rate.last_minute(at(60)), (1, 57));
        assert_eq!(rate.last_minute(at(90)), (0, 0));
        assert_eq!(rate.falls_in(at(90)), None);
        rate.count(at(500), 1, 0);
        assert_eq!(rate.seconds.len(), 1, "what is past is forgotten");
    }

    #[test]
    fn an_id_is_found_by_a_part_of_it_in_any_case() {
        let want = |text: &str| Want { filter: Some(text.into()), ..Want::default() };
        assert!(want("Voice").covers("in-voice-7") && !want("b").covers("a"));
        assert!(Want::default().covers("anything"));
    }
}
