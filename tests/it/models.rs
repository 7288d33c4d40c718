//! Models: what is sent, what it costs, and what never leaves the house.

use std::fs;

use serde_json::{Value, json};

use crate::support::workers::{CLOUD_KEY, cloud, echo, fresh_secret, local, script, with};
use crate::support::{ModelServer, Reply, Sandbox, completion, response};

/// A home with a worker that costs money, and its key.
fn shop_with_cloud(server: &ModelServer) -> (Sandbox, String) {
    let shop = Sandbox::new();
    shop.hire(&[cloud(server), echo()], &json!({}));
    let key = fresh_secret();
    shop.set(CLOUD_KEY, &key);
    (shop, key)
}

/// An endpoint at which nobody answers any more.
fn nobody() -> ModelServer {
    ModelServer::start()
}

#[test]
fn a_model_in_the_house_answers_for_nothing() {
    let server = ModelServer::start();
    let shop = Sandbox::with_workers(&[local(&server)]);
    server.will(Reply::answer("forty-two", 12, 34));
    shop.drop_task("x", &json!({ "description": "six times seven", "system": "Be brief." }));
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    assert_eq!(result["content"], "forty-two");
    assert_eq!(result["usage"]["total_tokens"], 46);
    assert_eq!(result["cost_usd"], 0);
    assert_eq!(result["worker_type"], "local");
    let sent = &server.requests().pop().unwrap();
    assert_eq!(sent.body["messages"][0], json!({ "role": "system", "content": "Be brief." }));
    assert_eq!(sent.body["messages"][1]["content"], "six times seven");
    assert_eq!(sent.header("authorization"), None);
}

#[test]
fn a_paid_answer_costs_its_tokens_times_their_price_everywhere() {
    let server = ModelServer::start();
    let (shop, key) = shop_with_cloud(&server);
    server.will(Reply::answer("a", 123, 45)).will(Reply::answer("b", 1_000, 2_000));
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    // 123 tokens at 1.25 and 45 at 10 dollars a million.
    assert_eq!(shop.result("completed/x")["cost_usd"].to_string(), "0.00060375");
    shop.drop_task("y", &json!({ "description": "b" }));
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/y")["cost_usd"].to_string(), "0.02125");
    let rows: Vec<(String, i64, i64, f64)> = shop
        .mirror()
        .prepare("SELECT task_id, prompt_tokens, completion_tokens, cost_usd FROM cost_tracking ORDER BY task_id")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows, [("x".into(), 123, 45, 0.00060375), ("y".into(), 1_000, 2_000, 0.02125)]);
    let budget: Value = shop.koubou(["budget", "--json"]).ends(0).json();
    for period in ["daily", "monthly"] {
        assert_eq!(budget[period]["spent_usd"].to_string(), "0.02185375");
        assert_eq!(budget[period]["reserved_usd"], 0);
    }
    assert_eq!(server.requests()[0].header("authorization"), Some(&*format!("Bearer {key}")));
    shop.assert_nowhere(&key);
}

#[test]
fn a_worker_that_speaks_responses_answers_and_is_paid_like_any_other() {
    let server = ModelServer::start();
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    shop.hire(&[with(cloud(&server), "api", "responses")], &json!({}));
    server.will(Reply::json(&response("cloud-model", "forty-two", "completed", 123, 45)));
    shop.drop_task("x", &json!({ "description": "six times seven", "system": "Be brief." }));
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    assert_eq!(result["content"], "forty-two");
    assert_eq!(result["cost_usd"].to_string(), "0.00060375");
    let sent = &server.requests()[0];
    assert_eq!(sent.path, "/v1/responses");
    assert_eq!(sent.body["input"][1]["content"], "six times seven");
    assert_eq!(sent.body["store"], false);
}

