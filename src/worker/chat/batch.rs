//! Has many requests made at once and later, for less money: the Batch API.
//!
//! ```text
//! upload ──▶ submit ──▶ look … look ──▶ read ──▶ judge, request by request
//!                └─(nobody said)─▶ find
//! ```
//!
//! Each method is one step and one look at the server; when the next one comes is
//! decided elsewhere. Only `submit` costs money. Where it cannot be known whether it
//! did, that is said, and `find` looks for the batch by the mark that it carries.
//!
//! Answers come in any order and in two files, and a batch that ran out of time or
//! was ended holds answers too, which are paid for: what counts is a request's own line.

use std::collections::HashMap;

use serde_json::{Value, json};
use ureq::http::HeaderMap;

use super::*;
use crate::config::OnExpiry;
use crate::task::journal::{BATCH_EXPIRED, BATCH_FULL, BATCH_NOT_SENT, BATCH_REFUSED};

/// How long one step may take.
const STEP: Duration = Duration::from_secs(60);
/// How long taking a file away may take, for which a drain waits.
const TIDYING: Duration = Duration::from_secs(10);
/// How long many megabytes may take.
const TRANSFER: Duration = Duration::from_secs(600);
/// The most that a server says of a batch.
const MOST_SAID: u64 = 4 << 20;
/// How long a task waits whose provider has as much waiting as it lets wait.
const UNTIL_THERE_IS_ROOM: Duration = Duration::from_secs(600);
/// No server gives longer names than this.
const LONGEST_ID: usize = 512;
/// The batches that are looked through for one that may have been submitted.
const PAGE: usize = 100;
const MOST_PAGES: usize = 10;
/// What a batch's metadata has our mark under.
const MARK: &str = "koubou";

/// Why a batch was not submitted.
#[derive(Debug)]
pub enum NotSubmitted {
    /// It was not: nothing is bought.
    Surely(Box<Failure>),
    /// It may have been all the same.
    Perhaps(Box<Failure>),
}

/// What came of looking for a batch by its mark.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// It is there, and this is its id.
    Batch(String),
    /// The server has none with this mark.
    Nothing,
    /// The server does not list its batches.
    CannotTell,
}

/// How a batch stands.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    /// It goes on, and is called so.
    Open(String),
    /// It has ended.
    Over(Over),
    /// Its server knows nothing of it.
    Unknown,
}

/// A batch that has ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Over {
    /// `completed`, `expired`, `cancelled`, `failed` or `invalid`.
    pub status: String,
    /// The files with its answers and its errors.
    pub files: Vec<String>,
    /// The file that it was made of.
    pub input: Option<String>,
    /// Why it failed, as the server says it.
    pub why: String,
    /// The server's code for that.
    pub code: String,
}

/// What a batch holds for one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    /// What the server would have answered by itself.
    Answered(u16, Value),
    /// It was not answered: a code, and a sentence.
    Unanswered(String, String),
}

impl Over {
    /// Every file that it has left at its server.
    pub fn left(&self) -> Vec<String> {
        self.input.iter().chain(&self.files).cloned().collect()
    }

    /// Whether it was not done as a whole.
    fn has_failed(&self) -> bool {
        matches!(self.status.as_str(), "failed" | "invalid")
    }
}

impl ChatWorker {
    /// The line of a batch's file that makes a job's request.
    pub fn batch_line(&self, job: &Job) -> String {
        let mut body = self.body(job, &mut Vec::new());
        if let Some(body) = body.as_object_mut() {
            // A batch is a tier of its own.
            body.remove("service_tier");
        }
        let url = format!("/v1{}", api::path(self.chat.api));
        let line = json!({ "custom_id": job.attempt, "method": "POST", "url": url, "body": body });
        format!("{line}\n")
    }

    /// Uploads a batch's lines; the file's id.
    ///
    /// # Errors
    /// Why not. Nothing is bought by an upload.
    pub fn upload(
        &mut self,
        lines: &str,
        mark: &str,
        leash: &Leash,
    ) -> Result<String, Box<Failure>> {
        let boundary = format!("koubou-{mark}");
        let part = |head: &str| format!("--{boundary}\r\nContent-Disposition: form-data; {head}");
        let purpose = part("name=\"purpose\"\r\n\r\nbatch\r\n");
        let file = part(&format!(
            "name=\"file\"; filename=\"koubou-{mark}.jsonl\"\r\nContent-Type: application/jsonl\r\n\r\n"
        ));
        let body = format!("{purpose}{file}{lines}\r\n--{boundary}--\r\n");
        let kind = format!("multipart/form-data; boundary={boundary}");
        let ask = Ask::Post(&kind, body.as_bytes());
        let reply = self.step(ask, "/files", (TRANSFER, MOST_SAID), leash);
        let reply = reply.map_err(|broken| self.not_sent(self.broken(TRANSFER, broken)))?;
        let document = self.taken(&reply)?;
        id_of(&document["id"])
            .ok_or_else(|| self.not_sent(self.bad_answer("it names no file", None)))
    }

