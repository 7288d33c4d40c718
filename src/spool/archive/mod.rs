//! Results that were retired: `tasks/archive/YYYY-MM.jsonl.zst`, one JSON line each, by the month
//! (in UTC) in which they were finished.
//!
//! A month's file is a row of zstd frames, each with whole lines in it, and so is valid zstd:
//! `zstdcat FILE | jq` reads it. Frames are appended by [`Keeper`] and synced before a result
//! leaves its folder. Appending costs no more room than what is new, which matters most to whoever
//! tidies up a disk that is full; the price is that a kill in the middle of a write leaves half a
//! frame at the end. What stood in it still lies in its folder, and the next keeper cuts it off.
//!
//! The archives are the truth of what was retired; `index` beside them says where, and can be made
//! anew. Of two lines for one id the later counts, and a result in a folder before both.
//!
//! All of it is for the daemon's user alone, for a confidential result may be in any frame.

mod frames;
mod index;
mod keeper;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use crate::base::clock::Timestamp;
use crate::base::files::{self, At, FileError, Regular};
use crate::task::{Folder, TaskId};
use index::{Index, Record};
pub use keeper::{KeepError, Keeper};

const ENDING: &str = ".jsonl.zst";
const INDEX: &str = "index";

/// The archives of a home, open for reading.
#[derive(Clone, Debug)]
pub struct Archive {
    dir: PathBuf,
}

/// Where the line of a retired result is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file: `2026-11.jsonl.zst`.
    pub file: String,
    /// The byte in it where its frame begins.
    pub frame: u64,
    /// The folder that it came from.
    pub folder: Folder,
}

/// A line of an archive, or what cannot be read of it.
#[derive(Debug)]
pub enum Entry {
    /// A result.
    Line {
        /// Where it is.
        file: Arc<str>,
        /// The byte where its frame begins.
        frame: u64,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Something that is no whole frame, or no line.
    Damaged(Damage),
}

/// What cannot be read of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where.
    pub file: Arc<str>,
    /// The byte where the frame begins.
    pub frame: u64,
    /// What is wrong.
    pub why: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, frame, why } = self;
        write!(f, "the frame at byte {frame} of tasks/archive/{file} cannot be read: {why}")
    }
}

impl Archive {
    /// The archives in a folder.
    pub fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Where they are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The files, the oldest month first.
    ///
    /// # Errors
    /// Where the folder cannot be listed; that there is none is no error.
    pub fn files(&self) -> Result<Vec<String>, FileError> {
        let names = match super::list(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            listed => listed?,
        };
        let mut files: Vec<String> =
            names.iter().filter(|name| month_of(name).is_some()).filter_map(text).collect();
        files.sort();
        Ok(files)
    }

    /// Where the last line of an id is, if it has one.
    pub fn find(&self, id: &TaskId) -> Option<Place> {
        let Some(index) = Index::open(&self.dir.join(INDEX)) else { return self.look_for(id) };
        let place = place(index.find(id).ok()??);
        // Somebody may have taken the whole month away.
        files::exists(&self.dir.join(&place.file)).then_some(place)
    }

    /// The same without an index, line by line.
    fn look_for(&self, id: &TaskId) -> Option<Place> {
        if self.files().ok()?.is_empty() {
            return None;
        }
        let mut found = None;
        for entry in self.entries() {
            if let Entry::Line { file, frame, bytes } = entry
                && let Some(named) = Named::read(&bytes)
                && named.task_id == *id
            {
                found = Some(Place { file: file.to_string(), frame, folder: named.status });
            }
        }
        found
    }

    /// The line of an id at a place; the last one, where its frame has two.
    ///
    /// # Errors
    /// Where it cannot be read, or is not there.
    pub fn read(&self, place: &Place, id: &TaskId) -> Result<Vec<u8>, FileError> {
        let lines = self.unpack(place)?;
        let is_wanted = |line: &&[u8]| Named::read(line).is_some_and(|named| named.task_id == *id);
        let line = split(&lines).filter(is_wanted).last().map(<[u8]>::to_vec);
        let missing = || {
            let path = self.dir.join(&place.file);
            FileError::new("find the result in", path, io::ErrorKind::NotFound)
        };
        line.ok_or_else(missing)
    }

