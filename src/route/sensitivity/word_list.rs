//! A list of words that is asked often.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::OnceLock;

use crate::base::quick::Quick;

/// The longest word that any list has, in bytes.
const LONGEST: usize = 48;

/// Words, written with blanks between them, looked up in any case.
#[derive(Debug)]
pub(super) struct WordList {
    written: &'static str,
    words: OnceLock<HashSet<&'static [u8], BuildHasherDefault<Quick>>>,
}

impl WordList {
    /// The words of `written`, in lower case and with blanks between them.
    pub(super) const fn new(written: &'static str) -> Self {
        Self { written, words: OnceLock::new() }
    }

    /// Whether a word is in the list, in any case.
    pub(super) fn has(&self, word: &str) -> bool {
        let mut lower = [0; LONGEST];
        let Some(lower) = lower.get_mut(..word.len()) else { return false };
        lower.copy_from_slice(word.as_bytes());
        lower.make_ascii_lowercase();
        let words = || self.written.split_ascii_whitespace().map(str::as_bytes).collect();
        self.words.get_or_init(words).contains(&*lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_and_whole() {
        static FRUIT: WordList = WordList::new("apple pear\n    りんご");
        for word in ["apple", "Pear", "りんご"] {
            assert!(FRUIT.has(word), "{word}");
        }
        for word in ["", "app", "apple pear", &"a".repeat(99)] {
            assert!(!FRUIT.has(word), "{word}");
        }
    }
}
