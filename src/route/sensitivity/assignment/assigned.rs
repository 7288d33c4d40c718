//! Whether what stands behind a credential's name is its value.

use super::super::names::Kind;
use super::super::value::{self, bare, listed};
use super::super::word_list::WordList;
use super::{LONGEST_VALUE, MOST_BLANKS, Name, Sign, Sort, Value};
use crate::base::words;

/// Whether a value in quotes is one, and not the place for one, a label or an explanation.
pub(super) fn is_quoted_value(kind: Kind, value: &str, plain_name: bool) -> bool {
    let shown = bare(value);
    let short = !shown.is_ascii() && shown.chars().count() < 3;
    if value::is_placeholder(value) || is_label(shown) || value::is_reference(shown) || short {
        return false;
    }
    let made_up = value::is_made_up(shown);
    match kind {
        Kind::Code => {
            is_code_number(shown) && !is_usual_code(shown) || made_up || value::is_phrase(shown)
        }
        Kind::Pass => {
            (!value::is_sentence(value) || value::is_phrase(value))
                && (made_up || !value::is_quality(shown))
                && !is_place(shown)
        }
        Kind::Token if plain_name => {
            made_up || (is_number(shown) && shown.len() >= 5) || value::is_random(shown)
        }
        Kind::Key | Kind::Token => {
            (!value.trim().contains(' ') || made_up || value::is_phrase(value))
                && !is_place(shown)
                && !is_plain_name(shown)
                && (made_up || !value::is_quality(shown))
                && !value::is_sentence(value)
                && !(is_number(shown) && shown.len() < 5)
        }
    }
}

/// Whether a value without quotes is one.
pub(super) fn is_bare_value(text: &str, name: &Name, sign: &Sign, value: &Value) -> bool {
    let shown = &text[value.start..value.end];
    let word = &text[name.word_start..name.word_end];
    let is_folder =
        text[name.start..name.end].eq_ignore_ascii_case("pwd") && shown.starts_with('/');
    let code = value::is_code(shown) || value::is_type(shown);
    if is_folder || code || names_same(shown, word) || is_label(bare(shown)) {
        return false;
    }
    let rest_of_line = rest_of_line(text, value.start);
    if matches!(name.kind, Kind::Pass | Kind::Code)
        && sign.sort != Sort::Beside
        && value::is_phrase(rest_of_line)
    {
        return true;
    }
    if value::is_placeholder(shown) || value::is_quality(shown) {
        return false;
    }
    let value_text = bare(shown);
    if is_place(value_text) {
        return false;
    }
    // A line below that is an assignment itself belongs to another name.
    if value.below
        && (value_text.contains('=') || shown.ends_with(':') || rest_of_line.trim_end() != shown)
    {
        return false;
    }
    if value::is_made_up(shown) {
        let long = if sign.sort == Sort::Beside && name.kind != Kind::Pass { 8 } else { 4 };
        return value_text.len() >= long && !is_type_like(value_text);
    }
    if value.below && sign.sort != Sort::Sign {
        return false;
    }
    if value.below {
        return name.kind == Kind::Code && is_number(value_text) && value_text.len() >= 4;
    }
    if is_number(value_text) || is_code_number(value_text) {
        return counts_as_number(name, sign, value_text, &text[value.end..]);
    }
    name.kind == Kind::Pass && sign.sort != Sort::Beside && is_chosen_word(text, name, sign, value)
        || (name.kind == Kind::Key && sign.sort == Sort::Sign && is_config_line(text, name, value))
}

/// Whether a number is the value of a name: a PIN, a password of digits.
pub(super) fn counts_as_number(name: &Name, sign: &Sign, value: &str, behind: &str) -> bool {
    const UNITS: &[&str] = &[
        "文字", "桁", "回", "分", "日", "時間", "秒", "年", "つ", "個", "種類", "件", "人", "名",
        "番", "ヶ月", "か月", "%", " char", " digit", " day", " hour", " min", " sec", " time",
        " byte", " bit", " attempt", " letter", " token", " month", " year", " week", " user",
        "-digit", "-char", " or ", " to ", "以上", "以下", "～", "~", "〜", "-",
    ];
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    if is_usual_code(value) {
        return false;
    }
    if UNITS.iter().any(|unit| behind.starts_with(unit)) {
        return false;
    }
    match name.kind {
        Kind::Pass | Kind::Code => digits >= if sign.sort == Sort::Sign { 3 } else { 4 },
        Kind::Key => digits >= 6 && sign.sort == Sort::Sign,
        Kind::Token => digits >= 5 && sign.sort == Sort::Sign,
    }
}

