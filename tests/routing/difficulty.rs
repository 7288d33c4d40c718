//! How well the difficulty of tasks is judged: a table by level, and the share of
//! hard tasks that would be sent to a small model.
//!
//! The tasks are written for this purpose, in English and Japanese, beside those
//! that a seed makes of templates. A level is what a reader would say: low is
//! mechanical, medium is ordinary work, high wants design or a search.

#![expect(clippy::print_stdout, reason = "tables are what it is for")]

use koubou::route::difficulty::DifficultyJudge;
use koubou::task::{Difficulty, wire};
use serde_json::json;

/// The levels, in the order of the table.
const LEVELS: [Difficulty; 3] = [Difficulty::Low, Difficulty::Medium, Difficulty::High];

const LOW: &[&str] = &[
    "Fix a simple bug in the code",
    "Fix the typo in the \"Architecture\" heading of docs/overview.md",
    "Rename the distributed lock variable to `lease`",
    "Update the README",
    "Bump the version to 2.3.1 and add a line to the changelog",
    "Remove the unused imports in server.py",
    "Format src/main.c with clang-format",
    "Translate the label \"Save changes\" to German",
    "List the files that this commit touches",
    "Summarise this paragraph in one sentence.",
    "Change the color of the submit button to #0055aa",
    "Sort these names alphabetically: Zoe, Adam, Mira",
    "Add a docstring to the function `merge_shards`",
    "Delete the commented-out block at the end of consensus.go",
    "Correct the spelling of \"recieve\" everywhere in the help text.",
    "Please set the default timeout in config.toml from 30 to 60 seconds.",
    "Replace tabs with spaces in Makefile.am",
    "Convert this list to uppercase.",
    "What is the capital of Norway?",
    "How many days are there in a leap year?",
    "Extract all e-mail addresses from the text below.",
    "Classify this review as positive or negative: \"The kernel panics twice a day\"",
    "Write a one-line thank-you note to Ana for the flowers.",
    "Add a missing semicolon on line 14 of app.js.",
    "Fix the broken link to the concurrency chapter in the table of contents.",
    "Update the copyright year in the footer to 2026",
    "Reformat the JSON below with two spaces.",
    "Move the import of `os` to the top of the file.",
    "Just rename getUser to fetchUser in user.ts",
    "Count the words in the attached abstract.",
    "Proofread this sentence for grammar.",
    "Add a comment above `retry()` saying why it sleeps.",
    "Change \"Log in\" to \"Sign in\" on the landing page.",
    "Remove the debug print in scheduler.rs",
    "Add `node_modules` to .gitignore",
    "Reply to Tom that the meeting is moved to 3 pm.",
    "Give me a synonym for \"robust\".",
    "Convert 40 miles to kilometres.",
    "READMEの誤字を修正してください",
    "「アーキテクチャ」という見出しの誤字を直してください",
    "分散ロックの変数名をleaseに変更してください",
    "バージョン番号を2.0.1に上げてください",
    "未使用のインポートを削除してください",
    "ボタンの色を青に変えてください",
    "この一文を英語に翻訳してください",
    "次の名前を五十音順に並べ替えてください",
    "関数merge_shardsにコメントを追加してください",
    "ログメッセージの文言を「完了しました」に変更",
    "著作権表記の年を2026年に更新してください",
    "この文章を一文で要約してください",
    "日本の首都はどこですか",
    "設定ファイルのタイムアウト値を30から60に変えるだけです",
    "コードを整形してください",
    "簡単な修正です。ラベルの文言だけ直してください",
    "排他制御の章の見出しの綴りを直して",
    "この文章から電話番号を抽出してください",
    "末尾の空白を取り除いてください",
    "お礼のメールを一行で書いてください",
    "リンク切れを直してください",
    "インデントを半角スペース2つに揃えてください",
];

