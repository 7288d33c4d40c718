//! `koubou doctor`: a good home is good, each broken thing is found, and what it says to type mends it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::sandbox::{Said, names};
use crate::support::workers::{CLOUD_KEY, cloud, command, echo, fresh_secret, local, with};
use crate::support::{ModelServer, Reply, Sandbox};

/// What `doctor` says, with these arguments more.
fn checks(shop: &Sandbox, more: &[&str], code: i32) -> Vec<Value> {
    let said = shop.koubou(["doctor", "--json"].iter().chain(more)).ends(code);
    let report = said.json();
    assert_eq!(report["ok"], code == 0);
    report["checks"].as_array().unwrap().clone()
}

/// The findings of a check that are no good news.
fn bad<'a>(checks: &'a [Value], name: &str) -> Vec<&'a Value> {
    checks.iter().filter(|c| c["name"] == name && c["status"] != "ok").collect()
}

/// The one finding of a check that is no good news.
#[track_caller]
fn one<'a>(checks: &'a [Value], name: &str) -> &'a Value {
    match bad(checks, name).as_slice() {
        [one] => one,
        other => panic!("{name}: {other:#?} in {checks:#?}"),
    }
}

/// Types what a finding says; the editor does this to the file.
fn mend(shop: &Sandbox, finding: &Value, editor: &str) -> Said {
    let bin = Path::new(env!("CARGO_BIN_EXE_koubou")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell.args(["-c", finding["mend"].as_str().unwrap()]).env_clear();
    shell.env("PATH", format!("{}:{path}", bin.display())).env("HOME", shop.beside(""));
    shell.env("KOUBOU_HOME", shop.home()).env("EDITOR", editor);
    shop.run(shell, "").ends(0)
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_fresh_home_is_healthy() {
    let shop = Sandbox::new();
    let checks = checks(&shop, &[], 0);
    assert!(checks.iter().all(|check| check["status"] != "error"), "{checks:#?}");
    for name in ["home", "lock", "config", "database", "disk", "inodes", "leases", "clock"] {
        assert!(checks.iter().any(|check| check["name"] == name), "{name}: {checks:#?}");
    }
    let said = shop.koubou(["doctor"]).ends(0);
    assert!(said.out.contains("\n0 errors, "), "{}", said.out);
    assert!(names(&shop.home().join("tmp")).is_empty() && shop.names("pending").is_empty());
    shop.drain().ends(0);
    shop.koubou(["doctor"]).ends(0);
}

#[test]
fn where_there_is_no_home_the_doctor_says_how_to_make_one() {
    let shop = Sandbox::new();
    let nowhere = shop.beside("it's nowhere");
    let said = shop.koubou(["--home", nowhere.to_str().unwrap(), "doctor", "--json", "--fix"]);
    let report = said.ends(1).json();
    assert!(!nowhere.exists());
    let checks = report["checks"].as_array().unwrap();
    mend(&shop, one(checks, "home"), "true");
    shop.koubou(["--home", nowhere.to_str().unwrap(), "doctor"]).ends(0);
}

/// Something that goes wrong in a home, what is said of it, and what the editor does to mend it.
struct Harm {
    name: &'static str,
    status: &'static str,
    says: &'static str,
    harm: fn(&Sandbox),
    editor: &'static str,
}

fn harms() -> Vec<Harm> {
    let harm = |name, status, says, harm| Harm { name, status, says, harm, editor: "true" };
    let by_hand =
        |name, status, says, done, editor| Harm { editor, ..harm(name, status, says, done) };
    vec![
        harm("home", "error", "is missing", |shop| {
            fs::remove_dir(shop.task_file("failed")).unwrap();
        }),
        harm("home", "error", "is missing", |shop| {
            fs::remove_dir(shop.home().join("cache")).unwrap();
        }),
        harm("home", "error", "what is there is no folder", |shop| {
            fs::remove_dir(shop.home().join("control")).unwrap();
            fs::write(shop.home().join("control"), "").unwrap();
        }),
        harm("home", "error", "no settings", |shop| {
            fs::remove_file(shop.home().join("config/agent.yaml")).unwrap();
        }),
        harm("home", "error", "0666, not 0600", |shop| {
            let month = shop.home().join("tasks/archive/2026-01.jsonl.zst");
            fs::write(&month, zstd::bulk::compress(b"", 3).unwrap()).unwrap();
            shop.koubou(["maintain"]).ends(0);
            chmod(&month, 0o666);
        }),
        harm("home", "error", "0644, not 0600", |shop| {
            chmod(&shop.home().join("config/.env"), 0o644);
        }),
        harm("home", "error", "0755, not 0700", |shop| chmod(&shop.home().join("config"), 0o755)),
        harm("home", "error", "cannot use it", |shop| chmod(&shop.home().join("control"), 0o555)),
        harm("home", "warning", "anybody", |shop| chmod(&shop.home().join("control"), 0o777)),
        harm("lock", "warning", "dead one", |shop| {
            fs::write(shop.home().join("control/daemon.pid"), "1\n").unwrap();
        }),
        harm("home", "error", "0777, not 0600", |shop| {
            shop.koubou(["rebuild"]).ends(0);
            chmod(&shop.home().join("db/koubou.db"), 0o777);
        }),
        harm("database", "error", "not a database", |shop| {
            let database = shop.home().join("db/koubou.db");
            fs::write(&database, "no database at all\n".repeat(99)).unwrap();
            chmod(&database, 0o600);
        }),
        harm("database", "warning", "not in koubou's form", |shop| {
            fs::write(shop.home().join("db/koubou.db"), "").unwrap();
            chmod(&shop.home().join("db/koubou.db"), 0o600);
        }),
        harm("database", "warning", "does not know all that was before", |shop| {
            shop.koubou(["rebuild"]).ends(0);
            fs::write(shop.home().join("control/rebuild"), "").unwrap();
        }),
        harm("env", "warning", "`MASTER_PASSWORD` is set and nothing reads it", |shop| {
            shop.dotenv("export MASTER_PASSWORD=rosebud-77\n");
        }),
        by_hand(
            "env",
            "warning",
            "`OPENAI_API_KEY` only holds the place",
            |shop| shop.dotenv("OPENAI_API_KEY=sk-your-api-key-here\n"),
            "sed -i s/your-api-key-here/1234567890abcdef/",
        ),
        by_hand(
            "config",
            "error",
            "did you mean `concurrency`?",
            |shop| {
                shop.config(
                    "available_workers:\n  - {type: echo, kind: echo, local: true, concurency: 2}\nrouting_rules: [{else: echo}]\n",
                );
            },
            "sed -i s/concurency/concurrency/",
        ),
        harm("strays", "warning", "`x.tmp`", |shop| shop.drop_bytes("x.tmp", "{}")),
        harm("strays", "warning", "`it's one.txt`", |shop| {
            fs::write(shop.task_file("completed/it's one.txt"), "").unwrap();
        }),
        by_hand(
            "strays",
            "warning",
            "was no task: `odd`",
            |shop| {
                shop.drop_bytes("odd.json", "[]");
                shop.drain().ends(0);
            },
            "sed -i s/.*/{\"description\":\"a\"}/",
        ),
        harm("strays", "warning", "1 half-made file", |shop| {
            fs::write(shop.home().join("tmp/.koubou-1.1-0-x"), "").unwrap();
        }),
        harm("tasks", "warning", "the workshop is paused", |shop| {
            shop.koubou(["pause"]).ends(0);
        }),
        harm("tasks", "warning", "group `g` is paused", |shop| {
            shop.koubou(["pause", "--group", "g"]).ends(0);
        }),
        harm("worker", "warning", "it is paused", |shop| {
            shop.koubou(["pause", "echo"]).ends(0);
        }),
        harm("worker", "error", "not executable", |shop| {
            let program = shop.beside("program");
            fs::write(&program, "#!/bin/sh\n").unwrap();
            chmod(&program, 0o644);
            shop.hire(&[echo(), command("p", &[program.to_str().unwrap()])], &json!({}));
        }),
        by_hand(
            "check",
            "error",
            "in no folder of PATH",
            |shop| {
                let checks = json!([{ "name": "c", "command": ["no-such-program"] }]);
                shop.hire(&[echo()], &json!({ "checks": checks }));
            },
            "sed -i s/no-such-program/cat/",
        ),
    ]
}

#[test]
fn each_broken_thing_is_found_and_what_the_doctor_says_to_type_mends_it() {
    for Harm { name, status, says, harm, editor } in harms() {
        eprintln!("---- {name}: {says} ----");
        let shop = Sandbox::with_echo();
        shop.dotenv("");
        assert!(bad(&checks(&shop, &[], 0), name).iter().all(|c| c["name"] == "config"));
        harm(&shop);
        let found = checks(&shop, &[], i32::from(status == "error"));
        let found =
            bad(&found, name).into_iter().find(|c| c["what"].as_str().unwrap().contains(says));
        let found = found.unwrap_or_else(|| panic!("{name}: {says} is not found"));
        assert_eq!(found["status"], status);
        mend(&shop, found, editor);
        let left = checks(&shop, &[], 0);
        let left =
            bad(&left, name).into_iter().find(|c| c["what"].as_str().unwrap().contains(says));
        assert_eq!(left, None);
    }
}

#[test]
fn a_mistake_in_the_settings_has_its_place() {
    let shop = Sandbox::new();
    shop.config(
        "available_workers:\n  - {type: echo, kind: echo}\nrouting_rules:\n  - else: ehco\n",
    );
    let found = checks(&shop, &[], 1);
    let found = one(&found, "config");
    assert!(found["where"].as_str().unwrap().ends_with("agent.yaml:4:11"), "{found}");
}

#[test]
fn a_disk_without_room_and_tasks_without_a_daemon_are_told() {
    let shop = Sandbox::new();
    shop.hire(&[echo()], &json!({ "min_free_bytes": "900 TiB" }));
    shop.drop_task("x", &json!({ "description": "a" }));
    let found = checks(&shop, &[], 1);
    assert!(one(&found, "disk")["what"].as_str().unwrap().contains("900 TiB"));
    let waits = one(&found, "tasks");
    assert_eq!(
        (&waits["what"], &waits["mend"]),
        (&json!("1 task waits for a daemon"), &json!("koubou start"))
    );
}

#[test]
fn fix_does_what_is_harmless_and_says_so() {
    let shop = Sandbox::with_echo();
    shop.dotenv("");
    fs::remove_dir(shop.task_file("failed")).unwrap();
    fs::write(shop.home().join("tmp/.koubou-1.1-0-x"), "").unwrap();
    fs::write(shop.home().join("tmp/mine"), "").unwrap();
    chmod(&shop.home().join("config"), 0o755);
    chmod(&shop.home().join("config/.env"), 0o644);
    let done = checks(&shop, &["--fix"], 0);
    let said: Vec<&str> =
        done.iter().filter(|c| c["name"] == "fix").map(|c| c["what"].as_str().unwrap()).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].contains("tasks/failed") && said[1].contains("config/.env"), "{said:?}");
    assert!(said[2].contains("1 half-made file"), "{said:?}");
    assert_eq!(names(&shop.home().join("tmp")), ["mine"]);
    let again = checks(&shop, &["--fix"], 0);
    assert!(again.iter().any(|c| c["what"] == "there was nothing to do"), "{again:#?}");
}

