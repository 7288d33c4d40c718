//! Text in the form that the lexicon reads: small letters, one blank before each
//! English word, and one mark for each sort of pause.
//!
//! Names of files, identifiers, quotations and code are no words of the one who
//! asks: each becomes [`NAME`]. Takes time in proportion to the text.

use std::borrow::Cow;

/// A name, a quotation or a piece of code.
pub(super) const NAME: char = '\u{1}';
/// The end of a sentence.
pub(super) const STOP: char = '.';
/// A pause within a sentence.
pub(super) const PAUSE: char = ',';
/// What follows was announced.
pub(super) const COLON: char = ':';
/// The end of a paragraph.
pub(super) const PARAGRAPH: char = '\n';
/// The beginning of an item of a list.
pub(super) const ITEM: char = '*';
/// One thing becomes another.
pub(super) const ARROW: char = '>';

/// The longest quotation, in bytes; what is longer is read as said by the writer.
const LONGEST_QUOTATION: usize = 160;

/// Plain text, and where each piece of it stood.
#[derive(Debug, Default)]
pub(super) struct Plain {
    /// The text.
    pub(super) text: String,
    /// Pairs of offsets, plain and original, at which a word begins.
    places: Vec<(usize, usize)>,
    /// Where an article was left out: what follows is a noun.
    articles: Vec<usize>,
    /// Whether it ends with a question.
    pub(super) is_question: bool,
}

impl Plain {
    /// Reads `text`.
    pub(super) fn of(text: &str) -> Self {
        let mut reader = Reader { text, at: 0, plain: Self::default() };
        while reader.step() {}
        let end = text.trim_end().trim_end_matches('。');
        reader.plain.is_question = end.ends_with(['?', '？', 'か']);
        reader.plain
    }

    /// Where a stretch of the plain text stood in the original, from its first word to its last.
    pub(super) fn span(&self, start: usize, end: usize) -> (usize, usize) {
        let back = |offset: usize| {
            let n = self.places.partition_point(|(plain, _)| *plain <= offset);
            let (plain, original) = self.places.get(n.wrapping_sub(1)).copied().unwrap_or_default();
            original + (offset - plain)
        };
        let blank = usize::from(self.text.as_bytes().get(start) == Some(&b' '));
        (back(start + blank), back(end.max(1) - 1) + 1)
    }

    /// Whether an article stood before the word that begins here.
    pub(super) fn has_article(&self, start: usize) -> bool {
        self.articles.binary_search(&start).is_ok()
    }

    /// Leaves out the article that begins here.
    fn forget(&mut self, start: usize) {
        self.text.truncate(start);
        while self.places.pop_if(|(plain, _)| *plain >= start).is_some() {}
        if self.articles.last() != Some(&start) {
            self.articles.push(start);
        }
    }

    fn mark(&mut self, mark: char, original: usize) {
        self.place(original);
        self.text.push(mark);
    }

