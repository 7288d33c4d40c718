//! `koubou budget`: what may be spent, and what was.

use std::fmt;

use serde::Serialize;

use super::trouble::Trouble;
use super::{Done, Exit, Site, Ui};
use crate::base::clock::Now;
use crate::config::Config;
use crate::route::budget::{Ledger, Standing};
use crate::spool::journal;
use crate::spool::notes::LimitsNote;
use crate::task::Usd;
use crate::task::journal::Replay;

/// Show what may be spent and what was; `set` changes the limits
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    change: Option<Change>,
}

#[derive(clap::Subcommand, Debug)]
enum Change {
    /// Set the limits, in US dollars
    #[command(arg_required_else_help = true)]
    Set {
        /// A month's limit
        #[arg(long, value_name = "N")]
        monthly: Option<Usd>,
        /// A day's limit
        #[arg(long, value_name = "N")]
        daily: Option<Usd>,
    },
}

#[derive(Serialize)]
pub(super) struct Money {
    year_month: String,
    alert_threshold_percent: u8,
    daily: Account,
    monthly: Account,
}

#[derive(Serialize)]
struct Account {
    limit_usd: Usd,
    /// `settings`, or `budget set`, which goes before them.
    set_by: &'static str,
    spent_usd: Usd,
    reserved_usd: Usd,
    left_usd: Usd,
}

pub(super) fn run(ui: &mut Ui, site: &Site, args: &Args) -> Done {
    site.spool()?;
    if let Some(Change::Set { monthly, daily }) = args.change {
        LimitsNote { daily_usd: daily, monthly_usd: monthly }.leave(&site.home)?;
    }
    let money = money(site)?;
    ui.answer(&money)?;
    Ok(Exit::Done)
}

/// How the money stands, from the journal, which is its truth.
pub(super) fn money(site: &Site) -> Result<Money, Trouble> {
    let books = Books::read(site, &site.config()?)?;
    let (day, month) = (books.ledger.day(), books.ledger.month());
    Ok(Money {
        year_month: books.ledger.year_month(),
        alert_threshold_percent: books.ledger.limits().alert_percent,
        daily: account(day, books.reserved, books.set.daily_usd),
        monthly: account(month, books.reserved, books.set.monthly_usd),
    })
}

/// Whether so much is spent that work which is not hard goes to local workers.
pub(super) fn is_critical(site: &Site, config: &Config) -> bool {
    let now = Now::read().wall;
    Books::read(site, config).is_ok_and(|mut books| books.ledger.is_critical(now))
}

struct Books {
    ledger: Ledger,
    /// What open attempts may cost.
    reserved: Usd,
    /// The limits that `budget set` set.
    set: LimitsNote,
}

impl Books {
    fn read(site: &Site, config: &Config) -> Result<Self, Trouble> {
        let now = Now::read().wall;
        let mut replay = Replay::default();
        for line in journal::recent(&site.home.journal())?.lines {
            replay.follow(line);
        }
        // A note that the daemon has not taken yet holds all the same.
        let note = LimitsNote::read(&site.home).unwrap_or_default();
        let set = LimitsNote {
            daily_usd: note.daily_usd.or(replay.limits.0),
            monthly_usd: note.monthly_usd.or(replay.limits.1),
        };
        let mut limits = config.limits;
        limits.daily = set.daily_usd.unwrap_or(limits.daily);
        limits.monthly = set.monthly_usd.unwrap_or(limits.monthly);
        let mut ledger = Ledger::new(limits, config.timezone.clone(), now);
        let mut reserved = Usd::ZERO;
        for line in replay.open.values() {
            reserved += line.reserved_usd.unwrap_or_default();
        }
        for (at, amount) in &replay.spent {
            ledger.record(*amount, *at, now);
        }
        Ok(Self { ledger, reserved, set })
    }
}

fn account(standing: Standing, reserved: Usd, set: Option<Usd>) -> Account {
    let standing = Standing { reserved, ..standing };
    Account {
        limit_usd: standing.limit,
        set_by: if set.is_some() { "budget set" } else { "settings" },
        spent_usd: standing.spent,
        reserved_usd: reserved,
        left_usd: standing.left(),
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, account) in [("today", &self.daily), (self.year_month.as_str(), &self.monthly)] {
            let by = if account.set_by == "settings" { "" } else { " (by `budget set`)" };
            writeln!(
                f,
                "{name:<8} {} of {}{by} spent, {} reserved, {} left",
                account.spent_usd, account.limit_usd, account.reserved_usd, account.left_usd
            )?;
        }
        Ok(())
    }
}
