//! Rows of words in columns, as wide as they need to be.

use std::fmt;

use super::language::told;
use crate::base::words;

/// Columns of names and addresses, which are the same in every language.
const NAMES: [&str; 9] = [
    "ID",
    "STATUS",
    "WORKER",
    "MODEL",
    "ENDPOINT",
    "DAY",
    "TYPE",
    "FAILED TASKS",
    "FAILED ATTEMPTS",
];

/// A table with a head.
pub(super) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        let shown = |(cell, head): (&String, &&str)| {
            let cell = words::tame(cell);
            if NAMES.contains(head) { cell } else { told(&cell).into_owned() }
        };
        self.rows.push(cells.iter().zip(&self.head).map(shown).collect());
    }
}

/// A text with blanks behind it, so that it takes so many columns.
pub(super) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// How many columns of a terminal a text takes: most of East Asia's letters take two.
pub(super) fn width(text: &str) -> usize {
    let is_wide = |c: char| {
        matches!(c as u32, 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
            | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd)
    };
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head: Vec<String> = self.head.iter().map(|name| told(name).into_owned()).collect();
        let lines: Vec<&Vec<String>> = std::iter::once(&head).chain(&self.rows).collect();
        let columns = self.head.len();
        let widths: Vec<usize> = (0..columns)
            .map(|n| lines.iter().map(|row| width(&row[n])).max().unwrap_or(0))
            .collect();
        for row in lines {
            let mut line = String::new();
            for (n, cell) in row.iter().enumerate() {
                line.push_str(&padded(cell, widths[n] + 2));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_script() {
        let mut table = Table::new(&["ID", "STATUS"]);
        table.row(["工房".into(), "pending".into()]);
        table.row(["abc".into(), "failed".into()]);
        assert_eq!(table.to_string(), "ID    STATUS\n工房  pending\nabc   failed\n");
    }
}
