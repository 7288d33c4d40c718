//! The stories: what koubou promises, told over the real program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says loudly what is wrong"
)]

mod support;

mod agents;
mod bad_input;
mod batch;
mod bursts;
mod by_hand;
mod clock;
mod codex;
mod commands;
mod commands_run;
mod config;
mod crash;
mod doctor;
mod examples;
mod family;
mod groups;
mod japanese;
mod ladder;
mod leaks;
mod lifecycle;
mod limits;
mod logs;
mod maintain;
mod master;
mod mcp;
mod metrics;
mod misbehaving;
mod models;
mod original_sql;
mod package;
mod readme;
mod real_servers;
mod reload;
mod report;
mod rooms;
mod rules;
mod scan;
mod schema;
mod standing_in;
mod storm;
mod supervised;
mod top;
mod trouble;
mod upgrade;
