//! The Codex CLI as a worker: the real one over a stand-in for its server, and one of a few lines
//! of shell where it must say what the real one cannot be made to say.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::workers::{CLOUD_KEY, cloud, fresh_secret, local, with};
use crate::support::{Item, ModelServer, Reply, Sandbox, stream};

/// The program, where it is installed; else a line that says that the story is skipped.
pub(crate) fn codex() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::var_os("KOUBOU_CODEX").map(PathBuf::from);
    let found = named
        .into_iter()
        .chain(std::env::split_paths(&path).map(|dir| dir.join("codex")))
        .chain([here.join("target/codex/node_modules/.bin/codex")])
        .find(|file| file.is_file());
    if found.is_none() {
        println!("skipped: there is no Codex CLI here; `make setup-codex` installs it");
    }
    found
}

/// A worker that runs this Codex, in the house.
fn worker(program: &Path, server: &ModelServer) -> Value {
    json!({
        "type": "codex",
        "kind": "codex",
        "program": program,
        "model": "stand-in",
        "endpoint": server.endpoint(),
        "local": true,
    })
}

/// The same, elsewhere and paid: a run costs up to half a dollar.
fn paid(program: &Path, server: &ModelServer) -> Value {
    let mut worker = worker(program, server);
    for (key, value) in [
        ("local", json!(false)),
        ("api_key_env", json!(CLOUD_KEY)),
        (
            "price_per_1m",
            json!({ "input": 1, "cached_input": 0.1, "cache_write": 2, "output": 10 }),
        ),
        ("max_cost_usd", json!(0.5)),
    ] {
        worker = with(worker, key, value);
    }
    worker
}

