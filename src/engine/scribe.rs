//! Tells the mirror; whoever tells never waits.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;

use super::Message;
use crate::base::clock::Timestamp;
use crate::mirror::compact::Compacted;
use crate::mirror::{Facts, Mirror, MirrorError, MirrorNews};
use crate::task::fact::{Fact, JournalMark};

/// The engine's end of the mirror.
pub(super) struct Scribe {
    facts: Sender<Fact>,
    mirror: Mirror,
    /// Whether it lacks what was before some trouble.
    lacks: Arc<AtomicBool>,
}

impl Scribe {
    /// Opens the mirror; when it is well again after trouble, the engine hears of it.
    pub(super) fn start(path: &Path, to_engine: Sender<Message>) -> Result<Self, MirrorError> {
        let lacks = Arc::new(AtomicBool::new(false));
        let is_lacking = Arc::clone(&lacks);
        let (facts, mirror) = Mirror::start(path, move |news| {
            if matches!(news, MirrorNews::Well) {
                is_lacking.store(true, Ordering::Relaxed);
                let _ = to_engine.send(Message::MirrorWell);
            }
        })?;
        Ok(Self { facts, mirror, lacks })
    }

    /// Whether it knew nothing of this home when it was opened.
    pub(super) fn is_fresh(&self) -> bool {
        self.mirror.is_fresh()
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
        self.lacks.store(false, Ordering::Relaxed);
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

    /// Writes all that was told, and closes the database cleanly; says whether it is to be made anew.
    pub(super) fn close(self) -> bool {
        drop(self.facts);
        self.mirror.close();
        self.lacks.load(Ordering::Relaxed)
    }
}
