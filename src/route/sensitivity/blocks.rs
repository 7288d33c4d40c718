//! The parts of a text that are looked at: stretches, and the blocks of a stretch near a cue.

use std::ops::Range;

use crate::base::words;

/// How much text is looked at at once, in bytes.
const STRETCH: usize = 16 << 10;
/// How much of a stretch is seen again with the next one: more than any rule reaches.
const OVERLAP: usize = 1 << 10;
/// How much text before a cue a rule sees, in bytes.
const BEFORE: usize = 112;
/// How much text behind a cue a rule sees, in bytes.
const AFTER: usize = 240;
/// The longest line whose beginning is looked for.
const LONGEST_LINE: usize = 192;

/// Blocks of a stretch, a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocks(u128);

impl Blocks {
    /// None of them.
    pub(super) const NONE: Self = Self(0);
    /// The whole stretch.
    pub(super) const ALL: Self = Self(u128::MAX);
    /// How many bytes are a block.
    const SIZE: usize = STRETCH / 128;

    /// Whether any of these are among others.
    pub(super) fn meet(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// These and others.
    pub(super) fn add(&mut self, others: Self) {
        self.0 |= others.0;
    }

    /// The blocks around a cue.
    pub(super) fn near(start: usize, end: usize) -> Self {
        let last = ((end + AFTER) / Self::SIZE).min(127);
        let first = (start.saturating_sub(BEFORE) / Self::SIZE).min(last);
        Self((u128::MAX >> (127 - last)) & (u128::MAX << first))
    }

    /// The block of a word and those beside it.
    pub(super) fn around(start: usize, end: usize) -> Self {
        let last = (end / Self::SIZE + 1).min(127);
        let first = (start / Self::SIZE).saturating_sub(1).min(last);
        Self((u128::MAX >> (127 - last)) & (u128::MAX << first))
    }

    /// The stretches of a text that these blocks are, from line to line where lines are short.
    pub(super) fn windows(self, text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
        let (mut left, mut behind) = (self.0, 0);
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let first = left.trailing_zeros() as usize;
            let count = (left >> first).trailing_ones() as usize;
            left &= u128::MAX.checked_shl((first + count) as u32).unwrap_or(0);
            let window = whole_lines(text, first * Self::SIZE, (first + count) * Self::SIZE);
            let window = window.start.max(behind)..window.end;
            behind = window.end;
            Some(window)
        })
        .filter(|window| !window.is_empty())
    }
}

/// A window from the beginning of its first line to the end of its last, where these are near.
fn whole_lines(text: &str, start: usize, end: usize) -> Range<usize> {
    let (start, end) = (words::boundary(text, start), words::boundary(text, end));
    let far = words::boundary(text, start.saturating_sub(LONGEST_LINE));
    let from = text[far..start].rfind('\n').map_or(start, |n| far + n + 1);
    let limit = words::boundary(text, end + LONGEST_LINE);
    let to = text[end..limit].find('\n').map_or(end, |n| end + n + 1);
    let to = if limit == text.len() && to == end { limit } else { to };
    (if far == 0 && from == start { 0 } else { from })..to
}

/// The lines of a text with their ends, each with where it stands.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.as_bytes().get(start..).filter(|rest| !rest.is_empty())?;
        let end = rest.iter().position(|b| *b == b'\n').map_or(text.len(), |n| start + n + 1);
        let here = start..end;
        start = end;
        Some((here.clone(), &text[here]))
    })
}

/// Stretches of a text, each cut at the end of a line where there is one near.
pub(super) fn stretches(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let end = match start + STRETCH {
            far if far >= text.len() => text.len(),
            far => words::boundary(text, far),
        };
        next = (end < text.len()).then(|| {
            let back = words::boundary(text, end - OVERLAP);
            let line = text.as_bytes()[back..end].iter().position(|b| *b == b'\n');
            line.map_or(back, |n| back + n + 1)
        });
        Some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_overlap_and_cover_all() {
        let text = "aé漢\n".repeat(20_000);
        let mut end = 0;
        for stretch in stretches(&text) {
            assert!(stretch.start <= end && text.is_char_boundary(stretch.start));
            end = stretch.end;
        }
        assert_eq!(end, text.len());
    }

    #[test]
    fn windows_are_whole_lines_around_a_cue_and_do_not_overlap() {
        let text = "0123456789\n".repeat(1000);
        let cue = 5000..5004;
        let near: Vec<_> = Blocks::near(cue.start, cue.end).windows(&text).collect();
        assert_eq!(near.len(), 1);
        assert!(near[0].start + BEFORE <= cue.start && near[0].end >= cue.end + AFTER, "{near:?}");
        assert!(near[0].start.is_multiple_of(11) && near[0].end.is_multiple_of(11), "{near:?}");
        let mut two = Blocks::near(0, 4);
        two.add(Blocks::near(text.len() - 4, text.len()));
        let windows: Vec<_> = two.windows(&text).collect();
        assert_eq!((windows.len(), windows[0].start, windows[1].end), (2, 0, text.len()));
        assert_eq!(Blocks::ALL.windows(&text).next(), Some(0..text.len()));
    }
}
