//! Answers that were had before: a request that is the same to the byte is answered again for nothing.
//!
//! Each lies in a file of its own in the home's `cache`, named by a hash of the whole
//! request with the address that it goes to, and readable by the daemon's user alone. Only
//! answers that were accepted are kept. Nothing here decides whether a task may be answered
//! so, and a file that cannot be read is no answer.

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::lanes::sentence;
use crate::base::files::{self, FileError};
use crate::spool::Home;
use crate::task::outcome::{Answer, Spent};

/// The kept answers of a home.
#[derive(Debug)]
pub(super) struct Cache {
    dir: PathBuf,
    /// Where half-made files lie.
    scratch: PathBuf,
}

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    content: String,
    model: Option<String>,
    warnings: Vec<String>,
}

impl Cache {
    /// The one of a home.
    pub(super) fn of(home: &Home) -> Self {
        Self { dir: home.cache(), scratch: home.tmp() }
    }

    /// The answer that this request had before.
    pub(super) fn find(&self, request: &str) -> Option<Answer> {
        let bytes = std::fs::read(self.place(request)).ok()?;
        let kept: Kept = serde_json::from_slice(&bytes).ok()?;
        Some(Answer {
            content: kept.content,
            model: kept.model,
            warnings: kept.warnings,
            spent: Spent::Nothing,
            cached: true,
            ..Answer::default()
        })
    }

    /// Keeps an answer for when the same is asked again; where it cannot, the log says so.
    pub(super) fn keep_if_possible(&self, request: &str, answer: &Answer) {
        if let Err(error) = self.keep(request, answer) {
            log::warn!("the answer was not kept for the next time: {}", sentence(&error));
        }
    }

    fn keep(&self, request: &str, answer: &Answer) -> Result<(), FileError> {
        let kept = Kept {
            content: answer.content.clone(),
            model: answer.model.clone(),
            warnings: answer.warnings.clone(),
        };
        let bytes = serde_json::to_vec(&kept).unwrap_or_default();
        let place = self.place(request);
        files::replace(&self.scratch, &place, &bytes, 0o600)
    }

    fn place(&self, request: &str) -> PathBuf {
        let name = HEXLOWER.encode(&Sha256::digest(request.as_bytes()));
        self.dir.join(format!("{name}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_has_the_same_answer_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (cache, scratch) = (dir.path().join("cache"), dir.path().to_owned());
        let cache = Cache { dir: cache, scratch };
        std::fs::create_dir(dir.path().join("cache")).unwrap();
        assert_eq!(cache.find("a"), None);
        let answer = Answer { content: "42".into(), spent: Spent::Unknown, ..Answer::default() };
        cache.keep("a", &answer).unwrap();
        let again = cache.find("a").unwrap();
        assert_eq!(
            (again.content.as_str(), again.cached, again.spent),
            ("42", true, Spent::Nothing)
        );
        assert_eq!(cache.find("a "), None, "one byte more is another request");
        std::fs::write(cache.place("a"), "{").unwrap();
        assert_eq!(cache.find("a"), None);
    }
}
