//! A home with one model, and the daemon that works it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::model_server::ModelServer;

/// A home in a temporary folder; its daemon is ended with it.
pub(crate) struct Home {
    dir: TempDir,
    daemon: Option<Child>,
}

impl Home {
    /// A home whose only worker asks `server`, with these settings beside the usual ones.
    pub(crate) fn of(server: &ModelServer, more: &Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Self { dir, daemon: None };
        assert!(home.koubou("init").status().unwrap().success());
        let mut worker = json!({
            "type": "model",
            "model": "stand-in",
            "endpoint": server.endpoint(),
            "local": true,
            "max_tokens": 64,
        });
        for (key, value) in more.as_object().unwrap() {
            worker[key] = value.clone();
        }
        let settings =
            json!({ "available_workers": [worker], "routing_rules": [{ "else": "model" }] });
        fs::write(home.path().join("config/agent.yaml"), settings.to_string()).unwrap();
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    fn koubou(&self, command: &str) -> Command {
        let mut koubou = Command::new(env!("CARGO_BIN_EXE_koubou"));
        koubou.arg("--home").arg(self.path()).arg(command);
        koubou.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        koubou
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.path().join("tasks").join(name)
    }

    /// How many files a folder of tasks holds.
    pub(crate) fn count(&self, folder: &str) -> usize {
        fs::read_dir(self.folder(folder)).unwrap().count()
    }

    /// Drops a task whole.
    pub(crate) fn drop_task(&self, name: &str) {
        let staged = self.path().join("tmp").join(name);
        fs::write(&staged, r#"{"description": "Say hello", "worker": "model"}"#).unwrap();
        rustix::fs::rename(&staged, self.folder("pending").join(format!("{name}.json"))).unwrap();
    }

    pub(crate) fn start(&mut self) {
        self.daemon = Some(self.koubou("start").spawn().unwrap());
    }

    /// Waits until so many results lie in `completed`; `false` where they do not come in time.
    pub(crate) fn wait_for(&self, count: usize, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.count("completed") < count {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// The most memory that the daemon has had, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let pid = self.daemon.as_ref().map_or(0, Child::id);
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        let pid = i32::try_from(daemon.id()).ok().and_then(Pid::from_raw).unwrap();
        // The second one stops at once.
        for _ in 0..2 {
            let _ = kill_process(pid, Signal::TERM);
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = daemon.wait();
    }
}
