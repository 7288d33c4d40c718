//! Who waits at a worker type: higher priority first, then each group in turn, in a group first
//! come first served.
//!
//! Groups of one priority take turns, so that a thousand tasks of one do not hold up the
//! ten of another. Every eighth turn is for whoever has waited longest, where that is longer
//! than the settings' `ageing_s`: so nothing starves, and what is urgent still goes first most
//! of the time. A group that is paused keeps its place and takes no turns.
//!
//! A type of task that has a limit of its own waits in a queue of its own. Where
//! its money is used up, only its tasks wait, and all others overtake them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::clock::{self, Timestamp};
use crate::route::budget::Shortage;
use crate::task::TaskId;

/// Of so many turns one is for whoever has waited longest.
const TURNS: u64 = 8;

/// What a queue must know of a task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket<'a> {
    pub task_type: &'a str,
    /// Empty where it belongs to no group: those are a group among themselves.
    pub group: &'a str,
    pub priority: u8,
    /// When it came, among all.
    pub seq: u64,
    /// When it was dropped.
    pub since: Timestamp,
}

/// A task's place among those whose turn it might be.
type Place = (Reverse<u8>, u64);

/// The tasks that wait for a worker type.
#[derive(Debug)]
pub(super) struct Waiting {
    rest: Queue,
    by_type: BTreeMap<String, Queue>,
    /// Groups that somebody paused.
    paused: BTreeSet<String>,
    /// How many turns were taken.
    turns: u64,
    /// Who has waited for longer gets a turn whatever its priority.
    ageing: Duration,
}

#[derive(Debug, Default)]
struct Queue {
    levels: BTreeMap<Reverse<u8>, Level>,
    /// The limit that has no room for the first of them.
    hold: Option<Shortage>,
    /// The one that people were told of.
    told: Option<Shortage>,
}

/// The tasks of one priority.
#[derive(Debug, Default)]
struct Level {
    groups: BTreeMap<String, Group>,
    /// Groups that may take a turn: who has had the fewest first, then who has waited longest.
    by_turns: BTreeSet<(u64, u64, String)>,
    /// The same, who has waited longest first.
    by_age: BTreeSet<(u64, String)>,
    /// How many turns a group has had that comes now.
    clock: u64,
}

#[derive(Debug, Default)]
struct Group {
    tasks: BTreeMap<u64, (TaskId, Timestamp)>,
    turns: u64,
}

/// What the tasks of a type wait for now.
#[derive(Debug)]
pub(super) struct News {
    pub task_type: String,
    /// Nothing but their turn, where there is none.
    pub why: Option<String>,
    pub tasks: Vec<TaskId>,
}

impl Level {
    /// Changes a group, and lists it by what it is then.
    fn change(&mut self, name: &str, is_paused: bool, change: impl FnOnce(&mut Group)) {
        let clock = self.clock;
        let mut group = self
            .groups
            .remove(name)
            .unwrap_or_else(|| Group { tasks: BTreeMap::new(), turns: clock });
        if let Some(head) = group.head() {
            self.by_turns.remove(&(group.turns, head, name.to_owned()));
            self.by_age.remove(&(head, name.to_owned()));
        }
        change(&mut group);
        let Some(head) = group.head() else { return };
        if !is_paused {
            // Who was away has saved no turns.
            group.turns = group.turns.max(clock);
            self.by_turns.insert((group.turns, head, name.to_owned()));
            self.by_age.insert((head, name.to_owned()));
        }
        self.groups.insert(name.to_owned(), group);
    }

    /// Whose turn it is.
    fn first(&self) -> Option<(u64, &TaskId)> {
        let (_, head, name) = self.by_turns.first()?;
        Some((*head, &self.groups.get(name)?.tasks.get(head)?.0))
    }

    /// Who has waited longest, since when.
    fn oldest(&self) -> Option<(u64, Timestamp, &TaskId)> {
        let (head, name) = self.by_age.first()?;
        let (id, since) = self.groups.get(name)?.tasks.get(head)?;
        Some((*head, *since, id))
    }

    /// A group has its turn.
    fn serve(&mut self, name: &str) {
        let Some(group) = self.groups.get(name) else { return };
        self.clock = self.clock.max(group.turns);
    }
}

