//! The other texts that a text can be read as.
//!
//! Percent signs, entities, backslashes and the equals signs of mail undone; string literals and split words
//! joined; spaced-out letters closed up; hex and base64 decoded where the outcome
//! is text, also where that text was packed. A picture decodes to no text and has no view.
//!
//! All views of a text together are at most a few times as long as the text, and
//! making them takes time in proportion to it.

use std::ops::Range;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::base::words;

/// The shortest run of letters that is tried as base64 or hex.
const SHORTEST_BLOB: usize = 16;
/// How much of a blob must decode to text before the rest is tried.
const TASTE: usize = 64;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A text read in another way.
#[derive(Debug)]
pub(super) struct View {
    /// How: `base64`, `percent`, `joined`…
    pub(super) name: &'static str,
    /// What it says then.
    pub(super) text: String,
    /// Whether words were put together that may not belong together, so that only strong evidence counts.
    pub(super) glued: bool,
    from: From,
}

/// Where a view's bytes stood.
#[derive(Debug)]
enum From {
    /// All of it in this stretch.
    Stretch(Range<usize>),
    /// Pairs of offsets, in the view and in the text, from which on both go on alike.
    Pieces(Vec<(usize, usize)>, usize),
}

impl View {
    /// A view of a stretch that reads otherwise as a whole.
    pub(super) fn of_stretch(name: &'static str, text: String, at: Range<usize>) -> Self {
        Self { name, text, glued: false, from: From::Stretch(at) }
    }

    /// Where a stretch of the view stood in the text that it is a view of.
    pub(super) fn origin(&self, at: &Range<usize>) -> Range<usize> {
        match &self.from {
            From::Stretch(stretch) => stretch.clone(),
            From::Pieces(pieces, len) => {
                let place = |at: usize| {
                    let n = pieces.partition_point(|(own, _)| *own <= at);
                    n.checked_sub(1).map_or(at, |n| pieces[n].1 + (at - pieces[n].0)).min(*len)
                };
                let start = place(at.start);
                start..place(at.end.saturating_sub(1)).saturating_add(1).clamp(start, *len)
            }
        }
    }
}

/// All other ways to read `text`, each made when it is asked for: no two of the long ones are held
/// at once.
pub(super) fn of(text: &str) -> impl Iterator<Item = View> + '_ {
    const WAYS: [fn(&str) -> Option<View>; 5] =
        [unescaped, joined_literals, joined_lines, hard_wrapped, closed_up];
    let decoded = std::iter::once_with(move || {
        let mut views = Vec::new();
        blobs(text, &mut views);
        super::ciphers::views(text, &mut views);
        super::numerals::views(text, &mut views);
        super::pieces::views(text, &mut views);
        views
    });
    WAYS.into_iter().filter_map(move |way| way(text)).chain(decoded.flatten())
}

/// Whether a text holds another that would have to be decoded to be seen.
pub(super) fn hides_more(text: &str) -> bool {
    let mut views = Vec::new();
    blobs(text, &mut views);
    views.iter().any(|view| view.text.len() >= SHORTEST_BLOB)
}

/// How much of the text around a change is read with it, and then to the ends of the lines.
const BEFORE: usize = 120;
const AFTER: usize = 240;
/// How far the end of a line is looked for.
const LONGEST_LINE: usize = 100;

/// A view of the parts of a text that read otherwise, with what stands around them.
///
/// What is far from every change was read before, in the text itself, and is left out.
struct Writer<'a> {
    source: &'a str,
    changes: Vec<(Range<usize>, String)>,
    /// Where the last change ended.
    copied: usize,
}

impl<'a> Writer<'a> {
    fn new(source: &'a str) -> Self {
        Self { source, changes: Vec::new(), copied: 0 }
    }

    /// Puts `new` in the place of a stretch of the source.
    fn replace(&mut self, at: Range<usize>, new: &str) {
        self.copied = at.end;
        self.changes.push((at, new.to_owned()));
    }

