//! The foreman's decisions, each in a few lines.

mod any_order;
mod batches;
mod ladder;
mod money;
mod trouble;

use jiff::tz::TimeZone;

use super::*;
use crate::config::BatchSpec;
use crate::route::budget::Limits;
use crate::route::decision::{Assessment, Candidate, Wish};
use crate::route::price::{Price, ServiceTiers};
use crate::route::rules::{Condition, Rule};
use crate::task::Attempt;
use crate::task::Limit;
use crate::task::limit::Window;
use crate::task::outcome::Answer;

const CENT: Usd = Usd::from_pico(10_000_000_000);

/// A shop with a free local worker `echo` and a paid one `cloud`, one hand each unless said otherwise.
struct Shop {
    foreman: Foreman,
    now: Now,
}

impl Shop {
    fn new() -> Self {
        Self::with(1, Usd::dollars(10), false)
    }

    fn with(hands: usize, daily: Usd, drain: bool) -> Self {
        Self::opened(Setup { drain, ..setup(hands, daily, []) }, &mut Replay::default())
    }

    /// A shop that has these limits of single workers and types, too.
    fn limited<const N: usize>(hands: usize, others: [(Scope, Usd); N]) -> Self {
        Self::opened(setup(hands, Usd::dollars(10), others), &mut Replay::default())
    }

    fn opened(setup: Setup, replay: &mut Replay) -> Self {
        let now = Now { wall: "2026-11-23T12:00:00Z".parse().unwrap(), mono: Duration::ZERO };
        Self { foreman: Foreman::new(setup, Arc::new(router()), replay, now), now }
    }

    /// What follows from an event, without what is only told.
    fn hear(&mut self, event: Event) -> Vec<Order> {
        without_what_is_told(self.foreman.hear(event, self.now))
    }

    /// What follows from the time alone.
    fn go_on(&mut self) -> Vec<Order> {
        without_what_is_told(self.foreman.go_on(self.now))
    }

    /// The limits that an event makes people hear of.
    fn alerts(&mut self, event: Event) -> Vec<String> {
        self.foreman.hear(event, self.now).iter().filter_map(alert).collect()
    }

    /// Lets so many seconds pass.
    fn pass(&mut self, seconds: u64) -> Vec<Order> {
        self.now = self.now.plus(Duration::from_secs(seconds));
        self.go_on()
    }

    fn arrive(&mut self, id: &str) -> Vec<Order> {
        self.hear(arrival(id, |_| {}))
    }

    /// Starts a task and ends its attempt.
    fn end(&mut self, id: &str, outcome: impl Into<Outcome>) -> Vec<Order> {
        self.end_by("echo-1", id, outcome)
    }

    /// The same, until its end is in the journal and its result in its folder.
    fn end_and_file(&mut self, id: &str, outcome: impl Into<Outcome>) -> Vec<Order> {
        let mut orders = self.end(id, outcome);
        let folder = orders.iter().find_map(|order| match order {
            Order::File(_, verdict) => Some(verdict.folder),
            _ => None,
        });
        orders.extend(self.hear(filed_in(name(id), folder.unwrap())));
        orders
    }

    fn end_by(&mut self, hand: &str, id: &str, outcome: impl Into<Outcome>) -> Vec<Order> {
        let ended = Ended {
            worker_id: hand.to_owned(),
            attempt: "mark".to_owned(),
            started_at: self.now.wall,
            finished_at: self.now.wall,
            outcome: outcome.into(),
        };
        self.hear(Event::Ended(name(id), Box::new(ended)))
    }
}

fn without_what_is_told(mut orders: Vec<Order>) -> Vec<Order> {
    orders.retain(|order| {
        !matches!(order, Order::Record(_) | Order::Say(_) | Order::Lane(..) | Order::Money)
            && alert(order).is_none()
            && !matches!(order, Order::Write(line) if line.event == LineKind::Alert)
    });
    orders
}

/// A result stands under its task's own name.
fn filed_in(id: TaskId, folder: Folder) -> Event {
    Event::Filed { known_as: id.clone(), id, folder }
}

fn alert(order: &Order) -> Option<String> {
    match order {
        Order::Alert(alert) => Some(alert.limit.to_string()),
        _ => None,
    }
}

