//! Where the daemon's log goes: standard error, and `logs/system/koubou.log`.
//!
//! Every line is tamed and has the secrets of `.env` masked before it is written
//! anywhere.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, PoisonError, RwLock};

use super::trouble::Trouble;
use crate::base::clock;
use crate::base::files::At;
use crate::base::words;
use crate::config::Config;
use crate::spool::Home;

/// The settings whose secrets no line may show.
static SETTINGS: RwLock<Option<Arc<Config>>> = RwLock::new(None);

/// Hides the secrets of these settings from now on.
pub(super) fn hide(config: &Arc<Config>) {
    *SETTINGS.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(config));
}

/// A text without the secrets.
fn masked(text: String) -> String {
    let settings = SETTINGS.read().unwrap_or_else(PoisonError::into_inner);
    let hidden = settings.as_ref().and_then(|config| config.mask.hide(&text));
    hidden.unwrap_or(text)
}

/// Starts logging, at the configured level or as much more as `-v` asks for.
pub(super) fn start(
    home: &Home,
    config: &Arc<Config>,
    verbose: u8,
    quiet: bool,
) -> Result<(), Trouble> {
    let path = home.log_file();
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        // A pipe that nobody reads must not hold up the start.
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(&path)
        .at("open", &path)?;
    let level = match (quiet, verbose) {
        (true, _) => log::LevelFilter::Error,
        (_, 0) => config.log_level.parse().unwrap_or(log::LevelFilter::Info),
        (_, 1) => log::LevelFilter::Debug,
        _ => log::LevelFilter::Trace,
    };
    hide(config);
    let target = Both { file, stderr_is_journal: std::env::var_os("JOURNAL_STREAM").is_some() };
    let built = env_logger::Builder::new()
        .filter_module("koubou", level)
        // What becomes of the folders that it watches is told by koubou itself.
        .filter_module("notify", log::LevelFilter::Off)
        .filter_level(level.min(log::LevelFilter::Warn))
        .format(move |out, record| {
            let text = masked(words::tame(&record.args().to_string()));
            writeln!(out, "{} {:<5} {text}", clock::rfc3339(clock::wall()), record.level())
        })
        .target(env_logger::Target::Pipe(Box::new(target)))
        .try_init();
    built.map_err(|error| Trouble::new("cannot start the log").because(error.to_string()))
}

/// A line to both places; trouble with one never keeps it from the other.
struct Both {
    file: File,
    stderr_is_journal: bool,
}

impl Write for Both {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = self.file.write_all(line);
        // journald and terminals alike get whole lines; journald adds its own time.
        let skip = if self.stderr_is_journal && !io::stderr().is_terminal() {
            line.len().min(25)
        } else {
            0
        };
        let _ = io::stderr().lock().write_all(&line[skip..]);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
