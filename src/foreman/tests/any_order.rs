//! What no order of events can break.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

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
