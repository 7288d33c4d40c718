//! Finds a credential's name that is given a value, in any ordinary syntax.
//!
//! `password: x`, `"dbPassword": "x"`, `api-key=x`, `--token x`, `<secret>x</secret>`
//! and `パスワードは「x」` are assignments; `reset the password`, `tokens per minute`
//! and `token_count: 5` are not. The word must be a whole part of the name.
//!
//! Each word found is looked at within a bounded stretch of text, so that no text
//! takes longer than its length deserves. Nothing here copies a value.

use aho_corasick::{AhoCorasick, MatchKind};

use crate::base::words;

/// The furthest that a name reaches to either side of its word, in bytes.
const LONGEST_NAME: usize = 80;
/// The furthest that a value is followed, in bytes: enough to tell that it is one.
const LONGEST_VALUE: usize = 512;
/// The most blanks that stand between a name, its sign and its value.
const MOST_BLANKS: usize = 40;

/// Last parts that make a name one of something else: `password_reset`, `token_count`.
const ABOUT: &str = "\
    arn at bucket budget bytes changed class column count counter created date enabled \
    endpoint env error expired expires expiry field file format generator handler hint \
    index input label length len lifetime limit limits manager max min name names param parser \
    path pattern per placeholder policies policy prompt rate ref regex required reset resets \
    review rotation rule rules scheme service size store strength total ttl type types updated \
    uri url usage used valid validation validator vault version";

/// Parts that stand glued before a word in one-case names: `PGPASSWORD`, `authtoken`.
const GLUED: &str = "\
    access admin api app auth aws bearer bot client csrf db default ftp git github gitlab jwt \
    ldap login master my mysql new old pg redis refresh root secret service session slack smtp \
    ssh sudo user vnc web wifi";

/// First words of prose, names of types, and values that mean that there is none.
const NO_VALUE: &str = "\
    a an and any are array bool boolean but bytes can cannot char does empty expired false \
    field for from how if in inherit int integer invalid is it its list missing must n/a never \
    nil no none not null number object of on option optional or please redacted required see shall \
    should str string text that the then there they this to true uint undefined unknown unset \
    use users varchar was we what when where which who why will with you your 必須 任意 未設定 なし 不明 \
    省略 非公開 変更 入力 設定 リセット";

/// Beginnings of a value that is read from elsewhere.
const ELSEWHERE: &[&str] = &[
    "process.env",
    "os.environ",
    "os.getenv",
    "getenv",
    "env.",
    "env::",
    "std::env",
    "self.",
    "this.",
    "config.",
    "settings.",
    "request.",
    "req.",
    "args.",
    "params.",
    "secrets.",
    "vault:",
    "System.getenv",
    "import.meta",
];

/// The words that are looked for, and what each stands for in the config.
#[derive(Debug)]
pub(super) struct Assignments {
    finder: AhoCorasick,
    /// For each needle the index of its word in `words`.
    of: Vec<usize>,
    words: Vec<String>,
}

/// A name that is given a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// The config's word.
    pub(super) word: &'a str,
    /// Where the value begins.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

impl Assignments {
    /// Looks for these words; `None` where there is none.
    pub(super) fn new(words: Vec<String>) -> Option<Self> {
        let (mut needles, mut of) = (Vec::new(), Vec::new());
        for (n, word) in words.iter().enumerate() {
            for needle in spellings(word) {
                needles.push(needle);
                of.push(n);
            }
        }
        let finder = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(&needles)
            .ok()?;
        (!needles.is_empty()).then_some(Self { finder, of, words })
    }

    /// Calls `found` for each assignment in normalised text, until it says that it is enough.
    pub(super) fn scan<'a>(&'a self, text: &str, mut found: impl FnMut(Found<'a>) -> bool) {
        let mut past = 0;
        for hit in self.finder.find_iter(text) {
            if hit.start() < past {
                continue;
            }
            let Some(name) = Name::around(text, hit.start(), hit.end()) else { continue };
            let Some((start, end)) = value_of(text, &name) else { continue };
            past = end;
            let word = &self.words[self.of[hit.pattern().as_usize()]];
            if !found(Found { word, start, end }) {
                return;
            }
        }
    }

