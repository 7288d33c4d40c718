//! The tool `wait`: the one that takes its time.
//!
//! It runs on a thread of its own, hears of the folders by inotify, says how far it is, and
//! ends when all is done, when its time is over, or when it is told to.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Desk, results};
use crate::base::words::{self, Count};
use crate::cli::list;
use crate::cli::result::read_result;
use crate::cli::site::parse_id;
use crate::cli::trouble::Trouble;
use crate::cli::wait::Wait;
use crate::spool::watch::Watch;
use crate::task::{Folder, TaskId};

/// Clients give up after a minute, as a rule.
const USUAL_TIMEOUT: f64 = 50.0;
const LONGEST_TIMEOUT: f64 = 3_600.0;
/// No more tasks are told one by one.
const MOST_TOLD: usize = 200;

/// What `wait` is asked.
#[derive(Deserialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Args {
    /// The tasks to wait for.
    #[serde(default)]
    ids: Vec<String>,
    /// Instead of ids: all tasks of this group, those too that are submitted meanwhile.
    group: Option<String>,
    /// `all` (default) waits until every one has ended; `any` until the first has.
    #[serde(default)]
    mode: Mode,
    /// Seconds to wait at most: 50 by default, 3600 at most. Keep it below your client's own
    /// time limit for a tool call; when it is over you get `still_running`, and may wait again.
    #[schemars(range(min = 0, max = 3600))]
    timeout_s: Option<f64>,
}

#[derive(Deserialize, JsonSchema, Debug, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(crate = "rmcp::schemars")]
enum Mode {
    #[default]
    All,
    Any,
}

/// What wakes one that waits.
pub(super) enum Told {
    /// Something happened in the folders.
    Something,
    /// The client wants no answer any more, or the session ends.
    Stop,
}

/// How far it is.
pub(super) struct Step {
    pub(super) ended: usize,
    pub(super) all: usize,
    pub(super) message: String,
}

/// Waits, and says what came of it; a step is told for each time that tasks have ended.
pub(super) fn run(
    desk: &Desk,
    args: &Args,
    tell: Sender<Told>,
    told: &Receiver<Told>,
    mut step: impl FnMut(Step),
) -> Result<Value, Trouble> {
    let deadline = Instant::now() + timeout(args)?;
    let mut wait = begin(desk, args)?;
    wait.any = args.mode == Mode::Any;
    let _watch = Watch::with_claims(&desk.site.home, move |_| {
        let _ = tell.send(Told::Something);
    })
    .map_err(|error| Trouble::new(error.to_string()))?;
    let mut known = 0;
    loop {
        wait.look()?;
        let ended = wait.ended.len();
        if ended > known {
            step(how_far(&wait));
            known = ended;
        }
        if wait.is_over() {
            return Ok(report("ended", desk, &wait));
        }
        match told.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Told::Something) => {}
            Ok(Told::Stop) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Ok(report("still_running", desk, &wait));
            }
        }
        // What happened at the same time is taken together.
        while let Ok(word) = told.try_recv() {
            if matches!(word, Told::Stop) {
                return Ok(report("still_running", desk, &wait));
            }
        }
    }
}

fn timeout(args: &Args) -> Result<Duration, Trouble> {
    let seconds = args.timeout_s.unwrap_or(USUAL_TIMEOUT);
    match (0.0..=LONGEST_TIMEOUT).contains(&seconds) {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err(Trouble::new("`timeout_s` must be from 0 to 3600")),
    }
}

fn begin<'a>(desk: &'a Desk, args: &Args) -> Result<Wait<'a>, Trouble> {
    let ids: Result<Vec<TaskId>, _> = args.ids.iter().map(|id| parse_id(id)).collect();
    let ids = ids.map_err(Trouble::new)?;
    let group = args.group.as_ref().map(|name| name.parse()).transpose();
    let group =
        group.map_err(|error: crate::task::id::BadGroupName| Trouble::new(error.to_string()))?;
    match (&group, ids.as_slice()) {
        (Some(_), [_, ..]) => Err(Trouble::new("give either `ids` or `group`, not both")),
        (None, []) => Err(Trouble::new("say what to wait for: give `ids` or a `group`")),
        _ => Wait::of(&desk.site, &desk.spool, &ids, group.as_ref()),
    }
}

fn how_far(wait: &Wait<'_>) -> Step {
    let (ended, all) = (wait.ended.len(), wait.ended.len() + wait.open.len());
    let failed = wait.ended.values().filter(|folder| **folder == Folder::Failed).count();
    let mut message = format!("{ended} of {} ended", Count(all as u64, "task"));
    if failed > 0 {
        message.push_str(&format!(", {failed} failed"));
    }
    Step { ended, all, message }
}

fn report(status: &str, desk: &Desk, wait: &Wait<'_>) -> Value {
    let ended = wait.ended.iter().take(MOST_TOLD);
    let ended: Vec<Value> = ended.map(|(id, folder)| told_of(desk, id, *folder)).collect();
    let failed = wait.ended.values().filter(|folder| **folder == Folder::Failed).count();
    let mut report = json!({
        "status": status,
        "completed": wait.ended.len() - failed,
        "failed": failed,
        "open": wait.open.len(),
        "ended_tasks": ended,
    });
    if !wait.open.is_empty() {
        report["open_tasks"] = still_open(desk, &wait.open);
    }
    if status == "still_running" {
        report["hint"] = json!(match desk.site.daemon() {
            Some(_) => "call `wait` again, or do something else meanwhile".to_owned(),
            None => format!(
                "no daemon is working this home, so nothing will end: ask the person to run {}",
                desk.site.call("start")
            ),
        });
    }
    report
}

fn told_of(desk: &Desk, id: &TaskId, folder: Folder) -> Value {
    let result = read_result(&desk.spool, folder, id).unwrap_or_default();
    let mut told = json!({
        "task_id": id,
        "status": folder,
        "worker_type": result.get("worker_type"),
        "cost_usd": result.get("cost_usd"),
        "resource": results::address(id.as_str()),
    });
    if let Some(kind) = result.pointer("/error/kind") {
        told["error_kind"] = kind.clone();
    }
    told
}

/// Whether what a task waits for may be said: it may name what a confidential one says.
pub(super) fn may_be_told(desk: &Desk, task: &list::Listed<'_>) -> bool {
    desk.allow_confidential || task.is_public()
}

/// Who has not ended, and what each waits for.
fn still_open(desk: &Desk, open: &[TaskId]) -> Value {
    let all = list::Tasks::read(&desk.site, &desk.spool, None).ok();
    let all = all.as_ref().map(|all| all.listed(&desk.site)).unwrap_or_default();
    let known: HashMap<&str, _> = all.iter().map(|task| (task.task_id, task)).collect();
    let told = open.iter().take(MOST_TOLD).map(|id| match known.get(id.as_str()) {
        Some(task) => json!({
            "task_id": id,
            "status": task.status,
            "waits_for": may_be_told(desk, task).then(|| task.waits_for.as_deref().map(words::tame)),
        }),
        None => json!({ "task_id": id }),
    });
    told.collect()
}
