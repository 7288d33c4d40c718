//! Keeps a home small: results that are old leave their folders, logs are turned over, leftovers go.
//!
//! It can be killed at any point and run again, beside a daemon or without one; one runs at a time.
//! Each step goes on where another failed, and what failed is in the report. The mirror follows
//! last: beside a daemon that one writes it, for a mirror has one writer.
//!
//! A result that the mirror knows to be young is not opened. What leaves was read in its file, always;
//! what was made older by hand, behind the mirror's back, stays until the mirror knows (`rebuild`) or
//! would take it for old, too.
//!
//! It never deletes what money or a waiting task needs: the journal stays, its old months packed, and
//! so does a result that somebody waits for.

mod daily;
mod needed;
mod schedule;

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

pub(super) use daily::{Daily, Maintained};

use super::{EngineError, Home, Spool, database, reconcile};
use crate::base::clock::{self, Timestamp};
use crate::base::files::{self, FileError};
use crate::base::threads::{both, in_parts};
use crate::base::words;
use crate::config::{Config, Kind, Retire, WorkerSpec};
use crate::mirror::compact::{self, Compacted};
use crate::mirror::query::Reader;
use crate::mirror::{Mirror, MirrorError};
use crate::spool::archive::{KeepError, Keeper};
use crate::spool::format::PACKED_JOURNAL;
use crate::spool::journal;
use crate::spool::lock::Lock;
use crate::spool::logs::{self, Deed, Rules};
use crate::spool::retire::{self, Old, Retiring, Seen};
use crate::spool::{told, work as attempts};
use crate::task::{Folder, TaskId};
use needed::Needed;

/// So many results that stay are named; of more there is the count.
const MOST_NAMED: usize = 100;
/// So many results are looked at by all processors together.
const LOOKED_AT_TOGETHER: usize = 4_096;
/// When somebody last maintained the home; beside the notes, where `ls` shows it.
const STAMP: &str = "maintained";

/// Why a home was not maintained at all.
#[derive(Debug, thiserror::Error)]
pub enum MaintainError {
    /// Somebody is at it.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What was done, or would be.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Whether nothing was done, and this says only what would be.
    pub dry_run: bool,
    /// Results finished before this are old.
    pub before: String,
    /// `archive` or `delete`.
    pub retire: &'static str,
    /// How many results left their folders.
    pub retired: u64,
    /// How many bytes they had there.
    pub retired_bytes: u64,
    /// By how much the archive grew.
    pub archived_bytes: u64,
    /// How many old results stay.
    pub kept: u64,
    /// Some of them, and why.
    pub kept_because: Vec<Kept>,
    /// What was done with logs.
    pub logs: Vec<LogDeed>,
    /// The folders that attempts had left in `work` and that were removed.
    pub work: Vec<String>,
    /// Which months of the journal were packed.
    pub journal: Vec<LogDeed>,
    /// What dead processes had left half-made.
    pub leftovers: u64,
    /// What became of the mirror; nothing where that is the daemon's to do.
    pub mirror: Option<MirrorDeed>,
    /// What could not be read of the archive, a sentence each; the rest of it is as it was.
    pub damages: Vec<String>,
    /// What could not be done, a sentence each.
    pub failed: Vec<String>,
}

/// An old result that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The task.
    pub task_id: TaskId,
    /// Its folder.
    pub status: Folder,
    /// Why.
    pub why: String,
}

/// Something that was done with a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogDeed {
    /// Its file, below the home.
    pub file: String,
    /// `rotated`, `compressed` or `removed`.
    pub deed: &'static str,
    /// How large it was.
    pub bytes: u64,
}

/// What became of the mirror.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MirrorDeed {
    /// How many of its log lines went.
    pub log_lines: u64,
    /// How large it was.
    pub bytes_before: u64,
    /// How large it is.
    pub bytes_after: u64,
    /// Why its free room was not given back, where there was some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_as_it_is: Option<String>,
}

