//! `koubou list`: which tasks there are, and where they stand.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::Range;

use serde::Serialize;

use super::status;
use super::table::Table;
use super::trouble::Trouble;
use super::workers::WorkerState;
use super::{Done, Exit, Site, Ui};
use crate::base::threads::{both, in_parts};
use crate::base::words::Count;
use crate::mirror::query::{BriefRecord, Filter, Order};
use crate::spool::Spool;
use crate::spool::notes::Note;
use crate::task::{Folder, Sensitivity, TaskId};

/// List tasks: where each stands, and who has it
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Only those in this folder
    #[arg(long, value_name = "FOLDER", value_parser = ["pending", "in_progress", "completed", "failed"])]
    status: Option<String>,
    /// Those whose results were retired into the archive instead
    #[arg(long)]
    archived: bool,
}

/// So many tasks are told sooner than a thread is begun.
const FEW: usize = 1_000;

const HEAD: [&str; 6] = ["ID", "STATUS", "WORKER", "DIFFICULTY", "SENSITIVITY", "WAITS FOR"];

/// What tells one task after another: a list may be longer than it is worth holding at once.
trait Telling: Sync {
    fn count(&self) -> usize;

    fn each(&self, part: Range<usize>, tell: impl FnMut(&Listed<'_>));
}

/// A task, as the folders and the mirror know it.
#[derive(Serialize)]
pub(super) struct Listed<'a> {
    pub(super) task_id: &'a str,
    pub(super) status: &'static str,
    worker_type: Option<&'a str>,
    difficulty_level: Option<&'a str>,
    sensitivity_level: Option<&'a str>,
    priority: Option<i64>,
    pub(super) created_at: Option<&'a str>,
    pub(super) waits_for: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived: Option<&'a str>,
}

impl Listed<'_> {
    /// Whether it is known to be no confidential one.
    pub(super) fn is_public(&self) -> bool {
        self.sensitivity_level == Some(Sensitivity::Public.as_str())
    }
}

/// The tasks of a folder, or of all, with what the mirror knows of them.
pub(super) struct Tasks {
    /// The folders say which tasks there are, in the order of their ids.
    ids: Vec<(Folder, Vec<TaskId>)>,
    known: Known,
}

/// What the mirror knows of the tasks of each folder, in the order of their ids.
#[derive(Default)]
struct Known {
    texts: Texts,
    rows: [Vec<Row>; 4],
    /// The words that came last, one for each column that has few: most tasks have the same.
    last: [Option<Text>; 3],
}

/// A row of the mirror: a list may have a million, and so its texts have no room of their own.
#[derive(Clone, Copy)]
struct Row {
    task_id: Text,
    worker_type: Option<Text>,
    difficulty_level: Text,
    sensitivity_level: Text,
    priority: Option<i64>,
    created_at: Option<Text>,
    waits_for: Option<Text>,
    archived: Option<Text>,
}

/// Many texts in one.
#[derive(Default)]
struct Texts(String);

/// Where a text stands among many.
#[derive(Clone, Copy)]
struct Text {
    from: u32,
    to: u32,
}

impl Texts {
    fn keep(&mut self, text: &str) -> Text {
        let from = self.end();
        self.0.push_str(text);
        Text { from, to: self.end() }
    }

    /// The same, for a text that often is the one that came before.
    fn keep_word(&mut self, last: &mut Option<Text>, word: &str) -> Text {
        let same = last.filter(|last| self.get(*last) == word);
        *last.insert(same.unwrap_or_else(|| self.keep(word)))
    }

    fn end(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    fn get(&self, text: Text) -> &str {
        self.0.get(text.from as usize..text.to as usize).unwrap_or_default()
    }
}

impl Known {
    /// What the mirror knows of those whose results were retired, or of the others.
    fn read(site: &Site, status: Option<Folder>, archived: bool) -> Result<Self, Trouble> {
        let order = Order::Any;
        let filter = Filter { status, archived: Some(archived), order, ..Filter::default() };
        let mut known = Self::default();
        site.query()?.each_brief(&filter, |record| known.keep(&record))?;
        let Self { texts, rows, .. } = &mut known;
        for rows in rows {
            // They lie there as they came, which often is their order already.
            rows.sort_by(|a, b| texts.get(a.task_id).cmp(texts.get(b.task_id)));
        }
        Ok(known)
    }

