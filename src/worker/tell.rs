//! How a worker tells of its work while it goes on: short lines for whoever follows the log.
//!
//! A line of confidential work says what is done and nothing of what is in it. An attempt that
//! tells without end is heard for a while and then no more.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::base::words;

/// The most lines of one attempt that are told.
const MOST: u32 = 500;
/// The most characters of one line.
const LONGEST: usize = 200;

/// Somebody who listens, or nobody.
#[derive(Clone, Default)]
pub struct Tell(Option<Arc<Listener>>);

struct Listener {
    is_public: bool,
    told: AtomicU32,
    hear: Box<dyn Fn(String) + Send + Sync>,
}

impl Tell {
    /// Has each line heard; where the work is not public, without what is in it.
    pub fn new(is_public: bool, hear: impl Fn(String) + Send + Sync + 'static) -> Self {
        let (told, hear) = (AtomicU32::new(0), Box::new(hear));
        Self(Some(Arc::new(Listener { is_public, told, hear })))
    }

    /// Whether somebody listens who may hear what is in the work.
    pub(super) fn is_public(&self) -> bool {
        self.0.as_ref().is_some_and(|listener| listener.is_public)
    }

    /// Tells that something was done, and with what.
    pub(super) fn say(&self, done: &str, what: &str) {
        self.is_heard(done, what);
    }

    /// The same; whether more will be heard.
    pub(super) fn is_heard(&self, done: &str, what: &str) -> bool {
        let Some(listener) = &self.0 else { return false };
        let n = listener.told.fetch_add(1, Ordering::Relaxed);
        if n > MOST {
            return false;
        }
        let text = match listener.is_public && !what.trim().is_empty() {
            true => format!("{done} {}", one_line(what)),
            false => done.to_owned(),
        };
        match n < MOST {
            true => (listener.hear)(text),
            false => (listener.hear)("goes on; no more of it is told".into()),
        }
        n < MOST
    }
}

impl fmt::Debug for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Tell(…)" } else { "Tell" })
    }
}

/// The beginning of a text, in one line.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > 4 * LONGEST {
            break;
        }
    }
    words::excerpt(&words::tame(&line), LONGEST)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Listens, and remembers.
    pub(in crate::worker) fn listening(is_public: bool) -> (Tell, Arc<Mutex<Vec<String>>>) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        (Tell::new(is_public, move |text| ear.lock().unwrap().push(text)), heard)
    }

    #[test]
    fn a_line_is_short_and_of_confidential_work_says_nothing() {
        let (tell, heard) = listening(true);
        tell.say("ran", "a\n  b\u{1b}");
        tell.say("says", &"x".repeat(1_000));
        assert_eq!(heard.lock().unwrap()[0], "ran a b\\u{1b}");
        assert!(heard.lock().unwrap()[1].chars().count() < 210);
        let (tell, heard) = listening(false);
        tell.say("ran", "cat /etc/hosts");
        assert_eq!(*heard.lock().unwrap(), ["ran"]);
    }

    #[test]
    fn nobody_is_told_without_end() {
        let (tell, heard) = listening(true);
        (0..2_000).for_each(|n| tell.say("line", &n.to_string()));
        assert_eq!(heard.lock().unwrap().len(), 501);
        assert!(heard.lock().unwrap()[500].contains("no more"));
    }
}
