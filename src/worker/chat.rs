//! Asks a model behind an OpenAI-compatible endpoint, and says what that cost.
//!
//! It speaks two protocols, chat completions and responses; what differs is in
//! `api` (how they are asked) and in `completion` and `response` (how they answer).
//!
//! One request for an attempt, never a second one: who tries again, and when, is
//! decided elsewhere. Every way in which it can go wrong has its own outcome, and
//! each says what to do. About money it errs on one side: once something was sent
//! to a worker that is paid, and nobody says what became of it, the whole
//! reservation counts.
//!
//! Neither the key nor what was asked appears in any message, even where the
//! server repeats them. A task's `params` can choose how the model answers, never
//! which model answers, how often, or how much.

mod api;
pub mod batch;
pub mod catalogue;
mod completion;
mod line;
mod refusal;
mod response;
mod shape;

use std::time::Duration;

use serde_json::{Map, Value};
use ureq::http::Uri;

use self::api::Body;
use self::completion::Completion;
use self::line::{Ask, Broken, Line, Reply};
use self::refusal::{Meaning, Words};
use self::response::Response;
use super::{Job, Leash, NO_WORKSPACE, Worker, cancelled, within};
use crate::base::secret::{Mask, Secret};
use crate::base::words;
use crate::config::{Api, ChatSpec, WorkerSpec};
use crate::route::price::Price;
use crate::task::WorkerType;
use crate::task::outcome::{
    Answer, ErrorKind, Failure, NO_TOKENS_LEFT, Next, Outcome, Spent, Trouble, Usage,
};
use crate::task::prompt::Prompt;

/// What a response may hold beside the answer's text.
pub(crate) const ENVELOPE: u64 = 1 << 20;

/// Asks a model.
pub struct ChatWorker {
    worker_type: WorkerType,
    chat: ChatSpec,
    params: Map<String, Value>,
    price: Price,
    /// The field that bounds the answer.
    bound: &'static str,
    is_openai: bool,
    line: Line,
    mask: Mask,
}

impl ChatWorker {
    /// A worker for this model; each has a connection of its own.
    pub fn new(spec: &WorkerSpec, chat: ChatSpec) -> Self {
        let key = chat.key.as_ref().map(Secret::reveal);
        Self {
            worker_type: spec.worker_type.clone(),
            params: spec.params.clone(),
            price: spec.price,
            bound: bound_of(&chat, spec.local),
            is_openai: host_of(&chat).is_some_and(|host| host == "api.openai.com"),
            line: Line::new(spec.local),
            mask: Mask::new(key),
            chat,
        }
    }

    fn url(&self) -> String {
        format!("{}{}", self.chat.endpoint.trim_end_matches('/'), api::path(self.chat.api))
    }

    /// The request's body, with a warning for each thing that params may not say.
    fn body(&self, job: &Job, warnings: &mut Vec<String>) -> Value {
        let ChatSpec { api, model, effort, .. } = &self.chat;
        let mut body = Body::new(*api, model, job.prompt.get(), effort.as_deref());
        for (name, value) in &self.params {
            body.configs_param(name, value);
        }
        for (name, value) in &job.params {
            // The engine may hand the config's params over with the task's.
            match self.params.get(name) == Some(value) {
                true => body.configs_param(name, value),
                false => body.tasks_param(name, value),
            }
        }
        if self.is_openai {
            body.settle_tier();
        }
        warnings.extend(body.ignored.iter().map(|name| not_a_param(name)));
        warnings.extend(job.workspace.as_ref().map(|_| NO_WORKSPACE.to_owned()));
        body.close(self.bound, job.max_tokens)
    }

    fn is_paid(&self) -> bool {
        !self.price.is_free()
    }

    /// What an attempt cost of which the server said this, or nothing.
    fn spent(&self, usage: Option<&Usage>) -> Spent {
        match usage {
            _ if !self.is_paid() => Spent::Nothing,
            Some(usage) if usage.is_doubtful => Spent::AtLeast(self.price.cost(usage)),
            Some(usage) => Spent::Known(self.price.cost(usage)),
            None => Spent::Unknown,
        }
    }

