//! One worker type's bench: who waits for it, and whether it works.

use std::collections::BTreeSet;
use std::time::Duration;

use super::event::{Bench, LaneNews};
use super::waiting::Waiting;
use crate::base::clock::{self, Now, Timestamp};
use crate::config::BatchSpec;
use crate::route::budget::Shortage;
use crate::route::rate::Pacer;
use crate::task::TaskId;
use crate::task::fact::BatchTrouble;

#[derive(Debug)]
pub(super) struct Lane {
    pub bench: Bench,
    pub waiting: Waiting,
    /// Who waits to become part of a batch.
    pub to_gather: Waiting,
    /// Those who wait and for whom somebody may stand in.
    pub movable: BTreeSet<TaskId>,
    pub busy: usize,
    pub paused: bool,
    /// Spaces its requests.
    pub pacer: Pacer,
    /// Spaces the tokens in them.
    pub tokens: Pacer,
    pub block: Option<Block>,
    /// How many hands may work at once now: fewer than there are after a server had too much.
    width: usize,
    /// Good answers since it last became wider.
    good: usize,
    /// When it last became narrower: attempts from before say nothing new.
    narrowed_at: Option<Timestamp>,
    /// Failures of its server in a row.
    failures: u32,
    /// How often it was left alone for them.
    rests: u32,
    /// Failures to reach it in a row; each makes the next look come later.
    misses: u32,
    /// Batches that its provider refused in a row.
    refused_batches: u32,
    /// Why it makes no batches for a while, and how it makes them after that.
    batches_rest: Option<BatchesRest>,
    told: Option<LaneNews>,
}

/// Why a lane does not work, besides a pause by hand.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Block {
    /// A person must act: a missing key, an empty account.
    Stopped { reason: String },
    /// Nobody answers; looked for again at `probe_at`, unless a look is under way.
    Unreachable { since: Timestamp, reason: String, probe_at: Option<Duration> },
    /// The server asked for a pause.
    RateLimited { until: Duration, wall: Timestamp },
    /// It failed so often in a row that it is left alone for a while, and then tried with one task.
    Failing { until: Duration, wall: Timestamp, reason: String },
    /// A limit that covers all its work is reached.
    OverBudget(Shortage),
}

/// A worker whose provider takes no batches is asked for none until then.
#[derive(Debug)]
struct BatchesRest {
    until: Duration,
    trouble: BatchTrouble,
    terms: BatchSpec,
}

/// So many batches refused in a row are no matter of what was in them.
const MOST_REFUSED_BATCHES: u32 = 2;
/// How long a provider that takes no batches is asked for none.
const BATCHES_REST: Duration = Duration::from_secs(3_600);

/// How long a drain waits for a server that asked for a pause.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// So many failures in a row are a server's own trouble and not its tasks'.
const MOST_FAILURES: u32 = 5;
/// How long such a server is left alone at first; each time it fails again twice as long.
const REST: Duration = Duration::from_secs(10);
const LONGEST_REST: Duration = Duration::from_secs(300);

impl Lane {
    pub(super) fn new(bench: Bench, waiting: Waiting, to_gather: Waiting) -> Self {
        let block = bench.disabled.clone().map(|reason| Block::Stopped { reason });
        Self {
            pacer: Pacer::new(bench.max_rpm),
            tokens: Pacer::new(bench.max_tpm),
            width: bench.hands,
            bench,
            waiting,
            to_gather,
            movable: BTreeSet::new(),
            busy: 0,
            paused: false,
            block,
            good: 0,
            narrowed_at: None,
            failures: 0,
            rests: 0,
            misses: 0,
            refused_batches: 0,
            batches_rest: None,
            told: None,
        }
    }

    /// Whether it could begin something now, if it had something.
    pub(super) fn may_start(&self, now: Now) -> bool {
        !self.paused && self.block.is_none() && self.busy < self.width && self.turn() <= now.mono
    }

    /// The queue of those that go by batch, or of the others.
    pub(super) fn queue(&self, by_batch: bool) -> &Waiting {
        if by_batch { &self.to_gather } else { &self.waiting }
    }

    pub(super) fn queue_mut(&mut self, by_batch: bool) -> &mut Waiting {
        if by_batch { &mut self.to_gather } else { &mut self.waiting }
    }

    pub(super) fn queues_mut(&mut self) -> [&mut Waiting; 2] {
        [&mut self.waiting, &mut self.to_gather]
    }

    /// Whether it may take a task into a batch, or send one: that needs no hand and no turn.
    pub(super) fn may_gather(&self) -> bool {
        !self.paused && self.block.is_none()
    }

    /// When its next request may go.
    fn turn(&self) -> Duration {
        self.pacer.next().max(self.tokens.next())
    }

    /// An attempt begins that may take so many tokens.
    pub(super) fn begin(&mut self, tokens: u64, now: Now) {
        self.busy += 1;
        self.pacer.take(now.mono, 1);
        self.tokens.take(now.mono, tokens);
    }