    /// All lines of the frame at a place, by their ids.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read_frame(&self, place: &Place) -> Result<HashMap<TaskId, Vec<u8>>, FileError> {
        let lines = self.unpack(place)?;
        let named = |line: &[u8]| Some((Named::read(line)?.task_id, line.to_vec()));
        Ok(split(&lines).filter_map(named).collect())
    }

    fn unpack(&self, place: &Place) -> Result<Vec<u8>, FileError> {
        let path = self.dir.join(&place.file);
        let file = open(&path)?;
        let size = file.metadata().at("read", &path)?.len();
        let end = frames::end(&file, place.frame, size).at("read", &path)?;
        let lines = end.map_or_else(
            || Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            |end| unpack(&file, place.frame, end),
        );
        lines.at("read", &path)
    }

    /// Every line there is, the oldest month first, each month as it was written. No more than a
    /// frame is held at a time, and what cannot be read ends nothing.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + Send + use<> {
        let files = self.files().unwrap_or_default();
        let dir = self.dir.clone();
        files.into_iter().flat_map(move |name| {
            let name: Arc<str> = name.into();
            let path = dir.join(&*name);
            Frames::open(&path, 0).map_or_else(
                |error| {
                    let why = error.source.to_string();
                    let damage = Damage { file: Arc::clone(&name), frame: 0, why };
                    either(None, vec![Entry::Damaged(damage)])
                },
                |frames| either(Some((Arc::clone(&name), frames)), Vec::new()),
            )
        })
    }

    /// How many results the index knows, and how large all files are together.
    pub fn size(&self) -> (u64, u64) {
        let records = Index::open(&self.dir.join(INDEX)).map_or(0, |index| index.records);
        let sizes = self.files().unwrap_or_default().into_iter();
        let bytes = sizes.filter_map(|name| std::fs::metadata(self.dir.join(name)).ok());
        (records, bytes.map(|meta| meta.len()).sum())
    }

    /// Whether the index covers every file to its end; then a look-up misses nothing.
    pub fn is_in_order(&self) -> bool {
        let Ok(files) = self.files() else { return false };
        let index = Index::open(&self.dir.join(INDEX));
        let covered = index.map(|index| index.covered);
        if files.is_empty() {
            return covered.is_none_or(|covered| covered.is_empty());
        }
        let Some(covered) = covered else { return false };
        let size = |name: &String| std::fs::metadata(self.dir.join(name)).map_or(0, |m| m.len());
        covered.len() == files.len()
            && files.iter().all(|name| {
                let month = month_of(OsStr::new(name));
                month.and_then(|month| covered.get(&month)) == Some(&size(name))
            })
    }
}

/// The entries of a file, or what stands for them.
fn either(
    frames: Option<(Arc<str>, Frames)>,
    instead: Vec<Entry>,
) -> impl Iterator<Item = Entry> + Send {
    let entries = frames.into_iter().flat_map(|(name, frames)| {
        frames.flat_map(move |frame| match frame {
            Ok((frame, lines)) => {
                let file = Arc::clone(&name);
                let line = |line: &[u8]| line.to_vec();
                let lines: Vec<Vec<u8>> = split(&lines).map(line).collect();
                let entry = move |bytes| Entry::Line { file: Arc::clone(&file), frame, bytes };
                lines.into_iter().map(entry).collect::<Vec<_>>()
            }
            Err((frame, why)) => {
                vec![Entry::Damaged(Damage { file: Arc::clone(&name), frame, why })]
            }
        })
    });
    instead.into_iter().chain(entries)
}

/// The frames of a file, unpacked one after the other; of one that cannot be read, where it
/// begins and why.
struct Frames {
    file: File,
    at: u64,
    size: u64,
}

impl Frames {
    fn open(path: &Path, from: u64) -> Result<Self, FileError> {
        let file = open(path)?;
        let size = file.metadata().at("read", path)?.len();
        Ok(Self { file, at: from, size })
    }
}

