//! Reads a task once and says how hard and how confidential it is; then picks a worker type.

use std::collections::HashSet;

use serde_json::Value;

use super::difficulty::DifficultyJudge;
use super::rules::{Condition, Rule, Situation};
use super::sensitivity::SensitivityScanner;
use crate::base::words;
use crate::task::prompt::{Attachment, Prompt};
use crate::task::result::Reason;
use crate::task::{Difficulty, Sensitivity, Task, WorkerType, fields};

/// The most reasons for a confidentiality that a result carries.
const MOST_REASONS: usize = 64;

/// The type of work that a worker for confidential tasks names in `use_for`.
const SENSITIVE_DATA: &str = "sensitive_data";

/// Decides who may have which task.
#[derive(Debug, Default)]
pub struct Router {
    /// Finds what must not leave the house.
    pub scanner: SensitivityScanner,
    /// Judges how hard the work is.
    pub judge: DifficultyJudge,
    /// The config's rules, in order; the last is `else`.
    pub rules: Vec<Rule>,
    /// The names of the programs that may look at an answer.
    pub checks: Vec<String>,
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
    /// Who is asked in turn where its answer is not accepted.
    pub escalate: Vec<WorkerType>,
    /// Who does its work where it cannot be used.
    pub fallback: Vec<WorkerType>,
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
    /// Who is asked in turn after it, until an answer is accepted.
    pub ladder: Vec<WorkerType>,
    /// Who does it, the first that can, where that one cannot be used.
    pub fallback: Vec<WorkerType>,
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
    /// Who is to be asked in turn, until an answer is accepted.
    pub escalate: Vec<WorkerType>,
    /// Who is to do it where its worker cannot be used.
    pub fallback: Vec<WorkerType>,
    /// The check that its answer must pass.
    pub check: Option<String>,
}

impl Default for Wish {
    /// That of a task that says nothing.
    fn default() -> Self {
        Self {
            worker: None,
            task_type: "general".into(),
            priority: 5,
            escalate: Vec::new(),
            fallback: Vec::new(),
            check: None,
        }
    }
}

