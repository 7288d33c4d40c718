//! `koubou report`: what was done, how long it took, and what it cost.
//!
//! The mirror is read and nothing is written, so a daemon may work meanwhile or not.
//! [`gather`] adds it up once; each format shows the same [`Report`].

mod charts;
mod csv;
mod figures;
mod gather;
mod html;
mod period;
mod saving;
mod standing;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::budget::Books;
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::clock::{self, Timestamp};
use crate::base::files::{self, At};
use crate::base::threads::both;
use crate::base::words::{self, Count};
use crate::config::Config;
use crate::mirror::query::Reader;
use crate::mirror::report::FailedAttempts;
use crate::task::Usd;
use figures::{Figures, Tally, Times};
use gather::{Gathered, Groups};
use period::Period;
use saving::{Pricing, Saving};
use standing::Budget;

/// Report what was done, how long it took, and what it cost: by day, worker, type and difficulty
///
/// Days and months are those of the configured time zone, as the budget has them. A task counts on the
/// day on which it was dropped; tokens and money count on the day on which their attempt began, with
/// the worker that made it. Waiting is from the drop to the first attempt, running from there to the
/// end, with retries and the pauses between them. Percentiles are by nearest rank: each is a time that
/// was measured, the first that so many per cent do not exceed.
///
/// A month is projected from what is over of it, once that is a day. What routing saved: the tokens of
/// every attempt that ended well, priced at the worker at which all of them together would cost most,
/// less what was paid. Left out are failed attempts and work that counts no tokens.
///
/// csv is one flat table. `grouped_by` says what a row is about: `total`, `day`, `worker_type`, `task_type`,
/// `difficulty_level`, `error_kind` (how many tasks failed of it), `outcome` (how many attempts ended
/// so), `budget` (spent, limit, reserved, left, projected) or `routing` (paid and saved). Times are in milliseconds,
/// money in US dollars, and a cell that does not apply is empty. A name that a spreadsheet would
/// take for a formula has a `'` before it. Where there is more than ASCII, the table begins with the mark of UTF-8 (BOM),
/// which spreadsheets want.
///
/// json is one document: `from`, `to`, `timezone`, `generated_at`, `total`, `by_day`, `by_worker`, `by_task_type`,
/// `by_difficulty` (each row with the same figures), `by_worker_and_hour`, `failures`, `failed_attempts`, `budget`,
/// `routing` and `notes`. Money is exact to the last digit.
///
/// html is one file that needs no network and no script. It can be printed.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// A month [default: this one]
    #[arg(long, value_name = "YYYY-MM", value_parser = period::parse_month, conflicts_with_all = ["day", "from"])]
    month: Option<Date>,
    /// A day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = period::parse_day, conflicts_with = "from")]
    day: Option<Date>,
    /// From this day on
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = period::parse_day)]
    from: Option<Date>,
    /// To this day, which is included [default: today]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = period::parse_day, requires = "from")]
    to: Option<Date>,
    /// How it is written [default: table, and json with `--json`]
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<Format>,
    /// Write it to this file, replacing what is there
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// For a terminal
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// For people and printers
    Html,
}

/// All that is reported.
#[derive(Clone, Debug, Serialize)]
struct Report {
    from: Date,
    to: Date,
    timezone: String,
    generated_at: String,
    total: Figures,
    by_day: Vec<Row>,
    by_worker: Vec<Row>,
    by_task_type: Vec<Row>,
    by_difficulty: Vec<Row>,
    /// When tasks were dropped.
    by_worker_and_hour: Vec<Hours>,
    failures: Vec<Failures>,
    failed_attempts: Vec<Outcome>,
    budget: Budget,
    routing: Option<Saving>,
    notes: Vec<String>,
    /// Every time of the total, for whoever draws them.
    #[serde(skip)]
    times: Times,
}

/// What the rows of a table have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Day,
    WorkerType,
    TaskType,
    DifficultyLevel,
}

/// The figures of a day, a worker, a type or a difficulty.
#[derive(Clone, Debug)]
struct Row {
    by: By,
    /// None where the mirror has no name for it: nobody was chosen, or the task has gone.
    name: Option<String>,
    figures: Figures,
}

#[derive(Clone, Debug, Serialize)]
struct Hours {
    worker_type: Option<String>,
    /// How many in each, from midnight on.
    hours: [u64; 24],
}

