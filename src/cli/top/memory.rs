//! What the journal tells, kept up with line by line: attempts under way, money, rates.

use std::collections::BTreeMap;

use super::seen::{Doing, Money, Rate};
use crate::base::clock::Timestamp;
use crate::cli::budget::Books;
use crate::config::Config;
use crate::spool::Home;
use crate::task::journal::{Line, LineKind, Replay};
use crate::task::{TaskId, Usd, WorkerType};

/// What the lines so far add up to.
#[derive(Debug, Default)]
pub(super) struct Memory {
    replay: Replay,
    rates: BTreeMap<WorkerType, Rate>,
}

impl Memory {
    /// Takes in the next line.
    pub(super) fn follow(&mut self, line: Line) {
        if let Some(worker) = &line.worker_type {
            let tokens = line.usage.as_ref().map_or(0, |usage| usage.total_tokens);
            match line.event {
                LineKind::Attempt if line.batch.is_none() => {
                    self.rates.entry(worker.clone()).or_default().count(line.at, 1, 0);
                }
                LineKind::End if line.batch_id.is_none() && tokens > 0 => {
                    self.rates.entry(worker.clone()).or_default().count(line.at, 0, tokens);
                }
                _ => {}
            }
        }
        self.replay.follow(line);
    }

    /// How the money stands by these settings.
    pub(super) fn money(&self, home: &Home, config: &Config) -> Money {
        let ledger = Books::of(&self.replay, home, config).ledger;
        Money {
            day: ledger.day(),
            month: ledger.month(),
            year_month: ledger.year_month(),
            alert_percent: ledger.alert_percent(),
        }
    }

    /// What each worker type cost since `midnight`.
    pub(super) fn costs_since(&self, midnight: Timestamp) -> BTreeMap<WorkerType, Usd> {
        let mut costs = BTreeMap::new();
        for spent in self.replay.spent.iter().filter(|spent| spent.at >= midnight) {
            if let Some(worker) = &spent.purpose.worker_type {
                *costs.entry(worker.clone()).or_insert(Usd::ZERO) += spent.amount;
            }
        }
        costs
    }

    /// How much was asked of a worker type in the last minute.
    pub(super) fn rate(&self, worker: &WorkerType) -> Rate {
        self.rates.get(worker).cloned().unwrap_or_default()
    }

    /// What the hands of each worker type are at, the longest first. Of a daemon that died, this
    /// is what it was at.
    pub(super) fn doing(&self) -> BTreeMap<WorkerType, Vec<Doing>> {
        let mut doing: BTreeMap<WorkerType, Vec<Doing>> = BTreeMap::new();
        for (worker, this) in self.replay.open.values().filter_map(in_hand) {
            doing.entry(worker.clone()).or_default().push(this);
        }
        for doing in doing.values_mut() {
            doing.sort_by(|one, other| (one.since, &one.task).cmp(&(other.since, &other.task)));
        }
        doing
    }

    /// Which hand is at a task.
    pub(super) fn doing_of(&self, task: &TaskId) -> Option<Doing> {
        let mut open = self.replay.open.values();
        let line = open.find(|line| line.task.as_ref() == Some(task))?;
        in_hand(line).map(|(_, doing)| doing)
    }

    /// What a task in `in_progress` that no hand has waits for, as far as the journal knows.
    pub(super) fn waits_elsewhere(&self, task: &TaskId) -> Option<&'static str> {
        let mut open = self.replay.open.values();
        match () {
            () if self.replay.families.contains_key(task) => Some("its subtasks"),
            () if open.any(|line| line.batch.is_some() && line.task.as_ref() == Some(task)) => {
                Some("its batch")
            }
            () => None,
        }
    }
}

/// What a hand is at, by the line that says that it began; a batch is in none.
fn in_hand(line: &Line) -> Option<(&WorkerType, Doing)> {
    let (worker, task) = line.worker_type.as_ref().zip(line.task.clone())?;
    let hand = line.worker_id.clone().unwrap_or_default();
    line.batch.is_none().then_some((worker, Doing { hand, task, since: line.at }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::outcome::Usage;

    fn line(event: LineKind, at: &str, task: &str) -> Line {
        Line {
            worker_type: Some(WorkerType::new("w")),
            worker_id: Some("w-1".into()),
            attempt: Some(format!("{task}/1")),
            ..Line::new(event, at.parse().unwrap()).of(&task.parse().unwrap())
        }
    }

    #[test]
    fn an_attempt_is_under_way_until_its_end_and_then_counts() {
        let mut memory = Memory::default();
        memory.follow(line(LineKind::Attempt, "2026-11-26T01:00:02Z", "b"));
        memory.follow(line(LineKind::Attempt, "2026-11-26T01:00:01Z", "a"));
        let worker = WorkerType::new("w");
        let ids = |memory: &Memory| -> Vec<String> {
            let doing = memory.doing();
            doing[&worker].iter().map(|doing| doing.task.to_string()).collect()
        };
        assert_eq!(ids(&memory), ["a", "b"]);
        memory.follow(Line {
            cost_usd: Some(Usd::dollars(2)),
            usage: Some(Usage { total_tokens: 70, ..Usage::default() }),
            outcome: Some("completed".into()),
            ..line(LineKind::End, "2026-11-26T01:00:05Z", "a")
        });
        assert_eq!(ids(&memory), ["b"]);
        let now = "2026-11-26T01:00:30Z".parse().unwrap();
        assert_eq!(memory.rate(&worker).last_minute(now), (2, 70));
        let costs = |midnight: &str| memory.costs_since(midnight.parse().unwrap());
        assert_eq!(costs("2026-11-26T00:00:00Z")[&worker], Usd::dollars(2));
        assert!(costs("2026-11-27T00:00:00Z").is_empty());
    }

    #[test]
    fn what_is_in_a_batch_is_in_no_hand() {
        let mut memory = Memory::default();
        let batched = Line {
            batch: Some("m".into()),
            ..line(LineKind::Attempt, "2026-11-26T01:00:00Z", "a")
        };
        memory.follow(batched);
        assert!(memory.doing().is_empty());
        assert_eq!(memory.waits_elsewhere(&"a".parse().unwrap()), Some("its batch"));
        assert_eq!(memory.waits_elsewhere(&"b".parse().unwrap()), None);
    }
}
