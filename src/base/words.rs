//! Words for counts, lists, ages and bytes, so that no message says "task(s)".

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// `1 task`, `2 tasks`: a count with its noun.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub u64, pub &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(n, noun) = *self;
        match n {
            1 => write!(f, "1 {noun}"),
            _ if noun.ends_with('y') && !noun.ends_with("ay") => {
                write!(f, "{n} {}ies", &noun[..noun.len() - 1])
            }
            _ => write!(f, "{n} {noun}s"),
        }
    }
}

/// `` `a`, `b` and `c` ``: names in backticks, joined by `word` at the end.
pub fn names<T: fmt::Display>(items: impl IntoIterator<Item = T>, word: &str) -> String {
    let quoted: Vec<String> = items.into_iter().map(|item| format!("`{item}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., last] => format!("{} {word} {last}", init.join(", ")),
    }
}

/// The name nearest to `word` among `known`, where one is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().min(word.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `3 s`, `2 min 5 s`, `4 h 10 min`, `3 d`: how long, to two units.
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (major, minor) = match seconds {
        0..60 if seconds < 10 && time.subsec_millis() > 0 => {
            return format!("{:.1} s", time.as_secs_f64());
        }
        0..60 => return format!("{seconds} s"),
        60..3_600 => ((seconds / 60, "min"), (seconds % 60, "s")),
        3_600..86_400 => ((seconds / 3_600, "h"), (seconds % 3_600 / 60, "min")),
        _ => ((seconds / 86_400, "d"), (seconds % 86_400 / 3_600, "h")),
    };
    match minor.0 {
        0 => format!("{} {}", major.0, major.1),
        _ => format!("{} {} {} {}", major.0, major.1, minor.0, minor.1),
    }
}

/// `512 B`, `1.5 KiB`, `16 MiB`: a size in powers of 1,024.
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if size < 1024 {
        return format!("{size} B");
    }
    let (mut value, mut unit) = (size as f64 / 1024.0, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let text = format!("{value:.1}");
    format!("{} {}", text.strip_suffix(".0").unwrap_or(&text), UNITS[unit])
}

/// A size as people type it: `512`, `64 KiB`, `16MiB`; units are powers of 1,024.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let value: u64 = text[..digits].parse().ok()?;
    let shift = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return None,
    };
    value.checked_mul(1 << shift)
}

/// A path as one word of a shell's line.
pub fn shell_path(path: &std::path::Path) -> String {
    shell_bytes(path.as_os_str().as_encoded_bytes())
}

/// A text as one word of a shell's line.
pub fn shell_word(text: &str) -> String {
    shell_bytes(text.as_bytes())
}

/// Signs that no line should hold, and bytes that are no text, are told by their numbers, as `bash`,
/// `zsh` and most others read them: `$'a\033b'`.
fn shell_bytes(bytes: &[u8]) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@%,=".contains(c);
    let text = std::str::from_utf8(bytes).ok().filter(|text| tamed(text) == *text);
    match text {
        Some(text) if !text.is_empty() && text.chars().all(is_plain) => text.to_owned(),
        Some(text) => format!("'{}'", text.replace('\'', "'\\''")),
        None => {
            let sign = |byte: &u8| match byte {
                b' '..=b'~' if !matches!(byte, b'\'' | b'\\') => char::from(*byte).to_string(),
                _ => format!("\\{byte:03o}"),
            };
            format!("$'{}'", bytes.iter().map(sign).collect::<String>())
        }
    }
}

/// Text that is safe to show on one line of a terminal or a log.
///
/// Control characters and the marks that reorder text are escaped, so that a
/// file name can neither move the cursor nor forge a second line.
pub fn tame(text: &str) -> String {
    tamed(text).into_owned()
}

/// The same, without a copy where nothing is to be escaped.
pub fn tamed(text: &str) -> Cow<'_, str> {
    let unsafe_mark =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    // Without an early end, so that many bytes are looked at in one step.
    let is_plain = text.bytes().fold(true, |is, byte| is & matches!(byte, b' '..=b'~'));
    if is_plain || !text.contains(unsafe_mark) {
        return Cow::Borrowed(text);
    }
    let mut tamed = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            _ if unsafe_mark(c) => tamed.extend(c.escape_default()),
            _ => tamed.push(c),
        }
    }
    Cow::Owned(tamed)
}

