//! Where the matches of an expression can begin.
//!
//! Most rules begin with a word of a few, and words begin at few places: where those are
//! known an expression is tried there alone, and dies at once where it does not hold,
//! instead of being led over every byte.

use std::ops::Range;

use regex_automata::meta::{self, Regex};
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, Look};

use super::expression::written_out;

/// How many hashes of beginnings there are.
const HASHES: usize = 1024;
/// By how many bytes words are told apart.
const TOLD_BY: usize = 3;
/// The most beginnings that are written out of one expression.
const MOST_BEGINNINGS: usize = 20_000;

/// The places of a stretch where a word begins.
#[derive(Debug, Default)]
pub(super) struct WordStarts(Vec<WordStart>);

/// The bytes of words.
const IN_WORD: [bool; 256] = {
    let (mut is, mut n) = ([false; 256], 0);
    while n < 256 {
        is[n] = (n as u8).is_ascii_alphanumeric() || n as u8 == b'_';
        n += 1;
    }
    is
};

/// Where a word begins, and the hashes of its first two and three bytes.
#[derive(Clone, Copy, Debug)]
struct WordStart {
    at: u32,
    two: u16,
    three: u16,
}

impl WordStarts {
    /// Those of a stretch: a letter, digit or `_` of ASCII with no other before it.
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (mut starts, mut inside) = (Vec::with_capacity(bytes.len() / 4), false);
        for (at, byte) in bytes.iter().enumerate() {
            let is_word = IN_WORD[usize::from(*byte)];
            if is_word && !inside {
                let word = first_bytes(&bytes[at..]);
                let (two, three) = (hash(word & 0xffff), hash(word));
                starts.push(WordStart { at: at as u32, two, three });
            }
            inside = is_word;
        }
        Self(starts)
    }

    /// Those in a window.
    fn within(&self, window: &Range<usize>) -> &[WordStart] {
        let first = self.0.partition_point(|start| (start.at as usize) < window.start);
        let last = self.0.partition_point(|start| (start.at as usize) < window.end);
        &self.0[first..last]
    }
}

/// The first bytes of a text in small letters, the first one lowest.
fn first_bytes(bytes: &[u8]) -> u32 {
    let bytes = bytes.iter().take(TOLD_BY).enumerate();
    bytes.fold(0, |all, (n, b)| all | u32::from(b.to_ascii_lowercase()) << (8 * n))
}

/// How the words begin with which an expression can.
#[derive(Debug)]
struct Beginnings {
    /// For each hash whether two bytes or three are one, as bits.
    known: [u8; HASHES],
}

/// The bits of beginnings of two bytes, and of three or more.
const OF_TWO: u8 = 1;
const OF_THREE: u8 = 2;

impl Beginnings {
    /// None where a match can begin with anything else than one of a few words.
    fn of(hir: &Hir) -> Option<Self> {
        if !hir.properties().look_set_prefix().contains(Look::WordAscii) {
            return None;
        }
        let mut extractor = Extractor::new();
        extractor.limit_class(12).limit_literal_len(TOLD_BY).limit_total(MOST_BEGINNINGS);
        let all = extractor.extract(hir);
        let mut beginnings = Self { known: [0; HASHES] };
        for literal in all.literals()? {
            let bytes = literal.as_bytes();
            // Normalised text has no long s and no sign of kelvin, which are other cases of letters.
            if bytes.starts_with("ſ".as_bytes()) || bytes.starts_with("\u{212a}".as_bytes()) {
                continue;
            }
            if !bytes.first().is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
                return None;
            }
            let bit = match bytes.len() {
                1 => return None,
                2 => OF_TWO,
                _ => OF_THREE,
            };
            beginnings.known[usize::from(hash(first_bytes(bytes)))] |= bit;
        }
        Some(beginnings)
    }

    #[inline]
    fn may_begin(&self, word: WordStart) -> bool {
        let known = |hash: u16| self.known[usize::from(hash) % HASHES];
        known(word.three) & OF_THREE | known(word.two) & OF_TWO != 0
    }
}

