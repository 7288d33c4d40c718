//! Sends each model a test request, as any task is sent, and says what came of it.
//!
//! Where a daemon works the home, it is asked by a task for each worker, so that its
//! limits, its pace and its books hold; its results are taken away again, and what
//! they cost stays in the journal. A task that would have to wait is withdrawn, and so is
//! every one when doctor is interrupted. Where no daemon works, the call is made here, under the
//! home's lock and with its money reserved first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::{Finding, edit, shop};
use crate::base::files;
use crate::base::words;
use crate::cli::budget::Books;
use crate::cli::trouble::Trouble;
use crate::cli::{Site, Ui, result, submit, workers};
use crate::config::{Config, Kind, WorkerSpec};
use crate::engine::trial::{Heard, Question, Trials};
use crate::route::budget::Refusal;
use crate::spool::Spool;
use crate::spool::notes::Note;
use crate::spool::watch::Watch;
use crate::task::outcome::Outcome;
use crate::task::{Folder, TaskId, Usd};
use crate::worker::chat::ChatWorker;

/// What is asked.
const TEXT: &str = "This is a test of the line. Answer with the one word: ready";
/// What sort of work it counts as.
const TASK_TYPE: &str = "doctor";
/// Enough for a word and for a short thought before it; a model that thinks longer answers all the same.
const MAX_TOKENS: u32 = 64;
/// A local server may have to load its model first.
const LONGEST: Duration = Duration::from_secs(120);
/// How much longer a daemon may take to come to it.
const QUEUE: Duration = Duration::from_secs(15);
/// How often the workers' states are looked at meanwhile, of which no event of a file tells.
const LOOK: Duration = Duration::from_millis(200);
/// How long a daemon may take to end what is withdrawn.
const WITHDRAWAL: Duration = Duration::from_secs(3);

/// What came back from one worker.
struct Came<'a> {
    /// `completed`, or the name of what went wrong.
    outcome: &'a str,
    message: &'a str,
    took: Duration,
    cost: Usd,
}

pub(super) fn to_each(ui: &mut Ui, site: &Site, config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut asked = Vec::new();
    for spec in &config.workers {
        let Kind::Chat(chat) = &spec.kind else { continue };
        if spec.disabled.is_some() {
            continue;
        }
        // What a server says of a model that it does not know was told with its list.
        let told = ChatWorker::new(spec, chat.clone()).own_model().ok();
        found.extend(told.and_then(|model| shop::retiring(site, spec, &model)));
        asked.push(spec);
    }
    ui.say(&format!("sending {}", words::Count(asked.len() as u64, "test request")));
    let answers = match site.daemon() {
        Some(_) => through_the_daemon(site, &asked),
        None => alone(site, config, &asked),
    };
    found.extend(
        answers.unwrap_or_else(|trouble| vec![Finding::failed("send", site.home.path(), &trouble)]),
    );
    found
}

fn timeout(spec: &WorkerSpec) -> Duration {
    spec.timeout.min(LONGEST)
}

/// What the answer says of the worker.
fn judged(site: &Site, spec: &WorkerSpec, came: &Came<'_>) -> Finding {
    let took = words::span(came.took);
    let cost = if came.cost > Usd::ZERO { format!(", for {}", came.cost) } else { String::new() };
    let whose = shop::named(spec);
    match came.outcome {
        "completed" => Finding::ok("send", whose, format!("it answered after {took}{cost}")),
        "empty_answer" | "not_accepted" => {
            let what = format!("it answers, after {took}{cost}, and not with what was asked for");
            Finding::ok("send", whose, what)
        }
        "bad_key" => shop::bad_key(site, spec),
        _ => {
            let what = format!("{}{cost}", came.message);
            Finding::error("send", whose, what).mend(edit(&site.home.config_file()))
        }
    }
}

// ---- without a daemon ----

fn alone(site: &Site, config: &Config, asked: &[&WorkerSpec]) -> Result<Vec<Finding>, Trouble> {
    let trials = Trials::open(&site.home, config, Site::inherited())?;
    let mut ledger = Books::read(site, config)?.ledger;
    let mut found = Vec::new();
    for spec in asked {
        let question = Question {
            id: name(spec),
            task_type: TASK_TYPE.into(),
            text: TEXT.into(),
            max_tokens: MAX_TOKENS,
            timeout: timeout(spec),
        };
        let begun = Instant::now();
        let heard = trials.ask(spec, &question, &mut ledger)?;
        found.push(told(site, spec, &heard, begun.elapsed()));
    }
    Ok(found)
}

