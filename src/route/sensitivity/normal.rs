//! Text in the one form that detectors look at, with the way back to where it stood.
//!
//! Full-width letters become ordinary ones, half-width kana full ones (NFKC), marks
//! that cannot be seen are dropped, and letters of other scripts that stand in Latin
//! words become the ones they look like. Takes time in proportion to the text.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization, is_nfkc};

/// Normalised text.
#[derive(Debug)]
pub(super) struct Normal<'a> {
    text: Cow<'a, str>,
    /// Pairs of offsets, normalised and original, at which a new piece begins; none where nothing had to be done.
    pieces: Vec<(usize, usize)>,
    original_len: usize,
}

impl<'a> Normal<'a> {
    /// Normalises `text`.
    pub(super) fn of(text: &'a str) -> Self {
        if is_normal(text) {
            return Self {
                text: Cow::Borrowed(text),
                pieces: Vec::new(),
                original_len: text.len(),
            };
        }
        let mut normal = String::with_capacity(text.len());
        let mut pieces = Vec::new();
        let mut chars = text.char_indices().peekable();
        while let Some((start, first)) = chars.next() {
            if is_unseen(first) {
                continue;
            }
            if let Some(len) = colour(&text[start..]) {
                while chars.next_if(|(at, _)| *at < start + len).is_some() {}
                continue;
            }
            pieces.push((normal.len(), start));
            if is_settled(first) && chars.peek().is_none_or(|(_, next)| is_settled(*next)) {
                normal.push(first);
                continue;
            }
            // A letter is composed with the marks behind it, and with nothing else.
            let mut end = start + first.len_utf8();
            while let Some((at, mark)) = chars.next_if(|(_, c)| is_mark(*c)) {
                end = at + mark.len_utf8();
            }
            // A mark that made no letter of its own only strikes one out.
            // The mark of a secret paper is one, and no letter in a ring.
            if first == '㊙' {
                normal.push(first);
                continue;
            }
            let marked = text[start..end].nfkc();
            normal.extend(marked.filter(|c| !matches!(c, '\u{300}'..='\u{36f}') && !is_unseen(*c)));
        }
        fold_look_alikes(&mut normal, &mut pieces);
        Self { text: Cow::Owned(normal), pieces, original_len: text.len() }
    }

    /// The normalised text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where a stretch of the normalised text stood in the original.
    pub(super) fn span(&self, start: usize, end: usize) -> (usize, usize) {
        if self.pieces.is_empty() {
            return (start, end);
        }
        let before = self.pieces.partition_point(|(at, _)| *at <= start);
        let begin = before.checked_sub(1).map_or(0, |n| self.pieces[n].1);
        let after = self.pieces.partition_point(|(at, _)| *at < end);
        (begin, self.pieces.get(after).map_or(self.original_len, |(_, at)| *at))
    }
}

/// What terminals take for an order.
const ESCAPE: u8 = 0x1b;

/// The length of an order to a terminal to change its colour or the like, `ESC [ … m`.
fn colour(text: &str) -> Option<usize> {
    let order = text.strip_prefix("\u{1b}[")?;
    let len = order.find(|c: char| matches!(c, '@'..='~'))?;
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b';' | b'?' | b':' | b' ');
    order[..len].bytes().all(plain).then_some(len + 3)
}

/// Whether a letter stays as it is unless a mark follows it: those of which most texts are made.
fn is_settled(c: char) -> bool {
    matches!(c, '\u{1}'..='\u{7f}' | '\u{3001}'..='\u{3029}' | 'ぁ'..='ゖ' | 'ァ'..='ヾ' | '一'..='\u{9fff}')
}

fn is_mark(c: char) -> bool {
    is_combining_mark(c) || matches!(c, '\u{ff9e}' | '\u{ff9f}')
}

/// Marks of no width, soft hyphens, marks of direction, and the zeros of wide encodings.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\0' | '\u{ad}' | '\u{20e3}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether nothing need be done: the common case, found out at the speed of reading.
fn is_normal(text: &str) -> bool {
    if text.is_ascii() {
        return !text.bytes().any(|b| matches!(b, b'\0' | ESCAPE));
    }
    let odd =
        |c: char| is_unseen(c) || matches!(c, '\u{300}'..='\u{36f}') || look_alike(c).is_some();
    let mut unsettled = unsettled(text).peekable();
    unsettled.peek().is_none() || !unsettled.any(odd) && is_nfkc(text)
}

/// The letters of a text that do not stay as they are; those of ASCII are passed as bytes.
fn unsettled(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let plain = plain_len(rest.as_bytes());
            let c = rest[plain..].chars().next()?;
            rest = &rest[plain + c.len_utf8()..];
            if !is_settled(c) {
                return Some(c);
            }
        }
    })
}

/// How many bytes of ASCII but zero a text begins with, found out many at a time.
fn plain_len(bytes: &[u8]) -> usize {
    let is_plain = |b: &u8| (1..0x80).contains(b);
    let (chunks, _) = bytes.as_chunks::<16>();
    let many =
        chunks.iter().take_while(|chunk| chunk.iter().map(is_plain).fold(true, |a, b| a & b));
    let many = 16 * many.count();
    many + bytes[many..].iter().take_while(|b| is_plain(b)).count()
}

