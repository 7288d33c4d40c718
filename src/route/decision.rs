//! Reads a task once and says how hard and how confidential it is; then picks a worker type.

use super::difficulty::DifficultyJudge;
use super::rules::{Rule, Situation};
use super::sensitivity::SensitivityScanner;
use crate::base::words;
use crate::task::prompt::{Attachment, Prompt};
use crate::task::result::Reason;
use crate::task::{Difficulty, Sensitivity, Task, WorkerType};

/// Decides who may have which task.
#[derive(Debug)]
pub struct Router {
    /// Finds what must not leave the house.
    pub scanner: SensitivityScanner,
    /// Judges how hard the work is.
    pub judge: DifficultyJudge,
    /// The config's rules, in order; the last is `else`.
    pub rules: Vec<Rule>,
    /// Who could be chosen, in the config's order.
    pub candidates: Vec<Candidate>,
}

/// A worker type as the router sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub worker_type: WorkerType,
    /// Whether confidential work may go there.
    pub local: bool,
    /// The types of work that it is for.
    pub use_for: Vec<String>,
    /// Takes only tasks that name it: a program, the echo.
    pub only_named: bool,
    /// Whether an attempt can cost money.
    pub paid: bool,
}

/// What reading a task once has shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// How hard it is.
    pub difficulty: Difficulty,
    /// Whether the difficulty was stated or found, and is no mere default.
    pub difficulty_is_evident: bool,
    /// Whether it may leave the house.
    pub sensitivity: Sensitivity,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The prompt's size in bytes: no tokenizer makes more tokens of it.
    pub prompt_bytes: u64,
}

/// Who gets the task.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The worker type, or why there is none.
    pub worker_type: Result<WorkerType, String>,
    /// Why this one, behind the reasons of the assessment.
    pub reasons: Vec<Reason>,
    /// What the writer should know: a wish that could not be granted.
    pub warnings: Vec<String>,
}

/// What the router needs to know of a task to decide; kept while the task waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The worker type that the task names.
    pub worker: Option<WorkerType>,
    /// What sort of work it is.
    pub task_type: String,
    /// 0 to 10.
    pub priority: u8,
}

/// A request that may be handed to a worker: made only by [`Router::clear`].
#[derive(Clone, Debug, PartialEq)]
pub struct Cleared<T>(T);

impl<T> Cleared<T> {
    /// The request itself.
    pub fn get(&self) -> &T {
        &self.0
    }
}

/// A request that may not be handed to this worker: something confidential is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Confidential {
    /// What was found.
    pub reasons: Vec<Reason>,
}

impl Router {
    /// Reads a task and its files, and says how hard and how confidential it is.
    pub fn assess(&self, task: &Task, files: &[Attachment]) -> Assessment {
        let mut reasons = Vec::new();
        let sensitivity = self.sensitivity(task, files, &mut reasons);
        let (difficulty, evident) = self.difficulty(task, &mut reasons);
        let prompt = Prompt::assemble(task, files, None);
        let mut prompt_bytes = 0;
        prompt.each_text(&mut |_, text| prompt_bytes += text.len() as u64);
        Assessment {
            difficulty,
            difficulty_is_evident: evident,
            sensitivity,
            reasons,
            prompt_bytes,
        }
    }

    fn sensitivity(
        &self,
        task: &Task,
        files: &[Attachment],
        reasons: &mut Vec<Reason>,
    ) -> Sensitivity {
        let before = reasons.len();
        if task.sensitivity == Some(Sensitivity::Confidential) {
            reasons.push(Reason::new(
                "stated",
                "stated",
                "/sensitivity_level",
                "the task says that it is confidential",
            ));
        }
        task.each_text(&mut |field, text| self.scanner.scan(field, text, reasons));
        for file in files {
            self.scanner.scan(&format!("/files/{}", file.path.display()), &file.text, reasons);
        }
        if reasons.len() > before { Sensitivity::Confidential } else { Sensitivity::Public }
    }

    fn difficulty(&self, task: &Task, reasons: &mut Vec<Reason>) -> (Difficulty, bool) {
        if let Some(stated) = task.difficulty {
            let why = format!("the task says that it is of {} difficulty", stated.as_str());
            reasons.push(Reason::new("stated", "stated", "/difficulty_level", why));
            return (stated, true);
        }
        self.judge.judge(task, reasons)
    }

    /// Picks a worker type for an assessed task. The same question has the same answer.
    pub fn decide(&self, wish: &Wish, seen: &Assessment, budget_critical: bool) -> Decision {
        let mut decision =
            Decision { worker_type: Err(String::new()), reasons: Vec::new(), warnings: Vec::new() };
        let confidential = seen.sensitivity == Sensitivity::Confidential;
        decision.worker_type = match &wish.worker {
            Some(name) => self.named(name, confidential, &mut decision),
            None => self.by_rules(wish, seen, budget_critical, &mut decision),
        };
        decision
    }