impl Iterator for Frames {
    type Item = Result<(u64, Vec<u8>), (u64, String)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.size {
            return None;
        }
        let begin = self.at;
        let found = match frames::end(&self.file, begin, self.size) {
            Ok(Some(end)) => {
                self.at = end;
                return Some(match unpack(&self.file, begin, end) {
                    Ok(lines) => Ok((begin, lines)),
                    Err(error) => Err((begin, error.to_string())),
                });
            }
            Ok(None) => frames::next_start(&self.file, begin + 1),
            Err(error) => Err(error),
        };
        match found {
            Ok(next) => {
                self.at = next.unwrap_or(self.size);
                let why = match next {
                    Some(_) => "it is damaged",
                    None => "it ends too soon",
                };
                Some(Err((begin, why.to_owned())))
            }
            Err(error) => {
                self.at = self.size;
                Some(Err((begin, error.to_string())))
            }
        }
    }
}

/// What every line has.
#[derive(Deserialize)]
struct Named {
    task_id: TaskId,
    status: Folder,
}

impl Named {
    fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

/// The name of the file that holds what was finished at a moment.
pub fn file_of(at: Timestamp) -> String {
    at.strftime("%Y-%m").to_string() + ENDING
}

/// The month of a file of this name, counted from the year 0; `None` for what is no archive.
fn month_of(name: impl AsRef<OsStr>) -> Option<u32> {
    let (year, month) = name.as_ref().to_str()?.strip_suffix(ENDING)?.split_once('-')?;
    let number = |text: &str, digits: usize| -> Option<u32> {
        let is_plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_plain)
    };
    let (year, month) = (number(year, 4)?, number(month, 2)?);
    (1..=12).contains(&month).then(|| year * 12 + month - 1)
}

fn file_name(month: u32) -> String {
    format!("{:04}-{:02}{ENDING}", month / 12, month % 12 + 1)
}

fn place(record: Record) -> Place {
    Place { file: file_name(record.month()), frame: record.frame(), folder: record.folder() }
}

fn text(name: &std::ffi::OsString) -> Option<String> {
    name.to_str().map(str::to_owned)
}

fn open(path: &Path) -> Result<File, FileError> {
    Regular::open(path).map(Regular::into_file).map_err(|error| match error {
        files::ReadError::File(error) => error,
        other => FileError::new("read", path, io::Error::other(other)),
    })
}

/// The lines of a frame. Its checksum is looked at.
fn unpack(file: &File, begin: u64, end: u64) -> io::Result<Vec<u8>> {
    let mut packed = vec![0; usize::try_from(end - begin).map_err(io::Error::other)?];
    file.read_exact_at(&mut packed, begin)?;
    zstd::stream::decode_all(packed.as_slice())
}

