//! Text in the one form that detectors look at, with the way back to where it stood.
//!
//! Full-width letters become ordinary ones, half-width kana full ones (NFKC),
//! and marks that cannot be seen are dropped. Takes time in proportion to the text.

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
        if text.is_ascii() || (is_nfkc(text) && !text.contains(is_unseen)) {
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
            pieces.push((normal.len(), start));
            if first.is_ascii() && chars.peek().is_none_or(|(_, next)| next.is_ascii()) {
                normal.push(first);
                continue;
            }
            // A letter is composed with the marks behind it, and with nothing else.
            let mut end = start + first.len_utf8();
            while let Some((at, mark)) = chars.next_if(|(_, c)| is_mark(*c)) {
                end = at + mark.len_utf8();
            }
            normal.extend(text[start..end].nfkc());
        }
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

fn is_mark(c: char) -> bool {
    is_combining_mark(c) || matches!(c, '\u{ff9e}' | '\u{ff9f}')
}

/// Marks of no width, soft hyphens and marks of direction.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
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
