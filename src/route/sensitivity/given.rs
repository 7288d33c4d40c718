//! Whether what a file or a program gives a credential's name is a value: the checks of the rules
//! for formats.

use super::rule::Hit;
use super::shapes::looks_like_key;
use super::value::{bare, is_code, is_made_up, is_placeholder, is_quality, is_reference, listed};
use super::word_list::WordList;

/// The last word of a match: the value, whichever alternative found it.
pub(super) fn tail<'a>(hit: &Hit<'a>) -> &'a str {
    if hit.at != hit.whole {
        return hit.value();
    }
    let matched = hit.matched().trim_end_matches(['"', '\'', '`', ';']);
    matched
        .rsplit([' ', '\t', '=', '\n', '"', '\''])
        .find(|part| !part.is_empty())
        .unwrap_or(matched)
}

/// A literal that a command turns round or decodes, if it looks like a secret.
pub(super) fn is_unwrapped(hit: &Hit<'_>) -> bool {
    let literal = hit
        .matched()
        .split(['"', '\''])
        .nth(1)
        .unwrap_or_else(|| hit.matched().split_whitespace().nth(1).unwrap_or_default());
    is_made_up(literal)
        && literal.bytes().any(|b| b.is_ascii_digit())
        && !is_placeholder(literal)
        && !literal.contains(['$', '(', '/', '{'])
}

pub(super) fn is_flag_value(hit: &Hit<'_>) -> bool {
    let value = bare(tail(hit));
    !is_placeholder(value) && !is_code(value) && !value.starts_with(['$', '<', '%'])
}

pub(super) fn is_flag_tail(hit: &Hit<'_>) -> bool {
    let value = bare(tail(hit));
    let value = value
        .strip_prefix("-p")
        .or(value.strip_prefix("-w"))
        .or(value.strip_prefix("-a"))
        .or(value.strip_prefix("-P"))
        .unwrap_or(value);
    let port = value.bytes().all(|b| b.is_ascii_digit() || b == b':') && value.len() <= 5;
    !is_placeholder(value)
        && !value.starts_with(['$', '<', '%', '@'])
        && !value.is_empty()
        && !listed("public -in stdin", value)
        && !port
}

pub(super) fn is_header_value(hit: &Hit<'_>) -> bool {
    let value = tail(hit).trim_matches(['"', '\'', '`', ',', ';', '\\']);
    // The text in brackets may end with it.
    let value = match value.contains('(') {
        true => value,
        false => value.trim_end_matches([')', '）', ',', ';', '.']),
    };
    let words = value
        .bytes()
        .all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/'));
    let name = value.contains('.') && is_code(value);
    !is_placeholder(value)
        && !is_quality(value)
        && !name
        && !words
        && !value.contains(['(', ')', '{', '['])
        && !value.starts_with("http")
        && !value.starts_with('$')
        && !is_reference(value)
        && value.len() >= 8
        && !value.starts_with('/')
}

/// Whether the base64 behind `Basic` is a name with a password.
pub(super) fn is_basic(hit: &Hit<'_>) -> bool {
    use base64::Engine;
    let decoded = base64::engine::general_purpose::STANDARD.decode(hit.value()).ok();
    decoded.and_then(|raw| String::from_utf8(raw).ok()).is_some_and(|text| {
        text.split_once(':')
            .is_some_and(|(_, password)| !is_placeholder(password) && !password.is_empty())
    })
}

pub(super) fn is_url_password(hit: &Hit<'_>) -> bool {
    let value = hit.value();
    let matched = hit.matched();
    let user =
        matched.split("://").nth(1).and_then(|rest| rest.split(':').next()).unwrap_or_default();
    let stand_in = is_placeholder(value)
        || value.starts_with(['$', '{', '<', '%', ':']) && !is_made_up(value)
        || value.contains("${")
        || value.contains("{{")
        || value.contains("%s");
    let host = matched.rsplit('@').next().unwrap_or_default();
    // `user:pass@host` in a manual.
    let manual = listed("user username usr login foo me admin postgres root", user)
        && listed("pass password passwd pwd secret bar postgres root example pw", value);
    let documented = listed("user:pass user:password", &format!("{user}:{value}"))
        || host.starts_with("example.") && manual;
    !stand_in
        && !manual
        && !documented
        && !value.bytes().all(|b| b.is_ascii_digit()) | (value.len() >= 4)
}

pub(super) fn is_url_token(hit: &Hit<'_>) -> bool {
    let value = hit.value();
    let name = hit.matched().trim_start_matches(['?', '&', '#', ';']).to_lowercase();
    let weak = [
        "key=",
        "code=",
        "session",
        "sid=",
        "sig",
        "invite",
        "auth=",
        "credential=",
        "otp=",
        "license=",
        "x-amz-signature",
        "x-goog-signature",
    ]
    .iter()
    .any(|n| name.starts_with(n));
    let words = value.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'_'));
    let enough = if weak {
        value.len() >= 12 && (looks_like_key(value) || is_long_hex(value))
    } else {
        is_made_up(value)
    };
    !is_placeholder(value) && enough && !words && !value.contains(['(', '{', '$'])
}

