//! Tells the time, and is the only place that asks the machine for it.
//!
//! Two clocks travel together in [`Now`]: the wall clock, which people set and
//! which may jump, decides days, months and stated times; the monotonic clock
//! measures waits. All times are UTC inside.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub use jiff::Timestamp;

/// One moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// What the wall clock says; it may jump.
    pub wall: Timestamp,
    /// Time since this process first asked; it never goes back.
    pub mono: Duration,
}

impl Now {
    /// Asks both clocks.
    pub fn read() -> Self {
        Self { wall: wall(), mono: mono() }
    }

    /// The same moment, `by` later on both clocks.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self { wall: later(self.wall, by), mono: self.mono + by }
    }
}

/// What the wall clock says, to the millisecond.
#[expect(clippy::disallowed_methods, reason = "this is the one place that may ask")]
pub fn wall() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// Time since this process first asked.
pub fn mono() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// `at` moved by `by`; the end of time if that would be after it.
pub fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// How long from `start` to `end`; zero where the clock went back.
pub fn between(start: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(start)).unwrap_or_default()
}

/// RFC 3339 in UTC with milliseconds: `2026-11-23T01:02:03.456Z`.
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The wall-clock time of a file's stamp in seconds and nanoseconds.
pub fn from_file_time(seconds: i64, nanoseconds: i64) -> Timestamp {
    let nanoseconds = i32::try_from(nanoseconds).unwrap_or(0);
    Timestamp::new(seconds, nanoseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Serde for a [`Timestamp`] spelled by [`rfc3339`].
pub mod as_rfc3339 {
    use super::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the time with milliseconds.
    pub fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::rfc3339(*at))
    }

    /// Reads any RFC 3339 time.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_three_places_and_a_z() {
        let at: Timestamp = "2026-11-23T01:02:03.4567Z".parse().unwrap();
        assert_eq!(rfc3339(at), "2026-11-23T01:02:03.456Z");
    }

    #[test]
    fn a_clock_that_went_back_measures_nothing() {
        let at: Timestamp = "2026-11-23T01:02:03Z".parse().unwrap();
        assert_eq!(between(at, later(at, Duration::from_secs(2))), Duration::from_secs(2));
        assert_eq!(between(later(at, Duration::from_secs(2)), at), Duration::ZERO);
    }
}
