//! A task's story on a page of its own, to scroll through.
//!
//! What was asked and answered is hidden where the task is confidential, or not known to be
//! public, until somebody wants to see it. Nothing of it is shown untamed.

use serde_json::Value;

use super::paint::wrap;
use crate::base::words::{self, tame};
use crate::cli::language::told;
use crate::cli::show;
use crate::task::{Folder, Sensitivity, TaskId};

/// More of a text is not shown.
const MOST: usize = 256 << 10;

/// What there is to read of a task.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) id: TaskId,
    pub(super) folder: Folder,
    /// What became of it, a line each.
    head: Vec<String>,
    /// What was asked and answered, a line each.
    text: Vec<String>,
    is_public: bool,
}

impl Story {
    /// Of the document that `show` tells, too.
    pub(super) fn of(id: &TaskId, folder: Folder, document: &Value) -> Self {
        let level = document.pointer("/routing/sensitivity_level").and_then(Value::as_str);
        let mut text = Vec::new();
        let part = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
        section(&mut text, &told("answer"), part("/content"));
        section(
            &mut text,
            &told("standard error"),
            part("/error/stderr").or_else(|| part("/stderr")),
        );
        section(&mut text, &told("asked"), part("/task/description"));
        let task = document.get("task").and_then(Value::as_object).cloned();
        let rest = task.map(|mut task| {
            task.remove("description");
            task
        });
        let rest = rest.filter(|rest| !rest.is_empty());
        let rest = rest.and_then(|rest| serde_json::to_string_pretty(&rest).ok());
        section(&mut text, &told("task"), rest.as_deref());
        Self {
            id: id.clone(),
            folder,
            head: show::head(document),
            text,
            is_public: level == Some(Sensitivity::Public.as_str()),
        }
    }
}

fn section(lines: &mut Vec<String>, name: &str, text: Option<&str>) {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return };
    let shown = &text[..words::boundary(text, MOST)];
    lines.push(String::new());
    lines.push(format!("--- {name} ---"));
    lines.extend(shown.lines().map(|line| tame(&line.replace('\t', "    "))));
    if shown.len() < text.len() {
        let left = words::bytes((text.len() - shown.len()) as u64);
        let more = format!("{left} more: `koubou show --json` has all of it");
        lines.push(format!("--- {} ---", told(&more)));
    }
}

/// A story, and how far somebody has read.
#[derive(Clone, Debug)]
pub(super) struct Page {
    story: Story,
    is_revealed: bool,
    /// The first line on the screen.
    top: usize,
    columns: usize,
    rows: usize,
    lines: Vec<String>,
}

impl Page {
    pub(super) fn new(story: Story, columns: usize, rows: usize) -> Self {
        let mut page = Self { story, is_revealed: false, top: 0, columns, rows, lines: Vec::new() };
        page.lay_out();
        page
    }

    pub(super) fn id(&self) -> &TaskId {
        &self.story.id
    }

    pub(super) fn folder(&self) -> Folder {
        self.story.folder
    }

    /// The same page with what is known by now.
    pub(super) fn update(&mut self, story: Story) {
        self.story = story;
        self.lay_out();
    }

    /// On a screen of another size.
    pub(super) fn resize(&mut self, columns: usize, rows: usize) {
        (self.columns, self.rows) = (columns, rows);
        self.lay_out();
    }

    /// Whether there is something that is not shown.
    pub(super) fn is_hidden(&self) -> bool {
        !self.story.is_public && !self.is_revealed && !self.story.text.is_empty()
    }

    /// Shows what is hidden, or hides it again.
    pub(super) fn reveal(&mut self) {
        self.is_revealed = !self.is_revealed;
        self.lay_out();
    }

    /// Goes on by so many lines, or back.
    pub(super) fn scroll(&mut self, lines: isize) {
        let last = self.lines.len().saturating_sub(self.rows);
        self.top = self.top.saturating_add_signed(lines).min(last);
    }

    /// How many lines have room on the screen.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The lines on the screen.
    pub(super) fn shown(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().skip(self.top).take(self.rows).map(String::as_str)
    }

    /// Where one is: the first and the last line on the screen, and how many there are.
    pub(super) fn place(&self) -> (usize, usize, usize) {
        let all = self.lines.len();
        (self.top + 1, (self.top + self.rows).min(all), all)
    }

    fn lay_out(&mut self) {
        let hidden = told("what was asked and answered is confidential: `c` shows it");
        let hint = [String::new(), format!("--- {hidden} ---")];
        let text = if self.is_hidden() { &hint[..] } else { &self.story.text[..] };
        let lines = self.story.head.iter().chain(text);
        self.lines = lines.flat_map(|line| wrap(line, self.columns)).collect();
        self.scroll(0);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in crate::cli::top) fn story(level: &str, content: &str) -> Story {
        let document = json!({
            "task_id": "x",
            "status": "completed",
            "routing": { "sensitivity_level": level },
            "content": content,
            "task": { "description": "say\tit", "priority": 9 },
        });
        Story::of(&"x".parse().unwrap(), Folder::Completed, &document)
    }

    fn text(page: &Page) -> String {
        page.shown().collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_is_confidential_is_shown_when_it_is_wanted() {
        for level in ["confidential", "", "PUBLIC"] {
            let mut page = Page::new(story(level, "the secret"), 80, 20);
            assert!(page.is_hidden());
            let before = text(&page);
            assert!(!before.contains("secret") && !before.contains("say"), "{before}");
            assert!(before.contains("`c` shows it"), "{before}");
            page.reveal();
            assert!(text(&page).contains("the secret") && text(&page).contains("say    it"));
            page.reveal();
            assert_eq!(text(&page), before);
        }
        let page = Page::new(story("public", "no secret"), 80, 20);
        assert!(!page.is_hidden() && text(&page).contains("no secret"));
        assert!(text(&page).contains("\"priority\": 9"), "{}", text(&page));
    }

    #[test]
    fn no_escape_gets_out_of_an_answer() {
        let page = Page::new(story("public", "a\u{1b}[2J\rb\u{9b}31m\nc"), 80, 20);
        let shown = text(&page);
        assert!(shown.contains("a\\u{1b}[2J\\rb\\u{9b}31m\nc"), "{shown}");
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
    }

    #[test]
    fn scrolling_ends_where_the_text_does() {
        let content: Vec<String> = (0..50).map(|n| n.to_string()).collect();
        let mut page = Page::new(story("public", &content.join("\n")), 80, 10);
        page.scroll(-3);
        assert_eq!(page.place().0, 1);
        page.scroll(isize::MAX);
        let (_, last, all) = page.place();
        assert_eq!(last, all);
        page.resize(80, 200);
        assert_eq!(page.place(), (1, all, all));
    }

    #[test]
    fn a_huge_answer_is_cut_and_says_so() {
        let page = Page::new(story("public", &"工".repeat(MOST)), 80, 10);
        assert!(page.lines.iter().any(|line| line.contains("512 KiB more")));
    }
}
