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

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// A process, told from every other that has had or will have its number.
///
/// Written `PID.TICKS`, where the ticks are the time of its start since the
/// machine's, as `/proc/PID/stat` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pid: u32,
    started: u64,
}

/// What `/proc/PID/stat` says that matters here.
struct Stat {
    state: char,
    started: u64,
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
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::process::{PidfdFlags, pidfd_open};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let Some(process) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else {
        return false;
    };
    let wait = move || {
        let mut watched = [PollFd::new(&process, PollFlags::IN)];
        while poll(&mut watched, None) == Err(rustix::io::Errno::INTR) {}
        tell();
    };
    std::thread::Builder::new().name("guard".into()).spawn(wait).is_ok()
}

/// Whether a process with this number does nothing more: gone, or a zombie.
pub fn is_over(pid: u32) -> bool {
    stat(pid).is_none_or(|stat| stat.state == 'Z')
}

/// Ends every process whose environment has one of these variables, each written `NAME=value`,
/// with its group; says which they were.
pub fn end_marked(marks: &BTreeSet<Vec<u8>>) -> Vec<u32> {
    if marks.is_empty() {
        return Vec::new();
    }
    let mut ended = Vec::new();
    // A process that is just becoming another shows no environment for a moment.
    for _ in 0..20 {
        if end_seen(marks, &mut ended) {
            break;
        }
        std::thread::yield_now();
    }
    ended
}

/// Ends those that can be seen to carry a mark; whether the environment of every process could be seen.
fn end_seen(marks: &BTreeSet<Vec<u8>>, ended: &mut Vec<u32>) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return true };
    let mut all_seen = true;
    for entry in processes.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(environment) = fs::read(entry.path().join("environ")) else { continue };
        // Threads of the kernel have none either, and no program.
        all_seen &= !environment.is_empty()
            || is_over(pid)
            || fs::read_link(entry.path().join("exe")).is_err();
        if environment.split(|byte| *byte == 0).any(|variable| marks.contains(variable)) && end(pid)
        {
            ended.push(pid);
        }
    }
    all_seen
}

/// Ends a process and its group at once.
fn end(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    let _ = kill_process_group(pid, Signal::KILL);
    let _ = kill_process(pid, Signal::KILL);
    // Gone at once or a zombie: either way it does nothing more.
    for _ in 0..100 {
        if is_over(pid.as_raw_nonzero().get().unsigned_abs()) {
            break;
        }
        std::thread::yield_now();
    }
    true
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in brackets and may hold anything, brackets too.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let started = fields.nth(18)?.parse().ok()?;
    Some(Stat { state, started })
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
}
