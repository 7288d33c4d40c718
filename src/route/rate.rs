//! How fast a worker may be asked: evenly, so that no minute holds more than it may.

use std::time::Duration;

/// Spaces what is taken evenly on the monotonic clock: requests, or the tokens in them.
#[derive(Clone, Copy, Debug)]
pub struct Pacer {
    /// How long one takes, in nanoseconds.
    each: u64,
    /// How late one may be taken without the next being later for it.
    catches_up: u64,
    next: Duration,
}

/// From so many a minute on, one of them is given up so that lateness need not add up.
const MANY: u32 = 100;

impl Pacer {
    /// At most `per_minute` in any 60 seconds; `None` is no limit.
    pub fn new(per_minute: Option<u32>) -> Self {
        // A hair more than the even share, so that a late clock cannot squeeze one more in.
        let share = |n: u32| 60_060_000_000 / u64::from(n.max(1));
        let (each, catches_up) = match per_minute {
            None => (0, 0),
            // Where a late one is caught up with, a minute may hold one more than its even share.
            Some(n) if n >= MANY => (share(n - 1), share(n - 1)),
            Some(n) => (share(n), 0),
        };
        Self { each, catches_up, next: Duration::ZERO }
    }

    /// When the next may go; in the past where it may go now.
    pub fn next(&self) -> Duration {
        self.next
    }

    /// Takes so many at `now`, whose turn it is.
    pub fn take(&mut self, now: Duration, count: u64) {
        let is_a_little_late =
            now.saturating_sub(self.next) <= Duration::from_nanos(self.catches_up);
        let from = if is_a_little_late { self.next.min(now) } else { now };
        self.next = from + self.span(count);
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
    fn on_a_busy_machine_lateness_does_not_add_up() {
        let mut pacer = Pacer::new(Some(600));
        let (mut sent, mut now) = (Vec::new(), Duration::from_secs(7));
        // Each is up to 95 ms late, and never twice the same.
        for n in 0..2_000_u64 {
            now = now.max(pacer.next()) + Duration::from_millis(n * 37 % 96);
            pacer.take(now, 1);
            sent.push(now);
        }
        let minute = Duration::from_secs(60);
        let within = |start: &Duration| {
            sent.iter().filter(|at| *at >= start && **at < *start + minute).count()
        };
        let most = sent.iter().map(within).max().unwrap();
        assert!((590..=600).contains(&most), "{most}");
        assert!(within(&sent[0]) >= 590, "{}", within(&sent[0]));
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
