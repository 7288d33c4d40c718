//! The other texts that a text can be read as.
//!
//! Percent signs, entities, backslashes and the equals signs of mail undone; string literals and split words
//! joined; spaced-out letters closed up; hex and base64 decoded where the outcome
//! is text, also where that text was packed. A picture decodes to no text and has no view.
//!
//! All views of a text together are at most a few times as long as the text, and
//! making them takes time in proportion to it.

mod apart;
mod blobs;
mod emphasis;
mod escapes;
mod lines;
mod literals;

use std::ops::Range;

pub(super) use blobs::{hex_pair, text_of};
pub(super) use escapes::raw_run;

use crate::base::words;

/// A text read in another way.
#[derive(Debug)]
pub(super) struct View {
    /// How: `base64`, `percent`, `joined`…
    pub(super) name: &'static str,
    /// What it says then.
    pub(super) text: String,
    /// Whether words were put together that may not belong together, so that only strong evidence counts.
    pub(super) glued: bool,
    from: From,
}

/// Where a view's bytes stood.
#[derive(Debug)]
enum From {
    /// All of it in this stretch.
    Stretch(Range<usize>),
    /// Pairs of offsets, in the view and in the text, from which on both go on alike.
    Pieces(Vec<(usize, usize)>, usize),
}

impl View {
    /// A view of a stretch that reads otherwise as a whole.
    pub(super) fn of_stretch(name: &'static str, text: String, at: Range<usize>) -> Self {
        Self { name, text, glued: false, from: From::Stretch(at) }
    }

    /// Where a stretch of the view stood in the text that it is a view of.
    pub(super) fn origin(&self, at: &Range<usize>) -> Range<usize> {
        match &self.from {
            From::Stretch(stretch) => stretch.clone(),
            From::Pieces(pieces, len) => {
                let place = |at: usize| {
                    let n = pieces.partition_point(|(own, _)| *own <= at);
                    n.checked_sub(1).map_or(at, |n| pieces[n].1 + (at - pieces[n].0)).min(*len)
                };
                let start = place(at.start);
                start..place(at.end.saturating_sub(1)).saturating_add(1).clamp(start, *len)
            }
        }
    }
}

/// All other ways to read `text`, each made when it is asked for: no two of the long ones are held
/// at once.
pub(super) fn of(text: &str) -> impl Iterator<Item = View> + '_ {
    const WAYS: [fn(&str) -> Option<View>; 6] = [
        escapes::undone,
        emphasis::undone,
        literals::joined,
        lines::joined,
        lines::hard_wrapped,
        apart::closed_up,
    ];
    let decoded = std::iter::once_with(move || {
        let mut views = Vec::new();
        blobs::views(text, &mut views);
        super::ciphers::views(text, &mut views);
        super::numerals::views(text, &mut views);
        super::pieces::views(text, &mut views);
        views
    });
    WAYS.into_iter().filter_map(move |way| way(text)).chain(decoded.flatten())
}

/// Whether a text holds another that would have to be decoded to be seen.
pub(super) fn hides_more(text: &str) -> bool {
    let mut views = Vec::new();
    blobs::views(text, &mut views);
    views.iter().any(|view| view.text.len() >= blobs::SHORTEST)
}

/// How much of the text around a change is read with it, and then to the ends of the lines.
const BEFORE: usize = 120;
const AFTER: usize = 240;
/// How far the end of a line is looked for.
const LONGEST_LINE: usize = 100;

/// A view of the parts of a text that read otherwise, with what stands around them.
///
/// What is far from every change was read before, in the text itself, and is left out.
struct Writer<'a> {
    source: &'a str,
    changes: Vec<(Range<usize>, String)>,
    /// Where the last change ended.
    copied: usize,
}

impl<'a> Writer<'a> {
    fn new(source: &'a str) -> Self {
        Self { source, changes: Vec::new(), copied: 0 }
    }

