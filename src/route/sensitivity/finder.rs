//! The expression of a rule, made ready to be led over windows of a text.
//!
//! Where the beginnings of its matches are known it is tried there alone, and dies at once where it
//! does not hold. Such a one has only to be known forwards, which takes less to make ready.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use regex_automata::dfa::onepass;
use regex_automata::hybrid::{self, dfa::DFA};
use regex_automata::meta::{self, Regex};
use regex_automata::nfa::thompson;
use regex_automata::nfa::thompson::backtrack::{self, BoundedBacktracker};
use regex_automata::nfa::thompson::pikevm::{self, PikeVM};
use regex_automata::util::captures::Captures;
use regex_automata::util::pool::Pool;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::Hir;

use super::expression::{parsed, written_out};
use super::starts::{Beginnings, Starts};

/// The most bytes that one expression may take, and the most for what is learnt of it by searching.
const MOST_OF_NFA: usize = 2 << 20;
const MOST_OF_CACHE: usize = 8 << 20;

/// A rule's expression, made ready to be led over windows.
#[derive(Debug)]
pub(super) enum Finder {
    /// It is tried where its matches are known to begin.
    Tried(Box<Tries>),
    /// It is led over every byte.
    Led(Regex),
}

/// An expression that is tried at places where its matches can begin.
pub(super) struct Tries {
    beginnings: Beginnings,
    forwards: DFA,
    // The groups of a match are found by the first of these that can: where each byte leaves one
    // way only, in a match that is not too long, and in any.
    one_way: OnceLock<Option<onepass::DFA>>,
    back_and_forth: BoundedBacktracker,
    all_ways: PikeVM,
    caches: Pool<Caches, Box<dyn Fn() -> Caches + Send + Sync>>,
}

/// What a search needs to write on.
struct Caches {
    forwards: hybrid::dfa::Cache,
    one_way: Option<onepass::Cache>,
    back_and_forth: backtrack::Cache,
    all_ways: Option<pikevm::Cache>,
}

impl fmt::Debug for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tries").field("beginnings", &self.beginnings).finish_non_exhaustive()
    }
}

impl Tries {
    fn new(beginnings: Beginnings, hir: &Hir) -> Option<Self> {
        let limits = thompson::Config::new().nfa_size_limit(Some(MOST_OF_NFA));
        let nfa = thompson::Compiler::new().configure(limits).build_from_hir(hir).ok()?;
        let config = DFA::config()
            .match_kind(MatchKind::LeftmostFirst)
            .cache_capacity(MOST_OF_CACHE)
            // One that makes states without end is better done without them.
            .minimum_cache_clear_count(Some(3))
            .minimum_bytes_per_state(Some(10));
        let forwards = DFA::builder().configure(config).build_from_nfa(nfa.clone()).ok()?;
        let back_and_forth = BoundedBacktracker::new_from_nfa(nfa.clone()).ok()?;
        let all_ways = PikeVM::new_from_nfa(nfa).ok()?;
        let of = (forwards.clone(), back_and_forth.clone());
        let caches: Box<dyn Fn() -> Caches + Send + Sync> = Box::new(move || Caches {
            forwards: of.0.create_cache(),
            one_way: None,
            back_and_forth: of.1.create_cache(),
            all_ways: None,
        });
        let (one_way, caches) = (OnceLock::new(), Pool::new(caches));
        Some(Self { beginnings, forwards, one_way, back_and_forth, all_ways, caches })
    }

    fn next(
        &self,
        shown: &str,
        window: &Range<usize>,
        starts: &Starts,
        from: usize,
    ) -> Option<Range<usize>> {
        let mut caches = self.caches.get();
        let left = window.start + from..window.end;
        self.beginnings.first_of(starts, &left, |at| {
            let at = at - window.start;
            let input = at_once(shown, at);
            match self.forwards.try_search_fwd(&mut caches.forwards, &input) {
                Ok(end) => end.map(|end| at..end.offset()),
                Err(_) => {
                    let cache = self.cache_of_all_ways(&mut caches);
                    self.all_ways.find(cache, input).map(|found| found.range())
                }
            }
        })
    }

    fn cache_of_all_ways<'a>(&self, caches: &'a mut Caches) -> &'a mut pikevm::Cache {
        caches.all_ways.get_or_insert_with(|| self.all_ways.create_cache())
    }

    /// The groups of a match, which is the input; none where the expression has none.
    fn groups(&self, input: &Input<'_>) -> Option<Captures> {
        let nfa = self.forwards.get_nfa();
        if nfa.group_info().explicit_slot_len() == 0 {
            return None;
        }
        let mut groups = Captures::all(nfa.group_info().clone());
        let (slots, mut caches) = (groups.slots_mut(), self.caches.get());
        let one_way = self.one_way.get_or_init(|| onepass::DFA::new_from_nfa(nfa.clone()).ok());
        let found = match one_way {
            Some(dfa) => {
                let cache = caches.one_way.get_or_insert_with(|| dfa.create_cache());
                dfa.try_search_slots(cache, input, slots)
            }
            None => self.back_and_forth.try_search_slots(&mut caches.back_and_forth, input, slots),
        };
        let pattern = found.unwrap_or_else(|_| {
            let cache = self.cache_of_all_ways(&mut caches);
            self.all_ways.search_slots(cache, input, groups.slots_mut())
        });
        groups.set_pattern(pattern);
        Some(groups)
    }
}

