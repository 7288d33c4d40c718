//! The original design's SQL runs unchanged on the mirror of real work.

use rusqlite::Connection;
use serde_json::json;

use crate::support::workers::{CLOUD_KEY, cloud, echo, fresh_secret, local};
use crate::support::{ModelServer, Reply, Sandbox};

/// A home in which a cloud worker, a local one and the echo have worked, and one task waits.
fn worked() -> Sandbox {
    let (sky, house) = (ModelServer::start(), ModelServer::start());
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    shop.hire(&[cloud(&sky), local(&house), echo()], &json!({}));
    sky.will(Reply::answer("a", 1_000_000, 20_000));
    house.will(Reply::answer("b", 30, 12));
    shop.drop_task("test_001", &json!({ "description": "a", "worker": "echo" }));
    shop.drop_task("paid", &json!({ "description": "a", "task_type": "code_generation" }));
    shop.drop_task("kept", &json!({ "description": "a", "sensitivity_level": "confidential" }));
    shop.drop_task(
        "later",
        &json!({ "description": "a", "priority": 8, "sensitivity_level": "confidential",
                 "not_before": "2999-01-01T00:00:00Z" }),
    );
    shop.drain().ends(75);
    shop
}

fn rows(mirror: &Connection, sql: &str) -> Vec<Vec<String>> {
    let mut statement = mirror.prepare(sql).unwrap();
    let width = statement.column_count();
    let read = |row: &rusqlite::Row<'_>| {
        (0..width)
            .map(|n| {
                Ok(match row.get::<_, rusqlite::types::Value>(n)? {
                    rusqlite::types::Value::Null => "-".to_owned(),
                    rusqlite::types::Value::Integer(n) => n.to_string(),
                    rusqlite::types::Value::Real(n) => n.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    rusqlite::types::Value::Blob(_) => "blob".to_owned(),
                })
            })
            .collect::<rusqlite::Result<Vec<String>>>()
    };
    statement.query_map([], read).unwrap().map(Result::unwrap).collect()
}

#[test]
fn the_status_checks_see_what_there_is() {
    let shop = worked();
    let mirror = shop.mirror();
    let tests = "SELECT task_id, status, assigned_worker_type, difficulty_level, sensitivity_level
        FROM task_master WHERE task_id LIKE 'test_%' ORDER BY created_at;";
    assert_eq!(rows(&mirror, tests), [["test_001", "completed", "echo", "medium", "public"]]);
    let workers = "SELECT worker_id, worker_type, status,
            datetime(last_heartbeat, 'localtime') as last_heartbeat
        FROM workers ORDER BY worker_type;";
    let found = rows(&mirror, workers);
    assert_eq!(found[0][..3], ["cloud-1", "cloud", "offline"]);
    assert!(found.iter().all(|row| row[3].starts_with("20")), "{found:?}");
    let next = "SELECT task_id, task_type, priority, sensitivity_level FROM task_master
        WHERE status = 'pending' AND (sensitivity_level = 'confidential' OR difficulty_level = 'low')
        ORDER BY priority DESC, created_at ASC LIMIT 1;";
    assert_eq!(rows(&mirror, next), [["later", "general", "8", "confidential"]]);
    let costs = "SELECT year_month, budget_limit_usd, ROUND(spent_usd, 2) as spent_usd,
            ROUND(budget_limit_usd - spent_usd, 2) as remaining_usd,
            ROUND((spent_usd / budget_limit_usd) * 100, 1) as usage_percent
        FROM budget_management WHERE year_month = strftime('%Y-%m', 'now');";
    let found = rows(&mirror, costs);
    assert_eq!(found[0][1..], ["100", "1.45", "98.55", "1.4"], "{found:?}");
}

#[test]
fn the_monthly_report_counts_tasks_tokens_and_money() {
    let shop = worked();
    let report = "SELECT worker_type, COUNT(*) as task_count, SUM(actual_tokens) as total_tokens,
            ROUND(SUM(actual_cost), 2) as total_cost_usd
        FROM task_master
        WHERE strftime('%Y-%m', created_at) = strftime('%Y-%m', 'now')
            AND task_id NOT LIKE 'test_%' AND status = 'completed'
        GROUP BY worker_type;";
    assert_eq!(
        rows(&shop.mirror(), report),
        [["cloud", "1", "1020000", "1.45"], ["local", "1", "42", "0"]]
    );
    let by_model = "SELECT model_name, COUNT(*), SUM(total_tokens), ROUND(SUM(cost_usd), 2)
        FROM cost_tracking WHERE timestamp >= datetime('now', '-1 days') GROUP BY model_name;";
    let found = rows(&shop.mirror(), by_model);
    assert_eq!(found[0], ["cloud-model", "1", "1020000", "1.45"]);
}

#[test]
fn the_clean_up_takes_what_is_old_and_nothing_else() {
    let shop = worked();
    let mirror = shop.mirror();
    let clean_up = "DELETE FROM task_master WHERE status = 'completed'
        AND created_at < datetime('now', '-7 days');";
    assert_eq!(mirror.execute(clean_up, []).unwrap(), 0);
    mirror
        .execute(
            "UPDATE task_master SET created_at = '2001-01-01 00:00:00' WHERE task_id = 'paid'",
            [],
        )
        .unwrap();
    assert_eq!(mirror.execute(clean_up, []).unwrap(), 1);
    mirror.execute_batch("VACUUM;").unwrap();
    drop(mirror);
    // The folders are the truth: what was deleted here is back after a rebuild.
    shop.koubou(["rebuild"]).ends(0);
    assert_eq!(shop.count("SELECT count(*) FROM task_master"), 4);
}
