//! A stand-in for a model's server: it speaks the protocol and has no model.
//!
//! Answers `POST /v1/chat/completions`, `POST /v1/responses` (with server-sent events where they
//! are asked for), `GET /v1/models`,
//! `GET /v1/models/NAME`, the Batch API and `GET /health` on 127.0.0.1, one thread for each connection. A test can put replies in a queue
//! (a status, headers, a body, a delay, a cut, a closed line, one that is held
//! until the test lets it go) and look at every request afterwards. Where the
//! queue is empty it says that it is a stand-in and repeats the beginning of
//! what it was asked. What becomes of a batch is scripted by a [`BatchWill`].
//!
//! It never listens on another address, and what it costs is made up: a token
//! for each four bytes.

use std::collections::{HashMap, VecDeque};
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
    /// The body; `null` where it is no JSON, and text where it has parts.
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

/// What a model says or wants in a streamed response.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// A message.
    Says(&'static str),
    /// A call of a tool with these arguments.
    Calls(&'static str, Value),
}

/// A response of these items as server-sent events, of 1,000 tokens sent, 400 of them from a
/// cache and 100 put into one, and 50 answered, 20 of them thought.
pub(crate) fn stream(items: &[Item]) -> Reply {
    let output: Vec<Value> = items
        .iter()
        .enumerate()
        .map(|(n, item)| match item {
            Item::Says(text) => json!({
                "type": "message",
                "id": format!("msg-{n}"),
                "role": "assistant",
                "status": "completed",
                "content": [{ "type": "output_text", "text": text, "annotations": [] }],
            }),
            Item::Calls(name, arguments) => json!({
                "type": "function_call",
                "id": format!("fc-{n}"),
                "call_id": format!("call-{n}"),
                "status": "completed",
                "name": name,
                "arguments": arguments.to_string(),
            }),
        })
        .collect();
    streamed(&json!({
        "id": "resp-stand-in",
        "object": "response",
        "status": "completed",
        "output": output,
        "usage": {
            "input_tokens": 1_000,
            "input_tokens_details": { "cached_tokens": 400, "cache_write_tokens": 100 },
            "output_tokens": 50,
            "output_tokens_details": { "reasoning_tokens": 20 },
            "total_tokens": 1_050,
        },
    }))
}

/// A response as the events that tell of it piece by piece.
fn streamed(response: &Value) -> Reply {
    let begun = json!({ "id": response["id"], "object": "response", "status": "in_progress" });
    let mut events = vec![json!({ "type": "response.created", "response": begun })];
    for (n, item) in response["output"].as_array().into_iter().flatten().enumerate() {
        let kind = |kind: &str| json!({ "type": kind, "output_index": n, "item": item });
        events.push(kind("response.output_item.added"));
        if let Some(text) = item.pointer("/content/0/text") {
            events.push(json!({
                "type": "response.output_text.delta",
                "item_id": item["id"],
                "output_index": n,
                "content_index": 0,
                "delta": text,
            }));
        }
        events.push(kind("response.output_item.done"));
    }
    events.push(json!({ "type": "response.completed", "response": response }));
    let told = |event: &Value| {
        format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default())
    };
    Reply::status(200)
        .header("content-type", "text/event-stream")
        .with_body(events.iter().map(told).collect::<String>())
}

/// What becomes of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchWill {
    ends_at: usize,
    status: &'static str,
    undone: usize,
    failing: usize,
    hidden: usize,
}

impl Default for BatchWill {
    /// It is completed when it is first asked after.
    fn default() -> Self {
        Self { ends_at: 1, status: "completed", undone: 0, failing: 0, hidden: 0 }
    }
}

impl BatchWill {
    /// The same, but only at the n-th time that it is asked after.
    pub(crate) fn at(mut self, looks: usize) -> Self {
        self.ends_at = looks;
        self
    }

    /// The same, but with so many of its requests not done in time.
    pub(crate) fn expires(mut self, undone: usize) -> Self {
        (self.status, self.undone) = ("expired", undone);
        self
    }

    /// The same, but with so many of its requests not done when it ends.
    pub(crate) fn undoes(mut self, undone: usize) -> Self {
        self.undone = undone;
        self
    }

    /// The same, but it is not done as a whole: it ends as `failed`, say.
    pub(crate) fn ends_as(mut self, status: &'static str) -> Self {
        self.status = status;
        self
    }

    /// The same, but its files are not there yet when they are first asked for so often.
    pub(crate) fn hides_its_files(mut self, reads: usize) -> Self {
        self.hidden = reads;
        self
    }

    /// The same, but with so many of its requests in the file of errors.
    pub(crate) fn failing(mut self, failing: usize) -> Self {
        self.failing = failing;
        self
    }
}

/// How a step of the Batch API goes wrong that the server takes.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// It is done, and its reply is held until the test lets it go.
    Held,
    /// It is done, and the line is closed without a word.
    Cut,
    /// It is not done, and this is answered.
    Refused(Reply),
}