#[test]
fn an_answer_must_have_the_shape_that_was_asked_for() {
    let server = ModelServer::start();
    let cat = script("cat", "cat", &[]);
    let shop = Sandbox::with_workers(&[local(&server), cat]);
    let schema = json!({ "type": "object", "required": ["city"] });
    let task = |worker: &str| json!({ "description": "{\"city\": 7}", "worker": worker, "response_schema": schema });
    server.will(Reply::answer("```json\n{\"city\": \"Lima\"}\n```", 1, 1));
    shop.drop_task("fits", &task("local"));
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/fits")["content"], "{\"city\": \"Lima\"}");
    let asked = &server.requests()[0].body["response_format"];
    assert_eq!(asked["json_schema"]["schema"], schema);
    assert_eq!(asked["json_schema"]["strict"], false, "it leaves other keys open");

    // What a task accepts is demanded beside it; a program is told nothing, and checked alike.
    server.will(Reply::answer("{\"town\": \"Lima\"}", 1, 1));
    server.will(Reply::answer("{\"city\": \"Lima\"}", 1, 1));
    shop.drop_task("other", &task("local"));
    shop.drain().ends(0);
    shop.drop_task("both", &with(task("local"), "accept", json!({ "regex": "Kyoto" })));
    shop.drop_task("program", &task("cat"));
    shop.drop_task("prose", &with(task("cat"), "description", "Lima"));
    shop.drain().ends(0);
    assert_eq!(shop.names("completed"), ["fits.json", "program.json"]);
    for (id, says) in [("other", "`response_schema`"), ("both", "Kyoto"), ("prose", "not JSON")] {
        let error = &shop.result(&format!("failed/{id}"))["error"];
        assert_eq!(error["kind"], "not_accepted", "{error:#}");
        assert!(error["message"].as_str().unwrap().contains(says), "{error:#}");
    }
}

#[test]
fn the_tier_that_the_answer_states_is_paid_and_the_dearer_one_reserved() {
    let server = ModelServer::start();
    let (shop, _) = shop_with_cloud(&server);
    let price = json!({
        "input": 1.25, "output": 10.0,
        "service_tiers": { "flex": 0.5, "priority": 2 },
        "long_context": { "above": 1_000, "input": 2, "output": 1.5 },
    });
    let dear = with(with(cloud(&server), "price_per_1m", price), "max_tokens", 1_000);
    shop.hire(&[with(dear, "params", json!({ "service_tier": "priority" }))], &json!({}));
    for (id, tier, tokens, cost) in [
        ("plain", "default", 1_000, "0.01125"),
        ("sooner", "priority", 1_000, "0.0225"),
        ("later", "flex", 1_000, "0.005625"),
        ("long", "default", 2_000, "0.02"),
    ] {
        let mut body = completion("cloud-model", "a", "stop", tokens, 1_000);
        body["service_tier"] = tier.into();
        server.will(Reply::json(&body));
        shop.drop_task(id, &json!({ "description": "a" }));
        shop.drain().ends(0);
        let result = shop.result(&format!("completed/{id}"));
        assert_eq!(result["cost_usd"].to_string(), cost, "{result:#}");
        let reserved = result["routing"]["estimated_cost_usd"].as_f64().unwrap();
        assert!(reserved > 0.02, "the priority price of a thousand tokens: {reserved}");
    }
}

#[test]
fn a_limit_holds_however_many_ask_at_once() {
    let server = ModelServer::start();
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    // A thousand tokens of answer are a dollar; a prompt costs next to nothing.
    let dear = with(
        with(cloud(&server), "price_per_1m", json!({ "input": 0.001, "output": 1_000 })),
        "max_tokens",
        1_000,
    );
    let limits = json!({ "daily_limit_usd": 3.5, "alert_threshold_percent": 100 });
    shop.hire(&[with(dear, "concurrency", 8)], &json!({ "cost_limits": limits }));
    for n in 0..10 {
        server.will(Reply::answer("a", 10, 1_000));
        shop.drop_task(&format!("t{n}"), &json!({ "description": "a" }));
    }
    let said = shop.drain().ends(75);
    assert!(
        said.err.contains("7 tasks wait") && said.err.contains("koubou budget set"),
        "{}",
        said.err
    );
    assert_eq!(server.chats(), 3);
    assert_eq!(shop.names("completed").len(), 3);
    assert_eq!(shop.names("pending").len(), 7);
    // A higher limit lets two more go, and what was spent is not forgotten.
    shop.koubou(["budget", "set", "--daily", "5.5"]).ends(0);
    shop.drain().ends(75);
    assert_eq!(server.chats(), 5);
}

#[test]
fn a_task_that_no_budget_could_ever_pay_says_so() {
    let server = ModelServer::start();
    let (shop, _) = shop_with_cloud(&server);
    shop.koubou(["budget", "set", "--daily", "0.001"]).ends(0);
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    let result = shop.result("failed/x");
    assert_eq!(result["error"]["kind"], "over_budget");
    assert!(result["error"]["message"].as_str().unwrap().contains("max_tokens"), "{result:#}");
    assert_eq!(server.chats(), 0);
}

