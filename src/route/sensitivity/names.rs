//! What a credential is called, in English and Japanese, and what only sounds like one.

use super::word_list::WordList;

/// What sort of value a credential's name stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// People choose it, so that any word may be one.
    Pass,
    /// A machine made it: letters and digits, though a short word in quotes may be one too.
    Key,
    /// As `Key`, and the name has other meanings: a parser's token.
    Token,
    /// Mostly digits.
    Code,
}

/// The names that are always looked for.
pub(super) const NAMES: &[(&str, Kind)] = &[
    ("password", Kind::Pass),
    ("secret", Kind::Key),
    ("api_key", Kind::Key),
    ("token", Kind::Token),
    ("private_key", Kind::Key),
    ("pass", Kind::Pass),
    ("pw", Kind::Pass),
    ("access_key", Kind::Key),
    ("secret_key", Kind::Key),
    ("auth_key", Kind::Key),
    ("signing_key", Kind::Key),
    ("encryption_key", Kind::Key),
    ("decryption_key", Kind::Key),
    ("master_key", Kind::Key),
    ("account_key", Kind::Key),
    ("shared_key", Kind::Key),
    ("preshared_key", Kind::Pass),
    ("pre_shared_key", Kind::Pass),
    ("psk", Kind::Pass),
    // `authtok` alone would hide the word in `authtoken`.
    ("default_authtok", Kind::Pass),
    ("service_key", Kind::Key),
    ("license_key", Kind::Key),
    ("licence_key", Kind::Key),
    ("activation_key", Kind::Key),
    ("activation_code", Kind::Key),
    ("product_key", Kind::Key),
    ("serial_key", Kind::Key),
    ("recovery_key", Kind::Key),
    ("recovery_code", Kind::Code),
    ("backup_code", Kind::Code),
    ("recovery_phrase", Kind::Pass),
    ("seed_phrase", Kind::Pass),
    ("mnemonic", Kind::Pass),
    ("keyphrase", Kind::Pass),
    ("deploy_key", Kind::Key),
    ("ssh_key", Kind::Key),
    ("hmac_key", Kind::Key),
    ("admin_key", Kind::Key),
    ("app_key", Kind::Key),
    ("connection_string", Kind::Key),
    ("snmp_community", Kind::Pass),
    ("community_string", Kind::Pass),
    ("credential", Kind::Key),
    ("creds", Kind::Key),
    ("otp", Kind::Code),
    ("totp", Kind::Key),
    ("cvv", Kind::Code),
    ("cvc", Kind::Code),
    ("pin", Kind::Code),
    ("pincode", Kind::Code),
    ("pin_code", Kind::Code),
    ("pin_number", Kind::Code),
    ("security_code", Kind::Code),
    ("access_code", Kind::Code),
    ("door_code", Kind::Code),
    ("gate_code", Kind::Code),
    ("alarm_code", Kind::Code),
    ("entry_code", Kind::Code),
    ("unlock_code", Kind::Code),
    ("safe_code", Kind::Code),
    ("lock_code", Kind::Code),
    ("keypad_code", Kind::Code),
    ("verification_code", Kind::Code),
    ("authentication_code", Kind::Code),
    ("login_code", Kind::Code),
    ("シークレット", Kind::Key),
    ("トークン", Kind::Token),
    ("アクセスキー", Kind::Key),
    ("認証キー", Kind::Key),
    ("暗号鍵", Kind::Key),
    ("暗号化キー", Kind::Key),
    ("復号鍵", Kind::Key),
    ("署名鍵", Kind::Key),
    ("共有鍵", Kind::Key),
    ("事前共有キー", Kind::Pass),
    ("暗号化鍵", Kind::Key),
    ("ライセンスキー", Kind::Key),
    ("プロダクトキー", Kind::Key),
    ("シリアルキー", Kind::Key),
    ("アカウントキー", Kind::Key),
    ("接続文字列", Kind::Key),
    ("マスターキー", Kind::Key),
    ("リカバリーコード", Kind::Code),
    ("リカバリコード", Kind::Code),
    ("バックアップコード", Kind::Code),
    ("復旧コード", Kind::Code),
    ("回復コード", Kind::Code),
    ("認証コード", Kind::Code),
    ("確認コード", Kind::Code),
    ("セキュリティコード", Kind::Code),
    ("解錠番号", Kind::Code),
    ("解錠コード", Kind::Code),
    ("開錠番号", Kind::Code),
    ("解除コード", Kind::Code),
    ("解除番号", Kind::Code),
    ("入館コード", Kind::Code),
    ("入室コード", Kind::Code),
    ("金庫の番号", Kind::Code),
    ("ワンタイムコード", Kind::Code),
    ("アクセスコード", Kind::Code),
];

