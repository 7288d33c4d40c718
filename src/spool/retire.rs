//! Takes old results out of their folders, into the archive or away.
//!
//! ```text
//! completed/x.json ──line──▶ archive ──synced, in the index──▶ completed/x.json leaves
//! ```
//!
//! The line is durable and can be found before the file leaves, so that at every moment a result
//! is in its folder, in the archive, or in both; who is killed in between leaves a copy, and the
//! next one sees that the line is there already. The file leaves by a rename into
//! `archive/.leaving`, and is removed there only if it is the very file that was read: one that
//! somebody put in its place meanwhile goes back. What a killed one left there goes back, too.
//!
//! A result that cannot be read as one, or that was changed by hand into something else, stays.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use data_encoding::BASE64;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::archive::{self, Keeper};
use super::{Home, Spool};
use crate::base::bug::has_bug;
use crate::base::clock::{self, Timestamp};
use crate::base::files::{self, At, FileError, ReadError, Regular, Stat};
use crate::task::result::TaskResult;
use crate::task::{Folder, TaskId};

/// A rejected drop that is larger stays where it is.
const LARGEST_REJECTED: u64 = 64 << 20;
/// A round ends when its results have so many bytes.
const MOST_BYTES: u64 = 256 << 20;

/// A result that is old enough to leave.
#[derive(Debug)]
pub struct Old {
    /// The task.
    pub id: TaskId,
    /// `completed` or `failed`.
    pub folder: Folder,
    /// The task that it belongs to.
    pub parent: Option<TaskId>,
    stat: Stat,
    file: String,
    bytes: Vec<u8>,
    rejected: Option<Rejected>,
}

/// The drop that a report is about.
#[derive(Debug)]
struct Rejected {
    path: PathBuf,
    stat: Stat,
    bytes: Vec<u8>,
}

impl Old {
    /// How many bytes its files have.
    pub fn bytes(&self) -> u64 {
        self.stat.size + self.rejected.as_ref().map_or(0, |rejected| rejected.stat.size)
    }

    /// Its line in the archive, for which all of it is read once more; most are only counted.
    fn line(&self) -> serde_json::Result<Vec<u8>> {
        let mut line: Map<String, Value> = serde_json::from_slice(&self.bytes)?;
        if let Some(rejected) = &self.rejected {
            match std::str::from_utf8(&rejected.bytes) {
                Ok(text) => line.insert("rejected".into(), text.into()),
                Err(_) => {
                    line.insert("rejected_base64".into(), BASE64.encode(&rejected.bytes).into())
                }
            };
        }
        // The folder is the truth, and so is the name.
        line.insert("task_id".into(), self.id.as_str().into());
        line.insert("status".into(), self.folder.as_str().into());
        serde_json::to_vec(&line)
    }
}

/// A document that can be read, whatever is in it; nothing of it is kept.
struct Sound;

impl<'de> Deserialize<'de> for Sound {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SoundVisitor)
    }
}

struct SoundVisitor;

impl<'de> Visitor<'de> for SoundVisitor {
    type Value = Sound;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_str<E>(self, _: &str) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_unit<E>(self) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sound, A::Error> {
        while items.next_element::<Sound>()?.is_some() {}
        Ok(Sound)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Sound, A::Error> {
        while fields.next_entry::<Sound, Sound>()?.is_some() {}
        Ok(Sound)
    }
}

/// Whether a line can be made of it, and why not: what is passed over in a result is part of that.
fn is_sound(bytes: &[u8]) -> serde_json::Result<()> {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => serde_json::from_slice::<Sound>(bytes).map(drop),
        _ => serde_json::from_slice::<Map<String, Value>>(bytes).map(drop),
    }
}

/// What was seen of a result.
#[derive(Debug)]
pub enum Seen {
    /// It is not there any more.
    Gone,
    /// It is not old enough.
    Young,
    /// It may leave.
    Old(Box<Old>),
    /// It is old, or may be, and must stay: why.
    Stays(String),
}

/// Only as much as says how old it is.
#[derive(Deserialize)]
#[serde(expecting = "a result")]
struct Dated {
    #[serde(with = "clock::as_rfc3339")]
    finished_at: Timestamp,
}

