//! An answer that asks for tasks: whatever it says, nothing panics, and what comes of it is no more
//! than its parent may, each a task that can be read again.
#![no_main]

use std::collections::BTreeMap;

use koubou::task::{Sensitivity, Usd, placeholder, subtasks, wire};
use libfuzzer_sys::fuzz_target;

const PARENT: &[u8] = br#"{"description": "split it", "may_spawn": 5, "priority": 4}"#;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(parent) = wire::read("plan", PARENT) else { unreachable!("it is a task") };
    placeholder::replace(text, &mut |id| Some(id.to_string()));
    let Ok(mut documents) = subtasks::read(text, &parent, Sensitivity::Confidential) else { return };
    assert!(documents.len() <= 5);
    subtasks::share(&mut documents, Usd::dollars(1));
    let ids: Vec<_> = documents.iter().filter_map(subtasks::id_of).collect();
    assert_eq!(ids.len(), documents.len());
    let names: BTreeMap<_, _> = ids.iter().map(|id| (id.clone(), id.numbered(2))).collect();
    subtasks::rename(&mut documents, &names);
    let mut caps = Usd::ZERO;
    for document in documents {
        let Ok(task) = wire::read_document("x", document) else { unreachable!("it was one before") };
        assert!(task.priority <= 4 && task.sensitivity == Some(Sensitivity::Confidential));
        assert!(task.id.as_str().starts_with("plan-") && task.files.is_empty());
        caps += task.max_cost.unwrap_or_default();
    }
    assert!(caps <= Usd::dollars(1));
});
