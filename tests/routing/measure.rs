//! Counts what is found and what is found wrongly.

use koubou::route::Router;
use koubou::route::sensitivity::SensitivityScanner;
use koubou::task::{Sensitivity, Task, wire};
use serde_json::json;

use super::confidential::Maker;
use super::pieces::Chance;
use super::{confidential, ordinary};

/// How many texts of each kind are made.
const EACH: usize = 25;

/// The least share of confidential texts that are found, in percent.
const LEAST_RECALL: usize = 97;

/// The most ordinary texts that are held back, in percent.
const MOST_ALARMS: usize = 3;

/// A router with the original's patterns.
pub(crate) fn router() -> Router {
    let patterns = ["password", "secret", "api_key", "token", "private_key"].map(str::to_owned);
    let Ok(scanner) = SensitivityScanner::new(&patterns) else { std::process::abort() };
    Router { scanner, ..Router::default() }
}

/// A task with a text in one of the places where it can stand.
pub(crate) fn task(text: &str, place: usize) -> Task {
    let value = match place % 4 {
        0 => json!({ "description": text }),
        1 => json!({ "description": "See the input.", "input": { "text": text } }),
        2 => json!({ "messages": [{ "role": "user", "content": text }] }),
        _ => json!({ "description": "Do it.", "metadata": { "note": text } }),
    };
    match wire::read("x", value.to_string().as_bytes()) {
        Ok(task) => task,
        Err(flaws) => panic!("{}", flaws.message()),
    }
}

/// Measures both sets and prints them; says whether they are good enough.
pub(crate) fn sensitivity(router: &Router, seed: u64, all: bool) -> bool {
    let (found, confidential) = set(router, seed, "confidential", confidential::KINDS, all);
    let (alarms, public) = set(router, seed, "ordinary", ordinary::KINDS, all);
    let precision = 100.0 * found as f64 / (found + alarms).max(1) as f64;
    println!(
        "confidential: {found} of {confidential} found; ordinary: {alarms} of {public} held back; precision {precision:.1} %"
    );
    found * 100 >= confidential * LEAST_RECALL && alarms * 100 <= public * MOST_ALARMS
}

/// How many texts of a set are held back, of how many; prints the kinds.
fn set(router: &Router, seed: u64, name: &str, kinds: &[Maker], all: bool) -> (usize, usize) {
    let mut total = 0;
    for (n, (kind, make)) in kinds.iter().enumerate() {
        let mut chance = Chance::new(seed + 1000 * n as u64);
        let texts: Vec<String> = (0..EACH).map(|_| make(&mut chance)).collect();
        let held = |(place, text): &(usize, &String)| {
            router.assess(&task(text, *place), &[]).sensitivity == Sensitivity::Confidential
        };
        let count = texts.iter().enumerate().filter(held).count();
        total += count;
        let odd = count != if name == "confidential" { EACH } else { 0 };
        if all || odd {
            println!("{name:13} {kind:22} {count:3} of {EACH}");
        }
    }
    (total, kinds.len() * EACH)
}
