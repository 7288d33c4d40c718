//! What tokens cost.
//!
//! All of it is whole numbers: an amount is picodollars, a factor thousandths.
//! What a call did cost follows from what its answer states; what it may cost is
//! reckoned with the dearest terms that could come to hold.

use crate::task::Usd;
use crate::task::outcome::{ServiceTier, Usage};

/// Prices in US dollars for a million tokens, and on which terms they change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Tokens sent.
    pub input: Usd,
    /// Tokens sent that the provider had in its cache.
    pub cached_input: Usd,
    /// Tokens sent that the provider put into its cache.
    pub cache_write: Usd,
    /// Tokens answered, hidden reasoning included.
    pub output: Usd,
    /// What a long prompt makes of them.
    pub long_context: Option<LongContext>,
    /// What each service tier makes of them.
    pub service_tiers: ServiceTiers,
}

/// From which size on a prompt changes the price of its whole request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongContext {
    /// A prompt of more tokens than this is a long one.
    pub above: u64,
    /// Of everything sent, cached or not.
    pub input: Factor,
    /// Of everything answered.
    pub output: Factor,
}

/// What the service tiers cost, beside the ordinary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceTiers {
    /// Of `flex`.
    pub flex: Factor,
    /// Of `batch`.
    pub batch: Factor,
    /// Of `priority`.
    pub priority: Factor,
}

/// A factor of a price, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Factor(u32);

/// One dollar is a factor of one, so that a factor is read by the rules of money.
const THOUSANDTH: u64 = Usd::dollars(1).pico() / 1_000;

impl Factor {
    /// No change.
    pub const ONE: Self = Self(1_000);
    /// The largest that is believed.
    const MOST: u32 = 1_000_000;

    /// So many thousandths.
    pub const fn thousandths(n: u32) -> Self {
        Self(n)
    }

    /// Reads `0.5`, `2`, `1.8`: from 0.001 to 1000, in steps of 0.001.
    pub fn read(text: &str) -> Option<Self> {
        let pico = text.parse::<Usd>().ok()?.pico();
        let thousandths = u32::try_from(pico / THOUSANDTH).ok()?;
        let is_one = pico.is_multiple_of(THOUSANDTH) && (1..=Self::MOST).contains(&thousandths);
        is_one.then_some(Self(thousandths))
    }

    /// What it makes of an amount, rounded up.
    #[must_use]
    pub fn of(self, amount: Usd) -> Usd {
        let pico = (u128::from(amount.pico()) * u128::from(self.0)).div_ceil(1_000);
        Usd::from_pico(u64::try_from(pico).unwrap_or(u64::MAX))
    }
}

impl ServiceTiers {
    /// Every tier costs the same.
    pub const ALIKE: Self = Self { flex: Factor::ONE, batch: Factor::ONE, priority: Factor::ONE };
    /// What holds where a price says nothing: half for a batch, as every provider has it.
    pub const USUAL: Self = Self { batch: Factor::thousandths(500), ..Self::ALIKE };

    fn factor(&self, tier: ServiceTier) -> Factor {
        match tier {
            ServiceTier::Standard => Factor::ONE,
            ServiceTier::Flex => self.flex,
            ServiceTier::Batch => self.batch,
            ServiceTier::Priority => self.priority,
        }
    }

    /// The dearest that may come of asking for this tier: the ordinary one often stands in
    /// for it, and `auto` leaves the choice to the provider.
    fn dearest(&self, asked: Option<&str>) -> Factor {
        match asked {
            None => Factor::ONE,
            Some("auto") => self.flex.max(self.batch).max(self.priority).max(Factor::ONE),
            Some(name) => self.factor(ServiceTier::named(name)).max(Factor::ONE),
        }
    }
}

impl Price {
    /// Nothing: work that runs in the house.
    pub const FREE: Self = Self {
        input: Usd::ZERO,
        cached_input: Usd::ZERO,
        cache_write: Usd::ZERO,
        output: Usd::ZERO,
        long_context: None,
        service_tiers: ServiceTiers::ALIKE,
    };

    /// The same price for every token, as the original design has it.
    pub fn flat(per_million: Usd) -> Self {
        Self {
            input: per_million,
            cached_input: per_million,
            cache_write: per_million,
            output: per_million,
            service_tiers: ServiceTiers::USUAL,
            ..Self::FREE
        }
    }

    /// Whether every token is free, on whatever terms.
    pub fn is_free(&self) -> bool {
        [self.input, self.cached_input, self.cache_write, self.output]
            .iter()
            .all(|price| *price == Usd::ZERO)
    }

