//! What the journal tells of money: its limits, what is promised, and what was spent on each day.
//!
//! [`Till::hear`] is to be told every line, in their order. What it adds up to is what a
//! [`Replay`](super::journal::Replay) of the same lines says of money; but it keeps no line, reads
//! most of them by their [`outline`](super::outline) alone, and adds up at once what was spent on the
//! same day for the same purpose, so that a long journal costs little.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::journal::{Line, LineKind, Spending};
use super::outline::{Outliner, is_no_money};
use super::{Limit, Purpose, Usd, WorkerType};
use crate::base::clock::Timestamp;

/// Adds up money.
#[derive(Debug)]
pub struct Till {
    /// The limits that were set, each as it was last.
    pub limits: BTreeMap<Limit, Usd>,
    zone: TimeZone,
    outliner: Outliner,
    /// The moment that was last looked up in the calendar, with its day.
    day: (Timestamp, Date),
    purposes: Purposes,
    /// Attempts that began and of whose end nothing is known, by their mark.
    open: HashMap<String, Promise>,
    /// What was spent on a day for a purpose, and a moment of that day.
    spent: HashMap<(Date, usize), (Timestamp, Usd)>,
}

#[derive(Clone, Copy, Debug)]
struct Promise {
    amount: Usd,
    purpose: usize,
}

impl Till {
    /// An empty one, for the days of a zone.
    pub fn new(zone: TimeZone) -> Self {
        let day = (Timestamp::UNIX_EPOCH, zone.to_datetime(Timestamp::UNIX_EPOCH).date());
        Self {
            limits: BTreeMap::new(),
            zone,
            outliner: Outliner::default(),
            day,
            purposes: Purposes::default(),
            open: HashMap::new(),
            spent: HashMap::new(),
        }
    }

    /// Takes in the next line. One that cannot be read counts for nothing.
    pub fn hear(&mut self, line: &[u8]) {
        if is_no_money(line) {
            return;
        }
        let Some(seen) = self.outliner.read(line) else {
            return serde_json::from_slice(line).map_or((), |line| self.follow(&line));
        };
        let names = (seen.worker_type, seen.task_type);
        match seen.event {
            LineKind::Attempt => self.begin(seen.attempt, names, seen.reserved_usd),
            LineKind::End => {
                self.end(seen.attempt, names, seen.cost_usd, seen.started_at.unwrap_or(seen.at));
            }
            _ => {}
        }
    }

    fn follow(&mut self, line: &Line) {
        let mark = line.attempt.as_deref();
        let names = (line.worker_type.as_ref().map(WorkerType::as_str), line.task_type.as_deref());
        match line.event {
            LineKind::Attempt => self.begin(mark, names, line.reserved_usd),
            LineKind::End => {
                self.end(mark, names, line.cost_usd, line.started_at.unwrap_or(line.at));
            }
            LineKind::Limits => self.limits.extend(line.limits()),
            _ => {}
        }
    }

    fn begin(&mut self, mark: Option<&str>, names: Names<'_>, reserved: Option<Usd>) {
        let Some(mark) = mark else { return };
        let purpose = self.purposes.number(names);
        let promise = Promise { amount: reserved.unwrap_or_default(), purpose };
        self.open.insert(mark.to_owned(), promise);
    }

    fn end(&mut self, mark: Option<&str>, names: Names<'_>, cost: Option<Usd>, began: Timestamp) {
        let begun = mark.and_then(|mark| self.open.remove(mark));
        let Some(amount) = cost.filter(|cost| *cost > Usd::ZERO) else { return };
        let purpose = self.purposes.completed(names, begun.map(|promise| promise.purpose));
        let key = (self.day_of(began), purpose);
        self.spent.entry(key).or_insert((began, Usd::ZERO)).1 += amount;
    }

    fn day_of(&mut self, at: Timestamp) -> Date {
        if self.day.0 != at {
            self.day = (at, self.zone.to_datetime(at).date());
        }
        self.day.1
    }

    /// What is promised to attempts of whose end nothing is known.
    pub fn promised(&self) -> impl Iterator<Item = (Usd, &Purpose)> {
        self.open.values().map(|promise| (promise.amount, &self.purposes.all[promise.purpose]))
    }

