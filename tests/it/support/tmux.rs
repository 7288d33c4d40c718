//! A real terminal for programs that draw: a tmux server of its own, with a shell in it.

use std::path::PathBuf;
use std::process::{Command, Output};

use super::Sandbox;

/// A shell in a terminal; both end when it is dropped.
pub(crate) struct Tmux<'a> {
    shop: &'a Sandbox,
    socket: PathBuf,
}

impl<'a> Tmux<'a> {
    /// Starts one of this size; `None`, with a line that says so, where there is no tmux.
    pub(crate) fn start(shop: &'a Sandbox, columns: u16, rows: u16) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            println!("skipped: tmux is not installed (apt-get install tmux)");
            return None;
        }
        let tmux = Self { shop, socket: shop.beside("tmux") };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        tmux.call(&["new-session", "-d", "-x", &columns, "-y", &rows, "bash --norc --noprofile"]);
        tmux.call(&["set-option", "-g", "status", "off"]);
        tmux.call(&["resize-window", "-x", &columns, "-y", &rows]);
        tmux.run("PS1='$ '; alias koubou=$KOUBOU; clear");
        Some(tmux)
    }

    /// Types a line and the key Enter.
    pub(crate) fn run(&self, line: &str) {
        self.call(&["send-keys", "-l", line]);
        self.press("Enter");
    }

    /// Presses keys by their names: `Enter`, `C-c`, `x`.
    pub(crate) fn press(&self, keys: &str) {
        let mut arguments = vec!["send-keys"];
        arguments.extend(keys.split(' '));
        self.call(&arguments);
    }

    /// Gives the window another size.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.call(&["resize-window", "-x", &columns, "-y", &rows]);
    }

    /// What stands on the screen.
    pub(crate) fn screen(&self) -> String {
        self.call(&["capture-pane", "-p"])
    }

    /// Something that tmux knows of the pane: `alternate_on`.
    pub(crate) fn knows(&self, name: &str) -> String {
        self.call(&["display-message", "-p", &format!("#{{{name}}}")]).trim_end().to_owned()
    }

    /// Waits until all of this stands on the screen; the screen then.
    #[track_caller]
    pub(crate) fn until(&self, parts: &[&str]) -> String {
        self.until_it(&parts.join(" … "), |screen| parts.iter().all(|part| screen.contains(part)))
    }

    /// Waits until this holds of the screen; the screen then.
    #[track_caller]
    pub(crate) fn until_it(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let mut screen = String::new();
        let wait = std::panic::AssertUnwindSafe(|| {
            self.shop.eventually(what, || {
                screen = self.screen();
                holds(&screen)
            });
        });
        if let Err(panic) = std::panic::catch_unwind(wait) {
            eprintln!("---- the screen ----\n{}", self.screen());
            std::panic::resume_unwind(panic);
        }
        screen
    }

    fn call(&self, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let complaint = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "tmux {arguments:?}: {complaint}");
        String::from_utf8_lossy(&stdout).into_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.env_clear().envs(
            self.shop.command([""]).get_envs().filter_map(|(name, value)| Some((name, value?))),
        );
        command.env("KOUBOU", env!("CARGO_BIN_EXE_koubou")).env("LC_ALL", "C.UTF-8");
        command.args(["-u", "-f", "/dev/null", "-S"]).arg(&self.socket).args(arguments);
        command
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let _ = self.command(&["kill-server"]).output();
    }
}
