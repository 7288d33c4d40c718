//! Results that people or programs changed: nothing panics, and what is written of one reads the same.
#![no_main]

use koubou::task::result::TaskResult;
use koubou::task::wire;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // A result that is dropped again is a task with a history, or a fresh one, or none.
    if let Ok(task) = wire::read("fuzz", bytes) {
        let _ = task.earlier_attempts();
    }
    let _ = wire::rejected_id(bytes);
    let Ok(result) = serde_json::from_slice::<TaskResult>(bytes) else { return };
    let Ok(value) = serde_json::to_value(&result) else { return };
    let again = serde_json::from_slice::<TaskResult>(&TaskResult::to_bytes(&value));
    assert!(again.is_ok_and(|again| again == result), "a result changed by being written");
});
