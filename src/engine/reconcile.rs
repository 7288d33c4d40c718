//! Brings the mirror in line with the folders and the journal, which are the truth.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::intake::{Ask, Intake};
use super::scribe::Scribe;
use super::{Engine, EngineError, Message, recover};
use crate::base::clock::Now;
use crate::base::files::Regular;
use crate::config::Config;
use crate::foreman::{Event, Foreman, Order};
use crate::mirror;
use crate::mirror::query::{Filter, Reader};
use crate::spool::journal::{self, Journal};
use crate::spool::lock::Lock;
use crate::spool::notes::Note;
use crate::spool::{Home, Spool};
use crate::task::fact::{BudgetRow, CostRow, Fact, TaskRow};
use crate::task::journal::{Line, LineKind};
use crate::task::result::TaskResult;
use crate::task::{Difficulty, Folder, Sensitivity, TaskId, Usd, wire};

/// The row of a task that has ended, from its result alone.
pub(super) fn row_of(result: TaskResult) -> TaskRow {
    let routing = result.routing;
    let task = result
        .task
        .and_then(|document| wire::read_document(result.task_id.as_str(), document).ok());
    TaskRow {
        task_type: task
            .as_ref()
            .map_or_else(|| "general".to_owned(), |task| task.task_type.clone()),
        // A drop that could not be read may be anything: it is taken for confidential.
        difficulty: routing.as_ref().map_or(Difficulty::Medium, |r| r.difficulty_level),
        sensitivity: routing.as_ref().map_or(Sensitivity::Confidential, |r| r.sensitivity_level),
        worker_type: result.worker_type,
        status: result.status,
        priority: task.as_ref().map_or(5, |task| task.priority),
        estimated_tokens: routing.as_ref().map(|routing| routing.estimated_tokens),
        actual_tokens: result.usage.map(|usage| usage.total_tokens),
        estimated_cost: routing.as_ref().map(|routing| routing.estimated_cost_usd),
        actual_cost: Some(result.cost_usd),
        parent: task.and_then(|task| task.parent),
        created_at: result.created_at,
        updated_at: result.finished_at,
        waits_for: None,
        error_kind: result.error.map(|error| error.kind.as_str()),
        task_id: result.task_id,
    }
}

/// The fact that a result tells, if there is one that can be read.
pub(super) fn result_fact(spool: &Spool, folder: Folder, id: &TaskId) -> Option<Fact> {
    let bytes = Regular::open(&spool.file(folder, id)).ok()?.read(u64::MAX - 1).ok()?;
    let mut result: TaskResult = serde_json::from_slice(&bytes).ok()?;
    // The folder is the truth, and so is the name.
    (result.status, result.task_id) = (folder, id.clone());
    Some(Fact::Task(Box::new(row_of(result))))
}

/// The cost row of an attempt's end, where it used or cost anything.
pub(super) fn cost_fact(line: &Line) -> Option<Fact> {
    let cost = line.cost_usd.unwrap_or_default();
    if line.event != LineKind::End || (cost == Usd::ZERO && line.usage.is_none()) {
        return None;
    }
    Some(Fact::Cost(Box::new(CostRow {
        task_id: line.task.clone()?,
        worker_type: line.worker_type.clone()?,
        model: line.model.clone().unwrap_or_default(),
        usage: line.usage.unwrap_or_default(),
        cost,
        at: line.started_at.unwrap_or(line.at),
        attempt: line.attempt.clone()?,
    })))
}

/// Tells the mirror what changed in the folders while nobody watched.
pub(super) fn reconcile(spool: &Spool, database: &Path, mirror: &Scribe) {
    let mut mirrored = mirrored(database);
    for folder in [Folder::Completed, Folder::Failed] {
        for id in spool.ids(folder).unwrap_or_default() {
            let known = mirrored.remove(&id) == Some(folder.as_str().to_owned());
            if !known && let Some(fact) = result_fact(spool, folder, &id) {
                mirror.tell(fact);
            }
        }
    }
    // What is left is in no folder of results; what is in `pending` is told of when it is seen.
    for (id, _) in mirrored {
        if spool.find(&id) != Some(Folder::Pending) {
            mirror.tell(Fact::Gone(id));
        }
    }
    for fact in costs(spool.home()) {
        mirror.tell(fact);
    }
}

