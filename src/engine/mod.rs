//! The engine: where decisions become deeds.
//!
//! One thread owns the foreman and waits in one `select!`; nothing else loops. It
//! hears what the watcher, the intake, the hands and the desk report, passes it to
//! the foreman with the time, and carries out what he orders. Idle, it sleeps but
//! for one heartbeat a minute. Once a day it has the home maintained, by a thread of its own.
//!
//! It never decides: every choice is the foreman's. It never speaks to a person:
//! it logs, and returns how the work ended.

mod acceptance;
mod answers;
pub mod attachments;
mod cache;
mod claiming;
mod clerk;
mod desk;
mod ground;
mod hooks;
mod intake;
mod lanes;
mod leaving;
pub mod maintain;
pub mod metrics;
mod orders;
mod reconcile;
mod recover;
mod scribe;
pub mod signals;
pub mod trial;
pub mod watchdog;

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, select, unbounded};

pub use reconcile::{Anew, rebuild};

use crate::base::clock::{self, Now};
use crate::base::files::FileError;
use crate::base::words;
use crate::config::{Config, WorkerSpec};
use crate::foreman::{Bench, Ended, Event, Farewell, Foreman, LaneNews, Setup};
use crate::mirror::MirrorError;
use crate::spool::journal::Journal;
use crate::spool::lock::{Lock, LockError};
use crate::spool::notes::{self, LimitsNote, Note};
use crate::spool::watch::{Glimpse, Watch, WatchError};
use crate::spool::{Home, Spool};
use crate::task::fact::Fact;
use crate::task::journal::{Line, Replay};
use crate::task::limit::{Scope, Window};
use crate::task::{TaskId, Usd, WorkerType};
use crate::worker::Leash;
use desk::{Desk, Errand};
use intake::{Ask, Intake};
use lanes::{Hands, Held, Shop};
use scribe::Scribe;
use signals::Heard;
use watchdog::Watchdog;

/// How often the mirror is told that we are alive, and `pending` is listed for what no event told.
const HEARTBEAT: Duration = Duration::from_secs(60);
/// How often the folders are listed where no event tells of them.
const POLL: Duration = Duration::from_secs(1);
/// How often the room on the disk is looked at while there is too little.
const LOOK_FOR_ROOM_AGAIN: Duration = Duration::from_secs(5);

/// So many messages are heard before the foreman says what follows from them.
const AT_A_TIME: usize = 128;

/// Why the daemon could not work.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another daemon has the home.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The folders cannot be watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// The mirror cannot be opened.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// A thread could not be started, or signals not be heard.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
    /// Somebody moved the home while it was worked.
    #[error(
        "the home `{}` was moved to `{}` while it was worked: koubou has stopped; its tasks lie there, and those that were running begin anew",
        words::tame(&from.to_string_lossy()),
        words::tame(&to.to_string_lossy())
    )]
    Moved {
        /// Where it was.
        from: std::path::PathBuf,
        /// Where it is.
        to: std::path::PathBuf,
    },
}

/// What a thread tells the engine.
#[derive(Debug)]
enum Message {
    /// Something for the foreman.
    Event(Event),
    /// A hand has claimed a task and begins.
    Begun(TaskId, String),
    /// A hand's attempt ended.
    HandBack(TaskId, Box<Ended>, Box<Held>),
    /// An attempt's end is in the journal.
    Paid(Box<Line>),
    /// Our own trouble, to be said once.
    OwnTrouble(String),
    /// Something changed in `control` or in a folder of results.
    Glimpse(Glimpse),
    /// The mirror is well again, and wants to be made anew.
    MirrorWell,
    /// The mirror was made anew, or why it could not be.
    Rebuilt(Result<(), String>),
    /// The home, or its mirror, was maintained.
    Maintained(maintain::Maintained),
}

/// How the work ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// What still waits, and for what.
    pub waits: Vec<(String, u64)>,
    /// Whether somebody asked it to stop.
    pub stopped: bool,
    /// What is to be worked with from now on, where somebody asked for new settings.
    pub next: Option<Shift>,
}

/// What an engine works with from its beginning to its end.
#[derive(Clone, Debug)]
pub struct Shift {
    /// The settings.
    pub config: Arc<Config>,
    /// The home's lock, where an earlier shift has taken it.
    pub lock: Option<Arc<Lock>>,
}

