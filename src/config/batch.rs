//! Reads a worker's `batch`: whether its tasks go in batches, and how these are made.

use std::time::Duration;

use super::complaint::Complaints;
use super::section::Section;
use super::tree::Tree;
use super::{BatchSpec, OnExpiry};
use crate::base::words;

const KEYS: &[&str] = &["all", "window", "gather_s", "most", "poll_s", "on_expiry"];
const ON_EXPIRY: [(&str, OnExpiry); 3] =
    [("resubmit", OnExpiry::Resubmit), ("now", OnExpiry::Now), ("fail", OnExpiry::Fail)];

impl Default for BatchSpec {
    fn default() -> Self {
        Self {
            all: false,
            window: "24h".into(),
            gather: Duration::from_secs(60),
            most: 1_000,
            poll: Duration::from_secs(30),
            on_expiry: OnExpiry::default(),
        }
    }
}

/// What a worker says of batches; `None` for one that has none.
pub(super) fn read(
    worker: &Section<'_>,
    has_batches: bool,
    complaints: &Complaints,
) -> Option<BatchSpec> {
    let usual = has_batches.then(BatchSpec::default);
    let Some(node) = worker.get("batch") else { return usual };
    if !has_batches && node.value != Tree::Flag(false) {
        let message = "`batch` is for a `chat` worker that costs money: take it out";
        worker.error("batch", message);
        return None;
    }
    match node.value {
        Tree::Flag(all) => usual.map(|usual| BatchSpec { all, ..usual }),
        Tree::Map(_) => Some(terms(&worker.section("batch", KEYS)?, complaints)),
        _ => {
            let message = format!(
                "`batch` must be `true`, `false` or a mapping of keys, and is {}",
                node.described()
            );
            worker.error("batch", message);
            None
        }
    }
}

fn terms(batch: &Section<'_>, complaints: &Complaints) -> BatchSpec {
    let usual = BatchSpec::default();
    BatchSpec {
        all: batch.flag("all").unwrap_or(true),
        window: window(batch).unwrap_or(usual.window),
        gather: batch.seconds_or_none("gather_s").unwrap_or(usual.gather),
        most: batch.small("most", 1, 50_000).map_or(usual.most, |most| most as usize),
        poll: batch.seconds("poll_s").unwrap_or(usual.poll),
        on_expiry: on_expiry(batch, complaints).unwrap_or_default(),
    }
}

/// A number of minutes, hours or days as providers write it.
fn window(batch: &Section<'_>) -> Option<String> {
    let window = batch.word("window")?;
    let number = window.strip_suffix(['m', 'h', 'd']).and_then(|n| n.parse::<u32>().ok());
    if number.is_none_or(|n| n == 0) {
        let shown = words::excerpt(&words::tame(&window), 40);
        let message = format!("`window` must be a span such as `24h`, and is `{shown}`");
        batch.error("window", message);
        return None;
    }
    Some(window)
}

fn on_expiry(batch: &Section<'_>, complaints: &Complaints) -> Option<OnExpiry> {
    let name = batch.word("on_expiry")?;
    let known = ON_EXPIRY.iter().find(|(known, _)| *known == name).map(|(_, expiry)| *expiry);
    if known.is_none() {
        let names = ON_EXPIRY.map(|(name, _)| name);
        let shown = words::excerpt(&words::tame(&name), 40);
        let must = format!("`on_expiry` must be {}, and is `{shown}`", words::names(names, "or"));
        complaints.wrong_name(batch.place_of("on_expiry"), must, &name, names);
    }
    known
}
