//! Puts a home in order after a daemon that died: every task in one folder, nothing running that nobody waits for.
//!
//! What it does is safe to be cut short at any point and to be done twice: a claim
//! whose result stands is dropped, a program that a dead daemon left is ended, and
//! every other claim goes back to `pending`, where it is found like any other task. Only
//! what goes on without us stays: the tasks of a batch that may have been submitted.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::intake;
use super::lanes::Held;
use crate::base::bug::has_bug;
use crate::base::clock::{Now, Timestamp};
use crate::base::files::{self, FileError, Regular};
use crate::base::process;
use crate::config::Config;
use crate::foreman::{Arrival, Foreman, LeftFamily, Order, TakenUp};
use crate::spool::journal::{self, Journal};
use crate::spool::{self, Spool};
use crate::task::fact::TaskRow;
use crate::task::journal::Replay;
use crate::task::{Folder, Sensitivity, TaskId, WorkerType, wire};

/// What was found and done.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    /// What the journal remembers.
    pub replay: Replay,
    /// Attempts during which the daemon died.
    pub deaths: Vec<crate::task::journal::Line>,
    /// Claims that went back to `pending`.
    pub released: Vec<TaskId>,
    /// Tasks whose attempts go on in a batch.
    pub batched: Vec<TakenUp>,
    /// Tasks that wait for their subtasks.
    pub families: Vec<LeftFamily>,
    /// Claims whose result stood already.
    pub dropped: Vec<TaskId>,
    /// Programs that were still running.
    pub ended: Vec<u32>,
    /// Lines of the journal that could not be read.
    pub unreadable: u64,
}

/// Puts the home in order.
pub(super) fn recover(
    spool: &Arc<Spool>,
    config: &Config,
    journal: &Journal,
    now: Timestamp,
) -> Result<Recovered, FileError> {
    let mut recovered = Recovered::default();
    let dir = spool.home().journal();
    recovered.unreadable = journal::recent(&dir, |line| recovered.replay.follow(line))?;
    recovered.ended = end_leftovers(recovered.replay.open.keys());
    recovered.batched = batched(spool, config, &mut recovered.replay);
    // Money first: from here on it is known what the dead daemon may have spent.
    recovered.deaths = recovered.replay.close_open(now);
    journal.append(&recovered.deaths)?;
    journal.sync()?;
    // A batch of which nothing is left to come is asked after by nobody, and tidied up.
    let comes: BTreeSet<_> = recovered.batched.iter().map(|taken| &taken.begun.batch).collect();
    recovered.replay.batches.retain(|mark, batch| {
        let has_batches = has_batches(config, &batch.worker_type);
        comes.contains(&Some(mark.clone())) || has_batches && batch.batch_id.is_some()
    });
    recovered.families = families(spool, config, &mut recovered.replay);
    let batched = recovered.batched.iter().map(|taken| &taken.arrival.id);
    let families = recovered.families.iter().map(|left| &left.arrival.id);
    let stays: BTreeSet<&TaskId> = batched.chain(families).collect();
    let claims = spool.ids(Folder::InProgress)?.into_iter();
    for id in claims.filter(|id| !stays.contains(id)) {
        match settle_claim(spool, &id)? {
            Settled::Released => recovered.released.push(id),
            Settled::Dropped => {
                recovered.replay.past.remove(&id);
                recovered.dropped.push(id);
            }
        }
    }
    for left in &mut recovered.families {
        look_after(spool, left)?;
    }
    spool.home().sweep()?;
    Ok(recovered)
}

/// The tasks whose attempts go on in a batch, where their worker still has batches. A claim that
/// cannot be read is settled like any other, and what it may have cost counts as spent.
fn batched(spool: &Spool, config: &Config, replay: &mut Replay) -> Vec<TakenUp> {
    let mut arrivals: HashMap<TaskId, Arrival> = HashMap::new();
    let begun = replay.take_batched(|line| {
        let (Some(id), Some(worker)) = (&line.task, &line.worker_type) else { return false };
        let has_batches = has_batches(config, worker);
        let arrival = has_batches.then(|| intake::claimed(spool, config, id)).flatten();
        arrival.map(|arrival| arrivals.insert(id.clone(), arrival)).is_some()
    });
    let taken = begun.into_iter().filter_map(|begun| {
        let arrival = arrivals.remove(begun.task.as_ref()?)?;
        Some(TakenUp { arrival, begun })
    });
    taken.collect()
}

