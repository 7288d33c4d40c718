//! Files as a spool needs them: read with suspicion, written so that a crash
//! leaves the old or the new, moved without replacing anything in silence.
//!
//! Every error carries the path and what was being done. Nothing here retries,
//! and nothing here follows a symbolic link that it was not asked to follow.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::clock::{self, Timestamp};
use super::process::Process;

/// What the file system refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} `{}`", crate::base::words::tame(&path.to_string_lossy()))]
pub struct FileError {
    /// The verb: `read`, `write`, `rename`…
    pub doing: &'static str,
    /// The path that it was about.
    pub path: PathBuf,
    /// The system's own words.
    pub source: io::Error,
}

impl FileError {
    /// Ties an error to what was being done, and to what.
    pub fn new(
        doing: &'static str,
        path: impl Into<PathBuf>,
        source: impl Into<io::Error>,
    ) -> Self {
        Self { doing, path: path.into(), source: source.into() }
    }

    /// The kind of the underlying error.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

/// Adds the path to an [`io::Result`].
pub trait At<T> {
    /// Ties an error to what was being done, and to what.
    ///
    /// # Errors
    /// The same, with the path.
    fn at(self, doing: &'static str, path: &Path) -> Result<T, FileError>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, doing: &'static str, path: &Path) -> Result<T, FileError> {
        self.map_err(|error| FileError::new(doing, path, error))
    }
}

/// What stood under a name when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Device and inode: the file's identity while it exists.
    pub identity: (u64, u64),
    /// Size in bytes.
    pub size: u64,
    /// When its content last changed.
    pub modified: Timestamp,
    /// Its owner.
    pub owner: u32,
}

impl From<&fs::Metadata> for Stat {
    fn from(meta: &fs::Metadata) -> Self {
        Self {
            identity: (meta.dev(), meta.ino()),
            size: meta.size(),
            modified: clock::from_file_time(meta.mtime(), meta.mtime_nsec()),
            owner: meta.uid(),
        }
    }
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A symbolic link, a FIFO, a socket, a device or a folder.
    #[error("it is {0}, not a regular file")]
    NotRegular(&'static str),
    /// Larger than the reader allows.
    #[error("it has {} of at most {}", crate::base::words::bytes(*size), crate::base::words::bytes(*max))]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The most that is read.
        max: u64,
    },
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// For files that are read whatever their size: koubou's own.
pub const ANY_SIZE: u64 = u64::MAX - 1;

/// A regular file that was opened without following a link or waiting for a writer.
#[derive(Debug)]
pub struct Regular {
    file: File,
    path: PathBuf,
    /// What it was when opened.
    pub stat: Stat,
}

impl Regular {
    /// Opens `path` for reading if it is a regular file.
    ///
    /// # Errors
    /// [`ReadError::NotRegular`] for anything else, [`ReadError::File`] where the system refuses.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
            Ok(file) => file,
            Err(error) => return Err(why_not_opened(path, error)),
        };
        Self::of(file, path)
    }

    fn of(file: File, path: &Path) -> Result<Self, ReadError> {
        let meta = file.metadata().at("look at", path)?;
        match what_else(&meta) {
            Some(kind) => Err(ReadError::NotRegular(kind)),
            None => Ok(Self { file, path: path.to_owned(), stat: Stat::from(&meta) }),
        }
    }

    /// The file itself, to be read from any place.
    pub fn into_file(self) -> File {
        self.file
    }

    /// Its bytes, if there are no more than `max`.
    ///
    /// # Errors
    /// [`ReadError::TooLarge`], or what the file system says.
    pub fn read(&mut self, max: u64) -> Result<Vec<u8>, ReadError> {
        if self.stat.size > max {
            return Err(ReadError::TooLarge { size: self.stat.size, max });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(self.stat.size).unwrap_or(0));
        // One more than allowed, to see a file that grew since it was opened.
        (&mut self.file).take(max + 1).read_to_end(&mut bytes).at("read", &self.path)?;
        match bytes.len() as u64 {
            size if size > max => Err(ReadError::TooLarge { size, max }),
            _ => Ok(bytes),
        }
    }

    /// Whether somebody has it open for writing; `None` where the system cannot say.
    ///
    /// A read lease is refused while a writer holds the file. It is dropped at
    /// once, so that nobody who opens the file later has to wait for us.
    pub fn is_being_written(&self) -> Option<bool> {
        match set_lease(&self.file, libc::F_RDLCK) {
            Ok(()) => {
                let _ = set_lease(&self.file, libc::F_UNLCK);
                Some(false)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Some(true),
            Err(_) => None,
        }
    }
}

