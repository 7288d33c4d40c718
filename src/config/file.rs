//! `agent.yaml` as people write it, read from top to bottom.
//!
//! [`load`] goes through the whole file and names every mistake in it; only a
//! file without one becomes a [`Config`]. It touches neither disk nor
//! environment, and no text makes it panic.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::complaint::{Complaints, ConfigErrors};
use super::env::{Environment, Source};
use super::prices::{self, PriceList};
use super::section::Section;
use super::tree::{self, Node, Place};
use super::workers::{self, ReadWorker, Surroundings, Workers};
use super::{
    CheckSpec, Config, Kind, Limits, LogFormat, Retire, checks, limits, mcp, rules, security,
};
use crate::base::secret::Mask;
use crate::base::words;
use crate::route::Router;
use crate::route::decision::Candidate;
use crate::route::difficulty::DifficultyJudge;
use crate::route::rules::{Condition, Rule};
use crate::route::sensitivity::SensitivityScanner;
use crate::task::{Difficulty, Usd, WorkerType};

const KEYS: &[&str] = &[
    "master_agent",
    "available_workers",
    "checks",
    "security_policy",
    "routing_rules",
    "cost_limits",
    "timezone",
    "retention_days",
    "retire",
    "maintain_at",
    "max_log_bytes",
    "keep_logs",
    "log_format",
    "max_task_bytes",
    "max_result_bytes",
    "file_roots",
    "workspace_roots",
    "difficulty_keywords",
    "prices",
    "result_mode",
    "spool_group",
    "min_free_bytes",
    "ageing_s",
    "on_done",
    "on_empty",
    "mcp",
];

/// The variables that the settings themselves read.
const READ_VARIABLES: &[&str] = &[
    "OPENAI_API_KEY",
    "LMSTUDIO_BASE_URL",
    "LMSTUDIO_MODEL",
    "KOUBOU_DB",
    "KOUBOU_LOG_LEVEL",
    "MONTHLY_BUDGET_USD",
    "DAILY_BUDGET_USD",
];

/// Where the original design's `.env` puts the mirror, whatever the home is.
const ORIGINAL_DB: &str = "/var/koubou/db/koubou.db";

/// Who has waited for longer gets a turn now and then, whatever its priority.
const DEFAULT_AGEING: Duration = Duration::from_secs(3_600);

const LOG_LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// Reads the text of `path`, which belongs to `home`, with what surrounds it.
///
/// # Errors
/// Every mistake that there is, in the file, in `.env` and in the process's variables.
pub fn load(
    yaml: &str,
    path: &Path,
    home: &Path,
    env: &Environment,
) -> Result<Config, ConfigErrors> {
    let complaints = Complaints::about(path);
    let dotenv = path.with_file_name(".env");
    for (line, why) in env.flaws() {
        complaints.error_in(&dotenv, *line, why.clone());
    }
    let root = tree::parse(yaml).unwrap_or_else(|error| {
        complaints.error(error.at, format!("this is not YAML: {}", words::tame(&error.why)));
        Node { at: Place::default(), value: tree::Tree::Null }
    });
    let is_yaml = root.at != Place::default();
    let top = Section::open(&root, "the file", KEYS, &complaints).filter(|_| is_yaml);
    let config = top.map(|top| {
        let reader = Reader { top: &top, env, home, dotenv: &dotenv, complaints: &complaints };
        reader.config()
    });
    let warnings = complaints.settle()?;
    match config {
        Some(config) => Ok(Config { warnings, ..config }),
        // Not reached: without a top there is a complaint.
        None => Err(ConfigErrors::default()),
    }
}

/// The file being read.
struct Reader<'a> {
    top: &'a Section<'a>,
    env: &'a Environment,
    home: &'a Path,
    dotenv: &'a Path,
    complaints: &'a Complaints,
}

