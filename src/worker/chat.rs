//! The chat worker.
