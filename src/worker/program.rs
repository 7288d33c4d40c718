//! A program that runs for a worker: found, started, and watched to its end.
//!
//! A program is started as words and never by a shell, in a process group of its
//! own, with a bare few variables. One loop waits for output, for the end, for the
//! time-out and for the leash, all at once. Output beyond the bounds is read and
//! thrown away; who asks for its lines hears each as it comes. When the program has
//! exited, what it wrote is taken and nobody waits for a grandchild that still holds
//! its output.
//!
//! It never judges what a program did, and never waits for a pipe to be read.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::{Leash, Tell, cancelled, cut_at};
use crate::base::files::{self, At, FileError};
use crate::base::{process, words};
use crate::task::outcome::{ErrorKind, Failure, Next, Outcome, Trouble};

/// What a program sees of the daemon's own environment.
const INHERITED: [&str; 7] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER"];
/// Where programs are looked for when nobody says.
pub(super) const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// How long a program has between being asked to end and being ended.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// How much of the beginning, and of the end, of standard error is kept.
const STDERR_HALF: usize = 32 << 10;
/// The most that a pipe can hold: what is read of it after the program has exited.
const FULL_PIPE: usize = 1 << 20;

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotStarted {
    /// The config's fault, or the machine's: the same would happen again.
    #[error("the program `{program}` cannot be started: {why}")]
    Program {
        /// What people call it.
        program: String,
        /// The reason.
        why: String,
    },
    /// Our own trouble: a full disk, too many open files.
    #[error(transparent)]
    Room(#[from] FileError),
}

impl From<NotStarted> for Outcome {
    fn from(error: NotStarted) -> Self {
        match error {
            NotStarted::Program { .. } => {
                Failure::new("not_started", ErrorKind::CommandFailed, error.to_string()).into()
            }
            // A full disk is nobody's attempt: the task waits until there is room.
            NotStarted::Room(error) => {
                let message = format!("{error}: {}", error.source);
                let mut failure = Failure::new("not_started", ErrorKind::CommandFailed, message)
                    .of_worker(Trouble::Unreachable);
                failure.next = Next::NotAnAttempt;
                failure.into()
            }
        }
    }
}

/// A program that is to be run once.
pub(super) struct Program<'a> {
    /// What people call it, fit to be shown.
    pub name: String,
    /// How it is started; its outputs and its group are set when it runs.
    pub command: Command,
    /// The most of its standard output that is kept, in bytes.
    pub keep: u64,
    /// Hears each line of its standard output as it comes.
    pub ear: Option<&'a mut Ear<'a>>,
    /// Who is told of each line of both its outputs as it comes, where somebody is.
    pub live: Option<&'a Tell>,
    /// The mark of the attempt in its environment, where nothing that it started may outlive it:
    /// the commands of an agent run in groups of their own.
    pub mark: Option<&'a str>,
}

/// Hears a line without its end, and says whether the program may go on.
pub(super) type Ear<'a> = dyn FnMut(&[u8]) -> bool + 'a;

/// The variable with the mark of an attempt: by it recovery knows what a dead daemon left.
pub(super) const MARK: &str = "KOUBOU_ATTEMPT";

/// The longest line that is heard; of a longer one nothing is.
const LONGEST_LINE: usize = 64 << 20;
/// So much of a line is told.
const LONGEST_TOLD: usize = 1 << 10;
/// How long a program runs before what it writes is told, and so many lines are kept until then.
const QUIET: Duration = Duration::from_secs(1);
const MOST_HELD: usize = 1_000;

/// A program that has ended, and what it wrote.
pub(super) struct Ran {
    /// What people call it.
    pub name: String,
    /// How it exited, where that is known.
    pub status: Option<ExitStatus>,
    /// What brought its end.
    pub end: End,
    /// How long it could have taken.
    timeout: Duration,
    stdout: Capture,
    stderr: Capture,
}

