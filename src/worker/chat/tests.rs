//! What is sent to a model, and what is made of its answers.

use std::time::{Duration, Instant};

use super::model_server::{ModelServer, Reply, completion, response};
use serde_json::json;

use super::*;
use crate::config::Kind;
use crate::route::price::{Factor, ServiceTiers};
use crate::worker::tests::{TestJob, job, job_of};

fn price() -> Price {
    let usd = |text: &str| text.parse().unwrap();
    Price {
        input: usd("1.25"),
        cached_input: usd("0.125"),
        cache_write: usd("1.25"),
        output: usd("10"),
        ..Price::FREE
    }
}

fn key() -> String {
    ["sk", "test", "0123456789abcdef"].join("-")
}

fn chat_spec(endpoint: &str) -> ChatSpec {
    ChatSpec {
        endpoint: endpoint.to_owned(),
        model: "gpt-5".into(),
        api: Api::ChatCompletions,
        effort: Some("high".into()),
        key: Some(Secret::new(key())),
    }
}

fn spec(local: bool, price: Price, chat: &ChatSpec) -> WorkerSpec {
    WorkerSpec {
        worker_type: WorkerType::new(if local { "local" } else { "cloud" }),
        kind: Kind::Chat(chat.clone()),
        concurrency: 1,
        max_rpm: None,
        max_tpm: None,
        local,
        price,
        max_cost: None,
        timeout: Duration::from_secs(20),
        max_attempts: 3,
        max_tokens: 4_000,
        params: Map::new(),
        system: None,
        use_for: Vec::new(),
        escalate: Vec::new(),
        fallback: Vec::new(),
        cache: false,
        batch: None,
        accept: None,
        disabled: None,
    }
}

/// A worker that is paid, at this server.
fn paid(server: &ModelServer) -> ChatWorker {
    let chat = chat_spec(&server.endpoint());
    ChatWorker::new(&spec(false, price(), &chat), chat)
}

/// The same, asked by way of the Responses API.
fn by_responses(server: &ModelServer) -> ChatWorker {
    let chat = ChatSpec { api: Api::Responses, ..chat_spec(&server.endpoint()) };
    ChatWorker::new(&spec(false, price(), &chat), chat)
}

/// What a paid worker makes of this reply to a request for a response.
fn after_response(body: &Value) -> Failure {
    let server = ModelServer::start();
    server.will(Reply::json(body));
    failed(run(&mut by_responses(&server), &job("six times seven")))
}

/// A worker in the house, which is free and has no key.
fn local(endpoint: &str) -> ChatWorker {
    let chat = ChatSpec {
        model: "openai/gpt-oss-20b".into(),
        effort: None,
        key: None,
        ..chat_spec(endpoint)
    };
    ChatWorker::new(&spec(true, Price::FREE, &chat), chat)
}

fn done(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Done(answer) => *answer,
        Outcome::Failed(failure) => panic!("it failed: {failure:?}"),
    }
}

fn failed(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed(failure) => *failure,
        Outcome::Done(answer) => panic!("it went well: {answer:?}"),
    }
}

fn run(worker: &mut ChatWorker, job: &Job) -> Outcome {
    worker.run(job, &Leash::default())
}

/// What a paid worker makes of this reply.
fn after(reply: Reply) -> Failure {
    let server = ModelServer::start();
    server.will(reply);
    failed(run(&mut paid(&server), &job("six times seven")))
}

fn retry(seconds: u64) -> Next {
    Next::Retry { at_least: Some(Duration::from_secs(seconds)) }
}

#[test]
fn an_answer_comes_with_its_cost() {
    let server = ModelServer::start();
    let mut body = completion("gpt-5-2025", "forty-two\n", "stop", 12, 34);
    body["usage"]["completion_tokens_details"] = json!({ "reasoning_tokens": 8 });
    server.will(Reply::json(&body));
    let answer = done(run(&mut paid(&server), &job("six times seven")));
    assert_eq!(answer.content, "forty-two\n");
    assert_eq!(answer.model.as_deref(), Some("gpt-5-2025"));
    assert_eq!(answer.usage.unwrap().reasoning_tokens, 8);
    assert_eq!(answer.spent, Spent::Known("0.000355".parse().unwrap()));
    assert_eq!(answer.warnings, Vec::<String>::new());
}

