//! `koubou maintain`, killed before every call that changes the home, and with every such call failed:
//! at each moment every result is in its folder or in the archive and every month of the journal can be
//! read whole, and after the next run each result is in the archive once and the old month packed.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use nix::errno::Errno;
use serde_json::{Value, json};

use crate::power::{self, Disk};
use crate::tracer::{self, Fault, Plan, Run};
use crate::trial::{Home, spread};

const OLD: &str = "2026-01-05T00:00:00.000Z";
/// The results, and in which folder each is. Those of two months make two files.
const RESULTS: &[(&str, &str, &str)] = &[
    ("a", "completed", OLD),
    ("b", "completed", OLD),
    ("c", "failed", "2026-02-05T00:00:00.000Z"),
    ("odd", "failed", OLD),
];
/// The months of the journal; the newest two stay as they are.
const MONTHS: [&str; 3] = ["2026-01", "2026-02", "2026-03"];
const REJECTED: &str = "{\"description\": 5}";

/// Every kind of fault at every point, or a share of them: rows of the table, and how many ended badly.
pub(crate) fn try_all(full: bool) -> (Vec<String>, usize) {
    let kinds = [
        ("maintain, kill -9", Fault::Kill),
        ("maintain, ENOSPC", Fault::Error(Errno::ENOSPC)),
        ("maintain, EIO", Fault::Error(Errno::EIO)),
        ("maintain, short write", Fault::ShortWrite),
    ];
    let (mut rows, mut violations) = (Vec::new(), 0);
    for (name, fault) in kinds {
        let plan = Plan { limit: Duration::from_secs(20), ..Plan::undisturbed(fault) };
        let whole = Shop(&shop()).run(plan);
        assert_eq!(whole.code, Some(0), "an undisturbed run goes well");
        let step = if full { 1 } else { whole.points.div_ceil(20).max(1) };
        let points: Vec<usize> = (0..whole.points).step_by(step).collect();
        let found = spread(name, &points, |at| try_one(Plan { at: *at, ..plan }));
        rows.push(format!(
            "{name:<22} {:>6} of {:>4} points {found:>4} violations",
            points.len(),
            whole.points
        ));
        violations += found;
        if whole.points < 10 {
            rows.push(format!("{name}: too few points, the test does nothing"));
            violations += 1;
        }
    }
    let home = shop();
    let before = Disk::of(&home.path());
    let plan = Plan { record: true, ..Plan::undisturbed(Fault::None) };
    let run = Shop(&home).run(plan);
    let name = "maintain, power loss";
    let (states, found) =
        power::try_states(name, full, &home.path(), &before, &run.changes, finish);
    rows.push(format!("{name:<22} {states:>6} states         {found:>4} violations"));
    violations += found;
    (rows, violations)
}

struct Shop<'a>(&'a Home);

/// A home whose results are all old, with a mirror that knows them.
fn shop() -> Home {
    let home = Home::bare();
    let init = home.koubou(&["init"]).output().unwrap();
    assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
    home.write_config();
    for (id, folder, at) in RESULTS {
        let result = json!({
            "task_id": id, "status": folder, "content": "an answer", "timestamp": at,
            "created_at": at, "finished_at": at, "attempts": [], "cost_usd": 0, "warnings": [],
        });
        let path = home.path().join(format!("tasks/{folder}/{id}.json"));
        fs::write(path, result.to_string()).unwrap();
    }
    fs::write(home.path().join("tasks/failed/odd.rejected"), REJECTED).unwrap();
    for month in MONTHS {
        fs::write(home.path().join(format!("journal/{month}.jsonl")), lines_of(month)).unwrap();
    }
    let rebuilt = home.koubou(&["rebuild"]).output().unwrap();
    assert!(rebuilt.status.success(), "{}", String::from_utf8_lossy(&rebuilt.stderr));
    home
}

/// What the journal says of a month: enough that it is not written in one go.
fn lines_of(month: &str) -> String {
    let line = |n: usize| {
        let at = format!("{month}-05T00:00:00.000Z");
        let end = json!({
            "at": at, "event": "end", "task": "a", "attempt": format!("{month}-{n}"),
            "worker_type": "cloud", "cost_usd": 0.25, "outcome": "completed",
        });
        format!("{end}\n")
    };
    (0..200).map(line).collect()
}

fn try_one(plan: Plan) -> Vec<String> {
    let home = shop();
    let run = Shop(&home).run(plan);
    let mut complaints = finish(&home);
    if !complaints.is_empty() {
        complaints.insert(0, format!("struck `{}` ({} times)", run.call, run.struck));
    }
    complaints
}

