//! A stand-in for a model's server: it speaks the protocol and has no model.
//!
//! Answers `POST /v1/chat/completions`, `POST /v1/responses`, `GET /v1/models`,
//! `GET /v1/models/NAME` and `GET /health` on 127.0.0.1, one thread for each connection. A test can put replies in a queue
//! (a status, headers, a body, a delay, a cut, a closed line, one that is held
//! until the test lets it go) and look at every request afterwards. Where the
//! queue is empty it says that it is a stand-in and repeats the beginning of
//! what it was asked.
//!
//! It never listens on another address, and what it costs is made up: a token
//! for each four bytes.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How every answer that nobody scripted begins.
pub(crate) const STAND_IN: &str = "(stand-in answer) ";
/// More connections than this are closed at once.
const MAX_CONNECTIONS: usize = 4_096;
/// How much a connection's thread may put on its stack.
const STACK: usize = 256 << 10;
/// The longest request line or header.
const MAX_LINE: u64 = 64 << 10;
/// The largest request body.
const MAX_BODY: u64 = 64 << 20;
/// How long a test waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that runs until it is dropped.
pub(crate) struct ModelServer {
    address: SocketAddr,
    shop: Arc<Shop>,
    acceptor: Option<JoinHandle<()>>,
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `POST`.
    pub(crate) method: String,
    /// `/v1/chat/completions`.
    pub(crate) path: String,
    /// Names in lower case, in their order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body; `null` where it is no JSON.
    pub(crate) body: Value,
    /// When it had come whole.
    pub(crate) at: Instant,
}

impl Seen {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered to one chat request, by either API.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delay: Duration,
    held: bool,
    cut_after: Option<usize>,
}

impl Reply {
    /// A status with an empty body.
    pub(crate) fn status(status: u16) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self { status, headers, body, delay: Duration::ZERO, held: false, cut_after: None }
    }

    /// 200 with this JSON.
    pub(crate) fn json(body: &Value) -> Self {
        Self::status(200).with_json(body)
    }

    /// 200 with a completion that says this, and a usage of these tokens.
    pub(crate) fn answer(text: &str, prompt_tokens: u64, completion_tokens: u64) -> Self {
        Self::json(&completion("stand-in", text, "stop", prompt_tokens, completion_tokens))
    }

    /// An error as the API words it.
    pub(crate) fn error(status: u16, kind: &str, code: impl Into<Value>, message: &str) -> Self {
        let error = json!({ "message": message, "type": kind, "param": null, "code": code.into() });
        Self::status(status).with_json(&json!({ "error": error }))
    }

    /// The line is closed without a word.
    pub(crate) fn hang_up() -> Self {
        Self::status(200).cut_after(0)
    }

    /// The same with this JSON.
    pub(crate) fn with_json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").with_body(body.to_string())
    }

    /// The same with these bytes.
    pub(crate) fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The same with one more header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, so much later.
    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The same, once the test calls [`ModelServer::release`].
    pub(crate) fn held(mut self) -> Self {
        self.held = true;
        self
    }

    /// Only so many bytes of it, head included; then the line is closed.
    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        self.cut_after = Some(bytes);
        self
    }
}

/// A chat completion as the API words it.
pub(crate) fn completion(
    model: &str,
    text: &str,
    finish_reason: &str,
    prompt_tokens: u64,
    completion_tokens: u64,
) -> Value {
    json!({
        "id": "chatcmpl-stand-in",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": text },
            "finish_reason": finish_reason,
        }],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    })
}

/// A response as the API words it: `completed`, or `incomplete` for want of tokens.
pub(crate) fn response(
    model: &str,
    text: &str,
    status: &str,
    input_tokens: u64,
    output_tokens: u64,
) -> Value {
    let reason = json!({ "reason": "max_output_tokens" });
    json!({
        "id": "resp-stand-in",
        "object": "response",
        "created_at": 0,
        "status": status,
        "error": null,
        "incomplete_details": if status == "incomplete" { reason } else { Value::Null },
        "model": model,
        "output": [
            { "type": "reasoning", "id": "rs-stand-in", "summary": [] },
            {
                "type": "message",
                "id": "msg-stand-in",
                "role": "assistant",
                "status": status,
                "content": [{ "type": "output_text", "text": text, "annotations": [] }],
            },
        ],
        "usage": {
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
        },
    })
}