/// Whether a plain word is a password: nothing but the end of its clause stands behind it.
pub(super) fn is_chosen_word(text: &str, name: &Name, sign: &Sign, value: &Value) -> bool {
    let shown = &text[value.start..value.end];
    let word = bare(shown);
    let behind = text[value.end..].trim_start_matches([' ', '\t', '*', '`']);
    if !word.is_ascii() {
        return sign.sort != Sort::Beside && is_japanese_word(text, name, sign, word, behind);
    }
    let japanese = ["です", "だ", "に", "で", "、", "。", "を", "と", "」"]
        .iter()
        .any(|end| behind.starts_with(end));
    let next: String = behind.chars().take_while(char::is_ascii_alphabetic).collect();
    let goes_on = listed(
        "and for then but so or on user username login id host when until please if which btw",
        &next,
    );
    let ended = behind.is_empty()
        || japanese
        || goes_on && sign.sort == Sort::Prose && shown == word
        || behind.starts_with([
            '\n', '\r', ',', ';', '|', '/', ')', '<', '!', '。', '、', '，', '」', '}', '"', '\'',
        ])
        || shown.ends_with(['.', ',', ';'])
        || behind.starts_with("- ")
        || behind.starts_with("# ")
        || behind.starts_with("-- ");
    let letters = word.len() >= 3 && word.bytes().any(|b| b.is_ascii_alphabetic());
    ended && letters && !(sign.sort == Sort::Sign && is_program(text, name, value))
}

pub(super) fn is_japanese_word(
    text: &str,
    name: &Name,
    sign: &Sign,
    word: &str,
    behind: &str,
) -> bool {
    const SAYS: &[&str] = &[
        "です",
        "ます",
        "する",
        "した",
        "して",
        "ない",
        "から",
        "まで",
        "ください",
        "必要",
        "場合",
        "文字",
        "桁",
        "設定",
        "入力",
        "変更",
        "管理",
        "確認",
        "発行",
        "再",
        "忘れ",
        "保存",
        "以上",
        "平文",
        "ハッシュ",
        "暗号",
        "認証",
        "利用",
        "使用",
        "共有",
        "漏",
        "安全",
        "強",
        "弱",
        "長",
        "短",
        "期限",
        "有効",
        "無効",
        "必須",
        "不要",
        "任意",
        "表示",
        "送",
        "更新",
        "削除",
        "生成",
        "禁止",
        "ランダム",
        "可能",
        "推奨",
        "同じ",
        "別",
        "毎",
        "一度",
        "誰",
        "何",
        "どこ",
        "いつ",
        "なし",
        "あり",
        "種類",
        "環境変数",
        "パス",
        "キー",
        "トークン",
    ];
    let name_is_japanese = !text[name.word_start..name.word_end].is_ascii();
    let count = word.chars().count();
    let ends =
        behind.is_empty() || behind.starts_with(['\n', '\r', '、', '。', ',', ')', '|', '/']);
    // Only a sign gives a word of Japanese as the value; behind は it is said of the password.
    name_is_japanese
        && sign.sort == Sort::Sign
        && ends
        && (2..=12).contains(&count)
        && !word.chars().any(|c| "はがをにのでともへ".contains(c))
        && !SAYS.iter().any(|part| word.contains(part))
}

/// Whether the line of an assignment is program text, in which a bare word is a variable.
pub(super) fn is_program(text: &str, name: &Name, value: &Value) -> bool {
    const OPENS: &[&str] = &[
        "let",
        "const",
        "var",
        "val",
        "def",
        "func",
        "fn",
        "return",
        "if",
        "elif",
        "else",
        "for",
        "while",
        "class",
        "public",
        "private",
        "protected",
        "final",
        "static",
        "self",
        "this",
        "await",
        "import",
        "from",
        "type",
        "interface",
        "export",
        "final",
        "String",
        "string",
        "pub",
        "async",
        "local",
        "my",
    ];
    let before = start_of_line(text, name.start);
    let behind = rest_of_line(text, value.end);
    let first = before.trim_start().split([' ', '.', '(']).next().unwrap_or_default();
    let opens = OPENS.contains(&first) && (first != "export" || before.contains("const"));
    let code =
        |part: &str| part.contains(['(', '{', ';']) || part.contains("=>") || part.contains("})");
    opens
        || before.contains(['(', '{']) && (behind.starts_with([',', ')', '}', ';']))
        || code(behind) && !behind.starts_with(" (")
        || behind.trim_end() == "," && text[name.end..value.start].starts_with(':')
}

/// Whether a name with its value is a line of settings by itself: `SECRET=opensesame`.
pub(super) fn is_config_line(text: &str, name: &Name, value: &Value) -> bool {
    let before = start_of_line(text, name.start).trim_start();
    let alone = before.is_empty()
        || matches!(before.trim_end(), "export" | "ENV" | "set" | "setenv" | "-" | "#");
    let shown = &text[value.start..value.end];
    let equals = text[name.end..value.start].trim() == "=";
    let ended = rest_of_line(text, value.end).trim().is_empty();
    alone
        && equals
        && ended
        && shown.len() >= 6
        && !value::is_reference(shown)
        && !shown.contains(['/', '.'])
        && !shown.contains('_')
}

