//! Batches: when they go, what becomes of one that is lost, refused or cancelled.

use super::*;

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
    orders = shop.hear(Event::Listed(1, Vec::new()));
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
