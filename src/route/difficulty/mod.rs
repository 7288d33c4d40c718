//! Judges how hard work is, by the words in which it is asked.
//!
//! ```text
//! task ─asked─▶ texts ─plain─▶ words ─clause─▶ findings ─score─▶ level ─explain─▶ reasons
//!                               ▲ lexicon (english, japanese), keywords of the settings
//! ```
//!
//! Low is mechanical, in one place, without judgement. Medium is ordinary work
//! whose approach is known, and also where nothing speaks. High is design,
//! several parts, concurrency, correctness or speed in doubt, an unknown cause.
//!
//! Each feature has a name and a share in the score, and each is told. Takes
//! time in proportion to the text, and reads any text without complaint.

mod asked;
mod beside;
mod clause;
mod english;
mod english_high;
mod english_low;
mod explain;
mod grammar;
mod japanese;
mod japanese_high;
mod japanese_low;
mod keywords;
mod lexicon;
mod plain;
mod score;
mod usual;

use std::rc::Rc;

use crate::base::words;
use crate::task::result::Reason;
use crate::task::{Difficulty, Task};
use clause::Finding;
use keywords::Keywords;
use lexicon::Feature;
use plain::Plain;
use score::{Score, Shape, Share};

/// Judges how hard work is.
#[derive(Debug, Default)]
pub struct DifficultyJudge {
    keywords: Keywords,
}

impl DifficultyJudge {
    /// Puts `keywords` in the place of all those of this level.
    pub fn replace(&mut self, level: Difficulty, keywords: impl IntoIterator<Item = String>) {
        self.keywords.replace(level, keywords);
    }

    /// The difficulty, whether anything spoke for it, and why.
    pub fn judge(&self, task: &Task, reasons: &mut Vec<Reason>) -> (Difficulty, bool) {
        let mut heap = Heap::default();
        asked::each(task, &mut |field, text, counts| {
            heap.read(&self.keywords, field, text, counts);
        });
        let score = heap.weigh();
        if !score.is_evident() {
            explain::tell_nothing(reasons);
            return (Difficulty::Medium, false);
        }
        explain::tell(&score, reasons);
        (score.level(), true)
    }
}

/// What all texts of a task have shown.
#[derive(Debug, Default)]
struct Heap {
    shares: Vec<Share>,
    shape: Shape,
}

impl Heap {
    fn read(&mut self, keywords: &Keywords, field: &str, text: &str, counts: f64) {
        let plain = Plain::of(text);
        let reading = clause::read(&plain, keywords);
        let field: Rc<str> = field.into();
        let asks = counts > 0.5;
        // What comes along asks for nothing.
        for finding in reading.findings.iter().filter(|f| asks || !f.feature.is_action()) {
            self.shares.push(share(&plain, &field, text, counts, finding));
        }
        for (level, start, end) in keywords.find_anywhere(text) {
            let (word, span) = (text[start..end].to_lowercase(), Some((start, end)));
            let weight = keywords::weight(level) * counts;
            let field = Rc::clone(&field);
            self.shares.push(Share { feature: Feature::Keyword, weight, word, field, span });
        }
        if asks {
            self.shape.add(reading.shape);
        }
    }

    /// Each word counts once, where it counts most; of the same weight, the first.
    fn weigh(mut self) -> Score {
        self.shares.sort_by(|a, b| {
            let by_word = (a.feature, &a.word).cmp(&(b.feature, &b.word));
            by_word.then(b.weight.abs().total_cmp(&a.weight.abs()))
        });
        self.shares.dedup_by(|a, b| (a.feature, &a.word) == (b.feature, &b.word));
        self.shares.sort_by(|a, b| (&a.field, a.span).cmp(&(&b.field, b.span)));
        Score::of(self.shares, self.shape)
    }
}