    /// What was spent: one amount for each day and purpose, and a moment of that day.
    pub fn spent(&self) -> impl Iterator<Item = Spending> {
        self.spent.iter().map(|((_, purpose), (at, amount))| Spending {
            at: *at,
            amount: *amount,
            purpose: self.purposes.all[*purpose].clone(),
        })
    }
}

/// The names of a purpose: the worker's type and the task's.
type Names<'a> = (Option<&'a str>, Option<&'a str>);

/// Every purpose that was named, by a number: most are named very often.
#[derive(Debug, Default)]
struct Purposes {
    all: Vec<Purpose>,
    numbers: BTreeMap<Purpose, usize>,
}

/// So many purposes are looked through one by one, before one is made to look for.
const FEW: usize = 32;

impl Purposes {
    fn number(&mut self, names: Names<'_>) -> usize {
        if let Some(known) = self.all.iter().take(FEW).position(|known| names_of(known) == names) {
            return known;
        }
        let (worker_type, task_type) = names;
        let purpose = Purpose {
            worker_type: worker_type.map(WorkerType::new),
            task_type: task_type.map(str::to_owned),
        };
        *self.numbers.entry(purpose).or_insert_with_key(|purpose| {
            self.all.push(purpose.clone());
            self.all.len() - 1
        })
    }

    /// What an attempt was for: what its end does not say, its beginning may.
    fn completed(&mut self, (worker_type, task_type): Names<'_>, begun: Option<usize>) -> usize {
        match begun.filter(|_| worker_type.is_none() || task_type.is_none()) {
            None => self.number((worker_type, task_type)),
            Some(begun) => {
                let begun = self.all[begun].clone();
                let names = names_of(&begun);
                self.number((worker_type.or(names.0), task_type.or(names.1)))
            }
        }
    }
}

fn names_of(purpose: &Purpose) -> Names<'_> {
    (purpose.worker_type.as_ref().map(WorkerType::as_str), purpose.task_type.as_deref())
}

#[cfg(test)]
mod tests {
    use super::super::journal::Replay;
    use super::*;
    use crate::task::limit::{Scope, Window};
    use proptest::prelude::*;

    fn line(event: LineKind, mark: &str, reserved: Option<&str>, cost: Option<&str>) -> Line {
        let at: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let usd = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        Line {
            attempt: Some(mark.into()),
            worker_type: Some(WorkerType::new("w")),
            task_type: Some("general".into()),
            reserved_usd: usd(reserved),
            cost_usd: usd(cost),
            ..Line::new(event, at).of(&"x".parse().unwrap())
        }
    }

    /// What was spent on each day and for what, what is promised, and the limits.
    type Sums = (BTreeMap<(Date, Purpose), Usd>, BTreeMap<Purpose, Usd>, BTreeMap<Limit, Usd>);

    fn zone() -> TimeZone {
        TimeZone::get("Asia/Kolkata").unwrap()
    }

    fn sums(
        spent: impl Iterator<Item = Spending>,
        promised: impl Iterator<Item = (Usd, Purpose)>,
        limits: &BTreeMap<Limit, Usd>,
    ) -> Sums {
        let (mut by_day, mut promises) = (BTreeMap::new(), BTreeMap::new());
        for Spending { at, amount, purpose } in spent {
            let day = zone().to_datetime(at).date();
            *by_day.entry((day, purpose)).or_insert(Usd::ZERO) += amount;
        }
        for (amount, purpose) in promised {
            *promises.entry(purpose).or_insert(Usd::ZERO) += amount;
        }
        (by_day, promises, limits.clone())
    }

    fn quick(lines: &[Vec<u8>]) -> Sums {
        let mut till = Till::new(zone());
        lines.iter().for_each(|line| till.hear(line));
        let promised = till.promised().map(|(amount, purpose)| (amount, purpose.clone()));
        sums(till.spent(), promised, &till.limits)
    }

    /// The same by reading every line whole.
    fn whole(lines: &[Vec<u8>]) -> Sums {
        let mut replay = Replay::default();
        let lines = lines.iter().filter_map(|line| serde_json::from_slice(line).ok());
        lines.for_each(|line| replay.follow(line));
        let open = replay.open.values();
        let promised = open.map(|line| (line.reserved_usd.unwrap_or_default(), line.purpose()));
        sums(replay.spent.iter().cloned(), promised, &replay.limits)
    }

