//! What `koubou report` says of real work, of much of it, and of names that mean harm.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::japanese::Spoken;
use crate::support::browser::Browser;
use crate::support::workers::{CLOUD_KEY, cloud, echo, fresh_secret, local, script};
use crate::support::{ModelServer, Reply, Sandbox};

/// A home in which two models, a program and the echo have worked, not all of them well.
pub(crate) fn worked() -> Sandbox {
    let (sky, house) = (ModelServer::start(), ModelServer::start());
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    let fails = script("fails", "exit 3", &[]);
    shop.hire(&[cloud(&sky), local(&house), echo(), fails], &json!({}));
    // Turned away, it has cost nothing.
    sky.will(Reply::status(429).header("retry-after", "0"));
    sky.will(Reply::answer("a", 1_000_000, 20_000));
    house.will(Reply::answer("b", 30, 12));
    shop.drop_task("heard", &json!({ "description": "a", "worker": "echo" }));
    shop.drop_task("paid", &json!({ "description": "a", "task_type": "code_generation" }));
    shop.drop_task("kept", &json!({ "description": "a", "sensitivity_level": "confidential" }));
    shop.drop_task("bad", &json!({ "description": "a", "worker": "fails" }));
    shop.drain().ends(0);
    shop
}

/// A home whose mirror others have filled.
fn filled(sql: &str) -> Sandbox {
    let shop = Sandbox::with_echo();
    shop.koubou(["rebuild"]).ends(0);
    shop.mirror().execute_batch(sql).unwrap();
    shop
}

/// So many tasks, spread over so many days before the end of 2025, each with an attempt.
fn many(tasks: u32, days: u32) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {tasks}),
            t AS (SELECT i, datetime('2025-12-31 23:00:00', '-' || (i % {days}) || ' days', '-' || (i % 23) || ' hours') AS at,
                CASE WHEN i % 50 = 0 THEN 'failed' ELSE 'completed' END AS status FROM n)
        INSERT INTO task_master (task_id, task_type, difficulty_level, sensitivity_level, assigned_worker_type,
            status, priority, actual_tokens, actual_cost, created_at, updated_at, error_kind, attempts, waiting_ms, running_ms)
        SELECT 'task-' || i, 'type-' || (i % 12), CASE i % 3 WHEN 0 THEN 'low' WHEN 1 THEN 'medium' ELSE 'high' END,
            'public', 'worker-' || (i % 9), status, 5, 1000 + i % 700, 0.01234 * (1 + i % 7) * (1 + (i % {days}) % 5), at, at,
            CASE WHEN status = 'failed' THEN CASE i % 4 WHEN 0 THEN 'timeout' ELSE 'attempts_exhausted' END END,
            1 + (i % 10 = 0), i % 90000, (i * 37) % 400000
        FROM t;
        INSERT INTO cost_tracking (task_id, worker_type, model_name, prompt_tokens, completion_tokens, total_tokens,
            cost_usd, timestamp, attempt, cached_tokens, reasoning_tokens)
        SELECT task_id, assigned_worker_type, 'm', actual_tokens - 100, 100, actual_tokens, actual_cost, created_at,
            'attempt-' || task_id, 0, 10 FROM task_master WHERE task_id LIKE 'task-%';
        INSERT INTO failed_attempts SELECT 'early-' || task_id, task_id, assigned_worker_type,
            CASE WHEN actual_tokens % 2 THEN 'rate_limited' ELSE 'server_error' END, created_at
        FROM task_master WHERE attempts = 2;"
    )
}

fn row<'a>(report: &'a Value, table: &str, key: &str, name: &str) -> &'a Value {
    let rows = report[table].as_array().unwrap();
    rows.iter().find(|row| row[key] == name).unwrap_or_else(|| panic!("no {name}: {report:#}"))
}

