//! How fast a worker may be asked.
