//! How it looks: styles, and texts cut to the columns that they have.
//!
//! A colour only repeats what a word or a sign says already: without colours nothing is lost.

use std::env;

use ratatui::style::{Color, Modifier, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Terminals that have no colours.
const MONOCHROME: &[&str] = &["vt52", "vt100", "vt102", "vt220", "vt320", "vt420", "ansi-m"];

/// Whether colours are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    pub(super) has_colours: bool,
}

impl Paint {
    /// What the environment wants.
    pub(super) fn of_environment() -> Self {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let term = env::var("TERM").unwrap_or_default();
        let is_mono = MONOCHROME.contains(&term.as_str()) || term.ends_with("-mono");
        Self { has_colours: !is_set("NO_COLOR") && !is_mono }
    }

    fn colour(self, colour: Color) -> Style {
        if self.has_colours { Style::new().fg(colour) } else { Style::new() }
    }

    /// Bad news.
    pub(super) fn bad(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// What keeps something from going on.
    pub(super) fn held(self) -> Style {
        self.colour(Color::Yellow)
    }

    /// What is at work.
    pub(super) fn busy(self) -> Style {
        self.colour(Color::Green)
    }

    /// What matters less, or is not known for certain.
    pub(super) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// A title; of where the keys go to, and of the rest.
    pub(super) fn title(self, has_keys: bool) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        let colour = if has_keys { Color::Cyan } else { Color::Reset };
        style.patch(self.colour(colour)).add_modifier(Modifier::UNDERLINED)
    }

    /// The row that is selected, and questions.
    pub(super) fn picked(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}

/// How many columns a text takes.
pub(super) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// A text in exactly so many columns: filled up, or cut with `…`.
pub(super) fn fit(text: &str, columns: usize) -> String {
    let mut fitted = cut(text, columns);
    let is = width(&fitted);
    fitted.extend(std::iter::repeat_n(' ', columns.saturating_sub(is)));
    fitted
}

/// A text in at most so many columns, cut with `…` where it has more.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    match columns {
        0 => String::new(),
        _ => format!("{}…", &text[..end_of_columns(text, columns - 1)]),
    }
}

/// A text to the right in so many columns.
pub(super) fn right(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(&text))))
}

/// A text in lines of at most so many columns.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut rest = text;
    let mut lines = Vec::new();
    loop {
        let end = end_of_columns(rest, columns);
        if end == rest.len() {
            lines.push(rest.to_owned());
            return lines;
        }
        // Between two words, where the last one is not as long as half of the line.
        let blank = match rest[end..].starts_with(' ') {
            true => Some(end),
            false => rest[..end].rfind(' ').filter(|at| *at > end / 2),
        };
        let (line, more) = rest.split_at(blank.unwrap_or(end));
        lines.push(line.to_owned());
        rest = if blank.is_some() { more.trim_start_matches(' ') } else { more };
    }
}

/// The byte behind the last character that has room in so many columns.
fn end_of_columns(text: &str, columns: usize) -> usize {
    let mut used = 0;
    let beyond = text.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > columns
    });
    beyond.map_or(text.len(), |(at, _)| at)
}

/// A number in few signs: `950`, `1.2k`, `30k`, `2M`.
pub(super) fn short(n: u64) -> String {
    let (value, unit) = match n {
        0..1_000 => return n.to_string(),
        1_000..1_000_000 => (n as f64 / 1e3, "k"),
        _ => (n as f64 / 1e6, "M"),
    };
    let text = if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") };
    format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_script_take_the_columns_that_they_are_given() {
        assert_eq!(fit("abc", 5), "abc  ");
        assert_eq!(fit("abcdef", 5), "abcd…");
        assert_eq!(fit("工房日誌", 8), "工房日誌");
        assert_eq!(fit("工房日誌", 6), "工房… ");
        assert_eq!((fit("工房", 1), fit("x", 0)), ("…".into(), String::new()));
        assert_eq!(right("7", 3), "  7");
        for columns in 0..12 {
            assert_eq!(width(&fit("aé工👩‍🚀z房", columns)), columns, "{columns}");
        }
    }

    #[test]
    fn a_long_line_goes_on_below() {
        assert_eq!(wrap("abcdefg", 3), ["abc", "def", "g"]);
        assert_eq!(wrap("工房日誌", 5), ["工房", "日誌"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("工房", 1), ["工", "房"], "a narrow window ends, too");
    }

    #[test]
    fn numbers_are_short() {
        let of = [7, 999, 1_000, 1_250, 30_000, 2_000_000].map(short);
        assert_eq!(of, ["7", "999", "1k", "1.2k", "30k", "2M"]);
    }
}
