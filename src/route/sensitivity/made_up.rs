//! Words of letters, digits and signs, as only a secret or a program has them.

use std::ops::Range;

use super::blocks::Blocks;
use super::rule::Needs;

/// The shortest word that may be made up.
const SHORTEST_WORD: usize = 4;
/// The longest word of which a part may be something by itself.
const LONGEST_WORD: usize = 80;

/// From how many letters on a word with digits may be a machine's, and one without them.
const MACHINE: usize = 10;
const MACHINE_LETTERS: usize = 24;

/// Words of letters, digits and signs as no sentence has them: see [`super::value::is_made_up`].
#[derive(Debug)]
pub(super) struct MadeUp {
    /// Where they stand, in order.
    pub(super) all: Vec<Range<usize>>,
    /// The blocks near them.
    near: Blocks,
    /// The blocks near those that only a machine makes.
    machine: Blocks,
    /// The blocks near them, near numbers and near words with signs between them.
    values: Blocks,
}

impl MadeUp {
    /// Those of a stretch.
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (near, machine, values) = (Blocks::NONE, Blocks::NONE, Blocks::NONE);
        let mut words = Self { all: Vec::new(), near, machine, values };
        let mut start = 0;
        for word in bytes.split(|b| KINDS[usize::from(*b)] == 0) {
            if word.len() >= SHORTEST_WORD {
                let kinds = word.iter().fold(0, |kinds, b| kinds | KINDS[usize::from(*b)]);
                words.add(word, kinds, start..start + word.len());
            }
            start += word.len() + 1;
        }
        words
    }

    fn add(&mut self, word: &[u8], kinds: u8, at: Range<usize>) {
        let near = || Blocks::around(at.start, at.end);
        if is_made_up(word, kinds) {
            self.near.add(near());
            self.values.add(near());
            let long = if kinds & DIGIT != 0 { MACHINE } else { MACHINE_LETTERS };
            if word.len() >= long {
                self.machine.add(near());
            }
            self.all.push(at);
        } else if kinds & DIGIT != 0 || kinds & PLAIN != 0 && has_joints(word) {
            self.values.add(near());
        }
    }

    /// Whether some blocks have near them what a rule needs.
    pub(super) fn meet(&self, needs: Needs, blocks: Blocks) -> bool {
        match needs {
            Needs::Nothing => true,
            Needs::MadeUp => self.near.meet(blocks),
            Needs::Machine => self.machine.meet(blocks),
            Needs::Value => self.values.meet(blocks),
        }
    }
}

/// Whether a match may hold a value as a rule needs it: seen at once where it holds none.
///
/// What only a machine makes has digits or is long; other words that are made up have digits, signs
/// or capital letters in them, and a phrase that is a value has dashes. Such a value stands below its
/// name where the match has several lines.
pub(super) fn may_hold(needs: Needs, matched: &str) -> bool {
    let (shown, signs) = match needs {
        Needs::Nothing => return true,
        Needs::MadeUp | Needs::Machine => (matched, DIGIT | ODD),
        Needs::Value => {
            (matched.split_once('\n').map_or(matched, |(_, below)| below), DIGIT | ODD | PLAIN)
        }
    };
    let (mut before, mut length) = (b' ', 0);
    shown.bytes().any(|b| {
        let kind = KINDS[usize::from(b)];
        length = if kind == 0 { 0 } else { length + 1 };
        let tells = kind & signs != 0 || kind & UPPER != 0 && before != b' ' && before != b'\n';
        before = b;
        tells || length >= MACHINE_LETTERS
    })
}

/// Whether several words stand in one, with signs between them.
fn has_joints(word: &[u8]) -> bool {
    word.iter().filter(|b| matches!(b, b'-' | b'_')).count() >= 3
}

/// Sorts of bytes that a word has, as bits.
const PLAIN: u8 = 1;
const DIGIT: u8 = 2;
const LOWER: u8 = 4;
const UPPER: u8 = 8;
const ODD: u8 = 16;

