//! What the stories are told with.

pub(crate) mod browser;
pub(crate) mod client;
pub(crate) mod daemon;
pub(crate) mod gate;
#[allow(dead_code, reason = "the example program uses the rest of it")]
pub(crate) mod model_server;
pub(crate) mod sandbox;
pub(crate) mod tmux;
pub(crate) mod workers;

pub(crate) use client::Client;
pub(crate) use model_server::{
    BatchWill, Item, ModelServer, Reply, Step, completion, response, stream,
};
pub(crate) use sandbox::Sandbox;
pub(crate) use tmux::Tmux;

/// Whether the long form of the stories is wanted: `KOUBOU_TORTURE=full`.
pub(crate) fn is_full_torture() -> bool {
    std::env::var_os("KOUBOU_TORTURE").is_some_and(|how| how == "full")
}
