//! Answers that are not accepted, and who is asked next.

use super::*;

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