impl Program<'_> {
    /// Runs it to its end: until it exits, its time is over, the leash is pulled or its ear has
    /// heard enough.
    pub(super) fn run(
        mut self,
        timeout: Duration,
        scratch: &Path,
        leash: &Leash,
    ) -> Result<Ran, NotStarted> {
        let wake = wake_for(leash).at("open an event for", scratch)?;
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let child = spawn(&self.name, &mut self.command, &wake, leash)?;
        let run = Run::of(child, wake, self.keep, self.mark.is_some());
        let mut run = run.at("watch a program of", scratch)?;
        let live = self.live.map(|tell| RefCell::new(Live::begin(tell, Instant::now())));
        let hear = |how: &'static str| {
            let live = live.as_ref();
            move |line: &[u8]| live.is_some_and(|live| live.borrow_mut().hear(how, line))
        };
        let (mut prints, mut complains) = (hear("prints"), hear("complains:"));
        let mut ears = Ears {
            out: match self.ear {
                Some(ear) => Some(Lines::of(ear)),
                None => live.is_some().then(|| Lines::beginnings(&mut prints)),
            },
            err: live.is_some().then(|| Lines::beginnings(&mut complains)),
            live: live.as_ref(),
        };
        let (status, end) = run.attend(Instant::now() + timeout, &mut ears);
        drop(ears);
        if let Some(mark) = self.mark {
            process::end_marked(&[format!("{MARK}={mark}").into_bytes()].into());
        }
        let Run { stdout, stderr, .. } = run;
        Ok(Ran { name: self.name, status, end, timeout, stdout, stderr })
    }
}

impl Ran {
    /// Its exit code, where it exited with one.
    pub(super) fn exit_code(&self) -> Option<i32> {
        self.status.and_then(|status| status.code())
    }

    /// Whether it ended by itself and says that all went well.
    pub(super) fn went_well(&self) -> bool {
        self.end == End::Exited && self.exit_code() == Some(0)
    }

    /// What it comes to that it did not end well.
    pub(super) fn failure(&self, stderr: &str) -> Failure {
        match self.end {
            End::TimedOut => self.timed_out(),
            End::Cancelled => cancelled(&format!("the program `{}` was done", self.name)),
            End::Exited | End::HeardEnough => self.went_wrong(stderr),
        }
    }

    fn timed_out(&self) -> Failure {
        let message = format!(
            "the program `{}` ran longer than {} and was ended: raise `timeout_s` or give it less to do",
            self.name,
            words::span(self.timeout)
        );
        Failure::new("timeout", ErrorKind::Timeout, message).retried(None)
    }

    fn went_wrong(&self, stderr: &str) -> Failure {
        let last = stderr.lines().rev().map(str::trim).find(|line| !line.is_empty());
        let said = match last {
            Some(line) => format!(": {}", words::excerpt(&words::tame(line), 200)),
            None => " and said nothing on standard error".to_owned(),
        };
        let (outcome, how) = match self.status {
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => ("exit_code", format!("exited with {code}")),
                (None, Some(signal)) => ("signal", format!("was ended by {}", signal_name(signal))),
                (None, None) => ("exit_code", "ended in no known way".to_owned()),
            },
            None => ("exit_code", "ended in no known way".to_owned()),
        };
        let message = format!(
            "the program `{}` {how}{said}; mend what it complains of, then retry the task",
            self.name
        );
        Failure::new(outcome, ErrorKind::CommandFailed, message).retried(None)
    }

    /// What it wrote on standard output, and what the reader should know of that.
    pub(super) fn content(&self, max: u64) -> (String, Vec<String>) {
        let mut warnings = Vec::new();
        let mut bytes = self.stdout.head.as_slice();
        if self.stdout.total > bytes.len() as u64 {
            warnings.push(cut_at(max, self.stdout.total));
            // A character that the cut went through is left out whole.
            if let Err(error) = std::str::from_utf8(bytes)
                && error.error_len().is_none()
            {
                bytes = &bytes[..error.valid_up_to()];
            }
        }
        let text = String::from_utf8_lossy(bytes);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            warnings.push(
                "standard output is not UTF-8: what could not be read is shown as `\u{fffd}`"
                    .into(),
            );
        }
        (text.into_owned(), warnings)
    }

    /// What it wrote on standard error: its beginning and its end.
    pub(super) fn stderr(&self) -> (String, Option<String>) {
        let (head, tail) = (&self.stderr.head, &self.stderr.tail);
        let left_out = self.stderr.total - (head.len() + tail.len()) as u64;
        if left_out == 0 {
            let whole = [head.as_slice(), tail.as_slice()].concat();
            return (String::from_utf8_lossy(&whole).into_owned(), None);
        }
        let left_out = words::bytes(left_out);
        let text = format!(
            "{}\n… {left_out} left out …\n{}",
            String::from_utf8_lossy(head),
            String::from_utf8_lossy(tail)
        );
        (text, Some(format!("{left_out} in the middle of standard error were left out")))
    }
}

