//! Reads `routing_rules`: who gets which task.
//!
//! The rules end with one `else`, each names a worker that there is, and none
//! stands where it can never be reached.

use super::complaint::Complaints;
use super::section::Section;
use super::tree::{Node, Place, Tree};
use crate::base::words;
use crate::route::rules::{Condition, Rule};
use crate::task::{Difficulty, WorkerType};

/// The conditions that are a bare word.
const WORDS: &[&str] = &[
    "contains_sensitive_data",
    "high_difficulty",
    "medium_difficulty",
    "low_difficulty",
    "budget_critical",
];

/// The conditions that have a value.
const WITH_VALUE: &[&str] = &["task_type", "priority_at_least"];

/// Reads all rules; `types` are the workers that there are.
pub(super) fn read(top: &Section<'_>, types: &[String], complaints: &Complaints) -> Vec<Rule> {
    if !top.has("routing_rules") {
        complaints.error(
            top.at,
            "`routing_rules` is missing: it says who gets which task, and ends with `- else: WORKER`",
        );
        return Vec::new();
    }
    let Some(nodes) = top.list("routing_rules") else { return Vec::new() };
    let mut rules: Vec<(Place, Rule)> = Vec::new();
    for node in nodes {
        if let Some(rule) = read_rule(node, types, complaints) {
            rules.push((node.at, rule));
        }
    }
    check_order(&rules, top.place_of("routing_rules"), nodes, complaints);
    rules.into_iter().map(|(_, rule)| rule).collect()
}

fn read_rule(node: &Node, types: &[String], complaints: &Complaints) -> Option<Rule> {
    let rule = Section::open(node, "a rule", &["if", "then", "else"], complaints)?;
    let (condition, key) = match (rule.get("if"), rule.has("else")) {
        (Some(_), true) => {
            rule.error("else", "a rule has `if` and `then`, or `else` alone: make two of it");
            return None;
        }
        (None, true) => {
            if rule.has("then") {
                rule.error("then", "`else` names its worker itself: take `then` out");
            }
            (Some(Condition::Always), "else")
        }
        (Some(written), false) => (read_condition(written, complaints), "then"),
        (None, false) => {
            rule.error("if", "a rule needs `if` and `then`, or `else`");
            return None;
        }
    };
    if !rule.has(key) {
        rule.error(key, "a rule with `if` needs `then` with the worker's type");
        return None;
    }
    let name = rule.word(key)?;
    if !types.contains(&name) {
        let shown = words::excerpt(&words::tame(&name), 60);
        let message = format!("there is no worker `{shown}` among `available_workers`");
        let known = types.iter().map(String::as_str);
        complaints.wrong_name(rule.place_of(key), message, &name, known);
        return None;
    }
    Some(Rule { condition: condition?, worker_type: WorkerType::new(name) })
}

