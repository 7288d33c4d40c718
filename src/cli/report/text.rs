//! The report for a terminal: what matters most first, then a table for each grouping.

use super::super::language::told;
use super::super::table::{Table, padded};
use super::figures::{Figures, Spread, percent, time};
use super::saving::Saving;
use super::standing::Account;
use super::{By, Report, Row, shown};
use crate::base::words::Count;

pub(super) fn text(report: &Report) -> String {
    let mut text = format!("{} ({})\n\n", told(&report.title()), report.timezone);
    for (name, line) in summary(report) {
        text.push_str(&format!("{} {}\n", padded(&told(name), 9), told(&line)));
    }
    for rows in report.tables() {
        // A person looks for the days on which something was.
        let rows: Vec<&Row> = rows.iter().filter(|row| !row.is_empty()).collect();
        if let Some(first) = rows.first() {
            text.push_str(&format!("\n{}", table(first.by, &rows)));
        }
    }
    text.push_str(&failures(report));
    for note in &report.notes {
        text.push_str(&format!("\n{}\n", told(&format!("note: {note}"))));
    }
    text
}

/// The lines at the top, each with its name.
fn summary(report: &Report) -> Vec<(&'static str, String)> {
    let Figures { task_count, completed, failed, in_progress, pending, .. } = &report.total;
    let total = &report.total;
    let mut lines = vec![
        (
            "tasks",
            format!(
                "{task_count}: {completed} completed, {failed} failed, {in_progress} in progress, {pending} pending"
            ),
        ),
        ("success", percent(total.success_percent)),
        ("waiting", in_words(total.waiting_ms)),
        ("running", in_words(total.running_ms)),
        (
            "tokens",
            match total.total_tokens {
                0 => "0".to_owned(),
                all => format!(
                    "{all} ({} sent, {} of them cached; {} answered, {} of them reasoning)",
                    total.prompt_tokens,
                    total.cached_tokens,
                    total.completion_tokens,
                    total.reasoning_tokens
                ),
            },
        ),
        ("cost", total.total_cost_usd.to_string()),
        ("retries", total.retries.to_string()),
    ];
    let accounts = report.budget.months.iter().chain(&report.budget.today);
    lines.extend(accounts.map(|account| ("budget", account_in_words(account))));
    lines.push(("routing", routing(report.routing.as_ref())));
    lines
}

fn in_words(spread: Option<Spread>) -> String {
    spread.map_or_else(
        || "-".to_owned(),
        |Spread { median, p90, p99 }| {
            format!("median {}, p90 {}, p99 {}", time(median), time(p90), time(p99))
        },
    )
}

/// `2026-11: $1.45 of $100.00 spent, $0.10 reserved, $98.45 left, $1.67 projected`.
pub(super) fn account_in_words(account: &Account) -> String {
    let Account { window, spent_usd, reserved_usd, .. } = account;
    let text = match (account.limit_usd, account.left_usd) {
        (Some(limit), Some(left)) => {
            format!("{window}: {spent_usd} of {limit} spent, {reserved_usd} reserved, {left} left")
        }
        _ => format!("{window}: {spent_usd} spent; its limit is not known any more"),
    };
    and_projected(text, account)
}

/// A text, and what is projected where something is.
pub(super) fn and_projected(text: String, account: &Account) -> String {
    match account.projected_usd {
        Some(projected) => format!("{text}, {projected} projected"),
        None => text,
    }
}

/// What routing saved, in a sentence that can stand alone.
pub(super) fn routing(saving: Option<&Saving>) -> String {
    let Some(saving) = saving else { return "no worker costs anything".to_owned() };
    let Saving { dearest_worker, at_dearest_usd, paid_usd, saved_usd, .. } = saving;
    let mut text = format!(
        "{saved_usd} saved: {} at `{}` would have cost {at_dearest_usd}, {paid_usd} was paid",
        Count(saving.attempts, "attempt"),
        shown(Some(dearest_worker)),
    );
    if saving.attempts == 0 {
        text = "nothing that counts tokens was completed".to_owned();
    }
    if saving.left_out_tasks > 0 {
        let count = Count(saving.left_out_tasks, "completed task");
        text.push_str(&format!("; {count} without tokens left out"));
    }
    text
}

fn table(by: By, rows: &[&Row]) -> Table {
    let name = match by {
        By::Day => "DAY",
        By::WorkerType => "WORKER",
        By::TaskType => "TYPE",
        By::DifficultyLevel => "DIFFICULTY",
    };
    let mut table = Table::new(&[
        name,
        "TASKS",
        "COMPLETED",
        "FAILED",
        "SUCCESS",
        "WAITING p50/p90/p99",
        "RUNNING p50/p90/p99",
        "TOKENS",
        "COST",
        "RETRIES",
    ]);
    for row in rows {
        let figures = &row.figures;
        table.row([
            row.shown(),
            figures.task_count.to_string(),
            figures.completed.to_string(),
            figures.failed.to_string(),
            percent(figures.success_percent),
            spread(figures.waiting_ms),
            spread(figures.running_ms),
            figures.total_tokens.to_string(),
            figures.total_cost_usd.to_string(),
            figures.retries.to_string(),
        ]);
    }
    table
}

/// `12 ms / 1.5 s / 4 s`.
pub(super) fn spread(spread: Option<Spread>) -> String {
    spread.map_or_else(
        || "-".to_owned(),
        |Spread { median, p90, p99 }| format!("{} / {} / {}", time(median), time(p90), time(p99)),
    )
}

fn failures(report: &Report) -> String {
    let mut text = String::new();
    if !report.failures.is_empty() {
        let mut table = Table::new(&["FAILED TASKS", "TASKS"]);
        for row in &report.failures {
            table.row([row.error_kind.clone(), row.tasks.to_string()]);
        }
        text.push_str(&format!("\n{table}"));
    }
    if !report.failed_attempts.is_empty() {
        let mut table = Table::new(&["FAILED ATTEMPTS", "WORKER", "ATTEMPTS"]);
        for row in &report.failed_attempts {
            table.row([row.outcome.clone(), row.worker_type.clone(), row.attempts.to_string()]);
        }
        text.push_str(&format!("\n{table}"));
    }
    text
}
