//! Where the matches of an expression can begin.
//!
//! Most rules begin with a word of a few, and few places begin so: where those are known an
//! expression is tried there alone, and dies at once where it does not hold, instead of being
//! led over every byte. Such a one has only to be known forwards, which takes less to make ready.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::meta::{self, Regex};
use regex_automata::nfa::thompson;
use regex_automata::nfa::thompson::backtrack::BoundedBacktracker;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::util::captures::Captures;
use regex_automata::util::pool::Pool;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, Look};

use super::expression::written_out;

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
/// The most bytes that one expression may take, and the most for what is learnt of it by searching.
const MOST_OF_NFA: usize = 2 << 20;
const MOST_OF_CACHE: usize = 8 << 20;

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
struct Beginnings {
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
    fn of_pattern(written: &str) -> Option<Self> {
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
    fn first_of<T>(
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

/// A rule's expression, made ready to be led over windows.
#[derive(Debug)]
pub(super) struct Finder {
    pattern: &'static str,
    /// What the expression is tried with where its matches are known to begin.
    tries: Option<Tries>,
    /// The whole of it; one that is only tried at places seldom needs it.
    whole: OnceLock<Option<Regex>>,
}

/// An expression that is tried at places where its matches can begin.
struct Tries {
    beginnings: Beginnings,
    forwards: DFA,
    caches: Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync>>,
}

impl fmt::Debug for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tries").field("beginnings", &self.beginnings).finish_non_exhaustive()
    }
}

impl Tries {
    fn new(pattern: &str) -> Option<Self> {
        let written = written_out(pattern);
        let beginnings = Beginnings::of_pattern(&written)?;
        let limits = thompson::Config::new().nfa_size_limit(Some(MOST_OF_NFA));
        let hir = parsed(&written, true)?;
        let nfa = thompson::Compiler::new().configure(limits).build_from_hir(&hir).ok()?;
        let config = DFA::config()
            .match_kind(MatchKind::LeftmostFirst)
            .cache_capacity(MOST_OF_CACHE)
            // One that makes states without end is better searched with the whole expression.
            .minimum_cache_clear_count(Some(3))
            .minimum_bytes_per_state(Some(10));
        let forwards = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let maker = forwards.clone();
        Some(Self {
            beginnings,
            forwards,
            caches: Pool::new(Box::new(move || maker.create_cache())),
        })
    }

    /// The first match that begins at a place from here on; an error where that cannot be said.
    fn next(
        &self,
        shown: &str,
        window: &Range<usize>,
        starts: &Starts,
        from: usize,
    ) -> Result<Option<Range<usize>>, regex_automata::MatchError> {
        let mut cache = self.caches.get();
        let left = window.start + from..window.end;
        let found = self.beginnings.first_of(starts, &left, |at| {
            let at = at - window.start;
            match self.forwards.try_search_fwd(&mut cache, &at_once(shown, at)) {
                Ok(end) => end.map(|end| Ok(at..end.offset())),
                Err(error) => Some(Err(error)),
            }
        });
        found.transpose()
    }

    /// The groups of a match, which is the input; none where the expression has none.
    fn groups(&self, input: &Input<'_>) -> Option<Captures> {
        let nfa = self.forwards.get_nfa();
        if nfa.group_info().explicit_slot_len() == 0 {
            return None;
        }
        let mut groups = Captures::all(nfa.group_info().clone());
        let stepped = BoundedBacktracker::new_from_nfa(nfa.clone()).ok()?;
        let tried =
            stepped.try_search_slots(&mut stepped.create_cache(), input, groups.slots_mut());
        match tried {
            Ok(pattern) => groups.set_pattern(pattern),
            // One that is too long for that is taken step by step, with all ways at once.
            Err(_) => {
                let slow = PikeVM::new_from_nfa(nfa.clone()).ok()?;
                slow.captures(&mut slow.create_cache(), input.clone(), &mut groups);
            }
        }
        Some(groups)
    }
}

impl Finder {
    /// Makes an expression of a rule ready.
    pub(super) fn new(pattern: &'static str) -> Option<Self> {
        let finder = Self { pattern, tries: Tries::new(pattern), whole: OnceLock::new() };
        match finder.tries {
            Some(_) => Some(finder),
            None => finder.whole().is_some().then_some(finder),
        }
    }