#[test]
fn a_months_work_is_counted_timed_and_paid() {
    let shop = worked();
    let report = shop.koubou(["report", "--json"]).ends(0).json();
    let total = &report["total"];
    assert_eq!(
        (&total["task_count"], &total["completed"], &total["failed"]),
        (&json!(4), &json!(3), &json!(1))
    );
    assert_eq!(total["success_percent"], 75.0);
    assert_eq!(total["total_cost_usd"].to_string(), "1.45");
    assert_eq!(total["retries"], 1);
    assert!(
        total["waiting_ms"]["median"].is_u64() && total["running_ms"]["p99"].is_u64(),
        "{total:#}"
    );
    let paid = row(&report, "by_worker", "worker_type", "cloud");
    assert_eq!((&paid["task_count"], &paid["total_tokens"]), (&json!(1), &json!(1_020_000)));
    let free = row(&report, "by_worker", "worker_type", "local");
    assert_eq!(
        (&free["total_tokens"], free["total_cost_usd"].to_string()),
        (&json!(42), "0".to_owned())
    );
    assert_eq!(
        row(&report, "by_task_type", "task_type", "code_generation")["total_cost_usd"].to_string(),
        "1.45"
    );
    assert_eq!(row(&report, "failures", "error_kind", "command_failed")["tasks"], 1);
    assert_eq!(row(&report, "failed_attempts", "worker_type", "cloud")["attempts"], 1);
    let month = &report["budget"]["months"][0];
    assert_eq!(
        (month["limit_usd"].to_string(), month["left_usd"].to_string()),
        ("100".to_owned(), "98.55".to_owned())
    );
    // The local answer at the cloud's prices is what it saved: 30 tokens sent and 12 answered.
    let routing = &report["routing"];
    assert_eq!(
        (&routing["dearest_worker"], routing["saved_usd"].to_string()),
        (&json!("cloud"), "0.0001575".to_owned())
    );
    assert_eq!(routing["left_out_tasks"], 1, "the echo counts no tokens");
    let hours: u64 = report["by_worker_and_hour"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row["hours"].as_array().unwrap())
        .map(|n| n.as_u64().unwrap())
        .sum();
    assert_eq!(hours, 4);
}

#[test]
fn it_says_all_that_the_originals_report_said() {
    let shop = worked();
    let mirror = shop.mirror();
    let mut original = mirror
        .prepare(
            "SELECT worker_type, COUNT(*), SUM(actual_tokens), ROUND(SUM(actual_cost), 2) FROM task_master
             WHERE strftime('%Y-%m', created_at) = strftime('%Y-%m', 'now') GROUP BY worker_type",
        )
        .unwrap();
    let read = |row: &rusqlite::Row<'_>| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, Option<i64>>(2)?,
            row.get::<_, f64>(3)?,
        ))
    };
    let rows: Vec<_> = original.query_map([], read).unwrap().map(Result::unwrap).collect();
    let report = shop.koubou(["report", "--json"]).ends(0).json();
    let table = shop.koubou(["report"]).ends(0).out;
    assert_eq!(rows.len(), report["by_worker"].as_array().unwrap().len());
    for (worker, tasks, tokens, cost) in rows {
        let ours = row(&report, "by_worker", "worker_type", &worker);
        assert_eq!(
            (&ours["task_count"], &ours["total_tokens"]),
            (&json!(tasks), &json!(tokens.unwrap_or(0)))
        );
        assert!((ours["total_cost_usd"].as_f64().unwrap() - cost).abs() < 0.005);
        let line = table.lines().find(|line| line.starts_with(&worker)).unwrap();
        assert!(line.contains(&tokens.unwrap_or(0).to_string()), "{line}");
    }
}

#[test]
fn a_rebuild_changes_nothing_of_it() {
    let shop = worked();
    shop.drop_bytes("broken.json", "{ no task");
    shop.drain().ends(0);
    let report = || {
        let mut report = shop.koubou(["report", "--json"]).ends(0).json();
        report["generated_at"].take();
        report["budget"].as_object_mut().unwrap().retain(|key, _| key != "months");
        report
    };
    let before = report();
    shop.koubou(["rebuild"]).ends(0);
    assert_eq!(before, report());
}

#[test]
fn it_reads_while_a_daemon_writes() {
    let shop = Sandbox::with_echo();
    let _daemon = shop.daemon();
    shop.koubou(["submit", "--wait", "-d", "x", "--id", "one"]).ends(0);
    let table = || shop.koubou(["report"]).ends(0).out;
    shop.eventually("the task is in the report", || table().contains("\ntasks     1: 1 completed"));
}