/// Who hears what a program writes.
struct Ears<'a> {
    out: Option<Lines<'a>>,
    err: Option<Lines<'a>>,
    live: Option<&'a RefCell<Live<'a>>>,
}

impl Ears<'_> {
    /// When to wake because what was held back is to be told.
    fn wakes_at(&self) -> Option<Instant> {
        self.live.and_then(|live| live.borrow().due)
    }

    fn tell_if_due(&self) {
        if let Some(live) = self.live {
            live.borrow_mut().tell_if_due(Instant::now());
        }
    }
}

/// What a program writes, told while it runs. What it wrote in its first moments is held back: of one
/// that has ended by then, all of it is in its result, and nobody could have followed it.
struct Live<'a> {
    tell: &'a Tell,
    due: Option<Instant>,
    held: Vec<(&'static str, String)>,
}

impl<'a> Live<'a> {
    fn begin(tell: &'a Tell, now: Instant) -> Self {
        Self { tell, due: Some(now + QUIET), held: Vec::new() }
    }

    /// Takes a line; says whether more is wanted.
    fn hear(&mut self, how: &'static str, line: &[u8]) -> bool {
        let line = String::from_utf8_lossy(line);
        match self.due {
            None => self.tell.is_heard(how, &line),
            Some(_) => {
                self.held.push((how, line.into_owned()));
                self.held.len() <= MOST_HELD
            }
        }
    }

    fn tell_if_due(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.due = None;
            for (how, line) in self.held.drain(..) {
                self.tell.is_heard(how, &line);
            }
        }
    }
}

/// Splits what a program writes into lines, and has each heard.
struct Lines<'a> {
    ear: &'a mut Ear<'a>,
    begun: Vec<u8>,
    too_long: bool,
    enough: bool,
    /// Of each line no more is kept, and that is heard; else a line that is too long is not.
    beginnings: Option<usize>,
    /// Nobody listens any more, and the program may go on all the same.
    is_deaf: bool,
}

impl<'a> Lines<'a> {
    fn of(ear: &'a mut Ear<'a>) -> Self {
        Self {
            ear,
            begun: Vec::new(),
            too_long: false,
            enough: false,
            beginnings: None,
            is_deaf: false,
        }
    }

    /// Of long lines the beginning is heard.
    fn beginnings(ear: &'a mut Ear<'a>) -> Self {
        Self { beginnings: Some(LONGEST_TOLD), ..Self::of(ear) }
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while !self.is_deaf
            && let Some(end) = bytes.iter().position(|byte| *byte == b'\n')
        {
            self.add(&bytes[..end]);
            self.end();
            bytes = &bytes[end + 1..];
        }
        self.add(bytes);
    }

    fn add(&mut self, bytes: &[u8]) {
        if let Some(most) = self.beginnings {
            let room = most.saturating_sub(self.begun.len()).min(bytes.len());
            return self.begun.extend_from_slice(&bytes[..room]);
        }
        self.too_long |= self.begun.len() + bytes.len() > LONGEST_LINE;
        match self.too_long {
            true => self.begun = Vec::new(),
            false => self.begun.extend_from_slice(bytes),
        }
    }

    /// A line is whole, or the program has ended in the middle of one.
    fn end(&mut self) {
        let line = std::mem::take(&mut self.begun);
        if !std::mem::take(&mut self.too_long) && !line.trim_ascii().is_empty() {
            let is_enough = !(self.ear)(&line);
            match self.beginnings {
                Some(_) => self.is_deaf = is_enough,
                None => self.enough |= is_enough,
            }
        }
    }
}

fn spawn(
    name: &str,
    command: &mut Command,
    wake: &OwnedFd,
    leash: &Leash,
) -> Result<Child, NotStarted> {
    for _ in 0..20 {
        match with_no_signal_blocked(|| command.spawn()) {
            // A program file that was written a moment ago may still be open for
            // writing in a child that another thread has forked and not yet turned
            // into its program. Nothing tells when that ends; it is soon.
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                let _ = wait_for(&mut [PollFd::new(wake, PollFlags::IN)], FORK_TO_EXEC);
                if leash.is_pulled() {
                    break;
                }
            }
            Err(error) => return Err(why_not_spawned(name, error, command)),
            Ok(child) => return Ok(child),
        }
    }
    Err(not_started(name, "its file is being written: close it, then retry the task"))
}

