//! What Codex wrote down of a run: how many tokens its requests took that were answered.
//!
//! The record lies in a folder of koubou's own making and goes with it. It is read where the run
//! did not end well, for then Codex says nothing of this itself. What was under way when it ended
//! is not in it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::events;
use crate::base::files;
use crate::task::outcome::Usage;

/// The largest record that is read.
const MOST: u64 = 256 << 20;

/// A record that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    /// What was used by the requests that were answered, where there were any.
    pub used: Option<Usage>,
}

/// The record below this folder, if there is one that can be read.
pub(super) fn of(own: &Path) -> Option<Recorded> {
    // One run writes one record: sessions/2026/11/26/rollout-….jsonl.
    let mut folder = own.join("sessions");
    for _ in 0..3 {
        folder = entries(&folder).next()?;
    }
    let file = entries(&folder).find(|file| file.extension().is_some_and(|its| its == "jsonl"))?;
    let bytes = files::read(&file, MOST).ok()?;
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let mut recorded = None;
    for line in lines {
        let found = recorded.get_or_insert(Recorded { used: None });
        if line.pointer("/payload/type").and_then(Value::as_str) == Some("token_count") {
            let total = line.pointer("/payload/info/total_token_usage");
            found.used = total.and_then(events::usage).or(found.used);
        } else if line["type"] == "token_usage_record" && found.used.is_none() {
            found.used = line.pointer("/payload/usage").and_then(events::usage);
        }
    }
    recorded
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_total_counts_and_no_record_is_not_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(of(dir.path()), None);
        let folder = dir.path().join("sessions/2026/11/26");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("rollout-x.jsonl");
        let begun = r#"{"type":"session_meta","payload":{}}"#;
        fs::write(&file, begun).unwrap();
        assert_eq!(of(dir.path()), Some(Recorded { used: None }));
        let count = |sent: u64| {
            format!(
                r#"{{"type":"event_msg","payload":{{"type":"token_count","info":{{"total_token_usage":{{"input_tokens":{sent},"output_tokens":5}}}}}}}}"#
            )
        };
        fs::write(&file, [begun, &count(10), "half a li", &count(30)].join("\n")).unwrap();
        assert_eq!(of(dir.path()).unwrap().used.unwrap().prompt_tokens, 30);
    }
}
