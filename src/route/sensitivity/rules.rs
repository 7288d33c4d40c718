//! The one pass that runs those rules that can hold.
//!
//! The cues of all rules are found in one pass; each expression goes only over the blocks
//! around its own cues. None can take more than time in proportion to the text.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use super::blocks::{Blocks, stretches};
use super::cues::{Cues, Stands};
use super::finder::Finder;
use super::made_up::{MadeUp, may_hold, parts, within};
use super::rule::{Family, Found, Hit, LINES, MADE_UP_WORDS, Needs, Rule};
use super::starts::Starts;
use crate::base::threads::in_turn;

/// The most places at which one rule is tried in one stretch.
const MOST_TRIES: usize = 256;
/// The shortest run of letters and digits in which a key that begins with two letters can stand.
const SHORTEST_KEY: usize = 20;
/// The fewest digits of a number that says something by itself.
const FEWEST_DIGITS: usize = 9;

/// A rule with its expression, which is made ready when the rule is first tried.
#[derive(Debug)]
struct Ready {
    rule: &'static Rule,
    finder: OnceLock<Option<Finder>>,
}

/// Rules made ready.
#[derive(Debug)]
pub(super) struct Rules {
    cues: Cues,
    /// The rules that each cue wakes.
    wakes: Vec<Vec<Waked>>,
    rules: Vec<Ready>,
    /// The rules without cues, which are about long numbers.
    of_numbers: Vec<usize>,
}

impl Rules {
    /// Makes rules ready.
    pub(super) fn new(tables: &[&'static [Rule]]) -> Self {
        let (mut cues, mut wakes, mut of_numbers) =
            (Vec::<(&str, Stands)>::new(), Vec::<Vec<Waked>>::new(), Vec::new());
        let mut rules = Vec::new();
        let mut known = HashMap::new();
        for (n, rule) in tables.iter().flat_map(|table| table.iter()).enumerate() {
            if rule.cues.is_empty() {
                of_numbers.push(n);
            }
            for cue in rule.cues {
                let at = *known.entry(*cue).or_insert_with(|| {
                    cues.push((*cue, Stands::AtAStart));
                    wakes.push(Vec::new());
                    cues.len() - 1
                });
                let family = rule.sort();
                if !matches!(family, Family::Prose) {
                    cues[at].1 = Stands::Anywhere;
                }
                wakes[at].push(Waked { rule: n, family, needs: rule.needs });
            }
            rules.push(Ready { rule, finder: OnceLock::new() });
        }
        Self { cues: Cues::new(cues.into_iter()), wakes, rules, of_numbers }
    }

    /// Calls `found` for each thing in `text`, until it says that it is enough.
    ///
    /// In a text that was `glued` from parts only keys and markings count.
    pub(super) fn scan(&self, text: &str, glued: bool, found: &mut dyn FnMut(Found) -> bool) {
        for stretch in stretches(text) {
            let part = &text[stretch.clone()];
            let (words, starts) = (MadeUp::of(part), Starts::of(part));
            let awake = self.awake(part, &words);
            // Words that were only put together prove nothing by standing side by side.
            let proves = |rule: &Rule| {
                !glued || matches!(rule.family, "key" | "marking") || rule.id == "url_password"
            };
            let tried = self.rules.iter().zip(awake);
            let tried: Vec<_> = tried
                .filter(|(ready, blocks)| *blocks != Blocks::NONE && proves(ready.rule))
                .collect();
            make_ready(&tried);
            for (ready, blocks) in tried {
                let blocks = if ready.rule.reaches_far() { Blocks::ALL } else { blocks };
                for window in blocks.windows(part) {
                    let inside = within(&words.all, &window);
                    let place = Place { text: part, window, offset: stretch.start };
                    let goes_on = match ready.rule.pattern {
                        MADE_UP_WORDS => ready.look_at(inside, &place, found),
                        LINES => ready.look_at_lines(&place, found),
                        _ => ready.run(&place, &starts, found),
                    };
                    if !goes_on {
                        return;
                    }
                }
            }
        }
    }

    /// For each rule the blocks of a stretch that are near its cues and near what it needs besides.
    fn awake(&self, text: &str, words: &MadeUp) -> Vec<Blocks> {
        let mut awake = vec![Blocks::NONE; self.rules.len()];
        if !self.of_numbers.is_empty() {
            let near = long_numbers(text);
            for n in &self.of_numbers {
                awake[*n] = near;
            }
        }
        let bytes = text.as_bytes();
        self.cues.each(text, |hit| {
            let near = Blocks::near(hit.start, hit.end);
            let inside = hit.start > 0
                && bytes[hit.start].is_ascii_alphabetic()
                && bytes[hit.start - 1].is_ascii_alphabetic();
            let short = hit.end - hit.start < 4;
            let alone = short && !is_in_a_key(bytes, hit.start);
            for Waked { rule, family, needs } in &self.wakes[hit.word] {
                // Two letters begin a key only where one could be; sentences are
                // made of whole words: `mapping` speaks of no PIN.
                let asleep = match family {
                    Family::Key => alone,
                    Family::Prose => inside,
                    Family::Other => false,
                };
                if !asleep && words.meet(*needs, near) {
                    awake[*rule].add(near);
                }
            }
        });
        awake
    }
}

/// Makes those expressions ready that are not yet, all processors at once: the first text that
/// wakes many would wait for one after the other.
fn make_ready(tried: &[(&Ready, Blocks)]) {
    let is_new = |ready: &&Ready| ready.has_expression() && ready.finder.get().is_none();
    let new: Vec<&Ready> = tried.iter().map(|(ready, _)| *ready).filter(is_new).collect();
    in_turn(new.len(), |n| _ = new[n].finder());
}

/// A rule that a cue wakes.
#[derive(Clone, Copy, Debug)]
struct Waked {
    rule: usize,
    family: Family,
    needs: Needs,
}

/// Whether so many letters and digits stand together at a place that they could be a key.
fn is_in_a_key(bytes: &[u8], at: usize) -> bool {
    let part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b'+');
    let before = bytes[..at].iter().rev().take(SHORTEST_KEY).take_while(part).count();
    let after = bytes[at..].iter().take(SHORTEST_KEY).take_while(part).count();
    before + after >= SHORTEST_KEY
}