#[test]
fn the_tier_that_the_response_states_is_paid() {
    let tiers = ServiceTiers { priority: Factor::thousandths(2_000), ..ServiceTiers::ALIKE };
    let dear = Price { service_tiers: tiers, ..price() };
    for (stated, spent) in [("priority", "0.00071"), ("default", "0.000355")] {
        let server = ModelServer::start();
        let mut chat_body = completion("m", "x", "stop", 12, 34);
        let mut response_body = response("m", "x", "completed", 12, 34);
        for (api, body) in
            [(Api::ChatCompletions, &mut chat_body), (Api::Responses, &mut response_body)]
        {
            body["service_tier"] = stated.into();
            server.will(Reply::json(body));
            let chat = ChatSpec { api, ..chat_spec(&server.endpoint()) };
            let mut spec = spec(false, dear, &chat);
            spec.params.insert("service_tier".into(), "priority".into());
            let answer = done(run(&mut ChatWorker::new(&spec, chat), &job("x")));
            assert_eq!(answer.spent, Spent::Known(spent.parse().unwrap()), "{stated} {api:?}");
        }
    }
}

#[test]
fn openai_is_asked_for_the_ordinary_tier_and_others_are_not() {
    for (endpoint, tier) in [
        ("https://api.openai.com/v1", json!("default")),
        ("https://API.OpenAI.com/v1", json!("default")),
        ("https://api.openai.com.example.com/v1", Value::Null),
        ("http://127.0.0.1:1234/v1", Value::Null),
    ] {
        for api in [Api::ChatCompletions, Api::Responses] {
            let chat = ChatSpec { api, ..chat_spec(endpoint) };
            let worker = ChatWorker::new(&spec(false, price(), &chat), chat);
            let body = worker.body(&job("x"), &mut Vec::new());
            assert_eq!(body["service_tier"], tier, "{endpoint}");
        }
    }
}

#[test]
fn a_response_is_asked_for_whole_and_kept_by_nobody() {
    let server = ModelServer::start();
    let mut job = job_of(Prompt {
        system: Some("be brief".into()),
        text: "six times seven".into(),
        ..Prompt::default()
    });
    for (name, value) in [
        ("verbosity", json!("low")),
        ("reasoning", json!({ "summary": "auto" })),
        ("previous_response_id", json!("resp-1")),
        ("store", json!(true)),
    ] {
        job.params.insert(name.into(), value);
    }
    let answer = done(run(&mut by_responses(&server), &job));
    assert!(answer.content.ends_with("six times seven"), "{}", answer.content);
    assert_eq!(answer.warnings.len(), 2, "{:?}", answer.warnings);
    let seen = &server.requests()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/v1/responses"));
    assert_eq!(
        seen.body,
        json!({
            "model": "gpt-5",
            "input": [
                { "role": "system", "content": "be brief" },
                { "role": "user", "content": "six times seven" },
            ],
            "reasoning": { "effort": "high", "summary": "auto" },
            "text": { "verbosity": "low" },
            "max_output_tokens": 100,
            "stream": false,
            "store": false,
        })
    );
}

#[test]
fn a_shape_is_asked_for_in_either_api() {
    let schema = json!({
        "type": "object", "properties": { "city": { "type": "string" } },
        "required": ["city"], "additionalProperties": false,
    });
    let server = ModelServer::start();
    let job = job_of(Prompt {
        text: "where".into(),
        response_schema: Some(schema.clone()),
        ..Prompt::default()
    });
    done(run(&mut paid(&server), &job));
    done(run(&mut by_responses(&server), &job));
    let seen = server.requests();
    let shape = json!({ "name": "answer", "schema": schema, "strict": true });
    assert_eq!(
        seen[0].body["response_format"],
        json!({ "type": "json_schema", "json_schema": shape })
    );
    assert_eq!(
        seen[1].body["text"]["format"],
        json!({ "type": "json_schema", "name": "answer", "schema": schema, "strict": true })
    );
}

