//! The tools: what each is called, what it takes, and what it does.
//!
//! What a tool takes is a type whose comments are what the agent reads; a task's fields are
//! checked by the same code as everybody's, which names all that is wrong at once. A tool does
//! what the command of its name does, with the bounds of the session before it.

use std::sync::Arc;

use rmcp::handler::server::tool::schema_for_input;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Desk, bounds, results, waiting};
use crate::base::words::{self, Count};
use crate::cli::cancel::{self, Cancelling};
use crate::cli::result::read_result;
use crate::cli::site::parse_id;
use crate::cli::trouble::Trouble;
use crate::cli::{budget, list, retry, route, submit, workers};
use crate::spool::notes::Note;
use crate::task::{Folder, TaskId, placeholder};

/// A tool.
pub(super) struct Entry {
    pub(super) name: &'static str,
    title: &'static str,
    description: &'static str,
    kind: Kind,
    schema: fn() -> Arc<JsonObject>,
    pub(super) run: Run,
}

/// What a tool does to the world.
#[derive(Clone, Copy)]
enum Kind {
    /// It only looks.
    Reads,
    /// It adds work, which may go to models outside.
    Adds,
    /// It ends work.
    Ends,
}

/// How a tool is run.
#[derive(Clone, Copy)]
pub(super) enum Run {
    /// At once.
    Now(fn(&Desk, JsonObject) -> Result<Value, Trouble>),
    /// With an eye on the client: it takes its time, tells how far it is, and can be cancelled.
    Waiting,
}

/// All tools.
pub(super) const ALL: &[Entry] = &[
    Entry {
        name: "submit_task",
        title: "Hand out a task",
        description: "Hand one piece of work to the workshop and get its task_id at once. It is \
            stored durably, given to a local or cloud worker by its difficulty and confidentiality, \
            and done in the background: call `wait`, then `get_result`. Whoever does it sees only \
            this task, so put everything needed into it. Refused, with the reason, if it asks for \
            more than agents may.",
        kind: Kind::Adds,
        schema: schema::<SubmitTask>,
        run: Run::Now(submit_task),
    },
    Entry {
        name: "submit_tasks",
        title: "Hand out several tasks",
        description: "Hand out up to 1000 tasks in one call; either all are submitted or, if one is \
            wrong or not allowed, none. Give tasks that depend on each other a task_id each, and \
            name it in another's `depends_on`; `{result:ID}` in a description stands for that \
            task's answer. A common `group` lets you wait for all of them.",
        kind: Kind::Adds,
        schema: schema::<SubmitTasks>,
        run: Run::Now(submit_tasks),
    },
    Entry {
        name: "wait",
        title: "Wait for tasks",
        description: "Wait until tasks have ended, all or any of them, and learn which completed and \
            which failed. Ends with `still_running` when its time is over, saying what each open \
            task waits for: then call it again. Sends progress notifications.",
        kind: Kind::Reads,
        schema: schema::<waiting::Args>,
        run: Run::Waiting,
    },
    Entry {
        name: "get_result",
        title: "Read a result",
        description: "Read what came of a task: its answer as `content`, or its `error`, who did it, \
            what it cost and why it went there; of one that has not ended, where it stands. A long \
            answer comes in parts. The content of confidential tasks is withheld unless the \
            workshop's settings allow it.",
        kind: Kind::Reads,
        schema: schema::<GetResult>,
        run: Run::Now(get_result),
    },
    Entry {
        name: "list_tasks",
        title: "List tasks",
        description: "List tasks with their status, worker, difficulty and sensitivity, and what a \
            waiting one waits for: those that have not ended first, then the latest.",
        kind: Kind::Reads,
        schema: schema::<ListTasks>,
        run: Run::Now(list_tasks),
    },
    Entry {
        name: "cancel_task",
        title: "Cancel tasks",
        description: "End tasks that wait or run; they fail as `cancelled`, and so does what depends \
            on them. What was spent already stays spent.",
        kind: Kind::Ends,
        schema: schema::<Ids>,
        run: Run::Now(cancel_task),
    },
    Entry {
        name: "retry_task",
        title: "Retry failed tasks",
        description: "Run failed tasks again, with their history and as they are; to change one, \
            submit it anew. Look at the error first: what failed for a reason will fail again.",
        kind: Kind::Adds,
        schema: schema::<Ids>,
        run: Run::Now(retry_task),
    },
    Entry {
        name: "route_preview",
        title: "See where a task would go",
        description: "Say which worker would do a task, how difficult and confidential it is judged, \
            and why; nothing is run and nothing is spent. Takes the fields of submit_task.",
        kind: Kind::Reads,
        schema: schema::<TaskFields>,
        run: Run::Now(route_preview),
    },
    Entry {
        name: "budget_status",
        title: "Look at the budget",
        description: "The limits of money for the day and the month, what is spent, reserved and left, \
            in US dollars; and what this session may still spend, where that is limited.",
        kind: Kind::Reads,
        schema: schema::<Nothing>,
        run: Run::Now(budget_status),
    },
    Entry {
        name: "worker_status",
        title: "Look at the workers",
        description: "The workers with their names (for `worker`), whether each is local, idle, busy or \
            cannot be used and why, and whether the daemon that does the work is running.",
        kind: Kind::Reads,
        schema: schema::<Nothing>,
        run: Run::Now(worker_status),
    },
];

