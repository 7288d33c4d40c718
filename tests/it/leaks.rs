//! Everything that people try, and everything that goes wrong, to get a secret to the cloud:
//! a stand-in there writes down every byte that it receives.

use std::fs;

use base64::Engine;
use serde_json::{Value, json};

use crate::support::workers::{self, CLOUD_KEY, cloud, fresh_secret, local};
use crate::support::{ModelServer, Reply, Sandbox};

/// A shop whose model in the house is down, and whose cloud listens.
struct Trap {
    shop: Sandbox,
    sky: ModelServer,
    /// What must not be heard there.
    secret: String,
}

impl Trap {
    fn set(more: &Value) -> Self {
        let sky = ModelServer::start();
        let shop = Sandbox::new();
        shop.set(CLOUD_KEY, &fresh_secret());
        let house = ModelServer::start();
        shop.hire(&[cloud(&sky), local(&house)], more);
        drop(house);
        Self { shop, sky, secret: fresh_secret() }
    }

    fn telling(&self) -> String {
        format!("the admin password is {}", self.secret)
    }

    /// The secret as it is, and in each way in which it could be written.
    fn spellings(&self) -> Vec<String> {
        let secret = &self.secret;
        let each = |how: &dyn Fn(u8) -> String| secret.bytes().map(how).collect::<String>();
        let base64 = base64::engine::general_purpose::STANDARD;
        let mut all = vec![
            secret.clone(),
            secret.chars().rev().collect(),
            each(&|b| format!("{b:02x}")),
            each(&|b| format!("%{b:02x}")),
            each(&|b| format!("&#{b};")),
            each(&|b| format!("\\u{b:04x}")),
            each(&|b| format!("{}\u{200b}", char::from(b))),
            each(&|b| char::from_u32(u32::from(b) + 0xfee0).unwrap().to_string()),
        ];
        // Base64 of it at each offset, without the letters that its neighbours share.
        for pad in 0..3 {
            let coded = base64.encode(format!("{}{secret}", "x".repeat(pad)));
            all.push(coded[4..coded.len() - 4].to_owned());
        }
        all
    }

