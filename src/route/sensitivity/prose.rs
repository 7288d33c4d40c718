//! Secrets that are told in a sentence, in English and in Japanese.
//!
//! What is told must look like a secret, or stand where only a secret can stand:
//! "the password is too short" tells none, "the password is swordfish" does.

use super::rule::{Hit, Needs, Rule};
use super::shapes::looks_like_key;
use super::value::{bare, is_made_up, is_phrase, is_placeholder, is_quality, is_random};
use super::word_list::WordList;

const TOLD: &str = "a secret is told here";
const LOGIN: &str = "a name is given with its password here";
const CODE: &str = "a number that opens something is told here";
const WORDS: &str = "the words that recover a wallet or an account stand here";

const fn told(
    id: &'static str,
    why: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { id, family: "prose", needs: Needs::Nothing, why, cues, pattern, check }
}

/// The same, where the secret must be a made-up word.
const fn made_up(
    id: &'static str,
    why: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { needs: Needs::MadeUp, ..told(id, why, cues, pattern, check) }
}

/// The same, where only a machine can have made the secret.
const fn machine(
    id: &'static str,
    why: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { needs: Needs::Machine, ..told(id, why, cues, pattern, check) }
}

/// The same, where the secret may also be a number or words with signs between them.
const fn valued(
    id: &'static str,
    why: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { needs: Needs::Value, ..told(id, why, cues, pattern, check) }
}

const CRED_CUES: &[&str] = &[
    "pass",
    "p@ss",
    "pw",
    "cred",
    "pin",
    "secret",
    "key",
    "token",
    "code",
    "combination",
    "otp",
    "psk",
    "phrase",
    "mnemonic",
    "login",
    "log in",
];
const JCRED_CUES: &[&str] = &[
    "パス",
    "番号",
    "コード",
    "キー",
    "鍵",
    "トークン",
    "シークレット",
    "合言葉",
    "合い言葉",
    "接続文字列",
    "pw",
    "フレーズ",
    "ニーモニック",
    "答え",
    "ログイン",
];

