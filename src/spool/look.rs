//! Looks at one file in `pending` without trusting it.

use std::ffi::OsStr;
use std::io;

use super::Spool;
use crate::base::files::{self, FileError, ReadError, Regular, Stat};

/// What a look at a file in `pending` showed.
#[derive(Debug)]
pub enum Look {
    /// It is not there (any more).
    Gone,
    /// Somebody has it open for writing: it is not done.
    BeingWritten,
    /// A regular file, read whole.
    Whole {
        /// Its bytes.
        bytes: Vec<u8>,
        /// What it was when it was opened.
        stat: Stat,
    },
    /// A link, a pipe, a folder…: what it is, in words.
    NotRegular(&'static str),
    /// More bytes than are read.
    TooLarge(String),
    /// It may not be read, and will not be if we wait.
    Unreadable(String),
    /// Our own trouble: no file descriptors, a sick disk.
    Trouble(FileError),
}

impl Spool {
    /// Looks at `pending/FILE`, reading at most `max` bytes.
    pub fn look(&self, file: &OsStr, max: u64) -> Look {
        let path = self.pending(file);
        let mut regular = match Regular::open(&path) {
            Ok(regular) => regular,
            Err(error) => return failed_look(error),
        };
        if regular.is_being_written() == Some(true) {
            return Look::BeingWritten;
        }
        let stat = regular.stat;
        match regular.read(max) {
            Ok(bytes) => Look::Whole { bytes, stat },
            Err(error) => failed_look(error),
        }
    }

    /// Whether a file is still in `pending`.
    pub fn is_pending(&self, file: &OsStr) -> bool {
        files::exists(&self.pending(file))
    }
}

fn failed_look(error: ReadError) -> Look {
    match error {
        ReadError::NotRegular(kind) => Look::NotRegular(kind),
        ReadError::TooLarge { .. } => Look::TooLarge(error.to_string()),
        ReadError::File(error) => match error.kind() {
            io::ErrorKind::NotFound => Look::Gone,
            io::ErrorKind::PermissionDenied => Look::Unreadable(error.source.to_string()),
            _ => Look::Trouble(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::spool;
    use super::*;
    use std::fs::{self, File};

    #[test]
    fn each_kind_of_thing_is_told_apart() {
        let (_dir, spool) = spool();
        let at = |name: &str| spool.pending(OsStr::new(name));
        fs::write(at("good.json"), "{}").unwrap();
        fs::write(at("big.json"), "x".repeat(100)).unwrap();
        fs::create_dir(at("dir.json")).unwrap();
        let look = |name: &str| spool.look(OsStr::new(name), 50);
        assert!(matches!(look("good.json"), Look::Whole { bytes, .. } if bytes == b"{}"));
        assert!(matches!(look("big.json"), Look::TooLarge(_)));
        assert!(matches!(look("dir.json"), Look::NotRegular("a folder")));
        assert!(matches!(look("none.json"), Look::Gone));
    }

    #[test]
    fn a_file_that_is_open_for_writing_is_not_done() {
        let (_dir, spool) = spool();
        let writer = File::create(spool.pending(OsStr::new("x.json"))).unwrap();
        let look = spool.look(OsStr::new("x.json"), 50);
        assert!(matches!(look, Look::BeingWritten | Look::Whole { .. }));
        drop(writer);
        assert!(matches!(spool.look(OsStr::new("x.json"), 50), Look::Whole { .. }));
    }
}
