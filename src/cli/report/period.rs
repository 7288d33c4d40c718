//! Which days a report is about, cut where the budget cuts them: at the configured zone's midnight.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::base::clock::Timestamp;
use crate::base::words::tame;
use crate::mirror::report::Span;

/// A report of more days would be no report: a hundred years and a little.
const MOST_DAYS: i32 = 36_600;

/// Some days in a row.
#[derive(Clone, Debug)]
pub(super) struct Period {
    pub(super) first: Date,
    pub(super) last: Date,
    pub(super) zone: TimeZone,
    /// When each day begins, and then when the day behind the last does.
    starts: Vec<Timestamp>,
}

/// A month that a period touches.
#[derive(Clone, Debug)]
pub(super) struct Month {
    pub(super) year_month: String,
    pub(super) span: Span,
}

impl Period {
    /// From a day to another, both of them included.
    pub(super) fn new(first: Date, last: Date, zone: TimeZone) -> Result<Self, String> {
        let days = (last - first).get_days() + 1;
        if days < 1 {
            return Err(format!("{last} is before {first}: name the earlier day first"));
        }
        if days > MOST_DAYS {
            return Err(format!("{days} days are too many for a report: choose fewer"));
        }
        let dates = std::iter::successors(Some(first), |day| day.tomorrow().ok());
        let starts = dates.take(days.unsigned_abs() as usize).map(|day| midnight(day, &zone));
        let mut starts: Vec<Timestamp> = starts.collect();
        starts.push(last.tomorrow().map_or(Timestamp::MAX, |day| midnight(day, &zone)));
        Ok(Self { first, last, zone, starts })
    }

    /// The whole month that a day is in.
    pub(super) fn month_of(day: Date, zone: TimeZone) -> Result<Self, String> {
        Self::new(day.first_of_month(), day.last_of_month(), zone)
    }

    /// The days.
    pub(super) fn days(&self) -> impl Iterator<Item = Date> + use<> {
        let dates = std::iter::successors(Some(self.first), |day| day.tomorrow().ok());
        dates.take(self.starts.len() - 1)
    }

    /// Which of the days a moment is in.
    pub(super) fn day_of(&self, at: Timestamp) -> Option<usize> {
        let n = self.starts.partition_point(|start| *start <= at);
        (1..self.starts.len()).contains(&n).then(|| n - 1)
    }

    /// The hour that a clock on the wall shows.
    pub(super) fn hour_of(&self, at: Timestamp) -> usize {
        usize::from(self.zone.to_datetime(at).hour().unsigned_abs())
    }

    /// From the first midnight to the last.
    pub(super) fn span(&self) -> Span {
        Span { from: self.starts[0], until: self.starts[self.starts.len() - 1] }
    }

    /// The months that it touches, whole.
    pub(super) fn months(&self) -> Vec<Month> {
        let next = |day: &Date| day.last_of_month().tomorrow().ok();
        std::iter::successors(Some(self.first.first_of_month()), next)
            .take_while(|day| *day <= self.last)
            .map(|day| Month {
                year_month: day.strftime("%Y-%m").to_string(),
                span: Span {
                    from: midnight(day, &self.zone),
                    until: next(&day).map_or(Timestamp::MAX, |day| midnight(day, &self.zone)),
                },
            })
            .collect()
    }
}

fn midnight(day: Date, zone: &TimeZone) -> Timestamp {
    day.to_zoned(zone.clone()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// Reads `2026-11` as the first day of that month.
pub(super) fn parse_month(text: &str) -> Result<Date, String> {
    let complaint = || format!("`{}` is no month: write it like 2026-11", tame(text));
    let is_month = text.len() == 7 && text.as_bytes()[4] == b'-';
    let day = is_month.then(|| format!("{text}-01").parse().ok()).flatten();
    day.ok_or_else(complaint)
}

/// Reads `2026-11-26`.
pub(super) fn parse_day(text: &str) -> Result<Date, String> {
    let complaint = || format!("`{}` is no day: write it like 2026-11-26", tame(text));
    let is_day = text.len() == 10;
    let day = is_day.then(|| text.parse().ok()).flatten();
    day.ok_or_else(complaint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn tokyo() -> TimeZone {
        TimeZone::get("Asia/Tokyo").unwrap()
    }

    #[test]
    fn a_day_ends_at_the_zones_midnight() {
        let period = Period::month_of(date(2026, 11, 26), tokyo()).unwrap();
        let day = |at: &str| period.day_of(at.parse().unwrap());
        assert_eq!(day("2026-10-31T14:59:59Z"), None);
        assert_eq!(day("2026-10-31T15:00:00Z"), Some(0));
        assert_eq!(day("2026-11-30T14:59:59Z"), Some(29));
        assert_eq!(day("2026-11-30T15:00:00Z"), None);
        assert_eq!(period.hour_of("2026-11-01T15:30:00Z".parse().unwrap()), 0);
        assert_eq!(period.days().count(), 30);
    }

    #[test]
    fn a_day_of_twenty_five_hours_is_one_day() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let period = Period::new(date(2026, 10, 25), date(2026, 10, 25), zone).unwrap();
        let Span { from, until } = period.span();
        assert_eq!(until.duration_since(from).as_hours(), 25);
    }

    #[test]
    fn the_months_of_a_period_are_whole() {
        let period = Period::new(date(2026, 11, 30), date(2027, 1, 1), tokyo()).unwrap();
        let months = period.months();
        let names: Vec<&str> = months.iter().map(|month| month.year_month.as_str()).collect();
        assert_eq!(names, ["2026-11", "2026-12", "2027-01"]);
        assert_eq!(months[0].span.until, months[1].span.from);
        assert!(months[0].span.from < period.span().from);
    }

    #[test]
    fn what_is_no_period_is_told_so() {
        let day = date(2026, 11, 26);
        let error = Period::new(day, day.yesterday().unwrap(), tokyo()).unwrap_err();
        assert!(error.contains("2026-11-25 is before 2026-11-26"), "{error}");
        assert!(Period::new(Date::MIN, Date::MAX, tokyo()).unwrap_err().contains("too many"));
        assert_eq!(parse_month("2026-11"), Ok(date(2026, 11, 1)));
        for bad in
            ["", "2026", "2026-13", "2026-1", "26-11-1", "2026/11", "2026-11-01", "２０２６-"]
        {
            assert!(parse_month(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_day("2026-02-28"), Ok(date(2026, 2, 28)));
        for bad in ["2026-02-30", "20260228", "2026-11", "tomorrow", ""] {
            assert!(parse_day(bad).is_err(), "{bad}");
        }
        let last = Period::new(Date::MAX, Date::MAX, TimeZone::UTC).unwrap();
        assert_eq!(last.days().count(), 1);
    }
}
