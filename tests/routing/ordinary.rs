//! Ordinary texts that speak of secrets, or look like them, and hold none.

use super::confidential::Maker;
use super::pieces::Chance;

/// Every kind.
pub(crate) const KINDS: &[Maker] = &[
    ("reset flow", |c| {
        c.of(&[
            "Write a password reset flow with e-mail.",
            "パスワードリセット画面を実装して",
            "Add a test for the forgotten password page.",
        ])
        .to_owned()
    }),
    ("policy", |c| {
        c.of(&[
            "Passwords must have 12 characters or more.",
            "パスワードは8文字以上にしてください、と表示して",
            "Rotate the API keys every 90 days; write the guide.",
        ])
        .to_owned()
    }),
    ("tokenizer", |c| {
        format!(
            "max_tokens: {}\ntokens per minute: {}\nExplain the tokenizer.",
            c.digits(4),
            c.digits(5)
        )
    }),
    ("placeholders", |c| {
        format!(
            "PASSWORD={}\nWrite the README.",
            c.of(&[
                "<your password>",
                "${DB_PASSWORD}",
                "changeme",
                "YOUR_KEY_HERE",
                "********",
                "{{ password }}"
            ])
        )
    }),
    ("code", |c| {
        c.of(&[
            "const password = req.body.password;",
            "token = os.environ[\"API_TOKEN\"]",
            "let secret: Secret = load_secret()?;",
            "if user.password == hash(input) { ok() }",
            "def login(user: str, password: str) -> bool:",
        ])
        .to_owned()
    }),
    ("uuid", |c| {
        format!("id: {}-{}-4{}-a{}-{}", c.hex(8), c.hex(4), c.hex(3), c.hex(3), c.hex(12))
    }),
    ("commit", |c| format!("Revert commit {} and explain.", c.hex(40))),
    ("digest", |c| format!("image@sha256:{}", c.hex(64))),
    ("picture", |c| format!("data:image/png;base64,iVBORw0KGgo{}=", c.token(400))),
    ("log", |c| {
        format!(
            "2026-11-23T01:02:03Z INFO req={} took {} ms\n2026-11-23T01:02:04Z WARN retry {}",
            c.hex(16),
            c.digits(3),
            c.digits(1)
        )
    }),
    ("talk of markings", |c| {
        c.of(&[
            "Explain confidential computing.",
            "What does TLP mean?",
            "機密情報の取り扱い規程を書いて",
            "Add a CONFIDENTIAL watermark option.",
        ])
        .to_owned()
    }),
    ("algorithm", |c| {
        c.of(&[
            "Explain Shamir's secret sharing.",
            "秘密分散とは何か説明して",
            "Prove that the private key cannot be had from the public one.",
        ])
        .to_owned()
    }),
    ("test card", |_| "Pay with 4111 1111 1111 1111 in the sandbox.".to_owned()),
    ("schema", |c| {
        format!(
            "CREATE TABLE users (id INT, name VARCHAR({0}), email VARCHAR({0}), password_hash CHAR(60));",
            c.digits(2)
        )
    }),
    ("support", |c| format!("Ask support@example.com about order {}.", c.digits(8))),
    ("work", |c| {
        c.of(&[
            "Fix the typo in the README.",
            "関数にコメントを追加して",
            "Refactor the parser into two modules.",
            "Summarise the release notes.",
        ])
        .to_owned()
    }),
];

/// A text of 4 KiB without anything confidential, as tasks have.
pub(crate) fn page(c: &mut Chance) -> String {
    let mut text = String::new();
    while text.len() < 4096 {
        let (_, make) = KINDS[c.below(KINDS.len())];
        text.push_str(&make(c));
        text.push_str("\n\n");
    }
    text.truncate(koubou::base::words::boundary(&text, 4096));
    text
}