/// What stands from `at` to the end of its line, within reason.
pub(super) fn rest_of_line(text: &str, at: usize) -> &str {
    let limit = words::boundary(text, at + LONGEST_VALUE);
    let rest = &text[at..limit];
    &rest[..rest.find('\n').unwrap_or(rest.len())]
}

/// What stands from the start of the line to `at`, within reason.
pub(super) fn start_of_line(text: &str, at: usize) -> &str {
    let from = words::boundary(text, at.saturating_sub(200));
    let part = &text[from..at];
    part.rfind('\n').map_or(part, |n| &part[n + 1..])
}

/// Codes that stand in every example.
pub(super) fn is_usual_code(value: &str) -> bool {
    matches!(value, "123" | "000" | "111" | "999" | "737")
}

pub(super) fn is_number(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit())
}

/// Digits in groups: `4821`, `123-456`, `12-34-56`.
pub(super) fn is_code_number(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    (3..=40).contains(&digits)
        && value.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b' ' | b'#' | b'*'))
}

/// `Geheimnis`: a word with a capital letter, as labels have.
pub(super) fn is_plain_name(value: &str) -> bool {
    value.len() > 2
        && value.starts_with(|c: char| c.is_ascii_uppercase())
        && value[1..].bytes().all(|b| b.is_ascii_lowercase())
}

/// A place rather than a value: a path, an address without a user in it.
pub(super) fn is_place(value: &str) -> bool {
    let path = value.starts_with(['/', '~']) && value[1..].contains('/')
        || value.starts_with("./")
        || value.starts_with("C:\\");
    let file = [
        ".pem", ".key", ".txt", ".json", ".yaml", ".yml", ".env", ".crt", ".p12", ".jks", ".md",
        ".py", ".ts", ".js", ".go", ".rs", ".html",
    ]
    .iter()
    .any(|end| value.ends_with(end));
    let address = value.contains("://") && !value.contains('@');
    path || file || address
}

/// `Promise<String>`, `Vec<u8>`, `uint256`, `char64`: the name of a type with digits or signs in it.
pub(super) fn is_type_like(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let stem =
        lower.trim_end_matches(['?', '!', '*', '&']).trim_end_matches(|c: char| c.is_ascii_digit());
    listed(
        "int uint float double varchar char string bytes str u i f bool text number any object date",
        stem,
    )
}

/// The label of a field: `New password`, `passwordField`, `#login-password`.
pub(super) fn is_label(value: &str) -> bool {
    static AROUND: WordList = WordList::new(
        "new old your my the current confirm user db login field input label box reset forgot hash hashed enter         change update set get form show hide admin test repeat retype invalid wrong a access api app auth id csrf refresh         name account client database root default master plain raw encoded encrypted page view text key word service session bearer jwt",
    );
    if value.bytes().any(|b| b.is_ascii_digit()) || !value.is_ascii() {
        return false;
    }
    let mut spaced = String::new();
    for c in value.chars() {
        match c {
            c if c.is_ascii_uppercase() => spaced.extend([' ', c.to_ascii_lowercase()]),
            c if c.is_ascii_lowercase() => spaced.push(c),
            _ => spaced.push(' '),
        }
    }
    // A word in capitals was pulled apart: put it together again.
    if value.bytes().all(|b| !b.is_ascii_lowercase()) {
        spaced = value.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphabetic(), " ");
    }
    let mut parts = spaced.split_whitespace().peekable();
    let names = |part: &str| {
        listed(
            "password passwd pwd pass token secret key credential credentials passphrase pin code apikey passcode",
            part,
        )
    };
    parts.peek().is_some()
        && spaced.split_whitespace().any(names)
        && parts.all(|part| names(part) || AROUND.has(part))
}

/// Whether a value is a variable of the same name.
pub(super) fn names_same(value: &str, word: &str) -> bool {
    let at = value.len().wrapping_sub(word.len());
    match (value.get(..at), value.get(at..)) {
        (Some(before), Some(end)) if end.eq_ignore_ascii_case(word) => {
            before.is_empty() || before.ends_with(['.', '_', '$'])
        }
        _ => false,
    }
}

pub(super) fn ends_bare_value(c: char) -> bool {
    matches!(
        c,
        ',' | ';'
            | '}'
            | ')'
            | ']'
            | '('
            | '['
            | '<'
            | '"'
            | '\''
            | '`'
            | '&'
            | '、'
            | '。'
            | '」'
            | '|'
            | '\\'
    ) || matches!(c, '\u{3040}'..='\u{309f}')
}

pub(super) fn skip_blanks(text: &str, from: usize) -> usize {
    skip(text, from, MOST_BLANKS, |c| matches!(c, ' ' | '\t' | '\u{3000}'))
}

/// Past at most `most` characters that `may` be skipped.
pub(super) fn skip(text: &str, from: usize, most: usize, may: impl Fn(char) -> bool) -> usize {
    let skipped: usize =
        text[from..].chars().take(most).take_while(|c| may(*c)).map(char::len_utf8).sum();
    from + skipped
}
