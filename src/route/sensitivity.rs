//! Finds what must not leave the house.
//!
//! A scanner is a list of detectors, each of which looks at normalised text once
//! and in time that grows with the text alone. What it finds becomes a reason
//! with the place and an outline (`len 9, a-z0-9`), never with the value or a
//! part of it.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::assignment::Assignments;
use super::text::Normal;
use crate::base::secret::Mask;
use crate::base::words;
use crate::task::result::Reason;

/// The most reasons that one text gives: one is enough to keep it in the house.
const MOST_REASONS: usize = 16;

/// The largest compiled form of a pattern, in bytes.
const LARGEST_PATTERN: usize = 4 << 20;

/// The signs that make an entry of `sensitive_patterns` a regular expression.
const REGEX_SIGNS: &[char] =
    &['\\', '^', '$', '.', '|', '?', '*', '+', '(', ')', '[', ']', '{', '}'];

/// Finds secrets and markings in text.
#[derive(Debug, Default)]
pub struct SensitivityScanner {
    detectors: Vec<Detector>,
    /// Finds the values that `.env` keeps secret, wherever they stand.
    secrets: Mask,
}

/// Keys that are known by their form: of model providers, source hosting, clouds, chat and payment, and signed tokens.
const KEY_FORMS: &str = r"(?x) \b (?:
      sk-(?:proj-|ant-[a-z0-9]+-|or-v1-)?[A-Za-z0-9_-]{20,}
    | sk_live_[A-Za-z0-9]{16,}
    | gh[pousr]_[A-Za-z0-9]{30,} | github_pat_[A-Za-z0-9_]{22,} | glpat-[A-Za-z0-9_-]{20,}
    | (?:AKIA|ASIA)[A-Z0-9]{16} | AIza[A-Za-z0-9_-]{35}
    | xox[abeoprs]-[A-Za-z0-9-]{10,} | npm_[A-Za-z0-9]{36} | hf_[A-Za-z0-9]{30,}
    | eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}
)";

/// One way to find something.
#[derive(Debug)]
enum Detector {
    /// A credential's name that is given a value.
    Assignment(Assignments),
    /// A block of a private key.
    KeyBlock(Regex),
    /// A key whose form its provider makes known.
    KeyForm(Regex),
    /// A pattern or a phrase of the config, and how it is written there.
    Pattern(String, Regex),
}

