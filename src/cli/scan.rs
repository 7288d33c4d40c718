//! `koubou scan`: looks for secrets, personal data and markings in files, as the router does in tasks.
//!
//! It needs no home; where there is one, its settings' own patterns, words and
//! allowed values hold, too. It prints where something stands and never what.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::language::told;
use super::trouble::Trouble;
use super::ui::Progress;
use super::{Done, Exit, Site, Ui};
use crate::base::files::{self, At, ReadError};
use crate::base::words::{Count, tame};
use crate::route::sensitivity::{AllowKey, SensitivityScanner};
use crate::task::result::Reason;

/// Look for secrets and personal data in files and folders; exit 1 where there are any
///
/// Folders are gone through whole, but for `.git`; links are not followed. A file
/// that holds no text is passed over and counted. `-` reads standard input.
///
/// In a Git hook: `git diff --cached --name-only -z --diff-filter=d | xargs -0r koubou scan -q --`
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Files, folders, or `-`
    #[arg(value_name = "PATH|-", required_unless_present = "allow")]
    paths: Vec<PathBuf>,
    /// Read one value from standard input, and print the hash that lets it pass
    ///
    /// The hash goes into `allow` below `security_policy` in config/agent.yaml. The key
    /// that it is made with is made once and lies in config/allow.key.
    #[arg(long, conflicts_with = "paths")]
    allow: bool,
}

/// The largest file that is read; a larger one counts as found.
const LARGEST: u64 = 64 << 20;
/// How much of a file tells whether it is text.
const HEAD: usize = 8 << 10;

#[derive(Serialize, Default)]
struct Answer {
    findings: Vec<Finding>,
    /// How many files were looked through.
    files: u64,
    /// Files that hold no text.
    passed_over: Vec<String>,
    /// Paths that could not be read, and why.
    unreadable: Vec<String>,
}

#[derive(Serialize)]
struct Finding {
    path: String,
    line: usize,
    column: usize,
    #[serde(flatten)]
    reason: Reason,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    if args.allow {
        return allow(ui, site);
    }
    let mut answer = Answer::default();
    let router = site.config_if_any()?.map(|config| config.router);
    let own = SensitivityScanner::default();
    let scanner = router.as_ref().map_or(&own, |router| &router.scanner);
    let mut progress = ui.progress_of("looked at");
    for path in &args.paths {
        answer.look(path, scanner, &mut progress);
    }
    drop(progress);
    ui.answer(&answer)?;
    for why in &answer.unreadable {
        ui.warn(why);
    }
    if !answer.passed_over.is_empty() {
        let count = Count(answer.passed_over.len() as u64, "file");
        ui.say(&format!("{count} without text passed over"));
    }
    let clean = answer.findings.is_empty() && answer.unreadable.is_empty();
    Ok(if clean { Exit::Done } else { Exit::Failed })
}

impl Answer {
    fn look(&mut self, path: &Path, scanner: &SensitivityScanner, progress: &mut Progress) {
        if path == Path::new("-") {
            let mut bytes = Vec::new();
            match io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes) {
                Ok(_) => self.scan("-", &bytes, scanner),
                Err(error) => self.unreadable.push(format!("cannot read standard input: {error}")),
            }
            return;
        }
        let is_git = |entry: &walkdir::DirEntry| entry.depth() > 0 && entry.file_name() == ".git";
        let walk = walkdir::WalkDir::new(path).sort_by_file_name().into_iter();
        let entries: Vec<_> = walk.filter_entry(|entry| !is_git(entry)).collect();
        let all = entries.len() as u64;
        for (entry, done) in entries.into_iter().zip(1..) {
            progress.show(done, all - done);
            match entry {
                Ok(entry) if entry.file_type().is_file() => self.open(entry.path(), scanner),
                Ok(_) => {}
                Err(error) => self.unreadable.push(tame(&error.to_string())),
            }
        }
    }

    fn open(&mut self, path: &Path, scanner: &SensitivityScanner) {
        let shown = tame(&path.to_string_lossy());
        match files::read(path, LARGEST) {
            Ok(bytes) => self.scan(&shown, &bytes, scanner),
            Err(error @ ReadError::TooLarge { .. }) => {
                let why = format!("the file cannot be looked through: {error}");
                self.found(&shown, "", Reason::new("scan_budget", "budget", "", why));
            }
            Err(error) => self.unreadable.push(format!("`{shown}`: {}", sentence(&error))),
        }
    }

    fn scan(&mut self, path: &str, bytes: &[u8], scanner: &SensitivityScanner) {
        if bytes[..bytes.len().min(HEAD)].contains(&0) {
            self.passed_over.push(path.to_owned());
            return;
        }
        self.files += 1;
        let text = String::from_utf8_lossy(bytes);
        let mut reasons = Vec::new();
        scanner.scan("", &text, &mut reasons);
        for reason in reasons {
            self.found(path, &text, reason);
        }
    }

    fn found(&mut self, path: &str, text: &str, reason: Reason) {
        let at = reason.span.map_or(0, |(start, _)| start.min(text.len()));
        let before = &text.as_bytes()[..at];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |n| n + 1);
        let column = 1 + String::from_utf8_lossy(&before[start..]).chars().count();
        self.findings.push(Finding { path: path.to_owned(), line, column, reason });
    }
}

fn sentence(error: &ReadError) -> String {
    match error {
        ReadError::File(error) => error.source.to_string(),
        other => other.to_string(),
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { path, line, column, reason } in &self.findings {
            write!(
                f,
                "{path}:{line}:{column}: {} [{}",
                told(&tame(&reason.why)),
                tame(&reason.rule)
            )?;
            if let Some(view) = reason.view.as_deref().filter(|view| *view != "plain") {
                write!(f, "{}", told(&format!(", read as {view}")))?;
            }
            match &reason.shape {
                Some(shape) => writeln!(f, ", {shape}]")?,
                None => writeln!(f, "]")?,
            }
        }
        Ok(())
    }
}

/// Prints the keyed hash of a value, and makes the key where there is none.
fn allow(ui: &mut Ui, site: &Site) -> Done {
    site.spool()?;
    let path = site.home.config_file().with_file_name("allow.key");
    if !files::exists(&path) {
        make_key(&path)?;
    }
    let bytes = fs::read(&path).at("read", &path)?;
    let key = AllowKey::new(bytes).ok_or_else(|| {
        Trouble::new(format!("`{}` is too short for a key", path.display()))
            .hint("remove it, and the hashes that were made with it")
    })?;
    let mut value = String::new();
    io::stdin()
        .lock()
        .read_to_string(&mut value)
        .map_err(|error| Trouble::new("cannot read standard input").because(error.to_string()))?;
    let value = value.trim_end_matches(['\r', '\n']);
    if value.is_empty() {
        return Err(Trouble::usage("there is no value on standard input")
            .hint("printf %s VALUE | koubou scan --allow"));
    }
    ui.verbatim(&key.hash(value))?;
    Ok(Exit::Done)
}

fn make_key(path: &Path) -> Result<(), Trouble> {
    let source = Path::new("/dev/urandom");
    let mut key = [0; 32];
    fs::File::open(source).and_then(|mut file| file.read_exact(&mut key)).at("read", source)?;
    let mut options = OpenOptions::new();
    let mut file =
        options.write(true).create_new(true).mode(0o600).open(path).at("create", path)?;
    file.write_all(&key).and_then(|()| file.sync_all()).at("write", path)?;
    Ok(())
}
