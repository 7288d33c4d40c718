//! Tells a secret's value from the place for one.
//!
//! Everything that clears a text does so here and by the value alone: a
//! placeholder, a mask, a published example, a call, a type's name. Nothing here
//! looks at what a task says about itself, so no task can talk its way out.

use std::sync::LazyLock;

use super::cues::{Cues, Stands};
use super::word_list::WordList;

/// Values that mean that there is none, types, and the usual stand-ins.
static NO_VALUE: WordList = WordList::new(
    "\
    a an and any are array bool boolean but bytes can cannot char does empty expired false \
    field for from how if in inherit int integer invalid is it its list missing must n/a na never \
    nil no none not null number object of off on option optional or please redacted required see shall \
    should str string text that the then there they this to true uint undefined unknown unset \
    use users varchar was we what when where which who why will with you your yes default value \
    only also still already just too very being been has have had may might being same auto \
    必須 任意 未設定 なし 無し 不明 省略 非公開 変更 入力 設定 リセット 空 空欄 同じ 別途 後述 下記 以下 同上 不要 必要",
);

/// Stand-ins that a writer puts where a secret goes.
static STAND_INS: WordList = WordList::new(
    "\
    password passwd pass passphrase pwd pw secret token key apikey api_key api-key test testing tests foo bar \
    baz qux foobar abc xyz xxx todo tbd fixme user username guest postgres mysql redis rabbitmq wrong \
    incorrect mysecretpassword mypassword my-password my_password my-secret my_secret mysecret \
    my-token mytoken some-secret somesecret dummy fake sample demo pw123 hash hashed encrypted plain \
    passwort geheimnis kennwort wachtwoord contrasena senha clave plaintext bearer basic oauth oauth2 jwt saml oidc bcrypt argon2 argon2id scrypt pbkdf2 sha256 sha1 \
    md5 hmac aes rsa ed25519 totp otp sms email mfa 2fa changed hoge hogehoge fuga fugafuga piyo foobarbaz",
);

/// Parts that make any value a stand-in.
const TELLTALE_PARTS: &[&str] = &[
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "change-this",
    "change_this",
    "changeit",
    "redacted",
    "replace_",
    "replace-",
    "replaceme",
    "insert_",
    "insert-",
    "_here",
    "-here",
    "goes-here",
    "your_",
    "your-",
    "yourpass",
    "yoursecret",
    "yourtoken",
    "yourkey",
    "yourapi",
    "dummy",
    "notreal",
    "not-real",
    "not_real",
    "not-a-real",
    "fake-",
    "fake_",
    "-fake",
    "_fake",
    "masked",
    "omitted",
    "todo",
    "sample-",
    "sample_",
    "my-super-secret",
    "xxxx",
    "****",
    "••",
    "●●",
    "....",
    "…",
    "####",
    "____",
    "...",
    "＊＊",
    "<your",
    "伏せ",
    "ダミー",
    "サンプル",
    "あなたの",
    "ここに",
];

static TELLTALE: LazyLock<Cues> =
    LazyLock::new(|| Cues::new(TELLTALE_PARTS.iter().map(|part| (*part, Stands::Anywhere))));

/// Beginnings of a value that is read from elsewhere.
const ELSEWHERE: &[&str] = &[
    "process.env",
    "os.environ",
    "os.getenv",
    "os.get",
    "getenv",
    "env.",
    "env::",
    "env(",
    "env[",
    "env:",
    "std::",
    "self.",
    "this.",
    "config.",
    "settings.",
    "request.",
    "req.",
    "res.",
    "args.",
    "params.",
    "secrets.",
    "vault:",
    "system.",
    "import.meta",
    "vars.",
    "var.",
    "local.",
    "data.",
    "module.",
    "op://",
    "arn:",
    "ssm:",
    "file:",
    "http://",
    "https://",
    "/run/secrets",
    "/etc/",
    "/var/",
    "/home/",
    "./",
    "../",
    "~/",
    "cls.",
    "ctx.",
    "context.",
    "options.",
    "opts.",
    "props.",
    "state.",
    "user.",
    "await",
    "new",
    "function",
    "lambda",
    "async",
    "return",
    "!ref",
    "!sub",
    "!getatt",
    "!vault",
    "ref:",
    "&",
    "*",
    "@",
    "projects/",
    "keyvault",
    "valuefrom",
    "os.",
    "app.",
    "cfg.",
    "form.",
    "body.",
    "input.",
    "data[",
    "row.",
];