pub(super) fn is_long_hex(value: &str) -> bool {
    value.len() >= 24 && value.bytes().all(|b| b.is_ascii_hexdigit())
}

pub(super) fn is_sql_value(hit: &Hit<'_>) -> bool {
    let value = hit.value();
    let lower = hit.matched().to_lowercase();
    let sure = lower.starts_with("identified") || lower.contains("encrypted");
    let hash = value.len() >= 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
    !is_placeholder(value)
        && !hash
        && !super::value::is_sentence(value)
        && !is_quality(value)
        && !value.starts_with([':', '@', '?', '#', '.', '%'])
        && (sure
            || is_made_up(value)
            || !value.contains(['[', '_', '.', ' ']) && value.len() >= 5 && !is_label_like(value))
}

pub(super) fn is_label_like(value: &str) -> bool {
    let lower = value.to_lowercase();
    ["password", "passwd", "token", "secret", "field", "input", "valid", "error", "user", "test"]
        .iter()
        .any(|part| lower.contains(part))
}

/// Whether the values of an INSERT hold a text that could be the secret.
pub(super) fn is_insert(hit: &Hit<'_>) -> bool {
    let value = hit.value();
    value.split(',').any(|cell| {
        let cell = cell.trim();
        let quoted = cell.len() > 3 && cell.starts_with(['\'', '"']) && cell.ends_with(['\'', '"']);
        let inner = cell.trim_matches(['\'', '"']);
        quoted
            && !is_placeholder(inner)
            && is_made_up(inner)
            && !inner.contains("@example.")
            && !inner.contains(' ')
    })
}

pub(super) fn is_hash_line(hit: &Hit<'_>) -> bool {
    let value = hit.value();
    let around = hit.around(120);
    // An account stands before it, or it is said to be somebody's.
    let before = hit.before(48);
    let owner = hit.matched().starts_with([':', '"', '\'', '=', '`', ',', '|', '('])
        || before.ends_with([':', ',', '|'])
        || around.contains("hash")
        || around.contains("shadow")
        || around.contains("htpasswd");
    owner && !is_placeholder(value) && !value.contains("...")
}

pub(super) fn is_beside_value(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    let words = value.contains(' ') && !is_made_up(value);
    let secret = (is_made_up(value) && !is_words(value)) || super::value::is_phrase(value);
    secret
        && !words
        && !is_placeholder(value)
        && !is_reference(value)
        && !value.contains(['(', '{', '<', '/']) | looks_like_key(value)
        && !super::value::is_sentence(value)
        && !value.contains("://")
        && !value.ends_with([':', '?'])
}

/// Whether a literal in a call that signs, decrypts or logs in is a secret.
pub(super) fn is_literal_secret(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    let dotted = value.contains('.') && value.split('.').all(|part| part.len() < 12);
    let strong = value.len() >= 16 && looks_like_key(value) && !value.contains('/');
    let chosen = is_made_up(value)
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b"!@#$%^&*".contains(&b));
    let phrase = super::value::is_phrase(value)
        && ["login", "password", "connect", "auth"]
            .iter()
            .any(|name| hit.matched().to_lowercase().contains(name));
    !is_placeholder(value)
        && !dotted
        && !is_words(value)
        && !value.contains("://")
        && !value.contains('%')
        && (strong || chosen || phrase)
        && !value.contains("@example")
}

pub(super) fn is_directive(hit: &Hit<'_>) -> bool {
    let value = bare(tail(hit));
    let value = value.rsplit(':').next().unwrap_or(value);
    let value = value.strip_prefix("-p").unwrap_or(value);
    let strong = is_made_up(value) && value.bytes().any(|b| b.is_ascii_digit())
        || super::value::is_phrase(value);
    let sure = ["requirepass", "masterauth", "chpasswd", "htpasswd", "mysql", "rootpw"]
        .iter()
        .any(|name| hit.matched().to_lowercase().contains(name));
    !is_placeholder(value)
        && !is_quality(value)
        && !is_code(value)
        && !value.contains(['(', '{', '<', '/', '$', '|'])
        && (strong || sure)
}

/// As [`is_insert`], with a remark that says that there is a password.
pub(super) fn is_insert_loose(hit: &Hit<'_>) -> bool {
    hit.value().split(',').any(|cell| {
        let inner = cell.trim().trim_matches(['\'', '"']);
        cell.trim().starts_with(['\'', '"'])
            && !is_placeholder(inner)
            && (is_made_up(inner) || super::value::is_phrase(inner))
    })
}

