//! The terminal: ours while we run, and as it was when we go, however we go.
//!
//! A panic, a signal that ends us and a stop (Ctrl-Z, `kill -TSTP`) all leave it restored first.

use std::io::{self, IsTerminal};

use crossbeam_channel::Sender;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, disable_raw_mode, enable_raw_mode, is_raw_mode_enabled,
};
use rustix::process::{Signal, getpgid, getpgrp, getppid, getsid, kill_current_process_group};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::Event;

/// The terminal, drawn on.
pub(super) struct Screen {
    pub(super) terminal: DefaultTerminal,
}

/// Why it cannot be drawn on here.
pub(super) fn why_not() -> Option<&'static str> {
    let is_dumb = std::env::var("TERM").map_or(true, |term| term.is_empty() || term == "dumb");
    match () {
        () if !io::stdout().is_terminal() => Some("standard output is no terminal"),
        () if !io::stdin().is_terminal() => Some("standard input is no terminal"),
        () if is_dumb => Some("TERM says that the terminal cannot be drawn on"),
        () => None,
    }
}

impl Screen {
    /// Takes the terminal; a panic from now on restores it.
    pub(super) fn open() -> io::Result<Self> {
        let terminal = ratatui::try_init().inspect_err(|_| drop(ratatui::try_restore()))?;
        Ok(Self { terminal })
    }

    fn leave(&mut self) {
        // Of a terminal that is gone nothing has to be restored.
        let _ = self.terminal.show_cursor();
        // After a panic it is restored already; once more would write over what was said of it.
        if is_raw_mode_enabled().unwrap_or(true) {
            let _ = ratatui::try_restore();
        }
    }

    /// Takes the terminal again, whatever somebody else made of it meanwhile.
    pub(super) fn enter_again(&mut self) -> io::Result<()> {
        disable_raw_mode()?;
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen)?;
        self.paint_anew()
    }

    /// Has the next drawing draw all of it.
    pub(super) fn paint_anew(&mut self) -> io::Result<()> {
        // `clear` would ask the terminal for its cursor, and the thread that reads keys would
        // get the answer.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    /// Stops until somebody has us go on, with the terminal restored meanwhile.
    pub(super) fn stop(&mut self) -> io::Result<()> {
        self.leave();
        emulate_default_handler(SIGTSTP)?;
        self.enter_again()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Has everybody stop who was started with us, as Ctrl-Z does; we hear of it as a signal.
pub(super) fn ask_to_stop() -> Result<(), &'static str> {
    if !has_shell() {
        return Err("there is no shell here that could have koubou go on again");
    }
    kill_current_process_group(Signal::TSTP).map_err(|_| "cannot stop")
}

/// Whether there is a shell that can have us go on again: the parent of our process group, in
/// our session.
fn has_shell() -> bool {
    let mut parent = getppid();
    while let Some(pid) = parent {
        match getpgid(Some(pid)) {
            Ok(group) if group == getpgrp() => parent = parent_of(pid),
            Ok(_) => {
                let session = |pid| getsid(pid).ok();
                return session(Some(pid)) == session(None);
            }
            Err(_) => return false,
        }
    }
    false
}

fn parent_of(pid: rustix::process::Pid) -> Option<rustix::process::Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may have any signs in it; the state and the parent follow.
    let behind_name = &stat[stat.rfind(')')? + 1..];
    rustix::process::Pid::from_raw(behind_name.split_whitespace().nth(1)?.parse().ok()?)
}

/// Ends as a signal ends a program that knows nothing of it, so that our parent sees why.
pub(super) fn end_by(signal: i32) -> io::Result<()> {
    emulate_default_handler(signal)
}

/// Tells of keys, of another size, and of signals, each on a thread of its own.
pub(super) fn listen(tell: &Sender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT])?;
    let ear = tell.clone();
    let hear = move || {
        for signal in signals.forever() {
            if ear.send(Event::Signal(signal)).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(hear)?;
    let ear = tell.clone();
    let read = move || {
        loop {
            let told = match event::read() {
                Ok(input) => Event::Input(input),
                Err(error) => Event::Lost(format!("cannot read the keys: {error}")),
            };
            let is_lost = matches!(told, Event::Lost(_));
            if ear.send(told).is_err() || is_lost {
                return;
            }
        }
    };
    std::thread::Builder::new().name("keys".into()).spawn(read).map(drop)
}
