//! English words and what they say about the difficulty of work.
//!
//! Data alone. Verbs stand in their first form and nouns in the singular; the
//! lexicon adds their ordinary forms. Blanks also stand for hyphens, and
//! articles are left out.

use super::lexicon::{Feature, Group};
use super::{english_high, english_low, usual};

/// All groups.
pub(super) const GROUPS: &[Group] = &[
    Group::new(Feature::MechanicalAction, -1.1, MECHANICAL),
    Group::new(Feature::TextAction, -0.75, TEXT),
    Group::new(Feature::Question, -1.0, QUESTION),
    Group::new(Feature::LightAction, -0.5, LIGHT),
    Group::new(Feature::LightAction, -0.4, REPAIR),
    Group::new(Feature::OrdinaryAction, 0.0, ORDINARY),
    Group::new(Feature::ProbingAction, 0.7, PROBING),
    Group::new(Feature::HardAction, 2.0, HARD),
    Group::new(Feature::HardResult, 0.9, RESULTS),
    Group::new(Feature::SmallObject, -1.5, SMALL),
    Group::new(Feature::MinorObject, -0.6, MINOR),
    Group::new(Feature::HiddenFault, 1.9, FAULT),
    Group::new(Feature::DeepDomain, 1.2, DEEP),
    Group::new(Feature::Scope, 0.4, COUNTED),
    Group::new(Feature::Domain, 0.5, DOMAIN),
    Group::new(Feature::Scope, 0.8, SCOPE),
    Group::new(Feature::UnknownCause, 1.3, UNKNOWN),
    Group::new(Feature::UnknownCause, 0.6, SYMPTOM),
    Group::new(Feature::Quality, 0.8, QUALITY),
    Group::new(Feature::Judgement, 0.8, JUDGEMENT),
    Group::new(Feature::Ease, -0.9, EASE),
    Group::new(Feature::Ease, -0.4, MILD),
    Group::new(Feature::Turn, 0.0, TURN),
    Group::new(Feature::Nothing, 0.0, NOTHING),
    Group::new(Feature::MechanicalAction, -1.1, english_low::MECHANICAL),
    Group::new(Feature::LightAction, -0.45, english_low::LIGHT),
    Group::new(Feature::Question, -1.0, english_low::QUESTION),
    Group::new(Feature::SmallObject, -0.9, english_low::SMALL),
    Group::new(Feature::MinorObject, -0.5, english_low::MINOR),
    Group::new(Feature::Ease, -0.9, english_low::EASE),
    Group::new(Feature::UnknownCause, 1.1, english_high::UNKNOWN),
    Group::new(Feature::UnknownCause, 0.5, english_high::SYMPTOM),
    Group::new(Feature::Quality, 0.8, english_high::QUALITY),
    Group::new(Feature::Judgement, 0.8, english_high::JUDGEMENT),
    Group::new(Feature::DeepDomain, 1.2, english_high::DEEP),
    Group::new(Feature::Usual, 0.0, usual::ENGLISH),
];

/// Needs no thought: one thing in one place.
const MECHANICAL: &str = "rename, reformat, format, bump, capitalize, lowercase, uppercase, alphabetize, indent, \
    reindent, lint, spellcheck, spell check, retitle, relabel, sort, reorder, count, list, \
    copy, paste, rewrap, trim, uncomment, comment out, delete, pin, tidy, look up, print, echo, \
    reply, say, spell, round, fill in, append, prepend, prettify, beautify, pretty print, \
    punctuate, dedupe, deduplicate, truncate, shorten, mark, repeat, add comment, add comma, \
    add semicolon, add newline, add space, add missing, fix typo, fix spelling, fix grammar, \
    fix indentation, fix whitespace, fix formatting, sort import, change color, change colour, \
    convert to uppercase, convert to lowercase, transpose, reverse order";

/// A text goes in, a text comes out; what the text is about matters little.
const TEXT: &str = "translate, pull out, turn this, convert tabs, convert spaces, transliterate, transcribe, \
    summarize, paraphrase, proofread, classify, categorize, label, tag, extract, rephrase, \
    reword, condense, abbreviate, tldr, tl dr, give synonym";

