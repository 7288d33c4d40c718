//! Appends to the archives: one at a time, held by an advisory lock that dies with its process.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use fs2::FileExt;

use super::index::{self, Covered, Index, Record};
use super::{Archive, Frames, INDEX, Named, file_name, month_of, split};
use crate::base::files::{self, At, FileError};
use crate::task::{Folder, TaskId};

/// A frame is closed when it has so many bytes of lines: a look-up unpacks one.
const FRAME: usize = 1 << 20;
/// How hard zstd tries.
const LEVEL: i32 = 3;
/// A child holds its parent's locks for the instant between fork and exec; so many looks outlast it.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: std::time::Duration = std::time::Duration::from_millis(10);

/// Why nothing can be retired for now.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Somebody else is at it.
    #[error("this home is being maintained already")]
    Busy,
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The right to append to the archives, for as long as it lives.
#[derive(Debug)]
pub struct Keeper {
    archive: Archive,
    _lock: File,
    months: BTreeMap<u32, Month>,
    covered: Covered,
    /// Written, and not in the index yet.
    fresh: Vec<Record>,
    /// What cannot be read, a sentence each.
    damages: Vec<String>,
}

/// A month's file, and the frame that is being filled.
#[derive(Debug)]
struct Month {
    file: File,
    path: PathBuf,
    end: u64,
    lines: Vec<u8>,
    ids: Vec<(TaskId, Folder)>,
    is_new: bool,
    is_synced: bool,
}

impl Keeper {
    /// Takes the lock, cuts off what was torn, and brings the index in order.
    ///
    /// # Errors
    /// [`KeepError::Busy`] where another has it, or what the file system says.
    pub fn open(archive: &Archive) -> Result<Self, KeepError> {
        let lock = lock(&archive.dir)?;
        let mut keeper = Self {
            archive: archive.clone(),
            _lock: lock,
            months: BTreeMap::new(),
            covered: Covered::new(),
            fresh: Vec::new(),
            damages: Vec::new(),
        };
        keeper.sweep();
        keeper.bring_in_order()?;
        Ok(keeper)
    }

    /// What could not be read while the archives were brought in order, a sentence each.
    pub fn take_damages(&mut self) -> Vec<String> {
        std::mem::take(&mut self.damages)
    }

    /// Adds a result's line to the file of a month. It is durable after the next [`Self::commit`].
    ///
    /// # Errors
    /// What the file system says.
    pub fn add(
        &mut self,
        file: &str,
        id: &TaskId,
        folder: Folder,
        line: &[u8],
    ) -> Result<(), FileError> {
        let path = self.archive.dir.join(file);
        let number = month_of(file)
            .ok_or_else(|| FileError::new("write", &path, io::ErrorKind::InvalidInput))?;
        let month = match self.months.entry(number) {
            std::collections::btree_map::Entry::Occupied(open) => open.into_mut(),
            std::collections::btree_map::Entry::Vacant(none) => none.insert(Month::open(path)?),
        };
        month.lines.extend_from_slice(line);
        month.lines.push(b'\n');
        month.ids.push((id.clone(), folder));
        match month.lines.len() >= FRAME {
            true => month.close_frame(number, &mut self.fresh),
            false => Ok(()),
        }
    }

    /// Makes all that was added durable, and the index say where it is.
    ///
    /// # Errors
    /// What the file system says; what was added may be added again then.
    pub fn commit(&mut self) -> Result<(), FileError> {
        let mut made_a_file = false;
        for (number, month) in &mut self.months {
            month.close_frame(*number, &mut self.fresh)?;
            month.sync()?;
            made_a_file |= std::mem::take(&mut month.is_new);
            self.covered.insert(*number, month.end);
        }
        if made_a_file {
            files::sync_dir(&self.archive.dir)?;
        }
        let path = self.archive.dir.join(INDEX);
        let old = Index::open(&path);
        let fresh = std::mem::take(&mut self.fresh);
        index::replace(&path, old.as_ref(), fresh, &self.covered)
    }

    /// How many results a round may have before the index is written anew: it costs as much as the
    /// index is long.
    pub fn round(&self) -> usize {
        let known = Index::open(&self.archive.dir.join(INDEX)).map_or(0, |index| index.records);
        usize::try_from(known / 64).unwrap_or(usize::MAX).max(1_024)
    }

    /// Removes what a killed keeper left half-made.
    fn sweep(&self) {
        for path in crate::spool::half_made(&self.archive.dir).unwrap_or_default() {
            let _ = files::remove(&path);
        }
    }

    /// Takes into the index what it does not cover.
    fn bring_in_order(&mut self) -> Result<(), FileError> {
        let path = self.archive.dir.join(INDEX);
        let mut old = Index::open(&path);
        let names = self.archive.files()?;
        let size = |name: &str| std::fs::metadata(self.archive.dir.join(name)).map(|m| m.len());
        let has_shrunk = |(month, covered): (&u32, &u64)| {
            size(&file_name(*month)).map_or(true, |size| size < *covered)
        };
        // A month that was taken away, or is another one: what the index says of it is wrong.
        if old.as_ref().is_some_and(|index| index.covered.iter().any(has_shrunk)) {
            old = None;
        }
        let is_known = old.is_some();
        self.covered = old.as_ref().map(|index| index.covered.clone()).unwrap_or_default();
        let before = self.covered.clone();
        for name in names {
            let Some(month) = month_of(name.as_str()) else { continue };
            let from = self.covered.get(&month).copied();
            let end = self.take_in(&name, month, from.unwrap_or(0), is_known && from.is_some())?;
            self.covered.insert(month, end);
        }
        if is_known && self.fresh.is_empty() && self.covered == before {
            return Ok(());
        }
        if self.covered.is_empty() && !files::exists(&path) {
            return Ok(());
        }
        index::replace(&path, old.as_ref(), std::mem::take(&mut self.fresh), &self.covered)
    }

