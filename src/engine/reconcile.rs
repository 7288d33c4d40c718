//! Brings the mirror in line with the folders and the journal, which are the truth.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::intake::{Ask, Intake};
use super::{Engine, EngineError, Message, recover};
use crate::base::clock::Now;
use crate::base::files::{self, FileError, Regular};
use crate::base::threads::both;
use crate::config::Config;
use crate::foreman::{Event, Foreman, Order};
use crate::mirror::query::{self, Filter, Reader};
use crate::mirror::{self, MirrorError};
use crate::spool::archive::Entry;
use crate::spool::journal::{self, Chapter, Journal};
use crate::spool::lock::{Lock, Place};
use crate::spool::notes::Note;
use crate::spool::{Home, Spool};
use crate::task::fact::{BudgetRow, CostRow, Fact, FailedAttempt, JournalMark, Pace, TaskRow};
use crate::task::journal::{COMPLETED, Line, LineKind};
use crate::task::result::{ChildResult, TaskResult};
use crate::task::{Difficulty, Folder, Sensitivity, TaskId, Usd, wire};

/// The row of a task that has ended, from its result alone.
pub(super) fn row_of(result: TaskResult) -> TaskRow {
    let (created, started) = (result.created_at, result.started_at);
    let pace = Pace::of(created, started, result.finished_at, &result.attempts);
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
        group: task.as_ref().and_then(|task| task.group.clone()),
        parent: task.and_then(|task| task.parent),
        created_at: result.created_at,
        updated_at: result.finished_at,
        waits_for: None,
        error_kind: result.error.map(|error| error.kind.as_str()),
        archived: None,
        pace,
        task_id: result.task_id,
    }
}

/// The fact that a result tells, if there is one that can be read.
pub(super) fn result_fact(spool: &Spool, folder: Folder, id: &TaskId) -> Option<Fact> {
    let bytes = Regular::open(&spool.file(folder, id)).ok()?.read(files::ANY_SIZE).ok()?;
    let mut result: TaskResult = serde_json::from_slice(&bytes).ok()?;
    // The folder is the truth, and so is the name.
    (result.status, result.task_id) = (folder, id.clone());
    Some(Fact::Task(Box::new(row_of(result))))
}

/// The fact that a retired result tells, if there is one that can be read.
pub(super) fn archived_fact(spool: &Spool, id: &TaskId) -> Option<Fact> {
    let place = spool.find_archived(id)?;
    let line = spool.archive().read(&place, id).ok()?;
    let result: TaskResult = serde_json::from_slice(&line).ok()?;
    Some(Fact::Task(Box::new(TaskRow { archived: Some(place.file), ..row_of(result) })))
}

/// What came of a subtask, for its parent's result.
pub(super) fn child_result(spool: &Spool, id: &TaskId) -> ChildResult {
    let read = |folder| {
        let bytes = spool.read_result(folder, id).ok()?;
        serde_json::from_slice::<TaskResult>(&bytes).ok().map(|result| (folder, result))
    };
    match [Folder::Completed, Folder::Failed].into_iter().find_map(read) {
        Some((status, result)) => ChildResult {
            task_id: id.clone(),
            status,
            worker_type: result.worker_type,
            content: result.content,
            error: result.error,
            cost_usd: result.cost_usd + result.children.iter().map(|child| child.cost_usd).sum(),
            children: result.children,
        },
        None => ChildResult {
            task_id: id.clone(),
            status: Folder::Pending,
            worker_type: None,
            content: None,
            error: None,
            cost_usd: Usd::ZERO,
            children: Vec::new(),
        },
    }
}

/// What an attempt's end tells the mirror: what it cost, and that it did not end well.
pub(super) fn attempt_facts(line: &Line) -> impl Iterator<Item = Fact> + use<> {
    cost_fact(line).into_iter().chain(failure_fact(line))
}

/// The row of an attempt that did not end well.
fn failure_fact(line: &Line) -> Option<Fact> {
    let outcome = line.outcome.as_ref().filter(|outcome| *outcome != COMPLETED)?;
    if line.event != LineKind::End {
        return None;
    }
    Some(Fact::FailedAttempt(Box::new(FailedAttempt {
        attempt: line.attempt.clone()?,
        task_id: line.task.clone()?,
        worker_type: line.worker_type.clone()?,
        outcome: outcome.clone(),
        at: line.started_at.unwrap_or(line.at),
    })))
}

