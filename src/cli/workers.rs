//! `koubou workers`: who works here, and in which state.

use std::fmt;

use serde::Serialize;

use super::table::Table;
use super::{Done, Exit, Site, Ui};

/// Show the workers and their states
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

/// A worker type, its hands taken together.
#[derive(Serialize, Clone)]
pub(super) struct WorkerState {
    pub(super) worker_type: String,
    pub(super) state: String,
    pub(super) reason: Option<String>,
    pub(super) until: Option<String>,
    pub(super) hands: usize,
    pub(super) busy: usize,
    pub(super) model: String,
    pub(super) endpoint: String,
    pub(super) local: bool,
    pub(super) tasks: Vec<String>,
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
                reason: told
                    .and_then(|hand| hand.reason.clone())
                    .or_else(|| spec.disabled.clone().filter(|_| !is_running)),
                until: told.and_then(|hand| hand.until.clone()),
                hands: spec.concurrency,
                busy,
                model: spec.model_name().to_owned(),
                endpoint: spec.endpoint().to_owned(),
                local: spec.local,
                tasks: hands.iter().filter_map(|hand| hand.task_id.clone()).collect(),
            }
        })
        .collect()
}

impl fmt::Display for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table =
            Table::new(&["WORKER", "STATE", "BUSY", "LOCAL", "MODEL", "ENDPOINT", "WHY"]);
        for worker in &self.0 {
            table.row([
                worker.worker_type.clone(),
                worker.state.clone(),
                format!("{} of {}", worker.busy, worker.hands),
                if worker.local { "yes" } else { "no" }.to_owned(),
                worker.model.clone(),
                worker.endpoint.clone(),
                worker.reason.clone().unwrap_or_default(),
            ]);
        }
        write!(f, "{table}")
    }
}