/// A batch as the server has it.
#[derive(Clone, Debug)]
struct Batch {
    id: String,
    input: String,
    metadata: Value,
    will: BatchWill,
    looks: usize,
    /// Whether its answers were made.
    is_done: bool,
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
    files: HashMap<String, String>,
    /// How often each file is said not to be there yet.
    hidden: HashMap<String, usize>,
    uploads: usize,
    batches: Vec<Batch>,
    wills: VecDeque<BatchWill>,
    steps: VecDeque<(&'static str, Step)>,
    /// The tokens sent and answered in batches, each batch counted once.
    batched: (u64, u64),
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

    /// Says what becomes of the next batch that nothing is said of yet.
    pub(crate) fn batch_will(&self, will: BatchWill) -> &Self {
        self.shop.lock().wills.push_back(will);
        self
    }

    /// Says how the next step at this path goes wrong: `/v1/files`, `/v1/batches/batch_1`.
    pub(crate) fn step_will(&self, path: &'static str, step: Step) -> &Self {
        self.shop.lock().steps.push_back((path, step));
        self
    }

    /// Has every batch end when it is next asked after.
    pub(crate) fn end_batches(&self) {
        self.shop.lock().batches.iter_mut().for_each(|batch| batch.will.ends_at = 0);
    }

    /// The files that lie there now, in order.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = self.shop.lock().files.keys().cloned().collect();
        names.sort();
        names
    }

    /// The batches that were submitted so far.
    pub(crate) fn batches(&self) -> usize {
        self.shop.lock().batches.len()
    }

    /// The tokens sent and answered in all batches that have ended.
    pub(crate) fn batched_tokens(&self) -> (u64, u64) {
        self.shop.lock().batched
    }

