//! `koubou maintain`: keeps a home small.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::language::told;
use super::rebuild::ask_the_daemon;
use super::table::padded;
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
            "delete" => told("deleted"),
            _ => told("archived"),
        };
        let mut what = Count(report.retired, "result").to_string();
        if report.retired > 0 {
            what.push_str(&format!(", {}", bytes(report.retired_bytes)));
        }
        if report.archived_bytes > 0 {
            what.push_str(&format!(", as {} in tasks/archive", bytes(report.archived_bytes)));
        }
        line(f, &how, &what)?;
        if report.kept > 0 {
            line(f, &told("kept"), &Count(report.kept, "old result").to_string())?;
        }
        for kept in &report.kept_because {
            let place = format!("{}/{}.json", kept.status, kept.task_id);
            writeln!(f, "{:<12} {place}: {}", "", told(&tame(&kept.why)))?;
        }
        for month in &report.journal {
            line(
                f,
                &in_words(month.deed),
                &format!("{}, {}", tame(&month.file), bytes(month.bytes)),
            )?;
        }
        logs(f, &report.logs)?;
        if !report.work.is_empty() {
            let folders = Count(report.work.len() as u64, "folder");
            line(f, &told("removed"), &format!("{folders} of failed attempts in work"))?;
        }
        if report.leftovers > 0 {
            let leftovers = Count(report.leftovers, "leftover");
            line(f, &told("swept"), &format!("{leftovers} in tmp"))?;
        }
        match &report.mirror {
            Some(deed) => write_mirror(f, deed),
            None => Ok(()),
        }
    }
}

/// What became of something, and of what.
fn line(f: &mut fmt::Formatter<'_>, how: &str, what: &str) -> fmt::Result {
    writeln!(f, "{} {}", padded(how, 12), told(what))
}

/// What was done to a log or a month.
fn in_words(deed: &str) -> Cow<'_, str> {
    match deed {
        "rotated" => told("rotated"),
        "compressed" => told("compressed"),
        "removed" => told("removed"),
        other => Cow::Borrowed(other),
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
            line(f, &in_words(log.deed), &format!("{}, {}", tame(&log.file), bytes(log.bytes)))?;
        }
    }
    for (deed, (count, size)) in of_tasks {
        let files = Count(count, "file");
        let size = bytes(size);
        line(
            f,
            &in_words(deed),
            &format!("{files} of tasks that are gone in logs/workers, {size}"),
        )?;
    }
    Ok(())
}

fn write_mirror(f: &mut fmt::Formatter<'_>, deed: &MirrorDeed) -> fmt::Result {
    let MirrorDeed { log_lines, bytes_before, bytes_after, kept_as_it_is } = deed;
    let mut what = String::new();
    if *log_lines > 0 {
        what.push_str(&format!("{} removed, ", Count(*log_lines, "log line")));
    }
    what.push_str(&match bytes_before.checked_sub(*bytes_after).filter(|less| *less > 0) {
        Some(less) => format!("{} of {} given back", bytes(less), bytes(*bytes_before)),
        None => bytes(*bytes_after),
    });
    line(f, &told("database"), &what)?;
    match kept_as_it_is {
        Some(why) => line(f, "", &format!("its free room is not given back: {}", tame(why))),
        None => Ok(()),
    }
}
