//! The variables that settings look at: the process's own, over those of `.env`.
//!
//! The map of the process's variables is handed over; nothing is set, and
//! nothing of a value ever stands in an error. (Within `.env`, `$NAME` is filled
//! in as a shell would, which `dotenvy` does.)

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use crate::base::secret::Mask;

/// What surrounds the settings: variables, and the day whose prices hold.
#[derive(Clone)]
pub struct Environment {
    process: BTreeMap<String, String>,
    file: BTreeMap<String, Line>,
    flaws: Vec<(u64, String)>,
    now: Timestamp,
}

#[derive(Clone)]
struct Line {
    number: u64,
    value: String,
}

/// Where a variable's value is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The process's environment.
    Process,
    /// This line of `.env`.
    File(u64),
}

impl Environment {
    /// The process's variables over the text of `.env`; `now` decides which of several dated prices holds.
    pub fn new(
        process: impl IntoIterator<Item = (String, String)>,
        dotenv: &str,
        now: Timestamp,
    ) -> Self {
        let (file, flaws) = read(dotenv);
        Self { process: process.into_iter().collect(), file, flaws, now }
    }

    /// The value of a variable: the process's, or that of `.env`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name).map(|(value, _)| value)
    }

    /// The names that stand in `.env`.
    pub fn names_in_file(&self) -> impl Iterator<Item = &str> {
        self.file.keys().map(String::as_str)
    }

    /// The names in `.env` whose value only holds the place of a key, each with its line.
    pub fn placeholders(&self) -> impl Iterator<Item = (&str, u64)> {
        let is_one = |name: &str, line: &Line| is_secret_name(name) && is_placeholder(&line.value);
        let named = self.file.iter().filter(move |(name, line)| is_one(name, line));
        named.map(|(name, line)| (name.as_str(), line.number))
    }

    /// Hides the secrets of `.env` in text.
    pub fn mask(&self) -> Mask {
        Mask::new(self.secrets(&[]))
    }

    pub(super) fn find(&self, name: &str) -> Option<(&str, Source)> {
        let file = || self.file.get(name).map(|l| (l.value.as_str(), Source::File(l.number)));
        self.process.get(name).map(|value| (value.as_str(), Source::Process)).or_else(file)
    }

    pub(super) fn flaws(&self) -> &[(u64, String)] {
        &self.flaws
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Every value that must not be shown: those of `.env` and of the `named` variables, as their names tell.
    pub(super) fn secrets<'a>(&'a self, named: &'a [String]) -> impl Iterator<Item = &'a str> {
        let of_file = self.file.iter().map(|(name, line)| (name.as_str(), line.value.as_str()));
        let of_process =
            named.iter().filter_map(|name| Some((name.as_str(), self.process.get(name)?.as_str())));
        of_file
            .chain(of_process)
            .filter(|(name, value)| is_secret_name(name) && !is_placeholder(value))
            .map(|(_, value)| value)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} + {} variables)", self.process.len(), self.file.len())
    }
}

/// Whether a variable of this name holds a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["_KEY", "_TOKEN", "_SECRET", "_PASSWORD"].iter().any(|end| name.ends_with(end))
}

/// Whether a value only holds the place of a key: `sk-your-api-key-here`.
///
/// A real key is long, and by chance one in some hundreds has `xxx` in it: of a
/// long value more is asked.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    let marks: &[&str] = match value.len() {
        0..40 => &["your", "xxx", "changeme", "..."],
        _ => &["your-", "your_", "xxxxxxxx", "changeme", "..."],
    };
    value.is_empty() || marks.iter().any(|mark| value.contains(mark))
}

/// The lines of `.env`, and the numbers of those that are wrong.
fn read(text: &str) -> (BTreeMap<String, Line>, Vec<(u64, String)>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut file, mut flaws) = (BTreeMap::new(), Vec::new());
    // The parser tells no line numbers: they are found behind what was read before.
    let mut after = 0;
    for item in dotenvy::from_read_iter(text.as_bytes()) {
        match item {
            Ok((name, value)) => {
                after = definition(text, after, &name).unwrap_or(after);
                let number = line_at(text, after);
                after = line_end(text, after);
                file.insert(name, Line { number, value });
            }
            Err(dotenvy::Error::LineParse(part, _)) => {
                let at = text[after..].find(part.trim()).map_or(after, |at| after + at);
                let begins = text[..at].rfind('\n').map_or(0, |at| at + 1);
                after = line_end(text, at);
                flaws.push((line_at(text, at), why_wrong(&text[begins..after])));
            }
            Err(error) => flaws.push((1, format!("the file cannot be read: {error}"))),
        }
    }
    (file, flaws)
}

/// Says what is wrong with a line and nothing of what stands in it but a name.
fn why_wrong(line: &str) -> String {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    match line.split_once('=') {
        Some((name, _)) if is_name(name.trim()) => format!(
            "the value of `{}` cannot be read: put it in single quotes if it holds blanks, quotes or `\\`",
            name.trim()
        ),
        _ => "this line cannot be read: write it as `NAME=value`".into(),
    }
}

fn is_name(name: &str) -> bool {
    (1..60).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Where the first line behind `after` begins that gives `name` a value.
fn definition(text: &str, after: usize, name: &str) -> Option<usize> {
    let mut at = after;
    for line in text[after..].split_inclusive('\n') {
        let bare = line.trim_start();
        let bare = bare.strip_prefix("export ").unwrap_or(bare).trim_start();
        if bare.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return Some(at);
        }
        at += line.len();
    }
    None
}

fn line_at(text: &str, at: usize) -> u64 {
    1 + text[..at].matches('\n').count() as u64
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn environment(process: &[(&str, &str)], dotenv: &str) -> Environment {
        let process = process.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Environment::new(process, dotenv, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn the_process_goes_before_the_file() {
        let env = environment(&[("A", "process")], "A=file\n# remark\nexport B='x y'\n");
        assert_eq!(env.find("A"), Some(("process", Source::Process)));
        assert_eq!(env.find("B"), Some(("x y", Source::File(3))));
        assert_eq!(env.get("C"), None);
    }

    #[test]
    fn a_bad_line_is_named_by_number_and_its_value_is_not_shown() {
        let env = environment(&[], "A=1\nhello there\nMY_KEY=hunter two\nB=2\n");
        let flaws = env.flaws();
        assert_eq!(flaws.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
        assert!(flaws[1].1.contains("`MY_KEY`"), "{flaws:?}");
        assert!(!format!("{flaws:?}").contains("hunter"), "{flaws:?}");
        assert_eq!(env.get("B"), Some("2"));
    }

    #[test]
    fn placeholders_are_no_secrets() {
        let env =
            environment(&[], "A_KEY=sk-your-api-key-here\nB_TOKEN=rosebud-77\nC=open\nD_KEY=\n");
        assert_eq!(env.secrets(&[]).collect::<Vec<_>>(), ["rosebud-77"]);
        assert_eq!(env.placeholders().collect::<Vec<_>>(), [("A_KEY", 1), ("D_KEY", 4)]);
    }

    #[test]
    fn it_does_not_print_its_values() {
        let env = environment(&[("A_KEY", "rosebud-77")], "");
        assert!(!format!("{env:?}").contains("rosebud"));
        assert_eq!(env.secrets(&["A_KEY".into()]).collect::<Vec<_>>(), ["rosebud-77"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s)[ -~\\n\"'\\\\$=#é]{0,80}") {
            environment(&[], &text);
        }
    }
}
