//! Reads `mcp`: what an agent may do that works through koubou's MCP tools.

use super::McpBounds;
use super::complaint::Complaints;
use super::section::Section;
use crate::base::words;
use crate::task::WorkerType;

const KEYS: &[&str] = &[
    "max_priority",
    "allow_workers",
    "max_cost_usd_per_session",
    "max_tasks_per_session",
    "allow_confidential",
];

/// What the file says of it; `types` are the workers that there are.
pub(super) fn read(top: &Section<'_>, types: &[String], complaints: &Complaints) -> McpBounds {
    let usual = McpBounds::default();
    let Some(stated) = top.section("mcp", KEYS) else { return usual };
    let priority = stated.small("max_priority", 0, 10);
    McpBounds {
        max_priority: priority.and_then(|n| u8::try_from(n).ok()).unwrap_or(usual.max_priority),
        allow_workers: workers(&stated, types, complaints),
        max_cost_per_session: stated.money("max_cost_usd_per_session"),
        max_tasks_per_session: stated.small("max_tasks_per_session", 1, 1_000_000),
        allow_confidential: stated.flag("allow_confidential").unwrap_or(false),
    }
}

fn workers(
    stated: &Section<'_>,
    types: &[String],
    complaints: &Complaints,
) -> Option<Vec<WorkerType>> {
    let key = "allow_workers";
    let names = stated.texts(key)?;
    for (at, name) in &names {
        if !types.contains(name) {
            let shown = words::excerpt(&words::tame(name), 60);
            let message =
                format!("`{key}`: there is no worker `{shown}` among `available_workers`");
            complaints.wrong_name(*at, message, name, types.iter().map(String::as_str));
        }
    }
    Some(names.into_iter().map(|(_, name)| WorkerType::new(&name)).collect())
}
