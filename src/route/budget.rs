//! What may be spent: no money, no order.
//!
//! The [`Ledger`] knows what was spent today and this month and what is promised
//! to attempts under way. A promise is a [`Reservation`], which is used up by
//! [`Ledger::settle`], [`Ledger::keep`] or [`Ledger::give_back`]; what is spent and
//! what is promised together never exceed a limit, whatever comes at once.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::base::clock::Timestamp;
use crate::task::Usd;

/// What may be spent, and from when on to be careful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In a day of the configured zone.
    pub daily: Usd,
    /// In a month of the configured zone.
    pub monthly: Usd,
    /// From this share of a limit on, work that is not hard goes to local workers.
    pub alert_percent: u8,
}

/// What was spent and promised in the current day and month.
#[derive(Debug)]
pub struct Ledger {
    limits: Limits,
    zone: TimeZone,
    today: Date,
    day: Account,
    month: Account,
}

#[derive(Clone, Copy, Debug, Default)]
struct Account {
    spent: Usd,
    reserved: Usd,
}

/// Money promised to one attempt.
#[must_use = "a promise must be settled, kept or given back"]
#[derive(Debug, PartialEq, Eq)]
pub struct Reservation {
    amount: Usd,
    day: Date,
}

/// Why money was not promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is more than a whole limit, on any day.
    Never {
        /// `daily` or `monthly`.
        which: &'static str,
        /// That limit.
        limit: Usd,
    },
    /// Not before this time, unless something is given back or a limit raised.
    NotBefore {
        /// `daily` or `monthly`.
        which: &'static str,
        /// When that limit begins anew.
        until: Timestamp,
        /// Whether it would fit but for what is promised to attempts under way.
        is_promised: bool,
    },
}

impl Reservation {
    /// How much was promised.
    pub fn amount(&self) -> Usd {
        self.amount
    }
}

/// How the money stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The limit.
    pub limit: Usd,
    /// Spent of it.
    pub spent: Usd,
    /// Promised of it.
    pub reserved: Usd,
}

impl Standing {
    /// What may still be promised.
    pub fn left(&self) -> Usd {
        self.limit.less(self.spent).less(self.reserved)
    }
}

impl Ledger {
    /// An empty ledger.
    pub fn new(limits: Limits, zone: TimeZone, now: Timestamp) -> Self {
        let today = date(&zone, now);
        Self { limits, zone, today, day: Account::default(), month: Account::default() }
    }

    /// Writes down what was spent at `at`, in this run or an earlier one.
    pub fn record(&mut self, amount: Usd, at: Timestamp, now: Timestamp) {
        self.turn_the_page(now);
        let day = date(&self.zone, at);
        self.add_spent(amount, day);
    }

    /// Promises `amount`, if all limits hold.
    ///
    /// # Errors
    /// Why not, and when it may be asked for again.
    pub fn reserve(&mut self, amount: Usd, now: Timestamp) -> Result<Reservation, Refusal> {
        self.turn_the_page(now);
        for (which, limit) in [("daily", self.limits.daily), ("monthly", self.limits.monthly)] {
            if amount > limit {
                return Err(Refusal::Never { which, limit });
            }
        }
        let fits_unpromised = |standing: Standing| amount <= standing.limit.less(standing.spent);
        if amount > self.month().left() {
            let is_promised = fits_unpromised(self.month());
            return Err(Refusal::NotBefore {
                which: "monthly",
                until: self.next_month(),
                is_promised,
            });
        }
        if amount > self.day().left() {
            let is_promised = fits_unpromised(self.day());
            return Err(Refusal::NotBefore { which: "daily", until: self.tomorrow(), is_promised });
        }
        self.day.reserved += amount;
        self.month.reserved += amount;
        Ok(Reservation { amount, day: self.today })
    }

    /// Uses a promise up: this much was really spent.
    pub fn settle(&mut self, promise: Reservation, actual: Usd) {
        self.release(&promise);
        self.add_spent(actual, promise.day);
    }

    /// Uses a promise up: what it bought is unknown, so all of it counts.
    pub fn keep(&mut self, promise: Reservation) {
        let amount = promise.amount;
        self.settle(promise, amount);
    }

    /// Uses a promise up: nothing was spent.
    pub fn give_back(&mut self, promise: Reservation) {
        self.settle(promise, Usd::ZERO);
    }

    /// Whether a limit's alert threshold is reached.
    pub fn is_critical(&mut self, now: Timestamp) -> bool {
        self.turn_the_page(now);
        let threshold = u64::from(self.limits.alert_percent);
        [self.day(), self.month()].iter().any(|s| s.spent.percent_of(s.limit) >= threshold)
    }

    /// Other limits from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// How today stands.
    pub fn day(&self) -> Standing {
        Standing { limit: self.limits.daily, spent: self.day.spent, reserved: self.day.reserved }
    }

    /// How this month stands.
    pub fn month(&self) -> Standing {
        Standing {
            limit: self.limits.monthly,
            spent: self.month.spent,
            reserved: self.month.reserved,
        }
    }

    /// This month as `2026-11`, in the configured zone.
    pub fn year_month(&self) -> String {
        self.today.strftime("%Y-%m").to_string()
    }

    /// A promise of yesterday still binds this month's account, and no longer today's.
    fn turn_the_page(&mut self, now: Timestamp) {
        let today = date(&self.zone, now);
        if today == self.today {
            return;
        }
        self.day = Account::default();
        if (today.year(), today.month()) != (self.today.year(), self.today.month()) {
            self.month = Account::default();
        }
        self.today = today;
    }

