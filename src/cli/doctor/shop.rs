//! Looks at the workers: whether each could work, found out without asking it for work.

use std::path::Path;
use std::thread;

use super::{Finding, edit};
use crate::base::clock;
use crate::base::words;
use crate::cli::Site;
use crate::config::{ChatSpec, CodexSpec, Config, Kind, WorkerSpec};
use crate::spool::notes::Note;
use crate::worker::chat::ChatWorker;
use crate::worker::chat::catalogue::{Model, Untold};
use crate::worker::{codex, program};

/// The first Codex whose sandbox can hide a folder.
const CODEX: &str = "0.138.0";

pub(super) fn look(site: &Site, config: &Config) -> Vec<Finding> {
    let environment = Site::inherited();
    // Servers that do not answer hold each other up no longer than one of them does.
    let mut found: Vec<Finding> = thread::scope(|scope| {
        let look = |spec| worker(site, spec, &environment);
        let begin = |spec| (spec, thread::Builder::new().spawn_scoped(scope, move || look(spec)));
        let looks: Vec<_> = config.workers.iter().map(begin).collect();
        let seen = looks.into_iter().flat_map(|(spec, begun)| match begun {
            Ok(begun) => begun.join().unwrap_or_else(|why| std::panic::resume_unwind(why)),
            // Where no thread may be begun, one waits for the other.
            Err(_) => look(spec),
        });
        seen.collect()
    });
    for check in &config.checks {
        let whose = format!("check `{}`", check.name);
        found.push(program(site, "check", whose, &check.command.argv, &environment));
    }
    if let Some(argv) = &config.on_alert {
        found.push(program(site, "check", "`on_alert`".into(), argv, &environment));
    }
    found
}

/// Where a worker's findings are said to be.
pub(super) fn named(spec: &WorkerSpec) -> String {
    format!("worker `{}`", spec.worker_type)
}

fn worker(site: &Site, spec: &WorkerSpec, environment: &[(String, String)]) -> Vec<Finding> {
    let mut found = Vec::new();
    if Note::Pause(Some(spec.worker_type.clone())).stands(&site.home) {
        let mend = site.command(&format!("resume {}", spec.worker_type));
        found.push(Finding::warning("worker", named(spec), "it is paused").mend(mend));
    }
    match &spec.kind {
        Kind::Echo => {}
        Kind::Codex(codex) => found.extend(agent(site, spec, codex, environment)),
        Kind::Command(command) => {
            found.push(program(site, "worker", named(spec), &command.argv, environment));
        }
        Kind::Chat(chat) => found.extend(model(site, spec, chat)),
    }
    found
}

/// Whether the Codex CLI is there, and is one that koubou knows.
fn agent(
    site: &Site,
    spec: &WorkerSpec,
    codex: &CodexSpec,
    environment: &[(String, String)],
) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(why) = &spec.disabled {
        let what = format!("it rests: {why}, then start koubou, or send it SIGHUP where it runs");
        let mend = edit(&site.home.env_file());
        found.push(Finding::warning("key", named(spec), what).mend(mend));
    }
    let shown = words::tame(&codex.program);
    let program = match codex::program_of(codex, environment) {
        Ok(program) => program,
        Err(why) => {
            let what = format!("the program `{shown}` cannot be run: {why}");
            let mend = "npm install -g @openai/codex";
            found.push(Finding::error("worker", named(spec), what).mend(mend));
            return found;
        }
    };
    found.push(match codex::version(&program, environment, &site.home.tmp()) {
        Ok(version) if is_before(&version, CODEX) => {
            let what = format!(
                "`{shown}` is Codex {version}: its sandbox hides koubou's keys from {CODEX} on"
            );
            Finding::warning("worker", named(spec), what).mend("npm install -g @openai/codex")
        }
        Ok(version) => {
            let what = format!("`{shown}` is Codex {version}, {}", program.display());
            Finding::ok("worker", named(spec), what)
        }
        Err(why) => {
            let what = format!("`{shown}` is {}, and {why}", program.display());
            Finding::warning("worker", named(spec), what).mend(edit(&site.home.config_file()))
        }
    });
    found
}

