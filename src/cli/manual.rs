//! `koubou completions` and `koubou man`: what packagers install beside the program.

use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::trouble::Trouble;
use super::{Done, Exit, Ui};
use crate::base::files::FileError;

/// What the arguments cannot tell: exit codes, variables, files.
const MORE: &str = include_str!("manual.roff");

/// Print what makes a shell complete koubou's commands
#[derive(clap::Args, Debug)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Print the manual page, or write one for each command into a folder
#[derive(clap::Args, Debug)]
pub(super) struct ManArgs {
    /// Write `koubou.1`, `koubou-submit.1` and so on into this folder
    #[arg(value_name = "DIR")]
    into: Option<PathBuf>,
}

pub(super) fn completions(ui: &mut Ui, args: &CompletionsArgs) -> Done {
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut super::Args::command(), "koubou", &mut bytes);
    ui.raw(&bytes)?;
    Ok(Exit::Done)
}

pub(super) fn man(ui: &mut Ui, args: &ManArgs) -> Done {
    let page = page().map_err(|error| Trouble::new(error.to_string()))?;
    match &args.into {
        Some(name) if !name.exists() && is_command(name) => {
            let name = name.display();
            return Err(Trouble::usage(format!("`{name}` is a command, and no folder"))
                .hint(format!("`koubou {name} --help` tells of it; `koubou man ./{name}` writes all pages into a folder of this name")));
        }
        Some(dir) => std::fs::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(super::Args::command(), dir))
            .and_then(|()| std::fs::write(dir.join("koubou.1"), page))
            .map_err(|error| FileError::new("write manual pages into", dir, error))?,
        None => ui.raw(page.as_bytes())?,
    }
    Ok(Exit::Done)
}

fn is_command(name: &Path) -> bool {
    let commands = super::Args::command();
    commands.get_subcommands().any(|command| name.as_os_str() == command.get_name())
}

/// The page of the program itself.
fn page() -> io::Result<String> {
    let mut bytes = Vec::new();
    Man::new(super::Args::command().disable_help_subcommand(true)).render(&mut bytes)?;
    let mut page = String::from_utf8_lossy(&bytes).into_owned();
    let last = page.find(".SH VERSION").unwrap_or(page.len());
    page.insert_str(last, MORE);
    Ok(page)
}