/// Looks at a result: whether it was finished before a moment.
///
/// # Errors
/// What the file system says.
pub fn look(
    spool: &Spool,
    folder: Folder,
    id: &TaskId,
    before: Timestamp,
) -> Result<Seen, FileError> {
    let mut file = match Regular::open(&spool.file(folder, id)) {
        Err(ReadError::File(error)) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Seen::Gone);
        }
        Err(ReadError::File(error)) => return Err(error),
        Err(other) => return Ok(Seen::Stays(other.to_string())),
        Ok(file) => file,
    };
    let stat = file.stat;
    let bytes = match file.read(files::ANY_SIZE) {
        Err(ReadError::File(error)) => return Err(error),
        Err(other) => return Ok(Seen::Stays(other.to_string())),
        Ok(bytes) => bytes,
    };
    match serde_json::from_slice::<Dated>(&bytes) {
        Ok(dated) if dated.finished_at >= before => return Ok(Seen::Young),
        Ok(_) => {}
        // What was written just now may be written still.
        Err(_) if stat.modified >= before => return Ok(Seen::Young),
        Err(error) => return Ok(Seen::Stays(no_result(&error))),
    }
    let result: TaskResult = match serde_json::from_slice(&bytes) {
        Ok(result) => result,
        Err(error) => return Ok(Seen::Stays(no_result(&error))),
    };
    if let Err(error) = is_sound(&bytes) {
        return Ok(Seen::Stays(no_result(&error)));
    }
    let rejected = match rejected(spool, folder, id) {
        Ok(rejected) => rejected,
        Err(why) => return Ok(Seen::Stays(why)),
    };
    let parent = |task: Map<String, Value>| task.get("parent_task_id")?.as_str()?.parse().ok();
    Ok(Seen::Old(Box::new(Old {
        id: id.clone(),
        folder,
        parent: result.task.and_then(parent),
        stat,
        file: archive::file_of(result.finished_at),
        bytes,
        rejected,
    })))
}

fn no_result(error: &serde_json::Error) -> String {
    format!("it is no result ({error}): mend it, or take it away")
}

/// The drop that a report is about goes with it, in its line.
fn rejected(spool: &Spool, folder: Folder, id: &TaskId) -> Result<Option<Rejected>, String> {
    let path = spool.rejected(id);
    if folder != Folder::Failed || !files::exists(&path) {
        return Ok(None);
    }
    let opened = Regular::open(&path);
    let read = opened.and_then(|mut file| Ok((file.stat, file.read(LARGEST_REJECTED)?)));
    let (stat, bytes) = read.map_err(|error| {
        format!("failed/{id}.rejected, which it is about, cannot go with it ({error}): take both away by hand")
    })?;
    Ok(Some(Rejected { path, stat, bytes }))
}

/// What was rejected, out of the line of its report.
pub fn rejected_in(line: &Map<String, Value>) -> Option<Vec<u8>> {
    let text = |key| line.get(key).and_then(Value::as_str);
    match text("rejected") {
        Some(text) => Some(text.as_bytes().to_vec()),
        None => BASE64.decode(text("rejected_base64")?.as_bytes()).ok(),
    }
}

/// Results on their way out: many share the syncs of a round.
#[derive(Debug)]
pub struct Retiring<'a> {
    spool: &'a Spool,
    keeper: &'a mut Keeper,
    is_kept: bool,
    most: usize,
    round: Vec<Leaving>,
    bytes: u64,
    /// The frame of each month that was looked into last: what a killed one archived lies together.
    frames: HashMap<String, (u64, HashMap<TaskId, Vec<u8>>)>,
}

#[derive(Debug)]
struct Leaving {
    id: TaskId,
    folder: Folder,
    stat: Stat,
    rejected: Option<(PathBuf, Stat)>,
}

/// A result that has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The task.
    pub id: TaskId,
    /// Its folder.
    pub folder: Folder,
    /// How many bytes its files had.
    pub bytes: u64,
}

impl<'a> Retiring<'a> {
    /// Retires results into the archive, or, unless they are to be kept, deletes them.
    pub fn new(spool: &'a Spool, keeper: &'a mut Keeper, is_kept: bool) -> Self {
        let most = keeper.round();
        Self { spool, keeper, is_kept, most, round: Vec::new(), bytes: 0, frames: HashMap::new() }
    }

