//! Tells the mirror; whoever tells never waits.

use std::path::Path;

use crossbeam_channel::Sender;

use super::Message;
use crate::base::clock::Timestamp;
use crate::mirror::compact::Compacted;
use crate::mirror::{Facts, Mirror, MirrorError, MirrorNews};
use crate::spool::Home;
use crate::spool::notes::Note;
use crate::task::fact::{Fact, JournalMark};

/// The engine's end of the mirror.
pub(super) struct Scribe {
    facts: Sender<Fact>,
    mirror: Mirror,
}

impl Scribe {
    /// Opens the mirror of a home. When it is well again after trouble it lacks what was before: the
    /// engine hears of it, and a note says so to the next one where this one hears nothing any more.
    pub(super) fn start(
        path: &Path,
        home: &Home,
        to_engine: Sender<Message>,
    ) -> Result<Self, MirrorError> {
        let home = home.clone();
        let (facts, mirror) = Mirror::start(path, move |news| {
            if matches!(news, MirrorNews::Well) {
                let _ = Note::Rebuild.leave(&home);
                let _ = to_engine.send(Message::MirrorWell);
            }
        })?;
        Ok(Self { facts, mirror })
    }

    /// How far the mirror had followed the journal when it was opened.
    pub(super) fn journal_mark(&self) -> Option<&JournalMark> {
        self.mirror.journal_mark()
    }

    /// Tells what has become true.
    pub(super) fn tell(&self, fact: Fact) {
        // A writer that ended has said why; the next start brings the mirror in line.
        let _ = self.facts.send(fact);
    }

    /// Has the mirror made anew; `done` is called on another thread, once, or never where `false` is
    /// answered.
    pub(super) fn rebuild(
        &self,
        facts: Facts,
        done: impl FnOnce(Result<(), String>) + Send + 'static,
    ) -> bool {
        let answer = self.mirror.rebuild(facts);
        let waiting = std::thread::Builder::new().name("rebuild".into()).spawn(move || {
            let result = match answer.recv() {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("the mirror's writer has ended".to_owned()),
            };
            done(result);
        });
        // Without a thread to wait for it, the rebuild is done all the same.
        waiting.is_ok()
    }

    /// Has the mirror made smaller; `done` is called on another thread, once.
    pub(super) fn compact(
        &self,
        before: Timestamp,
        done: impl FnOnce(Result<Compacted, String>) + Send + 'static,
    ) {
        let answer = self.mirror.compact(before);
        let waiting = std::thread::Builder::new().name("compact".into()).spawn(move || {
            let answer = answer.recv().unwrap_or(Err(MirrorError::Ended));
            done(answer.map_err(|error| {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                format!("{error}{}", cause.unwrap_or_default())
            }));
        });
        // Without a thread to wait for it, it is done all the same.
        drop(waiting);
    }

    /// Writes all that was told, and closes the database cleanly.
    pub(super) fn close(self) {
        drop(self.facts);
        self.mirror.close();
    }
}