#[test]
fn a_response_comes_with_its_cost() {
    let server = ModelServer::start();
    let mut body = response("gpt-5-2025", "forty-two\n", "completed", 1_000, 34);
    body["usage"]["input_tokens_details"] = json!({ "cached_tokens": 400 });
    body["usage"]["output_tokens_details"] = json!({ "reasoning_tokens": 8 });
    server.will(Reply::json(&body));
    let answer = done(run(&mut by_responses(&server), &job("six times seven")));
    assert_eq!(answer.content, "forty-two\n");
    assert_eq!(answer.model.as_deref(), Some("gpt-5-2025"));
    assert_eq!(answer.usage.unwrap().reasoning_tokens, 8);
    assert_eq!(answer.spent, Spent::Known("0.00114".parse().unwrap()));
    body["usage"] = Value::Null;
    server.will(Reply::json(&body));
    let answer = done(run(&mut by_responses(&server), &job("x")));
    assert_eq!((answer.spent, answer.warnings.len()), (Spent::Unknown, 1));
}

#[test]
fn a_response_that_failed_is_tried_again_and_costs_what_it_says() {
    let mut body = response("m", "", "failed", 10, 100);
    body["error"] = json!({ "code": "server_error", "message": "try again in 2s" });
    let failure = after_response(&body);
    assert_eq!((failure.outcome, failure.next), ("server_error", retry(2)));
    assert!(matches!(failure.spent, Spent::Known(usd) if usd > "0.001".parse().unwrap()));
    assert!(failure.message.contains("(server_error): try again"), "{}", failure.message);
    body["usage"] = Value::Null;
    assert_eq!(after_response(&body).spent, Spent::Unknown);
}

#[test]
fn a_response_without_an_answer_says_why() {
    let failure = after_response(&response("m", "", "incomplete", 10, 100));
    assert_eq!(failure.outcome, NO_TOKENS_LEFT);
    assert!(failure.message.contains("raise `max_tokens`"), "{}", failure.message);
    let mut filtered = response("m", "half an", "incomplete", 10, 10);
    filtered["incomplete_details"] = json!({ "reason": "content_filter" });
    let mut refused = response("m", "", "completed", 10, 10);
    refused["output"][1]["content"] = json!([{ "type": "refusal", "refusal": "No." }]);
    for body in [filtered, refused] {
        let failure = after_response(&body);
        assert_eq!((failure.kind, failure.next), (ErrorKind::RefusedByWorker, Next::Never));
        assert!(matches!(failure.spent, Spent::Known(_)) && failure.content.is_some());
    }
    let mut wishes = response("m", "", "completed", 10, 10);
    wishes["output"] = json!([{ "type": "function_call", "name": "f", "arguments": "{}" }]);
    assert!(after_response(&wishes).message.contains("asked for a tool"));
    for body in [
        json!({ "status": "queued", "output": [] }),
        json!({ "choices": [] }),
        json!({ "error": { "message": "upstream failed" } }),
    ] {
        let failure = after_response(&body);
        assert_eq!((failure.outcome, failure.spent), ("bad_answer", Spent::Unknown));
    }
}

#[test]
fn a_cut_response_is_an_answer_with_a_warning() {
    let server = ModelServer::start();
    server.will(Reply::json(&response("m", "forty-", "incomplete", 10, 100)));
    let answer = done(run(&mut by_responses(&server), &job("x")));
    assert!(answer.warnings[0].contains("cut at 100 tokens"), "{:?}", answer.warnings);
}

#[test]
fn a_server_that_has_no_responses_is_named() {
    let server = ModelServer::start();
    server.will(Reply::status(404).with_body("<title>Not Found</title>"));
    let failure = failed(run(&mut by_responses(&server), &job("x")));
    assert!(failure.message.contains("nothing at `/responses`"), "{}", failure.message);
    assert!(failure.message.contains("or its `api`"), "{}", failure.message);
}

