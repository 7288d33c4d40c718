//! Adds up what the mirror tells: one pass over the tasks, one over the attempts.
//!
//! A task counts on the day on which it was dropped, with all that became of it. What
//! was used and paid counts on the day on which its attempt began, with the worker that
//! made it: so the days add up to what `koubou budget` says was spent. A task of which
//! no attempt is known at all (its result was copied here, another program wrote its
//! row) counts with what its row says.

use std::collections::{BTreeMap, HashMap};

use super::figures::Tally;
use super::period::Period;
use super::saving::Pricing;
use crate::mirror::MirrorError;
use crate::mirror::query::Reader;
use crate::mirror::report::{CostLine, FailedAttempts, Look, Span, TaskLine, Traits};
use crate::task::outcome::Usage;
use crate::task::{Folder, Usd};

/// All that was added up.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) total: Tally,
    pub(super) by_day: Vec<Tally>,
    pub(super) by_worker: Groups,
    pub(super) by_task_type: Groups,
    pub(super) by_difficulty: Groups,
    /// How many tasks of each worker were dropped in each hour.
    pub(super) hours: BTreeMap<Option<String>, [u64; 24]>,
    /// How many tasks failed of what.
    pub(super) failures: BTreeMap<String, u64>,
    pub(super) failed_attempts: Vec<FailedAttempts>,
    /// What was spent in each month that the period touches, in the whole of it.
    pub(super) spent_by_month: Vec<Usd>,
    pub(super) pricing: Pricing,
    /// Tasks that have ended and whose times were never told.
    pub(super) without_times: u64,
    /// Tasks that count with what their rows say.
    pub(super) without_attempts: u64,
}

/// Tallies by name, in the order in which the names came.
#[derive(Debug, Default)]
pub(super) struct Groups {
    places: HashMap<String, usize>,
    pub(super) all: Vec<(Option<String>, Tally)>,
}

impl Groups {
    /// Where the tally of this name is.
    fn place(&mut self, name: Option<&str>) -> usize {
        // No name and an empty one are the same to whoever reads a report.
        let key = name.unwrap_or_default();
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        let place = self.all.len();
        self.places.insert(key.to_owned(), place);
        self.all.push((name.filter(|name| !name.is_empty()).map(str::to_owned), Tally::default()));
        place
    }

    fn tally(&mut self, place: usize) -> &mut Tally {
        &mut self.all[place].1
    }
}

/// What must be remembered of a task until its attempts are read.
struct Known {
    home: Home,
    worker: usize,
    day: usize,
    tokens: u64,
    cost: Usd,
    is_completed: bool,
    has_attempt: bool,
    is_priced: bool,
}

/// The groups that a task's attempts count in.
#[derive(Clone, Copy)]
struct Home {
    task_type: usize,
    difficulty: usize,
    is_confidential: bool,
}

/// An attempt that counts, at a task that was perhaps dropped at some other time.
struct Attempt {
    worker: usize,
    day: usize,
    usage: Usage,
    cost: Usd,
    is_completed: bool,
}

/// Reads and adds up all that a period has.
pub(super) fn gather(
    reader: &Reader,
    period: &Period,
    pricing: Pricing,
) -> Result<Gathered, MirrorError> {
    let look = reader.look()?;
    let mut gathered = Gathered {
        total: Tally::default(),
        by_day: period.days().map(|_| Tally::default()).collect(),
        by_worker: Groups::default(),
        by_task_type: Groups::default(),
        by_difficulty: Groups::default(),
        hours: BTreeMap::new(),
        failures: BTreeMap::new(),
        failed_attempts: look.failed_attempts(period.span())?,
        spent_by_month: Vec::new(),
        pricing,
        without_times: 0,
        without_attempts: 0,
    };
    let mut known = HashMap::new();
    look.each_task(period.span(), |line| {
        if let Some(day) = period.day_of(line.created_at) {
            known.insert(line.task_id.to_owned(), gathered.task(&line, day, period));
        }
    })?;
    gathered.attempts(&look, period, &mut known)?;
    gathered.rest(&look, &known)?;
    Ok(gathered)
}

