//! The echo worker.