pub(super) fn is_named_value(hit: &Hit<'_>) -> bool {
    let value = hit.value().trim();
    let about = [
        "_url",
        "_uri",
        "_file",
        "_path",
        "_name",
        "_id",
        "_ttl",
        "policy",
        "_type",
        "_field",
        "reset",
        "_header",
        "length",
        "count",
        "expir",
        "_endpoint",
        "_arn",
        "_prefix",
        "placeholder",
    ];
    let name = hit.matched().to_lowercase();
    let name = name
        .split(['"', '\'', '<', '>', ' ', ',', '\n'])
        .find(|part| {
            ["passw", "pwd", "secret", "key", "token", "credential", "phrase", "pin"]
                .iter()
                .any(|w| part.contains(w))
        })
        .unwrap_or_default();
    let code = is_code(value) || value.contains(['(', ')']) || value.starts_with('/');
    !is_placeholder(value)
        && !is_quality(value)
        && !is_reference(value)
        && !code
        && !super::value::is_sentence(value)
        && !about
            .iter()
            .any(|part| name.ends_with(part) || name.contains("reset") || name.contains("policy"))
        && (is_made_up(value) || value.len() >= 6 && !value.contains(' ') && !is_label_like(value))
}

/// How many lines below its head a table is read.
const ROWS: usize = 6;
/// The longest name of a column.
const LONGEST_COLUMN: usize = 48;
/// The longest head that a table has.
const LONGEST_HEAD: usize = 300;

/// Whether a line is the head of a table with a column for credentials, and a row below has one.
pub(super) fn is_table(hit: &Hit<'_>) -> bool {
    let head = hit.value();
    if head.len() > LONGEST_HEAD {
        return false;
    }
    let Some(split) = split_of(head) else { return false };
    let names: Vec<&str> = cells(plain_line(head), split).collect();
    let columns: Vec<usize> =
        (0..names.len()).filter(|n| is_credential_column(names[*n])).collect();
    let below = || hit.text[hit.whole.end..].lines().take(ROWS).map(plain_line);
    names.len() >= 2
        && !columns.is_empty()
        && below().filter(|line| line.contains(split)).any(|line| {
            let row: Vec<&str> = cells(line, split).collect();
            row.len() == names.len() && columns.iter().any(|n| is_cell(names[*n], row[*n]))
        })
}

/// What stands between the cells of a line: `|`, else `│`, a tab, a comma, `;` or `、`.
fn split_of(head: &str) -> Option<char> {
    const NARROW: &[char] = &['\t', ',', ';'];
    let mut signs = [false; 4];
    for byte in head.bytes() {
        match byte {
            b'|' => return Some('|'),
            b'\t' => signs[0] = true,
            b',' => signs[1] = true,
            b';' => signs[2] = true,
            0x80.. => signs[3] = true,
            _ => {}
        }
    }
    let wide = |sign: char| Some(sign).filter(|sign| signs[3] && head.contains(*sign));
    let narrow = || NARROW.iter().zip(signs).find(|(_, stands)| *stands).map(|(sign, _)| *sign);
    wide('│').or_else(narrow).or_else(|| wide('、'))
}

/// A line without the signs of a quotation or a list before it.
pub(super) fn plain_line(line: &str) -> &str {
    line.trim_end().trim_start_matches(['>', ' ', '\t', '*'])
}

pub(super) fn cells(line: &str, split: char) -> impl Iterator<Item = &str> {
    let cells = line.trim_matches(split).split(split);
    cells.map(|cell| cell.trim().trim_matches(['"', '\'', '`', '*']))
}

pub(super) fn is_credential_column(name: &str) -> bool {
    static NAMES: WordList = WordList::new(
        "password passwd pwd pass pw passphrase passcode secret token pin credential credentials apikey secretkey accesskey passwords psk otp totp",
    );
    const ENDS: &[&str] = &[
        "password",
        "passwd",
        "_pwd",
        "passphrase",
        "api key",
        "api_key",
        "apikey",
        "api-key",
        "secret",
        "access key",
        "access_key",
        "secret key",
        "secret_key",
        "token",
        "private key",
        "private_key",
        "パスワード",
        "暗証番号",
        "秘密鍵",
        "apiキー",
        "トークン",
        "アクセスキー",
        "シークレット",
        "初期パス",
        "仮パス",
        "passcode",
        "(pw)",
        " pw",
        "_pw",
        " pin",
        "pin code",
        "access code",
        "door code",
        "recovery code",
        "license key",
        "wifi key",
        "wi-fi key",
        "キー",
        "pwd",
        "pass",
        "psk",
        "合言葉",
        "解錠番号",
        "認証コード",
    ];
    if name.len() > LONGEST_COLUMN {
        return false;
    }
    let lower = name.to_lowercase();
    let last = lower.bytes().next_back();
    NAMES.has(&lower)
        || (lower.len() <= 40
            && ENDS.iter().any(|end| end.bytes().next_back() == last && lower.ends_with(end))
            && !lower.contains("primary")
            && !lower.contains("foreign")
            && !lower.contains("max"))
}

