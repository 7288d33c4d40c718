//! What is installed beside the program: manual pages, completions, units, and a Debian package.
//!
//! The package is installed for real where `KOUBOU_TRY_DEB` names it (`make try-deb`): that
//! changes the machine, and takes all of it away again.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A command with a bare environment; `make` must not hear what another `make` was told.
fn bare(program: &str) -> Command {
    let mut command = Command::new(program);
    // Debian's own tools stand where not everybody looks.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env_clear().env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command.env("HOME", "/nonexistent");
    command
}

#[track_caller]
fn run(command: &mut Command) -> String {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Whether a program is there; a story that needs one that is not there is skipped, and says so.
fn has(program: &str) -> bool {
    let there = bare(program).arg("--version").output().is_ok_and(|said| said.status.success());
    if !there {
        eprintln!("skipped: there is no `{program}` here");
    }
    there
}

/// `make` with the program under test as what was built.
fn make(target: &str, dest: &Path, prefix: &str) -> Command {
    let built = Path::new(env!("CARGO_BIN_EXE_koubou"));
    let mut make = bare("make");
    make.current_dir(root()).args(["--silent", target, "CARGO=no-cargo-here"]);
    make.arg(format!("BUILT={}", built.display()));
    make.arg(format!("DESTDIR={}", dest.display())).arg(format!("PREFIX={prefix}"));
    make
}

/// All files below a folder, by their paths from there.
fn files(dir: &Path) -> Vec<String> {
    walkdir::WalkDir::new(dir)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| entry.path().strip_prefix(dir).unwrap().to_str().unwrap().to_owned())
        .collect()
}

/// What is installed below a prefix, in a folder whose name has a blank in it.
struct Installed {
    _dir: TempDir,
    dest: PathBuf,
}

impl Installed {
    fn at(prefix: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let dest = dir.path().join("a root");
        run(&mut make("install", &dest, prefix));
        Self { dest, _dir: dir }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dest.join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

#[test]
fn everything_is_put_where_it_is_wanted_and_taken_away_again() {
    let installed = Installed::at("/opt/k");
    let files_there = files(&installed.dest);
    for path in [
        "opt/k/bin/koubou",
        "opt/k/share/man/man1/koubou.1",
        "opt/k/share/man/man1/koubou-submit.1",
        "opt/k/share/bash-completion/completions/koubou",
        "opt/k/share/zsh/site-functions/_koubou",
        "opt/k/share/fish/vendor_completions.d/koubou.fish",
        "opt/k/share/koubou/task.schema.json",
        "opt/k/share/koubou/result.schema.json",
        "opt/k/share/doc/koubou/README.md",
        "opt/k/share/doc/koubou/examples/languages/ask.py",
        "opt/k/lib/systemd/system/koubou.service",
        "opt/k/lib/systemd/system/koubou-maintain.timer",
    ] {
        assert!(files_there.contains(&path.to_owned()), "{path} in {files_there:#?}");
    }
    let mode =
        |path: &str| fs::metadata(installed.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("opt/k/bin/koubou"), mode("opt/k/share/man/man1/koubou.1")], [0o755, 0o644]);
    let said = run(bare(installed.path("opt/k/bin/koubou").to_str().unwrap()).arg("--version"));
    assert_eq!(said, format!("koubou {}\n", env!("CARGO_PKG_VERSION")));
    for unit in
        files_there.iter().filter(|path| path.contains("lib/systemd") && path.ends_with(".service"))
    {
        let unit = installed.read(unit);
        assert!(unit.contains("/opt/k/bin/koubou ") && !unit.contains("/usr/local"), "{unit}");
    }
    let schema = installed.read("opt/k/share/koubou/task.schema.json");
    assert_eq!(schema, fs::read_to_string(root().join("spool-layout/task.schema.json")).unwrap());

    // What is somebody else's stays.
    let other = installed.path("opt/k/bin/other");
    fs::write(&other, "").unwrap();
    run(&mut make("uninstall", &installed.dest, "/opt/k"));
    assert_eq!(files(&installed.dest), ["opt/k/bin/other"]);
    run(&mut make("uninstall", &installed.dest, "/opt/k"));
}

#[test]
fn without_a_program_nothing_is_installed_and_it_is_said_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let mut make = make("install", &dir.path().join("root"), "/usr");
    let said = output(make.arg("BUILT=/nonexistent/koubou"));
    assert!(!said.status.success());
    assert!(String::from_utf8_lossy(&said.stderr).contains("run `make release` first"), "{said:?}");
    assert_eq!(files(dir.path()), Vec::<String>::new());
}

