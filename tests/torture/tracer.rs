//! Runs a program under ptrace and lets one of its file-system-changing calls go wrong.
//!
//! The calls of all its threads share one counter, so that a run can be ended, or
//! a call be failed, at every point in turn. Programs that it starts run free.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// What is to happen at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: the points are counted.
    None,
    /// The process is killed before the call.
    Kill,
    /// The call fails with this error and is not carried out.
    Error(Errno),
    /// Half of what was to be written is.
    ShortWrite,
}

/// What the system does not have: each such call is answered as one that lacks it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    Nothing,
    /// No events of folders.
    Inotify,
    /// No way to ask who has a file open.
    Leases,
    /// No rename that refuses to replace.
    CarefulRename,
}

/// Where and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// What happens.
    pub(crate) fault: Fault,
    /// What there is not.
    pub(crate) lack: Lack,
    /// At which call that the fault applies to, from 0.
    pub(crate) at: usize,
    /// Also at every such call after it.
    pub(crate) for_ever: bool,
    /// The run is ended after so long.
    pub(crate) limit: Duration,
    /// Whether to write the changes down.
    pub(crate) record: bool,
}

impl Plan {
    /// Lets every call pass that `fault` applies to, and counts them.
    pub(crate) fn undisturbed(fault: Fault) -> Self {
        Self {
            fault,
            lack: Lack::Nothing,
            at: usize::MAX,
            for_ever: false,
            limit: Duration::from_secs(60),
            record: false,
        }
    }
}

/// A change to the home, as it was seen at the end of the call that made it.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A file has this content now; nothing says that the disk has it.
    Content { inode: u64, bytes: Vec<u8> },
    /// A name leads to this file now.
    Named { path: PathBuf, inode: u64 },
    /// A name leads to this folder now.
    Folder { path: PathBuf },
    /// A name leads nowhere now.
    Unnamed { path: PathBuf },
    /// A rename: one change, or none.
    Moved { from: PathBuf, to: PathBuf },
    /// A file's content is durable.
    Synced { inode: u64 },
    /// A folder's names are durable.
    SyncedFolder { path: PathBuf },
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Run {
    /// The changes, in order, where they were asked for.
    pub(crate) changes: Vec<Change>,
    /// How many calls the fault applied to.
    pub(crate) points: usize,
    /// How often the fault struck.
    pub(crate) struck: usize,
    /// How often something was asked for that there is not.
    pub(crate) lacked: usize,
    /// The call that it first struck, in words.
    pub(crate) call: String,
    /// The exit code, if it ended by itself.
    pub(crate) code: Option<i32>,
    /// Whether it was ended because its time was up.
    pub(crate) timed_out: bool,
}

/// A call of interest, as it stands at its entry.
struct Call {
    name: &'static str,
    kind: Kind,
    what: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Create,
    Write,
    Sync,
    Name,
    Mode,
}

impl Fault {
    /// Whether such a call can go wrong in this way.
    fn applies(self, call: &Call) -> bool {
        match self {
            Self::None | Self::Kill => call.kind != Kind::Open,
            Self::ShortWrite => call.kind == Kind::Write,
            Self::Error(Errno::EMFILE) => matches!(call.kind, Kind::Open | Kind::Create),
            Self::Error(Errno::ENOSPC) => {
                matches!(call.kind, Kind::Create | Kind::Write | Kind::Name)
                    && call.name != "unlink"
            }
            Self::Error(Errno::EACCES) => {
                matches!(call.kind, Kind::Create | Kind::Name | Kind::Mode)
            }
            Self::Error(Errno::EINTR) => {
                matches!(call.kind, Kind::Create | Kind::Write | Kind::Sync)
            }
            Self::Error(_) => call.kind != Kind::Open,
        }
    }
}

/// Whether this system lets us trace a child at all.
pub(crate) fn may_trace() -> bool {
    let mut command = Command::new("true");
    #[expect(unsafe_code, reason = "a child must ask to be traced between fork and exec")]
    // SAFETY: PTRACE_TRACEME is one system call and touches no memory of ours.
    unsafe {
        command.pre_exec(|| ptrace::traceme().map_err(Into::into));
    }
    let Ok(mut child) = command.spawn() else { return false };
    let pid = Pid::from_raw(child.id() as i32);
    let stopped = matches!(waitpid(pid, Some(WaitPidFlag::__WALL)), Ok(WaitStatus::Stopped(..)));
    let _ = kill(pid, Signal::SIGKILL);
    let _ = child.wait();
    stopped
}