fn told(site: &Site, spec: &WorkerSpec, heard: &Heard, took: Duration) -> Finding {
    let (outcome, cost) = match heard {
        Heard::Outcome(outcome, cost) => (outcome, *cost),
        Heard::Confidential => {
            let what = "it was not asked: its system prompt is confidential, and it is not local";
            let mend = edit(&site.home.config_file());
            return Finding::warning("send", shop::named(spec), what).mend(mend);
        }
        Heard::NoMoney(refusal) => {
            let why = match refusal {
                Refusal::Never { limit, .. } => {
                    format!("it costs more than the {} allows", limit.in_words())
                }
                Refusal::NotBefore(short) => short.in_words(),
            };
            let what = format!("it was not asked: {why}");
            let mend = site.command("budget");
            return Finding::warning("send", shop::named(spec), what).mend(mend);
        }
    };
    let (outcome, message) = match outcome.as_ref() {
        Outcome::Done(_) => ("completed", ""),
        Outcome::Failed(failure) => (failure.outcome, failure.message.as_str()),
    };
    judged(site, spec, &Came { outcome, message, took, cost })
}

/// A name that no task has.
fn name(spec: &WorkerSpec) -> TaskId {
    TaskId::from_stem(&format!("doctor-{}-{}", spec.worker_type, submit::fresh_name()))
}

// ---- beside a daemon ----

/// A task that is under way.
struct Asked<'a> {
    spec: &'a WorkerSpec,
    id: TaskId,
    until: Instant,
    begun: Instant,
}

fn through_the_daemon(site: &Site, asked: &[&WorkerSpec]) -> Result<Vec<Finding>, Trouble> {
    let spool = site.spool()?;
    let (tell, told) = mpsc::channel();
    let _watch = Watch::with_claims(&site.home, move |_| {
        let _ = tell.send(());
    })
    .map_err(|error| Trouble::new(error.to_string()))?;
    let states = workers::states(site);
    let mut found = Vec::new();
    let mut open = Vec::new();
    for spec in asked {
        let state = states.iter().find(|state| state.worker_type == spec.worker_type.as_str());
        match state.and_then(|state| state.reason.as_ref()) {
            Some(reason) => {
                let what = format!("it was not asked: {reason}");
                let mend = site.command("workers");
                found.push(Finding::warning("send", shop::named(spec), what).mend(mend));
            }
            None => open.push(drop_task(&spool, spec)?),
        }
    }
    let interrupted = Interrupted::listen()?;
    while !open.is_empty() && !interrupted.was() {
        let states = workers::states(site);
        let (settled, still): (Vec<_>, Vec<_>) = open
            .into_iter()
            .map(|asked| (settled(site, &spool, &asked, &states), asked))
            .partition(|(finding, _)| finding.is_some());
        let is_news = !settled.is_empty();
        for (finding, asked) in settled {
            found.extend(finding);
            withdraw(site, &spool, [&asked]);
        }
        open = still.into_iter().map(|(_, asked)| asked).collect();
        if !is_news {
            let _ = told.recv_timeout(LOOK);
        }
    }
    withdraw(site, &spool, &open);
    found.extend(open.iter().map(|asked| {
        let what = "interrupted before it answered; its test request is withdrawn";
        Finding::error("send", shop::named(asked.spec), what).mend(site.command("doctor --send"))
    }));
    Ok(found)
}

/// Whether somebody wants doctor to end; a second time it ends at once.
struct Interrupted(Arc<AtomicBool>);

