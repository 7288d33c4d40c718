//! Keys that are known by their form, whoever holds them and whatever stands around.
//!
//! Each provider's keys begin in a way of their own, which is the cue; what
//! follows must have the length and the letters of a real one. The keys that
//! providers print in their manuals, and masked ones, are none.

use super::rule::{Hit, Needs, Rule};
use super::value::{entropy, is_placeholder, is_random};

const KEY: &str = "this has the form of a provider's key";
const BLOCK: &str = "a private key begins here";

/// A rule for a provider's key.
const fn key(id: &'static str, cues: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule { id, family: "key", needs: Needs::Nothing, why: KEY, cues, pattern, check: is_live }
}

/// The forms, one line each.
pub(super) const SHAPES: &[Rule] = &[
    key(
        "key_form",
        &["sk-", "sk_live", "sk_test", "rk_live", "rk_test"],
        r"(?:^|[^A-Za-z0-9_-])(?P<v>(?-i:sk-(?:proj-|svcacct-|admin-|ant-[a-z0-9]+-|or-v1-|lf-)?[A-Za-z0-9_-]{20,}|[sr]k_(?:live|test)_[A-Za-z0-9]{10,}))",
    ),
    key(
        "aws_key_id",
        &["akia", "asia", "abia", "acca"],
        r"\b(?P<v>(?-i:(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}))\b",
    ),
    key(
        "github_token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
        r"(?P<v>(?-i:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{22,}))",
    ),
    key(
        "gitlab_token",
        &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glagent-", "gloas-"],
        r"(?P<v>(?-i:gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas)-[A-Za-z0-9_.-]{16,}))",
    ),
    key(
        "slack_token",
        &["xox", "xapp-"],
        r"\b(?P<v>(?-i:xox[abceoprs]-[A-Za-z0-9-]{10,}|xox[abceoprs]\.xox[a-z]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}))",
    ),
    key(
        "webhook_url",
        &[
            "hooks.slack.com",
            "discord.com/api/webhooks",
            "discordapp.com/api/webhooks",
            "webhook.office.com",
            "hooks.zapier.com",
            "chat.googleapis.com",
            "logic.azure.com",
            "open.feishu.cn",
            "oapi.dingtalk.com",
            "qyapi.weixin",
        ],
        r"(?P<v>hooks\.slack\.com/(?:services|workflows|triggers)/[A-Z0-9_/]{16,}|discord(?:app)?\.com/api/webhooks/\d{5,25}/[\w-]{20,}|[\w.-]{2,}\.webhook\.office\.com/webhookb?2?/[\w@/-]{20,}|hooks\.zapier\.com/hooks/catch/\d+/\w{5,30}|chat\.googleapis\.com/v1/spaces/[\w-]{4,40}/messages\?key=[\w-]{10,}[^\s]*|[\w.-]{2,60}logic\.azure\.com[^\s]{10,}sig=[\w-]{20,}|open\.feishu\.cn/open-apis/bot/v2/hook/[\w-]{20,60}|oapi\.dingtalk\.com/robot/send\?access_token=\w{20,80}|qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=[\w-]{20,60})",
    ),
    key(
        "google_key",
        &["aiza", "goog_", "gocspx-", "ya29.", "1//0"],
        r"(?:^|[^\w-])(?P<v>(?-i:AIza[A-Za-z0-9_-]{30,45}|GOCSPX-[A-Za-z0-9_-]{20,40}|ya29\.[A-Za-z0-9_-]{20,}|GOOG[A-Z0-9]{20,60}|1//0[A-Za-z0-9_-]{30,}))",
    ),
    key(
        "google_service_account",
        &["service_account", "private_key_id"],
        r#""?type\\?"?\s{0,4}:\s{0,4}\\?"service_account\\?"[^}]*(?P<v>private_key)"#,
    ),
    key(
        "azure_key",
        &["accountkey=", "sharedaccesskey", "sharedaccesssignature", "sig=", "8q~", "accesskey="],
        r#"(?:(?:AccountKey|SharedAccessKey|SharedSecretValue|AccessKey)=(?P<v>[A-Za-z0-9+/]{20,}={0,2})|[?&]sv=20\d\d-[^\s"']{4,}sig=[A-Za-z0-9%+/]{20,}|SharedAccessSignature\s+s[ri]=[^\s]{20,}|[?&]s[ievpr]+=[^\s"']{2,}&sig=[A-Za-z0-9%+/]{20,}|\b[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{31,34}\b)"#,
    ),
    key(
        "telegram_token",
        &[":aa", "telegram"],
        r"(?:^|[^\d])(?P<v>\d{8,10}:(?-i:A[A-Za-z][A-Za-z0-9_-]{32,34}))(?:[^\w-]|$)",
    ),
    key(
        "discord_token",
        &["mt", "nt", "od", "discord"],
        r"(?:^|[^\w.])(?P<v>(?-i:[MNO][A-Za-z\d_-]{23,27}\.[A-Za-z\d_-]{6}\.[A-Za-z\d_-]{27,40}))(?:[^\w.-]|$)",
    ),
    key("stripe_webhook", &["whsec_"], r"\b(?P<v>whsec_[A-Za-z0-9+/=]{16,})"),
    key("twilio_key", &["ac", "sk"], r"\b(?P<v>(?-i:SK[0-9a-f]{32}))\b"),
    key("sendgrid_key", &["sg."], r"\b(?P<v>(?-i:SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}))"),
    key("mailgun_key", &["key-", "pubkey-"], r"\b(?P<v>(?-i:(?:pub)?key-[0-9a-z]{32}))\b"),
    key("mailchimp_key", &["-us"], r"\b(?P<v>(?-i:[0-9a-f]{32}-us\d{1,2}))\b"),
    key(
        "mandrill_brevo_key",
        &["xkeysib-", "xsmtpsib-", "re_", "pm_", "md-"],
        r"\b(?P<v>(?-i:xkeysib-[0-9a-f]{32,}(?:-[A-Za-z0-9]{8,20})?|xsmtpsib-[0-9a-f]{32,}(?:-[A-Za-z0-9]{8,20})?|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,30}))",
    ),
    key(
        "registry_token",
        &["npm_", "pypi-", "rubygems_", "cio", "dckr_", "nuget", "oy2"],
        r"(?:^|[^\w-])(?P<v>(?-i:npm_[A-Za-z0-9]{30,60}|pypi-Ag[A-Za-z0-9_-]{50,}|pypi-[A-Za-z0-9_-]{60,}|rubygems_[0-9a-f]{40,64}|cio[A-Za-z0-9]{32}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,60}|oy2[a-z0-9]{43}))",
    ),
    key(
        "model_provider_key",
        &[
            "hf_", "gsk_", "xai-", "pplx-", "r8_", "nvapi-", "fw_", "tgp_v1", "api_org_", "jina_",
            "pa-", "csk-", "lsv2_", "wandb", "ls__", "voyage",
        ],
        r"(?:^|[^\w-])(?P<v>(?-i:(?:hf|api_org)_[A-Za-z0-9]{24,60}|gsk_[A-Za-z0-9]{32,}|xai-[A-Za-z0-9]{32,}|pplx-[A-Za-z0-9]{32,}|r8_[A-Za-z0-9]{30,50}|nvapi-[A-Za-z0-9_-]{40,}|fw_[A-Za-z0-9]{20,40}|tgp_v1_[A-Za-z0-9_-]{30,60}|jina_[A-Za-z0-9_-]{40,}|pa-[A-Za-z0-9_-]{40,60}|csk-[a-z0-9]{40,60}|lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}|ls__[0-9a-f]{32}))",
    ),
    key(
        "databricks_token",
        &["dapi", "dkea", "dose"],
        r"\b(?P<v>(?-i:(?:dapi|dkea|dose)[0-9a-f]{32}(?:-\d)?))\b",
    ),
    key(
        "monitoring_key",
        &[
            "nrak-",
            "nraa-",
            "nrii-",
            "nrjs-",
            "nral",
            "glc_",
            "glsa_",
            "eyjrijoi",
            "dd-api-key",
            "sntrys_",
            "sntryu_",
            "phc_",
            "phx_",
            "lin_",
            "rg_",
            "hec",
            "dt0",
            "logz",
        ],
        r"\b(?P<v>(?-i:NR(?:AK|AA|RA|II|JS|IQ)-[A-Za-z0-9_-]{20,50}|[0-9a-f]{36}NRAL|glc_[A-Za-z0-9+/=]{32,}|glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|sntry[su]_[A-Za-z0-9_=+/-]{40,}|ph[xc]_[A-Za-z0-9]{40,60}|dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}))",
    ),
    key(
        "sentry_dsn",
        &["sentry", "ingest."],
        r"https?://(?P<v>[0-9a-f]{32}(?::[0-9a-f]{32})?)@[\w.-]{3,}/\d{1,20}",
    ),
    key(
        "shop_key",
        &["shp", "sq0", "eaaa", "access_token$", "a21aa", "a23aa"],
        r"\b(?P<v>(?-i:shp(?:at|ca|pa|ss|ua|tka)_[0-9a-fA-F]{32}|sq0[a-z]{3}-[A-Za-z0-9_-]{20,60}|EAAA[A-Za-z0-9_-]{56,62}|access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}|A2[13]AA[A-Za-z0-9_-]{70,}))",
    ),
    key(
        "work_tool_key",
        &[
            "lin_api",
            "lin_oauth",
            "secret_",
            "ntn_",
            "figd_",
            "figo_",
            "pat",
            "atatt",
            "atctt",
            "atbb",
            "pmak-",
            "dp.",
            "pul-",
            "atlasv1",
            "hvs.",
            "hvb.",
            "hvr.",
            "s.",
            "key",
            "sbp_",
            "sb_secret_",
            "vercel_",
            "vc",
            "nfp_",
            "flyv1",
            "fo1_",
            "fm2_",
            "rnd_",
            "rw_",
            "cfut_",
            "cfat_",
            "v1.0-",
            "doo_",
            "dop_",
            "dor_",
            "hrku-",
            "pscale_",
            "ico-",
            "tfp_",
            "1//",
            "age-secret-key",
            "ops_ey",
            "shippo_",
            "duffel_",
            "ezak",
            "eztk",
            "sk.eyj",
            "ctx7",
            "fio-",
            "bkua_",
            "cci",
            "circle",
            "jfrog",
            "akcp",
            "cmvmdg",
        ],
        r"(?:^|[^\w.-])(?P<v>(?-i:lin_(?:api|oauth)_[A-Za-z0-9]{30,}|secret_[A-Za-z0-9]{40,50}|ntn_[A-Za-z0-9]{40,60}|fig[dou]_[A-Za-z0-9_-]{30,60}|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}|key[A-Za-z0-9]{14}|AT[AC]TT3[A-Za-z0-9_=-]{50,}|ATBB[A-Za-z0-9]{28,40}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}|dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,48}|pul-[0-9a-f]{40}|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,75}|hv[sbr]\.[A-Za-z0-9_-]{20,}|s\.[A-Za-z0-9]{24}|sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{20,60}|vercel_[A-Za-z0-9_]{20,60}|nfp_[A-Za-z0-9]{36,40}|FlyV1 fm\d_[A-Za-z0-9+/=,_-]{40,}|f[om][12]_[A-Za-z0-9+/=_-]{40,}|rnd_[A-Za-z0-9]{28,32}|cf[ua]t_[A-Za-z0-9]{40,60}|v1\.0-[0-9a-f]{24}-[0-9a-f]{146}|do[opr]_v1_[0-9a-f]{64}|HRKU-[0-9A-Za-z_-]{36,}|pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}|tfp_[A-Za-z0-9_]{40,60}|AGE-SECRET-KEY-1[0-9A-Z]{40,70}|ops_ey[A-Za-z0-9_-]{60,}|shippo_(?:live|test)_[0-9a-f]{40}|duffel_(?:live|test)_[A-Za-z0-9_=-]{43}|EZ[AT]K[A-Za-z0-9]{54}|sk\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,40}|fio-u-[A-Za-z0-9_=-]{60,70}|bkua_[0-9a-z]{40}|CCIPAT_[A-Za-z0-9_]{20,}|AKCp[A-Za-z0-9]{10,}|cmVmdGtu[A-Za-z0-9]{20,}))",
    ),
    key(
        "house_key",
        &[
            "akid", "ltai", "ssws", "flwseck", "flwpubk", "akc", "clojars_", "rzp_", "sk_",
            "pk_live", "cfpat-", "cfbt", "ocid", "apikey-", "tskey-", "xoxe", "ghv_", "kaggle",
            "live_", "test_", "secret-", "prod_", "paystack", "nylas", "aio_", "mapbox", "lob_",
            "ddp_", "tok_", "whs_", "kv_", "sl.", "t-", "bbdc-", "ey", "apk_", "ak_", "wlk", "wak",
            "tk_",
        ],
        r"(?:^|[^\w.-])(?P<v>(?-i:AKID[A-Za-z0-9]{28,36}|LTAI[A-Za-z0-9]{12,30}|SSWS[ ]?0{2}[A-Za-z0-9_-]{36,44}|FLWSECK(?:_TEST)?-[A-Za-z0-9-]{12,60}|AKC[A-Za-z0-9]{20,90}|CLOJARS_[a-z0-9]{50,70}|rzp_(?:live|test)_[A-Za-z0-9]{14,24}|sk_[A-Za-z0-9]{30,70}|CFPAT-[A-Za-z0-9_-]{40,50}|tskey-[a-z]{3,8}-[A-Za-z0-9]{6,24}-[A-Za-z0-9]{16,50}|aio_[A-Za-z]{4}[0-9]{2}[A-Za-z0-9]{22}|(?:live|test|prod|secret|sandbox)_[A-Za-z0-9]{24,70}|BBDC-[A-Za-z0-9+/]{40,50}|sl\.[A-Za-z0-9_-]{60,200}|[a-z]{2,10}_(?:pat|key|sk|api|live|secret|prod|token)_[A-Za-z0-9]{20,80}))(?:[^\w]|$)",
    ),
    key("age_key", &["age-secret-key-"], r"(?P<v>AGE-SECRET-KEY-1[0-9A-Z]{40,70})"),
    key(
        "jwt",
        &["eyj"],
        r"(?:^|[^A-Za-z0-9_-])(?P<v>(?-i:eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}|eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{0,}\.[A-Za-z0-9_-]{12,60}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,60}))",
    ),
    Rule {
        id: "private_key",
        family: "key",
        needs: Needs::Nothing,
        why: BLOCK,
        cues: &["private key", "private-key-lines", "privatekey"],
        pattern: r"(?:-{3,5}\s?BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE[ _]KEY(?: BLOCK)?\s?-{3,5}|PuTTY-User-Key-File-\d|Private-Lines: \d|-{4} BEGIN SSH2 ENCRYPTED PRIVATE KEY|BEGIN (?:RSA|OPENSSH|EC|DSA|PGP|ENCRYPTED) PRIVATE KEY(?: BLOCK)?-{0,5}\s{1,4}(?:[\w-]{2,20}: [^\n]*\n\s{0,4}){0,3}[A-Za-z0-9+/=]{16})",
        check: is_key_block,
    },
    Rule {
        id: "private_key_body",
        family: "key",
        needs: Needs::Nothing,
        why: "the body of a private key stands here",
        cues: &[
            "miie",
            "miic",
            "miib",
            "mhcc",
            "miih",
            "mii",
            "mc4caq",
            "b3blbnnzac1rzxktdje",
            "lqo",
            "lqp",
            "lqv",
            "ljoe",
            "lqh",
        ],
        pattern: r"(?:^|[^A-Za-z0-9+/])(?P<v>(?-i:MII[EJCBHGIFKA][A-Za-z0-9+/]{1,3}IBAAKCA[A-Za-z0-9+/\s]{40,}|MII[A-Za-z0-9+/]{1,6}I?BADANBgkqhkiG9w0BAQEFAAS[A-Za-z0-9+/\s]{20,}|MC4CAQAwBQYDK2V[wu]BCIEI[A-Za-z0-9+/=]{30,60}|MHcCAQEEI[A-Za-z0-9+/\s]{30,}|MIG[HT]AgEAM[A-Za-z0-9+/\s]{40,}|b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/\s]{40,}))",
        check: |_| true,
    },
    Rule {
        id: "wireguard_key",
        family: "key",
        needs: Needs::Nothing,
        why: "a private key of a tunnel stands here",
        cues: &["privatekey", "presharedkey", "private-key", "wg genkey", "wg0"],
        pattern: r"\b(?:Private|Preshared)[-_ ]?Key\s{0,3}[=:]\s{0,3}(?P<v>[A-Za-z0-9+/]{42,43}=)",
        check: is_live,
    },
    Rule {
        id: "crypto_wallet_key",
        family: "key",
        needs: Needs::Nothing,
        why: "the private key of a wallet stands here",
        cues: &["private", "秘密鍵", "wallet", "wif", "xprv", "zprv", "yprv"],
        pattern: r"(?:\b(?P<v>(?-i:[xyz]prv[A-Za-z0-9]{100,}))\b|(?:private[ _-]?key|秘密鍵|wallet key|wif)[^\n]{0,30}?(?:0x[0-9a-f]{64}|\b(?-i:[5KL][1-9A-HJ-NP-Za-km-z]{50,51}))\b)",
        check: |_| true,
    },
];

