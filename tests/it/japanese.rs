//! koubou speaks Japanese to people whose locale is, and to programs as it always does.

use std::fs;

use serde_json::json;

use crate::report::worked;
use crate::support::sandbox::Said;
use crate::support::workers::{echo, local, script};
use crate::support::{ModelServer, Reply, Sandbox, Tmux};

const JAPANESE: [(&str, &str); 1] = [("LANG", "ja_JP.UTF-8")];

pub(crate) trait Spoken {
    /// Runs koubou with these variables.
    fn with(&self, variables: &[(&str, &str)], args: &[&str]) -> Said;

    /// Runs koubou for somebody who speaks Japanese.
    fn in_japanese(&self, args: &[&str]) -> Said {
        self.with(&JAPANESE, args)
    }
}

impl Spoken for Sandbox {
    fn with(&self, variables: &[(&str, &str)], args: &[&str]) -> Said {
        let mut command = self.command(args);
        command.envs(variables.iter().copied());
        self.run(command, "")
    }
}

/// A home with a good task, a failed one, and one that waits.
fn shop() -> Sandbox {
    let shop = Sandbox::with_workers(&[echo(), script("fails", "echo oops >&2; exit 3", &[])]);
    shop.drop_task("good", &json!({ "description": "nothing waits", "worker": "echo" }));
    shop.drop_task("bad", &json!({ "description": "x", "worker": "fails", "max_attempts": 1 }));
    shop.drain().ends(0);
    shop.drop_task(
        "later",
        &json!({ "description": "x", "worker": "echo", "not_before": "2999-01-01T00:00:00Z" }),
    );
    shop.drain().ends(75);
    shop
}

/// What of a text is English: words that are neither names nor signs of the trade.
fn english_in(text: &str, names: &[&str]) -> Vec<String> {
    const USUAL: [&str; 8] = ["koubou", "UTC", "csv", "json", "low", "medium", "high", "Tab"];
    let words = text.split(|c: char| !c.is_ascii_alphabetic() && c != '_');
    let words = words.filter(|word| word.len() > 2);
    words.filter(|word| !USUAL.contains(word) && !names.contains(word)).map(str::to_owned).collect()
}

/// What a page says to a reader, and to whoever hears it read.
fn said_by(page: &str) -> String {
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    let mut said = String::new();
    for tag in [before, after].concat().split('<').skip(1) {
        let (tag, text) = tag.split_once('>').unwrap();
        let label = tag.split_once("aria-label=\"").and_then(|(_, label)| label.split_once('"'));
        said.push_str(&format!("{}\n{text}\n", label.map_or("", |(label, _)| label)));
    }
    said
}

#[test]
fn the_report_is_japanese_for_people_and_as_ever_for_programs() {
    const NAMES: [&str; 9] = [
        "cloud",
        "local",
        "echo",
        "fails",
        "general",
        "code_generation",
        "command_failed",
        "exit_code",
        "rate_limited",
    ];
    let shop = worked();
    let table = shop.in_japanese(&["report"]).ends(0).out;
    for part in [
        "タスク    4: 完了 3、失敗 1、実行中 0、待機 0\n",
        "成功率    75.0 %\n",
        "中央値 ",
        "$100.00 のうち $1.45 を使用、$0.00 を確保、残り $98.55",
        "2 回の試行を `cloud` で行えば",
        "ワーカー  タスク  完了  失敗  成功率   待ち p50/p90/p99",
        "失敗した試行",
    ] {
        assert!(table.contains(part), "no `{part}` in\n{table}");
    }
    assert_eq!(english_in(&table, &NAMES), [""; 0], "{table}");
    let page = shop.in_japanese(&["report", "--format", "html"]).ends(0).out;
    assert!(page.contains("<html lang=\"ja\">") && page.contains("<title>koubou 報告書 "));
    for part in ["日ごとの費用", "待ち時間 (中央値)", "ワーカー別", "棒グラフ: ", "&lt;1分"]
    {
        assert!(page.contains(part), "no `{part}` in {page}");
    }
    let said = said_by(&page).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    assert_eq!(english_in(&said, &NAMES), [""; 0], "{said}");
    for format in ["csv", "json"] {
        let of = |said: Said| said.ends(0).out.lines().next().unwrap_or_default().to_owned();
        let whole = ["report", "--format", format];
        let (english, japanese) = (of(shop.koubou(whole)), of(shop.in_japanese(&whole)));
        let upto = english.find("generated_at").unwrap_or(english.len());
        assert_eq!(english[..upto], japanese[..upto], "{format}");
        assert!(japanese.is_ascii(), "{japanese}");
    }
    assert!(shop.koubou(["report", "--format", "html"]).ends(0).out.contains("<html lang=\"en\">"));
}