    /// What is written next stood at `original`. Only where the distance changes it is kept.
    fn place(&mut self, original: usize) {
        let here = self.text.len();
        let goes_on = |(plain, before): &(usize, usize)| here - plain + before == original;
        if !self.places.last().is_some_and(goes_on) {
            self.places.push((here, original));
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    plain: Plain,
}

impl Reader<'_> {
    /// Takes the next piece; false at the end.
    fn step(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next().map(narrow) else { return false };
        let taken = match first {
            '`' | '~' if rest.starts_with("```") || rest.starts_with("~~~") => self.fence(rest),
            '`' | '"' | '“' | '”' | '「' | '『' | '‘' | '\'' => self.quotation(rest, first),
            '\n' => self.line_end(rest),
            '。' | '!' | '?' => self.pause(STOP, rest),
            '、' | ',' | ';' | '(' | ')' | '—' | '–' | '/' => self.pause(PAUSE, rest),
            '.' => self.pause(STOP, rest),
            ':' => self.pause(COLON, rest),
            '→' | '⇒' => self.pause(ARROW, rest),
            _ if is_wordlike(first) => self.run(rest),
            _ if first.is_alphanumeric() || first == 'ー' => self.letter(rest),
            _ => first_len(rest),
        };
        self.at += taken;
        true
    }

    fn pause(&mut self, mark: char, rest: &str) -> usize {
        self.plain.mark(mark, self.at);
        first_len(rest)
    }

    fn letter(&mut self, rest: &str) -> usize {
        self.plain.place(self.at);
        match rest.chars().next() {
            Some(sign @ ('ぁ'..='ヿ' | '一'..='鿿')) => self.plain.text.push(sign),
            other => self.plain.text.extend(other.into_iter().flat_map(char::to_lowercase)),
        }
        first_len(rest)
    }

    fn name(&mut self) {
        self.plain.text.push(' ');
        self.plain.mark(NAME, self.at);
    }

    /// A block of code, to its end or the text's.
    fn fence(&mut self, rest: &str) -> usize {
        self.name();
        self.plain.mark(PARAGRAPH, self.at);
        rest[3..].find(&rest[..3]).map_or(rest.len(), |end| end + 6)
    }

    /// A quotation that is closed on its line.
    fn quotation(&mut self, rest: &str, open: char) -> usize {
        let close = match open {
            '「' => '」',
            '『' => '』',
            '‘' => '’',
            '“' => '”',
            other => other,
        };
        let width = first_len(rest);
        let within = rest[width..]
            .char_indices()
            .take_while(|(at, c)| *at < LONGEST_QUOTATION && *c != '\n');
        let mut within = within.skip_while(|(_, c)| narrow(*c) != close);
        // An apostrophe opens nothing where a letter goes before it or a blank follows.
        let before = self.text[..self.at].chars().next_back();
        let is_apostrophe = open == '\''
            && (before.is_some_and(char::is_alphanumeric)
                || !rest[width..].starts_with(|c: char| !c.is_whitespace()));
        match within.next().filter(|_| !is_apostrophe) {
            Some((end, closing)) => {
                self.name();
                width + end + closing.len_utf8()
            }
            None => width,
        }
    }

    /// The end of a line: of a paragraph where an empty line follows, else of a sentence only
    /// before an item of a list.
    fn line_end(&mut self, rest: &str) -> usize {
        let blank = rest.len() - rest.trim_start().len();
        let lines = rest[..blank].matches('\n').count();
        if lines > 1 {
            self.plain.mark(PARAGRAPH, self.at);
        }
        match item_len(&rest[blank..]) {
            0 => {
                // A line that goes on in small letters was only broken to fit.
                if lines == 1 && !rest[blank..].starts_with(|c: char| c.is_ascii_lowercase()) {
                    self.plain.mark(STOP, self.at);
                }
                blank
            }
            mark => {
                self.plain.mark(ITEM, self.at);
                blank + mark
            }
        }
    }

    /// A run of letters, digits and the signs of names.
    fn run(&mut self, rest: &str) -> usize {
        let letters = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let ends = matches!(rest.as_bytes().get(letters), None | Some(b' ' | b',' | b'\n'));
        if letters > 0 && ends && is_word(&rest[..letters]) {
            self.word(&rest[..letters]);
            return letters;
        }
        let run = &rest[..run_len(rest)];
        let kept = run.trim_end_matches(is_joint);
        if is_word(kept) {
            self.word(kept);
            return kept.len();
        }
        let narrowed: Cow<'_, str> = match kept.is_ascii() {
            true => kept.into(),
            false => kept.chars().map(narrow).collect(),
        };
        match known_file(&narrowed) {
            Some(word) => {
                self.plain.text.push(' ');
                self.plain.place(self.at);
                self.plain.text.push_str(word);
            }
            None if is_name(&narrowed) => self.name(),
            None => self.words(kept),
        }
        kept.len()
    }

    /// A run of plain letters and digits.
    fn word(&mut self, run: &str) {
        let start = self.plain.text.len();
        self.plain.text.push(' ');
        self.plain.place(self.at);
        let from = self.plain.text.len();
        self.plain.text.push_str(run);
        self.plain.text[from..].make_ascii_lowercase();
        self.leave_article(start);
    }

    fn words(&mut self, run: &str) {
        let mut inside = false;
        for (at, c) in run.char_indices() {
            let c = narrow(c).to_ascii_lowercase();
            if c.is_ascii_alphanumeric() {
                if !inside {
                    self.plain.text.push(' ');
                }
                self.plain.place(self.at + at);
                self.plain.text.push(c);
            } else if c == '/' {
                self.plain.mark(PAUSE, self.at + at);
            }
            inside = c.is_ascii_alphanumeric() || (inside && c == '\'');
        }
        self.leave_article(self.plain.text.rfind(' ').unwrap_or(0));
    }

    /// Articles say nothing.
    fn leave_article(&mut self, start: usize) {
        if matches!(&self.plain.text[start..], " a" | " an" | " the") {
            self.plain.forget(start);
        }
    }
}

fn first_len(rest: &str) -> usize {
    rest.chars().next().map_or(0, char::len_utf8)
}

/// A full-width sign as its narrow one.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        '’' => '\'',
        other => other,
    }
}

fn is_wordlike(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '@' | '#' | '%' | '\\')
}

/// Signs that hold a name together.
fn is_joint(c: char) -> bool {
    matches!(c, '.' | '-' | '/' | '\'' | ':' | '+' | '=' | '&' | '*' | '(' | '[' | ']' | ')')
}

