//! The catalogue: English sentences with holes, and how each is said in Japanese.
//!
//! ```text
//! there is no task `{id}`              a sentence as it stands in the source
//! > タスク `{1}` はありません              what is said instead, its holes by number
//!
//! {} {verb}: {}                        a sentence that is put together from pieces
//! ~ {} wait: {}                        … as it comes out
//! > {1}が待っています: {2}
//!
//! wait {id}                            a command, or what else is the same in every language
//! =
//!
//! @task                                the noun of a `Count`
//! > {1} 件のタスク
//! ```
//!
//! A block ends with an empty line; `#` begins a comment and `## ` a section; `␣` is a space
//! at either end, and `\n` a new line. What a hole holds is told in turn, unless it stands in
//! backticks, as names and values do. A hole may be called `{#}` (a number), `{word}` (no
//! blanks in it; told as it is) or `{raw}` (told as it is). Sentences are joined by `; `: only
//! a hole at the beginning, behind `: `, or called `{all}` holds several of them.
//!
//! Of the entries that fit a text, the one with the most letters of its own is taken.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::base::words::Count;

/// A sentence in a sentence in a sentence; deeper ones are told in English.
const DEEPEST: usize = 8;
/// What is longer is no sentence.
const LONGEST: usize = 8 << 10;
/// So many texts are remembered: the same few are told again and again.
const REMEMBERED: usize = 4_096;

/// Sentences in two languages.
pub(super) struct Catalogue {
    /// Those with the most letters first.
    entries: Vec<Entry>,
    told: Mutex<HashMap<String, String>>,
}

impl Catalogue {
    pub(super) fn read(text: &'static str) -> Self {
        let mut entries: Vec<Entry> = sayings(text).iter().map(Entry::new).collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.weight()));
        Self { entries, told: Mutex::default() }
    }

    /// The text in Japanese, as far as the catalogue knows it.
    pub(super) fn told<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.is_empty() || text.len() > LONGEST {
            return Cow::Borrowed(text);
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = told.get(text) {
            return Cow::Owned(known.clone());
        }
        let said = self.say(text, DEEPEST).unwrap_or_else(|| text.to_owned());
        if told.len() >= REMEMBERED {
            told.clear();
        }
        told.insert(text.to_owned(), said.clone());
        Cow::Owned(said)
    }

    /// Each line in Japanese, but for those with columns.
    pub(super) fn told_lines(&self, text: &str) -> String {
        let line = |line: &'_ str| match line.trim().contains("  ") {
            true => line.to_owned(),
            false => self.told(line).into_owned(),
        };
        text.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }

    fn say(&self, text: &str, depth: usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        if text.contains('\n') {
            let line = |line: &str| self.say(line, depth).unwrap_or_else(|| line.to_owned());
            return Some(text.split('\n').map(line).collect::<Vec<_>>().join("\n"));
        }
        let core = text.trim_start_matches(' ');
        let indent = &text[..text.len() - core.len()];
        if !indent.is_empty() {
            return Some(format!("{indent}{}", self.say(core, depth)?));
        }
        figures(text).or_else(|| {
            let starts = |entry: &Entry| text.starts_with(entry.english.fixed[0].as_str());
            let is_labelled = self.entries.iter().any(|entry| entry.is_label() && starts(entry));
            // What stands behind a label is a sentence of its own, and the label is no part of it.
            let mut entries =
                self.entries.iter().filter(|entry| !(is_labelled && entry.begins_with_a_hole()));
            let (entry, held) =
                entries.find_map(|entry| Some((entry, entry.english.fit(text)?)))?;
            Some(self.fill(entry, &held, depth))
        })
    }

    fn fill(&self, entry: &Entry, held: &[&str], depth: usize) -> String {
        let mut said = String::new();
        for piece in &entry.japanese {
            match piece {
                Piece::Text(text) => said.push_str(text),
                Piece::Hole(n) => {
                    let value = held.get(*n).copied().unwrap_or_default();
                    let in_turn = entry.english.holes.get(*n).is_some_and(Hole::is_told);
                    let told = if in_turn { self.say(value, depth) } else { None };
                    said.push_str(&told.unwrap_or_else(|| value.to_owned()));
                }
            }
        }
        said
    }
}

/// Lists of names and spans of time, which have no entries.
fn figures(text: &str) -> Option<String> {
    listed(text, " and ", "、").or_else(|| listed(text, " or ", " または ")).or_else(|| span(text))
}

/// `` `a`, `b` and `c` ``
fn listed(text: &str, word: &str, comma: &str) -> Option<String> {
    let (init, last) = text.rsplit_once(word)?;
    let is_name = |text: &&str| {
        text.len() > 2
            && text.starts_with('`')
            && text.ends_with('`')
            && text.matches('`').count() == 2
    };
    let names: Vec<&str> = init.split(", ").collect();
    let are_names = names.iter().chain([&last]).all(is_name);
    are_names.then(|| format!("{}{comma}{last}", names.join("、")))
}