#[test]
fn an_empty_report_is_japanese_too() {
    let shop = Sandbox::with_echo();
    shop.koubou(["rebuild"]).ends(0);
    let page = shop.in_japanese(&["report", "--format", "html", "--month", "2020-01"]).ends(0).out;
    assert_eq!(english_in(&said_by(&page), &[]), [""; 0], "{page}");
    assert!(page.contains("この期間の支出はありません。"), "{page}");
    let span = ["report", "--from", "2020-01-01", "--to", "2021-06-30"];
    let table = shop.in_japanese(&span).ends(0).out;
    assert!(table.starts_with("2020-01-01 から 2021-06-30 まで (UTC)\n"), "{table}");
    assert_eq!(english_in(&table, &[]), [""; 0], "{table}");
}

#[test]
fn the_live_screen_is_japanese_and_holds_in_a_small_window() {
    let server = ModelServer::start();
    let shop = Sandbox::with_workers(&[local(&server), echo()]);
    let Some(tmux) = Tmux::start(&shop, 80, 24) else { return };
    let daemon = shop.daemon();
    server.will(Reply::answer("late", 5, 5).held());
    shop.drop_task("slow", &json!({ "description": "think", "worker": "local" }));
    server.wait_for_held(1);
    let names = ["local", "echo", "slow", "next", "RPM", "TPM", "Enter"];
    tmux.run("env LC_ALL=ja_JP.UTF-8 $KOUBOU top; echo \"left with $?\"");
    tmux.until(&[
        "実行中 1",
        "稼働中 (",
        "状態",
        "理由",
        "出来事",
        "開始        slow  担当 local-1",
    ]);
    shop.drop_task("next", &json!({ "description": "too", "worker": "local" }));
    let screen = tmux.until(&["[待機 1]", "ワーカー `local` の空き", "投入        next", "Tab 欄"]);
    let home = shop.home().display().to_string();
    let shown = screen.lines().next().unwrap().split("稼働中").next().unwrap().to_owned();
    assert!(home.ends_with(shown.trim().trim_start_matches('…')), "{screen}");
    assert_eq!(english_in(&screen.replacen(&shown, "", 1), &names), [""; 0], "{screen}");
    tmux.press("p");
    tmux.until(&["一時停止中: P で再開", "工房を一時停止しました"]);
    tmux.press("p");
    tmux.until(&["工房を再開しました"]);
    tmux.press("Right");
    tmux.until(&["[実行中 1]", "> slow", "秒経過"]);
    tmux.press("x");
    tmux.until(&["`slow` を取り消しますか? y: はい"]);
    tmux.press("n");
    tmux.until(&["`slow` は続きます"]);
    tmux.press("?");
    let help = tmux.until(&["どのキーでも戻ります", "タスクを取り消す", "時刻は UTC です。"]);
    let keys = ["Shift", "PgUp", "PgDn", "Enter", "Esc", "Ctrl", "RPM", "TPM", "top"];
    assert_eq!(english_in(&help, &keys), [""; 0], "{help}");
    tmux.press("q");
    server.release();
    tmux.until(&["完了        slow", "完了        next"]);
    tmux.press("q");
    tmux.until(&["left with 0"]);
    drop(daemon);
}

