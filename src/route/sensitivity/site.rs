//! What a site adds to the rules: its own patterns and words, what is confidential
//! by its kind or its place, and values that it lets pass.
//!
//! A value that may pass is kept as a keyed hash, so that the settings do not hold
//! what they are about. A hash clears its one value and nothing beside it.

use std::fmt;
use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use hmac::{Hmac, KeyInit, Mac};
use regex::{Regex, RegexBuilder};
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization;

use super::rule::Found;
use super::{LARGEST_PATTERN, MOST_REASONS, shapes};
use crate::base::words;

/// The least bytes of a key for hashes.
const SHORTEST_KEY: usize = 16;

/// A pattern with a name, and a text that it is known to find.
#[derive(Debug)]
pub struct SitePattern {
    id: String,
    regex: Regex,
}

impl SitePattern {
    /// Compiles a pattern and tries it on `test`, which it must find.
    ///
    /// # Errors
    /// Why it is no pattern, with the place in it, or that it does not find the text.
    pub fn new(id: &str, source: &str, test: &str) -> Result<Self, String> {
        let shown = words::excerpt(&words::tame(source), 60);
        let built = RegexBuilder::new(source).size_limit(LARGEST_PATTERN).build();
        let regex = built.map_err(|error| {
            format!("`{shown}` is not a regular expression: {}", reason(&error))
        })?;
        if regex.is_match("") {
            return Err(format!("`{shown}` fits any text, even none: make it narrower"));
        }
        if !regex.is_match(test) {
            return Err(format!("`{shown}` does not find its `test`: mend the one or the other"));
        }
        Ok(Self { id: id.to_owned(), regex })
    }
}

/// What is wrong with a pattern, and at which character of it.
fn reason(error: &regex::Error) -> String {
    let said = error.to_string();
    let why =
        said.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
    let caret = said.lines().find(|line| {
        line.trim() == "^" || line.trim().chars().all(|c| c == '^') && !line.trim().is_empty()
    });
    match caret.and_then(|line| line.find('^')).and_then(|at| at.checked_sub(4)) {
        Some(at) => format!("{}, at character {} of it", words::tame(&why), at + 1),
        None => words::tame(&why),
    }
}

/// The key of the hashes by which values may pass.
#[derive(Clone)]
pub struct AllowKey(Vec<u8>);

impl AllowKey {
    /// A key of at least sixteen bytes; `None` for less.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        (bytes.len() >= SHORTEST_KEY).then_some(Self(bytes))
    }

    /// The hash under which `value` may stand in `allow`.
    pub fn hash(&self, value: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(value.trim().as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for AllowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AllowKey(***)")
    }
}

/// A site's own rules.
#[derive(Debug, Default)]
pub struct Site {
    patterns: Vec<SitePattern>,
    words: Option<Regex>,
    task_types: Vec<String>,
    paths: GlobSet,
    allow: Option<(AllowKey, Vec<String>)>,
    strict: bool,
    ignores_matters: bool,
}

impl Site {
    /// Adds a pattern.
    pub fn pattern(&mut self, pattern: SitePattern) {
        self.patterns.push(pattern);
    }

    /// Sets the words that count wherever they stand by themselves.
    ///
    /// # Errors
    /// That there are too many.
    pub fn words(&mut self, all: &[String]) -> Result<(), String> {
        let mut all: Vec<String> = all.iter().map(|word| word.trim().nfkc().collect()).collect();
        all.retain(|word| !word.is_empty());
        // The longest first, as the first that fits is taken.
        all.sort_by_key(|word| std::cmp::Reverse(word.len()));
        if all.is_empty() {
            return Ok(());
        }
        let source: Vec<String> = all.iter().map(|word| regex::escape(word)).collect();
        let built = RegexBuilder::new(&source.join("|"))
            .case_insensitive(true)
            .size_limit(LARGEST_PATTERN)
            .build();
        self.words = Some(built.map_err(|_| "`words` are too many: leave some out".to_owned())?);
        Ok(())
    }

    /// Sets the types of task that are confidential.
    pub fn task_types(&mut self, all: Vec<String>) {
        self.task_types = all;
    }

    /// Sets the places whose files make a task confidential.
    ///
    /// # Errors
    /// The entries that are no globs: their index, and why.
    pub fn paths(&mut self, all: &[String]) -> Result<(), Vec<(usize, String)>> {
        let (mut set, mut bad) = (GlobSetBuilder::new(), Vec::new());
        for (n, glob) in all.iter().enumerate() {
            match GlobBuilder::new(glob).literal_separator(true).build() {
                Ok(glob) => {
                    set.add(glob);
                }
                Err(error) => bad
                    .push((n, format!("`{}` is not a glob: {}", words::tame(glob), error.kind()))),
            }
        }
        if !bad.is_empty() {
            return Err(bad);
        }
        self.paths = set.build().map_err(|error| vec![(0, error.to_string())])?;
        Ok(())
    }

    /// Sets the hashes of values that may pass, and their key.
    pub fn allow(&mut self, key: AllowKey, hashes: Vec<String>) {
        self.allow =
            Some((key, hashes.into_iter().map(|hash| hash.to_ascii_lowercase()).collect()));
    }

    /// Sets whether what looks like a key counts without a word beside it.
    pub fn strict(&mut self, strict: bool) {
        self.strict = strict;
    }

    /// Sets whether a task is judged, too, by what its words tell of taken together.
    pub fn matters(&mut self, judged: bool) {
        self.ignores_matters = !judged;
    }

