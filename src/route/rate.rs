//! How fast a worker may be asked: evenly, so that no minute holds more than it may.

use std::time::Duration;

/// Spaces requests evenly on the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Pacer {
    spacing: Duration,
    next: Duration,
}

impl Pacer {
    /// At most `per_minute` requests in any 60 seconds; `None` is no limit.
    pub fn new(per_minute: Option<u32>) -> Self {
        let spacing = match per_minute {
            None => Duration::ZERO,
            // A hair more than the even share, so that a late clock cannot squeeze one more in.
            Some(n) => Duration::from_micros(60_060_000 / u64::from(n.max(1))),
        };
        Self { spacing, next: Duration::ZERO }
    }

    /// When the next request may go; in the past where it may go now.
    pub fn next(&self) -> Duration {
        self.next
    }

    /// Takes the turn at `now`.
    pub fn take(&mut self, now: Duration) {
        self.next = now + self.spacing;
    }

    /// Remembers a request of an earlier run, `ago` before `now`.
    pub fn remember(&mut self, now: Duration, ago: Duration) {
        self.next = self.next.max(now + self.spacing.saturating_sub(ago));
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
            pacer.take(now);
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
    fn unlimited_never_waits() {
        let mut pacer = Pacer::new(None);
        pacer.take(Duration::from_secs(5));
        assert_eq!(pacer.next(), Duration::from_secs(5));
    }
}
