//! Finds a credential's name that is given a value, in any ordinary syntax.
//!
//! `password: x`, `"dbPassword": "x"`, `api-key=x`, `--token x`, `<secret>x</secret>`
//! and `パスワードは「x」` are assignments; `reset the password`, `tokens per minute`
//! and `token_count: 5` are not. The word must be a whole part of the name.
//!
//! Each word found is looked at within a bounded stretch of text, so that no text
//! takes longer than its length deserves. Nothing here copies a value.

mod assigned;

use assigned::{ends_bare_value, is_bare_value, is_number, is_quoted_value, skip, skip_blanks};

use super::cues::{Cues, Hit, Stands};
use super::names::{self, Kind};
use super::value::{self};
use crate::base::words;

/// The furthest that a name reaches to either side of its word, in bytes.
const LONGEST_NAME: usize = 80;
/// The furthest that a value is followed, in bytes: enough to tell that it is one.
const LONGEST_VALUE: usize = 512;
/// The most blanks that stand between a name, its sign and its value.
const MOST_BLANKS: usize = 40;
/// The longest remark between a name and its sign: `API key (prod): x`.
const LONGEST_REMARK: usize = 40;

/// The words that are looked for, and what each stands for in the config.
#[derive(Debug)]
pub(super) struct Assignments {
    cues: Cues,
    /// For each cue the index of its word in `words`.
    of: Vec<usize>,
    words: Vec<(String, Kind)>,
    /// How many of the words are the config's.
    stated: usize,
}

/// A name that is given a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// The word in the name.
    pub(super) word: &'a str,
    /// Whether the config has the word.
    pub(super) stated: bool,
    /// Where the value begins.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

impl Assignments {
    /// Looks for the config's words and for those that are always looked for.
    pub(super) fn new(stated: Vec<String>) -> Self {
        let count = stated.len();
        let mut words: Vec<(String, Kind)> =
            stated.into_iter().map(|word| (word.clone(), names::kind_of(&word))).collect();
        for (name, kind) in names::NAMES {
            if !words.iter().any(|(word, _)| word.eq_ignore_ascii_case(name)) {
                words.push(((*name).to_owned(), *kind));
            }
        }
        let (mut needles, mut of) = (Vec::new(), Vec::new());
        for (n, (word, _)) in words.iter().enumerate() {
            for needle in names::spellings(word) {
                if !needles.contains(&needle) {
                    needles.push(needle);
                    of.push(n);
                }
            }
        }
        let cues = Cues::new(needles.iter().map(|needle| (needle.as_str(), Stands::Anywhere)));
        Self { cues, of, words, stated: count }
    }

    /// Calls `found` for each assignment in normalised text, until it says that it is enough.
    ///
    /// With `strict` only values count that look made up.
    pub(super) fn scan<'a>(
        &'a self,
        text: &str,
        strict: bool,
        mut found: impl FnMut(Found<'a>) -> bool,
    ) {
        let (mut past, mut enough) = (0, false);
        self.cues.each_longest(
            text,
            |_| true,
            |hit| {
                if enough || hit.start < past {
                    return;
                }
                if let Some(it) = self.given_at(text, strict, hit) {
                    past = it.end;
                    enough = !found(it);
                }
            },
        );
    }

    /// The name around a word, if it is given a value.
    fn given_at(&self, text: &str, strict: bool, hit: Hit) -> Option<Found<'_>> {
        let n = self.of[hit.word];
        let name = Name::around(text, hit.start, hit.end, self.words[n].1)?;
        let (start, end) = value_of(text, &name)?;
        if strict && !(end - start >= 6 && value::is_made_up(&text[start..end])) {
            return None;
        }
        Some(Found { word: &self.words[n].0, stated: n < self.stated, start, end })
    }

    /// The word that makes `key` a credential's name, if `value` is one that such a name may hide.
    pub(super) fn word_of_pair(&self, key: &str, value: &str) -> Option<(&str, bool)> {
        let ends_key = |hit: Hit| {
            let n = self.of[hit.word];
            let name = Name::around(key, hit.start, hit.end, self.words[n].1)?;
            let ends_key = key[name.end..].trim().is_empty();
            (ends_key && !counts_tokens(key, &name, value)).then_some((n, name))
        };
        let mut first = None;
        self.cues.each_longest(
            key,
            |_| true,
            |hit| {
                if first.is_none() {
                    first = ends_key(hit);
                }
            },
        );
        let (n, name) = first?;
        let value = value.trim();
        let names = key[name.start..name.end].eq_ignore_ascii_case(value);
        let counts = !names && is_quoted_value(name.kind, value, name.is_plain(key));
        counts.then(|| (self.words[n].0.as_str(), n < self.stated))
    }
}

