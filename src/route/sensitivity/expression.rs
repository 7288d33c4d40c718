//! The expressions of rules, with shorthands for what many of them share.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

/// Compiles a rule's expression.
pub(super) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&written_out(pattern))
        .case_insensitive(true)
        .multi_line(true)
        .size_limit(2 << 20)
        .dfa_size_limit(8 << 20)
        .build()
}

/// An expression with its shorthands written out.
///
/// `\b`, `\s`, `\d` and `\w` are those of ASCII, which is what keeps matching fast
/// in Japanese text; `@NAME@` is one of [`PARTS`].
pub(super) fn written_out(pattern: &str) -> String {
    let mut all = pattern.to_owned();
    for _ in 0..3 {
        for (name, part) in
            PARTS.iter().chain(super::marking::WORDS).chain(super::business::MATTERS)
        {
            all = all.replace(name, part);
        }
    }
    let mut out = String::with_capacity(all.len() * 2);
    let (mut chars, mut in_class) = (all.chars(), false);
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('b') => out.push_str("(?-u:\\b)"),
                Some('B') => out.push_str("(?-u:\\B)"),
                Some('s') if in_class => out.push_str(" \\t\\r\\n\\x{3000}"),
                Some('s') => out.push_str("[ \\t\\r\\n\\x{3000}]"),
                Some('h') if in_class => out.push_str(" \\t\\x{3000}"),
                Some('h') => out.push_str("[ \\t\\x{3000}]"),
                Some('S') => out.push_str("[^ \\t\\r\\n\\x{3000}]"),
                Some('d') if in_class => out.push_str("0-9"),
                Some('d') => out.push_str("[0-9]"),
                Some('w') if in_class => out.push_str("A-Za-z0-9_"),
                Some('w') => out.push_str("[A-Za-z0-9_]"),
                Some(other) => out.extend(['\\', other]),
                None => {}
            },
            _ => {
                match c {
                    '[' if !in_class => in_class = true,
                    ']' if in_class && !out.ends_with('[') && !out.ends_with("[^") => {
                        in_class = false;
                    }
                    _ => {}
                }
                out.push(c);
            }
        }
    }
    out
}

/// An expression with its shorthands written out, as it is written or in both cases of its letters.
pub(super) fn parsed(written: &str, in_both_cases: bool) -> Option<Hir> {
    let mut parser = ParserBuilder::new().case_insensitive(in_both_cases).multi_line(true).build();
    parser.parse(written).ok()
}

/// An expression of ours that is made ready when it is first wanted: a start waits for none.
pub(super) struct Expression {
    text: &'static str,
    ready: OnceLock<Option<Regex>>,
}

impl Expression {
    pub(super) const fn new(text: &'static str) -> Self {
        Self { text, ready: OnceLock::new() }
    }

    fn regex(&self) -> Option<&Regex> {
        self.ready.get_or_init(|| compile(self.text).ok()).as_ref()
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(text))
    }

    pub(super) fn find_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = regex::Match<'t>> {
        self.regex().into_iter().flat_map(move |regex| regex.find_iter(text))
    }
}