/// The same secret in each place where a task can carry one; none may leave the house.
#[test]
fn confidential_work_never_reaches_the_cloud() {
    let cloud_server = ModelServer::start();
    let house = nobody();
    let shop = Sandbox::new();
    let papers = shop.beside("papers");
    fs::create_dir(&papers).unwrap();
    let secret = fresh_secret();
    let telling = format!("password: {secret}");
    fs::write(papers.join("notes.txt"), &telling).unwrap();
    let both = [cloud(&cloud_server), local(&house)];
    shop.hire(&both, &json!({ "file_roots": [papers] }));
    drop(house);
    shop.set(CLOUD_KEY, &fresh_secret());
    let tasks = [
        ("forced", json!({ "description": telling, "worker": "cloud" })),
        (
            "stated",
            json!({ "description": "a", "worker": "cloud", "sensitivity_level": "confidential" }),
        ),
        ("lowered", json!({ "description": telling, "sensitivity_level": "public" })),
        ("messages", json!({ "messages": [{ "role": "user", "content": telling }] })),
        ("system", json!({ "description": "a", "system": telling })),
        ("metadata", json!({ "description": "a", "metadata": { "password": secret } })),
        ("input", json!({ "description": "a", "input": { "deep": [{ "password": secret }] } })),
        ("files", json!({ "description": "a", "files": [papers.join("notes.txt")] })),
        ("params", json!({ "description": "a", "params": { "user": telling } })),
        ("unknown", json!({ "description": "a", "note": telling })),
    ];
    for (name, task) in &tasks {
        shop.drop_task(name, task);
    }
    shop.drop_task("harmless", &json!({ "description": "a harmless question" }));
    let said = shop.drain().ends(75);
    assert!(said.err.contains("worker `local` cannot be reached"), "{}", said.err);
    assert_eq!(shop.names("completed"), ["harmless.json"]);
    assert!(shop.names("failed").is_empty());
    assert_eq!(shop.names("pending").len(), tasks.len());
    assert_eq!(cloud_server.chats(), 1);
    for seen in cloud_server.requests() {
        assert!(!format!("{seen:?}").contains(&secret), "{seen:?}");
    }

    // The house's model is back.
    let house = ModelServer::start();
    shop.hire(&[cloud(&cloud_server), local(&house)], &json!({ "file_roots": [papers] }));
    shop.drain().ends(0);
    assert_eq!(cloud_server.chats(), 1);
    assert_eq!(house.chats(), tasks.len());
    let forced = shop.result("completed/forced");
    assert_eq!(forced["worker_type"], "local");
    assert!(forced["warnings"].to_string().contains("cloud"), "{forced:#}");
    for (name, _) in &tasks {
        use std::os::unix::fs::PermissionsExt;
        let path = shop.task_file(format!("completed/{name}.json"));
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_schema_with_a_secret_in_it_stays_in_the_house() {
    let (sky, house) = (ModelServer::start(), ModelServer::start());
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    shop.hire(&[cloud(&sky), local(&house)], &json!({}));
    house.will(Reply::answer("{}", 1, 1));
    let schema = json!({ "description": format!("password: {}", fresh_secret()) });
    let task = json!({ "description": "a", "worker": "cloud", "response_schema": schema });
    shop.drop_task("x", &task);
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/x")["worker_type"], "local");
    assert_eq!((sky.chats(), house.chats()), (0, 1));
}

#[test]
fn secrets_of_the_settings_are_masked_wherever_they_turn_up() {
    let server = ModelServer::start();
    let shop = Sandbox::new();
    let (token, key) = (fresh_secret(), fresh_secret());
    shop.hire(&[local(&server), cloud(&server), echo()], &json!({}));
    shop.dotenv(&format!("SOME_TOKEN={token}\n{CLOUD_KEY}={key}\n"));
    server.will(Reply::error(400, "invalid_request_error", "bad", &format!("bad key {key}")));
    shop.drop_task("complains", &json!({ "description": "a", "worker": "cloud" }));
    shop.drain().ends(0);
    assert!(!format!("{}", shop.result("failed/complains")).contains(&key));
    server.will(Reply::answer(&format!("it is {token}!"), 1, 1));
    shop.drop_task("tells", &json!({ "description": "a", "worker": "local" }));
    shop.drop_task("echoes", &json!({ "description": format!("say {token}"), "worker": "echo" }));
    shop.koubou(["-vv", "start", "--drain"]).ends(0);
    let told = shop.result("completed/tells");
    assert_eq!(told["content"], "it is ***!");
    assert!(told["warnings"].to_string().contains("masked"), "{told:#}");
    assert_eq!(shop.result("completed/echoes")["content"], "say ***");
    shop.assert_nowhere(&token);
    shop.assert_nowhere(&key);
}

#[test]
fn a_model_that_nobody_serves_is_waited_for() {
    let server = nobody();
    let shop = Sandbox::with_workers(&[local(&server)]);
    drop(server);
    shop.drop_task("x", &json!({ "description": "a" }));
    let said = shop.drain().ends(75);
    assert!(said.err.contains("1 task waits: worker `local` cannot be reached"), "{}", said.err);
    assert_eq!(shop.names("pending"), ["x.json"]);
    assert!(shop.names("in_progress").is_empty());
}

#[test]
fn a_worker_without_a_key_rests_and_its_tasks_wait() {
    let server = ModelServer::start();
    let shop = Sandbox::with_workers(&[cloud(&server)]);
    shop.drop_task("x", &json!({ "description": "a" }));
    let said = shop.drain().ends(75);
    assert!(said.err.contains(CLOUD_KEY), "{}", said.err);
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_server_that_asks_for_a_pause_gets_it() {
    let server = ModelServer::start();
    let (shop, _) = shop_with_cloud(&server);
    let refusal = Reply::error(429, "requests", "rate_limit_exceeded", "too fast");
    server.will(refusal.header("retry-after", "2")).will(Reply::answer("well", 1, 1));
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    assert_eq!(result["content"], "well");
    assert_eq!(result["attempts"][0]["outcome"], "rate_limited");
    let time = |n: usize, key: &str| -> jiff::Timestamp {
        result["attempts"][n][key].as_str().unwrap().parse().unwrap()
    };
    let pause = time(1, "started_at").duration_since(time(0, "finished_at"));
    assert!((1.9..10.0).contains(&pause.as_secs_f64()), "{pause:?}");
    assert_eq!(server.chats(), 2);
    // The second attempt alone cost something.
    assert_eq!(result["cost_usd"].to_string(), "0.00001125");
}

#[test]
fn an_attempt_of_which_nobody_knows_the_end_counts_as_spent() {
    let server = ModelServer::start();
    let (shop, _) = shop_with_cloud(&server);
    server.will(Reply::answer("lost", 10, 10).cut_after(60));
    server.will(Reply::answer("well", 10, 10));
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    let attempts = result["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2);
    assert!(attempts[0]["cost_usd"].as_f64().unwrap() > attempts[1]["cost_usd"].as_f64().unwrap());
    assert_eq!(shop.count("SELECT count(*) FROM cost_tracking WHERE task_id = 'x'"), 2);
}

#[test]
fn what_a_server_states_counts_however_much_it_is() {
    let server = ModelServer::start();
    let (shop, _) = shop_with_cloud(&server);
    server.will(Reply::answer("much", 30_000_000, 1));
    shop.drop_task("much", &json!({ "description": "x" }));
    shop.drain().ends(0);
    let result = shop.result("completed/much");
    assert_eq!(result["cost_usd"].to_string(), "37.50001");
    assert!(result["warnings"].to_string().contains("cannot be right"), "{result:#}");
    let spent = || shop.koubou(["budget", "--json"]).ends(0).json()["daily"]["spent_usd"].clone();
    assert_eq!(spent().to_string(), "37.50001");
    shop.koubou(["budget", "set", "--daily", "100"]).ends(0);
    let mut few = completion("m", "few", "stop", 1, 1);
    few["usage"]["total_tokens"] = json!(1);
    server.will(Reply::json(&few));
    shop.drop_task("few", &json!({ "description": "x", "max_tokens": 1000 }));
    shop.drain().ends(0);
    let cost = shop.result("completed/few")["cost_usd"].as_f64().unwrap();
    assert!(cost >= 0.01, "what was reserved, where the numbers do not fit: {cost}");
}