    /// What a call cost, on the terms that its answer states. Tokens read from or written to a
    /// cache are part of the prompt and are not counted twice.
    pub fn cost(&self, usage: &Usage) -> Usd {
        let (sent, answered) = self.length_factors(usage.prompt_tokens);
        let tier = self.service_tiers.factor(usage.service_tier);
        let (sent, answered) =
            (|price| tier.of(sent.of(price)), |price| tier.of(answered.of(price)));
        let cached = usage.cached_tokens.min(usage.prompt_tokens);
        let written = usage.cache_write_tokens.min(usage.prompt_tokens - cached);
        sent(self.input).per_million(usage.prompt_tokens - cached - written)
            + sent(self.cached_input).per_million(cached)
            + sent(self.cache_write).per_million(written)
            + answered(self.output).per_million(usage.completion_tokens)
    }

    /// The most that a call can cost that asks for a tier, or for none: every prompt token at the
    /// dearest input price, every answer token used, and no terms that make it cheaper.
    pub fn worst(&self, prompt_tokens: u64, answer_tokens: u64, asked: Option<&str>) -> Usd {
        self.worst_at(self.service_tiers.dearest(asked), prompt_tokens, answer_tokens)
    }

    /// The same of a call that is made in a batch: its price is the batch's, whatever else is said.
    pub fn worst_in_batch(&self, prompt_tokens: u64, answer_tokens: u64) -> Usd {
        self.worst_at(self.service_tiers.batch, prompt_tokens, answer_tokens)
    }

    fn worst_at(&self, tier: Factor, prompt_tokens: u64, answer_tokens: u64) -> Usd {
        let (sent, answered) = self.length_factors(prompt_tokens);
        let dearest = |factor: Factor, price| tier.of(factor.max(Factor::ONE).of(price));
        let input = self.input.max(self.cached_input).max(self.cache_write);
        dearest(sent, input).per_million(prompt_tokens)
            + dearest(answered, self.output).per_million(answer_tokens)
    }

