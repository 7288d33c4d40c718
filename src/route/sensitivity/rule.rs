//! A table of rules, and the one pass that runs those that can hold.
//!
//! A rule is an expression with cues: literal words of which one must be in the
//! text for the expression to hold at all. One Aho-Corasick finds all cues of all
//! rules; a stretch of text without cues is passed at the speed of reading.
//!
//! Text is taken in stretches that overlap a little. Each expression goes over a
//! stretch at most once, and none can take more than time in proportion to it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use regex::{Regex, RegexBuilder};

use crate::base::words;

/// How much text is looked at at once, in bytes.
const STRETCH: usize = 16 << 10;
/// How much of a stretch is seen again with the next one: more than any rule reaches.
const OVERLAP: usize = 1 << 10;
/// How much text before a cue a rule sees, in bytes.
const BEFORE: usize = 192;
/// How much text behind a cue a rule sees, in bytes.
const AFTER: usize = 384;
/// The longest line whose beginning is looked for.
const LONGEST_LINE: usize = 192;
/// The most places at which one rule is tried in one stretch.
const MOST_TRIES: usize = 256;
/// The shortest run of letters and digits in which a key that begins with two letters can stand.
const SHORTEST_KEY: usize = 20;
/// The fewest digits of a number that says something by itself.
const FEWEST_DIGITS: usize = 9;

/// A way to find something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Its name, as reasons give it.
    pub(super) id: &'static str,
    /// What sort of thing it finds.
    pub(super) family: &'static str,
    /// What it has found, in a sentence.
    pub(super) why: &'static str,
    /// Words of which one must be near; a rule without any is about long numbers.
    pub(super) cues: &'static [&'static str],
    /// The expression; its group `v` is the value. See [`written_out`] for its shorthands.
    pub(super) pattern: &'static str,
    /// Whether what the expression found counts.
    pub(super) check: fn(&Hit<'_>) -> bool,
}

/// What an expression found.
#[derive(Clone, Debug)]
pub(super) struct Hit<'a> {
    /// The text that was looked at.
    pub(super) text: &'a str,
    /// Where the whole match stands.
    pub(super) whole: Range<usize>,
    /// Where its value stands.
    pub(super) at: Range<usize>,
}

impl<'a> Hit<'a> {
    /// The value.
    pub(super) fn value(&self) -> &'a str {
        &self.text[self.at.clone()]
    }

    /// The whole match.
    pub(super) fn matched(&self) -> &'a str {
        &self.text[self.whole.clone()]
    }

    /// At most `most` bytes in front of the match.
    pub(super) fn before(&self, most: usize) -> &'a str {
        let from = self.whole.start.saturating_sub(most);
        &self.text[words::boundary(self.text, from)..self.whole.start]
    }

    /// At most `most` bytes behind the match.
    pub(super) fn after(&self, most: usize) -> &'a str {
        &self.text[self.whole.end..words::boundary(self.text, self.whole.end.saturating_add(most))]
    }

    /// What surrounds the match, in lower case.
    pub(super) fn around(&self, most: usize) -> String {
        let end = self.whole.end + self.after(most).len();
        let start = self.whole.start - self.before(most).len();
        self.text[start..end].to_lowercase()
    }
}

/// Something that must not leave the house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The rule's name.
    pub(super) rule: String,
    /// What sort of thing it is.
    pub(super) family: &'static str,
    /// What was found, in a sentence.
    pub(super) why: String,
    /// Where it stands.
    pub(super) at: Range<usize>,
    /// Whether an outline of it may be shown.
    pub(super) shaped: bool,
}

/// A rule with its expression, which is compiled when the rule is first tried.
#[derive(Debug)]
struct Ready {
    rule: &'static Rule,
    regex: OnceLock<Option<Regex>>,
}

/// Rules made ready.
#[derive(Debug)]
pub(super) struct Rules {
    finder: AhoCorasick,
    /// The rules that each cue wakes.
    wakes: Vec<Vec<usize>>,
    rules: Vec<Ready>,
    /// The rules without cues, which are about long numbers.
    of_numbers: Vec<usize>,
}

impl Rules {
    /// Makes rules ready; `Err` says why their cues cannot be looked for.
    pub(super) fn new(tables: &[&'static [Rule]]) -> Result<Self, String> {
        let (mut cues, mut wakes, mut of_numbers) = (Vec::new(), Vec::<Vec<usize>>::new(), Vec::new());
        let mut rules = Vec::new();
        let mut known = HashMap::new();
        for (n, rule) in tables.iter().flat_map(|table| table.iter()).enumerate() {
            if rule.cues.is_empty() {
                of_numbers.push(n);
            }
            for cue in rule.cues {
                let at = *known.entry(*cue).or_insert_with(|| {
                    cues.push(*cue);
                    wakes.push(Vec::new());
                    cues.len() - 1
                });
                wakes[at].push(n);
            }
            rules.push(Ready { rule, regex: OnceLock::new() });
        }
        let finder = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&cues)
            .map_err(|error| error.to_string())?;
        Ok(Self { finder, wakes, rules, of_numbers })
    }

