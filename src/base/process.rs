//! Which process is which: a number is given again, a number with its hour of birth is not.
//!
//! A process that was given a mark in its environment is known by it, and so are all that it
//! started: a pid alone may by now be somebody else's.
//!
//! Reads `/proc`, and ends nobody but who carries a mark. Where that says nothing, a process counts as
//! gone: whoever leaves things behind by its name leaves them to be cleared.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open, pidfd_send_signal,
};

/// A process, told from every other that has had or will have its number.
///
/// Written `PID.TICKS`, where the ticks are the time of its start since the
/// machine's, as `/proc/PID/stat` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pid: u32,
    started: u64,
}

/// How long is waited for the end of a process that was killed: one that the kernel holds fast may
/// not come to it.
const TO_DIE: Duration = Duration::from_secs(5);
/// How long a process may take to become another or to end by itself. It is soon, and nothing tells when.
const TO_PASS: Duration = Duration::from_secs(2);
/// What `/proc/PID/stat` has among the flags of the kernel's own threads.
const OF_THE_KERNEL: u64 = 0x0020_0000;

/// What `/proc/PID/stat` says that matters here.
struct Stat {
    state: char,
    is_of_the_kernel: bool,
    started: u64,
    /// Where its environment ends in its memory; nowhere while it becomes another program, or ends.
    environment_end: u64,
}

impl Process {
    /// This process.
    pub fn me() -> Self {
        static ME: OnceLock<Process> = OnceLock::new();
        *ME.get_or_init(|| {
            let pid = std::process::id();
            Self { pid, started: stat(pid).map_or(0, |stat| stat.started) }
        })
    }

    /// Whether it still runs: a zombie does not.
    pub fn is_alive(self) -> bool {
        stat(self.pid).is_some_and(|now| now.started == self.started && now.state != 'Z')
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.pid, self.started)
    }
}

impl FromStr for Process {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (pid, started) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self { pid: pid.parse()?, started: started.parse()? })
    }
}

/// Calls `tell` once when a process has ended, of which no file tells; whether it will.
pub fn when_over(pid: u32, tell: impl FnOnce() + Send + 'static) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let Some(process) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else {
        return false;
    };
    let wait = move || {
        let mut watched = [PollFd::new(&process, PollFlags::IN)];
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        tell();
    };
    std::thread::Builder::new().name("guard".into()).spawn(wait).is_ok()
}

/// Whether a process with this number does nothing more: gone, or a zombie.
pub fn is_over(pid: u32) -> bool {
    stat(pid).is_none_or(|stat| stat.state == 'Z')
}

/// Ends every process whose environment has one of these variables, each written `NAME=value`,
/// with its group, and waits for their end; says which they were.
pub fn end_marked(marks: &BTreeSet<Vec<u8>>) -> Vec<u32> {
    if marks.is_empty() {
        return Vec::new();
    }
    let mut ended = Vec::new();
    let until = Instant::now() + TO_PASS;
    // Who was ended may have started another meanwhile, which this look did not see.
    while !end_seen(marks, &mut ended) && Instant::now() < until {
        std::thread::yield_now();
    }
    ended
}

/// Ends those that can be seen to carry a mark; whether there was none, and the environment of
/// every process could be seen.
fn end_seen(marks: &BTreeSet<Vec<u8>>, ended: &mut Vec<u32>) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return true };
    let mut is_clear = true;
    for entry in processes.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(environment) = fs::read(entry.path().join("environ")) else { continue };
        if environment.is_empty() {
            is_clear &= !is_in_passing(pid);
        } else if environment.split(|byte| *byte == 0).any(|variable| marks.contains(variable))
            && !is_over(pid)
            && end(pid)
        {
            is_clear = false;
            ended.push(pid);
        }
    }
    is_clear
}

/// Whether a process that shows no environment is just becoming another program, or ending.
fn is_in_passing(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| {
        stat.state != 'Z' && !stat.is_of_the_kernel && stat.environment_end == 0
    })
}

/// Ends a process and its group, and waits until it does nothing more; whether that came.
fn end(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    let process = pidfd_open(pid, PidfdFlags::empty());
    let _ = kill_process_group(pid, Signal::KILL);
    let Ok(process) = process else {
        // It is gone, or there are no descriptors left to wait with.
        return kill_process(pid, Signal::KILL).is_ok();
    };
    let _ = pidfd_send_signal(&process, Signal::KILL);
    // A signal is only sent; a busy machine takes its time until it is obeyed.
    let until = Instant::now() + TO_DIE;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let time = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&time)) {
            Err(Errno::INTR) => {}
            over => return over.is_ok_and(|events| events > 0),
        }
    }
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in brackets and may hold anything, brackets too.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let flags: u64 = fields.nth(5)?.parse().ok()?;
    let started = fields.nth(12)?.parse().ok()?;
    let environment_end = fields.nth(28).and_then(|end| end.parse().ok()).unwrap_or(0);
    let is_of_the_kernel = flags & OF_THE_KERNEL != 0;
    Some(Stat { state, is_of_the_kernel, started, environment_end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_number_and_its_start() {
        let me = Process::me();
        assert!(me.started > 0 && me.is_alive());
        assert_eq!(me.to_string().parse(), Ok(me));
        let other = Process { started: me.started + 1, ..me };
        assert!(!other.is_alive(), "the number is given again, the start is not");
        assert!("12".parse::<Process>().is_err() && "x.1".parse::<Process>().is_err());
    }

    #[test]
    fn who_ended_does_nothing_more() {
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let process = Process { pid: child.id(), started: stat(child.id()).unwrap().started };
        assert!(process.is_alive() && !is_over(child.id()));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!process.is_alive() && is_over(child.id()));
    }

    #[test]
    fn whoever_carries_a_mark_has_ended_when_it_is_said() {
        let mark = format!("test-of-{}", Process::me());
        let marks = BTreeSet::from([format!("KOUBOU_MARK={mark}").into_bytes()]);
        for _ in 0..10 {
            // What has just been started may still be becoming its program.
            let mut child = std::process::Command::new("sleep")
                .arg("600")
                .env("KOUBOU_MARK", &mark)
                .spawn()
                .unwrap();
            assert_eq!(end_marked(&marks), [child.id()]);
            assert!(is_over(child.id()));
            child.wait().unwrap();
        }
        assert!(end_marked(&marks).is_empty());
    }

    #[test]
    fn a_program_without_an_environment_is_not_waited_for() {
        let mut child = std::process::Command::new("cat")
            .env_clear()
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // Its echo says that it is what it was to become.
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"x").unwrap();
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        assert_eq!(fs::read(format!("/proc/{}/environ", child.id())).unwrap(), b"");
        assert!(!is_in_passing(child.id()));
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
