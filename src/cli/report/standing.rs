//! How the budget stands at the end of what is reported: left, and where it is going.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::super::budget::Books;
use super::period::{Month, Period};
use crate::base::clock::{Timestamp, between};
use crate::mirror::MirrorError;
use crate::mirror::query::Reader;
use crate::mirror::report::Span;
use crate::task::Usd;

/// Before so much of a month is over nothing is projected from it.
const TOO_SOON: std::time::Duration = std::time::Duration::from_secs(24 * 3_600);

/// What may be spent and what was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Budget {
    /// The limit of a day as it is now.
    pub(super) daily_limit_usd: Usd,
    pub(super) alert_threshold_percent: u8,
    /// Where the day is among those that are reported.
    pub(super) today: Option<Account>,
    /// Every month that is touched, each in the whole of it.
    pub(super) months: Vec<Account>,
}

/// One day's or one month's money.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Account {
    /// `2026-11-26`, `2026-11`.
    pub(super) window: String,
    /// As it is now; of a month that is over as it was last.
    pub(super) limit_usd: Option<Usd>,
    pub(super) spent_usd: Usd,
    /// Promised to attempts under way.
    pub(super) reserved_usd: Usd,
    pub(super) left_usd: Option<Usd>,
    /// What is spent by the end, if it goes on as it did since the beginning.
    pub(super) projected_usd: Option<Usd>,
}

impl Budget {
    pub(super) fn of(
        books: &Books,
        reader: &Reader,
        period: &Period,
        spent_by_month: &[Usd],
        spent_by_day: &[Usd],
        now: Timestamp,
    ) -> Result<Self, MirrorError> {
        let mut months = Vec::new();
        for (month, spent) in period.months().iter().zip(spent_by_month) {
            months.push(of_month(books, reader, month, *spent, now)?);
        }
        let day = books.ledger.day();
        let spent = period.day_of(now).and_then(|n| spent_by_day.get(n));
        let today = spent.map(|spent| {
            let window = date(&period.zone, now);
            Account::new(window, Some(day.limit), *spent, day.reserved, None)
        });
        let alert_threshold_percent = books.ledger.alert_percent();
        Ok(Self { daily_limit_usd: day.limit, alert_threshold_percent, today, months })
    }
}

fn of_month(
    books: &Books,
    reader: &Reader,
    month: &Month,
    spent: Usd,
    now: Timestamp,
) -> Result<Account, MirrorError> {
    let window = month.year_month.clone();
    if window == books.ledger.year_month() {
        let standing = books.ledger.month();
        let projected = projected(spent, month.span, now);
        return Ok(Account::new(window, Some(standing.limit), spent, standing.reserved, projected));
    }
    let then = reader.budget(&window)?;
    // It is read with no more digits than a person could have set it with.
    let limit = then.and_then(|row| format!("{:.9}", row.budget_limit_usd).parse().ok());
    Ok(Account::new(window, limit, spent, Usd::ZERO, None))
}

impl Account {
    fn new(
        window: String,
        limit_usd: Option<Usd>,
        spent_usd: Usd,
        reserved_usd: Usd,
        projected_usd: Option<Usd>,
    ) -> Self {
        let left_usd = limit_usd.map(|limit| limit.less(spent_usd + reserved_usd));
        Self { window, limit_usd, spent_usd, reserved_usd, left_usd, projected_usd }
    }
}

/// What is spent by the end of a month, if it goes on as it did since its beginning.
fn projected(spent: Usd, month: Span, now: Timestamp) -> Option<Usd> {
    let (past, whole) = (between(month.from, now), between(month.from, month.until));
    if past < TOO_SOON || now >= month.until {
        return None;
    }
    let pico = u128::from(spent.pico()) * whole.as_millis() / past.as_millis();
    Some(Usd::from_pico(u64::try_from(pico).unwrap_or(u64::MAX)))
}

fn date(zone: &TimeZone, at: Timestamp) -> String {
    zone.to_datetime(at).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_projected_from_what_is_over_of_it() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let november = Span { from: at("2026-11-01T00:00:00Z"), until: at("2026-12-01T00:00:00Z") };
        let spent: Usd = "1.5".parse().unwrap();
        let by = |now: &str| projected(spent, november, at(now)).map(Usd::exact);
        assert_eq!(by("2026-11-11T00:00:00Z").as_deref(), Some("4.5"));
        assert_eq!(by("2026-11-01T23:00:00Z"), None, "one day says nothing");
        assert_eq!(by("2026-12-01T00:00:00Z"), None, "it is over");
    }

    #[test]
    fn nothing_is_left_of_what_is_more_than_spent() {
        let account =
            |limit| Account::new("2026-11".into(), limit, Usd::dollars(3), Usd::dollars(1), None);
        assert_eq!(account(Some(Usd::dollars(10))).left_usd, Some(Usd::dollars(6)));
        assert_eq!(account(Some(Usd::dollars(2))).left_usd, Some(Usd::ZERO));
        assert_eq!(account(None).left_usd, None, "nobody knows the limit of that month");
    }
}