/// The sort of each byte; what ends a word has none.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut n = 0;
    while n < 256 {
        kinds[n] = match n as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'+' | b'=' | b'~' | b'?' => {
                ODD
            }
            b'-' | b'_' | b'.' | b'/' | b':' => PLAIN,
            _ => 0,
        };
        n += 1;
    }
    kinds
};

/// Whether a word with bytes of these sorts may be made up.
fn is_made_up(word: &[u8], kinds: u8) -> bool {
    let has = |kind: u8| kinds & kind != 0;
    let letters = has(LOWER | UPPER);
    if letters && has(DIGIT) || has(DIGIT) && has(ODD) {
        return true;
    }
    // What ends a sentence is no part of its last word.
    let end = word.iter().rev().take_while(|b| matches!(b, b'!' | b'?')).count();
    let odd = || word[..word.len() - end].iter().any(|b| KINDS[usize::from(*b)] == ODD);
    letters && has(ODD) && odd() || word.len() >= 12 && has(UPPER) && has(LOWER)
}

/// The parts of a word that may be values by themselves: `name`, `value` of `name=value`.
/// An address and a blob have none.
pub(super) fn parts(word: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    let parts = word.split([':', '=', '/']).map(move |part| {
        let at = start..start + part.len();
        start = at.end + 1;
        at
    });
    let whole = word.len() > LONGEST_WORD || word.contains("://");
    parts.filter(move |at| !at.is_empty() && !whole)
}

/// Those of the words that stand in a window.
pub(super) fn within<'a>(words: &'a [Range<usize>], window: &Range<usize>) -> &'a [Range<usize>] {
    let first = words.partition_point(|word| word.start < window.start);
    let last = words.partition_point(|word| word.end <= window.end);
    words.get(first..last).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_letters_and_digits_are_made_up_and_those_of_sentences_are_not() {
        let text = "Really? The (maple2 tree), v1.5 or x=y! fooBarBazQux w0rd: plain-words";
        let words: Vec<&str> = MadeUp::of(text).all.into_iter().map(|at| &text[at]).collect();
        assert_eq!(words, ["maple2", "v1.5", "x=y!", "fooBarBazQux", "w0rd:"]);
    }

    #[test]
    fn a_match_that_can_hold_no_value_is_known_at_once() {
        use Needs::{MadeUp, Nothing, Value};
        assert!(may_hold(Nothing, "the password"));
        assert!(!may_hold(MadeUp, "The password is too short, see the - page"));
        assert!(["key a1b2", "key a!b", "key aBc"].iter().all(|text| may_hold(MadeUp, text)));
        assert!(!may_hold(Value, "the 2nd-best password:\nit is gone"));
        assert!(may_hold(Value, "the password:\nred-car-and-sky"));
        assert!(may_hold(Needs::Machine, &"abcdef".repeat(5)));
    }

    #[test]
    fn what_a_rule_needs_is_met_near_it_alone() {
        let text = format!("a fooBarBazQux {} 4821 {}", "and so on ".repeat(90), "x1".repeat(8));
        let words = MadeUp::of(&text);
        let end = text.len();
        let met = |needs, at: usize| words.meet(needs, Blocks::near(at, at + 1));
        assert!(met(Needs::MadeUp, 2) && !met(Needs::Machine, 2) && met(Needs::Machine, end - 9));
        assert!(met(Needs::Nothing, 450) && !met(Needs::Value, 450) && met(Needs::Value, end - 20));
    }

    #[test]
    fn parts_are_those_between_signs_and_addresses_have_none() {
        let parts = |word: &str| parts(word).map(|at| word[at].to_owned()).collect::<Vec<_>>();
        assert_eq!(parts("admin:a1=/b2"), ["admin", "a1", "b2"]);
        assert!(parts("https://a1/b2").is_empty());
    }

    #[test]
    fn the_words_of_a_window_are_whole() {
        let words = [0..4, 10..14, 20..24];
        assert_eq!(within(&words, &(8..24)), &words[1..]);
        assert!(within(&words, &(11..13)).is_empty());
    }
}