#[test]
fn status_list_and_workers_say_what_there_is() {
    let shop = shop();
    let said = shop.in_japanese(&["status"]).ends(0);
    let home = shop.home();
    assert!(
        said.out.starts_with(&format!("{} は誰も動かしていません\n", home.display())),
        "{}",
        said.out
    );
    assert!(said.out.contains("待機 1、実行中 0、完了 1、失敗 1\n"), "{}", said.out);
    assert!(said.out.contains("ワーカー  状態"), "{}", said.out);
    assert!(said.out.contains("本日"), "{}", said.out);
    assert_eq!(
        said.err,
        "ヒント: このホームを動かすデーモンがありません。`koubou start` で起動できます\n"
    );
    let said = shop.in_japanese(&["list"]).ends(0);
    assert!(said.out.contains("`not_before` の時刻 2999-01-01T00:00:00.000Z"), "{}", said.out);
    assert!(said.out.contains("good   completed  echo"), "{}", said.out);
    let said = shop.in_japanese(&["workers"]).ends(0);
    assert!(said.out.contains("停止中") && said.out.contains("エンドポイント"), "{}", said.out);
}

#[test]
fn a_running_workshop_says_what_is_waited_for() {
    let shop = Sandbox::with_echo();
    let _daemon = shop.daemon();
    shop.in_japanese(&["pause", "echo"]).ends(0);
    let said = shop.in_japanese(&["submit", "-d", "x", "--id", "a"]).ends(0);
    assert_eq!(said.out, "a\n");
    let paused = "ワーカー `echo` は一時停止中です: `koubou resume echo` で再開します";
    shop.eventually("it waits", || shop.in_japanese(&["status"]).out.contains(paused));
    let said = shop.in_japanese(&["status"]);
    assert!(said.out.contains("1 件のタスクが待っています: "), "{}", said.out);
    let said = shop.in_japanese(&["wait", "a", "--timeout", "1ms"]).ends(124);
    assert_eq!(said.err, "1 件のタスクがまだ終わっていません: `a`\n");
    let said = shop.in_japanese(&["resume", "echo"]).ends(0);
    assert_eq!(said.err, "ワーカー `echo` を再開しました\n");
    shop.in_japanese(&["wait", "a"]).ends(0);
}

