//! Speaks: the answer to standard output, everything else to standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::language::{told, told_lines};
use super::trouble::Trouble;
use crate::base::words;

/// How to speak, as the arguments want it.
pub(super) struct Ui {
    json: bool,
    quiet: bool,
    pub(super) verbose: u8,
}

impl Ui {
    pub(super) fn new(json: bool, quiet: bool, verbose: u8) -> Self {
        Self { json, quiet, verbose }
    }

    /// Whether the answer is read by a program.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The answer: as people read it, or as one JSON document.
    pub(super) fn answer<T: Serialize + Display>(&mut self, answer: &T) -> Result<(), Trouble> {
        match self.json {
            true => self.json_line(answer),
            false => self.raw(told_lines(&answer.to_string()).as_bytes()),
        }
    }

    /// One JSON document on a line of its own.
    pub(super) fn json_line<T: Serialize>(&mut self, value: &T) -> Result<(), Trouble> {
        let mut line =
            serde_json::to_vec(value).map_err(|error| Trouble::new(error.to_string()))?;
        line.push(b'\n');
        self.raw(&line)
    }

    /// A line of the answer, in words.
    pub(super) fn line(&mut self, text: &str) -> Result<(), Trouble> {
        self.verbatim(&told_lines(text))
    }

    /// A line of the answer that is the same in every language: an id, a hash, a line of a log.
    pub(super) fn verbatim(&mut self, text: &str) -> Result<(), Trouble> {
        self.raw(format!("{text}\n").as_bytes())
    }

    /// Bytes as they are. A reader that has seen enough is no failure.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Trouble::silent()),
            Err(error) => Err(Trouble::new("cannot write the answer").because(error.to_string())),
            Ok(()) => Ok(()),
        }
    }

    /// Says how it goes, unless it was asked to be quiet.
    pub(super) fn say(&mut self, text: &str) {
        if !self.quiet {
            self.insist(text);
        }
    }

    /// Says what must be heard, however quiet it was asked to be.
    pub(super) fn insist(&mut self, text: &str) {
        let _ = writeln!(io::stderr(), "{}", told(text));
    }

    /// Says what to do next.
    pub(super) fn hint(&mut self, text: &str) {
        self.say(&format!("hint: {text}"));
    }

    /// Says what is odd.
    pub(super) fn warn(&mut self, text: &str) {
        self.say(&format!("warning: {}", words::tame(text)));
    }

    pub(super) fn trouble(&mut self, trouble: &Trouble) {
        if trouble.message.is_empty() {
            return;
        }
        for line in trouble.lines() {
            self.insist(&line);
        }
    }

    /// How far something has come, for a person who is looking.
    pub(super) fn progress(&self) -> Progress {
        self.progress_of("ended")
    }

    /// The same, with what it is that has come so far.
    pub(super) fn progress_of(&self, done: &str) -> Progress {
        let is_watched = io::stderr().is_terminal() && !self.quiet;
        Progress(is_watched.then(|| {
            let bar = ProgressBar::new(0).with_style(
                ProgressStyle::with_template(&told(&format!(
                    "{{bar:24}} {{pos}} of {{len}} {done}, {{elapsed}}"
                )))
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.enable_steady_tick(Duration::from_secs(1));
            bar
        }))
    }

    /// Whether a person is looking at the answer.
    pub(super) fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }
}

/// A bar that shows how far something has come, and is gone when it is dropped; nothing where
/// nobody looks.
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    /// So many have ended, and so many have not.
    pub(super) fn show(&mut self, ended: u64, open: u64) {
        if let Some(bar) = &self.0 {
            bar.set_length(ended + open);
            bar.set_position(ended);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
