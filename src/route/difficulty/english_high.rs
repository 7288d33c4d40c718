//! English words that speak for high work: what is seen of a hidden fault, what must
//! hold, what is to be weighed.
//!
//! Data alone, in the form that `english` describes.

/// Nobody knows yet what is the matter.
pub(super) const UNKNOWN: &str = "\
    every now and then, now and then, once in blue moon, once in every, one in, out of every, \
    once every, about every, about once, roughly once, roughly every, every couple of, \
    every few, only on some, on some, only on certain, only for some, for some users, \
    for some customers, some users, some customers, some machines, some devices, some of our, \
    one of our, some of them, certain customers, a handful of, only when two, only happens, \
    only happen, happens only, it happens, only at night, only at peak, only on weekends, \
    only on mondays, only after, only with, at peak, peak hours, after deploy, \
    after every deploy, after each deploy, after deployment, after release, after upgrade, \
    after update, after restart, after migration, after while, after some time, after days, \
    since upgrade, since update, since migration, since release, since deploy, since last week, \
    since last month, since we, ever since, since tuesday, since monday, no longer, not anymore, \
    works locally, works on my machine, passes locally, fine locally, fine in staging, \
    works in staging, never on staging, never locally, not on staging, not in staging, \
    not locally, cannot be explained, cant be explained, cannot explain, cant explain, \
    no explanation for, no one knows, noone knows, no idea, we have no idea, have no clue, \
    no clue, unsure why, not clear why, unclear why, wonder why, wondering why, why we, \
    why they, why this, why that, why these, why some, why only, why can, why has, why have, \
    why was, why were, why should, tell me why, tell us why, say why, and why, but why, \
    reason for, reason why, true reason, real reason, what happened, whats happening, \
    what is happening, what is going on, whats going on, whats wrong, what is wrong, \
    what went wrong, what is behind, what is eating, whats eating, where is it going, \
    where does it go, where do they go, wheres leak, where is leak, whodunit, culprit, culprits, \
    whos right, who is right, which is right, which one is right, which is correct, \
    who is to blame, swear, swears, blame, blames, blaming, claims, insist, insists, \
    pointing at each other, dont agree, do not agree, does not agree, dont match, do not match, \
    doesnt match, does not match, dont add up, doesnt add up, do not add up, does not add up, \
    mismatch, mismatches, discrepancy, discrepancies, differs, differ, different results, \
    different numbers, different answers, differently, from run to run, between runs, each run, \
    every run, not same, off by, out of sync, out of step, gets lost, got lost, get lost, \
    vanish, vanishes, vanished, vanishing, disappears, disappeared, disappearing, unaccounted, \
    missing orders, missing messages, missing records, missing rows, missing payments, \
    cant find, cannot find, could not find, couldnt find, cant figure, cannot figure, cant pin, \
    cannot pin down, never found, still unsolved, unsolved, puzzling, puzzled, puzzle, strange, \
    strangely, weird, weirdly, odd, oddly, curious, curiously, mystery, baffling, baffled, \
    inexplicable, inexplicably, erratic, erratically, unpredictable, unpredictably, unreliable, \
    unstable, fluctuates, fluctuating, oscillates, oscillating, jitter, glitch, glitches, \
    hiccup, hiccups, flicker, flickers, stutter, stutters, creeps up, creeping up, \
    grows without, keeps increasing, keeps dropping, keeps failing, keeps crashing, \
    keeps restarting, keeps coming back, comes back, came back, reappears, resurfaces, \
    again and again, over and over, cause unknown, unknown cause, reason unknown, \
    unknown reason, unknown origin, several hypotheses, hypotheses, hypothesis, theories, \
    suspects, suspicion, smoking gun, get to bottom, went through, dig into, look into, \
    look into why, find leak, find bug, find fault, find mistake, find error in, find flaw, \
    flaw in, is flawed, is sound, is it sound, is it safe, is it possible, is this possible, \
    is this true, is it really, is it correct, is it enough, is it ok to, can we trust, \
    can it happen, can this happen, could this happen, can it be, how can, how could, \
    how is it possible, how did this, how do we know, how can we, how do we, how would you, \
    how would we, how should, how can a, how to allocate, how to split, how to divide, \
    how to structure, what should we, what would happen, what would break, what breaks, \
    what could go wrong, what can go wrong, what are we missing, what am i missing, \
    what do we lose, what do we do, what to do about, what happens if, what happens when, \
    what if, explain and repair, explain and fix, explain discrepancy, explain difference, \
    doubles when, triples when, drops when, rises when, fails when, breaks when, hangs when, \
    slows down, slowdown, slow down, slowing, gets slower, got slower, takes longer, \
    took longer, takes forever, much slower, slower than, worse than, worse when, doubled, \
    tripled, halved, quadrupled, dropped by, fell by, rose by, jumped, climbs, climbing, \
    degraded, degradation, regressed, complain, complains, complaining, complaints";