    fn view(self, name: &'static str, glued: bool) -> Option<View> {
        if self.changes.is_empty() {
            return None;
        }
        let (mut text, mut pieces) = (String::new(), Vec::new());
        let mut copied = None;
        for (n, (at, new)) in self.changes.iter().enumerate() {
            let from = match copied {
                Some(end) if self.back_from(at.start) <= end => end,
                _ => {
                    if copied.is_some() {
                        text.push('\n');
                    }
                    self.back_from(at.start)
                }
            };
            pieces.push((text.len(), from));
            text.push_str(&self.source[from..at.start]);
            pieces.push((text.len(), at.start));
            text.push_str(new);
            pieces.push((text.len(), at.end));
            // What follows is written with the next change, where that is near.
            let next = self.changes.get(n + 1).map(|(next, _)| self.back_from(next.start));
            let end = self.ahead_of(at.end);
            copied = Some(match next {
                Some(next) if next <= end => at.end,
                _ => {
                    text.push_str(&self.source[at.end..end]);
                    end
                }
            });
        }
        Some(View { name, text, glued, from: From::Pieces(pieces, self.source.len()) })
    }

    /// The beginning of the line that is well before a change.
    fn back_from(&self, at: usize) -> usize {
        let near = words::boundary(self.source, at.saturating_sub(BEFORE));
        let far = words::boundary(self.source, near.saturating_sub(LONGEST_LINE));
        self.source[far..near].rfind('\n').map_or(if far == 0 { 0 } else { near }, |n| far + n + 1)
    }

    /// The end of the line that is well behind a change.
    fn ahead_of(&self, at: usize) -> usize {
        let near = words::boundary(self.source, at.saturating_add(AFTER));
        let far = words::boundary(self.source, near.saturating_add(LONGEST_LINE));
        let end = if far == self.source.len() { far } else { near };
        self.source[near..far].find('\n').map_or(end, |n| near + n)
    }
}

/// Percent signs, entities, backslashes and the equals signs of mail undone, one level of each.
fn unescaped(text: &str) -> Option<View> {
    let bytes = text.as_bytes();
    let mut writer = Writer::new(text);
    let (mut at, mut name) = (0, None);
    while let Some(n) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|b| matches!(b, b'%' | b'&' | b'\\' | b'=')))
    {
        let start = at + n;
        let undone = match bytes[start] {
            b'%' => byte_run(text, start, "%").map(|found| (found, "percent")),
            // As mail writes what it may not carry; less than three bytes are a sum.
            b'=' => byte_run(text, start, "=")
                .filter(|(len, _)| *len >= 9)
                .or_else(|| {
                    // One behind a blank or another `=` ends a line of a program or a blob.
                    let before = bytes[..start].last().is_some_and(|b| !b" \t=\n".contains(b));
                    soft_break(&text[start..]).filter(|_| before).map(|len| (len, String::new()))
                })
                .map(|found| (found, "quoted_printable")),
            b'&' => entity(text, start).map(|found| (found, "html")),
            _ => backslash(text, start).map(|found| (found, "escaped")),
        };
        at = match undone {
            Some(((len, new), kind)) => {
                name.get_or_insert(kind);
                writer.replace(start..start + len, &new);
                start + len
            }
            None => start + 1,
        };
    }
    writer.view(name.unwrap_or("escaped"), false)
}

/// A run of `%70%61` or `\x70\x61`, which together must be UTF-8: its length, and what it says.
fn byte_run(text: &str, start: usize, mark: &str) -> Option<(usize, String)> {
    let (len, raw) = raw_run(text, start, mark);
    let decoded = String::from_utf8(raw).ok().filter(|new| !new.is_empty())?;
    Some((len, decoded))
}

