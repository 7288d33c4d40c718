//! `koubou result`: a task's answer, alone.

use serde_json::Value;

use super::site::{Located, parse_id};
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::files::ReadError;
use crate::spool::Spool;
use crate::task::{Folder, TaskId};

/// Print a task's answer, and nothing else
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The task
    #[arg(value_name = "ID", value_parser = parse_id)]
    id: TaskId,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    let spool = site.spool()?;
    let (Located { ref id, folder, .. }, result) =
        site.read_in_place(&spool, &args.id, |Located { id, folder, .. }| {
            folder.is_end().then(|| read_result(&spool, *folder, id)).transpose()
        })?;
    let Some(result) = result else {
        site.hint_if_idle(ui);
        return Err(Trouble::try_later(format!("`{id}` is {folder}, and has no result yet"))
            .hint(format!("{} waits for it", site.call(&format!("wait {id}")))));
    };
    if ui.is_json() {
        ui.json_line(&result)?;
    } else if let Some(content) = result.get("content").and_then(Value::as_str) {
        ui.raw(content.as_bytes())?;
        if ui.is_terminal() && !content.ends_with('\n') {
            ui.raw(b"\n")?;
        }
    }
    if folder == Folder::Completed {
        return Ok(Exit::Done);
    }
    let why = result.pointer("/error/message").and_then(Value::as_str).unwrap_or("it failed");
    Err(Trouble::new(format!("`{id}` failed: {why}"))
        .hint(format!("{} tells the whole story", site.call(&format!("show {id}")))))
}

/// A result's document, of whatever size, from its folder or from the archive.
pub(super) fn read_result(spool: &Spool, folder: Folder, id: &TaskId) -> Result<Value, Trouble> {
    let path = spool.file(folder, id);
    let bytes = spool.read_result(folder, id).map_err(|error| match error {
        ReadError::File(error) => error.into(),
        other => Trouble::new(format!("cannot read `{}`: {other}", path.display())),
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Trouble::new(format!("`{}` is not a result", path.display()))
            .because(error.to_string())
            .hint("mend it, or take it away: `koubou doctor` names every such file")
    })
}
