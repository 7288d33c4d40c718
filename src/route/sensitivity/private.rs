//! Somebody in particular, with something that is nobody else's business.
//!
//! "田中さんの診断書", "performance review of Jane Roe": a name alone is public and
//! an illness alone is medicine; both near one another are a record of somebody. The
//! words for the matters are looked for first, so a text without them costs one pass.

use std::ops::Range;

use super::blocks::stretches;
use super::expression::Expression;
use super::facts::{Fact, Weight, facts};
use super::persons::{Person, Sure, persons};
use super::rule::Found;
use crate::base::words;

/// How far a matter may stand from the name, in bytes.
const REACH: usize = 240;

/// The longest name, in bytes.
const LONGEST_NAME: usize = 48;

/// The most matters that are weighed in one stretch.
const MOST_FACTS: usize = 512;

/// A number that says something of a person: a date, an amount, an age, a long number.
static NUMBER: Expression = Expression::new(concat!(
    r"(?:@EMAIL@|(?:^|[^\d])0\d{1,3}[- ]?\d{2,4}[- ]?\d{3,4}|\+\d{1,3}[ .-]\d[\d .-]{6,14}|\(\d{3}\) ?\d{3}-\d{4}|\d{3}[-.]\d{3}[-.]\d{4}",
    r"|\b[A-Z]{0,3}\d{5,12}\b|ending \d{4}|下4桁|\d{1,3}h\b|[$€£¥]\d|\d{1,3},\d{3}|\d+万|\d{2,3}k\b|(?:19|20)\d\d[-/年]\d{1,2}|\d{1,2}[歳才]|, ?\d{1,2}[,)]|\(\d{1,2}\)|\b\d{2}[MF]\b|\d{1,3}点",
    r"|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|\bb\. ?\d|(?:aged? |born (?:on |in )?)\d|\d{1,2} days|[\p{Han}ヶ]\d{1,4}-\d{1,4}|丁目?\d|\d{1,4} (?-i:[A-Z][a-z]+) (?:Row|Street|St|Road|Rd|Lane|Avenue|Ave|Drive|Court|Ct|Close|Way|Terrace|Place|Crescent|Square|Gardens)\b|[:,|] ?\d{1,3}\b)",
));

/// A telephone number or an address where somebody can be found.
static WAY_TO_REACH: Expression = Expression::new(concat!(
    r"(?:(?:^|[^\d.-])0\d{9,10}(?:[^\d]|$)|(?:^|[^\d])0\d{1,3}-\d{2,4}-\d{3,4}|\+\d{1,3}[ .-]\d[\d .-]{6,14}|\(\d{3}\) ?\d{3}-\d{4}|\b\d{3}[-.]\d{3}[-.]\d{4}\b|〒\d{3}|",
    r"[\p{Han}ヶ]\d{1,4}(?:-\d{1,4}){1,3}|[市区町村]\p{Han}{1,8}\d{1,3}(?:丁目|番|-)|\b(?-i:[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2})\b|",
    r"\b\d{1,4}[A-Z]? (?-i:(?:The )?[A-Z][a-z]+(?: [A-Z][a-z]+)?) (?-i:Row|Street|St|Road|Rd|Lane|Avenue|Ave|Drive|Court|Ct|Close|Way|Terrace|Place|Crescent|Gardens|Mews)\b)",
));

/// Signs of a shop or an office that wants to be found.
static BUSINESS_PLACE: Expression = Expression::new(concat!(
    r"(?:\bour (?:shop|store|cafe|restaurant|clinic|salon|bakery|office)\b|\bopening hours\b|\bopen \d|\bhotline\b|\bpublic\b|\bflyer\b|\bpress contact\b|0[58]00[ -]|",
    r"営業時間|定休日|代表電話|お客様相談|当店|本社|お店|店舗|会社案内|フリーダイヤル|0120|公式サイト|チラシ|観光|[^\p{Han}]例[:：]|例えば)",
));

/// A name with a number or a note behind it, as entries of a list have.
static ENTRY: Expression = Expression::new(concat!(
    r"(?:(?-i:\b[A-Z][a-z]{1,15} (?:O'|Mc|Mac)?[A-Z][a-z]{1,20})(?: ?\((?:age |aged )?\d|[;,|:\t] ?[^\s;,|][^;,|\n]{0,20}[;,|:\t] ?\d|: ?\d| \d{2,})",
    r"|[\p{Han}々]{1,4}[ ]?[\p{Han}\p{Katakana}\p{Hiragana}]{0,4}[ :、,(|\t]{1,2}\d{2,4}(?:万|円|千円|点|歳|株|才))",
));

