//! koubou.

pub mod base;
pub mod config;
pub mod mirror;
pub mod route;
pub mod task;
pub mod worker;
