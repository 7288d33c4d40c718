//! `koubou master`: an interactive agent over a running workshop.
//!
//! It sees to it that a daemon works the home, gives the agent koubou's MCP tools and a page that
//! teaches it the workshop, and leaves it the terminal. When the agent ends, the daemon that was
//! started for it is asked to stop. The agent's exit code is ours.
//!
//! Nothing is written into anybody's own settings: Codex and Claude Code are told by arguments,
//! others by variables.

mod agents;
mod daemon;

use std::env;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, Sender};

use rustix::process::Signal;
use serde_json::{Map, Value};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::submit::fresh_name;
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::files::{self, At};
use crate::base::words;
use agents::Workshop;
use daemon::Event;

/// Start the master agent over the workshop, with a daemon where none runs
///
/// The agent is `master_agent` of the settings: codex, claude, or a program that finds what it
/// needs in KOUBOU_MCP_CONFIG and KOUBOU_INSTRUCTIONS. ARGS are passed on to it, with
/// {mcp_config}, {instructions} and {home} filled in.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Print what to put into the settings of Codex, Claude Code and other MCP clients
    #[arg(long, conflicts_with = "args")]
    print_config: bool,
    /// What the agent is started with
    #[arg(value_name = "ARGS", last = true)]
    args: Vec<OsString>,
}

/// The page that teaches an agent the workshop.
const TAUGHT: &str = include_str!("../../../spool-layout/master/AGENTS.md");

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    site.spool()?;
    let site = &site.resolved();
    if args.print_config {
        return print_config(ui, &workshop(site)?);
    }
    let config = site.config()?;
    let agent = find(&config.master_agent)?;
    let workshop = workshop(site)?;
    furnish(site, &workshop)?;
    let (tell, told) = mpsc::channel();
    listen(tell.clone())?;
    let started = daemon::ensure(ui, site, &tell, &told)?;
    let is_ours = started.is_some();
    let ended = work(&agent, &workshop, args, &tell, &told);
    if let Some(started) = started {
        started.stop(ui, site, &told);
    }
    if is_ours {
        daemon::say_what_waits(ui, site);
    }
    match code_of(ended?) {
        0 => Ok(Exit::Done),
        code => Err(Trouble::of_another(code)),
    }
}

fn workshop(site: &Site) -> Result<Workshop, Trouble> {
    let room = room(site);
    let instructions = room.join("AGENTS.md");
    let taught = std::fs::read_to_string(&instructions).unwrap_or_else(|_| TAUGHT.to_owned());
    Ok(Workshop {
        program: program()?,
        home: site.home.path().to_owned(),
        mcp_config: room.join("mcp.json"),
        instructions,
        taught,
    })
}

/// Where the master's papers lie.
fn room(site: &Site) -> PathBuf {
    site.home.path().join("master")
}

/// Ourselves, as another process can start us.
fn program() -> Result<PathBuf, Trouble> {
    env::current_exe().map_err(|error| {
        Trouble::new("cannot find the program that is running").because(error.to_string())
    })
}

/// Lays out the agent's papers. The page stays as somebody changed it; the settings are ours.
fn furnish(site: &Site, workshop: &Workshop) -> Result<(), Trouble> {
    let room = room(site);
    std::fs::create_dir_all(&room).at("create", &room)?;
    if !files::exists(&workshop.instructions) {
        files::replace(&site.home.tmp(), &workshop.instructions, TAUGHT.as_bytes(), 0o644)?;
    }
    let mut settings = serde_json::to_vec_pretty(&workshop.as_json()).unwrap_or_default();
    settings.push(b'\n');
    files::replace(&site.home.tmp(), &workshop.mcp_config, &settings, 0o644)?;
    Ok(())
}

/// The agent's program, before anything is started for it.
fn find(name: &str) -> Result<PathBuf, Trouble> {
    let is_program = |path: &PathBuf| {
        rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file()
    };
    let found = match name.contains('/') {
        true => Some(PathBuf::from(name)).filter(is_program),
        false => env::split_paths(&env::var_os("PATH").unwrap_or_default())
            .map(|dir| dir.join(name))
            .find(is_program),
    };
    found.ok_or_else(|| {
        let shown = words::tame(name);
        let get = match name {
            "codex" => "`npm install -g @openai/codex` installs it; or",
            "claude" => "`npm install -g @anthropic-ai/claude-code` installs it; or",
            _ => "install it, or",
        };
        Trouble::new(format!("there is no program `{shown}`, the `master_agent` of the settings"))
            .hint(format!("{get} name another in config/agent.yaml"))
    })
}

/// Hears what is typed or sent at us: while the agent works, Ctrl-C is for the agent.
fn listen(tell: Sender<Event>) -> Result<(), Trouble> {
    let failed = |error: std::io::Error| {
        Trouble::new("cannot listen for signals").because(error.to_string())
    };
    let mut signals = Signals::new([SIGINT, SIGQUIT, SIGTERM, SIGHUP]).map_err(failed)?;
    let hear = move || {
        for signal in signals.forever() {
            if tell.send(Event::Signal(signal)).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(hear).map(drop).map_err(failed)
}

/// Leaves the terminal to the agent until it ends.
fn work(
    agent: &Path,
    workshop: &Workshop,
    args: &Args,
    tell: &Sender<Event>,
    told: &Receiver<Event>,
) -> Result<ExitStatus, Trouble> {
    let failed = |error: std::io::Error| {
        let shown = words::tame(&agent.to_string_lossy());
        Trouble::new(format!("cannot start `{shown}`")).because(error.to_string())
    };
    let mut child = Command::new(agent)
        .args(workshop.arguments(agent))
        .args(args.args.iter().map(|argument| workshop.filled(argument)))
        .envs(workshop.variables())
        .spawn()
        .map_err(failed)?;
    daemon::report_end(child.id(), tell.clone())?;
    while let Ok(event) = told.recv() {
        match event {
            Event::Ended(pid) if pid == child.id() => break,
            // What ends us ends the agent, too, which nobody else would tell.
            Event::Signal(SIGTERM | SIGHUP) => daemon::end(&child, Signal::TERM),
            Event::Signal(_) | Event::Ended(_) | Event::Ready => {}
        }
    }
    child.wait().map_err(failed)
}

/// An exit code as shells tell it: 128 and its number for a signal.
fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

fn print_config(ui: &mut Ui, workshop: &Workshop) -> Done {
    let snippets = workshop.snippets();
    if ui.is_json() {
        let all: Map<String, Value> =
            snippets.into_iter().map(|(whose, text)| (whose.to_owned(), text.into())).collect();
        ui.json_line(&all)?;
        return Ok(Exit::Done);
    }
    for (n, (whose, text)) in snippets.iter().enumerate() {
        let before = if n == 0 { "" } else { "\n" };
        ui.verbatim(&format!("{before}# {}\n\n{}", super::language::told(whose), text.trim_end()))?;
    }
    Ok(Exit::Done)
}