#[test]
fn each_command_has_a_page_that_man_can_read() {
    let dir = tempfile::tempdir().unwrap();
    let koubou = env!("CARGO_BIN_EXE_koubou");
    run(bare(koubou).arg("man").arg(dir.path()));
    let main = fs::read_to_string(dir.path().join("koubou.1")).unwrap();
    for section in ["EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "VERSION"] {
        let heads = [format!("\n.SH {section}\n"), format!("\n.SH \"{section}\"\n")];
        assert!(heads.iter().any(|head| main.contains(head)), "{section}");
    }
    let help = run(bare(koubou).arg("--help"));
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let commands: Vec<&str> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.len() > 20, "{commands:?}");
    for command in commands {
        assert!(dir.path().join(format!("koubou-{command}.1")).is_file(), "{command}");
        assert!(
            main.contains(&format!("koubou\\-{}(1)", command.replace('-', "\\-"))),
            "{command}"
        );
    }
    if bare("groff").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `groff` here");
        return;
    }
    for page in files(dir.path()) {
        let said =
            output(bare("groff").args(["-man", "-Tutf8", "-ww", "-z"]).arg(dir.path().join(&page)));
        assert!(said.status.success() && said.stderr.is_empty(), "{page}: {said:?}");
    }
}

#[test]
fn shells_complete_commands() {
    let installed = Installed::at("/usr");
    let bash = installed.path("usr/share/bash-completion/completions/koubou");
    if has("bash") {
        let script = "source \"$1\"; COMP_WORDS=(koubou sub) COMP_CWORD=1; _koubou koubou sub koubou; \
                      printf '%s\\n' \"${COMPREPLY[@]}\"";
        assert_eq!(run(bare("bash").args(["-c", script, "bash"]).arg(&bash)), "submit\n");
    }
    if has("zsh") {
        run(bare("zsh").arg("-n").arg(installed.path("usr/share/zsh/site-functions/_koubou")));
    }
    if has("fish") {
        let script = "source $argv[1]; complete --do-complete 'koubou sub'";
        let fish = installed.path("usr/share/fish/vendor_completions.d/koubou.fish");
        let said = run(bare("fish").args(["--no-config", "-c", script]).arg(fish));
        assert!(said.starts_with("submit"), "{said}");
    }
}

/// Builds a package of the program under test.
fn deb(into: &Path) -> PathBuf {
    let mut script = bare("sh");
    script.arg(root().join("packaging/deb.sh")).arg(env!("CARGO_BIN_EXE_koubou")).arg(into);
    script.env("COMPRESS", "gzip");
    PathBuf::from(run(&mut script).trim())
}

#[test]
fn the_package_is_whole() {
    if !has("dpkg-deb") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let deb = deb(dir.path());
    let field = |name: &str| run(bare("dpkg-deb").arg("-f").arg(&deb).arg(name)).trim().to_owned();
    assert_eq!(field("Package"), "koubou");
    assert_eq!(field("Version"), env!("CARGO_PKG_VERSION"));
    assert!(field("Depends").starts_with("libc6 (>= 2."), "{}", field("Depends"));
    let list = run(bare("dpkg-deb").arg("-c").arg(&deb));
    for path in [
        "./usr/bin/koubou",
        "./usr/share/man/man1/koubou-start.1.gz",
        "./usr/share/doc/koubou/copyright",
        "./usr/share/doc/koubou/changelog.gz",
        "./lib/systemd/system/koubou.service",
        "./etc/default/koubou",
    ] {
        assert!(list.lines().any(|line| line.ends_with(path)), "{path} in\n{list}");
    }
    // It brings no home: that is made by its script, and so never removed with the package.
    assert!(!list.contains("./var"), "{list}");
    assert!(list.lines().all(|line| line.contains(" root/root ")), "{list}");
    let control = dir.path().join("control");
    run(bare("dpkg-deb").arg("-e").arg(&deb).arg(&control));
    for script in ["postinst", "prerm", "postrm"] {
        run(bare("sh").arg("-n").arg(control.join(script)));
    }
    assert_eq!(fs::read_to_string(control.join("conffiles")).unwrap(), "/etc/default/koubou\n");
}

/// The package on this machine, taken away again whatever happens.
struct Machine;

impl Machine {
    const HOME: &str = "/var/koubou";

    /// Only on a machine where no koubou is: nobody's home is at stake.
    fn untouched() -> Self {
        assert!(
            !Path::new(Self::HOME).exists(),
            "there is a home in {}: nothing is tried",
            Self::HOME
        );
        assert!(!Self::knows_user(), "there is a user `koubou` already: nothing is tried");
        let known = output(bare("dpkg").args(["-s", "koubou"]));
        assert!(!known.status.success(), "koubou is installed already: nothing is tried");
        Self
    }

    fn knows_user() -> bool {
        output(bare("getent").args(["passwd", "koubou"])).status.success()
    }

    /// Runs `dpkg`; all that it said.
    #[track_caller]
    fn dpkg(&self, how: &str, what: &str) -> String {
        let mut dpkg = bare("dpkg");
        dpkg.args(["--force-confold", how, what]).env("DEBIAN_FRONTEND", "noninteractive");
        let said = output(&mut dpkg);
        let told = format!(
            "{}{}",
            String::from_utf8_lossy(&said.stdout),
            String::from_utf8_lossy(&said.stderr)
        );
        assert!(said.status.success(), "dpkg {how}: {told}");
        told
    }

