//! Keeps the catalogue complete: every sentence of the sources is in it, and nothing else.
//!
//! A sentence is a literal with words in it: of the commands, of the settings, of tasks, of
//! what the daemon says about them and what workers report; all of `#[error("…")]`; and what
//! the arguments say of themselves. A single word is one where it is given to [`TELLERS`].
//! Tests, lines of the log and what agents are told are none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::JAPANESE;
use super::catalogue::{Catalogue, Pattern, Saying, plain, sayings};
use crate::base::words::Count;

/// Where sentences for people are written: a folder or a file below `src`.
const PLACES: [&str; 16] = [
    "base",
    "cli",
    "config",
    "engine",
    "foreman",
    "mirror/mod.rs",
    "route/budget.rs",
    "route/decision.rs",
    "route/difficulty/explain.rs",
    "route/ladder.rs",
    "route/rules.rs",
    "route/sensitivity",
    "spool",
    "task",
    "worker",
    "mirror/writer.rs",
];

/// Files below those that hold other words, and whose words those are.
const ELSEWHERE: [(&str, &str); 13] = [
    ("cli/language", "the words of this room are the catalogue's"),
    ("cli/mcp", "an agent is told in English"),
    ("cli/report/charts.rs", "what a drawing is made of"),
    ("cli/top/tests.rs", "tests"),
    ("engine/metrics.rs", "what Prometheus reads"),
    ("foreman/tests", "tests"),
    ("foreman/tests.rs", "tests"),
    ("task/fields.rs", "a schema's words are for editors, in English"),
    ("task/schema.rs", "the same"),
    ("worker/chat/tests.rs", "tests"),
    ("worker/chat/refusal.rs", "what servers say"),
    ("worker/codex/events.rs", "what Codex says, and what the log of a task is told"),
    ("worker/codex/settings.rs", "what Codex reads"),
];

/// What is given to these is told, and be it a single word; so are the heads of a `Table`.
const TELLERS: [&str; 7] =
    ["told", "card", "times_card", "chart", "without_chart", "small_table", "head_row"];

/// What happens is told by its name here, a single word.
const HAPPENINGS: &str = "cli/watch.rs";

/// Lists of words that are looked for in tasks: there, a sentence is known by its verb.
const WORD_LISTS: &str = "route/sensitivity";
const VERBS: [&str; 13] = [
    "is", "are", "has", "stands", "stand", "begins", "says", "could", "can", "holds", "looks",
    "fits", "does",
];
const LONGEST: usize = 20;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// A literal of the sources.
#[derive(Debug)]
struct Literal {
    place: String,
    text: String,
    /// Whether it stands in the list of a `const`, as words that are looked for do.
    is_listed: bool,
    /// Whether it is given to one of [`TELLERS`].
    is_told: bool,
    /// The verb of an error of files: `cannot VERB`.
    is_verb: bool,
}

impl Literal {
    /// Whether it says something: two words, one of which is no name of a hole, or one that is told.
    fn is_sentence(&self) -> bool {
        let text = Pattern::new(&self.text).unnamed();
        let is_word = text.split(|c: char| !c.is_alphabetic()).any(|word| word.len() > 1);
        let is_told = self.is_told && self.place.starts_with("cli");
        if is_word && (is_told || self.place.starts_with(HAPPENINGS) && text != "and") {
            return true;
        }
        let letters = text.split(|c: char| !c.is_ascii_lowercase()).any(|word| word.len() > 1);
        letters && text.contains(' ') && !text.contains('\r')
    }

    fn is_elsewhere(&self) -> bool {
        ELSEWHERE.iter().any(|(place, _)| self.place.starts_with(place))
            || self.place.starts_with(WORD_LISTS) && (self.is_listed || !self.has_a_verb())
    }

    fn has_a_verb(&self) -> bool {
        let words: Vec<&str> = self.text.split(' ').collect();
        let is_short = (4..=LONGEST).contains(&words.len()) && !self.text.contains('\\');
        is_short && words.iter().any(|word| VERBS.contains(word))
    }
}

/// Every literal of the places.
fn literals() -> Vec<Literal> {
    let mut found = Vec::new();
    for place in PLACES {
        for entry in walkdir::WalkDir::new(root().join(place)).sort_by_file_name() {
            let path = entry.unwrap().into_path();
            if path.extension().is_some_and(|ext| ext == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                let code: TokenStream = fs::read_to_string(&path).unwrap().parse().unwrap();
                gather(code, &name, (false, false), &mut found);
            }
        }
    }
    found
}

