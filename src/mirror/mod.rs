//! The mirror: spool and journal once more, as SQL, for reports.
//!
//! ```text
//! Facts ──▶ writer ──▶ koubou.db ──▶ query      (other processes read it, too)
//!                         ▲
//! spool + journal ──▶ rebuild
//! ```
//!
//! It is told what is already true on disk, and never asked what is true: a
//! mirror that was lost, damaged or changed by hand is made anew, and no task
//! and no cent hangs on it. [`Mirror`] is the one writer, a thread that always
//! takes what it is told, also while SQLite is unwell, so that a sick disk holds
//! up nobody. [`query`] reads; [`rebuild`] makes it anew.
//!
//! The original design's tables, columns and values stand as they were, so that
//! its reports run unchanged. No task text is ever written here.

pub mod compact;
mod database;
pub mod query;
pub mod rebuild;
mod record;
pub mod report;
pub mod sums;
pub mod watch;
mod writer;

use std::path::PathBuf;

use crate::base::files::FileError;
use crate::base::words::tame;
pub use database::files_of;
pub use writer::{Facts, Mirror, MirrorNews};

/// The schema, as it lies in the home.
pub const SCHEMA: &str = include_str!("../../spool-layout/db/schema.sql");

/// The version of the schema that this program writes.
pub const SCHEMA_VERSION: i64 = 1;

/// Why the mirror could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// There is no such file.
    #[error("there is no mirror at `{}`", tame(&path.to_string_lossy()))]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// A later version of the program has changed the schema.
    #[error("`{}` was made by a newer koubou (schema {found}, this one knows {SCHEMA_VERSION})", tame(&path.to_string_lossy()))]
    TooNew {
        /// The mirror.
        path: PathBuf,
        /// Its schema's version.
        found: i64,
    },
    /// Another program made it, or an older one; only `koubou start` changes it.
    #[error("`{}` is not in koubou's form yet", tame(&path.to_string_lossy()))]
    NotOurs {
        /// The mirror.
        path: PathBuf,
    },
    /// SQLite refused; its own words are the `source`.
    #[error("cannot {doing} the mirror `{}`", tame(&path.to_string_lossy()))]
    Sql {
        /// The verb: `open`, `read`, `write`…
        doing: &'static str,
        /// The mirror.
        path: PathBuf,
        /// SQLite's own words.
        source: rusqlite::Error,
    },
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// It cannot be written for now; why is in the log.
    #[error("the mirror cannot be written for now")]
    Unwell,
    /// The writer has ended already.
    #[error("the mirror's writer has ended")]
    Ended,
}

impl MirrorError {
    /// Whether somebody else holds the database just now.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Sql { source, .. } if database::is_busy(source))
    }
}
