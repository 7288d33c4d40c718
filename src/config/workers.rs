//! Reads `available_workers`: who there is, what they may see, and what they cost.
//!
//! A worker is local only where that is stated, or where it is plain from a
//! loopback endpoint that is meant for sensitive work. A worker that is not local
//! has a price, or is no worker: an unknown price is never taken for nothing.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};
use ureq::http::Uri;

use super::complaint::Complaints;
use super::env::{Environment, Source, is_placeholder};
use super::prices::{self, PriceList};
use super::section::Section;
use super::tree::{Node, Place};
use super::{Api, ChatSpec, CommandSpec, Kind, WorkerSpec};
use super::{batch, checks, codex};
use crate::base::secret::Secret;
use crate::base::words;
use crate::route::price::Price;
use crate::task::WorkerType;

const KEYS: &[&str] = &[
    "type",
    "model",
    "endpoint",
    "max_rpm",
    "max_tpm",
    "use_for",
    "escalate",
    "fallback",
    "cache",
    "batch",
    "accept",
    "kind",
    "concurrency",
    "api_key_env",
    "local",
    "api",
    "price_per_1k",
    "price_per_1m",
    "command",
    "output",
    "fields",
    "program",
    "sandbox",
    "approval",
    "keep_workspace",
    "max_cost_usd",
    "env",
    "timeout_s",
    "max_attempts",
    "max_tokens",
    "params",
    "system",
    "only_named",
];

/// The endpoint and model of the original design's local worker, which its `.env` may change.
const ORIGINAL_ENDPOINT: &str = "http://localhost:1234/v1";
const ORIGINAL_MODEL: &str = "gpt-oss-20b";

/// A worker as it was read.
#[derive(Debug)]
pub(super) struct ReadWorker {
    /// What it is.
    pub(super) spec: WorkerSpec,
    /// Whether it takes only tasks that name it, where that is stated.
    pub(super) only_named: Option<bool>,
    /// Whether its price is a row that came with koubou.
    pub(super) has_shipped_price: bool,
    /// Where it stands in the file.
    pub(super) at: Place,
    /// The workers that it points to: with which key, where, and by which name.
    pub(super) points_to: Vec<(&'static str, Place, String)>,
}

/// All workers, and the names that they use.
#[derive(Debug, Default)]
pub(super) struct Workers {
    /// Those that were found good.
    pub(super) good: Vec<ReadWorker>,
    /// The types of all, good or not: a rule may name them.
    pub(super) types: Vec<String>,
    /// The variables that hold their keys.
    pub(super) key_names: Vec<String>,
}

/// What a worker is read with.
pub(super) struct Surroundings<'a> {
    pub(super) env: &'a Environment,
    pub(super) prices: &'a PriceList,
    pub(super) complaints: &'a Complaints,
    /// Where `.env` lies, for what is wrong in it.
    pub(super) dotenv: &'a Path,
}

/// Reads the list.
pub(super) fn read(top: &Section<'_>, around: &Surroundings<'_>) -> Workers {
    let mut workers = Workers::default();
    if !top.has("available_workers") {
        around.complaints.error(top.at, "`available_workers` is missing: name at least one worker");
        return workers;
    }
    let Some(nodes) = top.list("available_workers") else { return workers };
    if nodes.is_empty() {
        top.error("available_workers", "`available_workers` is empty: name at least one worker");
    }
    for node in nodes {
        workers.add(node, around);
    }
    workers
}