/// Runs `command` to its end, with the plan's fault.
pub(crate) fn run(mut command: Command, home: &Path, plan: Plan) -> Run {
    #[expect(unsafe_code, reason = "a child must ask to be traced between fork and exec")]
    // SAFETY: PTRACE_TRACEME is one system call and touches no memory of ours.
    unsafe {
        command.pre_exec(|| ptrace::traceme().map_err(Into::into));
    }
    #[expect(clippy::zombie_processes, reason = "the tracer itself waits for every thread")]
    let child = command.spawn().expect("the program starts");
    let main = Pid::from_raw(child.id() as i32);
    let mut tracer = Tracer {
        main,
        home: home.to_string_lossy().into_owned(),
        plan,
        inside: HashMap::new(),
        recording: HashMap::new(),
        run: Run {
            changes: Vec::new(),
            points: 0,
            struck: 0,
            lacked: 0,
            call: String::new(),
            code: None,
            timed_out: false,
        },
    };
    tracer.follow();
    tracer.run
}

struct Tracer {
    main: Pid,
    home: String,
    plan: Plan,
    /// Threads inside a call: what is to be answered at its end.
    inside: HashMap<Pid, Option<Errno>>,
    /// Threads inside a call whose change is to be written down.
    recording: HashMap<Pid, Recording>,
    run: Run,
}

impl Tracer {
    fn follow(&mut self) {
        let all = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        waitpid(self.main, Some(all)).expect("the program stops at its exec");
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_EXITKILL;
        ptrace::setoptions(self.main, options).expect("the program can be traced");
        let _ = ptrace::syscall(self.main, None);
        let end = Instant::now() + self.plan.limit;
        let watchdog = watchdog(self.main, self.plan.limit);
        loop {
            match waitpid(Pid::from_raw(-1), Some(all)) {
                Err(Errno::ECHILD) => break,
                Err(_) => continue,
                Ok(status) => self.stopped(status),
            }
        }
        let _ = watchdog.send(());
        self.run.timed_out = Instant::now() >= end && self.run.code.is_none();
    }

    fn stopped(&mut self, status: WaitStatus) {
        match status {
            WaitStatus::Exited(pid, code) if pid == self.main => self.run.code = Some(code),
            WaitStatus::PtraceSyscall(pid) => {
                self.at_call(pid);
                let _ = ptrace::syscall(pid, None);
            }
            WaitStatus::PtraceEvent(pid, ..) => {
                let _ = ptrace::syscall(pid, None);
            }
            WaitStatus::Stopped(pid, signal) => self.signalled(pid, signal),
            _ => {}
        }
    }

    /// A new thread is followed, a new process runs free, a signal is handed on.
    fn signalled(&mut self, pid: Pid, signal: Signal) {
        if signal == Signal::SIGSTOP && !self.is_ours(pid) {
            let _ = ptrace::detach(pid, None);
            return;
        }
        let passed =
            Some(signal).filter(|signal| !matches!(signal, Signal::SIGSTOP | Signal::SIGTRAP));
        let _ = ptrace::syscall(pid, passed);
    }

    fn is_ours(&self, pid: Pid) -> bool {
        Path::new(&format!("/proc/{}/task/{pid}", self.main)).exists()
    }

    fn at_call(&mut self, pid: Pid) {
        if let Some(answer) = self.inside.remove(&pid) {
            if let Some(recording) = self.recording.remove(&pid)
                && let Ok(registers) = ptrace::getregs(pid)
                && (registers.rax as i64) >= 0
            {
                self.write_down(pid, recording, registers.rax);
            }
            if let Some(errno) = answer
                && let Ok(mut registers) = ptrace::getregs(pid)
            {
                registers.rax = (-(errno as i64)) as u64;
                let _ = ptrace::setregs(pid, registers);
            }
            return;
        }
        let answer = self.at_entry(pid);
        self.inside.insert(pid, answer);
    }

