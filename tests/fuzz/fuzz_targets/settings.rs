//! `agent.yaml`: no text panics, and every complaint has a place.
#![no_main]

use std::path::Path;

use koubou::base::clock::Timestamp;
use koubou::config::{Environment, load};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|yaml: &str| {
    let env = Environment::new(Vec::new(), "", Timestamp::UNIX_EPOCH);
    if let Err(errors) = load(yaml, Path::new("agent.yaml"), Path::new("/home"), &env) {
        assert!(!errors.to_string().is_empty());
    }
});