const MEDIUM: &[&str] = &[
    "Refactor the API implementation",
    "Write a function that parses ISO dates and returns the week number, with unit tests.",
    "Implement a REST endpoint that returns the orders of a customer, with paging.",
    "Add pagination to the list of invoices and cover it with tests.",
    "Convert the callback-based client to async/await.",
    "Document the public API of the payments module with an example for each call.",
    "Write unit tests for the CSV importer, including empty and malformed files.",
    "Add a dark mode toggle to the settings page and remember the choice in local storage.",
    "Build a small command line tool that renames photos by their EXIF date.",
    "Write a SQL query which lists the ten customers with the highest revenue per month.",
    "The login form accepts an empty password. Validate it on the client and on the server and show a message.",
    "Create a GitHub workflow that runs the tests on every push and uploads the coverage report.",
    "Write a bash script that backs up the folder each night and keeps the last seven copies.",
    "Implement an LRU cache class in Python with get and put and a capacity.",
    "Add JWT authentication to the Express app using the library that we already have.",
    "Draft an e-mail to customers announcing the price change in May, polite and short enough for a phone.",
    "Plan a three-day trip to Kyoto for a family of four with a budget of 900 euros.",
    "Summarise the meeting notes into decisions, open questions and action items with owners.",
    "Write a product description for our new hiking backpack: three paragraphs, friendly tone, with the measurements.",
    "Parse the access log and produce a table of requests by hour and status code.",
    "Split the 900-line controller into three classes without changing its behaviour.",
    "Add a --json option to the report command; the fields are those of the table.",
    "Write a Dockerfile for the Flask app and a compose file with Postgres.",
    "Make the table sortable by clicking on its column headers.",
    "Explain how the TCP handshake works to a junior developer, with a diagram in text.",
    "Upgrade the project from React 17 to React 18 and mend what breaks in the tests.",
    "Write an integration test for the checkout that mocks the payment gateway.",
    "Add retries with exponential backoff to the HTTP client; at most four tries, on 5xx only.",
    "Create an onboarding checklist for new sales people for their first two weeks.",
    "Write a job advert for a data engineer in Hamburg, hybrid, with our benefits listed below.",
    "Generate a monthly PDF report from the sales data and send it to the managers by e-mail.",
    "Add input validation to the registration form: required name, valid e-mail, password of ten characters or more.",
    "日付の文字列を解析して週番号を返す関数を書き、テストも付けてください",
    "顧客の注文一覧を返すAPIを実装してください。ページ送りも必要です",
    "CSVの取り込み処理に単体テストを追加してください。空のファイルと壊れた行も対象です",
    "設定画面にダークモードの切り替えを追加し、選択を保存してください",
    "APIの使い方を例を付けて文書化してください",
    "ログイン画面の入力チェックを実装してください。名前は必須、パスワードは10文字以上です",
    "月ごとの売上上位10社を出すSQLを書いてください",
    "夜間にフォルダをバックアップし7世代残すシェルスクリプトを作成してください",
    "コールバックで書かれたクライアントをasyncに書き換え、テストを通してください",
    "新商品の紹介文を三段落で書いてください。対象は登山の初心者です",
    "京都への二泊三日の家族旅行の計画を立ててください。予算は10万円です",
    "値上げをお知らせするお客様向けのメールを下書きしてください。丁寧な調子でお願いします",
    "アクセスログを時間帯ごとに集計して表にするスクリプトを作ってください",
    "注文一覧に検索欄を追加し、顧客名と期間で絞り込めるようにしてください",
    "Flaskのアプリ用にDockerfileとcomposeファイルを作成してください",
    "900行のコントローラを三つのクラスに分割してください。動作は変えません",
    "議事録から決定事項と宿題を分けて表にまとめてください。担当者と期限も入れます",
    "決済の画面に統合テストを追加してください。外部の決済はモックにします",
    "新人向けの最初の二週間のチェックリストを作成してください。営業部門が対象です",
    "管理画面に利用者の一覧をCSVで出力するボタンを追加してください。列は名前、登録日、状態です",
];