    /// The word that makes `key` a credential's name, if `value` is one that such a name may hide.
    pub(super) fn word_of_pair(&self, key: &str, value: &str) -> Option<&str> {
        let hit = self.finder.find_iter(key).find_map(|hit| {
            let name = Name::around(key, hit.start(), hit.end())?;
            let ends_key = key[name.end..].trim().is_empty();
            (ends_key && !counts_tokens(key, &name, value)).then_some(hit)
        })?;
        is_secret_value(value.trim(), true).then(|| {
            let word = &self.words[self.of[hit.pattern().as_usize()]];
            word.as_str()
        })
    }
}

/// How a word of the config may be spelt: `api_key` also as `apikey`, `api-key`, `api key`, APIキー.
fn spellings(word: &str) -> Vec<String> {
    let lower = word.to_ascii_lowercase();
    let parts: Vec<&str> = lower.split(['_', '-']).filter(|part| !part.is_empty()).collect();
    let mut all: Vec<String> =
        ["", "_", "-", ".", " "].iter().map(|join| parts.join(join)).collect();
    let others: &[&str] = match parts.join("_").as_str() {
        "password" => &["passwd", "passphrase", "pwd", "パスワード", "暗証番号"],
        "api_key" | "apikey" => &["APIキー"],
        "private_key" | "privatekey" => &["秘密鍵"],
        _ => &[],
    };
    all.extend(others.iter().map(|other| (*other).to_owned()));
    all.retain(|spelling| !spelling.is_empty());
    all.sort();
    all.dedup();
    all
}

/// A credential's name in a text.
struct Name {
    start: usize,
    end: usize,
    /// Where the word begins in it.
    word_start: usize,
    /// Where the word ends in it.
    word_end: usize,
}

impl Name {
    /// The whole name around a word, if the word is a whole part of it and what it is about.
    fn around(text: &str, start: usize, end: usize) -> Option<Self> {
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
        let name =
            Self { start: start - before, end: end + after, word_start: start, word_end: end };
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
        let last = last_part(tail);
        !has_word(ABOUT, &last)
    }
}

/// Whether `rest` begins a new part of a name, or is nothing.
fn begins_anew(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| !c.is_ascii_alphabetic())
}

/// Whether the word at `start..end` begins a part of the name that begins at `name`.
fn begins_part(bytes: &[u8], name: usize, start: usize, end: usize) -> bool {
    let Some(before) = bytes[name..start].last() else { return true };
    if !before.is_ascii_alphabetic() {
        return true;
    }
    let first_is_upper = bytes[start].is_ascii_uppercase();
    let second_is_lower = start + 1 < end && bytes[start + 1].is_ascii_lowercase();
    if first_is_upper && (before.is_ascii_lowercase() || second_is_lower) {
        return true;
    }
    let letters = bytes[name..start].iter().rev().take_while(|b| b.is_ascii_alphabetic()).count();
    let glued = String::from_utf8_lossy(&bytes[start - letters..start]).to_ascii_lowercase();
    has_word(GLUED, &glued)
}

/// The last part of a name, in lower case: `Count` of `tokenCount`, `count` of `token_count`.
fn last_part(name: &str) -> String {
    let trimmed = name.trim_end_matches(['_', '-', '.']);
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
    const COUNTS: &[&str] = &["max", "min", "num", "n", "total", "count", "limit", "avg"];
    let is_number =
        !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','));
    let whole = &text[name.start..name.end];
    let first = whole.split(['_', '-', '.']).next().unwrap_or_default().to_ascii_lowercase();
    let is_token = name.word_end >= 5
        && text.as_bytes()[name.word_end - 5..name.word_end].eq_ignore_ascii_case(b"token");
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
    let (mut start, mut end, mut quoted) = value_at(text, sign.end, sign.in_quotes)?;
    // `let password: String = "x"`: what stands first is the type.
    if !quoted && is_in(NO_VALUE, &text[start..end]) {
        let after = skip_blanks(text, end);
        let rest = &text[after..];
        if !rest.starts_with('=') || rest.starts_with("==") || rest.starts_with("=>") {
            return None;
        }
        (start, end, quoted) = value_at(text, after + 1, false)?;
    }
    let value = &text[start..end];
    if sign.needs_proof && !quoted && !looks_made_up(value) {
        return None;
    }
    let is_call = !quoted && text[end..].starts_with(['(', '[']);
    // `password=password` and `token: self.token` hand a variable on.
    let word = &text[name.word_start..name.word_end];
    let handed_on = !quoted && names_same(value, word);
    let is_folder =
        text[name.start..name.end].eq_ignore_ascii_case("pwd") && value.starts_with('/');
    let counts = !is_call
        && !handed_on
        && !is_folder
        && !counts_tokens(text, name, value)
        && is_secret_value(value, quoted);
    counts.then_some((start, end))
}

