//! Finds what must not leave the house.
//!
//! A text is normalised, read in every way in which it can be read, and looked at by
//! rules: keys known by their form, names that are given a value, secrets told in a
//! sentence, numbers and lists of people, markings. What is found becomes a reason
//! with the rule, the place and an outline (`len 9, a-z0-9`), never with the value,
//! a part of it or a hash of it.
//!
//! ```text
//! text ─▶ normal ─▶ rules ─▶ reasons
//!           │         ▲
//!           └─▶ views ┘   undone, joined, decoded: at most two deep
//! ```
//!
//! All of it takes time in proportion to the text. What is too long or hidden too
//! deep to be seen whole counts as found.

mod assignment;
mod blocks;
mod business;
mod ciphers;
mod cues;
mod deals;
mod expression;
mod facts;
mod finder;
mod formats;
mod given;
mod handling;
mod identity;
mod languages;
mod legal;
mod made_up;
mod marking;
pub mod matter;
mod names;
mod normal;
mod numerals;
mod people;
mod persons;
mod pieces;
mod private;
mod prose;
mod prose_ja;
mod rule;
mod rules;
mod shapes;
mod site;
mod split_word;
mod starts;
mod told;
mod typed;
mod value;
mod views;
mod weakness;
mod word_list;

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use self::assignment::Assignments;
use self::normal::Normal;
use self::rule::Found;
use self::rules::Rules;
pub use self::site::{AllowKey, Site, SitePattern};
use self::views::View;
use crate::base::secret::Mask;
use crate::base::words;
use crate::task::prompt::Prompt;
use crate::task::result::Reason;

/// The most reasons that one text gives: one is enough to keep it in the house.
const MOST_REASONS: usize = 16;

/// The views in which a stretch was decoded as a whole.
const ENCODED: &[&str] = &["char_codes", "hex", "base64", "base32", "morse"];

/// How deep a text may be hidden in another and still be read.
const DEEPEST: usize = 2;

/// The longest text that is looked through.
const LONGEST_TEXT: usize = 64 << 20;

/// The largest compiled form of a pattern, in bytes.
const LARGEST_PATTERN: usize = 4 << 20;

/// The signs that make an entry of `sensitive_patterns` a regular expression.
const REGEX_SIGNS: &[char] =
    &['\\', '^', '$', '.', '|', '?', '*', '+', '(', ')', '[', ']', '{', '}'];

/// The tables of the rules that always hold.
const TABLES: &[&[rule::Rule]] = &[
    shapes::SHAPES,
    formats::FORMATS,
    prose::PROSE,
    prose_ja::PROSE_JA,
    identity::IDENTITY,
    marking::MARKINGS,
    handling::HANDLING,
    languages::LANGUAGES,
    business::BUSINESS,
    deals::DEALS,
    legal::LEGAL,
    typed::TYPED,
];

/// Those rules, made ready.
static BUILT_IN: LazyLock<Rules> = LazyLock::new(|| Rules::new(TABLES));

/// Finds secrets, personal data and markings in text.
#[derive(Debug)]
pub struct SensitivityScanner {
    /// Names that are given a value: the config's and the ones that are always known.
    assignments: Assignments,
    /// The config's other patterns, as they are written there.
    patterns: Vec<(String, Regex)>,
    /// Finds the values that `.env` keeps secret, wherever they stand.
    secrets: Mask,
    /// The site's own rules.
    site: Site,
}

impl Default for SensitivityScanner {
    fn default() -> Self {
        Self {
            assignments: Assignments::new(Vec::new()),
            patterns: Vec::new(),
            secrets: Mask::default(),
            site: Site::default(),
        }
    }
}

