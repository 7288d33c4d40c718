//! What an agent may see of a task: its story, and the results as resources.
//!
//! An agent that plans in the cloud sends on what it reads here. So of a task that is not
//! known to be public it sees where it stands, what it cost and why it went where it went,
//! and nothing that was asked or answered, unless the settings allow it.

use std::time::SystemTime;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rmcp::model::{ErrorData, Resource, ResourceContents, ResourceTemplate};
use serde_json::{Map, Value, json};

use super::Desk;
use crate::base::words;
use crate::cli::show;
use crate::cli::site::parse_id;
use crate::cli::trouble::Trouble;
use crate::task::{Folder, Sensitivity, TaskId};

/// How the address of a result begins.
const PREFIX: &str = "koubou://result/";
const JSON: &str = "application/json";
/// What stands in an address as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');
/// The most results that are listed.
const MOST_LISTED: usize = 100;

/// What kinds of failure are told in koubou's own words, and never in those of a worker or a task.
const OWN_WORDS: [&str; 5] = ["timeout", "over_budget", "expired", "cancelled", "daemon_died"];

/// A task's story so far, or its result, as far as the agent may see it.
pub(super) fn story(desk: &Desk, id: &TaskId) -> Result<Value, Trouble> {
    let (_, mut story) = show::story(&desk.site, &desk.spool, id)?;
    if !desk.allow_confidential && !is_public(&story) {
        withhold(&mut story);
    }
    Ok(story)
}

/// Whether a task was judged, and found public.
fn is_public(story: &Value) -> bool {
    let level = story.pointer("/routing/sensitivity_level").and_then(Value::as_str);
    level == Some(Sensitivity::Public.as_str())
}

/// What is told of every task: where it stands, and what it took.
const TOLD: [&str; 16] = [
    "task_id",
    "status",
    "worker_id",
    "worker_type",
    "cached",
    "error",
    "children",
    "exit_code",
    "timestamp",
    "usage",
    "cost_usd",
    "routing",
    "attempts",
    "created_at",
    "started_at",
    "finished_at",
];

/// Takes out what was asked, answered and said, and says so.
fn withhold(story: &mut Value) {
    let Some(story) = story.as_object_mut() else { return };
    let withheld = keep_what_may_be_told(story);
    if !withheld.is_empty() {
        story.insert("withheld".into(), json!(withheld));
        let why = "this task is confidential, or not known to be public, and \
                   `mcp.allow_confidential` is not set: the person at the workshop can read it \
                   (`koubou result ID`), and a task with `{result:ID}` can work on it";
        story.insert("withheld_because".into(), json!(why));
    }
}

/// Keeps what may be told of any task; what was taken out. What is not known is not told.
fn keep_what_may_be_told(story: &mut Map<String, Value>) -> Vec<String> {
    let mut withheld: Vec<String> =
        story.keys().filter(|key| !TOLD.contains(&key.as_str())).cloned().collect();
    story.retain(|key, _| TOLD.contains(&key.as_str()));
    let kind = story.get("error").and_then(|error| error.get("kind")).and_then(Value::as_str);
    if kind.is_some_and(|kind| !OWN_WORDS.contains(&kind))
        && let Some(error) = story.get_mut("error").and_then(Value::as_object_mut)
    {
        error.retain(|key, _| key == "kind");
        withheld.push("error.message".into());
    }
    for attempt in objects(story, "attempts") {
        attempt.remove("message");
    }
    for child in objects(story, "children") {
        keep_what_may_be_told(child);
    }
    withheld
}

fn objects<'a>(
    story: &'a mut Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let all = story.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten();
    all.filter_map(Value::as_object_mut)
}

/// Cuts an answer to the part that was asked for, and says where the rest is.
pub(super) fn cut(story: &mut Value, offset: usize, most: usize) {
    let Some(story) = story.as_object_mut() else { return };
    let Some(content) = story.get("content").and_then(Value::as_str) else { return };
    let all = content.chars().count();
    if offset == 0 && all <= most {
        return;
    }
    let part: String = content.chars().skip(offset).take(most).collect();
    let end = offset.saturating_add(part.chars().count());
    story.insert("content".into(), json!(part));
    story.insert("content_chars".into(), json!(all));
    if end < all {
        story.insert("next_offset".into(), json!(end));
    }
}

