//! The rooms keep to themselves: imports go downward only.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms that it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("task", &["base"]),
    ("route", &["base", "task"]),
    ("config", &["base", "task", "route"]),
    ("foreman", &["base", "task", "route", "config"]),
    ("spool", &["base", "task"]),
    ("mirror", &["base", "task"]),
    ("worker", &["base", "task", "route", "config"]),
    ("engine", &["base", "task", "route", "config", "foreman", "spool", "mirror", "worker"]),
    ("cli", &["base", "task", "route", "config", "foreman", "spool", "mirror", "worker", "engine"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<PathBuf> {
    walkdir::WalkDir::new(root().join("src"))
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "rs"))
        .collect()
}

/// The code without its comments and its own tests.
fn bare(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if line.trim() == "#[cfg(test)]" {
            // The item that it marks: one line, or a block that ends at the same depth.
            let head = lines.by_ref().find(|line| !line.trim_start().starts_with("#["));
            if head.is_some_and(|head| head.ends_with('{')) {
                lines.by_ref().find(|line| *line == format!("{indent}}}"));
            }
        } else if !line.trim_start().starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// How deep below `crate` the modules of this file are.
fn depth(file: &Path) -> usize {
    let below = file.strip_prefix(root().join("src")).unwrap();
    let is_own =
        !matches!(below.file_name().unwrap().to_str(), Some("mod.rs" | "lib.rs" | "main.rs"));
    below.components().count() - 1 + usize::from(is_own)
}

/// The first names of all paths from the top of the crate.
fn used(text: &str, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    let to_top = "super::".repeat(depth);
    for start in ["crate::", to_top.as_str()].into_iter().filter(|start| !start.is_empty()) {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let rest = &text[at + start.len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(names_of_group(group)),
                None => found.push(word(rest)),
            }
        }
    }
    found
}

/// The first name of each member of a `{a::b, c::{d, e}}`.
fn names_of_group(group: &str) -> Vec<String> {
    let (mut level, mut names, mut is_first) = (0, Vec::new(), true);
    for (at, sign) in group.char_indices() {
        match sign {
            '{' => level += 1,
            '}' if level == 0 => break,
            '}' => level -= 1,
            ',' if level == 0 => is_first = true,
            c if is_first && !c.is_whitespace() => {
                names.push(word(&group[at..]));
                is_first = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn imports_go_downward_only() {
    let mut wrong = Vec::new();
    for file in sources() {
        let below = file.strip_prefix(root().join("src")).unwrap().to_owned();
        let room = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        if room == "lib.rs" || room == "main.rs" {
            continue;
        }
        let may = ROOMS.iter().find(|(name, _)| *name == room);
        let Some((_, may)) = may else {
            wrong.push(format!("{} is in a room that the table does not have", below.display()));
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        for name in used(&bare(&text), depth(&file)) {
            let is_room = ROOMS.iter().any(|(other, _)| *other == name);
            if is_room && name != room && !may.contains(&name.as_str()) {
                wrong.push(format!("{} uses `{name}`", below.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_of_the_program_is_in_the_table() {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let mut declared: Vec<String> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")).map(word).collect();
    let mut known: Vec<&str> = ROOMS.iter().map(|(name, _)| *name).collect();
    declared.sort();
    known.sort_unstable();
    assert_eq!(declared, known);
}

#[test]
fn an_upward_import_would_be_seen() {
    assert_eq!(used("use crate::{base::files, task::{self, id}};", 1), ["base", "task"]);
    assert_eq!(used("let x = super::super::route::Usd;", 2), ["route"]);
    assert_eq!(used("use super::lane;", 2), Vec::<String>::new());
    assert_eq!(bare("a\n#[cfg(test)]\nmod tests {\n    use crate::cli;\n}\nb\n"), "a\nb\n");
}

#[test]
fn no_story_is_forgotten() {
    let main = fs::read_to_string(root().join("tests/it/main.rs")).unwrap();
    for name in super::support::sandbox::names(&root().join("tests/it")) {
        let Some(stem) = name.strip_suffix(".rs").filter(|stem| *stem != "main") else { continue };
        assert!(main.contains(&format!("\nmod {stem};\n")), "main.rs lacks `mod {stem};`");
    }
}
