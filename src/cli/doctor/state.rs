//! Looks at what the daemon works with: its lock, its memory, its mirror, and the folders of tasks.
//!
//! There may be a million results, and so one is opened only where it may not be what was filed: the
//! mirror does not know it, or it is one of the latest, which is what a crash can have torn, and was
//! written later than the mirror says that its task ended, or nearly nothing is in it. Of a large
//! mirror the rows of tasks are read, and no more. `--thorough` opens every result, and looks through
//! all of the mirror.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, statat};

use super::{Finding, edit};
use crate::base::clock::{self, Timestamp};
use crate::base::files::{self, FileError};
use crate::base::threads::{both, in_parts};
use crate::base::words::{self, Count, shell_path};
use crate::cli::Site;
use crate::cli::status;
use crate::mirror::MirrorError;
use crate::mirror::query::Reader;
use crate::spool::notes::{self, Note};
use crate::spool::{self, journal, lock};
use crate::task::result::TaskResult;
use crate::task::{Folder, TaskId};

/// So many names stand in one command, and so many in a sentence.
const MOST_MOVED: usize = 50;
const MOST_NAMED: usize = 3;
/// So many results one thread looks at by itself.
const FEW: usize = 1_000;
/// A database with more bytes is looked through only when that is asked for.
const LARGE: u64 = 16 << 20;
/// So many of the latest results are looked at one by one, though the mirror knows them.
const LATEST: usize = 10_000;
/// A result is written within so many seconds of its end, and has more than so many bytes, or
/// else it is opened.
const SOON_S: i64 = 3;
const LEAST: i64 = 100;
/// So far ahead a clock may be of another that wrote to the journal.
const AHEAD: std::time::Duration = std::time::Duration::from_secs(60);

pub(super) fn look(site: &Site, is_thorough: bool) -> Vec<Finding> {
    // Each of these may take long, and waits for another part of the machine.
    let (database, (journal, strays)) = both(
        || database(site, is_thorough),
        || both(|| journal(site), || strays(site, is_thorough)),
    );
    let mut found = vec![lock(site), database, journal];
    found.extend(archive(site));
    found.extend(tasks(site));
    found.extend(strays);
    found
}

fn lock(site: &Site) -> Finding {
    let pid_file = lock::pid_file(&site.home);
    match site.daemon() {
        Some(pid) => Finding::ok("lock", &pid_file, format!("a daemon runs as process {pid}")),
        None if files::exists(&pid_file) => {
            let what = "no daemon runs, and a dead one has left its pid";
            let mend = format!("rm -f {}", shell_path(&pid_file));
            Finding::warning("lock", &pid_file, what).mend(mend)
        }
        None => Finding::ok("lock", &pid_file, "no daemon runs"),
    }
}

fn database(site: &Site, is_thorough: bool) -> Finding {
    let path = site.database();
    let rebuild = site.command("rebuild");
    let is_large = std::fs::metadata(&path).is_ok_and(|meta| meta.len() > LARGE);
    let only_tasks = is_large && !is_thorough;
    let flaws = Reader::open(&path).and_then(|reader| match only_tasks {
        true => reader.read_through_tasks().map(|()| Vec::new()),
        false => reader.flaws(),
    });
    match flaws {
        Ok(flaws) if flaws.is_empty() && Note::Rebuild.stands(&site.home) => {
            let what =
                "it does not know all that was before; the next `koubou start` makes it anew";
            Finding::warning("database", &path, what).mend(rebuild)
        }
        Ok(flaws) if flaws.is_empty() && only_tasks => {
            let what = "its tasks can be read; `doctor --thorough` looks through all of it";
            Finding::ok("database", &path, what)
        }
        Ok(flaws) if flaws.is_empty() => Finding::ok("database", &path, "it is sound"),
        Ok(flaws) => {
            let what = format!("it is damaged: {}", flaws[0]);
            Finding::error("database", &path, what).mend(rebuild)
        }
        Err(MirrorError::Missing { .. }) => {
            Finding::ok("database", &path, "there is none yet: the first start makes it")
        }
        Err(error @ MirrorError::NotOurs { .. }) => {
            Finding::warning("database", &path, error.to_string()).mend(rebuild)
        }
        Err(error @ MirrorError::TooNew { .. }) => {
            let word = shell_path(&path);
            let mend = format!("mv {word} {word}.newer && {rebuild}");
            Finding::error("database", &path, error.to_string()).mend(mend)
        }
        Err(error) => Finding::failed("database", &path, &error.into()).mend(rebuild),
    }
}