/// Letters of other scripts that look like Latin ones, and those.
const LOOK_ALIKES: &[(&str, &str)] = &[
    (
        "асԁеһіјӏорԛѕԝхуѵкмтвнгзьАВЕКМНОРСТХУІЈЅԌҮӀԚԜ",
        "acdehijlopqswxyvkmtbhr3bABEKMHOPCTXYIJSGYIQW",
    ),
    ("αβγεηικνορτυχωΑΒΕΖΗΙΚΜΝΟΡΤΥΧϲϳ", "abyenikvoptuxwABEZHIKMNOPTYXcj"),
    ("ıİɑɡɩʟɴʀᴀᴄᴅᴇᴋᴍᴏᴘᴛᴜᴠᴡᴢꜱʏʜɪʙɢƅƽȷǝ", "iIagilnracdekmoptuvwzsyhibgbsje"),
    ("ՏօոսհցԱꓲꓑꓢꓪꓳꓡ", "SonuhgUIPSWOL"),
];

/// The Latin letter that a letter of another script looks like.
fn look_alike(c: char) -> Option<char> {
    if c.is_ascii()
        || c > '\u{ffff}'
        || matches!(c, '\u{2000}'..='\u{a4cf}' | '\u{ac00}'..='\u{ffff}')
    {
        return None;
    }
    LOOK_ALIKES.iter().find_map(|(from, to)| {
        let at = from.chars().position(|other| other == c)?;
        to.chars().nth(at)
    })
}

/// Puts Latin letters for those that look like them, in words that mix scripts
/// or that are made of such letters alone.
fn fold_look_alikes(text: &mut String, pieces: &mut Vec<(usize, usize)>) {
    if !text.chars().any(|c| look_alike(c).is_some()) {
        return;
    }
    let (mut folded, mut moved) =
        (String::with_capacity(text.len()), Vec::with_capacity(pieces.len()));
    let mut old = pieces.iter().peekable();
    for (start, word) in words(text) {
        let letters = || word.chars().filter(|c| c.is_alphabetic());
        let mixed = letters().any(|c| c.is_ascii())
            || (letters().count() > 3 && letters().all(|c| look_alike(c).is_some()));
        for (at, c) in word.char_indices() {
            while let Some((from, original)) = old.next_if(|(from, _)| *from <= start + at) {
                let _ = from;
                moved.push((folded.len(), *original));
            }
            folded.push(if mixed { look_alike(c).unwrap_or(c) } else { c });
        }
    }
    (*text, *pieces) = (folded, moved);
}

/// Runs of letters, and what is between them, each with its place.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let is_letter = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '@');
        let first = rest.chars().next().is_some_and(is_letter);
        let end = rest.find(|c: char| is_letter(c) != first).unwrap_or(rest.len());
        start += end;
        Some((start - end, &rest[..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wide_letters_become_ordinary_and_know_where_they_stood() {
        let text = "あｐａｓｓ\u{200b}word：x";
        let normal = Normal::of(text);
        assert_eq!(normal.text(), "あpassword:x");
        let at = normal.text().find("password").unwrap();
        let (start, end) = normal.span(at, at + 8);
        assert_eq!(&text[start..end], "ｐａｓｓ\u{200b}word");
    }

    #[test]
    fn half_width_kana_are_composed() {
        assert_eq!(Normal::of("ﾊﾟｽﾜｰﾄﾞ").text(), "パスワード");
    }

    #[test]
    fn letters_that_look_alike_are_folded_in_mixed_words_alone() {
        let cyrillic = "p\u{430}ssw\u{43e}rd";
        assert_eq!(Normal::of(cyrillic).text(), "password");
        assert_eq!(Normal::of("\u{3c1}assword").text(), "password");
        assert_eq!(Normal::of("пароль и вход").text(), "пароль и вход");
        assert_eq!(Normal::of("p\u{336}a\u{336}ss").text(), "pass");
        assert_eq!(Normal::of("p\0a\0ss").text(), "pass");
        let text = "漢 p\u{430}ss x";
        let normal = Normal::of(text);
        let at = normal.text().find("pass").unwrap();
        let (start, end) = normal.span(at, at + 4);
        assert_eq!(&text[start..end], "p\u{430}ss");
    }

    #[test]
    fn a_settled_letter_is_its_own_normal_form_and_no_mark() {
        for c in ('\0'..=char::MAX).filter(|c| is_settled(*c)) {
            assert!(is_nfkc(c.encode_utf8(&mut [0; 4])) && !is_mark(c), "{c}");
            assert!(!is_unseen(c) && look_alike(c).is_none(), "{c}");
        }
    }

    #[test]
    fn each_look_alike_has_its_letter() {
        for (from, to) in LOOK_ALIKES {
            assert_eq!(from.chars().count(), to.chars().count(), "{from}");
        }
    }

    proptest! {
        #[test]
        fn spans_stay_inside_the_text(text in any::<String>(), a in 0usize..40, b in 0usize..40) {
            let normal = Normal::of(&text);
            let cut = |n: usize| crate::base::words::boundary(normal.text(), n);
            let (start, end) = normal.span(cut(a.min(b)), cut(a.max(b)));
            prop_assert!(start <= text.len() && end <= text.len());
            prop_assert!(text.is_char_boundary(start) && text.is_char_boundary(end));
        }
    }
}
