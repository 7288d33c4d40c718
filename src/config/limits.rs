//! Reads `cost_limits`: what may be spent in all, by single workers and on single
//! types of task, and what happens when it is nearly or wholly spent.

use std::collections::BTreeMap;

use super::complaint::Complaints;
use super::section::Section;
use crate::base::words;
use crate::route::budget::{Limits, OnExhausted};
use crate::task::limit::{Scope, Window};
use crate::task::{Limit, Usd, WorkerType};

/// What may stand in `cost_limits`.
pub(super) const KEYS: &[&str] = &[
    "daily_limit_usd",
    "monthly_limit_usd",
    "alert_threshold_percent",
    "by_worker",
    "by_task_type",
    "on_exhausted",
    "on_alert",
];

/// The limits of single workers and of single types of task; `types` are the workers that there are.
pub(super) fn others(
    stated: &Section<'_>,
    types: &[String],
    complaints: &Complaints,
) -> BTreeMap<Limit, Usd> {
    let mut all = BTreeMap::new();
    for (at, name, node) in stated.named("by_worker") {
        if !types.iter().any(|known| known == name) {
            let shown = words::excerpt(&words::tame(name), 60);
            let message = format!("there is no worker `{shown}` among `available_workers`");
            complaints.wrong_name(at, message, name, types.iter().map(String::as_str));
        } else if let Some(limit) = Section::open(node, "a limit", WINDOWS, complaints) {
            read(&limit, &Scope::Worker(WorkerType::new(name)), &mut all);
        }
    }
    for (at, name, node) in stated.named("by_task_type") {
        if name.trim().is_empty() {
            complaints.error(at, "a type of task has no name here: name it, or take the limit out");
        } else if let Some(limit) = Section::open(node, "a limit", WINDOWS, complaints) {
            read(&limit, &Scope::TaskType(name.to_owned()), &mut all);
        }
    }
    all
}

/// Warns of a month's limit that is lower than a day's, which then never counts.
pub(super) fn warn_of_odd(limits: &Limits, complaints: &Complaints) {
    let total = Window::ALL.map(Limit::total).into_iter().zip([limits.daily, limits.monthly]);
    let others = limits.others.iter().map(|(limit, amount)| (limit.clone(), *amount));
    let all: BTreeMap<Limit, Usd> = total.chain(others).collect();
    for (day, daily) in all.iter().filter(|(limit, _)| limit.window == Window::Day) {
        let month = Limit { window: Window::Month, ..day.clone() };
        if let Some(monthly) = all.get(&month).filter(|monthly| *monthly < daily) {
            complaints.warn(format!(
                "the {} ({monthly}) is below the {} ({daily}), which then never counts: change one of them",
                month.in_words(),
                day.in_words()
            ));
        }
    }
}

const WINDOWS: &[&str] = &["daily", "monthly"];

fn read(section: &Section<'_>, scope: &Scope, all: &mut BTreeMap<Limit, Usd>) {
    if !WINDOWS.iter().any(|window| section.has(window)) {
        section.error("daily", "a limit needs `daily`, `monthly` or both");
    }
    for window in Window::ALL {
        if let Some(amount) = section.money(window.as_str()) {
            all.insert(Limit { scope: scope.clone(), window }, amount);
        }
    }
}

/// What becomes of a task whose worker cannot be paid.
pub(super) fn on_exhausted(stated: &Section<'_>) -> OnExhausted {
    match stated.word("on_exhausted").as_deref() {
        None | Some("wait") => OnExhausted::Wait,
        Some("fail") => OnExhausted::Fail,
        Some(other) => {
            let shown = words::excerpt(&words::tame(other), 40);
            let message = format!("`on_exhausted` must be `wait` or `fail`, and is `{shown}`");
            stated.error("on_exhausted", message);
            OnExhausted::Wait
        }
    }
}

/// A program that is run when something has happened, and its arguments.
pub(super) fn program(stated: &Section<'_>, key: &'static str) -> Option<Vec<String>> {
    let words = stated.texts(key)?;
    if words.is_empty() {
        stated.error(key, format!("`{key}` is empty: name a program and its arguments"));
        return None;
    }
    Some(words.into_iter().map(|(_, word)| word).collect())
}
