//! `koubou budget`: what may be spent, and what was.

use std::collections::BTreeMap;
use std::fmt;

use aho_corasick::AhoCorasick;
use serde::Serialize;

use super::language::told;
use super::table::{padded, width};
use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui, pause};
use crate::base::clock::{self, Now, Timestamp};
use crate::base::words;
use crate::config::Config;
use crate::route::budget::{Ledger, Standing};
use crate::spool::Home;
use crate::spool::journal;
use crate::spool::notes::LimitsNote;
use crate::task::journal::{Replay, Spending};
use crate::task::limit::{Purpose, Scope, Window};
use crate::task::till::Till;
use crate::task::{Folder, Limit, Usd};

/// Show what may be spent and what was; `set` changes the limits
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    change: Option<Change>,
}

#[derive(clap::Subcommand, Debug)]
enum Change {
    /// Set limits, in US dollars: in all, or those of one worker or one type of task
    #[command(group(clap::ArgGroup::new("amount").args(["monthly", "daily"]).multiple(true).required(true)))]
    Set {
        /// A month's limit
        #[arg(long, value_name = "N")]
        monthly: Option<Usd>,
        /// A day's limit
        #[arg(long, value_name = "N")]
        daily: Option<Usd>,
        /// Of what this worker costs
        #[arg(long, value_name = "W", conflicts_with = "task_type")]
        worker: Option<String>,
        /// Of what tasks of this type cost
        #[arg(long, value_name = "T", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        task_type: Option<String>,
    },
}

#[derive(Serialize)]
pub(super) struct Money {
    year_month: String,
    alert_threshold_percent: u8,
    #[serde(flatten)]
    total: Accounts,
    by_worker: BTreeMap<String, Accounts>,
    by_task_type: BTreeMap<String, Accounts>,
}

/// A day's and a month's, where there is a limit.
#[derive(Serialize, Default)]
struct Accounts {
    #[serde(skip_serializing_if = "Option::is_none")]
    daily: Option<Account>,
    #[serde(skip_serializing_if = "Option::is_none")]
    monthly: Option<Account>,
}

#[derive(Serialize)]
struct Account {
    limit_usd: Usd,
    /// `settings`, or `budget set`, which goes before them.
    set_by: &'static str,
    spent_usd: Usd,
    reserved_usd: Usd,
    left_usd: Usd,
    begins_anew: String,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    site.spool()?;
    if let Some(Change::Set { monthly, daily, worker, task_type }) = &args.change {
        let scope = match (pause::known(site, worker.as_deref())?, task_type) {
            (Some(worker), _) => Scope::Worker(worker),
            (None, Some(task_type)) => Scope::TaskType(task_type.clone()),
            (None, None) => Scope::Total,
        };
        let amounts = [(Window::Day, daily), (Window::Month, monthly)];
        let limits = amounts.into_iter().filter_map(|(window, amount)| {
            Some((Limit { scope: scope.clone(), window }, (*amount)?))
        });
        LimitsNote::leave(&limits.collect(), &site.home)?;
    }
    let money = money(site)?;
    ui.answer(&money)?;
    Ok(Exit::Done)
}

/// How the money stands, from the journal, which is its truth.
pub(super) fn money(site: &Site) -> Result<Money, Trouble> {
    let Books { ledger, set } = Books::read(site, &site.config()?)?;
    let mut money = Money {
        year_month: ledger.year_month(),
        alert_threshold_percent: ledger.alert_percent(),
        total: Accounts::default(),
        by_worker: BTreeMap::new(),
        by_task_type: BTreeMap::new(),
    };
    for (limit, standing) in ledger.standings() {
        let is_set = set.contains_key(limit);
        let account = account(standing, is_set, ledger.begins_anew(limit.window));
        money.accounts_of(&limit.scope).put(limit.window, account);
    }
    Ok(money)
}

impl Money {
    fn accounts_of(&mut self, scope: &Scope) -> &mut Accounts {
        match scope {
            Scope::Total => &mut self.total,
            Scope::Worker(name) => self.by_worker.entry(name.to_string()).or_default(),
            Scope::TaskType(name) => self.by_task_type.entry(name.clone()).or_default(),
        }
    }
}

impl Accounts {
    fn put(&mut self, window: Window, account: Account) {
        match window {
            Window::Day => self.daily = Some(account),
            Window::Month => self.monthly = Some(account),
        }
    }
}

/// Whether so much is spent that work which is not hard goes to local workers.
pub(super) fn is_critical(site: &Site, config: &Config) -> bool {
    let now = Now::read().wall;
    Books::read(site, config).is_ok_and(|mut books| books.ledger.is_critical(now))
}