impl SensitivityScanner {
    /// A scanner for the entries of `sensitive_patterns`, beside all that is always looked for.
    ///
    /// A bare word (`token`) means an assignment to a name that has it; words
    /// with blanks between them are a phrase that counts wherever it stands; an
    /// entry with signs such as `\`, `[` or `+` is a regular expression. None of
    /// them minds the case.
    ///
    /// # Errors
    /// The entries that are no patterns: their index, and why.
    pub fn new(patterns: &[String]) -> Result<Self, Vec<(usize, String)>> {
        let (mut names, mut compiled, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for (n, pattern) in patterns.iter().enumerate() {
            match Entry::of(pattern.trim()) {
                Entry::Name(name) => names.push(name),
                Entry::Regex(source) => match compile(&source) {
                    Ok(regex) => compiled.push((pattern.clone(), regex)),
                    Err(why) => bad.push((n, why)),
                },
            }
        }
        if !bad.is_empty() {
            return Err(bad);
        }
        Ok(Self {
            assignments: Assignments::new(names),
            patterns: compiled,
            secrets: Mask::default(),
            site: Site::default(),
        })
    }

    /// The same scanner, which also knows the secrets of `.env` by their values.
    #[must_use]
    pub fn knowing(self, secrets: Mask) -> Self {
        Self { secrets, ..self }
    }

    /// The same scanner with a site's own rules.
    #[must_use]
    pub fn at(self, site: Site) -> Self {
        Self { site, ..self }
    }

    /// The site's own rules.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Adds a reason for each thing found in `text`, which stands at `field`.
    pub fn scan(&self, field: &str, text: &str, reasons: &mut Vec<Reason>) {
        if text.is_empty() {
            return;
        }
        let mut sink = Sink::new(field, text, reasons);
        if text.len() > LONGEST_TEXT {
            sink.cannot("scan_budget", "the text is longer than can be looked through");
            return;
        }
        if text.contains(char::REPLACEMENT_CHARACTER) {
            sink.cannot("undecodable", "a part of the text could not be decoded");
        }
        self.look(text, &Way::plain(), &|at| at, &mut sink);
    }

    /// Looks at one reading of a text, and at the readings of that.
    fn look(
        &self,
        text: &str,
        way: &Way,
        origin: &dyn Fn(Range<usize>) -> Range<usize>,
        sink: &mut Sink<'_>,
    ) {
        if sink.is_full() || !sink.spend(text.len()) {
            return;
        }
        let before = sink.reasons.len();
        if self.secrets.hide(text).is_some() {
            sink.push(Reason::new(
                "known_secret",
                "key",
                sink.field,
                "a secret of config/.env stands here",
            ));
        }
        let normal = Normal::of(text);
        let place = |at: Range<usize>| {
            let (start, end) = normal.span(at.start, at.end);
            origin(start..end)
        };
        self.find(normal.text(), way.glued, &mut |found| {
            if self.site.allows(&normal.text()[found.at.clone()]) {
                return true;
            }
            let shape = found.shaped.then(|| shape(&normal.text()[found.at.clone()]));
            sink.found(found, way.name, shape, &place)
        });
        // One reason is enough to keep it here; what else it may be read as can stay unread.
        if sink.reasons.len() > before {
            return;
        }
        if way.depth > DEEPEST {
            return;
        }
        if way.depth == DEEPEST {
            if views::hides_more(normal.text()) {
                sink.cannot("scan_depth", "a text is hidden here deeper than can be read");
            }
            return;
        }
        for view in views::of(normal.text()) {
            let mut found = |rule: &str, family, why: &str, at| {
                let (rule, why) = (rule.into(), why.into());
                let it = Found { rule, family, why, at, shaped: false };
                sink.found(it, view.name, None, &|at| place(view.origin(&at)));
            };
            if matches!(view.name, "spaced" | "lines")
                && let Some(at) = split_word::find(&view)
            {
                let why = "the name of a credential is taken apart here, with its value";
                found("split_word", "prose", why, at);
            }
            let whole = 0..view.text.len();
            if ENCODED.contains(&view.name) && is_login(normal.text(), &view) {
                let why = "a name and its password stand here, encoded";
                found("encoded_login", "assignment", why, whole.clone());
            }
            if ENCODED.contains(&view.name) && is_lone_secret(normal.text(), &view) {
                found("encoded_secret", "prose", "a password stands here, encoded", whole);
            }
            let deeper = |at: Range<usize>| place(view.origin(&at));
            self.look(&view.text, &way.deeper(&view), &deeper, sink);
        }
    }

    /// Calls `found` for each thing in normalised text, until it says that it is enough.
    fn find(&self, text: &str, glued: bool, found: &mut dyn FnMut(Found) -> bool) {
        let mut enough = false;
        let mut tell = |it: Found| {
            enough = !found(it);
            !enough
        };
        self.assignments.scan(text, glued, |hit| tell(given_a_value(hit)));
        for (written, regex) in &self.patterns {
            for hit in regex.find_iter(text).filter(|hit| !hit.is_empty()).take(MOST_REASONS) {
                tell(Found {
                    rule: written.clone(),
                    family: "pattern",
                    why: format!("the pattern `{}` is found", words::tame(written)),
                    at: hit.range(),
                    shaped: true,
                });
            }
        }
        self.site.scan(text, &mut |it| tell(it));
        BUILT_IN.scan(text, glued, &mut |it| tell(it));
        if !glued && let Some(it) = first_told(text) {
            tell(it);
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
        let (key, shown) = (Normal::of(key), Normal::of(text));
        if let Some((word, stated)) = self.assignments.word_of_pair(key.text(), shown.text())
            && !self.site.allows(text)
        {
            let hit = assignment::Found { word, stated, start: 0, end: text.len() };
            Sink::new(field, text, reasons).found(
                given_a_value(hit),
                "plain",
                Some(shape(text)),
                &|at| at,
            );
        }
    }

    /// Looks at a list or a mapping as the one text that it is when it is written out.
    pub fn scan_whole(&self, field: &str, value: &Value, reasons: &mut Vec<Reason>) {
        let parts = match value {
            Value::Array(items) => items.len(),
            Value::Object(map) => map.len(),
            _ => 0,
        };
        if parts > 0 {
            // Its texts are read in every way by themselves; here only their neighbours count.
            let written = format!("{value:#}");
            let mut sink = Sink::new(field, &written, reasons);
            self.look(&written, &Way { depth: DEEPEST + 1, ..Way::plain() }, &|at| at, &mut sink);
            let (mut lines, mut rows) = (String::new(), String::new());
            as_lines(value, &mut lines, &mut rows);
            self.scan(field, &lines, reasons);
            self.scan(field, &rows, reasons);
        }
    }

    /// Weighs what a task as a whole tells of: where no rule speaks it may stay in the house for
    /// that alone, and where a rule only thinks that somebody is told of, a short text that is
    /// plainly of other things, a lesson or an advertisement, may go.
    pub fn weigh(&self, prompt: &Prompt, reasons: &mut Vec<Reason>) {
        if !self.site.judges_matters() || !reasons.iter().all(is_a_guess) {
            return;
        }
        let text = matter::whole(prompt);
        if !reasons.is_empty() {
            if matter::is_harmless(&text) {
                reasons.clear();
            }
        } else if let Some(at) = matter::find(&text) {
            let why = "taken together, its words are those of matters that stay in a house";
            let reason = Reason::new("matter", "matter", "", why);
            reasons.push(Reason { span: Some((at.start, at.end)), ..reason });
        }
    }

    /// Looks at a chat as the one talk that it is: what one asks for another may tell.
    pub fn scan_talk(&self, field: &str, messages: &[Value], reasons: &mut Vec<Reason>) {
        let texts: Vec<&str> =
            messages.iter().filter_map(|message| message.get("content")?.as_str()).collect();
        if texts.len() > 1 {
            self.scan(field, &texts.join("\n"), reasons);
        }
    }
}

/// Whether a reason rests on words about somebody, and on no key, number or marking.
fn is_a_guess(reason: &Reason) -> bool {
    const WEIGHED: &[&str] = &["/description", "/input", "/messages", "/text"];
    matches!(reason.rule.as_str(), "private_matter" | "people")
        && reason.view.as_deref() == Some("plain")
        && WEIGHED.iter().any(|field| reason.field.starts_with(field))
}

/// The first list of people, private matter or open hole in a text.
fn first_told(text: &str) -> Option<Found> {
    people::find(text).or_else(|| private::find(text)).or_else(|| weakness::find(text))
}

/// Whether a decoded text is `name:password`, where the words before it speak of a login.
fn is_login(text: &str, view: &View) -> bool {
    let Some((name, password)) = view.text.split_once(':') else { return false };
    let is_word = |part: &str| {
        (3..80).contains(&part.len()) && !part.contains(|c: char| c.is_whitespace() || c == ':')
    };
    let start = view.origin(&(0..1)).start;
    let before = text[words::boundary(text, start.saturating_sub(48))..start].to_lowercase();
    let speaks = ["basic", "auth", "認証", "login", "ログイン", "資格情報", "credential"];
    let accounts = ["root", "admin", "administrator", "user", "postgres", "sa", "ubuntu", "pi"];
    let is_account = accounts.contains(&name) && value::is_made_up(password);
    is_word(name)
        && is_word(password)
        && !value::is_placeholder(password)
        && (is_account || speaks.iter().any(|word| before.contains(word)))
}

/// Whether a decoded text is one made-up word, where the words around it speak of a secret.
fn is_lone_secret(text: &str, view: &View) -> bool {
    const SPEAKS: &[&str] = &[
        "pass",
        "pwd",
        "unlock",
        "secret",
        "login",
        "credential",
        "パス",
        "暗証",
        "ログイン",
        "鍵",
    ];
    let word = view.text.trim();
    let at = view.origin(&(0..view.text.len()));
    let start = words::boundary(text, at.start.saturating_sub(64));
    let around = &text[start..words::boundary(text, at.end.saturating_add(64))];
    (6..=64).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_graphic())
        && word.bytes().any(|b| b.is_ascii_digit())
        && value::is_made_up(word)
        && !value::is_placeholder(word)
        && !value::is_code(word)
        && SPEAKS.iter().any(|speaks| around.to_lowercase().contains(speaks))
}

/// The way in which a text is read.
struct Way {
    name: &'static str,
    depth: usize,
    glued: bool,
}

impl Way {
    fn plain() -> Self {
        Self { name: "plain", depth: 0, glued: false }
    }

