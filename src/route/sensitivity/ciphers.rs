//! Texts that are hidden by habit rather than by art: written backwards, by ROT13, as
//! the numbers of their letters, in base32, with digits for letters, or cell by cell.
//!
//! Each of them shows itself by a sign of its own (a word backwards, a row of numbers,
//! a tag), so that ordinary text costs one look.

use std::ops::Range;
use std::sync::LazyLock;

use data_encoding::BASE32_NOPAD;

use super::blocks::lines;
use super::cues::{Cues, Stands};
use super::views::{View, hex_pair, raw_run, text_of};

/// Names of secrets, written backwards and by ROT13.
/// Two of the second list are as good as one of the first.
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

const BACKWARDS_WEAK: &[&str] = &[
    " eht ",
    " si ",
    " ruoy",
    " ym ",
    " rof ",
    " dna ",
    " htiw ",
    "tnuocca",
    "nigol",
    "rebmun",
    "yek ",
    "sserdda",
    "enohp",
    "drac ",
    "revres",
    "yralas",
    "tneitap",
    "remotsuc",
    "すでは",
    "のそ",
    "はちら",
];
const ROTATED_WEAK: &[&str] = &[
    " vf ", " naq ", " sbe ", " lbhe ", " bhe ", " zl ", " jvgu ", " ba ", " vg ", " jvyy ",
    "ybtva", "nppbhag", "ahzore", "nqqerff", "hfre", "freire", "fnynel", "cngvrag", "phfgbzre",
    "xrl ", " qrfh", "jneqb", "onatbh",
];

/// How far two words may stand apart that show together in which way a text is hidden.
const NEAR: usize = 160;
/// How much of the text around such words is read so.
const AROUND: usize = 2000;

/// The words that show in which way a text is hidden, those of each way in two lists.
struct Signs {
    cues: Cues,
    /// Where each list ends.
    ends: [usize; 4],
}

static SIGNS: LazyLock<Signs> = LazyLock::new(|| {
    let lists = [BACKWARDS, BACKWARDS_WEAK, ROTATED, ROTATED_WEAK];
    let words = lists.iter().flat_map(|list| list.iter());
    let cues = Cues::new(words.map(|word| (*word, Stands::Anywhere)));
    let mut end = 0;
    let ends = lists.map(|list| {
        end += list.len();
        end
    });
    Signs { cues, ends }
});

impl Signs {
    /// Which parts of a text are written backwards, and which by ROT13, as far as words show it.
    fn shown(&self, text: &str) -> [Option<Range<usize>>; 2] {
        let mut shown: [Option<Range<usize>>; 2] = [None, None];
        let mut weak = [None; 2];
        self.cues.each(text, |hit| {
            let list = self.ends.iter().take_while(|end| **end <= hit.word).count();
            let (way, is_strong) = (list / 2, list % 2 == 0);
            let is_near = |(word, at)| word != hit.word && hit.start - at <= NEAR;
            if is_strong || weak[way].is_some_and(is_near) {
                let from = crate::base::words::boundary(text, hit.start.saturating_sub(AROUND));
                let to = crate::base::words::boundary(text, hit.end + AROUND);
                shown[way].get_or_insert(from..to).end = to;
            }
            weak[way] = Some((hit.word, hit.start));
        });
        shown
    }
}