    /// Submits an uploaded file as a batch; the batch's id. From here on money may be spent.
    ///
    /// # Errors
    /// Why not, and whether that is sure.
    pub fn submit(
        &mut self,
        file: &str,
        mark: &str,
        window: &str,
        leash: &Leash,
    ) -> Result<String, NotSubmitted> {
        let body = json!({
            "input_file_id": file,
            "endpoint": format!("/v1{}", api::path(self.chat.api)),
            "completion_window": window,
            "metadata": { MARK: mark },
        });
        let body = body.to_string();
        let ask = Ask::Post("application/json", body.as_bytes());
        let reply = match self.step(ask, "/batches", (STEP, MOST_SAID), leash) {
            Ok(reply) => reply,
            Err(broken @ Broken::NotReached(_)) => {
                return Err(NotSubmitted::Surely(self.not_sent(self.broken(STEP, broken))));
            }
            Err(broken) => return Err(NotSubmitted::Perhaps(self.broken(STEP, broken).into())),
        };
        match self.taken(&reply).map(|document| id_of(&document["id"])) {
            Ok(Some(id)) => Ok(id),
            Ok(None) => {
                Err(NotSubmitted::Perhaps(self.bad_answer("it names no batch", None).into()))
            }
            // The API itself says that it did nothing; somebody on the way to it may not know.
            Err(failure) if failure.spent == Spent::Nothing => Err(NotSubmitted::Surely(failure)),
            Err(failure) => Err(NotSubmitted::Perhaps(failure)),
        }
    }

    /// What a server says that was given a file or a batch.
    fn taken(&self, reply: &Reply) -> Result<Value, Box<Failure>> {
        let failure = match self.document(reply) {
            Ok(document) => return Ok(document),
            Err(failure) => *failure,
        };
        let is_refused = failure.next == Next::Never && failure.trouble.is_none();
        Err(match reply.status {
            404 | 405 | 501 => self.refused_batch(Trouble::NoBatches, "it takes none").into(),
            400..=499 if is_refused => {
                let said = self.quoted(&Words::of(&reply.body), &Prompt::default());
                let why = format!("it answered {}{said}", reply.status);
                self.refused_batch(Trouble::BatchRefused, &why).into()
            }
            _ => self.not_sent(failure),
        })
    }

    /// A batch that could not be handed over for now. That is its server's trouble as with any
    /// call, and says nothing of the tasks in it.
    fn not_sent(&self, failure: Failure) -> Box<Failure> {
        let next = match failure.next {
            Next::Never => Next::Retry { at_least: None },
            next => next,
        };
        let outcome = match next {
            Next::NotAnAttempt => failure.outcome,
            _ => BATCH_NOT_SENT,
        };
        Failure { outcome, kind: ErrorKind::AttemptsExhausted, next, ..failure }.into()
    }

    /// A batch that its provider will not do: its tasks are done without one.
    fn refused_batch(&self, trouble: Trouble, why: &str) -> Failure {
        let message = format!("the server of `{}` refused a batch: {why}", self.worker_type);
        let failure = Failure::new(BATCH_REFUSED, ErrorKind::AttemptsExhausted, message);
        Failure { next: Next::NotAnAttempt, ..failure.of_worker(trouble) }
    }