    fn named(
        &self,
        name: &WorkerType,
        confidential: bool,
        decision: &mut Decision,
    ) -> Result<WorkerType, String> {
        let known = || self.candidates.iter().map(|c| c.worker_type.as_str());
        let Some(candidate) = self.candidate(name) else {
            let meant = words::nearest(name.as_str(), known())
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            let shown = words::excerpt(&words::tame(name.as_str()), 60);
            return Err(format!(
                "there is no worker `{shown}`: there are {}{meant}",
                words::names(known(), "and")
            ));
        };
        if !confidential || candidate.local {
            decision.reasons.push(Reason::new(
                "worker",
                "stated",
                "/worker",
                format!("the task names `{name}`"),
            ));
            return Ok(name.clone());
        }
        let local = self.a_local_one(None)?;
        let why =
            format!("`{name}` is not local and the task is confidential: it goes to `{local}`");
        decision.warnings.push(why.clone());
        decision.reasons.push(Reason::new(
            "confidential_stays_local",
            "confidentiality",
            "/worker",
            why,
        ));
        Ok(local)
    }

    fn by_rules(
        &self,
        wish: &Wish,
        seen: &Assessment,
        budget_critical: bool,
        decision: &mut Decision,
    ) -> Result<WorkerType, String> {
        let situation = Situation {
            difficulty: seen.difficulty,
            sensitivity: seen.sensitivity,
            task_type: &wish.task_type,
            priority: wish.priority,
            budget_critical,
        };
        let confidential = seen.sensitivity == Sensitivity::Confidential;
        if !confidential
            && !seen.difficulty_is_evident
            && let Some(choice) = self.by_use_for(wish)
        {
            let why = format!(
                "`{}` is for work of type `{}`",
                choice.worker_type,
                words::tame(&wish.task_type)
            );
            decision.reasons.push(Reason::new("use_for", "use_for", "/task_type", why));
            return self.unless_critical(choice.worker_type.clone(), &situation, decision);
        }
        let Some((n, rule)) =
            self.rules.iter().enumerate().find(|(_, rule)| rule.condition.holds(&situation))
        else {
            return Err("no routing rule holds: end `routing_rules` with an `else`".into());
        };
        let why = format!(
            "rule {} of routing_rules, `{}`, names `{}`",
            n + 1,
            rule.condition.as_written(),
            rule.worker_type
        );
        decision.reasons.push(Reason::new("routing_rules", "routing_rule", "", why));
        if confidential && !self.is_local(&rule.worker_type) {
            let local = self.a_local_one(Some(&rule.worker_type))?;
            let why = format!(
                "the task is confidential and `{}` is not local: it goes to `{local}`",
                rule.worker_type
            );
            decision.reasons.push(Reason::new(
                "confidential_stays_local",
                "confidentiality",
                "",
                why,
            ));
            return Ok(local);
        }
        self.unless_critical(rule.worker_type.clone(), &situation, decision)
    }

    /// Past the alert threshold, work that is not hard goes to a local worker, as the original design has it.
    fn unless_critical(
        &self,
        choice: WorkerType,
        now: &Situation<'_>,
        decision: &mut Decision,
    ) -> Result<WorkerType, String> {
        let paid = self.candidate(&choice).is_some_and(|candidate| candidate.paid);
        if !now.budget_critical || !paid || now.difficulty == Difficulty::High {
            return Ok(choice);
        }
        match self.a_local_one(None) {
            Ok(local) => {
                let why = format!(
                    "the budget's alert threshold is reached and the work is not hard: `{local}` instead of `{choice}`"
                );
                decision.reasons.push(Reason::new("budget_alert", "budget", "", why));
                Ok(local)
            }
            Err(_) => Ok(choice),
        }
    }

    fn by_use_for(&self, wish: &Wish) -> Option<&Candidate> {
        self.candidates.iter().find(|c| !c.only_named && c.use_for.contains(&wish.task_type))
    }

    fn candidate(&self, name: &WorkerType) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.worker_type == *name)
    }

    fn is_local(&self, name: &WorkerType) -> bool {
        self.candidate(name).is_some_and(|candidate| candidate.local)
    }

    /// The local worker for confidential work: the rules' own choice for it, else the first that takes any task.
    fn a_local_one(&self, besides: Option<&WorkerType>) -> Result<WorkerType, String> {
        let ruled =
            self.rules.iter().map(|rule| &rule.worker_type).filter(|name| Some(*name) != besides);
        let any = self.candidates.iter().filter(|c| !c.only_named).map(|c| &c.worker_type);
        ruled.chain(any).find(|name| self.is_local(name)).cloned().ok_or_else(|| {
            "confidential work needs a worker with `local: true`, and the config has none"
                .to_owned()
        })
    }

    /// Makes a request fit to be handed to a worker, or says what in it may not leave the house.
    ///
    /// For a worker that is not local the assembled request is looked through once
    /// more, whatever was found in the task before.
    ///
    /// # Errors
    /// Why it may not, where the worker is not local.
    pub fn clear(
        &self,
        prompt: Prompt,
        sensitivity: Sensitivity,
        worker_is_local: bool,
    ) -> Result<Cleared<Prompt>, Confidential> {
        if worker_is_local {
            return Ok(Cleared(prompt));
        }
        let mut reasons = Vec::new();
        if sensitivity == Sensitivity::Confidential {
            let why = "the task is confidential and this worker is not local";
            reasons.push(Reason::new("confidential_stays_local", "confidentiality", "", why));
        }
        prompt.each_text(&mut |field, text| self.scanner.scan(field, text, &mut reasons));
        if reasons.is_empty() { Ok(Cleared(prompt)) } else { Err(Confidential { reasons }) }
    }
}
