//! What a spool and calls to models must get right, and the tests that show that these do.
//!
//! A rule whose test is renamed or taken away fails here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Each rule in short, and the tests that prove it: `file: name`, or `torture: row of its table`.
const RULES: &[(&str, &[&str])] = &[
    (
        "1. a result is written aside, synced, put in place, its folder synced; then the mirror, then the claim",
        &[
            "src/spool/filer.rs: a_batch_is_filed_and_its_claims_are_gone",
            "torture: kill -9",
            "torture: power loss",
            "torture: short write once",
        ],
    ),
    (
        "2. a claim is a rename that replaces nothing, durable before the work begins; who loses has an ordinary day",
        &[
            "src/base/files.rs: a_rename_never_replaces_in_silence",
            "src/base/files.rs: a_rename_that_was_cut_short_in_its_middle_is_finished",
            "src/spool/claim.rs: of_two_who_reach_for_a_task_one_wins",
            "src/spool/claim.rs: a_claim_never_replaces_another",
            "torture: kill -9, no renameat2",
        ],
    ),
    (
        "3. the mirror never shows what is not durable; the folders win",
        &[
            "tests/it/crash.rs: a_kill_at_any_moment_leaves_every_task_in_one_place",
            "tests/it/by_hand.rs: whatever_people_do_by_hand_the_mirror_says_what_the_folders_say",
            "torture: kill -9",
        ],
    ),
    (
        "4. a failed sync is never tried again on the same file, and success never stated",
        &[
            "src/base/group.rs: a_failure_is_told_to_all_whom_it_covered",
            "src/spool/journal.rs: after_a_failed_sync_the_lines_are_written_anew",
            "torture: EIO once",
        ],
    ),
    (
        "5. our own trouble is never a task's failure: the claim is kept, it is said, and work goes on by itself",
        &[
            "src/foreman/tests.rs: our_own_trouble_is_nobodys_failure",
            "tests/it/trouble.rs: a_disk_without_any_room_fails_no_task",
            "tests/it/trouble.rs: too_few_descriptors_fail_no_task",
            "tests/it/trouble.rs: a_drain_on_a_disk_that_stays_full_goes_home_and_says_what_waits",
            "torture: ENOSPC for ever",
            "torture: EMFILE for ever",
        ],
    ),
    (
        "6. recovery may be killed at every step, and done twice changes nothing",
        &[
            "src/spool/claim.rs: a_release_that_got_half_way_is_finished",
            "torture: kill -9 in recovery",
        ],
    ),
    (
        "7. events are hints: the folder is listed at start, after an overflow and on a slow timer",
        &[
            "tests/it/storm.rs: an_overflow_of_the_kernels_queue_loses_no_task",
            "tests/it/lifecycle.rs: a_thousand_drops_become_a_thousand_results",
            "tests/it/lifecycle.rs: another_folder_in_the_place_of_pending_is_seen",
            "tests/it/trouble.rs: without_inotify_the_folders_are_listed_and_that_is_said",
            "torture: kill -9, no inotify",
        ],
    ),
    (
        "8. a link, a redirection, a move, pieces and an editor's save are each seen for what they are",
        &[
            "src/spool/watch.rs: what_people_do_in_pending_is_seen",
            "tests/it/storm.rs: nothing_is_lost_and_nothing_done_twice_while_people_drop_and_the_daemon_dies",
        ],
    ),
    (
        "9. a file that is still being written waits, and none waits for ever",
        &[
            "src/base/files.rs: a_lease_tells_whether_somebody_still_writes",
            "tests/it/storm.rs: a_writer_who_closes_often_has_time_as_long_as_he_goes_on",
            "tests/it/storm.rs: a_drain_does_not_wait_for_a_writer_who_never_ends",
            "tests/it/clock.rs: a_clock_that_jumps_back_holds_nothing_up_and_turns_no_time_round",
            "torture: kill -9, no leases",
        ],
    ),
    (
        "10. only a regular file is a task, and it is the same one after the claim as before",
        &[
            "src/base/files.rs: only_regular_files_are_read",
            "tests/it/bad_input.rs: what_is_no_task_is_kept_as_it_was_and_explained_while_others_run",
            "tests/it/bad_input.rs: what_becomes_a_link_while_it_waits_is_not_followed",
            "tests/it/by_hand.rs: a_task_that_is_edited_while_it_waits_runs_as_it_is_then",
        ],
    ),
    (
        "11. what cannot be moved away is told once, and a drain ends with 75",
        &[
            "tests/it/bad_input.rs: what_cannot_be_moved_away_is_told_once_and_ends_the_drain_with_75",
        ],
    ),
    (
        "12. what is read is bounded, and what is shown is tamed",
        &[
            "src/base/words.rs: a_name_cannot_forge_a_second_line",
            "src/worker/command.rs: a_flood_is_bounded_and_a_warning_says_so",
            "tests/it/misbehaving.rs: a_flood_of_output_fills_neither_the_memory_nor_the_disk",
            "tests/it/bad_input.rs: what_is_no_task_is_kept_as_it_was_and_explained_while_others_run",
        ],
    ),
    (
        "13. one bad file neither ends the daemon nor spins it",
        &[
            "tests/it/bad_input.rs: what_is_no_task_is_kept_as_it_was_and_explained_while_others_run",
            "tests/it/bad_input.rs: what_cannot_be_moved_away_is_told_once_and_ends_the_drain_with_75",
        ],
    ),
    (
        "14. a program's standard input is a complete file",
        &[
            "src/worker/command.rs: standard_input_is_a_complete_file_without_a_name",
            "tests/it/commands_run.rs: a_program_gets_its_task_whole_on_standard_input",
            "torture: kill -9",
        ],
    ),
    (
        "15. a program has a group of its own, is asked and then made to end, and nobody waits for what it leaves",
        &[
            "src/worker/command.rs: time_that_runs_out_ends_the_whole_group",
            "tests/it/misbehaving.rs: who_ignores_the_request_to_end_is_ended_with_all_of_his_group",
            "tests/it/misbehaving.rs: nobody_waits_for_a_grandchild_that_holds_the_output",
            "tests/it/misbehaving.rs: a_program_that_cannot_be_started_fails_its_task_with_the_reason",
        ],
    ),
    (
        "16. no child holds a lock or a claim",
        &[
            "src/spool/lock.rs: a_second_daemon_learns_who_the_first_is",
            "tests/it/misbehaving.rs: all_that_a_dead_daemon_left_is_ended_before_the_task_runs_again",
        ],
    ),
    (
        "17. what a dead daemon left running is ended before its task runs again",
        &[
            "src/engine/recover.rs: a_program_is_known_by_its_mark",
            "tests/it/crash.rs: a_program_that_a_dead_daemon_left_is_ended_before_its_task_runs_again",
            "tests/it/misbehaving.rs: all_that_a_dead_daemon_left_is_ended_before_the_task_runs_again",
        ],
    ),
];

