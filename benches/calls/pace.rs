//! A limit of requests a minute: never more, and hardly fewer.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::Figure;
use crate::daemon::Home;
use crate::model_server::ModelServer;

const RPM: usize = 600;
const MINUTE: Duration = Duration::from_secs(60);
/// Somewhat more than a minute, so that there is more than one minute to look at.
const LOOKED_AT: Duration = Duration::from_secs(66);
const LEAST_SHARE: f64 = 95.0;

pub(crate) fn measure() -> Vec<Figure> {
    let server = ModelServer::start();
    server.takes(Duration::from_millis(50));
    let mut home = Home::of(&server, &json!({ "concurrency": 16, "max_rpm": RPM }));
    for n in 0..2 * RPM {
        home.drop_task(&format!("t{n}"));
    }
    home.start();
    server.wait_for_chats(1);
    std::thread::sleep(LOOKED_AT);
    let mut times: Vec<Instant> = server.requests().iter().map(|seen| seen.at).collect();
    times.sort_unstable();
    let within = |from: &Instant| {
        let first = times.partition_point(|at| at < from);
        times.partition_point(|at| *at < *from + MINUTE) - first
    };
    let most = times.iter().map(within).max().unwrap_or(0);
    let used = 100.0 * times.first().map_or(0, within) as f64 / RPM as f64;
    vec![
        Figure {
            what: format!("max_rpm {RPM}: most requests in any minute"),
            wanted: format!("<= {RPM}"),
            found: most.to_string(),
            is_reached: most <= RPM,
        },
        Figure {
            what: format!("max_rpm {RPM}: share of it that is used"),
            wanted: format!(">= {LEAST_SHARE} %"),
            found: format!("{used:.1} %"),
            is_reached: used >= LEAST_SHARE,
        },
    ]
}
