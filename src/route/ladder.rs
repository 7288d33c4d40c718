//! Who is asked after whom: the ladder that a task climbs until an answer is accepted, and who
//! stands in for a worker that cannot be used.
//!
//! A task's own `escalate` and `fallback` go before its worker's. No rung is ever a worker that
//! is not local for a task that is confidential, whoever put it there.

use super::decision::{Decision, Router, Wish, nothing_called};
use crate::base::words;
use crate::task::WorkerType;
use crate::task::result::Reason;

impl Router {
    /// Whether there is everything that a task names beside its worker.
    pub(super) fn knows_all_of(&self, wish: &Wish) -> Result<(), String> {
        let mut named = wish.escalate.iter().chain(&wish.fallback);
        if let Some(unknown) = named.find(|name| self.candidate(name).is_none()) {
            return Err(self.no_such_worker(unknown));
        }
        match &wish.check {
            Some(name) if !self.checks.contains(name) => {
                Err(nothing_called("check", name, || self.checks.iter().map(String::as_str)))
            }
            _ => Ok(()),
        }
    }

    /// The lowest rung that the task may stand on.
    pub(super) fn first_rung(
        &self,
        rungs: &[WorkerType],
        confidential: bool,
        decision: &mut Decision,
    ) -> Result<WorkerType, String> {
        let open = rungs.iter().find(|name| !confidential || self.is_local(name));
        let (first, why) = match open {
            Some(name) => (name.clone(), format!("the task's `escalate` begins with `{name}`")),
            None => {
                let local = self.a_local_one()?;
                let why = format!(
                    "nobody in the task's `escalate` is local and the task is confidential: it goes to `{local}`"
                );
                decision.warnings.push(why.clone());
                (local, why)
            }
        };
        decision.reasons.push(Reason::new("escalate", "stated", "/escalate", why));
        Ok(first)
    }

    /// Writes down who is asked after `first`.
    pub(super) fn set_up_ladder(
        &self,
        first: &WorkerType,
        wish: &Wish,
        confidential: bool,
        decision: &mut Decision,
    ) {
        let above: &[WorkerType] = match wish.escalate.as_slice() {
            [] => self.candidate(first).map_or(&[], |candidate| &candidate.escalate),
            stated => match stated.iter().position(|name| name == first) {
                Some(at) => &stated[at + 1..],
                None => stated,
            },
        };
        let (open, closed) = self.others_than(first, above, confidential);
        decision.ladder = open;
        decision.tell_of_closed(closed, "/escalate");
    }

    /// Writes down who stands in for `first`: a task's own list goes before its worker's.
    pub(super) fn set_up_fallback(
        &self,
        first: &WorkerType,
        wish: &Wish,
        confidential: bool,
        decision: &mut Decision,
    ) {
        let stated: &[WorkerType] = match wish.fallback.as_slice() {
            [] => self.candidate(first).map_or(&[], |candidate| &candidate.fallback),
            stated => stated,
        };
        let (open, closed) = self.others_than(first, stated, confidential);
        decision.fallback = open;
        decision.tell_of_closed(closed, "/fallback");
    }

    /// Of these workers the others than `first`, each once, that may see the task; and the names of
    /// those that may not.
    fn others_than<'a>(
        &self,
        first: &WorkerType,
        names: &'a [WorkerType],
        confidential: bool,
    ) -> (Vec<WorkerType>, Vec<&'a str>) {
        let (mut open, mut closed) = (Vec::new(), Vec::new());
        for name in names {
            if name == first || open.contains(name) {
                continue;
            }
            match confidential && !self.is_local(name) {
                true => closed.push(name.as_str()),
                false => open.push(name.clone()),
            }
        }
        (open, closed)
    }
}

impl Decision {
    /// Says to whom a confidential task is not passed on.
    fn tell_of_closed(&mut self, closed: Vec<&str>, field: &str) {
        if closed.is_empty() {
            return;
        }
        let why = format!(
            "the task is confidential, so it is not passed on to {}",
            words::names(closed, "and")
        );
        let reason = Reason::new("confidential_stays_local", "confidentiality", field, why);
        self.reasons.push(reason);
    }
}

