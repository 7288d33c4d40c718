//! Judges how hard work is, by the words in which it is asked.
//!
//! A keyword counts as a word, in any of its ordinary forms (`design`, `designs`,
//! `designed`), and neither inside another word nor in the name of a file. The
//! hardest level that has a keyword in the text wins; where there is none, the
//! work is of medium difficulty. Every keyword found is a reason.

use std::collections::HashMap;

use serde_json::Value;

use crate::base::words;
use crate::task::result::Reason;
use crate::task::{Difficulty, Task};

/// How much of one text is judged, in bytes: what is asked stands near its beginning.
const LONGEST_TEXT: usize = 256 << 10;

/// The original design's keywords and the same in Japanese, hardest first.
const KEYWORDS: &[(Difficulty, &[&str])] = &[
    (
        Difficulty::High,
        &[
            "architecture",
            "design pattern",
            "distributed",
            "optimization",
            "algorithm",
            "concurrent",
            "concurrency",
            "アーキテクチャ",
            "設計",
            "分散",
            "最適化",
            "アルゴリズム",
            "並行",
        ],
    ),
    (
        Difficulty::Medium,
        &[
            "refactor",
            "implement",
            "api",
            "database",
            "integration",
            "リファクタ",
            "実装",
            "データベース",
            "統合",
        ],
    ),
    (
        Difficulty::Low,
        &[
            "fix",
            "update",
            "add comment",
            "rename",
            "format",
            "修正",
            "更新",
            "コメントを追加",
            "整形",
            "改名",
        ],
    ),
];

/// Judges how hard work is.
#[derive(Debug)]
pub struct DifficultyJudge {
    /// Keywords of letters with blanks between them, by the stem of their first word.
    by_stem: HashMap<String, Vec<Keyword>>,
    /// Keywords in scripts that put no blanks between words, and names such as `api_v2`: found
    /// wherever they stand.
    anywhere: Vec<(String, Difficulty)>,
}

#[derive(Clone, Debug)]
struct Keyword {
    level: Difficulty,
    written: String,
    /// The stems of the words behind the first.
    rest: Vec<String>,
}

impl Default for DifficultyJudge {
    /// The original design's keywords.
    fn default() -> Self {
        let mut judge = Self { by_stem: HashMap::new(), anywhere: Vec::new() };
        for (level, keywords) in KEYWORDS {
            judge.add(*level, keywords.iter().map(|keyword| (*keyword).to_owned()));
        }
        judge
    }
}

impl DifficultyJudge {
    /// Puts `keywords` in the place of all those of this level.
    pub fn replace(&mut self, level: Difficulty, keywords: impl IntoIterator<Item = String>) {
        self.by_stem.values_mut().for_each(|list| list.retain(|keyword| keyword.level != level));
        self.anywhere.retain(|(_, other)| *other != level);
        self.add(level, keywords);
    }

    fn add(&mut self, level: Difficulty, keywords: impl IntoIterator<Item = String>) {
        for written in keywords {
            let written = written.trim().to_lowercase();
            let stems: Vec<String> = words_of(&written).map(|word| word.stem).collect();
            if !written.is_ascii() || written.split_whitespace().any(is_name) {
                self.anywhere.push((written, level));
            } else if let Some((first, rest)) = stems.split_first() {
                let (first, rest) = (first.clone(), rest.to_vec());
                self.by_stem.entry(first).or_default().push(Keyword { level, written, rest });
            }
        }
    }

    /// The difficulty, whether anything spoke for it, and why.
    pub fn judge(&self, task: &Task, reasons: &mut Vec<Reason>) -> (Difficulty, bool) {
        let mut hardest = None;
        each_asked(task, &mut |field, text| {
            hardest = hardest.max(self.look(field, text, reasons));
        });
        match hardest {
            Some(level) => (level, true),
            None => {
                let why = "no keyword speaks for a difficulty: medium";
                reasons.push(Reason::new("no_keyword", "default", "", why));
                (Difficulty::Medium, false)
            }
        }
    }