/// Whether a key is neither masked nor one of a manual.
fn is_live(hit: &Hit<'_>) -> bool {
    let value = hit.value();
    let tail = value.rsplit(['-', '_', '.', ':']).next().unwrap_or(value);
    let body = if tail.len() >= 16 { tail } else { value };
    let words = value
        .split(['-', '_'])
        .filter(|p| p.len() > 1 && p.bytes().all(|b| b.is_ascii_lowercase()));
    let wordy = words.count() > 3 && !value.bytes().any(|b| b.is_ascii_digit());
    !is_placeholder(value) && !wordy && !is_row(body) && entropy(body) > 2.2
}

/// `1234567890abcdef…`, `abcdefghijkl…`: letters in the order of the alphabet.
fn is_row(value: &str) -> bool {
    let bytes = value.as_bytes();
    let follows =
        bytes.windows(2).filter(|pair| pair[1] == pair[0] + 1 || pair[1] == pair[0]).count();
    bytes.len() > 8 && follows * 10 > (bytes.len() - 1) * 8
}

/// A block's head alone is enough, unless it is only named: in quotes, or with dots for a body.
fn is_key_block(hit: &Hit<'_>) -> bool {
    let body = hit.after(160);
    let shown = body.trim_start_matches(['\\', 'n', '\r', '\n', ' ', '"']);
    let dots = shown.starts_with(['.', '…', '*', '<', '[']);
    let first: String = shown.chars().take(60).collect();
    let named = hit.matched().ends_with("-----")
        && (body.starts_with(['`', '\''])
            || (body.starts_with('"')
                && !body[1..].trim_start().starts_with(['+', ',', '\\', '"', '.'])))
        && !first.contains("MII");
    !(dots || named)
}

/// Whether a word could be a key that nobody's form tells of.
pub(super) fn looks_like_key(value: &str) -> bool {
    value.len() >= 16 && is_random(value) && !is_row(value) && !is_placeholder(value)
}