/// That a program of this name cannot be started.
pub(super) fn not_started(name: &str, why: impl Into<String>) -> NotStarted {
    NotStarted::Program { program: name.to_owned(), why: why.into() }
}

fn why_not_spawned(name: &str, error: io::Error, command: &Command) -> NotStarted {
    use io::ErrorKind as Kind;
    let why = match error.kind() {
        Kind::NotFound => "it or the interpreter in its first line is not there".to_owned(),
        Kind::PermissionDenied => "it is not executable: `chmod +x` makes it so".to_owned(),
        Kind::ArgumentListTooLong => "its arguments are too long".to_owned(),
        Kind::InvalidInput => "its command or its environment holds a NUL byte".to_owned(),
        _ if error.raw_os_error() == Some(libc::ENOEXEC) => {
            "it is neither a binary of this machine nor a script with a `#!` line".to_owned()
        }
        _ => {
            let program = Path::new(command.get_program());
            return NotStarted::Room(FileError::new("start", program, error));
        }
    };
    not_started(name, why)
}

/// The few variables of the daemon's own environment that a program sees.
pub(super) fn bare(environment: &[(String, String)]) -> Vec<(String, String)> {
    let is_bare = |(name, _): &&(String, String)| INHERITED.contains(&name.as_str());
    environment.iter().filter(is_bare).cloned().collect()
}

/// How long a fork may hold a file that its program will not have.
const FORK_TO_EXEC: Duration = Duration::from_millis(20);

/// The file that would be run for `spec`, or why there is none.
///
/// # Errors
/// One sentence for people.
pub fn program(argv: &[String], environment: &[(String, String)]) -> Result<PathBuf, String> {
    let Some(name) = argv.first() else { return Err("no program is named".into()) };
    let path = environment.iter().find(|(known, _)| known == "PATH");
    let file = find(name, path.map_or(USUAL_PATH, |(_, path)| path.as_str()))?;
    if !file.is_file() {
        return Err("there is no such file: install it, or mend its path in `command`".into());
    }
    match rustix::fs::access(&file, rustix::fs::Access::EXEC_OK) {
        Ok(()) => Ok(file),
        Err(_) => Err("it is not executable: `chmod +x` makes it so".into()),
    }
}

/// The file of a program, or why there is none that could be run.
pub(super) fn find(name: &str, path: &str) -> Result<PathBuf, String> {
    if name.contains('/') {
        // It runs in a folder of its own, in which a relative path would mean another file.
        return std::path::absolute(name).map_err(|error| error.to_string());
    }
    let mut found = None;
    for dir in path.split(':').filter(|dir| dir.starts_with('/')) {
        let file = Path::new(dir).join(name);
        if !file.is_file() {
            continue;
        }
        if rustix::fs::access(&file, rustix::fs::Access::EXEC_OK).is_ok() {
            return Ok(file);
        }
        found.get_or_insert(file);
    }
    Err(match found {
        Some(file) => {
            let file = words::tame(&file.to_string_lossy());
            format!("`{file}` is not executable: `chmod +x` makes it so")
        }
        None => "it is in no folder of PATH: install it, or give its full path in `command`".into(),
    })
}

/// A file of its own with exactly these bytes, open for reading and already without a name.
pub(super) fn complete_file(scratch: &Path, text: &str) -> Result<File, FileError> {
    let path = scratch.join(files::half_made(Path::new("stdin")));
    let mut writer = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(&path)
        .at("create", &path)?;
    let reader = writer
        .write_all(text.as_bytes())
        .and_then(|()| OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(&path));
    let removed = files::remove(&path);
    let reader = reader.at("write", &path)?;
    removed.map(|()| reader)
}

/// A fresh private folder that goes when the attempt is over.
#[derive(Debug)]
pub(super) struct WorkDir(PathBuf);