fn share(plain: &Plain, field: &Rc<str>, text: &str, counts: f64, finding: &Finding) -> Share {
    let (start, end) = plain.span(finding.start, finding.end);
    let word = match finding.feature {
        Feature::Replacement => String::new(),
        _ => plain.text[finding.start..finding.end].to_owned(),
    };
    // What was quoted or named between two words became one mark: the way back may cross itself.
    let start = words::boundary(text, start);
    let span = Some((start, words::boundary(text, end).max(start)));
    let (feature, field) = (finding.feature, Rc::clone(field));
    Share { feature, weight: finding.weight * counts, word, field, span }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::wire;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn judge(value: &Value) -> (Difficulty, bool, Vec<Reason>) {
        let task = wire::read("x", value.to_string().as_bytes()).unwrap();
        let mut reasons = Vec::new();
        let (level, evident) = DifficultyJudge::default().judge(&task, &mut reasons);
        (level, evident, reasons)
    }

    fn level(text: &str) -> Difficulty {
        judge(&json!({ "description": text })).0
    }

    fn all_are(expected: Difficulty, texts: &[&str]) {
        for text in texts {
            let (level, _, reasons) = judge(&json!({ "description": text }));
            assert_eq!(level, expected, "{text}: {reasons:#?}");
        }
    }

    #[test]
    fn the_tasks_of_the_original_test_come_out() {
        assert_eq!(level("Fix a simple bug in the code"), Difficulty::Low);
        assert_eq!(level("Refactor the API implementation"), Difficulty::Medium);
        assert_eq!(level("Design distributed architecture pattern"), Difficulty::High);
    }

    #[test]
    fn the_object_counts_apart_from_the_verb() {
        let low = [
            "Fix a typo in the \"Architecture\" heading",
            "Fix a typo in the heading of the architecture chapter",
            "Rename the distributed lock variable",
            "Update the README",
            "分散ロックの変数名を変更してください",
            "アーキテクチャの見出しの誤字を修正してください",
        ];
        all_are(Difficulty::Low, &low);
        let high = [
            "Fix a deadlock that shows once a week",
            "Update the consensus protocol so that a lost node can rejoin",
            "週に一度だけ起きるデッドロックを修正してください",
        ];
        all_are(Difficulty::High, &high);
    }

    #[test]
    fn words_count_in_their_ordinary_forms() {
        let high = [
            "optimise the planner",
            "Optimizing the planner",
            "システムの設計",
            "Investigating it",
        ];
        all_are(Difficulty::High, &high);
        all_are(
            Difficulty::Low,
            &["Fixed typos", "reformatting", "renames the file", "誤字を修正"],
        );
        for text in ["implementing it", "two databases", "integrate it", "APIs"] {
            let (level, evident, _) = judge(&json!({ "description": text }));
            assert_eq!((level, evident), (Difficulty::Medium, true), "{text}");
        }
    }

    #[test]
    fn neither_a_part_of_a_word_nor_a_files_name_counts() {
        for text in [
            "informal on the capital",
            "see src/fix.rs",
            "see format.py",
            "the api_v2_table",
            "\"design it\" x",
        ] {
            let (level, evident, reasons) = judge(&json!({ "description": text }));
            assert_eq!((level, evident), (Difficulty::Medium, false), "{text}: {reasons:?}");
        }
    }

    #[test]
    fn the_shares_make_the_score_and_have_their_place() {
        let text = "Please investigate the deadlock, 設計も含む";
        let (_, _, reasons) = judge(&json!({ "description": text }));
        let (last, shares) = reasons.split_last().unwrap();
        assert!(reasons.len() <= 12);
        assert!(reasons.iter().all(|reason| reason.family == "difficulty"));
        let total: f64 = shares.iter().map(|reason| reason.share.unwrap()).sum();
        assert!(
            last.why.starts_with(&format!("the score is {:+}", (total * 100.0).round() / 100.0))
        );
        let place = |rule: &str| {
            let reason = shares.iter().find(|reason| reason.rule == rule).unwrap();
            assert_eq!(reason.field, "/description");
            let (start, end) = reason.span.unwrap();
            &text[start..end]
        };
        assert_eq!((place("hard_action"), place("hidden_fault")), ("investigate", "deadlock"));
    }

    #[test]
    fn only_what_is_asked_is_judged() {
        let value = json!({ "messages": [
            {"role": "system", "content": "design an architecture"},
            {"role": "user", "content": [{"type": "text", "text": "rename it"}]},
        ], "metadata": {"note": "distributed"} });
        assert_eq!(judge(&value).0, Difficulty::Low);
        let text = "Translate to German: investigate the deadlock in our distributed scheduler";
        assert_eq!(level(text), Difficulty::Low);
        let data =
            json!({ "description": "Count the lines", "input": "design a protocol, prove it" });
        assert_eq!(judge(&data).0, Difficulty::Low);
        assert_eq!(judge(&json!({ "input": {"a": ["prove it"]} })).0, Difficulty::High);
    }

    fn with(lists: &[(Difficulty, &[&str])], text: &str) -> (Difficulty, bool) {
        let mut judge = DifficultyJudge::default();
        for (level, words) in lists {
            judge.replace(*level, words.iter().map(|word| (*word).to_owned()));
        }
        let bytes = json!({ "description": text }).to_string();
        judge.judge(&wire::read("x", bytes.as_bytes()).unwrap(), &mut Vec::new())
    }

    #[test]
    fn a_given_list_replaces_its_level_and_no_other() {
        let lists: &[(Difficulty, &[&str])] = &[(Difficulty::High, &["frobnicate"])];
        assert_eq!(with(lists, "frobnicating it"), (Difficulty::High, true));
        assert_eq!(with(lists, "its architecture"), (Difficulty::Medium, false));
        assert_eq!(with(lists, "update it").0, with(&[], "update it").0);
    }

    #[test]
    fn a_keyword_of_the_settings_decides_alone_and_weighs_else() {
        let lists: &[(Difficulty, &[&str])] = &[
            (Difficulty::Low, &["smoke check", "job_7"]),
            (Difficulty::Medium, &["ledger"]),
            (Difficulty::High, &["炉", "reactor"]),
        ];
        assert_eq!(with(lists, "the smoke check"), (Difficulty::Low, true));
        assert_eq!(with(lists, "about job_7"), (Difficulty::Low, true));
        assert_eq!(with(lists, "炉の件"), (Difficulty::High, true));
        assert_eq!(with(lists, "Rename the reactor's label"), (Difficulty::Medium, true));
        assert_eq!(with(lists, "Update the README of the ledger"), (Difficulty::Medium, true));
        assert_eq!(with(lists, "the ledgers"), (Difficulty::Medium, true));
    }

    #[test]
    fn a_word_beside_a_quotation_has_its_place() {
        let text = "xthe the 0\"renameＡ`` to \"";
        let (_, _, reasons) = judge(&json!({ "description": text }));
        for (start, end) in reasons.iter().filter_map(|reason| reason.span) {
            assert!(text.get(start..end).is_some(), "{start} {end}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text in "x(\\PC|design|fix |rename|`|\"|設計|を|修正| to |\n|- |:|Ａ|the ){0,80}") {
            let (_, _, reasons) = judge(&json!({ "description": text }));
            prop_assert!(!reasons.is_empty() && reasons.len() <= 12);
            for (start, end) in reasons.iter().filter_map(|reason| reason.span) {
                prop_assert!(start <= end && text.is_char_boundary(start) && text.is_char_boundary(end));
            }
        }
    }
}
