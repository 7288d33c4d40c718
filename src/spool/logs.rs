//! Log files: opened so that they can be turned over, and turned over when they are long.
//!
//! ```text
//! koubou.log ──rename──▶ koubou.log.2026-11-26 ──packed──▶ koubou.log.2026-11-26.zst ──▶ removed
//! ```
//!
//! Whoever writes a log sees by its name that it was turned over, and opens it anew; so it is no
//! matter who does it, koubou or logrotate. He holds a shared lock on the file that he writes: what
//! nobody holds any more is packed, and no line is lost in between.
//!
//! Only `*.log` in the folders of `logs` is turned over. What workers tell of a task lies there by
//! the task's name and goes with its result.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use fs2::FileExt;

use super::Home;
use crate::base::clock::Timestamp;
use crate::base::files::{self, At, FileError};

const LEVEL: i32 = 3;
const PACKED: &str = ".zst";

/// A log that lines are added to.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    /// Opens it, and makes it where it is not there.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(path: PathBuf) -> Result<Self, FileError> {
        let file = open(&path).at("open", &path)?;
        Ok(Self { path, file })
    }

    /// Adds a line, to the file that has the log's name now.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let identity = |meta: fs::Metadata| (meta.dev(), meta.ino());
        let named = fs::symlink_metadata(&self.path).map(identity).ok();
        // Where it cannot be opened anew, the old one is better than none.
        if named.is_none() || named != self.file.metadata().map(identity).ok() {
            self.file = open(&self.path).or_else(|_| self.file.try_clone())?;
        }
        self.file.write_all(line)
    }
}

fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        // A pipe that nobody reads must not hold up the start.
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    // Whoever packs it asks for this lock; a file system without locks never packs what is written.
    let _ = FileExt::try_lock_shared(&file);
    Ok(file)
}

/// How long logs may become, and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A log of so many bytes is turned over.
    pub most_bytes: u64,
    /// So many that were turned over are kept of each.
    pub kept: usize,
}

/// Something that was done with a log, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It was turned over, and is called so now.
    Rotated(PathBuf, u64),
    /// It was packed: from so many bytes to so many.
    Packed(PathBuf, u64, u64),
    /// One too many was removed.
    Removed(PathBuf, u64),
}

/// What was done, and what could not be.
#[derive(Debug, Default)]
pub struct Tended {
    /// In order.
    pub deeds: Vec<Deed>,
    /// Of single files; the others were tended all the same.
    pub failed: Vec<FileError>,
}

/// Turns over what is long, packs what was turned over, and removes what is too many.
pub fn tend(home: &Home, rules: Rules, now: Timestamp, is_dry: bool) -> Tended {
    let mut tended = Tended::default();
    for folder in ["master", "workers", "system"] {
        let dir = home.logs().join(folder);
        let names = match super::list(&dir) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                tended.failed.push(error);
                continue;
            }
        };
        let logs = names.iter().filter(|name| name.as_encoded_bytes().ends_with(b".log"));
        for name in logs {
            tended.note(rotate(&dir.join(name), rules.most_bytes, now, is_dry));
        }
    }
    tended
}

/// Packs what was turned over and nobody writes any more, and removes what is too many.
pub fn pack_all(home: &Home, rules: Rules, is_dry: bool) -> Tended {
    let mut tended = Tended::default();
    for folder in ["master", "workers", "system"] {
        let dir = home.logs().join(folder);
        let mut turned = turned_over(&super::list(&dir).unwrap_or_default());
        // The oldest of each log come first.
        turned.sort();
        let mut left: std::collections::BTreeMap<String, usize> = Default::default();
        for old in &turned {
            *left.entry(old.log.clone()).or_default() += 1;
        }
        for old in turned {
            let path = dir.join(&old.name);
            let count = left.entry(old.log).or_default();
            match *count > rules.kept {
                true => {
                    *count -= 1;
                    tended.note(remove(path, is_dry));
                }
                false if old.is_packed => {}
                false => tended.note(pack(home, path, is_dry)),
            }
        }
    }
    tended
}

impl Tended {
    fn note(&mut self, done: Result<Option<Deed>, FileError>) {
        match done {
            Ok(deed) => self.deeds.extend(deed),
            Err(error) => self.failed.push(error),
        }
    }
}

/// A log that was turned over.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct TurnedOver {
    log: String,
    day: String,
    number: u32,
    is_packed: bool,
    name: OsString,
}

fn turned_over(names: &[OsString]) -> Vec<TurnedOver> {
    let read = |name: &OsString| {
        let text = name.to_str()?;
        let bare = text.strip_suffix(PACKED).unwrap_or(text);
        let (log, rest) = bare.split_once(".log.")?;
        let (day, number) = rest.split_once('.').unwrap_or((rest, "1"));
        let is_day = day.len() == 10 && day.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let number = number.parse().ok().filter(|_| is_day)?;
        let (log, day) = (log.to_owned(), day.to_owned());
        Some(TurnedOver { log, day, number, is_packed: bare != text, name: name.clone() })
    };
    names.iter().filter_map(read).collect()
}

