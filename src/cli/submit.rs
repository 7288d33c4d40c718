//! `koubou submit`: drops tasks, durably.

use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui, wait};
use crate::base::clock::{self, Now};
use crate::base::files::{self, FileError};
use crate::base::words;
use crate::route::decision::Wish;
use crate::spool::Spool;
use crate::task::{Folder, GroupName, Task, TaskId, wire};

/// So much is read of a file or of standard input: a hundred thousand tasks and more.
const MOST_AT_ONCE: u64 = 256 << 20;

/// Drop tasks; each is durable before its id is printed
///
/// A file, or standard input for `-`, may hold one task, an array of tasks, or one
/// task a line.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Files with tasks; `-`, or none where something is piped in, is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What is asked, in words
    #[arg(short, long, value_name = "TEXT", conflicts_with = "files")]
    description: Option<String>,
    /// What sort of work it is
    #[arg(long = "type", value_name = "T")]
    task_type: Option<String>,
    /// 0 to 10; higher goes first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=10))]
    priority: Option<u8>,
    /// The task's name; refused where it is in use
    #[arg(long, value_name = "ID")]
    id: Option<TaskId>,
    /// The worker type that is to do it
    #[arg(long, value_name = "W")]
    worker: Option<String>,
    /// The folder that an agent works in, below one of the config's `workspace_roots`
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// The tasks that it belongs with
    #[arg(long, value_name = "GROUP")]
    group: Option<GroupName>,
    /// Drop nothing that is there already: of the same id or, where it states none, of the same content
    #[arg(long)]
    unique: bool,
    /// Wait until all have ended: exit 0 if completed, 1 if one failed
    #[arg(long)]
    wait: bool,
}

/// A task as it was given, and what is odd about its JSON.
type Given = (Map<String, Value>, Vec<String>);

/// A task to be dropped, and the name that it would like.
pub(super) struct Draft {
    pub(super) document: Map<String, Value>,
    name: Option<TaskId>,
    pub(super) source: String,
    /// What was odd about its JSON.
    pub(super) warnings: Vec<String>,
}

impl Draft {
    fn new(document: Map<String, Value>, source: &str) -> Self {
        Self { document, name: None, source: source.to_owned(), warnings: Vec::new() }
    }
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    let spool = site.spool()?;
    let mut drafts = drafts(args)?;
    if args.id.is_some() && drafts.len() != 1 {
        return Err(Trouble::usage(format!(
            "`--id` names one task, and there are {}",
            drafts.len()
        )));
    }
    if let Some(name) = &args.worker
        && site.config().is_ok()
    {
        super::pause::known(site, Some(name))?;
    }
    for draft in &mut drafts {
        fill_in(draft, args);
        check(ui, draft)?;
    }
    let mut ids = Vec::new();
    let all = drafts.len() as u64;
    // On a terminal the ids themselves show how far it is.
    let mut progress = (!ui.is_terminal()).then(|| ui.progress_of("submitted"));
    for draft in drafts {
        let id = match args.unique {
            true => {
                let dropped = drop_unless_there(site, &spool, draft)?;
                if let Some(there) = dropped.there {
                    ui.say(&format!("`{}` is there already{there}", dropped.id));
                }
                dropped.id
            }
            false => drop_one(&spool, draft, args.id.as_ref())?,
        };
        // One id a line, in JSON and in words alike.
        match ui.is_json() {
            true => ui.json_line(&serde_json::json!({ "task_id": id }))?,
            false => ui.verbatim(id.as_str())?,
        }
        ids.push(id);
        if let Some(progress) = &mut progress {
            progress.show(ids.len() as u64, all - ids.len() as u64);
        }
    }
    drop(progress);
    match args.wait {
        true => wait::until_ended(ui, site, &spool, &ids),
        false => {
            hint_if_its_worker_rests(ui, site, &ids, &spool);
            site.hint_if_idle(ui);
            Ok(Exit::Done)
        }
    }
}

fn drafts(args: &Args) -> Result<Vec<Draft>, Trouble> {
    if let Some(text) = &args.description {
        let document = Map::from_iter([("description".to_owned(), Value::from(text.as_str()))]);
        return Ok(vec![Draft::new(document, "--description")]);
    }
    let standard_input = [PathBuf::from("-")];
    let files = match args.files.as_slice() {
        [] if io::stdin().is_terminal() => {
            return Err(Trouble::usage("there is nothing to submit")
                .hint("name a file, pipe tasks in, or `koubou submit -d TEXT`"));
        }
        [] => &standard_input,
        files => files,
    };
    drafts_in(files)
}

/// The tasks in these files; `-` is standard input.
pub(super) fn drafts_in(files: &[PathBuf]) -> Result<Vec<Draft>, Trouble> {
    let mut drafts = Vec::new();
    for path in files {
        let (bytes, source) = read(path)?;
        let stem = (path.as_os_str() != "-").then(|| path.file_stem()).flatten();
        let name = stem.map(|stem| TaskId::from_stem(&stem.to_string_lossy()));
        let documents = split(&bytes, &source)?;
        let alone = documents.len() == 1;
        drafts.extend(documents.into_iter().enumerate().map(|(n, (document, warnings))| Draft {
            document,
            name: name.clone().filter(|_| alone),
            source: if alone { source.clone() } else { format!("task {} of {source}", n + 1) },
            warnings,
        }));
    }
    Ok(drafts)
}

