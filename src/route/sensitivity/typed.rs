//! Passwords as people choose them, where one signs in, and keys without a name.
//!
//! `Maple-` with a year and a sign behind it is no word of any language. Beside a place
//! where one signs in, an account or a network it is a password, though nobody says so.

use super::rule::{Hit, MADE_UP_WORDS, Needs, Rule};
use super::value::{bare, is_code, is_placeholder, is_quality, is_random, listed};

const SIGN_IN: &str = "what one types to sign in stands here";
const KEY: &str = "a key stands here in the form that its program keeps it";

const fn typed(
    id: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { id, family: "prose", needs: Needs::Nothing, why: SIGN_IN, cues, pattern, check }
}

const fn key(
    id: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { id, family: "key", needs: Needs::Nothing, why: KEY, cues, pattern, check }
}

/// Passwords without a word for them, and keys in forms of their own.
pub(super) const TYPED: &[Rule] = &[
    typed(
        "typed_password",
        &[
            "admin",
            "root",
            "login",
            "log in",
            "logged in",
            "logs in",
            "sign in",
            "signed in",
            "wifi",
            "wi-fi",
            "ssid",
            "ipmi",
            "idrac",
            "router",
            "switch",
            "nas",
            "printer",
            "camera",
            "rdp",
            "vpn",
            "outlook",
            "authentication failed",
            "sticky note",
            "typing",
            "typed",
            "user:",
            "/user",
            "username",
            "account",
            "guest",
            "kiosk",
            "portal",
            "ssh",
            "ftp",
            "winbox",
            "pdo(",
            "connect(",
            "passwords",
            "gave password",
            "creds",
            "unlock",
            "default is",
            "works with",
            "ログイン",
            "管理画面",
            "管理者",
            "入れ",
            "アカウント",
            "無線",
            "共有フォルダ",
            "複合機",
            "ルーター",
            "付箋",
            "入力",
            "パス",
        ],
        MADE_UP_WORDS,
        is_typed,
    ),
    typed(
        "typed_pair",
        &[
            "admin", "root", "user", "sa/", "guest", "operator", "system/", "scott/", "sys/",
            "expdp", "impdp", "sqlplus", "sqlldr", "rman",
        ],
        concat!(
            r#"(?:\b(?:expdp|impdp|sqlplus|sqlldr|rman|exp|imp)\b[^\n]{0,30}?[ ][\w$#]{2,30}/["']?(?P<v>[^\s"'@/]{4,60})(?:@|[ ]|$)"#,
            r#"|\b(?:admin|administrator|root|operator|user|guest|system|sys|sa|support|manager|ubnt|pi|ADMIN|cisco)[/:]["']?(?P<w>[^\s"'/:@]{6,60})(?:[\s"'@,;]|[^!-~]|$))"#,
        ),
        is_pair,
    ),
    typed(
        "typed_password",
        &["net use"],
        r#"\bnet use\b[^\n]{0,80}?/u(?:ser)?:[^\s]{1,60}[ ]+["']?(?P<v>[^\s"'/*][^\s"']{3,60})"#,
        |hit| !is_placeholder(hit.value()) && !is_quality(hit.value()),
    ),
    typed(
        "typed_password_ja",
        &["パスワード", "パス", "pw", "暗証"],
        r"(?:パスワード|パスコード|暗証番号|(?:^|[^\p{Katakana}ー])パス|PW)(?P<v>[A-Za-z0-9][!-~]{3,40}?)(?:[^!-~]|$)",
        is_stuck,
    ),
    typed(
        "list_of_passwords",
        &[
            "passwords.",
            "passwords:",
            "password list",
            "password sheet",
            "logins.",
            "logins:",
            "credentials.",
            "パスワード一覧",
            "パスワード管理表",
            "id一覧",
        ],
        r#"(?:passwords?(?:\.\w{3,4}|:| list| sheet)|logins?(?:\.\w{3,4}|:)|credentials?\.\w{3,4}|パスワード一覧|パスワード管理表|ID一覧)[^\n]{0,40}?[:\s][^\n]{0,40}?[,;|\t/](?P<v>[A-Za-z0-9][!-~]{5,40}?)(?:[;|\n\s]|$)"#,
        |hit| hit.value().bytes().any(|b| b.is_ascii_digit()) && !is_placeholder(hit.value()),
    ),
    typed(
        "typed_password",
        &["wi-fi", "wifi", "無線", "ssid", "netflix", "@"],
        concat!(
            r#"(?:(?:wi-?fi|無線(?:LAN)?|ssid)[^\n]{0,30}?(?:鍵|キー|パス(?:ワード)?|\bkey|\bpass\w*|\bpw)[ ]?(?:は|:|=|is|/)?[ ]{0,2}(?P<v>[A-Za-z0-9][!-~]{7,40}?)(?:[\s"'`,;]|[^!-~]|$)"#,
            r#"|@EMAIL@[ ]?(?:with|and|/|,|:|pw|pass|が|と|、)[ ]{0,2}(?P<w>[A-Za-z0-9][!-~]{7,40}?)(?:[\s"'`,;]|[^!-~]|$))"#,
        ),
        is_beside_account,
    ),
    key(
        "putty_key",
        &["private-lines", "putty-user-key-file"],
        r"Private-Lines:[ ]?\d{1,3}\s{1,4}(?P<v>[A-Za-z0-9+/=]{20,})",
        |_| true,
    ),
    key(
        "wallet_file",
        &["keypair", "solana", "secret key", "id.json", "private key", "秘密鍵"],
        r"(?:keypair|solana|secret key|private key|id\.json|秘密鍵)[^\n\[]{0,60}\[[ ]?(?P<v>\d{1,3}(?:,[ ]?\d{1,3}){31,63})",
        |_| true,
    ),
    key(
        "signed_assertion",
        &["assertion", "saml", "ticket", "kerberos", "viewstate"],
        r"\b(?:assertion|saml ?response|samlresponse|tgt|ticket cache)\b[^\n]{0,30}?[:= ][ ]?(?P<v>[A-Za-z0-9+/]{60,}={0,2})",
        |hit| is_random(hit.value()),
    ),
    key(
        "activation_code",
        &[
            "activation code",
            "licence code",
            "license code",
            "licence file",
            "license file",
            "licence string",
            "license string",
            "アクティベーションコード",
            "ライセンス文字列",
        ],
        r"(?:activation|licen[cs]e|アクティベーション|ライセンス)[ ]?(?:code|file|string|blob|data|コード|文字列|ファイル)[^\n]{0,40}?[:= はが][ ]?(?P<v>[A-Za-z0-9+/_-]{24,}={0,2})",
        |hit| is_random(hit.value()),
    ),
];