fn has_batches(config: &Config, worker: &WorkerType) -> bool {
    config.worker(worker).is_some_and(|spec| spec.batch.is_some())
}

/// The tasks that wait for their subtasks.
fn families(spool: &Spool, config: &Config, replay: &mut Replay) -> Vec<LeftFamily> {
    let all = std::mem::take(&mut replay.families).into_iter();
    let left = all.filter(|(id, _)| result_of_claim(spool, id).is_none());
    left.filter_map(|(id, family)| {
        let arrival = intake::claimed(spool, config, &id)?;
        Some(LeftFamily { arrival, family, ended: Vec::new() })
    })
    .collect()
}

/// Finds out how far the subtasks of a task have come, once every claim is settled. Those that a
/// dead daemon had written down and not dropped are dropped now, and no other.
fn look_after(spool: &Spool, left: &mut LeftFamily) -> Result<(), FileError> {
    let family = &left.family;
    let is_lost = |child: &TaskId| {
        let was_there = family.withdrawn.contains(child) || family.ended.contains_key(child);
        !family.are_dropped && !was_there && spool.find(child).is_none()
    };
    let lost: Vec<_> = family
        .answer
        .subtasks
        .iter()
        .zip(&family.children)
        .filter(|(_, child)| is_lost(child))
        .collect();
    if !lost.is_empty() {
        spool.drop_all(lost.into_iter(), &mut 0)?;
    }
    for child in &family.children {
        match spool.find(child) {
            Some(Folder::Pending | Folder::InProgress) => {}
            Some(folder) => {
                let level = level_of(spool, folder, child);
                left.ended.push((child.clone(), folder == Folder::Completed, level));
            }
            None => {
                // Where its result was moved away nothing says any more that it was public.
                let level = match family.ended.get(child) {
                    Some(_) => Sensitivity::Confidential,
                    None => Sensitivity::Public,
                };
                let is_done = family.ended.get(child) == Some(&Folder::Completed);
                left.ended.push((child.clone(), is_done, level));
            }
        }
    }
    Ok(())
}

/// How confidential a result says that it is; what does not say so is.
fn level_of(spool: &Spool, folder: Folder, id: &TaskId) -> Sensitivity {
    let is_public = |result: Map<String, Value>| {
        let level = result.get("routing")?.get("sensitivity_level")?.as_str()?;
        (level == Sensitivity::Public.as_str()).then_some(Sensitivity::Public)
    };
    let result = spool.read_result(folder, id).ok();
    let document = result.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    document.and_then(is_public).unwrap_or(Sensitivity::Confidential)
}

/// Tells the foreman of the tasks that wait for their subtasks: their claims, and what follows.
pub(super) fn take_up_families(
    foreman: &mut Foreman,
    spool: &Arc<Spool>,
    recovered: &mut Recovered,
    now: Now,
) -> (HashMap<TaskId, Held>, Vec<Order>) {
    let (mut held, mut orders) = (HashMap::new(), Vec::new());
    for left in std::mem::take(&mut recovered.families) {
        let id = left.arrival.id.clone();
        let mut claim = spool.reclaim(id.clone());
        let bytes = claim.read(files::ANY_SIZE).unwrap_or_default();
        let Ok(task) = wire::read(id.as_str(), &bytes) else { continue };
        held.insert(id.clone(), Held::new(claim, task));
        foreman.take_up_family(left, now, &mut orders);
        let row = foreman.row_in_progress(&id, now.wall);
        orders.extend(row.map(|row| Order::Record(Box::new(row))));
    }
    (held, orders)
}

/// Tells the foreman of the tasks that go on in a batch; the mirror's rows of them.
pub(super) fn take_up(foreman: &mut Foreman, recovered: &mut Recovered, now: Now) -> Vec<TaskRow> {
    let mut rows = Vec::new();
    for taken in std::mem::take(&mut recovered.batched) {
        let id = taken.arrival.id.clone();
        foreman.take_up(taken, now);
        rows.extend(foreman.row_in_progress(&id, now.wall));
    }
    rows
}