/// The cost row of an attempt's end, where it used or cost anything.
fn cost_fact(line: &Line) -> Option<Fact> {
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
pub(super) fn reconcile(
    spool: &Spool,
    database: &Path,
    mark: Option<&JournalMark>,
    tell: impl Fn(Fact),
) {
    for file in archives(database) {
        if !files::exists(&spool.archive().dir().join(&file)) {
            tell(Fact::ArchiveGone(file));
        }
    }
    let (mut mirrored, results) = both(
        || in_folders(database),
        || [Folder::Completed, Folder::Failed].map(|folder| (folder, spool.ids(folder))),
    );
    for (folder, ids) in results {
        for id in ids.unwrap_or_default() {
            let known = mirrored.remove(&id).is_some_and(|status| status == folder.as_str());
            if !known && let Some(fact) = result_fact(spool, folder, &id) {
                tell(fact);
            }
        }
    }
    // What is left is in no folder of results; what is in `pending` is told of when it is seen.
    for (id, status) in mirrored {
        match (spool.find_in_folders(&id), spool.find_archived(&id)) {
            (Some(Folder::Pending), _) => {}
            // Many may have been retired: what the row says of one that ended is still so.
            (_, Some(place)) if status == place.folder.as_str() => {
                tell(Fact::Archived(id, place.file));
            }
            _ => tell(archived_fact(spool, &id).unwrap_or(Fact::Gone(id))),
        }
    }
    costs(spool.home(), mark).for_each(tell);
}

/// The files of the archive that the mirror knows.
fn archives(database: &Path) -> Vec<String> {
    Reader::open(database).and_then(|reader| reader.archives()).unwrap_or_default()
}

/// The tasks that the mirror has in folders, and in which.
pub(super) fn in_folders(database: &Path) -> HashMap<TaskId, String> {
    let order = query::Order::Any;
    let filter = Filter { archived: Some(false), order, ..Filter::default() };
    let mut known = HashMap::new();
    let read = Reader::open(database).and_then(|reader| {
        reader.each_brief(&filter, |row| {
            known.extend(row.task_id.parse().ok().map(|id| (id, row.status.to_owned())));
        })
    });
    // A mirror that cannot be read to its end is not taken for a small one.
    read.map(|()| known).unwrap_or_default()
}

/// Every paid attempt that the journal tells of behind a mark, or at all, and of each month how far
/// it goes; a month is read when it comes to it.
fn costs(home: &Home, since: Option<&JournalMark>) -> impl Iterator<Item = Fact> + Send + use<> {
    let dir = home.journal();
    let since = since.cloned();
    let months = journal::months(&dir).unwrap_or_default().into_iter();
    months.flat_map(move |file| {
        let from = since.as_ref().map_or(Some(0), |mark| mark.start_in(&file));
        let chapter = from.and_then(|from| chapter(&dir.join(&file), from));
        let mut facts = Vec::new();
        if let Some(chapter) = chapter {
            facts.extend(chapter.lines.iter().flat_map(attempt_facts));
            facts.push(Fact::Journal(JournalMark { file, offset: chapter.end }));
        }
        facts
    })
}

/// A month from a byte on, or whole where it has become shorter: then it is another one.
fn chapter(path: &Path, from: u64) -> Option<Chapter> {
    let length = if from == 0 { 0 } else { journal::length(path) };
    journal::read(path, if from <= length { from } else { 0 }).ok()
}

/// Everything that journal, archive and results say, in this order: what comes later counts. Each
/// is read when it comes to it, so that no more than a frame of the archive is held at a time.
fn history<C: FnMut(String) + Clone + Send + 'static>(
    spool: &Arc<Spool>,
    complain: C,
) -> impl Iterator<Item = Fact> + Send + use<C> {
    let results = [Folder::Completed, Folder::Failed].into_iter().flat_map({
        let (spool, complain) = (Arc::clone(spool), complain.clone());
        move |folder| {
            let mut ids = spool.ids(folder).unwrap_or_default();
            // Whoever looks at many rows looks at neighbours: most ids are in the order of their time.
            ids.sort_unstable();
            let (spool, mut complain) = (Arc::clone(&spool), complain.clone());
            ids.into_iter().filter_map(move |id| {
                let fact = result_fact(&spool, folder, &id);
                // What has left meanwhile is missed by nobody.
                if fact.is_none() && files::exists(&spool.file(folder, &id)) {
                    let file = id.file_name();
                    complain(format!("tasks/{folder}/{file} cannot be read as a result"));
                }
                fact
            })
        }
    });
    costs(spool.home(), None).chain(archived(spool, complain)).chain(results)
}

