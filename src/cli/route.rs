//! `koubou route`: says where a task would go and why, and runs nothing.

use std::fmt;
use std::io::{self, BufRead};
use std::path::Path;
use std::thread;

use crossbeam_channel::{Sender, bounded};
use serde::Serialize;
use serde_json::Value;

use super::language::told;
use super::table::padded;
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::files;
use crate::base::words::tame;
use crate::config::Config;
use crate::engine::EngineError;
use crate::engine::attachments;
use crate::route::decision::{Assessment, Decision, Wish};
use crate::task::result::Reason;
use crate::task::{Difficulty, Sensitivity, Task, wire};

/// Say where a task would go and why, running nothing
///
/// TEXT is a description, a task as JSON, or the name of a file that holds one of
/// the two. `-` reads a task a line from standard input.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// A text, a file, or `-`
    #[arg(value_name = "TEXT|FILE|-", default_value = "-")]
    what: String,
}

#[derive(Serialize)]
pub(super) struct Answer {
    task_id: Option<String>,
    worker_type: Option<String>,
    difficulty_level: Difficulty,
    sensitivity_level: Sensitivity,
    reasons: Vec<Reason>,
    warnings: Vec<String>,
    error: Option<String>,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    site.spool()?;
    let config = site.config()?;
    let critical = super::budget::is_critical(site, &config);
    if args.what != "-" {
        let answer = route(&config, critical, &text_or_file(&args.what)?)?;
        ui.answer(&answer)?;
        return Ok(Exit::Done);
    }
    each_line(&config, critical, ui)
}

/// How many lines may be under way at once.
const UNDER_WAY: usize = 64;

/// Answers each line of standard input in its turn; all processors look at lines meanwhile.
fn each_line(config: &Config, critical: bool, ui: &mut Ui) -> Done {
    let (jobs, todo) = bounded::<(Vec<u8>, Sender<Result<Answer, Trouble>>)>(UNDER_WAY);
    let (in_turn, answers) = bounded(UNDER_WAY);
    thread::scope(|scope| {
        for n in 0..thread::available_parallelism().map_or(1, usize::from) {
            let todo = todo.clone();
            let judge = move || {
                for (line, answer) in todo {
                    // Where nobody waits any more nothing can be printed either.
                    let _ = answer.send(route(config, critical, &line));
                }
            };
            match thread::Builder::new().spawn_scoped(scope, judge) {
                Err(error) if n == 0 => return Err(EngineError::Thread(error).into()),
                // One is enough.
                _ => {}
            }
        }
        let read = move || -> io::Result<()> {
            for line in io::stdin().lock().split(b'\n') {
                let line = line?;
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                let (answer, waited_for) = bounded(1);
                // The place in the row first: what is looked at has somebody who waits for it.
                if in_turn.send(waited_for).is_err() || jobs.send((line, answer)).is_err() {
                    break;
                }
            }
            Ok(())
        };
        let reader =
            thread::Builder::new().spawn_scoped(scope, read).map_err(EngineError::Thread)?;
        let mut exit = Exit::Done;
        // One JSON line for each line that came, also for one that is no task.
        // With the first that cannot be printed this end of the row is gone, and all stop.
        for answer in answers.into_iter().filter_map(|answer| answer.recv().ok()) {
            match answer {
                Ok(answer) => ui.json_line(&answer)?,
                Err(trouble) => {
                    exit = Exit::Failed;
                    ui.json_line(&serde_json::json!({ "error": trouble.message }))?;
                }
            }
        }
        match reader.join() {
            Ok(Err(error)) => {
                Err(Trouble::new("cannot read standard input").because(error.to_string()))
            }
            _ => Ok(exit),
        }
    })
}

fn text_or_file(what: &str) -> Result<Vec<u8>, Trouble> {
    let path = Path::new(what);
    if what.len() < 4096 && path.is_file() {
        return std::fs::read(path)
            .map_err(|error| files::FileError::new("read", path, error).into());
    }
    // Nobody describes a task by one word that ends like a file.
    if what.ends_with(".json") && !what.contains(char::is_whitespace) {
        return Err(Trouble::new(format!("there is no file `{}`", tame(what))));
    }
    Ok(what.as_bytes().to_vec())
}

fn route(config: &Config, critical: bool, bytes: &[u8]) -> Result<Answer, Trouble> {
    Ok(answer(config, critical, task(bytes)?))
}

/// What is seen in a task, where it would go, and whether its files were not looked at.
pub(super) fn judge(
    config: &Config,
    critical: bool,
    task: &Task,
) -> (Assessment, Decision, Option<String>) {
    // A file that is not there, or not ours to read, fails the task when it comes to it.
    let (files, unread) = match attachments::read(task, config) {
        Ok(files) => (files, None),
        Err(why) => (Vec::new(), Some(format!("its files were not looked at: {why}"))),
    };
    let seen = config.router.assess(task, &files);
    let decision = config.router.decide(&Wish::of(task), &seen, critical);
    (seen, decision, unread)
}

/// Where a task would go, and why.
pub(super) fn answer(config: &Config, critical: bool, task: Task) -> Answer {
    let (seen, decision, unread) = judge(config, critical, &task);
    let stated = task.document.contains_key("task_id").then(|| task.id.to_string());
    Answer {
        task_id: stated,
        difficulty_level: seen.difficulty,
        sensitivity_level: seen.sensitivity,
        reasons: seen.reasons.into_iter().chain(decision.reasons).collect(),
        warnings: task.warnings.into_iter().chain(unread).chain(decision.warnings).collect(),
        error: decision.worker_type.as_ref().err().cloned(),
        worker_type: decision.worker_type.ok().map(|name| name.to_string()),
    }
}

/// A task as JSON, or a text that becomes its description.
fn task(bytes: &[u8]) -> Result<Task, Trouble> {
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let read = |bytes: &[u8]| wire::read("task", bytes);
    let parsed = match is_object {
        true => read(bytes),
        false => {
            let text = String::from_utf8_lossy(bytes);
            let document = serde_json::json!({ "description": Value::from(text.as_ref()) });
            read(document.to_string().as_bytes())
        }
    };
    parsed.map_err(|flaws| Trouble::new(format!("this is not a task: {}", flaws.message())))
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, what: &str| writeln!(f, "{}  {what}", padded(&told(name), 11));
        match (&self.worker_type, &self.error) {
            (Some(name), _) => line("worker", name)?,
            (None, error) => {
                line("worker", &told(&format!("none: {}", error.as_deref().unwrap_or_default())))?;
            }
        }
        line("difficulty", self.difficulty_level.as_str())?;
        line("sensitivity", self.sensitivity_level.as_str())?;
        for reason in &self.reasons {
            let place = if reason.field.is_empty() {
                String::new()
            } else {
                format!(" ({})", tame(&reason.field))
            };
            line("because", &format!("{}{place}", told(&tame(&reason.why))))?;
        }
        for warning in &self.warnings {
            line("warning", &told(&tame(warning)))?;
        }
        Ok(())
    }
}