#[cfg(test)]
mod tests {
    use super::super::decision::{Assessment, Candidate};
    use super::super::rules::{Condition, Rule};
    use super::*;
    use crate::task::{Difficulty, Sensitivity};

    fn router() -> Router {
        let candidate = |name: &str, local, above: &[&str]| Candidate {
            worker_type: WorkerType::new(name),
            local,
            use_for: Vec::new(),
            only_named: false,
            paid: !local,
            escalate: above.iter().map(|name| WorkerType::new(*name)).collect(),
            fallback: above.iter().map(|name| WorkerType::new(*name)).collect(),
        };
        Router {
            rules: vec![Rule {
                condition: Condition::Always,
                worker_type: WorkerType::new("local"),
            }],
            candidates: vec![
                candidate("local", true, &["bigger", "medium"]),
                candidate("bigger", true, &[]),
                candidate("medium", false, &["high"]),
                candidate("high", false, &[]),
            ],
            checks: vec!["compiles".into()],
            ..Router::default()
        }
    }

    fn decide(worker: Option<&str>, escalate: &[&str], sensitivity: Sensitivity) -> Decision {
        let wish = Wish {
            worker: worker.map(WorkerType::new),
            escalate: escalate.iter().map(|name| WorkerType::new(*name)).collect(),
            ..Wish::default()
        };
        let seen = Assessment {
            difficulty: Difficulty::Low,
            difficulty_is_evident: true,
            sensitivity,
            reasons: Vec::new(),
            prompt_bytes: 1,
        };
        router().decide(&wish, &seen, false)
    }

    fn path(decision: &Decision) -> Vec<&str> {
        let first = decision.worker_type.as_ref().unwrap();
        std::iter::once(first).chain(&decision.ladder).map(WorkerType::as_str).collect()
    }

    #[test]
    fn a_tasks_own_ladder_goes_before_its_workers() {
        let public = |worker, escalate: &[&str]| decide(worker, escalate, Sensitivity::Public);
        assert_eq!(path(&public(None, &[])), ["local", "bigger", "medium"]);
        assert_eq!(path(&public(None, &["medium", "high"])), ["medium", "high"]);
        assert_eq!(path(&public(Some("medium"), &[])), ["medium", "high"]);
        assert_eq!(path(&public(Some("medium"), &["local", "medium", "high"])), ["medium", "high"]);
        assert_eq!(path(&public(Some("local"), &["high", "local", "high"])), ["local", "high"]);
    }

    #[test]
    fn nothing_confidential_is_passed_on_beyond_the_house() {
        let secret = |escalate: &[&str]| decide(None, escalate, Sensitivity::Confidential);
        assert_eq!(path(&secret(&[])), ["local", "bigger"]);
        assert_eq!(path(&secret(&["medium", "bigger", "high"])), ["bigger"]);
        let nobody = secret(&["medium", "high"]);
        assert_eq!(path(&nobody), ["local"]);
        assert!(nobody.warnings[0].contains("nobody in the task's `escalate` is local"));
        let told = nobody
            .reasons
            .iter()
            .any(|reason| reason.why.contains("not passed on to `medium` and `high`"));
        assert!(told, "{:?}", nobody.reasons);
    }

    #[test]
    fn nobody_beyond_the_house_stands_in_for_a_confidential_task() {
        let public = decide(None, &[], Sensitivity::Public);
        assert_eq!(public.fallback, ["bigger", "medium"].map(WorkerType::new));
        let secret = decide(None, &[], Sensitivity::Confidential);
        assert_eq!(secret.fallback, ["bigger"].map(WorkerType::new));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let why = decide(None, &["local", "hihg"], Sensitivity::Public).worker_type.unwrap_err();
        assert!(why.ends_with("did you mean `high`?"), "{why}");
        let mut wish = Wish { check: Some("compile".into()), ..Wish::default() };
        let why = router().knows_all_of(&wish).unwrap_err();
        assert!(why.contains("no check `compile`") && why.contains("`compiles`"), "{why}");
        wish.check = Some("compiles".into());
        assert_eq!(router().knows_all_of(&wish), Ok(()));
    }
}
