//! What may be spent: no money, no order.
//!
//! The [`Ledger`] knows what was spent today and this month and what is promised
//! to attempts under way: in all, and for each worker type and each type of task
//! that has a limit of its own. A promise is a [`Reservation`], which is used up by
//! [`Ledger::settle`], [`Ledger::keep`] or [`Ledger::give_back`]; what is spent and
//! what is promised together never exceed a limit, whatever comes at once.
//!
//! A promise is made against every limit that covers it, or against none.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::base::clock::{self, Timestamp};
use crate::task::limit::{Scope, Window};
use crate::task::{Limit, Purpose, Usd};

/// What may be spent, and from when on to be careful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In a day of the configured zone.
    pub daily: Usd,
    /// In a month of the configured zone.
    pub monthly: Usd,
    /// From this share of a limit on, work that is not hard goes to local workers.
    pub alert_percent: u8,
    /// What single worker types and types of task may spend of it.
    pub others: BTreeMap<Limit, Usd>,
}

impl Limits {
    /// Another amount for one of them.
    pub fn set(&mut self, limit: &Limit, amount: Usd) {
        match (&limit.scope, limit.window) {
            (Scope::Total, Window::Day) => self.daily = amount,
            (Scope::Total, Window::Month) => self.monthly = amount,
            _ => drop(self.others.insert(limit.clone(), amount)),
        }
    }
}

/// What becomes of a task whose worker cannot be paid until a limit begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExhausted {
    /// It waits.
    #[default]
    Wait,
    /// It fails.
    Fail,
}

/// What was spent and promised in the current day and month.
#[derive(Debug)]
pub struct Ledger {
    alert_percent: u8,
    zone: TimeZone,
    today: Date,
    /// One for each limit that there is; those of the total are always there.
    accounts: BTreeMap<Limit, Account>,
    /// What was spent and promised for each purpose: a limit that is set later covers it, too.
    tallies: BTreeMap<(Purpose, Window), Account>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Account {
    limit: Usd,
    spent: Usd,
    reserved: Usd,
    /// Whether people were told that it is nearly reached.
    has_alerted: bool,
}

/// Money promised to one attempt.
#[must_use = "a promise must be settled, kept or given back"]
#[derive(Debug, PartialEq, Eq)]
pub struct Reservation {
    amount: Usd,
    day: Date,
    purpose: Purpose,
}

/// Why money was not promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is more than a whole limit, on any day.
    Never {
        /// Which limit.
        limit: Limit,
        /// How much that is.
        amount: Usd,
    },
    /// Not for now.
    NotBefore(Shortage),
}

/// A limit that has no room for an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Which limit.
    pub limit: Limit,
    /// When it begins anew: not before, unless something is given back or the limit raised.
    pub until: Timestamp,
    /// Whether there would be room but for what is promised to attempts under way.
    pub is_promised: bool,
}

impl Shortage {
    /// What whoever needs the money waits for, and what a person can do.
    pub fn in_words(&self) -> String {
        let limit = self.limit.in_words();
        match self.is_promised {
            true => format!("money of the {limit} that is promised to calls under way"),
            false => format!(
                "the {limit} is used up until {}: {} raises it",
                clock::rfc3339(self.until),
                self.limit.raised_by()
            ),
        }
    }
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
        self.limit.less(self.used())
    }

    /// What is spent or promised.
    pub fn used(&self) -> Usd {
        self.spent + self.reserved
    }

    /// The share of the limit that is spent or promised.
    pub fn percent(&self) -> u64 {
        self.used().percent_of(self.limit)
    }
}

impl Account {
    fn standing(&self) -> Standing {
        Standing { limit: self.limit, spent: self.spent, reserved: self.reserved }
    }
}

