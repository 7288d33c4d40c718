//! What koubou adds to calls of models, measured over the real program and a stand-in server.
//!
//! `make bench-calls` prints a table of what is wanted and what was found, and ends
//! with 1 where a figure is not reached. It takes under two minutes and needs no
//! network.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement says loudly what is wrong, and its table is for people"
)]

mod daemon;
mod many;
mod one;
mod pace;

#[path = "../../tests/it/support/model_server.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod model_server;

use std::process::ExitCode;

/// A line of the table.
struct Figure {
    what: String,
    wanted: String,
    found: String,
    is_reached: bool,
}

fn main() -> ExitCode {
    // Each call takes a descriptor or two in each of two processes.
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let limits = rustix::process::Rlimit { current: most, maximum: most };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, limits);
    let mut figures = one::measure();
    figures.extend(many::measure());
    figures.extend(pace::measure());
    println!("{:<48}  {:>12}  {:>12}", "", "wanted", "found");
    for Figure { what, wanted, found, is_reached } in &figures {
        let verdict = if *is_reached { "" } else { "  not reached" };
        println!("{what:<48}  {wanted:>12}  {found:>12}{verdict}");
    }
    match figures.iter().all(|figure| figure.is_reached) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
