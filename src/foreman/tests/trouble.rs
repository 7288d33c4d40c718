//! What a worker in trouble means for its tasks: it is spared, tried again, and stood in for.

use super::*;

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
