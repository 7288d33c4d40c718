//! A way to find something: a table of such rules is all that most files here hold.
//!
//! A rule is an expression with cues: literal words of which one must be in the
//! text for the expression to hold at all, and a check of what it found.

use std::ops::Range;

use crate::base::words;

/// What must stand in a window besides a cue for a rule to be tried there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing else.
    Nothing,
    /// Letters, digits and signs in one word, as no sentence has them.
    MadeUp,
    /// The same, and so long that only a machine makes it.
    Machine,
    /// Such a word, a number, or words with signs between them.
    Value,
}

/// The expression of a rule that is about the made-up words themselves.
pub(super) const MADE_UP_WORDS: &str = "words";

/// The expression of a rule that is about lines, each with what stands below it.
pub(super) const LINES: &str = "lines";

/// The sorts of rules that a cue wakes only where it stands as they need it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Family {
    Key,
    Prose,
    Other,
}

/// A way to find something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Its name, as reasons give it.
    pub(super) id: &'static str,
    /// What sort of thing it finds.
    pub(super) family: &'static str,
    /// What must be near besides its cues.
    pub(super) needs: Needs,
    /// What it has found, in a sentence.
    pub(super) why: &'static str,
    /// Words of which one must be near; a rule without any is about long numbers.
    pub(super) cues: &'static [&'static str],
    /// The expression, or [`MADE_UP_WORDS`] or [`LINES`]; its group `v` is the value. See [`super::expression`] for its shorthands.
    pub(super) pattern: &'static str,
    /// Whether what the expression found counts.
    pub(super) check: fn(&Hit<'_>) -> bool,
}

/// What an expression found.
#[derive(Clone, Debug)]
pub(super) struct Hit<'a> {
    /// The text that was looked at.
    pub(super) text: &'a str,
    /// Where the whole match stands.
    pub(super) whole: Range<usize>,
    /// Where its value stands.
    pub(super) at: Range<usize>,
}

impl<'a> Hit<'a> {
    /// The value.
    pub(super) fn value(&self) -> &'a str {
        &self.text[self.at.clone()]
    }

    /// The whole match.
    pub(super) fn matched(&self) -> &'a str {
        &self.text[self.whole.clone()]
    }

    /// At most `most` bytes in front of the match.
    pub(super) fn before(&self, most: usize) -> &'a str {
        let from = self.whole.start.saturating_sub(most);
        &self.text[words::boundary(self.text, from)..self.whole.start]
    }

    /// At most `most` bytes behind the match.
    pub(super) fn after(&self, most: usize) -> &'a str {
        &self.text[self.whole.end..words::boundary(self.text, self.whole.end.saturating_add(most))]
    }

    /// What surrounds the match, in lower case.
    pub(super) fn around(&self, most: usize) -> String {
        let end = self.whole.end + self.after(most).len();
        let start = self.whole.start - self.before(most).len();
        self.text[start..end].to_lowercase()
    }
}

/// Something that must not leave the house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The rule's name.
    pub(super) rule: String,
    /// What sort of thing it is.
    pub(super) family: &'static str,
    /// What was found, in a sentence.
    pub(super) why: String,
    /// Where it stands.
    pub(super) at: Range<usize>,
    /// Whether an outline of it may be shown.
    pub(super) shaped: bool,
}

impl Rule {
    /// What its cues must look like: a part of a key, a word of a sentence, or anything.
    pub(super) fn sort(&self) -> Family {
        match self.family {
            "key" => Family::Key,
            "prose" | "marking" | "business" => Family::Prose,
            _ => Family::Other,
        }
    }

    /// Whether what it finds may be far longer than the stretch around its cue.
    pub(super) fn reaches_far(&self) -> bool {
        matches!(
            self.id,
            "kubernetes_secret" | "google_service_account" | "html_table" | "seed_phrase"
        )
    }
}