    fn keep(&mut self, record: &BriefRecord<'_>) {
        let known = Folder::from_name(record.status);
        // What was retired had ended, whatever somebody made of its row.
        let Some(folder) = known.or(record.archived.map(|_| Folder::Completed)) else { return };
        let Self { texts, rows, last: [worker, difficulty, sensitivity] } = self;
        rows[folder as usize].push(Row {
            task_id: texts.keep(record.task_id),
            worker_type: record.assigned_worker_type.map(|word| texts.keep_word(worker, word)),
            difficulty_level: texts.keep_word(difficulty, record.difficulty_level),
            sensitivity_level: texts.keep_word(sensitivity, record.sensitivity_level),
            priority: record.priority,
            created_at: record.created_at.map(|text| texts.keep(text)),
            waits_for: record.waits_for.map(|text| texts.keep(text)),
            archived: record.archived.map(|text| texts.keep(text)),
        });
    }

    fn text(&self, text: Option<Text>) -> Option<&str> {
        text.map(|text| self.texts.get(text))
    }

    /// A task of a folder, as far as the mirror knows it.
    fn listed<'a>(&'a self, task_id: &'a str, folder: Folder, row: Option<&Row>) -> Listed<'a> {
        Listed {
            task_id,
            status: folder.as_str(),
            worker_type: row.and_then(|row| self.text(row.worker_type)),
            difficulty_level: row.map(|row| self.texts.get(row.difficulty_level)),
            sensitivity_level: row.map(|row| self.texts.get(row.sensitivity_level)),
            priority: row.and_then(|row| row.priority),
            created_at: row.and_then(|row| self.text(row.created_at)),
            waits_for: row.and_then(|row| self.text(row.waits_for)).map(Cow::Borrowed),
            archived: row.and_then(|row| self.text(row.archived)),
        }
    }

    /// All of them, each as the mirror alone knows it.
    fn all(&self) -> Vec<Listed<'_>> {
        let rows = Folder::ALL.into_iter().zip(&self.rows);
        let each = rows.flat_map(|(folder, rows)| rows.iter().map(move |row| (folder, row)));
        each.map(|(folder, row)| self.listed(self.texts.get(row.task_id), folder, Some(row)))
            .collect()
    }
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    let spool = site.spool()?;
    let status = args.status.as_deref();
    if args.archived {
        site.warn_if_it_lacks(ui);
        let known = Known::read(site, status.and_then(Folder::from_name), true)?;
        answer(ui, &archived(&known))?;
        return Ok(Exit::Done);
    }
    let (tasks, waits) = (Tasks::read(site, &spool, status)?, Waits::now(site));
    answer(ui, &(&tasks, &waits))?;
    let (archived, _) = spool.archive().size();
    if archived > 0 {
        let count = Count(archived, "result");
        ui.hint(&format!("{} lists the {count} in the archive", site.call("list --archived")));
    }
    Ok(Exit::Done)
}

/// Tells tasks, each processor a part of them: as one JSON document, or as a table where there is one.
fn answer(ui: &mut Ui, tasks: &impl Telling) -> Result<(), Trouble> {
    if ui.is_json() {
        let parts = in_parts(tasks.count(), FEW, |part| json(tasks, part));
        ui.raw(b"[")?;
        for part in parts {
            ui.raw(&part.map_err(|error| Trouble::new(error.to_string()))?)?;
        }
        return ui.raw(b"]\n");
    }
    if tasks.count() == 0 {
        return Ok(());
    }
    let mut tables = in_parts(tasks.count(), FEW, |part| table(tasks, part));
    Table::line_up(&mut tables);
    let written = |part: Range<usize>| tables[part].iter().map(Table::to_string).collect();
    for text in in_parts::<String>(tables.len(), 1, written) {
        ui.raw(text.as_bytes())?;
    }
    Ok(())
}

/// A part of the elements of a JSON array.
fn json(tasks: &impl Telling, part: Range<usize>) -> serde_json::Result<Vec<u8>> {
    let (mut text, mut is_first, mut done) = (Vec::new(), part.start == 0, Ok(()));
    tasks.each(part, |task| {
        if !std::mem::take(&mut is_first) {
            text.push(b',');
        }
        if done.is_ok() {
            done = serde_json::to_writer(&mut text, task);
        }
    });
    done.map(|()| text)
}

fn table(tasks: &impl Telling, part: Range<usize>) -> Table {
    let mut table = if part.start == 0 { Table::new(&HEAD) } else { Table::below(&HEAD) };
    tasks.each(part, |task| {
        table.row([
            task.task_id,
            task.status,
            task.worker_type.unwrap_or("-"),
            task.difficulty_level.unwrap_or("-"),
            task.sensitivity_level.unwrap_or("-"),
            task.waits_for.as_deref().unwrap_or_default(),
        ]);
    });
    table
}

