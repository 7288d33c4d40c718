//! The journal's lines: nothing panics, and closing what is open twice changes nothing.
#![no_main]

use koubou::base::clock::Timestamp;
use koubou::task::journal::{Line, Replay};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut replay = Replay::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(line) = serde_json::from_slice::<Line>(line) {
            replay.follow(line);
        }
    }
    replay.close_open(Timestamp::UNIX_EPOCH);
    assert!(replay.close_open(Timestamp::UNIX_EPOCH).is_empty());
});