fn journal(site: &Site) -> Finding {
    let dir = site.home.journal();
    match journal::look_through(&dir) {
        Err(error) => Finding::failed("journal", &dir, &error.into()),
        Ok(found) => match &found.first_unreadable {
            Some((file, line)) => {
                let lines = Count(found.unreadable, "line");
                let what = format!(
                    "{lines} cannot be read, and what is in them counts for nothing: money may be missing"
                );
                let show = format!("sed -n {line}p {}", shell_path(file));
                Finding::warning("journal", format!("{}:{line}", file.display()), what).mend(show)
            }
            None => from_the_future(&dir, found.last, clock::wall()),
        },
    }
}

/// The results that were retired, if there are any.
fn archive(site: &Site) -> Option<Finding> {
    let spool = site.spool().ok()?;
    let dir = spool.archive().dir();
    if !spool.archive().is_in_order() {
        let what = "its index does not cover all of it: look-ups are slow or miss some";
        let mend = site.command("maintain");
        return Some(Finding::warning("archive", dir, what).mend(mend));
    }
    let (results, bytes) = spool.archive().size();
    let what = format!("{} in {}", Count(results, "result"), words::bytes(bytes));
    (results > 0).then(|| Finding::ok("archive", dir, what))
}

/// A journal that is ahead of the clock was written by one that was wrong, or the clock is wrong now.
fn from_the_future(dir: &Path, last: Option<Timestamp>, now: Timestamp) -> Finding {
    match last.filter(|last| *last > clock::later(now, AHEAD)) {
        None => Finding::ok("journal", dir, "every line of it can be read"),
        Some(last) => {
            let what = format!(
                "its last line is of {}, and the clock says {}: one of the two is wrong",
                clock::rfc3339(last),
                clock::rfc3339(now)
            );
            Finding::error("clock", dir, what).mend("sudo timedatectl set-ntp true")
        }
    }
}

/// What waits, and for what.
fn tasks(site: &Site) -> Vec<Finding> {
    let Ok(spool) = site.spool() else { return Vec::new() };
    let pending = site.home.folder(Folder::Pending);
    let running = site.daemon().is_some();
    let mut found = Vec::new();
    if Note::Pause(None).stands(&site.home) {
        let place = site.home.control();
        let finding = Finding::warning("tasks", &place, "the workshop is paused");
        found.push(finding.mend(site.command("resume")));
    }
    let notes = notes::all(&site.home).unwrap_or_default();
    for name in notes.iter().filter_map(|note| match note {
        Note::PauseGroup(name) => Some(name),
        _ => None,
    }) {
        let what = format!("group `{name}` is paused");
        let mend = site.command(&format!("resume --group {name}"));
        found.push(Finding::warning("tasks", &site.home.control(), what).mend(mend));
    }
    match spool.count(Folder::Pending) {
        Ok(0) => found.push(Finding::ok("tasks", &pending, "nothing waits")),
        Ok(count) if !running => {
            let what = format!("{} for a daemon", waiting(count as u64));
            found.push(Finding::warning("tasks", &pending, what).mend(site.command("start")));
        }
        Ok(_) => found.extend(status::waits_now(site).into_iter().map(|(tasks, why, is_held)| {
            let what = format!("{}: {}", waiting(tasks), why);
            match is_held {
                true => Finding::warning("tasks", &pending, what)
                    .mend(site.command(command_in(&why).unwrap_or("status"))),
                false => Finding::ok("tasks", &pending, what),
            }
        })),
        Err(error) => found.push(Finding::failed("tasks", &pending, &error.into())),
    }
    let begun = spool.count(Folder::InProgress).unwrap_or(0);
    if begun > 0 && !running {
        let place = site.home.folder(Folder::InProgress);
        let what = format!("{} begun, and no daemon runs", Count(begun as u64, "task"));
        found.push(Finding::warning("tasks", &place, what).mend(site.command("start")));
    }
    found
}

