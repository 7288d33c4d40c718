//! Reads `security_policy`: what a site holds confidential, beside all that is always looked for.
//!
//! Every pattern is compiled and tried here, so that a scan finds none that is broken.

use std::fs;
use std::path::Path;

use super::complaint::Complaints;
use super::section::Section;
use super::tree::{Node, Place};
use crate::base::words;
use crate::route::sensitivity::{AllowKey, SensitivityScanner, Site, SitePattern};

/// The patterns of the original design, which hold where the file names none.
const SENSITIVE: &[&str] = &["password", "secret", "api_key", "token", "private_key"];

const KEYS: &[&str] = &[
    "sensitive_patterns",
    "patterns",
    "words",
    "confidential_task_types",
    "confidential_paths",
    "allow",
    "strict",
    "matters",
];

/// Where the key of the hashes in `allow` lies, below the home.
const ALLOW_KEY: &str = "config/allow.key";

/// Makes the scanner that the settings ask for.
pub(super) fn read(top: &Section<'_>, home: &Path, complaints: &Complaints) -> SensitivityScanner {
    let policy = top.section("security_policy", KEYS);
    let stated = policy.as_ref().and_then(|policy| policy.texts("sensitive_patterns"));
    let patterns: Vec<String> = match &stated {
        Some(patterns) => texts(patterns),
        None => SENSITIVE.iter().map(|word| (*word).to_owned()).collect(),
    };
    let scanner = SensitivityScanner::new(&patterns).unwrap_or_else(|bad| {
        tell(bad, stated.as_deref().unwrap_or_default(), top.at, complaints);
        SensitivityScanner::default()
    });
    match policy {
        Some(policy) => scanner.at(site(&policy, home, complaints)),
        None => scanner,
    }
}

fn site(policy: &Section<'_>, home: &Path, complaints: &Complaints) -> Site {
    let mut site = Site::default();
    for node in policy.list("patterns").unwrap_or_default() {
        if let Some(pattern) = pattern(node, complaints) {
            site.pattern(pattern);
        }
    }
    if let Some(words) = policy.texts("words")
        && let Err(why) = site.words(&texts(&words))
    {
        policy.error("words", why);
    }
    if let Some(types) = policy.texts("confidential_task_types") {
        site.task_types(texts(&types));
    }
    if let Some(paths) = policy.texts("confidential_paths")
        && let Err(bad) = site.paths(&texts(&paths))
    {
        tell(bad, &paths, policy.at, complaints);
    }
    if let Some(hashes) = policy.texts("allow") {
        allow(&mut site, policy, home, &hashes, complaints);
    }
    site.strict(policy.flag("strict").unwrap_or(false));
    site.matters(policy.flag("matters").unwrap_or(true));
    site
}

fn pattern(node: &Node, complaints: &Complaints) -> Option<SitePattern> {
    let entry = Section::open(node, "a pattern", &["id", "regex", "test"], complaints)?;
    for key in ["id", "regex", "test"].into_iter().filter(|key| !entry.has(key)) {
        entry.error(
            key,
            format!(
                "a pattern needs `{key}`: its name, the expression and a text that it must find"
            ),
        );
    }
    let (id, regex, test) = (entry.word("id")?, entry.text("regex")?, entry.text("test")?);
    SitePattern::new(&id, &regex, &test).map_err(|why| entry.error("regex", why)).ok()
}

fn allow(
    site: &mut Site,
    policy: &Section<'_>,
    home: &Path,
    hashes: &[(Place, String)],
    complaints: &Complaints,
) {
    for (at, hash) in hashes {
        if hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()) {
            let shown = words::excerpt(&words::tame(hash), 12);
            let message = format!(
                "`{shown}` is not a hash of 64 hexadecimal digits: `allow` holds no values themselves"
            );
            complaints.error(*at, message);
        }
    }
    if hashes.is_empty() {
        return;
    }
    let key = fs::read(home.join(ALLOW_KEY)).ok().and_then(AllowKey::new);
    match key {
        Some(key) => site.allow(key, texts(hashes)),
        None => policy
            .error("allow", format!("`allow` needs its key in `{ALLOW_KEY}`, of 16 bytes or more")),
    }
}

fn texts(all: &[(Place, String)]) -> Vec<String> {
    all.iter().map(|(_, text)| text.clone()).collect()
}

/// Tells what is wrong with entries of a list, each at its place.
fn tell(
    bad: Vec<(usize, String)>,
    entries: &[(Place, String)],
    or: Place,
    complaints: &Complaints,
) {
    for (n, why) in bad {
        complaints.error(entries.get(n).map_or(or, |(at, _)| *at), why);
    }
}