/// Whether a word is a password as people choose them: a word or two, a number and a sign.
fn is_chosen(value: &str) -> bool {
    let value = value.trim_end_matches([',', '.', ';', ')', ':', '"', '\'', '?']);
    let count = |test: fn(&u8) -> bool| value.bytes().filter(test).count();
    let (digits, letters) = (count(u8::is_ascii_digit), count(u8::is_ascii_alphabetic));
    let signs = value.len() - digits - letters;
    let strong = count(|b| b"!#$%^&*@+~".contains(b));
    let soft = count(|b| b"-_.".contains(b));
    let capital = count(u8::is_ascii_uppercase) > 0;
    let lower = count(u8::is_ascii_lowercase) > 1;
    is_word_and_number(value)
        || is_two_words_and_number(value)
        || (8..=32).contains(&value.len())
            && letters >= 3
            && digits >= 2
            && capital
            && lower
            && strong + soft == signs
            && ((1..=3).contains(&strong) && soft <= 2
                || signs == 1
                    && soft == 1
                    && digits >= 3
                    && value.as_bytes()[0].is_ascii_uppercase()
                    && !value.contains('.'))
}

/// A word, a sign and a number: `maple!1982`. What is numbered so by custom is none.
fn is_word_and_number(value: &str) -> bool {
    const NUMBERED: &str = "issue pr bug ticket gh mr task case user page line no room";
    let Some(at) = value.find(['!', '$', '%', '&', '*', '+', '~', '#']) else { return false };
    let (word, number) = (&value[..at], &value[at + 1..]);
    word.len() >= 4
        && number.len() >= 3
        && word.bytes().all(|b| b.is_ascii_alphabetic())
        && number.bytes().all(|b| b.is_ascii_digit())
        && !listed(NUMBERED, word)
}

