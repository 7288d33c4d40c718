//! `koubou wait`: until tasks have ended.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::site::parse_id;
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::clock::Timestamp;
use crate::base::files;
use crate::base::words::{self, Count};
use crate::spool::Spool;
use crate::spool::watch::Watch;
use crate::task::result::TaskResult;
use crate::task::{Folder, GroupName, Task, TaskId, wire};

/// Wait until tasks have ended: exit 0 if all are completed, 1 if one failed
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The tasks
    #[arg(value_name = "ID", required_unless_present = "group", value_parser = parse_id)]
    ids: Vec<TaskId>,
    /// All tasks of this group, those too that are dropped meanwhile
    #[arg(long, value_name = "GROUP", conflicts_with = "ids")]
    group: Option<GroupName>,
    /// Wait until the first of them has ended, and print which
    #[arg(long)]
    any: bool,
    /// Wait until all of them have ended; so it is without this, too
    #[arg(long, conflicts_with = "any")]
    all: bool,
    /// Wait no longer than this, and then exit 124: `90`, `30s`, `5m`
    #[arg(long, value_name = "DUR", value_parser = words::parse_span)]
    timeout: Option<Duration>,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    let spool = site.spool()?;
    let mut wait = Wait::of(site, &spool, &args.ids, args.group.as_ref())?;
    wait.timeout = args.timeout;
    wait.any = args.any;
    wait.until_ended(ui)
}

/// Waits for tasks that are known to be there; says of each that failed.
pub(super) fn until_ended(ui: &mut Ui, site: &Site, spool: &Spool, ids: &[TaskId]) -> Done {
    Wait::new(site, spool, ids.to_vec()).until_ended(ui)
}

/// Tasks that somebody waits for.
pub(super) struct Wait<'a> {
    site: &'a Site,
    spool: &'a Spool,
    pub(super) open: Vec<TaskId>,
    pub(super) ended: BTreeMap<TaskId, Folder>,
    group: Option<Group>,
    pub(super) any: bool,
    timeout: Option<Duration>,
}

/// The tasks of a group that have not ended.
struct Group {
    name: GroupName,
    /// Files that were read, with the task in them where it belongs to the group.
    read: HashMap<PathBuf, Option<TaskId>>,
}

impl Group {
    fn new(name: GroupName) -> Self {
        Self { name, read: HashMap::new() }
    }

    /// Those in `pending` and `in_progress` now.
    fn open(&mut self, spool: &Spool) -> Result<Vec<TaskId>, Trouble> {
        let pending = spool.waiting()?.into_iter().map(|name| spool.pending(&name));
        let working = spool.ids(Folder::InProgress)?;
        let working = working.iter().map(|id| spool.file(Folder::InProgress, id));
        let mut known = HashMap::new();
        for path in pending.chain(working) {
            let task = match self.read.remove(&path) {
                Some(task) => task,
                // One that is being written is read the next time that something happens.
                None => match read_task(&path) {
                    Some(task) => (task.group.as_ref() == Some(&self.name)).then_some(task.id),
                    None => continue,
                },
            };
            known.insert(path, task);
        }
        self.read = known;
        Ok(self.read.values().flatten().cloned().collect())
    }
}

fn read_task(path: &Path) -> Option<Task> {
    let stem = path.file_stem()?.to_str()?;
    wire::read(stem, &files::read(path, files::ANY_SIZE).ok()?).ok()
}

impl<'a> Wait<'a> {
    /// For these tasks, or for those of a group.
    pub(super) fn of(
        site: &'a Site,
        spool: &'a Spool,
        ids: &[TaskId],
        group: Option<&GroupName>,
    ) -> Result<Self, Trouble> {
        let located = ids.iter().map(|id| site.locate(spool, id).map(|located| located.id));
        let mut wait = Self::new(site, spool, located.collect::<Result<Vec<_>, _>>()?);
        if let Some(name) = group {
            wait.group = Some(Group::new(name.clone()));
            let rows = site.query().and_then(|query| Ok(query.group(name)?)).unwrap_or_default();
            for row in rows {
                let Ok(id) = row.task_id.parse() else { continue };
                // What was archived has ended for good, and is not looked for one by one.
                match row.archived.and_then(|_| Folder::from_name(&row.status)) {
                    Some(folder) => drop(wait.ended.insert(id, folder)),
                    None => wait.open.push(id),
                }
            }
        }
        Ok(wait)
    }

    /// Whether there is nothing more to wait for.
    pub(super) fn is_over(&self) -> bool {
        self.open.is_empty() || (self.any && !self.ended.is_empty())
    }

    fn new(site: &'a Site, spool: &'a Spool, open: Vec<TaskId>) -> Self {
        let ended = BTreeMap::new();
        Self { site, spool, open, ended, group: None, any: false, timeout: None }
    }

    fn until_ended(mut self, ui: &mut Ui) -> Done {
        // To watch a folder of many names takes the kernel longer than to see that all is over.
        self.look()?;
        if self.is_over() {
            return self.report(ui);
        }
        let (tell, told) = mpsc::channel();
        let _watch = Watch::with_claims(&self.site.home, move |_| {
            let _ = tell.send(());
        })
        .map_err(|error| Trouble::new(error.to_string()))?;
        let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        let mut hinted = false;
        let mut progress = ui.progress();
        loop {
            self.look()?;
            if self.is_over() {
                drop(progress);
                return self.report(ui);
            }
            if !std::mem::replace(&mut hinted, true) {
                self.site.hint_if_idle(ui);
            }
            progress.show(self.ended.len() as u64, self.open.len() as u64);
            match pause(&told, deadline) {
                Ok(()) | Err(RecvTimeoutError::Disconnected) => {}
                Err(RecvTimeoutError::Timeout) => {
                    drop(progress);
                    return self.give_up(ui);
                }
            }
        }
    }