impl Workers {
    fn add(&mut self, node: &Node, around: &Surroundings<'_>) {
        let Some(section) = Section::open(node, "a worker", KEYS, around.complaints) else {
            return;
        };
        let reader = Reader { section: &section, around };
        let name = reader.worker_type();
        if let Some(name) = &name {
            if self.types.contains(name) {
                let message = format!("there are two workers of type `{name}`: rename one");
                section.error("type", message);
            }
            self.types.push(name.clone());
        }
        self.key_names.extend(section.word("api_key_env"));
        let name = name.unwrap_or_else(|| "?".into());
        if let Some(spec) = reader.spec(&name) {
            let only_named = section.flag("only_named");
            let is_priced = ["price_per_1k", "price_per_1m"].iter().any(|key| section.has(key));
            let has_shipped_price =
                !is_priced && !spec.price.is_free() && around.prices.is_shipped(spec.model_name());
            let at = section.at;
            let places = |key| section.places(key).into_iter().map(move |(at, to)| (key, at, to));
            let points_to = ["escalate", "fallback"].into_iter().flat_map(places).collect();
            self.good.push(ReadWorker { spec, only_named, has_shipped_price, at, points_to });
        }
    }
}

/// One worker being read.
pub(super) struct Reader<'a> {
    pub(super) section: &'a Section<'a>,
    pub(super) around: &'a Surroundings<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Chat,
    Command,
    Codex,
    Echo,
}

impl Sort {
    const NAMES: [(&'static str, Self); 4] = [
        ("chat", Self::Chat),
        ("command", Self::Command),
        ("codex", Self::Codex),
        ("echo", Self::Echo),
    ];

    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, sort)| *sort == self).map_or("", |(name, _)| name)
    }
}