    /// The hardest level with a keyword in a text; each keyword is told once.
    fn look(&self, field: &str, text: &str, reasons: &mut Vec<Reason>) -> Option<Difficulty> {
        let mut hits: Vec<(Difficulty, &str, (usize, usize))> = Vec::new();
        let mut hit = |level, written, span| {
            if !hits.iter().any(|(_, other, _)| *other == written) {
                hits.push((level, written, span));
            }
        };
        let text = &text[..words::boundary(text, LONGEST_TEXT)];
        let found: Vec<Word> = words_of(text).collect();
        for (n, word) in found.iter().enumerate() {
            for keyword in self.by_stem.get(&word.stem).into_iter().flatten() {
                let behind = found[n + 1..].iter().map(|word| &word.stem).take(keyword.rest.len());
                if behind.eq(keyword.rest.iter()) {
                    let end = found[n + keyword.rest.len()].end;
                    hit(keyword.level, &keyword.written, (word.start, end));
                }
            }
        }
        let lower = text.to_ascii_lowercase();
        for (written, level) in &self.anywhere {
            if let Some(at) = lower.find(written.as_str()) {
                hit(*level, written, (at, at + written.len()));
            }
        }
        for (level, written, span) in &hits {
            let why = format!("`{written}` speaks for {} difficulty", level.as_str());
            let mut reason = Reason::new("difficulty_keywords", "keyword", field, why);
            reason.span = Some(*span);
            reasons.push(reason);
        }
        hits.iter().map(|(level, ..)| *level).max()
    }
}

/// The texts that ask for something: the description, what the user says in a chat, the data.
fn each_asked(task: &Task, seen: &mut impl FnMut(&str, &str)) {
    if let Some(text) = &task.description {
        seen("/description", text);
    }
    for (n, message) in task.messages.iter().flatten().enumerate() {
        if message.get("role").and_then(Value::as_str) == Some("user") {
            let content = message.get("content").unwrap_or(&Value::Null);
            each_said(content, &format!("/messages/{n}/content"), seen);
        }
    }
    if let Some(input) = &task.input {
        each_string(input, "/input", seen);
    }
}

/// The content of a message: a text, or parts of which some are text.
fn each_said(content: &Value, at: &str, seen: &mut impl FnMut(&str, &str)) {
    match content {
        Value::String(text) => seen(at, text),
        Value::Array(parts) => {
            for (n, part) in parts.iter().enumerate() {
                if let Some(text) = part.get("text").and_then(Value::as_str) {
                    seen(&format!("{at}/{n}/text"), text);
                }
            }
        }
        _ => {}
    }
}

fn each_string(value: &Value, at: &str, seen: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => seen(at, text),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                each_string(item, &format!("{at}/{n}"), seen);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                each_string(item, &format!("{at}/{key}"), seen);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A word of a text, and where it stands.
struct Word {
    stem: String,
    start: usize,
    end: usize,
}

/// The words of a text. Articles are passed over, and so are the names of files and the like.
fn words_of(text: &str) -> impl Iterator<Item = Word> + '_ {
    let chunks = text.split_whitespace().filter(|chunk| !is_name(chunk));
    let pieces = chunks.flat_map(|chunk| {
        chunk.split(|c: char| !c.is_ascii_alphanumeric()).filter(|piece| !piece.is_empty())
    });
    pieces.filter(|piece| !matches!(*piece, "a" | "an" | "the" | "A" | "An" | "The")).map(|piece| {
        let start = piece.as_ptr() as usize - text.as_ptr() as usize;
        Word { stem: stem(piece), start, end: start + piece.len() }
    })
}

/// Whether a chunk is the name of a file, a path, an address or an identifier: `src/fix.rs`, `api_v2`.
fn is_name(chunk: &str) -> bool {
    let bare = chunk.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '/' && c != '_');
    let inside = |c: char| bare.contains(c) && !bare.ends_with(c);
    let slashes = bare.matches('/').count();
    bare.contains('_') || bare.contains('\\') || inside('.') || slashes > 1 || bare.starts_with('/')
}