/// Endings of names of types.
const TYPE_ENDS: &[&str] = &[
    "str",
    "string",
    "type",
    "field",
    "token",
    "key",
    "secret",
    "password",
    "config",
    "option",
    "value",
    "bytes",
    "schema",
    "input",
    "provider",
    "manager",
    "service",
    "handler",
    "error",
    "model",
    "props",
    "credentials",
    "credential",
    "request",
    "response",
    "data",
    "info",
    "dto",
    "enum",
    "id",
    "hasher",
    "encoder",
];

/// Endings of words that say something of a password rather than being one.
const QUALITY_ENDS: &[&str] =
    &["ed", "ing", "able", "ible", "less", "ful", "ly", "ent", "ive", "ous", "ment", "tion", "ity"];

/// Words that say something of a password rather than being one.
static QUALITIES: WordList = WordList::new(
    "\
    weak strong long short wrong correct incorrect right bad good ok okay old new stale fresh valid \
    invalid safe unsafe secure insecure visible hidden blank known public private plain simple complex \
    unique random secret lost gone stolen leaked broken fine great important always often usually \
    usable different identical common longer shorter stronger weaker sent set kept hashed salted here there \
    currently never now later up down out about against at by into than through without under over \
    one two three four some all each every both either neither more less most least many few several another \
    other as because since while so such like unlike between within during before after next last first second \
    third free full part case-sensitive ours mine yours theirs his hers rotation hashing storage policy \
    management handling reset length strength security validation verification authentication authorization \
    authorisation encryption generation protection rotate generate create store update check verify hash \
    bound scoped opaque signed short-lived long-lived read-only write-only base64 hex utf-8 ascii json yaml \
    expires stored logged shown checked deprecated tied based per min max high low medium",
);

/// Names of techniques whose letters and digits look made up.
static TECHNIQUES: WordList = WordList::new(
    "\
    sha-1 sha-2 sha-3 sha1 sha2 sha256 sha384 sha512 sha-256 sha-384 sha-512 hmac-sha256 hs256 rs256 es256 eddsa aes-256 aes256 aes-128 \
    aes-256-gcm aes-gcm base64 base32 base62 base58 oauth2 oauth2.0 oauth1 auth0 utf-8 utf8 k8s s3 ec2 ed25519 x25519 p-256 \
    rsa-2048 rsa-4096 bcrypt argon2 argon2id argon2i pbkdf2 pkcs8 pkcs1 pkcs12 pkcs#8 x509 x.509 md5 crc32 uuid4 uuidv4 \
    uuidv7 jwt jws jwe http2 http/2 ipv4 ipv6 2fa mfa 401 403 404 200 422 429 500 fido2 u2f tls1.3 tls1.2 web3 c++ c# .net node.js \
    .env i18n l10n gpt-4 gpt-5 gpt-4o rfc6238 rfc4226 rfc7519 v1 v2 v3 sqlite3 python3 h2 log4j",
);

/// A value without the signs that hold it.
pub(super) fn bare(value: &str) -> &str {
    let inner =
        value.trim().trim_matches(['\\', '"', '\'', '`', '“', '”', '「', '」', '『', '』']).trim();
    let trimmed = inner.trim_end_matches(['。', '、', ',', ';', ':']).trim_end();
    trimmed.trim_end_matches('.')
}

/// Whether a word is in a list, in any case.
pub(super) fn listed(list: &str, word: &str) -> bool {
    !word.is_empty() && list.split_ascii_whitespace().any(|other| other.eq_ignore_ascii_case(word))
}

