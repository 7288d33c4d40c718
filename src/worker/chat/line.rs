//! The line to a model's server: one kept connection, and the knowledge whether anything was sent.
//!
//! What decides about money is whether a request may have reached the server. A
//! transport around the real one notes the first byte of a request that is
//! written, after the connection and its encryption stand; until then nothing can
//! have been bought.
//!
//! Names are looked up once and remembered for some minutes, or until a
//! connection fails. Redirects are never followed; a local worker never uses a
//! proxy.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::{HeaderMap, Uri};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};
use ureq::{Agent, Error, RequestBuilder, Timeout};

use crate::base::secret::Secret;
use crate::base::words;
use crate::worker::Leash;

/// How long a connection may take to stand, and a name to be found.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the look whether anybody is there may take.
const PROBE: Duration = Duration::from_secs(2);
/// Common servers close an idle connection after five seconds; to send on one at
/// that moment would lose a request that may have been paid for.
const MAX_IDLE: Duration = Duration::from_secs(4);
/// What is kept in memory of a request and of an answer at a time: each of hundreds of hands has
/// its own, and the head of an answer must fit.
const SENDING: usize = 16 << 10;
const RECEIVING: usize = 32 << 10;
/// How long an address is remembered.
const REMEMBER: Duration = Duration::from_secs(300);

/// What came back, whatever its status.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// Nothing was sent, and this is why.
    NotReached(String),
    /// It was sent, and the time ran out.
    TimedOut,
    /// It was sent, and the line broke.
    Lost(String),
    /// The answer is longer than this many bytes.
    TooLong(u64),
}

/// What is asked of a server.
#[derive(Clone, Copy)]
pub(super) enum Ask<'a> {
    /// What lies at an address.
    Get,
    /// To take this body, which is of this type.
    Post(&'a str, &'a [u8]),
    /// To take away what lies there.
    Delete,
}

/// A line to one server, for one thread.
pub(super) struct Line {
    config: Config,
    agent: Agent,
    addresses: Arc<Addresses>,
    sent: Arc<AtomicBool>,
}

impl Line {
    pub(super) fn new(local: bool) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_resolve(Some(CONNECT))
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .max_idle_age(MAX_IDLE)
            .output_buffer_size(SENDING)
            .input_buffer_size(RECEIVING)
            .max_response_header_size(RECEIVING)
            .user_agent(concat!("koubou/", env!("CARGO_PKG_VERSION")));
        if local {
            config = config.proxy(None);
        }
        let (addresses, sent) = (Arc::default(), Arc::default());
        let config = config.build();
        let agent = agent(&config, &addresses, &sent);
        Self { config, agent, addresses, sent }
    }

    /// Whether anything of the last request was written to a connection that stood.
    pub(super) fn has_sent(&self) -> bool {
        self.sent.load(Ordering::Acquire)
    }

    /// Sends a request and reads the whole answer, at most `max` bytes of it.
    pub(super) fn ask(
        &mut self,
        ask: Ask<'_>,
        url: &str,
        key: Option<&Secret>,
        limits: (Duration, u64),
        leash: &Leash,
    ) -> Result<Reply, Broken> {
        let (timeout, max) = limits;
        self.sent.store(false, Ordering::Release);
        let held = Arc::new(Mutex::new(Some(self.agent.clone())));
        leash.on_pull({
            let held = Arc::clone(&held);
            move || {
                if let Some(agent) = held.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    agent.shutdown();
                }
            }
        });
        let result = self.send(ask, url, key, timeout, max);
        // From here on a late pull of this leash finds nothing, and cannot end the next attempt.
        if held.lock().unwrap_or_else(PoisonError::into_inner).take().is_none() {
            self.agent = agent(&self.config, &self.addresses, &self.sent);
        }
        if let Err(Broken::NotReached(_)) = result {
            self.addresses.forget();
        }
        result
    }

    fn send(
        &self,
        ask: Ask<'_>,
        url: &str,
        key: Option<&Secret>,
        timeout: Duration,
        max: u64,
    ) -> Result<Reply, Broken> {
        let response = match ask {
            Ask::Get => dressed(self.agent.get(url), key, timeout).call(),
            Ask::Delete => dressed(self.agent.delete(url), key, timeout).call(),
            Ask::Post(kind, body) => {
                dressed(self.agent.post(url), key, timeout).header("content-type", kind).send(body)
            }
        };
        let response = response.map_err(|error| self.why(error))?;
        let (head, mut body) = response.into_parts();
        let mut bytes = Vec::new();
        let read = body.as_reader().take(max.saturating_add(1)).read_to_end(&mut bytes);
        match read {
            Ok(_) if bytes.len() as u64 > max && head.status.is_success() => {
                return Err(Broken::TooLong(max));
            }
            // What is wrong is said by the status; its explanation may be cut.
            Err(error) if head.status.is_success() => return Err(self.why(error.into())),
            _ => {}
        }
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body: bytes })
    }

    fn why(&self, error: Error) -> Broken {
        match error {
            error if !self.has_sent() => Broken::NotReached(reason(&error)),
            Error::Timeout(_) => Broken::TimedOut,
            error => Broken::Lost(reason(&error)),
        }
    }

    /// Whether something listens at the server's address, or at the proxy on the way to it.
    pub(super) fn knock(&self, url: &str) -> Result<(), String> {
        let uri: Uri = url.parse().map_err(|error| format!("{error}"))?;
        let proxy = self.config.proxy().filter(|proxy| !proxy.is_no_proxy(&uri));
        let uri = proxy.map_or(&uri, |proxy| proxy.uri());
        let deadline = Instant::now() + PROBE;
        let patience =
            NextTimeout { after: PROBE.into(), reason: Timeout::Resolve, ..NextTimeout::default() };
        self.addresses.forget();
        let addresses = self.addresses.look_up(uri, &self.config, patience);
        let mut why = "it has no address".to_owned();
        for address in &addresses.map_err(|error| reason(&error))? {
            let left = deadline.saturating_duration_since(Instant::now());
            match TcpStream::connect_timeout(address, left.max(Duration::from_millis(10))) {
                Ok(_) => return Ok(()),
                Err(error) => why = reason(&Error::Io(error)),
            }
        }
        self.addresses.forget();
        Err(why)
    }
}