/// What the ordinary forms of an English word have in common; nothing that a reader would call a stem.
fn stem(word: &str) -> String {
    const ENDS: &[&str] = &[
        "izations", "ization", "izing", "izes", "ized", "ize", "ations", "ation", "ating", "ates",
        "ated", "ate", "ions", "ion", "ings", "ing", "ers", "es", "ed", "s", "e",
    ];
    let word = word.to_ascii_lowercase().replace("isation", "ization").replace("isi", "izi");
    let word = ["ise", "ises", "ised"]
        .iter()
        .find_map(|end| word.strip_suffix(end).filter(|base| base.len() > 3).map(|b| (b, end)))
        .map_or(word.clone(), |(base, end)| format!("{base}{}", end.replacen("is", "iz", 1)));
    let base = ENDS
        .iter()
        .find_map(|end| word.strip_suffix(end).filter(|base| base.len() >= 3))
        .unwrap_or(&word);
    // `formatting` doubles its last letter, `format` does not.
    let bytes = base.as_bytes();
    match bytes {
        [.., a, b] if a == b && base.len() > 4 && base.len() < word.len() && *b != b's' => {
            base[..base.len() - 1].to_owned()
        }
        _ => base.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::wire;
    use serde_json::json;

    fn judge(value: &Value) -> (Difficulty, bool, Vec<Reason>) {
        let task = wire::read("x", value.to_string().as_bytes()).unwrap();
        let mut reasons = Vec::new();
        let (level, evident) = DifficultyJudge::default().judge(&task, &mut reasons);
        (level, evident, reasons)
    }

    fn level(text: &str) -> Difficulty {
        judge(&json!({ "description": text })).0
    }

    #[test]
    fn the_tasks_of_the_original_test_come_out() {
        assert_eq!(level("Fix a simple bug in the code"), Difficulty::Low);
        assert_eq!(level("Refactor the API implementation"), Difficulty::Medium);
        assert_eq!(level("Design distributed architecture pattern"), Difficulty::High);
    }

    #[test]
    fn words_count_in_their_ordinary_forms() {
        for text in [
            "optimise it",
            "optimizing it",
            "optimisation of it",
            "design patterns",
            "algorithms",
            "システムの設計",
        ] {
            assert_eq!(level(text), Difficulty::High, "{text}");
        }
        for text in [
            "fixes",
            "Fixed it",
            "updating",
            "formatting",
            "add a comment",
            "renamed",
            "誤りを修正",
        ] {
            assert_eq!(level(text), Difficulty::Low, "{text}");
        }
        for text in ["implementing", "the implementation", "two databases", "integrate it", "APIs"]
        {
            assert!(judge(&json!({ "description": text })).1, "{text}");
            assert_eq!(level(text), Difficulty::Medium, "{text}");
        }
    }

    #[test]
    fn neither_a_part_of_a_word_nor_a_files_name_counts() {
        for text in
            ["information on the capital", "see src/fix.rs", "open format.py", "the api_v2_table"]
        {
            let (level, evident, reasons) = judge(&json!({ "description": text }));
            assert_eq!((level, evident), (Difficulty::Medium, false), "{text}: {reasons:?}");
        }
    }

    #[test]
    fn every_keyword_is_a_reason_with_its_place() {
        let (_, _, reasons) = judge(&json!({ "description": "fix it, fix the API" }));
        assert_eq!(reasons.len(), 2);
        assert_eq!(reasons[0].why, "`fix` speaks for low difficulty");
        assert_eq!((reasons[0].field.as_str(), reasons[0].span), ("/description", Some((0, 3))));
        assert_eq!(reasons[1].span, Some((16, 19)));
    }

    #[test]
    fn only_what_is_asked_is_judged() {
        let value = json!({ "messages": [
            {"role": "system", "content": "architecture"},
            {"role": "user", "content": [{"type": "text", "text": "rename it"}]},
        ], "metadata": {"note": "distributed"} });
        assert_eq!(judge(&value).0, Difficulty::Low);
        assert_eq!(judge(&json!({ "input": {"a": ["an algorithm"]} })).0, Difficulty::High);
    }

    #[test]
    fn a_given_list_replaces_its_level_and_no_other() {
        let mut judge = DifficultyJudge::default();
        judge.replace(Difficulty::High, ["prove".to_owned()]);
        let of = |text: &str| {
            let bytes = json!({ "description": text }).to_string();
            judge.judge(&wire::read("x", bytes.as_bytes()).unwrap(), &mut Vec::new())
        };
        assert_eq!(of("proving it"), (Difficulty::High, true));
        assert_eq!(of("its architecture"), (Difficulty::Medium, false));
        assert_eq!(of("fix it"), (Difficulty::Low, true));
    }
}