/// Finds the first person of whom something private is told.
pub(super) fn find(text: &str) -> Option<Found> {
    stretches(text).find_map(|stretch| {
        let part = &text[stretch.clone()];
        if !may_name_somebody(part) {
            return None;
        }
        let told = facts(part, MOST_FACTS);
        if told.is_empty() {
            return None;
        }
        let at = told_of(part, &told)?;
        Some(Found {
            rule: "private_matter".into(),
            family: "person",
            why: "something private is told of a person by name here".into(),
            at: at.start + stretch.start..at.end + stretch.start,
            shaped: false,
        })
    })
}

/// Whether there is anything in a text that a name is made of; it is cheap to know.
fn may_name_somebody(text: &str) -> bool {
    let is_sign = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || !b.is_ascii();
    let whose = ["my ", "our ", "his ", "her ", "their "];
    text.bytes().any(is_sign) || whose.iter().any(|word| text.contains(word))
}

fn told_of(text: &str, told: &[Fact]) -> Option<Range<usize>> {
    let mut people = Vec::new();
    for place in places(text, told) {
        let found = persons(&text[place.clone()]).into_iter();
        people.extend(found.map(|person| Person {
            at: person.at.start + place.start..person.at.end + place.start,
            ..person
        }));
    }
    let person = people.iter().find(|person| is_private(text, person, &people, told))?;
    Some(person.at.clone())
}

/// Where persons of whom something is told could stand: near what says enough, alone or with a number.
fn places(text: &str, told: &[Fact]) -> Vec<Range<usize>> {
    let mut places: Vec<Range<usize>> = Vec::new();
    for fact in told {
        let has_number = || {
            let around = around(text, &fact.at, 2 * REACH);
            text.as_bytes()[around].iter().any(|b| b.is_ascii_digit() || *b == b'@')
        };
        if fact.weight == Weight::Plain && !has_number() {
            continue;
        }
        let place = around(text, &fact.at, REACH + LONGEST_NAME);
        match places.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => places.push(place),
        }
    }
    places
}

/// A stretch with so much before and behind it, from blank to blank where one is near.
fn around(text: &str, at: &Range<usize>, reach: usize) -> Range<usize> {
    let start = words::boundary(text, at.start.saturating_sub(reach));
    let end = words::boundary(text, at.end.saturating_add(reach));
    let blank = |c: char| c.is_ascii_whitespace();
    let before = words::boundary(text, start.saturating_sub(LONGEST_NAME));
    let start = text[before..start].rfind(blank).map_or(start, |n| before + n);
    let behind = words::boundary(text, end.saturating_add(LONGEST_NAME));
    let end = text[end..behind].find(blank).map_or(end, |n| end + n);
    start..end
}

/// Whether what is told near a person is that person's private matter.
fn is_private(text: &str, person: &Person, people: &[Person], told: &[Fact]) -> bool {
    let around = near(text, &person.at, REACH);
    let facts: Vec<&Fact> = told
        .iter()
        .filter(|fact| around.start <= fact.at.start && fact.at.end <= around.end)
        .filter(|fact| fact.at.end <= person.at.start || fact.at.start >= person.at.end)
        .collect();
    let Some(gravest) = facts.iter().map(|fact| fact.weight).max() else { return false };
    let shown = &text[around.clone()];
    let with = |sure: Sure| {
        people.iter().any(|other| {
            other.sure >= sure
                && other.at != person.at
                && around.contains(&other.at.start)
                && text[other.at.clone()] != text[person.at.clone()]
        })
    };
    let count = facts.len();
    let detail = || NUMBER.is_match(shown);
    let told = match (person.sure, gravest) {
        (Sure::Named, Weight::Intimate | Weight::Grave) => true,
        (Sure::Named, Weight::Plain) => {
            WAY_TO_REACH.is_match(shown) && !BUSINESS_PLACE.is_match(shown)
                || count >= 2 && detail() && !BUSINESS_PLACE.is_match(shown)
                || detail() && ENTRY.find_iter(shown).take(2).count() == 2
        }
        (Sure::Part, Weight::Intimate) => true,
        (Sure::Part, Weight::Grave) => detail() || count >= 2 || with(Sure::Part),
        (Sure::Part, Weight::Plain) => count >= 2 && WAY_TO_REACH.is_match(shown),
        (Sure::Relation, Weight::Intimate) => true,
        (Sure::Relation, Weight::Grave) => {
            WAY_TO_REACH.is_match(shown) || with(Sure::Part) && count >= 2
        }
        (Sure::Relation, Weight::Plain) => false,
    };
    told && !is_general(shown)
}

