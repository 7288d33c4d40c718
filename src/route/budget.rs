//! What may be spent.