impl Wish {
    /// What a task wishes.
    pub fn of(task: &Task) -> Self {
        Self {
            worker: task.worker.clone(),
            task_type: task.task_type.clone(),
            priority: task.priority,
            escalate: task.escalate.clone(),
            fallback: task.fallback.clone(),
            check: task.accept.as_ref().and_then(|accept| accept.check.clone()),
        }
    }
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
        let prompt = Prompt::assemble(task, files, None);
        let sensitivity = self.sensitivity(task, files, &prompt, &mut reasons);
        let (difficulty, evident) = self.difficulty(task, &mut reasons);
        Assessment {
            difficulty,
            difficulty_is_evident: evident,
            sensitivity,
            reasons,
            prompt_bytes: prompt.size(),
        }
    }

    fn sensitivity(
        &self,
        task: &Task,
        files: &[Attachment],
        prompt: &Prompt,
        reasons: &mut Vec<Reason>,
    ) -> Sensitivity {
        if task.sensitivity == Some(Sensitivity::Confidential) {
            reasons.push(Reason::new(
                "stated",
                "stated",
                "/sensitivity_level",
                "the task says that it is confidential",
            ));
        }
        self.by_kind(task, reasons);
        let mut scanned = HashSet::new();
        // These two are words of our own choice, and one of them is the name of a marking.
        let chosen = |field: &str| matches!(field, "/sensitivity_level" | "/difficulty_level");
        task.each_text(&mut |field, text| {
            if scanned.insert(text) && !chosen(field) {
                self.scanner.scan(field, text, reasons);
            }
        });
        self.scan_keys(task, reasons);
        for file in files {
            self.scanner.scan(&format!("/files/{}", file.path.display()), &file.text, reasons);
            scanned.insert(&file.text);
        }
        if !reasons.is_empty() {
            self.scanner.weigh(prompt, reasons);
        }
        // What `clear` would refuse is found here, also where only the parts put together show it.
        if reasons.is_empty() {
            self.scan_prompt(prompt, &scanned, reasons);
        }
        reasons.truncate(MOST_REASONS);
        if reasons.is_empty() { Sensitivity::Public } else { Sensitivity::Confidential }
    }

    /// What the site holds confidential by its type or its place, whatever is in it.
    fn by_kind(&self, task: &Task, reasons: &mut Vec<Reason>) {
        let site = self.scanner.site();
        if site.is_confidential_type(&task.task_type) {
            let why = "tasks of this type are confidential by the config";
            reasons.push(Reason::new("confidential_task_types", "pattern", "/task_type", why));
        }
        for (n, _) in
            task.files.iter().enumerate().filter(|(_, path)| site.is_confidential_path(path))
        {
            let why = "files at this place are confidential by the config";
            reasons.push(Reason::new("confidential_paths", "pattern", &format!("/files/{n}"), why));
        }
        self.by_workspace(task, reasons);
    }

    /// Whether what lies in the folder that the task's agent works in is confidential by the config.
    fn by_workspace(&self, task: &Task, reasons: &mut Vec<Reason>) {
        let site = self.scanner.site();
        let Some(path) = &task.workspace else { return };
        if site.is_confidential_path(path) || site.is_confidential_path(&path.join("_")) {
            let why = "what lies in this folder is confidential by the config";
            reasons.push(Reason::new("confidential_paths", "pattern", "/workspace", why));
        }
    }

    /// Keys with their values; koubou's own fields are no credentials, what stands in them may be.
    fn scan_keys(&self, task: &Task, reasons: &mut Vec<Reason>) {
        for (key, value) in &task.document {
            let at = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
            if !fields::is_known(key) {
                self.scanner.scan_pair(&at, key, value, reasons);
            }
            self.scanner.scan_pairs(&at, value, reasons);
            if key != "messages" {
                self.scanner.scan_whole(&at, value, reasons);
            }
        }
    }

    /// The request itself; texts that were looked through already, and gave no reason, give none again.
    fn scan_prompt(&self, prompt: &Prompt, scanned: &HashSet<&str>, reasons: &mut Vec<Reason>) {
        prompt.each_text(&mut |field, text| {
            if !scanned.contains(text) {
                self.scanner.scan(field, text, reasons);
            }
        });
        for (n, message) in prompt.messages.iter().flatten().enumerate() {
            let at = format!("/messages/{n}");
            self.scanner.scan_pairs(&at, message, reasons);
            if message
                .as_object()
                .is_some_and(|map| map.values().any(|value| value.is_array() || value.is_object()))
            {
                self.scanner.scan_whole(&at, message, reasons);
            }
        }
        self.scanner.scan_talk(
            "/messages",
            prompt.messages.as_deref().unwrap_or_default(),
            reasons,
        );
        let params = Value::Object(prompt.params.clone());
        let schema = prompt.response_schema.as_ref().map(|schema| ("/response_schema", schema));
        for (at, value) in [("/params", &params)].into_iter().chain(schema) {
            self.scanner.scan_pairs(at, value, reasons);
            self.scanner.scan_whole(at, value, reasons);
        }
        self.scanner.weigh(prompt, reasons);
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
        let mut decision = Decision::none(String::new());
        let confidential = seen.sensitivity == Sensitivity::Confidential;
        if let Err(why) = self.knows_all_of(wish) {
            return Decision::none(why);
        }
        decision.worker_type = match (&wish.worker, wish.escalate.as_slice()) {
            (Some(name), _) => self.named(name, confidential, &mut decision),
            (None, []) => self.by_rules(wish, seen, budget_critical, &mut decision),
            (None, rungs) => self.first_rung(rungs, confidential, &mut decision),
        };
        if let Ok(first) = decision.worker_type.clone() {
            self.set_up_ladder(&first, wish, confidential, &mut decision);
            self.set_up_fallback(&first, wish, confidential, &mut decision);
        }
        decision
    }

    fn named(
        &self,
        name: &WorkerType,
        confidential: bool,
        decision: &mut Decision,
    ) -> Result<WorkerType, String> {
        let candidate = self.candidate(name).ok_or_else(|| self.no_such_worker(name))?;
        if !confidential || candidate.local {
            decision.reasons.push(Reason::new(
                "worker",
                "stated",
                "/worker",
                format!("the task names `{name}`"),
            ));
            return Ok(name.clone());
        }
        let local = self.a_local_one()?;
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
            let local = self.a_local_one()?;
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
        // A rule about the budget says itself what is to be done then.
        if rule.condition == Condition::BudgetCritical {
            return Ok(rule.worker_type.clone());
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
        match self.a_local_one() {
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

    /// That a worker is not there, with the nearest name that is.
    pub(super) fn no_such_worker(&self, name: &WorkerType) -> String {
        let known = || self.candidates.iter().map(|c| c.worker_type.as_str());
        nothing_called("worker", name.as_str(), known)
    }

    pub(super) fn candidate(&self, name: &WorkerType) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.worker_type == *name)
    }

    pub(super) fn is_local(&self, name: &WorkerType) -> bool {
        self.candidate(name).is_some_and(|candidate| candidate.local)
    }

    /// The local worker that work goes to which may not leave the house.
    ///
    /// It is the rules' own choice for confidential work, or one that is meant for
    /// it, or the choice for all else, or the first that takes any task. What a rule
    /// names for one type of task only is not asked to do other work.
    pub(super) fn a_local_one(&self) -> Result<WorkerType, String> {
        let ruled = |wanted: Condition| {
            self.rules.iter().filter(move |r| r.condition == wanted).map(|rule| &rule.worker_type)
        };
        let open = || self.candidates.iter().filter(|candidate| !candidate.only_named);
        let meant = open().filter(|c| c.use_for.iter().any(|purpose| purpose == SENSITIVE_DATA));
        ruled(Condition::ContainsSensitiveData)
            .chain(meant.map(|candidate| &candidate.worker_type))
            .chain(ruled(Condition::Always))
            .chain(open().map(|candidate| &candidate.worker_type))
            .find(|name| self.is_local(name))
            .cloned()
            .ok_or_else(|| {
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
        self.scan_prompt(&prompt, &HashSet::new(), &mut reasons);
        reasons.truncate(MOST_REASONS);
        if reasons.is_empty() { Ok(Cleared(prompt)) } else { Err(Confidential { reasons }) }
    }
}

impl Decision {
    /// That nobody may have it.
    pub fn none(why: String) -> Self {
        Self {
            worker_type: Err(why),
            ladder: Vec::new(),
            fallback: Vec::new(),
            reasons: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// That there is no such thing, which names there are, and the nearest of them.
pub(super) fn nothing_called<'a, I: Iterator<Item = &'a str>>(
    what: &str,
    name: &str,
    known: impl Fn() -> I,
) -> String {
    let meant = words::nearest(name, known())
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default();
    let shown = words::excerpt(&words::tame(name), 60);
    let all: Vec<&str> = known().collect();
    match all.is_empty() {
        true => format!("there is no {what} `{shown}`: the settings name none"),
        false => {
            format!("there is no {what} `{shown}`: there are {}{meant}", words::names(all, "and"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::wire;
    use proptest::prelude::*;
    use serde_json::json;

    fn candidate(name: &str, local: bool) -> Candidate {
        Candidate {
            worker_type: WorkerType::new(name),
            local,
            use_for: Vec::new(),
            only_named: false,
            paid: !local,
            escalate: Vec::new(),
            fallback: Vec::new(),
        }
    }

    fn rule(condition: Condition, name: &str) -> Rule {
        Rule { condition, worker_type: WorkerType::new(name) }
    }

    /// The original design's workers and rules, and an echo.
    fn router() -> Router {
        let patterns = ["password", "token", "private_key"].map(str::to_owned);
        let mut candidates = vec![candidate("gpt5_high", false), candidate("gpt5_medium", false)];
        candidates[1].use_for = vec!["refactoring".into()];
        candidates.push(Candidate { only_named: true, ..candidate("echo", true) });
        candidates.push(candidate("local", true));
        Router {
            scanner: SensitivityScanner::new(&patterns).unwrap(),
            judge: DifficultyJudge::default(),
            rules: vec![
                rule(Condition::ContainsSensitiveData, "local"),
                rule(Condition::Difficulty(Difficulty::High), "gpt5_high"),
                rule(Condition::Difficulty(Difficulty::Medium), "gpt5_medium"),
                rule(Condition::Always, "local"),
            ],
            candidates,
            checks: Vec::new(),
        }
    }

    fn task(value: &Value) -> Task {
        wire::read("x", value.to_string().as_bytes()).unwrap()
    }

    fn assess(value: &Value) -> Assessment {
        router().assess(&task(value), &[])
    }

    fn route(router: &Router, value: &Value, critical: bool) -> Decision {
        let task = task(value);
        router.decide(&Wish::of(&task), &router.assess(&task, &[]), critical)
    }

    fn goes_to(value: &Value) -> String {
        route(&router(), value, false).worker_type.unwrap().to_string()
    }

    #[test]
    fn the_tasks_of_the_original_test_go_where_it_says() {
        for (text, worker) in [
            ("Fix a simple bug in the code", "local"),
            ("Review code with password: secret123", "local"),
            ("Refactor the API implementation", "gpt5_medium"),
            ("Design distributed architecture pattern", "gpt5_high"),
        ] {
            assert_eq!(goes_to(&json!({ "description": text })), worker, "{text}");
        }
        let seen = assess(&json!({ "description": "Review code with password: secret123" }));
        assert_eq!(seen.sensitivity, Sensitivity::Confidential);
    }

    #[test]
    fn a_stated_worker_gets_the_task() {
        let decision = route(&router(), &json!({ "description": "a", "worker": "echo" }), true);
        assert_eq!(decision.worker_type.unwrap().as_str(), "echo");
        assert!(decision.warnings.is_empty());
    }

    #[test]
    fn a_worker_that_there_is_not_is_an_error_with_the_nearest_name() {
        let decision = route(&router(), &json!({ "description": "a", "worker": "locl" }), false);
        let why = decision.worker_type.unwrap_err();
        assert!(why.ends_with("did you mean `local`?"), "{why}");
    }

    #[test]
    fn confidential_work_that_names_a_cloud_worker_stays_local_with_a_warning() {
        let value = json!({
            "description": "a", "worker": "gpt5_high", "sensitivity_level": "confidential",
        });
        let decision = route(&router(), &value, false);
        assert_eq!(decision.worker_type.unwrap().as_str(), "local");
        assert!(decision.warnings[0].contains("`gpt5_high` is not local"));
    }

    #[test]
    fn a_stated_level_is_raised_and_never_lowered() {
        let seen = assess(&json!({ "description": "token: a1b2", "sensitivity_level": "public" }));
        assert_eq!(seen.sensitivity, Sensitivity::Confidential);
    }

    #[test]
    fn use_for_decides_where_the_difficulty_is_not_evident() {
        let mut value = json!({ "description": "hello", "task_type": "refactoring" });
        assert_eq!(goes_to(&value), "gpt5_medium");
        value["difficulty_level"] = "high".into();
        assert_eq!(goes_to(&value), "gpt5_high");
        value["sensitivity_level"] = "confidential".into();
        assert_eq!(goes_to(&value), "local");
    }

    #[test]
    fn the_first_rule_that_holds_decides() {
        let mut router = router();
        router.rules.insert(1, rule(Condition::PriorityAtLeast(9), "gpt5_medium"));
        let value = json!({ "description": "a", "difficulty_level": "high", "priority": 9 });
        let decision = route(&router, &value, false);
        assert_eq!(decision.worker_type.unwrap().as_str(), "gpt5_medium");
        assert_eq!(
            decision.reasons[0].why,
            "rule 2 of routing_rules, `priority_at_least: 9`, names `gpt5_medium`"
        );
    }

    #[test]
    fn past_the_alert_only_hard_work_is_paid_for() {
        let of = |level: &str| {
            let value = json!({ "description": "a", "difficulty_level": level });
            route(&router(), &value, true).worker_type.unwrap().to_string()
        };
        assert_eq!((of("medium").as_str(), of("high").as_str()), ("local", "gpt5_high"));
        let mut router = router();
        router.rules.insert(0, rule(Condition::BudgetCritical, "gpt5_medium"));
        let decision = route(&router, &json!({ "description": "a" }), true);
        assert_eq!(decision.worker_type.unwrap().as_str(), "gpt5_medium", "as the rule says");
    }

    #[test]
    fn without_a_local_worker_confidential_work_has_none() {
        let mut router = router();
        router.candidates.retain(|candidate| !candidate.local || candidate.only_named);
        router.rules.iter_mut().for_each(|rule| rule.worker_type = WorkerType::new("gpt5_high"));
        router.rules.insert(1, rule(Condition::TaskType("try".into()), "echo"));
        let value = json!({ "description": "a", "sensitivity_level": "confidential" });
        let why = route(&router, &value, false).worker_type.unwrap_err();
        assert!(why.contains("`local: true`"), "{why}");
        let public = route(&router, &json!({ "description": "a" }), true);
        assert_eq!(public.worker_type.unwrap().as_str(), "gpt5_high", "no local one to save at");
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands_in_a_task() {
        for value in [
            json!({ "description": "a", "input": {"password": "hunter2"} }),
            json!({ "description": "a", "metadata": {"dbPassword": "x"} }),
            json!({ "description": "a", "metadata": {"access_token": 12345} }),
            json!({ "description": "a", "password": "x" }),
            json!({ "description": "a", "input": ["see token=x1y2"] }),
            json!({ "messages": [{"role": "user", "content": "hi", "api": {"token": "x1y2"}}] }),
            json!({ "description": "\"password\":", "input": "\"x1y2\"" }),
            json!({ "description": "a", "response_schema": { "description": "token=x1y2" } }),
            json!({ "description": "a", "response_schema": { "default": {"password": "hunter2"} } }),
        ] {
            assert_eq!(assess(&value).sensitivity, Sensitivity::Confidential, "{value}");
        }
        for value in [
            json!({ "description": "a", "max_tokens": 4000, "params": {"max_tokens": 2} }),
            json!({ "description": "a", "metadata": {"password": "", "token_count": 7} }),
        ] {
            let seen = assess(&value);
            assert_eq!(seen.sensitivity, Sensitivity::Public, "{value}: {:?}", seen.reasons);
        }
    }

    #[test]
    fn a_secret_in_a_file_is_found() {
        let file = Attachment { path: "/d/a".into(), text: "token=x1y2".into() };
        let seen = router().assess(&task(&json!({ "files": ["/d/a"] })), &[file]);
        assert_eq!(seen.sensitivity, Sensitivity::Confidential);
        assert_eq!(seen.reasons[0].field, "/files//d/a");
    }

    #[test]
    fn nothing_confidential_is_cleared_for_a_worker_that_is_not_local() {
        let router = router();
        let prompt =
            |text: &str| Prompt::assemble(&task(&json!({ "description": text })), &[], None);
        let clear = |text, level, local| router.clear(prompt(text), level, local);
        assert!(clear("hello", Sensitivity::Public, false).is_ok());
        assert!(clear("hello", Sensitivity::Confidential, false).is_err());
        assert!(clear("hello", Sensitivity::Confidential, true).is_ok());
        let refused = clear("token=x1y2", Sensitivity::Public, false).unwrap_err();
        assert_eq!(refused.reasons[0].field, "/text");
        assert!(!format!("{refused:?}").contains("x1y2"));
        let schema = json!({ "default": { "password": "hunter2" } });
        let shaped = Prompt { response_schema: Some(schema), ..prompt("hello") };
        assert!(router.clear(shaped, Sensitivity::Public, false).is_err());
        let cleared = clear("token=x1y2", Sensitivity::Public, true).unwrap();
        assert_eq!(cleared.get().text, "token=x1y2");
    }

    proptest! {
        /// Else a task would be sent for and then refused at the door.
        #[test]
        fn what_is_found_public_is_cleared(
            text in "(password|token|\"|:|=|x1|\n|は| |\\[){0,12}",
            input in "(password|token|\"|:|=|x1|\n| ){0,12}",
            chat in any::<bool>(),
        ) {
            let value = match chat {
                true => json!({ "messages": [{"role": "user", "content": text, "k": input}] }),
                false => json!({ "description": text, "input": {"a": input} }),
            };
            let task = task(&value);
            let router = router();
            if router.assess(&task, &[]).sensitivity == Sensitivity::Public {
                let prompt = Prompt::assemble(&task, &[], None);
                prop_assert!(router.clear(prompt, Sensitivity::Public, false).is_ok());
            }
        }
    }

    #[test]
    fn the_size_is_that_of_what_is_sent() {
        let seen = assess(&json!({ "description": "abc", "system": "de" }));
        assert_eq!(seen.prompt_bytes, 5);
    }
}
