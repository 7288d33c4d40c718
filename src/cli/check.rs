//! `koubou check`: says what is wrong with a task before it is dropped, or what it may be.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui, submit};
use crate::base::words;
use crate::engine::attachments;
use crate::route::decision::Wish;
use crate::task::{Task, schema, wire};

/// Say what is wrong with tasks, dropping nothing: exit 1 where anything is
///
/// A file, or standard input for `-`, may hold one task, an array of tasks, or one
/// task a line.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Files with tasks; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "schema")]
    files: Vec<PathBuf>,
    /// Print the JSON schema of a task, or with `=result` that of a result, for editors
    #[arg(
        long, value_name = "OF", value_enum, num_args = 0..=1, require_equals = true,
        default_missing_value = "task", conflicts_with = "files"
    )]
    schema: Option<Of>,
}

/// What a schema is of.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Of {
    Task,
    Result,
}

/// What is wrong or odd with one task.
struct Finding {
    source: String,
    error: Option<String>,
    warnings: Vec<String>,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    if let Some(of) = args.schema {
        let schema = match of {
            Of::Task => schema::task(),
            Of::Result => schema::result(),
        };
        ui.line(&format!("{schema:#}"))?;
        return Ok(Exit::Done);
    }
    let config = site.config_if_any()?;
    let mut all_good = true;
    for file in &args.files {
        let findings = match submit::drafts_in(std::slice::from_ref(file)) {
            Ok(drafts) => drafts.into_iter().map(|draft| look_at(draft, config.as_ref())).collect(),
            Err(trouble) => vec![no_tasks(file, &trouble)],
        };
        for finding in findings {
            all_good &= finding.error.is_none();
            tell(ui, &finding)?;
        }
    }
    Ok(if all_good { Exit::Done } else { Exit::Failed })
}

/// What is wrong or odd with a task of a file.
fn look_at(draft: submit::Draft, config: Option<&crate::config::Config>) -> Finding {
    let mut finding = Finding { source: draft.source, error: None, warnings: draft.warnings };
    let bytes = Value::Object(draft.document).to_string();
    match wire::read("task", bytes.as_bytes()) {
        Err(flaws) => finding.error = Some(flaws.message()),
        Ok(task) => {
            finding.warnings.extend_from_slice(&task.warnings);
            if let Some(config) = config {
                finding.error = why_not_here(&task, config, &mut finding.warnings);
            }
        }
    }
    finding
}

/// That a file holds no tasks: the others are looked at all the same.
fn no_tasks(file: &Path, trouble: &Trouble) -> Finding {
    let source = submit::source_of(file);
    // Its name stands before it already.
    let message = trouble.message.strip_prefix(&source).unwrap_or(&trouble.message).trim_start();
    let causes = trouble.causes.iter().map(|cause| format!(": {cause}"));
    let error = Some(causes.fold(message.to_owned(), |all, cause| all + &cause));
    Finding { source, error, warnings: Vec::new() }
}

/// What is wrong with a task in this home: a worker that there is not, a file that may not be read.
fn why_not_here(
    task: &Task,
    config: &crate::config::Config,
    warnings: &mut Vec<String>,
) -> Option<String> {
    if let Err(why) = attachments::workspace(task, config) {
        return Some(why);
    }
    let files = match attachments::read(task, config) {
        Ok(files) => files,
        Err(why) => return Some(why),
    };
    let seen = config.router.assess(task, &files);
    let decision = config.router.decide(&Wish::of(task), &seen, false);
    warnings.extend(decision.warnings);
    decision.worker_type.err()
}

fn tell(ui: &mut Ui, finding: &Finding) -> Result<(), Trouble> {
    if ui.is_json() {
        return ui.json_line(&json!({
            "source": finding.source,
            "ok": finding.error.is_none(),
            "error": finding.error,
            "warnings": finding.warnings,
        }));
    }
    let said = finding.error.as_ref().map_or_else(|| "good".to_owned(), |why| words::tame(why));
    ui.line(&format!("{}: {said}", finding.source))?;
    for warning in &finding.warnings {
        ui.warn(&format!("{}: {warning}", finding.source));
    }
    Ok(())
}
