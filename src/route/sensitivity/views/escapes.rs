//! Signs that stand for other signs: percent signs, entities, backslashes, and the equals signs of mail.

use super::{View, Writer};

/// Percent signs, entities, backslashes and the equals signs of mail undone, one level of each.
pub(super) fn undone(text: &str) -> Option<View> {
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
pub(in crate::route::sensitivity) fn raw_run(
    text: &str,
    start: usize,
    mark: &str,
) -> (usize, Vec<u8>) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_far_from_a_change_is_left_out() {
        let far = "ordinary words\n".repeat(200);
        let text = format!("{far}pa%73s\n{far}&lt;b&gt;\n{far}");
        let view = undone(&text).unwrap();
        assert!(view.text.contains("\npass\n") && view.text.contains("\n<b>\n"));
        assert!(view.text.len() < 3_000, "{}", view.text.len());
        for word in ["pass", "<b>"] {
            let at = view.text.find(word).unwrap();
            let stood = view.origin(&(at..at + word.len()));
            let written = if word == "pass" { "pa%73s" } else { "&lt;b&gt;" };
            assert!(text[stood.clone()].starts_with(&written[..4]), "{}", &text[stood]);
        }
    }
}