/// The same as bytes, whatever they are; none where no such run begins.
pub(super) fn raw_run(text: &str, start: usize, mark: &str) -> (usize, Vec<u8>) {
    let (mut at, mut out) = (start, Vec::new());
    while let Some(digits) =
        text.get(at..at + mark.len() + 2).and_then(|part| part.strip_prefix(mark))
    {
        let Some(byte) = hex_byte(digits) else { break };
        out.push(byte);
        at += mark.len() + 2;
        if mark == "=" {
            at += soft_break(&text[at..]).unwrap_or(0);
        }
    }
    (at - start, out)
}

/// The end of a line that mail had to break, `=` and what a reader put before the next one.
fn soft_break(rest: &str) -> Option<usize> {
    let broken = rest.strip_prefix("=\r\n").or_else(|| rest.strip_prefix("=\n"))?;
    let next = broken.trim_start_matches(['>', ' ']);
    let goes_on = next.starts_with(|c: char| !c.is_whitespace());
    goes_on.then_some(rest.len() - next.len())
}

fn hex_byte(digits: &str) -> Option<u8> {
    digits
        .bytes()
        .all(|b| b.is_ascii_hexdigit())
        .then(|| u8::from_str_radix(digits, 16).ok())
        .flatten()
}

fn entity(text: &str, start: usize) -> Option<(usize, String)> {
    const NAMED: &[(&str, &str)] = &[
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", " "),
        ("&colon;", ":"),
        ("&equals;", "="),
        ("&sol;", "/"),
        ("&commat;", "@"),
        ("&lowbar;", "_"),
        ("&period;", "."),
        ("&NewLine;", "\n"),
        ("&Tab;", "\t"),
        ("&num;", "#"),
        ("&excl;", "!"),
        ("&dollar;", "$"),
        ("&plus;", "+"),
        ("&semi;", ";"),
        ("&hyphen;", "-"),
    ];
    let rest = &text[start..];
    if let Some((name, new)) = NAMED.iter().find(|(name, _)| rest.starts_with(name)) {
        return Some((name.len(), (*new).to_owned()));
    }
    let body = rest.strip_prefix("&#")?;
    let (radix, skip) = if body.starts_with(['x', 'X']) { (16, 1) } else { (10, 0) };
    let digits: String = body[skip..].chars().take(7).take_while(|c| c.is_digit(radix)).collect();
    let c = u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32)?;
    let semicolon = usize::from(body[skip + digits.len()..].starts_with(';'));
    Some((2 + skip + digits.len() + semicolon, c.to_string()))
}

fn backslash(text: &str, start: usize) -> Option<(usize, String)> {
    let rest = &text[start + 1..];
    match rest.chars().next()? {
        'u' => unicode_escape(text, start),
        'U' => {
            let digits = rest.get(1..9)?;
            let c = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
            Some((10, c.to_string()))
        }
        'x' => byte_run(text, start, "\\x"),
        '"' | '\'' | '\\' | '/' => Some((2, rest[..1].to_owned())),
        // A path of Windows has these too; what it becomes then is found in nothing.
        'n' | 'r' => Some((2, "\n".into())),
        't' => Some((2, "\t".into())),
        '\n' => Some((2, String::new())),
        '0'..='3' => {
            let digits = rest
                .get(..3)
                .filter(|digits| digits.bytes().all(|b| (b'0'..=b'7').contains(&b)))?;
            let byte = u8::from_str_radix(digits, 8).ok().filter(u8::is_ascii)?;
            Some((4, char::from(byte).to_string()))
        }
        _ => None,
    }
}

/// `\u0070`, also in pairs of surrogates, and `\u{70}`.
fn unicode_escape(text: &str, start: usize) -> Option<(usize, String)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        digits
            .bytes()
            .all(|b| b.is_ascii_hexdigit())
            .then(|| u16::from_str_radix(digits, 16).ok())
            .flatten()
    };
    if let Some(body) = text[start..].strip_prefix("\\u{") {
        let end = body.find('}').filter(|n| *n <= 6)?;
        let c = u32::from_str_radix(&body[..end], 16).ok().and_then(char::from_u32)?;
        return Some((end + 4, c.to_string()));
    }
    let first = unit(start)?;
    if let Some(c) = char::from_u32(first.into()) {
        return Some((6, c.to_string()));
    }
    let pair = [first, unit(start + 6)?];
    Some((12, String::from_utf16(&pair).ok()?))
}