const HIGH: &[&str] = &[
    "Design distributed architecture pattern",
    "Fix a deadlock that shows once a week",
    "Update the consensus protocol so that a node which was away for days can rejoin without a full copy",
    "Prove that the algorithm terminates for every input, or give a counterexample.",
    "Investigate why the memory of the worker grows slowly in production and never on staging.",
    "Migrate the billing database to a new schema without downtime; six services read it.",
    "Design a rate limiter that works across three regions with at most 1% overshoot.",
    "Our integration tests are flaky: about one run in fifty fails at random. Find the root cause.",
    "Reverse-engineer the binary protocol of this device from the captured packets.",
    "Optimise the query planner for joins of more than eight tables and show that p99 latency improves.",
    "Implement a lock-free queue for several producers and consumers and argue that its memory ordering is enough.",
    "Architect the split of our monolith into services: boundaries, order of the steps, ownership of data.",
    "Debug a race condition between the cache refresh and the writer; it shows only under load.",
    "Write a formal proof that the two-phase protocol never loses an acknowledged write.",
    "Design a multi-tenant permission model with delegated administration, and compare alternatives with their trade-offs.",
    "Port the numerical solver to the GPU while keeping its stability for ill-conditioned systems.",
    "Develop a go-to-market strategy for entering Japan, with scenarios, risks and costs for the board.",
    "Derive a closed form for the expected waiting time in this queue with two priorities.",
    "Customers are sometimes charged twice. We do not know why. Find it and make it impossible.",
    "Reduce the p99 latency of search from 900 ms to 100 ms at ten times the load.",
    "Write a compiler pass that vectorises inner loops, including the dependence analysis.",
    "Decide whether we should move from Kafka to Pulsar: costs, risks, migration path, and a recommendation.",
    "Make the event store crash-safe: after a power cut no acknowledged event may be lost, and throughput must stay above 50k events per second.",
    "Evaluate the threat model of our key rotation and propose a design that survives a compromised operator.",
    "Draft the legal strategy for the merger, considering antitrust rules in four countries.",
    "Restructure the whole codebase so that teams can release independently; propose module boundaries first.",
    "Analyse whether the drop in conversions was caused by the redesign or by the season, with confidence intervals and confounders.",
    "The replica silently diverges from the primary every few days. Determine the cause and add a check which proves consistency.",
    "Design an experiment to measure the causal effect of the discount with interference between users.",
    "Implement garbage collection for our language runtime with pauses below 2 ms.",
    "Why does the scheduler starve low priority jobs after several hours, and how should we redesign it?",
    "Find out why only the machines in Frankfurt lose their connections at night.",
    "分散合意アルゴリズムを設計してください",
    "週に一度だけ起きるデッドロックを修正してください",
    "本番だけで起きるメモリリークの原因を特定してください",
    "無停止でデータベースを新しいスキーマへ移行する計画を立ててください。六つのサービスが読んでいます",
    "このアルゴリズムが必ず停止することを証明してください",
    "モノリスをマイクロサービスに分割するアーキテクチャを設計してください",
    "クエリの実行計画を最適化し、p99の遅延を半分にしてください",
    "まれに二重課金が発生します。再現手順は不明です。原因を突き止めて直してください",
    "複数リージョンにまたがるレート制限の方式を比較検討し、設計してください",
    "ロックフリーのキューを実装し、メモリ順序が十分である理由を示してください",
    "コードベース全体を横断して認証の仕組みを作り直してください。既存の利用者を追い出さないこと",
    "負荷が高いときだけテストが不安定になります。根本原因を調査してください",
    "日本市場への参入戦略を策定してください。代替案と危険、費用を含めて役員向けにお願いします",
    "優先度が二つある待ち行列の平均待ち時間を導出してください",
    "暗号鍵の更新手順の脅威モデルを評価し、運用者が敵でも安全な方式を設計してください",
    "数値計算の丸め誤差が大きくなる原因を調べ、安定な方法に改めてください",
    "レプリカの内容が数日に一度食い違います。なぜか突き止めてください",
    "スケジューラの公平性とスループットを両立させる方式を設計し、上界を証明してください",
    "マルチテナントの権限モデルを設計し、トレードオフを説明してください",
    "通信が途切れる環境で複数人が同時編集できる同期の仕組みを設計してください",
    "全社の基幹システムを刷新するロードマップを策定してください",
    "離職率の上昇の本当の原因をデータから分析し、対策の優先順位を根拠とともに提案してください",
];

