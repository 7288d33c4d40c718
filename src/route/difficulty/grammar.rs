//! The little of grammar that is needed: which words open a place or a condition
//! in English, and which endings ask in Japanese.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

use super::plain::{COLON, ITEM, PARAGRAPH, PAUSE, STOP};
use crate::base::quick::Quick;

/// What an English word does in its sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A word of politeness, before which nothing is decided.
    Filler,
    /// A word behind which stands what the object is in or of.
    Preposition,
    /// A word that begins a condition.
    Subordinator,
}

const PARTS: &[(Part, &str)] = &[
    (
        Part::Filler,
        "please can could would you i we want need needs like lets help me us must should also now first next \
         finally kindly hey hi hello have id will task pls thanks thx one ill may might its",
    ),
    (
        Part::Preposition,
        "in of for from on with by via into at as under over within inside about per between against after before \
         through throughout below above",
    ),
    (
        Part::Subordinator,
        "that which so when while because if where until without such unless who whose is are was has does since but",
    ),
];

/// What a word does, where it does any such thing.
pub(super) fn part_of(word: &str) -> Option<Part> {
    static WORDS: LazyLock<HashMap<&str, Part, BuildHasherDefault<Quick>>> = LazyLock::new(|| {
        let words = |(part, words): &(Part, &'static str)| {
            let part = *part;
            words.split_ascii_whitespace().map(move |word| (word, part))
        };
        PARTS.iter().flat_map(words).collect()
    });
    WORDS.get(word).copied()
}

/// Whether an English word is a noun in a Japanese sentence, by what stands behind it.
pub(super) fn is_japanese_noun(behind: &str) -> bool {
    behind.starts_with(|c: char| !c.is_ascii())
        && !["する", "し", "せ"].iter().any(|tail| behind.starts_with(tail))
}

/// Whether a Japanese verb asks, by what stands behind it. One in plain kana always does.
pub(super) fn asks(before: &str, spelled: &str, behind: &str) -> bool {
    const TOLD: &[&str] = &[
        "された",
        "されて",
        "されない",
        "される",
        "している",
        "していた",
        "したところ",
        "した後",
        "したら",
        "すると",
    ];
    const ASKED: &[&str] = &[
        "する",
        "し",
        "せ",
        "さ",
        "を行",
        "をお",
        "をし",
        "をせ",
        "を願",
        "願",
        "お願",
        "くだ",
        "下さ",
        "が必要",
        "を頼",
        "たい",
        "すべき",
        "方法を",
        "をす",
    ];
    if TOLD.iter().any(|tail| behind.starts_with(tail)) {
        return false;
    }
    // With its object in it, it is a verb whatever its ending.
    if spelled.contains('を') {
        return true;
    }
    let last = spelled.chars().next_back().unwrap_or_default();
    let is_stem =
        !matches!(last, 'て' | 'で' | 'る' | 'す' | 'く' | 'む' | 'け' | 'せ' | 'に' | 'を' | 'か');
    if ('ぁ'..='ん').contains(&last) && is_stem {
        const ENDINGS: &[&str] = &[
            "て", "で", "た", "ま", "な", "る", "ろ", "ん", "せ", "を", "え", "き", "く", "む",
            "し", "す", "か",
        ];
        return ends(behind) || ENDINGS.iter().any(|tail| behind.starts_with(tail));
    }
    let is_verb = ('ぁ'..='ん').contains(&last);
    is_verb || ends_asking(before, behind) || ASKED.iter().any(|tail| behind.starts_with(tail))
}

/// Whether a Japanese noun is what the verb is done to.
pub(super) fn is_object(behind: &str) -> bool {
    const PARTICLES: &[&str] = &[
        "を",
        "が",
        "は",
        "も",
        "と",
        "や",
        "だけ",
        "のみ",
        "の修正",
        "の変更",
        "の訂正",
        "の削除",
        "の追加",
        "の更新",
        "の統一",
        "に誤",
        "・",
    ];
    ends(behind) || PARTICLES.iter().any(|particle| behind.starts_with(particle))
}

/// Whether a sentence ends here, or a clause behind its object: `テストを追加、` asks, `追加、` in a list does not.
fn ends_asking(before: &str, behind: &str) -> bool {
    ends(behind) && (before.ends_with('を') || !behind.starts_with(PAUSE))
}

/// Whether a clause ends here.
fn ends(behind: &str) -> bool {
    behind.chars().next().is_none_or(|c| matches!(c, STOP | PAUSE | COLON | PARAGRAPH | ITEM))
}