/// `"pa" + "ss"`, `'pa' 'ss'`, `["pa", "ss"].join("")`: the literals as one.
fn joined_literals(text: &str) -> Option<View> {
    const CALLS: &[&str] = &["join(", "concat(", "CONCAT(", "implode(", "Join("];
    let bytes = text.as_bytes();
    if !bytes.iter().any(|b| matches!(b, b'"' | b'\'' | b'`')) {
        return None;
    }
    let commas = bytes.contains(&b'(') && CALLS.iter().any(|call| text.contains(call));
    let mut writer = Writer::new(text);
    let mut at = 0;
    while let Some(n) = bytes[at..].iter().position(|b| matches!(b, b'"' | b'\'' | b'`')) {
        let close = at + n;
        at = close + 1;
        let rest = &bytes[at..];
        let commas = commas || is_letter_in_row(bytes, close);
        if let Some(len) = seam(rest, bytes[close], commas).or_else(|| call_seam(rest)) {
            writer.replace(close..at + len, "");
            at += len;
        }
    }
    writer.view("joined", false)
}

/// Whether a literal of one letter ends here and another follows: `['p', 'a', …]`.
fn is_letter_in_row(bytes: &[u8], close: usize) -> bool {
    let quote = bytes[close];
    let is_one = close >= 2 && bytes[close - 2] == quote && bytes[close - 1] != quote;
    let next = bytes[close + 1..].iter().take(4).position(|b| *b == quote);
    is_one && next.is_some_and(|n| bytes.get(close + 1 + n + 2) == Some(&quote))
}

/// How long the seam between two literals is behind a closing quote, the opening one included.
fn seam(rest: &[u8], quote: u8, commas: bool) -> Option<usize> {
    let blanks = |from: usize| {
        from + rest[from..]
            .iter()
            .take(40)
            .take_while(|b| b.is_ascii_whitespace() || **b == b'\\')
            .count()
    };
    // A quotation mark in a cell of a table is written twice.
    let twice = usize::from(rest.first() == Some(&quote) && rest.get(1) == Some(&b'&'));
    let at = blanks(twice);
    let sign = rest[at..]
        .iter()
        .take(2)
        .take_while(|b| b"+.&~|<>".contains(b) || (commas && **b == b','))
        .count();
    let end = blanks(at + sign);
    let end = end + usize::from(rest.get(end).is_some_and(|b| b"frbuLR".contains(b)));
    let other = *rest.get(end)?;
    let end = end + usize::from(twice > 0 && rest.get(end + 1) == Some(&quote));
    let quotes = matches!(other, b'"' | b'\'' | b'`');
    // Without a sign only literals of the same kind are one, and not the empty string.
    let same = other == quote && (sign > 0 || (end > 0 && quote != b'`'));
    (quotes && (same || sign > 0)).then_some(end + 1)
}

/// The same where calls put the parts together: `"pa").append("ss"`, `"pa"].join("") + ["ss"`.
fn call_seam(rest: &[u8]) -> Option<usize> {
    let end = call_gap(rest)?;
    // The empty string that ends a `join` is no part, unless another follows it.
    let is_empty = rest.get(end) == rest.get(end - 1);
    (!is_empty || rest.get(end + 1..).is_some_and(|rest| call_gap(rest).is_some())).then_some(end)
}

