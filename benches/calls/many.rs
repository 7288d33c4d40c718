//! Hundreds of calls at once: how many a second of those that could be, and in how much memory.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::Figure;
use crate::daemon::Home;
use crate::model_server::ModelServer;

/// So many at once, and so often one after the other.
const AT_ONCE: usize = 512;
const ROUNDS: usize = 10;
const LATENCY: Duration = Duration::from_secs(1);

const LEAST_SHARE: f64 = 95.0;
const MOST_MEMORY: u64 = 150 << 20;

pub(crate) fn measure() -> Vec<Figure> {
    let server = ModelServer::start();
    server.takes(LATENCY);
    let mut home = Home::of(&server, &json!({ "concurrency": AT_ONCE }));
    let all = AT_ONCE * ROUNDS;
    for n in 0..all {
        home.drop_task(&format!("t{n}"));
    }
    home.start();
    let came = home.wait_for(all, Duration::from_secs(60));
    let ended = Instant::now();
    let memory = home.peak_memory();
    let began = server.requests().iter().map(|seen| seen.at).min().unwrap_or(ended);
    let taken = (ended - began).as_secs_f64();
    let share = 100.0 * ROUNDS as f64 * LATENCY.as_secs_f64() / taken;
    println!(
        "{all} calls in {taken:.2} s, at most {} at once, over {} connections",
        server.most_at_once(),
        server.connections()
    );
    vec![
        Figure {
            what: format!("{AT_ONCE} calls of 1 s at once: share of {AT_ONCE} a second"),
            wanted: format!(">= {LEAST_SHARE} %"),
            found: format!("{share:.1} %"),
            is_reached: came && share >= LEAST_SHARE,
        },
        Figure {
            what: "most memory that the daemon had meanwhile".into(),
            wanted: format!("< {} MiB", MOST_MEMORY >> 20),
            found: format!("{} MiB", memory >> 20),
            is_reached: memory < MOST_MEMORY,
        },
    ]
}