fn gather(
    code: TokenStream,
    file: &str,
    (is_listed, is_told): (bool, bool),
    found: &mut Vec<Literal>,
) {
    let mut tokens: Vec<TokenTree> = Vec::new();
    let mut code = code.into_iter().peekable();
    while let Some(token) = code.next() {
        match &token {
            TokenTree::Group(group) => match attribute(&tokens, group) {
                Some(name) if name.starts_with("cfg (test)") => {
                    // The item that it marks, up to its body or its end.
                    code.by_ref().find(|token| match token {
                        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                        TokenTree::Punct(punct) => punct.as_char() == ';',
                        _ => false,
                    });
                }
                Some(name) if name.starts_with("error") => {
                    gather(group.stream(), file, (is_listed, is_told), found);
                }
                Some(_) => {}
                None if is_log(&tokens) => {}
                None => {
                    let list = group.delimiter() == Delimiter::Bracket && !is_macro(&tokens);
                    let told = is_told || is_of_a_teller(&tokens);
                    gather(group.stream(), file, (is_listed || list, told), found);
                }
            },
            TokenTree::Literal(literal) => {
                let text: Result<syn::LitStr, _> = syn::parse2(token.clone().into());
                found.extend(text.ok().map(|text| Literal {
                    place: format!("{file}:{}", literal.span().start().line),
                    text: text.value(),
                    is_listed,
                    is_told,
                    is_verb: false,
                }));
            }
            _ => {}
        }
        if let (Some(last), TokenTree::Group(group)) = (tokens.last(), &token)
            && is_of_an_error(&tokens, last)
        {
            mark_verb(group, found);
        }
        tokens.push(token);
    }
}

/// The text of an attribute, if this group is one.
fn attribute(before: &[TokenTree], group: &Group) -> Option<String> {
    let is = |token: Option<&TokenTree>, sign: char| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign);
    let last = before.last();
    let is_inner = is(last, '!') && before.len() > 1 && is(before.get(before.len() - 2), '#');
    (group.delimiter() == Delimiter::Bracket && (is(last, '#') || is_inner))
        .then(|| group.stream().to_string())
}