#[test]
fn a_model_is_known_missing_retiring_or_nobody_answers() {
    let server = ModelServer::start();
    let shop = Sandbox::with_workers(&[local(&server)]);
    let found = checks(&shop, &[], 1);
    let what = one(&found, "model")["what"].as_str().unwrap();
    assert!(what.contains("no model `house-model`: it has `stand-in`"), "{what}");

    server.has_model(&json!({ "id": "hause-model" }));
    let found = checks(&shop, &[], 1);
    let finding = one(&found, "model");
    assert!(finding["what"].as_str().unwrap().contains("did you mean `hause-model`?"), "{finding}");
    mend(&shop, finding, "sed -i s/house-model/hause-model/");
    let known = checks(&shop, &[], 0);
    assert!(known.iter().any(|c| c["what"] == "it answers and knows `hause-model`"), "{known:#?}");

    for (day, code, verb) in [("2999-12-11", 0, "ends on"), ("2020-01-01", 1, "ended on")] {
        let server = ModelServer::start();
        server.has_model(&json!({ "id": "house-model", "shutdown_date": day }));
        let shop = Sandbox::with_workers(&[local(&server)]);
        let found = checks(&shop, &[], code);
        assert!(one(&found, "model")["what"].as_str().unwrap().contains(&format!("{verb} {day}")));
    }

    drop(server);
    let found = checks(&shop, &[], 0);
    let finding = one(&found, "endpoint");
    assert!(
        finding["what"].as_str().unwrap().contains("nobody answers at http://127"),
        "{finding}"
    );
    assert_eq!(finding["where"], "worker `local`");
}