/// The tasks whose results were retired, as they would run; SQLite would sort so many in a file.
fn archived(known: &Known) -> Vec<Listed<'_>> {
    let mut listed: Vec<Listed<'_>> =
        known.all().into_iter().map(|task| Listed { waits_for: None, ..task }).collect();
    listed.sort_by(|a, b| {
        let key = |task: &Listed<'_>| Reverse(task.priority);
        let by_age = || (a.created_at, a.task_id).cmp(&(b.created_at, b.task_id));
        key(a).cmp(&key(b)).then_with(by_age)
    });
    listed
}

impl Tasks {
    /// Those of a folder, or of all.
    pub(super) fn read(site: &Site, spool: &Spool, status: Option<&str>) -> Result<Self, Trouble> {
        let wanted = |folder: &Folder| status.is_none_or(|status| status == folder.as_str());
        let folders = Folder::ALL.into_iter().filter(wanted);
        let (known, ids) = both(
            || Known::read(site, status.and_then(Folder::from_name), false),
            || {
                let ids = folders.map(|folder| Ok((folder, sorted_ids(site, spool, folder)?)));
                ids.collect::<Result<Vec<_>, Trouble>>()
            },
        );
        let mut ids = ids?;
        leave_out_moved(site, spool, &mut ids)?;
        // Without a mirror there still are the folders.
        Ok(Self { ids, known: known.unwrap_or_default() })
    }

    /// All of them, each with what it waits for.
    pub(super) fn listed(&self, site: &Site) -> Vec<Listed<'_>> {
        let mut listed = Vec::new();
        self.each(&Waits::now(site), 0..self.count(), |task| listed.push(task));
        listed
    }

    fn count(&self) -> usize {
        self.ids.iter().map(|(_, ids)| ids.len()).sum()
    }

    fn each<'a>(&'a self, waits: &Waits, part: Range<usize>, mut tell: impl FnMut(Listed<'a>)) {
        let mut before = 0;
        for (folder, ids) in &self.ids {
            let here = |place: usize| place.saturating_sub(before).min(ids.len());
            let of_part = &ids[here(part.start)..here(part.end)];
            before += ids.len();
            self.each_of(*folder, of_part, |mut task, is_known| {
                match folder {
                    Folder::Pending if is_known => {
                        let own = task.waits_for.take().map(Cow::into_owned);
                        let worker = task.worker_type;
                        let what = status::waits_for(own, worker, &waits.workers, waits.is_paused);
                        task.waits_for = Some(Cow::Owned(what));
                    }
                    // What is in a batch waits for that, and what a hand has for nothing.
                    Folder::Pending | Folder::InProgress => {}
                    Folder::Completed | Folder::Failed => task.waits_for = None,
                }
                tell(task);
            });
        }
    }

    /// Tells each task of a folder, and whether the mirror knows it to be there.
    fn each_of<'a>(
        &'a self,
        folder: Folder,
        ids: &'a [TaskId],
        mut tell: impl FnMut(Listed<'a>, bool),
    ) {
        let known = &self.known;
        let id_of = |row: &Row| known.texts.get(row.task_id);
        let rows = &known.rows[folder as usize];
        let Some(first) = ids.first() else { return };
        let from = rows.partition_point(|row| id_of(row) < first.as_str());
        let mut rows = rows[from..].iter().peekable();
        let mut ids = ids.iter().map(TaskId::as_str).peekable();
        while let Some(id) = ids.next() {
            while rows.next_if(|row| id_of(row) < id).is_some() {}
            let row = match ids.peek() {
                // Two files in `pending` may state the same id.
                Some(next) if *next == id => rows.peek().copied().filter(|row| id_of(row) == id),
                _ => rows.next_if(|row| id_of(row) == id),
            };
            tell(known.listed(id, folder, row), row.is_some());
        }
    }
}

/// What tasks wait for that do not say it themselves.
struct Waits {
    workers: Vec<WorkerState>,
    is_paused: bool,
}

impl Waits {
    fn now(site: &Site) -> Self {
        let is_paused = Note::Pause(None).stands(&site.home);
        Self { workers: super::workers::states(site), is_paused }
    }
}

impl Telling for (&Tasks, &Waits) {
    fn count(&self) -> usize {
        self.0.count()
    }

    fn each(&self, part: Range<usize>, mut tell: impl FnMut(&Listed<'_>)) {
        self.0.each(self.1, part, |task| tell(&task));
    }
}

impl Telling for Vec<Listed<'_>> {
    fn count(&self) -> usize {
        self.len()
    }

