//! What is different in a workspace that is a git tree: against the last commit, new files too.
//!
//! git only reads here: no index, object or lock is written. Programs that a tree's own
//! settings name are not run, for an agent may have written in it; only the filters by which
//! it stores its files are. Submodules are left out.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::program::{self, Program, USUAL_PATH};
use super::workspace::Room;
use super::{Job, Leash};
use crate::base::words;
use crate::task::outcome::Outcome;

/// How long one call of git may take.
const TIME: Duration = Duration::from_secs(60);
/// The most new files that are shown.
const MOST_NEW: usize = 1_000;
/// What git must not do on its own.
const CAREFUL: [&str; 10] = [
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.quotePath=false",
    "-c",
    "color.ui=never",
    "-c",
    "core.pager=cat",
];
const PLAIN: [&str; 4] =
    ["--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all"];

/// The outcome with what is different in the folder that its task names, if that is a git tree.
pub(super) fn beside(
    outcome: Outcome,
    room: Option<&Room>,
    job: &Job,
    inherited: &[(String, String)],
) -> Outcome {
    let Some(room) = room.filter(|room| room.is_named()) else { return outcome };
    let mut warnings = Vec::new();
    let diff = Git { folder: &room.entrance(), job, inherited }.diff(&mut warnings);
    match outcome {
        Outcome::Done(mut answer) => {
            answer.diff = diff;
            answer.warnings.extend(warnings);
            Outcome::Done(answer)
        }
        Outcome::Failed(mut failure) => {
            failure.diff = diff;
            Outcome::Failed(failure)
        }
    }
}

struct Git<'a> {
    folder: &'a Path,
    job: &'a Job,
    inherited: &'a [(String, String)],
}

/// What git said, and whether it went well.
struct Said {
    text: String,
    code: Option<i32>,
    is_cut: bool,
}

