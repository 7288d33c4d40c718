//! What routing saved: the work at the dearest worker's prices, less what was paid for it.
//!
//! The tokens of every attempt that ended well are priced once more as if each worker
//! in turn had got all of them; the dearest worker is the one at which that comes to
//! most. What is left out: attempts that failed, and work that counts no tokens, a
//! program's or the echo's. What a mirror does not keep, tokens written to a cache and
//! the service tier, is priced as ordinary. The same answer from another model would have
//! had other tokens; this is an estimate of money and not of answers.

use serde::{Serialize, Serializer};
use serde_json::Number;

use crate::config::Config;
use crate::route::price::Price;
use crate::task::Usd;
use crate::task::outcome::Usage;

/// Work that is priced at every worker's prices.
#[derive(Clone, Debug, Default)]
pub(super) struct Pricing {
    /// Every price that there is, with the first worker that has it and what all work comes to there.
    tariffs: Vec<Tariff>,
    attempts: u64,
    paid: Usd,
    /// Completed tasks that were not priced.
    pub(super) left_out: u64,
}

#[derive(Clone, Debug)]
struct Tariff {
    worker_type: String,
    price: Price,
    /// What is public.
    public: Usd,
    /// What may not leave the house.
    confidential: Usd,
}

/// What routing saved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Saving {
    /// At whose prices.
    pub(super) dearest_worker: String,
    /// How many attempts were priced.
    pub(super) attempts: u64,
    /// What they would have cost there.
    pub(super) at_dearest_usd: Usd,
    /// What they did cost.
    pub(super) paid_usd: Usd,
    /// The difference.
    pub(super) saved_usd: Difference,
    /// So much of `at_dearest_usd` is confidential work, which could have gone there only if that worker is local.
    pub(super) confidential_at_dearest_usd: Usd,
    /// Completed tasks that are not in it, for they count no tokens.
    pub(super) left_out_tasks: u64,
}

/// An amount less another: money that can be less than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    is_loss: bool,
    amount: Usd,
}

impl Pricing {
    /// At the prices of these settings.
    pub(super) fn of(config: &Config) -> Self {
        let mut tariffs: Vec<Tariff> = Vec::new();
        for worker in config.workers.iter().filter(|worker| !worker.price.is_free()) {
            if tariffs.iter().all(|tariff| tariff.price != worker.price) {
                tariffs.push(Tariff {
                    worker_type: worker.worker_type.to_string(),
                    price: worker.price,
                    public: Usd::ZERO,
                    confidential: Usd::ZERO,
                });
            }
        }
        Self { tariffs, ..Self::default() }
    }

    /// Prices an attempt that ended well; whether it has tokens that can be priced.
    pub(super) fn price(&mut self, usage: &Usage, paid: Usd, is_confidential: bool) -> bool {
        if usage.prompt_tokens == 0 && usage.completion_tokens == 0 {
            return false;
        }
        self.attempts += 1;
        self.paid += paid;
        for tariff in &mut self.tariffs {
            let cost = tariff.price.cost(usage);
            match is_confidential {
                true => tariff.confidential += cost,
                false => tariff.public += cost,
            }
        }
        true
    }

    /// What was saved; nothing where no worker is paid.
    pub(super) fn saving(&self) -> Option<Saving> {
        // Of two that are as dear the first in the settings is named.
        let all = |tariff: &&Tariff| tariff.public + tariff.confidential;
        let dearest = self.tariffs.iter().rev().max_by_key(all)?;
        let at_dearest = all(&dearest);
        Some(Saving {
            dearest_worker: dearest.worker_type.clone(),
            attempts: self.attempts,
            at_dearest_usd: at_dearest,
            paid_usd: self.paid,
            saved_usd: Difference::of(at_dearest, self.paid),
            confidential_at_dearest_usd: dearest.confidential,
            left_out_tasks: self.left_out,
        })
    }
}

impl Difference {
    fn of(whole: Usd, part: Usd) -> Self {
        let is_loss = part > whole;
        let amount = if is_loss { part.less(whole) } else { whole.less(part) };
        Self { is_loss, amount }
    }

    /// All its digits, with its sign.
    pub(super) fn exact(self) -> String {
        format!("{}{}", self.sign(), self.amount.exact())
    }

    fn sign(self) -> &'static str {
        if self.is_loss { "-" } else { "" }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.sign(), self.amount)
    }
}

impl Serialize for Difference {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Number::from_string_unchecked(self.exact()).serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pricing(prices: &[(&str, &str, &str)]) -> Pricing {
        let tariff = |(name, input, output): &(&str, &str, &str)| Tariff {
            worker_type: (*name).to_owned(),
            price: Price {
                input: input.parse().unwrap(),
                cached_input: input.parse().unwrap(),
                output: output.parse().unwrap(),
                ..Price::FREE
            },
            public: Usd::ZERO,
            confidential: Usd::ZERO,
        };
        Pricing { tariffs: prices.iter().map(tariff).collect(), ..Pricing::default() }
    }

    fn usage(prompt_tokens: u64, completion_tokens: u64) -> Usage {
        let total_tokens = prompt_tokens + completion_tokens;
        Usage { prompt_tokens, completion_tokens, total_tokens, ..Usage::default() }
    }

    #[test]
    fn the_dearest_is_the_one_at_which_this_work_costs_most() {
        let mut pricing =
            pricing(&[("reads", "10", "1"), ("writes", "1", "10"), ("too", "1", "10")]);
        assert!(pricing.price(&usage(10, 1_000_000), "0.1".parse().unwrap(), false));
        assert!(pricing.price(&usage(0, 100_000), Usd::ZERO, true));
        assert!(!pricing.price(&usage(0, 0), Usd::ZERO, false), "what has no tokens has no price");
        let saving = pricing.saving().unwrap();
        assert_eq!((saving.dearest_worker.as_str(), saving.attempts), ("writes", 2));
        assert_eq!(saving.at_dearest_usd, "11.00001".parse().unwrap());
        assert_eq!(saving.saved_usd.exact(), "10.90001");
        assert_eq!(saving.confidential_at_dearest_usd, Usd::dollars(1));
    }

    #[test]
    fn money_that_was_lost_is_told_as_such() {
        let mut pricing = pricing(&[("cheap", "1", "1")]);
        pricing.price(&usage(1_000_000, 0), Usd::dollars(3), false);
        let saved = pricing.saving().unwrap().saved_usd;
        assert_eq!((saved.exact().as_str(), saved.to_string().as_str()), ("-2", "-$2.00"));
        assert_eq!(serde_json::to_string(&saved).unwrap(), "-2");
        assert_eq!(Pricing::default().saving(), None, "nobody is paid");
    }
}