    /// When to look at it again, if time alone can change something.
    pub(super) fn wakes_at(&self, now: Now) -> Option<Duration> {
        let batches = self.batches_rest.as_ref().map(|rest| rest.until);
        self.works_at(now).into_iter().chain(batches).min()
    }

    fn works_at(&self, now: Now) -> Option<Duration> {
        match &self.block {
            Some(Block::Unreachable { probe_at, .. }) => *probe_at,
            Some(Block::RateLimited { until, .. } | Block::Failing { until, .. }) => Some(*until),
            Some(Block::OverBudget(short)) => {
                Some(now.mono + clock::between(now.wall, short.until))
            }
            Some(Block::Stopped { .. }) => None,
            None => {
                let begins = self.could_start().then(|| self.turn());
                let lifted = [&self.waiting, &self.to_gather]
                    .into_iter()
                    .filter_map(Waiting::wakes_at)
                    .map(|at| now.mono + clock::between(now.wall, at));
                begins.into_iter().chain(lifted).min()
            }
        }
    }

    /// Whether only its pace keeps it from beginning something.
    fn could_start(&self) -> bool {
        !self.paused && self.busy < self.width && !self.waiting.is_idle()
    }

    /// Lifts what time has ended.
    pub(super) fn wake(&mut self, now: Now) {
        let over = match &self.block {
            Some(Block::RateLimited { until, .. } | Block::Failing { until, .. }) => {
                *until <= now.mono
            }
            Some(Block::OverBudget(short)) => short.until <= now.wall,
            _ => false,
        };
        if over {
            self.block = None;
        }
        self.queues_mut().into_iter().for_each(|queue| queue.wake(now.wall));
    }

    /// Whether it is time to look whether it is there again; if so, a look is under way.
    pub(super) fn take_probe(&mut self, now: Now) -> bool {
        match &mut self.block {
            Some(Block::Unreachable { probe_at, .. })
                if probe_at.is_some_and(|at| at <= now.mono) =>
            {
                *probe_at = None;
                true
            }
            _ => false,
        }
    }

    /// Nobody answered.
    pub(super) fn miss(&mut self, reason: String, now: Now) {
        // Many hands may have missed at once: that is known, and they count as one.
        if matches!(self.block, Some(Block::Unreachable { probe_at: Some(_), .. })) {
            return;
        }
        self.misses += 1;
        let since = match &self.block {
            Some(Block::Unreachable { since, .. }) => *since,
            // A person must act all the same.
            Some(Block::Stopped { .. }) => return,
            _ => now.wall,
        };
        let pause = Duration::from_secs(1 << self.misses.min(6)).min(Duration::from_secs(60));
        self.block = Some(Block::Unreachable { since, reason, probe_at: Some(now.mono + pause) });
    }

    /// It answered.
    pub(super) fn reached(&mut self) {
        self.misses = 0;
        if matches!(self.block, Some(Block::Unreachable { .. })) {
            self.block = None;
        }
    }

    /// It answered well: what was held back because of failures is let go again, little by little.
    pub(super) fn did_well(&mut self) {
        self.reached();
        (self.failures, self.rests) = (0, 0);
        if matches!(self.block, Some(Block::Failing { .. })) {
            self.block = None;
        }
        self.good += 1;
        if self.width < self.bench.hands && self.good >= self.width {
            (self.width, self.good) = (self.width + 1, 0);
        }
    }

    /// It had too much to do when an attempt began: half as many at once from now on.
    pub(super) fn narrow(&mut self, began: Timestamp, now: Now) {
        if self.narrowed_at.is_some_and(|at| began <= at) {
            return;
        }
        (self.width, self.good) = ((self.width / 2).max(1), 0);
        self.narrowed_at = Some(now.wall);
    }

    /// Its server failed. After many failures in a row it is left alone for a while, and then one
    /// task tries it; no other uses up its attempts meanwhile.
    pub(super) fn fail(&mut self, reason: &str, now: Now) {
        self.failures = self.failures.saturating_add(1);
        if self.failures < MOST_FAILURES || self.block.is_some() {
            return;
        }
        // Many may have failed at the same time: how long it rests goes by how often it has.
        let rest = REST.saturating_mul(1 << self.rests.min(16)).min(LONGEST_REST);
        self.rests += 1;
        let reason =
            format!("it failed {} times in a row, the last time so: {reason}", self.failures);
        (self.width, self.good) = (1, 0);
        self.block = Some(Block::Failing {
            until: now.mono + rest,
            wall: clock::later(now.wall, rest),
            reason,
        });
    }

    /// Whether it takes nothing for longer than a task should wait that may go elsewhere.
    pub(super) fn is_out(&self, now: Now) -> bool {
        match &self.block {
            _ if self.paused => true,
            None => false,
            Some(Block::RateLimited { until, .. }) => *until > now.mono + PATIENCE,
            Some(Block::OverBudget(short)) => !short.is_promised,
            Some(_) => true,
        }
    }

    /// Money came back: whoever waited for it may ask again.
    pub(super) fn money_is_back(&mut self) {
        if matches!(self.block, Some(Block::OverBudget(_))) {
            self.block = None;
        }
        self.queues_mut().into_iter().for_each(Waiting::lift);
    }