#[test]
fn what_cannot_be_done_is_told_with_what_to_do() {
    let shop = shop();
    let file = shop.beside("bad.json");
    fs::write(&file, r#"{"priorty": 7, "priority": "high"}"#).unwrap();
    let said = shop.in_japanese(&["submit", file.to_str().unwrap()]).ends(1);
    assert!(said.err.contains("はタスクではありません: "), "{}", said.err);
    assert!(
        said.err.contains("`priority` は 0 から 10 の整数でなければなりませんが、文字列です"),
        "{}",
        said.err
    );
    assert!(said.err.ends_with("ヒント: 何も投入していません\n"), "{}", said.err);
    let said = shop.in_japanese(&["wait", "bad"]).ends(1);
    assert_eq!(
        said.err,
        "`bad` は失敗しました: プログラム `sh` が 3 で終了しました: oops。訴えている原因を直し、タスクを再試行してください\n"
    );
    let said = shop.in_japanese(&["show", "goodd"]).ends(1);
    assert_eq!(said.err, "エラー: タスク `goodd` はありません\nヒント: `good` のことですか?\n");
    shop.config("available_workers:\n  - {type: a, kind: eco}\nrouting_rule: []\n");
    let said = shop.in_japanese(&["workers"]).ends(1);
    assert!(said.err.starts_with("エラー: 設定に誤りがあります\n"), "{}", said.err);
    assert!(
        said.err.contains("agent.yaml:3:1: 知らないキー `routing_rule` があります。`routing_rules` のことですか?\n"),
        "{}",
        said.err
    );
}

#[test]
fn budget_doctor_and_route_say_what_they_found() {
    let server = ModelServer::start();
    let shop = Sandbox::with_workers(&[local(&server), echo()]);
    let said = shop.in_japanese(&["budget"]).ends(0);
    let first = said.out.lines().next().unwrap();
    assert!(
        first.starts_with("本日     $10.00 のうち $0.00 を使用、$0.00 を確保、残り $10.00 ("),
        "{first}"
    );
    let said = shop.in_japanese(&["doctor"]).ends(1);
    assert!(said.out.contains("すべての行が読めます\n"), "{}", said.out);
    let unknown = "応答しますが、モデル `house-model` はありません: あるのは `stand-in` です (ワーカー `local`)\n";
    assert!(said.out.contains(unknown), "{}", said.out);
    assert!(said.out.contains("直し方: ${EDITOR:-vi} "), "{}", said.out);
    assert!(said.out.contains("\nエラー 1 件、警告 "), "{}", said.out);
    let said = shop.in_japanese(&["route", "Refactor the API implementation"]).ends(0);
    assert!(said.out.contains("難易度       medium\n"), "{}", said.out);
    assert!(
        said.out
            .contains("理由         `api` は知識を要する分野を指します (+0.5) (/description)\n"),
        "{}",
        said.out
    );
}

#[test]
fn help_and_wrong_usage_are_japanese_too() {
    let shop = Sandbox::new();
    let commands = shop.koubou(["--help"]).ends(0).out;
    let names = commands.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names: Vec<&str> =
        names.map_while(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    assert!(names.len() > 20, "{names:?}");
    // A line that goes on from the one above names none.
    for name in names.into_iter().filter(|name| !matches!(*name, "" | "help")) {
        let english = shop.koubou([name, "--help"]).ends(0).out;
        let japanese = shop.in_japanese(&[name, "--help"]).ends(0).out;
        assert!(japanese.contains("使い方: koubou"), "{japanese}");
        let is_prose = |line: &&str| line.split(' ').filter(|word| word.len() > 3).count() > 3;
        let is_typed = |line: &str| line.starts_with("Usage:") || line.contains("scan -q --");
        for line in english.lines().filter(is_prose).filter(|line| !is_typed(line)) {
            assert!(!japanese.contains(line.trim()), "{name}: `{line}` is left in\n{japanese}");
        }
    }
    let said = shop.in_japanese(&["frob"]).ends(2);
    assert!(said.err.starts_with("エラー: コマンド 'frob' はありません\n"), "{}", said.err);
    let said = shop.in_japanese(&["submit", "--priority", "99"]).ends(2);
    let first = said.err.lines().next().unwrap();
    assert_eq!(
        first,
        "エラー: '--priority <N>' の値 '99' は正しくありません: 99 は範囲 0..=10 の外です"
    );
    for wrong in [
        &["submit", "--unikue"][..],
        &["list", "--status", "x"],
        &["show"],
        &["pause", "a", "--group", "b"],
        &["list", "x"],
        &["--home"],
        &["wait", "--any", "--any", "x"],
        &["budget", "set"],
        &["budget", "set", "--daily", "x"],
        &["wait", "a", "--timeout", "soon"],
    ] {
        let said = shop.in_japanese(wrong).ends(2);
        for line in said.err.lines().filter(|line| !line.is_empty()) {
            let is_typed = line.trim_start().starts_with(['<', '[']);
            assert!(is_typed || !line.is_ascii(), "{wrong:?}: `{line}` is left in English");
        }
    }
}

#[test]
fn the_readme_shows_what_is_said() {
    let said = Sandbox::new().in_japanese(&["result", "nothing"]).ends(1).err;
    let told: String = said.lines().map(|line| format!("    {line}\n")).collect();
    for name in ["README.md", "README.ja.md"] {
        let text = fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(text.contains(&told), "{name} lacks\n{told}");
    }
}

#[test]
fn a_worker_says_since_when_it_cannot_be_reached() {
    let gone = json!({ "type": "local", "model": "m", "endpoint": "http://127.0.0.1:9/v1" });
    let shop = Sandbox::with_workers(&[gone, echo()]);
    let _daemon = shop.daemon();
    shop.koubou(["submit", "-d", "x", "--worker", "local"]).ends(0);
    shop.eventually("it is unreachable", || {
        let workers = shop.in_japanese(&["workers"]).out;
        workers.contains("接続不能 (") && workers.contains("が応答しません (接続を拒否されました)")
    });
}

#[test]
fn another_language_or_alphabet_is_answered_in_english() {
    let shop = Sandbox::new();
    let english = shop.koubou(["show", "x"]).ends(1).err;
    assert!(english.starts_with("error: there is no task `x`"), "{english}");
    for variables in [
        &[("LC_ALL", "C"), ("LANG", "ja_JP.UTF-8")][..],
        &[("LC_MESSAGES", "en_US.UTF-8"), ("LANG", "ja_JP.UTF-8")],
        &[("LANG", "ja_JP.eucJP")],
    ] {
        assert_eq!(shop.with(variables, &["show", "x"]).ends(1).err, english, "{variables:?}");
        let help = shop.with(variables, &["submit", "--help"]).ends(0).out;
        assert_eq!(help, shop.koubou(["submit", "--help"]).ends(0).out);
    }
    let said = shop.with(&[("LC_ALL", ""), ("LC_MESSAGES", "ja_JP.UTF-8")], &["show", "x"]);
    assert!(said.err.starts_with("エラー: "), "{}", said.err);
}

#[test]
fn what_programs_read_is_the_same_in_every_language() {
    let shop = shop();
    let content = "nothing waits";
    assert_eq!(shop.in_japanese(&["result", "good"]).ends(0).out, content);
    let shown = shop.in_japanese(&["show", "good"]).ends(0).out;
    assert!(shown.ends_with(&format!("\n\n{content}\n")), "{shown}");
    assert!(shown.starts_with("タスク       good\n"), "{shown}");
    for args in [
        &["list", "--json"][..],
        &["workers", "--json"],
        &["show", "good", "--json"],
        &["show", "bad", "--json"],
        &["show", "later", "--json"],
        &["result", "bad", "--json"],
        &["log", "bad", "--json"],
        &["log", "bad"],
        &["route", "--json", "Refactor the API"],
        &["completions", "bash"],
        &["man"],
        &["--version"],
    ] {
        let (english, japanese) = (shop.koubou(args), shop.in_japanese(args));
        assert_eq!((english.code, english.out), (japanese.code, japanese.out), "{args:?}");
    }
    // An agent is answered as ever.
    let calls = [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call",
            "params": {"name": "get_result", "arguments": {"task_id": "nix"}}}),
    ];
    let calls: String = calls.iter().map(|call| format!("{call}\n")).collect();
    let mut mcp = shop.command(["mcp"]);
    mcp.envs(JAPANESE);
    let said = shop.run(mcp, &calls).ends(0);
    assert!(said.out.contains("there is no task `nix`\\nhint: "), "{}", said.out);
    // The daemon's log is read by programs; only what a drain could not do is an answer.
    let said = shop.in_japanese(&["start", "--drain"]).ends(75);
    assert!(said.err.contains("INFO  working "), "{}", said.err);
    assert!(
        said.err.ends_with(
            "1 件のタスクが待っています: `not_before` の時刻 2999-01-01T00:00:00.000Z\n"
        ),
        "{}",
        said.err
    );
    let log = fs::read_to_string(shop.home().join("logs/system/koubou.log")).unwrap();
    assert!(!log.contains("タスク"), "the log is English");
}
