//! The language in which people are spoken to: English, or Japanese where the locale says so.
//!
//! A sentence is written in English where it arises, in whichever room. On its way to a
//! person it passes [`told`], which finds it in one catalogue (`language/ja.txt`) and says
//! it in Japanese. What no entry fits is told in English, and a test
//! (`language/complete.rs`) reads the sources so that there is no such sentence.
//!
//! What programs read never comes through here: JSON, ids, exit codes, log files, what
//! `result` prints, the tools of `mcp`. Neither does anything else with English spoken.

mod catalogue;
#[cfg(test)]
mod complete;
mod help;

use std::borrow::Cow;
use std::env;
use std::ffi::OsString;
use std::sync::OnceLock;

use catalogue::Catalogue;
pub(super) use help::parse;

/// Every sentence that there is, in both languages.
const JAPANESE: &str = include_str!("language/ja.txt");

static SPOKEN: OnceLock<Option<Catalogue>> = OnceLock::new();

/// Settles once for all which language is spoken.
pub(super) fn settle() {
    SPOKEN.get_or_init(|| is_japanese(|name| env::var_os(name)).then(|| Catalogue::read(JAPANESE)));
}

fn spoken() -> Option<&'static Catalogue> {
    #[cfg(test)]
    if tests::IS_JAPANESE.get() {
        static IN_TESTS: OnceLock<Catalogue> = OnceLock::new();
        return Some(IN_TESTS.get_or_init(|| Catalogue::read(JAPANESE)));
    }
    SPOKEN.get()?.as_ref()
}

/// The language that is spoken as a page names it.
pub(super) fn code() -> &'static str {
    if spoken().is_some() { "ja" } else { "en" }
}

/// A text as a person is told it.
pub(super) fn told(text: &str) -> Cow<'_, str> {
    match spoken() {
        Some(catalogue) => catalogue.told(text),
        None => Cow::Borrowed(text),
    }
}

/// Lines of an answer as a person is told them. A line with columns is left as it is: whoever
/// lines up columns has each of them told first.
pub(super) fn told_lines(text: &str) -> Cow<'_, str> {
    match spoken() {
        Some(catalogue) => Cow::Owned(catalogue.told_lines(text)),
        None => Cow::Borrowed(text),
    }
}

/// Whether the locale is a Japanese one that this program can write: its letters are UTF-8.
fn is_japanese(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let stated = names.iter().filter_map(|name| variable(name)).find(|value| !value.is_empty());
    let Some(locale) = stated.and_then(|value| value.into_string().ok()) else { return false };
    let Some(rest) = locale.strip_prefix("ja") else { return false };
    let charset = rest.split_once('.').map(|(_, charset)| charset.split('@').next().unwrap_or(""));
    let is_utf8 = |charset: &str| ["utf-8", "utf8"].contains(&&*charset.to_ascii_lowercase());
    !rest.starts_with(|c: char| c.is_alphabetic()) && charset.is_none_or(is_utf8)
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        pub(super) static IS_JAPANESE: Cell<bool> = const { Cell::new(false) };
    }

    /// Does something for somebody who speaks Japanese, in a program that else speaks English.
    pub(in crate::cli) fn in_japanese<T>(deed: impl FnOnce() -> T) -> T {
        IS_JAPANESE.set(true);
        let done = deed();
        IS_JAPANESE.set(false);
        done
    }

    #[test]
    fn the_first_variable_that_says_something_decides() {
        let speaks = |all: &'static str, messages: &'static str, lang: &'static str| {
            is_japanese(|name| match name {
                "LC_ALL" => Some(all.into()),
                "LC_MESSAGES" => Some(messages.into()),
                _ => Some(lang.into()),
            })
        };
        assert!(speaks("", "", "ja_JP.UTF-8"));
        assert!(speaks("", "ja", "en_US.UTF-8"));
        assert!(speaks("ja_JP.utf8@x", "C", "C"));
        assert!(!speaks("C", "ja_JP.UTF-8", "ja_JP.UTF-8"));
        assert!(!speaks("", "", "jam_JM.UTF-8"));
        assert!(!speaks("", "", "ja_JP.eucJP"), "its terminal could not show what is written");
        assert!(!is_japanese(|_| None));
    }
}
