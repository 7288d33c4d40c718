//! Credentials whose very name was taken apart: `p a s s w o r d`, `pass` at the end of one line and `word` on the next.
//!
//! Nobody writes so by chance, and so it takes less to believe that what stands behind is a secret.

use std::ops::Range;
use std::sync::LazyLock;

use super::cues::{Cues, Stands};
use super::value::{bare, is_made_up, is_phrase, is_placeholder, is_quality};
use super::views::View;

/// The names, longer ones before those that begin them.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pass",
    "pwd",
    "pw",
    "api_key",
    "api key",
    "apikey",
    "secret key",
    "secret_key",
    "secretkey",
    "access token",
    "accesstoken",
    "secret",
    "token",
    "key",
    "pin",
    "ssn",
    "マイナンバー",
    "個人番号",
    "口座番号",
    "パスワード",
    "パスコード",
    "暗証番号",
    "秘密鍵",
];

static CUES: LazyLock<Cues> =
    LazyLock::new(|| Cues::new(NAMES.iter().map(|name| (*name, Stands::Anywhere))));

/// What may stand between a name and its value.
const LINKS: &[char] = &[
    ' ', '\t', '\n', '\r', ':', '=', '-', '>', '"', '\'', '`', '「', '『', '(', 'は', 'が', '→',
    '、',
];

/// The shortest value.
const SHORTEST: usize = 5;
/// So much of a value is looked at: letters that are closed up may go on for a whole text.
const LONGEST: usize = 256;

/// Where a name that was taken apart stands with a value behind it.
pub(super) fn find(view: &View) -> Option<Range<usize>> {
    let mut found: Option<(usize, Range<usize>)> = None;
    CUES.each(&view.text, |hit| {
        let name = hit.range();
        let stood = view.origin(&name);
        let is_better = found.as_ref().is_none_or(|(word, _)| hit.word < *word);
        if is_better
            && stood.end - stood.start > name.len()
            && let Some(end) = value_behind(&view.text, &name)
        {
            found = Some((hit.word, hit.start..end));
        }
    });
    found.map(|(_, at)| at)
}

/// Where the value behind a name ends, if there is one.
fn value_behind(text: &str, name: &Range<usize>) -> Option<usize> {
    let behind = &text[name.end..];
    let linked = behind.trim_start_matches(LINKS);
    let told =
        ["is ", "was ", "to ", "key ", "of "].iter().find_map(|word| linked.strip_prefix(word));
    let rest = told.unwrap_or(linked).trim_start_matches(LINKS);
    let link = &behind[..behind.len() - rest.len()];
    let in_value = |b: &u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'`');
    let end = rest.bytes().take(LONGEST).take_while(in_value).count();
    let value = bare(&rest[..end]);
    let number = value.len() >= SHORTEST && value.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let signed = link.contains([':', '=']);
    let long = name.len() > 4;
    let is_one = value.len() >= SHORTEST
        && !is_placeholder(value)
        && !is_quality(value)
        && (is_made_up(value) || is_phrase(value) || number || signed && long);
    is_one.then_some(text.len() - rest.len() + end)
}

#[cfg(test)]
mod tests {
    use super::super::views;
    use super::*;

    fn found(text: &str) -> bool {
        views::of(text).any(|view| find(&view).is_some())
    }

    #[test]
    fn a_name_that_was_taken_apart_tells_what_stands_behind() {
        for text in [
            "p a s s :   w a l r u s - t u n d r a - m o n s o o n - v e l v e t",
            "s.e.c.r.e.t: j . o . l . 4 . t . P . d . m . R . p . C",
            "p-a-s-s-w-o-r-d is 4maple9",
            "暗証\n番号\n59630\n498\nを台帳に",
            "S S N : 2 4 7 - 4 7 - 9 7 4 1",
        ] {
            assert!(found(text), "{text}");
        }
    }

    #[test]
    fn a_text_of_names_alone_is_looked_through_once() {
        for name in ["p w d ", "\n wdrowssap"] {
            let text = name.repeat((32 << 10) / name.len());
            let began = std::time::Instant::now();
            found(&text);
            // Half a second where nothing is optimised; to look at all behind each name took thirty.
            assert!(began.elapsed().as_secs() < 10, "{name:?}");
        }
    }

    #[test]
    fn a_whole_name_or_a_word_behind_it_does_not() {
        for text in [
            "password: x y z w v u t",
            "p a s s w o r d is required here",
            "the pass\nword field is empty",
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
