//! What an agent may do: the `mcp` of the settings, held over a session.
//!
//! A task that asks for more than it may is refused with a sentence; only its priority is
//! lowered, with a warning. Where a session has a limit of money, each of its tasks has a
//! cap, and all caps together, less what ended tasks did not use, never exceed it: no answer,
//! no retry and no subtask can spend what was not set aside here.
//!
//! Which files an agent's tasks may read, and what is confidential, is for the daemon to say,
//! as with everybody's.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::base::words::{self, Count};
use crate::cli::result::read_result;
use crate::cli::trouble::Trouble;
use crate::cli::{route, submit};
use crate::config::{Config, McpBounds, WorkerSpec};
use crate::route::decision::{Assessment, Decision};
use crate::spool::Spool;
use crate::task::{Task, TaskId, Usd, WorkerType, placeholder};

/// What a call sends beside its prompt, in tokens at most.
const FRAME_TOKENS: u64 = 1_000;

/// What an answer that is filled in may add to a prompt, in tokens; who expects more states a cap.
const FILLED_IN_TOKENS: u64 = 16_000;

/// A session's tasks, and what is set aside for them.
pub(super) struct Session {
    bounds: McpBounds,
    made: u32,
    promises: BTreeMap<TaskId, Promise>,
}

/// What a task may cost, at most.
#[derive(Clone, Copy)]
struct Promise {
    cap: Usd,
    /// What it had cost before this session had to do with it.
    before: Usd,
    /// What it did cost, with the time of the result that says so.
    known: Option<(SystemTime, Usd)>,
}

/// What is left for the tasks of one call.
pub(super) struct Room {
    money: Option<Usd>,
    tasks: Option<u32>,
}

/// A task that an agent may submit, as it is submitted.
pub(super) struct Admitted {
    pub(super) document: Map<String, Value>,
    pub(super) seen: Assessment,
    pub(super) worker_type: WorkerType,
    pub(super) warnings: Vec<String>,
    pub(super) cap: Option<Usd>,
    /// How many tasks it is, those that it may spawn counted.
    weight: u32,
}

impl Session {
    pub(super) fn new(bounds: McpBounds) -> Self {
        Self { bounds, made: 0, promises: BTreeMap::new() }
    }

    /// What is left now.
    pub(super) fn room(&mut self, spool: &Spool) -> Room {
        let money = self.bounds.max_cost_per_session.map(|limit| limit.less(self.promised(spool)));
        let tasks = self.bounds.max_tasks_per_session.map(|most| most.saturating_sub(self.made));
        Room { money, tasks }
    }

    /// What is left, for the agent to plan with; nothing where it has no limit.
    pub(super) fn told(&mut self, spool: &Spool) -> Option<Value> {
        let room = self.room(spool);
        let mut told = Map::new();
        if let Some((limit, left)) = self.bounds.max_cost_per_session.zip(room.money) {
            told.insert("cost_limit_usd".into(), json!(limit));
            told.insert("cost_left_usd".into(), json!(left));
        }
        if let Some(left) = room.tasks {
            told.insert("tasks_left".into(), json!(left));
        }
        (!told.is_empty()).then_some(Value::Object(told))
    }

    /// A task of this session lies in `pending`.
    pub(super) fn remember(&mut self, id: &TaskId, admitted: &Admitted) {
        self.made = self.made.saturating_add(admitted.weight);
        if let Some(cap) = admitted.cap {
            self.promises.insert(id.clone(), Promise { cap, before: Usd::ZERO, known: None });
        }
    }

    fn promised(&mut self, spool: &Spool) -> Usd {
        self.promises.iter_mut().map(|(id, promise)| promise.counts(spool, id)).sum()
    }