/// The sentence around a name, within reach.
fn near(text: &str, name: &Range<usize>, reach: usize) -> Range<usize> {
    let start = words::boundary(text, name.start.saturating_sub(reach));
    let end = words::boundary(text, name.end.saturating_add(reach));
    let start = text[start..name.start].rfind("\n\n").map_or(start, |n| start + n);
    let end = text[name.end..end].find("\n\n").map_or(end, |n| name.end + n);
    start..end
}

/// Whether the talk is of history, fiction, samples, or of persons in general.
fn is_general(near: &str) -> bool {
    const SIGNS: &[&str] = &[
        "biograph",
        "wikipedia",
        "novel",
        "fiction",
        "character",
        "historian",
        "nobel",
        "laureate",
        "president of the",
        "prime minister",
        "emperor",
        "composer",
        "painter",
        "poet",
        "mathematician",
        "physicist",
        "scientist",
        "inventor",
        "actor",
        "actress",
        "singer",
        "author of",
        "wrote ",
        "won the",
        "invented",
        "discovered",
        "theorem",
        "century",
        "movie",
        "film",
        "famous",
        "celebrity",
        "founder of",
        "published in",
        "18th",
        "19th",
        "placeholder",
        "lorem",
        "fixture",
        "faker",
        "mock",
        "seed data",
        "sample data",
        "fake ",
        "dummy",
        "invented example",
        "made-up",
        "made up",
        "imaginary",
        "hypothetical",
        "for example, ",
        "role-play",
        "roleplay",
        "role play",
        "template",
        "short story",
        "screenplay",
        "dialogue between",
        "detective story",
        "fairy tale",
        "myth",
        "bible",
        "license",
        "copyright",
        "signed-off-by",
        "co-authored-by",
        "case study from",
        "textbook",
        "in general",
        "generally",
        "[name]",
        "{name}",
        "<name>",
        "quiz",
        "github.com",
        "readme",
        "changelog",
        "::",
        "crossword",
        "riddle",
        "poem about",
        "joke",
        "lyrics",
        "song",
        "d&d",
        "npc",
        "episode",
        "season ",
        "plot of",
        "小説",
        "主人公",
        "登場人物",
        "歴史",
        "伝記",
        "首相",
        "大統領",
        "総理",
        "作家",
        "俳優",
        "画家",
        "作曲家",
        "科学者",
        "発明家",
        "ノーベル",
        "世紀",
        "時代",
        "映画",
        "ドラマ",
        "選手",
        "監督",
        "著者",
        "ダミー",
        "テストデータ",
        "架空",
        "サンプル",
        "雛形",
        "ひな形",
        "テンプレート",
        "空欄",
        "仮の",
        "例文",
        "昔話",
        "童話",
        "一般的な",
        "一般論",
        "とは何",
        "とは。",
        "仕組み",
        "書き方",
        "の違い",
        "漫画",
        "アニメ",
        "脚本",
        "台本",
        "落語",
        "物語",
        "俳句",
        "短歌",
        "戦国",
        "幕府",
        "天皇",
    ];
    let lower = near.to_lowercase();
    SIGNS.iter().any(|sign| lower.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_with_a_private_matter_is_found() {
        for text in [
            "田中 太郎さんの診断書を要約してください。病名は糖尿病です。",
            "Performance review of Jane Roe: rating 2 of 5, salary $82,000.",
            "渡辺　陽子 様（会員番号74513098）の解約理由",
            "my wife had a miscarriage, write to her mother",
            "後輩の三浦が借金で困っている。手紙の案を",
            "Lou on leave (miscarriage), Kim demo",
        ] {
            assert!(find(text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_name_or_a_matter_alone_is_not() {
        for text in [
            "Jane Roe wrote the parser.",
            "Explain how diabetes is diagnosed.",
            "田中さんにお礼のメールを書いて",
            "給与計算の仕組みを説明して",
            "Marie Curie, the physicist, was born on 7 November 1867 and was a patient woman.",
            "Our shop: Hollis Bikes, 12 Market Square, Ludlow, open 9-5",
            "gift idea for my dad, he likes trains, 30 euros",
        ] {
            assert!(find(text).is_none(), "{text}");
        }
    }
}