    /// Takes one along; says whether the round is full.
    ///
    /// # Errors
    /// What the file system says; nothing has left its folder.
    pub fn add(&mut self, old: Old) -> Result<bool, FileError> {
        let line = old.line().map_err(|error| {
            FileError::new("read", self.spool.file(old.folder, &old.id), io::Error::from(error))
        })?;
        let Old { id, folder, stat, file, rejected, .. } = old;
        let rejected = rejected.map(|Rejected { path, stat, .. }| (path, stat));
        if self.is_kept && !self.is_there(&id, folder, &line, rejected.is_none()) {
            self.keeper.add(&file, &id, folder, &line)?;
        }
        self.bytes += line.len() as u64;
        self.round.push(Leaving { id, folder, stat, rejected });
        Ok(self.round.len() >= self.most || self.bytes >= MOST_BYTES)
    }

    /// Whether a killed one has archived this very result, and did not come to take it away; what
    /// was rejected may have left already.
    fn is_there(&mut self, id: &TaskId, folder: Folder, line: &[u8], is_alone: bool) -> bool {
        let archive = self.spool.archive();
        let Some(place) = archive.find(id).filter(|place| place.folder == folder) else {
            return false;
        };
        if self.frames.get(&place.file).is_none_or(|(frame, _)| *frame != place.frame) {
            let Ok(lines) = archive.read_frame(&place) else { return false };
            self.frames.insert(place.file.clone(), (place.frame, lines));
        }
        let lines = self.frames.get(&place.file).map(|(_, lines)| lines);
        let Some(there) = lines.and_then(|lines| lines.get(id)) else { return false };
        let bare = |line: &[u8]| -> Option<Map<String, Value>> {
            let mut line: Map<String, Value> = serde_json::from_slice(line).ok()?;
            line.retain(|key, _| !key.starts_with("rejected"));
            Some(line)
        };
        there == line || is_alone && bare(there) == bare(line)
    }

    /// Makes the round durable and lets it leave its folders: what has left, and what went wrong
    /// with single ones.
    ///
    /// # Errors
    /// What the file system says; nothing has left its folder.
    pub fn finish_round(&mut self) -> Result<(Vec<Left>, Vec<FileError>), FileError> {
        let round = std::mem::take(&mut self.round);
        self.bytes = 0;
        if round.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let is_mutant = has_bug("left-before-archived");
        if self.is_kept && !is_mutant {
            self.keeper.commit()?;
        }
        make_exit(self.spool.home())?;
        let folders: BTreeSet<Folder> = round.iter().map(|leaving| leaving.folder).collect();
        let (mut left, mut failed) = (Vec::new(), Vec::new());
        for leaving in round {
            match leave(self.spool, &leaving) {
                Ok(true) => {
                    let rejected = leaving.rejected.map_or(0, |(_, stat)| stat.size);
                    let bytes = leaving.stat.size + rejected;
                    left.push(Left { id: leaving.id, folder: leaving.folder, bytes });
                }
                Ok(false) => {}
                Err(error) => failed.push(error),
            }
        }
        if self.is_kept && is_mutant {
            self.keeper.commit()?;
        }
        for folder in folders {
            // After a power cut some may be back; then they are seen to be archived already.
            failed.extend(files::sync_dir(&self.spool.home().folder(folder)).err());
        }
        Ok((left, failed))
    }
}

/// Where results leave by.
fn exit(home: &Home) -> PathBuf {
    home.archive().join(".leaving")
}

fn make_exit(home: &Home) -> Result<(), FileError> {
    let path = exit(home);
    match std::fs::DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(FileError::new("create", path, error))
        }
        _ => Ok(()),
    }
}

/// Lets a result leave its folder; `false` where it is not the one that was read any more.
fn leave(spool: &Spool, leaving: &Leaving) -> Result<bool, FileError> {
    let Leaving { id, folder, stat, rejected } = leaving;
    let from = spool.file(*folder, id);
    let gone_through = exit(spool.home()).join(format!("{folder}.{id}.json"));
    let is = |path: &PathBuf, stat: &Stat| {
        std::fs::symlink_metadata(path).is_ok_and(|meta| Stat::from(&meta) == *stat)
    };
    // What was rejected goes first: without its report nobody would know what it is.
    if let Some((path, rejected)) = rejected
        && is(path, rejected)
        && is(&from, stat)
    {
        files::remove(path)?;
    }
    match files::rename_new(&from, &gone_through) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        renamed => renamed?,
    }
    if is(&gone_through, stat) {
        files::remove(&gone_through)?;
        return Ok(true);
    }
    put_back(&gone_through, &from)?;
    Ok(false)
}