fn split(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::tests::id;
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn line(name: &str, content: &str) -> Vec<u8> {
        let line = serde_json::json!({"task_id": name, "status": "completed", "content": content});
        line.to_string().into_bytes()
    }

    fn archive() -> (tempfile::TempDir, Archive) {
        let dir = tempfile::tempdir().unwrap();
        let archive = Archive::at(dir.path().join("archive"));
        fs::create_dir(archive.dir()).unwrap();
        (dir, archive)
    }

    /// Adds results of a month and commits them: as one frame.
    fn keep(archive: &Archive, month: &str, all: &[(&str, &str)]) {
        let mut keeper = Keeper::open(archive).unwrap();
        for (name, content) in all {
            let line = line(name, content);
            keeper.add(month, &id(name), Folder::Completed, &line).unwrap();
        }
        keeper.commit().unwrap();
    }

    fn content(archive: &Archive, name: &str) -> Option<String> {
        let place = archive.find(&id(name))?;
        let line = archive.read(&place, &id(name)).unwrap();
        let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
        Some(line["content"].as_str().unwrap().to_owned())
    }

    fn ids(archive: &Archive) -> (Vec<String>, Vec<Damage>) {
        let (mut ids, mut damages) = (Vec::new(), Vec::new());
        for entry in archive.entries() {
            match entry {
                Entry::Line { bytes, .. } => {
                    ids.push(Named::read(&bytes).unwrap().task_id.to_string());
                }
                Entry::Damaged(damage) => damages.push(damage),
            }
        }
        (ids, damages)
    }

    const OCTOBER: &str = "2026-10.jsonl.zst";
    const NOVEMBER: &str = "2026-11.jsonl.zst";

    #[test]
    fn what_was_kept_is_found_with_an_index_and_without() {
        let (_dir, archive) = archive();
        assert!(archive.find(&id("a")).is_none() && archive.is_in_order());
        keep(&archive, NOVEMBER, &[("a", "one"), ("b", "two")]);
        keep(&archive, OCTOBER, &[("c", "three")]);
        keep(&archive, NOVEMBER, &[("b", "again")]);
        assert!(archive.is_in_order());
        for _ in 0..2 {
            assert_eq!(content(&archive, "a").as_deref(), Some("one"));
            assert_eq!(content(&archive, "b").as_deref(), Some("again"));
            assert_eq!(content(&archive, "c").as_deref(), Some("three"));
            assert_eq!(content(&archive, "d"), None);
            let _ = fs::remove_file(archive.dir().join(INDEX));
        }
        assert!(!archive.is_in_order());
        drop(Keeper::open(&archive).unwrap());
        assert!(archive.is_in_order());
        assert_eq!(content(&archive, "b").as_deref(), Some("again"));
        assert_eq!(ids(&archive).0, ["c", "a", "b", "b"]);
        let mode = fs::metadata(archive.dir().join(NOVEMBER)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::remove_file(archive.dir().join(NOVEMBER)).unwrap();
        assert_eq!(content(&archive, "a"), None, "somebody took the month away");
    }

    #[test]
    fn a_frame_torn_anywhere_is_cut_off_and_what_stands_before_it_stays() {
        let (_dir, archive) = archive();
        keep(&archive, NOVEMBER, &[("a", "one")]);
        let path = archive.dir().join(NOVEMBER);
        let before = fs::read(&path).unwrap();
        let index = fs::read(archive.dir().join(INDEX)).unwrap();
        keep(&archive, NOVEMBER, &[("b", "two")]);
        let after = fs::read(&path).unwrap();
        for cut in before.len()..after.len() {
            fs::write(&path, &after[..cut]).unwrap();
            fs::write(archive.dir().join(INDEX), &index).unwrap();
            drop(Keeper::open(&archive).unwrap());
            assert_eq!(fs::read(&path).unwrap(), before, "cut at {cut}");
            assert_eq!(ids(&archive), (vec!["a".to_owned()], Vec::new()));
        }
        // Whole, and not in the index yet: it is taken in.
        fs::write(&path, &after).unwrap();
        drop(Keeper::open(&archive).unwrap());
        assert_eq!(content(&archive, "b").as_deref(), Some("two"));
    }

    #[test]
    fn a_damaged_frame_costs_its_own_lines_alone() {
        let (_dir, archive) = archive();
        keep(&archive, NOVEMBER, &[("a", "one")]);
        let path = archive.dir().join(NOVEMBER);
        let first = fs::metadata(&path).unwrap().len();
        keep(&archive, NOVEMBER, &[("b", &"two ".repeat(200))]);
        keep(&archive, NOVEMBER, &[("c", "three")]);
        let whole = fs::read(&path).unwrap();
        for at in [first as usize, first as usize + 12, first as usize + 30] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            fs::write(&path, &bytes).unwrap();
            let (ids, damages) = ids(&archive);
            assert_eq!(ids, ["a", "c"], "byte {at}");
            assert_eq!((damages.len(), damages[0].frame), (1, first), "byte {at}");
            // Without an index nobody knows what was torn: nothing is thrown away.
            let _ = fs::remove_file(archive.dir().join(INDEX));
            drop(Keeper::open(&archive).unwrap());
            assert_eq!(fs::read(&path).unwrap(), bytes);
            assert_eq!(content(&archive, "c").as_deref(), Some("three"));
        }
    }

    #[test]
    fn only_one_keeps_at_a_time() {
        let (_dir, archive) = archive();
        let keeper = Keeper::open(&archive).unwrap();
        assert!(matches!(Keeper::open(&archive), Err(KeepError::Busy)));
        drop(keeper);
        drop(Keeper::open(&archive).unwrap());
    }

    #[test]
    fn only_months_are_archives() {
        for name in ["2026-11.jsonl", "2026-13.jsonl.zst", "26-11.jsonl.zst", "+026-11.jsonl.zst"] {
            assert_eq!(month_of(OsStr::new(name)), None, "{name}");
        }
        assert_eq!(month_of(OsStr::new(NOVEMBER)).map(file_name).as_deref(), Some(NOVEMBER));
        assert_eq!(file_of("2026-11-30T23:59:59Z".parse().unwrap()), NOVEMBER);
    }
}
