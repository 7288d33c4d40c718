//! How well the router judges: recall and precision by kind, and how fast.
//!
//! Every text is made at test time, from a seed, out of pieces: nothing in the
//! repository looks like a live secret. `KOUBOU_SEED=n` makes another set, and
//! `KOUBOU_BENCH=1` measures the speed too (`make bench-routing`).

#![allow(clippy::print_stdout, reason = "the tables are for people")]

mod confidential;
mod difficulty;
mod fit;
mod measure;
mod ordinary;
mod pieces;
mod speed;

use std::process::ExitCode;

/// Whether difficulty is judged as people judge it, and hard work hardly ever taken for easy.
fn difficulty_is_judged() -> bool {
    let (written, made) = difficulty::table();
    [written, made].iter().all(|table| table.agreement() >= 0.75 && table.hard_to_low() <= 0.02)
}

fn main() -> ExitCode {
    let seed = std::env::var("KOUBOU_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let bench = std::env::var_os("KOUBOU_BENCH").is_some();
    if let Ok(file) = std::env::var("KOUBOU_FIT") {
        fit::print(&file);
        return ExitCode::SUCCESS;
    }
    let router = measure::router();
    let mut good = measure::sensitivity(&router, seed, bench);
    good &= difficulty_is_judged();
    if bench {
        good &= speed::table(&router, seed);
    }
    match good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