#[test]
fn days_are_those_of_the_configured_zone() {
    let shop = filled(
        "INSERT INTO task_master (task_id, task_type, difficulty_level, sensitivity_level, status, created_at)
         VALUES ('late', 't', 'low', 'public', 'completed', '2026-03-31 15:00:00'),
                ('early', 't', 'low', 'public', 'completed', '2026-03-31 14:59:59');",
    );
    let count = |arguments: &[&str]| {
        let all = ["report", "--json"].iter().chain(arguments).copied();
        shop.koubou(all).ends(0).json()["total"]["task_count"].clone()
    };
    assert_eq!(count(&["--month", "2026-03"]), 2);
    shop.hire(&[echo()], &json!({ "timezone": "Asia/Tokyo" }));
    assert_eq!(count(&["--month", "2026-03"]), 1);
    assert_eq!(count(&["--day", "2026-04-01"]), 1);
    assert_eq!(count(&["--from", "2026-03-01", "--to", "2026-04-30"]), 2);
    let report = shop.koubou(["report", "--json", "--day", "2026-04-01"]).ends(0).json();
    assert_eq!(
        (&report["from"], &report["timezone"]),
        (&json!("2026-04-01"), &json!("Asia/Tokyo"))
    );
    assert_eq!(report["by_worker_and_hour"][0]["hours"][0], 1, "midnight in Tokyo");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let shop = Sandbox::with_echo();
    for (arguments, says) in [
        (&["--month", "2026-13"][..], "2026-11"),
        (&["--day", "today"], "2026-11-26"),
        (&["--from", "2026-02-02", "--to", "2026-02-01"], "is before"),
        (&["--to", "2026-02-01"], "--from"),
        (&["--month", "2026-01", "--day", "2026-01-01"], "cannot be used"),
        (&["--json", "--format", "html"], "contradict"),
        (&["--format", "pdf"], "html"),
    ] {
        let all = std::iter::once("report").chain(arguments.iter().copied());
        let said = shop.koubou(all).ends(2);
        assert!(said.err.contains(says) && said.out.is_empty(), "{arguments:?}: {}", said.err);
    }
}

#[test]
fn without_a_mirror_it_says_what_makes_one() {
    let shop = Sandbox::with_echo();
    let said = shop.koubou(["report"]).ends(0);
    assert!(said.out.contains("tasks     0:"), "nothing was done yet: {}", said.out);
    let said = shop.koubou(["log", "x"]).ends(1);
    assert!(said.err.contains("there is no task `x`"), "{}", said.err);
    fs::write(shop.task_file("completed/x.json"), "{}").unwrap();
    let said = shop.koubou(["report"]).ends(1);
    assert!(
        said.err.contains("there is no mirror") && said.err.contains("koubou rebuild"),
        "{}",
        said.err
    );
    fs::write(shop.home().join("db/koubou.db"), "no database ".repeat(200)).unwrap();
    let said = shop.koubou(["report", "--format", "html"]).ends(1);
    assert!(said.err.contains("koubou rebuild") && said.out.is_empty(), "{}", said.err);
    fs::remove_file(shop.task_file("completed/x.json")).unwrap();
    shop.koubou(["rebuild"]).ends(0);
    let said = shop.koubou(["report"]).ends(0);
    assert!(said.out.contains("tasks     0:"), "{}", said.out);
    for format in ["csv", "json", "html"] {
        shop.koubou(["report", "--format", format]).ends(0);
    }
}

#[test]
fn a_file_is_replaced_whole_and_a_link_stays_one() {
    let shop = worked();
    let [file, link] = ["report.html", "link.html"].map(|name| shop.beside(name));
    std::os::unix::fs::symlink(&file, &link).unwrap();
    fs::write(&file, "old").unwrap();
    let said = shop.koubou(["report", "--format", "html", "-o", link.to_str().unwrap()]).ends(0);
    assert!(said.out.is_empty() && said.err.contains("wrote"), "{said:?}");
    assert!(link.is_symlink() && fs::read_to_string(&file).unwrap().starts_with("<!DOCTYPE html>"));
    let said = shop.koubou(["report", "--format", "csv", "--output", "/dev/stdout"]).ends(0);
    assert!(said.out.starts_with("from,to,grouped_by"), "{}", said.out);
    let missing = shop.beside("no/such/place.csv");
    let said = shop.koubou(["report", "--format", "csv", "-o", missing.to_str().unwrap()]).ends(1);
    assert!(said.err.contains("place.csv"), "{}", said.err);
}

/// Names that mean harm to a page, a spreadsheet and a terminal.
const HOSTILE: [&str; 5] = [
    "=HYPERLINK(\"http://example.invalid\")",
    "</title></style><script>alert(1)</script>",
    "\" onload=\"alert(1)\" x=\"",
    "\u{1b}[2J\nforged line",
    "工房, \"quoted\"",
];