impl Group {
    fn head(&self) -> Option<u64> {
        self.tasks.first_key_value().map(|(seq, _)| *seq)
    }
}

impl Queue {
    /// The limit that its tasks wait for, where it is for longer than until a call ends.
    fn lasting_hold(&self) -> Option<&Shortage> {
        self.hold.as_ref().filter(|hold| !hold.is_promised)
    }

    fn change(&mut self, ticket: Ticket<'_>, is_paused: bool, change: impl FnOnce(&mut Group)) {
        let priority = Reverse(ticket.priority);
        let level = self.levels.entry(priority).or_default();
        level.change(ticket.group, is_paused, change);
        if level.groups.is_empty() {
            self.levels.remove(&priority);
        }
    }

    fn first(&self) -> Option<(Place, &TaskId)> {
        self.levels
            .iter()
            .find_map(|(priority, level)| level.first().map(|(seq, id)| ((*priority, seq), id)))
    }

    fn tasks(&self) -> impl Iterator<Item = &TaskId> {
        let groups = self.levels.values().flat_map(|level| level.groups.values());
        groups.flat_map(|group| group.tasks.values().map(|(id, _)| id))
    }
}

impl Waiting {
    /// Nobody yet; these types of task have a limit of their own.
    pub(super) fn new<'a>(limited: impl Iterator<Item = &'a str>, ageing: Duration) -> Self {
        Self {
            rest: Queue::default(),
            by_type: limited.map(|name| (name.to_owned(), Queue::default())).collect(),
            paused: BTreeSet::new(),
            turns: 0,
            ageing,
        }
    }

    /// Gives a type of task a queue of its own; none of it waits here now.
    pub(super) fn set_apart(&mut self, task_type: &str) {
        self.by_type.entry(task_type.to_owned()).or_default();
    }

    pub(super) fn insert(&mut self, ticket: Ticket<'_>, id: TaskId) {
        let is_paused = self.is_paused(ticket.group);
        self.queue_mut(ticket.task_type).change(ticket, is_paused, |group| {
            group.tasks.insert(ticket.seq, (id, ticket.since));
        });
    }

    pub(super) fn remove(&mut self, ticket: Ticket<'_>) {
        let is_paused = self.is_paused(ticket.group);
        self.queue_mut(ticket.task_type).change(ticket, is_paused, |group| {
            group.tasks.remove(&ticket.seq);
        });
    }

    /// A task has its turn, and waits no more.
    pub(super) fn serve(&mut self, ticket: Ticket<'_>) {
        self.turns += 1;
        let is_paused = self.is_paused(ticket.group);
        let queue = self.queue_mut(ticket.task_type);
        if let Some(level) = queue.levels.get_mut(&Reverse(ticket.priority)) {
            level.serve(ticket.group);
        }
        queue.change(ticket, is_paused, |group| {
            group.tasks.remove(&ticket.seq);
            group.turns += 1;
        });
    }

    /// Whose turn it is, among all whom no limit of their type holds.
    pub(super) fn first(&self, now: Timestamp) -> Option<&TaskId> {
        let open = || self.queues().filter(|queue| queue.hold.is_none());
        if self.turns % TURNS == TURNS - 1 {
            let levels = open().flat_map(|queue| queue.levels.values());
            let oldest = levels.filter_map(Level::oldest).min_by_key(|(seq, ..)| *seq);
            if let Some((_, since, id)) = oldest
                && clock::between(since, now) >= self.ageing
            {
                return Some(id);
            }
        }
        open().filter_map(Queue::first).min_by_key(|(place, _)| *place).map(|(_, id)| id)
    }

    /// Whether anybody could have a turn.
    pub(super) fn is_idle(&self) -> bool {
        !self.queues().any(|queue| queue.hold.is_none() && queue.first().is_some())
    }

    /// Lets the tasks of a group wait, or no longer.
    pub(super) fn pause(&mut self, name: &str, on: bool) {
        match on {
            true => self.paused.insert(name.to_owned()),
            false => self.paused.remove(name),
        };
        let queues = self.by_type.values_mut().chain([&mut self.rest]);
        for level in queues.flat_map(|queue| queue.levels.values_mut()) {
            if level.groups.contains_key(name) {
                level.change(name, on, |_| {});
            }
        }
    }

    /// Whether the tasks of a group wait because somebody paused it.
    pub(super) fn is_paused(&self, group: &str) -> bool {
        self.paused.contains(group)
    }

    /// Lets the tasks of a type wait for its limit.
    pub(super) fn hold(&mut self, task_type: &str, shortage: Shortage) {
        self.queue_mut(task_type).hold = Some(shortage);
    }

    /// The limit that the tasks of a type wait for.
    pub(super) fn held(&self, task_type: &str) -> Option<&Shortage> {
        self.queue(task_type).hold.as_ref()
    }

    /// Why the tasks of a type wait, where it is for longer than until a call ends.
    pub(super) fn why_held(&self, task_type: &str) -> Option<String> {
        self.queue(task_type).lasting_hold().map(Shortage::in_words)
    }

    /// Money came back: everybody may ask again.
    pub(super) fn lift(&mut self) {
        self.by_type.values_mut().for_each(|queue| queue.hold = None);
    }

    /// Lifts what time has ended.
    pub(super) fn wake(&mut self, now: Timestamp) {
        for queue in self.by_type.values_mut() {
            queue.hold = queue.hold.take().filter(|hold| hold.until > now);
        }
    }

    /// When time lifts the next hold that anybody waits for.
    pub(super) fn wakes_at(&self) -> Option<Timestamp> {
        let held = self.queues().filter(|queue| !queue.levels.is_empty());
        held.filter_map(|queue| queue.hold.as_ref()).map(|hold| hold.until).min()
    }

    /// What changed for tasks of a type since people were last told.
    pub(super) fn news(&mut self) -> Vec<News> {
        let mut all = Vec::new();
        for (task_type, queue) in &mut self.by_type {
            if queue.lasting_hold() == queue.told.as_ref() {
                continue;
            }
            queue.told = queue.lasting_hold().cloned();
            let why = queue.told.as_ref().map(Shortage::in_words);
            let tasks = queue.tasks().cloned().collect();
            all.push(News { task_type: task_type.clone(), why, tasks });
        }
        all
    }

    fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.by_type.values().chain([&self.rest])
    }

    fn queue(&self, task_type: &str) -> &Queue {
        self.by_type.get(task_type).unwrap_or(&self.rest)
    }

    fn queue_mut(&mut self, task_type: &str) -> &mut Queue {
        self.by_type.get_mut(task_type).unwrap_or(&mut self.rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::task::Limit;
    use crate::task::limit::{Scope, Window};

    const HOUR: Duration = Duration::from_secs(3_600);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn ticket(group: &str, priority: u8, seq: u64) -> Ticket<'_> {
        Ticket { task_type: "general", group, priority, seq, since: at(seq as i64) }
    }

    fn nobody() -> Waiting {
        Waiting::new(std::iter::empty(), HOUR)
    }

    /// Serves so many, by name.
    fn served(waiting: &mut Waiting, tickets: &[Ticket<'_>], many: usize, now: i64) -> Vec<u64> {
        let mut seqs = Vec::new();
        for _ in 0..many {
            let Some(id) = waiting.first(at(now)) else { break };
            let seq: u64 = id.as_str().parse().unwrap();
            let ticket = tickets.iter().find(|ticket| ticket.seq == seq).unwrap();
            waiting.serve(*ticket);
            seqs.push(seq);
        }
        seqs
    }

    fn all_in(waiting: &mut Waiting, tickets: &[Ticket<'_>]) {
        for ticket in tickets {
            waiting.insert(*ticket, ticket.seq.to_string().parse().unwrap());
        }
    }

    #[test]
    fn whom_a_limit_holds_is_overtaken_and_keeps_the_place() {
        let mut waiting = Waiting::new(["report"].into_iter(), HOUR);
        for (n, task_type) in ["report", "letter", "report"].into_iter().enumerate() {
            let id = format!("{task_type}{n}").parse().unwrap();
            waiting.insert(Ticket { task_type, ..ticket("", 5, n as u64) }, id);
        }
        let first = |waiting: &Waiting| waiting.first(at(9)).map(|id| id.as_str().to_owned());
        assert_eq!(first(&waiting).as_deref(), Some("report0"));
        let scope = Scope::TaskType("report".into());
        let until = "2026-11-24T00:00:00Z".parse().unwrap();
        let limit = Limit { scope, window: Window::Day };
        waiting.hold("report", Shortage { limit, until, is_promised: false });
        assert_eq!(first(&waiting).as_deref(), Some("letter1"));
        assert_eq!(waiting.wakes_at(), Some(until));
        let news = waiting.news();
        assert_eq!((news.len(), news[0].tasks.len()), (1, 2));
        assert!(waiting.news().is_empty(), "told once");
        waiting.wake(until);
        assert_eq!(first(&waiting).as_deref(), Some("report0"));
    }

    #[test]
    fn groups_of_one_priority_take_turns() {
        let mut waiting = nobody();
        let mut tickets: Vec<_> = (0..20).map(|n| ticket("big", 5, n)).collect();
        tickets.extend([ticket("small", 5, 20), ticket("small", 5, 21), ticket("", 5, 22)]);
        tickets.push(ticket("late", 7, 23));
        all_in(&mut waiting, &tickets);
        let order = served(&mut waiting, &tickets, 8, 30);
        assert_eq!(order, [23, 0, 20, 22, 1, 21, 2, 3], "the urgent one first, then in turn");
        // Who comes later has saved no turns.
        let more: Vec<_> = (30..40).map(|n| ticket("new", 5, n)).collect();
        all_in(&mut waiting, &more);
        tickets.extend(more);
        let order = served(&mut waiting, &tickets, 4, 50);
        assert_eq!(order.iter().filter(|seq| **seq >= 30).count(), 2, "{order:?}");
    }

    #[test]
    fn who_has_waited_long_gets_every_eighth_turn() {
        let mut waiting = nobody();
        let mut tickets = vec![ticket("", 0, 0)];
        tickets.extend((1..40).map(|n| ticket("", 10, n)));
        all_in(&mut waiting, &tickets);
        assert!(!served(&mut waiting, &tickets, 16, 60).contains(&0), "not before its time");
        let order = served(&mut waiting, &tickets, 8, 4_000);
        assert_eq!(order.iter().position(|seq| *seq == 0), Some(7));
    }

    #[test]
    fn a_paused_group_keeps_its_place() {
        let mut waiting = nobody();
        let tickets = [ticket("a", 5, 0), ticket("b", 5, 1), ticket("a", 5, 2)];
        all_in(&mut waiting, &tickets);
        waiting.pause("a", true);
        waiting.insert(ticket("a", 9, 3), "3".parse().unwrap());
        assert_eq!(served(&mut waiting, &tickets, 9, 9), [1]);
        assert!(waiting.is_idle());
        waiting.pause("a", false);
        let mut tickets = tickets.to_vec();
        tickets.push(ticket("a", 9, 3));
        assert_eq!(served(&mut waiting, &tickets, 9, 9), [3, 0, 2]);
    }

    proptest! {
        /// Whatever comes, goes and is paused: all who are not paused are served once, the
        /// higher priority first and each group in its order.
        #[test]
        fn everybody_has_a_turn(
            coming in proptest::collection::vec((0u8..4, 0usize..4, any::<bool>()), 1..60),
            paused in 0usize..5,
        ) {
            const GROUPS: [&str; 5] = ["", "a", "b", "c", "d"];
            let mut waiting = nobody();
            let mut left = Vec::new();
            for (seq, (priority, group, goes)) in coming.iter().enumerate() {
                let ticket = ticket(GROUPS[*group], *priority, seq as u64);
                waiting.insert(ticket, seq.to_string().parse().unwrap());
                match goes {
                    true => waiting.remove(ticket),
                    false => left.push(ticket),
                }
            }
            waiting.pause(GROUPS[paused], true);
            let order = served(&mut waiting, &left, usize::MAX, 60);
            let due: Vec<_> = left.iter().filter(|t| t.group != GROUPS[paused]).collect();
            prop_assert_eq!(order.len(), due.len());
            prop_assert!(waiting.is_idle());
            let of = |seq: &u64| left.iter().find(|t| t.seq == *seq).unwrap();
            for pair in order.windows(2) {
                prop_assert!(of(&pair[0]).priority >= of(&pair[1]).priority);
            }
            for name in GROUPS {
                for priority in 0..4 {
                    let of_it = |seq: &&u64| of(seq).group == name && of(seq).priority == priority;
                    prop_assert!(order.iter().filter(of_it).is_sorted());
                }
            }
        }
    }
}
