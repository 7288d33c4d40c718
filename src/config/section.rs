//! One mapping of `agent.yaml`, read key by key.
//!
//! Each reader gives the value if it is what it should be; if it is not, it says
//! so with the place and gives nothing. `null` is the same as absent. A key that
//! nobody knows, or that stands twice, is found when the section is opened.

use std::time::Duration;

use serde_json::{Map, Value};

use super::complaint::Complaints;
use super::tree::{Node, Place, Tree};
use crate::base::words;
use crate::task::Usd;

/// A mapping, and whom to tell what is wrong with it.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// Where it begins.
    pub(super) at: Place,
    entries: Vec<(&'a str, Place, &'a Node)>,
    complaints: &'a Complaints,
}

impl<'a> Section<'a> {
    /// Opens the mapping `node`, which may have the keys `known`.
    pub(super) fn open(
        node: &'a Node,
        what: &str,
        known: &[&str],
        complaints: &'a Complaints,
    ) -> Option<Self> {
        let entries = match &node.value {
            Tree::Map(entries) => entries.as_slice(),
            Tree::Null => &[],
            _ => {
                complaints.error(
                    node.at,
                    format!("{what} must be a mapping of keys, and is {}", node.described()),
                );
                return None;
            }
        };
        let mut section =
            Self { at: node.at, entries: Vec::with_capacity(entries.len()), complaints };
        for (key, value) in entries {
            section.admit(key.name.as_deref(), key.at, value, known);
        }
        Some(section)
    }

    fn admit(&mut self, name: Option<&'a str>, at: Place, value: &'a Node, known: &[&str]) {
        let Some(name) = name else {
            self.complaints.error(at, "a key must be a plain word");
            return;
        };
        let shown = words::excerpt(&words::tame(name), 60);
        if !known.contains(&name) {
            let message = format!("unknown key `{shown}`");
            self.complaints.wrong_name(at, message, name, known.iter().copied());
        } else if self.entries.iter().any(|(other, ..)| *other == name) {
            self.complaints.error(at, format!("`{shown}` is given twice: take one of them out"));
        } else {
            self.entries.push((name, at, value));
        }
    }