impl From<Compacted> for MirrorDeed {
    fn from(compacted: Compacted) -> Self {
        let Compacted { log_lines, bytes: (bytes_before, bytes_after), kept_as_it_is } = compacted;
        Self { log_lines, bytes_before, bytes_after, kept_as_it_is }
    }
}

/// How it is to be done.
pub struct Manner<'a> {
    /// Say what would be done, and do nothing.
    pub is_dry: bool,
    /// Asked now and then whether to end early.
    pub is_over: &'a dyn Fn() -> bool,
    /// Told how many results were looked at, and how many are left.
    pub progress: &'a mut dyn FnMut(u64, u64),
}

/// Results that were finished before this are old.
fn oldest_kept(config: &Config, now: Timestamp) -> Timestamp {
    let kept = Duration::from_secs(u64::from(config.retention_days) * 86_400);
    now.checked_sub(kept).unwrap_or(Timestamp::MIN)
}

/// Maintains a home, but for its mirror.
///
/// # Errors
/// Where somebody else is at it, or the home cannot be read at all.
pub fn maintain(
    home: &Home,
    config: &Config,
    now: Timestamp,
    manner: Manner<'_>,
) -> Result<Report, MaintainError> {
    let spool = Spool::new(home.clone());
    let before = oldest_kept(config, now);
    let mut work = Work {
        spool: &spool,
        config,
        now,
        before,
        report: Report {
            dry_run: manner.is_dry,
            before: clock::rfc3339(before),
            retire: match config.retire {
                Retire::Archive => "archive",
                Retire::Delete => "delete",
            },
            ..Report::default()
        },
        manner,
    };
    let mut keeper = None;
    if !work.manner.is_dry {
        home.mend()?;
        let mut opened = Keeper::open(spool.archive())?;
        work.report.damages = opened.take_damages();
        retire::put_all_back(&spool, &opened)?;
        keeper = Some(opened);
    }
    let size_before = spool.archive().size().1;
    work.retire_all(keeper.as_mut())?;
    if let Some(keeper) = &keeper {
        // The way out is closed behind the last of them.
        work.note(retire::put_all_back(&spool, keeper));
    }
    work.report.archived_bytes = spool.archive().size().1.saturating_sub(size_before);
    let packed = work.pack_journal();
    work.note(packed);
    work.tend_logs(now);
    work.clear_work();
    work.sweep();
    if !work.manner.is_dry && !(work.manner.is_over)() {
        let stamp = clock::rfc3339(now) + "\n";
        let path = home.control().join(STAMP);
        work.note(files::replace(&home.tmp(), &path, stamp.as_bytes(), 0o644));
    }
    Ok(work.report)
}

/// A home that is being maintained.
struct Work<'a, 'm> {
    spool: &'a Spool,
    config: &'a Config,
    now: Timestamp,
    before: Timestamp,
    report: Report,
    manner: Manner<'m>,
}

impl Work<'_, '_> {
    /// Retires what is old. Without a keeper it is only counted.
    fn retire_all(&mut self, keeper: Option<&mut Keeper>) -> Result<(), FileError> {
        let needed = Needed::read(self.spool, self.config)?;
        let is_kept = self.config.retire == Retire::Archive;
        let mut all = Vec::new();
        for folder in [Folder::Completed, Folder::Failed] {
            let (spool, since) = (self.spool, self.before..self.now);
            let path = database(self.config, spool.home());
            let (young, ids) = both(|| known_young(&path, folder, &since), || spool.ids(folder));
            let others = ids?.into_iter().filter(|id| !young.contains(id.as_str()));
            all.extend(others.map(|id| (folder, id)));
        }
        let spool = self.spool;
        match keeper {
            Some(keeper) => self.retire_each(all, &needed, Retiring::new(spool, keeper, is_kept)),
            None => self.count_old(&all, &needed),
        }
        Ok(())
    }