/// Templates with a `{}` for each of the lists behind it, by level.
const TEMPLATES: &[(Difficulty, &str, &[&str], &[&str])] = &[
    (Difficulty::Low, "Fix the typo in the {} of {}", PLACES, TOPICS),
    (Difficulty::Low, "Rename the variable `{}` in {}", NAMES, FILES),
    (Difficulty::Low, "Reformat {} with {} spaces", FILES, &["two", "four"]),
    (Difficulty::Low, "{}の{}の誤字を修正してください", TOPICS_JA, PLACES_JA),
    (Difficulty::Low, "{}のコメントを{}に翻訳してください", FILES, &["英語", "日本語"]),
    (Difficulty::Medium, "Write a function that {} and add tests for {}", DOES, CASES),
    (Difficulty::Medium, "Add a form to the {} page that {}", PAGES, DOES),
    (Difficulty::Medium, "Implement an endpoint that {} for the {} page", DOES, PAGES),
    (Difficulty::Medium, "{}関数を実装し、{}のテストを追加してください", DOES_JA, CASES_JA),
    (Difficulty::Medium, "{}画面に{}機能を追加してください", PAGES_JA, DOES_JA),
    (Difficulty::High, "Design a {} that {}", SYSTEMS, MUST),
    (Difficulty::High, "Investigate why {} {}", SUBJECTS, FAILS),
    (Difficulty::High, "Prove that the {} {}, or give a counterexample", SYSTEMS, MUST),
    (Difficulty::High, "{}を設計してください。{}こと", SYSTEMS_JA, MUST_JA),
    (Difficulty::High, "{}で{}原因を突き止めてください", SUBJECTS_JA, FAILS_JA),
];

const PLACES: &[&str] = &["heading", "introduction", "second paragraph", "caption", "footer"];
const TOPICS: &[&str] =
    &["the architecture guide", "the deadlock chapter", "the pricing page", "docs/consensus.md"];
const NAMES: &[&str] = &["tmp", "lock_table", "scheduler", "cnt", "design"];
const FILES: &[&str] = &["main.py", "src/raft/log.rs", "app.ts", "kernel.c", "index.html"];
const DOES: &[&str] = &[
    "validates phone numbers",
    "converts prices to euros",
    "exports the selected rows as CSV",
    "groups orders by customer",
    "sends a reminder by e-mail",
];
const CASES: &[&str] =
    &["empty input", "negative amounts", "the usual cases", "unknown currencies"];
const PAGES: &[&str] = &["settings", "profile", "checkout", "reports"];
const SYSTEMS: &[&str] = &[
    "replication protocol",
    "lock-free allocator",
    "multi-region job scheduler",
    "distributed cache",
    "query optimizer",
];
const MUST: &[&str] = &[
    "survives the loss of any two nodes",
    "never blocks a reader",
    "keeps p99 latency below 10 ms",
    "stays correct under clock skew",
];
const SUBJECTS: &[&str] =
    &["the nightly build", "one of our replicas", "the payment worker", "the mobile client"];
const FAILS: &[&str] = &[
    "sometimes hangs for minutes",
    "loses messages under load",
    "returns wrong results once a week",
    "slowly runs out of memory",
];
const TOPICS_JA: &[&str] = &["設計書", "並行処理の章", "料金ページ", "利用規約"];
const PLACES_JA: &[&str] = &["見出し", "表紙", "脚注", "目次"];
const DOES_JA: &[&str] =
    &["電話番号を検証する", "金額を換算する", "行をCSVで出力する", "通知を送る"];
const CASES_JA: &[&str] = &["空の入力", "負の金額", "通常の場合"];
const PAGES_JA: &[&str] = &["設定", "会員", "注文", "集計"];
const SYSTEMS_JA: &[&str] =
    &["複製プロトコル", "分散キャッシュ", "ジョブスケジューラ", "排他制御の方式"];
