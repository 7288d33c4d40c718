//! koubou.

pub mod base;
pub mod config;
pub mod foreman;
pub mod route;
pub mod spool;
pub mod task;
pub mod worker;