/// `text` in small letters, as the standard library has them; quick also where much of it is Japanese,
/// which has no other letters.
pub fn small(text: &str) -> String {
    // What this letter becomes depends on what stands around it.
    if text.contains('Σ') {
        return text.to_lowercase();
    }
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.chars().next() {
        let caseless = caseless(rest.as_bytes());
        let (part, behind) = rest.split_at(caseless);
        if caseless > 0 {
            let from = out.len();
            out.push_str(part);
            out[from..].make_ascii_lowercase();
            rest = behind;
        } else {
            out.extend(first.to_lowercase());
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// How long the bytes of ASCII and of the signs from U+3000 to U+9FFF are that a text begins with.
fn caseless(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            0..0x80 => 1,
            0xe3..=0xe9 => 3,
            _ => break,
        };
    }
    at
}

/// At most `max` characters of `text`, with `…` where something was cut.
pub fn excerpt(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The last boundary between characters at or before `at`.
pub fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A span as people type it: `90`, `1.5s`, `2m`, `1h30m`, `2d`; bare numbers are seconds.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let complain =
        || format!("`{}` is not a time span: write `90`, `30s`, `5m` or `1h30m`", tame(text));
    let mut total = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(complain());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let value: f64 = rest[..digits].parse().map_err(|_| complain())?;
        let after = &rest[digits..];
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let unit = match &after[..letters] {
            "ms" => 0.001,
            "" | "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return Err(complain()),
        };
        total += value * unit;
        rest = after[letters..].trim_start();
    }
    Duration::try_from_secs_f64(total).map_err(|_| complain())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_letters_are_those_of_the_standard_library() {
        for c in '\u{3000}'..='\u{9fff}' {
            assert!(c.to_lowercase().eq([c]), "{c}");
        }
        for text in ["", "AbC", "ΣΑΣ", "漢字 ÀÉ ＡＢ İ K ẞ", "カナABC漢DÉ", "\u{2fff}A\u{a640}Z"]
        {
            assert_eq!(small(text), text.to_lowercase(), "{text}");
        }
    }

    #[test]
    fn counts_agree_with_their_noun() {
        assert_eq!(Count(1, "task").to_string(), "1 task");
        assert_eq!(Count(0, "task").to_string(), "0 tasks");
        assert_eq!(Count(2, "reply").to_string(), "2 replies");
    }

    #[test]
    fn a_word_for_the_shell_is_one_word() {
        assert_eq!(shell_word("/srv/spool-1/a.json"), "/srv/spool-1/a.json");
        assert_eq!(shell_word("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("a\n'\u{1b}b"), r"$'a\012\047\033b'");
    }

    #[test]
    fn names_are_joined_as_people_do() {
        assert_eq!(names(["a"], "and"), "`a`");
        assert_eq!(names(["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }

    #[test]
    fn the_nearest_name_is_offered_only_when_near() {
        assert_eq!(nearest("priorty", ["priority", "metadata"]), Some("priority"));
        assert_eq!(nearest("zebra", ["priority", "metadata"]), None);
    }

    #[test]
    fn spans_are_told_in_two_units_and_read_back() {
        assert_eq!(span(Duration::from_millis(1_500)), "1.5 s");
        assert_eq!(span(Duration::from_secs(125)), "2 min 5 s");
        assert_eq!(span(Duration::from_secs(3_600)), "1 h");
        assert_eq!(parse_span("1h30m").unwrap(), Duration::from_secs(5_400));
        assert_eq!(parse_span("90").unwrap(), Duration::from_secs(90));
        assert!(parse_span("soon").is_err());
        assert!(parse_span("").is_err());
    }

    #[test]
    fn a_name_cannot_forge_a_second_line() {
        assert_eq!(tame("a\nb\u{1b}[2J"), "a\\nb\\u{1b}[2J");
        assert_eq!(tame("工房"), "工房");
    }

    #[test]
    fn a_cut_never_goes_through_a_character() {
        assert_eq!((boundary("aé", 2), boundary("aé", 3), boundary("aé", 9)), (1, 3, 3));
    }

    #[test]
    fn sizes_keep_one_place() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(16 << 20), "16 MiB");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!((parse_bytes("16 MiB"), parse_bytes("512")), (Some(16 << 20), Some(512)));
        assert_eq!((parse_bytes("big"), parse_bytes("99999999999999 TiB")), (None, None));
    }
}
