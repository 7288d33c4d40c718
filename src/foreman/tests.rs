//! The foreman's decisions, each in a few lines, and what no order of events can break.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use proptest::prelude::*;

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
fn no_paid_attempt_begins_without_money() {
    let mut shop = Shop::with(9, CENT.times(2), false);
    assert_eq!(started(&shop.hear(paid("a"))), ["a"]);
    assert_eq!(started(&shop.hear(paid("b"))), ["b"]);
    assert!(shop.hear(paid("c")).is_empty(), "both cents are promised");
    assert_eq!(started(&shop.end_and_file("a", done())), ["c"], "the first cost nothing");
}

#[test]
fn what_can_never_be_paid_is_refused() {
    let mut shop = Shop::with(1, Usd::from_pico(1), false);
    assert_eq!(refused(&shop.hear(paid("a"))), [("a", ErrorKind::OverBudget)]);
    let mut shop = Shop::new();
    let capped = arrival("b", |summary| {
        summary.wish.worker = Some(WorkerType::new("cloud"));
        summary.max_cost = Some(Usd::from_pico(1));
    });
    assert_eq!(refused(&shop.hear(capped)), [("b", ErrorKind::OverBudget)]);
}

#[test]
fn an_unknown_outcome_keeps_its_money() {
    let mut shop = Shop::with(1, CENT, false);
    shop.hear(paid("a"));
    shop.end_and_file("a", Failure::new("timeout", ErrorKind::Timeout, "?").spent(Spent::Unknown));
    assert!(shop.hear(paid("b")).is_empty());
    assert_eq!(shop.foreman.money().0.spent, CENT);
}

#[test]
fn a_type_whose_money_is_used_up_waits_alone_and_others_overtake_it() {
    let mut shop = Shop::limited(1, [(of_type("report"), CENT)]);
    assert_eq!(started(&shop.hear(paid_of("report", "r1"))), ["r1"]);
    shop.hear(paid_of("report", "r2"));
    shop.hear(paid_of("letter", "l1"));
    assert_eq!(
        started(&shop.end_and_file("r1", spent(CENT))),
        ["l1"],
        "r2 came first and cannot be paid"
    );
    assert!(started(&shop.end_and_file("l1", done())).is_empty());
    let waits = shop.foreman.rows().find_map(|row| row.waits_for).unwrap();
    assert!(waits.contains("limit of task type report is used up until"), "{waits}");
    assert_eq!(started(&shop.arrive("free")), ["free"]);
    assert_eq!(started(&shop.pass(12 * 3_600)), ["r2"], "a new day");
    assert!(shop.foreman.rows().all(|row| row.waits_for.is_none()));
}

#[test]
fn money_that_comes_back_lets_the_first_of_its_type_go_on() {
    let mut shop = Shop::limited(9, [(of_type("report"), CENT)]);
    shop.hear(paid_of("report", "r1"));
    assert!(shop.hear(paid_of("report", "r2")).is_empty(), "the cent is promised");
    assert!(shop.hear(paid_of("report", "r3")).is_empty());
    assert_eq!(started(&shop.hear(paid_of("letter", "l1"))), ["l1"]);
    assert_eq!(started(&shop.end_and_file("r1", done())), ["r2"]);
}

#[test]
fn a_worker_whose_money_is_used_up_waits_and_nobody_else_does() {
    let mut setup = setup(1, Usd::dollars(10), [(of_worker("cloud"), CENT)]);
    setup.benches.push(bench("other", 1, false));
    let mut shop = Shop::opened(setup, &mut Replay::default());
    let mut candidates = router().candidates;
    candidates.push(Candidate { worker_type: WorkerType::new("other"), ..candidates[0].clone() });
    shop.foreman.router = Arc::new(Router { candidates, ..router() });
    shop.hear(paid_of("letter", "a"));
    shop.end_and_file("a", spent(CENT));
    assert!(shop.hear(paid_of("report", "b")).is_empty());
    let other = arrival("c", |summary| summary.wish.worker = Some(WorkerType::new("other")));
    assert_eq!(started(&shop.hear(other)), ["c"]);
    assert_eq!(started(&shop.pass(12 * 3_600)), ["b"]);
}

