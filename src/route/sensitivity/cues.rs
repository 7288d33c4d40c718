//! Many words looked for at once.
//!
//! A table of how the words begin, and no automaton: it is made in the time of reading
//! the words once, so that a command which judges one task waits for nothing, and a
//! place in a text where no word begins costs a few loads. Letters are found in either case.

use std::ops::Range;

/// How many bits of a hash say whether any word begins so.
const BITS: u32 = 14;
/// The longest beginning by which words are told apart, in bytes.
const LONGEST_BEGINNING: usize = 6;

/// Where a word counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// Anywhere, also inside another word.
    Anywhere,
    /// Where no letter of ASCII stands before it.
    AtAStart,
}

impl Stands {
    fn bit(self) -> u8 {
        match self {
            Self::Anywhere => 1,
            Self::AtAStart => 2,
        }
    }
}

/// A word that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    /// Which, by its place among those that are looked for.
    pub(super) word: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Hit {
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// The words.
#[derive(Debug)]
pub(super) struct Cues {
    /// In order of the hashes of their beginnings.
    words: Vec<Word>,
    /// For each hash of a beginning where words that begin so may count, as bits.
    begins: Box<[u8; 1 << BITS]>,
    /// For each such hash the first of the words in question.
    first: Box<[u32; 1 << BITS]>,
    /// For each two bytes how long the beginnings are that start so, a bit for each length: the
    /// lower four for words that count anywhere, the upper four for the others. Where the first
    /// byte is no ASCII any bit says that some do.
    pairs: Box<[u8; 1 << 16]>,
    /// The lengths of the beginnings that start with no ASCII.
    wide: Vec<usize>,
}

#[derive(Debug)]
struct Word {
    /// The hash of its beginning.
    slot: usize,
    /// How it is written, in lower case.
    written: Box<[u8]>,
    /// Its first eight bytes, and which bits of eight they are.
    head: u64,
    mask: u64,
    /// Where it counts, as bits.
    stands: u8,
    /// Its place among those that are looked for.
    n: usize,
}

impl Cues {
    /// Words, each with where it counts.
    pub(super) fn new<'a>(words: impl Iterator<Item = (&'a str, Stands)>) -> Self {
        let words = words.enumerate().filter(|(_, (word, _))| !word.is_empty());
        let mut all: Vec<Word> = words
            .map(|(n, (word, stands))| {
                let written = word.to_ascii_lowercase().into_bytes().into_boxed_slice();
                let slot = slot(eight(&written, 0), beginning(&written));
                let mask = u64::MAX >> (64 - 8 * written.len().min(8));
                let head = eight(&written, 0) & mask;
                Word { slot, written, head, mask, stands: stands.bit(), n }
            })
            .collect();
        all.sort_by_key(|word| word.slot);
        let (mut begins, mut first) = (Box::new([0; 1 << BITS]), Box::new([0; 1 << BITS]));
        let (mut pairs, mut wide) = (Box::new([0; 1 << 16]), Vec::new());
        for (n, word) in all.iter().enumerate() {
            if begins[word.slot] == 0 {
                first[word.slot] = n as u32;
            }
            begins[word.slot] |= word.stands;
            let length = beginning(&word.written);
            add_pair(&mut pairs, word, length);
            if !word.written[0].is_ascii() && !wide.contains(&length) {
                wide.push(length);
            }
        }
        Self { words: all, begins, first, pairs, wide }
    }

    /// Calls `found` for each word in a text, in the order in which they begin.
    pub(super) fn each(&self, text: &str, mut found: impl FnMut(Hit)) {
        // So that there are eight bytes to read at each place.
        let mut lower = Vec::with_capacity(text.len() + 8);
        lower.extend_from_slice(text.as_bytes());
        lower.extend([0; 8]);
        lower.make_ascii_lowercase();
        make_small(text, &mut lower);
        let mut first = lower[0];
        for (at, second) in lower[1..=text.len()].iter().enumerate() {
            let lengths = self.pairs[pair(first, *second)];
            if lengths != 0 {
                self.look_at(&lower, at, lengths, &mut found);
            }
            first = *second;
        }
    }

    /// Tells of the words at a place where some with beginnings of these lengths may stand.
    #[inline(never)]
    fn look_at(&self, lower: &[u8], at: usize, lengths: u8, found: &mut impl FnMut(Hit)) {
        let here = lower[at..].first_chunk().copied().map_or(0, u64::from_le_bytes);
        if !lower[at].is_ascii() {
            let place = Place { lower, at, here, bits: u8::MAX };
            self.wide.iter().for_each(|length| self.try_at(&place, *length, found));
            return;
        }
        let inside = at > 0 && lower[at - 1].is_ascii_lowercase();
        let (lengths, bits) = match inside {
            true => (lengths & 0xf, Stands::Anywhere.bit()),
            false => ((lengths | lengths >> 4) & 0xf, u8::MAX),
        };
        let place = Place { lower, at, here, bits };
        lengths_in(lengths).for_each(|length| self.try_at(&place, length, found));
    }

    /// Whether any word stands in a text.
    pub(super) fn are_in(&self, text: &str) -> bool {
        let mut any = false;
        self.each(text, |_| any = true);
        any
    }

    /// Tells of the words with beginnings of this length that stand at a place.
    #[inline]
    fn try_at(&self, place: &Place<'_>, length: usize, found: &mut impl FnMut(Hit)) {
        let Place { lower, at, here, bits } = *place;
        let slot = slot(here, length);
        if self.begins[slot] & bits != 0 {
            self.tell(slot, here, bits, found, |word| {
                let end = at + word.written.len();
                let is_whole = end <= at + 8 || lower.get(at..end) == Some(&*word.written);
                is_whole.then_some(Hit { word: word.n, start: at, end })
            });
        }
    }

    /// Tells of those words with a hash that begin with these eight bytes and go on as they should.
    fn tell(
        &self,
        slot: usize,
        here: u64,
        bits: u8,
        found: &mut impl FnMut(Hit),
        goes_on: impl Fn(&Word) -> Option<Hit>,
    ) {
        let from = self.first[slot] as usize;
        let alike = self.words[from..].iter().take_while(|word| word.slot == slot);
        for word in alike.filter(|word| word.stands & bits != 0) {
            if here & word.mask == word.head
                && let Some(hit) = goes_on(word)
            {
                found(hit);
            }
        }
    }

    /// Of the words in a text that `counts` lets count, those that do not overlap: the first, and
    /// of those that begin together the longest.
    pub(super) fn longest(&self, text: &str, counts: impl Fn(&Hit) -> bool) -> Vec<Hit> {
        let mut hits = Vec::new();
        self.each_longest(text, counts, |hit| hits.push(hit));
        hits
    }

    /// Calls `found` for each of these, in order.
    pub(super) fn each_longest(
        &self,
        text: &str,
        counts: impl Fn(&Hit) -> bool,
        mut found: impl FnMut(Hit),
    ) {
        let mut last: Option<Hit> = None;
        self.each(text, |hit| {
            if !counts(&hit) {
                return;
            }
            match &mut last {
                Some(last) if last.start == hit.start => {
                    if hit.end > last.end {
                        *last = hit;
                    }
                }
                Some(last) if last.end > hit.start => {}
                _ => last.replace(hit).into_iter().for_each(&mut found),
            }
        });
        last.into_iter().for_each(found);
    }
}