/// The command that a reason names, without the program.
fn command_in(why: &str) -> Option<&str> {
    let commands = why.split('`').filter_map(|part| part.strip_prefix("koubou"));
    commands.map(str::trim_start).find(|command| !command.is_empty())
}

fn waiting(count: u64) -> String {
    let verb = if count == 1 { "waits" } else { "wait" };
    format!("{} {verb}", Count(count, "task"))
}

/// A name in a folder.
struct Entry {
    name: OsString,
    /// Whether it is a regular file, where the listing says so.
    is_file: Option<bool>,
}

/// Which results of a folder the mirror knows, by a hash of their ids: there may be a million.
#[derive(Default)]
struct Filed {
    hasher: RandomState,
    /// When the task of each of the latest ended, in seconds; of the others that is not asked.
    ended: HashMap<u64, Option<i64>>,
}

impl Filed {
    /// Takes in the next older one.
    fn add(&mut self, id: &str, ended: i64) {
        let ended = (self.ended.len() < LATEST).then_some(ended);
        self.ended.insert(self.hasher.hash_one(id), ended);
    }

    /// When the task of a file ended: nothing where the mirror does not know it.
    fn ended(&self, name: &OsStr) -> Option<Option<i64>> {
        let id = name.to_str()?.strip_suffix(".json")?;
        self.ended.get(&self.hasher.hash_one(id)).copied()
    }

    /// Whether a name needs no look: the mirror knows it, and it is none of the latest.
    fn is_old(&self, name: &OsStr, is_file: Option<bool>) -> bool {
        is_file == Some(true) && self.ended(name) == Some(None)
    }

    /// Whether a result was written when its task ended, and not since.
    fn is_as_filed(&self, dir: &File, name: &OsStr) -> bool {
        let Some(ended) = self.ended(name) else { return false };
        statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|stat| {
            FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
                && ended.is_none_or(|ended| stat.st_mtime <= ended + SOON_S)
                && stat.st_size > LEAST
        })
    }
}

/// Names that are no tasks, drops that were none, and what dead processes left.
fn strays(site: &Site, is_thorough: bool) -> Vec<Finding> {
    let (mut found, mut is_all_opened) = (Vec::new(), true);
    for folder in Folder::ALL {
        let dir = site.home.folder(folder);
        let filed = if is_thorough { None } else { filed(site, folder) }.unwrap_or_default();
        let names = entries(&dir, &filed);
        let is_stray = |entry: &&Entry| is_stray(folder, &entry.name);
        let strays: Vec<OsString> =
            names.iter().filter(is_stray).map(|entry| entry.name.clone()).collect();
        if !strays.is_empty() {
            found.push(stray(site, &dir, "here that koubou leaves alone", strays));
        }
        is_all_opened &= filed.ended.is_empty();
        found.extend(unusable(site, folder, &dir, &names, &filed));
        if folder == Folder::Failed {
            found.extend(rejected(site, &dir, &names));
        }
    }
    found.extend(leftovers(site));
    if found.is_empty() {
        let tasks = site.home.path().join("tasks");
        let what = match is_all_opened {
            true => "every file in the folders is a task or a result",
            false => {
                "every file in the folders is a task or a result; `doctor --thorough` opens those too that the database knows"
            }
        };
        found.push(Finding::ok("strays", &tasks, what));
    }
    found
}

/// What is to be looked at in a folder; one that cannot be listed is told of with the home.
fn entries(dir: &Path, filed: &Filed) -> Vec<Entry> {
    let mut entries = Vec::new();
    let _ = spool::each_entry(dir, |name, is_file| {
        if !filed.is_old(name, is_file) {
            entries.push(Entry { name: name.to_owned(), is_file });
        }
    });
    entries
}