impl SensitivityScanner {
    /// A scanner for the entries of `sensitive_patterns`.
    ///
    /// A bare word (`token`) means an assignment to a name that has it; words
    /// with blanks between them are a phrase that counts wherever it stands; an
    /// entry with signs such as `\`, `[` or `+` is a regular expression. None of
    /// them minds the case.
    ///
    /// # Errors
    /// The entries that are no patterns: their index, and why.
    pub fn new(patterns: &[String]) -> Result<Self, Vec<(usize, String)>> {
        let (mut names, mut detectors, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for (n, pattern) in patterns.iter().enumerate() {
            match Entry::of(pattern.trim()) {
                Entry::Name(name) => names.push(name),
                Entry::Regex(source) => match compile(&source) {
                    Ok(regex) => detectors.push(Detector::Pattern(pattern.clone(), regex)),
                    Err(why) => bad.push((n, why)),
                },
            }
        }
        if !bad.is_empty() {
            return Err(bad);
        }
        if names.iter().any(|name| matches!(name.as_str(), "private_key" | "private-key")) {
            detectors.extend(key_block().map(Detector::KeyBlock));
        }
        detectors.extend(Assignments::new(names).map(Detector::Assignment));
        detectors.extend(Regex::new(KEY_FORMS).ok().map(Detector::KeyForm));
        Ok(Self { detectors, secrets: Mask::default() })
    }

    /// The same scanner, which also knows the secrets of `.env` by their values.
    #[must_use]
    pub fn knowing(self, secrets: Mask) -> Self {
        Self { secrets, ..self }
    }

    /// Adds a reason for each thing found in `text`, which stands at `field`.
    pub fn scan(&self, field: &str, text: &str, reasons: &mut Vec<Reason>) {
        if self.secrets.hide(text).is_some() {
            let why = "a secret of config/.env stands here";
            reasons.push(Reason::new("known_secret", "key", field, why));
        }
        if text.is_empty() || self.detectors.is_empty() {
            return;
        }
        let normal = Normal::of(text);
        let most = reasons.len() + MOST_REASONS;
        for detector in &self.detectors {
            detector.scan(&normal, field, reasons, most);
        }
    }

    /// Adds a reason for each key in a JSON value that is a credential's name with a value behind it.
    pub fn scan_pairs(&self, field: &str, value: &Value, reasons: &mut Vec<Reason>) {
        match value {
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    self.scan_pairs(&format!("{field}/{n}"), item, reasons);
                }
            }
            Value::Object(map) => {
                for (key, item) in map {
                    let at = format!("{field}/{}", key.replace('~', "~0").replace('/', "~1"));
                    self.scan_pair(&at, key, item, reasons);
                    self.scan_pairs(&at, item, reasons);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Adds a reason if `key` is a credential's name and `value` is a text or number, or a list of them.
    pub fn scan_pair(&self, field: &str, key: &str, value: &Value, reasons: &mut Vec<Reason>) {
        let text = match value {
            Value::String(text) => text.as_str(),
            Value::Number(number) => number.as_str(),
            Value::Array(items) => {
                for item in items.iter().filter(|item| item.is_string()).take(MOST_REASONS) {
                    self.scan_pair(field, key, item, reasons);
                }
                return;
            }
            Value::Null | Value::Bool(_) | Value::Object(_) => return,
        };
        let normal = Normal::of(key);
        for detector in &self.detectors {
            if let Detector::Assignment(names) = detector
                && let Some(word) = names.word_of_pair(normal.text(), text)
            {
                reasons.push(given_a_value(word, field, text, (0, text.len())));
            }
        }
    }
}

impl Detector {
    fn scan(&self, normal: &Normal<'_>, field: &str, reasons: &mut Vec<Reason>, most: usize) {
        let text = normal.text();
        match self {
            Self::Assignment(names) => names.scan(text, |found| {
                let value = &text[found.start..found.end];
                let span = normal.span(found.start, found.end);
                reasons.push(given_a_value(found.word, field, value, span));
                reasons.len() < most
            }),
            Self::KeyBlock(regex) => {
                for hit in regex.find_iter(text).take(most.saturating_sub(reasons.len())) {
                    let why = "a private key begins here";
                    let span = normal.span(hit.start(), hit.end());
                    reasons.push(plain("private_key", "key", field, why, span));
                }
            }
            Self::KeyForm(regex) => {
                for hit in regex.find_iter(text).take(most.saturating_sub(reasons.len())) {
                    let why = "this has the form of a provider's key";
                    let span = normal.span(hit.start(), hit.end());
                    let mut reason = plain("key_form", "key", field, why, span);
                    reason.shape = Some(shape(hit.as_str()));
                    reasons.push(reason);
                }
            }
            Self::Pattern(written, regex) => {
                let hits = regex.find_iter(text).filter(|hit| !hit.is_empty());
                for hit in hits.take(most.saturating_sub(reasons.len())) {
                    let why = format!("the pattern `{}` is found", words::tame(written));
                    let span = normal.span(hit.start(), hit.end());
                    let mut reason = plain(written, "pattern", field, &why, span);
                    reason.shape = Some(shape(hit.as_str()));
                    reasons.push(reason);
                }
            }
        }
    }
}

fn given_a_value(word: &str, field: &str, value: &str, span: (usize, usize)) -> Reason {
    let why = format!("a name with `{}` is given a value", words::tame(word));
    let mut reason = plain(word, "pattern", field, &why, span);
    reason.shape = Some(shape(value));
    reason
}

fn plain(rule: &str, family: &str, field: &str, why: &str, span: (usize, usize)) -> Reason {
    let mut reason = Reason::new(rule, family, field, why);
    reason.span = Some(span);
    reason.view = Some("plain".into());
    reason
}

/// What an entry of `sensitive_patterns` is.
enum Entry {
    Name(String),
    Regex(String),
}

impl Entry {
    fn of(entry: &str) -> Self {
        if entry.contains(REGEX_SIGNS) {
            return Self::Regex(entry.to_owned());
        }
        if !entry.contains(char::is_whitespace) {
            return Self::Name(entry.to_owned());
        }
        let words: Vec<String> = entry.split_whitespace().map(regex::escape).collect();
        let edge =
            |c: Option<char>| if c.is_some_and(|c| c.is_ascii_alphanumeric()) { r"\b" } else { "" };
        let (first, last) = (edge(entry.chars().next()), edge(entry.chars().last()));
        Self::Regex(format!("{first}{}{last}", words.join(r"\s+")))
    }
}

fn compile(source: &str) -> Result<Regex, String> {
    let built =
        RegexBuilder::new(source).case_insensitive(true).size_limit(LARGEST_PATTERN).build();
    let shown = words::excerpt(&words::tame(source), 60);
    let regex = built.map_err(|error| {
        let said = error.to_string();
        let last = said.lines().last().unwrap_or_default();
        let why = last.trim().trim_start_matches("error: ");
        format!("`{shown}` is not a regular expression: {}", words::tame(why))
    })?;
    match regex.is_match("") {
        true => Err(format!("`{shown}` fits any text, even none: make it narrower")),
        false => Ok(regex),
    }
}

/// The head of a PEM block; written in two pieces, so that this file does not hold one.
fn key_block() -> Option<Regex> {
    let head = format!("-----BEGIN {}", r"(?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----");
    Regex::new(&head).ok()
}

/// A value in outline: its length in characters, and what sorts of characters are in it.
pub(super) fn shape(value: &str) -> String {
    let has = |sort: fn(char) -> bool| value.chars().any(sort);
    let mut sorts = String::new();
    for (name, sort) in [
        ("A-Z", (|c| c.is_ascii_uppercase()) as fn(char) -> bool),
        ("a-z", |c| c.is_ascii_lowercase()),
        ("0-9", |c| c.is_ascii_digit()),
        (" signs", |c| c.is_ascii() && !c.is_ascii_alphanumeric()),
        (" other", |c| !c.is_ascii()),
    ] {
        if has(sort) {
            sorts.push_str(name);
        }
    }
    format!("len {}, {}", value.chars().count(), sorts.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scanner(patterns: &[&str]) -> SensitivityScanner {
        let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
        SensitivityScanner::new(&patterns).unwrap()
    }

    fn original() -> SensitivityScanner {
        scanner(&["password", "secret", "api_key", "token", "private_key"])
    }

    fn reasons(scanner: &SensitivityScanner, text: &str) -> Vec<Reason> {
        let mut reasons = Vec::new();
        scanner.scan("/description", text, &mut reasons);
        reasons
    }

    #[test]
    fn a_reason_has_the_place_and_the_outline_and_never_the_value() {
        let text = "Review code with password: secret123";
        let found = reasons(&original(), text);
        assert_eq!(found.len(), 1);
        let reason = &found[0];
        assert_eq!(reason.span, Some((27, 36)));
        assert_eq!(reason.shape.as_deref(), Some("len 9, a-z0-9"));
        assert_eq!((reason.rule.as_str(), reason.view.as_deref()), ("password", Some("plain")));
        assert!(!format!("{reason:?}").contains("secret123"));
    }

    #[test]
    fn wide_letters_hide_nothing() {
        let text = "ｐａｓｓｗｏｒｄ：ｖ４ｌｕｅ";
        let found = reasons(&original(), text);
        assert_eq!(found[0].span.map(|(a, b)| &text[a..b]), Some("ｖ４ｌｕｅ"));
    }

    #[test]
    fn a_private_key_is_found_by_its_head() {
        for kind in ["", "RSA ", "OPENSSH ", "ENCRYPTED "] {
            let text = format!("see\n-----BEGIN {kind}PRIVATE {}-----\nabc", "KEY");
            assert_eq!(reasons(&original(), &text).len(), 1, "{kind}");
            assert!(reasons(&scanner(&["password"]), &text).is_empty());
        }
        assert!(reasons(&original(), "-----BEGIN PUBLIC KEY-----").is_empty());
    }

    #[test]
    fn signs_make_a_regular_expression_and_blanks_a_phrase() {
        let scanner = scanner(&[r"emp-\d{4}", "internal use only"]);
        assert_eq!(reasons(&scanner, "about EMP-1234 and more").len(), 1);
        assert_eq!(reasons(&scanner, "for Internal  use\nonly!").len(), 1);
        assert!(reasons(&scanner, "emp-12, internal users only").is_empty());
    }

    #[test]
    fn a_wrong_pattern_is_named_by_its_index() {
        let patterns = ["ok", "(", "x*"].map(str::to_owned);
        let bad = SensitivityScanner::new(&patterns).unwrap_err();
        assert_eq!(bad.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 2]);
        assert!(bad[0].1.contains("not a regular expression: unclosed group"), "{}", bad[0].1);
    }

    #[test]
    fn keys_and_values_of_json_are_pairs() {
        let value = json!({
            "a": [{"dbPassword": "x1"}], "max_tokens": 4000, "token": {"kind": "y"},
            "secrets": ["s1", "s2"], "pin/token": 1234, "password": "",
        });
        let mut found = Vec::new();
        original().scan_pairs("/input", &value, &mut found);
        let fields: Vec<&str> = found.iter().map(|reason| reason.field.as_str()).collect();
        assert_eq!(
            fields,
            ["/input/a/0/dbPassword", "/input/secrets", "/input/secrets", "/input/pin~1token"]
        );
    }

    #[test]
    fn a_text_full_of_secrets_gives_few_reasons() {
        let text = "token: a1b2 ".repeat(10_000);
        assert_eq!(reasons(&original(), &text).len(), MOST_REASONS);
    }

    #[test]
    fn a_providers_key_is_known_by_its_form_and_a_known_secret_by_its_value() {
        let body = "Zq8Lw3Xv7Nt2Rb9Kc5Md1Pf6Hj4Gs0aa11Qw";
        let keys = [
            format!("{}_{body}", "ghp"),
            format!("{}-proj-{body}", "sk"),
            format!("{}4QZX7TRPLM2WKVN5", "AKIA"),
            format!("{}-123456789012-abcdef", "xoxb"),
        ];
        let scanner = SensitivityScanner::new(&[]).unwrap().knowing(Mask::new(["open sesame"]));
        let found = |text: &str| {
            let mut reasons = Vec::new();
            scanner.scan("/description", text, &mut reasons);
            reasons
        };
        for key in &keys {
            let reasons = found(&format!("use {key} for it"));
            assert_eq!(reasons.len(), 1, "{key}");
            assert!(!serde_json::to_string(&reasons).unwrap().contains(body));
        }
        assert_eq!(found("say open sesame")[0].rule, "known_secret");
        for plain in [
            "task-list-of-the-whole-long-project",
            "risk-assessment-of-everything-there-is",
            "eyJ.eyJ.",
        ] {
            assert!(found(plain).is_empty(), "{plain}");
        }
    }
}