/// What stays the same from shift to shift.
pub struct Post {
    /// Whether to end when nothing is left to do.
    pub drain: bool,
    /// The variables of our own environment that programs inherit.
    pub inherited: Vec<(String, String)>,
    /// What signals ask for.
    pub signals: Receiver<Heard>,
    /// Reads the settings anew, or says what is wrong with them.
    pub settings: Box<dyn Fn() -> Result<Config, String> + Send>,
}

/// A home's daemon.
pub struct Engine<'a> {
    home: Home,
    config: Arc<Config>,
    spool: Arc<Spool>,
    journal: Arc<Journal>,
    foreman: Foreman,
    mirror: Scribe,
    messages: Receiver<Message>,
    to_me: Sender<Message>,
    asks: Option<Sender<Ask>>,
    errands: Option<Sender<Errand>>,
    lanes: HashMap<WorkerType, Hands>,
    threads: Vec<JoinHandle<()>>,
    /// Tasks under way: how to end them, and whose hand has them.
    under_way: HashMap<TaskId, UnderWay>,
    /// Claims of tasks whose attempt ended.
    held: HashMap<TaskId, Held>,
    /// Claims of tasks that wait for their subtasks: they stay where they are, whatever happens.
    parents: HashMap<TaskId, Held>,
    /// Results that we filed and whose event has not come, and the other way round.
    own_filings: HashMap<TaskId, i32>,
    lane_news: HashMap<WorkerType, LaneNews>,
    troubles: Troubles,
    /// Since when we have had trouble of our own and filed nothing, and which.
    stuck: Option<(Duration, String)>,
    drain: bool,
    /// The mirror is to be made anew once all that lies in `pending` is known.
    wants_rebuild: bool,
    /// Whether the mirror is being made anew.
    is_rebuilding: bool,
    /// When the disk was last looked at, and whether it had room.
    room: (Duration, bool),
    stops: u32,
    give_up_at: Option<Duration>,
    farewell: Option<Farewell>,
    /// Why we cannot go on: the home is ours no more.
    lost: Option<EngineError>,
    /// Where there is none, the folders are listed every [`POLL`].
    watch: Option<Watch>,
    post: &'a Post,
    /// The settings that somebody asked for, to be worked with once nothing is under way.
    next: Option<Arc<Config>>,
    /// The variables of our own environment that programs inherit.
    inherited: Arc<Vec<(String, String)>>,
    /// The owner's programs that run because something has happened.
    hooks: hooks::Hooks,
    daily: maintain::Daily,
    meter: metrics::Meter,
    /// Who wants to hear that the loop goes round.
    watchdog: Watchdog,
    lock: Arc<Lock>,
}

struct UnderWay {
    leash: Leash,
    worker_type: WorkerType,
    task_type: String,
    worker_id: Option<String>,
    reserved: Usd,
}

/// Our own troubles, each said once until it has not been heard of for a while.
#[derive(Default)]
struct Troubles(HashMap<String, Duration>);

impl Troubles {
    const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);

    fn is_new(&mut self, text: &str, now: Duration) -> bool {
        self.0.retain(|_, last| now.saturating_sub(*last) < Self::FORGOTTEN_AFTER);
        self.0.insert(text.to_owned(), now).is_none()
    }
}

