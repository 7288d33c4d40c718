//! Tasks that an answer asks for: read, bounded by what their parent may, and given names.
//!
//! A task with `may_spawn` may be answered with `{"subtasks": [{"name": …, "description": …}, …]}`.
//! Each becomes a task of its own, called `PARENT-NAME`. None may do what its parent may
//! not: it is as confidential, no more urgent, reads no other files, and costs no more
//! than is left for the parent.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Sensitivity, Task, TaskId, Usd, accept, placeholder, wire};
use crate::base::words::{self, Count};

/// A task as a JSON object.
pub type Document = Map<String, Value>;

/// How a model is told that it may hand out parts.
pub fn offer(may_spawn: u32) -> String {
    format!(
        "You may hand out parts of this work instead of doing all of it yourself. To do so, answer \
         with JSON alone: {{\"content\": \"what to tell\", \"subtasks\": [{{\"name\": \"a\", \
         \"description\": \"…\"}}]}}, with at most {}. Each is done by somebody who sees only its \
         description. One may have `depends_on`, a list of names of others, and then \
         `{{result:NAME}}` in its description stands for that one's answer. Where there is \
         nothing to hand out, answer as usual.",
        Count(may_spawn.into(), "subtask")
    )
}

/// The tasks that an answer asks for, whole and named; none where it asks for none.
///
/// # Errors
/// What is wrong with them, in words for whoever wrote the answer.
pub fn read(
    answer: &str,
    parent: &Task,
    sensitivity: Sensitivity,
) -> Result<Vec<Document>, String> {
    let text = accept::unfenced(answer).unwrap_or(answer);
    let Ok(Value::Object(mut answer)) = serde_json::from_str(text) else { return Ok(Vec::new()) };
    let Some(subtasks) = answer.remove("subtasks").filter(|value| !value.is_null()) else {
        return Ok(Vec::new());
    };
    let documents: Option<Vec<Document>> = match subtasks {
        Value::Array(items) => items
            .into_iter()
            .map(|item| if let Value::Object(map) = item { Some(map) } else { None })
            .collect(),
        _ => None,
    };
    let documents = documents.ok_or("`subtasks` must be an array of tasks, each a JSON object")?;
    let names = names(&documents, &parent.id, sensitivity)?;
    let mut tasks = Vec::new();
    for (n, document) in documents.into_iter().enumerate() {
        let id = names[&label(&document, n)].clone();
        tasks.push(whole(document, &id, &names, parent, sensitivity)?);
    }
    bounded(&tasks, parent)?;
    in_order(&tasks)?;
    Ok(tasks.into_iter().map(|task| task.document).collect())
}

/// What an answer that asks for tasks tells besides, where it is that and no more.
pub fn told(answer: &str) -> Option<String> {
    let text = accept::unfenced(answer).unwrap_or(answer);
    let Ok(Value::Object(mut answer)) = serde_json::from_str(text) else { return None };
    answer.remove("subtasks")?;
    match (answer.remove("content"), answer.is_empty()) {
        (Some(Value::String(content)), true) => Some(content),
        _ => None,
    }
}

/// The name that a subtask states, or its number.
fn label(document: &Document, n: usize) -> String {
    let stated = ["name", "task_id"].into_iter().find_map(|key| document.get(key)?.as_str());
    stated.map_or_else(|| (n + 1).to_string(), str::to_owned)
}

/// What each subtask is called, by the name that the answer gives it. What a confidential answer
/// says stands in no name that others see: there they are numbered.
fn names(
    documents: &[Document],
    parent: &TaskId,
    sensitivity: Sensitivity,
) -> Result<BTreeMap<String, TaskId>, String> {
    let (mut names, mut ids) = (BTreeMap::new(), BTreeSet::new());
    for (n, document) in documents.iter().enumerate() {
        let label = label(document, n);
        let id = match sensitivity {
            Sensitivity::Public => TaskId::from_stem(&format!("{parent}-{label}")),
            Sensitivity::Confidential => TaskId::from_stem(&format!("{parent}-{}", n + 1)),
        };
        let is_new = ids.insert(id.clone()) && !names.contains_key(&label);
        if !is_new {
            let shown = words::excerpt(&words::tame(&label), 60);
            return Err(format!("two subtasks are called `{shown}`: give each a name of its own"));
        }
        names.insert(label, id);
    }
    Ok(names)
}

