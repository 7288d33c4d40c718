//! What is on the screen, and what a key makes of it; no disk, no clock, no terminal.
//!
//! A key is answered with wishes: what is to be looked at, done, or drawn otherwise. What was
//! selected stays selected while rows come and go around it.

use std::collections::VecDeque;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::page::{Page, Story};
use super::seen::{EventRow, Seen, TaskRow, Want};
use crate::base::clock::Timestamp;
use crate::task::{Folder, TaskId, WorkerType};

/// More happenings are not kept.
const MOST_EVENTS: usize = 1_000;

/// How many rows and columns a window has for a page less than it has.
pub(super) const PAGE_FRAME: usize = 2;

/// A part of the screen that keys can go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pane {
    #[default]
    Tasks,
    Workers,
    Events,
}

/// What a row is, whatever it says for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Task(TaskId),
    Worker(WorkerType),
    /// A hand's task: the worker's type, and the task.
    Doing(WorkerType, TaskId),
    /// A happening, by its number since the start.
    Event(u64),
}

/// What the keys mean.
#[derive(Clone, Debug, Default)]
pub(super) enum Mode {
    #[default]
    Browse,
    Help,
    /// A part of an id is being typed.
    Find(String),
    /// Whether this task is to be cancelled.
    Confirm(TaskId),
    Page(Page),
}

/// What a key asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Quit,
    Suspend,
    Repaint,
    See(Want),
    Open(TaskId),
    Do(Deed),
}

/// A change of the home that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Of one worker, or of the workshop.
    Pause(Option<WorkerType>),
    Resume(Option<WorkerType>),
    Cancel(TaskId),
    Retry(TaskId),
}

/// Where somebody is in a pane.
#[derive(Clone, Debug, Default)]
struct Pick {
    key: Option<Key>,
    /// Where it was last, for when it is gone.
    at: usize,
}

/// All that is shown.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) seen: Seen,
    /// Whether anything was seen yet.
    pub(super) is_ready: bool,
    pub(super) events: VecDeque<(u64, EventRow)>,
    next_event: u64,
    pub(super) pane: Pane,
    picks: [Pick; 3],
    want: Want,
    pub(super) mode: Mode,
    /// What was said last.
    pub(super) message: Option<String>,
    columns: usize,
    rows: usize,
}

impl Model {
    pub(super) fn of_size(columns: u16, rows: u16) -> Self {
        Self { columns: columns.into(), rows: rows.into(), ..Self::default() }
    }

    /// Takes in what was seen.
    pub(super) fn see(&mut self, mut seen: Seen) -> Vec<Wish> {
        for event in seen.news.drain(..) {
            self.events.push_back((self.next_event, event));
            self.next_event += 1;
        }
        let too_many = self.events.len().saturating_sub(MOST_EVENTS);
        self.events.drain(..too_many);
        self.seen = seen;
        self.is_ready = true;
        for pane in [Pane::Tasks, Pane::Workers, Pane::Events] {
            let (at, rows) = (self.picked(pane), self.keys(pane));
            let pick = &mut self.picks[pane as usize];
            pick.at = at;
            // One that is gone is followed by what lies in its place.
            if pick.key.as_ref().is_some_and(|key| !rows.contains(key)) {
                pick.key = rows.get(at).cloned();
            }
        }
        match &self.mode {
            Mode::Page(page) if !page.folder().is_end() => vec![Wish::Open(page.id().clone())],
            _ => Vec::new(),
        }
    }

    /// Takes in a story that was asked for.
    pub(super) fn open(&mut self, story: Story) {
        match &mut self.mode {
            Mode::Page(page) if *page.id() == story.id => page.update(story),
            Mode::Browse => {
                let rows = self.rows.saturating_sub(PAGE_FRAME);
                self.mode = Mode::Page(Page::new(story, self.columns, rows));
            }
            // Who has gone on meanwhile does not want it any more.
            _ => {}
        }
    }

    /// Takes in another size of the window.
    pub(super) fn resize(&mut self, columns: u16, rows: u16) {
        (self.columns, self.rows) = (columns.into(), rows.into());
        if let Mode::Page(page) = &mut self.mode {
            page.resize(self.columns, self.rows.saturating_sub(PAGE_FRAME));
        }
    }

    /// In how many seconds the screen is to be drawn anew though nothing happens.
    pub(super) fn next_tick(&self, now: Timestamp) -> u64 {
        const AGES: u64 = 60;
        let shows_clocks = matches!(self.mode, Mode::Browse | Mode::Find(_) | Mode::Confirm(_));
        if !shows_clocks || self.seen.daemon.is_none() {
            return AGES;
        }
        if self.seen.workers.iter().any(|worker| !worker.doing.is_empty()) {
            return 1;
        }
        let falls = self.seen.workers.iter().filter_map(|worker| worker.rate.falls_in(now));
        falls.min().unwrap_or(AGES).min(AGES)
    }

