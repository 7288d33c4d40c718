//! `koubou maintain`: keeps a home small.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::rebuild::ask_the_daemon;
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::clock;
use crate::base::words::{Count, bytes, tame};
use crate::config::Config;
use crate::engine::EngineError;
use crate::engine::maintain::{self, LogDeed, Manner, MirrorDeed, Report};
use crate::spool::lock::LockError;
use crate::spool::notes::Note;

/// Retire old results, rotate logs, compact the database and remove leftovers
///
/// Safe beside a daemon, which does the same once a day (`maintain_at`), and safe to be cut short.
/// Results older than `retention_days` go into `tasks/archive`, where `show`, `result`, `wait` and
/// `rebuild` find them, or are deleted (`retire`). What a waiting task needs stays. Months of the
/// journal that are as old, and that no start reads, are packed beside where they lay.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Told(Report);

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    site.spool()?;
    let site = &site.resolved();
    let config = Arc::new(site.config()?);
    let mut progress = ui.progress_of("results looked at");
    let manner = Manner {
        is_dry: args.dry_run,
        is_over: &|| false,
        progress: &mut |done, left| progress.show(done, left),
    };
    let mut report = maintain::maintain(&site.home, &config, clock::wall(), manner)?;
    drop(progress);
    match mirror(site, &config, args.dry_run) {
        Ok(deed) => report.mirror = Some(deed),
        Err(trouble) => report.failed.push(format!("the database: {}", trouble.told())),
    }
    let told = Told(report);
    ui.answer(&told)?;
    for damage in &told.0.damages {
        ui.warn(damage);
    }
    for why in &told.0.failed {
        ui.insist(&format!("not done: {}", tame(why)));
    }
    Ok(if told.0.failed.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Makes the mirror smaller; beside a daemon, that one does it.
fn mirror(site: &Site, config: &Arc<Config>, is_dry: bool) -> Result<MirrorDeed, Trouble> {
    let plan = || maintain::plan_mirror(&site.home, config);
    if is_dry {
        return Ok(plan()?);
    }
    let before = plan();
    if ask_the_daemon(site, &Note::Compact)? {
        let (before, after) = (before?, plan()?);
        return Ok(MirrorDeed { bytes_after: after.bytes_before, ..before });
    }
    match maintain::maintain_mirror(&site.home, config) {
        // One has begun just now.
        Err(EngineError::Lock(LockError::Held { .. })) => mirror(site, config, is_dry),
        done => Ok(done?),
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.0;
        if report.dry_run {
            writeln!(f, "this is what would be done:")?;
        }
        let how = match report.retire {
            "delete" => "deleted",
            _ => "archived",
        };
        write!(f, "{how:<12} {}", Count(report.retired, "result"))?;
        if report.retired > 0 {
            write!(f, ", {}", bytes(report.retired_bytes))?;
        }
        if report.archived_bytes > 0 {
            write!(f, ", as {} in tasks/archive", bytes(report.archived_bytes))?;
        }
        writeln!(f)?;
        if report.kept > 0 {
            writeln!(f, "{:<12} {}", "kept", Count(report.kept, "old result"))?;
        }
        for kept in &report.kept_because {
            writeln!(f, "{:<12} {}/{}.json: {}", "", kept.status, kept.task_id, tame(&kept.why))?;
        }
        for month in &report.journal {
            writeln!(f, "{:<12} {}, {}", month.deed, tame(&month.file), bytes(month.bytes))?;
        }
        logs(f, &report.logs)?;
        if !report.work.is_empty() {
            let folders = Count(report.work.len() as u64, "folder");
            writeln!(f, "{:<12} {folders} of failed attempts in work", "removed")?;
        }
        if report.leftovers > 0 {
            writeln!(f, "{:<12} {} in tmp", "swept", Count(report.leftovers, "leftover"))?;
        }
        match &report.mirror {
            Some(deed) => write_mirror(f, deed),
            None => Ok(()),
        }
    }
}

/// Each log by itself, but those of tasks, which are many, together.
fn logs(f: &mut fmt::Formatter<'_>, deeds: &[LogDeed]) -> fmt::Result {
    let mut of_tasks: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for log in deeds {
        if log.file.ends_with(".jsonl") {
            let sum = of_tasks.entry(log.deed).or_default();
            *sum = (sum.0 + 1, sum.1 + log.bytes);
        } else {
            writeln!(f, "{:<12} {}, {}", log.deed, tame(&log.file), bytes(log.bytes))?;
        }
    }
    for (deed, (count, size)) in of_tasks {
        let files = Count(count, "file");
        writeln!(f, "{deed:<12} {files} of tasks that are gone in logs/workers, {}", bytes(size))?;
    }
    Ok(())
}

fn write_mirror(f: &mut fmt::Formatter<'_>, deed: &MirrorDeed) -> fmt::Result {
    let MirrorDeed { log_lines, bytes_before, bytes_after, kept_as_it_is } = deed;
    write!(f, "{:<12} ", "database")?;
    if *log_lines > 0 {
        write!(f, "{} removed, ", Count(*log_lines, "log line"))?;
    }
    match bytes_before.checked_sub(*bytes_after).filter(|less| *less > 0) {
        Some(less) => writeln!(f, "{} of {} given back", bytes(less), bytes(*bytes_before)),
        None => writeln!(f, "{}", bytes(*bytes_after)),
    }?;
    match kept_as_it_is {
        Some(why) => writeln!(f, "{:<12} its free room is not given back: {}", "", tame(why)),
        None => Ok(()),
    }
}
