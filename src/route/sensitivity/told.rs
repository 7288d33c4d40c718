//! Whether what a sentence gives is a secret: the checks of the rules for prose.
//!
//! What is told must look like a secret, or stand where only a secret can stand.

use super::rule::Hit;
use super::shapes::looks_like_key;
use super::value::{bare, is_made_up, is_phrase, is_placeholder, is_quality, is_random};
use super::word_list::WordList;

/// Whether what a sentence gives is a secret: made up, or a lone word where only a secret can stand.
pub(super) fn is_told(hit: &Hit<'_>) -> bool {
    let value = hit.value();
    let word = bare(value);
    let digit = word.bytes().any(|b| b.is_ascii_digit());
    let code = word.contains(['(', '{', '[', '<', '>', ']', ')']) && !(digit && is_random(word))
        || hit.after(1).starts_with(['(', '[']);
    let address = hit.matched().contains("://")
        || hit.before(60).rsplit([' ', '\n']).next().is_some_and(|part| part.contains("://"));
    if is_placeholder(value) || is_quality(value) || is_place(word) || code || address {
        return false;
    }
    if is_made_up(value) {
        return !is_code_like(word);
    }
    let matched = hit.matched().to_lowercase();
    let chosen = ["pass", "pw", "phrase", "secret word", "mnemonic"]
        .iter()
        .any(|name| matched.contains(name));
    let digits = word.len() >= 4 && word.bytes().all(|b| b.is_ascii_digit());
    let quoted = matched.ends_with(&format!("\"{}", value.to_lowercase()))
        || ["'", "`", "“", "「", "‘"]
            .iter()
            .any(|mark| matched.ends_with(&format!("{mark}{}", value.to_lowercase())));
    let says = matched.contains(" is ")
        || matched.contains(" to ")
        || matched.contains(" are ")
        || matched.contains(" was ");
    let after = hit.after(24);
    let ended = after.is_empty()
        || value.ends_with(['.', ',', ';', '!'])
        || after.starts_with(['\n', '\r', '.', ',', ';', '!', ')', '"', '\'', '`', '”', '’', '」']);
    (chosen
        && says
        && (quoted && !word.is_empty() || ended)
        && word.len() >= 4
        && !word.ends_with('-')
        && is_plain_word(word))
        || (digits
            && says
            && (chosen || matched.contains("code") || matched.contains("pin"))
            && ended)
        || (chosen && is_phrase(&hit.text[hit.at.start..hit.whole.end + after_line(hit)]))
}

/// Whether a word near a credential's is one that only a machine makes.
pub(super) fn is_near(hit: &Hit<'_>) -> bool {
    const OTHERS: &[&str] = &[
        "commit",
        "sha1",
        "sha2",
        "sha-",
        "sha:",
        " sha ",
        "sha5",
        "digest",
        "checksum",
        "uuid",
        "guid",
        "integrity",
        "etag",
        "public key",
        "publickey",
        "public_key",
        "fingerprint",
        "cache key",
        "primary key",
        "key id",
        "keyid",
        "key_id",
        "trace",
        "request id",
        "request_id",
        "certificate",
        "ssh-rsa",
        "ssh-ed25519",
        "ecdsa",
        "hash",
        "block ",
        "tx ",
        "txid",
        "base64,",
        "tokenizer",
        "tokenise",
        "tokenize",
        "example",
        "sample",
        "begin public",
        "encrypted with",
        "ciphertext",
        "foreign key",
        "object key",
        "keyboard",
        "route key",
    ];
    let value = bare(hit.value());
    // What the value itself spells does not count.
    let lower = format!(
        "{}{} {}",
        hit.before(30),
        hit.text[hit.whole.start..hit.at.start].to_owned() + " ",
        &hit.text[hit.at.end..hit.whole.end + hit.after(24).len()]
    )
    .to_lowercase();
    let hex = value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let uuid = hex && value.matches('-').count() == 4;
    let machine = match hex {
        true => !uuid && value.len() >= 32 && !value.bytes().all(|b| b.is_ascii_digit()),
        false => {
            value.len() >= 16 && looks_like_key(value) && value.bytes().any(|b| b.is_ascii_digit())
        }
    };
    let signs = value.bytes().filter(|b| b"!@#$%^&*=~+".contains(b)).count() > 0
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_uppercase())
        && value.len() <= 40
        && !value.contains("==")
        && !value.contains("&&");
    let near = hit.matched().len() - hit.value().len() <= 40;
    (machine || signs && near)
        && !OTHERS.iter().any(|other| lower.contains(other))
        && !is_placeholder(value)
        && !is_place(value)
        && !value.contains("://")
        && !is_code_like(value)
        && !is_kebab(value)
        && !value.starts_with("--")
        && !value.contains(['(', '{'])
}