/// What a file of tasks is called.
pub(super) fn source_of(path: &Path) -> String {
    match path.as_os_str() == "-" {
        true => "standard input".to_owned(),
        false => words::tame(&path.to_string_lossy()),
    }
}

fn read(path: &Path) -> Result<(Vec<u8>, String), Trouble> {
    let source = source_of(path);
    if path.as_os_str() == "-" {
        let bytes = at_most(io::stdin().lock(), &source, |error| {
            Trouble::new("cannot read standard input").because(error.to_string())
        })?;
        return Ok((bytes, source));
    }
    let failed = |error| Trouble::from(FileError::new("read", path, error));
    let file = std::fs::File::open(path).map_err(failed)?;
    Ok((at_most(file, &format!("`{source}`"), failed)?, source))
}

/// All that comes, where it is no more than a person can have meant.
fn at_most(
    from: impl Read,
    source: &str,
    failed: impl Fn(io::Error) -> Trouble,
) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    from.take(MOST_AT_ONCE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_AT_ONCE {
        return Err(Trouble::new(format!(
            "{source} holds more than {}, the most that is read at once",
            words::bytes(MOST_AT_ONCE)
        ))
        .hint("give its tasks in several parts"));
    }
    Ok(bytes)
}

/// One task, an array of tasks, or one task after another, each with what is odd about its JSON.
fn split(bytes: &[u8], source: &str) -> Result<Vec<Given>, Trouble> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let documents = wire::documents(bytes).map_err(|error| {
        Trouble::new(format!("{source} is not JSON")).because(error.to_string()).hint(
            "give one task, an array of tasks, or one task a line; for a text, `koubou submit -d TEXT`",
        )
    })?;
    if documents.is_empty() {
        return Err(Trouble::new(format!("{source} holds no task")));
    }
    let settled = documents.into_iter().map(|document| {
        document.map(wire::Document::settled).ok_or_else(|| {
            Trouble::new(format!(
                "{source} holds something that is no task: a task is a JSON object"
            ))
        })
    });
    settled.collect()
}

fn fill_in(draft: &mut Draft, args: &Args) {
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            draft.document.insert(key.to_owned(), value);
        }
    };
    set("task_type", args.task_type.as_deref().map(Value::from));
    set("priority", args.priority.map(Value::from));
    // A folder is named from here, and stands in the task as the daemon finds it.
    let workspace =
        args.workspace.as_ref().map(|dir| std::path::absolute(dir).unwrap_or(dir.clone()));
    set("workspace", workspace.map(|dir| Value::from(dir.to_string_lossy().into_owned())));
    set("group", args.group.as_ref().map(|group| Value::from(group.as_str())));
    set("worker", args.worker.as_deref().map(Value::from));
    set("task_id", args.id.as_ref().map(|id| Value::from(id.as_str())));
}

fn check(ui: &mut Ui, draft: &Draft) -> Result<(), Trouble> {
    let found = checked(&draft.document, &draft.source)?.warnings;
    for warning in draft.warnings.iter().chain(&found) {
        ui.warn(&format!("{}: {warning}", draft.source));
    }
    Ok(())
}

/// A document as the task that it is; `source` is what it is called where it is none.
pub(super) fn checked(document: &Map<String, Value>, source: &str) -> Result<Task, Trouble> {
    let bytes = serde_json::to_vec(document).map_err(|error| Trouble::new(error.to_string()))?;
    wire::read("task", &bytes).map_err(|flaws| {
        Trouble::new(format!("{source} is not a task: {}", flaws.message()))
            .hint("nothing was dropped")
    })
}

/// Drops a task that koubou itself asks for, under the id that it states or the next that is free.
pub(super) fn drop_document(
    spool: &Spool,
    document: Map<String, Value>,
) -> Result<TaskId, Trouble> {
    drop_one(spool, Draft::new(document, ""), None)
}

/// Drops a task under the id that it states or a fresh one, and no other; or, with `unique`, unless
/// it is there already.
pub(super) fn drop_as_stated(
    site: &Site,
    spool: &Spool,
    document: Map<String, Value>,
    unique: bool,
) -> Result<Dropped, Trouble> {
    let draft = Draft::new(document, "");
    if unique {
        return drop_unless_there(site, spool, draft);
    }
    let stated = stated_id(&draft.document);
    drop_one(spool, draft, stated.as_ref()).map(|id| Dropped { id, there: None })
}

/// A task that was dropped, or was there already.
pub(super) struct Dropped {
    pub(super) id: TaskId,
    /// Where it was, in words, if it was.
    pub(super) there: Option<String>,
}

fn stated_id(document: &Map<String, Value>) -> Option<TaskId> {
    document.get("task_id").and_then(Value::as_str).and_then(|id| id.parse().ok())
}