impl Entry {
    /// The tool as it is told to the client.
    pub(super) fn tool(&self) -> Tool {
        let hints = ToolAnnotations::with_title(self.title);
        let hints = match self.kind {
            Kind::Reads => hints.read_only(true).destructive(false).idempotent(true),
            Kind::Adds => hints.read_only(false).destructive(false).idempotent(false),
            Kind::Ends => hints.read_only(false).destructive(true).idempotent(true),
        };
        let hints = hints.open_world(matches!(self.kind, Kind::Adds));
        Tool::new(self.name, self.description, (self.schema)())
            .with_title(self.title)
            .with_annotations(hints)
    }
}

/// What a tool takes, as clients read it.
fn schema<T: JsonSchema + 'static>() -> Arc<JsonObject> {
    // Every type here is an object, which a test looks at.
    let mut schema = Value::Object((*schema_for_input::<T>().unwrap_or_default()).clone());
    plain(&mut schema);
    match schema {
        Value::Object(schema) => Arc::new(schema),
        _ => Arc::default(),
    }
}

/// Says of what may be left out what it is, and not that it may be `null`, too: some clients make
/// a text of whatever has two types. Comments lose their line ends.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.remove("format");
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [alone] = types.as_slice() {
                    let alone = alone.clone();
                    map.insert("type".into(), alone);
                }
            }
            if let Some(Value::Array(mut any)) = map.remove("anyOf") {
                any.retain(|one| one["type"] != "null");
                match any.pop() {
                    Some(Value::Object(alone)) if any.is_empty() => map.extend(alone),
                    last => {
                        any.extend(last);
                        map.insert("anyOf".into(), Value::Array(any));
                    }
                }
            }
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            map.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

/// Reads what a tool takes.
pub(super) fn arguments<T: DeserializeOwned>(given: JsonObject) -> Result<T, Trouble> {
    serde_path_to_error::deserialize(Value::Object(given)).map_err(|error| {
        let at = match error.path().to_string() {
            whole if whole == "." => String::new(),
            path => format!(" at `{}`", words::tame(&path)),
        };
        Trouble::new(format!("the arguments are wrong{at}: {}", error.into_inner()))
            .hint("the tool's input schema says what it takes")
    })
}