/// What is seen of it.
pub(super) const SYMPTOM: &str = "\
    stops, stopped, stop responding, unresponsive, freeze, froze, frozen, hang, hung, hanging, \
    fails, failed, failing, failure, failures, fail, broke, breaks, broken, dies, died, killed, \
    drops, dropped, restarts, reboots, rebooted, timeouts, time out, timed out, 502, 503, 504, \
    http 500, stale, out of order, reordered, duplicate, double, doubly, overlap, overlaps, \
    conflict, collides, collision, overloaded, overload, exhausted, starved, starves, saturated, \
    maxed out, garbled, corrupt, corrupts, truncated, nan, overflow, overflows, underflow, \
    negative, exploded, explodes, blows up, blew up, blow up, melts, flood, floods, avalanche, \
    storm, storms, cascade, cascading, lag, lags, lagging, delayed, delay, delays, backlog, \
    backlogs, piles up, pile up, congestion, outage, outages, incident, incidents, downtime, \
    breach, leaked, leaks, leaking, wrong, wrongly, incorrect, incorrectly, false alarm, \
    false alarms, unfair, biased, bias, complain about, nobody, no one, none of us, anyone, \
    unfortunately, however, yet, although, though, despite, even though, but, nevertheless, \
    on other hand, at same time, meanwhile, whereas, either way, depending on, depends on, \
    varies, apparently, allegedly, supposedly, probably, perhaps, possibly, presumably, i think, \
    we think, we believe, seems, seems to, appears to, looks like, feels like, looks right, \
    looks correct, looks ok";

/// Beside doing the thing, it must be so.
pub(super) const QUALITY: &str = "\
    must be able, must be possible, must be provable, must be proven, must hold, must always, \
    must remain, must continue, must keep working, must work even, must end up, must tolerate, \
    must cope, must recover, must resume, must run, must fit, must finish, must compile, \
    must scale, must ship, must arrive, must add up, must agree, must match exactly, \
    must converge, must not lose, must not change, must not break, must not depend, \
    must not see, must not know, must not notice, must not block, may not, may never, can never, \
    cannot ever, should never, should survive, needs to survive, need to survive, \
    has to survive, have to survive, survive, survives, surviving, withstand, withstands, \
    tolerate, tolerates, cope with, copes with, recover from, recovers from, recoverable, \
    self healing, no matter, regardless of, in any order, in every case, in all cases, \
    under all circumstances, under any, at any time, at any point, at any moment, any time, \
    any moment, at every point, always, forever, ever, exactly once, exactly one, only once, \
    once and only once, at least two, at most once, without stopping, without restarting, \
    without restart, without pausing, without blocking, without asking, without trusting, \
    without trust, without knowing, without anyone, without a single, without disturbing, \
    without disrupting, without disruption, without interrupting, without rewriting, \
    without rewrite, without changing, without touching, without revealing, without exposing, \
    without seeing, without storing, without sharing, without leaking, without central, \
    without coordination, without waiting, without reading, without loss, without retraining, \
    without increasing, without slowing, without sacrificing, without compromising, \
    without locking out, without logging, without giving up, no one may, nobody may, no one can, \
    nobody can, no one should, nobody should, nobody notices, no one notices, no visible, \
    not lose, not losing, lose nothing, loses nothing, losing, loss of, no loss, lossless, \
    no single, no single point, even if, even when, even after, even under, even with, \
    even without, even during, while it runs, while running, while in use, while offline, \
    while users, while others, while we, while they, while system, while traffic, \
    while everything, meanwhile keep, bit identical, identical results, same results, \
    same answer, reproducible, reproducibly, repeatable, provable, provably, verifiable, \
    verifiably, auditable, traceable, traceability, explainable, tamper evident, tamperproof, \
    irrefutable, enforceable, admissible, defensible, watertight, airtight, bulletproof, \
    foolproof, robust, robustness, robustly, reliable, reliably, reliability, resiliency, \
    durable, durability, availability, uptime, failsafe, fail safe, five nines, recovery time, \
    recovery point, rto, rpo, graceful degradation, gracefully, degrade gracefully, power cut, \
    power loss, power failure, crash in middle, mid flight, mid write, partial failure, \
    partial failures, concurrently, in parallel, at once, under heavy, under high, heavy load, \
    high load, peak load, ten times, hundred times, thousand times, 10x, 100x, 1000x, x faster, \
    times faster, twice as fast, half time, half memory, in half, by half, linear time, \
    quadratic, logarithmic, polynomial time, exponential, constant memory, bounded memory, \
    bounded, upper limit, tight, tightest, optimal, optimally, optimum, minimal cost, minimize, \
    maximize, minimise, maximise, as fast as, as cheap as, trust, untrusted, malicious, hostile, \
    cheat, cheats, cheating, forge, forged, abuse, abused, spoof, insider, rogue, compromised, \
    compromise, least privilege, separation of duties, privacy, anonymity, anonymous, \
    anonymized, pseudonymous, confidentiality, secrecy, secret from, regulator, regulators, \
    auditor, auditors, audit, audits, audited, certification, certified, certificate of, liable, \
    sued, lawsuit, court, works council, union, board, council, parliament, ministry, \
    legislation, legislative, statute, constitutional, ethical, ethics, fair, fairly, equitable, \
    backward, backwards, forward compatible, interoperable, legacy clients, both versions, \
    two versions, mixed versions, old and new, side by side, one at time, step by step without, \
    gradual, rolling";