fn hostile() -> Sandbox {
    let shop = filled("");
    let mirror = shop.mirror();
    for (n, name) in HOSTILE.iter().enumerate() {
        let sql = "INSERT INTO task_master (task_id, task_type, difficulty_level, sensitivity_level,
                assigned_worker_type, status, created_at, error_kind, attempts, waiting_ms, running_ms)
            VALUES (?1, ?2, ?2, 'public', ?2, 'failed', '2026-05-05 10:00:00', ?2, 1, 1, 1)";
        mirror.execute(sql, (format!("t{n}"), name)).unwrap();
        let sql = "INSERT INTO failed_attempts VALUES (?1, ?1, ?2, ?2, '2026-05-05 10:00:00')";
        mirror.execute(sql, (format!("t{n}"), name)).unwrap();
    }
    shop
}

#[test]
fn no_name_does_harm() {
    let shop = hostile();
    let said = |format: &str| {
        shop.koubou(["report", "--month", "2026-05", "--format", format]).ends(0).out
    };
    let page = said("html");
    for sign in ["<script", "\" onload=", "\u{1b}"] {
        assert!(!page.contains(sign), "{sign}");
    }
    assert!(page.contains("&lt;script&gt;") && page.contains("工房"), "what it is called is shown");
    let table = said("table");
    assert!(!table.contains('\u{1b}') && !table.contains("\nforged"), "{table}");
    let sheet = said("csv");
    assert!(sheet.starts_with('\u{feff}'), "it has letters beyond ASCII");
    let mut reader = csv::Reader::from_reader(sheet.trim_start_matches('\u{feff}').as_bytes());
    assert_eq!(reader.headers().unwrap().get(0), Some("from"));
    let cells: Vec<String> = reader
        .records()
        .flat_map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(
        cells.iter().all(|cell| !cell.starts_with(['=', '+', '@']) && !cell.contains('\n')),
        "{cells:?}"
    );
    assert!(cells.iter().any(|cell| cell.starts_with("'=HYPERLINK")));
    assert!(cells.iter().any(|cell| cell == "工房, \"quoted\""));
    let report: Value = serde_json::from_str(&said("json")).unwrap();
    row(&report, "by_task_type", "task_type", HOSTILE[1]);
}

#[test]
fn every_row_of_the_sheet_has_every_column_and_the_days_add_up() {
    let shop = filled(&many(2_000, 31));
    let sheet = shop.koubou(["report", "--format", "csv", "--month", "2025-12"]).ends(0).out;
    assert!(sheet.is_ascii() && sheet.contains("\r\n"));
    let mut reader = csv::Reader::from_reader(sheet.as_bytes());
    let head = reader.headers().unwrap().clone();
    let at = |name: &str| head.iter().position(|column| column == name).unwrap();
    let (by, tasks, cost) = (at("grouped_by"), at("task_count"), at("total_cost_usd"));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let sum = |what: &str| {
        let of = rows.iter().filter(|row| &row[by] == what);
        let pico = |text: &str| (text.parse::<f64>().unwrap() * 1e6).round() as u64;
        of.fold((0, 0), |(n, money), row| {
            (n + row[tasks].parse::<u64>().unwrap(), money + pico(&row[cost]))
        })
    };
    let total = sum("total");
    assert!(total.0 > 1_000 && total.1 > 0, "{total:?}");
    for grouping in ["day", "worker_type", "task_type", "difficulty_level"] {
        assert_eq!(sum(grouping), total, "{grouping}");
    }
}

#[test]
fn a_task_without_a_known_attempt_counts_with_what_its_row_says() {
    let shop = filled(
        "INSERT INTO task_master (task_id, task_type, difficulty_level, sensitivity_level, assigned_worker_type,
            status, actual_tokens, actual_cost, created_at)
         VALUES ('old', 't', 'low', 'public', 'local', 'completed', 42, 0.5, '2026-02-02 10:00:00');",
    );
    let report = shop.koubou(["report", "--json", "--month", "2026-02"]).ends(0).json();
    let local = row(&report, "by_worker", "worker_type", "local");
    assert_eq!(
        (&local["total_tokens"], local["total_cost_usd"].to_string()),
        (&json!(42), "0.5".to_owned())
    );
    assert_eq!(report["budget"]["months"][0]["spent_usd"].to_string(), "0", "nobody paid it here");
    let notes = report["notes"].to_string();
    assert!(
        notes.contains("koubou rebuild") && notes.contains("without a known attempt"),
        "{notes}"
    );
}

/// The quickest of three runs.
fn quickest(shop: &Sandbox) -> Duration {
    let run = || {
        let began = Instant::now();
        shop.koubou(["report", "--json", "--from", "2025-01-01", "--to", "2025-12-31"]).ends(0);
        began.elapsed()
    };
    (0..3).map(|_| run()).min().unwrap()
}