impl Reader<'_> {
    fn worker_type(&self) -> Option<String> {
        if !self.section.has("type") {
            self.section
                .error("type", "a worker needs a `type`: the name that tasks and rules use");
            return None;
        }
        let name = self.section.word("type")?;
        let good = name.len() <= 100
            && !name.starts_with(['.', '-'])
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if !good {
            let shown = words::excerpt(&words::tame(&name), 40);
            self.section.error(
                "type",
                format!("`{shown}` is not a worker's type: use up to 100 bytes of letters, digits, `.`, `_` and `-`"),
            );
            return None;
        }
        Some(name)
    }

    fn spec(&self, name: &str) -> Option<WorkerSpec> {
        let section = self.section;
        let sort = self.sort()?;
        self.warn_of_unused(name, sort);
        let endpoint = match sort {
            Sort::Chat => self.endpoint(name),
            Sort::Codex => self.codex_endpoint(name),
            Sort::Command | Sort::Echo => None,
        };
        let use_for: Vec<String> = section
            .texts("use_for")
            .unwrap_or_default()
            .into_iter()
            .map(|(_, text)| text.trim().to_owned())
            .collect();
        let local = self.local(name, sort, endpoint.as_ref(), &use_for);
        let (model, effort) = self.model(name, sort);
        // Without an address or a model, which are told already, a price says nothing.
        let asks_a_model = matches!(sort, Sort::Chat | Sort::Codex);
        let is_whole = !asks_a_model || (endpoint.is_some() && model.is_some());
        let price = if is_whole { self.price(name, sort, local, model.as_deref()) } else { None };
        let mut disabled = None;
        let kind = match sort {
            Sort::Echo => Some(Kind::Echo),
            Sort::Codex => endpoint.zip(model).map(|(endpoint, model)| {
                let key = self.key(name, &endpoint, local, &mut disabled);
                Kind::Codex(self.codex(name, local, (endpoint.text, key), (model, effort)))
            }),
            Sort::Command => self.command(name).map(Kind::Command),
            Sort::Chat => {
                let api = self.api();
                endpoint.zip(model).map(|(endpoint, model)| {
                    let key = self.key(name, &endpoint, local, &mut disabled);
                    Kind::Chat(ChatSpec { endpoint: endpoint.text, model, api, effort, key })
                })
            }
        };
        let attempts = if matches!(sort, Sort::Chat | Sort::Echo) { 3 } else { 1 };
        let max_cost = self.max_cost(name, sort, price, kind.as_ref());
        let concurrency = section.small("concurrency", 1, 4_096);
        let max_rpm = section.rate("max_rpm");
        let max_tpm = section.rate("max_tpm");
        let timeout = section.seconds("timeout_s");
        let max_attempts = section.small("max_attempts", 1, 1_000);
        let max_tokens = section.small("max_tokens", 1, 10_000_000).unwrap_or(4_000);
        self.warn_of_few_tokens(name, max_tpm, max_tokens);
        let names = |key: &str| {
            let names = section.texts(key).unwrap_or_default();
            names.into_iter().map(|(_, name)| WorkerType::new(name)).collect()
        };
        let (escalate, fallback) = (names("escalate"), names("fallback"));
        let accept = checks::accept(section);
        let is_paid = price.is_some_and(|price| !price.is_free());
        // Of a worker whose price is not known, that is told and nothing else.
        let batch = match price {
            Some(_) => batch::read(section, sort == Sort::Chat && is_paid, self.around.complaints),
            None => None,
        };
        let params = section.json("params");
        self.check_tier(params.as_ref());
        let system = section.text("system");
        let cache = section.flag("cache").unwrap_or(false);
        section.flag("only_named");
        Some(WorkerSpec {
            worker_type: WorkerType::new(name),
            kind: kind?,
            concurrency: concurrency.map_or(if local { 1 } else { 4 }, |n| n as usize),
            max_rpm,
            max_tpm,
            local,
            price: price?,
            max_cost,
            timeout: timeout.unwrap_or(Duration::from_secs(600)),
            max_attempts: max_attempts.unwrap_or(attempts),
            max_tokens,
            params: params.unwrap_or_default(),
            system,
            use_for,
            escalate,
            fallback,
            cache,
            batch,
            accept,
            disabled,
        })
    }

    /// A tier decides the price: what is no name of one is not passed on.
    fn check_tier(&self, params: Option<&Map<String, Value>>) {
        let tier = params.and_then(|params| params.get("service_tier"));
        if let Some(tier) = tier.filter(|tier| !tier.is_string() && !tier.is_null()) {
            let shown = words::excerpt(&words::tame(&tier.to_string()), 40);
            let message = format!(
                "`service_tier` in `params` must be a text such as `flex`, and is `{shown}`"
            );
            self.section.error("params", message);
        }
    }

    /// Warns of a limit that one call alone may reach: each waits for minutes then.
    fn warn_of_few_tokens(&self, name: &str, max_tpm: Option<u32>, max_tokens: u32) {
        if let Some(max_tpm) = max_tpm.filter(|max_tpm| *max_tpm < max_tokens) {
            self.around.complaints.warn(format!(
                "worker `{name}`: one call may take {max_tokens} tokens of answer alone and `max_tpm` is {max_tpm}, so each waits for minutes: lower `max_tokens`, or raise `max_tpm`"
            ));
        }
    }

    fn sort(&self) -> Option<Sort> {
        if !self.section.has("kind") {
            let sort = match (self.section.has("endpoint"), self.section.has("command")) {
                (true, _) => Some(Sort::Chat),
                (false, true) => Some(Sort::Command),
                (false, false) => None,
            };
            if sort.is_none() {
                let message = "a worker needs an `endpoint`, a `command`, or a `kind`";
                self.section.error("kind", message);
            }
            return sort;
        }
        let name = self.section.word("kind")?;
        let sort = Sort::NAMES.iter().find(|(known, _)| *known == name).map(|(_, sort)| *sort);
        if sort.is_none() {
            let names = Sort::NAMES.map(|(name, _)| name);
            let shown = words::excerpt(&words::tame(&name), 40);
            self.around.complaints.wrong_name(
                self.section.place_of("kind"),
                format!("`kind` must be {}, and is `{shown}`", words::names(names, "or")),
                &name,
                names,
            );
        }
        sort
    }

    /// A key that has no meaning for this kind of worker is no mistake, but it is told.
    fn warn_of_unused(&self, name: &str, sort: Sort) {
        const OF_CODEX: &[&str] = &["program", "sandbox", "approval", "keep_workspace"];
        const OF_LINES: &[&str] = &["output", "fields"];
        const OF_MODELS: &[&str] = &["model", "endpoint", "api", "api_key_env", "params", "system"];
        let unused: Vec<&str> = match sort {
            Sort::Chat => [&["command", "env"], OF_LINES, OF_CODEX, &["max_cost_usd"]].concat(),
            Sort::Command => [OF_MODELS, &["cache"], OF_CODEX].concat(),
            Sort::Codex => [&["api", "command"], OF_LINES, &["cache"]].concat(),
            Sort::Echo => {
                [OF_LINES, OF_CODEX, &["max_cost_usd"], OF_MODELS, &["command", "env", "cache"]]
                    .concat()
            }
        };
        let found: Vec<&str> = unused.into_iter().filter(|key| self.section.has(key)).collect();
        if !found.is_empty() {
            self.around.complaints.warn(format!(
                "worker `{name}`: {} has no meaning for kind `{}`",
                words::names(found, "and"),
                sort.name()
            ));
        }
    }

    pub(super) fn endpoint(&self, name: &str) -> Option<Endpoint> {
        if !self.section.has("endpoint") {
            let message = "a `chat` worker needs an `endpoint` such as `https://api.openai.com/v1`";
            self.section.error("endpoint", message);
            return None;
        }
        let written = self.section.word("endpoint")?;
        let moved = (name == "local" && written.trim_end_matches('/') == ORIGINAL_ENDPOINT)
            .then(|| self.around.env.find("LMSTUDIO_BASE_URL"))
            .flatten()
            .filter(|(value, _)| !value.trim().is_empty());
        match moved {
            None => Endpoint::parse(&written)
                .map_err(|why| self.section.error("endpoint", format!("`endpoint` {why}")))
                .ok(),
            Some((value, source)) => Endpoint::parse(value.trim())
                .map_err(|why| self.error_of_variable("LMSTUDIO_BASE_URL", source, &why))
                .ok(),
        }
    }

    fn error_of_variable(&self, name: &str, source: Source, why: &str) {
        let message = format!("`{name}` {why}");
        match source {
            Source::Process => {
                self.around.complaints.error_in(Path::new("environment"), 0, message);
            }
            Source::File(line) => {
                self.around.complaints.error_in(self.around.dotenv, line, message);
            }
        }
    }

    fn model(&self, name: &str, sort: Sort) -> (Option<String>, Option<String>) {
        if matches!(sort, Sort::Chat | Sort::Codex) && !self.section.has("model") {
            self.section.error("model", format!("a `{}` worker needs a `model`", sort.name()));
        }
        let Some(written) = self.section.word("model") else { return (None, None) };
        let moved = (name == "local" && written == ORIGINAL_MODEL)
            .then(|| self.around.env.get("LMSTUDIO_MODEL"))
            .flatten()
            .map(str::trim)
            .filter(|model| !model.is_empty());
        let (model, effort) = self.around.prices.split_effort(moved.unwrap_or(&written));
        (Some(model), effort)
    }

    fn local(
        &self,
        name: &str,
        sort: Sort,
        endpoint: Option<&Endpoint>,
        use_for: &[String],
    ) -> bool {
        let stated = self.section.flag("local");
        let Some(endpoint) = endpoint else { return stated.unwrap_or(sort == Sort::Echo) };
        if stated == Some(true) && !endpoint.is_loopback() {
            self.around.complaints.warn(format!(
                "worker `{name}` is stated to be local and is at `{}`: confidential work goes there",
                endpoint.host
            ));
        }
        let meant = name == "local" || use_for.iter().any(|purpose| purpose == "sensitive_data");
        stated.unwrap_or(meant && endpoint.is_loopback())
    }

    fn price(&self, name: &str, sort: Sort, local: bool, model: Option<&str>) -> Option<Price> {
        let section = self.section;
        if section.has("price_per_1k") || section.has("price_per_1m") {
            return prices::of_worker(section);
        }
        if local || matches!(sort, Sort::Echo | Sort::Command) {
            return Some(Price::FREE);
        }
        let price = model.and_then(|model| self.around.prices.price(model));
        if price.is_none() {
            let of_model = model
                .map(|model| format!(" or a row in `prices` for `{}`", words::tame(model)))
                .unwrap_or_default();
            section.error(
                if section.has("model") { "model" } else { "type" },
                format!(
                    "worker `{name}` is not local and its price is not known: give it `price_per_1m: {{input, output}}`{of_model}, or `local: true` if it costs nothing and may see confidential work"
                ),
            );
        }
        price
    }

    fn api(&self) -> Api {
        const NAMES: [&str; 2] = ["chat_completions", "responses"];
        match self.section.word("api").as_deref() {
            None | Some("chat_completions") => Api::ChatCompletions,
            Some("responses") => Api::Responses,
            Some(other) => {
                let shown = words::excerpt(&words::tame(other), 40);
                self.around.complaints.wrong_name(
                    self.section.place_of("api"),
                    format!("`api` must be {}, and is `{shown}`", words::names(NAMES, "or")),
                    other,
                    NAMES,
                );
                Api::default()
            }
        }
    }

    /// The key that is sent, and why the worker must rest where it has none.
    fn key(
        &self,
        name: &str,
        endpoint: &Endpoint,
        local: bool,
        disabled: &mut Option<String>,
    ) -> Option<Secret> {
        let openai = endpoint.host == "api.openai.com";
        let stated = self.section.word("api_key_env");
        if stated.as_deref().is_some_and(|variable| !is_variable(variable)) {
            // What stands here may be the key itself, by mistake: it is not shown.
            self.section.error(
                "api_key_env",
                "`api_key_env` must be the name of a variable, such as `OPENAI_API_KEY`, and not the key itself",
            );
            return None;
        }
        let Some(variable) = stated.or_else(|| openai.then(|| "OPENAI_API_KEY".to_owned())) else {
            if !local && endpoint.secure {
                self.around.complaints.warn(format!(
                    "worker `{name}` sends no key to `{}`: if it needs one, name its variable in `api_key_env`",
                    endpoint.host
                ));
            }
            return None;
        };
        match self.around.env.get(&variable).map(str::trim) {
            Some(key) if !is_placeholder(key) => {
                if !endpoint.secure && !endpoint.is_loopback() {
                    self.around.complaints.warn(format!(
                        "worker `{name}` sends its key to `{}` unencrypted: use `https`",
                        endpoint.host
                    ));
                }
                if key.chars().any(|c| c.is_control() || !c.is_ascii()) {
                    let why = "holds characters that no key has: paste it again";
                    let source = self.around.env.find(&variable).map(|(_, source)| source);
                    self.error_of_variable(&variable, source.unwrap_or(Source::Process), why);
                }
                Some(Secret::new(key))
            }
            found => {
                let set =
                    format!("set {variable} in config/.env to the key for `{}`", endpoint.host);
                let source = self.around.env.find(&variable).map(|(_, source)| source);
                let why = match (found.filter(|key| !key.is_empty()), source) {
                    (Some(_), Some(Source::Process)) => format!(
                        "{set}, and take {variable} out of the environment, where it only holds the place of a key"
                    ),
                    (Some(_), _) => format!("{set}: what stands there only holds the place of one"),
                    _ => set,
                };
                self.around.complaints.warn(format!("worker `{name}` rests: {why}"));
                *disabled = Some(why);
                None
            }
        }
    }

    fn command(&self, name: &str) -> Option<CommandSpec> {
        if !self.section.has("command") {
            let message = "a `command` worker needs a `command`: a list such as `[\"wc\", \"-w\"]`";
            self.section.error("command", message);
            return None;
        }
        let command = command(self.section, &format!("worker `{name}`"), self.around);
        let lines = codex::lines(self.section, self.around.complaints);
        Some(CommandSpec { lines, ..command? })
    }
}

