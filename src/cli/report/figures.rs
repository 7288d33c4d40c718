//! What is counted of some tasks, and how it is added up.

use serde::Serialize;

use crate::base::words;
use crate::mirror::report::TaskLine;
use crate::task::outcome::Usage;
use crate::task::{Folder, Usd};

/// What some tasks came to, as every format shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Figures {
    pub(super) task_count: u64,
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) in_progress: u64,
    pub(super) pending: u64,
    /// Of those that have ended, to one place.
    pub(super) success_percent: Option<f64>,
    pub(super) waiting_ms: Option<Spread>,
    pub(super) running_ms: Option<Spread>,
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
    /// Of the prompt.
    pub(super) cached_tokens: u64,
    /// Of the completion.
    pub(super) reasoning_tokens: u64,
    pub(super) total_tokens: u64,
    pub(super) total_cost_usd: Usd,
    /// Attempts beyond a task's first.
    pub(super) retries: u64,
}

/// How times are spread, by nearest rank: each is one of the times themselves, the first that
/// so many per cent of them do not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Spread {
    pub(super) median: u64,
    pub(super) p90: u64,
    pub(super) p99: u64,
}

impl Spread {
    /// Of times in order.
    fn of(sorted: &[u64]) -> Option<Self> {
        let rank = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100);
            sorted.get(rank.saturating_sub(1)).copied()
        };
        Some(Self { median: rank(50)?, p90: rank(90)?, p99: rank(99)? })
    }
}

/// Figures that are being added up.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    figures: Figures,
    waiting: Vec<u64>,
    running: Vec<u64>,
}

impl Tally {
    /// Counts a task. What it used and cost is counted by its attempts.
    pub(super) fn task(&mut self, line: &TaskLine<'_>) {
        let figures = &mut self.figures;
        figures.task_count += 1;
        match Folder::from_name(line.status) {
            Some(Folder::Completed) => figures.completed += 1,
            Some(Folder::Failed) => figures.failed += 1,
            Some(Folder::InProgress) => figures.in_progress += 1,
            Some(Folder::Pending) => figures.pending += 1,
            // Only another program's word: it is a task all the same.
            None => {}
        }
        figures.retries += line.attempts.unwrap_or_default().saturating_sub(1);
        self.waiting.extend(line.waiting_ms);
        self.running.extend(line.running_ms);
    }

    /// Counts what an attempt used and cost.
    pub(super) fn attempt(&mut self, usage: &Usage, cost: Usd) {
        let figures = &mut self.figures;
        let add = |sum: &mut u64, n: u64| *sum = sum.saturating_add(n);
        add(&mut figures.prompt_tokens, usage.prompt_tokens);
        add(&mut figures.completion_tokens, usage.completion_tokens);
        add(&mut figures.cached_tokens, usage.cached_tokens);
        add(&mut figures.reasoning_tokens, usage.reasoning_tokens);
        add(&mut figures.total_tokens, usage.total_tokens);
        figures.total_cost_usd += cost;
    }

    /// All of it added up.
    pub(super) fn figures(mut self) -> (Figures, Times) {
        self.waiting.sort_unstable();
        self.running.sort_unstable();
        let ended = self.figures.completed + self.figures.failed;
        let thousandths = (self.figures.completed * 1_000 + ended / 2).checked_div(ended);
        // All is only said where it was all.
        let most = if self.figures.failed > 0 { 999 } else { 1_000 };
        let thousandths = thousandths.map(|n| n.min(most));
        let figures = Figures {
            success_percent: thousandths.map(|n| n as f64 / 10.0),
            waiting_ms: Spread::of(&self.waiting),
            running_ms: Spread::of(&self.running),
            ..self.figures
        };
        (figures, Times { waiting: self.waiting, running: self.running })
    }
}

/// Every time, in order, in milliseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    pub(super) waiting: Vec<u64>,
    pub(super) running: Vec<u64>,
}

impl Times {
    /// How many of them are below each of these bounds and no earlier one, and then how many are not.
    pub(super) fn histogram(sorted: &[u64], bounds: &[u64]) -> Vec<u64> {
        let below = bounds.iter().map(|bound| sorted.partition_point(|time| time < bound));
        let mut before = 0;
        let counts = below.chain([sorted.len()]).map(|n| {
            let count = n - before;
            before = n;
            count as u64
        });
        counts.collect()
    }
}

/// `12 ms`, `1.5 s`, `2 min 5 s`.
pub(super) fn time(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        _ => words::span(std::time::Duration::from_millis(ms)),
    }
}

/// `98.4 %`; `-` where nothing has ended.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{share:.1} %"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::report::Traits;

    fn line(status: &str, ms: Option<u64>, attempts: u64) -> TaskLine<'_> {
        TaskLine {
            task_id: "a",
            traits: Traits { task_type: "t", difficulty_level: "low", is_confidential: false },
            worker_type: None,
            status,
            error_kind: None,
            actual_tokens: 0,
            actual_cost: Usd::ZERO,
            created_at: "2026-11-23T01:00:00Z".parse().unwrap(),
            attempts: Some(attempts),
            waiting_ms: ms,
            running_ms: ms,
        }
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(Spread::of(&hundred), Some(Spread { median: 50, p90: 90, p99: 99 }));
        assert_eq!(Spread::of(&[7]), Some(Spread { median: 7, p90: 7, p99: 7 }));
        assert_eq!(Spread::of(&[1, 2]), Some(Spread { median: 1, p90: 2, p99: 2 }));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn success_is_of_what_has_ended() {
        let mut tally = Tally::default();
        for status in ["completed", "completed", "failed", "pending", "in_progress", "routing"] {
            tally.task(&line(status, Some(5), 3));
        }
        tally.task(&line("completed", None, 0));
        let (figures, times) = tally.figures();
        assert_eq!((figures.task_count, figures.completed, figures.failed), (7, 3, 1));
        assert_eq!(figures.success_percent, Some(75.0));
        assert_eq!((figures.retries, times.waiting.len()), (12, 6));
        assert_eq!(Tally::default().figures().0.success_percent, None);
    }

    #[test]
    fn a_time_counts_below_the_first_bound_that_is_above_it() {
        assert_eq!(Times::histogram(&[0, 9, 10, 99, 5_000], &[10, 100]), [2, 2, 1]);
        assert_eq!(Times::histogram(&[], &[10]), [0, 0]);
    }

    #[test]
    fn times_are_told_as_people_do() {
        let told = [0, 999, 1_500, 125_000].map(time);
        assert_eq!(told, ["0 ms", "999 ms", "1.5 s", "2 min 5 s"]);
    }
}