/// What stands between a name and its value.
struct Sign {
    end: usize,
    /// The name is quoted, so the value may stand on the next line.
    in_quotes: bool,
    /// The sign is a word of prose: only a value that looks like one counts.
    needs_proof: bool,
}

impl Sign {
    fn behind(text: &str, name: &Name) -> Option<Self> {
        let bytes = text.as_bytes();
        let closed = skip(text, name.end, 6, |c| matches!(c, '"' | '\'' | '`' | '\\' | ']' | '*'));
        let in_quotes = closed > name.end;
        let at = skip_blanks(text, closed);
        let rest = &text[at..];
        let sign = |len: usize| Some(Self { end: at + len, in_quotes, needs_proof: false });
        let prose = |len: usize| Some(Self { end: at + len, in_quotes: false, needs_proof: true });
        if rest.starts_with("==") || rest.starts_with("::") || rest.starts_with("=~") {
            return None;
        }
        for (mark, len) in [(":=", 2), ("=>", 2), ("?=", 2), (":", 1), ("=", 1)] {
            if rest.starts_with(mark) {
                return sign(len);
            }
        }
        let before = name.start.checked_sub(1).map(|n| bytes[n]);
        if rest.starts_with('>') && before == Some(b'<') {
            return sign(1);
        }
        let spaced = at > closed && !in_quotes;
        if spaced && text[name.start..name.end].starts_with("--") && !rest.starts_with('-') {
            return Some(Self { end: at, in_quotes: false, needs_proof: false });
        }
        if rest.starts_with('は') {
            return prose('は'.len_utf8());
        }
        let is = rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("is "));
        if spaced && is { prose(3) } else { None }
    }
}

/// The value that begins behind `at`: start, end, and whether it is quoted.
fn value_at(text: &str, at: usize, next_line: bool) -> Option<(usize, usize, bool)> {
    let mut start = skip_blanks(text, at);
    let rest = &text[start..];
    // A block of YAML: `|` or `>-`, and then a new line.
    let block = rest.starts_with(['|', '>'])
        && rest[1..].trim_start_matches(['-', '+']).starts_with(['\n', '\r']);
    let line_ends = rest.starts_with(['\n', '\r']);
    if block || (next_line && line_ends) {
        start = skip(text, start, 4, |c| matches!(c, '|' | '>' | '-' | '+'));
        start = skip(text, start, MOST_BLANKS, |c| c.is_ascii_whitespace());
    }
    // A list of values begins with its first one.
    if text[start..].starts_with('[') {
        start = skip(text, start, MOST_BLANKS, |c| c == '[' || c.is_ascii_whitespace());
        if !text[start..].starts_with(['"', '\'']) {
            return None;
        }
    }
    let opened = skip(text, start, 4, |c| c == '\\' || c == '*');
    let mut rest = text[opened..].chars();
    let close = match rest.next()? {
        c @ ('"' | '\'' | '`') => Some(c),
        '「' => Some('」'),
        '“' => Some('”'),
        _ => None,
    };
    let limit = words::boundary(text, opened + LONGEST_VALUE);
    if let Some(close) = close {
        let inner = text.len() - rest.as_str().len();
        let stop = |c: char| c == close || c == '\n';
        let end = text.get(inner..limit)?.find(stop).map_or(limit, |n| inner + n);
        return Some((inner, end, true));
    }
    let stop = |c: char| c.is_whitespace() || ends_bare_value(c);
    let end = text[start..limit].find(stop).map_or(limit, |n| start + n);
    Some((start, end, false))
}