/// Adds the ways to read `text` that such signs ask for.
pub(super) fn views(text: &str, views: &mut Vec<View>) {
    let [backwards, rotated] = SIGNS.shown(text);
    if let Some(at) = backwards {
        let turned: String = text[at.clone()].chars().rev().collect();
        views.push(View::of_stretch("reversed", turned, at));
    }
    if let Some(at) = rotated {
        let turned: String = text[at.clone()].chars().map(rot13).collect();
        views.push(View::of_stretch("rot13", turned, at));
    }
    char_codes(text, views);
    base32(text, views);
    escaped_runs(text, views);
    hexdump(text, views);
    views.extend(leet(text));
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
        if self.text.is_empty() {
            return;
        }
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
    if !has_run(bytes, SHORTEST_BASE32, part) {
        return;
    }
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

/// Whether so many bytes of a kind stand together. Most of a text is passed over unread: a run
/// holds one of each so many bytes.
fn has_run(bytes: &[u8], length: usize, kind: impl Fn(&u8) -> bool) -> bool {
    let mut last = length - 1;
    while let Some(byte) = bytes.get(last) {
        if kind(byte) {
            let before =
                bytes[last + 1 - length..last].iter().rev().take_while(|b| kind(b)).count();
            let behind = bytes[last + 1..].iter().take(length).take_while(|b| kind(b)).count();
            if before + 1 + behind >= length {
                return true;
            }
        }
        last += length;
    }
    false
}

/// `\x70\x61…`: a literal that is escaped letter by letter, by itself.
fn escaped_runs(text: &str, views: &mut Vec<View>) {
    let mut at = 0;
    while let Some(n) = text[at..].find('\\') {
        let start = at + n;
        if text.as_bytes().get(start + 1) != Some(&b'x') {
            at = start + 1;
            continue;
        }
        let (len, raw) = raw_run(text, start, "\\x");
        let end = start + len;
        at = end.max(start + 2);
        if raw.len() >= FEWEST_CODES
            && let Some(text) = text_of(&raw, false)
        {
            views.push(View::of_stretch("hex", text, start..end));
        }
    }
}

/// The lines of a dump, each an address, up to sixteen bytes in hex and what they look like.
fn hexdump(text: &str, views: &mut Vec<View>) {
    let (mut raw, mut whole): (Vec<u8>, Option<Range<usize>>) = (Vec::new(), None);
    for (here, line) in lines(text) {
        if let Some(bytes) = dumped(line) {
            raw.extend(bytes);
            whole.get_or_insert(here.clone()).end = here.end;
        }
    }
    if let Some(whole) = whole
        && let Some(text) = text_of(&raw, true)
    {
        views.push(View::of_stretch("hex", text, whole));
    }
}

/// The bytes of a line of a dump.
fn dumped(line: &str) -> Option<Vec<u8>> {
    let before = line.bytes().take_while(|b| matches!(b, b' ' | b'>' | b'|')).count();
    let line = &line[before..];
    let address = line.bytes().take_while(u8::is_ascii_hexdigit).count();
    if !(4..=8).contains(&address) {
        return None;
    }
    let rest = line[address..].trim_start_matches(':').trim_start_matches(' ');
    let mut raw = Vec::new();
    // The bytes end where what they look like begins.
    for group in rest.split(' ').filter(|group| !group.is_empty()) {
        let is_hex =
            matches!(group.len(), 2 | 4 | 8) && group.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_hex || raw.len() >= 16 {
            break;
        }
        raw.extend(group.as_bytes().chunks(2).filter_map(hex_pair));
    }
    (raw.len() >= 2).then_some(raw)
}

/// Names of secrets that are written with digits for letters.
const LEET: &[&str] = &[
    "password",
    "passwords",
    "passwort",
    "passphrase",
    "passcode",
    "pass",
    "secret",
    "secrets",
    "token",
    "apikey",
    "login",
    "code",
    "admin",
    "account",
    "credentials",
    "private",
    "confidential",
    "salary",
    "patient",
    "server",
];

/// Lines with such a name, with letters again where digits stand for them.
fn leet(text: &str) -> Option<View> {
    let names = |line: &str| {
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '@' && c != '$');
        words.any(|word| {
            word.len() >= 4
                && word.bytes().any(|b| b.is_ascii_digit())
                && LEET.iter().any(|name| spells(word, name))
        })
    };
    // A line without a word of digits and letters is passed at once.
    let may = |line: &str| {
        let bytes = line.as_bytes();
        bytes.windows(2).any(|two| two[0].is_ascii_digit() && two[1].is_ascii_alphabetic())
    };
    let (mut out, mut whole): (String, Option<Range<usize>>) = (String::new(), None);
    for (here, line) in lines(text) {
        if may(line) && names(line) {
            out.push_str(&read_leet(line));
            whole.get_or_insert(here.clone()).end = here.end;
        }
    }
    Some(View::of_stretch("leet", out, whole?))
}

/// Whether a word of letters and digits, read so, is this name.
fn spells(word: &str, name: &str) -> bool {
    let letters = || word.bytes().any(|b| b.is_ascii_alphabetic());
    let is = |(b, wanted): (u8, u8)| as_letter(b).to_ascii_lowercase() == wanted;
    word.len() == name.len() && word.bytes().zip(name.bytes()).all(is) && letters()
}

/// The letter that a digit or a sign looks like.
fn as_letter(sign: u8) -> u8 {
    match sign {
        b'0' => b'o',
        b'1' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        other => other,
    }
}

/// Digits in words as the letters that they look like; numbers of digits alone stay.
fn read_leet(line: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '$');
    let mut out = String::with_capacity(line.len());
    for word in line.split_inclusive(|c: char| !is_part(c)) {
        let letters = word.chars().any(|c| c.is_ascii_alphabetic());
        let read = |c: char| match u8::try_from(c) {
            Ok(sign) if letters && c.is_ascii() => char::from(as_letter(sign)),
            _ => c,
        };
        out.extend(word.chars().map(read));
    }
    out
}

/// Cells of a table or a list of terms, which stand side by side without a sign:
/// `<td>name</td><td>value</td>` as `name: value`. Lines without any are left out, but for those
/// next to one.
fn cells(text: &str) -> Option<View> {
    const TAGS: &[&str] = &["td>", "th>", "dt>", "label>", "b>", "strong>"];
    let has_cell = |line: &str| {
        line.match_indices("</").any(|(at, _)| {
            let name = &line.as_bytes()[at + 2..];
            let is = |tag: &&str| {
                name.get(..tag.len()).is_some_and(|it| it.eq_ignore_ascii_case(tag.as_bytes()))
            };
            TAGS.iter().any(is)
        })
    };
    if !text.contains("</") {
        return None;
    }
    let cells: Vec<bool> = lines(text).map(|(_, line)| has_cell(line)).collect();
    let is_near = |n: usize| cells[n.saturating_sub(1)..cells.len().min(n + 2)].contains(&true);
    let (mut out, mut whole): (String, Option<Range<usize>>) = (String::new(), None);
    for (n, (here, line)) in lines(text).enumerate() {
        if is_near(n) {
            without_tags(line, &mut out);
            whole.get_or_insert(here.clone()).end = here.end;
        }
    }
    Some(View::of_stretch("cells", out, whole?))
}

fn without_tags(line: &str, out: &mut String) {
    let mut rest = line;
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
            (word.bytes().map(|b| format!("\\x{b:02x}")).collect(), "hex"),
            ("7h3 p455w0rd 1s k1te".into(), "leet"),
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
        fn a_run_is_seen_wherever_it_stands(text in "[aB]{0,40}") {
            for length in 1..9 {
                let is_there = text.contains(&"B".repeat(length));
                prop_assert_eq!(has_run(text.as_bytes(), length, |b| *b == b'B'), is_there);
            }
        }

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