    fn deeper(&self, view: &View) -> Self {
        Self { name: view.name, depth: self.depth + 1, glued: self.glued || view.glued }
    }
}

/// Where the reasons of one text go.
struct Sink<'a> {
    field: &'a str,
    text: &'a str,
    reasons: &'a mut Vec<Reason>,
    most: usize,
    /// How many bytes of readings may still be looked at.
    left: usize,
}

impl<'a> Sink<'a> {
    fn new(field: &'a str, text: &'a str, reasons: &'a mut Vec<Reason>) -> Self {
        let most = reasons.len() + MOST_REASONS;
        Self { field, text, reasons, most, left: text.len().saturating_mul(16) + (64 << 10) }
    }

    fn is_full(&self) -> bool {
        self.reasons.len() >= self.most
    }

    /// Adds a reason, unless another says the same of the same place.
    fn push(&mut self, reason: Reason) {
        let overlaps = |other: &Reason| match (other.span, reason.span) {
            (Some(a), Some(b)) => other.field == reason.field && a.0 < b.1 && b.0 < a.1,
            _ => false,
        };
        if !self.is_full() && !self.reasons.iter().any(overlaps) {
            self.reasons.push(reason);
        }
    }

    /// What cannot be seen whole counts as found.
    fn cannot(&mut self, rule: &str, why: &str) {
        self.push(Reason::new(rule, "budget", self.field, why));
    }