/// A choice between ways.
pub(super) const JUDGEMENT: &str = "\
    which of these approaches, which approach, which architecture, which strategy, which design, \
    which model should, which algorithm, which database should, which way, which would you, \
    which should, which do you, which to, what approach, what architecture, what strategy, \
    what would you, what do you recommend, what is best, whats best, what is right way, \
    best way, right way, better way, better to, is it better, should i, should it, should they, \
    should this, do we need, do we really, do we want, is it worth, worth it, or not, \
    or tell me not, whether to, whether it, whether our, whether this, whether these, \
    whether they, if at all, either or, build or buy, build versus buy, buy or build, \
    make or buy, versus, vs, weigh, weighing, weigh up, balance between, balancing, trade offs, \
    trading off, tension between, tensions, dilemma, conflict between, conflict of interest, \
    contradict, contradicts, contradictory, contradiction, contradictions, incompatible, \
    compare at least, variants, several variants, three variants, three options, two options, \
    options and, scenarios, several scenarios, three scenarios, worst case scenario, \
    what are risks, risk of, risk, risky, risk assessment, impact of, impact on, consequences, \
    implications, side effects, second order, long run, in long run, five year, ten year, \
    three year, multi year, horizon, uncertainty, uncertain, uncertainties, \
    sensitivity analysis, sensitivity, robustness check, confidence interval, \
    confidence intervals, significance, significant, counterfactual, confounder, confounders, \
    attribution, causal, causes, caused by, what caused, cause, because of, effect of, \
    correlation, proves, proved, disproved, defensible position, position paper, critically, \
    critique, criticism, objections, counterarguments, counter arguments, rebut, rebuttal, \
    steelman, sceptical, skeptical, sceptics, skeptics, persuade, convince, argue for, \
    argue against, case for, case against, make case, thesis, dissertation, literature review, \
    systematic review, meta analysis, peer review, research question, research agenda, \
    methodology, theory of, theoretical, principled, principles, rationale, reason about, \
    think about, think hard, think carefully, ground up, in what order, order of steps, \
    sequence of, phases, phased, phase out, transition, transition plan, transformation, \
    reorganization, reorganisation, restructuring, reform, turnaround, succession, merge two, \
    merging two, merging, combine two, split into, carve out, spin off, divest, valuation, \
    pricing strategy, pricing model, go to market, market entry, enter market, business model, \
    operating model, governance, governance model, target architecture, target picture, vision, \
    blueprint, framework for, system for, mechanism, mechanism for, scheme, scheme for, \
    model of, model for, method for, theory for, way to, how to ensure, how to guarantee, \
    how to avoid, how to prevent, how to make sure, make it impossible, make sure that never, \
    so that never, so that nobody, so that no one, so that no, prevent, prevents, avoid, \
    rule out, excluded, eliminate, eliminating, once and for all, structurally, by construction, \
    by design, in principle, at all, show that, or disprove, if and only if, \
    necessary and sufficient, iff, for all n, for every n, arbitrary, general case, \
    special case, closed form, tight bound, lower bounds, upper bounds, complexity of, hardness, \
    undecidable, computable, np, reduction from, induction, counterexamples, axioms, axiom, \
    corollary, existence, uniqueness, nontrivial zero, theorem, lemma, conjecture, converge, \
    converges, diverge, stability, instability, unstable";