/// What the archive says. A line that cannot be read ends nothing.
fn archived<C: FnMut(String) + Send + 'static>(
    spool: &Spool,
    mut complain: C,
) -> impl Iterator<Item = Fact> + Send + use<C> {
    spool.archive().entries().filter_map(move |entry| match entry {
        Entry::Damaged(damage) => {
            complain(format!("{damage}; what else the archive holds is read all the same"));
            None
        }
        Entry::Line { file, frame, bytes } => match serde_json::from_slice::<TaskResult>(&bytes) {
            Ok(result) => {
                let archived = Some(file.to_string());
                Some(Fact::Task(Box::new(TaskRow { archived, ..row_of(result) })))
            }
            Err(error) => {
                complain(format!(
                    "a line in the frame at byte {frame} of tasks/archive/{file} is no result: {error}"
                ));
                None
            }
        },
    })
}

/// A mirror that begins anew knows nothing of what was retired, which may be much: says whether it
/// does, and leaves a note of it for the next daemon, should this one end before it has made it.
pub(super) fn leave_word_of_the_past(spool: &Spool, database: &Path) -> Result<bool, FileError> {
    let begins_anew = match Reader::open(database) {
        Ok(_) | Err(MirrorError::TooNew { .. }) => false,
        Err(_) => !spool.archive().files()?.is_empty(),
    };
    if begins_anew {
        // Where no note can be left there still is this daemon.
        let _ = Note::Rebuild.leave(spool.home());
    }
    Ok(begins_anew)
}