    fn spend(&mut self, bytes: usize) -> bool {
        let enough = bytes <= self.left;
        self.left = self.left.saturating_sub(bytes);
        if !enough {
            self.cannot(
                "scan_budget",
                "the text can be read in more ways than can be looked through",
            );
        }
        enough
    }

    fn found(
        &mut self,
        found: Found,
        view: &str,
        shape: Option<String>,
        place: &dyn Fn(Range<usize>) -> Range<usize>,
    ) -> bool {
        let at = place(found.at);
        let start = words::boundary(self.text, at.start);
        let mut end = at.end.clamp(start, self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let mut reason = Reason::new(found.rule, found.family, self.field, found.why);
        reason.span = Some((start, end));
        reason.view = Some(view.to_owned());
        reason.shape = shape;
        self.push(reason);
        !self.is_full()
    }
}

/// The lists of texts in a value as lines of one text, and as rows of a table.
fn as_lines(value: &Value, lines: &mut String, rows: &mut String) {
    match value {
        Value::Array(items) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            if texts.len() > 1 {
                lines.push_str(&texts.join("\n"));
                lines.push_str("\n\n");
                rows.push_str(&texts.join(","));
                rows.push('\n');
            }
            items.iter().for_each(|item| as_lines(item, lines, rows));
        }
        Value::Object(map) => map.values().for_each(|item| as_lines(item, lines, rows)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn given_a_value(hit: assignment::Found<'_>) -> Found {
    Found {
        rule: hit.word.to_owned(),
        family: if hit.stated { "pattern" } else { "assignment" },
        why: format!("a name with `{}` is given a value", words::tame(hit.word)),
        at: hit.start..hit.end,
        shaped: true,
    }
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

/// A value in outline: its length in characters, and what sorts of characters are in it.
fn shape(value: &str) -> String {
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
        }
        assert!(reasons(&original(), "-----BEGIN PUBLIC KEY-----").is_empty());
    }

    #[test]
    fn an_encoded_word_counts_where_a_secret_is_spoken_of() {
        let word = format!("jq{}Xe%{}", 9 * 9, 7 * 8);
        let codes: Vec<String> = word.bytes().map(|b| b.to_string()).collect();
        let text = |about: &str| format!("fromCharCode({}) is {about}", codes.join(","));
        assert_eq!(reasons(&original(), &text("the unlock phrase"))[0].rule, "encoded_secret");
        assert!(reasons(&original(), &text("a row of numbers")).is_empty());
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
            "secrets": ["s1", "s2"], "pin/token": 12345, "password": "",
        });
        let mut found = Vec::new();
        original().scan_pairs("/input", &value, &mut found);
        let fields: Vec<&str> = found.iter().map(|reason| reason.field.as_str()).collect();
        assert_eq!(fields, ["/input/a/0/dbPassword", "/input/secrets", "/input/pin~1token"]);
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
