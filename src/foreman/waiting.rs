//! Who waits at a worker type: higher priority first, then first come first served.
//!
//! A type of task that has a limit of its own waits in a queue of its own. Where
//! its money is used up, only its tasks wait, and all others overtake them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::base::clock::Timestamp;
use crate::route::budget::Shortage;
use crate::task::TaskId;

/// A task's place in a queue: higher priority first, then first come first served.
pub(super) type Place = (Reverse<u8>, u64);

/// The tasks that wait for a worker type.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    rest: Queue,
    by_type: BTreeMap<String, Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    tasks: BTreeMap<Place, TaskId>,
    /// The limit that has no room for the first of them.
    hold: Option<Shortage>,
    /// The one that people were told of.
    told: Option<Shortage>,
}

/// What the tasks of a type wait for now.
#[derive(Debug)]
pub(super) struct News {
    pub task_type: String,
    /// Nothing but their turn, where there is none.
    pub why: Option<String>,
    pub tasks: Vec<TaskId>,
}

impl Queue {
    /// The limit that its tasks wait for, where it is for longer than until a call ends.
    fn lasting_hold(&self) -> Option<&Shortage> {
        self.hold.as_ref().filter(|hold| !hold.is_promised)
    }
}

impl Waiting {
    /// Nobody yet; these types of task have a limit of their own.
    pub(super) fn new<'a>(limited: impl Iterator<Item = &'a str>) -> Self {
        let by_type = limited.map(|name| (name.to_owned(), Queue::default())).collect();
        Self { rest: Queue::default(), by_type }
    }

    /// Gives a type of task a queue of its own, if it has none.
    pub(super) fn set_apart(&mut self, task_type: &str, is_of: impl Fn(&TaskId) -> bool) {
        if !self.by_type.contains_key(task_type) {
            let all = std::mem::take(&mut self.rest.tasks);
            let (tasks, rest) = all.into_iter().partition(|(_, id)| is_of(id));
            self.rest.tasks = rest;
            self.by_type.insert(task_type.to_owned(), Queue { tasks, ..Queue::default() });
        }
    }

    pub(super) fn insert(&mut self, task_type: &str, place: Place, id: TaskId) {
        self.queue_mut(task_type).tasks.insert(place, id);
    }

    pub(super) fn remove(&mut self, task_type: &str, place: &Place) {
        self.queue_mut(task_type).tasks.remove(place);
    }

    /// The first of all whom no limit of their type holds.
    pub(super) fn first(&self) -> Option<&TaskId> {
        let open = self.queues().filter(|queue| queue.hold.is_none());
        let firsts = open.filter_map(|queue| queue.tasks.first_key_value());
        firsts.min_by_key(|(place, _)| **place).map(|(_, id)| id)
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
        let held = self.queues().filter(|queue| !queue.tasks.is_empty());
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
            let tasks = queue.tasks.values().cloned().collect();
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
    use super::*;
    use crate::task::Limit;
    use crate::task::limit::{Scope, Window};

    #[test]
    fn whom_a_limit_holds_is_overtaken_and_keeps_the_place() {
        let mut waiting = Waiting::new(["report"].into_iter());
        for (n, task_type) in ["report", "letter", "report"].into_iter().enumerate() {
            let id = format!("{task_type}{n}").parse().unwrap();
            waiting.insert(task_type, (Reverse(5), n as u64), id);
        }
        let first = |waiting: &Waiting| waiting.first().map(|id| id.as_str().to_owned());
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
}
