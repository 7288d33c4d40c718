//! The command worker.
