//! Does what is harmless and right for everybody, and says what it did.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::Finding;
use super::place;
use crate::base::files::{At, FileError};
use crate::base::words::{self, Count};
use crate::cli::Site;

/// Makes missing folders, takes the rights of others from what is private, and clears leftovers.
pub(super) fn harmless(site: &Site) -> Vec<Finding> {
    let home = site.home.path();
    let (made, failed) = site.home.mend_each();
    let mut done: Vec<Finding> =
        failed.into_iter().map(|error| Finding::failed("fix", home, &error.into())).collect();
    let made = Ok(said("made", &made));
    let closed = close_private(site).map(|closed| said("took the rights of others from", &closed));
    let swept = site.home.sweep().map(|swept| match swept.len() {
        0 => None,
        n => Some(format!("removed {} of dead processes", Count(n as u64, "half-made file"))),
    });
    for result in [made, closed, swept] {
        match result {
            Ok(None) => {}
            Ok(Some(what)) => done.push(Finding::ok("fix", home, what)),
            Err(error) => done.push(Finding::failed("fix", home, &error.into())),
        }
    }
    if done.is_empty() {
        done.push(Finding::ok("fix", home, "there was nothing to do"));
    }
    done
}

fn close_private(site: &Site) -> Result<Vec<PathBuf>, FileError> {
    let mut closed = Vec::new();
    for (path, mode) in place::too_open(site) {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
            .at("set the mode of", &path)?;
        closed.push(path);
    }
    Ok(closed)
}

fn said(what: &str, paths: &[PathBuf]) -> Option<String> {
    let names = words::names(paths.iter().map(|path| path.display()), "and");
    (!paths.is_empty()).then(|| format!("{what} {names}"))
}