    /// Sees who has ended.
    pub(super) fn look(&mut self) -> Result<(), Trouble> {
        if let Some(group) = &mut self.group {
            let known: HashSet<TaskId> = self.open.iter().cloned().collect();
            for id in group.open(self.spool)?.into_iter().filter(|id| !known.contains(id)) {
                self.ended.remove(&id);
                self.open.push(id);
            }
            if self.open.is_empty() && self.ended.is_empty() {
                let name = &group.name;
                return Err(Trouble::new(format!("there is no task of group `{name}`")));
            }
        }
        for id in std::mem::take(&mut self.open) {
            match where_it_ended(self.site, self.spool, &id) {
                Ok(Some(folder)) => drop(self.ended.insert(id, folder)),
                Ok(None) => self.open.push(id),
                // Who waits for a group waits for whoever is in it.
                Err(_) if self.group.is_some() => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(())
    }

    /// Of several that have ended, the one that did so first.
    fn keep_the_first(&mut self) {
        let ended_at = |(id, folder): (&TaskId, &Folder)| {
            let result = super::result::read_result(self.spool, *folder, id).unwrap_or_default();
            let at = result.get("finished_at").and_then(Value::as_str)?;
            at.parse::<Timestamp>().ok()
        };
        // Of one that nobody can read it is not known; it is taken where there is no other.
        let first = self.ended.iter().min_by_key(|ended| {
            let at = ended_at(*ended);
            (at.is_none(), at)
        });
        if let Some((id, folder)) = first.map(|(id, folder)| (id.clone(), *folder)) {
            self.ended = BTreeMap::from([(id, folder)]);
        }
    }

    fn give_up(&self, ui: &mut Ui) -> Done {
        if ui.is_json() {
            let open = self.open.iter().map(|id| (id, self.spool.find(id)));
            let ended = self.ended.iter().map(|(id, folder)| (id, Some(*folder)));
            ui.json_line(&rows(open.chain(ended)))?;
        }
        ui.insist(&format!(
            "{} not ended: {}",
            Count(self.open.len() as u64, "task"),
            words::names(&self.open, "and")
        ));
        Ok(Exit::TimedOut)
    }

    fn report(mut self, ui: &mut Ui) -> Done {
        if self.any {
            self.keep_the_first();
        }
        if ui.is_json() {
            ui.json_line(&rows(self.ended.iter().map(|(id, folder)| (id, Some(*folder)))))?;
        } else if self.any {
            for id in self.ended.keys() {
                ui.verbatim(id.as_str())?;
            }
        }
        let failed = self.ended.iter().filter(|(_, folder)| **folder == Folder::Failed);
        let failed: Vec<&TaskId> = failed.map(|(id, _)| id).collect();
        for id in &failed {
            let result = super::result::read_result(self.spool, Folder::Failed, id);
            let result = result.unwrap_or_default();
            let why = result.pointer("/error/message").and_then(|why| why.as_str());
            ui.say(&format!("`{id}` failed: {}", words::tame(why.unwrap_or("it failed"))));
        }
        Ok(if failed.is_empty() { Exit::Done } else { Exit::Failed })
    }
}

/// Until something happened in the home; what happened at the same time is taken together.
fn pause(told: &mpsc::Receiver<()>, deadline: Option<Instant>) -> Result<(), RecvTimeoutError> {
    match deadline {
        None => told.recv().map_err(|_| RecvTimeoutError::Disconnected)?,
        Some(deadline) => told.recv_timeout(deadline.saturating_duration_since(Instant::now()))?,
    }
    while told.try_recv().is_ok() {}
    Ok(())
}

fn where_it_ended(site: &Site, spool: &Spool, id: &TaskId) -> Result<Option<Folder>, Trouble> {
    match spool.find(id) {
        // A task that somebody moved there by hand has not ended by that.
        Some(folder) if folder.is_end() => match is_result(spool, folder, id) {
            // It may have moved on while it was read; one that lies there and is no JSON stays.
            Err(trouble) if spool.find(id) == Some(folder) => Err(trouble),
            is_one => Ok(Some(folder).filter(|_| is_one.unwrap_or(false))),
        },
        Some(_) => Ok(None),
        // Between two folders it may have been missed; only a second look says that it is gone.
        None => match site.locate(spool, id) {
            Ok(located) => Ok(Some(located.folder).filter(|folder| folder.is_end())),
            Err(_) => Err(Trouble::new(format!(
                "`{id}` was withdrawn: its file is in no folder any more"
            ))),
        },
    }
}

fn is_result(spool: &Spool, folder: Folder, id: &TaskId) -> Result<bool, Trouble> {
    let result = super::result::read_result(spool, folder, id)?;
    Ok(result.as_object().is_some_and(TaskResult::looks_like_one))
}

fn rows<'a>(tasks: impl Iterator<Item = (&'a TaskId, Option<Folder>)>) -> Vec<Value> {
    tasks.map(|(id, folder)| json!({ "task_id": id, "status": folder })).collect()
}
