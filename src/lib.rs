//! koubou (工房, a workshop): a queue that is a folder.
//!
//! A person or a program drops a JSON file into `tasks/pending`. koubou notices,
//! reads it, decides which worker type may have it and what that may cost, waits
//! until one has a free hand, takes the file by renaming it, does the work, files
//! the result, and tells the SQLite mirror what happened.
//!
//! **The folders are the truth of tasks, the journal of attempts and money. The
//! mirror can be rebuilt from both. The foreman is the only one who decides.**
//!
//! # The rooms
//!
//! ```text
//!               cli                     spool, worker, mirror and foreman are strangers to one another
//!                │                      imports go downward only; no circle
//!             engine
//!    ┌───────┬───┴────┬────────┐
//!  spool   worker   mirror   foreman
//!    │       │        │        │
//!    │       └────────┼─▶ config ──▶ route
//!    └────────────────┴────▶ task ──▶ base
//! ```
//!
//! | room | what it is | what it never does |
//! |---|---|---|
//! | [`base`] | files that survive a crash, the clock, words, secrets, work of several processors at once | know a word of koubou's own |
//! | [`task`] | what a task, a result, an amount, a line of the journal is | touch a disk, a clock, a thread |
//! | [`route`] | how hard, how confidential, who may have it, what it may cost | the same |
//! | [`config`] | the settings, complete and checked | read the environment by itself |
//! | [`foreman`] | hears what happened, answers with what follows | do any of it |
//! | [`spool`] | the folders: claim, file, release, watch, lock, journal | decide, or know money |
//! | [`worker`] | one attempt: a model, a program, an agent, the echo | move a task, retry, budget |
//! | [`mirror`] | spool and journal once more, as SQL | be asked what is true |
//! | [`engine`] | where decisions become deeds: the one loop, the threads | decide |
//! | [`cli`] | the only room that speaks to a person, or to an agent | talk to the daemon but through files |
//!
//! A test reads the sources and keeps this picture true.
//!
//! # The river
//!
//! A name is seen ([`spool::watch`]), looked at without trust ([`spool::look`]),
//! parsed ([`task::wire`]) and assessed ([`route::Router::assess`]) by the intake,
//! a thread of the [`engine`]. The [`foreman`] routes it, reserves its money
//! ([`route::budget`]) and orders a start. A hand claims it ([`spool::claim`]),
//! checks that the bytes are those that were routed, has the request cleared
//! ([`route::Cleared`]: a worker can be given nothing else), writes the attempt
//! into the journal, and works. The foreman judges the outcome; the desk files it
//! ([`spool::filer`]), many results in one sync. Only then is the mirror told.
//!
//! # Where this differs from the first drawing
//!
//! Reading and assessing happen in a thread of their own before the foreman hears
//! of a file, so that sixteen megabytes to be looked through hold up nobody; the
//! foreman keeps the verdict and decides with it as often as the shop changes.
//! `config` builds the router and so stands above `route`. Other commands leave
//! their notes in `control/`, where `ls` shows a pause.
//!
//! Whether an answer is accepted is found out by the hand that got it
//! (`engine::acceptance`), for a check is a program; what follows from it, the next
//! rung of the ladder, is the foreman's to say. `koubou scan` is the router's scanner
//! ([`route::sensitivity`]) as a tool of its own and needs no home.
//!
//! A task of a batch is worked on by nobody here: a clerk (`engine::clerk`) sends it off with
//! others and takes its answer home, a day and several daemons later perhaps. It stays in
//! `in_progress` meanwhile, and the journal knows which batches there may be.
//!
//! A task whose answer asks for others (`task::subtasks`) is a parent: its attempt is over and its
//! answer in the journal, and it waits in `in_progress` until they have ended (`foreman::family`).
//! What another's answer is filled with (`{result:ID}`) is read anew each time that it is judged
//! or begun (`engine::answers`), as `files` are.
//!
//! Old results leave their folders for an archive ([`spool::archive`]) and count as being where they
//! were: whoever asks the spool finds them. The same code retires them (`engine::maintain`)
//! for a command and for the daemon, which does so once a day in a thread of its own, as it writes
//! its figures (`engine::metrics`). It packs months of the journal that are long over, too; whoever
//! asks [`spool::journal`] reads them as before.
//!
//! New settings begin a new shift (`engine::Shift`): what runs ends by the old ones, and a new
//! foreman takes up what is left, as after any start.
//!
//! An agent is a guest at the counter: `cli::mcp` gives it the commands as tools, and holds it to
//! what the settings allow. `cli::master` seats one there and sees to it that somebody works.
//!
//! People are spoken to in their language, and every sentence is written in English where it
//! arises. `cli::language` finds it in one catalogue on its way out, and a test that reads the
//! sources keeps that complete; what programs read does not pass there.
//!
//! `HOME/format` says which form a home has (`spool::format`). A koubou that does not know it leaves
//! the home alone; one that is newer opens every older home.
//!
//! # Where to begin
//!
//! To learn what koubou reacts to and what it can do, read [`foreman::Event`] and
//! [`foreman::Order`]. To follow one task, start at `engine::Engine::run`.

pub mod base;
pub mod cli;
pub mod config;
pub mod engine;
pub mod foreman;
pub mod mirror;
pub mod route;
pub mod spool;
pub mod task;
pub mod worker;