/// The results in a folder that the mirror knows.
fn filed(site: &Site, folder: Folder) -> Option<Filed> {
    let mut filed = Filed::default();
    let reader = folder.is_end().then(|| Reader::open(&site.database()).ok())??;
    reader.each_change(folder, |id, at| filed.add(id, at.as_second())).ok()?;
    Some(filed)
}

/// A hidden name in `pending` is a writer's, who renames it when it is done.
fn is_stray(folder: Folder, name: &OsString) -> bool {
    let bytes = name.as_encoded_bytes();
    match folder {
        Folder::Pending => !spool::is_task_name(name) && !bytes.starts_with(b"."),
        Folder::InProgress | Folder::Completed => !spool::is_id_name(name),
        Folder::Failed => !spool::is_id_name(name) && !bytes.ends_with(b".rejected"),
    }
}

/// Drops that can be no tasks because they are no files, and results that nobody can read.
fn unusable(
    site: &Site,
    folder: Folder,
    dir: &Path,
    names: &[Entry],
    filed: &Filed,
) -> Option<Finding> {
    let what = match folder {
        Folder::Pending => "here that can be no task, being no regular file",
        Folder::Completed | Folder::Failed => "here that nobody can read as a result",
        Folder::InProgress => return None,
    };
    let open = File::open(dir).ok()?;
    let is_meant = |name: &OsStr| match folder {
        Folder::Pending => spool::is_task_name(name),
        _ => spool::is_id_name(name),
    };
    let is_bad = |entry: &Entry| {
        let path = || dir.join(&entry.name);
        match (folder, entry.is_file) {
            (Folder::Pending, Some(true)) => false,
            (Folder::Pending, _) | (_, Some(false)) => is_no_file(&path()),
            _ => !filed.is_as_filed(&open, &entry.name) && is_no_result(&path()),
        }
    };
    let bad = in_parts(names.len(), FEW, |part| {
        let bad = names[part].iter().filter(|entry| is_meant(&entry.name) && is_bad(entry));
        bad.map(|entry| entry.name.clone()).collect::<Vec<_>>()
    });
    let bad = bad.concat();
    (!bad.is_empty()).then(|| stray(site, dir, what, bad))
}

/// What has gone meanwhile is nothing bad.
fn is_no_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_file())
}

fn is_no_result(path: &Path) -> bool {
    match files::read(path, files::ANY_SIZE) {
        Ok(bytes) => serde_json::from_slice::<TaskResult>(&bytes).is_err(),
        // What has gone meanwhile is nothing bad; what cannot be read is of no use to anybody.
        Err(_) => files::exists(path),
    }
}

fn stray(site: &Site, dir: &Path, which: &str, mut names: Vec<OsString>) -> Finding {
    names.sort();
    let count = Count(names.len() as u64, "name");
    let shown = names.iter().take(MOST_NAMED).map(|name| words::tame(&name.to_string_lossy()));
    let what = format!("{count} {which}: {}", words::names(shown, "and"));
    let is_plain = |name: &&OsString| name.to_str().is_some_and(|text| words::tame(text) == text);
    let paths = names.iter().filter(is_plain).take(MOST_MOVED).map(|name| dir.join(name));
    let paths: Vec<String> = paths.map(|path| shell_path(&path)).collect();
    let finding = Finding::warning("strays", dir, what);
    match paths.is_empty() {
        true => finding.mend(format!("ls -lA {}", shell_path(dir))),
        false => {
            let tmp = shell_path(&site.home.tmp());
            finding.mend(format!("mv -n -t {tmp} -- {}", paths.join(" ")))
        }
    }
}