/// Mostly quick; what it is done to decides.
const LIGHT: &str = "update, change, replace, set, move, remove, drop, adjust, tweak, swap, edit, modify, hide, \
    show, tell, answer, enable, disable, increase, decrease, mention, turn on, turn off, raise, \
    lower, clean up, cleanup, collapse, merge in, put, attach, name, number, suggest, greet, \
    thank, remind, pick, read, switch, quote, bold, center, align, insert, run, rerun, commit, \
    execute, check, restart, open, close, regenerate, revert, apply, highlight, underline, \
    italicize, crop, resize, flip, average, add up, sum up, make sure";

/// Little is said by wishing to have something right.
const REPAIR: &str = "explain, describe, define, fix, correct, repair, mend, patch, resolve, calculate, compute, \
    convert";

/// A fact is asked for.
const QUESTION: &str = "what is, what are, whats, which of, who is, who was, when is, when was, when did, how many, \
    how much, what does, where is, what year, what day, how old, how long is, how tall, \
    how far, what time, give me, whats difference, name one, name three";

/// Known ways lead to it.
const ORDINARY: &str = "add, write, create, implement, test, parse, document, refactor, build, make, generate, \
    extend, integrate, support, handle, validate, develop, draft, prepare, set up, setup, \
    configure, connect, wire, wire up, split, merge, review, upgrade, deploy, cache, expose, \
    introduce, provide, render, import, export, load, store, fetch, call, hook up, paginate, \
    log, mock, cover, embed, register, plot, chart, visualize, query, filter, group, aggregate, \
    send, receive, schedule, compose, outline, organize, collect, turn into, give each, scrape, \
    crawl, dockerize, containerize, automate, install, package, publish, script, simplify, use, \
    plan, compare, teach, rewrite, port, wrap, allow, let, ensure, display, save, return, \
    accept, enforce, track, scaffold, style, animate, seed, annotate, encode, decode, encrypt, \
    serialize, throttle, debounce, sanitize, localize, notify, upload, download, stream, \
    iterate, brainstorm, illustrate, demonstrate, walk through, personalize, invite, advertise";

/// Wants to be thought about.
const PROBING: &str = "analyze, debug, troubleshoot, evaluate, assess, audit, research, rework, restructure, \
    scale, secure, harden, parallelize, model, benchmark, profile, improve, speed up, estimate, \
    forecast, predict, simulate, modernize, consolidate, unify, generalize, decouple, \
    modularize, critique, argue, justify, negotiate, detect, stabilize, replicate, determine, \
    recommend, propose, identify, reduce, reproduce, solve";

/// Design, proof, search for causes.
const HARD: &str = "design, architect, prove, disprove, investigate, diagnose, migrate, optimize, \
    reverse engineer, derive, formalize, formally verify, redesign, rearchitect, re architect, \
    devise, invent, decompose, model check, root cause, bisect, strategize, determine why, \
    find out why, figure out why, figure out, work out why, find out what, understand why, \
    track down, get to bottom of, find root cause, find cause, shard, break up monolith, \
    overhaul, eliminate race, untangle, refute, verify correctness, cryptanalyze, fine tune, \
    rethink, verify whether, prove that, bound, conjecture, get rid of, make it scale, \
    find way, find schedule, break up, break apart, split up, untangle monolith, \
    determine what, determine whether, settle, decide whether, choose architecture, \
    make sense of, plan migration, plan move, characterize, formulate, synthesize, \
    conceptualize, replatform, re platform, orchestrate, harmonize, stress test";

/// What hard work leaves behind, asked for with an ordinary verb.
const RESULTS: &str = "architecture, system design, design document, design doc, design proposal, \
    technical design, rfc, proof, counterexample, investigation, root cause analysis, \
    postmortem, post mortem, migration plan, migration strategy, migration path, strategy, \
    roadmap, threat model, formal model, formal specification, capacity plan, design pattern, \
    derivation, lemma, theorem, upper bound, lower bound, business case, feasibility study, \
    disaster recovery plan, rollout plan, optimization, due diligence, sharding scheme, \
    protocol, algorithm, heuristic, policy framework, financial model, research proposal, \
    experiment design, allocator, interpreter, permission model, plugin system, rate limiter";