#[test]
fn leaked_thoughts_that_used_every_token_are_no_answer() {
    let failure = after(Reply::json(&completion("m", "<think>hm", "length", 10, 100)));
    assert_eq!(failure.outcome, NO_TOKENS_LEFT);
}

#[test]
fn cached_tokens_cost_less() {
    let server = ModelServer::start();
    let mut body = completion("m", "x", "stop", 1_000, 0);
    body["usage"]["prompt_tokens_details"] = json!({ "cached_tokens": 400 });
    server.will(Reply::json(&body));
    let answer = done(run(&mut paid(&server), &job("x")));
    assert_eq!(answer.spent, Spent::Known("0.0008".parse().unwrap()));
}

#[test]
fn a_reasoning_model_is_asked_as_it_likes() {
    let server = ModelServer::start();
    let mut job = job_of(Prompt {
        system: Some("be brief".into()),
        text: "six times seven".into(),
        ..Prompt::default()
    });
    job.params.insert("verbosity".into(), "low".into());
    done(run(&mut paid(&server), &job));
    let seen = &server.requests()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(seen.header("authorization").unwrap(), format!("Bearer {}", key()));
    assert_eq!(
        seen.body,
        json!({
            "model": "gpt-5",
            "messages": [
                { "role": "system", "content": "be brief" },
                { "role": "user", "content": "six times seven" },
            ],
            "reasoning_effort": "high",
            "verbosity": "low",
            "max_completion_tokens": 100,
            "stream": false,
        })
    );
}

#[test]
fn a_local_server_gets_no_key_and_the_field_that_all_know() {
    let server = ModelServer::start();
    let answer = done(run(&mut local(&server.endpoint()), &job("x")));
    assert_eq!((answer.spent, answer.usage.is_some()), (Spent::Nothing, true));
    let seen = &server.requests()[0];
    assert_eq!(seen.header("authorization"), None);
    assert_eq!(seen.body["max_tokens"], 100);
    let keys: Vec<&String> = seen.body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["model", "messages", "max_tokens", "stream"]);
}

#[test]
fn the_bound_has_the_name_that_the_server_reads() {
    for (endpoint, effort, local, field) in [
        ("https://api.openai.com/v1", None, false, "max_completion_tokens"),
        ("https://x.openai.azure.com/openai/v1", None, false, "max_completion_tokens"),
        ("https://openrouter.ai/api/v1", None, false, "max_tokens"),
        ("https://openrouter.ai/api/v1", Some("low"), false, "max_completion_tokens"),
        ("http://localhost:11434/v1", Some("low"), true, "max_tokens"),
    ] {
        let chat = ChatSpec { effort: effort.map(str::to_owned), ..chat_spec(endpoint) };
        assert_eq!(bound_of(&chat, local), field, "{endpoint}");
    }
}