/// What all connections share.
struct Shop {
    state: Mutex<State>,
    turned: Condvar,
    /// Wakes those who wait out a delay: only its end is news to them, however many there are.
    closed: Condvar,
    /// What is answered instead of an echo.
    answer: Option<String>,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    seen: Vec<Seen>,
    chats: usize,
    released: usize,
    holding: usize,
    busy: usize,
    most_busy: usize,
    connections: Vec<(u64, TcpStream)>,
    accepted: u64,
    closing: bool,
    /// How long every answer takes that nobody scripted.
    latency: Duration,
    /// What it tells of its models, where a test says so.
    models: Vec<Value>,
}

impl ModelServer {
    /// A server on a free port.
    pub(crate) fn start() -> Self {
        Self::on(0, None).expect("a port on 127.0.0.1")
    }

    /// A server on this port; 0 takes a free one.
    pub(crate) fn on(port: u16, answer: Option<String>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        lengthen_queue(&listener)?;
        let shop = Arc::new(Shop {
            state: Mutex::default(),
            turned: Condvar::new(),
            closed: Condvar::new(),
            answer,
        });
        let acceptor = std::thread::spawn({
            let shop = Arc::clone(&shop);
            move || accept(&listener, &shop)
        });
        Ok(Self { address, shop, acceptor: Some(acceptor) })
    }

    /// The port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The base address, as a config states it.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Puts a reply at the end of the queue.
    pub(crate) fn will(&self, reply: Reply) -> &Self {
        self.shop.lock().replies.push_back(reply);
        self
    }

    /// From now on every answer that nobody scripts takes so long.
    pub(crate) fn takes(&self, latency: Duration) -> &Self {
        self.shop.lock().latency = latency;
        self
    }

    /// From now on it tells of this model, and of no other that it was not told of so.
    pub(crate) fn has_model(&self, model: &Value) -> &Self {
        self.shop.lock().models.push(model.clone());
        self
    }

    /// Lets one held reply go, or the next one that is held.
    pub(crate) fn release(&self) {
        self.shop.lock().released += 1;
        self.shop.turned.notify_all();
    }

    /// Every request so far, in the order of arrival.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.shop.lock().seen.clone()
    }

    /// The chat requests so far.
    pub(crate) fn chats(&self) -> usize {
        self.shop.lock().chats
    }

    /// The connections so far.
    pub(crate) fn connections(&self) -> u64 {
        self.shop.lock().accepted
    }

    /// The most chat requests that were being answered at one time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shop.lock().most_busy
    }

    /// Waits until so many chat requests have come in all.
    pub(crate) fn wait_for_chats(&self, n: usize) {
        self.shop.until("chat requests", |state| state.chats >= n);
    }

    /// Waits until so many replies are being held.
    pub(crate) fn wait_for_held(&self, n: usize) {
        self.shop.until("held replies", |state| state.holding >= n);
    }

    /// Serves until the process ends.
    pub(crate) fn serve(mut self) {
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        let Some(acceptor) = self.acceptor.take() else { return };
        let connections = {
            let mut state = self.shop.lock();
            state.closing = true;
            std::mem::take(&mut state.connections)
        };
        self.shop.turned.notify_all();
        self.shop.closed.notify_all();
        for (_, line) in connections {
            let _ = line.shutdown(Shutdown::Both);
        }
        // Wakes the acceptor, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
        let _ = acceptor.join();
    }
}