/// A program with its arguments and the variables that it may see.
pub(super) fn command(
    section: &Section<'_>,
    whose: &str,
    around: &Surroundings<'_>,
) -> Option<CommandSpec> {
    let argv: Vec<String> = section.texts("command")?.into_iter().map(|(_, text)| text).collect();
    if argv.is_empty() {
        section.error("command", "`command` is empty: name a program and its arguments");
        return None;
    }
    if argv.iter().any(|part| part.contains('\0')) {
        section.error("command", "`command` holds a zero byte: take it out");
        return None;
    }
    Some(CommandSpec { argv, env: variables(section, whose, around), lines: None })
}

pub(super) fn variables(
    section: &Section<'_>,
    whose: &str,
    around: &Surroundings<'_>,
) -> Vec<(String, Secret)> {
    let mut variables = Vec::new();
    for (at, variable) in section.texts("env").unwrap_or_default() {
        if !is_variable(&variable) {
            let message = "`env` lists names of variables: letters, digits and `_`, and no values";
            around.complaints.error(at, message);
            continue;
        }
        match around.env.get(&variable) {
            Some(value) => variables.push((variable, Secret::new(value))),
            None => around.complaints.warn(format!(
                "{whose}: the variable `{variable}` is not set, so its program will not see it"
            )),
        }
    }
    variables
}