/// The journal of a home, as text.
fn journal(shop: &Sandbox) -> String {
    let dir = shop.home().join("journal");
    let files = names(&dir).into_iter().map(|name| fs::read_to_string(dir.join(name)).unwrap());
    files.collect()
}

fn knowing(models: &[Value]) -> ModelServer {
    let server = ModelServer::start();
    for model in models {
        server.has_model(model);
    }
    server
}

#[test]
fn a_test_request_without_a_daemon_counts_in_the_budget() {
    let sky = knowing(&[json!({ "id": "cloud-model", "shutdown_date": "2999-12-11" })]);
    let house = knowing(&[json!({ "id": "house-model" })]);
    let shop = Sandbox::with_workers(&[cloud(&sky), local(&house), echo()]);
    shop.set(CLOUD_KEY, &fresh_secret());
    shop.drop_task("mine", &json!({ "description": "a" }));
    let found = checks(&shop, &["--send"], 0);
    let answered: Vec<&Value> = found.iter().filter(|c| c["name"] == "send").collect();
    assert_eq!(answered.len(), 2, "{found:#?}");
    let paid = answered[0]["what"].as_str().unwrap();
    assert!(paid.contains("it answered after") && paid.contains(", for $0.0"), "{paid}");
    assert!(found.iter().any(|c| c["what"].as_str().unwrap().contains("ends on 2999-12-11")));
    assert_eq!((sky.chats(), house.chats()), (1, 1));
    let asked = sky.requests().into_iter().find(|seen| seen.method == "POST").unwrap();
    assert_eq!(asked.body["max_tokens"], 64);
    let paths: Vec<String> = sky.requests().into_iter().map(|seen| seen.path).collect();
    assert!(paths.contains(&"/v1/models/cloud-model".into()), "{paths:?}");

    let lines = journal(&shop);
    assert!(
        lines.contains("\"reserved_usd\":0.0") && lines.contains("\"cost_usd\":0.0"),
        "{lines}"
    );
    let budget = shop.koubou(["budget", "--json"]).ends(0).json();
    assert!(budget["daily"]["spent_usd"].as_f64().unwrap() > 0.0);
    assert_eq!(budget["daily"]["reserved_usd"], 0);
    assert_eq!(shop.names("pending"), ["mine.json"], "nothing of anybody's was run");
    shop.drain().ends(0);
    assert_eq!(shop.count("SELECT count(*) FROM cost_tracking WHERE task_id LIKE 'doctor-%'"), 2);

    shop.koubou(["budget", "set", "--daily", "0"]).ends(0);
    let before = sky.chats();
    let found = checks(&shop, &["--send"], 0);
    assert!(one(&found, "send")["what"].as_str().unwrap().contains("not asked"), "{found:#?}");
    assert_eq!(sky.chats(), before);
}

