//! A worker whose tasks wait until the story lets them go.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use rustix::fs::{Mode, mkfifoat};
use serde_json::Value;

use super::workers::{script, with};

/// A pipe at which a task waits until the story opens it.
pub(crate) struct Gate(PathBuf);

impl Gate {
    /// Makes one.
    pub(crate) fn at(path: PathBuf) -> Self {
        mkfifoat(rustix::fs::CWD, &path, Mode::from_raw_mode(0o600)).unwrap();
        Self(path)
    }

    /// A worker whose tasks say what they read at the gate.
    pub(crate) fn worker(&self) -> Value {
        with(script("gate", "cat \"$1\"", &[self.path()]), "concurrency", 1)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Lets the task go that waits there.
    pub(crate) fn open(&self, text: &str) {
        OpenOptions::new().write(true).open(&self.0).unwrap().write_all(text.as_bytes()).unwrap();
    }
}