/// Whether a version comes before another, number by number.
fn is_before(version: &str, other: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        text.split(['.', '-']).map_while(|part| part.parse().ok()).collect()
    };
    numbers(version) < numbers(other)
}

fn program(
    site: &Site,
    name: &'static str,
    whose: String,
    argv: &[String],
    environment: &[(String, String)],
) -> Finding {
    let shown = argv.first().map_or("", String::as_str);
    match program::program(argv, environment) {
        Ok(file) => Finding::ok(name, whose, format!("`{shown}` is {}", file.display())),
        Err(why) => {
            let mend = match Path::new(shown) {
                file if file.is_absolute() && file.is_file() => {
                    format!("chmod +x {}", words::shell_path(file))
                }
                _ => edit(&site.home.config_file()),
            };
            Finding::error(name, whose, format!("the program `{shown}` cannot be run: {why}"))
                .mend(mend)
        }
    }
}

fn model(site: &Site, spec: &WorkerSpec, chat: &ChatSpec) -> Vec<Finding> {
    if let Some(why) = &spec.disabled {
        let what = format!("it rests: {why}, then start koubou, or send it SIGHUP where it runs");
        let mend = edit(&site.home.env_file());
        return vec![Finding::warning("key", named(spec), what).mend(mend)];
    }
    let mut found = Vec::new();
    if chat.key.is_some() {
        found.push(Finding::ok("key", named(spec), "it has its key"));
    }
    found.push(endpoint(site, spec, chat));
    found
}

/// Whether the server answers and lists the model.
fn endpoint(site: &Site, spec: &WorkerSpec, chat: &ChatSpec) -> Finding {
    let config = site.home.config_file();
    match ChatWorker::new(spec, chat.clone()).models() {
        Ok(models) => listed(site, spec, chat, &models),
        Err(Untold::Unreachable(why)) => {
            let what = format!("{why}: start the server, or mend `endpoint`; its tasks wait");
            Finding::warning("endpoint", named(spec), what).mend(edit(&config))
        }
        Err(Untold::BadKey) => bad_key(site, spec),
        Err(Untold::NotThere) => {
            let what = "it answers, and does not tell which models it has: `--send` tries";
            Finding::ok("endpoint", named(spec), what)
        }
        Err(Untold::Odd(why)) => {
            let what = format!(
                "{why}; look whether `endpoint` is the API's base address (it often ends in /v1)"
            );
            Finding::warning("endpoint", named(spec), what).mend(edit(&config))
        }
    }
}

pub(super) fn bad_key(site: &Site, spec: &WorkerSpec) -> Finding {
    let what = "its server does not accept the key: set the one that `api_key_env` names";
    Finding::error("key", named(spec), what).mend(edit(&site.home.env_file()))
}

fn listed(site: &Site, spec: &WorkerSpec, chat: &ChatSpec, models: &[Model]) -> Finding {
    let shown = words::excerpt(&chat.model, 100);
    match models.iter().find(|model| model.id == chat.model) {
        Some(model) => retiring(site, spec, model).unwrap_or_else(|| {
            let what = format!("it answers and knows `{shown}`");
            Finding::ok("endpoint", named(spec), what)
        }),
        None => {
            let ids = || models.iter().map(|model| model.id.as_str());
            let meant = match words::nearest(&chat.model, ids()) {
                Some(near) => format!("; did you mean `{near}`?"),
                None => match models.is_empty() {
                    true => ": it has none".to_owned(),
                    false => format!(": it has {}", words::names(ids().take(5), "and")),
                },
            };
            let what = format!("it answers and has no model `{shown}`{meant}");
            Finding::error("model", named(spec), what).mend(edit(&site.home.config_file()))
        }
    }
}

/// That a model ends, where its server says so.
pub(super) fn retiring(site: &Site, spec: &WorkerSpec, model: &Model) -> Option<Finding> {
    let day = model.ends_on?;
    let today = clock::wall().to_zoned(jiff::tz::TimeZone::UTC).date();
    let is_over = day <= today;
    let verb = if is_over { "ended" } else { "ends" };
    let what =
        format!("its model `{}` {verb} on {day}: name another", words::excerpt(&model.id, 100));
    let find = if is_over { Finding::error } else { Finding::warning };
    Some(find("model", named(spec), what).mend(edit(&site.home.config_file())))
}
