//! Secrets that do not print themselves, and the mask that keeps them out of text.

use std::fmt;

use aho_corasick::{AhoCorasick, MatchKind};

/// A value that must not be shown: `Debug` and `Display` say `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes charge of a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that must send it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Finds known secret values in text and puts `***` in their place.
#[derive(Clone, Default)]
pub struct Mask(Option<AhoCorasick>);

impl Mask {
    /// Values shorter than this are not masked: they would blank out ordinary words.
    pub const SHORTEST: usize = 8;

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// A mask for `values`, also as they look when escaped inside JSON.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut needles = Vec::new();
        for value in values.into_iter().filter(|value| value.len() >= Self::SHORTEST) {
            needles.push(value.to_owned());
            let escaped = serde_json::Value::from(value).to_string();
            needles.push(escaped[1..escaped.len() - 1].to_owned());
        }
        needles.sort();
        needles.dedup();
        if needles.is_empty() {
            return Self(None);
        }
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(needles);
        Self(finder.ok())
    }

    /// `text` without the secrets, or `None` where it holds none.
    pub fn hide(&self, text: &str) -> Option<String> {
        let finder = self.0.as_ref()?;
        finder.is_match(text).then(|| {
            let mut hidden = String::with_capacity(text.len());
            finder.replace_all_with(text, &mut hidden, |_, _, to| {
                to.push_str("***");
                true
            });
            hidden
        })
    }

    /// Hides the secrets in every string of a JSON value, its keys too; says whether there were any.
    pub fn hide_in(&self, value: &mut serde_json::Value) -> bool {
        use serde_json::Value;
        if self.0.is_none() {
            return false;
        }
        match value {
            Value::String(text) => match self.hide(text) {
                Some(hidden) => {
                    *text = hidden;
                    true
                }
                None => false,
            },
            Value::Array(items) => {
                items.iter_mut().fold(false, |hit, item| self.hide_in(item) | hit)
            }
            Value::Object(map) => {
                let mut hit = false;
                if map.keys().any(|key| self.hide(key).is_some()) {
                    hit = true;
                    *map = std::mem::take(map)
                        .into_iter()
                        .map(|(key, item)| (self.hide(&key).unwrap_or(key), item))
                        .collect();
                }
                map.values_mut().fold(hit, |hit, item| self.hide_in(item) | hit)
            }
            Value::Number(number) => match self.hide(number.as_str()) {
                Some(hidden) => {
                    *value = Value::String(hidden);
                    true
                }
                None => false,
            },
            Value::Null | Value::Bool(_) => false,
        }
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = Secret::new("open sesame");
        assert_eq!(format!("{secret:?} {secret}"), "*** ***");
    }

    #[test]
    fn known_values_are_hidden_wherever_they_stand() {
        let mask = Mask::new(["quote\"inside", "short"]);
        assert_eq!(mask.hide("a quote\"inside b").unwrap(), "a *** b");
        assert_eq!(mask.hide("a quote\\\"inside b").unwrap(), "a *** b");
        assert!(mask.hide("short").is_none(), "too short to be masked");
        let mut value = serde_json::json!({ "k quote\"inside": ["x quote\"inside", 1] });
        assert!(mask.hide_in(&mut value));
        assert_eq!(value, serde_json::json!({ "k ***": ["x ***", 1] }));
    }
}
