//! Secrets that are told in a sentence of Japanese.

use super::prose::{CODE, LOGIN, TOLD, made_up, told, valued};
use super::rule::{Hit, Rule};
use super::told::{
    has_digits, is_below, is_code, is_code_like, is_login_pair, is_place, is_plain_word,
};
use super::value::{bare, is_made_up, is_placeholder, is_quality};
use super::word_list::WordList;

pub(super) const JCRED_CUES: &[&str] = &[
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

/// Secrets in sentences of Japanese.
pub(super) const PROSE_JA: &[Rule] = &[
    valued(
        "told_below",
        TOLD,
        JCRED_CUES,
        r#"@JCRED@[^\n]*\n\s{0,6}(?:(?:it'?s|it is|that's|that is|i set it to|it was|we use|use|try|here:?|sure[,:]?)[ \t]+)?(?:(?:it|this)[ ](?:is|was)[ ])?[「『"]?(?P<v>[!-~]{4,}?)[」』"]?(?:[ \t]*(?:です|でした|になります|だよ|。)[^\n]{0,12})?[ \t]*(?:\n|$)"#,
        is_below,
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
        &["コード"],
        r"(?:リカバリーコード|リカバリコード|バックアップコード|復旧コード|回復コード|予備コード|復元コード|緊急コード)[^\n]{0,40}[:\nは][\s\d.)*・-]{0,12}(?P<v>[A-Z0-9]{4,10}(?:[ -][A-Z0-9]{4,10}){0,3})",
        has_digits,
    ),
    made_up(
        "told_reset",
        TOLD,
        &["パス", "ログイン", "root", "admin"],
        r"(?:パス(?:ワード)?(?:を)?(?:変え|変更し|リセットし|直し)(?:ました|た|てあり)[。、\s]{0,3}|(?:admin|root|管理者|ユーザー?名?)[^\n。!-~]{0,14}?[ ]?(?:と|は|/|の方は[^\n。!-~]{0,14}?)[ ]?)(?P<v>[!-~]{6,40}?)[ ]?(?:です|で(?:[。\s]|$)|に(?:し|変|設定)|だ)",
        is_made_up_ja,
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
