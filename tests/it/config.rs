//! Settings: the original's load unchanged, and what is wrong is said with its place.

use std::fs;

use serde_json::Value;

use crate::support::Sandbox;

const ORIGINAL: &str = include_str!("../data/agent.original.yaml");

#[test]
fn the_original_settings_load_and_mean_what_they_say() {
    let shop = Sandbox::new();
    shop.config(ORIGINAL);
    for (text, worker, difficulty, sensitivity) in [
        ("design the architecture of a distributed system", "gpt5_high", "high", "public"),
        ("refactor the module and implement an API", "gpt5_medium", "medium", "public"),
        ("fix a typo", "local", "low", "public"),
        ("password = opensesame-2 and design the architecture", "local", "high", "confidential"),
    ] {
        let answer: Value = shop.koubou(["route", "--json", text]).ends(0).json();
        assert_eq!(answer["worker_type"], worker, "{text}: {answer:#}");
        assert_eq!(answer["difficulty_level"], difficulty, "{text}: {answer:#}");
        assert_eq!(answer["sensitivity_level"], sensitivity, "{text}: {answer:#}");
        assert!(!answer["reasons"].as_array().unwrap().is_empty(), "{text}");
    }
    let budget: Value = shop.koubou(["budget", "--json"]).ends(0).json();
    assert_eq!(budget["daily"]["limit_usd"], 10);
    assert_eq!(budget["monthly"]["limit_usd"], 100);
    assert_eq!(budget["alert_threshold_percent"], 80);
}

#[test]
fn every_mistake_is_named_with_its_place_and_the_nearest_right_name() {
    let shop = Sandbox::new();
    shop.config(
        "available_workers:\n  \
           - type: echo\n    \
             kind: echo\n    \
             concurency: 2\n\
         routing_rules:\n  \
           - else: ehco\n\
         cost_limits:\n  \
           daily_limit_usd: -1\n",
    );
    let said = shop.drain().ends(1);
    for (place, near) in
        [(":4:5", "`concurrency`"), (":6:11", "`echo`"), (":8:20", "daily_limit_usd")]
    {
        let line = said.err.lines().find(|line| line.contains(&format!("agent.yaml{place}")));
        let line = line.unwrap_or_else(|| panic!("no mistake at {place}:\n{}", said.err));
        assert!(line.contains(near), "{line}");
    }
}

#[test]
fn settings_that_are_no_yaml_are_refused_with_the_place() {
    let shop = Sandbox::new();
    shop.config("available_workers: [\n");
    let said = shop.drain().ends(1);
    assert!(said.err.contains("agent.yaml:"), "{}", said.err);
    fs::remove_file(shop.home().join("config/agent.yaml")).unwrap();
    let said = shop.drain().ends(1);
    assert!(said.err.contains("koubou init"), "{}", said.err);
}

#[test]
fn what_init_makes_works_at_once_and_is_never_overwritten() {
    let shop = Sandbox::new();
    let said = shop.koubou(["submit", "--worker", "echo", "-d", "hello", "--id", "first"]).ends(0);
    assert_eq!(said.out, "first\n");
    shop.drain().ends(0);
    assert_eq!(shop.koubou(["result", "first"]).ends(0).out, "hello");
    shop.config(ORIGINAL);
    shop.koubou(["init"]).ends(0);
    assert_eq!(fs::read_to_string(shop.home().join("config/agent.yaml")).unwrap(), ORIGINAL);
    assert_eq!(shop.names("completed"), ["first.json"]);
}

#[test]
fn the_budget_of_the_environment_goes_before_the_settings() {
    let shop = Sandbox::new();
    shop.dotenv("DAILY_BUDGET_USD=3\nMONTHLY_BUDGET_USD=30\n");
    shop.set("DAILY_BUDGET_USD", "2");
    let budget: Value = shop.koubou(["budget", "--json"]).ends(0).json();
    assert_eq!(budget["daily"]["limit_usd"], 2);
    assert_eq!(budget["monthly"]["limit_usd"], 30);
}
