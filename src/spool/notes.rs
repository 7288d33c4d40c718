//! Notes in `control/` that other commands leave for the daemon.
//!
//! `pause`, `pause.WORKER` and `pause-group.GROUP` stand for as long as the pause does, so that `ls`
//! shows it and a restart keeps it. `cancel.ID`, `limits.json`, `rebuild` and `compact` are taken away
//! once the daemon has acted on them; where none runs they wait for the next.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Home;
use crate::base::files::{self, FileError};
use crate::task::limit::{Scope, Window};
use crate::task::{GroupName, Limit, TaskId, Usd, WorkerType};

/// What a note's name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Claim nothing more, for one worker type or for all.
    Pause(Option<WorkerType>),
    /// Claim nothing more of this group.
    PauseGroup(GroupName),
    /// End this task.
    Cancel(TaskId),
    /// Other limits of the budget.
    Limits,
    /// Make the mirror anew.
    Rebuild,
    /// Bring the mirror in line with the archive, and make it smaller.
    Compact,
}

/// The limits that somebody set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsNote {
    /// A day's, in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    daily_usd: Option<Usd>,
    /// A month's, in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    monthly_usd: Option<Usd>,
    /// Those of single worker types.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    by_worker: BTreeMap<String, Amounts>,
    /// Those of single types of task.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    by_task_type: BTreeMap<String, Amounts>,
}

/// A day's and a month's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Amounts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    daily_usd: Option<Usd>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    monthly_usd: Option<Usd>,
}