/// `4 h 10 min`
fn span(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(' ').collect();
    if !matches!(words.len(), 2 | 4) {
        return None;
    }
    let part = |pair: &[&str]| {
        let [number, unit] = pair else { return None };
        let unit = match *unit {
            "s" => "秒",
            "min" => "分",
            "h" => "時間",
            "d" => "日",
            _ => return None,
        };
        Kind::Number.takes(number).then(|| format!("{number} {unit}"))
    };
    let parts: Option<Vec<String>> = words.chunks(2).map(part).collect();
    Some(parts?.join(" "))
}

/// A sentence, and what is said instead.
struct Entry {
    english: Pattern,
    japanese: Vec<Piece>,
}

impl Entry {
    fn new(saying: &Saying) -> Self {
        Self { english: Pattern::new(&saying.english), japanese: pieces(&saying.japanese) }
    }

    fn begins_with_a_hole(&self) -> bool {
        self.english.fixed[0].is_empty()
    }

    /// Whether it is a word before a sentence: `hint: {text}`.
    fn is_label(&self) -> bool {
        let [word, end] = self.english.fixed.as_slice() else { return false };
        let word = word.strip_suffix(": ").filter(|word| !word.is_empty() && end.is_empty());
        word.is_some_and(|word| word.bytes().all(|b| b.is_ascii_lowercase()))
    }

    /// How particular it is.
    fn weight(&self) -> usize {
        let letters = self.english.fixed.iter().map(String::len).sum::<usize>();
        let narrow = self.english.holes.iter().filter(|hole| hole.kind != Kind::Any).count();
        letters * 4 + narrow
    }
}

/// A part of what is said: words, or what the hole of this number holds.
enum Piece {
    Text(String),
    Hole(usize),
}

fn pieces(text: &str) -> Vec<Piece> {
    let (fixed, names) = cut(text);
    let mut pieces = Vec::new();
    let mut names = names.into_iter();
    for text in fixed {
        pieces.push(Piece::Text(text));
        if let Some(name) = names.next() {
            let number: usize = name.parse().unwrap_or(0);
            pieces.push(Piece::Hole(number.saturating_sub(1)));
        }
    }
    pieces
}

/// What is between the holes of a format string, and what the holes are called.
fn cut(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut fixed, mut holes) = (vec![String::new()], Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let last = fixed.len() - 1;
        fixed[last].push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        let end = rest.find('}').filter(|_| brace == "{" && !rest.starts_with('{'));
        if let Some(end) = end {
            holes.push(rest[..end].to_owned());
            fixed.push(String::new());
            rest = &rest[end + 1..];
        } else {
            // Two braces are one; one alone is itself.
            fixed[last].push_str(brace);
            rest = rest.strip_prefix(brace).unwrap_or(rest);
        }
    }
    let last = fixed.len() - 1;
    fixed[last].push_str(rest);
    (fixed, holes)
}

/// An English sentence with holes.
pub(super) struct Pattern {
    /// What stands before, between and behind the holes: one more than there are holes.
    fixed: Vec<String>,
    holes: Vec<Hole>,
}

struct Hole {
    kind: Kind,
    /// Whether it stands in backticks.
    is_quoted: bool,
    /// Whether it may hold several sentences.
    is_open: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Raw,
    Word,
    Number,
}

impl Kind {
    fn takes(self, value: &str) -> bool {
        let is_figure = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
        match self {
            Self::Any | Self::Raw => true,
            Self::Word => !value.is_empty() && !value.contains(char::is_whitespace),
            Self::Number => {
                value.starts_with(|c: char| c.is_ascii_digit()) && value.chars().all(is_figure)
            }
        }
    }
}

impl Hole {
    fn takes(&self, value: &str) -> bool {
        let holds_too_much =
            self.is_quoted && value.contains('`') || !self.is_open && value.contains("; ");
        self.kind.takes(value) && !holds_too_much
    }