/// What calls to models must get right, by the same numbers and in the same way. 17 to 19 are the
/// spool's and the Codex CLI's.
const CALLS: &[(&str, &[&str])] = &[
    (
        "1. money is set apart before a call, for its worst case, in one place",
        &[
            "src/route/budget.rs: no_order_of_events_overspends",
            "src/foreman/tests/money.rs: no_paid_attempt_begins_without_money",
            "tests/it/models.rs: a_limit_holds_however_many_ask_at_once",
            "tests/it/bursts.rs: no_burst_overspends_whatever_the_server_does_and_whenever_the_daemon_dies",
        ],
    ),
    (
        "2. a price that is not known is not nothing",
        &["src/config/file.rs: who_is_local_is_never_guessed"],
    ),
    (
        "3. free work goes on when the money is gone",
        &[
            "tests/it/limits.rs: they_hold_however_many_ask_at_once_and_hold_up_nobody_else",
            "src/foreman/tests/money.rs: a_type_whose_money_is_used_up_waits_alone_and_others_overtake_it",
        ],
    ),
    (
        "4. cached tokens are part of the prompt, reasoning tokens of the answer",
        &[
            "src/route/price.rs: cached_and_written_tokens_are_part_of_the_prompt",
            "src/worker/chat/completion.rs: reasoning_outside_of_the_completion_is_paid_for",
            "src/worker/chat/response.rs: cached_and_reasoning_tokens_are_parts_of_a_responses_usage",
        ],
    ),
    (
        "5. a cache write costs more, and a long prompt changes the price of the whole call",
        &[
            "src/route/price.rs: a_prompt_beyond_the_threshold_changes_the_price_of_the_whole_request",
            "src/config/prices.rs: since_5_6_a_cache_write_and_a_long_prompt_cost_more",
        ],
    ),
    (
        "6. the tier that the answer states is paid",
        &["src/route/price.rs: the_tier_that_the_response_states_is_paid"],
    ),
    (
        "7. a usage that is not stated is not nothing",
        &["src/worker/chat/tests.rs: missing_usage_of_a_paid_worker_keeps_the_reservation"],
    ),
    (
        "8. an empty account stops the worker, whatever the status says",
        &["src/worker/chat/tests.rs: an_empty_account_waits_for_a_person"],
    ),
    (
        "9. the pause that a server asks for is a floor, wherever it says so",
        &[
            "src/worker/chat/refusal.rs: a_pause_is_found_wherever_it_is_said",
            "src/foreman/retry.rs: what_the_server_asked_for_is_a_floor",
            "src/worker/chat/tests.rs: an_allowance_that_is_used_up_is_told_with_the_answer",
        ],
    ),
    (
        "10. pauses outlive the daemon, failed calls count, and calls are spread evenly",
        &[
            "src/route/rate.rs: no_minute_holds_more_than_it_may_and_little_is_wasted",
            "src/route/rate.rs: an_earlier_run_is_remembered",
            "src/foreman/tests/trouble.rs: tokens_of_a_minute_are_spread_and_what_was_not_used_comes_back",
            "src/foreman/tests/trouble.rs: an_answer_may_say_that_there_is_to_be_a_pause",
        ],
    ),
    (
        "11. what may have been sent may have cost everything; attempts are bounded, and so is a task's cost",
        &[
            "src/worker/chat/tests.rs: a_timeout_after_sending_may_have_cost_everything",
            "src/worker/chat/tests.rs: a_line_that_breaks_may_have_cost_everything",
            "tests/it/crash.rs: money_that_may_have_been_spent_is_not_free_after_a_kill",
            "src/foreman/tests/money.rs: what_can_never_be_paid_is_refused",
        ],
    ),
    (
        "12. nobody outside stands in for confidential work",
        &[
            "tests/it/standing_in.rs: nobody_outside_stands_in_for_a_local_worker_that_is_down",
            "src/route/ladder.rs: nobody_beyond_the_house_stands_in_for_a_confidential_task",
            "tests/it/leaks.rs: neither_a_spent_budget_nor_a_ladder_nor_a_retry_moves_it",
        ],
    ),
    (
        "13. the trouble of who stands in says nothing of whom he stands in for",
        &["src/foreman/tests/trouble.rs: somebody_stands_in_for_a_worker_that_cannot_be_used"],
    ),
    (
        "14. thought that used up every token is a failure of its own, tried once more with more, both paid",
        &[
            "src/worker/chat/tests.rs: thinking_that_used_every_token_is_no_answer_and_is_paid_for",
            "src/foreman/tests/trouble.rs: thought_that_used_up_every_token_gets_twice_as_many_once",
        ],
    ),
    (
        "15. no key in a log, a message, a child's environment or a result",
        &[
            "src/worker/chat/tests.rs: a_bad_key_is_not_shown",
            "src/worker/command.rs: it_sees_no_variable_that_it_was_not_given",
            "tests/it/models.rs: secrets_of_the_settings_are_masked_wherever_they_turn_up",
        ],
    ),
    (
        "16. days and months are those of the configured zone, and a call belongs to the day when it began",
        &[
            "src/route/budget.rs: a_day_ends_at_the_configured_zones_midnight",
            "src/route/budget.rs: a_promise_of_yesterday_is_paid_by_yesterday",
        ],
    ),
];