    /// Calls `found` for each thing in `text`, until it says that it is enough.
    ///
    /// In a text that was `glued` from parts only keys and markings count.
    pub(super) fn scan(&self, text: &str, glued: bool, found: &mut dyn FnMut(Found) -> bool) {
        for stretch in stretches(text) {
            let part = &text[stretch.clone()];
            for (ready, windows) in self.rules.iter().zip(self.awake(part)) {
                // Words that were only put together prove nothing by standing side by side.
                if glued && !matches!(ready.rule.family, "key" | "marking") {
                    continue;
                }
                for window in windows {
                    if !ready.run(&part[window.clone()], stretch.start + window.start, found) {
                        return;
                    }
                }
            }
        }
    }

    /// For each rule the parts of a stretch that are near its cues.
    fn awake(&self, text: &str) -> Vec<Vec<Range<usize>>> {
        let mut awake: Vec<Vec<Range<usize>>> = vec![Vec::new(); self.rules.len()];
        if !self.of_numbers.is_empty() {
            let near = long_numbers(text);
            for n in &self.of_numbers {
                awake[*n].clone_from(&near);
            }
        }
        let mut last = usize::MAX;
        let mut near = 0..0;
        for hit in self.finder.find_overlapping_iter(text) {
            if hit.start() != last {
                last = hit.start();
                near = window(text, hit.start(), hit.end());
            }
            let inside = hit.start() > 0
                && text.as_bytes()[hit.start()].is_ascii_alphabetic()
                && text.as_bytes()[hit.start() - 1].is_ascii_alphabetic();
            let short = hit.end() - hit.start() < 4;
            let alone = short && !is_in_a_key(text.as_bytes(), hit.start());
            for n in &self.wakes[hit.pattern().as_usize()] {
                // Two letters begin a key only where one could be.
                if alone && self.rules[*n].rule.family == "key" {
                    continue;
                }
                // Sentences are made of whole words: `mapping` speaks of no PIN.
                if inside && self.rules[*n].rule.is_prose() {
                    continue;
                }
                let own =
                    if self.rules[*n].rule.reaches_far() { 0..text.len() } else { near.clone() };
                join(&mut awake[*n], own);
            }
        }
        awake
    }
}

/// Whether so many letters and digits stand together at a place that they could be a key.
fn is_in_a_key(bytes: &[u8], at: usize) -> bool {
    let part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b'+');
    let before = bytes[..at].iter().rev().take(SHORTEST_KEY).take_while(part).count();
    let after = bytes[at..].iter().take(SHORTEST_KEY).take_while(part).count();
    before + after >= SHORTEST_KEY
}

/// Windows around the numbers that are as long as those of cards, accounts and persons.
fn long_numbers(text: &str) -> Vec<Range<usize>> {
    let mut windows = Vec::new();
    let (mut start, mut digits) = (0, 0);
    for (at, b) in text.bytes().chain([0]).enumerate() {
        match b {
            b'0'..=b'9' => digits += 1,
            b' ' | b'-' | b'A'..=b'Z' => {}
            _ => {
                if digits >= FEWEST_DIGITS {
                    join(&mut windows, window(text, start, at.min(text.len())));
                }
                (start, digits) = (at + 1, 0);
            }
        }
    }
    windows
}

/// Whole lines around a cue, where lines are not too long.
fn window(text: &str, start: usize, end: usize) -> Range<usize> {
    let back = words::boundary(text, start.saturating_sub(BEFORE));
    let far = words::boundary(text, back.saturating_sub(LONGEST_LINE));
    let from = text[far..back].rfind('\n').map_or(back, |n| far + n + 1);
    let ahead = words::boundary(text, end + AFTER);
    let limit = words::boundary(text, ahead + LONGEST_LINE);
    let to = text[ahead..limit].find('\n').map_or(ahead, |n| ahead + n + 1);
    let to = if limit == text.len() && to == ahead { limit } else { to };
    (if far == 0 && from == back { 0 } else { from })..to
}

/// Adds a window; those that touch become one.
fn join(windows: &mut Vec<Range<usize>>, new: Range<usize>) {
    match windows.last_mut() {
        Some(last) if new.start <= last.end => {
            last.start = last.start.min(new.start);
            last.end = last.end.max(new.end);
        }
        _ => windows.push(new),
    }
}

impl Rule {
    /// Whether it is about words of a sentence, which begin where a cue does.
    fn is_prose(&self) -> bool {
        matches!(self.family, "prose" | "marking" | "business")
    }