/// The address of a result.
pub(super) fn address(id: &str) -> String {
    format!("{PREFIX}{}", utf8_percent_encode(id, PLAIN))
}

/// The form of all addresses.
pub(super) fn template() -> ResourceTemplate {
    ResourceTemplate::new(format!("{PREFIX}{{task_id}}"), "result")
        .with_title("Result of a task")
        .with_description("What came of a task that has ended, as its file in the queue has it")
        .with_mime_type(JSON)
}

/// The latest results.
pub(super) fn latest(desk: &Desk) -> Result<Vec<Resource>, Trouble> {
    let mut found: Vec<(SystemTime, TaskId, Folder, u64)> = Vec::new();
    for folder in [Folder::Completed, Folder::Failed] {
        for id in desk.spool.ids(folder)? {
            // One that was moved meanwhile is in the next list.
            let meta = std::fs::metadata(desk.spool.file(folder, &id));
            if let Ok((at, size)) = meta.and_then(|meta| Ok((meta.modified()?, meta.len()))) {
                found.push((at, id, folder, size));
            }
        }
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    found.truncate(MOST_LISTED);
    let listed = found.into_iter().map(|(_, id, folder, size)| {
        Resource::new(address(id.as_str()), id.as_str())
            .with_description(format!("{folder}"))
            .with_mime_type(JSON)
            .with_size(size)
    });
    Ok(listed.collect())
}

/// What stands at an address.
pub(super) fn read(desk: &Desk, uri: &str) -> Result<ResourceContents, ErrorData> {
    let missing = |why: String| ErrorData::resource_not_found(why, Some(json!({ "uri": uri })));
    let shown = words::excerpt(&words::tame(uri), 100);
    let name = uri.strip_prefix(PREFIX).ok_or_else(|| {
        missing(format!("there is no resource `{shown}`: results are at {PREFIX}TASK_ID"))
    })?;
    let name = percent_decode_str(name).decode_utf8_lossy();
    let id = parse_id(&name).map_err(missing)?;
    let located = desk.site.locate(&desk.spool, &id).map_err(|trouble| missing(trouble.told()))?;
    if !located.folder.is_end() {
        let why = format!("`{id}` is {}, and has no result yet: `wait` for it", located.folder);
        return Err(missing(why));
    }
    let story = story(desk, &located.id).map_err(|trouble| {
        ErrorData::internal_error(trouble.told(), Some(json!({ "uri": uri })))
    })?;
    Ok(ResourceContents::text(story.to_string(), uri).with_mime_type(JSON))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_of_confidential_work_is_taken_out_at_every_depth() {
        let mut story = json!({
            "task_id": "x", "status": "failed", "cost_usd": 0,
            "content": "SECRET", "stderr": "SECRET", "diff": "SECRET", "task": {"description": "SECRET"},
            "error": {"kind": "command_failed", "message": "SECRET"},
            "attempts": [{"outcome": "failed", "message": "SECRET"}],
            "children": [{"task_id": "y", "content": "SECRET", "children": [{"content": "SECRET"}]}],
        });
        assert!(!is_public(&story));
        withhold(&mut story);
        assert!(!story.to_string().contains("SECRET"), "{story:#}");
        let withheld = json!(["content", "stderr", "diff", "task", "error.message"]);
        assert_eq!(story["withheld"], withheld);
        assert_eq!(story["children"][0]["task_id"], "y");
    }

    #[test]
    fn what_koubou_says_itself_stays() {
        let error = json!({"kind": "over_budget", "message": "it costs too much"});
        let mut story = json!({"status": "failed", "error": error});
        withhold(&mut story);
        assert_eq!(story, json!({"status": "failed", "error": error}));
    }

    #[test]
    fn a_long_answer_comes_in_parts() {
        let mut story = json!({"content": "áéíóú"});
        cut(&mut story, 1, 2);
        assert_eq!(story, json!({"content": "éí", "content_chars": 5, "next_offset": 3}));
        let mut story = json!({"content": "short"});
        cut(&mut story, 0, 5);
        assert_eq!(story, json!({"content": "short"}));
    }

    #[test]
    fn every_id_has_an_address() {
        assert_eq!(address("a.b_c-1"), "koubou://result/a.b_c-1");
        assert_eq!(address("案"), "koubou://result/%E6%A1%88");
    }
}