impl<'a> Engine<'a> {
    /// Takes the home, puts it in order, and makes everything ready for work.
    ///
    /// # Errors
    /// Why it cannot be this home's daemon.
    pub fn open(home: &Home, shift: &Shift, post: &'a Post) -> Result<Self, EngineError> {
        let (config, drain) = (Arc::clone(&shift.config), post.drain);
        let lock = match &shift.lock {
            Some(lock) => Arc::clone(lock),
            None => Arc::new(Lock::take(home)?),
        };
        for path in home.mend()? {
            log::warn!("`{}` was missing and is made anew", path.display());
        }
        home.state_format()?;
        if let Some(group) = &config.spool_group {
            home.open_to_group(group)?;
        }
        let spool = Arc::new(Spool::new(home.clone()));
        let journal = Arc::new(Journal::open(home.journal())?);
        let now = Now::read();
        let mut recovered = recover::recover(&spool, &config, &journal, now.wall)?;
        let (to_me, messages) = unbounded();
        let database = database(&config, home);
        let wants_rebuild = reconcile::leave_word_of_the_past(&spool, &database)?;
        let mirror = Scribe::start(&database, home, to_me.clone())?;
        orders::tell_of_recovery(&recovered, &mirror);
        maintain::mend_archive(&spool);
        reconcile::reconcile(&spool, &database, mirror.journal_mark(), |fact| mirror.tell(fact));
        tell_of_limits(&config, &recovered.replay);
        let mut foreman = foreman(&config, drain, &mut recovered.replay, now);
        for row in recover::take_up(&mut foreman, &mut recovered, now) {
            mirror.tell(Fact::Task(Box::new(row)));
        }
        let (parents, first_orders) =
            recover::take_up_families(&mut foreman, &spool, &mut recovered, now);
        let (asks, asked) = unbounded();
        let watch = ground::first_watch(home, &asks, &to_me);
        let (errands, brought) = unbounded();
        let mut engine = Self {
            home: home.clone(),
            foreman,
            mirror,
            messages,
            to_me: to_me.clone(),
            asks: Some(asks),
            errands: Some(errands),
            lanes: HashMap::new(),
            threads: Vec::new(),
            under_way: HashMap::new(),
            held: HashMap::new(),
            parents,
            own_filings: HashMap::new(),
            lane_news: HashMap::new(),
            troubles: Troubles::default(),
            stuck: None,
            drain,
            wants_rebuild,
            is_rebuilding: false,
            room: (Duration::ZERO, true),
            stops: 0,
            give_up_at: None,
            farewell: None,
            lost: None,
            watch,
            post,
            next: None,
            inherited: Arc::new(post.inherited.clone()),
            hooks: hooks::Hooks::default(),
            daily: maintain::Daily::default(),
            meter: metrics::Meter::default(),
            watchdog: Watchdog::none(),
            lock: Arc::clone(&lock),
            config: Arc::clone(&config),
            spool: Arc::clone(&spool),
            journal: Arc::clone(&journal),
        };
        let intake = Intake::new(Arc::clone(&spool), Arc::clone(&config), to_me.clone());
        engine.spawn("intake", move || intake.run(&asked))?;
        let desk = Desk::new(
            Arc::clone(&spool),
            Arc::clone(&config),
            Arc::clone(&journal),
            lock,
            to_me.clone(),
        );
        engine.spawn("desk", move || desk.run(&brought))?;
        let inherited = Arc::clone(&engine.inherited);
        let shop = Shop { spool, config, journal, to_engine: to_me, inherited };
        for spec in &shop.config.workers {
            let hands = shop.open_lane(spec).map_err(EngineError::Thread)?;
            engine.lanes.insert(spec.worker_type.clone(), hands);
        }
        for order in first_orders {
            engine.carry_out(order);
        }
        Ok(engine)
    }

    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), EngineError> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
        self.threads.push(thread.map_err(EngineError::Thread)?);
        Ok(())
    }

    /// The same, with somebody who watches over its loop.
    #[must_use]
    pub fn watched_by(mut self, watchdog: Watchdog) -> Self {
        self.watchdog = watchdog;
        self
    }

    /// Works until somebody says stop, or, in a drain, until nothing is left to do.
    ///
    /// # Errors
    /// Why it had to give up.
    pub fn run(mut self) -> Result<Ending, EngineError> {
        self.read_notes();
        self.tell_of_workers();
        self.tell_of_money();
        self.ask(Ask::Glimpse(Glimpse::Everything));
        if self.wants_rebuild {
            self.want_rebuild();
        }
        self.set_daily();
        self.open_meter();
        self.go_on();
        let mut heartbeat = clock::mono() + HEARTBEAT;
        let mut listing = clock::mono() + POLL;
        while self.farewell.is_none() {
            let now = Now::read();
            self.watchdog.goes_round(now.mono);
            self.do_not_linger(now);
            let room = (!self.room.1).then(|| now.mono + LOOK_FOR_ROOM_AGAIN);
            let poll = self.watch.is_none().then_some(listing);
            let daily = self.daily_wakes_at(now);
            let own = self.give_up_at.into_iter().chain(room).chain(poll).chain(daily);
            let own = own.chain(self.meter.wakes_at()).chain(self.watchdog.wakes_at());
            let due = self.foreman.wakes_at(now).into_iter().chain(own);
            let wake_at = due.chain([heartbeat]).min().unwrap_or(heartbeat);
            let timer = crossbeam_channel::after(wake_at.saturating_sub(now.mono));
            select! {
                recv(self.messages) -> message => match message {
                    Ok(message) => self.take_all(message),
                    Err(_) => break,
                },
                recv(self.post.signals) -> heard => {
                    match heard {
                        Ok(Heard::Stop) => self.stop(),
                        Ok(Heard::Reload) => self.reload(),
                        Err(_) => break,
                    }
                    self.go_on();
                }
                recv(timer) -> _ => {
                    if clock::mono() >= heartbeat {
                        heartbeat = clock::mono() + HEARTBEAT;
                        self.beat();
                    }
                    if self.watch.is_none() && clock::mono() >= listing {
                        self.poll();
                        listing = clock::mono() + POLL;
                    }
                    if self.give_up_at.is_some_and(|at| clock::mono() >= at) {
                        break;
                    }
                    self.maintain_if_due();
                    self.measure_if_due(Now::read());
                    self.go_on();
                }
            }
        }
        let lost = self.lost.take();
        let ending = self.go_home();
        lost.map_or(Ok(ending), Err)
    }

    /// Hears a message and what has come behind it, and then has the foreman go on once.
    fn take_all(&mut self, first: Message) {
        self.meter.note(clock::mono());
        self.measure_if_due(Now::read());
        self.take(first);
        for _ in 1..AT_A_TIME {
            let Ok(message) = self.messages.try_recv() else { break };
            self.take(message);
        }
        self.go_on();
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Event(Event::Withdrawn(file)) => {
                // Between the look and now we may have put the file back ourselves.
                if !self.spool.is_pending(&file) {
                    self.hear(Event::Withdrawn(file));
                }
            }
            Message::Event(Event::Filed { known_as, id, folder }) => {
                self.filed(&known_as, id, folder);
            }
            Message::Event(Event::Released(id)) => {
                self.went_on();
                let file = std::ffi::OsString::from(id.file_name());
                self.hear(Event::Released(id));
                // Somebody may have taken it away before we heard that it is back.
                if !self.spool.is_pending(&file) {
                    self.hear(Event::Withdrawn(file));
                }
            }
            Message::Event(event) => {
                self.note_event(&event);
                let all_is_known = matches!(event, Event::Listed(..));
                self.hear(event);
                if all_is_known && std::mem::take(&mut self.wants_rebuild) {
                    self.rebuild_mirror();
                }
            }
            Message::Begun(id, worker_id) => self.begun(&id, worker_id),
            Message::HandBack(id, ended, held) => self.hand_back(id, *ended, *held),
            Message::Paid(line) => self.paid(&line),
            Message::OwnTrouble(text) => self.own_trouble(&text),
            Message::Glimpse(glimpse) => self.glimpsed(glimpse),
            Message::MirrorWell => self.want_rebuild(),
            Message::Rebuilt(result) => self.rebuilt(result),
            Message::Maintained(maintained) => self.maintained(maintained),
        }
    }

    /// Passes something to the foreman and carries out what he orders at once.
    fn hear(&mut self, event: Event) {
        for order in self.foreman.learn(event, Now::read()) {
            self.carry_out(order);
        }
    }

    /// Carries out what follows from all that the foreman has heard.
    fn go_on(&mut self) {
        self.look_for_room();
        for order in self.foreman.go_on(Now::read()) {
            self.carry_out(order);
        }
        self.tell_if_empty();
    }

    fn ask(&self, ask: Ask) {
        if let Some(asks) = &self.asks {
            let _ = asks.send(ask);
        }
    }

    fn bring(&self, errand: Errand) {
        if let Some(errands) = &self.errands {
            let _ = errands.send(errand);
        }
    }

    fn beat(&mut self) {
        self.mirror.tell(Fact::Heartbeat(clock::wall()));
        self.ask(Ask::Glimpse(Glimpse::Everything));
    }

    fn glimpsed(&mut self, glimpse: Glimpse) {
        match glimpse {
            Glimpse::Note(name) => {
                if let Some(note) = Note::from_name(&name) {
                    self.read_note(note);
                }
            }
            Glimpse::Ended(folder, name) => self.result_changed(folder, &name),
            Glimpse::Everything => {
                self.own_filings.clear();
                self.read_notes();
            }
            Glimpse::Replaced => {
                self.mend_home();
                if self.lost.is_some() {
                    return;
                }
                self.watch_anew();
                self.ask(Ask::Glimpse(Glimpse::Everything));
            }
            Glimpse::Pending(_) | Glimpse::Claim(_) | Glimpse::Journal | Glimpse::Told => {}
        }
    }

    /// Acts on every note that lies in `control`.
    fn read_notes(&mut self) {
        match notes::all(&self.home) {
            Ok(notes) => notes.into_iter().for_each(|note| self.read_note(note)),
            Err(error) => self.own_trouble(&lanes::sentence(&error)),
        }
    }

    fn read_note(&mut self, note: Note) {
        let stands = note.stands(&self.home);
        match note {
            Note::Pause(name) if stands => self.hear(Event::Pause(name)),
            Note::Pause(name) => self.hear(Event::Resume(name)),
            Note::PauseGroup(name) if stands => self.hear(Event::PauseGroup(name)),
            Note::PauseGroup(name) => self.hear(Event::ResumeGroup(name)),
            Note::Cancel(ref id) if stands => {
                // It lies there until the task has ended, so that who dies meanwhile forgets nothing.
                let is_open = self.foreman.knows(id)
                    || self.spool.find(id).is_some_and(|folder| !folder.is_end());
                self.hear(Event::Cancel(id.clone()));
                if !is_open {
                    self.drop_note(&note);
                }
            }
            Note::Limits if stands => {
                if let Some(limits) = LimitsNote::read(&self.home) {
                    self.hear(Event::SetLimits(limits));
                    self.tell_of_money();
                }
                self.drop_note(&note);
            }
            Note::Rebuild if stands => self.want_rebuild(),
            Note::Compact if stands => self.compact_mirror(),
            Note::Cancel(_) | Note::Limits | Note::Rebuild | Note::Compact => {}
        }
    }

    pub(super) fn drop_note(&mut self, note: &Note) {
        if let Err(error) = note.take(&self.home) {
            self.own_trouble(&lanes::sentence(&error));
        }
    }

    fn own_trouble(&mut self, text: &str) {
        self.stuck.get_or_insert_with(|| (clock::mono(), String::new())).1 = text.to_owned();
        if !self.home.missing().is_empty() {
            self.mend_home();
        }
        if self.troubles.is_new(text, clock::mono()) {
            log::error!("{text}; koubou tries again by itself");
            self.tell_log(log::Level::Error, None, None, text);
        }
    }
}

