//! Texts that are hidden by habit rather than by art: written backwards, by ROT13, as
//! the numbers of their letters, in base32, or cell by cell.
//!
//! Each of them shows itself by a sign of its own (a word backwards, a row of numbers,
//! a tag), so that ordinary text costs one look.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use data_encoding::BASE32_NOPAD;

use super::views::{View, text_of};

/// Names of secrets, written backwards and by ROT13.
const BACKWARDS: &[&str] = &[
    "drowssap",
    "drowp",
    "dwssap",
    "terces",
    "nekot",
    "yek_ipa",
    "yekipa",
    "yek-ipa",
    "yek ipa",
    "yek_etavirp",
    "laitnedifnoc",
    "edocssap",
    "edoc ",
    "ドーワスパ",
    "号番証暗",
    "鍵密秘",
    "秘外社",
];
const ROTATED: &[&str] = &[
    "cnffjbeq",
    "cnffjq",
    "cnffcuenfr",
    "frperg",
    "ncv_xrl",
    "ncvxrl",
    "ncv-xrl",
    "ncv xrl",
    "pbasvqragvny",
    "npprff_gbxra",
    "npprff gbxra",
    " gur ",
    "pbqr vf",
    "cva vf",
];

/// The fewest letters that a row of numbers must spell.
const FEWEST_CODES: usize = 6;
/// The most bytes between two numbers of a row: `) & Chr(`, `, `.
const LONGEST_GAP: usize = 14;
/// The shortest run that is tried as base32.
const SHORTEST_BASE32: usize = 16;

static BACK: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| finder(BACKWARDS));
static ROT: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| finder(ROTATED));

fn finder(words: &[&str]) -> Option<AhoCorasick> {
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()
}

/// Adds the ways to read `text` that such signs ask for.
pub(super) fn views(text: &str, views: &mut Vec<View>) {
    let shows = |finder: &Option<AhoCorasick>| finder.as_ref().is_some_and(|f| f.is_match(text));
    if shows(&BACK) {
        let turned: String = text.chars().rev().collect();
        views.push(View::of_stretch("reversed", turned, 0..text.len()));
    }
    if shows(&ROT) {
        let turned: String = text.chars().map(rot13).collect();
        views.push(View::of_stretch("rot13", turned, 0..text.len()));
    }
    char_codes(text, views);
    base32(text, views);
    views.extend(cells(text));
}

fn rot13(c: char) -> char {
    let turn = |first: u8| char::from(first + (c as u8 - first + 13) % 26);
    match c {
        'a'..='z' => turn(b'a'),
        'A'..='Z' => turn(b'A'),
        other => other,
    }
}

/// `Chr(112) & Chr(97)`, `fromCharCode(112, 97)`, `[112, 97]`: the letters of these numbers.
fn char_codes(text: &str, views: &mut Vec<View>) {
    let bytes = text.as_bytes();
    let mut row = Row::default();
    let mut at = 0;
    while let Some(n) = bytes[at..].iter().position(u8::is_ascii_digit) {
        let start = at + n;
        let end = start + bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count();
        at = end;
        let digits = &text[start..end];
        let code = match digits.len() {
            8 => u32::from_str_radix(digits, 2).ok(),
            _ => digits.parse().ok().filter(|_| digits.len() <= 5),
        };
        let letter = code.and_then(char::from_u32).filter(|c| is_letter(*c));
        if letter.is_none() || row.is_far(bytes, start) {
            row.finish(views);
        }
        if let Some(letter) = letter {
            row.add(letter, start..end);
        }
    }
    row.finish(views);
}

fn is_letter(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{3000}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}

/// Numbers that stand in a row.
#[derive(Default)]
struct Row {
    text: String,
    at: Range<usize>,
}

impl Row {
    fn is_far(&self, bytes: &[u8], start: usize) -> bool {
        let gap = &bytes[self.at.end.min(start)..start];
        let is_prose = gap.iter().filter(|b| b.is_ascii_lowercase()).count() > 6;
        !self.text.is_empty() && (gap.len() > LONGEST_GAP || is_prose || gap.is_empty())
    }

    fn add(&mut self, letter: char, at: Range<usize>) {
        let start = if self.text.is_empty() { at.start } else { self.at.start };
        self.at = start..at.end;
        self.text.push(letter);
    }

