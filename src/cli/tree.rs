//! A task with all that came of it: `koubou show ID --tree`.

use std::collections::HashSet;

use serde::Serialize;

use super::language::told;
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::words;
use crate::mirror::query::{Reader, TaskRecord};
use crate::task::TaskId;

/// Deeper than this nobody looks; who names its own child as its parent does not make it endless.
const DEEPEST: usize = 50;

#[derive(Serialize)]
struct Branch {
    task_id: String,
    status: String,
    worker_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_kind: Option<String>,
    cost_usd: Option<f64>,
    children: Vec<Branch>,
}

pub(super) fn show(ui: &mut Ui, site: &Site, id: &TaskId) -> Done {
    let query = site.query()?;
    let Some(row) = query.task(id)? else {
        return Err(Trouble::new(format!("the mirror does not know `{id}` yet"))
            .hint("`koubou start` lets it follow the folders, `koubou rebuild` makes it anew"));
    };
    let mut seen = HashSet::new();
    let root = grow(&query, row, &mut seen, 0)?;
    match ui.is_json() {
        true => ui.json_line(&root)?,
        false => {
            let mut lines = Vec::new();
            draw(&root, "", "", &mut lines);
            ui.verbatim(&lines.join("\n"))?;
        }
    }
    Ok(Exit::Done)
}

fn grow(
    query: &Reader,
    row: TaskRecord,
    seen: &mut HashSet<String>,
    depth: usize,
) -> Result<Branch, Trouble> {
    let mut children = Vec::new();
    let is_new = seen.insert(row.task_id.clone());
    if let Ok(id) = row.task_id.parse::<TaskId>()
        && is_new
        && depth < DEEPEST
    {
        for child in query.children(&id)? {
            children.push(grow(query, child, seen, depth + 1)?);
        }
    }
    Ok(Branch {
        task_id: row.task_id,
        status: row.status,
        worker_type: row.assigned_worker_type,
        waits_for: row.waits_for,
        error_kind: row.error_kind,
        cost_usd: row.actual_cost,
        children,
    })
}

fn draw(branch: &Branch, first: &str, rest: &str, lines: &mut Vec<String>) {
    let more = branch
        .error_kind
        .clone()
        .or_else(|| branch.waits_for.as_deref().map(|why| told(why).into_owned()));
    let parts = [Some(branch.status.clone()), branch.worker_type.clone(), more];
    let told: Vec<String> = parts.into_iter().flatten().collect();
    lines.push(format!("{first}{}  {}", branch.task_id, words::tame(&told.join("  "))));
    for (n, child) in branch.children.iter().enumerate() {
        let is_last = n + 1 == branch.children.len();
        let (corner, bar) = if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
        draw(child, &format!("{rest}{corner}"), &format!("{rest}{bar}"), lines);
    }
}
