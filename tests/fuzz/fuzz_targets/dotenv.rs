//! `.env`: no text panics.
#![no_main]

use std::path::Path;

use koubou::base::clock::Timestamp;
use koubou::config::{Environment, load};
use libfuzzer_sys::fuzz_target;

const LEAST: &str = "available_workers:\n  - {type: echo, kind: echo}\nrouting_rules:\n  - else: echo\n";

fuzz_target!(|text: &str| {
    let env = Environment::new(Vec::new(), text, Timestamp::UNIX_EPOCH);
    let _ = load(LEAST, Path::new("agent.yaml"), Path::new("/home"), &env);
});