/// Whether a value only holds the place of one: a stand-in, a template, a mask, a published example.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = bare(value);
    let Some(first) = value.chars().next() else { return true };
    if NO_VALUE.has(value) || STAND_INS.has(value) || is_template(value) {
        return true;
    }
    let lower = value.to_lowercase();
    if TELLTALE.are_in(&lower) || is_published(value) {
        return true;
    }
    let distinct = distinct(value);
    let no_letters = !value.chars().any(char::is_alphanumeric);
    (no_letters && distinct < 4)
        || is_mask(value, first)
        || is_variable_name(value)
        || is_filler(&lower)
        || is_test_value(&lower)
}

/// `xxx.yyy.zzz`: parts of one letter each.
fn is_filler(value: &str) -> bool {
    let same = |part: &str| {
        part.len() >= 2 && part.bytes().all(|b| b == part.as_bytes()[0] && b.is_ascii_alphabetic())
    };
    value.contains(['.', '-', '_']) && value.split(['.', '-', '_']).all(same)
}

/// `testpass123`, `demo_token`: a word for trying out, with the name of the thing.
fn is_test_value(value: &str) -> bool {
    const FIRST: &[&str] = &["test", "demo", "dummy", "sample", "fake", "mock"];
    const THINGS: &[&str] =
        &["", "user", "pass", "password", "pw", "pwd", "token", "key", "secret", "login"];
    let stem = value.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = value.len() - stem.len() <= 3;
    let rest = FIRST.iter().find_map(|first| stem.strip_prefix(first));
    numbered && rest.is_some_and(|rest| THINGS.contains(&rest.trim_matches(['-', '_', '.'])))
}

fn distinct(value: &str) -> usize {
    let mut seen: Vec<char> = value.chars().take(64).collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len()
}

fn is_mask(value: &str, first: char) -> bool {
    let same = value.chars().all(|c| c.eq_ignore_ascii_case(&first));
    same && (matches!(
        first,
        '*' | '.' | '-' | '_' | '•' | '●' | '?' | '#' | '…' | '○' | '×' | '〇'
    ) || (matches!(first, 'x' | 'X') && value.len() >= 3))
}

fn is_template(value: &str) -> bool {
    const OPENS: &[(&str, &str)] = &[
        ("<", ">"),
        ("${", "}"),
        ("$(", ")"),
        ("{{", "}}"),
        ("{%", "%}"),
        ("%(", ")s"),
        ("%{", "}"),
        ("[", "]"),
        ("{", "}"),
        ("#{", "}"),
        ("__", "__"),
        ("@@", "@@"),
        ("(", ")"),
        ("%", "%"),
        ("＜", "＞"),
        ("@{", "}"),
        ("$[", "]"),
        ("《", "》"),
    ];
    let named = value.starts_with('$')
        && value[1..].starts_with(|c: char| c.is_ascii_alphabetic())
        && value[1..]
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.' || b == b':');
    let holds = ["${", "{{", "$(", "<%"].iter().any(|open| value.starts_with(open));
    named
        || holds
        || OPENS.iter().any(|(open, close)| {
            value.len() > open.len() + close.len()
                && value.starts_with(open)
                && value.ends_with(close)
        })
}

/// `DB_PASSWORD`, `SECRET`: the name of a variable and not its value.
fn is_variable_name(value: &str) -> bool {
    let upper = value.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    upper && value.contains('_') && value.len() >= 5
}

/// The keys that providers print in their own manuals.
fn is_published(value: &str) -> bool {
    const TAILS: &[&str] = &[
        "4eC39HqLyjWDarjtT1zdp7dc",
        "BQokikJOvBiI2HlWgH4olfQ2",
        "TYooMQauvdEDq54NiTphI7jx",
        "POk6yJV_adQssw5c",
    ];
    const WHOLE: &[&str] = &[
        "open sesame",
        "keyboard cat",
        "QWxhZGRpbjpvcGVuIHNlc2FtZQ",
        "dXNlcjpwYXNzd29yZA",
        "dXNlcjpwYXNz",
        "wJalrXUtnFEMI",
        "K7MDENG",
    ];
    TAILS.iter().any(|tail| value.ends_with(tail)) || WHOLE.contains(&value.trim_end_matches('='))
}