    fn retire_each(
        &mut self,
        all: Vec<(Folder, TaskId)>,
        needed: &Needed,
        mut retiring: Retiring<'_>,
    ) {
        let count = all.len() as u64;
        for (n, (folder, id)) in all.into_iter().enumerate() {
            if (self.manner.is_over)() {
                break;
            }
            (self.manner.progress)(n as u64, count - n as u64);
            let old = match verdict(self.spool, folder, &id, self.before, needed) {
                Verdict::Leaves(old) => *old,
                other => {
                    self.take_down(other, folder, id);
                    continue;
                }
            };
            let is_full = match retiring.add(old) {
                Ok(is_full) => is_full,
                // What is wrong with the archive is wrong with it for all.
                Err(error) => return self.note(Err(error)),
            };
            if is_full && !self.finish_round(&mut retiring) {
                return;
            }
        }
        self.finish_round(&mut retiring);
    }

    /// Counts what would leave; all processors look at results meanwhile.
    fn count_old(&mut self, all: &[(Folder, TaskId)], needed: &Needed) {
        let (spool, before) = (self.spool, self.before);
        let look = |part: &[(Folder, TaskId)]| -> Vec<Verdict> {
            let verdicts = part.iter().map(|(folder, id)| {
                match verdict(spool, *folder, id, before, needed) {
                    // All that it says is not held for so many.
                    Verdict::Leaves(old) => Verdict::WouldLeave(old.bytes()),
                    other => other,
                }
            });
            verdicts.collect()
        };
        let count = all.len() as u64;
        for (n, some) in all.chunks(LOOKED_AT_TOGETHER).enumerate() {
            if (self.manner.is_over)() {
                break;
            }
            let done = (n * LOOKED_AT_TOGETHER) as u64;
            (self.manner.progress)(done, count - done);
            let seen = in_parts(some.len(), 1, |part| look(&some[part]));
            for (verdict, (folder, id)) in seen.into_iter().flatten().zip(some) {
                self.take_down(verdict, *folder, id.clone());
            }
        }
    }

    /// Takes down what becomes of a result that does not leave now.
    fn take_down(&mut self, verdict: Verdict, folder: Folder, id: TaskId) {
        match verdict {
            Verdict::Young | Verdict::Leaves(_) => {}
            Verdict::Stays(why) => self.keep(id, folder, why),
            Verdict::WouldLeave(bytes) => {
                self.report.retired += 1;
                self.report.retired_bytes += bytes;
            }
            Verdict::Unknown(error) => self.note(Err(error)),
        }
    }

    /// Lets a round leave; `false` where it makes no sense to go on.
    fn finish_round(&mut self, retiring: &mut Retiring<'_>) -> bool {
        match retiring.finish_round() {
            Ok((left, failed)) => {
                self.report.retired += left.len() as u64;
                self.report.retired_bytes += left.iter().map(|left| left.bytes).sum::<u64>();
                for error in failed {
                    self.note(Err(error));
                }
                true
            }
            Err(error) => {
                self.note(Err(error));
                false
            }
        }
    }

    fn keep(&mut self, task_id: TaskId, status: Folder, why: String) {
        self.report.kept += 1;
        if self.report.kept_because.len() < MOST_NAMED {
            self.report.kept_because.push(Kept { task_id, status, why });
        }
    }

    /// Packs the months of the journal that were over before what is old, but for those that each start
    /// reads.
    fn pack_journal(&mut self) -> Result<(), FileError> {
        let (home, is_dry) = (self.spool.home(), self.manner.is_dry);
        if !is_dry {
            journal::sweep(&home.journal())?;
        }
        let old = journal::old_months(&home.journal(), self.before)?;
        if !is_dry && !old.is_empty() {
            home.raise_format(PACKED_JOURNAL)?;
        }
        for path in old {
            if (self.manner.is_over)() {
                break;
            }
            match journal::pack(path, is_dry) {
                Ok(packed) => self.report.journal.extend(packed.map(|packed| LogDeed {
                    file: self.below(&packed.path),
                    deed: "compressed",
                    bytes: packed.bytes,
                })),
                Err(error) => self.note(Err(error)),
            }
        }
        Ok(())
    }

