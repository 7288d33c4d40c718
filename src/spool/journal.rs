//! The daemon's own memory: one JSON line for each attempt, cost, retry time and limit.
//!
//! Lines are appended and never edited. [`Journal::sync`] makes everything that
//! was appended before it durable, and many who ask at once share one sync. After
//! a sync that failed, nothing is known of the bytes that it was to save: they are
//! written anew before the next one. A torn last line, left by a crash in the
//! middle of a write, is cut off at opening.
//!
//! Months that are long over may lie there packed ([`pack`]). Whoever reads them reads the same lines
//! at the same bytes.

mod packed;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fs2::FileExt;
pub use packed::{Packed, length, old_months, pack, sweep};

use crate::base::clock::Timestamp;
use crate::base::files::{self, At, FileError, ReadError, Regular};
use crate::base::group::GroupSync;
use crate::base::threads::in_parts;
use crate::task::journal::{Line, LineKind};
use crate::task::outline::Outliner;

/// The journal of a home, open for appending.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    open: Mutex<Option<Month>>,
    group: GroupSync,
}

#[derive(Debug)]
struct Month {
    name: String,
    file: Arc<File>,
    /// How long the file is for certain.
    durable: u64,
    /// What was appended since, to be written anew after a sync that failed.
    since: Vec<u8>,
    is_suspect: bool,
}

/// So much may wait for a sync; beyond it, appending syncs by itself.
const MOST_UNSYNCED: usize = 1 << 20;
/// So many bytes of it are read at once.
const MOST_READ_AT_ONCE: usize = 128 << 10;
/// So many bytes of lines are held while a start follows them; and so few lines are sooner understood
/// than a thread is begun.
const MOST_HELD: usize = 1 << 20;
const FEW: usize = 500;