/// Makes the other letters of a text small that have two cases, in place: Latin ones with marks,
/// Greek and Cyrillic ones. What is of another length in small letters stays.
fn make_small(text: &str, lower: &mut [u8]) {
    // No other letters begin with these bytes but some that have one case.
    let may_be_large = |b: u8| matches!(b, 0xc3..=0xd6 | 0xe1);
    if !text.bytes().fold(false, |any, b| any | may_be_large(b)) {
        return;
    }
    for (at, c) in text.char_indices().filter(|(at, _)| may_be_large(text.as_bytes()[*at])) {
        let mut small = c.to_lowercase();
        if let (Some(small), None) = (small.next(), small.next())
            && small != c
            && small.len_utf8() == c.len_utf8()
        {
            small.encode_utf8(&mut lower[at..at + c.len_utf8()]);
        }
    }
}

/// A place in a text in small letters behind which there are eight bytes more.
struct Place<'a> {
    lower: &'a [u8],
    at: usize,
    /// The eight bytes from there on.
    here: u64,
    /// Which words count there, as bits.
    bits: u8,
}

/// The lengths of beginnings that are set in a pair's bits, the shortest first.
#[inline]
fn lengths_in(mut bits: u8) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (lowest < 8).then_some(lowest + 1)
    })
}

/// The place of two bytes among all pairs.
#[inline]
fn pair(first: u8, second: u8) -> usize {
    usize::from(u16::from_le_bytes([first, second]))
}