/// What a path that is no regular file is, in words; `None` for a regular file.
fn what_else(meta: &fs::Metadata) -> Option<&'static str> {
    let kind = meta.file_type();
    if kind.is_file() {
        None
    } else if kind.is_symlink() {
        Some("a symbolic link")
    } else if kind.is_dir() {
        Some("a folder")
    } else if kind.is_fifo() {
        Some("a named pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}

fn why_not_opened(path: &Path, error: io::Error) -> ReadError {
    // O_NOFOLLOW answers ELOOP for a link, and open(2) answers ENXIO for a socket.
    match fs::symlink_metadata(path).ok().as_ref().and_then(what_else) {
        Some(kind) => ReadError::NotRegular(kind),
        None => ReadError::File(FileError::new("read", path, error)),
    }
}

#[expect(unsafe_code, reason = "no safe wrapper offers F_SETLEASE")]
fn set_lease(file: &File, lease: libc::c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as `file` is borrowed, and
    // F_SETLEASE takes an integer, so that no memory is shared with the kernel.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, lease) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Reads a regular file of at most `max` bytes.
///
/// # Errors
/// As [`Regular::open`] and [`Regular::read`].
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>, ReadError> {
    Regular::open(path)?.read(max)
}

/// Reads a regular file of at most `max` bytes that its owner may have linked from elsewhere, as
/// people do with their settings.
///
/// # Errors
/// As [`read`]; a pipe or a device is refused, and not waited for.
pub fn read_linked(path: &Path, max: u64) -> Result<Vec<u8>, ReadError> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(flags).open(path).at("read", path)?;
    Regular::of(file, path)?.read(max)
}

/// Reads a regular file of at most `max` bytes that lies below `root`, wherever links in its path lead.
///
/// # Errors
/// As [`read`]; a path that leaves `root`, by `..` or by a link, is refused by the kernel.
pub fn read_beneath(root: &Path, below: &Path, max: u64) -> Result<Vec<u8>, ReadError> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
    let path = root.join(below);
    let dir = File::open(root).at("open", root)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let file: File = openat2(&dir, below, flags, Mode::empty(), resolve).at("open", &path)?.into();
    Regular::of(file, &path)?.read(max)
}

/// Opens a folder that lies below `root`, or `root` itself, wherever links in its path lead.
///
/// # Errors
/// What the file system says; a path that leaves `root` is refused by the kernel.
pub fn open_folder_beneath(root: &Path, below: &Path) -> Result<File, FileError> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
    let path = root.join(below);
    let dir = File::open(root).at("open", root)?;
    let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let folder = openat2(&dir, below, flags, Mode::empty(), resolve).at("open", &path)?;
    Ok(folder.into())
}

/// Writes a new file, all of it, and syncs it. Fails where the name is taken.
///
/// # Errors
/// What the file system says; a half-written file is removed again.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .at("create", path)?;
    let written = file
        .set_permissions(fs::Permissions::from_mode(mode))
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .at("write", path);
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Writes `bytes` aside in `aside`, syncs them, and puts them at `path`, replacing what is there.
///
/// # Errors
/// What the file system says; the old content stands where it fails before the rename.
pub fn replace(aside: &Path, path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let half = aside.join(half_made(path));
    let _ = fs::remove_file(&half);
    write_new(&half, bytes, mode)?;
    let moved = rename_over(&half, path);
    if moved.is_err() {
        let _ = fs::remove_file(&half);
    }
    moved?;
    sync_dir(parent(path))
}

/// Beginning of every name that koubou makes in `tmp`, and the mark by which it removes only its own.
pub const HALF_MADE: &str = ".koubou-";

