//! Figures for Prometheus: a file that is replaced whole, and the same from `koubou status`.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::workers::{CLOUD_KEY, cloud, echo, fresh_secret};
use crate::support::{ModelServer, Reply, Sandbox};

/// Every sample by its name and labels, after the text was found to be as Prometheus wants it.
#[track_caller]
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut types: BTreeMap<&str, &str> = BTreeMap::new();
    let mut helped = Vec::new();
    let mut found = BTreeMap::new();
    let mut family = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split_once(' ').expect("a name and words").0;
            assert!(!helped.contains(&family), "{family} is there twice");
            helped.push(family);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, sort) = rest.split_once(' ').unwrap();
            assert_eq!(name, family, "HELP and TYPE of a family stand together");
            assert_eq!(sort == "counter", name.ends_with("_total"), "{line}");
            types.insert(name, sort);
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a name and a value");
            let name = series.split('{').next().unwrap();
            assert_eq!(name, family, "samples follow their family: {line}");
            assert!(name.starts_with("koubou_"), "{line}");
            if let Some(labels) = series.strip_prefix(name).filter(|labels| !labels.is_empty()) {
                assert!(labels.starts_with('{') && labels.ends_with("\"}"), "{line}");
            }
            let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
            assert!(found.insert(series.to_owned(), value).is_none(), "twice: {line}");
        }
    }
    assert!(text.ends_with('\n') && !types.is_empty());
    found
}

/// Has Prometheus's own tool look at it, where it is installed.
fn ask_promtool(text: &str) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut tool) = command.stdout(Stdio::piped()).spawn() else {
        println!("skipped: promtool is not installed");
        return;
    };
    std::io::Write::write_all(&mut tool.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let said = tool.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success(), "promtool: {words}");
}

fn file(shop: &Sandbox) -> String {
    fs::read_to_string(shop.home().join("metrics/koubou.prom")).unwrap_or_default()
}

#[test]
fn a_daemon_writes_what_changed_and_status_says_the_same() {
    let sky = ModelServer::start();
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    shop.hire(&[cloud(&sky), echo()], &json!({}));
    sky.will(Reply::answer("a", 1_000, 20));
    let daemon = shop.daemon();
    shop.drop_task("paid", &json!({ "description": "a" }));
    shop.drop_task("free", &json!({ "description": "a", "worker": "echo" }));
    let odd = json!({ "description": "a", "task_type": "a\"} 9 \\",
                      "not_before": "2999-01-01T00:00:00Z" });
    shop.drop_task("later", &odd);
    shop.koubou(["wait", "paid", "free"]).ends(0);
    let attempts = "koubou_attempts_total{worker=\"cloud\"}";
    let is_told = |text: &str| {
        text.contains(attempts)
            && text.contains("koubou_tasks{state=\"completed\"} 2")
            && text.contains("koubou_tasks{state=\"pending\"} 1")
    };
    shop.eventually("the file says what was done", || is_told(&file(&shop)));
    let text = file(&shop);
    let told = samples(&text);
    assert_eq!(told["koubou_up"], 1.0);
    assert_eq!(told[attempts], 1.0);
    assert_eq!(told["koubou_tokens_total{worker=\"cloud\",part=\"prompt\"}"], 1_000.0);
    assert!(told["koubou_cost_dollars_total{worker=\"cloud\"}"] > 0.0);
    assert_eq!(told["koubou_worker_state{worker=\"echo\",state=\"idle\"}"], 1.0);
    let by_type: Vec<_> =
        told.keys().filter(|series| series.starts_with("koubou_pending_tasks_by_type")).collect();
    assert_eq!(by_type, ["koubou_pending_tasks_by_type{task_type=\"a\\\"} 9 \\\\\"}"]);
    ask_promtool(&text);
    let said = shop.koubou(["status", "--prometheus"]).ends(0).out;
    let names = |text: &str| samples(text).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&said), names(&text));
    ask_promtool(&said);

    // While nothing changes, nobody writes.
    let modified =
        || fs::metadata(shop.home().join("metrics/koubou.prom")).unwrap().modified().unwrap();
    assert_eq!(daemon.stop(), Some(0));
    let last = samples(&file(&shop));
    assert_eq!(last["koubou_up"], 0.0, "the last thing that it writes is that it has gone");
    let at = modified();
    shop.koubou(["status", "--prometheus"]).ends(0);
    assert_eq!(modified(), at, "to ask writes nothing");

    // Counters go on where they were, also in a mirror that is made anew.
    fs::remove_dir_all(shop.home().join("db")).unwrap();
    sky.will(Reply::answer("b", 500, 10));
    shop.drop_task("more", &json!({ "description": "b" }));
    let daemon = shop.daemon();
    shop.koubou(["wait", "more"]).ends(0);
    assert_eq!(daemon.stop(), Some(0));
    let after = samples(&file(&shop));
    assert_eq!(after[attempts], 2.0);
    assert_eq!(after["koubou_tokens_total{worker=\"cloud\",part=\"prompt\"}"], 1_500.0);
    for (series, value) in &last {
        if series.contains("_total") {
            assert!(after[series] >= *value, "{series} went back");
        }
    }
    assert_eq!(crate::support::sandbox::names(&shop.home().join("metrics")), ["koubou.prom"]);
}
