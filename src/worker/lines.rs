//! Reads the JSON lines that a program prints, by what its config says they mean.
//!
//! Each line is read as it comes. A program whose answer is in its lines has done its work
//! only if it exits well, a line held the answer, and none said that it failed. A line that is
//! no JSON is left out and counted.

use serde_json::Value;

use super::program::{End, Ran};
use super::{Job, Terms, within};
use crate::config::{LineFields, Tokens};
use crate::task::Usd;
use crate::task::outcome::{Answer, ErrorKind, Failure, Outcome, Usage};

/// What was heard so far.
pub(super) struct Heard<'a> {
    fields: &'a LineFields,
    job: &'a Job,
    content: Option<String>,
    error: Option<String>,
    model: Option<String>,
    cost: Option<Usd>,
    usage: Option<Usage>,
    unread: u64,
}

impl<'a> Heard<'a> {
    pub(super) fn new(fields: &'a LineFields, job: &'a Job) -> Self {
        let (content, error, model, cost, usage) = (None, None, None, None, None);
        Self { fields, job, content, error, model, cost, usage, unread: 0 }
    }

    /// Takes a line; the program may always go on.
    pub(super) fn hear(&mut self, line: &[u8]) -> bool {
        match serde_json::from_slice(line) {
            Ok(line) => self.read(&line),
            Err(_) => self.unread += 1,
        }
        true
    }

    fn read(&mut self, line: &Value) {
        let fields = self.fields;
        for part in &fields.log {
            for value in part.all(line) {
                match value {
                    Value::String(text) => self.job.tell.say("says", text),
                    other => self.job.tell.say("says", &other.to_string()),
                }
            }
        }
        let text = |part: &Option<crate::config::Part>| part.as_ref()?.text(line);
        let error = fields.error.as_ref().map(|part| part.all(line)).unwrap_or_default();
        let says_so = error.iter().any(|value| !matches!(value, Value::Bool(false)));
        self.error = text(&fields.error).filter(|_| says_so).or(self.error.take());
        self.content = fields.content.text(line).or(self.content.take());
        self.model = text(&fields.model).or(self.model.take());
        self.cost = text(&fields.cost).and_then(|cost| cost.parse().ok()).or(self.cost);
        self.count(line);
    }

    fn count(&mut self, line: &Value) {
        let mut usage = self.usage.unwrap_or_default();
        let mut seen = false;
        for (tokens, part) in &self.fields.usage {
            let Some(n) = part.count(line) else { continue };
            seen = true;
            *match tokens {
                Tokens::Prompt => &mut usage.prompt_tokens,
                Tokens::Completion => &mut usage.completion_tokens,
                Tokens::Cached => &mut usage.cached_tokens,
                Tokens::CacheWrite => &mut usage.cache_write_tokens,
                Tokens::Reasoning => &mut usage.reasoning_tokens,
            } = n;
        }
        if seen {
            usage.total_tokens = usage.prompt_tokens.saturating_add(usage.completion_tokens);
            self.usage = Some(usage);
        }
    }

    /// What the program's end comes to.
    pub(super) fn judge(self, ran: &Ran, terms: &Terms) -> Outcome {
        let (stderr, more) = ran.stderr();
        let mut warnings: Vec<String> = more.into_iter().collect();
        if self.unread > 0 {
            let lines = crate::base::words::Count(self.unread, "line");
            warnings.push(format!("{lines} of what it printed were no JSON and were left out"));
        }
        // Whoever was ended may have gone on spending after its last word.
        let spent = match ran.end {
            End::Exited => terms.spent(self.cost, self.usage.as_ref()),
            _ => terms.spent(None, None),
        };
        warnings.extend(terms.warning(spent));
        let stderr = Some(stderr);
        let failure = match (&self.error, &self.content) {
            _ if !ran.went_well() => {
                let mut failure = ran.failure(stderr.as_deref().unwrap_or_default());
                if let Some(said) = self.error.filter(|_| ran.end == End::Exited) {
                    failure.message = failed(&ran.name, &said);
                }
                failure
            }
            (Some(said), _) => {
                let message = failed(&ran.name, said);
                Failure::new("agent_failed", ErrorKind::CommandFailed, message).retried(None)
            }
            (None, None) => {
                let message = format!(
                    "the program `{}` exited well, and none of its lines holds an answer: look at `fields` of its worker",
                    ran.name
                );
                Failure::new("empty_answer", ErrorKind::CommandFailed, message).retried(None)
            }
            (None, Some(_)) => {
                let content = self.content.unwrap_or_default();
                let content = within(content, self.job.max_output, &mut warnings);
                let (model, usage, exit_code) = (self.model, self.usage, ran.exit_code());
                let answer = Answer { content, model, usage, spent, ..Answer::default() };
                return Answer { exit_code, stderr, warnings, ..answer }.into();
            }
        };
        let content = self.content.map(|text| within(text, self.job.max_output, &mut warnings));
        let (usage, exit_code) = (self.usage, ran.exit_code());
        Failure { spent, usage, exit_code, stderr, content, ..failure }.into()
    }
}

fn failed(name: &str, said: &str) -> String {
    use crate::base::words::{excerpt, tame};
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("the program `{name}` says that it failed: {}", excerpt(&tame(&line), 300))
}