    /// Reads a month's file from a byte on; where it ends now.
    ///
    /// Behind what the index covers lies at most what a killed keeper wrote: where that makes no
    /// sense it is cut off, for its results have not left their folders. Of a file that no index
    /// knows nothing is cut but an end without which it could not be added to, and that is kept
    /// beside it.
    fn take_in(
        &mut self,
        name: &str,
        month: u32,
        from: u64,
        is_covered: bool,
    ) -> Result<u64, FileError> {
        let path = self.archive.dir.join(name);
        let mut frames = Frames::open(&path, from)?;
        let size = frames.size;
        while let Some(frame) = frames.next() {
            let (begin, lines) = match frame {
                Ok(frame) => frame,
                Err((begin, _)) if is_covered && frames.at >= size => return cut(&path, begin),
                Err((begin, _)) if frames.at >= size && !ends(&path, begin, size) => {
                    let aside = keep_aside(&path, begin)?;
                    self.damages.push(format!(
                        "tasks/archive/{name} cannot be read from byte {begin} on; what stood there is now in `{}` beside it",
                        aside.display()
                    ));
                    return cut(&path, begin);
                }
                Err((begin, why)) => {
                    let damage = super::Damage { file: name.into(), frame: begin, why };
                    self.damages.push(damage.to_string());
                    continue;
                }
            };
            let named = split(&lines).filter_map(Named::read);
            self.fresh
                .extend(named.map(|named| Record::new(&named.task_id, month, begin, named.status)));
        }
        Ok(size)
    }
}

/// Whether a frame that cannot be unpacked is whole all the same.
fn ends(path: &std::path::Path, begin: u64, size: u64) -> bool {
    let file = super::open(path);
    file.is_ok_and(|file| super::frames::end(&file, begin, size).is_ok_and(|end| end.is_some()))
}

fn cut(path: &std::path::Path, at: u64) -> Result<u64, FileError> {
    let file = OpenOptions::new().write(true).custom_flags(libc::O_NOFOLLOW).open(path);
    let file = file.at("open", path)?;
    file.set_len(at).at("cut", path)?;
    file.sync_all().at("sync", path)?;
    Ok(at)
}

/// Copies the end of a file into the first free `.torn-N` beside it, whose name it tells.
fn keep_aside(path: &std::path::Path, from: u64) -> Result<PathBuf, FileError> {
    let mut file = super::open(path)?;
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from)).at("read", path)?;
    file.read_to_end(&mut bytes).at("read", path)?;
    let mut n = 1;
    loop {
        let mut aside = path.as_os_str().to_owned();
        aside.push(format!(".torn-{n}"));
        match files::write_new(aside.as_ref(), &bytes, 0o600) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => n += 1,
            written => {
                let name = std::path::Path::new(&aside).file_name().unwrap_or_default();
                return written.map(|()| name.into());
            }
        }
    }
}

fn lock(dir: &std::path::Path) -> Result<File, KeepError> {
    let folder = File::open(dir).at("open", dir)?;
    let mut looks = 0;
    while let Err(error) = folder.try_lock_exclusive() {
        looks += 1;
        if error.kind() != io::ErrorKind::WouldBlock {
            return Err(FileError::new("lock", dir, error).into());
        }
        if looks == LOOKS {
            return Err(KeepError::Busy);
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    Ok(folder)
}

impl Month {
    fn open(path: PathBuf) -> Result<Self, FileError> {
        let is_new = !files::exists(&path);
        let mut options = OpenOptions::new();
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let options = options.append(true).create(true).mode(0o600).custom_flags(flags);
        let file = options.open(&path).at("open", &path)?;
        let meta = file.metadata().at("look at", &path)?;
        // Somebody made it anew by hand, and confidential results are about to come in.
        if meta.permissions().mode() & 0o077 != 0 {
            file.set_permissions(Permissions::from_mode(0o600)).at("close to others", &path)?;
        }
        let end = meta.len();
        let (lines, ids) = (Vec::new(), Vec::new());
        Ok(Self { file, path, end, lines, ids, is_new, is_synced: true })
    }

    /// Appends the frame that is being filled.
    fn close_frame(&mut self, number: u32, fresh: &mut Vec<Record>) -> Result<(), FileError> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let packed = pack(&self.lines).at("pack results for", &self.path)?;
        if let Err(error) = self.file.write_all(&packed) {
            // Half a frame in the middle would be worse than none.
            self.file.set_len(self.end).at("cut", &self.path)?;
            return Err(FileError::new("write", &self.path, error));
        }
        let begin = self.end;
        self.end += packed.len() as u64;
        self.is_synced = false;
        self.lines.clear();
        let record = |(id, folder): (TaskId, Folder)| Record::new(&id, number, begin, folder);
        fresh.extend(self.ids.drain(..).map(record));
        Ok(())
    }

    fn sync(&mut self) -> Result<(), FileError> {
        if !std::mem::replace(&mut self.is_synced, true) {
            self.file.sync_all().at("sync", &self.path)?;
        }
        Ok(())
    }
}

fn pack(lines: &[u8]) -> io::Result<Vec<u8>> {
    let mut packer = zstd::bulk::Compressor::new(LEVEL)?;
    packer.include_checksum(true)?;
    packer.compress(lines)
}