impl Shop {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn until(&self, what: &str, mut come: impl FnMut(&State) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        while !come(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} did not come; seen: {:#?}", state.seen);
            state = self.turned.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits out a reply's delay and hold; less where the server is closing.
    fn hold(&self, reply: &Reply) {
        let deadline = Instant::now() + reply.delay;
        let mut state = self.lock();
        while !state.closing {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.closed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if reply.held {
            state.holding += 1;
            self.turned.notify_all();
            while state.released == 0 && !state.closing {
                state = self.turned.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.released = state.released.saturating_sub(1);
            state.holding -= 1;
        }
    }
}

fn accept(listener: &TcpListener, shop: &Arc<Shop>) {
    for line in listener.incoming() {
        let mut state = shop.lock();
        if state.closing {
            break;
        }
        let Ok(line) = line else { continue };
        state.accepted += 1;
        let number = state.accepted;
        let Ok(copy) = line.try_clone() else { continue };
        if state.connections.len() >= MAX_CONNECTIONS {
            continue;
        }
        state.connections.push((number, copy));
        drop(state);
        let shop = Arc::clone(shop);
        let _ = std::thread::Builder::new().stack_size(STACK).spawn(move || {
            let _ = serve(&line, &shop);
            let _ = line.shutdown(Shutdown::Both);
            shop.lock().connections.retain(|(other, _)| *other != number);
        });
    }
}

/// The standard library lets so few connections wait that a burst of them is made to come again a
/// second later; to listen once more only lengthens the queue.
#[allow(unsafe_code, reason = "no safe wrapper of it is among the libraries")]
fn lengthen_queue(listener: &TcpListener) -> io::Result<()> {
    let waiting = i32::try_from(MAX_CONNECTIONS).unwrap_or(i32::MAX);
    // SAFETY: the descriptor is open for as long as `listener` is borrowed, and listen(2) takes
    // an integer, so that no memory is shared with the kernel.
    match unsafe { libc::listen(listener.as_raw_fd(), waiting) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Answers the requests of one connection until it ends.
fn serve(line: &TcpStream, shop: &Shop) -> io::Result<()> {
    line.set_nodelay(true)?;
    let mut reader = BufReader::new(line);
    while let Some(seen) = read_request(&mut reader, line)? {
        let close = seen.header("connection").is_some_and(|c| c.eq_ignore_ascii_case("close"));
        if !answer(line, shop, seen)? || close {
            break;
        }
    }
    Ok(())
}

fn read_request(
    reader: &mut BufReader<&TcpStream>,
    mut line: &TcpStream,
) -> io::Result<Option<Seen>> {
    let Some(request) = read_line(reader)? else { return Ok(None) };
    let mut words = request.split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let path = words.next().unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    while let Some(header) = read_line(reader)?.filter(|header| !header.is_empty()) {
        if let Some((name, value)) = header.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if headers.len() > 200 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    let mut seen = Seen { method, path, headers, body: Value::Null, at: Instant::now() };
    let length = seen.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if length > MAX_BODY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    if seen.header("expect").is_some() {
        line.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    seen.body = serde_json::from_slice(&body).unwrap_or_default();
    seen.at = Instant::now();
    Ok(Some(seen))
}

fn read_line(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    reader.take(MAX_LINE).read_until(b'\n', &mut bytes)?;
    let Some(bytes) = bytes.strip_suffix(b"\n") else { return Ok(None) };
    Ok(Some(String::from_utf8_lossy(bytes).trim_end().to_owned()))
}

/// Writes the reply; says whether the connection may go on.
fn answer(line: &TcpStream, shop: &Shop, seen: Seen) -> io::Result<bool> {
    let is_chat = ["/v1/chat/completions", "/v1/responses"].contains(&seen.path.as_str())
        && seen.method == "POST";
    let reply = {
        let mut state = shop.lock();
        state.seen.push(seen.clone());
        let scripted = if is_chat { state.replies.pop_front() } else { None };
        if is_chat {
            state.chats += 1;
            state.busy += 1;
            state.most_busy = state.most_busy.max(state.busy);
        }
        scripted
    };
    shop.turned.notify_all();
    let reply = reply.unwrap_or_else(|| unscripted(&seen, shop));
    shop.hold(&reply);
    let written = write_reply(line, &reply);
    if is_chat {
        shop.lock().busy -= 1;
    }
    written
}

fn write_reply(mut line: &TcpStream, reply: &Reply) -> io::Result<bool> {
    let mut bytes = format!("HTTP/1.1 {} Stand-In\r\n", reply.status).into_bytes();
    for (name, value) in &reply.headers {
        write!(bytes, "{name}: {value}\r\n")?;
    }
    write!(bytes, "content-length: {}\r\n\r\n", reply.body.len())?;
    bytes.extend_from_slice(&reply.body);
    let end = reply.cut_after.unwrap_or(usize::MAX).min(bytes.len());
    line.write_all(&bytes[..end])?;
    Ok(reply.cut_after.is_none())
}

fn unscripted(seen: &Seen, shop: &Shop) -> Reply {
    match (seen.method.as_str(), seen.path.as_str()) {
        ("POST", "/v1/chat/completions" | "/v1/responses") => {
            let latency = shop.lock().latency;
            chat(&seen.body, shop.answer.as_deref()).after(latency)
        }
        ("GET", "/v1/models") => {
            Reply::json(&json!({ "object": "list", "data": models(&shop.lock()) }))
        }
        ("GET", path) if path.starts_with("/v1/models/") => {
            let name = &path["/v1/models/".len()..];
            match models(&shop.lock()).iter().find(|model| model["id"] == name) {
                Some(model) => Reply::json(model),
                None => {
                    Reply::error(404, "invalid_request_error", "model_not_found", "no such model")
                }
            }
        }
        ("GET", "/health") => Reply::json(&json!({ "status": "ok", "stand_in": true })),
        _ => {
            let message =
                "this stand-in has /v1/chat/completions, /v1/responses, /v1/models and /health";
            Reply::error(404, "invalid_request_error", Value::Null, message)
        }
    }
}

fn models(state: &State) -> Vec<Value> {
    let stand_in =
        json!({ "id": "stand-in", "object": "model", "created": 0, "owned_by": "nobody" });
    if state.models.is_empty() { vec![stand_in] } else { state.models.clone() }
}

fn chat(request: &Value, answer: Option<&str>) -> Reply {
    let bad = |message| Reply::error(400, "invalid_request_error", Value::Null, message);
    let is_response = request.get("input").is_some();
    let asked = &request[if is_response { "input" } else { "messages" }];
    let Some(messages) = asked.as_array().filter(|messages| !messages.is_empty()) else {
        return bad("`messages` or `input` must be an array with something in it");
    };
    if request["stream"] == true {
        return bad("this stand-in does not stream: leave `stream` out");
    }
    let prompt: u64 = messages.iter().map(|message| tokens(&text_of(&message["content"]))).sum();
    let asked = text_of(&messages[messages.len() - 1]["content"]);
    let said = match answer {
        Some(answer) => answer.to_owned(),
        None => asked.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect(),
    };
    let mut text = format!("{STAND_IN}{said}");
    let bounds = ["max_completion_tokens", "max_tokens", "max_output_tokens"];
    let most = bounds.iter().find_map(|key| request[key].as_u64());
    let is_cut = most.is_some_and(|most| tokens(&text) > most);
    if is_cut {
        let mut end = usize::try_from(most.unwrap_or(0) * 4).unwrap_or(usize::MAX).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    let model = request["model"].as_str().unwrap_or("stand-in");
    let ending = match (is_response, is_cut) {
        (true, true) => "incomplete",
        (true, false) => "completed",
        (false, true) => "length",
        (false, false) => "stop",
    };
    let words = if is_response { response } else { completion };
    Reply::json(&words(model, &text, ending, prompt, tokens(&text)))
}

/// A message's words: a string, or the texts of its parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

fn tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(4).max(1)
}