fn is_variable(name: &str) -> bool {
    let first = name.chars().next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.len() <= 100
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A base address that can be asked.
pub(super) struct Endpoint {
    /// As it is used: without a slash at the end.
    pub(super) text: String,
    /// Its host in lower case, without brackets.
    host: String,
    /// Whether it is https.
    secure: bool,
}

impl Endpoint {
    /// Reads an address; the complaint follows its name and never shows a password in it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let example = "must be an address such as `https://api.openai.com/v1`";
        let text = text.trim_end_matches('/');
        let uri: Uri = text.parse().map_err(|_| example.to_owned())?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(format!("{example}, with `http` or `https`")),
        };
        let authority = uri.authority().ok_or(example)?;
        if authority.as_str().contains('@') {
            return Err("must not hold a user or password: name a key in `api_key_env`".into());
        }
        if uri.query().is_some() || text.contains('#') {
            return Err("must end with its path: take `?…` and `#…` off".into());
        }
        for tail in ["/chat/completions", "/completions", "/responses", "/models"] {
            if text.ends_with(tail) {
                return Err(format!("must be the base address: take `{tail}` off"));
            }
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let port_is_good = authority
            .port()
            .map_or(authority.as_str().len() == authority.host().len(), |port| port.as_u16() > 0);
        if host.is_empty() || !port_is_good {
            return Err(example.into());
        }
        Ok(Self { text: text.to_owned(), host: host.to_ascii_lowercase(), secure })
    }

    /// Whether it cannot be but on this machine.
    fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_by_its_whole_name() {
        let is_loopback = |text: &str| Endpoint::parse(text).unwrap().is_loopback();
        for here in ["http://localhost:1234/v1", "http://127.9.9.9", "http://[::1]:80/v1/"] {
            assert!(is_loopback(here), "{here}");
        }
        for there in
            ["http://localhost.example.com", "http://127.0.0.1.nip.io", "http://192.168.0.2:1234"]
        {
            assert!(!is_loopback(there), "{there}");
        }
    }

    #[test]
    fn what_is_no_base_address_is_refused() {
        for wrong in [
            "",
            "localhost:1234",
            "ftp://a",
            "http://",
            "http://a:b/",
            "http://a:99999/v1",
            "http://user:pw@host/v1",
            "http://a/v1?x=1",
            "https://api.openai.com/v1/chat/completions",
            "http://a b",
        ] {
            assert!(Endpoint::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Endpoint::parse("http://a/v1/").unwrap().text, "http://a/v1");
    }
}