    fn tend_logs(&mut self, now: Timestamp) {
        let rules =
            Rules { most_bytes: self.config.max_log_bytes, kept: self.config.keep_logs as usize };
        let is_dry = self.manner.is_dry;
        let home = self.spool.home();
        let turned = logs::tend(home, rules, now, is_dry);
        for deed in &turned.deeds {
            if !is_dry && let Deed::Rotated(path, bytes) = deed {
                // Said now, so that whoever writes the log opens the new one; then the old is packed.
                log::info!("turned over {}, of {}", path.display(), words::bytes(*bytes));
            }
        }
        let packed = logs::pack_all(home, rules, is_dry);
        for deed in turned.deeds.into_iter().chain(packed.deeds) {
            let (path, deed, bytes) = match deed {
                Deed::Rotated(path, bytes) => (path, "rotated", bytes),
                Deed::Packed(path, bytes, _) => (path, "compressed", bytes),
                Deed::Removed(path, bytes) => (path, "removed", bytes),
            };
            self.report.logs.push(LogDeed { file: self.below(&path), deed, bytes });
        }
        for error in turned.failed.into_iter().chain(packed.failed) {
            self.note(Err(error));
        }
        self.drop_told();
    }

    /// What workers told of a task goes with its result.
    fn drop_told(&mut self) {
        let left_over = told::left_over(self.spool, self.before);
        for (path, bytes) in self.remove_each(left_over, files::remove) {
            self.report.logs.push(LogDeed { file: self.below(&path), deed: "removed", bytes });
        }
    }

    /// What failed attempts made goes with their result.
    fn clear_work(&mut self) {
        let keeps = |worker: &WorkerSpec| matches!(&worker.kind, Kind::Codex(codex) if codex.keep_workspace);
        let keep_done = self.config.workers.iter().any(keeps);
        let left_over = attempts::left_over(self.spool, self.before, keep_done);
        for (path, _) in self.remove_each(left_over, files::remove_folder) {
            self.report.work.push(self.below(&path));
        }
    }

    /// Removes what is left over, unless all is only said; what is gone then, and how large it was.
    fn remove_each(
        &mut self,
        left_over: Result<Vec<PathBuf>, FileError>,
        remove: fn(&Path) -> Result<(), FileError>,
    ) -> Vec<(PathBuf, u64)> {
        let left_over = left_over.unwrap_or_else(|error| {
            self.note(Err(error));
            Vec::new()
        });
        let mut removed = Vec::new();
        for path in left_over {
            let bytes = std::fs::symlink_metadata(&path).map_or(0, |meta| meta.len());
            let gone = if self.manner.is_dry { Ok(()) } else { remove(&path) };
            match gone {
                Ok(()) => removed.push((path, bytes)),
                Err(error) => self.note(Err(error)),
            }
        }
        removed
    }

    /// Removes what dead processes left half-made.
    fn sweep(&mut self) {
        let home = self.spool.home();
        let swept = if self.manner.is_dry { home.leftovers() } else { home.sweep() };
        match swept {
            Ok(swept) => self.report.leftovers = swept.len() as u64,
            Err(error) => self.note(Err(error)),
        }
    }

    fn below(&self, path: &Path) -> String {
        let below = path.strip_prefix(self.spool.home().path()).unwrap_or(path);
        below.display().to_string()
    }

    fn note(&mut self, done: Result<(), FileError>) {
        if let Err(error) = done {
            self.report.failed.push(super::lanes::sentence(&error));
        }
    }
}

/// The results of a folder that the mirror knows to be young; none where it cannot be read.
fn known_young(database: &Path, folder: Folder, since: &Range<Timestamp>) -> HashSet<String> {
    let mut young = HashSet::new();
    let read = Reader::open(database).and_then(|reader| {
        // What comes from the future tells of a clock that was wrong.
        let is_young = |at: Timestamp| at > since.start && at <= since.end;
        reader.each_change(folder, |id, at| {
            is_young(at).then(|| young.insert(id.to_owned()));
        })
    });
    read.map(|()| young).unwrap_or_default()
}