/// A credential's name in a text.
struct Name {
    start: usize,
    end: usize,
    /// Where the word begins in it.
    word_start: usize,
    /// Where the word ends in it.
    word_end: usize,
    kind: Kind,
}

impl Name {
    /// The whole name around a word, if the word is a whole part of it and what it is about.
    fn around(text: &str, start: usize, end: usize, kind: Kind) -> Option<Self> {
        let bytes = text.as_bytes();
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'$');
        let before = bytes[start.saturating_sub(LONGEST_NAME)..start]
            .iter()
            .rev()
            .take_while(|b| is_part(b))
            .count();
        let mut after = bytes[end..bytes.len().min(end + LONGEST_NAME)]
            .iter()
            .take_while(|b| is_part(b))
            .count();
        // A full stop or a dash behind a name ends the sentence, not the name.
        while after > 0 && matches!(bytes[end + after - 1], b'.' | b'-') {
            after -= 1;
        }
        let name = Self {
            start: start - before,
            end: end + after,
            word_start: start,
            word_end: end,
            kind,
        };
        // Two letters in a row of random ones are no word.
        if end - start <= 4
            && name.end - name.start >= 20
            && value::is_random(&text[name.start..name.end])
        {
            return None;
        }
        let starts_well = begins_part(bytes, name.start, start, end);
        (starts_well && name.tail_is_open(text)).then_some(name)
    }

    /// Whether what follows the word leaves it a credential's name.
    fn tail_is_open(&self, text: &str) -> bool {
        let tail = &text[self.word_end..self.end];
        let tail = tail.strip_prefix(['s', 'S']).filter(|rest| begins_anew(rest)).unwrap_or(tail);
        if tail.is_empty() {
            return true;
        }
        let word = text.as_bytes()[self.word_start..self.word_end].last().copied().unwrap_or(b' ');
        let camel = word.is_ascii_lowercase() && tail.starts_with(|c: char| c.is_ascii_uppercase());
        if !begins_anew(tail) && !camel {
            return false;
        }
        !names::is_about(&last_part(tail))
    }

    /// Whether the name is the word alone, with nothing that says whose it is.
    fn is_plain(&self, text: &str) -> bool {
        self.start == self.word_start
            && text[self.word_end..self.end].trim_start_matches(['s', 'S']).is_empty()
    }
}

/// Whether `rest` begins a new part of a name, or is nothing.
fn begins_anew(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| !c.is_ascii_alphabetic())
}

/// Whether the word at `start..end` begins a part of the name that begins at `name`.
fn begins_part(bytes: &[u8], name: usize, start: usize, end: usize) -> bool {
    let Some(before) = bytes[name..start].last() else { return true };
    if !before.is_ascii_alphabetic() || !bytes[start].is_ascii() {
        return true;
    }
    let first_is_upper = bytes[start].is_ascii_uppercase();
    let second_is_lower = start + 1 < end && bytes[start + 1].is_ascii_lowercase();
    if first_is_upper && (before.is_ascii_lowercase() || second_is_lower) {
        return true;
    }
    let letters = bytes[name..start].iter().rev().take_while(|b| b.is_ascii_alphabetic()).count();
    names::is_glued(&String::from_utf8_lossy(&bytes[start - letters..start]))
}

/// The last part of a name, in lower case: `Count` of `tokenCount`, `count` of `token_count`.
fn last_part(name: &str) -> String {
    let trimmed =
        name.trim_end_matches(['_', '-', '.']).trim_end_matches(|c: char| c.is_ascii_digit());
    let mut start = trimmed.rfind(['_', '-', '.', '$']).map_or(0, |at| at + 1);
    let part = &trimmed[start..];
    let camel = part
        .char_indices()
        .zip(part.chars().skip(1))
        .filter(|((_, a), b)| a.is_ascii_lowercase() && b.is_ascii_uppercase())
        .last();
    if let Some(((at, _), _)) = camel {
        start += at + 1;
    }
    trimmed[start..].to_ascii_lowercase()
}