    /// Runs koubou as its user, as the service would.
    #[track_caller]
    fn koubou(&self, args: &[&str]) -> String {
        run(bare("runuser").args(["-u", "koubou", "--", "/usr/bin/koubou"]).args(args))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = bare("dpkg")
            .args(["-P", "koubou"])
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .output();
        let _ = fs::remove_dir_all(Self::HOME);
        let _ = bare("userdel").arg("koubou").env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").output();
        let _ = fs::remove_dir_all("/var/lib/koubou-reports");
    }
}

#[test]
fn the_debian_package_is_installed_upgraded_removed_and_purged() {
    let Some(package) = std::env::var_os("KOUBOU_TRY_DEB").map(PathBuf::from) else {
        eprintln!("skipped: it changes the machine; `make try-deb` runs it");
        return;
    };
    assert!(rustix::process::geteuid().is_root(), "`make try-deb` needs root");
    let package = fs::canonicalize(package).unwrap();
    let package = package.to_str().unwrap();
    if has("lintian") {
        let said = output(bare("lintian").args(["--fail-on", "error,warning"]).arg(package));
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    }
    let machine = Machine::untouched();
    let home = Path::new(Machine::HOME);

    machine.dpkg("-i", package);
    let owner = run(bare("stat").args(["-c", "%U:%G %a"]).arg(home));
    assert_eq!(owner, "koubou:koubou 755\n");
    assert_eq!(fs::metadata(home.join("config")).unwrap().mode() & 0o777, 0o700);
    let shell = run(bare("getent").args(["passwd", "koubou"]));
    assert!(shell.trim().ends_with("/nologin") || shell.trim().ends_with("/false"), "{shell}");
    // Root and everybody find the home without being told.
    assert!(run(bare("/usr/bin/koubou").arg("status")).contains("pending"));
    machine.koubou(&["submit", "--id", "first", "--worker", "echo", "-d", "installed"]);
    machine.koubou(&["start", "--drain"]);
    assert_eq!(machine.koubou(&["result", "first"]), "installed");
    machine.koubou(&["doctor"]);
    let enabled = Path::new("/etc/systemd/system/multi-user.target.wants/koubou.service");
    assert!(enabled.is_symlink(), "the service begins with the machine");

    // Over itself, and to a newer one: what people changed and made stays.
    let settings = home.join("config/agent.yaml");
    let mine = fs::read_to_string(&settings).unwrap() + "\n# mine\n";
    fs::write(&settings, &mine).unwrap();
    fs::write("/etc/default/koubou", "KOUBOU_LOG_LEVEL=debug\n").unwrap();
    fs::remove_file(home.join("format")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let newer = newer(package, dir.path());
    for upgrade in [package, newer.to_str().unwrap()] {
        machine.dpkg("-i", upgrade);
        assert_eq!(fs::read_to_string(&settings).unwrap(), mine);
        assert_eq!(fs::read_to_string("/etc/default/koubou").unwrap(), "KOUBOU_LOG_LEVEL=debug\n");
        assert_eq!(machine.koubou(&["result", "first"]), "installed");
        assert!(home.join("format").is_file(), "what a newer koubou has is made");
    }

    machine.dpkg("-r", "koubou");
    assert!(!Path::new("/usr/bin/koubou").exists());
    assert!(home.join("tasks/completed/first.json").is_file());
    assert!(Path::new("/etc/default/koubou").is_file());
    machine.dpkg("-i", package);
    assert_eq!(machine.koubou(&["result", "first"]), "installed");

    let told = machine.dpkg("-P", "koubou");
    assert!(told.contains("still lies in /var/koubou"), "{told}");
    assert!(home.join("tasks/completed/first.json").is_file());
    assert!(!Path::new("/etc/default/koubou").exists() && !enabled.is_symlink());

    // A home that is root's is left to root, and the package is installed all the same.
    run(bare("chown").args(["-R", "root:root"]).arg(home));
    let told = machine.dpkg("-i", package);
    assert!(told.contains("/var/koubou belongs to root and is left as it is"), "{told}");
    assert_eq!(fs::metadata(home.join("tasks")).unwrap().uid(), 0);
    drop(machine);
    assert!(!home.exists() && !Machine::knows_user() && !Path::new("/usr/bin/koubou").exists());
}

/// The same package with a higher version.
fn newer(package: &str, dir: &Path) -> PathBuf {
    let tree = dir.join("tree");
    run(bare("dpkg-deb").args(["-R", package]).arg(&tree));
    let control = tree.join("DEBIAN/control");
    let text = fs::read_to_string(&control).unwrap();
    let version = format!("Version: {}", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "{text}");
    fs::write(&control, text.replace(&version, &format!("{version}+newer"))).unwrap();
    let newer = dir.join("newer.deb");
    run(bare("dpkg-deb").args(["-Zgzip", "-b"]).arg(&tree).arg(&newer));
    newer
}
