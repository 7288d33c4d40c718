//! The workers that the stories hire, as a config writes them: YAML reads JSON.

use std::hash::{BuildHasher, Hasher, RandomState};

use serde_json::{Value, json};

use super::ModelServer;

/// The variable with the key of the worker `cloud`.
pub(crate) const CLOUD_KEY: &str = "CLOUD_API_KEY";

/// Gives the description back.
pub(crate) fn echo() -> Value {
    json!({ "type": "echo", "kind": "echo" })
}

/// A model in the house, where confidential work may go.
pub(crate) fn local(server: &ModelServer) -> Value {
    json!({
        "type": "local",
        "model": "house-model",
        "endpoint": server.endpoint(),
        "use_for": ["sensitive_data"],
    })
}

/// A model that costs money; its key is in [`CLOUD_KEY`].
pub(crate) fn cloud(server: &ModelServer) -> Value {
    json!({
        "type": "cloud",
        "model": "cloud-model",
        "endpoint": server.endpoint(),
        "api_key_env": CLOUD_KEY,
        "local": false,
        "price_per_1m": { "input": 1.25, "output": 10.0 },
    })
}

/// A program.
pub(crate) fn command(name: &str, argv: &[&str]) -> Value {
    json!({ "type": name, "kind": "command", "command": argv })
}

/// A shell script that is given `arguments` as `$1`, `$2`, ….
pub(crate) fn script(name: &str, text: &str, arguments: &[&str]) -> Value {
    let argv: Vec<&str> = ["sh", "-c", text, "sh"].iter().chain(arguments).copied().collect();
    command(name, &argv)
}

/// The same worker with another setting.
pub(crate) fn with(mut worker: Value, key: &str, value: impl Into<Value>) -> Value {
    worker[key] = value.into();
    worker
}

/// A value that nobody has seen before: for keys and passwords that must not get out.
pub(crate) fn fresh_secret() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}