/// `max_tokens: 4000` counts tokens and gives none away.
fn counts_tokens(text: &str, name: &Name, value: &str) -> bool {
    const COUNTS: &[&str] = &[
        "max",
        "min",
        "num",
        "n",
        "total",
        "count",
        "limit",
        "avg",
        "mean",
        "used",
        "prompt",
        "completion",
        "input",
        "output",
        "cached",
        "reasoning",
    ];
    let is_number = !value.is_empty()
        && value
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'_' | b'k' | b'K'));
    let whole = &text[name.start..name.end];
    let first = whole.split(['_', '-', '.']).next().unwrap_or_default().to_ascii_lowercase();
    let is_token = name.kind == Kind::Token;
    let many = is_token && text[name.word_end..name.end].starts_with(['s', 'S']);
    let camel = COUNTS.iter().any(|count| {
        first.starts_with(count) && whole.len() > count.len() && {
            whole.as_bytes()[count.len()].is_ascii_uppercase()
        }
    });
    is_number && (many || camel || COUNTS.contains(&first.as_str()))
}

/// Where the value that a name is given begins and ends, if it is given one that counts.
fn value_of(text: &str, name: &Name) -> Option<(usize, usize)> {
    let sign = Sign::behind(text, name)?;
    let mut value = Value::at(text, sign.end, sign.in_quotes)?;
    // `let password: String = "x"`: what stands first is the type.
    if !value.quoted {
        let after = skip_blanks(text, value.end);
        let rest = &text[after..];
        let typed = rest.starts_with('=') && !rest.starts_with("==") && !rest.starts_with("=>");
        if typed && sign.sort == Sort::Sign {
            value = Value::at(text, after + 1, false)?;
        }
    }
    let shown = &text[value.start..value.end];
    if value.is_called(text) {
        return argument(text, value.end)
            .filter(|_| name.kind != Kind::Code && sign.sort == Sort::Sign);
    }
    if counts_tokens(text, name, shown) {
        return None;
    }
    let counts = match value.quoted {
        true => {
            sign.admits_quoted(name.kind, shown)
                && is_quoted_value(name.kind, shown, name.is_plain(text))
        }
        false => is_bare_value(text, name, &sign, &value),
    };
    counts.then_some((value.start, value.end))
}

/// The literal that a call is given, where only a machine can have made it: `bytes.fromhex("9e…")`.
fn argument(text: &str, at: usize) -> Option<(usize, usize)> {
    let limit = words::boundary(text, at + LONGEST_VALUE);
    let inner = text[at..limit].strip_prefix('(')?;
    let quote = inner.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let literal = inner[1..].split(quote).next()?;
    let hex = literal.len() >= 32 && literal.bytes().all(|b| b.is_ascii_hexdigit());
    let made = hex
        || super::shapes::looks_like_key(literal)
            && literal.bytes().any(|b| b.is_ascii_digit())
            && !literal.contains(['/', '-', '_', ' ', '.']);
    made.then_some((at + 2, at + 2 + literal.len()))
}

/// What stands between a name and its value.
struct Sign {
    end: usize,
    /// The name is quoted, so the value may stand on the next line.
    in_quotes: bool,
    sort: Sort,
}

/// How surely a sign gives a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// `:`, `=` and the like.
    Sign,
    /// A word of prose, `is` or `は`.
    Prose,
    /// Nothing but a blank, or a quotation mark.
    Beside,
}

