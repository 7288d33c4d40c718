//! `koubou mcp`: the workshop as tools of the Model Context Protocol, on standard input and output.
//!
//! ```text
//! line ──▶ the SDK's session ──▶ tools ──▶ bounds ──▶ the commands' own code
//!                             └▶ results (resources)
//! ```
//!
//! An agent hands out work, waits for it and reads what came of it, as a person does with the
//! other commands, and within what the settings allow agents: [`bounds`]. What can go wrong with
//! a tool is its result, a sentence that the agent can act on; only a call that is none is an error
//! of the protocol. Nothing that a client sends ends the session; the end of its input does.
//!
//! One thread speaks the protocol. Whatever touches a disk runs on others.

mod bounds;
mod line;
mod results;
mod tools;
mod waiting;

use std::io::IsTerminal;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CustomRequest,
    CustomResult, ErrorCode, ErrorData, Implementation, JsonObject, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProgressNotificationParam,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ServerCapabilities,
    ServerConfig, Tool,
};
use rmcp::service::{RequestContext, ServiceExt};
use rmcp::{RoleServer, ServerHandler};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc as steps, watch};

use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui, logger};
use crate::base::words;
use crate::config::Config;
use crate::spool::Spool;
use bounds::Session;
use tools::{Entry, Run};
use waiting::Told;

/// Serve the workshop to an agent, as MCP tools on standard input and output
///
/// `koubou master --print-config` prints what an agent's settings need. What agents may do is
/// bounded by `mcp` in config/agent.yaml.
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

/// What an agent is told when it connects.
const INSTRUCTIONS: &str = "koubou is a workshop: it gives tasks to local and cloud workers by \
    their difficulty and confidentiality, within a budget. Hand out work that can stand alone \
    (submit_task, submit_tasks), go on with something else or `wait`, then read get_result. Whoever \
    does a task sees only that task: put all that is needed into it. Chain tasks with depends_on and \
    {result:ID}. What is confidential stays with local workers, and its content is kept from you \
    unless the settings allow it: let another task work on it with {result:ID}. Failed tasks say \
    why and what to do.";

/// So many calls of `wait` may be open at once; each keeps a thread.
const MOST_WAITS: usize = 64;
/// So many tasks of one call are written down by name.
const MOST_NOTED: usize = 100;

pub(super) fn run(ui: &mut Ui, site: &Site, _args: &Args) -> Done {
    let spool = site.spool()?;
    if std::io::stdin().is_terminal() {
        let print = site.call("master --print-config");
        ui.hint(&format!("an agent starts this by itself; {print} prints what its settings need"));
    }
    let site = site.resolved();
    let config = Arc::new(site.config()?);
    if let Err(trouble) = logger::start_for_agents(&site.home, &config) {
        ui.warn(&format!("what the agent asks for is not logged: {}", trouble.message));
    }
    log::info!("process {} serves an agent", std::process::id());
    let desk = Desk {
        allow_confidential: config.mcp.allow_confidential,
        session: Mutex::new(Session::new(config.mcp.clone())),
        site,
        spool,
        config,
    };
    let failed = |why: std::io::Error| Trouble::new("cannot serve").because(why.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(failed)?;
    let ended = runtime.block_on(serve(desk));
    // A thread that still reads a folder is not waited for.
    runtime.shutdown_background();
    log::info!("process {} has served its agent", std::process::id());
    ended.map_err(failed)?;
    Ok(Exit::Done)
}

/// Writes down what an agent asked for, and which tasks it was about.
fn note(tool: &str, answer: &Result<Value, Trouble>) {
    let answer = match answer {
        Ok(answer) => answer,
        Err(trouble) => return log::warn!("the agent's {tool} failed: {}", trouble.message),
    };
    let id = |task: &Value| task.get("task_id").and_then(Value::as_str).map(str::to_owned);
    let many = answer.get("tasks").and_then(Value::as_array).into_iter().flatten();
    let ids: Vec<String> = id(answer).into_iter().chain(many.filter_map(id)).collect();
    for id in ids.iter().take(MOST_NOTED) {
        log::info!(task:% = id; "the agent's {tool}");
    }
    match ids.len() {
        0 => log::info!("the agent's {tool}"),
        n if n > MOST_NOTED => log::info!("the agent's {tool}: {} more", n - MOST_NOTED),
        _ => {}
    }
}

async fn serve(desk: Desk) -> std::io::Result<()> {
    let (closing, closed) = watch::channel(false);
    let wire = line::Wire::open(closing)?;
    let server =
        Server { desk: Arc::new(desk), closed, waits: Arc::new(Semaphore::new(MOST_WAITS)) };
    // An input that ends before a session began is an end like any other.
    if let Ok(session) = server.serve(wire).await {
        let _ = session.waiting().await;
    }
    Ok(())
}

/// What the tools work with.
struct Desk {
    site: Site,
    spool: Arc<Spool>,
    config: Arc<Config>,
    session: Mutex<Session>,
    allow_confidential: bool,
}

impl Desk {
    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A tool's answer, with what is left of the session where that is bounded.
    fn with_what_is_left(&self, mut answer: Value) -> Value {
        if let Some(left) = self.session().told(&self.spool)
            && let Some(answer) = answer.as_object_mut()
        {
            answer.insert("session".into(), left);
        }
        answer
    }
}

/// The session with one agent.
struct Server {
    desk: Arc<Desk>,
    /// Becomes true when the client has no more to say.
    closed: watch::Receiver<bool>,
    waits: Arc<Semaphore>,
}

impl Server {
    /// Does something with the disk, away from the thread that speaks the protocol.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk) -> T + Send + 'static,
    ) -> Result<T, ErrorData> {
        let desk = Arc::clone(&self.desk);
        let done = tokio::task::spawn_blocking(move || work(&desk)).await;
        done.map_err(|error| ErrorData::internal_error(error.to_string(), None))
    }

    /// Runs `wait`: tells its steps, and stops it where nobody wants its answer any more.
    async fn wait(
        &self,
        given: JsonObject,
        context: &RequestContext<RoleServer>,
    ) -> Result<Result<Value, Trouble>, ErrorData> {
        let Ok(_seat) = Arc::clone(&self.waits).try_acquire_owned() else {
            let message = format!("{MOST_WAITS} calls of `wait` are open already");
            return Ok(Err(Trouble::new(message).hint("wait for several ids, or a group, in one")));
        };
        let (tell, told) = mpsc::channel();
        let (step, mut steps) = steps::unbounded_channel();
        let stop = tell.clone();
        let work = self.aside(move |desk| {
            let args: waiting::Args = tools::arguments(given)?;
            waiting::run(desk, &args, tell, &told, |at| {
                let _ = step.send(at);
            })
        });
        let mut closed = self.closed.clone();
        let mut work = std::pin::pin!(work);
        let mut is_stopped = false;
        let answer = loop {
            tokio::select! {
                Some(at) = steps.recv() => progress(context, at).await,
                answer = &mut work => break answer,
                () = over(context, &mut closed), if !is_stopped => {
                    is_stopped = true;
                    let _ = stop.send(Told::Stop);
                }
            }
        };
        while let Ok(at) = steps.try_recv() {
            progress(context, at).await;
        }
        answer
    }
}

