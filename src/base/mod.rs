//! The ground: what would be at home in any other program.
//!
//! Files written so that a crash leaves the old or the new, the time, and the
//! words in which counts, ages and money are told. Nothing here knows a word of
//! koubou's own, and no thread that is begun here outlives the call that began it.

pub mod bug;
pub mod clock;
pub mod exposition;
pub mod files;
pub mod group;
pub mod process;
pub mod quick;
pub mod secret;
pub mod supervisor;
pub mod threads;
pub mod words;