/// A Codex that does what a shell script says, after it has found its `-o` as `$last`.
fn fake(shop: &Sandbox, script: &str) -> PathBuf {
    let path = shop.beside("codex");
    let head = "#!/bin/sh\nlast=; while [ $# -gt 0 ]; do [ \"$1\" = -o ] && last=$2; shift; done\n";
    fs::write(&path, format!("{head}{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn event(event: &Value) -> String {
    format!("echo '{event}'")
}

fn begun() -> String {
    event(&json!({ "type": "turn.started" }))
}

fn completed() -> String {
    let usage = json!({
        "input_tokens": 1_000, "cached_input_tokens": 400, "cache_write_input_tokens": 100,
        "output_tokens": 50, "reasoning_output_tokens": 20,
    });
    event(&json!({ "type": "turn.completed", "usage": usage }))
}

fn git(folder: &Path, arguments: &[&str]) {
    let made = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// What the model was told of the tool that it called last.
fn told_of_the_call(server: &ModelServer) -> String {
    let requests = server.requests();
    let input = requests.last().unwrap().body["input"].as_array().unwrap().clone();
    let outputs = input.iter().filter(|item| item["type"] == "function_call_output");
    outputs.map(|item| item["output"].to_string()).collect()
}

fn is_near(a: &Value, b: f64) -> bool {
    (a.as_f64().unwrap() - b).abs() < 1e-12
}

// ---- the real program ----

#[test]
fn the_real_codex_answers_and_its_usage_is_paid() {
    let Some(program) = codex() else { return };
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    let secret = fresh_secret();
    shop.dotenv(&format!("{CLOUD_KEY}={secret}\n"));
    // The user's own settings would send the work elsewhere, and tell of skills.
    fs::create_dir_all(shop.beside(".codex")).unwrap();
    fs::write(shop.beside(".codex/config.toml"), "model = \"the-users-own\"\n").unwrap();
    let skill = shop.beside(".agents/skills/users-own");
    fs::create_dir_all(&skill).unwrap();
    let text = "---\nname: users-own-skill\ndescription: users own\n---\n";
    fs::write(skill.join("SKILL.md"), text).unwrap();
    server.will(stream(&[Item::Says("forty-two")]));
    shop.hire(&[paid(&program, &server)], &json!({}));
    shop.drop_task("x", &json!({ "description": "six times seven", "system": "be brief" }));
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    assert_eq!(result["content"], "forty-two");
    assert_eq!(result["model"], "stand-in");
    assert_eq!(result["usage"]["prompt_tokens"], 1_000);
    assert_eq!(result["usage"]["cached_tokens"], 400);
    assert_eq!(result["usage"]["reasoning_tokens"], 20);
    // 500 fresh tokens, 400 from the cache, 100 put into it, 50 answered.
    assert!(is_near(&result["cost_usd"], 0.00124), "{result:#}");
    let budget = shop.koubou(["budget", "--json"]).ends(0).json();
    assert!(budget.to_string().contains("0.00124"), "{budget:#}");
    let request = &server.requests()[0];
    assert_eq!(request.header("authorization"), Some(format!("Bearer {secret}").as_str()));
    assert_eq!(request.body["model"], "stand-in");
    let asked = request.body.to_string();
    assert!(asked.contains("six times seven") && asked.contains("be brief"), "{asked}");
    assert!(!asked.contains("users-own"), "{asked}");
    shop.assert_nowhere(&secret);
    assert_eq!(fs::read_dir(shop.home().join("work")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(shop.home().join("tmp")).unwrap().count(), 0);
}

#[test]
fn its_commands_see_neither_keys_nor_the_home_and_write_nothing_elsewhere() {
    let Some(program) = codex() else { return };
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    let secret = fresh_secret();
    shop.dotenv(&format!("{CLOUD_KEY}={secret}\n"));
    let home = shop.home();
    let script = format!(
        "echo it-runs; env; cat {0}/config/.env; ls {0}/tasks; touch {1} && echo written; exit 3",
        home.display(),
        shop.beside("outside").display()
    );
    server.will(stream(&[Item::Calls("exec_command", json!({ "cmd": script }))]));
    server.will(stream(&[Item::Says("done")]));
    shop.hire(&[paid(&program, &server)], &json!({}));
    shop.drop_task("x", &json!({ "description": "look around" }));
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/x")["content"], "done");
    assert_eq!(shop.result("completed/x")["usage"]["prompt_tokens"], 2_000, "of both requests");
    let told = told_of_the_call(&server);
    assert!(told.contains("it-runs") && told.contains("code 3"), "{told}");
    assert!(told.contains("KOUBOU_ATTEMPT="), "recovery knows its commands by it: {told}");
    assert!(!told.contains(&secret) && !told.contains("pending"), "{told}");
    assert!(!told.contains("written") && !shop.beside("outside").exists(), "{told}");
}

#[test]
fn it_works_in_a_workspace_and_what_it_changed_is_in_the_result() {
    let Some(program) = codex() else { return };
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    let tree = shop.beside("projects/one");
    fs::create_dir_all(&tree).unwrap();
    git(&tree, &["init", "-q"]);
    fs::write(tree.join("old.txt"), "one\n").unwrap();
    git(&tree, &["add", "."]);
    git(&tree, &["commit", "-qm", "a"]);
    let patch =
        "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: new.txt\n+three\n*** End Patch\nEOF\n";
    let call = |command: &str| Item::Calls("exec_command", json!({ "cmd": command }));
    server.will(stream(&[call(patch), call("echo two > old.txt")]));
    server.will(stream(&[Item::Says("changed")]));
    let worker = with(worker(&program, &server), "sandbox", "workspace-write");
    shop.hire(&[worker], &json!({ "workspace_roots": [shop.beside("projects")] }));
    shop.drop_task("x", &json!({ "description": "change it", "workspace": tree }));
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    let diff = result["diff"].as_str().unwrap();
    assert!(diff.contains("-one\n+two") && diff.contains("+three"), "{diff}");
    assert_eq!(fs::read_to_string(tree.join("new.txt")).unwrap(), "three\n");
    let log = shop.koubou(["log", "x"]).ends(0).out;
    assert!(log.contains("new.txt (add)") && log.contains("says changed"), "{log}");
    let left = [".agents", ".aws", ".codex"].map(|name| tree.join(name).exists());
    assert_eq!(left, [false; 3], "the sandbox left something in the workspace");
}

#[test]
fn cancelling_ends_it_with_all_that_it_started() {
    let Some(program) = codex() else { return };
    for sandbox in ["workspace-write", "danger-full-access"] {
        let (shop, server) = (Sandbox::new(), ModelServer::start());
        let mark = format!("6{}.5", u32::from_str_radix(&fresh_secret()[..6], 16).unwrap());
        let command = format!("sleep {mark} & sleep {mark}; echo over");
        let call = Item::Calls("exec_command", json!({ "cmd": command, "yield_time_ms": 30_000 }));
        server.will(stream(&[call]));
        shop.hire(&[with(worker(&program, &server), "sandbox", sandbox)], &json!({}));
        let daemon = shop.daemon();
        shop.drop_task("x", &json!({ "description": "wait" }));
        shop.eventually("the command runs", || sleepers(&mark) == 2);
        shop.koubou(["cancel", "x"]).ends(0);
        shop.eventually("it is filed", || shop.task_file("failed/x.json").exists());
        assert_eq!(shop.result("failed/x")["error"]["kind"], "cancelled");
        assert_eq!(sleepers(&mark), 0, "{sandbox}: something outlived it");
        daemon.stop();
    }
}

/// How many processes sleep for so long.
fn sleepers(mark: &str) -> usize {
    let arguments = format!("sleep\0{mark}\0");
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| line == arguments.as_bytes()).count()
}

#[test]
fn what_its_server_says_decides_what_becomes_of_the_task() {
    let Some(program) = codex() else { return };
    let failing = Reply::error(500, "server_error", Value::Null, "out of order");
    let unknown = Reply::error(404, "invalid_request_error", "model_not_found", "no such model");
    // Of what was refused it is known that it cost nothing.
    for (reply, outcome, cost) in [(failing, "server_error", 0.5), (unknown, "refused", 0.0)] {
        let (shop, server) = (Sandbox::new(), ModelServer::start());
        (0..9).for_each(|_| {
            server.will(reply.clone());
        });
        shop.dotenv(&format!("{CLOUD_KEY}={}\n", fresh_secret()));
        shop.hire(&[paid(&program, &server)], &json!({}));
        shop.drop_task("x", &json!({ "description": "a" }));
        shop.drain().ends(0);
        let result = shop.result("failed/x");
        assert_eq!(result["attempts"][0]["outcome"], outcome, "{result:#}");
        assert!(is_near(&result["cost_usd"], cost), "{result:#}");
    }
}

#[test]
fn a_pause_that_its_server_asks_for_is_waited_out_and_costs_nothing() {
    let Some(program) = codex() else { return };
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    server.will(Reply::error(429, "requests", "rate_limit_exceeded", "slow down"));
    server.will(stream(&[Item::Says("at last")]));
    shop.dotenv(&format!("{CLOUD_KEY}={}\n", fresh_secret()));
    shop.hire(&[paid(&program, &server)], &json!({}));
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    assert_eq!(result["attempts"][0]["outcome"], "rate_limited");
    assert!(is_near(&result["cost_usd"], 0.00124), "{result:#}");
}

#[test]
fn what_was_used_before_a_refusal_is_paid_and_no_more() {
    let Some(program) = codex() else { return };
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    server.will(stream(&[Item::Calls("exec_command", json!({ "cmd": "true" }))]));
    (0..5).for_each(|_| {
        server.will(Reply::error(429, "requests", "rate_limit_exceeded", "slow down"));
    });
    shop.dotenv(&format!("{CLOUD_KEY}={}\n", fresh_secret()));
    shop.hire(&[paid(&program, &server)], &json!({}));
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    let result = shop.result("failed/x");
    assert_eq!(result["attempts"].as_array().unwrap().len(), 1, "it had done something");
    assert_eq!(result["usage"]["prompt_tokens"], 1_000);
    assert!(is_near(&result["cost_usd"], 0.00124), "{result:#}");
}

#[test]
fn a_key_that_is_not_accepted_stops_the_worker() {
    let Some(program) = codex() else { return };
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    let secret = fresh_secret();
    let said = format!("Incorrect API key provided: {secret}");
    (0..3).for_each(|_| {
        server.will(Reply::error(401, "invalid_request_error", "invalid_api_key", &said));
    });
    shop.dotenv(&format!("{CLOUD_KEY}={secret}\n"));
    shop.hire(&[paid(&program, &server)], &json!({}));
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(75);
    assert_eq!(shop.names("pending"), ["x.json"]);
    shop.assert_nowhere(&secret);
}

#[test]
fn a_long_request_comes_whole() {
    let Some(program) = codex() else { return };
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    server.will(stream(&[Item::Says("read")]));
    shop.hire(&[worker(&program, &server)], &json!({}));
    let long = "A line of the task, and 日本語.\n".repeat(20_000);
    shop.drop_task("x", &json!({ "description": long }));
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/x")["content"], "read");
    let input = server.requests()[0].body["input"].clone();
    let last = input.as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["content"][0]["text"].as_str().unwrap().trim(), long.trim());
}

#[test]
fn the_doctor_knows_which_codex_it_is() {
    let Some(program) = codex() else { return };
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    shop.hire(&[worker(&program, &server)], &json!({}));
    let said = shop.koubou(["doctor"]).out;
    assert!(said.contains("is Codex 0.") || said.contains("is Codex 1."), "{said}");
}

// ---- a program that stands in for it ----

#[test]
fn a_failed_turn_is_a_failed_task_whatever_the_exit_code_and_an_old_file_say() {
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    let failed = event(&json!({ "type": "turn.failed", "error": { "message": "it broke" } }));
    let program = fake(&shop, &format!("[ -e \"$last\" ] && exit 9\n{}\n{failed}", begun()));
    shop.hire(&[worker(&program, &server)], &json!({}));
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.drain().ends(0);
    let result = shop.result("failed/x");
    assert_eq!(result["error"]["kind"], "command_failed");
    assert_eq!(result["exit_code"], 0);
    assert!(result["error"]["message"].as_str().unwrap().contains("it broke"), "{result:#}");
    assert_eq!(result.get("content"), None);
}

#[test]
fn what_a_run_may_cost_is_set_apart_before_it() {
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    let program = fake(&shop, &format!("cat >/dev/null; {}; {}", begun(), completed()));
    shop.dotenv(&format!("{CLOUD_KEY}={}\n", fresh_secret()));
    let limits = json!({ "cost_limits": { "daily_limit_usd": 0.501, "monthly_limit_usd": 10 } });
    shop.hire(&[with(paid(&program, &server), "concurrency", 4)], &limits);
    for n in 0..3 {
        shop.drop_task(&format!("x{n}"), &json!({ "description": "a" }));
    }
    // The first leaves room for no second that may cost as much.
    shop.drain().ends(75);
    assert_eq!(shop.names("completed").len(), 1);
    assert_eq!(shop.names("pending").len(), 2);
    let journal = fs::read_dir(shop.home().join("journal")).unwrap().next().unwrap().unwrap();
    let journal = fs::read_to_string(journal.path()).unwrap();
    assert!(journal.contains("\"reserved_usd\":0.5"), "{journal}");
}

#[test]
fn confidential_work_goes_to_a_codex_in_the_house_and_to_no_other() {
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    let program = fake(&shop, &format!("cat > \"$last\"; {}; {}", begun(), completed()));
    shop.dotenv(&format!("{CLOUD_KEY}={}\n", fresh_secret()));
    let house = with(worker(&program, &server), "type", "house");
    shop.hire(
        &[paid(&program, &server), with(house, "use_for", json!(["sensitive_data"]))],
        &json!({}),
    );
    let secret = "the launch is on Friday, say nothing";
    shop.drop_task(
        "x",
        &json!({ "description": secret, "sensitivity_level": "confidential", "worker": "codex" }),
    );
    shop.drain().ends(0);
    let result = shop.result("completed/x");
    assert_eq!(result["worker_type"], "house");
    assert_eq!(result["content"], secret);
    let log = shop.koubou(["log", "x"]).ends(0).out;
    assert!(!log.contains("Friday"), "the log holds none of it: {log}");
}

#[test]
fn a_workspace_lies_below_a_root_and_nothing_leads_out_of_it() {
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    let program = fake(&shop, &format!("pwd > \"$last\"; {}; {}", begun(), completed()));
    let root = shop.beside("projects");
    fs::create_dir_all(root.join("one")).unwrap();
    std::os::unix::fs::symlink(shop.beside(""), root.join("out")).unwrap();
    fs::write(root.join("file"), "").unwrap();
    shop.hire(&[worker(&program, &server)], &json!({ "workspace_roots": [root] }));
    let task = |workspace: PathBuf| json!({ "description": "a", "workspace": workspace });
    shop.drop_task("good", &task(root.join("one")));
    shop.drop_task("elsewhere", &task(shop.beside("")));
    shop.drop_task("link", &task(root.join("out")));
    shop.drop_task("dots", &task(root.join("../projects/one")));
    shop.drop_task("file", &task(root.join("file")));
    shop.drop_task("relative", &task("one".into()));
    shop.drain().ends(0);
    let good = shop.result("completed/good")["content"].as_str().unwrap().trim().to_owned();
    assert_eq!(good, fs::canonicalize(root.join("one")).unwrap().to_str().unwrap());
    for (name, why) in [
        ("elsewhere", "below none of the config's `workspace_roots`"),
        ("link", "leads out of"),
        ("dots", "leads out of"),
        ("file", "cannot be opened"),
        ("relative", "whole path"),
    ] {
        let result = shop.result(&format!("failed/{name}"));
        assert_eq!(result["error"]["kind"], "invalid_task");
        assert!(result["error"]["message"].as_str().unwrap().contains(why), "{result:#}");
    }
}

#[test]
fn the_log_is_followed_while_it_works() {
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    let runs = json!({ "type": "item.started", "item": { "type": "command_execution", "command": "make test" } });
    let go = shop.beside("go");
    let wait = format!("while [ ! -e '{}' ]; do sleep 0.05; done", go.display());
    let script = [begun(), event(&runs), wait, completed()].join("\n");
    let program = fake(&shop, &script);
    shop.hire(&[worker(&program, &server)], &json!({}));
    let daemon = shop.daemon();
    shop.drop_task("x", &json!({ "description": "a" }));
    let mut following = shop.command(["log", "-f", "x"]);
    let said = shop.beside("followed");
    shop.eventually("it runs", || shop.task_file("in_progress/x.json").exists());
    following.stdout(fs::File::create(&said).unwrap());
    let mut following = following.spawn().unwrap();
    shop.eventually("the line is told while it runs", || {
        fs::read_to_string(&said).unwrap().contains("runs make test")
    });
    assert!(shop.task_file("in_progress/x.json").exists());
    fs::write(&go, "").unwrap();
    shop.eventually("it is done", || shop.task_file("completed/x.json").exists());
    assert!(following.wait().unwrap().success());
    daemon.stop();
}

#[test]
fn a_daemon_that_died_leaves_nothing_of_its_codex() {
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    let mark = format!("7{}.5", u32::from_str_radix(&fresh_secret()[..6], 16).unwrap());
    let program = fake(&shop, &format!("{}; setsid sleep {mark} & sleep {mark}", begun()));
    shop.hire(&[worker(&program, &server)], &json!({}));
    let daemon = shop.daemon();
    shop.drop_task("x", &json!({ "description": "a" }));
    shop.eventually("it runs", || sleepers(&mark) == 2);
    daemon.kill();
    fake(&shop, &format!("echo again > \"$last\"; {}; {}", begun(), completed()));
    shop.drain().ends(0);
    assert_eq!(shop.result("completed/x")["content"], "again\n");
    assert_eq!(sleepers(&mark), 0);
    assert_eq!(fs::read_dir(shop.home().join("tmp")).unwrap().count(), 0);
}

#[test]
fn what_is_missing_in_its_settings_is_told_with_its_place() {
    let (shop, server) = (Sandbox::new(), ModelServer::start());
    let mut worker = paid(Path::new("codex"), &server);
    worker.as_object_mut().unwrap().remove("max_cost_usd");
    let worker = with(with(worker, "sandbox", "read_only"), "approval", "always");
    let plain = with(local(&server), "workspace_roots", json!(["here"]));
    shop.hire(&[worker, plain], &json!({ "workspace_roots": ["relative"] }));
    let said = shop.koubou(["start", "--drain"]).ends(1).err;
    for line in [
        "give it `max_cost_usd`",
        "`sandbox` must be `read-only`, `workspace-write` or `danger-full-access`, and is `read_only`",
        "`approval` must be `never`",
        "`relative` is not a whole path",
        "unknown key `workspace_roots`",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    shop.hire(&[with(cloud(&server), "max_cost_usd", 1)], &json!({}));
    shop.dotenv(&format!("{CLOUD_KEY}={}\n", fresh_secret()));
    let said = shop.koubou(["start", "--drain"]).ends(0).err;
    assert!(said.contains("`max_cost_usd` has no meaning for kind `chat`"), "{said}");
}
