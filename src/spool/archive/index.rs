//! Which id lies in which frame: `tasks/archive/index`, so that a look-up costs a few reads
//! however many results there are.
//!
//! It can be made anew from the archives at any time, and says how much of each month's file it
//! covers. It is replaced and never changed: who reads it reads the old one or the new one.
//!
//! ```text
//! KBINDEX1 | months: u32 | (month: u32, covered: u64)… | records: u64 | (hash: u64, place: u64)…
//! ```
//!
//! All numbers are little-endian. Records are sorted by the hash of the id, one for each.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::base::files::{self, At, FileError};
use crate::task::{Folder, TaskId};

const MAGIC: &[u8; 8] = b"KBINDEX1";
const RECORD: u64 = 16;
/// More months than this no index has: what says so is damaged.
const MOST_MONTHS: u32 = 12_000;
/// So many records are read at once.
const WINDOW: u64 = 256;

/// How much of each month's file is covered.
pub(super) type Covered = BTreeMap<u32, u64>;

/// An id, and where its line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    hash: u64,
    place: u64,
}

impl Record {
    pub(super) fn new(id: &TaskId, month: u32, frame: u64, folder: Folder) -> Self {
        let is_failed = u64::from(folder == Folder::Failed);
        Self { hash: hash(id), place: (u64::from(month) << 49) | (frame << 1) | is_failed }
    }

    pub(super) fn month(self) -> u32 {
        (self.place >> 49) as u32
    }

    pub(super) fn frame(self) -> u64 {
        (self.place >> 1) & ((1 << 48) - 1)
    }

    pub(super) fn folder(self) -> Folder {
        if self.place & 1 == 1 { Folder::Failed } else { Folder::Completed }
    }

    fn read(bytes: &[u8]) -> Self {
        let number = |at: usize| {
            let eight = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok());
            u64::from_le_bytes(eight.unwrap_or_default())
        };
        Self { hash: number(0), place: number(8) }
    }

    fn write(self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.hash.to_le_bytes())?;
        to.write_all(&self.place.to_le_bytes())
    }
}

/// The same for the same id on every machine, and spread evenly.
fn hash(id: &TaskId) -> u64 {
    let digest = Sha256::digest(id.as_str().as_bytes());
    u64::from_le_bytes(digest[..8].try_into().unwrap_or_default())
}

/// An index that is open.
#[derive(Debug)]
pub(super) struct Index {
    file: File,
    pub(super) covered: Covered,
    pub(super) records: u64,
    /// Where the first record is.
    first: u64,
}

impl Index {
    /// Opens it; `None` where there is none, or what lies there makes no sense.
    pub(super) fn open(path: &Path) -> Option<Self> {
        let file = files::Regular::open(path).ok()?.into_file();
        Self::read_head(file).ok()
    }

    fn read_head(file: File) -> io::Result<Self> {
        let bad = || io::Error::from(io::ErrorKind::InvalidData);
        let size = file.metadata()?.len();
        let mut reader = BufReader::with_capacity(512, &file);
        let mut magic = [0; 8];
        reader.read_exact(&mut magic)?;
        let months = read_u32(&mut reader)?;
        if &magic != MAGIC || months > MOST_MONTHS {
            return Err(bad());
        }
        let mut covered = Covered::new();
        for _ in 0..months {
            let month = read_u32(&mut reader)?;
            covered.insert(month, read_u64(&mut reader)?);
        }
        let records = read_u64(&mut reader)?;
        let first = 8 + 4 + 12 * u64::from(months) + 8;
        let expected = records.checked_mul(RECORD).and_then(|all| all.checked_add(first));
        if expected != Some(size) {
            return Err(bad());
        }
        Ok(Self { file, covered, records, first })
    }

    /// Where the line of this id is.
    pub(super) fn find(&self, id: &TaskId) -> io::Result<Option<Record>> {
        let wanted = hash(id);
        let (mut low, mut high) = (0, self.records);
        // Hashes are spread evenly: where the wanted one should be, it nearly is.
        let share = (u128::from(wanted) * u128::from(self.records)) >> 64;
        let mut middle = u64::try_from(share).unwrap_or(0);
        while low < high {
            let from = middle.saturating_sub(WINDOW / 2).clamp(low, high - 1);
            let upto = (from + WINDOW).min(high);
            let window = self.window(from, upto)?;
            match window.binary_search_by_key(&wanted, |record| record.hash) {
                Ok(at) => return Ok(window.get(at).copied()),
                Err(0) if from > low => high = from,
                Err(at) if at == window.len() && upto < high => low = upto,
                Err(_) => return Ok(None),
            }
            middle = low + (high - low) / 2;
        }
        Ok(None)
    }

    fn window(&self, from: u64, upto: u64) -> io::Result<Vec<Record>> {
        let mut bytes = vec![0; usize::try_from((upto - from) * RECORD).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, self.first + from * RECORD)?;
        Ok(bytes.chunks_exact(RECORD as usize).map(Record::read).collect())
    }

