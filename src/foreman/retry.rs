//! When to try again, and how often.

use std::time::Duration;

use crate::task::Attempt;
use crate::task::journal::{BATCH_FULL, BATCH_NOT_SENT, BATCH_REFUSED};
use crate::task::outcome::NO_TOKENS_LEFT;

/// The first pause between two attempts; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(1);
/// No pause of our own choosing is longer.
const LONGEST: Duration = Duration::from_secs(60);
/// So many pauses that a server asked for, and a task has waited enough.
const MOST_RATE_LIMITED: usize = 20;

/// The pause after `failures` failures in a row: doubled each time, never less than asked for.
///
/// `salt` moves it by up to a quarter, so that tasks that failed together do not
/// come back together.
pub(super) fn pause(failures: u32, at_least: Option<Duration>, salt: u64) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST);
    let spread = doubled / 4;
    let moved = doubled + spread.mul_f64((salt % 1_000) as f64 / 1_000.0);
    moved.max(at_least.unwrap_or_default())
}

/// So often a batch may not come to be, and a task has waited enough for one.
const MOST_WITHOUT_A_BATCH: usize = 20;

/// How many of these attempts count against `max_attempts`: a pause that a server asked for does
/// not, nor that there was no batch to be had.
pub(super) fn counted<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> u32 {
    let is_none = |attempt: &Attempt| {
        ["rate_limited", BATCH_REFUSED, BATCH_NOT_SENT, BATCH_FULL]
            .contains(&attempt.outcome.as_str())
    };
    attempts.filter(|attempt| !is_none(attempt)).count() as u32
}

/// Whether a task goes without a batch from now on, after these attempts of its worker: a batch
/// with it was refused, or it has waited long enough for one that can be sent.
pub(super) fn is_done_at_once<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> bool {
    let mut waited = 0;
    for attempt in attempts {
        match attempt.outcome.as_str() {
            BATCH_REFUSED => return true,
            BATCH_NOT_SENT | BATCH_FULL => waited += 1,
            _ => {}
        }
    }
    waited >= MOST_WITHOUT_A_BATCH
}

/// Whether a task was told to wait so often that there is no point in asking again.
pub(super) fn waited_enough<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> bool {
    attempts.filter(|attempt| attempt.outcome == "rate_limited").count() >= MOST_RATE_LIMITED
}

/// How many of these attempts used up their tokens before a word was said.
pub(super) fn ran_out<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> usize {
    attempts.filter(|attempt| attempt.outcome == NO_TOKENS_LEFT).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let pauses: Vec<u64> = (1..9).map(|n| pause(n, None, 0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn what_the_server_asked_for_is_a_floor() {
        assert_eq!(pause(1, Some(Duration::from_secs(107)), 999), Duration::from_secs(107));
        assert!(pause(1, Some(Duration::ZERO), 0) >= Duration::from_secs(1));
    }

    #[test]
    fn the_spread_is_a_quarter_at_most() {
        for salt in 0..2_000 {
            assert!((1.0..1.25).contains(&pause(1, None, salt).as_secs_f64()));
        }
    }
}