/// Small things: whoever touches one needs no judgement.
const SMALL: &str = "typo, misspelling, spelling, spelling mistake, spelling error, grammar, comment, label, \
    heading, title, header comment, readme, whitespace, indentation, trailing whitespace, \
    variable name, local variable, function name, method name, class name, unused import, \
    import statement, version number, version string, changelog, changelog entry, log message, \
    button text, button label, button color, default value, broken link, copyright year, \
    copyright, license header, docstring, doc comment, whitespace error, semicolon, comma, \
    line break, newline, blank line, empty line, placeholder, placeholder text, tooltip, \
    caption, favicon, print statement, console log, debug statement, debug print, todo comment, \
    dead code, unused variable, unused parameter, lint warning, compiler warning, gitignore, \
    editorconfig, footer text, column header, page title, dependency version, config value, \
    bullet point, haiku, greeting, synonym, joke, thank you note, out of office reply, \
    subject line, extra space, quotation mark, line ending, single line, example output, \
    license file, license, alt text, wording, formatting, emoji, punctuation, capitalization, \
    unused code, node version, python version, trailing comma, trailing newline, \
    placeholder string, null byte, minor version, patch version, rule name, call site, \
    variable names";

/// Things that are small where little is done to them; adding one may be real work.
const MINOR: &str = "address, badge, button, color, colour, column name, config, constant, date, dependency, \
    email address, entry, env var, environment variable, error message, field, field name, \
    file, file name, filename, flag, folder, font size, footer, icon, image, image size, \
    import, key, key name, letter, limit, line, link, log level, log line, logo, margin, \
    menu item, name, number, option, padding, paragraph, parameter name, path, phone number, \
    port number, price, row, rule, sentence, setting, string, table of contents, text, timeout, \
    timeout value, todo, url, value, variable, version, word, year, sort order";

/// Fields where the simple answer is often wrong.
const DEEP: &str = "distributed, consensus, raft, paxos, byzantine, crdt, vector clock, linearizability, \
    linearizable, serializable, serializability, concurrency, concurrent, lock free, wait free, \
    memory model, memory ordering, compiler, register allocator, register allocation, \
    type inference, type system, type checker, borrow checker, garbage collector, \
    garbage collection, jit, cryptography, cryptographic, zero knowledge, side channel, \
    constant time, numerical stability, numerically stable, ill conditioned, \
    floating point error, query planner, query planning, query optimizer, cost based optimizer, \
    kernel, kernel driver, device driver, hypervisor, formal verification, formally verified, \
    tla, coq, lean proof, np hard, np complete, complexity class, convergence, \
    differential equation, eigenvalue, partition tolerance, network partition, exactly once, \
    eventual consistency, eventually consistent, strong consistency, event sourcing, \
    two phase commit, saga, replication, sharding, sharded, multi region, multi tenant, \
    multi tenancy, active active, failover, disaster recovery, high availability, real time, \
    hard real time, scheduler, scheduling, microservices, monolith, storage engine, \
    write ahead log, mvcc, isolation level, cache coherence, simd, vectorization, gpu kernel, \
    cuda kernel, stochastic, bayesian, causal inference, game theory, homomorphic, \
    elliptic curve, quorum, leader election, gossip protocol, clock skew, backpressure, \
    back pressure, thundering herd, starvation, symbolic execution, static analysis, \
    dataflow analysis, regulatory, merger, acquisition, antitrust, tax structure, \
    differential privacy, operational transformation, collaborative editing, \
    conflict resolution, offline first, false sharing, abi, bootloader, transactional memory, \
    invariant, monads, category theory, quantum, topology, combinatorial, np completeness, \
    halting problem, dynamic programming, reinforcement learning, transformer model, \
    neural network, generics, offline support, offline sync, decidable, soundness, \
    double checked locking, happens before, lock ordering, data structure design, \
    full text search, vulkan, opengl, llvm, bytecode, instruction set, register, interrupt, \
    emulator, binary protocol, undocumented, exploit, exploitable, attack, permission system, \
    access control, causality, confounding, identifiability, variance, posterior, asymptotic, \
    conjecture, integral, manifold, binding agreement, liability, indemnity, \
    collaborative editor, consistent hashing, event driven, cqrs, zero trust, schema evolution, \
    feature store, recommendation system, recommender system, anomaly detection, \
    fraud detection, approximation, constraint solver, sat solver, smt solver, parallel, \
    parallelism, work stealing, memory allocator, virtual memory, filesystem, file system, \
    network stack, physics engine, control loop, kalman filter, signal processing, firmware, \
    fpga, blockchain, smart contract, multi cloud, observability, load shedding, service mesh, \
    message ordering, clock synchronization, snapshot isolation, econometric, clinical trial, \
    litigation, patent, auction, supply chain, rostering, polymorphism, cobol, mainframe, \
    storage layer, single point of failure, circular dependency, circular dependencies, \
    cyclic dependency, dependency cycle, data layer, hot tenant, orm, legacy system, \
    batch system";

