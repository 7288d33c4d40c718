//! `koubou top`: the workshop live in the terminal, and keys to step in.
//!
//! ```text
//! inotify ──▶ lookout ──seen──▶ model ──▶ draw ──▶ terminal
//!                ▲                │                    │
//!                └────wishes──────┴◀──────keys─────────┘
//! ```
//!
//! It reads the folders, the notes, the journal and the mirror, and talks to the daemon as every
//! other command does: by moving files and leaving notes. It draws when something happened, and
//! once a second while there is a clock to show; else it sleeps. The `lookout` alone touches the
//! disk; the `model` is pure, and `draw` shows it; the `screen` restores the terminal, whatever
//! ends us.

mod census;
mod deeds;
mod draw;
mod lookout;
mod memory;
mod model;
mod page;
mod paint;
mod screen;
mod seen;
mod tasks;
#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use ratatui::crossterm::event::{Event as Input, KeyEventKind};
use signal_hook::consts::{SIGCONT, SIGTSTP};

use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::clock;
use lookout::{Asked, Lookout};
use model::{Model, Wish};
use page::Story;
use paint::Paint;
use screen::Screen;
use seen::Seen;

/// Show the workshop live in the terminal, with keys to pause, cancel, retry and open
///
/// Tab goes from the tasks to the workers and to what happened; the arrows select. Enter opens a
/// task, `p` pauses or resumes the selected worker or else everybody, `x` cancels, `r` retries, `/` finds
/// tasks by a part of their id, `?` tells of all keys, `q` leaves. NO_COLOR is respected.
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

/// All that can happen to it.
enum Event {
    /// A key, or another size of the window.
    Input(Input),
    Signal(i32),
    Seen(Box<Seen>),
    Story(Box<Story>),
    /// What became of a deed, or why there is no story.
    Said {
        text: String,
        of_deed: bool,
    },
    /// It cannot go on.
    Lost(String),
}

/// How it ends.
enum End {
    Quit,
    Signal(i32),
}

pub(super) fn run(ui: &mut Ui, site: &Site, _args: &Args) -> Done {
    let why_not = if ui.is_json() { Some("it has no JSON") } else { screen::why_not() };
    if let Some(why_not) = why_not {
        let (status, watch) = (site.call("status"), site.call("watch"));
        return Err(Trouble::usage(format!("`top` draws on a terminal: {why_not}")).hint(format!(
            "{status} says the same once, {watch} as it happens; both know --json"
        )));
    }
    let (ask, asked) = unbounded();
    let lookout = Lookout::new(site, (ask.clone(), asked))?;
    let (tell, told) = unbounded();
    let failed = |doing: &str, error: io::Error| Trouble::new(doing).because(error.to_string());
    let draws = |error| failed("cannot draw on the terminal", error);
    let screen = Screen::open().map_err(draws)?;
    screen::listen(&tell).map_err(|error| failed("cannot listen to the terminal", error))?;
    let looking = look_out(lookout, tell).map_err(|error| failed("cannot look", error))?;
    let mut top = Top { screen, ask, told, paint: Paint::of_environment(), open_deeds: 0 };
    let ended = top.work(&site.home.path().display().to_string());
    let Top { screen, ask, open_deeds, .. } = top;
    drop(screen);
    if open_deeds > 0 && ask.send(Asked::End).is_ok() {
        // What was asked for is done, also where somebody leaves at once.
        let _ = looking.join();
    }
    match ended? {
        End::Quit => Ok(Exit::Done),
        End::Signal(signal) => {
            screen::end_by(signal).map_err(draws)?;
            Ok(Exit::Failed)
        }
    }
}

/// Looks on a thread of its own, of whose end we hear.
fn look_out(lookout: Lookout, tell: Sender<Event>) -> io::Result<std::thread::JoinHandle<()>> {
    struct Farewell(Sender<Event>);
    impl Drop for Farewell {
        fn drop(&mut self) {
            let _ = self.0.send(Event::Lost("koubou looks at the home no more".into()));
        }
    }
    std::thread::Builder::new().name("lookout".into()).spawn(move || {
        let farewell = Farewell(tell);
        lookout.run(&farewell.0);
    })
}

struct Top {
    screen: Screen,
    ask: Sender<Asked>,
    told: Receiver<Event>,
    paint: Paint,
    /// How many deeds were asked for of which nothing is known yet.
    open_deeds: usize,
}

impl Top {
    /// Draws, and does what keys and signals say, until one says that it is enough.
    fn work(&mut self, home: &str) -> Result<End, Trouble> {
        let failed = |error: io::Error| {
            Trouble::new("cannot draw on the terminal").because(error.to_string())
        };
        let size = self.screen.terminal.size().map_err(failed)?;
        let mut model = Model::of_size(size.width, size.height);
        model.seen.home = home.to_owned();
        loop {
            let now = clock::wall();
            let draw = |frame: &mut ratatui::Frame<'_>| draw::draw(frame, &model, now, self.paint);
            self.screen.terminal.draw(draw).map_err(failed)?;
            let tick = Duration::from_secs(model.next_tick(now));
            let mut event = match self.told.recv_timeout(tick) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(End::Quit),
            };
            // What came at once is drawn at once.
            while let Some(this) = event {
                if let Some(end) = self.hear(&mut model, this)? {
                    return Ok(end);
                }
                event = self.told.try_recv().ok();
            }
        }
    }

    fn hear(&mut self, model: &mut Model, event: Event) -> Result<Option<End>, Trouble> {
        let wishes = match event {
            Event::Input(Input::Key(key)) if key.kind != KeyEventKind::Release => model.press(key),
            Event::Input(Input::Resize(columns, rows)) => {
                model.resize(columns, rows);
                Vec::new()
            }
            Event::Input(_) => Vec::new(),
            Event::Seen(seen) => model.see(*seen),
            Event::Story(story) => {
                model.open(*story);
                Vec::new()
            }
            Event::Said { text, of_deed } => {
                self.open_deeds = self.open_deeds.saturating_sub(usize::from(of_deed));
                model.message = Some(text);
                Vec::new()
            }
            Event::Signal(SIGTSTP) => {
                self.on_terminal(Screen::stop)?;
                Vec::new()
            }
            Event::Signal(SIGCONT) => {
                self.on_terminal(Screen::enter_again)?;
                Vec::new()
            }
            Event::Signal(signal) => return Ok(Some(End::Signal(signal))),
            Event::Lost(why) => return Err(Trouble::new(why)),
        };
        for wish in wishes {
            match wish {
                Wish::Quit => return Ok(Some(End::Quit)),
                Wish::Suspend => {
                    if let Err(why) = screen::ask_to_stop() {
                        model.message = Some(why.to_owned());
                    }
                }
                Wish::Repaint => self.on_terminal(Screen::paint_anew)?,
                Wish::See(want) => self.ask(Asked::See(want)),
                Wish::Open(id) => self.ask(Asked::Open(id)),
                Wish::Do(deed) => {
                    self.open_deeds += 1;
                    self.ask(Asked::Do(deed));
                }
            }
        }
        Ok(None)
    }

    fn ask(&self, asked: Asked) {
        // Where nobody hears it any more, we are told so by the lookout itself.
        let _ = self.ask.send(asked);
    }

    fn on_terminal(
        &mut self,
        deed: impl FnOnce(&mut Screen) -> io::Result<()>,
    ) -> Result<(), Trouble> {
        deed(&mut self.screen)
            .map_err(|error| Trouble::new("cannot have the terminal").because(error.to_string()))
    }
}