fn mirrored(database: &Path) -> HashMap<TaskId, String> {
    let rows = Reader::open(database)
        .and_then(|reader| reader.tasks(&Filter::default()))
        .unwrap_or_default();
    rows.into_iter().filter_map(|row| Some((row.task_id.parse().ok()?, row.status))).collect()
}

/// Every paid attempt that the journal knows of.
fn costs(home: &Home) -> Vec<Fact> {
    let dir = home.journal();
    let names = journal::months(&dir).unwrap_or_default();
    let chapters = names.iter().filter_map(|name| journal::read(&dir.join(name), 0).ok());
    chapters.flat_map(|chapter| chapter.lines).filter_map(|line| cost_fact(&line)).collect()
}

/// Everything that results and journal say.
fn history(spool: &Spool) -> Vec<Fact> {
    let mut facts = costs(spool.home());
    for folder in [Folder::Completed, Folder::Failed] {
        let ids = spool.ids(folder).unwrap_or_default();
        facts.extend(ids.iter().filter_map(|id| result_fact(spool, folder, id)));
    }
    facts
}

impl Engine {
    /// Makes the mirror anew while work goes on; facts that come meanwhile wait for it.
    pub(super) fn rebuild_mirror(&mut self) {
        let mut facts = history(&self.spool);
        facts.extend(self.foreman.rows().map(|row| Fact::Task(Box::new(row))));
        facts.push(budget_fact(&self.foreman));
        let to_me = self.to_me.clone();
        self.mirror.rebuild(facts, move |result| {
            let _ = to_me.send(Message::Rebuilt(result));
        });
        self.tell_of_workers();
    }

    pub(super) fn rebuilt(&mut self, result: Result<(), String>) {
        match result {
            Ok(()) => log::info!("the mirror was made anew"),
            Err(why) => self.own_trouble(&why),
        }
        self.drop_note(&Note::Rebuild);
    }
}

/// The month's row, as the foreman's ledger has it.
pub(super) fn budget_fact(foreman: &Foreman) -> Fact {
    let (_, month, year_month) = foreman.money();
    Fact::Budget(BudgetRow {
        year_month,
        limit: month.limit,
        spent: month.spent,
        alert_percent: foreman.alert_percent(),
    })
}

/// Makes the mirror of a home anew where no daemon runs.
///
/// # Errors
/// Where a daemon runs after all, or the home cannot be read.
pub fn rebuild(home: &Home, config: &Arc<Config>) -> Result<u64, EngineError> {
    let _lock = Lock::take(home)?;
    let spool = Arc::new(Spool::new(home.clone()));
    let journal = Journal::open(home.journal())?;
    let now = Now::read();
    let mut recovered = recover::recover(&spool, &journal, now.wall)?;
    let mut foreman = super::foreman(config, false, &mut recovered.replay, now);
    let mut facts = history(&spool);
    facts.extend(pending(&spool, config, &mut foreman, now));
    facts.push(budget_fact(&foreman));
    let count = facts.iter().filter(|fact| matches!(fact, Fact::Task(_))).count();
    mirror::rebuild::rebuild(&super::database(config, home), facts.into_iter())?;
    Ok(count as u64)
}

/// The rows of what waits, as the foreman would tell of it.
fn pending(spool: &Arc<Spool>, config: &Arc<Config>, foreman: &mut Foreman, now: Now) -> Vec<Fact> {
    let (to_me, messages) = crossbeam_channel::unbounded();
    let (ask, asked) = crossbeam_channel::unbounded();
    let _ = ask.send(Ask::ListAndTell);
    let intake = Intake::new(Arc::clone(spool), Arc::clone(config), to_me);
    let thread = std::thread::spawn(move || intake.run(&asked));
    let mut rows: HashMap<TaskId, TaskRow> = HashMap::new();
    while let Ok(message) = messages.recv() {
        let Message::Event(event) = message else { continue };
        if matches!(event, Event::Listed(_)) {
            break;
        }
        for order in foreman.hear(event, now) {
            if let Order::Record(row) = order {
                rows.insert(row.task_id.clone(), *row);
            }
        }
    }
    drop(ask);
    let _ = thread.join();
    rows.into_values().map(|row| Fact::Task(Box::new(row))).collect()
}
