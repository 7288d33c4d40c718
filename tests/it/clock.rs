//! The wall clock jumps, as clocks of laptops and virtual machines do: nothing waits for ever,
//! nothing runs twice, and no time in a result goes backwards.
//!
//! The program's own clock is moved, by a small library that is loaded before it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::gate::Gate;
use crate::support::{Sandbox, workers};

/// Adds to the wall clock what stands in a file, in seconds.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static volatile long *jump;
static int (*tell)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CLOCK_JUMP");
    int fd = path ? open(path, O_RDONLY) : -1;
    tell = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    if (fd >= 0) {
        void *page = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, fd, 0);
        jump = page == MAP_FAILED ? 0 : page;
    }
}

int clock_gettime(clockid_t id, struct timespec *ts) {
    int answer = tell(id, ts);
    if (id == CLOCK_REALTIME && jump) ts->tv_sec += *jump;
    return answer;
}
"#;

const HOUR: i64 = 3_600;

/// A clock that a story can move.
struct Clock(PathBuf);

impl Clock {
    /// `None` where no C compiler can make the library.
    fn of(shop: &Sandbox) -> Option<Self> {
        let [source, library, jump] = ["jump.c", "jump.so", "jump"].map(|name| shop.beside(name));
        fs::write(&source, SHIM).unwrap();
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl");
        if !cc.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            println!("skipped: no C compiler makes a clock that jumps");
            return None;
        }
        fs::write(&jump, [0; 8]).unwrap();
        shop.set("LD_PRELOAD", library.to_str().unwrap());
        shop.set("CLOCK_JUMP", jump.to_str().unwrap());
        Some(Self(jump))
    }

    /// So far from the true time, from now on.
    fn jump(&self, seconds: i64) {
        let file = File::options().write(true).open(&self.0).unwrap();
        file.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }
}

fn echo() -> Value {
    json!({ "description": "a", "worker": "echo" })
}

/// So many seconds from the true now.
fn at(seconds: i64) -> String {
    let now = koubou::base::clock::wall();
    now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap().to_string()
}

#[track_caller]
fn until_completed(shop: &Sandbox, id: &str) -> Value {
    shop.eventually("it ends", || shop.task_file(format!("completed/{id}.json")).exists());
    shop.result(&format!("completed/{id}"))
}

#[test]
fn a_clock_that_jumps_forward_wakes_what_waited_for_the_time() {
    let shop = Sandbox::with_echo();
    let Some(clock) = Clock::of(&shop) else { return };
    let daemon = shop.daemon();
    let later = json!({ "description": "a", "worker": "echo", "not_before": at(HOUR) });
    shop.drop_task("later", &later);
    shop.drop_task("now", &echo());
    until_completed(&shop, "now");
    assert_eq!(shop.names("pending"), ["later.json"]);
    clock.jump(2 * HOUR);
    // Whatever happens next makes koubou look at the clock.
    shop.drop_task("next", &echo());
    until_completed(&shop, "next");
    let result = until_completed(&shop, "later");
    assert_eq!(result["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn a_clock_that_jumps_back_holds_nothing_up_and_turns_no_time_round() {
    let shop = Sandbox::new();
    let Some(clock) = Clock::of(&shop) else { return };
    let gate = Gate::at(shop.beside("gate"));
    shop.hire(&[gate.worker(), workers::echo()], &json!({}));
    let daemon = shop.daemon();
    shop.drop_task("runs", &json!({ "description": "a" }));
    daemon.until_said("runs: begun");
    clock.jump(-24 * HOUR);
    // For the daemon these files are from tomorrow.
    for n in 0..5 {
        shop.drop_task(&format!("t{n}"), &echo());
    }
    shop.drop_bytes("half.json", "{\"description\": \"a\"");
    for n in 0..5 {
        until_completed(&shop, &format!("t{n}"));
    }
    shop.eventually("half a task is judged", || shop.task_file("failed/half.json").exists());
    gate.open("done");
    let result = until_completed(&shop, "runs");
    let time = |key: &str| result[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(time("started_at") <= time("finished_at"), "{result:#}");
    let attempt = &result["attempts"][0];
    assert!(attempt["started_at"].as_str() <= attempt["finished_at"].as_str(), "{attempt:#}");
    assert_eq!(daemon.stop(), Some(0));
    crate::crash::assert_mirror_is_what_a_rebuild_makes(&shop);
}