    /// Looks for a batch with this mark.
    ///
    /// # Errors
    /// Why the server could not be asked.
    pub fn find(&mut self, mark: &str, leash: &Leash) -> Result<Found, Box<Failure>> {
        let mut after = String::new();
        for _ in 0..MOST_PAGES {
            let path = format!("/batches?limit={PAGE}{after}");
            let reply = self.get(&path, (STEP, MOST_SAID), leash)?;
            if matches!(reply.status, 404 | 405 | 501) {
                return Ok(Found::CannotTell);
            }
            let document = self.document(&reply)?;
            let Some(batches) = document["data"].as_array() else { return Ok(Found::CannotTell) };
            let ours = batches.iter().find(|batch| batch["metadata"][MARK] == mark);
            if let Some(id) = ours.and_then(|batch| id_of(&batch["id"])) {
                return Ok(Found::Batch(id));
            }
            let last = batches.last().and_then(|batch| id_of(&batch["id"]));
            let Some(last) = last.filter(|_| document["has_more"] == true) else { break };
            after = format!("&after={}", escaped(&last));
        }
        Ok(Found::Nothing)
    }

    /// Looks how a batch stands.
    ///
    /// # Errors
    /// Why the server could not be asked.
    pub fn look_at(&mut self, id: &str, leash: &Leash) -> Result<Standing, Box<Failure>> {
        let reply = self.get(&format!("/batches/{}", escaped(id)), (STEP, MOST_SAID), leash)?;
        if reply.status == 404 {
            return Ok(Standing::Unknown);
        }
        let standing = standing(&self.document(&reply)?);
        standing.ok_or_else(|| self.bad_answer("it names a file that can be none", None).into())
    }

    /// Tells the server that nobody wants a batch any more.
    ///
    /// # Errors
    /// Why it could not be told. That it will not or need not end it is an answer.
    pub fn call_off(&mut self, id: &str, leash: &Leash) -> Result<(), Box<Failure>> {
        let path = format!("/batches/{}/cancel", escaped(id));
        let ask = Ask::Post("application/json", b"");
        let reply = self.step(ask, &path, (STEP, MOST_SAID), leash);
        let reply = reply.map_err(|broken| Box::new(self.broken(STEP, broken)))?;
        match reply.status {
            200..300 => Ok(()),
            _ => match self.refusal(&Prompt::default(), &reply) {
                refusal if refusal.next == Next::Never && refusal.trouble.is_none() => Ok(()),
                refusal => Err(refusal.into()),
            },
        }
    }

    /// Reads what a batch holds, by the mark of each request's attempt; at most `max` bytes a file.
    ///
    /// # Errors
    /// Why a file could not be read: it can be later, unless this `is_last_read`.
    pub fn read(
        &mut self,
        over: &Over,
        max: u64,
        is_last_read: bool,
        leash: &Leash,
    ) -> Result<HashMap<String, Held>, Box<Failure>> {
        let mut all = HashMap::new();
        for file in &over.files {
            let path = format!("/files/{}/content", escaped(file));
            let reply = self.get(&path, (TRANSFER, max), leash)?;
            match reply.status {
                200..300 => gather(&reply.body, &mut all),
                // What is not there any more comes no more; what is not there yet may come.
                410 => {}
                404 if is_last_read => {}
                404 => return Err(self.bad_answer("its file is not there yet", None).into()),
                _ => return Err(self.refusal(&Prompt::default(), &reply).into()),
            }
        }
        Ok(all)
    }

    /// Takes a file away; one that is not there is away.
    ///
    /// # Errors
    /// Why it lies there still.
    pub fn delete(&mut self, file: &str, leash: &Leash) -> Result<(), Box<Failure>> {
        let path = format!("/files/{}", escaped(file));
        let reply = self.step(Ask::Delete, &path, (TIDYING, MOST_SAID), leash);
        let reply = reply.map_err(|broken| Box::new(self.broken(TIDYING, broken)))?;
        match reply.status {
            200..300 | 404 | 410 => Ok(()),
            _ => Err(self.refusal(&Prompt::default(), &reply).into()),
        }
    }

    /// What a request came to of which a batch that has ended holds this, or nothing.
    pub fn judge_in_batch(
        &self,
        job: &Job,
        over: &Over,
        held: Option<&Held>,
        on_expiry: OnExpiry,
    ) -> Outcome {
        match held {
            Some(Held::Answered(status, body)) => self.meaning_in_batch(job, *status, body),
            Some(Held::Unanswered(code, _)) if code == BATCH_EXPIRED => {
                self.not_in_time(on_expiry).into()
            }
            Some(Held::Unanswered(code, said)) => self.not_done(job, over, code, said).into(),
            None if over.status == "expired" => self.not_in_time(on_expiry).into(),
            None if over.status == "completed" => self.no_line().into(),
            None => self.not_done(job, over, &over.code, &over.why).into(),
        }
    }