/// Whether an unquoted value is a piece of program text: `user.password`, `Option<String>`, `SecretStr`.
pub(super) fn is_code(value: &str) -> bool {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    let first = lower.bytes().next();
    if ELSEWHERE.iter().any(|from| from.bytes().next() == first && lower.starts_with(from))
        || value.contains("::")
        || value.contains("->")
    {
        // `&x9…` and `@x9…` may be values; a variable has no digit behind its sign.
        let sign = value.starts_with(['&', '*', '@']);
        return !(sign && is_made_up(&value[1..]));
    }
    let identifier = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let parts = value.split('.').count();
    parts > 1
        && value
            .split('.')
            .all(|part| identifier(part) && !part.bytes().any(|b| b.is_ascii_digit()))
}

/// Whether a bare word is the name of a type.
pub(super) fn is_type(value: &str) -> bool {
    let camel = value.starts_with(|c: char| c.is_ascii_uppercase())
        && value.bytes().any(|b| b.is_ascii_lowercase())
        && value.bytes().all(|b| b.is_ascii_alphabetic());
    let lower = value.to_ascii_lowercase();
    camel && TYPE_ENDS.iter().any(|end| lower.ends_with(end))
}

/// Whether a bare word says something of a secret rather than being one: `required`, `hashed`, `too`.
pub(super) fn is_quality(word: &str) -> bool {
    let word = bare(word).trim_matches(['!', '?', '(', ')']);
    let lower = word.to_ascii_lowercase();
    let letters = lower.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-' || b == b'\'');
    NO_VALUE.has(word)
        || QUALITIES.has(word)
        || STAND_INS.has(word)
        || TECHNIQUES.has(word)
        || (letters
            && QUALITY_ENDS.iter().any(|end| lower.len() > end.len() + 2 && lower.ends_with(end)))
        || (letters && lower.contains("n't"))
}

/// Whether a value has the look of one that was made up: digits or signs among letters.
pub(super) fn is_made_up(value: &str) -> bool {
    let value =
        bare(value).trim_end_matches(['!', '?']).trim_start_matches(['&', '!', '*', '@', '#', '?']);
    let head = &value[..value.find(|c: char| !c.is_ascii_graphic()).unwrap_or(value.len())];
    if head.len() < 4 || TECHNIQUES.has(head) || is_measure(head) {
        return false;
    }
    let digit = head.bytes().any(|b| b.is_ascii_digit());
    let letter = head.bytes().any(|b| b.is_ascii_alphabetic());
    let odd = head.bytes().any(|b| b"!@#$%^&*+=~?".contains(&b));
    let mixed = head.bytes().any(|b| b.is_ascii_uppercase())
        && head.bytes().skip(1).any(|b| b.is_ascii_uppercase())
        && head.bytes().any(|b| b.is_ascii_lowercase());
    let random = mixed && head.len() >= 12 && is_random(head);
    letter && (digit || odd) || digit && odd || random
}

/// `8-16`, `30s`, `256-bit`, `10:30`, `3.5.1`, `16bytes`, `2024-01-01`, `5th`: a quantity, a date, a version.
fn is_measure(value: &str) -> bool {
    const UNITS: &[&str] = &[
        "",
        "s",
        "ms",
        "min",
        "m",
        "h",
        "d",
        "bit",
        "bits",
        "byte",
        "bytes",
        "kb",
        "mb",
        "gb",
        "kib",
        "mib",
        "chars",
        "characters",
        "x",
        "th",
        "st",
        "nd",
        "rd",
        "days",
        "day",
        "hours",
        "hour",
        "minutes",
        "mins",
        "sec",
        "secs",
        "seconds",
        "k",
        "%",
        "px",
        "times",
        "+",
        "years",
        "digit",
        "digits",
        "char",
        "words",
        "word",
    ];
    let rest = value.trim_start_matches(['v', 'V', '<', '>', '=', '~', '±']);
    let numeric = rest.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%' || c == '+');
    let unit = rest[numeric.len()..].to_ascii_lowercase();
    let body = numeric.trim_end_matches('-');
    !body.is_empty()
        && UNITS.contains(&unit.as_str())
        && body.bytes().all(|b| b.is_ascii_digit() || b".-:/,~T".contains(&b))
        && (unit.is_empty() || body.len() <= 6)
}

