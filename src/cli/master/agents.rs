//! How an agent is given the workshop: the arguments that Codex and Claude Code take, and what a
//! person puts into the settings of these and of others.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::base::words;

/// How long Codex may wait for a tool, in seconds; `wait` takes 50 unless asked for more.
const CODEX_PATIENCE_S: u32 = 600;

/// How the workshop's server is started, and what the agent is to read.
pub(super) struct Workshop {
    pub(super) program: PathBuf,
    pub(super) home: PathBuf,
    /// The server as a file that MCP clients read.
    pub(super) mcp_config: PathBuf,
    /// The file that teaches the workshop.
    pub(super) instructions: PathBuf,
    /// What stands in it.
    pub(super) taught: String,
}

impl Workshop {
    /// What the server is called with.
    fn args(&self) -> [String; 3] {
        ["--home".into(), self.home.to_string_lossy().into_owned(), "mcp".into()]
    }

    /// The server as Claude Code and most others write it.
    pub(super) fn as_json(&self) -> Value {
        json!({ "mcpServers": { "koubou": {
            "command": self.program.to_string_lossy(),
            "args": self.args(),
        }}})
    }

    /// The keys of Codex's settings, each with its value as TOML has it: a string of JSON is one of TOML.
    fn for_codex(&self) -> [(&'static str, Value); 4] {
        [
            ("command", json!(self.program.to_string_lossy())),
            ("args", json!(self.args())),
            // koubou bounds what agents may do; without this Codex refuses all that is not read-only.
            ("default_tools_approval_mode", json!("approve")),
            ("tool_timeout_sec", json!(CODEX_PATIENCE_S)),
        ]
    }

    /// The arguments by which this agent learns of the workshop; none for one that is not known.
    pub(super) fn arguments(&self, agent: &Path) -> Vec<OsString> {
        match agent.file_name().and_then(|name| name.to_str()) {
            Some("codex") => {
                let server = self.for_codex().into_iter();
                let settings = server
                    .map(|(key, value)| (format!("mcp_servers.koubou.{key}"), value))
                    .chain([("developer_instructions".to_owned(), json!(self.taught))]);
                settings
                    .flat_map(|(key, value)| ["-c".to_owned(), format!("{key}={value}")])
                    .map(OsString::from)
                    .collect()
            }
            Some("claude") => vec![
                joined("--mcp-config=", self.mcp_config.as_os_str()),
                "--allowedTools=mcp__koubou".into(),
                "--append-system-prompt".into(),
                self.taught.clone().into(),
            ],
            _ => Vec::new(),
        }
    }

    /// An argument with `{mcp_config}`, `{instructions}` and `{home}` filled in.
    pub(super) fn filled(&self, argument: &OsString) -> OsString {
        let Some(text) = argument.to_str() else { return argument.clone() };
        let path = |path: &Path| path.to_string_lossy().into_owned();
        text.replace("{mcp_config}", &path(&self.mcp_config))
            .replace("{instructions}", &path(&self.instructions))
            .replace("{home}", &path(&self.home))
            .into()
    }

    /// What an agent is told by variables, whichever it is.
    pub(super) fn variables(&self) -> [(&'static str, &Path); 3] {
        [
            ("KOUBOU_HOME", &self.home),
            ("KOUBOU_MCP_CONFIG", &self.mcp_config),
            ("KOUBOU_INSTRUCTIONS", &self.instructions),
        ]
    }

    /// What people put into their settings, for whom.
    pub(super) fn snippets(&self) -> Vec<(&'static str, String)> {
        let codex = self.for_codex().map(|(key, value)| format!("{key} = {value}\n")).concat();
        let call: Vec<String> =
            self.args().iter().map(|argument| words::shell_word(argument)).collect();
        let call = format!("{} {}", words::shell_path(&self.program), call.join(" "));
        let json = serde_json::to_string_pretty(&self.as_json()).unwrap_or_default();
        vec![
            ("Codex: ~/.codex/config.toml", format!("[mcp_servers.koubou]\n{codex}")),
            ("Claude Code: in a shell", format!("claude mcp add --scope user koubou -- {call}\n")),
            (
                "Claude Code: .mcp.json of a project; and most other MCP clients",
                format!("{json}\n"),
            ),
            ("What the agent is to know: put it into AGENTS.md or CLAUDE.md", self.taught.clone()),
        ]
    }
}

fn joined(option: &str, value: &std::ffi::OsStr) -> OsString {
    let mut whole = OsString::from(option);
    whole.push(value);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workshop() -> Workshop {
        Workshop {
            program: "/opt/my \"tools\"/koubou".into(),
            home: "/var/koubou".into(),
            mcp_config: "/var/koubou/master/mcp.json".into(),
            instructions: "/var/koubou/master/AGENTS.md".into(),
            taught: "one\n\"two\"".into(),
        }
    }

    #[test]
    fn codex_is_given_the_server_as_toml() {
        let arguments = workshop().arguments(Path::new("/usr/bin/codex"));
        let settings: Vec<_> = arguments.chunks(2).map(|pair| pair[1].to_str().unwrap()).collect();
        assert!(arguments.iter().step_by(2).all(|flag| flag == "-c"));
        assert_eq!(settings[0], r#"mcp_servers.koubou.command="/opt/my \"tools\"/koubou""#);
        assert_eq!(settings[1], r#"mcp_servers.koubou.args=["--home","/var/koubou","mcp"]"#);
        assert_eq!(settings.last(), Some(&r#"developer_instructions="one\n\"two\"""#));
    }

    #[test]
    fn an_agent_that_is_not_known_takes_what_it_is_given_in_its_own_arguments() {
        let shop = workshop();
        assert!(shop.arguments(Path::new("other")).is_empty());
        let filled = shop.filled(&"--config={mcp_config}".into());
        assert_eq!(filled, "--config=/var/koubou/master/mcp.json");
    }

    #[test]
    fn every_snippet_names_the_program_and_the_home() {
        for (whose, text) in workshop().snippets().iter().take(3) {
            assert!(text.contains("koubou") && text.contains("/var/koubou"), "{whose}: {text}");
        }
    }
}
