//! The README in two languages: what is typed, named and promised in one is so in the other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const BOTH: [&str; 2] = ["README.md", "README.ja.md"];

fn text(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// A README, part by part.
#[derive(Default)]
struct Parts {
    headings: Vec<String>,
    /// The lines of code, without their comments.
    code: Vec<String>,
    /// Of each row of a table, its cells' names: what stands in backticks, or a link.
    rows: Vec<BTreeSet<String>>,
    /// What stands in backticks in the prose, and links, by section.
    names: Vec<BTreeSet<String>>,
}

impl Parts {
    fn of(text: &str) -> Self {
        let mut parts = Self { names: vec![BTreeSet::new()], ..Self::default() };
        let (mut is_fenced, mut prose) = (false, String::new());
        for line in text.lines().chain(["# the end"]) {
            if line.starts_with("```") {
                is_fenced = !is_fenced;
            } else if is_fenced || line.starts_with("    ") {
                parts.code.extend(without_comment(line));
            } else if line.starts_with('|') {
                parts.rows.push(names(line));
            } else if line.starts_with('#') {
                // A span may go over the end of a line, and a section's prose is looked at whole.
                parts.names.last_mut().unwrap().extend(names(&std::mem::take(&mut prose)));
                parts.names.push(BTreeSet::new());
                parts.headings.push(line.trim_start_matches('#').trim().to_owned());
            } else {
                prose.push_str(line);
                prose.push('\n');
            }
        }
        parts
    }
}

/// A line of code as it is typed; nothing is left of one that is all comment.
fn without_comment(line: &str) -> Option<String> {
    let code = line.split_once("  #").map_or(line, |(code, _)| code);
    let code = code.trim_end();
    let said_in_words = code.chars().any(|c| ('\u{3040}'..='\u{30ff}').contains(&c));
    let is_comment = code.trim_start().starts_with('#') && said_in_words || code.is_empty();
    (!is_comment).then(|| code.to_owned())
}

/// What stands in backticks, and where links lead but for places of this page and to the other.
fn names(text: &str) -> BTreeSet<String> {
    let spans = text.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " "));
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let links = links.filter(|link| !link.starts_with('#') && !BOTH.contains(link));
    spans.chain(links.map(str::to_owned)).collect()
}

#[test]
fn each_leads_to_the_other() {
    let [english, japanese] = BOTH.map(text);
    let top = |text: &str| text.lines().take(3).collect::<String>();
    assert!(top(&english).contains("[日本語](README.ja.md)"), "{}", top(&english));
    assert!(top(&japanese).contains("[English](README.md)"), "{}", top(&japanese));
}

#[test]
fn both_have_the_same_sections_commands_and_tables() {
    let [english, japanese] = BOTH.map(|name| Parts::of(&text(name)));
    assert_eq!(
        english.headings.len(),
        japanese.headings.len(),
        "sections:\n{:#?}\n{:#?}",
        english.headings,
        japanese.headings
    );
    for (one, other) in english.code.iter().zip(&japanese.code) {
        assert_eq!(one, other, "the same is typed in both, and the same is answered");
    }
    assert_eq!(english.code.len(), japanese.code.len(), "lines of code");
    for (one, other) in english.rows.iter().zip(&japanese.rows) {
        assert_eq!(one, other, "a row of a table names the same in both");
    }
    assert_eq!(english.rows.len(), japanese.rows.len(), "rows of tables");
}

#[test]
fn both_name_the_same_things_in_each_section() {
    let [english, japanese] = BOTH.map(|name| Parts::of(&text(name)));
    for (n, (one, other)) in english.names.iter().zip(&japanese.names).enumerate() {
        let section = n.checked_sub(1).map_or("the top", |n| english.headings[n].as_str());
        let only_one: Vec<_> = one.difference(other).collect();
        let only_other: Vec<_> = other.difference(one).collect();
        assert!(
            only_one.is_empty() && only_other.is_empty(),
            "{section}: README.md alone names {only_one:?}, README.ja.md alone {only_other:?}"
        );
    }
}

#[test]
fn links_within_a_page_lead_to_a_heading() {
    for name in BOTH {
        let text = text(name);
        let anchors: BTreeSet<String> =
            Parts::of(&text).headings.iter().map(|it| anchor(it)).collect();
        for link in text.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(anchors.contains(link), "{name}: there is no heading for `#{link}`");
        }
    }
}

/// A heading as a link names it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || "- _ー".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