    fn whole(&self) -> Option<&Regex> {
        let make = || {
            let config = meta::Config::new()
                .match_kind(MatchKind::LeftmostFirst)
                .nfa_size_limit(Some(MOST_OF_NFA))
                .hybrid_cache_capacity(MOST_OF_CACHE)
                // What is tried at places that are known has no use for a search for them.
                .auto_prefilter(self.tries.is_none());
            let hir = parsed(&written_out(self.pattern), true)?;
            Regex::builder().configure(config).build_from_hir(&hir).ok()
        };
        self.whole.get_or_init(make).as_ref()
    }

    /// The first match in a window of a text from a place in that window on.
    pub(super) fn next(
        &self,
        text: &str,
        window: &Range<usize>,
        starts: &Starts,
        from: usize,
    ) -> Option<Range<usize>> {
        let shown = &text[window.clone()];
        let tried = self.tries.as_ref().map(|tries| tries.next(shown, window, starts, from));
        match tried {
            Some(Ok(found)) => found,
            _ => self.whole()?.search(&Input::new(shown).range(from..)).map(|found| found.range()),
        }
    }

    /// Where the group `v` of a match stands, if it takes part: dear beside finding the match.
    pub(super) fn value(&self, shown: &str, whole: &Range<usize>) -> Option<Range<usize>> {
        // What the groups are is decided within the match, which is short beside the window.
        let input = at_once(shown, whole.start).range(whole.clone());
        let groups = match &self.tries {
            Some(tries) => tries.groups(&input),
            None => self.whole().filter(|regex| regex.captures_len() > 1).map(|regex| {
                let mut groups = regex.create_captures();
                regex.search_captures(&input, &mut groups);
                groups
            }),
        };
        groups?.get_group_by_name("v").map(|value| value.range())
    }
}

/// An expression with its shorthands written out, as it is written or in both cases of its letters.
fn parsed(written: &str, in_both_cases: bool) -> Option<Hir> {
    let mut parser = ParserBuilder::new().case_insensitive(in_both_cases).multi_line(true).build();
    parser.parse(written).ok()
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
            .whole()
            .unwrap()
            .find_iter(text)
            .map(|found| found.range())
            .filter(|at| !at.is_empty())
            .collect()
    }

    fn tried(finder: &Finder, text: &str) -> Vec<Range<usize>> {
        let (starts, window) = (Starts::of(text), 0..text.len());
        let (mut all, mut from) = (Vec::new(), 0);
        while let Some(found) = finder.next(text, &window, &starts, from) {
            from = found.end;
            all.push(found);
        }
        all
    }

    #[test]
    fn an_expression_knows_how_its_matches_begin() {
        for (pattern, knows) in [
            (r"\b@CRED@\b", true),
            (r"\b(?:foo|b[aeiou]r)s?\b", true),
            (r"foo\b", true),
            (r"(?:\bfoo|漢字?)", true),
            (r"\b(?:foo|b)\w", false),
            (r"(?:^|\s)foo", true),
            (r"(?:^|[^a])foo", false),
            (r"\b(?:\w+ )?foo", false),
            (r"(?:foo)?", false),
        ] {
            let finder = Finder::new(pattern).unwrap();
            assert_eq!(finder.tries.is_some(), knows, "{pattern}");
        }
    }

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
            let literals = all.literals().unwrap().iter().map(|literal| literal.as_bytes());
            for literal in literals.filter(|literal| literal.len() >= TOLD_BY).filter(is_in_text) {
                assert!(one.has(hash(first(literal))), "{}: {}", rule.id, literal.escape_ascii());
                compared += 1;
            }
        }
        assert!(compared > 10_000, "{compared}");
    }

    proptest! {
        #[test]
        fn a_try_at_each_place_finds_what_a_search_of_all_finds(
            text in "(pass|Password|word|PIN|key| |_|-|:|é|漢|api|1){0,30}",
        ) {
            for pattern in [r"\b@CRED@\b[ -]?(?P<v>\w+)?", r"\b(?:pins?|api|key)[_ :]+", r"(?:\bpass|wo|漢|é1|api)(?P<v>\w*)"] {
                let finder = Finder::new(pattern).unwrap();
                prop_assert!(finder.tries.is_some());
                let found = tried(&finder, &text);
                for at in &found {
                    let mut groups = finder.whole().unwrap().create_captures();
                    finder.whole().unwrap().search_captures(&at_once(&text, at.start), &mut groups);
                    let value = groups.get_group_by_name("v").map(|value| value.range());
                    prop_assert_eq!(finder.value(&text, at), value);
                }
                prop_assert_eq!(found, led_over(&finder, &text));
            }
        }
    }
}
