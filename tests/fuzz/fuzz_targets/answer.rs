//! What a model's server sends: no status, header or body panics, and nothing costs more than it can.
#![no_main]

use std::sync::OnceLock;
use std::time::Duration;

use koubou::config::{Api, ChatSpec, Kind, WorkerSpec};
use koubou::route::Router;
use koubou::route::price::Price;
use koubou::task::outcome::Outcome;
use koubou::task::prompt::Prompt;
use koubou::task::{Sensitivity, Usd, WorkerType, wire};
use koubou::worker::Job;
use koubou::worker::chat::ChatWorker;
use libfuzzer_sys::fuzz_target;

fn worker(api: Api) -> ChatWorker {
    let chat = ChatSpec {
        endpoint: "http://127.0.0.1:9/v1".into(),
        model: "m".into(),
        api,
        effort: None,
        key: None,
    };
    let spec = WorkerSpec {
        worker_type: WorkerType::new("w"),
        kind: Kind::Chat(chat.clone()),
        concurrency: 1,
        max_rpm: None,
        max_tpm: None,
        local: false,
        price: Price::flat(Usd::dollars(1)),
        max_cost: None,
        timeout: Duration::from_secs(1),
        max_attempts: 1,
        max_tokens: 10,
        params: Default::default(),
        system: None,
        use_for: Vec::new(),
        escalate: Vec::new(),
        fallback: Vec::new(),
        cache: false,
        batch: None,
        accept: None,
        disabled: None,
    };
    ChatWorker::new(&spec, chat)
}

fn job() -> Job {
    let Ok(task) = wire::read("fuzz", b"{\"description\": \"what is asked of the model\"}") else {
        unreachable!("it is a task")
    };
    let router = Router::default();
    let Ok(prompt) = router.clear(Prompt::assemble(&task, &[], None), Sensitivity::Public, false) else {
        unreachable!("it is public")
    };
    Job {
        task_id: task.id,
        attempt: "a".into(),
        prompt,
        timeout: Duration::from_secs(1),
        max_tokens: 10,
        params: Default::default(),
        scratch: "/nowhere".into(),
        task_file: "/nowhere".into(),
        max_output: 1_000,
        cache: false,
        home: "/nowhere".into(),
        workspace: None,
        tell: Default::default(),
    }
}

fuzz_target!(|input: (u16, &str, &[u8])| {
    static SHOP: OnceLock<([ChatWorker; 2], Job)> = OnceLock::new();
    let (workers, job) = SHOP.get_or_init(|| ([Api::ChatCompletions, Api::Responses].map(worker), job()));
    let (status, headers, body) = input;
    let headers: Vec<(&str, &str)> = headers.lines().filter_map(|line| line.split_once(": ")).collect();
    // Half of the statuses are the one that matters most.
    let status = if status % 2 == 0 { 200 } else { 100 + status % 500 };
    for worker in workers {
        if let Outcome::Done(answer) = worker.judge(job, status, &headers, body) {
            assert!(answer.content.len() <= 1_000 + 100, "an answer beyond its bound");
        }
    }
});