#[test]
fn a_test_request_beside_a_daemon_is_a_task_that_leaves_only_its_cost() {
    let sky = knowing(&[json!({ "id": "cloud-model" })]);
    let house = knowing(&[json!({ "id": "house-model" })]);
    let shop = Sandbox::with_workers(&[cloud(&sky), local(&house), echo()]);
    shop.set(CLOUD_KEY, &fresh_secret());
    let _daemon = shop.daemon();
    let found = checks(&shop, &["--send"], 0);
    let answered: Vec<&Value> = found.iter().filter(|c| c["name"] == "send").collect();
    assert_eq!(answered.len(), 2, "{found:#?}");
    assert!(answered.iter().all(|c| c["what"].as_str().unwrap().contains("it answered after")));
    assert!(found.iter().any(|c| c["what"].as_str().unwrap().contains("a daemon runs as process")));
    assert!(shop.names("completed").is_empty() && shop.names("failed").is_empty());
    let paid = "SELECT count(*) FROM cost_tracking WHERE task_id LIKE 'doctor-%' AND cost_usd > 0";
    shop.eventually("the mirror has the cost", || shop.count(paid) == 1);

    sky.will(Reply::error(400, "invalid_request_error", "odd", "I do not like this"));
    let found = checks(&shop, &["--send"], 1);
    let failed = one(&found, "send");
    assert_eq!(failed["where"], "worker `cloud`");
    assert!(failed["what"].as_str().unwrap().contains("I do not like this"), "{failed}");
    assert!(shop.names("failed").is_empty());

    shop.koubou(["pause", "cloud"]).ends(0);
    shop.eventually("it is paused", || {
        shop.count("SELECT count(*) FROM workers WHERE status = 'paused'") > 0
    });
    let found = checks(&shop, &["--send"], 0);
    assert!(one(&found, "send")["what"].as_str().unwrap().contains("paused"), "{found:#?}");
}

