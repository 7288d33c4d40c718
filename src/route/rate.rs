//! How fast a worker may be asked: evenly, so that no minute holds more than it may.

use std::time::Duration;

/// Spaces what is taken evenly on the monotonic clock: requests, or the tokens in them.
#[derive(Clone, Copy, Debug)]
pub struct Pacer {
    /// How long one takes, in nanoseconds.
    each: u64,
    next: Duration,
}

impl Pacer {
    /// At most `per_minute` in any 60 seconds; `None` is no limit.
    pub fn new(per_minute: Option<u32>) -> Self {
        let each = match per_minute {
            None => 0,
            // A hair more than the even share, so that a late clock cannot squeeze one more in.
            Some(n) => 60_060_000_000 / u64::from(n.max(1)),
        };
        Self { each, next: Duration::ZERO }
    }

    /// When the next may go; in the past where it may go now.
    pub fn next(&self) -> Duration {
        self.next
    }

    /// Takes so many at `now`, whose turn it is.
    pub fn take(&mut self, now: Duration, count: u64) {
        self.next = now + self.span(count);
    }

    /// Gives back so many of those that were taken and not used.
    pub fn give_back(&mut self, count: u64) {
        self.next = self.next.saturating_sub(self.span(count));
    }

    /// Remembers one of an earlier run, `ago` before `now`.
    pub fn remember(&mut self, now: Duration, ago: Duration) {
        self.next = self.next.max(now + self.span(1).saturating_sub(ago));
    }

    fn span(&self, count: u64) -> Duration {
        Duration::from_nanos(self.each.saturating_mul(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_holds_more_than_it_may_and_little_is_wasted() {
        let mut pacer = Pacer::new(Some(10));
        let mut sent = Vec::new();
        let mut now = Duration::ZERO;
        while now < Duration::from_secs(600) {
            now = now.max(pacer.next());
            pacer.take(now, 1);
            sent.push(now);
        }
        let minute = Duration::from_secs(60);
        for start in &sent {
            assert!(sent.iter().filter(|at| *at >= start && **at < *start + minute).count() <= 10);
        }
        assert!(sent.len() >= 95, "{} of 100", sent.len());
    }

    #[test]
    fn an_earlier_run_is_remembered() {
        let mut pacer = Pacer::new(Some(6));
        pacer.remember(Duration::from_secs(1), Duration::from_secs(4));
        assert!(pacer.next() > Duration::from_secs(6) && pacer.next() < Duration::from_secs(8));
    }

    #[test]
    fn what_was_taken_and_not_used_makes_room() {
        let mut pacer = Pacer::new(Some(60_000));
        pacer.take(Duration::from_secs(9), 10_000);
        assert!(pacer.next() > Duration::from_secs(19) && pacer.next() < Duration::from_secs(20));
        pacer.give_back(9_000);
        assert!(pacer.next() > Duration::from_secs(10) && pacer.next() < Duration::from_secs(11));
    }

    #[test]
    fn unlimited_never_waits() {
        let mut pacer = Pacer::new(None);
        pacer.take(Duration::from_secs(5), 1);
        assert_eq!(pacer.next(), Duration::from_secs(5));
    }
}