/// The blocks around numbers that are as long as those of cards, accounts and persons.
fn long_numbers(text: &str) -> Blocks {
    let mut near = Blocks::NONE;
    let (mut start, mut digits) = (0, 0);
    for (at, b) in text.bytes().chain([0]).enumerate() {
        match b {
            b'0'..=b'9' => digits += 1,
            b' ' | b'-' | b'A'..=b'Z' => {}
            _ => {
                if digits >= FEWEST_DIGITS {
                    near.add(Blocks::near(start, at));
                }
                (start, digits) = (at + 1, 0);
            }
        }
    }
    near
}

/// A window of a stretch, and where the stretch begins in the text.
struct Place<'a> {
    text: &'a str,
    window: Range<usize>,
    offset: usize,
}

impl Ready {
    fn has_expression(&self) -> bool {
        !matches!(self.rule.pattern, MADE_UP_WORDS | LINES)
    }

    fn finder(&self) -> Option<&Finder> {
        self.finder.get_or_init(|| Finder::new(self.rule.pattern)).as_ref()
    }

    /// Tries the rule in a window, where its expression can hold; says whether to go on.
    fn run(
        &self,
        place: &Place<'_>,
        starts: &Starts,
        found: &mut dyn FnMut(Found) -> bool,
    ) -> bool {
        let offset = place.offset + place.window.start;
        let text = &place.text[place.window.clone()];
        let Some(finder) = self.finder() else {
            // Not reached, as a test makes them all; a rule that cannot be tried clears nothing.
            return found(self.found(offset..offset + text.len(), false));
        };
        let mut from = 0;
        for _ in 0..MOST_TRIES {
            let whole = finder.next(place.text, &place.window, starts, from);
            let Some(whole) = whole.filter(|whole| !whole.is_empty()) else { return true };
            from = whole.end;
            if !may_hold(self.rule.needs, &text[whole.clone()]) {
                continue;
            }
            let value = finder.value(text, &whole);
            let shaped = value.is_some();
            let at = value.unwrap_or_else(|| whole.clone());
            let hit = Hit { text, whole, at: at.clone() };
            if !at.is_empty() && (self.rule.check)(&hit) {
                return found(self.found(at.start + offset..at.end + offset, shaped));
            }
        }
        true
    }