impl Journal {
    /// Opens the journal, cutting off a torn last line.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(dir: PathBuf) -> Result<Self, FileError> {
        for path in months(&dir)?.into_iter().map(|name| dir.join(name)) {
            match cut_torn_line(&path) {
                // It is packed, and was whole then.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                cut => cut?,
            }
        }
        Ok(Self { dir, open: Mutex::new(None), group: GroupSync::default() })
    }

    /// Appends lines, all or none of them as far as a reader can see.
    ///
    /// # Errors
    /// What the file system says.
    pub fn append<'a>(&self, lines: impl IntoIterator<Item = &'a Line>) -> Result<(), FileError> {
        let mut lines = lines.into_iter().peekable();
        let Some(first) = lines.peek() else { return Ok(()) };
        let name = month_of(first.at);
        let bytes: Vec<u8> = lines.flat_map(Line::to_bytes).collect();
        let mut open = self.lock();
        let month = self.month(&mut open, &name)?;
        let path = self.dir.join(&month.name);
        month.write_anew_if_suspect(&path)?;
        let before = month.durable + month.since.len() as u64;
        if let Err(error) = (&*month.file).write_all(&bytes) {
            // Half a line in the middle would be worse than none.
            month.file.set_len(before).at("cut", &path)?;
            return Err(FileError::new("write", &path, error));
        }
        month.since.extend(bytes);
        let is_much = month.since.len() > MOST_UNSYNCED;
        drop(open);
        if is_much { self.sync() } else { Ok(()) }
    }

    /// Makes every line appended so far durable.
    ///
    /// # Errors
    /// What the file system says.
    pub fn sync(&self) -> Result<(), FileError> {
        self.group
            .sync(|| self.sync_now())
            .map_err(|error| FileError::new("sync", &self.dir, error))
    }

    fn sync_now(&self) -> io::Result<()> {
        let (file, upto) = {
            let mut open = self.lock();
            let Some(month) = open.as_mut() else { return Ok(()) };
            month
                .write_anew_if_suspect(&self.dir.join(&month.name))
                .map_err(|error| error.source)?;
            (Arc::clone(&month.file), month.since.len())
        };
        // Others append meanwhile; their lines are the next sync's.
        let synced = file.sync_data();
        if let Some(month) = self.lock().as_mut().filter(|month| Arc::ptr_eq(&month.file, &file)) {
            match synced {
                Ok(()) => {
                    month.since.drain(..upto);
                    month.durable += upto as u64;
                }
                Err(_) => month.is_suspect = true,
            }
        }
        synced
    }

    fn month<'a>(
        &self,
        open: &'a mut Option<Month>,
        name: &str,
    ) -> Result<&'a mut Month, FileError> {
        if let Some(month) = open.as_ref()
            && !month.is_at(&self.dir.join(&month.name))
        {
            match std::fs::create_dir(&self.dir) {
                // The whole home was moved away: what is open went with it, and is the journal still.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(FileError::new("create", &self.dir, error));
                }
                _ => {
                    log::error!(
                        "the journal was taken away: what was spent until now is known to this daemon alone, until it ends"
                    );
                    *open = None;
                }
            }
        }
        if open.as_ref().is_none_or(|month| month.name != name) {
            if let Some(before) = open.as_mut() {
                let path = self.dir.join(&before.name);
                before.write_anew_if_suspect(&path)?;
                before
                    .file
                    .sync_all()
                    .at("sync", &path)
                    .inspect_err(|_| before.is_suspect = true)?;
            }
            let path = self.dir.join(name);
            packed::unpack(&path)?;
            let file = open_to_append(&path)?;
            files::sync_dir(&self.dir)?;
            let durable = file.metadata().at("look at", &path)?.len();
            let since = if durable == 0 { self.standing_limits(name)? } else { Vec::new() };
            if let Err(error) = (&file).write_all(&since) {
                file.set_len(0).at("cut", &path)?;
                return Err(FileError::new("write", &path, error));
            }
            *open = Some(Month {
                name: name.to_owned(),
                file: Arc::new(file),
                durable,
                since,
                is_suspect: false,
            });
        }
        open.as_mut().ok_or_else(|| FileError::new("open", &self.dir, io::ErrorKind::NotFound))
    }

    /// The limits that a new month takes over: a start reads no more than two months back.
    fn standing_limits(&self, name: &str) -> Result<Vec<u8>, FileError> {
        let earlier = months(&self.dir)?.into_iter().rfind(|month| month.as_str() < name);
        let Some(earlier) = earlier else { return Ok(Vec::new()) };
        let chapter = read_if(&self.dir.join(earlier), 0, |bytes| {
            const EVENT: &[u8] = b"\"limits\"";
            bytes.windows(EVENT.len()).any(|window| window == EVENT)
        })?;
        let set = || chapter.lines.iter().filter(|line| line.event == LineKind::Limits);
        let Some(at) = set().map(|line| line.at).max() else { return Ok(Vec::new()) };
        let limits = set().flat_map(Line::limits).collect();
        Ok(Line::of_limits(&limits, at).iter().flat_map(Line::to_bytes).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Month>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Month {
    /// Whether what is open is still what lies under its name.
    fn is_at(&self, path: &Path) -> bool {
        let identity = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
        match std::fs::symlink_metadata(path).map(identity) {
            Ok(named) => self.file.metadata().map(identity).is_ok_and(|open| open == named),
            // What cannot be looked at for now has not been taken away.
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    /// After a sync that failed the kernel may have dropped what it could not write, and would
    /// say that all is well the next time: the lines are written again, through a new opening.
    fn write_anew_if_suspect(&mut self, path: &Path) -> Result<(), FileError> {
        if !self.is_suspect {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        let file =
            options.append(true).custom_flags(libc::O_NOFOLLOW).open(path).at("open", path)?;
        hold(&file, path)?;
        file.set_len(self.durable).at("cut", path)?;
        (&file).write_all(&self.since).at("write", path)?;
        self.file = Arc::new(file);
        self.is_suspect = false;
        Ok(())
    }
}

fn open_to_append(path: &Path) -> Result<File, FileError> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .at("open", path)?;
    hold(&file, path)?;
    Ok(file)
}

/// Says that a month is written, so that it is not packed. A file system without locks packs none.
fn hold(file: &File, path: &Path) -> Result<(), FileError> {
    match FileExt::try_lock_shared(file) {
        // It is being packed, and what is written to it now would go with it.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(FileError::new("lock", path, error))
        }
        _ => Ok(()),
    }
}

/// The name of the file that holds a moment: `2026-11.jsonl`, in UTC.
pub fn month_of(at: Timestamp) -> String {
    at.strftime("%Y-%m.jsonl").to_string()
}

/// The journal's months by the names of their files, the oldest first; of one that is packed by the
/// name that it had.
///
/// # Errors
/// Where the folder cannot be listed.
pub fn months(dir: &Path) -> Result<Vec<String>, FileError> {
    let mut names: Vec<String> = super::list(dir)?
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .map(|name| name.strip_suffix(packed::ENDING).map(str::to_owned).unwrap_or(name))
        .filter(|name| name.ends_with(".jsonl") && !name.starts_with('.'))
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// What reading a file of the journal gave.
#[derive(Debug, Default)]
pub struct Chapter {
    /// Its lines, the oldest first.
    pub lines: Vec<Line>,
    /// How many lines could not be read.
    pub unreadable: u64,
    /// The byte after the last whole line.
    pub end: u64,
}

/// A file of the journal; a pipe that lies in its place is not waited for.
fn open_month(path: &Path) -> Result<File, FileError> {
    Regular::open(path).map(Regular::into_file).map_err(|error| match error {
        ReadError::File(error) => error,
        other => FileError::new("read", path, io::Error::other(other)),
    })
}

/// Reads a file of the journal from a byte on. A line that cannot be read is counted and passed over.
///
/// # Errors
/// What the file system says.
pub fn read(path: &Path, from: u64) -> Result<Chapter, FileError> {
    read_if(path, from, |_| true)
}

/// The text of a month from a byte on, be it packed or not.
fn text_from(path: &Path, from: u64) -> Result<Box<dyn BufRead>, FileError> {
    match open_month(path) {
        Ok(mut file) => {
            file.seek(SeekFrom::Start(from)).at("read", path)?;
            Ok(Box::new(BufReader::with_capacity(MOST_READ_AT_ONCE, file)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut text = packed::unpacker(&packed::beside(path)).map_err(|packed| {
                // Who asks for a month that is not there is not told of another name.
                if packed.kind() == io::ErrorKind::NotFound { error } else { packed }
            })?;
            io::copy(&mut (&mut text).take(from), &mut io::sink()).at("read", path)?;
            Ok(Box::new(BufReader::new(text)))
        }
        Err(error) => Err(error),
    }
}

/// The same of the lines whose bytes are wanted.
fn read_if(
    path: &Path,
    from: u64,
    mut is_wanted: impl FnMut(&[u8]) -> bool,
) -> Result<Chapter, FileError> {
    let mut gathered = Chapter::default();
    gathered.end = each_line(path, from, &mut |bytes| {
        if !is_wanted(bytes) {
            return;
        }
        match serde_json::from_slice(bytes) {
            Ok(line) => gathered.lines.push(line),
            Err(_) => gathered.unreadable += 1,
        }
    })?;
    Ok(gathered)
}

/// Tells each whole line of a month from a byte on, with its line feed; says where the last one ends.
fn each_line(path: &Path, from: u64, tell: &mut dyn FnMut(&[u8])) -> Result<u64, FileError> {
    let mut text = text_from(path, from)?;
    let (mut end, mut torn) = (from, Vec::new());
    loop {
        let block = match text.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            block => block.at("read", path)?,
        };
        if block.is_empty() {
            return Ok(end);
        }
        let mut rest = block;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(at + 1);
            end += (torn.len() + line.len()) as u64;
            match torn.is_empty() {
                // Most lie in a block as a whole, and are not copied.
                true => tell(line),
                false => {
                    torn.extend_from_slice(line);
                    tell(&torn);
                    torn.clear();
                }
            }
            rest = behind;
        }
        torn.extend_from_slice(rest);
        let size = block.len();
        text.consume(size);
    }
}

fn cut_torn_line(path: &Path) -> Result<(), FileError> {
    let mut file = OpenOptions::new().read(true).write(true).open(path).at("open", path)?;
    let size = file.metadata().at("look at", path)?.len();
    let whole = end_of_last_line(&mut file, size).at("read", path)?;
    if whole < size {
        file.set_len(whole).at("cut", path)?;
        file.sync_all().at("sync", path)?;
    }
    Ok(())
}

/// The byte after the last line feed, found from the end so that a long file costs no more.
fn end_of_last_line(file: &mut File, size: u64) -> io::Result<u64> {
    const BLOCK: u64 = 4096;
    let mut end = size;
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        let mut block = Vec::new();
        (&mut *file).take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Tells every line that a start must know, the oldest first, and says how many could not be read:
/// those of this month's file and of the one before.
///
/// A month of the configured zone may begin or end a day beside UTC's. There may be a million lines:
/// few of them are held at once, and those are read by all processors.
///
/// # Errors
/// What the file system says.
pub fn recent(dir: &Path, mut tell: impl FnMut(Line)) -> Result<u64, FileError> {
    let (mut unreadable, mut block) = (0, Block::default());
    each_recent(dir, |line| {
        block.add(line);
        if block.text.len() >= MOST_HELD {
            unreadable += block.tell(&mut tell);
        }
    })?;
    Ok(unreadable + block.tell(&mut tell))
}

/// Lines that are read together.
#[derive(Default)]
struct Block {
    text: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Block {
    fn add(&mut self, line: &[u8]) {
        self.text.extend_from_slice(line);
        self.ends.push(self.text.len());
    }

    /// Tells all of them, and keeps none; says how many could not be read.
    fn tell(&mut self, tell: &mut impl FnMut(Line)) -> u64 {
        let Self { text, ends } = &*self;
        let line = |n: usize| {
            let from = n.checked_sub(1).map_or(0, |before| ends[before]);
            serde_json::from_slice::<Line>(&text[from..ends[n]]).ok()
        };
        let parts = in_parts(ends.len(), FEW, |part| part.map(line).collect::<Vec<_>>());
        let mut unreadable = 0;
        for line in parts.into_iter().flatten() {
            match line {
                Some(line) => tell(line),
                None => unreadable += 1,
            }
        }
        self.text.clear();
        self.ends.clear();
        unreadable
    }
}

/// Tells the bytes of each line of the same two months, with its line feed, the oldest first.
///
/// # Errors
/// What the file system says.
pub fn each_recent(dir: &Path, mut tell: impl FnMut(&[u8])) -> Result<(), FileError> {
    newest(dir)?.iter().try_for_each(|path| each_line(path, 0, &mut tell).map(drop))
}

/// The months that a start reads, the oldest first.
fn newest(dir: &Path) -> Result<Vec<PathBuf>, FileError> {
    let names = months(dir)?;
    let newest = &names[names.len().saturating_sub(2)..];
    Ok(newest.iter().map(|name| dir.join(name)).collect())
}

/// Whether the lines of a journal can be read.
#[derive(Debug, Default)]
pub struct Soundness {
    /// How many cannot, and count for nothing.
    pub unreadable: u64,
    /// The first of them: the file, and which of its lines.
    pub first_unreadable: Option<(PathBuf, u64)>,
    /// When the last one was written, to the second.
    pub last: Option<Timestamp>,
}

/// Looks through everything that a start reads.
///
/// # Errors
/// What the file system says.
pub fn look_through(dir: &Path) -> Result<Soundness, FileError> {
    let (mut found, mut outliner) = (Soundness::default(), Outliner::default());
    for path in newest(dir)? {
        let mut line = 0;
        each_line(&path, 0, &mut |bytes| {
            line += 1;
            let at = match outliner.read(bytes) {
                Some(seen) => Some(seen.at),
                None => serde_json::from_slice::<Line>(bytes).ok().map(|line| line.at),
            };
            if at.is_none() {
                found.unreadable += 1;
                found.first_unreadable.get_or_insert_with(|| (path.clone(), line));
            }
            found.last = found.last.max(at);
        })?;
    }
    Ok(found)
}

/// Reads what is written behind somebody's back, line by line.
#[derive(Debug)]
pub struct Follower {
    dir: PathBuf,
    /// The file that was read last, and how far.
    at: Option<(String, u64)>,
}

impl Follower {
    /// From the end of what there is now.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn at_end(dir: PathBuf) -> Result<Self, FileError> {
        let last = months(&dir)?.pop();
        let at = last.map(|name| {
            let size = length(&dir.join(&name));
            (name, size)
        });
        Ok(Self { dir, at })
    }

    /// From the beginning of all that a start must know: this month's file and the one before.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn of_recent(dir: PathBuf) -> Result<Self, FileError> {
        let at = months(&dir)?.into_iter().rev().nth(1).map(|name| (name, 0));
        Ok(Self { dir, at })
    }

    /// The lines that came since, the oldest first.
    ///
    /// # Errors
    /// What the file system says.
    pub fn next_lines(&mut self) -> Result<Vec<Line>, FileError> {
        let mut lines = Vec::new();
        for name in months(&self.dir)? {
            let from = match &self.at {
                Some((known, _)) if name < *known => continue,
                Some((known, offset)) if name == *known => *offset,
                _ => 0,
            };
            let chapter = read(&self.dir.join(&name), from)?;
            lines.extend(chapter.lines);
            self.at = Some((name, chapter.end));
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::journal::Replay;
    use crate::task::limit::{Scope, Window};
    use crate::task::{Limit, Usd, WorkerType};
    use std::collections::BTreeMap;
    use std::fs;

    fn line(at: &str) -> Line {
        Line::new(LineKind::Filed, at.parse().unwrap())
    }

    /// What a start is told, all of which can be read.
    fn lines(dir: &Path) -> Vec<Line> {
        let mut lines = Vec::new();
        assert_eq!(recent(dir, |line| lines.push(line)).unwrap(), 0);
        lines
    }

    #[test]
    fn a_start_is_told_all_lines_in_their_order_however_many_there_are() {
        let dir = tempfile::tempdir().unwrap();
        let task = |n: usize| format!("task-{n}").parse().unwrap();
        let mut text = Vec::new();
        let mut wanted = 0;
        while text.len() < 3 * MOST_HELD {
            text.extend(line("2026-11-01T00:00:01Z").of(&task(wanted)).to_bytes());
            wanted += 1;
            if wanted % 5_000 == 0 {
                text.extend_from_slice(b"no line\n");
            }
        }
        fs::write(dir.path().join("2026-11.jsonl"), &text).unwrap();
        let mut told = 0;
        let unreadable = recent(dir.path(), |line| {
            assert_eq!(line.task, Some(task(told)));
            told += 1;
        });
        assert_eq!((unreadable.unwrap(), told), (wanted as u64 / 5_000, wanted));
    }

    #[test]
    fn a_new_month_takes_over_the_limits_that_were_set() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path().to_owned()).unwrap();
        let limits = |at: &str, daily, monthly| Line {
            daily_usd: daily,
            monthly_usd: monthly,
            ..Line::new(LineKind::Limits, at.parse().unwrap())
        };
        let (three, nine) = (Some(Usd::dollars(3)), Some(Usd::dollars(9)));
        journal.append(&[limits("2026-01-01T00:00:00Z", three, None)]).unwrap();
        journal.append(&[limits("2026-01-02T00:00:00Z", None, nine)]).unwrap();
        for month in 2..=5 {
            journal.append(&[line(&format!("2026-0{month}-03T00:00:00Z"))]).unwrap();
        }
        let recent = lines(dir.path());
        let kept = recent.iter().filter(|line| line.event == LineKind::Limits);
        let kept: Vec<_> = kept.map(|line| (line.daily_usd, line.monthly_usd)).collect();
        assert_eq!(kept, [(three, nine); 2], "one for each of the two months that are read");
    }

    #[test]
    fn a_new_month_takes_over_the_limits_of_single_workers_and_types() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path().to_owned()).unwrap();
        let at = |text: &str| text.parse().unwrap();
        let limit = |scope, window, dollars| (Limit { scope, window }, Usd::dollars(dollars));
        let worker = || Scope::Worker(WorkerType::new("cloud"));
        let first = [
            limit(Scope::Total, Window::Day, 5),
            limit(worker(), Window::Day, 3),
            limit(Scope::TaskType("report".into()), Window::Month, 2),
        ];
        let second = [limit(worker(), Window::Day, 4), limit(worker(), Window::Month, 40)];
        for (limits, at) in [
            (first.to_vec(), at("2026-01-01T00:00:00Z")),
            (second.to_vec(), at("2026-01-02T00:00:00Z")),
        ] {
            let limits = limits.into_iter().collect();
            journal.append(&Line::of_limits(&limits, at)).unwrap();
        }
        for month in 2..=5 {
            journal.append(&[line(&format!("2026-0{month}-03T00:00:00Z"))]).unwrap();
        }
        let mut replay = Replay::default();
        recent(dir.path(), |line| replay.follow(line)).unwrap();
        let expected: BTreeMap<Limit, Usd> = first.into_iter().chain(second).collect();
        assert_eq!(replay.limits, expected);
    }

    #[test]
    fn lines_are_read_as_they_were_written_month_by_month() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path().to_owned()).unwrap();
        let (october, november) = (line("2026-10-31T23:59:59Z"), line("2026-11-01T00:00:00Z"));
        journal.append([&october]).unwrap();
        journal.append([&november, &november]).unwrap();
        journal.sync().unwrap();
        assert_eq!(months(dir.path()).unwrap(), ["2026-10.jsonl", "2026-11.jsonl"]);
        assert_eq!(lines(dir.path()), [october, november.clone(), november]);
    }

    #[test]
    fn after_a_failed_sync_the_lines_are_written_anew() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path().to_owned()).unwrap();
        let lines =
            ["2026-11-01T00:00:00Z", "2026-11-01T00:00:01Z", "2026-11-01T00:00:02Z"].map(line);
        journal.append([&lines[0]]).unwrap();
        journal.sync().unwrap();
        journal.append([&lines[1]]).unwrap();
        // What a failed sync leaves: nobody knows what the disk holds of the second line.
        journal.lock().as_mut().unwrap().is_suspect = true;
        let path = dir.path().join("2026-11.jsonl");
        let durable = lines[0].to_bytes().len() as u64;
        OpenOptions::new().write(true).open(&path).unwrap().set_len(durable).unwrap();
        journal.append([&lines[2]]).unwrap();
        journal.sync().unwrap();
        assert_eq!(read(&path, 0).unwrap().lines, lines);
    }

    #[test]
    fn a_journal_that_was_taken_away_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("journal");
        fs::create_dir(&folder).unwrap();
        let journal = Journal::open(folder.clone()).unwrap();
        journal.append([&line("2026-11-01T00:00:00Z")]).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        journal.append([&line("2026-11-01T00:00:01Z")]).unwrap();
        assert_eq!(lines(&folder), [line("2026-11-01T00:00:01Z")]);
    }

    #[test]
    fn a_torn_last_line_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("2026-11.jsonl");
        let whole = line("2026-11-01T00:00:00Z").to_bytes();
        for torn in ["{\"at\":\"20", &"x".repeat(10_000)] {
            let mut bytes = whole.clone();
            bytes.extend(torn.as_bytes());
            fs::write(&path, &bytes).unwrap();
            Journal::open(dir.path().to_owned()).unwrap();
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
        fs::write(&path, "torn").unwrap();
        Journal::open(dir.path().to_owned()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("2026-11.jsonl");
        let mut bytes = b"nonsense\n".to_vec();
        bytes.extend(line("2026-11-01T00:00:00Z").to_bytes());
        fs::write(&path, bytes).unwrap();
        let gathered = read(&path, 0).unwrap();
        assert_eq!((gathered.lines.len(), gathered.unreadable), (1, 1));
        let found = look_through(dir.path()).unwrap();
        assert_eq!((found.unreadable, found.last), (1, Some(gathered.lines[0].at)));
    }

    #[test]
    fn lines_of_any_length_are_told_whole_and_a_torn_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("2026-11.jsonl");
        let lengths =
            [1, MOST_READ_AT_ONCE - 1, 3, 2 * MOST_READ_AT_ONCE + 7, MOST_READ_AT_ONCE, 2];
        let line = |length: &usize| [vec![b'x'; length - 1], b"\n".to_vec()].concat();
        let lines: Vec<Vec<u8>> = lengths.iter().map(line).collect();
        fs::write(&path, [lines.concat(), b"torn".to_vec()].concat()).unwrap();
        let mut told = Vec::new();
        each_recent(dir.path(), |line| told.push(line.to_owned())).unwrap();
        assert!(told == lines);
        let end = each_line(&path, 1, &mut |_| ()).unwrap();
        assert_eq!(end, lengths.iter().sum::<usize>() as u64);
    }
}