/// Two words, the second with a capital letter, and a number: `violet-Maple15`.
fn is_two_words_and_number(value: &str) -> bool {
    let stem = value.trim_end_matches(|c: char| c.is_ascii_digit());
    let Some((first, second)) = stem.split_once(['-', '.', '_']) else { return false };
    let lower = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase());
    (2..=4).contains(&(value.len() - stem.len()))
        && first.len() >= 3
        && second.len() >= 3
        && lower(first)
        && second.starts_with(|c: char| c.is_ascii_uppercase())
        && lower(&second[1..])
}

/// A password as people choose them, and no part of a program or an address.
fn is_typed(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    value.starts_with(|c: char| c.is_ascii_alphabetic())
        && is_chosen(value)
        && !is_placeholder(value)
        && !is_code(value)
        && !value.contains("&&")
        && !value.contains("%2")
        && !value.rsplit_once('@').is_some_and(|(_, host)| host.contains('.'))
        && !hit.before(3).ends_with("://")
        && !hit.before(24).contains("://")
        && !hit.before(40).to_lowercase().contains("ticket")
        && !["bad password", "weak password", "weak one", "悪い例", "弱い"]
            .iter()
            .any(|talk| hit.around(64).contains(talk))
}

fn is_pair(hit: &Hit<'_>) -> bool {
    let matched = hit.matched().trim_end_matches(['@', ' ', ',', ';', '"', '\'']);
    let value = bare(matched.rsplit(['/', ':']).next().unwrap_or_default());
    let tool = ["expdp", "impdp", "sql", "rman", "exp", "imp"]
        .iter()
        .any(|name| hit.matched().to_lowercase().starts_with(name));
    value.len() >= 4
        && !is_placeholder(value)
        && !is_quality(value)
        && !hit.before(1).ends_with(['/', '.', '-'])
        && (tool || is_chosen(value))
}

/// Letters and a number in one, where a network or an account stands before it.
fn is_beside_account(hit: &Hit<'_>) -> bool {
    let matched = hit.matched().trim_end_matches(|c: char| !c.is_ascii_graphic() || c == ',');
    let last = matched.rsplit([' ', '/', ':', ',', 'は', '、', 'と']).next().unwrap_or_default();
    let value = bare(last);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    (2..=8).contains(&digits)
        && letters >= 4
        && !value.contains(['@', '(', '.', '<', '{', '|'])
        && !is_placeholder(value)
        && !is_code(value)
}

/// A value that is stuck to its word, as Japanese is written.
fn is_stuck(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    let behind = hit.text[hit.at.end..].chars().next().unwrap_or(' ');
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let capitals = value.bytes().skip(1).filter(u8::is_ascii_uppercase).count();
    let number = digits == value.len() && (4..=10).contains(&digits);
    let mixed = value.len() >= 8
        && (is_random(value) || is_chosen(value) || capitals >= 3 && capitals + 2 < value.len());
    let unit = "文桁字個回分日時年月件円以人".contains(behind);
    !unit && !is_placeholder(value) && !is_quality(value) && (number || mixed)
}

#[cfg(test)]
mod tests {
    use super::super::rules::finds;
    use super::*;

    fn found(text: &str) -> bool {
        finds(TYPED, text)
    }

    /// A password as people choose them, put together so that none stands in this file.
    fn chosen() -> String {
        format!("{}{}{}", "Maple", 40 * 51, '!')
    }

    #[test]
    fn what_is_typed_to_sign_in_is_found() {
        let word = chosen();
        for text in [
            format!("wifi in the lab is {word} (same for guest)"),
            format!("IPMI 10.0.0.9 ADMIN/{word} - power cycle"),
            format!("管理画面 http://192.168.1.5 admin:{word} 手順を"),
            format!("net use Z: \\\\nas\\hr /user:CORP\\x {word} fails"),
            format!("new PDO($dsn,'shop_admin','{word}');"),
            "レジのパス564845と手順".to_owned(),
        ] {
            assert!(found(&text), "{text}");
        }
    }

    #[test]
    fn words_versions_and_addresses_are_not() {
        for text in [
            "the login page uses Bootstrap-5 and OAuth2.1",
            "admin:password, root/etc, user:1000",
            "log in at jane.Doe99@example.com",
            "パスワード8文字以上、パスワードmanager",
            "upgrade the account portal to Windows-11",
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