impl Engine<'_> {
    /// Has the mirror made anew, as soon as the foreman knows all that waits: a daemon that has
    /// just begun does not.
    pub(super) fn want_rebuild(&mut self) {
        self.wants_rebuild = true;
        self.ask(Ask::ListAndTell(0));
    }

    /// Makes the mirror anew while work goes on; facts that come meanwhile wait for it.
    pub(super) fn rebuild_mirror(&mut self) {
        let rows = self.foreman.rows().map(|row| Fact::Task(Box::new(row)));
        let now: Vec<Fact> = rows.chain([budget_fact(&self.foreman)]).collect();
        let history = history(&self.spool, |complaint| log::warn!("{complaint}"));
        let to_me = self.to_me.clone();
        self.is_rebuilding = self.mirror.rebuild(Box::new(history.chain(now)), move |result| {
            let _ = to_me.send(Message::Rebuilt(result));
        });
        self.tell_of_workers();
    }

    /// A drain that goes home on its own leaves a mirror that knows all that there is.
    pub(super) fn let_rebuild_end(&mut self) {
        if self.stops > 0 || self.lock.place() != Place::Here {
            return;
        }
        if std::mem::take(&mut self.wants_rebuild) {
            self.rebuild_mirror();
        }
        while self.is_rebuilding {
            match self.messages.recv() {
                Ok(message) => self.hear_at_the_end(message),
                Err(_) => return,
            }
        }
    }

    pub(super) fn rebuilt(&mut self, result: Result<(), String>) {
        self.is_rebuilding = false;
        match result {
            Ok(()) => log::info!("the mirror was made anew"),
            Err(why) => {
                // On a full disk not even this can be written: then who asked finds no mirror.
                let _ = Note::Rebuild.refuse(&self.home, &why);
                self.own_trouble(&why);
            }
        }
        // There may have been new trouble since.
        if !self.wants_rebuild {
            self.drop_note(&Note::Rebuild);
        }
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

/// A mirror that was made anew.
#[derive(Debug, Default)]
pub struct Anew {
    /// How many tasks it has.
    pub tasks: u64,
    /// What could not be read of the archive, a sentence each.
    pub damages: Vec<String>,
}

/// Makes the mirror of a home anew where no daemon runs.
///
/// # Errors
/// Where a daemon runs after all, or the home cannot be read.
pub fn rebuild(
    home: &Home,
    config: &Arc<Config>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Anew, EngineError> {
    let _lock = Lock::take_for_a_command(home)?;
    let spool = Arc::new(Spool::new(home.clone()));
    let journal = Journal::open(home.journal())?;
    let now = Now::read();
    let mut recovered = recover::recover(&spool, config, &journal, now.wall)?;
    let mut foreman = super::foreman(config, false, &mut recovered.replay, now);
    super::maintain::mend_archive(&spool);
    let (complain, complaints) = crossbeam_channel::unbounded();
    let history = history(&spool, move |complaint| drop(complain.send(complaint)));
    let batched = recover::take_up(&mut foreman, &mut recovered, now);
    let mut facts: Vec<Fact> = batched.into_iter().map(|row| Fact::Task(Box::new(row))).collect();
    facts.extend(pending(&spool, config, &mut foreman, now)?);
    facts.push(budget_fact(&foreman));
    let results = [Folder::Completed, Folder::Failed].map(|folder| spool.ids(folder));
    let all = results.iter().flatten().map(|ids| ids.len() as u64).sum::<u64>();
    let mut done = 0;
    let facts = history.chain(facts).inspect(|fact| {
        done += u64::from(matches!(fact, Fact::Task(_)));
        // What was retired comes beside those in the folders.
        progress(done, all.saturating_sub(done));
    });
    let made = mirror::rebuild::rebuild(&super::database(config, home), facts)?;
    Note::Rebuild.take(home)?;
    Ok(Anew { tasks: made.tasks, damages: complaints.try_iter().collect() })
}

/// The rows of what waits, as the foreman would tell of it.
fn pending(
    spool: &Arc<Spool>,
    config: &Arc<Config>,
    foreman: &mut Foreman,
    now: Now,
) -> Result<Vec<Fact>, EngineError> {
    let (to_me, messages) = crossbeam_channel::unbounded();
    let (ask, asked) = crossbeam_channel::unbounded();
    let _ = ask.send(Ask::ListAndTell(0));
    let intake = Intake::new(Arc::clone(spool), Arc::clone(config), to_me);
    let thread =
        std::thread::Builder::new().name("intake".into()).spawn(move || intake.run(&asked));
    let thread = thread.map_err(EngineError::Thread)?;
    let mut rows: HashMap<TaskId, TaskRow> = HashMap::new();
    while let Ok(message) = messages.recv() {
        let Message::Event(event) = message else { continue };
        if matches!(event, Event::Listed(..)) {
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
    Ok(rows.into_values().map(|row| Fact::Task(Box::new(row))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn bought(attempt: &str, at: &str) -> Line {
        let at: Timestamp = at.parse().unwrap();
        Line {
            attempt: Some(attempt.into()),
            worker_type: Some(crate::task::WorkerType::new("cloud")),
            cost_usd: Some(Usd::dollars(1)),
            ..Line::new(LineKind::End, at).of(&"x".parse().unwrap())
        }
    }

    fn attempts(facts: &[Fact]) -> Vec<String> {
        let attempt = |fact: &Fact| match fact {
            Fact::Cost(row) => Some(row.attempt.clone()),
            _ => None,
        };
        facts.iter().filter_map(attempt).collect()
    }

    #[test]
    fn a_mirror_that_knows_nothing_of_what_was_retired_is_to_be_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        home.init().unwrap();
        let (spool, path) = (Spool::new(home.clone()), home.database());
        let is_left = || {
            let begins_anew = leave_word_of_the_past(&spool, &path).unwrap();
            assert_eq!(Note::Rebuild.stands(&home), begins_anew);
            begins_anew
        };
        assert!(!is_left(), "nothing was retired");
        std::fs::write(spool.archive().dir().join("2026-10.jsonl.zst"), "").unwrap();
        assert!(is_left());
        Note::Rebuild.take(&home).unwrap();
        let (facts, mirror) = mirror::Mirror::start(&path, |_| {}).unwrap();
        drop(facts);
        mirror.close();
        assert!(!is_left(), "who made it has seen to that");
    }

    #[test]
    fn the_journal_is_followed_from_where_it_was_left() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        home.init().unwrap();
        let journal = Journal::open(home.journal()).unwrap();
        journal.append(&[bought("a", "2026-10-31T00:00:00Z")]).unwrap();
        journal.append(&[bought("b", "2026-11-01T00:00:00Z")]).unwrap();
        let all: Vec<Fact> = costs(&home, None).collect();
        let costs = |since| costs(&home, since).collect::<Vec<Fact>>();
        assert_eq!(attempts(&all), ["a", "b"]);
        let Some(Fact::Journal(mark)) = all.last() else { panic!("no mark: {all:?}") };
        assert_eq!(attempts(&costs(Some(mark))), [""; 0]);
        journal.append(&[bought("c", "2026-11-02T00:00:00Z")]).unwrap();
        assert_eq!(attempts(&costs(Some(mark))), ["c"]);
        // A month that became shorter is another one.
        std::fs::write(home.journal().join("2026-11.jsonl"), "").unwrap();
        let anew = Journal::open(home.journal()).unwrap();
        anew.append(&[bought("d", "2026-11-03T00:00:00Z")]).unwrap();
        let longer = JournalMark { offset: mark.offset * 9, ..mark.clone() };
        assert_eq!(attempts(&costs(Some(&longer))), ["d"]);
    }
}