    /// Counts the call, and strikes if it is its turn; what is to be answered at its end.
    fn at_entry(&mut self, pid: Pid) -> Option<Errno> {
        let mut registers = ptrace::getregs(pid).ok()?;
        if let Some(errno) = self.plan.lack.answer(&registers) {
            self.run.lacked += 1;
            return answer_instead(pid, registers, errno);
        }
        let call = self.call(pid, &registers)?;
        if self.plan.record {
            let other = match registers.orig_rax as i64 {
                libc::SYS_rename | libc::SYS_link => read_text(pid, registers.rsi),
                libc::SYS_renameat | libc::SYS_renameat2 => read_text(pid, registers.r10),
                _ => String::new(),
            };
            let recording = Recording {
                name: call.name,
                what: call.what.clone().into(),
                other: other.into(),
                fd: registers.rdi,
            };
            self.recording.insert(pid, recording);
        }
        if !self.plan.fault.applies(&call) {
            return None;
        }
        let point = self.run.points;
        self.run.points += 1;
        let strikes = point == self.plan.at || (self.plan.for_ever && point > self.plan.at);
        if !strikes || self.plan.fault == Fault::None {
            return None;
        }
        self.run.struck += 1;
        if self.run.call.is_empty() {
            self.run.call = format!("{} {}", call.name, call.what);
        }
        match self.plan.fault {
            Fault::None => None,
            Fault::Kill => {
                let _ = kill(self.main, Signal::SIGKILL);
                None
            }
            Fault::Error(errno) => answer_instead(pid, registers, errno),
            Fault::ShortWrite => {
                registers.rdx = (registers.rdx / 2).max(1);
                let _ = ptrace::setregs(pid, registers);
                None
            }
        }
    }

    /// The call that a thread is about to make, if it changes or opens something in the home.
    fn call(&self, pid: Pid, registers: &libc::user_regs_struct) -> Option<Call> {
        let (name, kind, place) = match registers.orig_rax as i64 {
            libc::SYS_openat | libc::SYS_openat2 => {
                let changes = registers.orig_rax as i64 == libc::SYS_openat
                    && registers.rdx as i32 & (libc::O_CREAT | libc::O_TRUNC) != 0;
                (
                    "open",
                    if changes { Kind::Create } else { Kind::Open },
                    Place::Text(registers.rsi),
                )
            }
            libc::SYS_open => {
                let changes = registers.rsi as i32 & (libc::O_CREAT | libc::O_TRUNC) != 0;
                (
                    "open",
                    if changes { Kind::Create } else { Kind::Open },
                    Place::Text(registers.rdi),
                )
            }
            libc::SYS_write => ("write", Kind::Write, Place::Open(registers.rdi)),
            libc::SYS_pwrite64 => ("pwrite", Kind::Write, Place::Open(registers.rdi)),
            libc::SYS_ftruncate => ("ftruncate", Kind::Name, Place::Open(registers.rdi)),
            libc::SYS_fsync => ("fsync", Kind::Sync, Place::Open(registers.rdi)),
            libc::SYS_fdatasync => ("fdatasync", Kind::Sync, Place::Open(registers.rdi)),
            libc::SYS_rename => ("rename", Kind::Name, Place::Text(registers.rdi)),
            libc::SYS_renameat | libc::SYS_renameat2 => {
                ("rename", Kind::Name, Place::Text(registers.rsi))
            }
            libc::SYS_link | libc::SYS_symlink => ("link", Kind::Name, Place::Text(registers.rsi)),
            libc::SYS_linkat => ("link", Kind::Name, Place::Text(registers.r10)),
            libc::SYS_unlink => ("unlink", Kind::Name, Place::Text(registers.rdi)),
            libc::SYS_unlinkat => ("unlink", Kind::Name, Place::Text(registers.rsi)),
            libc::SYS_mkdir => ("mkdir", Kind::Name, Place::Text(registers.rdi)),
            libc::SYS_mkdirat => ("mkdir", Kind::Name, Place::Text(registers.rsi)),
            libc::SYS_rmdir => ("rmdir", Kind::Name, Place::Text(registers.rdi)),
            libc::SYS_chmod => ("chmod", Kind::Mode, Place::Text(registers.rdi)),
            libc::SYS_fchmodat => ("chmod", Kind::Mode, Place::Text(registers.rsi)),
            libc::SYS_fchmod => ("fchmod", Kind::Mode, Place::Open(registers.rdi)),
            _ => return None,
        };
        let what = match place {
            Place::Text(address) => read_text(pid, address),
            Place::Open(fd) => std::fs::read_link(format!("/proc/{pid}/fd/{fd}"))
                .map(|path| path.to_string_lossy().into_owned())
                .unwrap_or_default(),
        };
        what.starts_with(&self.home).then_some(Call { name, kind, what })
    }
}