#[derive(Clone, Debug, Serialize)]
struct Failures {
    error_kind: String,
    tasks: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Outcome {
    worker_type: String,
    outcome: String,
    attempts: u64,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    site.spool()?;
    let format = match (args.format, ui.is_json()) {
        (None, false) => Format::Table,
        (None | Some(Format::Json), _) => Format::Json,
        (Some(format), false) => format,
        (Some(_), true) => {
            return Err(Trouble::usage("`--json` and another `--format` contradict each other")
                .hint("leave one of them out"));
        }
    };
    let config = site.config()?;
    let now = clock::wall();
    let period = period(args, &config, now)?;
    site.warn_if_it_lacks(ui);
    let report = Report::make(site, &config, &period, now)?;
    let bytes = match format {
        Format::Table => text::text(&report).into_bytes(),
        Format::Json => json(&report)?,
        Format::Csv => csv::csv(&report)?,
        Format::Html => html::html(&report)?.into_bytes(),
    };
    match &args.output {
        None => ui.raw(&bytes)?,
        Some(path) => {
            write(path, &bytes)?;
            ui.say(&format!("wrote `{}`", words::tame(&path.to_string_lossy())));
        }
    }
    Ok(Exit::Done)
}

/// The days that are meant.
fn period(args: &Args, config: &Config, now: Timestamp) -> Result<Period, Trouble> {
    let zone = config.timezone.clone();
    let today = zone.to_datetime(now).date();
    let period = match (args.month, args.day, args.from) {
        (Some(month), ..) => Period::month_of(month, zone),
        (_, Some(day), _) => Period::new(day, day, zone),
        (_, _, Some(from)) => Period::new(from, args.to.unwrap_or(today.max(from)), zone),
        _ => Period::month_of(today, zone),
    };
    period.map_err(Trouble::usage)
}

fn json(report: &Report) -> Result<Vec<u8>, Trouble> {
    let bytes = serde_json::to_vec(report);
    let mut bytes = bytes.map_err(|error| Trouble::new(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Puts a file in its place whole, so that nobody reads half a report. What is no file, a pipe
/// or a terminal, is written to as it is.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    let is_special = fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir());
    if is_special {
        return Ok(fs::write(path, bytes).at("write", path)?);
    }
    // A link stays one: what it leads to is replaced.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    files::replace(files::parent(&real), &real, bytes, 0o644).map_err(|error| {
        Trouble::new(format!("cannot write `{}`", words::tame(&path.to_string_lossy())))
            .because(error.source.to_string())
            .hint("name a file in a folder that you may write, with `--output`")
    })
}

impl Report {
    fn make(
        site: &Site,
        config: &Config,
        period: &Period,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        let reader = site.query_or_nothing()?;
        let (books, gathered) = both(
            || Books::read_promises(site, config),
            || gather::gather(&reader, period, Pricing::of(config)),
        );
        Self::of(gathered?, &books?, &reader, period, now)
    }

    fn of(
        gathered: Gathered,
        books: &Books,
        reader: &Reader,
        period: &Period,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        let notes = notes(&gathered);
        let (total, times) = gathered.total.figures();
        let by_day = days(period, gathered.by_day, now);
        let spent: Vec<Usd> = by_day.iter().map(|row| row.figures.total_cost_usd).collect();
        let months = &gathered.spent_by_month;
        Ok(Self {
            from: period.first,
            to: period.last,
            timezone: period.zone.iana_name().unwrap_or("UTC").to_owned(),
            generated_at: clock::rfc3339(now),
            total,
            by_day,
            by_worker: rows(By::WorkerType, gathered.by_worker),
            by_task_type: rows(By::TaskType, gathered.by_task_type),
            by_difficulty: rows(By::DifficultyLevel, gathered.by_difficulty),
            by_worker_and_hour: hours(gathered.hours),
            failures: failures(gathered.failures),
            failed_attempts: gathered.failed_attempts.into_iter().map(Outcome::from).collect(),
            budget: Budget::of(books, reader, period, months, &spent, now)?,
            routing: gathered.pricing.saving(),
            notes,
            times,
        })
    }

    /// Every table of figures.
    fn tables(&self) -> [&[Row]; 4] {
        [&self.by_worker, &self.by_task_type, &self.by_difficulty, &self.by_day]
    }

