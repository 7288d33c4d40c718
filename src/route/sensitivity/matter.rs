//! What a task as a whole tells of, where no single rule speaks: a score of its words.
//!
//! A rule knows a sentence; who asks a lawyer or weighs a bid does so in a thousand
//! others. Every word, every pair of words and every two or three signs of Japanese
//! that the table knows has a weight, for or against; their sum, over the root of
//! their number, is the score. The weights were fitted to labelled tasks, and
//! `KOUBOU_FIT=FILE cargo test --release --test routing` fits them to others.
//!
//! It finds no secret and takes none for another: keys and passwords are the rules'.
//! It never looks at more than a part of a long text at once, so that a page is not
//! judged by the book that it stands in.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ops::Range;
use std::sync::LazyLock;

use serde_json::Value;

use super::normal::Normal;
use crate::base::quick::Quick;
use crate::base::words;
use crate::task::prompt::Prompt;

/// The signs that are known and their weights in hundredths: one a line, behind it a tab.
const TABLE: &str = include_str!("matter.tsv");

/// The name of the score that a text has before it is read.
pub const BIAS: &str = "=bias";

/// From which score on a text stays in the house.
const ENOUGH: f32 = 1.8;
/// So many signs are a text that can be judged; fewer say less.
const FEW: u32 = 8;
/// Up to which score a short text is plainly of other things.
const HARMLESS: f32 = -1.8;
/// From how many letters and digits in one on they are taken for a key.
const LEAST_MADE_UP: usize = 8;
/// What is short, in bytes.
const SHORT: usize = 800;

/// How much of a text is judged at once, in bytes.
const PART: usize = 4 << 10;

struct Weights {
    /// Each sign's number and weight.
    signs: HashMap<&'static str, (usize, f32), BuildHasherDefault<Quick>>,
    bias: f32,
}

static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| {
    let line = |(n, line): (usize, &'static str)| {
        let (sign, weight) = line.split_once('\t')?;
        Some((sign, (n, weight.parse::<f32>().ok()? / 100.0)))
    };
    let mut signs: HashMap<_, _, _> = TABLE.lines().enumerate().filter_map(line).collect();
    let bias = signs.remove(BIAS).map_or(0.0, |(_, weight)| weight);
    Weights { signs, bias }
});

/// The words of a task, as they are judged: what it asks, with data, files and chat behind it.
pub fn whole(prompt: &Prompt) -> String {
    let mut all = prompt.text.clone();
    for message in prompt.messages.iter().flatten() {
        let content = message.get("content").and_then(Value::as_str);
        all.push('\n');
        all.push_str(content.unwrap_or_default());
    }
    all
}

/// The first part of a text whose words are those of confidential matters.
pub(super) fn find(text: &str) -> Option<Range<usize>> {
    parts(text).find(|part| score(&text[part.clone()]) >= ENOUGH)
}

/// Whether a short text is plainly of other things. In a long one a line may tell of somebody
/// among many that do not.
pub(super) fn is_harmless(text: &str) -> bool {
    text.len() <= SHORT && score(text) <= HARMLESS
}

/// A text in parts, from line to line where lines are short.
fn parts(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= text.len() {
            return None;
        }
        let most = words::boundary(text, start + PART);
        let line = text[start..most].rfind('\n').filter(|_| most < text.len());
        let end = line.filter(|line| *line > PART / 2).map_or(most, |line| start + line + 1);
        let part = start..end;
        start = end;
        Some(part)
    })
}

fn score(part: &str) -> f32 {
    let weights = &*WEIGHTS;
    let (mut seen, mut known, mut sum) = (vec![false; weights.signs.len() + 1], 0_u32, 0.0);
    signs(part, &mut |sign| {
        if let Some((number, weight)) = weights.signs.get(sign)
            && !std::mem::replace(&mut seen[*number], true)
        {
            known += 1;
            sum += weight;
        }
    });
    sum / (known.max(FEW) as f32).sqrt() + weights.bias
}

/// Calls `each` for every sign of a text: words and pairs of words in small letters, any number
/// as `0`, and two and three signs of Japanese that stand together.
pub fn signs(text: &str, each: &mut dyn FnMut(&str)) {
    let normal = Normal::of(text);
    let plain = words::small(normal.text());
    let (mut before, mut pair) = (None, String::new());
    let runs = Runs { text: &plain, at: 0 };
    for run in runs {
        if run.starts_with(is_japanese) {
            grams(run, each);
            before = None;
            continue;
        }
        let word = if run.starts_with(|c: char| c.is_ascii_digit()) { "0" } else { run };
        each(word);
        if let Some(before) = before.replace(word) {
            pair.clear();
            pair.push_str(before);
            pair.push(' ');
            pair.push_str(word);
            each(&pair);
        }
    }
}