/// Adds the length of a word's beginning to all pairs that the word may start with.
fn add_pair(pairs: &mut [u8; 1 << 16], word: &Word, length: usize) {
    let high = if word.stands & Stands::Anywhere.bit() != 0 { 0 } else { 4 };
    let bit = if word.written[0].is_ascii() { 1 << (length - 1 + high) } else { 1 };
    let first = word.written[0];
    match word.written.get(1) {
        Some(second) => pairs[pair(first, *second)] |= bit,
        None => (0..=u8::MAX).for_each(|second| pairs[pair(first, second)] |= bit),
    }
}

/// By how many bytes a word is told apart from others: two signs, where it has so many.
fn beginning(word: &[u8]) -> usize {
    let most = if word[0].is_ascii() { 4 } else { LONGEST_BEGINNING };
    word.len().min(most)
}

/// The eight bytes of a text from a place on, or fewer and then zeroes.
#[inline]
fn eight(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()) {
        Some(eight) => u64::from_le_bytes(eight),
        None => {
            let mut eight = [0; 8];
            eight[..bytes.len() - at].copy_from_slice(&bytes[at..]);
            u64::from_le_bytes(eight)
        }
    }
}

/// The hash of the first `length` of eight bytes.
#[inline]
fn slot(eight: u64, length: usize) -> usize {
    let begin = eight << (64 - 8 * length);
    ((begin ^ length as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(words: &[(&'a str, Stands)], text: &str) -> Vec<(&'a str, usize)> {
        let cues = Cues::new(words.iter().copied());
        let mut found = Vec::new();
        cues.each(text, |hit| found.push((words[hit.word].0, hit.start)));
        found
    }

    #[test]
    fn words_are_found_where_they_count_in_either_case() {
        use Stands::{Anywhere, AtAStart};
        let words = [
            ("key", Anywhere),
            ("pin", AtAStart),
            ("pins", AtAStart),
            ("?", Anywhere),
            ("秘", Anywhere),
            ("秘密鍵", Anywhere),
        ];
        assert_eq!(found(&words, "ApiKEY?"), [("key", 3), ("?", 6)]);
        assert_eq!(found(&words, "mapping PINS 3pin"), [("pin", 8), ("pins", 8), ("pin", 14)]);
        assert_eq!(found(&words, "の秘密鍵"), [("秘", 3), ("秘密鍵", 3)]);
        let words = ["пароль", "hasło", "mật khẩu", "κωδικ"].map(|word| (word, Anywhere));
        assert_eq!(
            found(&words, "Пароль ПАРОЛЬ HASŁO"),
            [("пароль", 0), ("пароль", 13), ("hasło", 26)]
        );
        assert_eq!(found(&words, "MẬT KHẨU ΚΩΔΙΚ"), [("mật khẩu", 0), ("κωδικ", 13)]);
        assert!(found(&words, "ke").is_empty() && found(&[], "key").is_empty());
    }

    #[test]
    fn of_words_that_overlap_the_first_and_longest_is_taken() {
        let words = ["no pin", "pin", "pin code", "code"].map(|word| (word, Stands::AtAStart));
        let cues = Cues::new(words.into_iter());
        let longest = |text| {
            cues.longest(text, |_| true).iter().map(|hit| words[hit.word].0).collect::<Vec<_>>()
        };
        assert_eq!(longest("pin code"), ["pin code"]);
        assert_eq!(longest("no pin code"), ["no pin", "code"]);
    }

    proptest::proptest! {
        #[test]
        fn it_finds_what_a_simple_search_finds(
            words in proptest::collection::vec("[abé漢]{1,5}", 1..12),
            text in "[abAéÉ漢 ]{0,40}",
        ) {
            let cues = Cues::new(words.iter().map(|word| (word.as_str(), Stands::Anywhere)));
            let mut hits: Vec<(usize, usize)> = Vec::new();
            cues.each(&text, |hit| hits.push((hit.start, hit.word)));
            let lower = text.to_lowercase();
            let mut wanted: Vec<(usize, usize)> = (0..text.len())
                .flat_map(|at| (0..words.len()).map(move |n| (at, n)))
                .filter(|(at, n)| lower.as_bytes()[*at..].starts_with(words[*n].as_bytes()))
                .collect();
            hits.sort_unstable();
            wanted.sort_unstable();
            proptest::prop_assert_eq!(hits, wanted);
        }
    }
}
