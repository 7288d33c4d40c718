//! Which form a home has, so that an older koubou does not work what a newer one has made.
//!
//! `HOME/format` holds a number and who wrote it. A home without that file has the first form.
//! A number that this koubou knows is no hindrance: a newer koubou opens every older home. It
//! grows when an older koubou would misread what lies in a home, and not before: a new field
//! or a new folder is no new form.

use std::io;
use std::path::PathBuf;

use super::Home;
use crate::base::files::{self, FileError, ReadError};
use crate::base::words;

/// The form that this koubou gives to a home, and the newest that it knows.
pub const FORMAT: u32 = 2;
/// The form of a home whose journal has packed months: an older koubou would not read them.
pub const PACKED_JOURNAL: u32 = 2;

/// What a home without the file has.
const FIRST: u32 = 1;
/// What is longer is not ours.
const LONGEST: u64 = 1 << 10;

/// Why a home is left alone.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A newer koubou has worked it.
    #[error(
        "the home `{}` has format {found} and was last changed by {by}; this is {}, which knows formats up to {FORMAT}",
        words::tame(&home.to_string_lossy()),
        me()
    )]
    TooNew {
        /// The home.
        home: PathBuf,
        /// Its format.
        found: u32,
        /// Who gave it that.
        by: String,
    },
    /// The file says something else.
    #[error("`{}` does not begin with the number of a format", words::tame(&.0.to_string_lossy()))]
    Unknown(PathBuf),
    /// The file is none.
    #[error("cannot tell the home's format from `{}`: {why}", words::tame(&path.to_string_lossy()))]
    NoFile {
        /// The file.
        path: PathBuf,
        /// What it is.
        why: ReadError,
    },
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// This program, as the file names it.
fn me() -> String {
    format!("koubou {}", env!("CARGO_PKG_VERSION"))
}

impl Home {
    /// Where its form stands.
    pub fn format_file(&self) -> PathBuf {
        self.path().join("format")
    }

    /// Looks whether this koubou knows the form of the home.
    ///
    /// # Errors
    /// [`FormatError::TooNew`] where a newer koubou has made it, and where nobody can tell.
    pub fn check_format(&self) -> Result<(), FormatError> {
        let path = self.format_file();
        let bytes = match files::read(&path, LONGEST) {
            Ok(bytes) => bytes,
            Err(ReadError::File(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(ReadError::File(error)) => return Err(error.into()),
            Err(why) => return Err(FormatError::NoFile { path, why }),
        };
        let text = String::from_utf8_lossy(&bytes);
        let (number, by) = text.trim().split_once(' ').unwrap_or((text.trim(), "a newer koubou"));
        match number.parse() {
            Ok(found) if found > FORMAT => {
                let by = words::excerpt(&words::tame(by), 60);
                Err(FormatError::TooNew { home: self.path().to_owned(), found, by })
            }
            Ok(FIRST..=FORMAT) => Ok(()),
            _ => Err(FormatError::Unknown(path)),
        }
    }

    /// Writes the form down where it is not: the first, until something of a later one is made.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn state_format(&self) -> Result<(), FileError> {
        match files::exists(&self.format_file()) {
            true => Ok(()),
            false => self.write_format(FIRST),
        }
    }

    /// Gives the home a later form, on the disk before anything of it is made.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn raise_format(&self, form: u32) -> Result<(), FileError> {
        let stated = std::fs::read_to_string(self.format_file()).unwrap_or_default();
        let stated = stated.split(' ').next().and_then(|number| number.trim().parse().ok());
        match stated {
            Some(stated) if form <= stated => Ok(()),
            _ => self.write_format(form),
        }
    }

    fn write_format(&self, form: u32) -> Result<(), FileError> {
        let text = format!("{form} {}\n", me());
        files::replace(&self.tmp(), &self.format_file(), text.as_bytes(), 0o644)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::spool;
    use super::*;
    use std::fs;

    #[test]
    fn a_home_says_its_form_and_one_that_does_not_has_the_first() {
        let (_dir, spool) = spool();
        let home = spool.home();
        assert_eq!(fs::read_to_string(home.format_file()).unwrap(), format!("1 {}\n", me()));
        home.check_format().unwrap();
        fs::remove_file(home.format_file()).unwrap();
        home.check_format().unwrap();
        home.state_format().unwrap();
        assert!(home.format_file().is_file());
        for form in [PACKED_JOURNAL, FIRST] {
            home.raise_format(form).unwrap();
            home.state_format().unwrap();
            assert_eq!(fs::read_to_string(home.format_file()).unwrap(), format!("2 {}\n", me()));
            home.check_format().unwrap();
        }
    }

    #[test]
    fn a_newer_home_is_refused_by_name_and_left_as_it_is() {
        let (_dir, spool) = spool();
        let home = spool.home();
        for (text, says) in [
            (
                "3 koubou 7.1.0\n",
                "has format 3 and was last changed by koubou 7.1.0; this is koubou",
            ),
            ("99", "has format 99 and was last changed by a newer koubou"),
            ("", "does not begin with the number of a format"),
            ("0 koubou", "does not begin"),
            ("one", "does not begin"),
        ] {
            fs::write(home.format_file(), text).unwrap();
            let said = home.check_format().unwrap_err().to_string();
            assert!(said.contains(says), "{text}: {said}");
            home.state_format().unwrap();
            assert_eq!(fs::read_to_string(home.format_file()).unwrap(), text);
        }
        fs::remove_file(home.format_file()).unwrap();
        fs::create_dir(home.format_file()).unwrap();
        assert!(home.check_format().unwrap_err().to_string().contains("it is a folder"));
    }
}
