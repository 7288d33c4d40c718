//! Tasks and results that were dropped again: no bytes panic, and what is public is cleared.
#![no_main]

use koubou::route::Router;
use koubou::route::sensitivity::SensitivityScanner;
use koubou::task::prompt::Prompt;
use koubou::task::{Sensitivity, wire};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(task) = wire::read("fuzz", bytes) else { return };
    assert!(task.id.as_str().len() <= 200 && !task.id.as_str().contains('/'));
    let patterns = ["password", "secret", "api_key", "token", "private_key"].map(str::to_owned);
    let Ok(scanner) = SensitivityScanner::new(&patterns) else { return };
    let router = Router { scanner, ..Router::default() };
    let seen = router.assess(&task, &[]);
    if seen.sensitivity == Sensitivity::Public {
        let prompt = Prompt::assemble(&task, &[], None);
        assert!(router.clear(prompt, seen.sensitivity, false).is_ok(), "public, and then not cleared");
    }
});
