//! Where the matches of an expression can begin.
//!
//! Most rules begin with a word of a few, and few places begin so: where those are known an
//! expression is tried there alone.

use std::ops::Range;

use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, Look};

use super::expression::parsed;

/// How many bits a hash of a beginning has.
const BITS: u32 = 12;
/// How many such hashes there are.
const HASHES: usize = 1 << BITS;
/// By how many bytes beginnings are told apart.
const TOLD_BY: usize = 3;
/// How many places are looked at together.
const AT_ONCE: usize = 16;
/// The most beginnings that are written out of one expression.
const MOST_BEGINNINGS: usize = 20_000;

/// The places of a stretch, by what begins there.
#[derive(Debug, Default)]
pub(super) struct Starts {
    /// Where words begin: a letter, digit or `_` of ASCII with no other before it.
    words: Vec<u32>,
    /// The hash of the three bytes from each place on.
    three: Vec<u16>,
}

/// The bytes of words.
const IN_WORD: [bool; 256] = {
    let (mut is, mut n) = ([false; 256], 0);
    while n < 256 {
        is[n] = (n as u8).is_ascii_alphanumeric() || n as u8 == b'_';
        n += 1;
    }
    is
};

impl Starts {
    /// Those of a stretch.
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = Self {
            words: Vec::with_capacity(bytes.len() / 4),
            three: Vec::with_capacity(bytes.len()),
        };
        let mut inside = false;
        for (at, byte) in bytes.iter().enumerate() {
            let is_word = IN_WORD[usize::from(*byte)];
            if is_word && !inside {
                starts.words.push(at as u32);
            }
            inside = is_word;
        }
        let whole = bytes.windows(TOLD_BY).map(|three| [three[0], three[1], three[2], 0]);
        let last =
            (bytes.len().saturating_sub(TOLD_BY - 1)..bytes.len()).map(|at| first(&bytes[at..]));
        starts.three.extend(whole.chain(last).map(hash));
        starts
    }

    /// The beginnings of words in a window.
    fn words_in(&self, window: &Range<usize>) -> &[u32] {
        let first = self.words.partition_point(|at| (*at as usize) < window.start);
        let last = self.words.partition_point(|at| (*at as usize) < window.end);
        &self.words[first..last]
    }
}

/// The first bytes of a text, as many as beginnings are told apart by, and then zeroes.
fn first(bytes: &[u8]) -> [u8; 4] {
    let mut first = [0; 4];
    first.iter_mut().zip(bytes.iter().take(TOLD_BY)).for_each(|(to, from)| *to = *from);
    first
}

/// The hash of a beginning, the same for both cases of each letter of ASCII.
#[inline]
fn hash(bytes: [u8; 4]) -> u16 {
    let bytes = u32::from_le_bytes(bytes) | 0x0020_2020;
    (bytes.wrapping_mul(0x9e37_79b9) >> (32 - BITS)) as u16
}

/// How the matches of an expression begin.
#[derive(Debug)]
pub(super) struct Beginnings {
    /// Which hashes are one of theirs.
    known: Box<[bool; HASHES]>,
    place: Place,
}

/// Where they can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Where a word begins.
    Word,
    /// Anywhere.
    Any,
}

impl Beginnings {
    /// Those of an expression.
    pub(super) fn of_pattern(written: &str) -> Option<Self> {
        // The hash is the same for both cases of ASCII's letters: to write one of them out is enough.
        let has_other_letters =
            written.chars().any(|c| !c.is_ascii() && (c.is_lowercase() || c.is_uppercase()));
        Self::of(&parsed(written, has_other_letters)?)
    }

    /// None where a match can begin with anything else than one of a few words.
    fn of(hir: &Hir) -> Option<Self> {
        let place = match hir.properties().look_set_prefix().contains(Look::WordAscii) {
            true => Place::Word,
            false => Place::Any,
        };
        let all = Self::extractor().extract(hir);
        let mut beginnings = Self { known: Box::new([false; HASHES]), place };
        for literal in all.literals()? {
            let bytes = literal.as_bytes();
            // Normalised text has no long s and no sign of kelvin, which are other cases of letters.
            if bytes.starts_with("ſ".as_bytes()) || bytes.starts_with("\u{212a}".as_bytes()) {
                continue;
            }
            if place == Place::Word && !bytes.first().is_some_and(|b| IN_WORD[usize::from(*b)]) {
                return None;
            }
            match bytes.len() {
                0 | 1 => return None,
                // Whatever goes on behind it.
                2 => (0..=u8::MAX).for_each(|third| beginnings.add([bytes[0], bytes[1], third, 0])),
                _ => beginnings.add(first(bytes)),
            }
        }
        Some(beginnings)
    }

    fn extractor() -> Extractor {
        let mut extractor = Extractor::new();
        extractor.limit_class(12).limit_literal_len(TOLD_BY).limit_total(MOST_BEGINNINGS);
        extractor
    }

    fn add(&mut self, bytes: [u8; 4]) {
        self.known[usize::from(hash(bytes))] = true;
    }

    #[inline]
    fn has(&self, hash: u16) -> bool {
        self.known[usize::from(hash) % HASHES]
    }

    /// What `found` makes of the first place in a window where a match may begin and it makes
    /// something of it.
    pub(super) fn first_of<T>(
        &self,
        starts: &Starts,
        window: &Range<usize>,
        mut found: impl FnMut(usize) -> Option<T>,
    ) -> Option<T> {
        if self.place == Place::Word {
            let words = starts.words_in(window).iter().map(|at| *at as usize);
            return words.filter(|at| self.has(starts.three[*at])).find_map(found);
        }
        // Most places are no beginning: several are passed over at once.
        for (n, some) in starts.three[window.clone()].chunks(AT_ONCE).enumerate() {
            if !some.iter().fold(false, |any, hash| any | self.has(*hash)) {
                continue;
            }
            let from = window.start + n * AT_ONCE;
            let known = some.iter().enumerate().filter(|(_, hash)| self.has(**hash));
            let first = known.map(|(n, _)| from + n).find_map(&mut found);
            if first.is_some() {
                return first;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::expression::written_out;
    use super::*;
    use regex_syntax::hir::literal::Literal;

    #[test]
    fn beginnings_in_one_case_are_those_in_both() {
        // The long s and the sign of kelvin are cases of letters that normalised text has not.
        let is_in_text = |literal: &&[u8]| !literal.contains(&0xc5) && !literal.contains(&0xe2);
        let mut compared = 0;
        for rule in super::super::TABLES.iter().flat_map(|table| table.iter()) {
            let written = written_out(rule.pattern);
            let Some(both) = parsed(&written, true).filter(|hir| Beginnings::of(hir).is_some())
            else {
                continue;
            };
            let one = Beginnings::of_pattern(&written).unwrap();
            let all = Beginnings::extractor().extract(&both);
            let literals = all.literals().unwrap().iter().map(Literal::as_bytes);
            for literal in literals.filter(|literal| literal.len() >= TOLD_BY).filter(is_in_text) {
                assert!(one.has(hash(first(literal))), "{}: {}", rule.id, literal.escape_ascii());
                compared += 1;
            }
        }
        assert!(compared > 10_000, "{compared}");
    }
}