    /// Checks that a failed task may run again, and sets its money aside.
    pub(super) fn admit_again(
        &mut self,
        config: &Config,
        spool: &Spool,
        id: &TaskId,
        result: &Value,
    ) -> Result<(), Trouble> {
        let Some(task) = result.get("task").and_then(Value::as_object) else {
            let message =
                format!("`{id}` was no task when it was dropped, and none is known of it");
            return Err(Trouble::new(message).hint("a person mends it, and `koubou retry` runs it"));
        };
        let mut free = Room { money: None, tasks: None };
        let again = admit(&self.bounds, config, false, task.clone(), &mut free)?;
        if again.document != *task {
            return Err(Trouble::new(format!(
                "`{id}` may not run again as it is: the settings bound what agents ask for"
            ))
            .hint("submit it anew"));
        }
        let is_bounded = self.bounds.max_cost_per_session.is_some()
            || self.bounds.max_tasks_per_session.is_some();
        if is_bounded && task.get("may_spawn").is_some_and(|n| n.as_u64() != Some(0)) {
            return Err(Trouble::new(format!(
                "`{id}` may spawn tasks, and in a session with limits such a task is not run again"
            ))
            .hint("submit it anew"));
        }
        let Some(limit) = self.bounds.max_cost_per_session else { return Ok(()) };
        let promise = match self.promises.get(id) {
            Some(own) => Promise { known: None, ..*own },
            None => {
                let cap = submit::checked(task, "it")?.max_cost.ok_or_else(|| {
                    Trouble::new(format!(
                        "`{id}` has no `max_cost_usd`, and this session may spend {limit}"
                    ))
                    .hint("submit it anew, and it gets one")
                })?;
                Promise { cap, before: cost_of(result), known: None }
            }
        };
        let others = self.promises.iter_mut().filter(|(other, _)| *other != id);
        let left = limit.less(others.map(|(id, promise)| promise.counts(spool, id)).sum());
        let wanted = promise.cap.less(promise.before);
        if wanted > left {
            return Err(too_dear(&format!("`{id}` may cost {wanted} more"), left));
        }
        self.promises.insert(id.clone(), promise);
        Ok(())
    }

    /// The bounds of tasks.
    pub(super) fn bounds(&self) -> &McpBounds {
        &self.bounds
    }
}

impl Promise {
    /// What of the session's money it has: its cap, until it is known what it did cost.
    fn counts(&mut self, spool: &Spool, id: &TaskId) -> Usd {
        let all = self.cap.less(self.before);
        let Some(folder) = spool.find(id).filter(|folder| folder.is_end()) else { return all };
        // What was archived does not change any more.
        let changed = std::fs::metadata(spool.file(folder, id)).and_then(|meta| meta.modified());
        let changed = changed.unwrap_or(SystemTime::UNIX_EPOCH);
        if let Some((_, cost)) = self.known.filter(|(at, _)| *at == changed) {
            return cost;
        }
        let Ok(result) = read_result(spool, folder, id) else { return all };
        let cost = if is_settled(&result) { cost_of(&result).less(self.before) } else { all };
        self.known = Some((changed, cost));
        cost
    }
}

/// Whether nothing that began for a task can still cost money: a batch that was cancelled, and
/// what a parent had handed out before it failed, can.
fn is_settled(result: &Value) -> bool {
    let is = |pointer: &str, text: &str| result.pointer(pointer).is_some_and(|at| at == text);
    let attempts = result.get("attempts").and_then(Value::as_array);
    // A call that was cut off is paid for, and that is all; what was sent in a batch may come yet.
    let in_batch = |attempt: &Value| attempt.get("batch_id").is_some_and(|id| !id.is_null());
    let was_batched = attempts.is_some_and(|attempts| attempts.iter().any(in_batch))
        || is("/task/urgency", "batch");
    let may_spawn = result.pointer("/task/may_spawn").and_then(Value::as_u64).unwrap_or(0);
    is("/status", "completed") || !(is("/error/kind", "cancelled") && was_batched || may_spawn > 0)
}

/// What a task cost with all that came of it.
fn cost_of(result: &Value) -> Usd {
    let cost = |of: &Value| {
        of.get("cost_usd").and_then(|cost| Usd::deserialize(cost).ok()).unwrap_or_default()
    };
    let children = result.get("children").and_then(Value::as_array).into_iter().flatten();
    cost(result) + children.map(cost).sum()
}

/// Looks whether an agent may submit a task, and makes it fit.
pub(super) fn admit(
    bounds: &McpBounds,
    config: &Config,
    critical: bool,
    mut document: Map<String, Value>,
    room: &mut Room,
) -> Result<Admitted, Trouble> {
    must_fit(config, &document)?;
    let mut task = submit::checked(&document, "this")?;
    if asks_for_nothing(&task) {
        return Err(Trouble::new("nothing is asked in this task")
            .hint("say what is to be done in `description` or `messages`"));
    }
    let mut warnings = std::mem::take(&mut task.warnings);
    lower_priority(bounds, &task, &mut document, &mut warnings);
    let (seen, decision, unread) = route::judge(config, critical, &task);
    warnings.extend(unread);
    warnings.extend(decision.warnings.iter().cloned());
    let worker_type = decision.worker_type.clone().map_err(|why| {
        Trouble::new(format!("nobody may do this: {why}")).hint("nothing was dropped")
    })?;
    keep_to_workers(bounds, &task, &worker_type, &mut document)?;
    keep_what_is_filled_to_workers(bounds, config, critical, &task)?;
    let weight = 1 + task.may_spawn;
    take_tasks(weight, room)?;
    let cap = match room.money {
        Some(left) => Some(cap(config, &task, &seen, &decision, left)?),
        None => None,
    };
    if let (Some(cap), Some(left)) = (cap, &mut room.money) {
        *left = left.less(cap);
        document.insert("max_cost_usd".into(), json!(cap));
    }
    Ok(Admitted { document, seen, worker_type, warnings, cap, weight })
}