#[test]
fn what_is_no_file_or_no_whole_result_is_named() {
    let shop = Sandbox::with_echo();
    shop.drop_task("good", &json!({ "description": "a" }));
    shop.drain().ends(0);
    checks(&shop, &[], 0);
    fs::write(shop.task_file("completed/half.json"), "{\"task_id\": \"half\"").unwrap();
    fs::create_dir(shop.task_file("pending/box.json")).unwrap();
    std::os::unix::fs::symlink("/dev/null", shop.task_file("pending/way.json")).unwrap();
    let found = checks(&shop, &[], 0);
    let said: Vec<&str> =
        bad(&found, "strays").iter().map(|finding| finding["what"].as_str().unwrap()).collect();
    assert_eq!(
        said,
        [
            "2 names here that can be no task, being no regular file: `box.json` and `way.json`",
            "1 name here that nobody can read as a result: `half.json`"
        ]
    );
    for finding in bad(&found, "strays") {
        mend(&shop, finding, "true");
    }
    assert!(bad(&checks(&shop, &[], 0), "strays").is_empty());
}

#[test]
fn a_result_that_was_spoilt_is_found_though_the_mirror_knows_it() {
    let shop = Sandbox::with_echo();
    shop.drop_task("good", &json!({ "description": "a" }));
    shop.drop_task("bad", &json!({ "description": "b" }));
    shop.drain().ends(0);
    let text = |found: &[Value]| one(found, "strays")["what"].as_str().unwrap().to_owned();
    let path = shop.task_file("completed/bad.json");
    let whole = fs::read_to_string(&path).unwrap();
    // Torn as by a crash, at a time at which it still was being written.
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, &whole[..40]).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
    let says = "1 name here that nobody can read as a result: `bad.json`";
    assert_eq!(text(&checks(&shop, &[], 0)), says);
    // Spoilt by hand, later.
    fs::write(&path, whole.replacen('{', "{{", 1)).unwrap();
    let later = written + std::time::Duration::from_secs(10);
    fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    assert_eq!(text(&checks(&shop, &[], 0)), says);
    // Only whoever set its time back is believed, until all is looked through.
    fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
    assert!(bad(&checks(&shop, &[], 0), "strays").is_empty());
    assert_eq!(text(&checks(&shop, &["--thorough"], 0)), says);
    // JSON, and no result: whoever asks for it is told so, too.
    fs::write(&path, "{}").unwrap();
    assert_eq!(text(&checks(&shop, &[], 0)), says);
    let anew = shop.koubou(["rebuild"]).ends(0);
    assert!(anew.err.contains("tasks/completed/bad.json cannot be read"), "{}", anew.err);
}

#[test]
fn a_key_that_is_none_is_named_wherever_it_stands() {
    let shop = Sandbox::new();
    shop.dotenv("OPENAI_API_KEY=sk-your-key-here\n");
    let found = checks(&shop, &[], 0);
    let env = one(&found, "env")["what"].as_str().unwrap().to_owned();
    assert_eq!(env, "`OPENAI_API_KEY` only holds the place of a key");
    shop.set("OPENAI_API_KEY", "sk-your-key-here");
    let said = shop.koubou(["doctor"]).out;
    assert!(said.contains("take OPENAI_API_KEY out of the environment"), "{said}");
}

#[test]
fn a_test_request_that_would_have_to_wait_is_withdrawn() {
    let pause = Reply::error(429, "requests", "rate_limit_exceeded", "slow down");
    let bad_key = Reply::error(401, "invalid_request_error", "invalid_api_key", "who are you");
    for (reply, code, said) in [
        (pause.header("retry-after", "3600"), 0, "was asked to pause until"),
        (bad_key, 1, "does not accept its key"),
    ] {
        let sky = knowing(&[json!({ "id": "cloud-model" })]);
        let shop = Sandbox::with_workers(&[cloud(&sky), echo()]);
        shop.set(CLOUD_KEY, &fresh_secret());
        let daemon = shop.daemon();
        sky.will(reply);
        let found = checks(&shop, &["--send"], code);
        let what = one(&found, "send")["what"].as_str().unwrap().to_owned();
        assert!(what.contains("is withdrawn") && what.contains(said), "{what}");
        daemon.until_said("withdrawn: its file was taken out of pending");
        for folder in ["pending", "in_progress", "completed", "failed"] {
            assert!(shop.names(folder).is_empty(), "{folder}");
        }
    }
}