    /// The day, the month or the days that it is about.
    fn title(&self) -> String {
        let Self { from, to, .. } = self;
        if from == to {
            return from.to_string();
        }
        let is_month = *from == from.first_of_month() && *to == from.last_of_month();
        if is_month { from.strftime("%Y-%m").to_string() } else { format!("{from} to {to}") }
    }
}

/// The days up to today: what is still to come has no figures.
fn days(period: &Period, tallies: Vec<Tally>, now: Timestamp) -> Vec<Row> {
    let today = period.zone.to_datetime(now).date();
    let days = period.days().zip(tallies).take_while(|(day, _)| *day <= today);
    let row = |(day, tally): (Date, Tally)| Row {
        by: By::Day,
        name: Some(day.to_string()),
        figures: tally.figures().0,
    };
    days.map(row).collect()
}

/// The rows of a table: difficulty in its order, all else by how much of it there is.
fn rows(by: By, groups: Groups) -> Vec<Row> {
    let row = |(name, tally): (Option<String>, Tally)| Row { by, name, figures: tally.figures().0 };
    let mut rows: Vec<Row> = groups.all.into_iter().map(row).collect();
    let rank = |row: &Row| match (by, row.name.as_deref()) {
        (By::DifficultyLevel, Some("low")) => 0,
        (By::DifficultyLevel, Some("medium")) => 1,
        (By::DifficultyLevel, Some("high")) => 2,
        _ => 3,
    };
    rows.sort_by(|a, b| {
        let count = |row: &Row| (row.figures.task_count, row.figures.total_cost_usd);
        (rank(a), count(b), &a.name).cmp(&(rank(b), count(a), &b.name))
    });
    rows
}

fn hours(all: std::collections::BTreeMap<Option<String>, [u64; 24]>) -> Vec<Hours> {
    let row = |(worker_type, hours)| Hours { worker_type, hours };
    let mut rows: Vec<Hours> = all.into_iter().map(row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.hours.iter().sum::<u64>()));
    rows
}

fn failures(all: std::collections::BTreeMap<String, u64>) -> Vec<Failures> {
    let row = |(error_kind, tasks)| Failures { error_kind, tasks };
    let mut rows: Vec<Failures> = all.into_iter().map(row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.tasks));
    rows
}

/// What a reader of the figures should know.
fn notes(gathered: &Gathered) -> Vec<String> {
    let mut notes = Vec::new();
    if gathered.without_times > 0 {
        notes.push(format!(
            "the times of {} are not in the mirror, which an older koubou wrote: `koubou rebuild` fills them in",
            Count(gathered.without_times, "task")
        ));
    }
    if gathered.without_attempts > 0 {
        notes.push(format!(
            "{} without a known attempt: tokens and cost are what the result says, and are not in the budget",
            Count(gathered.without_attempts, "task")
        ));
    }
    notes
}

impl By {
    /// The name of the column.
    fn key(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::WorkerType => "worker_type",
            Self::TaskType => "task_type",
            Self::DifficultyLevel => "difficulty_level",
        }
    }

    /// The same for people.
    fn title(self) -> &'static str {
        match self {
            Self::Day => "Day",
            Self::WorkerType => "Worker",
            Self::TaskType => "Type",
            Self::DifficultyLevel => "Difficulty",
        }
    }
}

impl Row {
    /// Whether nothing was done in it: a day on which nobody came.
    fn is_empty(&self) -> bool {
        let Figures { task_count, total_tokens, total_cost_usd, .. } = self.figures;
        task_count == 0 && total_tokens == 0 && total_cost_usd == Usd::ZERO
    }

    /// Its name as it is shown; control characters are none of it.
    fn shown(&self) -> String {
        shown(self.name.as_deref())
    }
}

/// A name as it is shown.
fn shown(name: Option<&str>) -> String {
    words::tame(name.unwrap_or("-"))
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let figures = serde_json::to_value(&self.figures).map_err(serde::ser::Error::custom)?;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry(self.by.key(), &self.name)?;
        for (key, value) in figures.as_object().into_iter().flatten() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl From<FailedAttempts> for Outcome {
    fn from(row: FailedAttempts) -> Self {
        let FailedAttempts { worker_type, outcome, attempts } = row;
        Self { worker_type, outcome, attempts }
    }
}