/// Drops that were no tasks: mended, they can be dropped again.
fn rejected(site: &Site, dir: &Path, names: &[Entry]) -> Option<Finding> {
    let id_of = |entry: &Entry| entry.name.to_str()?.strip_suffix(".rejected")?.parse().ok();
    let mut ids: Vec<TaskId> = names.iter().filter_map(id_of).collect();
    ids.sort();
    let first = ids.first()?;
    let count = Count(ids.len() as u64, "drop");
    let shown = words::names(ids.iter().take(MOST_NAMED), "and");
    let what = format!(
        "{count} here that {} no task: {shown}",
        if ids.len() == 1 { "was" } else { "were" }
    );
    let file = dir.join(format!("{first}.rejected"));
    let retry = site.command(&format!("retry {first}"));
    Some(Finding::warning("strays", dir, what).mend(format!("{} && {retry}", edit(&file))))
}

fn leftovers(site: &Site) -> Option<Finding> {
    let tmp = site.home.tmp();
    let left: Result<Vec<PathBuf>, FileError> = site.home.leftovers();
    let count = left.unwrap_or_default().len() as u64;
    (count > 0).then(|| {
        let what = format!("{} of dead processes", Count(count, "half-made file"));
        Finding::warning("strays", &tmp, what).mend(site.command("doctor --fix"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn a_journal_ahead_of_the_clock_is_told() {
        let now: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        let at = |text: &str| from_the_future(Path::new("/j"), text.parse().ok(), now).status;
        assert_eq!(at("2026-11-23T00:00:30Z"), Status::Ok);
        assert_eq!(at("2026-11-23T00:02:00Z"), Status::Error);
        assert_eq!(from_the_future(Path::new("/j"), None, now).status, Status::Ok);
    }

    #[test]
    fn a_result_that_may_not_be_what_was_filed_is_opened_however_well_it_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let open = File::open(dir.path()).unwrap();
        let whole = format!("{{\"content\": \"{}\"}}", "x".repeat(200));
        let path = dir.path().join("a.json");
        std::fs::write(&path, &whole).unwrap();
        let written = std::fs::metadata(&path).unwrap().modified().unwrap();
        let written = written.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
        let is_as_filed = |name: &str, ended: i64| {
            let mut filed = Filed::default();
            filed.add("a", ended);
            filed.is_as_filed(&open, OsStr::new(name))
        };
        assert!(is_as_filed("a.json", written) && is_as_filed("a.json", written - SOON_S));
        assert!(!is_as_filed("a.json", written - SOON_S - 1), "it was written later");
        assert!(!is_as_filed("b.json", written), "nobody knows it");
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(10).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        assert!(!is_as_filed("a.json", written), "nearly nothing is in it");
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        assert!(!is_as_filed("a.json", i64::MAX - SOON_S), "it is no file");
    }

    #[test]
    fn of_very_many_results_the_latest_are_looked_at_and_those_that_nobody_knows() {
        let dir = tempfile::tempdir().unwrap();
        let mut filed = Filed::default();
        for n in 0..LATEST {
            filed.add(&format!("late-{n}"), 0);
        }
        filed.add("old", 0);
        filed.add("box", 0);
        for name in ["late-0.json", "old.json", "stranger.json", "old", "old.rejected"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        std::fs::create_dir(dir.path().join("box.json")).unwrap();
        let mut names: Vec<OsString> =
            entries(dir.path(), &filed).into_iter().map(|entry| entry.name).collect();
        names.sort();
        assert_eq!(names, ["box.json", "late-0.json", "old", "old.rejected", "stranger.json"]);
        // Where a listing does not say what is a file, there is a look at each.
        assert!(!filed.is_old(OsStr::new("old.json"), None));
        let open = File::open(dir.path()).unwrap();
        assert!(!filed.is_as_filed(&open, OsStr::new("old.json")), "nothing is in it");
    }

    #[test]
    fn a_writers_hidden_file_is_no_stray() {
        let is_stray = |folder, name: &str| is_stray(folder, &OsString::from(name));
        assert!(!is_stray(Folder::Pending, ".x.json.part"));
        assert!(is_stray(Folder::Pending, "x.tmp"));
        assert!(is_stray(Folder::Completed, ".x.json"));
        assert!(!is_stray(Folder::Failed, "x.rejected"));
    }
}