impl Lack {
    /// What a system that lacks this answers to a call.
    fn answer(self, registers: &libc::user_regs_struct) -> Option<Errno> {
        let call = registers.orig_rax as i64;
        match self {
            Self::Inotify if call == libc::SYS_inotify_init1 => Some(Errno::ENOSYS),
            Self::Leases if call == libc::SYS_fcntl && registers.rsi as i32 == libc::F_SETLEASE => {
                Some(Errno::EINVAL)
            }
            Self::CarefulRename if call == libc::SYS_renameat2 && registers.r8 != 0 => {
                Some(Errno::EINVAL)
            }
            _ => None,
        }
    }
}

/// Lets a call that is about to be made not be made; what is to be answered at its end.
fn answer_instead(pid: Pid, mut registers: libc::user_regs_struct, errno: Errno) -> Option<Errno> {
    registers.orig_rax = u64::MAX;
    ptrace::setregs(pid, registers).ok()?;
    Some(errno)
}

/// A call under way whose change is to be written down at its end.
struct Recording {
    name: &'static str,
    what: PathBuf,
    other: PathBuf,
    fd: u64,
}

impl Tracer {
    fn write_down(&mut self, pid: Pid, call: Recording, answer: u64) {
        let Recording { name, what, other, fd } = call;
        let opened = |fd: u64| PathBuf::from(format!("/proc/{pid}/fd/{fd}"));
        let inode = |path: &Path| std::fs::metadata(path).map(|meta| meta.ino()).unwrap_or(0);
        let changes = &mut self.run.changes;
        match name {
            "open" => {
                let path = opened(answer);
                if std::fs::metadata(&path).is_ok_and(|meta| meta.is_file()) {
                    let inode = inode(&path);
                    changes.push(Change::Named { path: what, inode });
                    changes.push(Change::Content {
                        inode,
                        bytes: std::fs::read(&path).unwrap_or_default(),
                    });
                }
            }
            "write" | "pwrite" | "ftruncate" => {
                let path = opened(fd);
                let bytes = std::fs::read(&path).unwrap_or_default();
                changes.push(Change::Content { inode: inode(&path), bytes });
            }
            "fsync" | "fdatasync" if what.is_dir() => {
                changes.push(Change::SyncedFolder { path: what });
            }
            "fsync" | "fdatasync" => changes.push(Change::Synced { inode: inode(&opened(fd)) }),
            "rename" => changes.push(Change::Moved { from: what, to: other }),
            "link" => changes.push(Change::Named { inode: inode(&what), path: what }),
            "unlink" | "rmdir" => changes.push(Change::Unnamed { path: what }),
            "mkdir" => changes.push(Change::Folder { path: what }),
            _ => {}
        }
    }
}

enum Place {
    /// A path in the program's memory.
    Text(u64),
    /// An open file.
    Open(u64),
}

/// A path in the program's memory.
fn read_text(pid: Pid, address: u64) -> String {
    let mut bytes = Vec::new();
    for at in (address..address + 4096).step_by(8) {
        let Ok(word) = ptrace::read(pid, at as ptrace::AddressType) else { break };
        let word = word.to_ne_bytes();
        if let Some(end) = word.iter().position(|byte| *byte == 0) {
            bytes.extend(&word[..end]);
            break;
        }
        bytes.extend(word);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Ends the program when its time is up; dropped or told, it does nothing.
fn watchdog(main: Pid, limit: Duration) -> std::sync::mpsc::Sender<()> {
    let (tell, told) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        if let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = told.recv_timeout(limit) {
            let _ = kill(main, Signal::SIGKILL);
        }
    });
    tell
}
