//! Months of the journal that are long over, packed.
//!
//! ```text
//! 2026-01.jsonl ──packed──▶ 2026-01.jsonl + 2026-01.jsonl.zst ──removed──▶ 2026-01.jsonl.zst
//! ```
//!
//! The packed file is whole, compared with the plain one and on the disk before that one goes. Where
//! both exist the plain one counts: whoever was killed in between packs it again. Who writes a month
//! holds a shared lock on it, and what somebody holds is not packed; a month that is to be written
//! again after all, for the clock was set back, is unpacked first.
//!
//! The newest two months stay plain: a start reads them, and the budget.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use fs2::FileExt;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{cut_torn_line, months, open_month};
use crate::base::clock::Timestamp;
use crate::base::files::{self, At, FileError};
use crate::spool::logs::squeeze;

/// The ending of a month that was packed.
pub(super) const ENDING: &str = ".zst";
/// So many of the newest months are read by each start.
const STAY: usize = 2;

/// A month that was packed, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The plain file that it was.
    pub path: PathBuf,
    /// How large that was.
    pub bytes: u64,
}

/// The file that a month is packed into.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ENDING);
    PathBuf::from(name)
}

/// The months that were over before a moment and that no start reads, the oldest first.
///
/// # Errors
/// Where the folder cannot be listed.
pub fn old_months(dir: &Path, before: Timestamp) -> Result<Vec<PathBuf>, FileError> {
    let names = months(dir)?;
    let old = &names[..names.len().saturating_sub(STAY)];
    let old = old.iter().filter(|name| end_of(name).is_some_and(|end| end <= before));
    Ok(old.map(|name| dir.join(name)).filter(|path| files::exists(path)).collect())
}