/// A foreman who knows the settings and what the journal remembers.
fn foreman(config: &Config, drain: bool, replay: &mut Replay, now: Now) -> Foreman {
    let setup = Setup {
        benches: config.workers.iter().map(bench).collect(),
        limits: config.limits.clone(),
        on_exhausted: config.on_exhausted,
        timezone: config.timezone.clone(),
        ageing: config.ageing,
        drain,
        run: run_mark(now),
    };
    Foreman::new(setup, Arc::clone(&config.router), replay, now)
}

/// Says where a limit in the settings does not count.
fn tell_of_limits(config: &Config, replay: &Replay) {
    for (limit, set) in &replay.limits {
        let stated = match (&limit.scope, limit.window) {
            (Scope::Total, Window::Day) => Some(&config.limits.daily),
            (Scope::Total, Window::Month) => Some(&config.limits.monthly),
            _ => config.limits.others.get(limit),
        };
        if let Some(stated) = stated.filter(|stated| *stated != set) {
            log::warn!(
                "the {} is {set}, as `koubou budget set` set it; the settings' {stated} does not count",
                limit.in_words()
            );
        }
    }
}

/// Where the mirror lies.
fn database(config: &Config, home: &Home) -> std::path::PathBuf {
    config.database.clone().unwrap_or_else(|| home.database())
}

fn bench(spec: &WorkerSpec) -> Bench {
    Bench {
        worker_type: spec.worker_type.clone(),
        model: spec.model_name().to_owned(),
        hands: spec.concurrency,
        max_rpm: spec.max_rpm,
        max_tpm: spec.max_tpm,
        price: spec.price,
        max_cost: spec.max_cost,
        service_tier: spec.service_tier().map(str::to_owned),
        batch: spec.batch.clone(),
        max_attempts: spec.max_attempts,
        survives_one_death: spec.is_program(),
        max_tokens: spec.max_tokens,
        local: spec.local,
        system_bytes: (spec.system.as_ref().map_or(0, String::len)
            + serde_json::to_vec(&spec.params).map_or(0, |bytes| bytes.len()))
            as u64,
        disabled: spec.disabled.clone(),
    }
}

/// Begins the marks of this run's attempts: no other run of any daemon has it.
fn run_mark(now: Now) -> String {
    format!("{:x}-{:x}", now.wall.as_millisecond(), std::process::id())
}
