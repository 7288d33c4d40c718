//! The lists of `difficulty_keywords`.
//!
//! A list that is given takes the place of the shipped one of its level: the
//! shipped words of that level say nothing any more, and the given ones speak
//! loudly. A keyword of plain English words counts by the word, in its ordinary
//! forms and not within names; any other is found wherever it stands.

use std::collections::HashSet;

use aho_corasick::AhoCorasick;

use super::lexicon::{Feature, Hit, Lexicon, Spellings, forms};
use crate::task::Difficulty;

/// The original design's keywords and the same in Japanese: what a given list replaces.
const SHIPPED: &[(Difficulty, &str)] = &[
    (
        Difficulty::High,
        "architecture, design pattern, distributed, optimization, algorithm, concurrent, concurrency, \
         アーキテクチャ, 設計, 分散, 最適化, アルゴリズム, 並行",
    ),
    (
        Difficulty::Medium,
        "refactor, implement, api, database, integration, リファクタ, リファクタリング, 実装, データベース, 統合",
    ),
    (
        Difficulty::Low,
        "fix, update, add comment, rename, format, 修正, 更新, コメントを追加, 整形, 改名",
    ),
];

/// The keywords of the settings.
#[derive(Debug, Default)]
pub(super) struct Keywords {
    given: Vec<(Difficulty, String)>,
    /// Spellings of shipped words that a given list has replaced.
    silenced: HashSet<String>,
    by_word: Option<Lexicon>,
    anywhere: Option<(AhoCorasick, Vec<Difficulty>)>,
}

/// How much a keyword of the settings counts. One of medium difficulty pulls towards the middle.
pub(super) fn weight(level: Difficulty) -> f64 {
    match level {
        Difficulty::Low => -1.5,
        Difficulty::Medium => 0.0,
        Difficulty::High => 2.0,
    }
}

impl Keywords {
    /// Puts `keywords` in the place of all those of this level.
    pub(super) fn replace(
        &mut self,
        level: Difficulty,
        keywords: impl IntoIterator<Item = String>,
    ) {
        let shipped = SHIPPED.iter().filter(|(other, _)| *other == level);
        for word in shipped.flat_map(|(_, words)| words.split(',')).map(str::trim) {
            self.silenced.extend(all_forms(word));
        }
        self.given.retain(|(other, _)| *other != level);
        let keywords = keywords.into_iter().map(|keyword| keyword.trim().to_lowercase());
        self.given.extend(keywords.filter(|word| !word.is_empty()).map(|word| (level, word)));
        self.build();
    }

    fn build(&mut self) {
        let mut by_word = Spellings::default();
        let mut anywhere = Vec::new();
        for (level, keyword) in &self.given {
            if !is_plain(keyword) {
                anywhere.push((keyword.as_str(), *level));
                continue;
            }
            for form in all_forms(keyword) {
                let entry = by_word.entry(form).or_default();
                let mine = (Feature::Keyword, weight(*level));
                if entry.noun.is_none_or(|(_, other)| other < mine.1) {
                    entry.noun = Some(mine);
                }
            }
        }
        self.by_word = (!by_word.is_empty()).then(|| Lexicon::of(by_word));
        let (words, levels): (Vec<&str>, Vec<Difficulty>) = anywhere.into_iter().unzip();
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(words);
        self.anywhere = automaton.ok().filter(|_| !levels.is_empty()).map(|found| (found, levels));
    }

    /// Whether a spelling of the shipped lexicon says nothing here.
    pub(super) fn has_silenced(&self, spelled: &str) -> bool {
        !self.silenced.is_empty() && self.silenced.contains(spelled)
    }

    /// The keywords in a plain text.
    pub(super) fn find(&self, plain: &str) -> Vec<Hit> {
        self.by_word.as_ref().map(|lexicon| lexicon.find(plain)).unwrap_or_default()
    }

    /// The keywords that are found wherever they stand, with their place in the text as it is written.
    pub(super) fn find_anywhere<'a>(
        &'a self,
        text: &'a str,
    ) -> impl Iterator<Item = (Difficulty, usize, usize)> + 'a {
        self.anywhere.iter().flat_map(move |(automaton, levels)| {
            let found = automaton.find_iter(text);
            found.map(|found| (levels[found.pattern().as_usize()], found.start(), found.end()))
        })
    }
}

/// Whether a keyword is of English words alone.
fn is_plain(keyword: &str) -> bool {
    keyword.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-'))
}

/// The forms of a keyword that may be verb or noun: `optimization` also stands for `optimize`.
fn all_forms(keyword: &str) -> Vec<String> {
    let words: Vec<&str> = keyword.split([' ', '-']).filter(|word| !word.is_empty()).collect();
    let term = words.join(" ");
    let mut terms = vec![term.clone()];
    if let Some(base) = term.strip_suffix("isation") {
        terms.push(format!("{base}ization"));
    }
    for term in terms.clone() {
        if let Some(base) = term.strip_suffix("ation") {
            terms.extend([base.to_owned() + "e", base.to_owned() + "ate"]);
        } else if let Some(base) = term.strip_suffix("ate").or(term.strip_suffix('e')) {
            terms.push(format!("{base}ation"));
        } else if term.is_ascii() {
            terms.push(format!("{term}ation"));
        }
    }
    let both = |term: &String| [forms(term, true), forms(term, false)].concat();
    terms.iter().flat_map(both).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_has_the_forms_of_verb_and_noun() {
        let has = |keyword: &str, form: &str| all_forms(keyword).contains(&form.to_owned());
        assert!(has("optimization", " optimising") && has("integrate", " integration"));
        assert!(has("implement", " implementations") && has("design-pattern", " design patterns"));
        assert!(has("prove", " proving") && has("設計", "設計"));
    }
}
