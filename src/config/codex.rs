//! Reads what only agents have: the Codex CLI's settings, what the lines of a program mean,
//! and the most that one attempt costs.
//!
//! How much an agent has used is known only when it has ended, so that nothing but its owner
//! can say what is set apart for it before: where it is paid, that must be said.

use super::complaint::Complaints;
use super::section::Section;
use super::tree::{Node, Tree};
use super::workers::{Endpoint, Reader, Sort, variables};
use super::{CodexSpec, Kind, LineFields, Part, Sandbox, Tokens};
use crate::base::secret::Secret;
use crate::base::words;
use crate::route::price::Price;
use crate::task::Usd;

const OPENAI: &str = "https://api.openai.com/v1";
/// The params that mean something to Codex.
const PARAMS: [&str; 3] = ["reasoning_effort", "verbosity", "context_window"];
const SANDBOXES: [(&str, Sandbox); 3] = [
    ("read-only", Sandbox::ReadOnly),
    ("workspace-write", Sandbox::WorkspaceWrite),
    ("danger-full-access", Sandbox::Full),
];
/// Nobody is there to be asked, so that whatever would be asked is refused.
const APPROVALS: [&str; 4] = ["never", "on-request", "on-failure", "untrusted"];

impl Reader<'_> {
    /// OpenAI's address, or the one that is stated.
    pub(super) fn codex_endpoint(&self, name: &str) -> Option<Endpoint> {
        match self.section.has("endpoint") {
            true => self.endpoint(name),
            false => Endpoint::parse(OPENAI).ok(),
        }
    }

    pub(super) fn codex(
        &self,
        name: &str,
        local: bool,
        (endpoint, key): (String, Option<Secret>),
        (model, effort): (String, Option<String>),
    ) -> CodexSpec {
        let section = self.section;
        let whose = format!("worker `{name}`");
        for param in section.json("params").unwrap_or_default().keys() {
            if !PARAMS.contains(&param.as_str()) {
                let shown = words::excerpt(&words::tame(param), 40);
                self.around.complaints.warn(format!(
                    "{whose}: `params` of kind `codex` are {}; `{shown}` means nothing to it",
                    words::names(PARAMS, "and")
                ));
            }
        }
        let sandbox = self.named("sandbox", &SANDBOXES.map(|(name, _)| name));
        if local && sandbox.is_some_and(|at| SANDBOXES[at].1 == Sandbox::Full) {
            self.around.complaints.warn(format!(
                "{whose} is local and has no sandbox: what its commands send over the network, confidential work too, is bounded by nothing"
            ));
        }
        let approval = self.named("approval", &APPROVALS);
        CodexSpec {
            program: section.word("program").unwrap_or_else(|| "codex".into()),
            endpoint,
            model,
            effort,
            key,
            sandbox: sandbox.map(|at| SANDBOXES[at].1).unwrap_or_default(),
            approval: APPROVALS[approval.unwrap_or(0)],
            env: variables(section, &whose, self.around),
            keep_workspace: section.flag("keep_workspace").unwrap_or(false),
        }
    }

    /// Which of `names` stands at `key`.
    fn named(&self, key: &str, names: &[&'static str]) -> Option<usize> {
        let written = self.section.word(key)?;
        let found = names.iter().position(|name| *name == written);
        if found.is_none() {
            let shown = words::excerpt(&words::tame(&written), 40);
            let known = names.iter().copied();
            let message =
                format!("`{key}` must be {}, and is `{shown}`", words::names(known.clone(), "or"));
            let at = self.section.place_of(key);
            self.around.complaints.wrong_name(at, message, &written, known);
        }
        found
    }

    /// The most that one attempt costs, of an agent that is paid.
    pub(super) fn max_cost(
        &self,
        name: &str,
        sort: Sort,
        price: Option<Price>,
        kind: Option<&Kind>,
    ) -> Option<Usd> {
        let stated = self.section.money("max_cost_usd");
        let has_cost = match kind? {
            Kind::Codex(_) => false,
            Kind::Command(command) => command.lines.as_ref()?.cost.is_some(),
            Kind::Chat(_) | Kind::Echo => return None,
        };
        let is_paid = has_cost || !price?.is_free();
        match stated {
            Some(_) if !is_paid => {
                self.around.complaints.warn(format!(
                    "worker `{name}`: it costs nothing, so `max_cost_usd` has no meaning"
                ));
                None
            }
            Some(Usd::ZERO) => {
                let message = "`max_cost_usd` is 0, and nothing would ever be set apart: say the most that one attempt may cost";
                self.section.error("max_cost_usd", message);
                None
            }
            None if is_paid && !self.section.has("max_cost_usd") => {
                let what = if sort == Sort::Codex { "a Codex run" } else { "an agent's run" };
                let message = format!(
                    "worker `{name}` is paid, and what {what} costs is known only when it has ended: give it `max_cost_usd`, the most that one attempt may cost, which is set apart before each"
                );
                self.section.error("type", message);
                None
            }
            stated => stated,
        }
    }
}

