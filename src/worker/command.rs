//! Runs a program for a task.
//!
//! The program is given as words and never passes through a shell: what is
//! filled in for a placeholder stays inside its own word. The description comes
//! on standard input as a complete file, so that a daemon that dies leaves the
//! program with all of its task or none. It runs in a process group and a fresh
//! folder of its own, and sees a bare few variables beside those that the config
//! names.
//!
//! One loop waits for output, for the end, for the time-out and for the leash,
//! all at once. Output beyond the bounds is read and thrown away. When the
//! program has exited, what it wrote is taken and nobody waits for a grandchild
//! that still holds its output; such a grandchild is left alone, unless the
//! attempt ran out of time or was cancelled: then the whole group is ended.
//!
//! It never follows a link out of the folder that it made, and never waits for a
//! pipe to be read.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::{Job, Leash, Worker, cancelled, cut_at};
use crate::base::files::{self, At, FileError};
use crate::base::words;
use crate::config::CommandSpec;
use crate::task::outcome::{Answer, ErrorKind, Failure, Next, Outcome, Trouble};

/// What a program sees of the daemon's own environment.
const INHERITED: [&str; 7] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER"];
/// Where programs are looked for when nobody says.
pub(super) const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// How long a program has between being asked to end and being ended.
const GRACE: Duration = Duration::from_secs(5);
/// How much of the beginning, and of the end, of standard error is kept.
const STDERR_HALF: usize = 32 << 10;
/// The most that a pipe can hold: what is read of it after the program has exited.
const FULL_PIPE: usize = 1 << 20;

/// Runs a program.
#[derive(Debug)]
pub struct CommandWorker {
    spec: CommandSpec,
    inherited: Vec<(String, String)>,
}

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
enum NotStarted {
    /// The config's fault, or the machine's: the same would happen again.
    #[error("the program `{program}` cannot be started: {why}")]
    Program { program: String, why: String },
    /// Our own trouble: a full disk, too many open files.
    #[error(transparent)]
    Room(#[from] FileError),
}

impl CommandWorker {
    /// A worker for this program. Of `environment`, the daemon's own, the program
    /// sees a bare few variables.
    pub fn new(spec: CommandSpec, environment: &[(String, String)]) -> Self {
        Self { spec, inherited: bare(environment) }
    }

    fn program(&self) -> String {
        let name = self.spec.argv.first().map_or("", String::as_str);
        words::excerpt(&words::tame(name), 100)
    }

    fn attempt(&self, job: &Job, leash: &Leash) -> Result<Outcome, NotStarted> {
        let room = WorkDir::make(&job.scratch)?;
        let wake = wake_for(leash).at("open an event for", &job.scratch)?;
        let mut command = self.command(job, room.path())?;
        let child = self.spawn(&mut command, &wake, leash)?;
        let mut run = Run::of(child, wake, job).at("watch a program of", &job.scratch)?;
        let (status, end) = run.attend(Instant::now() + job.timeout);
        Ok(self.judge(job, &run, status, end))
    }

    fn command(&self, job: &Job, work_dir: &Path) -> Result<Command, NotStarted> {
        let [name, arguments @ ..] = self.spec.argv.as_slice() else {
            return Err(self.not_started("the config names no program: set `command`"));
        };
        let path = self.variable("PATH").unwrap_or(USUAL_PATH);
        let program = find(name, path).map_err(|why| self.not_started(why))?;
        let task_file = std::path::absolute(&job.task_file).at("find", &job.task_file)?;
        let fill = |argument: &String| {
            fill(
                argument,
                &[
                    ("{task_id}", job.task_id.as_str().as_ref()),
                    ("{task_file}", task_file.as_os_str()),
                    ("{work_dir}", work_dir.as_os_str()),
                ],
            )
        };
        let mut command = Command::new(program);
        command
            .arg0(name)
            .args(arguments.iter().map(fill))
            .current_dir(work_dir)
            .env_clear()
            .envs(self.inherited.iter().map(|(name, value)| (name, value)))
            .envs(self.spec.env.iter().map(|(name, value)| (name, value.reveal())))
            // Behind the config's own: recovery finds leftovers by the second.
            .env("KOUBOU_TASK_ID", job.task_id.as_str())
            .env("KOUBOU_ATTEMPT", &job.attempt)
            .stdin(complete_file(&job.scratch, &job.prompt.get().standard_input())?)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        Ok(command)
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let of_spec = self.spec.env.iter().map(|(name, value)| (name, value.reveal()));
        let inherited = self.inherited.iter().map(|(name, value)| (name, value.as_str()));
        of_spec.chain(inherited).find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    fn spawn(
        &self,
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
                Err(error) => return Err(self.why_not_spawned(error, command)),
                Ok(child) => return Ok(child),
            }
        }
        Err(self.not_started("its file is being written: close it, then retry the task"))
    }