    /// Puts `new` in the place of a stretch of the source.
    fn replace(&mut self, at: Range<usize>, new: &str) {
        self.copied = at.end;
        self.changes.push((at, new.to_owned()));
    }

    fn view(self, name: &'static str, glued: bool) -> Option<View> {
        if self.changes.is_empty() {
            return None;
        }
        let (mut text, mut pieces) = (String::new(), Vec::new());
        let mut copied = None;
        for (n, (at, new)) in self.changes.iter().enumerate() {
            let from = match copied {
                Some(end) if self.back_from(at.start) <= end => end,
                _ => {
                    if copied.is_some() {
                        text.push('\n');
                    }
                    self.back_from(at.start)
                }
            };
            pieces.push((text.len(), from));
            text.push_str(&self.source[from..at.start]);
            pieces.push((text.len(), at.start));
            text.push_str(new);
            pieces.push((text.len(), at.end));
            // What follows is written with the next change, where that is near.
            let next = self.changes.get(n + 1).map(|(next, _)| self.back_from(next.start));
            let end = self.ahead_of(at.end);
            copied = Some(match next {
                Some(next) if next <= end => at.end,
                _ => {
                    text.push_str(&self.source[at.end..end]);
                    end
                }
            });
        }
        Some(View { name, text, glued, from: From::Pieces(pieces, self.source.len()) })
    }

    /// The beginning of the line that is well before a change.
    fn back_from(&self, at: usize) -> usize {
        let near = words::boundary(self.source, at.saturating_sub(BEFORE));
        let far = words::boundary(self.source, near.saturating_sub(LONGEST_LINE));
        self.source[far..near].rfind('\n').map_or(if far == 0 { 0 } else { near }, |n| far + n + 1)
    }

    /// The end of the line that is well behind a change.
    fn ahead_of(&self, at: usize) -> usize {
        let near = words::boundary(self.source, at.saturating_add(AFTER));
        let far = words::boundary(self.source, near.saturating_add(LONGEST_LINE));
        let end = if far == self.source.len() { far } else { near };
        self.source[near..far].find('\n').map_or(end, |n| near + n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<String> {
        of(text).map(|view| view.text).collect()
    }

    #[test]
    fn what_is_written_in_another_way_is_read() {
        for (written, plain) in [
            ("a%3Dpa%73s", "a=pass"),
            ("a&#61;&quot;b&quot;", "a=\"b\""),
            ("p\\u0061ss \\x70", "pass p"),
            ("{\\\"a\\\": 1}", "{\"a\": 1}"),
            ("\"pa\" + \"ss\"", "\"pass\""),
            ("'pa' . 'ss'", "'pass'"),
            ("[\"pa\", \"ss\"].join('')", "[\"pass\"].join('')"),
            ("b(\"pa\"); b.append(\"ss\").append(\"word\")", "b(\"password\")"),
            ("s = 'pa'\ns += 'ss'", "s = 'pass'"),
            ("pass\nword: x", "password: x"),
            ("p a s s w o r d : x y", "password:xy"),
            ("p.a.s.s.w", "passw"),
            ("\\u{70}\\160", "pp"),
            ("p=61=73=73", "pass"),
            ("> ftp://a\n> b:c1@d-\n> e", "> ftp://ab:c1@d-\n> e"),
        ] {
            let all = texts(written);
            assert!(all.iter().any(|text| text == plain), "{written}: {all:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_places_stay_inside(
            text in "(?s)(%[0-9a-f]{2}|\\\\u00[0-9a-f]{2}|&#x?[0-9]{2};|\"|'|\\+|\n| |[a-zA-Z0-9+/]{1,20}|é|漢|.){0,30}",
        ) {
            for view in of(&text) {
                let all = view.origin(&(0..view.text.len()));
                prop_assert!(all.start <= all.end && all.end <= text.len());
            }
            hides_more(&text);
        }
    }
}