/// What a program's lines are read for, where it prints JSON lines.
pub(super) fn lines(section: &Section<'_>, complaints: &Complaints) -> Option<LineFields> {
    match section.word("output").as_deref() {
        None | Some("text") => {
            if section.has("fields") {
                section.error("fields", "`fields` needs `output: jsonl` beside it");
            }
            return None;
        }
        Some("jsonl") => {}
        Some(other) => {
            let shown = words::excerpt(&words::tame(other), 40);
            let message = format!("`output` must be `text` or `jsonl`, and is `{shown}`");
            complaints.wrong_name(section.place_of("output"), message, other, ["text", "jsonl"]);
            return None;
        }
    }
    let fields = section.section("fields", &FIELDS);
    let Some(fields) = fields.filter(|fields| fields.has("content")) else {
        let message = "`output: jsonl` needs `fields`, and in it `content`: which part of which line is the answer, such as `result if type == \"result\"`";
        section.error("fields", message);
        return None;
    };
    let part = |key: &str| {
        let text = fields.word(key)?;
        read_part(&text).map_err(|why| fields.error(key, format!("`{key}`: {why}"))).ok()
    };
    Some(LineFields {
        content: part("content").unwrap_or_default(),
        error: part("error"),
        model: part("model"),
        cost: part("cost_usd"),
        usage: USAGE.into_iter().filter_map(|(key, tokens)| Some((tokens, part(key)?))).collect(),
        log: fields.get("log").map(|node| log(&fields, node, complaints)).unwrap_or_default(),
    })
}

const FIELDS: [&str; 10] = [
    "content",
    "error",
    "model",
    "cost_usd",
    "usage.prompt_tokens",
    "usage.completion_tokens",
    "usage.cached_tokens",
    "usage.cache_write_tokens",
    "usage.reasoning_tokens",
    "log",
];

const USAGE: [(&str, Tokens); 5] = [
    ("usage.prompt_tokens", Tokens::Prompt),
    ("usage.completion_tokens", Tokens::Completion),
    ("usage.cached_tokens", Tokens::Cached),
    ("usage.cache_write_tokens", Tokens::CacheWrite),
    ("usage.reasoning_tokens", Tokens::Reasoning),
];

/// One part or a list of them.
fn log(fields: &Section<'_>, node: &Node, complaints: &Complaints) -> Vec<Part> {
    let texts = match &node.value {
        Tree::List(_) => fields.texts("log").unwrap_or_default(),
        _ => fields.word("log").map(|text| (node.at, text)).into_iter().collect(),
    };
    let part = |(at, text): (_, String)| {
        read_part(&text).map_err(|why| complaints.error(at, format!("`log`: {why}"))).ok()
    };
    texts.into_iter().filter_map(part).collect()
}

fn read_part(text: &str) -> Result<Part, String> {
    Part::parse(text).map_err(|why| words::excerpt(&words::tame(&why), 300))
}