    /// The rows of the tasks' pane, of which not all may be of the folder that is wanted by now.
    pub(super) fn tasks(&self) -> &[TaskRow] {
        if self.seen.want == self.want { &self.seen.tasks } else { &[] }
    }

    /// Which tasks are wanted.
    pub(super) fn want(&self) -> &Want {
        &self.want
    }

    /// The happenings that are shown.
    pub(super) fn events_shown(&self) -> impl DoubleEndedIterator<Item = &(u64, EventRow)> {
        self.events.iter().filter(|(_, event)| match &event.task {
            Some(task) => self.want.covers(task.as_str()),
            None => self.want.filter.is_none(),
        })
    }

    /// What the rows of a pane are.
    pub(super) fn keys(&self, pane: Pane) -> Vec<Key> {
        match pane {
            Pane::Tasks => self.tasks().iter().map(|task| Key::Task(task.id.clone())).collect(),
            Pane::Workers => {
                let of_worker = |worker: &super::seen::WorkerRow| {
                    let doing = worker.doing.iter().map(|doing| doing.task.clone());
                    let doing = doing.map(|task| Key::Doing(worker.name.clone(), task));
                    [Key::Worker(worker.name.clone())].into_iter().chain(doing).collect::<Vec<_>>()
                };
                self.seen.workers.iter().flat_map(of_worker).collect()
            }
            Pane::Events => self.events_shown().map(|(number, _)| Key::Event(*number)).collect(),
        }
    }

    /// Which row of a pane is selected.
    pub(super) fn picked(&self, pane: Pane) -> usize {
        let (pick, rows) = (&self.picks[pane as usize], self.keys(pane));
        let last = rows.len().saturating_sub(1);
        match &pick.key {
            Some(key) => rows.iter().position(|row| row == key).unwrap_or(pick.at.min(last)),
            // Who has not selected anything follows what happens.
            None if pane == Pane::Events => last,
            None => 0,
        }
    }

    fn picked_key(&self) -> Option<Key> {
        self.keys(self.pane).into_iter().nth(self.picked(self.pane))
    }

    /// The task that is selected, or that the selected row is about.
    fn picked_task(&self) -> Option<TaskId> {
        match self.picked_key()? {
            Key::Task(task) | Key::Doing(_, task) => Some(task),
            Key::Worker(_) => None,
            Key::Event(number) => {
                let found = self.events.iter().find(|(known, _)| *known == number);
                found.and_then(|(_, event)| event.task.clone())
            }
        }
    }

    fn picked_worker(&self) -> Option<WorkerType> {
        match self.picked_key()? {
            Key::Worker(worker) | Key::Doing(worker, _) => Some(worker),
            _ => None,
        }
    }

