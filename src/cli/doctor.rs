//! `koubou doctor`: every check of the set-up, what is wrong, and the command that mends it.
//!
//! An error is what fails tasks, lets nothing run or shows a key to others; a warning
//! is what only makes tasks wait, or will matter one day. Looking changes nothing:
//! `--fix` and `--send` alone do, and say so. No value of a key is ever told.

mod fix;
mod machine;
pub(super) mod place;
mod send;
mod settings;
mod shop;
mod state;

use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::language::told;
use super::table::padded;
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::words::{self, Count};
use crate::config::Config;

/// Check the set-up: what is wrong, and the command that mends it
///
/// Exits with 0 where there is no error.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Send each model a test request; what it costs counts in the budget
    #[arg(long)]
    send: bool,
    /// Do what is harmless: missing folders, modes of private files, leftovers in tmp
    #[arg(long)]
    fix: bool,
    /// Open every result and look through the whole database, however large
    #[arg(long)]
    thorough: bool,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    Warning,
    Error,
}

/// What a check found.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    name: &'static str,
    status: Status,
    what: String,
    #[serde(rename = "where")]
    place: String,
    /// The command that mends it.
    mend: Option<String>,
}

#[derive(Serialize)]
struct Report {
    checks: Vec<Finding>,
    ok: bool,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    let mut checks = Vec::new();
    if args.fix && place::is_home(site) && place::of_another_form(site).is_none() {
        checks.extend(fix::harmless(site));
    }
    let config = look(site, args.thorough, &mut checks);
    if let Some(config) = config.as_ref().filter(|_| args.send) {
        checks.extend(send::to_each(ui, site, config));
    }
    hide_secrets(site, config.as_ref(), &mut checks);
    let ok = checks.iter().all(|check| check.status != Status::Error);
    ui.answer(&Report { checks, ok })?;
    Ok(if ok { Exit::Done } else { Exit::Failed })
}

/// Makes every check that changes nothing; the settings, where they are good.
fn look(site: &Site, is_thorough: bool, checks: &mut Vec<Finding>) -> Option<Config> {
    if !place::is_home(site) {
        let what = "there is no koubou home here";
        let init = format!("koubou --home {} init", words::shell_path(site.home.path()));
        checks.push(Finding::error("home", site.home.path(), what).mend(init));
        checks.extend(machine::of_no_home());
        return None;
    }
    if let Some(finding) = place::of_another_form(site) {
        checks.push(finding);
        return None;
    }
    checks.extend(place::look(site));
    let config = settings::look(site, checks);
    checks.extend(state::look(site, is_thorough));
    checks.extend(machine::look(site, config.as_ref()));
    if let Some(config) = &config {
        checks.extend(shop::look(site, config));
    }
    config
}

/// What others said may hold a key that they were sent: none gets out.
fn hide_secrets(site: &Site, config: Option<&Config>, checks: &mut [Finding]) {
    let own = site.environment().map(|environment| environment.mask());
    let masks = [config.map(|config| config.mask.clone()), own.ok()];
    for mask in masks.iter().flatten() {
        for check in checks.iter_mut() {
            check.what = mask.hide(&check.what).unwrap_or_else(|| check.what.clone());
        }
    }
}

impl Finding {
    fn new(name: &'static str, status: Status, place: String, what: String) -> Self {
        Self { name, status, what: words::tame(&what), place: words::tame(&place), mend: None }
    }

    fn ok(name: &'static str, place: impl Place, what: impl Into<String>) -> Self {
        Self::new(name, Status::Ok, place.shown(), what.into())
    }

    fn warning(name: &'static str, place: impl Place, what: impl Into<String>) -> Self {
        Self::new(name, Status::Warning, place.shown(), what.into())
    }

    fn error(name: &'static str, place: impl Place, what: impl Into<String>) -> Self {
        Self::new(name, Status::Error, place.shown(), what.into())
    }

    /// The same, with the command that mends it.
    fn mend(mut self, command: impl Into<String>) -> Self {
        self.mend = Some(command.into());
        self
    }

    /// That a look itself failed.
    fn failed(name: &'static str, place: impl Place, trouble: &Trouble) -> Self {
        let causes = trouble.causes.iter().map(|cause| format!(": {cause}"));
        let what = format!("{}{}", trouble.message, causes.collect::<String>());
        let finding = Self::error(name, place, what);
        match &trouble.hint {
            Some(hint) => Self { what: format!("{}; {hint}", finding.what), ..finding },
            None => finding,
        }
    }
}

/// Where something was found: a path, or a name.
trait Place {
    fn shown(&self) -> String;
}

impl Place for &Path {
    fn shown(&self) -> String {
        self.display().to_string()
    }
}

impl Place for &std::path::PathBuf {
    fn shown(&self) -> String {
        self.display().to_string()
    }
}

impl Place for &str {
    fn shown(&self) -> String {
        (*self).to_owned()
    }
}

impl Place for String {
    fn shown(&self) -> String {
        self.clone()
    }
}

/// A command that opens a file in the editor of whoever types it.
fn edit(path: &Path) -> String {
    format!("${{EDITOR:-vi}} {}", words::shell_path(path))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        for check in &self.checks {
            let Finding { name, what, place, .. } = check;
            let status = match check.status {
                Status::Ok => "ok",
                Status::Warning => "warning",
                Status::Error => "error",
            };
            write!(f, "{}  {name:<width$}  {}", padded(&told(status), 7), told(what))?;
            if check.status != Status::Ok && !what.contains(place.as_str()) {
                write!(f, " ({})", told(place))?;
            }
            writeln!(f)?;
            if let Some(mend) = &check.mend {
                writeln!(f, "{:<7}  {:<width$}  {} {mend}", "", "", told("mend:"))?;
            }
        }
        let count = |status| self.checks.iter().filter(|c| c.status == status).count() as u64;
        let (errors, warnings) = (count(Status::Error), count(Status::Warning));
        writeln!(f, "{}, {}", Count(errors, "error"), Count(warnings, "warning"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_lines_up_and_says_what_to_type() {
        let checks = vec![
            Finding::ok("lock", "/h", "a daemon runs as process 7"),
            Finding::error("database", "/h/db", "it is damaged").mend("koubou rebuild"),
        ];
        let report = Report { checks, ok: false };
        assert_eq!(
            report.to_string(),
            "ok       lock      a daemon runs as process 7\n\
             error    database  it is damaged (/h/db)\n         \
                                mend: koubou rebuild\n\
             1 error, 0 warnings\n"
                .replace("\n         mend", "\n                   mend")
        );
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["checks"][1]["status"], "error");
        assert_eq!(json["checks"][1]["where"], "/h/db");
        assert_eq!(json["checks"][0]["mend"], serde_json::Value::Null);
    }
}