/// Daily limits beside a total of so much.
fn setup<const N: usize>(hands: usize, daily: Usd, others: [(Scope, Usd); N]) -> Setup {
    let others = others.map(|(scope, usd)| (Limit { scope, window: Window::Day }, usd)).into();
    Setup {
        benches: vec![bench("cloud", hands, false), bench("echo", hands, true)],
        limits: Limits { daily, monthly: Usd::dollars(100), alert_percent: 80, others },
        on_exhausted: OnExhausted::Wait,
        timezone: TimeZone::UTC,
        ageing: Duration::from_secs(3_600),
        drain: false,
        run: "run".to_owned(),
    }
}

fn bench(name: &str, hands: usize, local: bool) -> Bench {
    Bench {
        worker_type: WorkerType::new(name),
        model: name.to_owned(),
        hands,
        max_rpm: None,
        max_tpm: None,
        // A thousand answer tokens are a cent.
        price: if local { Price::FREE } else { Price { output: Usd::dollars(10), ..Price::FREE } },
        max_cost: None,
        service_tier: None,
        batch: None,
        max_attempts: 3,
        survives_one_death: false,
        max_tokens: 1_000,
        local,
        system_bytes: 0,
        disabled: None,
    }
}

fn router() -> Router {
    let candidate = |name: &str, local| Candidate {
        worker_type: WorkerType::new(name),
        local,
        use_for: Vec::new(),
        only_named: false,
        paid: !local,
        escalate: Vec::new(),
        fallback: Vec::new(),
    };
    Router {
        rules: vec![Rule { condition: Condition::Always, worker_type: WorkerType::new("echo") }],
        candidates: vec![candidate("cloud", false), candidate("echo", true)],
        ..Router::default()
    }
}

fn name(id: &str) -> TaskId {
    id.parse().unwrap()
}

fn arrival(id: &str, change: impl FnOnce(&mut Summary)) -> Event {
    let at = "2026-11-23T11:00:00Z".parse().unwrap();
    let mut summary = Summary {
        wish: Wish::default(),
        seen: Assessment { sensitivity: Sensitivity::Public, ..Summary::of_no_task(at).seen },
        ..Summary::of_no_task(at)
    };
    change(&mut summary);
    Event::Arrived(Box::new(Arrival {
        file: format!("{id}.json").into(),
        id: name(id),
        fingerprint: 1,
        dropped_at: at,
        task: Ok(Box::new(summary)),
    }))
}

fn paid(id: &str) -> Event {
    arrival(id, |summary| summary.wish.worker = Some(WorkerType::new("cloud")))
}

/// A task of this type for the paid worker.
fn paid_of(task_type: &str, id: &str) -> Event {
    arrival(id, |summary| {
        summary.wish.worker = Some(WorkerType::new("cloud"));
        summary.wish.task_type = task_type.to_owned();
    })
}

fn of_type(name: &str) -> Scope {
    Scope::TaskType(name.to_owned())
}

fn of_worker(name: &str) -> Scope {
    Scope::Worker(WorkerType::new(name))
}

fn spent(amount: Usd) -> Answer {
    Answer { spent: Spent::Known(amount), ..done() }
}

/// An answer that somebody does not accept.
fn not_accepted() -> Outcome {
    Failure::new("not_accepted", ErrorKind::NotAccepted, "the answer is not JSON").into()
}

fn done() -> Answer {
    Answer { content: "42".into(), ..Answer::default() }
}

fn started(orders: &[Order]) -> Vec<&str> {
    let mut ids = Vec::new();
    for order in orders {
        if let Order::Start(start) = order {
            ids.push(start.id.as_str());
        }
    }
    ids
}

fn refused(orders: &[Order]) -> Vec<(&str, ErrorKind)> {
    let mut refusals = Vec::new();
    for order in orders {
        if let Order::Refuse(refuse) = order {
            let error = refuse.verdict.error.as_ref().unwrap();
            refusals.push((refuse.id.as_str(), error.kind));
        }
    }
    refusals
}

fn filed(orders: &[Order]) -> Vec<(&str, Folder)> {
    let mut filings = Vec::new();
    for order in orders {
        if let Order::File(id, verdict) = order {
            filings.push((id.as_str(), verdict.folder));
        }
    }
    filings
}