/// A subtask as a task that can stand alone, with what it inherits.
fn whole(
    mut document: Document,
    id: &TaskId,
    names: &BTreeMap<String, TaskId>,
    parent: &Task,
    sensitivity: Sensitivity,
) -> Result<Task, String> {
    document.remove("name");
    document.insert("task_id".into(), Value::from(id.as_str()));
    document.insert("parent_task_id".into(), Value::from(parent.id.as_str()));
    if let Some(Value::Array(depends_on)) = document.get_mut("depends_on") {
        for name in depends_on {
            if let Some(id) = name.as_str().and_then(|name| names.get(name)) {
                *name = Value::from(id.as_str());
            }
        }
    }
    check_needs(&document, names, parent, sensitivity)?;
    let mut full = |id: &TaskId| Some(format!("{{result:{}}}", names.get(id.as_str())?));
    for (key, value) in &mut document {
        if key != "task_id" && key != "depends_on" {
            placeholder::replace_in(value, &mut full);
        }
    }
    inherit(&mut document, parent, sensitivity);
    let task = wire::read_document(id.as_str(), document)
        .map_err(|flaws| format!("subtask `{id}`: {}", flaws.message()))?;
    let foreign = task.files.iter().find(|file| !parent.files.contains(file));
    match foreign {
        Some(file) => Err(format!(
            "subtask `{id}` names the file `{}`, which its parent does not: a subtask reads no others",
            words::tame(&file.to_string_lossy())
        )),
        None => Ok(task),
    }
}

/// No subtask waits for its parent; one of a confidential parent waits for its siblings and for
/// what its parent waited for, and for nobody whom the answer names besides.
fn check_needs(
    document: &Document,
    names: &BTreeMap<String, TaskId>,
    parent: &Task,
    sensitivity: Sensitivity,
) -> Result<(), String> {
    let needs = document.get("depends_on").and_then(Value::as_array).into_iter().flatten();
    for need in needs.filter_map(Value::as_str) {
        if need == parent.id.as_str() {
            return Err(format!("a subtask waits for its parent `{need}`, which waits for it"));
        }
        let is_known = names.values().chain(&parent.depends_on).any(|id| id.as_str() == need);
        if sensitivity == Sensitivity::Confidential && !is_known {
            return Err("a subtask of a confidential task depends on one that is no sibling".into());
        }
    }
    Ok(())
}

fn inherit(document: &mut Document, parent: &Task, sensitivity: Sensitivity) {
    if sensitivity == Sensitivity::Confidential {
        document.insert("sensitivity_level".into(), Value::from(sensitivity.as_str()));
        // These stand in the database and the log, and none of its words may.
        document.remove("group");
        document.insert("task_type".into(), Value::from(parent.task_type.as_str()));
    }
    let stated = document.get("priority").and_then(Value::as_u64);
    if stated.is_none_or(|stated| stated > parent.priority.into()) {
        document.insert("priority".into(), Value::from(parent.priority));
    }
    for key in ["group", "expires_at"] {
        if let Some(value) = parent.document.get(key)
            && !document.contains_key(key)
        {
            document.insert(key.to_owned(), value.clone());
        }
    }
}

/// All that comes of a task counts: its subtasks, and theirs in turn.
fn bounded(tasks: &[Task], parent: &Task) -> Result<(), String> {
    let all: u64 = tasks.iter().map(|task| 1 + u64::from(task.may_spawn)).sum();
    if all <= parent.may_spawn.into() {
        return Ok(());
    }
    Err(format!(
        "it asks for {}, those that they may spawn counted, and `may_spawn` is {}",
        Count(all, "subtask"),
        parent.may_spawn
    ))
}