impl Interrupted {
    fn listen() -> Result<Self, Trouble> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
                .map_err(|error| Trouble::new("cannot hear signals").because(error.to_string()))?;
        }
        Ok(Self(flag))
    }

    fn was(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is to be said of a worker, once that is known: its task has ended, waits for something
/// that takes longer, or took too long.
fn settled(
    site: &Site,
    spool: &Spool,
    asked: &Asked<'_>,
    states: &[workers::WorkerState],
) -> Option<Finding> {
    let folder = spool.find(&asked.id);
    if folder.is_some_and(Folder::is_end) {
        return Some(take_result(site, spool, asked));
    }
    let state = states.iter().find(|state| state.worker_type == asked.spec.worker_type.as_str());
    let held = state.filter(|_| folder == Some(Folder::Pending));
    if let Some((reason, state)) = held.and_then(|state| Some((state.reason.as_ref()?, state))) {
        let what = format!("its test request would have to wait and is withdrawn: {reason}");
        let passes = ["rate_limited", "paused", "over_budget"].contains(&state.state.as_str());
        let finding = match passes {
            true => Finding::warning("send", shop::named(asked.spec), what),
            false => Finding::error("send", shop::named(asked.spec), what),
        };
        return Some(finding.mend(site.command("workers")));
    }
    (asked.until <= Instant::now()).then(|| {
        let what = format!(
            "it did not come to the test request within {}, which is withdrawn",
            words::span(asked.begun.elapsed())
        );
        Finding::error("send", shop::named(asked.spec), what).mend(site.command("workers"))
    })
}

/// Takes tasks away wherever they are. One that is being worked on is ended by the daemon first;
/// what cannot be taken away in time is a result like any other.
fn withdraw<'a>(site: &Site, spool: &Spool, all: impl IntoIterator<Item = &'a Asked<'a>>) {
    let mut left: Vec<&Asked<'_>> = all.into_iter().collect();
    let deadline = Instant::now() + WITHDRAWAL;
    for asked in &left {
        let _ = files::remove(&spool.file(Folder::Pending, &asked.id));
        if spool.find(&asked.id) == Some(Folder::InProgress) {
            let _ = Note::Cancel(asked.id.clone()).leave(&site.home);
        }
    }
    while !left.is_empty() && Instant::now() < deadline {
        left.retain(|asked| match spool.find(&asked.id) {
            Some(folder) if folder != Folder::InProgress => {
                let _ = files::remove(&spool.file(folder, &asked.id));
                false
            }
            folder => folder.is_some(),
        });
        if !left.is_empty() {
            std::thread::sleep(LOOK / 4);
        }
    }
}

fn drop_task<'a>(spool: &Spool, spec: &'a WorkerSpec) -> Result<Asked<'a>, Trouble> {
    let task = json!({
        "task_id": name(spec),
        "task_type": TASK_TYPE,
        "description": TEXT,
        "worker": spec.worker_type,
        "priority": 10,
        "difficulty_level": "low",
        "max_tokens": MAX_TOKENS,
        "max_attempts": 1,
        "timeout_s": timeout(spec).as_secs().max(1),
        "cache": false,
    });
    let document: Map<String, Value> = task.as_object().cloned().unwrap_or_default();
    let id = submit::drop_document(spool, document)?;
    let begun = Instant::now();
    Ok(Asked { spec, id, until: begun + timeout(spec) + QUEUE, begun })
}

/// Says what a result says, and takes it away.
fn take_result(site: &Site, spool: &Spool, asked: &Asked<'_>) -> Finding {
    let took = asked.begun.elapsed();
    let folder = spool.find(&asked.id);
    let read = |folder| result::read_result(spool, folder, &asked.id).ok();
    let document = folder.and_then(read).unwrap_or_default();
    if let Some(folder) = folder {
        // What cannot be taken away is a result like any other.
        let _ = files::remove(&spool.file(folder, &asked.id));
    }
    let last = &document["attempts"].as_array().and_then(|all| all.last()).cloned();
    let last = last.as_ref().and_then(|attempt| attempt["outcome"].as_str());
    let is_done = document["status"] == "completed";
    let cost = document["cost_usd"].to_string().parse().unwrap_or_default();
    let other =
        document["worker_type"].as_str().filter(|name| *name != asked.spec.worker_type.as_str());
    if let Some(other) = other {
        let what = format!("it cannot be used, and `{}` answered for it", words::tame(other));
        let mend = site.command("workers");
        return Finding::warning("send", shop::named(asked.spec), what).mend(mend);
    }
    let came = Came {
        outcome: if is_done { "completed" } else { last.unwrap_or("failed") },
        message: document.pointer("/error/message").and_then(Value::as_str).unwrap_or("it failed"),
        took,
        cost,
    };
    judged(site, asked.spec, &came)
}
