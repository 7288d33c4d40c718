//! What a key has done to the home, as `pause`, `cancel` and `retry` do it, and said in a sentence.

use super::model::Deed;
use super::page::Story;
use crate::cli::cancel::{self, Cancelling};
use crate::cli::site::{Located, Site};
use crate::cli::trouble::Trouble;
use crate::cli::{pause, retry, show};
use crate::spool::Spool;
use crate::spool::notes::Note;
use crate::task::{TaskId, WorkerType};

/// Does it; what is said of it, or why it could not be done.
pub(super) fn act(site: &Site, spool: &Spool, deed: &Deed) -> String {
    let done = match deed {
        Deed::Pause(worker) => pause(site, worker.as_ref()),
        Deed::Resume(worker) => resume(site, worker.as_ref()),
        Deed::Cancel(id) => cancel(site, spool, id),
        Deed::Retry(id) => retry::retry(spool, id).map(|()| format!("`{id}` is back in pending")),
    };
    done.unwrap_or_else(|trouble| said(&trouble))
}

/// Reads what there is to know of a task.
pub(super) fn story(site: &Site, spool: &Spool, id: &TaskId) -> Result<Story, Trouble> {
    let (Located { id, folder, .. }, document) = show::story(site, spool, id)?;
    Ok(Story::of(&id, folder, &document))
}

/// A trouble and what to do about it, in a line.
pub(super) fn said(trouble: &Trouble) -> String {
    let hint = trouble.hint.as_ref().map(|hint| format!("; {hint}"));
    format!("{}{}", trouble.in_a_line(), hint.unwrap_or_default())
}

fn pause(site: &Site, worker: Option<&WorkerType>) -> Result<String, Trouble> {
    Note::Pause(worker.cloned()).leave(&site.home)?;
    Ok(format!("{} is paused; what runs is finished", whom(worker)))
}

fn resume(site: &Site, worker: Option<&WorkerType>) -> Result<String, Trouble> {
    pause::lift(&Note::Pause(worker.cloned()), &site.home)?;
    Ok(format!("{} goes on", whom(worker)))
}

fn whom(worker: Option<&WorkerType>) -> String {
    worker.map_or("the workshop".to_owned(), |name| format!("worker `{name}`"))
}

fn cancel(site: &Site, spool: &Spool, id: &TaskId) -> Result<String, Trouble> {
    let Located { id, folder, .. } = site.locate(spool, id)?;
    Ok(match cancel::cancel(site, &id, folder)? {
        Cancelling::Ended => format!("`{id}` is {folder} already"),
        Cancelling::Begun(Some(more)) => more,
        Cancelling::Begun(None) if site.daemon().is_none() => {
            format!("the next `koubou start` cancels `{id}` first")
        }
        Cancelling::Begun(None) => format!("`{id}` is being cancelled"),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::task::Folder;

    #[test]
    fn a_deed_is_done_or_it_is_said_why_not() {
        let dir = tempfile::tempdir().unwrap();
        let site = Site::find(Some(&dir.path().join("home")));
        site.home.init().unwrap();
        let spool = site.spool_here();
        let id = |text: &str| text.parse::<TaskId>().unwrap();
        let act = |deed: Deed| act(&site, &spool, &deed);
        let worker = WorkerType::new("local");
        let note = Note::Pause(Some(worker.clone()));
        assert!(act(Deed::Pause(Some(worker.clone()))).starts_with("worker `local` is paused"));
        assert!(note.stands(&site.home));
        assert_eq!(act(Deed::Resume(Some(worker))), "worker `local` goes on");
        assert!(!note.stands(&site.home));
        assert!(act(Deed::Retry(id("x"))).starts_with("there is no task `x`; "));
        fs::write(spool.file(Folder::Failed, &id("x")), "{}").unwrap();
        assert_eq!(act(Deed::Cancel(id("x"))), "`x` is failed already");
        assert_eq!(act(Deed::Retry(id("x"))), "`x` is back in pending");
        assert_eq!(act(Deed::Cancel(id("x"))), "the next `koubou start` cancels `x` first");
        assert!(Note::Cancel(id("x")).stands(&site.home));
    }
}
