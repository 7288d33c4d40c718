//! The report as one flat table, which spreadsheets open as it is meant.
//!
//! Lines end as RFC 4180 has it. A name that begins like a formula is given a `'`, so
//! that a task's type cannot make a spreadsheet compute. Where a name has letters
//! beyond ASCII, the file begins with the mark by which Excel knows UTF-8; else it
//! would break what reads the first column's name.

use csv::{Terminator, WriterBuilder};

use super::super::trouble::Trouble;
use super::figures::{Figures, Spread};
use super::standing::Account;
use super::{Report, Row};
use crate::base::words::tame;
use crate::task::Usd;

/// The columns; a cell that does not apply is empty.
const HEAD: [&str; 29] = [
    "from",
    "to",
    "grouped_by",
    "name",
    "task_count",
    "completed",
    "failed",
    "in_progress",
    "pending",
    "success_percent",
    "waiting_median_ms",
    "waiting_p90_ms",
    "waiting_p99_ms",
    "running_median_ms",
    "running_p90_ms",
    "running_p99_ms",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "total_tokens",
    "total_cost_usd",
    "retries",
    "failed_attempts",
    "limit_usd",
    "reserved_usd",
    "left_usd",
    "projected_usd",
    "saved_usd",
];

/// One line of the table: what it is about, and its cells by column.
struct Cells([String; HEAD.len()]);

impl Cells {
    fn new(report: &Report, grouped_by: &str, name: &str) -> Self {
        let mut cells = Self(Default::default());
        cells.put("from", report.from);
        cells.put("to", report.to);
        cells.put("grouped_by", grouped_by);
        cells.put("name", harmless(&tame(name)));
        cells
    }

    fn put(&mut self, column: &str, value: impl ToString) {
        if let Some(at) = HEAD.iter().position(|name| *name == column) {
            self.0[at] = value.to_string();
        }
    }

    fn put_usd(&mut self, column: &str, value: Option<Usd>) {
        if let Some(amount) = value {
            self.put(column, amount.exact());
        }
    }

    fn put_spread(&mut self, columns: [&str; 3], spread: Option<Spread>) {
        if let Some(Spread { median, p90, p99 }) = spread {
            for (column, value) in columns.into_iter().zip([median, p90, p99]) {
                self.put(column, value);
            }
        }
    }

    fn put_figures(&mut self, figures: &Figures) {
        for (column, value) in [
            ("task_count", figures.task_count),
            ("completed", figures.completed),
            ("failed", figures.failed),
            ("in_progress", figures.in_progress),
            ("pending", figures.pending),
            ("prompt_tokens", figures.prompt_tokens),
            ("completion_tokens", figures.completion_tokens),
            ("cached_tokens", figures.cached_tokens),
            ("reasoning_tokens", figures.reasoning_tokens),
            ("total_tokens", figures.total_tokens),
            ("retries", figures.retries),
        ] {
            self.put(column, value);
        }
        if let Some(share) = figures.success_percent {
            self.put("success_percent", share);
        }
        let waiting = ["waiting_median_ms", "waiting_p90_ms", "waiting_p99_ms"];
        self.put_spread(waiting, figures.waiting_ms);
        let running = ["running_median_ms", "running_p90_ms", "running_p99_ms"];
        self.put_spread(running, figures.running_ms);
        self.put_usd("total_cost_usd", Some(figures.total_cost_usd));
    }
}

pub(super) fn csv(report: &Report) -> Result<Vec<u8>, Trouble> {
    let failed = |error: &dyn std::fmt::Display| {
        Trouble::new("cannot write the table").because(error.to_string())
    };
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(HEAD).map_err(|error| failed(&error))?;
    for line in lines(report) {
        writer.write_record(&line.0).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    Ok(if bytes.is_ascii() { bytes } else { [UTF_8_MARK, bytes.as_slice()].concat() })
}

const UTF_8_MARK: &[u8] = "\u{feff}".as_bytes();

fn lines(report: &Report) -> Vec<Cells> {
    let mut total = Cells::new(report, "total", "");
    total.put_figures(&report.total);
    total
        .put("failed_attempts", report.failed_attempts.iter().map(|row| row.attempts).sum::<u64>());
    let mut all = vec![total];
    all.extend(report.tables().into_iter().flatten().map(|row| group(report, row)));
    for row in &report.failures {
        let mut cells = Cells::new(report, "error_kind", &row.error_kind);
        cells.put("task_count", row.tasks);
        cells.put("failed", row.tasks);
        all.push(cells);
    }
    for row in &report.failed_attempts {
        let name = format!("{} ({})", row.outcome, row.worker_type);
        let mut cells = Cells::new(report, "outcome", &name);
        cells.put("failed_attempts", row.attempts);
        all.push(cells);
    }
    let accounts = report.budget.months.iter().chain(&report.budget.today);
    all.extend(accounts.map(|account| budget(report, account)));
    if let Some(saving) = &report.routing {
        let mut cells = Cells::new(report, "routing", &saving.dearest_worker);
        cells.put_usd("total_cost_usd", Some(saving.paid_usd));
        cells.put("saved_usd", saving.saved_usd.exact());
        all.push(cells);
    }
    all
}

fn group(report: &Report, row: &Row) -> Cells {
    let mut cells = Cells::new(report, row.by.key(), row.name.as_deref().unwrap_or_default());
    cells.put_figures(&row.figures);
    cells
}

fn budget(report: &Report, account: &Account) -> Cells {
    let mut cells = Cells::new(report, "budget", &account.window);
    cells.put_usd("total_cost_usd", Some(account.spent_usd));
    cells.put_usd("limit_usd", account.limit_usd);
    cells.put_usd("reserved_usd", Some(account.reserved_usd));
    cells.put_usd("left_usd", account.left_usd);
    cells.put_usd("projected_usd", account.projected_usd);
    cells
}

/// A text that no spreadsheet takes for a formula; the wide forms of its signs count, too.
fn harmless(text: &str) -> String {
    let first = text.trim_start().chars().next();
    let is_formula = first.is_some_and(|c| "=+-@＝＋－＠|".contains(c));
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1", "|x"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["local", "2026-11-26", "a=b", "", "工房"] {
            assert_eq!(harmless(text), text);
        }
    }
}
