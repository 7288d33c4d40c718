//! A `koubou start` in the background, and what it says.

use std::io::{BufRead, BufReader};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a story waits for something that does not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A daemon that is asked to stop when it is dropped.
pub(crate) struct Daemon {
    child: Child,
    said: Arc<Said>,
    ended: Option<ExitStatus>,
}

#[derive(Default)]
struct Said {
    lines: Mutex<(Vec<String>, bool)>,
    more: Condvar,
}

impl Daemon {
    /// Takes charge of a child whose standard error is a pipe.
    pub(crate) fn of(mut child: Child) -> Self {
        let said = Arc::new(Said::default());
        let pipe = child.stderr.take().expect("standard error is a pipe");
        let ear = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                ear.lines.lock().unwrap().0.push(line);
                ear.more.notify_all();
            }
            ear.lines.lock().unwrap().1 = true;
            ear.more.notify_all();
        });
        Self { child, said, ended: None }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that it said so far.
    pub(crate) fn said(&self) -> String {
        self.said.lines.lock().unwrap().0.join("\n")
    }

    /// Waits until it has said this.
    pub(crate) fn until_said(&self, text: &str) -> &Self {
        let came = self.until(|lines| lines.iter().any(|line| line.contains(text)));
        assert!(came, "the daemon never said `{text}`; it said:\n{}", self.said());
        self
    }

    /// Waits until it has said so many lines, or has ended.
    pub(crate) fn until_lines(&self, count: usize) {
        self.until(|lines| lines.len() >= count);
    }

    fn until(&self, come: impl Fn(&[String]) -> bool) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.said.lines.lock().unwrap();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if come(&lines.0) || lines.1 || left.is_zero() {
                return come(&lines.0);
            }
            lines = self.said.more.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// Asks it to take its settings anew.
    pub(crate) fn hang_up(&self) {
        let _ = kill_process(pid(self.child.id()), Signal::HUP);
    }

    /// Sends SIGTERM.
    pub(crate) fn term(&self) {
        let _ = kill_process(pid(self.child.id()), Signal::TERM);
    }

    /// Kills it as `kill -9` does, and collects it.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        self.ended = Some(self.child.wait().unwrap());
    }

    /// Waits until it has ended; its exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        if self.ended.is_none() {
            self.ended = Some(wait(&mut self.child, PATIENCE));
        }
        self.ended.and_then(|status| status.code())
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.term();
        self.ended()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.term();
            wait(&mut self.child, Duration::from_secs(15));
        }
        if std::thread::panicking() {
            eprintln!("---- the daemon said ----\n{}", self.said());
        }
    }
}

/// Waits for a child; one that takes too long is killed.
pub(crate) fn wait(child: &mut Child, patience: Duration) -> ExitStatus {
    let number = child.id();
    let (done, over) = std::sync::mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        if over
            .recv_timeout(patience)
            .is_err_and(|error| matches!(error, std::sync::mpsc::RecvTimeoutError::Timeout))
        {
            let _ = kill_process(pid(number), Signal::KILL);
        }
    });
    let status = child.wait().unwrap();
    drop(done);
    let _ = guard.join();
    status
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
}