    fn is_told(&self) -> bool {
        self.kind == Kind::Any && !self.is_quoted
    }
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let (fixed, names) = cut(text);
        let hole = |(n, name): (usize, &String)| Hole {
            kind: match name.as_str() {
                "#" => Kind::Number,
                "word" => Kind::Word,
                "raw" => Kind::Raw,
                _ => Kind::Any,
            },
            is_quoted: fixed[n].ends_with('`') && fixed[n + 1].starts_with('`'),
            is_open: matches!(name.as_str(), "all" | "raw")
                || n == 0 && fixed[0].is_empty()
                || fixed[n].ends_with(": "),
        };
        let holes = names.iter().enumerate().map(hole).collect();
        Self { fixed, holes }
    }

    /// What the holes hold, if the text is this sentence.
    fn fit<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let rest = text.strip_prefix(self.fixed[0].as_str())?;
        let mut held = Vec::with_capacity(self.holes.len());
        self.fit_from(0, rest, &mut held).then_some(held)
    }

    fn fit_from<'t>(&self, n: usize, rest: &'t str, held: &mut Vec<&'t str>) -> bool {
        let Some(hole) = self.holes.get(n) else { return rest.is_empty() };
        let next = self.fixed[n + 1].as_str();
        if n + 1 == self.holes.len() {
            let value = rest.strip_suffix(next).filter(|value| hole.takes(value));
            held.extend(value);
            return value.is_some();
        }
        for (at, _) in rest.match_indices(next) {
            if hole.takes(&rest[..at]) {
                held.push(&rest[..at]);
                if self.fit_from(n + 1, &rest[at + next.len()..], held) {
                    return true;
                }
                held.pop();
            }
        }
        false
    }

    /// The sentence with its holes unnamed: the same for the source and for the catalogue.
    #[cfg(test)]
    pub(super) fn unnamed(&self) -> String {
        self.fixed.join("{}")
    }

    /// The sentence with something in its holes, and what that was.
    #[cfg(test)]
    pub(super) fn filled(&self) -> (String, Vec<String>) {
        let value = |(n, hole): (usize, &Hole)| match hole.kind {
            Kind::Number => format!("{}7", n + 1),
            _ => format!("x{n}"),
        };
        let values: Vec<String> = self.holes.iter().enumerate().map(value).collect();
        let mut text = self.fixed[0].clone();
        for (value, fixed) in values.iter().zip(&self.fixed[1..]) {
            text.push_str(value);
            text.push_str(fixed);
        }
        (text, values)
    }
}

/// One form of a sentence, in both languages.
pub(super) struct Saying {
    pub(super) english: String,
    pub(super) japanese: String,
}

/// What the blocks of a catalogue's text say.
pub(super) fn sayings(text: &'static str) -> Vec<Saying> {
    let mut sayings = Vec::new();
    let mut forms: Vec<String> = Vec::new();
    let mut is_first = true;
    for line in text.lines() {
        if line.trim().is_empty() {
            is_first = true;
        } else if line.starts_with('#') || line == "=" {
        } else if let Some(japanese) = line.strip_prefix("> ") {
            let said = forms
                .iter()
                .map(|english| Saying { english: english.clone(), japanese: plain(japanese) });
            sayings.extend(said);
        } else if let Some(form) = line.strip_prefix("~ ") {
            forms = vec![plain(form)];
        } else if std::mem::take(&mut is_first) {
            forms = line.strip_prefix('@').map_or_else(|| vec![plain(line)], counted);
        }
    }
    sayings
}

/// The forms that a count of this noun takes.
fn counted(noun: &'static str) -> Vec<String> {
    [1, 2].map(|n| Count(n, noun).to_string().replacen(char::is_numeric, "{#}", 1)).to_vec()
}

/// A line of the catalogue as the text that it means.
pub(super) fn plain(text: &str) -> String {
    text.replace("\\n", "\n").replace('␣', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: &str = "\
# a comment
there is no task `{id}`
> タスク `{1}` はありません

{}: {}
> {1}: {2}

`{id}` failed: {raw}
> `{1}` は失敗しました: {2}

{} {verb}: {}
~ {} wait: {}
> {1}が待っています: {2}

; did you mean `{near}`?
> 。`{1}` のことですか?

{what}{meant}
~ unknown key `{}`{all}
> キー `{1}` は知られていません{2}

@task
> {1} 件のタスク

there are {}
> あるのは {1} です
";

    fn said(text: &str) -> String {
        Catalogue::read(FEW).told(text).into_owned()
    }

    #[test]
    fn a_sentence_is_said_with_what_its_holes_hold() {
        assert_eq!(said("there is no task `x`"), "タスク `x` はありません");
        assert_eq!(said("2 tasks wait: a"), "2 件のタスクが待っています: a");
        assert_eq!(said("x: there is no task `y`"), "x: タスク `y` はありません");
        assert_eq!(said("there are `a`, `b` and `c`"), "あるのは `a`、`b`、`c` です");
        assert_eq!(
            said("unknown key `a`; did you mean `b`?"),
            "キー `a` は知られていません。`b` のことですか?"
        );
        assert_eq!(said("x: 4 h 10 min"), "x: 4 時間 10 分");
        assert_eq!(said("x: y\n  there is no task `y`"), "x: y\n  タスク `y` はありません");
    }

    #[test]
    fn names_values_and_the_words_of_others_stay_as_they_are() {
        assert_eq!(said("there is no task `1 task`"), "タスク `1 task` はありません");
        assert_eq!(said("`x` failed: 1 task"), "`x` は失敗しました: 1 task");
        assert_eq!(said("what nobody knows"), "what nobody knows");
        assert_eq!(said("there is no task `x` at all"), "there is no task `x` at all");
    }

    #[test]
    fn a_line_with_columns_is_left_alone() {
        let catalogue = Catalogue::read(FEW);
        let lines = catalogue.told_lines("1 task\na  1 task\n");
        assert_eq!(lines, "1 件のタスク\na  1 task\n");
    }
}