    #[track_caller]
    fn nothing_got_out(&self) {
        for seen in self.sky.requests() {
            let heard = format!("{seen:?}");
            for spelling in self.spellings() {
                assert!(!heard.contains(&spelling), "the cloud heard `{spelling}`:\n{heard}");
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.chars().map(|c| format!("\\u{:04x}", c as u32)).collect()
}

#[test]
fn a_secret_in_any_spelling_stays_in_the_house() {
    let trap = Trap::set(&json!({}));
    let telling = trap.telling();
    let plain = format!("password={}", trap.secret);
    let base64 = base64::engine::general_purpose::STANDARD;
    let hex: String = plain.bytes().map(|b| format!("{b:02x}")).collect();
    let wide: String = plain.chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect();
    let percent: String = plain.bytes().map(|b| format!("%{b:02x}")).collect();
    let entities: String = plain.bytes().map(|b| format!("&#{b};")).collect();
    let codes: Vec<String> = plain.bytes().map(|b| b.to_string()).collect();
    let half = &trap.secret[..16];
    let ways = [
        ("plain", telling.clone()),
        ("base64", format!("decode {}", base64.encode(&plain))),
        ("twice", base64.encode(base64.encode(&plain))),
        ("hex", hex),
        ("wide", wide),
        ("percent", percent),
        ("entities", entities),
        ("codes", format!("String.fromCharCode({})", codes.join(","))),
        ("escaped", escaped(&plain)),
        ("unseen", plain.replace("ss", "s\u{200b}s")),
        ("split", format!("\"pass\" + \"word=\" + \"{half}\" + \"{}\"", &trap.secret[16..])),
        ("backwards", plain.chars().rev().collect()),
        ("json", json!({ "inner": json!({ "password": trap.secret }).to_string() }).to_string()),
    ];
    for (name, text) in &ways {
        trap.shop.drop_task(name, &json!({ "description": text, "worker": "cloud" }));
        trap.shop.drop_task(&format!("in-{name}"), &json!({ "description": "a", "input": [text] }));
    }
    trap.shop.drain().ends(75);
    assert_eq!(trap.shop.names("pending").len(), 2 * ways.len());
    assert_eq!(trap.sky.chats(), 0, "{:?}", trap.sky.requests());
    trap.nothing_got_out();
}

#[test]
fn neither_a_spent_budget_nor_a_ladder_nor_a_retry_moves_it() {
    let trap = Trap::set(&json!({ "cost_limits": { "daily_limit_usd": 0.0001 } }));
    let ladder = json!(["cloud", "local"]);
    let tasks = [
        json!({ "description": trap.telling() }),
        json!({ "description": trap.telling(), "priority": 10, "difficulty_level": "high" }),
        json!({ "description": trap.telling(), "escalate": ladder }),
        json!({ "description": trap.telling(), "escalate": ["cloud"], "worker": "cloud" }),
    ];
    for (n, task) in tasks.iter().enumerate() {
        trap.shop.drop_task(&format!("t{n}"), task);
    }
    trap.shop.drain().ends(75);
    assert_eq!(trap.shop.names("pending").len(), tasks.len());
    // With money, and with a house that answers badly.
    let house = ModelServer::start();
    trap.shop.hire(&[cloud(&trap.sky), local(&house)], &json!({}));
    for _ in 0..tasks.len() {
        house.will(Reply::error(400, "invalid_request_error", "bad", "no"));
    }
    trap.shop.drain().ends(0);
    assert_eq!(trap.shop.names("failed").len(), tasks.len());
    trap.shop.koubou(["retry", "--all"]).ends(0);
    trap.shop.drain().ends(0);
    assert_eq!(trap.shop.names("completed").len(), tasks.len());
    assert_eq!((trap.sky.chats(), trap.sky.connections()), (0, 0));
    trap.nothing_got_out();
}

#[test]
fn a_task_that_is_edited_while_it_waits_is_looked_at_again() {
    let trap = Trap::set(&json!({}));
    trap.shop.koubou(["pause"]).ends(0);
    let _daemon = trap.shop.daemon();
    trap.shop.drop_task("x", &json!({ "description": "a harmless question", "worker": "cloud" }));
    trap.shop.eventually("it is seen", || {
        trap.shop.count("SELECT count(*) FROM task_master WHERE assigned_worker_type = 'cloud'")
            == 1
    });
    trap.shop.drop_task("x", &json!({ "description": trap.telling(), "worker": "cloud" }));
    trap.shop.koubou(["resume"]).ends(0);
    trap.shop.eventually("the mirror follows", || {
        trap.shop.count("SELECT count(*) FROM task_master WHERE assigned_worker_type = 'local'")
            == 1
    });
    assert_eq!(trap.sky.chats(), 0);
    trap.nothing_got_out();
}

#[test]
fn a_file_that_changes_after_it_was_looked_at_does_not_leave() {
    let papers = Sandbox::with_echo();
    let dir = papers.beside("papers");
    fs::create_dir(&dir).unwrap();
    let trap = Trap::set(&json!({ "file_roots": [dir] }));
    let path = dir.join("notes.txt");
    fs::write(&path, "harmless notes").unwrap();
    trap.shop.koubou(["pause"]).ends(0);
    let daemon = trap.shop.daemon();
    trap.shop
        .drop_task("x", &json!({ "description": "sum up", "files": [path], "worker": "cloud" }));
    trap.shop.eventually("it is seen", || {
        trap.shop.count("SELECT count(*) FROM task_master WHERE assigned_worker_type = 'cloud'")
            == 1
    });
    fs::write(&path, trap.telling()).unwrap();
    trap.shop.koubou(["resume"]).ends(0);
    trap.shop.eventually("it goes to the house", || {
        trap.shop.count("SELECT count(*) FROM task_master WHERE assigned_worker_type = 'local'")
            == 1
    });
    drop(daemon);
    assert_eq!(trap.sky.chats(), 0);
    trap.nothing_got_out();
}

#[test]
fn what_cannot_be_decoded_or_comes_from_a_secret_place_stays() {
    let papers = Sandbox::with_echo();
    let dir = papers.beside("papers");
    fs::create_dir_all(dir.join("hr")).unwrap();
    fs::write(dir.join("old.txt"), b"caf\xe9 and more").unwrap();
    fs::write(dir.join("hr/list.txt"), "nothing that shows").unwrap();
    let policy = json!({
        "confidential_task_types": ["payroll"], "confidential_paths": ["**/hr/**"], "words": ["Kaiyou"],
    });
    let trap = Trap::set(&json!({ "file_roots": [dir], "security_policy": policy }));
    for (name, task) in [
        ("undecodable", json!({ "description": "a", "files": [dir.join("old.txt")] })),
        ("place", json!({ "description": "a", "files": [dir.join("hr/list.txt")] })),
        ("type", json!({ "description": "a", "task_type": "payroll" })),
        ("word", json!({ "description": "the plan of project KAIYOU" })),
    ] {
        trap.shop.drop_task(name, &task);
    }
    trap.shop.drop_task("open", &json!({ "description": "a harmless question" }));
    trap.shop.drain().ends(75);
    assert_eq!(trap.shop.names("completed"), ["open.json"]);
    assert_eq!(trap.shop.names("pending").len(), 4);
    assert_eq!(trap.sky.chats(), 1);
}

#[test]
fn what_only_its_words_taken_together_tell_stays_unless_the_site_says_otherwise() {
    let text = "The plant in Leeds makes a loss that the bank must not see before we have signed. \
                How do I word the covenant letter?";
    for (matters, chats) in [(true, 0), (false, 1)] {
        let trap = Trap::set(&json!({ "security_policy": { "matters": matters } }));
        trap.sky.will(Reply::answer("so", 1, 1));
        trap.shop.drop_task("x", &json!({ "description": text, "worker": "cloud" }));
        let said = trap.shop.drain();
        assert_eq!(trap.sky.chats(), chats, "matters: {matters}: {}", said.err);
    }
}

#[test]
fn what_a_confidential_tasks_program_says_is_in_its_result_and_in_no_log() {
    let shop = Sandbox::new();
    let failing = workers::script("failing", "cat >&2; exit 3", &[]);
    shop.hire(&[workers::with(failing, "local", true)], &json!({}));
    let word = fresh_secret();
    let daemon = shop.daemon();
    shop.drop_task(
        "a",
        &json!({ "description": word, "sensitivity_level": "confidential", "max_attempts": 1 }),
    );
    daemon.until_said("a: failed");
    shop.drop_task(
        "b",
        &json!({ "description": "x", "sensitivity_level": "confidential", "difficulty_level": word }),
    );
    daemon.until_said("b: rejected (invalid_task)");
    shop.eventually("it is filed", || shop.task_file("failed/b.json").exists());
    assert!(shop.result("failed/a")["error"]["message"].as_str().unwrap().contains(&word));
    let said = daemon.said();
    assert!(!said.contains(&word), "{said}");
    assert_eq!(daemon.stop(), Some(0));
    for folder in ["logs", "journal", "db"] {
        for (path, bytes) in shop.everything() {
            let is_there = path.components().any(|part| part.as_os_str() == folder);
            let holds = bytes.windows(word.len()).any(|part| part == word.as_bytes());
            assert!(!(is_there && holds), "{}", path.display());
        }
    }
}