    /// The endpoint as it may be shown: without a name and password in it.
    fn shown_endpoint(&self) -> String {
        let endpoint = &self.chat.endpoint;
        let shown = match endpoint.split_once("://") {
            Some((scheme, rest)) => {
                let host_from = rest.find('/').unwrap_or(rest.len());
                let host_from = rest[..host_from].rfind('@').map_or(0, |at| at + 1);
                format!("{scheme}://{}", &rest[host_from..])
            }
            None => endpoint.clone(),
        };
        words::excerpt(&words::tame(&shown), 200)
    }

    /// A server's words, fit to be shown: without the key and without what was asked.
    fn quoted(&self, words: &Words, prompt: &Prompt) -> String {
        let said = self.mask.hide(&words.message).unwrap_or_else(|| words.message.clone());
        match without_echo(&said, prompt) {
            said if said.is_empty() => String::new(),
            said => format!(": {said}"),
        }
    }

    /// What a reply means that came as these bytes, without a server: for tests of foreign bytes.
    ///
    /// Header lines that are none are passed over.
    pub fn judge(&self, job: &Job, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Outcome {
        let header = |(name, value): &(&str, &str)| {
            let name: ureq::http::HeaderName = name.parse().ok()?;
            let value: ureq::http::HeaderValue = value.parse().ok()?;
            Some((name, value))
        };
        let headers = headers.iter().filter_map(header).collect();
        self.meaning(job, &Reply { status, headers, body: body.to_vec() }, Vec::new())
    }

    fn meaning(&self, job: &Job, reply: &Reply, warnings: Vec<String>) -> Outcome {
        match reply.status {
            200..300 => match self.answered(job, reply, warnings) {
                Outcome::Done(mut answer) => {
                    answer.pause = refusal::used_up(&reply.headers);
                    Outcome::Done(answer)
                }
                failed => failed,
            },
            _ => self.refusal(job.prompt.get(), reply).into(),
        }
    }

    fn answered(&self, job: &Job, reply: &Reply, warnings: Vec<String>) -> Outcome {
        let Ok(document) = serde_json::from_slice::<Value>(&reply.body) else {
            return self.bad_answer("it is not JSON", None).into();
        };
        match self.chat.api {
            Api::ChatCompletions => self.chat_completion(job, &document, warnings),
            Api::Responses => self.response(job, reply, &document, warnings),
        }
    }

    fn chat_completion(&self, job: &Job, document: &Value, warnings: Vec<String>) -> Outcome {
        if let Some(completion) = Completion::of(document) {
            return self.completed(job, completion, warnings);
        }
        let words = Words::of_json(document);
        let why = match words.message.as_str() {
            "" => "it holds no choice".to_owned(),
            _ => format!("it is an error{}", self.quoted(&words, job.prompt.get())),
        };
        self.bad_answer(&why, completion::usage(document, &completion::NAMES)).into()
    }

    fn response(
        &self,
        job: &Job,
        reply: &Reply,
        document: &Value,
        warnings: Vec<String>,
    ) -> Outcome {
        let usage = || completion::usage(document, &response::NAMES);
        let words = Words::of_json(document);
        let said = self.quoted(&words, job.prompt.get());
        match Response::of(document) {
            Response::Ended(completion) => self.completed(job, completion, warnings),
            Response::Failed => {
                let code = self.mask.hide(&words.code).unwrap_or(words.code);
                let code = if code.is_empty() { code } else { format!(" ({code})") };
                let message =
                    format!("the server of `{}` gave the answer up{code}{said}", self.worker_type);
                let mut failure =
                    Failure::new("server_error", ErrorKind::AttemptsExhausted, message)
                        .retried(refusal::pause(&reply.headers, &words.message));
                failure.usage = usage();
                let spent = self.spent(failure.usage.as_ref());
                failure.spent(spent).into()
            }
            Response::Unfinished(status) => self.unfinished(status, usage()).into(),
            Response::None(_) if !words.message.is_empty() => {
                self.bad_answer(&format!("it is an error{said}"), usage()).into()
            }
            Response::None(why) => self.bad_answer(&why, usage()).into(),
        }
    }

    fn completed(&self, job: &Job, done: Completion, mut warnings: Vec<String>) -> Outcome {
        let spent = self.spent(done.usage.as_ref());
        let failure = match done.finish_reason.as_str() {
            "content_filter" => Some(self.refused("its content filter stopped the answer")),
            _ if done.refusal.is_some() => Some(self.refused("the model will not answer this")),
            reason if done.content.trim().is_empty() => Some(self.empty(job, reason, &done)),
            _ => None,
        };
        if let Some(mut failure) = failure {
            failure.content = done.refusal.or(Some(done.content)).filter(|text| !text.is_empty());
            failure.usage = done.usage;
            return failure.spent(spent).into();
        }
        if done.finish_reason == "length" {
            let tokens = done.usage.map_or(job.max_tokens.into(), |usage| usage.completion_tokens);
            warnings.push(format!(
                "the answer was cut at {}: raise `max_tokens` for the whole of it",
                words::Count(tokens, "token")
            ));
        }
        if spent == Spent::Unknown {
            warnings.push(format!(
                "`{}` did not say how many tokens it used: the whole reservation counts as spent",
                self.worker_type
            ));
        }
        if matches!(spent, Spent::AtLeast(_)) {
            warnings.push(format!(
                "`{}` states numbers of tokens that cannot be right: what they cost counts, and no less than the reservation",
                self.worker_type
            ));
        }
        let content = within(done.content, job.max_output, &mut warnings);
        let (model, usage) = (done.model, done.usage);
        Answer { content, model, usage, spent, warnings, ..Answer::default() }.into()
    }

    fn refused(&self, why: &str) -> Failure {
        let message =
            format!("`{}` refused: {why}; change the task and drop it again", self.worker_type);
        Failure::new("refused", ErrorKind::RefusedByWorker, message)
    }

    fn empty(&self, job: &Job, reason: &str, done: &Completion) -> Failure {
        let worker = &self.worker_type;
        if done.wants_tool {
            let message = format!(
                "`{worker}` asked for a tool and koubou has none to offer: take `tools` out of `params`"
            );
            return Failure::new("empty_answer", ErrorKind::RefusedByWorker, message);
        }
        let (outcome, message) = match reason {
            "length" => {
                let tokens = words::Count(job.max_tokens.into(), "token");
                let told = format!("used all {tokens} and answered nothing: raise `max_tokens`");
                (NO_TOKENS_LEFT, told)
            }
            _ => (
                "empty_answer",
                "answered nothing: look whether the model fits in its memory".into(),
            ),
        };
        let message = format!("`{worker}` {message}");
        Failure::new(outcome, ErrorKind::AttemptsExhausted, message).retried(None)
    }

    fn bad_answer(&self, why: &str, usage: Option<Usage>) -> Failure {
        let message = format!(
            "`{}` gave an answer that cannot be read: {why}; look whether `endpoint` is {}",
            self.worker_type, "the API's base address (it often ends in /v1)"
        );
        let mut failure = Failure::new("bad_answer", ErrorKind::AttemptsExhausted, message)
            .retried(None)
            .of_worker(Trouble::Failing);
        failure.usage = usage;
        failure.spent(self.spent(usage.as_ref()))
    }

    /// An answer that the server sent off before there was one: what it may cost, it may cost still.
    fn unfinished(&self, status: &str, usage: Option<Usage>) -> Failure {
        let message = format!(
            "the server of `{}` took the request and sent `{status}` instead of an answer: it works in the background, which koubou did not ask for and does not wait for; ask another server, or use `api: chat_completions`",
            self.worker_type
        );
        let failure = Failure::new("bad_answer", ErrorKind::AttemptsExhausted, message);
        let failure = failure.retried(None).of_worker(Trouble::Failing);
        Failure { usage, ..failure.spent(self.spent(None)) }
    }

    fn broken(&self, timeout: Duration, broken: Broken) -> Failure {
        let worker = &self.worker_type;
        match broken {
            Broken::NotReached(why) => {
                let message = format!(
                    "nobody answers at {} ({why}): start the server, or mend `endpoint` of worker `{worker}` in config/agent.yaml",
                    self.shown_endpoint()
                );
                let failure = Failure::new("unreachable", ErrorKind::AttemptsExhausted, message);
                Failure { next: Next::NotAnAttempt, ..failure.of_worker(Trouble::Unreachable) }
            }
            Broken::TimedOut => {
                let message = format!(
                    "`{worker}` did not answer within {}: raise `timeout_s`, or ask for less",
                    words::span(timeout)
                );
                let failure = Failure::new("timeout", ErrorKind::Timeout, message);
                failure.retried(None).of_worker(Trouble::Failing).spent(self.spent(None))
            }
            Broken::Lost(why) => {
                let message = format!(
                    "the connection to `{worker}` at {} broke before its answer was whole ({why}): look into the server's log",
                    self.shown_endpoint()
                );
                let failure =
                    Failure::new("connection_lost", ErrorKind::AttemptsExhausted, message);
                failure.retried(None).of_worker(Trouble::Failing).spent(self.spent(None))
            }
            Broken::TooLong(max) => {
                let message = format!(
                    "`{worker}` answered with more than {}: raise `max_result_bytes` or lower `max_tokens`",
                    words::bytes(max)
                );
                Failure::new("bad_answer", ErrorKind::RefusedByWorker, message)
                    .spent(self.spent(None))
            }
        }
    }

    fn refusal(&self, prompt: &Prompt, reply: &Reply) -> Failure {
        let worker = &self.worker_type;
        let words = Words::of(&reply.body);
        let said = self.quoted(&words, prompt);
        let status = reply.status;
        let never = |message| Failure::new("refused", ErrorKind::RefusedByWorker, message);
        match refusal::meaning(reply, &words) {
            Meaning::RateLimited(at_least) => {
                let message = format!("`{worker}` asks for a pause{said}");
                Failure::new("rate_limited", ErrorKind::AttemptsExhausted, message)
                    .retried(at_least)
                    .of_worker(Trouble::RateLimited(at_least))
            }
            Meaning::Billing => {
                let message = format!(
                    "the account of `{worker}` is out of credit or over a limit of its own{said}; mend that with the provider, then `koubou resume {worker}`"
                );
                waiting("billing", message, Trouble::Billing)
            }
            // What a server says of a bad key often holds a part of it.
            Meaning::BadKey => {
                let code = self.mask.hide(&words.code).unwrap_or(words.code);
                let code = if code.is_empty() { String::new() } else { format!(" ({code})") };
                let message = format!(
                    "`{worker}` does not accept its key: it answered {status}{code}; set the key that its `api_key_env` names in config/.env, then `koubou resume {worker}`"
                );
                waiting("bad_key", message, Trouble::BadKey)
            }
            Meaning::NoModel => never(format!(
                "the server at {} has no model `{}`{said}; mend `model` of worker `{worker}` in config/agent.yaml",
                self.shown_endpoint(),
                words::tame(&self.chat.model)
            )),
            Meaning::NoSuchPath => never(format!(
                "the server at {} has nothing at `{}`: it answered {status}{said}; mend `endpoint` of worker `{worker}` (it often ends in /v1), or its `api`",
                self.shown_endpoint(),
                api::path(self.chat.api)
            )),
            Meaning::Redirect => never(format!(
                "`{worker}` answered {status}, and redirects are not followed: give the final address as its `endpoint`"
            )),
            Meaning::Refused => never(format!(
                "`{worker}` refused the request with {status}{said}; change the task and drop it again"
            )),
            Meaning::ServerError { at_least, in_vain, from_api } => {
                let message = format!("the server of `{worker}` failed with {status}{said}");
                let trouble = match refusal::is_overload(status, &words) {
                    true => Trouble::Overloaded,
                    false => Trouble::Failing,
                };
                let failure = Failure::new("server_error", ErrorKind::AttemptsExhausted, message)
                    .of_worker(trouble)
                    .spent(if from_api { Spent::Nothing } else { self.spent(None) });
                if in_vain { failure } else { failure.retried(at_least) }
            }
        }
    }

    /// What is left to say of an attempt that the leash has ended.
    fn ended(&self) -> Failure {
        let sent = self.line.has_sent();
        cancelled(&format!("`{}` had answered", self.worker_type)).spent(if sent {
            self.spent(None)
        } else {
            Spent::Nothing
        })
    }
}

impl Worker for ChatWorker {
    fn run(&mut self, job: &Job, leash: &Leash) -> Outcome {
        let mut warnings = Vec::new();
        let body = self.body(job, &mut warnings).to_string();
        let limits = (job.timeout, job.max_output.saturating_add(ENVELOPE));
        let url = self.url();
        let ask = Ask::Post("application/json", body.as_bytes());
        let reply = self.line.ask(ask, &url, self.chat.key.as_ref(), limits, leash);
        let outcome = match reply {
            Ok(reply) => self.meaning(job, &reply, warnings),
            Err(broken) => self.broken(job.timeout, broken).into(),
        };
        match outcome {
            Outcome::Failed(_) if leash.is_pulled() => self.ended().into(),
            outcome => outcome,
        }
    }