/// A name for the half-made form of `path`: hidden, koubou's own, and unique to this process and
/// call. It says who makes it, so that it can be cleared away once that one is dead.
pub fn half_made(path: &Path) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let stem = path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let mut end = stem.len().min(100);
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{HALF_MADE}{}-{serial}-{}", Process::me(), &stem[..end])
}

/// Whether nobody works any more on what has this name, one that [`half_made`] gave to it.
///
/// What says no maker is over, too: only koubou gives such names.
pub fn is_left_over(name: &str) -> bool {
    let maker = name.strip_prefix(HALF_MADE).and_then(|rest| rest.split('-').next());
    let maker = maker.and_then(|maker| maker.parse::<Process>().ok());
    maker.is_none_or(|maker| !maker.is_alive())
}

/// Renames, replacing what is at `to`.
///
/// # Errors
/// What the file system says.
#[expect(clippy::disallowed_methods, reason = "this is the one place that may replace")]
pub fn rename_over(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).at("rename", from)
}

/// Renames, and answers `AlreadyExists` where `to` is taken: of two who rename to one name, one wins.
///
/// # Errors
/// What the file system says.
pub fn rename_new(from: &Path, to: &Path) -> Result<(), FileError> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let renamed = match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems do not know the flag; a hard link refuses a taken name as well.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => return link_new(from, to),
        renamed => renamed.map_err(io::Error::from),
    };
    match renamed {
        Err(error) if is_half_renamed(&error, from, to) => remove(from),
        renamed => renamed.at("rename", from),
    }
}

/// The same in two steps. Whoever is cut short between them leaves one file under both names,
/// and whoever renames it next finishes the rename.
fn link_new(from: &Path, to: &Path) -> Result<(), FileError> {
    match fs::hard_link(from, to) {
        Err(error) if !is_half_renamed(&error, from, to) => {
            Err(FileError::new("rename", from, error))
        }
        _ => remove(from),
    }
}

/// Whether `to` is taken by the very file that is to be renamed.
fn is_half_renamed(error: &io::Error, from: &Path, to: &Path) -> bool {
    let identity = |path: &Path| {
        fs::symlink_metadata(path)
            .ok()
            .filter(|meta| !meta.is_dir())
            .map(|meta| (meta.dev(), meta.ino()))
    };
    error.kind() == io::ErrorKind::AlreadyExists
        && identity(from).is_some_and(|from| identity(to) == Some(from))
}

