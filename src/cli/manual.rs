//! `koubou completions` and `koubou man`: what packagers install beside the program.

use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use super::trouble::Trouble;
use super::{Done, Exit, Ui};
use crate::base::files::FileError;

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
    match &args.into {
        Some(dir) => std::fs::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(super::Args::command(), dir))
            .map_err(|error| FileError::new("write manual pages into", dir, error))?,
        None => {
            let mut bytes = Vec::new();
            clap_mangen::Man::new(super::Args::command())
                .render(&mut bytes)
                .map_err(|error| Trouble::new(error.to_string()))?;
            ui.raw(&bytes)?;
        }
    }
    Ok(Exit::Done)
}
