//! Which worker may have a task, and what that may cost.
//!
//! [`Router::assess`] reads a task once, whole, and says how hard and how
//! confidential it is; this is the costly part, and needs nothing but the task.
//! [`Router::decide`] then picks a worker type in no time, as often as the state
//! of the shop changes. [`Cleared`] is the only form in which a request reaches a
//! worker: it exists only if the worker is local or nothing confidential was found.
//!
//! Everything here is a total function over plain data: no disk, no clock, no thread.

pub mod budget;
pub mod decision;
pub mod difficulty;
mod ladder;
pub mod price;
pub mod rate;
pub mod rules;
pub mod sensitivity;

pub use decision::{Assessment, Cleared, Decision, Router};
