//! The wire: one JSON-RPC message a line, on standard input and output.
//!
//! What is no message is answered with an error and never ends the session: the SDK's own
//! transport passes over text that is not JSON, drops the line that is too long, and goes
//! home when something else comes before `initialize`. Two threads read and write, so
//! that the end of standard input is seen at once and no read keeps the process alive.

use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{ErrorData, NumberOrString, ServerJsonRpcMessage};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

type Incoming = RxJsonRpcMessage<RoleServer>;
type Outgoing = TxJsonRpcMessage<RoleServer>;

/// A longer line is no message: it is answered with an error, and never held in memory.
const LONGEST_LINE: usize = 64 << 20;

/// How long what is still to be told may take once the session is over.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// So many messages may wait for their turn, on the way in and on the way out.
const UNDER_WAY: usize = 64;

/// Both directions, and the word that no more will come.
pub(super) struct Wire {
    incoming: mpsc::Receiver<Incoming>,
    outgoing: Option<mpsc::Sender<Vec<u8>>>,
    written: Option<oneshot::Receiver<()>>,
}

impl Wire {
    /// Opens standard input and output; `closing` is told when the input has ended.
    pub(super) fn open(closing: watch::Sender<bool>) -> io::Result<Self> {
        let (to_server, incoming) = mpsc::channel(UNDER_WAY);
        let (outgoing, to_client) = mpsc::channel(UNDER_WAY);
        let (all_written, written) = oneshot::channel();
        let mut ear = Ear { to_server, to_client: outgoing.clone(), is_open: false };
        std::thread::Builder::new().name("mcp-in".into()).spawn(move || {
            ear.listen(io::stdin().lock());
            let _ = closing.send(true);
        })?;
        std::thread::Builder::new().name("mcp-out".into()).spawn(move || {
            write_all(to_client, &mut io::stdout());
            let _ = all_written.send(());
        })?;
        Ok(Self { incoming, outgoing: Some(outgoing), written: Some(written) })
    }
}

impl Transport<RoleServer> for Wire {
    type Error = io::Error;

    fn send(
        &mut self,
        message: Outgoing,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let outgoing = self.outgoing.clone();
        async move {
            let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
            outgoing.ok_or_else(gone)?.send(bytes_of(&message)?).await.map_err(|_| gone())
        }
    }

    async fn receive(&mut self) -> Option<Incoming> {
        self.incoming.recv().await
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.incoming.close();
        self.outgoing = None;
        if let Some(written) = self.written.take() {
            // A client that neither reads nor goes away is not waited for.
            let _ = tokio::time::timeout(LAST_WORDS, written).await;
        }
        Ok(())
    }
}

fn bytes_of(message: &Outgoing) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

