//! Whoever watches over the daemon hears from its loop that it still goes round, and that it ends.
//!
//! The word comes from the loop itself and from no thread of its own: a loop that is stuck
//! falls silent, and whoever listens can begin the daemon anew. How the word gets there is
//! not known here.

use std::fmt;
use std::time::Duration;

/// What the loop has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It goes round.
    Alive,
    /// Nothing more is begun; what runs is finished.
    Stopping,
}

/// Who wants to hear of the loop, and how often.
pub struct Watchdog {
    every: Option<Duration>,
    next: Duration,
    is_told_of_the_end: bool,
    tell: Box<dyn FnMut(Sign) + Send>,
}

impl Watchdog {
    /// The shortest time between two signs: nobody makes the loop do nothing else.
    const SHORTEST: Duration = Duration::from_millis(1);

    /// One that hears [`Sign::Alive`] this often, if at all, and once that it ends.
    pub fn new(every: Option<Duration>, tell: impl FnMut(Sign) + Send + 'static) -> Self {
        Self {
            every: every.map(|every| every.max(Self::SHORTEST)),
            next: Duration::ZERO,
            is_told_of_the_end: false,
            tell: Box::new(tell),
        }
    }

    /// Nobody.
    pub fn none() -> Self {
        Self::new(None, |_| {})
    }

    /// When it wants to hear next, on the monotonic clock.
    pub(super) fn wakes_at(&self) -> Option<Duration> {
        self.every.map(|_| self.next)
    }

    /// The loop has come round.
    pub(super) fn goes_round(&mut self, now: Duration) {
        let Some(every) = self.every.filter(|_| now >= self.next) else { return };
        self.next = now + every;
        (self.tell)(Sign::Alive);
    }

    /// The loop will end.
    pub(super) fn stops(&mut self) {
        if !std::mem::replace(&mut self.is_told_of_the_end, true) {
            (self.tell)(Sign::Stopping);
        }
    }
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog").field("every", &self.every).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};

    fn watchdog(every: Option<u64>) -> (Watchdog, Receiver<Sign>) {
        let (tell, told) = channel();
        let every = every.map(Duration::from_secs);
        (Watchdog::new(every, move |sign| tell.send(sign).unwrap()), told)
    }

    #[test]
    fn it_hears_of_the_loop_as_often_as_it_wants_and_no_more() {
        let (mut watchdog, told) = watchdog(Some(10));
        let at = Duration::from_secs;
        for second in 0..25 {
            watchdog.goes_round(at(second));
        }
        assert_eq!(told.try_iter().count(), 3, "at 0, 10 and 20");
        assert_eq!(watchdog.wakes_at(), Some(at(30)));
    }

    #[test]
    fn it_hears_once_that_the_loop_ends() {
        let (mut watchdog, told) = watchdog(None);
        watchdog.goes_round(Duration::ZERO);
        assert_eq!(watchdog.wakes_at(), None);
        watchdog.stops();
        watchdog.stops();
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [Sign::Stopping]);
    }
}