fn rotate(path: &Path, most: u64, now: Timestamp, is_dry: bool) -> Result<Option<Deed>, FileError> {
    let meta = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        meta => meta.at("look at", path)?,
    };
    if !meta.is_file() || meta.len() < most {
        return Ok(None);
    }
    let day = now.strftime("%Y-%m-%d").to_string();
    for n in 1.. {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{day}"));
        if n > 1 {
            name.push(format!(".{n}"));
        }
        let to = PathBuf::from(name);
        let mut packed = to.clone().into_os_string();
        packed.push(PACKED);
        if files::exists(packed.as_ref()) || files::exists(&to) {
            continue;
        }
        if !is_dry {
            match files::rename_new(path, &to) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                renamed => renamed?,
            }
            files::sync_dir(files::parent(path))?;
        }
        return Ok(Some(Deed::Rotated(to, meta.len())));
    }
    Ok(None)
}

/// Packs a log into a file beside it, and removes it once that is durable.
fn pack(home: &Home, path: PathBuf, is_dry: bool) -> Result<Option<Deed>, FileError> {
    let mut file = match files::Regular::open(&path) {
        Ok(file) => file.into_file(),
        Err(_) => return Ok(None),
    };
    // Somebody writes it still: its time comes with the next run.
    if FileExt::try_lock_exclusive(&file).is_err() {
        return Ok(None);
    }
    let meta = file.metadata().at("look at", &path)?;
    if is_dry {
        return Ok(Some(Deed::Packed(path, meta.len(), 0)));
    }
    let mut name = path.clone().into_os_string();
    name.push(PACKED);
    let to = PathBuf::from(name);
    // Who was killed before he came to remove it had packed all of it.
    if !files::exists(&to) {
        let beside = home.tmp().join(files::half_made(&to));
        let written = squeeze(&mut file, &beside, meta.permissions().mode() & 0o777);
        let placed = written.and_then(|()| files::rename_new(&beside, &to));
        if placed.is_err() {
            let _ = files::remove(&beside);
        }
        placed?;
        files::sync_dir(files::parent(&to))?;
    }
    files::remove(&path)?;
    let size = fs::metadata(&to).map_or(0, |meta| meta.len());
    Ok(Some(Deed::Packed(to, meta.len(), size)))
}

/// Packs a file into a fresh one, which is on the disk then.
pub(super) fn squeeze(from: &mut File, to: &Path, mode: u32) -> Result<(), FileError> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(true).mode(mode).custom_flags(libc::O_NOFOLLOW);
    let file = options.open(to).at("create", to)?;
    let mut packer = zstd::stream::write::Encoder::new(file, LEVEL).at("pack into", to)?;
    packer.include_checksum(true).at("pack into", to)?;
    io::copy(from, &mut packer).at("pack into", to)?;
    packer.finish().and_then(|file| file.sync_all()).at("pack into", to)
}

fn remove(path: PathBuf, is_dry: bool) -> Result<Option<Deed>, FileError> {
    let size = fs::symlink_metadata(&path).map_or(0, |meta| meta.len());
    if !is_dry {
        files::remove(&path)?;
    }
    Ok(Some(Deed::Removed(path, size)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::spool;
    use super::*;

    const RULES: Rules = Rules { most_bytes: 5, kept: 2 };

    fn day(n: u32) -> Timestamp {
        format!("2026-11-{n:02}T03:30:00Z").parse().unwrap()
    }

    fn names(home: &Home) -> Vec<String> {
        let names = super::super::list(&home.logs().join("system")).unwrap();
        let mut names: Vec<String> =
            names.into_iter().map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_long_log_is_turned_over_and_packed_and_no_line_is_lost() {
        let (_dir, spool) = spool();
        let home = spool.home();
        let mut log = LogFile::open(home.log_file()).unwrap();
        log.write(b"one\n").unwrap();
        assert!(tend(home, RULES, day(1), false).deeds.is_empty(), "it is short");
        log.write(b"two\n").unwrap();
        let dry = tend(home, RULES, day(1), true);
        assert_eq!(names(home), ["koubou.log"]);
        assert_eq!(tend(home, RULES, day(1), false).deeds, dry.deeds);
        // It is written still: nothing tells its writer before the next line.
        assert!(pack_all(home, RULES, false).deeds.is_empty());
        log.write(b"three\n").unwrap();
        assert!(matches!(pack_all(home, RULES, false).deeds[..], [Deed::Packed(_, 8, _)]));
        assert_eq!(names(home), ["koubou.log", "koubou.log.2026-11-01.zst"]);
        assert_eq!(fs::read(home.log_file()).unwrap(), b"three\n");
        let packed = fs::read(home.logs().join("system/koubou.log.2026-11-01.zst")).unwrap();
        assert_eq!(zstd::stream::decode_all(&packed[..]).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let (_dir, spool) = spool();
        let home = spool.home();
        let mut log = LogFile::open(home.log_file()).unwrap();
        for n in [1, 1, 2, 10] {
            log.write(b"a long line\n").unwrap();
            tend(home, RULES, day(n), false);
        }
        log.write(b"x").unwrap();
        fs::write(home.logs().join("system/other.log.2026-01-01"), "").unwrap();
        pack_all(home, RULES, false);
        let wanted = [
            "koubou.log",
            "koubou.log.2026-11-02.zst",
            "koubou.log.2026-11-10.zst",
            "other.log.2026-01-01.zst",
        ];
        assert_eq!(names(home), wanted);
    }

    #[test]
    fn what_was_killed_while_it_packed_is_finished() {
        let (_dir, spool) = spool();
        let home = spool.home();
        let old = home.logs().join("system/koubou.log.2026-11-01");
        fs::write(&old, "lines").unwrap();
        pack_all(home, RULES, false);
        fs::write(&old, "lines").unwrap();
        pack_all(home, RULES, false);
        assert_eq!(names(home), ["koubou.log.2026-11-01.zst"]);
    }
}