/// Words with signs between them: `some-name_of-things.2`, `src/auth/token.rs`.
pub(super) fn is_kebab(value: &str) -> bool {
    let parts: Vec<&str> =
        value.split(['-', '_', '.', '/', '=', '+']).filter(|part| !part.is_empty()).collect();
    let plain = |part: &&&str| {
        part.bytes().all(|b| b.is_ascii_alphabetic())
            && (part.bytes().skip(1).all(|b| b.is_ascii_lowercase())
                || part.bytes().all(|b| b.is_ascii_uppercase()))
            || part.bytes().all(|b| b.is_ascii_digit()) && part.len() < 5
    };
    let title = |part: &&&str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.bytes().skip(1).any(|b| b.is_ascii_lowercase())
    };
    let chosen = parts.len() <= 3
        && parts.iter().any(|part| title(&part))
        && value.bytes().any(|b| b.is_ascii_digit());
    !chosen && parts.len() >= 2 && parts.iter().filter(plain).count() * 3 >= parts.len() * 2
}

/// So long may a secret be that stands on a line of its own. The expressions do not count it: they
/// would have to keep every length apart.
const LONGEST_BELOW: usize = 120;

/// Whether a line that stands below a credential's name is its value.
pub(super) fn is_below(hit: &Hit<'_>) -> bool {
    if hit.value().len() > LONGEST_BELOW {
        return false;
    }
    let value = bare(hit.value()).trim_end_matches(['!', '?']);
    let name = hit.matched().to_lowercase();
    let number = (4..=8).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_digit())
        && (name.contains("pin")
            || name.contains("code")
            || name.contains("番号")
            || name.contains("コード"));
    let long = if name.starts_with('p') || name.starts_with('パ') { 6 } else { 10 };
    let text = hit.value();
    !is_placeholder(value)
        && !is_place(value)
        && !is_code_like(value)
        && !value.contains(['(', '{', '<', '>', '[', '|'])
        && !text.ends_with([':', ','])
        && !value.contains("://")
        && !value.starts_with(['#', '-', '`'])
        && !value.starts_with("//")
        && !is_kebab(value) | is_phrase(value)
        && (is_made_up(value) && value.len() >= long && !value.contains('=')
            || number
            || is_phrase(value) && value.contains('-'))
}

/// Whether letters and digits were spelt out together, as no list of words or numbers has them.
pub(super) fn is_spelt_mixed(spelt: &str) -> bool {
    const DIGITS: &[&str] =
        &["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let lower = spelt.to_lowercase();
    let words: Vec<&str> = lower.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let digits = words.iter().filter(|word| DIGITS.contains(word)).count();
    digits >= 2 && words.len() - digits >= 4
}

pub(super) fn after_line(hit: &Hit<'_>) -> usize {
    let after = hit.after(200);
    after.find(['\n', '.', '"', '`', '”']).unwrap_or(after.len())
}

pub(super) fn is_plain_word(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

pub(super) fn is_place(word: &str) -> bool {
    word.contains("://") && !word.contains('@')
        || word.starts_with(['/', '~']) && word[1..].contains('/')
}

/// `user.id2`, `f(x)`, `v1/users`, `3.2.1`: program text that has digits in it.
pub(super) fn is_code_like(word: &str) -> bool {
    word.contains("](")
        || word.contains("()")
        || word.contains("::")
        || word.starts_with('/')
        || word.ends_with(':')
        || word.starts_with('-')
        || word.contains("==")
        || word.contains("=>")
        || is_identifier(word)
}

/// `snake_case2`, `camelCase1`, `http-2`: letters in words with one number at an end.
pub(super) fn is_identifier(word: &str) -> bool {
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let tail = word.len() - stem.len();
    stem.contains(['_', '.'])
        && tail <= 1
        && stem.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'.'))
}

pub(super) fn is_made_up_or_quoted(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    let before = hit.text[..hit.at.start].chars().next_back().unwrap_or(' ');
    let quoted =
        matches!(before, '"' | '\'' | '`' | '“' | '‘') && value.len() >= 4 && !value.contains(' ');
    !is_placeholder(value)
        && !is_quality(value)
        && !is_place(value)
        && (quoted && is_plain_word(value) || is_made_up(value) && !is_code_like(value))
}

pub(super) fn is_made_up_only(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    is_made_up(value)
        && value.len() >= 6
        && !is_placeholder(value)
        && !is_code_like(value)
        && !is_place(value)
        && !value.contains(['(', '{'])
}

/// A word that opens something: made up, or rare enough to be no object of the sentence.
pub(super) fn is_key_word(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    static OBJECTS: WordList = WordList::new(
        "credentials them this that these those your their someone users user google github facebook apple sso oauth saml email e-mail \
        username password passwords biometrics fingerprint face touch token tokens keys key certificates certificate people clients client apps app \
        permission permissions buttons button details data http https ssh sftp tools options option browser browsers phone device devices",
    );
    !OBJECTS.has(value)
        && !is_quality(value)
        && !is_placeholder(value)
        && !is_place(value)
        && (is_made_up(value)
            || (is_plain_word(value)
                && value.len() >= 5
                && hit.matched().to_lowercase().contains("unlock")))
}