impl Note {
    /// The note of this name, if it is one.
    pub fn from_name(name: &OsStr) -> Option<Self> {
        let name = name.to_str()?;
        match name.split_once('.') {
            None if name == "pause" => Some(Self::Pause(None)),
            None if name == "rebuild" => Some(Self::Rebuild),
            None if name == "compact" => Some(Self::Compact),
            Some(("pause", worker)) => Some(Self::Pause(Some(WorkerType::new(worker)))),
            Some(("pause-group", name)) => name.parse().ok().map(Self::PauseGroup),
            Some(("cancel", id)) => id.parse().ok().map(Self::Cancel),
            Some(("limits", "json")) => Some(Self::Limits),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> String {
        match self {
            Self::Pause(None) => "pause".into(),
            Self::Pause(Some(worker)) => format!("pause.{worker}"),
            Self::PauseGroup(name) => format!("pause-group.{name}"),
            Self::Cancel(id) => format!("cancel.{id}"),
            Self::Limits => "limits.json".into(),
            Self::Rebuild => "rebuild".into(),
            Self::Compact => "compact".into(),
        }
    }

    fn path(&self, home: &Home) -> PathBuf {
        home.control().join(self.name())
    }

    /// Leaves it for the daemon.
    ///
    /// # Errors
    /// What the file system says.
    pub fn leave(&self, home: &Home) -> Result<(), FileError> {
        self.leave_with(home, b"")
    }

    /// Takes it away; whether it was there.
    ///
    /// # Errors
    /// What the file system says.
    pub fn take(&self, home: &Home) -> Result<bool, FileError> {
        let path = self.path(home);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(FileError::new("remove", path, error)),
        }
    }

    /// Whether it lies there.
    pub fn stands(&self, home: &Home) -> bool {
        files::exists(&self.path(home))
    }

    /// Leaves word that what it asks for could not be done, and why, for who asked.
    ///
    /// # Errors
    /// What the file system says.
    pub fn refuse(&self, home: &Home, why: &str) -> Result<(), FileError> {
        files::replace(&home.tmp(), &self.refusal(home), why.as_bytes(), 0o644)
    }

    /// Takes that word away; what it says, if it was there.
    pub fn refused(&self, home: &Home) -> Option<String> {
        let path = self.refusal(home);
        let bytes = files::read(&path, 64 << 10).ok()?;
        files::remove(&path).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn refusal(&self, home: &Home) -> PathBuf {
        home.control().join(format!("{}.refused", self.name()))
    }

    fn leave_with(&self, home: &Home, bytes: &[u8]) -> Result<(), FileError> {
        files::replace(&home.tmp(), &self.path(home), bytes, 0o644)
    }
}

impl LimitsNote {
    /// Leaves limits for the daemon, beside those that an earlier note set.
    ///
    /// # Errors
    /// What the file system says.
    pub fn leave(limits: &BTreeMap<Limit, Usd>, home: &Home) -> Result<(), FileError> {
        let mut note = Self::lying_at(home).unwrap_or_default();
        limits.iter().for_each(|(limit, amount)| note.set(limit, *amount));
        let bytes = serde_json::to_vec(&note).unwrap_or_default();
        Note::Limits.leave_with(home, &bytes)
    }

    /// The limits that were left and not yet acted on.
    pub fn read(home: &Home) -> Option<BTreeMap<Limit, Usd>> {
        Some(Self::lying_at(home)?.limits())
    }

    fn lying_at(home: &Home) -> Option<Self> {
        let bytes = files::read(&Note::Limits.path(home), 1 << 20).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    fn set(&mut self, limit: &Limit, amount: Usd) {
        let named = match &limit.scope {
            Scope::Total => None,
            Scope::Worker(name) => Some(self.by_worker.entry(name.to_string()).or_default()),
            Scope::TaskType(name) => Some(self.by_task_type.entry(name.clone()).or_default()),
        };
        let (daily, monthly) = match named {
            Some(amounts) => (&mut amounts.daily_usd, &mut amounts.monthly_usd),
            None => (&mut self.daily_usd, &mut self.monthly_usd),
        };
        match limit.window {
            Window::Day => *daily = Some(amount),
            Window::Month => *monthly = Some(amount),
        }
    }

    fn limits(&self) -> BTreeMap<Limit, Usd> {
        let total = Amounts { daily_usd: self.daily_usd, monthly_usd: self.monthly_usd };
        let worker = |(name, amounts): (&String, &Amounts)| {
            (Scope::Worker(WorkerType::new(name.clone())), *amounts)
        };
        let task_type =
            |(name, amounts): (&String, &Amounts)| (Scope::TaskType(name.clone()), *amounts);
        let all = self.by_worker.iter().map(worker);
        let all = all.chain(self.by_task_type.iter().map(task_type));
        let limits = all.chain([(Scope::Total, total)]).flat_map(|(scope, amounts)| {
            let amounts = Window::ALL.into_iter().zip([amounts.daily_usd, amounts.monthly_usd]);
            amounts.filter_map(move |(window, amount)| {
                Some((Limit { scope: scope.clone(), window }, amount?))
            })
        });
        limits.collect()
    }
}

/// All notes that lie there.
///
/// # Errors
/// Where the folder cannot be listed.
pub fn all(home: &Home) -> Result<Vec<Note>, FileError> {
    Ok(super::list(&home.control())?.iter().filter_map(|name| Note::from_name(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{id, spool};
    use super::*;

    #[test]
    fn a_note_is_known_by_its_name() {
        for note in [
            Note::Pause(None),
            Note::Pause(Some(WorkerType::new("a.b"))),
            Note::PauseGroup("night.2".parse().unwrap()),
            Note::Cancel(id("x.2")),
            Note::Limits,
            Note::Rebuild,
            Note::Compact,
        ] {
            assert_eq!(Note::from_name(OsStr::new(&note.name())), Some(note));
        }
        assert_eq!(Note::from_name(OsStr::new("daemon.pid")), None);
        assert_eq!(Note::from_name(OsStr::new("cancel...")), None);
    }

    #[test]
    fn limits_set_one_after_the_other_all_hold() {
        let (_dir, spool) = spool();
        let home = spool.home();
        let limit = |scope, window| Limit { scope, window };
        let cloud = limit(Scope::Worker(WorkerType::new("cloud")), Window::Month);
        let report = limit(Scope::TaskType("report".into()), Window::Day);
        let (day, month) = (Limit::total(Window::Day), Limit::total(Window::Month));
        let all: BTreeMap<Limit, Usd> = [(day, 5), (month, 50), (cloud, 7), (report, 1)]
            .map(|(limit, amount)| (limit, Usd::dollars(amount)))
            .into();
        for (limit, amount) in &all {
            LimitsNote::leave(&[(limit.clone(), *amount)].into(), home).unwrap();
        }
        assert_eq!(LimitsNote::read(home), Some(all));
        assert!(Note::Limits.take(home).unwrap());
        assert!(!Note::Limits.take(home).unwrap());
    }
}
