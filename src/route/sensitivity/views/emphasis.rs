//! Words that Markdown sets apart by lines below: `_word_`, `__word__`.
//!
//! The line counts as a letter of a word elsewhere, so that a key between two of them begins no word.
//! Programs have such names, too, and so only what is strong evidence by itself counts there.

use super::{View, Writer};

/// The furthest that one mark stands from the other.
const LONGEST: usize = 400;

/// Text without the marks.
pub(super) fn undone(text: &str) -> Option<View> {
    let mut writer = Writer::new(text);
    let bytes = text.as_bytes();
    let (mut open, mut at) = (None, 0);
    while let Some(found) = memchr::memchr2(b'_', b'\n', &bytes[at..]) {
        let start = at + found;
        if bytes[start] == b'\n' {
            (open, at) = (None, start + 1);
            continue;
        }
        let end = start + bytes[start..].iter().take_while(|b| **b == b'_').count();
        at = end;
        let before = text[..start].chars().next_back();
        let after = text[end..].chars().next();
        let (begins, ends) =
            (is_edge(before) && !is_edge(after), !is_edge(before) && is_edge(after));
        match open.take() {
            Some((from, to)) if ends && to - from == end - start && start - to <= LONGEST => {
                writer.replace(from..to, "");
                writer.replace(start..end, "");
            }
            // One that is no end may be a letter in between.
            still if !begins => open = still,
            _ => open = Some((start, end)),
        }
    }
    writer.view("emphasis", true)
}

/// Whether a mark that stands beside this stands at the edge of a word.
fn is_edge(c: Option<char>) -> bool {
    c.is_none_or(|c| c.is_whitespace() || ".,;:!?()[]{}<>*~\"'`|。、「」『』（）".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_around_words_go_and_those_within_stay() {
        for (written, plain) in [
            ("_key_", "key"),
            ("the __key one__, and", "the key one, and"),
            ("(_snake_case_)", "(snake_case)"),
            ("**_key_**", "**key**"),
            ("a _b_ c _d_", "a b c d"),
        ] {
            assert_eq!(undone(written).map(|view| view.text).as_deref(), Some(plain), "{written}");
        }
        for text in ["snake_case", "_private = 1", "__init__x", "_a\nb_", "_ a _", "a_ _b", "_a__"]
        {
            assert!(undone(text).is_none(), "{text}");
        }
    }
}