impl Git<'_> {
    fn diff(&self, warnings: &mut Vec<String>) -> Option<String> {
        let inside = self.say(&["rev-parse", "--is-inside-work-tree"], 100);
        if inside.is_none_or(|said| said.text.trim() != "true") {
            // No git here, or a tree of somebody else's, in which git reads nothing.
            if self.folder.join(".git/HEAD").exists() {
                warnings.push("git does not read the workspace, so there is no `diff`".into());
            }
            return None;
        }
        let base = self.base()?;
        let mut most = self.job.max_output;
        let changed = [&["diff"][..], &PLAIN, &[&base, "--", "."]].concat();
        let changed = self.say(&changed, most)?;
        if changed.code != Some(0) {
            warnings.push("git could not say what is different in the workspace".into());
            return None;
        }
        most = most.saturating_sub(changed.text.len() as u64);
        let (mut diff, mut is_cut) = (changed.text, changed.is_cut);
        let (new, many) = self.new_files()?;
        for name in &new {
            if is_cut {
                break;
            }
            let shown = [&["diff"][..], &PLAIN, &["--no-index", "--", "/dev/null", name]].concat();
            let shown = self.say(&shown, most)?;
            most = most.saturating_sub(shown.text.len() as u64);
            diff.push_str(&shown.text);
            is_cut |= shown.is_cut;
        }
        if is_cut || many {
            warnings.push(format!(
                "`diff` was cut at {} and {}: raise `max_result_bytes`, or look into the workspace",
                words::bytes(diff.len() as u64),
                words::Count(new.len() as u64, "new file"),
            ));
        }
        Some(diff)
    }

    /// The last commit, or the empty tree where there is none yet.
    fn base(&self) -> Option<String> {
        let head = self.say(&["rev-parse", "--quiet", "--verify", "HEAD"], 100)?;
        let found = match head.code {
            Some(0) => head,
            _ => self.say(&["hash-object", "-t", "tree", "/dev/null"], 100)?,
        };
        Some(found.text.trim().to_owned()).filter(|name| !name.is_empty())
    }

    /// The files that git does not know and was not told to ignore, and whether there are more.
    fn new_files(&self) -> Option<(Vec<String>, bool)> {
        let listed =
            self.say(&["ls-files", "--others", "--exclude-standard", "-z", "--", "."], 1 << 20)?;
        // The last name may be half of one, and what ends so is a tree of its own.
        let whole = listed.text.rsplit_once('\0').map_or("", |(whole, _)| whole);
        let names = whole.split('\0').filter(|name| !name.is_empty() && !name.ends_with('/'));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        let many = listed.is_cut || names.len() > MOST_NEW;
        names.truncate(MOST_NEW);
        Some((names, many))
    }

    fn say(&self, arguments: &[&str], most: u64) -> Option<Said> {
        let path = self.inherited.iter().find(|(name, _)| name == "PATH");
        let path = path.map_or(USUAL_PATH, |(_, path)| path.as_str());
        let mut command = Command::new(program::find("git", path).ok()?);
        command
            .args(CAREFUL)
            .args(arguments)
            .current_dir(self.folder)
            .env_clear()
            .env("PATH", path)
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env(program::MARK, &self.job.attempt)
            .stdin(Stdio::null());
        let name = "git".into();
        let program = Program { name, command, keep: most, ear: None, live: None, mark: None };
        // A stop does not hurry it: it takes its moment, and the work is done already.
        let ran = program.run(TIME, &self.job.scratch, &Leash::default()).ok()?;
        let (text, warnings) = ran.content(most);
        Some(Said { text, code: ran.exit_code(), is_cut: !warnings.is_empty() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::outcome::Answer;
    use crate::worker::Workspace;
    use crate::worker::tests::job;
    use std::fs::{self, File};

    fn git(folder: &Path, arguments: &[&str]) {
        let made = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
            .args(arguments)
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
    }

    /// Whether there is a git: without one there is no diff, and nothing to be tested.
    fn has_git() -> bool {
        Command::new("git").arg("--version").output().is_ok()
    }

    fn look(job: &Job, folder: &Path) -> (Option<String>, Vec<String>) {
        let opened = File::open(folder).unwrap();
        let room = Room::named(Workspace::of(folder.to_owned(), opened));
        let path = std::env::var("PATH").unwrap_or_default();
        match beside(Answer::default().into(), Some(&room), job, &[("PATH".into(), path)]) {
            Outcome::Done(answer) => (answer.diff, answer.warnings),
            Outcome::Failed(failure) => panic!("{failure:?}"),
        }
    }

    #[test]
    fn what_was_changed_and_what_is_new_is_shown() {
        if !has_git() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let job = job("");
        assert_eq!(look(&job, dir.path()).0, None, "no git tree");
        git(dir.path(), &["init", "-q"]);
        fs::write(dir.path().join("old"), "one\n").unwrap();
        assert!(look(&job, dir.path()).0.unwrap().contains("+one"), "nothing is committed yet");
        git(dir.path(), &["add", "."]);
        git(dir.path(), &["commit", "-qm", "a"]);
        assert_eq!(look(&job, dir.path()).0.unwrap(), "");
        fs::write(dir.path().join("old"), "two\n").unwrap();
        fs::write(dir.path().join("新しい"), "three\n").unwrap();
        fs::write(dir.path().join(".gitignore"), "ignored\n").unwrap();
        fs::write(dir.path().join("ignored"), "four\n").unwrap();
        let (diff, warnings) = look(&job, dir.path());
        let diff = diff.unwrap();
        assert!(
            diff.contains("-one\n+two") && diff.contains("b/新しい") && diff.contains("+three")
        );
        assert!(!diff.contains("four") && warnings.is_empty(), "{diff} {warnings:?}");
    }

    #[test]
    fn a_long_diff_is_cut_with_a_warning() {
        if !has_git() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "-q"]);
        fs::write(dir.path().join("a"), "line\n".repeat(10_000)).unwrap();
        fs::write(dir.path().join("b"), "line\n".repeat(10_000)).unwrap();
        let mut job = job("");
        job.max_output = 5_000;
        let (diff, warnings) = look(&job, dir.path());
        assert!(diff.unwrap().len() <= 5_000);
        assert!(warnings[0].contains("max_result_bytes"), "{warnings:?}");
    }

    #[test]
    fn nothing_that_the_tree_names_is_run() {
        if !has_git() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "-q"]);
        fs::write(dir.path().join("a"), "one\n").unwrap();
        git(dir.path(), &["add", "."]);
        git(dir.path(), &["commit", "-qm", "a"]);
        let trap = dir.path().join(".git/trap");
        let command = format!("touch {}", trap.display());
        for key in ["core.fsmonitor", "diff.external", "diff.x.textconv", "diff.x.command"] {
            git(dir.path(), &["config", key, &command]);
        }
        fs::write(dir.path().join(".git/info/attributes"), "* diff=x\n").unwrap();
        fs::write(dir.path().join("a"), "two\n").unwrap();
        look(&job(""), dir.path());
        assert!(!trap.exists(), "git ran what the tree named");
    }
}
