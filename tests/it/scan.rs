//! `koubou scan`: the router's eyes as a tool of their own, for hooks and pipelines.

use std::fs;

use serde_json::json;

use crate::support::workers::{self, fresh_secret};
use crate::support::{ModelServer, Sandbox};

#[test]
fn a_folder_is_looked_through_and_what_is_found_is_told_by_place_alone() {
    let shop = Sandbox::with_echo();
    let dir = shop.beside("project");
    for inner in ["src", ".git"] {
        fs::create_dir_all(dir.join(inner)).unwrap();
    }
    let secret = fresh_secret();
    let telling = format!("# settings\ndb:\n  password: {secret}\n");
    fs::write(dir.join("src/app.yaml"), &telling).unwrap();
    fs::write(dir.join(".git/config"), &telling).unwrap();
    fs::write(dir.join("src/main.rs"), "fn main() { println!(\"the token is refreshed\"); }\n")
        .unwrap();
    fs::write(dir.join("picture"), [0_u8, 159, 146, 150]).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", dir.join("link")).unwrap();
    let dir = dir.to_str().unwrap();

    let said = shop.koubou(["scan", dir]).ends(1);
    assert!(said.out.starts_with(&format!("{dir}/src/app.yaml:3:13: ")), "{}", said.out);
    assert_eq!(said.out.lines().count(), 1, "{}", said.out);
    assert!(said.err.contains("1 file without text passed over"), "{}", said.err);
    let told = shop.koubou(["scan", "--json", dir]).ends(1);
    assert!(!format!("{said:?}{told:?}").contains(&secret[..8]), "{said:?}");
    let answer = told.json();
    assert_eq!(
        (answer["files"].as_u64(), answer["findings"][0]["line"].as_u64()),
        (Some(2), Some(3))
    );
    assert!(answer["findings"][0]["shape"].as_str().unwrap().starts_with("len 32"));

    fs::remove_file(format!("{dir}/src/app.yaml")).unwrap();
    assert_eq!(shop.koubou(["scan", dir]).ends(0).out, "");
}

#[test]
fn standard_input_is_looked_through_and_no_home_is_needed() {
    let shop = Sandbox::with_echo();
    shop.set("KOUBOU_HOME", shop.beside("nowhere").to_str().unwrap());
    let secret = fresh_secret();
    shop.koubou_with(["scan", "-"], &format!("api_key = \"{secret}\"")).ends(1);
    shop.koubou_with(["scan", "-"], "rotate the API key every month").ends(0);
    let said = shop.koubou(["scan", "/no/such/file"]).ends(1);
    assert!(said.err.contains("/no/such/file"), "{}", said.err);
    shop.koubou(["scan"]).ends(2);
}

#[test]
fn a_value_that_may_pass_is_allowed_by_its_hash() {
    let (cloud, shop) = (ModelServer::start(), Sandbox::new());
    let (known, other) = (fresh_secret(), fresh_secret());
    let hash = shop.koubou_with(["scan", "--allow"], &known).ends(0).out.trim().to_owned();
    assert_eq!(hash.len(), 64);
    shop.set(workers::CLOUD_KEY, &fresh_secret());
    let policy = json!({ "sensitive_patterns": ["password"], "allow": [hash] });
    shop.hire(&[workers::cloud(&cloud), workers::echo()], &json!({ "security_policy": policy }));
    shop.koubou_with(["scan", "-"], &format!("password: {known}")).ends(0);
    shop.koubou_with(["scan", "-"], &format!("password: {other}")).ends(1);
    let routed = |value: &str| {
        let text = format!("password: {value}");
        shop.koubou(["route", "--json", &text]).ends(0).json()["sensitivity_level"].to_string()
    };
    assert_eq!((routed(&known), routed(&other)), ("\"public\"".into(), "\"confidential\"".into()));
    let config = fs::read_to_string(shop.home().join("config/agent.yaml")).unwrap();
    assert!(!config.contains(&known));
}