    fn request(&self, job: &Job) -> Option<String> {
        Some(format!("{}\n{}", self.url(), self.body(job, &mut Vec::new())))
    }

    fn probe(&mut self) -> Result<(), String> {
        self.line.knock(&self.url()).map_err(|why| {
            format!("nobody answers at {} ({why}): start the server", self.shown_endpoint())
        })
    }
}

/// A failure that is the worker's own: the task waits until a person has mended it.
fn waiting(outcome: &'static str, message: String, trouble: Trouble) -> Failure {
    let failure = Failure::new(outcome, ErrorKind::AttemptsExhausted, message).of_worker(trouble);
    Failure { next: Next::NotAnAttempt, ..failure }
}

/// The field in which this server reads the most tokens of an answer.
///
/// The reasoning models of the big providers refuse `max_tokens`; every local
/// server knows it, and some know nothing else.
fn bound_of(chat: &ChatSpec, local: bool) -> &'static str {
    if chat.api == Api::Responses {
        return "max_output_tokens";
    }
    let reasoning = host_of(chat)
        .is_some_and(|host| host == "api.openai.com" || host.ends_with(".openai.azure.com"))
        || chat.effort.is_some();
    if reasoning && !local { "max_completion_tokens" } else { "max_tokens" }
}

fn host_of(chat: &ChatSpec) -> Option<String> {
    chat.endpoint.parse::<Uri>().ok()?.host().map(str::to_lowercase)
}

