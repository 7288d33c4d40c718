//! Runs the owner's program when something has happened: a limit is nearly reached, a task has ended.
//!
//! Like a task's program it is given as words, passes through no shell, and sees
//! a bare few variables. It reads nothing, what it prints goes nowhere, and it is
//! ended with all that it started when its minute is over or the leash is pulled.

use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};

use super::Leash;
use super::program::{self, USUAL_PATH};
use crate::base::words;

/// How long it may take.
const TIME: Duration = Duration::from_secs(60);

/// Runs it to its end. `setting` is what names it, `environment` the daemon's own; `variables`
/// tell what has happened.
///
/// # Errors
/// In a sentence, why it could not be run or did not end well.
pub fn run(
    setting: &str,
    argv: &[String],
    variables: &[(&str, String)],
    environment: &[(String, String)],
    leash: &Leash,
) -> Result<(), String> {
    let name = words::excerpt(&words::tame(argv.first().map_or("", String::as_str)), 100);
    start(argv, variables, environment)
        .and_then(|child| attend(child, leash, Instant::now() + TIME))
        .map_err(|why| format!("the program `{name}` of `{setting}` {why}"))
}

fn start(
    argv: &[String],
    variables: &[(&str, String)],
    environment: &[(String, String)],
) -> Result<Child, String> {
    let cannot = |why: String| format!("cannot be started: {why}");
    let [name, arguments @ ..] = argv else { return Err(cannot("it has no name".into())) };
    let inherited = program::bare(environment);
    let path = inherited.iter().find(|(name, _)| name == "PATH");
    let path = path.map_or(USUAL_PATH, |(_, value)| value);
    let mut command = Command::new(program::find(name, path).map_err(cannot)?);
    command
        .arg0(name)
        .args(arguments)
        .env_clear()
        .envs(inherited)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    program::with_no_signal_blocked(|| command.spawn()).map_err(|error| cannot(error.to_string()))
}

/// Stays until it has ended, and ends it when its time is over.
fn attend(mut child: Child, leash: &Leash, deadline: Instant) -> Result<(), String> {
    let group = Pid::from_raw(child.id().cast_signed());
    let has_exited = watch(group, leash, deadline);
    if !matches!(has_exited, Ok(true)) {
        program::signal_group(group, Signal::KILL);
    }
    let status = child.wait();
    match has_exited {
        Ok(true) => status.map_err(|error| error.to_string()).and_then(judge),
        Ok(false) if leash.is_pulled() => Err("was ended, for koubou stops".into()),
        Ok(false) => Err(format!("ran longer than {} and was ended", words::span(TIME))),
        Err(error) => Err(format!("could not be watched and was ended: {error}")),
    }
}

/// Whether it exits before its time is over and before the leash is pulled.
fn watch(group: Option<Pid>, leash: &Leash, deadline: Instant) -> std::io::Result<bool> {
    let group = group.ok_or(std::io::ErrorKind::NotFound)?;
    let exited: OwnedFd = pidfd_open(group, PidfdFlags::empty())?;
    let wake = program::wake_for(leash)?;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut events = [&exited, &*wake].map(|event| PollFd::new(event, PollFlags::IN));
        program::wait_for(&mut events, left)?;
        let [exited, pulled] = events.map(|event| !event.revents().is_empty());
        if exited || pulled || left.is_zero() {
            return Ok(exited);
        }
    }
}

fn judge(status: ExitStatus) -> Result<(), String> {
    match (status.success(), status.code()) {
        (true, _) => Ok(()),
        (false, Some(code)) => Err(format!("exited with {code}")),
        (false, None) => Err("was ended by a signal".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(text: &str, leash: &Leash) -> Result<(), String> {
        let argv = ["sh", "-c", text].map(str::to_owned);
        let environment = [("PATH", USUAL_PATH), ("SOME_API_KEY", "x")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        run("on_alert", &argv, &[("KOUBOU_ALERT_PERCENT", "80".into())], &environment, leash)
    }

    #[test]
    fn it_sees_what_it_is_told_and_no_key() {
        let text = "test $KOUBOU_ALERT_PERCENT = 80 && test -z \"$SOME_API_KEY\" && ! read x";
        assert_eq!(sh(text, &Leash::default()), Ok(()));
    }

    #[test]
    fn what_goes_wrong_is_one_sentence() {
        let said = sh("exit 3", &Leash::default()).unwrap_err();
        assert_eq!(said, "the program `sh` of `on_alert` exited with 3");
        let nowhere = ["/nowhere/x".to_owned()];
        let said = run("on_alert", &nowhere, &[], &[], &Leash::default()).unwrap_err();
        assert!(said.contains("`/nowhere/x` of `on_alert` cannot be started"), "{said}");
    }

    #[test]
    fn it_is_ended_when_the_leash_is_pulled_or_its_time_is_over() {
        let leash = Leash::default();
        leash.pull();
        assert!(sh("sleep 600", &leash).unwrap_err().contains("koubou stops"));
        let mut slow = Command::new("sleep");
        let slow = slow.arg("600").process_group(0).spawn().unwrap();
        let said = attend(slow, &Leash::default(), Instant::now()).unwrap_err();
        assert!(said.contains("ran longer than"), "{said}");
    }
}