/// Drops a task, unless one of its id is there already, in whichever folder. One that states no
/// id has one that its content makes: the same task is the same task.
///
/// Who looks and who drops is one at a time: between the look of one and its drop the daemon may
/// have taken and done what another dropped.
fn drop_unless_there(site: &Site, spool: &Spool, mut draft: Draft) -> Result<Dropped, Trouble> {
    let id = stated_id(&draft.document).unwrap_or_else(|| id_of_content(&draft.document));
    let _turn = spool.turn_to_drop()?;
    loop {
        if let Ok(there) = site.locate(spool, &id) {
            return Ok(Dropped { id, there: Some(format!(": {}", there.folder)) });
        }
        if files::exists(&spool.rejected(&id)) {
            return Ok(Dropped { id, there: Some(", as a drop that was no task".into()) });
        }
        draft.document.insert("task_id".into(), Value::from(id.as_str()));
        let again = Draft::new(draft.document.clone(), "");
        match drop_one(spool, again, Some(&id)) {
            // Somebody was quicker: now it is there.
            Err(_) if site.locate(spool, &id).is_ok() => {}
            dropped => return dropped.map(|id| Dropped { id, there: None }),
        }
    }
}

/// An id that two tasks share which differ in the order of their fields at most.
fn id_of_content(document: &Map<String, Value>) -> TaskId {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let by_key: std::collections::BTreeMap<_, _> = map.iter().collect();
                by_key.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
            }
            Value::Array(items) => items.iter().map(sorted).collect(),
            other => other.clone(),
        }
    }
    let text = sorted(&Value::Object(document.clone())).to_string();
    let digest = HEXLOWER.encode(&Sha256::digest(text.as_bytes()));
    TaskId::from_stem(&format!("task-{}", &digest[..24]))
}

/// Drops one task under a name that nobody has.
fn drop_one(spool: &Spool, draft: Draft, wanted: Option<&TaskId>) -> Result<TaskId, Trouble> {
    let liked = stated_id(&draft.document).or(draft.name).unwrap_or_else(fresh_name);
    let in_pending = |id: &TaskId| files::exists(&spool.file(Folder::Pending, id));
    loop {
        let id = spool.free_id(&liked, in_pending);
        if wanted.is_some_and(|wanted| *wanted != id) {
            return Err(Trouble::new(format!("`{liked}` is in use"))
                .hint("take another id, or leave it out"));
        }
        let mut document = draft.document.clone();
        document.insert("task_id".into(), Value::from(id.as_str()));
        let mut bytes = serde_json::to_vec_pretty(&document)
            .map_err(|error| Trouble::new(error.to_string()))?;
        bytes.push(b'\n');
        match place(spool, &id, &bytes) {
            Ok(()) => return Ok(id),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Writes a task whole and durable before anybody can see it.
fn place(spool: &Spool, id: &TaskId, bytes: &[u8]) -> Result<(), FileError> {
    let pending = spool.home().folder(Folder::Pending);
    let mode = mode_for(&pending);
    let name = files::half_made(&pending.join(id.file_name()));
    match spool.put(&spool.home().tmp().join(&name), id, bytes, mode) {
        // Who may drop but not stage stages under a hidden name, which the daemon leaves alone.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            spool.put(&pending.join(&name), id, bytes, mode)?;
        }
        placed => placed?,
    }
    files::sync_dir(&pending)
}

/// Who owns the home may keep a task to himself; the drop of anybody else must be readable for its daemon.
fn mode_for(pending: &Path) -> u32 {
    let owner = std::fs::metadata(pending).map(|meta| meta.uid()).ok();
    let me = rustix::process::geteuid().as_raw();
    if owner == Some(me) { 0o600 } else { 0o644 }
}

/// Says so where a task would wait for a worker that rests until a person acts.
fn hint_if_its_worker_rests(ui: &mut Ui, site: &Site, ids: &[TaskId], spool: &Spool) {
    let Ok(config) = site.config() else { return };
    let mut resting = std::collections::BTreeSet::new();
    for id in ids {
        let Ok(bytes) = files::read(&spool.file(Folder::Pending, id), config.max_task_bytes) else {
            continue;
        };
        let Ok(task) = wire::read(id.as_str(), &bytes) else { continue };
        let seen = config.router.assess(&task, &[]);
        let wish = Wish::of(&task);
        let Ok(name) = config.router.decide(&wish, &seen, false).worker_type else { continue };
        if let Some(why) = config.worker(&name).and_then(|spec| spec.disabled.as_ref()) {
            resting.insert(format!("it goes to worker `{name}`, which rests: {why}"));
        }
    }
    for hint in resting {
        ui.hint(&hint);
    }
}

/// A name that sorts by time and that no other process takes.
pub(super) fn fresh_name() -> TaskId {
    use std::sync::atomic::{AtomicU32, Ordering};
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let now = Now::read();
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let mark = files::fingerprint(format!("{:?}{}{serial}", now, std::process::id()).as_bytes())
        & 0xfff_ffff;
    let time = clock::wall().strftime("%Y%m%d-%H%M%S");
    TaskId::from_stem(&format!("{time}-{mark:07x}"))
}
