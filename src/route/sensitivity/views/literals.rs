//! String literals that a program puts together.

use super::{View, Writer};

/// `"pa" + "ss"`, `'pa' 'ss'`, `["pa", "ss"].join("")`: the literals as one.
pub(super) fn joined(text: &str) -> Option<View> {
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
