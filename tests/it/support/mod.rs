//! What the stories are told with.

pub(crate) mod daemon;
#[allow(dead_code, reason = "the example program uses the rest of it")]
pub(crate) mod model_server;
pub(crate) mod sandbox;
pub(crate) mod workers;

pub(crate) use model_server::{ModelServer, Reply};
pub(crate) use sandbox::Sandbox;