/// What a file of secrets is said to hold, if it looks like one.
pub(super) fn is_in_file(hit: &Hit<'_>) -> bool {
    let last = hit
        .matched()
        .rsplit([' ', 'は', 'が', '「', '『', '`', '\'', '"'])
        .find(|part| !part.is_empty());
    let value = bare(last.unwrap_or_default());
    value.len() >= 8
        && is_made_up(value)
        && value.bytes().any(|b| b.is_ascii_digit())
        && !is_placeholder(value)
        && !is_code_like(value)
        && !is_place(value)
        && !value.contains(['(', '{', '/'])
}

pub(super) fn is_beside(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    let long = if hit.matched().to_lowercase().starts_with('p') { 5 } else { 12 };
    let version = value.len() < 6 && value.starts_with(['v', 'V']);
    value.len() >= long
        && is_made_up(value)
        && !is_placeholder(value)
        && !is_code_like(value)
        && !is_place(value)
        && !version
        && !value.contains(['(', '{', '[', '<'])
        && !value.ends_with('?')
        && !value.contains('=')
}

pub(super) fn is_login_pair(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    let matched = hit.matched();
    let explicit = matched.contains([':', '='])
        || matched.contains(" are ")
        || matched.to_lowercase().starts_with("cred");
    let path = matched.contains("://")
        || hit.after(1).starts_with('/')
        || is_place(value)
        || hit.before(1).ends_with(['/', '.', '-']);
    let common = ["toor", "admin", "root", "letmein", "admin123", "hunter2"].contains(&value);
    let word = value.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    !path
        && (!is_placeholder(value) || common)
        && !is_quality(value)
        && !value.contains(['(', ')'])
        && (is_made_up(value) && !is_code_like(value)
            || (explicit
                && (common
                    || (!word
                        && value.len() >= 6
                        && is_plain_word(value)
                        && value.bytes().any(|b| b.is_ascii_digit())))))
}

pub(super) fn is_code(hit: &Hit<'_>) -> bool {
    const UNITS: &[&str] = &[
        "-digit",
        " digit",
        " char",
        "文字",
        "桁",
        " min",
        " sec",
        " day",
        " hour",
        " times",
        " attempt",
        "%",
        " bit",
        " byte",
        "回",
        "分",
        "日",
        "秒",
        " error",
        " response",
        " status",
        " lines",
        " px",
    ];
    let lower = hit.matched().to_lowercase();
    let status = [
        "error code",
        "status code",
        "exit code",
        "zip code",
        "postal code",
        "country code",
        "area code",
        "http code",
        "郵便番号",
        "エラーコード",
        "source code",
        "code point",
        "line",
        "response code",
        "return code",
        "promo",
        "coupon",
        "errno",
    ]
    .iter()
    .any(|what| lower.contains(what) || hit.before(12).to_lowercase().ends_with(what));
    if hit.before(12).ends_with("フリー")
        || hit.value().starts_with("0120")
        || hit.value().starts_with("0800")
    {
        return false;
    }
    let behind =
        hit.text[hit.at.end..].get(..words_end(&hit.text[hit.at.end..], 12)).unwrap_or_default();
    let digits = hit.value().bytes().filter(u8::is_ascii_digit).count();
    digits >= 3
        && !status
        && !UNITS.iter().any(|unit| behind.starts_with(unit))
        && !behind.starts_with("-")
        && !is_year(hit.value(), &lower)
}

pub(super) fn words_end(text: &str, most: usize) -> usize {
    crate::base::words::boundary(text, most)
}

pub(super) fn is_year(value: &str, around: &str) -> bool {
    value.len() == 4
        && (value.starts_with("20") || value.starts_with("19"))
        && (around.contains(" in ") || around.contains(" of "))
}

pub(super) fn has_digits(hit: &Hit<'_>) -> bool {
    let value = hit.value();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    digits >= 3 && !is_placeholder(value)
}

pub(super) fn is_seed(hit: &Hit<'_>) -> bool {
    static PROSE_WORDS: WordList = WordList::new(
        "the and that this with your from must should please will have has was were are not you can into for its they them then when which what how why use using each every about",
    );
    let words: Vec<&str> =
        hit.value().split(|c: char| !c.is_ascii_alphabetic()).filter(|w| !w.is_empty()).collect();
    let listed = words.iter().take_while(|word| !PROSE_WORDS.has(word)).count();
    let same = words[..listed].iter().filter(|w| **w == words[0]).count();
    listed >= 12 && same * 2 < listed
}