    /// The value of a key that is there and not null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries
            .iter()
            .find(|(name, ..)| *name == key)
            .map(|(.., node)| *node)
            .filter(|node| node.value != Tree::Null)
    }

    /// Whether a key is there and not null.
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Where a key's value stands, or the section itself.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.get(key).map_or(self.at, |node| node.at)
    }

    /// Complains at the value of `key`, or at the section where it is absent.
    pub(super) fn error(&self, key: &str, message: impl Into<String>) {
        self.complaints.error(self.place_of(key), message);
    }

    fn wrong<T>(&self, key: &str, wanted: &str, node: &Node) -> Option<T> {
        let message = format!("`{key}` must be {wanted}, and is {}", node.described());
        self.complaints.error(node.at, message);
        None
    }

    /// A text; a number or `true` is one as it is written.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        as_text(node).or_else(|| self.wrong(key, "a text", node))
    }

    /// A text with something in it.
    pub(super) fn word(&self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        if text.trim().is_empty() {
            self.error(key, format!("`{key}` is empty: give it a value or take it out"));
            return None;
        }
        Some(text.trim().to_owned())
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        match node.value {
            Tree::Flag(flag) => Some(flag),
            _ => self.wrong(key, "`true` or `false`", node),
        }
    }

    /// A whole number in a range; `5.0` is one.
    pub(super) fn integer(&self, key: &str, least: u64, most: u64) -> Option<u64> {
        let node = self.get(key)?;
        let whole = match node.value {
            Tree::Whole(n) => u64::try_from(n).ok(),
            Tree::Real(n) if n.fract() == 0.0 && (0.0..=1e15).contains(&n) => Some(n as u64),
            _ => None,
        };
        whole
            .filter(|n| (least..=most).contains(n))
            .or_else(|| self.wrong(key, &format!("a whole number from {least} to {most}"), node))
    }

    /// A whole number in a range that fits into 32 bits.
    pub(super) fn small(&self, key: &str, least: u32, most: u32) -> Option<u32> {
        self.integer(key, least.into(), most.into()).and_then(|n| u32::try_from(n).ok())
    }

    /// A number for each minute, or `unlimited`; the outer `None` is absent or wrong.
    pub(super) fn rate(&self, key: &str) -> Option<u32> {
        let node = self.get(key)?;
        match &node.value {
            Tree::Text(text) if text.trim().eq_ignore_ascii_case("unlimited") => None,
            Tree::Whole(n) => match u32::try_from(*n) {
                Ok(n) if n > 0 => Some(n),
                _ => self.wrong(key, RATE, node),
            },
            _ => self.wrong(key, RATE, node),
        }
    }

    /// A number of seconds above 0 and up to a year.
    pub(super) fn seconds(&self, key: &str) -> Option<Duration> {
        self.seconds_from(key, 0.001, "a number of seconds above 0 and up to a year")
    }

    /// A number of seconds from 0 on and up to a year.
    pub(super) fn seconds_or_none(&self, key: &str) -> Option<Duration> {
        self.seconds_from(key, 0.0, "a number of seconds from 0 and up to a year")
    }

    fn seconds_from(&self, key: &str, least: f64, wanted: &str) -> Option<Duration> {
        const YEAR: f64 = 31_536_000.0;
        let node = self.get(key)?;
        let seconds = match node.value {
            Tree::Whole(n) => n as f64,
            Tree::Real(n) => n,
            _ => f64::NAN,
        };
        if (least..=YEAR).contains(&seconds) {
            return Some(Duration::from_secs_f64(seconds));
        }
        self.wrong(key, wanted, node)
    }

    /// A size in bytes: a number, or one with a unit, `16 MiB`.
    pub(super) fn size(&self, key: &str, least: u64) -> Option<u64> {
        const MOST: u64 = 1 << 50;
        let node = self.get(key)?;
        let size = match &node.value {
            Tree::Whole(n) => u64::try_from(*n).ok(),
            Tree::Text(text) => words::parse_bytes(text),
            _ => None,
        };
        size.filter(|size| (least..=MOST).contains(size)).or_else(|| {
            let wanted = format!("a size such as `16 MiB`, at least {}", words::bytes(least));
            self.wrong(key, &wanted, node)
        })
    }

    /// An amount of dollars.
    pub(super) fn money(&self, key: &str) -> Option<Usd> {
        let node = self.get(key)?;
        as_money(node).or_else(|| self.wrong(key, "an amount of dollars such as `0.25`", node))
    }

    /// A list of texts, each with its place.
    pub(super) fn texts(&self, key: &str) -> Option<Vec<(Place, String)>> {
        let node = self.get(key)?;
        let Tree::List(items) = &node.value else {
            return self.wrong(key, "a list", node);
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match as_text(item).filter(|text| !text.trim().is_empty()) {
                Some(text) => texts.push((item.at, text)),
                None => {
                    let message =
                        format!("`{key}` must be a list of texts, and one is {}", item.described());
                    self.complaints.error(item.at, message);
                }
            }
        }
        Some(texts)
    }

    /// Where each text of a list stands, of one that was read before.
    pub(super) fn places(&self, key: &str) -> Vec<(Place, String)> {
        let items = match self.get(key).map(|node| &node.value) {
            Some(Tree::List(items)) => items.as_slice(),
            _ => &[],
        };
        items.iter().filter_map(|item| Some((item.at, as_text(item)?))).collect()
    }

    /// A list, whatever is in it.
    pub(super) fn list(&self, key: &str) -> Option<&'a [Node]> {
        let node = self.get(key)?;
        match &node.value {
            Tree::List(items) => Some(items),
            _ => self.wrong(key, "a list", node),
        }
    }

    /// A mapping below this one.
    pub(super) fn section(&self, key: &str, known: &[&str]) -> Option<Section<'a>> {
        Section::open(self.get(key)?, &format!("`{key}`"), known, self.complaints)
    }

    /// A mapping whose keys are names that are free to choose, each with its place and its value.
    pub(super) fn named(&self, key: &str) -> Vec<(Place, &'a str, &'a Node)> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let names: Vec<&str> = match &node.value {
            Tree::Map(entries) => {
                entries.iter().filter_map(|(key, _)| key.name.as_deref()).collect()
            }
            _ => Vec::new(),
        };
        let section = Section::open(node, &format!("`{key}`"), &names, self.complaints);
        section.map_or_else(Vec::new, |section| {
            section.entries.into_iter().map(|(name, at, node)| (at, name, node)).collect()
        })
    }

    /// A mapping that is passed on as it is.
    pub(super) fn json(&self, key: &str) -> Option<Map<String, Value>> {
        let node = self.get(key)?;
        match node.to_json() {
            Value::Object(map) => Some(map),
            _ => self.wrong(key, "a mapping of keys", node),
        }
    }
}

const RATE: &str = "a whole number from 1, or `unlimited`";

fn as_text(node: &Node) -> Option<String> {
    match &node.value {
        Tree::Text(text) => Some(text.clone()),
        Tree::Flag(flag) => Some(flag.to_string()),
        Tree::Whole(n) => Some(n.to_string()),
        Tree::Real(n) => Some(n.to_string()),
        Tree::Null | Tree::List(_) | Tree::Map(_) => None,
    }
}

/// Money as it is written: what is no number is no money.
pub(super) fn as_money(node: &Node) -> Option<Usd> {
    match &node.value {
        Tree::Whole(n) => n.to_string().parse().ok(),
        Tree::Real(n) => n.to_string().parse().ok(),
        _ => None,
    }
}