    /// What the length of a prompt makes of the prices of input and output.
    fn length_factors(&self, prompt_tokens: u64) -> (Factor, Factor) {
        match self.long_context {
            Some(long) if prompt_tokens > long.above => (long.input, long.output),
            _ => (Factor::ONE, Factor::ONE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    fn price() -> Price {
        Price {
            input: usd("1.25"),
            cached_input: usd("0.125"),
            cache_write: usd("2.5"),
            output: usd("10"),
            ..Price::FREE
        }
    }

    /// A price that a long prompt and every tier change.
    fn with_terms() -> Price {
        let factor = |text: &str| Factor::read(text).unwrap();
        Price {
            long_context: Some(LongContext {
                above: 272_000,
                input: factor("2"),
                output: factor("1.5"),
            }),
            service_tiers: ServiceTiers {
                flex: factor("0.5"),
                batch: factor("0.5"),
                priority: factor("1.8"),
            },
            ..price()
        }
    }

    fn used(prompt_tokens: u64, completion_tokens: u64) -> Usage {
        Usage { prompt_tokens, completion_tokens, ..Usage::default() }
    }

    #[test]
    fn the_example_of_the_documentation_adds_up() {
        let usage = Usage { reasoning_tokens: 8, ..used(12, 34) };
        assert_eq!(price().cost(&usage), usd("0.000355"));
    }

    #[test]
    fn cached_and_written_tokens_are_part_of_the_prompt() {
        let usage = Usage { cached_tokens: 400_000, ..used(1_000_000, 0) };
        assert_eq!(price().cost(&usage), usd("0.8"));
        let written = Usage { cache_write_tokens: 200_000, ..usage };
        assert_eq!(price().cost(&written), usd("1.05"));
        let odd = Usage { cached_tokens: 5, ..used(1, 0) };
        assert_eq!(price().cost(&odd), price().cached_input.per_million(1));
    }

    #[test]
    fn reasoning_tokens_are_part_of_the_answer_and_not_paid_for_twice() {
        let usage = Usage { reasoning_tokens: 90, ..used(0, 100) };
        assert_eq!(price().cost(&usage), price().cost(&used(0, 100)));
    }

    #[test]
    fn a_prompt_beyond_the_threshold_changes_the_price_of_the_whole_request() {
        let (cost, plain) = (|usage| with_terms().cost(&usage), |usage| price().cost(&usage));
        assert_eq!(cost(used(272_000, 1_000)), plain(used(272_000, 1_000)), "not beyond it");
        assert_eq!(cost(used(400_000, 0)), usd("1"));
        assert_eq!(cost(Usage { cached_tokens: 400_000, ..used(400_000, 0) }), usd("0.1"));
        assert_eq!(cost(Usage { cache_write_tokens: 400_000, ..used(400_000, 0) }), usd("2"));
        assert_eq!(cost(used(400_000, 1_000)), usd("1.015"));
    }

    #[test]
    fn the_tier_that_the_response_states_is_paid() {
        let cost = |name: &str| {
            let service_tier = ServiceTier::named(name);
            with_terms().cost(&Usage { service_tier, ..used(100_000, 10_000) })
        };
        for (name, amount) in [
            ("flex", "0.1125"),
            ("batch", "0.1125"),
            ("priority", "0.405"),
            ("fast", "0.405"),
            ("default", "0.225"),
            ("auto", "0.225"),
            ("scale", "0.225"),
            ("unheard-of", "0.225"),
            ("", "0.225"),
        ] {
            assert_eq!(cost(name), usd(amount), "{name}");
        }
        let long = Usage { service_tier: ServiceTier::Flex, ..used(400_000, 0) };
        assert_eq!(with_terms().cost(&long), usd("0.5"), "both factors at once");
    }

    #[test]
    fn the_worst_case_takes_the_dearest_terms_that_may_come_to_hold() {
        let worst = |asked| with_terms().worst(100_000, 10_000, asked);
        let plain = price().worst(100_000, 10_000, None);
        for asked in [None, Some("default"), Some("flex"), Some("batch"), Some("unheard-of")] {
            assert_eq!(worst(asked), plain, "{asked:?}: nothing cheaper is counted on");
        }
        for asked in ["priority", "fast", "auto"] {
            assert_eq!(worst(Some(asked)), Factor::thousandths(1_800).of(plain), "{asked}");
        }
        assert_eq!(with_terms().worst(272_001, 0, None), usd("5").per_million(272_001));
        let cheap = LongContext { above: 0, input: Factor(1), output: Factor(1) };
        let rebated = Price { long_context: Some(cheap), ..price() };
        assert_eq!(rebated.worst(10, 10, None), price().worst(10, 10, None));
    }

    #[test]
    fn no_call_costs_more_than_its_worst_case() {
        for asked in ["default", "flex", "priority", "auto"] {
            for tokens in [1, 272_000, 272_001, 1_000_000] {
                let worst = with_terms().worst(tokens, 5_000, Some(asked));
                let got = if asked == "auto" { "priority" } else { asked };
                let usage = Usage { service_tier: ServiceTier::named(got), ..used(tokens, 5_000) };
                let written = Usage { cache_write_tokens: tokens, ..usage };
                assert!(with_terms().cost(&usage) <= worst, "{asked} {tokens}");
                assert!(with_terms().cost(&written) <= worst, "{asked} {tokens}");
            }
        }
    }

    #[test]
    fn a_batch_costs_what_its_factor_says_and_never_more_than_was_reserved() {
        let usage = Usage { service_tier: ServiceTier::Batch, ..used(300_000, 7) };
        let worst = with_terms().worst_in_batch(300_000, 7);
        assert!(with_terms().cost(&usage) <= worst && worst < with_terms().worst(300_000, 7, None));
        let flat = Price::flat(Usd::dollars(2));
        assert_eq!(
            flat.worst_in_batch(1_000_000, 0),
            Usd::dollars(1),
            "half where nothing is said"
        );
    }

    #[test]
    fn a_factor_is_read_exactly_or_not_at_all() {
        for (text, thousandths) in [("0.5", 500), ("2", 2_000), ("1.8", 1_800), ("0.001", 1)] {
            assert_eq!(Factor::read(text), Some(Factor(thousandths)));
        }
        for bad in ["0", "-1", "half", "0.0001", "1.0005", "1001", ""] {
            assert_eq!(Factor::read(bad), None, "{bad}");
        }
        assert_eq!(Factor(1_800).of(usd("0.25")), usd("0.45"));
        assert_eq!(Factor(500).of(Usd::from_pico(1)), Usd::from_pico(1), "rounded up");
    }

    #[test]
    fn terms_make_nothing_of_what_is_free() {
        let free = Price { service_tiers: with_terms().service_tiers, ..Price::FREE };
        assert!(free.is_free());
        assert_eq!(free.worst(1_000_000, 1_000_000, Some("priority")), Usd::ZERO);
    }
}
