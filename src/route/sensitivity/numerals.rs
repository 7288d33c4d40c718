//! Numbers that are written otherwise than in digits, and letters that are told by signals.
//!
//! "five five zero", いち、なな、ゼロ, 参五六七, one group a line, Morse. Whoever reads them
//! aloud or copies them out has the number again, and so does the reader of this view.

use std::ops::Range;

use super::views::View;

/// The fewest digits in a row that are read as a number.
const FEWEST_DIGITS: usize = 7;
/// The fewest digits that stand alone on their lines.
const FEWEST_IN_LINES: usize = 9;
/// The most digits of one such line.
const LONGEST_GROUP: usize = 6;
/// The fewest signals that are read as Morse.
const FEWEST_SIGNALS: usize = 8;
/// How much of the text before and behind such a number is read with it.
const AROUND: usize = 120;

const ENGLISH: &[(&str, u8)] = &[
    ("zero", b'0'),
    ("oh", b'0'),
    ("nought", b'0'),
    ("one", b'1'),
    ("two", b'2'),
    ("three", b'3'),
    ("four", b'4'),
    ("five", b'5'),
    ("six", b'6'),
    ("seven", b'7'),
    ("eight", b'8'),
    ("nine", b'9'),
];

const KANA: &[(&str, u8)] = &[
    ("ゼロ", b'0'),
    ("れい", b'0'),
    ("まる", b'0'),
    ("マル", b'0'),
    ("いち", b'1'),
    ("イチ", b'1'),
    ("に", b'2'),
    ("ニ", b'2'),
    ("さん", b'3'),
    ("サン", b'3'),
    ("よん", b'4'),
    ("ヨン", b'4'),
    ("し", b'4'),
    ("ご", b'5'),
    ("ゴ", b'5'),
    ("ろく", b'6'),
    ("ロク", b'6'),
    ("なな", b'7'),
    ("ナナ", b'7'),
    ("しち", b'7'),
    ("はち", b'8'),
    ("ハチ", b'8'),
    ("きゅう", b'9'),
    ("キュウ", b'9'),
    ("く", b'9'),
];

/// How letters and digits are signalled, each after a blank.
const MORSE: &str = "a.- b-... c-.-. d-.. e. f..-. g--. h.... i.. j.--- k-.- l.-.. m-- n-. o--- p.--. q--.- r.-. s... t- \
    u..- v...- w.-- x-..- y-.-- z--.. 0----- 1.---- 2..--- 3...-- 4....- 5..... 6-.... 7--... 8---.. 9----.";

/// Adds the views of such numbers and signals in a text.
pub(super) fn views(text: &str, views: &mut Vec<View>) {
    if may_speak_digits(text.as_bytes()) {
        views.extend(runs(text, english, |b| b.is_ascii_alphabetic()));
    }
    if !text.is_ascii() {
        views.extend(runs(text, kana, |b| b >= 0xc0));
        views.extend(runs(text, kanji, |b| b >= 0xc0));
    }
    views.extend(lines(text));
    views.extend(morse(text));
}

/// Whether words stand side by side in a text that may be digits: with `o`, `e`, `i` or `h` as their
/// second letters and a blank behind five letters at most.
fn may_speak_digits(bytes: &[u8]) -> bool {
    let mut row = 0;
    for word in bytes.split(|byte| !byte.is_ascii_alphabetic()) {
        row = match word {
            [] => row,
            [first, second, ..] if word.len() <= 6 && is_digit_like(*first, *second) => row + 1,
            _ => 0,
        };
        if row >= FEWEST_DIGITS {
            return true;
        }
    }
    false
}

/// Whether a word that begins so may be the name of a digit.
fn is_digit_like(first: u8, second: u8) -> bool {
    matches!(
        (first.to_ascii_lowercase(), second.to_ascii_lowercase()),
        (b'z', b'e')
            | (b'o', b'h' | b'n')
            | (b'n', b'o' | b'i')
            | (b't', b'w' | b'h')
            | (b'f', b'o' | b'i')
            | (b's', b'i' | b'e')
            | (b'e', b'i')
            | (b'd', b'a')
    )
}

/// A sign that a text begins with: what it says, and its length.
type Sign = (char, usize);

