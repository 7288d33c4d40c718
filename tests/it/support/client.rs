//! An agent's side of `koubou mcp`: lines of JSON-RPC, written and read by hand.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Sandbox;
use super::daemon::{self, PATIENCE};

/// A session with `koubou mcp`.
pub(crate) struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    heard: Receiver<Value>,
    /// What came while something else was waited for.
    aside: Vec<Value>,
    next: u64,
}

impl Client {
    /// Starts the server and greets it.
    pub(crate) fn start(shop: &Sandbox) -> Self {
        let mut client = Self::bare(shop);
        let answer = client.ask("initialize", &Self::greeting());
        assert!(answer["result"].is_object(), "{answer:#}");
        client.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        client
    }

    /// Starts the server, and says nothing.
    pub(crate) fn bare(shop: &Sandbox) -> Self {
        let mut command = shop.command(["mcp"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (tell, heard) = mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let message = serde_json::from_str(&line).expect("each line is a JSON document");
                if tell.send(message).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Self { child, stdin, heard, aside: Vec::new(), next: 0 }
    }

    /// What a client says of itself.
    pub(crate) fn greeting() -> Value {
        json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "a story", "version": "1" },
        })
    }

    /// Says a line, whatever it is.
    pub(crate) fn say(&mut self, line: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(line.as_ref()).and_then(|()| stdin.write_all(b"\n")).unwrap();
    }

    /// Sends a request, and gives its number.
    pub(crate) fn send(&mut self, method: &str, params: &Value) -> u64 {
        self.next += 1;
        let id = self.next;
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.say(request.to_string());
        id
    }

    /// Calls a tool, and does not wait for its answer.
    pub(crate) fn send_call(&mut self, tool: &str, arguments: &Value, token: Option<&str>) -> u64 {
        let mut params = json!({ "name": tool, "arguments": arguments });
        if let Some(token) = token {
            params["_meta"] = json!({ "progressToken": token });
        }
        self.send("tools/call", &params)
    }

    /// The first message of which this holds.
    #[track_caller]
    pub(crate) fn hear(&mut self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.aside.iter().position(&holds) {
            return self.aside.remove(at);
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.heard.recv_timeout(left) {
                Ok(message) if holds(&message) => return message,
                Ok(message) => self.aside.push(message),
                Err(_) => panic!("{what} never came; there came {:#?}", self.aside),
            }
        }
    }

    /// The answer to the request of this number.
    #[track_caller]
    pub(crate) fn answer(&mut self, id: u64) -> Value {
        self.hear(&format!("the answer to {id}"), |message| {
            message["id"] == id && message.get("method").is_none()
        })
    }

    /// Sends a request and waits for its answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.send(method, params);
        self.answer(id)
    }

    /// Calls a tool that does what it is asked to; what it gives as data, which its text gives, too.
    #[track_caller]
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let id = self.send_call(tool, arguments, None);
        let answer = self.answer(id);
        data(&answer)
    }

    /// Calls a tool that cannot do it; the sentence that says why.
    #[track_caller]
    pub(crate) fn refused(&mut self, tool: &str, arguments: &Value) -> String {
        let id = self.send_call(tool, arguments, None);
        let answer = self.answer(id);
        assert_eq!(answer["result"]["isError"], true, "{answer:#}");
        answer["result"]["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// Whether anything but what was waited for came by now.
    pub(crate) fn aside(&self) -> &[Value] {
        &self.aside
    }

    /// Says no more, and waits until the server has gone; its exit code, and how long that took.
    pub(crate) fn end(mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        self.stdin = None;
        let status = daemon::wait(&mut self.child, PATIENCE);
        (status.code(), began.elapsed())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a call of a tool gave as data.
#[track_caller]
pub(crate) fn data(answer: &Value) -> Value {
    let result = &answer["result"];
    assert_ne!(result["isError"], true, "{answer:#}");
    let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer:#}"));
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), result["structuredContent"]);
    result["structuredContent"].clone()
}