    /// Waits until batches were asked after so often in all.
    pub(crate) fn wait_for_looks(&self, n: usize) {
        let looks = |state: &State| state.batches.iter().map(|batch| batch.looks).sum::<usize>();
        self.shop.until("looks at a batch", |state| looks(state) >= n);
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

impl State {
    fn is_hidden(&mut self, file: &str) -> bool {
        let left = self.hidden.get_mut(file).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_some()
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
    seen.body = match seen.header("content-type") {
        Some(kind) if kind.starts_with("multipart/") => String::from_utf8_lossy(&body).into(),
        _ => serde_json::from_slice(&body).unwrap_or_default(),
    };
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
    let reply = reply.or_else(|| step(&mut shop.lock(), &seen, shop.answer.as_deref()));
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
            let message = "this stand-in has /v1/chat/completions, /v1/responses, /v1/files, /v1/batches, /v1/models and /health";
            Reply::error(404, "invalid_request_error", Value::Null, message)
        }
    }
}

/// A step of the Batch API, if it is one.
fn step(state: &mut State, seen: &Seen, answer: Option<&str>) -> Option<Reply> {
    let path = seen.path.split('?').next().unwrap_or_default().to_owned();
    // Where a list is asked for at the path of a step, that is none.
    let is_step = seen.method != "GET" || path != "/v1/batches";
    let at = state.steps.iter().position(|(at, _)| *at == path && is_step);
    let wrong = at.and_then(|at| state.steps.remove(at)).map(|(_, step)| step);
    if let Some(Step::Refused(reply)) = wrong {
        return Some(reply);
    }
    let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    let reply = match (seen.method.as_str(), parts.as_slice()) {
        ("POST", ["files"]) => upload(state, seen.body.as_str()?),
        ("POST", ["batches"]) => submit(state, &seen.body),
        ("GET", ["batches"]) => {
            let all: Vec<Value> =
                state.batches.iter().map(|batch| told(batch, "validating")).collect();
            Reply::json(&json!({ "object": "list", "data": all, "has_more": false }))
        }
        ("GET", ["batches", id]) => look(state, id, answer),
        ("POST", ["batches", id, "cancel"]) => call_off(state, id),
        ("GET", ["files", id, "content"]) if state.is_hidden(id) => no_such_file(),
        ("GET", ["files", id, "content"]) => match state.files.get(*id) {
            Some(text) => Reply::status(200).with_body(text.clone()),
            None => no_such_file(),
        },
        ("DELETE", ["files", id]) => match state.files.remove(*id) {
            Some(_) => Reply::json(&json!({ "id": id, "object": "file", "deleted": true })),
            None => no_such_file(),
        },
        _ => return None,
    };
    Some(match wrong {
        Some(Step::Held) => reply.held(),
        Some(Step::Cut) => Reply::hang_up(),
        _ => reply,
    })
}

fn no_such_file() -> Reply {
    Reply::error(404, "invalid_request_error", Value::Null, "no such file")
}

/// Ends a batch that nobody wants any more: what was not done by now is not done.
fn call_off(state: &mut State, id: &str) -> Reply {
    let Some(batch) = state.batches.iter_mut().find(|batch| batch.id == id) else {
        return Reply::error(404, "invalid_request_error", Value::Null, "no such batch");
    };
    (batch.will.status, batch.will.ends_at) = ("cancelled", 0);
    Reply::json(&told(batch, "cancelling"))
}

/// Keeps the file in a form: what stands between the blank line and the boundary.
fn upload(state: &mut State, form: &str) -> Reply {
    let file = form.split_once("filename=").and_then(|(_, rest)| rest.split_once("\r\n\r\n"));
    let is_batch = form.contains("name=\"purpose\"\r\n\r\nbatch\r\n");
    let Some((_, rest)) = file.filter(|_| is_batch) else {
        return Reply::error(400, "invalid_request_error", Value::Null, "no file of a batch");
    };
    let text = rest.rsplit_once("\r\n--").map_or(rest, |(text, _)| text);
    state.uploads += 1;
    let id = format!("file-{}", state.uploads);
    state.files.insert(id.clone(), text.to_owned());
    Reply::json(&json!({ "id": id, "object": "file", "purpose": "batch", "bytes": text.len() }))
}

fn submit(state: &mut State, request: &Value) -> Reply {
    let input = request["input_file_id"].as_str().unwrap_or_default().to_owned();
    if !state.files.contains_key(&input) || request["completion_window"] != "24h" {
        return Reply::error(400, "invalid_request_error", Value::Null, "no such batch can be");
    }
    let id = format!("batch_{}", state.batches.len() + 1);
    let will = state.wills.pop_front().unwrap_or_default();
    let metadata = request["metadata"].clone();
    let batch = Batch { id, input, metadata, will, looks: 0, is_done: false };
    let said = told(&batch, "validating");
    state.batches.push(batch);
    Reply::json(&said)
}

fn told(batch: &Batch, status: &str) -> Value {
    json!({
        "id": batch.id, "object": "batch", "status": status, "metadata": batch.metadata,
        "input_file_id": batch.input, "output_file_id": null, "error_file_id": "",
    })
}

/// Says how a batch stands. With the look at which it ends, its answers are made: in another
/// order than they were asked for.
fn look(state: &mut State, id: &str, answer: Option<&str>) -> Reply {
    let Some(batch) = state.batches.iter_mut().find(|batch| batch.id == id) else {
        return Reply::error(404, "invalid_request_error", Value::Null, "no such batch");
    };
    batch.looks += 1;
    if batch.looks < batch.will.ends_at {
        return Reply::json(&told(batch, "in_progress"));
    }
    let done = Batch { is_done: true, ..batch.clone() };
    let batch = std::mem::replace(batch, done);
    if matches!(batch.will.status, "failed" | "invalid") {
        let why = json!({ "code": "invalid_json_line", "message": "a line cannot be read" });
        let mut said = told(&batch, batch.will.status);
        said["errors"] = json!({ "object": "list", "data": [why] });
        return Reply::json(&said);
    }
    let names = ["output", "errors"].map(|kind| format!("{}-{kind}", batch.id));
    if !batch.is_done {
        let (answers, failures) = answers(&state.files[&batch.input], batch.will, answer);
        for line in &answers {
            let usage = &line["response"]["body"]["usage"];
            let count = |names: [&str; 2]| names.iter().find_map(|name| usage[*name].as_u64());
            state.batched.0 += count(["prompt_tokens", "input_tokens"]).unwrap_or(0);
            state.batched.1 += count(["completion_tokens", "output_tokens"]).unwrap_or(0);
        }
        for (name, lines) in names.iter().zip([answers, failures]) {
            if !lines.is_empty() {
                let text = lines.iter().map(|line| format!("{line}\n")).collect();
                state.files.insert(name.clone(), text);
                state.hidden.insert(name.clone(), batch.will.hidden);
            }
        }
    }
    let mut said = told(&batch, batch.will.status);
    for (key, file) in ["output_file_id", "error_file_id"].into_iter().zip(names) {
        if state.files.contains_key(&file) {
            said[key] = file.into();
        }
    }
    Reply::json(&said)
}

/// The lines of a batch's two files.
fn answers(input: &str, will: BatchWill, answer: Option<&str>) -> (Vec<Value>, Vec<Value>) {
    let lines: Vec<Value> =
        input.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let (mut answers, mut failures) = (Vec::new(), Vec::new());
    for (n, line) in lines.iter().enumerate().rev() {
        let id = &line["custom_id"];
        if n + will.undone >= lines.len() {
            let code = format!("batch_{}", will.status);
            let error = json!({ "code": code, "message": "it was not done in time" });
            failures.push(json!({ "custom_id": id, "response": null, "error": error }));
            continue;
        }
        let reply = match n < will.failing {
            true => Reply::error(500, "server_error", Value::Null, "out of order"),
            false => chat(&line["body"], answer),
        };
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let response = json!({ "status_code": reply.status, "body": body });
        let line = json!({ "custom_id": id, "response": response, "error": null });
        if reply.status == 200 { answers.push(line) } else { failures.push(line) }
    }
    (answers, failures)
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
    if request["stream"] == true && !is_response {
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
    if request["stream"] == true {
        return streamed(&words(model, &text, ending, prompt, tokens(&text)));
    }
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