/// Secrets in sentences.
pub(super) const PROSE: &[Rule] = &[
    told(
        "told_secret",
        TOLD,
        CRED_CUES,
        r#"\b@CRED@\b(?:[ \t]+(?:for|of|to|on|in|at|into|from)(?:[^\n.:=?!]|\.[^\s]){1,60}?|[ \t]*\([^()\n]{1,40}\)|,? which (?:i|we)[^\n.]{1,30}?|[^\n.:=?!,;]{1,24}?)?[ \t]*(?:\b(?:is|was|are|equals|will be|should be|has been|got|stays|remains)\b(?:[ \t]+(?:now|currently|still|just|simply|literally|actually|only|always|also|been))?(?:[ \t]+(?:set|changed|reset|rotated|updated)(?:[ \t]+to\b)?)?|(?:changed|set|reset|updated|rotated)(?: it)?[ \t]+to\b|:|->|→|–|—)[ \t]*:?[ \t]*["'`“‘「*]{0,3}(?P<v>[^\s"'`”’」*]{3,})"#,
        is_told,
    ),
    told(
        "told_secret",
        TOLD,
        CRED_CUES,
        r#"\b(?:changed?|set|resett?(?:ing)?|updated?|rotated?|make|made|chose|picked|use|used|using|keep)\b[^\n.]{0,40}\b@CRED@\b[^\n.:]{0,40}?\b(?:to|as|is|be|from)\b[ \t]+["'`“‘]?(?P<v>[^\s"'`”’]{3,})"#,
        is_made_up_or_quoted,
    ),
    made_up(
        "told_secret",
        TOLD,
        CRED_CUES,
        r#"(?:^|[\s(])["'`“]?(?P<v>[^\s"'`“”()]{3,})["'`”]?[ \t]+(?:is|was|are|will be)[ \t]+(?:(?:still|now|currently|also|not only)[ \t]+)?(?:the|my|our|your|his|her|their|its|a|an)\b[^\n.:?]{0,50}?\b@CRED@\b"#,
        is_made_up_only,
    ),
    told(
        "told_secret",
        TOLD,
        &[
            "unlock",
            "log in",
            "login",
            "log on",
            "sign in",
            "authenticate",
            "decrypt",
            "connect",
            "get in",
            "open",
            "access",
            "enter",
        ],
        r#"\b(?:use|enter|type|try|with|say|using|punch in|key in|dial|whisper|tell them|input|send|speak|the word)[ \t]+["'`“‘]?(?P<v>[^\s"'`”’,]{4,})["'`”’]?[ \t]*,?[ \t]*(?:(?:as|for) (?:the|your|a) @CRED@[ \t]*,?[ \t]*)?(?:to|and|in order to|when (?:you|it|they)|if (?:you|it|they)|at|on|into)[ \t]+(?:(?:need|want|ask|asks|prompts?|must|have)[^\n.]{0,20}?)?(?:unlock|log[ -]?(?:in|on)|sign[ -]?(?:in|on)|authenticate|decrypt|get in|open the|gain access|access the|be let in|the keypad|the door|the gate)"#,
        is_key_word,
    ),
    made_up(
        "told_secret",
        TOLD,
        CRED_CUES,
        r#"\b(?:use|enter|type|try|with|say|using|via|by|it's|its|given|provide|supply|and)[ \t]+["'`“‘]?(?P<v>[^\s"'`”’,]{4,})["'`”’]?[ \t]+(?:as|for|is)[ \t]+(?:the|your|a|an|our|its|my|their|his|her)?[ \t]*(?:[a-z-]{2,15}[ \t]+){0,3}?@CRED@\b"#,
        is_made_up_only,
    ),
    made_up(
        "told_secret",
        TOLD,
        CRED_CUES,
        r#"\b@CRED@s?\b[ \t]*[:=,]?[ \t]*(?:of|being|like|i\.e\.|namely|called|\()[ \t]*["'`“‘]?(?P<v>[^\s"'`”’()]{4,})"#,
        is_made_up_only,
    ),
    made_up(
        "told_secret",
        TOLD,
        CRED_CUES,
        r#"\b(?:pass[ -]?(?:word|phrase|code|wd)|pwd?|pin(?: code| number)?|pass|(?:api|access|secret|licen[cs]e|auth|product|activation|encryption|private) key|(?:api|access|auth|bot|bearer|login) token|passkey)s?[ \t]+["'`“‘(]?(?P<v>[^\s"'`”’()]{4,})"#,
        is_beside,
    ),
    told(
        "told_secret",
        TOLD,
        CRED_CUES,
        r#"\b@CRED@[ \t]+(?:for|of|to|on|in|at|into|from)[ \t](?:[^\n.:=?!]|\.[^\s]){1,60}?[ \t]*=[ \t]*["'`“]?(?P<v>[^\s"'`”]{4,200})"#,
        is_told,
    ),
    machine(
        "told_near",
        TOLD,
        CRED_CUES,
        r#"\b(?:keys?|tokens?|secrets?|credentials?|creds|pass(?:word|phrase|code|wd)s?|pwd|signing|webhook|bearer|auth)\b[^\n]{0,70}?(?:^|[\s"'`“(\[{:=,])(?P<v>[A-Za-z0-9_+/.~!@#$%^&*=-]{10,})"#,
        is_near,
    ),
    machine(
        "told_near",
        TOLD,
        CRED_CUES,
        r#"(?:^|[\s"'`“(])(?P<v>[A-Za-z0-9_+/.~-]{20,}=*)["'`”)]?[ \t,.:;]{0,3}(?:\b[\w']{1,12}\b[ ,]{1,2}){0,4}?\b(?:api key|access key|secret key|keys?|tokens?|secrets?|credentials?|password)\b"#,
        is_near,
    ),
    valued(
        "told_below",
        TOLD,
        CRED_CUES,
        r#"\b(?:pass[ -]?(?:word|phrase|code|wd)|pwd?|pin(?: code| number)?|(?:api|access|secret|licen[cs]e|auth|product|activation|encryption|private|recovery) key|(?:access|auth|api|bot)? ?token|credentials?|secret|code)s?\b[^\n]*\n[\s>*-]{0,8}(?:(?:it'?s?|it is|that's|that is|i set it to|it was|we use|use|try|here:?|sure[,:]?|=>|->)[ \t]+)?(?:(?:it|this)[ ]?(?:is|'s)[ ])?["'`“]?(?P<v>[^\s"'`”]{4,120}?)["'`”]?[.!]?(?:[ \t]*(?:です|でした|になります|だよ|。)[^\n]{0,12})?[ \t]*(?:\n|$)"#,
        is_below,
    ),
    valued(
        "told_below",
        TOLD,
        JCRED_CUES,
        r#"@JCRED@[^\n]*\n\s{0,6}(?:(?:it'?s|it is|that's|that is|i set it to|it was|we use|use|try|here:?|sure[,:]?)[ \t]+)?(?:(?:it|this)[ ](?:is|was)[ ])?[「『"]?(?P<v>[!-~]{4,120}?)[」』"]?(?:[ \t]*(?:です|でした|になります|だよ|。)[^\n]{0,12})?[ \t]*(?:\n|$)"#,
        is_below,
    ),
    told(
        "told_login",
        LOGIN,
        &[
            "log",
            "sign",
            "connect",
            "authenticate",
            "ssh",
            "rdp",
            "vpn",
            "account",
            "user",
            "ftp",
            "telnet",
            "portal",
            "console",
            "mailbox",
            "credential",
        ],
        r#"\b(?:log(?:s|ged|ging)?[ -]?(?:in|on|into|onto|back in)(?: to| at| on)?|sign(?:ed|ing)?[ -]?(?:in|on|into)|connect(?:s|ed|ing)?|authenticat(?:e|es|ed|ing)|ssh(?: in| into)?|rdp(?: in| into)?|get(?:ting)? in(?:to)?|account|credentials?)\b[^\n]{0,60}?\b(?:as|with|using|user|username|account|under)[ \t]+[^\s]{2,60}(?:[ \t]+(?:and|with|using|plus|w/|pw|pass|/|the|password|passphrase|,|:|\+)){1,4}[ \t]+["'`“‘]?(?P<v>[^\s"'`”’]{3,})"#,
        is_made_up_or_quoted,
    ),
    told(
        "told_login",
        LOGIN,
        &["log", "sign", "cred", "account", "user", "admin", "root"],
        r#"\b(?:creds?|credentials?|log ?in|login(?:s| details| info| data)?|sign[ -]?in|account|user(?:name)?(?: and |[/ &+]+)(?:pass(?:word)?|pw|pwd)|auth|access|admin|root|uid/pw|u/p|admin login)\b[^\n:=]{0,40}?(?:[:=]|\bare\b|\bis\b|[ \t])[ \t]*["'`“]?(?P<u>[\w.@+\\-]{2,60})["'`”]?[ \t]*(?:/|\||\\|[ \t]and[ \t]|[ \t]+-[ \t]+|:|[ \t],[ \t]|,[ \t])[ \t]*["'`“]?(?P<v>[^\s"'`”/,|]{3,60})"#,
        is_login_pair,
    ),
    told(
        "told_login",
        LOGIN,
        &[
            "user", "login", "uid", "u=", "id:", "id=", "id :", "account", "email", "e-mail",
            "name:",
        ],
        r#"\b(?:user(?:[ _-]?(?:name|id))?|login|uid|u|id|account|e-?mail|name)\b[ \t]*[:=][ \t]*["'`]?[^\s"'`,;|]+["'`]?[ \t]*[,;|/\n·•&+-]?[ \t\r\n*•>|-]{0,8}(?:and[ \t]+)?["'`*]{0,2}(?:pass(?:word|wd|phrase|code)?|pwd?|pin|secret|p)\b["'`*]{0,3}[ \t]*[:=][ \t]*["'`]?(?P<v>[^\s"'`,;|]{3,})"#,
        |hit| !is_placeholder(hit.value()) && !is_quality(hit.value()) && !is_place(hit.value()),
    ),
    told(
        "told_login",
        LOGIN,
        &["username", "user name", "user "],
        r#"\b(?:user ?name|user|login)[ \t]+["'`“]?[\w.@+-]{2,60}["'`”]?[ \t]*,?[ \t]+(?:and[ \t]+)?(?:the[ \t]+)?(?:pass(?:word|phrase|code)?|pwd?)[ \t]+["'`“]?(?P<v>[^\s"'`”,]{3,60})"#,
        |hit| !is_quality(hit.value()) && !is_placeholder(hit.value()),
    ),
    told(
        "told_code",
        CODE,
        &["pin", "code", "combination", "keypad", "lockbox", "safe", "extension"],
        r"\b(?:pins?|(?:access|security|door|gate|alarm|entry|lock|safe|vault|unlock|recovery|backup|verification|login|auth\w*|one[- ]?time|keypad|garage|lockbox|2fa|mfa|otp|building|office|front door|server room|disarm|bike lock|luggage|sim|puk|card|atm|debit card|voicemail|conference|meeting|host|room|badge|cabinet|locker|safe)(?:'s)?[ _-]?(?:pin|code|combination|combo|number|passcode)|passcode|combination|combo|puk)\b(?:[ \t]+(?:for|of|to|on)[^\n.:;]{1,50}?)?[^\n.;?0-9]{0,24}?(?:[:=]|\bis\b|\bare\b|\bto\b|\bwas\b|->|[ \t])[ \t]*\(?[`'*]{0,2}(?P<v>#?\d(?:[ -]?\d){2,9}[#*]?)(?:[^\d\w.-]|[.-](?:[^\d]|$)|$)",
        is_code,
    ),
    told(
        "told_code",
        CODE,
        &["one-time", "otp", "2fa", "mfa", "verification", "code"],
        r"\b(?P<v>\d{3}[ -]?\d{3}|\d{4,8})\b[ \t]+(?:is|as)[ \t]+(?:your|my|the|our)[ \t]+(?:[\w-]{2,20}[ \t]+){0,4}?(?:code|otp|pin|passcode|password)\b",
        is_code,
    ),
    told(
        "told_code",
        CODE,
        &["combination", "dial", "safe", "right", "locker", "padlock"],
        r"\b(?:safe|locker|padlock|vault|lock|combination|combo)\b[^\n]{0,60}?\b(?P<v>(?:\d{1,2}[ -]{1,3}\d{1,2}[ -]{1,3}\d{1,2}(?:[ -]{1,3}\d{1,2})?|\d{1,2}[ ,]*(?:left|right|L|R)[ ,-]+\d{1,2}[ ,]*(?:left|right|L|R)[ ,-]+\d{1,2}|(?:left|right)[ ]+\d{1,2}[ ,]+(?:left|right)[ ]+\d{1,2}[^\n]{0,24}\d{1,2}))\b",
        |hit| !hit.value().starts_with("20") && !hit.value().starts_with("19"),
    ),
    told(
        "told_code_ja",
        CODE,
        &["金庫", "ダイヤル", "右に", "左に", "右へ", "ロッカー", "南京錠"],
        r"(?:金庫|ダイヤル|ロッカー|南京錠|番号|鍵)[^\n]{0,30}?(?P<v>(?:[右左](?:に|へ)?[ ]?\d{1,3}[^\d\n]{0,8}){2,5}|\d{1,3}[- ]?[右左][^\n]{0,4}\d{1,3}[^\n]{0,12}|ダイヤル[はが]?[ ]?\d{3,8}(?:で|に))",
        |hit| {
            hit.value().bytes().any(|b| b.is_ascii_digit()) && !hit.before(12).ends_with("フリー")
        },
    ),
    told(
        "code_list",
        CODE,
        &["code", "コード"],
        r"\b(?:recovery|backup|rescue|scratch|emergency|one[- ]time|2fa|mfa|single[- ]use)[ _-]?codes?\b[^\n]*[:\n][\s\d.)*•-]{0,12}(?P<v>[A-Z0-9]{4,10}(?:[ -][A-Z0-9]{4,10}){0,3}(?:[\s,;|\d.)*•-]{1,8}[A-Z0-9]{4,10}(?:[ -][A-Z0-9]{4,10}){0,3}){1,15})",
        has_digits,
    ),
    told(
        "code_list",
        CODE,
        &["コード"],
        r"(?:リカバリーコード|リカバリコード|バックアップコード|復旧コード|回復コード|予備コード|復元コード|緊急コード)[^\n]{0,40}[:\nは][\s\d.)*・-]{0,12}(?P<v>[A-Z0-9]{4,10}(?:[ -][A-Z0-9]{4,10}){0,3})",
        has_digits,
    ),
    told(
        "totp_seed",
        TOLD,
        &[
            "otpauth://",
            "totp",
            "otp",
            "2fa",
            "authenticator",
            "mfa",
            "認証アプリ",
            "シード",
            "二段階",
            "2段階",
            "ワンタイム",
            "二要素",
            "多要素",
        ],
        r"(?:otpauth://[^\s]*secret=(?P<v>[A-Z2-7]{8,})|(?:totp|otp|2fa|mfa|authenticator|二段階|2段階|ワンタイム|二要素|多要素|セットアップキー|認証アプリ)[^\n]{0,60}?(?-u:\b)(?-i:[A-Z2-7]{4}(?:[ -]?[A-Z2-7]{4}){3,15})(?-u:\b))",
        |hit| {
            hit.value().bytes().any(|b| (b'2'..=b'7').contains(&b)) && !is_placeholder(hit.value())
        },
    ),
    told(
        "seed_phrase",
        WORDS,
        &[
            "seed",
            "mnemonic",
            "recovery",
            "wallet",
            "bip39",
            "bip-39",
            "phrase",
            "ニーモニック",
            "フレーズ",
            "復元",
            "シード",
            "ウォレット",
            "metamask",
            "ledger",
            "trezor",
        ],
        r"(?:seed|mnemonic|recovery|secret|wallet|backup|bip-?39|12[- ]word|24[- ]word|phrase|words|ニーモニック|フレーズ|復元|シード|ウォレット|metamask|ledger|trezor)[^\n]*?(?:[:=\n(\x22'`。]|\bis\b|は|\bphrase\b|フレーズ|です)[\s\x22'`「(*]{0,8}(?P<v>(?:\d{1,2}[.) ]{1,3})?[a-z]{3,8}(?:[\s,-]{1,3}(?:\d{1,2}[.) ]{1,3})?[a-z]{3,8}){11,35})(?-u:\b)",
        is_seed,
    ),
    told(
        "secret_answer",
        TOLD,
        &[
            "maiden",
            "security question",
            "security answer",
            "secret answer",
            "秘密の質問",
            "秘密の答え",
            "旧姓",
        ],
        r"(?:mother'?s maiden name|security (?:question|answer)|secret answer|秘密の質問|秘密の答え)[^\n]*?(?:\bis\b|[:=]|answer(?:ed)?|→|答えは|は)[ \t]*[\x22'「]?(?P<v>[A-Z\p{Han}\p{Katakana}\p{Hiragana}][^\s\x22'」。]{1,30})",
        |hit| {
            !is_quality(hit.value())
                && !is_placeholder(hit.value())
                && hit.matched().contains(['"', ':', '=', '「', '→'])
        },
    ),
    made_up(
        "told_reset",
        TOLD,
        &["reset", "changed it", "set it"],
        r#"\b(?:reset(?:ted)?|changed|set) (?:it|hers|his|theirs|her account|his account|the account|the login)[ ]to[ ]["'`“]?(?P<v>[^\s"'`”,]{8,40})"#,
        |hit| {
            let value = bare(hit.value());
            let digits = value.bytes().filter(u8::is_ascii_digit).count();
            is_made_up_only(hit) && digits >= 2 && digits + 4 < value.len()
        },
    ),
    made_up(
        "told_reset",
        TOLD,
        &["パス", "ログイン", "root", "admin"],
        r"(?:パス(?:ワード)?(?:を)?(?:変え|変更し|リセットし|直し)(?:ました|た|てあり)[。、\s]{0,3}|(?:admin|root|管理者|ユーザー?名?)[^\n。!-~]{0,14}?[ ]?(?:と|は|/|の方は[^\n。!-~]{0,14}?)[ ]?)(?P<v>[!-~]{6,40}?)[ ]?(?:です|で(?:[。\s]|$)|に(?:し|変|設定)|だ)",
        is_made_up_ja,
    ),
    told(
        "spelled_code",
        CODE,
        &["code", "pin", "alarm", "combination", "keypad", "safe", "padlock"],
        concat!(
            r"\b(?:(?:pass|key)?code|pin|alarm|combination|keypad|safe|padlock)\b[^\n.!?]{0,30}?(?:[:=,]|\bis\b|\bwants\b|\bto\b)[ ]*(?P<v>(?:zero|oh|nought|one|two|three|four|five|six|seven|eight|nine|double)",
            r"(?:[ ,-]+(?:then[ ]|and[ ])?(?:zero|oh|nought|one|two|three|four|five|six|seven|eight|nine|double|hash|star)\b){3,})",
        ),
        |_| true,
    ),
    told(
        "spelled_password",
        TOLD,
        &["pass", "pw", "wifi", "wi-fi", "login", "code", "key", "spell"],
        r"\b(?:pass(?:word|phrase|code)?|pw|wi-?fi|login|code|key|spell\w*)\b[^\n]{0,40}?(?P<v>(?:@SPELT@[ ,-]{1,2}){4,})",
        |_| true,
    ),
    told(
        "spelled_password",
        TOLD,
        &["capital", "uppercase", "upper case", "alfa", "kilo", "x-ray", "xray", "zulu", "yankee"],
        r"(?P<v>(?:@SPELT@[ ,-]{1,2}){9,}@SPELT@)\b",
        |hit| is_spelt_mixed(hit.value()),
    ),
    told(
        "spelled_password_ja",
        TOLD,
        &[
            "エー",
            "ビー",
            "シー",
            "エス",
            "ティー",
            "エックス",
            "エイ",
            "大文字",
            "小文字",
            "アンダー",
            "ハイフン",
        ],
        concat!(
            r"(?P<v>(?:(?:大文字|小文字|おおもじ|こもじ|数字)?の?(?:エー|エイ|ビー|シー|ディー|イー|エフ|ジー|エイチ|エッチ|アイ|ジェー|ジェイ|ケー|ケイ|エル|エム|エヌ|オー|ピー|キュー|アール|エス|ティー|ユー|ブイ|ダブリュー|エックス|ワイ|ゼット|ゼロ|いち|イチ|に|ニ|さん|サン|よん|ヨン|ご|ゴ|ろく|ロク|なな|ナナ|はち|ハチ|きゅう|キュウ|アンダーバー|アンダースコア|ハイフン|シャープ|アットマーク|ドット|スラッシュ|エクスクラメーション|びっくりマーク|\d|[A-Z])",
            r"[、・ ,。/-]{1,2}){5,})",
        ),
        |hit| hit.value().matches('ー').count() + hit.value().matches("エ").count() >= 2,
    ),
    made_up(
        "told_secret_ja",
        TOLD,
        &[
            "pasuwa",
            "paswa",
            "anshou",
            "ansho",
            "aikotoba",
            "himitsu",
            "bangou",
            "ぱすわ",
            "あんしょう",
            "あいことば",
        ],
        r"(?:pasuwa+do|paswa+do|anshou?[ -]?(?:bangou?|ko+do)|aikotoba|himitsu no (?:kagi|kotoba)|ぱすわーど|ぱすわーと|あんしょうばんごう|あいことば)[ 、]{0,2}(?:wa|ha|ga|は|が|:|=)[ :「]{0,3}(?P<v>[!-~]{4,60})",
        |hit| is_made_up(bare(hit.value())) && !is_placeholder(hit.value()),
    ),
    told(
        "spelled_code_ja",
        CODE,
        &["番号", "暗証", "コード", "ダイヤル", "金庫"],
        r"(?:暗証(?:番号)?|解錠番号|解除番号|ダイヤル|金庫|コード)[^\n。]{0,10}?[はがを:][ 「]*(?P<v>[〇零一二三四五六七八九]{4,8}|(?:(?:ゼロ|零|れい|まる|いち|に|さん|よん|し|ご|ろく|なな|しち|はち|きゅう|きゅー|く)[、・ ,]{1,2}){3,})(?:[^\p{Han}]|$)",
        |_| true,
    ),
    told(
        "told_code_ja",
        CODE,
        &[
            "テンキー",
            "キーパッド",
            "電子錠",
            "ボタン錠",
            "オートロック",
            "警備",
            "セコム",
            "アラーム",
            "キーボックス",
        ],
        r"(?:テンキー|キーパッド|電子錠|ボタン錠|オートロック|警備|セコム|アルソック|アラーム|キーボックス)[^\n。0-9]{0,16}?(?P<v>[#*]?\d{3,8}[#*]?)(?:を|と|で|→|の後|のあと)[^\n。]{0,6}?(?:押|入力|打|入れ|回|解除|開)",
        is_code,
    ),
    told(
        "told_file",
        TOLD,
        &["の中身", "の内容", "contents of", "contains", "content of"],
        concat!(
            r"(?:(?:pass|passwd|secret|token|key|cred\w*)[\w-]{0,10}(?:\.[a-z]{2,4})?[ ]?(?:の中身|の内容)(?:は|が)[ :「『`]{0,3}(?P<v>[!-~]{8,80})",
            r"|(?:pass|passwd|secret|token|key|cred\w*)[\w-]{0,10}\.[a-z]{2,4}[`'\x22]?[ ](?:only |just )?(?:contains|is|are)[ :]{1,2}[`'\x22]?(?P<w>[!-~]{8,80}))",
        ),
        is_in_file,
    ),
    told(
        "told_code",
        CODE,
        &["dial"],
        r"\bdial(?:s|led)?\b[^\n]{0,30}?\b(?:left|right)[ ]to[ ](?P<v>\d{1,2}\b[^\n]{0,40}?\b(?:left|right)[ ]to[ ]\d{1,2})",
        |_| true,
    ),
    // Japanese.
    told(
        "told_secret_ja",
        TOLD,
        JCRED_CUES,
        r"@JCRED@(?:[(（\[][^)）\]\n]{1,24}[)）\]])?[ \t]*(?:は|が|を|も|として|には|:|=|→|⇒|[|]|-|,)?[ \t]*(?:下記|以下|次)?(?:の通り|の)?(?:で|です)?[ \t:、]*[「『“\x22'`*【(]{0,2}(?P<v>[!-~]{4,}?)(?:[」』”\x22'`*】)]|[^!-~]|$)",
        is_told_ja,
    ),
    made_up(
        "told_secret_ja",
        TOLD,
        JCRED_CUES,
        r"(?:^|[^!-~])[「『“\x22'`]?(?P<v>[!-~]{4,}?)[」』”\x22'`]?[ \t]*(?:が|という|は|を|って|を使った|で|に)[^\n。!-~]{0,16}?@JCRED@",
        is_made_up_ja,
    ),
    told(
        "told_secret_ja",
        TOLD,
        JCRED_CUES,
        r"@JCRED@[^\n。!-~「]{0,24}[「『“\x22](?P<v>[^」』”\x22\n]{3,60})[」』”\x22]",
        is_quoted_ja,
    ),
    made_up(
        "told_secret_ja",
        TOLD,
        JCRED_CUES,
        r"@JCRED@[^\n。!-~]{1,30}?(?P<v>[!-~]{4,}?)(?:[^!-~]|$)",
        is_strong_ja,
    ),
    told(
        "told_secret_ja",
        TOLD,
        &["合言葉", "合い言葉"],
        r"合い?言葉(?:は|が|を|:|=)[ \t]*[「『“\x22]?(?P<v>[^」』”\x22\n。、\s]{2,24}?)[」』”\x22]?(?:です|だ|に(?:し|設定|変更)|。|、|と(?:言|伝)|で(?:入|通)|$)",
        |hit| {
            !["何", "必要", "不要", "なに", "以下", "設定", "変更", "使"]
                .iter()
                .any(|w| hit.value().contains(w))
        },
    ),
    told(
        "told_code_ja",
        CODE,
        &[
            "番号",
            "コード",
            "暗証",
            "pin",
            "ピン",
            "金庫",
            "ダイヤル",
            "キーボックス",
            "オートロック",
            "鍵",
            "パスコード",
            "ロック",
        ],
        r"(?:暗証番号|暗証コード|暗証|PIN(?:コード|番号)?|ピン(?:コード|番号)|パスコード|(?:認証|確認|解錠|開錠|解除|入館|入室|ロック|セキュリティ|ドア|金庫|ダイヤル|警備|アラーム|オートロック|キーボックス|郵便受け|ポスト|宅配ボックス|ロッカー|玄関|倉庫|裏口|会議|アクセス|郵便|ワンタイム|承認|SMS)[^\n。0-9]{0,8}?(?:コード|番号|ナンバー|パスワード)|金庫|キーボックス|オートロック|ダイヤル)[^\n。0-9]{0,20}?(?:は|が|を|:|=|→|[ 　「])[ \t「『“]*(?P<v>[#*]?\d(?:[ -]?\d){2,9}[#*]?)(?:[^\d桁文字回分日時年月円個件人台階:.％%]|$)",
        is_code,
    ),
    told(
        "told_login_ja",
        LOGIN,
        &["id", "ユーザ", "アカウント", "ログイン", "メール"],
        r#"(?:ID|ユーザー?(?:名|ID)?|アカウント(?:名)?|ログイン(?:ID|名|情報|ユーザー)?|メールアドレス|メール|アドレス)[ \t]*(?:は|:|=|が|/|,|・|[ \t])[ \t「『"]*[\w.@+-]{2,60}[」』"]?[ \t]*(?:[,、/|・&+。\n-]|で|、|と|です)[ \t。、\n・*-]*(?:(?:初期|仮|共通)?パス(?:ワード|コード|フレーズ)?|P[Ww]|pwd?|password|pass|暗証番号)[ \t]*(?:は|:|=|が|/|[ \t])[ \t「『"]*(?P<v>[!-~]{3,}?)(?:[」』"。、\s]|[^!-~]|$)"#,
        |hit| !is_placeholder(hit.value()) && !is_quality(hit.value()),
    ),
    made_up(
        "told_login_ja",
        LOGIN,
        &["ログイン", "サインイン", "接続", "入れ", "入り", "開", "解除", "解錠", "認証"],
        r#"(?:^|[^!-~])[「『"]?(?P<v>[!-~]{4,60}?)[」』"]?[ \t]*(?:で|を入力して|を入れて|と入力して|を使って|と打って|を使い)[^\n。!-~]{0,16}?(?:ログイン|サインイン|入れ(?:る|ます)|入り(?:ます|ました)|開(?:く|き|け|錠)|解除|解錠|ロック解除|認証|復号)"#,
        is_made_up_ja,
    ),
    told(
        "told_login_ja",
        LOGIN,
        &["ログイン", "認証情報", "アカウント", "id/pw", "id/パス", "id・", "idと"],
        r#"(?:ログイン情報|認証情報|アカウント(?:情報)?|ID[/・と&、] ?(?:PW|パスワード|パス|Pass|password)|ログイン)[^\n:=は]{0,20}(?:は|:|=)[ \t「]*(?P<u>[\w.@+-]{2,60})[ \t]*(?:/|と|、|,|:|\||／|・)[ \t]*(?P<v>[!-~]{3,60}?)(?:[^!-~]|$)"#,
        is_login_pair,
    ),
];