/// A request with what every request has.
fn dressed<B>(
    request: RequestBuilder<B>,
    key: Option<&Secret>,
    timeout: Duration,
) -> RequestBuilder<B> {
    let request = request.config().timeout_global(Some(timeout)).build();
    let request = request.header("accept", "application/json");
    match key {
        Some(key) => request.header("authorization", format!("Bearer {}", key.reveal())),
        None => request,
    }
}

fn agent(config: &Config, addresses: &Arc<Addresses>, sent: &Arc<AtomicBool>) -> Agent {
    let connector = DefaultConnector::new().chain(Noting { sent: Arc::clone(sent) });
    Agent::with_parts(config.clone(), connector, Remembering(Arc::clone(addresses)))
}

/// A few words for people; never the request.
fn reason(error: &Error) -> String {
    use std::io::ErrorKind as Kind;
    match error {
        Error::Io(error) => match error.kind() {
            Kind::ConnectionRefused => "connection refused".into(),
            Kind::ConnectionReset => "connection reset".into(),
            Kind::HostUnreachable => "no way to that host".into(),
            Kind::NetworkUnreachable => "no way to that network".into(),
            Kind::UnexpectedEof | Kind::BrokenPipe => "the line was closed".into(),
            _ => words::excerpt(&words::tame(&error.to_string()), 120),
        },
        Error::HostNotFound => "no such host".into(),
        Error::Timeout(Timeout::Resolve) => "looking up its name took too long".into(),
        Error::Timeout(_) => format!("no answer within {}", words::span(CONNECT)),
        Error::Http(_) => "the address or the key holds what no request can carry".into(),
        error => words::excerpt(&words::tame(&error.to_string()), 120),
    }
}

/// The server's addresses, remembered.
#[derive(Debug, Default)]
struct Addresses(Mutex<Option<(String, Vec<SocketAddr>, Instant)>>);

impl Addresses {
    fn look_up(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<Vec<SocketAddr>, Error> {
        let name = format!("{:?} {:?}", uri.scheme_str(), uri.authority());
        {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, addresses, _)) =
                known.as_ref().filter(|(of, _, at)| *of == name && at.elapsed() < REMEMBER)
            {
                return Ok(addresses.clone());
            }
        }
        let found = DefaultResolver::default().resolve(uri, config, timeout)?.to_vec();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((name, found.clone(), Instant::now()));
        Ok(found)
    }

    fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Looks names up and remembers them. The usual resolver starts a thread for each request.
#[derive(Debug)]
struct Remembering(Arc<Addresses>);

impl Resolver for Remembering {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let mut resolved = self.empty();
        for address in self.0.look_up(uri, config, timeout)? {
            resolved.push(address);
        }
        Ok(resolved)
    }
}

/// Puts [`Noted`] around every connection.
#[derive(Debug)]
struct Noting {
    sent: Arc<AtomicBool>,
}

impl Connector<Box<dyn Transport>> for Noting {
    type Out = Noted;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<Box<dyn Transport>>,
    ) -> Result<Option<Noted>, Error> {
        Ok(chained.map(|transport| Noted { transport, sent: Arc::clone(&self.sent) }))
    }
}

/// A connection that notes when something is sent on it.
#[derive(Debug)]
struct Noted {
    transport: Box<dyn Transport>,
    sent: Arc<AtomicBool>,
}

impl Transport for Noted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.sent.store(true, Ordering::Release);
        self.transport.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.transport.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }

    fn is_tls(&self) -> bool {
        self.transport.is_tls()
    }
}
