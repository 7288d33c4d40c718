//! Credentials in formats where no sign stands between a name and its value:
//! flags, headers, addresses, SQL, tables, and the files of well-known programs.

use super::given::{
    is_basic, is_beside_value, is_cell, is_directive, is_flag_tail, is_flag_value, is_hash_line,
    is_header_value, is_insert, is_insert_loose, is_license, is_literal_secret, is_named_value,
    is_random_value, is_sql_value, is_table, is_unwrapped, is_url_password, is_url_token, tail,
};
use super::rule::{Hit, LINES, Needs, Rule};
use super::shapes::looks_like_key;
use super::value::{bare, is_code, is_made_up, is_placeholder, is_quality, is_reference, listed};

const GIVEN: &str = "a credential is given a value here";
const URL: &str = "an address holds a password or a token";
const TABLE: &str = "a table has a column of credentials";
const FILE: &str = "this is a line of a file of credentials";

const fn given(
    id: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { id, family: "assignment", needs: Needs::Nothing, why: GIVEN, cues, pattern, check }
}

/// The same, where the value must be a made-up word.
const fn given_made_up(
    id: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { needs: Needs::MadeUp, ..given(id, cues, pattern, check) }
}

/// The same, where only a machine can have made the value.
const fn given_by_machine(
    id: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { needs: Needs::Machine, ..given(id, cues, pattern, check) }
}