/// Looks at what a run that was cut short left, and has the next one finish it.
fn finish(home: &Home) -> Vec<String> {
    let shop = Shop(home);
    let mut complaints = shop.check_at_any_moment();
    let output = home.koubou(&["maintain"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() != Some(0) {
        complaints.push(format!("the next run ended with {:?}: {said}", output.status));
    }
    complaints.extend(shop.check_at_the_end());
    complaints
}

impl Shop<'_> {
    fn run(&self, plan: Plan) -> Run {
        let mut command = self.0.koubou(&["maintain"]);
        command.stderr(Stdio::null()).stdout(Stdio::null());
        tracer::run(command, &self.0.path(), plan)
    }

    /// Whole lines of all archives by their id; what is torn at the end of one does not count.
    fn archived(&self) -> BTreeMap<String, Vec<Value>> {
        let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for path in self.archives() {
            let file = fs::File::open(path).unwrap();
            let mut text = Vec::new();
            let _ = std::io::copy(&mut zstd::stream::read::Decoder::new(file).unwrap(), &mut text);
            for line in text.split_inclusive(|byte| *byte == b'\n') {
                let Ok(line) = serde_json::from_slice::<Value>(line) else { continue };
                found.entry(line["task_id"].as_str().unwrap().to_owned()).or_default().push(line);
            }
        }
        found
    }

    fn archives(&self) -> Vec<PathBuf> {
        let dir = fs::read_dir(self.0.path().join("tasks/archive")).unwrap();
        let paths = dir.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "zst")).collect()
    }

    /// What can be read of a month of the journal: the plain file where there is one, else the packed one.
    fn month(&self, month: &str) -> Option<String> {
        let path = self.0.path().join(format!("journal/{month}.jsonl"));
        if let Ok(plain) = fs::read_to_string(&path) {
            return Some(plain);
        }
        let packed = fs::File::open(path.with_extension("jsonl.zst")).ok()?;
        String::from_utf8(zstd::stream::decode_all(packed).ok()?).ok()
    }

    /// The old month is packed, the others are not, and what was paid is known.
    fn check_journal(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut names: Vec<String> = fs::read_dir(self.0.path().join("journal"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        if names != ["2026-01.jsonl.zst", "2026-02.jsonl", "2026-03.jsonl"] {
            complaints.push(format!("the journal is {names:?}"));
        }
        let rebuilt = self.0.koubou(&["rebuild"]).output().unwrap();
        if !rebuilt.status.success() {
            complaints.push(String::from_utf8_lossy(&rebuilt.stderr).into_owned());
        }
        let db = rusqlite::Connection::open(self.0.path().join("db/koubou.db")).unwrap();
        let sql = "SELECT SUM(cost_usd) FROM cost_tracking";
        let paid = db.query_row(sql, [], |row| row.get::<_, f64>(0));
        if paid != Ok(150.0) {
            complaints.push(format!("{paid:?} was paid, and not 150"));
        }
        complaints
    }

    fn check_at_any_moment(&self) -> Vec<String> {
        let archived = self.archived();
        let mut complaints = Vec::new();
        for month in MONTHS {
            if self.month(month) != Some(lines_of(month)) {
                complaints.push(format!("{month} of the journal is not what it was"));
            }
        }
        for (id, folder, _) in RESULTS {
            let there = self.0.path().join(format!("tasks/{folder}/{id}.json")).exists();
            if !there && !archived.contains_key(*id) {
                complaints.push(format!("`{id}` is neither in {folder} nor in the archive"));
            }
            let shown = self.0.koubou(&["show", id, "--json"]).output().unwrap();
            if !shown.status.success() {
                complaints.push(format!("`{id}` cannot be shown"));
            }
        }
        complaints
    }

    fn check_at_the_end(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for path in self.archives() {
            if let Err(error) = zstd::stream::decode_all(fs::File::open(&path).unwrap()) {
                complaints.push(format!("{} is no valid zstd: {error}", path.display()));
            }
        }
        let archived = self.archived();
        for (id, folder, _) in RESULTS {
            let lines = archived.get(*id).map_or(0, Vec::len);
            if lines != 1 {
                complaints.push(format!("`{id}` is in the archive {lines} times"));
            }
            if self.0.path().join(format!("tasks/{folder}/{id}.json")).exists() {
                complaints.push(format!("`{id}` is still in {folder}"));
            }
        }
        if archived.get("odd").is_none_or(|lines| lines[0]["rejected"] != REJECTED) {
            complaints.push("the rejected drop is not with its report".to_owned());
        }
        for folder in ["tmp", "tasks/failed", "tasks/completed", "tasks/archive/.leaving"] {
            let Ok(dir) = fs::read_dir(self.0.path().join(folder)) else { continue };
            complaints.extend(dir.map(|entry| format!("left over: {:?}", entry.unwrap().path())));
        }
        complaints.extend(self.check_mirror());
        complaints.extend(self.check_journal());
        complaints
    }

    fn check_mirror(&self) -> Option<String> {
        let db = rusqlite::Connection::open(self.0.path().join("db/koubou.db")).ok()?;
        let sql = "SELECT COUNT(*) FROM task_master WHERE archived IS NOT NULL";
        let counted = db.query_row(sql, [], |row| row.get::<_, i64>(0));
        let all = RESULTS.len() as i64;
        (counted != Ok(all)).then(|| format!("the mirror knows {counted:?} archived, not {all}"))
    }
}