    /// Whether what it finds may be far longer than the stretch around its cue.
    fn reaches_far(&self) -> bool {
        matches!(
            self.id,
            "kubernetes_secret"
                | "google_service_account"
                | "html_table"
                | "seed_phrase"
                | "table_of_credentials"
        )
    }
}

impl Ready {
    /// Tries the rule on a stretch; says whether to go on.
    fn run(&self, text: &str, offset: usize, found: &mut dyn FnMut(Found) -> bool) -> bool {
        let Some(regex) = self.regex.get_or_init(|| compile(self.rule.pattern).ok()) else {
            // Not reached, as a test compiles them all; a rule that cannot be tried clears nothing.
            return found(self.found(offset..offset + text.len(), false));
        };
        for hit in regex.captures_iter(text).take(MOST_TRIES) {
            let Some(whole) = hit.get(0) else { continue };
            let value = hit.name("v");
            let at = value.map_or(whole.range(), |value| value.range());
            let hit = Hit { text, whole: whole.range(), at: at.clone() };
            if !at.is_empty() && (self.rule.check)(&hit) {
                return found(self.found(at.start + offset..at.end + offset, value.is_some()));
            }
        }
        true
    }

    fn found(&self, at: Range<usize>, shaped: bool) -> Found {
        let Rule { id, family, why, .. } = *self.rule;
        Found { rule: id.into(), family, why: why.into(), at, shaped }
    }
}

/// Stretches of a text, each cut at the end of a line where there is one near.
pub(super) fn stretches(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let end = match start + STRETCH {
            far if far >= text.len() => text.len(),
            far => words::boundary(text, far),
        };
        next = (end < text.len()).then(|| {
            let back = words::boundary(text, end - OVERLAP);
            let line = text.as_bytes()[back..end].iter().position(|b| *b == b'\n');
            line.map_or(back, |n| back + n + 1)
        });
        Some(start..end)
    })
}

/// Compiles a rule's expression.
pub(super) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&written_out(pattern))
        .case_insensitive(true)
        .multi_line(true)
        .size_limit(2 << 20)
        .dfa_size_limit(8 << 20)
        .build()
}

/// An expression with its shorthands written out.
///
/// `\b`, `\s`, `\d` and `\w` are those of ASCII, which is what keeps matching fast
/// in Japanese text; `@NAME@` is one of [`PARTS`].
fn written_out(pattern: &str) -> String {
    let mut all = pattern.to_owned();
    for _ in 0..3 {
        for (name, part) in
            PARTS.iter().chain(super::marking::WORDS).chain(super::business::MATTERS)
        {
            all = all.replace(name, part);
        }
    }
    let mut out = String::with_capacity(all.len() * 2);
    let (mut chars, mut in_class) = (all.chars(), false);
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('b') => out.push_str("(?-u:\\b)"),
                Some('B') => out.push_str("(?-u:\\B)"),
                Some('s') if in_class => out.push_str(" \\t\\r\\n\\x{3000}"),
                Some('s') => out.push_str("[ \\t\\r\\n\\x{3000}]"),
                Some('h') if in_class => out.push_str(" \\t\\x{3000}"),
                Some('h') => out.push_str("[ \\t\\x{3000}]"),
                Some('S') => out.push_str("[^ \\t\\r\\n\\x{3000}]"),
                Some('d') if in_class => out.push_str("0-9"),
                Some('d') => out.push_str("[0-9]"),
                Some('w') if in_class => out.push_str("A-Za-z0-9_"),
                Some('w') => out.push_str("[A-Za-z0-9_]"),
                Some(other) => out.extend(['\\', other]),
                None => {}
            },
            _ => {
                match c {
                    '[' if !in_class => in_class = true,
                    ']' if in_class && !out.ends_with('[') && !out.ends_with("[^") => {
                        in_class = false;
                    }
                    _ => {}
                }
                out.push(c);
            }
        }
    }
    out
}

