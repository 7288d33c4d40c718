//! What went wrong, told as what happened, why, and what to type next.

use std::error::Error;

use crate::base::files::FileError;
use crate::base::words;
use crate::engine::EngineError;
use crate::engine::maintain::MaintainError;
use crate::mirror::MirrorError;
use crate::spool::archive::KeepError;
use crate::spool::format::FormatError;
use crate::spool::lock::LockError;

/// Something that ends a command.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) code: u8,
    pub(super) message: String,
    pub(super) causes: Vec<String>,
    pub(super) hint: Option<String>,
}

impl Trouble {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into(), causes: Vec::new(), hint: None }
    }

    /// Wrong usage.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(message) }
    }

    /// Something must wait.
    pub(super) fn try_later(message: impl Into<String>) -> Self {
        Self { code: 75, ..Self::new(message) }
    }

    /// Nothing to be said: whoever read the answer has gone.
    pub(super) fn silent() -> Self {
        Self { code: 0, ..Self::new("") }
    }

    pub(super) fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(words::tame(&cause.into()));
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The code that another program ended with, which has said itself what it had to say.
    pub(super) fn of_another(code: u8) -> Self {
        Self { code, ..Self::silent() }
    }

    /// All of it, a line each.
    pub(super) fn told(&self) -> String {
        let mut text = self.message.clone();
        for cause in &self.causes {
            text.push_str(&format!("\nbecause: {cause}"));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\nhint: {hint}"));
        }
        text
    }

    /// What happened and why, in one line of a log.
    pub(super) fn in_a_line(&self) -> String {
        let lines = self.message.lines().chain(self.causes.iter().map(String::as_str));
        lines.map(str::trim).collect::<Vec<_>>().join("; ")
    }

    /// The same as a person is told it: what happened, each cause, and what to type.
    pub(super) fn lines(&self) -> Vec<String> {
        let causes = self.causes.iter().map(|cause| format!("because: {cause}"));
        let hint = self.hint.iter().map(|hint| format!("hint: {hint}"));
        [format!("error: {}", self.message)].into_iter().chain(causes).chain(hint).collect()
    }

    fn of(error: &dyn Error) -> Self {
        let mut trouble = Self::new(error.to_string());
        let mut cause = error.source();
        while let Some(error) = cause {
            trouble = trouble.because(error.to_string());
            cause = error.source();
        }
        trouble
    }
}

impl From<FileError> for Trouble {
    fn from(error: FileError) -> Self {
        let trouble = Self::of(&error);
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => trouble
                .hint("run it as the user who owns the home, or name another with `--home DIR`"),
            std::io::ErrorKind::StorageFull => {
                trouble.hint("make room on the disk and run it again")
            }
            _ => trouble,
        }
    }
}

impl From<MirrorError> for Trouble {
    fn from(error: MirrorError) -> Self {
        let hint = match error.is_busy() {
            true => {
                "another program holds the database: `fuser -v` on it tells which; end that, and try again"
            }
            false => "`koubou rebuild` makes the database anew from the folders",
        };
        Self::of(&error).hint(hint)
    }
}

impl From<FormatError> for Trouble {
    fn from(error: FormatError) -> Self {
        match error {
            FormatError::TooNew { .. } => Self::new(error.to_string())
                .hint("install that koubou or a newer one; nothing in the home was changed"),
            FormatError::Unknown(ref path) | FormatError::NoFile { ref path, .. } => {
                let path = words::shell_path(path);
                Self::new(error.to_string()).hint(format!(
                    "if no newer koubou has ever worked this home, `mv {path} {path}.aside`: it is made anew"
                ))
            }
            FormatError::File(error) => error.into(),
        }
    }
}

impl From<LockError> for Trouble {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { .. } => Self::new(error.to_string()).hint(
                "one daemon works a home; stop that one, or name another home with `--home DIR`",
            ),
            LockError::File(error) => error.into(),
        }
    }
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Lock(error) => error.into(),
            EngineError::File(error) => error.into(),
            EngineError::Mirror(error) => error.into(),
            EngineError::Watch(error) => Self::of(&error)
                .hint("raise fs.inotify.max_user_watches and max_user_instances (`sysctl`)"),
            EngineError::Moved { ref to, .. } => {
                let path = words::tame(&to.to_string_lossy());
                Self::new(error.to_string())
                    .hint(format!("`koubou --home {path} start` goes on with it"))
            }
            EngineError::Thread(_) => {
                Self::of(&error).hint("raise the limit on threads (`ulimit -u`)")
            }
        }
    }
}

impl From<MaintainError> for Trouble {
    fn from(error: MaintainError) -> Self {
        match error {
            MaintainError::Keep(KeepError::Busy) => Self::try_later(error.to_string())
                .hint("one at a time is enough: the other does the same; run it again later"),
            MaintainError::Keep(KeepError::File(error)) | MaintainError::File(error) => {
                error.into()
            }
        }
    }
}
