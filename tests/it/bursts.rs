//! Money under bursts: however many ask at once, whatever the server does and whenever the daemon
//! dies, no more is spent than may be, by the server's own count.
//!
//! `make bursts` has a thousand of them, `make test` fifty. Each has a seed that it tells where it
//! goes wrong.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::crash::Dice;
use crate::support::workers::{CLOUD_KEY, cloud, fresh_secret, with};
use crate::support::{ModelServer, Reply, Sandbox};

/// Tasks of a burst.
const TASKS: usize = 64;
/// The most tokens of an answer; a thousand are a dollar.
const MOST_TOKENS: u64 = 100;
/// Microdollars for a token that is answered. What is asked costs nothing here.
const MICRO_A_TOKEN: u64 = 1_000;

/// What the server does with one call.
#[derive(Clone, Copy, Debug)]
struct Deed {
    sort: Sort,
    tokens: u64,
    delay: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sort {
    /// It answers and says what it took.
    Answers,
    /// It answers and does not say what it took.
    SaysNothing,
    /// It has done its work, and the answer is lost on the way.
    Loses,
    /// The same in the middle of the answer.
    Cuts,
    /// It has done its work when nobody waits for it any more.
    IsLate,
    /// It fails before it has done anything.
    Fails,
    /// It will not.
    Refuses,
}

impl Deed {
    fn of(dice: &mut Dice) -> Self {
        let sort = match dice.below(20) {
            0..10 => Sort::Answers,
            10 => Sort::SaysNothing,
            11..13 => Sort::Loses,
            13..15 => Sort::Cuts,
            15 => Sort::IsLate,
            16..18 => Sort::Fails,
            _ => Sort::Refuses,
        };
        let delay = Duration::from_millis(dice.below(30) as u64);
        Self { sort, tokens: 1 + dice.below(MOST_TOKENS as usize) as u64, delay }
    }

    /// What the server wants for it.
    fn micros(self) -> u64 {
        match self.sort {
            Sort::Fails | Sort::Refuses => 0,
            _ => self.tokens * MICRO_A_TOKEN,
        }
    }

    /// Its answer says which deed it is.
    fn reply(self, n: usize) -> Reply {
        let answer = || Reply::answer(&format!("deed {n}"), 0, self.tokens);
        let reply = match self.sort {
            Sort::Answers => answer(),
            Sort::SaysNothing => {
                let message = json!({ "role": "assistant", "content": format!("deed {n}") });
                Reply::json(
                    &json!({ "choices": [{ "message": message, "finish_reason": "stop" }] }),
                )
            }
            Sort::Loses => answer().cut_after(0),
            Sort::Cuts => answer().cut_after(120),
            Sort::IsLate => return answer().after(Duration::from_millis(1_500)),
            Sort::Fails => Reply::error(500, "server_error", Value::Null, "out of order"),
            Sort::Refuses => Reply::error(400, "invalid_request_error", Value::Null, "no"),
        };
        reply.after(self.delay)
    }
}

fn micros(usd: &Value) -> u64 {
    (usd.as_f64().unwrap() * 1e6).round() as u64
}

/// One burst; how many of its calls had an outcome that is known.
fn burst(seed: u64) -> usize {
    let mut dice = Dice(seed);
    let server = ModelServer::start();
    let deeds: Vec<Deed> = (0..TASKS * 2).map(|_| Deed::of(&mut dice)).collect();
    for (n, deed) in deeds.iter().enumerate() {
        server.will(deed.reply(n));
    }
    let shop = Sandbox::new();
    shop.set(CLOUD_KEY, &fresh_secret());
    let limit = 500_000 + 100_000 * dice.below(40) as u64;
    let worker = with(cloud(&server), "price_per_1m", json!({ "input": 0, "output": 1_000 }));
    let worker = with(with(worker, "max_tokens", MOST_TOKENS), "concurrency", TASKS);
    let worker = with(with(worker, "timeout_s", 0.8), "max_attempts", 1);
    let limits = json!({ "daily_limit_usd": limit as f64 / 1e6, "alert_threshold_percent": 100 });
    shop.hire(&[worker], &json!({ "cost_limits": limits }));
    for n in 0..TASKS {
        let task = json!({ "description": "x", "worker": "cloud", "difficulty_level": "low" });
        shop.drop_task(&format!("t{n}"), &task);
    }
    // The daemon dies in the middle of every other burst, once or twice.
    for _ in 0..dice.below(3) {
        let seen = server.chats();
        let daemon = shop.daemon();
        let more = 1 + dice.below(12);
        let is_over = || {
            daemon.said().contains("budget is used up")
                || shop.names("pending").is_empty() && shop.names("in_progress").is_empty()
        };
        shop.eventually("some calls", || server.chats() >= seen + more || is_over());
        daemon.kill();
    }
    let said = shop.koubou(["start", "--drain"]);
    assert!(matches!(said.code, 0 | 75), "seed {seed}: {}", said.err);
    let made = server.chats();
    let wanted: u64 = deeds[..made].iter().map(|deed| deed.micros()).sum();
    let budget = shop.koubou(["budget", "--json"]).ends(0).json();
    let spent = micros(&budget["daily"]["spent_usd"]);
    let told = format!("seed {seed}: limit {limit}, wanted {wanted}, written down {spent}");
    assert!(wanted <= limit && spent <= limit && wanted <= spent, "{told}");
    assert_eq!(micros(&budget["daily"]["reserved_usd"]), 0, "{told}");
    check_known(&shop, &deeds, &told)
}

/// What each call with a known outcome cost is what the server wants for it; how many there were.
fn check_known(shop: &Sandbox, deeds: &[Deed], told: &str) -> usize {
    let names = shop.names("completed");
    let results = names
        .iter()
        .map(|name| shop.result(&format!("completed/{}", name.trim_end_matches(".json"))));
    let mut known = 0;
    for result in results {
        let said = result["content"].as_str().unwrap();
        let deed = deeds[said.trim_start_matches("deed ").parse::<usize>().unwrap()];
        let last = result["attempts"].as_array().unwrap().last().unwrap();
        let wanted = match deed.sort {
            Sort::Answers => deed.tokens * MICRO_A_TOKEN,
            // Nobody said what it took: all that was set apart for it.
            _ => MOST_TOKENS * MICRO_A_TOKEN,
        };
        assert_eq!(micros(&last["cost_usd"]), wanted, "{told}: {deed:?}");
        known += 1;
    }
    known
}

#[test]
fn no_burst_overspends_whatever_the_server_does_and_whenever_the_daemon_dies() {
    let stated = std::env::var("KOUBOU_BURSTS").ok().and_then(|n| n.parse().ok());
    let bursts: u64 = stated.unwrap_or(50);
    let (next, known) = (AtomicU64::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= bursts {
                        return;
                    }
                    known.fetch_add(burst(0x6b6f_7562_6f75 + n), Ordering::Relaxed);
                }
            });
        }
    });
    let known = known.into_inner();
    println!(
        "{bursts} bursts of {TASKS}: {known} calls with a known outcome, all as the server counts"
    );
    assert!(known as u64 > bursts, "too few calls had an outcome to show anything");
}
