//! A real browser without a window, driven over WebDriver, with a profile of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than a busy machine takes to start one.
const PATIENCE: Duration = Duration::from_secs(120);

/// One browser; it ends when this is dropped.
pub(crate) struct Browser {
    driver: Child,
    agent: ureq::Agent,
    address: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts one; `None`, with a line that says so, where there is none.
    pub(crate) fn start() -> Option<Self> {
        let [Some(chromium), Some(driver)] = ["chromium", "chromedriver"].map(find) else {
            println!("skipped: there is no chromium with its chromedriver here");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new(driver)
            .args(["--port=0", "--allowed-ips="])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let port = port_of(&mut driver);
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        let address = format!("http://127.0.0.1:{port}/session");
        let mut browser = Self { driver, agent, address, _profile: profile };
        let user_data = format!("--user-data-dir={}", browser._profile.path().display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            &user_data,
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "binary": chromium, "args": arguments },
        } } });
        let session = browser.post("", &wanted);
        browser.address = format!("{}/{}", browser.address, session["sessionId"].as_str().unwrap());
        Some(browser)
    }

    /// Shows a file at this width: on a screen that is `light` or `dark`, or as it is to be a `print`.
    pub(crate) fn show(&self, page: &Path, width: u32, how: &str) {
        let scheme = if how == "dark" { "dark" } else { "light" };
        let media = if how == "print" { "print" } else { "screen" };
        let media = json!({
            "media": media,
            "features": [{ "name": "prefers-color-scheme", "value": scheme }],
        });
        self.command("Emulation.setEmulatedMedia", &media);
        let screen =
            json!({ "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.command("Emulation.setDeviceMetricsOverride", &screen);
        self.post("/url", &json!({ "url": format!("file://{}", page.display()) }));
    }

    /// What a function's body returns in the page.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// What the page and the browser complained of since the last time.
    pub(crate) fn complaints(&self) -> Vec<Value> {
        self.post("/se/log", &json!({ "type": "browser" })).as_array().unwrap().clone()
    }

    /// The whole page as a picture.
    pub(crate) fn picture(&self) -> Vec<u8> {
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let taken = self.command("Page.captureScreenshot", &whole);
        STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()
    }

    /// The page as it is printed.
    pub(crate) fn paper(&self) -> Vec<u8> {
        let sheet = json!({ "printBackground": false, "preferCSSPageSize": true,
            "paperWidth": 8.27, "paperHeight": 11.69 });
        let printed = self.command("Page.printToPDF", &sheet);
        STANDARD.decode(printed["data"].as_str().unwrap()).unwrap()
    }

    fn command(&self, name: &str, params: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": name, "params": params }))
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.address);
        let request = self.agent.post(&url).content_type("application/json");
        let mut answer = request.send(body.to_string()).unwrap();
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        assert!(answer.status().is_success(), "{path}: {text}");
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        answer["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser; then it is ended itself.
        let _ = self.agent.delete(&self.address).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Where a program is, if it is installed.
fn find(name: &str) -> Option<String> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).map(|dir| dir.join(name));
    places.filter(|place| place.is_file()).find_map(|place| place.to_str().map(str::to_owned))
}

/// The port that the driver says it listens on.
fn port_of(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
    let port = |line: &str| line.strip_suffix('.')?.rsplit_once("on port ")?.1.parse().ok();
    let found = lines.find_map(|line| port(&line)).expect("the driver says its port");
    // It may go on talking, and must not be stopped by a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    found
}