/// The names of the tests in a source file.
fn tests_in(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        let name = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next());
        match name {
            Some(name) if is_test => drop(names.insert(name)),
            _ => {}
        }
        is_test = line == "#[test]" || (is_test && line.starts_with("#["));
    }
    names
}

fn is_proven(proof: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (file, name) = proof.split_once(": ").unwrap();
    if file == "torture" {
        let table = ["trial.rs", "power.rs"].map(|file| root.join("tests/torture").join(file));
        let row = format!("\"{name}\"");
        return table.iter().any(|file| fs::read_to_string(file).unwrap().contains(&row));
    }
    tests_in(&fs::read_to_string(root.join(file)).unwrap()).contains(name)
}

#[test]
fn every_rule_of_a_spool_has_its_tests() {
    assert_eq!(RULES.len(), 17);
    for (rule, proofs) in RULES {
        assert!(!proofs.is_empty(), "{rule}");
        for proof in *proofs {
            assert!(is_proven(proof), "{rule}\nthere is no test `{proof}`");
        }
    }
}

#[test]
fn every_rule_of_calls_has_its_tests() {
    for (n, (rule, proofs)) in CALLS.iter().enumerate() {
        assert!(rule.starts_with(&format!("{}. ", n + 1)) && !proofs.is_empty(), "{rule}");
        for proof in *proofs {
            assert!(is_proven(proof), "{rule}\nthere is no test `{proof}`");
        }
    }
}

#[test]
fn a_test_that_is_gone_would_be_missed() {
    assert!(!is_proven("src/base/files.rs: a_test_that_there_never_was"));
    assert!(!is_proven("torture: a row that there never was"));
    let text = "fn helper() {}\n#[test]\n#[ignore]\nfn told() {}\n";
    assert_eq!(tests_in(text), BTreeSet::from(["told"]));
}