/// A task. Only its schema is used: the fields are read as those of any task are.
#[derive(JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[expect(dead_code, reason = "it is made for its schema")]
struct TaskFields {
    /// What is asked, in words. Whoever does it sees nothing else of your conversation. This or
    /// `messages` is needed.
    description: Option<String>,
    /// A chat in place of `description`: objects with `role` and `content`.
    messages: Option<Vec<Map<String, Value>>>,
    /// A name of your choice, to depend on: letters, digits, `.`, `_`, `-`. Refused if in use;
    /// without it one is made.
    task_id: Option<String>,
    /// The system prompt; the worker's own by default.
    system: Option<String>,
    /// Data for the work, any JSON, added to what is asked.
    input: Option<Value>,
    /// Absolute paths of text files whose content is added; only below the folders that the
    /// settings allow.
    files: Option<Vec<String>>,
    /// The folder that an agent works in; only below the folders that the settings allow. A fresh
    /// one by default.
    workspace: Option<String>,
    /// What sort of work it is, such as `code_generation`; workers may be meant for some.
    task_type: Option<String>,
    /// 0 to 10; 5 by default, higher goes first. Lowered where agents may have less.
    #[schemars(range(max = 10))]
    priority: Option<u8>,
    /// How hard it is; judged by the text where not stated.
    difficulty_level: Option<Difficulty>,
    /// `confidential` keeps it with local workers, and keeps its answer from you. It is also judged
    /// by the text; a stated level can be raised by what is found, and never lowered.
    sensitivity_level: Option<Sensitivity>,
    /// The worker that is to do it (see worker_status); usually better left to the workshop.
    worker: Option<String>,
    /// Workers to ask in turn, the cheapest first, until an answer is accepted.
    escalate: Option<Vec<String>>,
    /// Workers that do it where its own cannot be used.
    fallback: Option<Vec<String>>,
    /// What an answer must be to be accepted: `{"regex": …}`, `{"json_schema": …}` or
    /// `{"check": NAME}`.
    accept: Option<Map<String, Value>>,
    /// A JSON schema that the answer must fit; models are told.
    response_schema: Option<Map<String, Value>>,
    /// Tasks that must be completed first. Write `{result:ID}` in the description where the answer
    /// of one is to stand.
    depends_on: Option<Vec<String>>,
    /// The task that it belongs to.
    parent_task_id: Option<String>,
    /// How many subtasks its answer may ask for; 0 by default.
    may_spawn: Option<u32>,
    /// Tasks that belong together, to wait for as one.
    group: Option<String>,
    /// The most that all its attempts may cost together, in US dollars.
    #[schemars(range(min = 0))]
    max_cost_usd: Option<f64>,
    /// The most tokens of the answer.
    #[schemars(range(min = 1))]
    max_tokens: Option<u32>,
    /// How many attempts it may have.
    #[schemars(range(min = 1))]
    max_attempts: Option<u32>,
    /// How long one attempt may take, in seconds.
    timeout_s: Option<f64>,
    /// Not before this time (RFC 3339).
    not_before: Option<String>,
    /// Fails if it has not begun by this time (RFC 3339).
    expires_at: Option<String>,
    /// `batch`: it may take up to a day and costs about half.
    urgency: Option<Urgency>,
    /// Whether the answer that the same request had before will do.
    cache: Option<bool>,
    /// Passed to the model's API as it is.
    params: Option<Map<String, Value>>,
    /// Anything, carried into the result untouched.
    metadata: Option<Map<String, Value>>,
}

#[derive(JsonSchema)]
#[schemars(crate = "rmcp::schemars", rename_all = "lowercase")]
#[expect(dead_code, reason = "it is made for its schema")]
enum Difficulty {
    Low,
    Medium,
    High,
}

#[derive(JsonSchema)]
#[schemars(crate = "rmcp::schemars", rename_all = "lowercase")]
#[expect(dead_code, reason = "it is made for its schema")]
enum Sensitivity {
    Public,
    Confidential,
}

#[derive(JsonSchema)]
#[schemars(crate = "rmcp::schemars", rename_all = "lowercase")]
#[expect(dead_code, reason = "it is made for its schema")]
enum Urgency {
    Batch,
}

