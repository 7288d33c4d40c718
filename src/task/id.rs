//! The name of a task, and of a worker type: safe in a path, on a screen, in SQL.

use std::ffi::OsStr;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::base::words;

/// The name of a task: 1 to 200 bytes of letters and digits of any script, `.`, `_` and `-`.
///
/// It begins with neither `.` nor `-`, so that its file is never hidden and
/// never taken for an option, and it is in Unicode's composed form (NFC), so
/// that two names that look alike are alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId(String);

/// Why a text is no task name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not a task id: use 1 to 200 bytes of letters, digits, `.`, `_` and `-`, \
     and begin with neither `.` nor `-`",
    words::excerpt(&words::tame(.0), 60)
)]
pub struct BadTaskId(String);

impl TaskId {
    /// The longest id in bytes: with `.json` or `.rejected` behind it, it still is a file name.
    pub const LONGEST: usize = 200;

    /// The id of a file that states none: its stem, with every other character made `_`.
    pub fn from_stem(stem: &str) -> Self {
        let mut id: String = stem
            .nfc()
            .map(|c| if may_stand_in_id(c) { c } else { '_' })
            .collect::<String>()
            .nfc()
            .collect();
        if id.is_empty() || id.starts_with(['.', '-']) {
            id = match id.get(1..) {
                Some(rest) => format!("_{rest}"),
                None => "_".to_owned(),
            };
        }
        truncate(&mut id, Self::LONGEST);
        Self(id)
    }

    /// The id of a file that states none, by its whole name.
    pub fn from_file_name(name: &OsStr) -> Self {
        let name = name.to_string_lossy();
        Self::from_stem(name.strip_suffix(".json").unwrap_or(&name))
    }

    /// The same name with a number behind it: `x` becomes `x.2`.
    #[must_use]
    pub fn numbered(&self, n: u64) -> Self {
        let suffix = format!(".{n}");
        let mut id = self.0.clone();
        truncate(&mut id, Self::LONGEST - suffix.len());
        Self(id + &suffix)
    }

    /// Whether this is `base` with a number behind it, as [`Self::numbered`] makes them.
    pub fn is_numbered_from(&self, base: &Self) -> bool {
        self.0.rsplit_once('.').is_some_and(|(stem, n)| {
            n.parse::<u64>().is_ok_and(|n| n >= 2 && base.numbered(n) == *self) && !stem.is_empty()
        })
    }

    /// Whether a text is a task's name.
    pub fn is_one(text: &str) -> bool {
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        (1..=Self::LONGEST).contains(&text.len())
            && !text.starts_with(['.', '-'])
            // Most names need no look into the tables of Unicode.
            && (text.bytes().all(is_plain) || text.chars().all(may_stand_in_id) && is_nfc(text))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of its file: `ID.json`.
    pub fn file_name(&self) -> String {
        format!("{}.json", self.0)
    }
}

fn may_stand_in_id(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn truncate(id: &mut String, longest: usize) {
    if id.len() > longest {
        let mut end = longest;
        while !id.is_char_boundary(end) {
            end -= 1;
        }
        id.truncate(end);
    }
}

impl FromStr for TaskId {
    type Err = BadTaskId;

    fn from_str(text: &str) -> Result<Self, BadTaskId> {
        if Self::is_one(text) { Ok(Self(text.to_owned())) } else { Err(BadTaskId(text.to_owned())) }
    }
}

impl TryFrom<String> for TaskId {
    type Error = BadTaskId;

    fn try_from(text: String) -> Result<Self, BadTaskId> {
        text.parse()
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> Self {
        id.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of tasks that belong together: 1 to 100 bytes, by the rules of a [`TaskId`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(String);

/// Why a text is no group's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not a group's name: use 1 to 100 bytes of letters, digits, `.`, `_` and `-`, \
     and begin with neither `.` nor `-`",
    words::excerpt(&words::tame(.0), 60)
)]
pub struct BadGroupName(String);

impl GroupName {
    /// The longest name in bytes.
    pub const LONGEST: usize = 100;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupName {
    type Err = BadGroupName;

    fn from_str(text: &str) -> Result<Self, BadGroupName> {
        let is_good = text.len() <= Self::LONGEST && text.parse::<TaskId>().is_ok();
        if is_good { Ok(Self(text.to_owned())) } else { Err(BadGroupName(text.to_owned())) }
    }
}

impl TryFrom<String> for GroupName {
    type Error = BadGroupName;

    fn try_from(text: String) -> Result<Self, BadGroupName> {
        text.parse()
    }
}

impl From<GroupName> for String {
    fn from(name: GroupName) -> Self {
        name.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a kind of craftsman, as the config lists them: `gpt5_high`, `local`.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct WorkerType(String);

impl WorkerType {
    /// A worker type of this name. Whether one exists, only the config knows.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_that_could_leave_its_folder_is_refused() {
        for bad in ["", ".", "..", "../../x", "a/b", "-rf", ".hidden", "a b", "a\nb", "a\0"] {
            let complaint = bad.parse::<TaskId>().unwrap_err().to_string();
            assert!(complaint.contains("is not a task id"), "{complaint}");
        }
        assert!("x".repeat(201).parse::<TaskId>().is_err());
        assert!("e\u{301}".parse::<TaskId>().is_err(), "not composed");
    }

    #[test]
    fn letters_of_any_script_are_welcome() {
        for good in ["a", "工房-1", "x.2", "Übung_3", "задача"] {
            assert_eq!(good.parse::<TaskId>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_stem_becomes_an_id_whatever_it_holds() {
        assert_eq!(TaskId::from_stem("a\nb c").as_str(), "a_b_c");
        assert_eq!(TaskId::from_stem("-x").as_str(), "_x");
        assert_eq!(TaskId::from_stem("").as_str(), "_");
    }

    #[test]
    fn a_number_behind_a_name_is_seen_again() {
        let base: TaskId = "x".parse().unwrap();
        assert!(base.numbered(12).is_numbered_from(&base));
        assert!(!"x.1".parse::<TaskId>().unwrap().is_numbered_from(&base));
        assert!(!"x.02".parse::<TaskId>().unwrap().is_numbered_from(&base));
        let long: TaskId = "y".repeat(200).parse().unwrap();
        assert!(long.numbered(2).is_numbered_from(&long));
    }

    proptest! {
        #[test]
        fn every_stem_makes_a_good_id(stem in any::<String>()) {
            let id = TaskId::from_stem(&stem);
            prop_assert_eq!(id.as_str().parse::<TaskId>(), Ok(id.clone()));
        }

        #[test]
        fn an_id_from_a_good_stem_is_the_stem(stem in "[a-z0-9_][a-z0-9._-]{0,30}") {
            let id = TaskId::from_stem(&stem);
            prop_assert_eq!(id.as_str(), stem.as_str());
        }
    }
}