impl Reader<'_> {
    fn config(&self) -> Config {
        let prices = PriceList::new(prices::read(self.top, self.complaints), self.env.now());
        let around = Surroundings {
            env: self.env,
            prices: &prices,
            complaints: self.complaints,
            dotenv: self.dotenv,
        };
        let workers = workers::read(self.top, &around);
        let checks = checks::read(self.top, &around);
        checks::look_for_missing(&workers, &checks, self.complaints);
        let Workers { good, types, key_names } = workers;
        let rules = rules::read(self.top, &types, self.complaints);
        let money = self.top.section("cost_limits", limits::KEYS);
        self.warn_of_confidential(&good, &rules);
        let unused_env = self.unused_env(&good, &checks, &key_names);
        let shipped = good.iter().filter(|worker| worker.has_shipped_price);
        let shipped_prices = shipped.map(|worker| worker.spec.worker_type.clone()).collect();
        let candidates = good.iter().map(|worker| candidate(worker, &rules)).collect();
        // A program may print what it sees, so its variables are masked as keys are.
        let named: Vec<String> = key_names.into_iter().chain(env_names(&good, &checks)).collect();
        let mask = Mask::new(self.env.secrets(&named));
        let scanner = self.scanner().knowing(mask.clone());
        let names = checks.iter().map(|check| check.name.clone()).collect();
        let router = Router { scanner, judge: self.judge(), rules, candidates, checks: names };
        Config {
            master_agent: self.master_agent(),
            mcp: mcp::read(self.top, &types, self.complaints),
            workers: good.into_iter().map(|worker| worker.spec).collect(),
            checks,
            router: std::sync::Arc::new(router),
            limits: self.limits(money.as_ref(), &types),
            on_exhausted: money.as_ref().map(limits::on_exhausted).unwrap_or_default(),
            on_alert: money.as_ref().and_then(|money| limits::program(money, "on_alert")),
            on_done: limits::program(self.top, "on_done"),
            on_empty: limits::program(self.top, "on_empty"),
            timezone: self.timezone(),
            retention_days: self.top.small("retention_days", 1, 36_500).unwrap_or(7),
            retire: self.retire(),
            maintain_at: self.maintain_at(),
            max_log_bytes: self.top.size("max_log_bytes", 1 << 10).unwrap_or(100 << 20),
            keep_logs: self.top.small("keep_logs", 0, 10_000).unwrap_or(10),
            log_format: self.log_format(),
            max_task_bytes: self.top.size("max_task_bytes", 1 << 10).unwrap_or(16 << 20),
            max_result_bytes: self.top.size("max_result_bytes", 1 << 10).unwrap_or(16 << 20),
            file_roots: self.roots("file_roots"),
            workspace_roots: self.roots("workspace_roots"),
            result_mode: self.result_mode(),
            spool_group: self.top.word("spool_group"),
            min_free_bytes: self.top.size("min_free_bytes", 0).unwrap_or(64 << 20),
            ageing: self.top.seconds("ageing_s").unwrap_or(DEFAULT_AGEING),
            home: self.home.to_owned(),
            database: self.database(),
            log_level: self.log_level(),
            mask,
            warnings: Vec::new(),
            unused_env,
            shipped_prices,
        }
    }

    /// The program; the original design wrote `codex-cli` for `codex`.
    fn master_agent(&self) -> String {
        match self.top.word("master_agent") {
            None => "codex".into(),
            Some(name) if name == "codex-cli" => "codex".into(),
            Some(name) => name,
        }
    }

    fn scanner(&self) -> SensitivityScanner {
        security::read(self.top, self.home, self.complaints)
    }

    /// The original's keywords; a level's list that is given replaces its list.
    fn judge(&self) -> DifficultyJudge {
        let mut judge = DifficultyJudge::default();
        let levels = ["low", "medium", "high"];
        if let Some(given) = self.top.section("difficulty_keywords", &levels) {
            for level in [Difficulty::Low, Difficulty::Medium, Difficulty::High] {
                if let Some(keywords) = given.texts(level.as_str()) {
                    judge.replace(level, keywords.into_iter().map(|(_, keyword)| keyword));
                }
            }
        }
        judge
    }

    fn limits(&self, stated: Option<&Section<'_>>, types: &[String]) -> Limits {
        let [daily, monthly] = ["daily_limit_usd", "monthly_limit_usd"];
        let money = |key: &str| stated.and_then(|stated| stated.money(key));
        let percent = stated.and_then(|stated| stated.small("alert_threshold_percent", 1, 100));
        let others = stated.map(|stated| limits::others(stated, types, self.complaints));
        let limits = Limits {
            daily: self.limit("DAILY_BUDGET_USD", daily, money(daily), Usd::dollars(10)),
            monthly: self.limit("MONTHLY_BUDGET_USD", monthly, money(monthly), Usd::dollars(100)),
            others: others.unwrap_or_default(),
            alert_percent: percent.and_then(|percent| u8::try_from(percent).ok()).unwrap_or(80),
        };
        limits::warn_of_odd(&limits, self.complaints);
        limits
    }

    /// The variable goes before the file; where the two differ, that is told.
    fn limit(&self, variable: &str, key: &str, stated: Option<Usd>, default: Usd) -> Usd {
        let written = stated.unwrap_or(default);
        let Some((value, source)) = self.variable(variable) else { return written };
        match value.parse::<Usd>() {
            Ok(limit) => {
                if stated.is_some_and(|stated| stated != limit) {
                    self.complaints.warn(format!(
                        "`{variable}` ({limit}) goes before `cost_limits.{key}` ({written})"
                    ));
                }
                limit
            }
            Err(_) => {
                let why = "must be an amount of dollars such as `10` or `0.25`";
                self.error_of_variable(variable, source, why);
                written
            }
        }
    }

    fn timezone(&self) -> TimeZone {
        let Some(name) = self.top.word("timezone") else { return TimeZone::UTC };
        TimeZone::get(&name).unwrap_or_else(|_| {
            let shown = words::excerpt(&words::tame(&name), 40);
            self.top.error(
                "timezone",
                format!("there is no time zone `{shown}`: write one such as `Asia/Tokyo` or `UTC`"),
            );
            TimeZone::UTC
        })
    }

    fn retire(&self) -> Retire {
        match self.top.word("retire").as_deref() {
            None | Some("archive") => Retire::Archive,
            Some("delete") => Retire::Delete,
            Some(other) => {
                let shown = words::excerpt(&words::tame(other), 40);
                let message = format!("`retire` must be `archive` or `delete`, and is `{shown}`");
                self.top.error("retire", message);
                Retire::Archive
            }
        }
    }

    /// When the daemon tidies up, each day; `None` is never.
    fn maintain_at(&self) -> Option<Time> {
        const DEFAULT: Time = Time::constant(3, 30, 0, 0);
        if !self.top.has("maintain_at") {
            return Some(DEFAULT);
        }
        let text = self.top.word("maintain_at")?;
        if text == "never" {
            return None;
        }
        let time = text.split_once(':').and_then(|(hour, minute)| {
            let two = |text: &str| text.parse::<i8>().ok().filter(|_| text.len() <= 2);
            Time::new(two(hour)?, two(minute)?, 0, 0).ok()
        });
        if time.is_none() {
            let shown = words::excerpt(&words::tame(&text), 40);
            let message = format!(
                "`maintain_at` must be a time of day such as `03:30`, or `never`, and is `{shown}`"
            );
            self.top.error("maintain_at", message);
        }
        time
    }

    fn log_format(&self) -> LogFormat {
        match self.top.word("log_format").as_deref() {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => {
                let shown = words::excerpt(&words::tame(other), 40);
                let message = format!("`log_format` must be `text` or `json`, and is `{shown}`");
                self.top.error("log_format", message);
                LogFormat::Text
            }
        }
    }

    /// A list of whole paths.
    fn roots(&self, key: &str) -> Vec<PathBuf> {
        let mut roots = Vec::new();
        for (at, root) in self.top.texts(key).unwrap_or_default() {
            let path = PathBuf::from(&root);
            if path.is_absolute() {
                roots.push(path);
            } else {
                let shown = words::excerpt(&words::tame(&root), 60);
                let message = format!("`{shown}` is not a whole path: begin it with `/`");
                self.complaints.error(at, message);
            }
        }
        roots
    }

    /// `0644` and `"0644"` are octal; a number, such as YAML's own `0o644`, is what it is.
    fn result_mode(&self) -> u32 {
        const DEFAULT: u32 = 0o644;
        let Some(node) = self.top.get("result_mode") else { return DEFAULT };
        let mode = match &node.value {
            tree::Tree::Text(text) => {
                u32::from_str_radix(text.trim().trim_start_matches("0o"), 8).ok()
            }
            tree::Tree::Whole(n) => u32::try_from(*n).ok(),
            _ => None,
        };
        // The owner reads and writes; nobody runs a result.
        mode.filter(|mode| mode & !0o666 == 0 && mode & 0o600 == 0o600).unwrap_or_else(|| {
            self.top.error(
                "result_mode",
                format!(
                    "`result_mode` must be a mode from \"0600\" to \"0666\" in quotes, and is {}",
                    node.described()
                ),
            );
            DEFAULT
        })
    }

    fn log_level(&self) -> String {
        let Some((value, source)) = self.variable("KOUBOU_LOG_LEVEL") else { return "info".into() };
        let level = value.to_ascii_lowercase();
        let level = if level == "warning" { "warn".to_owned() } else { level };
        if LOG_LEVELS.contains(&level.as_str()) {
            return level;
        }
        let why = format!(
            "must be {}, and is `{}`",
            words::names(LOG_LEVELS, "or"),
            words::excerpt(&words::tame(value), 40)
        );
        self.error_of_variable("KOUBOU_LOG_LEVEL", source, &why);
        "info".into()
    }

    /// Where the mirror is; the place that the original's `.env` names is left to its own home.
    fn database(&self) -> Option<PathBuf> {
        let (value, _) = self.variable("KOUBOU_DB")?;
        if value == ORIGINAL_DB && self.home != Path::new("/var/koubou") {
            self.complaints.warn(format!(
                "`KOUBOU_DB` names `{ORIGINAL_DB}` and the home is `{}`: the home's own is used",
                self.home.display()
            ));
            return None;
        }
        let path = self.home.join(value);
        (path != self.home.join("db/koubou.db")).then_some(path)
    }

    /// A variable that holds something.
    fn variable(&self, name: &str) -> Option<(&str, Source)> {
        let (value, source) = self.env.find(name)?;
        Some((value.trim(), source)).filter(|(value, _)| !value.is_empty())
    }

    fn error_of_variable(&self, name: &str, source: Source, why: &str) {
        let message = format!("`{name}` {why}");
        match source {
            Source::Process => self.complaints.error_in(Path::new("environment"), 0, message),
            Source::File(line) => self.complaints.error_in(self.dotenv, line, message),
        }
    }

    fn unused_env(
        &self,
        workers: &[ReadWorker],
        checks: &[CheckSpec],
        key_names: &[String],
    ) -> Vec<String> {
        let passed = env_names(workers, checks);
        self.env
            .names_in_file()
            .filter(|name| {
                !READ_VARIABLES.contains(name)
                    && !key_names.iter().any(|key| key == name)
                    && !passed.iter().any(|passed| passed == name)
            })
            .map(str::to_owned)
            .collect()
    }

    fn warn_of_confidential(&self, workers: &[ReadWorker], rules: &[Rule]) {
        let is_local = |name: &WorkerType| {
            workers.iter().any(|worker| worker.spec.worker_type == *name && worker.spec.local)
        };
        if !workers.iter().any(|w| w.spec.local && !matches!(w.spec.kind, Kind::Echo)) {
            self.complaints.warn(
                "no worker is local: confidential work will fail until one has `local: true`",
            );
        }
        for rule in rules {
            if rule.condition == Condition::ContainsSensitiveData && !is_local(&rule.worker_type) {
                self.complaints.warn(format!(
                    "`contains_sensitive_data` names `{}`, which is not local: confidential work goes to another that is, or fails",
                    rule.worker_type
                ));
            }
        }
    }
}