#[derive(JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[expect(dead_code, reason = "it is made for its schema")]
struct SubmitTask {
    #[schemars(flatten)]
    task: TaskFields,
    /// Submit nothing if a task of the same task_id or, without one, of the same content is there
    /// already: makes it safe to call again.
    unique: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[expect(dead_code, reason = "it is made for its schema")]
struct SubmitTasks {
    /// The tasks, each with the fields of submit_task.
    #[schemars(length(min = 1, max = 1000))]
    tasks: Vec<TaskFields>,
    /// Submit none that is there already, by task_id or content.
    unique: Option<bool>,
}

/// What `submit_tasks` takes, before the tasks are read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Documents {
    tasks: Vec<Map<String, Value>>,
    #[serde(default)]
    unique: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
struct GetResult {
    /// The task.
    task_id: String,
    /// From which character of the answer on; 0 by default.
    #[serde(default)]
    offset: usize,
    /// How many characters of the answer at most; 30000 by default.
    #[schemars(range(min = 1))]
    max_chars: Option<usize>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
struct ListTasks {
    /// Only those in this folder.
    status: Option<Status>,
    /// Only those of this group.
    group: Option<String>,
    /// How many at most; 100 by default, 1000 at most.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
}

#[derive(Deserialize, JsonSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
#[schemars(crate = "rmcp::schemars")]
enum Status {
    Pending,
    InProgress,
    Completed,
    Failed,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
struct Ids {
    /// The tasks.
    #[schemars(length(min = 1))]
    ids: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
struct Nothing {}

/// The most tasks of one call.
const MOST_TASKS: usize = 1_000;

fn submit_task(desk: &Desk, mut given: JsonObject) -> Result<Value, Trouble> {
    let unique = match given.remove("unique") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(unique)) => unique,
        Some(_) => return Err(Trouble::new("`unique` must be `true` or `false`")),
    };
    let mut told = submit(desk, vec![given], unique)?;
    Ok(told.pop().unwrap_or_default())
}

fn submit_tasks(desk: &Desk, given: JsonObject) -> Result<Value, Trouble> {
    let Documents { tasks, unique } = arguments(given)?;
    if tasks.is_empty() || tasks.len() > MOST_TASKS {
        let message = format!("`tasks` has {}", Count(tasks.len() as u64, "task"));
        return Err(Trouble::new(message).hint(format!("give from 1 to {MOST_TASKS} at once")));
    }
    let told = submit(desk, tasks, unique.unwrap_or(false))?;
    Ok(json!({ "tasks": told }))
}

/// Submits all of them, or none where one is refused.
fn submit(
    desk: &Desk,
    documents: Vec<Map<String, Value>>,
    unique: bool,
) -> Result<Vec<Value>, Trouble> {
    let critical = budget::is_critical(&desk.site, &desk.config);
    let mut session = desk.session();
    let mut room = session.room(&desk.spool);
    let alone = documents.len() == 1;
    let mut admitted = Vec::new();
    for (n, document) in documents.into_iter().enumerate() {
        let found = bounds::admit(session.bounds(), &desk.config, critical, document, &mut room);
        admitted.push(found.map_err(|trouble| match alone {
            true => trouble,
            false => Trouble {
                message: format!("task {} of them: {}", n + 1, trouble.message),
                ..trouble.because("none of them was submitted")
            },
        })?);
    }
    let mut told = Vec::new();
    for task in admitted {
        let document = task.document.clone();
        let dropped = submit::drop_as_stated(&desk.site, &desk.spool, document, unique);
        let dropped = dropped.map_err(|trouble| match told.as_slice() {
            [] => trouble,
            before => trouble.because(format!("{} was submitted before it", names(before))),
        })?;
        let mut line = json!({ "task_id": dropped.id });
        if let Some(there) = dropped.there {
            line["note"] = json!(format!("it was there already{there}"));
            told.push(line);
            continue;
        }
        session.remember(&dropped.id, &task);
        line["worker_type"] = json!(task.worker_type);
        line["difficulty_level"] = json!(task.seen.difficulty);
        line["sensitivity_level"] = json!(task.seen.sensitivity);
        if let Some(cap) = task.cap {
            line["max_cost_usd"] = json!(cap);
        }
        if !task.warnings.is_empty() {
            line["warnings"] = json!(task.warnings);
        }
        told.push(line);
    }
    Ok(told)
}

fn names(told: &[Value]) -> String {
    let names = told.iter().filter_map(|line| line["task_id"].as_str());
    words::names(names, "and")
}

fn get_result(desk: &Desk, given: JsonObject) -> Result<Value, Trouble> {
    const USUAL: usize = 30_000;
    let GetResult { task_id, offset, max_chars } = arguments(given)?;
    let mut story = results::story(desk, &id(&task_id)?)?;
    results::cut(&mut story, offset, max_chars.unwrap_or(USUAL).max(1));
    Ok(story)
}

fn list_tasks(desk: &Desk, given: JsonObject) -> Result<Value, Trouble> {
    let ListTasks { status, group, limit } = arguments(given)?;
    let status = status.map(|status| match status {
        Status::Pending => Folder::Pending,
        Status::InProgress => Folder::InProgress,
        Status::Completed => Folder::Completed,
        Status::Failed => Folder::Failed,
    });
    let all = list::Tasks::read(&desk.site, &desk.spool, status.map(Folder::as_str))?;
    let mut tasks = all.listed(&desk.site);
    if let Some(group) = group {
        let name = group
            .parse()
            .map_err(|error: crate::task::id::BadGroupName| Trouble::new(error.to_string()))?;
        let rows = desk.site.query()?.group(&name)?;
        let ids: std::collections::HashSet<String> =
            rows.into_iter().map(|row| row.task_id).collect();
        tasks.retain(|task| ids.contains(task.task_id));
    }
    let is_open = |status: &str| Folder::from_name(status).is_some_and(|folder| !folder.is_end());
    tasks.sort_by(|a, b| {
        let by_end = is_open(b.status).cmp(&is_open(a.status));
        by_end.then_with(|| b.created_at.cmp(&a.created_at)).then_with(|| a.task_id.cmp(b.task_id))
    });
    let all = tasks.len();
    tasks.truncate(limit.unwrap_or(100).clamp(1, 1_000));
    for task in &mut tasks {
        if !waiting::may_be_told(desk, task) {
            task.waits_for = None;
        }
    }
    Ok(json!({ "total": all, "left_off": all - tasks.len(), "tasks": tasks }))
}

fn cancel_task(desk: &Desk, given: JsonObject) -> Result<Value, Trouble> {
    let ids = ids(given)?;
    // All of them or none: a name that is wrong must not leave the rest half done.
    let located: Result<Vec<_>, _> =
        ids.iter().map(|id| desk.site.locate(&desk.spool, id)).collect();
    let mut told = Vec::new();
    for task in located? {
        let line = match cancel::cancel(&desk.site, &task.id, task.folder)? {
            Cancelling::Ended => json!({ "task_id": task.id, "status": task.folder,
                "note": "it had ended already" }),
            Cancelling::Begun(more) => {
                json!({ "task_id": task.id, "status": "cancelling", "note": more })
            }
        };
        told.push(line);
    }
    Ok(json!({ "tasks": told }))
}

fn retry_task(desk: &Desk, given: JsonObject) -> Result<Value, Trouble> {
    let ids = ids(given)?;
    let mut session = desk.session();
    let mut told = Vec::new();
    for id in &ids {
        if desk.spool.find(id) == Some(Folder::Failed) {
            let result = read_result(&desk.spool, Folder::Failed, id)?;
            session.admit_again(&desk.config, &desk.spool, id, &result)?;
        }
        retry::retry(&desk.spool, id).map_err(|trouble| match told.as_slice() {
            [] => trouble,
            before => trouble.because(format!("{} went back before it", names(before))),
        })?;
        told.push(json!({ "task_id": id, "status": Folder::Pending }));
    }
    Ok(json!({ "tasks": told }))
}

fn route_preview(desk: &Desk, mut given: JsonObject) -> Result<Value, Trouble> {
    given.remove("unique");
    let task = submit::checked(&given, "this")?;
    let critical = budget::is_critical(&desk.site, &desk.config);
    let filled = words::names(placeholder::named_in(&task), "and");
    let answer = route::answer(&desk.config, critical, task);
    let mut told = serde_json::to_value(answer).map_err(|error| Trouble::new(error.to_string()))?;
    if !filled.is_empty() {
        let note = format!(
            "the answer of {filled} is not in it yet: once it is, the task is judged anew, and is \
             confidential if that answer is"
        );
        told["note"] = json!(note);
    }
    Ok(told)
}

fn budget_status(desk: &Desk, given: JsonObject) -> Result<Value, Trouble> {
    let Nothing {} = arguments(given)?;
    let money = budget::money(&desk.site)?;
    serde_json::to_value(money).map_err(|error| Trouble::new(error.to_string()))
}

fn worker_status(desk: &Desk, given: JsonObject) -> Result<Value, Trouble> {
    let Nothing {} = arguments(given)?;
    let mut told = json!({
        "workers": workers::states(&desk.site),
        "daemon_running": desk.site.daemon().is_some(),
        "paused": Note::Pause(None).stands(&desk.site.home),
    });
    if let Some(allowed) = &desk.session().bounds().allow_workers {
        told["agents_may_use"] = json!(allowed);
    }
    Ok(told)
}

fn id(text: &str) -> Result<TaskId, Trouble> {
    parse_id(text).map_err(Trouble::new)
}

fn ids(given: JsonObject) -> Result<Vec<TaskId>, Trouble> {
    let Ids { ids } = arguments(given)?;
    if ids.is_empty() {
        return Err(Trouble::new("`ids` is empty: name at least one task"));
    }
    ids.iter().map(|text| id(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::fields;

    fn properties(name: &str) -> Map<String, Value> {
        let entry = ALL.iter().find(|entry| entry.name == name).unwrap();
        (entry.schema)()["properties"].as_object().unwrap().clone()
    }

    #[test]
    fn every_tool_takes_an_object_and_says_what_each_field_is() {
        for entry in ALL {
            let schema = Value::Object((*(entry.schema)()).clone());
            assert_eq!(schema["type"], "object", "{}", entry.name);
            jsonschema::validator_for(&schema).unwrap();
            assert!(!schema.to_string().contains("null"), "{}: {schema:#}", entry.name);
            let fields = schema.get("properties").and_then(Value::as_object);
            for (field, is) in fields.into_iter().flatten() {
                assert!(is["description"].is_string(), "{}: {field}: {is}", entry.name);
            }
        }
    }

    #[test]
    fn a_task_may_have_every_field_here_that_it_may_have_anywhere() {
        let told = properties("route_preview");
        for field in fields::names() {
            assert!(told.contains_key(field), "the tools do not tell of `{field}`");
        }
        assert_eq!(told.len(), fields::FIELDS.len());
        assert_eq!(properties("submit_task").len(), told.len() + 1);
    }
}