    /// Its records from the first on.
    fn all(&self) -> io::Result<impl Iterator<Item = io::Result<Record>>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.first))?;
        let mut reader = BufReader::new(file);
        Ok((0..self.records).map(move |_| {
            let mut bytes = [0; RECORD as usize];
            reader.read_exact(&mut bytes)?;
            Ok(Record::read(&bytes))
        }))
    }
}

/// Puts an index in the place of the one at `path`: the records of `old`, and fresh ones. Of two
/// for one id the later place counts.
pub(super) fn replace(
    path: &Path,
    old: Option<&Index>,
    mut fresh: Vec<Record>,
    covered: &Covered,
) -> Result<(), FileError> {
    fresh.sort_unstable();
    let beside = path.with_file_name(files::half_made(path));
    let written = write(&beside, old, &fresh, covered).at("write", &beside);
    let placed = written.and_then(|()| files::rename_over(&beside, path));
    if placed.is_err() {
        let _ = files::remove(&beside);
    }
    placed?;
    files::sync_dir(files::parent(path))
}

fn write(path: &Path, old: Option<&Index>, fresh: &[Record], covered: &Covered) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    let mut to = BufWriter::new(file);
    to.write_all(MAGIC)?;
    to.write_all(&u32::try_from(covered.len()).unwrap_or(0).to_le_bytes())?;
    for (month, length) in covered {
        to.write_all(&month.to_le_bytes())?;
        to.write_all(&length.to_le_bytes())?;
    }
    let counted_at = to.stream_position()?;
    to.write_all(&[0; 8])?;
    let mut count = 0_u64;
    let mut put = |record: Record| {
        count += 1;
        record.write(&mut to)
    };
    let mut fresh = fresh.iter().copied().peekable();
    // The last of those with one hash.
    let mut next_fresh = move |upto: Option<u64>| -> Option<Record> {
        let mut last = fresh.next_if(|record| upto.is_none_or(|hash| record.hash <= hash))?;
        while let Some(later) = fresh.next_if(|record| record.hash == last.hash) {
            last = later;
        }
        Some(last)
    };
    if let Some(old) = old {
        for record in old.all()? {
            let mut record = record?;
            while let Some(newer) = next_fresh(Some(record.hash)) {
                match newer.hash == record.hash {
                    true => record = record.max(newer),
                    false => put(newer)?,
                }
            }
            put(record)?;
        }
    }
    while let Some(record) = next_fresh(None) {
        put(record)?;
    }
    let file = to.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.write_all_at(&count.to_le_bytes(), counted_at)?;
    file.sync_all()
}

fn read_u32(from: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn read_u64(from: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    from.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::id;
    use super::*;

    const MONTH: u32 = 2026 * 12 + 10;

    fn record(n: u64, folder: Folder) -> Record {
        Record::new(&id(&format!("t{n}")), MONTH, n * 7, folder)
    }

    #[test]
    fn every_id_is_found_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        assert!(Index::open(&path).is_none());
        let covered = Covered::from([(MONTH, 99)]);
        let of = |range: std::ops::Range<u64>| -> Vec<Record> {
            range.map(|n| record(n, Folder::Completed)).collect()
        };
        replace(&path, None, of(0..1_000), &covered).unwrap();
        let first = Index::open(&path).unwrap();
        replace(&path, Some(&first), of(1_000..5_000), &covered).unwrap();
        let index = Index::open(&path).unwrap();
        assert_eq!((index.records, &index.covered), (5_000, &covered));
        for n in 0..5_000 {
            let found = index.find(&id(&format!("t{n}"))).unwrap().unwrap();
            assert_eq!((found.month(), found.frame()), (MONTH, n * 7));
        }
        for n in 5_000..6_000 {
            assert_eq!(index.find(&id(&format!("t{n}"))).unwrap(), None);
        }
    }

    #[test]
    fn of_two_places_the_later_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        let covered = Covered::new();
        let at = |frame, folder| Record::new(&id("x"), MONTH, frame, folder);
        let twice = vec![at(9, Folder::Completed), at(5, Folder::Failed)];
        replace(&path, None, twice, &covered).unwrap();
        let old = Index::open(&path).unwrap();
        assert_eq!(old.records, 1);
        replace(&path, Some(&old), vec![at(20, Folder::Failed)], &covered).unwrap();
        let found = Index::open(&path).unwrap().find(&id("x")).unwrap().unwrap();
        assert_eq!((found.frame(), found.folder()), (20, Folder::Failed));
    }

    #[test]
    fn what_was_cut_short_is_no_index() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        replace(&path, None, vec![record(1, Folder::Failed)], &Covered::new()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(Index::open(&path).is_none(), "cut at {cut}");
        }
    }
}