/// Faults that hide.
const FAULT: &str = "deadlock, livelock, race condition, data race, race, memory leak, use after free, \
    memory corruption, heap corruption, segfault, segmentation fault, undefined behavior, \
    split brain, priority inversion, lock contention, heisenbug, lost update, double spend, \
    duplicate charge, goroutine leak, file descriptor leak, connection leak, leak, \
    privilege escalation, numerical instability, deserialization vulnerability, stale reads, \
    lost writes, lost messages, dirty read, phantom read, kernel panic";

/// Behind a number: much is at hand.
const COUNTED: &str = "regions, tenants, replicas, nodes, teams, services, countries, languages, data centers, \
    data centres, packages, applications, systems, shards, clusters, subsidiaries, consumers, \
    gb, tb, pb, terabytes, petabytes, legal entities";

/// Fields that take some knowledge.
const DOMAIN: &str = "api, database, authentication, authorization, oauth, sso, encryption, transaction, \
    pipeline, queue, websocket, kubernetes, microservice, index, cache invalidation, \
    machine learning, parser, async, thread, threads, mutex, lock, schema, payment, billing, \
    streaming, kafka, terraform, state machine, optimizer, search engine, \
    recommendation engine, rate limiting, message broker, load balancer, legacy, integration, \
    monorepo, ci pipeline, contract, legal, statistics, statistical, regression, hash function, \
    binary tree, graph, b tree, bloom filter, lru cache, report, minutes, meeting notes, \
    transcript, briefing, survey, interview";

/// Many places at once.
const SCOPE: &str = "across, everywhere, whole codebase, entire codebase, whole code base, all services, \
    every service, all modules, every module, all teams, multiple services, several services, \
    multiple modules, several modules, multiple teams, several components, multiple components, \
    entire system, whole system, end to end, whole application, entire application, \
    entire platform, organization wide, company wide, system wide, many files, multiple files, \
    cross team, cross service, cross platform, all repositories, all our, all regions, \
    multiple regions, several regions, two regions, three regions, between services, \
    every endpoint, all endpoints, all clients, from scratch, fleet, globally, worldwide, \
    large scale, planet scale, company, throughout, throughout codebase, core packages, \
    into its own, into separate, both web and mobile, web and mobile";

/// Nobody knows yet what is the matter.
const UNKNOWN: &str = "intermittent, intermittently, sometimes, flaky, root cause, occasionally, sporadic, \
    sporadically, at random, once in while, once week, once day, once month, cannot reproduce, \
    cant reproduce, cannot be reproduced, hard to reproduce, not reproducible, \
    only in production, only under load, no idea why, dont know why, do not know why, \
    nobody knows, for no apparent reason, mysterious, mysteriously, unexplained, \
    non deterministic, nondeterministic, non deterministically, nondeterminism, rarely, \
    from time to time, suspect, seemingly, why our, why it, what causes, what is causing, \
    every few days, every few hours, after few hours, after several hours, gradually, \
    slowly grows, grows over time, out of memory, oom, oom killed, times per week, times week, \
    every so often, in rare cases, go missing, goes missing, went missing, went wrong, \
    we dont know, nobody can say, cannot cant no pattern, drifts, diverge, \
    diverges, disagree, has seen, have seen, is this correct, is this safe, why would, why did, \
    how come, what guarantee, explain why, find why, cannot tell, cant tell, suspected, \
    logs are clean, nothing in logs, clean on both sides, why does, why is, why are, why do, \
    under load, keeps growing, randomly, silently";

/// What is seen of it.
const SYMPTOM: &str = "crash, keeps, twice, duplicated, duplicates, lost, loses, lose, maybe, spikes, spike, \
    stalls, freezes, hangs, every morning, in morning, in production, not sure, inconsistent, \
    disappear, corrupted, corruption, unclear, unknown, unexpectedly, wrong results, \
    looks fine, crashes, times out, timing out, slow, slower, degrades, stuck, fails randomly, \
    drift, comes from";