/// Whether what a sentence gives is a secret: made up, or a lone word where only a secret can stand.
fn is_told(hit: &Hit<'_>) -> bool {
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
fn is_near(hit: &Hit<'_>) -> bool {
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
fn is_kebab(value: &str) -> bool {
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

/// Whether a line that stands below a credential's name is its value.
fn is_below(hit: &Hit<'_>) -> bool {
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
fn is_spelt_mixed(spelt: &str) -> bool {
    const DIGITS: &[&str] =
        &["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let lower = spelt.to_lowercase();
    let words: Vec<&str> = lower.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let digits = words.iter().filter(|word| DIGITS.contains(word)).count();
    digits >= 2 && words.len() - digits >= 4
}

fn after_line(hit: &Hit<'_>) -> usize {
    let after = hit.after(200);
    after.find(['\n', '.', '"', '`', '”']).unwrap_or(after.len())
}

fn is_plain_word(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

fn is_place(word: &str) -> bool {
    word.contains("://") && !word.contains('@')
        || word.starts_with(['/', '~']) && word[1..].contains('/')
}

/// `user.id2`, `f(x)`, `v1/users`, `3.2.1`: program text that has digits in it.
fn is_code_like(word: &str) -> bool {
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
fn is_identifier(word: &str) -> bool {
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let tail = word.len() - stem.len();
    stem.contains(['_', '.'])
        && tail <= 1
        && stem.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'.'))
}

fn is_made_up_or_quoted(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    let before = hit.text[..hit.at.start].chars().next_back().unwrap_or(' ');
    let quoted =
        matches!(before, '"' | '\'' | '`' | '“' | '‘') && value.len() >= 4 && !value.contains(' ');
    !is_placeholder(value)
        && !is_quality(value)
        && !is_place(value)
        && (quoted && is_plain_word(value) || is_made_up(value) && !is_code_like(value))
}

fn is_made_up_only(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    is_made_up(value)
        && value.len() >= 6
        && !is_placeholder(value)
        && !is_code_like(value)
        && !is_place(value)
        && !value.contains(['(', '{'])
}

/// A word that opens something: made up, or rare enough to be no object of the sentence.
fn is_key_word(hit: &Hit<'_>) -> bool {
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
fn is_in_file(hit: &Hit<'_>) -> bool {
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

fn is_beside(hit: &Hit<'_>) -> bool {
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

fn is_login_pair(hit: &Hit<'_>) -> bool {
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

fn is_code(hit: &Hit<'_>) -> bool {
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

fn words_end(text: &str, most: usize) -> usize {
    crate::base::words::boundary(text, most)
}

fn is_year(value: &str, around: &str) -> bool {
    value.len() == 4
        && (value.starts_with("20") || value.starts_with("19"))
        && (around.contains(" in ") || around.contains(" of "))
}

fn has_digits(hit: &Hit<'_>) -> bool {
    let value = hit.value();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    digits >= 3 && !is_placeholder(value)
}

fn is_seed(hit: &Hit<'_>) -> bool {
    static PROSE_WORDS: WordList = WordList::new(
        "the and that this with your from must should please will have has was were are not you can into for its they them then when which what how why use using each every about",
    );
    let words: Vec<&str> =
        hit.value().split(|c: char| !c.is_ascii_alphabetic()).filter(|w| !w.is_empty()).collect();
    let listed = words.iter().take_while(|word| !PROSE_WORDS.has(word)).count();
    let same = words[..listed].iter().filter(|w| **w == words[0]).count();
    listed >= 12 && same * 2 < listed
}

fn is_told_ja(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    let matched = hit.matched();
    let given = ["は", "が", "を", "として", ":", "=", "→", "⇒", "|", "「", "『", " "]
        .iter()
        .any(|sign| matched.contains(sign));
    let beside = matched.contains(['、', '(']) && is_made_up(value) && {
        let digits = value.bytes().filter(u8::is_ascii_digit).count();
        let signs = value.bytes().any(|b| b"!#$%^&*@+~-_.".contains(&b));
        value.len() >= 8 && digits >= 2 && (signs || digits + 2 < value.len())
    };
    let given = given || beside;
    let digits = value.len() >= 4 && value.bytes().all(|b| b.is_ascii_digit());
    let behind = &hit.text[hit.at.end..];
    let unit = [
        "文字",
        "桁",
        "回",
        "分",
        "日",
        "時間",
        "秒",
        "年",
        "以上",
        "以下",
        "ビット",
        "バイト",
        "件",
        "個",
        "円",
    ]
    .iter()
    .any(|u| behind.starts_with(u));
    let word = is_plain_word(value)
        && value.bytes().any(|b| b.is_ascii_alphabetic())
        && value.len() >= 5
        && [
            "です",
            "だ",
            "」",
            "』",
            "に変更",
            "に設定",
            "になり",
            "にし",
            "でログイン",
            "で入",
            "でお願い",
        ]
        .iter()
        .any(|end| behind.starts_with(end));
    let chosen = matched.contains("パス")
        || matched.to_lowercase().starts_with("pw")
        || matched.contains("合言葉");
    given
        && !unit
        && !is_placeholder(value)
        && !is_quality(value)
        && !is_place(value)
        && !is_technique(value)
        && (is_made_up(value) && !is_code_like(value)
            || (digits && chosen)
            || (chosen && word && !is_tool(value)))
}

fn is_made_up_ja(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    // `livenessProbe` is a name in a program, and パス is a path there.
    let is_name = value.bytes().all(|b| b.is_ascii_alphabetic());
    value.len() >= 6
        && is_made_up(value)
        && !is_name
        && !is_placeholder(value)
        && !is_code_like(value)
        && !is_technique(value)
        && !is_place(value)
}

fn is_quoted_ja(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    const SAYS: &[&str] = &[
        "忘れ",
        "リセット",
        "再設定",
        "変更",
        "入力",
        "必須",
        "設定",
        "確認",
        "表示",
        "パスワード",
        "エラー",
        "ください",
        "ません",
        "です",
        "ボタン",
        "画面",
        "機能",
        "以上",
        "違",
        "一致",
        "無効",
        "期限",
        "トークン",
        "キー",
        "コード",
        "番号",
        "とは",
        "管理",
        "ログイン",
        "secret",
        "password",
        "token",
        "reset",
        "forgot",
    ];
    !SAYS.iter().any(|part| value.to_lowercase().contains(part))
        && !is_placeholder(value)
        && !is_quality(value)
        && !value.contains(' ')
        && (is_made_up(value)
            || (value.chars().count() <= 16
                && hit.matched().contains("は")
                && ["です", "だ", "に", "。", "で"]
                    .iter()
                    .any(|end| hit.after(9).starts_with(end))))
}

fn is_strong_ja(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value());
    value.len() >= 7
        && is_made_up(value)
        && super::value::entropy(value) > 2.5
        && !is_placeholder(value)
        && !is_code_like(value)
        && !is_technique(value)
        && !is_place(value)
        && !value.contains(['(', '@', '/', '='])
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().filter(|b| *b == b'-').count() < 3
}

fn is_technique(value: &str) -> bool {
    const PARTS: &[&str] = &[
        "sha-", "sha2", "sha5", "aes", "hmac", "bcrypt", "argon", "rsa-", "pbkdf", "oauth",
        "openid", "base64", "utf-8", "rfc", "http/", "nist", "iso", "tls1", "p-256", "ed25519",
        "cve-", "sp800", "sp 800",
    ];
    let lower = value.to_lowercase();
    PARTS.iter().any(|part| lower.starts_with(part))
}

fn is_tool(value: &str) -> bool {
    static TOOLS: WordList = WordList::new(
        "redis vault bcrypt argon2 cookie cookies session localstorage github gitlab secrets manager keychain jwt base64 json yaml env .env header url hash salt \
        string null undefined number boolean admin user users keycloak auth0 cognito firebase supabase django rails laravel spring devise postgres postgresql mysql mongodb dynamodb s3 kms \
        memory database bearer https oauth openid saml ldap totp email sms 1password bitwarden lastpass keepass dashlane",
    );
    TOOLS.has(value)
}

#[cfg(test)]
mod tests {
    use super::super::rules::finds;
    use super::*;

    fn found(text: &str) -> bool {
        finds(PROSE, text)
    }

    #[test]
    fn what_is_spelt_out_keyed_in_or_kept_in_a_file_is_found() {
        let word = format!("T6qoC{}rCTYb{}nhnWOA", 3, 6);
        for text in [
            "the gate code is four, nine, zero, two, then hash".to_owned(),
            "wifi: capital t tango lima seven underscore nine".to_owned(),
            "暗証番号は「四九〇二七」です".to_owned(),
            "倉庫のテンキー、69069を押してから鍵マークです".to_owned(),
            format!("vault_pass.txtの中身は {word} の一行だけです"),
        ] {
            assert!(found(&text), "{text}");
        }
    }

    #[test]
    fn counting_and_names_of_programs_are_not() {
        for text in [
            "The pin has two or three legs.",
            "Write code for one, two and three players",
            "readinessProbeとlivenessProbeを同じパスにすると何が困る",
            "テンキー付きのキーボードで3段の配列",
            "config.txtの中身は空です",
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