#[test]
fn a_full_shop_lets_the_next_task_wait() {
    let mut shop = Shop::new();
    assert_eq!(started(&shop.arrive("a")), ["a"]);
    assert!(shop.arrive("b").is_empty());
    let orders = shop.end("a", done());
    assert_eq!((filed(&orders), started(&orders)), (vec![("a", Folder::Completed)], vec!["b"]));
}

#[test]
fn a_higher_priority_goes_first_and_then_who_came_first() {
    let mut shop = Shop::new();
    shop.arrive("busy");
    shop.arrive("first");
    shop.arrive("second");
    shop.hear(arrival("urgent", |summary| summary.wish.priority = 9));
    let mut order = Vec::new();
    let mut running = "busy".to_owned();
    for _ in 0..3 {
        running = started(&shop.end(&running, done()))[0].to_owned();
        order.push(running.clone());
    }
    assert_eq!(order, ["urgent", "first", "second"]);
}

#[test]
fn a_failure_is_tried_again_after_a_pause_and_filed_after_the_last() {
    let mut shop = Shop::new();
    shop.arrive("a");
    let failure = || Failure::new("server_error", ErrorKind::AttemptsExhausted, "no").retried(None);
    for pause in [2, 3] {
        assert!(matches!(&shop.end("a", failure())[..], [Order::Release(..)]));
        assert!(shop.hear(Event::Released(name("a"))).is_empty());
        assert_eq!(started(&shop.pass(pause)), ["a"]);
    }
    assert_eq!(filed(&shop.end("a", failure())), [("a", Folder::Failed)]);
}

#[test]
fn a_worker_that_is_not_there_costs_no_attempt_and_is_looked_for() {
    let mut shop = Shop::new();
    shop.arrive("a");
    let mut nobody = Failure::new("unreachable", ErrorKind::NoWorker, "nobody answers")
        .of_worker(Trouble::Unreachable);
    nobody.next = Next::NotAnAttempt;
    shop.end("a", nobody);
    assert!(shop.hear(Event::Released(name("a"))).is_empty());
    assert_eq!(shop.pass(3), [Order::Probe(WorkerType::new("echo"))]);
    assert!(shop.pass(60).is_empty(), "one look at a time");
    assert_eq!(started(&shop.hear(Event::Probed(WorkerType::new("echo"), Ok(())))), ["a"]);
}

#[test]
fn a_dependency_is_waited_for_and_its_failure_shared() {
    let mut shop = Shop::new();
    let after = |id: &str| arrival(id, |summary| summary.depends_on = vec![name("first")]);
    assert_eq!(shop.hear(after("second")), [Order::Look(name("first"))]);
    assert!(shop.hear(Event::Looked(name("first"), None)).is_empty(), "not yet known");
    shop.arrive("first");
    shop.end("first", done());
    assert_eq!(started(&shop.hear(filed_in(name("first"), Folder::Completed))), ["second"]);
    shop.hear(after("third"));
    let orders = shop.hear(Event::Looked(name("first"), Some(Folder::Failed)));
    assert_eq!(refused(&orders), [("third", ErrorKind::DependencyFailed)]);
}

#[test]
fn times_are_kept() {
    let mut shop = Shop::new();
    let later = clock::later(shop.now.wall, Duration::from_secs(60));
    assert!(shop.hear(arrival("a", |summary| summary.not_before = Some(later))).is_empty());
    assert_eq!(shop.foreman.wakes_at(shop.now), Some(Duration::from_secs(60)));
    assert_eq!(started(&shop.pass(60)), ["a"]);
    shop.hear(arrival("b", |summary| {
        summary.expires_at = Some(clock::later(later, Duration::from_secs(5)));
    }));
    assert_eq!(refused(&shop.pass(5)), [("b", ErrorKind::Expired)]);
}