/// Beside doing the thing, it must be so.
const QUALITY: &str = "no downtime, zero downtime, without downtime, without any downtime, without taking, \
    without losing, without data loss, no data loss, without service interruption, \
    without interruption, without breaking, backwards compatible, backward compatible, \
    backwards compatibility, backward compatibility, prove that, proof that, p50, p95, p99, \
    tail latency, latency, throughput, thread safe, thread safety, correctness, worst case, \
    time complexity, o n, o log n, sublinear, amortized, scalable, scalability, scales to, \
    scale to, fault tolerant, fault tolerance, highly available, high throughput, low latency, \
    millions of, billions of, million, billion, tens of thousands, hundreds of thousands, \
    requests per second, req s, qps, rps, tps, events per second, idempotent, idempotency, \
    bottleneck, memory usage, memory budget, memory footprint, performance, \
    performance regression, crash safe, atomically, guarantee, guarantees, at least once, \
    consistency, security, vulnerability, gdpr, hipaa, pci, compliance, slo, sla, rollback, \
    roll back, zero copy, deterministic, petabyte, terabyte, under contention, 99 9, 99 99, \
    resilient, resilience, tamper proof, adversarial, adversary, attacker, without locks, \
    without locking, sub millisecond, simultaneous, simultaneously, incrementally, \
    while keeping, while preserving, while still, must not, must survive, must never, \
    must stay, must still, must keep, nothing may, may be lost, no data may, never, stays up, \
    stay up, cannot afford, cant afford, hot path, round trip, overshoot, at most, within ms, \
    ms, milliseconds, microseconds, frame time, shippable, in flight, keep working, \
    keeps working, old clients, old versions, existing customers, audit trail, legally, \
    accuracy, false positives, without changing results, bit for bit, byte for byte, \
    hard limit, no vendor support, no documentation, at scale, must be identical, preserving, \
    to cent, faster, behaviour preserving";

/// A choice between ways.
const JUDGEMENT: &str = "trade off, tradeoff, alternatives, pros and cons, approaches, which approach, \
    best approach, choose between, decide whether, decide between, decide how, decide which, \
    whether we should, should we, options, justify, recommend, recommendation, long term, \
    strategic, competing, constraints, ambiguous, conflicting requirements, stakeholders, \
    feasibility, evaluate whether, think through, failure modes, failure mode, edge cases, \
    come up with, settle, argue, argument, boundaries, propose, with numbers, risks, costs and, \
    for board, defend, reasoning, assumptions, is it true, true or false, how close to, \
    fairness, incentives, sequencing, conflicts, from first principles, rigorous, rigorously, \
    novel, state of the art, how should we, how we should, what would it take, mitigate, \
    how to mitigate";

/// The writer says that it is easy.
const EASE: &str = "simple, simply, just, quick, quickly, one line, one liner, one sentence, single sentence, \
    two sentences, tiny, trivial, easy, briefly, straightforward, single word, one word, \
    in few words, yes or no, hello world, cosmetic, nothing else, no other change, \
    no other changes, thats all, that is all, do not touch, dont touch, leave rest, \
    leave everything else, nothing more, mechanical, purely mechanical, markup only, \
    already decided, in one paragraph, three bullet points, three bullets, alphabetically, \
    in alphabetical order, what year, who wrote";

/// The thing itself may be small; the work need not be.
const MILD: &str = "small, short, brief, basic, minor, pure, exactly as, no functional change, \
    no functional changes, no logic change, already works, already tested, tell me, name only, \
    obvious";

/// What went before was told; now it is asked.
const TURN: &str = "what i need, all i need, all i want, what id like, what i want, my request is, your task, \
    what we need from you, please only, for now just, this ticket is only, all you need to do, \
    all we need, would only like, only like you, i only want, only want you, all i ask, i only ask, \
    thats all i, my only request, what is needed, whats needed";

/// Longer terms that must not be read as the shorter ones in them.
const NOTHING: &str = "not just, not only, not simple, not trivial, non trivial, nontrivial, race track, \
    kernel of truth, design team, short term, simple minded, for example, no longer, \
    text editor, text file, date range, text search, string matching, string parser, \
    name resolution, lock file, lockfile, name server, date picker, date parser, \
    link prediction, word embedding, only if, only when, read only, as soon as, even only, \
    real time strategy, human race, test suite, title case, list comprehension, link checker, \
    color scheme, password, comment system, comment thread, steps to reproduce, to reproduce";
