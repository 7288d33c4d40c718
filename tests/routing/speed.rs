//! How long a task is looked through, beside the original's five patterns.

use std::time::{Duration, Instant};

use koubou::route::Router;
use regex::RegexSet;

use super::pieces::Chance;
use super::{measure, ordinary};

/// How many pages are measured.
const PAGES: usize = 400;

/// The share of pages that must be looked through within a millisecond, in percent.
const LEAST_SHARE: usize = 99;

/// The five patterns of the original design.
const ORIGINAL: [&str; 5] = [
    r"(?i)password\s*[:=]",
    r"(?i)secret\s*[:=]",
    r"(?i)api_key\s*[:=]",
    r"(?i)token\s*[:=]",
    r"(?i)private_key",
];

/// Prints the speed on pages of 4 KiB and on one long text; says whether it is enough.
pub(crate) fn table(router: &Router, seed: u64) -> bool {
    let Ok(original) = RegexSet::new(ORIGINAL) else { return false };
    let mut chance = Chance::new(seed);
    let pages: Vec<String> = (0..PAGES).map(|_| ordinary::page(&mut chance)).collect();
    let ours = |text: &String| {
        let task = measure::task(text, 0);
        // Once to warm up, as a daemon is.
        router.assess(&task, &[]);
        time(|| drop(router.assess(&task, &[])))
    };
    let mut times: Vec<Duration> = pages.iter().map(ours).collect();
    let mut theirs: Vec<Duration> =
        pages.iter().map(|page| time(|| drop(original.matches(page)))).collect();
    times.sort_unstable();
    theirs.sort_unstable();
    let within = times.iter().filter(|time| **time < Duration::from_millis(1)).count();
    println!(
        "4 KiB: half within {:?}, 99 % within {:?}, {within} of {PAGES} under 1 ms; five patterns: half within {:?}",
        times[PAGES / 2],
        times[PAGES * 99 / 100],
        theirs[PAGES / 2]
    );
    within * 100 >= PAGES * LEAST_SHARE && is_linear(router, &mut chance)
}

/// Whether a text of sixteen times the length takes sixteen times as long, or near.
fn is_linear(router: &Router, chance: &mut Chance) -> bool {
    let page: String = (0..256).map(|_| ordinary::page(chance)).collect();
    let mut last = None;
    for count in [1, 4, 16] {
        let text = page.repeat(count);
        let taken = time(|| {
            let mut reasons = Vec::new();
            router.scanner.scan("/description", &text, &mut reasons);
        });
        println!("{:>2} MiB: {taken:?}", (text.len() + (1 << 19)) >> 20);
        if last.is_some_and(|before: Duration| taken > before * 8 + Duration::from_millis(200)) {
            return false;
        }
        last = Some(taken);
    }
    true
}

fn time(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}