/// Whether they can be done one after another.
fn in_order(tasks: &[Task]) -> Result<(), String> {
    let mut open: BTreeMap<&TaskId, &[TaskId]> =
        tasks.iter().map(|task| (&task.id, task.depends_on.as_slice())).collect();
    loop {
        let is_free = |depends_on: &[TaskId]| !depends_on.iter().any(|id| open.contains_key(id));
        let free: Vec<&TaskId> =
            open.iter().filter(|(_, on)| is_free(on)).map(|(id, _)| *id).collect();
        if free.is_empty() {
            break;
        }
        open.retain(|id, _| !free.contains(id));
    }
    match open.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "the subtasks {} wait for one another: take one out of `depends_on`",
            words::names(open.keys().map(|id| id.as_str()), "and")
        )),
    }
}

/// Lets subtasks cost no more together than is left for their parent: what one states for
/// itself counts, and those that state nothing share the rest alike.
pub fn share(documents: &mut [Document], left: Usd) {
    let stated = |document: &Document| -> Option<Usd> {
        document.get("max_cost_usd")?.as_number()?.as_str().parse().ok()
    };
    let mut rest = left;
    let mut open = Vec::new();
    for document in documents {
        match stated(document) {
            Some(wanted) => {
                let cap = wanted.min(rest);
                rest = rest.less(cap);
                cap_at(document, cap);
            }
            None => open.push(document),
        }
    }
    let each = rest.divided_by(open.len() as u64);
    open.into_iter().for_each(|document| cap_at(document, each));
}

fn cap_at(document: &mut Document, cap: Usd) {
    if let Ok(number) = serde_json::from_str::<Value>(&cap.exact()) {
        document.insert("max_cost_usd".into(), number);
    }
}

/// Gives subtasks other names, and each other's names with them.
pub fn rename(documents: &mut [Document], names: &BTreeMap<TaskId, TaskId>) {
    let mut renamed = |id: &TaskId| names.get(id).map(|new| format!("{{result:{new}}}"));
    for document in documents {
        for (key, value) in document.iter_mut() {
            match key.as_str() {
                "task_id" => rename_one(value, names),
                "depends_on" => {
                    value.as_array_mut().into_iter().flatten().for_each(|id| rename_one(id, names));
                }
                _ => placeholder::replace_in(value, &mut renamed),
            }
        }
    }
}

fn rename_one(value: &mut Value, names: &BTreeMap<TaskId, TaskId>) {
    let id = value.as_str().and_then(|text| text.parse::<TaskId>().ok());
    if let Some(new) = id.and_then(|id| names.get(&id)) {
        *value = Value::from(new.as_str());
    }
}

