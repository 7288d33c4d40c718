//! A newer koubou opens an older home; an older one leaves a newer home alone, by name.

use std::fs;

use serde_json::json;

use crate::support::Sandbox;
use crate::support::sandbox::names;

#[test]
fn a_home_from_before_there_were_formats_is_opened_and_says_its_own_from_then_on() {
    let shop = Sandbox::with_echo();
    let format = shop.home().join("format");
    shop.drop_task("old", &json!({ "description": "before" }));
    shop.drain().ends(0);
    fs::remove_file(&format).unwrap();
    // Looking at it changes nothing.
    shop.koubou(["list"]).ends(0);
    assert!(!format.exists());
    shop.drop_task("new", &json!({ "description": "after" }));
    let said = shop.drain().ends(0);
    assert!(!said.err.contains("format"), "an upgrade is no news: {}", said.err);
    assert_eq!(shop.names("completed"), ["new.json", "old.json"]);
    let stated = fs::read_to_string(&format).unwrap();
    assert_eq!(stated, format!("1 koubou {}\n", env!("CARGO_PKG_VERSION")));
    shop.koubou(["init"]).ends(0);
    assert_eq!(fs::read_to_string(&format).unwrap(), stated);
}

#[test]
fn every_command_leaves_a_newer_home_alone_and_says_why() {
    let shop = Sandbox::with_echo();
    let format = shop.home().join("format");
    shop.drop_task("x", &json!({ "description": "a" }));
    fs::write(&format, "3 koubou 7.1.0\n").unwrap();
    let before = shop.everything();
    for command in [
        &["init"][..],
        &["start"],
        &["start", "--drain"],
        &["submit", "-d", "b"],
        &["wait", "x"],
        &["result", "x"],
        &["show", "x"],
        &["list"],
        &["log", "x"],
        &["watch"],
        &["retry", "--all"],
        &["cancel", "x"],
        &["pause"],
        &["resume"],
        &["status"],
        &["workers"],
        &["budget"],
        &["budget", "set", "--daily", "5"],
        &["rebuild"],
        &["maintain"],
        &["maintain", "--dry-run"],
        &["report"],
        &["master", "--print-config"],
        &["mcp"],
    ] {
        let said = shop.koubou(command).ends(1);
        assert!(
            said.err.contains("has format 3 and was last changed by koubou 7.1.0; this is koubou"),
            "{command:?}: {}",
            said.err
        );
        assert!(said.err.contains("hint: install that koubou or a newer one"), "{}", said.err);
    }
    for doctor in [&["doctor", "--json"][..], &["doctor", "--json", "--fix"]] {
        let report = shop.koubou(doctor).ends(1).json();
        let what = report["checks"][0]["what"].as_str().unwrap();
        assert!(what.contains("has format 3"), "{report:#}");
        assert_eq!(report["checks"].as_array().unwrap().len(), 1, "{report:#}");
    }
    assert_eq!(shop.everything(), before);

    fs::write(&format, "1 koubou 0.0.1\n").unwrap();
    shop.drain().ends(0);
    assert_eq!(names(&shop.task_file("completed")), ["x.json"]);
}

#[test]
fn what_is_no_format_is_told_with_the_way_out() {
    let shop = Sandbox::with_echo();
    let format = shop.home().join("format");
    for text in ["", "two koubou 7\n"] {
        fs::write(&format, text).unwrap();
        let said = shop.koubou(["status"]).ends(1);
        assert!(said.err.contains("does not begin with the number of a format"), "{}", said.err);
        assert!(said.err.contains("it is made anew"), "{}", said.err);
    }
    fs::remove_file(&format).unwrap();
    shop.drain().ends(0);
    assert!(format.is_file());
}
