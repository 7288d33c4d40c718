//! Real servers and their dialects: skipped, with a line that says so, where they are not installed.
//!
//! `pip install 'litellm[proxy]'` puts `litellm` on the path; another place is told by `KOUBOU_LITELLM`.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::Sandbox;

/// The gateway with a model that always says the same; ended when it is dropped.
struct Gateway {
    child: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Gateway {
    /// `None` where it is not installed.
    fn start() -> Option<Self> {
        let program = std::env::var_os("KOUBOU_LITELLM").unwrap_or_else(|| "litellm".into());
        let dir = tempfile::tempdir().unwrap();
        let settings = dir.path().join("config.yaml");
        let params =
            json!({ "model": "openai/mock", "api_key": "none", "mock_response": "forty-two" });
        let models = json!({ "model_list": [{ "model_name": "mock", "litellm_params": params }] });
        std::fs::write(&settings, models.to_string()).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let child = Command::new(program)
            .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--config"])
            .arg(&settings)
            // It must fetch nothing, and it is for this test alone.
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .env("LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut gateway = Self { child, port, _dir: dir };
        let said = BufReader::new(gateway.child.stderr.take().unwrap());
        let up = said.lines().map_while(Result::ok).any(|line| line.contains("running on"));
        assert!(up, "the gateway ended before it was up");
        Some(gateway)
    }

    fn worker(&self, name: &str, api: &str, model: &str) -> Value {
        json!({
            "type": name, "kind": "chat", "api": api, "model": model, "max_attempts": 1,
            "endpoint": format!("http://127.0.0.1:{}/v1", self.port),
            "price_per_1m": { "input": 1, "output": 10 },
        })
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_real_gateway_is_asked_in_both_dialects_and_paid_by_what_it_says() {
    let Some(gateway) = Gateway::start() else {
        println!(
            "real_servers: skipped, `litellm` is not installed (pip install 'litellm[proxy]')"
        );
        return;
    };
    let shop = Sandbox::new();
    let workers = [
        gateway.worker("chat", "chat_completions", "mock"),
        gateway.worker("responses", "responses", "mock"),
        gateway.worker("lost", "chat_completions", "nobody"),
    ];
    shop.hire(&workers, &json!({}));
    for name in ["chat", "responses", "lost"] {
        shop.drop_task(name, &json!({ "description": "how many?", "worker": name }));
    }
    shop.drain().ends(0);
    for name in ["chat", "responses"] {
        let result = shop.result(&format!("completed/{name}"));
        assert_eq!(result["content"], "forty-two", "{result:#}");
        let tokens = |which: &str| result["usage"][which].as_f64().unwrap();
        let wanted = (tokens("prompt_tokens") + 10.0 * tokens("completion_tokens")) / 1e6;
        assert!((result["cost_usd"].as_f64().unwrap() - wanted).abs() < 1e-12, "{result:#}");
        assert!(wanted > 0.0);
    }
    let said = shop.result("failed/lost")["error"]["message"].as_str().unwrap().to_owned();
    assert!(said.contains("has no model `nobody`") && said.contains("mend `model`"), "{said}");
}