fn is_macro(before: &[TokenTree]) -> bool {
    matches!(before.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!')
}

/// Whether these are the arguments of `log::info!` and its like.
fn is_log(before: &[TokenTree]) -> bool {
    let [.., first, _, _, _, bang] = before else { return false };
    first.to_string() == "log" && bang.to_string() == "!"
}

/// Whether these are the arguments of one of [`TELLERS`], or of `Table::new`.
fn is_of_a_teller(before: &[TokenTree]) -> bool {
    let name = |n: usize| before.len().checked_sub(n).map(|at| before[at].to_string());
    name(1).is_some_and(|name| TELLERS.contains(&name.as_str()))
        || name(1).as_deref() == Some("new") && name(4).as_deref() == Some("Table")
}

/// Whether these are the arguments of `.at(…)` or `FileError::new(…)`.
fn is_of_an_error(before: &[TokenTree], last: &TokenTree) -> bool {
    let before_last = before.len().checked_sub(4).map(|at| before[at].to_string());
    match last.to_string().as_str() {
        "at" => before.len() > 1 && before[before.len() - 2].to_string() == ".",
        "new" => before_last.is_some_and(|name| name == "FileError"),
        _ => false,
    }
}

fn mark_verb(group: &Group, found: &mut [Literal]) {
    if let Some(TokenTree::Literal(verb)) = group.stream().into_iter().next() {
        let line = format!(":{}", verb.span().start().line);
        let quoted = verb.to_string();
        let verb = quoted.trim_matches('"');
        let mut literals = found.iter_mut().rev();
        if let Some(literal) = literals.find(|it| it.text == verb && it.place.ends_with(&line)) {
            literal.is_verb = true;
        }
    }
}

/// What the arguments say of themselves, a line each.
fn help() -> BTreeSet<String> {
    fn gather(command: &clap::Command, found: &mut BTreeSet<String>) {
        let mut say = |text: Option<String>| {
            let text = text.unwrap_or_default();
            found.extend(text.lines().filter(|line| !line.is_empty()).map(str::to_owned));
        };
        say(command.get_about().map(ToString::to_string));
        say(command.get_long_about().map(ToString::to_string));
        for arg in command.get_arguments() {
            say(arg.get_help().map(ToString::to_string));
            say(arg.get_long_help().map(ToString::to_string));
            say(arg.get_help_heading().map(str::to_owned));
        }
        command.get_subcommands().for_each(|command| gather(command, found));
    }
    let mut command = crate::cli::Args::command();
    command.build();
    let mut found = BTreeSet::new();
    gather(&command, &mut found);
    found
}

/// A block of the catalogue.
struct Block {
    line: usize,
    section: &'static str,
    /// The sentence as the source has it.
    key: String,
    body: Vec<&'static str>,
}

fn blocks() -> Vec<Block> {
    let (mut blocks, mut section, mut is_first) = (Vec::<Block>::new(), "", true);
    for (n, line) in JAPANESE.lines().enumerate() {
        if line.is_empty() {
            is_first = true;
        } else if let Some(name) = line.strip_prefix("## ") {
            section = name;
        } else if line.starts_with('#') {
        } else if std::mem::take(&mut is_first) {
            let (line, key) = (n + 1, plain(line));
            blocks.push(Block { line, section, key, body: Vec::new() });
        } else if let Some(block) = blocks.last_mut() {
            block.body.push(line);
        }
    }
    blocks
}

fn unnamed(text: &str) -> String {
    Pattern::new(text).unnamed()
}

/// A literal as the catalogue writes it.
fn as_written(text: &str) -> String {
    let inner = text.trim_matches(' ');
    let (before, after) =
        (text.len() - text.trim_start().len(), text.len() - text.trim_end().len());
    format!("{}{inner}{}", "␣".repeat(before), "␣".repeat(after)).replace('\n', "\\n")
}

#[test]
fn every_sentence_is_in_the_catalogue() {
    let key = |block: &Block| unnamed(block.key.strip_prefix('@').unwrap_or(&block.key));
    let known: BTreeSet<String> = blocks().iter().map(key).collect();
    let mut missing: BTreeMap<String, (String, String)> = BTreeMap::new();
    for literal in literals().into_iter().filter(|it| it.is_sentence() && !it.is_elsewhere()) {
        let key = unnamed(&literal.text);
        if !known.contains(&key) {
            missing.entry(key).or_insert((literal.place, literal.text));
        }
    }
    for text in help().into_iter().filter(|text| !known.contains(&unnamed(text))) {
        missing.insert(unnamed(&text), ("the help of an argument".into(), text));
    }
    let told: String = missing
        .values()
        .map(|(place, text)| format!("# {place}\n{}\n> \n\n", as_written(text)))
        .collect();
    assert!(
        missing.is_empty(),
        "\n{} not in src/cli/language/ja.txt. Add a block for each there, with the Japanese behind \
         `> ` and the holes by number (`{{1}}`). Where it is put together from pieces, give `~ ` \
         and the form in which it comes out. Where it is no sentence for people (a command, a line \
         of the log), `=` instead. src/cli/language/catalogue.rs says more.\n\n{told}",
        Count(missing.len() as u64, "sentence"),
    );
}

#[test]
fn the_verb_of_each_error_of_files_is_in_the_catalogue() {
    let catalogue = Catalogue::read(JAPANESE);
    let verbs: BTreeMap<String, String> = literals()
        .into_iter()
        .filter(|it| it.is_verb && !it.is_elsewhere())
        .map(|it| (it.text, it.place))
        .collect();
    assert!(verbs.len() > 10, "the verbs are found: {verbs:?}");
    for (verb, place) in verbs {
        let english = format!("cannot {verb} `x`");
        assert_ne!(
            catalogue.told(&english),
            english,
            "{place}: add `~ cannot {verb} `{{}}`` and its Japanese to the block \
             ``cannot {{doing}} `{{}}` `` of src/cli/language/ja.txt"
        );
    }
}

#[test]
fn nothing_is_in_the_catalogue_that_no_source_has() {
    let mut known: BTreeSet<String> = literals().iter().map(|it| unnamed(&it.text)).collect();
    known.extend(help().iter().map(|text| unnamed(text)));
    let is_known = |block: &Block| match block.key.strip_prefix('@') {
        Some(noun) => known.contains(noun),
        None => known.contains(&unnamed(&block.key)),
    };
    let old: String = blocks()
        .iter()
        .filter(|block| block.section != "clap" && !is_known(block))
        .map(|block| format!("line {}: {}\n", block.line, as_written(&block.key)))
        .collect();
    assert!(
        old.is_empty(),
        "\nno source has these any more: take them out of src/cli/language/ja.txt, or write them as \
         the source does now\n\n{old}"
    );
}

#[test]
fn every_block_says_something_once() {
    let mut seen = BTreeSet::new();
    for block in blocks() {
        let at = format!("src/cli/language/ja.txt, line {}: {}", block.line, block.key);
        assert!(seen.insert(unnamed(&block.key)), "{at}: it stands there twice");
        assert!(
            !block.body.is_empty(),
            "{at}: it says nothing; give `> ` and the Japanese, or `=`"
        );
        for line in block.body {
            let is_good = line == "=" || line.starts_with("> ") || line.starts_with("~ ");
            assert!(is_good, "{at}: `{line}` begins with neither `> ` nor `~ ` and is not `=`");
        }
    }
}

#[test]
fn every_sentence_keeps_what_its_holes_hold() {
    let catalogue = Catalogue::read(JAPANESE);
    for Saying { english, japanese } in sayings(JAPANESE) {
        let pattern = Pattern::new(&english);
        let (sample, held) = pattern.filled();
        for n in 1..=held.len() {
            assert!(
                japanese.contains(&format!("{{{n}}}")),
                "`{japanese}` leaves out {{{n}}} of `{english}`"
            );
        }
        let mut said = japanese.replace("{{", "{").replace("}}", "}");
        for (n, value) in held.iter().enumerate() {
            said = said.replace(&format!("{{{}}}", n + 1), value);
        }
        let told = catalogue.told(&sample);
        assert_eq!(told, said, "another entry takes `{sample}`, or its holes are not told apart");
    }
}