#[test]
fn a_file_taken_out_of_pending_is_forgotten_and_its_dependents_fail() {
    let mut shop = Shop::new();
    shop.arrive("busy");
    shop.arrive("a");
    shop.hear(arrival("b", |summary| summary.depends_on = vec![name("a")]));
    let orders = shop.hear(Event::Withdrawn("a.json".into()));
    assert!(orders.contains(&Order::Forget(name("a"))));
    assert_eq!(refused(&orders), [("b", ErrorKind::DependencyFailed)]);
    assert!(shop.hear(Event::Withdrawn("busy.json".into())).is_empty(), "that was our own claim");
}

#[test]
fn a_cancelled_task_ends_wherever_it_is() {
    let mut shop = Shop::new();
    shop.arrive("running");
    shop.arrive("waiting");
    assert_eq!(
        refused(&shop.hear(Event::Cancel(name("waiting")))),
        [("waiting", ErrorKind::Cancelled)]
    );
    assert_eq!(shop.hear(Event::Cancel(name("running"))), [Order::Pull(name("running"))]);
    let ended = Failure::new("cancelled", ErrorKind::Cancelled, "").retried(None);
    assert_eq!(filed(&shop.end("running", ended)), [("running", Folder::Failed)]);
    shop.hear(Event::Cancel(name("later")));
    assert_eq!(refused(&shop.arrive("later")), [("later", ErrorKind::Cancelled)]);
}

#[test]
fn a_task_that_kills_the_daemon_is_not_tried_for_ever() {
    let mut shop = Shop::new();
    let died = Attempt {
        worker_id: "echo-1".into(),
        started_at: shop.now.wall,
        finished_at: shop.now.wall,
        outcome: crate::task::journal::DAEMON_DIED.into(),
        message: String::new(),
        cost_usd: Usd::ZERO,
        batch_id: None,
    };
    let past = |n| Past { attempts: vec![died.clone(); n], ..Past::default() };
    shop.foreman.past.insert(name("a"), past(2));
    shop.foreman.past.insert(name("b"), past(3));
    assert_eq!(started(&shop.arrive("a")), ["a"]);
    assert_eq!(refused(&shop.arrive("b")), [("b", ErrorKind::DaemonDied)]);
}

#[test]
fn what_cannot_be_taken_is_told_once_however_often_it_is_looked_at() {
    let mut shop = Shop::new();
    let mut said = 0;
    for _ in 0..3 {
        let mut orders = shop.foreman.hear(arrival("a", |_| {}), shop.now);
        let why = NotClaimed::NotOurs("it is theirs".into());
        orders.extend(shop.foreman.hear(Event::NotClaimed(name("a"), why), shop.now));
        said += orders.iter().filter(|order| matches!(order, Order::Say(_))).count();
    }
    assert_eq!(said, 1);
}

#[test]
fn our_own_trouble_is_nobodys_failure() {
    let mut shop = Shop::new();
    shop.arrive("a");
    let trouble = NotClaimed::Trouble("no room".into());
    assert!(shop.hear(Event::NotClaimed(name("a"), trouble)).is_empty());
    assert_eq!(started(&shop.pass(2)), ["a"]);
}

#[test]
fn a_drain_goes_home_when_only_waiting_is_left() {
    let mut shop = Shop::with(1, Usd::dollars(10), true);
    assert_eq!(shop.go_on(), [Order::List(1)]);
    shop.arrive("a");
    shop.hear(arrival("b", |summary| summary.depends_on = vec![name("unknown")]));
    shop.hear(Event::Looked(name("unknown"), None));
    shop.end("a", done());
    assert!(shop.hear(filed_in(name("a"), Folder::Completed)).is_empty(), "it asked already");
    let orders = shop.hear(Event::Listed(1, Vec::new()));
    let waits = vec![("`unknown`, which nobody has dropped yet".to_owned(), 1)];
    assert_eq!(orders, [Order::GoHome(Farewell { waits })]);
}

#[test]
fn a_stop_claims_nothing_more_and_waits_for_what_runs() {
    let mut shop = Shop::new();
    shop.arrive("a");
    shop.arrive("b");
    assert!(shop.hear(Event::Stop).is_empty());
    assert_eq!(filed(&shop.end("a", done())), [("a", Folder::Completed)]);
    let orders = shop.hear(filed_in(name("a"), Folder::Completed));
    assert!(matches!(&orders[..], [Order::GoHome(_)]), "{orders:?}");
}
