//! Where the daemon's log goes: standard error, and `logs/system/koubou.log`. What agents ask for
//! goes to `logs/master/mcp.log`.
//!
//! ```text
//! 2026-11-26T01:02:03.456Z INFO  hello: completed
//! {"time":"2026-11-26T01:02:03.456Z","level":"info","task_id":"hello","message":"completed", …}
//! ```
//!
//! Lines are text or JSON (`log_format`); the id of the task that one is about stands in front of it,
//! or in a field of its own. To journald each goes with its priority and without its time, which
//! journald knows. Every line is tamed and has the secrets of `.env` masked before it is
//! written anywhere. New settings change its level and its form as they change all else ([`follow`]);
//! what the arguments say of the level goes before them.

use std::env;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use log::kv::Key;
use log::{Level, LevelFilter, Record};
use serde_json::json;

use super::trouble::Trouble;
use crate::base::clock;
use crate::base::words;
use crate::config::{Config, LogFormat};
use crate::spool::Home;
use crate::spool::logs::LogFile;

/// Starts the log of what an agent asks for; standard error is the agent's.
pub(super) fn start_for_agents(home: &Home, config: &Arc<Config>) -> Result<(), Trouble> {
    begin(home.logs().join("master/mcp.log"), config, false)
}

/// The settings whose secrets no line may show, and that say what lines look like.
static SETTINGS: RwLock<Option<Arc<Config>>> = RwLock::new(None);
/// The level that the arguments ask for, whatever the settings say.
static ASKED: OnceLock<LevelFilter> = OnceLock::new();

/// Goes by these settings from now on: by their level and form, and showing none of their secrets.
pub(super) fn follow(config: &Arc<Config>) {
    *SETTINGS.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(config));
    let stated = || config.log_level.parse().unwrap_or(LevelFilter::Info);
    log::set_max_level(ASKED.get().copied().unwrap_or_else(stated));
}

fn format() -> LogFormat {
    let settings = SETTINGS.read().unwrap_or_else(PoisonError::into_inner);
    settings.as_ref().map_or(LogFormat::Text, |config| config.log_format)
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
    let asked = match (quiet, verbose) {
        (true, _) => Some(LevelFilter::Error),
        (_, 0) => None,
        (_, 1) => Some(LevelFilter::Debug),
        _ => Some(LevelFilter::Trace),
    };
    if let Some(asked) = asked {
        ASKED.get_or_init(|| asked);
    }
    begin(home.log_file(), config, true)
}

fn begin(path: PathBuf, config: &Arc<Config>, is_told: bool) -> Result<(), Trouble> {
    let both = Both { file: Mutex::new(LogFile::open(path)?), is_told, is_journal: is_journal() };
    // How much of this is told is said by the greatest level, which can change.
    let built = env_logger::Builder::new()
        .filter_module("koubou", LevelFilter::Trace)
        // What becomes of the folders that it watches is told by koubou itself.
        .filter_module("notify", LevelFilter::Off)
        .filter_level(LevelFilter::Warn)
        .format(move |_, record| {
            both.write(record);
            Ok(())
        })
        .target(env_logger::Target::Pipe(Box::new(io::sink())))
        .try_init();
    built.map_err(|error| Trouble::new("cannot start the log").because(error.to_string()))?;
    follow(config);
    Ok(())
}

/// Whether standard error is journald's: it says which stream it gave us, for we may have another by now.
fn is_journal() -> bool {
    let Ok(stream) = env::var("JOURNAL_STREAM") else { return false };
    let meta = std::fs::metadata("/proc/self/fd/2");
    meta.is_ok_and(|meta| stream == format!("{}:{}", meta.dev(), meta.ino()))
}

/// A line to both places; trouble with one never keeps it from the other.
struct Both {
    file: Mutex<LogFile>,
    /// Whether it goes to standard error, too.
    is_told: bool,
    is_journal: bool,
}

impl Both {
    fn write(&self, record: &Record<'_>) {
        let line = Line::of(record);
        let time = clock::rfc3339(clock::wall());
        let format = format();
        let whole = line.in_format(format, Some(&time)) + "\n";
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = file.write(whole.as_bytes());
        if !self.is_told {
            return;
        }
        // Terminals and journald alike get whole lines.
        let told = match self.is_journal {
            true => format!("<{}>{}\n", priority(line.level), line.in_format(format, None)),
            false => whole,
        };
        let _ = io::stderr().lock().write_all(told.as_bytes());
    }
}

/// What syslog, and so journald, calls a level.
fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

/// A line of the log, fit to be written anywhere.
struct Line {
    level: Level,
    room: String,
    task: Option<String>,
    worker: Option<String>,
    text: String,
}

impl Line {
    fn of(record: &Record<'_>) -> Self {
        let fit = |text: &str| masked(words::tame(text));
        let value = |key: &str| {
            let found = record.key_values().get(Key::from_str(key))?;
            Some(fit(&found.to_string()))
        };
        // `koubou::engine::orders` is told by the engine.
        let room = record.target().split("::").nth(1).unwrap_or(record.target());
        Self {
            level: record.level(),
            room: room.to_owned(),
            task: value("task"),
            worker: value("worker"),
            text: fit(&record.args().to_string()),
        }
    }

    fn in_format(&self, format: LogFormat, time: Option<&str>) -> String {
        match format {
            LogFormat::Text => self.in_words(time),
            LogFormat::Json => self.in_json(time),
        }
    }

    fn in_words(&self, time: Option<&str>) -> String {
        let time = time.map(|time| format!("{time} ")).unwrap_or_default();
        let about = [&self.task, &self.worker];
        let about: String = about.into_iter().flatten().map(|name| format!("{name}: ")).collect();
        // journald has the level from the priority.
        match time.is_empty() {
            true => format!("{about}{}", self.text),
            false => format!("{time}{:<5} {about}{}", self.level, self.text),
        }
    }

    fn in_json(&self, time: Option<&str>) -> String {
        let mut line = json!({});
        let mut put = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                line[key] = value.into();
            }
        };
        put("time", time);
        put("level", Some(&self.level.as_str().to_ascii_lowercase()));
        put("component", Some(&self.room));
        put("task_id", self.task.as_deref());
        put("worker_id", self.worker.as_deref());
        put("message", Some(&self.text));
        line.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(task: Option<&str>) -> Line {
        Line {
            level: Level::Warn,
            room: "engine".into(),
            task: task.map(str::to_owned),
            worker: task.map(|_| "echo-1".into()),
            text: "it \"failed\"".into(),
        }
    }

    #[test]
    fn a_line_says_first_which_task_it_is_about() {
        let at = Some("2026-11-26T01:02:03.456Z");
        let words = line(Some("x")).in_format(LogFormat::Text, at);
        assert_eq!(words, "2026-11-26T01:02:03.456Z WARN  x: echo-1: it \"failed\"");
        assert_eq!(line(None).in_format(LogFormat::Text, None), "it \"failed\"");
        assert_eq!(
            line(Some("x")).in_format(LogFormat::Json, at),
            r#"{"time":"2026-11-26T01:02:03.456Z","level":"warn","component":"engine","task_id":"x","worker_id":"echo-1","message":"it \"failed\""}"#
        );
    }
}