    #[test]
    fn what_is_promised_spent_and_allowed_is_what_all_lines_together_say() {
        let at: Timestamp = "2026-11-23T18:29:59.5Z".parse().unwrap();
        let begun = |mark, reserved| line(LineKind::Attempt, mark, reserved, None);
        let ended = |mark, cost| line(LineKind::End, mark, None, cost);
        let limit = Limit { scope: Scope::Worker(WorkerType::new("w")), window: Window::Day };
        let limits = Line::of_limits(&[(limit, Usd::dollars(3))].into(), at);
        let lines = [
            begun("free", None),
            ended("free", Some("0")),
            line(LineKind::Filed, "free", None, None),
            begun("paid", Some("0.05")),
            ended("paid", Some("0.01")),
            Line { started_at: Some(at), ..ended("before midnight", Some("0.02")) },
            Line { at: "2026-11-23T18:30:00Z".parse().unwrap(), ..ended("after", Some("0.04")) },
            begun("given back", Some("0.05")),
            ended("given back", None),
            begun("open", Some("0.07")),
            begun("told by its program alone", None),
            ended("told by its program alone", Some("0.02")),
            line(LineKind::Retry, "open", None, None),
            begun("of an older koubou", None),
            Line { worker_type: None, task_type: None, ..ended("of an older koubou", Some("1")) },
            Line { worker_type: None, ..ended("never begun", Some("2")) },
            Line { message: Some("\"odd\"".into()), ..ended("escaped", Some("4")) },
            limits[0].clone(),
        ];
        let mut lines: Vec<Vec<u8>> = lines.iter().map(Line::to_bytes).collect();
        lines.push(b"{\"at\":\"2026-11-23T01:02:03.456Z\",\"event\":\"en\n".to_vec());
        let (spent, promised, limits) = whole(&lines);
        assert_eq!(spent.values().copied().sum::<Usd>(), "7.09".parse().unwrap());
        assert_eq!((spent.len(), promised.len(), limits.len()), (3, 1, 1));
        assert_eq!(quick(&lines), (spent, promised, limits));
    }

    #[test]
    fn purposes_beyond_a_few_are_told_apart_as_well() {
        let mut purposes = Purposes::default();
        let names: Vec<String> = (0..3 * FEW).map(|n| n.to_string()).collect();
        for _ in 0..2 {
            for (n, name) in names.iter().enumerate() {
                assert_eq!(purposes.number((Some(name), None)), n);
            }
        }
    }

    prop_compose! {
        fn any_line()(
            event in prop::sample::select(
                vec![LineKind::Attempt, LineKind::End, LineKind::Limits, LineKind::Filed],
            ),
            mark in prop::option::of("[ab]"),
            worker in prop::option::of("[vw\"]"),
            task_type in prop::option::of("[xy]"),
            amounts in prop::collection::vec(prop::option::of(0u64..1_000), 3),
            times in prop::collection::vec(0i64..400_000_000, 2),
            is_started in any::<bool>(),
        ) -> Line {
            let time = |n: usize| Timestamp::from_millisecond(times[n]).unwrap();
            let usd = |n: usize| amounts[n].map(Usd::from_pico);
            Line {
                attempt: mark,
                worker_type: worker.map(WorkerType::new),
                task_type,
                reserved_usd: usd(0),
                cost_usd: usd(1),
                daily_usd: usd(2),
                started_at: is_started.then(|| time(1)),
                ..Line::new(event, time(0))
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_the_lines_the_sums_are_those_of_reading_them_whole(
            lines in prop::collection::vec(any_line(), 0..40),
            harm in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let mut lines: Vec<Vec<u8>> = lines.iter().map(Line::to_bytes).collect();
            for (place, byte) in harm {
                if let Some(line) = (!lines.is_empty()).then(|| place.index(lines.len())) {
                    let at = place.index(lines[line].len());
                    lines[line][at] = byte;
                }
            }
            prop_assert_eq!(quick(&lines), whole(&lines));
        }
    }
}