/// The rows of digits, written out, each with what stands around it; their signs begin with such bytes.
fn runs(
    text: &str,
    next: impl Fn(&str) -> Option<Sign>,
    begins: impl Fn(u8) -> bool,
) -> Option<View> {
    let bytes = text.as_bytes();
    let (mut out, mut whole): (String, Option<Range<usize>>) = (String::new(), None);
    let mut at = 0;
    while let Some(n) = bytes[at..].iter().position(|b| begins(*b)) {
        at += n;
        // A letter behind a letter begins no sign.
        let goes_on = bytes[at].is_ascii() && at > 0 && bytes[at - 1].is_ascii_alphanumeric();
        if goes_on {
            at += 1;
            continue;
        }
        let Some((digits, len)) = row(&text[at..], &next) else {
            at += 1;
            continue;
        };
        let end = at + len;
        out.extend([before(text, at), &digits, behind(text, end), "\n"]);
        whole.get_or_insert(at..end).end = end;
        at = end;
    }
    Some(View::of_stretch("numerals", out, whole?))
}

/// A row of digits that a text begins with, and its length.
fn row(text: &str, next: &impl Fn(&str) -> Option<Sign>) -> Option<(String, usize)> {
    let mut sign = Some(next(text)?);
    let (mut out, mut at, mut end) = (String::new(), 0, 0);
    while let Some((digit, len)) = sign {
        out.push(digit);
        at += len;
        if digit.is_ascii_digit() {
            end = at;
        }
        at += gap(&text[at..]);
        sign = next(&text[at..]);
    }
    let count = out.bytes().filter(u8::is_ascii_digit).count();
    (count >= FEWEST_DIGITS).then(|| (out.trim_end_matches('-').to_owned(), end))
}

/// What may stand between two digits of a row.
fn gap(rest: &str) -> usize {
    let signs = |c: char| matches!(c, ' ' | ',' | '、' | '・' | '　' | '-' | '.' | '\n');
    let len = rest.find(|c| !signs(c)).unwrap_or(rest.len());
    if len > 3 { 0 } else { len }
}

/// A digit as it is said in English, in a word of its own.
fn english(rest: &str) -> Option<Sign> {
    let first = rest.as_bytes().first()?.to_ascii_lowercase();
    if !matches!(first, b'z' | b'o' | b'n' | b't' | b'f' | b's' | b'e' | b'd') {
        return None;
    }
    let len = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let word = &rest[..len];
    if word.eq_ignore_ascii_case("dash") {
        return Some(('-', len));
    }
    let (_, digit) = ENGLISH.iter().find(|(name, _)| name.eq_ignore_ascii_case(word))?;
    Some((char::from(*digit), len))
}

/// The same in Japanese, where it stands apart: いち、なな. In a sentence it is part of a word.
fn kana(rest: &str) -> Option<Sign> {
    let is_first = |c: &char| {
        matches!(
            c,
            'ゼ' | 'れ'
                | 'ま'
                | 'マ'
                | 'い'
                | 'イ'
                | 'に'
                | 'ニ'
                | 'さ'
                | 'サ'
                | 'よ'
                | 'ヨ'
                | 'し'
                | 'ご'
                | 'ゴ'
                | 'ろ'
                | 'ロ'
                | 'な'
                | 'ナ'
                | 'は'
                | 'ハ'
                | 'き'
                | 'キ'
                | 'く'
        )
    };
    let first = rest.chars().next().filter(is_first)?;
    let named = KANA.iter().filter(|(name, _)| name.starts_with(first) && rest.starts_with(name));
    let (name, digit) = named.max_by_key(|(name, _)| name.len())?;
    let after = rest[name.len()..].chars().next();
    let apart = |c| matches!(c, '、' | '・' | ' ' | ',' | '　' | 'の' | 'で' | '。');
    after.is_none_or(apart).then(|| (char::from(*digit), name.len()))
}

/// A digit of Japanese, as it is written every day or in contracts.
fn kanji(rest: &str) -> Option<Sign> {
    let first = rest.chars().next()?;
    let digit = match first {
        '〇' | '零' => '0',
        '一' | '壱' | '壹' | '弌' => '1',
        '二' | '弐' | '貳' => '2',
        '三' | '参' | '參' => '3',
        '四' | '肆' => '4',
        '五' | '伍' => '5',
        '六' | '陸' => '6',
        '七' | '漆' => '7',
        '八' | '捌' => '8',
        '九' | '玖' => '9',
        _ => return None,
    };
    Some((digit, first.len_utf8()))
}

