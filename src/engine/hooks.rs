//! Has the owner's programs run when something has happened; work never waits for them.
//!
//! They are told once and not again: who must not miss one reads the folders. A few
//! run at a time, in the order of what happened.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::Engine;
use super::leaving::LINGER;
use crate::base::files;
use crate::foreman::Alert;
use crate::task::{Folder, TaskId};
use crate::worker::{Leash, hook};

/// How many run at once.
const AT_ONCE: usize = 4;
/// So many wait; programs that take longer than the work miss the rest.
const MOST_WAITING: usize = 10_000;

/// A program to be run.
struct Call {
    setting: &'static str,
    argv: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

/// The threads that run the owner's programs; none until the first is to be run.
#[derive(Default)]
pub(super) struct Hooks {
    calls: Option<Sender<Call>>,
    /// One for each thread: a leash holds one program.
    leashes: Vec<Leash>,
    /// Closed when all threads have ended.
    ended: Option<Receiver<()>>,
    threads: Vec<JoinHandle<()>>,
    /// Whether people were told that some are missed.
    overflows: bool,
    /// Whether there was work since nothing was left to do.
    pub has_worked: bool,
}

impl Hooks {
    fn run(&mut self, call: Call, inherited: &Arc<Vec<(String, String)>>) {
        if self.calls.is_none() {
            self.begin(inherited);
        }
        let setting = call.setting;
        match self.calls.as_ref().map(|calls| calls.try_send(call)) {
            Some(Err(TrySendError::Full(_))) if !std::mem::replace(&mut self.overflows, true) => {
                log::warn!(
                    "the programs of `{setting}` take longer than the work: some are missed"
                );
            }
            Some(Ok(())) => self.overflows = false,
            _ => {}
        }
    }

    fn begin(&mut self, inherited: &Arc<Vec<(String, String)>>) {
        let (tell, calls) = bounded::<Call>(MOST_WAITING);
        let (end, ended) = bounded::<()>(0);
        for n in 1..=AT_ONCE {
            let (calls, end, leash) = (calls.clone(), end.clone(), Leash::default());
            self.leashes.push(leash.clone());
            let inherited = Arc::clone(inherited);
            let work = move || {
                let _end = end;
                for call in calls {
                    if leash.is_pulled() {
                        return;
                    }
                    let Call { setting, argv, variables } = call;
                    if let Err(why) = hook::run(setting, &argv, &variables, &inherited, &leash) {
                        log::warn!("{why}");
                    }
                }
            };
            match std::thread::Builder::new().name(format!("hook-{n}")).spawn(work) {
                Ok(thread) => self.threads.push(thread),
                Err(error) => log::warn!("a thread for programs could not be begun: {error}"),
            }
        }
        (self.calls, self.ended) = (Some(tell), Some(ended));
    }
}

impl Engine<'_> {
    /// A limit is nearly reached.
    pub(super) fn ring(&mut self, alert: &Alert) {
        let Some(argv) = self.config.on_alert.clone() else { return };
        let standing = alert.standing;
        let variables = vec![
            ("KOUBOU_ALERT_LIMIT", alert.limit.to_string()),
            ("KOUBOU_ALERT_SPENT_USD", standing.used().exact()),
            ("KOUBOU_ALERT_LIMIT_USD", standing.limit.exact()),
            ("KOUBOU_ALERT_PERCENT", standing.percent().to_string()),
        ];
        self.hooks.run(Call { setting: "on_alert", argv, variables }, &self.inherited);
    }

    /// A task has ended.
    pub(super) fn tell_of_end(&mut self, id: &TaskId, folder: Folder) {
        self.hooks.has_worked = true;
        let Some(argv) = self.config.on_done.clone() else { return };
        let variables = vec![
            ("KOUBOU_HOME", self.home.path().to_string_lossy().into_owned()),
            ("KOUBOU_TASK_ID", id.to_string()),
            ("KOUBOU_STATUS", folder.to_string()),
            ("KOUBOU_RESULT", self.spool.file(folder, id).to_string_lossy().into_owned()),
        ];
        self.hooks.run(Call { setting: "on_done", argv, variables }, &self.inherited);
    }

    /// Nothing is left to do, if that is so.
    pub(super) fn tell_if_empty(&mut self) {
        if !self.hooks.has_worked || self.foreman.backlog() > 0 || self.is_leaving() {
            return;
        }
        self.hooks.has_worked = false;
        let Some(argv) = self.config.on_empty.clone() else { return };
        // What was dropped just now has not been told of.
        if !self.spool.waiting().is_ok_and(|names| names.is_empty())
            || !files::exists(self.home.path())
        {
            self.hooks.has_worked = true;
            return;
        }
        let variables = vec![("KOUBOU_HOME", self.home.path().to_string_lossy().into_owned())];
        self.hooks.run(Call { setting: "on_empty", argv, variables }, &self.inherited);
    }

    /// Lets the programs end. Who asked koubou to stop does not wait for them long.
    pub(super) fn let_hooks_end(&mut self) {
        self.hooks.calls = None;
        if let Some(ended) = self.hooks.ended.take()
            && self.is_leaving()
        {
            let _ = ended.recv_deadline(Instant::now() + LINGER);
            self.hooks.leashes.iter().for_each(Leash::pull);
        }
        for thread in std::mem::take(&mut self.hooks.threads) {
            let _ = thread.join();
        }
    }
}
