//! Where we are: the home, its settings, its daemon, its mirror.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::trouble::Trouble;
use super::ui::Ui;
use crate::base::clock;
use crate::base::files::{self, ReadError};
use crate::base::words;
use crate::config::{self, Config, ConfigErrors, Environment};
use crate::mirror::MirrorError;
use crate::mirror::query::Reader;
use crate::spool::lock;
use crate::spool::notes::Note;
use crate::spool::{Home, Spool};
use crate::task::{Folder, TaskId, wire};

/// So often a task is followed to where it moves while it is read.
const MOST_MOVES: usize = 16;

/// The home that the original design has.
const SYSTEM_HOME: &str = "/var/koubou";

/// What is larger than any task is not read to learn its id.
const MOST_READ_FOR_AN_ID: u64 = 16 << 20;

#[derive(Clone)]
pub(super) struct Site {
    pub(super) home: Home,
    /// Whether `--home` said so: then what we tell people to type says so too.
    is_stated: bool,
}

impl Site {
    /// The home that is meant: `--home`, `KOUBOU_HOME`, `/var/koubou`, or one's own.
    pub(super) fn find(stated: Option<&Path>) -> Self {
        let from_env =
            || env::var_os("KOUBOU_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let path = stated.map(Path::to_owned).or_else(from_env).unwrap_or_else(default_home);
        // A path that does not move when somebody changes directory.
        let home = Home::at(std::path::absolute(&path).unwrap_or(path));
        Self { home, is_stated: stated.is_some() }
    }

    /// The same home by the path that no link leads to: who works it stays in it, wherever the
    /// link points by then.
    pub(super) fn resolved(&self) -> Self {
        let real = std::fs::canonicalize(self.home.path());
        let home = real.map_or_else(|_| self.home.clone(), Home::at);
        Self { home, is_stated: self.is_stated }
    }

    /// A command for this home in a sentence, as it is to be typed.
    pub(super) fn call(&self, command: &str) -> String {
        format!("`{}`", self.command(command))
    }

    /// A command for this home, as it is to be typed.
    pub(super) fn command(&self, command: &str) -> String {
        match self.is_stated {
            true => format!("koubou --home {} {command}", words::shell_path(self.home.path())),
            false => format!("koubou {command}"),
        }
    }

    /// The spool, if somebody has made a home here.
    pub(super) fn spool(&self) -> Result<Arc<Spool>, Trouble> {
        if !self.home.exists() {
            let path = words::tame(&self.home.path().to_string_lossy());
            return Err(Trouble::new(format!("`{path}` is not a koubou home"))
                .hint(format!("`koubou --home {path} init` makes one")));
        }
        self.home.check_format()?;
        Ok(Arc::new(Spool::new(self.home.clone())))
    }

    /// The spool of a home that is known to be one.
    pub(super) fn spool_here(&self) -> Spool {
        Spool::new(self.home.clone())
    }

    /// The settings of the home, if there is one.
    pub(super) fn config_if_any(&self) -> Result<Option<Config>, Trouble> {
        match self.home.config_file().exists() {
            true => self.config().map(Some),
            false => Ok(None),
        }
    }

    /// The settings, complete and checked.
    pub(super) fn config(&self) -> Result<Config, Trouble> {
        self.try_config()?.map_err(|errors| {
            Trouble::new(format!("the settings are wrong\n{errors}"))
                .hint("mend them, then try again")
        })
    }

    /// The variables that the settings look at.
    pub(super) fn environment(&self) -> Result<Environment, Trouble> {
        let dotenv = settings(&self.home.env_file())?.unwrap_or_default();
        Ok(Environment::new(Self::inherited(), &dotenv, clock::wall()))
    }

    /// The settings, or every mistake in them.
    pub(super) fn try_config(&self) -> Result<Result<Config, ConfigErrors>, Trouble> {
        let path = self.home.config_file();
        let yaml = settings(&path)?.ok_or_else(|| {
            Trouble::new(format!("there is no `{}`", words::tame(&path.to_string_lossy())))
                .hint("`koubou init` makes it, with every setting and its default")
        })?;
        let environment = self.environment()?;
        Ok(config::load(&yaml, &path, self.home.path(), &environment))
    }

    /// Our own environment, from which a worker takes the few variables that every program needs.
    pub(super) fn inherited() -> Vec<(String, String)> {
        env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The pid of the daemon, if one is alive.
    pub(super) fn daemon(&self) -> Option<u32> {
        lock::daemon(&self.home)
    }

    /// Says how to get work done where nobody does it.
    pub(super) fn hint_if_idle(&self, ui: &mut Ui) {
        if self.daemon().is_none() {
            ui.hint(&format!("no daemon is working this home; {} starts one", self.call("start")));
        }
    }

    /// The mirror, if it can be read.
    pub(super) fn query(&self) -> Result<Reader, Trouble> {
        Reader::open(&self.database()).map_err(|error| self.without_a_mirror(error))
    }

    /// The same; of a home in which nothing was done yet one that knows of nothing.
    pub(super) fn query_or_nothing(&self) -> Result<Reader, Trouble> {
        match Reader::open(&self.database()) {
            Err(MirrorError::Missing { .. }) if self.is_unused() => Ok(Reader::of_nothing()?),
            opened => opened.map_err(|error| self.without_a_mirror(error)),
        }
    }

    fn without_a_mirror(&self, error: MirrorError) -> Trouble {
        match error.is_busy() {
            true => error.into(),
            false => Trouble::from(error)
                .hint(format!("{} makes the database anew from the folders", self.call("rebuild"))),
        }
    }

    /// Whether no task has begun in the home.
    fn is_unused(&self) -> bool {
        let spool = self.spool_here();
        let is_empty = |folder| spool.count(folder).is_ok_and(|count| count == 0);
        let begun = [Folder::InProgress, Folder::Completed, Folder::Failed];
        begun.into_iter().all(is_empty) && spool.archive().size().0 == 0
    }

    /// Says where the mirror does not know all that was before.
    pub(super) fn warn_if_it_lacks(&self, ui: &mut Ui) {
        if Note::Rebuild.stands(&self.home) {
            ui.warn("the database does not know all that was before: the next `koubou start` makes it anew");
        }
    }

    /// Where the mirror is.
    pub(super) fn database(&self) -> PathBuf {
        self.database_of(self.config().ok().as_ref())
    }

    /// Where the mirror is by these settings.
    pub(super) fn database_of(&self, config: Option<&Config>) -> PathBuf {
        let stated = || env::var_os("KOUBOU_DB").map(PathBuf::from);
        let path = config.and_then(|config| config.database.clone()).or_else(stated);
        path.unwrap_or_else(|| self.home.database())
    }

    /// The ids of the tasks in a folder.
    pub(super) fn ids(&self, spool: &Spool, folder: Folder) -> Result<Vec<TaskId>, Trouble> {
        if folder != Folder::Pending {
            return Ok(spool.ids(folder)?);
        }
        let dir = self.home.folder(folder);
        Ok(spool.waiting()?.iter().map(|name| id_in(&dir, name)).collect())
    }

    /// Reads a task where it is. It may move on between the look and the reading, and is then read
    /// where it is by then.
    pub(super) fn read_in_place<T>(
        &self,
        spool: &Spool,
        id: &TaskId,
        read: impl Fn(&Located) -> Result<T, Trouble>,
    ) -> Result<(Located, T), Trouble> {
        let mut located = self.locate(spool, id)?;
        for _ in 0..MOST_MOVES {
            match read(&located) {
                Ok(done) => return Ok((located, done)),
                Err(trouble) => {
                    let now = self.locate(spool, id)?;
                    if (now.folder, &now.path) == (located.folder, &located.path) {
                        return Err(trouble);
                    }
                    located = now;
                }
            }
        }
        read(&located).map(|done| (located, done))
    }

    /// The task of this id; where none has it, the one that waits in a file of this name.
    pub(super) fn locate(&self, spool: &Spool, id: &TaskId) -> Result<Located, Trouble> {
        let at = |folder| Located { id: id.clone(), folder, path: spool.file(folder, id) };
        let dir = self.home.folder(Folder::Pending);
        let own_name = std::ffi::OsString::from(id.file_name());
        let found = spool.find(id);
        if let Some(folder) = found.filter(|folder| *folder != Folder::Pending) {
            return Ok(at(folder));
        }
        let by_name = found.map(|_| id_in(&dir, &own_name));
        if by_name.as_ref() == Some(id) {
            return Ok(at(Folder::Pending));
        }
        let names = spool.waiting().unwrap_or_default();
        let under_another_name =
            names.into_iter().find(|name| *name != own_name && id_in(&dir, name) == *id);
        if let Some(name) = under_another_name {
            return Ok(Located { path: dir.join(name), ..at(Folder::Pending) });
        }
        if let Some(by_name) = by_name {
            return Ok(Located { id: by_name, ..at(Folder::Pending) });
        }
        // One that was claimed while we looked was seen neither here nor there.
        spool.find(id).map(at).ok_or_else(|| no_such_task(spool, id))
    }
}

/// A task, where it is, and the file that it is there.
pub(super) struct Located {
    pub(super) id: TaskId,
    pub(super) folder: Folder,
    pub(super) path: PathBuf,
}

/// The id of a file in `pending`: the one that it states, else the one of its name.
pub(super) fn id_in(pending: &Path, name: &std::ffi::OsStr) -> TaskId {
    let text = name.to_string_lossy();
    let stem = text.strip_suffix(".json").unwrap_or(&text);
    let stated = || {
        let bytes = files::read(&pending.join(name), MOST_READ_FOR_AN_ID).ok()?;
        // Few files state one, and many may wait: only those are read as tasks.
        const KEY: &[u8] = b"\"task_id\"";
        bytes.windows(KEY.len()).find(|window| *window == KEY)?;
        Some(wire::read(stem, &bytes).ok()?.id)
    };
    stated().unwrap_or_else(|| TaskId::from_stem(stem))
}

/// The text of a file of settings, if there is one.
fn settings(path: &Path) -> Result<Option<String>, Trouble> {
    const LONGEST: u64 = 16 << 20;
    let shown = words::tame(&path.to_string_lossy());
    match files::read_linked(path, LONGEST) {
        Ok(bytes) => String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| Trouble::new(format!("`{shown}` is not UTF-8")).hint("save it as UTF-8")),
        Err(ReadError::File(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(ReadError::File(error)) => Err(error.into()),
        Err(error) => {
            let hint = match error {
                ReadError::TooLarge { .. } => "settings are short: take out what is none",
                _ => "put a regular file there, or a link to one",
            };
            Err(Trouble::new(format!("cannot read `{shown}`: {error}")).hint(hint))
        }
    }
}

fn default_home() -> PathBuf {
    let system = PathBuf::from(SYSTEM_HOME);
    if system.is_dir() || rustix::process::geteuid().is_root() {
        return system;
    }
    let own = env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    own.join(".local/share/koubou")
}

/// Reads an id that somebody typed; `x.json` and a path to it mean `x`.
pub(super) fn parse_id(text: &str) -> Result<TaskId, String> {
    let name = Path::new(text).file_name().and_then(|name| name.to_str()).unwrap_or(text);
    let name = if text.contains('/') || text.ends_with(".json") { name } else { text };
    name.strip_suffix(".json")
        .unwrap_or(name)
        .parse()
        .map_err(|error: crate::task::id::BadTaskId| error.to_string())
}

/// Says that there is no such task, and which are like it.
pub(super) fn no_such_task(spool: &Spool, id: &TaskId) -> Trouble {
    let all: Vec<String> = Folder::ALL
        .into_iter()
        .flat_map(|folder| spool.ids(folder).unwrap_or_default())
        .map(String::from)
        // A folder or a pipe under its name is no task, and no other one.
        .filter(|other| other != id.as_str())
        .collect();
    let trouble = Trouble::new(format!("there is no task `{id}`"));
    match words::nearest(id.as_str(), all.iter().map(String::as_str)) {
        Some(near) => trouble.hint(format!("did you mean `{near}`?")),
        None => trouble.hint("`koubou list` shows all tasks"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A home as `init` makes it, for as long as the folder lives.
    pub(in crate::cli) fn site() -> (tempfile::TempDir, Site) {
        let dir = tempfile::tempdir().unwrap();
        let site = Site::find(Some(&dir.path().join("home")));
        site.home.init().unwrap();
        (dir, site)
    }
}