impl Sign {
    fn behind(text: &str, name: &Name) -> Option<Self> {
        let bytes = text.as_bytes();
        let closed = skip(text, name.end, 16, |c| matches!(c, '"' | '\'' | '`' | '\\' | ']' | '*'));
        let in_quotes = closed > name.end;
        let at = skip_blanks(text, closed);
        let (at, remark) = Self::past_remark(text, at);
        let rest = &text[at..];
        let of = |len: usize, sort: Sort| {
            Some(Self { end: at + len, in_quotes: in_quotes && sort == Sort::Sign, sort })
        };
        if rest.starts_with("==") || rest.starts_with("::") || rest.starts_with("=~") {
            return None;
        }
        for mark in [":=", "=>", "?=", "->", "→", "⇒", ":", "="] {
            if rest.starts_with(mark) {
                return of(mark.len(), Sort::Sign);
            }
        }
        let before = name.start.checked_sub(1).map(|n| bytes[n]);
        if rest.starts_with('>') && (before == Some(b'<') || in_quotes) {
            return of(1, Sort::Sign);
        }
        let in_table = |c: char| {
            rest.starts_with(c) && text[..name.start].trim_end_matches([' ', '*', '`']).ends_with(c)
        };
        if in_table('|') || in_table('│') {
            return of(rest.chars().next().map_or(1, char::len_utf8), Sort::Sign);
        }
        // `<password type="x">y`
        if before == Some(b'<') && at > closed {
            let end = rest
                .bytes()
                .take(80)
                .position(|b| matches!(b, b'>' | b'\n'))
                .filter(|n| rest.as_bytes()[*n] == b'>');
            return end
                .filter(|n| *n > 0 && rest.as_bytes()[n - 1] != b'/')
                .and_then(|n| of(n + 1, Sort::Sign));
        }
        let whole = &text[name.start..name.end];
        if at > closed
            && !in_quotes
            && whole.starts_with('-')
            && !rest.starts_with('-')
            && !rest.starts_with('\n')
        {
            return of(0, Sort::Sign);
        }
        Self::in_prose(rest).and_then(|len| of(len, Sort::Prose)).or_else(|| {
            let beside =
                (at > closed || remark || rest.starts_with(['「', '『', '“'])) && !in_quotes;
            (beside && !rest.starts_with('\n')).then(|| of(0, Sort::Beside)).flatten()
        })
    }

    /// `(prod)` and the like between a name and its sign.
    fn past_remark(text: &str, at: usize) -> (usize, bool) {
        let Some(close) = (match text[at..].chars().next() {
            Some('(') => Some(')'),
            Some('[') => Some(']'),
            _ => None,
        }) else {
            return (at, false);
        };
        let limit = words::boundary(text, at + LONGEST_REMARK);
        match text[at..limit].find([close, '\n']) {
            Some(n) if n > 1 && text[at + n..].starts_with(close) => {
                (skip_blanks(text, at + n + 1), true)
            }
            _ => (at, false),
        }
    }

    fn in_prose(rest: &str) -> Option<usize> {
        const WORDS: &[&str] = &[
            "is set to ",
            "was set to ",
            "was changed to ",
            "has been changed to ",
            "has been set to ",
            "has been reset to ",
            "changed to ",
            "set to ",
            "reset to ",
            "is now ",
            "is currently ",
            "should be ",
            "will be ",
            "would be ",
            "is still ",
            "is just ",
            "is: ",
            "is ",
            "was ",
            "are ",
            "equals ",
            "to be ",
            "は以下: ",
            "は次の通り: ",
            "は、",
            "は: ",
            "は",
            "が",
            "を",
            "として",
            "には",
            "も",
        ];
        let head = &rest[..words::boundary(rest, 40)];
        let lower = head.to_ascii_lowercase();
        WORDS.iter().find(|word| lower.starts_with(**word)).map(|word| word.len())
    }

    /// Beside a name only a password stands in quotes; all else there is spoken of.
    fn admits_quoted(&self, kind: Kind, value: &str) -> bool {
        match self.sort {
            Sort::Sign => true,
            Sort::Prose => kind == Kind::Pass || value::is_made_up(value) || is_number(value),
            Sort::Beside => {
                (kind == Kind::Pass && !value.contains(' ')) || value::is_made_up(value)
            }
        }
    }
}

/// A value in a text.
struct Value {
    start: usize,
    end: usize,
    quoted: bool,
    /// It begins on a line below its name.
    below: bool,
}

