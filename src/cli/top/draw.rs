//! Draws the model: a head, the tasks, the workers, what happened, and what the keys do.
//!
//! Whatever others wrote (ids, reasons, answers) is tame before it is cut to its columns, and no
//! state is told by a colour alone. What koubou itself says is told in the language that is spoken,
//! in columns that have room for it.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::model::{Mode, Model, Pane};
use super::page::Page;
use super::paint::{Paint, cut, fit, right, short, width, wrap};
use super::seen::{Doing, EventRow, Seen, TaskRow, WorkerRow};
use crate::base::clock::{self, Timestamp};
use crate::base::words::{self, tame};
use crate::cli::language::told;
use crate::route::budget::Standing;
use crate::task::Folder;

/// The smallest window that shows anything worth reading.
const SMALLEST: (u16, u16) = (40, 12);

const HELP: [&str; 15] = [
    "Tab, Shift-Tab     go to the next pane, or back: tasks, workers, events",
    "arrows, j k g G    select a row; PgUp and PgDn by ten",
    "left, right        in the tasks: pending, in progress, completed, failed",
    "Enter              open the task that is selected: its story and its answer",
    "p                  pause the selected worker, or let it go on; elsewhere: everybody",
    "P                  pause everybody, or let all go on",
    "x                  cancel the task (asks first)",
    "r                  run a failed task again",
    "/                  find tasks by a part of their id; Esc shows all again",
    "q, Ctrl-C          leave; nothing that runs is touched",
    "Ctrl-Z, Ctrl-L     go to the shell for a while (`fg` comes back); draw anew",
    "",
    "On a task's page: the same keys scroll, c shows what is confidential, q goes back.",
    "RPM and TPM are requests and tokens of the last minute, against the limit.",
    "HANDS are those at work, of all. TODAY is what a worker cost today. Times are UTC.",
];

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, now: Timestamp, paint: Paint) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return too_small(frame, area);
    }
    let canvas = &mut Canvas { frame, area, paint, now };
    match &model.mode {
        Mode::Help => canvas.help(),
        Mode::Page(page) => canvas.page(page, model),
        _ if !model.is_ready => {
            let text = format!("looking at {}…", tame(&model.seen.home));
            canvas.put(0, Line::raw(told(&text).into_owned()));
        }
        _ => canvas.shop(model),
    }
}

fn too_small(frame: &mut Frame<'_>, area: Rect) {
    let (columns, rows) = SMALLEST;
    let text = format!("the window is too small: {columns} columns and {rows} rows are needed");
    let lines = wrap(&told(&text), area.width.into());
    for (row, text) in (0..area.height).zip(lines) {
        frame.buffer_mut().set_line(0, row, &Line::raw(text), area.width);
    }
}

struct Canvas<'a, 'b> {
    frame: &'a mut Frame<'b>,
    area: Rect,
    paint: Paint,
    now: Timestamp,
}

impl Canvas<'_, '_> {
    fn columns(&self) -> usize {
        self.area.width.into()
    }

    fn put(&mut self, row: u16, line: Line<'_>) {
        if row < self.area.height {
            self.frame.buffer_mut().set_line(0, row, &line, self.area.width);
        }
    }

    fn shop(&mut self, model: &Model) {
        let seen = &model.seen;
        self.put(0, self.whose(seen));
        self.put(1, self.money(seen));
        let mut row = 2;
        for trouble in seen.troubles.iter().take(2) {
            let text = cut(&format!("! {}", told(&tame(trouble))), self.columns());
            self.put(row, Line::styled(text, self.paint.bad()));
            row += 1;
        }
        let bottom = self.area.height - 1;
        let room = bottom - row - 3;
        let rows_of_workers = seen.workers.iter().map(|worker| 1 + worker.state.hands.min(4));
        let most = u16::try_from(rows_of_workers.sum::<usize>()).unwrap_or(u16::MAX);
        let of_workers = most.clamp(1, room / 3);
        let of_tasks = room / 3;
        row = self.tasks(model, row, of_tasks);
        row = self.workers(model, row, of_workers);
        self.events(model, row, bottom - row - 1);
        self.foot(model);
    }