fn read_condition(node: &Node, complaints: &Complaints) -> Option<Condition> {
    let condition = match &node.value {
        Tree::Text(text) => match text.split_once(':') {
            Some((key, value)) => with_value(key.trim(), value.trim()),
            None => bare(text.trim()),
        },
        Tree::Map(entries) => match entries.as_slice() {
            [(key, value)] => match (&key.name, &value.value) {
                (Some(key), Tree::Text(text)) => with_value(key, text.trim()),
                (Some(key), Tree::Whole(n)) => with_value(key, &n.to_string()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    if condition.is_none() {
        let named = match &node.value {
            Tree::Text(text) => text.split(':').next().unwrap_or_default(),
            Tree::Map(entries) => {
                entries.first().and_then(|(key, _)| key.name.as_deref()).unwrap_or_default()
            }
            _ => "",
        };
        let message = format!(
            "no rule can ask {}: the conditions are {}, `task_type: NAME` and `priority_at_least: 0..10`",
            node.described(),
            WORDS.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        );
        let known = WORDS.iter().chain(WITH_VALUE).copied().filter(|word| *word != named);
        complaints.wrong_name(node.at, message, named, known);
    }
    condition
}

fn bare(word: &str) -> Option<Condition> {
    match word {
        "contains_sensitive_data" => Some(Condition::ContainsSensitiveData),
        "high_difficulty" => Some(Condition::Difficulty(Difficulty::High)),
        "medium_difficulty" => Some(Condition::Difficulty(Difficulty::Medium)),
        "low_difficulty" => Some(Condition::Difficulty(Difficulty::Low)),
        "budget_critical" => Some(Condition::BudgetCritical),
        _ => None,
    }
}

fn with_value(key: &str, value: &str) -> Option<Condition> {
    match key {
        "task_type" if !value.is_empty() => Some(Condition::TaskType(value.to_owned())),
        "priority_at_least" => {
            value.parse().ok().filter(|n| *n <= 10).map(Condition::PriorityAtLeast)
        }
        _ => None,
    }
}

fn check_order(rules: &[(Place, Rule)], at: Place, nodes: &[Node], complaints: &Complaints) {
    let is_else = |node: &Node| match &node.value {
        Tree::Map(entries) => entries.iter().any(|(key, _)| key.name.as_deref() == Some("else")),
        _ => false,
    };
    match nodes.iter().position(is_else) {
        None => complaints.error(
            at,
            "`routing_rules` needs a last rule `- else: WORKER` for what no other rule names",
        ),
        Some(n) if n + 1 < nodes.len() => complaints.error(
            nodes[n].at,
            "`else` must be the last rule: what stands behind it is never reached",
        ),
        Some(_) => {}
    }
    for (n, (at, rule)) in rules.iter().enumerate() {
        let before = &rules[..n];
        if let Some(first) = before.iter().position(|(_, other)| covers(other, rule)) {
            let message = format!(
                "this rule is never reached: rule {}, `{}`, takes all of it",
                first + 1,
                rules[first].1.condition.as_written()
            );
            complaints.error(*at, message);
        } else if rule.condition != Condition::Always && has_every_difficulty(before) {
            let message = "this rule is never reached: the rules before it take every difficulty";
            complaints.error(*at, message);
        }
    }
}

fn has_every_difficulty(rules: &[(Place, Rule)]) -> bool {
    [Difficulty::Low, Difficulty::Medium, Difficulty::High]
        .into_iter()
        .all(|level| rules.iter().any(|(_, rule)| rule.condition == Condition::Difficulty(level)))
}

/// Whether every task that `later` would take goes to `earlier`. An `else` too early is told elsewhere.
fn covers(earlier: &Rule, later: &Rule) -> bool {
    match (&earlier.condition, &later.condition) {
        (Condition::Always, _) => false,
        (Condition::PriorityAtLeast(0), later) => *later != Condition::Always,
        (Condition::PriorityAtLeast(a), Condition::PriorityAtLeast(b)) => a <= b,
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env::Environment;
    use crate::config::file;
    use crate::route::rules::Situation;
    use crate::task::Sensitivity;
    use std::path::Path;

    const WORKERS: &str = "\
available_workers:
  - {type: cloud, model: m, endpoint: 'http://localhost:1/v1', local: true}
  - {type: local, model: m, endpoint: 'http://localhost:2/v1'}
routing_rules:
";

    fn read(rules: &str) -> Result<Vec<Rule>, String> {
        let environment = Environment::new([], "", "2026-11-23T00:00:00Z".parse().unwrap());
        let (path, home) = (Path::new("agent.yaml"), Path::new("/srv/koubou"));
        file::load(&format!("{WORKERS}{rules}"), path, home, &environment)
            .map(|config| config.router.rules.clone())
            .map_err(|errors| errors.to_string())
    }

    fn then(conditions: &[&str]) -> String {
        let rule = |condition: &&str| format!("  - if: {condition}\n    then: cloud\n");
        conditions.iter().map(rule).collect::<String>() + "  - else: local\n"
    }

    #[test]
    fn every_condition_can_be_written_as_a_word_and_as_a_pair() {
        for (written, condition) in [
            ("contains_sensitive_data", Condition::ContainsSensitiveData),
            ("high_difficulty", Condition::Difficulty(Difficulty::High)),
            ("medium_difficulty", Condition::Difficulty(Difficulty::Medium)),
            ("low_difficulty", Condition::Difficulty(Difficulty::Low)),
            ("budget_critical", Condition::BudgetCritical),
            ("'task_type: review'", Condition::TaskType("review".into())),
            ("{task_type: review}", Condition::TaskType("review".into())),
            ("'priority_at_least: 8'", Condition::PriorityAtLeast(8)),
            ("{priority_at_least: 8}", Condition::PriorityAtLeast(8)),
        ] {
            let rules = read(&then(&[written])).unwrap();
            assert_eq!(rules[0].condition, condition, "{written}");
            assert_eq!(rules[1].condition, Condition::Always);
        }
        for wrong in ["'priority_at_least: 11'", "'task_type:'", "[high_difficulty]", "hard"] {
            assert!(read(&then(&[wrong])).unwrap_err().contains("no rule can ask"), "{wrong}");
        }
    }

    #[test]
    fn the_first_match_wins() {
        let rules = read(
            "  - {if: high_difficulty, then: cloud}\n  - {if: 'priority_at_least: 8', then: local}\n  - else: cloud\n",
        )
        .unwrap();
        let chosen = |difficulty, priority| {
            let sensitivity = Sensitivity::Public;
            let (task_type, budget_critical) = ("general", false);
            let now = Situation { difficulty, sensitivity, task_type, priority, budget_critical };
            rules.iter().position(|rule| rule.condition.holds(&now))
        };
        assert_eq!(chosen(Difficulty::High, 9), Some(0));
        assert_eq!(chosen(Difficulty::Low, 9), Some(1));
        assert_eq!(chosen(Difficulty::Low, 7), Some(2));
    }

    #[test]
    fn a_rule_that_is_never_reached_is_named() {
        let every = ["low_difficulty", "medium_difficulty", "high_difficulty", "budget_critical"];
        let said = read(&then(&every)).unwrap_err();
        assert!(said.contains("11:5: this rule is never reached"), "{said}");
        assert!(said.contains("take every difficulty"), "{said}");
        let said = read(&then(&["'priority_at_least: 0'", "'task_type: a'"])).unwrap_err();
        assert!(
            said.contains("7:5: this rule is never reached: rule 1, `priority_at_least: 0`"),
            "{said}"
        );
        let said = read(&then(&["'task_type: a'", "{task_type: a}"])).unwrap_err();
        assert!(said.contains("rule 1, `task_type: a`, takes all of it"), "{said}");
    }

    #[test]
    fn rules_without_else_are_an_error() {
        let said = read("  - {if: low_difficulty, then: local}\n").unwrap_err();
        assert!(said.contains("needs a last rule `- else: WORKER`"), "{said}");
        assert!(read("  []\n").unwrap_err().contains("needs a last rule"));
    }
}