/// Lines that hold a few digits and nothing else, as one number in groups.
fn lines(text: &str) -> Option<View> {
    let (mut out, mut range): (String, Option<Range<usize>>) = (String::new(), None);
    let (mut at, mut run): (usize, Vec<Range<usize>>) = (0, Vec::new());
    let mut close = |run: &mut Vec<Range<usize>>| {
        let digits: usize = run.iter().map(ExactSizeIterator::len).sum();
        if let [first, .., last] = &run[..]
            && digits >= FEWEST_IN_LINES
        {
            let whole = first.start..last.end;
            let groups: Vec<&str> = run.iter().map(|group| &text[group.clone()]).collect();
            out.push_str(before(text, whole.start));
            out.push_str(&groups.join(" "));
            out.push_str(behind(text, whole.end));
            out.push('\n');
            range.get_or_insert(whole.clone()).end = whole.end;
        }
        run.clear();
    };
    let begins_line = |at: usize| text.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit);
    if !text.match_indices('\n').any(|(at, _)| begins_line(at)) {
        return None;
    }
    for line in text.split_inclusive('\n') {
        let group = line.trim();
        let start = at + line.len() - line.trim_start().len();
        at += line.len();
        let is_group = !group.is_empty()
            && group.len() <= LONGEST_GROUP
            && group.bytes().all(|b| b.is_ascii_digit());
        match is_group {
            true => run.push(start..start + group.len()),
            false if !run.is_empty() => close(&mut run),
            false => {}
        }
    }
    close(&mut run);
    Some(View::of_stretch("numerals", out, range?))
}

/// Signals of points and dashes, in small letters.
fn morse(text: &str) -> Option<View> {
    let is_signal = |b: &u8| matches!(b, b'.' | b'-' | b' ' | b'/' | b'|');
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(n) = bytes[at..].iter().position(|b| matches!(b, b'.' | b'-')) {
        let start = at + n;
        let end = start + bytes[start..].iter().take_while(|b| is_signal(b)).count();
        at = end;
        // So many signals and the blanks between them would be longer.
        if end - start < 2 * FEWEST_SIGNALS - 1 {
            continue;
        }
        let (mut out, mut signals) = (String::new(), 0);
        for token in text[start..end].split(' ') {
            match letter(token) {
                Some(letter) => {
                    out.push(letter);
                    signals += 1;
                }
                None if matches!(token, "/" | "|" | "") => out.push(' '),
                None => {}
            }
        }
        if signals >= FEWEST_SIGNALS {
            return Some(View::of_stretch("morse", out, start..end));
        }
    }
    None
}

fn letter(token: &str) -> Option<char> {
    if token.is_empty() || token.len() > 5 {
        return None;
    }
    let known = MORSE.split_ascii_whitespace().find(|known| &known[1..] == token)?;
    known.chars().next()
}

/// What stands before a place, in its line or the one above.
fn before(text: &str, at: usize) -> &str {
    &text[crate::base::words::boundary(text, at.saturating_sub(AROUND))..at]
}

fn behind(text: &str, at: usize) -> &str {
    &text[at..crate::base::words::boundary(text, at.saturating_add(AROUND))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        views(text, &mut all);
        all.into_iter().map(|view| (view.name, view.text.trim_end().to_owned())).collect()
    }

    #[test]
    fn numbers_are_read_however_they_are_written() {
        for (written, shown) in [
            ("it is five five zero dash seven two dash two five three nine.", "it is 550-72-2539."),
            ("番号はいち、なな、ゼロ、ろく、はち、ご、ろく、にです", "番号は1706856"),
            ("カード参五六七六壱四六八七七、名義", "カード35676146877、名義"),
            ("Number\n3561\n6968\n3232\nthru", "Number\n3561 6968 3232\nthru"),
        ] {
            let all = read(written);
            assert!(all.iter().any(|(_, text)| text.contains(shown)), "{written}: {all:?}");
        }
        let signals = "it said .--. .. -. / .. ... / -.... ---.. ..... ---.. today";
        assert_eq!(read(signals), [("morse", "pin is 6858 ".trim_end().to_owned())]);
    }

    #[test]
    fn ordinary_text_has_no_such_view() {
        for text in [
            "one or two of the three, then four more",
            "二〇二六年十一月二十六日",
            "12\n13\n\n14 apples",
            "wait ... - and -- then",
            "ここにいる、しかし、くるまで",
            "1\n2\n3\n4",
        ] {
            assert_eq!(read(text), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_places_stay_inside(
            text in "(?s)(five|zero|dash|いち|、|参|〇|3561|\n|\\.-|-\\.\\.| |/|é|漢|.){0,40}",
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