/// What sort of value a word of the config's stands before.
pub(super) fn kind_of(word: &str) -> Kind {
    let word = word.to_ascii_lowercase();
    let known = NAMES.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind);
    known.unwrap_or(if word.contains("pass") { Kind::Pass } else { Kind::Key })
}

/// How a word may be spelt: `api_key` also as `apikey`, `api-key`, `api key`, APIキー.
pub(super) fn spellings(word: &str) -> Vec<String> {
    let lower = word.to_ascii_lowercase();
    let parts: Vec<&str> = lower.split(['_', '-']).filter(|part| !part.is_empty()).collect();
    let mut all: Vec<String> =
        ["", "_", "-", ".", " "].iter().map(|join| parts.join(join)).collect();
    let others: &[&str] = match parts.join("_").as_str() {
        "password" => &[
            "passwd",
            "passphrase",
            "pass phrase",
            "pass_phrase",
            "passcode",
            "pass code",
            "pass word",
            "pass-word",
            "pwd",
            "passwort",
            "mot de passe",
            "contraseña",
            "p@ssword",
            "passw0rd",
            "p@ssw0rd",
            "pa$$word",
            "pa55word",
            "passkey",
            "パスワード",
            "パスフレーズ",
            "パスコード",
            "暗証番号",
            "暗証コード",
            "合言葉",
            "合い言葉",
            "パスワ一ド",
            "パスワ-ド",
        ],
        "api_key" | "apikey" => &["APIキー", "api鍵", "apiの鍵", "apiのキー"],
        "private_key" | "privatekey" => &["秘密鍵", "プライベートキー"],
        "pw" => &["p/w", "p.w."],
        _ => &[],
    };
    all.extend(others.iter().map(|other| (*other).to_owned()));
    all.retain(|spelling| !spelling.is_empty());
    all.sort();
    all.dedup();
    all
}

/// Last parts that make a name one of something else: `password_reset`, `token_count`.
static ABOUT: WordList = WordList::new(
    "\
    arn at bucket budget bytes changed class column count counter created date enabled \
    endpoint env error expired expires expiry field file format generator handler hint \
    index input label length len lifetime limit limits manager max min name names param parser \
    path pattern per placeholder policies policy prompt rate ref regex required reset resets \
    review rotation rule rules scheme service size store strength total ttl type types updated \
    uri url usage used valid validation validator vault version confirm confirmation visible age \
    history attempts attempt screen page form button dialog link email mail title text message msg msgs \
    desc description help tooltip template model schema table hasher encoder algorithm alg algo checker \
    check verify verifier verification generation rotated last next number expiration exp iat issuer \
    audience provider client server api docs doc guide test tests spec header headers prefix suffix \
    position pos offset start end span idx ids set map list stream buffer kind category ratio cost price \
    usd limiter bucket quota window budget speed throughput latency bits alias source location from_env \
    selector css xpath locator placeholder props mount volume resource mode days hours minutes seconds \
    interval threshold cache mapping mappings migration migrations strategy factory repository repo module \
    component widget view controller middleware guard filter grant exchange lookup name_id fingerprint digest \
    hint question dir directory folder status state change changes update updates notification reminder \
    entropy complexity char chars character characters \
    rs py js ts tsx jsx go java kt rb php c h cpp cs swift md txt json yaml yml toml sh html css sql xml ini cfg conf lock log csv \
    field_name display strategy rotation_days arn_suffix regexp pat kid jti sub scope scopes",
);

/// Parts that stand glued before a word in one-case names: `PGPASSWORD`, `authtoken`.
static GLUED: WordList = WordList::new(
    "\
    require requires access admin api app auth aws bearer bot client csrf db default ftp git github gitlab jwt \
    ldap login master my mysql new old pg redis refresh root secret service session slack smtp \
    ssh sudo user vnc web wifi mongo mongodb postgres postgresql rabbitmq amqp mail imap pop keystore truststore \
    store key vault proxy sftp rsync ansible become sa sql ora oracle wp wordpress nas vpn wpa psk id cert pfx \
    p12 jks kafka elastic kibana grafana jenkins npm docker registry basic http https database current host site zip pdf \
    enc encryption signing storage account tls ssl ca saml sso radius tacacs enable bind rcon minio s3 sqlserver mssql",
);

/// Whether a last part says that a name is of something else.
pub(super) fn is_about(part: &str) -> bool {
    ABOUT.has(part)
}

/// Whether a word may stand before a credential's without a seam.
pub(super) fn is_glued(part: &str) -> bool {
    GLUED.has(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_spellings_of_its_parts() {
        let has = |name: &str, wanted: &str| spellings(name).iter().any(|one| one == wanted);
        assert!(has("api_key", "api-key") && has("default_authtok", "default_authtok"));
        assert_eq!(kind_of("default_authtok"), Kind::Pass);
        assert!(is_about("type") && is_glued("pg"));
    }
}