    /// Hears a key.
    pub(super) fn press(&mut self, key: KeyEvent) -> Vec<Wish> {
        self.message = None;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => vec![Wish::Quit],
                KeyCode::Char('z') => vec![Wish::Suspend],
                KeyCode::Char('l') => vec![Wish::Repaint],
                _ => Vec::new(),
            };
        }
        match std::mem::take(&mut self.mode) {
            Mode::Browse => self.browse(key.code),
            Mode::Help => Vec::new(),
            Mode::Find(text) => self.find(text, key.code),
            Mode::Confirm(task) => match key.code {
                KeyCode::Char('y' | 'Y') => vec![Wish::Do(Deed::Cancel(task))],
                _ => {
                    self.message = Some(format!("`{task}` goes on"));
                    Vec::new()
                }
            },
            Mode::Page(page) => self.read(page, key.code),
        }
    }

    fn browse(&mut self, code: KeyCode) -> Vec<Wish> {
        match code {
            KeyCode::Char('q') => return vec![Wish::Quit],
            KeyCode::Char('?') => self.mode = Mode::Help,
            KeyCode::Char('/') => {
                self.mode = Mode::Find(self.want.filter.clone().unwrap_or_default());
            }
            KeyCode::Esc => return self.look_for(None),
            KeyCode::Tab => self.pane = self.pane.next(),
            KeyCode::BackTab => self.pane = self.pane.next().next(),
            KeyCode::Up | KeyCode::Char('k') => self.go(-1),
            KeyCode::Down | KeyCode::Char('j') => self.go(1),
            KeyCode::PageUp => self.go(-10),
            KeyCode::PageDown => self.go(10),
            KeyCode::Home | KeyCode::Char('g') => self.go(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => self.go(isize::MAX),
            KeyCode::Left | KeyCode::Char('h') => return self.turn(3),
            KeyCode::Right | KeyCode::Char('l') => return self.turn(1),
            KeyCode::Char('P') => return self.pause(None),
            KeyCode::Char('p') => return self.pause(self.picked_worker()),
            KeyCode::Enter => match self.picked_key() {
                Some(Key::Worker(name)) => self.message = self.about(&name),
                _ => return self.with_task(Wish::Open),
            },
            KeyCode::Char('r') => return self.with_task(|task| Wish::Do(Deed::Retry(task))),
            KeyCode::Char('x') => match self.picked_task() {
                Some(task) => self.mode = Mode::Confirm(task),
                None => self.message = Some(NO_TASK.into()),
            },
            _ => {}
        }
        Vec::new()
    }

    fn find(&mut self, mut text: String, code: KeyCode) -> Vec<Wish> {
        match code {
            KeyCode::Enter => return self.look_for(Some(text).filter(|text| !text.is_empty())),
            KeyCode::Esc => return self.look_for(None),
            KeyCode::Backspace => drop(text.pop()),
            KeyCode::Char(c) => text.push(c),
            _ => {}
        }
        self.mode = Mode::Find(text);
        Vec::new()
    }

    fn read(&mut self, mut page: Page, code: KeyCode) -> Vec<Wish> {
        let screen = page.rows().saturating_sub(1).max(1).cast_signed();
        match code {
            KeyCode::Char('q') | KeyCode::Esc | KeyCode::Backspace => return Vec::new(),
            KeyCode::Char('c') => page.reveal(),
            KeyCode::Up | KeyCode::Char('k') => page.scroll(-1),
            KeyCode::Down | KeyCode::Char('j') | KeyCode::Enter => page.scroll(1),
            KeyCode::PageUp | KeyCode::Char('b') => page.scroll(-screen),
            KeyCode::PageDown | KeyCode::Char(' ') => page.scroll(screen),
            KeyCode::Home | KeyCode::Char('g') => page.scroll(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => page.scroll(isize::MAX),
            KeyCode::Char('r') => return vec![Wish::Do(Deed::Retry(page.id().clone()))],
            KeyCode::Char('x') => {
                self.mode = Mode::Confirm(page.id().clone());
                return Vec::new();
            }
            _ => {}
        }
        self.mode = Mode::Page(page);
        Vec::new()
    }

    /// Selects another row, so many below.
    fn go(&mut self, rows: isize) {
        let (at, keys) = (self.picked(self.pane), self.keys(self.pane));
        let at = at.saturating_add_signed(rows).min(keys.len().saturating_sub(1));
        let follows = self.pane == Pane::Events && at + 1 == keys.len();
        let key = keys.into_iter().nth(at).filter(|_| !follows);
        self.picks[self.pane as usize] = Pick { key, at };
    }

    /// Shows another folder's tasks, so many to the right.
    fn turn(&mut self, folders: usize) -> Vec<Wish> {
        if self.pane != Pane::Tasks || self.want.filter.is_some() {
            return Vec::new();
        }
        let folder = Folder::ALL[(self.want.folder as usize + folders) % Folder::ALL.len()];
        self.look_at(Want { folder, filter: None })
    }

    fn look_for(&mut self, filter: Option<String>) -> Vec<Wish> {
        if filter == self.want.filter {
            return Vec::new();
        }
        self.look_at(Want { filter, ..self.want })
    }

    fn look_at(&mut self, want: Want) -> Vec<Wish> {
        self.want = want.clone();
        self.picks[Pane::Tasks as usize] = Pick::default();
        vec![Wish::See(want)]
    }

    /// All that there is to say of a worker, for which its row may have no room.
    fn about(&self, name: &WorkerType) -> Option<String> {
        let row = self.seen.workers.iter().find(|row| row.name == *name)?;
        let state = &row.state;
        let parts = [
            format!("worker `{name}` ({}): {}", state.model, state.state_in_words()),
            format!("limits {}", state.limits_in_words()),
            state.why(),
        ];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        Some(parts.collect::<Vec<_>>().join("; "))
    }

    fn pause(&self, worker: Option<WorkerType>) -> Vec<Wish> {
        let is_paused = match &worker {
            None => self.seen.paused,
            Some(name) => self.seen.workers.iter().any(|row| row.name == *name && row.state.paused),
        };
        vec![Wish::Do(if is_paused { Deed::Resume(worker) } else { Deed::Pause(worker) })]
    }

    fn with_task(&mut self, wish: impl FnOnce(TaskId) -> Wish) -> Vec<Wish> {
        match self.picked_task() {
            Some(task) => vec![wish(task)],
            None => {
                self.message = Some(NO_TASK.into());
                Vec::new()
            }
        }
    }
}

const NO_TASK: &str = "no task is selected: Tab goes to another pane, the arrows to a task";

impl Pane {
    fn next(self) -> Self {
        match self {
            Self::Tasks => Self::Workers,
            Self::Workers => Self::Events,
            Self::Events => Self::Tasks,
        }
    }
}