    fn meaning_in_batch(&self, job: &Job, status: u16, body: &Value) -> Outcome {
        let mut body = body.clone();
        if let Some(body) = body.as_object_mut() {
            // A batch's answers do not say that they were bought in one.
            body.insert("service_tier".into(), "batch".into());
        }
        let mut warnings = Vec::new();
        self.body(job, &mut warnings);
        let body = body.to_string().into_bytes();
        let reply = Reply { status, headers: HeaderMap::new(), body };
        match self.meaning(job, &reply, warnings) {
            Outcome::Failed(failure) => without_trouble(*failure).into(),
            done => done,
        }
    }

    fn not_in_time(&self, on_expiry: OnExpiry) -> Failure {
        let worker = &self.worker_type;
        let then = match on_expiry {
            OnExpiry::Resubmit => "it goes into another one",
            OnExpiry::Now => "it is asked at once, at the ordinary price",
            OnExpiry::Fail => "leave `urgency` out to have it done at once, or set `on_expiry`",
        };
        let message = format!("the batch of `{worker}` was not done in time: {then}");
        let failure = Failure::new(BATCH_EXPIRED, ErrorKind::Timeout, message);
        if on_expiry == OnExpiry::Fail { failure } else { failure.retried(None) }
    }

    /// A request that was not made, or whose batch was not: it costs nothing.
    fn not_done(&self, job: &Job, over: &Over, code: &str, said: &str) -> Failure {
        let words = Words::of_json(&json!({ "error": { "code": code, "message": said } }));
        let said = self.quoted(&words, job.prompt.get());
        let code = match words::excerpt(&words::tame(code), 60) {
            code if code.is_empty() => code,
            code => format!(" ({code})"),
        };
        // More is waiting there than its server lets wait: that is no attempt at the work.
        let is_full = words.code == "token_limit_exceeded";
        if over.has_failed() && !is_full {
            let why = format!("it is {}{code}{said}", over.status);
            return self.refused_batch(Trouble::BatchRefused, &why);
        }
        let message = format!("the batch of `{}` did not do it{code}{said}", self.worker_type);
        let outcome = if is_full { BATCH_FULL } else { "batch_failed" };
        let failure = Failure::new(outcome, ErrorKind::AttemptsExhausted, message);
        failure.retried(is_full.then_some(UNTIL_THERE_IS_ROOM))
    }

    fn no_line(&self) -> Failure {
        let message = format!(
            "the batch of `{}` has ended and says nothing of this request: what was reserved counts as spent",
            self.worker_type
        );
        Failure::new("bad_answer", ErrorKind::AttemptsExhausted, message)
            .retried(None)
            .spent(self.spent(None))
    }

    /// A batch that its server does not know any more, or of which nothing can be found out.
    pub fn lost(&self) -> Failure {
        let message = format!(
            "the server of `{}` knows nothing of the batch: what was reserved counts as spent",
            self.worker_type
        );
        Failure::new("batch_lost", ErrorKind::AttemptsExhausted, message)
            .retried(None)
            .spent(self.spent(None))
    }

    fn get(
        &mut self,
        path: &str,
        limits: (Duration, u64),
        leash: &Leash,
    ) -> Result<Reply, Box<Failure>> {
        let reply = self.step(Ask::Get, path, limits, leash);
        reply.map_err(|broken| Box::new(self.broken(limits.0, broken)))
    }

    fn step(
        &mut self,
        ask: Ask<'_>,
        path: &str,
        limits: (Duration, u64),
        leash: &Leash,
    ) -> Result<Reply, Broken> {
        let url = format!("{}{path}", self.chat.endpoint.trim_end_matches('/'));
        self.line.ask(ask, &url, self.chat.key.as_ref(), limits, leash)
    }

    fn document(&self, reply: &Reply) -> Result<Value, Box<Failure>> {
        if !(200..300).contains(&reply.status) {
            return Err(self.refusal(&Prompt::default(), reply).into());
        }
        serde_json::from_slice(&reply.body)
            .map_err(|_| self.bad_answer("it is not JSON", None).into())
    }
}

/// A failure of one request in a batch. Of the line that others use it says nothing, unless a
/// person must act.
fn without_trouble(failure: Failure) -> Failure {
    let trouble =
        failure.trouble.filter(|trouble| matches!(trouble, Trouble::Billing | Trouble::BadKey));
    Failure { trouble, ..failure }
}