/// Whether a value is a variable of the same name.
fn names_same(value: &str, word: &str) -> bool {
    let at = value.len().wrapping_sub(word.len());
    match (value.get(..at), value.get(at..)) {
        (Some(before), Some(end)) if end.eq_ignore_ascii_case(word) => {
            before.is_empty() || before.ends_with(['.', '_', '$'])
        }
        _ => false,
    }
}

fn ends_bare_value(c: char) -> bool {
    matches!(
        c,
        ',' | ';' | '}' | ')' | ']' | '(' | '[' | '<' | '"' | '\'' | '`' | '&' | '、' | '。'
    )
}

/// Whether a value is one, and not the place for one.
fn is_secret_value(value: &str, quoted: bool) -> bool {
    let bare = value.trim_matches(['\\', '*', '"', '\'']).trim();
    let marks = bare.trim_end_matches(['.', '!', '?', ':']);
    let Some(first) = bare.chars().next() else { return false };
    if is_in(NO_VALUE, marks) {
        return false;
    }
    let same = bare.chars().all(|c| c == first);
    let nothing = !bare.chars().any(char::is_alphanumeric) && (!quoted || same);
    let dummy = same
        && (matches!(first, '*' | '.' | '-' | '_' | '•' | '?' | '#' | '…')
            || (matches!(first, 'x' | 'X') && bare.len() >= 3));
    let template = ["<", "${", "$(", "{{", "{%", "%(", "%{", "[", "{"];
    let named = bare.starts_with('$') && bare[1..].starts_with(|c: char| c.is_ascii_alphabetic());
    let percent = bare.len() > 2 && bare.starts_with('%') && bare.ends_with('%');
    let elsewhere = !quoted && ELSEWHERE.iter().any(|from| bare.starts_with(from));
    let lower = bare.get(..8).unwrap_or(bare).to_ascii_lowercase();
    let yours = ["your-", "your_", "<your", "redacted"].iter().any(|mark| lower.starts_with(mark));
    let opens = template.iter().any(|mark| bare.starts_with(mark))
        && (bare.len() == 1 || bare.ends_with(['>', '}', ')', ']', '%']) || !quoted);
    !(nothing || dummy || opens || (named && !quoted) || percent || elsewhere || yours)
}

/// Whether a word of prose is a value rather than a word: a digit or a sign among letters.
fn looks_made_up(value: &str) -> bool {
    let value = value.trim_end_matches(['.', '!', '?', ',']);
    let ascii = value.find(|c: char| !c.is_ascii_graphic()).unwrap_or(value.len());
    let head = &value[..ascii];
    head.len() >= 4 && head.bytes().any(|b| b.is_ascii_digit() || b"!@#$%^&*+=~".contains(&b))
}

/// Whether a word of prose, with the sign that may stand behind it, is one of a list's.
fn is_in(list: &str, word: &str) -> bool {
    has_word(list, &word.trim_end_matches(['.', ',', '!', '?', ':']).to_lowercase())
}

fn has_word(list: &str, word: &str) -> bool {
    !word.is_empty() && list.split_whitespace().any(|other| other == word)
}

fn skip_blanks(text: &str, from: usize) -> usize {
    skip(text, from, MOST_BLANKS, |c| matches!(c, ' ' | '\t' | '\u{3000}'))
}

/// Past at most `most` characters that `may` be skipped.
fn skip(text: &str, from: usize, most: usize, may: impl Fn(char) -> bool) -> usize {
    let skipped: usize =
        text[from..].chars().take(most).take_while(|c| may(*c)).map(char::len_utf8).sum();
    from + skipped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finder() -> Assignments {
        let words = ["password", "secret", "api_key", "token", "private_key"];
        Assignments::new(words.map(str::to_owned).to_vec()).unwrap()
    }

    fn values(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        finder().scan(text, |hit| {
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
        assert_eq!(finder.word_of_pair("dbPassword", "x"), Some("password"));
        assert_eq!(finder.word_of_pair("password", "hunter 2"), Some("password"));
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
        let begun = crate::base::clock::mono();
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
            finder().scan(&text.repeat(500_000 / text.len()), |_| true);
        }
        // Time that grew with the square of the length would be hours.
        assert!(crate::base::clock::mono() - begun < std::time::Duration::from_secs(60));
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