#[test]
fn a_doctor_that_is_interrupted_takes_its_test_request_back() {
    let sky = knowing(&[json!({ "id": "cloud-model" })]);
    let shop = Sandbox::with_workers(&[cloud(&sky), echo()]);
    shop.set(CLOUD_KEY, &fresh_secret());
    let daemon = shop.daemon();
    sky.will(Reply::answer("ready", 1, 1).held());
    let mut doctor = shop.start(["doctor", "--send"]);
    sky.wait_for_held(1);
    doctor.term();
    assert_eq!(doctor.ended(), Some(1), "{}", doctor.said());
    daemon.until_said("cancelled");
    for folder in ["pending", "in_progress", "completed", "failed"] {
        assert!(shop.names(folder).is_empty(), "{folder}");
    }
}

#[test]
fn no_key_is_ever_told_whatever_servers_say() {
    let key = fresh_secret();
    let sky = knowing(&[json!({ "id": format!("model-{key}") })]);
    let shop = Sandbox::with_workers(&[cloud(&sky), echo()]);
    shop.dotenv(&format!("{CLOUD_KEY}={key}\nMASTER_PASSWORD=hunter-{key}\n"));
    let refusal =
        || Reply::error(401, "invalid_request_error", "invalid_api_key", &format!("no: {key}"));
    for more in [&[][..], &["--send"], &["--fix"], &["-v"]] {
        sky.will(refusal());
        for json in [&[][..], &["--json"]] {
            let said = shop.koubou(["doctor"].iter().chain(more).chain(json)).ends(1);
            assert!(
                !said.out.contains(&key) && !said.err.contains(&key),
                "{}{}",
                said.out,
                said.err
            );
            assert!(said.out.contains("MASTER_PASSWORD"), "{}", said.out);
        }
    }
    let found = checks(&shop, &["--send"], 1);
    assert!(!found.iter().any(|c| c["what"].as_str().unwrap().contains(&key)));
    shop.assert_nowhere(&key);
}

#[test]
fn a_file_of_anothers_is_found_with_its_owner() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can give a folder away.
    }
    let shop = Sandbox::with_echo();
    let pending: PathBuf = shop.task_file("pending");
    std::os::unix::fs::chown(&pending, Some(65_534), None).unwrap();
    let found = checks(&shop, &[], 1);
    let finding = one(&found, "home");
    assert!(finding["what"].as_str().unwrap().contains("belongs to nobody"), "{finding}");
    mend(&shop, finding, "true");
    checks(&shop, &[], 0);
}

#[test]
fn workers_and_status_tell_states_and_limits_in_words_and_json() {
    let server = ModelServer::start();
    let paced = with(with(local(&server), "max_rpm", 600), "max_tpm", 90_000);
    let shop = Sandbox::with_workers(&[paced, cloud(&server), echo()]);
    drop(server);
    let _daemon = shop.daemon();
    shop.drop_task("x", &json!({ "description": "a", "worker": "local" }));
    shop.eventually("it is unreachable", || {
        shop.count("SELECT count(*) FROM workers WHERE status = 'unreachable'") > 0
    });
    let all = shop.koubou(["workers", "--json"]).ends(0).json();
    let of =
        |name: &str| all.as_array().unwrap().iter().find(|w| w["worker_type"] == name).unwrap();
    assert_eq!((&of("local")["max_rpm"], &of("local")["max_tpm"]), (&json!(600), &json!(90_000)));
    assert_eq!(of("echo")["max_rpm"], Value::Null);
    assert!(of("local")["since"].is_string(), "{all:#}");
    assert_eq!(of("cloud")["state"], "disabled");
    for command in ["workers", "status"] {
        let said = shop.koubou([command]).ends(0).out;
        let line =
            |name: &str| said.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        assert!(line("local").contains("unreachable since 20"), "{said}");
        assert!(line("local").contains("600 rpm, 90000 tpm"), "{said}");
        assert!(line("echo").contains("idle, "), "{said}");
        assert!(line("cloud").contains("set CLOUD_API_KEY in config/.env"), "{said}");
    }
}