fn hash(word: u32) -> u16 {
    (word.wrapping_mul(0x9e37_79b9) >> (32 - HASHES.ilog2())) as u16
}

/// A rule's expression, made ready to be led over windows.
#[derive(Debug)]
pub(super) struct Finder {
    regex: Regex,
    beginnings: Option<Beginnings>,
}

/// What was found: the whole, and its group `v` where that took part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Matched {
    pub(super) whole: Range<usize>,
    pub(super) value: Option<Range<usize>>,
}

impl Finder {
    /// Makes an expression of a rule ready.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let mut parser = ParserBuilder::new().case_insensitive(true).multi_line(true).build();
        let hir = parser.parse(&written_out(pattern)).ok()?;
        let config = meta::Config::new()
            .match_kind(MatchKind::LeftmostFirst)
            .nfa_size_limit(Some(2 << 20))
            .hybrid_cache_capacity(8 << 20);
        let regex = Regex::builder().configure(config).build_from_hir(&hir).ok()?;
        Some(Self { regex, beginnings: Beginnings::of(&hir) })
    }

    /// The first match in a window of a text from a place in that window on.
    pub(super) fn next(
        &self,
        text: &str,
        window: &Range<usize>,
        starts: &WordStarts,
        from: usize,
    ) -> Option<Matched> {
        let shown = &text[window.clone()];
        let whole = match &self.beginnings {
            None => self.regex.search(&Input::new(shown).range(from..))?.range(),
            Some(beginnings) => {
                let places = starts.within(&(window.start + from..window.end)).iter();
                let places = places.filter(|word| beginnings.may_begin(**word));
                let tried = places.map(|word| word.at as usize - window.start);
                let mut found = tried.filter_map(|at| self.regex.search(&at_once(shown, at)));
                found.next()?.range()
            }
        };
        // Groups are dear, and most windows hold no match at all.
        let value = (self.regex.captures_len() > 1).then(|| {
            let mut groups = self.regex.create_captures();
            self.regex.search_captures(&at_once(shown, whole.start), &mut groups);
            groups.get_group_by_name("v").map(|value| value.range())
        });
        Some(Matched { whole, value: value.flatten() })
    }
}

/// A search for a match that begins at this place.
fn at_once(text: &str, at: usize) -> Input<'_> {
    Input::new(text).range(at..).anchored(Anchored::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All that is found when an expression is led over every byte.
    fn led_over(finder: &Finder, text: &str) -> Vec<Range<usize>> {
        finder
            .regex
            .find_iter(text)
            .map(|found| found.range())
            .filter(|at| !at.is_empty())
            .collect()
    }

    fn tried(finder: &Finder, text: &str) -> Vec<Range<usize>> {
        let (starts, window) = (WordStarts::of(text), 0..text.len());
        let (mut all, mut from) = (Vec::new(), 0);
        while let Some(found) = finder.next(text, &window, &starts, from) {
            from = found.whole.end;
            all.push(found.whole);
        }
        all
    }

    #[test]
    fn an_expression_of_words_knows_how_they_begin() {
        for (pattern, knows) in [
            (r"\b@CRED@\b", true),
            (r"\b(?:foo|b[aeiou]r)s?\b", true),
            (r"\b(?:foo|b)\w", false),
            (r"(?:^|\s)foo", false),
            (r"\b(?:\w+ )?foo", false),
            (r"foo\b", false),
        ] {
            let finder = Finder::new(pattern).unwrap();
            assert_eq!(finder.beginnings.is_some(), knows, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn a_try_at_each_word_finds_what_a_search_of_all_finds(
            text in "(pass|Password|word|PIN|key| |_|-|:|é|漢|api|1){0,30}",
        ) {
            for pattern in [r"\b@CRED@\b[ -]?(?P<v>\w+)?", r"\b(?:pins?|api|key)[_ :]+"] {
                let finder = Finder::new(pattern).unwrap();
                prop_assert!(finder.beginnings.is_some());
                prop_assert_eq!(tried(&finder, &text), led_over(&finder, &text));
            }
        }
    }
}