/// Parts that many expressions share.
const PARTS: &[(&str, &str)] = &[
    // A credential, as people call it.
    (
        "@CRED@",
        "(?:pass[ -]?(?:word|phrase|code|wd|key)s?|p@ss?w(?:or|0r)d|passw0rd|pwds?|pw|creds?|credentials?|pins?(?: ?code| number)?|secrets?|\
         (?:api|access|secret|auth|encryption|signing|master|private|licen[cs]e|activation|product|recovery|deploy|shared|security)[ _-]?keys?|\
         (?:api|access|auth|bearer|refresh|session|security|bot|deploy|login|personal access|id)[ _-]?tokens?|tokens?|\
         (?:access|security|door|gate|alarm|entry|lock|safe|vault|unlock|recovery|backup|verification|login|auth|authentication|one[- ]time|keypad|garage|lockbox|2fa|mfa|otp)[ _-]?codes?|\
         (?:safe|lock|locker|vault|padlock)[ _-]?combinations?|combination|client secret|shared secret|otp|totp (?:secret|seed)|psk|seed phrase|mnemonic|login)",
    ),
    // How a letter, a digit or a sign is said when a password is spelt out.
    (
        "@SPELT@",
        r"(?:(?:capital|upper ?case|lower ?case|small|big)(?: [a-z])?|alfa|alpha|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|juliett?|kilo|lima|mike|november|oscar|papa|quebec|romeo|sierra|tango|uniform|victor|whiskey|x-?ray|yankee|zulu|zero|one|two|three|four|five|six|seven|eight|nine|underscore|dash|hyphen|hash|dot|bang|dollar|percent|ampersand)",
    ),
    // A value that has no blank in it.
    ("@BARE@", r#"[^\s"'`<>()\[\]{},;「」『』（）、。]{3,200}"#),
    // The Japanese for a credential.
    (
        "@JCRED@",
        "(?:パスワード|パスフレーズ|パスコード|パスキー|暗証番号|暗証コード|暗号(?:化)?キー|暗号(?:化)?鍵|復号(?:化)?鍵|秘密鍵|署名鍵|共有鍵|事前共有キー|共通鍵|対称鍵|暗号化パスワード|\
         (?:API|アクセス|シークレット|シークレットアクセス|認証|ライセンス|プロダクト|シリアル|セキュリティ|リカバリー?|復旧|回復|暗号化|マスター|共有|接続|サービス|アカウント)[ ・]?(?:キー|鍵|コード|トークン)|\
         (?:ボット|リフレッシュ|セッション|個人アクセス|チャネルアクセス|デプロイ|ベアラー?)?トークン|シークレット|クライアントシークレット|チャネルシークレット|\
         (?:認証|確認|承認|解錠|開錠|解除|入館|入室|ロック解除|ワンタイム|バックアップ|緊急|招待|管理者)(?:コード|番号)|合言葉|合い言葉|合い鍵番号|接続文字列|(?:仮|初期|管理者|新|旧|共通)?パス|\
         (?:仮|初期|共通|管理者|新|旧)?(?-u:\\b)PW(?-u:\\b)|(?-u:\\b)password|ワンタイムパスワード|リカバリーフレーズ|シードフレーズ|ニーモニック|秘密の(?:質問の)?答え|金庫の番号|鍵の番号)",
    ),
    // One name, capital letters first: `Alice Tanaka`, `J. Smith`.
    ("@NAME@", r"(?-i:[A-Z][a-z]{1,15}(?:[-'][A-Z][a-z]+)?(?: [A-Z]\.)? [A-Z][a-zA-Z'-]{1,20})"),
    ("@EMAIL@", r"[A-Z0-9._%+-]{1,64}@[A-Z0-9-]{1,63}(?:\.[A-Z0-9-]{1,63}){1,4}"),
    ("@PHONE@", r"(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,5}\)|\d{1,5})[ .-]\d{2,5}[ .-]\d{3,4}"),
    (
        "@DATE@",
        r"(?:(?:19|20)\d\d[-/.年] ?\d{1,2}[-/.月] ?\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d|(?:昭和|平成|令和|大正|[SHRT])\d{1,2}[年.]\d{1,2}[月.]\d{1,2}日?|\d{1,2}(?:st|nd|rd|th)? (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,? (?:19|20)\d\d|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2}(?:st|nd|rd|th)?,? (?:19|20)\d\d)",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shorthands_are_written_out_also_inside_classes() {
        assert_eq!(written_out(r"[\d-]\d\b"), r"[0-9-][0-9](?-u:\b)");
        assert_eq!(written_out(r"[^\s]"), r"[^ \t\r\n\x{3000}]");
    }
}
