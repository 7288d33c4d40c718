//! When the daily maintenance is due, in the configured zone.

use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::base::clock::Timestamp;

/// The first time that `at` comes after a moment. On a day that has no such time it is as much
/// later as that day is shorter.
pub(super) fn next(after: Timestamp, at: Time, zone: &TimeZone) -> Timestamp {
    let today = after.to_zoned(zone.clone()).date();
    let days = std::iter::successors(Some(today), |day| day.tomorrow().ok());
    let times = days.take(3).filter_map(|day| zone.to_timestamp(day.to_datetime(at)).ok());
    times.into_iter().find(|time| *time > after).unwrap_or(Timestamp::MAX)
}

/// The last time that it came, at a moment or before.
pub(super) fn last(upto: Timestamp, at: Time, zone: &TimeZone) -> Timestamp {
    let today = upto.to_zoned(zone.clone()).date();
    let days = std::iter::successors(Some(today), |day| day.yesterday().ok());
    let mut times = days.take(3).filter_map(|day| zone.to_timestamp(day.to_datetime(at)).ok());
    times.find(|time| *time <= upto).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn it_comes_once_a_day_in_the_zone_of_the_home() {
        let at = Time::constant(3, 30, 0, 0);
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        let first = next(time("2026-11-26T12:00:00Z"), at, &tokyo);
        assert_eq!(first, time("2026-11-26T18:30:00Z"));
        assert_eq!(next(first, at, &tokyo), time("2026-11-27T18:30:00Z"));
        assert_eq!(last(first, at, &tokyo), first);
        assert_eq!(last(time("2026-11-26T18:29:59Z"), at, &tokyo), time("2026-11-25T18:30:00Z"));
    }

    #[test]
    fn a_day_that_lacks_the_time_is_not_left_out() {
        let at = Time::constant(2, 30, 0, 0);
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        // On 28 March 2027 the clocks go from 2 to 3.
        let spring = next(time("2027-03-27T12:00:00Z"), at, &berlin);
        assert_eq!(spring, time("2027-03-28T01:30:00Z"));
        // On 31 October half past two comes twice, and the first counts.
        let autumn = next(time("2027-10-30T12:00:00Z"), at, &berlin);
        assert_eq!(autumn, time("2027-10-31T00:30:00Z"));
        assert_eq!(next(autumn, at, &berlin), time("2027-11-01T01:30:00Z"));
    }
}
