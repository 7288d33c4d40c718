//! What tokens cost.

use crate::task::Usd;
use crate::task::outcome::Usage;

/// Prices in US dollars for a million tokens.
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
}

impl Price {
    /// Nothing: work that runs in the house.
    pub const FREE: Self = Self {
        input: Usd::ZERO,
        cached_input: Usd::ZERO,
        cache_write: Usd::ZERO,
        output: Usd::ZERO,
    };

    /// The same price for every token, as the original design has it.
    pub fn flat(per_million: Usd) -> Self {
        Self {
            input: per_million,
            cached_input: per_million,
            cache_write: per_million,
            output: per_million,
        }
    }

    /// Whether every token is free.
    pub fn is_free(&self) -> bool {
        *self == Self::FREE
    }

    /// What a call cost. Tokens read from or written to a cache are part of the prompt and are not counted twice.
    pub fn cost(&self, usage: &Usage) -> Usd {
        let cached = usage.cached_tokens.min(usage.prompt_tokens);
        let written = usage.cache_write_tokens.min(usage.prompt_tokens - cached);
        self.input.per_million(usage.prompt_tokens - cached - written)
            + self.cached_input.per_million(cached)
            + self.cache_write.per_million(written)
            + self.output.per_million(usage.completion_tokens)
    }

    /// The most that a call can cost: every prompt token at the dearest input price, every answer token used.
    pub fn worst(&self, prompt_tokens: u64, answer_tokens: u64) -> Usd {
        self.input.max(self.cached_input).max(self.cache_write).per_million(prompt_tokens)
            + self.output.per_million(answer_tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price() -> Price {
        let usd = |text: &str| text.parse().unwrap();
        Price {
            input: usd("1.25"),
            cached_input: usd("0.125"),
            cache_write: usd("2.5"),
            output: usd("10"),
        }
    }

    #[test]
    fn the_example_of_the_documentation_adds_up() {
        let usage = Usage {
            prompt_tokens: 12,
            completion_tokens: 34,
            reasoning_tokens: 8,
            ..Usage::default()
        };
        assert_eq!(price().cost(&usage), "0.000355".parse().unwrap());
    }

    #[test]
    fn cached_and_written_tokens_are_part_of_the_prompt() {
        let usage = Usage { prompt_tokens: 1_000_000, cached_tokens: 400_000, ..Usage::default() };
        assert_eq!(price().cost(&usage), "0.8".parse().unwrap());
        let written = Usage { cache_write_tokens: 200_000, ..usage };
        assert_eq!(price().cost(&written), "1.05".parse().unwrap());
        let odd = Usage { prompt_tokens: 1, cached_tokens: 5, ..Usage::default() };
        assert_eq!(price().cost(&odd), price().cached_input.per_million(1));
    }
}