/// Formats of programs.
pub(super) const FORMATS: &[Rule] = &[
    // Command lines.
    given(
        "cli_password",
        &[
            "mysql",
            "mariadb",
            "mysqldump",
            "mysqladmin",
            "mongo",
            "sshpass",
            "smbclient",
            "7z",
            "7za",
            "zip",
            "unzip",
            "unrar",
            "rar ",
            "ldapsearch",
            "ldapadd",
            "ldapmodify",
            "sqlcmd",
            "bcp ",
            "docker login",
            "podman login",
            "helm",
            "redis-cli",
            "psql",
            "curl",
            "wget",
            "http ",
            "openssl",
            "lftp",
            "net use",
            "plink",
            "pscp",
            "xfreerdp",
            "rdesktop",
            "impdp",
            "expdp",
            "sqlplus",
            "cmdkey",
            "ansible",
            "vault",
            "az login",
            "az ",
            "oc login",
            "cf login",
            "snmpwalk",
            "snmpget",
            "ipmitool",
            "mosquitto",
            "keytool",
            "jarsigner",
            "htpasswd",
            "chpasswd",
            "useradd",
            "usermod",
            "passwd",
            "nmcli",
            "wpa_passphrase",
            "borg",
            "restic",
            "gpg",
            "pdftk",
            "qpdf",
            "kinit",
            "hydra",
            "rabbitmqctl",
            "createuser",
            "influx",
            "cqlsh",
            "clickhouse",
            "kafka",
            "rclone",
            "mc alias",
            "aws configure",
            "gh auth",
            "glab",
            "doctl",
            "heroku",
            "npm",
            "net user",
            "dsadd",
            "rsync",
            "winexe",
            "psexec",
            "wmic",
            "evil-winrm",
            "crackmapexec",
        ],
        concat!(
            r#"(?:\b(?:mysql|mariadb|mysqldump|mysqladmin|mysqlimport)\b[^\n]*?[ \t]-p["']?(?P<v>[^\s"'`-][^\s"'`]{2,})"#,
            ")"
        ),
        is_flag_value,
    ),
    given(
        "cli_password",
        &[
            "sshpass",
            "mongo",
            "smbclient",
            "7z",
            "zip",
            "rar ",
            "ldap",
            "sqlcmd",
            "docker",
            "podman",
            "redis-cli",
            "lftp",
            "oc ",
            "snmp",
            "ipmitool",
            "mosquitto",
            "htpasswd",
            "useradd",
            "usermod",
            "az ",
            "plink",
            "pscp",
            "cqlsh",
            "influx",
            "clickhouse",
            "cf ",
            "winexe",
            "evil-winrm",
            "bcp ",
            "isql",
            "tsql",
            "kinit",
            "helm",
            "http ",
        ],
        r#"\b(?:(?:sshpass|mongo(?:sh|dump|restore|export|import)?|docker[ ]{1,3}login|podman[ ]{1,3}login|oc[ ]{1,3}login|cf[ ]{1,3}login|helm[ ]{1,3}registry[ ]{1,3}login|az[ ]{1,3}login|7za?|unzip|zip|unrar|rar|useradd|usermod|cqlsh|evil-winrm|influx)\b[^\n]*?[ \t]-{1,2}[pP]["' =]{0,2}(?P<a>[^\s"'`-][^\s"'`]{2,})|(?:ldap(?:search|add|modify|delete|whoami|passwd))\b[^\n]*?[ \t]-w[ \t]{0,3}["']?(?P<b>[^\s"'`-][^\s"'`]{2,})|(?:sqlcmd|bcp|isql|tsql|ipmitool|mosquitto_(?:pub|sub)|clickhouse-client)\b[^\n]*?[ \t](?:-P|--password)(?:=|[ \t]{0,3})["']?(?P<c>[^\s"'`-][^\s"'`]{2,})|redis-cli\b[^\n]*?[ \t](?:-a|--pass)[ =]["']?(?P<d>[^\s"'`-][^\s"'`]{2,})|smbclient\b[^\n]*?-U[ ]?["']?[^\s%]{1,60}%(?P<e>[^\s"'`]{3,})|snmp(?:walk|get|set|bulkwalk)\b[^\n]*?-[cAX][ ]?(?P<f>[^\s"'`-]{3,60})|htpasswd\b[^\n]{0,60}?-\w*b\w*[ ][^\n]*?[ ](?P<g>[^\s"'`-]{3,60})$|lftp\b[^\n]*?-u[ ]?[^\s,]{1,40},(?P<h>[^\s"'`]{3,})|plink|pscp)"#,
        |hit| hit.matched().len() > 8 && is_flag_tail(hit),
    ),
    given(
        "cli_user_password",
        &["curl", "wget", "http", "httpie", "rclone", "ab "],
        r#"\b(?:curl|http|https|httpie|xh|ab|siege|wrk)\b[^\n]*?[ \t](?:-u|--user|-a|--auth|--proxy-user|-U|-A)(?:=|[ \t]{0,3})["']?(?P<u>[^\s"':]+):(?P<v>[^\s"'`]{3,})"#,
        is_flag_value,
    ),
    given(
        "cli_password",
        &["echo", "printf", "passwd", "stdin", "<<<"],
        r#"\b(?:echo|printf)[ \t]+(?:-n[ \t]+)?["']?(?:[\w.-]{1,40}:)?(?P<v>[^\s"'|]{4,})["']?[ \t]*\|[ \t]*(?:sudo[ \t]+)?(?:-S\b|chpasswd|passwd|sudo -S|cryptsetup|gpg|docker login|openssl|[^\n]*--(?:password|passphrase|token)[ =-]?(?:stdin|fd)|[^\n]{0,40}(?:password|with-token|secret set|secret create))"#,
        is_flag_value,
    ),
    given(
        "cli_password",
        &["net user", "net use", "cmdkey", "runas"],
        r#"\b(?:net user[ ]+[\w.-]{1,40}[ ]+(?P<v>[^\s/"*][^\s]{3,60})|net use\b[^\n]*?[ ](?P<w>[^\s/\\"*:]{4,60})[ ]+/user:|cmdkey\b[^\n]*/pass:(?P<x>[^\s]{3,60}))"#,
        |hit| {
            let matched = hit.matched().to_ascii_lowercase();
            matched.contains("/pass:")
                || is_made_up(hit.matched().split_whitespace().last().unwrap_or_default())
                || matched.contains("/user:")
        },
    ),
    given(
        "cli_password",
        &["-pass", "pass:", "-storepass", "-keypass", "passin", "passout"],
        r#"(?:-(?:pass|passin|passout|passwd)[ =]["']?(?:pass:)?(?P<v>[^\s"'`]{3,})|-(?:storepass|keypass|srcstorepass|deststorepass)[ =]["']?(?P<w>[^\s"'`]{3,}))"#,
        |hit| {
            !hit.matched().contains("env:")
                && !hit.matched().contains("file:")
                && !hit.matched().contains("stdin")
                && is_flag_tail(hit)
        },
    ),
    given(
        "cli_secret_command",
        &[
            "aws configure set",
            "config set",
            "secrets set",
            "secret set",
            "secret put",
            "secret create",
            "kv put",
            "vault write",
            "vault kv",
            "setx",
            "gh secret",
            "wrangler",
            "heroku config",
            "from-literal",
            "--body",
            "vault login",
            "git config",
            "auth login",
        ],
        r#"(?:aws configure set[ ]+\w*(?:secret|token|key)\w*[ ]+(?P<v>[^\s"']{8,})|(?:--from-literal[= ]["']?[\w.-]{1,60}=(?P<w>[^\s"']{3,}))|(?:vault (?:kv put|write)[ ][^\n]+?[ ][\w.-]{1,40}=["']?(?P<x>[^\s"'@][^\s"']{3,}))|(?:gh secret set[^\n]+(?:--body|-b)[ =]["']?(?P<y>[^\s"']{4,}))|(?:vault|doctl auth|npm config|auth) login[ ]+(?P<z>(?:hvs|s)\.[\w.-]{8,})|npm (?:config )?set[ ]+[^\n]{0,60}_authToken[ =](?P<q>[^\s"']{8,}))"#,
        is_flag_tail,
    ),
    // Headers.
    given(
        "authorization_header",
        &[
            "authorization",
            "bearer",
            "basic ",
            "x-api-key",
            "x-auth",
            "x-access",
            "api-key",
            "apikey",
            "x-vault",
            "private-token",
            "job-token",
            "x-amz",
            "x-goog",
            "x-shopify",
            "x-token",
            "ocp-apim",
            "x-secret",
            "cookie",
            "x-csrf",
            "x-session",
            "dd-ap",
            "x-gitlab",
            "x-figma",
            "x-client",
        ],
        r#"\b(?:(?:proxy-)?authorization["']?\]?[ \t]*[:=,][ \t]*f?["'`]?[ \t]*(?:bearer|basic|token|digest|apikey|key|bot|negotiate|splunk|genie[kK]ey|sso-key|aws4-hmac-sha256|hmac|oauth|api-?key)[ \t]+(?:["'` +]{0,4})(?P<v>[^\s"'`,\\]{6,})|bearer[ \t]+["'`]?(?P<w>[A-Za-z0-9_.+/~-]{16,}=*)|(?:proxy-)?authorization["']?[ \t]*[:=][ \t]*["'`]?(?P<x>[A-Za-z0-9_.+/=:-]{16,})|(?:x-(?:api|auth|access|amz-security|goog-api|vault|shopify-access|secret|figma|gitlab|client|session|admin|service|functions|app|csrf|user|internal|webhook|hub|mashape|rapidapi)[\w-]{0,24}|(?:private|job)-token|api[-_]?key|ocp-apim-subscription-key|dd-(?:api|application)-key|x-token)["']?\]?[ \t]*[:=,][ \t]*f?["'`]?(?P<y>[^\s"'`,;<>{}$]{8,}))"#,
        is_header_value,
    ),
    given(
        "basic_auth",
        &["basic "],
        r#"\bbasic[ \t]+["'`]?(?P<v>[A-Za-z0-9+/]{8,}={0,2})(?:[^A-Za-z0-9+/=]|$)"#,
        is_basic,
    ),
    given(
        "session_cookie",
        &["cookie", "session", "sid=", "jsessionid", "phpsessid"],
        r#"\b(?:(?:set-)?cookie["']?[ \t]*[:=][^\n]*?|-b[ ]["']?|--cookie[ =]["']?|document\.cookie[ ]?=[^\n]{0,60}?|セッション[^\n]{0,30})\b(?:[\w.-]{0,30}(?:sess(?:ion)?(?:[_-]?id|[_-]?token)?|sid|auth(?:[_-]?token)?|token|jwt|remember(?:_\w+)?|csrf\w*|xsrf[\w-]*|\.aspxauth|aspnet\w*|li_at|d|user_session|connect\.sid))=(?P<v>[^\s;"'`,]{10,})|\b(?:JSESSIONID|PHPSESSID|ASP\.NET_SessionId|connect\.sid|_session_id|sessionid|laravel_session)["']?[ \t]*[=:][ \t]*["']?(?P<w>[A-Za-z0-9%._:+/-]{10,})"#,
        is_header_value,
    ),
    // Addresses.
    Rule {
        id: "url_password",
        family: "assignment",
        needs: Needs::Nothing,
        why: URL,
        cues: &["://"],
        pattern: r#"\b[a-z][a-z0-9+.-]{1,30}://(?P<u>[^\s:/?#@"'`<>\[\]]*):(?P<v>[^\s"'`<>/]+?)@[^\s"'`<>@]{2,}"#,
        check: is_url_password,
    },
    Rule {
        id: "url_password",
        family: "assignment",
        needs: Needs::Nothing,
        why: URL,
        cues: &["://"],
        pattern: r#"\b(?:https?|git|ssh\+git|ftp)://(?P<v>[A-Za-z0-9_-]{20,})@[\w.-]{3,}"#,
        check: |hit| looks_like_key(hit.value()) || hit.value().len() == 40,
    },
    Rule {
        id: "url_password",
        family: "assignment",
        needs: Needs::Nothing,
        why: URL,
        cues: &["jdbc:", "oracle:thin", "sqlplus"],
        pattern: r#"(?:jdbc:[a-z0-9:]{2,40}[^\s"'<>]*?[?&;:](?:password|pwd|pass)=(?P<v>[^\s"'&;<>]{2,})|(?:jdbc:oracle:[a-z]{2,8}:|sqlplus[ ](?:-\w[ ])?)[\w$#]{2,30}/["']?(?P<w>[^\s"'@/]{3,})@)"#,
        check: is_flag_value,
    },
    Rule {
        id: "url_token",
        family: "assignment",
        needs: Needs::Nothing,
        why: URL,
        cues: &["?", "&"],
        pattern: r#"[?&#;](?:access_?token|auth(?:_?token)?|api_?key|apikey|key|token|secret|client_secret|password|passwd|pwd|sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature|code|session(?:_?id)?|sid|jwt|id_token|refresh_token|subscription-key|private_token|invite|auth_key|license|otp|pin|credential|magic|reset_token)=(?P<v>[^\s"'`&<>#)]{6,})"#,
        check: is_url_token,
    },
    // SQL.
    given(
        "sql_password",
        &[
            "identified",
            "password",
            "encrypted password",
            "set password",
            "pwdcompare",
            "crypt(",
            "sha2(",
            "pgp_sym",
            "with login",
            "master key",
            "by password",
        ],
        r#"\b(?:identified[ \t]+(?:with[ \t]+[\w'"]{3,40}[ \t]+)?(?:by|as)[ \t]+(?:password[ \t]+)?|(?:encrypted[ \t]+)?password(?:[ \t]*(?:=|\(|for[ \t]+[^\s=]{1,60}[ \t]*=)[ \t]*|[ \t]+)(?:N|E)?|with[ \t]+password[ \t]*=?[ \t]*N?|by[ \t]+password[ \t]*=?[ \t]*N?|(?:crypt|sha1|sha2|md5|password|hashbytes)\([ \t]*)['"](?P<v>[^'"\n]{2,})['"]"#,
        is_sql_value,
    ),
    given(
        "sql_password",
        &["identified by"],
        r#"\bidentified[ \t]+by[ \t]+(?P<v>[^\s'";<$:&?]{3,})"#,
        |hit| !is_quality(hit.value()) && !is_placeholder(hit.value()),
    ),
    given(
        "sql_insert",
        &["insert into", "values", "update "],
        r#"\binsert[ \t]+(?:ignore[ \t]+)?into[ \t]+[\w."`\[\]]+[ \t\r\n]*\([^()]{0,}\b(?:password|passwd|pwd|pass|secret|token|api_?key|access_?key|private_key|pin|ssn|credit_?card|card_?number|totp_secret|otp)\w{0,12}[^()]{0,}\)[ \t\r\n]*values[ \t\r\n]*\((?P<v>[^()]{1,})\)"#,
        is_insert,
    ),
    given(
        "sql_update",
        &["update "],
        r#"\bupdate[ \t]+[\w."`\[\]]+[ \t\r\n]+set\b[^;]*?\b[\w.]{0,30}(?:password|passwd|pwd|secret|token|api_?key)\w{0,10}[ \t]*=[ \t]*(?:\w{1,20}\()?['"](?P<v>[^'"\n]{3,})['"]"#,
        |hit| !is_placeholder(hit.value()) && !is_quality(hit.value()),
    ),
    // Files of programs.
    given(
        "netrc",
        &["machine ", "default login"],
        r#"\b(?:machine[ \t]+[\w.:-]{2,}|default)[\s]+login[ \t]+[^\s]+[\s]+password[ \t]+(?P<v>[^\s]{2,})"#,
        |hit| !is_placeholder(hit.value()),
    ),
    given(
        "netrc",
        &["password", "machine"],
        r#"\blogin[ \t]+[^\s]+[ \t\r\n]+password[ \t]+(?P<v>[^\s]{4,})"#,
        |hit| !is_placeholder(hit.value()) && !is_quality(hit.value()),
    ),
    Rule {
        id: "pgpass",
        family: "assignment",
        needs: Needs::Nothing,
        why: FILE,
        cues: &[":5432:", ":5433:", ":*:", ":6432:", "pgpass", ":3306:", ":54"],
        pattern: r#"(?:^|[\s"'`])[\w.*-]+:(?:\d{2,5}|\*):[\w.*-]{1,60}:[\w.*@-]{1,60}:(?P<v>[^\s:"'`]{3,})(?:[\s"'`]|$)"#,
        check: |hit| {
            !is_placeholder(hit.value())
                && !hit.value().bytes().all(|b| b.is_ascii_digit() || b == b'.')
                && !hit.matched().contains("://")
        },
    },
    Rule {
        id: "shadow_line",
        family: "assignment",
        needs: Needs::Nothing,
        why: FILE,
        cues: &[
            "$1$", "$5$", "$6$", "$y$", "$7$", "$gy$", "$2a$", "$2b$", "$2y$", "$apr1$", "{sha}",
            "{ssha", "$argon2", "$scrypt", "pbkdf2",
        ],
        pattern: r#"(?:^|[\s"'`=:,|(])(?P<v>(?:\$(?:[1567]|y|gy|2[abxy]|apr1)\$[./A-Za-z0-9=,$]{16,}|\{S?SHA(?:256|512)?\}[A-Za-z0-9+/=]{20,}|\$argon2(?:id|i|d)\$v=\d+\$[^\s"'`]{20,}|\$scrypt\$[^\s"'`]{20,}|(?:pbkdf2(?:_sha256|_sha512|:sha256|:sha512)?)[$:][^\s"'`]{20,}))"#,
        check: is_hash_line,
    },
    Rule {
        id: "ntlm_hash",
        family: "assignment",
        needs: Needs::Nothing,
        why: FILE,
        cues: &[":::", "ntlm", "mscache", "krb5"],
        pattern: r#"(?P<v>[\w.$-]{1,60}:\d{1,6}:[0-9a-f]{32}:[0-9a-f]{32}:::|\$krb5(?:tgs|asrep)\$\d{1,2}\$[^\s]{20,})"#,
        check: |_| true,
    },
    given(
        "docker_auth",
        &[
            "\"auth\"",
            "auths",
            "_auth",
            "_password",
            "auth\\\"",
            ".dockerconfigjson",
            "identitytoken",
        ],
        r#"(?:\\?"auth\\?"[ \t]*:[ \t]*\\?"(?P<v>[A-Za-z0-9+/]{8,}={0,2})\\?"|(?:^|[:/\s])_(?:auth|authToken|password)[ \t]*=[ \t]*["']?(?P<w>[^\s"'$]{6,})|\\?"identitytoken\\?"[ \t]*:[ \t]*\\?"(?P<x>[^"\\]{8,}))"#,
        |hit| !is_placeholder(tail(hit)),
    ),
    given(
        "kubeconfig",
        &["client-key-data", "client-certificate-data", "token-data", "id-token"],
        r#"\b(?:client-key-data|id-token|refresh-token)[ \t]*["']?:[ \t]*["']?(?P<v>[A-Za-z0-9+/=_.-]{20,})"#,
        |hit| !is_placeholder(hit.value()),
    ),
    given(
        "kubernetes_secret",
        &["kind: secret", "kind\": \"secret", "kind\":\"secret", "kind: sealed"],
        r#"\bkind["']?[ \t]*:[ \t]*["']?Secret\b[\s\S]*?\b(?:data|stringData)["']?[ \t]*:[ \t]*\{?[\s]*(?:#[^\n]*\n[ \t]*)?["']?[\w.-]+["']?[ \t]*:[ \t]*["']?(?:[|>]-?[ \t]*\n[ \t]*)?(?P<v>[^\s"'{$<][^\s"']{2,})"#,
        |hit| !is_placeholder(hit.value()),
    ),
    given(
        "kubernetes_secret",
        &["kind: secret"],
        r#"\b(?:data|stringData)["']?[ \t]*:[ \t]*\{?[\s]*["']?[\w.-]+["']?[ \t]*:[ \t]*["']?(?P<v>[^\s"'{$<][^\s"']{2,})["']?[\s\S]*?\bkind["']?[ \t]*:[ \t]*["']?Secret\b"#,
        |hit| !is_placeholder(hit.value()),
    ),
    given(
        "name_and_value",
        &["value"],
        r#"(?:\b|["'\\])(?:name|key|variable|env(?:ironment)?_?name|parameter(?:key|name)?|field|id|label|setting|property)["'\\]{0,3}[ \t]*[:=][ \t]*["'\\]{0,3}(?P<n>[\w.:/-]{0,60}(?:passw(?:or)?d|passphrase|pwd|secret|api[-_.]?key|token|private[-_.]?key|access[-_.]?key|credential|auth[-_.]?key|pin|パスワード|暗証番号|秘密鍵|トークン|シークレット|APIキー)[\w.-]{0,20})["'\\]{0,3}[\s,>/;]{0,40}(?:<)?["'\\]{0,3}(?:default_?value|string_?value|secret_?value|value|val|default|text)["'\\]{0,3}[ \t]*[:=>][ \t]*["'\\]{0,3}(?P<v>[^\s"'\\<>${}][^\s"'\\<>]{2,})"#,
        is_named_value,
    ),
    given(
        "name_beside_value",
        &[
            "password",
            "passwd",
            "pwd",
            "secret",
            "api",
            "token",
            "key",
            "credential",
            "passphrase",
            "pin",
        ],
        r#"["'](?P<n>[\w.:/-]{0,60}(?:passw(?:or)?d|passphrase|passcode|pwd|secret|api[-_.]?key|token|private[-_.]?key|access[-_.]?key|auth[-_.]?key|secret[-_.]?key|credentials?|salt|pin)[\w.-]{0,12})["']\s{0,8}[,:]\s{0,12}(?:\{\s{0,12}["'](?:value|val|default|data|content|text|secret|plain|string)["']\s{0,4}:\s{0,4})?["'](?P<v>[^"'\n]{4,200})["']"#,
        is_beside_value,
    ),
    given(
        "name_and_value",
        &["content", "data", "text", "val", "answer", "body", "string"],
        r#"["'](?:name|key|variable|field|id|label|setting|property|title|param|question|type)["']\s{0,4}:\s{0,4}["'](?P<n>[\w .:/-]{0,60}(?:passw(?:or)?d|passphrase|pwd|secret|api[-_. ]?key|token|private[-_. ]?key|access[-_. ]?key|credential|auth[-_. ]?key|pin|パスワード|暗証番号)[\w .-]{0,12})["']\s{0,4},\s{0,12}["'](?:content|data|text|val|answer|body|string|secret|current|input)["']\s{0,4}:\s{0,4}["'](?P<v>[^"'\n]{4,200})["']"#,
        is_beside_value,
    ),
    given(
        "app_password",
        &["app password", "app-specific", "アプリパスワード", "application password", "app pw"],
        r#"(?:app(?:lication)?[- ]?(?:specific )?(?:password|pw)|アプリ(?:固有の?)?パスワード)[^\n]{0,40}?(?P<v>(?-u:\b)(?-i:[a-z]{4}[ -]){3}(?-i:[a-z]{4})(?-u:\b))"#,
        |hit| !hit.value().split([' ', '-']).all(is_quality),
    ),
    given(
        "plist_value",
        &["<key>"],
        r#"<key>[\w .-]{0,40}(?:passw(?:or)?d|passphrase|pwd|secret|api ?key|token|private ?key|access ?key|credential)[\w.-]{0,12}</key>\s{0,20}<(?:string|data)>\s{0,8}(?P<v>[^<>\n]{4,})<"#,
        |hit| !is_placeholder(hit.value()) && !is_quality(hit.value()),
    ),
    given(
        "html_table",
        &["<th"],
        r#"<th[^>]*>[^<]{0,20}(?:password|passwd|secret|token|api key|パスワード|暗証番号|\bpin\b)[^<]{0,20}</th>[\s\S]*?<td[^>]*>(?P<v>[^<>\s]{4,80})</td>\s{0,12}</tr>"#,
        |hit| is_cell("password", hit.value()),
    ),
    given(
        "set_by_name",
        &["where name", "where key", "where setting", "set value"],
        r#"\bset[ ]+\w{1,20}[ ]*=[ ]*['"](?P<v>[^'"\n]{4,200})['"][ ]+where[ ]+\w{1,20}[ ]*=[ ]*['"][\w.-]{0,40}(?:password|passwd|secret|token|api_?key|pwd)\w{0,8}['"]"#,
        |hit| !is_placeholder(hit.value()),
    ),
    given(
        "literal_in_call",
        &[
            "sign(",
            "verify(",
            "encode(",
            "decode(",
            "hmac",
            "fernet",
            "aes",
            "cipher",
            "encrypt(",
            "decrypt(",
            "login(",
            "authenticate(",
            "connect(",
            "password(",
            "auth(",
            "client(",
            "signin(",
            "credentials(",
            "credential(",
            "token(",
            "key(",
            "secret(",
            "pbkdf2",
            "scrypt",
        ],
        r#"\b[\w.:]{0,40}(?:sign|verify|encode|decode|hmac(?:\.new|\.digest)?|createHmac|hmac_new|Fernet|AES\.new|create(?:De)?cipher\w*|encrypt|decrypt|login|log_in|authenticate|connect|set_?password|check_?password|with_?password|auth|client|sign_?in|credentials?|token|secret|api_?key|set_?key|with_?key|key|pbkdf2\w*|scrypt\w*|bearer_auth|basic_auth)\([^()\n]{0,100}?b?["'`](?P<v>[^"'`\s()]{8,200})["'`]"#,
        is_literal_secret,
    ),
    given(
        "compared_literal",
        &["password", "passwd", "pwd", "passcode", "secret", "token", "pin"],
        r#"(?:password|passwd|pwd|passcode|secret|token|pin)\w{0,4}[ ]?(?:===?|!==?|\.equals\(|\beq\b|==)[ ]?["'](?P<v>[^"'\n]{4,100})["']"#,
        |hit| {
            !is_placeholder(hit.value())
                && (is_made_up(hit.value()) || super::value::is_phrase(hit.value()))
        },
    ),
    given(
        "directive_value",
        &[
            "requirepass",
            "masterauth",
            "auth",
            "ident",
            "password",
            "secret",
            "authident",
            "credentials",
            "-p",
            "chpasswd",
            "htpasswd",
        ],
        r#"(?:\b(?:requirepass|masterauth|auth-?pass(?:word)?|wsrep_sst_auth|npmAuthIdent|_?auth_?ident|sst_auth|userpass|user_pass|basic_?auth|http_?auth|proxy_?auth|auth_?basic|login_?pass|auth|rootpw|cred(?:ential)?s?)[ \t]*["']?[ \t]*[:= ][ \t]*["']?(?:[\w.@+-]{1,40}:)?(?P<v>[^\s"',;:]{6,100})|chpasswd[^\n]{0,20}["'][\w.-]{1,40}:(?P<w>[^\s"':]{4,80})["']|htpasswd\b[^\n]{0,20}-[a-zA-Z]*b[a-zA-Z]*[ ][^\n]{0,60}?[ ][\w.@-]{1,40}[ ](?P<x>[^\s"'-][^\s"']{3,80})|(?:mysql|mariadb|mysqldump|mysqladmin)\b[^\n]*?[ ]["']-p(?P<y>[^\s"']{3,80})["'])"#,
        is_directive,
    ),
    given(
        "comment_credential",
        &["password", "passwd", "パスワード"],
        r#"\bvalues[ ]*\((?P<v>[^()]{4,300}?(?:\(\))?[^()]{0,40})\)[^\n]{0,12}(?:--|#|//|/\*)[^\n]{0,40}(?:password|passwd|パスワード)"#,
        is_insert_loose,
    ),
    given(
        "xml_named_value",
        &["name=", "key=", "id="],
        r#"<[\w:.-]{2,40}[^>\n]*?\b(?:name|key|id|property)=["'](?P<n>[\w.:-]{0,60}(?:passw(?:or)?d|passphrase|pwd|secret|api[-_.]?key|token|private[-_.]?key|access[-_.]?key)[\w.-]{0,12})["'][^>\n]{0,60}>[ \t\n]{0,12}(?:<value>)?(?:<!\[CDATA\[)?(?P<v>[^<>\s$][^<>\n]{2,})<"#,
        is_named_value,
    ),
    given(
        "terraform_variable",
        &["variable \"", "variable '"],
        r#"\bvariable[ ]+["'](?P<n>[\w-]{0,40}(?:password|passwd|secret|token|api_?key|private_?key|access_?key|credential)\w{0,12})["'][ ]*\{[^}]*?\bdefault[ ]*=[ ]*["'](?P<v>[^"'\n$]{3,})["']"#,
        |hit| !is_placeholder(hit.value()) && !is_reference(hit.value()),
    ),
    given(
        "connection_string",
        &["pwd=", "password=", "password =", "user id=", "uid="],
        r#"\b(?:server|data source|host|endpoint|uid|user(?: id| name|name)?|database|initial catalog|dsn|driver|sslmode|port|dbname)[ ]?=[^\n"']+?;?[ ]?\b(?:pwd|password|passwd)[ ]?=[ ]?'?(?P<v>[^;"'\s&]{2,})"#,
        |hit| !is_placeholder(hit.value()) && !is_code(hit.value()),
    ),
    given(
        "wifi_key",
        &["wi-fi", "wifi", "ssid", "wlan", "psk", "wpa", "key-mgmt", "無線"],
        r#"(?:\bwi-?fi\b|\bssid\b|\bwlan\b|無線(?:LAN)?|\bWIFI:)[^\n]*?(?:\b(?:pass(?:word|phrase|code)?|psk|pw|key|P)|パスワード|パス|暗号化?キー|キー|PW)[ \t]*(?:is|は|:|=|->|\|)[ \t]*["'`「]?(?P<v>[!-~]{6,70}?)(?:[\s"'`,;|]|[^!-~]|$)"#,
        |hit| !is_placeholder(hit.value()) && !is_quality(hit.value()) && !is_code(hit.value()),
    ),
    given(
        "wifi_key",
        &["wi-fi", "wifi", "psk", "wpa", "ssid"],
        r#"(?:\bWIFI:[^\n]*?;?P:(?P<v>[^;\n]{4,70});|\bssid=?["'][^"'\n]{1,40}["'][\s,;]{1,12}(?:#?psk|key)=["']?(?P<w>[^\s"']{6,70}))"#,
        |hit| !is_placeholder(tail(hit)),
    ),
    given(
        "snmp_community",
        &["snmp", "rocommunity", "rwcommunity", "community"],
        r#"\b(?:snmp-server[ ]+community[ ]+(?P<v>[^\s"']{3,60})|r[ow]community6?[ ]+(?P<w>[^\s"']{3,60})|(?:snmp )?community(?: string| name)?[ ]*(?:is|:|=|は)[ ]*["'`]?(?P<x>[^\s"'`,;]{3,60}))"#,
        |hit| {
            !listed(
                "public open source community guidelines driven the a our and support string member members forum edition",
                bare(tail(hit)),
            ) && !is_placeholder(tail(hit))
                && (hit.matched().to_lowercase().contains("snmp")
                    || hit.matched().to_lowercase().contains("wcommunity")
                    || hit.matched().to_lowercase().contains("ocommunity")
                    || is_made_up(tail(hit)))
        },
    ),
    given(
        "router_secret",
        &[
            "enable secret",
            "enable password",
            "username ",
            "key-string",
            "tacacs",
            "radius",
            "pre-shared-key",
            "crypto isakmp",
            "ppp ",
        ],
        r#"\b(?:enable[ ]+(?:secret|password)(?:[ ]+level \d+)?[ ]+(?:\d[ ]+)?(?P<v>[^\s"']{4,})|username[ ]+[\w.-]{1,40}(?:[ ]+privilege \d+)?[ ]+(?:secret|password)[ ]+(?:\d[ ]+)?(?P<w>[^\s"']{4,})|key-string[ ]+(?:\d[ ]+)?(?P<x>[^\s"']{4,})|(?:tacacs|radius)-server[^\n]{0,60}?[ ]key[ ]+(?:\d[ ]+)?(?P<y>[^\s"']{4,})|crypto isakmp key[ ]+(?:\d[ ]+)?(?P<z>[^\s"']{4,})|pre-shared-key[ ]+(?:address[ ]+[^\s]{3,40}[ ]+)?(?:key[ ]+)?["']?(?P<q>[^\s"']{4,})|ppp[ ]+(?:chap|pap)[^\n]{0,60}password[ ]+(?:\d[ ]+)?(?P<r>[^\s"']{4,}))"#,
        |hit| {
            let v = bare(tail(hit));
            !is_placeholder(v) && !is_quality(v) && v.len() >= 4
        },
    ),
    given_made_up(
        "half_of_a_key",
        &["half", "part"],
        r#"(?:key|token|secret|passw(?:or)?d|passphrase|credential)[ _-]?[^\n:=]{0,20}?(?:half|part)[ _-]?\d?["']?[ \t]*[:=][ \t]*["'`]?(?P<v>[A-Za-z0-9+/_=-]{8,})"#,
        |hit| is_made_up(hit.value()) && !is_placeholder(hit.value()),
    ),
    // Tables.
    Rule {
        id: "table_of_credentials",
        family: "assignment",
        needs: Needs::Nothing,
        why: TABLE,
        cues: &[
            "pass",
            "pwd",
            "secret",
            "token",
            "key",
            "pin",
            "パスワード",
            "暗証番号",
            "pw",
            "パス",
            "トークン",
            "キー",
            "鍵",
            "credential",
            "code",
        ],
        pattern: LINES,
        check: is_table,
    },
    // Secrets that a command only unwraps.
    given_made_up(
        "unwrapped_value",
        &["printf", "echo"],
        concat!(
            r#"(?:(?:pass(?:word|wd|phrase)?|pwd?|secret|token|key)\w{0,8}=["']?\$\((?:printf|echo)[ ](?:-\w+[ ])?["'](?P<v>[^"'\n]{6,80})["']"#,
            r#"|\b(?:echo|printf)[ ]+(?:-\w+[ ])?["']?(?P<w>[^\s"'|]{8,80})["']?[ ]*\|[ ]*(?:rev|tr|xxd|base64)\b[^\n]{0,60}?(?:pass|secret|token|sudo[ ]-S|login|パスワード|パスフレーズ|鍵))"#,
        ),
        is_unwrapped,
    ),
    given_made_up(
        "account_and_value",
        &["root", "admin", "administrator", "operator", "postgres", "superuser"],
        r#"["'](?:root|admin|administrator|operator|postgres|superuser|sa)\\?["'][ ]*,[ ]*\\?["'](?P<v>[^"'\\\n ]{6,60})\\?["']"#,
        |hit| {
            let value = bare(hit.value());
            let signs = value.bytes().any(|b| b"!#$%^&*+=~?".contains(&b));
            let digits = value.bytes().filter(u8::is_ascii_digit).count();
            is_made_up(value)
                && digits >= 1
                && (signs || digits >= 2 && looks_like_key(value))
                && !is_placeholder(value)
                && !value.contains(['@', '(', '/', '.'])
        },
    ),
    // Names that are given what only a machine makes.
    given_by_machine(
        "random_value",
        &[
            "key",
            "auth",
            "cred",
            "bearer",
            "sign",
            "salt",
            "seed",
            "pepper",
            "sas",
            "session",
            "cookie",
            "hmac",
            "dsn",
            "nonce_secret",
            "webhook",
            "キー",
            "鍵",
            "認証",
            "psk",
            "api",
            "access",
            "client",
            "license",
            "serial",
            "ライセンス",
            "シリアル",
        ],
        r#"[\w.-]*(?:key|auth|creds?|credentials?|bearer|signature|salt|pepper|seed|sas|session|session_?id|cookie|hmac|webhook|psk|api|access|licen[cs]e|serial(?: number| no\.?)?|キー|鍵|認証(?:情報|文字列)?|ライセンス(?:番号)?|シリアル(?:番号)?)\w{0,3}["'`\]*]{0,3}(?:[ \t]*\([^)\n]{1,20}\))?[ \t]*(?:[:=|]|=>|:=|->|→|は|is\b|が|を)[ \t]*["'`「*]{0,2}(?P<v>[A-Za-z0-9+/_.~=-]{16,})"#,
        is_random_value,
    ),
    given_by_machine(
        "license_key",
        &[
            "licen",
            "activation",
            "serial",
            "product key",
            "ライセンス",
            "シリアル",
            "プロダクトキー",
            "アクティベーション",
            "key",
        ],
        r"(?:licen[cs]e|activation|serial|product|registration|unlock|software|cd)[ _-]?(?:key|code|number|no\.?)?[^\n]{0,40}?(?P<v>(?-u:\b)[A-Z0-9]{4,8}(?:-[A-Z0-9]{4,8}){2,7}(?-u:\b))|(?:ライセンス|シリアル|プロダクト|アクティベーション|登録|認証)(?:キー|番号|コード)?[^\n]{0,30}?(?P<w>(?-u:\b)[A-Z0-9]{4,8}(?:-[A-Z0-9]{4,8}){2,7}(?-u:\b))",
        is_license,
    ),
];

#[cfg(test)]
mod tests {
    use super::super::rules::finds;
    use super::*;

    fn found(text: &str) -> bool {
        finds(FORMATS, text)
    }

    #[test]
    fn secrets_that_are_unwrapped_or_stand_behind_an_account_are_found() {
        let word = format!("wR{}~dQ{}", 7 * 7, 8 * 9);
        for text in [
            format!("PASS=$(printf '{word}'); mysql -u x db"),
            format!("echo '{word}' | rev | sudo -S ls"),
            format!("{{\"cmd\": \"login\", \"args\": [\"root\", \"{word}\"]}}"),
        ] {
            assert!(found(&text), "{text}");
        }
    }

    #[test]
    fn ordinary_commands_and_lists_are_not() {
        for text in [
            "NAME=$(printf '%s' \"$1\"); echo done",
            "echo 'utf8 text' | tr a-z A-Z",
            "[\"root\", \"readonly\"], ['admin', 'editor2']",
            "name, count\nkeys, 12\ntokens, 40",
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
