//! The counter: the only room that speaks to a person or knows an exit code.
//!
//! Each command is one file with its arguments and one function. Data goes to
//! standard output and talk to standard error, so that a pipe carries only the
//! answer. Other commands than `start` never talk to the daemon: they move files,
//! leave notes, and read.

mod budget;
mod cancel;
mod check;
mod doctor;
mod init;
mod language;
mod list;
mod log;
mod logger;
mod maintain;
mod manual;
mod master;
mod mcp;
mod pause;
mod rebuild;
mod report;
mod result;
mod retry;
mod route;
mod scan;
mod show;
mod site;
mod start;
mod status;
mod submit;
mod table;
mod top;
mod tree;
mod trouble;
mod ui;
mod wait;
mod watch;
mod workers;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use site::Site;
use trouble::Trouble;
use ui::Ui;

/// What every command takes stands apart in its help.
const EVERYWHERE: &str = "Options of every command";

/// A queue that is a folder: drop a JSON task, find the answer
#[derive(Parser, Debug)]
#[command(name = "koubou", version, propagate_version = true)]
struct Args {
    /// The home [default: $KOUBOU_HOME, /var/koubou or ~/.local/share/koubou]
    #[arg(long, global = true, value_name = "DIR", help_heading = EVERYWHERE)]
    home: Option<PathBuf>,
    /// Answer with one JSON document
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,
    /// Say more; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet", help_heading = EVERYWHERE)]
    verbose: u8,
    /// Say only what went wrong
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Init(init::Args),
    Start(start::Args),
    Submit(submit::Args),
    Wait(wait::Args),
    Result(result::Args),
    Show(show::Args),
    List(list::Args),
    Log(log::Args),
    Watch(watch::Args),
    Retry(retry::Args),
    Cancel(cancel::Args),
    Pause(pause::PauseArgs),
    Resume(pause::ResumeArgs),
    Status(status::Args),
    Workers(workers::Args),
    Top(top::Args),
    Route(route::Args),
    Scan(scan::Args),
    Budget(budget::Args),
    Report(report::Args),
    Doctor(doctor::Args),
    Rebuild(rebuild::Args),
    Maintain(maintain::Args),
    Check(check::Args),
    Completions(manual::CompletionsArgs),
    Man(manual::ManArgs),
    Master(master::Args),
    Mcp(mcp::Args),
}

/// What a command that went well has to say to the shell.
type Done = Result<Exit, Trouble>;

/// An exit code, by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Done.
    Done = 0,
    /// What was asked about had failed; it was told already.
    Failed = 1,
    /// Something must wait; it was told what, and for what.
    TryLater = 75,
    /// A `--timeout` ran out.
    TimedOut = 124,
}

/// Runs the program.
pub fn main() -> ExitCode {
    language::settle();
    let args = match language::parse::<Args>(std::env::args_os()) {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    let mut ui = Ui::new(args.json, args.quiet, args.verbose);
    let site = Site::find(args.home.as_deref());
    match run(args.command, &mut ui, &site) {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(trouble) => {
            ui.trouble(&trouble);
            ExitCode::from(trouble.code)
        }
    }
}

fn run(command: Command, ui: &mut Ui, site: &Site) -> Done {
    match command {
        Command::Init(args) => init::run(ui, site, &args),
        Command::Start(args) => start::run(ui, site, &args),
        Command::Submit(args) => submit::run(ui, site, &args),
        Command::Wait(args) => wait::run(ui, site, &args),
        Command::Result(args) => result::run(ui, site, &args),
        Command::Show(args) => show::run(ui, site, &args),
        Command::List(args) => list::run(ui, site, &args),
        Command::Log(args) => log::run(ui, site, &args),
        Command::Watch(args) => watch::run(ui, site, &args),
        Command::Retry(args) => retry::run(ui, site, &args),
        Command::Cancel(args) => cancel::run(ui, site, &args),
        Command::Pause(args) => pause::pause(ui, site, &args),
        Command::Resume(args) => pause::resume(ui, site, &args),
        Command::Status(args) => status::run(ui, site, &args),
        Command::Workers(args) => workers::run(ui, site, &args),
        Command::Top(args) => top::run(ui, site, &args),
        Command::Route(args) => route::run(ui, site, &args),
        Command::Scan(args) => scan::run(ui, site, &args),
        Command::Budget(args) => budget::run(ui, site, &args),
        Command::Report(args) => report::run(ui, site, &args),
        Command::Doctor(args) => doctor::run(ui, site, &args),
        Command::Rebuild(args) => rebuild::run(ui, site, &args),
        Command::Maintain(args) => maintain::run(ui, site, &args),
        Command::Check(args) => check::run(ui, site, &args),
        Command::Completions(args) => manual::completions(ui, &args),
        Command::Man(args) => manual::man(ui, &args),
        Command::Master(args) => master::run(ui, site, &args),
        Command::Mcp(args) => mcp::run(ui, site, &args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }
}