/// Until the client has cancelled the call, or has no more to say at all.
async fn over(context: &RequestContext<RoleServer>, closed: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = context.ct.cancelled() => {}
        _ = closed.wait_for(|closed| *closed) => {}
    }
}

async fn progress(context: &RequestContext<RoleServer>, at: waiting::Step) {
    let Some(token) = context.meta.get_progress_token() else { return };
    let told = ProgressNotificationParam::new(token, at.ended as f64)
        .with_total(at.all as f64)
        .with_message(at.message);
    // Where nobody hears it, the call itself will find out.
    let _ = context.peer.notify_progress(told).await;
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().build();
        ServerConfig::new(capabilities)
            .with_server_info(
                Implementation::new("koubou", env!("CARGO_PKG_VERSION")).with_title("koubou"),
            )
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::ALL.iter().map(Entry::tool).collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        entry(name).map(Entry::tool)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let entry = entry(&request.name).ok_or_else(|| unknown(&request.name))?;
        let given = request.arguments.unwrap_or_default();
        let answer = match entry.run {
            Run::Now(run) => self.aside(move |desk| run(desk, given)).await?,
            Run::Waiting => self.wait(given, &context).await?,
        };
        note(&request.name, &answer);
        let result = self.aside(move |desk| match answer {
            Ok(answer) => told(desk.with_what_is_left(answer)),
            Err(trouble) => CallToolResult::error(vec![ContentBlock::text(trouble.told())]),
        });
        Ok(result.await?.into())
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let latest = self.aside(results::latest).await?;
        let latest = latest.map_err(|trouble| ErrorData::internal_error(trouble.told(), None))?;
        Ok(ListResourcesResult::with_all_items(latest))
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(vec![results::template()]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let found = self.aside(move |desk| results::read(desk, &request.uri)).await??;
        Ok(ReadResourceResult::new(vec![found]).into())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        Err(not_understood(&request.method))
    }
}

fn entry(name: &str) -> Option<&'static Entry> {
    tools::ALL.iter().find(|entry| entry.name == name)
}

fn unknown(name: &str) -> ErrorData {
    let all = tools::ALL.iter().map(|entry| entry.name);
    let shown = words::excerpt(&words::tame(name), 60);
    let there_are = words::names(all, "and");
    ErrorData::invalid_params(format!("there is no tool `{shown}`: there are {there_are}"), None)
}

/// Why nobody understood a request: a method that is known has parameters that are wrong.
fn not_understood(method: &str) -> ErrorData {
    const KNOWN: [&str; 6] = [
        "initialize",
        "tools/call",
        "tools/list",
        "resources/list",
        "resources/read",
        "resources/templates/list",
    ];
    let shown = words::excerpt(&words::tame(method), 60);
    match KNOWN.contains(&method) {
        true => ErrorData::invalid_params(format!("the parameters of `{shown}` are wrong"), None),
        false => ErrorData::new(
            ErrorCode::METHOD_NOT_FOUND,
            format!("there is no method `{shown}` here"),
            None,
        ),
    }
}

/// An answer as the protocol has it: as data, and the same as text for clients that read no data.
fn told(answer: Value) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(answer.to_string())]);
    result.structured_content = Some(answer);
    result
}
