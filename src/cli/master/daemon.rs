//! The daemon under a master: found, or started for as long as he is there.
//!
//! One that runs already is nobody's business here. One that was started here is asked to stop
//! when the master has gone, finishes what it runs, and is the only process that is ever sent a
//! signal besides the agent.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::base::files::At;
use crate::base::words::Count;
use crate::cli::language::told;
use crate::cli::trouble::Trouble;
use crate::cli::{Site, Ui};
use crate::task::Folder;

/// What happens around a master.
pub(super) enum Event {
    /// The daemon that was started here is at work.
    Ready,
    /// The process of this number has ended.
    Ended(u32),
    /// Somebody at the terminal, or the system, sent us a signal.
    Signal(i32),
}

/// A daemon that was started here.
pub(super) struct Started {
    child: Child,
}

/// Starts a daemon where none works the home, and waits until it is at work.
pub(super) fn ensure(
    ui: &mut Ui,
    site: &Site,
    tell: &Sender<Event>,
    told: &Receiver<Event>,
) -> Result<Option<Started>, Trouble> {
    if let Some(pid) = site.daemon() {
        ui.say(&format!("process {pid} works this home"));
        return Ok(None);
    }
    let said = site.home.path().join("logs/system/start.log");
    let ready = report_ready(tell.clone())?;
    let mut child = spawn(site, &said, &ready)?;
    let pid = child.id();
    report_end(pid, tell.clone())?;
    while let Ok(event) = told.recv() {
        match event {
            Event::Ready => {
                ui.say(&format!("started the daemon, process {pid}; it stops when you are done"));
                return Ok(Some(Started { child }));
            }
            Event::Signal(_) => end(&child, Signal::TERM),
            Event::Ended(ended) if ended == pid => break,
            Event::Ended(_) => {}
        }
    }
    let _ = child.wait();
    // Somebody may have been quicker with one of his own.
    if site.daemon().is_some() { Ok(None) } else { Err(would_not(&said)) }
}

/// Hears from the daemon that it is at work; the name of the ear, as systemd writes it.
fn report_ready(tell: Sender<Event>) -> Result<String, Trouble> {
    let failed =
        |error: io::Error| Trouble::new("cannot listen for the daemon").because(error.to_string());
    let name = format!("koubou-{}", super::fresh_name());
    let address = SocketAddr::from_abstract_name(&name).map_err(failed)?;
    let ear = UnixDatagram::bind_addr(&address).map_err(failed)?;
    let hear = move || {
        if ear.recv(&mut [0; 64]).is_ok() {
            let _ = tell.send(Event::Ready);
        }
    };
    let thread = std::thread::Builder::new().name("ready".into()).spawn(hear);
    thread.map(|_| format!("@{name}")).map_err(failed)
}

/// In a group of its own: what is typed at the terminal is not for it.
fn spawn(site: &Site, said: &Path, ready: &str) -> Result<Child, Trouble> {
    let log = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(said)
        .at("open", said)?;
    // The daemon writes it for as long as it lives: it is not to be packed before.
    let _ = fs2::FileExt::try_lock_shared(&log);
    Command::new(super::program()?)
        .arg("--home")
        .arg(site.home.path())
        .arg("start")
        .env("NOTIFY_SOCKET", ready)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(|error| Trouble::new("cannot start the daemon").because(error.to_string()))
}

fn would_not(said: &Path) -> Trouble {
    const MOST: u64 = 64 << 10;
    let mut text = String::new();
    let _ = File::open(said).and_then(|file| file.take(MOST).read_to_string(&mut text));
    let mut trouble = Trouble::new("the daemon did not start");
    let label = told("error: ");
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        trouble = trouble.because(line.strip_prefix(&*label).unwrap_or(line));
    }
    trouble.hint("`koubou doctor` says what is wrong with the set-up")
}

/// Tells when a child has ended, and leaves it to be collected: till then its number is its own.
pub(super) fn report_end(pid: u32, tell: Sender<Event>) -> Result<(), Trouble> {
    let wait = move || {
        if let Some(child) = as_pid(pid) {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(child), options) {}
        }
        let _ = tell.send(Event::Ended(pid));
    };
    let thread = std::thread::Builder::new().name("child".into()).spawn(wait);
    thread
        .map(drop)
        .map_err(|error| Trouble::new("cannot start a thread").because(error.to_string()))
}

/// Sends a signal to a child that has not been collected.
pub(super) fn end(child: &Child, signal: Signal) {
    if let Some(pid) = as_pid(child.id()) {
        let _ = kill_process(pid, signal);
    }
}

fn as_pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

impl Started {
    /// Asks it to stop, and waits until what it runs is finished; whoever asks again has it stop at once.
    pub(super) fn stop(mut self, ui: &mut Ui, site: &Site, told: &Receiver<Event>) {
        if let Ok(Some(status)) = self.child.try_wait() {
            ui.insist(&format!(
                "the daemon had ended by itself ({status}): see logs/system/start.log"
            ));
            return;
        }
        // The Ctrl-C that ended the agent reached us, too, and was not meant for the daemon.
        while told.try_recv().is_ok_and(|event| !self.is_end(&event)) {}
        end(&self.child, Signal::TERM);
        let running = site.spool_here().count(Folder::InProgress).unwrap_or(0);
        if running > 0 {
            ui.say(&format!(
                "{} in progress: the daemon finishes what it runs; Ctrl-C puts it back instead",
                Count(running as u64, "task")
            ));
        }
        let mut asked_again = false;
        while let Ok(None) = self.child.try_wait() {
            match told.recv() {
                Ok(Event::Signal(_)) if !std::mem::replace(&mut asked_again, true) => {
                    end(&self.child, Signal::TERM);
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
    }

    fn is_end(&self, event: &Event) -> bool {
        matches!(event, Event::Ended(pid) if *pid == self.child.id())
    }
}

/// Says what is left to do, where nobody does it any more.
pub(super) fn say_what_waits(ui: &mut Ui, site: &Site) {
    let spool = site.spool_here();
    let count = |folder| spool.count(folder).unwrap_or(0) as u64;
    let (pending, working) = (count(Folder::Pending), count(Folder::InProgress));
    let parts = [(pending, "pending"), (working, "in progress")];
    let parts = parts.into_iter().filter(|(n, _)| *n > 0);
    let parts: Vec<String> =
        parts.map(|(n, place)| format!("{} {place}", Count(n, "task"))).collect();
    if !parts.is_empty() {
        let left = parts.join(" and ");
        ui.say(&format!("left to do: {left}; {} goes on", site.call("start")));
    }
}
