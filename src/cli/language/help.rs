//! The arguments in the language that is spoken: what `--help` says, and what clap complains of.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};

use super::{spoken, told};

/// The arguments as they were typed; or how to end, where there is nothing to be done with them.
pub(in crate::cli) fn parse<T: CommandFactory + FromArgMatches>(
    typed: impl Iterator<Item = OsString>,
) -> Result<T, ExitCode> {
    let mut command = T::command();
    if spoken().is_some() {
        command.build();
        command = translated(command);
    }
    let parsed = command.try_get_matches_from_mut(typed).and_then(|mut matches| {
        T::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
    });
    parsed.map_err(|error| {
        complain(&error);
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}

/// Prints help, which is translated already, as it is, and a complaint line by line.
fn complain(error: &clap::Error) {
    let is_answer = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::DisplayVersion
    );
    match spoken().filter(|_| !is_answer) {
        Some(catalogue) => {
            let text = error.render().to_string();
            let _ = write!(std::io::stderr(), "{}", catalogue.told_lines(&text));
        }
        None => drop(error.print()),
    }
}

/// A command with its whole tree.
fn translated(mut command: Command) -> Command {
    let name = |text: &StyledStr| told(&text.to_string()).into_owned();
    if let Some(about) = command.get_about().map(name) {
        command = command.about(about);
    }
    if let Some(about) = command.get_long_about().map(name) {
        command = command.long_about(about);
    }
    let usage = command.get_styles().get_usage();
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{usage}{}{usage:#} {{usage}}\n\n{{all-args}}{{after-help}}",
        told("Usage:")
    );
    command
        .help_template(template)
        .subcommand_help_heading(told("Commands").into_owned())
        .mut_args(argument)
        .mut_subcommands(translated)
}

fn argument(mut arg: Arg) -> Arg {
    let heading = arg.get_help_heading().map(str::to_owned);
    let usual = if arg.is_positional() { "Arguments" } else { "Options" };
    arg = arg.help_heading(told(heading.as_deref().unwrap_or(usual)).into_owned());
    // What clap adds to a help by itself is added here in its place.
    let added = added(&arg);
    let text = |text: &StyledStr| format!("{}{added}", told(&text.to_string()));
    if let Some(help) = arg.get_help().map(text) {
        arg = arg.help(help);
    }
    if let Some(help) = arg.get_long_help().map(text) {
        arg = arg.long_help(help);
    }
    arg.hide_possible_values(true).hide_default_value(true)
}

fn added(arg: &Arg) -> String {
    let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    let mut added = String::new();
    let defaults = arg.get_default_values();
    if takes_value && !defaults.is_empty() && !arg.is_hide_default_value_set() {
        let values: Vec<_> = defaults.iter().map(|value| value.to_string_lossy()).collect();
        added.push_str(&format!(" {}", told(&format!("[default: {}]", values.join(" ")))));
    }
    let values = arg.get_possible_values();
    let values: Vec<&str> = values.iter().map(clap::builder::PossibleValue::get_name).collect();
    if takes_value && !values.is_empty() && !arg.is_hide_possible_values_set() {
        added.push_str(&format!(" {}", told(&format!("[possible values: {}]", values.join(", ")))));
    }
    added
}