    // ---- whether it makes batches ----

    /// How its batches are made, now or later; `None` where it has none at all.
    pub(super) fn batch_terms(&self) -> Option<&BatchSpec> {
        self.bench.batch.as_ref().or(self.batches_rest.as_ref().map(|rest| &rest.terms))
    }

    /// A batch was refused; whether none is made for a while from now on. One alone may have been
    /// refused for what was in it, unless `is_sure`.
    pub(super) fn refuse_batch(&mut self, reason: &str, is_sure: bool, now: Now) -> bool {
        self.refused_batches = self.refused_batches.saturating_add(1);
        if !is_sure && self.refused_batches < MOST_REFUSED_BATCHES {
            return false;
        }
        let Some(terms) = self.bench.batch.take() else { return false };
        let trouble = BatchTrouble {
            reason: format!("none is made for now: {reason}"),
            since: now.wall,
            until: Some(clock::later(now.wall, BATCHES_REST)),
        };
        self.batches_rest = Some(BatchesRest { until: now.mono + BATCHES_REST, trouble, terms });
        true
    }

    /// A task was done in a batch.
    pub(super) fn did_a_batch(&mut self) {
        self.refused_batches = 0;
    }

    /// Makes batches again, where time or a person says so; whether that is new.
    pub(super) fn make_batches_again(&mut self, now: Option<Now>) -> bool {
        let is_over = |rest: &mut BatchesRest| now.is_none_or(|now| rest.until <= now.mono);
        match self.batches_rest.take_if(is_over) {
            Some(rest) => {
                self.bench.batch = Some(rest.terms);
                true
            }
            None => false,
        }
    }

    /// Why and until when it makes no batches.
    pub(super) fn makes_no_batches(&self) -> Option<&BatchTrouble> {
        self.batches_rest.as_ref().map(|rest| &rest.trouble)
    }

    /// The server asked for a pause; the longest that was asked for holds.
    pub(super) fn limit(&mut self, pause: Duration, now: Now) {
        let until = now.mono + pause;
        match &self.block {
            None => {}
            Some(Block::RateLimited { until: held, .. }) if *held < until => {}
            Some(_) => return,
        }
        self.block = Some(Block::RateLimited { until, wall: clock::later(now.wall, pause) });
    }

    /// A person must act.
    pub(super) fn stop(&mut self, reason: String) {
        self.block = Some(Block::Stopped { reason });
    }

    /// What its waiting tasks wait for, if for more than a free hand or their turn.
    pub(super) fn waits_for(&self) -> Option<String> {
        let name = &self.bench.worker_type;
        if self.paused {
            return Some(format!(
                "worker `{name}` is paused: `koubou resume {name}` lets it go on"
            ));
        }
        Some(match self.block.as_ref()? {
            Block::Stopped { reason } => format!("worker `{name}`: {reason}"),
            Block::Unreachable { reason, .. } => {
                format!("worker `{name}` cannot be reached: {reason}")
            }
            Block::RateLimited { wall, .. } => {
                format!("worker `{name}` was asked to pause until {}", clock::rfc3339(*wall))
            }
            Block::Failing { wall, reason, .. } => {
                format!("worker `{name}` is tried again at {}: {reason}", clock::rfc3339(*wall))
            }
            Block::OverBudget(short) => short.in_words(),
        })
    }

    /// Whether its tasks must wait longer than a drain does.
    pub(super) fn is_stuck(&self, now: Now) -> bool {
        match &self.block {
            _ if self.paused => true,
            None => false,
            Some(Block::RateLimited { until, .. } | Block::Failing { until, .. }) => {
                *until > now.mono + PATIENCE
            }
            Some(_) => true,
        }
    }

    /// Its state and that of its batches, if people have not been told yet.
    pub(super) fn news(&mut self, batch: Option<&BatchTrouble>) -> Option<LaneNews> {
        let (state, until) = match &self.block {
            _ if self.paused => ("paused", None),
            // It goes on by itself when a call ends; nobody need hear of it each time.
            None | Some(Block::OverBudget(Shortage { is_promised: true, .. })) => ("ready", None),
            Some(Block::Stopped { .. }) => ("disabled", None),
            Some(Block::Unreachable { .. }) => ("unreachable", None),
            Some(Block::RateLimited { wall, .. }) => ("rate_limited", Some(*wall)),
            Some(Block::Failing { wall, .. }) => ("failing", Some(*wall)),
            Some(Block::OverBudget(short)) => ("over_budget", Some(short.until)),
        };
        let reason = self.waits_for().filter(|_| state != "ready");
        let since = match &self.block {
            Some(Block::Unreachable { since, .. }) if !self.paused => Some(*since),
            _ => None,
        };
        let batches = batch.or(self.makes_no_batches()).cloned();
        let news = LaneNews { state, reason, until, since, batches };
        if self.told.as_ref() == Some(&news) {
            return None;
        }
        self.told = Some(news.clone());
        Some(news)
    }
}