/// How long a run of the signs of words and names is.
fn run_len(rest: &str) -> usize {
    let mut len = 0;
    loop {
        let signs = rest.bytes().skip(len).take_while(|b| IN_RUN[usize::from(*b)]);
        len += signs.count();
        match rest[len..].chars().next() {
            Some(c) if !c.is_ascii() && is_wordlike(narrow(c)) => len += c.len_utf8(),
            _ => return len,
        }
    }
}

/// The bytes of ASCII that stand in runs.
const IN_RUN: [bool; 256] = {
    let (mut is, signs, mut n) = ([false; 256], b"_$@#%\\.-/':+=&*([])", 0);
    while n < 256 {
        is[n] = (n as u8).is_ascii_alphanumeric();
        n += 1;
    }
    n = 0;
    while n < signs.len() {
        is[signs[n] as usize] = true;
        n += 1;
    }
    is
};

/// How long the mark of a list's item is, with the blank behind it; 0 where there is none.
fn item_len(line: &str) -> usize {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &line[digits..];
    let signs: &[&str] = match digits {
        0 => &["- ", "* ", "+ ", "• ", "・"],
        _ => &[". ", ") ", "."],
    };
    signs.iter().find(|sign| rest.starts_with(**sign)).map_or(0, |sign| digits + sign.len())
}

/// Whether a run is letters and digits alone, with no capital behind a small letter: most are.
fn is_word(run: &str) -> bool {
    let mut was_small = false;
    run.bytes().all(|byte| {
        let turns = was_small && byte.is_ascii_uppercase();
        was_small = byte.is_ascii_lowercase();
        byte.is_ascii_alphanumeric() && !turns
    })
}

/// A file that everybody knows by its name is a word.
fn known_file(run: &str) -> Option<&'static str> {
    let stem = run.rsplit('/').next()?.split('.').next()?;
    [("readme", "readme"), ("changelog", "changelog"), ("license", "license file")]
        .into_iter()
        .find(|(name, _)| stem.eq_ignore_ascii_case(name) && run.len() > stem.len())
        .map(|(_, word)| word)
}

/// Whether a run is the name of a file, a path, an address or an identifier: `src/fix.rs`, `api_v2`, `getName`.
fn is_name(run: &str) -> bool {
    let has = |sign: u8| run.as_bytes().contains(&sign);
    if !run.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        let is_number = run.ends_with('%') || has(b':');
        return !is_number && has(b'.');
    }
    let pairs = || run.as_bytes().windows(2);
    let camel = || {
        run.starts_with(|c: char| c.is_ascii_lowercase())
            && pairs().any(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase())
    };
    let joins = |byte: u8| matches!(byte, b'_' | b'\\' | b'=' | b'[' | b'@' | b'.' | b':');
    run.starts_with(['/', '-', '$'])
        || run.bytes().any(joins)
        || pairs().any(|two| matches!(two, b"()" | b"--"))
        || run.bytes().filter(|byte| *byte == b'/').count() > 1
        || camel()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> String {
        Plain::of(text).text
    }

    #[test]
    fn words_are_small_and_have_one_blank_before_them() {
        assert_eq!(plain("Fix  the API, don't"), " fix api, dont");
        assert_eq!(plain("thread-safe CI/CD."), " thread safe ci, cd.");
        assert_eq!(plain("ＡＰＩを追加。"), " apiを追加.");
    }

    #[test]
    fn names_quotations_and_code_are_no_words() {
        assert_eq!(plain("open src/fix.rs now"), " open \u{1} now");
        assert_eq!(plain("a `rename` of get_name"), " \u{1} of \u{1}");
        assert_eq!(plain("call it \"the API\""), " call it \u{1}");
        assert_eq!(plain("「設計」を直す"), " \u{1}を直す");
        assert_eq!(plain("x\n```\nfix\n```\nY"), " x. \u{1}\n. y");
        assert_eq!(plain("update README.md"), " update readme");
    }

    #[test]
    fn the_pauses_are_told_apart() {
        assert_eq!(plain("b. c\n\nd:\n- e\n- f"), " b. c\n d:* e* f");
    }

    #[test]
    fn the_way_back_leads_to_the_words() {
        let text = "Please fix the API of 設計";
        let plain = Plain::of(text);
        let at = plain.text.find(" api").unwrap();
        let (start, end) = plain.span(at, at + 4);
        assert_eq!(&text[start..end], "API");
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_every_span_lies_in_it(text in "(\\PC|[a-z`\"'/.:]| |\n|、|「|」|Ａ|- |```){0,60}") {
            let plain = Plain::of(&text);
            for (start, _) in plain.text.char_indices() {
                for end in [start + 1, plain.text.len()] {
                    let (from, to) = plain.span(start, end);
                    prop_assert!(from <= text.len() && to <= text.len() + 4, "{from} {to}");
                }
            }
        }
    }
}