/// Fields and parts where the simple answer is often wrong.
pub(super) const DEEP: &str = "\
    register allocation, live range, ssa, inliner, optimizing compiler, linker, loader, runtime, \
    virtual machine, interpreter, parser generator, grammar, lexer, type checking, macros, \
    unification, garbage collect, heap, allocator, page table, paging, cache line, cache misses, \
    numa, preemption, preemptive, context switch, syscalls, ebpf, driver, dma, watchdog, rtos, \
    can bus, modbus, plc, robot, robot arm, drone, autonomous, sensor fusion, slam, \
    control system, controller gains, pid, inverter, power grid, battery management, turbine, \
    satellite, avionics, medical device, pacemaker, dialysis, dosage, trial, cohort, epidemic, \
    genome, protein, molecular, fluid, turbulence, finite element, mesh, solver, monte carlo, \
    markov, martingale, queueing, hedging, derivatives, option pricing, volatility, portfolio, \
    backtest, trading, order book, market maker, arbitrage, risk model, credit risk, solvency, \
    actuarial, pension, transfer pricing, insolvency, bankruptcy, restructuring plan, \
    cross border, jurisdiction, jurisdictions, intellectual property, trade secret, \
    data protection, consent, data residency, right to be forgotten, erasure, retention, ledger, \
    double entry, reconciliation, reconcile, settlement, clearing, general ledger, netting, fx, \
    multi currency, payroll, tariff, dispatch, routing problem, vehicle routing, timetable, \
    timetabling, roster, shift planning, allocation, bin packing, knapsack, matching market, \
    voting, ballot, election, auctions, incentive, cap table, clock, clocks, time sync, ntp, \
    causal order, causal ordering, total order, ordering, change data capture, cdc, \
    outbox, dual write, dual writes, exactly once delivery, dead letter, poison message, \
    rebalancing, compaction, tombstone, vacuum, bloat, hot partition, hot shard, hot key, skew, \
    skewed, resharding, replica, replicas, replication lag, failover test, standby, \
    multi master, multi leader, peer to peer, p2p, mesh network, nat traversal, \
    congestion control, bgp, dns failover, anycast, cdn, tls termination, certificate rotation, \
    key rotation, key management, key escrow, hsm, signing, signatures, zero downtime, \
    blue green, canary, rollbacks, schema migration, online migration, data migration, cutover, \
    cut over, strangler, legacy code, legacy, rewrite in, port to, porting, cross compile, \
    reverse engineer, decompile, binary format, proprietary, obfuscated, sandbox, sandboxing, \
    plugin api, plugin architecture, extension api, untrusted code, multi user, collaborative, \
    realtime, offline, sync, synced, synchronization, synchronisation, conflict free, \
    merge conflicts, undo history, undo redo, lockstep, rollback netcode, netcode, matchmaking, \
    anti cheat, ranking, ranker, relevance, retrieval, embeddings, fine tuning, training data, \
    overfitting, data leakage, label noise, drift detection, hallucinate, hallucinations, \
    hallucination, inference cost, quantization, model serving, ab test, a b test, experiment, \
    experiments, causal effect, uplift, churn, attrition, elasticity, demand forecast, \
    permission, permissions, authorization model, row level, per row, tenant isolation, tenant, \
    isolation, side channels, timing attack, timing attacks, replay attack, replay attacks, \
    phishing, supply chain attack, ransomware, threat, threats, zero day, forensic, forensics, \
    deserialization, injection, compile time, build system, build graph, incremental build, \
    hermetic, hot reload, bootstrap, self hosting, memory safe, memory safety, unsafe code, \
    concurrency bug, thread pool, connection pool, starting pool, event loop, audio thread, \
    render thread, frame drops, dropped frames, interrupts, latency budget";