pub(super) fn is_cell(name: &str, cell: &str) -> bool {
    let lower = name.to_lowercase();
    let pin = lower.contains("pin") || lower.contains("番号") || lower.contains("code");
    let digits = cell.len() >= 4 && cell.bytes().all(|b| b.is_ascii_digit());
    let pass = lower.contains("pass") || lower.contains("pw") || lower.contains("パス");
    let word = pass
        && cell.len() >= 4
        && !cell.contains([' ', '.', '/', '(', '_'])
        && cell.is_ascii()
        && cell.bytes().any(|b| b.is_ascii_alphabetic());
    if is_placeholder(cell) || is_quality(cell) || is_reference(cell) {
        return false;
    }
    (is_made_up(cell) || super::value::is_phrase(cell))
        && !cell.contains(' ')
        && !cell.contains('(')
        && cell.len() >= 4
        || (digits && (pin || pass))
        || word && !is_label_like(cell)
}

pub(super) fn is_random_value(hit: &Hit<'_>) -> bool {
    const OTHERS: &[&str] = &[
        "public",
        "公開鍵",
        "cache",
        "primary",
        "foreign",
        "partition",
        "sort",
        "idempot",
        "object",
        "s3_key",
        "s3key",
        "routing",
        "translation",
        "i18n",
        "hash_key",
        "keyid",
        "key_id",
        "keyword",
        "keyboard",
        "author",
        "dedup",
        "row_key",
        "rowkey",
        "unique",
        "lookup",
        "monkey",
        "hotkey",
        "turkey",
        "hockey",
        "host key",
        "host_key",
        "known_host",
        "fingerprint",
        "etag",
        "integrity",
        "checksum",
        "commit",
        "digest",
        "sha",
        "trace",
        "request",
        "correlation",
        "span",
        "access_log",
        "accessed",
        "session_start",
        "s3://",
        "seed_data",
        "random_seed",
        "keypath",
        "key_path",
        "keyfile",
        "apiversion",
        "api_version",
        "api_url",
        "api_base",
        "client_id",
        "foreignkey",
        "storage_path",
    ];
    let matched = hit.matched().to_lowercase();
    let name = &matched[..matched.len().saturating_sub(hit.value().len()).min(matched.len())];
    let value = hit.value();
    let hex = value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let uuid = value.len() == 36 && hex && value.matches('-').count() == 4;
    let sure = ["api", "key", "auth", "鍵", "キー", "cred"].iter().any(|part| name.contains(part))
        && !name.contains("session");
    let path = value.matches('/').count() > 2
        || value.starts_with('/')
        || value.contains("..")
        || value.ends_with(".com")
        || value.starts_with("http");
    let dotted = value.contains('.') && value.split('.').all(|part| part.len() < 12);
    let strong = match (uuid, hex) {
        (true, _) => {
            name.contains("api")
                || name.contains("auth")
                || name.contains("license")
                || name.contains("ライセンス")
        }
        (_, true) => sure && value.len() >= 24,
        _ => looks_like_key(value) && value.bytes().any(|b| b.is_ascii_digit()),
    };
    !OTHERS.iter().any(|part| name.contains(part))
        && strong
        && !path
        && !dotted
        && !is_placeholder(value)
        && !is_code(value)
        && !is_words(value)
}

/// `some-long-name_of-things2`: words with signs between them.
pub(super) fn is_words(value: &str) -> bool {
    let parts: Vec<&str> = value.split(['-', '_', '.', '/']).filter(|p| !p.is_empty()).collect();
    let lower = |p: &&&str| {
        p.bytes().all(|b| b.is_ascii_lowercase()) || p.bytes().all(|b| b.is_ascii_digit())
    };
    let title = |p: &&&str| p.bytes().all(|b| b.is_ascii_alphabetic());
    let (lowers, titles) = (parts.iter().filter(lower).count(), parts.iter().filter(title).count());
    parts.len() >= 3 && (lowers * 4 >= parts.len() * 3 || titles >= 4)
}

pub(super) fn is_license(hit: &Hit<'_>) -> bool {
    let value = tail(hit);
    let value = value.rsplit([':', ' ', 'は', '「']).next().unwrap_or(value);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let uuid = value.len() == 36 && value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    digits >= 2
        && !uuid
        && !is_placeholder(value)
        && value.bytes().any(|b| b.is_ascii_uppercase())
        && !value.contains("CVE")
}