#[test]
fn where_the_settings_say_so_a_task_that_cannot_be_paid_fails() {
    for scope in [of_type("report"), of_worker("cloud"), Scope::Total] {
        let mut setup = setup(9, Usd::dollars(10), [(scope.clone(), CENT)]);
        setup.on_exhausted = OnExhausted::Fail;
        if scope == Scope::Total {
            setup.limits.daily = CENT;
        }
        let mut shop = Shop::opened(setup, &mut Replay::default());
        shop.hear(paid_of("report", "a"));
        assert!(shop.hear(paid_of("report", "b")).is_empty(), "it is only promised");
        let orders = shop.end_and_file("a", spent(CENT));
        assert_eq!(refused(&orders), [("b", ErrorKind::OverBudget)]);
        let said = orders.iter().find_map(|order| match order {
            Order::Refuse(refuse) => refuse.verdict.error.as_ref(),
            _ => None,
        });
        let said = &said.unwrap().message;
        for part in ["2026-11-24T00:00:00", "raises it", "`koubou retry b`"] {
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(started(&shop.arrive("free")), ["free"]);
    }
}

#[test]
fn a_restart_knows_what_each_limit_has_left() {
    let begun = "2026-11-23T09:00:00Z".parse().unwrap();
    let line = |mark: &str, task_type: Option<&str>| Line {
        attempt: Some(mark.into()),
        worker_type: Some(WorkerType::new("cloud")),
        task_type: task_type.map(str::to_owned),
        cost_usd: Some(CENT),
        ..Line::new(LineKind::End, begun)
    };
    let mut replay = Replay::default();
    replay.follow(line("a", Some("report")));
    replay.follow(line("of an older koubou", None));
    let limits = [(of_type("report"), CENT.times(3)), (of_worker("cloud"), CENT.times(4))];
    let shop = Shop::opened(setup(1, Usd::dollars(10), limits), &mut replay);
    let spent: Vec<_> = shop
        .foreman
        .ledger
        .standings()
        .map(|(limit, standing)| (limit.to_string(), standing.spent))
        .collect();
    let spent: Vec<_> = spent.iter().map(|(limit, spent)| (limit.as_str(), *spent)).collect();
    assert_eq!(
        spent,
        [
            ("daily", CENT.times(2)),
            ("monthly", CENT.times(2)),
            ("daily limit of worker cloud", CENT.times(2)),
            ("daily limit of task type report", CENT),
        ]
    );
}

#[test]
fn people_hear_once_of_a_limit_that_is_nearly_reached_also_over_a_restart() {
    let limits = || [(of_type("report"), CENT), (of_worker("cloud"), CENT.times(5))];
    let mut shop = Shop::limited(9, limits());
    let orders = shop.foreman.hear(paid_of("report", "a"), shop.now);
    let said: Vec<String> = orders.iter().filter_map(alert).collect();
    assert_eq!(said, ["daily limit of task type report"]);
    let written = orders.iter().position(|order| matches!(order, Order::Write(_)));
    let rung = orders.iter().position(|order| matches!(order, Order::Alert(_)));
    assert!(written < rung, "written down first: {orders:?}");
    shop.end_and_file("a", done());
    assert!(shop.alerts(paid_of("report", "b")).is_empty());
    let mut replay = Replay::default();
    for order in orders {
        if let Order::Write(line) = order {
            replay.follow(*line);
        }
    }
    let mut shop = Shop::opened(setup(9, Usd::dollars(10), limits()), &mut replay);
    assert!(shop.alerts(paid_of("report", "c")).is_empty());
    shop.pass(12 * 3_600);
    assert_eq!(shop.alerts(paid_of("report", "d")), ["daily limit of task type report"]);
}

#[test]
fn a_ladder_does_not_climb_to_where_its_task_would_fail_for_money() {
    let mut setup = setup(1, Usd::dollars(10), [(of_worker("cloud"), CENT)]);
    setup.on_exhausted = OnExhausted::Fail;
    let mut shop = Shop::opened(setup, &mut Replay::default());
    shop.hear(paid("a"));
    shop.end_and_file("a", spent(CENT));
    shop.hear(arrival("b", |summary| {
        summary.wish.escalate = vec![WorkerType::new("echo"), WorkerType::new("cloud")];
    }));
    let orders = shop.end("b", not_accepted());
    let [Order::File(_, verdict)] = orders.as_slice() else { panic!("{orders:?}") };
    assert_eq!(verdict.error.as_ref().map(|error| error.kind), Some(ErrorKind::NotAccepted));
}

#[test]
fn past_the_alert_ordinary_work_goes_to_a_local_worker() {
    let mut shop = Shop::with(2, CENT.times(10), false);
    shop.foreman.ledger.record(CENT.times(9), &Purpose::default(), shop.now.wall, shop.now.wall);
    shop.foreman.router = Arc::new(Router {
        rules: vec![Rule { condition: Condition::Always, worker_type: WorkerType::new("cloud") }],
        ..router()
    });
    let worker = |orders: &[Order]| match &orders[0] {
        Order::Start(start) => start.worker_type.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(worker(&shop.arrive("a")), "echo");
    let hard = arrival("b", |summary| summary.seen.difficulty = Difficulty::High);
    assert_eq!(worker(&shop.hear(hard)), "cloud");
}

/// A failure of a server, worth another attempt.
fn failure_of(trouble: Trouble) -> Failure {
    Failure::new("server_error", ErrorKind::AttemptsExhausted, "it broke")
        .retried(None)
        .of_worker(trouble)
}

#[test]
fn a_server_that_fails_again_and_again_is_left_alone_and_then_tried_with_one_task() {
    let mut shop = Shop::with(9, Usd::dollars(10), false);
    let all: Vec<String> = (0..5).map(|n| format!("t{n}")).collect();
    all.iter().for_each(|id| drop(shop.arrive(id)));
    for id in &all {
        shop.end(id, failure_of(Trouble::Failing));
        shop.hear(Event::Released(name(id)));
    }
    let news = shop.foreman.lanes[&WorkerType::new("echo")].waits_for().unwrap();
    assert!(news.contains("failed 5 times in a row, the last time so: it broke"), "{news}");
    assert!(started(&shop.pass(5)).is_empty(), "their own pauses are over, and nobody tries");
    let orders = shop.pass(6);
    let probe = started(&orders);
    assert_eq!(probe.len(), 1);
    // It fails once more, and is left alone for twice as long.
    shop.end(probe[0], failure_of(Trouble::Failing));
    shop.hear(Event::Released(name(probe[0])));
    assert!(started(&shop.pass(19)).is_empty());
    let orders = shop.pass(2);
    let probe = started(&orders);
    assert_eq!(probe.len(), 1);
    shop.end(probe[0], done());
    assert_eq!(started(&shop.hear(filed_in(name(probe[0]), Folder::Completed))).len(), 0);
    assert_eq!(shop.foreman.lanes[&WorkerType::new("echo")].busy, 2, "and then little by little");
}

#[test]
fn a_server_with_too_much_to_do_is_given_half_and_then_more_again() {
    let mut shop = Shop::with(8, Usd::dollars(10), false);
    for n in 0..20 {
        shop.arrive(&format!("t{n}"));
    }
    let width = |shop: &Shop| {
        let lane = &shop.foreman.lanes[&WorkerType::new("echo")];
        (lane.busy, shop.foreman.backlog())
    };
    assert_eq!(width(&shop).0, 8);
    shop.now = shop.now.plus(Duration::from_secs(1));
    for n in 0..3 {
        // They began together, so they say the same thing once.
        let ended = Ended {
            worker_id: "echo-1".to_owned(),
            attempt: "mark".to_owned(),
            started_at: "2026-11-23T12:00:00Z".parse().unwrap(),
            finished_at: shop.now.wall,
            outcome: failure_of(Trouble::Overloaded).into(),
        };
        shop.hear(Event::Ended(name(&format!("t{n}")), Box::new(ended)));
    }
    for n in 3..8 {
        shop.end(&format!("t{n}"), done());
    }
    assert!((4..8).contains(&width(&shop).0), "{:?}", width(&shop));
}

#[test]
fn tokens_of_a_minute_are_spread_and_what_was_not_used_comes_back() {
    let mut shop = Shop::new();
    let lane = shop.foreman.lanes.get_mut(&WorkerType::new("echo")).unwrap();
    lane.tokens = crate::route::rate::Pacer::new(Some(6_000));
    lane.bench.hands = 9;
    assert_eq!(started(&shop.arrive("a")), ["a"]);
    // A thousand for the answer and a few for the question are some eleven seconds' worth.
    assert!(started(&shop.arrive("b")).is_empty());
    let usage = crate::task::outcome::Usage { total_tokens: 100, ..Default::default() };
    let answer = Answer { usage: Some(usage), ..Answer::default() };
    assert!(started(&shop.end("a", answer)).is_empty());
    assert_eq!(started(&shop.pass(1)), Vec::<String>::new());
    assert_eq!(started(&shop.pass(1)), ["b"]);
}

#[test]
fn an_answer_may_say_that_there_is_to_be_a_pause() {
    let mut shop = Shop::new();
    shop.arrive("a");
    shop.arrive("b");
    let pause = Some(Duration::from_secs(30));
    let orders = shop.end("a", Answer { pause, ..Answer::default() });
    let written =
        |order: &Order| matches!(order, Order::Write(line) if line.event == LineKind::Pause);
    assert!(orders.iter().any(written) && started(&orders).is_empty(), "{orders:?}");
    assert_eq!(started(&shop.pass(31)), ["b"]);
}

#[test]
fn thought_that_used_up_every_token_gets_twice_as_many_once() {
    let mut shop = Shop::new();
    let tokens = |orders: &[Order]| match &orders[0] {
        Order::Start(start) => start.max_tokens,
        other => panic!("{other:?}"),
    };
    let ran_out = || {
        let spent = Spent::Known(CENT);
        let kind = ErrorKind::AttemptsExhausted;
        Failure::new(crate::task::outcome::NO_TOKENS_LEFT, kind, "?").retried(None).spent(spent)
    };
    assert_eq!(tokens(&shop.hear(paid("a"))), 1_000);
    shop.end_by("cloud-1", "a", ran_out());
    shop.hear(Event::Released(name("a")));
    let orders = shop.pass(2);
    assert_eq!(tokens(&orders), 2_000);
    let Order::Start(start) = &orders[0] else { unreachable!() };
    assert_eq!(start.reserved, CENT.times(2), "what is set apart grows with it");
    let orders = shop.end_by("cloud-1", "a", ran_out());
    let Some(Order::File(_, verdict)) = orders.first() else { panic!("{orders:?}") };
    assert_eq!((verdict.attempts.len(), verdict.cost), (2, CENT.times(2)), "both are paid for");
}

fn with_fallback(id: &str, sensitivity: Sensitivity) -> Event {
    arrival(id, |summary| {
        summary.wish.worker = Some(WorkerType::new("cloud"));
        summary.wish.fallback = vec![WorkerType::new("echo")];
        summary.seen.sensitivity = sensitivity;
    })
}

#[test]
fn somebody_stands_in_for_a_worker_that_cannot_be_used() {
    let mut shop = Shop::new();
    let on = |orders: &[Order]| match &orders[0] {
        Order::Start(start) => (start.id.to_string(), start.worker_type.to_string()),
        other => panic!("{other:?}"),
    };
    let orders = shop.hear(with_fallback("a", Sensitivity::Public));
    assert_eq!(on(&orders), ("a".into(), "cloud".into()));
    let billing = Failure::new("billing", ErrorKind::AttemptsExhausted, "no credit");
    let billing = Failure { next: Next::NotAnAttempt, ..billing.of_worker(Trouble::Billing) };
    shop.end("a", billing);
    let orders = shop.hear(Event::Released(name("a")));
    assert_eq!(on(&orders), ("a".into(), "echo".into()));
    // What goes wrong there says nothing of the one whose place it is.
    shop.end("a", failure_of(Trouble::RateLimited(None)));
    let cloud = &shop.foreman.lanes[&WorkerType::new("cloud")];
    assert!(matches!(cloud.block, Some(Block::Stopped { .. })), "{:?}", cloud.block);
}

#[test]
fn who_has_no_money_or_must_pause_for_long_is_stood_in_for_at_once() {
    for on_exhausted in [OnExhausted::Wait, OnExhausted::Fail] {
        let mut setup = setup(9, Usd::dollars(10), [(of_worker("cloud"), CENT)]);
        setup.on_exhausted = on_exhausted;
        let mut shop = Shop::opened(setup, &mut Replay::default());
        shop.hear(paid("a"));
        shop.end_and_file("a", spent(CENT));
        let orders = shop.hear(with_fallback("b", Sensitivity::Public));
        let Some(Order::Start(start)) = orders.first() else { panic!("{orders:?}") };
        assert_eq!(start.worker_type, WorkerType::new("echo"));
    }
    let mut shop = Shop::new();
    shop.hear(with_fallback("a", Sensitivity::Public));
    let hour = Some(Duration::from_secs(3_600));
    let limited = Failure::new("rate_limited", ErrorKind::AttemptsExhausted, "slow down");
    let limited = limited.retried(hour).of_worker(Trouble::RateLimited(hour));
    shop.end_by("cloud-1", "a", limited);
    let orders = shop.hear(Event::Released(name("a")));
    let Some(Order::Start(start)) = orders.first() else { panic!("{orders:?}") };
    assert_eq!(start.worker_type, WorkerType::new("echo"));
}

#[test]
fn attempts_that_a_server_used_up_are_made_anew_by_who_stands_in() {
    let mut shop = Shop::new();
    shop.hear(with_fallback("a", Sensitivity::Public));
    for pause in [2, 3] {
        shop.end_by("cloud-1", "a", failure_of(Trouble::Failing));
        shop.hear(Event::Released(name("a")));
        assert_eq!(started(&shop.pass(pause)), ["a"]);
    }
    let orders = shop.end_by("cloud-1", "a", failure_of(Trouble::Failing));
    assert!(orders.iter().any(|order| matches!(order, Order::Release(..))), "{orders:?}");
    let orders = shop.hear(Event::Released(name("a")));
    let Order::Start(start) = &orders[0] else { panic!("{orders:?}") };
    assert_eq!(start.worker_type, WorkerType::new("echo"));
    let orders = shop.end("a", done());
    let Some(Order::File(_, verdict)) = orders.first() else { panic!("{orders:?}") };
    assert_eq!(verdict.attempts.len(), 4);
    assert!(verdict.routing.reasons.iter().any(|reason| reason.rule == "fallback"));
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

/// An answer that somebody does not accept.
fn not_accepted() -> Outcome {
    Failure::new("not_accepted", ErrorKind::NotAccepted, "the answer is not JSON").into()
}

#[test]
fn an_answer_that_is_not_accepted_sends_the_task_up_its_ladder() {
    let mut shop = Shop::new();
    shop.hear(arrival("a", |summary| {
        summary.wish.escalate = vec![WorkerType::new("echo"), WorkerType::new("cloud")];
    }));
    let orders = shop.end("a", not_accepted());
    let [Order::Release(_, lines)] = orders.as_slice() else { panic!("{orders:?}") };
    let next = lines.last().and_then(|line| line.worker_type.as_ref());
    assert_eq!(next.map(WorkerType::as_str), Some("cloud"), "a restart knows it");
    let orders = shop.hear(Event::Released(name("a")));
    let [Order::Start(start)] = orders.as_slice() else { panic!("{orders:?}") };
    assert_eq!(start.worker_type.as_str(), "cloud");
    assert!(start.reserved > Usd::ZERO);
    let orders = shop.end("a", not_accepted());
    let [Order::File(_, verdict)] = orders.as_slice() else { panic!("{orders:?}") };
    assert_eq!(verdict.error.as_ref().map(|error| error.kind), Some(ErrorKind::NotAccepted));
    assert_eq!(verdict.attempts.len(), 2);
}

#[test]
fn who_was_passed_on_before_a_restart_is_not_asked_from_the_beginning() {
    let mut shop = Shop::new();
    let past = Past { rung: Some(WorkerType::new("cloud")), ..Past::default() };
    shop.foreman.past.insert(name("a"), past.clone());
    shop.foreman.past.insert(name("b"), past);
    let ladder = vec![WorkerType::new("echo"), WorkerType::new("cloud")];
    let lane = |orders: &[Order]| match orders {
        [Order::Start(start)] => start.worker_type.to_string(),
        other => panic!("{other:?}"),
    };
    let public = shop.hear(arrival("a", |summary| summary.wish.escalate = ladder.clone()));
    assert_eq!(lane(&public), "cloud");
    let secret = shop.hear(arrival("b", |summary| {
        summary.wish.escalate = ladder;
        summary.seen.sensitivity = Sensitivity::Confidential;
    }));
    assert_eq!(lane(&secret), "echo", "that rung is beyond the house");
}

#[test]
fn a_ladder_neither_passes_a_limit_nor_an_answer_that_nobody_could_check() {
    let climbs = |summary: &mut Summary| {
        summary.wish.escalate = vec![WorkerType::new("echo"), WorkerType::new("cloud")];
        summary.max_cost = Some(CENT);
        summary.max_tokens = Some(100_000);
    };
    let mut shop = Shop::new();
    shop.hear(arrival("dear", climbs));
    assert_eq!(filed(&shop.end("dear", not_accepted())), [("dear", Folder::Failed)]);
    shop.hear(arrival("unchecked", climbs));
    let unchecked = Failure::new(CHECK_FAILED, ErrorKind::CommandFailed, "not there");
    assert_eq!(filed(&shop.end("unchecked", unchecked)), [("unchecked", Folder::Failed)]);
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
    assert_eq!(shop.go_on(), [Order::List]);
    shop.arrive("a");
    shop.hear(arrival("b", |summary| summary.depends_on = vec![name("unknown")]));
    shop.hear(Event::Looked(name("unknown"), None));
    shop.end("a", done());
    assert!(shop.hear(filed_in(name("a"), Folder::Completed)).is_empty(), "it asked already");
    let orders = shop.hear(Event::Listed(Vec::new()));
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

/// A shop whose paid worker sends all its tasks in batches of two.
fn with_batches(drain: bool, replay: &mut Replay) -> Shop {
    let mut setup = Setup { drain, ..setup(1, Usd::dollars(10), []) };
    let terms = BatchSpec { all: true, most: 2, ..BatchSpec::default() };
    setup.benches[0].batch = Some(terms);
    setup.benches[0].price.service_tiers = ServiceTiers::USUAL;
    Shop::opened(setup, replay)
}

/// A call about a batch: what is to be done, the tasks, the provider's id, whether it is the last look.
type Call<'a> = (&'static str, Vec<&'a str>, Option<&'a str>, bool);

fn calls(orders: &[Order]) -> Vec<Call<'_>> {
    let called = orders.iter().filter_map(|order| match order {
        Order::Send(call) => Some(("send", call)),
        Order::Ask(call) => Some(("ask", call)),
        Order::Leave(call) => Some(("leave", call)),
        Order::Tidy(call) => Some(("tidy", call)),
        Order::CallOff(call) => Some(("call off", call)),
        _ => None,
    });
    let told = called.map(|(what, call)| {
        let ids = call.parts.keys().map(TaskId::as_str).collect();
        (what, ids, call.batch_id.as_deref(), call.is_last_look)
    });
    told.collect()
}

/// The mark of the batch that a task is started for.
fn batch_mark(orders: &[Order]) -> String {
    let mark = orders.iter().find_map(|order| match order {
        Order::Start(start) => start.batch.clone(),
        _ => None,
    });
    mark.unwrap()
}

#[test]
fn a_batch_goes_when_it_is_full_or_was_gathered_long_enough() {
    let mut shop = with_batches(false, &mut Replay::default());
    assert!(calls(&shop.hear(paid("a"))).is_empty());
    // A hand is free all the while: a batch needs none.
    assert_eq!(calls(&shop.hear(paid("b"))), [("send", vec!["a", "b"], None, false)]);
    assert_eq!(started(&shop.hear(paid("c"))), ["c"]);
    assert!(calls(&shop.pass(59)).is_empty());
    assert_eq!(calls(&shop.pass(1)), [("send", vec!["c"], None, false)]);
    let reserved = shop.foreman.money().0.reserved;
    assert_eq!(reserved, "0.015".parse().unwrap(), "half of what three calls may cost");
}

#[test]
fn a_batch_that_nobody_confirmed_is_looked_for_before_it_is_given_up() {
    let mut shop = with_batches(false, &mut Replay::default());
    let mark = batch_mark(&shop.hear(paid("a")));
    shop.hear(paid("b"));
    shop.hear(Event::Batch(mark.clone(), BatchNews::Unsure("no answer".into())));
    for is_last in [false, false, true] {
        let orders = shop.pass(30);
        assert_eq!(calls(&orders), [("ask", vec!["a", "b"], None, is_last)]);
        assert!(shop.pass(300).is_empty(), "one look at a time");
        shop.hear(Event::Batch(mark.clone(), BatchNews::Absent));
    }
    let orders = shop.hear(Event::Batch(mark, BatchNews::Taken("batch_1".into())));
    assert_eq!(calls(&orders), [("ask", vec!["a", "b"], Some("batch_1"), false)]);
}

#[test]
fn a_batch_of_an_earlier_daemon_keeps_its_money_and_is_asked_after_at_once() {
    let mut replay = Replay::default();
    let worker = WorkerType::new("cloud");
    let at = "2026-11-23T11:00:00Z".parse().unwrap();
    let batch_id = Some("batch_1".to_owned());
    replay.follow(Line { batch_id, ..Line::of_batch(LineKind::Submitted, "m", &worker, at) });
    let mut shop = with_batches(true, &mut replay);
    let Event::Arrived(arrival) = paid("a") else { unreachable!() };
    let begun = Line {
        attempt: Some("x-1".into()),
        batch: Some("m".into()),
        worker_type: Some(worker),
        reserved_usd: Some(CENT),
        ..Line::new(LineKind::Attempt, at).of(&name("a"))
    };
    shop.foreman.take_up(TakenUp { arrival: *arrival, begun }, shop.now);
    assert_eq!(shop.foreman.money().0.reserved, CENT);
    assert_eq!(calls(&shop.go_on()), [("ask", vec!["a"], Some("batch_1"), false)]);
    assert!(shop.foreman.rows().all(|row| row.waits_for.unwrap().contains("`batch_1`")));
    let orders = shop.end_by("cloud-batch", "a", spent(CENT));
    let [Order::File(_, verdict)] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!(verdict.attempts[0].batch_id.as_deref(), Some("batch_1"));
    let orders = shop.hear(filed_in(name("a"), Folder::Completed));
    assert_eq!(calls(&orders), [("tidy", vec![], Some("batch_1"), false)]);
    let orders = shop.hear(Event::Batch("m".into(), BatchNews::Tidied));
    let over =
        |order: &Order| matches!(order, Order::Write(line) if line.event == LineKind::BatchOver);
    assert!(orders.iter().any(over), "written once the journal has the last end: {orders:?}");
    assert_eq!(shop.foreman.money().0.spent, CENT);
}

#[test]
fn a_drain_sends_what_it_gathered_and_does_not_wait_for_it() {
    let mut shop = with_batches(true, &mut Replay::default());
    let mut orders = shop.hear(paid("a"));
    let mark = batch_mark(&orders);
    orders = shop.hear(Event::Listed(Vec::new()));
    assert_eq!(calls(&orders), [("send", vec!["a"], None, false)]);
    let orders = shop.hear(Event::Batch(mark, BatchNews::Taken("batch_1".into())));
    let [Order::GoHome(farewell)] = &orders[..] else { panic!("{orders:?}") };
    assert!(farewell.waits[0].0.starts_with("batch `batch_1` of worker `cloud`, since "));
}

#[test]
fn a_cancelled_task_leaves_a_batch_that_is_not_sent_and_its_answer_is_dropped_from_one_that_is() {
    let mut shop = with_batches(false, &mut Replay::default());
    shop.hear(paid("a"));
    let orders = shop.hear(Event::Cancel(name("a")));
    assert_eq!(calls(&orders), [("leave", vec!["a"], None, false)]);
    shop.hear(paid("b"));
    assert_eq!(calls(&shop.hear(paid("c"))), [("send", vec!["b", "c"], None, false)]);
    assert!(shop.hear(Event::Cancel(name("b"))).is_empty());
    let orders = shop.end_by("cloud-batch", "b", spent(CENT));
    let [Order::File(_, verdict)] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!((verdict.folder, verdict.cost), (Folder::Failed, CENT));
    assert_eq!(verdict.error.as_ref().unwrap().kind, ErrorKind::Cancelled);
}

#[test]
fn a_batch_of_which_nobody_wants_anything_is_called_off_until_its_server_knows() {
    let mut shop = with_batches(false, &mut Replay::default());
    let mark = batch_mark(&shop.hear(paid("a")));
    shop.hear(paid("b"));
    assert!(shop.hear(Event::Cancel(name("a"))).is_empty(), "it is on its way");
    shop.hear(Event::Batch(mark.clone(), BatchNews::Taken("batch_1".into())));
    let off = ("call off", vec!["a", "b"], Some("batch_1"), false);
    assert_eq!(calls(&shop.hear(Event::Cancel(name("b")))), vec![off.clone()]);
    shop.hear(Event::Batch(mark.clone(), BatchNews::NotCalledOff("no".into())));
    let ask = ("ask", vec!["a", "b"], Some("batch_1"), false);
    assert_eq!(calls(&shop.pass(30)), [off, ask.clone()]);
    shop.hear(Event::Batch(mark, BatchNews::Open));
    assert_eq!(calls(&shop.pass(30)), [ask]);
    for id in ["a", "b"] {
        let failure = Failure::new("batch_failed", ErrorKind::AttemptsExhausted, "no");
        let orders = shop.end_by("cloud-batch", id, failure.retried(None));
        let [Order::File(_, verdict)] = &orders[..] else { panic!("{orders:?}") };
        assert_eq!(verdict.attempts[0].outcome, "cancelled");
        assert_eq!(verdict.error.as_ref().unwrap().kind, ErrorKind::Cancelled);
    }
}

/// The end of an attempt whose batch was refused: for what was in it, or because there are none.
fn no_batch(trouble: Trouble) -> Failure {
    let failure = Failure::new("batch_refused", ErrorKind::AttemptsExhausted, "no");
    Failure { next: Next::NotAnAttempt, ..failure.of_worker(trouble) }
}

/// Ends the attempt of a task in a batch, and has it put back.
fn end_in_batch(shop: &mut Shop, id: &str, outcome: impl Into<Outcome>) -> Vec<Order> {
    let mut orders = shop.end_by("cloud-batch", id, outcome);
    orders.extend(shop.hear(Event::Released(name(id))));
    orders
}

/// The batch that a task is started for, where it is started.
fn batch_of(orders: &[Order]) -> Option<Option<String>> {
    orders.iter().find_map(|order| match order {
        Order::Start(start) => Some(start.batch.clone()),
        _ => None,
    })
}

#[test]
fn a_provider_without_batches_gets_its_tasks_one_by_one_until_it_is_time_to_try_again() {
    let mut shop = with_batches(false, &mut Replay::default());
    shop.hear(paid("a"));
    shop.hear(paid("b"));
    shop.hear(paid("c"));
    let orders = end_in_batch(&mut shop, "a", no_batch(Trouble::NoBatches));
    assert_eq!(calls(&orders), [("leave", vec!["c"], None, false)], "nobody sends it in vain");
    assert_eq!(batch_of(&orders), Some(None), "done at once");
    let reserved = shop.foreman.money().0.reserved;
    assert_eq!(reserved, "0.02".parse().unwrap(), "two in batches, and one at the whole price");
    shop.end_by("cloud-1", "a", done());
    let orders = end_in_batch(&mut shop, "c", stopped());
    assert_eq!(batch_of(&orders), Some(None), "it never was in one that was sent");
    shop.end_by("cloud-1", "c", done());
    shop.pass(3_600);
    assert!(batch_of(&shop.hear(paid("d"))).unwrap().is_some());
}

/// The end of an attempt that left its batch before that was sent.
fn stopped() -> Failure {
    let failure = Failure::new("stopped", ErrorKind::AttemptsExhausted, "it left");
    Failure { next: Next::NotAnAttempt, ..failure }
}

#[test]
fn one_batch_may_be_refused_for_what_is_in_it_and_two_in_a_row_are_not() {
    let mut shop = with_batches(false, &mut Replay::default());
    for id in ["a", "b", "c"] {
        shop.hear(paid(id));
    }
    let orders = end_in_batch(&mut shop, "a", no_batch(Trouble::BatchRefused));
    assert_eq!((calls(&orders).len(), batch_of(&orders)), (0, Some(None)));
    let again = shop.hear(paid("d"));
    assert_eq!(calls(&again), [("send", vec!["c", "d"], None, false)], "others still go in one");
    shop.end_by("cloud-1", "a", done());
    shop.end_by("cloud-batch", "c", no_batch(Trouble::BatchRefused));
    assert_eq!(batch_of(&shop.hear(paid("e"))), Some(None), "none is made for a while");
}

#[test]
fn a_batch_that_cannot_be_sent_costs_no_attempt_until_it_is_enough() {
    let mut shop = with_batches(false, &mut Replay::default());
    let mut began = shop.hear(paid("a"));
    for _ in 0..20 {
        assert!(batch_of(&began).unwrap().is_some());
        let failure = Failure::new("batch_not_sent", ErrorKind::AttemptsExhausted, "no");
        end_in_batch(&mut shop, "a", failure.retried(None));
        began = shop.pass(75);
    }
    assert_eq!(batch_of(&began), Some(None), "it is done at once");
}

/// What happens in a random shop. Numbers pick a task.
#[derive(Clone, Debug)]
enum Step {
    Drop(u8, bool),
    Done(u8),
    /// Its answer asks for so many tasks.
    Spawn(u8, u8),
    Fail(u8, u8),
    NotClaimed(u8, u8),
    Settle,
    Withdraw(u8),
    Cancel(u8),
    Pass(u16),
    Pause(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..12, any::<bool>()).prop_map(|(n, paid)| Step::Drop(n, paid)),
        4 => (0u8..12).prop_map(Step::Done),
        1 => ((0u8..12), 1u8..3).prop_map(|(n, many)| Step::Spawn(n, many)),
        3 => ((0u8..12), 0u8..7).prop_map(|(n, how)| Step::Fail(n, how)),
        2 => ((0u8..12), 0u8..4).prop_map(|(n, how)| Step::NotClaimed(n, how)),
        6 => Just(Step::Settle),
        1 => (0u8..12).prop_map(Step::Withdraw),
        1 => (0u8..12).prop_map(Step::Cancel),
        3 => (0u16..100).prop_map(Step::Pass),
        1 => any::<bool>().prop_map(Step::Pause),
    ]
}

/// A world that does what the foreman orders, and keeps count.
struct World {
    shop: Shop,
    /// Ids whose files lie in pending, by our count.
    waiting: HashSet<TaskId>,
    running: HashSet<TaskId>,
    /// Orders to the desk that are not done yet.
    desk: Vec<Order>,
    ended: HashSet<TaskId>,
    /// How many tasks answers have asked for.
    spawned: usize,
}

impl World {
    const HANDS: usize = 2;

    fn take(&mut self, orders: Vec<Order>) {
        for order in orders {
            match order {
                Order::Start(start) => {
                    assert!(self.waiting.remove(&start.id), "started what was not waiting");
                    assert!(self.running.insert(start.id), "started twice");
                }
                Order::File(..)
                | Order::Release(..)
                | Order::Refuse(_)
                | Order::Reject { .. }
                | Order::Spawn(_) => {
                    self.desk.push(order);
                }
                Order::Look(id) => {
                    let is_there = id.as_str().starts_with('s') && !id.as_str().ends_with('3');
                    let folder = is_there.then_some(Folder::Pending);
                    let orders = self.shop.hear(Event::Looked(id, folder));
                    self.take(orders);
                }
                Order::Probe(worker) => {
                    let orders = self.shop.hear(Event::Probed(worker, Ok(())));
                    self.take(orders);
                }
                _ => {}
            }
        }
        assert!(self.running.len() <= 2 * Self::HANDS, "more tasks than hands");
        for (limit, standing) in self.shop.foreman.ledger.standings() {
            assert!(standing.used() <= standing.limit, "over the {limit}: {standing:?}");
        }
    }

    fn hear(&mut self, event: Event) {
        let orders = self.shop.hear(event);
        self.take(orders);
    }

    fn end(&mut self, id: TaskId, outcome: Outcome) {
        if self.running.contains(&id) {
            let orders = self.shop.end(id.as_str(), outcome);
            self.running.remove(&id);
            self.take(orders);
        }
    }

    fn settle(&mut self) {
        for order in std::mem::take(&mut self.desk) {
            match order {
                Order::File(id, verdict) => {
                    assert!(self.ended.insert(id.clone()), "filed twice");
                    self.hear(filed_in(id, verdict.folder));
                }
                Order::Refuse(refuse) => {
                    assert!(self.waiting.remove(&refuse.id), "refused what was not waiting");
                    assert!(self.ended.insert(refuse.id.clone()), "filed twice");
                    self.hear(filed_in(refuse.id, Folder::Failed));
                }
                Order::Release(id, _) => {
                    self.waiting.insert(id.clone());
                    self.hear(Event::Released(id));
                }
                Order::Spawn(brood) => self.drop_subtasks(*brood),
                _ => {}
            }
        }
    }

    /// Some are told of before their parent's list is, some after, and some have left by then.
    fn drop_subtasks(&mut self, brood: Brood) {
        let children: Vec<TaskId> = brood
            .answer
            .subtasks
            .iter()
            .map(|_| {
                self.spawned += 1;
                name(&format!("s{}", self.spawned))
            })
            .collect();
        let has_left = |id: &TaskId| id.as_str().ends_with('3');
        let told_before = |id: &TaskId| id.as_str().ends_with(['1', '4', '7']);
        let drop_one = |world: &mut Self, id: &TaskId| {
            world.waiting.insert(id.clone());
            let parent = brood.parent.clone();
            world.hear(arrival(id.as_str(), |summary| summary.parent = Some(parent)));
        };
        for id in children.iter().filter(|id| told_before(id)) {
            drop_one(self, id);
        }
        self.hear(Event::Spawned(brood.parent.clone(), children.clone()));
        for id in children.iter().filter(|id| !told_before(id) && !has_left(id)) {
            drop_one(self, id);
        }
    }

    fn step(&mut self, step: Step) {
        let id = |n: u8| name(&format!("t{n}"));
        match step {
            Step::Drop(n, is_paid) if !self.known(&id(n)) => {
                self.ended.remove(&id(n));
                self.waiting.insert(id(n));
                let name = format!("t{n}");
                // A third of them climb.
                let ladder = if n % 3 == 0 { vec!["echo", "cloud"] } else { Vec::new() };
                self.hear(match is_paid {
                    true => paid_of(["report", "letter"][usize::from(n % 2)], &name),
                    false => arrival(&name, |summary| {
                        summary.wish.escalate = ladder.into_iter().map(WorkerType::new).collect();
                    }),
                });
            }
            Step::Drop(..) => {}
            Step::Done(n) => self.end(id(n), done().into()),
            Step::Spawn(n, many) => {
                let subtasks = vec![serde_json::Map::new(); many.into()];
                self.end(id(n), Answer { subtasks, ..done() }.into());
            }
            Step::Fail(n, how) => self.end(id(n), failure(how).into()),
            Step::NotClaimed(n, how) if self.running.remove(&id(n)) => {
                let why = match how {
                    0 => NotClaimed::Gone,
                    1 => NotClaimed::Changed,
                    2 => NotClaimed::Trouble("t".into()),
                    _ => NotClaimed::Confidential(Vec::new()),
                };
                let stays = !matches!(why, NotClaimed::Gone | NotClaimed::Changed);
                if stays {
                    self.waiting.insert(id(n));
                }
                self.hear(Event::NotClaimed(id(n), why));
            }
            Step::NotClaimed(..) => {}
            Step::Settle => self.settle(),
            Step::Withdraw(n) if self.waiting.contains(&id(n)) => {
                let refused =
                    self.desk.iter().any(|o| matches!(o, Order::Refuse(r) if r.id == id(n)));
                if !refused {
                    self.waiting.remove(&id(n));
                    self.hear(Event::Withdrawn(format!("t{n}.json").into()));
                }
            }
            Step::Withdraw(_) => {}
            Step::Cancel(n) if self.known(&id(n)) => self.hear(Event::Cancel(id(n))),
            Step::Cancel(_) => {}
            Step::Pass(seconds) => {
                let orders = self.shop.pass(seconds.into());
                self.take(orders);
            }
            Step::Pause(on) => self.hear(if on { Event::Pause(None) } else { Event::Resume(None) }),
        }
    }

    fn known(&self, id: &TaskId) -> bool {
        self.waiting.contains(id) || self.running.contains(id) || self.shop.foreman.knows(id)
    }

    /// Lets everything that is left end well.
    fn finish(&mut self) {
        self.hear(Event::Resume(None));
        for _ in 0..200 {
            for id in self.running.clone() {
                self.end(id, done().into());
            }
            self.settle();
            let orders = self.shop.pass(86_400);
            self.take(orders);
            if self.shop.foreman.backlog() == 0 {
                return;
            }
        }
        panic!("never ended: {:?}", self.shop.foreman.tasks.keys());
    }
}

fn failure(how: u8) -> Failure {
    let failure = Failure::new("x", ErrorKind::AttemptsExhausted, "x");
    match how {
        0 => failure,
        1 => failure.retried(None),
        2 => failure.retried(None).spent(Spent::Unknown),
        3 => Failure { next: Next::NotAnAttempt, ..failure.of_worker(Trouble::Unreachable) },
        4 => failure.retried(None).of_worker(Trouble::RateLimited(None)),
        5 => Failure { kind: ErrorKind::NotAccepted, ..failure }.spent(Spent::Known(CENT)),
        _ => failure.retried(Some(Duration::from_secs(30))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// No order of events loses a task, a hand or a cent, or files a task twice.
    #[test]
    fn nothing_is_lost_whatever_happens_in_whatever_order(
        steps in proptest::collection::vec(step(), 0..120),
        fails in any::<bool>()
    ) {
        let limits = [(of_type("report"), CENT.times(4)), (of_worker("cloud"), CENT.times(9))];
        let mut settings = setup(World::HANDS, CENT.times(20), limits);
        settings.on_exhausted = if fails { OnExhausted::Fail } else { OnExhausted::Wait };
        let mut world = World {
            shop: Shop::opened(settings, &mut Replay::default()),
            waiting: HashSet::new(),
            running: HashSet::new(),
            desk: Vec::new(),
            ended: HashSet::new(),
            spawned: 0,
        };
        for step in steps {
            world.step(step);
        }
        world.finish();
        prop_assert!(world.waiting.is_empty(), "left waiting: {:?}", world.waiting);
        let mut standings = world.shop.foreman.ledger.standings();
        prop_assert!(standings.all(|(_, standing)| standing.reserved == Usd::ZERO));
        prop_assert!(world.shop.foreman.lanes.values().all(|lane| lane.busy == 0));
    }
}