#[test]
fn params_cannot_raise_the_bill() {
    let server = ModelServer::start();
    let mut job = job("x");
    let params = json!({
        "model": "dearer", "n": 9, "stream": true, "max_tokens": 9999, "messages": [],
        "max_completion_tokens": 9999, "service_tier": "priority", "seed": 7,
    });
    job.params = params.as_object().unwrap().clone();
    let answer = done(run(&mut paid(&server), &job));
    let body = &server.requests()[0].body;
    assert_eq!((&body["model"], &body["seed"]), (&json!("gpt-5"), &json!(7)));
    assert_eq!(body["max_completion_tokens"], 100);
    for absent in ["n", "max_tokens", "service_tier"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
    assert_eq!(answer.warnings.len(), 7, "{:?}", answer.warnings);
}

#[test]
fn the_configs_own_params_stand_behind_the_tasks() {
    let server = ModelServer::start();
    let chat = chat_spec(&server.endpoint());
    let mut spec = spec(false, price(), &chat);
    spec.params = json!({ "service_tier": "flex", "top_p": 1 }).as_object().unwrap().clone();
    let mut job = job("x");
    job.params.insert("top_p".into(), json!(0.5));
    job.params.insert("service_tier".into(), "flex".into());
    let answer = done(run(&mut ChatWorker::new(&spec, chat), &job));
    let body = &server.requests()[0].body;
    assert_eq!((&body["service_tier"], &body["top_p"]), (&json!("flex"), &json!(0.5)));
    assert_eq!(answer.warnings, Vec::<String>::new());
}

#[test]
fn one_connection_serves_many_requests() {
    let server = ModelServer::start();
    let mut worker = local(&server.endpoint());
    for _ in 0..5 {
        done(run(&mut worker, &job("x")));
    }
    assert_eq!((server.chats(), server.connections()), (5, 1));
}

#[test]
fn a_usage_that_cannot_be_right_costs_what_it_states_or_what_was_reserved() {
    let server = ModelServer::start();
    server.will(Reply::answer("x", 30_000_000, 1));
    let mut short = completion("m", "x", "stop", 1, 1);
    short["usage"]["total_tokens"] = json!(1);
    server.will(Reply::json(&short));
    let stated = |usd: &str| Spent::AtLeast(usd.parse().unwrap());
    for spent in [stated("37.50001"), stated("0.00001125")] {
        let answer = done(run(&mut paid(&server), &job("x")));
        assert_eq!((answer.spent, answer.warnings.len()), (spent, 1));
    }
    let reserved = "0.5".parse().unwrap();
    assert_eq!(stated("37.5").of_reserved(reserved), "37.5".parse().unwrap());
    assert_eq!(stated("0.1").of_reserved(reserved), reserved);
}

#[test]
fn missing_usage_of_a_paid_worker_keeps_the_reservation() {
    let beyond_belief = json!({ "prompt_tokens": 1e300, "completion_tokens": 1 });
    for usage in [Value::Null, json!({}), json!({ "prompt_tokens": 3 }), beyond_belief] {
        let server = ModelServer::start();
        let mut body = completion("m", "x", "stop", 1, 1);
        body["usage"] = usage;
        server.will(Reply::json(&body)).will(Reply::json(&body));
        let answer = done(run(&mut paid(&server), &job("x")));
        assert_eq!((answer.spent, answer.usage), (Spent::Unknown, None));
        assert_eq!(answer.warnings.len(), 1);
        let answer = done(run(&mut local(&server.endpoint()), &job("x")));
        assert_eq!((answer.spent, answer.warnings.len()), (Spent::Nothing, 0));
    }
}

#[test]
fn thinking_that_used_every_token_is_no_answer_and_is_paid_for() {
    let failure = after(Reply::json(&completion("m", " ", "length", 10, 100)));
    assert_eq!((failure.outcome, failure.kind), (NO_TOKENS_LEFT, ErrorKind::AttemptsExhausted));
    assert_eq!(failure.next, Next::Retry { at_least: None });
    assert!(matches!(failure.spent, Spent::Known(usd) if usd > "0.001".parse().unwrap()));
    assert!(failure.message.contains("raise `max_tokens`"), "{}", failure.message);
    assert_eq!(failure.usage.unwrap().completion_tokens, 100);
}

#[test]
fn a_cut_answer_is_an_answer_with_a_warning() {
    let server = ModelServer::start();
    server.will(Reply::json(&completion("m", "forty-", "length", 10, 100)));
    let answer = done(run(&mut paid(&server), &job("x")));
    assert!(answer.warnings[0].contains("cut at 100 tokens"), "{:?}", answer.warnings);
}

#[test]
fn a_refusal_is_final_and_paid_for() {
    let mut body = completion("m", "", "stop", 10, 10);
    body["choices"][0]["message"]["refusal"] = json!("I cannot help with that.");
    let filtered = completion("m", "half an", "content_filter", 10, 10);
    for body in [body, filtered] {
        let failure = after(Reply::json(&body));
        assert_eq!((failure.kind, failure.next), (ErrorKind::RefusedByWorker, Next::Never));
        assert!(matches!(failure.spent, Spent::Known(_)));
        assert!(failure.content.is_some());
    }
}

#[test]
fn a_server_that_is_not_there_costs_no_attempt() {
    let port = ModelServer::start().port();
    let mut worker = local(&format!("http://127.0.0.1:{port}/v1"));
    let failure = failed(run(&mut worker, &job("x")));
    assert_eq!((failure.outcome, failure.next), ("unreachable", Next::NotAnAttempt));
    assert_eq!((failure.trouble, failure.spent), (Some(Trouble::Unreachable), Spent::Nothing));
    assert_eq!(
        failure.message,
        format!(
            "nobody answers at http://127.0.0.1:{port}/v1 (connection refused): start the \
             server, or mend `endpoint` of worker `local` in config/agent.yaml"
        )
    );
    let probe = worker.probe().unwrap_err();
    assert!(probe.contains("connection refused"), "{probe}");
}

#[test]
fn nothing_is_spent_where_nothing_was_sent() {
    for endpoint in
        ["http://koubou.invalid/v1", "http://user:hush@127.0.0.1:1/v1", "not an address"]
    {
        let chat = chat_spec(endpoint);
        let mut worker = ChatWorker::new(&spec(false, price(), &chat), chat);
        let failure = failed(run(&mut worker, &job("x")));
        assert_eq!((failure.outcome, failure.spent), ("unreachable", Spent::Nothing));
        assert!(!failure.message.contains("hush"), "{}", failure.message);
    }
}

#[test]
fn a_server_that_came_back_is_found() {
    let server = ModelServer::start();
    let mut worker = local(&server.endpoint());
    done(run(&mut worker, &job("x")));
    assert_eq!(worker.probe(), Ok(()));
    let port = server.port();
    drop(server);
    failed(run(&mut worker, &job("x")));
    let _again = ModelServer::on(port, None).unwrap();
    done(run(&mut worker, &job("x")));
}

#[test]
fn a_timeout_after_sending_may_have_cost_everything() {
    let server = ModelServer::start();
    server.will(Reply::answer("late", 1, 1).held());
    let mut job = job("x");
    job.timeout = Duration::from_millis(200);
    let failure = failed(run(&mut paid(&server), &job));
    assert_eq!((failure.outcome, failure.kind), ("timeout", ErrorKind::Timeout));
    assert_eq!((failure.spent, failure.trouble), (Spent::Unknown, Some(Trouble::Failing)));
    assert_eq!(failure.next, Next::Retry { at_least: None });
}

#[test]
fn a_body_that_never_ends_runs_out_of_time() {
    let server = ModelServer::start();
    let whole = completion("m", "x", "stop", 1, 1).to_string();
    let reply = Reply::status(200).header("content-length", "999999").with_body(whole);
    server.will(reply);
    let mut job = job("x");
    job.timeout = Duration::from_millis(300);
    let failure = failed(run(&mut paid(&server), &job));
    assert_eq!(failure.spent, Spent::Unknown);
    assert!(["timeout", "connection_lost"].contains(&failure.outcome), "{failure:?}");
}

#[test]
fn a_line_that_breaks_may_have_cost_everything() {
    for reply in [
        Reply::hang_up(),
        Reply::answer("x", 1, 1).cut_after(10),
        Reply::answer("x", 1, 1).cut_after(150),
    ] {
        let failure = after(reply);
        assert_eq!((failure.outcome, failure.spent), ("connection_lost", Spent::Unknown));
        assert_eq!(failure.next, Next::Retry { at_least: None });
    }
    let server = ModelServer::start();
    server.will(Reply::hang_up());
    let failure = failed(run(&mut local(&server.endpoint()), &job("x")));
    assert_eq!(failure.spent, Spent::Nothing);
}

#[test]
fn a_pulled_leash_interrupts_a_request() {
    let server = ModelServer::start();
    server.will(Reply::answer("late", 1, 1).held());
    let (mut worker, leash) = (paid(&server), Leash::default());
    let job = job("x");
    let begun = Instant::now();
    let failure = std::thread::scope(|scope| {
        scope.spawn(|| {
            server.wait_for_held(1);
            leash.pull();
        });
        failed(worker.run(&job, &leash))
    });
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!((failure.outcome, failure.kind), ("cancelled", ErrorKind::Cancelled));
    assert_eq!((failure.spent, failure.next), (Spent::Unknown, Next::Never));
    assert_eq!(failed(worker.run(&job, &leash)).spent, Spent::Nothing, "nothing was sent");
    done(run(&mut worker, &job));
}

#[test]
fn a_late_pull_does_not_end_the_next_attempt() {
    let server = ModelServer::start();
    let mut worker = local(&server.endpoint());
    let late = Leash::default();
    done(worker.run(&job("x"), &late));
    late.pull();
    done(run(&mut worker, &job("x")));
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_rate_limit_says_when_to_come_again() {
    let limit = |reply: Reply| after(reply);
    let error = || Reply::error(429, "requests", "rate_limit_exceeded", "Slow down");
    let failure = limit(error().header("retry-after", "7"));
    assert_eq!((failure.outcome, failure.next), ("rate_limited", retry(7)));
    let seven = Some(Duration::from_secs(7));
    assert_eq!(failure.trouble, Some(Trouble::RateLimited(seven)));
    assert_eq!((failure.spent, failure.kind), (Spent::Nothing, ErrorKind::AttemptsExhausted));
    let reset = error()
        .header("x-ratelimit-remaining-requests", "0")
        .header("x-ratelimit-reset-requests", "1m1s");
    assert_eq!(limit(reset).next, retry(61));
    let sentence = Reply::error(429, "tokens", Value::Null, "Please try again in 6s.");
    assert_eq!(limit(sentence).next, retry(6));
    assert_eq!(limit(error()).next, Next::Retry { at_least: None });
    let number = Reply::error(429, "throttling_error", "429", "busy");
    assert_eq!(limit(number).outcome, "rate_limited");
}

#[test]
fn an_allowance_that_is_used_up_is_told_with_the_answer() {
    let server = ModelServer::start();
    let spent = Reply::answer("x", 1, 1)
        .header("x-ratelimit-remaining-tokens", "0")
        .header("x-ratelimit-reset-tokens", "1m30s");
    server.will(spent).will(Reply::answer("x", 1, 1));
    let mut worker = paid(&server);
    assert_eq!(done(run(&mut worker, &job("x"))).pause, Some(Duration::from_secs(90)));
    assert_eq!(done(run(&mut worker, &job("x"))).pause, None);
}

#[test]
fn an_empty_account_waits_for_a_person() {
    let mut replies: Vec<Reply> = [
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
    ]
    .map(|code| Reply::error(429, "x", code, "no money").header("retry-after", "1"))
    .into();
    replies.push(Reply::error(429, "insufficient_quota", Value::Null, "no money"));
    replies.push(Reply::error(402, "x", Value::Null, "no money"));
    for reply in replies {
        let failure = after(reply);
        assert_eq!((failure.next, failure.trouble), (Next::NotAnAttempt, Some(Trouble::Billing)));
        assert_eq!(failure.spent, Spent::Nothing);
    }
}

#[test]
fn a_bad_key_is_not_shown() {
    for status in [401, 403] {
        let echo = format!("Incorrect API key provided: {}", key());
        let failure = after(Reply::error(status, "x", "invalid_api_key", &echo));
        assert_eq!((failure.next, failure.trouble), (Next::NotAnAttempt, Some(Trouble::BadKey)));
        assert!(failure.message.contains("invalid_api_key"), "{}", failure.message);
        assert!(!failure.message.contains("sk-"), "{}", failure.message);
    }
    let echo = format!("what is {} doing here", key());
    let failure = after(Reply::error(400, "x", Value::Null, &echo));
    assert!(failure.message.contains("what is *** doing"), "{}", failure.message);
}

#[test]
fn a_request_that_is_wrong_stays_wrong() {
    for status in [400, 413, 418, 422] {
        let failure = after(Reply::error(status, "x", json!(400), "context is too long"));
        assert_eq!((failure.kind, failure.next), (ErrorKind::RefusedByWorker, Next::Never));
        assert!(failure.message.contains("context is too long"), "{}", failure.message);
        assert_eq!(failure.spent, Spent::Nothing);
    }
}

#[test]
fn what_was_asked_is_not_repeated_in_a_message() {
    let server = ModelServer::start();
    let secret = "the launch is on the ninth of May";
    let reply = Reply::error(400, "x", Value::Null, &format!("Invalid input '{secret}' here"));
    server.will(reply);
    let failure = failed(run(&mut paid(&server), &job(secret)));
    assert!(failure.message.contains("Invalid input '…' here"), "{}", failure.message);
}

#[test]
fn an_unknown_model_is_named() {
    let failure = after(Reply::error(404, "x", "model_not_found", "The model does not exist"));
    assert_eq!((failure.outcome, failure.next), ("refused", Next::Never));
    assert!(failure.message.contains("no model `gpt-5`"), "{}", failure.message);
    let failure = after(Reply::status(404).with_body("<html><title>Not Found</title>"));
    assert!(failure.message.contains("mend `endpoint`"), "{}", failure.message);
}

#[test]
fn a_server_error_is_tried_again() {
    for status in [409, 500, 503, 529] {
        let error = Reply::error(status, "server_error", Value::Null, "overloaded");
        let failure = after(error.header("retry-after-ms", "2000"));
        assert_eq!((failure.outcome, failure.next), ("server_error", retry(2)));
        let trouble = if status < 503 { Trouble::Failing } else { Trouble::Overloaded };
        assert_eq!((failure.spent, failure.trouble), (Spent::Nothing, Some(trouble)));
    }
    let failure = after(Reply::error(500, "x", Value::Null, "x").header("x-should-retry", "false"));
    assert_eq!(failure.next, Next::Never);
}

#[test]
fn a_gateway_that_does_not_know_counts_as_paid() {
    for reply in [
        Reply::status(502).with_body("<html><title>502 Bad Gateway</title></html>"),
        Reply::status(500),
        Reply::error(504, "x", Value::Null, "upstream timed out"),
        Reply::error(408, "x", Value::Null, "timed out"),
    ] {
        let failure = after(reply);
        assert_eq!((failure.outcome, failure.spent), ("server_error", Spent::Unknown));
    }
}

#[test]
fn a_local_server_that_loads_its_model_is_waited_for() {
    let server = ModelServer::start();
    server.will(Reply::status(400).with_json(&json!({ "error": "Model unloaded." })));
    let failure = failed(run(&mut local(&server.endpoint()), &job("x")));
    assert_eq!((failure.outcome, failure.next), ("server_error", Next::Retry { at_least: None }));
}

#[test]
fn a_redirect_is_not_followed() {
    let other = ModelServer::start();
    for status in [301, 302, 307, 308] {
        let to = format!("{}/chat/completions", other.endpoint());
        let failure = after(Reply::status(status).header("location", &to));
        assert_eq!((failure.kind, failure.next), (ErrorKind::RefusedByWorker, Next::Never));
        assert!(failure.message.contains("redirects are not followed"), "{}", failure.message);
    }
    assert_eq!(other.requests().len(), 0);
}

#[test]
fn what_cannot_be_read_may_have_cost_everything() {
    for reply in [
        Reply::status(200).with_body("<html>hello</html>"),
        Reply::status(200).with_body("{\"choices\":"),
        Reply::json(&json!({ "choices": [] })),
        Reply::json(&json!({ "error": { "message": "upstream failed" } })),
        Reply::status(204),
    ] {
        let failure = after(reply);
        assert_eq!((failure.outcome, failure.spent), ("bad_answer", Spent::Unknown));
        assert_eq!(failure.next, Next::Retry { at_least: None });
    }
}

#[test]
fn an_endless_answer_is_bounded() {
    let server = ModelServer::start();
    let long = "x".repeat(3 << 20);
    server.will(Reply::answer(&long, 1, 1)).will(Reply::answer(&long[..2_000], 1, 1));
    let mut job: TestJob = job("x");
    job.max_output = 1_000;
    let mut worker = paid(&server);
    let failure = failed(run(&mut worker, &job));
    assert_eq!((failure.outcome, failure.spent), ("bad_answer", Spent::Unknown));
    let answer = done(run(&mut worker, &job));
    assert_eq!((answer.content.len(), answer.warnings.len()), (1_000, 1));
}