    /// Tries the rule on made-up words; says whether to go on.
    fn look_at(
        &self,
        words: &[Range<usize>],
        place: &Place<'_>,
        found: &mut dyn FnMut(Found) -> bool,
    ) -> bool {
        let from = place.window.start;
        let text = &place.text[place.window.clone()];
        for word in words.iter().take(MOST_TRIES) {
            for at in parts(&place.text[word.clone()]) {
                let (start, end) = (word.start + at.start, word.start + at.end);
                let at = start - from..end - from;
                let hit = Hit { text, whole: at.clone(), at };
                if (self.rule.check)(&hit) {
                    return found(self.found(start + place.offset..end + place.offset, true));
                }
            }
        }
        true
    }

    /// Tries the rule on each line of a text; says whether to go on.
    fn look_at_lines(&self, place: &Place<'_>, found: &mut dyn FnMut(Found) -> bool) -> bool {
        let (text, offset) = (&place.text[place.window.clone()], place.offset + place.window.start);
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let at = start..start + line.len();
            start = at.end;
            let hit = Hit { text, whole: at.clone(), at: at.clone() };
            if (self.rule.check)(&hit) {
                return found(self.found(at.start + offset..at.end + offset, false));
            }
        }
        true
    }

    fn found(&self, at: Range<usize>, shaped: bool) -> Found {
        let Rule { id, family, why, .. } = *self.rule;
        Found { rule: id.into(), family, why: why.into(), at, shaped }
    }
}

/// Whether the rules of a table find anything in a text.
#[cfg(test)]
pub(super) fn finds(table: &'static [Rule], text: &str) -> bool {
    let mut any = false;
    let rules = Rules::new(&[table]);
    rules.scan(text, false, &mut |_| {
        any = true;
        false
    });
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Rule] = &[Rule {
        id: "greeting",
        family: "test",
        needs: Needs::Nothing,
        why: "a greeting stands here",
        cues: &["hello"],
        pattern: r"\bhello\s(?P<v>\w+)",
        check: |hit| hit.value() != "nobody",
    }];

    fn values(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        let rules = Rules::new(&[TABLE]);
        rules.scan(text, false, &mut |found| {
            all.push(text[found.at].to_owned());
            true
        });
        all
    }

    #[test]
    fn what_the_check_refuses_hides_nothing_behind_it() {
        assert_eq!(values("hello nobody, Hello World"), ["World"]);
        assert!(values("othello Venice").is_empty());
    }

    #[test]
    fn what_stands_at_a_seam_of_stretches_is_found() {
        let text = "aé漢\n".repeat(20_000);
        for at in [text.len() - 300, 16 << 10, (16 << 10) - 8] {
            let at = crate::base::words::boundary(&text, at);
            let said = format!("{} hello you {}", &text[..at], &text[at..]);
            // Where the seam cuts it, it is seen whole in the next stretch.
            assert_eq!(values(&said).last().map(String::as_str), Some("you"), "{at}");
        }
    }

    #[test]
    fn every_rule_is_an_expression_of_bounded_size() {
        for table in super::super::TABLES {
            for rule in *table {
                assert!(Finder::new(rule.pattern).is_some(), "{}: {}", rule.id, rule.pattern);
                assert!(rule.cues.iter().all(|cue| *cue == cue.to_lowercase()), "{}", rule.id);
            }
        }
    }
}
