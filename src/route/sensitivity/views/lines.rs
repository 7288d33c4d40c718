//! Words and keys that the end of a line takes apart.

use std::ops::Range;

use super::{LONGEST_LINE, View, Writer};
use crate::base::words;
use crate::route::sensitivity::value;

/// Words that are looked for across the end of a line.
const SPLIT_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "private",
    "credential",
    "confidential",
    "access_key",
    "accesskey",
    "パスワード",
    "暗証番号",
    "秘密鍵",
    "社外秘",
    "機密",
    "極秘",
    "apiキー",
    "マイナンバー",
];

/// For each byte those that stand behind it in such a word, as bits: most ends of lines split none.
const NEXT_IN_WORD: [[u64; 4]; 256] = {
    let mut next = [[0; 4]; 256];
    let mut n = 0;
    while n < SPLIT_WORDS.len() {
        let (word, mut at) = (SPLIT_WORDS[n].as_bytes(), 1);
        while at < word.len() {
            next[word[at - 1] as usize][word[at] as usize / 64] |= 1 << (word[at] % 64);
            at += 1;
        }
        n += 1;
    }
    next
};

/// Whether two bytes stand side by side in any of these words, in any case.
fn are_next_in_word(first: u8, second: u8) -> bool {
    let (first, second) = (first.to_ascii_lowercase(), second.to_ascii_lowercase());
    NEXT_IN_WORD[usize::from(first)][usize::from(second / 64)] & (1 << (second % 64)) != 0
}

/// Lines that were broken inside a word or a key.
pub(super) fn joined(text: &str) -> Option<View> {
    let mut writer = Writer::new(text);
    let mut from = 0;
    while let Some(n) = text[from..].find('\n') {
        let end = from + n;
        from = end + 1;
        let line_end = text[..end].trim_end_matches([' ', '\r', '\t', '\\']).len();
        let indent = text[from..]
            .find(|c: char| !matches!(c, ' ' | '\t' | '>' | '|' | '#' | '*'))
            .unwrap_or(0)
            .min(40);
        if line_end > 0
            && (continues(&text[..line_end], &text[from + indent..])
                || is_split_address(&text[..line_end], &text[from + indent..]))
            && line_end >= writer.copied
        {
            writer.replace(line_end..from + indent, "");
        }
    }
    writer.view("lines", true)
}

/// Lines of one length, as a machine cuts them, put together again with the lines around.
pub(super) fn hard_wrapped(text: &str) -> Option<View> {
    const WIDTHS: Range<usize> = 4..101;
    const NARROW: usize = 48;
    let (mut at, mut lines) = (0, Vec::new());
    for line in text.split_inclusive('\n') {
        let start = at + line.len() - line.trim_start().len();
        at += line.len();
        lines.push((start, start + line.trim().len(), line.trim().chars().count()));
    }
    // In broad lines of prose two of a length are chance.
    let few = |width: usize| if width > NARROW { 2 } else { 1 };
    let alike = |n: usize| {
        let (width, next) = (lines[n].2, lines[n + 1].2);
        WIDTHS.contains(&width) && width.abs_diff(next) <= usize::from(width <= NARROW)
    };
    let mut writer = Writer::new(text);
    let mut n = 0;
    while n + 1 < lines.len() {
        let run = (n..lines.len() - 1).take_while(|n| alike(*n)).count();
        let last = n + run;
        // The rest of the text is shorter, and what stood before it may be longer.
        let ends = last + 1 < lines.len() && (1..=lines[last].2).contains(&lines[last + 1].2);
        if run + usize::from(ends) >= 2 && run >= few(lines[n].2) {
            let from =
                n - usize::from(n > 0 && lines[n - 1].2 > 0 && lines[n - 1].1 >= writer.copied);
            for seam in from..last + usize::from(ends) {
                writer.replace(lines[seam].1..lines[seam + 1].0, "");
            }
        }
        n = last + 1;
    }
    writer.view("lines", true)
}

/// How much of a line's end, or of the next one's start, may be half of a word.
const LONGEST_HALF: usize = 48;

/// Whether the end of one line and the start of the next are halves of a word or of a key.
fn continues(before: &str, after: &str) -> bool {
    let part = |c: &char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '_' | '-' | '+' | '/' | '.' | '=' | '\u{3001}'..=char::MAX)
    };
    let length = |taken: usize, c: char| taken + c.len_utf8();
    let tail = before.chars().rev().take(LONGEST_HALF).take_while(part).fold(0, length);
    let head = after.chars().take(LONGEST_HALF).take_while(part).fold(0, length);
    let (tail, head) = (&before[before.len() - tail..], &after[..head]);
    if tail.is_empty() || head.is_empty() {
        return false;
    }
    is_split_word(tail, head) || is_split_key(tail, head, &after[head.len()..])
}

/// Whether the end of one line and the start of the next are halves of an address with a login.
fn is_split_address(before: &str, after: &str) -> bool {
    let goes_on = |b: &u8| !matches!(b, b' ' | b'\t' | b'\n' | b'"');
    let head = &after[..after.bytes().take_while(goes_on).count()];
    let Some((login, _)) = head.split_once('@') else { return false };
    let from = words::boundary(before, before.len().saturating_sub(LONGEST_LINE));
    let tail = before[from..].rsplit([' ', '\t', '\n', '"']).next().unwrap_or_default();
    let Some((_, begun)) = tail.split_once("://") else { return false };
    !begun.contains(['@', '/']) && (begun.contains(':') || login.contains(':'))
}

/// Whether two halves are a word that is looked for.
fn is_split_word(tail: &str, head: &str) -> bool {
    let halves = |word: &str, at: usize| {
        let (first, second) = (&word.as_bytes()[..at], &word.as_bytes()[at..]);
        let (tail, head) = (tail.as_bytes(), head.as_bytes());
        tail.len() >= first.len()
            && head.len() >= second.len()
            && tail[tail.len() - first.len()..].eq_ignore_ascii_case(first)
            && head[..second.len()].eq_ignore_ascii_case(second)
    };
    let seam = tail.bytes().next_back().zip(head.bytes().next());
    seam.is_some_and(|(first, second)| are_next_in_word(first, second))
        && SPLIT_WORDS.iter().any(|word| (1..word.len()).any(|at| halves(word, at)))
}

/// Whether two halves are a key, which only a machine makes and which ends where no word would.
fn is_split_key(tail: &str, head: &str, behind: &str) -> bool {
    const ENDS: &[char] = &['\n', '\r', '"', '\'', '`', ' ', ')', ']', '}', '<', ',', '\\'];
    let digits = |half: &str| half.bytes().any(|b| b.is_ascii_digit());
    if tail.len() < 4
        || head.len() < 2
        || tail.len() + head.len() < 16
        || !(digits(tail) || digits(head))
        || !(tail.is_ascii() && head.is_ascii())
        || !(behind.is_empty() || behind.starts_with(ENDS))
    {
        return false;
    }
    let whole = format!("{tail}{head}");
    value::is_random(&whole) && whole.matches(['_', '.']).count() < 3
}