impl Finder {
    /// Makes an expression of a rule ready.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let written = written_out(pattern);
        let hir = parsed(&written, true)?;
        match Beginnings::of_pattern(&written) {
            Some(beginnings) => Some(Self::Tried(Box::new(Tries::new(beginnings, &hir)?))),
            None => led(&hir).map(Self::Led),
        }
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
        match self {
            Self::Tried(tries) => tries.next(shown, window, starts, from),
            Self::Led(regex) => {
                regex.search(&Input::new(shown).range(from..)).map(|found| found.range())
            }
        }
    }

    /// Where the group `v` of a match stands, if it takes part: dear beside finding the match.
    pub(super) fn value(&self, shown: &str, whole: &Range<usize>) -> Option<Range<usize>> {
        // What the groups are is decided within the match, which is short beside the window.
        let input = at_once(shown, whole.start).range(whole.clone());
        let groups = match self {
            Self::Tried(tries) => tries.groups(&input)?,
            Self::Led(regex) if regex.captures_len() <= 1 => return None,
            Self::Led(regex) => {
                let mut groups = regex.create_captures();
                regex.search_captures(&input, &mut groups);
                groups
            }
        };
        groups.get_group_by_name("v").map(|value| value.range())
    }
}

/// What leads an expression over every byte.
fn led(hir: &Hir) -> Option<Regex> {
    let config = meta::Config::new()
        .match_kind(MatchKind::LeftmostFirst)
        .nfa_size_limit(Some(MOST_OF_NFA))
        .hybrid_cache_capacity(MOST_OF_CACHE);
    Regex::builder().configure(config).build_from_hir(hir).ok()
}

/// A search for a match that begins at this place.
fn at_once(text: &str, at: usize) -> Input<'_> {
    Input::new(text).range(at..).anchored(Anchored::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same expression, led over every byte.
    fn led_over(pattern: &str) -> Regex {
        led(&parsed(&written_out(pattern), true).unwrap()).unwrap()
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
            assert_eq!(matches!(finder, Finder::Tried(_)), knows, "{pattern}");
        }
    }

    #[test]
    fn an_expression_with_states_without_end_still_finds_what_is_there() {
        let Some(Finder::Tried(tries)) = Finder::new(r"\bkey[ax]*x(?P<v>[ax]{18})y") else {
            panic!("its beginning is known")
        };
        let mut seed = 1_u32;
        let letters = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if seed >> 31 == 0 { 'a' } else { 'x' }
        });
        let text = format!("key{}x{}y", letters.take(600_000).collect::<String>(), "a".repeat(18));
        let mut cache = tries.forwards.create_cache();
        assert!(tries.forwards.try_search_fwd(&mut cache, &at_once(&text, 0)).is_err());
        let found = tries.next(&text, &(0..text.len()), &Starts::of(&text), 0);
        assert_eq!(found, Some(0..text.len()));
        let value = Finder::Tried(tries).value(&text, &(0..text.len())).unwrap();
        assert_eq!(text[value], "a".repeat(18));
    }

    proptest! {
        #[test]
        fn a_try_at_each_place_finds_what_a_search_of_all_finds(
            text in "(pass|Password|word|PIN|key| |_|-|:|é|漢|api|1){0,30}",
        ) {
            for pattern in [r"\b@CRED@\b[ -]?(?P<v>\w+)?", r"\b(?:pins?|api|key)[_ :]+", r"(?:\bpass|wo|漢|é1|api)(?P<v>\w*)"] {
                let (finder, regex) = (Finder::new(pattern).unwrap(), led_over(pattern));
                prop_assert!(matches!(finder, Finder::Tried(_)));
                let found = tried(&finder, &text);
                for at in &found {
                    let mut groups = regex.create_captures();
                    regex.search_captures(&at_once(&text, at.start), &mut groups);
                    let value = groups.get_group_by_name("v").map(|value| value.range());
                    prop_assert_eq!(finder.value(&text, at), value);
                }
                let all = regex.find_iter(&text).map(|found| found.range());
                prop_assert_eq!(found, all.filter(|at| !at.is_empty()).collect::<Vec<_>>());
            }
        }
    }
}