/// Whether a task has no words for whoever does it: an agent has forgotten them.
fn asks_for_nothing(task: &Task) -> bool {
    let is_blank = task.description.as_ref().is_none_or(|words| words.trim().is_empty());
    is_blank && task.messages.is_none() && task.input.is_none() && task.files.is_empty()
}

/// Nobody would read it: that is told before much is done with it.
fn must_fit(config: &Config, document: &Map<String, Value>) -> Result<(), Trouble> {
    let size = serde_json::to_vec_pretty(document).map_or(0, |bytes| bytes.len() as u64);
    if size < config.max_task_bytes {
        return Ok(());
    }
    Err(Trouble::new(format!(
        "this has {}, and a task has {} at most (`max_task_bytes`)",
        words::bytes(size),
        words::bytes(config.max_task_bytes)
    ))
    .hint("shorten it, or let it read files (`files`)"))
}

fn lower_priority(
    bounds: &McpBounds,
    task: &Task,
    document: &mut Map<String, Value>,
    warnings: &mut Vec<String>,
) {
    let most = bounds.max_priority;
    if task.priority <= most {
        return;
    }
    if document.get("priority").is_some_and(|stated| !stated.is_null()) {
        warnings.push(format!("its priority is {most}, the highest that agents have here"));
    }
    document.insert("priority".into(), json!(most));
}

/// Refuses work for workers that are not the agent's to use, and holds the rest to its worker.
fn keep_to_workers(
    bounds: &McpBounds,
    task: &Task,
    chosen: &WorkerType,
    document: &mut Map<String, Value>,
) -> Result<(), Trouble> {
    let Some(allowed) = &bounds.allow_workers else { return Ok(()) };
    let there_are = || match allowed.is_empty() {
        true => "agents may use no worker here".to_owned(),
        false => format!("agents may use {}", words::names(allowed, "and")),
    };
    let named = task.worker.iter().chain(&task.escalate).chain(&task.fallback);
    for name in named.chain([chosen]) {
        if !allowed.contains(name) {
            let message = match name == chosen && task.worker.is_none() {
                true => format!("this would go to `{name}`, and {}", there_are()),
                false => {
                    format!("it asks for `{}`, and {}", words::tame(name.as_str()), there_are())
                }
            };
            return Err(
                Trouble::new(message).hint("name one of them as `worker`, where it will do")
            );
        }
    }
    if task.may_spawn > 0 {
        return Err(Trouble::new(format!(
            "it has `may_spawn`, and subtasks choose their own workers: {}",
            there_are()
        ))
        .hint("submit the parts as tasks of your own, with `depends_on` and `{result:ID}`"));
    }
    // Money that runs low must not lead it to another.
    if task.worker.is_none() && task.escalate.is_empty() {
        document.insert("worker".into(), json!(chosen));
    }
    Ok(())
}

/// The same for a task that an answer is filled into: it is confidential if that answer is, and
/// must then find a worker among the agent's own, too.
fn keep_what_is_filled_to_workers(
    bounds: &McpBounds,
    config: &Config,
    critical: bool,
    task: &Task,
) -> Result<(), Trouble> {
    let Some(allowed) = &bounds.allow_workers else { return Ok(()) };
    if placeholder::named_in(task).is_empty() {
        return Ok(());
    }
    let confidential =
        Task { sensitivity: Some(crate::task::Sensitivity::Confidential), ..task.clone() };
    let (_, decision, _) = route::judge(config, critical, &confidential);
    match decision.worker_type {
        Ok(name) if !allowed.contains(&name) => Err(Trouble::new(format!(
            "an answer is filled into this; if that is confidential it would go to `{name}`, which agents may not use"
        ))
        .hint("work on the answer yourself (`get_result`), where you may see it")),
        _ => Ok(()),
    }
}

fn take_tasks(weight: u32, room: &mut Room) -> Result<(), Trouble> {
    let Some(left) = &mut room.tasks else { return Ok(()) };
    if weight > *left {
        let message = match *left {
            0 => "this session has made as many tasks as it may".to_owned(),
            left => format!(
                "this session may make {} more, and this is {}",
                Count(left.into(), "task"),
                Count(weight.into(), "task")
            ),
        };
        return Err(Trouble::new(message)
            .hint("ask the person who owns the workshop, or work with what is there"));
    }
    *left -= weight;
    Ok(())
}