enum Settled {
    Released,
    Dropped,
}

/// A claim that an earlier daemon left: dropped where its result stands, else back to `pending`.
fn settle_claim(spool: &Arc<Spool>, id: &TaskId) -> Result<Settled, FileError> {
    let claimed = spool.file(Folder::InProgress, id);
    if let Some((folder, result)) = result_of_claim(spool, id) {
        let other = if folder == Folder::Completed { Folder::Failed } else { Folder::Completed };
        files::remove(&spool.file(other, id))?;
        let is_regular = fs::symlink_metadata(&claimed).is_ok_and(|meta| meta.is_file());
        // What is no file is no claim of ours: it is set aside with what was no task.
        if result.contains_key("task") && is_regular {
            files::remove(&claimed)?;
        } else {
            spool::filer::keep_rejected(spool, id)?;
        }
        return Ok(Settled::Dropped);
    }
    if has_bug("claims-forgotten") {
        return Ok(Settled::Released);
    }
    spool.reclaim(id.clone()).release()?;
    Ok(Settled::Released)
}

/// The result that came of a claim, and where it stands.
fn result_of_claim(spool: &Spool, id: &TaskId) -> Option<(Folder, Map<String, Value>)> {
    let claimed = document(&spool.file(Folder::InProgress, id));
    [Folder::Completed, Folder::Failed].into_iter().find_map(|folder| {
        let result = document(&spool.file(folder, id))?;
        is_result_of(&result, claimed.as_ref()).then_some((folder, result))
    })
}

/// Whether a result came of this claim, and is not an older one that was put into `pending` again.
fn is_result_of(result: &Map<String, Value>, claimed: Option<&Map<String, Value>>) -> bool {
    let finished = |document: &Map<String, Value>| document.get("finished_at").cloned();
    let is_again = claimed.is_some_and(crate::task::result::TaskResult::looks_like_one);
    !is_again || claimed.and_then(finished) != finished(result)
}

/// A JSON object in a file of any size, if it is one.
fn document(path: &std::path::Path) -> Option<Map<String, Value>> {
    let bytes = Regular::open(path).ok()?.read(files::ANY_SIZE).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Ends the programs of a dead daemon's attempts, before their tasks can run again.
///
/// They are known by the attempt's mark in their environment, which their children
/// inherit: a pid alone may by now be somebody else's.
fn end_leftovers<'a>(attempts: impl Iterator<Item = &'a String>) -> Vec<u32> {
    let marks: BTreeSet<Vec<u8>> =
        attempts.map(|mark| format!("KOUBOU_ATTEMPT={mark}").into_bytes()).collect();
    process::end_marked(&marks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::{Read, Write};
    use std::process::Stdio;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn an_older_result_is_told_from_the_claims_own() {
        let older =
            map(json!({"task_id": "x", "status": "failed", "finished_at": "1", "attempts": []}));
        let newer =
            map(json!({"task_id": "x", "status": "failed", "finished_at": "2", "attempts": []}));
        let fresh = map(json!({"description": "a"}));
        assert!(is_result_of(&older, Some(&fresh)));
        assert!(!is_result_of(&older, Some(&older)), "put into pending again, not yet run");
        assert!(is_result_of(&newer, Some(&older)), "run again, and filed");
        assert!(is_result_of(&older, None), "a drop that was no task");
    }

    #[test]
    fn a_program_is_known_by_its_mark() {
        let mark = format!("test-{}-{}", std::process::id(), crate::base::clock::mono().as_nanos());
        let mut child = std::process::Command::new("cat")
            .env("KOUBOU_ATTEMPT", &mark)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // A program's environment shows only once it runs, a moment after its start.
        let (mut to, mut from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        to.write_all(b"x").unwrap();
        from.read_exact(&mut [0]).unwrap();
        assert_eq!(end_leftovers([mark].iter()), [child.id()]);
        assert!(!child.wait().unwrap().success());
    }
}