/// Parts that many expressions share.
const PARTS: &[(&str, &str)] = &[
    // A credential, as people call it.
    (
        "@CRED@",
        "(?:pass[ -]?(?:word|phrase|code|wd|key)s?|p@ss?w(?:or|0r)d|passw0rd|pwds?|pw|creds?|credentials?|pins?(?: ?code| number)?|secrets?|\
         (?:api|access|secret|auth|encryption|signing|master|private|licen[cs]e|activation|product|recovery|deploy|shared|security)[ _-]?keys?|\
         (?:api|access|auth|bearer|refresh|session|security|bot|deploy|login|personal access|id)[ _-]?tokens?|tokens?|\
         (?:access|security|door|gate|alarm|entry|lock|safe|vault|unlock|recovery|backup|verification|login|auth|authentication|one[- ]time|keypad|garage|lockbox|2fa|mfa|otp)[ _-]?codes?|\
         (?:safe|lock|locker|vault|padlock)[ _-]?combinations?|combination|client secret|shared secret|otp|totp (?:secret|seed)|psk|seed phrase|mnemonic|login)",
    ),
    // A value that has no blank in it.
    ("@BARE@", r#"[^\s"'`<>()\[\]{},;「」『』（）、。]{3,200}"#),
    // The Japanese for a credential.
    (
        "@JCRED@",
        "(?:パスワード|パスフレーズ|パスコード|パスキー|暗証番号|暗証コード|暗号(?:化)?キー|暗号(?:化)?鍵|復号(?:化)?鍵|秘密鍵|署名鍵|共有鍵|事前共有キー|暗号化パスワード|\
         (?:API|アクセス|シークレット|シークレットアクセス|認証|ライセンス|プロダクト|シリアル|セキュリティ|リカバリー?|復旧|回復|暗号化|マスター|共有|接続|サービス|アカウント)[ ・]?(?:キー|鍵|コード|トークン)|\
         (?:ボット|リフレッシュ|セッション|個人アクセス|チャネルアクセス|デプロイ|ベアラー?)?トークン|シークレット|クライアントシークレット|チャネルシークレット|\
         (?:認証|確認|承認|解錠|開錠|解除|入館|入室|ロック解除|ワンタイム|バックアップ|緊急|招待|管理者)(?:コード|番号)|合言葉|合い言葉|合い鍵番号|接続文字列|(?:仮|初期|管理者|新|旧|共通)?パス|\
         (?:仮|初期|共通|管理者|新|旧)?(?-u:\\b)PW(?-u:\\b)|(?-u:\\b)password|ワンタイムパスワード|リカバリーフレーズ|シードフレーズ|ニーモニック|秘密の(?:質問の)?答え|金庫の番号|鍵の番号)",
    ),
    // One name, capital letters first: `Alice Tanaka`, `J. Smith`.
    ("@NAME@", r"(?-i:[A-Z][a-z]{1,15}(?:[-'][A-Z][a-z]+)?(?: [A-Z]\.)? [A-Z][a-zA-Z'-]{1,20})"),
    ("@EMAIL@", r"[A-Z0-9._%+-]{1,64}@[A-Z0-9-]{1,63}(?:\.[A-Z0-9-]{1,63}){1,4}"),
    ("@PHONE@", r"(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,5}\)|\d{1,5})[ .-]\d{2,5}[ .-]\d{3,4}"),
    (
        "@DATE@",
        r"(?:(?:19|20)\d\d[-/.年] ?\d{1,2}[-/.月] ?\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d|(?:昭和|平成|令和|大正|[SHRT])\d{1,2}[年.]\d{1,2}[月.]\d{1,2}日?|\d{1,2}(?:st|nd|rd|th)? (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,? (?:19|20)\d\d|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2}(?:st|nd|rd|th)?,? (?:19|20)\d\d)",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Rule] = &[Rule {
        id: "greeting",
        family: "test",
        why: "a greeting stands here",
        cues: &["hello"],
        pattern: r"\bhello\s(?P<v>\w+)",
        check: |hit| hit.value() != "nobody",
    }];

    fn values(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        let rules = Rules::new(&[TABLE]).unwrap();
        rules.scan(text, false, &mut |found| {
            all.push(text[found.at].to_owned());
            true
        });
        all
    }

    #[test]
    fn what_the_check_refuses_hides_nothing_behind_it() {
        assert_eq!(values("hello nobody, Hello World"), ["World"]);
        assert!(values("othello Venice").is_empty());
    }

    #[test]
    fn stretches_overlap_and_cover_all() {
        let text = "aé漢\n".repeat(20_000);
        let mut end = 0;
        for stretch in stretches(&text) {
            assert!(stretch.start <= end && text.is_char_boundary(stretch.start));
            end = stretch.end;
        }
        assert_eq!(end, text.len());
        let at = text.len() - 300;
        let at = words::boundary(&text, at);
        assert_eq!(values(&format!("{} hello you {}", &text[..at], &text[at..])), ["you"]);
    }

    #[test]
    fn every_rule_is_an_expression_of_bounded_size() {
        for table in super::super::TABLES {
            for rule in *table {
                assert!(compile(rule.pattern).is_ok(), "{}: {}", rule.id, rule.pattern);
                assert!(rule.cues.iter().all(|cue| *cue == cue.to_lowercase()), "{}", rule.id);
            }
        }
    }

    #[test]
    fn shorthands_are_written_out_also_inside_classes() {
        assert_eq!(written_out(r"[\d-]\d\b"), r"[0-9-][0-9](?-u:\b)");
        assert_eq!(written_out(r"[^\s]"), r"[^ \t\r\n\x{3000}]");
    }
}
