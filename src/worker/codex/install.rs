//! How the Codex CLI is installed: npm's package puts a script of node in PATH, and the program
//! itself beside it. Without the detour it begins a third of a second sooner, and a signal
//! reaches it and not node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::worker::Leash;
use crate::worker::program::{Program, bare};

/// npm's name of this machine, and the compiler's.
const MACHINE: Option<(&str, &str)> = match std::env::consts::ARCH.as_bytes() {
    b"x86_64" => Some(("codex-linux-x64", "x86_64-unknown-linux-musl")),
    b"aarch64" => Some(("codex-linux-arm64", "aarch64-unknown-linux-musl")),
    _ => None,
};

/// The program that node's script would start, where it lies beside it.
pub(super) fn native(found: &Path) -> Option<PathBuf> {
    let (package, machine) = MACHINE?;
    let script = fs::canonicalize(found).ok().filter(|file| file.ends_with("bin/codex.js"))?;
    let root = script.parent()?.parent()?;
    let homes = [
        root.join("node_modules/@openai").join(package).join("vendor"),
        root.parent()?.join(package).join("vendor"),
        root.join("vendor"),
    ];
    homes.into_iter().map(|home| home.join(machine).join("bin/codex")).find(|file| file.is_file())
}

/// What the program says of its version: `0.169.0`.
///
/// # Errors
/// One sentence for people.
pub fn version(
    program: &Path,
    environment: &[(String, String)],
    scratch: &Path,
) -> Result<String, String> {
    const TIME: Duration = Duration::from_secs(20);
    let mut command = Command::new(program);
    command.arg("--version").env_clear().envs(bare(environment)).stdin(Stdio::null());
    let name = "codex".to_owned();
    let program = Program { name, command, keep: 1_000, ear: None, live: None, mark: None };
    let ran = program.run(TIME, scratch, &Leash::default()).map_err(|error| error.to_string())?;
    let (said, _) = ran.content(1_000);
    let version = said.split_whitespace().last().unwrap_or_default();
    match ran.went_well() && version.starts_with(|c: char| c.is_ascii_digit()) {
        true => Ok(version.to_owned()),
        false => Err("it does not say which version it is".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_beside_nodes_script_is_found() {
        let Some((package, machine)) = MACHINE else { return };
        let dir = tempfile::tempdir().unwrap();
        let modules = dir.path().join("node_modules");
        let script = modules.join("@openai/codex/bin/codex.js");
        let program = modules.join("@openai").join(package).join("vendor").join(machine);
        let program = program.join("bin/codex");
        for file in [&script, &program] {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        fs::create_dir(modules.join(".bin")).unwrap();
        let link = modules.join(".bin/codex");
        std::os::unix::fs::symlink("../@openai/codex/bin/codex.js", &link).unwrap();
        assert_eq!(native(&link), Some(fs::canonicalize(&program).unwrap()));
        assert_eq!(native(&program), None, "it is no script");
        fs::remove_file(&program).unwrap();
        assert_eq!(native(&link), None);
    }
}