fn not_a_param(name: &str) -> String {
    let shown = words::excerpt(&words::tame(name), 60);
    format!("`{shown}` in `params` was ignored{}", api::instead_of(name))
}

/// The fewest characters in a row that count as repeated from the request.
const ECHO: usize = 16;

/// `said` with `…` in place of what it repeats of the request.
fn without_echo(said: &str, prompt: &Prompt) -> String {
    let chars: Vec<(usize, char)> = said.char_indices().collect();
    let mut repeated = vec![false; chars.len()];
    for start in 0..chars.len().saturating_sub(ECHO - 1) {
        let end = chars.get(start + ECHO).map_or(said.len(), |(at, _)| *at);
        let window = &said[chars[start].0..end];
        let mut found = false;
        prompt.each_text(&mut |_, text| found |= text.contains(window));
        if found {
            repeated[start..start + ECHO].fill(true);
        }
    }
    let mut shown = String::with_capacity(said.len());
    for (n, (_, c)) in chars.iter().enumerate() {
        match repeated[n] {
            false => shown.push(*c),
            true if n == 0 || !repeated[n - 1] => shown.push('…'),
            true => {}
        }
    }
    shown
}

#[cfg(test)]
#[path = "../../tests/it/support/model_server.rs"]
#[allow(dead_code, reason = "the tests of the whole program use more of it")]
mod model_server;

#[cfg(test)]
mod tests;
