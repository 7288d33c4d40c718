//! What a spool must get right, and the tests that show that this one does.
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
fn a_test_that_is_gone_would_be_missed() {
    assert!(!is_proven("src/base/files.rs: a_test_that_there_never_was"));
    assert!(!is_proven("torture: a row that there never was"));
    let text = "fn helper() {}\n#[test]\n#[ignore]\nfn told() {}\n";
    assert_eq!(tests_in(text), BTreeSet::from(["told"]));
}
