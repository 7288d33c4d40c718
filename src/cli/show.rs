//! `koubou show`: a task's whole story.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::language;
use super::site::{Located, parse_id};
use super::table::padded;
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui, tree};
use crate::base::files;
use crate::base::words::tame;
use crate::mirror::query::TaskRecord;
use crate::spool::Spool;
use crate::spool::notes::Note;
use crate::task::{Folder, TaskId, Usd};

/// Show the whole story of a task: where it went, why, what it cost, what came of it
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The task
    #[arg(value_name = "ID", value_parser = parse_id)]
    id: TaskId,
    /// Show the tasks that came of it instead, and theirs in turn
    #[arg(long)]
    tree: bool,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    let spool = site.spool()?;
    if args.tree {
        return tree::show(ui, site, &site.locate(&spool, &args.id)?.id);
    }
    let (Located { folder, .. }, story) = story(site, &spool, &args.id)?;
    match ui.is_json() {
        true => ui.json_line(&story)?,
        false => ui.raw(told(&story).as_bytes())?,
    }
    if !folder.is_end() {
        site.hint_if_idle(ui);
    }
    Ok(Exit::Done)
}

/// The story of a task, or its result, from where it is by then.
pub(super) fn story(site: &Site, spool: &Spool, id: &TaskId) -> Result<(Located, Value), Trouble> {
    site.read_in_place(spool, id, |Located { id, folder, path }| match folder.is_end() {
        true => ended(spool, *folder, id),
        false => waiting(site, id, *folder, path),
    })
}

/// The story of a task that has ended, and the file of the archive that it is in, if it is.
fn ended(spool: &Spool, folder: Folder, id: &TaskId) -> Result<Value, Trouble> {
    let mut story = super::result::read_result(spool, folder, id)?;
    if let Some(place) = spool.find_archived(id)
        && let Value::Object(story) = &mut story
    {
        story.insert("archived".into(), json!(place.file));
    }
    Ok(story)
}

/// The story so far of a task that has not ended.
fn waiting(
    site: &Site,
    id: &TaskId,
    folder: Folder,
    path: &std::path::Path,
) -> Result<Value, Trouble> {
    let row: Option<TaskRecord> = site.query().ok().and_then(|query| query.task(id).ok().flatten());
    let bytes = files::read(path, 16 << 20)
        .map_err(|error| Trouble::new(format!("cannot read `{id}`: {error}")))?;
    let task: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let mut story = Map::new();
    story.insert("task_id".into(), json!(id));
    story.insert("status".into(), json!(folder));
    if let Some(row) = row {
        story.insert("worker_type".into(), json!(row.assigned_worker_type));
        if let Some(batch) = row.waits_for.as_ref().filter(|_| folder == Folder::InProgress) {
            story.insert("waits_for".into(), json!(batch));
        }
        if folder == Folder::Pending {
            let paused = Note::Pause(None).stands(&site.home);
            let worker_type = row.assigned_worker_type.as_deref();
            let workers = super::workers::states(site);
            let waits_for = super::status::waits_for(row.waits_for, worker_type, &workers, paused);
            story.insert("waits_for".into(), json!(waits_for));
        }
        story.insert(
            "routing".into(),
            json!({ "difficulty_level": row.difficulty_level, "sensitivity_level": row.sensitivity_level }),
        );
        story.insert("created_at".into(), json!(row.created_at));
    }
    story.insert("task".into(), task);
    Ok(Value::Object(story))
}

/// The story as people read it, with the answer.
fn told(story: &Value) -> String {
    let mut told = head(story).join("\n") + "\n";
    if let Some(content) = story.get("content").and_then(Value::as_str) {
        told.push_str(&format!("\n{content}\n"));
    }
    told
}

/// What there is to tell of a task beside what was asked and answered, a line each.
pub(super) fn head(story: &Value) -> Vec<String> {
    let text = |pointer: &str| story.pointer(pointer).and_then(Value::as_str).map(tame);
    let said = |text: String| language::told(&text).into_owned();
    let mut lines = Vec::new();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lines.push(format!("{} {value}", padded(&language::told(name), 12)));
        }
    };
    line("task", text("/task_id"));
    line("status", text("/status"));
    line("worker", text("/worker_id").or_else(|| text("/worker_type")));
    line("model", text("/model"));
    line("difficulty", text("/routing/difficulty_level"));
    line("sensitivity", text("/routing/sensitivity_level"));
    line("waits for", text("/waits_for").map(said));
    line("archived", text("/archived").map(|file| format!("tasks/archive/{file}")));
    line("dropped", text("/created_at"));
    line("finished", text("/finished_at"));
    line(
        "cost",
        story.get("cost_usd").and_then(|cost| Some(Usd::deserialize(cost).ok()?.to_string())),
    );
    line(
        "error",
        text("/error/kind")
            .zip(text("/error/message"))
            .map(|(kind, why)| format!("{kind}: {}", said(why))),
    );
    for reason in story.pointer("/routing/reasons").and_then(Value::as_array).into_iter().flatten()
    {
        line("because", reason.get("why").and_then(Value::as_str).map(tame).map(said));
    }
    for attempt in story.get("attempts").and_then(Value::as_array).into_iter().flatten() {
        let part =
            |key: &str| attempt.get(key).and_then(Value::as_str).map(tame).unwrap_or_default();
        line(
            "attempt",
            Some(
                [part("started_at"), part("worker_id"), part("outcome"), said(part("message"))]
                    .join(" ")
                    .trim_end()
                    .to_owned(),
            ),
        );
    }
    for warning in story.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        line("warning", warning.as_str().map(tame).map(said));
    }
    lines
}