/// What a subtask is called.
pub fn id_of(document: &Document) -> Option<TaskId> {
    document.get("task_id")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parent(more: &Value) -> Task {
        let mut map = json!({ "description": "split", "may_spawn": 5, "priority": 4 });
        map.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wire::read("plan", map.to_string().as_bytes()).unwrap()
    }

    fn read_as(answer: &Value, parent: &Task) -> Result<Vec<Value>, String> {
        let documents = read(&answer.to_string(), parent, Sensitivity::Public)?;
        Ok(documents.into_iter().map(Value::Object).collect())
    }

    #[test]
    fn an_answer_without_subtasks_is_an_answer() {
        for answer in ["42", "{\"content\": \"x\"}", "no { json", "{\"subtasks\": null}", "[]"] {
            assert_eq!(read(answer, &parent(&json!({})), Sensitivity::Public), Ok(Vec::new()));
        }
    }

    #[test]
    fn subtasks_know_each_other_by_name_and_are_named_after_their_parent() {
        let answer = json!({ "subtasks": [
            { "name": "fetch", "description": "fetch it" },
            { "description": "of {result:fetch} and {result:other}", "depends_on": ["fetch", "x"] },
        ]});
        let tasks = read_as(&answer, &parent(&json!({ "group": "g" }))).unwrap();
        assert_eq!(tasks[0]["task_id"], "plan-fetch");
        assert_eq!(tasks[0]["parent_task_id"], "plan");
        assert_eq!((&tasks[0]["priority"], &tasks[0]["group"]), (&json!(4), &json!("g")));
        assert_eq!(tasks[1]["task_id"], "plan-2");
        assert_eq!(tasks[1]["description"], "of {result:plan-fetch} and {result:other}");
        assert_eq!(tasks[1]["depends_on"], json!(["plan-fetch", "x"]));
        let fenced = format!("```json\n{answer}\n```");
        assert_eq!(read(&fenced, &parent(&json!({})), Sensitivity::Public).unwrap().len(), 2);
    }

    #[test]
    fn nothing_is_inherited_upward() {
        let parent = parent(&json!({ "files": ["/d/a"] }));
        let answer = json!({ "subtasks": [
            { "description": "a", "priority": 9, "sensitivity_level": "public", "files": ["/d/a"] }
        ]});
        let text = answer.to_string();
        let tasks = read(&text, &parent, Sensitivity::Confidential).unwrap();
        assert_eq!(tasks[0]["sensitivity_level"], "confidential");
        assert_eq!(tasks[0]["priority"], 4);
    }

    #[test]
    fn nothing_of_a_confidential_answer_stands_in_a_name() {
        let read = |subtask: Value| {
            let text = json!({ "subtasks": [subtask] }).to_string();
            read(&text, &parent(&json!({})), Sensitivity::Confidential)
        };
        let secret = json!({
            "name": "canary", "description": "a", "group": "canary", "task_type": "canary"
        });
        let tasks = read(secret).unwrap();
        assert_eq!(tasks[0]["task_id"], "plan-1");
        assert!(!Value::Object(tasks[0].clone()).to_string().contains("canary"), "{tasks:?}");
        let why = read(json!({ "description": "a", "depends_on": ["canary"] })).unwrap_err();
        assert!(why.contains("no sibling") && !why.contains("canary"), "{why}");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (subtasks, says) in [
            (json!("a"), "must be an array"),
            (json!([1]), "must be an array"),
            (json!([{ "name": "a" }]), "`plan-a`"),
            (json!([{ "description": "a", "files": ["/etc/passwd"] }]), "reads no others"),
            (
                json!([{ "description": "a", "name": "a" }, { "description": "b", "name": "a" }]),
                "own",
            ),
            (json!([{ "description": "a", "may_spawn": 5 }]), "asks for 6 subtasks"),
            (json!([{ "description": "a", "depends_on": ["plan"] }]), "waits for its parent"),
            (
                json!([
                    { "description": "a", "name": "a", "depends_on": ["b"] },
                    { "description": "b", "name": "b", "depends_on": ["a"] },
                ]),
                "wait for one another",
            ),
        ] {
            let answer = json!({ "subtasks": subtasks });
            let why = read_as(&answer, &parent(&json!({}))).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }

    #[test]
    fn what_is_left_is_shared() {
        let document = |value: Value| value.as_object().unwrap().clone();
        let mut documents =
            [document(json!({ "max_cost_usd": 0.5 })), document(json!({})), document(json!({}))];
        share(&mut documents, Usd::dollars(1));
        let caps: Vec<String> = documents.iter().map(|d| d["max_cost_usd"].to_string()).collect();
        assert_eq!(caps, ["0.5", "0.25", "0.25"]);
        share(&mut documents, "0.1".parse().unwrap());
        let caps: Vec<String> = documents.iter().map(|d| d["max_cost_usd"].to_string()).collect();
        assert_eq!(caps, ["0.1", "0", "0"]);
    }

    #[test]
    fn a_new_name_is_known_to_all() {
        let id = |text: &str| text.parse::<TaskId>().unwrap();
        let mut documents = [
            json!({ "task_id": "plan-1", "description": "a" }).as_object().unwrap().clone(),
            json!({ "task_id": "plan-2", "description": "{result:plan-1}", "depends_on": ["plan-1"] })
                .as_object()
                .unwrap()
                .clone(),
        ];
        rename(&mut documents, &BTreeMap::from([(id("plan-1"), id("plan-1.2"))]));
        assert_eq!(documents[0]["task_id"], "plan-1.2");
        assert_eq!(documents[1]["description"], "{result:plan-1.2}");
        assert_eq!(documents[1]["depends_on"], json!(["plan-1.2"]));
    }
}
