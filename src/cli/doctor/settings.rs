//! Looks at the settings: every mistake with its place, what is odd, and what is old.

use jiff::tz::TimeZone;

use super::{Finding, edit};
use crate::base::clock::{self, Timestamp};
use crate::base::words::{self, Count};
use crate::cli::Site;
use crate::config::{self, Config, ConfigErrors};

/// From this age on, in days, a price that came with koubou may be wrong.
const OLD: i32 = 180;

/// The settings, where they are good.
pub(super) fn look(site: &Site, checks: &mut Vec<Finding>) -> Option<Config> {
    checks.extend(dotenv(site));
    let path = site.home.config_file();
    match site.try_config() {
        Ok(Ok(config)) => {
            checks.extend(oddities(site, &config));
            checks.extend(prices(site, &config, clock::wall()));
            Some(config)
        }
        Ok(Err(errors)) => {
            checks.extend(mistakes(&errors));
            None
        }
        // Where it is not there, that is told already.
        Err(_) if !path.exists() => None,
        Err(trouble) => {
            checks.push(Finding::failed("config", &path, &trouble).mend(edit(&path)));
            None
        }
    }
}

fn mistakes(errors: &ConfigErrors) -> Vec<Finding> {
    let mut found = Vec::new();
    for error in errors.all() {
        let path = error.path.display();
        let place = match error.line {
            0 => path.to_string(),
            line => format!("{path}:{line}:{}", error.column),
        };
        let meant = error.meant.as_ref().map(|meant| format!("; did you mean `{meant}`?"));
        let what = format!("{}{}", error.message, meant.unwrap_or_default());
        let finding = Finding::error("config", place, what);
        found.push(match error.path.is_absolute() {
            true => finding.mend(edit(&error.path)),
            false => finding,
        });
    }
    found
}

fn oddities(site: &Site, config: &Config) -> Vec<Finding> {
    let path = site.home.config_file();
    // That a worker rests is told with the worker.
    let warnings = config.warnings.iter().filter(|text| !text.contains("` rests: "));
    let mut found: Vec<Finding> = warnings
        .map(|text| Finding::warning("config", &path, text.as_str()).mend(edit(&path)))
        .collect();
    if found.is_empty() {
        let workers = Count(config.workers.len() as u64, "worker");
        found.push(Finding::ok("config", &path, format!("{workers}, and no mistake")));
    }
    found
}

/// Names that nobody reads and keys that are none; never a value.
fn dotenv(site: &Site) -> Vec<Finding> {
    let path = site.home.env_file();
    let Ok(environment) = site.environment() else { return Vec::new() };
    let mut found = Vec::new();
    for (name, line) in environment.placeholders() {
        let what = format!("`{name}` only holds the place of a key");
        let place = format!("{}:{line}", path.display());
        found.push(Finding::warning("env", place, what).mend(edit(&path)));
    }
    for name in site.config().map(|config| config.unused_env).unwrap_or_default() {
        let what = format!("`{}` is set and nothing reads it", words::tame(&name));
        let mend =
            format!(r"sed -i -E '/^\s*(export\s+)?{name}\s*=/d' {}", words::shell_path(&path));
        found.push(Finding::warning("env", &path, what).mend(mend));
    }
    if found.is_empty() && path.exists() {
        found.push(Finding::ok("env", &path, "every name in it is used"));
    }
    found
}

/// Prices change: of those that came with koubou it is told when they are old.
fn prices(site: &Site, config: &Config, now: Timestamp) -> Option<Finding> {
    if config.shipped_prices.is_empty() {
        return None;
    }
    let path = site.home.config_file();
    let whose = words::names(&config.shipped_prices, "and");
    let gathered = config::prices_gathered();
    let age = (now.to_zoned(TimeZone::UTC).date() - gathered).get_days();
    Some(match age > OLD {
        false => Finding::ok("prices", &path, format!("those of {whose} are of {gathered}")),
        true => {
            let what = format!(
                "{whose} cost what was read on {gathered}, {age} days ago: look whether that still holds, and state `price_per_1m`"
            );
            Finding::warning("prices", &path, what).mend(edit(&path))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;
    use crate::config::Environment;

    #[test]
    fn a_price_grows_old_and_is_told_with_whose_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let site = Site::find(Some(dir.path()));
        let yaml = |price: &str| {
            format!(
                "available_workers:\n  - {{type: a, model: gpt-5, endpoint: 'https://a.example/v1'{price}}}\n\
                 routing_rules:\n  - else: a\n"
            )
        };
        let config = |price: &str| {
            let environment = Environment::new([], "", Timestamp::UNIX_EPOCH);
            config::load(&yaml(price), &site.home.config_file(), dir.path(), &environment).unwrap()
        };
        let told = |price: &str, day: &str| {
            let finding = prices(&site, &config(price), day.parse().unwrap());
            finding.map(|finding| (finding.status, finding.what))
        };
        let fresh = told("", "2026-12-01T00:00:00Z").unwrap();
        assert_eq!(fresh.0, Status::Ok);
        let old = told("", "2027-06-01T00:00:00Z").unwrap();
        assert_eq!(old.0, Status::Warning);
        assert!(old.1.contains("`a`") && old.1.contains("190 days"), "{}", old.1);
        let own = ", price_per_1m: {input: 1, output: 2}";
        assert_eq!(told(own, "2027-06-01T00:00:00Z"), None);
    }
}
