//! Reads `checks`, the programs that may look at an answer, and what workers demand of theirs.
//!
//! A task names a check and never a program: which programs run is the owner's to say.

use std::time::Duration;

use super::CheckSpec;
use super::complaint::Complaints;
use super::section::Section;
use super::workers::{Surroundings, Workers, command};
use crate::base::words;
use crate::task::Accept;

const KEYS: &[&str] = &["name", "command", "env", "local", "timeout_s"];

/// Reads the list.
pub(super) fn read(top: &Section<'_>, around: &Surroundings<'_>) -> Vec<CheckSpec> {
    let mut checks: Vec<CheckSpec> = Vec::new();
    for node in top.list("checks").unwrap_or_default() {
        let Some(section) = Section::open(node, "a check", KEYS, around.complaints) else {
            continue;
        };
        let Some(check) = one(&section, around) else { continue };
        if checks.iter().any(|other| other.name == check.name) {
            let message = format!("there are two checks called `{}`: rename one", check.name);
            section.error("name", message);
            continue;
        }
        checks.push(check);
    }
    checks
}

fn one(section: &Section<'_>, around: &Surroundings<'_>) -> Option<CheckSpec> {
    for key in ["name", "command"] {
        if !section.has(key) {
            section.error(key, format!("a check needs a `{key}`"));
        }
    }
    let name = section.word("name");
    let shown = name.as_deref().map(words::tame).unwrap_or_default();
    let command = command(section, &format!("check `{shown}`"), around);
    let local = section.flag("local").unwrap_or(false);
    let timeout = section.seconds("timeout_s").unwrap_or(Duration::from_secs(60));
    Some(CheckSpec { name: name?, command: command?, local, timeout })
}

/// What a worker demands of its answers.
pub(super) fn accept(section: &Section<'_>) -> Option<Accept> {
    let stated = section.json("accept")?;
    Accept::read(&stated)
        .map_err(|flaws| {
            for flaw in flaws {
                section.error("accept", format!("`accept`: {flaw}"));
            }
        })
        .ok()
}

/// Names what workers point to and is not there.
pub(super) fn look_for_missing(workers: &Workers, checks: &[CheckSpec], complaints: &Complaints) {
    for worker in &workers.good {
        let spec = &worker.spec;
        for (key, at, name) in &worker.points_to {
            if !workers.types.contains(name) {
                let shown = words::excerpt(&words::tame(name), 60);
                let message =
                    format!("`{key}`: there is no worker `{shown}` among `available_workers`");
                let known = workers.types.iter().map(String::as_str);
                complaints.wrong_name(*at, message, name, known);
            }
        }
        let check = spec.accept.as_ref().and_then(|accept| accept.check.as_ref());
        if let Some(name) = check.filter(|name| !checks.iter().any(|check| check.name == **name)) {
            let shown = words::excerpt(&words::tame(name), 60);
            let message = format!("`accept`: there is no check `{shown}` among `checks`");
            complaints.wrong_name(worker.at, message, name, checks.iter().map(|c| c.name.as_str()));
        }
    }
}