/// Whether a word is without rhyme: long, of many characters, with little in it that a speaker would say.
pub(super) fn is_random(value: &str) -> bool {
    if value.len() < 12 || !value.is_ascii() || value.contains(' ') {
        return false;
    }
    let bits = entropy(value);
    let classes =
        [u8::is_ascii_digit as fn(&u8) -> bool, u8::is_ascii_uppercase, u8::is_ascii_lowercase]
            .iter()
            .filter(|class| value.bytes().any(|b| class(&b)))
            .count();
    let most = (value.len() as f64).log2();
    (classes >= 2 && bits >= 3.0 && bits / most > 0.75) || (classes == 3 && bits >= 2.9)
}

/// Bits for each character.
pub(super) fn entropy(value: &str) -> f64 {
    let mut counts = [0u32; 128];
    for b in value.bytes() {
        counts[usize::from(b & 0x7f)] += 1;
    }
    let total = value.len() as f64;
    counts.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / total).map(|p| -p * p.log2()).sum()
}

/// Whether a value is a text for people: several words, as a label or an explanation has.
pub(super) fn is_sentence(value: &str) -> bool {
    let value = bare(value);
    if !value.contains([' ', '\u{3000}']) {
        return is_japanese_sentence(value);
    }
    let words: Vec<&str> = value.split_whitespace().collect();
    let plain = words.iter().filter(|word| !is_made_up(word)).count();
    let told = words.iter().any(|word| is_quality(word));
    let digits = value.bytes().any(|b| b.is_ascii_digit());
    plain == words.len() && (told || words.len() < 4 && !digits) || (words.len() >= 5 && told)
}

/// A label or an explanation in Japanese: it has particles or verbs.
fn is_japanese_sentence(value: &str) -> bool {
    const MARKS: &[&str] = &[
        "して",
        "です",
        "ます",
        "する",
        "した",
        "ない",
        "から",
        "まで",
        "以上",
        "以下",
        "文字",
        "桁",
        "を",
        "場合",
        "必須",
        "入力",
        "確認",
        "再設定",
        "変更",
        "リセット",
        "ください",
        "パスワード",
        "は",
        "が",
        "に",
        "の",
    ];
    let wide = value.chars().filter(|c| !c.is_ascii()).count();
    wide >= 2 && MARKS.iter().any(|mark| value.contains(mark)) && !is_made_up(value)
}

/// The first word of a name that only counts or describes: a phrase of four plain words or more.
pub(super) fn is_phrase(value: &str) -> bool {
    let words: Vec<&str> =
        bare(value).split([' ', '-', ',', '_']).filter(|w| !w.is_empty()).collect();
    (4..=26).contains(&words.len())
        && words
            .iter()
            .all(|w| (3..=12).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_lowercase()))
        && words.iter().filter(|w| is_quality(w)).count() * 4 <= words.len()
        && !words
            .iter()
            .any(|w| listed("the and that this with your from must should please enter will", w))
}

/// Whether a lower-case name with a credential's word at its end refers to a secret kept elsewhere: `db-credentials`.
pub(super) fn is_reference(value: &str) -> bool {
    const ENDS: &[&str] = &[
        "secret",
        "secrets",
        "credentials",
        "credential",
        "creds",
        "token",
        "password",
        "key",
        "tls",
        "keys",
        "passwd",
        "cert",
        "pass",
        "tokens",
        "apikey",
        "auth",
        "config",
    ];
    let lower = value
        .bytes()
        .all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'_' | b'/' | b'.' | b':'));
    let separated = value.contains(['-', '_', '/']);
    lower
        && separated
        && value.rsplit(['-', '_', '/', '.', ':']).next().is_some_and(|last| ENDS.contains(&last))
}
