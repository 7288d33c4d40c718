//! Secrets that are told in a sentence, in English and in Japanese.
//!
//! What is told must look like a secret, or stand where only a secret can stand:
//! "the password is too short" tells none, "the password is swordfish" does.

use super::rule::{Hit, Needs, Rule};
use super::told::{
    has_digits, is_below, is_beside, is_code, is_in_file, is_key_word, is_login_pair,
    is_made_up_only, is_made_up_or_quoted, is_near, is_place, is_seed, is_spelt_mixed, is_told,
};
use super::value::{bare, is_placeholder, is_quality};

pub(super) const TOLD: &str = "a secret is told here";
pub(super) const LOGIN: &str = "a name is given with its password here";
pub(super) const CODE: &str = "a number that opens something is told here";
const WORDS: &str = "the words that recover a wallet or an account stand here";

pub(super) const fn told(
    id: &'static str,
    why: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { id, family: "prose", needs: Needs::Nothing, why, cues, pattern, check }
}

/// The same, where the secret must be a made-up word.
pub(super) const fn made_up(
    id: &'static str,
    why: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { needs: Needs::MadeUp, ..told(id, why, cues, pattern, check) }
}

/// The same, where only a machine can have made the secret.
pub(super) const fn machine(
    id: &'static str,
    why: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { needs: Needs::Machine, ..told(id, why, cues, pattern, check) }
}

/// The same, where the secret may also be a number or words with signs between them.
pub(super) const fn valued(
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
        r#"\b(?:pass[ -]?(?:word|phrase|code|wd)|pwd?|pin(?: code| number)?|(?:api|access|secret|licen[cs]e|auth|product|activation|encryption|private|recovery) key|(?:(?:access|auth|api|bot) ?)?token|credentials?|secret|code)s?\b[^\n]*\n[\s>*-]{0,8}(?:(?:it'?s?|it is|that's|that is|i set it to|it was|we use|use|try|here:?|sure[,:]?|=>|->)[ \t]+)?(?:(?:it|this)[ ]?(?:is|'s)[ ])?["'`“]?(?P<v>[^\s"'`”]{4,}?)["'`”]?[.!]?(?:[ \t]*(?:です|でした|になります|だよ|。)[^\n]{0,12})?[ \t]*(?:\n|$)"#,
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
        "code_list",
        CODE,
        &["code", "コード"],
        r"\b(?:recovery|backup|rescue|scratch|emergency|one[- ]time|2fa|mfa|single[- ]use)[ _-]?codes?\b[^\n]*[:\n][\s\d.)*•-]{0,12}(?P<v>[A-Z0-9]{4,10}(?:[ -][A-Z0-9]{4,10}){0,3}(?:[\s,;|\d.)*•-]{1,8}[A-Z0-9]{4,10}(?:[ -][A-Z0-9]{4,10}){0,3}){1,15})",
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
];

#[cfg(test)]
mod tests {
    use super::super::prose_ja::PROSE_JA;
    use super::super::rules::finds;
    use super::*;

    fn found(text: &str) -> bool {
        finds(PROSE, text) || finds(PROSE_JA, text)
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