    /// A row is a text if it is long and letters are among its signs and digits.
    fn finish(&mut self, views: &mut Vec<View>) {
        let text = std::mem::take(&mut self.text);
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        if text.chars().count() >= FEWEST_CODES && letters * 4 >= text.chars().count() {
            views.push(View::of_stretch("char_codes", text, self.at.clone()));
        }
    }
}

/// Runs of base32 that decode to text.
fn base32(text: &str, views: &mut Vec<View>) {
    let bytes = text.as_bytes();
    let part = |b: &u8| b.is_ascii_uppercase() || (b'2'..=b'7').contains(b);
    let mut at = 0;
    while let Some(n) = bytes[at..].iter().position(part) {
        let start = at + n;
        let end = start + bytes[start..].iter().take_while(|b| part(b)).count();
        at = end + bytes[end..].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        if at > end || end - start < SHORTEST_BASE32 {
            continue;
        }
        let decoded = BASE32_NOPAD.decode(&bytes[start..end]).ok();
        if let Some(text) = decoded.and_then(|raw| text_of(&raw, false)) {
            views.push(View::of_stretch("base32", text, start..end));
        }
    }
}

/// Cells of a table or a list of terms, which stand side by side without a sign:
/// `<td>name</td><td>value</td>` as `name: value`.
fn cells(text: &str) -> Option<View> {
    let low = |tag: &str| text.contains(tag) || text.contains(&tag.to_uppercase());
    if !text.contains('<')
        || !["</td>", "</th>", "</dt>", "</label>", "</b>", "</strong>"].iter().any(|tag| low(tag))
    {
        return None;
    }
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(open) = rest.find('<') {
        let Some(len) = rest[open..].find('>').filter(|len| *len < 200) else { break };
        let tag = rest[open..open + len].to_ascii_lowercase();
        out.push_str(&rest[..open]);
        out.push_str(match tag.as_str() {
            "</td" | "</th" | "</dt" | "</label" | "</b" | "</strong" => ": ",
            "</tr" | "</dd" | "</li" | "</p" | "<br" | "<br/" | "<br /" => "\n",
            _ => "",
        });
        rest = &rest[open + len + 1..];
    }
    out.push_str(rest);
    Some(View::of_stretch("cells", out, 0..text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        views(text, &mut all);
        all.into_iter().map(|view| (view.name, view.text)).collect()
    }

    #[test]
    fn what_is_hidden_by_habit_is_read() {
        let word = "password=kite";
        let numbers = |join: &str| {
            let codes: Vec<String> = word.bytes().map(|b| b.to_string()).collect();
            codes.join(join)
        };
        let backwards: String = word.chars().rev().collect();
        let rotated: String = word.chars().map(rot13).collect();
        for (written, name) in [
            (format!("s = Chr({})", numbers(") & Chr(")), "char_codes"),
            (format!("String.fromCharCode({})", numbers(",")), "char_codes"),
            (format!("[{}]", numbers(", ")), "char_codes"),
            (word.bytes().map(|b| format!("{b:08b} ")).collect(), "char_codes"),
            (BASE32_NOPAD.encode(b"password=kites").to_string(), "base32"),
            (format!("read {backwards} from the right"), "reversed"),
            (format!("rot13 of {rotated}"), "rot13"),
            ("<td>password</td> <td>kite</td>".into(), "cells"),
        ] {
            let all = read(&written);
            let found = all.iter().any(|(view, text)| *view == name && text.contains("kite"));
            assert!(found, "{written}: {all:?}");
        }
    }

    #[test]
    fn ordinary_text_is_read_once() {
        for text in [
            "In 2024 we sold 120 boxes, 97 bags and 64 crates at 35 dollars.",
            "HEADING: RELEASE NOTES OF VERSION 3",
            "let sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256];",
            "the password is asked for, the secret is kept",
            "a < b && c > d",
        ] {
            assert_eq!(read(text), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_places_stay_inside(
            text in "(?s)(drowssap|cnffjbeq|Chr\\(|[0-9]{1,6}|[A-Z2-7]{1,20}|<td>|</td>|<|>|é|漢|.){0,40}",
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