    fn not_started(&self, why: impl Into<String>) -> NotStarted {
        NotStarted::Program { program: self.program(), why: why.into() }
    }

    fn why_not_spawned(&self, error: io::Error, command: &Command) -> NotStarted {
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
        self.not_started(why)
    }

    fn judge(&self, job: &Job, run: &Run, status: Option<ExitStatus>, end: End) -> Outcome {
        let (content, mut warnings) = run.content(job.max_output);
        let (stderr, more) = run.stderr();
        warnings.extend(more);
        let exit_code = status.and_then(|status| status.code());
        if end == End::Exited && exit_code == Some(0) {
            let answer =
                Answer { content, exit_code, stderr: Some(stderr), warnings, ..Answer::default() };
            return answer.into();
        }
        let mut failure = match end {
            End::TimedOut => self.timed_out(job.timeout),
            End::Cancelled => cancelled(&format!("the program `{}` was done", self.program())),
            End::Exited => self.went_wrong(status, &stderr),
        };
        failure.exit_code = exit_code;
        failure.stderr = Some(stderr);
        failure.content = Some(content);
        failure.into()
    }

    fn timed_out(&self, timeout: Duration) -> Failure {
        let message = format!(
            "the program `{}` ran longer than {} and was ended: raise `timeout_s` or give it less to do",
            self.program(),
            words::span(timeout)
        );
        Failure::new("timeout", ErrorKind::Timeout, message).retried(None)
    }

    fn went_wrong(&self, status: Option<ExitStatus>, stderr: &str) -> Failure {
        let last = stderr.lines().rev().map(str::trim).find(|line| !line.is_empty());
        let said = match last {
            Some(line) => format!(": {}", words::excerpt(&words::tame(line), 200)),
            None => " and said nothing on standard error".to_owned(),
        };
        let (outcome, how) = match status {
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => ("exit_code", format!("exited with {code}")),
                (None, Some(signal)) => ("signal", format!("was ended by {}", signal_name(signal))),
                (None, None) => ("exit_code", "ended in no known way".to_owned()),
            },
            None => ("exit_code", "ended in no known way".to_owned()),
        };
        let message = format!(
            "the program `{}` {how}{said}; mend what it complains of, then retry the task",
            self.program()
        );
        Failure::new(outcome, ErrorKind::CommandFailed, message).retried(None)
    }
}

impl Worker for CommandWorker {
    fn run(&mut self, job: &Job, leash: &Leash) -> Outcome {
        if leash.is_pulled() {
            return cancelled(&format!("the program `{}` was started", self.program())).into();
        }
        match self.attempt(job, leash) {
            Ok(outcome) => outcome,
            Err(error @ NotStarted::Program { .. }) => {
                Failure::new("not_started", ErrorKind::CommandFailed, error.to_string()).into()
            }
            // A full disk is nobody's attempt: the task waits until there is room.
            Err(NotStarted::Room(error)) => {
                let message = format!("{error}: {}", error.source);
                let mut failure = Failure::new("not_started", ErrorKind::CommandFailed, message)
                    .of_worker(Trouble::Unreachable);
                failure.next = Next::NotAnAttempt;
                failure.into()
            }
        }
    }
}

/// The few variables of the daemon's own environment that a program sees.
pub(super) fn bare(environment: &[(String, String)]) -> Vec<(String, String)> {
    let is_bare = |(name, _): &&(String, String)| INHERITED.contains(&name.as_str());
    environment.iter().filter(is_bare).cloned().collect()
}

/// How long a fork may hold a file that its program will not have.
const FORK_TO_EXEC: Duration = Duration::from_millis(20);