/// How far the next literal is, where calls stand between.
fn call_gap(rest: &[u8]) -> Option<usize> {
    const CALLS: &[&str] = &[".append", ".concat", ".push", ".join", "<<", "+=", "+ "];
    let end = rest.iter().take(48).position(|b| matches!(b, b'"' | b'\'' | b'`'))?;
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b" \t\r\n_.()[];+<=,".contains(b);
    if !rest[..end].iter().any(|b| b".<+".contains(b)) || !rest[..end].iter().all(plain) {
        return None;
    }
    let gap = std::str::from_utf8(&rest[..end]).ok()?;
    let calls = CALLS.iter().any(|call| gap.contains(call));
    (calls && !gap.contains("==")).then_some(end + 1)
}

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
fn joined_lines(text: &str) -> Option<View> {
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
fn hard_wrapped(text: &str) -> Option<View> {
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
    super::value::is_random(&whole) && whole.matches(['_', '.']).count() < 3
}

/// What stands between letters that are spelt out.
const SEPARATORS: &[char] = &[' ', '.', '-', '_', '*', '|', '·', '・', '/', ',', '~', '+'];

/// The bytes of ASCII that are separators.
const IS_SEPARATOR: [bool; 256] = {
    let (mut is, signs, mut n) = ([false; 256], b" .-_*|/,~+", 0);
    while n < signs.len() {
        is[signs[n] as usize] = true;
        n += 1;
    }
    is
};

/// Whether letters in a row stand alone between separators.
fn has_letters_apart(text: &str) -> bool {
    if text.is_ascii() {
        // A letter alone, and behind it another one: five bytes, however many separators.
        let bytes = text.as_bytes();
        let sep = |n: usize| bytes.get(n).is_none_or(|b| IS_SEPARATOR[usize::from(*b)]);
        return (1..bytes.len()).any(|n| sep(n) && !sep(n - 1) && (n < 2 || sep(n - 2)))
            && has_apart(text);
    }
    has_apart(text)
}

fn has_apart(text: &str) -> bool {
    // How many signs have passed since a separator, and how many were alone before that.
    let (mut since, mut alone, mut wide) = (0, 0, false);
    for c in text.chars() {
        let separator = match c.is_ascii() {
            true => IS_SEPARATOR[c as usize],
            false => matches!(c, '·' | '・'),
        };
        if !separator {
            since += 1;
            wide = c > '\u{3000}';
            continue;
        }
        // Between wide blanks it stands alone too.
        alone = match since {
            0 => alone,
            1 => alone + 1,
            _ => 0,
        };
        if alone >= 2 || alone == 1 && wide {
            return true;
        }
        since = 0;
    }
    since == 1 && alone >= 1
}

/// `p a s s w o r d`, `p.a.s.s`, `p-a-s-s`: letters that stand apart, closed up.
fn closed_up(text: &str) -> Option<View> {
    if !has_letters_apart(text) {
        return None;
    }
    let mut writer = Writer::new(text);
    let mut chars = text.char_indices().peekable();
    let mut run: Vec<(usize, usize)> = Vec::new();
    let mut separator = None;
    while let Some((at, c)) = chars.next() {
        let single = |c: char| !c.is_whitespace() && !c.is_control();
        let next = chars.peek().map(|(_, next)| *next);
        let sep = next.filter(|next| SEPARATORS.contains(next));
        let alone = single(c)
            && sep.is_some_and(|sep| sep != c)
            && (separator.is_none() || sep == separator);
        if alone {
            separator = sep;
            let from = at + c.len_utf8();
            chars.next();
            // Two blanks stand between words.
            let wide = chars.peek().is_some_and(|(_, c)| sep == Some(' ') && *c == ' ');
            if wide {
                while chars.next_if(|(_, c)| *c == ' ').is_some() {}
            }
            let to = chars.peek().map_or(text.len(), |(at, _)| *at);
            run.push((from, to));
            continue;
        }
        // The last letter of a run has no separator behind it, or ends the word.
        let ends = next.is_none_or(|c| c.is_whitespace() || !c.is_alphanumeric());
        let enough = match (ends, c > '\u{3000}' && separator == Some(' ')) {
            (true, true) => 2,
            (true, false) => 4,
            (false, _) => 6,
        };
        if run.len() >= enough {
            close_up(&mut writer, &run);
        }
        run.clear();
        separator = None;
        // Skip the rest of an ordinary word.
        if c.is_alphanumeric() {
            while chars.next_if(|(_, c)| c.is_alphanumeric()).is_some() {}
        }
    }
    if run.len() >= 4 {
        close_up(&mut writer, &run);
    }
    writer.view("spaced", true)
}

/// Takes out what stands between the letters of a run; where only some gaps are wide, those part words.
fn close_up(writer: &mut Writer<'_>, run: &[(usize, usize)]) {
    let wide = |from: usize, to: usize| to - from > 1 && writer.source[from..to].starts_with("  ");
    let gaps: Vec<(usize, usize, bool)> =
        run.iter().map(|(from, to)| (*from, *to, wide(*from, *to))).collect();
    let parts = gaps.iter().any(|(.., wide)| !wide);
    for (from, to, wide) in gaps {
        writer.replace(from..to, if wide && parts { " " } else { "" });
    }
}

/// Hex and base64 that decode to text.
fn blobs(text: &str, views: &mut Vec<View>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !is_blob_byte(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        let end = start + bytes[start..].iter().take_while(|b| is_blob_byte(**b)).count();
        at = end;
        let start = start
            + 2 * usize::from(bytes[start..].starts_with(b"0x") && end - start > SHORTEST_BLOB);
        let is_pair = match bytes[start..] {
            [first, second, ..] => {
                first.is_ascii_hexdigit()
                    && (second.is_ascii_hexdigit() || matches!(second, b'x' | b'X'))
            }
            _ => false,
        };
        if let Some(pairs) = is_pair.then(|| hex_pairs(bytes, start)).flatten() {
            at = at.max(pairs.1.end);
            views.extend(view_of("hex", &pairs.0, pairs.1));
            continue;
        }
        if end - start < SHORTEST_BLOB {
            continue;
        }
        let whole = wrapped(bytes, start, end);
        let alone = || (whole != (start..end)).then(|| decoded(bytes, start..end)).flatten();
        if let Some(view) = decoded(bytes, whole.clone()).or_else(alone) {
            if let From::Stretch(stretch) = &view.from {
                at = at.max(stretch.end);
            }
            views.push(view);
        }
    }
}

/// The bytes of which blobs are made.
const IN_BLOB: [bool; 256] = {
    let (mut is, mut n) = ([false; 256], 0);
    while n < 256 {
        let b = n as u8;
        is[n] = b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
        n += 1;
    }
    is
};

fn is_blob_byte(b: u8) -> bool {
    IN_BLOB[usize::from(b)]
}

/// How far a blob goes on over lines that hold nothing else.
fn wrapped(bytes: &[u8], start: usize, end: usize) -> Range<usize> {
    let mut end = end;
    loop {
        let rest = &bytes[end..];
        let breaks =
            rest.iter().take(42).take_while(|b| matches!(b, b'\r' | b'\n' | b' ' | b'\t')).count();
        if breaks == 0 || !rest[..breaks].contains(&b'\n') {
            break;
        }
        let next = rest[breaks..].iter().take_while(|b| is_blob_byte(**b)).count();
        let stops = rest[breaks + next..].iter().find(|b| **b != b'=').is_none_or(|b| {
            b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`' | b',' | b'<')
        });
        if next < 4 || !stops {
            break;
        }
        end += breaks + next;
    }
    start..end
}

fn decoded(bytes: &[u8], at: Range<usize>) -> Option<View> {
    let blob = &bytes[at.clone()];
    if blob.iter().all(u8::is_ascii_hexdigit) && blob.len().is_multiple_of(2) {
        let raw: Vec<u8> = blob.chunks(2).filter_map(hex_pair).collect();
        return view_of("hex", &raw, at);
    }
    let clean: Vec<u8> = blob
        .iter()
        .filter(|b| !b.is_ascii_whitespace())
        .map(|b| match b {
            b'-' => b'+',
            b'_' => b'/',
            b => *b,
        })
        .collect();
    if let Some(raw) = unpacked(&clean) {
        return view_of("base64", &raw, at);
    }
    if clean.len() > TASTE {
        let taste = BASE64.decode(&clean[..TASTE / 4 * 4]).ok()?;
        text_of(&taste, true)?;
    }
    // One letter too many is the next word's.
    let whole = if clean.len() % 4 == 1 { clean.len() - 1 } else { clean.len() };
    let raw = BASE64.decode(&clean[..whole]).ok()?;
    view_of("base64", &raw, at)
}

/// How much of what is packed is looked at: what is longer is no text that somebody hid in a task.
const MOST_UNPACKED: u64 = 256 << 10;

/// What is packed in a blob by gzip or zlib.
fn unpacked(clean: &[u8]) -> Option<Vec<u8>> {
    use std::io::Read;
    // Both show in the first letters: `H4sI` is gzip, `eJ`, `eA`, `eN` are zlib.
    let is_gzip = clean.starts_with(b"H4sI");
    if !is_gzip && !clean.starts_with(b"eJ") && !clean.starts_with(b"eN") {
        return None;
    }
    let whole = clean.len() - usize::from(clean.len() % 4 == 1);
    let packed = BASE64.decode(&clean[..whole]).ok()?;
    let mut raw = Vec::new();
    let read = match is_gzip {
        true => flate2::read::GzDecoder::new(&packed[..]).take(MOST_UNPACKED).read_to_end(&mut raw),
        false => {
            flate2::read::ZlibDecoder::new(&packed[..]).take(MOST_UNPACKED).read_to_end(&mut raw)
        }
    };
    // Of what is cut short the beginning counts.
    (read.is_ok() || !raw.is_empty()).then_some(raw)
}

pub(super) fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    Some((digit(*pair.first()?)? * 16 + digit(*pair.get(1)?)?) as u8)
}

/// `70 61 73 73`, `70:61:73`, `0x70, 0x61`, `7061 7373`: bytes written in pairs, or two and four at once.
fn hex_pairs(bytes: &[u8], start: usize) -> Option<(Vec<u8>, Range<usize>)> {
    let (mut at, mut out) = (start, Vec::new());
    loop {
        let rest = &bytes[at..];
        let mark = usize::from(rest.starts_with(b"0x") || rest.starts_with(b"0X")) * 2;
        let digits = rest[mark.min(rest.len())..].iter().take(9);
        let digits = digits.take_while(|b| b.is_ascii_alphanumeric()).count();
        let Some(group) = rest.get(mark..mark + digits).filter(|_| matches!(digits, 2 | 4 | 8))
        else {
            break;
        };
        if !group.iter().all(u8::is_ascii_hexdigit) {
            break;
        }
        out.extend(group.chunks(2).filter_map(hex_pair));
        at += mark + digits;
        let gap = bytes[at..]
            .iter()
            .take(4)
            .take_while(|b| matches!(b, b' ' | b':' | b',' | b'-' | b'\n'))
            .count();
        if gap == 0 || bytes.get(at + gap).is_none_or(|b| !b.is_ascii_hexdigit()) {
            break;
        }
        at += gap;
    }
    (out.len() >= 8).then_some((out, start..at))
}

fn view_of(name: &'static str, raw: &[u8], at: Range<usize>) -> Option<View> {
    let text = text_of(raw, false)?;
    Some(View { name, text, glued: false, from: From::Stretch(at) })
}

/// Bytes as text, where they are: UTF-8, or the UTF-16 of some shells. `cut` says that the end may be missing.
pub(super) fn text_of(raw: &[u8], cut: bool) -> Option<String> {
    if raw.len() < 5 {
        return None;
    }
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text.to_owned(),
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(&raw[..error.valid_up_to()]).ok()?.to_owned()
        }
        Err(_) => utf16(raw)?,
    };
    let text = if text.contains('\0') { utf16(raw)? } else { text };
    let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    (!text.is_empty() && text.chars().all(plain)).then_some(text)
}

fn utf16(raw: &[u8]) -> Option<String> {
    let units: Vec<u16> =
        raw.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let ascii = units.iter().filter(|unit| (9..127).contains(*unit)).count();
    (ascii * 2 > units.len()).then(|| String::from_utf16(&units).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<String> {
        of(text).map(|view| view.text).collect()
    }

    #[test]
    fn what_is_written_in_another_way_is_read() {
        for (written, plain) in [
            ("a%3Dpa%73s", "a=pass"),
            ("a&#61;&quot;b&quot;", "a=\"b\""),
            ("p\\u0061ss \\x70", "pass p"),
            ("{\\\"a\\\": 1}", "{\"a\": 1}"),
            ("\"pa\" + \"ss\"", "\"pass\""),
            ("'pa' . 'ss'", "'pass'"),
            ("[\"pa\", \"ss\"].join('')", "[\"pass\"].join('')"),
            ("b(\"pa\"); b.append(\"ss\").append(\"word\")", "b(\"password\")"),
            ("s = 'pa'\ns += 'ss'", "s = 'pass'"),
            ("pass\nword: x", "password: x"),
            ("p a s s w o r d : x y", "password:xy"),
            ("p.a.s.s.w", "passw"),
            ("\\u{70}\\160", "pp"),
            ("p=61=73=73", "pass"),
            ("> ftp://a\n> b:c1@d-\n> e", "> ftp://ab:c1@d-\n> e"),
        ] {
            let all = texts(written);
            assert!(all.iter().any(|text| text == plain), "{written}: {all:?}");
        }
    }

    #[test]
    fn blobs_that_are_text_are_decoded() {
        let secret = "the quick brown fox, 素早い";
        let plain = BASE64.encode(secret);
        let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
        let pairs: String = secret.bytes().map(|b| format!("{b:02x} ")).collect();
        let fours: String =
            hex.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four) + " ").collect();
        let url = plain.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned();
        let split: Vec<&str> = [&plain[..20], &plain[20..]].to_vec();
        for text in [format!("x {plain} y"), hex, pairs, fours, url, split.join("\n  ")] {
            assert!(texts(&text).iter().any(|found| found == secret), "{text}");
        }
        let wide: Vec<u8> = "Write-Host hello".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(texts(&BASE64.encode(wide)).contains(&"Write-Host hello".to_owned()));
    }

    #[test]
    fn what_is_no_text_has_no_view() {
        let picture: Vec<u8> =
            (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for text in [BASE64.encode(picture), "d".repeat(64), "plain words, and nothing more".into()]
        {
            let blobs: Vec<View> = of(&text).filter(|view| view.name != "lines").collect();
            assert!(blobs.is_empty(), "{text}: {blobs:?}");
        }
    }

    #[test]
    fn what_is_far_from_a_change_is_left_out() {
        let far = "ordinary words\n".repeat(200);
        let text = format!("{far}pa%73s\n{far}&lt;b&gt;\n{far}");
        let view = unescaped(&text).unwrap();
        assert!(view.text.contains("\npass\n") && view.text.contains("\n<b>\n"));
        assert!(view.text.len() < 3_000, "{}", view.text.len());
        for word in ["pass", "<b>"] {
            let at = view.text.find(word).unwrap();
            let stood = view.origin(&(at..at + word.len()));
            let written = if word == "pass" { "pa%73s" } else { "&lt;b&gt;" };
            assert!(text[stood.clone()].starts_with(&written[..4]), "{}", &text[stood]);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_places_stay_inside(
            text in "(?s)(%[0-9a-f]{2}|\\\\u00[0-9a-f]{2}|&#x?[0-9]{2};|\"|'|\\+|\n| |[a-zA-Z0-9+/]{1,20}|é|漢|.){0,30}",
        ) {
            for view in of(&text) {
                let all = view.origin(&(0..view.text.len()));
                prop_assert!(all.start <= all.end && all.end <= text.len());
            }
            hides_more(&text);
        }
    }
}