/// The variables that programs may see.
fn env_names(workers: &[ReadWorker], checks: &[CheckSpec]) -> Vec<String> {
    let of = |worker: &ReadWorker| match &worker.spec.kind {
        Kind::Command(command) => command.env.clone(),
        Kind::Codex(codex) => codex.env.clone(),
        Kind::Chat(_) | Kind::Echo => Vec::new(),
    };
    let checks = checks.iter().map(|check| check.command.env.clone());
    let all = workers.iter().map(of).chain(checks);
    all.flat_map(|env| env.into_iter().map(|(name, _)| name)).collect()
}

/// A worker as the router sees it.
fn candidate(worker: &ReadWorker, rules: &[Rule]) -> Candidate {
    let spec = &worker.spec;
    // A program is for what it is for: it takes any task only where a rule says so
    // for more than one type of task.
    let is_ruled = rules.iter().any(|rule| {
        rule.worker_type == spec.worker_type && !matches!(rule.condition, Condition::TaskType(_))
    });
    let only_named = match spec.kind {
        Kind::Chat(_) => false,
        Kind::Echo => true,
        Kind::Command(_) | Kind::Codex(_) => spec.use_for.is_empty() && !is_ruled,
    };
    Candidate {
        worker_type: spec.worker_type.clone(),
        local: spec.local,
        use_for: spec.use_for.clone(),
        only_named: worker.only_named.unwrap_or(only_named),
        paid: spec.is_paid(),
        escalate: spec.escalate.clone(),
        fallback: spec.fallback.clone(),
    }
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;

    use super::*;
    use crate::base::secret::Secret;
    use crate::config::{Api, BatchSpec, ChatSpec, OnExhausted, OnExpiry, Sandbox, WorkerSpec};

    const ORIGINAL: &str = include_str!("../../tests/data/agent.original.yaml");
    const SHIPPED: &str = include_str!("../../spool-layout/config/agent.yaml");
    const SHIPPED_ENV: &str = include_str!("../../spool-layout/config/env");

    /// Two workers and a rule: the least that there can be.
    const LEAST: &str = "\
available_workers:
  - type: local
    model: m
    endpoint: http://localhost:1/v1
routing_rules:
  - else: local
";

    fn environment(dotenv: &str) -> Environment {
        Environment::new([], dotenv, "2026-11-23T00:00:00Z".parse().unwrap())
    }

    fn read(yaml: &str, dotenv: &str) -> Result<Config, ConfigErrors> {
        let path = Path::new("config/agent.yaml");
        load(yaml, path, Path::new("/srv/koubou"), &environment(dotenv))
    }

    fn good(yaml: &str) -> Config {
        read(yaml, "").map_err(|errors| errors.to_string()).unwrap()
    }

    fn errors(yaml: &str) -> Vec<String> {
        let errors = read(yaml, "").unwrap_err();
        errors.to_string().lines().map(str::to_owned).collect()
    }

    /// The only mistake, without the file's name.
    fn error(yaml: &str) -> String {
        let errors = errors(yaml);
        assert_eq!(errors.len(), 1, "{errors:#?}");
        errors[0].strip_prefix("config/agent.yaml:").unwrap().to_owned()
    }

    /// `LEAST` with more lines for its worker, the first of which is line 5.
    fn worker(lines: &str) -> String {
        LEAST.replace("routing_rules", &format!("{lines}routing_rules"))
    }

    fn spec(lines: &str) -> WorkerSpec {
        good(&worker(lines)).workers.remove(0)
    }

    fn chat(spec: &WorkerSpec) -> &ChatSpec {
        match &spec.kind {
            Kind::Chat(chat) => chat,
            other => panic!("{other:?}"),
        }
    }

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    #[test]
    fn the_original_file_means_what_it_says() {
        let key = format!("sk-{}", "real1234".repeat(3));
        let config = read(ORIGINAL, &format!("OPENAI_API_KEY={key}\n")).unwrap();
        assert_eq!(config.master_agent, "codex");
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        let [high, medium, local] = config.workers.as_slice() else { panic!() };
        assert_eq!(chat(high).model, "gpt-5");
        assert_eq!(chat(high).effort.as_deref(), Some("high"));
        assert_eq!(chat(medium).effort.as_deref(), Some("medium"));
        assert_eq!(chat(high).key.as_ref().map(Secret::reveal), Some(key.as_str()));
        assert_eq!((high.price.input, high.price.output), (usd("1.25"), usd("10")));
        assert_eq!((high.max_rpm, medium.max_rpm, local.max_rpm), (Some(10), Some(30), None));
        assert_eq!((high.local, local.local), (false, true));
        assert_eq!((high.concurrency, local.concurrency), (4, 1));
        assert_eq!((high.max_attempts, high.max_tokens), (3, 4_000));
        assert_eq!(high.timeout, Duration::from_secs(600));
        assert!(local.price.is_free() && chat(local).key.is_none());
        assert_eq!(config.limits.daily, Usd::dollars(10));
        assert_eq!(config.router.rules.len(), 4);
        assert!(config.mask.hide(&format!("x {key}")).is_some());
    }

    #[test]
    fn the_shipped_file_has_every_default() {
        let config = read(SHIPPED, SHIPPED_ENV).unwrap();
        let [high, _, local, echo] = config.workers.as_slice() else { panic!() };
        assert_eq!(chat(high).model, "gpt-6.1-sol");
        assert!(!high.price.is_free() && local.local && echo.local);
        assert!(high.disabled.as_deref().unwrap().starts_with("set OPENAI_API_KEY"));
        assert!(local.disabled.is_none());
        assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
        assert!(config.unused_env.is_empty());
        assert!(config.router.candidates[3].only_named);
        let least = good(LEAST);
        assert_eq!(config.limits, least.limits);
        assert_eq!((config.on_exhausted, &config.on_alert), (least.on_exhausted, &least.on_alert));
        assert_eq!(config.retention_days, least.retention_days);
        assert_eq!(config.max_task_bytes, least.max_task_bytes);
        assert_eq!(config.max_result_bytes, least.max_result_bytes);
        assert_eq!(config.min_free_bytes, least.min_free_bytes);
        assert_eq!((config.result_mode, config.retire), (least.result_mode, least.retire));
        assert_eq!(config.maintain_at, least.maintain_at);
        assert_eq!(config.maintain_at.map(|at| at.to_string()).as_deref(), Some("03:30:00"));
        let logs = |config: &Config| (config.max_log_bytes, config.keep_logs, config.log_format);
        assert_eq!(logs(&config), logs(&least));
        assert_eq!(config.master_agent, least.master_agent);
    }

    #[test]
    fn what_the_shipped_file_shows_in_remarks_can_be_read() {
        let top = ["# checks:", "# difficulty_keywords:", "# prices:", "# spool_group:", "#   "];
        let below = ["  # - ", "  #   ", "  # by_worker:", "  # by_task_type:", "  # on_alert:"];
        let shown = |line: &str| {
            if below.iter().any(|begin| line.starts_with(begin)) {
                return line.replacen("  # ", "  ", 1);
            }
            match top.iter().any(|begin| line.starts_with(begin)) {
                true => line[2..].to_owned(),
                false => line.to_owned(),
            }
        };
        // A list that is shown takes the place of the empty one above it.
        let shipped = SHIPPED.replace("  patterns: []\n  #   - id", "  patterns:\n  #   - id");
        let yaml: Vec<String> = shipped.lines().map(shown).collect();
        let config = good(&yaml.join("\n"));
        assert_eq!(config.workers.len(), 7);
        let Kind::Codex(codex) = &config.workers[6].kind else { panic!() };
        assert_eq!((codex.model.as_str(), codex.effort.as_deref()), ("gpt-6.1-sol", Some("high")));
        assert_eq!(codex.sandbox, Sandbox::ReadOnly);
        assert_eq!(config.workers[6].max_cost, Some(Usd::dollars(2)));
        assert_eq!(config.spool_group.as_deref(), Some("koubou"));
        assert_eq!(config.workers[4].price.output, usd("5"));
        assert_eq!((config.limits.others.len(), config.on_alert.is_some()), (3, true));
    }

    /// A paid worker with this `batch`.
    fn batching(batch: &str) -> String {
        worker(&format!("    local: false\n    price_per_1m: 1\n    batch: {batch}\n"))
    }

    #[test]
    fn a_paid_model_has_batches_and_says_how_they_are_made() {
        let read = |text: &str| good(&batching(text)).workers.remove(0).batch.unwrap();
        assert_eq!(read("false"), BatchSpec::default());
        assert_eq!(read("true"), BatchSpec { all: true, ..BatchSpec::default() });
        let full =
            read("{gather_s: 0, most: 7, poll_s: 0.05, on_expiry: now, window: 48h, all: false}");
        assert_eq!((full.gather, full.most, full.all), (Duration::ZERO, 7, false));
        assert_eq!((full.on_expiry, full.window.as_str()), (OnExpiry::Now, "48h"));
        assert_eq!(spec("").batch, None, "what costs nothing has none");
    }

    #[test]
    fn what_is_wrong_with_batches_is_said_with_its_place() {
        let mend = |text: &str| error(&batching(text));
        assert_eq!(
            mend("sometimes"),
            "7:12: `batch` must be `true`, `false` or a mapping of keys, and is `sometimes`"
        );
        assert_eq!(
            mend("{on_expiry: later}"),
            "7:24: `on_expiry` must be `resubmit`, `now` or `fail`, and is `later`"
        );
        for window in ["a day", "0h", "24", "h"] {
            let said = format!("7:21: `window` must be a span such as `24h`, and is `{window}`");
            assert_eq!(mend(&format!("{{window: {window}}}")), said);
        }
        assert_eq!(mend("{gathers: 1}"), "7:13: unknown key `gathers`; did you mean `gather_s`?");
        assert_eq!(
            error(&worker("    batch: true\n")),
            "5:12: `batch` is for a `chat` worker that costs money: take it out"
        );
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let yaml = "\
master_agnt: codex
available_workers:
  - type: a
    model: m
    endpoint: nowhere
    max_rmp: 3
    timeout_s: soon
  - type: a
    kind: comand
routing_rules:
  - if: hard
    then: nobody
";
        assert_eq!(
            errors(yaml).join("\n").replace("config/agent.yaml:", ""),
            "\
1:1: unknown key `master_agnt`; did you mean `master_agent`?
5:15: `endpoint` must be an address such as `https://api.openai.com/v1`, with `http` or `https`
6:5: unknown key `max_rmp`; did you mean `max_rpm`?
7:16: `timeout_s` must be a number of seconds above 0 and up to a year, and is `soon`
8:11: there are two workers of type `a`: rename one
9:11: `kind` must be `chat`, `command`, `codex` or `echo`, and is `comand`; did you mean `command`?
11:3: `routing_rules` needs a last rule `- else: WORKER` for what no other rule names
11:9: no rule can ask `hard`: the conditions are `contains_sensitive_data`, `high_difficulty`, `medium_difficulty`, `low_difficulty`, `budget_critical`, `task_type: NAME` and `priority_at_least: 0..10`
12:11: there is no worker `nobody` among `available_workers`"
        );
    }

    #[test]
    fn a_mistake_in_the_syntax_has_its_place() {
        let said = error("available_workers:\n  - type: [\n");
        assert!(said.contains("this is not YAML"), "{said}");
        assert!(!said.starts_with("0:"), "{said}");
        assert!(error("- a\n").contains("the file must be a mapping of keys, and is a list"));
        assert_eq!(errors("").len(), 2);
    }

    #[test]
    fn a_key_given_twice_is_told() {
        let said = error(&format!("{LEAST}timezone: UTC\ntimezone: UTC\n"));
        assert_eq!(said, "8:1: `timezone` is given twice: take one of them out");
    }

    #[test]
    fn wrong_values_are_told_with_their_place() {
        for (line, said) in [
            ("    api_key: A\n", "5:5: unknown key `api_key`; did you mean `api_key_env`?"),
            (
                "    concurrency: 0\n",
                "5:18: `concurrency` must be a whole number from 1 to 4096, and is `0`",
            ),
            (
                "    max_rpm: -1\n",
                "5:14: `max_rpm` must be a whole number from 1, or `unlimited`, and is `-1`",
            ),
            (
                "    max_tpm: lots\n",
                "5:14: `max_tpm` must be a whole number from 1, or `unlimited`, and is `lots`",
            ),
            ("    local: yes\n", "5:12: `local` must be `true` or `false`, and is `yes`"),
            ("    use_for: x\n", "5:14: `use_for` must be a list, and is `x`"),
            (
                "    use_for: [a, []]\n",
                "5:18: `use_for` must be a list of texts, and one is a list",
            ),
            ("    params: 3\n", "5:13: `params` must be a mapping of keys, and is `3`"),
            (
                "    max_attempts: 0\n",
                "5:19: `max_attempts` must be a whole number from 1 to 1000, and is `0`",
            ),
            (
                "    max_tokens: 1.5\n",
                "5:17: `max_tokens` must be a whole number from 1 to 10000000, and is `1.5`",
            ),
            (
                "    timeout_s: 0\n",
                "5:16: `timeout_s` must be a number of seconds above 0 and up to a year, and is `0`",
            ),
            (
                "    api: response\n",
                "5:10: `api` must be `chat_completions` or `responses`, and is `response`; did you mean `responses`?",
            ),
            ("    only_named: 1\n", "5:17: `only_named` must be `true` or `false`, and is `1`"),
            (
                "    price_per_1k: -1\n",
                "5:19: `price_per_1k` must be an amount of dollars or `{input, output}`, and is `-1`",
            ),
            ("    price_per_1m: {input: 1}\n", "5:19: a price needs `output`"),
            (
                "    api_key_env: sk-abc\n",
                "5:18: `api_key_env` must be the name of a variable, such as `OPENAI_API_KEY`, and not the key itself",
            ),
        ] {
            assert_eq!(error(&worker(line)), said);
        }
    }

    #[test]
    fn wrong_settings_of_the_top_are_told_with_their_place() {
        for (line, said) in [
            (
                "timezone: Mars/Phobos\n",
                "7:11: there is no time zone `Mars/Phobos`: write one such as `Asia/Tokyo` or `UTC`",
            ),
            ("retire: burn\n", "7:9: `retire` must be `archive` or `delete`, and is `burn`"),
            (
                "maintain_at: 24:00\n",
                "7:14: `maintain_at` must be a time of day such as `03:30`, or `never`, and is `24:00`",
            ),
            ("log_format: xml\n", "7:13: `log_format` must be `text` or `json`, and is `xml`"),
            (
                "retention_days: 0\n",
                "7:17: `retention_days` must be a whole number from 1 to 36500, and is `0`",
            ),
            (
                "max_task_bytes: big\n",
                "7:17: `max_task_bytes` must be a size such as `16 MiB`, at least 1 KiB, and is `big`",
            ),
            ("file_roots: [data]\n", "7:14: `data` is not a whole path: begin it with `/`"),
            (
                "result_mode: 0755\n",
                "7:14: `result_mode` must be a mode from \"0600\" to \"0666\" in quotes, and is `0755`",
            ),
            (
                "cost_limits: {daily_limit_usd: much}\n",
                "7:32: `daily_limit_usd` must be an amount of dollars such as `0.25`, and is `much`",
            ),
            (
                "cost_limits: {alert_threshold_percent: 101}\n",
                "7:40: `alert_threshold_percent` must be a whole number from 1 to 100, and is `101`",
            ),
            (
                "cost_limits: {by_worker: {locl: {daily: 3}}}\n",
                "7:27: there is no worker `locl` among `available_workers`; did you mean `local`?",
            ),
            (
                "cost_limits: {by_worker: {local: {dayly: 3, daily: 1}}}\n",
                "7:35: unknown key `dayly`; did you mean `daily`?",
            ),
            (
                "cost_limits: {by_task_type: {report: {}}}\n",
                "7:38: a limit needs `daily`, `monthly` or both",
            ),
            (
                "cost_limits: {by_task_type: {'': {daily: 1}}}\n",
                "7:30: a type of task has no name here: name it, or take the limit out",
            ),
            (
                "cost_limits: {by_task_type: {report: 3}}\n",
                "7:38: a limit must be a mapping of keys, and is `3`",
            ),
            (
                "cost_limits: {by_task_type: {report: {daily: much}}}\n",
                "7:46: `daily` must be an amount of dollars such as `0.25`, and is `much`",
            ),
            (
                "cost_limits: {on_exhausted: stop}\n",
                "7:29: `on_exhausted` must be `wait` or `fail`, and is `stop`",
            ),
            (
                "cost_limits: {on_alert: []}\n",
                "7:25: `on_alert` is empty: name a program and its arguments",
            ),
            (
                "security_policy: {sensitive_patterns: ['(']}\n",
                "7:40: `(` is not a regular expression: unclosed group",
            ),
            (
                "security_policy: {patterns: [{id: a, regex: 'x(', test: x}]}\n",
                "7:45: `x(` is not a regular expression: unclosed group, at character 2 of it",
            ),
            (
                "security_policy: {patterns: [{id: a, regex: 'x\\d', test: x}]}\n",
                "7:45: `x\\d` does not find its `test`: mend the one or the other",
            ),
            (
                "security_policy: {patterns: [{id: a, regex: x}]}\n",
                "7:30: a pattern needs `test`: its name, the expression and a text that it must find",
            ),
            (
                "security_policy: {confidential_paths: [a, '[']}\n",
                "7:43: `[` is not a glob: unclosed character class; missing ']'",
            ),
            (
                "security_policy: {strict: 1}\n",
                "7:27: `strict` must be `true` or `false`, and is `1`",
            ),
            ("security_policy: {wrods: [a]}\n", "7:19: unknown key `wrods`; did you mean `words`?"),
            ("prices: [{model: m, input: 1}]\n", "7:10: a price needs `output`"),
            (
                "prices: [{model: m, input: 1, output: 1, effective_from: soon}]\n",
                "7:58: `effective_from` must be a day such as `2026-11-23`",
            ),
            (
                "difficulty_keywords: {hgih: [a]}\n",
                "7:23: unknown key `hgih`; did you mean `high`?",
            ),
        ] {
            assert_eq!(error(&format!("{LEAST}{line}")), said);
        }
    }

    fn rules(lines: &str) -> String {
        LEAST.replace("  - else: local\n", lines)
    }

    #[test]
    fn wrong_rules_are_told_with_their_place() {
        for (lines, said) in [
            (
                "  - else: locl\n",
                "6:11: there is no worker `locl` among `available_workers`; did you mean `local`?",
            ),
            (
                "  - else: local\n  - if: high_difficulty\n    then: local\n",
                "6:5: `else` must be the last rule: what stands behind it is never reached",
            ),
            (
                "  - if: high_difficulty\n    then: local\n",
                "6:3: `routing_rules` needs a last rule `- else: WORKER` for what no other rule names",
            ),
            (
                "  - if: high_difficulty\n    then: local\n  - if: high_difficulty\n    then: local\n  - else: local\n",
                "8:5: this rule is never reached: rule 1, `high_difficulty`, takes all of it",
            ),
            (
                "  - if: 'priority_at_least: 3'\n    then: local\n  - if: {priority_at_least: 7}\n    then: local\n  - else: local\n",
                "8:5: this rule is never reached: rule 1, `priority_at_least: 3`, takes all of it",
            ),
            (
                "  - if: high_difficulty\n  - else: local\n",
                "6:5: a rule with `if` needs `then` with the worker's type",
            ),
            ("  - then: local\n  - else: local\n", "6:5: a rule needs `if` and `then`, or `else`"),
        ] {
            assert_eq!(error(&rules(lines)), said, "{lines}");
        }
        let config = good(&rules("  - if: {task_type: x}\n    then: local\n  - else: local\n"));
        assert_eq!(config.router.rules[0].condition, Condition::TaskType("x".into()));
    }

    #[test]
    fn a_missing_part_is_told() {
        assert_eq!(
            errors("master_agent: a\n").join("\n").replace("config/agent.yaml:", ""),
            "1:1: `available_workers` is missing: name at least one worker\n\
             1:1: `routing_rules` is missing: it says who gets which task, and ends with `- else: WORKER`"
        );
        let said = errors("available_workers: []\nrouting_rules: []\n").join("\n");
        assert!(said.contains("1:20: `available_workers` is empty"), "{said}");
        let unnamed = LEAST.replace("type: local\n", "max_rpm: 1\n");
        assert!(errors(&unnamed)[0].contains(":2:5: a worker needs a `type`"));
    }

    #[test]
    fn a_program_needs_a_command() {
        let yaml = "\
available_workers:
  - type: a
    kind: command
    command: []
  - type: b
    command: ls -l
  - type: c
routing_rules:
  - else: a
";
        assert_eq!(
            errors(yaml).join("\n").replace("config/agent.yaml:", ""),
            "4:14: `command` is empty: name a program and its arguments\n\
             6:14: `command` must be a list, and is `ls -l`\n\
             7:5: a worker needs an `endpoint`, a `command`, or a `kind`"
        );
    }

    #[test]
    fn a_program_sees_what_is_listed_and_nothing_else() {
        let yaml = "\
available_workers:
  - type: a
    command: [ls, -l, '{task_file}']
    env: [LISTED, ABSENT]
  - type: b
    command: [ls]
    use_for: [listing]
    local: true
routing_rules:
  - if: {task_type: x}
    then: a
  - else: b
";
        let config = read(yaml, "LISTED=1\nOTHER=2\n").unwrap();
        let Kind::Command(command) = &config.workers[0].kind else { panic!() };
        assert_eq!(command.argv, ["ls", "-l", "{task_file}"]);
        let names: Vec<&str> = command.env.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["LISTED"]);
        assert_eq!((config.workers[0].local, config.workers[0].max_attempts), (false, 1));
        assert!(config.warnings.iter().any(|w| w.contains("`ABSENT` is not set")));
        assert_eq!(config.unused_env, ["OTHER"]);
        let only_named: Vec<bool> = config.router.candidates.iter().map(|c| c.only_named).collect();
        assert_eq!(only_named, [true, false]);
    }

    #[test]
    fn who_is_local_is_never_guessed() {
        assert!(spec("").local);
        assert!(spec("    use_for: [sensitive_data]\n").local);
        let elsewhere =
            |lines: &str| worker(lines).replace("http://localhost:1/v1", "http://10.0.0.5:1/v1");
        assert!(error(&elsewhere("")).contains("is not local and its price is not known"));
        let config = good(&elsewhere("    local: true\n"));
        assert!(config.workers[0].local);
        assert!(config.warnings[0].contains("is at `10.0.0.5`"), "{:?}", config.warnings);
        let named =
            LEAST.replace("type: local", "type: other").replace("else: local", "else: other");
        assert!(error(&named).contains("is not local"));
        assert!(error(&worker("    local: false\n")).contains("is not local"));
    }

    #[test]
    fn prices_are_of_the_worker_or_of_its_model() {
        let flat = spec("    price_per_1k: 0.10\n").price;
        assert_eq!((flat.input, flat.output), (usd("100"), usd("100")));
        let parts = spec("    price_per_1m: {input: 2, output: 10}\n").price;
        assert_eq!((parts.cached_input, parts.output), (usd("2"), usd("10")));
        let both = "    price_per_1k: 1\n    price_per_1m: 1\n";
        assert_eq!(error(&worker(both)), "6:19: give `price_per_1k` or `price_per_1m`, not both");
        let row = "prices:\n  - {model: m, input: 1, output: 2}\n";
        let config = good(&format!("{}{row}", worker("    local: false\n")));
        assert_eq!(config.workers[0].price.output, usd("2"));
    }

    #[test]
    fn a_price_may_say_what_a_long_prompt_and_a_tier_make_of_it() {
        let price = |terms: &str| {
            spec(&format!("    price_per_1m: {{input: 1, output: 10, {terms}}}\n")).price
        };
        let read = price("long_context: {above: 100, input: 2, output: 1.5}");
        assert_eq!(read.worst(100, 0, None), usd("0.0001"));
        assert_eq!(read.worst(101, 0, None), usd("0.000202"));
        let read = price("service_tiers: {flex: 0.5, priority: 1.8}");
        assert_eq!(read.worst(100, 0, Some("priority")), usd("0.00018"));
        let row = "prices:\n  - {model: m, input: 1, output: 2, service_tiers: {priority: 3}}\n";
        let config = good(&format!("{}{row}", worker("    local: false\n")));
        assert_eq!(config.workers[0].price.worst(100, 0, Some("fast")), usd("0.0003"));
        for (terms, said) in [
            (
                "service_tiers: {flex: 0}",
                "5:64: `flex` must be a factor such as `0.5` or `2`, from 0.001 to 1000, and is `0`",
            ),
            ("long_context: {above: 9, input: 2}", "5:56: `long_context` needs `output`"),
            ("service_tiers: {fast: 2}", "5:58: unknown key `fast`"),
        ] {
            let yaml = worker(&format!("    price_per_1m: {{input: 1, output: 10, {terms}}}\n"));
            assert_eq!(error(&yaml), said);
        }
    }

    #[test]
    fn who_points_to_nobody_is_told_where() {
        assert_eq!(
            error(&worker("    fallback: [local, locl]\n")),
            "5:23: `fallback`: there is no worker `locl` among `available_workers`; did you mean `local`?"
        );
    }

    #[test]
    fn a_worker_speaks_the_api_that_is_stated() {
        assert_eq!(chat(&spec("")).api, Api::ChatCompletions);
        assert_eq!(chat(&spec("    api: chat_completions\n")).api, Api::ChatCompletions);
        assert_eq!(chat(&spec("    api: responses\n")).api, Api::Responses);
    }

    #[test]
    fn the_tier_that_is_asked_for_is_known() {
        let asked = |params: &str| spec(params).service_tier().map(str::to_owned);
        assert_eq!(asked(""), None);
        assert_eq!(asked("    params: {service_tier: flex}\n").as_deref(), Some("flex"));
        assert_eq!(
            error(&worker("    params: {service_tier: 7}\n")),
            "5:13: `service_tier` in `params` must be a text such as `flex`, and is `7`"
        );
    }

    #[test]
    fn limits_that_hardly_let_anything_through_are_told() {
        let warnings = |yaml: &str| good(yaml).warnings.join("\n");
        let told = warnings(&worker("    max_tpm: 300\n"));
        assert!(
            told.contains("one call may take 4000 tokens") && told.contains("`max_tpm` is 300")
        );
        assert!(!warnings(&worker("    max_tpm: 300\n    max_tokens: 200\n")).contains("max_tpm"));
        for (limits, told) in [
            (
                "{daily_limit_usd: 10, monthly_limit_usd: 5}",
                "the monthly budget ($5.00) is below the daily budget ($10.00)",
            ),
            (
                "{by_worker: {local: {daily: 3, monthly: 2}}}",
                "the monthly limit of worker local ($2.00) is below",
            ),
        ] {
            let said = warnings(&format!("{LEAST}cost_limits: {limits}\n"));
            assert!(said.contains(told), "{said}");
        }
        assert!(!warnings(LEAST).contains("is below"));
    }

    #[test]
    fn a_key_is_for_its_host_alone() {
        let key = format!("{}-{}", "sesame", 12_345_678);
        let elsewhere = worker("    local: false\n    price_per_1k: 1\n")
            .replace("http://localhost:1/v1", "https://models.example.com/v1");
        let dotenv = format!("OPENAI_API_KEY={key}\nOTHER_KEY={key}\n");
        let config = read(&elsewhere, &dotenv).unwrap();
        assert!(chat(&config.workers[0]).key.is_none());
        assert!(config.warnings.iter().any(|w| w.contains("sends no key")));
        let named = elsewhere.replace("    local:", "    api_key_env: OTHER_KEY\n    local:");
        assert!(chat(&read(&named, &dotenv).unwrap().workers[0]).key.is_some());
        for empty in ["", "OTHER_KEY=\n", "OTHER_KEY=your-key\n"] {
            let config = read(&named, empty).unwrap();
            let why = config.workers[0].disabled.as_deref().unwrap();
            assert!(why.starts_with("set OTHER_KEY in config/.env"), "{why}");
        }
        assert!(!format!("{config:?}").contains(&key));
    }

    #[test]
    fn the_environment_moves_the_original_local_worker_only() {
        let dotenv = "LMSTUDIO_BASE_URL=http://127.0.0.1:9/v1/\nLMSTUDIO_MODEL=other\n";
        let config = read(SHIPPED, dotenv).unwrap();
        let local = chat(&config.workers[2]);
        assert_eq!(
            (local.endpoint.as_str(), local.model.as_str()),
            ("http://127.0.0.1:9/v1", "other")
        );
        let config = read(LEAST, dotenv).unwrap();
        assert_eq!(chat(&config.workers[0]).endpoint, "http://localhost:1/v1");
        let errors = read(SHIPPED, "A=1\nLMSTUDIO_BASE_URL=nowhere\n").unwrap_err().to_string();
        assert!(errors.starts_with("config/.env:2:1: `LMSTUDIO_BASE_URL` must be"), "{errors}");
    }

    #[test]
    fn variables_set_limits_level_and_place() {
        let dotenv = "MONTHLY_BUDGET_USD=50\nKOUBOU_LOG_LEVEL=INFO\nMASTER_PASSWORD=abc\n\
            KOUBOU_HOME=/var/koubou\nKOUBOU_DB=/var/koubou/db/koubou.db\n";
        let config = read(ORIGINAL, dotenv).unwrap();
        assert_eq!(config.limits.monthly, Usd::dollars(50));
        assert_eq!((config.log_level.as_str(), config.database), ("info", None));
        assert_eq!(config.unused_env, ["KOUBOU_HOME", "MASTER_PASSWORD"]);
        assert!(
            config.warnings.iter().any(|w| w.contains("`MONTHLY_BUDGET_USD` ($50.00) goes before"))
        );
        assert!(config.warnings.iter().any(|w| w.contains("`KOUBOU_DB` names")));
        let wrong = "DAILY_BUDGET_USD=much\nKOUBOU_LOG_LEVEL=loud\nx\n";
        assert_eq!(
            read(LEAST, wrong).unwrap_err().to_string(),
            "config/.env:1:1: `DAILY_BUDGET_USD` must be an amount of dollars such as `10` or `0.25`\n\
             config/.env:2:1: `KOUBOU_LOG_LEVEL` must be `error`, `warn`, `info`, `debug` or `trace`, and is `loud`\n\
             config/.env:3:1: this line cannot be read: write it as `NAME=value`"
        );
    }

    #[test]
    fn single_workers_and_types_of_task_have_limits_of_their_own() {
        let config = good(&format!(
            "{LEAST}cost_limits:\n  by_worker: {{local: {{daily: 3, monthly: 20}}}}\n  \
             by_task_type: {{report: {{daily: 1}}}}\n  on_exhausted: fail\n  on_alert: [mail, -s, a b]\n"
        ));
        let limits: Vec<_> = config
            .limits
            .others
            .iter()
            .map(|(limit, amount)| (limit.to_string(), *amount))
            .collect();
        assert_eq!(
            limits,
            [
                ("daily limit of worker local".to_owned(), Usd::dollars(3)),
                ("monthly limit of worker local".to_owned(), Usd::dollars(20)),
                ("daily limit of task type report".to_owned(), Usd::dollars(1)),
            ]
        );
        assert_eq!(config.on_exhausted, OnExhausted::Fail);
        assert_eq!(config.on_alert.unwrap(), ["mail", "-s", "a b"]);
    }

    #[test]
    fn modes_and_sizes_are_read_as_people_write_them() {
        for (written, mode) in [("0640", 0o640), ("\"0600\"", 0o600), ("0o664", 0o664)] {
            assert_eq!(good(&format!("{LEAST}result_mode: {written}\n")).result_mode, mode);
        }
        let config = good(&format!("{LEAST}max_task_bytes: 1MiB\nmin_free_bytes: 0\n"));
        assert_eq!((config.max_task_bytes, config.min_free_bytes), (1 << 20, 0));
    }

    #[test]
    fn what_is_odd_is_a_warning() {
        let yaml = LEAST.replace(
            "routing_rules:\n",
            "  - type: cloud\n    model: gpt-5\n    endpoint: https://api.openai.com/v1\n    \
             env: [A]\nrouting_rules:\n  - if: contains_sensitive_data\n    then: cloud\n",
        );
        let warnings = good(&yaml).warnings.join("\n");
        for part in ["`env` has no meaning for kind `chat`", "which is not local", "rests"] {
            assert!(warnings.contains(part), "{part} in {warnings}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), dotenv in any::<String>()) {
            let _ = read(&text, &dotenv);
        }

        #[test]
        fn no_damage_to_a_good_file_makes_it_panic(
            at in 0usize..2_000, len in 0usize..40, put in "(?s)[\\[\\]{}:,&*!|>'\"%@`#?\\- \n\té0-9a-z]{0,6}"
        ) {
            let mut text = ORIGINAL.to_owned();
            let at = at.min(text.len());
            let end = (at + len).min(text.len());
            text.replace_range(at..end, &put);
            let _ = read(&text, "");
        }
    }
}