/// Puts a result back where it left from; a newer one there takes its place.
fn put_back(from: &std::path::Path, to: &std::path::Path) -> Result<(), FileError> {
    match files::rename_new(from, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => files::remove(from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        put => put,
    }
}

/// Puts back what a killed one left on its way out. Only whoever holds the archive's [`Keeper`]
/// may do so.
///
/// # Errors
/// What the file system says.
pub fn put_all_back(spool: &Spool, _keeper: &Keeper) -> Result<(), FileError> {
    let exit = exit(spool.home());
    let names = match super::list(&exit) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        listed => listed?,
    };
    for name in names {
        let Some((folder, rest)) = name.to_str().and_then(|name| name.split_once('.')) else {
            continue;
        };
        let ends = [Folder::Completed, Folder::Failed];
        let folder = ends.into_iter().find(|end| end.as_str() == folder);
        let id = super::id_of(rest.as_ref());
        if let Some((folder, id)) = folder.zip(id) {
            put_back(&exit.join(&name), &spool.file(folder, &id))?;
        }
    }
    std::fs::remove_dir(&exit)
        .or_else(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty => Ok(()),
            _ => Err(error),
        })
        .at("remove", &exit)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{id, spool};
    use super::*;
    use serde_json::json;
    use std::fs;

    fn result(name: &str, folder: Folder, finished_at: &str) -> Value {
        json!({
            "task_id": name, "status": folder, "content": "an answer", "extra": 1.50,
            "timestamp": finished_at, "created_at": finished_at, "finished_at": finished_at,
            "attempts": [], "cost_usd": 0, "warnings": [],
            "task": { "description": "x", "parent_task_id": "mother" },
        })
    }

    fn put(spool: &Spool, name: &str, folder: Folder, finished_at: &str) -> PathBuf {
        let path = spool.file(folder, &id(name));
        let text = serde_json::to_string_pretty(&result(name, folder, finished_at)).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    const OLD: &str = "2026-11-01T00:00:00.000Z";

    fn before() -> Timestamp {
        "2026-11-19T00:00:00Z".parse().unwrap()
    }

    fn old(spool: &Spool, folder: Folder, name: &str) -> Old {
        match look(spool, folder, &id(name), before()).unwrap() {
            Seen::Old(old) => *old,
            other => panic!("{other:?}"),
        }
    }

    fn retire(spool: &Spool, all: Vec<Old>, is_kept: bool) -> Vec<String> {
        let mut keeper = Keeper::open(spool.archive()).unwrap();
        let mut retiring = Retiring::new(spool, &mut keeper, is_kept);
        for old in all {
            retiring.add(old).unwrap();
        }
        let (left, failed) = retiring.finish_round().unwrap();
        assert!(failed.is_empty(), "{failed:?}");
        left.into_iter().map(|left| left.id.to_string()).collect()
    }

    #[test]
    fn what_is_old_leaves_and_can_be_read_as_it_was() {
        let (_dir, spool) = spool();
        put(&spool, "a", Folder::Completed, OLD);
        put(&spool, "b", Folder::Failed, OLD);
        put(&spool, "young", Folder::Completed, "2026-11-19T00:00:00.000Z");
        let young = look(&spool, Folder::Completed, &id("young"), before());
        assert!(matches!(young, Ok(Seen::Young)));
        let all = vec![old(&spool, Folder::Completed, "a"), old(&spool, Folder::Failed, "b")];
        assert_eq!(all[0].parent, Some(id("mother")));
        assert_eq!(retire(&spool, all, true), ["a", "b"]);
        assert_eq!(spool.find_in_folders(&id("a")), None);
        assert_eq!(spool.find(&id("a")), Some(Folder::Completed));
        assert_eq!(spool.find(&id("b")), Some(Folder::Failed));
        let read = spool.read_result(Folder::Completed, &id("a")).unwrap();
        let read: Value = serde_json::from_slice(&read).unwrap();
        assert_eq!(read, result("a", Folder::Completed, OLD));
        assert_eq!(spool.free_id(&id("a"), |_| false), id("a.2"), "its id is in use");
    }

    #[test]
    fn what_was_changed_or_replaced_meanwhile_stays() {
        let (_dir, spool) = spool();
        let path = put(&spool, "a", Folder::Completed, OLD);
        let seen = old(&spool, Folder::Completed, "a");
        fs::write(&path, "somebody's").unwrap();
        assert_eq!(retire(&spool, vec![seen], true), [""; 0]);
        assert_eq!(fs::read(&path).unwrap(), b"somebody's");
        let stays = look(&spool, Folder::Completed, &id("a"), Timestamp::MAX);
        assert!(matches!(stays, Ok(Seen::Stays(_))), "{stays:?}");
    }

    #[test]
    fn what_no_line_can_be_made_of_stays_though_it_reads_as_a_result() {
        let (_dir, spool) = spool();
        let path = put(&spool, "a", Folder::Completed, "2026-11-01T00:00:00Z");
        let whole = fs::read_to_string(&path).unwrap();
        for odd in [r#""odd": "\ud800""#, r#""odd": {"a": ["\udc00"]}"#, r#""odd": {"\ud800": 1}"#]
        {
            fs::write(&path, whole.replacen('{', &format!("{{{odd},"), 1)).unwrap();
            let seen = look(&spool, Folder::Completed, &id("a"), before()).unwrap();
            assert!(matches!(&seen, Seen::Stays(why) if why.contains("it is no result")), "{odd}");
        }
        let fine = r#"{"odd": {"a": [null, true, 1.5, -1, "\u00e9"]},"#;
        fs::write(&path, whole.replacen('{', fine, 1)).unwrap();
        assert_eq!(old(&spool, Folder::Completed, "a").bytes(), fs::metadata(&path).unwrap().len());
    }

    #[test]
    fn what_was_killed_half_way_is_finished_and_nothing_is_doubled() {
        let (_dir, spool) = spool();
        let path = put(&spool, "a", Folder::Completed, OLD);
        let bytes = fs::read(&path).unwrap();
        let seen = old(&spool, Folder::Completed, "a");
        retire(&spool, vec![seen], true);
        // Killed before it left, and while it was leaving.
        fs::write(&path, &bytes).unwrap();
        let leaving = exit(spool.home());
        fs::write(leaving.join("completed.b.json"), "on its way").unwrap();
        put_all_back(&spool, &Keeper::open(spool.archive()).unwrap()).unwrap();
        assert!(!leaving.exists());
        assert_eq!(fs::read(spool.file(Folder::Completed, &id("b"))).unwrap(), b"on its way");
        let again = old(&spool, Folder::Completed, "a");
        assert_eq!(retire(&spool, vec![again], true), ["a"]);
        assert_eq!(spool.archive().entries().count(), 1);
    }

    #[test]
    fn a_rejected_drop_goes_with_its_report_byte_for_byte() {
        let (_dir, spool) = spool();
        for (name, bytes) in [("text", &b"{\"description\": 5}"[..]), ("odd", &[0xff, 0, 7])] {
            put(&spool, name, Folder::Failed, OLD);
            fs::write(spool.rejected(&id(name)), bytes).unwrap();
            let seen = old(&spool, Folder::Failed, name);
            assert_eq!(retire(&spool, vec![seen], true), [name]);
            assert!(!spool.rejected(&id(name)).exists());
            let line = spool.read_result(Folder::Failed, &id(name)).unwrap();
            let line: Map<String, Value> = serde_json::from_slice(&line).unwrap();
            assert_eq!(rejected_in(&line).unwrap(), bytes);
            // Killed after the drop left and before its report did.
            put(&spool, name, Folder::Failed, OLD);
            let seen = old(&spool, Folder::Failed, name);
            retire(&spool, vec![seen], true);
            assert!(rejected_in(&line).is_some());
        }
        assert_eq!(spool.archive().entries().count(), 2);
    }

    #[test]
    fn what_is_deleted_is_in_no_archive() {
        let (_dir, spool) = spool();
        put(&spool, "a", Folder::Completed, OLD);
        let seen = old(&spool, Folder::Completed, "a");
        assert_eq!(retire(&spool, vec![seen], false), ["a"]);
        assert_eq!(spool.find(&id("a")), None);
        assert_eq!(spool.archive().files().unwrap(), [""; 0]);
    }
}