#[test]
fn ten_times_the_tasks_take_about_ten_times_as_long() {
    let (few, lots) = (filled(&many(10_000, 365)), filled(&many(100_000, 365)));
    let (little, much) = (quickest(&few), quickest(&lots));
    println!("10,000 tasks: {little:?}; 100,000 tasks: {much:?}");
    // What grew with the square would take a hundred times as long.
    assert!(much < little * 30, "{little:?} and {much:?}");
}

#[test]
fn a_year_is_a_page_of_less_than_300_kilobytes() {
    let shop = filled(&many(20_000, 365));
    let year = ["report", "--format", "html", "--from", "2025-01-01", "--to", "2025-12-31"];
    let page = shop.koubou(year).ends(0).out;
    println!("a year: {} bytes", page.len());
    assert!(page.len() < 300_000, "{} bytes", page.len());
    assert_eq!(page.matches("<svg").count(), 4);
}

/// Where the pictures go: beside what is built, for whoever wants to see them.
fn gallery() -> PathBuf {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    fs::create_dir_all(&place).unwrap();
    place
}

#[test]
fn a_browser_shows_it_at_any_width_in_light_and_dark_without_a_complaint() {
    let Some(browser) = Browser::start() else { return };
    let year = filled(&many(20_000, 365));
    let pages = [
        ("month", &year, &["--month", "2025-10"][..]),
        ("year", &year, &["--from", "2025-01-01", "--to", "2025-12-31"]),
        ("hostile", &hostile(), &["--month", "2026-05"]),
        ("empty", &year, &["--month", "2020-01"]),
    ];
    for (name, shop, days) in pages {
        for is_japanese in [false, true] {
            let name = if is_japanese { format!("{name}-ja") } else { name.to_owned() };
            let page = gallery().join(format!("{name}.html"));
            let mut arguments = vec!["report", "--format", "html", "-o", page.to_str().unwrap()];
            arguments.extend(days);
            match is_japanese {
                true => shop.in_japanese(&arguments),
                false => shop.koubou(arguments),
            }
            .ends(0);
            looks_well(&browser, &name, &page);
        }
    }
}

/// Looks at a page in every way in which it may be shown, and keeps the pictures.
fn looks_well(browser: &Browser, name: &str, page: &Path) {
    for (width, how) in [
        (390, "light"),
        (390, "dark"),
        (1280, "light"),
        (1280, "dark"),
        // A sheet of A4 between its margins.
        (700, "print"),
    ] {
        browser.show(page, width, how);
        let picture = browser.picture();
        fs::write(gallery().join(format!("{name}-{width}-{how}.png")), picture).unwrap();
        let seen = browser.run(include_str!("support/page.js"));
        let wrong = &seen["wrong"];
        assert_eq!(wrong.as_array().map(Vec::len), Some(0), "{name} {width} {how}: {wrong:#}");
        assert!(seen["texts"].as_u64().unwrap() > 20, "{seen:#}");
        let complaints = browser.complaints();
        assert!(complaints.is_empty(), "{name} {width} {how}: {complaints:#?}");
    }
    let paper = browser.paper();
    assert!(paper.starts_with(b"%PDF") && paper.len() > 10_000);
    fs::write(gallery().join(format!("{name}.pdf")), paper).unwrap();
}

#[test]
fn what_is_promised_to_a_call_under_way_is_not_left() {
    let sky = ModelServer::start();
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    shop.hire(&[cloud(&sky)], &json!({}));
    shop.koubou(["budget", "set", "--monthly", "50"]).ends(0);
    sky.will(Reply::answer("a", 10, 10).held());
    let _daemon = shop.daemon();
    shop.drop_task("held", &json!({ "description": "a" }));
    sky.wait_for_held(1);
    let report = shop.koubou(["report", "--json"]).ends(0).json();
    let budget = shop.koubou(["budget", "--json"]).ends(0).json();
    let (ours, theirs) = (&report["budget"]["months"][0], &budget["monthly"]);
    for key in ["limit_usd", "spent_usd", "reserved_usd", "left_usd"] {
        assert_eq!(ours[key], theirs[key], "{key}");
    }
    assert!(ours["reserved_usd"].as_f64().unwrap() > 0.0, "{ours:#}");
    assert_eq!(ours["limit_usd"].to_string(), "50");
    sky.release();
}
