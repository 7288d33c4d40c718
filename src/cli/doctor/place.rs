//! Looks at the home itself: its folders, whose they are, and who may enter.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{Finding, edit};
use crate::base::files;
use crate::base::words::{self, Count};
use crate::cli::Site;
use crate::cli::trouble::Trouble;
use crate::mirror;
use crate::spool::layout::FOLDERS;

/// Whether somebody ever made a home here, even if much of it is gone.
pub(super) fn is_home(site: &Site) -> bool {
    site.home.path().join("tasks").is_dir() || site.home.config_file().is_file()
}

pub(super) fn look(site: &Site) -> Vec<Finding> {
    let mut found = missing(site);
    found.extend(owners(site));
    found.extend(too_open(site).into_iter().map(|(path, mode)| open_to_others(&path, mode)));
    found.extend(wrong_modes(site));
    if found.is_empty() {
        let what = format!("all {} are there, with their owners and modes", folders());
        found.push(Finding::ok("home", site.home.path(), what));
    }
    found
}

/// A home of a form that this koubou does not know: it is left alone.
pub(super) fn of_another_form(site: &Site) -> Option<Finding> {
    let error = site.home.check_format().err()?;
    Some(Finding::failed("home", &site.home.format_file(), &Trouble::from(error)))
}

fn folders() -> Count {
    Count(FOLDERS.len() as u64, "folder")
}

fn missing(site: &Site) -> Vec<Finding> {
    let folders = site.home.missing().into_iter().map(|path| match files::exists(&path) {
        true => Finding::error("home", &path, "what is there is no folder").mend(format!(
            "mv {0} {0}.aside && {1}",
            words::shell_path(&path),
            site.command("init")
        )),
        false => {
            let mend = site.command("doctor --fix");
            Finding::error("home", &path, "the folder is missing").mend(mend)
        }
    });
    let config = site.home.config_file();
    let is_missing = |error: std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let settings = fs::symlink_metadata(&config).is_err_and(is_missing).then(|| {
        let what = "there are no settings: `init` makes them, each with its default";
        Finding::error("home", &config, what).mend(site.command("init"))
    });
    folders.chain(settings).collect()
}

/// What is not its home's owner's own: koubou could not move a task out of it.
fn owners(site: &Site) -> Vec<Finding> {
    let owner_of = |path: &Path| fs::metadata(path).map(|meta| meta.uid()).ok();
    let Some(owner) = owner_of(site.home.path()) else { return Vec::new() };
    let mut found = Vec::new();
    let me = rustix::process::geteuid();
    if !me.is_root() && me.as_raw() != owner {
        let what = format!("it belongs to {}, who alone can work it", user(owner));
        // Another user has another environment, and so the home is named.
        let home = words::shell_path(site.home.path());
        let mend = format!("sudo -u {} koubou --home {home} doctor", user(owner));
        found.push(Finding::warning("home", site.home.path(), what).mend(mend));
    }
    let private = [site.home.config_file(), site.home.env_file()];
    let all = FOLDERS.iter().map(|(name, _)| site.home.path().join(name)).chain(private);
    for path in all {
        if let Some(other) = owner_of(&path).filter(|other| *other != owner) {
            let (is, should) = (user(other), user(owner));
            let what = format!("it belongs to {is}, and the home to {should}");
            let sudo = if me.is_root() { "" } else { "sudo " };
            let mend = format!("{sudo}chown {should} {}", words::shell_path(&path));
            found.push(Finding::error("home", &path, what).mend(mend));
        }
    }
    found
}

/// Whose number this is.
pub(in crate::cli) fn user(uid: u32) -> String {
    let known = nix::unistd::User::from_uid(uid.into()).ok().flatten();
    known.map_or_else(|| uid.to_string(), |user| user.name)
}

/// What is private and open to others all the same, each with the mode that it should have.
pub(super) fn too_open(site: &Site) -> Vec<(PathBuf, u32)> {
    let folders = FOLDERS.iter().filter(|(_, mode)| *mode == 0o700);
    let folders = folders.map(|(name, mode)| (site.home.path().join(name), *mode));
    let own = [site.home.env_file()].into_iter().chain(mirror::files_of(&site.database()));
    let files = own.chain(kept_for_long(site));
    let files = files.map(|path| (path, 0o600));
    let private = folders
        .chain(files)
        .filter(|(path, _)| mode_of(path).is_some_and(|mode| mode & 0o077 != 0));
    private.chain(a_home_for_all(site)).collect()
}

/// Months of the archive and of the journal: any of them may hold what is confidential.
fn kept_for_long(site: &Site) -> impl Iterator<Item = PathBuf> {
    [site.home.archive(), site.home.journal()].into_iter().flat_map(|dir| {
        let files = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
        files.filter(|path| fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file()))
    })
}

/// The home itself, where others may write in it: they could put a `config` of theirs in the place of ours.
fn a_home_for_all(site: &Site) -> Option<(PathBuf, u32)> {
    let home = site.home.path().to_owned();
    let mode = mode_of(&home).filter(|mode| mode & 0o022 != 0)?;
    Some((home, mode & 0o755))
}

fn open_to_others(path: &Path, mode: u32) -> Finding {
    let is = mode_of(path).unwrap_or(0);
    let what =
        format!("others may do more here than they should: its mode is {is:04o}, not {mode:04o}");
    let mend = format!("chmod {mode:o} {}", words::shell_path(path));
    Finding::error("home", path, what).mend(mend)
}

fn mode_of(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|meta| meta.permissions().mode() & 0o7777)
}

/// What its owner cannot use, and what anybody at all may change.
fn wrong_modes(site: &Site) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, mode) in FOLDERS {
        let path = site.home.path().join(name);
        let Some(is) = mode_of(&path) else { continue };
        let mend = format!("chmod {mode:o} {}", words::shell_path(&path));
        // Where the sticky bit is set, nobody takes away another's file.
        if is & 0o700 != 0o700 {
            let what = format!("its owner cannot use it: its mode is {is:04o}, not {mode:04o}");
            found.push(Finding::error("home", &path, what).mend(mend));
        } else if is & 0o002 != 0 && is & 0o1000 == 0 && *mode != 0o700 {
            let what = format!("anybody may change it: its mode is {is:04o}, not {mode:04o}");
            found.push(Finding::warning("home", &path, what).mend(mend));
        }
    }
    let config = site.home.config_file();
    if mode_of(&config).is_some_and(|mode| mode & 0o400 == 0) {
        let mend = format!("chmod u+rw {}", words::shell_path(&config));
        found
            .push(Finding::error("home", &config, "its owner cannot read the settings").mend(mend));
    }
    if mode_of(&config).is_some_and(|mode| mode & 0o002 != 0) {
        let mend = format!("chmod o-w {} && {}", words::shell_path(&config), edit(&config));
        found.push(Finding::error("home", &config, "anybody may change the settings").mend(mend));
    }
    found
}
