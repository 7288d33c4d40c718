//! Texts that were put together from pieces that stand apart: names for parts of a value, and
//! marks of layout inside words.

use std::collections::HashMap;
use std::ops::Range;

use super::blocks::lines;
use super::views::View;
use crate::base::words;

/// The longest part of a value that is given a name.
const LONGEST_PART: usize = 80;
/// The most names that are followed.
const MOST_NAMES: usize = 64;
/// How much of the text before a value is read with it.
const BEFORE: usize = 60;

/// Adds the views of such texts.
pub(super) fn views(text: &str, views: &mut Vec<View>) {
    views.extend(named_parts(text));
    views.extend(without_marks(text));
}

/// `a = "hun"; b = "ter2"; password = a + b`: the value where its parts are put together.
fn named_parts(text: &str) -> Option<View> {
    let names = parts_by_name(text);
    if names.len() < 2 {
        return None;
    }
    let (mut out, mut whole): (String, Option<Range<usize>>) = (String::new(), None);
    let mut at = 0;
    while let Some(n) = text[at..].find(|c: char| c.is_ascii_alphabetic() || c == '_') {
        let start = at + n;
        let (joined, end) = chain(text, start, &names);
        at = end;
        if let Some(joined) = joined {
            let before = words::boundary(text, start.saturating_sub(BEFORE));
            let line = text[before..start].rfind('\n').map_or(before, |n| before + n + 1);
            let shown = text[line..start].trim_end_matches(['{', '$', '(', '"', '\'', '`', '[']);
            out.extend([shown, " \"", &joined, "\"\n"]);
            whole.get_or_insert(start..end).end = end;
        }
    }
    Some(View::of_stretch("joined", out, whole?))
}

/// The literals that names stand for.
fn parts_by_name(text: &str) -> HashMap<&str, &str> {
    let bytes = text.as_bytes();
    let (mut names, mut at) = (HashMap::new(), 0);
    while let Some(n) = bytes[at..].iter().position(|b| *b == b'=')
        && names.len() < MOST_NAMES
    {
        let sign = at + n;
        at = sign + 1;
        let left = text[..sign].trim_end_matches([' ', '\t', ':']);
        let name = &left[left.len() - ident_before(left)..];
        let right = text[sign + 1..].trim_start_matches([' ', '\t', '@']);
        let Some(quote) = right.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else {
            continue;
        };
        let end = right[1..].char_indices().take(LONGEST_PART).find(|(_, c)| *c == quote);
        if let Some((len, _)) = end
            && len > 0
            && !name.is_empty()
        {
            names.insert(name, &right[1..=len]);
        }
    }
    names
}

fn ident_before(text: &str) -> usize {
    text.bytes().rev().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count()
}

/// The value of names that are joined from a place on, and where they end; none of a lone name.
fn chain(text: &str, start: usize, names: &HashMap<&str, &str>) -> (Option<String>, usize) {
    let ident = |at: usize| {
        let rest = text.as_bytes()[at..].iter();
        at + rest.take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count()
    };
    let mut end = ident(start).max(start + 1);
    let Some(first) = names.get(&text[start..end]) else { return (None, end) };
    let (mut value, mut count) = ((*first).to_owned(), 1);
    loop {
        let gap =
            text[end..].bytes().take(8).take_while(|b| b" \t+.,&|~{}$()%s\"'`<>#".contains(b));
        let next = end + gap.count();
        let sign = &text[end..next];
        let is_join = sign.contains(['+', '.', '&', '|', '~', '}', '$', ',']);
        let after = ident(next);
        let part = text.get(next..after).and_then(|name| names.get(name));
        let Some(part) = part.filter(|_| is_join) else { break };
        value.push_str(part);
        count += 1;
        end = after;
    }
    ((count > 1).then_some(value), end)
}

/// Words without the marks of layout that stand in them: `pass**word**`, `to<wbr>ken`, `sec\_ret`.
fn without_marks(text: &str) -> Option<View> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|b| matches!(b, b'*' | b'`' | b'~' | b'<' | b'\\')) {
        return None;
    }
    let (mut out, mut whole): (String, Option<Range<usize>>) = (String::new(), None);
    for (here, line) in lines(text) {
        let bytes = line.as_bytes();
        let has_mark = bytes.iter().enumerate().skip(1).any(|(at, byte)| {
            let is_mark = matches!(byte, b'*' | b'`' | b'~' | b'<' | b'\\');
            is_mark && is_letter(bytes[at - 1]) && goes_on(&line[at..])
        });
        if has_mark {
            strip(line, &mut out);
            whole.get_or_insert(here.clone()).end = here.end;
        }
    }
    Some(View::of_stretch("unmarked", out, whole?))
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0xe3
}

/// Whether a letter follows a mark at once.
fn goes_on(rest: &str) -> bool {
    let len = mark(rest);
    len > 0 && rest.as_bytes().get(len).is_some_and(|b| is_letter(*b))
}

/// The length of the marks that a text begins with.
fn mark(text: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        at += match rest.as_bytes() {
            [b'*' | b'`' | b'~', ..] => 1,
            [b'\\', b'_' | b'*' | b'-' | b'.' | b'#' | b'!', ..] => 1,
            [b'<', ..] => match rest.find('>') {
                Some(len) if len < 60 && !rest[1..len].contains('<') => len + 1,
                _ => return at,
            },
            _ => return at,
        };
    }
}

fn strip(line: &str, out: &mut String) {
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        match mark(&line[at..]) {
            0 => {
                out.push(c);
                at += c.len_utf8();
            }
            len => at += len,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        views(text, &mut all);
        all.into_iter().map(|view| view.text).collect()
    }

    #[test]
    fn parts_with_names_are_put_together() {
        for written in [
            "a = 'ki'; b = 'te7'; password = a + b",
            "let a = \"ki\";\nlet b = \"te7\";\npassword = `${a}${b}`",
            "$a = 'ki'; $b = 'te7'; $password = $a . $b;",
            "a='ki'\nb='te7'\npassword = f\"{a}{b}\"",
        ] {
            let all = read(written);
            assert!(all.iter().any(|text| text.contains("\"kite7\"")), "{written}: {all:?}");
        }
    }

    #[test]
    fn marks_in_words_are_taken_out() {
        for written in [
            "my pass**word**: **ki**te7",
            "my pass<wbr>word: ki<b>te7</b>",
            "my pass`word`: ki\\_te7",
        ] {
            let shown = read(written).concat().replace('_', "");
            assert!(shown.contains("my password: kite7"), "{written}: {shown}");
        }
    }

    #[test]
    fn ordinary_text_is_read_once() {
        for text in ["a **bold** word and `code` in it", "x = 'one'\ny = 'two'\nprint(x)", "a < b"]
        {
            assert!(read(text).is_empty(), "{text}: {:?}", read(text));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_places_stay_inside(
            text in "(?s)([ab]|=|\"[kt]\"|'|\\+|\\$|\\{|\\}|\\*|<b>|<|>|\\\\|\n| |é|漢|.){0,40}",
        ) {
            let mut all = Vec::new();
            views(&text, &mut all);
            for view in all {
                let at = view.origin(&(0..view.text.len()));
                prop_assert!(at.start <= at.end && at.end <= text.len());
            }
        }
    }
}