/// Puts values in place of placeholders, in one pass: a value is never looked into again.
fn fill(argument: &str, values: &[(&str, &OsStr)]) -> OsString {
    let mut filled = OsString::with_capacity(argument.len());
    let mut rest = argument;
    while let Some(at) = rest.find('{') {
        let (before, behind) = rest.split_at(at);
        filled.push(before);
        match values.iter().find(|(placeholder, _)| behind.starts_with(placeholder)) {
            Some((placeholder, value)) => {
                filled.push(value);
                rest = &behind[placeholder.len()..];
            }
            None => {
                filled.push("{");
                rest = &behind[1..];
            }
        }
    }
    filled.push(rest);
    filled
}

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
fn complete_file(scratch: &Path, text: &str) -> Result<File, FileError> {
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
struct WorkDir(PathBuf);

impl WorkDir {
    fn make(scratch: &Path) -> Result<Self, FileError> {
        let name = files::half_made(Path::new("work"));
        let path = std::path::absolute(scratch.join(name)).at("find", scratch)?;
        fs::DirBuilder::new().mode(0o700).create(&path).at("create", &path)?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        // An empty one goes without a descriptor, of which there may be none left. None of these
        // follows a link; some programs leave folders that nobody may write to.
        let removed =
            fs::remove_dir(&self.0).or_else(|_| fs::remove_dir_all(&self.0)).or_else(|_| {
                make_writable(&self.0, 0);
                fs::remove_dir_all(&self.0)
            });
        if let Err(error) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            log::warn!("cannot remove `{}`: {error}", words::tame(&self.0.to_string_lossy()));
        }
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

/// How an attempt came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Exited,
    TimedOut,
    Cancelled,
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
}

impl Run {
    fn of(mut child: Child, wake: Arc<OwnedFd>, job: &Job) -> io::Result<Self> {
        let group = Pid::from_raw(child.id().cast_signed());
        let watched = group.ok_or(io::ErrorKind::NotFound.into()).and_then(|group| {
            let exited = pidfd_open(group, PidfdFlags::empty())?;
            let max = usize::try_from(job.max_output).unwrap_or(usize::MAX);
            let stdout = Capture::of(child.stdout.take().map(OwnedFd::from), max, 0)?;
            let stderr =
                Capture::of(child.stderr.take().map(OwnedFd::from), STDERR_HALF, STDERR_HALF)?;
            Ok((exited, stdout, stderr))
        });
        match watched {
            Ok((exited, stdout, stderr)) => {
                let buffer = vec![0; 64 << 10];
                Ok(Self { child, group, exited, wake, stdout, stderr, buffer })
            }
            Err(error) => {
                signal_group(group, Signal::KILL);
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Stays until the program has exited, and ends it at `deadline` or when the leash is pulled.
    fn attend(&mut self, deadline: Instant) -> (Option<ExitStatus>, End) {
        let (mut end, mut deadline) = (End::Exited, Some(deadline));
        loop {
            let seen = self.watch(deadline, end == End::Exited);
            if seen.exited {
                break;
            }
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            match end {
                End::Exited if seen.pulled || late => {
                    end = if seen.pulled { End::Cancelled } else { End::TimedOut };
                    signal_group(self.group, Signal::TERM);
                    deadline = Some(Instant::now() + GRACE);
                }
                End::TimedOut | End::Cancelled if late => {
                    signal_group(self.group, Signal::KILL);
                    deadline = None;
                }
                _ => {}
            }
        }
        if end != End::Exited {
            // Before the leader is reaped: until then nobody else can have its number.
            signal_group(self.group, Signal::KILL);
        }
        let status = self.child.wait().ok();
        self.stdout.drain(&mut self.buffer);
        self.stderr.drain(&mut self.buffer);
        (status, end)
    }

    /// Waits for the next thing to happen and takes what was written.
    fn watch(&mut self, deadline: Option<Instant>, leashed: bool) -> Seen {
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
            self.stdout.read(&mut self.buffer);
            self.stderr.read(&mut self.buffer);
        }
        seen
    }

    fn content(&self, max: u64) -> (String, Vec<String>) {
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

    fn stderr(&self) -> (String, Option<String>) {
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
    fn drain(&mut self, buffer: &mut [u8]) {
        let mut taken = 0;
        while taken < FULL_PIPE {
            match self.read(buffer) {
                0 => break,
                n => taken += n,
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
    use crate::base::secret::Secret;
    use crate::worker::tests::job;

    fn worker(argv: &[&str]) -> CommandWorker {
        let environment = [
            ("PATH".to_owned(), USUAL_PATH.to_owned()),
            ("SHOP_API_TOKEN".to_owned(), "not for children".to_owned()),
        ];
        let argv = argv.iter().map(ToString::to_string).collect();
        CommandWorker::new(CommandSpec { argv, env: Vec::new() }, &environment)
    }

    fn sh(script: &str) -> CommandWorker {
        worker(&["sh", "-c", script])
    }

    fn done(outcome: Outcome) -> Answer {
        match outcome {
            Outcome::Done(answer) => *answer,
            Outcome::Failed(failure) => panic!("it failed: {failure:?}"),
        }
    }

    fn failed(outcome: Outcome) -> Failure {
        match outcome {
            Outcome::Failed(failure) => *failure,
            Outcome::Done(answer) => panic!("it went well: {answer:?}"),
        }
    }

    fn run(mut worker: CommandWorker, job: &Job) -> Outcome {
        worker.run(job, &Leash::default())
    }

    #[test]
    fn standard_input_is_a_complete_file_without_a_name() {
        let job = job("six times seven");
        let script = "readlink /proc/self/fd/0 >&2; cat";
        let answer = done(run(sh(script), &job));
        assert_eq!(answer.content, "six times seven");
        assert_eq!(answer.exit_code, Some(0));
        let stdin = answer.stderr.unwrap();
        assert!(stdin.contains("stdin") && stdin.contains("(deleted)"), "{stdin}");
        assert_eq!(fs::read_dir(&job.scratch).unwrap().count(), 0, "nothing is left in scratch");
    }

    #[test]
    fn a_placeholder_stays_in_its_word() {
        let mut job = job("");
        job.task_file = "/a b/{task_id};$(id).json".into();
        let worker =
            worker(&["printf", "[%s]", "x{task_id}{task_file}", "{nothing}{", "--f={task_id}"]);
        let answer = done(run(worker, &job));
        assert_eq!(answer.content, "[xt1/a b/{task_id};$(id).json][{nothing}{][--f=t1]");
    }

    #[test]
    fn it_runs_in_a_fresh_private_folder_that_goes() {
        let job = job("");
        let outside = job.scratch.join("kept");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "kept").unwrap();
        let script = "pwd; stat -c %a .; ls -A; ln -s ../kept link; mkdir -p a/b; touch a/b/c; chmod 0 a/b a";
        let answer = done(run(sh(script), &job));
        let lines: Vec<&str> = answer.content.lines().collect();
        assert!(lines[0].contains("/.koubou-") && lines[0].ends_with("-work"), "{lines:?}");
        assert_eq!(lines[1..], ["700"]);
        assert!(!Path::new(lines[0]).exists());
        assert_eq!(fs::read(outside.join("file")).unwrap(), b"kept");
    }

    #[test]
    fn it_sees_no_variable_that_it_was_not_given() {
        let mut worker = worker(&["env"]);
        worker.spec.env.push(("GREETING".into(), Secret::new("hello")));
        let answer = done(run(worker, &job("")));
        let mut names: Vec<&str> = answer
            .content
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(n, _)| n)
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["GREETING", "KOUBOU_ATTEMPT", "KOUBOU_TASK_ID", "PATH"]);
        assert!(answer.content.contains("KOUBOU_ATTEMPT=attempt-1\n"));
    }

    #[test]
    fn signals_stand_as_a_program_expects_them() {
        let script = "grep -E '^Sig(Blk|Ign)' /proc/self/status";
        let answer = done(run(sh(script), &job("")));
        let bits = |name: &str| {
            let line = answer.content.lines().find(|line| line.starts_with(name)).unwrap();
            u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
        };
        assert_eq!(bits("SigBlk"), 0);
        assert_eq!(bits("SigIgn") & (1 << (libc::SIGPIPE - 1)), 0, "a broken pipe ends it");
    }

    #[test]
    fn an_exit_code_is_told_with_the_last_words() {
        let failure =
            failed(run(sh("echo part; echo a >&2; echo 'no \x1b[1mroom' >&2; exit 3"), &job("")));
        assert_eq!((failure.outcome, failure.kind), ("exit_code", ErrorKind::CommandFailed));
        assert_eq!((failure.exit_code, failure.content.as_deref()), (Some(3), Some("part\n")));
        assert!(failure.message.starts_with("the program `sh` exited with 3: no \\u{1b}[1mroom;"));
        assert_eq!(failure.next, Next::Retry { at_least: None });
    }

    #[test]
    fn a_signal_is_told_by_name() {
        let failure = failed(run(sh("kill -SEGV $$"), &job("")));
        assert_eq!(failure.outcome, "signal");
        assert!(failure.message.contains("was ended by SIGSEGV"), "{}", failure.message);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        for (program, why) in [
            ("koubou-no-such-program", "it is in no folder of PATH"),
            ("/no/such/program", "is not there"),
            ("/etc/passwd", "it is not executable"),
        ] {
            let failure = failed(run(worker(&[program]), &job("")));
            assert_eq!((failure.outcome, failure.next), ("not_started", Next::Never));
            assert_eq!(failure.kind, ErrorKind::CommandFailed);
            assert!(failure.message.contains(why), "{}", failure.message);
        }
    }

    #[test]
    fn our_own_trouble_is_not_the_tasks() {
        let mut job = job("");
        job.scratch = job.scratch.join("gone");
        let failure = failed(run(sh("true"), &job));
        assert_eq!(failure.next, Next::NotAnAttempt);
        assert!(failure.message.contains("cannot create"), "{}", failure.message);
    }

    #[test]
    fn a_flood_is_bounded_and_a_warning_says_so() {
        let mut job = job("");
        job.max_output = 1_000;
        let script = "head -c 3000000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' y >&2; echo end >&2";
        let answer = done(run(sh(script), &job));
        assert_eq!(answer.content.len(), 1_000);
        assert_eq!(answer.warnings.len(), 2, "{:?}", answer.warnings);
        let stderr = answer.stderr.unwrap();
        assert!(stderr.len() < 66_000 && stderr.ends_with("yend\n"), "{}", stderr.len());
    }

    #[test]
    fn a_cut_does_not_go_through_a_character() {
        let mut job = job("工房");
        job.max_output = 4;
        assert_eq!(done(run(sh("cat"), &job)).content, "工");
    }

    #[test]
    fn time_that_runs_out_ends_the_whole_group() {
        let mut job = job("");
        job.timeout = Duration::from_millis(300);
        let begun = Instant::now();
        let failure = failed(run(sh("echo $$; sleep 60 & wait"), &job));
        assert!(begun.elapsed() < Duration::from_secs(4));
        assert_eq!((failure.outcome, failure.kind), ("timeout", ErrorKind::Timeout));
        assert_eq!(failure.next, Next::Retry { at_least: None });
        let group: i32 = failure.content.unwrap().trim().parse().unwrap();
        // Somebody else reaps an orphan: it may be there for another moment, dead.
        let group = Pid::from_raw(group).unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        while rustix::process::test_kill_process_group(group).is_ok() {
            assert!(Instant::now() < deadline, "something of the group still lives");
            std::thread::yield_now();
        }
    }

    #[test]
    fn who_does_not_listen_is_ended_after_the_grace() {
        let mut job = job("");
        job.timeout = Duration::from_millis(100);
        let begun = Instant::now();
        let script = "trap '' TERM; while :; do sleep 0.1; done";
        assert_eq!(failed(run(sh(script), &job)).outcome, "timeout");
        let took = begun.elapsed();
        assert!(took > GRACE && took < GRACE + Duration::from_secs(4), "{took:?}");
    }

    #[test]
    fn a_pulled_leash_ends_it() {
        let (job, leash) = (job(""), Leash::default());
        let puller = std::thread::spawn({
            let leash = leash.clone();
            move || {
                std::thread::sleep(Duration::from_millis(100));
                leash.pull();
            }
        });
        let begun = Instant::now();
        let failure = failed(sh("sleep 60").run(&job, &leash));
        puller.join().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(4));
        assert_eq!((failure.outcome, failure.kind), ("cancelled", ErrorKind::Cancelled));
        assert_eq!(failure.next, Next::Never);
        assert_eq!(failed(sh("true").run(&job, &leash)).outcome, "cancelled");
    }

    #[test]
    fn nobody_waits_for_a_grandchild_that_holds_the_output() {
        let begun = Instant::now();
        let answer = done(run(sh("echo done; sleep 3 & echo $! >&2"), &job("")));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert_eq!(answer.content, "done\n");
        let left: i32 = answer.stderr.unwrap().trim().parse().unwrap();
        let left = Pid::from_raw(left).unwrap();
        assert!(rustix::process::test_kill_process(left).is_ok(), "it is left alone");
    }

    #[test]
    fn closing_its_output_does_not_end_it() {
        let answer = done(run(sh("exec >&- 2>&-; sleep 0.2; true"), &job("")));
        assert_eq!((answer.content.as_str(), answer.exit_code), ("", Some(0)));
    }

    #[test]
    fn a_program_that_reads_nothing_stops_nobody() {
        let answer = done(run(sh("true"), &job(&"x".repeat(1 << 20))));
        assert_eq!(answer.exit_code, Some(0));
    }
}