impl Ledger {
    /// An empty ledger.
    pub fn new(limits: Limits, zone: TimeZone, now: Timestamp) -> Self {
        let total = Window::ALL.map(Limit::total).into_iter().zip([limits.daily, limits.monthly]);
        let account = |limit| Account { limit, ..Account::default() };
        let accounts = limits.others.into_iter().chain(total);
        Self {
            alert_percent: limits.alert_percent,
            today: date(&zone, now),
            zone,
            accounts: accounts.map(|(limit, amount)| (limit, account(amount))).collect(),
            tallies: BTreeMap::new(),
        }
    }

    /// Writes down what was spent at `at`, in this run or an earlier one.
    pub fn record(&mut self, amount: Usd, purpose: &Purpose, at: Timestamp, now: Timestamp) {
        self.turn_the_page(now);
        let day = date(&self.zone, at);
        self.count(purpose, day, |account| account.spent += amount);
    }

    /// Writes down what somebody else has promised, whatever the limits say.
    pub fn record_promise(&mut self, amount: Usd, purpose: &Purpose, now: Timestamp) {
        self.turn_the_page(now);
        let today = self.today;
        self.count(purpose, today, |account| account.reserved += amount);
    }

    /// Writes down that people were told of a limit in an earlier run.
    pub fn record_alert(&mut self, limit: &Limit, at: Timestamp, now: Timestamp) {
        self.turn_the_page(now);
        let day = date(&self.zone, at);
        if is_in(limit.window, day, self.today)
            && let Some(account) = self.accounts.get_mut(limit)
        {
            account.has_alerted = true;
        }
    }