fn write_all(mut lines: mpsc::Receiver<Vec<u8>>, out: &mut impl Write) {
    while let Some(line) = lines.blocking_recv() {
        // A client that reads no more is gone; its next line finds nobody here.
        if out.write_all(&line).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// Hears what the client says.
struct Ear {
    to_server: mpsc::Sender<Incoming>,
    to_client: mpsc::Sender<Vec<u8>>,
    /// Whether the session has begun: before that the SDK bears nothing but requests.
    is_open: bool,
}

/// A line of the input.
enum Line {
    Whole(Vec<u8>),
    TooLong,
    End,
}

impl Ear {
    fn listen(&mut self, mut input: impl BufRead) {
        loop {
            let heard = match next_line(&mut input, LONGEST_LINE) {
                Ok(Line::Whole(line)) => read(&line),
                Ok(Line::TooLong) => Err(Some(complaint(
                    ErrorData::invalid_request(
                        format!("a line has more than {LONGEST_LINE} bytes: send less at once"),
                        None,
                    ),
                    None,
                ))),
                Ok(Line::End) | Err(_) => return,
            };
            let is_sent = match heard {
                Ok(message) => self.pass_on(message),
                Err(Some(complaint)) => self.answer(&complaint),
                Err(None) => true,
            };
            if !is_sent {
                return;
            }
        }
    }

    fn pass_on(&mut self, message: Incoming) -> bool {
        match &message {
            Incoming::Request(request) => self.is_open |= opens(&request.request),
            // What answers nothing and begins nothing is passed over, rather than end the session.
            _ if !self.is_open => return true,
            _ => {}
        }
        self.to_server.blocking_send(message).is_ok()
    }

    fn answer(&self, complaint: &Outgoing) -> bool {
        bytes_of(complaint).is_ok_and(|line| self.to_client.blocking_send(line).is_ok())
    }
}

/// Whether a request begins the session: `initialize`, or one that says by itself what that says.
fn opens(request: &rmcp::model::ClientRequest) -> bool {
    use rmcp::model::{ClientRequest, GetMeta};
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::DiscoverRequest(_) | ClientRequest::PingRequest(_) => false,
        other => other.get_meta().protocol_version().is_some(),
    }
}

/// The next line without its end; the last one needs none.
fn next_line(input: &mut impl BufRead, longest: usize) -> io::Result<Line> {
    let mut line = Vec::new();
    let most = longest as u64 + 1;
    input.by_ref().take(most).read_until(b'\n', &mut line)?;
    match line.pop() {
        None => Ok(Line::End),
        Some(b'\n') => Ok(Line::Whole(line)),
        Some(last) if line.len() < longest => {
            line.push(last);
            Ok(Line::Whole(line))
        }
        Some(_) => {
            input.skip_until(b'\n')?;
            Ok(Line::TooLong)
        }
    }
}

/// A message; or how it is answered that this is none; or nothing, for a blank line.
fn read(line: &[u8]) -> Result<Incoming, Option<Box<Outgoing>>> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    if line.iter().all(u8::is_ascii_whitespace) {
        return Err(None);
    }
    let value: Value = serde_json::from_slice(line).map_err(|error| {
        complaint(ErrorData::parse_error(format!("this line is not JSON: {error}"), None), None)
    })?;
    let id = value.get("id").cloned();
    let is_notification = id.is_none() && value.get("method").is_some_and(Value::is_string);
    serde_json::from_value(value).map_err(|_| {
        if is_notification {
            // Nobody waits for an answer to it.
            return None;
        }
        let id = id.and_then(|id| serde_json::from_value::<NumberOrString>(id).ok());
        let message = "this is no JSON-RPC message: send one object a line, with `jsonrpc`: \
                       \"2.0\", an `id` that is a number or a text, a `method` and `params`";
        Some(complaint(ErrorData::invalid_request(message, None), id))
    })
}

fn complaint(error: ErrorData, id: Option<NumberOrString>) -> Box<Outgoing> {
    Box::new(ServerJsonRpcMessage::error(error, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], longest: usize) -> Vec<Option<String>> {
        let (mut input, mut lines) = (input, Vec::new());
        loop {
            match next_line(&mut input, longest).unwrap() {
                Line::Whole(line) => lines.push(Some(String::from_utf8(line).unwrap())),
                Line::TooLong => lines.push(None),
                Line::End => return lines,
            }
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_dropped_alone() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(lines(b"abc\n\nabcd\nab", 3), [some("abc"), some(""), None, some("ab")]);
        assert_eq!(lines(b"abcdefgh", 3), [None]);
    }

    #[test]
    fn what_is_no_message_is_answered() {
        let code = |line: &str| {
            let answer =
                read(line.as_bytes()).unwrap_err().map(|answer| bytes_of(&answer).unwrap());
            answer.map(|answer| {
                let answer: Value = serde_json::from_slice(&answer).unwrap();
                (answer["error"]["code"].as_i64().unwrap(), answer.get("id").cloned())
            })
        };
        assert_eq!(code("{nonsense"), Some((-32_700, None)));
        assert_eq!(code("[]"), Some((-32_600, None)));
        assert_eq!(code("{\"id\": 7}"), Some((-32_600, Some(7.into()))));
        assert_eq!(code("  "), None);
        assert_eq!(code("{\"method\": \"notifications/odd\", \"params\": 3}"), None);
        assert!(read(br#"{"jsonrpc": "2.0", "id": 1, "method": "ping"}"#).is_ok());
    }
}