const MUST_JA: &[&str] =
    &["二台が失われても動き続ける", "無停止で更新できる", "読み手を決して待たせない"];
const SUBJECTS_JA: &[&str] = &["本番環境", "決済処理", "夜間バッチ", "複製先"];
const FAILS_JA: &[&str] = &["まれに応答が止まる", "時々データが消える", "負荷時に結果が食い違う"];

/// How often each level was given to the tasks of each level: `[expected][given]`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Confusion(pub(crate) [[usize; 3]; 3]);

impl Confusion {
    fn add(&mut self, expected: Difficulty, given: Difficulty) {
        let at = |level| LEVELS.iter().position(|other| *other == level).unwrap_or(1);
        self.0[at(expected)][at(given)] += 1;
    }

    /// The share that came out as expected.
    pub(crate) fn agreement(&self) -> f64 {
        let right: usize = (0..3).map(|n| self.0[n][n]).sum();
        right as f64 / self.0.iter().flatten().sum::<usize>().max(1) as f64
    }

    /// The share of the hard ones that would go to a small model.
    pub(crate) fn hard_to_low(&self) -> f64 {
        self.0[2][0] as f64 / self.0[2].iter().sum::<usize>().max(1) as f64
    }
}

/// Judges all tasks, prints how it went, and gives the confusion of the written and the made ones.
pub(crate) fn table() -> (Confusion, Confusion) {
    let written = judged(&written());
    let made = judged(&made(1, 300));
    print(&format!("{} tasks that were written", count(&written)), &written);
    print(&format!("{} tasks made of templates", count(&made)), &made);
    (written, made)
}

fn count(confusion: &Confusion) -> usize {
    confusion.0.iter().flatten().sum()
}

fn written() -> Vec<(Difficulty, String)> {
    let of = |(level, texts): (Difficulty, &[&str])| {
        texts.iter().map(|text| (level, (*text).to_owned())).collect::<Vec<_>>()
    };
    LEVELS.into_iter().zip([LOW, MEDIUM, HIGH]).flat_map(of).collect()
}

/// `count` tasks from the templates; the same seed makes the same.
fn made(seed: u64, count: usize) -> Vec<(Difficulty, String)> {
    let mut state = seed;
    let mut below = move |limit: usize| {
        // Knuth's generator: its high bits are good enough to pick words.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    let one = |n: usize| {
        let (level, template, first, second) = TEMPLATES[n % TEMPLATES.len()];
        let text = template.replacen("{}", first[below(first.len())], 1);
        (level, text.replacen("{}", second[below(second.len())], 1))
    };
    (0..count).map(one).collect()
}

fn judged(tasks: &[(Difficulty, String)]) -> Confusion {
    let judge = DifficultyJudge::default();
    let mut confusion = Confusion::default();
    for (expected, text) in tasks {
        let document = json!({ "description": text }).to_string();
        let task = wire::read("x", document.as_bytes()).expect("a description is a task");
        let mut reasons = Vec::new();
        let (given, _) = judge.judge(&task, &mut reasons);
        if given != *expected && std::env::var_os("KOUBOU_SHOW_WRONG").is_some() {
            println!("{} -> {}: {text}", expected.as_str(), given.as_str());
            reasons.iter().for_each(|reason| println!("    {}", reason.why));
        }
        confusion.add(*expected, given);
    }
    confusion
}

fn print(title: &str, confusion: &Confusion) {
    println!("difficulty: {title}");
    println!("  expected    low  medium  high  agreement");
    for (level, row) in LEVELS.iter().zip(confusion.0) {
        let right = row[LEVELS.iter().position(|other| other == level).unwrap_or(0)];
        let share = 100.0 * right as f64 / row.iter().sum::<usize>().max(1) as f64;
        println!("  {:<9}{:>6}{:>8}{:>6}{share:>9.1} %", level.as_str(), row[0], row[1], row[2]);
    }
    let (agreement, lost) = (100.0 * confusion.agreement(), 100.0 * confusion.hard_to_low());
    println!("  agreement {agreement:.1} %, hard ones sent to low {lost:.1} %");
}