impl WorkDir {
    pub(super) fn make(scratch: &Path) -> Result<Self, FileError> {
        let name = files::half_made(Path::new("work"));
        let path = std::path::absolute(scratch.join(name)).at("find", scratch)?;
        fs::DirBuilder::new().mode(0o700).create(&path).at("create", &path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        remove_folder(&self.0);
    }
}

/// Removes a folder with all that is in it; where it stays, the log says why.
pub(super) fn remove_folder(path: &Path) {
    if let Err(error) = files::remove_folder(path) {
        log::warn!("{}", words::tame(&error.to_string()));
    }
}

/// An event that is set when the leash is pulled.
pub(super) fn wake_for(leash: &Leash) -> io::Result<Arc<OwnedFd>> {
    let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let bell = Arc::clone(&wake);
    leash.on_pull(move || {
        let _ = rustix::io::write(&bell, &1u64.to_ne_bytes());
    });
    Ok(wake)
}

/// Waits until one of `events` happens; an interrupted wait counts as one that saw nothing.
pub(super) fn wait_for(
    events: &mut [PollFd<'_>],
    at_most: impl Into<Option<Duration>>,
) -> io::Result<()> {
    let at_most = at_most.into().map(|time| Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    });
    match poll(events, at_most.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Runs `act` with no signal blocked in this thread, as a child that is made in it should begin.
#[expect(unsafe_code, reason = "no safe wrapper sets a thread's signal mask")]
pub(super) fn with_no_signal_blocked<T>(act: impl FnOnce() -> T) -> T {
    // SAFETY: both sets live on this stack and are written before they are read
    // (`sigemptyset` fills the first, `pthread_sigmask` the second); the mask
    // that is put back is the one that was there.
    unsafe {
        let (mut none, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigemptyset(&raw mut none);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, &raw mut before);
        let done = act();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        done
    }
}

/// How a program came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself.
    Exited,
    /// Its time was over.
    TimedOut,
    /// The leash was pulled.
    Cancelled,
    /// Its ear had heard enough.
    HeardEnough,
}

/// A program that runs, and what it has written so far.
struct Run {
    child: Child,
    group: Option<Pid>,
    exited: OwnedFd,
    wake: Arc<OwnedFd>,
    stdout: Capture,
    stderr: Capture,
    buffer: Vec<u8>,
    alone: bool,
}

impl Run {
    fn of(mut child: Child, wake: Arc<OwnedFd>, keep: u64, alone: bool) -> io::Result<Self> {
        let group = Pid::from_raw(child.id().cast_signed());
        let watched = group.ok_or(io::ErrorKind::NotFound.into()).and_then(|group| {
            let exited = pidfd_open(group, PidfdFlags::empty())?;
            let max = usize::try_from(keep).unwrap_or(usize::MAX);
            let stdout = Capture::of(child.stdout.take().map(OwnedFd::from), max, 0)?;
            let stderr =
                Capture::of(child.stderr.take().map(OwnedFd::from), STDERR_HALF, STDERR_HALF)?;
            Ok((exited, stdout, stderr))
        });
        match watched {
            Ok((exited, stdout, stderr)) => {
                let buffer = vec![0; 64 << 10];
                Ok(Self { child, group, exited, wake, stdout, stderr, buffer, alone })
            }
            Err(error) => {
                signal_group(group, Signal::KILL);
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Stays until the program has exited, and ends it at `deadline` or when the leash is pulled.
    fn attend(&mut self, deadline: Instant, ears: &mut Ears<'_>) -> (Option<ExitStatus>, End) {
        let (mut end, mut deadline) = (End::Exited, Some(deadline));
        loop {
            let wake = deadline.into_iter().chain(ears.wakes_at()).min();
            let seen = self.watch(wake, end == End::Exited, ears);
            ears.tell_if_due();
            if seen.exited {
                break;
            }
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            let enough = ears.out.as_ref().is_some_and(|lines| lines.enough);
            match end {
                End::Exited if seen.pulled || late || enough => {
                    end = match (seen.pulled, enough) {
                        (true, _) => End::Cancelled,
                        (false, true) => End::HeardEnough,
                        (false, false) => End::TimedOut,
                    };
                    signal_group(self.group, Signal::TERM);
                    deadline = Some(Instant::now() + GRACE);
                }
                End::TimedOut | End::Cancelled | End::HeardEnough if late => {
                    signal_group(self.group, Signal::KILL);
                    deadline = None;
                }
                _ => {}
            }
        }
        if end != End::Exited || self.alone {
            // Before the leader is reaped: until then nobody else can have its number.
            signal_group(self.group, Signal::KILL);
        }
        let status = self.child.wait().ok();
        self.stdout.drain(&mut self.buffer, ears.out.as_mut());
        self.stderr.drain(&mut self.buffer, ears.err.as_mut());
        for lines in [&mut ears.out, &mut ears.err].into_iter().flatten() {
            lines.end();
        }
        (status, end)
    }

    /// Waits for the next thing to happen and takes what was written.
    fn watch(&mut self, deadline: Option<Instant>, leashed: bool, ears: &mut Ears<'_>) -> Seen {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let mut events = vec![PollFd::new(&self.exited, PollFlags::IN)];
        if leashed {
            events.push(PollFd::new(&self.wake, PollFlags::IN));
        }
        let streams = events.len();
        for capture in [&self.stdout, &self.stderr] {
            events.extend(capture.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        }
        if wait_for(&mut events, left).is_err() {
            // Out of memory in the kernel: the program is ended rather than left unwatched.
            return Seen { exited: false, pulled: leashed };
        }
        let happened = |event: &PollFd<'_>| !event.revents().is_empty();
        let seen = Seen { exited: happened(&events[0]), pulled: leashed && happened(&events[1]) };
        let written = events[streams..].iter().any(happened);
        if written {
            for (capture, lines) in
                [(&mut self.stdout, &mut ears.out), (&mut self.stderr, &mut ears.err)]
            {
                let n = capture.read(&mut self.buffer);
                if let Some(lines) = lines {
                    lines.take(&self.buffer[..n]);
                }
            }
        }
        seen
    }
}

/// What was noticed in one look.
struct Seen {
    exited: bool,
    pulled: bool,
}

/// Sends a signal to all of a group; that it is gone already is no trouble.
pub(super) fn signal_group(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        let _ = kill_process_group(group, signal);
    }
}

/// One of a program's outputs: its first bytes and its last, however much there is between.
struct Capture {
    pipe: Option<File>,
    head: Vec<u8>,
    tail: Vec<u8>,
    head_max: usize,
    tail_max: usize,
    total: u64,
}

impl Capture {
    fn of(pipe: Option<OwnedFd>, head_max: usize, tail_max: usize) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            rustix::io::ioctl_fionbio(pipe.as_fd(), true)?;
        }
        let (head, tail) = (Vec::new(), Vec::new());
        Ok(Self { pipe: pipe.map(File::from), head, tail, head_max, tail_max, total: 0 })
    }

    /// Takes what is there, once; says how much. At its end the pipe is closed.
    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let Some(pipe) = &mut self.pipe else { return 0 };
        match pipe.read(buffer) {
            Ok(0) => self.pipe = None,
            Ok(n) => {
                self.keep(&buffer[..n]);
                return n;
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(_) => self.pipe = None,
        }
        0
    }

    /// Takes all that is there, and no more than a pipe holds: somebody may still be writing.
    fn drain(&mut self, buffer: &mut [u8], mut lines: Option<&mut Lines<'_>>) {
        let mut taken = 0;
        while taken < FULL_PIPE {
            let n = self.read(buffer);
            if n == 0 {
                break;
            }
            taken += n;
            if let Some(lines) = &mut lines {
                lines.take(&buffer[..n]);
            }
        }
        self.pipe = None;
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = self.head_max.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.tail.extend_from_slice(&bytes[room..]);
        let over = self.tail.len().saturating_sub(self.tail_max);
        self.tail.drain(..over);
    }
}

/// What people call a signal.
/// What people call a signal.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL (is the memory full?)",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::tell::tests::listening;

    #[test]
    fn what_a_program_writes_is_told_once_it_has_run_for_a_while() {
        let (tell, heard) = listening(true);
        let began = Instant::now();
        let mut live = Live::begin(&tell, began);
        assert!(live.hear("prints", b"one") && live.hear("complains:", b"odd"));
        live.tell_if_due(began);
        assert!(heard.lock().unwrap().is_empty(), "it may have ended in a moment");
        live.tell_if_due(began + QUIET);
        assert!(live.hear("prints", b"two"));
        assert_eq!(*heard.lock().unwrap(), ["prints one", "complains: odd", "prints two"]);
    }

    #[test]
    fn of_long_lines_the_beginning_is_heard_and_then_nothing_costs_more() {
        let mut heard = Vec::new();
        let mut ear = |line: &[u8]| {
            heard.push(line.to_vec());
            heard.len() < 2
        };
        let mut lines = Lines::beginnings(&mut ear);
        lines.take(&[b'x'; 3_000]);
        lines.take(b"\nshort\nnot heard\n");
        assert!(!lines.enough, "the program goes on");
        assert_eq!(heard, [vec![b'x'; LONGEST_TOLD], b"short".to_vec()]);
    }
}
