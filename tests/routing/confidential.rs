//! Texts that must not leave the house, by kind.

use super::pieces::Chance;

/// A kind, and how a text of it is made.
pub(crate) type Maker = (&'static str, fn(&mut Chance) -> String);

/// Every kind.
pub(crate) const KINDS: &[Maker] = &[
    ("json", |c| {
        format!(
            "{{\"user\":\"app\",\"{}\":\"{}\"}}",
            c.of(&["password", "dbPassword", "client_secret", "api_key", "accessToken"]),
            c.password()
        )
    }),
    ("yaml", |c| {
        format!(
            "db:\n  host: db1\n  {}: {}\n",
            c.of(&["password", "passwd", "secret_key", "api-key"]),
            c.password()
        )
    }),
    ("dotenv", |c| {
        format!(
            "DEBUG=0\n{}={}\n",
            c.of(&["DB_PASSWORD", "SMTP_PASS", "API_TOKEN", "JWT_SECRET", "PGPASSWORD"]),
            c.password()
        )
    }),
    ("ini", |c| format!("[mail]\nuser = app\npassword = {}\n", c.password())),
    ("xml", |c| format!("<db><user>app</user><password>{}</password></db>", c.password())),
    ("command line", |c| {
        let p = c.password();
        match c.below(4) {
            0 => format!("mysql -u root -p{p} shop"),
            1 => format!("curl -u admin:{p} https://intra.host/x"),
            2 => format!("tool --user me --password {p}"),
            _ => format!("sshpass -p '{p}' ssh root@10.0.0.3"),
        }
    }),
    ("header", |c| format!("GET / HTTP/1.1\nAuthorization: Bearer {}\n", c.token(40))),
    ("address", |c| {
        format!(
            "{}://svc:{}@db.intra:5432/shop",
            c.of(&["postgres", "amqp", "https", "redis", "mongodb+srv"]),
            c.password()
        )
    }),
    ("sql", |c| format!("CREATE USER app IDENTIFIED BY '{}';", c.password())),
    ("table", |c| {
        format!("| host | user | password |\n|---|---|---|\n| db1 | root | {} |\n", c.password())
    }),
    ("csv", |c| format!("user,password\nalma,{}\nbruno,{}\n", c.password(), c.password())),
    ("netrc", |c| format!("machine git.intra login alma password {}\n", c.password())),
    ("kubernetes", |c| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  pw: {}\n",
            c.token(24)
        )
    }),
    ("provider key", |c| {
        let body = c.token(36);
        match c.below(6) {
            0 => format!("use {}_{body}", "ghp"),
            1 => format!("use {}-proj-{body}", "sk"),
            2 => format!("use {}{}", "AKIA", c.letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)),
            3 => format!("use {}-{}-{body}", "xoxb", c.digits(12)),
            4 => format!("use {}_live_{body}", "sk"),
            _ => format!("use {}-{body}", "glpat"),
        }
    }),
    ("private key", |c| {
        format!(
            "-----BEGIN {}PRIVATE {}-----\n{}\n",
            c.of(&["", "RSA ", "EC ", "OPENSSH "]),
            "KEY",
            c.token(64)
        )
    }),
    ("prose, English", |c| {
        let p = c.password();
        match c.below(6) {
            0 => format!("The admin password is {p}, please write the manual."),
            1 => format!("Log in as alma with {p} and export the list."),
            2 => format!("Our Wi-Fi passphrase: {p}. Make a poster."),
            3 => format!("creds root / {p}"),
            4 => format!("user: alma pass: {p}"),
            _ => format!("The door PIN is {}, tell the cleaners.", c.digits(4)),
        }
    }),
    ("prose, Japanese", |c| {
        let p = c.password();
        match c.below(6) {
            0 => format!("管理者のパスワードは{p}です。手順書を書いて。"),
            1 => format!("パスワード：{p}\nでログインする手順をまとめて"),
            2 => format!("PWは「{p}」に変更しました。案内文を作って。"),
            3 => format!("暗証番号は{}です。", c.digits(4)),
            4 => format!("ログイン情報 ID: alma / PW: {p}"),
            _ => format!("初期パスワードを {p} としてください。"),
        }
    }),
    ("card", |c| format!("Refund the card {} please.", c.card())),
    ("my number", |c| format!("マイナンバーは{}です。書類を作って。", c.my_number())),
    ("contacts", |c| {
        format!(
            "name,email,phone\n{},a@kaisha.jp,{}\n{},b@kaisha.jp,{}\n",
            c.person(),
            c.mobile(),
            c.person(),
            c.mobile()
        )
    }),
    ("contacts, Japanese", |c| {
        format!("氏名: {}\n住所: 東京都港区芝1-2-3\n電話番号: {}\n", c.person_ja(), c.mobile())
    }),
    ("patient", |c| format!("患者 {}様、糖尿病と診断。次回の処方を要約して。", c.person_ja())),
    ("personnel", |c| {
        format!("Performance review of {}: rating 2, salary ${},000.", c.person(), c.digits(2))
    }),
    ("marking", |c| {
        format!(
            "{}\n\nThe plant in the north will be sold.",
            c.of(&[
                "CONFIDENTIAL",
                "[INTERNAL USE ONLY]",
                "Classification: Restricted",
                "TLP:RED",
                "Strictly confidential - do not distribute"
            ])
        )
    }),
    ("marking, Japanese", |c| {
        format!(
            "{}\n北工場を売却する。",
            c.of(&["社外秘", "【機密】", "取扱注意", "極秘 2026年", "㊙ 資料"])
        )
    }),
    ("intent", |c| {
        c.of(&[
            "Please keep this in-house: we move the plant.",
            "Do not send this to the cloud. Notes of the board.",
            "この内容は社外に出さないでください。要約して。",
            "This must not leave the company: the plan for May.",
        ])
        .to_owned()
    }),
    ("unannounced", |c| {
        c.of(&[
            "Draft the memo on our merger with Orlan, not yet announced.",
            "未発表の決算です。売上は12億円。要約して。",
            "Our layoffs are not public yet; write the talking points.",
        ])
        .to_owned()
    }),
    ("full width", |c| wide(&format!("password={}", c.password()))),
    ("zero width", |c| format!("pass\u{200b}word: {}", c.password())),
    ("look-alikes", |c| format!("p\u{430}ssw\u{43e}rd: {}", c.password())),
    ("base64", |c| encode(&format!("db_password={}", c.password()))),
    ("hex", |c| {
        format!("password: {}", c.password()).bytes().map(|b| format!("{b:02x}")).collect()
    }),
    ("percent", |c| {
        format!("password={}", c.password()).bytes().map(|b| format!("%{b:02X}")).collect()
    }),
    ("entities", |c| {
        format!("password={}", c.password()).bytes().map(|b| format!("&#{b};")).collect()
    }),
    ("escapes", |c| {
        format!("password={}", c.password()).bytes().map(|b| format!("\\u{b:04x}")).collect()
    }),
    ("JSON in JSON", |c| {
        serde_json::json!({ "body": serde_json::json!({ "password": c.password() }).to_string() })
            .to_string()
    }),
    ("split literal", |c| format!("let x = \"pass\" + \"word: {}\";", c.password())),
    ("spaced out", |c| {
        format!("password: {}", c.password()).chars().map(|l| format!("{l} ")).collect()
    }),
];

fn wide(text: &str) -> String {
    let one = |c: char| {
        if c.is_ascii_graphic() { char::from_u32(c as u32 + 0xfee0).unwrap_or(c) } else { c }
    };
    text.chars().map(one).collect()
}

fn encode(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for part in text.as_bytes().chunks(3) {
        let n = part.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - part.len()));
        for k in 0..=part.len() {
            out.push(char::from(LETTERS[(n >> (18 - 6 * k)) as usize & 63]));
        }
    }
    out
}
