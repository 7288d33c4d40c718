//! No attempt without its money: limits by time, worker and type, alerts, and who waits or fails for them.

use super::*;

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
