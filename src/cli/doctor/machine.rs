//! Looks at the machine: room, clock, and what the kernel lets koubou see.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::Finding;
use crate::base::clock::{self, Timestamp};
use crate::base::files::{self, Regular};
use crate::base::words::{self, shell_path};
use crate::cli::Site;
use crate::config::Config;
use crate::spool::watch::{self, Watch};
use crate::task::Folder;

/// koubou needs a handful; other programs of the same user want theirs.
const FEW_WATCHES: u64 = 1_024;
const FEW_INSTANCES: u64 = 16;
/// Each task takes up a few files.
const FEW_INODES: u64 = 10_000;
/// No machine of an earlier year has ever run this.
const FIRST_YEAR: i16 = 2026;

pub(super) fn look(site: &Site, config: Option<&Config>) -> Vec<Finding> {
    let home = site.home.path();
    let mut found = vec![room(home, config), inodes(home)];
    found.extend(inotify(site));
    found.push(leases(site));
    found.extend(of_no_home());
    found
}

/// What can be looked at without a home.
pub(super) fn of_no_home() -> Option<Finding> {
    Some(year(clock::wall()))
}

fn room(home: &Path, config: Option<&Config>) -> Finding {
    let free = match files::free_bytes(home) {
        Ok(free) => free,
        Err(error) => return Finding::failed("disk", home, &error.into()),
    };
    let wanted = config.map_or(64 << 20, |config| config.min_free_bytes);
    let told = format!("{} free of `min_free_bytes` {}", words::bytes(free), words::bytes(wanted));
    match free < wanted {
        false => Finding::ok("disk", home, told),
        true => {
            let what = format!("{told}: nothing is claimed until there is room");
            Finding::error("disk", home, what).mend(format!("df -h {}", shell_path(home)))
        }
    }
}

fn inodes(home: &Path) -> Finding {
    match files::free_inodes(home) {
        Err(error) => Finding::failed("inodes", home, &error.into()),
        Ok(None) => Finding::ok("inodes", home, "this file system does not count them"),
        Ok(Some(free)) if free < FEW_INODES => {
            let what = format!("only {free} more files can be made");
            let mend = format!("df -i {}", shell_path(home));
            let grave = free < FEW_INODES / 100;
            let find = if grave { Finding::error } else { Finding::warning };
            find("inodes", home, what).mend(mend)
        }
        Ok(Some(free)) => Finding::ok("inodes", home, format!("{free} more files can be made")),
    }
}

/// Whether drops are seen at once.
fn inotify(site: &Site) -> Vec<Finding> {
    let limits = [("max_user_watches", FEW_WATCHES), ("max_user_instances", FEW_INSTANCES)];
    let mut found: Vec<Finding> = limits.into_iter().filter_map(|(n, f)| limit(n, f)).collect();
    let pending = site.home.folder(Folder::Pending);
    if let Some(kind) = watch::blind_spot(&site.home) {
        let what =
            format!("the home lies on {kind}, where drops from elsewhere are seen a second later");
        found.push(Finding::warning("inotify", &pending, what));
    } else if site.home.missing().is_empty()
        && let Err(error) = Watch::try_out(&site.home)
    {
        let what =
            format!("{error}: {}; the folders are listed every second instead", error.source);
        let mend =
            "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512";
        found.push(Finding::warning("inotify", &pending, what).mend(mend));
    }
    if found.is_empty() {
        found.push(Finding::ok("inotify", &pending, "a drop is seen at once"));
    }
    found
}

fn limit(name: &str, few: u64) -> Option<Finding> {
    let path = format!("/proc/sys/fs/inotify/{name}");
    let is: u64 = fs::read_to_string(&path).ok()?.trim().parse().ok()?;
    (is < few).then(|| {
        let mend = format!("sudo sysctl fs.inotify.{name}={}", few * 512);
        Finding::warning("inotify", path, format!("`{name}` is only {is}")).mend(mend)
    })
}

/// Whether it can be seen that somebody still writes a file.
fn leases(site: &Site) -> Finding {
    let pending = site.home.folder(Folder::Pending);
    // Hidden, so that nobody takes it for a task.
    let path = pending.join(files::half_made(Path::new("lease")));
    match files::write_new(&path, b"", 0o600) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Finding::ok("leases", &pending, "not tried: this user cannot write there");
        }
        // A disk that is full or read-only, and no matter of whose it is.
        Err(error) => return Finding::failed("disk", &pending, &error.into()),
    }
    let answer = Regular::open(&path).ok().and_then(|file| file.is_being_written());
    let _ = files::remove(&path);
    match answer {
        Some(_) => Finding::ok("leases", &pending, "a file is taken once its writer has closed it"),
        None => {
            let what = "this file system does not tell whether a file is still written: write under another name and rename";
            Finding::warning("leases", &pending, what)
        }
    }
}

fn year(now: Timestamp) -> Finding {
    let told = clock::rfc3339(now);
    let year = now.to_zoned(jiff::tz::TimeZone::UTC).year();
    match year < FIRST_YEAR {
        false => Finding::ok("clock", "the system's clock", format!("it says {told}")),
        true => {
            let what = format!("it says {told}: days of the budget and times of results are wrong");
            let mend = "sudo timedatectl set-ntp true";
            Finding::error("clock", "the system's clock", what).mend(mend)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn a_clock_that_was_never_set_is_an_error() {
        assert_eq!(year("1970-01-02T00:00:00Z".parse().unwrap()).status, Status::Error);
        assert_eq!(year("2026-01-01T00:00:00Z".parse().unwrap()).status, Status::Ok);
    }
}