impl Gathered {
    fn task(&mut self, line: &TaskLine<'_>, day: usize, period: &Period) -> Known {
        let home = self.home(Some(line.traits));
        let worker = self.by_worker.place(line.worker_type);
        let [task_type, difficulty] = [home.task_type, home.difficulty];
        self.each_tally(day, worker, task_type, difficulty, |tally| tally.task(line));
        let name = line.worker_type.map(str::to_owned);
        self.hours.entry(name).or_default()[period.hour_of(line.created_at)] += 1;
        if line.status == Folder::Failed.as_str() {
            let kind = line.error_kind.unwrap_or("unknown").to_owned();
            *self.failures.entry(kind).or_default() += 1;
        }
        let has_ended = Folder::from_name(line.status).is_some_and(Folder::is_end);
        self.without_times += u64::from(has_ended && line.attempts.is_none());
        Known {
            home,
            worker,
            day,
            tokens: line.actual_tokens,
            cost: line.actual_cost,
            is_completed: line.status == Folder::Completed.as_str(),
            has_attempt: false,
            is_priced: false,
        }
    }

    fn home(&mut self, traits: Option<Traits<'_>>) -> Home {
        let (task_type, difficulty) = match traits {
            Some(traits) => (Some(traits.task_type), Some(traits.difficulty_level)),
            None => (None, None),
        };
        Home {
            task_type: self.by_task_type.place(task_type),
            difficulty: self.by_difficulty.place(difficulty),
            is_confidential: traits.is_some_and(|traits| traits.is_confidential),
        }
    }

    fn each_tally(
        &mut self,
        day: usize,
        worker: usize,
        task_type: usize,
        difficulty: usize,
        count: impl Fn(&mut Tally),
    ) {
        count(&mut self.total);
        count(&mut self.by_day[day]);
        count(self.by_worker.tally(worker));
        count(self.by_task_type.tally(task_type));
        count(self.by_difficulty.tally(difficulty));
    }

    /// Every attempt of the months that the period touches: those of other days count in their month alone.
    fn attempts(
        &mut self,
        look: &Look<'_>,
        period: &Period,
        known: &mut HashMap<String, Known>,
    ) -> Result<(), MirrorError> {
        let months = period.months();
        let starts: Vec<_> = months.iter().map(|month| month.span.from).collect();
        self.spent_by_month = vec![Usd::ZERO; months.len()];
        let [Some(first), Some(last)] = [months.first(), months.last()] else { return Ok(()) };
        let whole = Span { from: first.span.from, until: last.span.until };
        let mut strangers = Vec::new();
        look.each_cost(whole, |line| {
            let month = starts.partition_point(|start| *start <= line.at).saturating_sub(1);
            self.spent_by_month[month] += line.cost;
            let task = known.get_mut(line.task_id);
            let day = period.day_of(line.at);
            if let Some(task) = task {
                task.has_attempt = true;
                if let Some(day) = day {
                    let attempt = self.of(&line, day);
                    task.is_priced |= self.attempt(task.home, &attempt);
                }
            } else if let Some(day) = day {
                let attempt = self.of(&line, day);
                strangers.push((line.task_id.to_owned(), attempt));
            }
        })?;
        for (task_id, attempt) in strangers {
            let home = look.with_traits(&task_id, |traits| self.home(traits))?;
            self.attempt(home, &attempt);
        }
        Ok(())
    }

    fn of(&mut self, line: &CostLine<'_>, day: usize) -> Attempt {
        Attempt {
            worker: self.by_worker.place(Some(line.worker_type)),
            day,
            usage: line.usage,
            cost: line.cost,
            is_completed: line.is_completed,
        }
    }

    /// Counts an attempt; whether it could be priced.
    fn attempt(&mut self, home: Home, attempt: &Attempt) -> bool {
        let Attempt { worker, day, usage, cost, is_completed } = attempt;
        let count = |tally: &mut Tally| tally.attempt(usage, *cost);
        self.each_tally(*day, *worker, home.task_type, home.difficulty, count);
        *is_completed && self.pricing.price(usage, *cost, home.is_confidential)
    }

    /// What no attempt has told of.
    fn rest(&mut self, look: &Look<'_>, known: &HashMap<String, Known>) -> Result<(), MirrorError> {
        for (task_id, task) in known {
            self.pricing.left_out += u64::from(task.is_completed && !task.is_priced);
            let says_something = task.tokens > 0 || task.cost > Usd::ZERO;
            if task.has_attempt || !says_something || look.has_costs(task_id)? {
                continue;
            }
            self.without_attempts += 1;
            let usage = Usage { total_tokens: task.tokens, ..Usage::default() };
            let Home { task_type, difficulty, .. } = task.home;
            let count = |tally: &mut Tally| tally.attempt(&usage, task.cost);
            self.each_tally(task.day, task.worker, task_type, difficulty, count);
        }
        Ok(())
    }
}