/// What a task may cost: what it states, or what its attempts may cost at worst, if that is left.
fn cap(
    config: &Config,
    task: &Task,
    seen: &Assessment,
    decision: &Decision,
    left: Usd,
) -> Result<Usd, Trouble> {
    if let Some(stated) = task.max_cost {
        return match stated > left {
            true => Err(too_dear(&format!("its `max_cost_usd` is {stated}"), left)),
            false => Ok(stated),
        };
    }
    let filled_in = placeholder::named_in(task).len() as u64;
    let workers = prospects(config, decision, filled_in > 0);
    let prompt = seen.prompt_bytes + FRAME_TOKENS + filled_in * FILLED_IN_TOKENS;
    let one = workers.iter().map(|spec| worst(spec, task, prompt, 1)).max().unwrap_or_default();
    if one > left {
        return Err(too_dear(&format!("an attempt of it may cost {one}"), left));
    }
    let attempts = |spec: &WorkerSpec| u64::from(task.max_attempts.unwrap_or(spec.max_attempts));
    // An attempt whose answer was cut short is made again with room for twice as much.
    let all = workers.iter().map(|spec| worst(spec, task, prompt, 2).times(attempts(spec)));
    let all: Usd = all.sum();
    Ok(all.times(1 + u64::from(task.may_spawn)).min(left))
}

/// Who may come to do a task: whom the router names now; where answers are still to be filled in,
/// anybody whom it may name then.
fn prospects<'a>(config: &'a Config, decision: &Decision, may_change: bool) -> Vec<&'a WorkerSpec> {
    let chosen = decision.worker_type.iter();
    let mut names: Vec<&WorkerType> =
        chosen.chain(&decision.ladder).chain(&decision.fallback).collect();
    let open = config.router.candidates.iter().filter(|candidate| !candidate.only_named);
    names.extend(open.filter(|_| may_change).map(|candidate| &candidate.worker_type));
    names.sort();
    names.dedup();
    names.into_iter().filter_map(|name| config.worker(name)).collect()
}

fn worst(spec: &WorkerSpec, task: &Task, prompt: u64, answers: u64) -> Usd {
    // An agent's attempt costs what its worker may spend on it.
    if let Some(most) = spec.max_cost {
        return most;
    }
    let system = spec.system.as_ref().map_or(0, String::len) as u64;
    let answer = u64::from(task.max_tokens.unwrap_or(spec.max_tokens)) * answers;
    spec.price.worst(prompt + system, answer, spec.service_tier())
}

fn too_dear(what: &str, left: Usd) -> Trouble {
    Trouble::new(format!("{what}, and this session has {left} left")).hint(
        "wait for tasks that run: what they do not use is free again; or lower `max_tokens`, or \
         state a `max_cost_usd` that fits",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_still_cost_money_keeps_its_cap() {
        let failed = |kind: &str, attempts: Value, may_spawn: u32| {
            is_settled(&json!({ "status": "failed", "error": { "kind": kind },
                "attempts": attempts, "task": { "may_spawn": may_spawn } }))
        };
        assert!(failed("cancelled", json!([{}]), 0), "what it cost is known");
        assert!(is_settled(&json!({ "status": "completed", "task": { "may_spawn": 3 } })));
        assert!(failed("command_failed", json!([{}]), 0));
        assert!(failed("cancelled", json!([]), 0), "it never began");
        assert!(!failed("cancelled", json!([{ "batch_id": "b" }]), 0), "its batch may be done yet");
        assert!(!failed("dependency_failed", json!([{}]), 2), "a subtask may run again");
    }

    #[test]
    fn what_a_task_cost_is_with_all_that_came_of_it() {
        let result = json!({ "cost_usd": 0.25, "children": [{ "cost_usd": 0.5 }, {}] });
        assert_eq!(cost_of(&result).exact(), "0.75");
    }

    #[test]
    fn a_session_without_bounds_has_nothing_to_tell() {
        let (_dir, spool) = crate::spool::tests::spool();
        assert_eq!(Session::new(McpBounds::default()).told(&spool), None);
        let limit = Some(Usd::dollars(1));
        let bounds = McpBounds { max_cost_per_session: limit, ..McpBounds::default() };
        let mut session = Session::new(bounds);
        let promise = Promise { cap: Usd::dollars(1), before: Usd::ZERO, known: None };
        session.promises.insert("a".parse().unwrap(), promise);
        let left = |session: &mut Session| session.told(&spool).unwrap()["cost_left_usd"].clone();
        assert_eq!(left(&mut session), json!(0));
        let path = spool.file(crate::task::Folder::Completed, &"a".parse().unwrap());
        std::fs::write(path, r#"{"status": "completed", "cost_usd": 0.25}"#).unwrap();
        assert_eq!(left(&mut session).to_string(), "0.75");
    }
}
