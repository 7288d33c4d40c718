//! What is wrong with the settings: every mistake with its place, in one list.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

use super::tree::Place;
use crate::base::words;

/// Everything that is wrong with the settings; never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(Vec<ConfigError>);

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, or `environment` for a variable of the process.
    pub path: PathBuf,
    /// Its line, from 1; 0 where there is none.
    pub line: u64,
    /// Its column in characters, from 1; 0 where there is none.
    pub column: u64,
    /// What is wrong and what to do, in a sentence.
    pub message: String,
    /// The right name that is nearest to the wrong one.
    pub meant: Option<String>,
}

impl ConfigErrors {
    /// The mistakes, in the order of the file.
    pub fn all(&self) -> &[ConfigError] {
        &self.0
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.meant {
            Some(meant) => write!(f, "; did you mean `{meant}`?"),
            None => Ok(()),
        }
    }
}

/// Gathers mistakes and warnings while the settings are read.
///
/// It is written to through a shared reference, so that any number of sections
/// can be open at once.
#[derive(Debug)]
pub(super) struct Complaints {
    path: PathBuf,
    errors: RefCell<Vec<ConfigError>>,
    warnings: RefCell<Vec<String>>,
}

impl Complaints {
    /// None yet, about the file at `path`.
    pub(super) fn about(path: &Path) -> Self {
        Self { path: path.to_owned(), errors: RefCell::default(), warnings: RefCell::default() }
    }

    /// Something is wrong here.
    pub(super) fn error(&self, at: Place, message: impl Into<String>) {
        self.push(self.path.clone(), at, message.into(), None);
    }

    /// A name is wrong here; the nearest right one is offered.
    pub(super) fn wrong_name<'a>(
        &self,
        at: Place,
        message: impl Into<String>,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        let known: Vec<&str> = known.into_iter().collect();
        // `api_key` is far from `api_key_env` by its letters, and near by its sense.
        let longer = || known.iter().copied().find(|other| is_part(name, other));
        let meant = words::nearest(name, known.iter().copied()).or_else(longer);
        self.push(self.path.clone(), at, message.into(), meant.map(str::to_owned));
    }

    /// Something is wrong in another file, or in the environment where `line` is 0.
    pub(super) fn error_in(&self, path: &Path, line: u64, message: impl Into<String>) {
        let at = Place { line, column: line.min(1) };
        self.push(path.to_owned(), at, message.into(), None);
    }

    /// Something is odd, and work goes on.
    pub(super) fn warn(&self, message: impl Into<String>) {
        self.warnings.borrow_mut().push(message.into());
    }

    fn push(&self, path: PathBuf, at: Place, message: String, meant: Option<String>) {
        let error = ConfigError { path, line: at.line, column: at.column, message, meant };
        self.errors.borrow_mut().push(error);
    }

    /// The warnings, if there was no mistake.
    pub(super) fn settle(self) -> Result<Vec<String>, ConfigErrors> {
        let mut errors = self.errors.into_inner();
        if errors.is_empty() {
            return Ok(self.warnings.into_inner());
        }
        errors.sort_by_key(|error| (error.path != self.path, error.line, error.column));
        errors.dedup();
        Err(ConfigErrors(errors))
    }
}

/// Whether `name` is the first or the last parts of `other`.
fn is_part(name: &str, other: &str) -> bool {
    let begins = other.strip_prefix(name).is_some_and(|rest| rest.starts_with('_'));
    let ends = other.strip_suffix(name).is_some_and(|rest| rest.ends_with('_'));
    !name.is_empty() && (begins || ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_shown_as_compilers_do() {
        let complaints = Complaints::about(Path::new("config/agent.yaml"));
        complaints.error_in(Path::new("environment"), 0, "`X` is odd");
        complaints.wrong_name(
            Place { line: 12, column: 5 },
            "unknown key `max_rmp`",
            "max_rmp",
            ["max_rpm", "model"],
        );
        let errors = complaints.settle().unwrap_err();
        assert_eq!(
            errors.to_string(),
            "config/agent.yaml:12:5: unknown key `max_rmp`; did you mean `max_rpm`?\n\
             environment: `X` is odd"
        );
    }
}
