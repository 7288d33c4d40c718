//! Tells whoever started this process how it is, in the words of systemd's `sd_notify`.
//!
//! Nobody needs to listen: a process that nobody supervises says nothing. The socket may have a
//! path or, with an `@` before it, a name of its own that lies in no folder.

use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// It is at work.
pub const READY: &str = "READY=1";
/// It goes on.
pub const ALIVE: &str = "WATCHDOG=1";
/// It will end.
pub const STOPPING: &str = "STOPPING=1";

/// Who supervises this process, if anybody does.
#[derive(Clone, Debug, Default)]
pub struct Supervisor {
    socket: Option<OsString>,
    patience: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment names.
    pub fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
        // A process hands its environment on; the watchdog is meant for one of them.
        let is_for_us =
            number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let patience = number("WATCHDOG_USEC").filter(|_| is_for_us).map(Duration::from_micros);
        Self { socket: variable("NOTIFY_SOCKET").filter(|name| !name.is_empty()), patience }
    }

    /// How long it waits for the next [`ALIVE`], if it waits for any.
    pub fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// Tells it how things are.
    ///
    /// # Errors
    /// Where it cannot be told.
    pub fn tell(&self, state: &str) -> io::Result<()> {
        let Some(name) = &self.socket else { return Ok(()) };
        let address = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => SocketAddr::from_pathname(name)?,
        };
        UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that an environment of these variables names.
    fn of(variables: &[(&str, &str)]) -> Supervisor {
        Supervisor::of(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })
    }

    fn heard(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 64];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    #[test]
    fn it_is_told_by_a_path_and_by_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        of(&[("NOTIFY_SOCKET", path.to_str().unwrap())]).tell(READY).unwrap();
        assert_eq!(heard(&socket), "READY=1");
        let name = format!("supervisor-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        of(&[("NOTIFY_SOCKET", &format!("@{name}"))]).tell(STOPPING).unwrap();
        assert_eq!(heard(&socket), "STOPPING=1");
    }

    #[test]
    fn where_nobody_listens_it_is_an_error_and_where_nobody_is_named_it_is_none() {
        assert!(of(&[("NOTIFY_SOCKET", "/nonexistent/socket")]).tell(READY).is_err());
        of(&[]).tell(READY).unwrap();
        of(&[("NOTIFY_SOCKET", "")]).tell(READY).unwrap();
    }

    #[test]
    fn a_watchdog_is_meant_for_one_process() {
        let me = std::process::id().to_string();
        let patience = |pid| of(&[("WATCHDOG_USEC", "2000000"), ("WATCHDOG_PID", pid)]).patience();
        assert_eq!(patience(&me), Some(Duration::from_secs(2)));
        assert_eq!(patience("1"), None);
        assert_eq!(of(&[("WATCHDOG_USEC", "500")]).patience(), Some(Duration::from_micros(500)));
        assert_eq!(of(&[("WATCHDOG_USEC", "soon")]).patience(), None);
    }
}