    fn release(&mut self, promise: &Reservation) {
        let (in_day, in_month) = self.covers(promise.day);
        if in_day {
            self.day.reserved = self.day.reserved.less(promise.amount);
        }
        if in_month {
            self.month.reserved = self.month.reserved.less(promise.amount);
        }
    }

    fn add_spent(&mut self, amount: Usd, day: Date) {
        let (in_day, in_month) = self.covers(day);
        if in_day {
            self.day.spent += amount;
        }
        if in_month {
            self.month.spent += amount;
        }
    }

    fn covers(&self, day: Date) -> (bool, bool) {
        let in_month = (day.year(), day.month()) == (self.today.year(), self.today.month());
        (day == self.today, in_month)
    }

    fn tomorrow(&self) -> Timestamp {
        self.midnight(self.today.tomorrow().unwrap_or(Date::MAX))
    }

    fn next_month(&self) -> Timestamp {
        self.midnight(self.today.last_of_month().tomorrow().unwrap_or(Date::MAX))
    }

    fn midnight(&self, day: Date) -> Timestamp {
        day.to_zoned(self.zone.clone()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
    }
}

fn date(zone: &TimeZone, at: Timestamp) -> Date {
    zone.to_datetime(at).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CENT: Usd = Usd::from_pico(10_000_000_000);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn noon() -> Timestamp {
        at("2026-11-23T12:00:00Z")
    }

    fn ledger(daily: u64, monthly: u64) -> Ledger {
        let limits =
            Limits { daily: CENT.times(daily), monthly: CENT.times(monthly), alert_percent: 80 };
        Ledger::new(limits, TimeZone::UTC, noon())
    }

    #[test]
    fn a_promise_counts_before_it_is_spent() {
        let mut ledger = ledger(10, 100);
        let first = ledger.reserve(CENT.times(6), noon()).unwrap();
        assert!(ledger.reserve(CENT.times(6), noon()).is_err());
        ledger.settle(first, CENT);
        let second = ledger.reserve(CENT.times(6), noon()).unwrap();
        assert_eq!((ledger.day().spent, ledger.day().left()), (CENT, CENT.times(3)));
        ledger.give_back(second);
        assert_eq!(ledger.day().left(), CENT.times(9));
    }

    #[test]
    fn an_unknown_outcome_costs_the_whole_promise() {
        let mut ledger = ledger(10, 100);
        let promise = ledger.reserve(CENT.times(4), noon()).unwrap();
        ledger.keep(promise);
        assert_eq!(ledger.month().spent, CENT.times(4));
    }

    #[test]
    fn a_refusal_says_until_when() {
        let mut ledger = ledger(10, 15);
        assert_eq!(
            ledger.reserve(CENT.times(11), noon()),
            Err(Refusal::Never { which: "daily", limit: CENT.times(10) })
        );
        ledger.record(CENT.times(8), noon(), noon());
        assert_eq!(
            ledger.reserve(CENT.times(3), noon()),
            Err(Refusal::NotBefore {
                which: "daily",
                until: at("2026-11-24T00:00:00Z"),
                is_promised: false
            })
        );
        ledger.record(CENT.times(7), at("2026-11-22T12:00:00Z"), noon());
        assert_eq!(
            ledger.reserve(CENT, noon()),
            Err(Refusal::NotBefore {
                which: "monthly",
                until: at("2026-12-01T00:00:00Z"),
                is_promised: false
            })
        );
    }

    #[test]
    fn a_day_ends_at_the_configured_zones_midnight() {
        let limits = Limits { daily: CENT, monthly: CENT.times(100), alert_percent: 80 };
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        let mut ledger = Ledger::new(limits, tokyo, noon());
        ledger.record(CENT, noon(), noon());
        assert!(ledger.reserve(CENT, at("2026-11-23T14:59:59Z")).is_err());
        assert!(ledger.reserve(CENT, at("2026-11-23T15:00:00Z")).is_ok());
    }

    #[test]
    fn a_promise_of_yesterday_is_paid_by_yesterday() {
        let mut ledger = ledger(10, 100);
        let promise = ledger.reserve(CENT.times(5), noon()).unwrap();
        let tomorrow = at("2026-11-24T00:00:01Z");
        assert!(!ledger.is_critical(tomorrow));
        ledger.settle(promise, CENT.times(5));
        assert_eq!((ledger.day().spent, ledger.month().spent), (Usd::ZERO, CENT.times(5)));
        assert_eq!(ledger.month().reserved, Usd::ZERO);
    }

    #[test]
    fn eighty_per_cent_is_critical() {
        let mut ledger = ledger(10, 100);
        ledger.record(CENT.times(7), noon(), noon());
        assert!(!ledger.is_critical(noon()));
        ledger.record(CENT, noon(), noon());
        assert!(ledger.is_critical(noon()));
    }

    proptest! {
        /// Whatever is asked, settled and given back in any order, the limits hold.
        #[test]
        fn no_order_of_events_overspends(moves in proptest::collection::vec((0u8..4, 0u64..12), 0..200)) {
            let mut ledger = ledger(10, 30);
            let mut promises = Vec::new();
            for (what, cents) in moves {
                match what {
                    0 | 1 => promises.extend(ledger.reserve(CENT.times(cents), noon())),
                    2 => if let Some(promise) = promises.pop() {
                        let actual = promise.amount().min(CENT.times(cents));
                        ledger.settle(promise, actual);
                    },
                    _ => if let Some(promise) = promises.pop() { ledger.give_back(promise); },
                }
                let day = ledger.day();
                prop_assert!(day.spent + day.reserved <= day.limit);
            }
        }
    }
}
