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
    columns: Vec<Column>,
    /// The texts of all cells, row by row.
    text: String,
    cells: Vec<Cell>,
}

struct Column {
    /// Whether what stands in it is the same in every language.
    is_name: bool,
    width: usize,
    /// What stood in it last, and how a person is told that: most rows have the same there.
    last: (String, String),
}

impl Column {
    fn of(name: &str) -> Self {
        Self { is_name: NAMES.contains(&name), width: 0, last: Default::default() }
    }
}

/// Where in the text a cell ends, and how many columns of a terminal it takes.
struct Cell {
    end: usize,
    width: usize,
}

impl Table {
    pub(super) fn new(head: &[&'static str]) -> Self {
        let mut table = Self::below(head);
        for (n, name) in head.iter().enumerate() {
            table.put(n, &told(name));
        }
        table
    }

    /// A part of a table that stands below another one with this head.
    pub(super) fn below(head: &[&'static str]) -> Self {
        let columns = head.iter().map(|name| Column::of(name)).collect();
        Self { columns, text: String::new(), cells: Vec::new() }
    }

    /// Makes the columns of the parts of one table equally wide.
    pub(super) fn line_up(parts: &mut [Self]) {
        let columns = parts.first().map_or(0, |part| part.columns.len());
        for n in 0..columns {
            let widest = parts.iter().map(|part| part.columns[n].width).max().unwrap_or(0);
            parts.iter_mut().for_each(|part| part.columns[n].width = widest);
        }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [impl AsRef<str>; N]) {
        for (n, cell) in cells.iter().enumerate().take(self.columns.len()) {
            let cell = words::tamed(cell.as_ref());
            if self.columns[n].is_name {
                self.put(n, &cell);
                continue;
            }
            let mut last = std::mem::take(&mut self.columns[n].last);
            if last.0 != *cell {
                last = (cell.to_string(), told(&cell).into_owned());
            }
            self.put(n, &last.1);
            self.columns[n].last = last;
        }
    }

    fn put(&mut self, column: usize, text: &str) {
        self.text.push_str(text);
        let cell = Cell { end: self.text.len(), width: width(text) };
        let widest = &mut self.columns[column].width;
        *widest = cell.width.max(*widest);
        self.cells.push(cell);
    }
}

/// A text with blanks behind it, so that it takes so many columns.
pub(super) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// How many columns of a terminal a text takes: most of East Asia's letters take two.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    let is_wide = |c: char| {
        matches!(c as u32, 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
            | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd)
    };
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut from = 0;
        let mut line = String::new();
        let widest = self.columns.iter().map(|column| column.width).max().unwrap_or(0);
        let blanks = " ".repeat(widest + 2);
        for row in self.cells.chunks(self.columns.len()) {
            line.clear();
            for (cell, column) in row.iter().zip(&self.columns) {
                line.push_str(&self.text[from..cell.end]);
                line.push_str(&blanks[..column.width + 2 - cell.width]);
                from = cell.end;
            }
            f.write_str(line.trim_end())?;
            f.write_str("\n")?;
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
        table.row(["工房", "pending"]);
        table.row(["abc", "failed"]);
        assert_eq!(table.to_string(), "ID    STATUS\n工房  pending\nabc   failed\n");
    }

    #[test]
    fn parts_of_a_table_line_up_like_one() {
        let head = ["ID", "STATUS"];
        let (mut whole, mut parts) = (Table::new(&head), [Table::new(&head), Table::below(&head)]);
        for (part, id) in [(0, "a"), (1, "much longer"), (1, "b")] {
            whole.row([id, "failed"]);
            parts[part].row([id, "failed"]);
        }
        Table::line_up(&mut parts);
        assert_eq!(parts.map(|part| part.to_string()).concat(), whole.to_string());
    }
}