    /// Promises `amount`, if every limit that covers it holds.
    ///
    /// # Errors
    /// Why not, and when it may be asked for again.
    pub fn reserve(
        &mut self,
        amount: Usd,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Reservation, Refusal> {
        self.turn_the_page(now);
        if let Some(refusal) = self.why_not(amount, &purpose) {
            return Err(refusal);
        }
        let day = self.today;
        self.count(&purpose, day, |account| account.reserved += amount);
        Ok(Reservation { amount, day, purpose })
    }

    /// Promises again what an earlier run had promised at `at`, whatever the limits say: it may be
    /// spent by now.
    pub fn promise_again(
        &mut self,
        amount: Usd,
        purpose: Purpose,
        at: Timestamp,
        now: Timestamp,
    ) -> Reservation {
        self.turn_the_page(now);
        let day = date(&self.zone, at);
        self.count(&purpose, day, |account| account.reserved += amount);
        Reservation { amount, day, purpose }
    }

    /// Why `amount` would not be promised, on the day of the last entry.
    ///
    /// What only time can change goes before what is merely promised, and of that
    /// what takes longest.
    pub fn why_not(&self, amount: Usd, purpose: &Purpose) -> Option<Refusal> {
        let covering = || self.standings().filter(|(limit, _)| limit.scope.covers(purpose));
        if let Some((limit, standing)) = covering().find(|(_, s)| amount > s.limit) {
            return Some(Refusal::Never { limit: limit.clone(), amount: standing.limit });
        }
        let short = covering().filter(|(_, standing)| amount > standing.left());
        let shortages = short.map(|(limit, standing)| Shortage {
            limit: limit.clone(),
            until: self.begins_anew(limit.window),
            is_promised: amount <= standing.limit.less(standing.spent),
        });
        shortages
            .min_by_key(|short| (short.is_promised, Reverse(short.until)))
            .map(Refusal::NotBefore)
    }

    /// Uses a promise up: this much was really spent.
    pub fn settle(&mut self, promise: Reservation, actual: Usd) {
        self.count(&promise.purpose, promise.day, |account| {
            account.reserved = account.reserved.less(promise.amount);
            account.spent += actual;
        });
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

    /// Whether the alert threshold of the total is reached by what is spent.
    pub fn is_critical(&mut self, now: Timestamp) -> bool {
        self.turn_the_page(now);
        let threshold = u64::from(self.alert_percent);
        [self.day(), self.month()].iter().any(|s| s.spent.percent_of(s.limit) >= threshold)
    }

    /// The limits whose alert threshold is reached by what is spent and promised, each once in its window.
    pub fn new_alerts(&mut self, now: Timestamp) -> Vec<(Limit, Standing)> {
        self.turn_the_page(now);
        let threshold = u64::from(self.alert_percent);
        let mut alerts = Vec::new();
        for (limit, account) in &mut self.accounts {
            let standing = account.standing();
            // Of a limit of nothing, nothing can be used up.
            let is_due = standing.limit > Usd::ZERO && standing.percent() >= threshold;
            if is_due && !account.has_alerted {
                account.has_alerted = true;
                alerts.push((limit.clone(), standing));
            }
        }
        alerts
    }

    /// Another amount for a limit from now on, or one more limit, which covers what was spent before.
    pub fn set(&mut self, limit: &Limit, amount: Usd, now: Timestamp) {
        self.turn_the_page(now);
        let fresh = || {
            let is_of = |(purpose, window): &(Purpose, Window)| {
                limit.scope.covers(purpose) && *window == limit.window
            };
            let tallies = self.tallies.iter().filter(|(key, _)| is_of(key)).map(|(_, tally)| tally);
            tallies.fold(Account::default(), |sum, tally| Account {
                spent: sum.spent + tally.spent,
                reserved: sum.reserved + tally.reserved,
                ..sum
            })
        };
        self.accounts.entry(limit.clone()).or_insert_with(fresh).limit = amount;
    }

    /// From how many per cent of a limit on to be careful.
    pub fn alert_percent(&self) -> u8 {
        self.alert_percent
    }

    /// How today stands.
    pub fn day(&self) -> Standing {
        self.total(Window::Day)
    }

    /// How this month stands.
    pub fn month(&self) -> Standing {
        self.total(Window::Month)
    }

    fn total(&self, window: Window) -> Standing {
        self.accounts.get(&Limit::total(window)).copied().unwrap_or_default().standing()
    }

    /// How every limit stands.
    pub fn standings(&self) -> impl Iterator<Item = (&Limit, Standing)> {
        self.accounts.iter().map(|(limit, account)| (limit, account.standing()))
    }

    /// The types of task that have a limit of their own.
    pub fn limited_types(&self) -> impl Iterator<Item = &str> {
        self.accounts.keys().filter_map(|limit| match &limit.scope {
            Scope::TaskType(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// When the limits of a day or of a month begin anew.
    pub fn begins_anew(&self, window: Window) -> Timestamp {
        let next = match window {
            Window::Day => self.today.tomorrow(),
            Window::Month => self.today.last_of_month().tomorrow(),
        };
        let midnight = next.unwrap_or(Date::MAX).to_zoned(self.zone.clone());
        midnight.map_or(Timestamp::MAX, |zoned| zoned.timestamp())
    }

    /// This month as `2026-11`, in the configured zone.
    pub fn year_month(&self) -> String {
        self.today.strftime("%Y-%m").to_string()
    }

    /// A promise of yesterday still binds this month's accounts, and no longer today's.
    fn turn_the_page(&mut self, now: Timestamp) {
        let today = date(&self.zone, now);
        for (limit, account) in &mut self.accounts {
            if !is_in(limit.window, self.today, today) {
                *account = Account { limit: account.limit, ..Account::default() };
            }
        }
        self.tallies.retain(|(_, window), _| is_in(*window, self.today, today));
        self.today = today;
    }

    /// Counts money of this day for this purpose wherever it counts.
    fn count(&mut self, purpose: &Purpose, day: Date, mut count: impl FnMut(&mut Account)) {
        for window in Window::ALL.into_iter().filter(|window| is_in(*window, day, self.today)) {
            count(self.tallies.entry((purpose.clone(), window)).or_default());
        }
        for (limit, account) in &mut self.accounts {
            if limit.scope.covers(purpose) && is_in(limit.window, day, self.today) {
                count(account);
            }
        }
    }
}

/// Whether a day lies in the same window as today.
fn is_in(window: Window, day: Date, today: Date) -> bool {
    match window {
        Window::Day => day == today,
        Window::Month => (day.year(), day.month()) == (today.year(), today.month()),
    }
}

fn date(zone: &TimeZone, at: Timestamp) -> Date {
    zone.to_datetime(at).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::WorkerType;
    use proptest::prelude::*;

    const CENT: Usd = Usd::from_pico(10_000_000_000);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn noon() -> Timestamp {
        at("2026-11-23T12:00:00Z")
    }

    fn ledger(daily: u64, monthly: u64) -> Ledger {
        limited(daily, monthly, [])
    }

    /// A ledger that has these limits, too.
    fn limited<const N: usize>(daily: u64, monthly: u64, others: [(Limit, u64); N]) -> Ledger {
        let limits = Limits {
            daily: CENT.times(daily),
            monthly: CENT.times(monthly),
            alert_percent: 80,
            others: others.map(|(limit, cents)| (limit, CENT.times(cents))).into(),
        };
        Ledger::new(limits, TimeZone::UTC, noon())
    }

    fn of_worker(name: &str, window: Window) -> Limit {
        Limit { scope: Scope::Worker(WorkerType::new(name)), window }
    }

    fn of_type(name: &str, window: Window) -> Limit {
        Limit { scope: Scope::TaskType(name.to_owned()), window }
    }

    fn purpose(worker: &str, task_type: &str) -> Purpose {
        Purpose::new(&WorkerType::new(worker), task_type)
    }

    fn any() -> Purpose {
        Purpose::default()
    }

    fn short(limit: Limit, until: &str, is_promised: bool) -> Refusal {
        Refusal::NotBefore(Shortage { limit, until: at(until), is_promised })
    }

    #[test]
    fn a_promise_counts_before_it_is_spent() {
        let mut ledger = ledger(10, 100);
        let first = ledger.reserve(CENT.times(6), any(), noon()).unwrap();
        assert!(ledger.reserve(CENT.times(6), any(), noon()).is_err());
        ledger.settle(first, CENT);
        let second = ledger.reserve(CENT.times(6), any(), noon()).unwrap();
        assert_eq!((ledger.day().spent, ledger.day().left()), (CENT, CENT.times(3)));
        ledger.give_back(second);
        assert_eq!(ledger.day().left(), CENT.times(9));
    }

    #[test]
    fn an_unknown_outcome_costs_the_whole_promise() {
        let mut ledger = ledger(10, 100);
        let promise = ledger.reserve(CENT.times(4), any(), noon()).unwrap();
        ledger.keep(promise);
        assert_eq!(ledger.month().spent, CENT.times(4));
    }

    #[test]
    fn a_refusal_says_until_when() {
        let mut ledger = ledger(10, 15);
        let (day, month) = (Limit::total(Window::Day), Limit::total(Window::Month));
        assert_eq!(
            ledger.reserve(CENT.times(11), any(), noon()),
            Err(Refusal::Never { limit: day.clone(), amount: CENT.times(10) })
        );
        ledger.record(CENT.times(8), &any(), noon(), noon());
        assert_eq!(
            ledger.reserve(CENT.times(3), any(), noon()),
            Err(short(day, "2026-11-24T00:00:00Z", false))
        );
        ledger.record(CENT.times(7), &any(), at("2026-11-22T12:00:00Z"), noon());
        assert_eq!(
            ledger.reserve(CENT, any(), noon()),
            Err(short(month, "2026-12-01T00:00:00Z", false))
        );
    }

    #[test]
    fn a_promise_is_made_against_every_limit_that_covers_it_or_none() {
        let (cloud, report) = (of_worker("cloud", Window::Day), of_type("report", Window::Month));
        let mut ledger = limited(100, 100, [(cloud.clone(), 5), (report.clone(), 4)]);
        let first = ledger.reserve(CENT.times(3), purpose("cloud", "report"), noon()).unwrap();
        assert_eq!(
            ledger.reserve(CENT.times(2), purpose("other", "report"), noon()),
            Err(short(report.clone(), "2026-12-01T00:00:00Z", true))
        );
        assert_eq!(
            ledger.reserve(CENT.times(3), purpose("cloud", "letter"), noon()),
            Err(short(cloud.clone(), "2026-11-24T00:00:00Z", true))
        );
        assert_eq!(ledger.day().reserved, CENT.times(3), "a refusal books nothing");
        let other = ledger.reserve(CENT.times(90), purpose("other", "letter"), noon()).unwrap();
        ledger.give_back(other);
        ledger.keep(first);
        let standing = |limit: &Limit| ledger.standings().find(|(l, _)| *l == limit).unwrap().1;
        for limit in [&cloud, &report, &Limit::total(Window::Day), &Limit::total(Window::Month)] {
            assert_eq!(
                (standing(limit).spent, standing(limit).reserved),
                (CENT.times(3), Usd::ZERO)
            );
        }
    }

    #[test]
    fn what_only_time_can_change_is_told_before_what_is_merely_promised() {
        let mut ledger = limited(10, 100, [(of_type("report", Window::Month), 5)]);
        let _held = ledger.reserve(CENT.times(8), any(), noon()).unwrap();
        ledger.record(
            CENT.times(5),
            &purpose("cloud", "report"),
            at("2026-11-01T00:00:00Z"),
            noon(),
        );
        assert_eq!(
            ledger.why_not(CENT.times(3), &purpose("cloud", "report")),
            Some(short(of_type("report", Window::Month), "2026-12-01T00:00:00Z", false))
        );
    }

    #[test]
    fn people_are_told_of_each_limit_once_in_its_window() {
        let cloud = of_worker("cloud", Window::Day);
        let mut ledger = limited(10, 100, [(cloud.clone(), 5)]);
        let told = |ledger: &mut Ledger, at| -> Vec<String> {
            ledger.new_alerts(at).into_iter().map(|(limit, _)| limit.to_string()).collect()
        };
        let daily = "daily limit of worker cloud";
        let promise = ledger.reserve(CENT.times(4), purpose("cloud", "a"), noon()).unwrap();
        assert_eq!(told(&mut ledger, noon()), [daily], "what is promised counts");
        ledger.give_back(promise);
        ledger.record(CENT.times(5), &purpose("cloud", "a"), noon(), noon());
        assert!(told(&mut ledger, noon()).is_empty());
        let tomorrow = at("2026-11-24T01:00:00Z");
        ledger.record(CENT.times(4), &purpose("cloud", "a"), tomorrow, tomorrow);
        assert_eq!(told(&mut ledger, tomorrow), [daily]);
        let mut restarted = limited(10, 100, [(cloud.clone(), 5)]);
        restarted.record(CENT.times(5), &purpose("cloud", "a"), noon(), noon());
        restarted.record_alert(&cloud, at("2026-11-22T23:59:59Z"), noon());
        assert_eq!(told(&mut restarted, noon()), [daily], "that was yesterday's");
    }

    #[test]
    fn a_day_ends_at_the_configured_zones_midnight() {
        let mut ledger = ledger(1, 100);
        ledger.zone = TimeZone::get("Asia/Tokyo").unwrap();
        ledger.record(CENT, &any(), noon(), noon());
        assert!(ledger.reserve(CENT, any(), at("2026-11-23T14:59:59Z")).is_err());
        assert!(ledger.reserve(CENT, any(), at("2026-11-23T15:00:00Z")).is_ok());
    }

    #[test]
    fn a_promise_of_yesterday_is_paid_by_yesterday() {
        let mut ledger = ledger(10, 100);
        let promise = ledger.reserve(CENT.times(5), any(), noon()).unwrap();
        let tomorrow = at("2026-11-24T00:00:01Z");
        assert!(!ledger.is_critical(tomorrow));
        ledger.settle(promise, CENT.times(5));
        assert_eq!((ledger.day().spent, ledger.month().spent), (Usd::ZERO, CENT.times(5)));
        assert_eq!(ledger.month().reserved, Usd::ZERO);
    }

    #[test]
    fn eighty_per_cent_is_critical() {
        let mut ledger = ledger(10, 100);
        ledger.record(CENT.times(7), &any(), noon(), noon());
        assert!(!ledger.is_critical(noon()));
        ledger.record(CENT, &any(), noon(), noon());
        assert!(ledger.is_critical(noon()));
    }

    #[test]
    fn a_limit_that_is_set_later_covers_what_was_spent_before() {
        let mut ledger = ledger(100, 100);
        let promise = ledger.reserve(CENT.times(2), purpose("cloud", "report"), noon()).unwrap();
        ledger.record(CENT.times(3), &purpose("cloud", "letter"), noon(), noon());
        let yesterday = at("2026-11-22T12:00:00Z");
        ledger.record(CENT.times(4), &purpose("cloud", "letter"), yesterday, noon());
        ledger.record(CENT.times(50), &purpose("other", "letter"), noon(), noon());
        let cloud = of_worker("cloud", Window::Day);
        for limit in
            [cloud.clone(), of_worker("cloud", Window::Month), of_type("report", Window::Day)]
        {
            ledger.set(&limit, CENT.times(10), noon());
        }
        let spent_and_reserved: Vec<(u64, u64)> = ledger
            .standings()
            .filter(|(limit, _)| limit.scope != Scope::Total)
            .map(|(_, s)| (s.spent.pico() / CENT.pico(), s.reserved.pico() / CENT.pico()))
            .collect();
        assert_eq!(spent_and_reserved, [(3, 2), (7, 2), (0, 2)]);
        ledger.settle(promise, CENT);
        let standing = ledger.standings().find(|(limit, _)| **limit == cloud).unwrap().1;
        assert_eq!((standing.spent, standing.reserved), (CENT.times(4), Usd::ZERO));
    }

    proptest! {
        /// Whatever is asked, settled and given back in any order, on whatever day: no limit is passed.
        #[test]
        fn no_order_of_events_overspends(
            moves in proptest::collection::vec((0u8..5, 0u64..12, 0usize..3, 0usize..3), 0..200)
        ) {
            let mut ledger = limited(10, 30, [
                (of_worker("a", Window::Day), 7),
                (of_worker("a", Window::Month), 20),
                (of_worker("b", Window::Month), 15),
                (of_type("x", Window::Day), 4),
                (of_type("y", Window::Month), 12),
            ]);
            let (mut now, mut promises) = (noon(), Vec::new());
            for (what, cents, worker, task_type) in moves {
                let purpose = purpose(["a", "b", "c"][worker], ["x", "y", "z"][task_type]);
                match what {
                    0 | 1 => promises.extend(ledger.reserve(CENT.times(cents), purpose, now)),
                    2 => if let Some(promise) = promises.pop() {
                        let actual = promise.amount().min(CENT.times(cents));
                        ledger.settle(promise, actual);
                    },
                    3 => if let Some(promise) = promises.pop() { ledger.give_back(promise); },
                    _ => now = clock::later(now, std::time::Duration::from_secs(3_600 * cents)),
                }
                for (limit, standing) in ledger.standings() {
                    prop_assert!(standing.used() <= standing.limit, "{limit}: {standing:?}");
                }
            }
            for promise in promises {
                ledger.give_back(promise);
            }
            prop_assert!(ledger.standings().all(|(_, standing)| standing.reserved == Usd::ZERO));
        }
    }
}
