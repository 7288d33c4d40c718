//! `koubou workers`: who works here, and in which state.

use std::fmt;

use serde::Serialize;

use super::table::Table;
use super::{Done, Exit, Site, Ui};
use crate::config::Config;
use crate::mirror::query::WorkerRecord;
use crate::spool::Home;
use crate::spool::notes::Note;

/// Show the workers and their states
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

/// A worker type, its hands taken together.
#[derive(Serialize, Clone, Debug)]
pub(super) struct WorkerState {
    pub(super) worker_type: String,
    pub(super) state: String,
    pub(super) reason: Option<String>,
    pub(super) until: Option<String>,
    pub(super) since: Option<String>,
    pub(super) paused: bool,
    /// What keeps its batches, where something does.
    pub(super) batches: Option<BatchState>,
    pub(super) hands: usize,
    pub(super) busy: usize,
    pub(super) max_rpm: Option<u32>,
    pub(super) max_tpm: Option<u32>,
    pub(super) model: String,
    pub(super) endpoint: String,
    pub(super) local: bool,
    pub(super) tasks: Vec<String>,
}

/// What keeps a worker's batches.
#[derive(Serialize, Clone, Debug)]
pub(super) struct BatchState {
    reason: String,
    since: Option<String>,
    until: Option<String>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Workers(Vec<WorkerState>);

pub(super) fn run(ui: &mut Ui, site: &Site, _args: &Args) -> Done {
    site.spool()?;
    site.config()?;
    ui.answer(&Workers(states(site)))?;
    site.hint_if_idle(ui);
    Ok(Exit::Done)
}

/// The workers of the config, in the states that the mirror tells.
pub(super) fn states(site: &Site) -> Vec<WorkerState> {
    let Ok(config) = site.config() else { return Vec::new() };
    let is_running = site.daemon().is_some();
    let rows = site.query().and_then(|query| Ok(query.workers()?)).unwrap_or_default();
    states_of(&config, &site.home, is_running, &rows)
}

/// The workers of these settings, in the states that these rows tell.
pub(super) fn states_of(
    config: &Config,
    home: &Home,
    is_running: bool,
    rows: &[WorkerRecord],
) -> Vec<WorkerState> {
    config
        .workers
        .iter()
        .map(|spec| {
            let hands: Vec<_> = rows
                .iter()
                .filter(|row| row.worker_type == spec.worker_type.as_str() && is_running)
                .collect();
            let busy = hands.iter().filter(|hand| hand.status == "busy").count();
            let told = hands.iter().find(|hand| hand.status != "busy" && hand.status != "idle");
            let state = match (is_running, told, busy) {
                (false, ..) => "offline",
                (_, Some(hand), 0) => hand.status.as_str(),
                (_, _, 0) => "idle",
                _ => "busy",
            };
            WorkerState {
                worker_type: spec.worker_type.to_string(),
                state: state.to_owned(),
                // A hand that is busy knows what keeps its lane, too.
                reason: hands
                    .iter()
                    .find_map(|hand| hand.reason.clone())
                    .or_else(|| spec.disabled.clone().filter(|_| !is_running)),
                until: told.and_then(|hand| hand.until.clone()),
                since: told.and_then(|hand| hand.since.clone()),
                paused: Note::Pause(Some(spec.worker_type.clone())).stands(home),
                batches: hands.iter().find_map(|hand| batches(hand)),
                hands: spec.concurrency,
                busy,
                max_rpm: spec.max_rpm,
                max_tpm: spec.max_tpm,
                model: spec.model_name().to_owned(),
                endpoint: spec.endpoint().to_owned(),
                local: spec.local,
                tasks: hands.iter().filter_map(|hand| hand.task_id.clone()).collect(),
            }
        })
        .collect()
}

fn batches(hand: &WorkerRecord) -> Option<BatchState> {
    let (since, until) = (hand.batch_since.clone(), hand.batch_until.clone());
    hand.batch_reason.clone().map(|reason| BatchState { reason, since, until })
}

impl WorkerState {
    /// Why it is as it is, and what keeps its batches.
    pub(super) fn why(&self) -> String {
        let batches = self.batches.as_ref().map(|batches| {
            let since = batches.since.iter().map(|at| format!(" since {at}"));
            let until = batches.until.iter().map(|at| format!(" until {at}"));
            let times: String = since.chain(until).collect();
            format!("batches{times}: {}", batches.reason)
        });
        let parts: Vec<String> = self.reason.iter().cloned().chain(batches).collect();
        parts.join("; ")
    }

    /// `busy 2 of 4`, `rate_limited until …`, `unreachable since …`.
    pub(super) fn state_in_words(&self) -> String {
        let Self { state, busy, hands, .. } = self;
        let is_waiting = self.paused && matches!(state.as_str(), "offline" | "busy");
        let mut text = match state.as_str() {
            "busy" => format!("busy {busy} of {hands}"),
            "idle" => format!("idle, {hands} free"),
            other => other.to_owned(),
        };
        if let Some(until) = &self.until {
            text.push_str(&format!(" until {until}"));
        }
        if let Some(since) = &self.since {
            text.push_str(&format!(" since {since}"));
        }
        if is_waiting {
            text.push_str(", paused");
        }
        text
    }

    /// `10 rpm, 30000 tpm`; `-` where there is none.
    pub(super) fn limits_in_words(&self) -> String {
        let limits = [(self.max_rpm, "rpm"), (self.max_tpm, "tpm")];
        let stated =
            limits.iter().filter_map(|(limit, unit)| Some(format!("{} {unit}", (*limit)?)));
        let stated: Vec<String> = stated.collect();
        if stated.is_empty() { "-".to_owned() } else { stated.join(", ") }
    }
}

impl fmt::Display for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table =
            Table::new(&["WORKER", "STATE", "LIMITS", "LOCAL", "MODEL", "ENDPOINT", "WHY"]);
        for worker in &self.0 {
            table.row([
                worker.worker_type.clone(),
                worker.state_in_words(),
                worker.limits_in_words(),
                if worker.local { "yes" } else { "no" }.to_owned(),
                worker.model.clone(),
                worker.endpoint.clone(),
                worker.why(),
            ]);
        }
        write!(f, "{table}")
    }
}