/// A name that a server gives a file or a batch: one that an address can carry.
fn id_of(value: &Value) -> Option<String> {
    let is_one = |id: &String| {
        let is_plain = |c: char| !c.is_whitespace() && !c.is_control();
        id.len() <= LONGEST_ID && id.chars().all(is_plain) && id.chars().any(|c| c != '.')
    };
    completion::text(value).filter(is_one)
}

/// A name as one part of an address: nothing in it leads elsewhere.
fn escaped(id: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    id.bytes().map(escape).collect()
}

/// How a batch stands; `None` where it names a file in a way that no file can have.
fn standing(document: &Value) -> Option<Standing> {
    let status = document["status"].as_str().unwrap_or_default();
    if !matches!(status, "completed" | "expired" | "cancelled" | "failed" | "invalid") {
        return Some(Standing::Open(words::excerpt(&words::tame(status), 40)));
    }
    let named = ["output_file_id", "error_file_id"].map(|name| &document[name]);
    let named = named.into_iter().filter(|value| completion::text(value).is_some());
    let error = &document["errors"]["data"][0];
    Some(Standing::Over(Over {
        status: status.to_owned(),
        files: named.map(id_of).collect::<Option<Vec<String>>>()?,
        input: id_of(&document["input_file_id"]),
        why: error["message"].as_str().unwrap_or_default().to_owned(),
        code: error["code"].as_str().unwrap_or_default().to_owned(),
    }))
}

/// Takes in the lines of one file. Of two for the same request, an answer counts.
fn gather(lines: &[u8], all: &mut HashMap<String, Held>) {
    for line in lines.split(|byte| *byte == b'\n') {
        let Ok(line) = serde_json::from_slice::<Value>(line) else { continue };
        let Some(mark) = completion::text(&line["custom_id"]) else { continue };
        let held = held(&line);
        let is_answer = |held: &Held| matches!(held, Held::Answered(200..300, _));
        if is_answer(&held) || !all.contains_key(&mark) {
            all.insert(mark, held);
        }
    }
}

fn held(line: &Value) -> Held {
    let response = &line["response"];
    let status = response["status_code"].as_u64().and_then(|status| u16::try_from(status).ok());
    match status.filter(|_| response["body"].is_object()) {
        Some(status) => Held::Answered(status, response["body"].clone()),
        None => {
            let part = |name: &str| line["error"][name].as_str().unwrap_or_default().to_owned();
            Held::Unanswered(part("code"), part("message"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_null_file_is_none() {
        for none in [json!(""), Value::Null] {
            let document = json!({
                "status": "completed", "output_file_id": "file-1", "error_file_id": none,
            });
            let Some(Standing::Over(over)) = standing(&document) else { panic!("{document}") };
            assert_eq!(over.files, ["file-1"]);
        }
        for open in ["validating", "in_progress", "finalizing", "cancelling", "unheard-of"] {
            assert_eq!(standing(&json!({ "status": open })), Some(Standing::Open(open.into())));
        }
    }

    #[test]
    fn a_servers_name_leads_nowhere_else() {
        let file = |id: &str| {
            standing(&json!({ "status": "completed", "output_file_id": id })).and_then(|over| {
                let Standing::Over(over) = over else { panic!("{over:?}") };
                over.files.first().cloned()
            })
        };
        for none in ["..", ".", "a b", "a\r\nhost: x", &"x".repeat(600)] {
            assert_eq!(file(none), None, "{none}");
        }
        assert_eq!(file("file-bG==").as_deref(), Some("file-bG=="));
        assert_eq!(escaped("../batches/b?x=1#y&z%2e"), "..%2Fbatches%2Fb%3Fx%3D1%23y%26z%252e");
    }

    #[test]
    fn lines_are_known_by_their_mark_and_an_answer_goes_before_an_error() {
        let answer = json!({ "custom_id": "a", "response": { "status_code": 200, "body": {} } });
        let expired = |mark: &str| {
            let error = json!({ "code": "batch_expired", "message": "late" });
            json!({ "custom_id": mark, "response": null, "error": error })
        };
        let lines = format!("{}\nnonsense\n{answer}\n\n{}\n", expired("b"), expired("a"));
        let mut all = HashMap::new();
        gather(lines.as_bytes(), &mut all);
        assert_eq!(all["a"], Held::Answered(200, json!({})));
        assert_eq!(all["b"], Held::Unanswered("batch_expired".into(), "late".into()));
        assert_eq!(all.len(), 2);
    }
}
