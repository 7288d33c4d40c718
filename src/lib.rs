//! koubou.

pub mod base;
pub mod cli;
pub mod config;
pub mod engine;
pub mod foreman;
pub mod mirror;
pub mod route;
pub mod spool;
pub mod task;
pub mod worker;
