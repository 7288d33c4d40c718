//! Letters that are spelt out with signs between them.

use super::{View, Writer};

/// What stands between letters that are spelt out.
const SEPARATORS: &[char] = &[' ', '.', '-', '_', '*', '|', '·', '・', '/', ',', '~', '+'];

/// The bytes of ASCII that are separators.
const IS_SEPARATOR: [bool; 256] = {
    let (mut is, signs, mut n) = ([false; 256], b" .-_*|/,~+", 0);
    while n < signs.len() {
        is[signs[n] as usize] = true;
        n += 1;
    }
    is
};

/// Whether letters in a row stand alone between separators.
fn has_letters_apart(text: &str) -> bool {
    if text.is_ascii() {
        // A letter alone, and behind it another one: five bytes, however many separators.
        let bytes = text.as_bytes();
        let sep = |n: usize| bytes.get(n).is_none_or(|b| IS_SEPARATOR[usize::from(*b)]);
        return (1..bytes.len()).any(|n| sep(n) && !sep(n - 1) && (n < 2 || sep(n - 2)))
            && has_apart(text);
    }
    has_apart(text)
}

fn has_apart(text: &str) -> bool {
    // How many signs have passed since a separator, and how many were alone before that.
    let (mut since, mut alone, mut wide) = (0, 0, false);
    for c in text.chars() {
        let separator = match c.is_ascii() {
            true => IS_SEPARATOR[c as usize],
            false => matches!(c, '·' | '・'),
        };
        if !separator {
            since += 1;
            wide = c > '\u{3000}';
            continue;
        }
        // Between wide blanks it stands alone too.
        alone = match since {
            0 => alone,
            1 => alone + 1,
            _ => 0,
        };
        if alone >= 2 || alone == 1 && wide {
            return true;
        }
        since = 0;
    }
    since == 1 && alone >= 1
}

/// `p a s s w o r d`, `p.a.s.s`, `p-a-s-s`: letters that stand apart, closed up.
pub(super) fn closed_up(text: &str) -> Option<View> {
    if !has_letters_apart(text) {
        return None;
    }
    let mut writer = Writer::new(text);
    let mut chars = text.char_indices().peekable();
    let mut run: Vec<(usize, usize)> = Vec::new();
    let mut separator = None;
    while let Some((at, c)) = chars.next() {
        let single = |c: char| !c.is_whitespace() && !c.is_control();
        let next = chars.peek().map(|(_, next)| *next);
        let sep = next.filter(|next| SEPARATORS.contains(next));
        let alone = single(c)
            && sep.is_some_and(|sep| sep != c)
            && (separator.is_none() || sep == separator);
        if alone {
            separator = sep;
            let from = at + c.len_utf8();
            chars.next();
            // Two blanks stand between words.
            let wide = chars.peek().is_some_and(|(_, c)| sep == Some(' ') && *c == ' ');
            if wide {
                while chars.next_if(|(_, c)| *c == ' ').is_some() {}
            }
            let to = chars.peek().map_or(text.len(), |(at, _)| *at);
            run.push((from, to));
            continue;
        }
        // The last letter of a run has no separator behind it, or ends the word.
        let ends = next.is_none_or(|c| c.is_whitespace() || !c.is_alphanumeric());
        let enough = match (ends, c > '\u{3000}' && separator == Some(' ')) {
            (true, true) => 2,
            (true, false) => 4,
            (false, _) => 6,
        };
        if run.len() >= enough {
            close_up(&mut writer, &run);
        }
        run.clear();
        separator = None;
        // Skip the rest of an ordinary word.
        if c.is_alphanumeric() {
            while chars.next_if(|(_, c)| c.is_alphanumeric()).is_some() {}
        }
    }
    if run.len() >= 4 {
        close_up(&mut writer, &run);
    }
    writer.view("spaced", true)
}

/// Takes out what stands between the letters of a run; where only some gaps are wide, those part words.
fn close_up(writer: &mut Writer<'_>, run: &[(usize, usize)]) {
    let wide = |from: usize, to: usize| to - from > 1 && writer.source[from..to].starts_with("  ");
    let gaps: Vec<(usize, usize, bool)> =
        run.iter().map(|(from, to)| (*from, *to, wide(*from, *to))).collect();
    let parts = gaps.iter().any(|(.., wide)| !wide);
    for (from, to, wide) in gaps {
        writer.replace(from..to, if wide && parts { " " } else { "" });
    }
}