/// Removes a file; that it is gone already is no error.
///
/// # Errors
/// What the file system says.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::new("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Removes a folder with all that is in it, following no link.
///
/// # Errors
/// What the file system says, but for "not found".
pub fn remove_folder(path: &Path) -> Result<(), FileError> {
    // An empty one goes without a descriptor, of which there may be none left. Some programs
    // leave folders that nobody may write to.
    let removed = fs::remove_dir(path).or_else(|_| fs::remove_dir_all(path)).or_else(|_| {
        make_writable(path, 0);
        fs::remove_dir_all(path)
    });
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::new("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Gives the owner all rights on a folder and the folders in it.
fn make_writable(folder: &Path, depth: u32) {
    if depth > 100 || !fs::symlink_metadata(folder).is_ok_and(|meta| meta.is_dir()) {
        return;
    }
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        make_writable(&entry.path(), depth + 1);
    }
}

/// Makes the names in a folder durable.
///
/// # Errors
/// What the file system says.
pub fn sync_dir(path: &Path) -> Result<(), FileError> {
    File::open(path).and_then(|dir| dir.sync_all()).at("sync", path)
}

/// How many bytes may still be written to the file system that holds `path`.
///
/// # Errors
/// What the file system says.
pub fn free_bytes(path: &Path) -> Result<u64, FileError> {
    let told = rustix::fs::statvfs(path).map_err(io::Error::from).at("look at", path)?;
    Ok(told.f_bavail.saturating_mul(told.f_frsize))
}

/// How many more files may be made on the file system that holds `path`; `None` where it does not count them.
///
/// # Errors
/// What the file system says.
pub fn free_inodes(path: &Path) -> Result<Option<u64>, FileError> {
    let told = rustix::fs::statvfs(path).map_err(io::Error::from).at("look at", path)?;
    Ok((told.f_files > 0).then_some(told.f_favail))
}

/// The folder that holds `path`.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether something has this name, a broken link included.
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// A fingerprint of bytes, to see whether they changed. It lives and dies with this process.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    use std::sync::OnceLock;
    static KEYS: OnceLock<RandomState> = OnceLock::new();
    KEYS.get_or_init(RandomState::new).hash_one(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_rename_never_replaces_in_silence() {
        let dir = folder();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&a, "a").unwrap();
        fs::write(&b, "b").unwrap();
        assert_eq!(rename_new(&a, &b).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&b).unwrap(), b"b");
        fs::remove_file(&b).unwrap();
        rename_new(&a, &b).unwrap();
        assert_eq!(rename_new(&a, &b).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_rename_that_was_cut_short_in_its_middle_is_finished() {
        let dir = folder();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        for rename in [rename_new, link_new] {
            fs::write(&a, "a").unwrap();
            fs::hard_link(&a, &b).unwrap();
            rename(&a, &b).unwrap();
            assert!(!a.exists());
            assert_eq!(fs::read(&b).unwrap(), b"a");
            fs::write(&a, "other").unwrap();
            assert_eq!(rename(&a, &b).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            fs::remove_file(&b).unwrap();
        }
    }

    #[test]
    fn only_regular_files_are_read() {
        let dir = folder();
        let target = dir.path().join("target");
        fs::write(&target, "secret").unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let pipe = dir.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
        for (path, kind) in [(&link, "a symbolic link"), (&pipe, "a named pipe")] {
            assert!(matches!(read(path, 99), Err(ReadError::NotRegular(k)) if k == kind));
        }
        assert!(matches!(read(dir.path(), 99), Err(ReadError::NotRegular("a folder"))));
        assert!(matches!(read(&target, 3), Err(ReadError::TooLarge { size: 6, max: 3 })));
        assert_eq!(read(&target, 6).unwrap(), b"secret");
    }

    #[test]
    fn nothing_outside_its_root_is_read() {
        let dir = folder();
        let root = dir.path().join("root");
        fs::create_dir(&root).unwrap();
        fs::write(dir.path().join("outside"), "secret").unwrap();
        fs::write(root.join("inside"), "fine").unwrap();
        std::os::unix::fs::symlink("../outside", root.join("out")).unwrap();
        std::os::unix::fs::symlink("inside", root.join("in")).unwrap();
        assert_eq!(read_beneath(&root, Path::new("inside"), 99).unwrap(), b"fine");
        assert_eq!(read_beneath(&root, Path::new("in"), 99).unwrap(), b"fine");
        for bad in ["out", "../outside", "../root/../outside"] {
            assert!(read_beneath(&root, Path::new(bad), 99).is_err(), "{bad}");
        }
        fs::create_dir(root.join("folder")).unwrap();
        std::os::unix::fs::symlink("..", root.join("up")).unwrap();
        for good in ["", "folder", "./folder"] {
            open_folder_beneath(&root, Path::new(good)).unwrap();
        }
        for bad in ["up", "..", "folder/../..", "inside", "nowhere"] {
            assert!(open_folder_beneath(&root, Path::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_lease_tells_whether_somebody_still_writes() {
        let dir = folder();
        let path = dir.path().join("slow");
        let writer = File::create(&path).unwrap();
        let Some(busy) = Regular::open(&path).unwrap().is_being_written() else {
            return; // This file system has no leases; the grace period serves instead.
        };
        assert!(busy);
        drop(writer);
        assert_eq!(Regular::open(&path).unwrap().is_being_written(), Some(false));
    }

    #[test]
    fn a_replaced_file_has_the_new_bytes_and_mode() {
        let dir = folder();
        let path = dir.path().join("x.json");
        replace(dir.path(), &path, b"one", 0o644).unwrap();
        replace(dir.path(), &path, b"two", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing half-made is left");
    }

    #[test]
    fn a_half_made_name_fits_and_is_hidden() {
        let name = half_made(Path::new(&format!("{}.json", "工".repeat(83))));
        assert!(name.starts_with(HALF_MADE) && name.len() < 200);
    }
}