    /// Whether a task is judged by what its words tell of taken together.
    pub fn judges_matters(&self) -> bool {
        !self.ignores_matters
    }

    /// Whether tasks of this type are confidential.
    pub fn is_confidential_type(&self, task_type: &str) -> bool {
        self.task_types.iter().any(|other| other.eq_ignore_ascii_case(task_type))
    }

    /// Whether a file at this place is confidential.
    pub fn is_confidential_path(&self, path: &Path) -> bool {
        self.paths.is_match(path)
    }

    /// Whether a value may pass.
    pub(super) fn allows(&self, value: &str) -> bool {
        self.allow
            .as_ref()
            .is_some_and(|(key, hashes)| !hashes.is_empty() && hashes.contains(&key.hash(value)))
    }

    /// Calls `found` for each thing in normalised text, until it says that it is enough.
    pub(super) fn scan(&self, text: &str, found: &mut dyn FnMut(Found) -> bool) {
        for pattern in &self.patterns {
            for hit in
                pattern.regex.find_iter(text).filter(|hit| !hit.is_empty()).take(MOST_REASONS)
            {
                let why = format!("the site's pattern `{}` is found", words::tame(&pattern.id));
                found(Found {
                    rule: pattern.id.clone(),
                    family: "pattern",
                    why,
                    at: hit.range(),
                    shaped: true,
                });
            }
        }
        let hits = self.words.iter().flat_map(|words| words.find_iter(text));
        for hit in hits.filter(|hit| is_whole(text, hit.start(), hit.end())).take(MOST_REASONS) {
            let why = "a word that the site keeps to itself stands here";
            found(Found {
                rule: "site_word".into(),
                family: "pattern",
                why: why.into(),
                at: hit.range(),
                shaped: false,
            });
        }
        if self.strict
            && let Some(at) = random_word(text)
        {
            let why = "this looks like a key, and the policy is strict";
            found(Found {
                rule: "random_token".into(),
                family: "key",
                why: why.into(),
                at,
                shaped: true,
            });
        }
    }
}

/// Whether a word stands by itself; where a script has no blanks, it does everywhere.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && c < '\u{2e80}');
    let (inner, before, after) =
        (&text[start..end], text[..start].chars().next_back(), text[end..].chars().next());
    let cut_before = part(inner.chars().next()) && part(before);
    let cut_after = part(inner.chars().next_back()) && part(after);
    !cut_before && !cut_after
}

fn random_word(text: &str) -> Option<std::ops::Range<usize>> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/' | '=');
    let mut at = 0;
    for word in text.split(|c: char| !is_part(c)) {
        let short = (20..=128).contains(&word.len());
        if short && shapes::looks_like_key(word) && word.bytes().any(|b| b.is_ascii_digit()) {
            return Some(at..at + word.len());
        }
        at += word.len();
        at += text[at..].chars().next().map_or(0, char::len_utf8);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(site: &Site, text: &str) -> Vec<String> {
        let mut all = Vec::new();
        site.scan(text, &mut |found| {
            all.push(found.rule);
            true
        });
        all
    }

    #[test]
    fn a_pattern_must_find_its_test() {
        assert!(SitePattern::new("emp", r"EMP-\d{4}", "see EMP-1234").is_ok());
        let why = SitePattern::new("emp", r"EMP-\d{4}", "EMP-1").unwrap_err();
        assert!(why.contains("does not find its `test`"), "{why}");
        let why = SitePattern::new("emp", "ab(c", "abc").unwrap_err();
        assert!(why.ends_with("unclosed group, at character 3 of it"), "{why}");
    }

    #[test]
    fn words_count_whole_and_in_any_case() {
        let mut site = Site::default();
        site.words(&["Hayabusa".into(), "隼計画".into()]).unwrap();
        assert_eq!(rules(&site, "about HAYABUSA, and the 隼計画です"), ["site_word", "site_word"]);
        assert!(rules(&site, "hayabusa2 and hayabusas").is_empty());
    }

    #[test]
    fn kinds_and_places_are_known() {
        let mut site = Site::default();
        site.task_types(vec!["hr".into()]);
        site.paths(&["/srv/**/payroll/*.csv".into()]).unwrap();
        assert!(site.is_confidential_type("HR") && !site.is_confidential_type("coding"));
        assert!(site.is_confidential_path(Path::new("/srv/a/payroll/x.csv")));
        assert!(!site.is_confidential_path(Path::new("/srv/a/payroll/b/x.csv")));
        assert_eq!(site.paths(&["a".into(), "[".into()]).unwrap_err()[0].0, 1);
    }

    #[test]
    fn a_value_passes_by_its_keyed_hash_alone() {
        let key = AllowKey::new(*b"sixteen bytes at").unwrap();
        let hash = key.hash(" swordfish-9 ");
        assert_eq!(hash.len(), 64);
        let mut site = Site::default();
        site.allow(key, vec![hash.to_uppercase()]);
        assert!(site.allows("swordfish-9") && !site.allows("swordfish-8"));
        assert!(AllowKey::new(*b"short").is_none());
    }

    #[test]
    fn a_strict_site_takes_what_looks_like_a_key() {
        let mut site = Site::default();
        let text = "see 漢 q7Xz2Lp9Vw4Rt6Bn1Km8Yc3 there";
        assert!(rules(&site, text).is_empty());
        site.strict(true);
        assert_eq!(rules(&site, text), ["random_token"]);
    }
}