/// The money as the journal tells of it.
pub(super) struct Books {
    pub(super) ledger: Ledger,
    /// The limits that `budget set` set.
    set: BTreeMap<Limit, Usd>,
}

impl Books {
    pub(super) fn read(site: &Site, config: &Config) -> Result<Self, Trouble> {
        let mut till = Till::new(config.timezone.clone());
        journal::each_recent(&site.home.journal(), |line| till.hear(line))?;
        Ok(Self::of_till(&till, &site.home, config))
    }

    /// The limits and what is promised, without most of what was spent: for who knows that
    /// otherwise, and does not want to read a long journal for it.
    pub(super) fn read_promises(site: &Site, config: &Config) -> Result<Self, Trouble> {
        // Whoever has an attempt under way is in progress, and its lines name it.
        let begun = site.spool_here().ids(Folder::InProgress)?;
        let wanted = begun.iter().map(|id| format!("\"{id}\""));
        let wanted = wanted.chain(["\"limits\"".to_owned()]);
        let wanted = AhoCorasick::new(wanted).map_err(|error| Trouble::new(error.to_string()))?;
        let mut till = Till::new(config.timezone.clone());
        journal::each_recent(&site.home.journal(), |line| {
            if wanted.is_match(line) {
                till.hear(line);
            }
        })?;
        Ok(Self::of_till(&till, &site.home, config))
    }

    fn of_till(till: &Till, home: &Home, config: &Config) -> Self {
        let promised = till.promised().map(|(amount, purpose)| (amount, purpose.clone()));
        Self::added_up(till.limits.clone(), promised, till.spent(), home, config)
    }

    /// The money as these lines of the journal tell of it.
    pub(super) fn of(replay: &Replay, home: &Home, config: &Config) -> Self {
        let open = replay.open.values();
        let promised = open.map(|line| (line.reserved_usd.unwrap_or_default(), line.purpose()));
        let spent = replay.spent.iter().cloned();
        Self::added_up(replay.limits.clone(), promised, spent, home, config)
    }

    fn added_up(
        mut set: BTreeMap<Limit, Usd>,
        promised: impl Iterator<Item = (Usd, Purpose)>,
        spent: impl Iterator<Item = Spending>,
        home: &Home,
        config: &Config,
    ) -> Self {
        let now = Now::read().wall;
        // A note that the daemon has not taken yet holds all the same.
        set.extend(LimitsNote::read(home).unwrap_or_default());
        let mut limits = config.limits.clone();
        set.iter().for_each(|(limit, amount)| limits.set(limit, *amount));
        let mut ledger = Ledger::new(limits, config.timezone.clone(), now);
        for (amount, purpose) in promised {
            ledger.record_promise(amount, &purpose, now);
        }
        for Spending { at, amount, purpose } in spent {
            ledger.record(amount, &purpose, at, now);
        }
        Self { ledger, set }
    }
}

fn account(standing: Standing, is_set: bool, begins_anew: Timestamp) -> Account {
    Account {
        limit_usd: standing.limit,
        set_by: if is_set { "budget set" } else { "settings" },
        spent_usd: standing.spent,
        reserved_usd: standing.reserved,
        left_usd: standing.left(),
        begins_anew: clock::rfc3339(begins_anew),
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workers = self.by_worker.iter().map(|(name, all)| (format!("worker {name}, "), all));
        let types = self.by_task_type.iter().map(|(name, all)| (format!("type {name}, "), all));
        let mut lines = Vec::new();
        for (whose, all) in [(String::new(), &self.total)].into_iter().chain(workers).chain(types) {
            for (window, account) in [("today", &all.daily), (&self.year_month, &all.monthly)] {
                let name = words::tame(&format!("{whose}{window}"));
                lines.extend(account.as_ref().map(|account| (name, account)));
            }
        }
        let lines: Vec<(String, String)> = lines
            .into_iter()
            .map(|(name, account)| {
                (told(&name).into_owned(), told(&account.to_string()).into_owned())
            })
            .collect();
        let widest = lines.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
        for (name, account) in lines {
            writeln!(f, "{}  {account}", padded(&name, widest))?;
        }
        Ok(())
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = if self.set_by == "settings" { "" } else { " (by `budget set`)" };
        write!(
            f,
            "{} of {}{by} spent, {} reserved, {} left until {}",
            self.spent_usd, self.limit_usd, self.reserved_usd, self.left_usd, self.begins_anew
        )
    }
}