/// What becomes of a result.
enum Verdict {
    /// It is not old, or gone already.
    Young,
    /// It is old, or may be, and stays: why.
    Stays(String),
    /// It leaves.
    Leaves(Box<Old>),
    /// It would leave, and has so many bytes.
    WouldLeave(u64),
    /// It cannot be looked at.
    Unknown(FileError),
}

fn verdict(
    spool: &Spool,
    folder: Folder,
    id: &TaskId,
    before: Timestamp,
    needed: &Needed,
) -> Verdict {
    match retire::look(spool, folder, id, before) {
        Err(error) => Verdict::Unknown(error),
        Ok(Seen::Gone | Seen::Young) => Verdict::Young,
        Ok(Seen::Stays(why)) => Verdict::Stays(why),
        Ok(Seen::Old(old)) => match needed.why(&old) {
            Some(why) => Verdict::Stays(why),
            None => Verdict::Leaves(old),
        },
    }
}

/// Puts back what a killed maintenance left on its way out, and has the archive's index in order.
pub(super) fn mend_archive(spool: &Spool) {
    let mended = Keeper::open(spool.archive()).and_then(|mut keeper| {
        keeper.take_damages().iter().for_each(|damage| log::warn!("{damage}"));
        retire::put_all_back(spool, &keeper)?;
        Ok(())
    });
    match mended {
        // Whoever is at it just now has seen to it.
        Ok(()) | Err(KeepError::Busy) => {}
        Err(KeepError::File(error)) => log::warn!(
            "{}; `koubou maintain` tries again to bring the archive in order",
            super::lanes::sentence(&error)
        ),
    }
}

/// Brings the mirror of a home in line with its archive and makes it smaller, where no daemon runs.
///
/// # Errors
/// Where a daemon runs after all, or the mirror cannot be written.
pub fn maintain_mirror(home: &Home, config: &Arc<Config>) -> Result<MirrorDeed, EngineError> {
    let lock = Lock::take_for_a_command(home)?;
    let spool = Spool::new(home.clone());
    let path = database(config, home);
    let before = oldest_kept(config, clock::wall());
    let lacks_archive = reconcile::leave_word_of_the_past(&spool, &path)?;
    let (facts, mirror) = Mirror::start(&path, |_| {})?;
    let tell = |fact| drop(facts.send(fact));
    reconcile::reconcile(&spool, &path, mirror.journal_mark(), tell);
    mirror.flush();
    let compacted = mirror.compact(before).recv().unwrap_or(Err(MirrorError::Ended));
    drop(facts);
    mirror.close();
    drop(lock);
    if lacks_archive {
        reconcile::rebuild(home, config, &mut |_, _| {})?;
    }
    Ok(compacted?.into())
}

/// What would become of the mirror.
///
/// # Errors
/// Where it cannot be read.
pub fn plan_mirror(home: &Home, config: &Config) -> Result<MirrorDeed, EngineError> {
    let before = oldest_kept(config, clock::wall());
    Ok(compact::plan(&database(config, home), before)?.into())
}

/// When the home was last maintained, if ever.
pub(super) fn last_time(home: &Home) -> Option<Timestamp> {
    let bytes = files::read(&home.control().join(STAMP), 100).ok()?;
    std::str::from_utf8(&bytes).ok()?.trim().parse().ok()
}

/// Results that stand in no folder and have not been told of as retired, as facts for the mirror.
fn newly_archived(spool: &Spool, database: &Path) -> Vec<crate::task::fact::Fact> {
    let known = reconcile::in_folders(database).into_keys();
    let archived = known.filter_map(|id| {
        let place = spool.find_archived(&id)?;
        Some(crate::task::fact::Fact::Archived(id, place.file))
    });
    archived.collect()
}