/// When a month is over, by the name of its file.
fn end_of(name: &str) -> Option<Timestamp> {
    let first: Date = format!("{}-01", name.strip_suffix(".jsonl")?).parse().ok()?;
    let next = first.last_of_month().tomorrow().ok()?;
    Some(next.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Packs a month; nothing where somebody writes it still, or it is no regular file.
///
/// # Errors
/// What the file system says; the plain file is still there then.
pub fn pack(path: PathBuf, is_dry: bool) -> Result<Option<Packed>, FileError> {
    let Ok(plain) = files::Regular::open(&path) else { return Ok(None) };
    let mut plain = plain.into_file();
    if FileExt::try_lock_exclusive(&plain).is_err() {
        return Ok(None);
    }
    let bytes = plain.metadata().at("look at", &path)?.len();
    if !is_dry {
        let dir = files::parent(&path);
        let (half, to) = (dir.join(files::half_made(&path)), beside(&path));
        let placed = squeeze(&mut plain, &half, 0o600)
            .and_then(|()| compare(&path, &half))
            .and_then(|()| files::rename_over(&half, &to));
        if placed.is_err() {
            let _ = files::remove(&half);
        }
        placed?;
        files::sync_dir(dir)?;
        files::remove(&path)?;
    }
    Ok(Some(Packed { path, bytes }))
}

/// Looks whether what was packed comes out as it went in.
fn compare(path: &Path, packed: &Path) -> Result<(), FileError> {
    const BLOCK: u64 = 64 << 10;
    let (mut plain, mut again) = (open_month(path)?, unpacker(packed)?);
    loop {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        (&mut plain).take(BLOCK).read_to_end(&mut one).at("read", path)?;
        (&mut again).take(BLOCK).read_to_end(&mut two).at("read", packed)?;
        if one != two {
            let why = io::Error::new(io::ErrorKind::InvalidData, "it is not what was packed");
            return Err(FileError::new("read", packed, why));
        }
        if one.is_empty() {
            return Ok(());
        }
    }
}

/// What a packed file holds.
pub(super) fn unpacker(path: &Path) -> Result<impl Read + use<>, FileError> {
    let file = BufReader::new(open_month(path)?);
    zstd::stream::read::Decoder::with_buffer(file).at("read", path)
}

/// Has a month that is to be written lie there plain.
pub(super) fn unpack(path: &Path) -> Result<(), FileError> {
    let packed = beside(path);
    if files::exists(path) || !files::exists(&packed) {
        return Ok(());
    }
    let half = files::parent(path).join(files::half_made(path));
    let written = write_out(&packed, &half).and_then(|()| files::rename_new(&half, path));
    if written.is_err() {
        let _ = files::remove(&half);
    }
    written?;
    files::sync_dir(files::parent(path))
}

fn write_out(packed: &Path, to: &Path) -> Result<(), FileError> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    let mut file = options.open(to).at("create", to)?;
    io::copy(&mut unpacker(packed)?, &mut file).at("read", packed)?;
    drop(file);
    // What is torn at its end would be in the middle soon.
    cut_torn_line(to)?;
    File::open(to).and_then(|file| file.sync_all()).at("sync", to)
}

/// Removes what a killed process left half-made beside the months.
///
/// # Errors
/// Where the folder cannot be listed, or a file not be removed.
pub fn sweep(dir: &Path) -> Result<(), FileError> {
    crate::spool::half_made(dir)?.iter().try_for_each(|path| files::remove(path))
}

/// How long a month is when it is plain; nothing where it is not there.
pub fn length(path: &Path) -> u64 {
    match fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(_) => unpacker(&beside(path))
            .and_then(|mut text| io::copy(&mut text, &mut io::sink()).at("read", path))
            .unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Journal, read, recent};
    use super::*;
    use crate::task::journal::{Line, LineKind};

    const NOW: &str = "2026-11-26T00:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn line(month: u32) -> Line {
        Line::new(LineKind::Filed, at(&format!("2026-{month:02}-05T00:00:00Z")))
    }

    /// A journal with a line in each of these months, and nobody who writes it.
    fn journal(of: &[u32]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path().to_owned()).unwrap();
        for month in of {
            journal.append([&line(*month)]).unwrap();
        }
        journal.sync().unwrap();
        dir
    }

    fn pack_all(dir: &Path, before: &str) -> Vec<Packed> {
        let old = old_months(dir, at(before)).unwrap();
        old.into_iter().filter_map(|path| pack(path, false).unwrap()).collect()
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = crate::spool::list(dir)
            .unwrap()
            .into_iter()
            .map(|name| name.into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_old_is_packed_and_read_as_before() {
        let dir = journal(&[8, 9, 10, 11]);
        let dir = dir.path();
        let path = dir.join("2026-08.jsonl");
        let before = read(&path, 0).unwrap();
        assert!(old_months(dir, at("2026-08-31T00:00:00Z")).unwrap().is_empty(), "it is not over");
        assert!(pack(path.clone(), true).unwrap().is_some());
        assert_eq!(names(dir).len(), 4, "nothing is done dry");
        assert_eq!(pack_all(dir, NOW).len(), 2);
        let now = ["2026-08.jsonl.zst", "2026-09.jsonl.zst", "2026-10.jsonl", "2026-11.jsonl"];
        assert_eq!(names(dir), now);
        assert_eq!(months(dir).unwrap()[0], "2026-08.jsonl");
        let after = read(&path, 0).unwrap();
        assert_eq!((after.lines.len(), after.end), (before.lines.len(), before.end));
        assert_eq!(length(&path), before.end);
        assert_eq!(read(&path, before.end).unwrap().lines.len(), 0);
        let mut told = 0;
        recent(dir, |_| told += 1).unwrap();
        assert_eq!(told, 2);
        assert!(pack_all(dir, NOW).is_empty());
    }

    #[test]
    fn the_newest_two_stay_however_old() {
        let dir = journal(&[1, 2]);
        assert!(pack_all(dir.path(), NOW).is_empty());
    }

    #[test]
    fn where_both_exist_the_plain_one_counts_and_is_packed_again() {
        let dir = journal(&[8, 9, 10, 11]);
        let dir = dir.path();
        let path = dir.join("2026-08.jsonl");
        fs::write(beside(&path), "half of it").unwrap();
        assert_eq!(months(dir).unwrap().len(), 4);
        assert_eq!(read(&path, 0).unwrap().lines.len(), 1);
        pack_all(dir, NOW);
        assert_eq!(read(&path, 0).unwrap().lines.len(), 1);
        assert!(!path.exists());
    }

    #[test]
    fn what_somebody_writes_is_left_to_the_next_run() {
        let dir = journal(&[8, 9, 10, 11]);
        let writer = Journal::open(dir.path().to_owned()).unwrap();
        writer.append([&line(8)]).unwrap();
        assert_eq!(pack_all(dir.path(), NOW).len(), 1, "the other one");
        writer.append([&line(8)]).unwrap();
        assert_eq!(read(&dir.path().join("2026-08.jsonl"), 0).unwrap().lines.len(), 3);
    }

    #[test]
    fn a_month_that_is_written_again_is_unpacked_first() {
        let dir = journal(&[8, 9, 10, 11]);
        let dir = dir.path();
        pack_all(dir, NOW);
        Journal::open(dir.to_owned()).unwrap().append([&line(8)]).unwrap();
        let path = dir.join("2026-08.jsonl");
        assert_eq!(read(&path, 0).unwrap().lines.len(), 2);
        assert_eq!(pack_all(dir, NOW).len(), 1);
        assert_eq!(read(&path, 0).unwrap().lines.len(), 2);
    }

    #[test]
    fn what_was_left_half_made_goes_and_other_names_stay() {
        let dir = journal(&[8]);
        let dir = dir.path();
        fs::write(dir.join(".koubou-1.1-0-2026-08"), "x").unwrap();
        fs::write(dir.join("2026-01.jsonl.bak"), "x").unwrap();
        sweep(dir).unwrap();
        assert_eq!(names(dir), ["2026-01.jsonl.bak", "2026-08.jsonl"]);
    }
}