impl Value {
    /// The value that begins behind `at`.
    fn at(text: &str, at: usize, next_line: bool) -> Option<Self> {
        let mut start = skip_blanks(text, at);
        let mut below = false;
        let rest = &text[start..];
        // A block of YAML: `|` or `>-`, and then a new line.
        let block = rest.starts_with(['|', '>'])
            && rest[1..].trim_start_matches(['-', '+', '1', '2', '4']).starts_with(['\n', '\r']);
        if block || rest.starts_with(['\n', '\r']) {
            below = !(block || next_line);
            start = skip(text, start, 4, |c| matches!(c, '|' | '>' | '-' | '+' | '1' | '2' | '4'));
            start = skip(text, start, MOST_BLANKS, |c| c.is_ascii_whitespace());
            start = skip(text, start, 2, |c| matches!(c, '-' | '*' | ' ' | '>'));
        }
        // A list of values begins with its first one.
        if text[start..].starts_with('[') {
            start = skip(text, start, MOST_BLANKS, |c| c == '[' || c.is_ascii_whitespace());
            if !text[start..].starts_with(['"', '\'']) {
                return None;
            }
        }
        let rest = &text[start..];
        for mark in [
            "!!str ",
            "!!binary ",
            "<![CDATA[",
            "r\"",
            "b\"",
            "f\"",
            "u'",
            "b'",
            "r'",
            "@\"",
            "String(\"",
            "secret(\"",
        ] {
            if rest.starts_with(mark) {
                start += mark.len() - usize::from(mark.ends_with(['"', '\'']));
            }
        }
        let opened = skip(text, start, 16, |c| c == '\\' || c == '*');
        let mut rest = text[opened..].chars();
        let close = match rest.next()? {
            c @ ('"' | '\'' | '`') => Some(c),
            '「' => Some('」'),
            '『' => Some('』'),
            '“' => Some('”'),
            '‘' => Some('’'),
            _ => None,
        };
        let limit = words::boundary(text, opened + LONGEST_VALUE);
        if let Some(close) = close {
            let inner = text.len() - rest.as_str().len();
            let stop = |c: char| c == close || c == '\n';
            let end = text.get(inner..limit)?.find(stop).map_or(limit, |n| inner + n);
            return Some(Self { start: inner, end, quoted: true, below });
        }
        let stop = |c: char| c.is_whitespace() || ends_bare_value(c);
        let mut end = text[start..limit].find(stop).map_or(limit, |n| start + n);
        // A value of a machine may hold signs that end another's.
        if text[end..].starts_with([';', '&', ')', '(']) && end > start {
            let more = text[end..limit]
                .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ','))
                .map_or(limit, |n| end + n);
            let tail = &text[end..more];
            if tail.starts_with(['&', ')', '('])
                && tail.len() > 1
                && !tail.contains('=')
                && value::is_made_up(&text[start..end])
                && !tail.ends_with([')', ';'])
            {
                end = more;
            }
        }
        Some(Self { start, end, quoted: false, below })
    }

    fn is_called(&self, text: &str) -> bool {
        !self.quoted
            && text[self.end..].starts_with(['(', '['])
            && !text[self.end..].starts_with("( ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finder() -> Assignments {
        let words = ["password", "secret", "api_key", "token", "private_key"];
        Assignments::new(words.map(str::to_owned).to_vec())
    }

    fn values(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        finder().scan(text, false, |hit| {
            found.push((hit.start, hit.end));
            true
        });
        found.into_iter().map(|(start, end)| &text[start..end]).collect()
    }

    #[test]
    fn a_name_is_given_a_value_in_any_ordinary_syntax() {
        for text in [
            "token: v4lue",
            "token = v4lue",
            "token=v4lue",
            "TOKEN:v4lue",
            "\"api_token\": \"v4lue\"",
            "\"dbPassword\":\"v4lue\"",
            "{\\\"password\\\": \\\"v4lue\\\"}",
            "'secret' => 'v4lue'",
            "api-key=v4lue&x=1",
            "apiKey: v4lue,",
            "api key: v4lue",
            "APIKEY = \"v4lue\"",
            "config[\"password\"] = \"v4lue\"",
            "--password v4lue --user me",
            "--password=v4lue",
            "export PGPASSWORD=v4lue",
            "authtoken: v4lue",
            "<password>v4lue</password>",
            "password=\"v4lue\"",
            "**password**: v4lue",
            "let secret: String = \"v4lue\";",
            "password: |\n  v4lue\n",
            "\"password\":\n  \"v4lue\"",
            "password2: v4lue",
            "passwords: v4lue",
            "SECRET_KEY=v4lue",
            "the password is v4lue",
            "https://h/?access_token=v4lue",
            "passwd: v4lue",
            "token := v4lue",
            "Pwd=v4lue;",
            "password: [\"v4lue\"]",
        ] {
            assert_eq!(values(text).first().map(|v| v.trim_matches('\\')), Some("v4lue"), "{text}");
        }
    }

    #[test]
    fn japanese_names_are_names_too() {
        for text in [
            "パスワード: v4lue",
            "パスワードはv4lueです",
            "パスワードは「v4lue」です",
            "秘密鍵=v4lue",
            "APIキー: v4lue",
        ] {
            assert_eq!(values(text).len(), 1, "{text}");
        }
        assert_eq!(values("暗証番号は1234です").len(), 1);
        for text in [
            "パスワードは必須です",
            "パスワードは8文字以上",
            "パスワードリセット画面",
            "秘密鍵の管理方法",
        ] {
            assert!(values(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_mention_is_no_assignment() {
        for text in [
            "reset the password",
            "Write a password reset flow",
            "tokens per minute",
            "the tokenizer: fast",
            "secretary: Ms Sato",
            "password reset: broken",
            "password_reset: broken",
            "token_count: 5",
            "tokenCount: 5",
            "max_tokens: 4000",
            "\"max_tokens\": 4000",
            "maxTokens = 4000",
            "max_token=4000",
            "completion tokens: 12",
            "token::new()",
            "if password == other",
            "the password is wrong",
            "--password --user me",
            "password: the field is empty",
            "password: string",
            "password: null",
            "token_url: https://x",
            "api_key_env: SOME_NAME",
            "secret.",
            "password:",
            "password: \n next",
            "password: ''",
            "rotate the API key. Then: stop",
        ] {
            assert!(values(text).is_empty(), "{text}: {:?}", values(text));
        }
    }

    #[test]
    fn the_place_for_a_value_is_no_value() {
        for text in [
            "password: <password>",
            "password=${PASSWORD}",
            "password: \"${PASSWORD}\"",
            "password: $PASSWORD",
            "password: ***",
            "password: \"********\"",
            "token: {{ token }}",
            "token: xxxx",
            "password = os.environ[\"X\"]",
            "password = getpass()",
            "token = process.env.TOKEN",
            "api_key: your-api-key-here",
            "secret: [REDACTED]",
            "connect(user=user, password=password)",
            "token: self.token,",
        ] {
            assert!(values(text).is_empty(), "{text}: {:?}", values(text));
        }
    }

    #[test]
    fn a_pair_counts_by_its_key() {
        let finder = finder();
        assert_eq!(finder.word_of_pair("dbPassword", "x"), Some(("password", true)));
        assert_eq!(finder.word_of_pair("password", "hunter 2"), Some(("password", true)));
        for (key, value) in [
            ("max_tokens", "4000"),
            ("password", ""),
            ("password", "<yours>"),
            ("password_policy", "long"),
            ("note", "x"),
        ] {
            assert_eq!(finder.word_of_pair(key, value), None, "{key}");
        }
    }

    #[test]
    fn long_texts_take_no_longer_than_they_deserve() {
        // The time of this thread alone: what else the machine does is none of its doing.
        let clock = nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID;
        let now = || std::time::Duration::from(clock.now().unwrap());
        let time = |text: &str, size: usize| {
            let text = text.repeat(size / text.len());
            let begun = now();
            finder().scan(&text, false, |_| true);
            now() - begun
        };
        for text in [
            "password",
            "password=",
            "password ",
            "password_",
            "token: [",
            "secret\"",
            "token:|",
            "token:\"***",
            "password is ",
            "api.key.",
            "は",
        ] {
            let (short, long) = (time(text, 25_000), time(text, 200_000));
            // Eight times as long, and no 64 times: the rest is for a machine that does other things.
            let most = short * 24 + std::time::Duration::from_millis(500);
            assert!(long < most, "`{text}`: {short:?}, then {long:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            text in "(?s)(password|token|は|\"|:|=|「|é| |\\\\|\\[|<|[a-zA-Z0-9_]{1,3}|\n|.){0,30}"
        ) {
            values(&text);
            finder().word_of_pair(&text, &text);
        }
    }
}
