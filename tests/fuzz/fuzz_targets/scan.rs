//! Any text at all: nothing panics, and what is found stands inside it.
#![no_main]

use koubou::route::sensitivity::SensitivityScanner;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut reasons = Vec::new();
    SensitivityScanner::default().scan("/description", text, &mut reasons);
    for (start, end) in reasons.iter().filter_map(|reason| reason.span) {
        assert!(start <= end && text.is_char_boundary(start) && text.is_char_boundary(end));
    }
});