fn grams(run: &str, each: &mut dyn FnMut(&str)) {
    let ends: Vec<usize> = run.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
    if let [_] = ends[..] {
        each(run);
    }
    for (n, _) in run.char_indices().enumerate() {
        let start = if n == 0 { 0 } else { ends[n - 1] };
        for end in ends.iter().skip(n + 1).take(2) {
            each(&run[start..*end]);
        }
    }
}

fn is_japanese(c: char) -> bool {
    matches!(c, 'ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー' | '一'..='鿿' | '々' | '〆')
}

/// The length of a key or a number of a thing that a text begins with: letters and digits in one,
/// which are no words, whatever they seem to spell.
fn made_up(rest: &str) -> Option<usize> {
    let end = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let chunk = &rest.as_bytes()[..end];
    let mixed =
        || chunk.iter().any(u8::is_ascii_digit) && chunk.iter().any(u8::is_ascii_alphabetic);
    (end >= LEAST_MADE_UP && mixed()).then_some(end)
}

/// Whether a byte is a sign of ASCII that is part of no run.
fn is_between(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'$' | b'%')
}

/// The runs of one kind in a text: a word, a number, a sign of money, or Japanese.
struct Runs<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Runs<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            self.at +=
                self.text.as_bytes()[self.at..].iter().take_while(|b| is_between(**b)).count();
            let rest = &self.text[self.at..];
            let first = rest.chars().next()?;
            if let Some(end) = made_up(rest) {
                self.at += end;
                continue;
            }
            let end = match first {
                'a'..='z' => {
                    let part = |b: &u8| b.is_ascii_lowercase() || *b == b'\'';
                    rest.bytes().take_while(part).count()
                }
                '0'..='9' => rest.bytes().take_while(u8::is_ascii_digit).count(),
                c if is_japanese(c) => rest.find(|c| !is_japanese(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            self.at += end;
            if first.is_ascii_alphanumeric()
                || is_japanese(first)
                || matches!(first, '$' | '€' | '£' | '¥' | '%')
            {
                return Some(rest[..end].trim_end_matches('\''));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        signs(text, &mut |sign| all.push(sign.to_owned()));
        all
    }

    #[test]
    fn the_signs_of_a_text_are_words_pairs_and_neighbours() {
        assert_eq!(
            all("Don't pay £1,200"),
            ["don't", "pay", "don't pay", "£", "pay £", "0", "£ 0", "0", "0 0"]
        );
        assert_eq!(all("弁護士に"), ["弁護", "弁護士", "護士", "護士に", "士に"]);
        assert_eq!(all("案 A"), ["案", "a"]);
    }

    #[test]
    fn a_key_is_no_word_whatever_it_seems_to_spell() {
        assert_eq!(
            all("pin a7x9staff0bid2 for 62k"),
            ["pin", "for", "pin for", "0", "for 0", "k", "0 k"]
        );
    }

    #[test]
    fn a_long_text_is_judged_in_parts_that_hold_all_of_it() {
        let text = "one line of many\n".repeat(2000);
        let parts: Vec<_> = parts(&text).collect();
        assert!(parts.iter().all(|part| part.len() <= PART && text[part.clone()].ends_with('\n')));
        assert_eq!(parts.iter().map(ExactSizeIterator::len).sum::<usize>(), text.len());
    }

    #[test]
    fn ones_own_affairs_are_told_from_questions_about_such() {
        for text in [
            "Our counsel thinks the other side will settle for 62k; we would go to 80k. Draft the reply.",
            "先方の社長はまだ従業員に話していません。買収価格は9億までなら出せます。交渉の進め方を整理して",
            "Phil has been off sick since March and we think he drinks. Draft what I say to him on Monday.",
        ] {
            assert!(find(text).is_some(), "{text}: {}", score(text));
        }
        for text in [
            "What is the difference between a settlement and a judgment?",
            "株式譲渡と事業譲渡の違いを教えてください",
            "Write a function that sorts a list of numbers and add tests for it.",
        ] {
            assert!(find(text).is_none() && is_harmless(text), "{text}: {}", score(text));
        }
        let one_among_many = "Sort a list of numbers and add tests for it. ".repeat(40);
        assert!(!is_harmless(&one_among_many), "what is long may hold a line of another kind");
    }
}