    fn each(&self, part: Range<usize>, tell: impl FnMut(&Listed<'_>)) {
        self[part].iter().for_each(tell);
    }
}

/// Leaves a task that moved on while the folders were listed out of those that it has left.
fn leave_out_moved(
    site: &Site,
    spool: &Spool,
    ids: &mut [(Folder, Vec<TaskId>)],
) -> Result<(), Trouble> {
    for n in 0..ids.len() {
        let (earlier, later) = ids.split_at_mut(n + 1);
        let Some((folder, here)) = earlier.last_mut() else { continue };
        let twice: HashSet<TaskId> =
            later.iter().flat_map(|(_, there)| common(here, there)).collect();
        if twice.is_empty() {
            continue;
        }
        let still: HashSet<TaskId> = match folder {
            // Its result is there before its claim goes.
            Folder::InProgress => HashSet::new(),
            // Two files may state the same id, and then it is in both folders.
            _ => site.ids(spool, *folder)?.into_iter().collect(),
        };
        here.retain(|id| !twice.contains(id) || still.contains(id));
    }
    Ok(())
}

/// The ids that two folders share, each in order.
fn common(one: &[TaskId], other: &[TaskId]) -> Vec<TaskId> {
    let (few, many) = if one.len() < other.len() { (one, other) } else { (other, one) };
    few.iter().filter(|id| many.binary_search(id).is_ok()).cloned().collect()
}

/// The ids of the tasks in a folder, in order.
fn sorted_ids(site: &Site, spool: &Spool, folder: Folder) -> Result<Vec<TaskId>, Trouble> {
    let mut ids = site.ids(spool, folder)?;
    ids.sort_unstable();
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cli::site::tests::site;

    /// Id, folder and worker of each task.
    fn listed(site: &Site, status: Option<&str>) -> Vec<String> {
        let tasks = Tasks::read(site, &site.spool_here(), status).unwrap();
        let words = |task: &Listed<'_>| {
            let worker = task.worker_type.unwrap_or("-");
            format!("{} {} {worker}", task.task_id, task.status)
        };
        tasks.listed(site).iter().map(words).collect()
    }

    #[test]
    fn the_folders_say_which_tasks_there_are_and_the_mirror_says_more_of_each() {
        let (_dir, site) = site();
        let put = |folder, name: &str, text: &str| {
            fs::write(site.home.folder(folder).join(name), text).unwrap();
        };
        let same = r#"{"task_id": "same", "description": "x"}"#;
        put(Folder::Pending, "one.json", same);
        put(Folder::Pending, "two.json", same);
        put(Folder::Pending, "new.json", "{}");
        put(Folder::Failed, "b.json", "{}");
        put(Folder::Failed, "a.json", "{}");
        put(Folder::Completed, "moved.json", "{}");
        let bare = ["new pending -", "same pending -", "same pending -", "moved completed -"];
        let failed = ["a failed -", "b failed -"];
        assert_eq!(listed(&site, None), [&bare[..], &failed[..]].concat(), "without a mirror");
        let mirror = rusqlite::Connection::open(site.home.database()).unwrap();
        mirror.execute_batch(crate::mirror::SCHEMA).unwrap();
        for (id, status, archived) in [
            ("same", "pending", None),
            ("gone", "pending", None),
            ("moved", "failed", None),
            ("b", "failed", None),
            ("old", "failed", Some("2026-10.jsonl.zst")),
        ] {
            let sql = "INSERT INTO task_master (task_id, task_type, difficulty_level,
                sensitivity_level, assigned_worker_type, status, archived)
                VALUES (?1, 'general', 'low', 'public', 'local', ?2, ?3)";
            mirror.execute(sql, (id, status, archived)).unwrap();
        }
        let known = ["new pending -", "same pending local", "same pending local"];
        assert_eq!(listed(&site, Some("pending")), known);
        assert_eq!(listed(&site, Some("failed")), ["a failed -", "b failed local"]);
        let all = [&known[..], &["moved completed -", "a failed -", "b failed local"]].concat();
        assert_eq!(listed(&site, None), all, "it is where its folder says");
        let tasks = Tasks::read(&site, &site.spool_here(), None).unwrap();
        let waits = Waits::now(&site);
        for cut in 0..=tasks.count() {
            let mut parts = Vec::new();
            for part in [0..cut, cut..tasks.count()] {
                tasks.each(&waits, part, |task| parts.push(serde_json::to_value(task).unwrap()));
            }
            assert_eq!(
                parts,
                serde_json::to_value(tasks.listed(&site)).unwrap().as_array().unwrap()[..]
            );
        }
        let known = Known::read(&site, Some(Folder::Failed), true).unwrap();
        let old = archived(&known);
        assert_eq!((old.len(), old[0].task_id, old[0].archived.is_some()), (1, "old", true));
    }
}