    /// Whose home it is, and who works it.
    fn whose(&self, seen: &Seen) -> Line<'static> {
        let paint = self.paint;
        let (text, style) = match seen.daemon {
            Some(daemon) => {
                let age = daemon.since.map(|since| format!(" for {}", self.age(since)));
                let age = age.unwrap_or_default();
                let text = format!("working{age}, process {}", daemon.pid);
                (told(&text).into_owned(), paint.busy())
            }
            None => (told("NO DAEMON: `koubou start` starts one").into_owned(), paint.bad()),
        };
        let paused = match seen.paused {
            true => format!("  {}", told("PAUSED: P lets it go on")),
            false => String::new(),
        };
        let room = self.columns().saturating_sub(width(&text) + width(&paused) + 2);
        Line::from(vec![
            Span::styled(
                end_of(&tame(&seen.home), room),
                Style::new().add_modifier(Modifier::BOLD),
            ),
            Span::raw("  "),
            Span::styled(text, style),
            Span::styled(paused, paint.held().add_modifier(Modifier::BOLD)),
        ])
    }

    fn money(&self, seen: &Seen) -> Line<'static> {
        let Some(money) = &seen.money else {
            return Line::styled(told("money: not known").into_owned(), self.paint.dim());
        };
        let part = |name: &str, standing: &Standing| {
            let Standing { limit, spent, reserved } = standing;
            let percent = standing.percent();
            let text = match standing.reserved > crate::task::Usd::ZERO {
                true => format!("{name} {spent} of {limit} + {reserved} reserved"),
                false => format!("{name} {spent} of {limit}"),
            };
            let style = match () {
                () if standing.limit <= standing.used() => self.paint.bad(),
                () if percent >= money.alert_percent.into() => self.paint.held(),
                () => Style::new(),
            };
            let word = match () {
                () if standing.limit <= standing.used() => "USED UP".to_owned(),
                () if percent >= money.alert_percent.into() => format!("{percent} % USED"),
                () => String::new(),
            };
            let comma = if word.is_empty() { "" } else { ", " };
            Span::styled(format!("{}{}{}", told(&text), told(comma), told(&word)), style)
        };
        let (day, month) = (part("today", &money.day), part(&money.year_month, &money.month));
        Line::from(vec![day, Span::raw("   "), month])
    }

    fn tasks(&mut self, model: &Model, row: u16, rows: u16) -> u16 {
        let want = model.want();
        let counts = Folder::ALL.into_iter().zip(model.seen.counts).map(|(folder, count)| {
            let text = format!("{count} {}", folder.as_str().replace('_', " "));
            let text = told(&text);
            match folder == want.folder && want.filter.is_none() {
                true => format!("[{text}]"),
                false => format!(" {text} "),
            }
        });
        let mut title = format!("{} {}", told("TASKS"), counts.collect::<String>());
        if let Some(filter) = &want.filter {
            let like = format!("like \"{}\"; Esc: all", tame(filter));
            title.push_str(&format!(" {}", told(&like)));
        }
        let tasks = model.tasks();
        let ids = tasks.iter().map(|task| width(&tame(task.id.as_str()))).max().unwrap_or(0);
        let id_columns = ids.clamp(8, self.columns() / 3);
        let workers = tasks.iter().filter_map(|task| task.worker.as_deref()).map(width);
        let worker_columns = workers.max().unwrap_or(1).min(16);
        let lines = tasks
            .iter()
            .map(|task| self.task(task, want.filter.is_some(), id_columns, worker_columns));
        let lines = lines.collect();
        self.pane(model, Pane::Tasks, &title, lines, row, rows)
    }

    fn task(
        &self,
        task: &TaskRow,
        is_any: bool,
        id_columns: usize,
        worker_columns: usize,
    ) -> Line<'static> {
        let style = match task.folder {
            Folder::Failed => self.paint.bad(),
            Folder::InProgress => self.paint.busy(),
            _ => Style::new(),
        };
        let clock = task.since.map(|since| format!("for {}", self.age(since)));
        let clock = clock.map(|clock| told(&clock).into_owned());
        let says = told(&tame(&task.says)).into_owned();
        let parts = [Some(says), clock].into_iter().flatten().filter(|part| !part.is_empty());
        let mut spans = vec![Span::raw(fit(&tame(task.id.as_str()), id_columns) + "  ")];
        if is_any {
            let folder = task.folder.as_str().replace('_', " ");
            spans.push(Span::styled(fit(&told(&folder), 12), style));
        }
        let worker = task.worker.as_deref().map_or("-".to_owned(), tame);
        spans.push(Span::raw(fit(&worker, worker_columns) + "  "));
        spans.push(Span::styled(parts.collect::<Vec<_>>().join(" "), style));
        Line::from(spans)
    }

    fn workers(&mut self, model: &Model, row: u16, rows: u16) -> u16 {
        let names = model.seen.workers.iter().flat_map(|worker| {
            let hands = worker.doing.iter().map(|doing| width(&tame(&doing.hand)) + 2);
            hands.chain([width(&tame(worker.name.as_str()))])
        });
        let most = 14.max(self.columns() / 6);
        let name_columns = names.max().unwrap_or(0).clamp(width(&told("WORKERS")), most);
        let title = format!(
            "{} {} {} {} {} {} {}",
            fit(&told("WORKERS"), name_columns),
            fit(&told("STATE"), 14),
            fit(&told("HANDS"), 5),
            right("RPM", 7),
            right("TPM", 9),
            right(&told("TODAY"), 9),
            told("WHY")
        );
        let has_mirror = model.seen.has_mirror;
        let mut lines = Vec::new();
        for worker in &model.seen.workers {
            lines.push(self.worker(worker, name_columns, has_mirror));
            lines.extend(worker.doing.iter().map(|doing| self.doing(doing, name_columns)));
        }
        self.pane(model, Pane::Workers, &title, lines, row, rows)
    }

    fn worker(&self, worker: &WorkerRow, name_columns: usize, has_mirror: bool) -> Line<'static> {
        let state = &worker.state;
        let (requests, tokens) = worker.rate.last_minute(self.now);
        let against = |count: u64, limit: Option<u32>| match limit {
            Some(limit) => format!("{}/{}", short(count), short(limit.into())),
            None => short(count),
        };
        let word = match (state.paused, state.state.as_str()) {
            (true, "idle") => "paused".to_owned(),
            (true, word @ ("busy" | "offline")) => format!("{word}, paused"),
            (_, word) => word.to_owned(),
        };
        let style = match state.state.as_str() {
            _ if !has_mirror => self.paint.dim(),
            "busy" => self.paint.busy(),
            "idle" | "offline" => Style::new(),
            "paused" | "rate_limited" => self.paint.held(),
            _ => self.paint.bad(),
        };
        let until = state.until.iter().map(|until| format!("until {}", time_of(until)));
        let since = state.since.iter().map(|since| format!("since {}", time_of(since)));
        let why = Some(tame(&state.why())).filter(|why| !why.is_empty());
        let why = until.chain(since).chain(why).map(|part| told(&part).into_owned());
        let why: Vec<String> = why.collect();
        Line::from(vec![
            Span::raw(fit(&tame(worker.name.as_str()), name_columns) + " "),
            Span::styled(fit(&told(&tame(&word)), 14) + " ", style),
            Span::raw(format!(
                "{} {} {} {} ",
                fit(&format!("{}/{}", worker.doing.len(), state.hands), 5),
                right(&against(requests, state.max_rpm), 7),
                right(&against(tokens, state.max_tpm), 9),
                right(&worker.cost_today.to_string(), 9),
            )),
            Span::styled(why.join(&told(", ")), style),
        ])
    }

    fn doing(&self, doing: &Doing, name_columns: usize) -> Line<'static> {
        let hand = fit(&format!("  {}", tame(&doing.hand)), name_columns + 1);
        let age = right(&told(&self.age(doing.since)), 12);
        Line::raw(format!("{hand}{age}  {}", tame(doing.task.as_str())))
    }

    fn events(&mut self, model: &Model, row: u16, rows: u16) {
        let today = self.now.strftime("%Y-%m-%d").to_string();
        let lines = model.events_shown().map(|(_, event)| self.event(event, &today)).collect();
        self.pane(model, Pane::Events, &told("EVENTS"), lines, row, rows);
    }

    fn event(&self, event: &EventRow, today: &str) -> Line<'static> {
        let is_today = event.at.strftime("%Y-%m-%d").to_string() == today;
        let form = if is_today { "%H:%M:%S" } else { "%m-%d   " };
        let style = if event.is_bad { self.paint.bad() } else { Style::new() };
        Line::from(vec![
            Span::styled(format!("{}  ", event.at.strftime(form)), self.paint.dim()),
            Span::styled(tame(&event.words), style),
        ])
    }

    /// A pane with its title; the row below it.
    fn pane(
        &mut self,
        model: &Model,
        pane: Pane,
        title: &str,
        lines: Vec<Line<'static>>,
        row: u16,
        rows: u16,
    ) -> u16 {
        let has_keys = model.pane == pane;
        let (all, height) = (lines.len(), usize::from(rows));
        let picked = model.picked(pane);
        let top = picked.saturating_sub(height / 2).min(all.saturating_sub(height));
        let place = match all > height {
            true => format!(" {}", place(top + 1, top + height, all)),
            false => String::new(),
        };
        let mark = if has_keys { "> " } else { "  " };
        let room = self.columns().saturating_sub(width(&place));
        let title = format!("{}{place}", fit(&format!("{mark}{title}"), room));
        self.put(row, Line::styled(title, self.paint.title(has_keys)));
        for (at, line) in (row + 1..).zip(lines.into_iter().enumerate().skip(top).take(height)) {
            let (number, line) = line;
            let is_picked = has_keys && number == picked;
            self.put(at, self.row(line, is_picked));
        }
        row + 1 + rows
    }

    /// A row, cut to the window, and marked if it is selected.
    fn row(&self, line: Line<'static>, is_picked: bool) -> Line<'static> {
        let mut room = self.columns().saturating_sub(2);
        let mut spans = vec![Span::raw(if is_picked { "> " } else { "  " })];
        for span in line.spans {
            let text = cut(&span.content, room);
            room = room.saturating_sub(width(&text));
            spans.push(Span::styled(text, span.style));
        }
        if is_picked {
            spans.push(Span::raw(" ".repeat(room)));
            return Line::from(spans).patch_style(self.paint.picked());
        }
        Line::from(spans)
    }

    /// What the keys do, what is asked, or what was said, which may need a few lines.
    fn foot(&mut self, model: &Model) {
        const KEYS: &str =
            "Tab pane  Enter open  p pause  x cancel  r retry  / find  ? help  q quit";
        match &model.mode {
            Mode::Confirm(task) => {
                // What is said beside it has room in every language.
                let id = cut(&tame(task.as_str()), self.columns().saturating_sub(50));
                let text = format!("cancel `{id}`? y: yes, any other key: no");
                self.say(&told(&text), self.paint.picked());
            }
            Mode::Find(text) => {
                let text = format!("find ids with: {}_   (Enter: show, Esc: all)", tame(text));
                self.say(&told(&text), self.paint.picked());
            }
            _ => self.message(model, KEYS),
        }
    }

    fn message(&mut self, model: &Model, keys: &str) {
        match &model.message {
            Some(text) => {
                self.say(&told(&tame(text)), Style::new().add_modifier(Modifier::BOLD));
            }
            None => self.say(&cut(&told(keys), self.columns()), self.paint.dim()),
        }
    }

    /// Says it in the last lines.
    fn say(&mut self, text: &str, style: Style) {
        const MOST: usize = 4;
        let lines = wrap(text, self.columns());
        let shown = lines.len().min(MOST);
        let first = self.area.height.saturating_sub(u16::try_from(shown).unwrap_or(1));
        for (row, line) in (first..).zip(lines.into_iter().take(MOST)) {
            self.put(row, Line::styled(fit(&line, self.columns()), style));
        }
    }

    fn page(&mut self, page: &Page, model: &Model) {
        const KEYS: &str = "arrows, space scroll  c confidential  r retry  x cancel  q back";
        let (first, last, all) = page.place();
        let place = place(first, last, all);
        let room = self.columns().saturating_sub(width(&place));
        let title = format!("{}{place}", fit(&tame(page.id().as_str()), room));
        self.put(0, Line::styled(title, self.paint.title(true)));
        for (row, line) in (1..).zip(page.shown()) {
            self.put(row, Line::raw(line.to_owned()));
        }
        self.message(model, KEYS);
    }

    fn help(&mut self) {
        let title = told("koubou top: any key goes back").into_owned();
        self.put(0, Line::styled(title, self.paint.title(true)));
        let lines = HELP.iter().flat_map(|line| wrap(&told(line), self.columns()));
        for (row, line) in (1..).zip(lines.collect::<Vec<_>>()) {
            self.put(row, Line::raw(line));
        }
    }

    /// How long ago, to the second.
    fn age(&self, since: Timestamp) -> String {
        words::span(Duration::from_secs(clock::between(since, self.now).as_secs()))
    }
}

/// Which rows are shown, of how many.
fn place(first: usize, last: usize, all: usize) -> String {
    told(&format!("{first}-{last} of {all}")).into_owned()
}

/// The end of a text in so many columns, behind `…` where it has more.
fn end_of(text: &str, columns: usize) -> String {
    let mut rest = text;
    while width(rest) + 1 > columns && width(text) > columns && !rest.is_empty() {
        let first = rest.chars().next().map_or(0, char::len_utf8);
        rest = &rest[first..];
    }
    if rest.len() == text.len() { text.to_owned() } else { format!("…{rest}") }
}

/// The time of day in a time as the mirror has it.
fn time_of(at: &str) -> String {
    tame(at.split_once(' ').map_or(at, |(_, time)| time))
}
